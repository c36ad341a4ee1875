/* What a process asks of its sockets: operations that are submitted and completed.
 *
 * One struct is one system call. ho_host_start() (host/host.h) runs it: it is done at once, or
 * it is pending, as a blocking call is that has not returned yet, and comes back later from
 * ho_host_completed(). A call on a non-blocking descriptor never pends; it fails with -EAGAIN,
 * or connect() with -EINPROGRESS. Results are those of Linux: ret >= 0, or a negative errno;
 * a blocked send() that moved some bytes before an error returns their count and the error
 * waits for the next call.
 *
 * The same struct is what the behaviours in src/program/ speak; the kernel engine runs it with
 * real descriptors.
 */

#ifndef HO_HOST_OP_H
#define HO_HOST_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/timerq.h"
#include "knobs/poll.h"
#include "wire/addr.h"

/* kind, the call's name as the timeline shows it */
#define HO_OPS(X)                                                                                \
    X(SOCKET, "socket")     /* family (v4 or v6) from addr; flags: HO_SOCK_*; ret: descriptor */ \
    X(BIND, "bind")         /* addr, port */                                                     \
    X(LISTEN, "listen")     /* arg: backlog */                                                   \
    X(ACCEPT, "accept")     /* flags: HO_SOCK_*; ret: descriptor; addr, port: the peer's */      \
    X(CONNECT, "connect")   /* addr, port */                                                     \
    X(SEND, "send")         /* buf, len; flags: HO_MSG_* */                                      \
    X(RECV, "recv")         /* buf, len; flags; ret 0: end of stream */                          \
    X(SHUTDOWN, "shutdown") /* arg: HO_SHUT_* */                                                 \
    X(CLOSE, "close")       /* pends only with SO_LINGER on a blocking descriptor */             \
    X(SETSOCKOPT, "setsockopt")     /* opt, value[] */                                           \
    X(GETSOCKOPT, "getsockopt")     /* opt; value[] or info filled */                            \
    X(GETSOCKNAME, "getsockname")   /* addr, port filled */                                      \
    X(POLL, "poll")                 /* arg: events asked; ret: revents; timeout */               \
    X(EPOLL_CREATE, "epoll_create") /* ret: descriptor */                                        \
    X(EPOLL_CTL, "epoll_ctl")       /* fd: epoll; target; arg: HO_EPOLL_ADD..; events */         \
    X(EPOLL_WAIT, "epoll_wait") /* fd: epoll; buf: struct ho_epoll_event[len]; timeout; ret: n */

enum ho_op_kind {
#define X(id, name) HO_OP_##id,
    HO_OPS(X)
#undef X
    HO_OP_COUNT
};

enum ho_shut {
    HO_SHUT_RD,
    HO_SHUT_WR,
    HO_SHUT_RDWR
};

#define HO_MSG_PEEK 0x02u
#define HO_MSG_DONTWAIT 0x40u

/* `flags` of SOCKET and ACCEPT: the new descriptor does not block, as Linux's SOCK_NONBLOCK. */
#define HO_SOCK_NONBLOCK 0x800u

/* epoll's flags beside the events of knobs/poll.h, with Linux's numbers. */
#define HO_EPOLLET 0x80000000u
#define HO_EPOLLONESHOT 0x40000000u

enum ho_epoll_op {
    HO_EPOLL_ADD = 1,
    HO_EPOLL_DEL,
    HO_EPOLL_MOD
};

struct ho_epoll_event {
    uint32_t events;
    uint64_t data;
};

struct ho_sock_info; /* host/info.h: what TCP_INFO and sock_diag say */

struct ho_op {
    enum ho_op_kind kind;
    int fd;          /* the descriptor acted on */
    int target;      /* EPOLL_CTL: the descriptor watched */
    int arg;         /* see the list above */
    uint32_t events; /* EPOLL_CTL: events and flags */
    uint64_t data;   /* EPOLL_CTL: given back in the event */
    unsigned flags;  /* HO_MSG_* */
    struct ho_addr addr;
    uint16_t port;
    int opt;                   /* enum ho_sockopt (knobs/sockopt.h) */
    int64_t value[2];          /* a socket option's value; SO_LINGER: on, seconds */
    struct ho_sock_info *info; /* TCP_INFO: filled; the caller's */
    void *buf;                 /* the caller's; must live until the operation has completed */
    size_t len;                /* bytes, or events for EPOLL_WAIT */
    struct ho_dur timeout;     /* POLL, EPOLL_WAIT: how long to wait at most */
    bool forever;              /* POLL, EPOLL_WAIT: no timeout */

    int64_t ret;            /* result: >= 0, or a negative errno */
    void *user;             /* the caller's */
    struct ho_time started; /* when it was submitted */
    struct ho_list node;    /* the queue it waits in; not the caller's business */
    struct ho_op_timer {
        struct ho_timer timer; /* when the wait or the linger ends */
        uint8_t kind;          /* what the timer belongs to */
    } wait;                    /* not the caller's business */
    uint32_t pid;              /* who asked */
    uint32_t sock;             /* the socket waited for; not the caller's business */
    size_t done;               /* bytes moved so far by a blocked send or recv */
};

enum ho_op_status {
    HO_OP_DONE,   /* `ret` is valid */
    HO_OP_PENDING /* comes back from ho_host_completed() */
};

#endif
