/* The plan's cables, switches and middleboxes, joined: what lies between hosts (src/link).
 *
 * The wires know no host. Frames that have reached a host's port, and changes of a port's carrier,
 * are pulled:
 *
 *     feed     ho_wires_send()       a host has put a frame on its port
 *     wake     ho_wires_tick()       when ho_wires_deadline() has come
 *     drain    ho_wires_receive()    until NULL, after tick
 *              ho_wires_carrier()    until false, after fault and power
 *     sleep    until ho_wires_deadline()
 *
 * Receiving and carrier are lazy: the next frame is looked for when it is asked for, so that what
 * one frame leads to can be sent before the next is taken. Between tick and the NULL of receive,
 * ho_wires_send() alone may be called; between a fault and the false of carrier also only that.
 *
 * Records. Each frame that is sent is recorded (frames.h), and its fate wherever it meets it: when
 * it enters a cable, when a cut takes it on its way, in a middlebox that has forgotten its flow,
 * or on arrival. The record's index travels in the buffer's tag[0]; tag[1] and user are the
 * engine's. A fault writes its record before it is done.
 *
 * Deadlines by part. A world with a queue of deadlines of its own keeps one for each part - cable
 * or middlebox - in place of ho_wires_deadline(): ho_wires_armed() says which have a new one
 * since it was asked last, ho_wires_tick_part() wakes one.
 */

#ifndef HO_PLAY_WIRES_H
#define HO_PLAY_WIRES_H

#include "base/buf.h"
#include "base/pool.h"
#include "link/cable.h"
#include "link/middlebox.h"
#include "link/switch.h"
#include "play/trace.h"

/* A cable, or a node (middleboxes have deadlines). */
struct ho_wires_part {
    struct ho_list armed; /* ho_wires.armed, while ho_wires_armed() has not told of `at` */
    struct ho_time at;    /* HO_NEVER: nothing is due */
    size_t index;         /* see ho_wires_armed() */
};

struct ho_wires_cable {
    struct ho_wires_part part;
    struct ho_cable cable;
    bool built;
    uint16_t node[2];  /* at end 0 and 1 */
    uint8_t port[2];   /* of these nodes */
    int8_t carrier[2]; /* as the nodes were told; -1: not at all */
};

/* Where a cable ends. */
struct ho_wires_port {
    struct ho_wires_cable *cable;
    unsigned end;
};

struct ho_wires_node {
    struct ho_wires_part part;
    /* What it is: one of these; a host has neither. */
    struct ho_switch *sw;
    struct ho_middlebox *box;
    struct ho_wires_port *port;
    unsigned ports;
};

struct ho_wires {
    struct ho_trace *tr;
    struct ho_bufpool *bufs;
    struct ho_pool flights;
    struct ho_wires_cable *cable; /* by the plan's index, as node */
    struct ho_wires_node *node;
    struct ho_wires_port *port; /* of all nodes */
    struct ho_list armed;
    /* What receive and carrier are at; NULL: nothing. */
    struct ho_wires_cable *ticking, *telling;
    unsigned tick_end, tell_end;
    bool tick_all; /* ho_wires_tick(): whatever is due, one part after another */
};

/* A port of a host whose carrier has changed. */
struct ho_wires_carrier {
    uint16_t node;
    uint8_t port;
    bool on;
};

/* Builds what lies between the hosts of tr->plan (ho_trace_begin() comes first): every cable
 * whole, every host with power and carrier. Buffers that enter come from `bufs`, which is the
 * engine's and outlives the wires. Returns 0; -ENOMEM: only destroy may follow.
 */
int ho_wires_init(struct ho_wires *w, struct ho_trace *tr, struct ho_bufpool *bufs);

/* Frees what the wires own, frames under way included. A zeroed struct is fine. */
void ho_wires_destroy(struct ho_wires *w);

/* How many ports a node has. */
unsigned ho_wires_ports(const struct ho_wires *w, uint16_t node);

/* Host `node` sends a frame through its port at `now`; consumed. Any bytes may come. */
void ho_wires_send(struct ho_wires *w, uint16_t node, unsigned port, struct ho_buf *frame,
                   struct ho_time now);

/* When ho_wires_tick() is to be called at the latest, or HO_NEVER. */
struct ho_time ho_wires_deadline(const struct ho_wires *w);

/* Lets everything happen that is due at `now`: frames arrive, middleboxes forget. */
void ho_wires_tick(struct ho_wires *w, struct ho_time now);

/* The next frame that has arrived at a host, now the caller's, with the host and its port; NULL if
 * there is none. Its arrival is recorded if the port has its address or it is for all.
 */
struct ho_buf *ho_wires_receive(struct ho_wires *w, uint16_t *ret_node, unsigned *ret_port);

/* Parts in place of deadline and tick: 0 .. are the cables, those from the plan's cable_count on
 * the nodes. ho_wires_armed(): the next part whose deadline has changed, in the order in which
 * they did; false if there is none. ho_wires_tick_part() is followed by receive as tick is.
 */
bool ho_wires_armed(struct ho_wires *w, size_t *ret_part, struct ho_time *ret_at);
void ho_wires_tick_part(struct ho_wires *w, size_t part, struct ho_time now);

/* Does a CUT, UNPLUG, PLUG or DROP step to the cable, its record first. Carrier follows by
 * ho_wires_carrier(): by then nothing passes any more. Returns 0; -EINVAL with trace->why: too many
 * orders to drop frames are in force.
 */
int ho_wires_fault(struct ho_wires *w, uint16_t cable, const struct ho_step *step,
                   struct ho_time now);

/* The power of host `node` went off or came on: the cable at `port` is told. For each port in turn,
 * carrier in between. A host without power is not told of its carrier; with power it is.
 */
void ho_wires_power(struct ho_wires *w, uint16_t node, unsigned port, bool on, struct ho_time now);

/* The next host's port whose carrier has changed; false if there is none. Switches are told here.
 */
bool ho_wires_carrier(struct ho_wires *w, struct ho_wires_carrier *ret);

#endif
