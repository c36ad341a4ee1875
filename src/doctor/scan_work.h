/* A scan while it is made: what the parts of scan*.c share. */

#ifndef HO_DOCTOR_SCAN_WORK_H
#define HO_DOCTOR_SCAN_WORK_H

#include "doctor/scan.h"
#include "os/diag_read.h"
#include "os/owner.h"
#include "os/reach.h"

struct ho_scan_work {
    struct ho_scan s;
    const struct ho_scan_options *o;
    size_t host_room, conn_room, owner_room;
    size_t dumped; /* the first connection of the last dump */
    struct ho_os_owners *walk;
    char *why;
};

/* A list of `n` elements gets room for one more: twice as many. Returns 0; -ENOMEM, with the list
 * as it was.
 */
int ho_scan_grow(void **list, size_t *room, size_t n, size_t size);

/* What sock_diag says of a socket as a connection: without its namespace, its owner, the way to its
 * peer and its options, but with what its timer tells of SO_KEEPALIVE. Whatever `s` says is taken.
 */
struct ho_conn ho_scan_conn(const struct ho_os_sock *s);

/* The settings of a namespace (-1: the caller's) and its connections, in no order. Returns 0 with
 * *ret_ways for ho_scan_ways(), which must follow; a negative errno with the sentence in `why`.
 */
int ho_scan_dump(struct ho_scan_work *w, int netns, bool here, struct ho_os_reach **ret_ways);

/* How the peers of the last dump are reached. Returns as above; `ways` is closed. */
int ho_scan_ways(struct ho_scan_work *w, struct ho_os_reach *ways);

/* In the header's order, each connection once. Returns 0; -ENOMEM. */
int ho_scan_sort(struct ho_scan_work *w);

/* Who holds them, and their options; with o->pid the others go. The search goes on beside the
 * caller, from before the first dump, and is ended by who closes w->walk; connections that are
 * newer than it are searched for once more at the end. Both return as above.
 */
int ho_scan_owners_begin(struct ho_scan_work *w);
int ho_scan_owners(struct ho_scan_work *w);

#endif
