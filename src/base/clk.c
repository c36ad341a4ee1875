/* Jiffies, and where Linux's timer wheel puts a timer. See clk.h.
 *
 * The facts are those of kernel/time/timer.c: 64 buckets a level, a granule of 8^n jiffies at
 * level n; the level follows from the delay (63 granules of the level below are where the next
 * one begins); the bucket is the one after the granule that the expiry falls into, at level 0 too,
 * because the current jiffy is already partly over. So a timer fires at least one jiffy after the
 * jiffy it names, and never early.
 *
 * The wheel has 9 levels (8 at HZ=100). No TCP timer reaches its end: the longest delay a socket
 * can ask for is TCP_KEEPIDLE, 32767 s, and the wheel holds 15 days at HZ=100, 12 at HZ=1000.
 * A longer delay is cut to that, as Linux does with 9 levels.
 */

#include "base/clk.h"

#define LEVELS 9
#define LEVEL_SHIFT 3 /* a level's granule is 8 times that of the level below */
#define BUCKETS UINT64_C(64)

/* The first delay that belongs to `level`, level >= 1. */
static uint64_t level_start(unsigned level)
{
    return (BUCKETS - 1) << ((level - 1) * LEVEL_SHIFT);
}

static unsigned level_of(uint64_t delay_j)
{
    unsigned level = 0;

    while (level < LEVELS - 1 && delay_j >= level_start(level + 1)) {
        level++;
    }
    return level;
}

uint64_t ho_wheel_step(uint64_t delay_j)
{
    return UINT64_C(1) << (level_of(delay_j) * LEVEL_SHIFT);
}

/* Where the wheel puts a timer: the jiffy at which it fires, and the level of its bucket. */
static uint64_t place(uint64_t now_j, uint64_t expires_j, unsigned *ret_level)
{
    uint64_t delay = expires_j > now_j ? expires_j - now_j : 0;
    unsigned level = level_of(delay), shift = level * LEVEL_SHIFT;

    if (delay >= level_start(LEVELS)) {
        delay = level_start(LEVELS) - (UINT64_C(1) << shift);
    }
    *ret_level = level;
    return (((now_j + delay) >> shift) + 1) << shift;
}

uint64_t ho_wheel_expiry(uint64_t now_j, uint64_t expires_j)
{
    unsigned level;

    return place(now_j, expires_j, &level);
}

/* With hz == 0 whatever must be a number of jiffies counts milliseconds from the world's start. */
static const struct ho_clk exact = { .hz = 1000 };

static const struct ho_clk *counting(const struct ho_clk *k)
{
    return k->hz != 0 ? k : &exact;
}

uint64_t ho_clk_jiffies(const struct ho_clk *k, struct ho_time now)
{
    const struct ho_clk *c = counting(k);

    assert(now.ns >= 0);
    /* Seconds and the rest apart: ns times HZ does not fit. Unsigned: nor may the sum. */
    uint64_t ns = (uint64_t)now.ns + (uint64_t)c->phase_ns;
    return c->jiffies0 + ns / HO_NS_PER_S * c->hz + ns % HO_NS_PER_S * c->hz / HO_NS_PER_S;
}

struct ho_time ho_clk_jiffy_time(const struct ho_clk *k, uint64_t j)
{
    const struct ho_clk *c = counting(k);
    uint64_t n = j - c->jiffies0;

    assert(j >= c->jiffies0);
    if (n / c->hz >= INT64_MAX / HO_NS_PER_S) {
        return HO_NEVER;
    }
    /* Rounded up: at HZ=300 a jiffy begins between two nanoseconds, and has begun at the second. */
    uint64_t part = (n % c->hz * HO_NS_PER_S + c->hz - 1) / c->hz;
    return (struct ho_time){ .ns = (int64_t)(n / c->hz * HO_NS_PER_S + part) - c->phase_ns };
}

uint64_t ho_clk_dur_jiffies(const struct ho_clk *k, struct ho_dur d)
{
    const struct ho_clk *c = counting(k);
    uint64_t ns = (uint64_t)d.ns;

    assert(d.ns >= 0);
    return ns / HO_NS_PER_S * c->hz + (ns % HO_NS_PER_S * c->hz + HO_NS_PER_S - 1) / HO_NS_PER_S;
}

struct ho_dur ho_clk_jiffies_dur(const struct ho_clk *k, uint64_t n)
{
    const struct ho_clk *c = counting(k);

    if (n / c->hz >= INT64_MAX / HO_NS_PER_S) {
        return (struct ho_dur){ .ns = INT64_MAX };
    }
    /* Rounded down, so that ho_clk_dur_jiffies() of it is `n` again. */
    return (struct ho_dur){
        .ns = (int64_t)(n / c->hz * HO_NS_PER_S + n % c->hz * HO_NS_PER_S / c->hz),
    };
}

struct ho_dur ho_clk_round_up(const struct ho_clk *k, struct ho_dur d)
{
    return k->hz != 0 ? ho_clk_jiffies_dur(k, ho_clk_dur_jiffies(k, d)) : d;
}

static_assert(LEVELS < HO_DUE_LAST, "a turn a level, one before and one behind them all");

struct ho_due ho_clk_due(const struct ho_clk *k, struct ho_time now, struct ho_dur delay)
{
    if (k->hz == 0) {
        return ho_due_at(ho_time_add(now, delay), HO_DUE_FIRST);
    }
    uint64_t j = ho_clk_jiffies(k, now), expires = j + ho_clk_dur_jiffies(k, delay);
    uint64_t wheel = k->ran_j == j + 1 ? j + 1 : j; /* base->clk */
    unsigned level = 0; /* of what has expired before it is armed (calc_wheel_index()) */
    uint64_t fires = expires < wheel ? wheel : place(wheel, expires, &level);

    return ho_due_at(ho_clk_jiffy_time(k, fires), HO_DUE_LAST - 1 - level);
}

struct ho_time ho_clk_timer(const struct ho_clk *k, struct ho_time now, struct ho_dur delay)
{
    return ho_due_time(ho_clk_due(k, now, delay));
}
