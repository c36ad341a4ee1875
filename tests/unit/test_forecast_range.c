/* Unit tests of src/forecast/: the chains against timelines of the real kernel in virtual time,
 * whose jiffy count is known (virtual-kernel/timelines, Linux 6.12.107, HZ=250), and the ranges
 * against those measured by sweeping the phase (virtual-kernel/README.md, "Default-settings
 * timelines").
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/range.h"

#define MS INT64_C(1000000)
#define US INT64_C(1000)
#define JIFFY (4 * MS) /* at HZ=250 */

/* "jiffies" in the first line of every timeline there, at its time 0, a whole jiffy. */
#define JIFFIES0 UINT64_C(4294892796)

/* Linux's defaults, data of one segment on a connection with a round trip of 1 ms. */
static struct ho_range_in defaults(enum ho_range_kind kind)
{
    return (struct ho_range_in){
        .kind = kind,
        .hz = 250,
        .rto_max = ho_s(120),
        .idle = ho_s(7200),
        .intvl = ho_s(75),
        .cnt = 9,
        .rto = ho_ms(204),
        .srtt = ho_ms(1),
        .rtt = ho_ms(1),
        .ratelimit = ho_ms(500),
        .tlp = true,
        .one_segment = true,
        .retries2 = 15,
        .retries = 6,
        .linear = 4,
        .fin_timeout = ho_s(60),
    };
}

/* The chain ends at `end_us` on the timeline, its origin being `origin_us`: within 2 jiffies. */
static void assert_timeline(struct ho_range_in in, int64_t origin_us, int64_t end_us)
{
    int64_t got = 0;

    in.into_jiffy = ho_ns(origin_us * US % JIFFY);
    assert_int_equal(ho_range_at(&in, JIFFIES0 + (uint64_t)(origin_us * US / JIFFY), &got), 0);
    got += origin_us * US;
    assert_true(got >= end_us * US - 2 * JIFFY && got <= end_us * US + 2 * JIFFY);
}

static void one_phase_gives_the_death_of_the_real_kernel(void **state)
{
    (void)state;
    struct ho_range_in in = defaults(HO_RANGE_KEEPALIVE);

    in.armed_ns = 99500 * US;
    assert_timeline(in, 200502, 7926800000); /* ka_default_static: cut at 10 s, +7916.8 */

    in.idle = ho_s(140);
    in.intvl = ho_s(20);
    in.cnt = 2;
    assert_timeline(in, 200504, 191504000); /* ka_140_20_2: the first probe is 11.7 s late */

    in.idle = ho_s(5);
    in.intvl = ho_s(2);
    in.cnt = 3;
    assert_timeline(in, 200504, 11440000); /* ka_5_2_3 */

    in = defaults(HO_RANGE_DATA);
    assert_timeline(in, 10500001, 949264001); /* data_1ms_static */

    in.retries2 = 5;
    assert_timeline(in, 5500001, 18960001); /* retries_short */
    in.retries2 = 15;
    in.rto = ho_ms(520);
    in.srtt = ho_ms(200);
    assert_timeline(in, 10500001, 994320001); /* data_200ms_static */

    in = defaults(HO_RANGE_DATA);
    in.user_timeout = ho_s(30);
    assert_timeline(in, 10500001, 40976001); /* usertimeout30_data */

    in = defaults(HO_RANGE_SYN);
    assert_timeline(in, 1003, 134160000); /* syn_static */

    in = defaults(HO_RANGE_PROBES);
    in.rto = ho_ms(212);
    in.cut_ns = 20000001 * US - 1444501 * US;
    assert_timeline(in, 1444501, 1672208001); /* zerowin_cut */
}

/* The range holds the measured one, and is wider at each end by less than `slack_ns`, the distance
 * between two phases of the sweep. Both in nanoseconds after the origin.
 */
static void assert_range(const struct ho_range_in *in, int64_t min_ns, int64_t max_ns,
                         int64_t slack_ns)
{
    struct ho_range r = { 0 };
    int64_t at = 0;

    assert_int_equal(ho_range(in, &r), 0);
    assert_true(r.min_ns <= min_ns && r.min_ns > min_ns - slack_ns);
    assert_true(r.max_ns >= max_ns && r.max_ns < max_ns + slack_ns);
    assert_int_equal(ho_range_at(in, r.min_phase, &at), 0);
    assert_int_equal(at, r.min_ns);
    assert_int_equal(ho_range_at(in, r.max_phase, &at), 0);
    assert_int_equal(at, r.max_ns);
}

static void keepalive_at_the_defaults_dies_between_7882_6_and_8012_6_seconds(void **state)
{
    (void)state;
    struct ho_range_in in = defaults(HO_RANGE_KEEPALIVE);

    in.armed_ns = 99500 * US;
    in.into_jiffy = ho_us(500);
    assert_range(&in, 7882600 * MS, 8012600 * MS, 1100 * MS); /* 131.072 s in 128 steps */
}

static void a_jiffy_of_1_ms_makes_keepalive_later(void **state)
{
    (void)state;
    struct ho_range_in in = defaults(HO_RANGE_KEEPALIVE);

    in.hz = 1000;
    in.armed_ns = 99500 * US;
    in.into_jiffy = ho_us(500);
    /* measured 7891.5 to 8151.0 after a cut that came 9.8 s after the last segment */
    assert_range(&in, 7901300 * MS, 8160800 * MS, 2200 * MS); /* 262.144 s in 128 steps */
}

static void data_in_flight_dies_between_938_2_and_940_2_seconds(void **state)
{
    (void)state;
    struct ho_range_in in = defaults(HO_RANGE_DATA);

    /* measured after the cut; the data was sent 0.5 s later */
    assert_range(&in, 937700 * MS, 939700 * MS, 200 * MS);
    in.rto = ho_ms(520);
    in.srtt = ho_ms(200);
    assert_range(&in, 982200 * MS, 984200 * MS, 200 * MS);
    in = defaults(HO_RANGE_DATA);
    in.hz = 1000;
    in.rto = ho_ms(202); /* 200 ms and a little more than 1 ms, rounded up to a jiffy */
    assert_range(&in, 948700 * MS, 952600 * MS, 500 * MS);
}

static void connect_to_nobody_dies_between_133_3_and_135_2_seconds(void **state)
{
    (void)state;
    struct ho_range_in in = defaults(HO_RANGE_SYN);

    assert_range(&in, 133300 * MS, 135200 * MS, 200 * MS);
}

static void a_closed_window_and_a_cut_die_between_1652_2_and_1654_1_seconds(void **state)
{
    (void)state;
    struct ho_range_in in = defaults(HO_RANGE_PROBES);

    in.rto = ho_ms(212);
    in.into_jiffy = ho_us(501);
    in.cut_ns = 18555500 * US;
    assert_range(&in, in.cut_ns + 1652200 * MS, in.cut_ns + 1654100 * MS, 200 * MS);
}

/* The ends over all phases, one by one: what the search must find. */
static void assert_same_as_all_phases(const struct ho_range_in *in)
{
    struct ho_range r = { 0 };
    int64_t min = INT64_MAX, max = INT64_MIN;

    assert_int_equal(ho_range(in, &r), 0);
    for (uint64_t p = 0; p < r.step; p++) {
        int64_t at = 0;

        assert_int_equal(ho_range_at(in, p, &at), 0);
        min = at < min ? at : min;
        max = at > max ? at : max;
    }
    assert_int_equal(r.min_ns, min);
    assert_int_equal(r.max_ns, max);
}

static void the_search_misses_no_phase(void **state)
{
    (void)state;
    static const uint32_t hz[] = { 100, 250, 300, 1000 };

    for (size_t i = 0; i < sizeof(hz) / sizeof(hz[0]); i++) {
        for (uint32_t n = 0; n <= 8; n++) { /* N=4 is on a knife's edge (ground-truth A3) */
            struct ho_range_in in = defaults(HO_RANGE_DATA);

            in.hz = hz[i];
            in.retries2 = n;
            in.into_jiffy = ho_us(700);
            assert_same_as_all_phases(&in);
            in.user_timeout = ho_ms(INT64_C(1000) * (n + 1));
            assert_same_as_all_phases(&in);
            in.user_timeout = ho_ms(0);
            in.no_route_ns = (30 + 60 * n) * MS;
            assert_same_as_all_phases(&in);
            in = defaults(HO_RANGE_KEEPALIVE);
            in.hz = hz[i];
            in.idle = ho_s(5 + 17 * n);
            in.intvl = ho_s(2);
            in.cnt = 3;
            in.armed_ns = -700 * MS * n;
            assert_same_as_all_phases(&in);
            in = defaults(HO_RANGE_PROBES);
            in.hz = hz[i];
            in.retries2 = n;
            in.cut_ns = 300 * MS * n;
            assert_same_as_all_phases(&in);
            in = defaults(HO_RANGE_SYN);
            in.hz = hz[i];
            in.retries = n < 6 ? n + 1 : 6;
            assert_same_as_all_phases(&in);
        }
    }
}

/* ground-truth A3: "Ideal (no lateness) LAN deaths: N=3 6.53, 5 13.06, 8 104.4, 15 928.9", and N=4
 * 13.06; row 10: 131 s; row 2: idle + count x interval.
 */
static void exact_timers_give_the_ideal_times(void **state)
{
    (void)state;
    static const struct {
        uint32_t n;
        int64_t ms;
    } ideal[] = { { 3, 6530 }, { 4, 13060 }, { 5, 13060 }, { 8, 104450 }, { 15, 928900 } };
    struct ho_range_in in = defaults(HO_RANGE_DATA);
    struct ho_range r = { 0 };

    in.hz = 0;
    in.srtt = ho_ms(2);
    for (size_t i = 0; i < sizeof(ideal) / sizeof(ideal[0]); i++) {
        in.retries2 = ideal[i].n;
        assert_int_equal(ho_range(&in, &r), 0);
        assert_int_equal(r.min_ns, r.max_ns);
        assert_in_range(r.min_ns, (ideal[i].ms - 60) * MS, (ideal[i].ms + 60) * MS);
    }
    in = defaults(HO_RANGE_SYN);
    in.hz = 0;
    assert_int_equal(ho_range(&in, &r), 0);
    assert_int_equal(r.max_ns, 131000 * MS);
    in = defaults(HO_RANGE_KEEPALIVE);
    in.hz = 0;
    assert_int_equal(ho_range(&in, &r), 0);
    assert_int_equal(r.max_ns, 7875000 * MS);
}

#define ROUNDED (10 * MS) /* figures there have two digits after the point */
#define LATE (30 * MS)    /* scheduling there */

/* Deaths that ground-truth/README.md measured in real time lie in the range of their settings. */
static void measured_deaths_lie_in_their_range(void **state)
{
    (void)state;
    struct ho_range_in in[11];
    static const int64_t ms[11] = {
        11050,  /* row 2: keepalive 5/2/3, after the last segment */
        6650,   /* A3: retries2=3, LAN */
        6870,   /* A3: retries2=4 */
        107300, /* A3: retries2=8 */
        10580,  /* row 9: TCP_USER_TIMEOUT 10 s with data */
        3070,   /* row 10: tcp_syn_retries=1: 3 SYNs */
        64000,  /* row 11: SYN-ACK, 5 retries: about 64 s */
        107300, /* row 15: an orphan's FIN */
        60200,  /* row 6a: FIN-WAIT-2 */
        13179,  /* row 3e: retries2=5, the address removed (s03z_addrdel_inflight_r5) */
        13238,  /* the same, the route removed (s03z_routedel_inflight_r5) */
    };
    struct ho_range r = { 0 };

    for (size_t i = 0; i < 11; i++) {
        in[i] = defaults(i == 0 ? HO_RANGE_KEEPALIVE : HO_RANGE_DATA);
        in[i].srtt = ho_us(2300);
    }
    in[0].idle = ho_s(5);
    in[0].intvl = ho_s(2);
    in[0].cnt = 3;
    in[0].armed_ns = -750 * MS;
    in[1].retries2 = 3;
    in[2].retries2 = 4;
    in[3].retries2 = 8;
    in[4].user_timeout = ho_s(10);
    in[5] = defaults(HO_RANGE_SYN);
    in[5].retries = 1;
    in[6] = defaults(HO_RANGE_SYNACK);
    in[6].retries = 5;
    in[7].orphan = true;
    in[8] = defaults(HO_RANGE_FIN_WAIT2);
    in[9].retries2 = 5;
    in[9].no_route_ns = 45 * MS;
    in[10] = in[9];
    for (size_t i = 0; i < 11; i++) {
        assert_int_equal(ho_range(&in[i], &r), 0);
        assert_in_range(ms[i] * MS, r.min_ns - ROUNDED, r.max_ns + LATE);
    }
}

/* Row 9: with a user timeout keepalive's count is ignored; one lost probe is enough. */
static void a_user_timeout_ends_keepalive_at_the_first_tick_after_it(void **state)
{
    (void)state;
    static const struct {
        int64_t ut_ms, died_ms;
    } cases[] = {
        { 1000, 6680 }, { 6000, 6680 }, { 8000, 8690 }, { 12000, 12720 }, { 20000, 20780 }
    };
    struct ho_range_in in = defaults(HO_RANGE_KEEPALIVE);
    struct ho_range r = { 0 };

    in.idle = ho_s(5);
    in.intvl = ho_s(2);
    in.cnt = 3;
    in.armed_ns = -750 * MS;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        in.user_timeout = ho_ms(cases[i].ut_ms);
        assert_int_equal(ho_range(&in, &r), 0);
        /* measured from the cut, 0.35 s after the last segment */
        assert_in_range((cases[i].died_ms + 350) * MS, r.min_ns - ROUNDED, r.max_ns + LATE);
    }
}

static void what_cannot_be_computed_is_refused(void **state)
{
    (void)state;
    struct ho_range_in in = defaults(HO_RANGE_DATA);
    struct ho_range r = { .min_ns = 7 };

    in.neighbour = true;
    assert_int_equal(ho_range(&in, &r), -ENOTSUP);
    in.neighbour = false;
    in.rto = ho_ms(0);
    assert_int_equal(ho_range(&in, &r), -EINVAL);
    in = defaults(HO_RANGE_KEEPALIVE);
    in.armed_ns = -7201 * INT64_C(1000000000);
    assert_int_equal(ho_range(&in, &r), -EINVAL);
    in = defaults(HO_RANGE_KEEPALIVE);
    in.cnt = 100000;
    assert_int_equal(ho_range(&in, &r), -EINVAL);
    assert_int_equal(r.min_ns, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_phase_gives_the_death_of_the_real_kernel),
        cmocka_unit_test(keepalive_at_the_defaults_dies_between_7882_6_and_8012_6_seconds),
        cmocka_unit_test(a_jiffy_of_1_ms_makes_keepalive_later),
        cmocka_unit_test(data_in_flight_dies_between_938_2_and_940_2_seconds),
        cmocka_unit_test(connect_to_nobody_dies_between_133_3_and_135_2_seconds),
        cmocka_unit_test(a_closed_window_and_a_cut_die_between_1652_2_and_1654_1_seconds),
        cmocka_unit_test(the_search_misses_no_phase),
        cmocka_unit_test(exact_timers_give_the_ideal_times),
        cmocka_unit_test(measured_deaths_lie_in_their_range),
        cmocka_unit_test(a_user_timeout_ends_keepalive_at_the_first_tick_after_it),
        cmocka_unit_test(what_cannot_be_computed_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
