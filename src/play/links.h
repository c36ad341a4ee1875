/* Interfaces: which cable they are the end of, their MACs, who is on the same link. */

#ifndef HO_PLAY_LINKS_H
#define HO_PLAY_LINKS_H

#include "scenario/plan.h"

/* An interface of a host: eth<port>. */
struct ho_play_port {
    uint16_t node;
    uint8_t port;
};

/* The MAC of interface `port` of a node (scenario/plan.h: the node's, with the number added). */
struct ho_mac ho_play_mac(const struct ho_plan_node *n, unsigned port);

/* How many cables end at the node: its interfaces are eth0 .. of that count. */
unsigned ho_play_ports(const struct ho_plan *p, uint16_t node);

/* The cable at a node's port, and in *ret_end which of its ends that is; HO_PLAN_NONE: none. */
uint16_t ho_play_cable_at(const struct ho_plan *p, uint16_t node, unsigned port, unsigned *ret_end);

/* The interfaces of other hosts that are reached from interface `port` of host `node` through
 * switches and middleboxes, in *ret (the caller's to free(); NULL if there are none) and *ret_n.
 * For the permanent neighbour entries of a plan. Returns 0; -ENOMEM.
 */
int ho_play_link(const struct ho_plan *p, uint16_t node, unsigned port, struct ho_play_port **ret,
                 size_t *ret_n);

#endif
