/* Differences of the truth files that are explained: tests/truth/allowances.txt.
 *
 * A line `NAME | CLASS | WHERE | AT | STEP | REASON` allows one difference of one file and no more:
 * that of an event of class CLASS ("time", "order", "state"...) at WHERE ("seg s") at AT seconds.
 * STEP is the step of the timer wheel, in ms, by which its time may be off beyond the tolerance, or
 * x: the file is an exception, explained in docs/departures.md.
 */

#ifndef HO_TESTS_TRUTH_ALLOW_H
#define HO_TESTS_TRUTH_ALLOW_H

#include "support/truth_compare.h"

#define HO_TRUTH_ALLOWANCES 100

struct ho_truth_allowance {
    char name[64], what[12], where[12];
    int64_t at_us;
    int64_t step_us; /* of the wheel; 0: an exception */
    size_t used;
};

struct ho_truth_allowances {
    struct ho_truth_allowance a[HO_TRUTH_ALLOWANCES];
    size_t n;
};

void ho_truth_allow_read(struct ho_truth_allowances *ret, const char *path);

/* Takes the allowed differences of file `name` out of *r; *ret_steps and *ret_exceptions say how
 * many were of which kind.
 */
void ho_truth_allow(struct ho_truth_allowances *list, const char *name, struct ho_truth_result *r,
                    int64_t tolerance_us, size_t *ret_steps, size_t *ret_exceptions);

/* Says which allowances nothing needs any more; how many. */
size_t ho_truth_allow_unused(const struct ho_truth_allowances *list);

#endif
