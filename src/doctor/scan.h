/* Every TCP connection of this machine's network namespaces, as far as the caller may see.
 *
 * sock_diag gives the list, /proc the owners, pidfd_getfd(2) the socket options. None of it needs
 * root; what the kernel keeps from the caller is UNKNOWN in the facts, and counted. A connection
 * that ends, or a process that goes, while it is looked at is no error.
 *
 * A socket is duplicated for the time of six getsockopt() calls with all signals blocked
 * (os/sockfd.h), one at a time by each of two threads: a FIN that its owner's death should send in
 * that moment is late by those microseconds, or, on a machine without a free CPU, by as long as the
 * scan has to wait for its turn.
 *
 * A peer counts as on the link if the kernel routes to it without a gateway over a link that
 * resolves neighbours; behind a tunnel (IFF_NOARP) it counts as routed, for no ARP can fail there.
 * A connection that waits to be accepted has neither owner nor orphan's state.
 */

#ifndef HO_DOCTOR_SCAN_H
#define HO_DOCTOR_SCAN_H

#include "forecast/conn.h"

struct ho_scan_options {
    bool all_namespaces; /* needs CAP_SYS_ADMIN (setns) and sees those that a process lives in */
    int32_t pid;         /* 0: all. Only connections that this process holds, in the caller's
                          * namespace and in its own, if that can be entered */
    uint16_t port;       /* 0: all. Either end's */
    uint32_t states;     /* bits 1 << enum ho_tcp_state; 0: all but listeners */
    bool ipv4, ipv6;     /* neither: both */
    bool no_options;     /* do not duplicate sockets: sock_diag and /proc only */
    bool no_loopback;    /* leave out connections over `lo` */
};

struct ho_scan {
    struct ho_conn_host *hosts; /* the first is the caller's namespace */
    size_t n_hosts;
    struct ho_conn_owner *owners;
    size_t n_owners;
    struct ho_conn *conns; /* in the order of namespace, family, local port, remote address, port */
    size_t n_conns;
    size_t n_unreadable;         /* connections whose options we may not read; not those of
                                  * connections that no process holds, or that went meanwhile */
    size_t n_foreign_namespaces; /* those that could not be entered */
};

/* Returns 0 with *ret to be freed; -ENOMEM; -EPROTONOSUPPORT without CONFIG_INET_DIAG; -EPERM for
 * all_namespaces without the capability; -ESRCH: no process `pid`; -EACCES: it is another user's;
 * another negative errno of netlink. `why` (HO_WHY_SIZE of os/why.h) says in words what failed.
 */
int ho_scan(struct ho_scan *ret, const struct ho_scan_options *o, char *why);
void ho_scan_free(struct ho_scan *s);

#endif
