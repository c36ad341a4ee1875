/* `raw`: a process that makes the system calls that a scenario tells it to make.
 *
 * It is written as a process with threads would be; a thread is one operation that is out or
 * not. Each socket has
 *   main   does the verbs on it one after another;
 *   aux    does those that need not wait while main is blocked: a poll() beside a blocked send();
 *   ctl    one epoll_ctl() beside a blocked connect();
 *   poll   with read=auto: waits in poll() and reads what has come.
 * One more thread waits in epoll_wait() for all sockets that are watched, and accepts.
 *
 * raw_verbs.c has the verbs' parameters, raw_command.c turns arguments into tasks, raw_open.c
 * and raw_task.c do the tasks, raw_read.c reads, raw_epoll.c is the epoll thread, and raw.c
 * says whose call is next.
 */

#ifndef HO_PROGRAM_RAW_H
#define HO_PROGRAM_RAW_H

#include "base/list.h"
#include "program/room.h"

#define HO_RAW_TASKS_MAX 64       /* verbs that wait or are under way */
#define HO_RAW_BUF 65536          /* bytes of a recv() that names no size */
#define HO_RAW_CALL_MAX (1 << 26) /* bytes of one call */

/* The verbs: id, name, parameters (raw_verbs.c), help. */
#define HO_RAW_VERBS(X)                                                                          \
    X(LISTEN, "listen", listen, "opens a listening socket; what connects to it is accepted")     \
    X(CONNECT, "connect", connect, "opens a socket and connects it; blocks")                     \
    X(ACCEPT, "accept", accept, "takes one connection from a listener")                          \
    X(ACCEPTING, "accepting", accepting, "whether a listener accepts at once")                   \
    X(SEND, "send", send, "sends bytes of the stream, and the rest again until it would block")  \
    X(FILL, "fill", fill, "sends until it would block")                                          \
    X(STOP_SENDING, "stop-sending", on, "ends a send that repeats")                              \
    X(RECV, "recv", recv, "reads once")                                                          \
    X(DRAIN, "drain", on, "reads until it would block, the end of the stream or an error")       \
    X(READING, "reading", yes, "whether what arrives is read at once")                           \
    X(SHUTDOWN, "shutdown", shutdown, "half-closes")                                             \
    X(CLOSE, "close", on, "closes")                                                              \
    X(OPTION, "option", option, "a socket option of every connection from now on")               \
    X(SETSOCKOPT, "setsockopt", setsockopt, "sets a socket option")                              \
    X(GETSOCKOPT, "getsockopt", getsockopt, "reads a socket option; reading SO_ERROR clears it") \
    X(POLL, "poll", on, "samples the socket's events")                                           \
    X(WATCH, "watch", watch, "whether epoll reports the socket's events, and reads by them")     \
    X(REACT, "react", react, "what is done after an error and at the end of the stream")         \
    X(STATUS, "status", on, "reports the bytes sent and received so far")                        \
    X(EXIT, "exit", exit, "ends the process")

enum raw_verb {
#define X(id, name, params, help) RAW_##id,
    HO_RAW_VERBS(X)
#undef X
    RAW_VERB_COUNT,
    RAW_ACCEPTED = RAW_VERB_COUNT /* not a verb: what a new connection needs first */
};

enum raw_watch {
    RAW_WATCH_NO,
    RAW_WATCH_AFTER,
    RAW_WATCH_BEFORE,
    RAW_WATCH_DURING
};
enum raw_read {
    RAW_READ_THREAD,
    RAW_READ_EPOLL,
    RAW_READ_NO
};
enum raw_on_error {
    RAW_ERROR_KEEP,
    RAW_ERROR_CLOSE,
    RAW_ERROR_PROBE
};
enum raw_on_eof {
    RAW_EOF_KEEP,
    RAW_EOF_CLOSE
};

/* How a connection is treated; a listener keeps one for those it accepts. */
struct raw_manner {
    enum raw_watch watch;
    bool level; /* level-triggered */
    enum raw_read read;
    enum raw_on_error on_error;
    enum raw_on_eof on_eof;
    struct ho_sockopts options; /* set before connect(), or after accept() */
};

struct raw_sock;
struct raw_task;

struct raw_thread {
    struct ho_op op;
    bool out;              /* the operation is with the engine */
    bool blocked;          /* and it did not come back at once */
    struct raw_sock *sock; /* NULL: the epoll thread */
    struct raw_task *task; /* main, aux: what it does now */
};

/* Reading until there is nothing more, and what is done about an error: raw_read.c. */
struct raw_reader {
    unsigned step;
    bool tell_eagain;
    uint8_t byte; /* what the sends after an error send */
};

/* One verb. */
struct raw_task {
    struct ho_list node; /* in raw_sock.tasks until a thread takes it */
    enum raw_verb verb;
    unsigned step;
    unsigned option; /* which of the options is next */
    bool block, entered, filled;
    struct ho_time called;
    char note[HO_PROGRAM_NOTE_MAX];
    struct ho_addr addr, local;
    uint16_t port, from;
    int arg; /* backlog, SHUT_*, the option to read, yes or no */
    int err; /* connect(): its result */
    uint8_t *buf;
    size_t len, done;
    uint64_t filled_at; /* stream offset of buf[0], once it was filled */
    char as[HO_PROGRAM_NAME_MAX];
    struct ho_sockopts options;
    struct raw_reader reader;
};

struct raw_sock {
    struct ho_list all;   /* in raw.socks */
    struct ho_list ready; /* in raw.ready: may have a call to make */
    struct ho_list tasks;
    struct ho_list repeats; /* in raw.repeats: sends again and again */
    uint64_t id;            /* what epoll gives back */
    char name[HO_PROGRAM_NAME_MAX];
    int fd;
    bool listener, connected;
    bool eof;    /* the end of the stream was read, or nothing can come any more */
    bool failed; /* a recv() returned an error */
    bool gone;   /* closed; freed when no thread uses it */
    struct raw_manner how;
    uint32_t watched; /* the events that epoll was asked for; 0: it is not watched */
    bool out_told;    /* level-triggered: OUT was reported and nothing blocked since */
    uint64_t tx, rx, bad;
    struct raw_thread main, aux, ctl, poll;
    bool ctl_wanted;
    bool reading; /* the poll thread is between poll() and poll() */
    struct raw_reader reader;
    /* listener */
    bool accepts;
    char prefix[HO_PROGRAM_NAME_MAX];
    unsigned accepted;
    struct raw_manner accepted_how;
    /* a send that repeats */
    struct ho_dur every;
    struct ho_time next;
    uint64_t times; /* left; UINT64_MAX: for ever */
    size_t repeat_len;
    bool repeat_block;
    char repeat_note[HO_PROGRAM_NOTE_MAX];
};

struct raw {
    struct ho_program p;
    struct ho_list socks, ready, repeats;
    uint64_t last_id;
    unsigned n_tasks, n_conns, n_listeners;
    /* verbs without `on` that hold for every connection, later ones too */
    struct ho_sockopts options;
    bool all_watched, all_level, all_react;
    enum raw_on_error all_on_error;
    enum raw_on_eof all_on_eof;
    struct raw_thread *last; /* whose call was given out last */
    int epfd;                /* -1 until it was made */
    struct raw_thread epoll;
    unsigned step;
    struct ho_epoll_event events[16];
    int64_t n_events, event; /* reported; the one that is looked at */
    struct raw_sock *sock;   /* whose event it is */
    struct raw_reader reader;
    uint8_t *buf; /* HO_RAW_BUF, for recv() that does not block */
};

/* raw.c */
struct raw_sock *raw_sock_new(struct raw *r, const char *name); /* NULL: no memory */
struct raw_sock *raw_find(struct raw *r, const char *name);
struct raw_sock *raw_by_id(struct raw *r, uint64_t id);
void raw_release(struct raw *r, struct raw_sock *s); /* frees it if it is gone and unused */
void raw_ready(struct raw *r, struct raw_sock *s);
/* What holds for every connection, put over its own manner. */
void raw_manner_join(const struct raw *r, struct raw_manner *how);
struct ho_program_event *raw_event(struct raw *r, const struct raw_sock *s,
                                   enum ho_program_event_kind kind, const char *call);
/* A CALL event with its result: op.ret. NULL if it was not kept. */
struct ho_program_event *raw_result(struct raw *r, const struct raw_sock *s, const char *call,
                                    int64_t ret);
struct ho_op *raw_op(struct raw_thread *t, enum ho_op_kind kind, int fd); /* a cleared one */

/* raw_task.c */
struct raw_task *raw_task_new(struct raw *r, struct raw_sock *s, enum raw_verb verb);
void raw_task_free(struct raw *r, struct raw_task *t);
struct ho_op *raw_task_op(struct raw *r, struct raw_thread *th); /* NULL: the task has ended */
void raw_task_done(struct raw *r, struct raw_thread *th);
bool raw_may_overtake(const struct raw_task *t, const struct raw_task *blocked);
void raw_close_later(struct raw *r, struct raw_sock *s);
struct ho_program_event *raw_told(struct raw *r, struct raw_sock *s, struct raw_task *t,
                                  const char *call, int64_t ret);
void raw_option_told(struct raw *r, struct raw_sock *s, struct raw_task *t, int64_t ret);

/* raw_open.c */
struct ho_op *raw_open_op(struct raw *r, struct raw_thread *th);
void raw_open_done(struct raw *r, struct raw_thread *th);
struct ho_op *raw_option_op(struct raw_thread *th, const struct raw_task *t);
struct raw_sock *raw_accepted(struct raw *r, struct raw_sock *l, const struct ho_op *op,
                              const char *as);

/* raw_read.c */
void raw_reader_start(struct raw_reader *rd, bool tell_eagain);
/* The next call of a reader in `th`; NULL: it is finished. */
struct ho_op *raw_reader_op(struct raw *r, struct raw_thread *th, struct raw_reader *rd);
void raw_reader_done(struct raw *r, struct raw_thread *th, struct raw_reader *rd);
void raw_received(struct raw *r, struct raw_sock *s, const struct ho_op *op, const char *note);
struct ho_op *raw_poll_op(struct raw *r, struct raw_sock *s); /* the poll thread; or NULL */
void raw_poll_done(struct raw *r, struct raw_sock *s);

/* raw_epoll.c */
struct ho_op *raw_epoll_op(struct raw *r);
void raw_epoll_done(struct raw *r);
/* What epoll should be asked for now; 0: nothing. */
uint32_t raw_interest(const struct raw_sock *s);
/* The epoll_ctl() that makes it so. */
struct ho_op *raw_watch_op(struct raw *r, struct raw_thread *th, struct raw_sock *s,
                           uint32_t events);
void raw_watch_done(struct raw *r, struct raw_sock *s, const struct ho_op *op);

/* raw_command.c */
int raw_command(struct ho_program *p, size_t index, const struct ho_value *v,
                struct ho_program_error *ret_error);
void raw_repeat(struct raw *r, struct raw_sock *s);

#endif
