/* Unit tests of src/wire/icmp.c. Messages marked as captured are what a Linux 6.18 host put on a
 * TAP device.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/icmp.h"

/* Captured: 10.0.0.1 tells 10.0.0.2 that nobody has UDP port 9 (its source port was 7). */
static const uint8_t port_unreachable[] = {
    0x45, 0xc0, 0x00, 0x3c, 0xac, 0x9a, 0x00, 0x00, 0x40, 0x01, 0xb9, 0x64, 0x0a, 0x00, 0x00,
    0x01, 0x0a, 0x00, 0x00, 0x02, 0x03, 0x03, 0x38, 0x1a, 0x00, 0x00, 0x00, 0x00, 0x45, 0x00,
    0x00, 0x20, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x26, 0xcb, 0x0a, 0x00, 0x00, 0x02, 0x0a,
    0x00, 0x00, 0x01, 0x00, 0x07, 0x00, 0x09, 0x00, 0x0c, 0x00, 0x00, 0x61, 0x62, 0x63, 0x64,
};

/* Captured: fd00::1 asks ff02::1:ff00:2 who has fd00::2. */
static const uint8_t solicitation[] = {
    0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xff, 0x00, 0x00, 0x02, 0x87, 0x00, 0x7d, 0x97, 0x00,
    0x00, 0x00, 0x00, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x02, 0x01, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
};

/* Reads the IP header and the message behind it. */
static int read_packet(struct ho_wire_icmp *ret, struct ho_wire_ip *ip, const uint8_t *packet,
                       size_t len, enum ho_wire_drop *why)
{
    size_t header;

    assert_int_equal(ho_wire_ip_read(ip, &header, packet, len, why), 0);
    return ho_wire_icmp_read(ret, ip, packet + header, ip->payload_len, why);
}

static struct ho_addr addr(const char *text)
{
    struct ho_addr a;

    assert_int_equal(ho_addr_parse(&a, text), 0);
    return a;
}

static void linux_port_unreachable_quotes_the_datagram(void **state)
{
    (void)state;
    const struct ho_addr src = ho_addr_v4(10, 0, 0, 2), dst = ho_addr_v4(10, 0, 0, 1);
    struct ho_wire_icmp m;
    struct ho_wire_ip ip;
    struct ho_wire_quote q;
    enum ho_wire_drop why;

    assert_int_equal(read_packet(&m, &ip, port_unreachable, sizeof(port_unreachable), &why), 0);
    assert_int_equal(m.kind, HO_ICMP_UNREACHABLE);
    assert_int_equal(m.type, 3);
    assert_int_equal(m.code, HO_ICMP4_PORT);
    assert_int_equal(m.body_len, 32);

    assert_int_equal(ho_wire_icmp_quote(&q, &m, &why), 0);
    assert_true(ho_addr_eq(&q.ip.src, &src));
    assert_true(ho_addr_eq(&q.ip.dst, &dst));
    assert_int_equal(q.ip.proto, HO_IP_UDP);
    assert_int_equal(q.sport, 7);
    assert_int_equal(q.dport, 9);
}

static void linux_port_unreachable_is_written_back_byte_by_byte(void **state)
{
    (void)state;
    struct ho_wire_icmp m;
    struct ho_wire_ip ip;
    enum ho_wire_drop why;
    uint8_t bytes[40];

    assert_int_equal(read_packet(&m, &ip, port_unreachable, sizeof(port_unreachable), &why), 0);
    assert_int_equal(ho_wire_icmp_size(&m), sizeof(bytes));
    ho_wire_icmp_write(&m, &ip.src, &ip.dst, bytes);
    assert_memory_equal(bytes, port_unreachable + 20, sizeof(bytes));
}

static void linux_solicitation_is_read_and_written_back(void **state)
{
    (void)state;
    const struct ho_addr target = addr("fd00::2");
    const struct ho_mac mac = { .b = { 2, 0, 0, 0, 0, 1 } };
    struct ho_addr group = ho_addr_solicited_node(&target);
    struct ho_wire_icmp m;
    struct ho_wire_ip ip;
    enum ho_wire_drop why;
    uint8_t bytes[32];

    assert_int_equal(read_packet(&m, &ip, solicitation, sizeof(solicitation), &why), 0);
    assert_int_equal(m.kind, HO_ICMP_NEIGH_SOLICIT);
    assert_true(ho_addr_eq(&m.target, &target));
    assert_true(ho_addr_eq(&ip.dst, &group));
    assert_true(m.has_mac);
    assert_memory_equal(&m.mac, &mac, sizeof(mac));

    assert_int_equal(ho_wire_icmp_size(&m), sizeof(bytes));
    ho_wire_icmp_write(&m, &ip.src, &ip.dst, bytes);
    assert_memory_equal(bytes, solicitation + 40, sizeof(bytes));
}

/* Writes `m`, reads it back, and checks what all kinds have in common. */
static struct ho_wire_icmp round_trip(const struct ho_wire_icmp *m, const char *src,
                                      const char *dst)
{
    static uint8_t bytes[200];
    struct ho_wire_ip ip = { .src = addr(src), .dst = addr(dst), .ttl = 255 };
    struct ho_wire_icmp back;
    enum ho_wire_drop why;
    size_t len = ho_wire_icmp_size(m);

    ip.version = ho_addr_is_v4(&ip.dst) ? 4 : 6;
    assert_true(len <= sizeof(bytes));
    memset(bytes, 0xee, sizeof(bytes));
    ho_wire_icmp_write(m, &ip.src, &ip.dst, bytes);
    assert_int_equal(ho_wire_icmp_read(&back, &ip, bytes, len, &why), 0);
    assert_int_equal(back.kind, m->kind);
    assert_int_equal(back.body_len, m->body_len);
    if (m->body_len > 0) {
        assert_memory_equal(back.body, m->body, m->body_len);
    }
    return back;
}

static void echo_survives_in_both_families(void **state)
{
    (void)state;
    const struct ho_wire_icmp echo = {
        .kind = HO_ICMP_ECHO,
        .id = 0x1234,
        .seq = 7,
        .body = (const uint8_t *)"hello",
        .body_len = 5,
    };
    struct ho_wire_icmp reply = echo, back;

    reply.kind = HO_ICMP_ECHO_REPLY;
    back = round_trip(&echo, "10.0.0.1", "10.0.0.2");
    assert_int_equal(back.type, 8);
    assert_int_equal(back.id, 0x1234);
    assert_int_equal(back.seq, 7);
    assert_int_equal(round_trip(&reply, "10.0.0.1", "10.0.0.2").type, 0);
    assert_int_equal(round_trip(&echo, "fd00::1", "fd00::2").type, 128);
    back = round_trip(&reply, "fd00::1", "fd00::2");
    assert_int_equal(back.type, 129);
    assert_int_equal(back.seq, 7);
}

/* RFC 1191 4: 16 bits behind 16 unused ones. RFC 4443 3.2: 32 bits. */
static void too_big_carries_the_mtu_in_both_families(void **state)
{
    (void)state;
    struct ho_wire_icmp m = {
        .kind = HO_ICMP_TOO_BIG,
        .mtu = 1400,
        .body = solicitation,
        .body_len = 48,
    };
    struct ho_wire_icmp back = round_trip(&m, "10.0.0.9", "10.0.0.1");

    assert_int_equal(back.type, 3);
    assert_int_equal(back.code, 4);
    assert_int_equal(back.mtu, 1400);
    m.mtu = 70000;
    back = round_trip(&m, "fd00::9", "fd00::1");
    assert_int_equal(back.type, 2);
    assert_int_equal(back.mtu, 70000);
}

static void errors_have_the_types_of_their_family(void **state)
{
    (void)state;
    struct ho_wire_icmp m = {
        .kind = HO_ICMP_UNREACHABLE,
        .code = HO_ICMP4_HOST,
        .body = port_unreachable,
        .body_len = 28,
    };

    assert_int_equal(round_trip(&m, "10.0.0.1", "10.0.0.1").code, HO_ICMP4_HOST);
    m.code = HO_ICMP6_ADDR;
    assert_int_equal(round_trip(&m, "fd00::1", "fd00::1").type, 1);
    assert_int_equal(round_trip(&m, "fd00::1", "fd00::1").code, HO_ICMP6_ADDR);
    m.kind = HO_ICMP_TIME_EXCEEDED;
    assert_int_equal(round_trip(&m, "10.0.0.1", "10.0.0.2").type, 11);
    assert_int_equal(round_trip(&m, "fd00::1", "fd00::2").type, 3);
}

static void advertisement_survives_with_its_flags(void **state)
{
    (void)state;
    struct ho_wire_icmp m = {
        .kind = HO_ICMP_NEIGH_ADVERT,
        .target = addr("fd00::2"),
        .solicited = true,
        .override = true,
        .has_mac = true,
        .mac = { .b = { 2, 0, 0, 0, 0, 2 } },
    };
    struct ho_wire_icmp back = round_trip(&m, "fd00::2", "fd00::1");

    assert_int_equal(back.type, 136);
    assert_true(back.solicited && back.override && !back.router);
    assert_true(ho_addr_eq(&back.target, &m.target));
    assert_memory_equal(&back.mac, &m.mac, sizeof(m.mac));
    m = (struct ho_wire_icmp){ .kind = HO_ICMP_NEIGH_ADVERT, .target = m.target, .router = true };
    back = round_trip(&m, "fd00::2", "ff02::1");
    assert_true(back.router && !back.solicited && !back.override && !back.has_mac);
}

static void other_messages_keep_their_type(void **state)
{
    (void)state;
    const struct ho_wire_icmp m = {
        .kind = HO_ICMP_OTHER,
        .type = 13,
        .code = 2,
        .body = (const uint8_t *)"12345678",
        .body_len = 8,
    };
    struct ho_wire_icmp back = round_trip(&m, "10.0.0.1", "10.0.0.2");

    assert_int_equal(back.type, 13);
    assert_int_equal(back.code, 2);
}

/* `m` from `src` to `dst`, read with this hop limit: why it is dropped. */
static enum ho_wire_drop refused(const struct ho_wire_icmp *m, const char *src, const char *dst,
                                 uint8_t hops)
{
    uint8_t bytes[200];
    struct ho_wire_ip ip = { .version = 6, .src = addr(src), .dst = addr(dst), .ttl = hops };
    struct ho_wire_icmp back;
    enum ho_wire_drop why = HO_WIRE_DROP_NONE;

    ho_wire_icmp_write(m, &ip.src, &ip.dst, bytes);
    return ho_wire_icmp_read(&back, &ip, bytes, ho_wire_icmp_size(m), &why) == 0 ? HO_WIRE_DROP_NONE
                                                                                 : why;
}

/* RFC 4861 7.1.1 and 7.1.2, one condition after the other. */
static void neighbour_discovery_is_checked_as_rfc_4861_says(void **state)
{
    (void)state;
    const struct ho_wire_icmp ns = {
        .kind = HO_ICMP_NEIGH_SOLICIT,
        .target = addr("fd00::2"),
        .has_mac = true,
        .mac = { .b = { 2, 0, 0, 0, 0, 1 } },
    };
    struct ho_wire_icmp m = ns;

    assert_int_equal(refused(&m, "fd00::1", "ff02::1:ff00:2", 255), HO_WIRE_DROP_NONE);
    assert_int_equal(refused(&m, "fd00::1", "ff02::1:ff00:2", 254), HO_WIRE_DROP_ND_HOPS);
    assert_int_equal(refused(&m, "::", "ff02::1:ff00:2", 255), HO_WIRE_DROP_ND_FORMAT);
    m.has_mac = false; /* duplicate address detection */
    assert_int_equal(refused(&m, "::", "ff02::1:ff00:2", 255), HO_WIRE_DROP_NONE);
    assert_int_equal(refused(&m, "::", "fd00::2", 255), HO_WIRE_DROP_ND_FORMAT);
    m.code = 1;
    assert_int_equal(refused(&m, "fd00::1", "fd00::2", 255), HO_WIRE_DROP_ND_FORMAT);
    m = ns;
    m.target = addr("ff02::2");
    assert_int_equal(refused(&m, "fd00::1", "fd00::2", 255), HO_WIRE_DROP_ND_FORMAT);
    m = (struct ho_wire_icmp){ .kind = HO_ICMP_NEIGH_ADVERT,
                               .target = ns.target,
                               .solicited = true };
    assert_int_equal(refused(&m, "fd00::2", "fd00::1", 255), HO_WIRE_DROP_NONE);
    assert_int_equal(refused(&m, "fd00::2", "ff02::1", 255), HO_WIRE_DROP_ND_FORMAT);
}

/* RFC 4861 4.6: an option of length 0 would never end. */
static void option_of_length_0_is_refused(void **state)
{
    (void)state;
    struct ho_wire_icmp m;
    struct ho_wire_ip ip;
    enum ho_wire_drop why;
    uint8_t packet[sizeof(solicitation)];

    memcpy(packet, solicitation, sizeof(packet));
    packet[65] = 0;
    packet[43] += 1; /* the checksum, for one less elsewhere */
    assert_int_equal(read_packet(&m, &ip, packet, sizeof(packet), &why), -EBADMSG);
    assert_int_equal(why, HO_WIRE_DROP_ND_FORMAT);
    memcpy(packet, solicitation, sizeof(packet));
    packet[65] = 2; /* beyond the message */
    packet[43] -= 1;
    assert_int_equal(read_packet(&m, &ip, packet, sizeof(packet), &why), -EBADMSG);
    assert_int_equal(why, HO_WIRE_DROP_ND_FORMAT);
}

static void every_turned_bit_is_a_checksum_error(void **state)
{
    (void)state;
    struct ho_wire_icmp m;
    struct ho_wire_ip ip;
    enum ho_wire_drop why;
    uint8_t packet[sizeof(solicitation)];

    for (size_t bit = (size_t)40 * 8; bit < sizeof(packet) * 8; bit++) {
        memcpy(packet, solicitation, sizeof(packet));
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(read_packet(&m, &ip, packet, sizeof(packet), &why), -EBADMSG);
        assert_int_equal(why, HO_WIRE_DROP_ICMP_CHECKSUM);
    }
    memcpy(packet, solicitation, sizeof(packet));
    packet[23] = 3; /* the pseudo-header counts */
    assert_int_equal(read_packet(&m, &ip, packet, sizeof(packet), &why), -EBADMSG);
    assert_int_equal(why, HO_WIRE_DROP_ICMP_CHECKSUM);
}

static void message_without_its_header_is_refused(void **state)
{
    (void)state;
    const struct ho_wire_ip ip = { .version = 4, .ttl = 64 };
    struct ho_wire_icmp m;
    enum ho_wire_drop why;

    assert_int_equal(ho_wire_icmp_read(&m, &ip, port_unreachable + 20, 7, &why), -EBADMSG);
    assert_int_equal(why, HO_WIRE_DROP_ICMP_SHORT);
}

static void quote_needs_8_bytes_behind_the_header(void **state)
{
    (void)state;
    struct ho_wire_icmp m = { .kind = HO_ICMP_UNREACHABLE, .body = port_unreachable + 28 };
    struct ho_wire_quote q;
    enum ho_wire_drop why;

    m.body_len = 28;
    assert_int_equal(ho_wire_icmp_quote(&q, &m, &why), 0);
    m.body_len = 27;
    assert_int_equal(ho_wire_icmp_quote(&q, &m, &why), -EBADMSG);
    assert_int_equal(why, HO_WIRE_DROP_QUOTE_SHORT);
    m.kind = HO_ICMP_ECHO; /* quotes nothing */
    m.body_len = 28;
    assert_int_equal(ho_wire_icmp_quote(&q, &m, &why), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_port_unreachable_quotes_the_datagram),
        cmocka_unit_test(linux_port_unreachable_is_written_back_byte_by_byte),
        cmocka_unit_test(linux_solicitation_is_read_and_written_back),
        cmocka_unit_test(echo_survives_in_both_families),
        cmocka_unit_test(too_big_carries_the_mtu_in_both_families),
        cmocka_unit_test(errors_have_the_types_of_their_family),
        cmocka_unit_test(advertisement_survives_with_its_flags),
        cmocka_unit_test(other_messages_keep_their_type),
        cmocka_unit_test(neighbour_discovery_is_checked_as_rfc_4861_says),
        cmocka_unit_test(option_of_length_0_is_refused),
        cmocka_unit_test(every_turned_bit_is_a_checksum_error),
        cmocka_unit_test(message_without_its_header_is_refused),
        cmocka_unit_test(quote_needs_8_bytes_behind_the_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
