/* A plan of two hosts on a cable, made by hand, and a trace of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "play/frames.h"
#include "support/play_rig.h"
#include "wire/eth.h"
#include "wire/ip.h"

static void host(struct ho_plan_node *n, const char *name, uint8_t last)
{
    *n = (struct ho_plan_node){ .kind = HO_NODE_HOST, .name = name, .profile = "linux-6.18" };
    n->mac = (struct ho_mac){ { 2, 0, 0, 0, last, 0 } };
    n->addr[0] = (struct ho_plan_addr){ ho_addr_v4(10, 0, 0, last), 24, 0 };
    assert_int_equal(ho_addr_parse(&n->addr[1].addr, last == 1 ? "fd00::1" : "fd00::2"), 0);
    n->addr[1].bits = 64;
    n->addr_count = 2;
}

void play_rig_plan(struct play_rig *r)
{
    *r = (struct play_rig){ 0 };
    host(&r->node[CLIENT], "client", 1);
    host(&r->node[SERVER], "server", 2);
    r->cable[0] =
        (struct ho_plan_cable){ .name = "lan", .a = CLIENT, .b = SERVER, .delay = ho_ms(1) };
    r->proc[0] = (struct ho_plan_proc){ CLIENT, "app" };
    r->proc[1] = (struct ho_plan_proc){ SERVER, "db" };
    r->plan = (struct ho_plan){ .name = "rig",
                                .family = HO_FAMILY_V4,
                                .seed = 1,
                                .nodes = r->node,
                                .node_count = 2,
                                .cables = r->cable,
                                .cable_count = 1,
                                .procs = r->proc,
                                .proc_count = 2 };
}

void play_rig_begin(struct play_rig *r, bool any_order)
{
    ho_timeline_init(&r->tl, 0);
    r->tl.any_order = any_order;
    ho_trace_init(&r->tr);
    assert_int_equal(ho_trace_begin(&r->tr, &r->plan, &r->tl), 0);
    r->app = (struct ho_play_proc){ .node = CLIENT, .name = r->tr.proc[0] };
    r->db = (struct ho_play_proc){ .node = SERVER, .name = r->tr.proc[1] };
}

void play_rig_init(struct play_rig *r, bool any_order)
{
    play_rig_plan(r);
    play_rig_begin(r, any_order);
}

void play_rig_free(struct play_rig *r)
{
    assert_int_equal(r->tr.err, 0);
    ho_play_fds_free(&r->app);
    ho_play_fds_free(&r->db);
    ho_trace_destroy(&r->tr);
    ho_timeline_destroy(&r->tl);
}

void play_rig_at(struct play_rig *r, int64_t ms)
{
    r->tr.now = (struct ho_time){ .ns = ms * 1000000 };
}

struct ho_play_tuple play_rig_tuple(const struct play_rig *r, int node)
{
    bool c = node == CLIENT;

    return (struct ho_play_tuple){ r->node[node].addr[0].addr, r->node[1 - node].addr[0].addr,
                                   c ? 40000 : 80, c ? 80 : 40000 };
}

static void packet(struct play_rig *r, const struct ho_wire_ip *ip, const struct ho_wire_eth *eth)
{
    ho_wire_eth_write(eth, r->frame);
    ho_wire_ip_write(ip, r->frame + HO_ETH_HEADER);
    r->len = HO_ETH_HEADER + ho_wire_ip_size(ip) + ip->payload_len;
    assert_true(r->len <= sizeof(r->frame));
}

void play_rig_segment(struct play_rig *r, int node, struct ho_wire_tcp s)
{
    struct ho_play_tuple t = play_rig_tuple(r, node);
    const struct ho_wire_eth eth = { .dst = r->node[1 - node].mac,
                                     .src = r->node[node].mac,
                                     .type = HO_ETH_IPV4 };
    const struct ho_wire_ip ip = {
        .version = 4,
        .src = t.local,
        .dst = t.remote,
        .proto = HO_IP_TCP,
        .ttl = 64,
        .payload_len = (uint16_t)(ho_wire_tcp_size(&s) + s.payload_len),
    };

    s.sport = t.lport;
    s.dport = t.rport;
    memset(r->frame, 0, sizeof(r->frame));
    packet(r, &ip, &eth);
    ho_wire_tcp_write(&s, r->frame + HO_ETH_HEADER + HO_IPV4_HEADER);
}

const struct ho_record *play_rig_sends(struct play_rig *r, int node, struct ho_wire_tcp s)
{
    play_rig_segment(r, node, s);
    assert_int_not_equal(ho_trace_frame_sent(&r->tr, (uint16_t)node, r->frame, r->len), 0);
    return play_rig_last(r);
}

void play_rig_ipv6(struct play_rig *r, const char *src, const char *dst, uint8_t proto,
                   const uint8_t *payload, size_t len)
{
    const struct ho_wire_eth eth = { .dst = r->node[SERVER].mac,
                                     .src = r->node[CLIENT].mac,
                                     .type = HO_ETH_IPV6 };
    struct ho_wire_ip ip = {
        .version = 6, .proto = proto, .ttl = 255, .payload_len = (uint16_t)len
    };

    assert_int_equal(ho_addr_parse(&ip.src, src), 0);
    assert_int_equal(ho_addr_parse(&ip.dst, dst), 0);
    packet(r, &ip, &eth);
    memcpy(r->frame + HO_ETH_HEADER + HO_IPV6_HEADER, payload, len);
}

struct ho_buf *play_rig_buf(const struct play_rig *r, struct ho_bufpool *bufs)
{
    struct ho_buf *b = ho_buf_get(bufs, 0, r->len);

    assert_non_null(b);
    b->len = (uint16_t)r->len;
    memcpy(ho_buf_bytes(b), r->frame, r->len);
    return b;
}

const struct ho_record *play_rig_last(const struct play_rig *r)
{
    assert_true(r->tl.n > 0);
    return &r->tl.rec[r->tl.n - 1];
}
