/* A connection after it was one: tcp/timewait.h. */

#include "tcp/conn.h"

static void restart(struct ho_tcp_env *env, struct ho_tcp_tw *t, struct ho_time now)
{
    t->deadline = ho_clk_due(env->clk, now, ho_s(TCP_TIMEWAIT_S));
}

static uint32_t ms_of(struct ho_time now)
{
    return (uint32_t)(now.ns / 1000000);
}

void ho_tcp_tw_init(struct ho_tcp_env *env, struct ho_tcp_tw *t, struct ho_tcp *c,
                    struct ho_time now)
{
    uint64_t us = tcp_fin_time_us(env, c);

    *t = (struct ho_tcp_tw){
        .path = c->path,
        .lport = c->lport,
        .rport = c->rport,
        .substate = c->state,
        .rcv_nxt = c->rcv_nxt,
        .snd_nxt = c->snd_nxt,
        .rcv_wnd = tcp_receive_window(c),
        .rcv_wscale = c->rcv_wscale,
        .ts_ok = (c->flags & TCP_F_TS) != 0,
        .ts_recent = c->ts_recent,
        .entered_ms = ms_of(now),
    };
    if (c->state == HO_TCP_TIME_WAIT) {
        restart(env, t, now);
    } else {
        uint32_t limit = TCP_TIMEWAIT_S * 1000000u; /* the rest was waited in the socket */
        us = us > limit ? us - limit : us;
        t->deadline = ho_clk_due(env->clk, now, ho_us((int64_t)us));
    }
    tcp_count(env, HO_TCP_COUNT_TW);
    tcp_done(env, c, HO_TCP_WHY_CLOSED);
}

static struct ho_seq seg_end(const struct ho_wire_tcp *seg)
{
    return ho_seq(seg->seq + seg->payload_len + ((seg->flags & HO_TCP_SYN) != 0 ? 1u : 0u) +
                  ((seg->flags & HO_TCP_FIN) != 0 ? 1u : 0u));
}

static bool paws_rejects(const struct ho_tcp_tw *t, const struct ho_wire_tcp *seg)
{
    return t->ts_ok && seg->has_ts && (int32_t)(seg->ts_val - t->ts_recent) < 0 &&
           (seg->flags & HO_TCP_RST) == 0;
}

static enum ho_tcp_tw_do answer(struct ho_tcp_env *env, struct ho_tcp_tw *t, struct ho_time now)
{
    int64_t limit_ms = tcp_sys(env, HO_SYSCTL_TCP_INVALID_RATELIMIT);

    if (t->last_oow_ack.ns != 0 && ho_time_since(now, t->last_oow_ack).ns < ho_ms(limit_ms).ns) {
        tcp_count(env, HO_TCP_COUNT_ACK_SKIPPED);
        return HO_TCP_TW_NOTHING;
    }
    t->last_oow_ack = now;
    return HO_TCP_TW_ACK;
}

static void remember_ts(struct ho_tcp_tw *t, const struct ho_wire_tcp *seg)
{
    if (t->ts_ok && seg->has_ts) {
        t->ts_recent = seg->ts_val;
    }
}

/* FIN-WAIT-2 without a process: a FIN is welcome, data is not. */
static enum ho_tcp_tw_do fin_wait2(struct ho_tcp_env *env, struct ho_tcp_tw *t,
                                   const struct ho_wire_tcp *seg, struct ho_time now)
{
    struct ho_seq seq = ho_seq(seg->seq), end = seg_end(seg);
    bool in =
        ho_seq_eq(seq, t->rcv_nxt) ||
        (ho_seq_after(end, t->rcv_nxt) && ho_seq_before(seq, ho_seq_add(t->rcv_nxt, t->rcv_wnd)));

    if (paws_rejects(t, seg) || !in) {
        return answer(env, t, now);
    }
    if ((seg->flags & HO_TCP_RST) != 0) {
        return HO_TCP_TW_FREE;
    }
    if ((seg->flags & HO_TCP_SYN) != 0 && !ho_seq_before(seq, t->rcv_nxt)) {
        return HO_TCP_TW_RESET;
    }
    if ((seg->flags & HO_TCP_ACK) == 0 || !ho_seq_after(end, t->rcv_nxt)) {
        return HO_TCP_TW_NOTHING;
    }
    if ((seg->flags & HO_TCP_FIN) == 0 || !ho_seq_eq(end, ho_seq_add(t->rcv_nxt, 1))) {
        return HO_TCP_TW_RESET;
    }
    t->substate = HO_TCP_TIME_WAIT;
    t->rcv_nxt = end;
    t->entered_ms = ms_of(now);
    remember_ts(t, seg);
    restart(env, t, now);
    return HO_TCP_TW_ACK;
}

/* A SYN that cannot be an old one: beyond everything received, or with a later timestamp. */
static bool is_new_syn(const struct ho_tcp_tw *t, const struct ho_wire_tcp *seg)
{
    unsigned flags = seg->flags & (HO_TCP_SYN | HO_TCP_RST | HO_TCP_ACK);

    return flags == HO_TCP_SYN && !paws_rejects(t, seg) &&
           (ho_seq_after(ho_seq(seg->seq), t->rcv_nxt) ||
            (t->ts_ok && seg->has_ts && (int32_t)(t->ts_recent - seg->ts_val) < 0));
}

enum ho_tcp_tw_do ho_tcp_tw_input(struct ho_tcp_env *env, struct ho_tcp_tw *t,
                                  const struct ho_wire_tcp *seg, struct ho_time now)
{
    bool rst = (seg->flags & HO_TCP_RST) != 0, paws = paws_rejects(t, seg);
    struct ho_seq seq = ho_seq(seg->seq);

    if (t->substate == HO_TCP_FIN_WAIT2) {
        return fin_wait2(env, t, seg, now);
    }
    if (!paws && ho_seq_eq(seq, t->rcv_nxt) && (ho_seq_eq(seq, seg_end(seg)) || rst)) {
        if (rst && tcp_sys(env, HO_SYSCTL_TCP_RFC1337) == 0) {
            return HO_TCP_TW_FREE; /* TIME-WAIT assassination (RFC 1337) */
        }
        if (!rst) {
            restart(env, t, now);
        }
        remember_ts(t, seg);
        return HO_TCP_TW_NOTHING;
    }
    if (is_new_syn(t, seg)) {
        tcp_count(env, HO_TCP_COUNT_TW_RECYCLED);
        return HO_TCP_TW_SYN;
    }
    if (rst) {
        return HO_TCP_TW_NOTHING;
    }
    if (paws || (seg->flags & HO_TCP_ACK) != 0) {
        restart(env, t, now);
    }
    return answer(env, t, now);
}

bool ho_tcp_tw_reusable(const struct ho_tcp_env *env, const struct ho_tcp_tw *t, struct ho_time now)
{
    int64_t mode = tcp_sys(env, HO_SYSCTL_TCP_TW_REUSE);
    bool loopback = ho_addr_is_loopback(&t->path->remote) || ho_addr_is_loopback(&t->path->local);

    if (t->substate != HO_TCP_TIME_WAIT || !t->ts_ok || mode == 0 || (mode == 2 && !loopback)) {
        return false;
    }
    uint32_t least = (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_TW_REUSE_DELAY);
    return ms_of(now) - t->entered_ms > least;
}

struct ho_buf *ho_tcp_tw_ack(struct ho_tcp_env *env, struct ho_tcp_tw *t, struct ho_time now)
{
    struct ho_wire_tcp seg = {
        .sport = t->lport,
        .dport = t->rport,
        .seq = t->snd_nxt.v,
        .ack = t->rcv_nxt.v,
        .flags = HO_TCP_ACK,
        .window = (uint16_t)(t->rcv_wnd >> t->rcv_wscale),
        .has_ts = t->ts_ok,
        .ts_val = ho_tcp_ts_now(t->path, now),
        .ts_ecr = t->ts_recent,
    };

    return ho_tcp_bare(env, &t->path->local, &t->path->remote, &seg);
}
