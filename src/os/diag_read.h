/* What sock_diag(7) answers, from bytes: one datagram of a dump at a time, without a system call,
 * so that an answer that is cut or lies can be fed to it (fuzz/fuzz_diag.c).
 *
 *     ho_os_diag_reader_feed(&r, bytes, len);
 *     while ((n = ho_os_diag_reader_next(&r, &sock)) == 1) { ... }
 *     0: the datagram is used up; HO_OS_DIAG_DONE: so is the dump.
 *
 * Formats: linux/netlink.h (messages, attributes), linux/inet_diag.h, linux/tcp.h. A newer kernel
 * says more, an older one less: what is not said stays 0, what is not known is passed over.
 */

#ifndef HO_OS_DIAG_READ_H
#define HO_OS_DIAG_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/addr.h"

/* struct tcp_info, with the kernel's names and units (include/uapi/linux/tcp.h). */
struct ho_os_tcp_info {
    uint8_t ca_state, retransmits, probes, backoff, options, snd_wscale, rcv_wscale;
    bool has_snd_wnd;        /* Linux 5.4 */
    bool has_rto_time;       /* Linux 6.7: the two that follow */
    uint16_t rto_recoveries; /* times that it began to repeat by timeout */
    uint32_t rto_time_ms;    /* spent in them, one that goes on included */
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
    uint32_t inode;   /* 0: no process holds it (orphan, request, TIME-WAIT, not accepted yet) */
    uint64_t cookie;  /* SO_COOKIE: never used again while the machine runs */
    uint8_t shutdown; /* SHUT_RD is 1, SHUT_WR is 2 */
    bool has_info;    /* not for a request and a TIME-WAIT record */
    struct ho_os_tcp_info info;
    bool has_skmem;
    uint32_t rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops;
    char congestion[16]; /* "" where it is not said */
};

struct ho_os_diag_reader {
    const uint8_t *at; /* the caller's bytes, aligned to 4 */
    size_t left;
    uint32_t seq, port; /* of the question: answers to another are passed over */
    bool disturbed;     /* NLM_F_DUMP_INTR was seen */
};

#define HO_OS_DIAG_DONE 2

void ho_os_diag_reader_feed(struct ho_os_diag_reader *r, const void *bytes, size_t len);

/* The next socket. Returns 1 with *ret; 0: none is left in this datagram; HO_OS_DIAG_DONE;
 * -EINTR: it is done, but the kernel says that it was disturbed; -EBADMSG: bytes that are no
 * answer; the negative errno that the kernel answers.
 */
int ho_os_diag_reader_next(struct ho_os_diag_reader *r, struct ho_os_sock *ret);

#endif
