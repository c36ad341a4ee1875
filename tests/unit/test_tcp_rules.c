/* Rules that random scenarios on the real kernel found (docs/kernel-facts.md, vkx_*): timers that
 * stay in their place, the state after a recovery, windows and buffers, timeouts without a sample.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/tcp_pair.h"

static struct ho_tp *open_pair(uint32_t hz, int64_t delay_us)
{
    struct ho_tp *p = ho_tp_new(hz, delay_us);

    p->a.opts->nodelay = true;
    ho_tp_establish(p);
    ho_tp_run_ms(p, 1000);
    return p;
}

/* Linux __mod_timer(): the same jiffy again leaves a timer in its slot; another jiffy does not. */
static void a_timer_set_to_its_own_jiffy_stays_in_its_place(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250, 1000);
    struct ho_tcp_work *w = tcp_work(&p->a.env, &p->a.c);

    tcp_arm(&p->a.env, &p->a.c, TCP_PENDING_REXMT, 604000, p->now); /* a slot of 32 ms */
    struct ho_due coarse = w->rexmt_at;
    uint64_t jiffy = w->wheel_jiffy;
    struct ho_time later = ho_time_add(p->now, ho_us(508000));
    uint64_t left = jiffy - ho_clk_jiffies(&p->clk, later);
    tcp_arm(&p->a.env, &p->a.c, TCP_PENDING_TLP, left * 4000, later);
    assert_int_equal(w->rexmt_at.key, coarse.key);
    tcp_disarm(&p->a.c); /* and a timer that is cleared is not taken out */
    tcp_arm(&p->a.env, &p->a.c, TCP_PENDING_TLP, left * 4000, later);
    assert_int_equal(w->rexmt_at.key, coarse.key);
    tcp_arm(&p->a.env, &p->a.c, TCP_PENDING_TLP, (left + 1) * 4000, later);
    assert_int_not_equal(w->wheel_jiffy, jiffy);
    tcp_disarm(&p->a.c);
    ho_tp_free(p);
}

/* vkx_0033: a loss was repaired; the next lost segment has its tail loss probe again. */
static void after_a_recovery_there_is_a_tail_loss_probe(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250, 10000);

    p->a.cut = true;
    ho_tp_send(p, &p->a, 500);
    ho_tp_run_ms(p, 500); /* probe, and a first timeout */
    p->a.cut = false;
    ho_tp_run_ms(p, 3000);
    assert_true(p->a.c.work == NULL || p->a.c.work->ca_state == TCP_CA_OPEN);

    p->a.cut = true;
    ho_tp_send(p, &p->a, 500);
    ho_tp_run_ms(p, 300);
    assert_int_equal(p->a.c.retransmits, 0);
    assert_true(p->a.c.work->tlp);
    ho_tp_free(p);
}

/* RFC 6298 5.7: no sample in the handshake, 3 s for what is sent first. */
static void without_a_sample_the_timeout_is_3_s(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250, 1000);

    p->a.c.srtt_us = 0;
    p->a.c.rttvar_us = 0;
    assert_int_equal(tcp_rto_base_us(&p->a.env, &p->a.c), TCP_RTO_INIT_US);
    tcp_rtt_unknown(&p->a.env, &p->a.c);
    assert_int_equal(tcp_rto_base_us(&p->a.env, &p->a.c), 3000000);
    ho_tp_free(p);
}

/* vkx_0360: tcp_rto_min_us=5000 is two jiffies, and an ACK waits less than that. */
static void the_least_timeout_counts_in_jiffies(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250, 1000);

    p->a.sys.v[HO_SYSCTL_TCP_RTO_MIN_US] = 5000;
    assert_int_equal(tcp_rto_min_us(&p->a.env), 8000);
    p->a.c.quick = 0;
    p->a.c.ato_ticks = 10;
    tcp_send_delayed_ack(&p->a.env, &p->a.c, p->now);
    assert_true(ho_time_since(ho_due_time(p->a.c.work->delack_at), p->now).ns <= 8000000);
    ho_tp_free(p);
}

static uint32_t charged(const struct ho_tp_end *e)
{
    return e->c.work != NULL ? e->c.work->rmem : 0;
}

/* vk_zerowin_alive at 4000 s: joined segments are charged until all of them were read. */
static void joined_segments_are_charged_until_all_are_read(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250, 1000);

    ho_tp_send(p, &p->a, (size_t)4 * 1448);
    ho_tp_run_ms(p, 50);
    uint32_t all = charged(&p->b);
    assert_int_equal(all, 4 * 2176 - 3 * 256); /* 1448 and its headers, 576 of bookkeeping */
    assert_int_equal(ho_tp_recv(p, &p->b, (size_t)3 * 1448), 3 * 1448);
    assert_int_equal(charged(&p->b), all);
    assert_int_equal(ho_tp_recv(p, &p->b, 1448), 1448);
    assert_int_equal(charged(&p->b), 0);
    ho_tp_free(p);
}

/* tcp_measure_rcv_mss(): two short segments alike set the size, one does not. */
static void two_short_segments_alike_set_the_size(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250, 1000);

    ho_tp_send(p, &p->a, 1448);
    ho_tp_run_ms(p, 50);
    assert_int_equal(p->b.c.rcv_mss, 1448);
    ho_tp_send(p, &p->a, 700);
    ho_tp_run_ms(p, 50);
    assert_int_equal(p->b.c.rcv_mss, 1448);
    ho_tp_send(p, &p->a, 700);
    ho_tp_run_ms(p, 50);
    assert_int_equal(p->b.c.rcv_mss, 700);
    ho_tp_free(p);
}

/* vkx_0257: shutdown() of what connects is a disconnect. */
static void shutdown_while_connecting_ends_it(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    struct ho_tcp *c = &p->a.c;

    p->a.cut = true;
    assert_int_equal(ho_tcp_connect(&p->a.env, c, p->now), 0);
    assert_int_equal(ho_tcp_shutdown(&p->a.env, c, false, true, p->now), 0);
    assert_int_equal(c->state, HO_TCP_CLOSE);
    assert_int_equal(ho_tcp_take_error(c), ECONNRESET);
    ho_tp_free(p);
}

/* tcp_init_metrics(): the handshake proves the neighbour. */
static void the_handshake_confirms_the_neighbour(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);

    ho_tp_establish(p);
    assert_true((p->b.c.flags & TCP_F_CONFIRM) != 0); /* until its next segment */
    ho_tp_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_set_to_its_own_jiffy_stays_in_its_place),
        cmocka_unit_test(after_a_recovery_there_is_a_tail_loss_probe),
        cmocka_unit_test(without_a_sample_the_timeout_is_3_s),
        cmocka_unit_test(the_least_timeout_counts_in_jiffies),
        cmocka_unit_test(joined_segments_are_charged_until_all_are_read),
        cmocka_unit_test(two_short_segments_alike_set_the_size),
        cmocka_unit_test(shutdown_while_connecting_ends_it),
        cmocka_unit_test(the_handshake_confirms_the_neighbour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
