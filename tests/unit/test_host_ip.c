/* One host with two interfaces, frames made by hand: what it takes, answers, forwards and drops
 * (RFC 1122, RFC 1812, RFC 4443, RFC 4861; ip-sysctl.rst icmp_ratelimit).
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/host.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/tcp.h"

static struct ho_bufpool bufs;
static struct ho_host *h;
static struct ho_time now;

static const struct ho_mac nic_mac[2] = { { { 2, 0, 0, 0, 0, 0x10 } },
                                          { { 2, 0, 0, 0, 0, 0x20 } } };
static const struct ho_mac peer_mac = { { 2, 0, 0, 0, 0, 0x99 } };

static struct ho_addr v4(uint8_t c, uint8_t d)
{
    return ho_addr_v4(10, 0, c, d);
}

static struct ho_addr v6(uint8_t c, uint8_t d)
{
    return (struct ho_addr){ .b = { 0xfd, [7] = c, [15] = d } };
}

static int setup(void **state)
{
    struct ho_host_conf conf = {
        .name = "r", .clk = { .hz = 250 }, .seed = 7, .bufs = &bufs, .max_sockets = 10
    };

    (void)state;
    now = (struct ho_time){ 0 };
    ho_bufpool_init(&bufs, 10000);
    assert_int_equal(ho_host_new(&h, &conf), 0);
    for (uint8_t i = 0; i < 2; i++) {
        struct ho_addr a = v4(i, 1), b = v6(i, 1);

        assert_int_equal(ho_host_add_nic(h, i == 0 ? "eth0" : "eth1", nic_mac[i], 1500), i);
        assert_int_equal(ho_host_addr_add(h, i, &a, 24, now), 0);
        assert_int_equal(ho_host_addr_add(h, i, &b, 64, now), 0);
    }
    ho_host_boot(h, now);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ho_host_free(h);
    assert_int_equal(bufs.small.used + bufs.large.used, 0);
    ho_bufpool_destroy(&bufs);
    return 0;
}

/* A frame with `ip` and a payload, to the MAC `to`, into interface 0. */
static void inject(struct ho_mac to, struct ho_wire_ip ip, const void *payload, size_t len)
{
    struct ho_buf *b = ho_buf_get(&bufs, 0, HO_ETH_HEADER + HO_IPV6_HEADER + len);
    struct ho_wire_eth eth = { .dst = to,
                               .src = peer_mac,
                               .type = ip.version == 4 ? HO_ETH_IPV4 : HO_ETH_IPV6 };

    assert_non_null(b);
    ip.payload_len = (uint16_t)len;
    ip.dont_fragment = true;
    ho_wire_eth_write(&eth, ho_buf_bytes(b));
    ho_wire_ip_write(&ip, ho_buf_bytes(b) + HO_ETH_HEADER);
    memcpy(ho_buf_bytes(b) + HO_ETH_HEADER + ho_wire_ip_size(&ip), payload, len);
    b->len = (uint16_t)(HO_ETH_HEADER + ho_wire_ip_size(&ip) + len);
    ho_host_input(h, 0, b, now);
}

static struct ho_wire_ip header(struct ho_addr src, struct ho_addr dst, uint8_t proto, uint8_t ttl)
{
    return (struct ho_wire_ip){
        .src = src, .dst = dst, .version = ho_addr_is_v4(&src) ? 4 : 6, .proto = proto, .ttl = ttl
    };
}

static void inject_icmp(struct ho_addr src, struct ho_addr dst, uint8_t ttl,
                        const struct ho_wire_icmp *m)
{
    uint8_t bytes[128];
    bool is_v4 = ho_addr_is_v4(&src);

    ho_wire_icmp_write(m, &src, &dst, bytes);
    inject(nic_mac[0], header(src, dst, is_v4 ? HO_IP_ICMP : HO_IP_ICMPV6, ttl), bytes,
           ho_wire_icmp_size(m));
}

/* The next frame out, taken apart. Returns false if there is none. */
struct frame {
    int nic;
    struct ho_wire_eth eth;
    struct ho_wire_ip ip;
    struct ho_wire_icmp icmp;
    struct ho_wire_tcp tcp;
    struct ho_wire_arp arp;
};

static bool take(struct frame *f)
{
    struct ho_buf *b = ho_host_output(h, &f->nic, now);
    enum ho_wire_drop why;
    size_t header_len, tcp_header;

    if (b == NULL) {
        return false;
    }
    const uint8_t *at = ho_buf_bytes(b) + HO_ETH_HEADER;
    size_t len = b->len - (size_t)HO_ETH_HEADER;
    assert_int_equal(ho_wire_eth_read(&f->eth, ho_buf_bytes(b), b->len), 0);
    if (f->eth.type == HO_ETH_ARP) {
        assert_int_equal(ho_wire_arp_read(&f->arp, at, len, &why), 0);
    } else {
        assert_int_equal(ho_wire_ip_read(&f->ip, &header_len, at, len, &why), 0);
        at += header_len;
        if (f->ip.proto == HO_IP_TCP) {
            assert_int_equal(ho_wire_tcp_read(&f->tcp, &tcp_header, at, f->ip.payload_len), 0);
        } else if (f->ip.proto != HO_IP_UDP) {
            assert_int_equal(ho_wire_icmp_read(&f->icmp, &f->ip, at, f->ip.payload_len, &why), 0);
        }
        f->icmp.body = NULL;
    }
    ho_buf_put(&bufs, b);
    return true;
}

static uint64_t counter(const char *name)
{
    size_t cursor = 0;
    const char *found;
    uint64_t value;

    while (ho_host_count_next(h, &cursor, &found, &value)) {
        if (strcmp(found, name) == 0) {
            return value;
        }
    }
    fail_msg("no counter %s", name);
    return 0;
}

static void know(int nic, struct ho_addr a)
{
    assert_int_equal(ho_host_neigh_add(h, nic, &a, peer_mac, now), 0);
}

static void pass(int64_t ms)
{
    struct ho_time until = { now.ns + ms * 1000000 };

    while (!ho_time_before(until, ho_host_deadline(h))) {
        now = ho_host_deadline(h);
        ho_host_tick(h, now);
    }
    now = until;
}

static const struct ho_wire_icmp ping = {
    .kind = HO_ICMP_ECHO, .id = 5, .seq = 6, .body = (const uint8_t *)"abc", .body_len = 3
};

static void an_echo_is_answered(void **state)
{
    struct frame f;
    struct ho_addr other = v4(1, 1);

    (void)state;
    know(0, v4(0, 9));
    know(0, v6(0, 9));
    inject_icmp(v4(0, 9), v4(0, 1), 64, &ping);
    assert_true(take(&f));
    assert_int_equal(f.icmp.kind, HO_ICMP_ECHO_REPLY);
    assert_int_equal(f.icmp.seq, 6);
    assert_int_equal(f.icmp.body_len, 3);
    inject_icmp(v6(0, 9), v6(0, 1), 64, &ping);
    assert_true(take(&f));
    assert_int_equal(f.icmp.kind, HO_ICMP_ECHO_REPLY);
    /* the weak model: an address of the other interface is ours as well */
    inject_icmp(v4(0, 9), other, 64, &ping);
    assert_true(take(&f));
    assert_memory_equal(&f.ip.src, &other, 16);
    assert_false(take(&f));
}

static void frames_for_others_are_counted_drops(void **state)
{
    struct frame f;
    uint8_t bytes[64];

    (void)state;
    ho_wire_icmp_write(&ping, &(struct ho_addr){ 0 }, &(struct ho_addr){ 0 }, bytes);
    inject(peer_mac, header(v4(0, 9), v4(0, 1), HO_IP_ICMP, 64), bytes, ho_wire_icmp_size(&ping));
    assert_int_equal(counter("drop: a frame for another host"), 1);
    inject_icmp(v4(0, 9), v4(0, 77), 64, &ping); /* no router */
    assert_int_equal(counter("Ip.InAddrErrors"), 1);
    inject_icmp(v4(0, 1), v4(0, 1), 64, &ping); /* from ourselves, over the wire */
    inject_icmp(ho_addr_v4(127, 0, 0, 1), v4(0, 1), 64, &ping);
    inject_icmp(v4(0, 9), ho_addr_v4(127, 0, 0, 1), 64, &ping);
    assert_int_equal(counter("drop: a source address that cannot be"), 3);
    inject(nic_mac[0], header(v4(0, 9), v4(0, 1), HO_IP_ICMP, 64), "\x08\0zz\0\0\0\0", 8);
    assert_int_equal(counter("ICMP checksum wrong"), 1);
    assert_false(take(&f));
}

/* RFC 9293 3.10.7.1; the checksum is looked at first. */
static void a_segment_without_a_socket_is_answered_with_rst(void **state)
{
    struct ho_wire_tcp seg = {
        .sport = 1000, .dport = 80, .seq = 100, .ack = 200, .flags = HO_TCP_ACK, .window = 10
    };
    uint8_t bytes[HO_TCP_HEADER];
    struct ho_addr src = v4(0, 9), dst = v4(0, 1);
    struct frame f;

    (void)state;
    know(0, src);
    ho_wire_tcp_write(&seg, bytes);
    inject(nic_mac[0], header(src, dst, HO_IP_TCP, 64), bytes, sizeof(bytes));
    assert_false(take(&f));
    assert_int_equal(counter("Tcp.InCsumErrors"), 1);
    uint16_t sum = ho_wire_tcp_checksum(&src, &dst, bytes, sizeof(bytes));
    bytes[16] = (uint8_t)(sum >> 8);
    bytes[17] = (uint8_t)sum;
    inject(nic_mac[0], header(src, dst, HO_IP_TCP, 64), bytes, sizeof(bytes));
    assert_true(take(&f));
    assert_int_equal(f.tcp.flags, HO_TCP_RST);
    assert_int_equal(f.tcp.seq, 200);
    assert_int_equal(counter("drop: no socket"), 1);
}

static void a_datagram_is_answered_with_port_unreachable(void **state)
{
    struct frame f;

    (void)state;
    know(0, v4(0, 9));
    know(0, v6(0, 9));
    inject(nic_mac[0], header(v4(0, 9), v4(0, 1), HO_IP_UDP, 64), "\0\1\0\2\0\x08\0\0", 8);
    assert_true(take(&f));
    assert_int_equal(f.icmp.kind, HO_ICMP_UNREACHABLE);
    assert_int_equal(f.icmp.code, HO_ICMP4_PORT);
    assert_int_equal(f.icmp.body_len, 28);
    inject(nic_mac[0], header(v6(0, 9), v6(0, 1), HO_IP_UDP, 64), "\0\1\0\2\0\x08\0\0", 8);
    assert_true(take(&f));
    assert_int_equal(f.icmp.code, HO_ICMP6_PORT);
}

/* icmp_ratelimit=1000 ms, with a burst of 6 (XRLIM_BURST_FACTOR). */
static void errors_are_limited_for_each_peer(void **state)
{
    struct frame f;
    int n = 0;

    (void)state;
    know(0, v4(0, 9));
    for (int i = 0; i < 10; i++) {
        inject(nic_mac[0], header(v4(0, 9), v4(0, 1), HO_IP_UDP, 64), "\0\1\0\2\0\x08\0\0", 8);
        n += take(&f);
    }
    assert_int_equal(n, 6);
    pass(1000);
    for (int i = 0; i < 10; i++) {
        inject(nic_mac[0], header(v4(0, 9), v4(0, 1), HO_IP_UDP, 64), "\0\1\0\2\0\x08\0\0", 8);
        n += take(&f);
    }
    assert_int_equal(n, 7);
    assert_int_equal(counter("Icmp.OutRateLimitHost"), 13);
    ho_host_sysctls(h)->v[HO_SYSCTL_ICMP_RATELIMIT] = 0;
    inject(nic_mac[0], header(v4(0, 9), v4(0, 1), HO_IP_UDP, 64), "\0\1\0\2\0\x08\0\0", 8);
    assert_true(take(&f));
}

/* ---- a router ---- */

static void a_router_forwards_with_one_hop_less(void **state)
{
    struct frame f;

    (void)state;
    ho_host_forwarding(h, true);
    know(1, v4(1, 9));
    know(1, v6(1, 9));
    inject_icmp(v4(0, 9), v4(1, 9), 64, &ping);
    assert_true(take(&f));
    assert_int_equal(f.nic, 1);
    assert_int_equal(f.ip.ttl, 63);
    assert_int_equal(f.icmp.kind, HO_ICMP_ECHO);
    assert_memory_equal(&f.eth.dst, &peer_mac, 6);
    assert_memory_equal(&f.eth.src, &nic_mac[1], 6);
    inject_icmp(v6(0, 9), v6(1, 9), 64, &ping);
    assert_true(take(&f));
    assert_int_equal(f.ip.ttl, 63);
    assert_int_equal(counter("Ip.ForwDatagrams"), 2);
}

static void a_router_reports_what_it_cannot_forward(void **state)
{
    static const uint8_t big[1480];
    struct frame f;
    struct ho_addr own = v4(0, 1);

    (void)state;
    ho_host_forwarding(h, true);
    know(0, v4(0, 9));
    know(0, v6(0, 9));
    inject_icmp(v4(0, 9), v4(1, 9), 1, &ping);
    assert_true(take(&f));
    assert_int_equal(f.icmp.kind, HO_ICMP_TIME_EXCEEDED);
    assert_memory_equal(&f.ip.src, &own, 16);
    inject_icmp(v4(0, 9), ho_addr_v4(192, 0, 2, 1), 64, &ping);
    assert_true(take(&f));
    assert_int_equal(f.icmp.kind, HO_ICMP_UNREACHABLE);
    assert_int_equal(f.icmp.code, HO_ICMP4_NET);
    inject_icmp(v6(0, 9), (struct ho_addr){ .b = { 0x20, 1 } }, 64, &ping);
    assert_true(take(&f));
    assert_int_equal(f.icmp.code, HO_ICMP6_NO_ROUTE);
    assert_int_equal(ho_host_add_nic(h, "ppp0", nic_mac[1], 1280), 2);
    struct ho_addr net = ho_addr_v4(192, 0, 2, 0);
    assert_int_equal(ho_host_route_add(h, 2, &net, 24, NULL, now), 0);
    inject(nic_mac[0], header(v4(0, 9), ho_addr_v4(192, 0, 2, 1), HO_IP_UDP, 64), big, sizeof(big));
    assert_true(take(&f));
    assert_int_equal(f.icmp.kind, HO_ICMP_TOO_BIG);
    assert_int_equal(f.icmp.mtu, 1280);
    assert_false(take(&f));
}

/* A packet for an address that was removed: the host of a virtual 6.12 says so where it has no
 * route to there either. IPv4 says nothing (RFC 1122 3.2.1.3).
 */
static void a_host_without_a_route_says_so_over_ipv6(void **state)
{
    struct frame f;

    (void)state;
    know(0, v4(0, 9));
    know(0, v6(0, 9));
    inject_icmp(v4(0, 9), ho_addr_v4(192, 0, 2, 1), 64, &ping);
    assert_false(take(&f));
    inject_icmp(v6(0, 9), v6(0, 7), 64, &ping); /* on its own network: another host's */
    assert_false(take(&f));
    inject_icmp(v6(0, 9), (struct ho_addr){ .b = { 0x20, 1 } }, 64, &ping);
    assert_true(take(&f));
    assert_int_equal(f.icmp.kind, HO_ICMP_UNREACHABLE);
    assert_int_equal(f.icmp.code, HO_ICMP6_NO_ROUTE);
    assert_false(take(&f));
}

/* Host unreachable from the router 3 s after nobody answered; ARP asks from the router's address.
 */
static void a_router_reports_a_neighbour_that_does_not_answer(void **state)
{
    struct frame f;
    struct ho_addr own = v4(1, 1);
    int asked = 0;

    (void)state;
    ho_host_forwarding(h, true);
    know(0, v4(0, 9));
    inject_icmp(v4(0, 9), v4(1, 9), 64, &ping);
    for (int i = 0; i < 31; i++) {
        while (take(&f)) {
            assert_int_equal(f.eth.type, HO_ETH_ARP);
            assert_int_equal(f.nic, 1);
            assert_memory_equal(&f.arp.sender, &own, 16);
            asked++;
        }
        pass(98);
    }
    assert_int_equal(asked, 3);
    pass(70);
    assert_true(take(&f));
    assert_int_equal(f.icmp.kind, HO_ICMP_UNREACHABLE);
    assert_int_equal(f.icmp.code, HO_ICMP4_HOST);
    assert_int_equal(f.nic, 0);
}

/* ---- routes ---- */

static void the_longest_prefix_wins_and_gateways_are_neighbours(void **state)
{
    struct frame f;
    struct ho_addr any = ho_addr_v4(0, 0, 0, 0), net = ho_addr_v4(192, 0, 2, 0);
    struct ho_addr gw = v4(0, 254), gw1 = v4(1, 254);

    (void)state;
    ho_host_forwarding(h, true);
    assert_int_equal(ho_host_route_add(h, 0, &any, 0, &gw, now), 0);
    assert_int_equal(ho_host_route_add(h, 1, &net, 24, &gw1, now), 0);
    inject_icmp(v4(0, 9), ho_addr_v4(192, 0, 2, 1), 64, &ping);
    assert_true(take(&f));
    assert_int_equal(f.nic, 1);
    assert_memory_equal(&f.arp.target, &gw1, 16);
    assert_int_equal(ho_host_route_del(h, 1, &net, 24, now), 0);
    inject_icmp(v4(0, 9), ho_addr_v4(192, 0, 2, 1), 64, &ping);
    assert_true(take(&f));
    assert_int_equal(f.nic, 0);
    assert_memory_equal(&f.arp.target, &gw, 16);
}

static void routes_go_with_their_link_and_on_link_ones_come_back(void **state)
{
    struct frame f;
    struct ho_addr any = ho_addr_v4(0, 0, 0, 0), gw = v4(1, 254);

    (void)state;
    ho_host_forwarding(h, true);
    assert_int_equal(ho_host_route_add(h, 1, &any, 0, &gw, now), 0);
    assert_int_equal(ho_host_link(h, 1, false, now), 0);
    assert_int_equal(ho_host_route_add(h, 1, &any, 0, &gw, now), -ENETDOWN);
    know(0, v4(0, 9));
    inject_icmp(v4(0, 9), v4(1, 9), 64, &ping);
    assert_true(take(&f));
    assert_int_equal(f.icmp.code, HO_ICMP4_NET);
    assert_int_equal(ho_host_link(h, 1, true, now), 0);
    inject_icmp(v4(0, 9), v4(1, 9), 64, &ping);
    assert_true(take(&f));
    assert_int_equal(f.eth.type, HO_ETH_ARP);
    inject_icmp(v4(0, 9), ho_addr_v4(192, 0, 2, 1), 64, &ping);
    assert_true(take(&f));
    assert_int_equal(f.icmp.code, HO_ICMP4_NET); /* the gateway's route is lost */
    ho_host_power_off(h, now);
    ho_host_boot(h, now);
    inject_icmp(v4(0, 9), ho_addr_v4(192, 0, 2, 1), 64, &ping);
    assert_true(take(&f));
    assert_memory_equal(&f.arp.target, &gw, 16);
}

/* keep_addr_on_down=0: IPv6 loses its addresses with the link, but for the link-local one. */
static void ipv6_addresses_go_with_their_link(void **state)
{
    struct frame f;
    struct ho_addr own = v6(0, 1);

    (void)state;
    know(0, v6(0, 9));
    assert_int_equal(ho_host_link(h, 0, false, now), 0);
    assert_int_equal(ho_host_link(h, 0, true, now), 0);
    inject_icmp(v6(0, 9), own, 64, &ping);
    assert_false(take(&f));
    assert_int_equal(ho_host_addr_del(h, 0, &own, now), -EADDRNOTAVAIL);
    assert_int_equal(ho_host_addr_add(h, 0, &own, 64, now), 0);
    assert_int_equal(ho_host_addr_add(h, 0, &own, 64, now), -EEXIST);
    know(0, v6(0, 9));
    inject_icmp(v6(0, 9), own, 64, &ping);
    assert_true(take(&f));
}

/* ---- neighbour discovery ---- */

static void a_solicitation_is_answered_and_makes_the_asker_known(void **state)
{
    struct ho_addr peer = v6(0, 9), own = v6(0, 1);
    struct ho_addr group = ho_addr_solicited_node(&own);
    struct ho_wire_icmp m = {
        .kind = HO_ICMP_NEIGH_SOLICIT, .target = own, .has_mac = true, .mac = peer_mac
    };
    uint8_t bytes[64];
    struct frame f;
    struct ho_neigh_info info;
    uint64_t cursor = 0;

    (void)state;
    ho_wire_icmp_write(&m, &peer, &group, bytes);
    inject(ho_mac_multicast(&group), header(peer, group, HO_IP_ICMPV6, 255), bytes,
           ho_wire_icmp_size(&m));
    assert_true(take(&f));
    assert_int_equal(f.icmp.kind, HO_ICMP_NEIGH_ADVERT);
    assert_true(f.icmp.solicited && f.icmp.override && f.icmp.has_mac);
    assert_memory_equal(&f.icmp.mac, &nic_mac[0], 6);
    assert_memory_equal(&f.eth.dst, &peer_mac, 6);
    assert_true(ho_host_neigh_next(h, &cursor, &info));
    assert_int_equal(info.state, HO_NUD_DELAY); /* STALE, and the answer has used it */
    ho_wire_icmp_write(&m, &peer, &own, bytes); /* unicast, as a check of reachability */
    inject(nic_mac[0], header(peer, own, HO_IP_ICMPV6, 255), bytes, ho_wire_icmp_size(&m));
    assert_true(take(&f));
    assert_true(f.icmp.solicited && !f.icmp.override && !f.icmp.has_mac);
    inject(nic_mac[0], header(peer, own, HO_IP_ICMPV6, 64), bytes, ho_wire_icmp_size(&m));
    assert_false(take(&f)); /* from beyond the link */
    m.target = v6(1, 1);    /* of the other interface: not this link's business */
    ho_wire_icmp_write(&m, &peer, &own, bytes);
    inject(nic_mac[0], header(peer, own, HO_IP_ICMPV6, 255), bytes, ho_wire_icmp_size(&m));
    assert_false(take(&f));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_echo_is_answered),
        T(frames_for_others_are_counted_drops),
        T(a_segment_without_a_socket_is_answered_with_rst),
        T(a_datagram_is_answered_with_port_unreachable),
        T(errors_are_limited_for_each_peer),
        T(a_router_forwards_with_one_hop_less),
        T(a_router_reports_what_it_cannot_forward),
        T(a_host_without_a_route_says_so_over_ipv6),
        T(a_router_reports_a_neighbour_that_does_not_answer),
        T(the_longest_prefix_wins_and_gateways_are_neighbours),
        T(routes_go_with_their_link_and_on_link_ones_come_back),
        T(ipv6_addresses_go_with_their_link),
        T(a_solicitation_is_answered_and_makes_the_asker_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
