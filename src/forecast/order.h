/* Which timer of a chain fires first in each fault, which order is unsafe, and what to change.
 *
 * A chain is the timers of one connection's way, as text:
 *
 *     client request 5s, pool 30s, user_timeout 20s, keepalive 15/15/3,
 *     balancer idle 350s, server idle 60s
 *
 * ho_order_parse() reads it, ho_order_judge() looks at every fault from both sides and applies the
 * rules below. What TCP does is asked of forecast/predict.h, so its times are ranges over the phase
 * of the timer wheel; a timer of a program is taken to be exact. The order of the entries means
 * nothing.
 *
 * Who is who: `client` opens the connection and keeps it in a pool; `server` answers. A balancer
 * passes packets on and forgets flows (NAT, firewall, AWS NLB); a proxy has connections of its own
 * to the server and keeps them as a pool does (nginx, AWS ALB).
 *
 * In place of timers a program may stand (knobs/settings.h): "pool hikaricp, server postgresql".
 * Its defaults are filled in, where nothing else is said. What it leaves to the system is filled
 * in by ho_order_resolve(), to be called in between.
 */

#ifndef HO_FORECAST_ORDER_H
#define HO_FORECAST_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "forecast/predict.h"

/* id, word */
#define HO_ORDER_SIDES(X) \
    X(CLIENT, "client")   \
    X(SERVER, "server")   \
    X(PROXY, "proxy")     \
    X(BOX, "balancer")

/* id, word of a chain, text */
#define HO_ORDER_TIMERS(X)                              \
    X(REQUEST, "request", "request timeout")            \
    X(IDLE, "idle", "idle timeout")                     \
    X(LIFE, "life", "maximum age")                      \
    X(WAIT, "wait", "wait for a pooled connection")     \
    X(CONNECT, "connect", "connect timeout")            \
    X(KEEPALIVE, "keepalive", "keepalive")              \
    X(USER_TIMEOUT, "user_timeout", "TCP_USER_TIMEOUT") \
    X(RETRIES2, "retries2", "tcp_retries2")             \
    X(HEARTBEAT, "heartbeat", "heartbeat")              \
    X(SYN_RETRIES, "syn_retries", "tcp_syn_retries")

/* id, word, text */
#define HO_ORDER_FAULTS(X)                                                                  \
    X(IDLE, "peer-dead-idle", "the peer is gone while the connection is idle")              \
    X(DATA, "peer-dead-data", "the peer is gone with data in flight")                       \
    X(KILLED, "killed", "the peer's process is killed")                                     \
    X(FORGOT, "flow-forgotten", "a balancer forgets the idle flow, then a request is sent") \
    X(RACE, "reuse-race", "the server closes an idle connection")                           \
    X(HANGS, "hangs", "the peer's process hangs, its kernel lives")

/* What the end of a timer does. id, word */
#define HO_ORDER_EFFECTS(X)                                                        \
    X(ENDS, "ends")         /* TCP ends it, with an error */                       \
    X(TOLD, "told")         /* the peer's kernel says so */                        \
    X(CLOSES, "closes")     /* closed without knowing why */                       \
    X(GIVES_UP, "gives-up") /* the request is over, the connection is as it was */ \
    X(NOTICES, "notices")   /* no heartbeat came */                                \
    X(SPEAKS, "speaks")     /* sends something: the flow is not forgotten */

/* id, word, finding (forecast/finding.h) or "", unsafe, title */
#define HO_ORDER_REASONS(X)                                                                       \
    X(LOST_PROBE, "one-lost-probe-is-fatal", "UT001", true,                                       \
      "the user timeout makes one lost keepalive probe fatal")                                    \
    X(COUNT_ONE, "keepalive-count-of-one", "", true, "one lost keepalive probe is fatal")         \
    X(FEWER_PROBES, "fewer-probes-than-counted", "", false,                                       \
      "the user timeout ends keepalive before its count")                                         \
    X(MORE_PROBES, "user-timeout-above-keepalive", "UT002", false,                                \
      "the user timeout takes the place of keepalive's count")                                    \
    X(TINY, "user-timeout-too-short", "UT004", true, "the user timeout is shorter than a second") \
    X(DATA_UNCOVERED, "keepalive-does-not-cover-data", "KA004", true,                             \
      "keepalive does nothing while data is unacknowledged")                                      \
    X(IDLE_UNNOTICED, "idle-death-unnoticed", "KA001", true,                                      \
      "nothing ends an idle connection whose peer is gone")                                       \
    X(FORGOTTEN, "flow-forgotten", "KA002", true,                                                 \
      "the balancer forgets the flow before anybody speaks or closes")                            \
    X(RACE, "reuse-race", "", true, "the server closes connections that are still reused")        \
    X(MAYBE_RACE, "balancer-may-reuse", "", false,                                                \
      "a balancer with connections of its own would reuse closed ones")                           \
    X(REQUEST_LATE, "request-after-retries2", "", true,                                           \
      "the request waits until TCP itself gives up")                                              \
    X(REQUEST_LEAVES, "timed-out-request-leaves-connection", "", false,                           \
      "a request that timed out leaves a dead connection")                                        \
    X(WAIT_SHORT, "pool-wait-before-tcp", "", true,                                               \
      "callers give up waiting before TCP frees a dead connection")                               \
    X(CONNECT_LATE, "connect-after-request", "", false,                                           \
      "connecting may take all of the request's time")                                            \
    X(CONNECT_IDLE, "connect-after-syn-retries", "", false, "the connect timeout never acts")     \
    X(HANG_UNNOTICED, "hang-unnoticed", "", false, "nothing notices a peer that hangs")           \
    X(WORKS_ON, "server-works-on", "", false, "the server works on for a client that left")

enum ho_order_side {
#define X(id, word) HO_ORDER_##id,
    HO_ORDER_SIDES(X)
#undef X
    HO_ORDER_SIDE_COUNT
};

enum ho_order_timer {
#define X(id, word, text) HO_ORDER_T_##id,
    HO_ORDER_TIMERS(X)
#undef X
    HO_ORDER_TIMER_COUNT
};

enum ho_order_fault {
#define X(id, word, text) HO_ORDER_F_##id,
    HO_ORDER_FAULTS(X)
#undef X
    HO_ORDER_FAULT_COUNT
};

enum ho_order_effect {
#define X(id, word) HO_ORDER_E_##id,
    HO_ORDER_EFFECTS(X)
#undef X
};

enum ho_order_reason {
#define X(id, word, finding, unsafe, title) HO_ORDER_R_##id,
    HO_ORDER_REASONS(X)
#undef X
    HO_ORDER_REASON_COUNT
};

/* One timer: which fields count depends on it.
 *
 * - KEEPALIVE: `ns` idle, `more_ns` interval, `count`; 0 is the system's until it is resolved
 * - HEARTBEAT: every `ns`; dead after `count` of them without an answer, or, if `more_ns` is not 0,
 *   when an answer takes longer than that
 * - RETRIES2, SYN_RETRIES: `count`
 * - IDLE of the BOX: `reset` if it answers a forgotten flow with RST
 */
struct ho_order_entry {
    bool there;
    bool filled; /* by a program's defaults */
    bool varies; /* not there: a program has it, and its default depends on something else */
    bool reset;
    int64_t ns, more_ns, count;
};

struct ho_order_chain {
    struct ho_order_entry e[HO_ORDER_SIDE_COUNT][HO_ORDER_TIMER_COUNT];
};

struct ho_order_mistake {
    size_t at;            /* in the text, from 0 */
    size_t len;           /* of what stands there; 0: the end */
    const char *expected; /* static */
};

/* Reads a chain. Returns 0; -EINVAL with *mistake, and *ret untouched, if it is none. */
int ho_order_parse(struct ho_order_chain *ret, const char *text, struct ho_order_mistake *mistake);

/* Fills in what keepalive leaves to the system: a time or count of 0. */
void ho_order_resolve(struct ho_order_chain *chain, const struct ho_sysctls *sysctls);

/* Appends one entry as ho_order_parse() reads it: "server idle 60s". */
void ho_order_entry_text(struct ho_text *out, enum ho_order_side side, enum ho_order_timer timer,
                         const struct ho_order_entry *e);

/* Something that happens in a fault. Times count from the last segment received (IDLE, RACE), or
 * from the sending of the data.
 */
struct ho_order_event {
    enum ho_order_side side;
    enum ho_order_timer timer; /* HO_ORDER_TIMER_COUNT: none, the peer's kernel */
    enum ho_order_effect effect;
    int64_t min_ns, max_ns;
    int err; /* ENDS, TOLD: <errno.h>'s; 0: an end of stream */
};

#define HO_ORDER_EVENTS 16

/* A fault: what happens, by side and then by time, the first one first. A side without an event
 * never notices.
 */
struct ho_order_case {
    enum ho_order_fault fault;
    bool possible; /* FORGOT, RACE: what is needed for it is in the chain */
    unsigned n;
    struct ho_order_event event[HO_ORDER_EVENTS];
};

/* A change: this entry in place of the one that is there, or added. */
struct ho_order_change {
    enum ho_order_side side;
    enum ho_order_timer timer;
    struct ho_order_entry e;
};

#define HO_ORDER_CHANGES 2

struct ho_order_finding {
    enum ho_order_reason reason;
    enum ho_order_side side;
    int64_t min_ns, max_ns; /* when it happens; see ho_order_why() */
    int64_t than_ns;        /* what that is compared with */
    int64_t lost, count;    /* LOST_PROBE, FEWER_PROBES, MORE_PROBES: probes */
    unsigned changes;
    struct ho_order_change change[HO_ORDER_CHANGES]; /* each of them is enough */
};

#define HO_ORDER_FINDINGS 32

struct ho_order {
    struct ho_order_case cases[HO_ORDER_FAULT_COUNT];
    unsigned n;
    struct ho_order_finding finding[HO_ORDER_FINDINGS]; /* unsafe ones first */
    unsigned unsafe;                                    /* how many of them */
};

/* Judges a chain between hosts with the sysctls, HZ and way of `base`, whose options are not looked
 * at. Returns 0; -EINVAL, with *ret untouched, if the settings make no sense (forecast/range.h).
 */
int ho_order_judge(const struct ho_order_chain *chain, const struct ho_predict_in *base,
                   struct ho_order *ret);

/* The chain with a change made. */
void ho_order_apply(struct ho_order_chain *chain, const struct ho_order_change *change);

/* Why it is so in this chain, as sentences with the times. */
void ho_order_why(struct ho_text *out, const struct ho_order_chain *chain,
                  const struct ho_order_finding *f);

const char *ho_order_side_word(enum ho_order_side side);
const char *ho_order_timer_word(enum ho_order_timer timer);
const char *ho_order_timer_text(enum ho_order_timer timer);
const char *ho_order_fault_word(enum ho_order_fault fault);
const char *ho_order_fault_text(enum ho_order_fault fault);
const char *ho_order_effect_word(enum ho_order_effect effect);
const char *ho_order_reason_word(enum ho_order_reason reason);
const char *ho_order_reason_finding(enum ho_order_reason reason);
const char *ho_order_reason_title(enum ho_order_reason reason);
bool ho_order_reason_unsafe(enum ho_order_reason reason);

#endif
