/* The three questions about a connection: idle, busy, trouble. See forecast/outlook.h.
 *
 * This file knows the states and which chain of timers each is in; forecast/silence.c follows the
 * chain. What sock_diag does not say (when the first repeat was sent) is bounded by what it says:
 * the timeout was doubled from a base that is known as long as it is below tcp_rto_max_ms, and the
 * kernel counts the time that it spends repeating (tcpi_total_rto_time, Linux 6.7).
 */

#include "forecast/outlook.h"

#include <errno.h>

#include "forecast/silence.h"

#define MS INT64_C(1000000)
#define HZ_MAX 1000
#define RETRIES_MAX 255
#define KEEP_S_MAX 32767 /* TCP_KEEPIDLE, TCP_KEEPINTVL */
#define KEEP_CNT_MAX 127
#define TIMEWAIT_LEN (ho_s(60)) /* TCP_TIMEWAIT_LEN */
#define RTO_MIN (ho_ms(200))
#define WRAPS_AT 240 /* repeats, with some room */

struct ask {
    const struct ho_conn *c;
    const struct ho_conn_host *h;
    struct silence_rules rules;
    bool options; /* the socket's own are known, or cannot matter */
};

static int64_t sysctl(const struct ask *q, enum ho_sysctl id)
{
    return q->h->sysctls.v[id];
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool between(int64_t v, int64_t min, int64_t max)
{
    return v >= min && v <= max;
}

/* ---- settings -------------------------------------------------------------------------------- */

static bool options_make_sense(const struct ho_conn *c)
{
    return between(c->keepidle_s, 1, KEEP_S_MAX) && between(c->keepintvl_s, 1, KEEP_S_MAX) &&
           between(c->keepcnt, 1, KEEP_CNT_MAX) && between(c->user_timeout_ms, 0, INT32_MAX);
}

/* Nobody can read an orphan's options: its answers are those of one without TCP_USER_TIMEOUT. */
static bool prepare(struct ask *q, const struct ho_conn *c, const struct ho_conn_host *h)
{
    *q = (struct ask){ .c = c, .h = h };
    int64_t rto_max = sysctl(q, HO_SYSCTL_TCP_RTO_MAX_MS);

    if (h->hz > HZ_MAX || !between(rto_max, 1000, 120000) ||
        !between(sysctl(q, HO_SYSCTL_TCP_RETRIES2), 0, RETRIES_MAX) ||
        !between(sysctl(q, HO_SYSCTL_TCP_ORPHAN_RETRIES), 0, RETRIES_MAX)) {
        return false;
    }
    q->rules = (struct silence_rules){
        .hz = h->hz,
        .rto_max = ho_ms(rto_max),
        .orphan = c->orphan,
        .retries2 = (uint32_t)sysctl(q, HO_SYSCTL_TCP_RETRIES2),
        .orphan_retries = (uint32_t)sysctl(q, HO_SYSCTL_TCP_ORPHAN_RETRIES),
    };
    bool read = c->options_known == HO_KNOWN_READ && options_make_sense(c);

    q->options = read || c->orphan;
    if (read) {
        q->rules.user_timeout = ho_ms(c->user_timeout_ms);
        q->rules.idle = ho_s(c->keepidle_s);
        q->rules.intvl = ho_s(c->keepintvl_s);
        q->rules.cnt = (uint32_t)c->keepcnt;
    }
    return true;
}

static void set_end(struct ho_outlook_answer *a, enum ho_outlook_kind kind, int64_t lo, int64_t hi)
{
    a->kind = kind;
    a->min_ns = most(lo, 0);
    a->max_ns = most(hi, a->min_ns);
}

static enum ho_predict_knob knob_of(const struct ask *q, enum ho_predict_knob otherwise)
{
    return q->rules.user_timeout.ns > 0 ? HO_PREDICT_KNOB_USER_TIMEOUT : otherwise;
}

static enum ho_predict_knob repeat_knob(const struct ask *q)
{
    return knob_of(q, q->c->orphan ? HO_PREDICT_KNOB_ORPHAN : HO_PREDICT_KNOB_RETRIES2);
}

/* ---- idle ------------------------------------------------------------------------------------ */

/* For how long nothing came, from now. */
static int64_t silent_ms(const struct ho_conn *c)
{
    return least(c->last_data_recv_ms, c->last_ack_recv_ms);
}

/* When the timer fires that sends the first probe, or a later one if `*ret_probes` are not answered
 * yet, after the last segment received. It is not moved by traffic: it fires where it was set, and
 * sleeps again for what remains (ground-truth B 13). Where it was set is known if sock_diag shows
 * it; after a probe that was answered that is TCP_KEEPINTVL.
 */
static struct span next_probe(const struct ask *q, uint32_t *ret_probes)
{
    const struct ho_conn *c = q->c;
    int64_t idle = q->rules.idle.ns, jiffy = span_jiffy_ns(q->rules.hz);
    struct ho_dur longest = ho_ns(most(idle, q->rules.intvl.ns));
    struct span p = { idle, longest.ns + span_late_ns(q->rules.hz, longest), 1 };

    *ret_probes = 0;
    if (c->timer != HO_SOCK_TIMER_KEEPALIVE || !c->has_info) {
        return p;
    }
    struct span fires = span_expires(q->rules.hz, c->expires_ms, longest);
    int64_t lo = silent_ms(c) * MS + fires.lo, hi = silent_ms(c) * MS + fires.hi + jiffy + MS;

    *ret_probes = c->retrans;
    if (lo >= idle || c->retrans > 0) {
        return (struct span){ lo - jiffy, hi, 1 };
    }
    int64_t sleeps = idle + span_late_ns(q->rules.hz, ho_ns(idle - lo));

    p.lo = idle - jiffy;
    p.hi = hi < idle ? sleeps : most(hi, sleeps);
    return p;
}

static void ask_idle(const struct ask *q, struct ho_outlook_answer *a)
{
    const struct ho_conn *c = q->c;
    struct silence_end end;

    a->kind = HO_OUTLOOK_UNKNOWN;
    a->knob = HO_PREDICT_KNOB_SO_KEEPALIVE;
    if (c->keepalive_known == HO_KNOWN_UNKNOWN) {
        return;
    }
    if (!c->keepalive) {
        a->kind = HO_OUTLOOK_NEVER;
        return;
    }
    a->knob = HO_PREDICT_KNOB_KEEPALIVE;
    if (!q->options || c->orphan) {
        return;
    }
    uint32_t probes;
    struct span p = next_probe(q, &probes);
    struct silence s = { p, p, true };

    a->knob = knob_of(q, HO_PREDICT_KNOB_KEEPALIVE);
    if (silence_keepalive(&q->rules, s, probes, &end)) {
        set_end(a, HO_OUTLOOK_RANGE, end.lo, end.hi);
        a->err = ETIMEDOUT;
    }
}

/* ---- busy ------------------------------------------------------------------------------------ */

/* The timeout before it was doubled; 0: not known. */
static struct ho_dur base_rto(const struct ho_conn *c)
{
    return ho_us(c->has_info && c->backoff < 32 ? c->rto_us >> c->backoff : 0);
}

/* Before this no ICMP can come of a neighbour that does not answer (ground-truth row 3b). */
static int64_t first_icmp_ns(const struct ask *q)
{
    bool ipv6 = q->c->ipv6;
    int64_t asked =
        sysctl(q, ipv6 ? HO_SYSCTL_NEIGH6_UCAST_SOLICIT : HO_SYSCTL_NEIGH_UCAST_SOLICIT) +
        sysctl(q, ipv6 ? HO_SYSCTL_NEIGH6_MCAST_SOLICIT : HO_SYSCTL_NEIGH_MCAST_SOLICIT);
    int64_t each_ms =
        sysctl(q, ipv6 ? HO_SYSCTL_NEIGH6_RETRANS_TIME_MS : HO_SYSCTL_NEIGH_RETRANS_TIME_MS);

    if (!between(asked, 0, INT32_MAX) || !between(each_ms, 0, INT32_MAX)) {
        return 0;
    }
    return each_ms > INT64_MAX / MS / most(asked, 1) ? INT64_MAX : asked * each_ms * MS;
}

/* One more timeout, which an ICMP sets anew (forecast/predict.c; ground-truth A5). */
static int64_t icmp_slack_ns(const struct ask *q, struct ho_dur base, int64_t limit)
{
    int64_t more = least(q->rules.rto_max.ns, limit + 2 * base.ns);

    return more + span_late_ns(q->rules.hz, ho_ns(most(more, limit)));
}

/* When the first repeat is sent: after a tail loss probe, the timeout in full (A2.2). */
static struct span first_repeat(const struct ask *q, struct ho_dur rto)
{
    struct span t = { 0, 0, 0 };
    int64_t least_ns = 2 * span_jiffy_ns(q->rules.hz);
    int64_t pto = 2 * ho_us(q->c->rtt_us).ns + RTO_MIN.ns;

    if (sysctl(q, HO_SYSCTL_TCP_EARLY_RETRANS) >= 3) {
        t = span_fire(q->rules.hz, t, ho_ns(most(least(pto, rto.ns), least_ns)));
    }
    return span_fire(q->rules.hz, t, rto);
}

static void ask_busy(const struct ask *q, struct ho_outlook_answer *a)
{
    struct ho_dur rto = base_rto(q->c);
    struct silence_end end;

    a->kind = HO_OUTLOOK_UNKNOWN;
    a->knob = repeat_knob(q);
    if (!q->options || rto.ns <= 0 || rto.ns > q->rules.rto_max.ns) {
        return;
    }
    struct span t = first_repeat(q, rto);
    struct silence s = { t, t, false };

    if (!silence_repeats(&q->rules, s, rto, &end)) {
        return;
    }
    set_end(a, HO_OUTLOOK_RANGE, end.lo, end.hi);
    a->err = q->c->orphan ? 0 : ETIMEDOUT;
    if (q->c->on_link && end.hi >= first_icmp_ns(q)) {
        int64_t limit = silence_limit(&q->rules, rto).ns;

        set_end(a, HO_OUTLOOK_WITHIN, least(limit + t.lo, end.lo),
                end.hi + icmp_slack_ns(q, rto, limit));
        a->other_err = q->c->orphan ? 0 : EHOSTUNREACH;
    }
}

static uint32_t syn_retries(const struct ask *q)
{
    return (uint32_t)most(0, least(sysctl(q, HO_SYSCTL_TCP_SYN_RETRIES), RETRIES_MAX));
}

static uint32_t syn_linear(const struct ask *q)
{
    return (uint32_t)most(0, least(sysctl(q, HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS), RETRIES_MAX));
}

/* connect(), from its first SYN. TCP_SYNCNT is not read: the host's tcp_syn_retries counts. */
static void ask_connect(const struct ask *q, struct ho_outlook_answer *a)
{
    struct span t = span_fire(q->rules.hz, (struct span){ 0, 0, 0 }, ho_s(1));
    struct silence s = { t, t, true };
    struct silence_end end;

    a->kind = HO_OUTLOOK_UNKNOWN;
    a->knob = knob_of(q, HO_PREDICT_KNOB_SYN);
    if (q->options && silence_syn(&q->rules, s, 0, syn_retries(q), syn_linear(q), &end)) {
        set_end(a, q->c->on_link ? HO_OUTLOOK_WITHIN : HO_OUTLOOK_RANGE, q->c->on_link ? 0 : end.lo,
                end.hi);
        a->err = ETIMEDOUT;
        a->other_err = q->c->on_link ? EHOSTUNREACH : 0;
    }
}

/* ---- trouble: repeats ------------------------------------------------------------------------ */

/* Whether backing off tells the past: no ICMP took a step back (A5), nothing was linear. */
static bool is_regular(const struct ho_conn *c)
{
    return c->backoff == c->retrans && c->backoff < 32;
}

/* Whether more repeats are possible than the kernel's count of 8 bits can tell. */
static bool may_wrap(const struct ask *q)
{
    return q->rules.user_timeout.ns / WRAPS_AT > q->rules.rto_max.ns;
}

/* The time from the first repeat to the last one, R(1) to R(n). */
static struct span since_first(const struct ask *q)
{
    const struct ho_conn *c = q->c;
    struct span lo = { 0, 0, 1 }, hi = { 0, 0, 1 };
    struct ho_dur max = q->rules.rto_max, rto = ho_us(c->rto_us), base = base_rto(c), high = base;

    if (!is_regular(c)) {
        return (struct span){ 0, c->retrans > 1 ? SILENCE_UNBOUNDED : 0, 1 };
    }
    if (rto.ns >= max.ns) { /* where it was cut the base is lost */
        high = max;
        base = ho_ns(most(base.ns, ho_us(c->rtt_us).ns));
    }
    for (uint32_t k = 1; k < c->retrans; k++) {
        lo = span_fire(q->rules.hz, lo, silence_doubled(base, k, max));
        hi = span_fire(q->rules.hz, hi, silence_doubled(high, k, max));
    }
    return (struct span){ lo.lo, may_wrap(q) ? SILENCE_UNBOUNDED : hi.hi, 1 };
}

/* The kernel's own count, where it has one. It is the sum of all recoveries, so a bound for this
 * one, and exact for the first. `e` is the time to where the timer fires, `t.` from now.
 */
static void use_rto_time(const struct ask *q, const struct span *t, struct span *e)
{
    const struct ho_conn *c = q->c;
    int64_t passed = (int64_t)c->rto_time_ms * MS, slack = MS + span_jiffy_ns(q->rules.hz);

    if (!c->rto_time_known || c->rto_time_ms == 0 || c->rto_recoveries == 0) {
        return;
    }
    int64_t lo = c->rto_recoveries == 1 ? passed - slack + t->lo : e->lo;
    int64_t hi = passed + slack + t->hi;

    if (lo <= e->hi && hi >= e->lo) { /* else the two contradict each other */
        e->lo = most(e->lo, lo);
        e->hi = least(e->hi, hi);
    }
}

/* The timer's delay was shortened to hit the user timeout: it is the end. */
static bool is_clamped(const struct ask *q)
{
    const struct ho_conn *c = q->c;
    int64_t armed_ms = (int64_t)c->expires_ms + c->last_data_sent_ms;

    return q->rules.user_timeout.ns > 0 && c->unacked > 0 &&
           (armed_ms + 2) * MS + 2 * span_jiffy_ns(q->rules.hz) < ho_us(c->rto_us).ns;
}

static void repeats_end(const struct ask *q, struct span since, struct ho_outlook_answer *a)
{
    const struct ho_conn *c = q->c;
    struct ho_dur rto = ho_us(c->rto_us), base = base_rto(c);
    struct span t = span_expires(q->rules.hz, c->expires_ms, rto), e = since;
    struct silence_end end = { t.lo, t.hi };

    /* The last repeat was a timeout before the timer's time, or later with a user timeout. */
    e.lo += q->rules.user_timeout.ns > 0 ? t.lo : most(t.lo, rto.ns - span_jiffy_ns(q->rules.hz));
    e.hi = least(e.hi + rto.ns + most(span_late_ns(q->rules.hz, rto), MS), SILENCE_UNBOUNDED);
    use_rto_time(q, &t, &e);
    t.grid = e.grid = 1;
    struct silence s = { t, e, true };

    if (!is_clamped(q) && !silence_repeats(&q->rules, s, rto, &end)) {
        return;
    }
    set_end(a, HO_OUTLOOK_RANGE, end.lo, end.hi);
    a->err = c->orphan ? 0 : ETIMEDOUT;
    if (c->on_link || !is_regular(c)) {
        int64_t limit = silence_limit(&q->rules, rto).ns;
        /* the first one may not have left the host, and then the sending before it counts (A3) */
        int64_t passed = least(e.hi - t.lo + 2 * base.ns + RTO_MIN.ns, SILENCE_UNBOUNDED);

        set_end(a, HO_OUTLOOK_WITHIN, least(limit - passed, end.lo),
                end.hi + icmp_slack_ns(q, base, limit));
        a->other_err = c->orphan ? 0 : EHOSTUNREACH;
    }
}

static void repeats(const struct ask *q, struct ho_outlook *o)
{
    const struct ho_conn *c = q->c;
    int64_t rto = ho_us(c->rto_us).ns;

    o->trouble = HO_TROUBLE_RETRANSMITTING;
    o->end.kind = HO_OUTLOOK_UNKNOWN;
    o->end.knob = repeat_knob(q);
    if (!c->has_info || rto <= 0 || rto > q->rules.rto_max.ns) {
        return;
    }
    struct span since = since_first(q);
    bool whole = q->options && q->rules.user_timeout.ns == 0;

    o->since_ns =
        since.lo +
        (whole ? most(rto - (int64_t)c->expires_ms * MS - 2 * MS - span_jiffy_ns(q->rules.hz), 0)
               : 0);
    if (c->rto_time_known && c->rto_recoveries == 1) {
        o->since_ns = most(o->since_ns, (int64_t)c->rto_time_ms * MS);
    }
    if (q->options) {
        repeats_end(q, since, &o->end);
    }
}

/* ---- trouble: SYN, SYN-ACK ------------------------------------------------------------------- */

static void connecting(const struct ask *q, struct ho_outlook *o)
{
    const struct ho_conn *c = q->c;
    uint32_t linear = syn_linear(q);
    struct ho_dur rto = silence_syn_rto(&q->rules, c->retrans, linear);
    struct span t = span_expires(q->rules.hz, c->expires_ms, rto), e = { 0, 0, 1 };
    struct silence_end end;

    o->trouble = HO_TROUBLE_CONNECTING;
    o->end.kind = HO_OUTLOOK_UNKNOWN;
    o->end.knob = knob_of(q, HO_PREDICT_KNOB_SYN);
    for (uint32_t k = 0; k < c->retrans; k++) {
        e = span_fire(q->rules.hz, e, silence_syn_rto(&q->rules, k, linear));
    }
    o->since_ns = e.lo;
    if (!q->options) {
        return;
    }
    e.lo += q->rules.user_timeout.ns > 0 ? t.lo : most(t.lo, rto.ns - span_jiffy_ns(q->rules.hz));
    e.hi += rto.ns + most(span_late_ns(q->rules.hz, rto), MS);
    t.grid = e.grid = 1;
    struct silence s = { t, e, true };

    if (silence_syn(&q->rules, s, c->retrans, syn_retries(q), linear, &end)) {
        bool arp = c->on_link;

        set_end(&o->end, arp ? HO_OUTLOOK_WITHIN : HO_OUTLOOK_RANGE, arp ? 0 : end.lo, end.hi);
        o->end.err = ETIMEDOUT;
        o->end.other_err = arp ? EHOSTUNREACH : 0;
    }
}

/* ground-truth row 11; a full queue of requests ends it sooner. Nobody is told. */
static void accepting(const struct ask *q, struct ho_outlook *o)
{
    const struct ho_conn *c = q->c;
    int64_t retries = sysctl(q, HO_SYSCTL_TCP_SYNACK_RETRIES);
    struct ho_dur rto = silence_doubled(ho_s(1), c->retrans, q->rules.rto_max);
    struct span t = span_expires(q->rules.hz, c->expires_ms, rto), since = { 0, 0, 1 };
    int64_t first = t.lo;

    o->trouble = HO_TROUBLE_ACCEPTING;
    for (uint32_t k = 0; k < c->retrans; k++) {
        since = span_fire(q->rules.hz, since, silence_doubled(ho_s(1), k, q->rules.rto_max));
    }
    o->since_ns = since.lo;
    for (int64_t n = c->retrans; n < retries && n < RETRIES_MAX; n++) {
        rto = silence_doubled(rto, 1, q->rules.rto_max);
        t = span_fire(q->rules.hz, t, rto);
    }
    set_end(&o->end, HO_OUTLOOK_WITHIN, c->on_link ? 0 : first, t.hi);
}

/* ---- trouble: probes ------------------------------------------------------------------------- */

/* Whether the last keepalive probe has had its time to be answered. */
static bool probe_is_late(const struct ask *q)
{
    const struct ho_conn *c = q->c;

    if (c->retrans != 1 || !c->has_info || !q->options) {
        return c->retrans > 0;
    }
    return q->rules.intvl.ns - (int64_t)c->expires_ms * MS > 2 * ho_us(c->rto_us).ns;
}

static void probing(const struct ask *q, struct ho_outlook *o)
{
    const struct ho_conn *c = q->c;
    struct silence_end end;

    if (!probe_is_late(q)) {
        return;
    }
    o->trouble = HO_TROUBLE_PROBING;
    o->attempt = c->retrans;
    o->end.kind = HO_OUTLOOK_UNKNOWN;
    o->end.knob = knob_of(q, HO_PREDICT_KNOB_KEEPALIVE);
    if (!q->options || (q->rules.user_timeout.ns > 0 && !c->has_info)) {
        return;
    }
    struct span t = span_expires(q->rules.hz, c->expires_ms, q->rules.intvl), e = t;
    int64_t silent = silent_ms(c) * MS;

    o->since_ns = most(q->rules.intvl.ns * c->retrans - (int64_t)c->expires_ms * MS -
                           span_jiffy_ns(q->rules.hz),
                       0);
    e.lo += silent - span_jiffy_ns(q->rules.hz);
    e.hi += silent + MS + span_jiffy_ns(q->rules.hz);
    t.grid = e.grid = 1;
    struct silence s = { t, e, true };

    if (silence_keepalive(&q->rules, s, c->retrans, &end)) {
        set_end(&o->end, HO_OUTLOOK_RANGE, end.lo, end.hi);
        o->end.err = ETIMEDOUT;
    }
}

/* The time from the first probe of a closed window to when the timer fires. */
static struct span window_age(const struct ask *q, struct ho_dur base, const struct span *t)
{
    const struct ho_conn *c = q->c;
    struct span e = { 0, 0, 1 };

    for (uint32_t k = 1; k <= c->backoff; k++) {
        e = span_fire(q->rules.hz, e, silence_doubled(base, k, q->rules.rto_max));
    }
    /* Nothing but probes, which carry no data, was sent since before the first one. */
    e.hi = (int64_t)c->last_data_sent_ms * MS + MS + t->hi + span_jiffy_ns(q->rules.hz);
    e.hi = most(e.hi, e.lo);
    if (q->rules.user_timeout.ns > 0) { /* the last delay may have been cut */
        e.lo = most(e.lo - silence_doubled(base, c->backoff, q->rules.rto_max).ns, 0) + t->lo;
    }
    e.grid = 1;
    return e;
}

/* The probes that are answered leave the count at 0: then only a user timeout ends it (B 9, 12). */
static void window_end(const struct ask *q, struct ho_dur base, struct silence s,
                       struct ho_outlook_answer *a)
{
    const struct ho_conn *c = q->c;
    struct silence_end end, alive;
    struct silence_rules forever = q->rules;
    bool answered = c->retrans == 0 && !c->orphan;

    if (answered && q->rules.user_timeout.ns == 0) {
        a->kind = HO_OUTLOOK_NEVER;
        a->knob = HO_PREDICT_KNOB_NONE;
        return;
    }
    if (!silence_window(&q->rules, s, base, c->backoff, c->retrans, &end)) {
        return;
    }
    a->err = c->orphan ? 0 : ETIMEDOUT;
    forever.retries2 = UINT32_MAX;
    if (!answered) {
        set_end(a, HO_OUTLOOK_RANGE, end.lo, end.hi);
    } else if (silence_window(&forever, s, base, c->backoff, 0, &alive)) {
        set_end(a, HO_OUTLOOK_WITHIN, end.lo, most(end.hi, alive.hi));
    }
}

static void window_probing(const struct ask *q, struct ho_outlook *o)
{
    const struct ho_conn *c = q->c;
    struct ho_dur base = ho_us(c->rto_us), floor = base.ns > RTO_MIN.ns ? base : RTO_MIN;

    o->trouble = HO_TROUBLE_WINDOW_PROBING;
    o->end.kind = HO_OUTLOOK_UNKNOWN;
    o->end.knob = repeat_knob(q);
    if (!c->has_info || base.ns <= 0 || base.ns > q->rules.rto_max.ns) {
        return;
    }
    struct ho_dur delay = silence_doubled(floor, c->backoff, q->rules.rto_max);
    struct span t = span_expires(q->rules.hz, c->expires_ms, delay);
    struct span e = window_age(q, floor, &t);

    o->since_ns = most(e.lo - (int64_t)c->expires_ms * MS - 2 * MS, 0);
    if (q->rules.user_timeout.ns > 0) {
        o->since_ns = most(e.lo - t.lo, 0);
    }
    t.grid = 1;
    if (q->options) {
        window_end(q, base, (struct silence){ t, e, c->backoff > 0 }, &o->end);
    }
}

/* ---- trouble: FIN-WAIT-2 --------------------------------------------------------------------- */

/* What is more than 60 s is waited as a socket, and once more as a record (forecast/chain.c). */
static void fin_wait2(const struct ask *q, struct ho_outlook *o)
{
    const struct ho_conn *c = q->c;
    int64_t timeout_s = sysctl(q, HO_SYSCTL_TCP_FIN_TIMEOUT);
    struct ho_dur wait = ho_s(most(0, least(timeout_s, KEEP_S_MAX)));
    struct ho_dur again = ho_ns(most(wait.ns - TIMEWAIT_LEN.ns, TIMEWAIT_LEN.ns));
    struct span t =
        span_expires(q->rules.hz, c->expires_ms, ho_ns(most(wait.ns, (int64_t)c->expires_ms * MS)));

    o->trouble = HO_TROUBLE_CLOSING;
    o->end.knob = HO_PREDICT_KNOB_FIN;
    if (c->timer == HO_SOCK_TIMER_KEEPALIVE) {
        set_end(&o->end, HO_OUTLOOK_WITHIN, t.lo, span_fire(q->rules.hz, t, again).hi);
    } else {
        set_end(&o->end, HO_OUTLOOK_RANGE, t.lo, t.hi);
    }
}

/* ---- which is which -------------------------------------------------------------------------- */

static void look_for_trouble(const struct ask *q, struct ho_outlook *o)
{
    const struct ho_conn *c = q->c;
    bool orphan_waits = c->state == HO_TCP_FIN_WAIT2 &&
                        (c->timer == HO_SOCK_TIMER_TIMEWAIT || (c->orphan && c->timer != 0));

    o->attempt = c->retrans;
    if (orphan_waits) {
        fin_wait2(q, o);
    } else if (c->timer == HO_SOCK_TIMER_ON && c->retrans > 0) {
        if (c->state == HO_TCP_SYN_SENT) {
            connecting(q, o);
        } else if (c->state == HO_TCP_SYN_RECV) {
            accepting(q, o);
        } else {
            repeats(q, o);
        }
    } else if (c->timer == HO_SOCK_TIMER_PROBE && (c->retrans > 0 || c->backoff > 0)) {
        window_probing(q, o);
    } else if (c->timer == HO_SOCK_TIMER_KEEPALIVE && c->retrans > 0) {
        probing(q, o);
    }
    o->attempt = o->trouble == HO_TROUBLE_NONE ? 0 : o->attempt;
}

static void ask_state(const struct ask *q, struct ho_outlook *o)
{
    switch (q->c->state) {
    case HO_TCP_ESTABLISHED:
    case HO_TCP_CLOSE_WAIT:
        ask_idle(q, &o->idle);
        ask_busy(q, &o->busy);
        break;
    case HO_TCP_FIN_WAIT2: /* its own half is closed: there is nothing to send */
        if (!q->c->orphan && q->c->timer != HO_SOCK_TIMER_TIMEWAIT) {
            ask_idle(q, &o->idle);
        }
        break;
    case HO_TCP_FIN_WAIT1:
    case HO_TCP_CLOSING:
    case HO_TCP_LAST_ACK:
        ask_busy(q, &o->busy);
        break;
    case HO_TCP_SYN_SENT:
        ask_connect(q, &o->busy);
        break;
    default:
        break;
    }
}

static bool is_asked(const struct ho_conn *c)
{
    return c->state != HO_TCP_LISTEN && c->state != HO_TCP_CLOSE && c->state != HO_TCP_TIME_WAIT;
}

void ho_outlook(const struct ho_conn *c, const struct ho_conn_host *h, struct ho_outlook *ret)
{
    struct ask q;

    *ret = (struct ho_outlook){ .since_ns = -1 };
    if (!is_asked(c)) {
        return;
    }
    if (!prepare(&q, c, h)) {
        ret->idle.kind = HO_OUTLOOK_UNKNOWN;
        ret->busy.kind = HO_OUTLOOK_UNKNOWN;
        return;
    }
    if (!c->loopback) { /* the host of the peer cannot die alone */
        ask_state(&q, ret);
    }
    look_for_trouble(&q, ret);
}

const char *ho_outlook_kind_word(enum ho_outlook_kind kind)
{
    static const char *const words[] = {
#define X(id, word) word,
        HO_OUTLOOK_KINDS(X)
#undef X
    };

    return words[kind];
}

const char *ho_trouble_word(enum ho_trouble trouble)
{
    static const char *const words[] = {
#define X(id, word) word,
        HO_TROUBLES(X)
#undef X
    };

    return words[trouble];
}
