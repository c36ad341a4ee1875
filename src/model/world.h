/* The model's world, for the files of src/model/.
 *
 *     model.c    the engine's table, begin and destroy
 *     loop.c     the virtual clock: who is due, who must be drained, until a time
 *     wires.c    frames between hosts, over src/link
 *     procs.c    processes: their programs and the operations of these
 *     fds.c      descriptors: names, options, which connection is behind them
 *     calls.c    a plan's calls as verbs of the program `raw`
 *     embed.c    processes that a user of the library speaks for, call by call
 *     halfopen.c the public library: include/halfopen/halfopen.h
 *     conns.c    which connection a segment or a socket belongs to
 *     says.c     what programs say, as records
 *     faults.c   the verbs that do something to the world
 *     frames.c   a frame as a record
 *     watch.c    sockets and neighbours as records, when they changed
 *     settings.c what is in force, as records
 *
 * Nothing is recorded when the engine was begun without a timeline: `m->tl` is NULL then, and of
 * the files from says.c on only conns.c is called, for the names of connections.
 *
 * Running out of memory: whoever meets it says so with ho_model_fail(); the verb in progress
 * goes on as it can and returns the error at its end.
 */

#ifndef HO_MODEL_WORLD_H
#define HO_MODEL_WORLD_H

#include "base/buf.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/timerq.h"
#include "host/host.h"
#include "knobs/sockopt.h"
#include "link/cable.h"
#include "link/middlebox.h"
#include "link/switch.h"
#include "model/model.h"
#include "program/program.h"
#include "scenario/engine.h"
#include "timeline/record.h"

#define HO_MODEL_OPTIONS 12         /* socket options kept a descriptor, for the record */
#define HO_MODEL_PROGRAMS 8         /* programs in one process */
#define HO_MODEL_BUFS (1u << 22)    /* frames of each size in the whole world */
#define HO_MODEL_SOCKETS (1u << 22) /* a host */

/* A node in the queue of deadlines. */
struct ho_model_due {
    struct ho_timer timer;
    struct ho_time at; /* what it is armed for */
    /* Whose it is: one of these, the others are NULL. */
    struct ho_model_program *program;
    struct ho_model_node *node;
    struct ho_model_cable *cable;
};

/* ---- connections (conns.c) ----------------------------------------------------------------- */

/* One end of a connection. */
struct ho_model_end {
    uint16_t node; /* the host; HO_PLAN_NONE: not in the plan */
    int fd;        /* in its process, -1: none or not known yet */
    const char *process, *sock;
    bool has_isn, has_ts, has_wscale, sent_syn;
    uint8_t wscale;
    uint32_t isn, ts0;
    bool seen;               /* `last` is in the timeline and is not "gone" */
    enum ho_tcp_state state; /* of `last` */
    uint64_t mark;           /* the round of looking in which it was found last */
    struct ho_rec_sock last;
    struct ho_list on_host; /* ho_model_node.ends, while `seen` */
    struct ho_model_conn *conn;
};

/* One life of a pair of addresses and ports. end[i] belongs to pair->addr[i]. */
struct ho_model_conn {
    const char *given; /* the name its process gave it */
    const char *name;  /* the same, or with a number where another one has it */
    struct ho_model_pair *pair;
    struct ho_model_conn *older; /* on the same pair */
    struct ho_model_end end[2];
};

/* Two addresses with ports, the smaller one first. An end may still live in the older
 * connection when the other has begun a newer one: a server whose client has rebooted.
 */
struct ho_model_pair {
    struct ho_addr addr[2];
    uint16_t port[2];
    struct ho_model_conn *newest;
    struct ho_model_conn *now[2]; /* the one that each end is in */
    struct ho_model_pair *next;   /* in its bucket */
};

struct ho_model_conns {
    struct ho_pool pairs, conns;
    struct ho_model_pair **bucket;
    size_t buckets, count; /* buckets: a power of two */
};

/* ---- processes (procs.c) ------------------------------------------------------------------- */

struct ho_model_option {
    enum ho_sockopt opt;
    int64_t value[2];
};

/* A descriptor of a process. */
struct ho_model_fd {
    char name[HO_PROGRAM_NAME_MAX]; /* of its socket in the plan: "db", "1" */
    bool connection;                /* else a listener, an epoll or not a socket yet */
    uint64_t serial;                /* connections: the newest has the largest */
    struct ho_model_end *end;       /* for the record; NULL: none yet */
    uint64_t tx, rx;                /* bytes moved by a process without a program */
    unsigned n_options;
    struct ho_model_option option[HO_MODEL_OPTIONS];
};

struct ho_model_proc;

/* A program in a process. */
struct ho_model_program {
    struct ho_program *program; /* NULL: free */
    struct ho_model_proc *proc;
    struct ho_model_due due;
    bool raw; /* the process's hands: takes calls */
};

/* An operation that has not completed, and whose it is. */
struct ho_model_wait {
    struct ho_op *op;
    struct ho_model_program *of;
};

struct ho_model_proc {
    uint16_t index, node;
    const char *name; /* interned */
    uint32_t pid;     /* 0: does not run */
    bool stopped;
    bool not_reading; /* connections still to come are not read */
    struct ho_model_program program[HO_MODEL_PROGRAMS];
    struct ho_model_wait *wait; /* operations out; while stopped, those to restart */
    size_t waits, wait_room;
    struct ho_model_fd **fd; /* by descriptor; NULL entries: never asked about */
    size_t fds;
    struct ho_list guest; /* in ho_model.guests, if the plan does not know it */
};

/* ---- nodes and the world ------------------------------------------------------------------- */

struct ho_model_neigh {
    struct ho_addr addr;
    enum ho_nud state;
    uint64_t mark;
};

/* Where a cable ends. */
struct ho_model_port {
    struct ho_model_cable *cable;
    unsigned end;
};

struct ho_model_node {
    const struct ho_plan_node *plan;
    uint16_t index;
    const char *name; /* interned */
    /* What it is: one of these, the others are NULL. */
    struct ho_host *host;
    struct ho_switch *sw;
    struct ho_middlebox *box;
    struct ho_model_port *port;
    unsigned ports;
    struct ho_model_due due;
    bool dirty;
    struct ho_model_node *next_dirty;
    uint64_t generation; /* of the host, when it was looked at last */
    struct ho_list ends; /* struct ho_model_end.on_host */
    struct ho_model_neigh *neigh;
    size_t neighs, neigh_room;
};

struct ho_model_cable {
    struct ho_cable cable;
    bool built;
    struct ho_model_due due;
    uint16_t index;
    const char *name;  /* interned */
    uint16_t node[2];  /* at end 0 and 1 */
    uint8_t port[2];   /* of these nodes */
    int8_t carrier[2]; /* as the nodes were told; -1: not at all */
};

struct ho_model {
    const struct ho_plan *plan;
    struct ho_timeline *tl;   /* NULL: nothing is recorded */
    struct ho_timeline names; /* empty; keeps the names when there is no timeline */
    struct ho_time now;
    struct ho_timerq timers;
    struct ho_bufpool bufs;
    struct ho_model_node *nodes;
    struct ho_model_node *first_dirty, **last_dirty;
    struct ho_model_proc *procs;
    struct ho_list guests; /* struct ho_model_proc.guest */
    struct ho_model_cable *cables;
    struct ho_model_port *ports; /* of all nodes */
    struct ho_pool flights;
    struct ho_model_conns conns;
    uint64_t mark;
    uint64_t serial; /* of the last descriptor that became a connection or listener */
    int64_t linkwatch_ns;
    int err;
    char why[320];
};

/* model.c */
void ho_model_fail(struct ho_model *m, int err, const char *why);

/* loop.c */
void ho_model_dirty(struct ho_model *m, struct ho_model_node *n);
/* Arms a deadline if it is not armed for `at` already. */
void ho_model_arm(struct ho_model *m, struct ho_model_due *d, struct ho_time at);
/* Takes everything that the host has to send, and records what changed. */
void ho_model_drain(struct ho_model *m, struct ho_model_node *n);
/* Runs the world at `m->now` until nothing more happens at this instant. */
void ho_model_settle(struct ho_model *m);
void ho_model_run(struct ho_model *m, struct ho_time until);

/* wires.c */
int ho_model_wires_new(struct ho_model *m);
void ho_model_wires_free(struct ho_model *m);
/* A host's frame begins its way; consumed. */
void ho_model_wires_send(struct ho_model *m, struct ho_model_node *n, int nic, struct ho_buf *b);
/* What is due in a cable arrives; a middlebox forgets. */
void ho_model_wires_tick(struct ho_model *m, struct ho_model_cable *c);
void ho_model_wires_forget(struct ho_model *m, struct ho_model_node *n);
/* After something was done to a cable: frames that were lost on their way get their fate, and
 * every node hears of its carrier.
 */
void ho_model_wires_changed(struct ho_model *m, struct ho_model_cable *c);
/* The host's power went off or came on: its ends of cables lose or get carrier. */
void ho_model_wires_power(struct ho_model *m, struct ho_model_node *n, bool on);

/* procs.c */
int ho_model_proc_start(struct ho_model *m, struct ho_model_proc *p);
int ho_model_proc_add(struct ho_model *m, struct ho_model_proc *p, const char *behaviour,
                      const struct ho_program_arg *arg, size_t n,
                      struct ho_program_error *ret_error, struct ho_model_program **ret);
/* Frees the programs; the host's side of its death is the caller's. */
void ho_model_proc_end(struct ho_model *m, struct ho_model_proc *p);
void ho_model_proc_free(struct ho_model_proc *p);
void ho_model_proc_stop(struct ho_model *m, struct ho_model_proc *p);
void ho_model_proc_continue(struct ho_model *m, struct ho_model_proc *p);
void ho_model_program_run(struct ho_model *m, struct ho_model_program *g);
void ho_model_program_tick(struct ho_model *m, struct ho_model_program *g);
void ho_model_op_done(struct ho_model *m, struct ho_model_node *n, struct ho_op *op);

/* fds.c */
struct ho_model_fd *ho_model_fd(struct ho_model *m, struct ho_model_proc *p, int64_t fd);
/* The descriptor of the connection or listener called `name`, or of the newest connection with
 * NULL; -1 if there is none.
 */
int ho_model_fd_find(const struct ho_model_proc *p, const char *name);
/* A call has ended (before its program hears of it), connect() has begun, accept() gave a
 * descriptor (after its program has heard of it), the process has ended.
 */
void ho_model_fd_done(struct ho_model *m, struct ho_model_program *g, const struct ho_op *op);
void ho_model_fd_connecting(struct ho_model *m, struct ho_model_program *g, const struct ho_op *op);
void ho_model_fd_accepted(struct ho_model *m, struct ho_model_program *g, int fd);
void ho_model_fds_forget(struct ho_model_proc *p);

/* calls.c */
int ho_model_call(struct ho_model *m, struct ho_model_proc *p, const struct ho_plan_call *call);
/* The process was told to stop reading before it had this connection. */
void ho_model_call_accepted(struct ho_model *m, struct ho_model_program *g, int fd);

/* embed.c */
/* A process that has no program: its calls come from outside. Returns 0; -ENETDOWN; -ENOMEM. */
int ho_model_guest_new(struct ho_model *m, uint16_t node, const char *name,
                       struct ho_model_proc **ret);
/* Runs one call of such a process, on a socket that does not block; records it. */
int64_t ho_model_guest_call(struct ho_model *m, struct ho_model_proc *p, struct ho_op *op);
void ho_model_guest_kill(struct ho_model *m, struct ho_model_proc *p);
void ho_model_guests_free(struct ho_model *m);
/* Those of a host that has lost its power. */
void ho_model_guests_forget(struct ho_model *m, uint16_t node);

/* says.c */
void ho_model_said_call(struct ho_model *m, const struct ho_model_proc *p, const struct ho_op *op);
void ho_model_said(struct ho_model *m, const struct ho_model_program *g,
                   const struct ho_program_event *ev);
void ho_model_said_option(struct ho_model *m, const struct ho_model_proc *p,
                          const struct ho_model_end *e, const struct ho_model_option *o);

/* conns.c */
void ho_model_conns_init(struct ho_model *m);
void ho_model_conns_free(struct ho_model *m);
struct ho_model_pair *ho_model_pair_find(const struct ho_model *m, const struct ho_addr *a,
                                         uint16_t a_port, const struct ho_addr *b, uint16_t b_port,
                                         unsigned *ret_end);
/* A process begins a connection from `local`: a new life of the pair, called `name`. NULL without
 * memory.
 */
struct ho_model_end *ho_model_conn_new(struct ho_model *m, const char *name,
                                       const struct ho_addr *local, uint16_t lport,
                                       const struct ho_addr *remote, uint16_t rport);
/* The end that the socket `info` of host `node` is; a connection without a name is made if there
 * is none. NULL without memory.
 */
struct ho_model_end *ho_model_end_of(struct ho_model *m, uint16_t node,
                                     const struct ho_sock_info *info);
/* The connection of a segment, and which end sent it. NULL without memory. */
struct ho_model_conn *ho_model_conn_of_segment(struct ho_model *m, const struct ho_addr *src,
                                               const struct ho_addr *dst,
                                               const struct ho_wire_tcp *seg, unsigned *ret_end);
/* The host that has this address, or HO_PLAN_NONE. */
uint16_t ho_model_node_of(const struct ho_model *m, const struct ho_addr *a);

/* frames.c */
/* Records a frame that `n` sends; returns its index in the timeline plus 1, or 0 when it was not
 * recorded. Its fate is HO_FATE_FWD until ho_model_frame_lost(). Both of these take such an
 * index, 0 as well.
 */
uint32_t ho_model_frame_sent(struct ho_model *m, const struct ho_model_node *n,
                             const uint8_t *bytes, size_t len);
void ho_model_frame_lost(struct ho_model *m, uint32_t index, enum ho_fate fate, const char *via);
void ho_model_frame_arrived(struct ho_model *m, uint32_t index);
void ho_model_lo_sent(struct ho_model *m, const struct ho_model_node *n, const uint8_t *packet,
                      size_t len);

/* watch.c */
void ho_model_watch(struct ho_model *m, struct ho_model_node *n);

/* settings.c */
void ho_model_settings(struct ho_model *m);
void ho_model_setting_sysctl(struct ho_model *m, const struct ho_model_node *n, const char *name);

/* record.c */
const char *ho_model_name(struct ho_model *m, const char *text);
/* Appends at the present instant; `r->t` is set here. */
void ho_model_put(struct ho_model *m, struct ho_record *r);
void ho_model_put_fault(struct ho_model *m, const struct ho_step *step, const char *host,
                        const char *process, const char *what, const char *detail);

#endif
