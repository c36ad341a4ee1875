/* Which connection a segment or a socket belongs to, and what it is called.
 *
 * Two addresses with their ports can live several times: a client reboots and connects from the
 * same port while the server still holds the old connection (docs/decisions/021). Each life is a
 * struct ho_play_conn, with the name that the connecting process gave it. It begins when a
 * process starts to connect; the other end follows with its first SYN, or when its old socket has
 * gone.
 *
 * Reported late. With a private timeline (trace.h) the SYN or a sample may come before the
 * process's report. They then begin a life without a name: a SYN whose number is not the one
 * this end began the newest life with, or a sample of an opening socket whose end has ended. The
 * report, when it comes, claims the newest life in which its end was first met at or after the
 * instant at which the call was made, and names it.
 */

#ifndef HO_PLAY_CONNS_H
#define HO_PLAY_CONNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/pool.h"
#include "base/time.h"
#include "knobs/state.h"
#include "timeline/record.h"
#include "wire/addr.h"
#include "wire/tcp.h"

struct ho_trace;
struct ho_play_sock;

/* One end of a connection. */
struct ho_play_end {
    uint16_t node;       /* the host; HO_PLAN_NONE: not in the plan */
    int fd;              /* in its process, -1: none or not known yet */
    const char *process; /* interned; "" until the end was given to one (fds.h) */
    const char *sock;    /* the socket's name in its process, interned, "" */
    bool has_isn, has_ts, has_wscale, sent_syn;
    bool claimed; /* a process has said that it is its own */
    bool gone;    /* was in the timeline, and is "gone" */
    bool seen;    /* `last` is in the timeline and is not "gone" */
    uint8_t wscale;
    enum ho_tcp_state state; /* of `last` */
    uint32_t isn, ts0;
    struct ho_time met; /* when its first frame or sample came; HO_NEVER: none yet */
    uint64_t mark;      /* the round of looking in which it was found last */
    struct ho_rec_sock last;
    struct ho_list on_host; /* ho_trace_node.ends, while `seen` */
    struct ho_play_conn *conn;
};

/* One life of a pair of addresses and ports. end[i] belongs to pair->addr[i]. */
struct ho_play_conn {
    const char *given; /* the name its process gave it, "" */
    const char *name;  /* the same, or with a number where another one has it; a placeholder */
    uint32_t serial;   /* 1, 2, .. in the order of their beginning */
    struct ho_play_pair *pair;
    struct ho_play_conn *older; /* on the same pair */
    struct ho_play_end end[2];
};

/* Two addresses with ports, the smaller one first. An end may still live in the older
 * connection when the other has begun a newer one: a server whose client has rebooted.
 */
struct ho_play_pair {
    struct ho_addr addr[2];
    uint16_t port[2];
    struct ho_play_conn *newest;
    struct ho_play_conn *now[2]; /* the one that each end is in */
    struct ho_play_pair *next;   /* in its bucket */
};

struct ho_play_conns {
    struct ho_pool pairs, conns;
    struct ho_play_pair **bucket;
    size_t buckets, count; /* buckets: a power of two; count: pairs */
    uint32_t serial;
};

/* Two addresses with ports, as one end sees them. */
struct ho_play_tuple {
    struct ho_addr local, remote;
    uint16_t lport, rport;
};

/* The pair of `t`, NULL if there is none, and in *ret_end which end is local. */
struct ho_play_pair *ho_play_pair_find(const struct ho_trace *tr, const struct ho_play_tuple *t,
                                       unsigned *ret_end);

/* A process begins (or began) a connection from t->local, in a call made at `since`: a new life
 * called `name`, or the nameless one that its frames began. The model passes trace->now. Returns
 * the local end, claimed; NULL without memory (ho_trace_fail).
 */
struct ho_play_end *ho_play_conn_new(struct ho_trace *tr, const char *name,
                                     const struct ho_play_tuple *t, struct ho_time since);

/* The end that a process of `node` got by accept(), claimed; `state` is that of its socket now. A
 * life without a name is made if there is none. NULL without memory.
 */
struct ho_play_end *ho_play_conn_accepted(struct ho_trace *tr, uint16_t node,
                                          const struct ho_play_tuple *t, enum ho_tcp_state state);

/* A socket of `node` is that of `process` (interned), which makes no reports: a real command's. The
 * local end of the newest life of `t` becomes its, and a connection that has no name is called
 * `name`
 * ("psql", then "psql#2"; NULL: nothing). Harmless when it is called again, and when nothing of `t`
 * was met yet. What a host says to itself over 127.0.0.0/8 or ::1 stays nameless. Only with a
 * private timeline do earlier records get these names.
 */
void ho_play_conn_claim(struct ho_trace *tr, uint16_t node, const struct ho_play_tuple *t,
                        const char *process, const char *name);

/* The end that a sampled socket of `node` is, one not yet found in this round; a life without a
 * name is made if there is none. NULL without memory.
 */
struct ho_play_end *ho_play_conn_of_sock(struct ho_trace *tr, uint16_t node,
                                         const struct ho_play_sock *s);

/* The connection of a segment from `src`, and in *ret_end which end sent it. A reset without ACK
 * answers a segment, so it is of the life that the *other* end is in (RFC 9293 3.10.7.1). NULL
 * without memory.
 */
struct ho_play_conn *ho_play_conn_of_segment(struct ho_trace *tr, const struct ho_addr *src,
                                             const struct ho_addr *dst,
                                             const struct ho_wire_tcp *seg, unsigned *ret_end);

/* The host of the plan that has this address, or HO_PLAN_NONE. */
uint16_t ho_play_node_of(const struct ho_trace *tr, const struct ho_addr *a);

/* ---- for the files of play ------------------------------------------------------------------ */

/* The same as ho_play_pair_find(), made if need be; NULL without memory. */
struct ho_play_pair *ho_play_pair_get(struct ho_trace *tr, const struct ho_play_tuple *t,
                                      unsigned *ret_end);

void ho_play_conns_init(struct ho_play_conns *c);
void ho_play_conns_free(struct ho_play_conns *c);

/* The final text for one of a record: the name that came late for a placeholder, else `text`.
 * `by_serial` has every connection at its serial - 1 (ho_play_conns_list()).
 */
struct ho_play_conn **ho_play_conns_list(const struct ho_play_conns *c);
const char *ho_play_conns_text(struct ho_play_conn *const *by_serial, const char *text);

/* What a sample's process and socket are called: the end's, or placeholders for what it will be
 * told, if the socket is owned and nobody has claimed the end yet.
 */
const char *ho_play_end_process(struct ho_trace *tr, const struct ho_play_end *e);
const char *ho_play_end_sock(struct ho_trace *tr, const struct ho_play_end *e, bool owned);

#endif
