/* A stream of many segments that is cut for a while: its phases in place of its segments.
 *
 * How 30,000 bytes each 20 ms fall into segments and wake-ups depends on the microsecond, and with
 * it the window at the cut and how much is lost. What must be the same is when the first segment is
 * sent again, when the first one arrives after the plug, and how long it takes from there until
 * every byte that had been sent before is acknowledged, within 20 % (or the tolerance of times, if
 * that is more); and every byte that was sent has arrived as it was.
 */

#ifndef HO_TESTS_TRUTH_BULK_H
#define HO_TESTS_TRUTH_BULK_H

#include "support/truth_compare.h"

/* Puts the differences of phases in the place of those that ho_truth_compare() found. */
void ho_truth_compare_bulk(struct ho_truth_result *r);

#endif
