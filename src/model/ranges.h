/* Ranges of verdicts: what the forecast computes, from what the timeline says. */

#ifndef HO_MODEL_RANGES_H
#define HO_MODEL_RANGES_H

#include "forecast/range.h"
#include "timeline/verdict.h"

/* The range of one verdict, with the origin its times count from in *ret_origin.
 *
 * Returns 0; -ENOTSUP where the time was not made by a chain of timers that can be computed;
 * -ENOMEM. On failure nothing is written.
 */
int ho_verdict_range(const struct ho_timeline *tl, const struct ho_verdicts *v,
                     const struct ho_verdict *one, struct ho_range *ret,
                     struct ho_time *ret_origin);

/* Fills has_range and the range of every verdict whose time the phase of the timer wheel moves.
 * Returns 0 or -ENOMEM.
 */
int ho_verdicts_range(const struct ho_timeline *tl, struct ho_verdicts *v);

#endif
