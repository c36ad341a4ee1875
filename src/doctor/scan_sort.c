/* The order of a scan, and each connection once. See doctor/scan_work.h.
 *
 * Small keys are sorted and not connections of 200 bytes: namespace, family and port, then the
 * first bytes of the peer's address; only what agrees in those is looked at.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/scan_work.h"

struct key {
    uint64_t place; /* namespace, family, local port: 32, 1, 16 bits */
    uint64_t peer;  /* where addresses differ: of IPv4 the address and the port */
    const struct ho_conn *c;
};

static uint64_t bytes(const uint8_t *b, unsigned n)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < n; i++) {
        v = v << 8 | b[i];
    }
    return v;
}

static struct key key_of(const struct ho_conn *c)
{
    return (struct key){
        .place = (uint64_t)c->host << 17 | (uint64_t)c->ipv6 << 16 | c->lport,
        .peer = c->ipv6 ? bytes(c->remote.b, 8) : bytes(c->remote.b + 12, 4) << 16 | c->rport,
        .c = c,
    };
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_place(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int order = compare(x->place, y->place);

    order = order != 0 ? order : compare(x->peer, y->peer);
    order = order != 0 ? order : memcmp(&x->c->remote, &y->c->remote, sizeof(x->c->remote));
    order = order != 0 ? order : compare(x->c->rport, y->c->rport);
    order = order != 0 ? order : memcmp(&x->c->local, &y->c->local, sizeof(x->c->local));
    return order != 0 ? order : compare(x->c->inode, y->c->inode);
}

/* A socket that moved in the kernel's tables during the dump was told twice. */
int ho_scan_sort(struct ho_scan_work *w)
{
    size_t n = 0, all = w->s.n_conns;
    struct key *k = malloc((all + 1) * sizeof(*k));
    struct ho_conn *sorted = malloc((all + 1) * sizeof(*sorted));

    if (k == NULL || sorted == NULL) {
        free(k);
        free(sorted);
        return -ENOMEM;
    }
    for (size_t i = 0; i < all; i++) {
        k[i] = key_of(&w->s.conns[i]);
    }
    qsort(k, all, sizeof(*k), by_place);
    for (size_t i = 0; i < all; i++) {
        if (i == 0 || by_place(&k[i - 1], &k[i]) != 0) {
            sorted[n++] = *k[i].c;
        }
    }
    free(k);
    free(w->s.conns);
    w->s.conns = sorted;
    w->s.n_conns = n;
    w->conn_room = all + 1;
    return 0;
}
