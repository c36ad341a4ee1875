/* Unit tests of src/timeline/compare*.c: two hand-made timelines side by side. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "timeline/compare.h"
#include "timeline_make.h"

static struct ho_timeline a, b;
static struct ho_comparison c;

static int set_up(void **state)
{
    (void)state;
    ho_timeline_init(&a, 0);
    ho_timeline_init(&b, 0);
    c = (struct ho_comparison){ 0 };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ho_comparison_free(&c);
    ho_timeline_destroy(&a);
    ho_timeline_destroy(&b);
    return 0;
}

/* A cut at `cut_ms`, data into it, and what follows; the third sending `late_ms` later. */
static void make_story(struct ho_timeline *tl, int64_t cut_ms, int64_t late_ms)
{
    make_fault(tl, cut_ms, "", "cut", "lan");
    make_seg(tl, cut_ms + 10, "server", "PA", 1, 1, 1000, HO_FATE_CUT);
    make_seg(tl, cut_ms + 216, "server", "PA", 1, 1, 1000, HO_FATE_CUT);
    make_seg(tl, cut_ms + 424 + late_ms, "server", "PA", 1, 1, 1000, HO_FATE_CUT);
    make_seg(tl, cut_ms + 840 + late_ms, "server", "PA", 1, 1, 1000, HO_FATE_CUT);
    make_call(tl, cut_ms + 6650 + late_ms, "server", "recv", -1, "ETIMEDOUT");
}

static void compare(const struct ho_compare_opts *opts)
{
    ho_comparison_free(&c);
    assert_int_equal(ho_compare(&a, &b, opts, &c), 0);
}

static void the_same_story_told_later_is_the_same(void **state)
{
    (void)state;
    const struct ho_compare_opts opts = { .fault = "cut" };
    struct ho_text out = { 0 };

    make_story(&a, 1000, 0);
    make_story(&b, 77000, 0);
    compare(&opts);
    assert_int_equal(c.n, 5);
    assert_int_equal(c.same, 5);
    assert_int_equal(c.first, c.n);
    assert_int_equal(c.worst_ns, 0);
    ho_comparison_text(&out, &c, "model", "Linux", true);
    assert_string_equal(ho_text_str(&out), "model and Linux agree within 0 s (5 events)\n");
    ho_text_free(&out);
}

static void times_beyond_the_tolerance_are_differences(void **state)
{
    (void)state;
    struct ho_compare_opts opts = { .tolerance = ho_ms(12) };

    make_story(&a, 1000, 0);
    make_story(&b, 1000, 12);
    compare(&opts);
    assert_int_equal(c.first, c.n); /* 12 ms are allowed */
    assert_int_equal(c.worst_ns, 12 * MAKE_MS);
    opts.tolerance.ns--;
    compare(&opts);
    assert_int_equal(c.same, 2);
    assert_int_equal(c.row[c.first].status, HO_COMPARE_TIME);
    assert_int_equal(c.row[c.first].a_ns, 424 * MAKE_MS);
    assert_int_equal(c.row[c.first].b_ns, 436 * MAKE_MS);
}

static void by_interval_one_late_timer_is_one_difference(void **state)
{
    (void)state;
    const struct ho_compare_opts opts = { .tolerance = ho_ms(1), .by_interval = true };

    make_story(&a, 1000, 0);
    make_story(&b, 1000, 12);
    compare(&opts);
    assert_int_equal(c.same, 4);
    assert_int_equal(c.row[c.first].apart_ns, 12 * MAKE_MS);
}

/* The wheel's steps at 250 Hz are 256 ms for a wait of 5.8 s, 4 ms for one of 208 ms
 * (ground-truth A1).
 */
static void a_step_of_the_wheel_is_told_apart(void **state)
{
    (void)state;
    struct ho_compare_opts opts = { .tolerance = ho_ms(12), .by_interval = true, .wheel_hz = 250 };

    make_story(&a, 1000, 0);
    make_story(&b, 1000, 0);
    b.rec[b.n - 1].t.ns += 268 * MAKE_MS;
    compare(&opts);
    assert_int_equal(c.first, c.n);
    assert_int_equal(c.same, 4);
    assert_int_equal(c.steps, 1);
    assert_int_equal(c.worst_ns, 0);
    assert_int_equal(c.worst_step_ns, 268 * MAKE_MS);
    assert_int_equal(c.row[c.n - 1].status, HO_COMPARE_STEP);
    b.rec[b.n - 1].t.ns += 1;
    compare(&opts);
    assert_int_equal(c.row[c.first].status, HO_COMPARE_TIME);
    opts.wheel_hz = 0;
    b.rec[b.n - 1].t.ns -= 1;
    compare(&opts);
    assert_int_equal(c.row[c.first].status, HO_COMPARE_TIME);
}

static void a_short_timer_has_a_small_step(void **state)
{
    (void)state;
    const struct ho_compare_opts opts = { .tolerance = ho_ms(12),
                                          .by_interval = true,
                                          .wheel_hz = 250 };

    make_story(&a, 1000, 0);
    make_story(&b, 1000, 17); /* the third sending, 208 ms after the second */
    compare(&opts);
    assert_int_equal(c.row[c.first].status, HO_COMPARE_TIME);
    assert_int_equal(c.row[c.first].a_ns, 424 * MAKE_MS);
}

/* What is on time by the fault is on time, although what came before on its host was late. */
static void what_follows_a_late_timer_on_time_is_on_time(void **state)
{
    (void)state;
    const struct ho_compare_opts opts = { .tolerance = ho_ms(1),
                                          .by_interval = true,
                                          .wheel_hz = 250 };

    make_story(&a, 1000, 0);
    make_story(&b, 1000, 0);
    b.rec[b.n - 2].t.ns += 5 * MAKE_MS; /* 416 ms after the third: 32 ms steps */
    compare(&opts);
    assert_int_equal(c.first, c.n);
    assert_int_equal(c.steps, 1);
    assert_int_equal(c.row[c.n - 1].status, HO_COMPARE_SAME);
    assert_int_equal(c.row[c.n - 1].apart_ns, 0);
}

static void a_state_of_a_moment_may_be_missed(void **state)
{
    (void)state;
    struct ho_compare_opts opts = { .tolerance = ho_ms(2), .wheel_hz = 250 };

    make_sock(&a, 3, "server", "ESTABLISHED", HO_SOCK_TIMER_OFF, "");
    make_sock(&a, 7, "server", "CLOSE-WAIT", HO_SOCK_TIMER_OFF, "");
    make_sock(&a, 9, "server", "LAST-ACK", HO_SOCK_TIMER_ON, "");
    make_sock(&b, 3, "server", "ESTABLISHED", HO_SOCK_TIMER_OFF, "");
    make_sock(&b, 9, "server", "LAST-ACK", HO_SOCK_TIMER_ON, "");
    compare(&opts);
    assert_int_equal(c.first, c.n);
    opts.tolerance = ho_ms(1); /* it lasted 2 ms */
    compare(&opts);
    assert_int_equal(c.row[c.first].status, HO_COMPARE_ONLY_A);
    opts = (struct ho_compare_opts){ .tolerance = ho_ms(2) };
    compare(&opts);
    assert_int_equal(c.row[c.first].status, HO_COMPARE_ONLY_A);
}

static void a_missing_record_does_not_shift_the_rest(void **state)
{
    (void)state;
    const struct ho_compare_opts opts = { 0 };

    make_story(&a, 1000, 0);
    make_story(&b, 1000, 0);
    make_seg(&a, 8000, "client", "A", 1, 1, 0, HO_FATE_FWD);
    make_seg(&a, 8001, "client", "R", 1, 0, 0, HO_FATE_FWD);
    make_seg(&a, 8002, "client", "FA", 1, 1, 0, HO_FATE_FWD);
    make_seg(&b, 8000, "client", "A", 1, 1, 0, HO_FATE_FWD);
    make_seg(&b, 8002, "client", "FA", 1, 1, 0, HO_FATE_FWD);
    compare(&opts);
    assert_int_equal(c.n, 8);
    assert_int_equal(c.same, 7);
    assert_int_equal(c.row[c.first].status, HO_COMPARE_ONLY_A);
    assert_int_equal(c.row[c.first].a->u.seg.flags, HO_TCP_RST);
}

static void another_errno_is_named_with_both(void **state)
{
    (void)state;
    const struct ho_compare_opts opts = { 0 };
    struct ho_text out = { 0 };

    make_story(&a, 1000, 0);
    make_story(&b, 1000, 0);
    b.rec[b.n - 1].u.app.err = "EHOSTUNREACH";
    compare(&opts);
    ho_comparison_text(&out, &c, "model", "Linux", true);
    assert_string_equal(
        ho_text_str(&out),
        "           model         Linux   difference  host       what\n"
        "!       6.650000      6.650000     0.000 ms  server     recv = -1 ETIMEDOUT | recv = -1"
        " EHOSTUNREACH\n"
        "4 of 5 events agree; the first difference:\n"
        "!       6.650000      6.650000     0.000 ms  server     recv = -1 ETIMEDOUT | recv = -1"
        " EHOSTUNREACH\n");
    ho_text_free(&out);
}

static void another_option_is_another_call(void **state)
{
    (void)state;
    const struct ho_compare_opts opts = { 0 };

    make_call(&a, 1000, "server", "setsockopt", 0, "");
    make_call(&b, 1000, "server", "setsockopt", 0, "");
    a.rec[0].u.app.detail = "SO_KEEPALIVE=1";
    b.rec[0].u.app.detail = "SO_KEEPALIVE=1";
    compare(&opts);
    assert_int_equal(c.first, c.n);
    b.rec[0].u.app.detail = "TCP_KEEPIDLE=10";
    compare(&opts);
    assert_int_equal(c.first, 0);
}

/* A socket is sampled when it can be: what counts is which states it passed, and when. */
static void of_a_socket_the_states_are_compared_not_the_samples(void **state)
{
    (void)state;
    const struct ho_compare_opts opts = { .tolerance = ho_ms(1) };

    make_sock(&a, 3, "server", "ESTABLISHED", HO_SOCK_TIMER_OFF, "");
    make_sock(&a, 9, "server", "CLOSED", HO_SOCK_TIMER_OFF, "");
    make_sock(&b, 3, "server", "ESTABLISHED", HO_SOCK_TIMER_OFF, "");
    make_sock(&b, 5, "server", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    make_sock(&b, 9, "server", "CLOSED", HO_SOCK_TIMER_OFF, "");
    compare(&opts);
    assert_int_equal(c.n, 2);
    assert_int_equal(c.same, 2);
}

static void every_row_is_shown_when_asked_for(void **state)
{
    (void)state;
    const struct ho_compare_opts opts = { .tolerance = ho_ms(1) };
    struct ho_text out = { 0 };

    make_fault(&a, 5, "", "cut", "lan");
    make_fault(&b, 5, "", "cut", "lan");
    make_seg(&a, 10, "client", "PA", 1, 1, 100, HO_FATE_CUT);
    make_seg(&b, 11, "client", "PA", 1, 1, 100, HO_FATE_CUT);
    make_seg(&b, 12, "client", "FA", 101, 1, 0, HO_FATE_FWD);
    compare(&opts);
    ho_comparison_text(&out, &c, "a", "b", false);
    assert_string_equal(
        ho_text_str(&out),
        "               a             b   difference  host       what\n"
        "        0.005000      0.006000    +1.000 ms  client     PA 1 +100 ack 1, cut\n"
        "!              -      0.007000               client     only in b: FA 101 ack 1\n"
        "1 of 2 events agree; the first difference:\n"
        "!              -      0.007000               client     only in b: FA 101 ack 1\n");
    ho_text_free(&out);
}

static void a_fault_that_one_lacks_cannot_align(void **state)
{
    (void)state;
    const struct ho_compare_opts opts = { .fault = "cut" };

    make_story(&a, 1000, 0);
    assert_int_equal(ho_compare(&a, &b, &opts, &c), -ENOENT);
    assert_null(c.row);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_story_told_later_is_the_same),
        TEST(times_beyond_the_tolerance_are_differences),
        TEST(by_interval_one_late_timer_is_one_difference),
        TEST(a_step_of_the_wheel_is_told_apart),
        TEST(a_short_timer_has_a_small_step),
        TEST(what_follows_a_late_timer_on_time_is_on_time),
        TEST(a_state_of_a_moment_may_be_missed),
        TEST(a_missing_record_does_not_shift_the_rest),
        TEST(another_errno_is_named_with_both),
        TEST(another_option_is_another_call),
        TEST(of_a_socket_the_states_are_compared_not_the_samples),
        TEST(every_row_is_shown_when_asked_for),
        TEST(a_fault_that_one_lacks_cannot_align),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
