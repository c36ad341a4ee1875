/* The table of addresses: buckets of entries from a pool. */

#include "link/switch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "wire/eth.h"

struct entry {
    struct ho_list node; /* in its bucket */
    struct ho_mac mac;
    unsigned port;
};

int ho_switch_init(struct ho_switch *s, unsigned ports, size_t addresses, struct ho_bufpool *bufs)
{
    assert(ports > 0);
    size_t n_buckets = 1;

    while (n_buckets < addresses) {
        n_buckets *= 2;
    }

    bool *up = malloc(ports * sizeof(*up));
    struct ho_list *buckets = malloc(n_buckets * sizeof(*buckets));
    if (up == NULL || buckets == NULL) {
        free(up);
        free(buckets);
        return -ENOMEM;
    }
    for (unsigned i = 0; i < ports; i++) {
        up[i] = true;
    }
    for (size_t i = 0; i < n_buckets; i++) {
        ho_list_init(&buckets[i]);
    }
    *s = (struct ho_switch){
        .ports = ports, .up = up, .buckets = buckets, .n_buckets = n_buckets, .bufs = bufs
    };
    ho_pool_init(&s->entries, sizeof(struct entry), addresses);
    return 0;
}

void ho_switch_destroy(struct ho_switch *s)
{
    ho_buf_put(s->bufs, s->pending);
    ho_pool_destroy(&s->entries);
    free(s->up);
    free(s->buckets);
    *s = (struct ho_switch){ .ports = 0 };
}

static struct ho_list *bucket_of(const struct ho_switch *s, const struct ho_mac *mac)
{
    uint64_t hash = 0;

    for (int i = 0; i < 6; i++) {
        hash = (hash ^ mac->b[i]) * 0x100000001b3u; /* FNV-1a: no adversary here */
    }
    return &s->buckets[(hash ^ hash >> 32) & (s->n_buckets - 1)];
}

static struct entry *find(const struct ho_switch *s, const struct ho_mac *mac)
{
    struct ho_list *bucket = bucket_of(s, mac);

    for (struct ho_list *n = bucket->next; n != bucket; n = n->next) {
        struct entry *e = ho_container(n, struct entry, node);

        if (ho_mac_eq(&e->mac, mac)) {
            return e;
        }
    }
    return NULL;
}

bool ho_switch_find(const struct ho_switch *s, const struct ho_mac *mac, unsigned *ret_port)
{
    const struct entry *e = find(s, mac);

    if (e == NULL) {
        return false;
    }
    *ret_port = e->port;
    return true;
}

static void learn(struct ho_switch *s, const struct ho_mac *mac, unsigned port)
{
    if (ho_mac_is_multicast(mac)) {
        return; /* nobody's address */
    }

    struct entry *e = find(s, mac);
    if (e == NULL) {
        e = ho_pool_get(&s->entries);
        if (e == NULL) {
            s->count.not_learned++;
            return;
        }
        e->mac = *mac;
        ho_list_push(bucket_of(s, mac), &e->node);
    }
    e->port = port;
}

static void forget(struct ho_switch *s, unsigned port)
{
    struct ho_list *const end = s->buckets + s->n_buckets;

    for (struct ho_list *bucket = s->buckets; bucket < end; bucket++) {
        struct ho_list *next;

        for (struct ho_list *n = bucket->next; n != bucket; n = next) {
            struct entry *e = ho_container(n, struct entry, node);

            next = n->next;
            if (e->port == port) {
                ho_list_remove(n);
                ho_pool_put(&s->entries, e);
            }
        }
    }
}

void ho_switch_port(struct ho_switch *s, unsigned port, bool up)
{
    assert(port < s->ports);
    s->up[port] = up;
    if (!up) {
        forget(s, port);
    }
}

/* The next port that a flooded frame goes to; s->ports if there is none. */
static unsigned next_flooded(const struct ho_switch *s, unsigned port)
{
    while (port < s->ports && (port == s->from || !s->up[port])) {
        port++;
    }
    return port;
}

static enum ho_fate refuse(struct ho_switch *s, struct ho_buf *frame, enum ho_fate fate)
{
    ho_buf_put(s->bufs, frame);
    return fate;
}

enum ho_fate ho_switch_input(struct ho_switch *s, unsigned port, struct ho_buf *frame)
{
    assert(port < s->ports && s->pending == NULL);
    struct ho_wire_eth eth;

    if (ho_wire_eth_read(&eth, ho_buf_bytes(frame), frame->len) != 0) {
        s->count.short_frame++;
        return refuse(s, frame, HO_FATE_LOST);
    }
    if (!s->up[port]) {
        s->count.no_port++;
        return refuse(s, frame, HO_FATE_NO_CARRIER);
    }
    learn(s, &eth.src, port);
    s->from = port;
    s->flood = ho_mac_is_multicast(&eth.dst) || !ho_switch_find(s, &eth.dst, &s->next);
    if (s->flood) {
        s->next = next_flooded(s, 0);
        if (s->next == s->ports) {
            s->count.no_port++;
            return refuse(s, frame, HO_FATE_NO_CARRIER);
        }
    } else if (s->next == port) {
        s->count.filtered++;
        return refuse(s, frame, HO_FATE_LOST);
    }
    s->count.forwarded += s->flood ? 0 : 1;
    s->count.flooded += s->flood ? 1 : 0;
    s->pending = frame;
    return HO_FATE_FWD;
}

struct ho_buf *ho_switch_output(struct ho_switch *s, unsigned *ret_port)
{
    while (s->pending != NULL) {
        unsigned after = s->flood ? next_flooded(s, s->next + 1) : s->ports;
        struct ho_buf *out = s->pending;

        *ret_port = s->next;
        s->next = after;
        if (after == s->ports) {
            s->pending = NULL; /* the last one gets the frame itself */
            return out;
        }
        out = ho_buf_copy(s->bufs, out);
        if (out != NULL) {
            return out;
        }
        s->count.no_memory++;
    }
    return NULL;
}
