/* The kernel's clocks: now, how long a jiffy is, which jiffy it is.
 *
 * Every instant of this folder is CLOCK_MONOTONIC, which all processes of a machine share whatever
 * namespaces they are in (time namespaces are not used here).
 */

#ifndef HO_OS_CLOCK_H
#define HO_OS_CLOCK_H

#include "base/time.h"

/* CLOCK_MONOTONIC. */
struct ho_time ho_os_now(void);

/* Jiffies a second (CONFIG_HZ): the resolution of CLOCK_MONOTONIC_COARSE is one jiffy. */
unsigned ho_os_hz(void);

/* The kernel's jiffy counter, as struct ho_clk (base/clk.h) wants it. */
struct ho_os_jiffies {
    uint64_t jiffies;     /* its whole value, which starts at -300 s mod 2^32 (INITIAL_JIFFIES) */
    struct ho_time start; /* the instant at which that jiffy began */
};

/* Reads it from /proc/timer_list, which only root may. The start of the jiffy comes from the tick
 * timer of a processor in that file: all ticks lie on one grid of 1/HZ (tick_setup_sched_timer).
 *
 * Returns 0; -EACCES (-EPERM) for an ordinary user; -ENOENT where the kernel has no such file;
 * -EPROTO if the file does not say it. On failure *ret is not touched.
 */
int ho_os_jiffies_read(struct ho_os_jiffies *ret);

/* The start of some jiffy in the last few, for anyone: it watches CLOCK_MONOTONIC_COARSE step, for
 * at most 8 jiffies, with the processor at full speed. Exact to some 10 us on a quiet machine: the
 * earliest step of those seen is taken, since a tick can be late and not early.
 */
struct ho_time ho_os_tick_watch(void);

#endif
