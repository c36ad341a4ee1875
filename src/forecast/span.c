/* Bounds of instants, and timers armed at them. See forecast/span.h. */

#include "forecast/span.h"

#define NS_PER_S UINT32_C(1000000000)

/* For the usual HZ a jiffy is a whole number of nanoseconds: 0 if not. */
static inline uint32_t whole_jiffy(uint32_t hz)
{
    uint32_t jiffy = NS_PER_S / hz;

    return jiffy * hz == NS_PER_S ? jiffy : 0;
}

/* As ho_clk_dur_jiffies(), for the usual HZ with one division. */
static uint64_t jiffies_of(uint32_t hz, struct ho_dur d)
{
    struct ho_clk k = { .hz = hz };
    uint32_t jiffy = whole_jiffy(hz);

    return jiffy != 0 ? ((uint64_t)d.ns + jiffy - 1) / jiffy : ho_clk_dur_jiffies(&k, d);
}

static int64_t ns_of(uint32_t hz, uint64_t jiffies)
{
    struct ho_clk k = { .hz = hz };
    uint32_t jiffy = whole_jiffy(hz);

    if (jiffy != 0 && jiffies <= UINT32_MAX) {
        return (int64_t)(jiffies * jiffy);
    }
    return ho_clk_jiffies_dur(&k, jiffies).ns;
}

int64_t span_jiffy_ns(uint32_t hz)
{
    return hz == 0 ? 0 : ns_of(hz, 1) + 1; /* rounded up */
}

int64_t span_late_ns(uint32_t hz, struct ho_dur delay)
{
    return hz == 0 ? 0 : ns_of(hz, ho_wheel_step(jiffies_of(hz, delay)) + 1) + 1;
}

/* The granule of what a timer's handler arms: the wheel is at the next jiffy (base/clk.h). */
static uint64_t step_of(struct span s, uint64_t delay)
{
    return ho_wheel_step(s.grid > 0 && delay > 0 ? delay - 1 : delay);
}

struct span span_fire(uint32_t hz, struct span s, struct ho_dur delay)
{
    uint64_t d = hz == 0 ? 0 : jiffies_of(hz, delay), step = step_of(s, d);

    if (hz == 0) {
        return (struct span){ s.lo + delay.ns, s.hi + delay.ns, 1 };
    }
    assert(step > 0);
    if (s.grid >= step) { /* grids are nested: a multiple of the coarser is one of the finer */
        int64_t ns = ns_of(hz, (d & ~(step - 1)) + step); /* steps are powers of two */

        return (struct span){ s.lo + ns, s.hi + ns + 1, step };
    }
    if (s.grid > 0) { /* nor does every remainder to the coarser grid occur */
        uint64_t past = d & (s.grid - 1);

        return (struct span){ s.lo + ns_of(hz, d + s.grid - past),
                              s.hi + ns_of(hz, d + step - past) + 1, step };
    }
    /* Inside a jiffy it may be the one whose timers have fired: then the grid may be finer. */
    return (struct span){ s.lo + ns_of(hz, d), s.hi + ns_of(hz, d + step) + 1,
                          d == 0 ? step : ho_wheel_step(d - 1) };
}

struct span span_expires(uint32_t hz, uint32_t ms, struct ho_dur delay)
{
    int64_t ns = (int64_t)ms * 1000000;
    uint64_t d = hz == 0 ? 0 : jiffies_of(hz, delay);

    /* sock_diag cuts to milliseconds */
    return (struct span){ ns, ns + 1000000 + span_late_ns(hz, delay),
                          hz == 0 || d == 0 ? 1 : ho_wheel_step(d - 1) };
}

bool span_skip(uint32_t hz, struct span *s, struct ho_dur delay, int64_t k)
{
    struct span one = span_fire(hz, *s, delay);
    int64_t each = one.hi - s->hi;

    if (one.lo - s->lo < each - 1 || k <= 0 || each <= 0 || k > INT64_MAX / 4 / each) {
        return false;
    }
    s->lo += k * (one.lo - s->lo);
    s->hi += k * each;
    return true;
}
