/* What may be sent now: the application's bytes on their way into segments.
 *
 * New data goes when the congestion window, the peer's window and Nagle's rule (RFC 9293 3.7.4,
 * with Minshall's change) allow. Bytes are gathered into runs of up to half the peer's largest
 * window, as Linux gathers them for segmentation offload: where a run ends decides where PSH
 * stands, what a partial write returns, and how far a send buffer reaches (row 3f).
 */

#include <assert.h>
#include <errno.h>

#include "tcp/conn.h"

/* Half of the largest window that the peer ever offered: no single segment may fill it. */
static uint32_t bound_to_half_window(const struct ho_tcp *c, uint32_t bytes)
{
    uint32_t cut = c->max_window > TCP_MSS_DEFAULT ? c->max_window >> 1 : c->max_window;

    return cut != 0 && bytes > cut ? (cut > 48 ? cut : 48) : bytes;
}

uint32_t tcp_mss_now(const struct ho_tcp *c)
{
    uint32_t mss = bound_to_half_window(c, c->mss);
    const struct ho_tcp_work *w = c->work;

    if (w != NULL && (c->flags & TCP_F_SACK) != 0 && (w->n_sacks > 0 || w->has_dsack)) {
        uint32_t blocks = (uint32_t)w->n_sacks + (w->has_dsack ? 1 : 0);
        uint32_t most = (c->flags & TCP_F_TS) != 0 ? 3 : 4;
        mss -= 4 + 8 * (blocks < most ? blocks : most);
    }
    return mss;
}

void tcp_sync_mss(const struct ho_tcp_env *env, struct ho_tcp *c, uint16_t peer_mss)
{
    uint32_t mss = tcp_path_advmss(c->path, c->opts);
    uint32_t least = (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_MIN_SND_MSS);

    mss = peer_mss < mss ? peer_mss : mss;
    mss = mss > least ? mss : least;
    if ((c->flags & TCP_F_TS) != 0) {
        mss -= 12;
    }
    c->mss = (uint16_t)mss;
}

unsigned tcp_nonagle(const struct ho_tcp *c)
{
    unsigned nonagle = c->opts->nodelay ? TCP_NAGLE_OFF : 0;

    return c->opts->cork ? TCP_NAGLE_CORK : nonagle;
}

/* True if a partial segment has to wait for the ones before it. */
static bool nagle_holds(const struct ho_tcp *c, bool partial, unsigned nonagle)
{
    const struct ho_tcp_work *w = c->work;

    if (!partial || (nonagle & TCP_NAGLE_PUSH) != 0) {
        return false;
    }
    if ((nonagle & TCP_NAGLE_CORK) != 0) {
        return true;
    }
    return nonagle == 0 && w->packets_out > 0 && ho_seq_after(w->snd_sml, c->snd_una) &&
           !ho_seq_after(w->snd_sml, c->snd_nxt);
}

/* How much of the run `s` fits the windows and is worth sending. */
static uint32_t split_point(const struct ho_tcp *c, const struct ho_tcp_skb *s, uint32_t mss,
                            uint32_t quota, unsigned nonagle)
{
    uint32_t window = ho_seq_diff(tcp_wnd_end(c), s->seq);
    uint32_t most = mss * quota;

    if (most <= window && s != c->work->tail) {
        return most;
    }
    uint32_t needed = s->len < window ? s->len : window;
    if (most <= needed) {
        return most;
    }
    uint32_t partial = needed % mss;
    return nagle_holds(c, partial != 0, nonagle) ? needed - partial : needed;
}

/* Segments of one burst: a millisecond's worth at the pace of the last ACK, more on a short path,
 * at least two (Linux tcp_tso_autosize).
 */
uint32_t tcp_burst_segs(const struct ho_tcp *c)
{
    const struct ho_tcp_work *w = c->work;
    uint32_t rtt_us = w->rack.min_rtt_us != 0 ? w->rack.min_rtt_us : c->srtt_us >> 3;
    uint64_t bytes = (w->pace != 0 ? w->pace : tcp_cc_pace(c)) >> 10;

    bytes += rtt_us >> 9 < 32 ? (TCP_GSO_MAX + 1) >> (rtt_us >> 9) : 0;
    bytes = bytes < TCP_GSO_MAX + 1 ? bytes : TCP_GSO_MAX + 1;
    uint32_t segs = (uint32_t)bytes / c->mss;
    return segs > 2 ? segs : 2;
}

/* Segments that the congestion window has room for, at most half of it in one burst. */
static uint32_t cwnd_quota(const struct ho_tcp *c)
{
    uint32_t cwnd = tcp_cwnd(c), out = tcp_in_flight(c->work);

    if (out >= cwnd) {
        return 0;
    }
    uint32_t half = cwnd > 1 ? cwnd >> 1 : 1, most = tcp_burst_segs(c);
    uint32_t quota = cwnd - out < half ? cwnd - out : half;
    return quota < most ? quota : most;
}

void tcp_sent_new(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s,
                  struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    uint32_t before = w->packets_out;

    w->send_head = s->next;
    c->snd_nxt = tcp_skb_end(s);
    w->packets_out += tcp_skb_segs(c, s);
    if (before == 0 || w->pending == TCP_PENDING_TLP) {
        tcp_rearm_rto(env, c, now);
    }
}

/* A burst waits for more only if something was sent less than so long ago. Computing takes no time
 * here, so what is exactly so long ago was longer ago on any computer (hang-and-wake, 1.001 s).
 */
#define RECENT_NS 1000000

/* Whether a burst that is not a full one waits for the next ACK, which lets more go with it (Linux
 * tcp_tso_should_defer(), tcp_tso_win_divisor=3). Sets *ret_limited if it waits for the window.
 */
static bool waits_for_more(struct ho_tcp_env *env, const struct ho_tcp *c,
                           const struct ho_tcp_skb *s, bool *ret_limited, struct ho_time now)
{
    const struct ho_tcp_work *w = c->work;
    uint32_t mss = tcp_mss_now(c), cwnd = tcp_cwnd(c);
    uint32_t window = ho_seq_diff(tcp_wnd_end(c), s->seq);
    uint32_t room = (cwnd - tcp_in_flight(w)) * mss, limit = window < room ? window : room;
    uint32_t all = c->snd_wnd < cwnd * mss ? c->snd_wnd : cwnd * mss;

    if (w->ca_state >= TCP_CA_RECOVERY || w->packets_out == 0 ||
        ho_time_since(now, w->sent_at).ns >= RECENT_NS || limit >= tcp_burst_segs(c) * mss ||
        (s != w->tail && limit >= s->len) || limit >= all / 3) {
        return false;
    }
    int64_t srtt_ns = (int64_t)(c->srtt_us >> 3) * 1000;
    int64_t near_ns = srtt_ns >> 1 < RECENT_NS ? srtt_ns >> 1 : RECENT_NS;
    if (w->head->sent.ns + srtt_ns - now.ns > near_ns) {
        return false;
    }
    if (room < window ? room <= s->len : window <= s->len) {
        *ret_limited = room < window;
        return true;
    }
    (void)env;
    return (s->flags & HO_TCP_FIN) == 0;
}

/* Can the first run not yet sent go, in whole or in part? Cuts it to what can. */
static bool may_send(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t quota, unsigned nonagle)
{
    struct ho_tcp_work *w = c->work;
    struct ho_tcp_skb *s = w->send_head;
    uint32_t mss = tcp_mss_now(c), limit = mss;
    struct ho_seq first_end = s->len > mss ? ho_seq_add(s->seq, mss) : tcp_skb_end(s);

    if (ho_seq_after(first_end, tcp_wnd_end(c)) || ho_seq_eq(s->seq, tcp_skb_end(s))) {
        return false;
    }
    if (s->len <= mss) {
        bool last = s == w->tail && (s->flags & HO_TCP_FIN) == 0;
        if (last && nagle_holds(c, s->len < mss, nonagle)) {
            return false;
        }
    } else {
        limit = split_point(c, s, mss, quota, nonagle);
    }
    if (s->len > limit && tcp_skb_split(env, c, s, limit) < 0) {
        return false;
    }
    return !tcp_has_no_route(c);
}

bool tcp_write(struct ho_tcp_env *env, struct ho_tcp *c, unsigned nonagle, int push_one,
               struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    uint32_t sent = 0;
    bool limited = false;

    while (w->send_head != NULL) {
        struct ho_tcp_skb *s = w->send_head;
        uint32_t quota = cwnd_quota(c);
        if (quota == 0 && push_one == 2) {
            quota = 1;
        }
        limited = quota == 0;
        if (env->profile->grows_unsent && quota * tcp_mss_now(c) > s->len) {
            tcp_skb_grow(env, c, s, quota * tcp_mss_now(c) - s->len);
        }
        if (!limited && push_one == 0 && s->len > tcp_mss_now(c) &&
            waits_for_more(env, c, s, &limited, now)) {
            break;
        }
        if (limited || !may_send(env, c, quota, nonagle)) {
            break;
        }
        tcp_emit(env, c, s, now);
        tcp_sent_new(env, c, s, now);
        if (s->len < tcp_skb_segs(c, s) * c->mss) {
            w->snd_sml = tcp_skb_end(s); /* Minshall: a small one is on its way */
        }
        sent += tcp_skb_segs(c, s);
        if (push_one != 0) {
            break;
        }
    }
    limited = limited || tcp_in_flight(w) >= tcp_cwnd(c);
    if (sent > 0 || limited) {
        tcp_cc_validate(env, c, limited, now);
    }
    if (sent == 0) {
        return w->packets_out == 0 && w->send_head != NULL;
    }
    if (tcp_in_reduction(w)) {
        w->prr_out += sent;
    }
    if (push_one != 2) {
        tcp_schedule_loss_probe(env, c, false, now);
    }
    return false;
}

void tcp_push(struct ho_tcp_env *env, struct ho_tcp *c, unsigned nonagle, struct ho_time now)
{
    if (c->work == NULL || c->work->send_head == NULL || c->state == HO_TCP_CLOSE) {
        return;
    }
    if (tcp_write(env, c, nonagle, 0, now)) {
        tcp_check_probe_timer(env, c, now);
    }
}

/* ---- from the application ------------------------------------------------------------------ */

static void mark_push(struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;

    if (w->send_head != NULL) {
        assert(w->tail != NULL);
        w->tail->flags |= HO_TCP_PSH;
        w->pushed_seq = w->write_seq;
    }
}

static uint32_t size_goal(const struct ho_tcp *c)
{
    uint32_t mss = tcp_mss_now(c);
    uint32_t segs = bound_to_half_window(c, TCP_GSO_MAX - 320) / mss;

    return (segs > 0 ? segs : 1) * mss;
}

/* The run that the next byte goes into: the last one if it is unsent and not full. NULL: a new
 * one is needed and `*ret_err` says why there is none.
 */
static struct ho_tcp_skb *open_run(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t goal,
                                   struct ho_time now, int *ret_err)
{
    struct ho_tcp_work *w = c->work;

    if (w->send_head != NULL && w->tail->len < goal && (w->tail->flags & HO_TCP_SYN) == 0) {
        return w->tail;
    }
    if (tcp_wmem(c) >= tcp_sndbuf(env, c)) {
        c->flags |= TCP_F_NOSPACE;
        *ret_err = -EAGAIN;
        return NULL;
    }
    tcp_cc_idle(env, c, now);
    struct ho_tcp_skb *s = tcp_skb_append(env, c);
    if (s == NULL) {
        *ret_err = -ENOMEM;
    }
    return s;
}

/* Takes back the run that memory could not fill (Linux tcp_remove_empty_skb): left in the queue it
 * would hold keepalive back for ever.
 */
static void drop_empty_tail(struct ho_tcp_env *env, struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;
    struct ho_tcp_skb *prev = NULL, *s = w->tail;

    if (s == NULL || s->len > 0 || s->flags != 0) {
        return;
    }
    for (struct ho_tcp_skb *at = w->head; at != s; at = at->next) {
        prev = at;
    }
    w->tail = prev;
    if (prev != NULL) {
        prev->next = NULL;
    } else {
        w->head = NULL;
    }
    w->send_head = w->send_head == s ? NULL : w->send_head;
    w->n_skbs--;
    ho_pool_put(&env->skbs, s);
}

/* Fills runs from `bytes`; returns how many went in and why no more (0: all did). */
static size_t fill(struct ho_tcp_env *env, struct ho_tcp *c, const uint8_t *bytes, size_t len,
                   struct ho_time now, int *ret_err)
{
    struct ho_tcp_work *w = c->work;
    uint32_t goal = size_goal(c);
    size_t done = 0;

    while (done < len) {
        struct ho_tcp_skb *s = open_run(env, c, goal, now, ret_err);
        if (s == NULL) {
            break;
        }
        uint32_t room = goal - s->len;
        size_t n = len - done < room ? len - done : room;
        size_t taken = ho_bytes_append(&w->sndq, env->bufs, bytes + done, n);
        if (done == 0) {
            s->flags &= (uint8_t)~HO_TCP_PSH;
        }
        s->len += (uint32_t)taken;
        w->write_seq = ho_seq_add(w->write_seq, (uint32_t)taken);
        done += taken;
        if (taken < n) {
            *ret_err = -ENOMEM;
            drop_empty_tail(env, c);
            break;
        }
        if (done == len || s->len < goal) {
            continue;
        }
        if (ho_seq_after(w->write_seq, ho_seq_add(w->pushed_seq, c->max_window >> 1))) {
            mark_push(c);
            tcp_push(env, c, TCP_NAGLE_PUSH, now);
        } else if (s == w->send_head) {
            tcp_write(env, c, TCP_NAGLE_PUSH, 1, now);
        }
    }
    return done;
}

int64_t ho_tcp_send(struct ho_tcp_env *env, struct ho_tcp *c, const void *bytes, size_t len,
                    struct ho_time now)
{
    int err = 0;

    if (c->state == HO_TCP_SYN_SENT || c->state == HO_TCP_SYN_RECV) {
        c->flags |= TCP_F_NOSPACE;
        return -EAGAIN;
    }
    if ((c->state != HO_TCP_ESTABLISHED && c->state != HO_TCP_CLOSE_WAIT) || c->err != 0 ||
        (c->shut & TCP_SHUT_SEND) != 0) {
        err = ho_tcp_take_error(c);
        return err != 0 ? -err : -EPIPE;
    }
    if (tcp_work(env, c) == NULL) {
        return -ENOMEM;
    }
    size_t done = fill(env, c, bytes, len, now, &err);
    if (done == 0) {
        return len == 0 ? 0 : err;
    }
    mark_push(c);
    if (err == -EAGAIN) {
        tcp_push(env, c, TCP_NAGLE_PUSH, now); /* nobody will fill it up soon */
    }
    tcp_push(env, c, tcp_nonagle(c), now);
    return (int64_t)done;
}

void tcp_send_fin(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = tcp_work(env, c);
    struct ho_tcp_skb *s = NULL;

    if (w != NULL) {
        s = w->send_head != NULL ? w->tail : tcp_skb_append(env, c);
    }
    if (s == NULL) {
        tcp_count(env, HO_TCP_COUNT_ABORT_ON_MEMORY);
        tcp_active_reset(env, c);
        tcp_fail(env, c, ENOMEM, HO_TCP_WHY_NO_MEMORY);
        return;
    }
    s->flags |= HO_TCP_FIN;
    w->write_seq = ho_seq_add(w->write_seq, 1);
    tcp_push(env, c, TCP_NAGLE_OFF, now);
}

bool tcp_check_space(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    if ((c->flags & TCP_F_NOSPACE) == 0) {
        return false;
    }
    if (c->work != NULL && tcp_in_flight(c->work) < tcp_cwnd(c)) {
        tcp_sndbuf_expand(env, c);
        c->work->cwnd_stamp = tcp_tick_now(env, now);
    }
    uint32_t used = tcp_wmem(c), all = tcp_sndbuf(env, c);
    if (used > all || all - used < used >> 1) {
        return false;
    }
    c->flags &= (uint8_t)~TCP_F_NOSPACE;
    c->wake |= HO_WAKE_WRITE;
    return true;
}
