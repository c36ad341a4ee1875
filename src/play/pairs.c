/* Pairs of addresses and ports in a hash table that grows. */

#include "play/conns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "play/trace.h"

#define BUCKETS 64 /* to begin with */

void ho_play_conns_init(struct ho_play_conns *c)
{
    *c = (struct ho_play_conns){ 0 };
    ho_pool_init(&c->pairs, sizeof(struct ho_play_pair), SIZE_MAX);
    ho_pool_init(&c->conns, sizeof(struct ho_play_conn), SIZE_MAX);
}

void ho_play_conns_free(struct ho_play_conns *c)
{
    ho_pool_destroy(&c->pairs);
    ho_pool_destroy(&c->conns);
    free(c->bucket);
    c->bucket = NULL;
    c->buckets = 0;
}

/* ---- pairs ----------------------------------------------------------------------------------- */

/* Over what makes a pair, the ends already in order. Nobody chooses addresses to collide here. */
static uint32_t pair_hash(const struct ho_addr addr[2], const uint16_t port[2])
{
    uint64_t h = (uint64_t)port[0] << 16 | port[1];

    for (unsigned e = 0; e < 2; e++) {
        uint64_t word[2];

        memcpy(word, addr[e].b, sizeof(word));
        h = (h ^ word[0]) * 0x9e3779b97f4a7c15u;
        h = (h ^ h >> 29 ^ word[1]) * 0xbf58476d1ce4e5b9u;
    }
    return (uint32_t)(h >> 32);
}

static bool pair_is(const struct ho_play_pair *p, const struct ho_addr addr[2],
                    const uint16_t port[2])
{
    return p->port[0] == port[0] && p->port[1] == port[1] &&
           memcmp(p->addr, addr, sizeof(p->addr)) == 0;
}

/* Puts the ends into the order of a pair; returns the index that the local one gets. */
static unsigned order(const struct ho_play_tuple *t, struct ho_addr addr[2], uint16_t port[2])
{
    int c = memcmp(&t->local, &t->remote, sizeof(t->local));
    unsigned i = c < 0 || (c == 0 && t->lport <= t->rport) ? 0 : 1;

    addr[i] = t->local;
    port[i] = t->lport;
    addr[1 - i] = t->remote;
    port[1 - i] = t->rport;
    return i;
}

struct ho_play_pair *ho_play_pair_find(const struct ho_trace *tr, const struct ho_play_tuple *t,
                                       unsigned *ret_end)
{
    const struct ho_play_conns *c = &tr->conns;
    struct ho_addr addr[2];
    uint16_t port[2];

    *ret_end = order(t, addr, port);
    if (c->buckets == 0) {
        return NULL;
    }
    struct ho_play_pair *p = c->bucket[pair_hash(addr, port) & (c->buckets - 1)];

    while (p != NULL && !pair_is(p, addr, port)) {
        p = p->next;
    }
    return p;
}

/* Room for one more pair. False without memory. */
static bool make_room(struct ho_play_conns *c)
{
    if (c->count < c->buckets) {
        return true;
    }
    size_t buckets = c->buckets == 0 ? BUCKETS : c->buckets * 4;
    struct ho_play_pair **bucket = calloc(buckets, sizeof(void *));

    if (bucket == NULL) {
        return false;
    }
    for (size_t i = 0; i < c->buckets; i++) {
        for (struct ho_play_pair *p = c->bucket[i]; p != NULL;) {
            struct ho_play_pair *next = p->next;
            size_t to = pair_hash(p->addr, p->port) & (buckets - 1);

            p->next = bucket[to];
            bucket[to] = p;
            p = next;
        }
    }
    free(c->bucket);
    c->bucket = bucket;
    c->buckets = buckets;
    return true;
}

struct ho_play_pair *ho_play_pair_get(struct ho_trace *tr, const struct ho_play_tuple *t,
                                      unsigned *ret_end)
{
    struct ho_play_conns *c = &tr->conns;
    struct ho_play_pair *p = ho_play_pair_find(tr, t, ret_end);

    if (p != NULL) {
        return p;
    }
    if (!make_room(c) || (p = ho_pool_get(&c->pairs)) == NULL) {
        ho_trace_fail(tr, -ENOMEM, "no memory for a connection's record");
        return NULL;
    }
    order(t, p->addr, p->port);
    size_t i = pair_hash(p->addr, p->port) & (c->buckets - 1);

    p->next = c->bucket[i];
    c->bucket[i] = p;
    c->count++;
    return p;
}
