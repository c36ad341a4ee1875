/* The neighbour table: see neigh.h. The order of events inside one call is Linux's, because the
 * times of the following ones depend on it: a packet is queued before the first request is made
 * (the request takes its source address from it), and an entry is FAILED before the packets in it
 * are answered with ICMP.
 *
 * Sources: RFC 826, RFC 1122 2.3.2, RFC 4861 7.3; Documentation/networking/ip-sysctl.rst, neigh/;
 * ground-truth A4, B1, B3, B10, D.
 */

#include "host/neigh.h"

#include <assert.h>
#include <string.h>

#include "host/machine.h"

#define RAND_REACH_S 300 /* how long a drawn reachable time is used */
#define SKB_OVERHEAD 832 /* what Linux counts for a small packet beside its bytes, about */

static bool is_v4(const struct ho_neigh *n)
{
    return ho_addr_is_v4(&n->addr);
}

/* The sysctl of the entry's family. */
static int64_t knob(const struct ho_host *h, const struct ho_neigh *n, enum ho_sysctl v4,
                    enum ho_sysctl v6)
{
    return h->sys.v[is_v4(n) ? v4 : v6];
}

#define KNOB(h, n, id) knob(h, n, HO_SYSCTL_NEIGH_##id, HO_SYSCTL_NEIGH6_##id)

static uint64_t ms_j(const struct ho_host *h, int64_t ms)
{
    return ho_clk_dur_jiffies(&h->clk, ho_ms(ms));
}

/* a <= b on a counter that may have wrapped. */
static bool upto(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b) <= 0;
}

/* HZ/100 jiffies: no neighbour timer is shorter. */
static uint64_t shortest_j(const struct ho_host *h)
{
    return h->clk.hz == 0 ? 10 : h->clk.hz / 100;
}

static void set_state(struct ho_host *h, struct ho_neigh *n, enum ho_nud state)
{
    if (n->state != state) {
        n->state = (uint8_t)state;
        h->generation++;
    }
}

static void arm(struct ho_host *h, struct ho_neigh *n, uint64_t expires_j, struct ho_time now)
{
    uint64_t now_j = ho_clk_jiffies(&h->clk, now);
    uint64_t delay_j = upto(expires_j, now_j) ? 0 : expires_j - now_j;

    ho_timerq_arm_due(&h->timers, &n->timer,
                      ho_clk_due(&h->clk, now, ho_clk_jiffies_dur(&h->clk, delay_j)));
}

/* Linux: neigh_rand_reach_time(), one value an interface and family, drawn anew every 300 s. Here
 * it is drawn when it is needed first.
 */
static uint64_t reachable_j(struct ho_host *h, const struct ho_neigh *n, uint64_t now_j)
{
    struct ho_nic *nic = &h->nic[n->nic];
    unsigned family = is_v4(n) ? 0 : 1;
    uint64_t base = ms_j(h, KNOB(h, n, BASE_REACHABLE_TIME_MS));

    if (nic->reach[family].held ||
        (nic->reach[family].drawn &&
         upto(now_j, nic->reach[family].drawn_j + ms_j(h, RAND_REACH_S * INT64_C(1000))))) {
        return nic->reach[family].jiffies;
    }
    nic->reach[family].drawn = true;
    nic->reach[family].drawn_j = now_j;
    if (h->next_draw < h->n_draws) {
        nic->reach[family].jiffies = ho_clk_dur_jiffies(&h->clk, ho_ns(h->draw_ns[h->next_draw++]));
    } else {
        nic->reach[family].jiffies = ho_rng_below(&h->rng, base) + base / 2;
    }
    return nic->reach[family].jiffies;
}

/* One request: unicast to the MAC known while in PROBE, else to all (Linux: neigh_probe()). */
static void solicit(struct ho_host *h, struct ho_neigh *n)
{
    const struct ho_buf *last = n->queue.last;
    bool unicast = (int64_t)n->probes < KNOB(h, n, UCAST_SOLICIT);
    struct ho_wire_ip ip;
    const struct ho_addr *src = NULL;
    enum ho_wire_drop why;
    size_t header;

    /* The source of the packet that made us ask, if it is ours (arp_announce=0; RFC 4861 7.2.2). */
    if (last != NULL &&
        ho_wire_ip_read(&ip, &header, last->data + last->head, last->len, &why) == 0 &&
        ho_addr_is_local(h, &ip.src)) {
        src = &ip.src;
    }
    if (is_v4(n)) {
        ho_arp_solicit(h, n, src, unicast);
    } else {
        ho_nd_solicit(h, n, src, unicast);
    }
    n->probes++;
}

static void transmit(struct ho_host *h, const struct ho_neigh *n, struct ho_buf *packet)
{
    struct ho_wire_eth eth = { .dst = n->mac,
                               .src = h->nic[n->nic].mac,
                               .type = is_v4(n) ? HO_ETH_IPV4 : HO_ETH_IPV6 };

    assert(packet->head >= HO_ETH_HEADER);
    packet->head -= HO_ETH_HEADER;
    packet->len += HO_ETH_HEADER;
    ho_wire_eth_write(&eth, ho_buf_bytes(packet));
    ho_nic_send(h, n->nic, packet);
}

static void enqueue(struct ho_host *h, struct ho_neigh *n, struct ho_buf *packet)
{
    size_t max = (size_t)KNOB(h, n, UNRES_QLEN_BYTES);
    size_t size = packet->len + SKB_OVERHEAD;

    while (n->queue.count > 0 && n->queue_bytes + size > max) {
        struct ho_buf *oldest = ho_bufq_shift(&n->queue);

        n->queue_bytes -= oldest->len + SKB_OVERHEAD;
        ho_neigh_unpark(h, oldest);
        ho_machine_drop(h, oldest, HO_HOST_COUNT_NEIGH_DISCARDS);
    }
    n->queue_bytes += size;
    ho_bufq_push(&n->queue, packet);
    if ((packet->user & HO_TCP_OUT_SEQ) != 0 && packet->tag[1] != 0) {
        struct ho_sock *s = ho_slots_at(&h->socks, packet->tag[1] - 1);

        s->flags |= HO_SOCK_PARKED;
        ho_tcp_park(&s->tcp, packet->tag[0], true);
    }
}

static uint64_t retrans_j(const struct ho_host *h, const struct ho_neigh *n)
{
    uint64_t j = ms_j(h, KNOB(h, n, RETRANS_TIME_MS));

    return j > shortest_j(h) ? j : shortest_j(h);
}

/* Linux: __neigh_event_send(). Returns true if the packet may leave now. */
static bool use(struct ho_host *h, struct ho_neigh *n, struct ho_buf *packet, struct ho_time now)
{
    uint64_t now_j = ho_clk_jiffies(&h->clk, now);
    bool ask = false;

    n->used_j = now_j;
    if (n->state == HO_NUD_NONE || n->state == HO_NUD_FAILED) {
        if (KNOB(h, n, MCAST_SOLICIT) + KNOB(h, n, APP_SOLICIT) == 0) {
            set_state(h, n, HO_NUD_FAILED);
            ho_machine_drop(h, packet, HO_HOST_COUNT_NEIGH_FAILED);
            return false;
        }
        n->probes = (uint32_t)KNOB(h, n, UCAST_SOLICIT);
        n->updated_j = now_j;
        set_state(h, n, HO_NUD_INCOMPLETE);
        arm(h, n, now_j + retrans_j(h, n), now);
        ask = true;
    } else if (n->state == HO_NUD_STALE) {
        n->updated_j = now_j;
        set_state(h, n, HO_NUD_DELAY);
        arm(h, n, now_j + ms_j(h, KNOB(h, n, DELAY_FIRST_PROBE_TIME) * 1000), now);
    }
    if (n->state != HO_NUD_INCOMPLETE) {
        return true;
    }
    enqueue(h, n, packet);
    if (ask) {
        solicit(h, n);
    }
    return false;
}

void ho_neigh_send(struct ho_host *h, struct ho_neigh *n, struct ho_buf *packet, struct ho_time now)
{
    /* A reachable entry's use is not noted: Linux sends from the cached header then. */
    if (ho_neigh_connected(n) || use(h, n, packet, now)) {
        transmit(h, n, packet);
    }
}

void ho_neigh_confirm(struct ho_host *h, struct ho_neigh *n, struct ho_time now)
{
    n->confirmed_j = ho_clk_jiffies(&h->clk, now);
}

/* The packets that waited go out, as long as the MAC is known. */
static void release(struct ho_host *h, struct ho_neigh *n, struct ho_time now)
{
    struct ho_buf *p;

    while (ho_neigh_valid(n) && (p = ho_bufq_shift(&n->queue)) != NULL) {
        ho_neigh_unpark(h, p);
        ho_neigh_send(h, n, p, now);
    }
    n->queue_bytes = 0;
}

/* What a new `state` asks of the timer and the clock (the end of Linux's neigh_update()). */
static void enter(struct ho_host *h, struct ho_neigh *n, enum ho_nud state, struct ho_time now)
{
    uint64_t now_j = ho_clk_jiffies(&h->clk, now);

    ho_timerq_cancel(&h->timers, &n->timer);
    if (state == HO_NUD_REACHABLE) {
        arm(h, n, now_j + reachable_j(h, n, now_j), now);
    }
    set_state(h, n, state);
}

void ho_neigh_update(struct ho_host *h, struct ho_neigh *n, const struct ho_mac *mac,
                     enum ho_nud state, unsigned how, struct ho_time now)
{
    uint64_t now_j = ho_clk_jiffies(&h->clk, now);
    enum ho_nud old = (enum ho_nud)n->state;
    bool was_valid = ho_neigh_valid(n);
    bool same = was_valid && ho_mac_eq(mac, &n->mac);

    assert(state == HO_NUD_REACHABLE || state == HO_NUD_STALE || state == HO_NUD_PERMANENT);
    if (old == HO_NUD_PERMANENT && (how & HO_NEIGH_ADMIN) == 0) {
        return;
    }
    if (state != HO_NUD_STALE) {
        n->confirmed_j = now_j;
    }
    if (was_valid && !same && (how & HO_NEIGH_OVERRIDE) == 0) {
        if ((how & HO_NEIGH_WEAK_OVERRIDE) == 0 || !ho_neigh_connected(n)) {
            return;
        }
        mac = &n->mac;
        same = true;
        state = HO_NUD_STALE;
    } else if (same && state == HO_NUD_STALE && (how & HO_NEIGH_ADMIN) == 0) {
        state = old;
    }
    if (state != old || !same) {
        n->updated_j = now_j;
    }
    if (!same) {
        n->mac = *mac;
        h->generation++;
    }
    if (!same && state == HO_NUD_STALE) { /* long unconfirmed */
        n->confirmed_j = now_j - 2 * ms_j(h, KNOB(h, n, BASE_REACHABLE_TIME_MS));
    }
    if (state == old) {
        return;
    }
    enter(h, n, state, now);
    if (!was_valid) {
        release(h, n, now);
    }
}

/* Nobody answers: each packet that waited is answered with "host unreachable", over lo if it was
 * our own (ground-truth A4).
 */
static void fail(struct ho_host *h, struct ho_neigh *n, uint64_t now_j, struct ho_time now)
{
    struct ho_buf *p;

    n->updated_j = now_j;
    set_state(h, n, HO_NUD_FAILED);
    ho_machine_count(h, HO_HOST_COUNT_NEIGH_FAILED);
    while ((p = ho_bufq_shift(&n->queue)) != NULL) {
        ho_neigh_unpark(h, p);
        ho_icmp_error(h, p, HO_ICMP_UNREACHABLE, is_v4(n) ? HO_ICMP4_HOST : HO_ICMP6_ADDR, 0, now);
        ho_buf_put(h->conf.bufs, p);
    }
    n->queue_bytes = 0;
}

/* The REACHABLE and DELAY part of the timer. Returns the jiffy at which to come back. */
static uint64_t age(struct ho_host *h, struct ho_neigh *n, uint64_t now_j)
{
    uint64_t delay = ms_j(h, KNOB(h, n, DELAY_FIRST_PROBE_TIME) * 1000);
    uint64_t reachable = reachable_j(h, n, now_j);

    if (n->state == HO_NUD_REACHABLE) {
        if (upto(now_j, n->confirmed_j + reachable)) {
            return n->confirmed_j + reachable;
        }
        bool in_use = upto(now_j, n->used_j + delay);
        n->updated_j = now_j;
        set_state(h, n, in_use ? HO_NUD_DELAY : HO_NUD_STALE);
        return now_j + delay;
    }
    n->updated_j = now_j;
    if (upto(now_j, n->confirmed_j + delay)) {
        set_state(h, n, HO_NUD_REACHABLE);
        return n->confirmed_j + reachable;
    }
    n->probes = 0;
    set_state(h, n, HO_NUD_PROBE);
    return now_j + retrans_j(h, n);
}

void ho_neigh_tick(struct ho_host *h, struct ho_neigh *n, struct ho_time now)
{
    uint64_t now_j = ho_clk_jiffies(&h->clk, now);
    uint64_t next = now_j + retrans_j(h, n);
    bool was_asking = n->state == HO_NUD_INCOMPLETE || n->state == HO_NUD_PROBE;

    if (!was_asking) {
        next = age(h, n, now_j);
    }
    bool asking = n->state == HO_NUD_INCOMPLETE || n->state == HO_NUD_PROBE;
    int64_t most = KNOB(h, n, UCAST_SOLICIT) + KNOB(h, n, APP_SOLICIT);
    if (n->state == HO_NUD_PROBE) {
        most += KNOB(h, n, MCAST_RESOLICIT);
    } else {
        most += KNOB(h, n, MCAST_SOLICIT);
    }
    if (asking && n->probes >= most) {
        fail(h, n, now_j, now);
        return;
    }
    if (n->state == HO_NUD_STALE) {
        return;
    }
    if (upto(next, now_j + shortest_j(h))) {
        next = now_j + shortest_j(h);
    }
    arm(h, n, next, now);
    if (asking) {
        solicit(h, n);
    }
}
