/* The window that is offered: how much of the receive buffer may be filled (RFC 9293 3.8.6.2).
 *
 * Linux charges the buffer with what a packet really takes, so only a part of it ("scaling", of
 * 256) is window; the part is measured on the segments that come. An offer is never taken back,
 * and an opening too small to be worth a segment is not offered (silly window avoidance).
 */

#include "tcp/conn.h"

uint32_t tcp_win_from_space(const struct ho_tcp *c, uint32_t space)
{
    return (uint32_t)(((uint64_t)space * c->scaling) >> 8);
}

static uint32_t space_left(const struct ho_tcp *c)
{
    uint32_t used = c->work != NULL ? c->work->rmem : 0;

    return used < c->rcvbuf ? tcp_win_from_space(c, c->rcvbuf - used) : 0;
}

/* How far the window may grow: one segment is kept back until one was measured. */
uint32_t tcp_window_clamp(const struct ho_tcp *c)
{
    uint32_t all = tcp_win_from_space(c, c->rcvbuf), two = 2u * c->advmss;

    if (c->scaling != TCP_SCALING_UNKNOWN || all < two) {
        return all;
    }
    return all - c->advmss > two ? all - c->advmss : two;
}

uint32_t tcp_receive_window(const struct ho_tcp *c)
{
    int32_t left = (int32_t)(c->rcv_wup.v + c->rcv_wnd - c->rcv_nxt.v);

    return left > 0 ? (uint32_t)left : 0;
}

uint32_t tcp_window_wanted(struct ho_tcp *c)
{
    uint32_t mss = c->rcv_mss, space = space_left(c), all = tcp_win_from_space(c, c->rcvbuf);
    uint32_t full = tcp_window_clamp(c) < all ? tcp_window_clamp(c) : all;
    uint32_t unit = 1u << c->rcv_wscale;

    if (mss > full) {
        mss = full;
    }
    if (mss == 0) {
        return 0;
    }
    if (space < full >> 1) {
        c->quick = 0;
        space &= ~(unit - 1);
        if (space < all >> 4 || space < mss) {
            return 0;
        }
    }
    space = space < c->rcv_ssthresh ? space : c->rcv_ssthresh;
    if (c->rcv_wscale != 0) {
        return (space + unit - 1) & ~(unit - 1);
    }
    uint32_t window = c->rcv_wnd;
    if (window + mss <= space || window > space) {
        return space / mss * mss;
    }
    return mss == full && space > window + (full >> 1) ? space : window;
}

uint32_t tcp_select_window(struct ho_tcp_env *env, struct ho_tcp *c)
{
    uint32_t unit = 1u << c->rcv_wscale, now = tcp_receive_window(c);

    if ((c->ack_pending & TCP_ACK_NOMEM) != 0) {
        c->ack_pending &= (uint8_t)~TCP_ACK_NOMEM;
        c->rcv_wnd = 0;
        c->rcv_wup = c->rcv_nxt;
        return 0;
    }
    uint32_t window = tcp_window_wanted(c);
    bool shrink = tcp_sys(env, HO_SYSCTL_TCP_SHRINK_WINDOW) != 0 && c->rcv_wscale != 0;
    if (window < now && !shrink) {
        window = (now + unit - 1) & ~(unit - 1); /* never shrunk */
    }
    uint32_t most = 65535u << c->rcv_wscale;
    if (window == 0 && c->rcv_wnd != 0) {
        tcp_count(env, HO_TCP_COUNT_ZERO_WINDOW_ADV);
    }
    c->rcv_wnd = window;
    c->rcv_wup = c->rcv_nxt;
    return (window < most ? window : most) >> c->rcv_wscale;
}

uint32_t tcp_initial_window(const struct ho_tcp_env *env, const struct ho_tcp_opts *opts,
                            uint32_t mss, bool scaling, uint8_t *ret_wscale, uint32_t *ret_rcvbuf)
{
    uint32_t rcvbuf =
        opts->rcvbuf != 0 ? opts->rcvbuf : (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_RMEM_DEFAULT);
    uint32_t space = (uint32_t)(((uint64_t)rcvbuf * TCP_SCALING_UNKNOWN) >> 8);
    uint32_t window = space > mss ? space / mss * mss : space;

    window = window < 65535 ? window : 65535 / mss * mss;
    *ret_wscale = 0;
    if (scaling) {
        uint64_t most = (uint64_t)tcp_sys(env, HO_SYSCTL_TCP_RMEM_MAX);
        uint64_t core = (uint64_t)tcp_sys(env, HO_SYSCTL_RMEM_MAX);
        most = most > core ? most : core;
        most = most > space ? most : space;
        while (most > 65535 && *ret_wscale < 14) {
            most >>= 1;
            (*ret_wscale)++;
        }
    }
    *ret_rcvbuf = rcvbuf;
    return window;
}

void tcp_rcv_mss_init(struct ho_tcp *c)
{
    uint32_t hint = c->advmss < c->mss ? c->advmss : c->mss;

    hint = hint < c->rcv_wnd / 2 ? hint : c->rcv_wnd / 2;
    hint = hint < TCP_MSS_DEFAULT ? hint : TCP_MSS_DEFAULT;
    c->rcv_mss = (uint16_t)(hint > TCP_MSS_MIN ? hint : TCP_MSS_MIN);
}

void tcp_cap_first_offer(struct ho_tcp *c)
{
    uint32_t clamp = tcp_window_clamp(c);

    c->rcv_ssthresh = c->rcv_ssthresh < clamp ? c->rcv_ssthresh : clamp;
}

/* A segment came that is worth its buffer: let the window grow (Linux tcp_grow_window). */
void tcp_grow_window(const struct ho_tcp_env *env, struct ho_tcp *c, uint32_t payload,
                     uint32_t truesize)
{
    uint32_t clamp = tcp_window_clamp(c), space = space_left(c);
    uint32_t most = clamp < space ? clamp : space, incr = 0;

    if (most <= c->rcv_ssthresh) {
        return;
    }
    if (tcp_win_from_space(c, truesize) <= payload) {
        incr = 2u * c->advmss;
    } else {
        uint32_t size = tcp_win_from_space(c, truesize) >> 1;
        uint32_t window =
            tcp_win_from_space(c, (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_RMEM_MAX)) >> 1;
        for (; c->rcv_ssthresh <= window; size >>= 1, window >>= 1) {
            if (size <= payload) {
                incr = 2u * c->rcv_mss;
                break;
            }
        }
    }
    if (incr != 0) {
        incr = incr > 2 * payload ? incr : 2 * payload;
        uint32_t room = most - c->rcv_ssthresh;
        c->rcv_ssthresh += incr < room ? incr : room;
        c->quick |= 1;
    }
}

/* The buffer is full: it may grow to tcp_rmem's limit. Returns true if there is room now. */
bool tcp_rcv_room(const struct ho_tcp_env *env, struct ho_tcp *c)
{
    const struct ho_tcp_work *w = c->work;
    uint32_t most = (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_RMEM_MAX);

    if (w->rmem <= c->rcvbuf) {
        return true;
    }
    c->quick = 0;
    if (c->rcvbuf < most && c->opts->rcvbuf == 0) {
        c->rcvbuf = w->rmem < most ? w->rmem : most;
    }
    if (w->rmem > c->rcvbuf) {
        uint32_t two = 2u * c->advmss, clamp = tcp_window_clamp(c);
        c->rcv_ssthresh = clamp < two ? clamp : two;
        return false;
    }
    return true;
}

void tcp_rcvq_start(struct ho_tcp *c, struct ho_time now)
{
    uint32_t least = c->rcv_ssthresh < c->rcv_wnd ? c->rcv_ssthresh : c->rcv_wnd;
    uint32_t first = TCP_INIT_CWND * c->advmss;

    c->work->rcvq_space = least < first ? least : first;
    c->work->rcvq_time = now;
}

/* A sample falls at once and rises by an eighth; one that depends on the window only falls. */
static void rcv_rtt_sample(struct ho_tcp_work *w, uint32_t us, bool of_window)
{
    if (w->rcv_rtt_us == 0 || (uint64_t)us << 3 < w->rcv_rtt_us) {
        w->rcv_rtt_us = us << 3;
    } else if (!of_window) {
        w->rcv_rtt_us += us - (w->rcv_rtt_us >> 3);
    }
}

/* The round trip as the receiver sees it, from the echo of its own timestamp, in milliseconds. */
void tcp_rcv_rtt(struct ho_tcp *c, const struct ho_wire_tcp *seg, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    uint32_t len = seg->payload_len + ((seg->flags & HO_TCP_FIN) != 0 ? 1 : 0);

    if (!seg->has_ts || seg->ts_ecr == w->rcv_tsecr) {
        return; /* one sample an echo */
    }
    w->rcv_tsecr = seg->ts_ecr;
    uint32_t ms = ho_tcp_ts_now(c->path, now) - seg->ts_ecr;
    if (len >= c->rcv_mss && ms > 0 && ms < INT32_MAX / 1000) {
        rcv_rtt_sample(w, 1000u * ms, false);
    }
}

/* The same from how long a whole window takes to come (Linux tcp_rcv_rtt_measure). */
void tcp_rcv_rtt_window(struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    if (w->rcv_rtt_time.ns != 0) {
        if (ho_seq_before(c->rcv_nxt, w->rcv_rtt_seq)) {
            return;
        }
        int64_t us = ho_time_since(now, w->rcv_rtt_time).ns / 1000;
        rcv_rtt_sample(w, us < 1 ? 1 : us < INT32_MAX / 8 ? (uint32_t)us : INT32_MAX / 8, true);
    }
    w->rcv_rtt_seq = ho_seq_add(c->rcv_nxt, c->rcv_wnd);
    w->rcv_rtt_time = now;
}

/* The reader took bytes: if it takes more a round trip than ever, the buffer grows to let the
 * sender double its rate (Linux tcp_rcv_space_adjust). What still waits to be read counts against
 * it.
 */
void tcp_space_adjust(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t copied, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    w->rcvq_seq += copied;
    if (w->rcv_rtt_us == 0 ||
        ho_time_since(now, w->rcvq_time).ns / 1000 < (int64_t)(w->rcv_rtt_us >> 3)) {
        return;
    }
    uint32_t unread = w->rcv_bytes + ((c->flags & TCP_F_DONE) != 0 ? 1 : 0);
    int64_t taken = (int64_t)w->rcvq_seq - unread, before = w->rcvq_space;
    w->rcvq_seq = 0;
    w->rcvq_time = now;
    if (taken <= before) {
        return;
    }
    w->rcvq_space = (uint32_t)taken;
    if (tcp_sys(env, HO_SYSCTL_TCP_MODERATE_RCVBUF) == 0 || c->opts->rcvbuf != 0 || before == 0) {
        return;
    }
    uint64_t win = 2ull * (uint64_t)taken;
    if (env->profile->rcvbuf_cushion) {
        win += 16ull * c->advmss;
    }
    win += 2 * (win * (uint64_t)(taken - before) / (uint64_t)before);
    uint64_t buf = (win << 8) / (c->scaling != 0 ? c->scaling : 1);
    uint64_t most = (uint64_t)tcp_sys(env, HO_SYSCTL_TCP_RMEM_MAX);
    buf = buf < most ? buf : most;
    if (buf > c->rcvbuf) {
        c->rcvbuf = (uint32_t)buf;
        if (c->scaling == TCP_SCALING_UNKNOWN) {
            c->scaling--; /* from here on the whole buffer counts */
        }
    }
}
