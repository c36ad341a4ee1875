/* What a connection is already doing about a peer that does not answer: since when, and when that
 * ends. See forecast/outlook.h.
 *
 * sock_diag shows the middle of a chain of timers. What it does not say (when the first repeat was
 * sent) is bounded by what it says: the timeout was doubled from a base that is known as long as it
 * is below tcp_rto_max_ms, and the kernel counts the time that it spends repeating
 * (tcpi_total_rto_time, Linux 6.7).
 */

#include <errno.h>

#include "forecast/outlook_ask.h"

#define MS INT64_C(1000000)
#define RETRIES_MAX 255
#define KEEP_S_MAX 32767
#define TIMEWAIT_LEN (ho_s(60)) /* TCP_TIMEWAIT_LEN */
#define RTO_MIN (ho_ms(200))
#define WRAPS_AT 240 /* repeats, with some room */

/* ---- trouble: repeats ------------------------------------------------------------------------ */

/* Whether backing off tells the past: no ICMP took a step back (A5), nothing was linear. */
static bool is_regular(const struct ho_conn *c)
{
    return c->backoff == c->retrans && c->backoff < 32;
}

/* A repeat that waits for its neighbour is not repeated (EBUSY, ground-truth 3c), and leaves when
 * that fails, which sets the timer anew: the past was longer than the count says.
 */
static bool may_wait_for_a_neighbour(const struct ho_conn *c)
{
    return c->on_link || !is_regular(c);
}

/* Whether more repeats are possible than the kernel's count of 8 bits can tell. */
static bool may_wrap(const struct outlook_ask *q)
{
    return q->rules.user_timeout.ns / WRAPS_AT > q->rules.rto_max.ns;
}

/* The time from the first repeat to the last one, R(1) to R(n). */
static struct span since_first(const struct outlook_ask *q)
{
    const struct ho_conn *c = q->c;
    struct span lo = { 0, 0, 1 }, hi = { 0, 0, 1 };
    struct ho_dur max = q->rules.rto_max, base = ho_us(ho_conn_rto_us(c)),
                  high = outlook_greatest_rto(q);

    if (!is_regular(c)) {
        return (struct span){ 0, c->retrans > 1 ? SILENCE_UNBOUNDED : 0, 1 };
    }
    if (high.ns > base.ns) {
        base = ho_ns(most(base.ns, ho_us(c->rtt_us).ns));
    }
    for (uint32_t k = 1; k < c->retrans; k++) {
        lo = span_fire(q->rules.hz, lo, silence_doubled(base, k, max));
        hi = span_fire(q->rules.hz, hi, silence_doubled(high, k, max));
    }
    int64_t once = may_wait_for_a_neighbour(c) ? ho_us(c->rto_us).ns : 0;
    bool longer = may_wrap(q) || (once > 0 && c->retrans > 1);

    return (struct span){ lo.lo, longer ? SILENCE_UNBOUNDED : hi.hi + once, 1 };
}

/* The kernel's own count, where it has one. It is the sum of all recoveries, so a bound for this
 * one, and exact for the first. `e` is the time to where the timer fires, `t.` from now.
 */
static void use_rto_time(const struct outlook_ask *q, const struct span *t, struct span *e)
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
static bool is_clamped(const struct outlook_ask *q)
{
    const struct ho_conn *c = q->c;
    int64_t armed_ms = (int64_t)c->expires_ms + c->last_data_sent_ms;

    return q->rules.user_timeout.ns > 0 && c->unacked > 0 &&
           (armed_ms + 2) * MS + 2 * span_jiffy_ns(q->rules.hz) < ho_us(c->rto_us).ns;
}

static void repeats_end(const struct outlook_ask *q, struct span since, struct ho_outlook_answer *a)
{
    const struct ho_conn *c = q->c;
    struct ho_dur rto = ho_us(c->rto_us), base = outlook_greatest_rto(q);
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
    outlook_set_end(a, HO_OUTLOOK_RANGE, end.lo, end.hi);
    a->err = c->orphan ? 0 : ETIMEDOUT;
    if (may_wait_for_a_neighbour(c)) {
        int64_t limit = silence_limit(&q->rules, rto).ns;
        /* the first one may not have left the host, and then the sending before it counts (A3) */
        int64_t passed = least(e.hi - t.lo + 2 * base.ns + RTO_MIN.ns, SILENCE_UNBOUNDED);

        outlook_set_end(a, HO_OUTLOOK_WITHIN, least(limit - passed, end.lo),
                        end.hi + outlook_icmp_slack_ns(q, base, limit));
        a->other_err = c->orphan ? 0 : EHOSTUNREACH;
    }
}

static void repeats(const struct outlook_ask *q, struct ho_outlook *o)
{
    const struct ho_conn *c = q->c;
    int64_t rto = ho_us(c->rto_us).ns;

    o->trouble = HO_TROUBLE_RETRANSMITTING;
    o->end.kind = HO_OUTLOOK_UNKNOWN;
    o->end.knob = outlook_repeat_knob(q);
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

static void connecting(const struct outlook_ask *q, struct ho_outlook *o)
{
    const struct ho_conn *c = q->c;
    uint32_t linear = outlook_syn_linear(q);
    struct ho_dur rto = silence_syn_rto(&q->rules, c->retrans, linear);
    struct span t = span_expires(q->rules.hz, c->expires_ms, rto), e = { 0, 0, 1 };
    struct silence_end end;

    o->trouble = HO_TROUBLE_CONNECTING;
    o->end.kind = HO_OUTLOOK_UNKNOWN;
    o->end.knob = outlook_knob(q, HO_PREDICT_KNOB_SYN);
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

    if (silence_syn(&q->rules, s, c->retrans, outlook_syn_retries(q), linear, &end)) {
        bool arp = c->on_link;

        outlook_set_end(&o->end, arp ? HO_OUTLOOK_WITHIN : HO_OUTLOOK_RANGE, arp ? 0 : end.lo,
                        end.hi);
        o->end.err = ETIMEDOUT;
        o->end.other_err = arp ? EHOSTUNREACH : 0;
    }
}

/* ground-truth row 11; a full queue of requests ends it sooner. Nobody is told. */
static void accepting(const struct outlook_ask *q, struct ho_outlook *o)
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
    outlook_set_end(&o->end, HO_OUTLOOK_WITHIN, c->on_link ? 0 : first, t.hi);
}

/* ---- trouble: probes ------------------------------------------------------------------------- */

/* Whether the last keepalive probe has had its time to be answered. */
static bool probe_is_late(const struct outlook_ask *q)
{
    const struct ho_conn *c = q->c;

    if (c->retrans != 1 || !c->has_info || !q->options) {
        return c->retrans > 0;
    }
    return q->rules.intvl.ns - (int64_t)c->expires_ms * MS > 2 * ho_us(c->rto_us).ns;
}

static void probing(const struct outlook_ask *q, struct ho_outlook *o)
{
    const struct ho_conn *c = q->c;
    struct silence_end end;

    if (!probe_is_late(q)) {
        return;
    }
    o->trouble = HO_TROUBLE_PROBING;
    o->attempt = c->retrans;
    o->end.kind = HO_OUTLOOK_UNKNOWN;
    o->end.knob = outlook_knob(q, HO_PREDICT_KNOB_KEEPALIVE);
    if (!q->options || (q->rules.user_timeout.ns > 0 && !c->has_info)) {
        return;
    }
    struct span t = span_expires(q->rules.hz, c->expires_ms, q->rules.intvl), e = t;
    int64_t silent = outlook_silent_ms(c) * MS;

    o->since_ns = most(q->rules.intvl.ns * c->retrans - (int64_t)c->expires_ms * MS -
                           span_jiffy_ns(q->rules.hz),
                       0);
    e.lo += silent - span_jiffy_ns(q->rules.hz);
    e.hi += silent + MS + span_jiffy_ns(q->rules.hz);
    t.grid = e.grid = 1;
    struct silence s = { t, e, true };

    if (silence_keepalive(&q->rules, s, c->retrans, &end)) {
        outlook_set_end(&o->end, HO_OUTLOOK_RANGE, end.lo, end.hi);
        o->end.err = ETIMEDOUT;
    }
}

/* The time from the first probe of a closed window to when the timer fires. */
static struct span window_age(const struct outlook_ask *q, struct ho_dur base, const struct span *t)
{
    const struct ho_conn *c = q->c;
    struct span e = { 0, 0, 1 };

    for (uint32_t k = 1; k <= c->backoff; k++) {
        e = span_fire(q->rules.hz, e, silence_doubled(base, k, q->rules.rto_max));
    }
    /* Nothing but probes, which carry no data, was sent since before the first one. */
    e.hi = (int64_t)c->last_data_sent_ms * MS + MS + t->hi + span_jiffy_ns(q->rules.hz);
    e.lo = least(e.lo, e.hi); /* the timeout was shorter when the first delays were doubled */
    if (q->rules.user_timeout.ns > 0) { /* the last delay may have been cut */
        e.lo = most(e.lo - silence_doubled(base, c->backoff, q->rules.rto_max).ns, 0) + t->lo;
    }
    e.grid = 1;
    return e;
}

/* The probes that are answered leave the count at 0: then only a user timeout ends it (B 9, 12). */
static void window_end(const struct outlook_ask *q, struct ho_dur base, struct silence s,
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
        outlook_set_end(a, HO_OUTLOOK_RANGE, end.lo, end.hi);
    } else if (silence_window(&forever, s, base, c->backoff, 0, &alive)) {
        outlook_set_end(a, HO_OUTLOOK_WITHIN, end.lo, most(end.hi, alive.hi));
    }
}

static void window_probing(const struct outlook_ask *q, struct ho_outlook *o)
{
    const struct ho_conn *c = q->c;
    struct ho_dur base = ho_us(c->rto_us), floor = base.ns > RTO_MIN.ns ? base : RTO_MIN;

    o->trouble = HO_TROUBLE_WINDOW_PROBING;
    o->end.kind = HO_OUTLOOK_UNKNOWN;
    o->end.knob = outlook_repeat_knob(q);
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
    o->since_ns = least(o->since_ns, (int64_t)c->last_data_sent_ms * MS);
    t.grid = 1;
    if (q->options) {
        window_end(q, base, (struct silence){ t, e, c->backoff > 0 }, &o->end);
    }
}

/* ---- trouble: FIN-WAIT-2 --------------------------------------------------------------------- */

/* What is more than 60 s is waited as a socket, and once more as a record (forecast/chain.c). */
static void fin_wait2(const struct outlook_ask *q, struct ho_outlook *o)
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
        outlook_set_end(&o->end, HO_OUTLOOK_WITHIN, t.lo, span_fire(q->rules.hz, t, again).hi);
    } else {
        outlook_set_end(&o->end, HO_OUTLOOK_RANGE, t.lo, t.hi);
    }
}

void outlook_trouble(const struct outlook_ask *q, struct ho_outlook *o)
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
