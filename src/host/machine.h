/* The inside of a host: one struct, and what its files ask of each other.
 *
 *     input.c   frames in             neigh*.c, arp.c, nd.c  neighbours
 *     ip.c      packets in and out    route.c                addresses and routes
 *     icmp.c    ICMP in and out       way.c                  shared paths to peers
 *     nic.c     interfaces            demux.c                four-tuples
 *     lo.c      loopback              port.c                 local ports
 *     tcpin.c   segments in           listener.c, tw.c       requests, TIME-WAIT
 *     sock.c    the life of a socket  calls.c, wait.c, ..    system calls
 *     epoll.c   epoll                 proc.c, power.c        processes, power
 *     host.c    the loop, and looking in
 *
 * Nothing calls back: what an event leads to is put into a queue (frames, packets over lo,
 * completed operations, epoll instances to look at) and done by ho_machine_run() at the end of
 * every public call.
 */

#ifndef HO_HOST_MACHINE_H
#define HO_HOST_MACHINE_H

#include "base/buf.h"
#include "base/list.h"
#include "base/rng.h"
#include "base/siphash.h"
#include "base/timerq.h"
#include "host/count.h"
#include "host/fdtab.h"
#include "host/host.h"
#include "host/neigh.h"
#include "host/route.h"
#include "host/slots.h"
#include "host/sock.h"
#include "wire/drop.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip.h"

#define HO_QUEUE_MAX 65536u /* frames or packets that wait to be taken */
#define HO_LO_MTU 1500      /* Linux: 65536; a buffer holds 2048 (docs/departures.md) */

struct ho_nic {
    struct ho_timer timer; /* link watch: when a lost carrier is acted upon */
    uint8_t kind;          /* HO_KIND_NIC */
    bool up, carrier;
    bool dead; /* without carrier, and link watch has seen it: packets vanish (noop) */
    int8_t number;
    uint16_t mtu;
    struct ho_mac mac;
    char name[HO_NAME_MAX];
    struct {
        uint64_t jiffies; /* the reachable time drawn */
        uint64_t drawn_j;
        bool drawn;
        bool held; /* told from outside: never drawn anew */
    } reach[2];    /* IPv4, IPv6 */
};

/* A path, and the way that packets on it take now. */
struct ho_way {
    struct ho_tcp_path path;
    struct ho_hop hop;      /* valid if path.route_err is 0 */
    struct ho_neigh *neigh; /* NULL: to be looked up */
    uint32_t number, next;
    uint32_t ip_id;
};

/* Sockets on one port and one local address: see port.c. */
struct ho_port {
    struct ho_addr addr;
    uint32_t number, next;
    uint32_t total;    /* sockets and TIME-WAIT records */
    uint32_t no_reuse; /* of these without SO_REUSEADDR */
    uint32_t listening;
    uint32_t not_picked; /* of these whose port was not picked by connect() */
    uint16_t port;
};

struct ho_proc {
    char name[HO_NAME_MAX];
    struct ho_fdtab fds;
    bool alive;
};

/* An epoll instance and the sockets it watches. */
struct ho_epoll {
    uint32_t number, pid;
    struct ho_list node;    /* host->epoll_look: something may be ready */
    struct ho_list watches; /* all, in order of EPOLL_CTL_ADD */
    struct ho_list ready;
    struct ho_list ops; /* waits, oldest first */
};

struct ho_watch {
    struct ho_epoll *epoll;
    struct ho_watch *next; /* of the same socket */
    struct ho_list all, ready;
    uint32_t sock;
    uint32_t events; /* asked; none after ONESHOT has been told */
    uint64_t data;
};

/* Token bucket of one peer for limited ICMP messages. */
struct ho_icmp_peer {
    struct ho_addr addr;
    uint64_t tokens_j, last_j;
    bool used;
};

#define HO_ICMP_PEERS 64
#define HO_PORT_BUCKETS 4096u
#define HO_DRAWS 16

struct ho_host {
    struct ho_host_conf conf;
    struct ho_clk clk; /* jiffies since boot: conf.clk moved */
    struct ho_sysctls sys;
    struct ho_time now; /* the last one seen */
    struct ho_rng rng;
    uint64_t boots;
    uint64_t generation;
    struct ho_sipkey key; /* of the tables */
    bool up, forwarding, lo_up, record_lo;

    struct ho_nic nic[HO_HOST_NICS];
    int n_nics;
    struct ho_ifaddr addr[HO_HOST_ADDRS];
    int n_addrs;
    struct ho_route route[HO_HOST_ROUTES];
    int n_routes;
    struct ho_ifaddr fixed[HO_HOST_ADDRS]; /* permanent neighbours: configuration */
    struct ho_mac fixed_mac[HO_HOST_ADDRS];
    int n_fixed;
    struct ho_neigh_table neigh;
    int64_t draw_ns[HO_DRAWS];
    size_t n_draws, next_draw;
    struct ho_icmp_peer icmp_peer[HO_ICMP_PEERS];
    unsigned icmp_next;

    struct ho_timerq timers;
    struct ho_bufq out; /* frames to leave; `user` is the interface */
    struct ho_bufq lo;  /* packets to this host itself */
    struct ho_bufq lo_record;
    uint64_t count[HO_HOST_COUNT_N];
    uint64_t drop[HO_WIRE_DROP_COUNT];

    struct ho_tcp_env env;
    struct ho_tcp_opts *opts; /* the defaults, shared by all who changed nothing */
    struct ho_slots ways, socks, exts, reqs, tws, ports, epolls;
    uint32_t *way_bucket, *demux_bucket, *port_bucket;
    uint32_t way_mask, demux_mask, demux_used;
    uint32_t demux_last; /* what was found last, or HO_REF_NONE */
    struct ho_way *last_way;
    struct ho_pool listeners, watches;
    struct ho_list listen_list; /* all listeners, in order of listen() */
    uint32_t orphans;
    uint32_t next_port; /* how far the search for ports has come (table_perturb) */

    struct ho_proc *proc; /* pid - 1 */
    uint32_t n_procs, cap_procs;
    struct ho_list completed, epoll_look;
    struct ho_list woken;   /* recv() calls whose process has not got the processor yet */
    struct ho_list lingers; /* close() calls that wait */
    struct ho_op *starting; /* the operation that ho_host_start() is busy with */
    bool started_done;      /* it has completed meanwhile */
};

/* ---- host.c ---- */
void ho_machine_run(struct ho_host *h, struct ho_time now);

static inline void ho_machine_count(struct ho_host *h, enum ho_host_count what)
{
    h->count[what]++;
}

/* Frees `b` and counts why. */
void ho_machine_drop(struct ho_host *h, struct ho_buf *b, enum ho_host_count why);

/* ---- nic.c ---- */
void ho_nic_send(struct ho_host *h, int nic, struct ho_buf *frame);
void ho_nic_tick(struct ho_host *h, struct ho_nic *n, struct ho_time now);
void ho_nic_boot(struct ho_host *h);
void ho_nic_join(struct ho_host *h); /* permanent neighbours of configuration into the table */

/* ---- input.c, arp.c, nd.c: what neighbours ask and answer ---- */
void ho_arp_input(struct ho_host *h, int nic, const struct ho_wire_eth *eth, struct ho_buf *b,
                  struct ho_time now);
void ho_arp_solicit(struct ho_host *h, const struct ho_neigh *n, const struct ho_addr *src,
                    bool unicast);
void ho_nd_solicit(struct ho_host *h, const struct ho_neigh *n, const struct ho_addr *src,
                   bool unicast);
void ho_nd_input(struct ho_host *h, int nic, const struct ho_wire_ip *ip,
                 const struct ho_wire_icmp *m, struct ho_time now);

/* ---- ip.c ---- */

/* A packet has arrived (nic may be HO_NIC_LO): IP header first; consumed. */
void ho_ip_input(struct ho_host *h, int nic, struct ho_buf *packet, struct ho_time now);

/* Sends the segment `b` along `way`; consumed. `user` and tag[0] are as ho_tcp_output() sets them,
 * tag[1] is 1 + the number of its socket, or 0.
 */
void ho_ip_send_way(struct ho_host *h, struct ho_way *way, struct ho_buf *b, struct ho_time now);

/* Sends `b` from `src` to `dst`; consumed. */
void ho_ip_send(struct ho_host *h, const struct ho_addr *src, const struct ho_addr *dst,
                uint8_t proto, struct ho_buf *b, struct ho_time now);

/* ---- icmp.c ---- */
void ho_icmp_input(struct ho_host *h, int nic, const struct ho_wire_ip *ip, struct ho_buf *b,
                   struct ho_time now);

/* Writes `m` into a new buffer with room for headers; NULL without memory (counted). */
struct ho_buf *ho_icmp_write(struct ho_host *h, const struct ho_wire_icmp *m,
                             const struct ho_addr *src, const struct ho_addr *dst);

/* Tells the sender of `packet` (IP header first; kept by the caller) of an error. */
void ho_icmp_error(struct ho_host *h, struct ho_buf *packet, enum ho_icmp_kind kind, uint8_t code,
                   uint32_t mtu, struct ho_time now);

/* ---- lo.c ---- */
void ho_lo_send(struct ho_host *h, struct ho_buf *packet);

/* ---- way.c ---- */
struct ho_way *ho_way_find(struct ho_host *h, const struct ho_addr *local,
                           const struct ho_addr *remote);
struct ho_way *ho_way_get(struct ho_host *h, const struct ho_addr *local,
                          const struct ho_addr *remote); /* counted; NULL without memory */
void ho_way_put(struct ho_host *h, struct ho_tcp_path *path);

/* Routes, addresses, links or neighbours have changed: every way is looked up anew. */
void ho_ways_refresh(struct ho_host *h);

/* ---- demux.c ---- */
uint32_t ho_demux_find(struct ho_host *h, const struct ho_way *way, uint16_t lport, uint16_t rport);
int ho_demux_add(struct ho_host *h, uint32_t ref); /* 0; -ENOMEM */
void ho_demux_remove(struct ho_host *h, uint32_t ref);
void ho_demux_replace(struct ho_host *h, uint32_t old, uint32_t new);

/* ---- port.c ---- */

/* bind(): takes `port`, or picks one if 0. Returns the port; -EADDRINUSE. */
int ho_port_bind(struct ho_host *h, const struct ho_addr *addr, uint16_t port, bool reuse);

/* listen(): may a socket bound there listen? Returns 0; -EADDRINUSE. */
int ho_port_may_listen(struct ho_host *h, const struct ho_addr *addr, uint16_t port, bool reuse);

/* connect(): a port for `way` and `rport`. Returns it; -EADDRNOTAVAIL. */
int ho_port_pick(struct ho_host *h, struct ho_way *way, uint16_t rport);

/* True if the four-tuple is free, or in a TIME-WAIT that may be taken over (it is then freed). */
bool ho_port_tuple_free(struct ho_host *h, struct ho_way *way, uint16_t lport, uint16_t rport);

/* Counts a socket on a port, by its HO_SOCK_REUSE and _PICKED flags, and back. 0; -ENOMEM. */
int ho_port_hold(struct ho_host *h, const struct ho_addr *addr, uint16_t port, unsigned flags);
void ho_port_release(struct ho_host *h, const struct ho_addr *addr, uint16_t port, unsigned flags);
void ho_port_listening(struct ho_host *h, const struct ho_addr *addr, uint16_t port, int change);

/* ---- tcpin.c ---- */
void ho_tcp_segment(struct ho_host *h, const struct ho_wire_ip *ip, struct ho_buf *b,
                    struct ho_time now);
void ho_tcp_quoted(struct ho_host *h, const struct ho_wire_quote *q, int err, bool fatal,
                   bool ends_request, struct ho_time now);

/* Answers `seg` with RST, if it is to be answered. */
void ho_tcp_refuse(struct ho_host *h, const struct ho_addr *local, const struct ho_addr *remote,
                   const struct ho_wire_tcp *seg, struct ho_time now);

/* ---- listener.c ---- */
struct ho_listener *ho_listener_find(struct ho_host *h, const struct ho_addr *addr, uint16_t port);

/* A segment for which there is no connection, at a listener; `b` is its payload, consumed. */
void ho_listener_input(struct ho_host *h, struct ho_listener *l, const struct ho_wire_ip *ip,
                       const struct ho_wire_tcp *seg, struct ho_buf *b, struct ho_time now);
void ho_req_input(struct ho_host *h, struct ho_req *r, const struct ho_wire_tcp *seg,
                  struct ho_buf *b, struct ho_time now);
void ho_req_tick(struct ho_host *h, struct ho_req *r, struct ho_time now);
void ho_req_free(struct ho_host *h, struct ho_req *r);
struct ho_sock *ho_listener_accept(struct ho_host *h, struct ho_listener *l);
void ho_listener_close(struct ho_host *h, struct ho_sock *s, struct ho_time now);

/* ---- tw.c ---- */

/* Puts a TIME-WAIT record in the place of `s`, which leaves the demultiplexer. */
void ho_tw_make(struct ho_host *h, struct ho_sock *s, struct ho_time now);

/* A segment for the record. Returns true if the record is gone and the segment is a SYN for the
 * listener; else the segment is done with. `b` is not touched.
 */
bool ho_tw_input(struct ho_host *h, struct ho_tw *t, const struct ho_wire_tcp *seg,
                 struct ho_time now);
void ho_tw_free(struct ho_host *h, struct ho_tw *t);

/* ---- sock.c ---- */

/* A new socket of kind NEW with an ext, or NULL with the errno in *ret_err. */
struct ho_sock *ho_sock_new(struct ho_host *h, uint32_t pid, bool ipv6, int *ret_err);

/* A new socket for the child of a request, kind CONN, not in any table. NULL without memory. */
struct ho_sock *ho_sock_child(struct ho_host *h);

struct ho_ext *ho_sock_ext(struct ho_host *h, const struct ho_sock *s); /* NULL: it has none */
struct ho_ext *ho_sock_need_ext(struct ho_host *h, struct ho_sock *s);  /* NULL: no memory */
uint32_t ho_sock_pid(struct ho_host *h, const struct ho_sock *s);
uint32_t ho_sock_number(const struct ho_host *h, const struct ho_sock *s);

/* Pulls what the connection wants: segments out, wake-ups, its timer, its end. Call it after
 * everything that was done to the connection; `s` may be gone afterwards.
 */
void ho_sock_settle(struct ho_host *h, struct ho_sock *s, struct ho_time now);

/* Its process lets go of it (close, or death): `s` is gone afterwards, or an orphan. What waits
 * for it fails with EBADF, or if the process is `dying`, never completes.
 */
void ho_sock_release(struct ho_host *h, struct ho_sock *s, bool dying, struct ho_time now);

/* The connection is in nobody's hands from now on; ho_sock_settle() has to follow. */
void ho_sock_orphan(struct ho_host *h, struct ho_sock *s);

/* Drops all of it without a word. */
void ho_sock_free(struct ho_host *h, struct ho_sock *s);

/* Back from CONN to NEW, after a connect() that failed (tcp_disconnect). 0; -ENOMEM. */
int ho_sock_disconnect(struct ho_host *h, struct ho_sock *s);

/* What poll(2) says of any socket. */
uint32_t ho_sock_poll(struct ho_host *h, struct ho_sock *s);

/* Something happened that `wake` (HO_WAKE_*) sleepers wait for: tries what waits. */
void ho_sock_wake(struct ho_host *h, struct ho_sock *s, unsigned wake, struct ho_time now);

/* The side object goes if nothing needs it any more. */
void ho_sock_rest(struct ho_host *h, struct ho_sock *s);

/* ---- calls.c, wait.c and the handlers: each is one system call ---- */

#define HO_CALL_WAITS INT64_MIN /* returned by a handler: the operation cannot finish yet */

/* Tries an operation on socket `s`, first or again. Returns its result, or HO_CALL_WAITS. */
int64_t ho_call_retry(struct ho_host *h, struct ho_sock *s, struct ho_op *op, struct ho_time now);

/* Lets `op` wait for its socket. Returns HO_CALL_WAITS; -ENOMEM. */
int64_t ho_call_wait(struct ho_host *h, struct ho_sock *s, struct ho_op *op);
void ho_call_timeout(struct ho_host *h, struct ho_op *op, struct ho_due at);
void ho_call_complete(struct ho_host *h, struct ho_op *op, int64_t ret);
void ho_call_timer(struct ho_host *h, struct ho_op *op, struct ho_time now);

/* Takes `op` out of whatever it waits in. */
void ho_call_unlink(struct ho_host *h, struct ho_op *op);

/* recv() calls of `s` that were woken wait again: before the socket's end is told to those that
 * wait.
 */
void ho_call_unwake(struct ho_host *h, struct ho_sock *s);

/* The same for all of `ops`: they fail with EBADF, or if their process is `dying`, never complete.
 */
void ho_call_abandon(struct ho_host *h, struct ho_list *ops, bool dying);

/* The process is killed: its completed and its lingering calls are forgotten. */
void ho_call_kill(struct ho_host *h, uint32_t pid, struct ho_time now);

/* The wait of a lingering close() is over, one way or another: `s` is an orphan from now on. */
void ho_call_end_linger(struct ho_host *h, struct ho_sock *s, struct ho_time now);

/* The lingering close() of socket `s` may be over. */
void ho_call_linger_check(struct ho_host *h, struct ho_sock *s, struct ho_time now);

int64_t ho_call_connect(struct ho_host *h, struct ho_sock *s, struct ho_op *op, struct ho_time now);
int64_t ho_call_bind(struct ho_host *h, struct ho_sock *s, const struct ho_op *op);
int64_t ho_call_listen(struct ho_host *h, struct ho_sock *s, const struct ho_op *op);
int64_t ho_call_setsockopt(struct ho_host *h, struct ho_sock *s, const struct ho_op *op,
                           struct ho_time now);
int64_t ho_call_getsockopt(struct ho_host *h, struct ho_sock *s, struct ho_op *op,
                           struct ho_time now);

/* ---- proc.c ---- */
struct ho_proc *ho_proc_find(struct ho_host *h, uint32_t pid); /* NULL: none, or dead */

/* What a descriptor stands for. Exactly one of the results is set, or none. */
struct ho_sock *ho_proc_sock(struct ho_host *h, uint32_t pid, int fd);
struct ho_epoll *ho_proc_epoll(struct ho_host *h, uint32_t pid, int fd);
int ho_proc_open_sock(struct ho_host *h, uint32_t pid, struct ho_sock *s);
int ho_proc_open_epoll(struct ho_host *h, uint32_t pid, struct ho_epoll *e);
void ho_proc_close(struct ho_host *h, uint32_t pid, int fd, bool dying, struct ho_time now);
void ho_proc_forget(struct ho_host *h); /* all of them: no power */

/* ---- epoll.c ---- */
struct ho_epoll *ho_epoll_new(struct ho_host *h, uint32_t pid);

/* Its waits fail with EBADF, or if the process is `dying`, never complete. */
void ho_epoll_free(struct ho_host *h, struct ho_epoll *e, bool dying);
int64_t ho_epoll_ctl(struct ho_host *h, struct ho_epoll *e, struct ho_sock *s,
                     const struct ho_op *op);
int64_t ho_epoll_wait(struct ho_host *h, struct ho_epoll *e, struct ho_op *op);
void ho_epoll_wake(struct ho_host *h, const struct ho_ext *x, unsigned wake);
void ho_epoll_forget(struct ho_host *h, struct ho_ext *x); /* the socket is closed */
void ho_epoll_run(struct ho_host *h);                      /* completes the waits that can be */

/* ---- power.c ---- */
void ho_power_stop(struct ho_host *h); /* frees all that is not configuration */

#endif
