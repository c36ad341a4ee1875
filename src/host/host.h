/* One machine: its interfaces, neighbours, routes, sockets, processes and power.
 *
 * The host is a value with time as an argument, like a connection:
 *
 *     feed     ho_host_input() for every frame that reaches an interface; ho_host_start() for
 *              every call of a process; the verbs below for what happens to the machine
 *     wake     ho_host_tick() when ho_host_deadline() has come
 *     drain    ho_host_output() until NULL, after each of these; when all that comes at one
 *              instant was fed, ho_host_completed() until NULL: only then do processes that
 *              wait for data get it, and frames can come of that
 *     sleep    until ho_host_deadline()
 *
 * Everything that goes wrong on the wire is a counted drop. Everything that Linux's system calls
 * would return, the operations return.
 */

#ifndef HO_HOST_HOST_H
#define HO_HOST_HOST_H

#include "base/buf.h"
#include "base/clk.h"
#include "base/rng.h"
#include "host/info.h"
#include "host/op.h"
#include "knobs/profile.h"
#include "knobs/sysctl.h"
#include "tcp/tcp.h"

struct ho_host;

#define HO_NAME_MAX 32 /* bytes of a host's or interface's name, with the final 0 */
#define HO_HOST_NICS 8 /* interfaces at most, beside lo */
#define HO_NIC_LO (-1) /* the loopback interface in the calls below */

struct ho_host_conf {
    char name[HO_NAME_MAX];
    struct ho_clk clk;
    uint64_t seed;              /* secrets, drawn neighbour times, ephemeral ports */
    struct ho_bufpool *bufs;    /* may be shared by the hosts of a world; outlives the host */
    size_t max_sockets;         /* bound of all sockets together */
    enum ho_profile_id profile; /* which kernel it behaves like; 0: the newest */
};

/* A host without power: ho_host_boot() starts it. Returns 0 or -ENOMEM. */
int ho_host_new(struct ho_host **ret, const struct ho_host_conf *conf);
void ho_host_free(struct ho_host *h);

/* ---- power ---------------------------------------------------------------------------------
 * Interfaces, addresses, routes, permanent neighbours and sysctls are configuration and survive
 * a power cycle; sockets, processes, learnt neighbours and everything in flight do not. Power
 * loss sends nothing. Operations pending are gone: they never complete.
 */
void ho_host_power_off(struct ho_host *h, struct ho_time now);
void ho_host_boot(struct ho_host *h, struct ho_time now);
bool ho_host_is_up(const struct ho_host *h);

/* ---- interfaces, addresses, routes, neighbours ----------------------------------------------
 * Interface numbers count from 0 in the order of ho_host_add_nic().
 */

/* Adds an interface, up and with carrier. Returns its number; -ENOSPC. */
int ho_host_add_nic(struct ho_host *h, const char *name, struct ho_mac mac, uint16_t mtu);

/* What the cable's end says. Loss of carrier flushes the neighbours `linkwatch` later (Linux: 0
 * to 1 s, drawn from the seed if linkwatch_ns is negative); packets then die in the interface.
 */
void ho_host_carrier(struct ho_host *h, int nic, bool on, int64_t linkwatch_ns, struct ho_time now);

/* `ip link set up|down`; also for HO_NIC_LO. Down takes the interface's routes, neighbours (the
 * permanent ones too) and IPv6 addresses; up brings the on-link routes and the link-local address
 * back. Returns 0; -ENODEV.
 */
int ho_host_link(struct ho_host *h, int nic, bool up, struct ho_time now);

/* `ip addr add|del`: with its on-link route. Returns 0; -EEXIST; -ENOSPC; del: -EADDRNOTAVAIL. */
int ho_host_addr_add(struct ho_host *h, int nic, const struct ho_addr *a, unsigned prefix,
                     struct ho_time now);
int ho_host_addr_del(struct ho_host *h, int nic, const struct ho_addr *a, struct ho_time now);

/* `ip route add|del NET/PREFIX [via GATEWAY] dev NIC`; gateway NULL: on link.
 * ho_host_route_flush(): all routes of the interface. Returns 0; -EEXIST; -ESRCH; -ENOSPC.
 */
int ho_host_route_add(struct ho_host *h, int nic, const struct ho_addr *net, unsigned prefix,
                      const struct ho_addr *gateway, struct ho_time now);
int ho_host_route_del(struct ho_host *h, int nic, const struct ho_addr *net, unsigned prefix,
                      struct ho_time now);
int ho_host_route_flush(struct ho_host *h, int nic, struct ho_time now);

/* `ip neigh replace A lladdr MAC nud permanent`; `ip neigh del`, of any entry. Returns 0; -ENOSPC;
 * -ENOMEM; del: -ENOENT.
 */
int ho_host_neigh_add(struct ho_host *h, int nic, const struct ho_addr *a, struct ho_mac mac,
                      struct ho_time now);
int ho_host_neigh_del(struct ho_host *h, int nic, const struct ho_addr *a, struct ho_time now);

/* The next drawn neighbour reachable times (ns each), used before the seed's: for replaying what
 * a measured kernel drew. At most 16. The values are copied.
 */
void ho_host_neigh_draws(struct ho_host *h, const int64_t *ns, size_t n);

/* The reachable time of an interface is `d` from now on, and is not drawn anew until the host boots
 * or this is called again: for following a kernel that was watched.
 */
void ho_host_neigh_hold(struct ho_host *h, int nic, bool ipv6, struct ho_dur d);

/* The host forwards packets between its interfaces (net.ipv4.ip_forward): a router. */
void ho_host_forwarding(struct ho_host *h, bool on);

/* The host's sysctls, to read and to write (knobs/sysctl.h checks the ranges); read at use. */
struct ho_sysctls *ho_host_sysctls(struct ho_host *h);

/* ---- frames -------------------------------------------------------------------------------- */

/* An Ethernet frame has arrived at interface `nic`; consumed. */
void ho_host_input(struct ho_host *h, int nic, struct ho_buf *frame, struct ho_time now);

/* The next Ethernet frame to leave, and through which interface; NULL if there is none. */
struct ho_buf *ho_host_output(struct ho_host *h, int *ret_nic, struct ho_time now);

/* The next packet that went over `lo` since the last call (IP header first), for the record: a
 * copy; NULL if none. Bounded; what does not fit is counted. Only if recording was asked for.
 */
void ho_host_record_lo(struct ho_host *h, bool on);
struct ho_buf *ho_host_lo_packet(struct ho_host *h);

struct ho_time ho_host_deadline(const struct ho_host *h);
void ho_host_tick(struct ho_host *h, struct ho_time now);

/* ---- processes and their calls -------------------------------------------------------------- */

/* A new process. Returns its pid (from 1 on); -ENOMEM; -ENETDOWN without power. */
int ho_host_spawn(struct ho_host *h, const char *name);

/* SIGKILL, or exit: closes what it owns (FIN; RST with unread data or linger 0), in the order of
 * the descriptors. Its pending operations never complete. Returns 0; -ESRCH.
 */
int ho_host_kill(struct ho_host *h, uint32_t pid, struct ho_time now);

/* Starts one call of process `pid`. Returns HO_OP_DONE with op->ret set, or HO_OP_PENDING: then
 * op must stay where it is until ho_host_completed() gives it back or ho_host_cancel() was called.
 */
enum ho_op_status ho_host_start(struct ho_host *h, uint32_t pid, struct ho_op *op,
                                struct ho_time now);

/* The next pending operation that has completed, or NULL. A recv() that was woken takes its data
 * here, all that has come by then, as a process does that gets the processor when the kernel is
 * done.
 */
struct ho_op *ho_host_completed(struct ho_host *h);

/* Takes a pending operation back, as a signal does (-EINTR, or the partial count, in op->ret). */
void ho_host_cancel(struct ho_host *h, struct ho_op *op);

/* O_NONBLOCK of a descriptor. Returns 0 or -EBADF. */
int ho_host_nonblock(struct ho_host *h, uint32_t pid, int fd, bool on);

/* The length of the file descriptor's receive queue (FIONREAD). Returns bytes, -EBADF. */
int64_t ho_host_fionread(struct ho_host *h, uint32_t pid, int fd);

/* ---- looking in ----------------------------------------------------------------------------- */

/* Walks all TCP sockets in an order that does not depend on memory addresses: sets *ret and
 * returns true for each; `*cursor` starts at 0. Listeners, requests and TIME-WAIT records too.
 */
bool ho_host_sock_next(struct ho_host *h, uint64_t *cursor, struct ho_time now,
                       struct ho_sock_info *ret);

/* One socket by process and descriptor. Returns 0; -EBADF; -ENOTSOCK. */
int ho_host_sock_info(struct ho_host *h, uint32_t pid, int fd, struct ho_time now,
                      struct ho_sock_info *ret);

/* Neighbour entries: states by Linux's names. */
#define HO_NUD_STATES(X) \
    X(NONE)              \
    X(INCOMPLETE)        \
    X(REACHABLE)         \
    X(STALE)             \
    X(DELAY)             \
    X(PROBE)             \
    X(FAILED)            \
    X(PERMANENT)

enum ho_nud {
#define X(id) HO_NUD_##id,
    HO_NUD_STATES(X)
#undef X
};

struct ho_neigh_info {
    struct ho_addr addr;
    int nic;
    enum ho_nud state;
};

const char *ho_nud_name(enum ho_nud state);
bool ho_host_neigh_next(struct ho_host *h, uint64_t *cursor, struct ho_neigh_info *ret);

/* A counter that grows with every change of a neighbour's state or of a socket: a cheap test of
 * whether looking again can show anything new.
 */
uint64_t ho_host_generation(const struct ho_host *h);

/* TCP's counters (tcp/count.h) and the host's own drops, by name: walks as above. */
bool ho_host_count_next(const struct ho_host *h, size_t *cursor, const char **ret_name,
                        uint64_t *ret_value);

/* Bytes of memory that one idle established connection takes in this host, all included. */
size_t ho_host_idle_bytes(void);

#endif
