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

#include "tcp/conn.h"

#define WIRE_MAX 4096

/* One end: a connection with an environment of its own. */
struct end {
    struct ho_tcp_env env;
    struct ho_tcp_path path;
    struct ho_tcp_opts *opts;
    struct ho_sysctls sys;
    struct ho_tcp c;
    bool cut; /* what it sends is lost */
    unsigned sent, rsts;
    struct ho_time last_sent;
};

struct pair {
    struct end a, b;
    struct ho_clk clk;
    struct ho_bufpool bufs;
    struct ho_time now;
    struct ho_dur delay;
    struct {
        struct ho_time at;
        struct end *to;
        struct ho_buf *b;
    } wire[WIRE_MAX];
    size_t first, count;
};

static void end_init(struct pair *p, struct end *e, uint8_t local, uint8_t remote, uint16_t lport,
                     uint16_t rport)
{
    ho_sysctls_init(&e->sys);
    e->env.clk = &p->clk;
    e->env.sys = &e->sys;
    e->env.bufs = &p->bufs;
    e->env.secret = (struct ho_sipkey){ { 1, local } };
    ho_tcp_env_init(&e->env, 16);
    e->path = (struct ho_tcp_path){
        .local = ho_addr_v4(10, 0, 0, local),
        .remote = ho_addr_v4(10, 0, 0, remote),
        .refs = 1,
        .mtu = 1500,
    };
    e->opts = ho_tcp_opts_new(&e->env);
    assert_non_null(e->opts);
    ho_tcp_init(&e->c, &e->path, e->opts, lport, rport);
}

static struct end *other(struct pair *p, struct end *e)
{
    return e == &p->a ? &p->b : &p->a;
}

static void drain(struct pair *p, struct end *e)
{
    struct ho_buf *b;

    while ((b = ho_tcp_output(&e->env, &e->c, p->now)) != NULL) {
        e->sent++;
        e->last_sent = p->now;
        e->rsts += (ho_buf_bytes(b)[13] & HO_TCP_RST) != 0 ? 1 : 0;
        if (e->cut) {
            ho_buf_put(&p->bufs, b);
            continue;
        }
        assert_true(p->count < WIRE_MAX);
        size_t i = (p->first + p->count++) % WIRE_MAX;
        p->wire[i].at = ho_time_add(p->now, p->delay);
        p->wire[i].to = other(p, e);
        p->wire[i].b = b;
    }
}

static void deliver(struct pair *p, struct end *to, struct ho_buf *b)
{
    struct ho_wire_tcp seg;
    size_t header;

    assert_int_equal(
        ho_wire_tcp_checksum(&to->path.remote, &to->path.local, ho_buf_bytes(b), b->len), 0);
    assert_int_equal(ho_wire_tcp_read(&seg, &header, ho_buf_bytes(b), b->len), 0);
    b->head = (uint16_t)(b->head + header);
    b->len = seg.payload_len;
    if (seg.payload_len == 0) {
        ho_buf_put(&p->bufs, b);
        b = NULL;
    }
    ho_tcp_input(&to->env, &to->c, &seg, b, p->now);
}

static struct ho_time next_event(const struct pair *p)
{
    struct ho_time t = ho_time_min(ho_tcp_deadline(&p->a.c), ho_tcp_deadline(&p->b.c));

    return p->count > 0 ? ho_time_min(t, p->wire[p->first].at) : t;
}

/* Lets time pass up to and including `until`. */
static void run(struct pair *p, struct ho_time until)
{
    drain(p, &p->a);
    drain(p, &p->b);
    while (next_event(p).ns <= until.ns && next_event(p).ns != HO_NEVER.ns) {
        p->now = next_event(p);
        while (p->count > 0 && p->wire[p->first].at.ns <= p->now.ns) {
            struct end *to = p->wire[p->first].to;
            struct ho_buf *b = p->wire[p->first].b;
            p->first = (p->first + 1) % WIRE_MAX;
            p->count--;
            deliver(p, to, b);
            drain(p, to);
        }
        ho_tcp_tick(&p->a.env, &p->a.c, p->now);
        ho_tcp_tick(&p->b.env, &p->b.c, p->now);
        drain(p, &p->a);
        drain(p, &p->b);
    }
    p->now = until;
}

static void run_for(struct pair *p, int64_t ms)
{
    run(p, ho_time_add(p->now, ho_ms(ms)));
}

/* Until `e` is closed; returns the time it took from now. */
static struct ho_dur run_until_dead(struct pair *p, struct end *e, int64_t at_most_s)
{
    struct ho_time from = p->now, limit = ho_time_add(p->now, ho_s(at_most_s));

    while (!ho_tcp_is_dead(&e->c)) {
        struct ho_time t = next_event(p);
        assert_true(t.ns <= limit.ns);
        run(p, t);
    }
    return ho_time_since(p->now, from);
}

/* b answers a's SYN by a request, as a listener does. */
static void establish(struct pair *p)
{
    struct ho_tcp_req req;
    struct ho_wire_tcp seg;
    size_t header;

    assert_int_equal(ho_tcp_connect(&p->a.env, &p->a.c, p->now), 0);
    struct ho_buf *syn = ho_tcp_output(&p->a.env, &p->a.c, p->now);
    assert_non_null(syn);
    assert_int_equal(ho_wire_tcp_read(&seg, &header, ho_buf_bytes(syn), syn->len), 0);
    ho_buf_put(&p->bufs, syn);
    p->now = ho_time_add(p->now, p->delay);
    ho_tcp_req_init(&p->b.env, &req, &p->b.path, p->b.opts, &seg, p->now);
    struct ho_buf *synack = ho_tcp_req_synack(&p->b.env, &req, p->now);
    assert_non_null(synack);
    p->now = ho_time_add(p->now, p->delay);
    deliver(p, &p->a, synack);
    struct ho_buf *ack = ho_tcp_output(&p->a.env, &p->a.c, p->now);
    assert_non_null(ack);
    p->now = ho_time_add(p->now, p->delay);
    assert_int_equal(ho_wire_tcp_read(&seg, &header, ho_buf_bytes(ack), ack->len), 0);
    ho_buf_put(&p->bufs, ack);
    assert_int_equal(ho_tcp_req_input(&p->b.env, &req, &seg, p->now), HO_TCP_REQ_ESTABLISH);
    ho_tcp_req_child(&p->b.env, &req, &p->b.c, p->now);
    ho_tcp_input(&p->b.env, &p->b.c, &seg, NULL, p->now);
    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    assert_int_equal(p->b.c.state, HO_TCP_ESTABLISHED);
    run_for(p, 0);
}

static struct pair *pair_new(uint32_t hz, int64_t delay_us)
{
    struct pair *p = test_calloc(1, sizeof(*p));

    p->clk = (struct ho_clk){ .hz = hz, .jiffies0 = 4294892796u };
    p->now = (struct ho_time){ HO_NS_PER_S };
    p->delay = ho_us(delay_us);
    ho_bufpool_init(&p->bufs, 100000);
    end_init(p, &p->a, 1, 2, 40000, 5000);
    end_init(p, &p->b, 2, 1, 5000, 40000);
    return p;
}

static void end_free(struct end *e)
{
    ho_tcp_destroy(&e->env, &e->c);
    ho_tcp_opts_put(&e->env, e->opts);
    assert_int_equal(e->env.work.used, 0);
    assert_int_equal(e->env.skbs.used, 0);
    ho_tcp_env_destroy(&e->env);
}

static void pair_free(struct pair *p)
{
    for (; p->count > 0; p->count--) {
        ho_buf_put(&p->bufs, p->wire[p->first].b);
        p->first = (p->first + 1) % WIRE_MAX;
    }
    end_free(&p->a);
    end_free(&p->b);
    assert_int_equal(p->bufs.large.used, 0);
    assert_int_equal(p->bufs.small.used, 0);
    ho_bufpool_destroy(&p->bufs);
    test_free(p);
}

static void send_bytes(struct pair *p, struct end *e, size_t len)
{
    static const uint8_t bytes[65536];

    assert_int_equal(ho_tcp_send(&e->env, &e->c, bytes, len, p->now), len);
}

static void assert_near_ms(struct ho_dur d, int64_t ms, int64_t tolerance_ms)
{
    int64_t got = d.ns / 1000000;

    if (got < ms - tolerance_ms || got > ms + tolerance_ms) {
        fail_msg("%lld ms, expected %lld +- %lld", (long long)got, (long long)ms,
                 (long long)tolerance_ms);
    }
}

/* ---- tests -------------------------------------------------------------------------------------
 */

static void an_idle_connection_has_no_timer(void **state)
{
    (void)state;
    struct pair *p = pair_new(250, 1000);
    establish(p);
    run_for(p, 1000);

    assert_int_equal(ho_tcp_deadline(&p->a.c).ns, HO_NEVER.ns);
    assert_null(p->a.c.work);
    assert_null(p->b.c.work);
    pair_free(p);
}

static void bytes_arrive_in_order_and_whole(void **state)
{
    (void)state;
    struct pair *p = pair_new(250, 20000);
    uint8_t out[3000], in[4096];
    size_t sent = 0, got = 0, total = 1000000;
    establish(p);

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
        run_for(p, 5);
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
    pair_free(p);
}

/* ground-truth row 3a, N=15, LAN: copies at 0, .206, .414, .838, 1.67, ... and ETIMEDOUT after
 * 937.8 s (937.8 to 939.7; virtual-kernel: 938.2 to 940.2).
 */
static void data_gives_up_by_time(void **state)
{
    (void)state;
    struct pair *p = pair_new(250, 1000);
    establish(p);
    run_for(p, 500);
    p->a.cut = true;
    p->b.cut = true;
    p->a.sent = 0;
    send_bytes(p, &p->a, 1000);

    struct ho_dur d = run_until_dead(p, &p->a, 1000);

    assert_near_ms(d, 938700, 1200);
    assert_int_equal(p->a.sent, 17); /* 1 + TLP + 15 */
    assert_int_equal(p->a.rsts, 0);
    assert_int_equal(ho_tcp_take_error(&p->a.c), ETIMEDOUT);
    assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_RETRIES2);
    pair_free(p);
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
        struct pair *p = pair_new(cases[i].hz, 1000);
        p->a.sys.v[HO_SYSCTL_TCP_RETRIES2] = cases[i].n;
        establish(p);
        run_for(p, 500);
        p->a.cut = true;
        send_bytes(p, &p->a, 1000);
        assert_near_ms(run_until_dead(p, &p->a, 1000), cases[i].ms, cases[i].tolerance_ms);
        pair_free(p);
    }
}

/* Row 2: probes every interval, RST at death; 5/2/3 dies 11.05 s after the last segment. */
static void keepalive_dies_with_a_rst(void **state)
{
    (void)state;
    struct pair *p = pair_new(250, 1000);
    establish(p);
    p->a.opts->keepalive = true;
    p->a.opts->keepidle_s = 5;
    p->a.opts->keepintvl_s = 2;
    p->a.opts->keepcnt = 3;
    ho_tcp_opts_changed(&p->a.env, &p->a.c, HO_TCP_KEEPALIVE_ON, p->now);
    p->a.cut = true;
    p->a.sent = 0;

    struct ho_dur d = run_until_dead(p, &p->a, 20);

    assert_near_ms(d, 11100, 300);
    assert_int_equal(p->a.sent, 4);
    assert_int_equal(p->a.rsts, 1);
    assert_int_equal(ho_tcp_take_error(&p->a.c), ETIMEDOUT);
    assert_int_equal(ho_tcp_take_error(&p->a.c), 0);
    pair_free(p);
}

/* Row 2, nobody cut: an answered probe clears the count; the next comes one idle time later. */
static void keepalive_of_a_living_peer_goes_on(void **state)
{
    (void)state;
    struct pair *p = pair_new(250, 1000);
    establish(p);
    p->a.opts->keepalive = true;
    p->a.opts->keepidle_s = 5;
    p->a.opts->keepintvl_s = 2;
    p->a.opts->keepcnt = 3;
    ho_tcp_opts_changed(&p->a.env, &p->a.c, HO_TCP_KEEPALIVE_ON, p->now);
    p->a.sent = 0;
    run_for(p, 100000);

    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    assert_in_range(p->a.sent, 18, 20);
    pair_free(p);
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
        struct pair *p = pair_new(250, 1000);
        establish(p);
        run_for(p, 500);
        p->a.opts->user_timeout_ms = cases[i].ms;
        p->a.cut = true;
        send_bytes(p, &p->a, 1000);
        assert_near_ms(run_until_dead(p, &p->a, 20), cases[i].dead_ms, 200);
        assert_int_equal(ho_tcp_why(&p->a.c), HO_TCP_WHY_USER_TIMEOUT);
        pair_free(p);
    }
}

/* Row 4: nothing happens when the cable is plugged; the next backed-off repeat delivers. */
static void recovery_waits_for_the_next_timeout(void **state)
{
    (void)state;
    struct pair *p = pair_new(250, 1000);
    establish(p);
    run_for(p, 500);
    p->a.cut = true;
    send_bytes(p, &p->a, 1000);
    run_for(p, 20000);
    p->a.cut = false;
    run_for(p, 6000);
    assert_int_equal(p->b.c.work != NULL ? p->b.c.work->rcv_bytes : 0, 0);
    run_for(p, 1200); /* 26.69 s in ground-truth */

    assert_non_null(p->b.c.work);
    assert_int_equal(p->b.c.work->rcv_bytes, 1000);
    assert_int_equal(p->a.c.state, HO_TCP_ESTABLISHED);
    pair_free(p);
}

static void fin_closes_in_four_segments(void **state)
{
    (void)state;
    struct pair *p = pair_new(250, 1000);
    uint8_t in[16];
    establish(p);
    ho_tcp_close(&p->a.env, &p->a.c, false, p->now);
    run_for(p, 100);

    assert_int_equal(p->a.c.state, HO_TCP_FIN_WAIT2);
    assert_int_equal(p->b.c.state, HO_TCP_CLOSE_WAIT);
    assert_int_equal(ho_tcp_recv(&p->b.env, &p->b.c, in, sizeof(in), false, p->now), 0);
    assert_true(ho_tcp_wants_tw(&p->a.c));
    ho_tcp_close(&p->b.env, &p->b.c, false, p->now);
    run_for(p, 100);
    assert_int_equal(p->a.c.state, HO_TCP_TIME_WAIT);
    assert_int_equal(p->b.c.state, HO_TCP_CLOSE);
    pair_free(p);
}

/* Row 6b: unread data turns the FIN into a RST, and the peer reads its own data first. */
static void unread_data_resets(void **state)
{
    (void)state;
    struct pair *p = pair_new(250, 1000);
    uint8_t in[200];
    establish(p);
    send_bytes(p, &p->a, 100);
    send_bytes(p, &p->b, 50);
    run_for(p, 100);
    ho_tcp_close(&p->b.env, &p->b.c, false, p->now);
    run_for(p, 100);

    assert_int_equal(p->b.rsts, 1);
    assert_int_equal(p->a.c.state, HO_TCP_CLOSE);
    assert_int_equal(ho_tcp_poll(&p->a.env, &p->a.c),
                     HO_POLLIN | HO_POLLOUT | HO_POLLERR | HO_POLLHUP | HO_POLLRDHUP);
    assert_int_equal(ho_tcp_recv(&p->a.env, &p->a.c, in, sizeof(in), false, p->now), 50);
    assert_int_equal(ho_tcp_recv(&p->a.env, &p->a.c, in, sizeof(in), false, p->now), -ECONNRESET);
    assert_int_equal(ho_tcp_recv(&p->a.env, &p->a.c, in, sizeof(in), false, p->now), 0);
    assert_int_equal(ho_tcp_send(&p->a.env, &p->a.c, in, 1, p->now), -EPIPE);
    pair_free(p);
}

/* Row 3f: a send buffer of a young connection takes 32 segments of 1448 into a dead cable. */
static void a_full_send_buffer_takes_46336_bytes(void **state)
{
    (void)state;
    struct pair *p = pair_new(250, 1000);
    static const uint8_t bytes[400000];
    establish(p);
    send_bytes(p, &p->a, 100);
    run_for(p, 500);
    p->a.cut = true;

    assert_int_equal(ho_tcp_send(&p->a.env, &p->a.c, bytes, sizeof(bytes), p->now), 46336);
    assert_int_equal(ho_tcp_send(&p->a.env, &p->a.c, bytes, sizeof(bytes), p->now), -EAGAIN);
    pair_free(p);
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
