/* How long a neighbour counts as reachable, in a namespace: what the kernel drew.
 *
 * An interface has one such time a family, drawn between 0.5 and 1.5 of base_reachable_time_ms when
 * the interface comes up and again every 300 s (arp(7); neigh_rand_reach_time). It is told with the
 * neighbour tables' parameters (rtnetlink(7), RTM_GETNEIGHTBL, NDTPA_REACHABLE_TIME).
 */

#ifndef HO_OS_NEIGHTBL_H
#define HO_OS_NEIGHTBL_H

#include <stddef.h>
#include <stdint.h>

/* One interface's, in ascending order of `ifindex`. */
struct ho_os_reachable {
    int ifindex;
    int64_t ns;
};

/* Reads those of every interface but `lo` of namespace `netns`, in `family` (AF_INET or AF_INET6).
 *
 * Returns how many are in `ret` (at most `max`; more are left out); a negative errno of netlink.
 */
int ho_os_reachable_times(int netns, int family, struct ho_os_reachable *ret, size_t max);

#endif
