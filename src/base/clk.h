/* A kernel's clock: jiffies, and the timer wheel's rounding as one pure function.
 *
 * Linux counts time in jiffies of 1/HZ second and keeps its timers in a wheel that does not
 * cascade (kernel/time/timer.c, "The timer wheel"): level n has 64 buckets of 8^n jiffies, and a
 * timer is rounded *up* to the granule of its level at the moment it is armed. It therefore never
 * fires early and up to one granule late: at HZ=250 by 4 ms below 0.252 s, 32 ms below 2.0 s,
 * 256 ms below 16.1 s, 2.048 s below 129 s, 16.4 s below 17 min, 131 s below 2.3 h
 * (ground-truth A1). The lateness is behaviour, so it is modelled, not smoothed.
 *
 * hz == 0 means "exact": every timer fires on time and nothing is rounded to a jiffy.
 */

#ifndef HO_BASE_CLK_H
#define HO_BASE_CLK_H

#include "base/time.h"

struct ho_clk {
    uint32_t hz;       /* jiffies a second, 0: exact; Linux 100, 250, 300 or 1000 */
    uint64_t jiffies0; /* the jiffy count in force at world time 0 */
    int64_t phase_ns;  /* how far time 0 lies behind the start of that jiffy; 0 <= it < 1/HZ */
};

/* The jiffy count at `now`. With hz == 0, milliseconds. */
uint64_t ho_clk_jiffies(const struct ho_clk *k, struct ho_time now);

/* The instant at which jiffy `j` begins. With hz == 0, `j` milliseconds. */
struct ho_time ho_clk_jiffy_time(const struct ho_clk *k, uint64_t j);

/* `d` rounded up to whole jiffies, as usecs_to_jiffies() does; unchanged with hz == 0. */
struct ho_dur ho_clk_round_up(const struct ho_clk *k, struct ho_dur d);

/* `d` as a number of jiffies, rounded up (with hz == 0, milliseconds rounded up). */
uint64_t ho_clk_dur_jiffies(const struct ho_clk *k, struct ho_dur d);

/* The length of `n` jiffies; with hz == 0, of `n` jiffies at HZ=1000. */
struct ho_dur ho_clk_jiffies_dur(const struct ho_clk *k, uint64_t n);

/* The jiffy at which the wheel fires a timer armed at jiffy `now_j` for jiffy `expires_j`
 * (measured from `now_j`; an expiry not in the future fires at the next jiffy).
 */
uint64_t ho_wheel_expiry(uint64_t now_j, uint64_t expires_j);

/* The width in jiffies of the wheel step that a delay of `delay_j` jiffies falls into. */
uint64_t ho_wheel_step(uint64_t delay_j);

/* When a timer armed at `now` for `delay` fires: the jiffy of `now` plus the delay rounded up to
 * jiffies, rounded up by the wheel. With hz == 0: now + delay.
 */
struct ho_time ho_clk_timer(const struct ho_clk *k, struct ho_time now, struct ho_dur delay);

#endif
