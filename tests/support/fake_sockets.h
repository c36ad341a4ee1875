/* A kernel for tests of programs: sockets in memory, a clock that is a number, no TCP.
 *
 * Bytes travel in order with a fixed delay and are never lost unless the cable is cut; a send
 * buffer is what the receiver has room for. Everything a program can ask of host/op.h is there
 * as far as the programs use it: blocking and non-blocking calls, poll, epoll level- and
 * edge-triggered with timeouts, errors read once. Tests can make any call fail, let calls move
 * few bytes only, cut the cable, and break a connection with an error.
 *
 * fake_run() plays until a time: gives every program its turns, completes what is pending, and
 * jumps to the next instant at which something is due.
 */

#ifndef HO_TESTS_SUPPORT_FAKE_SOCKETS_H
#define HO_TESTS_SUPPORT_FAKE_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program/program.h"

#define FAKE_SOCKS 64
#define FAKE_PROGRAMS 4
#define FAKE_CHUNKS 1024
#define FAKE_PENDING 64
#define FAKE_LOG 4096

struct fake_chunk {
    struct ho_time at; /* when it arrives */
    uint8_t *bytes;
    size_t len, done;
    bool fin;
    int err; /* a reset: the error it causes; 0: none */
};

struct fake_watch {
    int target;
    uint32_t events;
    uint64_t data;
    uint64_t seen; /* edge-triggered: the socket's `wakes` that was reported */
    bool told;
};

enum fake_kind {
    FAKE_FREE,
    FAKE_FRESH, /* not connected, or its connect() failed */
    FAKE_LISTENER,
    FAKE_CONNECTING,
    FAKE_CONN,
    FAKE_EPOLL
};

struct fake_sock {
    enum fake_kind kind;
    int owner; /* index of the program; -1: the test itself */
    bool nonblock;
    uint16_t port; /* bound or local */
    int peer;      /* CONN: descriptor at the other end, -1 if it is gone */
    struct ho_time connected_at;
    int connect_err;
    int accept[16];
    unsigned n_accept;
    struct fake_chunk in[FAKE_CHUNKS]; /* under way, then arrived and unread */
    unsigned n_in;
    size_t in_bytes;
    bool eof, shut_wr, dead; /* the peer's FIN arrived; FIN sent; broken */
    int err;                 /* as sk_err: read once */
    uint64_t wakes;
    bool nospace; /* a send found no room: the socket wakes when there is some */
    struct fake_watch watch[FAKE_SOCKS];
    unsigned n_watch;
};

struct fake_log {
    int program;
    struct ho_program_event ev;
};

struct fake {
    struct ho_time now;
    struct ho_dur delay; /* one way */
    size_t room;         /* bytes a receiver takes */
    size_t max_send, max_recv;
    bool cut;
    struct ho_program *program[FAKE_PROGRAMS];
    unsigned n_programs;
    bool stopped[FAKE_PROGRAMS]; /* SIGSTOP */
    struct fake_sock sock[FAKE_SOCKS];
    struct {
        struct ho_op *op;
        int program;
        struct ho_time until;
    } pending[FAKE_PENDING];
    unsigned n_pending;
    enum ho_op_kind fail_kind; /* the fail_nth call of this kind from now on fails so; 0: none */
    unsigned fail_nth;
    int fail_err;
    struct fake_log log[FAKE_LOG]; /* what the programs said */
    unsigned n_log;
    uint64_t n_ops;
};

/* A large struct: allocated. Aborts the test without memory. */
struct fake *fake_new(void);
void fake_free(struct fake *f); /* the programs as well */

/* Makes and starts a program; text is "key=value key=value ..". Returns its index. */
int fake_start(struct fake *f, const char *behaviour, const char *text);

/* A verb for `raw`; "send 1000 on=k". Fails the test unless it returns 0. */
void fake_do(struct fake *f, int program, const char *text);
/* The same without an opinion: returns what ho_program_command() returned. */
int fake_try(struct fake *f, int program, const char *text);

/* SIGCONT after `stopped` was set: as in Linux an epoll_wait() that was stopped returns EINTR
 * (signal(7)), whatever has come meanwhile.
 */
void fake_continue(struct fake *f, int program);

/* Plays up to and including `until`. */
void fake_run(struct fake *f, struct ho_time until);
/* Plays what is due now. */
void fake_settle(struct fake *f);

/* The test's own end of a connection, without a program: connects to `port` and returns the
 * descriptor; listens on a port; accepts what connected to it (-1: nobody).
 */
int fake_connect(struct fake *f, uint16_t port);
int fake_listen(struct fake *f, uint16_t port);
int fake_accept(struct fake *f, int listener);
/* Sends from the test's end; all of it, however much room there is. */
void fake_send(struct fake *f, int fd, const void *bytes, size_t len);
/* What has arrived at the test's end; at most `room` bytes, 0 if nothing. */
size_t fake_recv(struct fake *f, int fd, void *buf, size_t room);
bool fake_eof(struct fake *f, int fd); /* everything was read and the peer has closed */
void fake_close(struct fake *f, int fd);
/* Ends the connection with an error at this descriptor (a positive errno), nothing is sent. */
void fake_break(struct fake *f, int fd, int err);
/* The descriptor of the program's newest connection, -1: none. */
int fake_conn_of(const struct fake *f, int program);

/* The n-th (from 0) event of a program with this kind and call ("" and -1: any); NULL if none. */
const struct ho_program_event *fake_event(const struct fake *f, int program, int kind,
                                          const char *call, unsigned n);
unsigned fake_count(const struct fake *f, int program, int kind, const char *call);

/* All events of a program as lines "0.001000 k recv 100 =100", for comparing with a transcript.
 * The buffer is the fake's.
 */
const char *fake_transcript(const struct fake *f, int program);

#endif
