/* Losing and finding again: what the sender believes, and how it changes its mind.
 *
 * RFC 6675's states as Linux keeps them: Open, Disorder (something odd), CWR, Recovery (loss seen
 * by SACK or duplicate ACKs), Loss (timeout). Leaving is as important as entering: if the
 * timestamps (RFC 3522), D-SACKs or F-RTO (RFC 5682) show that nothing was lost, the windows are
 * put back (ground-truth row 4, bulk streams: the ACK was lost, not the data).
 */

#include "tcp/conn.h"

void tcp_mark_lost(struct ho_tcp *c, struct ho_tcp_skb *s)
{
    struct ho_tcp_work *w = c->work;
    uint32_t segs = tcp_skb_segs(c, s);

    if (s->acked) {
        return;
    }
    if (s->lost) {
        if (s->rexmit) { /* the repeat is lost, too */
            s->rexmit = false;
            w->retrans_out -= segs;
            w->lost += segs;
        }
        return;
    }
    s->lost = true;
    w->lost_out += segs;
    w->lost += segs;
    if (s->rexmit) {
        s->rexmit = false;
        w->retrans_out -= segs;
    }
    if ((c->flags & TCP_F_SACK) == 0 && w->sacked_out + w->lost_out > w->packets_out) {
        w->sacked_out = w->packets_out - w->lost_out; /* a lost one sent no duplicate ACK */
    }
}

static void init_undo(struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;

    w->undo = true;
    w->undo_marker = c->snd_una;
    w->undo_retrans = w->retrans_out > 0 ? (int32_t)w->retrans_out : -1;
}

static uint32_t current_ssthresh(const struct ho_tcp *c)
{
    uint32_t cwnd = tcp_cwnd(c), kept = (cwnd >> 1) + (cwnd >> 2);

    if (tcp_in_reduction(c->work)) {
        return tcp_ssthresh(c);
    }
    return tcp_ssthresh(c) > kept ? tcp_ssthresh(c) : kept;
}

/* The head is SACKed and not acknowledged for a whole timeout: the peer has thrown away what it
 * had reported, and no report counts any more (RFC 2018 8). Without SACK the duplicate ACKs are
 * forgotten.
 */
static void forget_reports(struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;

    if ((c->flags & TCP_F_SACK) != 0 && !w->head->acked) {
        return;
    }
    for (struct ho_tcp_skb *s = w->head; s != NULL && s != w->send_head; s = s->next) {
        s->acked = false;
    }
    w->sacked_out = 0;
}

void tcp_enter_loss(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    bool again = w->ca_state < TCP_CA_RECOVERY;

    forget_reports(c);
    for (struct ho_tcp_skb *s = w->head; s != NULL && s != w->send_head; s = s->next) {
        int64_t age_us = ho_time_since(now, s->sent).ns / 1000;
        if (s == w->head || age_us >= (int64_t)w->rack.rtt_us) {
            tcp_mark_lost(c, s); /* what was sent less than a round trip ago may yet arrive */
        }
    }
    if (w->ca_state <= TCP_CA_DISORDER || !ho_seq_after(w->high_seq, c->snd_una) ||
        (w->ca_state == TCP_CA_LOSS && c->retransmits == 0)) {
        w->prior_ssthresh = current_ssthresh(c);
        w->prior_cwnd = tcp_cwnd(c);
        tcp_set_ssthresh(env, c, tcp_cc_ssthresh(env, c));
        tcp_cc_loss(c);
        init_undo(c);
    }
    tcp_set_cwnd(env, c, tcp_in_flight(w) + 1);
    w->ca_state = TCP_CA_LOSS;
    w->high_seq = c->snd_nxt;
    w->tlp = false;
    w->frto = tcp_sys(env, HO_SYSCTL_TCP_FRTO) != 0 && (again || c->retransmits > 0);
}

/* ---- changing one's mind
 * --------------------------------------------------------------------------- */

/* The ACK echoes a timestamp from before the first repeat: the original arrived (RFC 3522). */
static bool packet_delayed(const struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    const struct ho_tcp_work *w = c->work;

    if (w->retrans_stamp.ns == 0) {
        return true;
    }
    return seg->has_ts && seg->ts_ecr != 0 &&
           (int32_t)(seg->ts_ecr - ho_tcp_ts_now(c->path, w->retrans_stamp)) < 0;
}

static bool may_undo(const struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    return c->work->undo && (c->work->undo_retrans == 0 || packet_delayed(c, seg));
}

static void undo_reduction(struct ho_tcp_env *env, struct ho_tcp *c, bool unmark)
{
    struct ho_tcp_work *w = c->work;

    if (unmark) {
        for (struct ho_tcp_skb *s = w->head; s != NULL && s != w->send_head; s = s->next) {
            s->lost = false;
        }
        w->lost_out = 0;
    }
    if (w->prior_ssthresh != 0) {
        if (w->prior_cwnd > tcp_cwnd(c)) {
            tcp_set_cwnd(env, c, w->prior_cwnd);
        }
        if (w->prior_ssthresh > tcp_ssthresh(c)) {
            tcp_set_ssthresh(env, c, w->prior_ssthresh);
        }
    }
    w->undo = false;
    w->rack.advanced = 1;
}

/* Without SACK, Recovery is held until something above high_seq was acknowledged (RFC 6582). */
static bool holds_reopen(struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;

    return ho_seq_eq(c->snd_una, w->high_seq) && (c->flags & TCP_F_SACK) == 0;
}

static bool undo_recovery(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    struct ho_tcp_work *w = c->work;

    if (may_undo(c, seg)) {
        tcp_count(env,
                  w->ca_state == TCP_CA_LOSS ? HO_TCP_COUNT_LOSS_UNDO : HO_TCP_COUNT_FULL_UNDO);
        undo_reduction(env, c, false);
    }
    if (holds_reopen(c)) {
        return true;
    }
    w->ca_state = TCP_CA_OPEN;
    return false;
}

static bool undo_dsack(struct ho_tcp_env *env, struct ho_tcp *c)
{
    if (!c->work->undo || c->work->undo_retrans != 0) {
        return false;
    }
    tcp_count(env, HO_TCP_COUNT_DSACK_UNDO);
    undo_reduction(env, c, false);
    return true;
}

static bool undo_loss(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                      bool frto)
{
    struct ho_tcp_work *w = c->work;

    if (!frto && !may_undo(c, seg)) {
        return false;
    }
    undo_reduction(env, c, true);
    tcp_count(env, HO_TCP_COUNT_LOSS_UNDO);
    if (frto) {
        tcp_count(env, HO_TCP_COUNT_SPURIOUS_RTOS);
    }
    c->retransmits = 0;
    if (!holds_reopen(c) && (frto || (c->flags & TCP_F_SACK) != 0)) {
        w->ca_state = TCP_CA_OPEN;
    }
    return true;
}

/* ---- reducing
 * ------------------------------------------------------------------------------------------ */

static void init_reduction(struct ho_tcp_env *env, struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;

    w->high_seq = c->snd_nxt;
    w->tlp = false;
    w->prior_cwnd = tcp_cwnd(c);
    w->prr_delivered = 0;
    w->prr_out = 0;
    tcp_set_ssthresh(env, c, tcp_cc_ssthresh(env, c));
}

static void end_reduction(struct ho_tcp_env *env, struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;

    if (tcp_ssthresh(c) < TCP_SSTHRESH_UNSET && (w->ca_state == TCP_CA_CWR || w->undo)) {
        tcp_set_cwnd(env, c, tcp_ssthresh(c));
    }
}

/* Proportional rate reduction (RFC 6937): cwnd follows what is delivered down to ssthresh. */
void tcp_cwnd_reduction(struct ho_tcp_env *env, struct ho_tcp *c, const struct tcp_ack *a)
{
    struct ho_tcp_work *w = c->work;
    uint32_t flight = tcp_in_flight(w), ssthresh = tcp_ssthresh(c);
    int64_t count;

    if (a->acked == 0 || w->prior_cwnd == 0) {
        return;
    }
    w->prr_delivered += a->acked;
    if (flight > ssthresh) {
        uint64_t share = (uint64_t)ssthresh * w->prr_delivered + w->prior_cwnd - 1;
        count = (int64_t)(share / w->prior_cwnd) - w->prr_out;
    } else {
        count = (int64_t)w->prr_delivered - w->prr_out;
        count = count > a->acked ? count : a->acked;
        if ((a->flags & ACKF_UNA_ADVANCED) != 0 && w->lost == a->lost_before) {
            count++;
        }
        int64_t room = (int64_t)ssthresh - flight;
        count = count < room ? count : room;
    }
    int64_t least = w->prr_out > 0 ? 0 : 1;
    count = count > least ? count : least;
    tcp_set_cwnd(env, c, (uint32_t)(flight + count));
}

void tcp_enter_recovery(struct ho_tcp_env *env, struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;

    tcp_count(env, (c->flags & TCP_F_SACK) != 0 ? HO_TCP_COUNT_SACK_RECOVERY
                                                : HO_TCP_COUNT_RENO_RECOVERY);
    w->prior_ssthresh = 0;
    init_undo(c);
    if (!tcp_in_reduction(w)) {
        w->prior_ssthresh = current_ssthresh(c);
        init_reduction(env, c);
    }
    w->ca_state = TCP_CA_RECOVERY;
}

/* ---- without SACK: duplicate ACKs stand for segments (RFC 5681 3.2)
 * -------------------------------------- */

static void reno_add(struct ho_tcp *c, bool dupack)
{
    struct ho_tcp_work *w = c->work;
    uint32_t holes = w->lost_out > 0 ? w->lost_out : 1;

    if (dupack && w->sacked_out + 1 + holes <= w->packets_out) {
        w->sacked_out++;
        w->delivered++;
    }
}

static void reno_reset(struct ho_tcp *c)
{
    c->work->sacked_out = 0;
}

/* One segment is known to be lost, not the whole run that it begins. */
static void reno_mark_head(struct ho_tcp_env *env, struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;

    if (w->head == NULL || w->head == w->send_head || w->head->lost) {
        return;
    }
    if (w->head->len > c->mss && tcp_skb_split(env, c, w->head, c->mss) < 0) {
        return;
    }
    tcp_mark_lost(c, w->head);
}

/* ---- the states
 * ------------------------------------------------------------------------------------------- */

static bool sack_on(const struct ho_tcp *c)
{
    return (c->flags & TCP_F_SACK) != 0;
}

static void identify_loss(struct ho_tcp_env *env, struct ho_tcp *c, struct tcp_ack *a,
                          struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    uint32_t before = w->retrans_out;

    if (!sack_on(c)) {
        if (w->ca_state == TCP_CA_RECOVERY && (a->flags & ACKF_UNA_ADVANCED) != 0) {
            reno_mark_head(env, c); /* a partial ACK (RFC 6582 3.2) */
        } else if (w->ca_state < TCP_CA_RECOVERY && w->sacked_out >= w->reordering) {
            reno_mark_head(env, c);
        }
        return;
    }
    tcp_rack_detect(env, c, now);
    if (before > w->retrans_out) {
        a->flags |= ACKF_LOST_RETRANS;
    }
}

/* A repeat is under way, or the head of the queue was repeated (Linux tcp_any_retrans_done). */
static bool any_repeat(const struct ho_tcp_work *w)
{
    return w->retrans_out > 0 ||
           (w->head != NULL && w->head != w->send_head && w->head->ever_rexmit);
}

static void try_keep_open(struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;
    uint8_t state = TCP_CA_OPEN;

    if (w->sacked_out + w->lost_out > 0 || any_repeat(w)) {
        state = TCP_CA_DISORDER;
    }
    if (w->ca_state != state) {
        w->ca_state = state;
        w->high_seq = c->snd_nxt;
    }
}

static void try_to_open(struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;

    if (w->retrans_out == 0) {
        w->retrans_stamp = (struct ho_time){ 0 };
    }
    if (w->ca_state != TCP_CA_CWR) {
        try_keep_open(c);
    }
}

enum rexmit {
    REXMIT_NONE,
    REXMIT_LOST,
    REXMIT_NEW
};

/* The state Loss (RFC 5682): was the timeout spurious? */
static enum rexmit process_loss(struct ho_tcp_env *env, struct ho_tcp *c,
                                const struct ho_wire_tcp *seg, struct tcp_ack *a, bool dupack)
{
    struct ho_tcp_work *w = c->work;
    bool recovered = !ho_seq_before(c->snd_una, w->high_seq);
    bool advanced = (a->flags & ACKF_UNA_ADVANCED) != 0;

    if (advanced && undo_loss(env, c, seg, false)) {
        return REXMIT_NONE;
    }
    if (w->frto) {
        if ((a->flags & ACKF_ORIG_SACK_ACKED) != 0 && undo_loss(env, c, seg, true)) {
            return REXMIT_NONE;
        }
        if (ho_seq_after(c->snd_nxt, w->high_seq)) {
            if ((a->flags & ACKF_DATA_SACKED) != 0 || dupack) {
                w->frto = false; /* the loss was real */
            }
        } else if (advanced && !recovered) {
            w->high_seq = c->snd_nxt;
            if (w->send_head != NULL && ho_seq_after(tcp_wnd_end(c), c->snd_nxt)) {
                return REXMIT_NEW;
            }
            w->frto = false;
        }
    }
    if (recovered) {
        undo_recovery(env, c, seg);
        return REXMIT_NONE;
    }
    if (!sack_on(c)) {
        if (ho_seq_after(c->snd_nxt, w->high_seq) && dupack) {
            reno_add(c, dupack);
        } else if (advanced) {
            reno_reset(c);
        }
    }
    return REXMIT_LOST;
}

/* Leaves the state if its end has been acknowledged. Returns true if there is no more to do. */
static bool leave(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    struct ho_tcp_work *w = c->work;

    if (w->ca_state == TCP_CA_OPEN) {
        w->retrans_stamp = (struct ho_time){ 0 };
        return false;
    }
    if (ho_seq_before(c->snd_una, w->high_seq)) {
        return false;
    }
    if (w->ca_state == TCP_CA_CWR && !ho_seq_eq(c->snd_una, w->high_seq)) {
        end_reduction(env, c);
        w->ca_state = TCP_CA_OPEN;
    } else if (w->ca_state == TCP_CA_RECOVERY) {
        if (!sack_on(c)) {
            reno_reset(c);
        }
        if (undo_recovery(env, c, seg)) {
            return true;
        }
        end_reduction(env, c);
    }
    return false;
}

static bool undo_partial(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    struct ho_tcp_work *w = c->work;

    if (!w->undo || !packet_delayed(c, seg) || w->retrans_stamp.ns == 0) {
        return false;
    }
    if (w->retrans_out > 0) {
        return true; /* the hole was filled by the original; wait for the repeats */
    }
    w->retrans_stamp = (struct ho_time){ 0 };
    undo_reduction(env, c, true);
    try_keep_open(c);
    return false;
}

static enum rexmit in_recovery(struct ho_tcp_env *env, struct ho_tcp *c,
                               const struct ho_wire_tcp *seg, struct tcp_ack *a, bool dupack,
                               struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    if ((a->flags & ACKF_UNA_ADVANCED) == 0) {
        if (!sack_on(c)) {
            reno_add(c, dupack);
        }
    } else if (undo_partial(env, c, seg)) {
        return REXMIT_NONE;
    }
    if (undo_dsack(env, c)) {
        try_to_open(c);
    }
    identify_loss(env, c, a, now);
    if (w->ca_state != TCP_CA_RECOVERY) {
        if (w->lost_out == 0) {
            return REXMIT_NONE;
        }
        tcp_enter_recovery(env, c);
    }
    return REXMIT_LOST;
}

static enum rexmit otherwise(struct ho_tcp_env *env, struct ho_tcp *c, struct tcp_ack *a,
                             bool dupack, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    if (!sack_on(c)) {
        if ((a->flags & ACKF_UNA_ADVANCED) != 0) {
            reno_reset(c);
        }
        reno_add(c, dupack);
    }
    if (w->ca_state <= TCP_CA_DISORDER) {
        undo_dsack(env, c);
    }
    identify_loss(env, c, a, now);
    if (w->lost_out == 0) {
        try_to_open(c);
        return REXMIT_NONE;
    }
    tcp_enter_recovery(env, c);
    return REXMIT_LOST;
}

/* An ACK that is not plain: Linux tcp_fastretrans_alert(). What follows from it is sent by
 * tcp_recover(), once the congestion window is settled.
 */
void tcp_fastretrans(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                     struct tcp_ack *a, bool dupack, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    if (w->packets_out == 0 && w->sacked_out > 0) {
        w->sacked_out = 0;
    }
    if (leave(env, c, seg)) {
        return;
    }
    enum rexmit what;
    if (w->ca_state == TCP_CA_RECOVERY) {
        what = in_recovery(env, c, seg, a, dupack, now);
    } else if (w->ca_state == TCP_CA_LOSS) {
        what = process_loss(env, c, seg, a, dupack);
        identify_loss(env, c, a, now);
        if (w->ca_state == TCP_CA_OPEN || (a->flags & ACKF_LOST_RETRANS) != 0) {
            what = otherwise(env, c, a, dupack, now);
        }
    } else {
        what = otherwise(env, c, a, dupack, now);
    }
    a->rexmit = (uint8_t)what;
}

void tcp_recover(struct ho_tcp_env *env, struct ho_tcp *c, const struct tcp_ack *a,
                 struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    if (a->rexmit == REXMIT_NONE) {
        return;
    }
    if (a->rexmit == REXMIT_NEW) {
        tcp_push(env, c, TCP_NAGLE_OFF, now);
        if (ho_seq_after(c->snd_nxt, w->high_seq)) {
            return;
        }
        w->frto = false;
    }
    tcp_rexmit_lost(env, c, now);
}

/* What became of a tail loss probe (RFC 8985 7.4). */
void tcp_process_tlp_ack(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                         struct tcp_ack *a)
{
    struct ho_tcp_work *w = c->work;
    struct ho_seq ack = ho_seq(seg->ack);

    if (!w->tlp || ho_seq_before(ack, w->tlp_high_seq)) {
        return;
    }
    if (!w->tlp_retrans || (a->flags & ACKF_DSACK_TLP) != 0) {
        w->tlp = false;
    } else if (ho_seq_after(ack, w->tlp_high_seq)) {
        /* no duplicate was reported: the probe repaired a loss */
        init_reduction(env, c);
        w->ca_state = TCP_CA_CWR;
        end_reduction(env, c);
        try_keep_open(c);
        tcp_count(env, HO_TCP_COUNT_LOSS_PROBE_RECOVERY);
    } else if ((a->flags & (ACKF_UNA_ADVANCED | ACKF_NOT_DUP | ACKF_DATA_SACKED)) == 0) {
        w->tlp = false;
    }
}
