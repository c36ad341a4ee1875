/* Sockets and neighbours as records, when they changed (docs/timeline.md, sock and neigh;
 * docs/decisions/020).
 *
 * A host is looked at after every frame, timer, call and fault. One look is a round:
 *
 *     ho_trace_round_begin()
 *     ho_trace_sock()         for every TCP socket, listeners excepted
 *     ho_trace_neigh()        for every neighbour entry
 *     ho_trace_round_end()    what was there and was not found any more is "gone"
 *
 * or, for one that looks at sockets or neighbours only, ho_trace_round_end_socks() or
 * ho_trace_round_end_neighs() in place of the last. What a sample says is written down when
 * anything in it but the timer's remaining time differs from what was written last.
 */

#ifndef HO_PLAY_SOCKS_H
#define HO_PLAY_SOCKS_H

#include "play/trace.h"

/* What sock_diag and TCP_INFO say of a socket: filled by the model from struct ho_sock_info, by
 * the kernel engine from inet_diag_msg and tcp_info.
 */
struct ho_play_sock {
    struct ho_addr local, remote; /* IPv4 as IPv4, also on an IPv6 socket */
    uint16_t lport, rport;
    int fd;              /* its descriptor, -1: none or not known (sock_diag does not say) */
    bool owned;          /* a process has it: inode not 0; else an orphan, a request, TIME-WAIT */
    const char *process; /* whose it is, interned; NULL: whoever claimed the end (fds.h) */
    enum ho_tcp_state state;
    enum ho_sock_timer timer;
    int64_t expires_us; /* until the timer fires */
    uint8_t retransmits, probes, backoff;
    uint32_t rto_us, srtt_us, rttvar_us;
    uint32_t cwnd, ssthresh, unacked, lost; /* segments */
    uint32_t rq, wq;                        /* bytes */
    int err, err_soft;                      /* positive errnos */
};

void ho_trace_round_begin(struct ho_trace *tr);
void ho_trace_sock(struct ho_trace *tr, uint16_t node, const struct ho_play_sock *s);

/* `state` is Linux's name of it, "REACHABLE" ..: a literal or interned. "NONE": not yet anything.
 */
void ho_trace_neigh(struct ho_trace *tr, uint16_t node, const struct ho_addr *a, const char *state);
void ho_trace_round_end(struct ho_trace *tr, uint16_t node);
void ho_trace_round_end_socks(struct ho_trace *tr, uint16_t node);
void ho_trace_round_end_neighs(struct ho_trace *tr, uint16_t node);

/* True if a socket of `node` that is not gone is in the timeline. */
bool ho_trace_has_socks(const struct ho_trace *tr, uint16_t node);

#endif
