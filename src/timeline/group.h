/* Dense numbers for keys of three texts: (host, connection), (host, process, connection).
 *
 * Views keep an array of what they know of each key, in the order in which the keys first appear.
 */

#ifndef HO_TIMELINE_GROUP_H
#define HO_TIMELINE_GROUP_H

#include <stddef.h>
#include <stdint.h>

#define HO_GROUPS_RECENT 8 /* a power of two */

/* As given. Texts must live, and stay what they are, as long as the groups: the same three
 * pointers are taken for the same key without looking.
 */
struct ho_group_key {
    const char *a, *b, *c;
};

struct ho_groups {
    struct ho_group_key *key; /* key[i] is number i */
    uint32_t *hash;           /* of key[i] */
    size_t n, room;
    uint32_t *slot; /* number + 1, 0: free */
    size_t slots;   /* a power of two */
    struct {
        struct ho_group_key key; /* a NULL: none */
        size_t number;
    } recent[HO_GROUPS_RECENT]; /* keys asked for lately, by their pointers */
};

/* Zero-initialised is empty. Frees the memory. */
void ho_groups_free(struct ho_groups *g);

/* The number of a key, a new one if it was not there. Returns 0; -ENOMEM, *ret untouched. */
int ho_groups_of(struct ho_groups *g, const char *a, const char *b, const char *c, size_t *ret);

/* The number of a key. Returns 0; -ENOENT, *ret untouched. */
int ho_groups_find(const struct ho_groups *g, const char *a, const char *b, const char *c,
                   size_t *ret);

#endif
