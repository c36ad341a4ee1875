/* The model's world, for the files of src/model/.
 *
 *     model.c    the engine's table, begin and destroy
 *     build.c    a plan becomes a world
 *     loop.c     the virtual clock: who is due, who must be drained, until a time
 *     wires.c    frames and carrier between the hosts and play's wires
 *     procs.c    processes: their programs and the operations of these
 *     calls.c    a plan's calls, given to the hands of a process
 *     watch.c    a host's sockets and neighbours, shown to play
 *     faults.c   the verbs that do something to the world
 *     embed.c    processes that a user of the library speaks for, call by call
 *     halfopen.c the public library: include/halfopen/halfopen.h
 *
 * What is written down, and what lies between the hosts, is src/play: `m->tr` is the record and
 * has the present instant, the first failure and its text.
 *
 * Nothing is recorded when the engine was begun without a timeline: of the record only the names
 * of connections and descriptors are kept then, and nothing is looked at.
 *
 * Running out of memory: whoever meets it says so with ho_trace_fail(); the verb in progress
 * goes on as it can and returns the error at its end.
 */

#ifndef HO_MODEL_WORLD_H
#define HO_MODEL_WORLD_H

#include "base/buf.h"
#include "base/list.h"
#include "base/timerq.h"
#include "host/host.h"
#include "model/model.h"
#include "play/fds.h"
#include "play/trace.h"
#include "play/wires.h"
#include "program/program.h"
#include "scenario/engine.h"
#include "timeline/record.h"

#define HO_MODEL_PROGRAMS 8         /* programs in one process */
#define HO_MODEL_BUFS (1u << 22)    /* frames of each size in the whole world */
#define HO_MODEL_SOCKETS (1u << 22) /* a host */

/* A node in the queue of deadlines. */
struct ho_model_due {
    struct ho_timer timer;
    struct ho_time at; /* what it is armed for */
    /* Whose it is: one of these. */
    struct ho_model_program *program;
    struct ho_model_node *node;
    bool wires; /* a part of the wires, by its place in ho_model.parts */
};

/* ---- processes (procs.c) ------------------------------------------------------------------- */

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
    struct ho_play_proc play; /* its host, its name, its descriptors */
    uint32_t pid;             /* 0: does not run */
    bool stopped;
    struct ho_model_program program[HO_MODEL_PROGRAMS];
    struct ho_model_wait *wait; /* operations out; while stopped, those to restart */
    size_t waits, wait_room;
    struct ho_list guest; /* in ho_model.guests, if the plan does not know it */
};

/* ---- nodes and the world ------------------------------------------------------------------- */

struct ho_model_node {
    const struct ho_plan_node *plan;
    uint16_t index;
    struct ho_host *host; /* NULL: a switch or a middlebox */
    struct ho_model_due due;
    bool dirty;
    struct ho_model_node *next_dirty;
    uint64_t generation; /* of the host, when it was looked at last */
};

struct ho_model {
    const struct ho_plan *plan;
    struct ho_trace tr;
    struct ho_timerq timers;
    struct ho_bufpool bufs;
    struct ho_wires wires;
    struct ho_model_due *parts; /* of the wires */
    struct ho_model_node *nodes;
    struct ho_model_node *first_dirty, **last_dirty;
    struct ho_model_proc *procs;
    struct ho_list guests; /* struct ho_model_proc.guest */
    int64_t linkwatch_ns;
};

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
void ho_model_wires_send(struct ho_model *m, const struct ho_model_node *n, int nic,
                         struct ho_buf *b);
/* What is due in a part arrives. */
void ho_model_wires_tick(struct ho_model *m, const struct ho_model_due *due);
/* A step that does something to a cable; the world has answered. Returns 0 or a negative errno. */
int ho_model_wires_fault(struct ho_model *m, uint16_t cable, const struct ho_step *step);
/* The host's power went off or came on: its ends of cables lose or get carrier. */
void ho_model_wires_power(struct ho_model *m, const struct ho_model_node *n, bool on);

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

/* connect() has begun, accept() gave a descriptor (after its program has heard of it): what
 * record and plan call it. Outside of a program `g->program` is NULL.
 */
void ho_model_connecting(struct ho_model *m, const struct ho_model_program *g,
                         const struct ho_op *op);
void ho_model_accepted(struct ho_model *m, struct ho_model_program *g, int fd);
/* What the program of `g` calls the socket; NULL: it does not know it. */
const char *ho_model_sock_name(const struct ho_model_program *g, int fd);

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

/* watch.c */
void ho_model_watch(struct ho_model *m, struct ho_model_node *n);

#endif
