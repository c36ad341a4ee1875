/* The socket options of another process's socket: pidfd_getfd(2).
 *
 * The socket is duplicated for the getsockopt() calls and closed before the function returns: a
 * duplicate that lived on would keep the socket open after its process dies, and no FIN would be
 * sent. Signals are blocked meanwhile, so that nothing stretches that moment; never call it
 * while a fault is being made.
 *
 * If its owner closes the socket in that very moment, the last close is ours: the FIN goes out
 * then, and where SO_LINGER is set it is we who wait for the data to be acknowledged, not the
 * owner.
 */

#ifndef HO_OS_SOCKFD_H
#define HO_OS_SOCKFD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* An option to read. */
struct ho_os_sockopt {
    int level, name;
    int err;   /* 0, or the negative errno of getsockopt() */
    int value; /* the first int; of SO_LINGER l_onoff */
    int more;  /* the second, if there is one: of SO_LINGER l_linger */
};

/* Reads `n` options of the descriptor `fd` of the process `pid` (as the caller's pid namespace
 * counts it; CAP_SYS_PTRACE over it, which a room has). *ret_inode (may be NULL): the socket's
 * inode, as /proc/PID/fd and sock_diag name it.
 *
 * Returns 0, each option with its own `err`; -ESRCH; -EBADF; -ENOTSOCK; -EPERM; -ENOSYS before
 * Linux 5.6.
 */
int ho_os_sockfd_options(pid_t pid, int fd, struct ho_os_sockopt *options, size_t n,
                         uint64_t *ret_inode);

/* The descriptors of a process that are sockets, by /proc/PID/fd: at most `max` into `ret`.
 *
 * Returns how many there are (more than `max`: those beyond are not in `ret`); -ESRCH; -EACCES.
 */
struct ho_os_sockfd {
    int fd;
    uint64_t inode;
};
int ho_os_sockfd_list(pid_t pid, struct ho_os_sockfd *ret, size_t max);

/* The same by a pidfd, which is opened once for many sockets of a process, and only if `fd` still
 * is the socket of that inode (-ENOTSOCK if not). The caller has blocked all signals, once for many
 * sockets. ho_os_pidfd() returns the descriptor, to be closed; -ESRCH; -ENOSYS before Linux 5.3;
 * another negative errno.
 */
int ho_os_pidfd(pid_t pid);
int ho_os_pidfd_options(int pidfd, const struct ho_os_sockfd *fd, struct ho_os_sockopt *options,
                        size_t n);

/* The processes of this pid namespace, by /proc: at most `max` into `ret`, in no order.
 *
 * Returns how many there are; -ENOENT without /proc.
 */
int ho_os_pids(pid_t *ret, size_t max);

/* The parent of a process, by /proc/PID/stat. Returns it (0: outside of this namespace); -ESRCH. */
int ho_os_ppid(pid_t pid);

#endif
