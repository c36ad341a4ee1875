/* When to acknowledge: at once, with the next data, or after a while.
 *
 * RFC 5681 4.2 asks for an ACK for every second full segment and within 500 ms; Linux delays by
 * 40 ms and more, follows the sender's rhythm (`ato`), acknowledges at once while a connection is
 * young ("quick ACKs"), and stops doing so when the two ends take turns ("pingpong").
 */

#include "tcp/conn.h"

static uint32_t ato_min(const struct ho_tcp_env *env)
{
    return tcp_us_ticks(env, TCP_ATO_MIN_US);
}

void tcp_schedule_ack(struct ho_tcp *c)
{
    c->ack_pending |= TCP_ACK_SCHED;
}

static void incr_quickack(struct ho_tcp *c, unsigned max)
{
    unsigned quick = c->rcv_mss != 0 ? c->rcv_wnd / (2u * c->rcv_mss) : 0;

    quick = quick == 0 ? 2 : quick;
    quick = quick < max ? quick : max;
    if (quick > c->quick) {
        c->quick = (uint8_t)quick;
    }
}

void tcp_enter_quickack(struct ho_tcp *c, unsigned max)
{
    incr_quickack(c, max);
    c->pingpong = 0;
    c->ato_ticks = TCP_ATO_LEAST;
}

/* Gives TCP_ATO_LEAST its value, which depends on HZ. */
static void settle_ato(const struct ho_tcp_env *env, struct ho_tcp *c)
{
    if (c->ato_ticks == TCP_ATO_LEAST) {
        c->ato_ticks = (uint16_t)ato_min(env);
    }
}

void tcp_take_turns(const struct ho_tcp_env *env, struct ho_tcp *c, uint32_t tick)
{
    settle_ato(env, c);
    if (tick - c->lrcvtime < c->ato_ticks) {
        c->pingpong = 1;
    }
}

/* The segments are of another size than the last ones: what part of the buffer is payload? */
static void measure_scaling(const struct ho_tcp_env *env, struct ho_tcp *c,
                            const struct ho_wire_tcp *seg)
{
    uint32_t ratio = ((uint32_t)seg->payload_len << 8) / tcp_truesize(c, seg);
    uint8_t before = c->scaling;

    if (env->profile->grows_from_offer && before == TCP_SCALING_UNKNOWN &&
        c->rcv_ssthresh < c->rcv_wnd) {
        c->rcv_ssthresh = c->rcv_wnd;
    }
    c->scaling = (uint8_t)(ratio == 0 ? 1 : ratio < 255 ? ratio : 255);
    if (c->scaling != before && tcp_window_clamp(c) < c->work->rcvq_space) {
        c->work->rcvq_space = tcp_window_clamp(c);
    }
}

/* What kind of segments does the sender send? Its segment size is guessed from full ones, or from
 * two that are alike; a smaller one is the end of a write (Linux tcp_measure_rcv_mss).
 */
void tcp_measure_rcv_mss(const struct ho_tcp_env *env, struct ho_tcp *c,
                         const struct ho_wire_tcp *seg)
{
    struct ho_tcp_work *w = c->work;
    uint32_t len = seg->payload_len, last = w->last_seg;
    bool ends = (seg->flags & (HO_TCP_PSH | HO_TCP_FIN | HO_TCP_SYN | HO_TCP_URG)) != 0;

    w->last_seg = 0;
    if (len >= c->rcv_mss) {
        if (len != c->rcv_mss) {
            measure_scaling(env, c, seg);
        }
        c->rcv_mss = (uint16_t)(len < c->advmss ? len : c->advmss);
        if ((seg->flags & HO_TCP_PSH) != 0) {
            c->ack_pending |= TCP_ACK_PUSHED;
        }
        return;
    }
    uint32_t with_header = len + (uint32_t)ho_wire_tcp_size(seg);
    if (with_header >= TCP_MSS_DEFAULT + 20 || (with_header >= TCP_MSS_MIN + 20 && !ends)) {
        uint32_t plain = with_header - ((c->flags & TCP_F_TS) != 0 ? 32 : 20);
        w->last_seg = (uint16_t)plain;
        if (plain == last) {
            c->rcv_mss = (uint16_t)plain;
            return;
        }
    }
    if ((c->ack_pending & TCP_ACK_PUSHED) != 0) {
        c->ack_pending |= TCP_ACK_PUSHED2;
    }
    c->ack_pending |= TCP_ACK_PUSHED;
}

void tcp_data_event(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                    struct ho_time now)
{
    uint32_t tick = tcp_tick_now(env, now), min = ato_min(env);

    tcp_schedule_ack(c);
    tcp_measure_rcv_mss(env, c, seg);
    tcp_rcv_rtt_window(c, now);
    c->work->moved += seg->payload_len;
    if (c->work->rcvq_time.ns == 0) {
        /* the first data: until now lrcvtime is when the connection opened */
        int64_t at = now.ns - (int64_t)tcp_ticks_us(env, tick - c->lrcvtime) * 1000;
        c->work->rcvq_time.ns = at > 0 ? at : 1;
    }
    settle_ato(env, c);
    if (c->ato_ticks == 0) {
        incr_quickack(c, TCP_MAX_QUICKACKS);
        c->ato_ticks = (uint16_t)min;
    } else {
        uint32_t m = tick - c->lrcvtime;
        uint32_t rto = tcp_us_ticks(env, c->work->rto_us);
        if (m <= min / 2) {
            c->ato_ticks = (uint16_t)((c->ato_ticks >> 1) + min / 2);
        } else if (m < c->ato_ticks) {
            uint32_t ato = (c->ato_ticks >> 1) + m;
            c->ato_ticks = (uint16_t)(ato < rto ? ato : rto);
        } else if (m > rto) {
            incr_quickack(c, TCP_MAX_QUICKACKS); /* it was silent: its window starts anew */
        }
    }
    c->lrcvtime = tick;
}

/* An ACK has gone out, alone or with data. */
void tcp_ack_sent(struct ho_tcp *c)
{
    if (c->quick > 0) {
        uint8_t paid = (c->ack_pending & TCP_ACK_SCHED) != 0 ? 1 : 0;
        if (paid >= c->quick) {
            c->quick = 0;
            c->ato_ticks = TCP_ATO_LEAST;
        } else {
            c->quick = (uint8_t)(c->quick - paid);
        }
    }
    c->ack_pending &= TCP_ACK_NOMEM;
    if (c->work != NULL) {
        c->work->delack_at = HO_DUE_NEVER;
    }
}

void tcp_send_ack(struct ho_tcp *c)
{
    if (c->state != HO_TCP_CLOSE) {
        c->want |= TCP_WANT_ACK;
        tcp_ack_sent(c);
    }
}

/* No ACK waits as long as the least timeout of the peer, which is taken for our own (Linux
 * tcp_delack_max).
 */
static uint32_t delack_max(const struct ho_tcp_env *env)
{
    uint32_t rto_min = tcp_us_ticks(env, tcp_rto_min_us(env));
    uint32_t most = tcp_us_ticks(env, TCP_DELACK_MAX_US), below = rto_min > 2 ? rto_min - 1 : 1;

    return most < below ? most : below;
}

void tcp_send_delayed_ack(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = tcp_work(env, c);
    uint32_t min = ato_min(env);

    settle_ato(env, c);
    uint32_t ato = c->ato_ticks;
    if (w == NULL) {
        tcp_send_ack(c);
        return;
    }
    if (ato > min) {
        uint32_t max = tcp_us_ticks(env, 500000);
        if (tcp_in_pingpong(c) || (c->ack_pending & TCP_ACK_PUSHED) != 0) {
            max = tcp_us_ticks(env, TCP_DELACK_MAX_US);
        }
        if (c->srtt_us != 0) {
            uint32_t rtt = tcp_us_ticks(env, c->srtt_us >> 3);
            rtt = rtt > min ? rtt : min;
            max = rtt < max ? rtt : max;
        }
        ato = ato < max ? ato : max;
    }
    uint32_t most = delack_max(env);
    ato = ato < most ? ato : most;
    struct ho_due at = ho_clk_due(env->clk, now, ho_us((int64_t)tcp_ticks_us(env, ato)));
    if ((c->ack_pending & TCP_ACK_TIMER) != 0 && !ho_due_is_never(w->delack_at)) {
        struct ho_dur soon = ho_us((int64_t)tcp_ticks_us(env, ato >> 2));
        struct ho_time armed = ho_due_time(w->delack_at);
        if (!ho_time_before(ho_time_add(now, soon), armed)) {
            tcp_send_ack(c);
            return;
        }
        if (!ho_time_before(ho_due_time(at), armed)) {
            at = w->delack_at; /* and stays where it is in the wheel (__mod_timer) */
        }
    }
    c->ack_pending |= TCP_ACK_SCHED | TCP_ACK_TIMER;
    w->delack_at = at;
}

/* Is it time for an ACK? (RFC 5681 4.2; Linux __tcp_ack_snd_check) */
void tcp_ack_check(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    const struct ho_tcp_work *w = c->work;

    if ((c->ack_pending & TCP_ACK_SCHED) == 0) {
        return;
    }
    bool two = ho_seq_diff(c->rcv_nxt, c->rcv_wup) > c->rcv_mss;
    if (two && w != NULL && w->rcv_bytes > 0 && tcp_window_wanted(c) < c->rcv_wnd) {
        two = false; /* the reader will open the window and acknowledge */
    }
    bool quick = c->quick > 0 && !tcp_in_pingpong(c);
    if (two || quick || (c->ack_pending & TCP_ACK_NOW) != 0 || (w != NULL && w->ooo.count > 0)) {
        tcp_send_ack(c);
    } else {
        tcp_send_delayed_ack(env, c, now);
    }
}

void tcp_delack_timer(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    (void)now;
    c->ack_pending &= (uint8_t)~TCP_ACK_TIMER;
    if ((c->ack_pending & TCP_ACK_SCHED) == 0) {
        return;
    }
    settle_ato(env, c);
    if (!tcp_in_pingpong(c)) {
        uint32_t rto = tcp_us_ticks(env, c->work->rto_us);
        uint32_t ato = 2u * c->ato_ticks;
        ato = ato < rto ? ato : rto;
        c->ato_ticks = (uint16_t)(ato < TCP_ATO_LEAST ? ato : TCP_ATO_LEAST - 1);
    } else {
        c->pingpong = 0;
        c->ato_ticks = (uint16_t)ato_min(env);
    }
    tcp_send_ack(c);
}

void ho_tcp_quickack(struct ho_tcp_env *env, struct ho_tcp *c, bool on, struct ho_time now)
{
    (void)env;
    (void)now;
    if (!on) {
        c->pingpong = 1;
        return;
    }
    c->pingpong = 0;
    if ((c->state == HO_TCP_ESTABLISHED || c->state == HO_TCP_CLOSE_WAIT) &&
        (c->ack_pending & TCP_ACK_SCHED) != 0) {
        tcp_send_ack(c);
    }
}

/* At most one such ACK in tcp_invalid_ratelimit (RFC 5961 7; ground-truth row 12: the second
 * window probe is not answered).
 */
bool tcp_oow_limited(struct ho_tcp_env *env, uint32_t *last, struct ho_time now)
{
    uint32_t tick = tcp_tick_now(env, now);
    uint32_t limit =
        tcp_us_ticks(env, (uint64_t)tcp_sys(env, HO_SYSCTL_TCP_INVALID_RATELIMIT) * 1000);

    if (*last != 0 && tick - *last < limit) {
        tcp_count(env, HO_TCP_COUNT_ACK_SKIPPED);
        return true;
    }
    *last = tick != 0 ? tick : 1;
    return false;
}

void tcp_challenge_ack(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    if (!tcp_oow_limited(env, &c->last_oow, now)) {
        tcp_count(env, HO_TCP_COUNT_CHALLENGE_ACK);
        tcp_send_ack(c);
    }
}
