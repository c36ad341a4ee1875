/* Unit tests of src/link/cable.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "link/cable.h"
#include "wire/eth.h"

#define A 0u
#define B 1u
#define MS 1000000LL

/* A cable with pools of its own; frames are numbered in tag[0]. */
struct rig {
    struct ho_cable c;
    struct ho_bufpool bufs;
    struct ho_pool flights;
    uint32_t sent;
};

static void setup(struct rig *r, struct ho_cable_conf conf, uint64_t seed)
{
    const struct ho_cable_conf both[HO_CABLE_ENDS] = { conf, conf };

    memset(r, 0, sizeof(*r));
    ho_bufpool_init(&r->bufs, 100000);
    ho_pool_init(&r->flights, sizeof(struct ho_flight), 100000);
    ho_cable_init(&r->c, both, seed, 10, &r->bufs, &r->flights);
}

/* Everything comes back to the pools, whatever happened before. */
static void teardown(struct rig *r)
{
    ho_cable_destroy(&r->c);
    assert_int_equal(r->bufs.small.used, 0);
    assert_int_equal(r->bufs.large.used, 0);
    assert_int_equal(r->flights.used, 0);
    ho_bufpool_destroy(&r->bufs);
    ho_pool_destroy(&r->flights);
}

static struct ho_time at(int64_t ns)
{
    return (struct ho_time){ .ns = ns };
}

/* An IPv4 frame of `len` bytes, the next in number. */
static struct ho_buf *frame(struct rig *r, uint16_t len)
{
    struct ho_buf *b = ho_buf_get(&r->bufs, 0, len);

    assert_non_null(b);
    memset(ho_buf_bytes(b), 0, len);
    ho_buf_bytes(b)[12] = 0x08;
    b->len = len;
    b->tag[0] = ++r->sent;
    return b;
}

static enum ho_fate send_at(struct rig *r, unsigned end, int64_t ns)
{
    return ho_cable_send(&r->c, end, frame(r, 100), at(ns));
}

/* The number of the next frame that has arrived at `end`, 0 if none has. */
static uint32_t arrived(struct rig *r, unsigned end)
{
    struct ho_buf *b = ho_cable_receive(&r->c, end);
    uint32_t n = b != NULL ? b->tag[0] : 0;

    ho_buf_put(&r->bufs, b);
    return n;
}

/* The number of the next frame lost under way, 0 if none was. */
static uint32_t lost(struct rig *r, enum ho_fate *ret_fate)
{
    struct ho_buf *b = ho_cable_lost(&r->c, ret_fate);
    uint32_t n = b != NULL ? b->tag[0] : 0;

    ho_buf_put(&r->bufs, b);
    return n;
}

static void frame_arrives_after_the_delay_at_the_other_end(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, (struct ho_cable_conf){ .delay = { 5 * MS } }, 1);

    assert_int_equal(ho_cable_deadline(&r.c).ns, HO_NEVER.ns);
    assert_int_equal(send_at(&r, A, 1 * MS), HO_FATE_FWD);
    assert_int_equal(send_at(&r, B, 2 * MS), HO_FATE_FWD);
    assert_int_equal(ho_cable_deadline(&r.c).ns, 6 * MS);
    ho_cable_tick(&r.c, at(6 * MS - 1));
    assert_int_equal(arrived(&r, B), 0);
    ho_cable_tick(&r.c, at(6 * MS));
    assert_int_equal(arrived(&r, B), 1);
    assert_int_equal(arrived(&r, A), 0);
    assert_int_equal(ho_cable_deadline(&r.c).ns, 7 * MS);
    ho_cable_tick(&r.c, at(7 * MS));
    assert_int_equal(arrived(&r, A), 2);
    assert_int_equal(ho_cable_deadline(&r.c).ns, HO_NEVER.ns);
    teardown(&r);
}

static void bytes_arrive_as_they_were_sent(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, (struct ho_cable_conf){ .delay = { 0 } }, 1);
    struct ho_buf *b = frame(&r, 1514);

    for (int i = 0; i < 1514; i++) {
        ho_buf_bytes(b)[i] = (uint8_t)(i * 7);
    }
    assert_int_equal(ho_cable_send(&r.c, A, b, at(3)), HO_FATE_FWD);
    ho_cable_tick(&r.c, at(3));
    b = ho_cable_receive(&r.c, B);
    assert_int_equal(b->len, 1514);
    for (int i = 0; i < 1514; i++) {
        assert_int_equal(ho_buf_bytes(b)[i], (uint8_t)(i * 7));
    }
    ho_buf_put(&r.bufs, b);
    teardown(&r);
}

static void equal_times_keep_the_order_of_sending(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, (struct ho_cable_conf){ .delay = { MS } }, 1);

    for (int i = 0; i < 50; i++) {
        assert_int_equal(send_at(&r, A, 0), HO_FATE_FWD);
    }
    ho_cable_tick(&r.c, at(MS));
    for (uint32_t i = 1; i <= 50; i++) {
        assert_int_equal(arrived(&r, B), i);
    }
    teardown(&r);
}

/* 125 bytes are 1000 bits: 1 ms at 1 Mbit/s. */
static void rate_spaces_frames_out(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, (struct ho_cable_conf){ .delay = { MS }, .rate_bps = 1000000, .queue = 10 }, 1);

    for (int i = 0; i < 3; i++) {
        assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 125), at(0)), HO_FATE_FWD);
    }
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(ho_cable_deadline(&r.c).ns, (1 + (int64_t)i) * MS);
        ho_cable_tick(&r.c, at((1 + (int64_t)i) * MS));
        assert_int_equal(arrived(&r, B), i);
    }
    /* The other direction has a rate of its own. */
    assert_int_equal(ho_cable_send(&r.c, B, frame(&r, 125), at(4 * MS)), HO_FATE_FWD);
    assert_int_equal(ho_cable_deadline(&r.c).ns, 6 * MS);
    teardown(&r);
}

static void full_queue_is_a_counted_drop(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, (struct ho_cable_conf){ .rate_bps = 1000000, .queue = 2 }, 1);

    /* One is being transmitted, two wait. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 125), at(0)), HO_FATE_FWD);
    }
    assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 125), at(0)), HO_FATE_QUEUE);
    assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 125), at(MS - 1)), HO_FATE_QUEUE);
    assert_int_equal(r.c.way[A].count.fate[HO_FATE_QUEUE], 2);
    /* The second begins, which leaves room for one. */
    assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 125), at(MS)), HO_FATE_FWD);
    assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 125), at(MS)), HO_FATE_QUEUE);
    ho_cable_tick(&r.c, at(4 * MS));
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(arrived(&r, B) > 0);
    }
    assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 125), at(5 * MS)), HO_FATE_FWD);
    assert_int_equal(ho_cable_deadline(&r.c).ns, 6 * MS);
    teardown(&r);
}

static void queue_of_0_lets_one_frame_through_at_a_time(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, (struct ho_cable_conf){ .rate_bps = 1000000 }, 1);

    assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 125), at(0)), HO_FATE_FWD);
    assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 125), at(MS - 1)), HO_FATE_QUEUE);
    assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 125), at(MS)), HO_FATE_FWD);
    teardown(&r);
}

/* Ground truth s04_bulk_permarp_1s: what was under way at the cut was "lost in flight". */
static void cut_takes_what_is_under_way_and_what_enters(void **state)
{
    (void)state;
    struct rig r;
    enum ho_fate fate;
    setup(&r, (struct ho_cable_conf){ .delay = { 20 * MS } }, 1);

    assert_int_equal(send_at(&r, A, 0), HO_FATE_FWD);      /* 1: arrives at the very moment */
    assert_int_equal(send_at(&r, A, 1), HO_FATE_FWD);      /* 2 */
    assert_int_equal(send_at(&r, B, 5 * MS), HO_FATE_FWD); /* 3 */
    ho_cable_cut(&r.c, HO_CABLE_BOTH_WAYS, at(20 * MS));
    assert_int_equal(lost(&r, &fate), 2);
    assert_int_equal(fate, HO_FATE_CUT);
    assert_int_equal(lost(&r, &fate), 3);
    assert_int_equal(lost(&r, &fate), 0);
    assert_int_equal(arrived(&r, B), 1);
    assert_int_equal(send_at(&r, A, 21 * MS), HO_FATE_CUT);
    assert_int_equal(send_at(&r, B, 21 * MS), HO_FATE_CUT);
    assert_int_equal(ho_cable_deadline(&r.c).ns, HO_NEVER.ns);
    assert_int_equal(r.c.way[A].count.cut_under_way, 1);
    assert_true(ho_cable_carrier(&r.c, A) && ho_cable_carrier(&r.c, B));

    ho_cable_plug(&r.c, at(30 * MS));
    assert_int_equal(send_at(&r, A, 30 * MS), HO_FATE_FWD);
    assert_int_equal(ho_cable_deadline(&r.c).ns, 50 * MS);
    teardown(&r);
}

static void half_cut_lets_the_other_direction_pass(void **state)
{
    (void)state;
    struct rig r;
    enum ho_fate fate;
    setup(&r, (struct ho_cable_conf){ .delay = { 20 * MS } }, 1);

    assert_int_equal(send_at(&r, A, 0), HO_FATE_FWD);
    assert_int_equal(send_at(&r, B, 0), HO_FATE_FWD);
    ho_cable_cut(&r.c, 1u << A, at(MS));
    assert_int_equal(lost(&r, &fate), 1);
    assert_int_equal(lost(&r, &fate), 0);
    assert_int_equal(send_at(&r, A, 2 * MS), HO_FATE_CUT);
    assert_int_equal(send_at(&r, B, 2 * MS), HO_FATE_FWD);
    ho_cable_tick(&r.c, at(22 * MS));
    assert_int_equal(arrived(&r, A), 2);
    assert_int_equal(arrived(&r, A), 4);
    teardown(&r);
}

/* Ground truth row 3d: the end that is unplugged loses carrier, the other one does not. */
static void unplugged_end_loses_carrier_alone(void **state)
{
    (void)state;
    struct rig r;
    enum ho_fate fate;
    setup(&r, (struct ho_cable_conf){ .delay = { 20 * MS } }, 1);

    assert_int_equal(send_at(&r, A, 0), HO_FATE_FWD); /* already out of the plug */
    assert_int_equal(send_at(&r, B, 0), HO_FATE_FWD);
    ho_cable_unplug(&r.c, A, at(MS));
    assert_false(ho_cable_carrier(&r.c, A));
    assert_true(ho_cable_carrier(&r.c, B));
    assert_int_equal(lost(&r, &fate), 2);
    assert_int_equal(fate, HO_FATE_NO_CARRIER);
    assert_int_equal(lost(&r, &fate), 0);
    assert_int_equal(send_at(&r, A, MS), HO_FATE_NO_CARRIER);
    assert_int_equal(send_at(&r, B, MS), HO_FATE_NO_CARRIER);
    ho_cable_tick(&r.c, at(20 * MS));
    assert_int_equal(arrived(&r, B), 1);
    assert_int_equal(r.c.way[A].count.fate[HO_FATE_NO_CARRIER], 1);

    ho_cable_plug(&r.c, at(30 * MS));
    assert_true(ho_cable_carrier(&r.c, A));
    assert_int_equal(send_at(&r, B, 30 * MS), HO_FATE_FWD);
    teardown(&r);
}

static void device_without_power_takes_carrier_from_both_ends(void **state)
{
    (void)state;
    struct rig r;
    enum ho_fate fate;
    setup(&r, (struct ho_cable_conf){ .delay = { 20 * MS } }, 1);

    assert_int_equal(send_at(&r, B, 0), HO_FATE_FWD);
    ho_cable_power(&r.c, A, false, at(MS));
    assert_false(ho_cable_carrier(&r.c, A) || ho_cable_carrier(&r.c, B));
    assert_int_equal(lost(&r, &fate), 1);
    assert_int_equal(fate, HO_FATE_NO_CARRIER);
    assert_int_equal(send_at(&r, B, MS), HO_FATE_NO_CARRIER);
    ho_cable_plug(&r.c, at(2 * MS)); /* a plug gives no power */
    assert_false(ho_cable_carrier(&r.c, B));
    ho_cable_power(&r.c, A, true, at(3 * MS));
    assert_true(ho_cable_carrier(&r.c, A) && ho_cable_carrier(&r.c, B));
    teardown(&r);
}

static void waiting_frames_are_lost_with_the_cable_and_free_the_queue(void **state)
{
    (void)state;
    struct rig r;
    enum ho_fate fate;
    setup(&r, (struct ho_cable_conf){ .rate_bps = 1000, .queue = 2 }, 1);

    for (int i = 0; i < 3; i++) {
        assert_int_equal(send_at(&r, A, 0), HO_FATE_FWD);
    }
    assert_int_equal(send_at(&r, A, 0), HO_FATE_QUEUE);
    ho_cable_cut(&r.c, HO_CABLE_BOTH_WAYS, at(1));
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(lost(&r, &fate), i);
    }
    ho_cable_plug(&r.c, at(2));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send_at(&r, A, 3), HO_FATE_FWD);
    }
    assert_int_equal(ho_cable_deadline(&r.c).ns, 3 + 800 * MS); /* 800 bits, nothing before them */
    teardown(&r);
}

static void known_delay_replaces_the_cables_own(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, (struct ho_cable_conf){ .delay = { 20 * MS }, .rate_bps = 1 }, 1);

    assert_int_equal(ho_cable_send_delayed(&r.c, A, frame(&r, 100), at(0), ho_us(1050)),
                     HO_FATE_FWD);
    assert_int_equal(ho_cable_send_delayed(&r.c, A, frame(&r, 100), at(10), ho_us(900)),
                     HO_FATE_FWD);
    assert_int_equal(ho_cable_deadline(&r.c).ns, 900010);
    ho_cable_tick(&r.c, at(2 * MS));
    assert_int_equal(arrived(&r, B), 2);
    assert_int_equal(arrived(&r, B), 1);
    ho_cable_cut(&r.c, 1u << A, at(2 * MS));
    assert_int_equal(ho_cable_send_delayed(&r.c, A, frame(&r, 100), at(2 * MS), ho_us(1)),
                     HO_FATE_CUT);
    teardown(&r);
}

static void order_drops_the_next_frames_that_match(void **state)
{
    (void)state;
    struct rig r;
    const struct ho_match any = { .what = HO_MATCH_ANY };
    const struct ho_match long_ones = { .what = HO_MATCH_ANY, .min_len = 200 };
    setup(&r, (struct ho_cable_conf){ .delay = { MS } }, 1);

    assert_int_equal(ho_cable_drop_next(&r.c, 1u << A, &long_ones, 2), 0);
    assert_int_equal(ho_cable_drop_next(&r.c, 1u << B, &any, 1), 0);
    assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 199), at(0)), HO_FATE_FWD);
    assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 200), at(0)), HO_FATE_LOST);
    assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 300), at(0)), HO_FATE_LOST);
    assert_int_equal(ho_cable_send(&r.c, A, frame(&r, 300), at(0)), HO_FATE_FWD);
    assert_int_equal(ho_cable_send(&r.c, B, frame(&r, 60), at(0)), HO_FATE_LOST);
    assert_int_equal(ho_cable_send(&r.c, B, frame(&r, 60), at(0)), HO_FATE_FWD);
    assert_int_equal(r.c.way[A].count.dropped, 2);
    assert_int_equal(r.c.way[A].count.fate[HO_FATE_LOST], 2);
    teardown(&r);
}

static void order_for_both_directions_counts_them_together(void **state)
{
    (void)state;
    struct rig r;
    const struct ho_match any = { .what = HO_MATCH_ANY };
    setup(&r, (struct ho_cable_conf){ .delay = { MS } }, 1);

    assert_int_equal(ho_cable_drop_next(&r.c, HO_CABLE_BOTH_WAYS, &any, 2), 0);
    assert_int_equal(send_at(&r, A, 0), HO_FATE_LOST);
    assert_int_equal(send_at(&r, B, 0), HO_FATE_LOST);
    assert_int_equal(send_at(&r, A, 0), HO_FATE_FWD);
    teardown(&r);
}

static void frame_counts_for_the_oldest_order_only(void **state)
{
    (void)state;
    struct rig r;
    const struct ho_match any = { .what = HO_MATCH_ANY };
    setup(&r, (struct ho_cable_conf){ .delay = { MS } }, 1);

    assert_int_equal(ho_cable_drop_next(&r.c, 1u << A, &any, 1), 0);
    assert_int_equal(ho_cable_drop_next(&r.c, 1u << A, &any, 1), 0);
    assert_int_equal(send_at(&r, A, 0), HO_FATE_LOST);
    assert_int_equal(send_at(&r, A, 0), HO_FATE_LOST);
    assert_int_equal(send_at(&r, A, 0), HO_FATE_FWD);
    teardown(&r);
}

static void orders_are_bounded_and_free_their_place(void **state)
{
    (void)state;
    struct rig r;
    const struct ho_match any = { .what = HO_MATCH_ANY };
    setup(&r, (struct ho_cable_conf){ .delay = { MS } }, 1);

    for (int i = 0; i < HO_CABLE_DROPS; i++) {
        assert_int_equal(ho_cable_drop_next(&r.c, 1u << A, &any, 1), 0);
    }
    assert_int_equal(ho_cable_drop_next(&r.c, 1u << A, &any, 1), -ENOSPC);
    assert_int_equal(send_at(&r, A, 0), HO_FATE_LOST);
    assert_int_equal(ho_cable_drop_next(&r.c, 1u << A, &any, 1), 0);
    for (int i = 0; i < HO_CABLE_DROPS; i++) {
        assert_int_equal(send_at(&r, A, 0), HO_FATE_LOST);
    }
    assert_int_equal(send_at(&r, A, 0), HO_FATE_FWD);
    teardown(&r);
}

static void frames_at_a_cut_do_not_use_up_an_order(void **state)
{
    (void)state;
    struct rig r;
    const struct ho_match any = { .what = HO_MATCH_ANY };
    setup(&r, (struct ho_cable_conf){ .delay = { MS } }, 1);

    assert_int_equal(ho_cable_drop_next(&r.c, 1u << A, &any, 1), 0);
    ho_cable_cut(&r.c, 1u << A, at(0));
    assert_int_equal(send_at(&r, A, 0), HO_FATE_CUT);
    ho_cable_plug(&r.c, at(0));
    assert_int_equal(send_at(&r, A, 0), HO_FATE_LOST);
    teardown(&r);
}

/* With n = 100,000 and p = 1 %, the standard deviation is 31.5: five of them are 157. */
static void accidents_happen_as_often_as_asked_for(void **state)
{
    (void)state;
    struct rig r;
    setup(
        &r,
        (struct ho_cable_conf){
            .loss_ppm = 10000, .duplicate_ppm = 10000, .corrupt_ppm = 10000, .reorder_ppm = 10000 },
        7);
    const struct ho_cable_count *n = &r.c.way[A].count;
    uint64_t received = 0;

    for (int i = 0; i < 100000; i++) {
        (void)send_at(&r, A, i * MS);
        ho_cable_tick(&r.c, at(i * MS));
        while (arrived(&r, B) != 0) {
            received++;
        }
    }
    ho_cable_tick(&r.c, at(200000 * MS));
    while (arrived(&r, B) != 0) {
        received++;
    }

    uint64_t lost_ones = n->fate[HO_FATE_LOST] - n->corrupted;
    assert_in_range(lost_ones, 1000 - 157, 1000 + 157);
    assert_in_range(n->corrupted, 1000 - 157, 1000 + 157);
    assert_in_range(n->duplicated, 1000 - 157, 1000 + 157);
    assert_in_range(n->reordered, 1000 - 157, 1000 + 157);
    assert_int_equal(received, 100000 - lost_ones + n->duplicated);
    teardown(&r);
}

static void certain_accidents_always_happen(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, (struct ho_cable_conf){ .loss_ppm = 1000000 }, 1);

    for (int i = 0; i < 1000; i++) {
        assert_int_equal(send_at(&r, A, i), HO_FATE_LOST);
    }
    assert_int_equal(ho_cable_deadline(&r.c).ns, HO_NEVER.ns);
    teardown(&r);
}

static void duplicate_arrives_right_after_its_original(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, (struct ho_cable_conf){ .delay = { MS }, .duplicate_ppm = 1000000 }, 1);

    assert_int_equal(send_at(&r, A, 0), HO_FATE_FWD);
    assert_int_equal(send_at(&r, A, 0), HO_FATE_FWD);
    ho_cable_tick(&r.c, at(MS));
    assert_int_equal(arrived(&r, B), 1);
    assert_int_equal(arrived(&r, B), 1);
    assert_int_equal(arrived(&r, B), 2);
    assert_int_equal(arrived(&r, B), 2);
    assert_int_equal(arrived(&r, B), 0);
    teardown(&r);
}

static void corruption_turns_one_bit_of_an_ip_packet(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, (struct ho_cable_conf){ .corrupt_ppm = 1000000 }, 3);

    for (int i = 0; i < 200; i++) {
        unsigned turned = 0;

        assert_int_equal(send_at(&r, A, i), HO_FATE_LOST);
        ho_cable_tick(&r.c, at(i));
        struct ho_buf *b = ho_cable_receive(&r.c, B);
        assert_non_null(b);
        for (int k = 0; k < b->len; k++) {
            uint8_t sent = k == 12 ? 0x08 : 0;

            for (unsigned diff = ho_buf_bytes(b)[k] ^ sent; diff != 0; diff &= diff - 1) {
                assert_true(k >= HO_ETH_HEADER);
                turned++;
            }
        }
        assert_int_equal(turned, 1);
        ho_buf_put(&r.bufs, b);
    }
    teardown(&r);
}

/* ARP has no checksum: Ethernet's own would have found the damage. */
static void corrupted_arp_does_not_arrive(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, (struct ho_cable_conf){ .corrupt_ppm = 1000000 }, 3);
    struct ho_buf *b = frame(&r, 42);

    ho_buf_bytes(b)[13] = 0x06;
    assert_int_equal(ho_cable_send(&r.c, A, b, at(0)), HO_FATE_LOST);
    assert_int_equal(ho_cable_deadline(&r.c).ns, HO_NEVER.ns);
    teardown(&r);
}

static void reordered_frame_is_late_by_up_to_its_delay(void **state)
{
    (void)state;
    struct rig r;
    setup(&r, (struct ho_cable_conf){ .delay = { 10 * MS }, .reorder_ppm = 1000000 }, 5);
    int64_t least = INT64_MAX, most = 0;

    for (int64_t i = 0; i < 2000; i++) {
        int64_t now = i * 100 * MS;

        assert_int_equal(send_at(&r, A, now), HO_FATE_FWD);
        int64_t late = ho_cable_deadline(&r.c).ns - now - 10 * MS;
        least = late < least ? late : least;
        most = late > most ? late : most;
        ho_cable_tick(&r.c, at(now + 20 * MS));
        assert_true(arrived(&r, B) > 0);
    }
    assert_in_range(least, 1, MS);
    assert_in_range(most, 9 * MS, 10 * MS);
    teardown(&r);
}

/* Everything that random numbers touch, as one number. */
static uint64_t trace(uint64_t seed)
{
    struct rig r;
    uint64_t hash = 14695981039346656037u;
    setup(&r,
          (struct ho_cable_conf){ .delay = { 3 * MS },
                                  .loss_ppm = 50000,
                                  .duplicate_ppm = 50000,
                                  .corrupt_ppm = 50000,
                                  .reorder_ppm = 200000 },
          seed);

    for (int64_t i = 0; i < 3000; i++) {
        hash = (hash ^ send_at(&r, (unsigned)i % 2, i * MS / 3)) * 1099511628211u;
        hash = (hash ^ (uint64_t)ho_cable_deadline(&r.c).ns) * 1099511628211u;
        ho_cable_tick(&r.c, at(i * MS / 3));
        for (unsigned end = 0; end < 2; end++) {
            for (uint32_t n = arrived(&r, end); n != 0; n = arrived(&r, end)) {
                hash = (hash ^ n ^ (uint64_t)end << 40) * 1099511628211u;
            }
        }
    }
    teardown(&r);
    return hash;
}

static void same_seed_has_the_same_accidents(void **state)
{
    (void)state;

    assert_true(trace(1) == trace(1));
    assert_true(trace(1) != trace(2));
}

static void directions_do_not_disturb_each_other(void **state)
{
    (void)state;
    const struct ho_cable_conf conf = { .loss_ppm = 300000 };
    struct rig alone, both;
    setup(&alone, conf, 9);
    setup(&both, conf, 9);

    for (int i = 0; i < 1000; i++) {
        (void)send_at(&both, B, i);
        assert_int_equal(send_at(&both, A, i), send_at(&alone, A, i));
    }
    teardown(&alone);
    teardown(&both);
}

static void directions_have_accidents_of_their_own(void **state)
{
    (void)state;
    struct rig r;
    int differ = 0;
    setup(&r, (struct ho_cable_conf){ .loss_ppm = 500000 }, 9);

    for (int i = 0; i < 1000; i++) {
        differ += send_at(&r, A, i) != send_at(&r, B, i);
    }
    assert_in_range(differ, 500 - 80, 500 + 80); /* 5 standard deviations of 15.8 */
    teardown(&r);
}

static void full_pool_of_flights_is_a_counted_drop(void **state)
{
    (void)state;
    const struct ho_cable_conf conf[2] = { { .delay = { MS } }, { .delay = { MS } } };
    struct rig r;
    setup(&r, conf[0], 1);
    ho_pool_destroy(&r.flights);
    ho_pool_init(&r.flights, sizeof(struct ho_flight), 2);
    ho_cable_init(&r.c, conf, 1, 1, &r.bufs, &r.flights);

    assert_int_equal(send_at(&r, A, 0), HO_FATE_FWD);
    assert_int_equal(send_at(&r, B, 0), HO_FATE_FWD);
    assert_int_equal(send_at(&r, A, 0), HO_FATE_LOST);
    assert_int_equal(r.c.way[A].count.no_memory, 1);
    ho_cable_tick(&r.c, at(MS));
    assert_int_equal(send_at(&r, A, MS), HO_FATE_FWD);
    teardown(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_arrives_after_the_delay_at_the_other_end),
        cmocka_unit_test(bytes_arrive_as_they_were_sent),
        cmocka_unit_test(equal_times_keep_the_order_of_sending),
        cmocka_unit_test(rate_spaces_frames_out),
        cmocka_unit_test(full_queue_is_a_counted_drop),
        cmocka_unit_test(queue_of_0_lets_one_frame_through_at_a_time),
        cmocka_unit_test(cut_takes_what_is_under_way_and_what_enters),
        cmocka_unit_test(half_cut_lets_the_other_direction_pass),
        cmocka_unit_test(unplugged_end_loses_carrier_alone),
        cmocka_unit_test(device_without_power_takes_carrier_from_both_ends),
        cmocka_unit_test(waiting_frames_are_lost_with_the_cable_and_free_the_queue),
        cmocka_unit_test(known_delay_replaces_the_cables_own),
        cmocka_unit_test(order_drops_the_next_frames_that_match),
        cmocka_unit_test(order_for_both_directions_counts_them_together),
        cmocka_unit_test(frame_counts_for_the_oldest_order_only),
        cmocka_unit_test(orders_are_bounded_and_free_their_place),
        cmocka_unit_test(frames_at_a_cut_do_not_use_up_an_order),
        cmocka_unit_test(accidents_happen_as_often_as_asked_for),
        cmocka_unit_test(certain_accidents_always_happen),
        cmocka_unit_test(duplicate_arrives_right_after_its_original),
        cmocka_unit_test(corruption_turns_one_bit_of_an_ip_packet),
        cmocka_unit_test(corrupted_arp_does_not_arrive),
        cmocka_unit_test(reordered_frame_is_late_by_up_to_its_delay),
        cmocka_unit_test(same_seed_has_the_same_accidents),
        cmocka_unit_test(directions_do_not_disturb_each_other),
        cmocka_unit_test(directions_have_accidents_of_their_own),
        cmocka_unit_test(full_pool_of_flights_is_a_counted_drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
