/* One TCP connection as a value: segments and time in, segments and events out.
 *
 * The connection does no I/O, reads no clock, draws no random number and never calls its user.
 * The host (host/) owns the loop:
 *
 *     feed     ho_tcp_input(), and the calls of an application (send, recv, shutdown, close)
 *     wake     ho_tcp_tick()      when ho_tcp_deadline() has come
 *     drain    ho_tcp_output()    until it returns NULL, after any of the two above
 *     look     ho_tcp_take_wake() after any of the three above: what sleepers would be woken for
 *     sleep    until ho_tcp_deadline()
 *
 * A closed connection (ho_tcp_is_dead()) is freed by the host with ho_tcp_destroy() once its
 * output is drained and no process holds its socket. A connection that has nothing left but
 * TIME-WAIT, or an orphan in FIN-WAIT-2, asks to be replaced by the small struct ho_tcp_tw
 * (tcp/timewait.h).
 *
 * Units: time in nanoseconds (base/time.h), round-trip times in microseconds, sizes and windows
 * in bytes, congestion windows in segments as in Linux.
 * Errors: 0 or a negative errno. What the peer does wrong is not the caller's error: it is a
 * named drop, counted in the environment (tcp/count.h).
 *
 * Sources: RFC 9293, 7323, 2018, 2883, 5681, 5682, 5961, 6069, 6298, 6582, 6675, 6937, 8985, 9438,
 * and what Linux was measured to do (ground-truth A1 to A5 and B). Departures: docs/departures.md.
 */

#ifndef HO_TCP_TCP_H
#define HO_TCP_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "base/time.h"
#include "knobs/poll.h"
#include "knobs/profile.h"
#include "knobs/state.h"
#include "knobs/sysctl.h"
#include "tcp/count.h"
#include "wire/addr.h"
#include "wire/tcp.h"

/* Room that ho_tcp_output() leaves before the TCP header: Ethernet and IPv6. */
#define HO_TCP_HEADROOM 64

/* What a host lends to its connections. One a host; the host fills it, all calls take it. */
struct ho_tcp_env {
    const struct ho_clk *clk;
    const struct ho_sysctls *sys;
    const struct ho_profile *profile;    /* which kernel, where releases differ */
    struct ho_bufpool *bufs;             /* frames and payload; may be shared with other hosts */
    struct ho_sipkey secret;             /* initial sequence numbers and timestamp offsets */
    struct ho_pool work, skbs, cc, opts; /* ho_tcp_env_init() */
    uint64_t count[HO_TCP_COUNT_N];      /* Linux's SNMP names, tcp/count.h */
};

/* Prepares the pools; the other members are the host's to fill before the first connection. */
void ho_tcp_env_init(struct ho_tcp_env *env, size_t max_connections);
void ho_tcp_env_destroy(struct ho_tcp_env *env);

/* The way to a peer, shared by all connections to it: owned, counted and kept up to date by the
 * host. `route_err` is read when a segment is about to be sent again, as Linux then looks for a
 * route (inet_sk_rebuild_header): -ENETUNREACH is remembered as the soft error.
 */
struct ho_tcp_path {
    struct ho_addr local, remote;
    uint32_t refs;
    int route_err;      /* 0, or the negative errno of the route look-up */
    uint16_t mtu;       /* bytes of an IP packet */
    uint32_t ts_offset; /* added to the millisecond clock in timestamps */
};

/* The options of a socket that TCP reads. Shared between connections, copied on write by
 * ho_tcp_opts_edit(): a listener's children use their listener's.
 */
struct ho_tcp_opts {
    uint32_t refs;
    uint32_t keepidle_s, keepintvl_s; /* 0: the sysctl */
    uint32_t user_timeout_ms;         /* 0: off */
    uint32_t rto_max_ms;              /* 0: the sysctl */
    int32_t linger_s;                 /* SO_LINGER's time; -1: off */
    int32_t linger2_s;                /* TCP_LINGER2: 0 the sysctl, -1 no FIN-WAIT-2 */
    uint32_t rcvbuf, sndbuf;          /* SO_RCVBUF, SO_SNDBUF as set (doubled), 0: automatic */
    uint16_t maxseg;                  /* TCP_MAXSEG, 0: from the path */
    uint8_t keepcnt, syncnt;          /* 0: the sysctl */
    uint8_t congestion;               /* enum ho_congestion + 1, 0: the sysctl */
    bool keepalive, nodelay, cork, recverr, reuseaddr;
};

/* Why a connection ended, as a diagnosis will quote it: id, words */
#define HO_TCP_WHYS(X)                                                             \
    X(NONE, "")                                                                    \
    X(CLOSED, "closed in order by both sides")                                     \
    X(RETRIES2, "no answer to data (tcp_retries2)")                                \
    X(ORPHAN_RETRIES, "no answer to an orphan's data or FIN (tcp_orphan_retries)") \
    X(PROBES, "no answer to window probes (tcp_retries2 as a count)")              \
    X(SYN_RETRIES, "no answer to SYN (tcp_syn_retries)")                           \
    X(KEEPALIVE, "no answer to keepalive probes")                                  \
    X(USER_TIMEOUT, "TCP_USER_TIMEOUT")                                            \
    X(RST_IN, "the peer sent RST")                                                 \
    X(RST_OUT, "reset by this side")                                               \
    X(ICMP, "ICMP said unreachable")                                               \
    X(FIN_TIMEOUT, "no FIN from the peer (tcp_fin_timeout)")                       \
    X(ABORT, "closed with data unread or SO_LINGER 0")                             \
    X(NO_MEMORY, "out of memory")

enum ho_tcp_why {
#define X(id, words) HO_TCP_WHY_##id,
    HO_TCP_WHYS(X)
#undef X
};

const char *ho_tcp_why_words(enum ho_tcp_why why);

/* The connection. Its layout is for src/tcp/ and the tests (tcp/conn.h); hosts embed it. */
struct ho_tcp;

/* What sleepers are woken for, as Linux's sk_data_ready, sk_write_space, sk_state_change and
 * sk_error_report do: each is an edge for epoll.
 */
#define HO_WAKE_READ 1u
#define HO_WAKE_WRITE 2u
#define HO_WAKE_STATE 4u
#define HO_WAKE_ERROR 8u

/* A CLOSED connection on `path` (referenced: the caller has counted it) with the options `opts`
 * (likewise), not yet sending. `c` is memory of the caller's, sizeof(struct ho_tcp).
 */
void ho_tcp_init(struct ho_tcp *c, struct ho_tcp_path *path, struct ho_tcp_opts *opts,
                 uint16_t lport, uint16_t rport);

/* Gives back all memory. Sends nothing: to say goodbye, close or abort first. The path and the
 * options are the host's to release.
 */
void ho_tcp_destroy(struct ho_tcp_env *env, struct ho_tcp *c);

/* Active open: CLOSED to SYN-SENT; the SYN comes from ho_tcp_output().
 * Returns 0; -ENOMEM, with the connection still CLOSED.
 */
int ho_tcp_connect(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);

/* Takes one segment that belongs to this connection. `seg` is its header; `payload`, if not
 * NULL, holds exactly its seg->payload_len bytes from ho_buf_bytes(), and is consumed.
 *
 * Returns true if the segment is to be answered with ho_tcp_reset_for(): an ACK in SYN-SENT that
 * is not for our SYN (RFC 9293 3.10.7.3), data for a reader that is gone.
 */
bool ho_tcp_input(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                  struct ho_buf *payload, struct ho_time now);

/* The next segment to send: a buffer whose bytes are a TCP header with checksum and its payload,
 * with HO_TCP_HEADROOM before it; NULL when there is nothing to send now. The buffer is the
 * caller's. `user` holds HO_TCP_OUT_* bits. If it carries sequence space, tag[0] is its first
 * sequence number: a host that cannot send it on at once (it waits for a neighbour) says so with
 * ho_tcp_park().
 */
#define HO_TCP_OUT_SEQ 1u /* carries sequence space */
#define HO_TCP_OUT_CONFIRM                                                 \
    2u /* the neighbour it goes to is known to work (Linux sk_dst_confirm) \
        */
struct ho_buf *ho_tcp_output(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);

/* The segment that starts at `seq` waits in a queue of the host's (parked), or has left it. Linux
 * does not send a segment again while a copy of it is still in the host (-EBUSY).
 */
void ho_tcp_park(struct ho_tcp *c, uint32_t seq, bool parked);

/* An ICMP error about a segment of ours that starts at `seq`: `err` is the positive errno
 * (EHOSTUNREACH, ENETUNREACH, ECONNREFUSED, EPROTO...), `fatal` if Linux's table says so
 * (port, protocol unreachable). Ground-truth A4 and A5.
 */
void ho_tcp_icmp(struct ho_tcp_env *env, struct ho_tcp *c, int err, bool fatal, uint32_t seq,
                 struct ho_time now);

/* When to call ho_tcp_tick(): already rounded by the timer wheel. HO_NEVER: not at all. */
struct ho_time ho_tcp_deadline(const struct ho_tcp *c);

/* The same with the turn that the earliest timer has among those of its jiffy (base/due.h). */
struct ho_due ho_tcp_due(const struct ho_tcp *c);

/* Fires every timer that is due, earliest first. */
void ho_tcp_tick(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);

/* Fires the first of them only, so that those of others get their turns; nothing if none is due. */
void ho_tcp_fire(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);

/* Queues at most `len` bytes for sending; the bytes are copied. `more` is MSG_MORE.
 *
 * Returns the number of bytes taken, > 0; -EAGAIN if there is no room (HO_WAKE_WRITE comes when
 * there is); the pending error, negative, read and cleared; -EPIPE after shutdown or an error
 * that was read; -ENOTCONN.
 */
int64_t ho_tcp_send(struct ho_tcp_env *env, struct ho_tcp *c, const void *bytes, size_t len,
                    struct ho_time now);

/* Takes at most `len` bytes out of the receive queue; with `peek` leaves them there.
 *
 * Returns the number of bytes; 0 at the end of the stream; -EAGAIN if there is nothing yet; the
 * pending error, negative, read and cleared, but never before the data; -ENOTCONN.
 */
int64_t ho_tcp_recv(struct ho_tcp_env *env, struct ho_tcp *c, void *bytes, size_t len, bool peek,
                    struct ho_time now);

/* shutdown(2). Returns 0; -ENOTCONN. */
int ho_tcp_shutdown(struct ho_tcp_env *env, struct ho_tcp *c, bool rd, bool wr, struct ho_time now);

/* close(2), or the death of the process: FIN; or RST if data was left unread (RFC 2525 2.17) or
 * SO_LINGER is on with time 0. Unless `linger`, the connection is an orphan from now on; with it
 * (a blocking close with SO_LINGER and a time) it becomes one by ho_tcp_orphan(), to be called
 * when ho_tcp_lingers() is no longer true or the time is over.
 */
void ho_tcp_close(struct ho_tcp_env *env, struct ho_tcp *c, bool linger, struct ho_time now);
void ho_tcp_orphan(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);

/* True while a lingering close waits: the peer has not acknowledged the FIN. */
bool ho_tcp_lingers(const struct ho_tcp *c);

/* RST, and CLOSED with ECONNABORTED (SOCK_DESTROY). */
void ho_tcp_abort(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);

/* To be called after one of these options was changed in c->opts; other options are read at use. */
enum ho_tcp_change {
    HO_TCP_KEEPALIVE_ON,  /* SO_KEEPALIVE was off before */
    HO_TCP_KEEPALIVE_OFF, /* SO_KEEPALIVE was on before */
    HO_TCP_KEEPIDLE,      /* TCP_KEEPIDLE: what has elapsed counts */
    HO_TCP_PUSH           /* TCP_NODELAY on, TCP_CORK off: what was held back goes */
};
void ho_tcp_opts_changed(struct ho_tcp_env *env, struct ho_tcp *c, enum ho_tcp_change what,
                         struct ho_time now);

/* TCP_QUICKACK: `on` sends a held ACK and acknowledges at once for a while. */
void ho_tcp_quickack(struct ho_tcp_env *env, struct ho_tcp *c, bool on, struct ho_time now);

/* sk_err: the pending error as a positive errno, read and cleared (SO_ERROR). */
int ho_tcp_take_error(struct ho_tcp *c);

/* What poll(2) says: the bits of knobs/poll.h, by Linux's tcp_poll() rules. Somebody who is told
 * that there is no room to write is woken when there is.
 */
uint32_t ho_tcp_poll(const struct ho_tcp_env *env, struct ho_tcp *c);

/* HO_WAKE_* bits since the last call. */
unsigned ho_tcp_take_wake(struct ho_tcp *c);

enum ho_tcp_state ho_tcp_state(const struct ho_tcp *c);
enum ho_tcp_why ho_tcp_why(const struct ho_tcp *c);

/* True in CLOSED after having been open: nothing more will happen but ho_tcp_output() and the
 * reading of data and error that are left.
 */
bool ho_tcp_is_dead(const struct ho_tcp *c);

/* True when an orphan needs no more than a struct ho_tcp_tw: TIME-WAIT, or FIN-WAIT-2 with its
 * process gone. The host then makes one with ho_tcp_tw_init() and destroys the connection.
 */
bool ho_tcp_wants_tw(const struct ho_tcp *c);

/* What sock_diag and TCP_INFO say of a socket. Times in microseconds. */
struct ho_tcp_info {
    enum ho_tcp_state state;
    enum ho_sock_timer timer;
    int64_t expires_us;     /* from now */
    uint32_t idiag_retrans; /* retransmits, or probes of the timer in force */
    uint8_t ca_state, retransmits, probes, backoff;
    uint32_t rto_us, ato_us, rtt_us, rttvar_us;
    uint32_t cwnd, ssthresh; /* segments; ssthresh 2147483647: not yet set */
    uint32_t snd_mss, rcv_mss, pmtu, advmss;
    uint32_t unacked, sacked, lost, retrans, total_retrans;
    uint32_t rq, wq; /* bytes unread; bytes not acknowledged */
    uint32_t snd_wnd, rcv_wnd;
    uint32_t last_data_sent_ms, last_ack_recv_ms, last_data_recv_ms;
    int err, err_soft; /* positive errnos */
    uint8_t snd_wscale, rcv_wscale;
};

void ho_tcp_info(const struct ho_tcp_env *env, const struct ho_tcp *c, struct ho_time now,
                 struct ho_tcp_info *ret);

/* A segment for which there is no connection: fills *ret with the RST that answers it (RFC 9293
 * 3.10.7.1). Returns true if one must be sent: never to a RST.
 */
bool ho_tcp_reset_for(const struct ho_wire_tcp *seg, struct ho_wire_tcp *ret);

/* Writes `seg` (no payload) into a new buffer as ho_tcp_output() would; NULL without memory. */
struct ho_buf *ho_tcp_bare(struct ho_tcp_env *env, const struct ho_addr *src,
                           const struct ho_addr *dst, const struct ho_wire_tcp *seg);

/* The timestamp clock of a host: milliseconds (RFC 7323 5.4). */
uint32_t ho_tcp_ts_now(const struct ho_tcp_path *path, struct ho_time now);

/* Options: a new block with Linux's defaults (refs 1), or NULL. */
struct ho_tcp_opts *ho_tcp_opts_new(struct ho_tcp_env *env);
void ho_tcp_opts_put(struct ho_tcp_env *env, struct ho_tcp_opts *o); /* NULL is ignored */

/* Makes *o the caller's own to write: a copy if it is shared. Returns 0 or -ENOMEM. */
int ho_tcp_opts_edit(struct ho_tcp_env *env, struct ho_tcp_opts **o);

#endif
