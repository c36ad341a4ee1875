/* Two connections joined by a wire: tests/support/tcp_pair.h. */

#include "support/tcp_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void end_init(struct ho_tp *p, struct ho_tp_end *e, uint8_t local, uint8_t remote,
                     uint16_t lport, uint16_t rport)
{
    ho_sysctls_init(&e->sys);
    e->env.clk = &p->clk;
    e->env.sys = &e->sys;
    e->env.profile = ho_profile(HO_PROFILE_6_18);
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

struct ho_tp *ho_tp_new(uint32_t hz, int64_t delay_us)
{
    struct ho_tp *p = test_calloc(1, sizeof(*p));

    p->clk = (struct ho_clk){ .hz = hz, .jiffies0 = 4294892796u };
    p->now = (struct ho_time){ HO_NS_PER_S };
    p->delay = ho_us(delay_us);
    ho_rng_init(&p->rng, 1, 0);
    ho_bufpool_init(&p->bufs, 100000);
    end_init(p, &p->a, 1, 2, 40000, 5000);
    end_init(p, &p->b, 2, 1, 5000, 40000);
    return p;
}

static void end_free(struct ho_tp_end *e)
{
    ho_tcp_destroy(&e->env, &e->c);
    ho_tcp_opts_put(&e->env, e->opts);
    assert_int_equal(e->env.work.used, 0);
    assert_int_equal(e->env.skbs.used, 0);
    assert_int_equal(e->env.cc.used, 0);
    assert_int_equal(e->env.opts.used, 0);
    ho_tcp_env_destroy(&e->env);
}

void ho_tp_free(struct ho_tp *p)
{
    for (; p->count > 0; p->count--) {
        ho_buf_put(&p->bufs, p->wire[p->first].b);
        p->first = (p->first + 1) % HO_TP_WIRE;
    }
    end_free(&p->a);
    end_free(&p->b);
    assert_int_equal(p->bufs.large.used, 0);
    assert_int_equal(p->bufs.small.used, 0);
    ho_bufpool_destroy(&p->bufs);
    test_free(p);
}

struct ho_tp_end *ho_tp_other(struct ho_tp *p, struct ho_tp_end *e)
{
    return e == &p->a ? &p->b : &p->a;
}

/* ---- the wire ----------------------------------------------------------------------------------
 */

static bool chance(struct ho_tp *p, uint32_t of_1000)
{
    return of_1000 > 0 && ho_rng_below(&p->rng, 1000) < of_1000;
}

/* Arrivals are kept in the order of their times; equal times in the order of sending. */
static void put_on_wire(struct ho_tp *p, struct ho_tp_end *to, struct ho_buf *b)
{
    struct ho_dur d = p->delay;

    if (chance(p, p->jitter)) {
        d.ns += (int64_t)ho_rng_below(&p->rng, p->jitter_us) * 1000;
    }
    struct ho_time at = ho_time_add(p->now, d);
    assert_true(p->count < HO_TP_WIRE);
    size_t i = p->first + p->count++;
    for (; i > p->first && ho_time_before(at, p->wire[(i - 1) % HO_TP_WIRE].at); i--) {
        p->wire[i % HO_TP_WIRE] = p->wire[(i - 1) % HO_TP_WIRE];
    }
    p->wire[i % HO_TP_WIRE].at = at;
    p->wire[i % HO_TP_WIRE].to = to;
    p->wire[i % HO_TP_WIRE].b = b;
}

static void record(struct ho_tp *p, struct ho_tp_end *from, const struct ho_wire_tcp *seg,
                   bool lost)
{
    from->sent++;
    from->last_sent = p->now;
    from->rsts += (seg->flags & HO_TCP_RST) != 0 ? 1 : 0;
    if (p->n_sent < HO_TP_SENT) {
        p->sent[p->n_sent++] =
            (struct ho_tp_sent){ .at = p->now, .from = from, .lost = lost, .seg = *seg };
    }
}

static void send_one(struct ho_tp *p, struct ho_tp_end *e, struct ho_buf *b)
{
    struct ho_wire_tcp seg;
    size_t header;

    assert_int_equal(ho_wire_tcp_checksum(&e->path.local, &e->path.remote, ho_buf_bytes(b), b->len),
                     0);
    assert_int_equal(ho_wire_tcp_read(&seg, &header, ho_buf_bytes(b), b->len), 0);
    bool lost = e->cut || (p->lose != NULL && p->lose(p, e, &seg)) || chance(p, p->loss);
    record(p, e, &seg, lost);
    if (lost) {
        ho_buf_put(&p->bufs, b);
        return;
    }
    if (chance(p, p->repeat)) {
        struct ho_buf *copy = ho_buf_copy(&p->bufs, b);
        assert_non_null(copy);
        put_on_wire(p, ho_tp_other(p, e), copy);
    }
    put_on_wire(p, ho_tp_other(p, e), b);
}

void ho_tp_drain(struct ho_tp *p, struct ho_tp_end *e)
{
    struct ho_buf *b;

    while ((b = ho_tcp_output(&e->env, &e->c, p->now)) != NULL) {
        send_one(p, e, b);
    }
}

/* A RST in answer to `seg`, which had no connection to go to. */
static void send_reset(struct ho_tp *p, struct ho_tp_end *e, const struct ho_wire_tcp *seg)
{
    struct ho_wire_tcp rst;

    if (ho_tcp_reset_for(seg, &rst)) {
        struct ho_buf *b = ho_tcp_bare(&e->env, &e->path.local, &e->path.remote, &rst);
        assert_non_null(b);
        send_one(p, e, b);
    }
}

static void deliver(struct ho_tp *p, struct ho_tp_end *to, struct ho_buf *b)
{
    struct ho_wire_tcp seg;
    size_t header;

    assert_int_equal(ho_wire_tcp_read(&seg, &header, ho_buf_bytes(b), b->len), 0);
    b->head = (uint16_t)(b->head + header);
    b->len = seg.payload_len;
    if (seg.payload_len == 0) {
        ho_buf_put(&p->bufs, b);
        b = NULL;
    }
    bool closed = to->c.state == HO_TCP_CLOSE;
    if (ho_tcp_input(&to->env, &to->c, &seg, b, p->now) || closed) {
        send_reset(p, to, &seg);
    }
}

struct ho_time ho_tp_next(const struct ho_tp *p)
{
    struct ho_time t = ho_time_min(ho_tcp_deadline(&p->a.c), ho_tcp_deadline(&p->b.c));

    return p->count > 0 ? ho_time_min(t, p->wire[p->first].at) : t;
}

void ho_tp_run(struct ho_tp *p, struct ho_time until)
{
    ho_tp_drain(p, &p->a);
    ho_tp_drain(p, &p->b);
    while (ho_tp_next(p).ns <= until.ns && ho_tp_next(p).ns != HO_NEVER.ns) {
        assert_true(ho_tp_next(p).ns >= p->now.ns); /* a timer in the past would be ours */
        p->now = ho_tp_next(p);
        while (p->count > 0 && p->wire[p->first].at.ns <= p->now.ns) {
            struct ho_tp_end *to = p->wire[p->first].to;
            struct ho_buf *b = p->wire[p->first].b;
            p->first = (p->first + 1) % HO_TP_WIRE;
            p->count--;
            deliver(p, to, b);
            ho_tp_drain(p, to);
        }
        ho_tcp_tick(&p->a.env, &p->a.c, p->now);
        ho_tcp_tick(&p->b.env, &p->b.c, p->now);
        ho_tp_drain(p, &p->a);
        ho_tp_drain(p, &p->b);
    }
    p->now = until;
}

void ho_tp_run_ms(struct ho_tp *p, int64_t ms)
{
    ho_tp_run(p, ho_time_add(p->now, ho_ms(ms)));
}

struct ho_dur ho_tp_until_dead(struct ho_tp *p, struct ho_tp_end *e, int64_t at_most_s)
{
    struct ho_time from = p->now, limit = ho_time_add(p->now, ho_s(at_most_s));

    while (!ho_tcp_is_dead(&e->c)) {
        struct ho_time t = ho_tp_next(p);
        assert_true(t.ns <= limit.ns);
        ho_tp_run(p, t);
    }
    return ho_time_since(p->now, from);
}

/* ---- opening ------------------------------------------------------------------------------------
 */

void ho_tp_establish(struct ho_tp *p)
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
    ho_tp_run_ms(p, 0);
}

/* ---- the two applications
 * ------------------------------------------------------------------------ */

uint8_t ho_tp_byte(uint64_t n)
{
    return (uint8_t)(n * 7 + (n >> 8) + (n >> 16) * 3);
}

void ho_tp_send(struct ho_tp *p, struct ho_tp_end *e, size_t len)
{
    static const uint8_t bytes[65536];

    assert_true(len <= sizeof(bytes));
    assert_int_equal(ho_tcp_send(&e->env, &e->c, bytes, len, p->now), len);
}

int64_t ho_tp_recv(struct ho_tp *p, struct ho_tp_end *e, size_t len)
{
    static uint8_t bytes[65536];

    assert_true(len <= sizeof(bytes));
    return ho_tcp_recv(&e->env, &e->c, bytes, len, false, p->now);
}

/* ---- segments by hand
 * ---------------------------------------------------------------------------- */

struct ho_wire_tcp ho_tp_seg(const struct ho_tp *p, const struct ho_tp_end *e)
{
    const struct ho_tcp *c = &e->c;

    return (struct ho_wire_tcp){
        .sport = c->rport,
        .dport = c->lport,
        .seq = c->rcv_nxt.v,
        .ack = c->snd_nxt.v,
        .window = 500,
        .flags = HO_TCP_ACK,
        .has_ts = (c->flags & TCP_F_TS) != 0,
        .ts_val = c->ts_recent,
        .ts_ecr = ho_tcp_ts_now(&e->path, p->now),
    };
}

bool ho_tp_inject(struct ho_tp *p, struct ho_tp_end *e, const struct ho_wire_tcp *seg)
{
    struct ho_buf *b = NULL;

    if (seg->payload_len > 0) {
        b = ho_buf_get(&p->bufs, 0, seg->payload_len);
        assert_non_null(b);
        b->len = seg->payload_len;
        memset(ho_buf_bytes(b), 'x', b->len);
    }
    bool reset = ho_tcp_input(&e->env, &e->c, seg, b, p->now);
    ho_tp_drain(p, e);
    return reset;
}

const struct ho_wire_tcp *ho_tp_last(const struct ho_tp *p, const struct ho_tp_end *e)
{
    for (size_t i = p->n_sent; i > 0; i--) {
        if (p->sent[i - 1].from == e) {
            return &p->sent[i - 1].seg;
        }
    }
    fail_msg("nothing was sent");
    return NULL;
}

void ho_tp_forget(struct ho_tp *p)
{
    p->n_sent = 0;
    p->a.sent = 0;
    p->b.sent = 0;
}

void ho_tp_near_ms(struct ho_dur d, int64_t ms, int64_t tolerance_ms)
{
    int64_t got = d.ns / 1000000;

    if (got < ms - tolerance_ms || got > ms + tolerance_ms) {
        fail_msg("%lld ms, expected %lld +- %lld", (long long)got, (long long)ms,
                 (long long)tolerance_ms);
    }
}

int64_t ho_tp_ms(const struct ho_tp *p, struct ho_time from)
{
    return ho_time_since(p->now, from).ns / 1000000;
}
