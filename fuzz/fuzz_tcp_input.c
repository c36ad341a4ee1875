/* A connection, a listener's request and a TIME-WAIT record against a peer that sends what it
 * likes, an application that calls what it likes, and time that passes: the books stay right.
 *
 * Input: two bytes of settings, then steps, each a byte and its arguments. Sequence and
 * acknowledgment numbers are offsets from where they would be right, so that most segments get
 * past the first guard.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tcp/conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS 400

struct world {
    const uint8_t *at, *end;
    struct ho_clk clk;
    struct ho_sysctls sys;
    struct ho_bufpool bufs;
    struct ho_tcp_env env;
    struct ho_tcp_path path;
    struct ho_tcp_opts *opts;
    struct ho_tcp c;
    struct ho_tcp_tw tw;
    struct ho_time now;
    uint32_t right_edge; /* of the window that was offered */
    bool offered, has_tw, closed;
    uint32_t peer_isn;
};

static uint8_t u8(struct world *w)
{
    return w->at < w->end ? *w->at++ : 0;
}

/* A small number to add to a sequence number: -128 to 127. */
static uint32_t near(struct world *w)
{
    uint8_t u = u8(w);

    return u < 128 ? u : u - UINT32_C(256);
}

static uint16_t u16(struct world *w)
{
    uint8_t high = u8(w);

    return (uint16_t)(high << 8 | u8(w));
}

/* ---- what must hold after every step ---- */

static void check_queue(const struct ho_tcp *c, const struct ho_tcp_work *w)
{
    uint32_t packets = 0, sacked = 0, lost = 0, rexmit = 0, n = 0, bytes = 0;
    bool sent = true;
    const struct ho_tcp_skb *last = NULL;

    for (const struct ho_tcp_skb *s = w->head; s != NULL; s = s->next) {
        uint32_t segs = tcp_skb_segs(c, s);
        sent = sent && s != w->send_head;
        packets += sent ? segs : 0;
        sacked += s->acked ? segs : 0;
        lost += s->lost ? segs : 0;
        rexmit += s->rexmit ? segs : 0;
        assert(sent || (!s->acked && !s->lost && !s->rexmit));
        assert(!(s->acked && s->lost));
        assert(s->next == NULL || ho_seq_eq(tcp_skb_end(s), s->next->seq));
        assert(s->len > 0 || s->flags != 0 || s == w->send_head);
        bytes += s->len;
        last = s;
        n++;
    }
    assert(w->tail == last && w->n_skbs == n);
    assert(w->packets_out == packets);
    assert(w->lost_out == lost);
    assert(w->retrans_out == rexmit);
    assert(w->retrans_out <= w->packets_out);
    if ((c->flags & TCP_F_SACK) != 0) {
        assert(w->sacked_out == sacked);
    }
    assert(w->sacked_out + w->lost_out <= w->packets_out);
    assert(last == NULL || ho_seq_eq(tcp_skb_end(last), w->write_seq));
    assert(bytes >= w->sndq.len); /* a run can be acknowledged in part */
    struct ho_seq sent_to = w->send_head != NULL ? w->send_head->seq : w->write_seq;
    assert(c->state == HO_TCP_CLOSE || ho_seq_eq(c->snd_nxt, sent_to));
}

static uint32_t charged(const struct ho_bufq *q, uint32_t *ret_bytes)
{
    uint32_t sum = 0;

    for (const struct ho_buf *b = q->first; b != NULL; b = b->next) {
        sum += b->tag[1];
        *ret_bytes += b->len;
    }
    return sum;
}

static void check_receive(const struct ho_tcp *c, const struct ho_tcp_work *w)
{
    uint32_t in_order = 0, early = 0;

    assert(w->rmem == charged(&w->rcvq, &in_order) + charged(&w->ooo, &early));
    assert(w->rcv_bytes == in_order);
    for (const struct ho_buf *b = w->ooo.first; b != NULL; b = b->next) {
        assert(b->next == NULL || !ho_seq_before(ho_seq(b->next->tag[0]), ho_seq(b->tag[0])));
        assert(ho_seq_after(ho_seq(b->tag[0]), c->rcv_nxt));
    }
}

static void check(struct world *w)
{
    const struct ho_tcp *c = &w->c;

    assert(!ho_seq_after(c->snd_una, c->snd_nxt));
    assert(tcp_cwnd(c) >= 1);
    if (c->work != NULL) {
        assert(!ho_seq_after(c->snd_nxt, c->work->write_seq) || c->state == HO_TCP_CLOSE);
        check_queue(c, c->work);
        check_receive(c, c->work);
        bool waits = c->work->head != NULL;
        assert(!waits || !ho_due_is_never(c->work->rexmt_at)); /* nothing waits for ever */
    }
    if (c->state == HO_TCP_CLOSE || c->state == HO_TCP_TIME_WAIT) {
        assert(ho_tcp_deadline(c).ns == HO_NEVER.ns);
    }
    struct ho_tcp_info info;
    ho_tcp_info(&w->env, c, w->now, &info);
    assert(info.expires_us >= 0);
}

/* RFC 9293 3.8.6: what was offered is not taken back, but for Linux's window 0 out of memory. */
static void check_offer(struct world *w, const struct ho_wire_tcp *seg)
{
    const struct ho_tcp *c = &w->c;

    if ((seg->flags & (HO_TCP_SYN | HO_TCP_RST)) != 0 || c->state == HO_TCP_CLOSE) {
        return;
    }
    uint32_t edge = seg->ack + ((uint32_t)seg->window << c->rcv_wscale);
    if (w->offered && seg->window != 0 && w->sys.v[HO_SYSCTL_TCP_SHRINK_WINDOW] == 0) {
        assert(!ho_seq_before(ho_seq(edge), ho_seq(w->right_edge)) || c->rcv_wnd == 0);
    }
    w->right_edge = edge;
    w->offered = true;
}

static void drain(struct world *w)
{
    struct ho_buf *b;
    struct ho_wire_tcp seg;
    size_t header;
    unsigned n = 0;

    while ((b = ho_tcp_output(&w->env, &w->c, w->now)) != NULL) {
        assert(++n < 5000);
        int err = ho_wire_tcp_read(&seg, &header, ho_buf_bytes(b), b->len);
        assert(err == 0);
        assert(seg.payload_len <= w->c.mss);
        if ((seg.flags & HO_TCP_RST) == 0 && w->c.state != HO_TCP_CLOSE) {
            assert(!ho_seq_after(ho_seq(seg.seq + seg.payload_len), w->c.snd_nxt));
        }
        check_offer(w, &seg);
        ho_buf_put(&w->bufs, b);
    }
}

/* ---- the peer ---- */

static int32_t offset(struct world *w)
{
    uint8_t kind = u8(w);

    switch (kind & 7) {
    case 0:
    case 1:
    case 2:
        return 0;
    case 3:
        return (int32_t)(int8_t)u8(w);
    case 4:
        return (int32_t)(int8_t)u8(w) * (int32_t)(w->c.mss != 0 ? w->c.mss : 1);
    case 5:
        return (int32_t)(int16_t)u16(w);
    case 6:
        return (int32_t)w->c.rcv_wnd + (int8_t)u8(w);
    default:
        return (int32_t)((uint32_t)u16(w) << 16 | u16(w));
    }
}

static void put_sacks(struct world *w, struct ho_wire_tcp *seg)
{
    uint8_t n = u8(w) % 5;
    uint8_t most = seg->has_ts ? 3 : 4;

    seg->n_sack = n < most ? n : most;
    for (uint8_t i = 0; i < seg->n_sack; i++) {
        uint32_t mss = w->c.mss != 0 ? w->c.mss : 1;
        uint32_t unit = (u8(w) & 3) != 0 ? mss : 1;
        uint32_t from = w->c.snd_una.v + near(w) * unit;
        seg->sack[i] = (struct ho_tcp_sack){ from, from + u8(w) * unit };
    }
}

static struct ho_wire_tcp segment(struct world *w, bool wild)
{
    static const uint8_t flags[] = { HO_TCP_ACK,
                                     HO_TCP_ACK,
                                     HO_TCP_ACK | HO_TCP_PSH,
                                     HO_TCP_ACK | HO_TCP_FIN,
                                     HO_TCP_RST,
                                     HO_TCP_RST | HO_TCP_ACK,
                                     HO_TCP_SYN,
                                     HO_TCP_SYN | HO_TCP_ACK };
    struct ho_tcp *c = &w->c;
    uint8_t what = u8(w);
    uint32_t in_flight = ho_seq_diff(c->snd_nxt, c->snd_una);
    struct ho_wire_tcp seg = {
        .sport = 1,
        .dport = 2,
        .seq = c->rcv_nxt.v,
        .ack = c->snd_una.v + (uint32_t)((uint64_t)in_flight * (what >> 4) / 15),
        .flags = wild              ? flags[what & 7]
                 : (what & 7) == 7 ? flags[3]
                                   : HO_TCP_ACK,
        .window = (what & 8) != 0 ? u16(w) : 500,
        .has_ts = (c->flags & TCP_F_TS) != 0,
        .ts_val = c->ts_recent,
        .ts_ecr = ho_tcp_ts_now(&w->path, w->now),
        .payload_len = (uint16_t)(u16(w) % 1461),
    };
    if (wild) {
        seg.seq += (uint32_t)offset(w);
        seg.ack += (uint32_t)offset(w);
        seg.ts_val += near(w);
        seg.ts_ecr -= u8(w);
        seg.has_ts = seg.has_ts && (u8(w) & 15) != 0;
    }
    if (c->state == HO_TCP_SYN_SENT) {
        seg.seq = w->peer_isn;
        seg.has_mss = true;
        seg.mss = (u8(w) & 3) == 0 ? u16(w) : 1460;
        seg.has_wscale = seg.sack_ok = seg.has_ts = (what & 16) == 0;
        seg.wscale = 7;
        seg.ack = c->snd_nxt.v;
        seg.flags = (what & 7) == 3 ? HO_TCP_SYN : wild ? flags[what & 7] : flags[7];
    }
    put_sacks(w, &seg);
    return seg;
}

static void give_tw(struct world *w, const struct ho_wire_tcp *seg)
{
    switch (ho_tcp_tw_input(&w->env, &w->tw, seg, w->now)) {
    case HO_TCP_TW_ACK:
        ho_buf_put(&w->bufs, ho_tcp_tw_ack(&w->env, &w->tw, w->now));
        break;
    case HO_TCP_TW_NOTHING:
        break;
    default:
        w->has_tw = false;
        break;
    }
}

static void give(struct world *w, const struct ho_wire_tcp *seg)
{
    struct ho_wire_tcp rst;
    struct ho_buf *b = NULL;

    if (w->has_tw) {
        give_tw(w, seg);
        return;
    }
    if (seg->payload_len > 0) {
        b = ho_buf_get(&w->bufs, 0, seg->payload_len);
        if (b == NULL) {
            return;
        }
        b->len = seg->payload_len;
        memset(ho_buf_bytes(b), 'x', b->len);
    }
    if (ho_tcp_input(&w->env, &w->c, seg, b, w->now)) {
        (void)ho_tcp_reset_for(seg, &rst);
    }
}

/* ---- the application, the host, time ---- */

/* An option or a setting of the connection, or of what it stands on, becomes another. */
static void set(struct world *w, uint8_t what)
{
    switch (what & 15) {
    case 10:
        w->opts->cork = (what & 16) != 0;
        w->opts->nodelay = (what & 32) != 0;
        ho_tcp_opts_changed(&w->env, &w->c, HO_TCP_PUSH, w->now);
        break;
    case 11:
        w->opts->keepalive = (what & 16) != 0;
        w->opts->keepidle_s = 1 + (what >> 6);
        w->opts->keepintvl_s = 1;
        ho_tcp_opts_changed(&w->env, &w->c,
                            w->opts->keepalive ? HO_TCP_KEEPALIVE_ON : HO_TCP_KEEPALIVE_OFF,
                            w->now);
        ho_tcp_opts_changed(&w->env, &w->c, HO_TCP_KEEPIDLE, w->now);
        break;
    default:
        w->path.route_err = (what & 16) != 0 ? -101 : 0;
        w->opts->user_timeout_ms = (what & 32) != 0 ? 1500 : 0;
        w->env.skbs.max = (what & 64) != 0 ? w->env.skbs.used : SIZE_MAX;
        break;
    }
}

static void call(struct world *w)
{
    static uint8_t bytes[65536];
    uint8_t what = u8(w);

    switch (what & 15) {
    case 0:
    case 1:
    case 2:
    case 3:
        if (!w->closed) {
            (void)ho_tcp_send(&w->env, &w->c, bytes, u16(w), w->now);
        }
        break;
    case 4:
    case 5:
    case 6:
        if (!w->closed) {
            (void)ho_tcp_recv(&w->env, &w->c, bytes, u16(w), (what & 16) != 0, w->now);
        }
        break;
    case 7:
        if (!w->closed) {
            (void)ho_tcp_shutdown(&w->env, &w->c, (what & 16) != 0, (what & 32) != 0, w->now);
        }
        break;
    case 8:
        if (!w->closed && (what & 128) != 0) {
            ho_tcp_close(&w->env, &w->c, (what & 16) != 0, w->now);
            w->closed = true;
        } else if (w->closed) {
            ho_tcp_orphan(&w->env, &w->c, w->now);
        }
        break;
    case 9:
        if ((what & 240) == 240) {
            ho_tcp_abort(&w->env, &w->c, w->now);
        }
        break;
    case 12:
        ho_tcp_quickack(&w->env, &w->c, (what & 16) != 0, w->now);
        (void)ho_tcp_poll(&w->env, &w->c);
        (void)ho_tcp_take_wake(&w->c);
        (void)ho_tcp_take_error(&w->c);
        break;
    case 13:
        ho_tcp_icmp(&w->env, &w->c, (what & 16) != 0 ? 113 : 101, false,
                    w->c.snd_una.v + ((what & 32) != 0 ? (uint32_t)u16(w) : 0), w->now);
        break;
    case 14:
        ho_tcp_park(&w->c, w->c.snd_una.v + u16(w), (what & 16) != 0);
        break;
    default:
        set(w, what);
        break;
    }
}

static void tick(struct world *w)
{
    if (w->has_tw) {
        w->has_tw = !ho_due_reached(w->tw.deadline, w->now);
        return;
    }
    ho_tcp_tick(&w->env, &w->c, w->now);
    struct ho_time next = ho_tcp_deadline(&w->c);
    assert(next.ns == HO_NEVER.ns || next.ns > w->now.ns);
}

static void pass_time(struct world *w)
{
    static const int64_t us[] = { 1, 1000, 5000, 40000, 200000, 1000000, 10000000, 200000000 };
    struct ho_time until = ho_time_add(w->now, ho_us(us[u8(w) & 7]));

    while (!w->has_tw && ho_tcp_deadline(&w->c).ns <= until.ns) {
        w->now = ho_tcp_deadline(&w->c);
        tick(w);
        drain(w);
        check(w);
    }
    w->now = until;
    tick(w);
}

static void step(struct world *w)
{
    uint8_t what = u8(w);
    struct ho_wire_tcp seg;

    switch (what & 7) {
    case 0:
    case 1:
        seg = segment(w, true);
        give(w, &seg);
        break;
    case 2:
    case 3:
        seg = segment(w, false);
        give(w, &seg);
        break;
    case 4:
    case 5:
        call(w);
        break;
    case 6:
        pass_time(w);
        break;
    default:
        if (!w->has_tw && ho_tcp_deadline(&w->c).ns != HO_NEVER.ns) {
            w->now = ho_tcp_deadline(&w->c);
        }
        tick(w);
        break;
    }
    drain(w);
    if (!w->has_tw && ho_tcp_wants_tw(&w->c)) {
        ho_tcp_tw_init(&w->env, &w->tw, &w->c, w->now);
        w->has_tw = true;
        drain(w);
    }
    check(w);
}

/* ---- settings and the start ---- */

static void set_up(struct world *w)
{
    static const uint32_t hz[] = { 250, 0, 1000, 100 };
    uint8_t a = u8(w), b = u8(w);

    w->clk = (struct ho_clk){ .hz = hz[a & 3], .jiffies0 = 4294892796u };
    ho_sysctls_init(&w->sys);
    w->sys.v[HO_SYSCTL_TCP_SACK] = (a & 4) == 0;
    w->sys.v[HO_SYSCTL_TCP_TIMESTAMPS] = (a & 8) == 0;
    w->sys.v[HO_SYSCTL_TCP_WINDOW_SCALING] = (a & 16) == 0;
    w->sys.v[HO_SYSCTL_TCP_SHRINK_WINDOW] = (a & 32) != 0;
    w->sys.v[HO_SYSCTL_TCP_CONGESTION_CONTROL] =
        (a & 64) != 0 ? HO_CONGESTION_CUBIC : HO_CONGESTION_RENO;
    w->sys.v[HO_SYSCTL_TCP_RETRIES2] = (a & 128) != 0 ? 3 : 15;
    ho_bufpool_init(&w->bufs, (b & 1) != 0 ? 40 : 4000);
    w->now = (struct ho_time){ HO_NS_PER_S };
    w->env = (struct ho_tcp_env){
        .clk = &w->clk, .sys = &w->sys, .profile = ho_profile(HO_PROFILE_6_18), .bufs = &w->bufs
    };
    ho_tcp_env_init(&w->env, 16);
    w->path = (struct ho_tcp_path){ .local = ho_addr_v4(10, 0, 0, 1),
                                    .remote = ho_addr_v4(10, 0, 0, 2),
                                    .refs = 1,
                                    .mtu = (b & 2) != 0 ? 128 : 1500 };
    w->opts = ho_tcp_opts_new(&w->env);
    assert(w->opts != NULL);
    w->opts->rcvbuf = (b & 4) != 0 ? 4096 : 0;
    w->opts->sndbuf = (b & 8) != 0 ? 8192 : 0;
    w->opts->linger_s = (b & 16) != 0 ? 0 : -1;
    w->opts->recverr = (b & 32) != 0;
    w->peer_isn = 0xfffff000u;
    ho_tcp_init(&w->c, &w->path, w->opts, 2, 1);
}

/* The connection is the child of a listener's request: its SYN, then segments until one opens it.
 */
static void passive(struct world *w)
{
    struct ho_tcp_req r;
    struct ho_wire_tcp syn = { .sport = 1,
                               .dport = 2,
                               .seq = w->peer_isn,
                               .flags = HO_TCP_SYN,
                               .window = u16(w),
                               .has_mss = true,
                               .mss = 1460,
                               .sack_ok = true,
                               .has_ts = true,
                               .ts_val = 1000,
                               .has_wscale = true,
                               .wscale = 7 };

    ho_tcp_req_init(&w->env, &r, &w->path, w->opts, &syn, w->now);
    for (int i = 0; i < 8 && (u8(w) & 1) != 0; i++) {
        struct ho_wire_tcp seg = segment(w, true);
        seg.seq += r.irs.v + 1 - w->c.rcv_nxt.v;
        (void)ho_tcp_req_input(&w->env, &r, &seg, w->now);
        (void)ho_tcp_req_tick(&w->env, &r, w->now);
    }
    ho_tcp_req_child(&w->env, &r, &w->c, w->now);
    struct ho_wire_tcp ack = { .sport = 1,
                               .dport = 2,
                               .seq = w->c.rcv_nxt.v,
                               .ack = w->c.snd_nxt.v,
                               .flags = HO_TCP_ACK,
                               .window = 500,
                               .has_ts = (w->c.flags & TCP_F_TS) != 0,
                               .ts_val = 1001 };
    give(w, &ack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = { .at = data, .end = data + size };

    set_up(&w);
    uint8_t how = u8(&w);
    if ((how & 1) != 0) {
        passive(&w);
    } else if (ho_tcp_connect(&w.env, &w.c, w.now) != 0) {
        w.at = w.end;
    }
    drain(&w);
    check(&w);
    for (int i = 0; i < STEPS && w.at < w.end; i++) {
        step(&w);
    }
    ho_tcp_destroy(&w.env, &w.c);
    ho_tcp_opts_put(&w.env, w.opts);
    assert(w.env.work.used == 0 && w.env.skbs.used == 0 && w.env.cc.used == 0);
    assert(w.env.opts.used == 0);
    assert(w.bufs.small.used == 0 && w.bufs.large.used == 0);
    ho_tcp_env_destroy(&w.env);
    ho_bufpool_destroy(&w.bufs);
    return 0;
}
