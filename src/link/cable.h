/* A cable: two ends, full duplex, with delay, rate, queue and accidents; it can be cut in the
 * middle, in one direction only, or be unplugged at an end.
 *
 * A direction is named by the end that sends into it. What enters is decided on at once, and
 * ho_cable_send() says the frame's fate: a frame that is forwarded arrives when its delay is
 * over - unless the cable is cut on its way, which takes everything that is travelling (measured:
 * ground-truth s04_bulk_*, fate "lost in flight"). Those frames are given back by
 * ho_cable_lost(), so that whoever noted "forwarded" can put it right.
 *
 *     feed     ho_cable_send()      a frame enters at an end
 *     wake     ho_cable_tick()      when ho_cable_deadline() has come
 *     drain    ho_cable_receive()   at both ends, after tick
 *              ho_cable_lost()      after cut, unplug and power
 *
 * Carrier: an end has it while it is plugged in and the devices at both ends have power. The cut
 * leaves it alone; pulling the plug at one end does not show at the other, as behind a switch or a
 * media converter (ground-truth row 3d). For a direct cable between two hosts, unplug both ends.
 *
 * Accidents are drawn from a stream of the world's seed for each direction, in a fixed order and
 * only for those with a rate above 0: the same frames have the same accidents in every run.
 */

#ifndef HO_LINK_CABLE_H
#define HO_LINK_CABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/time.h"
#include "link/fate.h"
#include "link/match.h"

#define HO_CABLE_ENDS 2
#define HO_CABLE_DROPS 16     /* orders to drop frames, in force at a time */
#define HO_CABLE_BOTH_WAYS 3u /* bit 0: what end 0 sends, bit 1: what end 1 sends */

/* One direction's nature. Accidents in parts per million, per frame. */
struct ho_cable_conf {
    struct ho_dur delay;
    uint64_t rate_bps; /* bits of frames a second; 0: infinite */
    uint32_t queue;    /* frames that may wait for the rate, at most; one more is on its way */
    uint32_t loss_ppm;
    uint32_t reorder_ppm;   /* late by up to the delay again, at least up to 1 ms */
    uint32_t duplicate_ppm; /* arrives twice */
    uint32_t corrupt_ppm;   /* one bit of an IP packet is turned; other frames are lost */
};

/* What happened to the frames that entered at one end. */
struct ho_cable_count {
    uint64_t fate[HO_FATE_COUNT]; /* as decided on sending */
    uint64_t bytes;               /* of forwarded frames */
    uint64_t cut_under_way, no_carrier_under_way;
    uint64_t dropped; /* by order: ho_cable_drop_next(); a part of fate[LOST] */
    uint64_t corrupted, duplicated, reordered;
    uint64_t no_memory; /* a copy that was not made, or a frame lost for lack of memory */
};

/* A frame under way: the pool that all cables of a world share has objects of this. */
struct ho_flight {
    struct ho_list way;  /* in the order of arrival */
    struct ho_list wait; /* in the order of sending, until its transmission begins */
    struct ho_buf *frame;
    struct ho_time starts, arrives;
    enum ho_fate fate; /* of those in the list of the lost */
};

struct ho_cable_drop {
    struct ho_match match;
    uint32_t left; /* 0: a free slot */
    uint8_t from;  /* bits as HO_CABLE_BOTH_WAYS */
};

struct ho_cable_way {
    struct ho_cable_conf conf;
    struct ho_cable_count count;
    struct ho_rng rng;
    struct ho_list flights, waiting; /* struct ho_flight */
    struct ho_time busy_until;       /* when the last bit that was accepted is on its way */
    uint32_t n_waiting;
    bool cut;
};

struct ho_cable {
    struct ho_cable_way way[HO_CABLE_ENDS]; /* way[end]: what `end` sends */
    struct ho_bufq arrived[HO_CABLE_ENDS];  /* at that end */
    struct ho_list lost;
    struct ho_cable_drop drop[HO_CABLE_DROPS]; /* in the order of giving */
    bool unplugged[HO_CABLE_ENDS];
    bool power_off[HO_CABLE_ENDS]; /* of the device at that end */
    struct ho_bufpool *bufs;
    struct ho_pool *flights;
};

/* A whole cable, both devices with power. conf[end] is for what `end` sends. Buffers that enter
 * come from `bufs` and go back there when they are lost; `flights` is a pool of struct ho_flight
 * and bounds how many frames are under way in all cables that share it. `stream` tells this
 * cable's random numbers from those of others with the same seed; it uses stream and stream + 1.
 */
void ho_cable_init(struct ho_cable *c, const struct ho_cable_conf conf[HO_CABLE_ENDS],
                   uint64_t seed, uint64_t stream, struct ho_bufpool *bufs,
                   struct ho_pool *flights);

/* Gives back every frame that is under way, has arrived or was lost. */
void ho_cable_destroy(struct ho_cable *c);

/* A frame enters at `end`; consumed whatever its fate is. The fate holds for this cable:
 *
 * HO_FATE_FWD         it is under way, and so may be a second copy of it
 * HO_FATE_NO_CARRIER  this end has no carrier, or the other one is unplugged or without power
 * HO_FATE_CUT         the direction is cut
 * HO_FATE_QUEUE       too many frames wait for the rate
 * HO_FATE_LOST        dropped by order, by accident, or for lack of memory; or damaged: then the
 *                     damaged frame still arrives, for the receiver's checksum to find
 */
enum ho_fate ho_cable_send(struct ho_cable *c, unsigned end, struct ho_buf *frame,
                           struct ho_time now);

/* The same for a frame whose way is known: it arrives at now + delay, if it does; rate, queue and
 * the cable's own delay are not looked at.
 */
enum ho_fate ho_cable_send_delayed(struct ho_cable *c, unsigned end, struct ho_buf *frame,
                                   struct ho_time now, struct ho_dur delay);

/* When the next frame arrives at either end, or HO_NEVER. */
struct ho_time ho_cable_deadline(const struct ho_cable *c);

/* Lets every frame arrive that is due at `now`. */
void ho_cable_tick(struct ho_cable *c, struct ho_time now);

/* The next frame that has arrived at `end`, now the caller's; NULL if there is none. At equal
 * times, in the order of sending.
 */
struct ho_buf *ho_cable_receive(struct ho_cable *c, unsigned end);

/* The next frame that was forwarded and then lost under way, now the caller's, and its fate in
 * *ret_fate: HO_FATE_CUT or HO_FATE_NO_CARRIER. NULL if there is none.
 */
struct ho_buf *ho_cable_lost(struct ho_cable *c, enum ho_fate *ret_fate);

/* Cuts the directions in `ways` (bit `end`: what that end sends). What is travelling there is
 * lost; what is due at `now` has arrived.
 */
void ho_cable_cut(struct ho_cable *c, unsigned ways, struct ho_time now);

/* Pulls the plug at `end`: what travels towards it is lost. What it sent itself goes on. */
void ho_cable_unplug(struct ho_cable *c, unsigned end, struct ho_time now);

/* Undoes every cut and every unplug. */
void ho_cable_plug(struct ho_cable *c, struct ho_time now);

/* The device at `end` loses its power or gets it back: both ends lose carrier or get it back. */
void ho_cable_power(struct ho_cable *c, unsigned end, bool on, struct ho_time now);

/* True while `end` has carrier. */
bool ho_cable_carrier(const struct ho_cable *c, unsigned end);

/* The next `count` frames that match and enter in one of the directions `ways`, counted together,
 * are lost. A frame counts for one order only, the oldest that it matches; frames that meet a
 * cut or a full queue do not count.
 *
 * Returns 0; -ENOSPC if HO_CABLE_DROPS orders are in force.
 */
int ho_cable_drop_next(struct ho_cable *c, unsigned ways, const struct ho_match *match,
                       uint32_t count);

#endif
