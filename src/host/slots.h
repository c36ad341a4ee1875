/* Objects of one size under 32-bit numbers: chunks that never move, with a bound.
 *
 * A host names its sockets, requests and TIME-WAIT records by number: half the size of a pointer
 * in hash chains and descriptor tables, and an order that does not depend on memory addresses.
 * Free objects are all zero but for the link in their first 4 bytes; the number last given back is
 * the next to be handed out.
 */

#ifndef HO_HOST_SLOTS_H
#define HO_HOST_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#define HO_SLOT_NONE UINT32_MAX
#define HO_SLOT_CHUNK 128u /* objects a chunk */
#define HO_SLOT_HEAD 16u   /* bytes before a chunk's first object: the first object's number */

struct ho_slots {
    size_t size;        /* bytes an object, rounded up to a multiple of 8 */
    uint32_t used, max; /* objects out now; the bound */
    uint32_t top;       /* no number from here on was ever handed out */
    uint32_t free;      /* the first free number, HO_SLOT_NONE: none */
    uint32_t n_chunks, cap_chunks;
    unsigned char **chunk;
};

/* Prepares a store of objects of `size` bytes, at most `max` out at a time. Allocates nothing. */
void ho_slots_init(struct ho_slots *s, size_t size, uint32_t max);
void ho_slots_destroy(struct ho_slots *s);

/* A zeroed object and its number, or NULL when memory or the bound is exhausted. */
void *ho_slots_get(struct ho_slots *s, uint32_t *ret_number);
void ho_slots_put(struct ho_slots *s, uint32_t number);

static inline void *ho_slots_at(const struct ho_slots *s, uint32_t number)
{
    return s->chunk[number / HO_SLOT_CHUNK] + HO_SLOT_HEAD + (number % HO_SLOT_CHUNK) * s->size;
}

/* The number of `obj`, whose place in its chunk (its number modulo HO_SLOT_CHUNK) is known. */
static inline uint32_t ho_slots_number(const struct ho_slots *s, const void *obj, unsigned place)
{
    const unsigned char *chunk = (const unsigned char *)obj - place * s->size - HO_SLOT_HEAD;

    return *(const uint32_t *)(const void *)chunk + place;
}

#endif
