/* A queue of bytes in chunks that come from a pool: see base/bytes.h. Its slots are a ring whose
 * size is a power of two, so that a slot is found with a mask.
 */

#include "base/bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK HO_BUF_LARGE

static struct ho_buf *chunk_at(const struct ho_bytes *q, uint32_t i)
{
    return q->chunk[(q->first + i) & (q->slots - 1)];
}

static int grow(struct ho_bytes *q)
{
    uint32_t slots = q->slots == 0 ? 4 : 2 * q->slots;
    struct ho_buf **ring = malloc(slots * sizeof(struct ho_buf *));

    if (ring == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < q->count; i++) {
        ring[i] = chunk_at(q, i);
    }
    free(q->chunk);
    q->chunk = ring;
    q->slots = slots;
    q->first = 0;
    return 0;
}

static int add_chunk(struct ho_bytes *q, struct ho_bufpool *pool)
{
    if (q->count == q->slots && grow(q) < 0) {
        return -1;
    }
    struct ho_buf *b = ho_buf_get(pool, 0, CHUNK);
    if (b == NULL) {
        return -1;
    }
    q->chunk[(q->first + q->count) & (q->slots - 1)] = b;
    q->count++;
    return 0;
}

void ho_bytes_free(struct ho_bytes *q, struct ho_bufpool *pool)
{
    for (uint32_t i = 0; i < q->count; i++) {
        ho_buf_put(pool, chunk_at(q, i));
    }
    free(q->chunk);
    *q = (struct ho_bytes){ 0 };
}

size_t ho_bytes_append(struct ho_bytes *q, struct ho_bufpool *pool, const uint8_t *bytes,
                       size_t len)
{
    size_t taken = 0;

    while (taken < len) {
        uint32_t end = q->head + q->len;
        if (end == q->count * CHUNK && add_chunk(q, pool) < 0) {
            break;
        }
        uint32_t at = end % CHUNK;
        size_t n = len - taken < CHUNK - at ? len - taken : CHUNK - at;
        memcpy(chunk_at(q, end / CHUNK)->data + at, bytes + taken, n);
        q->len += (uint32_t)n;
        taken += n;
    }
    return taken;
}

void ho_bytes_copy(const struct ho_bytes *q, uint32_t offset, uint8_t *ret, size_t len)
{
    assert(offset <= q->len && len <= q->len - offset);
    uint32_t from = q->head + offset;

    while (len > 0) {
        uint32_t at = from % CHUNK;
        size_t n = len < CHUNK - at ? len : CHUNK - at;
        memcpy(ret, chunk_at(q, from / CHUNK)->data + at, n);
        ret += n;
        from += (uint32_t)n;
        len -= n;
    }
}

void ho_bytes_drop(struct ho_bytes *q, struct ho_bufpool *pool, uint32_t len)
{
    assert(len <= q->len);
    q->head += len;
    q->len -= len;
    while (q->count > 0 && (q->head >= CHUNK || q->len == 0)) {
        ho_buf_put(pool, chunk_at(q, 0));
        q->first = (q->first + 1) & (q->slots - 1);
        q->count--;
        q->head = q->head >= CHUNK ? q->head - CHUNK : 0;
    }
    if (q->len == 0) {
        q->head = 0;
    }
}
