/* The settings of this machine, as its kernel says them. */

#ifndef HO_DOCTOR_SETTINGS_H
#define HO_DOCTOR_SETTINGS_H

#include <stdint.h>

#include "knobs/sysctl.h"

/* The sysctls of TCP and of the neighbours, of a network namespace (`netns`; -1: the one this
 * thread is in; an interface's `*` is `default`), and HZ. The others keep Linux's defaults. What
 * its kernel does not have, or does not show, counts as that kernel behaves.
 *
 * Returns 0; a negative errno if the namespace cannot be entered, with both untouched.
 */
int ho_doctor_settings(int netns, struct ho_sysctls *ret, uint32_t *ret_hz);

#endif
