/* Unit tests of src/link/middlebox.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "link/middlebox.h"
#include "wire/arp.h"
#include "wire/bytes.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/tcp.h"

#define CLIENT 0u /* the port that the client is behind */
#define SERVER 1u

struct rig {
    struct ho_middlebox m;
    struct ho_bufpool bufs;
    bool v6;
};

static void setup(struct rig *r, enum ho_middlebox_mode mode, size_t max_flows)
{
    memset(r, 0, sizeof(*r));
    ho_bufpool_init(&r->bufs, 16);
    assert_int_equal(ho_middlebox_init(&r->m, mode, ho_s(350), max_flows, &r->bufs), 0);
}

static void teardown(struct rig *r)
{
    ho_middlebox_destroy(&r->m);
    assert_int_equal(r->bufs.small.used, 0);
    ho_bufpool_destroy(&r->bufs);
}

static struct ho_time at_s(int64_t s)
{
    return (struct ho_time){ .ns = s * HO_NS_PER_S };
}

static struct ho_addr host(const struct rig *r, uint8_t n)
{
    struct ho_addr a = ho_addr_v4(10, 0, 0, n);

    if (r->v6) {
        assert_int_equal(ho_addr_parse(&a, n == 1 ? "fd00::1" : "fd00::2"), 0);
    }
    return a;
}

/* A frame with the segment `s`, from the side of `port`: client 10.0.0.1, server 10.0.0.2. */
static struct ho_buf *segment(struct rig *r, unsigned port, struct ho_wire_tcp s)
{
    uint8_t from = port == CLIENT ? 1 : 2, to = port == CLIENT ? 2 : 1;
    const struct ho_wire_eth eth = { .dst = { { 2, 0, 0, 0, 0, to } },
                                     .src = { { 2, 0, 0, 0, 0, from } },
                                     .type = r->v6 ? HO_ETH_IPV6 : HO_ETH_IPV4 };
    const struct ho_wire_ip ip = { .version = r->v6 ? 6 : 4,
                                   .src = host(r, from),
                                   .dst = host(r, to),
                                   .proto = HO_IP_TCP,
                                   .ttl = 64,
                                   .payload_len = (uint16_t)(20 + s.payload_len) };
    size_t ip_size = ho_wire_ip_size(&ip);
    struct ho_buf *b = ho_buf_get(&r->bufs, 0, HO_ETH_HEADER + ip_size + ip.payload_len);

    assert_non_null(b);
    b->len = (uint16_t)(HO_ETH_HEADER + ip_size + ip.payload_len);
    b->tag[0] = 77;
    memset(ho_buf_bytes(b), 0, b->len);
    ho_wire_eth_write(&eth, ho_buf_bytes(b));
    ho_wire_ip_write(&ip, ho_buf_bytes(b) + HO_ETH_HEADER);
    s.sport = port == CLIENT ? 40000 : 5000;
    s.dport = port == CLIENT ? 5000 : 40000;
    ho_wire_tcp_write(&s, ho_buf_bytes(b) + HO_ETH_HEADER + ip_size);
    return b;
}

/* Such a segment with these flags, and what becomes of it; a frame that passes must come out at the
 * other port.
 */
static enum ho_fate pass(struct rig *r, unsigned port, uint8_t flags, int64_t s)
{
    struct ho_buf *in = segment(r, port, (struct ho_wire_tcp){ .flags = flags });
    enum ho_fate fate = ho_middlebox_input(&r->m, port, in, at_s(s));
    unsigned out_port;
    struct ho_buf *out = ho_middlebox_output(&r->m, &out_port);

    if (fate == HO_FATE_FWD) {
        assert_ptr_equal(out, in);
        assert_int_equal(out_port, 1 - port);
        ho_buf_put(&r->bufs, out);
    } else {
        assert_null(out);
    }
    assert_null(ho_middlebox_output(&r->m, &out_port));
    return fate;
}

static void handshake(struct rig *r, int64_t s)
{
    assert_int_equal(pass(r, CLIENT, HO_TCP_SYN, s), HO_FATE_FWD);
    assert_int_equal(pass(r, SERVER, HO_TCP_SYN | HO_TCP_ACK, s), HO_FATE_FWD);
    assert_int_equal(pass(r, CLIENT, HO_TCP_ACK, s), HO_FATE_FWD);
}

static void only_a_syn_makes_a_flow(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, HO_MIDDLEBOX_DROP, 8);

    assert_int_equal(pass(&r, CLIENT, HO_TCP_ACK, 0), HO_FATE_LOST);
    assert_int_equal(pass(&r, SERVER, HO_TCP_SYN | HO_TCP_ACK, 0), HO_FATE_LOST);
    assert_int_equal(pass(&r, CLIENT, HO_TCP_RST, 0), HO_FATE_LOST);
    assert_int_equal(ho_middlebox_flows(&r.m), 0);
    assert_int_equal(r.m.count.dropped, 3);
    handshake(&r, 1);
    assert_int_equal(ho_middlebox_flows(&r.m), 1);
    teardown(&r);
}

static void segments_from_either_side_keep_a_flow_alive(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, HO_MIDDLEBOX_DROP, 8);

    handshake(&r, 0);
    assert_int_equal(pass(&r, CLIENT, HO_TCP_ACK, 349), HO_FATE_FWD);
    assert_int_equal(pass(&r, SERVER, HO_TCP_ACK, 698), HO_FATE_FWD);
    assert_int_equal(ho_middlebox_deadline(&r.m).ns, at_s(698 + 350).ns);
    assert_int_equal(pass(&r, CLIENT, HO_TCP_ACK, 1047), HO_FATE_FWD);
    assert_int_equal(r.m.count.forgotten, 0);
    teardown(&r);
}

static void idle_flow_is_forgotten_and_dropped_silently_both_ways(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, HO_MIDDLEBOX_DROP, 8);

    handshake(&r, 0);
    assert_int_equal(pass(&r, CLIENT, HO_TCP_ACK, 350), HO_FATE_LOST);
    assert_int_equal(pass(&r, SERVER, HO_TCP_ACK, 351), HO_FATE_LOST);
    assert_int_equal(r.m.count.forgotten, 1);
    assert_int_equal(r.m.count.dropped, 2);
    handshake(&r, 400); /* a new connection on the same ports */
    assert_int_equal(r.m.count.flows, 2);
    teardown(&r);
}

static void tick_forgets_at_the_deadline_and_not_before(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, HO_MIDDLEBOX_DROP, 8);

    assert_int_equal(ho_middlebox_deadline(&r.m).ns, HO_NEVER.ns);
    handshake(&r, 5);
    assert_int_equal(ho_middlebox_deadline(&r.m).ns, at_s(355).ns);
    assert_int_equal(ho_middlebox_tick(&r.m, (struct ho_time){ at_s(355).ns - 1 }), 0);
    assert_int_equal(ho_middlebox_tick(&r.m, at_s(355)), 1);
    assert_int_equal(ho_middlebox_flows(&r.m), 0);
    teardown(&r);
}

/* What comes back to `port` for the segment `s` without a flow, read and checked. */
static struct ho_wire_tcp answer(struct rig *r, unsigned port, struct ho_wire_tcp s)
{
    struct ho_wire_ip ip;
    struct ho_wire_tcp rst;
    struct ho_wire_eth eth;
    enum ho_wire_drop why;
    size_t header, tcp_header;
    unsigned out_port;

    assert_int_equal(ho_middlebox_input(&r->m, port, segment(r, port, s), at_s(1000)),
                     HO_FATE_LOST);
    struct ho_buf *b = ho_middlebox_output(&r->m, &out_port);
    assert_non_null(b);
    assert_int_equal(out_port, port);
    assert_int_equal(b->tag[0], 0);

    const uint8_t *bytes = ho_buf_bytes(b);
    assert_int_equal(ho_wire_eth_read(&eth, bytes, b->len), 0);
    assert_int_equal(eth.dst.b[5], port == CLIENT ? 1 : 2);
    assert_int_equal(eth.src.b[5], port == CLIENT ? 2 : 1);
    assert_int_equal(ho_wire_ip_read(&ip, &header, bytes + 14, b->len - 14u, &why), 0);
    assert_int_equal(header + ip.payload_len + 14, b->len);
    bytes += 14 + header;
    assert_int_equal(ho_wire_tcp_read(&rst, &tcp_header, bytes, ip.payload_len), 0);
    assert_int_equal(ho_wire_tcp_checksum(&ip.src, &ip.dst, bytes, ip.payload_len), 0);
    assert_int_equal(rst.sport, port == CLIENT ? 5000 : 40000);
    assert_int_equal(rst.dport, port == CLIENT ? 40000 : 5000);
    ho_buf_put(&r->bufs, b);
    return rst;
}

/* RFC 9293 3.10.7.1: with ACK, RST at the number the sender acknowledges; without, RST,ACK. */
static void mode_rst_answers_whichever_side_comes_first(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, HO_MIDDLEBOX_RST, 8);

    for (int v6 = 0; v6 <= 1; v6++) {
        r.v6 = v6 == 1;
        struct ho_wire_tcp rst = answer(
            &r, CLIENT,
            (struct ho_wire_tcp){
                .flags = HO_TCP_ACK | HO_TCP_PSH, .seq = 100, .ack = 5555, .payload_len = 10 });
        assert_int_equal(rst.flags, HO_TCP_RST);
        assert_int_equal(rst.seq, 5555);

        rst = answer(
            &r, SERVER,
            (struct ho_wire_tcp){ .flags = HO_TCP_FIN, .seq = 0xfffffffa, .payload_len = 10 });
        assert_int_equal(rst.flags, HO_TCP_RST | HO_TCP_ACK);
        assert_int_equal(rst.seq, 0);
        assert_int_equal(rst.ack, 5); /* 10 bytes and the FIN, around the circle */
    }
    assert_int_equal(r.m.count.answered, 4);
    teardown(&r);
}

static void rst_is_not_answered_with_rst(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, HO_MIDDLEBOX_RST, 8);

    assert_int_equal(pass(&r, CLIENT, HO_TCP_RST | HO_TCP_ACK, 0), HO_FATE_LOST);
    assert_int_equal(r.m.count.dropped, 1);
    assert_int_equal(r.m.count.answered, 0);
    teardown(&r);
}

static void rst_that_passes_ends_its_flow(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, HO_MIDDLEBOX_DROP, 8);

    handshake(&r, 0);
    assert_int_equal(pass(&r, SERVER, HO_TCP_RST, 1), HO_FATE_FWD);
    assert_int_equal(ho_middlebox_flows(&r.m), 0);
    assert_int_equal(r.m.count.reset, 1);
    assert_int_equal(pass(&r, CLIENT, HO_TCP_ACK, 1), HO_FATE_LOST);
    teardown(&r);
}

static void arp_passes_whatever_the_table_says(void **state)
{
    (void)state;
    struct rig r;
    unsigned port = 9;
    setup(&r, HO_MIDDLEBOX_DROP, 8);
    const struct ho_wire_eth eth = { .dst = HO_MAC_BROADCAST, .type = HO_ETH_ARP };
    const struct ho_wire_arp arp = { .sender = ho_addr_v4(10, 0, 0, 1) };
    struct ho_buf *b = ho_buf_get(&r.bufs, 0, 42);

    ho_wire_eth_write(&eth, ho_buf_bytes(b));
    ho_wire_arp_write(&arp, ho_buf_bytes(b) + 14);
    b->len = 42;
    assert_int_equal(ho_middlebox_input(&r.m, SERVER, b, at_s(0)), HO_FATE_FWD);
    assert_ptr_equal(ho_middlebox_output(&r.m, &port), b);
    assert_int_equal(port, CLIENT);
    assert_int_equal(r.m.count.passed_other, 1);
    ho_buf_put(&r.bufs, b);
    teardown(&r);
}

static void full_table_drops_new_connections_and_keeps_the_old(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, HO_MIDDLEBOX_DROP, 1);

    handshake(&r, 0);
    r.v6 = true; /* another connection */
    assert_int_equal(pass(&r, CLIENT, HO_TCP_SYN, 1), HO_FATE_LOST);
    assert_int_equal(r.m.count.table_full, 1);
    r.v6 = false;
    assert_int_equal(pass(&r, SERVER, HO_TCP_ACK, 2), HO_FATE_FWD);
    r.v6 = true;
    assert_int_equal(pass(&r, CLIENT, HO_TCP_SYN, 352), HO_FATE_FWD); /* forgot the old */
    teardown(&r);
}

/* Flows are forgotten in the order of their last segments, not of their SYNs. */
static void flow_that_talked_last_is_forgotten_last(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, HO_MIDDLEBOX_DROP, 8);

    handshake(&r, 0);
    r.v6 = true;
    handshake(&r, 10);
    r.v6 = false;
    assert_int_equal(pass(&r, CLIENT, HO_TCP_ACK, 20), HO_FATE_FWD);
    assert_int_equal(ho_middlebox_deadline(&r.m).ns, at_s(360).ns);
    assert_int_equal(ho_middlebox_tick(&r.m, at_s(360)), 1);
    assert_int_equal(pass(&r, CLIENT, HO_TCP_ACK, 361), HO_FATE_FWD);
    r.v6 = true;
    assert_int_equal(pass(&r, CLIENT, HO_TCP_ACK, 361), HO_FATE_LOST);
    teardown(&r);
}

static void many_flows_are_told_apart(void **state)
{
    (void)state;
    struct rig r;
    unsigned port;
    setup(&r, HO_MIDDLEBOX_DROP, 1000);

    for (unsigned n = 0; n < 1000; n++) {
        struct ho_buf *b = segment(&r, CLIENT, (struct ho_wire_tcp){ .flags = HO_TCP_SYN });

        ho_put16(ho_buf_bytes(b) + 34, 1024 + n);
        assert_int_equal(ho_middlebox_input(&r.m, CLIENT, b, at_s(n)), HO_FATE_FWD);
        ho_buf_put(&r.bufs, ho_middlebox_output(&r.m, &port));
    }
    assert_int_equal(r.m.count.flows, 1000);
    assert_int_equal(ho_middlebox_flows(&r.m), 350); /* those of the last 350 s */
    for (unsigned n = 0; n < 1000; n++) {
        struct ho_buf *b = segment(&r, SERVER, (struct ho_wire_tcp){ .flags = HO_TCP_ACK });

        ho_put16(ho_buf_bytes(b) + 36, 1024 + n);
        assert_int_equal(ho_middlebox_input(&r.m, SERVER, b, at_s(999)),
                         n < 650 ? HO_FATE_LOST : HO_FATE_FWD);
        ho_buf_put(&r.bufs, ho_middlebox_output(&r.m, &port));
    }
    teardown(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_syn_makes_a_flow),
        cmocka_unit_test(segments_from_either_side_keep_a_flow_alive),
        cmocka_unit_test(idle_flow_is_forgotten_and_dropped_silently_both_ways),
        cmocka_unit_test(tick_forgets_at_the_deadline_and_not_before),
        cmocka_unit_test(mode_rst_answers_whichever_side_comes_first),
        cmocka_unit_test(rst_is_not_answered_with_rst),
        cmocka_unit_test(rst_that_passes_ends_its_flow),
        cmocka_unit_test(arp_passes_whatever_the_table_says),
        cmocka_unit_test(full_table_drops_new_connections_and_keeps_the_old),
        cmocka_unit_test(flow_that_talked_last_is_forgotten_last),
        cmocka_unit_test(many_flows_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
