/* Slabs grow with the pool: the first holds a page, each next one twice as much, up to SLAB_MAX
 * bytes, so that a small world stays small and ten million objects cost a few thousand
 * allocations. A slab is cut from its start as objects are first asked for: memory that was never
 * handed out is never touched.
 *
 * Under AddressSanitizer an object that is not out is poisoned, so that a use after
 * ho_pool_put() is found as a use after free() would be.
 */

#include "base/pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLAB_MIN ((size_t)4096)
#define SLAB_MAX ((size_t)1 << 20)
#define ALIGN ((size_t)8)

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif

#ifdef HAVE_ASAN
/* NOLINTBEGIN(bugprone-reserved-identifier): the names are the sanitizer's */
void __asan_poison_memory_region(const volatile void *p, size_t size);
void __asan_unpoison_memory_region(const volatile void *p, size_t size);
/* NOLINTEND(bugprone-reserved-identifier) */
#define poison(p, size) __asan_poison_memory_region(p, size)
#define unpoison(p, size) __asan_unpoison_memory_region(p, size)
#else
#define poison(p, size) ((void)(p), (void)(size))
#define unpoison(p, size) ((void)(p), (void)(size))
#endif

struct ho_pool_slab {
    struct ho_pool_slab *next;
    size_t bytes; /* of objects, behind this header */
    size_t cut;   /* bytes handed out at least once; the rest is as malloc() gave it */
    uint64_t data[];
};

void ho_pool_init(struct ho_pool *p, size_t size, size_t max)
{
    assert(size > 0 && size <= SIZE_MAX / 2 - SLAB_MAX);
    *p = (struct ho_pool){ .size = (size + ALIGN - 1) / ALIGN * ALIGN, .max = max };
}

/* A new first slab; false when there is no memory. */
static bool grow(struct ho_pool *p)
{
    size_t bytes = SLAB_MIN;

    if (p->slabs != NULL) {
        bytes = p->slabs->bytes * 2 < SLAB_MAX ? p->slabs->bytes * 2 : SLAB_MAX;
    }
    size_t n = bytes / p->size;
    if (n > p->max - p->used) {
        n = p->max - p->used;
    }
    n = n > 0 ? n : 1;

    struct ho_pool_slab *slab = malloc(sizeof(*slab) + n * p->size);
    if (slab == NULL) {
        return false;
    }
    slab->next = p->slabs;
    slab->bytes = n * p->size;
    slab->cut = 0;
    p->slabs = slab;
    poison(slab->data, slab->bytes);
    return true;
}

/* An object of the first slab that was never out; NULL if it has none. */
static void *cut_one(struct ho_pool *p)
{
    struct ho_pool_slab *slab = p->slabs;

    if (slab == NULL || slab->cut == slab->bytes) {
        return NULL;
    }
    void *obj = (char *)slab->data + slab->cut;
    slab->cut += p->size;
    unpoison(obj, p->size);
    return obj;
}

void *ho_pool_take(struct ho_pool *p)
{
    void *obj = p->free;

    if (p->used >= p->max) {
        return NULL;
    }
    if (obj != NULL) {
        unpoison(obj, p->size);
        memcpy(&p->free, obj, sizeof(p->free));
    } else {
        obj = cut_one(p);
        if (obj == NULL && grow(p)) {
            obj = cut_one(p);
        }
    }
    if (obj != NULL) {
        p->used++;
    }
    return obj;
}

void *ho_pool_get(struct ho_pool *p)
{
    void *obj = ho_pool_take(p);

    return obj != NULL ? memset(obj, 0, p->size) : NULL;
}

void ho_pool_put(struct ho_pool *p, void *obj)
{
    if (obj == NULL) {
        return;
    }
    assert(p->used > 0);
    memcpy(obj, &p->free, sizeof(p->free));
    poison(obj, p->size);
    p->free = obj;
    p->used--;
}

void ho_pool_destroy(struct ho_pool *p)
{
    while (p->slabs != NULL) {
        struct ho_pool_slab *slab = p->slabs;

        p->slabs = slab->next;
        unpoison(slab->data, slab->bytes);
        free(slab);
    }
    p->free = NULL;
    p->used = 0;
}
