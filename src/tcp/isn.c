/* Numbers that must not be guessed: initial sequence numbers (RFC 6528) and the clock that
 * timestamps and rate limits read.
 */

#include "tcp/conn.h"

struct ho_seq tcp_isn(const struct ho_tcp_env *env, const struct ho_tcp_path *path, uint16_t lport,
                      uint16_t rport, struct ho_time now)
{
    struct {
        struct ho_addr local, remote;
        uint16_t lport, rport;
    } id = { path->local, path->remote, lport, rport };
    uint64_t f = ho_siphash(&env->secret, &id, sizeof(id));

    /* M of RFC 6528: the clock, a step each 64 ns as in Linux */
    return ho_seq((uint32_t)f + (uint32_t)((uint64_t)now.ns >> 6));
}

uint16_t tcp_path_advmss(const struct ho_tcp_path *path, const struct ho_tcp_opts *opts)
{
    uint16_t headers = ho_addr_is_v4(&path->local) ? 40 : 60;
    uint16_t mss =
        path->mtu > headers + TCP_MSS_MIN ? (uint16_t)(path->mtu - headers) : (uint16_t)TCP_MSS_MIN;

    return opts->maxseg != 0 && opts->maxseg < mss ? opts->maxseg : mss;
}

uint32_t ho_tcp_ts_now(const struct ho_tcp_path *path, struct ho_time now)
{
    return path->ts_offset + (uint32_t)(now.ns / 1000000);
}

uint32_t tcp_tick_now(const struct ho_tcp_env *env, struct ho_time now)
{
    return (uint32_t)ho_clk_jiffies(env->clk, now);
}

uint32_t tcp_us_ticks(const struct ho_tcp_env *env, uint64_t us)
{
    return (uint32_t)ho_clk_dur_jiffies(env->clk, ho_us((int64_t)us));
}

uint64_t tcp_ticks_us(const struct ho_tcp_env *env, uint32_t ticks)
{
    return (uint64_t)(ho_clk_jiffies_dur(env->clk, ticks).ns / 1000);
}

uint32_t tcp_rto_max_us(const struct ho_tcp_env *env, const struct ho_tcp *c)
{
    uint32_t ms = c->opts->rto_max_ms;

    return 1000u * (ms != 0 ? ms : (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_RTO_MAX_MS));
}
