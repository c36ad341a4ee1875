/* Who holds which socket: one walk over the descriptors of all processes (proc(5)), and the options
 * of a socket while the walk is at its process (pidfd_getfd(2)).
 *
 *     err = ho_os_owners_open(&w, 0);
 *     while (ho_os_owners_process(w, &pid) == 1) {
 *         while (ho_os_owners_socket(w, &fd) == 1) {
 *             ho_os_owners_liveness(w, &fd, &options);
 *         }
 *     }
 *     ho_os_owners_close(w);
 *
 * Nothing here is a fault of the caller's: a process that is gone has no more sockets, one that
 * may not be looked at (another uid without CAP_SYS_PTRACE) has none and is counted, a descriptor
 * that is another file by now is no socket of that inode any more.
 */

#ifndef HO_OS_OWNER_H
#define HO_OS_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "os/procfs.h"
#include "os/sockfd.h"

struct ho_os_owners;

/* A walk over all processes of this pid namespace, or over `pid` alone. Returns 0 with *ret;
 * -ESRCH: no such process; -EACCES: `pid` may not be looked at; -ENOENT without /proc; -ENOMEM.
 */
int ho_os_owners_open(struct ho_os_owners **ret, pid_t pid);
void ho_os_owners_close(struct ho_os_owners *w);

/* On to the next process. Returns 1 with *ret_pid; 0 at the end. */
int ho_os_owners_process(struct ho_os_owners *w, pid_t *ret_pid);

/* The next socket of that process, of any protocol. Returns 1 with *ret; 0 at the end. */
int ho_os_owners_socket(struct ho_os_owners *w, struct ho_os_sockfd *ret);

/* Of that process: /proc/PID/comm and the container or unit of /proc/PID/cgroup; "" for what cannot
 * be read.
 */
void ho_os_owners_name(struct ho_os_owners *w, char ret_comm[HO_OS_COMM],
                       char ret_container[HO_OS_CONTAINER]);

/* The options that decide when a connection notices that its peer is gone, in Linux's units. */
struct ho_os_liveness {
    bool keepalive;
    int keepidle_s, keepintvl_s, keepcnt; /* with the sysctls' values where they are not set */
    uint32_t user_timeout_ms;
    bool linger;
    int linger_s;
};

/* The options of a socket of that process, if it still is the one of that inode; the process's
 * pidfd is opened once, and the socket duplicated as os/sockfd.h says.
 *
 * Returns 0; -EPERM, -EACCES: the process may not be looked into (ptrace(2), "ptrace access mode
 * checking"; its other sockets are not tried then); -ENOSYS before Linux 5.6; -ESRCH, -EBADF,
 * -ENOTSOCK: it is gone; -ENOPROTOOPT: it is no TCP socket.
 */
int ho_os_owners_liveness(struct ho_os_owners *w, const struct ho_os_sockfd *fd,
                          struct ho_os_liveness *ret);

/* Processes whose descriptors could not be listed so far. */
size_t ho_os_owners_hidden(const struct ho_os_owners *w);

#endif
