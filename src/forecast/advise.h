/* Backwards from a time to settings: with which of them is every fault noticed within N on both
 * sides, while an outage of M is outlived?
 *
 *     ho_advise()          the settings, or why there are none
 *     ho_advice_apply()    settings put on a host, for whoever wants to look at what they do
 *     ho_advice_answer()   what becomes of a connection with them, over everything unknown
 *     ho_advise_nearest()  what could be asked instead, when there are none
 *
 * There are two ways to set them, and each is solved to stand alone (enum ho_advice_way): the
 * socket options, for a program that sets them itself; and the sysctls, for one that only sets
 * SO_KEEPALIVE. Both belong on both hosts.
 *
 * How it works. Everything has one of two ends, and the solver stays as patient as it may:
 *
 * - Data, closed windows, closed connections, connect(): the greatest TCP_USER_TIMEOUT, or count of
 *   retries, whose latest end is within N. With it the outage that is outlived is the greatest.
 * - Idle: a count of at least two probes over more than M, behind the greatest idle time with which
 *   the last of them still fails within N: the fewest probes an hour. TCP_USER_TIMEOUT takes the
 *   place of TCP_KEEPCNT (ground-truth B 9), so it is chosen not to end with an earlier probe than
 *   the count would, and, when timers are late, not so early that an outage of M is fatal.
 *
 * What is not known is gone through: every HZ asked about, every phase of the timer wheel
 * (forecast/range.h), the timeout of a new connection and of one with a steady path, both families
 * of neighbours, a keepalive timer armed at any moment before the last segment came.
 *
 * Times count as forecast/predict.h says: from the fault, or from what was done (a send, a close, a
 * connect()) if that came later.
 */

#ifndef HO_FORECAST_ADVISE_H
#define HO_FORECAST_ADVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "forecast/predict.h"

#define HO_ADVISE_HZ 4
#define HO_ADVISE_WITHIN_MAX_S 3600

struct ho_advise_ask {
    /* The hosts before anything is set: sysctls that are left as they are, rtt, on_link; rto is the
     * greatest timeout that a connection may have, beyond that of a new one. `hz`
     * and the options are not looked at.
     */
    struct ho_predict_in base;
    uint32_t hz[HO_ADVISE_HZ];
    unsigned hz_count;
    struct ho_dur within, survive;
    bool no_options, no_sysctls; /* this way is not asked for: it is no reason to refuse */
};

enum ho_advice_way {
    HO_ADVICE_OPTIONS,
    HO_ADVICE_SYSCTLS,
    HO_ADVICE_WAYS
};

struct ho_advice {
    /* Both ways: TCP_KEEPIDLE, .. and tcp_keepalive_time, .. */
    int64_t idle_s, intvl_s, cnt;

    /* Socket options. */
    int64_t user_timeout_ms;
    int64_t syncnt; /* 0: none is needed, TCP_USER_TIMEOUT decides */

    /* Sysctls; -1: no value keeps it within the time. */
    int64_t retries2, orphan_retries, syn_retries, synack_retries, fin_timeout_s;

    /* The outage that is outlived at least: by an idle connection, by data in flight. It may be
     * longer than asked; for data by sysctls also shorter (`survive` is then not met that way).
     */
    int64_t idle_outlives_ns;
    int64_t data_outlives_ns[HO_ADVICE_WAYS];

    /* By sysctls alone, a peer that vanishes when the window has long been closed is noticed only
     * so late (ground-truth row 12): beyond the time, if all else shall be met.
     */
    int64_t window_by_sysctls_ns;
};

/* id, text: "it is impossible because .." */
#define HO_ADVISE_REASONS(X)                                                                 \
    X(NONE, "")                                                                              \
    X(SURVIVE, "an outage that long cannot be told from a peer that is gone")                \
    X(KEEPALIVE, "keepalive counts whole seconds, and two probes must follow the idle time") \
    X(PROBES, "the probes of an idle connection would all fall into the outage")             \
    X(RTT, "data is repeated too late for it, with this round trip")                         \
    X(DATA, "data is repeated at doubled intervals, and none would come behind the outage")  \
    X(CONNECT, "connect() waits longer for its first answer")                                \
    X(RETRIES, "tcp_retries2 knows only steps of doubled time: none lies in between")

enum ho_advise_reason {
#define X(id, text) HO_ADVISE_##id,
    HO_ADVISE_REASONS(X)
#undef X
};

/* Solves. Returns 0; -ERANGE if there are no such settings, with *ret_why said (it may be NULL);
 * -EINVAL if a setting makes no sense, the time is 0 or longer than an hour, or an HZ is above
 * 1000. *ret is untouched on failure.
 *
 * By sysctls alone it is refused (with no_options) if data cannot be met; a closed window that is
 * noticed later is no reason: see window_by_sysctls_ns.
 */
int ho_advise(const struct ho_advise_ask *ask, struct ho_advice *ret,
              enum ho_advise_reason *ret_why);

/* What could be asked instead, rounded to what people say; 0: nothing helps. */
struct ho_advise_near {
    struct ho_dur within;  /* the least, with this outage */
    struct ho_dur survive; /* the greatest, within this time */
    bool any_survive;      /* `survive` may be 0 and be an answer */
};
void ho_advise_nearest(const struct ho_advise_ask *ask, struct ho_advise_near *ret);

/* The settings of one way, on the host that was asked about, with this HZ. */
void ho_advice_apply(const struct ho_advise_ask *ask, const struct ho_advice *a,
                     enum ho_advice_way way, uint32_t hz, struct ho_predict_in *ret);

/* ho_predict() with them, over everything that is not known: the least and the greatest, and the
 * phases of the one HZ that reaches them. Errors that are possible are in err and other_err.
 * Returns as ho_predict().
 */
int ho_advice_answer(const struct ho_advise_ask *ask, const struct ho_advice *a,
                     enum ho_advice_way way, enum ho_predict_fault fault,
                     enum ho_predict_activity activity, struct ho_prediction *ret);

/* Keepalive of programs that have one setting for several things. */
enum ho_advise_tie {
    HO_ADVISE_TIE_BOTH,  /* the interval is the idle time */
    HO_ADVISE_TIE_THIRD, /* the interval is a third of it, and there are 3 probes */
    HO_ADVISE_TIE_FIXED  /* the program has its own interval and count */
};

/* The advice `a` for such a program, with TCP_USER_TIMEOUT to match it, and, as far as the tie
 * leaves them open, the interval and the count; without one if that of `a` is 0. Returns 0;
 * -ERANGE, with *ret untouched, if nothing of that kind is within the time and outlives the outage.
 */
int ho_advise_tied(const struct ho_advise_ask *ask, const struct ho_advice *a,
                   enum ho_advise_tie tie, int64_t intvl_s, int64_t cnt, struct ho_advice *ret);

/* How long a request may take that was sent as an outage of `outage_ns` began, until it is
 * answered, if the peer answers at once: the least that a program's own timeout must allow.
 * INT64_MAX if the connection may end before.
 */
int64_t ho_advise_recovery_ns(const struct ho_advise_ask *ask, const struct ho_advice *a,
                              enum ho_advice_way way, int64_t outage_ns);

/* The longest time until probe timer `k` of an idle connection has fired, from the last segment
 * received, wherever the timer stood and whatever the phase; 0 is the first probe, cnt the end.
 */
int64_t ho_advise_probe_ns(uint32_t hz, int64_t idle_s, int64_t intvl_s, int64_t k);

const char *ho_advise_reason_text(enum ho_advise_reason reason);

#endif
