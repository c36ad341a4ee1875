/* A learning switch (IEEE 802.1D 7): forwards at once, floods what it does not know, forgets a
 * port's addresses when the port goes down. No ageing, no spanning tree: do not build loops.
 *
 * The switch does not know cables: whoever joins them gives it the frames that arrived at a port
 * and carries on what it puts out.
 *
 *     feed     ho_switch_input()
 *     drain    ho_switch_output()   until NULL, before the next input
 */

#ifndef HO_LINK_SWITCH_H
#define HO_LINK_SWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/pool.h"
#include "link/fate.h"
#include "wire/addr.h"

struct ho_switch_count {
    uint64_t forwarded, flooded; /* frames that came in */
    uint64_t filtered;           /* for the port they came from */
    uint64_t no_port;            /* no other port is up, or it came from one that is down */
    uint64_t not_learned;        /* the table is full, or memory ran out */
    uint64_t short_frame;
    uint64_t no_memory; /* copies that could not be made */
};

struct ho_switch {
    unsigned ports;
    bool *up;
    struct ho_list *buckets; /* a power of two of them */
    size_t n_buckets;
    struct ho_pool entries;
    struct ho_switch_count count;
    struct ho_bufpool *bufs;

    struct ho_buf *pending; /* the frame to put out */
    unsigned from, next;    /* flooding: where it came from; the next port to look at */
    bool flood;
};

/* A switch of `ports` ports, all up, that learns at most `addresses` addresses.
 *
 * Returns 0; -ENOMEM with nothing to be freed.
 */
int ho_switch_init(struct ho_switch *s, unsigned ports, size_t addresses, struct ho_bufpool *bufs);
void ho_switch_destroy(struct ho_switch *s);

/* A frame has arrived at `port`; consumed. Everything the frame before it led to must have been
 * taken with ho_switch_output().
 *
 * Returns HO_FATE_FWD; HO_FATE_NO_CARRIER if no port it could leave through is up;
 * HO_FATE_LOST if it is not for anybody beyond the port it came from, or too short.
 */
enum ho_fate ho_switch_input(struct ho_switch *s, unsigned port, struct ho_buf *frame);

/* The next frame to leave, now the caller's, and its port in *ret_port; NULL if there is none. */
struct ho_buf *ho_switch_output(struct ho_switch *s, unsigned *ret_port);

/* Says whether a port has carrier. A port that goes down is forgotten. */
void ho_switch_port(struct ho_switch *s, unsigned port, bool up);

/* True if `mac` is known, with its port in *ret_port. */
bool ho_switch_find(const struct ho_switch *s, const struct ho_mac *mac, unsigned *ret_port);

#endif
