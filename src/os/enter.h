/* Going into a room from outside: a command in one of its hosts, on this terminal.
 *
 * The room's process hands out its namespaces as descriptors (control.h); whoever has them and
 * may enter (setns(2): the same user, or root) runs a command there. The command is a child of the
 * caller, on the caller's terminal and in its process group; its pid namespace is the room's, so
 * that it ends with the room.
 */

#ifndef HO_OS_ENTER_H
#define HO_OS_ENTER_H

#include <stdbool.h>
#include <stddef.h>

/* The order in which they are sent. */
enum ho_enter_ns {
    HO_ENTER_USER, /* the same as the caller's where the room was made by root */
    HO_ENTER_MNT,
    HO_ENTER_PID,
    HO_ENTER_NET, /* of the host */
    HO_ENTER_COUNT
};

/* Opens the namespaces of the calling process, which is in the room; `net` is copied. Returns 0
 * with the descriptors, the caller's; a negative errno, with nothing open.
 */
int ho_enter_open(int ret_fd[HO_ENTER_COUNT], int net);

/* Enters and runs `argv` (ended by NULL; found by PATH), waits for it, and sets *ret_status to its
 * exit status, or 128 + the signal that ended it. The working directory stays if it exists there.
 * While it runs, the terminal's SIGINT and SIGQUIT are the command's alone, and SIGTERM and SIGHUP
 * are passed on.
 *
 * `privileged`: it has the capabilities of the room's root over the room's namespaces (tcpdump,
 * ip). Without: none at all, and no way to get any.
 *
 * The caller stays where it is: a child enters for it (setns(2) changes what a process may do ever
 * after). Returns 0; -ENOENT, -EACCES ..: of the exec; -EPERM: may not enter; a negative errno.
 */
int ho_enter_run(const int fd[HO_ENTER_COUNT], char *const *argv, bool privileged, int *ret_status);

#endif
