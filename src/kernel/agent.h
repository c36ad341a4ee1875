/* An agent: a child process in a host's network namespace that runs programs (program/program.h)
 * over real sockets, and the relay's side of the conversation with it.
 *
 * The agent is forked without exec, so that texts of the program itself (an event's `call`) are
 * at the same address in both processes. They talk over one SOCK_SEQPACKET socketpair; a message is
 * a struct as it is. Several programs may run in one agent, as threads of one process would.
 *
 *     start      ho_agent_start()      once; returns when the agent is in its namespace
 *     time       ho_agent_time0()      when time 0 is known, if it was not at the start
 *     run        ho_agent_program()    a behaviour; the hands of a process are the behaviour `raw`
 *     drive      ho_agent_command()    a verb of `raw`
 *     look       ho_agent_next()       until it returns 0: after each of the above, and whenever
 *                                      ho_agent_fd() is readable
 *     faults     ho_agent_stop(), ho_agent_continue(), ho_agent_kill()
 *     forget     ho_agent_free()
 *
 * ho_agent_program() and ho_agent_command() return when the agent has made every call that did not
 * block (at most HO_AGENT_TURN of them at a time: traffic over lo could keep it busy for ever).
 * What happened because of them waits in ho_agent_next() by then. They wait for the agent, never
 * for the network: the agent must be able to answer while no frame moves.
 *
 * Order. A program's messages have the order in which things happened in its process, and each
 * carries its time. Against the frames that the relay sees:
 *     CONNECT    is sent before connect() is called, so before the SYN leaves: the socket, its
 *                cookie and the remote end are known, of the local end what bind() has set;
 *     CONNECTING is sent as soon as connect() was called: now the local port is known, since
 *                the system chooses it inside connect(). A SYN to a known remote end from an
 * unknown port that is read between the two is this connection's; ho_agent_connecting() says
 *                whether one is under way, ho_agent_sync() waits for the second message, which
 *                needs no network;
 *     LISTENING  is sent after listen(), ACCEPTED after accept(), both before what the program
 *                says of it (EVENT) and before the program's next call;
 *     CLOSED     is sent after close() returned, EXITED before the process ends: before the
 *                FINs and RSTs of what it had open.
 * So a relay that takes all messages before it looks at a frame has seen CONNECT of every SYN.
 *
 * Calls are Linux's (host/op.h says what they mean). Descriptors do not block; a call that would
 * block in a thread of its own waits in one epoll and is tried again, edge-triggered, when its
 * socket was woken:
 *     connect    the second connect() of an unfinished one gives what the blocking one returns,
 *                and takes the error (Linux's __inet_stream_connect(), SS_CONNECTING);
 *     send       all of it, or the count before an error, which waits for the next call
 *                (ground-truth B3f);
 *     close      with SO_LINGER on, and something to wait for, in a thread of its own; calls that
 *                are blocked on the descriptor return their count, or EBADF, as in the model;
 *     poll, epoll_wait   time-outs are exact to the timer, not rounded to milliseconds.
 * SO_RCVTIMEO and SO_SNDTIMEO are not in knobs/sockopt.def, so nothing sets them and nothing
 * looks at them. SIGSTOP and SIGCONT are real: a stopped agent does nothing, and when it goes on
 * every epoll_wait() that waited returns EINTR, the other calls go on (signal(7)).
 *
 * Numbers of descriptors start at 3 as in any process: 0 and 1 are /dev/null, 2 is the relay's;
 * what the agent needs for itself is parked above HO_AGENT_PARKED.
 *
 * Time is play time: CLOCK_MONOTONIC minus time 0, and 0 before that; behaviours that measure
 * should be started when time 0 has come.
 *
 * The agent ignores SIGINT, SIGTERM, SIGHUP and SIGPIPE. It dies by SIGKILL with the thread that
 * started it (PR_SET_PDEATHSIG), and ends when the socketpair does.
 */

#ifndef HO_KERNEL_AGENT_H
#define HO_KERNEL_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "program/program.h"

#define HO_AGENT_PROGRAMS 8    /* programs in one agent */
#define HO_AGENT_TURN 1024     /* calls between two looks at what the relay wants */
#define HO_AGENT_PARKED 1000   /* the agent's own descriptors are not below it */
#define HO_AGENT_TEXT_MAX 6144 /* bytes of a behaviour or verb with its arguments */
#define HO_AGENT_TIME_UNKNOWN INT64_MAX

struct ho_agent; /* the relay's side */

/* What a message tells. `program` and `at` are set in all of them. */
#define HO_AGENT_MSGS(X)                                                                          \
    X(EVENT, "event")           /* a program's event: `event` */                                  \
    X(SOCKET, "socket")         /* a new descriptor of a socket or an epoll: fd */                \
    X(CONNECT, "connect")       /* connect() comes next: fd, name, ids, remote; local or 0 */     \
    X(CONNECTING, "connecting") /* it was called: the same, local; `err` if it failed at once */  \
    X(CONNECTED, "connected")   /* it is over: fd, name, local, remote; `err`: 0 or why not */    \
    X(LISTENING, "listening")   /* listen() succeeded: fd, name, ids, local */                    \
    X(ACCEPTED, "accepted")     /* accept(): fd, `from` the listener, name, ids, local, remote */ \
    X(OPTION, "option")         /* setsockopt() succeeded: fd, opt, value */                      \
    X(CLOSED, "closed")         /* close() returned: fd */                                        \
    X(REFUSED, "refused")       /* a verb that waited for SIGCONT was refused: `err`, `text` */   \
    X(NOTE, "note")             /* a remark of the agent: `text` */                               \
    X(EXITED, "exited")         /* a program has ended, and its process with it: `status` */

enum ho_agent_msg_kind {
#define X(id, text) HO_AGENT_##id,
    HO_AGENT_MSGS(X)
#undef X
    HO_AGENT_MSG_COUNT
};

/* `name` is the socket's in its program (ho_program_sock_name()), "" for none. The ids find the
 * socket in sock_diag: `cookie` is idiag_cookie, `inode` idiag_inode (0 once nobody has it open).
 * They are set in CONNECT, CONNECTING, CONNECTED, LISTENING and ACCEPTED.
 */
struct ho_agent_msg {
    enum ho_agent_msg_kind kind;
    unsigned program; /* as ho_agent_program() returned it */
    struct ho_time at;
    int fd, from;
    int err; /* a positive errno or 0 */
    int status;
    char name[HO_PROGRAM_NAME_MAX];
    uint64_t cookie, inode;
    struct ho_addr local, remote;
    uint16_t local_port, remote_port;
    int opt; /* enum ho_sockopt */
    int64_t value[2];
    union {
        struct ho_program_event event; /* EVENT */
        char text[240];                /* REFUSED, NOTE */
    } u;
};

struct ho_agent_conf {
    int netns;        /* the host's namespace, -1: that of the caller. Remains the caller's */
    const char *name; /* of the process, for ps(1): the first 15 bytes count */
    int64_t time0_ns; /* CLOCK_MONOTONIC at time 0, or HO_AGENT_TIME_UNKNOWN */
};

/* Forks an agent. The caller has one thread; the child keeps none of its descriptors but 2.
 *
 * Returns 0, the agent waits for what it is to do; a negative errno of socketpair(), fork() or,
 * in the child, setns(); -ENOMEM. On failure nothing is left and *ret is untouched.
 */
int ho_agent_start(struct ho_agent **ret, const struct ho_agent_conf *conf);

/* Kills it if it lives, waits for its end, frees. Its messages are lost. NULL is ignored. */
void ho_agent_free(struct ho_agent *a);

pid_t ho_agent_pid(const struct ho_agent *a);

/* Readable when messages have come, or the agent has ended. The agent's property. */
int ho_agent_fd(const struct ho_agent *a);

/* Says when time 0 is, CLOCK_MONOTONIC in ns. Until an agent knows it, it is at time 0.
 *
 * Returns 0; -EPIPE if the agent has ended.
 */
int ho_agent_time0(struct ho_agent *a, int64_t time0_ns);

/* Starts a program with the behaviour `behaviour`; its number comes back in *ret_program.
 *
 * Returns 0; -EINVAL with *ret_error filled (may be NULL): bad arguments, as ho_program_new(), or
 * more than HO_AGENT_TEXT_MAX bytes of them; -ENOSPC if HO_AGENT_PROGRAMS run already; -ENOMEM;
 * -EPIPE if the agent has ended; -EBUSY if it is stopped; -ETIMEDOUT if it does not answer in 10 s.
 */
int ho_agent_program(struct ho_agent *a, const char *behaviour, const struct ho_program_arg *args,
                     size_t n_args, unsigned *ret_program, struct ho_program_error *ret_error);

/* One verb of program `program`, as ho_program_command().
 *
 * Returns what that returns: 0; -EINVAL with *ret_error filled (may be NULL); -EOPNOTSUPP; -EAGAIN;
 * -ENOMEM; or -EPIPE, -ETIMEDOUT as above; -ENOENT if there is no such program. To a stopped agent
 * it is sent after a check of the arguments, and takes effect when the agent goes on: a refusal
 * comes as the message REFUSED.
 */
int ho_agent_command(struct ho_agent *a, unsigned program, const char *verb,
                     const struct ho_program_arg *args, size_t n_args,
                     struct ho_program_error *ret_error);

/* For `raw`: whether connections that are still to be accepted are read from. With `false`
 * each one gets `reading no` between accept() and the program's next call. (What connect() opens
 * has the argument read=no.)
 *
 * Returns 0; -ENOENT; -EPIPE; -ETIMEDOUT.
 */
int ho_agent_reading(struct ho_agent *a, unsigned program, bool reading);

/* Returns when the agent has done everything that it knew of when this was called, but after
 * HO_AGENT_TURN calls at the latest: who must know that it is quiet asks until it says nothing new.
 *
 * Returns 0; -EPIPE; -EBUSY if it is stopped; -ETIMEDOUT.
 */
int ho_agent_sync(struct ho_agent *a);

/* True between CONNECT and CONNECTING, as far as ho_agent_next() has handed them out. */
bool ho_agent_connecting(const struct ho_agent *a);

/* Takes the oldest message out. Messages that came while an answer was waited for do not make
 * ho_agent_fd() readable again.
 *
 * Returns 1 with *ret filled; 0: none now; -EPIPE: the agent has ended and all was taken. *ret is
 * untouched then.
 */
int ho_agent_next(struct ho_agent *a, struct ho_agent_msg *ret);

/* SIGSTOP, and waits until it is in force; SIGCONT; SIGKILL, and waits until the process is gone:
 * its sockets are closed then, and their last segments are on the wire. What it had said before can
 * still be read. Stopping twice, or going on when not stopped, does nothing.
 *
 * Return 0; -ESRCH if it has ended.
 */
int ho_agent_stop(struct ho_agent *a);
int ho_agent_continue(struct ho_agent *a);
int ho_agent_kill(struct ho_agent *a);

/* True once it has ended, for any reason; *ret_status (may be NULL) gets the status as of wait(2).
 */
bool ho_agent_ended(struct ho_agent *a, int *ret_status);

const char *ho_agent_msg_text(enum ho_agent_msg_kind kind);

#endif
