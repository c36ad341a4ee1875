/* The chains of timers that end in a death, as Linux arms them, one after another.
 *
 * Each is a loop: a timer fires (base/clk.h says when), Linux decides whether this was the end,
 * and arms the next. Jiffy counts and milliseconds are used where Linux uses them, because a
 * decision can hang on one (ground-truth A3, N=4).
 */

#include "forecast/chain.h"

#include <string.h>

#define RTO_MIN (ho_ms(200))    /* TCP_RTO_MIN: a constant in these rules (ground-truth A3) */
#define SYN_RTO (ho_s(1))       /* RFC 6298 2.1 */
#define TIMEWAIT_LEN (ho_s(60)) /* TCP_TIMEWAIT_LEN */
#define PTO_MIN_JIFFIES 2       /* ground-truth A2.2 */
#define ORPHAN_RETRIES 8        /* what tcp_orphan_retries 0 means (ground-truth row 15) */

/* A multiple of every granule, so that no instant of a chain has a negative jiffy count. */
#define JIFFIES_APART (UINT64_C(1) << 40)

struct walk {
    const struct ho_range_in *in;
    struct ho_clk clk;
    struct ho_time origin, now;
    struct chain *c;
    bool too_long;
};

static uint64_t jiffies_at(const struct walk *w, struct ho_time t)
{
    return ho_clk_jiffies(&w->clk, t);
}

static uint64_t jiffies_of(const struct walk *w, struct ho_dur d)
{
    return ho_clk_dur_jiffies(&w->clk, d);
}

static struct ho_dur shorter(struct ho_dur a, struct ho_dur b)
{
    return a.ns < b.ns ? a : b;
}

static struct ho_dur doubled(struct ho_dur d, struct ho_dur max)
{
    return d.ns >= max.ns / 2 ? max : ho_ns(d.ns * 2);
}

/* Arms a timer now and goes to when it fires. */
static void fire(struct walk *w, struct ho_dur delay)
{
    struct chain *c = w->c;
    uint64_t step = w->clk.hz == 0 ? 1 : ho_wheel_step(jiffies_of(w, delay));

    w->now = ho_clk_timer(&w->clk, w->now, delay);
    ho_clk_ran(&w->clk, w->now);
    uint64_t j = jiffies_at(w, w->now);

    if (c->n < CHAIN_KEPT) {
        c->fired[c->n] = j;
    }
    c->hash = (c->hash ^ j) * UINT64_C(0x9e3779b97f4a7c15);
    c->hash ^= c->hash >> 29;
    c->step = step > c->step ? step : c->step;
    c->n++;
    w->too_long = w->too_long || c->n >= CHAIN_MAX || w->now.ns == HO_NEVER.ns;
}

struct ho_dur chain_give_up(uint32_t n, struct ho_dur base, struct ho_dur rto_max)
{
    uint32_t l = 0;

    while (l < 30 && base.ns << (l + 1) <= rto_max.ns) {
        l++;
    }
    uint32_t doublings = n < l ? n : l;

    return ho_ns(((INT64_C(2) << doublings) - 1) * base.ns + (int64_t)(n - doublings) * rto_max.ns);
}

/* Milliseconds between two instants, each cut to whole ones as TCP's clock does. */
static struct ho_dur ms_between(struct ho_time to, struct ho_time from)
{
    return ho_ms(to.ns / 1000000 - from.ns / 1000000);
}

/* Whether a probe sent now is answered, before the cut. */
static bool is_answered(const struct walk *w)
{
    return w->in->cut_ns > 0 && w->now.ns + w->in->rtt.ns <= w->origin.ns + w->in->cut_ns;
}

/* ground-truth B 2, 9: the clock is the last segment received; the timer fires, looks, and is armed
 * for what remains; a user timeout takes the place of the count.
 */
static void follow_keepalive(struct walk *w)
{
    const struct ho_range_in *in = w->in;
    struct ho_time heard = w->origin;
    struct ho_dur delay = in->idle;
    uint32_t probes = 0;

    w->now.ns = w->origin.ns + in->armed_ns;
    while (!w->too_long) {
        fire(w, delay);
        uint64_t elapsed = jiffies_at(w, w->now) - jiffies_at(w, heard);

        if (elapsed < jiffies_of(w, in->idle)) {
            delay = ho_clk_jiffies_dur(&w->clk, jiffies_of(w, in->idle) - elapsed);
            continue;
        }
        if (in->user_timeout.ns > 0 ? probes > 0 && elapsed >= jiffies_of(w, in->user_timeout)
                                    : probes >= in->cnt) {
            return;
        }
        probes++;
        if (is_answered(w)) {
            heard = ho_time_add(w->now, in->rtt);
            probes = 0;
        }
        delay = in->intvl;
    }
}

/* ground-truth A2.2. */
static struct ho_dur probe_timeout(const struct walk *w)
{
    const struct ho_range_in *in = w->in;
    struct ho_dur pto = ho_ns(2 * in->srtt.ns + (in->one_segment ? RTO_MIN : ho_ms(2)).ns);
    struct ho_dur least = ho_clk_jiffies_dur(&w->clk, PTO_MIN_JIFFIES);

    pto = shorter(pto, in->rto);
    return pto.ns > least.ns ? pto : least;
}

/* How many retries the host grants (ground-truth A3, row 15). */
static uint32_t retries_granted(const struct ho_range_in *in, struct ho_dur timeout)
{
    if (!in->orphan) {
        return in->retries2;
    }
    if (in->orphan_retries == 0) {
        return timeout.ns < in->rto_max.ns ? ORPHAN_RETRIES : 0;
    }
    return in->orphan_retries;
}

/* The timer is shortened to hit the user timeout (ground-truth row 9). */
static struct ho_dur clamped(const struct walk *w, struct ho_dur delay, struct ho_time since)
{
    struct ho_dur passed = ms_between(w->now, since);

    if (w->in->user_timeout.ns == 0) {
        return delay;
    }
    if (passed.ns >= w->in->user_timeout.ns) {
        return ho_clk_jiffies_dur(&w->clk, 1);
    }
    return shorter(delay, ho_ns(w->in->user_timeout.ns - passed.ns));
}

/* Whether a segment sent now leaves the host. */
static bool has_route(const struct walk *w)
{
    return w->in->no_route_ns <= 0 || w->now.ns - w->origin.ns < w->in->no_route_ns;
}

/* After the tail loss probe the timer runs in full, counted from the last real sending: that is
 * the probe, unless it could not leave.
 */
static struct ho_dur after_probe(const struct walk *w, struct ho_time sent_at)
{
    struct ho_dur passed = ho_time_since(w->now, sent_at);
    struct ho_dur least = ho_clk_jiffies_dur(&w->clk, 1);

    return passed.ns + least.ns < w->in->rto.ns ? ho_ns(w->in->rto.ns - passed.ns) : least;
}

/* ground-truth A3: given up when an RTO fires and T(n), or the user timeout, has passed since the
 * first retransmission, or since the last real sending if that one could not leave the host.
 */
static void follow_data(struct walk *w)
{
    const struct ho_range_in *in = w->in;
    struct ho_dur rto = in->rto;
    struct ho_dur delay = rto;
    struct ho_time first = w->origin, sent_at = w->origin;
    struct ho_dur limit;

    if (in->tlp) {
        fire(w, probe_timeout(w));
        sent_at = has_route(w) ? w->now : sent_at;
        delay = after_probe(w, sent_at);
    }
    for (unsigned sent = 0; !w->too_long; sent++) {
        fire(w, delay);
        limit = in->user_timeout.ns > 0
                    ? in->user_timeout
                    : chain_give_up(retries_granted(in, rto), RTO_MIN, in->rto_max);
        if (sent > 0 && ms_between(w->now, first).ns >= limit.ns) {
            w->c->limit = jiffies_of(w, limit);
            return;
        }
        if (sent == 0) {
            first = has_route(w) ? w->now : sent_at;
            w->c->since = jiffies_at(w, first);
        }
        rto = doubled(rto, in->rto_max);
        delay = clamped(w, rto, first);
    }
}

/* ground-truth row 10. */
static void follow_syn(struct walk *w)
{
    const struct ho_range_in *in = w->in;
    struct ho_dur limit = in->user_timeout.ns > 0
                              ? in->user_timeout
                              : chain_give_up(in->retries, SYN_RTO, in->rto_max);
    struct ho_dur rto = SYN_RTO, delay = rto; /* connect() itself arms it in full */

    w->c->since = jiffies_at(w, w->origin);
    w->c->limit = jiffies_of(w, limit);
    for (unsigned sent = 0; !w->too_long; sent++) {
        fire(w, delay);
        if (sent >= in->retries + in->linear ||
            (sent > 0 && ms_between(w->now, w->origin).ns >= limit.ns)) {
            return;
        }
        if (sent + 1 > in->linear) {
            rto = doubled(rto, in->rto_max);
        }
        delay = clamped(w, rto, w->origin);
    }
}

/* ground-truth row 11: 1 s, doubling from the first. */
static void follow_synack(struct walk *w)
{
    struct ho_dur delay = SYN_RTO;

    for (unsigned sent = 0; !w->too_long; sent++) {
        fire(w, delay);
        if (sent >= w->in->retries) {
            return;
        }
        delay = doubled(delay, w->in->rto_max);
    }
}

static struct ho_dur backed_off(const struct ho_range_in *in, struct ho_dur base, uint32_t backoff)
{
    for (uint32_t i = 0; i < backoff && base.ns < in->rto_max.ns; i++) {
        base = doubled(base, in->rto_max);
    }
    return base;
}

/* Whether the probe timer that fired ends it: by count (ground-truth row 12), for an orphan also
 * when its interval has reached the largest (row 6c).
 */
static bool probes_are_over(const struct ho_range_in *in, uint32_t probes, uint32_t backoff)
{
    struct ho_dur timeout = backed_off(in, in->rto, backoff);
    uint32_t most = retries_granted(in, timeout);

    return (in->orphan && timeout.ns >= in->rto_max.ns && backoff >= most) || probes >= most;
}

static void follow_probes(struct walk *w)
{
    const struct ho_range_in *in = w->in;
    struct ho_dur base = in->rto.ns > RTO_MIN.ns ? in->rto : RTO_MIN;
    struct ho_dur delay = base;
    struct ho_time first = HO_NEVER, answered = HO_NEVER;
    uint32_t probes = 0, backoff = 0;

    while (!w->too_long) {
        fire(w, delay);
        if (first.ns == HO_NEVER.ns) {
            first = w->now;
        } else if (in->user_timeout.ns > 0 && jiffies_at(w, w->now) - jiffies_at(w, first) >=
                                                  jiffies_of(w, in->user_timeout)) {
            return; /* also with a peer that answers (row 9) */
        }
        if (probes_are_over(in, probes, backoff)) {
            return;
        }
        backoff += backoff < in->retries2;
        probes++;
        if (is_answered(w) &&
            (answered.ns == HO_NEVER.ns || w->now.ns - answered.ns >= in->ratelimit.ns)) {
            answered = w->now;
            w->now = ho_time_add(w->now, in->rtt); /* the answer arms the timer again */
            probes = 0;
        }
        delay = clamped(w, backed_off(in, base, backoff), first);
    }
}

/* ground-truth rows 6a and 15: one timer. Beyond 60 s Linux waits for what is more than 60 s twice,
 * once as a socket and once as a TIME-WAIT record (read in the source, not measured).
 */
static void follow_fin_wait2(struct walk *w)
{
    struct ho_dur t = w->in->fin_timeout;

    if (t.ns > TIMEWAIT_LEN.ns) {
        t.ns -= TIMEWAIT_LEN.ns;
        fire(w, t);
    }
    fire(w, t);
}

/* ground-truth row 10: each request waits for its time, the last one too. */
static void follow_neighbour(struct walk *w)
{
    for (uint32_t sent = 0; sent < w->in->retries && !w->too_long; sent++) {
        fire(w, w->in->intvl);
    }
}

bool chain_follow(const struct ho_range_in *in, uint64_t jiffies, struct chain *ret)
{
    int64_t before_s = in->armed_ns < 0 ? -in->armed_ns / HO_NS_PER_S + 1 : 0;
    struct walk w = {
        .in = in,
        .clk = { .hz = in->hz,
                 .jiffies0 = JIFFIES_APART + jiffies - (uint64_t)before_s * in->hz,
                 .phase_ns = in->into_jiffy.ns },
        .origin = { before_s * HO_NS_PER_S },
        .now = { before_s * HO_NS_PER_S },
        .c = ret,
    };

    *ret = (struct chain){ .step = 1 };
    switch (in->kind) {
    case HO_RANGE_KEEPALIVE:
        follow_keepalive(&w);
        break;
    case HO_RANGE_DATA:
        follow_data(&w);
        break;
    case HO_RANGE_SYN:
        follow_syn(&w);
        break;
    case HO_RANGE_SYNACK:
        follow_synack(&w);
        break;
    case HO_RANGE_PROBES:
        follow_probes(&w);
        break;
    case HO_RANGE_FIN_WAIT2:
        follow_fin_wait2(&w);
        break;
    case HO_RANGE_NEIGHBOUR:
        follow_neighbour(&w);
        break;
    }
    ret->end_ns = w.now.ns - w.origin.ns;
    return !w.too_long;
}
