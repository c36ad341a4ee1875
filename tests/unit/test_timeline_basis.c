/* Unit tests of src/timeline/basis.c: from which event the timers ran, and that forecast/range.h
 * gives from it what the real kernel did (virtual-kernel/timelines, whose scenarios are made here
 * by hand; their jiffy count is 4294892796 at time 0).
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/range.h"
#include "timeline/basis.h"
#include "timeline_make.h"

#define JIFFIES0 UINT64_C(4294892796)
#define JIFFY (4 * MAKE_MS)

static struct ho_timeline tl;
static struct ho_verdicts verdicts;
static struct ho_basis basis;

static int set_up(void **state)
{
    (void)state;
    ho_timeline_init(&tl, 0);
    verdicts = (struct ho_verdicts){ 0 };
    make_setting(&tl, 0, "host", "client", "", "hz", 250);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ho_verdicts_free(&verdicts);
    ho_timeline_destroy(&tl);
    return 0;
}

static int basis_of_client(void)
{
    ho_verdicts_free(&verdicts);
    assert_int_equal(ho_verdicts_make(&tl, NULL, &verdicts), 0);
    const struct ho_verdict *v = ho_verdicts_find(&verdicts, "client", NULL, "db");
    assert_non_null(v);
    return ho_verdict_basis(&tl, &verdicts, v, &basis);
}

static struct ho_range_in range_in(enum ho_range_kind kind)
{
    return (struct ho_range_in){
        .kind = kind,
        .hz = basis.hz,
        .into_jiffy = basis.into_jiffy,
        .rto_max = basis.rto_max,
        .user_timeout = basis.user_timeout,
        .cut_ns = basis.cut_ns,
        .rtt = basis.rtt,
        .ratelimit = basis.ratelimit,
        .idle = basis.idle,
        .intvl = basis.intvl,
        .cnt = basis.cnt,
        .armed_ns = basis.armed_ns,
        .rto = basis.rto,
        .srtt = basis.srtt,
        .tlp = basis.tlp,
        .one_segment = basis.one_segment,
        .orphan = basis.orphan,
        .neighbour = basis.neighbour,
        .retries2 = basis.retries2,
        .orphan_retries = basis.orphan_retries,
        .retries = basis.retries,
        .linear = basis.linear,
        .fin_timeout = basis.fin_timeout,
    };
}

/* With the jiffy count of those timelines the chain ends at `ms`, within 2 jiffies. */
static void assert_ends_at(enum ho_range_kind kind, int64_t ms)
{
    const struct ho_range_in in = range_in(kind);
    int64_t at = 0;

    assert_int_equal(ho_range_at(&in, JIFFIES0 + (uint64_t)(basis.origin.ns / JIFFY), &at), 0);
    at += basis.origin.ns;
    assert_in_range(at, ms * MAKE_MS - 2 * JIFFY, ms * MAKE_MS + 2 * JIFFY);
}

static void make_die(int64_t ms)
{
    make_sock(&tl, ms, "client", "CLOSED", HO_SOCK_TIMER_OFF, "ETIMEDOUT");
    make_call(&tl, ms, "client", "recv", -1, "ETIMEDOUT");
}

/* ka_default_static */
static void keepalive_counts_from_the_last_segment_and_was_armed_by_the_option(void **state)
{
    (void)state;
    make_established(&tl);
    make_seg(&tl, 199, "server", "PA", 1, 1, 100, HO_FATE_FWD);
    make_seg(&tl, 200, "client", "A", 1, 101, 0, HO_FATE_FWD);
    make_setting(&tl, 300, "sockopt", "client", "db", "SO_KEEPALIVE", 1);
    make_sock(&tl, 300, "client", "ESTABLISHED", HO_SOCK_TIMER_KEEPALIVE, "");
    make_fault(&tl, 10000, "", "cut", "lan");
    make_seg(&tl, 7244800, "client", "A", 0, 101, 0, HO_FATE_CUT);
    make_die(7926800);
    assert_int_equal(basis_of_client(), 0);
    assert_int_equal(basis.chain, HO_BASIS_KEEPALIVE);
    assert_int_equal(basis.origin.ns, 200 * MAKE_MS);
    assert_int_equal(basis.armed_ns, 100 * MAKE_MS);
    assert_int_equal(basis.cut_ns, 9800 * MAKE_MS);
    assert_ends_at(HO_RANGE_KEEPALIVE, 7926800);
}

/* What was there before a play of real programs began has the time 0, whenever it was. */
static void without_the_time_of_the_last_segment_nothing_is_said(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms <= 1; ms++) {
        tear_down(NULL);
        set_up(NULL);
        make_setting(&tl, 0, "sockopt", "client", "db", "TCP_KEEPIDLE", 5);
        make_sock(&tl, 0, "client", "ESTABLISHED", HO_SOCK_TIMER_KEEPALIVE, "");
        make_seg(&tl, ms, "server", "PA", 1, 1, 100, HO_FATE_FWD);
        make_fault(&tl, 1000, "", "cut", "lan");
        make_seg(&tl, 5200, "client", "A", 0, 101, 0, HO_FATE_CUT);
        make_die(705000);
        assert_int_equal(basis_of_client(), ms == 0 ? -ENOTSUP : 0);
    }
}

/* An answered probe is the timer's doing: the origin stays where it was. */
static void an_answer_to_a_probe_is_no_origin(void **state)
{
    (void)state;
    make_setting(&tl, 0, "sockopt", "client", "db", "TCP_KEEPIDLE", 5);
    make_established(&tl);
    make_seg(&tl, 199, "server", "PA", 1, 1, 100, HO_FATE_FWD);
    make_sock(&tl, 300, "client", "ESTABLISHED", HO_SOCK_TIMER_KEEPALIVE, "");
    make_seg(&tl, 5200, "client", "A", 0, 101, 0, HO_FATE_FWD);
    make_seg(&tl, 5201, "server", "A", 101, 1, 0, HO_FATE_FWD);
    make_fault(&tl, 10000, "", "cut", "lan");
    make_die(705000);
    assert_int_equal(basis_of_client(), 0);
    assert_int_equal(basis.origin.ns, 200 * MAKE_MS);
    assert_int_equal(basis.rtt.ns, 2 * MAKE_MS);
    assert_int_equal(basis.idle.ns, 5000 * MAKE_MS);
}

/* data_1ms_static */
static void data_counts_from_the_last_sending_before_the_first_repeat(void **state)
{
    (void)state;
    make_established(&tl);
    tl.rec[5].u.sock.rto = ho_ms(204);
    tl.rec[5].u.sock.srtt = ho_ms(1);
    make_fault(&tl, 10000, "", "cut", "lan");
    make_seg(&tl, 10500, "client", "PA", 1, 1, 100, HO_FATE_CUT);
    make_seg(&tl, 10708, "client", "PA", 1, 1, 100, HO_FATE_CUT);
    make_seg(&tl, 10916, "client", "PA", 1, 1, 100, HO_FATE_CUT);
    make_sock(&tl, 10916, "client", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    make_die(949264);
    assert_int_equal(basis_of_client(), 0);
    assert_int_equal(basis.chain, HO_BASIS_DATA);
    assert_int_equal(basis.origin.ns, 10500 * MAKE_MS);
    assert_true(basis.one_segment && basis.tlp && !basis.orphan && !basis.neighbour);
    assert_ends_at(HO_RANGE_DATA, 949264);
}

/* Several sendings before the first repeat: the last of them armed the timer. */
static void a_flight_is_no_single_segment(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 10000, "", "cut", "lan");
    make_seg(&tl, 10500, "client", "PA", 1, 1, 100, HO_FATE_CUT);
    make_seg(&tl, 10510, "client", "PA", 101, 1, 100, HO_FATE_CUT);
    make_seg(&tl, 10523, "client", "PA", 101, 1, 100, HO_FATE_CUT);
    make_seg(&tl, 10700, "client", "PA", 201, 1, 100, HO_FATE_CUT);
    make_sock(&tl, 10916, "client", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    make_die(949264);
    assert_int_equal(basis_of_client(), 0);
    assert_int_equal(basis.origin.ns, 10510 * MAKE_MS);
    assert_false(basis.one_segment);
}

/* ground-truth A5: its own ICMP changes the timers. */
static void a_neighbour_that_arp_does_not_find_is_noted(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 10000, "", "cut", "lan");
    make_seg(&tl, 10500, "client", "PA", 1, 1, 100, HO_FATE_CUT);
    make_sock(&tl, 10916, "client", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    make(&tl, 58000,
         (struct ho_record){
             .kind = HO_REC_ICMP,
             .host = "client",
             .conn = "db",
             .u.icmp = { .to = "client", .via = "lo", .what = "host-unreachable" } });
    make_die(949264);
    assert_int_equal(basis_of_client(), 0);
    assert_true(basis.neighbour);
    assert_int_equal(ho_range(&(const struct ho_range_in){ .kind = HO_RANGE_DATA,
                                                           .rto_max = basis.rto_max,
                                                           .rto = ho_ms(204),
                                                           .neighbour = true },
                              &(struct ho_range){ 0 }),
                     -ENOTSUP);
}

/* syn_static */
static void connect_counts_from_its_first_syn(void **state)
{
    (void)state;
    make_setting(&tl, 0, "sysctl", "client", "", "net.ipv4.tcp_syn_retries", 6);
    make_fault(&tl, 0, "", "cut", "lan");
    make_seg(&tl, 1, "client", "S", 0, 0, 0, HO_FATE_CUT);
    make_sock(&tl, 1, "client", "SYN-SENT", HO_SOCK_TIMER_ON, "");
    make_seg(&tl, 1008, "client", "S", 0, 0, 0, HO_FATE_CUT);
    make_sock(&tl, 134160, "client", "CLOSED", HO_SOCK_TIMER_OFF, "ETIMEDOUT");
    make_call(&tl, 134160, "client", "connect", -1, "ETIMEDOUT");
    assert_int_equal(basis_of_client(), 0);
    assert_int_equal(basis.chain, HO_BASIS_SYN);
    assert_int_equal(basis.origin.ns, MAKE_MS);
    assert_ends_at(HO_RANGE_SYN, 134160);
}

/* zerowin_cut */
static void window_probes_count_from_the_closing_of_the_window(void **state)
{
    (void)state;
    static const int64_t probes_ms[] = { 1660, 2096, 2960, 4688, 8208, 15120 };

    make_established(&tl);
    tl.rec[5].u.sock.rto = ho_ms(212);
    make_seg(&tl, 1400, "client", "PA", 1, 1, 1000, HO_FATE_FWD);
    make_seg(&tl, 1443, "server", "A", 1, 1001, 0, HO_FATE_FWD);
    tl.rec[tl.n - 1].u.seg.window = 0;
    for (size_t i = 0; i < sizeof(probes_ms) / sizeof(probes_ms[0]); i++) {
        make_seg(&tl, probes_ms[i], "client", "A", 1000, 1, 0, HO_FATE_FWD);
        if (i != 1) { /* the second is not answered: tcp_invalid_ratelimit */
            make_seg(&tl, probes_ms[i], "server", "A", 1, 1001, 0, HO_FATE_FWD);
            tl.rec[tl.n - 1].u.seg.window = 0;
        }
    }
    make_sock(&tl, 15121, "client", "ESTABLISHED", HO_SOCK_TIMER_PROBE, "");
    make_fault(&tl, 20000, "", "cut", "lan");
    make_die(1672208);
    assert_int_equal(basis_of_client(), 0);
    assert_int_equal(basis.chain, HO_BASIS_PROBES);
    assert_int_equal(basis.origin.ns, 1444 * MAKE_MS);
    assert_int_equal(basis.cut_ns, 18556 * MAKE_MS);
    assert_ends_at(HO_RANGE_PROBES, 1672208);
}

static void what_no_timer_ended_has_no_basis(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 10000, "", "cut", "lan");
    assert_int_equal(basis_of_client(), -ENOTSUP); /* nothing has ended */
    make_seg(&tl, 11000, "server", "R", 1, 0, 0, HO_FATE_FWD);
    make_sock(&tl, 11001, "client", "CLOSED", HO_SOCK_TIMER_OFF, "ECONNRESET");
    assert_int_equal(basis_of_client(), -ENOTSUP); /* the peer ended it */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keepalive_counts_from_the_last_segment_and_was_armed_by_the_option),
        TEST(without_the_time_of_the_last_segment_nothing_is_said),
        TEST(an_answer_to_a_probe_is_no_origin),
        TEST(data_counts_from_the_last_sending_before_the_first_repeat),
        TEST(a_flight_is_no_single_segment),
        TEST(a_neighbour_that_arp_does_not_find_is_noted),
        TEST(connect_counts_from_its_first_syn),
        TEST(window_probes_count_from_the_closing_of_the_window),
        TEST(what_no_timer_ended_has_no_basis),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
