/* The same case with other starting jiffies: where in its range an answer falls is the timer
 * wheel's phase (base/clk.h).
 */

#ifndef HO_CLI_PHASES_H
#define HO_CLI_PHASES_H

#include "cli/play.h"

/* Plays the case of `p`, which was played, o->phases times more, with starting jiffies spread
 * evenly over the largest step of the wheel that a timer of it fell into, and fills p->phase.
 * Returns HO_EXIT_OK; otherwise has said what was wrong.
 */
int ho_phases_play(struct ho_play *p, const struct ho_run_options *o);

/* The largest step of the wheel, in jiffies, that a timer of this timeline fell into; 1 at
 * least. `hz` 0: exact timers, no steps.
 */
uint64_t ho_phases_step(const struct ho_timeline *tl, uint32_t hz);

#endif
