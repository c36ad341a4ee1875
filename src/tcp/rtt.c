/* The round-trip estimate and the timeout made of it: ground-truth A2.1.
 *
 * As RFC 6298 with two changes that Linux makes: the variance has a floor of 200 ms *inside* the
 * sum (so a LAN has 204 ms, not 200), and it falls only once a round trip, by a quarter of the
 * way to the largest deviation seen in that round trip. A sample below the estimate raises the
 * deviation by an eighth only, lest a falling round trip raise the timeout.
 */

#include "tcp/conn.h"

uint32_t tcp_rto_min_us(const struct ho_tcp_env *env)
{
    uint64_t us = (uint64_t)tcp_sys(env, HO_SYSCTL_TCP_RTO_MIN_US);

    return (uint32_t)tcp_ticks_us(env, tcp_us_ticks(env, us)); /* Linux keeps it in jiffies */
}

uint32_t tcp_rto_base_us(const struct ho_tcp_env *env, const struct ho_tcp *c)
{
    if (c->srtt_us == 0 && c->rttvar_us == 0) {
        return TCP_RTO_INIT_US;
    }
    struct ho_dur sum = ho_us((int64_t)(c->srtt_us >> 3) + c->rttvar_us);
    uint32_t us = (uint32_t)(ho_clk_round_up(env->clk, sum).ns / 1000);
    uint32_t max = tcp_rto_max_us(env, c);

    return us < max ? us : max;
}

void tcp_rtt_unknown(struct ho_tcp_env *env, struct ho_tcp *c)
{
    c->rttvar_us = TCP_RTO_FALLBACK_US;
    c->mdev_us = TCP_RTO_FALLBACK_US;
    c->mdev_max_us = TCP_RTO_FALLBACK_US;
    if (c->work != NULL) {
        c->work->rto_us = tcp_rto_base_us(env, c);
    }
}

static void deviate(struct ho_tcp *c, int64_t off_us)
{
    int64_t m = off_us < 0 ? -off_us : off_us;

    m -= c->mdev_us >> 2;
    if (off_us < 0 && m > 0) {
        m >>= 3;
    }
    c->mdev_us = (uint32_t)((int64_t)c->mdev_us + m);
    if (c->mdev_us > c->mdev_max_us) {
        c->mdev_max_us = c->mdev_us;
        if (c->mdev_max_us > c->rttvar_us) {
            c->rttvar_us = c->mdev_max_us;
        }
    }
}

static void first_sample(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t rtt_us)
{
    uint32_t floor_us = tcp_rto_min_us(env);

    c->srtt_us = rtt_us << 3;
    c->mdev_us = rtt_us << 1;
    c->rttvar_us = c->mdev_us > floor_us ? c->mdev_us : floor_us;
    c->mdev_max_us = c->rttvar_us;
    if (c->work != NULL) {
        c->work->rtt_seq = c->snd_nxt;
    }
}

void tcp_rtt_sample(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t rtt_us, bool set_rto)
{
    struct ho_tcp_work *w = c->work;

    if (rtt_us == 0) {
        rtt_us = 1;
    }
    if (c->srtt_us == 0) {
        first_sample(env, c, rtt_us);
    } else {
        int64_t off = (int64_t)rtt_us - (c->srtt_us >> 3);
        c->srtt_us = (uint32_t)((int64_t)c->srtt_us + off);
        deviate(c, off);
        if (w != NULL && ho_seq_after(c->snd_una, w->rtt_seq)) {
            if (c->mdev_max_us < c->rttvar_us) {
                c->rttvar_us -= (c->rttvar_us - c->mdev_max_us) >> 2;
            }
            w->rtt_seq = c->snd_nxt;
            c->mdev_max_us = tcp_rto_min_us(env);
        }
    }
    if (c->srtt_us == 0) {
        c->srtt_us = 1;
    }
    if (set_rto) {
        c->backoff = 0;
        if (w != NULL) {
            w->rto_us = tcp_rto_base_us(env, c);
        }
    }
}
