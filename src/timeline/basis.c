/* Finding the beginning of the chain of timers that a verdict is about. See timeline/basis.h.
 *
 * One walk over the sendings and arrivals of one side up to its death. The rules for what is a
 * repeat or a probe are the marks' (timeline/mark.h).
 */

#include "timeline/basis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "knobs/profile.h"
#include "timeline/mark.h"
#include "timeline/view.h"

struct look {
    const struct ho_timeline *tl;
    const struct ho_verdict *one;
    const struct ho_mark *mark;
    struct ho_time died;
    size_t end; /* records up to the death */

    bool established;
    struct ho_time established_at, syn, fin_wait2;
    bool sent_syn, entered_fin_wait2;

    bool heard;
    struct ho_time heard_at; /* the last segment that arrived and answers no probe, if `heard` */
    struct ho_time probe_at; /* the last probe, while it is the last thing sent */
    bool probed;
    struct ho_dur rtt; /* between a probe and its answer */

    struct ho_time begun; /* data: the last sending or ACK before the first repeat */
    bool in_flight, repeated;
    uint32_t nxt, una;
    unsigned segments;

    bool window_zero;
    struct ho_time window_at;
};

static bool is_mine(const struct look *l, const struct ho_record *r)
{
    return strcmp(r->host, l->one->host) == 0 && strcmp(r->conn, l->one->conn) == 0;
}

static bool is_for_me(const struct look *l, const struct ho_record *r)
{
    return r->kind == HO_REC_SEG && strcmp(r->u.seg.to, l->one->host) == 0 &&
           strcmp(r->conn, l->one->conn) == 0;
}

static bool after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

static bool is_repeat(enum ho_mark_kind kind)
{
    return kind == HO_MARK_TLP || kind == HO_MARK_REXMT || kind == HO_MARK_RECOVERY;
}

static void on_sent(struct look *l, size_t at)
{
    const struct ho_record *r = &l->tl->rec[at];
    const struct ho_rec_seg *s = &r->u.seg;
    uint32_t end = s->seq + ho_view_seg_space(s);

    if ((s->flags & HO_TCP_SYN) != 0 && !l->sent_syn) {
        l->sent_syn = true;
        l->syn = r->t;
        l->nxt = end;
        l->una = s->seq;
    }
    l->probed = l->mark[at].kind == HO_MARK_KEEPALIVE || l->mark[at].kind == HO_MARK_WINDOW;
    if (l->probed) {
        l->probe_at = r->t;
    }
    if (is_repeat(l->mark[at].kind)) {
        l->repeated = true;
    } else if (end != s->seq && (s->flags & (HO_TCP_SYN | HO_TCP_RST)) == 0 && after(end, l->nxt)) {
        l->segments = l->nxt == l->una ? 1 : l->segments + 1;
        l->nxt = end;
        if (!l->repeated) {
            l->begun = r->t;
            l->in_flight = true;
        }
    }
}

static void on_arrived(struct look *l, const struct ho_record *r, struct ho_time t)
{
    const struct ho_rec_seg *s = &r->u.seg;
    bool answer = l->probed && s->len == 0 && ho_view_seg_space(s) == 0;

    if (answer) {
        l->rtt = ho_time_since(t, l->probe_at);
        l->probed = false;
    } else {
        l->heard = r->t.ns > 0; /* 0: before the start, when a real program became ready */
        l->heard_at = t;
        l->rtt = ho_ns(0);
    }
    if ((s->flags & HO_TCP_ACK) == 0) {
        return;
    }
    if (after(s->ack, l->una) && !after(s->ack, l->nxt)) {
        l->una = s->ack;
        l->repeated = false; /* it was acknowledged: timers begin again */
        l->begun = t;
        l->in_flight = l->una != l->nxt;
    }
    if (s->window == 0 && !l->window_zero) {
        l->window_at = t;
    }
    l->window_zero = s->window == 0;
    if (l->window_zero && l->una != l->nxt) {
        l->window_zero = false; /* the probe timer waits until all is acknowledged */
    }
}

static void on_sock(struct look *l, const struct ho_record *r)
{
    int state = ho_tcp_state_find(r->u.sock.state);

    if (state == HO_TCP_ESTABLISHED && !l->established) {
        l->established = true;
        l->established_at = r->t;
    }
    if (state == HO_TCP_FIN_WAIT2 && !l->entered_fin_wait2) {
        l->entered_fin_wait2 = true;
        l->fin_wait2 = r->t;
    }
}

struct event {
    int64_t ns;
    size_t index;
    bool arrival;
};

static int event_order(const void *pa, const void *pb)
{
    const struct event *a = pa, *b = pb;

    if (a->ns != b->ns) {
        return a->ns < b->ns ? -1 : 1;
    }
    if (a->index != b->index) {
        return a->index < b->index ? -1 : 1;
    }
    return (int)a->arrival - (int)b->arrival;
}

/* Sendings and arrivals in the order of time, up to the death. */
static int walk(struct look *l)
{
    struct event *e = calloc(2 * l->tl->n + 1, sizeof(*e));
    size_t n = 0;

    if (e == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < l->end; i++) {
        const struct ho_record *r = &l->tl->rec[i];

        if (is_mine(l, r) && (r->kind == HO_REC_SEG || r->kind == HO_REC_SOCK)) {
            e[n++] = (struct event){ r->t.ns, i, false };
        } else if (is_for_me(l, r) && ho_view_arrival(r).ns <= l->died.ns) {
            e[n++] = (struct event){ ho_view_arrival(r).ns, i, true };
        }
    }
    qsort(e, n, sizeof(*e), event_order);
    for (size_t k = 0; k < n; k++) {
        const struct ho_record *r = &l->tl->rec[e[k].index];

        if (e[k].arrival) {
            on_arrived(l, r, (struct ho_time){ e[k].ns });
        } else if (r->kind == HO_REC_SEG) {
            on_sent(l, e[k].index);
        } else {
            on_sock(l, r);
        }
    }
    free(e);
    return 0;
}

static int64_t sysctl(const struct look *l, const char *name, int64_t fallback)
{
    const struct ho_rec_settings *s =
        ho_view_setting(l->tl, l->end, "sysctl", l->one->host, NULL, name);

    return s == NULL ? fallback : s->value;
}

/* tcp_syn_linear_timeouts, which a kernel may not have: then no timeout of a SYN is linear. */
static int64_t syn_linear(const struct look *l)
{
    const struct ho_rec_settings *s =
        ho_view_setting(l->tl, l->end, "host", l->one->host, NULL, "profile");
    int profile = s == NULL ? -1 : ho_profile_find(s->text);
    struct ho_sysctls of_profile;

    ho_profile_sysctls(profile < 0 ? HO_PROFILE_6_18 : (enum ho_profile_id)profile, &of_profile);
    return sysctl(l, "net.ipv4.tcp_syn_linear_timeouts",
                  of_profile.v[HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS]);
}

/* A socket's option, else the fallback. */
static int64_t option(const struct look *l, const char *name, int64_t fallback)
{
    const struct ho_rec_settings *s =
        ho_view_setting(l->tl, l->end, "sockopt", l->one->host, l->one->conn, name);

    return s == NULL ? fallback : s->value;
}

static int64_t host_setting(const struct look *l, const char *name)
{
    const struct ho_rec_settings *s =
        ho_view_setting(l->tl, l->end, "host", l->one->host, NULL, name);

    return s == NULL ? 0 : s->value;
}

static uint32_t count_of(int64_t v)
{
    return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static struct ho_dur at_least_0(int64_t v, int64_t unit_ns)
{
    return ho_ns(v < 0 || v > INT64_MAX / unit_ns ? 0 : v * unit_ns);
}

#define MS INT64_C(1000000)

static void take_settings(const struct look *l, struct ho_basis *b)
{
    b->hz = count_of(host_setting(l, "hz"));
    b->rto_max = at_least_0(sysctl(l, "net.ipv4.tcp_rto_max_ms", 120000), MS);
    b->rto_max = at_least_0(option(l, "TCP_RTO_MAX_MS", b->rto_max.ns / MS), MS);
    b->user_timeout = at_least_0(option(l, "TCP_USER_TIMEOUT", 0), MS);
    b->ratelimit = at_least_0(sysctl(l, "net.ipv4.tcp_invalid_ratelimit", 500), MS);
    b->idle = at_least_0(option(l, "TCP_KEEPIDLE", sysctl(l, "net.ipv4.tcp_keepalive_time", 7200)),
                         HO_NS_PER_S);
    b->intvl = at_least_0(option(l, "TCP_KEEPINTVL", sysctl(l, "net.ipv4.tcp_keepalive_intvl", 75)),
                          HO_NS_PER_S);
    b->cnt = count_of(option(l, "TCP_KEEPCNT", sysctl(l, "net.ipv4.tcp_keepalive_probes", 9)));
    b->tlp = sysctl(l, "net.ipv4.tcp_early_retrans", 3) >= 3;
    b->retries2 = count_of(sysctl(l, "net.ipv4.tcp_retries2", 15));
    b->orphan_retries = count_of(sysctl(l, "net.ipv4.tcp_orphan_retries", 0));
    b->linear = count_of(syn_linear(l));
    b->fin_timeout = at_least_0(sysctl(l, "net.ipv4.tcp_fin_timeout", 60), HO_NS_PER_S);
    if (option(l, "TCP_LINGER2", 0) > 0) {
        b->fin_timeout = at_least_0(option(l, "TCP_LINGER2", 0), HO_NS_PER_S);
    }
}

/* What sock_diag said last at or before `t`, or first after it if it said nothing before. */
static void take_estimate(const struct look *l, struct ho_time t, struct ho_basis *b)
{
    bool any = false;

    for (size_t i = 0; i < l->end; i++) {
        const struct ho_record *r = &l->tl->rec[i];

        if (r->kind == HO_REC_SOCK && is_mine(l, r) && r->u.sock.rto.ns > 0 &&
            (!any || r->t.ns <= t.ns)) {
            b->rto = r->u.sock.rto;
            b->srtt = r->u.sock.srtt;
            any = true;
        }
    }
}

/* Its own ICMP changes the timers of data in flight (ground-truth A5). */
static bool is_unreachable_neighbour(const struct look *l, struct ho_time since)
{
    for (size_t i = 0; i < l->end; i++) {
        const struct ho_record *r = &l->tl->rec[i];

        if (r->kind == HO_REC_ICMP && r->t.ns >= since.ns &&
            strcmp(r->u.icmp.to, l->one->host) == 0 && strcmp(r->host, l->one->host) == 0) {
            return true;
        }
    }
    return false;
}

/* When keepalive's timer was first armed: SO_KEEPALIVE set, but not before the connection was. */
static struct ho_time keepalive_armed(const struct look *l)
{
    struct ho_time t = l->established_at;

    for (size_t i = 0; i < l->end; i++) {
        const struct ho_record *r = &l->tl->rec[i];

        if (r->kind == HO_REC_SETTINGS && is_mine(l, r) && r->t.ns > t.ns &&
            strcmp(r->u.settings.name, "SO_KEEPALIVE") == 0 && r->u.settings.value != 0) {
            return r->t;
        }
    }
    return t;
}

static int keepalive_origin(const struct look *l, struct ho_basis *b)
{
    b->chain = HO_BASIS_KEEPALIVE;
    b->origin = l->heard_at;
    b->armed_ns = keepalive_armed(l).ns - l->heard_at.ns;
    b->rtt = l->rtt;
    return l->heard && l->established && b->armed_ns >= -b->idle.ns ? 0 : -ENOTSUP;
}

/* Without a route nothing leaves (ground-truth A4): since which fault, after the data was sent? */
static int find_lost_route(const struct look *l, struct ho_basis *b)
{
    const char *err = l->one->has_kernel ? l->one->kernel_err : l->one->app_err;

    if (strcmp(err, "ENETUNREACH") != 0) {
        return 0;
    }
    for (size_t i = 0; i < l->end; i++) {
        const struct ho_record *r = &l->tl->rec[i];
        const struct ho_rec_fault *f = &r->u.fault;

        if (r->kind == HO_REC_FAULT && r->t.ns > b->origin.ns &&
            (strcmp(f->what, l->one->host) == 0 || strcmp(r->host, l->one->host) == 0) &&
            (strcmp(f->verb, "interface") == 0 || strcmp(f->verb, "address") == 0 ||
             strcmp(f->verb, "route") == 0)) {
            b->no_route_ns = r->t.ns - b->origin.ns;
            return 0;
        }
    }
    return -ENOTSUP;
}

static int data_origin(const struct look *l, struct ho_basis *b)
{
    b->chain = HO_BASIS_DATA;
    b->origin = l->begun;
    b->one_segment = l->segments == 1;
    b->neighbour = is_unreachable_neighbour(l, l->begun);
    return l->in_flight ? find_lost_route(l, b) : -ENOTSUP;
}

static int probes_origin(const struct look *l, struct ho_basis *b)
{
    b->chain = HO_BASIS_PROBES;
    b->origin = l->window_at;
    b->rtt = l->rtt;
    return l->window_zero ? 0 : -ENOTSUP;
}

static int syn_origin(const struct look *l, struct ho_basis *b, bool synack)
{
    b->chain = synack ? HO_BASIS_SYNACK : HO_BASIS_SYN;
    b->origin = l->syn;
    b->retries = synack
                     ? count_of(sysctl(l, "net.ipv4.tcp_synack_retries", 5))
                     : count_of(option(l, "TCP_SYNCNT", sysctl(l, "net.ipv4.tcp_syn_retries", 6)));
    return l->sent_syn ? 0 : -ENOTSUP;
}

/* Which chain a user timeout or an orphan's end belongs to. */
static int origin_by_state(const struct look *l, struct ho_basis *b)
{
    if (!l->established) {
        return syn_origin(l, b, false);
    }
    if (l->in_flight) {
        return data_origin(l, b);
    }
    if (l->window_zero) {
        return probes_origin(l, b);
    }
    return l->one->cause == HO_CAUSE_USER_TIMEOUT ? keepalive_origin(l, b) : -ENOTSUP;
}

static int find_origin(const struct look *l, struct ho_basis *b)
{
    switch (l->one->cause) {
    case HO_CAUSE_KEEPALIVE:
        return keepalive_origin(l, b);
    case HO_CAUSE_RETRIES2:
        return data_origin(l, b);
    case HO_CAUSE_PROBES:
        return probes_origin(l, b);
    case HO_CAUSE_SYN:
        return syn_origin(l, b, false);
    case HO_CAUSE_SYNACK:
        return syn_origin(l, b, true);
    case HO_CAUSE_ORPHAN:
        b->orphan = true;
        return origin_by_state(l, b);
    case HO_CAUSE_USER_TIMEOUT:
        return origin_by_state(l, b);
    case HO_CAUSE_FIN_TIMEOUT:
        b->chain = HO_BASIS_FIN_WAIT2;
        b->origin = l->fin_wait2;
        return l->entered_fin_wait2 ? 0 : -ENOTSUP;
    default:
        return -ENOTSUP;
    }
}

/* How far the origin lies behind the start of its jiffy, on the host's clock. */
static struct ho_dur into_jiffy(const struct look *l, const struct ho_basis *b)
{
    int64_t ns = b->origin.ns % HO_NS_PER_S + host_setting(l, "phase_ns");

    if (b->hz == 0) {
        return ho_ns(0);
    }
    int64_t jiffies = ns * b->hz / HO_NS_PER_S; /* of this second */
    return ho_ns(ns - jiffies * HO_NS_PER_S / b->hz);
}

static size_t records_until(const struct ho_timeline *tl, struct ho_time t)
{
    size_t n = tl->n;

    while (n > 0 && tl->rec[n - 1].t.ns > t.ns) {
        n--;
    }
    return n;
}

int ho_verdict_basis(const struct ho_timeline *tl, const struct ho_verdicts *v,
                     const struct ho_verdict *one, struct ho_basis *ret)
{
    struct look l = { .tl = tl, .one = one };
    struct ho_basis b = { 0 };
    struct ho_mark *mark = NULL;

    if (!one->has_kernel && !one->has_app) {
        return -ENOTSUP;
    }
    l.died = one->has_kernel ? one->kernel_at : one->app_at;
    if (ho_time_before(l.died, v->since)) {
        return -ENOTSUP; /* it did not wait for this fault */
    }
    l.end = records_until(tl, l.died);
    int err = ho_marks_make(tl, &mark);
    l.mark = mark;
    err = err == 0 ? walk(&l) : err;
    if (err == 0) {
        take_settings(&l, &b);
        err = find_origin(&l, &b);
    }
    if (err == 0) {
        take_estimate(&l, b.origin, &b);
        b.into_jiffy = into_jiffy(&l, &b);
        b.cut_ns = v->since.ns - b.origin.ns;
        *ret = b;
    }
    free(mark);
    return err;
}
