/* Addresses and routes: see route.h. Two small arrays, searched from one end to the other: a host
 * in a scenario has a handful, and a way (way.c) asks once until something changes.
 *
 * Sources: Linux fib_frontend.c's rules (routes go with their link; an address brings its on-link
 * route), RFC 1122 3.3.1, RFC 4291, RFC 6724 5 (rules 2 and 8); ground-truth B3e.
 */

#include "host/route.h"

#include <errno.h>

#include "host/machine.h"

static unsigned bits_of(const struct ho_addr *a, unsigned prefix)
{
    return ho_addr_is_v4(a) ? 96 + prefix : prefix;
}

static bool link_is_up(const struct ho_host *h, int nic)
{
    return nic == HO_NIC_LO ? h->lo_up : h->nic[nic].up;
}

bool ho_addr_is_of(const struct ho_host *h, int nic, const struct ho_addr *a)
{
    for (int i = 0; i < h->n_addrs; i++) {
        if (h->addr[i].nic == nic && h->addr[i].live && ho_addr_eq(&h->addr[i].addr, a)) {
            return true;
        }
    }
    return false;
}

bool ho_addr_is_local(const struct ho_host *h, const struct ho_addr *a)
{
    if (ho_addr_is_loopback(a)) {
        return h->lo_up;
    }
    for (int i = 0; i < h->n_addrs; i++) {
        if (h->addr[i].live && ho_addr_eq(&h->addr[i].addr, a) && link_is_up(h, h->addr[i].nic)) {
            return true;
        }
    }
    return false;
}

struct ho_addr ho_addr_link_local(const struct ho_mac *mac)
{
    const uint8_t *m = mac->b;

    return (struct ho_addr){ .b = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, (uint8_t)(m[0] ^ 2u), m[1], m[2],
                                    0xff, 0xfe, m[3], m[4], m[5] } };
}

/* A link without carrier still has its routes, unless the host is told to leave those out. */
static bool usable(const struct ho_host *h, const struct ho_route *r)
{
    enum ho_sysctl knob =
        r->ipv6 ? HO_SYSCTL_IGNORE_ROUTES_WITH_LINKDOWN6 : HO_SYSCTL_IGNORE_ROUTES_WITH_LINKDOWN;

    if (!r->live || !link_is_up(h, r->nic)) {
        return false;
    }
    return r->nic == HO_NIC_LO || !h->nic[r->nic].dead || h->sys.v[knob] == 0;
}

int ho_route_find(const struct ho_host *h, const struct ho_addr *src, const struct ho_addr *dst,
                  struct ho_hop *ret)
{
    const struct ho_route *best = NULL;
    bool ipv6 = !ho_addr_is_v4(dst);

    if ((src != NULL && !ho_addr_is_local(h, src)) || ho_addr_is_multicast(dst) ||
        ho_addr_is_any(dst)) {
        return -ENETUNREACH;
    }
    if (ho_addr_is_local(h, dst)) {
        *ret = (struct ho_hop){ .nic = HO_NIC_LO, .addr = *dst, .mtu = HO_LO_MTU };
        return 0;
    }
    for (int i = 0; i < h->n_routes; i++) {
        const struct ho_route *r = &h->route[i];

        if (r->ipv6 == ipv6 && usable(h, r) && ho_addr_in(dst, &r->net, r->bits) &&
            (best == NULL || r->bits > best->bits)) {
            best = r;
        }
    }
    if (best == NULL) {
        return -ENETUNREACH;
    }
    ret->nic = best->nic;
    ret->addr = best->has_gateway ? best->gateway : *dst;
    ret->mtu = best->nic == HO_NIC_LO ? HO_LO_MTU : h->nic[best->nic].mtu;
    return 0;
}

static bool is_link_local(const struct ho_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool ho_route_link_local(const struct ho_host *h, int nic, struct ho_addr *ret)
{
    for (int i = 0; i < h->n_addrs; i++) {
        if (h->addr[i].live && h->addr[i].nic == nic && is_link_local(&h->addr[i].addr)) {
            *ret = h->addr[i].addr;
            return true;
        }
    }
    return false;
}

/* How well address `i` suits: its interface, its scope, its subnet; 0: not at all. */
static int fitness(const struct ho_host *h, int i, const struct ho_addr *dst,
                   const struct ho_hop *hop)
{
    const struct ho_ifaddr *a = &h->addr[i];
    int fit = 1;

    if (!a->live || !link_is_up(h, a->nic) || ho_addr_is_v4(&a->addr) != ho_addr_is_v4(dst)) {
        return 0;
    }
    if (is_link_local(&a->addr) && (a->nic != hop->nic || !is_link_local(dst))) {
        return 0;
    }
    if (is_link_local(&a->addr) == is_link_local(dst)) {
        fit += 4;
    }
    if (a->nic == hop->nic) {
        fit += 2;
    }
    return ho_addr_in(&hop->addr, &a->addr, a->bits) ? fit + 1 : fit;
}

int ho_route_source(const struct ho_host *h, const struct ho_addr *dst, const struct ho_hop *hop,
                    struct ho_addr *ret)
{
    int best = -1;
    int best_fit = 0;

    if (hop->nic == HO_NIC_LO) {
        *ret = *dst;
        return 0;
    }
    for (int i = 0; i < h->n_addrs; i++) {
        int fit = fitness(h, i, dst, hop);

        if (fit > best_fit) {
            best = i;
            best_fit = fit;
        }
    }
    if (best < 0) {
        return -EADDRNOTAVAIL;
    }
    *ret = h->addr[best].addr;
    return 0;
}

/* ---- changes -------------------------------------------------------------------------------- */

static struct ho_route *find_route(struct ho_host *h, int nic, const struct ho_addr *net,
                                   unsigned bits, bool ipv6)
{
    for (int i = 0; i < h->n_routes; i++) {
        struct ho_route *r = &h->route[i];

        if (r->ipv6 == ipv6 && r->bits == bits && ho_addr_in(net, &r->net, bits) &&
            (nic == r->nic || nic < HO_NIC_LO)) {
            return r;
        }
    }
    return NULL;
}

#define ANY_NIC (HO_NIC_LO - 1)

static int put_route(struct ho_host *h, const struct ho_route *r)
{
    /* IPv4 knows a destination once; IPv6 once an interface. */
    struct ho_route *same = find_route(h, r->ipv6 ? r->nic : ANY_NIC, &r->net, r->bits, r->ipv6);

    if (same != NULL && same->live) {
        return -EEXIST;
    }
    if (same != NULL) {
        *same = *r;
        return 0;
    }
    if (h->n_routes == HO_HOST_ROUTES) {
        return -ENOSPC;
    }
    h->route[h->n_routes++] = *r;
    return 0;
}

static void cut_route(struct ho_host *h, struct ho_route *r)
{
    int at = (int)(r - h->route);

    h->n_routes--;
    for (int i = at; i < h->n_routes; i++) {
        h->route[i] = h->route[i + 1];
    }
}

int ho_host_route_add(struct ho_host *h, int nic, const struct ho_addr *net, unsigned prefix,
                      const struct ho_addr *gateway, struct ho_time now)
{
    struct ho_route r = { .net = *net,
                          .bits = (uint8_t)bits_of(net, prefix),
                          .nic = (int8_t)nic,
                          .ipv6 = !ho_addr_is_v4(net),
                          .has_gateway = gateway != NULL,
                          .live = true };

    if (gateway != NULL) {
        r.gateway = *gateway;
    }
    if (!link_is_up(h, nic)) {
        return -ENETDOWN;
    }
    int err = put_route(h, &r);
    if (err == 0) {
        ho_ways_refresh(h);
        ho_machine_run(h, now);
    }
    return err;
}

int ho_host_route_del(struct ho_host *h, int nic, const struct ho_addr *net, unsigned prefix,
                      struct ho_time now)
{
    struct ho_route *r = find_route(h, nic, net, bits_of(net, prefix), !ho_addr_is_v4(net));

    if (r == NULL || !r->live) {
        return -ESRCH;
    }
    cut_route(h, r);
    ho_ways_refresh(h);
    ho_machine_run(h, now);
    return 0;
}

int ho_host_route_flush(struct ho_host *h, int nic, struct ho_time now)
{
    for (int i = h->n_routes - 1; i >= 0; i--) {
        if (h->route[i].nic == nic) {
            cut_route(h, &h->route[i]);
        }
    }
    ho_ways_refresh(h);
    ho_machine_run(h, now);
    return 0;
}

/* The on-link route of an address: none for a whole address (/32, /128). */
static void route_of_addr(struct ho_host *h, const struct ho_ifaddr *a)
{
    struct ho_route r = { .net = a->addr,
                          .bits = a->bits,
                          .nic = a->nic,
                          .ipv6 = !ho_addr_is_v4(&a->addr),
                          .of_addr = true,
                          .live = true };

    if (a->bits < 128) {
        (void)put_route(h, &r); /* two addresses of one subnet share the route */
    }
}

int ho_host_addr_add(struct ho_host *h, int nic, const struct ho_addr *a, unsigned prefix,
                     struct ho_time now)
{
    struct ho_ifaddr x = {
        .addr = *a, .bits = (uint8_t)bits_of(a, prefix), .nic = (int8_t)nic, .live = true
    };

    for (int i = 0; i < h->n_addrs; i++) {
        if (h->addr[i].nic == nic && ho_addr_eq(&h->addr[i].addr, a)) {
            if (h->addr[i].live) {
                return -EEXIST;
            }
            h->addr[i] = h->addr[--h->n_addrs];
            break;
        }
    }
    if (h->n_addrs == HO_HOST_ADDRS) {
        return -ENOSPC;
    }
    h->addr[h->n_addrs++] = x;
    if (link_is_up(h, nic)) {
        route_of_addr(h, &x);
    }
    ho_ways_refresh(h);
    ho_machine_run(h, now);
    return 0;
}

/* True if another address of the interface lies in the same subnet: the route stays. */
static bool subnet_in_use(const struct ho_host *h, const struct ho_ifaddr *gone)
{
    for (int i = 0; i < h->n_addrs; i++) {
        const struct ho_ifaddr *a = &h->addr[i];

        if (a->live && a->nic == gone->nic && a->bits == gone->bits &&
            ho_addr_in(&a->addr, &gone->addr, gone->bits)) {
            return true;
        }
    }
    return false;
}

static bool has_v4(const struct ho_host *h, int nic)
{
    for (int i = 0; i < h->n_addrs; i++) {
        if (h->addr[i].nic == nic && h->addr[i].live && ho_addr_is_v4(&h->addr[i].addr)) {
            return true;
        }
    }
    return false;
}

/* The last IPv4 address of an interface takes IPv4 from it, as Linux's fib_disable_ip() does: all
 * its routes and neighbours, permanent ones too (s03z_addrdel_*). IPv6 has no such rule.
 */
static void disable_v4(struct ho_host *h, int nic)
{
    for (int i = h->n_routes - 1; i >= 0; i--) {
        if (h->route[i].nic == nic && ho_addr_is_v4(&h->route[i].net)) {
            cut_route(h, &h->route[i]);
        }
    }
    ho_neigh_flush_v4(h, nic);
}

int ho_host_addr_del(struct ho_host *h, int nic, const struct ho_addr *a, struct ho_time now)
{
    int at = -1;

    for (int i = 0; i < h->n_addrs; i++) {
        if (h->addr[i].nic == nic && h->addr[i].live && ho_addr_eq(&h->addr[i].addr, a)) {
            at = i;
        }
    }
    if (at < 0) {
        return -EADDRNOTAVAIL;
    }
    struct ho_ifaddr gone = h->addr[at];
    h->n_addrs--;
    for (int i = at; i < h->n_addrs; i++) {
        h->addr[i] = h->addr[i + 1]; /* in place: the first address is the preferred source */
    }
    if (!subnet_in_use(h, &gone)) {
        struct ho_route *r = find_route(h, nic, &gone.addr, gone.bits, !ho_addr_is_v4(a));

        if (r != NULL && r->of_addr) {
            cut_route(h, r);
        }
    }
    if (nic != HO_NIC_LO && ho_addr_is_v4(a) && !has_v4(h, nic)) {
        disable_v4(h, nic);
    }
    ho_ways_refresh(h);
    ho_machine_run(h, now);
    return 0;
}

void ho_route_link(struct ho_host *h, int nic, bool up)
{
    if (!up) {
        for (int i = 0; i < h->n_routes; i++) {
            if (h->route[i].nic == nic) {
                h->route[i].live = false;
            }
        }
        for (int i = 0; i < h->n_addrs; i++) {
            if (h->addr[i].nic == nic && !ho_addr_is_v4(&h->addr[i].addr)) {
                h->addr[i].live = false; /* keep_addr_on_down=0 */
            }
        }
        return;
    }
    for (int i = 0; i < h->n_addrs; i++) {
        struct ho_ifaddr *a = &h->addr[i];

        if (a->nic == nic && is_link_local(&a->addr)) {
            a->live = true;
        }
        if (a->nic == nic && a->live) {
            route_of_addr(h, a);
        }
    }
}

void ho_route_boot(struct ho_host *h)
{
    for (int i = 0; i < h->n_addrs; i++) {
        h->addr[i].live = true;
        route_of_addr(h, &h->addr[i]);
    }
    for (int i = 0; i < h->n_routes; i++) {
        h->route[i].live = true;
    }
}
