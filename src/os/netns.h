/* Network namespaces, held by a descriptor: they go with the last descriptor, process and socket.
 *
 * To be used in a room (os/room.h), or by any process with CAP_SYS_ADMIN over the namespace's
 * user namespace. Entering is for this thread: for the moment in which a socket is opened.
 *
 * What keeps a namespace alive after its descriptor is closed (network_namespaces(7), and seen):
 * a process in it, a socket made in it - also an orphan with unsent data, for minutes -, a TAP's
 * descriptor. So a host is switched off in this order: cut its cable, ho_os_diag_destroy_all(),
 * kill its processes, ho_os_diag_destroy_all() again for what they left unsent, ho_os_wire_close(),
 * close the sockets of ho_os_net and ho_os_diag, close the descriptor.
 */

#ifndef HO_OS_NETNS_H
#define HO_OS_NETNS_H

#include <stddef.h>

/* A new namespace with `lo` up (without it the kernel's errnos are wrong: ground-truth,
 * fact_no_soft_error_without_lo). The caller stays where it is.
 *
 * Returns 0 with *ret_fd, close-on-exec, the caller's; -EPERM; -ENOSPC
 * (user.max_net_namespaces); -EMFILE, -ENOMEM.
 */
int ho_os_netns_new(int *ret_fd);

/* The namespace this thread is in. Returns 0 with *ret_fd, the caller's; a negative errno. */
int ho_os_netns_here(int *ret_fd);

/* The namespaces that a process of this pid namespace lives in, as far as they can be seen, each
 * once, with one of its processes. Returns 0 with *ret, to be freed by free(), and *ret_n; -ENOENT
 * without /proc; -ENOMEM.
 */
struct ho_os_netns_seen {
    unsigned long long id; /* as ho_os_netns_id() */
    int pid;
};
int ho_os_netns_all(struct ho_os_netns_seen **ret, size_t *ret_n);

/* Closes a namespace's descriptor. Takes -1. */
void ho_os_netns_close(int netns);

/* The namespace of a process. Returns 0 with *ret_fd, the caller's; -ENOENT: it is gone; -EACCES.
 */
int ho_os_netns_of(int pid, int *ret_fd);

/* Moves this thread into `netns` and keeps the way back in *ret_back, for ho_os_netns_leave().
 *
 * Returns 0; -EPERM, -EINVAL (not a network namespace), -EMFILE, with this thread where it was.
 */
int ho_os_netns_enter(int netns, int *ret_back);

/* Back to where ho_os_netns_enter() came from; closes `back`. To be stuck in a foreign namespace is
 * not survivable: it asserts.
 */
void ho_os_netns_leave(int back);

/* socket(2) in `netns`. Returns a descriptor, close-on-exec; a negative errno. */
int ho_os_netns_socket(int netns, int domain, int type, int protocol);

/* `lo` up in the namespace this thread is in. Returns 0; a negative errno. */
int ho_os_netns_lo_up(void);

/* The number that tells namespaces apart (the inode of its descriptor); 0 if `netns` is not open.
 */
unsigned long long ho_os_netns_id(int netns);

#endif
