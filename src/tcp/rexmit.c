/* Sending again: after a timeout, as a tail loss probe, in recovery; and probing without data.
 *
 * A copy that still waits in the host is not sent twice (row 3c: with ARP failing the repeats are
 * refused but the timer backs off all the same), and a repeat looks for a route first: none is
 * the soft error ENETUNREACH (ground-truth A4).
 */

#include <assert.h>
#include <errno.h>

#include "tcp/conn.h"

/* Small runs that were lost together are sent again as one segment (Linux
 * tcp_retrans_try_collapse): the FIN rides on the data it follows (row 15).
 */
static void collapse(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s)
{
    struct ho_tcp_work *w = c->work;
    uint32_t room = tcp_mss_now(c);

    if ((s->flags & HO_TCP_SYN) != 0) {
        return;
    }
    while (s->next != NULL && s->next != w->send_head) {
        struct ho_tcp_skb *n = s->next;
        if (n->acked || n->len > c->mss || s->len + n->len > room) {
            return;
        }
        if (ho_seq_after(tcp_skb_end(n), tcp_wnd_end(c)) || n->parked > 0) {
            return;
        }
        tcp_skb_merge_next(env, c, s);
    }
}

/* Drops what of `s` was acknowledged meanwhile: a run can be acknowledged in part. */
static void trim_head(struct ho_tcp *c, struct ho_tcp_skb *s)
{
    if (!ho_seq_before(s->seq, c->snd_una)) {
        return;
    }
    struct ho_tcp_work *w = c->work;
    uint32_t gone = ho_seq_diff(c->snd_una, s->seq), before = tcp_skb_segs(c, s);
    if ((s->flags & HO_TCP_SYN) != 0) {
        s->flags &= (uint8_t)~HO_TCP_SYN;
        gone--;
    }
    gone = gone < s->len ? gone : s->len;
    s->len -= gone;
    s->seq = c->snd_una;
    uint32_t fewer = before - tcp_skb_segs(c, s);
    w->packets_out -= fewer;
    w->lost_out -= s->lost ? fewer : 0;
    w->retrans_out -= s->rexmit ? fewer : 0;
    if (w->sacked_out + w->lost_out > w->packets_out) {
        w->sacked_out = w->packets_out - w->lost_out; /* without SACK: a count of duplicate ACKs */
    }
}

int tcp_resend(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s, uint32_t segs,
               struct ho_time now)
{
    if (s->parked > 0) {
        c->work->throttled = true;
        return -EBUSY;
    }
    trim_head(c, s);
    if (c->path->route_err != 0) {
        c->err_soft = (uint8_t)-c->path->route_err;
        return -EHOSTUNREACH;
    }
    uint32_t mss = tcp_mss_now(c), room;
    if (!ho_seq_before(s->seq, tcp_wnd_end(c))) {
        if (!ho_seq_eq(s->seq, c->snd_una)) {
            return -EAGAIN;
        }
        room = mss; /* the window has closed: the head is its probe */
    } else {
        room = ho_seq_diff(tcp_wnd_end(c), s->seq);
    }
    uint32_t len = mss * segs;
    if (len > room) {
        len = room >= mss ? room / mss * mss : room;
    }
    if (s->len > len) {
        if (tcp_skb_split(env, c, s, len) < 0) {
            return -ENOMEM;
        }
    } else if (s->len < mss) {
        collapse(env, c, s);
    }
    tcp_emit(env, c, s, now);
    s->ever_rexmit = true;
    c->work->total_retrans += tcp_skb_segs(c, s);
    env->count[HO_TCP_COUNT_RETRANS_SEGS] += tcp_skb_segs(c, s);
    if (c->state == HO_TCP_SYN_SENT) {
        tcp_count(env, HO_TCP_COUNT_SYN_RETRANS);
    }
    return 0;
}

int tcp_retransmit(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s, uint32_t segs,
                   struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    int err = tcp_resend(env, c, s, segs, now);

    if (err == 0 && !s->rexmit) {
        s->rexmit = true;
        w->retrans_out += tcp_skb_segs(c, s);
    }
    if (w->retrans_stamp.ns == 0) {
        /* A3's S: now, or when it was last really sent if it could not leave */
        w->retrans_stamp = s->sent;
    }
    if (w->undo_retrans < 0) {
        w->undo_retrans = 0;
    }
    w->undo_retrans += (int32_t)tcp_skb_segs(c, s);
    return err;
}

/* RFC 8985 7.2; ground-truth A2.2. Two round trips, and the time of a delayed ACK if the one
 * segment in flight could be held back by it; never later than the retransmission timeout.
 */
bool tcp_schedule_loss_probe(struct ho_tcp_env *env, struct ho_tcp *c, bool advancing,
                             struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    int64_t mode = tcp_sys(env, HO_SYSCTL_TCP_EARLY_RETRANS);

    if ((mode != 3 && mode != 4) || w->packets_out == 0 || (c->flags & TCP_F_SACK) == 0 ||
        (w->ca_state != TCP_CA_OPEN && w->ca_state != TCP_CA_CWR)) {
        return false;
    }
    uint64_t us = TCP_RTO_INIT_US;
    if (c->srtt_us != 0) {
        us = (c->srtt_us >> 2) + (w->packets_out == 1 ? tcp_rto_min_us(env) : 2000);
    }
    int64_t rto_us = (int64_t)w->rto_us;
    if (!advancing) {
        rto_us -= ho_time_since(now, w->head->sent).ns / 1000;
    }
    if (rto_us > 0 && (uint64_t)rto_us < us) {
        us = (uint64_t)rto_us;
    }
    tcp_arm(env, c, TCP_PENDING_TLP, us, now);
    return true;
}

/* Sends the last segment once more, as the probe. */
static bool probe_with_last(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_skb *last = tcp_last_sent(c);

    if (last == NULL) {
        return false;
    }
    uint32_t segs = tcp_skb_segs(c, last);
    if (segs > 1) {
        if (tcp_skb_split(env, c, last, (segs - 1) * c->mss) < 0) {
            return false;
        }
        last = last->next;
    }
    if (tcp_resend(env, c, last, 1, now) != 0) {
        return false;
    }
    c->work->tlp_retrans = true;
    return true;
}

void tcp_loss_probe(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    bool sent = false;

    if (!w->tlp) {
        uint32_t before = w->packets_out;
        w->tlp_retrans = false;
        if (w->send_head != NULL &&
            !ho_seq_after(ho_seq_add(w->send_head->seq,
                                     w->send_head->len < c->mss ? w->send_head->len : c->mss),
                          tcp_wnd_end(c))) {
            tcp_write(env, c, TCP_NAGLE_OFF, 2, now);
            sent = w->packets_out > before;
        } else {
            sent = probe_with_last(env, c, now);
        }
    }
    if (sent) {
        w->tlp = true;
        w->tlp_high_seq = c->snd_nxt;
        w->pending = TCP_PENDING_NONE; /* the full timeout runs again from now */
        tcp_count(env, HO_TCP_COUNT_LOSS_PROBES);
    }
    tcp_rearm_rto(env, c, now);
}

/* Sends what is marked lost, oldest first, as far as the congestion window goes. */
void tcp_rexmit_lost(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    bool rearm = false;

    for (struct ho_tcp_skb *s = w->head; s != NULL && s != w->send_head; s = s->next) {
        if (w->retrans_out >= w->lost_out || tcp_cwnd(c) <= tcp_in_flight(w)) {
            break;
        }
        if (!s->lost || s->acked || s->rexmit) {
            continue;
        }
        uint32_t segs = tcp_cwnd(c) - tcp_in_flight(w), most = tcp_burst_segs(c);
        if (tcp_retransmit(env, c, s, segs < most ? segs : most, now) != 0) {
            break;
        }
        if (tcp_in_reduction(w)) {
            w->prr_out += tcp_skb_segs(c, s);
        }
        rearm = rearm || (s == w->head && w->pending != TCP_PENDING_REO);
    }
    if (rearm) {
        tcp_arm(env, c, TCP_PENDING_REXMT, w->rto_us, now);
    }
}

/* The copy that kept a repeat from going has left the host: what is marked lost goes now, without
 * waiting for the timer (Linux tcp_tsq_handler; ground-truth s04_one_carrier: two copies arrive).
 */
void tcp_resume(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    w->resume = false;
    if (c->state == HO_TCP_CLOSE || c->state == HO_TCP_SYN_SENT || c->state == HO_TCP_SYN_RECV) {
        return;
    }
    tcp_rexmit_lost(env, c, now);
    tcp_push(env, c, tcp_nonagle(c), now);
}

/* ---- probes: keepalive and zero window
 * ------------------------------------------------------------ */

bool tcp_has_no_route(struct ho_tcp *c)
{
    if (c->path->route_err != 0 && !ho_addr_is_v4(&c->path->remote)) {
        c->err_soft = (uint8_t)-c->path->route_err;
    }
    return c->path->route_err != 0;
}

static int wakeup_with_data(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    struct ho_tcp_skb *s = w->send_head;
    uint32_t mss = tcp_mss_now(c), room = ho_seq_diff(tcp_wnd_end(c), s->seq);

    if (ho_seq_before(w->pushed_seq, tcp_skb_end(s))) {
        w->pushed_seq = tcp_skb_end(s);
    }
    if (room < ho_seq_diff(tcp_skb_end(s), s->seq) || s->len > mss) {
        uint32_t len = room < mss ? room : mss;
        s->flags |= HO_TCP_PSH;
        if (len < s->len && tcp_skb_split(env, c, s, len) < 0) {
            return -1;
        }
    }
    s->flags |= HO_TCP_PSH;
    if (tcp_has_no_route(c)) {
        return -EHOSTUNREACH;
    }
    tcp_emit(env, c, s, now);
    tcp_sent_new(env, c, s, now);
    return 0;
}

/* Provokes an ACK: with data if the window has any room, else with an empty segment that lies
 * just before the window. Returns 0, or negative if it could not leave.
 */
int tcp_write_wakeup(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    const struct ho_tcp_work *w = c->work;

    if (c->state == HO_TCP_CLOSE) {
        return -1;
    }
    if (w != NULL && w->send_head != NULL && ho_seq_before(w->send_head->seq, tcp_wnd_end(c))) {
        return wakeup_with_data(env, c, now);
    }
    if (tcp_has_no_route(c)) {
        return -EHOSTUNREACH;
    }
    c->want |= TCP_WANT_PROBE;
    return 0;
}

void tcp_send_probe0(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    tcp_count(env, HO_TCP_COUNT_WIN_PROBE);
    tcp_write_wakeup(env, c, now);
    if (w->packets_out > 0 || w->send_head == NULL) {
        c->probes_out = 0;
        c->backoff = 0;
        w->probes_tstamp = 0;
        return;
    }
    c->probes_out++;
    if (c->backoff < tcp_sys(env, HO_SYSCTL_TCP_RETRIES2)) {
        c->backoff++; /* tcp_retries2 also caps the backoff (row 12) */
    }
    tcp_arm(env, c, TCP_PENDING_PROBE, tcp_probe_clamp_us(env, c, tcp_probe_when_us(env, c), now),
            now);
}

void tcp_check_probe_timer(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    if (w->packets_out == 0 && w->pending == TCP_PENDING_NONE) {
        uint64_t us = w->rto_us > TCP_RTO_MIN_US ? w->rto_us : TCP_RTO_MIN_US;
        tcp_arm(env, c, TCP_PENDING_PROBE, us, now);
    }
}
