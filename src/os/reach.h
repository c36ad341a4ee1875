/* How a peer is reached, as a namespace's routing table says (rtnetlink(7), RTM_GETROUTE): the
 * kernel's own answer, with policy rules, VRFs and all. Each pair of addresses is asked for once.
 */

#ifndef HO_OS_REACH_H
#define HO_OS_REACH_H

#include <stdbool.h>

#include "wire/addr.h"

struct ho_os_reach;

struct ho_os_way {
    bool known;    /* there is a route */
    bool loopback; /* it leads to this machine itself */
    bool on_link;  /* no router between, on a link that resolves neighbours; or loopback */
};

/* `netns`: a namespace; -1: the one this thread is in. Returns 0 with *ret; a negative errno. */
int ho_os_reach_open(struct ho_os_reach **ret, int netns);
void ho_os_reach_close(struct ho_os_reach *r);

/* The way from `local` to `remote`, both of one family; `ifindex`: the interface that the socket is
 * bound to, or 0. Returns 0 with *ret, `known` false where there is no route; -ENOMEM; another
 * negative errno of netlink.
 */
int ho_os_reach(struct ho_os_reach *r, const struct ho_addr *local, const struct ho_addr *remote,
                int ifindex, struct ho_os_way *ret);

#endif
