/* Who holds which socket: one walk over the descriptors of all processes (proc(5)), and the options
 * of the sockets of interest (pidfd_getfd(2)).
 *
 *     err = ho_os_owners_open(&w, 0);
 *     err = ho_os_owners_want(w, inodes, n, true);
 *     while (ho_os_owners_next(w, &s) == 1) { ... }
 *     ho_os_owners_close(w);
 *
 * The walk begins when it is opened, in a thread of its own: of a process with 100,000 descriptors
 * it takes a third of a second, in which the caller asks sock_diag which sockets are of interest.
 * Their options are then read by that thread and the caller's, one socket after the other each. A
 * socket that is newer than the walk is not found by it: another one finds it.
 *
 * Nothing here is a fault of the caller's: a process that is gone has no more sockets, one that
 * may not be looked at (another uid's, without CAP_SYS_PTRACE) has none and is counted, a
 * descriptor that is another file by now is no socket of that inode any more.
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

/* The options that decide when a connection notices that its peer is gone, in Linux's units. */
struct ho_os_liveness {
    bool keepalive;
    int keepidle_s, keepintvl_s, keepcnt; /* with the sysctls' values where they are not set */
    uint32_t user_timeout_ms;
    bool linger;
    int linger_s;
};

/* A socket of interest, and a process that has it as descriptor `fd.fd`. */
struct ho_os_owned {
    const struct ho_os_owner *owner; /* the walk's; one for each process */
    struct ho_os_sockfd fd;
    int err; /* 0: `options` are read; -EPERM, -EACCES: the process may not be looked into
              * (ptrace(2), "ptrace access mode checking"); -ENOSYS before Linux 5.6; -ESRCH,
              * -EBADF, -ENOTSOCK: it is gone; -ENOPROTOOPT: no TCP socket; -ENODATA: not asked for
              */
    struct ho_os_liveness options;
};

struct ho_os_owners;

/* Begins a walk over all processes of this pid namespace, or over `pid` alone. Returns 0 with *ret;
 * -ESRCH: no such process; -EACCES: `pid` may not be looked at; -ENOENT without /proc; -ENOMEM.
 */
int ho_os_owners_open(struct ho_os_owners **ret, int pid);

/* Ends it, also in the middle. Takes NULL. */
void ho_os_owners_close(struct ho_os_owners *w);

/* Says which sockets are of interest, once, before the first is pulled; the list is copied. Without
 * `options` none is duplicated. Returns 0; -ENOMEM.
 */
int ho_os_owners_want(struct ho_os_owners *w, const uint32_t *inodes, size_t n, bool options);

/* The next of them; those of a process come one after the other, and one that several processes
 * hold comes once for each. Returns 1 with *ret; 0 at the end; -ENOMEM if the walk had to stop.
 */
int ho_os_owners_next(struct ho_os_owners *w, struct ho_os_owned *ret);

/* At the end: processes whose descriptors could not be looked at; whether those of a user were all.
 */
size_t ho_os_owners_hidden(const struct ho_os_owners *w);
bool ho_os_owners_sees(const struct ho_os_owners *w, uint32_t uid);

#endif
