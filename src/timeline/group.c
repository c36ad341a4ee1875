/* Keys of three texts in an open hash table. See timeline/group.h. */

#include "timeline/group.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64

void ho_groups_free(struct ho_groups *g)
{
    if (g != NULL) {
        free(g->key);
        free(g->hash);
        free(g->slot);
        *g = (struct ho_groups){ 0 };
    }
}

/* Mixes in a text: its length and its last 16 bytes, which tell most names apart; those that they
 * do not are told apart when they are compared.
 */
static uint64_t mix_text(uint64_t h, const char *s)
{
    size_t len = strlen(s);
    uint64_t part[2] = { 0 };

    memcpy(part, len > sizeof(part) ? s + len - sizeof(part) : s,
           len > sizeof(part) ? sizeof(part) : len);
    h = (h ^ part[0] ^ len) * UINT64_C(0x9e3779b97f4a7c15);
    h ^= h >> 32;
    return (h ^ part[1]) * UINT64_C(0xff51afd7ed558ccd);
}

static uint32_t key_hash(const struct ho_group_key *k)
{
    uint64_t h = mix_text(mix_text(mix_text(0, k->a), k->b), k->c);

    return (uint32_t)(h >> 32);
}

static bool same_key(const struct ho_group_key *x, const struct ho_group_key *y)
{
    return strcmp(x->c, y->c) == 0 && strcmp(x->a, y->a) == 0 && strcmp(x->b, y->b) == 0;
}

static size_t key_slot(const struct ho_groups *g, const struct ho_group_key *k, uint32_t hash)
{
    size_t i = hash & (g->slots - 1);

    while (g->slot[i] != 0) {
        size_t number = g->slot[i] - 1;

        if (g->hash[number] == hash && same_key(&g->key[number], k)) {
            break;
        }
        i = (i + 1) & (g->slots - 1);
    }
    return i;
}

static size_t recent_slot(const struct ho_group_key *k)
{
    uintptr_t h = (uintptr_t)k->a ^ (uintptr_t)k->b * 3 ^ (uintptr_t)k->c * 5;

    return (h >> 3 ^ h >> 9) & (HO_GROUPS_RECENT - 1);
}

static bool is_recent(const struct ho_groups *g, const struct ho_group_key *k, size_t *ret)
{
    size_t i = recent_slot(k);
    const struct ho_group_key *r = &g->recent[i].key;

    if (r->a != k->a || r->b != k->b || r->c != k->c) {
        return false;
    }
    *ret = g->recent[i].number;
    return true;
}

static int make_room(struct ho_groups *g)
{
    size_t slots = g->slots == 0 ? FIRST_SLOTS : g->slots * 4;
    struct ho_group_key *key = realloc(g->key, slots / 2 * sizeof(*key));

    if (key == NULL) {
        return -ENOMEM;
    }
    g->key = key;
    uint32_t *hash = realloc(g->hash, slots / 2 * sizeof(*hash));
    if (hash == NULL) {
        return -ENOMEM;
    }
    g->hash = hash;
    uint32_t *slot = calloc(slots, sizeof(*slot));
    if (slot == NULL) {
        return -ENOMEM;
    }
    free(g->slot);
    g->slot = slot;
    g->slots = slots;
    g->room = slots / 2;
    for (size_t i = 0; i < g->n; i++) {
        g->slot[key_slot(g, &g->key[i], g->hash[i])] = (uint32_t)(i + 1);
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
    if (is_recent(g, &k, ret)) {
        return 0;
    }
    uint32_t number = g->slot[key_slot(g, &k, key_hash(&k))];
    if (number == 0) {
        return -ENOENT;
    }
    *ret = number - 1;
    return 0;
}

int ho_groups_of(struct ho_groups *g, const char *a, const char *b, const char *c, size_t *ret)
{
    const struct ho_group_key k = { a, b, c };

    if (is_recent(g, &k, ret)) {
        return 0;
    }
    uint32_t hash = key_hash(&k);
    if (g->n == g->room && make_room(g) != 0) {
        return -ENOMEM;
    }
    size_t i = key_slot(g, &k, hash);
    if (g->slot[i] == 0) {
        g->key[g->n] = k;
        g->hash[g->n] = hash;
        g->slot[i] = (uint32_t)++g->n;
    }
    *ret = g->slot[i] - 1;
    i = recent_slot(&k);
    g->recent[i].key = k;
    g->recent[i].number = *ret;
    return 0;
}
