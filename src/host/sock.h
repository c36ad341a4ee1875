/* What a host holds for its sockets: the struct every endpoint has, and the side objects that only
 * some have.
 *
 * An idle connection is one struct ho_sock of a chunk, 4 bytes in the demultiplexer and 4 in its
 * process's descriptor table; nothing else. What is needed while something is going on (calls
 * that wait, epoll, the time before connect(), a listener's queues) is in a struct ho_ext, named
 * by the field that otherwise holds the process.
 */

#ifndef HO_HOST_SOCK_H
#define HO_HOST_SOCK_H

#include "base/list.h"
#include "base/timerq.h"
#include "host/op.h"
#include "host/slots.h"
#include "tcp/conn.h"
#include "tcp/listen.h"
#include "tcp/timewait.h"

/* What a timer belongs to; sockets say with it what they are. The byte behind each ho_timer. */
enum ho_kind {
    HO_KIND_FREE,
    HO_KIND_NEW,    /* a socket before connect() or listen() */
    HO_KIND_LISTEN, /* a listener */
    HO_KIND_CONN,   /* a connection: `tcp` is alive */
    HO_KIND_REQ,
    HO_KIND_TW,
    HO_KIND_NEIGH,
    HO_KIND_NIC,
    HO_KIND_OP
};

static inline enum ho_kind ho_kind_of(const struct ho_timer *t)
{
    return (enum ho_kind)((const unsigned char *)t)[sizeof(*t)];
}

#define HO_SOCK_NONBLOCK_F 0x001u
#define HO_SOCK_V6 0x002u         /* of family AF_INET6 */
#define HO_SOCK_PORT_LOCK 0x004u  /* bind() chose the port: it outlives a failed connect() */
#define HO_SOCK_HASHED 0x008u     /* in the demultiplexer */
#define HO_SOCK_BOUND 0x010u      /* counted in a port record */
#define HO_SOCK_REUSE 0x020u      /* counted there with SO_REUSEADDR */
#define HO_SOCK_PICKED 0x040u     /* counted there as a port that connect() picked */
#define HO_SOCK_QUEUED 0x100u     /* in an accept queue */
#define HO_SOCK_LINGER 0x200u     /* its close() waits (SO_LINGER) */
#define HO_SOCK_CONNECTING 0x400u /* connect() has not yet returned its result */
#define HO_SOCK_HAS_TW 0x800u     /* its TIME-WAIT goes on without it */
#define HO_SOCK_EXT 0x1000u       /* `ext` is the number of a struct ho_ext, else the pid */
#define HO_SOCK_PARKED 0x2000u    /* perhaps a segment of it waits for a neighbour */
#define HO_SOCK_ORPHAN 0x4000u    /* its process has let go of it */
#define HO_SOCK_ERRQUEUE 0x8000u  /* an ICMP is in its error queue: poll says ERR from now on */

struct ho_sock {
    struct ho_timer timer;
    uint8_t kind;   /* enum ho_kind */
    uint8_t place;  /* number modulo HO_SLOT_CHUNK */
    uint16_t flags; /* HO_SOCK_* */
    uint32_t next;  /* in its chain of the demultiplexer */
    uint32_t ext;   /* the owner's pid (0: an orphan), or the number of a struct ho_ext */
    uint32_t fd;    /* the descriptor; in an accept queue, the next socket in it */
    struct ho_tcp tcp;
};

/* The record of a listener: SYN queue and accept queue. */
struct ho_listener {
    struct ho_list node; /* host->listen_list */
    struct ho_list reqs; /* its requests, oldest first */
    struct ho_addr addr; /* may be any address */
    uint16_t port;
    uint32_t sock;
    uint32_t backlog;
    uint32_t n_reqs, n_accept;
    uint32_t first, last; /* accept queue, linked by ho_sock.fd */
};

struct ho_watch;

struct ho_ext {
    uint32_t pid;
    uint16_t lport;
    struct ho_addr laddr;         /* NEW and LISTEN: what bind() said; any address if nothing */
    struct ho_list ops;           /* calls that wait for this socket, oldest first */
    struct ho_watch *watches;     /* epoll instances that watch it */
    struct ho_tcp_opts *opts;     /* NEW and LISTEN: the options; a CONN has them in tcp.opts */
    struct ho_listener *listener; /* LISTEN */
};

struct ho_req {
    struct ho_timer timer;
    uint8_t kind;
    uint32_t number, next;
    struct ho_listener *listener;
    struct ho_list node; /* listener->reqs */
    struct ho_tcp_req r;
};

struct ho_tw {
    struct ho_timer timer;
    uint8_t kind;
    uint16_t flags; /* HO_SOCK_V6, _BOUND, _REUSE, _PICKED of the socket it was */
    uint32_t number, next;
    struct ho_tcp_tw t;
};

/* What the demultiplexer finds: two bits of type, thirty of number. */
#define HO_REF_NONE UINT32_MAX
#define HO_REF_SOCK 0u
#define HO_REF_REQ 0x40000000u
#define HO_REF_TW 0x80000000u
#define HO_REF_TYPE 0xc0000000u

static_assert(offsetof(struct ho_sock, kind) == sizeof(struct ho_timer), "see ho_kind_of()");
static_assert(offsetof(struct ho_req, kind) == sizeof(struct ho_timer), "see ho_kind_of()");
static_assert(offsetof(struct ho_tw, kind) == sizeof(struct ho_timer), "see ho_kind_of()");

#endif
