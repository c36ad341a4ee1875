/* Objects of one size, from slabs, with a bound. No header an object: a free object's first
 * bytes are the free list's link.
 */

#ifndef HO_BASE_POOL_H
#define HO_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct ho_pool_slab;

struct ho_pool {
    size_t size;                /* bytes an object, rounded up to a multiple of 8 */
    size_t used, max;           /* objects out now; the bound */
    void *free;                 /* first free object */
    struct ho_pool_slab *slabs; /* all memory, freed by ho_pool_destroy() */
};

/* Prepares a pool of objects of `size` bytes, at most `max` out at a time. Allocates nothing. */
void ho_pool_init(struct ho_pool *p, size_t size, size_t max);

/* A zeroed object, or NULL when memory or the bound is exhausted. */
void *ho_pool_get(struct ho_pool *p);

/* The same, but what is in it is undefined: for objects too large to be zeroed for nothing. */
void *ho_pool_take(struct ho_pool *p);

/* Gives an object back; NULL is ignored. */
void ho_pool_put(struct ho_pool *p, void *obj);

/* Frees all slabs. Every object must have come back or be forgotten. */
void ho_pool_destroy(struct ho_pool *p);

#endif
