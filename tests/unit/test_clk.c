/* Unit tests of src/base/clk.c: jiffies, and the wheel against what the kernel was seen to do. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clk.h"

/* The clock of every file of the virtual kernel's timelines (Linux 6.12, HZ=250): line 1 of each
 * says jiffies 4294892796 at t = 0, and t = 0 is the start of that jiffy.
 */
static const struct ho_clk vk = { .hz = 250, .jiffies0 = UINT64_C(4294892796) };

/* Timers of the virtual kernel: armed at `armed`, asked for after `delay`, fired at `fired`, all
 * as they stand in the timeline of that name (t in microseconds, of the segment that left).
 * The delay is the setting or the RTO that the timeline shows at arming (in ms).
 */
static void wheel_fires_when_the_virtual_kernels_did(void **state)
{
    (void)state;
    static const struct {
        const char *timeline;
        int64_t armed_us, delay_ms, fired_us;
    } seen[] = {
        /* keepalive: TCP_KEEPINTVL from probe to probe, and to the death after the last */
        { "ka_default_static", 7244816000, 75000, 7320592000 },
        { "ka_default_static", 7320592000, 75000, 7396368000 },
        { "ka_default_static", 7851024000, 75000, 7926800000 },
        { "ka_140_20_2", 150544000, 20000, 171024000 },
        { "ka_140_20_2", 171024000, 20000, 191504000 },
        { "ka_5_2_3", 5392000, 2000, 7408000 },
        { "ka_5_2_3", 9424000, 2000, 11440000 },
        /* RTO, doubling, then its cap; level 0 to 5 of the wheel */
        { "data_1ms_static", 10708000, 204, 10916000 },
        { "data_1ms_static", 10916000, 408, 11344000 },
        { "data_1ms_static", 11344000, 816, 12176000 },
        { "data_1ms_static", 12176000, 1632, 13840000 },
        { "data_1ms_static", 13840000, 3264, 17168000 },
        { "data_1ms_static", 17168000, 6528, 23824000 },
        { "data_1ms_static", 23824000, 13056, 37136000 },
        { "data_1ms_static", 37136000, 26112, 64528000 },
        { "data_1ms_static", 64528000, 52224, 117776000 },
        { "data_1ms_static", 117776000, 104448, 224272000 },
        { "data_1ms_static", 224272000, 120000, 345104000 },
        { "data_1ms_static", 707600000, 120000, 828432000 },
        { "data_200ms_static", 11024000, 520, 11568000 },
        { "data_200ms_static", 11568000, 1040, 12624000 },
        { "data_200ms_static", 12624000, 2080, 14864000 },
        { "data_200ms_static", 19216000, 8320, 27664001 },
        { "data_200ms_static", 46096000, 33280, 80912000 },
        { "data_200ms_static", 80912000, 66560, 148496000 },
        /* SYN: 1 s as long as it is linear, then doubling; armed outside of a timer the first time
         */
        { "syn_static", 1003, 1000, 1008000 },
        { "syn_static", 1008000, 1000, 2032000 },
        { "syn_static", 5104000, 2000, 7120000 },
        { "syn_static", 7120000, 4000, 11280000 },
        { "syn_static", 11280000, 8000, 19472000 },
        { "syn_static", 19472000, 16000, 35600000 },
        { "syn_static", 35600000, 32000, 68624000 },
    };

    for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
        struct ho_time armed = { .ns = seen[i].armed_us * 1000 };
        struct ho_time fires = ho_clk_timer(&vk, armed, ho_ms(seen[i].delay_ms));
        /* the segment left within the jiffy in which the timer fired, 4 ms */
        if (ho_clk_jiffies(&vk, fires) !=
            ho_clk_jiffies(&vk, (struct ho_time){ seen[i].fired_us * 1000 })) {
            fail_msg("%s, armed at %lld us: fires at %lld us, was seen at %lld us",
                     seen[i].timeline, (long long)seen[i].armed_us, (long long)(fires.ns / 1000),
                     (long long)seen[i].fired_us);
        }
    }
}

/* tests/kernel-facts/fact_timers_armed_by_timers and rt_replug7_burst: 252 ms and 2.016 s are the
 * first delays of their levels, but not for a wheel that is at the next jiffy already.
 */
static void what_a_timer_arms_is_a_jiffy_shorter_for_the_wheel(void **state)
{
    struct ho_clk k = { .hz = 250, .jiffies0 = 1000019 };
    struct ho_time fired = { .ns = 4000000 }, soon = { .ns = 7999999 };

    (void)state;
    /* Jiffy 1000020: 63 later on a grid of 8, 504 later on a grid of 64. */
    assert_int_equal(ho_clk_jiffies(&k, ho_clk_timer(&k, fired, ho_ms(252))), 1000088);
    assert_int_equal(ho_clk_jiffies(&k, ho_clk_timer(&k, fired, ho_ms(2016))), 1000576);
    ho_clk_ran(&k, fired);
    assert_int_equal(ho_clk_jiffies(&k, ho_clk_timer(&k, fired, ho_ms(252))), 1000084);
    assert_int_equal(ho_clk_jiffies(&k, ho_clk_timer(&k, soon, ho_ms(252))), 1000084);
    assert_int_equal(ho_clk_jiffies(&k, ho_clk_timer(&k, fired, ho_ms(2016))), 1000528);
    assert_int_equal(ho_clk_jiffies(&k, ho_clk_timer(&k, fired, ho_ms(256))), 1000088);
    assert_int_equal(ho_clk_jiffies(&k, ho_clk_timer(&k, fired, ho_ms(4))), 1000022);
    assert_int_equal(ho_clk_jiffies(&k, ho_clk_timer(&k, fired, ho_ms(0))), 1000021);
    /* In the next jiffy it is as before. */
    fired.ns += 4000000;
    assert_int_equal(ho_clk_jiffies(&k, ho_clk_timer(&k, fired, ho_ms(252))), 1000088);
}

/* ground-truth A1: which step a delay falls into at HZ=250. */
static void step_grows_by_eight_at_the_delays_of_ground_truth_a1(void **state)
{
    (void)state;
    const struct {
        uint64_t delay_ms, step_ms;
    } cases[] = {
        { 0, 4 },
        { 248, 4 },
        { 252, 32 },
        { 2012, 32 },
        { 2016, 256 },
        { 16124, 256 },
        { 16128, 2048 },
        { 129020, 2048 },
        { 129024, 16384 },
        { 1032188, 16384 },
        { 1032192, 131072 },
        { 8257532, 131072 },
        { 8257536, 1048576 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(ho_wheel_step(cases[i].delay_ms / 4) * 4, cases[i].step_ms);
    }
}

static void timer_not_in_the_future_fires_at_the_next_jiffy(void **state)
{
    (void)state;
    assert_int_equal(ho_wheel_expiry(1000, 1000), 1001);
    assert_int_equal(ho_wheel_expiry(1000, 0), 1001);
    assert_int_equal(ho_wheel_expiry(1000, 999), 1001);
}

/* Beyond the wheel (63 * 8^8 jiffies) a delay is cut to what its last level holds. */
static void timer_beyond_the_wheel_fires_at_its_end(void **state)
{
    (void)state;
    const uint64_t end = UINT64_C(63) << 24;

    assert_int_equal(ho_wheel_expiry(0, end - 1), end);
    assert_int_equal(ho_wheel_expiry(0, end), end);
    assert_int_equal(ho_wheel_expiry(0, UINT64_MAX), end);
}

/* README of the virtual kernel: 7200 s fire 0 to 131 s late, 75 s take 75.776 s at HZ=250. */
static void keepalive_of_two_hours_is_late_by_its_phase(void **state)
{
    (void)state;
    int64_t least = INT64_MAX;
    int64_t most = 0;

    for (uint64_t phase = 0; phase < 32768; phase++) {
        struct ho_clk k = { .hz = 250, .jiffies0 = phase };
        int64_t late = ho_clk_timer(&k, (struct ho_time){ 0 }, ho_s(7200)).ns - ho_s(7200).ns;
        least = late < least ? late : least;
        most = late > most ? late : most;
    }
    assert_int_equal(least, ho_ms(4).ns);
    assert_int_equal(most, ho_ms(131072).ns);
}

static void jiffies_count_from_the_start_with_its_phase(void **state)
{
    (void)state;
    const struct ho_clk k = { .hz = 250, .jiffies0 = 100, .phase_ns = 3999999 };

    assert_int_equal(ho_clk_jiffies(&k, (struct ho_time){ 0 }), 100);
    assert_int_equal(ho_clk_jiffies(&k, (struct ho_time){ 1 }), 101);
    assert_int_equal(ho_clk_jiffy_time(&k, 101).ns, 1);
    assert_int_equal(ho_clk_jiffies(&k, (struct ho_time){ 4000000 }), 101);
    assert_int_equal(ho_clk_jiffies(&k, (struct ho_time){ 4000001 }), 102);
}

/* 100 years at HZ=1000, where nanoseconds times HZ would not fit into 64 bits. */
static void jiffies_do_not_overflow_in_a_century(void **state)
{
    (void)state;
    const struct ho_clk k = { .hz = 1000 };
    const int64_t century_s = 100LL * 365 * 86400;

    assert_true(ho_clk_jiffies(&k, (struct ho_time){ ho_s(century_s).ns }) ==
                (uint64_t)century_s * 1000);
    assert_true(ho_clk_jiffy_time(&k, (uint64_t)century_s * 1000).ns == ho_s(century_s).ns);
    assert_true(ho_clk_jiffy_time(&k, UINT64_MAX).ns == HO_NEVER.ns);
}

static void duration_is_rounded_up_to_jiffies(void **state)
{
    (void)state;
    const struct ho_clk k = { .hz = 250 };

    assert_int_equal(ho_clk_dur_jiffies(&k, ho_ms(0)), 0);
    assert_int_equal(ho_clk_dur_jiffies(&k, ho_ns(1)), 1);
    assert_int_equal(ho_clk_dur_jiffies(&k, ho_ms(200)), 50);
    assert_int_equal(ho_clk_dur_jiffies(&k, ho_us(200001)), 51);
    assert_int_equal(ho_clk_round_up(&k, ho_us(200001)).ns, ho_ms(204).ns);
    assert_int_equal(ho_clk_jiffies_dur(&k, 51).ns, ho_ms(204).ns);
}

static unsigned turn_of(const struct ho_clk *k, int64_t jiffies)
{
    struct ho_dur delay = ho_ms(jiffies * 4); /* those of HZ 250 */
    struct ho_time now = { 0 };
    struct ho_due due = ho_clk_due(k, now, delay);

    assert_int_equal(ho_due_time(due).ns, ho_clk_timer(k, now, delay).ns);
    return (unsigned)(due.key % HO_DUE_TURNS);
}

/* LVL_START of levels 1 and 2 is 63 and 504 jiffies; base/due.h says which level goes first. */
static void the_higher_the_level_the_earlier_the_turn(void **state)
{
    const struct ho_clk k = { .hz = 250 };

    (void)state;
    assert_int_equal(turn_of(&k, 0), turn_of(&k, 62));
    assert_true(turn_of(&k, 63) < turn_of(&k, 62));
    assert_int_equal(turn_of(&k, 63), turn_of(&k, 503));
    assert_true(turn_of(&k, 504) < turn_of(&k, 503));
    assert_true(turn_of(&k, INT64_C(4000000000)) > HO_DUE_FIRST); /* the last level */
}

static void what_lies_beyond_36_years_is_never_due(void **state)
{
    const struct ho_time last = { (INT64_C(1) << 60) - 2 }, beyond = { last.ns + 1 };

    (void)state;
    assert_int_equal(ho_due_time(ho_due_at(last, HO_DUE_TURNS - 1)).ns, last.ns);
    assert_true(ho_due_is_never(ho_due_at(beyond, 0)));
    assert_true(ho_due_is_never(ho_due_at(HO_NEVER, 0)));
    assert_int_equal(ho_due_time(HO_DUE_NEVER).ns, HO_NEVER.ns);
}

static void exact_clock_rounds_nothing(void **state)
{
    (void)state;
    const struct ho_clk k = { .hz = 0, .jiffies0 = 12345, .phase_ns = 17 };
    const struct ho_time now = { 1234567 };

    /* Nothing has another turn than what is armed for an instant: the order is that of arming. */
    assert_int_equal(turn_of(&k, 7200000), HO_DUE_FIRST);

    assert_int_equal(ho_clk_timer(&k, now, ho_ns(7654321)).ns, 1234567 + 7654321);
    assert_int_equal(ho_clk_round_up(&k, ho_ns(7654321)).ns, 7654321);
    assert_int_equal(ho_clk_jiffies(&k, now), 1);
    assert_int_equal(ho_clk_jiffy_time(&k, 2).ns, ho_ms(2).ns);
    assert_int_equal(ho_clk_dur_jiffies(&k, ho_ns(7654321)), 8);
    assert_int_equal(ho_clk_jiffies_dur(&k, 8).ns, ho_ms(8).ns);
    assert_int_equal(ho_clk_timer(&k, now, ho_ns(INT64_MAX)).ns, HO_NEVER.ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wheel_fires_when_the_virtual_kernels_did),
        cmocka_unit_test(what_a_timer_arms_is_a_jiffy_shorter_for_the_wheel),
        cmocka_unit_test(step_grows_by_eight_at_the_delays_of_ground_truth_a1),
        cmocka_unit_test(timer_not_in_the_future_fires_at_the_next_jiffy),
        cmocka_unit_test(the_higher_the_level_the_earlier_the_turn),
        cmocka_unit_test(what_lies_beyond_36_years_is_never_due),
        cmocka_unit_test(timer_beyond_the_wheel_fires_at_its_end),
        cmocka_unit_test(keepalive_of_two_hours_is_late_by_its_phase),
        cmocka_unit_test(jiffies_count_from_the_start_with_its_phase),
        cmocka_unit_test(jiffies_do_not_overflow_in_a_century),
        cmocka_unit_test(duration_is_rounded_up_to_jiffies),
        cmocka_unit_test(exact_clock_rounds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
