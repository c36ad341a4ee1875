/* The kernel's clock: now, and how long a jiffy is. Which jiffy it is: os/ticks.h.
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

#endif
