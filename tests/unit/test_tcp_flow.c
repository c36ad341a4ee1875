/* How fast and in what pieces: Nagle, cork, windows and their probes, delayed ACKs, reassembly and
 * SACK, the round-trip estimate, loss recovery, Reno and CUBIC. Ground-truth A2 and rows 4 and 12;
 * RFC 896, 1122, 2018, 2883, 5681, 6582, 6928, 8985, 9438.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/tcp_pair.h"

static struct ho_tp *open_pair(uint32_t hz, int64_t delay_us)
{
    struct ho_tp *p = ho_tp_new(hz, delay_us);

    ho_tp_establish(p);
    ho_tp_run_ms(p, 1000);
    ho_tp_forget(p);
    return p;
}

/* ---- pieces
 * -------------------------------------------------------------------------------------- */

/* RFC 896 and Minshall's change: one small segment in flight holds the next small one back. */
static void nagle_holds_a_small_segment_until_the_last_was_acked(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250, 1000);
    ho_tp_send(p, &p->a, 10);
    ho_tp_send(p, &p->a, 20);
    ho_tp_send(p, &p->a, 30);
    ho_tp_drain(p, &p->a);
    assert_int_equal(p->a.sent, 1);
    ho_tp_run_ms(p, 100);
    assert_int_equal(p->a.sent, 2);
    assert_int_equal(ho_tp_last(p, &p->a)->payload_len, 50);
    ho_tp_free(p);
}

static void nodelay_sends_each_write_and_cork_none(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250, 1000);
    p->a.opts->nodelay = true;
    for (int i = 0; i < 3; i++) {
        ho_tp_send(p, &p->a, 10);
    }
    ho_tp_drain(p, &p->a);
    assert_int_equal(p->a.sent, 3);
    ho_tp_run_ms(p, 500);

    p->a.opts->nodelay = false;
    p->a.opts->cork = true;
    ho_tp_forget(p);
    ho_tp_send(p, &p->a, 10);
    ho_tp_run_ms(p, 150);
    assert_int_equal(p->a.sent, 0);
    ho_tp_send(p, &p->a, 1448);
    ho_tp_drain(p, &p->a);
    assert_int_equal(p->a.sent, 1);
    assert_int_equal(ho_tp_last(p, &p->a)->payload_len, 1448);
    p->a.opts->cork = false;
    ho_tcp_opts_changed(&p->a.env, &p->a.c, HO_TCP_PUSH, p->now);
    ho_tp_drain(p, &p->a);
    assert_int_equal(p->a.sent, 2);
    assert_int_equal(ho_tp_last(p, &p->a)->payload_len, 10);
    ho_tp_free(p);
}

/* tcp(7): a cork holds for 200 ms at most. */
static void a_cork_holds_for_200_ms(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0, 1000);
    p->a.opts->cork = true;
    struct ho_time from = p->now;
    ho_tp_send(p, &p->a, 10);
    ho_tp_run_ms(p, 1000);

    assert_int_equal(p->a.sent, 1);
    ho_tp_near_ms(ho_time_since(p->a.last_sent, from), 200, 4);
    ho_tp_free(p);
}

/* RFC 6928: ten segments before the first ACK. */
static void the_first_window_is_ten_segments(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(250, 50000);
    ho_tp_send(p, &p->a, 40000);
    ho_tp_drain(p, &p->a);

    assert_int_equal(p->a.sent, 10);
    ho_tp_free(p);
}

/* ---- closed windows (row 12)
 * ------------------------------------------------------------------------ */

/* a has filled b's buffer: the window is 0 and data waits. */
static struct ho_tp *closed_window(uint32_t hz)
{
    static const uint8_t bytes[60000];
    struct ho_tp *p = open_pair(hz, 1000);

    for (int i = 0; i < 100 && (i < 3 || p->a.c.snd_wnd > 0); i++) {
        (void)ho_tcp_send(&p->a.env, &p->a.c, bytes, sizeof(bytes), p->now);
        ho_tp_run_ms(p, 20);
    }
    assert_int_equal(p->a.c.snd_wnd, 0);
    assert_non_null(p->a.c.work->send_head);
    return p;
}

/* Intervals RTO * 2^k; probes without payload at snd_una - 1; an answer zeroes the count and not
 * the backoff; it never dies.
 */
static void a_closed_window_is_probed_for_ever(void **state)
{
    (void)state;
    struct ho_tp *p = closed_window(0);
    ho_tp_forget(p);
    ho_tp_run(p, ho_time_add(p->now, ho_s(2000)));
    struct ho_time before = { 0 };
    int64_t last = 0;
    unsigned probes = 0;

    for (size_t i = 0; i < p->n_sent; i++) {
        if (p->sent[i].from != &p->a) {
            continue;
        }
        assert_int_equal(p->sent[i].seg.payload_len, 0);
        assert_int_equal(p->sent[i].seg.seq, p->a.c.snd_una.v - 1);
        int64_t ms = ho_time_since(p->sent[i].at, before).ns / 1000000;
        if (probes >= 2) {
            int64_t twice = 2 * last < 120000 ? 2 * last : 120000;
            assert_in_range(ms, twice - 3, twice + 3);
        }
        last = ms;
        before = p->sent[i].at;
        probes++;
    }
    assert_in_range(probes, 20, 28);
    assert_in_range(last, 119997, 120003); /* an answer re-arms it a round trip later */
    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    ho_tp_free(p);
}

/* Row 12: dead after N probes without an answer: a count, 3.43 s with N=3; ETIMEDOUT, no RST. */
static void a_silent_closed_window_dies_by_the_count(void **state)
{
    (void)state;
    struct ho_tp *p = closed_window(250);
    p->a.sys.v[HO_SYSCTL_TCP_RETRIES2] = 3;
    ho_tp_forget(p);
    p->a.cut = true;
    struct ho_dur d = ho_tp_until_dead(p, &p->a, 100);

    assert_int_equal(p->a.sent, 3);
    ho_tp_near_ms(d, 3430, 300);
    assert_int_equal(p->a.rsts, 0);
    assert_int_equal(ho_tcp_take_error(&p->a.c), ETIMEDOUT);
    assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_PROBES);
    ho_tp_free(p);
}

/* RFC 9293 3.8.6.2.2: a reader that takes a byte at a time opens no silly window. */
static void a_byte_read_opens_no_window(void **state)
{
    (void)state;
    struct ho_tp *p = closed_window(250);
    ho_tp_run_ms(p, 10);
    ho_tp_forget(p);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(ho_tp_recv(p, &p->b, 1), 1);
        ho_tp_drain(p, &p->b);
    }
    assert_int_equal(p->b.sent, 0);
    while (ho_tp_recv(p, &p->b, 65536) > 0) {
    }
    ho_tp_drain(p, &p->b);
    assert_true(p->b.sent >= 1);
    assert_true(ho_tp_last(p, &p->b)->window > 0);
    ho_tp_run_ms(p, 500);
    assert_true(ho_tp_recv(p, &p->b, 65536) > 0);
    ho_tp_free(p);
}

/* Row 12, window update lost: the next probe brings the window. */
static void a_lost_window_update_is_found_by_the_next_probe(void **state)
{
    (void)state;
    struct ho_tp *p = closed_window(250);
    ho_tp_run_ms(p, 5000);
    p->b.cut = true;
    while (ho_tp_recv(p, &p->b, 65536) > 0) {
    }
    ho_tp_run_ms(p, 10);
    p->b.cut = false;
    assert_int_equal(p->a.c.snd_wnd, 0);
    struct ho_seq una = p->a.c.snd_una;
    ho_tp_run_ms(p, 8000);

    assert_true(ho_seq_after(p->a.c.snd_una, una)); /* it may have closed again since */
    assert_true(ho_tp_recv(p, &p->b, 65536) > 0);
    ho_tp_free(p);
}

/* ---- acknowledging (RFC 5681 4.2)
 * -------------------------------------------------------------------- */

static struct ho_wire_tcp data_for_b(struct ho_tp *p, uint32_t at, uint16_t len)
{
    struct ho_wire_tcp s = ho_tp_seg(p, &p->b);

    s.seq += at;
    s.payload_len = len;
    return s;
}

/* A young connection acknowledges at once; when the ends take turns the ACK waits 40 ms. */
static void an_ack_is_quick_at_first_and_waits_when_the_ends_take_turns(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0, 1000);
    struct ho_wire_tcp s = data_for_b(p, 0, 100);
    p->b.cut = true;
    ho_tp_inject(p, &p->b, &s);
    assert_int_equal(p->b.sent, 1);

    ho_tcp_quickack(&p->b.env, &p->b.c, false, p->now);
    struct ho_time from = p->now;
    s = data_for_b(p, 0, 100);
    ho_tp_inject(p, &p->b, &s);
    assert_int_equal(p->b.sent, 1);
    ho_tp_run_ms(p, 300);
    assert_int_equal(p->b.sent, 2);
    ho_tp_near_ms(ho_time_since(p->b.last_sent, from), 40, 1);
    ho_tp_free(p);
}

static void every_second_full_segment_is_acknowledged(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0, 1000);
    p->b.cut = true;
    for (int i = 0; i < 40; i++) { /* past the quick ACKs */
        struct ho_wire_tcp s = data_for_b(p, 0, 1448);
        ho_tp_inject(p, &p->b, &s);
        ho_tp_run_ms(p, 1);
        (void)ho_tp_recv(p, &p->b, 2000);
        ho_tp_drain(p, &p->b);
    }
    ho_tcp_quickack(&p->b.env, &p->b.c, false, p->now);
    ho_tp_run_ms(p, 500);
    unsigned before = p->b.sent;
    for (int i = 0; i < 4; i++) {
        struct ho_wire_tcp s = data_for_b(p, 0, 1448);
        ho_tp_inject(p, &p->b, &s);
        assert_int_equal(ho_tp_recv(p, &p->b, 2000), 1448);
        ho_tp_drain(p, &p->b);
    }
    assert_int_equal(p->b.sent, before + 2);
    ho_tp_free(p);
}

static void data_carries_the_ack_that_waits(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0, 1000);
    p->b.cut = true;
    ho_tcp_quickack(&p->b.env, &p->b.c, false, p->now);
    struct ho_wire_tcp s = data_for_b(p, 0, 100);
    ho_tp_inject(p, &p->b, &s);
    ho_tp_send(p, &p->b, 10);
    ho_tp_drain(p, &p->b);
    assert_int_equal(p->b.sent, 1);
    assert_int_equal(ho_tp_last(p, &p->b)->ack, s.seq + 100);
    ho_tp_run_ms(p, 100);

    assert_int_equal(p->b.sent, 1);
    ho_tp_free(p);
}

/* RFC 2018 4: the block that changed last comes first; RFC 5681 4.2: every one is answered at once.
 */
static void sack_blocks_name_the_latest_first(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0, 1000);
    p->b.cut = true;
    uint32_t base = p->b.c.rcv_nxt.v;
    static const uint32_t at[] = { 100, 300, 500, 700 };

    for (size_t i = 0; i < 4; i++) {
        struct ho_wire_tcp s = data_for_b(p, at[i], 100);
        ho_tp_inject(p, &p->b, &s);
        assert_int_equal(p->b.sent, i + 1);
        const struct ho_wire_tcp *ack = ho_tp_last(p, &p->b);
        assert_int_equal(ack->n_sack, i + 1 < 3 ? i + 1 : 3);
        assert_int_equal(ack->sack[0].from, base + at[i]);
        assert_int_equal(ack->ack, base);
    }
    struct ho_wire_tcp s = data_for_b(p, 200, 100); /* joins two */
    ho_tp_inject(p, &p->b, &s);
    assert_int_equal(ho_tp_last(p, &p->b)->sack[0].from, base + 100);
    assert_int_equal(ho_tp_last(p, &p->b)->sack[0].to, base + 400);
    s = data_for_b(p, 0, 100);
    ho_tp_inject(p, &p->b, &s);
    assert_int_equal(ho_tp_last(p, &p->b)->ack, base + 400);
    assert_int_equal(ho_tp_recv(p, &p->b, 1000), 400);
    ho_tp_free(p);
}

/* RFC 2883 4: a duplicate of what came early is reported first, then the block that holds it. */
static void a_duplicate_out_of_order_is_a_dsack_inside_its_block(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0, 1000);
    p->b.cut = true;
    struct ho_wire_tcp s = data_for_b(p, 100, 200);
    ho_tp_inject(p, &p->b, &s);
    s = data_for_b(p, 150, 50);
    ho_tp_inject(p, &p->b, &s);
    const struct ho_wire_tcp *ack = ho_tp_last(p, &p->b);

    assert_int_equal(ack->n_sack, 2);
    assert_int_equal(ack->sack[0].from, s.seq);
    assert_int_equal(ack->sack[0].to, s.seq + 50);
    assert_int_equal(ack->sack[1].from, s.seq - 50);
    assert_int_equal(ack->sack[1].to, s.seq + 150);
    ho_tp_free(p);
}

/* ---- round trips (A2.1)
 * ------------------------------------------------------------------------------- */

/* srtt = R, rttvar = max(2R, 200 ms): 2 ms gives 202 (204 at HZ=250), 200 ms gives 600. */
static void the_first_timeout_is_that_of_a2(void **state)
{
    (void)state;
    static const struct {
        uint32_t hz;
        int64_t delay_us;
        uint32_t rto_us;
    } cases[] = { { 0, 1000, 202000 }, { 250, 1000, 204000 }, { 0, 100000, 600000 } };

    for (size_t i = 0; i < 3; i++) {
        struct ho_tp *p = ho_tp_new(cases[i].hz, cases[i].delay_us);
        ho_tp_establish(p);
        assert_int_equal(tcp_rto_base_us(&p->a.env, &p->a.c), cases[i].rto_us);
        ho_tp_free(p);
    }
}

/* A2.1: with a steady 200 ms the timeout comes down over the exchanges toward 400 ms. */
static void the_timeout_falls_toward_400_ms_at_200_ms(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0, 100000);
    for (int i = 0; i < 40; i++) {
        ho_tcp_quickack(&p->b.env, &p->b.c, true, p->now);
        p->b.c.quick = 8; /* no delayed ACK in the sample */
        ho_tp_send(p, &p->a, 10);
        ho_tp_run_ms(p, 500);
    }
    assert_in_range(tcp_rto_base_us(&p->a.env, &p->a.c), 400000, 404000);
    ho_tp_free(p);
}

/* ---- loss (A2.2; RFC 8985, 6582)
 * ------------------------------------------------------------------------- */

static bool lose_one_data(struct ho_tp *p, const struct ho_tp_end *from,
                          const struct ho_wire_tcp *seg)
{
    if (from != &p->a || seg->payload_len == 0) {
        return false;
    }
    return ++p->lose_count == 3;
}

/* A hole in the middle is filled a round trip later, by SACK, without a timeout. */
static void one_lost_segment_is_repaired_in_a_round_trip(void **state)
{
    (void)state;
    for (int sack = 0; sack < 2; sack++) {
        struct ho_tp *p = ho_tp_new(250, 20000);
        p->a.sys.v[HO_SYSCTL_TCP_SACK] = sack;
        p->a.sys.v[HO_SYSCTL_TCP_CONGESTION_CONTROL] = HO_CONGESTION_RENO;
        ho_tp_establish(p);
        ho_tp_run_ms(p, 500);
        p->lose = lose_one_data;
        ho_tp_send(p, &p->a, 14480);
        ho_tp_run_ms(p, 130);

        assert_int_equal(ho_tp_recv(p, &p->b, 65536), 14480);
        assert_int_equal(p->a.env.count[HO_TCP_COUNT_RETRANS_SEGS], 1);
        assert_int_equal(p->a.env.count[HO_TCP_COUNT_TIMEOUTS], 0);
        assert_int_equal(
            p->a.env.count[sack ? HO_TCP_COUNT_SACK_RECOVERY : HO_TCP_COUNT_RENO_RECOVERY], 1);
        ho_tp_run_ms(p, 1000);
        /* two ACKs had made ten twelve; half of it (RFC 5681 3.1, Linux: of cwnd) */
        assert_int_equal(tcp_cwnd(&p->a.c), 6);
        ho_tp_free(p);
    }
}

static bool lose_last_once(struct ho_tp *p, const struct ho_tp_end *from,
                           const struct ho_wire_tcp *seg)
{
    return from == &p->a && seg->payload_len == 480 && p->lose_count++ == 0;
}

/* A2.2: a lost tail is found by the probe after two round trips and 2 ms, not by the timeout. */
static void a_lost_tail_is_found_by_the_probe(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0, 20000);
    p->lose = lose_last_once;
    ho_tp_send(p, &p->a, 5 * 1448 + 480);
    ho_tp_run_ms(p, 400);

    assert_int_equal(ho_tp_recv(p, &p->b, 65536), 5 * 1448 + 480);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_LOSS_PROBES], 1);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_TIMEOUTS], 0);
    ho_tp_free(p);
}

/* A2.2: off, the timeout has to do it: 0.205, 0.63, 1.46, 3.13. */
static void without_the_probe_the_timeouts_are_those_measured(void **state)
{
    (void)state;
    static const int64_t ms[] = { 0, 205, 630, 1460, 3130 };
    struct ho_tp *p = open_pair(250, 1000);
    p->a.sys.v[HO_SYSCTL_TCP_EARLY_RETRANS] = 0;
    p->a.cut = true;
    ho_tp_send(p, &p->a, 1000);
    ho_tp_run_ms(p, 4000);

    assert_int_equal(p->n_sent, 5);
    for (size_t i = 0; i < 5; i++) {
        ho_tp_near_ms(ho_time_since(p->sent[i].at, p->sent[0].at), ms[i], 130);
    }
    ho_tp_free(p);
}

/* A2.2: with the probe: 0, .206, .414, .838, 1.67, 3.34. */
static void with_the_probe_the_timeouts_are_those_measured(void **state)
{
    (void)state;
    static const int64_t ms[] = { 0, 206, 414, 838, 1670, 3340 };
    struct ho_tp *p = open_pair(250, 1000);
    p->a.cut = true;
    ho_tp_send(p, &p->a, 1000);
    ho_tp_run_ms(p, 4000);

    assert_int_equal(p->n_sent, 6);
    for (size_t i = 0; i < 6; i++) {
        ho_tp_near_ms(ho_time_since(p->sent[i].at, p->sent[0].at), ms[i], 130);
    }
    ho_tp_free(p);
}

/* Row 4, bulk: a cut of 1 s; all that was lost is acknowledged within about 3 round trips of the
 * first new delivery.
 */
static void a_bulk_stream_refills_in_three_round_trips(void **state)
{
    (void)state;
    static const uint8_t bytes[60000];
    struct ho_tp *p = open_pair(250, 20000);
    struct ho_time end = ho_time_add(p->now, ho_s(3));
    while (ho_time_before(p->now, end)) {
        (void)ho_tcp_send(&p->a.env, &p->a.c, bytes, sizeof(bytes), p->now);
        ho_tp_run_ms(p, 5);
        (void)ho_tp_recv(p, &p->b, 65536);
    }
    struct ho_seq lost_to = p->a.c.snd_nxt;
    p->a.cut = true;
    p->b.cut = true;
    ho_tp_run_ms(p, 1000);
    p->a.cut = false;
    p->b.cut = false;
    struct ho_seq una = p->a.c.snd_una;
    while (ho_seq_eq(p->a.c.snd_una, una)) {
        ho_tp_run_ms(p, 1);
        (void)ho_tp_recv(p, &p->b, 65536);
    }
    struct ho_time from = p->now;
    while (ho_seq_before(p->a.c.snd_una, lost_to)) {
        ho_tp_run_ms(p, 1);
        while (ho_tp_recv(p, &p->b, 65536) > 0) {
        }
    }
    assert_in_range(ho_tp_ms(p, from), 0, 185);
    ho_tp_free(p);
}

/* Row 4 (TCPLossUndo=1): after a timeout the ACK echoes the timestamp of the original: it had
 * arrived, and the windows are put back (RFC 3522). An echo of the repeat leaves them.
 */
static void a_spurious_timeout_is_undone(void **state)
{
    (void)state;
    for (int spurious = 0; spurious < 2; spurious++) {
        struct ho_tp *p = open_pair(0, 1000);
        p->a.sys.v[HO_SYSCTL_TCP_EARLY_RETRANS] = 0;
        p->a.cut = true;
        ho_tp_send(p, &p->a, 5 * (size_t)1448);
        ho_tp_drain(p, &p->a);
        struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
        ho_tp_run_ms(p, 250);
        assert_int_equal(p->a.env.count[HO_TCP_COUNT_TIMEOUTS], 1);
        assert_int_equal(tcp_cwnd(&p->a.c), 1);
        s.ack = p->a.c.snd_una.v + 1448;
        if (spurious == 0) {
            s.ts_ecr = ho_tcp_ts_now(&p->a.path, p->a.last_sent);
        }
        ho_tp_inject(p, &p->a, &s);

        assert_int_equal(p->a.env.count[HO_TCP_COUNT_LOSS_UNDO], spurious);
        assert_int_equal(tcp_cwnd(&p->a.c) >= 10, spurious == 1);
        assert_int_equal(tcp_ssthresh(&p->a.c) == TCP_SSTHRESH_UNSET, spurious == 1);
        ho_tp_free(p);
    }
}

/* RFC 2018 8: a report at snd_una, or a peer that takes its reports back, loses no data. */
static void a_peer_that_takes_its_sacks_back_gets_the_data_again(void **state)
{
    (void)state;
    struct ho_tp *p = open_pair(0, 1000);
    p->a.cut = true;
    ho_tp_send(p, &p->a, 4 * (size_t)1448);
    ho_tp_drain(p, &p->a);
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.ack = p->a.c.snd_una.v;
    s.n_sack = 1;
    s.sack[0] = (struct ho_tcp_sack){ s.ack, s.ack + 1448 };
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.c.work->sacked_out, 0);
    s.sack[0] = (struct ho_tcp_sack){ s.ack + 1448, s.ack + 4 * 1448 };
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.c.work->sacked_out, 3);
    s.n_sack = 0;
    s.ack += 1448; /* the first arrives, the rest was thrown away */
    ho_tp_inject(p, &p->a, &s);
    p->a.cut = false;
    p->lose = NULL;
    ho_tp_run_ms(p, 300);

    assert_int_equal(p->a.c.work != NULL ? p->a.c.work->sacked_out : 0, 0);
    ho_tp_free(p);
}

/* ---- congestion windows
 * ------------------------------------------------------------------------------------ */

/* cwnd segments are acknowledged, one round trip after they were sent. */
static void acked_window(struct ho_tp *p, struct ho_tcp *c, int64_t rtt_ms)
{
    uint32_t n = tcp_cwnd(c);

    p->now = ho_time_add(p->now, ho_ms(rtt_ms));
    for (uint32_t i = 0; i < n; i++) {
        tcp_cc_acked(&p->a.env, c, 1, p->now);
    }
}

static struct ho_tp *congested(int64_t which, uint32_t cwnd)
{
    struct ho_tp *p = open_pair(0, 50000);

    p->a.sys.v[HO_SYSCTL_TCP_CONGESTION_CONTROL] = which;
    assert_non_null(tcp_work(&p->a.env, &p->a.c));
    p->a.c.work->cwnd_limited = true;
    p->a.c.work->max_packets_out = 100000;
    tcp_set_cwnd(&p->a.env, &p->a.c, cwnd);
    tcp_set_ssthresh(&p->a.env, &p->a.c, tcp_cc_ssthresh(&p->a.env, &p->a.c));
    tcp_set_cwnd(&p->a.env, &p->a.c, tcp_ssthresh(&p->a.c));
    return p;
}

/* RFC 5681 3.1: half after a loss, then one segment a round trip; slow start doubles. */
static void reno_halves_and_grows_by_one(void **state)
{
    (void)state;
    struct ho_tp *p = congested(HO_CONGESTION_RENO, 100);
    assert_int_equal(tcp_cwnd(&p->a.c), 50);
    for (int i = 0; i < 10; i++) {
        acked_window(p, &p->a.c, 100);
    }
    assert_in_range(tcp_cwnd(&p->a.c), 59, 60);
    tcp_set_ssthresh(&p->a.env, &p->a.c, 1000);
    tcp_set_cwnd(&p->a.env, &p->a.c, 10);
    acked_window(p, &p->a.c, 100);
    assert_int_equal(tcp_cwnd(&p->a.c), 20);
    ho_tp_free(p);
}

/* RFC 9438 4.2, 4.6: after a loss at W_max = 100 cwnd is 70 (0.7), K = cbrt(30 / 0.4) = 4.217 s,
 * W(t) = 0.4 (t - K)^3 + 100: W(1) = 86.7, W(2) = 95.6, W(4) = 100.0, W(6) = 102.3, W(8) = 121.6.
 */
static void cubic_follows_its_curve(void **state)
{
    (void)state;
    static const struct {
        int tenths;
        uint32_t cwnd;
    } curve[] = { { 10, 87 }, { 20, 96 }, { 40, 100 }, { 80, 122 } };
    struct ho_tp *p = congested(HO_CONGESTION_CUBIC, 100);
    assert_in_range(tcp_cwnd(&p->a.c), 69, 70);
    int tenth = 0;

    for (size_t i = 0; i < sizeof(curve) / sizeof(curve[0]); i++) {
        for (; tenth < curve[i].tenths; tenth++) {
            acked_window(p, &p->a.c, 100);
        }
        assert_in_range(tcp_cwnd(&p->a.c), curve[i].cwnd - 4, curve[i].cwnd + 4);
    }
    assert_in_range(p->a.c.cc->k, 4217 * 1024 / 1000 - 60, 4217 * 1024 / 1000 + 60);
    ho_tp_free(p);
}

/* RFC 9438 4.7: a loss below the last maximum lowers the maximum to cwnd * (1 + 0.7) / 2. */
static void cubic_gives_way_below_its_last_maximum(void **state)
{
    (void)state;
    struct ho_tp *p = congested(HO_CONGESTION_CUBIC, 100);
    tcp_set_cwnd(&p->a.env, &p->a.c, 80);
    uint32_t next = tcp_cc_ssthresh(&p->a.env, &p->a.c);

    assert_in_range(next, 55, 56);
    assert_in_range(p->a.c.cc->w_max, 67, 68);
    ho_tp_free(p);
}

/* RFC 9438 4.3: on a short path CUBIC is no slower than Reno: 3 (1 - b) / (1 + b) = 0.53 a round
 * trip. */
static void cubic_is_no_slower_than_reno(void **state)
{
    (void)state;
    struct ho_tp *p = congested(HO_CONGESTION_CUBIC, 20);
    p->a.c.srtt_us = 2000 << 3;
    uint32_t from = tcp_cwnd(&p->a.c);
    for (int i = 0; i < 100; i++) {
        acked_window(p, &p->a.c, 2);
    }
    assert_in_range(tcp_cwnd(&p->a.c) - from, 45, 60);
    ho_tp_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nagle_holds_a_small_segment_until_the_last_was_acked),
        cmocka_unit_test(nodelay_sends_each_write_and_cork_none),
        cmocka_unit_test(a_cork_holds_for_200_ms),
        cmocka_unit_test(the_first_window_is_ten_segments),
        cmocka_unit_test(a_closed_window_is_probed_for_ever),
        cmocka_unit_test(a_silent_closed_window_dies_by_the_count),
        cmocka_unit_test(a_byte_read_opens_no_window),
        cmocka_unit_test(a_lost_window_update_is_found_by_the_next_probe),
        cmocka_unit_test(an_ack_is_quick_at_first_and_waits_when_the_ends_take_turns),
        cmocka_unit_test(every_second_full_segment_is_acknowledged),
        cmocka_unit_test(data_carries_the_ack_that_waits),
        cmocka_unit_test(sack_blocks_name_the_latest_first),
        cmocka_unit_test(a_duplicate_out_of_order_is_a_dsack_inside_its_block),
        cmocka_unit_test(the_first_timeout_is_that_of_a2),
        cmocka_unit_test(the_timeout_falls_toward_400_ms_at_200_ms),
        cmocka_unit_test(one_lost_segment_is_repaired_in_a_round_trip),
        cmocka_unit_test(a_lost_tail_is_found_by_the_probe),
        cmocka_unit_test(without_the_probe_the_timeouts_are_those_measured),
        cmocka_unit_test(with_the_probe_the_timeouts_are_those_measured),
        cmocka_unit_test(a_bulk_stream_refills_in_three_round_trips),
        cmocka_unit_test(a_spurious_timeout_is_undone),
        cmocka_unit_test(a_peer_that_takes_its_sacks_back_gets_the_data_again),
        cmocka_unit_test(reno_halves_and_grows_by_one),
        cmocka_unit_test(cubic_follows_its_curve),
        cmocka_unit_test(cubic_gives_way_below_its_last_maximum),
        cmocka_unit_test(cubic_is_no_slower_than_reno),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
