/* Two connections joined by a wire with a delay: the liveness rules of ground-truth, without a
 * host around them. The numbers are the measured ones (HZ=250) or follow from A1 to A3.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/tcp_pair.h"

/* ---- tests -------------------------------------------------------------------------------------
 */

static void an_idle_connection_has_no_timer(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    ho_tp_establish(p);
    ho_tp_run_ms(p, 1000);

    assert_int_equal(ho_tcp_deadline(&p->a.c).ns, HO_NEVER.ns);
    assert_null(p->a.c.work);
    assert_null(p->b.c.work);
    ho_tp_free(p);
}

static void bytes_arrive_in_order_and_whole(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 20000);
    uint8_t out[3000], in[4096];
    size_t sent = 0, got = 0, total = 1000000;
    ho_tp_establish(p);

    for (int round = 0; got < total && round < 100000; round++) {
        while (sent < total) {
            size_t n = total - sent < sizeof(out) ? total - sent : sizeof(out);
            for (size_t i = 0; i < n; i++) {
                out[i] = (uint8_t)((sent + i) * 7 + ((sent + i) >> 8));
            }
            int64_t took = ho_tcp_send(&p->a.env, &p->a.c, out, n, p->now);
            if (took < 0) {
                assert_int_equal(took, -EAGAIN);
                break;
            }
            sent += (size_t)took;
        }
        ho_tp_run_ms(p, 5);
        int64_t n;
        while ((n = ho_tcp_recv(&p->b.env, &p->b.c, in, sizeof(in), false, p->now)) > 0) {
            for (size_t i = 0; i < (size_t)n; i++) {
                assert_int_equal(in[i], (uint8_t)((got + i) * 7 + ((got + i) >> 8)));
            }
            got += (size_t)n;
        }
        assert_int_equal(n, -EAGAIN);
    }
    assert_int_equal(got, total);
    ho_tp_free(p);
}

/* ground-truth row 3a, N=15, LAN: copies at 0, .206, .414, .838, 1.67, ... and ETIMEDOUT after
 * 937.8 s (937.8 to 939.7; virtual-kernel: 938.2 to 940.2).
 */
static void data_gives_up_by_time(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    ho_tp_establish(p);
    ho_tp_run_ms(p, 500);
    p->a.cut = true;
    p->b.cut = true;
    p->a.sent = 0;
    ho_tp_send(p, &p->a, 1000);

    struct ho_dur d = ho_tp_until_dead(p, &p->a, 1000);

    ho_tp_near_ms(d, 938700, 1200);
    assert_int_equal(p->a.sent, 17); /* 1 + TLP + 15 */
    assert_int_equal(p->a.rsts, 0);
    assert_int_equal(ho_tcp_take_error(&p->a.c), ETIMEDOUT);
    assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_RETRIES2);
    ho_tp_free(p);
}

/* A3's table, LAN: first expiry at or after R1 + T(N). Without the wheel (HZ 0) the round trip is
 * exactly 2 ms, the probe goes at 204 ms, R1 202 ms later, and the expiries are R1 plus 202 ms
 * times 2, 6, 14, 30, 62, 126, 254, 510, 1022, then steps of 120 s: the first one not below 3.0,
 * 6.2, 12.6, 102.2 and 924.6 s. The first RTO is that of the handshake's one sample.
 */
static void data_gives_up_as_retries2_says(void **state)
{
    (void)state;
    static const struct {
        uint32_t hz;
        int64_t n, ms, tolerance_ms;
    } cases[] = {
        { 250, 0, 848, 30 },   { 250, 1, 1675, 60 },   { 250, 2, 3340, 200 },
        { 250, 3, 6650, 200 }, { 250, 5, 13290, 400 }, { 250, 8, 107300, 3000 },
        { 0, 3, 6466, 2 },     { 0, 4, 12930, 2 },     { 0, 5, 25858, 2 },
        { 0, 8, 103426, 2 },   { 0, 15, 926850, 2 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_tp *p = ho_tp_new(cases[i].hz, 1000);
        p->a.sys.v[HO_SYSCTL_TCP_RETRIES2] = cases[i].n;
        ho_tp_establish(p);
        ho_tp_run_ms(p, 500);
        p->a.cut = true;
        ho_tp_send(p, &p->a, 1000);
        ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 1000), cases[i].ms, cases[i].tolerance_ms);
        ho_tp_free(p);
    }
}

/* Row 2: probes every interval, RST at death; 5/2/3 dies 11.05 s after the last segment. */
static void keepalive_dies_with_a_rst(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    ho_tp_establish(p);
    p->a.opts->keepalive = true;
    p->a.opts->keepidle_s = 5;
    p->a.opts->keepintvl_s = 2;
    p->a.opts->keepcnt = 3;
    ho_tcp_opts_changed(&p->a.env, &p->a.c, HO_TCP_KEEPALIVE_ON, p->now);
    p->a.cut = true;
    p->a.sent = 0;

    struct ho_dur d = ho_tp_until_dead(p, &p->a, 20);

    ho_tp_near_ms(d, 11100, 300);
    assert_int_equal(p->a.sent, 4);
    assert_int_equal(p->a.rsts, 1);
    assert_int_equal(ho_tcp_take_error(&p->a.c), ETIMEDOUT);
    assert_int_equal(ho_tcp_take_error(&p->a.c), 0);
    ho_tp_free(p);
}

/* Row 2, nobody cut: an answered probe clears the count; the next comes one idle time later. */
static void keepalive_of_a_living_peer_goes_on(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    ho_tp_establish(p);
    p->a.opts->keepalive = true;
    p->a.opts->keepidle_s = 5;
    p->a.opts->keepintvl_s = 2;
    p->a.opts->keepcnt = 3;
    ho_tcp_opts_changed(&p->a.env, &p->a.c, HO_TCP_KEEPALIVE_ON, p->now);
    p->a.sent = 0;
    ho_tp_run_ms(p, 100000);

    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    assert_in_range(p->a.sent, 18, 20);
    ho_tp_free(p);
}

/* Row 9: R1 + UT exactly, whatever tcp_retries2 says. */
static void user_timeout_replaces_the_count(void **state)
{
    (void)state;
    static const struct {
        uint32_t ms;
        int64_t dead_ms;
    } cases[] = { { 500, 928 }, { 1000, 1447 }, { 3000, 3428 }, { 10000, 10580 } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_tp *p = ho_tp_new(250, 1000);
        ho_tp_establish(p);
        ho_tp_run_ms(p, 500);
        p->a.opts->user_timeout_ms = cases[i].ms;
        p->a.cut = true;
        ho_tp_send(p, &p->a, 1000);
        ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 20), cases[i].dead_ms, 200);
        assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_USER_TIMEOUT);
        ho_tp_free(p);
    }
}

/* Row 4: nothing happens when the cable is plugged; the next backed-off repeat delivers. */
static void recovery_waits_for_the_next_timeout(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    ho_tp_establish(p);
    ho_tp_run_ms(p, 500);
    p->a.cut = true;
    ho_tp_send(p, &p->a, 1000);
    ho_tp_run_ms(p, 20000);
    p->a.cut = false;
    ho_tp_run_ms(p, 6000);
    assert_int_equal(p->b.c.work != NULL ? p->b.c.work->rcv_bytes : 0, 0);
    ho_tp_run_ms(p, 1200); /* 26.69 s in ground-truth */

    assert_non_null(p->b.c.work);
    assert_int_equal(p->b.c.work->rcv_bytes, 1000);
    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    ho_tp_free(p);
}

static void fin_closes_in_four_segments(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    uint8_t in[16];
    ho_tp_establish(p);
    ho_tcp_close(&p->a.env, &p->a.c, false, p->now);
    ho_tp_run_ms(p, 100);

    assert_int_equal(p->a.c.state, HO_TCP_FIN_WAIT2);
    assert_int_equal(p->b.c.state, HO_TCP_CLOSE_WAIT);
    assert_int_equal(ho_tcp_recv(&p->b.env, &p->b.c, in, sizeof(in), false, p->now), 0);
    assert_true(ho_tcp_wants_tw(&p->a.c));
    ho_tcp_close(&p->b.env, &p->b.c, false, p->now);
    ho_tp_run_ms(p, 100);
    assert_int_equal(p->a.c.state, HO_TCP_TIME_WAIT);
    assert_int_equal(p->b.c.state, HO_TCP_CLOSE);
    ho_tp_free(p);
}

/* Row 6b: unread data turns the FIN into a RST, and the peer reads its own data first. */
static void unread_data_resets(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    uint8_t in[200];
    ho_tp_establish(p);
    ho_tp_send(p, &p->a, 100);
    ho_tp_send(p, &p->b, 50);
    ho_tp_run_ms(p, 100);
    ho_tcp_close(&p->b.env, &p->b.c, false, p->now);
    ho_tp_run_ms(p, 100);

    assert_int_equal(p->b.rsts, 1);
    assert_int_equal(p->a.c.state, HO_TCP_CLOSE);
    assert_int_equal(ho_tcp_poll(&p->a.env, &p->a.c),
                     HO_POLLIN | HO_POLLOUT | HO_POLLERR | HO_POLLHUP | HO_POLLRDHUP);
    assert_int_equal(ho_tcp_recv(&p->a.env, &p->a.c, in, sizeof(in), false, p->now), 50);
    assert_int_equal(ho_tcp_recv(&p->a.env, &p->a.c, in, sizeof(in), false, p->now), -ECONNRESET);
    assert_int_equal(ho_tcp_recv(&p->a.env, &p->a.c, in, sizeof(in), false, p->now), 0);
    assert_int_equal(ho_tcp_send(&p->a.env, &p->a.c, in, 1, p->now), -EPIPE);
    ho_tp_free(p);
}

/* Row 3f: a send buffer of a young connection takes 32 segments of 1448 into a dead cable. */
static void a_full_send_buffer_takes_46336_bytes(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    static const uint8_t bytes[400000];
    ho_tp_establish(p);
    ho_tp_send(p, &p->a, 100);
    ho_tp_run_ms(p, 500);
    p->a.cut = true;

    assert_int_equal(ho_tcp_send(&p->a.env, &p->a.c, bytes, sizeof(bytes), p->now), 46336);
    assert_int_equal(ho_tcp_send(&p->a.env, &p->a.c, bytes, sizeof(bytes), p->now), -EAGAIN);
    ho_tp_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_has_no_timer),
        cmocka_unit_test(bytes_arrive_in_order_and_whole),
        cmocka_unit_test(data_gives_up_by_time),
        cmocka_unit_test(data_gives_up_as_retries2_says),
        cmocka_unit_test(keepalive_dies_with_a_rst),
        cmocka_unit_test(keepalive_of_a_living_peer_goes_on),
        cmocka_unit_test(user_timeout_replaces_the_count),
        cmocka_unit_test(recovery_waits_for_the_next_timeout),
        cmocka_unit_test(fin_closes_in_four_segments),
        cmocka_unit_test(unread_data_resets),
        cmocka_unit_test(a_full_send_buffer_takes_46336_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
