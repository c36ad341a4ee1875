/* A queue of bytes: put in at the end, copied out from anywhere, dropped from the front.
 *
 * Kept in chunks of the large buffers of a pool; finding an offset takes a division, not a walk.
 * This is what a connection has accepted from its application and not yet seen acknowledged.
 */

#ifndef HO_BASE_BYTES_H
#define HO_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct ho_bytes {
    struct ho_buf **chunk; /* a ring of `slots` pointers, a power of two */
    uint32_t slots, first, count;
    uint32_t head; /* offset of the first byte in the first chunk */
    uint32_t len;  /* bytes in the queue */
};

/* A zero-initialised queue is empty. */
void ho_bytes_free(struct ho_bytes *q, struct ho_bufpool *pool);

/* Appends `len` bytes. Returns how many were taken: fewer only when memory ran out. */
size_t ho_bytes_append(struct ho_bytes *q, struct ho_bufpool *pool, const uint8_t *bytes,
                       size_t len);

/* Copies `len` bytes from `offset` on; offset + len <= q->len. */
void ho_bytes_copy(const struct ho_bytes *q, uint32_t offset, uint8_t *ret, size_t len);

/* Drops the first `len` bytes, len <= q->len. */
void ho_bytes_drop(struct ho_bytes *q, struct ho_bufpool *pool, uint32_t len);

#endif
