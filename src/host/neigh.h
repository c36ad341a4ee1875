/* The neighbour table: which MAC an address on a link has, for ARP and neighbour discovery alike.
 *
 * One state machine with Linux's states and times (net/core/neighbour.c's rules, ground-truth A4,
 * B1, B3, B10):
 *
 *     NONE, FAILED --a packet to send--> INCOMPLETE --answer--> REACHABLE
 *     INCOMPLETE --mcast_solicit requests, retrans_time apart--> FAILED
 *     REACHABLE --reachable time without confirmation--> STALE --a packet sent--> DELAY
 *     DELAY --delay_first_probe_time--> REACHABLE if confirmed meanwhile, else PROBE
 *     PROBE --ucast_solicit requests to the old MAC--> FAILED
 *
 * Packets wait only in INCOMPLETE; in every other state but FAILED they leave to the MAC known.
 * Times are counted in jiffies, as Linux counts them.
 */

#ifndef HO_HOST_NEIGH_H
#define HO_HOST_NEIGH_H

#include "base/buf.h"
#include "base/list.h"
#include "base/timerq.h"
#include "host/host.h"

#define HO_NEIGH_MAX 1024 /* gc_thresh3 */
#define HO_NEIGH_KEEP 512 /* gc_thresh2: what a forced collection leaves */
#define HO_NEIGH_BUCKETS 64

struct ho_neigh {
    struct ho_timer timer;
    uint8_t kind;  /* HO_KIND_NEIGH */
    uint8_t state; /* enum ho_nud */
    int8_t nic;
    uint32_t probes;
    struct ho_addr addr;
    struct ho_mac mac;
    uint64_t confirmed_j, used_j, updated_j;
    struct ho_bufq queue;  /* INCOMPLETE: packets that wait, IP header first */
    size_t queue_bytes;    /* what Linux would count for them */
    struct ho_neigh *next; /* in its hash chain */
    struct ho_list all;    /* in order of creation */
    uint64_t serial;       /* the number of creation */
};

struct ho_neigh_table {
    struct ho_pool pool;
    struct ho_neigh *bucket[HO_NEIGH_BUCKETS];
    struct ho_list all;
    uint64_t serial;
};

/* How an answer is taken (Linux: NEIGH_UPDATE_F_*). */
#define HO_NEIGH_OVERRIDE 1u      /* another MAC replaces the one known */
#define HO_NEIGH_WEAK_OVERRIDE 2u /* another MAC is not taken: a REACHABLE entry becomes STALE */
#define HO_NEIGH_ADMIN 4u         /* a person says so: permanent entries too */

static inline bool ho_neigh_connected(const struct ho_neigh *n)
{
    return n->state == HO_NUD_REACHABLE || n->state == HO_NUD_PERMANENT;
}

/* The MAC is known, and packets go to it. */
static inline bool ho_neigh_valid(const struct ho_neigh *n)
{
    return n->state >= HO_NUD_REACHABLE && n->state != HO_NUD_FAILED;
}

void ho_neigh_init(struct ho_host *h);
void ho_neigh_destroy(struct ho_host *h);

/* The entry of `a` on `nic`, or NULL. */
struct ho_neigh *ho_neigh_find(struct ho_host *h, int nic, const struct ho_addr *a);

/* The same, made if there is none; NULL if the table is full or memory exhausted. */
struct ho_neigh *ho_neigh_get(struct ho_host *h, int nic, const struct ho_addr *a);

/* What an answer, a request or a person says about the entry: `mac` and the state that follows
 * from it (REACHABLE, STALE, PERMANENT). Packets that waited are sent.
 */
void ho_neigh_update(struct ho_host *h, struct ho_neigh *n, const struct ho_mac *mac,
                     enum ho_nud state, unsigned how, struct ho_time now);

/* Sends the IP packet to the neighbour, or keeps it until the neighbour has answered. */
void ho_neigh_send(struct ho_host *h, struct ho_neigh *n, struct ho_buf *packet,
                   struct ho_time now);

/* The peer has proved that it hears us (dst_confirm). */
void ho_neigh_confirm(struct ho_host *h, struct ho_neigh *n, struct ho_time now);

void ho_neigh_tick(struct ho_host *h, struct ho_neigh *n, struct ho_time now);

/* The link went down: forgets all entries of `nic` and what waits in them, silently. */
void ho_neigh_flush(struct ho_host *h, int nic);

/* The interface lost its last IPv4 address: the same for IPv4. */
void ho_neigh_flush_v4(struct ho_host *h, int nic);

/* The carrier went: the same, but for permanent entries, and for families whose sysctl
 * (arp_evict_nocarrier, ndisc_evict_nocarrier) is off.
 */
void ho_neigh_evict(struct ho_host *h, int nic);
void ho_neigh_remove(struct ho_host *h, struct ho_neigh *n);

/* The packet that waited leaves its queue, for one reason or another. */
void ho_neigh_unpark(struct ho_host *h, const struct ho_buf *packet);

/* A packet of socket `number` may be waiting somewhere: it no longer belongs to it. */
void ho_neigh_disown(struct ho_host *h, uint32_t number);

#endif
