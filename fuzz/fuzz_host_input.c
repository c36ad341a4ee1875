/* A host with a listener, connections and a router's job, against a wire that sends what it likes,
 * processes that call what they like, verbs, and time that passes: the tables stay consistent and
 * every frame that leaves is well-formed.
 *
 * Input: steps, each a byte and its arguments. Segments are addressed to known four-tuples and
 * their numbers are offsets from those that the host has sent, so that many get far.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "host/machine.h"
#include "knobs/sockopt.h"
#include "wire/arp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS 300
#define OPS 24
#define PORT 80

static const struct ho_mac own_mac = { { 2, 0, 0, 0, 0, 1 } };
static const struct ho_mac peer_mac = { { 2, 0, 0, 0, 0, 2 } };

struct world {
    const uint8_t *at, *end;
    struct ho_bufpool bufs;
    struct ho_host *h;
    struct ho_time now;
    uint32_t pid;
    struct ho_addr own[2], peer[2]; /* IPv4, IPv6 */
    uint32_t seq, ack;              /* as the last segment out says: what would be right */
    uint16_t sport, dport;          /* likewise */
    struct ho_op op[OPS];
    bool pending[OPS];
    uint8_t bytes[4096];
    struct ho_epoll_event events[4];
    struct ho_sock_info info;
};

static uint8_t u8(struct world *w)
{
    return w->at < w->end ? *w->at++ : 0;
}

/* A small number to add to a sequence number: -128 to 127. */
static uint32_t near(struct world *w)
{
    uint8_t u = u8(w);

    return u < 128 ? u : u - UINT32_C(256);
}

static uint16_t u16(struct world *w)
{
    uint8_t high = u8(w);

    return (uint16_t)(high << 8 | u8(w));
}

/* ---- what must hold after every step ---- */

static void check_hashed(struct ho_host *h, const struct ho_tcp_path *path, uint16_t lport,
                         uint16_t rport, uint32_t ref)
{
    const struct ho_way *way = ho_way_find(h, &path->local, &path->remote);

    assert(way != NULL && &way->path == path);
    assert(ho_demux_find(h, way, lport, rport) == ref);
}

/* Counts what the tables should say, from the objects themselves. */
struct tally {
    uint32_t hashed, bound, orphans, exts, refs, listeners;
};

static void tally_socks(struct ho_host *h, struct tally *t)
{
    for (uint32_t i = 0; i < h->socks.top; i++) {
        const struct ho_sock *s = ho_slots_at(&h->socks, i);

        if (s->kind == HO_KIND_FREE) {
            continue;
        }
        assert(ho_sock_number(h, s) == i);
        t->bound += (s->flags & HO_SOCK_BOUND) != 0;
        t->orphans += (s->flags & HO_SOCK_ORPHAN) != 0;
        t->exts += (s->flags & HO_SOCK_EXT) != 0;
        t->listeners += s->kind == HO_KIND_LISTEN;
        if (s->kind == HO_KIND_CONN) {
            t->refs++;
            if ((s->flags & HO_SOCK_HASHED) != 0) {
                t->hashed++;
                check_hashed(h, s->tcp.path, s->tcp.lport, s->tcp.rport, HO_REF_SOCK | i);
            }
            struct ho_time at = ho_tcp_deadline(&s->tcp);
            assert(ho_timer_armed(&s->timer) == (at.ns != HO_NEVER.ns));
        }
    }
}

static void check(struct world *w)
{
    struct ho_host *h = w->h;
    struct tally t = { 0 };
    uint32_t ports = 0, refs = 0;

    tally_socks(h, &t);
    for (uint32_t i = 0; i < h->reqs.top; i++) {
        const struct ho_req *r = ho_slots_at(&h->reqs, i);

        if (r->kind == HO_KIND_REQ) {
            t.hashed++;
            t.refs++;
            check_hashed(h, r->r.path, r->r.lport, r->r.rport, HO_REF_REQ | i);
            assert(ho_timer_armed(&r->timer));
        }
    }
    for (uint32_t i = 0; i < h->tws.top; i++) {
        const struct ho_tw *tw = ho_slots_at(&h->tws, i);

        if (tw->kind == HO_KIND_TW) {
            t.hashed++;
            t.refs++;
            t.bound += (tw->flags & HO_SOCK_BOUND) != 0;
            check_hashed(h, tw->t.path, tw->t.lport, tw->t.rport, HO_REF_TW | i);
            assert(ho_timer_armed(&tw->timer));
        }
    }
    for (uint32_t i = 0; i < h->ports.top; i++) {
        const struct ho_port *p = ho_slots_at(&h->ports, i);

        ports += p->total;
        assert(p->no_reuse <= p->total && p->not_picked <= p->total && p->listening <= p->total);
    }
    for (uint32_t i = 0; i < h->ways.top; i++) {
        refs += ((struct ho_way *)ho_slots_at(&h->ways, i))->path.refs;
    }
    assert(h->demux_used == t.hashed && h->orphans == t.orphans && h->exts.used == t.exts);
    assert(ports == t.bound && refs == t.refs && h->listeners.used == t.listeners);
    assert(h->lo.count == 0);
}

/* ---- what leaves ---- */

static void drain(struct world *w)
{
    struct ho_buf *b;
    struct ho_op *op;
    int nic;

    while ((b = ho_host_output(w->h, &nic, w->now)) != NULL) {
        struct ho_wire_eth eth;
        struct ho_wire_ip ip;
        struct ho_wire_tcp seg;
        enum ho_wire_drop why;
        size_t header, tcp_header;
        const uint8_t *at = ho_buf_bytes(b) + HO_ETH_HEADER;

        assert(nic == 0 && ho_wire_eth_read(&eth, ho_buf_bytes(b), b->len) == 0);
        if (eth.type != HO_ETH_ARP) {
            int err = ho_wire_ip_read(&ip, &header, at, b->len - (size_t)HO_ETH_HEADER, &why);
            assert(err == 0);
            if (ip.proto == HO_IP_TCP && ho_mac_eq(&eth.src, &own_mac) && ip.ttl == 64) {
                assert(ho_wire_tcp_checksum(&ip.src, &ip.dst, at + header, ip.payload_len) == 0);
                err = ho_wire_tcp_read(&seg, &tcp_header, at + header, ip.payload_len);
                assert(err == 0);
                w->ack = seg.seq + seg.payload_len + ((seg.flags & HO_TCP_SYN) != 0);
                w->seq = seg.ack;
                w->sport = seg.dport;
                w->dport = seg.sport;
            }
        }
        ho_buf_put(&w->bufs, b);
    }
    while ((op = ho_host_completed(w->h)) != NULL) {
        size_t i = (size_t)(op - w->op);

        assert(i < OPS && w->pending[i]);
        w->pending[i] = false;
    }
}

/* ---- what comes in ---- */

static void input(struct world *w, const void *packet, size_t len, uint16_t type, struct ho_mac dst)
{
    struct ho_buf *b = ho_buf_get(&w->bufs, 0, HO_ETH_HEADER + len);
    struct ho_wire_eth eth = { .dst = dst, .src = peer_mac, .type = type };

    assert(b != NULL);
    ho_wire_eth_write(&eth, ho_buf_bytes(b));
    memcpy(ho_buf_bytes(b) + HO_ETH_HEADER, packet, len);
    b->len = (uint16_t)(HO_ETH_HEADER + len);
    ho_host_input(w->h, 0, b, w->now);
}

static void input_ip(struct world *w, bool v6, uint8_t proto, uint8_t ttl, const uint8_t *payload,
                     size_t len)
{
    uint8_t packet[1600];
    struct ho_wire_ip ip = { .src = w->peer[v6],
                             .dst = w->own[v6],
                             .version = v6 ? 6 : 4,
                             .proto = proto,
                             .ttl = ttl,
                             .dont_fragment = true,
                             .payload_len = (uint16_t)len };

    ho_wire_ip_write(&ip, packet);
    memcpy(packet + ho_wire_ip_size(&ip), payload, len);
    input(w, packet, ho_wire_ip_size(&ip) + len, v6 ? HO_ETH_IPV6 : HO_ETH_IPV4, own_mac);
}

static void raw_frame(struct world *w)
{
    uint8_t packet[256];
    size_t len = u8(w);
    static const uint16_t type[4] = { HO_ETH_IPV4, HO_ETH_ARP, HO_ETH_IPV6, 0x88cc };
    uint8_t how = u8(w);

    for (size_t i = 0; i < len; i++) {
        packet[i] = u8(w);
    }
    input(w, packet, len, type[how & 3], (how & 4) != 0 ? HO_MAC_BROADCAST : own_mac);
}

static void segment(struct world *w)
{
    uint8_t bytes[HO_TCP_HEADER_MAX + 256];
    uint8_t how = u8(w);
    bool v6 = (how & 1) != 0;
    struct ho_wire_tcp seg = { .sport = w->sport, .dport = w->dport, .flags = u8(w) };

    if ((how & 2) != 0) {
        seg.sport = (uint16_t)(1000 + (how >> 2 & 3));
        seg.dport = PORT;
    }
    seg.seq = w->seq + near(w);
    seg.ack = w->ack + near(w);
    seg.window = u16(w);
    seg.has_ts = (how & 16) != 0;
    seg.ts_val = (uint32_t)(w->now.ns / 1000000);
    seg.has_mss = seg.sack_ok = (how & 32) != 0;
    seg.mss = 1000;
    seg.payload_len = (how & 64) != 0 ? u8(w) : 0;
    size_t header = ho_wire_tcp_size(&seg), len = header + seg.payload_len;
    memset(bytes, 'p', sizeof(bytes));
    ho_wire_tcp_write(&seg, bytes);
    uint16_t sum = ho_wire_tcp_checksum(&w->peer[v6], &w->own[v6], bytes, len);
    bytes[16] = (uint8_t)(sum >> 8);
    bytes[17] = (uint8_t)sum;
    input_ip(w, v6, HO_IP_TCP, 63, bytes, len);
}

static void arp(struct world *w)
{
    uint8_t how = u8(w), packet[HO_ARP_SIZE];
    struct ho_wire_arp a = { .reply = (how & 1) != 0,
                             .sender_mac = peer_mac,
                             .sender = ho_addr_v4(10, 0, 0, (uint8_t)(how >> 4)),
                             .target = w->own[0] };

    a.sender_mac.b[5] = (uint8_t)(2 + (how >> 1 & 3));
    ho_wire_arp_write(&a, packet);
    input(w, packet, sizeof(packet), HO_ETH_ARP, (how & 8) != 0 ? HO_MAC_BROADCAST : own_mac);
}

/* An error about a segment of ours, or neighbour discovery, or an echo. */
static void icmp(struct world *w)
{
    static const enum ho_icmp_kind kind[] = { HO_ICMP_ECHO,          HO_ICMP_UNREACHABLE,
                                              HO_ICMP_TOO_BIG,       HO_ICMP_TIME_EXCEEDED,
                                              HO_ICMP_NEIGH_SOLICIT, HO_ICMP_NEIGH_ADVERT };
    uint8_t bytes[256], quoted[HO_IPV6_HEADER + HO_TCP_HEADER];
    uint8_t how = u8(w);
    bool v6 = (how & 1) != 0;
    struct ho_wire_ip ip = { .src = w->own[v6],
                             .dst = w->peer[v6],
                             .version = v6 ? 6 : 4,
                             .proto = HO_IP_TCP,
                             .ttl = 60,
                             .payload_len = HO_TCP_HEADER };
    struct ho_wire_tcp seg = { .sport = w->dport, .dport = w->sport, .seq = w->ack + near(w) };
    struct ho_wire_icmp m = { .kind = kind[(how >> 1) % 6],
                              .code = u8(w) & 15,
                              .mtu = 1280,
                              .target = (how & 128) != 0 ? w->own[1] : w->peer[1],
                              .solicited = (how & 64) != 0,
                              .override = (how & 32) != 0,
                              .has_mac = (how & 16) != 0,
                              .mac = peer_mac };

    if (!v6 && (m.kind == HO_ICMP_NEIGH_SOLICIT || m.kind == HO_ICMP_NEIGH_ADVERT)) {
        return;
    }
    ho_wire_ip_write(&ip, quoted);
    ho_wire_tcp_write(&seg, quoted + ho_wire_ip_size(&ip));
    m.body = quoted;
    m.body_len = ho_wire_ip_size(&ip) + HO_TCP_HEADER;
    ho_wire_icmp_write(&m, &w->peer[v6], &w->own[v6], bytes);
    input_ip(w, v6, v6 ? HO_IP_ICMPV6 : HO_IP_ICMP, 255, bytes, ho_wire_icmp_size(&m));
}

/* ---- processes, time, verbs ---- */

static void start_op(struct world *w)
{
    size_t i = u8(w) % OPS;
    uint8_t how = u8(w);
    struct ho_op *op = &w->op[i];

    if (w->pending[i]) {
        ho_host_cancel(w->h, op);
        w->pending[i] = false;
        return;
    }
    *op = (struct ho_op){ .kind = (enum ho_op_kind)(how % HO_OP_COUNT),
                          .fd = (int)(u8(w) % 12),
                          .target = (int)(u8(w) % 12),
                          .arg = (int)(int8_t)u8(w),
                          .buf = w->bytes,
                          .forever = (how & 128) != 0,
                          .info = &w->info };
    op->addr = op->kind == HO_OP_BIND ? w->own[how >> 6 & 1] : w->peer[how >> 6 & 1];
    op->port = op->kind == HO_OP_CONNECT ? (uint16_t)(1000 + (op->target & 3)) : PORT;
    op->len = op->kind == HO_OP_EPOLL_WAIT ? 4 : (size_t)op->target * 300;
    op->buf = op->kind == HO_OP_EPOLL_WAIT ? (void *)w->events : w->bytes;
    op->events = (uint32_t)op->arg;
    op->flags = (how & 32) != 0 ? HO_MSG_DONTWAIT : 0;
    op->timeout = ho_ms(op->arg < 0 ? 0 : op->arg * 10);
    op->opt = op->arg < 0 ? -op->arg : op->arg;
    op->value[0] = (how & 64) != 0;
    op->value[1] = op->target;
    if (op->kind == HO_OP_EPOLL_CTL) {
        op->arg = 1 + (op->arg & 3);
    }
    w->pending[i] = ho_host_start(w->h, w->pid, op, w->now) == HO_OP_PENDING;
}

static void pass_time(struct world *w)
{
    uint8_t how = u8(w);
    struct ho_time until = ho_time_add(w->now, ho_ms((how & 128) != 0 ? (how & 127) * 1000 : how));

    for (int i = 0; i < 200 && !ho_time_before(until, ho_host_deadline(w->h)); i++) {
        struct ho_time at = ho_host_deadline(w->h);

        w->now = ho_time_before(at, w->now) ? w->now : at;
        ho_host_tick(w->h, w->now);
        drain(w);
    }
    w->now = ho_time_before(w->now, until) ? until : w->now;
    ho_host_tick(w->h, w->now);
}

/* A process that is gone completes nothing. */
static void respawn(struct world *w)
{
    memset(w->pending, 0, sizeof(w->pending));
    int pid = ho_host_spawn(w->h, "again");
    assert(pid > 0);
    w->pid = (uint32_t)pid;
}

static void verb(struct world *w)
{
    uint8_t how = u8(w);
    int nic = (how & 128) != 0 ? HO_NIC_LO : 0;

    switch (how % 10) {
    case 0:
    case 1:
        ho_host_carrier(w->h, 0, (how & 64) != 0, -1, w->now);
        break;
    case 2:
        ho_host_link(w->h, nic, (how & 64) != 0, w->now);
        break;
    case 3:
        ho_host_addr_del(w->h, 0, &w->own[how >> 6 & 1], w->now);
        break;
    case 4:
        ho_host_addr_add(w->h, 0, &w->own[how >> 6 & 1], (how & 64) != 0 ? 64 : 24, w->now);
        break;
    case 5:
        ho_host_neigh_add(w->h, 0, &w->peer[how >> 6 & 1], peer_mac, w->now);
        break;
    case 6:
        ho_host_neigh_del(w->h, 0, &w->peer[how >> 6 & 1], w->now);
        break;
    case 7:
        ho_host_forwarding(w->h, (how & 64) != 0);
        break;
    case 8:
        ho_host_kill(w->h, w->pid, w->now);
        respawn(w);
        break;
    default:
        ho_host_power_off(w->h, w->now);
        ho_host_boot(w->h, w->now);
        respawn(w);
        break;
    }
}

/* Descriptor 3 listens; a peer's handshake is up to the input. */
static void begin(struct world *w)
{
    struct ho_host_conf conf = {
        .name = "h", .clk = { .hz = 250 }, .seed = 1, .bufs = &w->bufs, .max_sockets = 12
    };

    ho_bufpool_init(&w->bufs, 2000);
    int err = ho_host_new(&w->h, &conf);
    assert(err == 0);
    err = ho_host_add_nic(w->h, "eth0", own_mac, 1500);
    assert(err == 0);
    for (int v6 = 0; v6 < 2; v6++) {
        w->own[v6] =
            v6 != 0 ? (struct ho_addr){ .b = { 0xfd, [15] = 1 } } : ho_addr_v4(10, 0, 0, 1);
        w->peer[v6] = w->own[v6];
        w->peer[v6].b[15] = 2;
        ho_host_addr_add(w->h, 0, &w->own[v6], v6 != 0 ? 64 : 24, w->now);
    }
    ho_host_boot(w->h, w->now);
    respawn(w);
    struct ho_op op = { .kind = HO_OP_SOCKET };
    ho_host_start(w->h, w->pid, &op, w->now);
    op = (struct ho_op){ .kind = HO_OP_BIND, .fd = 3, .port = PORT };
    ho_host_start(w->h, w->pid, &op, w->now);
    op = (struct ho_op){ .kind = HO_OP_LISTEN, .fd = 3, .arg = 2 };
    ho_host_start(w->h, w->pid, &op, w->now);
    assert(op.ret == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    w.at = data;
    w.end = data + size;
    begin(&w);
    for (int i = 0; i < STEPS && w.at < w.end; i++) {
        switch (u8(&w) % 8) {
        case 0:
            raw_frame(&w);
            break;
        case 1:
        case 2:
            segment(&w);
            break;
        case 3:
            arp(&w);
            break;
        case 4:
            icmp(&w);
            break;
        case 5:
            start_op(&w);
            break;
        case 6:
            pass_time(&w);
            break;
        default:
            verb(&w);
            break;
        }
        drain(&w);
        check(&w);
    }
    ho_host_free(w.h);
    assert(w.bufs.small.used == 0 && w.bufs.large.used == 0);
    ho_bufpool_destroy(&w.bufs);
    return 0;
}
