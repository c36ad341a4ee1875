/* Keys of three texts in an open hash table. See timeline/group.h. */

#include "timeline/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ho_groups_free(struct ho_groups *g)
{
    if (g != NULL) {
        free(g->key);
        free(g->slot);
        *g = (struct ho_groups){ 0 };
    }
}

/* FNV-1a over the three texts and their ends. */
static uint32_t key_hash(const struct ho_group_key *k)
{
    const char *const text[3] = { k->a, k->b, k->c };
    uint32_t h = 2166136261u;

    for (int i = 0; i < 3; i++) {
        for (const char *s = text[i]; *s != '\0'; s++) {
            h = (h ^ (unsigned char)*s) * 16777619u;
        }
        h *= 16777619u; /* the 0 byte */
    }
    return h;
}

static size_t key_slot(const struct ho_groups *g, const struct ho_group_key *k)
{
    size_t i = key_hash(k) & (g->slots - 1);

    while (g->slot[i] != 0) {
        const struct ho_group_key *other = &g->key[g->slot[i] - 1];

        if (strcmp(other->a, k->a) == 0 && strcmp(other->b, k->b) == 0 &&
            strcmp(other->c, k->c) == 0) {
            break;
        }
        i = (i + 1) & (g->slots - 1);
    }
    return i;
}

static int make_room(struct ho_groups *g)
{
    size_t slots = g->slots == 0 ? 16 : g->slots * 2;
    struct ho_group_key *key = realloc(g->key, slots / 2 * sizeof(*key));

    if (key == NULL) {
        return -ENOMEM;
    }
    g->key = key;
    uint32_t *slot = calloc(slots, sizeof(*slot));
    if (slot == NULL) {
        return -ENOMEM;
    }
    free(g->slot);
    g->slot = slot;
    g->slots = slots;
    g->room = slots / 2;
    for (size_t i = 0; i < g->n; i++) {
        g->slot[key_slot(g, &g->key[i])] = (uint32_t)(i + 1);
    }
    return 0;
}

int ho_groups_find(const struct ho_groups *g, const char *a, const char *b, const char *c,
                   size_t *ret)
{
    const struct ho_group_key k = { a, b, c };

    if (g->n == 0) {
        return -ENOENT;
    }
    uint32_t number = g->slot[key_slot(g, &k)];
    if (number == 0) {
        return -ENOENT;
    }
    *ret = number - 1;
    return 0;
}

int ho_groups_of(struct ho_groups *g, const char *a, const char *b, const char *c, size_t *ret)
{
    const struct ho_group_key k = { a, b, c };

    if (ho_groups_find(g, a, b, c, ret) == 0) {
        return 0;
    }
    if (g->n == g->room && make_room(g) != 0) {
        return -ENOMEM;
    }
    g->key[g->n] = k;
    g->slot[key_slot(g, &k)] = (uint32_t)++g->n;
    *ret = g->n - 1;
    return 0;
}
