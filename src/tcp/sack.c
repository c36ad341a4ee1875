/* What the peer has: SACK blocks on the sent queue (RFC 2018), duplicates reported (RFC 2883),
 * and what RACK concludes from the order of delivery (RFC 8985).
 */

#include "tcp/conn.h"

/* The latest sent of all delivered segments: whatever was sent long enough before it is lost. */
void tcp_rack_advance(struct ho_tcp *c, const struct ho_tcp_skb *s, struct ho_time now,
                      const struct ho_wire_tcp *seg)
{
    struct ho_tcp_work *w = c->work;
    uint32_t rtt_us = (uint32_t)(ho_time_since(now, s->sent).ns / 1000);

    if (s->ever_rexmit) {
        /* of the original or of the repeat? Not of the repeat if its timestamp is not echoed, or
         * if it came back faster than ever (RFC 8985 6.2 step 2)
         */
        bool of_original =
            seg->has_ts && (int32_t)(seg->ts_ecr - ho_tcp_ts_now(c->path, s->sent)) < 0;
        if (of_original || rtt_us < w->rack.min_rtt_us) {
            return;
        }
    }
    w->rack.advanced = 1;
    w->rack.rtt_us = rtt_us;
    struct ho_seq end = tcp_skb_end(s);
    if (ho_time_before(w->rack.mstamp, s->sent) ||
        (w->rack.mstamp.ns == s->sent.ns && ho_seq_after(end, w->rack.end_seq))) {
        w->rack.mstamp = s->sent;
        w->rack.end_seq = end;
    }
}

static void tag_one(struct ho_tcp *c, struct ho_tcp_skb *s, struct tcp_ack *a,
                    const struct ho_wire_tcp *seg, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    uint32_t segs = tcp_skb_segs(c, s);

    tcp_rack_advance(c, s, now, seg);
    if (s->rexmit) {
        if (s->lost) {
            w->lost_out -= segs;
            w->retrans_out -= segs;
            s->lost = false;
            s->rexmit = false;
        }
    } else {
        if (!s->ever_rexmit) {
            if (!ho_seq_after(tcp_skb_end(s), w->high_seq)) {
                a->flags |= ACKF_ORIG_SACK_ACKED;
            }
            a->sack_rtt_us = ho_time_since(now, s->sent).ns / 1000;
        }
        if (s->lost) {
            s->lost = false;
            w->lost_out -= segs;
        }
    }
    s->acked = true;
    w->sacked_out += segs;
    w->delivered += segs;
    a->acked += segs;
    a->flags |= ACKF_DATA_SACKED;
}

/* Marks what lies in [from, to), cutting runs at the block's edges on segment boundaries. */
static void tag_block(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_seq from,
                      struct ho_seq to, struct tcp_ack *a, const struct ho_wire_tcp *seg,
                      struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    for (struct ho_tcp_skb *s = w->head; s != NULL && s != w->send_head; s = s->next) {
        struct ho_seq end = tcp_skb_end(s);
        if (!ho_seq_before(s->seq, to)) {
            break;
        }
        if (s->acked || !ho_seq_after(end, from)) {
            continue;
        }
        if (ho_seq_before(s->seq, from)) {
            uint32_t keep = ho_seq_diff(from, s->seq) / c->mss * c->mss;
            if (keep > 0 && keep < s->len) {
                if (tcp_skb_split(env, c, s, keep) < 0) {
                    return;
                }
                continue;
            }
            continue; /* part of one segment, or a FIN alone: it does not count */
        }
        if (ho_seq_after(end, to)) {
            uint32_t in = ho_seq_diff(to, s->seq) / c->mss * c->mss;
            if (in == 0 || in >= s->len || tcp_skb_split(env, c, s, in) < 0) {
                continue;
            }
        }
        tag_one(c, s, a, seg, now);
    }
}

/* A duplicate report is below the cumulative ACK, or inside the second block (RFC 2883 4). */
static bool is_dsack(const struct ho_wire_tcp *seg)
{
    struct ho_seq from = ho_seq(seg->sack[0].from), to = ho_seq(seg->sack[0].to);

    if (ho_seq_before(from, ho_seq(seg->ack))) {
        return true;
    }
    return seg->n_sack > 1 && !ho_seq_before(from, ho_seq(seg->sack[1].from)) &&
           !ho_seq_after(to, ho_seq(seg->sack[1].to));
}

static void dsack_seen(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                       struct tcp_ack *a)
{
    struct ho_tcp_work *w = c->work;
    struct ho_seq to = ho_seq(seg->sack[0].to);

    tcp_count(env, HO_TCP_COUNT_DSACK_RECV);
    a->flags |= ACKF_DSACKING;
    if (w->tlp && w->tlp_retrans && ho_seq_eq(to, w->tlp_high_seq)) {
        a->flags |= ACKF_DSACK_TLP;
    } else {
        w->rack.dsack_seen = 1;
    }
    if (w->undo && w->undo_retrans > 0 && ho_seq_after(to, w->undo_marker)) {
        uint32_t len = seg->sack[0].to - seg->sack[0].from;
        int32_t segs = (int32_t)((len + c->mss - 1) / c->mss);
        w->undo_retrans = w->undo_retrans > segs ? w->undo_retrans - segs : 0;
    }
}

void tcp_sack_tag(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                  struct tcp_ack *a, struct ho_time now)
{
    uint8_t first = 0;

    if (seg->n_sack == 0 || (c->flags & TCP_F_SACK) == 0 || c->work == NULL) {
        return;
    }
    if (is_dsack(seg)) {
        dsack_seen(env, c, seg, a);
        first = 1;
    }
    for (uint8_t i = first; i < seg->n_sack; i++) {
        struct ho_seq from = ho_seq(seg->sack[i].from), to = ho_seq(seg->sack[i].to);
        if (!ho_seq_before(from, to) || ho_seq_after(to, c->snd_nxt) ||
            !ho_seq_after(from, c->snd_una)) {
            continue; /* RFC 2018 8: not to be believed */
        }
        tag_block(env, c, from, to, a, seg, now);
    }
}

/* ---- RACK: lost is what was sent well before something that arrived ---------------------------
 */

static uint32_t reo_wnd_us(const struct ho_tcp *c)
{
    const struct ho_tcp_work *w = c->work;

    if (!w->rack.reord_seen && (w->ca_state >= TCP_CA_RECOVERY || w->sacked_out >= w->reordering)) {
        return 0;
    }
    uint32_t wnd = (w->rack.min_rtt_us >> 2) * w->rack.reo_steps;
    return wnd < c->srtt_us >> 3 ? wnd : c->srtt_us >> 3;
}

static bool sent_after(struct ho_time t1, struct ho_seq e1, const struct ho_tcp_skb *s)
{
    return ho_time_before(s->sent, t1) || (s->sent.ns == t1.ns && ho_seq_after(e1, tcp_skb_end(s)));
}

/* Marks what is lost; returns the time in microseconds after which the next would be, 0: none. */
static uint32_t detect(struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    int64_t reo = reo_wnd_us(c), wait = 0;

    w->rack.advanced = 0;
    for (struct ho_tcp_skb *s = w->head; s != NULL && s != w->send_head; s = s->next) {
        if (s->acked || (s->lost && !s->rexmit)) {
            continue;
        }
        if (!sent_after(w->rack.mstamp, w->rack.end_seq, s)) {
            continue;
        }
        int64_t left = (int64_t)w->rack.rtt_us + reo - ho_time_since(now, s->sent).ns / 1000;
        if (left <= 0) {
            tcp_mark_lost(c, s);
        } else if (left > wait) {
            wait = left;
        }
    }
    return (uint32_t)wait;
}

void tcp_rack_detect(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    if (c->work->rack.advanced == 0) {
        return;
    }
    uint32_t wait = detect(c, now);
    if (wait > 0) {
        uint64_t us = wait + 2000u;
        uint64_t rto = c->work->rto_us;
        tcp_arm(env, c, TCP_PENDING_REO, us < rto ? us : rto, now);
    }
}

void tcp_rack_timer(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    uint32_t before = tcp_in_flight(w);
    uint32_t wait = detect(c, now);

    if (before != tcp_in_flight(w)) {
        if (w->ca_state != TCP_CA_RECOVERY) {
            tcp_enter_recovery(env, c);
            if (w->ca_state == TCP_CA_RECOVERY) {
                tcp_set_cwnd(env, c, tcp_in_flight(w) + 1);
            }
        }
        tcp_rexmit_lost(env, c, now);
    }
    if (wait > 0 && w->pending == TCP_PENDING_REO) {
        tcp_arm(env, c, TCP_PENDING_REO, wait + 2000u, now);
    }
    if (w->pending != TCP_PENDING_REXMT && (wait == 0 || w->pending != TCP_PENDING_REO)) {
        tcp_rearm_rto(env, c, now);
    }
}
