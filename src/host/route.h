/* Addresses and routes of a host, and the way to a destination that follows from them.
 *
 * Longest prefix first; the host's own addresses are reached over lo, as Linux's local table has
 * them first. Links, addresses and routes that a scenario takes away keep their place: power
 * brings back what was configured.
 */

#ifndef HO_HOST_ROUTE_H
#define HO_HOST_ROUTE_H

#include "host/host.h"

#define HO_HOST_ADDRS 64
#define HO_HOST_ROUTES 256

struct ho_ifaddr {
    struct ho_addr addr;
    uint8_t bits; /* of the 128: an IPv4 prefix counts from 96 */
    int8_t nic;
    bool live; /* false: lost with its link (IPv6), until power brings it back */
};

struct ho_route {
    struct ho_addr net;
    struct ho_addr gateway;
    uint8_t bits; /* of the 128 */
    int8_t nic;
    bool ipv6, has_gateway;
    bool of_addr; /* on-link route that came with an address */
    bool live;    /* false: lost with its link, until it comes back or power does */
};

/* Where a packet goes next. */
struct ho_hop {
    int nic;             /* HO_NIC_LO: to this host itself */
    struct ho_addr addr; /* the neighbour: the destination or a gateway */
    uint16_t mtu;
};

/* The way to `dst`, from `src` if it is not NULL. Returns 0; -ENETUNREACH if there is no route, or
 * `src` is not an address of the host (measured: ground-truth B3e), with *ret untouched.
 */
int ho_route_find(const struct ho_host *h, const struct ho_addr *src, const struct ho_addr *dst,
                  struct ho_hop *ret);

/* The address that a packet to `dst` over `hop` gets. Returns 0; -EADDRNOTAVAIL. */
int ho_route_source(const struct ho_host *h, const struct ho_addr *dst, const struct ho_hop *hop,
                    struct ho_addr *ret);

/* True if `a` is an address of this host, on any interface that is up, or loopback. */
bool ho_addr_is_local(const struct ho_host *h, const struct ho_addr *a);

/* True if `a` is an address of interface `nic`. */
bool ho_addr_is_of(const struct ho_host *h, int nic, const struct ho_addr *a);

/* The link-local address of `nic`: true and *ret, or false if it has lost it. */
bool ho_route_link_local(const struct ho_host *h, int nic, struct ho_addr *ret);

/* The link of `nic` has gone down or come up: routes, and IPv6 addresses, go or come with it. */
void ho_route_link(struct ho_host *h, int nic, bool up);

/* Power is on: everything that was configured is there. */
void ho_route_boot(struct ho_host *h);

/* IPv6's link-local address of an interface (RFC 4291 appendix A). */
struct ho_addr ho_addr_link_local(const struct ho_mac *mac);

#endif
