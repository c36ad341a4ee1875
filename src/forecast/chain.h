/* One chain of timers, followed for one jiffy count. Internal to src/forecast/. */

#ifndef HO_FORECAST_CHAIN_H
#define HO_FORECAST_CHAIN_H

#include "base/clk.h"
#include "forecast/range.h"

#define CHAIN_MAX 1000 /* timers a chain may have */
#define CHAIN_KEPT 64  /* of which so many are remembered one by one */

struct chain {
    unsigned n;                 /* timers that fired */
    uint64_t fired[CHAIN_KEPT]; /* the jiffy of each */
    uint64_t hash;              /* over the jiffies of all */
    uint64_t step;              /* the largest granule among them */
    uint64_t since;             /* the jiffy from which the give-up time counts; 0: none does */
    uint64_t limit;             /* the give-up time in jiffies */
    int64_t end_ns;             /* of the last one, after the origin */
};

/* Follows `in`, which was checked, with the jiffy count `jiffies` at the origin. Returns false if
 * the chain is longer than CHAIN_MAX.
 */
bool chain_follow(const struct ho_range_in *in, uint64_t jiffies, struct chain *ret);

/* ground-truth A3: T(n), after which data is given up, for timeouts that start at `base`. */
struct ho_dur chain_give_up(uint32_t n, struct ho_dur base, struct ho_dur rto_max);

#endif
