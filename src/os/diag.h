/* The TCP sockets of a namespace, as the kernel sees them: sock_diag(7).
 *
 * A handle is a netlink socket opened inside a namespace; it sees that namespace's sockets whoever
 * uses it from wherever, orphans, requests and TIME-WAIT records included. It keeps the namespace
 * alive: close it at power-off.
 */

#ifndef HO_OS_DIAG_H
#define HO_OS_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/addr.h"

/* struct tcp_info, with the kernel's names and units (include/uapi/linux/tcp.h). */
struct ho_os_tcp_info {
    uint8_t ca_state, retransmits, probes, backoff, options, snd_wscale, rcv_wscale;
    uint32_t rto_us, ato_us, snd_mss, rcv_mss;
    uint32_t unacked, sacked, lost, retrans;
    uint32_t last_data_sent_ms, last_data_recv_ms, last_ack_recv_ms;
    uint32_t pmtu, rcv_ssthresh, rtt_us, rttvar_us, snd_ssthresh, snd_cwnd, advmss, reordering;
    uint32_t rcv_rtt_us, rcv_space, total_retrans, notsent_bytes, min_rtt_us, snd_wnd, rcv_wnd;
    uint32_t segs_out, segs_in, data_segs_in, data_segs_out, delivered, rcv_ooopack, reord_seen;
    uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retrans, busy_time_us;
};

struct ho_os_sock {
    struct ho_addr local, remote;
    uint16_t lport, rport;
    int ifindex; /* it is bound to; 0 */
    bool ipv6;
    uint8_t state;   /* enum ho_tcp_state: Linux's numbers; NEW_SYN_RECV (12) is told as SYN_RECV */
    uint8_t timer;   /* enum ho_sock_timer: Linux's numbers */
    uint8_t retrans; /* idiag_retrans: of the timer's kind: retransmissions, keepalive or window
                        probes */
    uint32_t expires_ms; /* until the timer's time; 0 without one. It fires at the jiffy after */
    uint32_t rqueue, wqueue; /* unread and unacknowledged bytes; of a listener: waiting, backlog */
    uint32_t uid;
    uint32_t inode;   /* 0: no process holds it (orphan, request, TIME-WAIT) */
    uint64_t cookie;  /* SO_COOKIE: never used again while the machine runs */
    uint8_t shutdown; /* SHUT_RD is 1, SHUT_WR is 2 */
    bool has_info;    /* not for a request and a TIME-WAIT record */
    struct ho_os_tcp_info info;
    bool has_skmem;
    uint32_t rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops;
    char congestion[16]; /* "" where it is not said */
};

struct ho_os_diag;

/* `netns`: a namespace; -1: the one this thread is in. Returns 0 with *ret; -EPROTONOSUPPORT
 * without CONFIG_INET_DIAG; a negative errno.
 */
int ho_os_diag_open(struct ho_os_diag **ret, int netns);
void ho_os_diag_close(struct ho_os_diag *d);

/* All TCP sockets, listeners included, but not those that are only bound, or not even that, into
 * `ret`, at most `max`; IPv4 first.
 *
 * Returns how many there are (more than `max`: those beyond are not in `ret`); -ENOMEM; a negative
 * errno of the kernel.
 */
int ho_os_diag_dump(struct ho_os_diag *d, struct ho_os_sock *ret, size_t max);

/* The same without listeners, for whoever asks after every frame: the kernel then leaves a table
 * of the whole machine, of some 2^16 buckets, alone.
 */
int ho_os_diag_connections(struct ho_os_diag *d, struct ho_os_sock *ret, size_t max);

/* Ends a socket as SOCK_DESTROY does: no FIN; a RST is sent if the connection is in a state that
 * RFC 9293 3.10.5 (ABORT) resets, so cut the cable first. Its process gets ECONNABORTED.
 *
 * Returns 0; -ENOENT if it is gone; -EOPNOTSUPP without CONFIG_INET_DIAG_DESTROY; -EPERM.
 */
int ho_os_diag_destroy(struct ho_os_diag *d, const struct ho_os_sock *s);

/* Ends all of them. Returns how many; a negative errno with some perhaps left. */
int ho_os_diag_destroy_all(struct ho_os_diag *d);

#endif
