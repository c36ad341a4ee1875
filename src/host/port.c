/* Local ports: who is on which, what bind() may take, and which port connect() picks.
 *
 * A record counts the sockets on one port at one local address; a connection at rest holds no
 * entry of its own. The rules are Linux's inet_csk_bind_conflict() (two sockets on one port and
 * overlapping addresses need SO_REUSEADDR both, and none of them may listen) and
 * __inet_hash_connect() (a port that only connect() has picked may be picked again for another
 * peer; a search starts at a secret offset of the peer, even ports first, so that odd ones are
 * left for bind()).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/machine.h"

static uint32_t *head_of(struct ho_host *h, uint16_t port)
{
    return &h->port_bucket[port % HO_PORT_BUCKETS];
}

static struct ho_port *find(struct ho_host *h, const struct ho_addr *addr, uint16_t port)
{
    uint32_t at = h->port_bucket == NULL ? HO_SLOT_NONE : *head_of(h, port);

    while (at != HO_SLOT_NONE) {
        struct ho_port *p = ho_slots_at(&h->ports, at);

        if (p->port == port && ho_addr_eq(&p->addr, addr)) {
            return p;
        }
        at = p->next;
    }
    return NULL;
}

int ho_port_hold(struct ho_host *h, const struct ho_addr *addr, uint16_t port, unsigned flags)
{
    struct ho_port *p = find(h, addr, port);
    uint32_t number;

    if (h->port_bucket == NULL) {
        h->port_bucket = malloc(HO_PORT_BUCKETS * sizeof(*h->port_bucket));
        if (h->port_bucket == NULL) {
            return -ENOMEM;
        }
        memset(h->port_bucket, 0xff, HO_PORT_BUCKETS * sizeof(*h->port_bucket));
    }
    if (p == NULL) {
        p = ho_slots_get(&h->ports, &number);
        if (p == NULL) {
            return -ENOMEM;
        }
        p->number = number;
        p->addr = *addr;
        p->port = port;
        p->next = *head_of(h, port);
        *head_of(h, port) = number;
    }
    p->total++;
    p->no_reuse += (flags & HO_SOCK_REUSE) == 0;
    p->not_picked += (flags & HO_SOCK_PICKED) == 0;
    return 0;
}

void ho_port_release(struct ho_host *h, const struct ho_addr *addr, uint16_t port, unsigned flags)
{
    struct ho_port *p = find(h, addr, port);

    p->total--;
    p->no_reuse -= (flags & HO_SOCK_REUSE) == 0;
    p->not_picked -= (flags & HO_SOCK_PICKED) == 0;
    if (p->total != 0) {
        return;
    }
    uint32_t *at = head_of(h, port);
    while (*at != p->number) {
        at = &((struct ho_port *)ho_slots_at(&h->ports, *at))->next;
    }
    *at = p->next;
    ho_slots_put(&h->ports, p->number);
}

void ho_port_listening(struct ho_host *h, const struct ho_addr *addr, uint16_t port, int change)
{
    struct ho_port *p = find(h, addr, port);

    p->listening += (uint32_t)change;
}

/* `::` takes IPv4 as well (net.ipv6.bindv6only=0). */
static bool overlap(const struct ho_addr *a, const struct ho_addr *b)
{
    if (ho_addr_eq(a, b)) {
        return true;
    }
    bool a_any = ho_addr_is_any(a), b_any = ho_addr_is_any(b);
    bool a_v4 = ho_addr_is_v4(a), b_v4 = ho_addr_is_v4(b);
    return (a_any && (!a_v4 || b_v4)) || (b_any && (!b_v4 || a_v4));
}

/* True if a socket may not join those on `port`. */
static bool conflict(struct ho_host *h, const struct ho_addr *addr, uint16_t port, bool reuse)
{
    uint32_t at = h->port_bucket == NULL ? HO_SLOT_NONE : *head_of(h, port);

    while (at != HO_SLOT_NONE) {
        const struct ho_port *p = ho_slots_at(&h->ports, at);

        if (p->port == port && overlap(&p->addr, addr) &&
            (!reuse || p->no_reuse > 0 || p->listening > 0)) {
            return true;
        }
        at = p->next;
    }
    return false;
}

/* The range of ports that the host picks from: its start and its length. */
static uint32_t range(const struct ho_host *h, uint32_t *ret_low)
{
    uint32_t low = (uint32_t)h->sys.v[HO_SYSCTL_IP_LOCAL_PORT_RANGE_MIN];
    uint32_t high = (uint32_t)h->sys.v[HO_SYSCTL_IP_LOCAL_PORT_RANGE_MAX];

    *ret_low = low;
    return high - low + 1;
}

int ho_port_bind(struct ho_host *h, const struct ho_addr *addr, uint16_t port, bool reuse)
{
    uint32_t low;
    uint32_t n = range(h, &low);

    if (port != 0) {
        return conflict(h, addr, port, reuse) ? -EADDRINUSE : port;
    }
    /* inet_csk_find_open_port(): odd offsets first, then even ones. */
    uint32_t offset = (uint32_t)ho_rng_below(&h->rng, n) | 1u;
    for (uint32_t parity = 0; parity < 2; parity++) {
        for (uint32_t i = 0; i < n; i += 2) {
            uint16_t p = (uint16_t)(low + (offset + i + parity) % n);

            if (!conflict(h, addr, p, false)) {
                return p;
            }
        }
    }
    return -EADDRINUSE;
}

int ho_port_may_listen(struct ho_host *h, const struct ho_addr *addr, uint16_t port, bool reuse)
{
    uint32_t at = *head_of(h, port);

    /* The socket itself is among those counted: with others there, the rules of bind() anew. */
    while (at != HO_SLOT_NONE) {
        const struct ho_port *p = ho_slots_at(&h->ports, at);
        bool own = ho_addr_eq(&p->addr, addr);

        if (p->port == port && overlap(&p->addr, addr) &&
            (p->listening > 0 || (p->total > own && (!reuse || p->no_reuse > 0)))) {
            return -EADDRINUSE;
        }
        at = p->next;
    }
    return 0;
}

bool ho_port_tuple_free(struct ho_host *h, struct ho_way *way, uint16_t lport, uint16_t rport)
{
    uint32_t ref = ho_demux_find(h, way, lport, rport);

    if (ref == HO_REF_NONE) {
        return true;
    }
    if ((ref & HO_REF_TYPE) != HO_REF_TW) {
        return false;
    }
    struct ho_tw *t = ho_slots_at(&h->tws, ref & ~HO_REF_TYPE);
    if (!ho_tcp_tw_reusable(&h->env, &t->t, h->now)) {
        return false;
    }
    ho_tw_free(h, t);
    return true;
}

/* True if connect() may pick `port` as far as others on it go. */
static bool may_share(struct ho_host *h, uint16_t port)
{
    uint32_t at = h->port_bucket == NULL ? HO_SLOT_NONE : *head_of(h, port);

    while (at != HO_SLOT_NONE) {
        const struct ho_port *p = ho_slots_at(&h->ports, at);

        if (p->port == port && p->not_picked > 0) {
            return false;
        }
        at = p->next;
    }
    return true;
}

int ho_port_pick(struct ho_host *h, struct ho_way *way, uint16_t rport)
{
    uint32_t low;
    uint32_t n = range(h, &low);
    uint32_t evens = (n + 1) / 2;
    uint64_t word = (uint64_t)way->number << 16 | rport;
    uint64_t start = ho_siphash(&h->env.secret, &word, sizeof(word)) % evens + h->next_port;

    /* One round over the even offsets and then the odd ones, going on where the last one ended, so
     * that a host with most of its ports in use does not look at all of them each time.
     */
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)((start + i) % n);
        uint16_t port = (uint16_t)(low + (at < evens ? 2 * at : 2 * (at - evens) + 1));

        if (may_share(h, port) && ho_port_tuple_free(h, way, port, rport)) {
            uint32_t skip = (uint32_t)ho_rng_below(&h->rng, 8);

            h->next_port += (i > skip ? i : skip) + 1;
            return port;
        }
    }
    return -EADDRNOTAVAIL;
}
