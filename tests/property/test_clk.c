/* Properties of the timer wheel and of jiffies, over random clocks, instants and delays. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clk.h"
#include "base/rng.h"

#define TRIALS 200000

static const uint32_t rates[] = { 100, 250, 300, 1000 };

static struct ho_clk random_clock(struct ho_rng *r)
{
    uint32_t hz = rates[ho_rng_below(r, 4)];

    return (struct ho_clk){
        .hz = hz,
        .jiffies0 = ho_rng_below(r, UINT64_C(1) << 33),
        .phase_ns = (int64_t)ho_rng_below(r, (uint64_t)HO_NS_PER_S / hz),
    };
}

/* Of every magnitude alike: a plain random number would nearly always be huge. */
static int64_t random_ns(struct ho_rng *r, unsigned bits)
{
    return (int64_t)(ho_rng_next(r) >> (64 - 1 - ho_rng_below(r, bits)));
}

static void wheel_is_never_early_and_at_most_one_step_late(void **state)
{
    (void)state;
    struct ho_rng r;

    ho_rng_init(&r, 1, 0);
    for (int i = 0; i < TRIALS; i++) {
        uint64_t now = ho_rng_below(&r, UINT64_C(1) << 33);
        uint64_t delay = (uint64_t)random_ns(&r, 29);
        uint64_t step = ho_wheel_step(delay);
        uint64_t fires = ho_wheel_expiry(now, now + delay);

        assert_true(fires > now + delay);
        assert_true(fires <= now + delay + step);
        assert_true(fires % step == 0);
    }
}

/* In real time: the delay is rounded up to a jiffy and counted from the start of one, too. */
static void timer_is_never_early_and_at_most_one_step_and_a_jiffy_late(void **state)
{
    (void)state;
    struct ho_rng r;

    ho_rng_init(&r, 2, 0);
    for (int i = 0; i < TRIALS; i++) {
        struct ho_clk k = random_clock(&r);
        struct ho_time now = { random_ns(&r, 53) };
        struct ho_dur delay = { random_ns(&r, 45) };
        struct ho_time due = ho_time_add(now, delay);
        struct ho_time fires = ho_clk_timer(&k, now, delay);
        uint64_t step = ho_wheel_step(ho_clk_dur_jiffies(&k, delay));

        assert_true(fires.ns > due.ns);
        assert_true(fires.ns - due.ns <= ho_clk_jiffies_dur(&k, step + 1).ns + 1);
    }
}

static void jiffy_begins_where_the_count_reaches_it(void **state)
{
    (void)state;
    struct ho_rng r;

    ho_rng_init(&r, 3, 0);
    for (int i = 0; i < TRIALS; i++) {
        struct ho_clk k = random_clock(&r);
        uint64_t j = k.jiffies0 + 2 + ho_rng_below(&r, UINT64_C(1) << 32);
        struct ho_time begins = ho_clk_jiffy_time(&k, j);

        assert_true(ho_clk_jiffies(&k, begins) == j);
        assert_true(ho_clk_jiffies(&k, (struct ho_time){ begins.ns - 1 }) == j - 1);
    }
}

static void whole_jiffies_stay_what_they_are_when_rounded(void **state)
{
    (void)state;
    struct ho_rng r;

    ho_rng_init(&r, 4, 0);
    for (int i = 0; i < TRIALS; i++) {
        struct ho_clk k = random_clock(&r);
        uint64_t n = ho_rng_below(&r, UINT64_C(1) << 32);
        struct ho_dur d = ho_clk_jiffies_dur(&k, n);

        assert_true(ho_clk_dur_jiffies(&k, d) == n);
        assert_true(ho_clk_round_up(&k, d).ns == d.ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wheel_is_never_early_and_at_most_one_step_late),
        cmocka_unit_test(timer_is_never_early_and_at_most_one_step_and_a_jiffy_late),
        cmocka_unit_test(jiffy_begins_where_the_count_reaches_it),
        cmocka_unit_test(whole_jiffies_stay_what_they_are_when_rounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
