/* How long an outage a connection outlives that has something in flight.
 *
 * What was sent when the outage began is repeated by timers, at growing intervals. The connection
 * lives if one of the repeats leaves after the outage and is answered before the end: so the
 * longest outage is the time of the last repeat. It depends on the phase of the timer wheel; the
 * least over all phases counts.
 */

#ifndef HO_FORECAST_OUTLIVE_H
#define HO_FORECAST_OUTLIVE_H

#include "forecast/range.h"

/* The longest outage that is outlived whatever the phase, from the origin of the chain `in`; 0 if
 * none is. DATA, SYN, SYN-ACK and PROBES, with cut_ns 0. Kept on the safe side by at most a
 * hundredth of the largest granule and three jiffies.
 *
 * Returns 0; as ho_range(), with *ret_ns untouched.
 */
int ho_outlive(const struct ho_range_in *in, int64_t *ret_ns);

/* The first repeat behind an outage of `outage_ns`, at the latest, and its answer: after the
 * origin. INT64_MAX if for some phase there is none. Returns as ho_outlive().
 */
int ho_recover(const struct ho_range_in *in, int64_t outage_ns, int64_t *ret_ns);

#endif
