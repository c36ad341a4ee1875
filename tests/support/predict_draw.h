/* Random settings, predicted and played: does the arithmetic of forecast/predict.h agree with the
 * model?
 *
 * For each draw the scenario is played with a random phase of the timer wheel, and the answer must
 * lie in the predicted range; where both ends are claimed to be reached, it is played twice more,
 * with the phases that the prediction names for them, and they must be reached within 2 jiffies.
 * So a range that is too narrow fails, and one that is too wide does.
 */

#ifndef HO_TESTS_PREDICT_DRAW_H
#define HO_TESTS_PREDICT_DRAW_H

#include <stdint.h>

/* Draws `n` settings from `seed`, and fails the test at the first disagreement. */
void predict_draws(uint64_t seed, unsigned n);

#endif
