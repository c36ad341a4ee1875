/* The machine at hand as a scenario sees it: its kernel's ticks and its profile. */

#ifndef HO_CLI_MACHINE_H
#define HO_CLI_MACHINE_H

#include <stdbool.h>

#include "scenario/scenario.h"

/* The profile (knobs/profile.h) whose behaviour this machine's kernel has: "linux-6.18". Of a
 * release that has none, the newest one before it, or the oldest there is: *ret_exact is false
 * then.
 */
const char *ho_machine_profile(bool *ret_exact);

/* The same for a release as uname(2) has it: "6.18.44-amd64". */
const char *ho_machine_profile_of(const char *release, bool *ret_exact);

/* Gives every host of the plan the machine's ticks and, if there is one, profile, where the file
 * does not say them itself: the file then plays here, whatever its defaults are.
 */
void ho_machine_fit(struct ho_plan *plan, const struct ho_scn *scn);

/* What real time may cost an event: 20 ms until a process that was woken runs, and two ticks, since
 * a processor can see its timers one tick after another has counted it (ground-truth A1).
 */
struct ho_dur ho_machine_late(void);

/* Lets every expectation of the plan allow that: a window in which something must happen becomes so
 * much wider at both ends, one in which nothing may happen so much narrower.
 */
void ho_machine_allow_late(struct ho_plan *plan);

/* How many plays run at once when nobody says it: 4 a processor, at most 8. They mostly wait. */
unsigned ho_machine_jobs(void);

/* How many processors there are to compute with. */
unsigned ho_machine_processors(void);

#endif
