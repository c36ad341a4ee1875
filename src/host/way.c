/* Ways: the paths that connections share, and where their packets go next.
 *
 * There is one for every pair of addresses that is in use, counted by its users. The route is
 * looked up when the way is made and again whenever routes, addresses or links change; so
 * `route_err` is right whenever TCP reads it, and a packet costs no look-up.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/machine.h"

#define FIRST_BUCKETS 64u

static uint64_t hash(const struct ho_host *h, const struct ho_addr *local,
                     const struct ho_addr *remote)
{
    struct ho_addr pair[2] = { *local, *remote };

    return ho_siphash(&h->key, pair, sizeof(pair));
}

static void look_up(struct ho_host *h, struct ho_way *w)
{
    w->neigh = NULL;
    w->path.route_err = ho_route_find(h, &w->path.local, &w->path.remote, &w->hop);
    if (w->path.route_err == 0) {
        w->path.mtu = w->hop.mtu;
    }
}

void ho_ways_refresh(struct ho_host *h)
{
    for (uint32_t i = 0; i < h->ways.top; i++) {
        struct ho_way *w = ho_slots_at(&h->ways, i);

        if (w->path.refs != 0) {
            look_up(h, w);
        }
    }
    h->generation++;
}

struct ho_way *ho_way_find(struct ho_host *h, const struct ho_addr *local,
                           const struct ho_addr *remote)
{
    struct ho_way *w = h->last_way;

    if (w != NULL && ho_addr_eq(&w->path.remote, remote) && ho_addr_eq(&w->path.local, local)) {
        return w;
    }
    if (h->way_bucket == NULL) {
        return NULL;
    }
    uint32_t at = h->way_bucket[hash(h, local, remote) & h->way_mask];
    while (at != HO_SLOT_NONE) {
        w = ho_slots_at(&h->ways, at);
        if (ho_addr_eq(&w->path.remote, remote) && ho_addr_eq(&w->path.local, local)) {
            h->last_way = w;
            return w;
        }
        at = w->next;
    }
    return NULL;
}

static void chain(struct ho_host *h, struct ho_way *w)
{
    uint32_t *head = &h->way_bucket[hash(h, &w->path.local, &w->path.remote) & h->way_mask];

    w->next = *head;
    *head = w->number;
}

/* Doubles the buckets, or makes the first ones; on failure chains only get longer. */
static int grow(struct ho_host *h)
{
    uint32_t n = h->way_bucket == NULL ? FIRST_BUCKETS : 2 * (h->way_mask + 1);
    uint32_t *bucket = malloc(n * sizeof(*bucket));

    if (bucket == NULL) {
        return h->way_bucket == NULL ? -ENOMEM : 0;
    }
    memset(bucket, 0xff, n * sizeof(*bucket)); /* HO_SLOT_NONE */
    free(h->way_bucket);
    h->way_bucket = bucket;
    h->way_mask = n - 1;
    for (uint32_t i = 0; i < h->ways.top; i++) {
        struct ho_way *w = ho_slots_at(&h->ways, i);

        if (w->path.refs != 0) {
            chain(h, w);
        }
    }
    return 0;
}

struct ho_way *ho_way_get(struct ho_host *h, const struct ho_addr *local,
                          const struct ho_addr *remote)
{
    struct ho_way *w = ho_way_find(h, local, remote);
    uint32_t number;

    if (w != NULL) {
        w->path.refs++;
        return w;
    }
    if ((h->way_bucket == NULL || h->ways.used > h->way_mask) && grow(h) != 0) {
        return NULL;
    }
    w = ho_slots_get(&h->ways, &number);
    if (w == NULL) {
        return NULL;
    }
    w->number = number;
    w->path.local = *local;
    w->path.remote = *remote;
    w->path.refs = 1;
    if (h->sys.v[HO_SYSCTL_TCP_TIMESTAMPS] == 1) { /* RFC 7323 5.4; 2: without an offset */
        struct ho_addr pair[2] = { *local, *remote };

        w->path.ts_offset = (uint32_t)ho_siphash(&h->env.secret, pair, sizeof(pair));
    }
    look_up(h, w);
    chain(h, w);
    return w;
}

void ho_way_put(struct ho_host *h, struct ho_tcp_path *path)
{
    struct ho_way *w = ho_container(path, struct ho_way, path);

    if (--path->refs != 0) {
        return;
    }
    uint32_t *at = &h->way_bucket[hash(h, &path->local, &path->remote) & h->way_mask];
    while (*at != w->number) {
        at = &((struct ho_way *)ho_slots_at(&h->ways, *at))->next;
    }
    *at = w->next;
    if (h->last_way == w) {
        h->last_way = NULL;
    }
    ho_slots_put(&h->ways, w->number);
}
