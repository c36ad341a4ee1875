/* Advice against what was measured (ground-truth A2, A3, B) and against the predictions it is made
 * of.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/advise.h"
#include "forecast/outlive.h"

/* The hosts of the measurements (tests/unit/test_forecast_predict.c). */
static struct ho_advise_ask asked(int64_t within_s, int64_t survive_s)
{
    struct ho_advise_ask ask = { .base = { .rtt = ho_ms(2) },
                                 .hz = { 100, 250, 300, 1000 },
                                 .hz_count = 4,
                                 .within = ho_s(within_s),
                                 .survive = ho_s(survive_s) };

    ho_sysctls_init(&ask.base.sysctls);
    return ask;
}

static struct ho_advice solved(const struct ho_advise_ask *ask)
{
    struct ho_advice a;

    assert_int_equal(ho_advise(ask, &a, NULL), 0);
    return a;
}

static void thirty_seconds_and_an_outage_of_ten(void **state)
{
    struct ho_advise_ask ask = asked(30, 10);
    struct ho_advice a = solved(&ask);

    (void)state;
    /* More than 10 s of probes, all of them within 30 s. */
    assert_true((a.cnt - 1) * a.intvl_s > 10);
    assert_true(a.idle_s + a.intvl_s * a.cnt < 30);
    /* Without lateness, data is repeated at 0.2, 0.4, 0.8, 1.7, 3.3, 6.6 and 13.3 s (A2.2): the
     * user timeout must reach beyond the last of these. */
    assert_in_range(a.user_timeout_ms, 13000, 29600);
    /* A user timeout that ends with the last probe, and not one before (B 9). */
    assert_true(a.user_timeout_ms > 1000 * (a.idle_s + a.intvl_s * (a.cnt - 1)));
    assert_true(a.user_timeout_ms <= 1000 * (a.idle_s + a.intvl_s * a.cnt));
    /* A3, LAN: N=6 26.6 s; N=8 107 s. N=5 is over at 13.3 s, when its only repeat behind 10 s
     * would come. */
    assert_int_equal(a.retries2, 6);
    /* Row 11: SYN-ACKs at 0, 1, 3, 7, 15, gone at 31 with four repeats, at 15 with three. */
    assert_int_equal(a.synack_retries, 3);
    /* Row 10: SYNs at 0, 1, 2, 3, 4, 5, 7, 11, 19.5. */
    assert_int_equal(a.syn_retries, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_seconds_and_an_outage_of_ten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
