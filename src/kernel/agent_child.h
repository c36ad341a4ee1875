/* An agent from inside, for src/kernel/agent_*.c:
 *
 *     agent_main.c    the process: programs, requests, the loop, how it starts and ends
 *     agent_ops.c     operations: begun, waiting, tried again, completed, abandoned
 *     agent_try.c     the calls that can wait
 *     agent_call.c    the calls that cannot, addresses and socket options in Linux's form
 *     agent_tell.c    messages to the relay
 *
 * An operation that waits is in the list of its descriptor (ho_op.node), and in the queue of
 * time-outs if it has one (ho_op.wait). `ho_op.user` is its program, `ho_op.done` what a blocked
 * send has moved.
 */

#ifndef HO_KERNEL_AGENT_CHILD_H
#define HO_KERNEL_AGENT_CHILD_H

#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/list.h"
#include "base/timerq.h"
#include "kernel/agent_wire.h"

#define HO_AGENT_WAITS INT64_MIN /* instead of a result: the call would block */
#define HO_AGENT_EVENTS 64

/* A descriptor of the programs. */
struct agent_fd {
    bool open;
    bool epoll;
    bool ipv6;
    bool nonblock;   /* as its program asked for it; the real ones never block */
    bool watched;    /* in the agent's epoll */
    bool connected;  /* CONNECT was told */
    bool connecting; /* CONNECTED was not yet */
    int kept;        /* a positive errno that a call took and must not have, 0: none */
    struct ho_addr remote;
    uint16_t remote_port;
    struct ho_list ops; /* that wait */
};

struct agent_program {
    struct ho_program *program; /* NULL: free */
    bool raw;
    bool not_reading; /* what it accepts is not read */
    bool more;        /* has calls to make, but its turn was over */
    uint64_t lost;    /* events, as far as they were told */
};

/* A close() that lingers, with its thread. */
struct agent_linger {
    struct ho_op *op;
    int fd, done_fd;
    int64_t ret;
};

struct agent {
    int ctl, ep, timer, done[2]; /* done: a pipe of pointers to struct agent_linger */
    int64_t time0_ns;
    struct ho_time armed; /* what `timer` is set for */
    struct agent_program program[HO_AGENT_PROGRAMS];
    struct agent_fd **fd; /* by number; NULL: never used */
    size_t fds;
    struct ho_list completed;               /* operations that are done, their programs not told */
    struct ho_timerq timers;                /* CLOCK_MONOTONIC */
    unsigned turn;                          /* calls left in this turn */
    const struct ho_agent_request *request; /* under way: somebody waits for its answer; or NULL */
};

/* agent_main.c */
struct ho_time agent_monotonic(void);
struct ho_time agent_now(const struct agent *a); /* play time */
void agent_run(struct agent *a, struct agent_program *g);
_Noreturn void agent_exit(struct agent *a, struct agent_program *g, int status);

/* agent_ops.c */
struct agent_fd *agent_fd(const struct agent *a, int64_t fd); /* an open one, or NULL */
void agent_start(struct agent *a, struct agent_program *g, struct ho_op *op);
void agent_woken(struct agent *a, int fd); /* the calls that wait for it are tried again */
void agent_continued(struct agent *a);     /* after SIGCONT */
void agent_timeouts(struct agent *a);      /* of calls that wait */
void agent_lingered(struct agent *a);      /* a thread that closes is ready */
bool agent_completed(struct agent *a);     /* tells the programs; true if there was anything */
int64_t agent_open(struct agent *a, int fd, bool epoll, bool ipv6, bool nonblock);
int64_t agent_close(struct agent *a, struct ho_op *op, struct agent_fd *f);

/* agent_try.c: the result, or HO_AGENT_WAITS; not `first`: it has waited already. */
int64_t agent_try(struct agent *a, struct ho_op *op, struct agent_fd *f, bool first);

/* agent_call.c */
int64_t agent_call(struct agent *a, struct ho_op *op);
socklen_t agent_to_sockaddr(struct sockaddr_storage *ret, const struct ho_addr *addr, uint16_t port,
                            bool ipv6);
void agent_from_sockaddr(const struct sockaddr_storage *sa, struct ho_addr *ret_addr,
                         uint16_t *ret_port);

/* agent_tell.c */
struct agent_program *agent_program_of(const struct ho_op *op);
void agent_send(struct agent *a,
                const struct ho_agent_msg *msg); /* ends the process if nobody reads */
void agent_tell_events(struct agent *a, struct agent_program *g);
void agent_tell_connect(struct agent *a, const struct ho_op *op, struct agent_fd *f);
void agent_tell_connecting(struct agent *a, const struct ho_op *op, const struct agent_fd *f,
                           int err);
void agent_tell_done(struct agent *a, const struct ho_op *op); /* before its program hears of it */
void agent_tell_accepted(struct agent *a, const struct ho_op *op, int fd); /* after it has */
void agent_tell_closed(struct agent *a, const struct ho_op *op);
struct ho_agent_msg agent_msg(const struct agent *a, const struct agent_program *g,
                              enum ho_agent_msg_kind kind);

#endif
