/* A kernel's clock: jiffies, and the timer wheel's rounding as one pure function.
 *
 * Linux counts time in jiffies of 1/HZ second and keeps its timers in a wheel that does not
 * cascade (kernel/time/timer.c, "The timer wheel"): level n has 64 buckets of 8^n jiffies, and a
 * timer is rounded *up* to the granule of its level at the moment it is armed. It therefore never
 * fires early and up to one granule late: at HZ=250 by 4 ms below 0.252 s, 32 ms below 2.0 s,
 * 256 ms below 16.1 s, 2.048 s below 129 s, 16.4 s below 17 min, 131 s below 2.3 h
 * (ground-truth A1). The lateness is behaviour, so it is modelled, not smoothed.
 *
 * Which level it is follows from the delay as the wheel sees it, and the wheel that has just fired
 * a timer is already at the next jiffy: what is armed in a timer's handler, or later in the same
 * jiffy, is one jiffy shorter for it. It shows where a delay is just the first of a level: a
 * retransmission timeout of 252 ms that a retransmission timer arms ends after 256 ms, and its
 * third doubling, 2.016 s, after 2.016 to 2.048 s, not 2.016 to 2.272 s
 * (tests/kernel-facts/fact_timers_armed_by_timers).
 *
 * hz == 0 means "exact": every timer fires on time and nothing is rounded to a jiffy.
 */

#ifndef HO_BASE_CLK_H
#define HO_BASE_CLK_H

#include "base/due.h"

struct ho_clk {
    uint32_t hz;       /* jiffies a second, 0: exact; Linux 100, 250, 300 or 1000 */
    uint64_t jiffies0; /* the jiffy count in force at world time 0 */
    int64_t phase_ns;  /* how far time 0 lies behind the start of that jiffy; 0 <= it < 1/HZ */
    uint64_t ran_j;    /* 1 + the jiffy in which timers fired last: ho_clk_ran(); 0: in none */
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

/* Timers fire now: what is armed in this jiffy from here on finds the wheel at the next one. */
static inline void ho_clk_ran(struct ho_clk *k, struct ho_time now)
{
    k->ran_j = k->hz == 0 ? 0 : ho_clk_jiffies(k, now) + 1;
}

/* When a timer armed at `now` for `delay` fires: the jiffy of `now` plus the delay rounded up to
 * jiffies, rounded up by the wheel. With hz == 0: now + delay.
 */
struct ho_time ho_clk_timer(const struct ho_clk *k, struct ho_time now, struct ho_dur delay);

/* The same with its turn in that jiffy: the higher the level at which the wheel keeps it, the
 * earlier. With hz == 0: HO_DUE_FIRST.
 */
struct ho_due ho_clk_due(const struct ho_clk *k, struct ho_time now, struct ho_dur delay);

#endif
