/* /proc/sys: the sysctls of a network namespace.
 *
 * The kernel shows in /proc/sys/net those of the namespace the *reader* is in at that moment.
 * Names are Linux's with dots ("net.ipv4.tcp_retries2"); `/` may stand for `.`.
 */

#ifndef HO_OS_SYSCTL_H
#define HO_OS_SYSCTL_H

#include <stddef.h>

/* Reads a value as text into `buf`: tabs become blanks, the line break at its end goes.
 * `netns`: the namespace, or -1 for the one this thread is in.
 *
 * Returns its length; -ENOENT if the namespace has no such sysctl; -EACCES; -ENOSPC if `size` is
 * too small; -EINVAL for a name that is not one. On failure `buf` is untouched.
 */
int ho_os_sysctl_read(int netns, const char *name, char *buf, size_t size);

/* Writes a value. Returns 0; -ENOENT; -EACCES or -EPERM; -EINVAL if the kernel does not take the
 * value. */
int ho_os_sysctl_write(int netns, const char *name, const char *value);

#endif
