/* A heartbeat between two applications, as a state machine: bytes and time in, bytes out.
 *
 * TCP does not tell that the other end has vanished: an idle connection stays ESTABLISHED for
 * ever, keepalive needs 2 h 11 min at its defaults and stands back while data is unacknowledged,
 * retransmission needs 15 minutes. A program that must know sooner asks its peer itself: it sends
 * a ping every `interval` and takes the connection for dead when nothing at all has arrived for
 * `dead_after`. That also notices a peer whose process hangs while its kernel acknowledges.
 *
 * The machine does no I/O, reads no clock, allocates nothing and calls nobody. Around one
 * connection its user does this:
 *
 *     read      ho_heartbeat_input() with what recv() returned, until it is used up
 *     write     ho_heartbeat_output(), send(), ho_heartbeat_sent(); always between two messages
 *               of one's own, never inside one
 *     sleep     until ho_heartbeat_deadline() or the socket is readable
 *     wake      first read what has arrived, then ho_heartbeat_tick()
 *
 * Reading before ticking matters: what arrived in time counts, even if the process was busy or
 * stopped. A pong that arrives exactly at the deadline is in time.
 *
 * On the wire a message is
 *
 *     4 bytes  length of what follows, most significant byte first
 *     1 byte   type: 1 ping, 2 pong, 3 data
 *     n bytes  ping, pong: a number of 8 bytes that the pong repeats; data: the application's
 *
 * Either end may send pings, or both, with intervals of their own; each answers those it gets.
 * Anything that arrives is a sign of life, data as well as pings and pongs.
 *
 * Times are nanoseconds of any clock that does not go backwards (CLOCK_MONOTONIC); only
 * differences matter. One machine belongs to one thread at a time.
 * examples/heartbeat.c is a complete program.
 */

#ifndef HO_HEARTBEAT_H
#define HO_HEARTBEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HO_HEARTBEAT_NEVER INT64_MAX
#define HO_HEARTBEAT_HEADER 5 /* bytes before the body of a message */
#define HO_HEARTBEAT_PING 13  /* bytes of a ping or a pong */

struct ho_heartbeat_conf {
    int64_t interval_ns;   /* a ping so often; 0: only answer those of the peer */
    int64_t dead_after_ns; /* silence that means death; 0: never */
    uint32_t max_message;  /* bytes of data in one message from the peer; 0: 65536 */
};

enum ho_heartbeat_type {
    HO_HEARTBEAT_TYPE_PING = 1,
    HO_HEARTBEAT_TYPE_PONG,
    HO_HEARTBEAT_TYPE_DATA
};

/* A message, or a piece of one, that ho_heartbeat_input() found. */
struct ho_heartbeat_msg {
    enum ho_heartbeat_type type;
    uint64_t number;      /* ping, pong */
    int64_t rtt_ns;       /* pong: since its ping was due; -1 if it is not the last ping's */
    const uint8_t *bytes; /* data: this piece, inside the caller's input */
    size_t len;
    uint32_t total; /* data: bytes of the whole message */
    bool last;      /* data: the message ends with this piece */
};

/* What happened so far. */
struct ho_heartbeat_count {
    uint64_t pings_sent, pongs_sent, pings_received, pongs_received, data_received;
    uint64_t pings_skipped; /* due while the one before was not yet taken */
};

/* To be embedded or allocated by the user; the members are the machine's own. */
struct ho_heartbeat {
    struct ho_heartbeat_conf conf;
    int64_t last_rx_ns, next_ping_ns, pinged_ns;
    uint64_t ping, pong; /* the last number; the number to answer */
    bool want_ping, want_pong, lost, broken;
    uint8_t out[2 * HO_HEARTBEAT_PING];
    uint8_t out_at, out_len;
    uint8_t head[HO_HEARTBEAT_PING]; /* what has come of a header, a ping or a pong */
    uint8_t head_len;
    uint32_t body_total, body_left; /* data: of the message under way */
    struct ho_heartbeat_count count;
};

/* Starts over on a connection that is open since `now_ns`. The first ping is due one interval
 * later.
 *
 * Returns 0; -EINVAL, with *hb untouched, if a time is negative, or if dead_after_ns is not 0
 * and not longer than interval_ns: then a living peer would be taken for dead.
 */
int ho_heartbeat_init(struct ho_heartbeat *hb, const struct ho_heartbeat_conf *conf,
                      int64_t now_ns);

/* Takes bytes that arrived at `now_ns`. Call it again with what is left until it returns 0; then
 * *ret_used == len.
 *
 * Returns 1 if it found something, in *ret; 0 if it needs more bytes; -EPROTO if these are not
 * messages (a type that does not exist, a ping of a wrong length, data above max_message): the
 * connection should be closed, and every later call returns the same; -ETIMEDOUT once
 * ho_heartbeat_tick() has found the peer dead. *ret_used is how many bytes it took, 0 after an
 * error.
 */
int ho_heartbeat_input(struct ho_heartbeat *hb, const void *bytes, size_t len, int64_t now_ns,
                       size_t *ret_used, struct ho_heartbeat_msg *ret);

/* The pings and pongs to send now: sets *ret_bytes, valid until the next call, and returns how
 * many; 0 for none. At most one ping and one pong wait: a pong answers the newest ping.
 */
size_t ho_heartbeat_output(struct ho_heartbeat *hb, const uint8_t **ret_bytes);

/* `len` of these bytes were sent; the rest is given again. */
void ho_heartbeat_sent(struct ho_heartbeat *hb, size_t len);

/* True while a ping or pong was taken in part: no message of one's own may go before the rest. */
bool ho_heartbeat_is_midway(const struct ho_heartbeat *hb);

/* The header to send before `len` bytes of one's own data. */
void ho_heartbeat_frame(uint8_t ret_header[HO_HEARTBEAT_HEADER], uint32_t len);

/* When to call ho_heartbeat_tick() at the latest; HO_HEARTBEAT_NEVER: no timer runs. */
int64_t ho_heartbeat_deadline(const struct ho_heartbeat *hb);

/* Lets time pass up to `now_ns`, after everything that arrived until then was put in.
 *
 * Returns 0; -ETIMEDOUT, once, when nothing has arrived for dead_after_ns. After that no timer
 * runs and nothing is sent: close the connection.
 */
int ho_heartbeat_tick(struct ho_heartbeat *hb, int64_t now_ns);

/* Since when nothing has arrived. */
int64_t ho_heartbeat_last_received(const struct ho_heartbeat *hb);

const struct ho_heartbeat_count *ho_heartbeat_count(const struct ho_heartbeat *hb);

#ifdef __cplusplus
}
#endif

#endif
