/* The world of a truth script: time, the cable, the faults, and what is seen of sockets. */

#include "support/truth_play.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/truth_cause.h"
#include "support/truth_frame.h"
#include "support/truth_proc.h"

#define MTU 1500
#define DRAWS 16
#define US 1000LL /* nanoseconds */

int64_t ho_truth_us(const struct ho_truth_world *w, struct ho_time t)
{
    return t.ns / US + w->s->start_us;
}

struct ho_time ho_truth_time(const struct ho_truth_world *w, int64_t t_us)
{
    assert(t_us >= w->s->start_us);
    return (struct ho_time){ .ns = (t_us - w->s->start_us) * US };
}

static struct ho_addr addr_of(int host)
{
    return ho_addr_v4(10, 0, 0, (uint8_t)(host + 1));
}

static struct ho_mac mac_of(int host)
{
    return (struct ho_mac){ .b = { 2, 0, 0, 0, 0, (uint8_t)(host + 1) } };
}

/* --- building the hosts ----------------------------------------------------------------------- */

static void set_sysctls(struct ho_truth_world *w, const struct ho_truth_line *l)
{
    struct ho_sysctls *sysctls = ho_host_sysctls(w->hosts[ho_truth_host(l->w[1])]);
    for (unsigned i = 2; i < l->n; i++) {
        char name[80], value[80];
        size_t n = strcspn(l->w[i], "=");
        (void)snprintf(name, sizeof(name), "%.*s", (int)n, l->w[i]);
        (void)snprintf(value, sizeof(value), "%s", l->w[i] + n + 1);
        for (char *p = value; *p != '\0'; p++) {
            *p = *p == ',' ? ' ' : *p;
        }
        int err = ho_sysctl_parse(sysctls, name, value);
        assert(err == 0);
    }
}

static void set_draws(struct ho_truth_world *w, int host)
{
    int64_t ns[DRAWS];
    size_t n = 0;
    if (w->o->draw_ns[host] > 0) {
        ns[n++] = w->o->draw_ns[host];
    }
    for (size_t i = 0; i < w->s->n_lines && n == 0; i++) {
        const struct ho_truth_line *l = &w->s->lines[i];
        if (l->kind == 'h' && strcmp(l->w[0], "draw") == 0 && ho_truth_host(l->w[1]) == host) {
            for (unsigned k = 2; k < l->n && n < DRAWS; k++) {
                ns[n++] = ho_truth_num(l->w[k]) * 1000000;
            }
        }
    }
    if (n > 0) {
        ho_host_neigh_draws(w->hosts[host], ns, n);
    }
}

/* The kernel that was measured. */
static enum ho_profile_id profile_of(const struct ho_truth_script *s)
{
    for (size_t i = 0; i < s->n_lines; i++) {
        const struct ho_truth_line *l = &s->lines[i];
        if (l->kind == 'h' && strcmp(ho_truth_word(l, 0), "kernel") == 0) {
            int id = ho_profile_find(ho_truth_word(l, 1));
            return id >= 0 ? (enum ho_profile_id)id : HO_PROFILE_6_18;
        }
    }
    return HO_PROFILE_6_18;
}

static int build_host(struct ho_truth_world *w, int host)
{
    struct ho_host_conf conf = {
        .clk = { .hz = 250, .jiffies0 = w->s->jiffies0, .phase_ns = w->s->phase_ns },
        .seed = (uint64_t)host + 1,
        .bufs = &w->bufs,
        .max_sockets = 64,
        .profile = profile_of(w->s),
    };
    (void)snprintf(conf.name, sizeof(conf.name), "%s", host == 0 ? "client" : "server");
    int err = ho_host_new(&w->hosts[host], &conf);
    if (err < 0) {
        return err;
    }
    set_draws(w, host);
    for (size_t i = 0; i < w->s->n_lines; i++) {
        const struct ho_truth_line *l = &w->s->lines[i];
        if (l->kind == 'h' && strcmp(l->w[0], "sysctl") == 0 && ho_truth_host(l->w[1]) == host) {
            set_sysctls(w, l);
        }
    }
    struct ho_addr self = addr_of(host), peer = addr_of(!host);
    ho_host_boot(w->hosts[host], w->now);
    int nic = ho_host_add_nic(w->hosts[host], "eth0", mac_of(host), MTU);
    assert(nic == 0);
    err = ho_host_addr_add(w->hosts[host], nic, &self, 24, w->now);
    assert(err == 0);
    if (w->s->permanent) {
        err = ho_host_neigh_add(w->hosts[host], nic, &peer, mac_of(!host), w->now);
        assert(err == 0);
    }
    ho_host_record_lo(w->hosts[host], true);
    return 0;
}

static void lo_down(struct ho_truth_world *w)
{
    for (size_t i = 0; i < w->s->n_lines; i++) {
        const struct ho_truth_line *l = &w->s->lines[i];
        if (l->kind == 'h' && strcmp(l->w[0], "lo") == 0) {
            int err = ho_host_link(w->hosts[ho_truth_host(l->w[1])], HO_NIC_LO, false, w->now);
            assert(err == 0);
        }
    }
}

/* --- the cable -------------------------------------------------------------------------------- */

static void send_frame(struct ho_truth_world *w, int host, struct ho_buf *buf)
{
    struct ho_truth_way *way = &w->ways[host];
    char key[48];
    size_t rec = ho_truth_frame_rec(w, host, buf, way->cut, key);
    if (way->cut) {
        ho_buf_put(&w->bufs, buf);
        return;
    }
    struct ho_truth_frame *f = calloc(1, sizeof(*f));
    assert(f != NULL);
    f->buf = buf;
    f->rec = rec;
    f->at = ho_time_add(w->now, ho_us(ho_truth_delay_of(w, host, key)));
    if (way->last != NULL && ho_time_before(f->at, way->last->at)) {
        f->at = way->last->at; /* frames do not overtake each other */
    }
    if (way->last == NULL) {
        way->first = f;
    } else {
        way->last->next = f;
    }
    way->last = f;
}

static void drop_first(struct ho_truth_way *way)
{
    struct ho_truth_frame *f = way->first;
    way->first = f->next;
    if (way->first == NULL) {
        way->last = NULL;
    }
    free(f);
}

/* What is under way when the cable is cut is lost too. */
static void lose_all(struct ho_truth_world *w, struct ho_truth_way *way)
{
    while (way->first != NULL) {
        char *fate = strstr(w->recs->r[way->first->rec].text, "fwd");
        if (fate != NULL) {
            for (size_t i = 0; i < 3; i++) {
                fate[i] = "cut"[i];
            }
        }
        ho_buf_put(&w->bufs, way->first->buf);
        drop_first(way);
    }
}

static void deliver(struct ho_truth_world *w)
{
    for (int host = 0; host < HO_TRUTH_HOSTS; host++) {
        struct ho_truth_way *way = &w->ways[host];
        if (way->first != NULL && !ho_time_before(w->now, way->first->at)) {
            struct ho_buf *buf = way->first->buf;
            ho_truth_cause_add(w, !host, (int)way->first->rec);
            drop_first(way);
            if (ho_host_is_up(w->hosts[!host])) {
                ho_host_input(w->hosts[!host], 0, buf, w->now);
                w->touched[!host] = true;
            } else {
                ho_buf_put(&w->bufs, buf);
            }
        }
    }
}

/* --- faults ----------------------------------------------------------------------------------- */

static void do_cut(struct ho_truth_world *w, const struct ho_truth_line *l)
{
    bool keep = strcmp(l->w[0], "cutkeep") == 0;
    for (const char *p = l->w[1]; *p != '\0'; p++) {
        int host = ho_truth_host(p);
        w->ways[host].cut = true;
        if (!keep) {
            lose_all(w, &w->ways[host]);
        }
    }
}

static void power_off(struct ho_truth_world *w, int host)
{
    for (size_t i = 0; i < HO_TRUTH_PROCS; i++) {
        if (w->procs[i].host == host) {
            w->procs[i].alive = false;
        }
    }
    ho_host_power_off(w->hosts[host], w->now);
}

static void do_fault(struct ho_truth_world *w, const struct ho_truth_line *l)
{
    const char *what = l->w[0], *arg = ho_truth_word(l, 1), *how = ho_truth_word(l, 2);
    int host = ho_truth_host(arg), err = 0;
    struct ho_host *h = w->hosts[host];
    struct ho_addr self = addr_of(host), peer = addr_of(!host);
    w->touched[host] = true;
    ho_truth_cause_add(w, host, HO_TRUTH_INPUT);
    if (strncmp(what, "cut", 3) == 0) {
        do_cut(w, l);
    } else if (strcmp(what, "plug") == 0) {
        w->ways[0].cut = w->ways[1].cut = false;
    } else if (strcmp(what, "carrier") == 0) {
        ho_host_carrier(h, 0, strcmp(how, "on") == 0, ho_truth_num(ho_truth_word(l, 3)) * US,
                        w->now);
    } else if (strcmp(what, "kill") == 0) {
        ho_truth_proc_kill(w, &w->procs[ho_truth_proc(w->s, arg)]);
    } else if (strcmp(what, "deaf") == 0 || strcmp(what, "reads") == 0) {
        w->procs[ho_truth_proc(w->s, arg)].deaf = what[0] == 'd';
    } else if (strcmp(what, "off") == 0) {
        power_off(w, host);
    } else if (strcmp(what, "boot") == 0) {
        ho_host_boot(h, w->now);
    } else if (strcmp(what, "link") == 0) {
        err = ho_host_link(h, 0, strcmp(how, "up") == 0, w->now);
    } else if (strcmp(what, "addr") == 0) {
        err = strcmp(how, "del") == 0 ? ho_host_addr_del(h, 0, &self, w->now)
                                      : ho_host_addr_add(h, 0, &self, 24, w->now);
    } else if (strcmp(what, "route") == 0) {
        err = ho_host_route_flush(h, 0, w->now);
    } else if (strcmp(what, "neigh") == 0) {
        err = ho_host_neigh_add(h, 0, &peer, mac_of(!host), w->now);
    } else {
        assert(0 && "no such fault");
    }
    assert(err == 0 || strcmp(what, "neigh") == 0);
}

static bool is_input(const struct ho_truth_line *l)
{
    return l->kind == 'p' || l->kind == 'f';
}

static void skip_to_input(struct ho_truth_world *w)
{
    while (w->line < w->s->n_lines && !is_input(&w->s->lines[w->line])) {
        w->line++;
    }
}

static int64_t next_input(const struct ho_truth_world *w)
{
    return w->line < w->s->n_lines ? w->s->lines[w->line].t_us : INT64_MAX;
}

static void do_input(struct ho_truth_world *w)
{
    const struct ho_truth_line *l = &w->s->lines[w->line++];
    if (l->kind == 'p') {
        ho_truth_cause_add(w, ho_truth_host(l->w[0]), HO_TRUTH_INPUT);
        ho_truth_proc_start(w, l->w[0]);
    } else {
        do_fault(w, l);
    }
    skip_to_input(w);
}

/* --- looking at sockets and neighbours -------------------------------------------------------- */

static const char *state_text(enum ho_tcp_state state)
{
    switch (state) {
#define X(id, number, ss, rfc) \
    case HO_TCP_##id:          \
        return #id;
        HO_TCP_STATES(X)
#undef X
    default:
        return "?";
    }
}

static void fill_fields(struct ho_truth_state *s, const struct ho_tcp_info *i)
{
    const int64_t values[HO_TRUTH_FIELDS] = {
        [HO_TRUTH_F_TIMER] = i->timer,
        [HO_TRUTH_F_EXPIRES] = i->expires_us / 1000,
        [HO_TRUTH_F_IDIAG] = i->idiag_retrans,
        [HO_TRUTH_F_RQ] = i->rq,
        [HO_TRUTH_F_WQ] = i->wq,
        [HO_TRUTH_F_CA] = i->ca_state,
        [HO_TRUTH_F_RETRANSMITS] = i->retransmits,
        [HO_TRUTH_F_PROBES] = i->probes,
        [HO_TRUTH_F_BACKOFF] = i->backoff,
        [HO_TRUTH_F_RTO] = i->rto_us,
        [HO_TRUTH_F_UNACKED] = i->unacked,
        [HO_TRUTH_F_LOST] = i->lost,
        [HO_TRUTH_F_RTT] = i->rtt_us,
        [HO_TRUTH_F_RTTVAR] = i->rttvar_us,
        [HO_TRUTH_F_SSTHRESH] = i->ssthresh,
        [HO_TRUTH_F_CWND] = i->cwnd,
        [HO_TRUTH_F_TOTAL] = i->total_retrans,
    };
    memcpy(s->f, values, sizeof(values));
}

/* Whether the timer of both goes off at the same time, to the millisecond. */
static bool same_expiry(const struct ho_truth_state *a, const struct ho_truth_state *b)
{
    if (a->f[HO_TRUTH_F_TIMER] <= 0 || b->f[HO_TRUTH_F_TIMER] <= 0) {
        return true; /* none runs, or it is not known */
    }
    int64_t far =
        a->t_us + a->f[HO_TRUTH_F_EXPIRES] * 1000 - b->t_us - b->f[HO_TRUTH_F_EXPIRES] * 1000;
    return far >= -1000 && far <= 1000;
}

/* Two states that differ in nothing but the time their timer has left. */
static bool same_state(const struct ho_truth_state *a, const struct ho_truth_state *b)
{
    for (size_t i = 0; i < HO_TRUTH_FIELDS; i++) {
        if (i != HO_TRUTH_F_EXPIRES && a->f[i] != b->f[i]) {
            return false;
        }
    }
    return strcmp(a->state, b->state) == 0 && same_expiry(a, b);
}

/* Adds what the host has come to, unless it is what the list already says. */
static void add_if_new(struct ho_truth_states *list, const struct ho_truth_state *now)
{
    for (size_t i = list->n; i-- > 0;) {
        if (list->s[i].host == now->host) {
            if (same_state(&list->s[i], now)) {
                return;
            }
            if (list->s[i].t_us == now->t_us) {
                list->s[i] = *now;
                return;
            }
            break;
        }
    }
    *ho_truth_state_add(list, now->t_us, now->host) = *now;
}

/* The connection of port 40000, as the measurement looked for it. */
static void sample_sock(struct ho_truth_world *w, int host)
{
    struct ho_truth_state now = { .t_us = ho_truth_us(w, w->now), .host = host };
    for (size_t i = 0; i < HO_TRUTH_FIELDS; i++) {
        now.f[i] = INT64_MIN;
    }
    (void)snprintf(now.state, sizeof(now.state), "gone");
    uint64_t cursor = 0;
    struct ho_sock_info info;
    while (ho_host_is_up(w->hosts[host]) &&
           ho_host_sock_next(w->hosts[host], &cursor, w->now, &info)) {
        if ((host == 0 ? info.lport : info.rport) == 40000 && info.tcp.state != HO_TCP_CLOSE &&
            info.tcp.state != HO_TCP_LISTEN) {
            (void)snprintf(now.state, sizeof(now.state), "%s", state_text(info.tcp.state));
            fill_fields(&now, &info.tcp);
        }
    }
    add_if_new(w->socks, &now);
}

static void sample_neigh(struct ho_truth_world *w, int host)
{
    struct ho_truth_state now = { .t_us = ho_truth_us(w, w->now), .host = host };
    (void)snprintf(now.state, sizeof(now.state), "-");
    for (size_t i = 0; i < HO_TRUTH_FIELDS; i++) {
        now.f[i] = INT64_MIN;
    }
    uint64_t cursor = 0;
    struct ho_neigh_info info;
    struct ho_addr peer = addr_of(!host);
    while (ho_host_is_up(w->hosts[host]) && ho_host_neigh_next(w->hosts[host], &cursor, &info)) {
        if (ho_addr_eq(&info.addr, &peer)) {
            (void)snprintf(now.state, sizeof(now.state), "%s", ho_nud_name(info.state));
        }
    }
    add_if_new(w->neighs, &now);
}

/* --- time ------------------------------------------------------------------------------------- */

/* Takes from a host what it has to give, until it has nothing more. */
static void pull(struct ho_truth_world *w, int host)
{
    struct ho_host *h = w->hosts[host];
    bool more = true;
    while (more) {
        more = false;
        int nic;
        struct ho_buf *buf;
        while ((buf = ho_host_output(h, &nic, w->now)) != NULL) {
            send_frame(w, host, buf);
            more = true;
        }
        while ((buf = ho_host_lo_packet(h)) != NULL) {
            ho_truth_lo_rec(w, host, buf);
            ho_buf_put(&w->bufs, buf);
        }
        struct ho_op *op;
        while ((op = ho_host_completed(h)) != NULL) {
            ho_truth_proc_returned(w, host, op);
            more = true;
        }
    }
}

static void drain(struct ho_truth_world *w, int host)
{
    pull(w, host);
    ho_truth_procs_read(w, host);
    pull(w, host);
    sample_sock(w, host);
    sample_neigh(w, host);
    struct ho_truth_why why = ho_truth_cause_end(w, host);
    ho_truth_procs_wake(w, host, &why);
    w->touched[host] = false;
}

static struct ho_time next_time(const struct ho_truth_world *w)
{
    int64_t input = next_input(w), proc = ho_truth_procs_next(w);
    int64_t first = input < proc ? input : proc;
    struct ho_time t = first == INT64_MAX ? HO_NEVER : ho_truth_time(w, first);
    for (int host = 0; host < HO_TRUTH_HOSTS; host++) {
        t = ho_time_min(t, ho_host_deadline(w->hosts[host]));
        if (w->ways[host].first != NULL) {
            t = ho_time_min(t, w->ways[host].first->at);
        }
    }
    return t;
}

static void step(struct ho_truth_world *w)
{
    for (int host = 0; host < HO_TRUTH_HOSTS; host++) {
        ho_truth_cause_begin(w, host);
        if (ho_time_reached(ho_host_deadline(w->hosts[host]), w->now)) {
            ho_truth_cause_tick(w, host);
            ho_host_tick(w->hosts[host], w->now);
            w->touched[host] = true;
        }
    }
    deliver(w);
    int64_t now_us = ho_truth_us(w, w->now);
    while (next_input(w) <= now_us) {
        do_input(w);
    }
    ho_truth_procs_run(w);
    for (int host = 0; host < HO_TRUTH_HOSTS; host++) {
        if (w->touched[host]) {
            drain(w, host);
        }
    }
}

static void run(struct ho_truth_world *w)
{
    struct ho_time end = ho_truth_time(w, w->s->end_us + HO_TRUTH_AFTER_US), t;
    unsigned stuck = 0;
    for (t = next_time(w); ho_time_before(t, end); t = next_time(w)) {
        assert(!ho_time_before(t, w->now) || t.ns >= 0);
        stuck = ho_time_before(w->now, t) ? 0 : stuck + 1;
        assert(stuck < 100000 && "time stands still");
        if (ho_time_before(w->now, t)) {
            w->now = t;
        }
        step(w);
    }
}

int ho_truth_play(const struct ho_truth_script *s, const struct ho_truth_options *o,
                  struct ho_truth_recs *ret, struct ho_truth_states *ret_socks,
                  struct ho_truth_states *ret_neighs)
{
    struct ho_truth_world *w = calloc(1, sizeof(*w));
    if (w == NULL) {
        return -ENOMEM;
    }
    *w = (struct ho_truth_world){
        .s = s, .o = o, .recs = ret, .socks = ret_socks, .neighs = ret_neighs
    };
    ho_bufpool_init(&w->bufs, 1 << 16);
    int err = build_host(w, 0);
    err = err == 0 ? build_host(w, 1) : err;
    if (err == 0) {
        lo_down(w);
        ho_truth_delays(w);
        ho_truth_procs_init(w);
        skip_to_input(w);
        ho_truth_cause_begin(w, 0);
        ho_truth_cause_begin(w, 1);
        drain(w, 0);
        drain(w, 1);
        run(w);
    }
    ho_truth_procs_free(w);
    ho_truth_cause_free(w);
    for (int host = 0; host < HO_TRUTH_HOSTS; host++) {
        lose_all(w, &w->ways[host]);
        free(w->delays[host]);
        ho_host_free(w->hosts[host]);
    }
    ho_bufpool_destroy(&w->bufs);
    free(w);
    return err;
}
