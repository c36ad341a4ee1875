/* What runs in a process: behaviours as state machines over socket operations.
 *
 * A program asks for system calls and is told how they ended; it has no thread, reads no clock
 * and calls nobody. The same code runs on the model's hosts, over real descriptors and in a
 * browser. The engine owns the loop:
 *
 *     start      ho_program_start()       once
 *     drain      ho_program_next_op()     until NULL; run each operation (host/op.h)
 *     feed       ho_program_complete()    for each operation that is done: at once, or later
 *     wake       ho_program_tick()        when ho_program_deadline() has come
 *     drive      ho_program_command()     `raw` only: a verb of the scenario
 *     look       ho_program_next_event()  until false, after any of the above
 *     sleep      until an operation completes or ho_program_deadline()
 *
 * After feed, wake and drive: drain again. An operation given out stays the program's and is
 * valid until it was completed; the engine sets `pid` (and on the model whatever host/op.h says
 * is the host's), and reads nothing from an operation after it gave it to ho_program_complete().
 * Several operations can be out at once, as several threads of a process are in system calls;
 * one that does not pend is completed before the next is asked for. `op->user` is the engine's.
 *
 * Descriptors. Behaviours that serve (all but `raw`) are written as good servers are: one
 * epoll, descriptors that do not block: every SOCKET and ACCEPT carries HO_SOCK_NONBLOCK, and
 * CONNECT, SEND and RECV on them never pend. Their timers are the timeout of EPOLL_WAIT, so a
 * process that is stopped (SIGSTOP) misses them as a real one does; -EINTR from EPOLL_WAIT is
 * taken as a wake-up. `raw` uses blocking descriptors, and HO_MSG_DONTWAIT where a verb does
 * not say that it blocks.
 *
 * A killed process: forget its pending operations, then ho_program_free(). A program does
 * nothing at its death; closing its sockets is the host's work, as in Linux.
 *
 * docs/programs.md describes each behaviour with its arguments and what it shows.
 */

#ifndef HO_PROGRAM_PROGRAM_H
#define HO_PROGRAM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "host/op.h"
#include "knobs/poll.h"
#include "wire/addr.h"

#define HO_PROGRAM_NAME_MAX 16   /* bytes of a socket's name, with the final 0 */
#define HO_PROGRAM_NOTE_MAX 80   /* bytes of an event's note, with the final 0 */
#define HO_PROGRAM_EVENTS_MAX 64 /* events kept between two rounds of looking */

struct ho_program; /* opaque: program/room.h, for src/program/ only */

/* One argument: key=value. `key` NULL or "": a value without a key, which goes to the first
 * positional parameter that has none yet. Read during the call only.
 */
struct ho_program_arg {
    const char *key;
    const char *value;
};

/* Why arguments were refused. `text` names the key, what was found and what could stand there:
 * "interval: found \"ten\", expected a duration such as 500ms, 10s, 1.5s or 2h".
 */
struct ho_program_error {
    size_t arg; /* index of the argument at fault; n_args if one is missing */
    char text[240];
};

/* What an argument may be. */
#define HO_PARAM_KINDS(X)                                       \
    X(TEXT, "text")                                             \
    X(NAME, "a name of at most 15 letters, digits, '-' or '_'") \
    X(COUNT, "a whole number")                                  \
    X(BYTES, "a number of bytes such as 1000, 64k or 10M")      \
    X(PORT, "a port from 1 to 65535")                           \
    X(ADDR, "an address such as 10.0.0.2 or fd00::2")           \
    X(DUR, "a duration such as 500ms, 10s, 1.5s or 2h")         \
    X(CHOICE, "one of")                                         \
    X(OPTIONS, "socket options such as SO_KEEPALIVE=1,TCP_KEEPIDLE=5")

enum ho_param_kind {
#define X(id, text) HO_PARAM_##id,
    HO_PARAM_KINDS(X)
#undef X
    HO_PARAM_KIND_COUNT
};

/* One parameter of a behaviour or of a verb: for the checker, completions and documents. */
struct ho_param {
    const char *key;
    enum ho_param_kind kind;
    const char *fallback; /* the default, as text; NULL: the argument must be given */
    const char *choices;  /* CHOICE: the words, separated by '|' */
    int64_t min, max;     /* COUNT, BYTES, PORT: limits; DUR: in nanoseconds */
    bool positional;      /* may be given without its key, in the order of the list */
    const char *help;     /* one line */
};

/* A behaviour, or a verb of `raw`. */
struct ho_program_spec {
    const char *name;
    const char *help; /* one line */
    const struct ho_param *params;
    size_t n_params;
};

/* The i-th behaviour and the i-th verb, in the order of the documents; NULL after the last. */
const struct ho_program_spec *ho_program_behaviour(size_t i);
const struct ho_program_spec *ho_program_verb(size_t i);

/* Checks the arguments of a behaviour, or of a verb of `raw`, without making anything.
 *
 * Returns 0; -EINVAL, with *ret_error filled (it may be NULL).
 */
int ho_program_check(const char *behaviour, const struct ho_program_arg *args, size_t n_args,
                     struct ho_program_error *ret_error);
int ho_program_check_verb(const char *verb, const struct ho_program_arg *args, size_t n_args,
                          struct ho_program_error *ret_error);

/* Makes a program that has not started. `behaviour` is the name of one
 * that ho_program_behaviour() lists.
 *
 * Returns 0; -EINVAL (see ho_program_check); -ENOMEM. On failure *ret is untouched.
 */
int ho_program_new(struct ho_program **ret, const char *behaviour,
                   const struct ho_program_arg *args, size_t n_args,
                   struct ho_program_error *ret_error);

/* Frees the program and everything it owns, operations that are still out included: the engine
 * must have forgotten them. NULL is ignored.
 */
void ho_program_free(struct ho_program *p);

/* Begins. Once, before anything below. */
void ho_program_start(struct ho_program *p, struct ho_time now);

/* The next operation to run, or NULL if there is none now. Call until NULL. */
struct ho_op *ho_program_next_op(struct ho_program *p);

/* Tells the program that `op`, which it gave out, is done; op->ret and its outputs are valid. */
void ho_program_complete(struct ho_program *p, struct ho_op *op, struct ho_time now);

/* When to call ho_program_tick() at the latest, HO_NEVER if nothing is waited for. Programs that
 * wait in epoll_wait() have their deadline there (op->timeout) and none here.
 */
struct ho_time ho_program_deadline(const struct ho_program *p);

/* Lets time pass up to `now`. Harmless when nothing is due. */
void ho_program_tick(struct ho_program *p, struct ho_time now);

/* One verb of a scenario, for `raw`. What it does begins at once if nothing that must come
 * before it is under way; verbs on one socket keep their order, and a verb that blocks (send
 * with block=yes, connect ...) occupies its socket's thread only.
 *
 * Returns 0; -EINVAL (bad arguments, see ho_program_check_verb, or a socket of that name does not
 * exist or exists already); -EOPNOTSUPP if this behaviour takes no verbs; -EAGAIN if 64 verbs are
 * waiting already; -ENOMEM. After a failure nothing has begun; *ret_error (may be NULL) says why
 * for -EINVAL.
 */
int ho_program_command(struct ho_program *p, const char *verb, const struct ho_program_arg *args,
                       size_t n_args, struct ho_time now, struct ho_program_error *ret_error);

/* True once the program has ended by itself; *ret_status (may be NULL) gets its exit status: 0 it
 * did its work, 1 its peer or its connection failed it. The engine then ends the process.
 */
bool ho_program_exited(const struct ho_program *p, int *ret_status);

/* What an event tells. A finding is not a call but the behaviour's own: a timer or rule of its
 * own says that the peer is gone. `call` is the rule's name, `detail` its setting.
 */
#define HO_PROGRAM_EVENTS(X)                                                                \
    X(CALL, "call")       /* a system call returned: `call`, `ret`, `err` */                \
    X(ENTER, "enter")     /* a call was made that blocks */                                 \
    X(EVENTS, "events")   /* epoll or poll reported `events` for `sock` */                  \
    X(STATUS, "status")   /* `tx`, `rx`, `bad` of a socket, on request */                   \
    X(FINDING, "finding") /* "heartbeat", "dead_after=30s"; `note` says it in words */      \
    X(NOTE, "note")       /* a remark of the behaviour: `call` who makes it, `note` what */ \
    X(EXIT, "exit")       /* the program ended; `ret` is the status */

enum ho_program_event_kind {
#define X(id, text) HO_PROGRAM_##id,
    HO_PROGRAM_EVENTS(X)
#undef X
    HO_PROGRAM_EVENT_COUNT
};

/* Which members of an event say something, beside kind, at, call, sock and fd. */
#define HO_EV_ASKED 0x001u  /* asked: bytes */
#define HO_EV_RET 0x002u    /* ret, err */
#define HO_EV_TX 0x004u     /* tx */
#define HO_EV_RX 0x008u     /* rx, bad, stream_ok */
#define HO_EV_EVENTS 0x010u /* events */
#define HO_EV_TOOK 0x020u   /* took */
#define HO_EV_LOCAL 0x040u  /* local, local_port */
#define HO_EV_PEER 0x080u   /* peer, peer_port */
#define HO_EV_VALUE 0x100u  /* value */

/* One line for the timeline. Everything is in it; nothing points into the program. */
struct ho_program_event {
    enum ho_program_event_kind kind;
    unsigned has; /* HO_EV_* */
    struct ho_time at;
    const char *call;               /* "connect", "epoll", "recv", "heartbeat" ...: static text */
    char sock[HO_PROGRAM_NAME_MAX]; /* the socket's name in the program, "" for none */
    int fd;                         /* its descriptor, -1 for none */
    uint64_t asked;                 /* bytes asked for */
    int64_t ret;                    /* as the call returns in C: -1 with err, else the result */
    int err;                        /* a positive errno or 0; with ret > 0: why it was not more */
    uint64_t tx, rx;                /* payload bytes sent and received on this socket so far */
    uint64_t bad;                   /* received bytes that are not those of the stream */
    bool stream_ok;                 /* bad == 0 */
    uint32_t events;                /* HO_POLL* */
    struct ho_dur took;             /* since the call was made */
    struct ho_addr local, peer;
    uint16_t local_port, peer_port;
    int64_t value;                  /* getsockopt: the value; SO_ERROR: a positive errno or 0 */
    char detail[48];                /* "SO_ERROR", "WR", "TCP_KEEPIDLE=5", "" */
    char note[HO_PROGRAM_NOTE_MAX]; /* free text, "" */
};

/* Takes the oldest event out. Events beyond HO_PROGRAM_EVENTS_MAX between two rounds are counted,
 * see ho_program_events_lost().
 *
 * Returns true with *ret filled; false with *ret untouched.
 */
bool ho_program_next_event(struct ho_program *p, struct ho_program_event *ret);
uint64_t ho_program_events_lost(const struct ho_program *p);

/* The name of the socket behind `fd`, or NULL; valid until the next call that is given `p`. */
const char *ho_program_sock_name(const struct ho_program *p, int fd);

const char *ho_program_event_kind_text(enum ho_program_event_kind kind);

#endif
