/* Unit tests of src/play/frames.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "play/frames.h"
#include "support/play_rig.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip.h"

/* Gives the frame to the trace; it must not become a record. */
static void is_left_out(struct play_rig *r)
{
    assert_int_equal(ho_trace_frame_sent(&r->tr, CLIENT, r->frame, r->len), 0);
    assert_int_equal(r->tl.n, 0);
}

static void numbers_are_relative_to_each_side_s_first(void **state)
{
    struct play_rig r;
    const struct ho_rec_seg *s;

    (void)state;
    play_rig_init(&r, false);
    s = &play_rig_sends(&r, CLIENT,
                        (struct ho_wire_tcp){ .flags = HO_TCP_SYN,
                                              .seq = 0xfffffffeu,
                                              .has_ts = true,
                                              .ts_val = 5000,
                                              .has_wscale = true,
                                              .wscale = 7 })
             ->u.seg;
    assert_int_equal(s->seq, 0);
    assert_int_equal(s->ts_val, 0);
    assert_int_equal(s->shift, 0);
    play_rig_sends(&r, SERVER,
                   (struct ho_wire_tcp){ .flags = HO_TCP_SYN | HO_TCP_ACK,
                                         .seq = 9000,
                                         .ack = 0xffffffffu,
                                         .has_ts = true,
                                         .ts_val = 77,
                                         .ts_ecr = 5000,
                                         .has_wscale = true,
                                         .wscale = 10 });
    s = &play_rig_sends(&r, CLIENT,
                        (struct ho_wire_tcp){ .flags = HO_TCP_ACK,
                                              .seq = 9,
                                              .ack = 9001,
                                              .has_ts = true,
                                              .ts_val = 5012,
                                              .ts_ecr = 79,
                                              .payload_len = 3 })
             ->u.seg;
    assert_int_equal(s->seq, 11); /* beyond the wrap */
    assert_int_equal(s->ack, 1);
    assert_int_equal(s->ts_val, 12);
    assert_int_equal(s->ts_ecr, 2);
    assert_int_equal(s->shift, 7);
    assert_int_equal(s->len, 3);
    play_rig_free(&r);
}

static void a_connection_first_met_in_its_middle_begins_there(void **state)
{
    struct play_rig r;
    const struct ho_record *rec;

    (void)state;
    play_rig_init(&r, false);
    rec = play_rig_sends(&r, CLIENT,
                         (struct ho_wire_tcp){ .flags = HO_TCP_ACK, .seq = 500, .payload_len = 9 });
    assert_int_equal(rec->u.seg.seq, 1);
    assert_int_equal(rec->u.seg.ack, 0);
    play_rig_free(&r);
}

static void a_lost_frame_has_its_fate_and_place(void **state)
{
    struct play_rig r;
    const struct ho_rec_seg *s;

    (void)state;
    play_rig_init(&r, false);
    s = &play_rig_sends(&r, CLIENT, (struct ho_wire_tcp){ .flags = HO_TCP_SYN })->u.seg;
    ho_trace_frame_lost(&r.tr, 1, HO_FATE_CUT, "lan");
    assert_int_equal(s->fate, HO_FATE_CUT);
    assert_string_equal(s->via, "lan");
    play_rig_free(&r);
}

static void the_loss_of_a_copy_does_not_undo_an_arrival(void **state)
{
    struct play_rig r;
    const struct ho_rec_seg *s;

    (void)state;
    play_rig_init(&r, false);
    s = &play_rig_sends(&r, CLIENT, (struct ho_wire_tcp){ .flags = HO_TCP_SYN })->u.seg;
    play_rig_at(&r, 3);
    ho_trace_frame_arrived(&r.tr, 1);
    ho_trace_frame_lost(&r.tr, 1, HO_FATE_CUT, "lan");
    assert_int_equal(s->fate, HO_FATE_FWD);
    assert_int_equal(s->dt_deliver.ns, 3000000);
    play_rig_at(&r, 4); /* a second copy arrives */
    ho_trace_frame_arrived(&r.tr, 1);
    assert_int_equal(s->dt_deliver.ns, 3000000);
    play_rig_free(&r);
}

static void what_was_not_recorded_has_no_fate(void **state)
{
    struct play_rig r;

    (void)state;
    play_rig_init(&r, false);
    ho_trace_frame_lost(&r.tr, 0, HO_FATE_CUT, "lan");
    ho_trace_frame_arrived(&r.tr, 0);
    assert_int_equal(r.tl.n, 0);
    play_rig_free(&r);
}

/* An ICMPv6 message of this type with `len` bytes in all; the checksum is right. */
static void icmp6(struct play_rig *r, const char *src, const char *dst, uint8_t type)
{
    uint8_t body[16] = { 0 };
    uint8_t bytes[64];
    struct ho_addr from, to;
    struct ho_wire_icmp m = {
        .kind = HO_ICMP_OTHER, .type = type, .body = body, .body_len = sizeof(body)
    };

    assert_int_equal(ho_addr_parse(&from, src), 0);
    assert_int_equal(ho_addr_parse(&to, dst), 0);
    ho_wire_icmp_write(&m, &from, &to, bytes);
    play_rig_ipv6(r, src, dst, HO_IP_ICMPV6, bytes, ho_wire_icmp_size(&m));
}

/* RFC 2710 3.1, RFC 3810 5, RFC 4861 4.1 and 4.2. */
static void listener_reports_and_router_discovery_are_noise(void **state)
{
    static const uint8_t types[] = { 130, 131, 132, 143, 133, 134 };
    struct play_rig r;

    (void)state;
    play_rig_init(&r, false);
    for (size_t i = 0; i < sizeof(types); i++) {
        icmp6(&r, "fe80::1", "ff02::16", types[i]);
        is_left_out(&r);
        assert_int_equal(r.tr.count.noise, i + 1);
    }
    assert_int_equal(r.tr.count.unread, 0);
    play_rig_free(&r);
}

static uint32_t solicit(struct play_rig *r, const char *src)
{
    struct ho_wire_icmp m = { .kind = HO_ICMP_NEIGH_SOLICIT };
    struct ho_addr from, to;
    char text[HO_ADDR_TEXT];
    uint8_t bytes[64];

    assert_int_equal(ho_addr_parse(&m.target, "fd00::2"), 0);
    assert_int_equal(ho_addr_parse(&from, src), 0);
    to = ho_addr_solicited_node(&m.target);
    ho_wire_icmp_write(&m, &from, &to, bytes);
    play_rig_ipv6(r, src, ho_addr_text(&to, text), HO_IP_ICMPV6, bytes, ho_wire_icmp_size(&m));
    return ho_trace_frame_sent(&r->tr, CLIENT, r->frame, r->len);
}

/* RFC 4862 5.4.2: from the unspecified address. */
static void duplicate_address_detection_is_noise_and_a_question_is_not(void **state)
{
    struct play_rig r;

    (void)state;
    play_rig_init(&r, false);
    assert_int_equal(solicit(&r, "::"), 0);
    assert_int_equal(r.tr.count.noise, 1);
    assert_int_equal(solicit(&r, "fe80::1"), 1);
    assert_int_equal(play_rig_last(&r)->kind, HO_REC_ND);
    assert_true(play_rig_last(&r)->u.nd.multicast);
    play_rig_free(&r);
}

/* RFC 5227 2.1.1: the sender's address is all zero. */
static void an_arp_probe_is_noise(void **state)
{
    struct play_rig r;
    const struct ho_wire_eth eth = { .dst = HO_MAC_BROADCAST, .type = HO_ETH_ARP };
    struct ho_wire_arp a = { .sender = ho_addr_v4(0, 0, 0, 0), .target = ho_addr_v4(10, 0, 0, 1) };

    (void)state;
    play_rig_init(&r, false);
    ho_wire_eth_write(&eth, r.frame);
    ho_wire_arp_write(&a, r.frame + HO_ETH_HEADER);
    r.len = HO_ETH_HEADER + HO_ARP_SIZE;
    is_left_out(&r);
    assert_int_equal(r.tr.count.noise, 1);
    play_rig_free(&r);
}

static void other_protocols_are_counted(void **state)
{
    struct play_rig r;
    const uint8_t udp[8] = { 0 };

    (void)state;
    play_rig_init(&r, false);
    play_rig_ipv6(&r, "fd00::1", "fd00::2", HO_IP_UDP, udp, sizeof(udp));
    is_left_out(&r);
    r.frame[12] = 0x88; /* LLDP */
    r.frame[13] = 0xcc;
    is_left_out(&r);
    assert_int_equal(r.tr.count.other, 2);
    play_rig_free(&r);
}

static void a_frame_that_ends_too_soon_is_counted(void **state)
{
    struct play_rig r;
    size_t whole;

    (void)state;
    play_rig_init(&r, false);
    play_rig_segment(&r, CLIENT, (struct ho_wire_tcp){ .flags = HO_TCP_SYN });
    whole = r.len;
    for (r.len = 0; r.len < whole; r.len++) {
        is_left_out(&r);
        assert_int_equal(r.tr.count.unread, r.len + 1);
    }
    play_rig_free(&r);
}

/* Whatever the bytes are: a record or a count. */
static void any_bytes_are_a_record_or_are_counted(void **state)
{
    struct play_rig r;
    struct ho_rng rng;
    uint64_t left_out, frames = 20000;

    (void)state;
    play_rig_init(&r, true);
    ho_rng_init(&rng, 1, 1);
    for (uint64_t i = 0; i < frames; i++) {
        play_rig_segment(&r, i % 2 == 0 ? CLIENT : SERVER,
                         (struct ho_wire_tcp){ .flags = (uint8_t)ho_rng_next(&rng),
                                               .seq = (uint32_t)ho_rng_next(&rng),
                                               .n_sack = (uint8_t)(ho_rng_next(&rng) % 4),
                                               .has_ts = (ho_rng_next(&rng) & 1) != 0 });
        for (unsigned k = 0; k < 4; k++) {
            r.frame[12 + ho_rng_next(&rng) % (r.len - 12)] = (uint8_t)ho_rng_next(&rng);
        }
        ho_trace_frame_sent(&r.tr, (uint16_t)(i % 2), r.frame, r.len);
        ho_trace_lo_sent(&r.tr, CLIENT, r.frame + HO_ETH_HEADER, r.len - HO_ETH_HEADER);
    }
    left_out = r.tr.count.unread + r.tr.count.noise + r.tr.count.other;
    assert_int_equal(r.tl.n + left_out, 2 * frames);
    assert_true(r.tl.n > 100);
    assert_true(left_out > 100);
    play_rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_relative_to_each_side_s_first),
        cmocka_unit_test(a_connection_first_met_in_its_middle_begins_there),
        cmocka_unit_test(a_lost_frame_has_its_fate_and_place),
        cmocka_unit_test(the_loss_of_a_copy_does_not_undo_an_arrival),
        cmocka_unit_test(what_was_not_recorded_has_no_fate),
        cmocka_unit_test(listener_reports_and_router_discovery_are_noise),
        cmocka_unit_test(duplicate_address_detection_is_noise_and_a_question_is_not),
        cmocka_unit_test(an_arp_probe_is_noise),
        cmocka_unit_test(other_protocols_are_counted),
        cmocka_unit_test(a_frame_that_ends_too_soon_is_counted),
        cmocka_unit_test(any_bytes_are_a_record_or_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
