/* Unit tests of src/wire/checksum.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "wire/checksum.h"

/* RFC 1071 1, straight from its words: 16-bit words, end-around carry, complement. */
static uint16_t by_the_book(const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* RFC 1071 3: the numerical example. */
static void example_of_rfc_1071(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

    assert_int_equal(ho_checksum(bytes, sizeof(bytes)), 0xffff - 0xddf2);
}

static void nothing_sums_to_nothing(void **state)
{
    (void)state;
    const uint8_t zeros[4] = { 0 };

    assert_int_equal(ho_checksum(zeros, 0), 0xffff);
    assert_int_equal(ho_checksum(zeros, 4), 0xffff);
}

static void odd_byte_counts_as_if_a_zero_followed(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 0x12, 0x34, 0x56, 0x00 };

    assert_int_equal(ho_checksum(bytes, 3), ho_checksum(bytes, 4));
    assert_int_equal(ho_checksum(bytes, 3), 0xffff - (0x1234 + 0x5600));
}

/* Every length and offset that the unrolled loops can meet, and the bytes that overflow most. */
static void all_lengths_and_offsets_agree_with_the_book(void **state)
{
    (void)state;
    static uint8_t bytes[2048];
    struct ho_rng rng;

    ho_rng_init(&rng, 1, 0);
    for (int pattern = 0; pattern < 4; pattern++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            uint8_t draw = (uint8_t)ho_rng_next(&rng);

            bytes[i] = pattern == 0 ? 0xff : pattern == 1 ? 0 : draw;
            if (pattern == 3) {
                bytes[i] = draw < 8 ? draw : 0xff;
            }
        }
        for (size_t len = 0; len < 1600; len++) {
            size_t offset = len % 9;

            assert_int_equal(ho_checksum(bytes + offset, len), by_the_book(bytes + offset, len));
        }
    }
}

/* As numbers of 128 bits, the first two blocks are 2^128 - 1 and 1: only the carry that runs
 * through all of the first one overflows.
 */
static void carry_through_a_whole_block_counts(void **state)
{
    (void)state;
    uint8_t bytes[40] = { [16] = 1 };

    memset(bytes, 0xff, 16);
    bytes[39] = 7;
    assert_int_equal(ho_checksum(bytes, sizeof(bytes)), by_the_book(bytes, sizeof(bytes)));
}

static void longest_input_agrees_with_the_book(void **state)
{
    (void)state;
    static uint8_t bytes[65535];

    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(ho_checksum(bytes, sizeof(bytes)), by_the_book(bytes, sizeof(bytes)));
    bytes[12345] = 0x3c;
    assert_int_equal(ho_checksum(bytes, sizeof(bytes)), by_the_book(bytes, sizeof(bytes)));
}

static void reads_nothing_outside_of_its_bytes(void **state)
{
    (void)state;

    /* AddressSanitizer guards both ends of a heap block. */
    for (size_t len = 1; len < 300; len++) {
        uint8_t *bytes = test_malloc(len);

        memset(bytes, 0x5a, len);
        assert_int_equal(ho_checksum(bytes, len), by_the_book(bytes, len));
        test_free(bytes);
    }
}

static void sums_of_even_parts_add_up(void **state)
{
    (void)state;
    uint8_t bytes[60];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 37 + 200);
    }
    for (size_t cut = 0; cut <= sizeof(bytes); cut += 2) {
        uint64_t sum = ho_sum(bytes, cut) + ho_sum(bytes + cut, sizeof(bytes) - cut);

        assert_int_equal(ho_sum_fold(sum), by_the_book(bytes, sizeof(bytes)));
    }
}

/* The pseudo-headers as bytes: RFC 9293 3.1 and RFC 8200 8.1. */
static void pseudo_headers_are_those_of_the_standards(void **state)
{
    (void)state;
    const uint8_t v4[] = { 10, 0, 0, 1, 192, 168, 255, 2, 0, 6, 0x05, 0xb4 };
    const uint8_t v6[] = { 0xfd, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  1, /* source */
                           0xfe, 0x80, 1,    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0,
                           0,    0x05, 0xb4, 0, 0, 0, 58 };
    struct ho_addr src4 = ho_addr_v4(10, 0, 0, 1), dst4 = ho_addr_v4(192, 168, 255, 2);
    struct ho_addr src6, dst6;

    memcpy(src6.b, v6, 16);
    memcpy(dst6.b, v6 + 16, 16);
    assert_int_equal(ho_sum_fold(ho_sum_pseudo(&src4, &dst4, 6, 0x5b4)),
                     by_the_book(v4, sizeof(v4)));
    assert_int_equal(ho_sum_fold(ho_sum_pseudo(&src6, &dst6, 58, 0x5b4)),
                     by_the_book(v6, sizeof(v6)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_of_rfc_1071),
        cmocka_unit_test(nothing_sums_to_nothing),
        cmocka_unit_test(odd_byte_counts_as_if_a_zero_followed),
        cmocka_unit_test(all_lengths_and_offsets_agree_with_the_book),
        cmocka_unit_test(carry_through_a_whole_block_counts),
        cmocka_unit_test(longest_input_agrees_with_the_book),
        cmocka_unit_test(reads_nothing_outside_of_its_bytes),
        cmocka_unit_test(sums_of_even_parts_add_up),
        cmocka_unit_test(pseudo_headers_are_those_of_the_standards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
