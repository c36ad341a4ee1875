/* What one connection of a running machine would do if its peer vanished at this moment, and what
 * it is already doing about a peer that does not answer.
 *
 * Three questions. *Idle*: nothing is in flight, and the peer dies now. *Busy*: something is sent,
 * and the peer is dead. *Trouble*: it is retransmitting or probing at this moment; when will that
 * end, and with which errno. Where a setting is not known, the answer is UNKNOWN and never a guess.
 *
 * The rules are those of forecast/predict.h. Its ranges are exact and take milliseconds each; these
 * hold them, are wider by less than the largest granule of the timer wheel in the chain, and take
 * microseconds (forecast/span.h), for a machine with 100,000 connections.
 *
 * - All ends suppose that nothing comes from the peer any more. Window probes that were all
 *   answered show a peer that lives: NEVER, unless a user timeout ends it (ground-truth B 9).
 * - Behind a router the router is taken to be up; on a link the peer is not, and its neighbour
 *   entry fails (ground-truth A4, A5): then ranges are WITHIN, and wide.
 * - On one machine (`lo`) no host dies apart and the death of a process is told at once: idle and
 *   busy are NONE there. Trouble is not.
 * - An orphan's options can be read by nobody: its answers are those without TCP_USER_TIMEOUT.
 *   TCP_SYNCNT, TCP_LINGER2 and TCP_RTO_MAX_MS are not read: the sysctls count.
 */

#ifndef HO_FORECAST_OUTLOOK_H
#define HO_FORECAST_OUTLOOK_H

#include "base/text.h"
#include "forecast/conn.h"

/* id, word for programs */
#define HO_OUTLOOK_KINDS(X)                                                         \
    X(NONE, "none")       /* not a question of this state: a listener, TIME-WAIT */ \
    X(NEVER, "never")     /* it does not notice */                                  \
    X(RANGE, "range")     /* between min_ns and max_ns */                           \
    X(WITHIN, "within")   /* as RANGE, but the ends need not be reached (ARP) */    \
    X(UNKNOWN, "unknown") /* depends on a setting that cannot be read; `known` says which part */

enum ho_outlook_kind {
#define X(id, word) HO_OUTLOOK_##id,
    HO_OUTLOOK_KINDS(X)
#undef X
};

struct ho_outlook_answer {
    enum ho_outlook_kind kind;
    int64_t min_ns, max_ns; /* RANGE, WITHIN: idle: after the last segment received; busy: after the
                             * send; trouble: from the moment of the scan */
    int err, other_err;     /* as struct ho_prediction */
    enum ho_predict_knob knob;
};

#define HO_TROUBLES(X)                                                          \
    X(NONE, "none")                                                             \
    X(CONNECTING, "connecting")         /* the SYN is not answered */           \
    X(ACCEPTING, "accepting")           /* the SYN-ACK is not answered */       \
    X(RETRANSMITTING, "retransmitting") /* data or a FIN is not acknowledged */ \
    X(PROBING, "probing")               /* a keepalive probe is not answered */ \
    X(WINDOW_PROBING, "window-probing") /* the peer's window is closed */       \
    X(CLOSING, "closing")               /* an orphan waits for the peer's FIN */

enum ho_trouble {
#define X(id, word) HO_TROUBLE_##id,
    HO_TROUBLES(X)
#undef X
};

struct ho_outlook {
    struct ho_outlook_answer idle, busy;
    enum ho_trouble trouble;
    uint32_t attempt;             /* which retransmission or probe was the last: 1 is the first */
    int64_t since_ns;             /* for how long already: a lower bound; -1: not known */
    struct ho_outlook_answer end; /* of the trouble, from now */
};

/* Never fails: what makes no sense (a lying kernel, values out of range) is UNKNOWN. */
void ho_outlook(const struct ho_conn *c, const struct ho_conn_host *h, struct ho_outlook *ret);

/* "never", "2 h 11 min to 2 h 14 min (keepalive 7200/75/9, HZ 250)",
 * "15 min 37 s (tcp_retries2 15, RTO now 204 ms)", "unknown (needs same uid or ...)".
 */
void ho_outlook_put_idle(struct ho_text *out, const struct ho_outlook *o, const struct ho_conn *c,
                         const struct ho_conn_host *h);
void ho_outlook_put_busy(struct ho_text *out, const struct ho_outlook *o, const struct ho_conn *c,
                         const struct ho_conn_host *h);

/* "retransmitting for 41 s, attempt 6; ends in 14 min to 15 min with ETIMEDOUT"; nothing without
 * trouble.
 */
void ho_outlook_put_trouble(struct ho_text *out, const struct ho_outlook *o);

const char *ho_outlook_kind_word(enum ho_outlook_kind kind);
const char *ho_trouble_word(enum ho_trouble trouble);

#endif
