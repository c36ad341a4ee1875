/* What happens to a connection in each fault, as a table: arithmetic over settings, no simulation.
 *
 * Settings in: a host's sysctls, a socket's options, the round trip, whether the peer is on the
 * same link, HZ. Out: for each fault and each thing that the connection may be doing, whether this
 * side notices, over which times, with which errno and because of which knob. It is one side's
 * view; the other side is asked with its own settings.
 *
 * Times are ranges over the phase of the timer wheel (forecast/range.h), and each is counted from
 * an instant that it names. Three kinds of answer are no range of one chain of timers:
 *
 * - To a peer on the link, ARP fails at times drawn at random, and its ICMP changes the timers and
 *   the errno (ground-truth A4, A5, B 3b, 3c). If the connection dies before any such ICMP can
 *   come, the answer is as for a routed peer; else it is an outer bound (HO_PREDICT_WITHIN).
 * - This host's own lost carrier fails the neighbour, be it the peer or the router: as on the link.
 * - What waits for the peer to be up again ends with the next segment sent (HO_PREDICT_NEXT).
 *
 * A router that sends ICMP of its own is not part of it: with one, data in flight may end in
 * EHOSTUNREACH, within the bounds of a peer on the link.
 */

#ifndef HO_FORECAST_PREDICT_H
#define HO_FORECAST_PREDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forecast/range.h"
#include "knobs/sockopt.h"
#include "knobs/sysctl.h"

/* id, word for programs, words for people */
#define HO_PREDICT_FAULTS(X)                                     \
    X(CUT, "cut", "the cable is cut")                            \
    X(POWER, "power-off", "the peer's host loses power")         \
    X(CARRIER, "carrier-lost", "this host's own plug is pulled") \
    X(REBOOT, "reboot", "the peer's host restarts")              \
    X(KILLED, "killed", "the peer's process is killed")          \
    X(HANGS, "hangs", "the peer's process hangs, its kernel lives")

#define HO_PREDICT_ACTIVITIES(X)                      \
    X(IDLE, "idle", "idle")                           \
    X(KEEPALIVE, "idle-keepalive", "idle, keepalive") \
    X(DATA, "data", "data in flight")                 \
    X(CONNECT, "connecting", "connecting")            \
    X(CLOSING, "closing", "closed here")              \
    X(WINDOW, "window-closed", "window closed")

#define HO_PREDICT_OUTCOMES(X)                                                     \
    X(NEVER, "never")       /* this side does not notice */                        \
    X(AT_ONCE, "at-once")   /* within a round trip of the fault */                 \
    X(NEXT, "next-segment") /* the next segment sent once the peer is up again */  \
    X(RANGE, "range")       /* both ends are reached by some phase of the wheel */ \
    X(WITHIN, "within")     /* never outside, but the ends need not be reached */

/* What the times count from. */
#define HO_PREDICT_ORIGINS(X)                \
    X(FAULT, "the fault")                    \
    X(HEARD, "the last segment received")    \
    X(SENT, "the first unacknowledged send") \
    X(SYN, "connect()")                      \
    X(FIN, "close()")                        \
    X(FIN_ACK, "the ACK of the FIN")         \
    X(WINDOW, "the closing of the window")

/* id, word, the sysctls and the socket options that it is made of */
#define HO_PREDICT_KNOBS(X)                                                                     \
    X(NONE, "-", "", "")                                                                        \
    X(SO_KEEPALIVE, "SO_KEEPALIVE", "", "SO_KEEPALIVE")                                         \
    X(KEEPALIVE, "keepalive",                                                                   \
      "net.ipv4.tcp_keepalive_time net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes", \
      "TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT")                                                 \
    X(USER_TIMEOUT, "TCP_USER_TIMEOUT", "", "TCP_USER_TIMEOUT")                                 \
    X(RETRIES2, "tcp_retries2", "net.ipv4.tcp_retries2", "")                                    \
    X(ORPHAN, "orphan_retries", "net.ipv4.tcp_orphan_retries", "")                              \
    X(SYN, "tcp_syn_retries", "net.ipv4.tcp_syn_retries", "TCP_SYNCNT")                         \
    X(FIN, "tcp_fin_timeout", "net.ipv4.tcp_fin_timeout", "TCP_LINGER2")                        \
    X(NEIGH, "mcast_solicit", "net.ipv4.neigh.*.mcast_solicit net.ipv4.neigh.*.retrans_time_ms", "")

enum ho_predict_fault {
#define X(id, word, text) HO_FAULT_##id,
    HO_PREDICT_FAULTS(X)
#undef X
    HO_FAULT_COUNT
};

enum ho_predict_activity {
#define X(id, word, text) HO_ACTIVITY_##id,
    HO_PREDICT_ACTIVITIES(X)
#undef X
    HO_ACTIVITY_COUNT
};

enum ho_predict_outcome {
#define X(id, word) HO_PREDICT_##id,
    HO_PREDICT_OUTCOMES(X)
#undef X
};

enum ho_predict_origin {
#define X(id, text) HO_ORIGIN_##id,
    HO_PREDICT_ORIGINS(X)
#undef X
};

enum ho_predict_knob {
#define X(id, word, sysctls, options) HO_PREDICT_KNOB_##id,
    HO_PREDICT_KNOBS(X)
#undef X
};

struct ho_predict_in {
    struct ho_sysctls sysctls; /* of a kernel: ho_profile_sysctls() knows what it lacks */
    bool has_option[HO_SOCKOPT_COUNT];
    int64_t option[HO_SOCKOPT_COUNT]; /* in Linux's units; SO_KEEPALIVE is not looked at */
    struct ho_dur rtt;                /* 0 counts as 1 us */
    struct ho_dur rto;                /* as TCP_INFO says; 0: ho_predict_rto() */
    uint32_t hz;                      /* 0: exact timers */
    bool on_link;                     /* the peer is on the same link, else behind a router */
    bool ipv6;
    int64_t armed_ns; /* when the keepalive timer was armed, from the last segment received: 0,
                       * or negative, at most the idle time before (forecast/range.h) */
};

/* A phase of the timer wheel at the origin. */
struct ho_predict_phase {
    uint64_t jiffies; /* modulo `step` of the prediction */
    struct ho_dur into_jiffy;
};

struct ho_prediction {
    enum ho_predict_fault fault;
    enum ho_predict_activity activity;
    enum ho_predict_outcome outcome;
    enum ho_predict_origin origin;
    enum ho_predict_knob knob;
    int64_t min_ns, max_ns; /* RANGE, WITHIN: after the origin */
    int err, other_err; /* <errno.h>'s; 0: none, an end of stream if `told`. `other_err`: or this */
    bool told;          /* a process is told; else the connection just ends, or lives */

    /* RANGE: the phases that reach the two ends. */
    uint64_t step;
    struct ho_predict_phase at_min, at_max;
};

/* The timeout of data: round trip plus variance, which after one measurement (`first`) is twice
 * the round trip, and falls to tcp_rto_min_us on a steady path (ground-truth A2.1).
 */
struct ho_dur ho_predict_rto(const struct ho_predict_in *in, bool first);

/* The chain of timers of that kind, with all the settings: what ho_predict() follows. */
struct ho_range_in ho_predict_chain(const struct ho_predict_in *in, enum ho_range_kind kind);

/* What becomes of a connection that does `activity` in `fault`.
 *
 * Returns 0; -EINVAL if a setting makes no sense (forecast/range.h), with *ret untouched.
 */
int ho_predict(const struct ho_predict_in *in, enum ho_predict_fault fault,
               enum ho_predict_activity activity, struct ho_prediction *ret);

/* The value that counts: the socket's, or the host's where it has none of its own. */
int64_t ho_predict_option(const struct ho_predict_in *in, enum ho_sockopt id);

/* What tells the process: "recv" for what a blocked recv() returns first and poll() shows,
 * "connect", "" if it is not told.
 */
const char *ho_predict_call(const struct ho_prediction *p);

const char *ho_predict_fault_word(enum ho_predict_fault fault);
const char *ho_predict_fault_text(enum ho_predict_fault fault);
const char *ho_predict_activity_word(enum ho_predict_activity activity);
const char *ho_predict_activity_text(enum ho_predict_activity activity);
const char *ho_predict_outcome_word(enum ho_predict_outcome outcome);
const char *ho_predict_origin_text(enum ho_predict_origin origin);
const char *ho_predict_knob_word(enum ho_predict_knob knob);
const char *ho_predict_knob_sysctls(enum ho_predict_knob knob); /* separated by blanks */
const char *ho_predict_knob_options(enum ho_predict_knob knob);

#endif
