/* A namespace's links, addresses, routes and neighbours, by rtnetlink(7).
 *
 * A handle is a netlink socket opened inside a namespace; it acts on that namespace whoever uses
 * it from wherever. It keeps the namespace alive: close it at power-off.
 */

#ifndef HO_OS_NET_H
#define HO_OS_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/addr.h"

struct ho_os_net;

/* `netns`: a namespace; -1: the one this thread is in. Returns 0 with *ret; a negative errno. */
int ho_os_net_open(struct ho_os_net **ret, int netns);
void ho_os_net_close(struct ho_os_net *n);

/* --- links ------------------------------------------------------------------------------------ */

/* The number of the interface called `name`: > 0; -ENODEV. */
int ho_os_net_link(struct ho_os_net *n, const char *name);

/* ip link set up, down. Returns 0; -ENODEV; -EPERM. */
int ho_os_net_link_up(struct ho_os_net *n, int ifindex, bool up);

/* ip link set address. Returns 0; -ENODEV; -EBUSY (the driver wants the link down); -EADDRNOTAVAIL.
 */
int ho_os_net_link_mac(struct ho_os_net *n, int ifindex, const struct ho_mac *mac);

/* ip link del. Returns 0; -ENODEV. */
int ho_os_net_link_del(struct ho_os_net *n, int ifindex);

/* A pair of virtual Ethernet interfaces (veth(4)): `far` in the handle's namespace, the other in
 * `netns`, both down. Returns 0; -EEXIST; -EOPNOTSUPP without CONFIG_VETH; -EINVAL, -ERANGE.
 */
struct ho_os_veth {
    const char *far;
    const char *name; /* in netns */
    int netns;
    struct ho_mac mac; /* of `name` */
    uint32_t mtu;      /* of both */
};
int ho_os_net_veth_add(struct ho_os_net *n, const struct ho_os_veth *v);

/* ip link set mtu, arp off. Returns 0; -ENODEV; -EINVAL. */
int ho_os_net_link_mtu(struct ho_os_net *n, int ifindex, uint32_t mtu);
int ho_os_net_link_noarp(struct ho_os_net *n, int ifindex);

struct ho_os_link {
    int ifindex;
    bool up, carrier; /* IFF_UP, IFF_LOWER_UP */
    uint32_t mtu;
    struct ho_mac mac;
};

/* Returns 0; -ENODEV. */
int ho_os_net_link_get(struct ho_os_net *n, int ifindex, struct ho_os_link *ret);

/* --- addresses and routes --------------------------------------------------------------------- */

/* `bits` counts within the family: 24 of IPv4, 64 of IPv6. IPv6 addresses are usable at once
 * (IFA_F_NODAD), and neighbours are answered when this returns. Returns 0; -EEXIST; -ENODEV;
 * -EADDRNOTAVAIL (to delete).
 */
int ho_os_net_addr_add(struct ho_os_net *n, int ifindex, const struct ho_addr *addr, unsigned bits);
int ho_os_net_addr_del(struct ho_os_net *n, int ifindex, const struct ho_addr *addr, unsigned bits);

/* The route to net/bits by `ifindex` (0: where `via` leads), through `via` (NULL: directly).
 * A default route is the unspecified address with 0 bits: its family is that of `net`, 0.0.0.0 or
 * ::. Returns 0; -EEXIST; -ENETUNREACH (`via` cannot be reached); -ENODEV; -ESRCH (to delete).
 */
int ho_os_net_route_add(struct ho_os_net *n, int ifindex, const struct ho_addr *net, unsigned bits,
                        const struct ho_addr *via);
int ho_os_net_route_del(struct ho_os_net *n, int ifindex, const struct ho_addr *net, unsigned bits,
                        const struct ho_addr *via);

/* --- neighbours ------------------------------------------------------------------------------- */

/* NUD states as neigh(7) and linux/neighbour.h number them. */
#define HO_OS_NUD_INCOMPLETE 0x01u
#define HO_OS_NUD_REACHABLE 0x02u
#define HO_OS_NUD_STALE 0x04u
#define HO_OS_NUD_DELAY 0x08u
#define HO_OS_NUD_PROBE 0x10u
#define HO_OS_NUD_FAILED 0x20u
#define HO_OS_NUD_NOARP 0x40u
#define HO_OS_NUD_PERMANENT 0x80u

struct ho_os_neigh {
    int ifindex;
    struct ho_addr addr;
    struct ho_mac mac; /* zero while not known */
    uint16_t state;    /* HO_OS_NUD_... */
    bool gone;         /* of a watch: it was deleted */
};

/* A permanent entry, made or replaced. Returns 0; -ENODEV; -EINVAL. */
int ho_os_net_neigh_set(struct ho_os_net *n, int ifindex, const struct ho_addr *addr,
                        const struct ho_mac *mac);

/* Returns 0; -ENOENT. */
int ho_os_net_neigh_del(struct ho_os_net *n, int ifindex, const struct ho_addr *addr);

/* All neighbours of both families but NOARP ones (multicast, loopback), at most `max` of them.
 *
 * Returns how many the kernel has (more than `max`: those beyond are not in `ret`); -ENOMEM.
 */
int ho_os_net_neighs(struct ho_os_net *n, struct ho_os_neigh *ret, size_t max);

/* A descriptor that is readable when a neighbour of the namespace changed (RTMGRP_NEIGH); read by
 * ho_os_net_watch_read(). It is the handle's and closed with it. Returns it; a negative errno.
 */
int ho_os_net_watch(struct ho_os_net *n);

/* The next change. Returns 1; 0 when there is none left; -ENOBUFS when the kernel had to drop some
 * (ho_os_net_neighs() then says how things stand).
 */
int ho_os_net_watch_read(struct ho_os_net *n, struct ho_os_neigh *ret);

/* --- which interfaces exist ------------------------------------------------------------------- */

/* How many interfaces the namespace has, `lo` included. A device of a namespace that died is gone
 * from the far end's namespace too: that is how a test sees it die. Returns >= 0; a negative errno.
 */
int ho_os_net_links(struct ho_os_net *n);

#endif
