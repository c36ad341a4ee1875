/* Frames and payload: byte buffers with room in front, from two bounded pools.
 *
 * A buffer has one owner at a time and is passed on, not shared: output gives it to the cable,
 * the cable to the other host, and its receive queue keeps it until the bytes were read.
 */

#ifndef HO_BASE_BUF_H
#define HO_BASE_BUF_H

#include <stdint.h>

#include "base/pool.h"

#define HO_BUF_SMALL 192  /* bytes of room: ARP, ICMP, a segment without payload */
#define HO_BUF_LARGE 2048 /* bytes of room: a frame of MTU 1500, or a slice of a send queue */

struct ho_buf {
    struct ho_buf *next; /* for its owner's queue */
    uint16_t head;       /* offset of the first byte in use */
    uint16_t len;        /* bytes in use */
    uint16_t cap;        /* bytes of room in data[] */
    uint16_t user;       /* for its owner */
    uint32_t tag[2];     /* for its owner */
    uint8_t data[];
};

struct ho_bufpool {
    struct ho_pool small, large;
};

/* At most `max` buffers of each size. */
void ho_bufpool_init(struct ho_bufpool *p, size_t max);
void ho_bufpool_destroy(struct ho_bufpool *p);

/* A buffer with room for `headroom` + `room` bytes, head at `headroom`, empty.
 * NULL when memory or the bound is exhausted or the room exceeds HO_BUF_LARGE.
 */
struct ho_buf *ho_buf_get(struct ho_bufpool *p, size_t headroom, size_t room);

/* Gives a buffer back; NULL is ignored. */
void ho_buf_put(struct ho_bufpool *p, struct ho_buf *b);

/* A copy of `b` with its own memory, or NULL. */
struct ho_buf *ho_buf_copy(struct ho_bufpool *p, const struct ho_buf *b);

static inline uint8_t *ho_buf_bytes(struct ho_buf *b)
{
    return b->data + b->head;
}

/* A queue of buffers, first in first out, linked by `next`. Zero-initialised: empty. */
struct ho_bufq {
    struct ho_buf *first, *last;
    uint32_t count;
};

void ho_bufq_push(struct ho_bufq *q, struct ho_buf *b);
struct ho_buf *ho_bufq_shift(struct ho_bufq *q); /* NULL if empty */

#endif
