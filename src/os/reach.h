/* How peers are reached, as a namespace's routing table says (rtnetlink(7), RTM_GETROUTE): the
 * kernel's own answer, with policy rules, VRFs and all. Each pair of addresses is asked for once,
 * many in one datagram, for there may be a hundred thousand.
 *
 *     ho_os_reach_want(r, &local, &remote, 0, &which);    for each connection
 *     ho_os_reach_ask(r);                                 once
 *     way = ho_os_reach_way(r, which);
 */

#ifndef HO_OS_REACH_H
#define HO_OS_REACH_H

#include <stdbool.h>
#include <stdint.h>

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

/* Notes the way from `local` to `remote`, both of one family; `ifindex`: the interface that the
 * socket is bound to, or 0. Returns 0 with *ret_which for ho_os_reach_way(); -ENOMEM.
 */
int ho_os_reach_want(struct ho_os_reach *r, const struct ho_addr *local,
                     const struct ho_addr *remote, int ifindex, uint32_t *ret_which);

/* Asks the kernel for all that were noted since. Returns 0; a negative errno of netlink. */
int ho_os_reach_ask(struct ho_os_reach *r);

/* The answer: nothing `known` where there is no route, or before it was asked for. */
struct ho_os_way ho_os_reach_way(const struct ho_os_reach *r, uint32_t which);

#endif
