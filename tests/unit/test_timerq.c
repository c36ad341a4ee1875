/* Unit tests of src/base/timerq.c; tests/property/test_timerq.c compares it with a sorted list. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clk.h"
#include "base/timerq.h"

static void pops_in_order_of_time_and_exactly_on_time(void **state)
{
    (void)state;
    struct ho_timerq q;
    struct ho_timer a = { 0 };
    struct ho_timer b = { 0 };

    ho_timerq_init(&q, (struct ho_time){ 0 });
    ho_timerq_arm(&q, &a, (struct ho_time){ 7200 * HO_NS_PER_S });
    ho_timerq_arm(&q, &b, (struct ho_time){ 200000000 });

    assert_int_equal(ho_timerq_deadline(&q).ns, 200000000);
    assert_null(ho_timerq_pop(&q, (struct ho_time){ 199999999 }));
    assert_ptr_equal(ho_timerq_pop(&q, (struct ho_time){ 200000000 }), &b);
    assert_false(ho_timer_armed(&b));
    assert_null(ho_timerq_pop(&q, (struct ho_time){ 7200 * HO_NS_PER_S - 1 }));
    assert_ptr_equal(ho_timerq_pop(&q, (struct ho_time){ 7200 * HO_NS_PER_S }), &a);
    assert_int_equal(ho_timerq_deadline(&q).ns, HO_NEVER.ns);
}

/* The three stand at different levels when they are armed, for the queue's time moves between. */
static void equal_instants_pop_in_the_order_of_arming(void **state)
{
    (void)state;
    const struct ho_time at = { 5 * HO_NS_PER_S };
    struct ho_timerq q;
    struct ho_timer first = { 0 };
    struct ho_timer second = { 0 };
    struct ho_timer third = { 0 };
    struct ho_timer early = { 0 };

    ho_timerq_init(&q, (struct ho_time){ 0 });
    ho_timerq_arm(&q, &first, at);
    ho_timerq_arm(&q, &early, (struct ho_time){ 3 * HO_NS_PER_S });
    assert_ptr_equal(ho_timerq_pop(&q, (struct ho_time){ 3 * HO_NS_PER_S }), &early);
    ho_timerq_arm(&q, &second, at);
    ho_timerq_arm(&q, &early, (struct ho_time){ at.ns - 1 });
    assert_ptr_equal(ho_timerq_pop(&q, (struct ho_time){ at.ns - 1 }), &early);
    ho_timerq_arm(&q, &third, at);

    assert_ptr_equal(ho_timerq_pop(&q, at), &first);
    assert_ptr_equal(ho_timerq_pop(&q, at), &second);
    assert_ptr_equal(ho_timerq_pop(&q, at), &third);
    assert_null(ho_timerq_pop(&q, at));
}

/* As timers of one bucket of Linux's wheel: whatever level they came from. */
static void equal_instants_pop_the_newest_first_if_so_set(void **state)
{
    (void)state;
    const struct ho_time at = { 5 * HO_NS_PER_S };
    struct ho_timerq q;
    struct ho_timer t[3] = { 0 };

    ho_timerq_init(&q, (struct ho_time){ 0 });
    q.newest_first = true;
    ho_timerq_arm(&q, &t[0], at);
    ho_timerq_arm(&q, &t[1], at);
    assert_null(ho_timerq_pop(&q, (struct ho_time){ at.ns - 1 }));
    ho_timerq_arm(&q, &t[2], at);
    for (int i = 2; i >= 0; i--) {
        assert_ptr_equal(ho_timerq_pop(&q, at), &t[i]);
    }
    assert_null(ho_timerq_pop(&q, at));
}

/* Linux 6.12 kernel/time/timer.c: collect_expired_timers() gathers level by level from the lowest,
 * __run_timers() runs what was gathered from the last to the first, and enqueue_timer() puts at the
 * head of a bucket: of one jiffy the highest level goes first, of one level the last armed.
 */
static void timers_of_one_jiffy_pop_from_the_highest_level_down(void **state)
{
    (void)state;
    const struct ho_clk k = { .hz = 250 };
    const struct ho_time at = ho_clk_jiffy_time(&k, 8192);
    struct ho_timerq q;
    struct ho_timer t[5] = { 0 };
    static const struct {
        uint64_t armed_j;
        int timer;
    } arms[] = {
        { 1000, 0 }, /* 7191 ahead: level 3 */
        { 6000, 1 }, /* level 2 */
        { 6001, 2 }, /* level 2 */
        { 7900, 3 }, /* level 1 */
        { 8190, 4 }, /* level 0 */
    };
    static const int order[] = { 0, 2, 1, 3, 4 };

    ho_timerq_init(&q, (struct ho_time){ 0 });
    q.newest_first = true;
    for (int i = 0; i < 5; i++) {
        struct ho_time now = ho_clk_jiffy_time(&k, arms[i].armed_j);
        struct ho_dur delay = ho_clk_jiffies_dur(&k, 8191 - arms[i].armed_j);
        struct ho_due due = ho_clk_due(&k, now, delay);

        assert_int_equal(ho_due_time(due).ns, at.ns);
        ho_timerq_arm_due(&q, &t[arms[i].timer], due);
        assert_null(ho_timerq_pop(&q, now));
    }
    assert_null(ho_timerq_pop(&q, (struct ho_time){ at.ns - 1 }));
    for (int i = 0; i < 5; i++) {
        assert_ptr_equal(ho_timerq_pop(&q, at), &t[order[i]]);
    }
    assert_null(ho_timerq_pop(&q, at));
}

static void what_is_in_no_wheel_pops_before_the_wheel(void **state)
{
    (void)state;
    const struct ho_clk k = { .hz = 250 };
    struct ho_due due = ho_clk_due(&k, (struct ho_time){ 0 }, ho_s(7200));
    struct ho_timerq q;
    struct ho_timer wheel = { 0 }, poll = { 0 };

    ho_timerq_init(&q, (struct ho_time){ 0 });
    ho_timerq_arm_due(&q, &wheel, due);
    ho_timerq_arm(&q, &poll, ho_due_time(due));
    assert_ptr_equal(ho_timerq_pop(&q, ho_due_time(due)), &poll);
    assert_ptr_equal(ho_timerq_pop(&q, ho_due_time(due)), &wheel);
}

static void arming_again_moves_the_timer(void **state)
{
    (void)state;
    struct ho_timerq q;
    struct ho_timer t = { 0 };

    ho_timerq_init(&q, (struct ho_time){ 0 });
    ho_timerq_arm(&q, &t, (struct ho_time){ 100 });
    ho_timerq_arm(&q, &t, (struct ho_time){ 1000000 });

    assert_int_equal(ho_timerq_deadline(&q).ns, 1000000);
    assert_null(ho_timerq_pop(&q, (struct ho_time){ 100 }));
    assert_ptr_equal(ho_timerq_pop(&q, (struct ho_time){ 1000000 }), &t);
}

static void never_disarms(void **state)
{
    (void)state;
    struct ho_timerq q;
    struct ho_timer t = { 0 };

    ho_timerq_init(&q, (struct ho_time){ 0 });
    ho_timerq_arm(&q, &t, (struct ho_time){ 100 });
    ho_timerq_arm(&q, &t, HO_NEVER);
    assert_false(ho_timer_armed(&t));
    ho_timerq_arm(&q, &t, (struct ho_time){ 100 });
    ho_timerq_arm_due(&q, &t, HO_DUE_NEVER);

    assert_false(ho_timer_armed(&t));
    assert_int_equal(ho_timerq_deadline(&q).ns, HO_NEVER.ns);
    assert_null(ho_timerq_pop(&q, (struct ho_time){ INT64_MAX - 1 }));
}

static void cancel_twice_is_harmless(void **state)
{
    (void)state;
    struct ho_timerq q;
    struct ho_timer t = { 0 };

    ho_timerq_init(&q, (struct ho_time){ 0 });
    ho_timerq_cancel(&q, &t);
    ho_timerq_arm(&q, &t, (struct ho_time){ 100 });
    ho_timerq_cancel(&q, &t);
    ho_timerq_cancel(&q, &t);

    assert_int_equal(ho_timerq_deadline(&q).ns, HO_NEVER.ns);
}

static void past_instant_is_due_at_once_before_the_future(void **state)
{
    (void)state;
    struct ho_timerq q;
    struct ho_timer past = { 0 };
    struct ho_timer future = { 0 };

    ho_timerq_init(&q, (struct ho_time){ 1000 });
    ho_timerq_arm(&q, &future, (struct ho_time){ 1001 });
    ho_timerq_arm(&q, &past, (struct ho_time){ 5 });

    assert_true(ho_timerq_deadline(&q).ns <= 1000);
    assert_ptr_equal(ho_timerq_pop(&q, (struct ho_time){ 1000 }), &past);
    assert_null(ho_timerq_pop(&q, (struct ho_time){ 1000 }));
    assert_ptr_equal(ho_timerq_pop(&q, (struct ho_time){ 1001 }), &future);
}

static void last_instant_there_is_can_be_reached(void **state)
{
    (void)state;
    const struct ho_time last = { (INT64_C(1) << 60) - 2 }; /* base/due.h */
    struct ho_timerq q;
    struct ho_timer t = { 0 };

    ho_timerq_init(&q, (struct ho_time){ 0 });
    ho_timerq_arm(&q, &t, last);

    assert_null(ho_timerq_pop(&q, (struct ho_time){ last.ns - 1 }));
    assert_ptr_equal(ho_timerq_pop(&q, last), &t);
}

/* The deadline may be early after a cancel, but asking pop then puts it right. */
static void deadline_after_cancel_is_corrected_by_pop(void **state)
{
    (void)state;
    struct ho_timerq q;
    struct ho_timer a = { 0 };
    struct ho_timer b = { 0 };

    ho_timerq_init(&q, (struct ho_time){ 0 });
    ho_timerq_arm(&q, &a, (struct ho_time){ 64 * 64 * 64 + 1 });
    ho_timerq_arm(&q, &b, (struct ho_time){ 64 * 64 * 64 + 3000 });
    ho_timerq_cancel(&q, &a);

    assert_true(ho_timerq_deadline(&q).ns <= 64 * 64 * 64 + 3000);
    assert_null(ho_timerq_pop(&q, ho_timerq_deadline(&q)));
    assert_int_equal(ho_timerq_deadline(&q).ns, 64 * 64 * 64 + 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pops_in_order_of_time_and_exactly_on_time),
        cmocka_unit_test(equal_instants_pop_in_the_order_of_arming),
        cmocka_unit_test(equal_instants_pop_the_newest_first_if_so_set),
        cmocka_unit_test(timers_of_one_jiffy_pop_from_the_highest_level_down),
        cmocka_unit_test(what_is_in_no_wheel_pops_before_the_wheel),
        cmocka_unit_test(arming_again_moves_the_timer),
        cmocka_unit_test(never_disarms),
        cmocka_unit_test(cancel_twice_is_harmless),
        cmocka_unit_test(past_instant_is_due_at_once_before_the_future),
        cmocka_unit_test(last_instant_there_is_can_be_reached),
        cmocka_unit_test(deadline_after_cancel_is_corrected_by_pop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
