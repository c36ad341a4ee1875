/* Advice against what was measured (ground-truth A2, A3, B) and against the predictions it is made
 * of.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "forecast/advise.h"
#include "forecast/outlive.h"
#include "forecast/proof.h"

/* The hosts of the measurements (tests/unit/test_forecast_predict.c). */
static struct ho_advise_ask asked(int64_t within_ms, int64_t survive_ms)
{
    struct ho_advise_ask ask = { .base = { .rtt = ho_ms(2) },
                                 .hz = { 100, 250, 300, 1000 },
                                 .hz_count = 4,
                                 .within = ho_ms(within_ms),
                                 .survive = ho_ms(survive_ms) };

    ho_sysctls_init(&ask.base.sysctls);
    return ask;
}

static struct ho_advice solved(const struct ho_advise_ask *ask)
{
    struct ho_advice a;

    assert_int_equal(ho_advise(ask, &a, NULL), 0);
    return a;
}

static enum ho_advise_reason refused(const struct ho_advise_ask *ask)
{
    struct ho_advice a = { .idle_s = -5 };
    enum ho_advise_reason why = HO_ADVISE_NONE;

    assert_int_equal(ho_advise(ask, &a, &why), -ERANGE);
    assert_int_equal(a.idle_s, -5); /* untouched */
    assert_int_not_equal(why, HO_ADVISE_NONE);
    return why;
}

static void thirty_seconds_and_an_outage_of_ten(void **state)
{
    struct ho_advise_ask ask = asked(30000, 10000);
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

/* Row 12: with tcp_retries2 5 the worst that was seen is 33.9 s, and with 8 it is 294 s; N + 1
 * intervals of 0.2 s x 2^N are 38.4 s and 460.8 s.
 */
static void a_window_that_was_closed_for_long_is_a_gap_of_sysctls(void **state)
{
    struct ho_advise_ask ask = asked(30000, 10000);
    struct ho_advice a = solved(&ask);

    (void)state;
    assert_true(a.window_by_sysctls_ns > ask.within.ns);
    ask.survive = ho_ns(0); /* then a count is taken that has no gap */
    a = solved(&ask);
    assert_true(a.window_by_sysctls_ns <= ask.within.ns);
    assert_true(a.retries2 == 4);
}

/* 7200/75/9, tcp_retries2 15 and the others: as they are, if the time is longer than they take. */
static void settings_that_will_do_are_left_alone(void **state)
{
    struct ho_advise_ask ask = asked(3600000, 60000);
    struct ho_advice a = solved(&ask);

    (void)state;
    assert_int_equal(a.retries2, 15);
    assert_int_equal(a.orphan_retries, 0);
    assert_int_equal(a.syn_retries, 6);
    assert_int_equal(a.synack_retries, 5);
    assert_int_equal(a.fin_timeout_s, 60);
}

/* One second idle and two of probes, and no more than 0.09 s of lateness for each at HZ 100 (A1: a
 * granule is 8 jiffies for a second).
 */
static void the_least_time_is_three_seconds_and_the_lateness(void **state)
{
    struct ho_advise_ask ask = asked(3000, 0);
    struct ho_advise_near near;

    (void)state;
    assert_int_equal(refused(&ask), HO_ADVISE_KEEPALIVE);
    ho_advise_nearest(&ask, &near);
    assert_in_range(near.within.ns, 3000000001, 3300000000);
    assert_false(near.any_survive);
    ask.within = near.within;
    struct ho_advice a = solved(&ask);

    assert_int_equal(a.idle_s, 1);
    assert_int_equal(a.intvl_s, 1);
    assert_int_equal(a.cnt, 2);
}

static void what_contradicts_itself_is_refused(void **state)
{
    struct ho_advise_ask ask = asked(10000, 10000);
    struct ho_advise_near near;

    (void)state;
    assert_int_equal(refused(&ask), HO_ADVISE_SURVIVE);
    /* Data: repeats at 6.6 and 13.3 s, each up to 1/8 later (A2.2): 13.3 s is too late for 10 s,
     * 6.6 s are outlived. The interval after 13.3 s would end at 26.7. */
    ho_advise_nearest(&ask, &near);
    assert_in_range(near.within.ns / 1000000, 13500, 18000);
    assert_in_range(near.survive.ns / 1000000, 3000, 6700);
    ask = asked(20000, 14000);
    assert_int_equal(refused(&ask), HO_ADVISE_DATA);
    ho_advise_nearest(&ask, &near);
    assert_in_range(near.within.ns / 1000000, 26700, 31000);
    assert_in_range(near.survive.ns / 1000000, 12000, 13400);
    ask = asked(30000, 0);
    ask.base.rtt = ho_s(20);
    assert_int_equal(refused(&ask), HO_ADVISE_RTT);
    ask = asked(30000, 14000);
    ask.no_options = true;
    assert_int_equal(refused(&ask), HO_ADVISE_RETRIES);
}

static void nonsense_is_told(void **state)
{
    struct ho_advise_ask ask = asked(30000, 0);
    struct ho_advice a;

    (void)state;
    ask.hz_count = 0;
    assert_int_equal(ho_advise(&ask, &a, NULL), -EINVAL);
    ask = asked(0, 0);
    assert_int_equal(ho_advise(&ask, &a, NULL), -EINVAL);
    ask = asked((HO_ADVISE_WITHIN_MAX_S + 1) * INT64_C(1000), 0);
    assert_int_equal(ho_advise(&ask, &a, NULL), -EINVAL);
    ask = asked(30000, 0);
    ask.hz[2] = 5000;
    assert_int_equal(ho_advise(&ask, &a, NULL), -EINVAL);
}

/* The bound of the search is above what predict says for a timer that was just armed, and by no
 * more than a granule.
 */
static void the_bound_of_probes_is_near_the_prediction(void **state)
{
    static const int64_t settings[][3] = { { 5, 2, 3 }, { 60, 5, 9 }, { 12, 4, 4 }, { 1, 1, 2 } };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct ho_predict_in in = { .hz = 250, .rtt = ho_ms(2) };
        struct ho_prediction p;

        ho_sysctls_init(&in.sysctls);
        in.sysctls.v[HO_SYSCTL_TCP_KEEPALIVE_TIME] = settings[i][0];
        in.sysctls.v[HO_SYSCTL_TCP_KEEPALIVE_INTVL] = settings[i][1];
        in.sysctls.v[HO_SYSCTL_TCP_KEEPALIVE_PROBES] = settings[i][2];
        assert_int_equal(ho_predict(&in, HO_FAULT_CUT, HO_ACTIVITY_KEEPALIVE, &p), 0);
        int64_t bound = ho_advise_probe_ns(250, settings[i][0], settings[i][1], settings[i][2]);

        assert_true(bound >= p.max_ns);
        assert_true(bound <= p.max_ns + 300000000); /* 256 ms: intervals of 2 to 16 s */
    }
    /* With exact timers there is nothing to bound. */
    assert_true(ho_advise_probe_ns(0, 5, 2, 3) == 11 * HO_NS_PER_S);
}

/* ---- outages --------------------------------------------------------------------------------- */

/* A2.2, exact timers: one small segment at 0, the tail loss probe at 0.204, repeats at 0.408,
 * 0.816, 1.632, 3.264; the end with a user timeout of 3 s at 3.408.
 */
static struct ho_range_in data(int64_t user_timeout_ms)
{
    return (struct ho_range_in){ .kind = HO_RANGE_DATA,
                                 .rto = ho_ms(204),
                                 .srtt = ho_ms(2),
                                 .rtt = ho_ms(2),
                                 .rto_max = ho_s(120),
                                 .tlp = true,
                                 .one_segment = true,
                                 .user_timeout = ho_ms(user_timeout_ms) };
}

static void the_last_repeat_is_what_is_outlived(void **state)
{
    struct ho_range_in in = data(3000);
    int64_t ns;

    (void)state;
    assert_int_equal(ho_outlive(&in, &ns), 0);
    assert_in_range(ns / 1000000, 3264 - 4, 3264);
    assert_int_equal(ho_recover(&in, 2000 * INT64_C(1000000), &ns), 0);
    assert_in_range(ns / 1000000, 3264, 3264 + 2 + 4);
    assert_int_equal(ho_recover(&in, 3300 * INT64_C(1000000), &ns), 0);
    assert_true(ns == INT64_MAX);
}

/* The repeat at 3.264 s leaves, but the end at 3.408 s comes before an answer that takes 150 ms. */
static void an_answer_that_comes_too_late_saves_nothing(void **state)
{
    struct ho_range_in in = data(3000);
    int64_t ns;

    (void)state;
    in.rtt = ho_ms(150);
    assert_int_equal(ho_outlive(&in, &ns), 0);
    assert_in_range(ns / 1000000, 1632 - 4, 1632);
}

static void an_outage_of_what_makes_no_sense_is_told(void **state)
{
    struct ho_range_in in = data(3000);
    int64_t ns = 7;

    (void)state;
    in.rto = ho_ns(0);
    assert_int_equal(ho_outlive(&in, &ns), -EINVAL);
    assert_true(ns == 7);
}

/* ---- one setting for several things ---------------------------------------------------------- */

/* redis-server: tcp-keepalive is the idle time, a third of it the interval, and 3 probes: it
 * notices after twice the time.
 */
static void a_third_is_solved(void **state)
{
    struct ho_advise_ask ask = asked(30000, 6000);
    struct ho_advice a = solved(&ask), tied;

    (void)state;
    assert_int_equal(ho_advise_tied(&ask, &a, HO_ADVISE_TIE_THIRD, 0, a.cnt, &tied), 0);
    assert_int_equal(tied.cnt, 3);
    assert_int_equal(tied.idle_s, 3 * tied.intvl_s);
    assert_true(tied.idle_s * 2 < 30 && tied.intvl_s * 2 > 6);
    assert_int_equal(ho_advise_tied(&ask, &a, HO_ADVISE_TIE_BOTH, 0, 4, &tied), 0);
    assert_int_equal(tied.idle_s, tied.intvl_s);
    assert_true(tied.idle_s * 5 < 30);
    /* libuv: an interval of 1 s and 10 probes, whatever the host says */
    assert_int_equal(ho_advise_tied(&ask, &a, HO_ADVISE_TIE_FIXED, 1, 10, &tied), 0);
    assert_int_equal(tied.intvl_s, 1);
    assert_int_equal(tied.cnt, 10);
    assert_in_range(tied.idle_s, 15, 19);
    ask.survive = ho_s(14); /* two thirds of an idle time of 14 s at most */
    assert_int_equal(ho_advise_tied(&ask, &a, HO_ADVISE_TIE_THIRD, 0, 3, &tied), -ERANGE);
}

/* ---- the scenarios --------------------------------------------------------------------------- */

static void a_scenario_says_the_settings(void **state)
{
    struct ho_advise_ask ask = asked(30000, 10000);
    struct ho_advice a = solved(&ask);
    struct ho_proof p = { &ask, &a, HO_ADVICE_OPTIONS, HO_PROFILE_6_18, false };
    struct ho_proof_when when = { .hz = 250, .jiffies = 77 };
    struct ho_text t = { 0 };

    (void)state;
    ho_proof_write(&p, HO_PROOF_IDLE, &when, &t);
    assert_non_null(strstr(ho_text_str(&t), "hz 250\njiffy 77\n"));
    assert_non_null(strstr(ho_text_str(&t), "option server TCP_KEEPIDLE 12s\n"));
    assert_non_null(strstr(ho_text_str(&t), "option client SO_KEEPALIVE on\n"));
    assert_non_null(
        strstr(ho_text_str(&t), "expect kernel of server gives up within 30000000us of cut\n"));
    assert_null(strstr(ho_text_str(&t), "tcp_retries2"));
    ho_text_clear(&t);
    p.way = HO_ADVICE_SYSCTLS;
    p.real = true;
    ho_proof_write(&p, HO_PROOF_DATA, &when, &t);
    assert_null(strstr(ho_text_str(&t), "jiffy"));
    assert_non_null(strstr(ho_text_str(&t), "set all net.ipv4.tcp_retries2 6\n"));
    assert_null(strstr(ho_text_str(&t), "TCP_USER_TIMEOUT"));
    ho_text_free(&t);
}

/* What no value was found for is not claimed. */
static void what_is_not_claimed_is_not_proven(void **state)
{
    struct ho_advise_ask ask = asked(30000, 10000);
    struct ho_advice a = solved(&ask);
    struct ho_proof p = { &ask, &a, HO_ADVICE_SYSCTLS, HO_PROFILE_6_18, false };

    (void)state;
    assert_true(ho_proof_applies(&p, HO_PROOF_DATA));
    a.retries2 = a.orphan_retries = -1;
    assert_false(ho_proof_applies(&p, HO_PROOF_DATA));
    assert_false(ho_proof_applies(&p, HO_PROOF_CLOSED));
    assert_true(ho_proof_applies(&p, HO_PROOF_IDLE));
    p.way = HO_ADVICE_OPTIONS; /* TCP_USER_TIMEOUT ends these */
    assert_true(ho_proof_applies(&p, HO_PROOF_DATA));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_seconds_and_an_outage_of_ten),
        cmocka_unit_test(a_window_that_was_closed_for_long_is_a_gap_of_sysctls),
        cmocka_unit_test(settings_that_will_do_are_left_alone),
        cmocka_unit_test(the_least_time_is_three_seconds_and_the_lateness),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(nonsense_is_told),
        cmocka_unit_test(the_bound_of_probes_is_near_the_prediction),
        cmocka_unit_test(the_last_repeat_is_what_is_outlived),
        cmocka_unit_test(an_answer_that_comes_too_late_saves_nothing),
        cmocka_unit_test(an_outage_of_what_makes_no_sense_is_told),
        cmocka_unit_test(a_third_is_solved),
        cmocka_unit_test(a_scenario_says_the_settings),
        cmocka_unit_test(what_is_not_claimed_is_not_proven),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
