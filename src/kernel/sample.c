/* What sock_diag and netlink say of a host, as records.
 *
 * A socket that has ended while its process still holds the descriptor is not in sock_diag's tables
 * any more; the model says CLOSED of it, and so does this file: a socket that was there, is not
 * found, and has a descriptor that nobody has closed. Whether it has is asked of its agent, who may
 * be a moment behind. sk_err and sk_err_soft are not told by sock_diag and stay empty.
 */

#include <errno.h>
#include <stdlib.h>

#include "kernel/world.h"

#define ROOM 64

/* ---- asking ------------------------------------------------------------------------------------
 */

/* Room for at least `n` of them; false without memory. */
static bool make_room(void **array, size_t *room, size_t n, size_t size)
{
    if (*room < n) {
        void *more = realloc(*array, n * size);

        if (more == NULL) {
            return false;
        }
        *array = more;
        *room = n;
    }
    return true;
}

/* How many sockets are in k->socks; a negative errno. */
static int ask_socks(struct ho_kernel *k, struct ho_kernel_host *h)
{
    void *array = k->socks;
    size_t want = ROOM;
    int n;

    do {
        if (!make_room(&array, &k->sock_room, want, sizeof(*k->socks))) {
            return -ENOMEM;
        }
        k->socks = array;
        n = ho_os_diag_connections(h->diag, k->socks, k->sock_room);
        want = n > 0 ? (size_t)n + ROOM : 0;
    } while (n > 0 && (size_t)n > k->sock_room);
    return n;
}

static int ask_neighs(struct ho_kernel *k, struct ho_kernel_host *h)
{
    void *array = k->neighs;
    size_t want = ROOM;
    int n;

    do {
        if (!make_room(&array, &k->neigh_room, want, sizeof(*k->neighs))) {
            return -ENOMEM;
        }
        k->neighs = array;
        n = ho_os_net_neighs(h->net, k->neighs, k->neigh_room);
        want = n > 0 ? (size_t)n + ROOM : 0;
    } while (n > 0 && (size_t)n > k->neigh_room);
    return n;
}

/* ---- sockets -----------------------------------------------------------------------------------
 */

static const char *owner(struct ho_kernel *k, const struct ho_kernel_host *h, uint32_t inode)
{
    uint16_t proc = HO_PLAN_NONE;

    if (h->commands && k->services != NULL && inode != 0) {
        proc = ho_services_owner(k->services, h->node, inode);
    }
    return proc != HO_PLAN_NONE ? k->trace.proc[proc] : NULL;
}

static struct ho_play_sock play_sock(struct ho_kernel *k, const struct ho_kernel_host *h,
                                     const struct ho_os_sock *s)
{
    const struct ho_os_tcp_info *i = &s->info;

    return (struct ho_play_sock){
        .local = s->local,
        .remote = s->remote,
        .lport = s->lport,
        .rport = s->rport,
        .fd = -1,
        .owned = s->inode != 0,
        .process = owner(k, h, s->inode),
        .state = (enum ho_tcp_state)s->state,
        .timer = (enum ho_sock_timer)s->timer,
        .expires_us = (int64_t)s->expires_ms * 1000,
        .retransmits = s->has_info                    ? i->retransmits
                       : s->timer == HO_SOCK_TIMER_ON ? s->retrans
                                                      : (uint8_t)0,
        .probes = i->probes,
        .backoff = i->backoff,
        .rto_us = i->rto_us,
        .srtt_us = i->rtt_us,
        .rttvar_us = i->rttvar_us,
        .cwnd = i->snd_cwnd,
        .ssthresh = i->snd_ssthresh,
        .unacked = i->unacked,
        .lost = i->lost,
        .rq = s->rqueue,
        .wq = s->wqueue,
    };
}

#define FIRST_FREE_PORT 32768

/* A command says nothing of its sockets: a connection is called as the process that connects is, or
 * as its host if that is the first process. The accepting end has the port that was listened on,
 * the other one of the system's choice (net.ipv4.ip_local_port_range).
 */
static void claim(struct ho_kernel *k, const struct ho_kernel_host *h, const struct ho_play_sock *s)
{
    const struct ho_play_tuple t = {
        .local = s->local, .remote = s->remote, .lport = s->lport, .rport = s->rport
    };
    const char *name = strcmp(s->process, "app") == 0 ? h->plan->name : s->process;
    bool accepted = s->lport < FIRST_FREE_PORT && s->rport >= FIRST_FREE_PORT;

    ho_play_conn_claim(&k->trace, h->node, &t, s->process, accepted ? NULL : name);
}

static struct ho_kernel_proc *proc_of(struct ho_kernel *k, const struct ho_play_end *e)
{
    for (size_t i = 0; i < k->plan->proc_count; i++) {
        struct ho_kernel_proc *p = &k->proc[i];

        if (p->play.node == e->node && p->play.name == e->process) {
            return p;
        }
    }
    return NULL;
}

/* The end was there and sock_diag does not know it any more: is its descriptor still open? */
static bool still_open(struct ho_kernel *k, const struct ho_play_end *e)
{
    struct ho_time now = k->trace.now;
    struct ho_kernel_proc *p = e->claimed && e->fd >= 0 ? proc_of(k, e) : NULL;

    /* A connect() that failed leaves a socket that is no end of anything any more. */
    if (p == NULL || p->agent == NULL || e->state == HO_TCP_SYN_SENT) {
        return false;
    }
    if (e->state != HO_TCP_CLOSE && ho_agent_sync(p->agent) == 0) {
        ho_kernel_hear(k, p);
        k->trace.now = now;
    }
    return e->fd >= 0;
}

static void put_closed(struct ho_kernel *k, const struct ho_kernel_host *h,
                       const struct ho_play_end *e)
{
    const struct ho_play_conn *c = e->conn;
    unsigned i = e == &c->end[0] ? 0 : 1;
    struct ho_play_sock s = {
        .local = c->pair->addr[i],
        .remote = c->pair->addr[1 - i],
        .lport = c->pair->port[i],
        .rport = c->pair->port[1 - i],
        .fd = e->fd,
        .owned = true,
        .state = HO_TCP_CLOSE,
        .rto_us = (uint32_t)(e->last.rto.ns / 1000),
        .srtt_us = (uint32_t)(e->last.srtt.ns / 1000),
        .rttvar_us = (uint32_t)(e->last.rttvar.ns / 1000),
        .cwnd = e->last.cwnd,
        .ssthresh = e->last.ssthresh,
        .rq = e->last.rq,
    };

    ho_trace_sock(&k->trace, h->node, &s);
}

static void look_for_closed(struct ho_kernel *k, const struct ho_kernel_host *h)
{
    struct ho_list *ends = &k->trace.node[h->node].ends;

    for (struct ho_list *l = ends->next; l != ends;) {
        const struct ho_play_end *e = ho_container(l, struct ho_play_end, on_host);

        l = l->next;
        if (e->mark != k->trace.mark && still_open(k, e)) {
            put_closed(k, h, e);
        }
    }
}

/* A process that closes as soon as it reads the end of the stream can be faster than a look. From
 * ESTABLISHED there is but one way to LAST-ACK (RFC 9293 3.3.2), so the state between is told.
 */
static void tell_close_wait(struct ho_kernel *k, const struct ho_kernel_host *h,
                            const struct ho_play_sock *s)
{
    struct ho_play_tuple t = {
        .local = s->local, .remote = s->remote, .lport = s->lport, .rport = s->rport
    };
    unsigned i;
    const struct ho_play_pair *p = ho_play_pair_find(&k->trace, &t, &i);
    struct ho_play_end *e = p != NULL && p->now[i] != NULL ? &p->now[i]->end[i] : NULL;

    if (e != NULL && e->seen && e->state == HO_TCP_ESTABLISHED && e->node == h->node) {
        struct ho_play_sock between = *s;

        between.state = HO_TCP_CLOSE_WAIT;
        between.owned = true;
        ho_trace_sock(&k->trace, h->node, &between);
        e->mark = 0; /* and it is found again */
    }
}

static void look_at_socks(struct ho_kernel *k, struct ho_kernel_host *h)
{
    struct ho_time now = ho_kernel_relay_now(k); /* also before time 0, when records have none */
    int n = ask_socks(k, h);
    size_t timers = 0;

    k->sock_count = 0;
    if (n < 0) {
        ho_kernel_fail(k, n, h->plan->name, "sock_diag does not answer");
        return;
    }
    for (int i = 0; i < n; i++) {
        struct ho_play_sock s = play_sock(k, h, &k->socks[i]);

        if (s.state == HO_TCP_LAST_ACK) {
            tell_close_wait(k, h, &s);
        }
        if (s.state != HO_TCP_LISTEN && s.rport != 0) {
            ho_trace_sock(&k->trace, h->node, &s);
            if (s.process != NULL) {
                claim(k, h, &s);
            }
            ho_kernel_expiry(k, h, &timers, &k->socks[i], now);
        }
    }
    k->sock_count = (size_t)n;
    ho_kernel_expiry_end(h, timers);
    look_for_closed(k, h);
}

/* ---- neighbours --------------------------------------------------------------------------------
 */

static const char *nud_name(unsigned state)
{
    static const struct {
        unsigned state;
        const char *name;
    } names[] = {
        { HO_OS_NUD_INCOMPLETE, "INCOMPLETE" }, { HO_OS_NUD_REACHABLE, "REACHABLE" },
        { HO_OS_NUD_STALE, "STALE" },           { HO_OS_NUD_DELAY, "DELAY" },
        { HO_OS_NUD_PROBE, "PROBE" },           { HO_OS_NUD_FAILED, "FAILED" },
        { HO_OS_NUD_NOARP, "NOARP" },           { HO_OS_NUD_PERMANENT, "PERMANENT" },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (state == names[i].state) {
            return names[i].name;
        }
    }
    return "NONE";
}

static void look_at_neighs(struct ho_kernel *k, struct ho_kernel_host *h)
{
    int n = ask_neighs(k, h);

    if (n < 0) {
        ho_kernel_fail(k, n, h->plan->name, "the neighbours cannot be asked for");
        return;
    }
    for (int i = 0; i < n; i++) {
        const struct ho_os_neigh *x = &k->neighs[i];

        if (!x->gone && x->state != HO_OS_NUD_NOARP) {
            ho_trace_neigh(&k->trace, h->node, &x->addr, nud_name(x->state));
        }
    }
}

/* ---- one look ----------------------------------------------------------------------------------
 */

void ho_kernel_sample(struct ho_kernel *k, struct ho_kernel_host *h)
{
    h->dirty = false;
    if (h->plan == NULL || !h->up || k->trace.err != 0 || !ho_trace_records(&k->trace)) {
        return;
    }
    k->trace.now = k->started ? ho_kernel_relay_now(k) : (struct ho_time){ k->zero.ns };
    ho_trace_round_begin(&k->trace);
    look_at_socks(k, h);
    look_at_neighs(k, h);
    ho_trace_round_end(&k->trace, h->node);
}

void ho_kernel_sample_none(struct ho_kernel *k, const struct ho_kernel_host *h)
{
    k->trace.now = ho_kernel_relay_now(k);
    ho_trace_round_begin(&k->trace);
    ho_trace_round_end(&k->trace, h->node);
}
