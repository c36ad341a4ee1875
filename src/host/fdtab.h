/* A process's table of descriptors: the lowest free number is the next one, as POSIX says.
 *
 * An entry is 4 bytes, and a bit in each of two levels of bit maps finds a free one: a process
 * may hold millions. Descriptors 0 to 2 are taken, as in every process.
 */

#ifndef HO_HOST_FDTAB_H
#define HO_HOST_FDTAB_H

#include <stdint.h>

#define HO_FD_FIRST 3
#define HO_FD_MAX (1 << 24) /* descriptors a process, as with a large RLIMIT_NOFILE */
#define HO_FD_NONE 0u       /* the entry of a descriptor that is not open */

struct ho_fdtab {
    uint32_t *entry;
    uint64_t *full, *full2; /* a bit a descriptor; a bit a full word of these */
    uint32_t cap;           /* entries allocated */
    uint32_t limit;         /* descriptors at most */
    uint32_t open;          /* descriptors in use */
    uint32_t hint;          /* no word of `full2` before this one has a free bit */
};

void ho_fdtab_init(struct ho_fdtab *t, uint32_t limit);
void ho_fdtab_destroy(struct ho_fdtab *t);

/* Opens the lowest free descriptor for `entry`, not HO_FD_NONE.
 * Returns it; -EMFILE at the limit; -ENOMEM.
 */
int ho_fdtab_open(struct ho_fdtab *t, uint32_t entry);
void ho_fdtab_close(struct ho_fdtab *t, int fd);

static inline uint32_t ho_fdtab_get(const struct ho_fdtab *t, int fd)
{
    return fd >= 0 && (uint32_t)fd < t->cap ? t->entry[fd] : HO_FD_NONE;
}

/* The first open descriptor >= `fd`, or -1. */
int ho_fdtab_next(const struct ho_fdtab *t, int fd);

#endif
