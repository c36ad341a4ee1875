/* The jiffy count of a kernel with a virtual clock, and waiting for one.
 *
 * os/ticks.h finds the count by asking again and again until the clock shows the next one. Where
 * computing takes no time (User Mode Linux, time-travel=inf-cpu) no such loop ever ends; there the
 * count is read in /proc/timer_list, which needs root, at instants that the process sleeps to.
 */

#ifndef HO_OS_JIFFIES_H
#define HO_OS_JIFFIES_H

#include "os/ticks.h"

/* Reads the count, and makes sure that ticks lie on the multiples of a jiffy of CLOCK_MONOTONIC, as
 * they do where the clock began with the kernel. Takes at most 16 jiffies of the virtual clock.
 *
 * Returns 0; -EACCES, -ENOENT where /proc/timer_list cannot be read; -ENODATA if ticks lie
 * elsewhere, or it does not say the count. *ret is untouched on failure.
 */
int ho_os_jiffies_read(struct ho_os_ticks *ret);

/* The first instant, not before `from`, at which the count is congruent to `jiffies` modulo
 * `step`, plus `phase_ns` into that jiffy: modulo a jiffy, since it may have been drawn for longer
 * ones.
 */
struct ho_time ho_os_jiffies_next(const struct ho_os_ticks *j, struct ho_time from,
                                  uint64_t jiffies, uint64_t step, int64_t phase_ns);

/* Sleeps until CLOCK_MONOTONIC is `t`; not at all if it has passed. */
void ho_os_sleep_until(struct ho_time t);

#endif
