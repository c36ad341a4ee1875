/* A middlebox between two cables that keeps a table of TCP flows and forgets idle ones: a
 * firewall, a load balancer or a NAT as connections feel it. Addresses are left as they are.
 *
 * A SYN makes a flow; each segment of it, from either side, starts its idle time again. After the
 * idle time the flow is forgotten, and a segment without a flow is dropped silently or answered
 * with RST, from whichever side it comes. A RST that passes ends its flow; a flow that was
 * closed in order is forgotten like an idle one. Whatever is not TCP passes.
 *
 *     feed     ho_middlebox_input()
 *     drain    ho_middlebox_output()   until NULL, before the next input
 *
 * Forgetting needs no tick: a flow counts as forgotten once its time is over. With tick at each
 * deadline the counts are up to date as well, so that the moment can be shown.
 */

#ifndef HO_LINK_MIDDLEBOX_H
#define HO_LINK_MIDDLEBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/time.h"
#include "link/fate.h"

enum ho_middlebox_mode {
    HO_MIDDLEBOX_DROP,
    HO_MIDDLEBOX_RST
};

struct ho_middlebox_count {
    uint64_t passed;       /* segments of a flow */
    uint64_t passed_other; /* not TCP */
    uint64_t flows;        /* made */
    uint64_t forgotten;    /* idle for too long */
    uint64_t reset;        /* ended by a RST that passed */
    uint64_t dropped;      /* segments without a flow */
    uint64_t answered;     /* of those, answered with RST */
    uint64_t table_full;   /* SYNs dropped because of it */
    uint64_t no_memory;    /* RSTs that could not be made */
};

struct ho_middlebox {
    enum ho_middlebox_mode mode;
    struct ho_dur idle;
    struct ho_pool flows;
    struct ho_list oldest;   /* all flows, the one idle for longest first */
    struct ho_list *buckets; /* a power of two of them */
    size_t n_buckets;
    struct ho_middlebox_count count;
    struct ho_bufpool *bufs;

    struct ho_buf *pending; /* the frame to put out */
    unsigned pending_port;
};

/* A middlebox that remembers at most `max_flows` flows, `idle` long.
 *
 * Returns 0; -ENOMEM with nothing to be freed.
 */
int ho_middlebox_init(struct ho_middlebox *m, enum ho_middlebox_mode mode, struct ho_dur idle,
                      size_t max_flows, struct ho_bufpool *bufs);
void ho_middlebox_destroy(struct ho_middlebox *m);

/* A frame has arrived at `port`, 0 or 1; consumed. What the frame before it led to must have been
 * taken with ho_middlebox_output().
 *
 * Returns HO_FATE_FWD if it goes on; HO_FATE_LOST if not, whether it is answered or not.
 */
enum ho_fate ho_middlebox_input(struct ho_middlebox *m, unsigned port, struct ho_buf *frame,
                                struct ho_time now);

/* The frame to leave, now the caller's, and its port in *ret_port: the one that came in, at the
 * other port, or a RST, back to where it came from. NULL if there is none. A RST is a new
 * frame: its `tag` and `user` are 0.
 */
struct ho_buf *ho_middlebox_output(struct ho_middlebox *m, unsigned *ret_port);

/* When the next flow is to be forgotten, or HO_NEVER. */
struct ho_time ho_middlebox_deadline(const struct ho_middlebox *m);

/* Forgets the flows whose time is over. Returns how many. */
size_t ho_middlebox_tick(struct ho_middlebox *m, struct ho_time now);

/* Flows in the table. */
size_t ho_middlebox_flows(const struct ho_middlebox *m);

#endif
