/* Descriptor tables: see fdtab.h. `full` has a bit for each descriptor in use, `full2` one for
 * each word of `full` that has no bit left; so a free one is found by looking at n/4096 words at
 * worst, and from `hint` on at one.
 */

#include "host/fdtab.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64u /* a small process stays small; rounded up to whole words */
#define WORD 64u

void ho_fdtab_init(struct ho_fdtab *t, uint32_t limit)
{
    assert(limit <= HO_FD_MAX);
    *t = (struct ho_fdtab){ .limit = limit };
}

void ho_fdtab_destroy(struct ho_fdtab *t)
{
    free(t->entry);
    free(t->full);
    free(t->full2);
    ho_fdtab_init(t, t->limit);
}

static size_t words(uint32_t n)
{
    return (n + WORD - 1) / WORD;
}

/* Makes *p at least `to` elements of `size` bytes, new ones zero. */
static int grow_array(void **p, size_t from, size_t to, size_t size)
{
    if (to <= from) {
        return 0;
    }
    void *bigger = realloc(*p, to * size);
    if (bigger == NULL) {
        return -ENOMEM;
    }
    memset((unsigned char *)bigger + from * size, 0, (to - from) * size);
    *p = bigger;
    return 0;
}

static int grow(struct ho_fdtab *t)
{
    uint32_t cap = t->cap == 0 ? FIRST_CAP : t->cap * 2;
    void *entry = t->entry, *full = t->full, *full2 = t->full2;
    size_t had = words(t->cap), need = words(cap);
    int err = grow_array(&entry, t->cap, cap, sizeof(*t->entry));

    t->entry = entry;
    if (err == 0) {
        err = grow_array(&full, had, need, sizeof(*t->full));
        t->full = full;
    }
    if (err == 0) {
        err = grow_array(&full2, words((uint32_t)had), words((uint32_t)need), sizeof(*t->full2));
        t->full2 = full2;
    }
    if (err != 0) {
        return err; /* what has grown is found grown, and zero, the next time */
    }
    t->cap = cap;
    return 0;
}

static unsigned lowest_zero(uint64_t word)
{
    unsigned bit = 0;

    while (word & 1) {
        word >>= 1;
        bit++;
    }
    return bit;
}

/* The lowest free descriptor below t->cap, or t->cap. */
static uint32_t find(struct ho_fdtab *t)
{
    uint32_t n_words = (uint32_t)words(t->cap);

    for (uint32_t i = t->hint; i < words(n_words); i++) {
        t->hint = i;
        if (t->full2[i] != UINT64_MAX) {
            uint32_t word = i * WORD + lowest_zero(t->full2[i]);
            return word < n_words ? word * WORD + lowest_zero(t->full[word]) : t->cap;
        }
    }
    return t->cap;
}

static void mark(struct ho_fdtab *t, uint32_t fd)
{
    uint32_t word = fd / WORD;

    t->full[word] |= (uint64_t)1 << (fd % WORD);
    if (t->full[word] == UINT64_MAX) {
        t->full2[word / WORD] |= (uint64_t)1 << (word % WORD);
    }
}

int ho_fdtab_open(struct ho_fdtab *t, uint32_t entry)
{
    assert(entry != HO_FD_NONE);
    if (t->cap == 0) {
        if (grow(t) != 0) {
            return -ENOMEM;
        }
        t->full[0] = ((uint64_t)1 << HO_FD_FIRST) - 1;
    }
    uint32_t fd = find(t);
    if (fd >= t->limit) {
        return -EMFILE;
    }
    if (fd == t->cap && grow(t) != 0) {
        return -ENOMEM;
    }
    mark(t, fd);
    t->entry[fd] = entry;
    t->open++;
    return (int)fd;
}

void ho_fdtab_close(struct ho_fdtab *t, int fd)
{
    uint32_t word = (uint32_t)fd / WORD;

    assert(ho_fdtab_get(t, fd) != HO_FD_NONE);
    t->entry[fd] = HO_FD_NONE;
    t->full[word] &= ~((uint64_t)1 << ((uint32_t)fd % WORD));
    t->full2[word / WORD] &= ~((uint64_t)1 << (word % WORD));
    if (word / WORD < t->hint) {
        t->hint = word / WORD;
    }
    t->open--;
}

int ho_fdtab_next(const struct ho_fdtab *t, int fd)
{
    for (uint32_t i = (uint32_t)(fd < 0 ? 0 : fd); i < t->cap; i++) {
        if (t->entry[i] != HO_FD_NONE) {
            return (int)i;
        }
    }
    return -1;
}
