/* What the kernel's jiffy count is, known without root.
 *
 * A timer's lateness is set by the jiffy count at which it is armed (base/clk.h), and no call says
 * what the count is; /proc/timer_list does, to root alone. But an address carries the time at which
 * it was last set: IFA_CACHEINFO's `tstamp` is that jiffy, counted from the boot's, in hundredths
 * of a second (rtnetlink(7); the count starts 300 s before it wraps at 2^32). An address of `lo` is
 * set again and again: the first answer with a new number of hundredths was given right behind the
 * tick that made it. Ticks lie on a grid of CLOCK_MONOTONIC, so that one of them says the count of
 * any instant of that boot. It is looked for until three agree within 0.2 ms; a tick that was late,
 * or a reader that had to wait for a processor, is seen by being later than the others.
 */

#ifndef HO_OS_TICKS_H
#define HO_OS_TICKS_H

#include <stdint.h>

#include "base/time.h"

struct ho_os_ticks {
    uint32_t hz;
    uint64_t count;    /* the jiffy count at the start of the tick that `at` lies in */
    struct ho_time at; /* an instant of CLOCK_MONOTONIC */
    int64_t phase_ns;  /* of the grid: ticks begin at CLOCK_MONOTONIC % (1 s / hz) == phase_ns */
};

/* Measures, in the network namespace that the caller is in, where it needs CAP_NET_ADMIN and `lo`
 * (up or down): takes 40 ms on a quiet machine, at most 1 s without
 * the times at which this process had no processor. The address 127.77.77.77/32 is added
 * to `lo` and removed again.
 *
 * Returns 0; -EPERM without the capability; -ENODATA if no three ticks agree (a machine that is too
 * busy, or a kernel that counts otherwise); any other negative errno of netlink. *ret is untouched
 * on failure.
 */
int ho_os_ticks_measure(struct ho_os_ticks *ret);

/* The jiffy count at `t` of CLOCK_MONOTONIC, and in *ret_phase_ns how far `t` lies inside it. */
uint64_t ho_os_ticks_at(const struct ho_os_ticks *j, struct ho_time t, int64_t *ret_phase_ns);

#endif
