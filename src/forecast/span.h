/* An instant of which only bounds are known, and timers that are armed at it. Internal to
 * src/forecast/.
 *
 * forecast/range.h finds the exact extremes over all phases of the timer wheel, in milliseconds a
 * question. A machine with 100,000 connections has no such time: here each timer adds its delay,
 * and its lateness (ground-truth A1) only where the wheel's grid does not already fix it. The
 * result holds the exact range, and is wider by less than the largest granule of the chain.
 */

#ifndef HO_FORECAST_SPAN_H
#define HO_FORECAST_SPAN_H

#include "base/clk.h"

struct span {
    int64_t lo, hi; /* ns */
    uint64_t grid;  /* jiffies: it lies on a multiple of it; 0: anywhere inside a jiffy */
};

/* When a timer fires that is armed at `s` for `delay`. */
struct span span_fire(uint32_t hz, struct span s, struct ho_dur delay);

/* When a timer fires of which sock_diag says that it expires in `ms` from now, 0, and that was
 * armed for `delay` at most.
 */
struct span span_expires(uint32_t hz, uint32_t ms, struct ho_dur delay);

/* The granule of a timer armed for `delay`, and a jiffy: how late it may be; 0 with hz 0. */
int64_t span_late_ns(uint32_t hz, struct ho_dur delay);

/* A jiffy; 0 with hz 0. */
int64_t span_jiffy_ns(uint32_t hz);

/* `k` timers of `delay` at once, where the grid fixes the lateness of each; false where not. */
bool span_skip(uint32_t hz, struct span *s, struct ho_dur delay, int64_t k);

/* The same for something that is `from` old: both move. */
static inline struct span span_add(struct span a, int64_t lo, int64_t hi)
{
    return (struct span){ a.lo + lo, a.hi + hi, a.grid };
}

#endif
