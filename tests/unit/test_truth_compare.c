/* The comparison of the truth tests, tried on short scripts: one in the place of the measured
 * file, one in the place of the model.
 */

#include "support/truth_compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct pair {
    struct ho_truth_script file, model;
    struct ho_truth_result r;
};

static void parse(struct pair *p, const char *file, const char *model)
{
    assert_int_equal(ho_truth_script_parse(&p->file, file, "file"), 0);
    assert_int_equal(ho_truth_script_parse(&p->model, model, "model"), 0);
    p->r = (struct ho_truth_result){ 0 };
    ho_truth_expect(&p->file, &p->r.expected, &p->r.socks, &p->r.neighs);
    ho_truth_expect(&p->model, &p->r.got, &p->r.got_socks, &p->r.got_neighs);
}

static void compare(struct pair *p, const char *file, const char *model)
{
    parse(p, file, model);
    ho_truth_compare(&p->file, &p->r);
}

static void done(struct pair *p)
{
    ho_truth_result_free(&p->r);
    ho_truth_script_free(&p->file);
    ho_truth_script_free(&p->model);
}

static size_t differences(const char *file, const char *model, enum ho_truth_class what)
{
    struct pair p;
    compare(&p, file, model);
    size_t n = p.r.count[what];
    done(&p);
    return n;
}

#define SEG(t, flags, seq) "s " #t " s " flags " " #seq " 1 100 64 cut -\n"

static void a_segment_too_few_is_a_difference(void **state)
{
    (void)state;
    const char *file = SEG(10000, "PA", 1) SEG(216000, "PA", 1) SEG(424000, "PA", 1);
    const char *model = SEG(10000, "PA", 1) SEG(424000, "PA", 1);
    assert_int_equal(differences(file, file, HO_TRUTH_C_ORDER), 0);
    assert_int_equal(differences(file, model, HO_TRUTH_C_ORDER), 1);
    assert_int_equal(differences(model, file, HO_TRUTH_C_ORDER), 1);
}

static void other_flags_are_a_difference_on_both_sides(void **state)
{
    (void)state;
    assert_int_equal(differences(SEG(0, "A", 5), SEG(0, "PA", 5), HO_TRUTH_C_ORDER), 2);
}

static void a_segment_later_than_the_tolerance_is_late(void **state)
{
    (void)state;
    assert_int_equal(differences(SEG(0, "PA", 1), SEG(27000, "PA", 1), HO_TRUTH_C_TIME), 0);
    assert_int_equal(differences(SEG(0, "PA", 1), SEG(29000, "PA", 1), HO_TRUTH_C_TIME), 1);
    assert_int_equal(differences(SEG(29000, "PA", 1), SEG(0, "PA", 1), HO_TRUTH_C_TIME), 1);
}

/* The same where each segment of the model follows from the one before it. */
static size_t late_in_a_chain(const char *file, const char *model)
{
    struct pair p;
    parse(&p, file, model);
    for (size_t i = 1; i < p.r.got.n; i++) {
        p.r.got.r[i].why = (struct ho_truth_why){ .n = 1, .of = { (int)i - 1 } };
    }
    ho_truth_compare(&p.file, &p.r);
    size_t n = p.r.count[HO_TRUTH_C_TIME];
    done(&p);
    return n;
}

static void a_time_counts_from_the_event_that_it_follows_from(void **state)
{
    (void)state;
    const char *file = SEG(0, "PA", 1) SEG(1000000, "PA", 1) SEG(3000000, "PA", 1);
    /* Each interval is 20 ms too long. */
    const char *drifts = SEG(20000, "PA", 1) SEG(1040000, "PA", 1) SEG(3060000, "PA", 1);
    /* The second interval alone is 60 ms too long. */
    const char *jumps = SEG(0, "PA", 1) SEG(1060000, "PA", 1) SEG(3060000, "PA", 1);
    /* The same, and the third is 60 ms too short: at the file's time by two errors. */
    const char *taken_back = SEG(0, "PA", 1) SEG(1060000, "PA", 1) SEG(3000000, "PA", 1);
    assert_int_equal(late_in_a_chain(file, drifts), 0);
    assert_int_equal(late_in_a_chain(file, jumps), 1);
    assert_int_equal(late_in_a_chain(file, taken_back), 2);
    assert_int_equal(differences(file, drifts, HO_TRUTH_C_TIME), 2);
}

static void in_virtual_time_two_jiffies_are_all(void **state)
{
    (void)state;
    assert_int_equal(differences("noise 0\n" SEG(0, "PA", 1), SEG(7900, "PA", 1), HO_TRUTH_C_TIME),
                     0);
    assert_int_equal(differences("noise 0\n" SEG(0, "PA", 1), SEG(8100, "PA", 1), HO_TRUTH_C_TIME),
                     1);
}

static void what_the_model_does_after_the_end_is_not_compared(void **state)
{
    (void)state;
    assert_int_equal(differences(SEG(0, "PA", 1) "end 1000000\n",
                                 SEG(0, "PA", 1) SEG(1000001, "PA", 1), HO_TRUTH_C_ORDER),
                     0);
    assert_int_equal(differences(SEG(0, "PA", 1) "end 1000000\n",
                                 SEG(0, "PA", 1) SEG(999999, "PA", 1), HO_TRUTH_C_ORDER),
                     1);
}

static void another_window_is_told_apart(void **state)
{
    (void)state;
    const char *file = "s 0 c A 1 1 0 64 fwd 1000\n", *model = "s 0 c A 1 1 0 63 fwd 1000\n";
    assert_int_equal(differences(file, model, HO_TRUTH_C_WINDOW), 1);
    assert_int_equal(differences(file, model, HO_TRUTH_C_ORDER), 0);
}

#define PROCESS "p -1000 c\n"

static void wake_ups_of_a_stream_may_be_more_or_fewer(void **state)
{
    (void)state;
    const char *file = PROCESS "e 1000 c k IN|OUT\nc 1100 c + recv k - 300 0\n"
                               "e 2000 c k IN|OUT\nc 2100 c + recv k - 700 0\ne 2200 c k OUT\n";
    const char *model = PROCESS "e 1000 c k IN|OUT\nc 1100 c + recv k - 1000 0\n";
    const char *short_by_1 = PROCESS "e 1000 c k IN|OUT\nc 1100 c + recv k - 999 0\n";
    const char *apart = PROCESS "e 1000 c k IN|OUT\nc 1100 c + recv k - 300 0\n"
                                "e 62000 c k IN|OUT\nc 62100 c + recv k - 700 0\n";
    assert_int_equal(differences(file, model, HO_TRUTH_C_ORDER), 0);
    assert_int_equal(differences(file, short_by_1, HO_TRUTH_C_ORDER), 2);
    assert_true(differences(file, apart, HO_TRUTH_C_ORDER) > 0);
}

static void events_that_say_more_are_compared_one_by_one(void **state)
{
    (void)state;
    const char *file = PROCESS "e 1000 c k IN|OUT|ERR|HUP|RDHUP\n"
                               "c 1100 c + recv k - -1 ETIMEDOUT\n";
    const char *no_err = PROCESS "e 1000 c k IN|OUT|HUP|RDHUP\nc 1100 c + recv k - -1 ETIMEDOUT\n";
    const char *other = PROCESS "e 1000 c k IN|OUT|ERR|HUP|RDHUP\n"
                                "c 1100 c + recv k - -1 EHOSTUNREACH\n";
    assert_int_equal(differences(file, file, HO_TRUTH_C_ORDER), 0);
    assert_int_equal(differences(file, no_err, HO_TRUTH_C_ORDER), 2);
    assert_int_equal(differences(file, other, HO_TRUTH_C_ORDER), 2);
}

static void unknown_events_are_not_compared(void **state)
{
    (void)state;
    const char *file = "lacks events\n" PROCESS "e 1000 c k *\nc 1000 c + recv k - 100 0\n";
    const char *model = PROCESS "e 900 c k OUT\ne 1000 c k IN|OUT\nc 1000 c + recv k - 100 0\n";
    assert_int_equal(differences(file, model, HO_TRUTH_C_ORDER), 0);
}

static void a_blocking_call_is_compared_where_it_returned(void **state)
{
    (void)state;
    const char *file = PROCESS "c 0 c . connect k 40000 -1 ETIMEDOUT 7120000\n";
    const char *soon = PROCESS "c 0 c . connect k 40000 -1 ETIMEDOUT 3070000\n";
    assert_int_equal(differences(file, file, HO_TRUTH_C_TIME), 0);
    assert_int_equal(differences(file, soon, HO_TRUTH_C_TIME), 1);
}

static void a_sample_is_right_if_the_state_was_so_near_its_time(void **state)
{
    (void)state;
    const char *model = "k -1000000 s ESTABLISHED off 0 0 0 0 0 0 0 0 204000 0\n"
                        "k 10000 s ESTABLISHED on 0 0 0 0 0 0 0 0 204000 1\n"
                        "k 424000 s ESTABLISHED on 0 1 0 0 4 1 0 1 408000 1\n";
    assert_int_equal(
        differences("k 30000 s ESTABLISHED on 0 0 0 0 0 0 0 0 204000 1\n", model, HO_TRUTH_C_STATE),
        0);
    /* 20 ms before the model's change, and 80 ms before it. */
    assert_int_equal(differences("k 404000 s ESTABLISHED on 0 1 0 0 4 1 0 1 408000 1\n", model,
                                 HO_TRUTH_C_STATE),
                     0);
    assert_int_equal(differences("k 344000 s ESTABLISHED on 0 1 0 0 4 1 0 1 408000 1\n", model,
                                 HO_TRUTH_C_STATE),
                     1);
    assert_int_equal(differences("k 500000 s gone\n", model, HO_TRUTH_C_STATE), 1);
}

static void numbers_beside_the_state_are_details(void **state)
{
    (void)state;
    const char *file = "k 0 s ESTABLISHED on 0 1 0 0 4 1 0 1 408000 1\n";
    const char *model = "k -9000 s ESTABLISHED on 0 1 0 0 4 1 0 1 412000 1\n";
    const char *unknown = "k 0 s ESTABLISHED on 0 1 0 0 4 1 0 1 - 1\n";
    assert_int_equal(differences(file, model, HO_TRUTH_C_STATE), 0);
    assert_int_equal(differences(file, model, HO_TRUTH_C_DETAIL), 1);
    assert_int_equal(differences(unknown, model, HO_TRUTH_C_DETAIL), 0);
}

static void a_file_that_is_no_script_is_refused(void **state)
{
    (void)state;
    struct ho_truth_script s;
    assert_true(ho_truth_script_parse(&s, "s\n", "broken (this message is part of a test)") < 0);
    assert_true(ho_truth_script_read(&s, "tests/truth/no-such-file") < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_too_few_is_a_difference),
        cmocka_unit_test(other_flags_are_a_difference_on_both_sides),
        cmocka_unit_test(a_segment_later_than_the_tolerance_is_late),
        cmocka_unit_test(a_time_counts_from_the_event_that_it_follows_from),
        cmocka_unit_test(in_virtual_time_two_jiffies_are_all),
        cmocka_unit_test(what_the_model_does_after_the_end_is_not_compared),
        cmocka_unit_test(another_window_is_told_apart),
        cmocka_unit_test(wake_ups_of_a_stream_may_be_more_or_fewer),
        cmocka_unit_test(events_that_say_more_are_compared_one_by_one),
        cmocka_unit_test(unknown_events_are_not_compared),
        cmocka_unit_test(a_blocking_call_is_compared_where_it_returned),
        cmocka_unit_test(a_sample_is_right_if_the_state_was_so_near_its_time),
        cmocka_unit_test(numbers_beside_the_state_are_details),
        cmocka_unit_test(a_file_that_is_no_script_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
