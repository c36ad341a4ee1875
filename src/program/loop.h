/* The loop under the behaviours that serve: one thread, one epoll, descriptors that do not block.
 *
 * A behaviour is a table of hooks (struct ho_loop_app) over connections. The loop opens and
 * accepts them, reads, sends what the behaviour has, closes, and wakes at the behaviour's
 * deadlines, which are the timeout of epoll_wait(). Calls are made one after another, as in a
 * program of one thread; loop.c is that thread, loop_conn.c a connection's calls, loop_open.c
 * those that open.
 *
 * A deadline that has come does not fire before the socket was looked at once more: what has
 * arrived by that instant counts, also when the process was stopped meanwhile.
 */

#ifndef HO_PROGRAM_LOOP_H
#define HO_PROGRAM_LOOP_H

#include "base/list.h"
#include "base/timerq.h"
#include "program/room.h"

#define HO_LOOP_BUF 65536 /* bytes of one recv() */

enum ho_conn_step {
    HO_CONN_SOCKET,
    HO_CONN_OPTIONS,
    HO_CONN_BIND,
    HO_CONN_CONNECT,
    HO_CONN_WATCH,  /* epoll_ctl(): connect() is in progress */
    HO_CONN_WAIT,   /* for connect() */
    HO_CONN_RESULT, /* getsockopt(SO_ERROR) */
    HO_CONN_NAME,   /* getsockname() */
    HO_CONN_JOIN,   /* epoll_ctl(): from now on reading */
    HO_CONN_OPEN,
    HO_CONN_CLOSED
};

struct ho_conn {
    struct ho_list all, ready; /* in the loop's lists */
    struct ho_timer timer;
    uint32_t slot, generation; /* what epoll gives back */
    enum ho_conn_step step;
    unsigned option;
    char name[HO_PROGRAM_NAME_MAX];
    int fd;
    bool accepted;
    bool watched; /* in the epoll */
    bool readable, writable;
    bool must_read;       /* an error or hang-up was reported: read although there is no room */
    bool due;             /* its deadline has come; fires after the next read */
    bool eof, shut;       /* recv() returned 0; shutdown(WR) was done */
    bool want_shut;       /* shutdown(WR) once everything is sent */
    bool closing;         /* close() next */
    bool closing_flushed; /* close() once everything is sent */
    uint32_t interest;    /* the events epoll was asked for */
    struct ho_time began; /* connect() was called */
    int err;              /* connect()'s result */
    uint64_t tx, rx, bad;
    struct ho_addr peer;
    uint16_t peer_port;
    void *app; /* the behaviour's part, of app_size bytes, zeroed */
};

struct ho_loop;

/* What a behaviour does. Every hook may be NULL but `received`. */
struct ho_loop_app {
    const char *what; /* who speaks in notes */
    size_t app_size;
    void (*started)(struct ho_loop *l);
    /* The connection exists, with no descriptor yet. */
    void (*made)(struct ho_loop *l, struct ho_conn *c);
    /* The connection is open. Returns 0; a negative errno closes it. */
    int (*opened)(struct ho_loop *l, struct ho_conn *c);
    void (*received)(struct ho_loop *l, struct ho_conn *c, const uint8_t *bytes, size_t len);
    /* How many bytes may be read now, 0: none; NULL: any number. */
    size_t (*room)(const struct ho_loop *l, const struct ho_conn *c);
    /* What is to be sent now: sets *ret_bytes (valid until the next hook), returns how many. */
    size_t (*output)(struct ho_loop *l, struct ho_conn *c, const uint8_t **ret_bytes);
    void (*sent)(struct ho_loop *l, struct ho_conn *c, size_t len);
    /* recv() returned 0. Without this hook the connection is closed when everything was sent. */
    void (*ended)(struct ho_loop *l, struct ho_conn *c);
    /* A call failed, connect() included; the connection is closed next. */
    void (*failed)(struct ho_loop *l, struct ho_conn *c, const char *call, int err);
    /* The descriptor is closed; `c` goes away after this. */
    void (*closed)(struct ho_loop *l, struct ho_conn *c);
    struct ho_time (*deadline)(const struct ho_loop *l, const struct ho_conn *c);
    void (*timer)(struct ho_loop *l, struct ho_conn *c);
    void (*alarm)(struct ho_loop *l); /* l->alarm has come; it was set to HO_NEVER */
};

struct ho_loop_slot {
    struct ho_conn *conn; /* NULL: free */
    uint32_t generation;
    uint32_t next_free; /* index + 1; 0: the last */
};

struct ho_loop {
    struct ho_program p;
    const struct ho_loop_app *app;
    /* settings, by the behaviour's init() */
    bool listens;
    struct ho_addr addr; /* to listen on, or to connect to */
    uint16_t port, from;
    int backlog;
    unsigned max_conns;
    bool brief;  /* no events of successful send() and recv() */
    bool checks; /* what is received must be the checkable stream */
    char prefix[HO_PROGRAM_NAME_MAX];
    struct ho_sockopts options;
    struct ho_dur connect_timeout; /* 0: the system's */
    struct ho_time alarm;
    /* the thread */
    struct ho_op op;
    bool out;
    unsigned step;
    struct ho_conn *conn; /* whose call `op` is; NULL: the loop's own */
    int epfd, lfd;
    bool acceptable;      /* the listener may have a connection */
    bool listening;       /* epoll is asked for the listener */
    struct ho_time pause; /* no accept() before */
    unsigned n_conns, named;
    struct ho_list conns, ready;
    struct ho_loop_slot *slots;
    uint32_t n_slots, free_slot; /* index + 1; 0: none is free */
    struct ho_timerq timers;
    struct ho_epoll_event events[64];
    uint8_t *buf; /* HO_LOOP_BUF */
};

/* Parameters that behaviours share. Those of a server or a client come first in a list, those of
 * both last.
 */
#define HO_SERVER_PARAMS                                                                \
    { .key = "port",                                                                    \
      .kind = HO_PARAM_PORT,                                                            \
      .min = 1,                                                                         \
      .max = 65535,                                                                     \
      .positional = true,                                                               \
      .help = "the port to listen on" },                                                \
        { .key = "addr",                                                                \
          .kind = HO_PARAM_ADDR,                                                        \
          .fallback = "0.0.0.0",                                                        \
          .help = "the address to listen on; :: for IPv6" },                            \
        { .key = "name",                                                                \
          .kind = HO_PARAM_NAME,                                                        \
          .fallback = "x",                                                              \
          .help = "name of the first connection; the next are x2, x3 ..." },            \
        { .key = "backlog",                                                             \
          .kind = HO_PARAM_COUNT,                                                       \
          .fallback = "128",                                                            \
          .max = 65535,                                                                 \
          .help = "length of the accept queue" },                                       \
    {                                                                                   \
        .key = "max_connections", .kind = HO_PARAM_COUNT, .fallback = "1024", .min = 1, \
        .max = 100000000, .help = "at a time; more wait in the accept queue"            \
    }

enum {
    HO_SERVER_PORT,
    HO_SERVER_ADDR,
    HO_SERVER_NAME,
    HO_SERVER_BACKLOG,
    HO_SERVER_MAX,
    HO_SERVER_PARAM_COUNT
};

#define HO_CLIENT_PARAMS                                                                          \
    { .key = "addr", .kind = HO_PARAM_ADDR, .positional = true, .help = "the server's address" }, \
        { .key = "port",                                                                          \
          .kind = HO_PARAM_PORT,                                                                  \
          .min = 1,                                                                               \
          .max = 65535,                                                                           \
          .positional = true,                                                                     \
          .help = "the server's port" },                                                          \
        { .key = "from",                                                                          \
          .kind = HO_PARAM_PORT,                                                                  \
          .fallback = "0",                                                                        \
          .max = 65535,                                                                           \
          .help = "the own port; 0: the system chooses" },                                        \
        { .key = "name",                                                                          \
          .kind = HO_PARAM_NAME,                                                                  \
          .fallback = "k",                                                                        \
          .help = "name of the first connection; the next are k2, k3 ..." },                      \
    {                                                                                             \
        .key = "connect_timeout", .kind = HO_PARAM_DUR, .fallback = "0", .max = HO_PARAM_DUR_MAX, \
        .help = "how long connect() may take; 0: as long as the system tries"                     \
    }

enum {
    HO_CLIENT_ADDR,
    HO_CLIENT_PORT,
    HO_CLIENT_FROM,
    HO_CLIENT_NAME,
    HO_CLIENT_TIMEOUT,
    HO_CLIENT_PARAM_COUNT
};

/* For behaviours that can be either end. */
#define HO_PEER_PARAMS                                                                  \
    { .key = "role",                                                                    \
      .kind = HO_PARAM_CHOICE,                                                          \
      .choices = "connect|listen",                                                      \
      .positional = true,                                                               \
      .help = "which end of the connection it is" },                                    \
        { .key = "addr",                                                                \
          .kind = HO_PARAM_ADDR,                                                        \
          .fallback = "0.0.0.0",                                                        \
          .help = "connect: the server's address; listen: the address to listen on" },  \
        { .key = "port",                                                                \
          .kind = HO_PARAM_PORT,                                                        \
          .min = 1,                                                                     \
          .max = 65535,                                                                 \
          .help = "connect: the server's port; listen: the port to listen on" },        \
        { .key = "from",                                                                \
          .kind = HO_PARAM_PORT,                                                        \
          .fallback = "0",                                                              \
          .max = 65535,                                                                 \
          .help = "connect: the own port; 0: the system chooses" },                     \
        { .key = "name",                                                                \
          .kind = HO_PARAM_NAME,                                                        \
          .fallback = "",                                                               \
          .help = "name of the first connection; default: connect: k, listen: x" },     \
        { .key = "connect_timeout",                                                     \
          .kind = HO_PARAM_DUR,                                                         \
          .fallback = "0",                                                              \
          .max = HO_PARAM_DUR_MAX,                                                      \
          .help = "connect: how long it may take; 0: as long as the system tries" },    \
    {                                                                                   \
        .key = "max_connections", .kind = HO_PARAM_COUNT, .fallback = "1024", .min = 1, \
        .max = 100000000, .help = "listen: at a time; more wait in the accept queue"    \
    }

enum {
    HO_PEER_ROLE,
    HO_PEER_ADDR,
    HO_PEER_PORT,
    HO_PEER_FROM,
    HO_PEER_NAME,
    HO_PEER_TIMEOUT,
    HO_PEER_MAX,
    HO_PEER_PARAM_COUNT
};

#define HO_LOOP_SHARED                                                                        \
    { .key = "options",                                                                       \
      .kind = HO_PARAM_OPTIONS,                                                               \
      .fallback = "",                                                                         \
      .help = "socket options of every connection" },                                         \
    {                                                                                         \
        .key = "log", .kind = HO_PARAM_CHOICE, .fallback = "calls", .choices = "calls|brief", \
        .help = "brief: leaves out send() and recv() that succeed"                            \
    }

/* loop_args.c: the values of these parameters, from the first of them on. */
void ho_loop_serve(struct ho_loop *l, const struct ho_value *v);
void ho_loop_dial(struct ho_loop *l, const struct ho_value *v);
void ho_loop_either(struct ho_loop *l, const struct ho_value *v);
void ho_loop_shared(struct ho_loop *l, const struct ho_value *v);

/* loop.c: the functions of a behaviour's table. */
int ho_loop_init(struct ho_loop *l, const struct ho_loop_app *app);
void ho_loop_fini(struct ho_program *p);
void ho_loop_start(struct ho_program *p);
struct ho_op *ho_loop_next_op(struct ho_program *p);
void ho_loop_complete(struct ho_program *p, struct ho_op *op);
struct ho_time ho_loop_deadline(const struct ho_program *p);
void ho_loop_tick(struct ho_program *p);
const char *ho_loop_sock_name(const struct ho_program *p, int fd);

#define HO_LOOP_TABLE_BUT_FINI                                                        \
    .start = ho_loop_start, .next_op = ho_loop_next_op, .complete = ho_loop_complete, \
    .deadline = ho_loop_deadline, .tick = ho_loop_tick, .sock_name = ho_loop_sock_name
#define HO_LOOP_TABLE .fini = ho_loop_fini, HO_LOOP_TABLE_BUT_FINI

/* A finding about `c`: "heartbeat", "dead_after", 30 s becomes the detail "dead_after=30s". */
void ho_loop_found(struct ho_loop *l, const struct ho_conn *c, const char *rule,
                   const char *setting, int64_t value_ns, const char *note);

/* The hook `started` of a behaviour that may connect: opens its one connection. */
void ho_loop_connect_first(struct ho_loop *l);

/* Opens a connection to l->addr and l->port. Returns 0; -ENOMEM. */
int ho_loop_connect(struct ho_loop *l);
/* Closes at once; pending output is dropped. */
void ho_loop_close(struct ho_loop *l, struct ho_conn *c);
/* Closes when everything was sent. */
void ho_loop_finish(struct ho_loop *l, struct ho_conn *c);
/* shutdown(WR) when everything was sent; reading goes on. */
void ho_loop_shutdown(struct ho_loop *l, struct ho_conn *c);
/* Something about `c` changed outside of its hooks: it is looked at again. */
void ho_loop_touch(struct ho_loop *l, struct ho_conn *c);

/* ---- between the files of the loop ------------------------------------------------------------
 */

struct ho_conn *ho_conn_new(struct ho_loop *l, bool accepted);
void ho_conn_free(struct ho_loop *l, struct ho_conn *c);
struct ho_op *ho_loop_op(struct ho_loop *l, struct ho_conn *c, enum ho_op_kind kind, int fd);
/* The event of a send() that returned `ret`; `asked` bytes were given to it. */
void ho_conn_sent_event(struct ho_loop *l, const struct ho_conn *c, size_t asked, int64_t ret);
struct ho_program_event *ho_conn_event(struct ho_loop *l, const struct ho_conn *c, const char *call,
                                       int64_t ret);
/* loop_conn.c, loop_open.c: the next call of a connection, NULL: none now; and its result. */
struct ho_op *ho_conn_op(struct ho_loop *l, struct ho_conn *c);
void ho_conn_done(struct ho_loop *l, struct ho_conn *c);
struct ho_op *ho_conn_open_op(struct ho_loop *l, struct ho_conn *c);
void ho_conn_open_done(struct ho_loop *l, struct ho_conn *c);
void ho_conn_failed(struct ho_loop *l, struct ho_conn *c, const char *call, int err);
struct ho_op *ho_conn_watch(struct ho_loop *l, struct ho_conn *c, int how, uint32_t events);
void ho_conn_arm(struct ho_loop *l, struct ho_conn *c);

#endif
