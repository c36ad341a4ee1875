/* A connection before it is one: the request that a SYN makes at a listener.
 *
 * The host keeps requests in its demultiplexer beside the connections, under the four-tuple, and
 * counts them against their listener's backlog (SYN queue) and its finished children (accept
 * queue). A request is a small object with a timer of its own: SYN-ACK at once, then after 1 s,
 * doubling, tcp_synack_retries times (ground-truth row 11). Linux: struct tcp_request_sock.
 */

#ifndef HO_TCP_LISTEN_H
#define HO_TCP_LISTEN_H

#include "tcp/seq.h"
#include "tcp/tcp.h"

struct ho_tcp_req {
    struct ho_tcp_path *path;
    struct ho_tcp_opts *opts;    /* the listener's */
    struct ho_due deadline;      /* the next SYN-ACK, or the end */
    struct ho_time synack_sent;  /* the last SYN-ACK: first round-trip sample */
    struct ho_time last_oow_ack; /* rate limit of challenge ACKs */
    struct ho_seq irs, iss;
    uint32_t ts_recent;
    uint32_t rcv_wnd; /* the window offered in the SYN-ACK */
    uint16_t lport, rport;
    uint16_t mss;        /* the peer's MSS option */
    uint16_t snd_wnd;    /* its SYN's window */
    uint8_t num_timeout; /* timeouts so far */
    uint8_t num_retrans; /* SYN-ACKs sent again */
    uint8_t snd_wscale, rcv_wscale;
    bool wscale_ok, sack_ok, ts_ok;
    bool acked; /* its ACK came while the accept queue was full */
};

enum ho_tcp_req_do {
    HO_TCP_REQ_NOTHING,
    HO_TCP_REQ_SYNACK,    /* send ho_tcp_req_synack() */
    HO_TCP_REQ_ACK,       /* send ho_tcp_req_ack() */
    HO_TCP_REQ_ESTABLISH, /* make a child: ho_tcp_req_child() */
    HO_TCP_REQ_RESET,     /* answer with ho_tcp_reset_for(), keep the request */
    HO_TCP_REQ_DROP       /* free the request without a word */
};

/* A new request for the SYN `syn` (its options read). The SYN-ACK is to be sent by the caller. */
void ho_tcp_req_init(struct ho_tcp_env *env, struct ho_tcp_req *r, struct ho_tcp_path *path,
                     struct ho_tcp_opts *opts, const struct ho_wire_tcp *syn, struct ho_time now);

/* A segment for the request: what to do about it. */
enum ho_tcp_req_do ho_tcp_req_input(struct ho_tcp_env *env, struct ho_tcp_req *r,
                                    const struct ho_wire_tcp *seg, struct ho_time now);

/* The timer: SYNACK, NOTHING or DROP. */
enum ho_tcp_req_do ho_tcp_req_tick(struct ho_tcp_env *env, struct ho_tcp_req *r,
                                   struct ho_time now);

/* The SYN-ACK, or the ACK that answers a segment out of the window. NULL without memory. */
struct ho_buf *ho_tcp_req_synack(struct ho_tcp_env *env, struct ho_tcp_req *r, struct ho_time now);
struct ho_buf *ho_tcp_req_ack(struct ho_tcp_env *env, struct ho_tcp_req *r, struct ho_time now);

/* The child `c` (ho_tcp_init() done by the caller) in SYN-RECEIVED, made of the request; the
 * segment that completed the handshake is then given to ho_tcp_input(), which makes it
 * ESTABLISHED.
 */
void ho_tcp_req_child(struct ho_tcp_env *env, const struct ho_tcp_req *r, struct ho_tcp *c,
                      struct ho_time now);

#endif
