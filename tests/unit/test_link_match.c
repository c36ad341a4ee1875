/* Unit tests of src/link/match.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "link/match.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/tcp.h"

static uint8_t frame[200];

/* An IP packet in `frame`; `write` what follows. Returns the frame's length. */
static size_t packet(bool v6, uint8_t proto, size_t payload)
{
    struct ho_wire_eth eth = { .type = v6 ? HO_ETH_IPV6 : HO_ETH_IPV4 };
    struct ho_wire_ip ip = {
        .version = v6 ? 6 : 4, .proto = proto, .ttl = 255, .payload_len = (uint16_t)payload
    };

    memset(frame, 0, sizeof(frame));
    ho_wire_eth_write(&eth, frame);
    ho_wire_ip_write(&ip, frame + HO_ETH_HEADER);
    return HO_ETH_HEADER + ho_wire_ip_size(&ip) + payload;
}

static size_t segment(bool v6, uint8_t flags, size_t payload)
{
    const struct ho_wire_tcp s = { .flags = flags };
    size_t len = packet(v6, HO_IP_TCP, HO_TCP_HEADER + payload);

    ho_wire_tcp_write(&s, frame + len - payload - HO_TCP_HEADER);
    return len;
}

static size_t icmp(bool v6, uint8_t type)
{
    size_t len = packet(v6, v6 ? HO_IP_ICMPV6 : HO_IP_ICMP, 24);

    frame[len - 24] = type;
    return len;
}

static size_t arp(void)
{
    const struct ho_wire_eth eth = { .dst = HO_MAC_BROADCAST, .type = HO_ETH_ARP };
    const struct ho_wire_arp a = { .sender = ho_addr_v4(10, 0, 0, 1) };

    ho_wire_eth_write(&eth, frame);
    ho_wire_arp_write(&a, frame + HO_ETH_HEADER);
    return HO_ETH_HEADER + HO_ARP_SIZE;
}

static bool is(enum ho_match_what what, size_t len)
{
    const struct ho_match m = { .what = what };

    return ho_match_frame(&m, frame, len);
}

static void kinds_of_frames_are_told_apart(void **state)
{
    (void)state;
    const struct {
        size_t (*make)(bool, uint8_t);
        bool v6;
        uint8_t type;
        bool nd, icmp;
    } cases[] = {
        { icmp, false, 8, false, true },   { icmp, false, 3, false, true },
        { icmp, true, 128, false, true },  { icmp, true, 1, false, true },
        { icmp, true, 135, true, false },  { icmp, true, 136, true, false },
        { icmp, false, 135, false, true }, /* in IPv4 this is something else */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = cases[i].make(cases[i].v6, cases[i].type);

        assert_true(is(HO_MATCH_ANY, len));
        assert_false(is(HO_MATCH_TCP, len));
        assert_int_equal(is(HO_MATCH_ND, len), cases[i].nd);
        assert_int_equal(is(HO_MATCH_ICMP, len), cases[i].icmp);
    }
    assert_true(is(HO_MATCH_ANY, arp()));
    assert_true(is(HO_MATCH_ND, arp()));
    assert_false(is(HO_MATCH_TCP, arp()));
    assert_false(is(HO_MATCH_ICMP, arp()));
    for (int v6 = 0; v6 <= 1; v6++) {
        size_t len = segment(v6 == 1, HO_TCP_ACK, 3);

        assert_true(is(HO_MATCH_ANY, len) && is(HO_MATCH_TCP, len));
        assert_false(is(HO_MATCH_ND, len) || is(HO_MATCH_ICMP, len));
    }
}

static bool flags_match(uint8_t mask, uint8_t want, uint8_t flags)
{
    const struct ho_match m = { .what = HO_MATCH_TCP, .flags_mask = mask, .flags = want };

    return ho_match_frame(&m, frame, segment(false, flags, 0));
}

static void flags_under_the_mask_must_be_those_asked_for(void **state)
{
    (void)state;

    assert_true(flags_match(HO_TCP_SYN | HO_TCP_ACK, HO_TCP_SYN, HO_TCP_SYN));
    assert_false(flags_match(HO_TCP_SYN | HO_TCP_ACK, HO_TCP_SYN, HO_TCP_SYN | HO_TCP_ACK));
    assert_true(flags_match(HO_TCP_FIN, HO_TCP_FIN, HO_TCP_FIN | HO_TCP_ACK | HO_TCP_PSH));
    assert_false(flags_match(HO_TCP_FIN, HO_TCP_FIN, HO_TCP_ACK));
    assert_true(flags_match(0, 0, HO_TCP_RST));
}

static void payload_is_asked_for_or_refused(void **state)
{
    (void)state;
    const struct ho_match with = { .what = HO_MATCH_TCP, .payload = HO_MATCH_WITH_PAYLOAD };
    const struct ho_match without = { .what = HO_MATCH_TCP, .payload = HO_MATCH_WITHOUT_PAYLOAD };

    for (int v6 = 0; v6 <= 1; v6++) {
        size_t len = segment(v6 == 1, HO_TCP_ACK, 1);
        assert_true(ho_match_frame(&with, frame, len));
        assert_false(ho_match_frame(&without, frame, len));

        len = segment(v6 == 1, HO_TCP_ACK, 0);
        assert_false(ho_match_frame(&with, frame, len));
        assert_true(ho_match_frame(&without, frame, len));
        assert_true(ho_match_frame(&without, frame, len + 6)); /* padding is no payload */
    }
}

static void shorter_frames_than_asked_for_do_not_match(void **state)
{
    (void)state;
    const struct ho_match m = { .what = HO_MATCH_TCP, .min_len = 60 };

    assert_false(ho_match_frame(&m, frame, segment(false, HO_TCP_ACK, 5)));
    assert_true(ho_match_frame(&m, frame, segment(false, HO_TCP_ACK, 6)));
}

static void broken_frames_match_nothing_in_particular(void **state)
{
    (void)state;
    size_t len = segment(false, HO_TCP_ACK, 10);

    assert_true(is(HO_MATCH_ANY, 5));
    assert_false(is(HO_MATCH_TCP, 5));
    assert_false(is(HO_MATCH_TCP, 30));
    frame[24] ^= 1; /* IPv4 checksum */
    assert_false(is(HO_MATCH_TCP, len));
    memset(frame, 0, sizeof(frame));
    assert_false(is(HO_MATCH_TCP, 100) || is(HO_MATCH_ND, 100) || is(HO_MATCH_ICMP, 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_of_frames_are_told_apart),
        cmocka_unit_test(flags_under_the_mask_must_be_those_asked_for),
        cmocka_unit_test(payload_is_asked_for_or_refused),
        cmocka_unit_test(shorter_frames_than_asked_for_do_not_match),
        cmocka_unit_test(broken_frames_match_nothing_in_particular),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
