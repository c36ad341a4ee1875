/* The two extremes of a chain of timers over all jiffy counts. See forecast/range.h.
 *
 * Follow the chain for every jiffy count p in [0, step), and the ends of the range are the least
 * and the greatest end. There are up to 262,144 of them, so most are skipped:
 *
 * The jiffy at which a timer fires never becomes smaller when it is armed later, if its delay
 * is the same. So where two counts a < b lead to the same jiffies all along, every count
 * between them does as well; the end, counted from the origin, then only falls from a to b, and a
 * and b are the extremes of the interval. Otherwise the interval is halved.
 *
 * Where delays are fixed (data and SYN without a user timeout, SYN-ACK, FIN-WAIT-2) it is enough
 * that the last jiffy and the number of timers agree, and that no "is it time to give up?" on
 * the way could be answered differently in between.
 */

#include "forecast/range.h"

#include <errno.h>

#include "forecast/chain.h"

#define LONGEST_S INT64_C(10000000) /* 115 days */
#define RETRIES_MAX 255             /* of any sysctl of that kind */
#define HZ_MAX 1000

struct search {
    const struct ho_range_in *in;
    struct ho_range best;
    bool any, too_long;
    uint64_t step; /* the largest granule seen in any chain */
};

static bool delays_are_fixed(const struct ho_range_in *in)
{
    switch (in->kind) {
    case HO_RANGE_DATA:
    case HO_RANGE_SYN:
        return in->user_timeout.ns == 0 && !in->orphan && in->no_route_ns <= 0;
    case HO_RANGE_SYNACK:
    case HO_RANGE_FIN_WAIT2:
    case HO_RANGE_NEIGHBOUR:
        return true;
    default:
        return false;
    }
}

static void follow(struct search *s, uint64_t p, struct chain *c)
{
    s->too_long = !chain_follow(s->in, p, c) || s->too_long;
    s->step = c->step > s->step ? c->step : s->step;
}

static void consider(struct search *s, uint64_t p, const struct chain *c)
{
    if (!s->any || c->end_ns < s->best.min_ns) {
        s->best.min_ns = c->end_ns;
        s->best.min_phase = p;
    }
    if (!s->any || c->end_ns > s->best.max_ns) {
        s->best.max_ns = c->end_ns;
        s->best.max_phase = p;
    }
    s->any = true;
}

/* Whether every decision to give up is the same for all counts between those of `a` and `b`. What
 * has passed at timer k lies between fired_a - since_b and fired_b - since_a; a jiffy more on
 * either side allows for milliseconds that are cut.
 */
static bool decisions_agree(const struct chain *a, const struct chain *b)
{
    for (unsigned k = 0; k < a->n && a->since != 0; k++) {
        int64_t least = (int64_t)(a->fired[k] - b->since) - 1;
        int64_t most = (int64_t)(b->fired[k] - a->since) + 1;
        int64_t limit = (int64_t)a->limit;

        if ((least >= limit) != (most >= limit)) {
            return false;
        }
    }
    return true;
}

/* Whether the end is the same jiffy for all counts between those of `a` and `b`. */
static bool same_end(const struct ho_range_in *in, const struct chain *a, const struct chain *b)
{
    if (a->n != b->n) {
        return false;
    }
    if (a->hash == b->hash) {
        return true;
    }
    return delays_are_fixed(in) && a->n <= CHAIN_KEPT && a->fired[a->n - 1] == b->fired[b->n - 1] &&
           decisions_agree(a, b);
}

/* Every count from `lo` to `hi`, whose chains are `a` and `b`. */
static void explore(struct search *s, uint64_t lo, const struct chain *a, uint64_t hi,
                    const struct chain *b)
{
    struct chain left, right;
    uint64_t mid = lo + (hi - lo) / 2;

    if (s->too_long) {
        return;
    }
    if (hi - lo <= 1 || same_end(s->in, a, b)) {
        consider(s, lo, a);
        consider(s, hi, b);
        return;
    }
    follow(s, mid, &left);
    follow(s, mid + 1, &right);
    explore(s, lo, a, mid, &left);
    explore(s, mid + 1, &right, hi, b);
}

/* Longer than any setting of Linux can be, and short enough to be added up. */
static bool is_sane(struct ho_dur d)
{
    return d.ns <= LONGEST_S * HO_NS_PER_S;
}

static bool all_sane(const struct ho_range_in *in)
{
    return is_sane(in->rto_max) && is_sane(in->user_timeout) && is_sane(in->rtt) &&
           is_sane(in->ratelimit) && is_sane(in->idle) && is_sane(in->intvl) && is_sane(in->rto) &&
           is_sane(in->srtt) && is_sane(in->fin_timeout) && in->armed_ns >= -in->idle.ns &&
           in->armed_ns <= LONGEST_S * HO_NS_PER_S && in->cut_ns <= INT64_MAX / 2 &&
           in->retries2 <= RETRIES_MAX && in->orphan_retries <= RETRIES_MAX &&
           in->retries <= RETRIES_MAX && in->linear <= RETRIES_MAX && in->hz <= HZ_MAX &&
           (in->hz == 0 || in->into_jiffy.ns <= HO_NS_PER_S / in->hz);
}

static int check(const struct ho_range_in *in)
{
    bool keepalive = in->kind == HO_RANGE_KEEPALIVE;
    bool rto = in->kind == HO_RANGE_DATA || in->kind == HO_RANGE_PROBES;

    if (!all_sane(in) || in->rto_max.ns <= 0 || (rto && in->rto.ns <= 0) ||
        (keepalive && (in->idle.ns <= 0 || in->intvl.ns <= 0)) ||
        (in->kind == HO_RANGE_FIN_WAIT2 && in->fin_timeout.ns <= 0) ||
        (in->kind == HO_RANGE_NEIGHBOUR && (in->intvl.ns <= 0 || in->retries == 0))) {
        return -EINVAL;
    }
    return in->kind == HO_RANGE_DATA && in->neighbour ? -ENOTSUP : 0;
}

int ho_range_at(const struct ho_range_in *in, uint64_t jiffies, int64_t *ret_ns)
{
    struct chain c;
    int err = check(in);

    if (err == 0 && !chain_follow(in, jiffies, &c)) {
        err = -EINVAL;
    }
    if (err == 0) {
        *ret_ns = c.end_ns;
    }
    return err;
}

int ho_range(const struct ho_range_in *in, struct ho_range *ret)
{
    struct search s = { .in = in, .step = 1 };
    struct chain a, b;
    uint64_t step;
    int err = check(in);

    if (err != 0) {
        return err;
    }
    follow(&s, 0, &a);
    /* A larger granule may show itself only in some other chain: then all counts up to it. */
    do {
        step = s.step;
        s.any = false;
        follow(&s, step - 1, &b);
        explore(&s, 0, &a, step - 1, &b);
    } while (s.step > step && !s.too_long);
    if (s.too_long) {
        return -EINVAL;
    }
    *ret = s.best;
    ret->step = step;
    return 0;
}
