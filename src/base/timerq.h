/* A queue of deadlines, exact to the nanosecond, O(1) to arm and to cancel.
 *
 * A radix wheel: level n holds the deadlines whose highest 6-bit digit that differs from the
 * queue's own time is digit n. A deadline moves down a level each time its digit is reached, at
 * most 11 times in all, and leaves level 0 at exactly its instant. Those of one instant leave by
 * their turns (base/due.h), and with equal turns in the order in which they were armed, or the
 * other way round, as those of one bucket of Linux's wheel do, if `newest_first` was set after
 * ho_timerq_init(). It never rounds: rounding is Linux's wheel (base/clk.h) and happens once, at
 * arming.
 *
 * The node is embedded in its owner; the queue owns no memory.
 */

#ifndef HO_BASE_TIMERQ_H
#define HO_BASE_TIMERQ_H

#include <stddef.h>

#include "base/due.h"

#define HO_TIMERQ_LEVELS 11
#define HO_TIMERQ_SLOTS 64

struct ho_timer {
    struct ho_timer *next, *prev; /* both NULL: not armed */
    struct ho_due due;
};

struct ho_timerq {
    struct ho_due base;              /* nothing armed is earlier, but for what is late */
    bool newest_first;               /* of equal turns; to be set while nothing is armed */
    uint64_t used[HO_TIMERQ_LEVELS]; /* a bit a slot */
    struct ho_due lower[HO_TIMERQ_LEVELS][HO_TIMERQ_SLOTS];  /* a lower bound of the slot's */
    struct ho_timer slot[HO_TIMERQ_LEVELS][HO_TIMERQ_SLOTS]; /* list heads */
};

void ho_timerq_init(struct ho_timerq *q, struct ho_time now);

/* Arms `t` for `due`, moving it if it is armed already. An instant in the past is due at once.
 * HO_DUE_NEVER disarms.
 */
void ho_timerq_arm_due(struct ho_timerq *q, struct ho_timer *t, struct ho_due due);

/* The same for `at` with the turn HO_DUE_FIRST. HO_NEVER disarms. */
static inline void ho_timerq_arm(struct ho_timerq *q, struct ho_timer *t, struct ho_time at)
{
    ho_timerq_arm_due(q, t, ho_due_at(at, HO_DUE_FIRST));
}

/* Disarms `t`; does nothing if it is not armed. */
void ho_timerq_cancel(struct ho_timerq *q, struct ho_timer *t);

static inline bool ho_timer_armed(const struct ho_timer *t)
{
    return t->next != NULL;
}

/* A time at which to call ho_timerq_pop(): never later than the earliest deadline, exact unless
 * the earliest timer of a slot was cancelled; HO_NEVER if nothing is armed.
 */
struct ho_time ho_timerq_deadline(const struct ho_timerq *q);

/* Takes out and returns the earliest timer due at `now`, or NULL. Call until NULL. */
struct ho_timer *ho_timerq_pop(struct ho_timerq *q, struct ho_time now);

#endif
