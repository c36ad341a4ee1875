/* Every TCP connection of this machine's network namespaces, as far as the caller may see.
 *
 * sock_diag gives the list, /proc the owners, pidfd_getfd(2) the socket options. None of it needs
 * root; what the kernel keeps from the caller is UNKNOWN in the facts, and counted. A connection
 * that ends, or a process that goes, while it is looked at is no error.
 *
 * A socket is duplicated for the time of six getsockopt() calls, one at a time with all signals
 * blocked (os/sockfd.h): a FIN that its owner's death should send is late by those at most.
 */

#ifndef HO_DOCTOR_SCAN_H
#define HO_DOCTOR_SCAN_H

#include "forecast/conn.h"

struct ho_scan_options {
    bool all_namespaces; /* needs CAP_SYS_ADMIN (setns) and sees those that a process lives in */
    int32_t pid;         /* 0: all. Only connections that this process holds */
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
    size_t n_unreadable;         /* connections whose options nobody let us read */
    size_t n_foreign_namespaces; /* all_namespaces: those that could not be entered */
};

/* Returns 0 with *ret to be freed; -ENOMEM; -EPROTONOSUPPORT without CONFIG_INET_DIAG; -EPERM for
 * all_namespaces without the capability; -ESRCH: no process `pid`; another negative errno of
 * netlink. `why` (HO_WHY_SIZE of os/why.h) says in words what failed.
 */
int ho_scan(struct ho_scan *ret, const struct ho_scan_options *o, char *why);
void ho_scan_free(struct ho_scan *s);

#endif
