/* A connection before it is one: tcp/listen.h. */

#include "tcp/conn.h"

static uint32_t rto_init_us(const struct ho_tcp_req *r)
{
    uint64_t us = (uint64_t)TCP_RTO_INIT_US << (r->num_timeout < 16 ? r->num_timeout : 16);

    return (uint32_t)(us < 120000000u ? us : 120000000u);
}

static void arm(struct ho_tcp_env *env, struct ho_tcp_req *r, struct ho_time now)
{
    uint64_t us = rto_init_us(r), max = 1000ull * (uint64_t)tcp_sys(env, HO_SYSCTL_TCP_RTO_MAX_MS);

    r->deadline = ho_clk_due(env->clk, now, ho_us((int64_t)(us < max ? us : max)));
}

void ho_tcp_req_init(struct ho_tcp_env *env, struct ho_tcp_req *r, struct ho_tcp_path *path,
                     struct ho_tcp_opts *opts, const struct ho_wire_tcp *syn, struct ho_time now)
{
    uint32_t rcvbuf;

    *r = (struct ho_tcp_req){
        .path = path,
        .opts = opts,
        .irs = ho_seq(syn->seq),
        .iss = tcp_isn(env, path, syn->dport, syn->sport, now),
        .lport = syn->dport,
        .rport = syn->sport,
        .mss = syn->has_mss ? syn->mss : TCP_MSS_DEFAULT,
        .snd_wnd = syn->window,
        .ts_recent = syn->ts_val,
        .ts_ok = syn->has_ts && tcp_sys(env, HO_SYSCTL_TCP_TIMESTAMPS) != 0,
        .sack_ok = syn->sack_ok && tcp_sys(env, HO_SYSCTL_TCP_SACK) != 0,
        .wscale_ok = syn->has_wscale && tcp_sys(env, HO_SYSCTL_TCP_WINDOW_SCALING) != 0,
        .snd_wscale = syn->has_wscale ? syn->wscale : 0,
    };
    uint32_t mss = tcp_path_advmss(path, opts) - (r->ts_ok ? 12u : 0u);
    r->rcv_wnd = tcp_initial_window(env, opts, mss, r->wscale_ok, &r->rcv_wscale, &rcvbuf);
    arm(env, r, now);
}

/* RFC 9293 3.10.7.4, first: is the segment in the window that the SYN-ACK offered? */
static bool in_window(const struct ho_tcp_req *r, const struct ho_wire_tcp *seg)
{
    struct ho_seq nxt = ho_seq_add(r->irs, 1), seq = ho_seq(seg->seq);
    uint32_t len = seg->payload_len + ((seg->flags & HO_TCP_SYN) != 0 ? 1u : 0u) +
                   ((seg->flags & HO_TCP_FIN) != 0 ? 1u : 0u);
    struct ho_seq end = ho_seq_add(seq, len), limit = ho_seq_add(nxt, r->rcv_wnd);

    if (ho_seq_eq(seq, nxt)) {
        return true;
    }
    if (ho_seq_after(end, nxt) && ho_seq_before(seq, limit)) {
        return true;
    }
    return ho_seq_eq(seq, limit) && ho_seq_eq(seq, end);
}

static bool limited(struct ho_tcp_env *env, struct ho_tcp_req *r, const struct ho_wire_tcp *seg,
                    struct ho_time now)
{
    int64_t limit_ms = tcp_sys(env, HO_SYSCTL_TCP_INVALID_RATELIMIT);

    if (seg->payload_len > 0 && (seg->flags & HO_TCP_SYN) == 0) {
        return false;
    }
    if (r->last_oow_ack.ns != 0 && ho_time_since(now, r->last_oow_ack).ns < ho_ms(limit_ms).ns) {
        tcp_count(env, HO_TCP_COUNT_ACK_SKIPPED);
        return true;
    }
    r->last_oow_ack = now;
    return false;
}

static bool paws_rejects(const struct ho_tcp_req *r, const struct ho_wire_tcp *seg)
{
    return r->ts_ok && seg->has_ts && (int32_t)(seg->ts_val - r->ts_recent) < 0 &&
           (seg->flags & HO_TCP_RST) == 0;
}

enum ho_tcp_req_do ho_tcp_req_input(struct ho_tcp_env *env, struct ho_tcp_req *r,
                                    const struct ho_wire_tcp *seg, struct ho_time now)
{
    unsigned flags = seg->flags & (HO_TCP_RST | HO_TCP_SYN | HO_TCP_ACK);

    if (seg->seq == r->irs.v && flags == HO_TCP_SYN && !paws_rejects(r, seg)) {
        if (limited(env, r, seg, now)) {
            return HO_TCP_REQ_NOTHING;
        }
        r->num_retrans++;
        arm(env, r, now);
        return HO_TCP_REQ_SYNACK;
    }
    if ((flags & HO_TCP_ACK) != 0 && seg->ack != r->iss.v + 1) {
        tcp_count(env, HO_TCP_COUNT_DROP_REQUEST);
        return (flags & HO_TCP_RST) != 0 ? HO_TCP_REQ_NOTHING : HO_TCP_REQ_RESET;
    }
    if (paws_rejects(r, seg) || !in_window(r, seg)) {
        bool quiet = (flags & HO_TCP_RST) != 0 || limited(env, r, seg, now);
        return quiet ? HO_TCP_REQ_NOTHING : HO_TCP_REQ_ACK;
    }
    if ((flags & HO_TCP_RST) != 0 || ((flags & HO_TCP_SYN) != 0 && seg->seq != r->irs.v)) {
        tcp_count(env, HO_TCP_COUNT_ATTEMPT_FAILS);
        return HO_TCP_REQ_DROP;
    }
    if ((flags & HO_TCP_ACK) == 0) {
        tcp_count(env, HO_TCP_COUNT_DROP_NO_ACK);
        return HO_TCP_REQ_NOTHING;
    }
    if (r->ts_ok && seg->has_ts && !ho_seq_after(ho_seq(seg->seq), ho_seq_add(r->irs, 1))) {
        r->ts_recent = seg->ts_val;
    }
    return HO_TCP_REQ_ESTABLISH;
}

enum ho_tcp_req_do ho_tcp_req_tick(struct ho_tcp_env *env, struct ho_tcp_req *r, struct ho_time now)
{
    uint32_t most = r->opts->syncnt != 0 ? r->opts->syncnt
                                         : (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_SYNACK_RETRIES);

    if (!ho_due_reached(r->deadline, now)) {
        return HO_TCP_REQ_NOTHING;
    }
    if (r->num_timeout >= most) {
        tcp_count(env, HO_TCP_COUNT_ATTEMPT_FAILS);
        return HO_TCP_REQ_DROP;
    }
    r->num_timeout++;
    r->num_retrans++;
    arm(env, r, now);
    return HO_TCP_REQ_SYNACK;
}

struct ho_buf *ho_tcp_req_synack(struct ho_tcp_env *env, struct ho_tcp_req *r, struct ho_time now)
{
    struct ho_wire_tcp seg = {
        .sport = r->lport,
        .dport = r->rport,
        .seq = r->iss.v,
        .ack = r->irs.v + 1,
        .flags = HO_TCP_SYN | HO_TCP_ACK,
        .window = (uint16_t)(r->rcv_wnd < 65535 ? r->rcv_wnd : 65535),
        .has_mss = true,
        .mss = tcp_path_advmss(r->path, r->opts),
        .sack_ok = r->sack_ok,
        .has_wscale = r->wscale_ok,
        .wscale = r->rcv_wscale,
        .has_ts = r->ts_ok,
        .ts_val = ho_tcp_ts_now(r->path, now),
        .ts_ecr = r->ts_recent,
    };

    if (r->synack_sent.ns == 0) {
        r->synack_sent = now; /* of the first one */
    }
    if (r->num_retrans > 0) {
        tcp_count(env, HO_TCP_COUNT_RETRANS_SEGS);
    }
    return ho_tcp_bare(env, &r->path->local, &r->path->remote, &seg);
}

struct ho_buf *ho_tcp_req_ack(struct ho_tcp_env *env, struct ho_tcp_req *r, struct ho_time now)
{
    struct ho_wire_tcp seg = {
        .sport = r->lport,
        .dport = r->rport,
        .seq = r->iss.v + 1,
        .ack = r->irs.v + 1,
        .flags = HO_TCP_ACK,
        .window = (uint16_t)(r->rcv_wnd >> r->rcv_wscale),
        .has_ts = r->ts_ok,
        .ts_val = ho_tcp_ts_now(r->path, now),
        .ts_ecr = r->ts_recent,
    };

    return ho_tcp_bare(env, &r->path->local, &r->path->remote, &seg);
}

void ho_tcp_req_child(struct ho_tcp_env *env, const struct ho_tcp_req *r, struct ho_tcp *c,
                      struct ho_time now)
{
    uint8_t wscale;

    c->snd_una = ho_seq_add(r->iss, 1);
    c->snd_nxt = c->snd_una;
    c->rcv_nxt = ho_seq_add(r->irs, 1);
    c->rcv_wup = c->rcv_nxt;
    c->snd_wl1 = r->irs;
    c->snd_wnd = r->snd_wnd;
    c->max_window = c->snd_wnd;
    c->ts_recent = r->ts_recent;
    c->flags = (uint8_t)((r->ts_ok ? TCP_F_TS : 0) | (r->sack_ok ? TCP_F_SACK : 0) |
                         (r->wscale_ok ? TCP_F_WSCALE : 0));
    c->snd_wscale = r->wscale_ok ? r->snd_wscale & 15u : 0;
    c->rcv_wscale = r->wscale_ok ? r->rcv_wscale & 15u : 0;
    c->advmss = (uint16_t)(tcp_path_advmss(r->path, r->opts) - (r->ts_ok ? 12 : 0));
    tcp_sync_mss(env, c, r->mss);
    (void)tcp_initial_window(env, r->opts, c->advmss, r->wscale_ok, &wscale, &c->rcvbuf);
    c->rcv_wnd = r->rcv_wnd;
    c->rcv_ssthresh = r->rcv_wnd;
    tcp_enter(c, HO_TCP_SYN_RECV);
    if (r->num_retrans == 0) {
        tcp_rtt_sample(env, c, (uint32_t)(ho_time_since(now, r->synack_sent).ns / 1000), false);
    }
    if (r->num_timeout > 0 && tcp_work(env, c) != NULL) {
        c->work->total_retrans = r->num_retrans;
        c->work->undo = true;
        c->work->retrans_stamp = r->synack_sent;
    }
    tcp_count(env, HO_TCP_COUNT_PASSIVE_OPENS);
}

bool ho_tcp_reset_for(const struct ho_wire_tcp *seg, struct ho_wire_tcp *ret)
{
    if ((seg->flags & HO_TCP_RST) != 0) {
        return false;
    }
    *ret = (struct ho_wire_tcp){ .sport = seg->dport, .dport = seg->sport, .flags = HO_TCP_RST };
    if ((seg->flags & HO_TCP_ACK) != 0) {
        ret->seq = seg->ack;
        return true;
    }
    ret->flags |= HO_TCP_ACK;
    ret->ack = seg->seq + seg->payload_len + ((seg->flags & HO_TCP_SYN) != 0 ? 1u : 0u) +
               ((seg->flags & HO_TCP_FIN) != 0 ? 1u : 0u);
    return true;
}
