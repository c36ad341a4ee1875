/* A plan of two hosts on a cable, made by hand, and a trace of it: for the tests of src/play.
 *
 * Node 0 is "client", 10.0.0.1 and fd00::1, with process 0 "app"; node 1 is "server", 10.0.0.2 and
 * fd00::2, with process 1 "db"; cable 0 is "lan", 1 ms each way.
 */

#ifndef HO_TESTS_PLAY_RIG_H
#define HO_TESTS_PLAY_RIG_H

#include "base/buf.h"
#include "play/fds.h"
#include "play/trace.h"
#include "wire/tcp.h"

#define CLIENT 0
#define SERVER 1

struct play_rig {
    struct ho_plan plan;
    struct ho_plan_node node[4];
    struct ho_plan_cable cable[3];
    struct ho_plan_proc proc[2];
    struct ho_timeline tl;
    struct ho_trace tr;
    struct ho_play_proc app, db; /* of the client and of the server */
    uint8_t frame[2048];
    size_t len;
};

/* The plan alone; nodes and cables may be added before play_rig_begin(). */
void play_rig_plan(struct play_rig *r);
/* `any_order`: the timeline is a private one. */
void play_rig_begin(struct play_rig *r, bool any_order);
/* Both of these. */
void play_rig_init(struct play_rig *r, bool any_order);
void play_rig_free(struct play_rig *r);

/* Sets trace->now. */
void play_rig_at(struct play_rig *r, int64_t ms);

/* The ports are 40000 at the client and 80 at the server. */
struct ho_play_tuple play_rig_tuple(const struct play_rig *r, int node);

/* Makes the frame of a segment that `node` sends (ports are filled in; frame and len). */
void play_rig_segment(struct play_rig *r, int node, struct ho_wire_tcp s);
/* The same, and records it; returns the record. */
const struct ho_record *play_rig_sends(struct play_rig *r, int node, struct ho_wire_tcp s);
/* Makes the frame of an IPv6 packet from `src` to `dst`, "fe80::1" .. */
void play_rig_ipv6(struct play_rig *r, const char *src, const char *dst, uint8_t proto,
                   const uint8_t *payload, size_t len);
/* The frame in a buffer from `bufs`. */
struct ho_buf *play_rig_buf(const struct play_rig *r, struct ho_bufpool *bufs);

/* The last record. */
const struct ho_record *play_rig_last(const struct play_rig *r);

#endif
