/* Keepalive that ends within a time and outlives an outage. Internal to src/forecast/.
 *
 * It is searched with a bound, ho_advise_probe_ns(), and not with ho_predict(): the moment at which
 * the timer was armed is unknown, besides the phase of the wheel. Timers are never early (A1), so
 * an outage is outlived if it is shorter than the nominal time from the first probe to the last.
 */

#ifndef HO_FORECAST_ADVISE_IDLE_H
#define HO_FORECAST_ADVISE_IDLE_H

#include "forecast/advise.h"

struct advise_idle {
    int64_t idle_s, intvl_s, cnt;
    int64_t user_timeout_ms; /* 0: none */
};

/* The fewest probes an hour, with a user timeout from `least_ms` to `most_ms`, without one if
 * `most_ms` is 0. Returns false if there is nothing.
 */
bool advise_idle(const struct ho_advise_ask *ask, int64_t most_ms, int64_t least_ms,
                 struct advise_idle *ret);

/* The same for a program that has one setting for several things. */
bool advise_idle_tied(const struct ho_advise_ask *ask, enum ho_advise_tie tie, int64_t most_ms,
                      int64_t intvl_s, int64_t cnt, struct advise_idle *ret);

/* The outage that is outlived: the first probe is the first that is lost, the last one is answered
 * before the end; -1: not even the loss of one probe.
 */
int64_t advise_idle_outlives_ns(const struct ho_advise_ask *ask, const struct advise_idle *k);

#endif
