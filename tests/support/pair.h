/* Two hosts on one cable with a constant delay, for tests: everything that is sent is recorded.
 *
 *     10.0.0.1, fd00::1 at host 0; 10.0.0.2, fd00::2 at host 1; a process, pid 1, on each
 *
 * Operations are run to their end, or left pending and looked at later: an operation that has
 * completed has its `user` pointing to itself.
 */

#ifndef HO_TESTS_PAIR_H
#define HO_TESTS_PAIR_H

#include "base/buf.h"
#include "host/host.h"
#include "wire/arp.h"
#include "wire/icmp.h"
#include "wire/tcp.h"

#define HO_PAIR_SENT 4096

enum ho_pair_kind {
    HO_PAIR_TCP,
    HO_PAIR_ARP, /* or neighbour discovery */
    HO_PAIR_ICMP
};

struct ho_pair_sent {
    struct ho_time at;
    int from;
    enum ho_pair_kind kind;
    bool lost;
    bool to_all; /* Ethernet broadcast or multicast */
    struct ho_wire_tcp seg;
    struct ho_wire_icmp icmp;
};

struct ho_pair {
    struct ho_bufpool bufs;
    struct ho_host *host[2];
    struct ho_addr addr[2];
    struct ho_time now;
    struct ho_dur delay;
    bool cut[2]; /* what host i sends is lost */
    struct ho_bufq way[2];
    struct ho_time at[2][HO_PAIR_SENT]; /* when the frames of way[i] arrive, a ring */
    uint32_t first[2];
    struct ho_pair_sent sent[HO_PAIR_SENT];
    size_t n_sent;
};

/* Both hosts up, `ipv6` or not, the processes started. */
void ho_pair_init(struct ho_pair *p, bool ipv6, uint32_t hz);
void ho_pair_done(struct ho_pair *p);

/* Lets the world go on until `until`. */
void ho_pair_run(struct ho_pair *p, struct ho_time until);
void ho_pair_run_for(struct ho_pair *p, struct ho_dur d);

/* Starts `op` in the process of host `i`. Returns true if it is done. */
bool ho_pair_start(struct ho_pair *p, int i, struct ho_op *op);

/* True if the operation has completed. */
bool ho_pair_done_op(const struct ho_op *op);

/* Calls that must be done at once; the result. */
int64_t ho_pair_socket(struct ho_pair *p, int i, bool nonblock);
int64_t ho_pair_listen(struct ho_pair *p, int i, uint16_t port, int backlog);
int64_t ho_pair_set(struct ho_pair *p, int i, int64_t fd, int opt, int64_t value);
int64_t ho_pair_get(struct ho_pair *p, int i, int64_t fd, int opt);
int64_t ho_pair_send(struct ho_pair *p, int i, int64_t fd, const void *buf, size_t len);
int64_t ho_pair_recv(struct ho_pair *p, int i, int64_t fd, void *buf, size_t len);
int64_t ho_pair_close(struct ho_pair *p, int i, int64_t fd);
int64_t ho_pair_shutdown(struct ho_pair *p, int i, int64_t fd, int how);
int64_t ho_pair_poll(struct ho_pair *p, int i,
                     int64_t fd); /* IN, OUT, RDHUP and what comes unasked */

/* A connection from host 0 to `port` of host 1, which listens: the two descriptors. */
void ho_pair_connect(struct ho_pair *p, uint16_t port, int64_t *ret_fd0, int64_t *ret_fd1);

/* The state of a socket, by its descriptor. */
enum ho_tcp_state ho_pair_state(struct ho_pair *p, int i, int64_t fd);

/* How many frames of `kind` host `i` has sent since entry `from` of the record. */
size_t ho_pair_count(const struct ho_pair *p, int i, enum ho_pair_kind kind, size_t from);

/* The state of the neighbour that the other host is to host `i`, or -1. */
int ho_pair_neigh(struct ho_pair *p, int i);

/* A counter of host `i` by its name; fails the test if there is none. */
uint64_t ho_pair_counter(struct ho_pair *p, int i, const char *name);

#endif
