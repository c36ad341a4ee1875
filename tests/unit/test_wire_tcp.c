/* Unit tests of src/wire/tcp.c. Segments marked as captured are what a Linux 6.18 host put on a
 * TAP device.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/tcp.h"

/* Captured: 10.0.0.1:40000 to 10.0.0.2:5000. */
static const uint8_t linux_syn[] = {
    0x9c, 0x40, 0x13, 0x88, 0xb7, 0x3b, 0x6d, 0x1a, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x02,
    0xfa, 0xf0, 0xf0, 0x83, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a,
    0x71, 0xd4, 0x02, 0x93, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x0a,
};

static void assert_same(const struct ho_wire_tcp *a, const struct ho_wire_tcp *b)
{
    assert_int_equal(a->sport, b->sport);
    assert_int_equal(a->dport, b->dport);
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->ack, b->ack);
    assert_int_equal(a->window, b->window);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->has_mss, b->has_mss);
    assert_int_equal(a->mss, b->mss);
    assert_int_equal(a->has_wscale, b->has_wscale);
    assert_int_equal(a->wscale, b->wscale);
    assert_int_equal(a->sack_ok, b->sack_ok);
    assert_int_equal(a->has_ts, b->has_ts);
    assert_int_equal(a->ts_val, b->ts_val);
    assert_int_equal(a->ts_ecr, b->ts_ecr);
    assert_int_equal(a->n_sack, b->n_sack);
    assert_memory_equal(a->sack, b->sack, sizeof(a->sack));
    assert_int_equal(a->payload_len, b->payload_len);
}

static void linux_syn_is_read_field_by_field(void **state)
{
    (void)state;
    struct ho_wire_tcp s;
    size_t header;

    assert_int_equal(ho_wire_tcp_read(&s, &header, linux_syn, sizeof(linux_syn)), 0);
    assert_int_equal(header, 40);
    assert_int_equal(s.sport, 40000);
    assert_int_equal(s.dport, 5000);
    assert_int_equal(s.seq, 0xb73b6d1a);
    assert_int_equal(s.ack, 0);
    assert_int_equal(s.flags, HO_TCP_SYN);
    assert_int_equal(s.window, 64240);
    assert_true(s.has_mss && s.sack_ok && s.has_ts && s.has_wscale);
    assert_int_equal(s.mss, 1460);
    assert_int_equal(s.wscale, 10);
    assert_int_equal(s.ts_val, 0x71d40293);
    assert_int_equal(s.ts_ecr, 0);
    assert_int_equal(s.n_sack, 0);
    assert_int_equal(s.payload_len, 0);
}

static void linux_syn_is_written_back_byte_by_byte(void **state)
{
    (void)state;
    const struct ho_addr src = ho_addr_v4(10, 0, 0, 1), dst = ho_addr_v4(10, 0, 0, 2);
    struct ho_wire_tcp s;
    size_t header;
    uint8_t bytes[HO_TCP_HEADER_MAX];

    assert_int_equal(ho_wire_tcp_read(&s, &header, linux_syn, sizeof(linux_syn)), 0);
    assert_int_equal(ho_wire_tcp_size(&s), sizeof(linux_syn));
    ho_wire_tcp_write(&s, bytes);
    assert_int_equal(bytes[16] | bytes[17], 0);
    uint16_t sum = ho_wire_tcp_checksum(&src, &dst, bytes, sizeof(linux_syn));
    bytes[16] = (uint8_t)(sum >> 8);
    bytes[17] = (uint8_t)sum;
    assert_memory_equal(bytes, linux_syn, sizeof(linux_syn));
}

static void checksum_finds_every_turned_bit(void **state)
{
    (void)state;
    const struct ho_addr src = ho_addr_v4(10, 0, 0, 1), dst = ho_addr_v4(10, 0, 0, 2);
    uint8_t bytes[sizeof(linux_syn)];

    assert_int_equal(ho_wire_tcp_checksum(&src, &dst, linux_syn, sizeof(linux_syn)), 0);
    for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
        memcpy(bytes, linux_syn, sizeof(bytes));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(ho_wire_tcp_checksum(&src, &dst, bytes, sizeof(bytes)), 0);
    }
    assert_int_not_equal(ho_wire_tcp_checksum(&src, &src, linux_syn, sizeof(linux_syn)), 0);
}

/* The layouts that Linux writes, option by option. */
static void options_are_in_the_order_and_padding_of_linux(void **state)
{
    (void)state;
    const struct {
        struct ho_wire_tcp s;
        size_t len;
        uint8_t options[40];
    } cases[] = {
        { { .flags = HO_TCP_ACK, .has_ts = true, .ts_val = 0x01020304, .ts_ecr = 5 },
          12,
          { 1, 1, 8, 10, 1, 2, 3, 4, 0, 0, 0, 5 } },
        { { .flags = HO_TCP_SYN, .has_mss = true, .mss = 536 }, 4, { 2, 4, 2, 24 } },
        { { .flags = HO_TCP_SYN, .has_mss = true, .mss = 1460, .sack_ok = true },
          8,
          { 2, 4, 5, 180, 1, 1, 4, 2 } },
        { { .flags = HO_TCP_SYN, .has_mss = true, .mss = 1460, .has_wscale = true, .wscale = 7 },
          8,
          { 2, 4, 5, 180, 1, 3, 3, 7 } },
        { { .flags = HO_TCP_SYN, .has_mss = true, .mss = 1460, .has_ts = true, .ts_val = 1 },
          16,
          { 2, 4, 5, 180, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0 } },
        { { .flags = HO_TCP_ACK, .n_sack = 1, .sack = { { 0x10, 0x20 } } },
          12,
          { 1, 1, 5, 10, 0, 0, 0, 0x10, 0, 0, 0, 0x20 } },
        { { .flags = HO_TCP_ACK,
            .has_ts = true,
            .n_sack = 3,
            .sack = { { 1, 2 }, { 3, 4 }, { 5, 6 } } },
          40,
          { 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 5, 26, 0, 0, 0, 1,
            0, 0, 0, 2,  0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5,  0, 0, 0, 6 } },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[HO_TCP_HEADER_MAX];

        assert_int_equal(ho_wire_tcp_size(&cases[i].s), 20 + cases[i].len);
        ho_wire_tcp_write(&cases[i].s, bytes);
        assert_int_equal(bytes[12], (20 + cases[i].len) / 4 << 4);
        assert_memory_equal(bytes + 20, cases[i].options, cases[i].len);
    }
}

static void everything_survives_writing_and_reading(void **state)
{
    (void)state;
    const struct ho_wire_tcp s = {
        .sport = 1,
        .dport = 65535,
        .seq = 0xfffffff0,
        .ack = 0x80000000,
        .window = 501,
        .flags = HO_TCP_ACK | HO_TCP_PSH | HO_TCP_FIN | HO_TCP_CWR,
        .has_ts = true,
        .ts_val = 0xffffffff,
        .ts_ecr = 0x12345678,
        .n_sack = 2,
        .sack = { { 0xfffffff8, 4 }, { 100, 200 } },
        .payload_len = 3,
    };
    struct ho_wire_tcp back;
    size_t header;
    uint8_t bytes[HO_TCP_HEADER_MAX + 3] = { 0 };

    size_t size = ho_wire_tcp_size(&s);
    ho_wire_tcp_write(&s, bytes);
    assert_int_equal(ho_wire_tcp_read(&back, &header, bytes, size + 3), 0);
    assert_int_equal(header, size);
    assert_same(&back, &s);
}

/* A segment with these option bytes, padded with "end of options". */
static struct ho_wire_tcp with_options(uint8_t flags, const char *options, size_t len)
{
    struct ho_wire_tcp s;
    size_t header;
    uint8_t bytes[HO_TCP_HEADER_MAX] = { [13] = flags };
    size_t size = HO_TCP_HEADER + (len + 3) / 4 * 4;

    bytes[12] = (uint8_t)(size / 4 << 4);
    memcpy(bytes + HO_TCP_HEADER, options, len);
    assert_int_equal(ho_wire_tcp_read(&s, &header, bytes, size), 0);
    assert_int_equal(header, size);
    return s;
}

#define WITH(flags, options) with_options(flags, options, sizeof(options) - 1)

static void unknown_options_are_skipped(void **state)
{
    (void)state;
    struct ho_wire_tcp s = WITH(HO_TCP_SYN, "\x1e\x04"
                                            "ab"
                                            "\x02\x04\x05\xb4\x13\x05"
                                            "abc");

    assert_true(s.has_mss);
    assert_int_equal(s.mss, 1460);
}

static void broken_option_ends_the_list(void **state)
{
    (void)state;

    assert_false(WITH(HO_TCP_SYN, "\x1e\x00\x02\x04\x05\xb4").has_mss); /* length 0 */
    assert_false(WITH(HO_TCP_SYN, "\x1e\x01\x02\x04\x05\xb4").has_mss); /* length 1 */
    assert_false(WITH(HO_TCP_SYN, "\x1e\x28\x02\x04\x05\xb4").has_mss); /* beyond the header */
    assert_true(WITH(HO_TCP_SYN, "\x02\x04\x05\xb4\x1e\x28").has_mss);  /* what was before stays */
    assert_false(WITH(HO_TCP_SYN, "\x01\x01\x01\x02").has_mss);         /* no length at all */
}

static void options_after_the_end_are_not_read(void **state)
{
    (void)state;

    assert_false(WITH(HO_TCP_SYN, "\x00\x02\x04\x05\xb4").has_mss);
}

static void option_of_the_wrong_length_is_skipped(void **state)
{
    (void)state;
    struct ho_wire_tcp s = WITH(HO_TCP_SYN, "\x02\x03\x05\x03\x04\x0a\x0a\x04\x03\x01"
                                            "\x08\x09"
                                            "1234567\x02\x04\x05\xb4");

    assert_false(s.has_wscale || s.has_ts || s.sack_ok);
    assert_int_equal(s.mss, 1460);
    assert_int_equal(WITH(HO_TCP_ACK, "\x05\x09"
                                      "1234567")
                         .n_sack,
                     0);
}

/* RFC 7323 2.3. */
static void window_scale_above_14_is_read_as_14(void **state)
{
    (void)state;

    assert_int_equal(WITH(HO_TCP_SYN, "\x03\x03\x0e").wscale, 14);
    assert_int_equal(WITH(HO_TCP_SYN, "\x03\x03\x0f").wscale, 14);
    assert_int_equal(WITH(HO_TCP_SYN, "\x03\x03\xff").wscale, 14);
}

/* RFC 9293 3.1, RFC 7323 2.2, RFC 2018 2 and 3. */
static void options_of_the_handshake_count_on_a_syn_only(void **state)
{
    (void)state;
    struct ho_wire_tcp s = WITH(HO_TCP_ACK, "\x02\x04\x05\xb4\x03\x03\x07\x04\x02");

    assert_false(s.has_mss || s.has_wscale || s.sack_ok);
    assert_int_equal(WITH(HO_TCP_SYN, "\x05\x0a"
                                      "12345678")
                         .n_sack,
                     0);
}

static void four_sack_blocks_fill_the_header(void **state)
{
    (void)state;
    struct ho_wire_tcp s = { .flags = HO_TCP_ACK, .n_sack = 4 }, back;
    size_t header;
    uint8_t bytes[HO_TCP_HEADER_MAX];

    for (uint32_t i = 0; i < 4; i++) {
        s.sack[i] = (struct ho_tcp_sack){ i * 10, i * 10 + 5 };
    }
    assert_int_equal(ho_wire_tcp_size(&s), 56);
    ho_wire_tcp_write(&s, bytes);
    assert_int_equal(ho_wire_tcp_read(&back, &header, bytes, 56), 0);
    assert_same(&back, &s);
}

static void of_several_sack_options_the_last_counts(void **state)
{
    (void)state;
    struct ho_wire_tcp s = WITH(HO_TCP_ACK, "\x05\x12"
                                            "aaaabbbbccccdddd"
                                            "\x05\x0a"
                                            "eeeeffff");

    assert_int_equal(s.n_sack, 1);
    assert_int_equal(s.sack[0].from, 0x65656565);
    assert_int_equal(s.sack[1].from, 0);
}

static void segment_shorter_than_its_header_is_refused(void **state)
{
    (void)state;
    struct ho_wire_tcp s, before;
    size_t header = 77;
    uint8_t bytes[HO_TCP_HEADER_MAX] = { 0 };

    memset(&s, 0x5a, sizeof(s));
    before = s;
    for (unsigned words = 0; words < 16; words++) {
        bytes[12] = (uint8_t)(words << 4);
        size_t len = words * 4 > 0 ? words * 4 - 1 : 0;

        assert_int_equal(ho_wire_tcp_read(&s, &header, bytes, len), -EBADMSG);
        assert_int_equal(ho_wire_tcp_fault(bytes, len),
                         len < 20 ? HO_WIRE_DROP_TCP_SHORT : HO_WIRE_DROP_TCP_OFFSET);
    }
    bytes[12] = 4 << 4; /* a header without all of its fields */
    assert_int_equal(ho_wire_tcp_read(&s, &header, bytes, 60), -EBADMSG);
    assert_memory_equal(&s, &before, sizeof(s));
    assert_int_equal(header, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_syn_is_read_field_by_field),
        cmocka_unit_test(linux_syn_is_written_back_byte_by_byte),
        cmocka_unit_test(checksum_finds_every_turned_bit),
        cmocka_unit_test(options_are_in_the_order_and_padding_of_linux),
        cmocka_unit_test(everything_survives_writing_and_reading),
        cmocka_unit_test(unknown_options_are_skipped),
        cmocka_unit_test(broken_option_ends_the_list),
        cmocka_unit_test(options_after_the_end_are_not_read),
        cmocka_unit_test(option_of_the_wrong_length_is_skipped),
        cmocka_unit_test(window_scale_above_14_is_read_as_14),
        cmocka_unit_test(options_of_the_handshake_count_on_a_syn_only),
        cmocka_unit_test(four_sack_blocks_fill_the_header),
        cmocka_unit_test(of_several_sack_options_the_last_counts),
        cmocka_unit_test(segment_shorter_than_its_header_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
