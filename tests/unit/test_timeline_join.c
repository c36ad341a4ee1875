/* Unit tests of src/timeline/join*.c: several hand-made timelines beside one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "timeline/join.h"
#include "timeline_make.h"

static struct ho_timeline model, twin, kernel, other;
static struct ho_comparison first, second, bases;
static struct ho_join_side side[2];
static struct ho_join j;

static int set_up(void **state)
{
    (void)state;
    ho_timeline_init(&model, 0);
    ho_timeline_init(&twin, 0);
    ho_timeline_init(&kernel, 0);
    ho_timeline_init(&other, 0);
    j = (struct ho_join){ .name = NULL };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ho_join_free(&j);
    ho_comparison_free(&first);
    ho_comparison_free(&second);
    ho_comparison_free(&bases);
    ho_timeline_destroy(&model);
    ho_timeline_destroy(&twin);
    ho_timeline_destroy(&kernel);
    ho_timeline_destroy(&other);
    return 0;
}

static void compare(const struct ho_timeline *a, const struct ho_timeline *b,
                    struct ho_comparison *ret)
{
    const struct ho_compare_opts opts = { .tolerance = ho_ms(10) };

    assert_int_equal(ho_compare(a, b, &opts, ret), 0);
}

/* Both sides beside the model itself. */
static void join_both(void)
{
    compare(&model, &kernel, &first);
    compare(&model, &other, &second);
    side[0] = (struct ho_join_side){ .name = "kernel", .c = &first };
    side[1] = (struct ho_join_side){ .name = "virtual-kernel", .c = &second };
    assert_int_equal(ho_join(&j, "model", side, 2), 0);
}

static void expect_table(bool differences, const char *expected)
{
    struct ho_text out = { 0 };

    ho_join_table(&out, &j, differences);
    assert_string_equal(ho_text_str(&out), expected);
    ho_text_free(&out);
}

/* Data into a cut cable, once more, and the error. */
static void make_story(struct ho_timeline *tl, int64_t later_ms)
{
    make_fault(tl, 1000, "", "cut", "lan");
    make_seg(tl, 1010, "server", "PA", 1, 1, 1000, HO_FATE_CUT);
    make_seg(tl, 1216 + later_ms, "server", "PA", 1, 1, 1000, HO_FATE_CUT);
    make_call(tl, 7650 + later_ms, "server", "recv", -1, "ETIMEDOUT");
}

static void each_engine_has_its_column(void **state)
{
    (void)state;
    make_story(&model, 0);
    make_story(&kernel, 2);
    make_story(&other, 0);
    join_both();
    assert_int_equal(j.n, 3);
    assert_int_equal(ho_join_status(&j, &j.row[1]), HO_COMPARE_SAME);
    expect_table(true, "");
    expect_table(
        false, "           model        kernel   difference  virtual-kernel   difference  host    "
               "   what\n"
               "        0.010000      0.010000     0.000 ms        0.010000     0.000 ms  server  "
               "   PA 1 +1000 ack 1, cut\n"
               "        0.216000      0.218000    +2.000 ms        0.216000     0.000 ms  server  "
               "   PA 1 +1000 ack 1, cut\n"
               "        6.650000      6.652000    +2.000 ms        6.650000     0.000 ms  server  "
               "   recv = -1 ETIMEDOUT\n");
}

static void the_side_that_differs_is_marked(void **state)
{
    (void)state;
    make_story(&model, 0);
    make_story(&kernel, 0);
    make_story(&other, 40);
    kernel.rec[3].u.app.err = "EHOSTUNREACH";
    join_both();
    assert_int_equal(ho_join_status(&j, &j.row[0]), HO_COMPARE_SAME);
    assert_int_equal(ho_join_status(&j, &j.row[1]), HO_COMPARE_TIME);
    assert_int_equal(ho_join_status(&j, &j.row[2]), HO_COMPARE_OTHER);
    expect_table(
        true, "           model        kernel   difference  virtual-kernel   difference  host    "
              "   what\n"
              "!       0.216000      0.216000     0.000 ms        0.256000 ! +40.000 ms  server  "
              "   PA 1 +1000 ack 1, cut\n"
              "!       6.650000      6.650000   ! 0.000 ms        6.690000 ! +40.000 ms  server  "
              "   recv = -1 ETIMEDOUT | kernel: recv = -1 EHOSTUNREACH\n");
}

static void what_one_lacks_is_said_with_its_name(void **state)
{
    (void)state;
    make_story(&model, 0);
    make_story(&kernel, 0);
    make_fault(&other, 1000, "", "cut", "lan");
    make_seg(&other, 1010, "server", "PA", 1, 1, 1000, HO_FATE_CUT);
    make_call(&other, 7650, "server", "recv", -1, "ETIMEDOUT");
    join_both();
    assert_int_equal(j.n, 3);
    expect_table(
        true, "           model        kernel   difference  virtual-kernel   difference  host    "
              "   what\n"
              "!       0.216000      0.216000     0.000 ms               -           !   server  "
              "   not in virtual-kernel: PA 1 +1000 ack 1, cut\n");
}

/* Both kernels send once more: that is one line, not two. */
static void what_all_sides_have_and_the_base_lacks_is_one_row(void **state)
{
    (void)state;
    make_story(&model, 0);
    make_story(&kernel, 0);
    make_story(&other, 0);
    make_seg(&kernel, 8000, "server", "R", 1001, 0, 0, HO_FATE_CUT);
    make_seg(&other, 8003, "server", "R", 1001, 0, 0, HO_FATE_CUT);
    make_seg(&other, 60000, "server", "R", 1001, 0, 0, HO_FATE_CUT);
    join_both();
    assert_int_equal(j.n, 5);
    assert_null(j.row[3].base);
    assert_non_null(ho_join_of(&j.row[3], 0));
    assert_non_null(ho_join_of(&j.row[3], 1));
    assert_null(ho_join_of(&j.row[4], 0));
    assert_int_equal(ho_join_record(&j, &j.row[4])->t.ns, 60000 * MAKE_MS);
}

/* The second kernel's twin has other times, the same story: its rows are where the first's are. */
static void a_side_with_a_base_of_its_own_stands_in_the_rows_of_the_base(void **state)
{
    (void)state;
    const struct ho_compare_opts far_apart = { .tolerance = ho_s(60) };

    make_story(&model, 0);
    make_story(&kernel, 0);
    make_story(&twin, 500);
    make_story(&other, 502);
    compare(&model, &kernel, &first);
    compare(&twin, &other, &second);
    assert_int_equal(ho_compare(&model, &twin, &far_apart, &bases), 0);
    side[0] = (struct ho_join_side){ .name = "kernel", .c = &first };
    side[1] = (struct ho_join_side){ .name = "virtual-kernel", .c = &second, .base = &bases };
    assert_int_equal(ho_join(&j, "model", side, 2), 0);
    assert_int_equal(j.n, 3);
    for (size_t i = 0; i < j.n; i++) {
        assert_int_equal(ho_join_status(&j, &j.row[i]), HO_COMPARE_SAME);
    }
    assert_int_equal(j.row[2].base_ns, 6650 * MAKE_MS);
    assert_int_equal(j.row[2].side[1]->b_ns, 7152 * MAKE_MS);
    assert_int_equal(j.row[2].side[1]->apart_ns, 2 * MAKE_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_engine_has_its_column, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_side_that_differs_is_marked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_one_lacks_is_said_with_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_all_sides_have_and_the_base_lacks_is_one_row, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_side_with_a_base_of_its_own_stands_in_the_rows_of_the_base, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
