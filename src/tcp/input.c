/* Segments in: which are acceptable, and what they do in each state (RFC 9293 3.10.7).
 *
 * A ladder of guards first, each a counted drop: timestamps (RFC 7323 5.3), sequence numbers, RST
 * and SYN with the caution of RFC 5961; then the ACK, then the data, then what is to be sent.
 */

#include <assert.h>
#include <errno.h>

#include "tcp/conn.h"

static struct ho_seq seg_end(const struct ho_wire_tcp *seg)
{
    uint32_t extra = (seg->flags & HO_TCP_SYN) != 0 ? 1 : 0;

    extra += (seg->flags & HO_TCP_FIN) != 0 ? 1 : 0;
    return ho_seq(seg->seq + seg->payload_len + extra);
}

/* ---- the end by the peer's will -------------------------------------------------------------- */

/* A valid RST: the error depends on what the application could know (rows 5, 6, 8). */
void tcp_reset(struct ho_tcp_env *env, struct ho_tcp *c)
{
    int err = ECONNRESET;

    if (c->state == HO_TCP_SYN_SENT) {
        err = ECONNREFUSED;
    } else if (c->state == HO_TCP_CLOSE_WAIT) {
        err = EPIPE; /* the stream had ended already */
    }
    if (c->state == HO_TCP_ESTABLISHED || c->state == HO_TCP_CLOSE_WAIT) {
        tcp_count(env, HO_TCP_COUNT_ESTAB_RESETS);
    }
    tcp_fail(env, c, err, HO_TCP_WHY_RST_IN);
}

/* ---- guards ------------------------------------------------------------------------------------
 */

/* What RFC 7323 5.3 R1 makes of a segment's timestamp. */
enum paws {
    PAWS_FINE,
    PAWS_OLD_ACK, /* a pure ACK from the past: nothing to say to it */
    PAWS_REJECTED
};

/* A pure ACK that was overtaken says nothing new and did not come from an earlier life of the
 * connection, if it is not older than a timeout (Linux tcp_disordered_ack).
 */
static bool was_overtaken(const struct ho_tcp_env *env, const struct ho_tcp *c,
                          const struct ho_wire_tcp *seg)
{
    uint32_t rto_us = c->work != NULL ? c->work->rto_us : tcp_rto_base_us(env, c);
    uint32_t window = (uint32_t)seg->window << c->snd_wscale;
    bool news = ho_seq_after(ho_seq(seg->seq), c->snd_wl1) || window > c->snd_wnd || window == 0;

    return seg->ack == c->snd_una.v && !news &&
           (uint64_t)(c->ts_recent - seg->ts_val) * 1000 <= rto_us * 6ull / 5;
}

/* A timestamp is forgotten after 24 days (RFC 7323 5.5). */
static enum paws paws(const struct ho_tcp_env *env, const struct ho_tcp *c,
                      const struct ho_wire_tcp *seg, struct ho_time now)
{
    if ((c->flags & TCP_F_TS) == 0 || !seg->has_ts || (int32_t)(seg->ts_val - c->ts_recent) >= 0) {
        return PAWS_FINE;
    }
    uint64_t idle_us = tcp_ticks_us(env, tcp_tick_now(env, now) - c->rcv_tstamp);
    if (idle_us >= 24ull * 86400 * 1000000) {
        return PAWS_FINE;
    }
    if (seg->flags != HO_TCP_ACK || seg->payload_len > 0) {
        return PAWS_REJECTED;
    }
    if (seg->seq != c->rcv_nxt.v) {
        return ho_seq_before(ho_seq(seg->seq), c->rcv_nxt) ? PAWS_OLD_ACK : PAWS_REJECTED;
    }
    return was_overtaken(env, c, seg) ? PAWS_FINE : PAWS_REJECTED;
}

static bool in_window(const struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    return !ho_seq_before(seg_end(seg), c->rcv_wup) &&
           !ho_seq_after(ho_seq(seg->seq), ho_seq_add(c->rcv_nxt, tcp_receive_window(c)));
}

/* The ACK that answers what cannot be accepted; old data is reported as a duplicate. */
static void send_dupack(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    struct ho_seq seq = ho_seq(seg->seq), end = seg_end(seg);

    if (!ho_seq_eq(seq, end) && ho_seq_before(seq, c->rcv_nxt)) {
        tcp_enter_quickack(c, TCP_MAX_QUICKACKS);
        if (tcp_work(env, c) != NULL) {
            tcp_dsack_set(env, c, seq, ho_seq_after(end, c->rcv_nxt) ? c->rcv_nxt : end);
        }
    }
    tcp_send_ack(c);
}

static void answer_unacceptable(struct ho_tcp_env *env, struct ho_tcp *c,
                                const struct ho_wire_tcp *seg, struct ho_time now)
{
    bool data = seg->payload_len > 0 || (seg->flags & HO_TCP_FIN) != 0;

    if ((seg->flags & HO_TCP_SYN) != 0) {
        tcp_count(env, HO_TCP_COUNT_SYN_CHALLENGE);
        tcp_challenge_ack(env, c, now);
    } else if (data || !tcp_oow_limited(env, &c->last_oow, now)) {
        send_dupack(env, c, seg);
    }
}

static bool is_after_fin(const struct ho_tcp *c)
{
    return c->state == HO_TCP_CLOSE_WAIT || c->state == HO_TCP_LAST_ACK ||
           c->state == HO_TCP_CLOSING;
}

/* RFC 5961 3.2: only a RST at exactly rcv_nxt resets (or just before it, after a FIN; or at the
 * end of the rightmost SACK block); any other in the window is asked about.
 */
static bool rst_is_exact(const struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    if (seg->seq == c->rcv_nxt.v || (is_after_fin(c) && seg->seq == c->rcv_nxt.v - 1)) {
        return true;
    }
    if (c->work == NULL || c->work->n_sacks == 0) {
        return false;
    }
    struct ho_seq right = ho_seq(c->work->sacks[0].to);
    for (uint8_t i = 1; i < c->work->n_sacks; i++) {
        if (ho_seq_after(ho_seq(c->work->sacks[i].to), right)) {
            right = ho_seq(c->work->sacks[i].to);
        }
    }
    return seg->seq == right.v;
}

static bool simultaneous_synack(const struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    return c->state == HO_TCP_SYN_RECV && (seg->flags & HO_TCP_ACK) != 0 && seg->payload_len == 0 &&
           seg->seq + 1 == c->rcv_nxt.v && seg->ack == c->snd_nxt.v;
}

/* Returns true if the segment may go on to be looked at. */
static bool validate(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                     struct ho_time now)
{
    bool rst = (seg->flags & HO_TCP_RST) != 0;

    enum paws old = rst ? PAWS_FINE : paws(env, c, seg, now);
    if (old != PAWS_FINE) {
        tcp_count(env, old == PAWS_OLD_ACK ? HO_TCP_COUNT_PAWS_OLD_ACK : HO_TCP_COUNT_PAWS_ESTAB);
        if (old == PAWS_REJECTED) {
            answer_unacceptable(env, c, seg, now);
        }
        return false;
    }
    if (!in_window(c, seg)) {
        tcp_count(env, HO_TCP_COUNT_DROP_OUT_OF_WINDOW);
        if (!rst) {
            answer_unacceptable(env, c, seg, now);
        } else if (rst_is_exact(c, seg)) {
            tcp_reset(env, c);
        }
        return false;
    }
    if (rst) {
        if (rst_is_exact(c, seg)) {
            tcp_reset(env, c);
        } else {
            tcp_count(env, HO_TCP_COUNT_DROP_RST_OUT_OF_WINDOW);
            tcp_challenge_ack(env, c, now);
        }
        return false;
    }
    if ((seg->flags & HO_TCP_SYN) != 0 && !simultaneous_synack(c, seg)) {
        tcp_count(env, HO_TCP_COUNT_SYN_CHALLENGE);
        tcp_challenge_ack(env, c, now);
        return false;
    }
    if ((seg->flags & HO_TCP_ACK) == 0) {
        tcp_count(env, HO_TCP_COUNT_DROP_NO_ACK);
        return false;
    }
    return true;
}

/* ---- handshakes
 * ------------------------------------------------------------------------------------ */

void tcp_established(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    tcp_enter(c, HO_TCP_ESTABLISHED);
    c->lsndtime = tcp_tick_now(env, now);
    c->lrcvtime = c->lsndtime;
    c->rcv_tstamp = c->lsndtime;
    tcp_rcv_mss_init(c);
    if (env->profile->first_offer_capped) {
        tcp_cap_first_offer(c);
    }
    if (c->work != NULL) {
        tcp_rcvq_start(c, now);
        c->work->cwnd_stamp = c->lsndtime;
    }
    if (c->opts->keepalive) {
        tcp_keep_arm(env, c, tcp_ticks_us(env, tcp_keepidle_ticks(env, c)), now);
    }
    if (c->srtt_us == 0) {
        tcp_rtt_unknown(env, c);
    }
    c->flags &= (uint8_t)~TCP_F_NOSPACE;
    c->flags |= TCP_F_CONFIRM; /* the handshake proves the neighbour (Linux tcp_init_metrics) */
    c->wake |= HO_WAKE_STATE | HO_WAKE_WRITE;
}

/* What the repeats of a SYN did to the congestion window is forgotten, but for one thing: more
 * than one repeat, and it was not the first SYN that was answered, starts at one segment (RFC
 * 5681 3.1, RFC 6298 5.7).
 */
static void forget_handshake(struct ho_tcp_env *env, struct ho_tcp *c,
                             const struct ho_wire_tcp *synack)
{
    struct ho_tcp_work *w = c->work;
    bool first = synack->has_ts && synack->ts_ecr == ho_tcp_ts_now(c->path, w->retrans_stamp);
    bool slow = w->total_retrans > 1 && w->undo && !first;

    ho_pool_put(&env->cc, c->cc);
    c->cc = NULL;
    w->ca_state = TCP_CA_OPEN;
    w->undo = false;
    w->frto = false;
    w->retrans_stamp = (struct ho_time){ 0 };
    if (slow) {
        tcp_set_cwnd(env, c, 1);
    }
}

/* What the peer's SYN or SYN-ACK says about options; ours were offered. */
static void take_options(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    if (seg->sack_ok && tcp_sys(env, HO_SYSCTL_TCP_SACK) != 0) {
        c->flags |= TCP_F_SACK;
    }
    if (seg->has_wscale && tcp_sys(env, HO_SYSCTL_TCP_WINDOW_SCALING) != 0) {
        c->flags |= TCP_F_WSCALE;
        c->snd_wscale = seg->wscale & 15u;
    } else {
        c->rcv_wscale = 0;
    }
    if (seg->has_ts && tcp_sys(env, HO_SYSCTL_TCP_TIMESTAMPS) != 0) {
        c->flags |= TCP_F_TS;
        c->ts_recent = seg->ts_val;
        c->advmss = (uint16_t)(c->advmss - 12);
    }
    tcp_sync_mss(env, c, seg->has_mss ? seg->mss : TCP_MSS_DEFAULT);
}

static void synchronise(struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    c->rcv_nxt = ho_seq(seg->seq + 1);
    c->rcv_wup = c->rcv_nxt;
    c->snd_wl1 = ho_seq(seg->seq);
    c->snd_wnd = seg->window; /* not scaled in a SYN (RFC 7323 2.2) */
    c->max_window = c->snd_wnd;
}

/* An ACK that is not for our SYN: the other end remembers an older connection. It gets a RST, and
 * our SYN goes again at once, not in a second (row 8d).
 */
static bool bad_synack(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                       struct ho_time now)
{
    if (c->retransmits == 0) {
        tcp_arm(env, c, TCP_PENDING_REXMT, tcp_ticks_us(env, 2), now);
    }
    tcp_count(env, HO_TCP_COUNT_DROP_SYN_SENT);
    return (seg->flags & HO_TCP_RST) == 0;
}

/* RFC 7323 5.2: the SYN-ACK of our SYN echoes a time at which one was sent. */
static bool echo_is_possible(const struct ho_tcp *c, const struct ho_wire_tcp *seg,
                             struct ho_time now)
{
    uint32_t first = ho_tcp_ts_now(c->path, c->work->retrans_stamp);

    return !seg->has_ts || seg->ts_ecr == 0 ||
           seg->ts_ecr - first <= ho_tcp_ts_now(c->path, now) - first;
}

static bool syn_sent(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                     struct ho_time now)
{
    if ((seg->flags & HO_TCP_ACK) != 0) {
        if (!ho_seq_after(ho_seq(seg->ack), c->snd_una) ||
            ho_seq_after(ho_seq(seg->ack), c->snd_nxt)) {
            return bad_synack(env, c, seg, now);
        }
        if (!echo_is_possible(c, seg, now)) {
            tcp_count(env, HO_TCP_COUNT_PAWS_ACTIVE);
            return (seg->flags & HO_TCP_RST) == 0;
        }
        if ((seg->flags & HO_TCP_RST) != 0) {
            tcp_reset(env, c);
            return false;
        }
        if ((seg->flags & HO_TCP_SYN) == 0) {
            tcp_count(env, HO_TCP_COUNT_DROP_SYN_SENT);
            return false;
        }
        take_options(env, c, seg);
        struct ho_time first_syn = c->work->retrans_stamp;
        bool undo = c->work->undo;
        tcp_ack(env, c, seg, now);
        c->work->retrans_stamp = first_syn;
        c->work->undo = undo;
        forget_handshake(env, c, seg);
        synchronise(c, seg);
        tcp_established(env, c, now);
        tcp_send_ack(c);
        return false;
    }
    if ((seg->flags & HO_TCP_RST) != 0 || (seg->flags & HO_TCP_SYN) == 0) {
        tcp_count(env, HO_TCP_COUNT_DROP_SYN_SENT);
        return false;
    }
    /* both ends opened at once (RFC 9293 3.5, figure 8) */
    take_options(env, c, seg);
    synchronise(c, seg);
    tcp_rcv_mss_init(c);
    tcp_enter(c, HO_TCP_SYN_RECV);
    tcp_emit(env, c, c->work->head, now);
    return false;
}

/* SYN-RECEIVED has its ACK. */
static void syn_acked(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                      struct ho_time now)
{
    if (c->srtt_us == 0 && seg->has_ts && seg->ts_ecr != 0) {
        uint32_t ms = ho_tcp_ts_now(c->path, now) - seg->ts_ecr;
        tcp_rtt_sample(env, c, (ms > 0 ? ms : 1) * 1000u, true);
    }
    if (c->work != NULL) {
        forget_handshake(env, c, seg);
    }
    c->snd_wnd = (uint32_t)seg->window << c->snd_wscale;
    c->max_window = c->snd_wnd > c->max_window ? c->snd_wnd : c->max_window;
    c->snd_wl1 = ho_seq(seg->seq);
    tcp_established(env, c, now);
    if ((c->shut & TCP_SHUT_SEND) != 0) {
        tcp_enter(c, HO_TCP_FIN_WAIT1);
        tcp_send_fin(env, c, now);
    }
}

/* ---- closing
 * ----------------------------------------------------------------------------------------- */

static bool all_acked(const struct ho_tcp *c)
{
    return c->work == NULL || ho_seq_eq(c->snd_una, c->work->write_seq);
}

/* New data for a socket that nobody will read again: RFC 9293 3.10.7.4 and RFC 1122 4.2.2.13 ask
 * for a RST.
 */
static bool data_for_nobody(const struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    bool waiting = c->state == HO_TCP_FIN_WAIT1 || c->state == HO_TCP_FIN_WAIT2 || is_after_fin(c);

    return waiting && (c->shut & TCP_SHUT_RCV) != 0 && seg->payload_len > 0 &&
           ho_seq_after(ho_seq(seg->seq + seg->payload_len), c->rcv_nxt);
}

/* TCP_LINGER2 below 0: a socket that nobody has does not wait for the peer's FIN (tcp(7)); the ACK
 * of its own is answered by RST, as new data would be.
 */
static bool waits_for_nobody(const struct ho_tcp *c)
{
    return c->state == HO_TCP_FIN_WAIT2 && (c->flags & TCP_F_DEAD) != 0 && c->opts->linger2_s < 0;
}

/* Our FIN is acknowledged: what the states with a FIN in flight become. Returns false if the
 * connection is over.
 */
static bool fin_acked(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                      struct ho_time now)
{
    switch (c->state) {
    case HO_TCP_FIN_WAIT1:
        tcp_enter(c, HO_TCP_FIN_WAIT2);
        c->shut |= TCP_SHUT_SEND;
        c->flags |= TCP_F_CONFIRM;
        c->wake |= HO_WAKE_STATE;
        if ((c->flags & TCP_F_DEAD) != 0 && !data_for_nobody(c, seg) && !waits_for_nobody(c)) {
            tcp_fin_wait2_orphan(env, c, now);
        }
        return true;
    case HO_TCP_CLOSING:
        tcp_enter(c, HO_TCP_TIME_WAIT);
        c->why = HO_TCP_WHY_CLOSED;
        return false;
    case HO_TCP_LAST_ACK:
        tcp_done(env, c, HO_TCP_WHY_CLOSED);
        return false;
    default:
        return true;
    }
}

/* The peer's FIN was taken: what it says beyond that is not part of the stream. */
static bool after_fin(const struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    return is_after_fin(c) && !ho_seq_before(ho_seq(seg->seq), c->rcv_nxt);
}

/* ---- all states from SYN-RECEIVED on
 * ------------------------------------------------------------------- */

/* What the ACK of an acceptable segment changes. Returns false if the segment ends here. */
static bool take_ack(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                     struct ho_time now)
{
    enum tcp_ack_result r = tcp_ack(env, c, seg, now);

    if (r == TCP_ACK_TOO_OLD || (r == TCP_ACK_UNSENT && c->state != HO_TCP_ESTABLISHED)) {
        if (c->state != HO_TCP_SYN_RECV) {
            tcp_challenge_ack(env, c, now);
        }
        return false;
    }
    if (r == TCP_ACK_UNSENT) {
        return false;
    }
    if (c->state == HO_TCP_SYN_RECV) {
        if (r == TCP_ACK_OLD) {
            return false;
        }
        syn_acked(env, c, seg, now);
    }
    return !all_acked(c) || fin_acked(env, c, seg, now);
}

static bool synchronised(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                         struct ho_buf *payload, struct ho_time now)
{
    if (!validate(env, c, seg, now)) {
        ho_buf_put(env->bufs, payload);
        return false;
    }
    bool handshake = c->state == HO_TCP_SYN_RECV, open = c->state == HO_TCP_ESTABLISHED;
    if (!take_ack(env, c, seg, now)) {
        ho_buf_put(env->bufs, payload);
        /* an ACK of something else is reset, the connection kept (RFC 9293 3.10.7.4, fifth) */
        return handshake && c->state == HO_TCP_SYN_RECV;
    }
    if (open && (c->work != NULL || seg->payload_len > 0) && tcp_work(env, c) != NULL) {
        tcp_rcv_rtt(c, seg, now);
    }
    if (data_for_nobody(c, seg) || waits_for_nobody(c)) {
        tcp_count(env, HO_TCP_COUNT_ABORT_ON_DATA);
        tcp_reset(env, c);
        ho_buf_put(env->bufs, payload);
        return true;
    }
    if (after_fin(c, seg)) {
        ho_buf_put(env->bufs, payload);
    } else {
        tcp_data_queue(env, c, seg, payload, now);
    }
    if (c->state != HO_TCP_CLOSE && c->state != HO_TCP_TIME_WAIT) {
        tcp_push(env, c, tcp_nonagle(c), now);
        tcp_check_space(env, c, now);
        tcp_ack_check(env, c, now);
    }
    return false;
}

bool ho_tcp_input(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                  struct ho_buf *payload, struct ho_time now)
{
    assert(payload == NULL || payload->len == seg->payload_len);
    if (c->state == HO_TCP_CLOSE || c->state == HO_TCP_TIME_WAIT) {
        tcp_count(env, HO_TCP_COUNT_DROP_CLOSED);
        ho_buf_put(env->bufs, payload);
        return false;
    }
    if (c->state == HO_TCP_SYN_SENT) {
        bool reset = syn_sent(env, c, seg, now);
        ho_buf_put(env->bufs, payload);
        return reset;
    }
    return synchronised(env, c, seg, payload, now);
}

/* ---- ICMP (ground-truth A4, A5)
 * ---------------------------------------------------------------------------- */

/* RFC 6069: an unreachable destination is no congestion, so one doubling is taken back and the
 * repeat comes when the shorter timeout would have.
 */
static void revert_backoff(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t seq,
                           struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    if (seq != c->snd_una.v || c->retransmits == 0 || c->backoff == 0 || w == NULL ||
        w->packets_out == 0) {
        return;
    }
    c->backoff--;
    uint64_t rto = (uint64_t)tcp_rto_base_us(env, c) << c->backoff;
    uint64_t max = tcp_rto_max_us(env, c);
    w->rto_us = (uint32_t)(rto < max ? rto : max);
    /* In jiffies, what has passed rounded up. */
    uint64_t passed = (uint64_t)(ho_time_since(now, w->head->sent).ns / 1000);
    int64_t left = (int64_t)w->rto_us - (int64_t)tcp_ticks_us(env, tcp_us_ticks(env, passed));
    if (left > 0) {
        tcp_arm(env, c, TCP_PENDING_REXMT, (uint64_t)left, now);
    } else {
        tcp_retransmit_timer(env, c, now);
    }
}

void ho_tcp_icmp(struct ho_tcp_env *env, struct ho_tcp *c, int err, bool fatal, uint32_t seq,
                 struct ho_time now)
{
    (void)
        fatal; /* of a synchronised connection no ICMP is, by RFC 1122 4.2.3.9 as Linux reads it */
    if (c->state == HO_TCP_CLOSE || c->state == HO_TCP_TIME_WAIT) {
        return;
    }
    if (!ho_seq_between(ho_seq(seq), c->snd_una, c->snd_nxt)) {
        tcp_count(env, HO_TCP_COUNT_OUT_OF_WINDOW_ICMPS); /* probes: their seq is snd_una - 1 */
        return;
    }
    bool v4 = ho_addr_is_v4(&c->path->local);
    if (err == ENETUNREACH || (v4 && err == EHOSTUNREACH)) {
        revert_backoff(env, c, seq, now);
        if (c->state == HO_TCP_CLOSE) {
            return;
        }
    }
    if (c->state == HO_TCP_SYN_SENT || c->state == HO_TCP_SYN_RECV) {
        tcp_fail(env, c, err, HO_TCP_WHY_ICMP);
    } else if (c->opts->recverr && (c->flags & TCP_F_DEAD) == 0) {
        c->err = (uint8_t)err;
        c->wake |= HO_WAKE_ERROR;
    } else {
        c->err_soft = (uint8_t)err;
    }
}
