/* Unit tests of src/wire/eth.c, arp.c and ip.c. Frames marked as captured are what a Linux 6.18
 * host put on a TAP device.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/arp.h"
#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"

/* Captured: who has 10.0.0.3? tell 10.0.0.1. */
static const uint8_t arp_frame[] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06,
    0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
    0x0a, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x03,
};

/* Captured: the header in front of a SYN, and that of a multicast listener report, which has a
 * hop-by-hop header with a router alert.
 */
static const uint8_t ipv4_packet[] = {
    0x45, 0x00, 0x00, 0x3c, 0x91, 0x4d, 0x40, 0x00, 0x40, 0x06,
    0x95, 0x6c, 0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x02,
};
static const uint8_t ipv6_packet[] = {
    0x60, 0x00, 0x00, 0x00, 0x00, 0x24, 0x00, 0x01, 0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0xff, 0xfe, 0x00, 0x00, 0x01, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x16, 0x3a, 0x00, 0x05, 0x02, 0x00, 0x00, 0x01, 0x00,
    0x8f, 0x00, 0x72, 0x07, 0x00, 0x00, 0x00, 0x01, 0x04, 0x00, 0x00, 0x00, 0xff, 0x02, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xff, 0x00, 0x00, 0x01,
};

static void linux_arp_request_is_read_and_written_back(void **state)
{
    (void)state;
    const struct ho_mac sender = { .b = { 2, 0, 0, 0, 0, 1 } };
    const struct ho_addr from = ho_addr_v4(10, 0, 0, 1), to = ho_addr_v4(10, 0, 0, 3);
    struct ho_wire_eth eth;
    struct ho_wire_arp arp;
    enum ho_wire_drop why;
    uint8_t bytes[sizeof(arp_frame)] = { 0 };

    assert_int_equal(ho_wire_eth_read(&eth, arp_frame, sizeof(arp_frame)), 0);
    assert_true(ho_mac_eq(&eth.dst, &HO_MAC_BROADCAST));
    assert_true(ho_mac_eq(&eth.src, &sender));
    assert_int_equal(eth.type, HO_ETH_ARP);
    assert_int_equal(
        ho_wire_arp_read(&arp, arp_frame + HO_ETH_HEADER, sizeof(arp_frame) - HO_ETH_HEADER, &why),
        0);
    assert_false(arp.reply);
    assert_true(ho_mac_eq(&arp.sender_mac, &sender));
    assert_true(ho_addr_eq(&arp.sender, &from));
    assert_true(ho_addr_eq(&arp.target, &to));

    ho_wire_eth_write(&eth, bytes);
    ho_wire_arp_write(&arp, bytes + HO_ETH_HEADER);
    assert_memory_equal(bytes, arp_frame, sizeof(arp_frame));
}

static void arp_reply_with_padding_is_read(void **state)
{
    (void)state;
    struct ho_wire_arp arp;
    enum ho_wire_drop why;
    uint8_t bytes[46] = { 0 };

    memcpy(bytes, arp_frame + HO_ETH_HEADER, HO_ARP_SIZE);
    bytes[7] = 2;
    assert_int_equal(ho_wire_arp_read(&arp, bytes, sizeof(bytes), &why), 0);
    assert_true(arp.reply);
}

static void broken_arp_is_a_named_drop(void **state)
{
    (void)state;
    const struct {
        int at; /* the byte that is broken */
        uint8_t value;
    } cases[] = { { 1, 6 }, { 2, 0x86 }, { 4, 8 }, { 5, 16 }, { 7, 0 }, { 7, 3 }, { 6, 1 } };
    struct ho_wire_arp arp;
    enum ho_wire_drop why = HO_WIRE_DROP_NONE;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[HO_ARP_SIZE];

        memcpy(bytes, arp_frame + HO_ETH_HEADER, sizeof(bytes));
        bytes[cases[i].at] = cases[i].value;
        why = HO_WIRE_DROP_NONE;
        assert_int_equal(ho_wire_arp_read(&arp, bytes, sizeof(bytes), &why), -EBADMSG);
        assert_int_equal(why, HO_WIRE_DROP_ARP_FORMAT);
    }
    assert_int_equal(ho_wire_arp_read(&arp, arp_frame + HO_ETH_HEADER, HO_ARP_SIZE - 1, &why),
                     -EBADMSG);
    assert_int_equal(why, HO_WIRE_DROP_ARP_SHORT);
}

static void frame_shorter_than_its_header_is_refused(void **state)
{
    (void)state;
    struct ho_wire_eth eth;

    assert_int_equal(ho_wire_eth_read(&eth, arp_frame, HO_ETH_HEADER - 1), -EBADMSG);
    assert_int_equal(ho_wire_eth_read(&eth, arp_frame, HO_ETH_HEADER), 0);
}

/* The header only: what follows is 40 bytes that nobody looks at. */
static void linux_ipv4_header_is_read_and_written_back(void **state)
{
    (void)state;
    const struct ho_addr src = ho_addr_v4(10, 0, 0, 1), dst = ho_addr_v4(10, 0, 0, 2);
    struct ho_wire_ip ip;
    enum ho_wire_drop why;
    size_t header;
    uint8_t packet[60] = { 0 }, bytes[HO_IPV4_HEADER];

    memcpy(packet, ipv4_packet, sizeof(ipv4_packet));
    assert_int_equal(ho_wire_ip_read(&ip, &header, packet, sizeof(packet), &why), 0);
    assert_int_equal(header, 20);
    assert_int_equal(ip.version, 4);
    assert_int_equal(ip.proto, HO_IP_TCP);
    assert_int_equal(ip.ttl, 64);
    assert_int_equal(ip.id, 0x914d);
    assert_int_equal(ip.payload_len, 40);
    assert_true(ip.dont_fragment);
    assert_true(ho_addr_eq(&ip.src, &src));
    assert_true(ho_addr_eq(&ip.dst, &dst));

    assert_int_equal(ho_wire_ip_size(&ip), 20);
    ho_wire_ip_write(&ip, bytes);
    assert_memory_equal(bytes, ipv4_packet, sizeof(bytes));
}

static void ethernet_padding_is_not_payload(void **state)
{
    (void)state;
    struct ho_wire_ip ip;
    enum ho_wire_drop why;
    size_t header;
    uint8_t packet[100] = { 0 };

    memcpy(packet, ipv4_packet, sizeof(ipv4_packet));
    assert_int_equal(ho_wire_ip_read(&ip, &header, packet, sizeof(packet), &why), 0);
    assert_int_equal(ip.payload_len, 40);
}

static void ipv4_options_are_skipped(void **state)
{
    (void)state;
    struct ho_wire_ip ip = { .version = 4, .proto = HO_IP_TCP, .ttl = 1, .payload_len = 10 };
    enum ho_wire_drop why;
    size_t header;
    uint8_t packet[34] = { 0 };

    ho_wire_ip_write(&ip, packet);
    packet[0] = 0x46; /* six words: a router alert (RFC 2113) */
    packet[3] = sizeof(packet);
    memcpy(packet + 20, "\x94\x04\x00\x00", 4);
    packet[10] = 0;
    packet[11] = 0;
    uint16_t sum = ho_checksum(packet, 24);
    packet[10] = (uint8_t)(sum >> 8);
    packet[11] = (uint8_t)sum;

    assert_int_equal(ho_wire_ip_read(&ip, &header, packet, sizeof(packet), &why), 0);
    assert_int_equal(header, 24);
    assert_int_equal(ip.payload_len, 10);
}

static enum ho_wire_drop read_broken(const uint8_t *bytes, size_t len)
{
    struct ho_wire_ip ip;
    size_t header = 12345;
    enum ho_wire_drop why = HO_WIRE_DROP_NONE;

    assert_int_equal(ho_wire_ip_read(&ip, &header, bytes, len, &why), -EBADMSG);
    assert_int_equal(header, 12345);
    return why;
}

static void broken_ipv4_is_a_named_drop(void **state)
{
    (void)state;
    const struct {
        int at;
        uint8_t value;
        enum ho_wire_drop why;
    } cases[] = {
        { 0, 0x44, HO_WIRE_DROP_IP_HEADER_LEN }, /* 16 bytes */
        { 0, 0x55, HO_WIRE_DROP_IP_VERSION },
        { 3, 0x3d, HO_WIRE_DROP_IP_LENGTH }, /* a byte more than there is */
        { 3, 0x13, HO_WIRE_DROP_IP_LENGTH }, /* less than the header */
        { 8, 0x41, HO_WIRE_DROP_IP_CHECKSUM },
        { 19, 0x03, HO_WIRE_DROP_IP_CHECKSUM },
    };
    uint8_t packet[60];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(packet, 0, sizeof(packet));
        memcpy(packet, ipv4_packet, sizeof(ipv4_packet));
        packet[cases[i].at] = cases[i].value;
        assert_int_equal(read_broken(packet, sizeof(packet)), cases[i].why);
    }
    assert_int_equal(read_broken(ipv4_packet, 0), HO_WIRE_DROP_IP_SHORT);
    assert_int_equal(read_broken(ipv4_packet, 19), HO_WIRE_DROP_IP_SHORT);
    memcpy(packet, ipv4_packet, sizeof(ipv4_packet));
    packet[0] = 0x4f; /* 60 bytes of header in 59 */
    assert_int_equal(read_broken(packet, 59), HO_WIRE_DROP_IP_HEADER_LEN);
}

static void fragments_are_a_named_drop(void **state)
{
    (void)state;
    const uint8_t flags[][2] = { { 0x20, 0x00 }, { 0x00, 0x01 }, { 0x1f, 0xff } };
    const struct ho_wire_ip ip = { .version = 4, .proto = HO_IP_TCP, .payload_len = 0 };

    for (size_t i = 0; i < 3; i++) {
        uint8_t packet[HO_IPV4_HEADER];

        ho_wire_ip_write(&ip, packet);
        memcpy(packet + 6, flags[i], 2);
        memset(packet + 10, 0, 2);
        uint16_t sum = ho_checksum(packet, sizeof(packet));
        packet[10] = (uint8_t)(sum >> 8);
        packet[11] = (uint8_t)sum;
        assert_int_equal(read_broken(packet, sizeof(packet)), HO_WIRE_DROP_IP_FRAGMENT);
    }
}

static void linux_ipv6_hop_by_hop_header_is_skipped(void **state)
{
    (void)state;
    struct ho_wire_ip ip;
    enum ho_wire_drop why;
    size_t header;
    struct ho_addr src, dst;

    assert_int_equal(ho_addr_parse(&src, "fe80::ff:fe00:1"), 0);
    assert_int_equal(ho_addr_parse(&dst, "ff02::16"), 0);
    assert_int_equal(ho_wire_ip_read(&ip, &header, ipv6_packet, sizeof(ipv6_packet), &why), 0);
    assert_int_equal(header, 48);
    assert_int_equal(ip.version, 6);
    assert_int_equal(ip.proto, HO_IP_ICMPV6);
    assert_int_equal(ip.ttl, 1);
    assert_int_equal(ip.payload_len, 28);
    assert_true(ho_addr_eq(&ip.src, &src));
    assert_true(ho_addr_eq(&ip.dst, &dst));
}

static void ipv6_header_survives_writing_and_reading(void **state)
{
    (void)state;
    struct ho_wire_ip ip = { .version = 6, .proto = HO_IP_TCP, .ttl = 63, .tos = 0xb8 }, back;
    enum ho_wire_drop why;
    size_t header;
    uint8_t packet[HO_IPV6_HEADER + 5] = { 0 };

    assert_int_equal(ho_addr_parse(&ip.src, "fd00::1"), 0);
    assert_int_equal(ho_addr_parse(&ip.dst, "fd00::2"), 0);
    ip.payload_len = 5;
    ip.dont_fragment = true;
    assert_int_equal(ho_wire_ip_size(&ip), 40);
    ho_wire_ip_write(&ip, packet);

    assert_int_equal(ho_wire_ip_read(&back, &header, packet, sizeof(packet), &why), 0);
    assert_int_equal(header, 40);
    assert_int_equal(back.proto, HO_IP_TCP);
    assert_int_equal(back.ttl, 63);
    assert_int_equal(back.tos, 0xb8);
    assert_int_equal(back.payload_len, 5);
    assert_true(ho_addr_eq(&back.src, &ip.src));
    assert_true(ho_addr_eq(&back.dst, &ip.dst));
    assert_int_equal(read_broken(packet, sizeof(packet) - 1), HO_WIRE_DROP_IP_LENGTH);
    assert_int_equal(read_broken(packet, 39), HO_WIRE_DROP_IP_SHORT);
}

static void hop_by_hop_header_beyond_the_packet_is_a_named_drop(void **state)
{
    (void)state;
    uint8_t packet[sizeof(ipv6_packet)];

    memcpy(packet, ipv6_packet, sizeof(packet));
    packet[41] = 4; /* 40 bytes of options; 36 follow the IPv6 header */
    assert_int_equal(read_broken(packet, sizeof(packet)), HO_WIRE_DROP_IP_EXTENSION);
}

/* RFC 1812 4.3.2.3 lets a router quote only the header and 8 bytes of a longer packet. */
static void quoted_packet_may_be_cut(void **state)
{
    (void)state;
    struct ho_wire_ip ip;
    enum ho_wire_drop why;
    size_t header;
    uint8_t quoted[28] = { 0 };

    memcpy(quoted, ipv4_packet, sizeof(ipv4_packet));
    assert_int_equal(read_broken(quoted, sizeof(quoted)), HO_WIRE_DROP_IP_LENGTH);
    assert_int_equal(ho_wire_ip_read_quoted(&ip, &header, quoted, sizeof(quoted), &why), 0);
    assert_int_equal(ip.payload_len, 40);
    assert_int_equal(header, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_arp_request_is_read_and_written_back),
        cmocka_unit_test(arp_reply_with_padding_is_read),
        cmocka_unit_test(broken_arp_is_a_named_drop),
        cmocka_unit_test(frame_shorter_than_its_header_is_refused),
        cmocka_unit_test(linux_ipv4_header_is_read_and_written_back),
        cmocka_unit_test(ethernet_padding_is_not_payload),
        cmocka_unit_test(ipv4_options_are_skipped),
        cmocka_unit_test(broken_ipv4_is_a_named_drop),
        cmocka_unit_test(fragments_are_a_named_drop),
        cmocka_unit_test(linux_ipv6_hop_by_hop_header_is_skipped),
        cmocka_unit_test(ipv6_header_survives_writing_and_reading),
        cmocka_unit_test(hop_by_hop_header_beyond_the_packet_is_a_named_drop),
        cmocka_unit_test(quoted_packet_may_be_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
