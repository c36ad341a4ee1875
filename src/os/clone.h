/* fork() with namespaces: what room.c and proc.c make their children with. */

#ifndef HO_OS_CLONE_H
#define HO_OS_CLONE_H

#include <sys/types.h>

#include "os/room.h"

/* As fork(), with the namespaces of `flags` (CLONE_NEW...) and a pidfd for the parent. Handlers of
 * pthread_atfork() are not called: for processes of one thread.
 *
 * Returns the pid, 0 in the child; a negative errno.
 */
pid_t ho_os_clone(unsigned long flags, int *ret_pidfd);

/* Waits for a child (with WNOHANG: asks) and reaps it. Returns 0; -EAGAIN; -ESRCH. */
int ho_os_reap(pid_t pid, int options, struct ho_os_exit *ret);

/* kill() by descriptor: never somebody else who got the number. Returns 0; -ESRCH; -EPERM. */
int ho_os_pidfd_signal(int pidfd, int signal);

/* write() of a short text to a file of /proc. Returns 0; a negative errno. */
int ho_os_write_file(const char *path, const char *text);

/* A new /proc for this pid namespace, over the one that is there. Returns 0; a negative errno. */
int ho_os_mount_proc(void);

#endif
