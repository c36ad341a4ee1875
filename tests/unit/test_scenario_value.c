/* src/scenario/value.c: numbers with units, there and back. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scenario/syntax.h"

static const struct {
    enum ho_type type;
    const char *text;
    int64_t value;
    const char *printed;
} good[] = {
    { HO_TYPE_DURATION, "5s", 5000000000, "5s" },
    { HO_TYPE_DURATION, "0s", 0, "0s" },
    { HO_TYPE_DURATION, "1.5s", 1500000000, "1.5s" },
    { HO_TYPE_DURATION, "937.8s", 937800000000, "937.8s" },
    { HO_TYPE_DURATION, "500ms", 500000000, "500ms" },
    { HO_TYPE_DURATION, "0.5ms", 500000, "500us" },
    { HO_TYPE_DURATION, "7ns", 7, "7ns" },
    { HO_TYPE_DURATION, "2m", 120000000000, "120s" },
    { HO_TYPE_DURATION, "2min", 120000000000, "120s" },
    { HO_TYPE_DURATION, "24h", 86400000000000, "24h" },
    { HO_TYPE_DURATION, "1d", 86400000000000, "24h" },
    { HO_TYPE_DURATION, "2h11m15s", 7875000000000, "7875s" },
    { HO_TYPE_DURATION, "1.5h", 5400000000000, "5400s" },
    { HO_TYPE_DURATION, "0.000000001s", 1, "1ns" },
    { HO_TYPE_BYTES, "1000", 1000, "1000" },
    { HO_TYPE_BYTES, "64k", 65536, "64k" },
    { HO_TYPE_BYTES, "1.5k", 1536, "1536" },
    { HO_TYPE_BYTES, "10M", 10485760, "10M" },
    { HO_TYPE_RATE, "10Mbit", 10000000, "10Mbit" },
    { HO_TYPE_RATE, "1.5Gbit", 1500000000, "1500Mbit" },
    { HO_TYPE_PERCENT, "1%", 10000, "1%" },
    { HO_TYPE_PERCENT, "0.01%", 100, "0.01%" },
    { HO_TYPE_PERCENT, "100%", 1000000, "100%" },
    { HO_TYPE_HZ, "exact", 0, "exact" },
    { HO_TYPE_HZ, "1000", 1000, "1000" },
    { HO_TYPE_PORT, "65535", 65535, "65535" },
    { HO_TYPE_COUNT, "1", 1, "1" },
    { HO_TYPE_NUMBER, "9223372036854775807", INT64_MAX, "9223372036854775807" },
};

static const struct {
    enum ho_type type;
    const char *text;
} bad[] = {
    { HO_TYPE_DURATION, "5" },
    { HO_TYPE_DURATION, "" },
    { HO_TYPE_DURATION, "s" },
    { HO_TYPE_DURATION, "-1s" },
    { HO_TYPE_DURATION, "1.s" },
    { HO_TYPE_DURATION, ".5s" },
    { HO_TYPE_DURATION, "5 s" },
    { HO_TYPE_DURATION, "5sec" },
    { HO_TYPE_DURATION, "15s11m" },        /* units must fall */
    { HO_TYPE_DURATION, "1s1s" },          /* and not repeat */
    { HO_TYPE_DURATION, "0.5ns" },         /* finer than the clock */
    { HO_TYPE_DURATION, "1.0000000001s" }, /* more digits than nanoseconds have */
    { HO_TYPE_DURATION, "3651d" },         /* more than ten years */
    { HO_TYPE_DURATION, "99999999999999999999s" },
    { HO_TYPE_BYTES, "10MB" },
    { HO_TYPE_BYTES, "0.3" },
    { HO_TYPE_RATE, "10" },
    { HO_TYPE_RATE, "2000Gbit" },
    { HO_TYPE_PERCENT, "101%" },
    { HO_TYPE_PERCENT, "0.00001%" },
    { HO_TYPE_HZ, "500" },
    { HO_TYPE_PORT, "0" },
    { HO_TYPE_PORT, "65536" },
    { HO_TYPE_COUNT, "0" },
    { HO_TYPE_COUNT, "4294967296" },
    { HO_TYPE_NUMBER, "9223372036854775808" },
    { HO_TYPE_NUMBER, "0x10" },
};

static void values_read_as_their_smallest_unit(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t v = -1;
        if (ho_value_read(good[i].type, good[i].text, &v) != 0) {
            fail_msg("%s was refused", good[i].text);
        }
        assert_int_equal(v, good[i].value);
    }
}

static void values_print_as_they_are_best_read(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct ho_text t = { 0 };
        int64_t again = -1;
        ho_value_print(&t, good[i].type, good[i].value);
        assert_string_equal(ho_text_str(&t), good[i].printed);
        assert_int_equal(ho_value_read(good[i].type, ho_text_str(&t), &again), 0);
        assert_int_equal(again, good[i].value);
        ho_text_free(&t);
    }
}

static void what_is_no_value_is_refused_and_nothing_changes(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t v = 42;
        if (ho_value_read(bad[i].type, bad[i].text, &v) != -EINVAL) {
            fail_msg("%s was taken", bad[i].text);
        }
        assert_int_equal(v, 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_read_as_their_smallest_unit),
        cmocka_unit_test(values_print_as_they_are_best_read),
        cmocka_unit_test(what_is_no_value_is_refused_and_nothing_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
