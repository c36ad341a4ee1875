/* When a timer fires: an instant, and its turn among all that fire in it.
 *
 * Timers that fall due in one jiffy fire one after another, and the order is behaviour: where a
 * neighbour's timer makes an entry STALE and keepalive's probe of the same jiffy comes behind it,
 * the probe starts the neighbour's check; in front of it the check waits for the next probe. Linux
 * (kernel/time/timer.c, collect_expired_timers() and __run_timers()): a tick gathers the buckets
 * that have expired from the lowest level of the wheel to the highest and runs them from the
 * highest to the lowest, so what was armed further ahead goes first; inside of a bucket what was
 * armed last does (enqueue_timer(); base/timerq.h, newest_first).
 *
 * Both numbers are one, nanoseconds times 16 plus the turn, so that a queue compares one integer
 * and a timer is no larger than an instant (docs/decisions/043). It reaches for 36 years; a
 * scenario lasts at most ten.
 */

#ifndef HO_BASE_DUE_H
#define HO_BASE_DUE_H

#include "base/time.h"

struct ho_due {
    uint64_t key;
};

#define HO_DUE_NEVER ((struct ho_due){ .key = UINT64_MAX })

#define HO_DUE_TURN_BITS 4
#define HO_DUE_TURNS (1u << HO_DUE_TURN_BITS)

/* The turn of what is in no wheel (a process's own clock, link watch), and with hz=exact of all. */
#define HO_DUE_FIRST 0u

/* The turn of what goes on behind all timers of an instant. */
#define HO_DUE_LAST (HO_DUE_TURNS - 1)

/* `turn` < HO_DUE_TURNS; `at` not before 0. What is further away than can be said is never. */
static inline struct ho_due ho_due_at(struct ho_time at, unsigned turn)
{
    if (at.ns >= INT64_MAX >> (HO_DUE_TURN_BITS - 1)) {
        return HO_DUE_NEVER;
    }
    return (struct ho_due){ .key = (uint64_t)at.ns << HO_DUE_TURN_BITS | turn };
}

static inline bool ho_due_is_never(struct ho_due d)
{
    return d.key == UINT64_MAX;
}

static inline struct ho_time ho_due_time(struct ho_due d)
{
    if (ho_due_is_never(d)) {
        return HO_NEVER;
    }
    return (struct ho_time){ .ns = (int64_t)(d.key >> HO_DUE_TURN_BITS) };
}

static inline bool ho_due_before(struct ho_due a, struct ho_due b)
{
    return a.key < b.key;
}

static inline struct ho_due ho_due_min(struct ho_due a, struct ho_due b)
{
    return a.key < b.key ? a : b;
}

/* True once `now` is at or past the instant, whatever the turn. */
static inline bool ho_due_reached(struct ho_due d, struct ho_time now)
{
    return ho_time_reached(ho_due_time(d), now);
}

#endif
