/* Sequence numbers: positions on a circle of 2^32 bytes (RFC 9293 section 3.4). */

#ifndef HO_TCP_SEQ_H
#define HO_TCP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* A struct, so that `a < b` does not compile: on a circle it would be wrong half the time. */
struct ho_seq {
    uint32_t v;
};

static inline struct ho_seq ho_seq(uint32_t v)
{
    return (struct ho_seq){ .v = v };
}

static inline struct ho_seq ho_seq_add(struct ho_seq s, uint32_t bytes)
{
    return (struct ho_seq){ .v = s.v + bytes };
}

/* Bytes from `from` to `to`, which must not be before it. */
static inline uint32_t ho_seq_diff(struct ho_seq to, struct ho_seq from)
{
    return to.v - from.v;
}

/* True if `a` comes before `b`, looking at most half the circle ahead. */
static inline bool ho_seq_before(struct ho_seq a, struct ho_seq b)
{
    return (int32_t)(a.v - b.v) < 0;
}

static inline bool ho_seq_after(struct ho_seq a, struct ho_seq b)
{
    return ho_seq_before(b, a);
}

static inline bool ho_seq_eq(struct ho_seq a, struct ho_seq b)
{
    return a.v == b.v;
}

/* True if first <= s <= last. */
static inline bool ho_seq_between(struct ho_seq s, struct ho_seq first, struct ho_seq last)
{
    return last.v - first.v >= s.v - first.v;
}

#endif
