/* From four-tuple to connection, request or TIME-WAIT record.
 *
 * The two addresses have already become a way (way.c), so the key is the way and two ports, hashed
 * with the host's secret key: who does not know it cannot make long chains. Chains are linked by
 * 32-bit references inside the objects; the buckets double when there are two entries for each.
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/machine.h"

#define FIRST_BUCKETS 64u
#define LOAD 2u /* entries a bucket before the table doubles */

struct key {
    const struct ho_tcp_path *path;
    uint16_t lport, rport;
};

/* The key of what `ref` names, and where its chain goes on. */
static uint32_t *look(struct ho_host *h, uint32_t ref, struct key *ret)
{
    uint32_t number = ref & ~HO_REF_TYPE;

    if ((ref & HO_REF_TYPE) == HO_REF_SOCK) {
        struct ho_sock *s = ho_slots_at(&h->socks, number);
        *ret = (struct key){ s->tcp.path, s->tcp.lport, s->tcp.rport };
        return &s->next;
    }
    if ((ref & HO_REF_TYPE) == HO_REF_REQ) {
        struct ho_req *r = ho_slots_at(&h->reqs, number);
        *ret = (struct key){ r->r.path, r->r.lport, r->r.rport };
        return &r->next;
    }
    struct ho_tw *t = ho_slots_at(&h->tws, number);
    *ret = (struct key){ t->t.path, t->t.lport, t->t.rport };
    return &t->next;
}

static uint32_t *bucket(struct ho_host *h, const struct ho_tcp_path *path, uint16_t lport,
                        uint16_t rport)
{
    uint64_t number = ((const struct ho_way *)(const void *)path)->number;
    uint64_t word = number << 32 | (uint64_t)lport << 16 | rport;

    static_assert(offsetof(struct ho_way, path) == 0, "a path is the start of its way");
    return &h->demux_bucket[ho_siphash(&h->key, &word, sizeof(word)) & h->demux_mask];
}

uint32_t ho_demux_find(struct ho_host *h, const struct ho_way *way, uint16_t lport, uint16_t rport)
{
    struct key k;

    if (h->demux_bucket == NULL) {
        return HO_REF_NONE;
    }
    if (h->demux_last != HO_REF_NONE) { /* most segments come for whom the last one came */
        (void)look(h, h->demux_last, &k);
        if (k.rport == rport && k.lport == lport && k.path == &way->path) {
            return h->demux_last;
        }
    }
    uint32_t ref = *bucket(h, &way->path, lport, rport);
    while (ref != HO_REF_NONE) {
        const uint32_t *next = look(h, ref, &k);

        if (k.rport == rport && k.lport == lport && k.path == &way->path) {
            h->demux_last = ref;
            return ref;
        }
        ref = *next;
    }
    return HO_REF_NONE;
}

static void chain(struct ho_host *h, uint32_t ref)
{
    struct key k;
    uint32_t *next = look(h, ref, &k);
    uint32_t *head = bucket(h, k.path, k.lport, k.rport);

    *next = *head;
    *head = ref;
}

/* Doubles the buckets, or makes the first ones; on failure chains only get longer. */
static int grow(struct ho_host *h)
{
    uint32_t *old = h->demux_bucket;
    uint32_t n_old = old == NULL ? 0 : h->demux_mask + 1;
    uint32_t n = old == NULL ? FIRST_BUCKETS : 2 * n_old;
    uint32_t *fresh = malloc(n * sizeof(*fresh));

    if (fresh == NULL) {
        return old == NULL ? -ENOMEM : 0;
    }
    memset(fresh, 0xff, n * sizeof(*fresh)); /* HO_REF_NONE */
    h->demux_bucket = fresh;
    h->demux_mask = n - 1;
    for (uint32_t i = 0; i < n_old; i++) {
        uint32_t ref = old[i];

        while (ref != HO_REF_NONE) {
            struct key k;
            uint32_t next = *look(h, ref, &k);

            chain(h, ref);
            ref = next;
        }
    }
    free(old);
    return 0;
}

int ho_demux_add(struct ho_host *h, uint32_t ref)
{
    if ((h->demux_bucket == NULL || h->demux_used > LOAD * (uint64_t)h->demux_mask) &&
        grow(h) != 0) {
        return -ENOMEM;
    }
    chain(h, ref);
    h->demux_used++;
    return 0;
}

/* Where the chain points at `ref`. */
static uint32_t *find_link(struct ho_host *h, uint32_t ref)
{
    struct key k;

    (void)look(h, ref, &k);
    uint32_t *at = bucket(h, k.path, k.lport, k.rport);
    while (*at != ref) {
        assert(*at != HO_REF_NONE);
        at = look(h, *at, &k);
    }
    return at;
}

void ho_demux_remove(struct ho_host *h, uint32_t ref)
{
    uint32_t *at = find_link(h, ref);
    struct key k;

    *at = *look(h, ref, &k);
    h->demux_used--;
    h->demux_last = HO_REF_NONE;
}

void ho_demux_replace(struct ho_host *h, uint32_t old, uint32_t new)
{
    uint32_t *at = find_link(h, old);
    struct key k;

    *look(h, new, &k) = *look(h, old, &k);
    *at = new;
    h->demux_last = HO_REF_NONE;
}
