/* The radix wheel of timerq.h.
 *
 * What always holds: a timer stands at the level of the highest 6-bit digit in which its due time
 * differs from `base`, in the slot of that digit (level 0 if they are equal). Hence
 * - whatever stands at a level is due before anything at a higher level, and within a level the
 *   slots are in order of time: the earliest timer is in the first used slot of the lowest used
 *   level;
 * - timers of equal instant and turn always stand in the same slot, in the order they were armed,
 *   because moving a slot down keeps the order.
 *
 * `base` moves in two ways, and both keep it so. It moves to the instant of a timer taken from
 * level 0. And when nothing is in level 0 it moves to the lower bound of the earliest slot, which
 * no timer precedes, and that slot's timers move down to where they now belong.
 */

#include "base/timerq.h"

#define DIGIT 6 /* bits */

/* The level at which `due` belongs, seen from `base`. */
static unsigned level_of(struct ho_due due, struct ho_due base)
{
    uint64_t x = due.key ^ base.key;
    unsigned level = 0;

    /* Halving instead of a loop over up to 11 digits. */
    if (x >> (6 * DIGIT) != 0) {
        x >>= 6 * DIGIT;
        level = 6;
    }
    if (x >> (3 * DIGIT) != 0) {
        x >>= 3 * DIGIT;
        level += 3;
    }
    if (x >> (2 * DIGIT) != 0) {
        return level + 2;
    }
    return x >> DIGIT != 0 ? level + 1 : level;
}

/* The number of the lowest bit that is set in `x`, x != 0: a de Bruijn sequence, in which every
 * run of six bits is different (Leiserson, Prokop, Randall 1998). ISO C has no count of zeros.
 */
static unsigned lowest_bit(uint64_t x)
{
    static const uint8_t bit[64] = {
        0,  1,  2,  53, 3,  7,  54, 27, 4,  38, 41, 8,  34, 55, 48, 28, 62, 5,  39, 46, 44, 42,
        22, 9,  24, 35, 59, 56, 49, 18, 29, 11, 63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21,
        23, 58, 17, 10, 51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12,
    };

    return bit[(x & (~x + 1)) * UINT64_C(0x022fdd63cc95386d) >> 58];
}

void ho_timerq_init(struct ho_timerq *q, struct ho_time now)
{
    q->base = ho_due_at(now, HO_DUE_FIRST);
    q->newest_first = false;
    for (int i = 0; i < HO_TIMERQ_LEVELS; i++) {
        q->used[i] = 0; /* the heads and bounds of unused slots are never read */
    }
}

static void put(struct ho_timerq *q, struct ho_timer *t)
{
    unsigned level = level_of(t->due, q->base);
    unsigned digit = t->due.key >> (level * DIGIT) & (HO_TIMERQ_SLOTS - 1);
    struct ho_timer *head = &q->slot[level][digit];
    uint64_t bit = UINT64_C(1) << digit;

    if ((q->used[level] & bit) == 0) {
        q->used[level] |= bit;
        q->lower[level][digit] = t->due;
        head->next = head;
        head->prev = head;
    } else {
        q->lower[level][digit] = ho_due_min(q->lower[level][digit], t->due);
    }
    struct ho_timer *before = q->newest_first ? head : head->prev;
    t->prev = before;
    t->next = before->next;
    before->next->prev = t;
    before->next = t;
}

void ho_timerq_arm_due(struct ho_timerq *q, struct ho_timer *t, struct ho_due due)
{
    ho_timerq_cancel(q, t);
    if (ho_due_is_never(due)) {
        return;
    }
    t->due = ho_due_before(due, q->base) ? q->base : due;
    put(q, t);
}

void ho_timerq_cancel(struct ho_timerq *q, struct ho_timer *t)
{
    if (t->next == NULL) {
        return;
    }
    if (t->next == t->prev) { /* alone: both are the head, whose place says which slot it is */
        size_t slot = (size_t)((char *)t->next - (char *)q->slot) / sizeof(struct ho_timer);

        q->used[slot / HO_TIMERQ_SLOTS] &= ~(UINT64_C(1) << slot % HO_TIMERQ_SLOTS);
    }
    t->prev->next = t->next;
    t->next->prev = t->prev;
    t->next = NULL;
    t->prev = NULL;
}

/* The lowest level in use, HO_TIMERQ_LEVELS if none is. */
static unsigned lowest_level(const struct ho_timerq *q)
{
    unsigned level = 0;

    while (level < HO_TIMERQ_LEVELS && q->used[level] == 0) {
        level++;
    }
    return level;
}

struct ho_time ho_timerq_deadline(const struct ho_timerq *q)
{
    unsigned level = lowest_level(q);

    return level < HO_TIMERQ_LEVELS ? ho_due_time(q->lower[level][lowest_bit(q->used[level])])
                                    : HO_NEVER;
}

/* Moves the timers of an emptied slot to where they belong, seen from the new base, the one to be
 * put first, first.
 */
static void move_down(struct ho_timerq *q, unsigned level, unsigned digit)
{
    const struct ho_timer *head = &q->slot[level][digit];
    struct ho_timer *t = q->newest_first ? head->prev : head->next;

    q->used[level] &= ~(UINT64_C(1) << digit);
    while (t != head) {
        struct ho_timer *next = q->newest_first ? t->prev : t->next;

        put(q, t);
        t = next;
    }
}

struct ho_timer *ho_timerq_pop(struct ho_timerq *q, struct ho_time now)
{
    for (;;) {
        unsigned level = lowest_level(q);
        if (level == HO_TIMERQ_LEVELS) {
            return NULL;
        }
        unsigned digit = lowest_bit(q->used[level]);
        struct ho_due earliest = q->lower[level][digit];
        if (!ho_due_reached(earliest, now)) {
            return NULL;
        }
        q->base = earliest;
        if (level == 0) {
            struct ho_timer *t = q->slot[0][digit].next;

            ho_timerq_cancel(q, t);
            return t;
        }
        move_down(q, level, digit);
    }
}
