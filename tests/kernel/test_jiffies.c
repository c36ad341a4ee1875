/* Choosing a moment by its jiffy (os/jiffies.h). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/jiffies.h"

#define JIFFY INT64_C(4000000) /* at HZ 250 */

/* Count 1000 begins at 2 s; ticks lie on the multiples of a jiffy. */
static const struct ho_os_ticks ticks = { .hz = 250, .count = 1000, .at = { 2000000000 } };

static struct ho_time next(int64_t from_ns, uint64_t jiffies, uint64_t step, int64_t phase_ns)
{
    struct ho_time t =
        ho_os_jiffies_next(&ticks, (struct ho_time){ from_ns }, jiffies, step, phase_ns);
    int64_t phase;

    assert_true(t.ns >= from_ns && t.ns < from_ns + (int64_t)step * JIFFY);
    assert_int_equal(ho_os_ticks_at(&ticks, t, &phase) % step, jiffies % step);
    assert_int_equal(phase, phase_ns);
    return t;
}

static void test_a_moment_later_in_this_jiffy_is_taken(void **state)
{
    (void)state;
    assert_int_equal(next(2000000000, 1000, 32768, 5).ns, 2000000005);
    assert_int_equal(next(2000000005, 1000, 32768, 5).ns, 2000000005);
}

static void test_one_that_has_passed_comes_a_whole_step_later(void **state)
{
    (void)state;
    assert_int_equal(next(2000000006, 1000, 32768, 5).ns, 2000000005 + 32768 * JIFFY);
}

static void test_counts_are_compared_modulo_the_step(void **state)
{
    (void)state;
    assert_int_equal(next(2000000000, 7, 8, 0).ns, 2000000000 + 7 * JIFFY); /* 1000 % 8 is 0 */
    assert_int_equal(next(2000000000, (UINT64_C(1) << 32) + 43, 8, 1).ns,
                     2000000000 + 3 * JIFFY + 1);
    for (uint64_t j = 0; j < 200; j++) {
        next(123456789012, j * 977, 64, (int64_t)j * 19993);
    }
}

/* A phase drawn at HZ 250, on a kernel of HZ 1000: it must not lead into another jiffy. */
static void test_a_phase_longer_than_a_jiffy_stays_in_the_jiffy(void **state)
{
    static const struct ho_os_ticks fast = { .hz = 1000, .count = 1000, .at = { 2000000000 } };
    int64_t phase;

    (void)state;
    for (int64_t drawn = 0; drawn < JIFFY; drawn += 123457) {
        struct ho_time t =
            ho_os_jiffies_next(&fast, (struct ho_time){ 2000000000 }, 1003, 32768, drawn);

        assert_int_equal(ho_os_ticks_at(&fast, t, &phase), 1003);
        assert_int_equal(phase, drawn % 1000000);
    }
}

static void test_sleeping_ends_when_the_instant_has_come(void **state)
{
    struct ho_time t = ho_os_now();

    (void)state;
    t.ns += 3000000;
    ho_os_sleep_until(t);
    assert_true(ho_os_now().ns >= t.ns);
    ho_os_sleep_until((struct ho_time){ t.ns - 1000000000 }); /* passed: returns */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_moment_later_in_this_jiffy_is_taken),
        cmocka_unit_test(test_one_that_has_passed_comes_a_whole_step_later),
        cmocka_unit_test(test_counts_are_compared_modulo_the_step),
        cmocka_unit_test(test_a_phase_longer_than_a_jiffy_stays_in_the_jiffy),
        cmocka_unit_test(test_sleeping_ends_when_the_instant_has_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
