/* Over which times a death by timers can fall, whatever the phase of Linux's timer wheel.
 *
 * Every timer on the way fires up to one granule late, on a grid fixed by the kernel's jiffy count
 * (base/clk.h, ground-truth A1). That count at the moment of the fault is chance, so the answer is
 * a range. It is computed, not sampled: the chain of timers is a pure function of the jiffy count
 * modulo the largest granule in it, and that function is walked exactly where it can jump.
 *
 * The chains are Linux's, as ground-truth/README.md has them: keepalive (B 2, 9), retransmission
 * (A2, A3, B 9, 15), SYN (B 10), SYN-ACK (B 11), zero-window probes (B 12), FIN-WAIT-2 (B 6a, 15).
 * Nothing comes back on the way: no ACK, no RST, no ICMP. A host whose ARP requests go unanswered
 * makes ICMP for itself, and they change the chain (A5) with times drawn at random: for data in
 * flight to a neighbour on the link this arithmetic has no answer, and ho_range() says so. (For
 * keepalive and window probes those ICMPs are ignored, A4, and the answer holds.)
 *
 * Times count from the origin, an instant that each chain names.
 */

#ifndef HO_FORECAST_RANGE_H
#define HO_FORECAST_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

enum ho_range_kind {
    HO_RANGE_KEEPALIVE, /* origin: the last segment arrived */
    HO_RANGE_DATA,      /* origin: the data (or FIN) was sent on an otherwise idle connection */
    HO_RANGE_SYN,       /* origin: the first SYN */
    HO_RANGE_SYNACK,    /* origin: the first SYN-ACK */
    HO_RANGE_PROBES,    /* origin: the window closed, and the probe timer was armed for the first
                         * time: the ACK with a window of 0 came */
    HO_RANGE_FIN_WAIT2, /* origin: the orphan entered FIN-WAIT-2 */
    HO_RANGE_NEIGHBOUR  /* origin: the first request for a neighbour that nobody answers for; the
                         * end is the failure, which is told by ICMP (ground-truth A4, B 10) */
};

struct ho_range_in {
    enum ho_range_kind kind;
    uint32_t hz;                /* 0: exact timers */
    struct ho_dur into_jiffy;   /* how far the origin lies behind the start of its jiffy */
    struct ho_dur rto_max;      /* net.ipv4.tcp_rto_max_ms */
    struct ho_dur user_timeout; /* TCP_USER_TIMEOUT, 0: none */

    /* KEEPALIVE, PROBES: until `cut_ns` after the origin probes are answered, `rtt` later. An
     * answer to a window probe needs tcp_invalid_ratelimit since the one before.
     */
    int64_t cut_ns; /* 0 or less: nothing is answered from the origin on */
    struct ho_dur rtt, ratelimit;

    /* KEEPALIVE; NEIGHBOUR: `intvl` is retrans_time_ms, `retries` mcast_solicit */
    struct ho_dur idle, intvl;
    uint32_t cnt;
    int64_t armed_ns; /* when the timer was armed (SO_KEEPALIVE set, or established with it on),
                       * from the origin: negative if before; at most `idle` before */

    /* DATA, PROBES */
    struct ho_dur rto;   /* as TCP_INFO says at the origin */
    struct ho_dur srtt;  /* DATA with `tlp` */
    bool tlp;            /* DATA: net.ipv4.tcp_early_retrans is 3 or 4 */
    bool one_segment;    /* DATA: exactly one segment is in flight */
    bool orphan;         /* its process is gone or has closed it */
    int64_t no_route_ns; /* DATA: after the origin; from then on nothing leaves the host, because
                          * an interface, address or route is gone (A3, A4); 0: never */
    bool neighbour;      /* DATA: the peer is on the link, and ARP finds nobody */
    uint32_t retries2, orphan_retries; /* the sysctls */

    /* SYN, SYNACK */
    uint32_t retries; /* TCP_SYNCNT or net.ipv4.tcp_syn_retries; net.ipv4.tcp_synack_retries */
    uint32_t linear;  /* SYN: net.ipv4.tcp_syn_linear_timeouts; 0 before Linux 6.5 */

    /* FIN_WAIT2 */
    struct ho_dur fin_timeout;
};

struct ho_range {
    int64_t min_ns, max_ns; /* after the origin */
    uint64_t step;          /* jiffies: the largest granule in the chain; with hz 0: 1 */
    /* jiffy counts at the origin, modulo `step`, that reach the two ends */
    uint64_t min_phase, max_phase;
};

/* Computes the range. Defaults that Linux fixes (200 ms, 1 s, 2 jiffies) are built in.
 *
 * Returns 0; -ENOTSUP for data to a neighbour that ARP cannot find, as said above; -EINVAL if a
 * value makes no sense (rto or rto_max of 0, intvl or idle of 0, armed too long ago, into_jiffy
 * longer than a jiffy, more than 255 retries, an HZ above 1000, more than 115 days), or if the
 * chain is longer than 1,000 timers. *ret is untouched on failure.
 */
int ho_range(const struct ho_range_in *in, struct ho_range *ret);

/* The same chain for one known phase: when it ends, after the origin, with `jiffies` the jiffy
 * count in force at the origin. Returns as ho_range().
 */
int ho_range_at(const struct ho_range_in *in, uint64_t jiffies, int64_t *ret_ns);

#endif
