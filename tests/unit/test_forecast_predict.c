/* The table of predictions against what was measured (ground-truth A3, B). */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "forecast/predict.h"
#include "knobs/profile.h"

/* The hosts of the measurements: Linux's defaults, HZ=250, 2 ms there and back, a permanent ARP
 * entry, which is as good as a router.
 */
static struct ho_predict_in measured(void)
{
    struct ho_predict_in in = { .hz = 250, .rtt = ho_ms(2) };

    ho_sysctls_init(&in.sysctls);
    return in;
}

static struct ho_prediction ask(const struct ho_predict_in *in, enum ho_predict_fault fault,
                                enum ho_predict_activity activity)
{
    struct ho_prediction p;

    assert_int_equal(ho_predict(in, fault, activity, &p), 0);
    assert_int_equal(p.fault, fault);
    assert_int_equal(p.activity, activity);
    return p;
}

/* Whether the time that was measured lies in the range, and the range is not wider than a part of
 * it: 1/50, as much as a granule is of a delay in the worst case, plus 1/8 for the last step.
 */
static void holds(const struct ho_prediction *p, int64_t ms, int err)
{
    assert_int_equal(p->outcome, HO_PREDICT_RANGE);
    assert_in_range(ms, p->min_ns / 1000000, p->max_ns / 1000000 + 1);
    assert_true(p->max_ns - p->min_ns <= p->min_ns / 7);
    assert_int_equal(p->err, err);
}

static void an_idle_connection_without_keepalive_never_notices(void **state)
{
    struct ho_predict_in in = measured();

    (void)state;
    for (int f = 0; f < HO_FAULT_COUNT; f++) {
        struct ho_prediction p = ask(&in, (enum ho_predict_fault)f, HO_ACTIVITY_IDLE);

        assert_int_equal(p.outcome, f == HO_FAULT_KILLED ? HO_PREDICT_AT_ONCE : HO_PREDICT_NEVER);
    }
}

static void keepalive_ends_when_measured(void **state)
{
    struct ho_predict_in in = measured();

    (void)state;
    in.has_option[HO_SOCKOPT_TCP_KEEPIDLE] = true;
    in.option[HO_SOCKOPT_TCP_KEEPIDLE] = 5;
    in.has_option[HO_SOCKOPT_TCP_KEEPINTVL] = true;
    in.option[HO_SOCKOPT_TCP_KEEPINTVL] = 2;
    in.has_option[HO_SOCKOPT_TCP_KEEPCNT] = true;
    in.option[HO_SOCKOPT_TCP_KEEPCNT] = 3;
    struct ho_prediction p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_KEEPALIVE);

    holds(&p, 11050, ETIMEDOUT); /* row 2 */
    assert_int_equal(p.knob, HO_PREDICT_KNOB_KEEPALIVE);
    p = ask(&in, HO_FAULT_CARRIER, HO_ACTIVITY_KEEPALIVE);
    holds(&p, 11050, ETIMEDOUT); /* A4: never EHOSTUNREACH */
    p = ask(&in, HO_FAULT_REBOOT, HO_ACTIVITY_KEEPALIVE);
    holds(&p, 5009, ECONNRESET); /* row 8b: the first probe */
    p = ask(&in, HO_FAULT_HANGS, HO_ACTIVITY_KEEPALIVE);
    assert_int_equal(p.outcome, HO_PREDICT_NEVER);

    in.has_option[HO_SOCKOPT_TCP_USER_TIMEOUT] = true;
    in.option[HO_SOCKOPT_TCP_USER_TIMEOUT] = 1000;
    p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_KEEPALIVE);
    holds(&p, 7030, ETIMEDOUT); /* row 9: one probe, whatever TCP_KEEPCNT says */
    assert_int_equal(p.knob, HO_PREDICT_KNOB_USER_TIMEOUT);
}

static void the_default_of_keepalive_is_2_h_11_min(void **state)
{
    struct ho_predict_in in = measured();
    struct ho_prediction p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_KEEPALIVE);

    (void)state;
    /* 7200 + 9 * 75 s, and never early; 131 s and 9 times 2 s late at most (A1). */
    assert_true(p.min_ns >= 7875 * HO_NS_PER_S);
    assert_true(p.max_ns <= (7875 + 132 + 9 * 3) * HO_NS_PER_S);
}

static void data_in_flight_ends_when_measured(void **state)
{
    static const struct {
        int64_t retries2, ms;
    } table[] = {
        { 0, 848 }, { 1, 1675 }, { 3, 6650 }, { 5, 13290 }, { 8, 107300 }, { 15, 937800 }
    };
    struct ho_predict_in in = measured();

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        in.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = table[i].retries2;
        struct ho_prediction p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_DATA);

        holds(&p, table[i].ms, ETIMEDOUT);
        assert_string_equal(ho_predict_call(&p), "recv");
    }
}

static void data_to_a_peer_on_the_link_may_be_unreachable(void **state)
{
    static const int64_t ms[] = { 958300, 937800, 954300, 958700, 932100 }; /* rows 3b, 3d */
    struct ho_predict_in in = measured();
    struct ho_prediction p;

    (void)state;
    in.on_link = true;
    p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_DATA);
    assert_int_equal(p.outcome, HO_PREDICT_WITHIN);
    for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++) {
        assert_in_range(ms[i], p.min_ns / 1000000, p.max_ns / 1000000);
    }
    assert_int_equal(p.err, ETIMEDOUT);
    assert_int_equal(p.other_err, EHOSTUNREACH);
    p = ask(&in, HO_FAULT_CARRIER, HO_ACTIVITY_DATA);
    assert_in_range(927900, p.min_ns / 1000000, p.max_ns / 1000000); /* row 3c */
    in.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = 3;
    p = ask(&in, HO_FAULT_CARRIER, HO_ACTIVITY_DATA);
    assert_in_range(3500, p.min_ns / 1000000, p.max_ns / 1000000);
    in.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = 1; /* too early for ARP to have failed */
    p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_DATA);
    holds(&p, 1675, ETIMEDOUT);
    assert_int_equal(p.other_err, 0);
}

static void a_user_timeout_counts_from_the_first_repeat(void **state)
{
    static const int64_t table[][2] = {
        { 100, 528 }, { 500, 928 }, { 3000, 3428 }, { 10000, 10580 }
    };
    struct ho_predict_in in = measured();

    (void)state;
    in.has_option[HO_SOCKOPT_TCP_USER_TIMEOUT] = true;
    /* row 9; its times count from the fault, 10 ms before the data was sent */
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        in.option[HO_SOCKOPT_TCP_USER_TIMEOUT] = table[i][0];
        struct ho_prediction p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_DATA);

        holds(&p, table[i][1] - 10, ETIMEDOUT);
        assert_int_equal(p.knob, HO_PREDICT_KNOB_USER_TIMEOUT);
    }
}

static void connect_ends_when_measured(void **state)
{
    struct ho_predict_in in = measured();
    struct ho_prediction p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_CONNECT);

    (void)state;
    holds(&p, 134900, ETIMEDOUT); /* row 10 */
    assert_string_equal(ho_predict_call(&p), "connect");
    in.on_link = true;
    p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_CONNECT);
    holds(&p, 3060, EHOSTUNREACH);
    assert_int_equal(p.other_err, 0);
    in.sysctls.v[HO_SYSCTL_NEIGH_MCAST_SOLICIT] = 0;
    p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_CONNECT);
    assert_int_equal(p.outcome, HO_PREDICT_AT_ONCE);
    p = ask(&in, HO_FAULT_KILLED, HO_ACTIVITY_CONNECT);
    assert_int_equal(p.err, ECONNREFUSED);
    in.on_link = false;
    ho_profile_sysctls(HO_PROFILE_6_1, &in.sysctls); /* no linear timeouts */
    p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_CONNECT);
    holds(&p, 130060, ETIMEDOUT); /* knobs/profile_knobs.def */
    ho_sysctls_init(&in.sysctls);
    in.has_option[HO_SOCKOPT_TCP_USER_TIMEOUT] = true;
    in.option[HO_SOCKOPT_TCP_USER_TIMEOUT] = 100; /* the first SYN's timer is not cut to it */
    p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_CONNECT);
    holds(&p, 1020, ETIMEDOUT); /* docs/predict.md */
}

static void a_closed_connection_ends_in_silence(void **state)
{
    struct ho_predict_in in = measured();
    struct ho_prediction p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_CLOSING);

    (void)state;
    holds(&p, 107300, 0); /* row 15 */
    assert_false(p.told);
    assert_string_equal(ho_predict_call(&p), "");
    p = ask(&in, HO_FAULT_HANGS, HO_ACTIVITY_CLOSING);
    holds(&p, 60200, 0); /* row 6a */
    in.rto = ho_s(40);
    p = ask(&in, HO_FAULT_HANGS, HO_ACTIVITY_CLOSING);
    assert_true(p.min_ns >= 140 * HO_NS_PER_S); /* three and a half timeouts */
    in.has_option[HO_SOCKOPT_TCP_LINGER2] = true;
    in.option[HO_SOCKOPT_TCP_LINGER2] = -1;
    p = ask(&in, HO_FAULT_HANGS, HO_ACTIVITY_CLOSING);
    assert_int_equal(p.outcome, HO_PREDICT_AT_ONCE);
}

static void a_closed_window_ends_when_measured(void **state)
{
    static const struct {
        int64_t retries2, ms;
    } table[] = { { 3, 3430 }, { 8, 118100 }, { 15, 960600 } };
    struct ho_predict_in in = measured();
    struct ho_prediction p;

    (void)state;
    /* The first probes came after 225 to 231 ms (row 12): timeouts of 224 and 228 ms. */
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        in.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = table[i].retries2;
        in.rto = ho_ms(224);
        p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_WINDOW);
        int64_t least = p.min_ns;

        in.rto = ho_ms(228);
        p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_WINDOW);
        assert_in_range(table[i].ms, least / 1000000, p.max_ns / 1000000 + 1);
        assert_true(p.max_ns - least < least / 20);
        assert_int_equal(p.err, ETIMEDOUT);
    }
    p = ask(&in, HO_FAULT_HANGS, HO_ACTIVITY_WINDOW);
    assert_int_equal(p.outcome, HO_PREDICT_NEVER);
    in.has_option[HO_SOCKOPT_TCP_USER_TIMEOUT] = true;
    in.option[HO_SOCKOPT_TCP_USER_TIMEOUT] = 3000;
    p = ask(&in, HO_FAULT_HANGS, HO_ACTIVITY_WINDOW);
    assert_int_equal(p.err, ETIMEDOUT); /* row 9: killed although the peer lives */
    assert_in_range(3230, p.min_ns / 1000000, p.max_ns / 1000000 + 1);
}

static void chains_too_long_to_follow_have_bounds(void **state)
{
    struct ho_predict_in in = measured();

    (void)state;
    in.has_option[HO_SOCKOPT_TCP_USER_TIMEOUT] = true;
    in.option[HO_SOCKOPT_TCP_USER_TIMEOUT] = 1000000000;
    in.has_option[HO_SOCKOPT_TCP_KEEPINTVL] = true;
    in.option[HO_SOCKOPT_TCP_KEEPINTVL] = 1;
    struct ho_prediction p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_KEEPALIVE);

    assert_int_equal(p.outcome, HO_PREDICT_WITHIN);
    assert_true(p.min_ns == 1000000 * HO_NS_PER_S && p.max_ns < 1000200 * HO_NS_PER_S);
    p = ask(&in, HO_FAULT_HANGS, HO_ACTIVITY_WINDOW);
    assert_int_equal(p.outcome, HO_PREDICT_WITHIN);
    assert_true(p.min_ns > 1000000 * HO_NS_PER_S);
    p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_DATA);
    assert_int_equal(p.outcome, HO_PREDICT_WITHIN);
    assert_true(p.min_ns > 1000000 * HO_NS_PER_S && p.max_ns < 1000018 * HO_NS_PER_S);
    p = ask(&in, HO_FAULT_CARRIER, HO_ACTIVITY_CLOSING);
    assert_int_equal(p.outcome, HO_PREDICT_WITHIN);
    assert_true(p.min_ns == 1000000 * HO_NS_PER_S);
    in.on_link = true;
    in.sysctls.v[HO_SYSCTL_NEIGH_MCAST_SOLICIT] = INT32_MAX; /* the SYNs end first */
    p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_CONNECT);
    assert_int_equal(p.outcome, HO_PREDICT_RANGE);
    assert_int_equal(p.err, ETIMEDOUT);
    in.sysctls.v[HO_SYSCTL_NEIGH_MCAST_SOLICIT] = 5000;
    in.sysctls.v[HO_SYSCTL_NEIGH_RETRANS_TIME_MS] = 8;
    p = ask(&in, HO_FAULT_CUT, HO_ACTIVITY_CONNECT);
    assert_int_equal(p.outcome, HO_PREDICT_WITHIN);
    assert_true(p.min_ns == 40 * HO_NS_PER_S);
}

static void settings_that_make_no_sense_are_refused(void **state)
{
    struct ho_predict_in in = measured();
    struct ho_prediction p = { .step = 77 };

    (void)state;
    in.hz = 5000;
    assert_int_equal(ho_predict(&in, HO_FAULT_CUT, HO_ACTIVITY_DATA, &p), -EINVAL);
    assert_true(p.step == 77);
}

static void a_first_measurement_makes_a_longer_timeout(void **state)
{
    struct ho_predict_in in = measured();

    (void)state;
    assert_int_equal(ho_predict_rto(&in, true).ns, 204000000); /* A2.1 */
    in.rtt = ho_ms(200);
    assert_int_equal(ho_predict_rto(&in, true).ns, 600000000);
    assert_int_equal(ho_predict_rto(&in, false).ns, 400000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_without_keepalive_never_notices),
        cmocka_unit_test(keepalive_ends_when_measured),
        cmocka_unit_test(the_default_of_keepalive_is_2_h_11_min),
        cmocka_unit_test(data_in_flight_ends_when_measured),
        cmocka_unit_test(data_to_a_peer_on_the_link_may_be_unreachable),
        cmocka_unit_test(a_user_timeout_counts_from_the_first_repeat),
        cmocka_unit_test(connect_ends_when_measured),
        cmocka_unit_test(a_closed_connection_ends_in_silence),
        cmocka_unit_test(a_closed_window_ends_when_measured),
        cmocka_unit_test(chains_too_long_to_follow_have_bounds),
        cmocka_unit_test(settings_that_make_no_sense_are_refused),
        cmocka_unit_test(a_first_measurement_makes_a_longer_timeout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
