/* The TCP sockets of a namespace, as the kernel sees them: sock_diag(7).
 *
 * A handle is a netlink socket opened inside a namespace; it sees that namespace's sockets whoever
 * uses it from wherever, orphans, requests and TIME-WAIT records included. It keeps the namespace
 * alive: close it at power-off.
 */

#ifndef HO_OS_DIAG_H
#define HO_OS_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/diag_read.h"

struct ho_os_diag;

/* `netns`: a namespace; -1: the one this thread is in. Returns 0 with *ret; -EPROTONOSUPPORT
 * without CONFIG_INET_DIAG; a negative errno.
 */
int ho_os_diag_open(struct ho_os_diag **ret, int netns);
void ho_os_diag_close(struct ho_os_diag *d);

/* A dump, one socket after the other, so that a table of any size needs no memory. `states`: bits
 * 1 << enum ho_tcp_state. IPv4 first. `brief`: TCP_INFO alone, neither the socket's memory nor its
 * congestion control.
 *
 *     err = ho_os_diag_start(d, states, true);
 *     while (err == 0 && (n = ho_os_diag_next(d, &sock)) == 1) { ... }
 *
 * ho_os_diag_next() returns 1 with *ret; 0 at the end; -EINTR at the end if the kernel says that
 * its tables changed meanwhile; -EPROTONOSUPPORT where the kernel cannot list TCP; -EBADMSG for an
 * answer that is none; another negative errno. A socket that changes its place in the tables
 * meanwhile may come twice or not at all. A dump that is not pulled to its end leaves the handle
 * for nothing but ho_os_diag_close().
 */
int ho_os_diag_start(struct ho_os_diag *d, uint32_t states, bool brief);
int ho_os_diag_next(struct ho_os_diag *d, struct ho_os_sock *ret);

/* All TCP sockets, listeners included, but not those that are only bound, or not even that, into
 * `ret`, at most `max`; IPv4 first.
 *
 * Returns how many there are (more than `max`: those beyond are not in `ret`); -ENOMEM; a negative
 * errno of the kernel.
 */
int ho_os_diag_dump(struct ho_os_diag *d, struct ho_os_sock *ret, size_t max);

/* The same without listeners, for whoever asks after every frame: the kernel then leaves a table
 * of the whole machine, of some 2^16 buckets, alone.
 */
int ho_os_diag_connections(struct ho_os_diag *d, struct ho_os_sock *ret, size_t max);

/* Ends a socket as SOCK_DESTROY does: no FIN; a RST is sent if the connection is in a state that
 * RFC 9293 3.10.5 (ABORT) resets, so cut the cable first. Its process gets ECONNABORTED.
 *
 * Returns 0; -ENOENT if it is gone; -EOPNOTSUPP without CONFIG_INET_DIAG_DESTROY; -EPERM.
 */
int ho_os_diag_destroy(struct ho_os_diag *d, const struct ho_os_sock *s);

/* Ends all of them. Returns how many; a negative errno with some perhaps left. */
int ho_os_diag_destroy_all(struct ho_os_diag *d);

#endif
