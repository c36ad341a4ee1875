/* Which segments of an open connection are believed: RST, SYN and ACK with the caution of RFC 5961,
 * timestamps by RFC 7323 5.3, windows by RFC 9293 3.10.7.4; and the rate limit of what answers
 * (tcp_invalid_ratelimit, 500 ms).
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/tcp_pair.h"

/* An open pair whose wire is cut: only what a test injects arrives. */
static struct ho_tp *open_pair(void)
{
    struct ho_tp *p = ho_tp_new(250, 1000);

    ho_tp_establish(p);
    ho_tp_run_ms(p, 1000);
    p->a.cut = true;
    p->b.cut = true;
    ho_tp_forget(p);
    return p;
}

/* ---- RST (RFC 5961 3.2) -------------------------------------------------------------------------
 */

static void a_reset_at_rcv_nxt_resets(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.flags = HO_TCP_RST;
    ho_tp_inject(p, &p->a, &s);

    assert_true(ho_tcp_is_dead(&p->a.c));
    assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_RST_IN);
    assert_int_equal(ho_tp_recv(p, &p->a, 10), -ECONNRESET);
    assert_int_equal(ho_tp_recv(p, &p->a, 10), 0);
    assert_int_equal(ho_tcp_take_error(&p->a.c), 0);
    assert_int_equal(p->a.sent, 0);
    ho_tp_free(p);
}

static void a_reset_elsewhere_in_the_window_is_challenged(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.flags = HO_TCP_RST;
    s.seq += 1;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    assert_int_equal(p->a.sent, 1);
    assert_int_equal(ho_tp_last(p, &p->a)->flags, HO_TCP_ACK);
    assert_int_equal(ho_tp_last(p, &p->a)->ack, p->a.c.rcv_nxt.v);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_CHALLENGE_ACK], 1);
    ho_tp_inject(p, &p->a, &s); /* RFC 5961 7: not again at once */
    assert_int_equal(p->a.sent, 1);
    ho_tp_run_ms(p, 501);
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.sent, 2);
    ho_tp_free(p);
}

static void a_reset_out_of_the_window_is_ignored(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.flags = HO_TCP_RST;
    s.seq -= 1;
    ho_tp_inject(p, &p->a, &s);
    s.seq = p->a.c.rcv_nxt.v + p->a.c.rcv_wnd + 100;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    assert_int_equal(p->a.sent, 0);
    ho_tp_free(p);
}

/* Linux tcp_reset_check: a peer that sent its FIN may reset with the FIN's own number. */
static void a_reset_at_the_fin_resets_a_closing_connection(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.flags |= HO_TCP_FIN;
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.c.state, HO_TCP_CLOSE_WAIT);
    s = ho_tp_seg(p, &p->a);
    s.flags = HO_TCP_RST;
    s.seq -= 1;
    ho_tp_inject(p, &p->a, &s);

    assert_true(ho_tcp_is_dead(&p->a.c));
    ho_tp_free(p);
}

/* Linux: or at the right end of what was reported by SACK. */
static void a_reset_at_the_end_of_the_sacks_resets(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.seq += 1000;
    s.payload_len = 100;
    ho_tp_inject(p, &p->a, &s);
    s.payload_len = 0;
    s.flags = HO_TCP_RST;
    s.seq = p->a.c.rcv_nxt.v + 1099;
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    s.seq++;
    ho_tp_inject(p, &p->a, &s);

    assert_true(ho_tcp_is_dead(&p->a.c));
    ho_tp_free(p);
}

/* Row 6a: in CLOSE-WAIT a RST is EPIPE for who sends, SO_ERROR too, and end of stream for who
 * reads. */
static void a_reset_in_close_wait_is_epipe(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.flags |= HO_TCP_FIN;
    ho_tp_inject(p, &p->a, &s);
    s = ho_tp_seg(p, &p->a);
    s.flags = HO_TCP_RST;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(ho_tp_recv(p, &p->a, 10), 0);
    assert_int_equal(p->a.c.err, EPIPE);
    assert_int_equal(ho_tcp_take_error(&p->a.c), EPIPE);
    uint8_t byte = 0;
    assert_int_equal(ho_tcp_send(&p->a.env, &p->a.c, &byte, 1, p->now), -EPIPE);
    ho_tp_free(p);
}

/* Rows 3f, 5 and 8a: data first, then the error once, then end of stream and EPIPE. */
static void data_comes_before_the_error_and_the_error_once(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.payload_len = 30;
    ho_tp_inject(p, &p->a, &s);
    s = ho_tp_seg(p, &p->a);
    s.flags = HO_TCP_RST;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(ho_tp_recv(p, &p->a, 20), 20);
    assert_int_equal(ho_tp_recv(p, &p->a, 20), 10);
    assert_int_equal(ho_tp_recv(p, &p->a, 20), -ECONNRESET);
    assert_int_equal(ho_tp_recv(p, &p->a, 20), 0);
    uint8_t byte = 0;
    assert_int_equal(ho_tcp_send(&p->a.env, &p->a.c, &byte, 1, p->now), -EPIPE);
    ho_tp_free(p);
}

/* ---- SYN (RFC 5961 4.2; row 8d)
 * ------------------------------------------------------------------ */

static void a_syn_on_an_open_connection_is_challenged(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    static const int32_t offsets[] = { 0, 5, -5000000 };

    for (size_t i = 0; i < 3; i++) {
        struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
        s.flags = HO_TCP_SYN;
        s.seq += (uint32_t)offsets[i];
        ho_tp_inject(p, &p->a, &s);
        assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
        assert_int_equal(p->a.sent, i + 1);
        assert_int_equal(ho_tp_last(p, &p->a)->flags, HO_TCP_ACK);
        assert_int_equal(ho_tp_last(p, &p->a)->seq, p->a.c.snd_nxt.v);
        ho_tp_run_ms(p, 600);
    }
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_SYN_CHALLENGE], 3);
    ho_tp_free(p);
}

/* ---- ACK (RFC 5961 5.2, RFC 9293 3.10.7.4)
 * -------------------------------------------------------- */

static void an_ack_of_what_was_not_sent_is_dropped(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.ack++;
    s.payload_len = 10;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(p->a.env.count[HO_TCP_COUNT_DROP_FUTURE_ACK], 1);
    assert_int_equal(ho_tp_recv(p, &p->a, 10), -EAGAIN);
    ho_tp_free(p);
}

static void an_ack_far_below_the_window_is_challenged_and_its_data_dropped(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.ack -= p->a.c.max_window + 1;
    s.payload_len = 10;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(p->a.env.count[HO_TCP_COUNT_DROP_OLD_ACK], 1);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_CHALLENGE_ACK], 1);
    assert_int_equal(ho_tp_recv(p, &p->a, 10), -EAGAIN);
    s.ack += 2; /* old, but within a window: its data counts */
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(ho_tp_recv(p, &p->a, 10), 10);
    ho_tp_free(p);
}

static void a_segment_without_ack_is_dropped(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.flags = 0;
    s.payload_len = 10;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(p->a.env.count[HO_TCP_COUNT_DROP_NO_ACK], 1);
    assert_int_equal(p->a.sent, 0);
    assert_int_equal(ho_tp_recv(p, &p->a, 10), -EAGAIN);
    ho_tp_free(p);
}

/* ---- out of the window
 * ---------------------------------------------------------------------------- */

/* Row 12: of two pure ACKs out of the window within 500 ms one is answered. Data always is. */
static void probes_are_answered_once_in_500_ms_and_old_data_always(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.seq -= 1;
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.sent, 1);
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.sent, 1);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_ACK_SKIPPED], 1);
    s.seq -= 100;
    s.payload_len = 100;
    ho_tp_inject(p, &p->a, &s);
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.sent, 3);

    ho_tp_run_ms(p, 500);
    s = ho_tp_seg(p, &p->a);
    s.seq -= 1;
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.sent, 4);
    ho_tp_free(p);
}

/* RFC 2883 4: old data again is reported as a duplicate, first block. */
static void old_data_is_reported_by_dsack(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    uint32_t seq = s.seq;
    s.payload_len = 100;
    ho_tp_inject(p, &p->a, &s);
    ho_tp_inject(p, &p->a, &s);
    const struct ho_wire_tcp *ack = ho_tp_last(p, &p->a);

    assert_int_equal(ack->n_sack, 1);
    assert_int_equal(ack->sack[0].from, seq);
    assert_int_equal(ack->sack[0].to, seq + 100);
    assert_int_equal(ack->ack, seq + 100);
    s.seq += 50; /* the first half is old */
    ho_tp_inject(p, &p->a, &s);
    ho_tp_run_ms(p, 300);
    ack = ho_tp_last(p, &p->a);
    assert_int_equal(ack->ack, seq + 150);
    assert_int_equal(ack->sack[0].from, seq + 50);
    assert_int_equal(ack->sack[0].to, seq + 100);
    ho_tp_free(p);
}

static void data_beyond_the_window_is_dropped_and_acknowledged(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.seq += tcp_receive_window(&p->a.c) + 1;
    s.payload_len = 100;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(p->a.sent, 1);
    assert_int_equal(ho_tp_last(p, &p->a)->n_sack, 0);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_DROP_OUT_OF_WINDOW], 1);
    ho_tp_free(p);
}

/* ---- timestamps (RFC 7323 5.3)
 * --------------------------------------------------------------------- */

static void an_older_timestamp_is_rejected_and_answered(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.ts_val -= 1;
    s.payload_len = 10;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(p->a.env.count[HO_TCP_COUNT_PAWS_ESTAB], 1);
    assert_int_equal(p->a.sent, 1);
    assert_int_equal(ho_tp_recv(p, &p->a, 10), -EAGAIN);
    ho_tp_free(p);
}

/* RFC 7323 5.5: after 24 days the remembered timestamp is worth nothing. */
static void a_timestamp_is_forgotten_after_24_days(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    ho_tp_run(p, ho_time_add(p->now, ho_s(24 * 86400 + 1)));
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.ts_val -= 1000;
    s.payload_len = 10;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(ho_tp_recv(p, &p->a, 10), 10);
    ho_tp_free(p);
}

/* RFC 7323 5.3 R1 excepts RST: a rebooted peer has another clock (row 8a). */
static void a_reset_needs_no_timestamp(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.flags = HO_TCP_RST;
    s.ts_val -= 100000;
    ho_tp_inject(p, &p->a, &s);

    assert_true(ho_tcp_is_dead(&p->a.c));
    ho_tp_free(p);
}

/* RFC 7323 4.3: only a segment that spans the last ACK sent moves what is echoed. */
static void the_echo_is_of_the_segment_that_is_acknowledged(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    uint32_t before = p->a.c.ts_recent;
    s.seq += 1000;
    s.payload_len = 100;
    s.ts_val += 7;
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(ho_tp_last(p, &p->a)->ts_ecr, before);
    s.seq -= 1000;
    s.payload_len = 1000;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(ho_tp_last(p, &p->a)->ts_ecr, before + 7);
    ho_tp_free(p);
}

/* Linux tcp_disordered_ack: a pure ACK that repeats the last one, late by less than a timeout, is
 * reordering; one that is older than rcv_nxt is not even answered (Linux 6.14).
 */
static void a_late_pure_ack_is_no_reason_to_doubt(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair();
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.window = (uint16_t)(p->a.c.snd_wnd >> p->a.c.snd_wscale);
    ho_tp_inject(p, &p->a, &s);
    s.ts_val -= 100;
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_PAWS_ESTAB], 0);
    assert_int_equal(p->a.sent, 0);

    s.seq -= 1;
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.sent, 0);
    s.seq += 1;
    s.ts_val -= 1000; /* more than 1.2 RTO: not the network's doing */
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_PAWS_ESTAB], 1);
    assert_int_equal(p->a.sent, 1);
    ho_tp_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_at_rcv_nxt_resets),
        cmocka_unit_test(a_reset_elsewhere_in_the_window_is_challenged),
        cmocka_unit_test(a_reset_out_of_the_window_is_ignored),
        cmocka_unit_test(a_reset_at_the_fin_resets_a_closing_connection),
        cmocka_unit_test(a_reset_at_the_end_of_the_sacks_resets),
        cmocka_unit_test(a_reset_in_close_wait_is_epipe),
        cmocka_unit_test(data_comes_before_the_error_and_the_error_once),
        cmocka_unit_test(a_syn_on_an_open_connection_is_challenged),
        cmocka_unit_test(an_ack_of_what_was_not_sent_is_dropped),
        cmocka_unit_test(an_ack_far_below_the_window_is_challenged_and_its_data_dropped),
        cmocka_unit_test(a_segment_without_ack_is_dropped),
        cmocka_unit_test(probes_are_answered_once_in_500_ms_and_old_data_always),
        cmocka_unit_test(old_data_is_reported_by_dsack),
        cmocka_unit_test(data_beyond_the_window_is_dropped_and_acknowledged),
        cmocka_unit_test(an_older_timestamp_is_rejected_and_answered),
        cmocka_unit_test(a_timestamp_is_forgotten_after_24_days),
        cmocka_unit_test(a_reset_needs_no_timestamp),
        cmocka_unit_test(the_echo_is_of_the_segment_that_is_acknowledged),
        cmocka_unit_test(a_late_pure_ack_is_no_reason_to_doubt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
