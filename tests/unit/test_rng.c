/* Unit tests of src/base/rng.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

/* The authors' xoshiro256starstar.c from the state 1, 2, 3, 4. */
static void sequence_is_xoshiro256_starstar(void **state)
{
    (void)state;
    static const uint64_t want[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    struct ho_rng r = { .s = { 1, 2, 3, 4 } };

    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_true(ho_rng_next(&r) == want[i]);
    }
}

/* The authors' splitmix64.c from 1234567; stream 0 is the seed alone. */
static void seed_goes_through_splitmix64(void **state)
{
    (void)state;
    struct ho_rng r;

    ho_rng_init(&r, 1234567, 0);

    assert_true(r.s[0] == UINT64_C(6457827717110365317));
    assert_true(r.s[1] == UINT64_C(3203168211198807973));
    assert_true(r.s[2] == UINT64_C(9817491932198370423));
    assert_true(r.s[3] == UINT64_C(4593380528125082431));
}

static void same_seed_and_stream_give_the_same_sequence(void **state)
{
    (void)state;
    struct ho_rng a;
    struct ho_rng b;

    ho_rng_init(&a, 7, 3);
    ho_rng_init(&b, 7, 3);

    for (int i = 0; i < 100; i++) {
        assert_true(ho_rng_next(&a) == ho_rng_next(&b));
    }
}

static void streams_of_one_seed_differ_from_the_first_number(void **state)
{
    (void)state;
    uint64_t first[100];

    for (uint64_t stream = 0; stream < 100; stream++) {
        struct ho_rng r;
        ho_rng_init(&r, 1, stream);
        first[stream] = ho_rng_next(&r);
        for (uint64_t other = 0; other < stream; other++) {
            assert_true(first[stream] != first[other]);
        }
    }
}

static void below_stays_below_and_reaches_every_value(void **state)
{
    (void)state;
    struct ho_rng r;
    int seen[7] = { 0 };

    ho_rng_init(&r, 1, 1);
    for (int i = 0; i < 7000; i++) {
        uint64_t x = ho_rng_below(&r, 7);
        assert_true(x < 7);
        seen[x]++;
    }
    for (int i = 0; i < 7; i++) {
        /* 1000 expected, standard deviation 29: 5 of them */
        assert_in_range(seen[i], 855, 1145);
    }
    assert_true(ho_rng_below(&r, 1) == 0);
}

/* Two thirds of 2^64: a plain modulo would give the lower half of the range twice as often. */
static void below_has_no_modulo_bias(void **state)
{
    (void)state;
    const uint64_t bound = UINT64_MAX / 3 * 2;
    struct ho_rng r;
    int low = 0;

    ho_rng_init(&r, 2, 1);
    for (int i = 0; i < 10000; i++) {
        low += ho_rng_below(&r, bound) < bound / 2;
    }
    assert_in_range(low, 4750, 5250); /* 5000 expected, standard deviation 50; biased: 6667 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_is_xoshiro256_starstar),
        cmocka_unit_test(seed_goes_through_splitmix64),
        cmocka_unit_test(same_seed_and_stream_give_the_same_sequence),
        cmocka_unit_test(streams_of_one_seed_differ_from_the_first_number),
        cmocka_unit_test(below_stays_below_and_reaches_every_value),
        cmocka_unit_test(below_has_no_modulo_bias),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
