/* Random questions to forecast/advise.h, and its answers played: is everything noticed within the
 * time, and the outage outlived?
 *
 * For each draw every scenario that proves the advice (forecast/proof.h) is played on the model at
 * a phase of the timer wheel, the worst that is known or any, and all it expects must be met.
 * Where there is no advice, the nearest question is asked instead, and settings are looked for at
 * random that would have met the first one: none may.
 */

#ifndef HO_TESTS_ADVISE_DRAW_H
#define HO_TESTS_ADVISE_DRAW_H

#include <stdint.h>

/* Draws `n` questions from `seed`, and fails the test at the first disagreement. */
void advise_draws(uint64_t seed, unsigned n);

#endif
