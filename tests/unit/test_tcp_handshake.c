/* Opening: SYN and its repeats, both at once, what answers a SYN, and requests at a listener.
 * Times are ground-truth rows 8d, 10 and 11 (HZ=250), or follow from A1 without the wheel (HZ 0).
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/tcp_pair.h"

static void connect_a(struct ho_tp *p)
{
    assert_int_equal(ho_tcp_connect(&p->a.env, &p->a.c, p->now), 0);
    ho_tp_drain(p, &p->a);
}

static void assert_sent_at(const struct ho_tp *p, const int64_t *ms, size_t n, int64_t tolerance_ms)
{
    assert_int_equal(p->n_sent, n);
    for (size_t i = 0; i < n; i++) {
        ho_tp_near_ms(ho_time_since(p->sent[i].at, p->sent[0].at), ms[i], tolerance_ms);
    }
}

/* ---- SYN ----------------------------------------------------------------------------------------
 */

/* Row 10, ideal: 0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67, given up at 131 s. */
static void a_syn_is_repeated_linearly_four_times_then_doubles(void **state)
{
    (void)state;
    static const int64_t ms[] = {
        0, 1000, 2000, 3000, 4000, 5000, 7000, 11000, 19000, 35000, 67000
    };
    struct ho_tp *p = ho_tp_new(0, 1000);
    p->a.cut = true;
    connect_a(p);
    struct ho_dur d = ho_tp_until_dead(p, &p->a, 200);

    assert_sent_at(p, ms, 11, 0);
    ho_tp_near_ms(d, 131000, 0);
    assert_int_equal(ho_tcp_take_error(&p->a.c), ETIMEDOUT);
    assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_SYN_RETRIES);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_SYN_RETRANS], 10);
    ho_tp_free(p);
}

/* Row 10, measured with the wheel: 69.4 s for the last SYN, 134.9 s. */
static void a_syn_gives_up_as_measured_with_the_wheel(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    p->a.cut = true;
    connect_a(p);
    ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 200), 134900, 1500);
    assert_int_equal(p->a.sent, 11);
    ho_tp_free(p);
}

/* Row 10: linear_timeouts=0: 0, 1, 3, 7, 15, 31, 63, given up at 127 s. */
static void without_linear_timeouts_a_syn_doubles_from_the_first(void **state)
{
    (void)state;
    static const int64_t ms[] = { 0, 1000, 3000, 7000, 15000, 31000, 63000 };
    struct ho_tp *p = ho_tp_new(0, 1000);
    p->a.sys.v[HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS] = 0;
    p->a.cut = true;
    connect_a(p);
    struct ho_dur d = ho_tp_until_dead(p, &p->a, 200);

    assert_sent_at(p, ms, 7, 0);
    ho_tp_near_ms(d, 127000, 0);
    ho_tp_free(p);
}

/* Row 10: tcp_syn_retries=2, or TCP_SYNCNT=2: 6 SYNs, 7.12 s; 1: 3 SYNs, 3.07 s; with
 * 2 retries and linear_timeouts=0 7.11 s. The time 2^(n+1) - 1 s counts from the first SYN.
 */
static void syn_retries_and_syncnt_end_a_connect(void **state)
{
    (void)state;
    static const struct {
        int64_t retries, linear;
        uint8_t syncnt;
        unsigned syns;
        int64_t ms;
    } cases[] = {
        { 2, 4, 0, 6, 7120 }, { 6, 4, 2, 6, 7120 }, { 1, 4, 0, 3, 3070 }, { 2, 0, 0, 3, 7110 }
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_tp *p = ho_tp_new(250, 1000);
        p->a.sys.v[HO_SYSCTL_TCP_SYN_RETRIES] = cases[i].retries;
        p->a.sys.v[HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS] = cases[i].linear;
        p->a.opts->syncnt = cases[i].syncnt;
        p->a.cut = true;
        connect_a(p);
        ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 20), cases[i].ms, 200);
        assert_int_equal(p->a.sent, cases[i].syns);
        ho_tp_free(p);
    }
}

/* Row 10: UT 3000: 3.03 s, UT 10000: 10.25 s. */
static void user_timeout_ends_a_connect(void **state)
{
    (void)state;
    static const struct {
        uint32_t ut;
        int64_t ms;
    } cases[] = { { 3000, 3030 }, { 10000, 10250 } };

    for (size_t i = 0; i < 2; i++) {
        struct ho_tp *p = ho_tp_new(250, 1000);
        p->a.opts->user_timeout_ms = cases[i].ut;
        p->a.cut = true;
        connect_a(p);
        ho_tp_near_ms(ho_tp_until_dead(p, &p->a, 20), cases[i].ms, 256); /* A1: one granule */
        assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_USER_TIMEOUT);
        ho_tp_free(p);
    }
}

/* RFC 9293 3.10.7.3: RST,ACK of our SYN refuses; row 10: ECONNREFUSED. */
static void a_reset_in_syn_sent_refuses(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    connect_a(p);
    struct ho_wire_tcp rst = ho_tp_seg(p, &p->a);
    rst.flags = HO_TCP_RST | HO_TCP_ACK;

    assert_false(ho_tp_inject(p, &p->a, &rst));
    assert_true(ho_tcp_is_dead(&p->a.c));
    assert_int_equal(ho_tcp_take_error(&p->a.c), ECONNREFUSED);
    assert_int_equal(ho_tcp_take_error(&p->a.c), 0);
    assert_int_equal(p->a.rsts, 0);
    ho_tp_free(p);
}

/* RFC 9293 3.10.7.3: a RST without ACK, or of another's SYN, is dropped. */
static void a_blind_reset_in_syn_sent_is_dropped(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    connect_a(p);
    struct ho_wire_tcp rst = ho_tp_seg(p, &p->a);
    rst.flags = HO_TCP_RST;

    assert_false(ho_tp_inject(p, &p->a, &rst));
    assert_int_equal(p->a.c.state, HO_TCP_SYN_SENT);
    rst.flags = HO_TCP_RST | HO_TCP_ACK;
    rst.ack++;
    assert_false(ho_tp_inject(p, &p->a, &rst)); /* a RST is never answered */
    assert_int_equal(p->a.c.state, HO_TCP_SYN_SENT);
    ho_tp_free(p);
}

/* Row 8d: a challenge ACK is answered by RST and the SYN goes again after two jiffies (8 ms). */
static void a_stray_ack_in_syn_sent_brings_a_reset_and_a_quick_syn(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    p->a.cut = true;
    connect_a(p);
    struct ho_wire_tcp ack = ho_tp_seg(p, &p->a);
    ack.ack += 12345;
    ho_tp_run_ms(p, 2);

    assert_true(ho_tp_inject(p, &p->a, &ack));
    ho_tp_run_ms(p, 50);
    assert_int_equal(p->a.sent, 2);
    ho_tp_near_ms(ho_time_since(p->sent[1].at, p->sent[0].at), 12, 4);
    ho_tp_free(p);
}

/* The quick SYN is for the first SYN only: after a repeat the timer stands. */
static void a_stray_ack_after_a_repeat_does_not_hurry_the_syn(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    p->a.cut = true;
    connect_a(p);
    ho_tp_run_ms(p, 1200);
    assert_int_equal(p->a.sent, 2);
    struct ho_wire_tcp ack = ho_tp_seg(p, &p->a);
    ack.ack += 12345;

    assert_true(ho_tp_inject(p, &p->a, &ack));
    ho_tp_run_ms(p, 500);
    assert_int_equal(p->a.sent, 2);
    ho_tp_free(p);
}

static struct ho_wire_tcp synack_for(const struct ho_tp *p)
{
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);

    s.flags = HO_TCP_SYN | HO_TCP_ACK;
    s.seq = 1000;
    s.window = 65160;
    s.has_mss = true;
    s.mss = 1460;
    s.has_ts = true;
    s.ts_val = 5000;
    s.ts_ecr = ho_tcp_ts_now(&p->a.path, p->now);
    return s;
}

/* RFC 7323 5.2 and Linux: an echo of a time at which no SYN was sent is no answer to ours. */
static void a_syn_ack_with_an_impossible_echo_is_reset(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    p->a.cut = true;
    connect_a(p);
    ho_tp_run_ms(p, 10);
    struct ho_wire_tcp s = synack_for(p);
    s.ts_ecr -= 500;

    assert_true(ho_tp_inject(p, &p->a, &s));
    assert_int_equal(p->a.c.state, HO_TCP_SYN_SENT);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_PAWS_ACTIVE], 1);
    s = synack_for(p);
    assert_false(ho_tp_inject(p, &p->a, &s));
    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    ho_tp_free(p);
}

/* RFC 7323 2.2: without the option from the peer neither direction is scaled; RFC 9293 3.7.1:
 * without an MSS option 536 bytes; without timestamps no 12 bytes are taken off.
 */
static void options_that_the_peer_does_not_offer_are_not_used(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    connect_a(p);
    assert_true(ho_tp_last(p, &p->a)->has_wscale);
    assert_true(ho_tp_last(p, &p->a)->sack_ok);
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.flags = HO_TCP_SYN | HO_TCP_ACK;
    s.window = 8000;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    assert_int_equal(p->a.c.mss, 536);
    assert_int_equal(p->a.c.flags & (TCP_F_TS | TCP_F_SACK | TCP_F_WSCALE), 0);
    assert_int_equal(p->a.c.snd_wscale, 0);
    assert_int_equal(p->a.c.rcv_wscale, 0);
    assert_int_equal(p->a.c.snd_wnd, 8000);
    assert_false(ho_tp_last(p, &p->a)->has_ts);
    ho_tp_free(p);
}

/* RFC 7323 2.2: the window in a SYN is not scaled, later ones are. */
static void the_window_of_a_syn_is_not_scaled(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    connect_a(p);
    struct ho_wire_tcp s = synack_for(p);
    s.has_wscale = true;
    s.wscale = 7;
    ho_tp_inject(p, &p->a, &s);
    assert_int_equal(p->a.c.snd_wnd, 65160);
    struct ho_wire_tcp ack = ho_tp_seg(p, &p->a);
    ack.window = 600;
    ho_tp_inject(p, &p->a, &ack);

    assert_int_equal(p->a.c.snd_wnd, 600 << 7);
    ho_tp_free(p);
}

/* ---- both at once (RFC 9293 3.5, figure 8) ------------------------------------------------------
 */

static void both_connect(struct ho_tp *p)
{
    assert_int_equal(ho_tcp_connect(&p->a.env, &p->a.c, p->now), 0);
    assert_int_equal(ho_tcp_connect(&p->b.env, &p->b.c, p->now), 0);
}

static void two_syns_that_cross_make_one_connection(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 5000);
    both_connect(p);
    ho_tp_run_ms(p, 6);
    assert_int_equal(p->a.c.state, HO_TCP_SYN_RECV);
    assert_int_equal(p->b.c.state, HO_TCP_SYN_RECV);
    assert_int_equal(ho_tp_last(p, &p->a)->flags, HO_TCP_SYN | HO_TCP_ACK);
    ho_tp_run_ms(p, 100);

    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    assert_int_equal(p->b.c.state, HO_TCP_ESTABLISHED);
    ho_tp_send(p, &p->a, 3000);
    ho_tp_send(p, &p->b, 500);
    ho_tp_run_ms(p, 100);
    assert_int_equal(ho_tp_recv(p, &p->b, 65536), 3000);
    assert_int_equal(ho_tp_recv(p, &p->a, 65536), 500);
    ho_tp_free(p);
}

/* A window is computed before any segment was measured. */
static void two_syns_that_cross_without_options_survive_a_stray_segment(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 5000);
    p->a.sys.v[HO_SYSCTL_TCP_WINDOW_SCALING] = 0;
    p->a.sys.v[HO_SYSCTL_TCP_TIMESTAMPS] = 0;
    both_connect(p);
    ho_tp_run_ms(p, 6);
    assert_int_equal(p->a.c.state, HO_TCP_SYN_RECV);
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.seq -= 100000;
    s.payload_len = 10;
    ho_tp_inject(p, &p->a, &s);

    assert_int_equal(ho_tp_last(p, &p->a)->flags, HO_TCP_ACK);
    assert_int_equal(p->a.c.state, HO_TCP_SYN_RECV);
    ho_tp_run_ms(p, 100);
    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    ho_tp_free(p);
}

/* RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: "If the segment acknowledgment is not acceptable, form a
 * reset segment". Linux: the same, keeping the connection.
 */
static void an_ack_of_something_else_in_syn_received_is_reset(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 5000);
    both_connect(p);
    ho_tp_run_ms(p, 6);
    assert_int_equal(p->a.c.state, HO_TCP_SYN_RECV);
    struct ho_wire_tcp s = ho_tp_seg(p, &p->a);
    s.ack += 1000;

    assert_true(ho_tp_inject(p, &p->a, &s));
    assert_int_equal(p->a.c.state, HO_TCP_SYN_RECV);
    ho_tp_free(p);
}

/* ---- requests (row 11)
 * --------------------------------------------------------------------------- */

static struct ho_wire_tcp syn_of_a(struct ho_tp *p)
{
    connect_a(p);
    return *ho_tp_last(p, &p->a);
}

static void request(struct ho_tp *p, struct ho_tcp_req *r, const struct ho_wire_tcp *syn)
{
    ho_tcp_req_init(&p->b.env, r, &p->b.path, p->b.opts, syn, p->now);
}

static struct ho_wire_tcp written(struct ho_tp *p, struct ho_buf *b)
{
    struct ho_wire_tcp seg;
    size_t header;

    assert_non_null(b);
    assert_int_equal(ho_wire_tcp_read(&seg, &header, ho_buf_bytes(b), b->len), 0);
    ho_buf_put(&p->bufs, b);
    return seg;
}

static void request_times(uint32_t hz, int64_t retries, uint8_t syncnt, const int64_t *ms, size_t n,
                          int64_t tolerance_ms)
{
    struct ho_tp *p = ho_tp_new(hz, 1000);
    struct ho_tcp_req r;
    struct ho_wire_tcp syn = syn_of_a(p);
    p->b.sys.v[HO_SYSCTL_TCP_SYNACK_RETRIES] = retries;
    p->b.opts->syncnt = syncnt;
    request(p, &r, &syn);
    struct ho_time from = p->now;

    for (size_t i = 0; i < n; i++) {
        p->now = ho_due_time(r.deadline);
        ho_tp_near_ms(ho_time_since(p->now, from), ms[i], tolerance_ms);
        enum ho_tcp_req_do what = ho_tcp_req_tick(&p->b.env, &r, p->now);
        assert_int_equal(what, i + 1 < n ? HO_TCP_REQ_SYNACK : HO_TCP_REQ_DROP);
    }
    ho_tp_free(p);
}

/* Row 11: SYN-ACK at 0, 1, 3, 7, 15, 31 s; the request is gone at 63 s (64 with the wheel). */
static void a_syn_ack_doubles_from_the_first_and_is_given_up(void **state)
{
    (void)state;
    static const int64_t ideal[] = { 1000, 3000, 7000, 15000, 31000, 63000 };
    static const int64_t wheel[] = { 1010, 3030, 7180, 15300, 31400, 64000 };
    static const int64_t two[] = { 1000, 3000, 7000 };

    request_times(0, 5, 0, ideal, 6, 0);
    request_times(250, 5, 0, wheel, 6, 2048); /* A1: one granule */
    request_times(0, 2, 0, two, 3, 0);
    request_times(0, 5, 2, two, 3, 0); /* TCP_SYNCNT of the listener goes first */
}

static void a_request_answers_with_what_both_offer(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    struct ho_tcp_req r;
    struct ho_wire_tcp syn = syn_of_a(p);
    p->b.sys.v[HO_SYSCTL_TCP_SACK] = 0;
    request(p, &r, &syn);
    struct ho_wire_tcp s = written(p, ho_tcp_req_synack(&p->b.env, &r, p->now));

    assert_int_equal(s.flags, HO_TCP_SYN | HO_TCP_ACK);
    assert_int_equal(s.ack, syn.seq + 1);
    assert_false(s.sack_ok);
    assert_true(s.has_ts);
    assert_int_equal(s.ts_ecr, syn.ts_val);
    assert_true(s.has_wscale);
    syn.has_wscale = false;
    syn.has_ts = false;
    request(p, &r, &syn);
    s = written(p, ho_tcp_req_synack(&p->b.env, &r, p->now));
    assert_false(s.has_wscale);
    assert_false(s.has_ts);
    ho_tp_free(p);
}

/* Linux tcp_check_req: the SYN again is answered by the SYN-ACK again, at most one in
 * tcp_invalid_ratelimit (500 ms).
 */
static void a_repeated_syn_brings_the_syn_ack_again(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    struct ho_tcp_req r;
    struct ho_wire_tcp syn = syn_of_a(p);
    request(p, &r, &syn);

    p->now = ho_time_add(p->now, ho_ms(900));
    assert_int_equal(ho_tcp_req_input(&p->b.env, &r, &syn, p->now), HO_TCP_REQ_SYNACK);
    ho_tp_near_ms(ho_time_since(ho_due_time(r.deadline), p->now), 1010,
                  30); /* the timer starts again */
    p->now = ho_time_add(p->now, ho_ms(100));
    assert_int_equal(ho_tcp_req_input(&p->b.env, &r, &syn, p->now), HO_TCP_REQ_NOTHING);
    p->now = ho_time_add(p->now, ho_ms(450));
    assert_int_equal(ho_tcp_req_input(&p->b.env, &r, &syn, p->now), HO_TCP_REQ_SYNACK);
    ho_tp_free(p);
}

static struct ho_wire_tcp last_ack(const struct ho_tcp_req *r, const struct ho_wire_tcp *syn)
{
    return (struct ho_wire_tcp){
        .sport = syn->sport,
        .dport = syn->dport,
        .seq = syn->seq + 1,
        .ack = r->iss.v + 1,
        .flags = HO_TCP_ACK,
        .window = 500,
        .has_ts = true,
        .ts_val = syn->ts_val,
        .ts_ecr = 0,
    };
}

/* RFC 9293 3.10.7.4 for SYN-RECEIVED, as Linux's requests have it. */
static void a_request_judges_segments_by_the_rfc(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    struct ho_tcp_req r;
    struct ho_wire_tcp syn = syn_of_a(p), s;
    struct ho_tcp_env *env = &p->b.env;
    request(p, &r, &syn);
    (void)written(p, ho_tcp_req_synack(env, &r, p->now));

    s = last_ack(&r, &syn);
    s.ack++;
    assert_int_equal(ho_tcp_req_input(env, &r, &s, p->now), HO_TCP_REQ_RESET);
    s.flags |= HO_TCP_RST;
    assert_int_equal(ho_tcp_req_input(env, &r, &s, p->now), HO_TCP_REQ_NOTHING);
    s = last_ack(&r, &syn);
    s.seq += 200000; /* beyond the window: an ACK tells where we are */
    assert_int_equal(ho_tcp_req_input(env, &r, &s, p->now), HO_TCP_REQ_ACK);
    assert_int_equal(ho_tcp_req_input(env, &r, &s, p->now), HO_TCP_REQ_NOTHING); /* one in 500 ms */
    s.flags = HO_TCP_RST;
    assert_int_equal(ho_tcp_req_input(env, &r, &s, p->now), HO_TCP_REQ_NOTHING);
    s = last_ack(&r, &syn);
    s.flags = 0;
    assert_int_equal(ho_tcp_req_input(env, &r, &s, p->now), HO_TCP_REQ_NOTHING);
    s = last_ack(&r, &syn);
    s.ts_val -= 10; /* RFC 7323 5.3: old */
    p->now = ho_time_add(p->now, ho_ms(600));
    assert_int_equal(ho_tcp_req_input(env, &r, &s, p->now), HO_TCP_REQ_ACK);
    s = last_ack(&r, &syn);
    assert_int_equal(ho_tcp_req_input(env, &r, &s, p->now), HO_TCP_REQ_ESTABLISH);
    s.flags = HO_TCP_RST;
    assert_int_equal(ho_tcp_req_input(env, &r, &s, p->now), HO_TCP_REQ_DROP);
    ho_tp_free(p);
}

/* RFC 5961 4.2 reads otherwise for connections; for a request Linux drops it (tcp_check_req). */
static void another_syn_in_the_window_ends_a_request(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    struct ho_tcp_req r;
    struct ho_wire_tcp syn = syn_of_a(p), s;
    request(p, &r, &syn);
    s = syn;
    s.seq += 1000;

    assert_int_equal(ho_tcp_req_input(&p->b.env, &r, &s, p->now), HO_TCP_REQ_DROP);
    ho_tp_free(p);
}

/* RFC 6298 3 (Karn): the round trip of a repeated SYN-ACK is not a sample. */
static void a_repeated_syn_ack_gives_no_round_trip_sample(void **state)
{
    (void)state;
    for (int repeated = 0; repeated < 2; repeated++) {
        struct ho_tp *p = ho_tp_new(250, 1000);
        struct ho_tcp_req r;
        struct ho_wire_tcp syn = syn_of_a(p);
        request(p, &r, &syn);
        (void)written(p, ho_tcp_req_synack(&p->b.env, &r, p->now));
        if (repeated == 1) {
            p->now = ho_due_time(r.deadline);
            assert_int_equal(ho_tcp_req_tick(&p->b.env, &r, p->now), HO_TCP_REQ_SYNACK);
            (void)written(p, ho_tcp_req_synack(&p->b.env, &r, p->now));
        }
        p->now = ho_time_add(p->now, ho_ms(30));
        ho_tcp_req_child(&p->b.env, &r, &p->b.c, p->now);
        assert_int_equal(p->b.c.srtt_us >> 3, repeated == 1 ? 0 : 30000);
        ho_tp_free(p);
    }
}

/* ---- segments for nobody (RFC 9293 3.10.7.1)
 * ----------------------------------------------------- */

static void a_segment_for_nobody_is_reset_as_the_rfc_says(void **state)
{
    (void)state;
    struct ho_wire_tcp in = {
        .sport = 7, .dport = 9, .seq = 100, .ack = 5000, .flags = HO_TCP_ACK, .payload_len = 10
    };
    struct ho_wire_tcp out;

    assert_true(ho_tcp_reset_for(&in, &out));
    assert_int_equal(out.flags, HO_TCP_RST); /* no ACK bit: ground-truth row 5 */
    assert_int_equal(out.seq, 5000);
    assert_int_equal(out.sport, 9);
    assert_int_equal(out.dport, 7);
    in.flags = HO_TCP_SYN | HO_TCP_FIN;
    assert_true(ho_tcp_reset_for(&in, &out));
    assert_int_equal(out.flags, HO_TCP_RST | HO_TCP_ACK);
    assert_int_equal(out.seq, 0);
    assert_int_equal(out.ack, 112);
    in.flags = HO_TCP_RST;
    assert_false(ho_tcp_reset_for(&in, &out));
}

/* RFC 6528: the same four-tuple moves on with the clock, another one is elsewhere. */
static void initial_sequence_numbers_depend_on_tuple_secret_and_time(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    struct ho_tcp_env *env = &p->a.env;
    uint32_t one = tcp_isn(env, &p->a.path, 1, 2, p->now).v;
    uint32_t later = tcp_isn(env, &p->a.path, 1, 2, ho_time_add(p->now, ho_us(64))).v;
    uint32_t other = tcp_isn(env, &p->a.path, 1, 3, p->now).v;
    env->secret.k[0]++;
    uint32_t secret = tcp_isn(env, &p->a.path, 1, 2, p->now).v;

    assert_int_equal(later - one, 1000); /* 64 us at a step each 64 ns, Linux's clock */
    assert_int_not_equal(one, other);
    assert_int_not_equal(one, secret);
    ho_tp_free(p);
}

/* Ground-truth row 10: an ICMP is fatal in SYN-SENT; outside of the sequence numbers it is not. */
static void icmp_ends_a_connect_at_once(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    p->a.cut = true;
    connect_a(p);
    ho_tcp_icmp(&p->a.env, &p->a.c, EHOSTUNREACH, false, p->a.c.snd_una.v - 1, p->now);
    assert_int_equal(p->a.c.state, HO_TCP_SYN_SENT);
    assert_int_equal(p->a.env.count[HO_TCP_COUNT_OUT_OF_WINDOW_ICMPS], 1);
    ho_tcp_icmp(&p->a.env, &p->a.c, EHOSTUNREACH, false, p->a.c.snd_una.v, p->now);

    assert_true(ho_tcp_is_dead(&p->a.c));
    assert_int_equal(ho_tcp_take_error(&p->a.c), EHOSTUNREACH);
    assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_ICMP);
    ho_tp_free(p);
}

static void a_connect_without_memory_stays_closed(void **state)
{
    (void)state;
    struct ho_tp *p = ho_tp_new(250, 1000);
    p->a.env.work.max = 0;

    assert_int_equal(ho_tcp_connect(&p->a.env, &p->a.c, p->now), -ENOMEM);
    assert_int_equal(p->a.c.state, HO_TCP_CLOSE);
    assert_false(ho_tcp_is_dead(&p->a.c));
    p->a.env.work.max = 16;
    p->a.env.skbs.max = 0;
    assert_int_equal(ho_tcp_connect(&p->a.env, &p->a.c, p->now), -ENOMEM);
    assert_int_equal(p->a.c.state, HO_TCP_CLOSE);
    p->a.env.skbs.max = 1000;
    assert_int_equal(ho_tcp_connect(&p->a.env, &p->a.c, p->now), 0);
    ho_tp_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syn_is_repeated_linearly_four_times_then_doubles),
        cmocka_unit_test(a_syn_gives_up_as_measured_with_the_wheel),
        cmocka_unit_test(without_linear_timeouts_a_syn_doubles_from_the_first),
        cmocka_unit_test(syn_retries_and_syncnt_end_a_connect),
        cmocka_unit_test(user_timeout_ends_a_connect),
        cmocka_unit_test(a_reset_in_syn_sent_refuses),
        cmocka_unit_test(a_blind_reset_in_syn_sent_is_dropped),
        cmocka_unit_test(a_stray_ack_in_syn_sent_brings_a_reset_and_a_quick_syn),
        cmocka_unit_test(a_stray_ack_after_a_repeat_does_not_hurry_the_syn),
        cmocka_unit_test(a_syn_ack_with_an_impossible_echo_is_reset),
        cmocka_unit_test(options_that_the_peer_does_not_offer_are_not_used),
        cmocka_unit_test(the_window_of_a_syn_is_not_scaled),
        cmocka_unit_test(two_syns_that_cross_make_one_connection),
        cmocka_unit_test(two_syns_that_cross_without_options_survive_a_stray_segment),
        cmocka_unit_test(an_ack_of_something_else_in_syn_received_is_reset),
        cmocka_unit_test(a_syn_ack_doubles_from_the_first_and_is_given_up),
        cmocka_unit_test(a_request_answers_with_what_both_offer),
        cmocka_unit_test(a_repeated_syn_brings_the_syn_ack_again),
        cmocka_unit_test(a_request_judges_segments_by_the_rfc),
        cmocka_unit_test(another_syn_in_the_window_ends_a_request),
        cmocka_unit_test(a_repeated_syn_ack_gives_no_round_trip_sample),
        cmocka_unit_test(a_segment_for_nobody_is_reset_as_the_rfc_says),
        cmocka_unit_test(initial_sequence_numbers_depend_on_tuple_secret_and_time),
        cmocka_unit_test(icmp_ends_a_connect_at_once),
        cmocka_unit_test(a_connect_without_memory_stays_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
