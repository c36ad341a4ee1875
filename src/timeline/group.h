/* Dense numbers for keys of three texts: (host, connection), (host, process, connection).
 *
 * Views keep an array of what they know of each key, in the order in which the keys first appear.
 */

#ifndef HO_TIMELINE_GROUP_H
#define HO_TIMELINE_GROUP_H

#include <stddef.h>
#include <stdint.h>

struct ho_group_key {
    const char *a, *b, *c; /* as given: they must live as long as the groups */
};

struct ho_groups {
    struct ho_group_key *key; /* key[i] is number i */
    size_t n, room;
    uint32_t *slot; /* number + 1, 0: free */
    size_t slots;   /* a power of two */
};

/* Zero-initialised is empty. Frees the memory. */
void ho_groups_free(struct ho_groups *g);

/* The number of a key, a new one if it was not there. Returns 0; -ENOMEM, *ret untouched. */
int ho_groups_of(struct ho_groups *g, const char *a, const char *b, const char *c, size_t *ret);

/* The number of a key. Returns 0; -ENOENT, *ret untouched. */
int ho_groups_find(const struct ho_groups *g, const char *a, const char *b, const char *c,
                   size_t *ret);

#endif
