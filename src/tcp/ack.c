/* What an acknowledgment says: sent bytes leave the queue, the clock gets a sample, the windows
 * move (RFC 9293 3.10.7.4, fifth).
 */

#include <assert.h>

#include "tcp/conn.h"

/* RFC 9293: a window is news if its segment is newer than the one the last came from. */
static void update_window(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                          struct tcp_ack *a, struct ho_time now)
{
    struct ho_seq ack = ho_seq(seg->ack), seq = ho_seq(seg->seq);
    uint32_t window = seg->window;

    if ((seg->flags & HO_TCP_SYN) == 0) {
        window <<= c->snd_wscale;
    }
    bool news = ho_seq_after(ack, c->snd_una) || ho_seq_after(seq, c->snd_wl1) ||
                (ho_seq_eq(seq, c->snd_wl1) && (window > c->snd_wnd || window == 0));
    if (!news) {
        return;
    }
    a->flags |= ACKF_WIN_UPDATE;
    c->snd_wl1 = seq;
    if (window != c->snd_wnd) {
        c->snd_wnd = window;
        if (c->work != NULL && c->work->send_head != NULL) {
            tcp_cc_idle(env, c, now);
        }
        if (window > c->max_window) {
            c->max_window = window;
        }
    }
}

/* One run leaves the queue, wholly acknowledged. */
static void run_acked(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                      struct tcp_ack *a, struct ho_time *first, struct ho_time *last,
                      struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    struct ho_tcp_skb *s = w->head;
    uint32_t segs = tcp_skb_segs(c, s);

    if (s->ever_rexmit) {
        if (s->rexmit) {
            w->retrans_out -= segs;
        }
        a->flags |= ACKF_RETRANS_ACKED;
    } else if (!s->acked) {
        *last = s->sent;
        if (first->ns == 0) {
            *first = s->sent;
        }
        if (!ho_seq_after(tcp_skb_end(s), w->high_seq)) {
            a->flags |= ACKF_ORIG_SACK_ACKED;
        }
    }
    if (s->acked) {
        w->sacked_out -= segs;
    } else if ((c->flags & TCP_F_SACK) != 0) {
        tcp_rack_advance(c, s, now, seg);
        w->delivered += segs;
        a->acked += segs;
    } else {
        w->delivered += segs;
        a->acked += segs;
    }
    if (s->lost) {
        w->lost_out -= segs;
    }
    w->packets_out -= segs;
    a->flags |= (s->flags & HO_TCP_SYN) != 0 ? ACKF_SYN_ACKED : ACKF_DATA_ACKED;
    tcp_skb_free_head(env, c);
}

/* Without SACK: one segment acknowledged was the hole, the others had their duplicate ACKs (Linux
 * tcp_remove_reno_sacks).
 */
static void reno_acked(struct ho_tcp *c, uint32_t acked)
{
    struct ho_tcp_work *w = c->work;
    uint32_t holes = w->lost_out > 0 ? w->lost_out : 1;

    if ((c->flags & TCP_F_SACK) != 0 || acked == 0) {
        return;
    }
    w->sacked_out -= acked - 1 < w->sacked_out ? acked - 1 : w->sacked_out;
    holes = holes < w->packets_out ? holes : w->packets_out;
    if (w->sacked_out + holes > w->packets_out) {
        w->sacked_out = w->packets_out - holes;
    }
}

/* Takes what is below snd_una off the queue. */
static void clean_queue(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                        struct tcp_ack *a, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    struct ho_time first = { 0 }, last = { 0 };

    while (w->head != NULL && w->head != w->send_head) {
        struct ho_tcp_skb *s = w->head;
        if (ho_seq_after(tcp_skb_end(s), c->snd_una)) {
            uint32_t in = ho_seq_before(s->seq, c->snd_una) ? ho_seq_diff(c->snd_una, s->seq) : 0;
            uint32_t whole = in / c->mss * c->mss;
            if (whole == 0 || whole >= s->len || tcp_skb_split(env, c, s, whole) < 0) {
                break;
            }
        }
        run_acked(env, c, seg, a, &first, &last, now);
    }
    reno_acked(c, a->acked);
    uint32_t bytes =
        ho_seq_before(w->sndq_seq, c->snd_una) ? ho_seq_diff(c->snd_una, w->sndq_seq) : 0;
    bytes = bytes < w->sndq.len ? bytes : w->sndq.len;
    ho_bytes_drop(&w->sndq, env->bufs, bytes);
    w->sndq_seq = ho_seq_add(w->sndq_seq, bytes);
    w->moved += bytes;
    if (first.ns != 0 && (a->flags & ACKF_RETRANS_ACKED) == 0) {
        a->rtt_us = ho_time_since(now, first).ns / 1000;
        a->ca_rtt_us = ho_time_since(now, last).ns / 1000;
    }
}

/* A round-trip sample: of a segment never repeated, of one that was SACKed, or by the echoed
 * timestamp (RFC 7323 4.1), in this order.
 */
static void sample_rtt(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                       struct tcp_ack *a, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    int64_t rtt = a->rtt_us >= 0 ? a->rtt_us : a->sack_rtt_us;

    if (rtt < 0 && seg->has_ts && seg->ts_ecr != 0 && (a->flags & ACKF_ACKED) != 0) {
        uint32_t ms = ho_tcp_ts_now(c->path, now) - seg->ts_ecr;
        rtt = ms < 0x7fffffffu / 1000u ? (int64_t)(ms > 0 ? ms : 1) * 1000 : -1;
        a->ca_rtt_us = rtt;
    }
    if (rtt < 0) {
        return;
    }
    int64_t low = a->ca_rtt_us >= 0 ? a->ca_rtt_us : rtt;
    if (low > 0 && (w->rack.min_rtt_us == 0 || low < w->rack.min_rtt_us)) {
        w->rack.min_rtt_us = (uint32_t)low;
    }
    tcp_rtt_sample(env, c, (uint32_t)rtt, true);
}

/* Nothing was in flight: the ACK answers a window probe, or moves the window (row 12). */
static void ack_probe(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    if (w == NULL || w->send_head == NULL) {
        return;
    }
    if (!ho_seq_after(tcp_skb_end(w->send_head), tcp_wnd_end(c))) {
        c->backoff = 0;
        w->probes_tstamp = 0;
        if (w->pending == TCP_PENDING_PROBE) {
            tcp_disarm(c);
        }
    } else {
        uint64_t us = tcp_probe_clamp_us(env, c, tcp_probe_when_us(env, c), now);
        tcp_arm(env, c, TCP_PENDING_PROBE, us, now);
    }
}

static void replace_ts_recent(struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    if ((c->flags & TCP_F_TS) != 0 && seg->has_ts && !ho_seq_after(ho_seq(seg->seq), c->rcv_wup) &&
        (int32_t)(seg->ts_val - c->ts_recent) >= 0) {
        c->ts_recent = seg->ts_val; /* RFC 7323 4.3 (2) */
    }
}

static bool is_dubious(const struct ho_tcp_work *w, const struct tcp_ack *a)
{
    return (a->flags & ACKF_NOT_DUP) == 0 || w->ca_state != TCP_CA_OPEN ||
           (a->flags & (ACKF_DATA_SACKED | ACKF_DSACKING)) != 0;
}

static void grow_cwnd(struct ho_tcp_env *env, struct ho_tcp *c, const struct tcp_ack *a,
                      struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    if (tcp_in_reduction(w)) {
        tcp_cwnd_reduction(env, c, a);
    } else if ((a->flags & ACKF_DATA_ACKED) != 0) {
        tcp_cc_acked(env, c, a->acked, now);
    }
}

static void ack_in_flight(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                          struct tcp_ack *a, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    a->lost_before = w->lost;
    clean_queue(env, c, seg, a, now);
    if ((a->flags & ACKF_ACKED) != 0 || a->sack_rtt_us >= 0) {
        sample_rtt(env, c, seg, a, now);
    }
    if ((a->flags & ACKF_ACKED) != 0) {
        a->flags |= ACKF_SET_TIMER;
    }
    tcp_process_tlp_ack(env, c, seg, a);
    if (is_dubious(w, a)) {
        unsigned not_dup = ACKF_UNA_ADVANCED | ACKF_NOT_DUP | ACKF_DSACKING;
        tcp_fastretrans(env, c, seg, a, (a->flags & not_dup) == 0, now);
    }
    if ((a->flags & ACKF_SET_TIMER) != 0 && w->pending != TCP_PENDING_REO &&
        !tcp_schedule_loss_probe(env, c, true, now)) {
        tcp_rearm_rto(env, c, now);
    }
    if (w->packets_out == 0 && w->pending != TCP_PENDING_PROBE) {
        tcp_disarm(c);
    }
    if ((a->flags & (ACKF_ACKED | ACKF_DATA_SACKED)) != 0 || (a->flags & ACKF_NOT_DUP) == 0) {
        c->flags |= TCP_F_CONFIRM; /* forward progress: the neighbour works */
    }
    grow_cwnd(env, c, a, now);
    w->pace = tcp_cc_pace(c);
    tcp_recover(env, c, a, now);
}

static enum tcp_ack_result ack_old(struct ho_tcp_env *env, struct ho_tcp *c,
                                   const struct ho_wire_tcp *seg, struct tcp_ack *a,
                                   struct ho_time now)
{
    if (ho_seq_before(ho_seq(seg->ack), ho_seq_add(c->snd_una, 0u - c->max_window))) {
        tcp_count(env, HO_TCP_COUNT_DROP_OLD_ACK);
        return TCP_ACK_TOO_OLD;
    }
    if (seg->n_sack > 0 && c->work != NULL) {
        tcp_sack_tag(env, c, seg, a, now);
        tcp_fastretrans(env, c, seg, a, false, now);
        tcp_recover(env, c, a, now);
    }
    return TCP_ACK_OLD;
}

enum tcp_ack_result tcp_ack(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                            struct ho_time now)
{
    struct ho_seq ack = ho_seq(seg->ack);
    struct tcp_ack a = {
        .prior_una = c->snd_una, .rtt_us = -1, .sack_rtt_us = -1, .ca_rtt_us = -1
    };

    if (ho_seq_before(ack, c->snd_una)) {
        return ack_old(env, c, seg, &a, now);
    }
    if (ho_seq_after(ack, c->snd_nxt)) {
        tcp_count(env, HO_TCP_COUNT_DROP_FUTURE_ACK);
        return TCP_ACK_UNSENT;
    }
    if (ho_seq_after(ack, c->snd_una)) {
        a.flags |= ACKF_UNA_ADVANCED;
        c->retransmits = 0;
    }
    replace_ts_recent(c, seg);
    if (seg->payload_len > 0 || (seg->flags & (HO_TCP_FIN | HO_TCP_SYN)) != 0) {
        a.flags |= ACKF_DATA;
    }
    uint32_t in_flight = c->work != NULL ? c->work->packets_out : 0;
    update_window(env, c, seg, &a, now);
    c->snd_una = ack;
    tcp_sack_tag(env, c, seg, &a, now);
    c->err_soft = 0;
    c->probes_out = 0;
    c->rcv_tstamp = tcp_tick_now(env, now);
    if (in_flight > 0) {
        ack_in_flight(env, c, seg, &a, now);
    } else {
        if ((a.flags & ACKF_DSACKING) != 0) {
            tcp_fastretrans(env, c, seg, &a, false, now);
        }
        ack_probe(env, c, now);
        if (c->work != NULL) {
            tcp_process_tlp_ack(env, c, seg, &a);
        }
    }
    return TCP_ACK_OK;
}
