/* Closing: four segments, half, both at once, orphans, what a FIN rides on, RST in place of FIN,
 * and the record that TIME-WAIT leaves. Ground-truth rows 6 and 15; RFC 9293 3.6, RFC 2525 2.17,
 * RFC 1337, RFC 6191.
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
    ho_tp_run_ms(p, 1000);
    ho_tp_forget(p);
    return p;
}

static void close_end(struct ho_tp *p, struct ho_tp_end *e)
{
    ho_tcp_close(&e->env, &e->c, false, p->now);
}

/* Takes the record of `e`, as the host does. */
static struct ho_tcp_tw record_of(struct ho_tp *p, struct ho_tp_end *e)
{
    struct ho_tcp_tw t;

    assert_true(ho_tcp_wants_tw(&e->c));
    ho_tcp_tw_init(&e->env, &t, &e->c, p->now);
    assert_true(ho_tcp_is_dead(&e->c));
    return t;
}

/* ---- the ways through the states (RFC 9293 3.6)
 * --------------------------------------------------- */

static void a_half_closed_connection_still_carries_the_other_half(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    assert_int_equal(ho_tcp_shutdown(&p->a.env, &p->a.c, false, true, p->now), 0);
    ho_tp_run_ms(p, 100);
    assert_int_equal(p->a.c.state, HO_TCP_FIN_WAIT2);
    assert_int_equal(p->b.c.state, HO_TCP_CLOSE_WAIT);
    assert_false(ho_tcp_wants_tw(&p->a.c)); /* a process holds it */
    uint8_t byte = 0;
    assert_int_equal(ho_tcp_send(&p->a.env, &p->a.c, &byte, 1, p->now), -EPIPE);

    ho_tp_send(p, &p->b, 5000);
    ho_tp_run_ms(p, 100);
    assert_int_equal(ho_tp_recv(p, &p->a, 65536), 5000);
    ho_tp_run(p, ho_time_add(p->now, ho_s(1000))); /* tcp_fin_timeout is for orphans */
    assert_int_equal(p->a.c.state, HO_TCP_FIN_WAIT2);
    close_end(p, &p->b);
    ho_tp_run_ms(p, 100);
    assert_int_equal(p->a.c.state, HO_TCP_TIME_WAIT);
    assert_int_equal(ho_tp_recv(p, &p->a, 10), 0);
    ho_tp_free(p);
}

static void two_fins_that_cross_close_both(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    close_end(p, &p->a);
    close_end(p, &p->b);
    ho_tp_run_ms(p, 1);
    assert_int_equal(p->a.c.state, HO_TCP_CLOSING);
    assert_int_equal(p->b.c.state, HO_TCP_CLOSING);
    ho_tp_run_ms(p, 10);

    assert_int_equal(p->a.c.state, HO_TCP_TIME_WAIT);
    assert_int_equal(p->b.c.state, HO_TCP_TIME_WAIT);
    ho_tp_free(p);
}

/* Row 6a: the FIN of a silent end is acknowledged after 41 to 47 ms, not at once. */
static void a_fin_is_acknowledged_late(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->b.opts->nodelay = true;
    ho_tp_send(p, &p->b, 1); /* the ends take turns: b spoke last */
    ho_tp_run_ms(p, 5);
    ho_tp_send(p, &p->a, 1);
    ho_tp_run_ms(p, 5);
    ho_tp_forget(p);
    struct ho_time from = p->now;
    assert_int_equal(ho_tp_recv(p, &p->b, 10), 1);
    assert_int_equal(ho_tp_recv(p, &p->a, 10), 1);
    ho_tcp_quickack(&p->b.env, &p->b.c, false, p->now);
    close_end(p, &p->a);
    ho_tp_run_ms(p, 300);

    const struct ho_tp_sent *last = &p->sent[p->n_sent - 1];
    assert_ptr_equal(last->from, &p->b);
    ho_tp_near_ms(ho_time_since(last->at, from), 44, 6);
    ho_tp_free(p);
}

/* Row 15 and Linux: the FIN rides on the last data, not in a segment of its own. */
static void a_fin_rides_on_the_data_that_waits(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    ho_tp_send(p, &p->a, 100);
    ho_tp_drain(p, &p->a);
    ho_tp_send(p, &p->a, 50); /* Nagle holds it */
    close_end(p, &p->a);
    ho_tp_drain(p, &p->a);

    assert_int_equal(p->n_sent, 2);
    assert_int_equal(ho_tp_last(p, &p->a)->payload_len, 50);
    assert_int_equal(ho_tp_last(p, &p->a)->flags, HO_TCP_FIN | HO_TCP_PSH | HO_TCP_ACK);
    ho_tp_free(p);
}

/* Row 15: with data and FIN lost, they are sent again as one segment. */
static void a_lost_fin_is_merged_into_the_lost_data(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.cut = true;
    ho_tp_send(p, &p->a, 100);
    ho_tp_drain(p, &p->a);
    close_end(p, &p->a);
    ho_tp_run_ms(p, 1000);

    assert_int_equal(ho_tp_last(p, &p->a)->payload_len, 100);
    assert_true((ho_tp_last(p, &p->a)->flags & HO_TCP_FIN) != 0);
    assert_int_equal(p->a.c.work->packets_out, 1);
    ho_tp_free(p);
}

/* RFC 9293 3.10.7.4, eighth: what follows a FIN is not part of the stream. */
static void data_after_a_fin_is_not_delivered(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.cut = true;
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.flags |= HO_TCP_FIN;
    s.payload_len = 10;
    ho_tp_inject(p, &p->a, &s);
    s = ho_tp_seg(p, &p->a);
    s.payload_len = 20;
    ho_tp_inject(p, &p->a, &s);
    s.flags |= HO_TCP_FIN;
    s.payload_len = 0;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(p->a.c.rcv_nxt.v, s.seq);
    assert_int_equal(ho_tp_recv(p, &p->a, 100), 10);
    assert_int_equal(ho_tp_recv(p, &p->a, 100), 0);
    ho_tp_free(p);
}

static void a_fin_before_its_data_waits_for_it(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.cut = true;
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.seq += 100;
    s.flags |= HO_TCP_FIN;
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    s.seq -= 100;
    s.flags = HO_TCP_ACK;
    s.payload_len = 100;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(p->a.c.state, HO_TCP_CLOSE_WAIT);
    assert_int_equal(p->a.c.rcv_nxt.v, s.seq + 101);
    ho_tp_free(p);
}

/* ---- orphans (rows 6c, 15)
 * ------------------------------------------------------------------------ */

/* Row 15: 8 copies by timeout after the probe, gone 107.3 s after close. tcp_orphan_retries 1: 1.7
 * s, 2: 3.4 s. tcp_retries2 makes no difference. No RST.
 */
static void an_orphans_fin_is_given_up(void **state)
{
    (void)state;
    static const struct {
        int64_t retries, ms, tolerance_ms;
        unsigned sent;
    } cases[] = { { 0, 107300, 3000, 10 }, { 1, 1700, 100, 4 }, { 2, 3400, 200, 5 } };

    for (size_t i = 0; i < 3; i++) {
        struct ho_tp *p = open_pair(250);
        p->a.sys.v[HO_SYSCTL_TCP_ORPHAN_RETRIES] = cases[i].retries;
        p->a.sys.v[HO_SYSCTL_TCP_RETRIES2] = 3;
        p->a.cut = true;
        close_end(p, &p->a);
        ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 200), cases[i].ms, cases[i].tolerance_ms);
        assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_ORPHAN_RETRIES);
        assert_int_equal(p->a.sent, cases[i].sent);
        assert_int_equal(p->a.rsts, 0);
        ho_tp_free(p);
    }
}

/* Row 15: shutdown() makes no orphan; tcp_retries2=5 ends it at 13.46 s, and the process is told.
 */
static void shutdown_gives_up_by_retries2(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.sys.v[HO_SYSCTL_TCP_RETRIES2] = 5;
    p->a.cut = true;
    assert_int_equal(ho_tcp_shutdown(&p->a.env, &p->a.c, false, true, p->now), 0);

    ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 200), 13460, 400);
    assert_int_equal(ho_tp_recv(p, &p->a, 10), -ETIMEDOUT);
    ho_tp_free(p);
}

/* Row 6c: an orphan delivers what it has before its FIN. */
static void an_orphan_delivers_its_data(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    ho_tp_send(p, &p->a, 30000);
    close_end(p, &p->a);
    ho_tp_run_ms(p, 500);

    assert_int_equal(ho_tp_recv(p, &p->b, 65536), 30000);
    assert_int_equal(ho_tp_recv(p, &p->b, 65536), 0);
    assert_int_equal(p->b.c.state, HO_TCP_CLOSE_WAIT);
    ho_tp_free(p);
}

/* Rows 6a and 15: an orphan in FIN-WAIT-2 becomes a record at once and is gone after
 * tcp_fin_timeout: 60 to 61.3 s; 10: 10.2 s. TCP_LINGER2 goes first. With 90 s the socket waits for
 * the difference to 60 s, the record for the same again, as Linux has it.
 */
static void fin_wait2_ends_after_fin_timeout(void **state)
{
    (void)state;
    static const struct {
        int64_t sysctl;
        int32_t linger2;
        int64_t ms, tolerance_ms;
    } cases[] = { { 60, 0, 60600, 700 }, { 10, 0, 10200, 260 }, { 60, 5, 5100, 260 } };

    for (size_t i = 0; i < 3; i++) {
        struct ho_tp *p = open_pair(250);
        p->a.sys.v[HO_SYSCTL_TCP_FIN_TIMEOUT] = cases[i].sysctl;
        p->a.opts->linger2_s = cases[i].linger2;
        close_end(p, &p->a);
        ho_tp_run_ms(p, 100);
        struct ho_tcp_tw t = record_of(p, &p->a);
        assert_int_equal(t.substate, HO_TCP_FIN_WAIT2);
        ho_tp_near_ms(ho_time_since(ho_due_time(t.deadline), p->now), cases[i].ms,
                      cases[i].tolerance_ms);
        ho_tp_free(p);
    }
    struct ho_tp *p = open_pair(0);
    p->a.sys.v[HO_SYSCTL_TCP_FIN_TIMEOUT] = 90;
    close_end(p, &p->a);
    ho_tp_run_ms(p, 100);
    assert_false(ho_tcp_wants_tw(&p->a.c));
    ho_tp_run_ms(p, 29000);
    assert_false(ho_tcp_wants_tw(&p->a.c));
    ho_tp_run_ms(p, 1000);
    struct ho_tcp_tw t = record_of(p, &p->a);
    ho_tp_near_ms(ho_time_since(ho_due_time(t.deadline), p->now), 30000, 100);
    ho_tp_free(p);
}

/* tcp_fin_timeout may be up to 2147483 s: more than 32 bits of microseconds. */
static void a_long_fin_timeout_does_not_wrap(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0);
    p->a.sys.v[HO_SYSCTL_TCP_FIN_TIMEOUT] = 5000;
    close_end(p, &p->a);
    ho_tp_run(p, ho_time_add(p->now, ho_s(4900)));

    assert_int_equal(p->a.c.state, HO_TCP_FIN_WAIT2);
    assert_false(ho_tcp_wants_tw(&p->a.c));
    ho_tp_free(p);
}

/* tcp(7): TCP_LINGER2 below 0: no FIN-WAIT-2; Linux resets as soon as the FIN is acknowledged. */
static void a_negative_linger2_resets(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.opts->linger2_s = -1;
    close_end(p, &p->a);
    ho_tp_run_ms(p, 200);

    assert_true(ho_tcp_is_dead(&p->a.c));
    assert_int_equal(p->a.rsts, 1);
    assert_int_equal(p->b.c.err, EPIPE); /* its FIN had come: CLOSE-WAIT */
    ho_tp_free(p);
}

/* The RST answers the ACK: RFC 9293 3.10.7.1, SEQ=SEG.ACK and no ACK. A virtual 6.12 does the same.
 */
static void the_ack_of_a_fin_that_waits_for_nobody_is_answered(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.opts->linger2_s = -1;
    close_end(p, &p->a);
    ho_tp_drain(p, &p->a);
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.ack = p->a.c.snd_nxt.v;

    assert_true(ho_tp_inject(p, &p->a, &s));
    assert_true(ho_tcp_is_dead(&p->a.c));
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_ABORT_ON_DATA], 1);
    ho_tp_free(p);
}

/* RFC 1122 4.2.2.13: data for a closed socket is answered by RST (row 6a, server sends). */
static void data_for_an_orphan_is_reset(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    close_end(p, &p->a);
    ho_tp_drain(p, &p->a);
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.ack = p->a.c.snd_una.v;
    s.payload_len = 10;

    assert_true(ho_tp_inject(p, &p->a, &s));
    assert_true(ho_tcp_is_dead(&p->a.c));
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_ABORT_ON_DATA], 1);
    ho_tp_free(p);
}

/* The same when that data brings the ACK of the FIN: Linux 6.18 answers with RST at once. */
static void data_with_the_ack_of_an_orphans_fin_is_reset(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    close_end(p, &p->a);
    ho_tp_drain(p, &p->a);
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.ack = p->a.c.snd_una.v + 1;
    s.payload_len = 10;

    assert_true(ho_tp_inject(p, &p->a, &s));
    assert_true(ho_tcp_is_dead(&p->a.c));
    assert_false(ho_tcp_wants_tw(&p->a.c));
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_ABORT_ON_DATA], 1);
    ho_tp_free(p);
}

/* Row 6c: an orphan before a window of 0 that is answered ends when the probe interval reaches
 * rto_max: 352.7 s. Cut (row 15): 8 probes, 119 s.
 */
static void an_orphan_before_a_closed_window_ends(void **state)
{
    (void)state;
    for (int cut = 0; cut < 2; cut++) {
        struct ho_tp *p = open_pair(250);
        while (ho_tcp_poll(&p->a.env, &p->a.c) & HO_POLLOUT) {
            static const uint8_t bytes[30000];
            (void)ho_tcp_send(&p->a.env, &p->a.c, bytes, sizeof(bytes), p->now);
            ho_tp_run_ms(p, 50);
        }
        ho_tp_run_ms(p, 100);
        assert_int_equal(p->a.c.snd_wnd, 0);
        close_end(p, &p->a);
        p->a.cut = cut == 1;
        struct ho_dur d = ho_tp_until_dead(p, &p->a, 500);
        ho_tp_near_ms(d, cut == 1 ? 119000 : 300000, cut == 1 ? 40000 : 80000);
        assert_int_equal(p->a.rsts, 0);
        ho_tp_free(p);
    }
}

/* ---- RST in place of FIN
 * --------------------------------------------------------------------------- */

/* Row 6d: SO_LINGER with no time discards what is queued and resets. */
static void linger_0_resets_and_discards(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    p->a.opts->linger_s = 0;
    p->b.cut = true;
    ho_tp_send(p, &p->a, 40000);
    ho_tp_drain(p, &p->a);
    close_end(p, &p->a);
    ho_tp_drain(p, &p->a);
    assert_int_equal(p->a.rsts, 1);
    assert_int_equal(ho_tp_last(p, &p->a)->flags, HO_TCP_RST | HO_TCP_ACK);
    ho_tp_run_ms(p, 100);

    assert_true(ho_tcp_is_dead(&p->b.c));
    assert_int_equal(p->b.c.err, ECONNRESET);
    ho_tp_free(p);
}

/* RFC 9293 3.10.5: ABORT sends RST where the peer still expects something of us. */
static void abort_resets_an_open_connection_and_not_a_closing_one(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    ho_tcp_abort(&p->a.env, &p->a.c, p->now);
    ho_tp_drain(p, &p->a);
    assert_int_equal(p->a.rsts, 1);
    assert_int_equal(ho_tp_last(p, &p->a)->seq, p->a.c.snd_nxt.v);
    assert_int_equal(ho_tcp_take_error(&p->a.c), ECONNABORTED);
    ho_tp_free(p);

    p = open_pair(250);
    close_end(p, &p->a);
    ho_tp_run_ms(p, 100);
    p->b.cut = true;
    close_end(p, &p->b);
    assert_int_equal(p->b.c.state, HO_TCP_LAST_ACK);
    ho_tcp_abort(&p->b.env, &p->b.c, p->now);
    ho_tp_drain(p, &p->b);
    assert_int_equal(p->b.rsts, 0);
    ho_tp_free(p);
}

static void closing_a_connect_says_nothing(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    assert_int_equal(ho_tcp_connect(&p->a.env, &p->a.c, p->now), 0);
    p->a.cut = true;
    ho_tp_drain(p, &p->a);
    close_end(p, &p->a);
    ho_tp_run_ms(p, 5000);

    assert_int_equal(p->a.sent, 1);
    assert_true(ho_tcp_is_dead(&p->a.c));
    ho_tp_free(p);
}

/* Row 15: a lingering close waits for the ACK of the FIN, and no longer. */
static void a_lingering_close_waits_for_the_ack(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250);
    ho_tp_send(p, &p->a, 100);
    ho_tcp_close(&p->a.env, &p->a.c, true, p->now);
    assert_true(ho_tcp_lingers(&p->a.c));
    assert_false(ho_tcp_wants_tw(&p->a.c));
    ho_tp_run_ms(p, 100);

    assert_false(ho_tcp_lingers(&p->a.c));
    assert_int_equal(p->a.c.state, HO_TCP_FIN_WAIT2);
    ho_tcp_orphan(&p->a.env, &p->a.c, p->now);
    assert_true(ho_tcp_wants_tw(&p->a.c));
    ho_tp_free(p);
}

/* ---- TIME-WAIT
 * ------------------------------------------------------------------------------------- */

static struct ho_tp *in_time_wait(struct ho_tcp_tw *t)
{
    struct ho_tp *p = open_pair(0);

    close_end(p, &p->a);
    ho_tp_run_ms(p, 100);
    close_end(p, &p->b);
    ho_tp_run_ms(p, 100);
    *t = record_of(p, &p->a);
    assert_int_equal(t->substate, HO_TCP_TIME_WAIT);
    return p;
}

static struct ho_wire_tcp for_record(const struct ho_tcp_tw *t, uint8_t flags)
{
    return (struct ho_wire_tcp){
        .sport = t->rport,
        .dport = t->lport,
        .seq = t->rcv_nxt.v,
        .ack = t->snd_nxt.v,
        .flags = flags,
        .window = 100,
        .has_ts = true,
        .ts_val = t->ts_recent,
    };
}

/* RFC 9293 3.10.7.4: the peer's FIN again is acknowledged and the 60 s begin again. */
static void a_fin_again_restarts_time_wait(void **state)
{
    (void)state;
    struct ho_tcp_tw t;
    struct ho_tp *p = in_time_wait(&t);
    ho_tp_near_ms(ho_time_since(ho_due_time(t.deadline), p->now), 60000, 0);
    ho_tp_run_ms(p, 30000);
    struct ho_wire_tcp s = for_record(&t, HO_TCP_FIN | HO_TCP_ACK);
    s.seq--;

    assert_int_equal(ho_tcp_tw_input(&p->a.env, &t, &s, p->now), HO_TCP_TW_ACK);
    ho_tp_near_ms(ho_time_since(ho_due_time(t.deadline), p->now), 60000, 0);
    assert_int_equal(ho_tcp_tw_input(&p->a.env, &t, &s, p->now), HO_TCP_TW_NOTHING); /* 500 ms */
    struct ho_buf *b = ho_tcp_tw_ack(&p->a.env, &t, p->now);
    struct ho_wire_tcp ack;
    size_t header;
    assert_int_equal(ho_wire_tcp_read(&ack, &header, ho_buf_bytes(b), b->len), 0);
    ho_buf_put(&p->bufs, b);
    assert_int_equal(ack.seq, t.snd_nxt.v);
    assert_int_equal(ack.ack, t.rcv_nxt.v);
    ho_tp_free(p);
}

/* RFC 1337: a RST at rcv_nxt ends TIME-WAIT unless net.ipv4.tcp_rfc1337 is on; another does not. */
static void a_reset_assassinates_time_wait_unless_rfc1337(void **state)
{
    (void)state;
    struct ho_tcp_tw t;
    struct ho_tp *p = in_time_wait(&t);
    struct ho_wire_tcp s = for_record(&t, HO_TCP_RST);
    s.seq++;
    assert_int_equal(ho_tcp_tw_input(&p->a.env, &t, &s, p->now), HO_TCP_TW_NOTHING);
    s.seq--;
    p->a.sys.v[HO_SYSCTL_TCP_RFC1337] = 1;
    assert_int_equal(ho_tcp_tw_input(&p->a.env, &t, &s, p->now), HO_TCP_TW_NOTHING);
    p->a.sys.v[HO_SYSCTL_TCP_RFC1337] = 0;
    assert_int_equal(ho_tcp_tw_input(&p->a.env, &t, &s, p->now), HO_TCP_TW_FREE);
    ho_tp_free(p);
}

/* RFC 6191 and RFC 1122 4.2.2.13: a SYN is new by its sequence number or by its timestamp. */
static void a_newer_syn_gets_through_time_wait(void **state)
{
    (void)state;
    static const struct {
        int32_t seq, ts;
        enum ho_tcp_tw_do what;
    } cases[] = { { 1, 0, HO_TCP_TW_SYN },
                  { -1000, 1, HO_TCP_TW_SYN },
                  { -1000, 0, HO_TCP_TW_ACK },
                  { 1, -1, HO_TCP_TW_ACK } };

    for (size_t i = 0; i < 4; i++) {
        struct ho_tcp_tw t;
        struct ho_tp *p = in_time_wait(&t);
        struct ho_wire_tcp s = for_record(&t, HO_TCP_SYN);
        s.seq += (uint32_t)cases[i].seq;
        s.ts_val += (uint32_t)cases[i].ts;
        assert_int_equal(ho_tcp_tw_input(&p->a.env, &t, &s, p->now), cases[i].what);
        ho_tp_free(p);
    }
}

static void a_fin_moves_the_record_of_fin_wait2_on(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0);
    close_end(p, &p->a);
    ho_tp_run_ms(p, 100);
    struct ho_tcp_tw t = record_of(p, &p->a), copy = t;
    ho_tp_run_ms(p, 20000);

    struct ho_wire_tcp s = for_record(&t, HO_TCP_FIN | HO_TCP_ACK);
    assert_int_equal(ho_tcp_tw_input(&p->a.env, &t, &s, p->now), HO_TCP_TW_ACK);
    assert_int_equal(t.substate, HO_TCP_TIME_WAIT);
    ho_tp_near_ms(ho_time_since(ho_due_time(t.deadline), p->now), 60000, 0);
    t = copy;
    s = for_record(&t, HO_TCP_ACK);
    s.payload_len = 5;
    assert_int_equal(ho_tcp_tw_input(&p->a.env, &t, &s, p->now), HO_TCP_TW_RESET);
    t = copy;
    s = for_record(&t, HO_TCP_RST);
    assert_int_equal(ho_tcp_tw_input(&p->a.env, &t, &s, p->now), HO_TCP_TW_FREE);
    t = copy;
    s = for_record(&t, HO_TCP_ACK);
    assert_int_equal(ho_tcp_tw_input(&p->a.env, &t, &s, p->now), HO_TCP_TW_NOTHING);
    ho_tp_free(p);
}

/* ip-sysctl: tcp_tw_reuse 0 no, 1 yes, 2 loopback only; and older than tcp_tw_reuse_delay. */
static void a_port_in_time_wait_is_reused_as_the_sysctls_say(void **state)
{
    (void)state;
    struct ho_tcp_tw t;
    struct ho_tp *p = in_time_wait(&t);
    ho_tp_run_ms(p, 900);
    p->a.sys.v[HO_SYSCTL_TCP_TW_REUSE] = 1;
    assert_false(ho_tcp_tw_reusable(&p->a.env, &t, p->now));
    ho_tp_run_ms(p, 101);
    assert_true(ho_tcp_tw_reusable(&p->a.env, &t, p->now));
    p->a.sys.v[HO_SYSCTL_TCP_TW_REUSE_DELAY] = 5000;
    assert_false(ho_tcp_tw_reusable(&p->a.env, &t, p->now));
    ho_tp_run_ms(p, 4000);
    assert_true(ho_tcp_tw_reusable(&p->a.env, &t, p->now));
    p->a.sys.v[HO_SYSCTL_TCP_TW_REUSE] = 2;
    assert_false(ho_tcp_tw_reusable(&p->a.env, &t, p->now));
    p->a.path.local = ho_addr_v4(127, 0, 0, 1);
    assert_true(ho_tcp_tw_reusable(&p->a.env, &t, p->now));
    p->a.sys.v[HO_SYSCTL_TCP_TW_REUSE] = 0;
    assert_false(ho_tcp_tw_reusable(&p->a.env, &t, p->now));
    ho_tp_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_half_closed_connection_still_carries_the_other_half),
        cmocka_unit_test(two_fins_that_cross_close_both),
        cmocka_unit_test(a_fin_is_acknowledged_late),
        cmocka_unit_test(a_fin_rides_on_the_data_that_waits),
        cmocka_unit_test(a_lost_fin_is_merged_into_the_lost_data),
        cmocka_unit_test(data_after_a_fin_is_not_delivered),
        cmocka_unit_test(a_fin_before_its_data_waits_for_it),
        cmocka_unit_test(an_orphans_fin_is_given_up),
        cmocka_unit_test(shutdown_gives_up_by_retries2),
        cmocka_unit_test(an_orphan_delivers_its_data),
        cmocka_unit_test(fin_wait2_ends_after_fin_timeout),
        cmocka_unit_test(a_long_fin_timeout_does_not_wrap),
        cmocka_unit_test(a_negative_linger2_resets),
        cmocka_unit_test(the_ack_of_a_fin_that_waits_for_nobody_is_answered),
        cmocka_unit_test(data_for_an_orphan_is_reset),
        cmocka_unit_test(data_with_the_ack_of_an_orphans_fin_is_reset),
        cmocka_unit_test(an_orphan_before_a_closed_window_ends),
        cmocka_unit_test(linger_0_resets_and_discards),
        cmocka_unit_test(abort_resets_an_open_connection_and_not_a_closing_one),
        cmocka_unit_test(closing_a_connect_says_nothing),
        cmocka_unit_test(a_lingering_close_waits_for_the_ack),
        cmocka_unit_test(a_fin_again_restarts_time_wait),
        cmocka_unit_test(a_reset_assassinates_time_wait_unless_rfc1337),
        cmocka_unit_test(a_newer_syn_gets_through_time_wait),
        cmocka_unit_test(a_fin_moves_the_record_of_fin_wait2_on),
        cmocka_unit_test(a_port_in_time_wait_is_reused_as_the_sysctls_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
