/* Noticing that the peer is gone: keepalive, TCP_USER_TIMEOUT, ICMP and RFC 6069, soft errors,
 * routes, copies that still wait in the host. Ground-truth A2 to A5 and rows 2, 3, 9, 13.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/tcp_pair.h"

static struct ho_tp *open_pair(uint32_t hz)
{
    struct ho_tp *p = ho_tp_new(hz, 1000);

    ho_tp_establish(p);
    ho_tp_run_ms(p, 500);
    ho_tp_forget(p);
    return p;
}

static void keepalive(struct ho_tp *p, uint32_t idle_s, uint32_t intvl_s, uint8_t cnt)
{
    p->a.opts->keepalive = true;
    p->a.opts->keepidle_s = idle_s;
    p->a.opts->keepintvl_s = intvl_s;
    p->a.opts->keepcnt = cnt;
    ho_tcp_opts_changed(&p->a.env, &p->a.c, HO_TCP_KEEPALIVE_ON, p->now);
}

/* ---- keepalive
 * -------------------------------------------------------------------------------------- */

/* Row 2: probes at idle + k * intvl, each a pure ACK at snd_una - 1; then RST,ACK at snd_nxt. */
static void keepalive_probes_and_resets_as_measured(void **state)
{
    (void)state;
    static const int64_t ms[] = { 5000, 7000, 9000, 11000 };
    struct ho_tp *p = open_pair(0);
    struct ho_time from = p->now;
    keepalive(p, 5, 2, 3);
    p->a.cut = true;
    ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 20), 11000, 0);

    assert_int_equal(p->n_sent, 4);
    for (size_t i = 0; i < 4; i++) {
        ho_tp_near_ms(ho_time_since(p->sent[i].at, from), ms[i], 0);
        assert_int_equal(p->sent[i].seg.payload_len, 0);
        bool last = i == 3;
        assert_int_equal(p->sent[i].seg.flags, last ? HO_TCP_RST | HO_TCP_ACK : HO_TCP_ACK);
        assert_int_equal(p->sent[i].seg.seq, p->a.c.snd_nxt.v - (last ? 0 : 1));
    }
    assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_KEEPALIVE);
    ho_tp_free(p);
}

/* Row 2, sysctls 60/5/9: 60 + 9 * 5 = 105 s. The defaults: 7200 + 9 * 75 = 7875 s. */
static void keepalive_takes_the_sysctls(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0);
    p->a.cut = true;
    keepalive(p, 0, 0, 0);
    ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 10000), 7875000, 0);
    ho_tp_free(p);

    p = open_pair(250);
    p->a.sys.v[HO_SYSCTL_TCP_KEEPALIVE_TIME] = 60;
    p->a.sys.v[HO_SYSCTL_TCP_KEEPALIVE_INTVL] = 5;
    p->a.cut = true;
    keepalive(p, 0, 0, 0);
    ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 200), 106500, 2500); /* 105.7 to 106.3 and the wheel */
    ho_tp_free(p);
}

/* A1 and the virtual kernel: at HZ=250 the default keepalive notices after 7883 to 8013 s. */
static void the_wheel_makes_the_default_keepalive_late(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.cut = true;
    keepalive(p, 0, 0, 0);
    struct ho_dur d = ho_tp_until_dead(p, &p->a, 10000);

    assert_in_range(d.ns / 1000000, 7876000, 8013000);
    assert_int_not_equal(d.ns / 1000000, 7875000);
    ho_tp_free(p);
}

/* Row 13: while data is unacknowledged keepalive sends nothing and counts nothing: KA 2/1/3 with
 * N=6 dies by the retransmission timeout at 26.6 s, not at 5.
 */
static void keepalive_stands_back_while_data_is_in_flight(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.sys.v[HO_SYSCTL_TCP_RETRIES2] = 6;
    keepalive(p, 2, 1, 3);
    p->a.cut = true;
    ho_tp_send(p, &p->a, 1000);
    ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 60), 26600, 700);

    assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_RETRIES2);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_KEEPALIVE], 0);
    assert_int_equal(p->a.rsts, 0);
    ho_tp_free(p);
}

/* Row 13: two probes lost, then data is sent: probing stops and the timeout decides. */
static void data_takes_over_from_keepalive(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.sys.v[HO_SYSCTL_TCP_RETRIES2] = 6;
    keepalive(p, 2, 1, 3);
    p->a.cut = true;
    ho_tp_run_ms(p, 3600);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_KEEPALIVE], 2);
    ho_tp_send(p, &p->a, 100);
    ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 60), 26600, 700);

    assert_int_equal(p->a.env.count[HO_TCP_COUNT_KEEPALIVE], 2);
    ho_tp_free(p);
}

/* Row 13: the clock is the last segment received, data or pure ACK. */
static void traffic_holds_keepalive_back(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0);
    keepalive(p, 2, 1, 3);
    for (int i = 0; i < 10; i++) {
        ho_tp_run_ms(p, 1500);
        ho_tp_send(p, i % 2 == 0 ? &p->b : &p->a, 10);
    }
    ho_tp_run_ms(p, 1500);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_KEEPALIVE], 0);
    ho_tp_run_ms(p, 600);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_KEEPALIVE], 1);
    ho_tp_free(p);
}

/* tcp(7), Linux: what has elapsed counts when TCP_KEEPIDLE is set. */
static void a_new_keepidle_counts_what_has_elapsed(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0);
    keepalive(p, 0, 1, 3);
    ho_tp_run_ms(p, 8000);
    p->a.opts->keepidle_s = 10;
    ho_tcp_opts_changed(&p->a.env, &p->a.c, HO_TCP_KEEPIDLE, p->now);
    ho_tp_run_ms(p, 1400);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_KEEPALIVE], 0);
    ho_tp_run_ms(p, 200); /* it has been silent for 0.5 s before */
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_KEEPALIVE], 1);
    ho_tcp_opts_changed(&p->a.env, &p->a.c, HO_TCP_KEEPALIVE_OFF, p->now);
    assert_int_equal(ho_tcp_deadline(&p->a.c).ns, HO_NEVER.ns);
    ho_tp_free(p);
}

/* Row 14, only a's segments arrive: its probes are answered into a cut wire; its RST kills b. */
static void the_reset_of_a_half_cut_keepalive_kills_the_peer(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    keepalive(p, 5, 2, 3);
    p->b.cut = true;
    (void)ho_tp_until_dead(p, &p->a, 20);
    ho_tp_run_ms(p, 10);

    assert_true(ho_tcp_is_dead(&p->b.c));
    assert_int_equal(p->b.c.err, ECONNRESET);
    ho_tp_free(p);
}

/* A write that found no memory leaves nothing behind: keepalive goes on. */
static void a_write_without_memory_does_not_stop_keepalive(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0);
    uint8_t byte = 0;
    p->bufs.large.max = p->bufs.large.used;
    p->bufs.small.max = p->bufs.small.used;
    assert_int_equal(ho_tcp_send(&p->a.env, &p->a.c, &byte, 1, p->now), -ENOMEM);
    p->bufs.large.max = 1000;
    p->bufs.small.max = 1000;
    keepalive(p, 5, 2, 3);
    p->a.cut = true;

    ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 20), 11000, 0);
    ho_tp_free(p);
}

/* ---- TCP_USER_TIMEOUT
 * --------------------------------------------------------------------------------- */

/* Row 9, idle: the first keepalive tick with a probe sent and the time over; KEEPCNT is ignored. */
static void user_timeout_replaces_keepcnt(void **state)
{
    (void)state;
    static const struct {
        uint32_t ut;
        int64_t ms;
    } cases[] = { { 1000, 7000 }, { 3000, 7000 },   { 6000, 7000 },
                  { 8000, 9000 }, { 12000, 13000 }, { 20000, 21000 } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_tp *p = open_pair(0);
        p->a.opts->user_timeout_ms = cases[i].ut;
        p->a.cut = true;
        keepalive(p, 5, 2, 3);
        ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 60), cases[i].ms, 0);
        assert_int_equal(p->a.rsts, 1);
        assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_USER_TIMEOUT);
        ho_tp_free(p);
    }
}

/* Row 9: UT 60000 goes past tcp_retries2=3: 60.65 s. Without a keepalive or data it is nothing. */
static void user_timeout_goes_past_retries2_and_is_nothing_when_idle(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.sys.v[HO_SYSCTL_TCP_RETRIES2] = 3;
    p->a.opts->user_timeout_ms = 60000;
    p->a.cut = true;
    ho_tp_run(p, ho_time_add(p->now, ho_s(1000)));
    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    ho_tp_send(p, &p->a, 1000);
    ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 100), 60650, 800);
    assert_int_equal(p->a.rsts, 0);
    ho_tp_free(p);
}

/* ---- ICMP: A4, A5
 * ---------------------------------------------------------------------------------------- */

/* Data in flight into a dead cable, N=15, until after the 4th timeout: backoff 4. */
static struct ho_tp *backed_off(void)
{
    struct ho_tp *p = open_pair(0);

    p->a.cut = true;
    ho_tp_send(p, &p->a, 1000);
    ho_tp_run_ms(p, 3400); /* 0.204 probe, R1 0.406, 0.81, 1.62, 3.23 */
    assert_int_equal(p->a.c.backoff, 4);
    return p;
}

/* A5: one doubling is taken back, and the timer runs from the last sending. */
static void an_icmp_takes_back_one_doubling(void **state)
{
    (void)state;
    struct ho_tp *p = backed_off();
    struct ho_time last = p->a.last_sent;
    unsigned sent = p->a.sent;
    uint32_t base = tcp_rto_base_us(&p->a.env, &p->a.c);
    ho_tcp_icmp(&p->a.env, &p->a.c, EHOSTUNREACH, false, p->a.c.snd_una.v, p->now);
    assert_int_equal(p->a.c.backoff, 3);
    assert_int_equal(p->a.c.work->rto_us, base << 3);
    ho_tp_run_ms(p, 1600);

    assert_int_equal(p->a.sent, sent + 1);
    ho_tp_near_ms(ho_time_since(p->a.last_sent, last), base * 8 / 1000, 1);
    ho_tp_free(p);
}

/* A5: if the shorter time is over already, the repeat goes at once. */
static void a_late_icmp_repeats_at_once(void **state)
{
    (void)state;
    struct ho_tp *p = backed_off();
    ho_tp_run_ms(p, 2000);
    unsigned sent = p->a.sent;
    ho_tcp_icmp(&p->a.env, &p->a.c, EHOSTUNREACH, false, p->a.c.snd_una.v, p->now);
    ho_tp_drain(p, &p->a);

    assert_int_equal(p->a.sent, sent + 1);
    assert_int_equal(p->a.c.backoff, 4); /* taken back, and doubled by the repeat */
    ho_tp_free(p);
}

/* A4: it is remembered, not told; it is the error at death; an ACK forgets it. */
static void an_icmp_is_a_soft_error(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0);
    p->a.sys.v[HO_SYSCTL_TCP_RETRIES2] = 3;
    p->a.cut = true;
    ho_tp_send(p, &p->a, 1000);
    ho_tp_run_ms(p, 1000);
    ho_tcp_icmp(&p->a.env, &p->a.c, EHOSTUNREACH, false, p->a.c.snd_una.v, p->now);
    assert_int_equal(ho_tcp_take_error(&p->a.c), 0);
    assert_int_equal(p->a.c.err_soft, EHOSTUNREACH);
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.ack = p->a.c.snd_una.v;
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.c.err_soft, 0);
    ho_tcp_icmp(&p->a.env, &p->a.c, ENETUNREACH, false, p->a.c.snd_una.v, p->now);
    (void)ho_tp_until_dead(p, &p->a, 60);

    assert_int_equal(ho_tcp_take_error(&p->a.c), ENETUNREACH);
    ho_tp_free(p);
}

/* A4: probes have snd_una - 1, so an ICMP about them is thrown away: ETIMEDOUT. */
static void an_icmp_about_a_probe_is_thrown_away(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0);
    keepalive(p, 5, 2, 3);
    p->a.cut = true;
    ho_tp_run_ms(p, 5500);
    ho_tcp_icmp(&p->a.env, &p->a.c, EHOSTUNREACH, false, p->a.c.snd_una.v - 1, p->now);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_OUT_OF_WINDOW_ICMPS], 1);
    (void)ho_tp_until_dead(p, &p->a, 60);

    assert_int_equal(ho_tcp_take_error(&p->a.c), ETIMEDOUT);
    ho_tp_free(p);
}

/* A4: with IP_RECVERR it is told at once, and the connection lives on. */
static void with_recverr_an_icmp_is_told_and_not_fatal(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0);
    p->a.opts->recverr = true;
    p->a.cut = true;
    ho_tp_send(p, &p->a, 1000);
    ho_tp_run_ms(p, 1000);
    ho_tcp_take_wake(&p->a.c);
    ho_tcp_icmp(&p->a.env, &p->a.c, EHOSTUNREACH, false, p->a.c.snd_una.v, p->now);

    assert_int_equal(ho_tcp_take_wake(&p->a.c), HO_WAKE_ERROR);
    assert_true((ho_tcp_poll(&p->a.env, &p->a.c) & HO_POLLERR) != 0);
    assert_int_equal(ho_tp_recv(p, &p->a, 10), -EHOSTUNREACH);
    assert_int_equal(ho_tp_recv(p, &p->a, 10), -EAGAIN);
    p->a.cut = false;
    ho_tp_run_ms(p, 10000);
    assert_int_equal(ho_tp_recv(p, &p->b, 2000), 1000);
    ho_tp_free(p);
}

/* A4, row 3e: a repeat that finds no route leaves ENETUNREACH; N=5 dies at 13.2 s with it. */
static void a_lost_route_is_the_error_at_death(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.sys.v[HO_SYSCTL_TCP_RETRIES2] = 5;
    p->a.cut = true;
    ho_tp_send(p, &p->a, 1000);
    ho_tp_drain(p, &p->a);
    p->a.path.route_err = -ENETUNREACH;
    ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 60), 13200, 400);

    assert_int_equal(p->a.sent, 1);
    assert_int_equal(ho_tcp_take_error(&p->a.c), ENETUNREACH);
    ho_tp_free(p);
}

/* Row 3e: data never sent waits for the window probe's timer and its count: 3.2 s with N=3. */
static void data_that_never_left_dies_by_the_count(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.sys.v[HO_SYSCTL_TCP_RETRIES2] = 3;
    p->a.path.route_err = -ENETUNREACH;
    ho_tp_send(p, &p->a, 1000);
    ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 60), 3200, 200);

    assert_int_equal(p->a.sent, 0);
    assert_int_equal(ho_tcp_take_error(&p->a.c), ETIMEDOUT);
    assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_PROBES);
    ho_tp_free(p);
}

/* fact_unsent_data_is_counted: over IPv6 what the transmission found is the error in the end. */
static void over_ipv6_data_that_never_left_dies_of_the_route(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.sys.v[HO_SYSCTL_TCP_RETRIES2] = 3;
    p->a.path.remote = (struct ho_addr){ .b = { 0xfd, 0x77, [15] = 2 } };
    p->a.path.route_err = -ENETUNREACH;
    ho_tp_send(p, &p->a, 1000);
    ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 60), 3200, 200);

    assert_int_equal(p->a.sent, 0);
    assert_int_equal(ho_tcp_take_error(&p->a.c), ENETUNREACH);
    ho_tp_free(p);
}

/* ---- copies that wait in the host (row 3c)
 * ------------------------------------------------------------ */

/* While a copy is in the ARP queue the repeat is refused but backs off; S is when it was sent. */
static void a_parked_copy_is_not_sent_again(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0);
    ho_tp_send(p, &p->a, 1000);
    p->a.cut = true;
    ho_tp_drain(p, &p->a);
    uint32_t seq = p->a.c.snd_una.v;
    struct ho_time sent = p->a.last_sent;
    ho_tcp_park(&p->a.c, seq, true);
    ho_tp_run_ms(p, 3000);
    assert_int_equal(p->a.sent, 1);
    assert_in_range(p->a.c.backoff, 3, 4);
    assert_int_equal(p->a.c.work->retrans_stamp.ns, sent.ns);

    ho_tcp_park(&p->a.c, seq, false);
    p->a.cut = false;
    ho_tp_drain(p, &p->a); /* what was refused goes when the copy has left */
    assert_int_equal(p->a.sent, 2);
    ho_tp_run_ms(p, 100);
    assert_int_equal(p->a.c.snd_una.v, p->a.c.snd_nxt.v);
    ho_tp_free(p);
}

/* Two copies of one run wait; the tail loss probe splits the run; both leave and are lost. */
static void copies_of_a_run_that_was_split_are_found_again(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0);
    p->a.cut = true;
    ho_tp_send(p, &p->a, 2896);
    ho_tp_drain(p, &p->a);
    assert_int_equal(p->a.sent, 2);
    uint32_t seq = p->a.c.snd_una.v;
    ho_tcp_park(&p->a.c, seq, true);
    ho_tcp_park(&p->a.c, seq + 1448, true);
    ho_tp_run_ms(p, 300);
    assert_int_equal(p->a.c.work->n_skbs, 2);
    ho_tcp_park(&p->a.c, seq, false);
    ho_tcp_park(&p->a.c, seq + 1448, false);
    ho_tp_run_ms(p, 1000);

    assert_int_equal(p->a.c.work->head->parked, 0);
    p->a.cut = false;
    ho_tp_run_ms(p, 3000);
    assert_int_equal(ho_tp_recv(p, &p->b, 65536), 2896);
    ho_tp_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keepalive_probes_and_resets_as_measured),
        cmocka_unit_test(keepalive_takes_the_sysctls),
        cmocka_unit_test(the_wheel_makes_the_default_keepalive_late),
        cmocka_unit_test(keepalive_stands_back_while_data_is_in_flight),
        cmocka_unit_test(data_takes_over_from_keepalive),
        cmocka_unit_test(traffic_holds_keepalive_back),
        cmocka_unit_test(a_new_keepidle_counts_what_has_elapsed),
        cmocka_unit_test(the_reset_of_a_half_cut_keepalive_kills_the_peer),
        cmocka_unit_test(a_write_without_memory_does_not_stop_keepalive),
        cmocka_unit_test(user_timeout_replaces_keepcnt),
        cmocka_unit_test(user_timeout_goes_past_retries2_and_is_nothing_when_idle),
        cmocka_unit_test(an_icmp_takes_back_one_doubling),
        cmocka_unit_test(a_late_icmp_repeats_at_once),
        cmocka_unit_test(an_icmp_is_a_soft_error),
        cmocka_unit_test(an_icmp_about_a_probe_is_thrown_away),
        cmocka_unit_test(with_recverr_an_icmp_is_told_and_not_fatal),
        cmocka_unit_test(a_lost_route_is_the_error_at_death),
        cmocka_unit_test(data_that_never_left_dies_by_the_count),
        cmocka_unit_test(over_ipv6_data_that_never_left_dies_of_the_route),
        cmocka_unit_test(a_parked_copy_is_not_sent_again),
        cmocka_unit_test(copies_of_a_run_that_was_split_are_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
