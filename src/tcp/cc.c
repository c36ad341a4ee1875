/* Congestion control: Reno (RFC 5681) and CUBIC (RFC 9438), in whole segments as in Linux.
 *
 * A connection that never filled its first window has no state here: ten segments, no
 * threshold. CUBIC is integer arithmetic in the units of Linux: time in 1/1024 s, and the cube
 * root of what is left to the last maximum.
 */

#include "tcp/conn.h"

#define CUBIC_BETA 717u /* of 1024: RFC 9438's 0.7 */
#define CWND_MAX 0xffffffu

struct ho_tcp_cc *tcp_cc(struct ho_tcp_env *env, struct ho_tcp *c)
{
    if (c->cc == NULL) {
        c->cc = ho_pool_get(&env->cc);
        if (c->cc != NULL) {
            c->cc->cwnd = TCP_INIT_CWND;
            c->cc->ssthresh = TCP_SSTHRESH_UNSET;
        }
    }
    return c->cc;
}

uint32_t tcp_cwnd(const struct ho_tcp *c)
{
    return c->cc != NULL ? c->cc->cwnd : TCP_INIT_CWND;
}

uint32_t tcp_ssthresh(const struct ho_tcp *c)
{
    return c->cc != NULL ? c->cc->ssthresh : TCP_SSTHRESH_UNSET;
}

void tcp_set_cwnd(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t cwnd)
{
    if (cwnd != tcp_cwnd(c) && tcp_cc(env, c) != NULL) {
        c->cc->cwnd = cwnd > 0 ? cwnd < CWND_MAX ? cwnd : CWND_MAX : 1;
    }
}

void tcp_set_ssthresh(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t ssthresh)
{
    if (ssthresh != tcp_ssthresh(c) && tcp_cc(env, c) != NULL) {
        c->cc->ssthresh = ssthresh;
    }
}

static bool is_cubic(const struct ho_tcp_env *env, const struct ho_tcp *c)
{
    int64_t cc = c->opts->congestion != 0 ? c->opts->congestion - 1
                                          : tcp_sys(env, HO_SYSCTL_TCP_CONGESTION_CONTROL);
    return cc == HO_CONGESTION_CUBIC;
}

uint32_t tcp_cc_ssthresh(struct ho_tcp_env *env, struct ho_tcp *c)
{
    uint32_t cwnd = tcp_cwnd(c), half = cwnd / 2;

    if (!is_cubic(env, c)) {
        return half > 2 ? half : 2;
    }
    struct ho_tcp_cc *cc = tcp_cc(env, c);
    if (cc != NULL) {
        cc->epoch = (struct ho_time){ 0 };
        /* fast convergence (RFC 9438 4.7): give way if even the last maximum was not reached */
        cc->w_max = cwnd < cc->w_max ? cwnd * (1024u + CUBIC_BETA) / 2048u : cwnd;
    }
    uint32_t next = (uint32_t)((uint64_t)cwnd * CUBIC_BETA / 1024u);
    return next > 2 ? next : 2;
}

void tcp_cc_loss(struct ho_tcp *c)
{
    if (c->cc != NULL) {
        c->cc->w_max = 0;
        c->cc->origin = 0;
        c->cc->k = 0;
        c->cc->cnt = 0;
        c->cc->epoch = (struct ho_time){ 0 };
    }
}

static uint32_t slow_start(struct ho_tcp_cc *cc, uint32_t acked)
{
    uint32_t next = cc->cwnd + acked < cc->ssthresh ? cc->cwnd + acked : cc->ssthresh;
    uint32_t used = next - cc->cwnd;

    cc->cwnd = next < CWND_MAX ? next : CWND_MAX;
    return acked - used;
}

/* One segment more for every `w` acknowledged. */
static void additive(struct ho_tcp_cc *cc, uint32_t w, uint32_t acked)
{
    if (cc->cwnd_cnt >= w) {
        cc->cwnd_cnt = 0;
        cc->cwnd++;
    }
    cc->cwnd_cnt += acked;
    if (cc->cwnd_cnt >= w) {
        uint32_t more = cc->cwnd_cnt / w;
        cc->cwnd_cnt -= more * w;
        cc->cwnd += more;
    }
    cc->cwnd = cc->cwnd < CWND_MAX ? cc->cwnd : CWND_MAX;
}

/* The largest r with r^3 <= x, for x below 2^60. */
static uint32_t cube_root(uint64_t x)
{
    uint64_t r = 0;

    for (int bit = 19; bit >= 0; bit--) {
        uint64_t t = r | (1ull << bit);
        if (t * t * t <= x) {
            r = t;
        }
    }
    return (uint32_t)r;
}

static void cubic_epoch(struct ho_tcp_cc *cc, uint32_t acked, struct ho_time now)
{
    cc->epoch = now;
    cc->ack_cnt = acked;
    cc->tcp_cwnd = cc->cwnd;
    if (cc->w_max <= cc->cwnd) {
        cc->k = 0;
        cc->origin = cc->cwnd;
    } else {
        /* K = cbrt((W_max - cwnd) / C), C = 0.4 segments/s^3, in 1/1024 s */
        uint64_t left = cc->w_max - cc->cwnd;
        cc->k = cube_root((left << 30) / 4 * 10);
        cc->origin = cc->w_max;
    }
}

/* RFC 9438 4.2 to 4.4: how many ACKs it takes to grow by one segment. */
static uint32_t cubic_count(struct ho_tcp *c, uint32_t acked, struct ho_time now)
{
    struct ho_tcp_cc *cc = c->cc;

    cc->ack_cnt += acked;
    if (cc->epoch.ns == 0) {
        cubic_epoch(cc, acked, now);
    }
    uint64_t since = (uint64_t)ho_time_since(now, cc->epoch).ns / 1000 + (c->srtt_us >> 3);
    uint64_t t = (since << 10) / 1000000;
    uint64_t off = t < cc->k ? cc->k - t : t - cc->k;
    off = off < (1u << 18) ? off : 1u << 18;
    uint64_t delta = (off * off * off / 10 * 4) >> 30;
    uint64_t target =
        t < cc->k ? (delta < cc->origin ? cc->origin - delta : 0) : cc->origin + delta;
    uint32_t cnt = target > cc->cwnd ? (uint32_t)(cc->cwnd / (target - cc->cwnd)) : 100 * cc->cwnd;
    if (cc->w_max == 0 && cnt > 20) {
        cnt = 20;
    }
    /* no slower than Reno would be (4.3): 3(1 - b)/(1 + b), per cwnd acknowledged */
    uint32_t per = cc->cwnd * (1024u + CUBIC_BETA) / (3u * (1024u - CUBIC_BETA));
    per = per > 0 ? per : 1;
    while (cc->ack_cnt > per) {
        cc->ack_cnt -= per;
        cc->tcp_cwnd++;
    }
    if (cc->tcp_cwnd > cc->cwnd) {
        uint32_t reno = cc->cwnd / (cc->tcp_cwnd - cc->cwnd);
        cnt = cnt < reno ? cnt : reno;
    }
    return cnt > 2 ? cnt : 2;
}

static bool cwnd_limited(const struct ho_tcp *c)
{
    const struct ho_tcp_work *w = c->work;

    if (w->cwnd_limited) {
        return true;
    }
    /* in slow start it may grow to twice what was used */
    return tcp_cwnd(c) < tcp_ssthresh(c) && tcp_cwnd(c) < 2 * w->max_packets_out;
}

void tcp_cc_acked(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t acked, struct ho_time now)
{
    if (!cwnd_limited(c) || acked == 0) {
        return; /* RFC 7661: what was not used proves nothing */
    }
    struct ho_tcp_cc *cc = tcp_cc(env, c);
    if (cc == NULL) {
        return;
    }
    if (cc->cwnd < cc->ssthresh) {
        acked = slow_start(cc, acked);
        if (acked == 0) {
            return;
        }
    }
    additive(cc, is_cubic(env, c) ? cubic_count(c, acked, now) : cc->cwnd, acked);
}

/* After a pause CUBIC's epoch moves on with the pause, so that idling does not count as growth
 * (RFC 9438 5.8).
 */
void tcp_cc_tx_start(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    if (c->cc == NULL || c->cc->epoch.ns == 0) {
        return;
    }
    uint32_t idle = tcp_tick_now(env, now) - c->lsndtime;
    struct ho_time moved = ho_time_add(c->cc->epoch, ho_us((int64_t)tcp_ticks_us(env, idle)));
    c->cc->epoch = ho_time_min(moved, now);
}

/* tcp_slow_start_after_idle: the window halves for each timeout of silence (RFC 5681 4.1). */
void tcp_cc_idle(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_cc *cc = c->cc;
    struct ho_tcp_work *w = c->work;

    if (cc == NULL || w->packets_out > 0 ||
        tcp_sys(env, HO_SYSCTL_TCP_SLOW_START_AFTER_IDLE) == 0) {
        return;
    }
    int64_t idle = (int64_t)(tcp_tick_now(env, now) - c->lsndtime);
    int64_t rto = tcp_us_ticks(env, w->rto_us);
    uint32_t least = cc->cwnd < TCP_INIT_CWND ? cc->cwnd : TCP_INIT_CWND, cwnd = cc->cwnd;
    if (idle <= rto) {
        return;
    }
    uint32_t kept = (cwnd >> 1) + (cwnd >> 2);
    cc->ssthresh = cc->ssthresh > kept ? cc->ssthresh : kept;
    for (idle -= rto; idle > 0 && cwnd > least; idle -= rto) {
        cwnd >>= 1;
    }
    cc->cwnd = cwnd > least ? cwnd : least;
    w->cwnd_used = 0;
    w->cwnd_stamp = tcp_tick_now(env, now);
}

/* The application does not fill the window: half of what it did not use goes. */
static void application_limited(struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;
    struct ho_tcp_cc *cc = c->cc;
    uint32_t used = w->cwnd_used > TCP_INIT_CWND ? w->cwnd_used : TCP_INIT_CWND;

    if (w->ca_state != TCP_CA_OPEN || (c->flags & (TCP_F_DEAD | TCP_F_NOSPACE)) != 0) {
        return;
    }
    if (cc != NULL && used < cc->cwnd) {
        uint32_t kept = (cc->cwnd >> 1) + (cc->cwnd >> 2);
        cc->ssthresh = cc->ssthresh > kept ? cc->ssthresh : kept;
        cc->cwnd = (cc->cwnd + used) >> 1;
    }
    w->cwnd_used = 0;
}

/* Was the window used? What counts is the fullest moment of each window of data, and whether it
 * ever was the limit in it. Who does not fill it for a timeout loses some of it (RFC 7661, Linux
 * tcp_cwnd_validate).
 */
void tcp_cc_validate(struct ho_tcp_env *env, struct ho_tcp *c, bool limited, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    uint32_t tick = tcp_tick_now(env, now);

    if (!ho_seq_before(c->snd_una, w->usage_seq) || limited ||
        (!w->cwnd_limited && w->packets_out > w->max_packets_out)) {
        w->cwnd_limited = limited;
        w->max_packets_out = w->packets_out;
        w->usage_seq = c->snd_nxt;
    }
    if (cwnd_limited(c)) {
        w->cwnd_used = 0;
        w->cwnd_stamp = tick;
        return;
    }
    if (w->packets_out > w->cwnd_used) {
        w->cwnd_used = w->packets_out;
    }
    if (tcp_sys(env, HO_SYSCTL_TCP_SLOW_START_AFTER_IDLE) != 0 &&
        (int32_t)(tick - w->cwnd_stamp) >= (int32_t)tcp_us_ticks(env, w->rto_us)) {
        application_limited(c);
        w->cwnd_stamp = tick;
    }
}

/* Twice the window a round trip in slow start, 1.2 times after it. */
uint64_t tcp_cc_pace(const struct ho_tcp *c)
{
    uint32_t cwnd = tcp_cwnd(c), out = c->work != NULL ? c->work->packets_out : 0;
    uint64_t percent = cwnd < tcp_ssthresh(c) / 2 ? 200 : 120;

    if (c->srtt_us == 0) {
        return UINT64_MAX;
    }
    return c->mss * 80000ull * percent * (cwnd > out ? cwnd : out) / c->srtt_us;
}

/* ---- the send buffer follows the window: room for two of them
 * ------------------------------------ */

static uint32_t per_segment(const struct ho_tcp *c)
{
    uint32_t need = c->mss + 320u + 256u, size = 1; /* payload, headers, bookkeeping */

    while (size < need) {
        size <<= 1;
    }
    return size + 256u;
}

static uint32_t sndbuf_for(const struct ho_tcp_env *env, const struct ho_tcp *c, uint32_t cwnd)
{
    uint32_t segs = cwnd > TCP_INIT_CWND ? cwnd : TCP_INIT_CWND;
    uint64_t want = 2ull * segs * per_segment(c);
    uint64_t most = (uint64_t)tcp_sys(env, HO_SYSCTL_TCP_WMEM_MAX);
    uint64_t least = (uint64_t)tcp_sys(env, HO_SYSCTL_TCP_WMEM_DEFAULT);

    want = want < most ? want : most;
    return (uint32_t)(want > least ? want : least);
}

uint32_t tcp_sndbuf(const struct ho_tcp_env *env, const struct ho_tcp *c)
{
    if (c->opts->sndbuf != 0) {
        return c->opts->sndbuf;
    }
    if (c->cc != NULL && c->cc->sndbuf != 0) {
        return c->cc->sndbuf;
    }
    return sndbuf_for(env, c, TCP_INIT_CWND);
}

void tcp_sndbuf_expand(struct ho_tcp_env *env, struct ho_tcp *c)
{
    if (c->opts->sndbuf != 0 || c->cc == NULL) {
        return;
    }
    uint32_t want = sndbuf_for(env, c, c->cc->cwnd);
    if (want > tcp_sndbuf(env, c)) {
        c->cc->sndbuf = want;
    }
}
