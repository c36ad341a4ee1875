/* Unit tests of src/link/switch.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "link/switch.h"
#include "wire/eth.h"

#define BROADCAST 0xff

struct rig {
    struct ho_switch s;
    struct ho_bufpool bufs;
};

static void setup(struct rig *r, unsigned ports, size_t addresses)
{
    ho_bufpool_init(&r->bufs, 16);
    assert_int_equal(ho_switch_init(&r->s, ports, addresses, &r->bufs), 0);
}

static void teardown(struct rig *r)
{
    ho_switch_destroy(&r->s);
    assert_int_equal(r->bufs.small.used, 0);
    ho_bufpool_destroy(&r->bufs);
}

static struct ho_mac mac(uint8_t n)
{
    return n == BROADCAST ? HO_MAC_BROADCAST : (struct ho_mac){ .b = { 2, 0, 0, 0, 0, n } };
}

/* A frame from station `src` to station `dst` comes in at `port`. */
static enum ho_fate input(struct rig *r, unsigned port, uint8_t src, uint8_t dst)
{
    const struct ho_wire_eth eth = { .dst = mac(dst), .src = mac(src), .type = HO_ETH_IPV4 };
    struct ho_buf *b = ho_buf_get(&r->bufs, 0, 64);

    assert_non_null(b);
    memset(ho_buf_bytes(b), src, 64);
    ho_wire_eth_write(&eth, ho_buf_bytes(b));
    b->len = 64;
    b->tag[0] = 1000u + src;
    return ho_switch_input(&r->s, port, b);
}

/* The ports that the frame leaves through, a bit each. All copies must be the frame. */
static unsigned outputs(struct rig *r, uint8_t src)
{
    unsigned ports = 0, port;

    for (struct ho_buf *b = ho_switch_output(&r->s, &port); b != NULL;
         b = ho_switch_output(&r->s, &port)) {
        assert_int_equal(ports & 1u << port, 0);
        assert_int_equal(b->len, 64);
        assert_int_equal(b->tag[0], 1000u + src);
        assert_int_equal(ho_buf_bytes(b)[63], src);
        ports |= 1u << port;
        ho_buf_put(&r->bufs, b);
    }
    return ports;
}

static void unknown_address_is_flooded_to_all_other_ports(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, 4, 8);

    assert_int_equal(input(&r, 1, 1, 2), HO_FATE_FWD);
    assert_int_equal(outputs(&r, 1), 0xd);
    assert_int_equal(r.s.count.flooded, 1);
    teardown(&r);
}

static void known_address_gets_its_port_only(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, 4, 8);

    assert_int_equal(input(&r, 3, 2, BROADCAST), HO_FATE_FWD);
    assert_int_equal(outputs(&r, 2), 0x7);
    assert_int_equal(input(&r, 1, 1, 2), HO_FATE_FWD);
    assert_int_equal(outputs(&r, 1), 1u << 3);
    assert_int_equal(input(&r, 3, 2, 1), HO_FATE_FWD);
    assert_int_equal(outputs(&r, 2), 1u << 1);
    assert_int_equal(r.s.count.forwarded, 2);
    teardown(&r);
}

static void station_that_moves_is_learned_again(void **state)
{
    (void)state;
    struct rig r;
    unsigned port = 99;
    setup(&r, 4, 8);

    assert_int_equal(input(&r, 0, 1, BROADCAST), HO_FATE_FWD);
    assert_int_equal(outputs(&r, 1), 0xe);
    assert_int_equal(input(&r, 2, 1, BROADCAST), HO_FATE_FWD);
    assert_int_equal(outputs(&r, 1), 0xb);
    struct ho_mac m = mac(1);
    assert_true(ho_switch_find(&r.s, &m, &port));
    assert_int_equal(port, 2);
    teardown(&r);
}

static void frame_for_its_own_port_is_filtered(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, 3, 8);

    assert_int_equal(input(&r, 0, 1, BROADCAST), HO_FATE_FWD);
    assert_int_equal(outputs(&r, 1), 0x6);
    assert_int_equal(input(&r, 0, 2, 1), HO_FATE_LOST);
    assert_int_equal(outputs(&r, 2), 0);
    assert_int_equal(r.s.count.filtered, 1);
    teardown(&r);
}

static void port_that_goes_down_is_forgotten_and_not_flooded(void **state)
{
    (void)state;
    struct rig r;
    unsigned port;
    setup(&r, 3, 8);

    assert_int_equal(input(&r, 2, 2, BROADCAST), HO_FATE_FWD);
    assert_int_equal(outputs(&r, 2), 0x3);
    assert_int_equal(input(&r, 1, 3, BROADCAST), HO_FATE_FWD);
    assert_int_equal(outputs(&r, 3), 0x5);
    ho_switch_port(&r.s, 2, false);
    struct ho_mac two = mac(2), three = mac(3);
    assert_false(ho_switch_find(&r.s, &two, &port));
    assert_true(ho_switch_find(&r.s, &three, &port));
    assert_int_equal(input(&r, 0, 1, 2), HO_FATE_FWD);
    assert_int_equal(outputs(&r, 1), 1u << 1);
    ho_switch_port(&r.s, 2, true);
    assert_int_equal(input(&r, 0, 1, 2), HO_FATE_FWD);
    assert_int_equal(outputs(&r, 1), 0x6);
    teardown(&r);
}

static void frame_that_has_nowhere_to_go_has_no_carrier(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, 2, 8);

    ho_switch_port(&r.s, 1, false);
    assert_int_equal(input(&r, 0, 1, 2), HO_FATE_NO_CARRIER);
    assert_int_equal(outputs(&r, 1), 0);
    assert_int_equal(input(&r, 1, 2, 1), HO_FATE_NO_CARRIER);
    assert_int_equal(r.s.count.no_port, 2);
    teardown(&r);
}

static void full_table_floods_and_counts(void **state)
{
    (void)state;
    struct rig r;
    unsigned port;
    setup(&r, 2, 4);

    for (uint8_t n = 1; n <= 6; n++) {
        assert_int_equal(input(&r, 0, n, BROADCAST), HO_FATE_FWD);
        assert_int_equal(outputs(&r, n), 2);
    }
    assert_int_equal(r.s.count.not_learned, 2);
    struct ho_mac four = mac(4), five = mac(5);
    assert_true(ho_switch_find(&r.s, &four, &port));
    assert_false(ho_switch_find(&r.s, &five, &port));
    /* The places of a port that went down are free again. */
    ho_switch_port(&r.s, 0, false);
    ho_switch_port(&r.s, 0, true);
    assert_int_equal(input(&r, 0, 5, BROADCAST), HO_FATE_FWD);
    assert_int_equal(outputs(&r, 5), 2);
    assert_true(ho_switch_find(&r.s, &five, &port));
    teardown(&r);
}

static void multicast_source_is_nobodys_address(void **state)
{
    (void)state;
    struct rig r;
    unsigned port;
    setup(&r, 2, 4);

    assert_int_equal(input(&r, 0, BROADCAST, 1), HO_FATE_FWD);
    assert_int_equal(outputs(&r, BROADCAST), 2);
    assert_false(ho_switch_find(&r.s, &HO_MAC_BROADCAST, &port));
    teardown(&r);
}

static void copies_without_memory_are_counted_and_the_last_port_is_served(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, 4, 8);
    struct ho_buf *held[16];
    int n = 0;

    for (; n < 15; n++) {
        held[n] = ho_buf_get(&r.bufs, 0, 64);
    }
    assert_int_equal(input(&r, 0, 1, BROADCAST), HO_FATE_FWD); /* the 16th, and last */
    assert_int_equal(outputs(&r, 1), 1u << 3);
    assert_int_equal(r.s.count.no_memory, 2);
    while (n > 0) {
        ho_buf_put(&r.bufs, held[--n]);
    }
    teardown(&r);
}

static void frame_without_a_header_is_dropped(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, 2, 8);
    struct ho_buf *b = ho_buf_get(&r.bufs, 0, 13);

    b->len = 13;
    assert_int_equal(ho_switch_input(&r.s, 0, b), HO_FATE_LOST);
    assert_int_equal(r.s.count.short_frame, 1);
    teardown(&r);
}

static void frame_not_yet_put_out_is_freed_with_the_switch(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, 2, 8);

    assert_int_equal(input(&r, 0, 1, 2), HO_FATE_FWD);
    teardown(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_address_is_flooded_to_all_other_ports),
        cmocka_unit_test(known_address_gets_its_port_only),
        cmocka_unit_test(station_that_moves_is_learned_again),
        cmocka_unit_test(frame_for_its_own_port_is_filtered),
        cmocka_unit_test(port_that_goes_down_is_forgotten_and_not_flooded),
        cmocka_unit_test(frame_that_has_nowhere_to_go_has_no_carrier),
        cmocka_unit_test(full_table_floods_and_counts),
        cmocka_unit_test(multicast_source_is_nobodys_address),
        cmocka_unit_test(copies_without_memory_are_counted_and_the_last_port_is_served),
        cmocka_unit_test(frame_without_a_header_is_dropped),
        cmocka_unit_test(frame_not_yet_put_out_is_freed_with_the_switch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
