/* Chains of timers as bounds. See forecast/silence.h, and forecast/chain.c for the rules.
 *
 * Two instants are followed at once: when the timer fires, and how long ago that is from where
 * Linux counts. A decision to give up that some phases of the wheel take and others do not makes
 * this timer the earliest end and lets the chain go on for the latest one.
 */

#include "forecast/silence.h"

#include "forecast/chain.h"

#define RTO_MIN (ho_ms(200)) /* TCP_RTO_MIN: a constant in these rules (ground-truth A3) */
#define SYN_RTO (ho_s(1))    /* RFC 6298 2.1 */
#define ORPHAN_RETRIES 8     /* what tcp_orphan_retries 0 means (ground-truth row 15) */
#define TIMERS_MAX 2000
#define MS 1000000

struct walk {
    const struct silence_rules *r;
    struct silence s;
    int64_t first_ns; /* the earliest end; -1: none yet */
    bool no_count;    /* nothing but the time decides */
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct ho_dur silence_doubled(struct ho_dur base, uint32_t times, struct ho_dur rto_max)
{
    for (; times > 0 && base.ns < rto_max.ns; times--) {
        base.ns = base.ns >= rto_max.ns / 2 ? rto_max.ns : base.ns * 2;
    }
    return base.ns < rto_max.ns ? base : rto_max;
}

static uint32_t granted(const struct silence_rules *r, struct ho_dur timeout)
{
    if (!r->orphan) {
        return r->retries2;
    }
    if (r->orphan_retries == 0) {
        return timeout.ns < r->rto_max.ns ? ORPHAN_RETRIES : 0;
    }
    return r->orphan_retries;
}

struct ho_dur silence_limit(const struct silence_rules *r, struct ho_dur rto)
{
    return r->user_timeout.ns > 0 ? r->user_timeout
                                  : chain_give_up(granted(r, rto), RTO_MIN, r->rto_max);
}

/* Whether this timer is the end for every phase; notes it if it is for some. `slack_ns` is how much
 * Linux's count of what passed may differ: it is in whole milliseconds, or jiffies.
 */
static bool is_over(struct walk *w, int64_t limit_ns, int64_t slack_ns)
{
    bool could = w->s.e.hi + slack_ns >= limit_ns;

    if (could && w->first_ns < 0) {
        w->first_ns = w->s.t.lo;
    }
    return could && w->s.e.lo - slack_ns >= limit_ns;
}

static bool finish(const struct walk *w, struct silence_end *ret)
{
    *ret = (struct silence_end){ w->first_ns >= 0 ? w->first_ns : w->s.t.lo, w->s.t.hi };
    return true;
}

static void fire(struct walk *w, struct ho_dur delay)
{
    struct silence *s = &w->s;
    struct span t = span_fire(w->r->hz, s->t, delay);

    s->e = s->e.grid == s->t.grid
               ? (struct span){ s->e.lo + t.lo - s->t.lo, s->e.hi + t.hi - s->t.hi, t.grid }
               : span_fire(w->r->hz, s->e, delay);
    s->t = t;
}

/* Many timers of the same delay until `limit_ns` comes near. */
static void skip(struct walk *w, struct ho_dur delay, int64_t limit_ns)
{
    int64_t k =
        delay.ns > 0 ? (limit_ns - w->s.e.hi) / (delay.ns + span_late_ns(w->r->hz, delay)) : 0;
    struct silence s = w->s;

    if (k > 4 && span_skip(w->r->hz, &s.t, delay, k - 2) &&
        span_skip(w->r->hz, &s.e, delay, k - 2)) {
        w->s = s;
    }
}

/* Arms `delay`, shortened to what is left of the user timeout (ground-truth row 9). */
static void fire_clamped(struct walk *w, struct ho_dur delay)
{
    int64_t user = w->r->user_timeout.ns;
    int64_t jiffy = user == 0 ? 0 : most(span_jiffy_ns(w->r->hz), MS);
    int64_t left_lo = user - w->s.e.hi - jiffy, left_hi = user - w->s.e.lo + jiffy;

    if (user == 0 || left_lo >= delay.ns) {
        if (w->no_count && user > 0 && delay.ns >= w->r->rto_max.ns) {
            skip(w, delay, user);
        }
        fire(w, delay);
        return;
    }
    struct ho_dur d = ho_ns(most(least(delay.ns, left_hi), 2 * jiffy)); /* TCP_TIMEOUT_MIN */
    int64_t late = span_late_ns(w->r->hz, d);

    w->s.t.lo += most(least(delay.ns, left_lo), 0);
    w->s.t.hi += d.ns + late;
    w->s.e.hi = most(least(w->s.e.hi + delay.ns, user + jiffy), w->s.e.hi + 2 * jiffy) + late;
    /* It is over when such a timer fires, whatever was cut. */
    w->s.e.lo += delay.ns;
    w->s.e.lo = w->s.e.lo >= user + jiffy ? user + jiffy : least(w->s.e.lo, user - jiffy);
    w->s.t.grid = 1;
    w->s.e.grid = 1;
}

static void begin(struct walk *w)
{
    if (!w->s.begun) {
        w->s.e = (struct span){ 0, 0, w->s.t.grid };
        w->s.begun = true;
    }
}

bool silence_repeats(const struct silence_rules *r, struct silence s, struct ho_dur rto,
                     struct silence_end *ret)
{
    struct walk w = { r, s, -1, true };
    int64_t limit = silence_limit(r, rto).ns;

    for (unsigned i = 0; i < TIMERS_MAX; i++) {
        if (w.s.begun && is_over(&w, limit, MS - 1)) {
            return finish(&w, ret);
        }
        begin(&w);
        rto = silence_doubled(rto, 1, r->rto_max);
        limit = r->orphan ? silence_limit(r, rto).ns : limit;
        fire_clamped(&w, rto);
    }
    return false;
}

/* By count; for an orphan also when its interval has reached the largest (rows 12, 6c). */
static bool probes_are_over(const struct silence_rules *r, struct ho_dur base, uint32_t backoff,
                            uint32_t probes)
{
    struct ho_dur timeout = silence_doubled(base, backoff, r->rto_max);
    uint32_t n = granted(r, timeout);

    return (r->orphan && timeout.ns >= r->rto_max.ns && backoff >= n) || probes >= n;
}

bool silence_window(const struct silence_rules *r, struct silence s, struct ho_dur base,
                    uint32_t backoff, uint32_t probes, struct silence_end *ret)
{
    struct ho_dur floor = base.ns > RTO_MIN.ns ? base : RTO_MIN;
    struct walk w = { r, s, -1, r->retries2 == UINT32_MAX };

    for (unsigned i = 0; i < TIMERS_MAX; i++) {
        if (w.s.begun && r->user_timeout.ns > 0 &&
            is_over(&w, r->user_timeout.ns, span_jiffy_ns(r->hz))) {
            return finish(&w, ret);
        }
        begin(&w);
        if (probes_are_over(r, base, backoff, probes)) {
            return finish(&w, ret);
        }
        backoff += backoff < r->retries2;
        probes++;
        fire_clamped(&w, silence_doubled(floor, backoff, r->rto_max));
    }
    return false;
}

bool silence_keepalive(const struct silence_rules *r, struct silence s, uint32_t probes,
                       struct silence_end *ret)
{
    struct walk w = { r, s, -1, false };

    for (unsigned i = 0; i < TIMERS_MAX; i++) {
        if (r->user_timeout.ns == 0 && probes >= r->cnt) {
            return finish(&w, ret);
        }
        if (r->user_timeout.ns > 0 && probes > 0) {
            if (is_over(&w, r->user_timeout.ns, span_jiffy_ns(r->hz))) {
                return finish(&w, ret);
            }
            skip(&w, r->intvl, r->user_timeout.ns);
        }
        probes++;
        fire(&w, r->intvl);
        if (r->user_timeout.ns == 0 && probes < r->cnt &&
            span_skip(r->hz, &w.s.t, r->intvl, r->cnt - probes)) {
            probes = r->cnt;
        }
    }
    return false;
}

struct ho_dur silence_syn_rto(const struct silence_rules *r, uint32_t sent, uint32_t linear)
{
    return silence_doubled(SYN_RTO, sent > linear ? sent - linear : 0, r->rto_max);
}

bool silence_syn(const struct silence_rules *r, struct silence s, uint32_t sent, uint32_t retries,
                 uint32_t linear, struct silence_end *ret)
{
    int64_t limit = r->user_timeout.ns > 0 ? r->user_timeout.ns
                                           : chain_give_up(retries, SYN_RTO, r->rto_max).ns;
    struct walk w = { r, s, -1, false };

    for (unsigned i = 0; i < TIMERS_MAX; i++) {
        if (sent >= retries + linear || (sent > 0 && is_over(&w, limit, MS - 1))) {
            return finish(&w, ret);
        }
        sent++;
        fire_clamped(&w, silence_syn_rto(r, sent, linear));
    }
    return false;
}
