/* When a connection gives up, as bounds: the chains of timers of forecast/chain.c from the middle,
 * where a running machine is found. Internal to src/forecast/.
 */

#ifndef HO_FORECAST_SILENCE_H
#define HO_FORECAST_SILENCE_H

#include "forecast/span.h"

#define SILENCE_UNBOUNDED (INT64_MAX / 8) /* ns: so long ago that it is not known */

struct silence_rules {
    uint32_t hz;
    struct ho_dur rto_max, user_timeout; /* user_timeout 0: none */
    bool orphan;
    uint32_t retries2, orphan_retries;
    struct ho_dur idle, intvl; /* keepalive */
    uint32_t cnt;
};

/* A timer that fires at `t`, when what is counted from (the first repeat, the first probe, the last
 * segment received) is `e` ago; before `begun` nothing is counted.
 */
struct silence {
    struct span t, e;
    bool begun;
};

struct silence_end {
    int64_t lo, hi; /* on the clock of `t` */
};

/* All return false if no end can be told: more timers than are followed. */

/* Repeats: the timer was armed for `rto`, doubling goes on (ground-truth A3, B 9, B 15). */
bool silence_repeats(const struct silence_rules *r, struct silence s, struct ho_dur rto,
                     struct silence_end *ret);

/* Probes of a closed window: `probes` were not answered, the timer was armed for `base` doubled
 * `backoff` times (ground-truth B 9, B 12, B 15).
 */
bool silence_window(const struct silence_rules *r, struct silence s, struct ho_dur base,
                    uint32_t backoff, uint32_t probes, struct silence_end *ret);

/* Keepalive probes: `probes` were not answered (ground-truth B 2, B 9). */
bool silence_keepalive(const struct silence_rules *r, struct silence s, uint32_t probes,
                       struct silence_end *ret);

/* SYNs: `sent` repeats so far (ground-truth B 10). `retries`, `linear` as struct ho_range_in. */
bool silence_syn(const struct silence_rules *r, struct silence s, uint32_t sent, uint32_t retries,
                 uint32_t linear, struct silence_end *ret);

/* T(n) or the user timeout, for data (ground-truth A3). */
struct ho_dur silence_limit(const struct silence_rules *r, struct ho_dur rto);

/* `base` doubled `times` times, at most rto_max. */
struct ho_dur silence_doubled(struct ho_dur base, uint32_t times, struct ho_dur rto_max);

/* The timeout of a SYN after `sent` repeats. */
struct ho_dur silence_syn_rto(const struct silence_rules *r, uint32_t sent, uint32_t linear);

#endif
