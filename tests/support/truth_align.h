/* Which record of a measured file is which of the model: by timeline/compare.h.
 *
 * Both lists become timelines, the records of the kinds that `halfopen compare` reads, and are put
 * side by side by the same function. What that calls alike is a pair.
 */

#ifndef HO_TESTS_TRUTH_ALIGN_H
#define HO_TESTS_TRUTH_ALIGN_H

#include "support/truth_compare.h"

/* Fills `pair` of the records of r->expected and r->got, which are ordered by time. */
void ho_truth_align(const struct ho_truth_script *s, struct ho_truth_result *r);

#endif
