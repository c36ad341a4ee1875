/* Who holds which socket: one walk over the descriptors of all processes (proc(5)), and the options
 * of each socket of interest (pidfd_getfd(2)).
 *
 *     err = ho_os_owners_open(&w, 0);
 *     while (ho_os_owners_next(w, &s) == 1) {
 *         ho_os_owners_liveness(w, &s, &options);
 *     }
 *     ho_os_owners_close(w);
 *
 * The walk begins when it is opened, in a thread of its own, and what it finds waits to be pulled:
 * of a process with 100,000 descriptors it takes half a second, in which the caller has other
 * questions to the kernel. Options are read by the caller's thread, one socket after the other.
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

#include "os/procfs.h"
#include "os/sockfd.h"

struct ho_os_owner {
    int pid;
    char comm[HO_OS_COMM];           /* "" where it cannot be read */
    char container[HO_OS_CONTAINER]; /* its container or unit; "" */
};

/* A socket of any protocol, and the process that has it as descriptor `fd.fd`. */
struct ho_os_owned {
    const struct ho_os_owner *owner; /* the walk's; one for each process */
    struct ho_os_sockfd fd;
};

/* The options that decide when a connection notices that its peer is gone, in Linux's units. */
struct ho_os_liveness {
    bool keepalive;
    int keepidle_s, keepintvl_s, keepcnt; /* with the sysctls' values where they are not set */
    uint32_t user_timeout_ms;
    bool linger;
    int linger_s;
};

struct ho_os_owners;

/* Begins a walk over all processes of this pid namespace, or over `pid` alone. Returns 0 with *ret;
 * -ESRCH: no such process; -EACCES: `pid` may not be looked at; -ENOENT without /proc; -ENOMEM.
 */
int ho_os_owners_open(struct ho_os_owners **ret, int pid);

/* Ends it, also in the middle. Takes NULL. */
void ho_os_owners_close(struct ho_os_owners *w);

/* The next socket; those of a process come one after the other. Returns 1 with *ret; 0 at the end;
 * -ENOMEM if the walk had to stop.
 */
int ho_os_owners_next(struct ho_os_owners *w, struct ho_os_owned *ret);

/* The options of a socket, if it still is the one of that inode. The process's pidfd is opened once
 * for sockets that follow one another; the socket is duplicated as os/sockfd.h says.
 *
 * Returns 0; -EPERM, -EACCES: the process may not be looked into (ptrace(2), "ptrace access mode
 * checking"; its other sockets are not tried then); -ENOSYS before Linux 5.6; -ESRCH, -EBADF,
 * -ENOTSOCK: it is gone; -ENOPROTOOPT: it is no TCP socket.
 */
int ho_os_owners_liveness(struct ho_os_owners *w, const struct ho_os_owned *s,
                          struct ho_os_liveness *ret);

/* At the end: processes whose descriptors could not be listed. */
size_t ho_os_owners_hidden(const struct ho_os_owners *w);

#endif
