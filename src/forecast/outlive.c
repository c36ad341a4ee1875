/* The last repeat before the end, over all phases. See forecast/outlive.h.
 *
 * Each chain is followed for jiffy counts up to the largest granule in it: for every one, or for
 * 256 of them. Between two that are followed nothing moves by more than lies between them, so
 * that much is taken off.
 */

#include "forecast/outlive.h"

#include "forecast/chain.h"

#define SAMPLES 256
#define APART (UINT64_C(1) << 40) /* the origin's jiffy, less the phase: chain.c */

static int64_t jiffy_ns(const struct ho_range_in *in)
{
    return in->hz > 0 ? HO_NS_PER_S / in->hz : 1000000;
}

/* When timer `k` fired, after the origin. */
static int64_t fired_ns(const struct ho_range_in *in, uint64_t phase, const struct chain *c,
                        unsigned k)
{
    uint64_t after = in->hz > 0 ? c->fired[k] - APART - phase : c->fired[k];

    return (int64_t)after * jiffy_ns(in) - in->into_jiffy.ns;
}

/* Of repeats that are not remembered one by one no more than this is known: none is further from
 * the next than the longest timeout and its granule.
 */
static int64_t last_unknown_ns(const struct ho_range_in *in, const struct chain *c)
{
    int64_t last = c->end_ns - in->rto_max.ns - ((int64_t)c->step + 1) * jiffy_ns(in);

    return last > 0 ? last : 0;
}

/* The last repeat whose answer comes before the end. */
static int64_t last_ns(const struct ho_range_in *in, uint64_t phase, const struct chain *c)
{
    if (c->n > CHAIN_KEPT) {
        return last_unknown_ns(in, c);
    }
    for (unsigned k = c->n - 1; k > 0; k--) {
        int64_t at = fired_ns(in, phase, c, k - 1);

        if (at + in->rtt.ns + jiffy_ns(in) < c->end_ns) {
            return at;
        }
    }
    return 0;
}

/* The first repeat behind `outage_ns`, with its answer. */
static int64_t recovery_ns(const struct ho_range_in *in, uint64_t phase, const struct chain *c,
                           int64_t outage_ns)
{
    for (unsigned k = 0; k + 1 < c->n && k < CHAIN_KEPT; k++) {
        int64_t at = fired_ns(in, phase, c, k);

        if (at > outage_ns) {
            return at + in->rtt.ns + jiffy_ns(in) < c->end_ns ? at + in->rtt.ns : INT64_MAX;
        }
    }
    return INT64_MAX;
}

/* Both answers over all phases. */
static int walk(const struct ho_range_in *in, int64_t outage_ns, int64_t *ret_last_ns,
                int64_t *ret_recovery_ns)
{
    struct chain c;
    int64_t least = INT64_MAX, most = 0;
    uint64_t step = 1, stride = 1;
    int64_t known;
    int err = ho_range_at(in, 0, &known); /* checks `in` */

    if (err != 0) {
        return err;
    }
    for (uint64_t p = 0; p < step; p += stride) {
        if (!chain_follow(in, p, &c)) {
            return ho_range_at(in, p, &known);
        }
        if (c.step > step) { /* a longer way than was known */
            step = c.step;
            stride = step > SAMPLES ? step / SAMPLES : 1;
        }
        int64_t last = last_ns(in, p, &c), recovery = recovery_ns(in, p, &c, outage_ns);

        least = last < least ? last : least;
        most = recovery > most ? recovery : most;
    }
    int64_t apart = (int64_t)(stride + 2) * jiffy_ns(in);

    *ret_last_ns = least > apart ? least - apart : 0;
    *ret_recovery_ns = most < INT64_MAX - apart ? most + apart : INT64_MAX;
    return 0;
}

int ho_outlive(const struct ho_range_in *in, int64_t *ret_ns)
{
    int64_t recovery;

    return walk(in, 0, ret_ns, &recovery);
}

int ho_recover(const struct ho_range_in *in, int64_t outage_ns, int64_t *ret_ns)
{
    int64_t last;

    return walk(in, outage_ns, &last, ret_ns);
}
