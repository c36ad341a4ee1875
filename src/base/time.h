/* Instants and durations, in nanoseconds, as two different types.
 *
 * Nothing below src/os/ reads a clock: every function that needs the time takes `now`.
 * Two one-field structs instead of one int64_t: the compiler then refuses `deadline = rto`,
 * and refuses `<` on either, so every comparison goes through a named function.
 */

#ifndef HO_BASE_TIME_H
#define HO_BASE_TIME_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* An instant on the world's clock, 0 when the world began. */
struct ho_time {
    int64_t ns;
};

/* A length of time, never negative. */
struct ho_dur {
    int64_t ns;
};

#define HO_NEVER ((struct ho_time){ .ns = INT64_MAX })
#define HO_NS_PER_S 1000000000LL

static inline struct ho_dur ho_ns(int64_t ns)
{
    assert(ns >= 0);
    return (struct ho_dur){ .ns = ns };
}

static inline struct ho_dur ho_us(int64_t us)
{
    assert(us >= 0 && us <= INT64_MAX / 1000);
    return (struct ho_dur){ .ns = us * 1000 };
}

static inline struct ho_dur ho_ms(int64_t ms)
{
    assert(ms >= 0 && ms <= INT64_MAX / 1000000);
    return (struct ho_dur){ .ns = ms * 1000000 };
}

static inline struct ho_dur ho_s(int64_t s)
{
    assert(s >= 0 && s <= INT64_MAX / HO_NS_PER_S);
    return (struct ho_dur){ .ns = s * HO_NS_PER_S };
}

static inline struct ho_time ho_time_add(struct ho_time t, struct ho_dur d)
{
    assert(d.ns >= 0);
    if (t.ns > INT64_MAX - d.ns) {
        return HO_NEVER;
    }
    return (struct ho_time){ .ns = t.ns + d.ns };
}

/* From `from` to `to`; 0 if `to` is earlier. */
static inline struct ho_dur ho_time_since(struct ho_time to, struct ho_time from)
{
    return (struct ho_dur){ .ns = to.ns > from.ns ? to.ns - from.ns : 0 };
}

static inline bool ho_time_before(struct ho_time a, struct ho_time b)
{
    return a.ns < b.ns;
}

static inline struct ho_time ho_time_min(struct ho_time a, struct ho_time b)
{
    return a.ns < b.ns ? a : b;
}

/* True once `now` is at or past `deadline`. HO_NEVER is never reached. */
static inline bool ho_time_reached(struct ho_time deadline, struct ho_time now)
{
    return deadline.ns != HO_NEVER.ns && now.ns >= deadline.ns;
}

#endif
