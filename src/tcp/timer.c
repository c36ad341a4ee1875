/* The three timers of a connection, and when it gives up.
 *
 * One timer is shared by what excludes each other (retransmission, tail loss probe, reordering,
 * window probe), one delays ACKs, one is keepalive and the orphan's FIN-WAIT-2. A deadline is
 * rounded by the wheel once, when it is armed (ground-truth A1); keepalive is not re-armed by
 * traffic but fires and goes back to sleep for what remains.
 *
 * The rules of giving up are A3 (time since the first retransmission, for data), row 12 (a count,
 * for window probes and data never sent), row 10 (both, for SYN) and rows 2 and 9 (keepalive and
 * TCP_USER_TIMEOUT).
 */

#include <assert.h>
#include <errno.h>

#include "tcp/conn.h"

static int64_t ms_of(struct ho_time t)
{
    return t.ns / 1000000;
}

void tcp_arm(struct ho_tcp_env *env, struct ho_tcp *c, enum ho_tcp_pending what, uint64_t us,
             struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    uint64_t max = tcp_rto_max_us(env, c);
    struct ho_dur delay = ho_us((int64_t)(us < max ? us : max));
    uint64_t jiffy = ho_clk_jiffies(env->clk, now) + ho_clk_dur_jiffies(env->clk, delay);

    /* A timer that is set to the jiffy that it is set to already stays where it is in the wheel,
     * as coarse as it was (Linux __mod_timer); clearing one does not take it out.
     */
    if (env->clk->hz == 0 || jiffy != w->wheel_jiffy || ho_due_reached(w->wheel_at, now)) {
        w->wheel_jiffy = jiffy;
        w->wheel_at = ho_clk_due(env->clk, now, delay);
    }
    w->pending = (uint8_t)what;
    w->rexmt_at = w->wheel_at;
}

void tcp_disarm(struct ho_tcp *c)
{
    if (c->work != NULL) {
        c->work->pending = TCP_PENDING_NONE;
        c->work->rexmt_at = HO_DUE_NEVER;
    }
}

void tcp_keep_arm(struct ho_tcp_env *env, struct ho_tcp *c, uint64_t us, struct ho_time now)
{
    c->keep_at = ho_clk_due(env->clk, now, ho_us((int64_t)us));
}

void tcp_rearm_rto(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    if (w->packets_out == 0) {
        tcp_disarm(c);
        return;
    }
    int64_t us = w->rto_us;
    if (w->pending == TCP_PENDING_REO || w->pending == TCP_PENDING_TLP) {
        /* what elapsed under the other timer counts */
        us -= ho_time_since(now, w->head->sent).ns / 1000;
        us = us > 1 ? us : 1;
    }
    tcp_arm(env, c, TCP_PENDING_REXMT, (uint64_t)us, now);
}

/* T(N) of ground-truth A3, in milliseconds: N doublings from `base`, then steps of rto_max. */
static int64_t model_timeout_ms(uint32_t n, uint32_t base_ms, uint32_t rto_max_ms)
{
    uint32_t doublings = 0;

    while ((rto_max_ms / base_ms) >> (doublings + 1) != 0) {
        doublings++;
    }
    uint32_t k = n < doublings ? n : doublings;
    int64_t ms = ((2LL << k) - 1) * base_ms;
    return ms + (int64_t)(n - k) * rto_max_ms;
}

static bool handshaking(const struct ho_tcp *c)
{
    return c->state == HO_TCP_SYN_SENT || c->state == HO_TCP_SYN_RECV;
}

/* True if `n` retransmissions' worth of time, or the user's own time, has passed. */
static bool timed_out(const struct ho_tcp_env *env, const struct ho_tcp *c, uint32_t n,
                      uint32_t user_ms, struct ho_time now)
{
    if (c->retransmits == 0) {
        return false;
    }
    uint32_t base_ms = (handshaking(c) ? TCP_RTO_INIT_US : TCP_RTO_MIN_US) / 1000;
    int64_t limit_ms = user_ms != 0 ? (int64_t)user_ms
                                    : model_timeout_ms(n, base_ms, tcp_rto_max_us(env, c) / 1000);

    return ms_of(now) - ms_of(c->work->retrans_stamp) >= limit_ms;
}

/* Retries allowed to a connection that no process holds; 8 if unset and not yet hopeless. */
static uint32_t orphan_retries(const struct ho_tcp_env *env, const struct ho_tcp *c, bool alive)
{
    uint32_t retries = (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_ORPHAN_RETRIES);

    if (c->err_soft != 0 && !alive) {
        retries = 0;
    }
    return retries == 0 && alive ? 8 : retries;
}

static void give_up(struct ho_tcp_env *env, struct ho_tcp *c, enum ho_tcp_why why)
{
    tcp_count(env, HO_TCP_COUNT_ABORT_ON_TIMEOUT);
    tcp_fail(env, c, c->err_soft != 0 ? c->err_soft : ETIMEDOUT, why);
}

static enum ho_tcp_why why_of(const struct ho_tcp *c, enum ho_tcp_why otherwise)
{
    if (c->opts->user_timeout_ms != 0) {
        return HO_TCP_WHY_USER_TIMEOUT;
    }
    return (c->flags & TCP_F_DEAD) != 0 ? HO_TCP_WHY_ORPHAN_RETRIES : otherwise;
}

/* Is this timeout the last? Ground-truth A3; row 10 for SYN; row 15 for orphans. */
static bool write_timeout(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    uint32_t until;
    bool expired = false;
    enum ho_tcp_why why = HO_TCP_WHY_RETRIES2;

    if (handshaking(c)) {
        until = c->opts->syncnt != 0 ? c->opts->syncnt
                                     : (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_SYN_RETRIES);
        uint32_t most = until;
        if (c->state == HO_TCP_SYN_SENT) {
            most += (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS);
        }
        expired = c->retransmits >= most;
        why = HO_TCP_WHY_SYN_RETRIES;
    } else {
        until = (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_RETRIES2);
        if ((c->flags & TCP_F_DEAD) != 0) {
            until = orphan_retries(env, c, c->work->rto_us < tcp_rto_max_us(env, c));
        }
    }
    if (!expired && !timed_out(env, c, until, c->opts->user_timeout_ms, now)) {
        return false;
    }
    give_up(env, c, expired ? why : why_of(c, why));
    return true;
}

/* The timeout in force, shortened so that it does not pass TCP_USER_TIMEOUT (row 9). */
static uint64_t rto_clamped_us(const struct ho_tcp_env *env, const struct ho_tcp *c,
                               struct ho_time now)
{
    const struct ho_tcp_work *w = c->work;

    if (c->opts->user_timeout_ms == 0) {
        return w->rto_us;
    }
    int64_t left_ms = (int64_t)c->opts->user_timeout_ms - (ms_of(now) - ms_of(w->retrans_stamp));
    if (left_ms <= 0) {
        return tcp_ticks_us(env, 1);
    }
    uint64_t left_us = (uint64_t)left_ms * 1000;
    return left_us < w->rto_us ? left_us : w->rto_us;
}

static void back_off(struct ho_tcp_env *env, struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;
    uint32_t max = tcp_rto_max_us(env, c);

    if (c->state == HO_TCP_ESTABLISHED && tcp_sys(env, HO_SYSCTL_TCP_THIN_LINEAR_TIMEOUTS) != 0 &&
        w->packets_out < 4 && c->retransmits <= 6) {
        c->backoff = 0;
        w->rto_us = tcp_rto_base_us(env, c);
        return;
    }
    if (c->state == HO_TCP_SYN_SENT &&
        c->retransmits <= tcp_sys(env, HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS)) {
        return; /* the first timeouts of a SYN do not double (row 10) */
    }
    c->backoff++;
    w->rto_us = w->rto_us < max / 2 ? 2 * w->rto_us : max;
}

/* The receiver took its window back to nothing: repeats are window probes then, and the
 * connection lives while it answers. Returns true if it is over.
 */
static bool shrunk_window_over(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    const struct ho_tcp_work *w = c->work;
    struct ho_time since = w->retrans_stamp.ns != 0 ? w->retrans_stamp : w->head->sent;
    int64_t silent_ms = ms_of(now) - ms_of(since);
    int64_t limit_ms = 2LL * tcp_rto_max_us(env, c) / 1000;
    int64_t user_ms = c->opts->user_timeout_ms;

    if (user_ms != 0) {
        if (silent_ms > user_ms) {
            return true;
        }
        limit_ms = user_ms < limit_ms ? user_ms : limit_ms;
    }
    uint32_t quiet = tcp_tick_now(env, now) - c->rcv_tstamp;
    return quiet > tcp_us_ticks(env, (uint64_t)limit_ms * 1000) && silent_ms > limit_ms;
}

static void rexmt_rearm(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    back_off(env, c);
    tcp_arm(env, c, TCP_PENDING_REXMT, rto_clamped_us(env, c, now), now);
}

/* Retransmission timeout (RFC 6298 5; ground-truth A2.3). */
void tcp_retransmit_timer(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    if (w->packets_out == 0) {
        return;
    }
    if (c->snd_wnd == 0 && (c->flags & TCP_F_DEAD) == 0 && !handshaking(c)) {
        if (shrunk_window_over(env, c, now)) {
            give_up(env, c, why_of(c, HO_TCP_WHY_RETRIES2));
            return;
        }
        tcp_enter_loss(env, c, now);
        tcp_retransmit(env, c, w->head, 1, now);
        rexmt_rearm(env, c, now);
        return;
    }
    tcp_count(env, HO_TCP_COUNT_TIMEOUTS);
    if (write_timeout(env, c, now)) {
        return;
    }
    tcp_enter_loss(env, c, now);
    c->retransmits++; /* of 8 bits, and wraps, as icsk_retransmits (s03_own_dynarp_lan_r15) */
    tcp_retransmit(env, c, w->head, 1, now); /* a failure backs off as a loss does */
    rexmt_rearm(env, c, now);
}

/* ---- zero window (row 12) ----------------------------------------------------------------- */

uint64_t tcp_probe_when_us(const struct ho_tcp_env *env, const struct ho_tcp *c)
{
    uint64_t base = c->work->rto_us > TCP_RTO_MIN_US ? c->work->rto_us : TCP_RTO_MIN_US;
    uint64_t max = tcp_rto_max_us(env, c);
    unsigned shift = c->backoff < 10 ? c->backoff : 10; /* log2(120 s / 200 ms) + 1 */

    return base << shift < max ? base << shift : max;
}

uint64_t tcp_probe_clamp_us(const struct ho_tcp_env *env, const struct ho_tcp *c, uint64_t us,
                            struct ho_time now)
{
    uint32_t began = c->work->probes_tstamp;

    if (c->opts->user_timeout_ms == 0 || began == 0) {
        return us;
    }
    int64_t left = (int64_t)tcp_us_ticks(env, (uint64_t)c->opts->user_timeout_ms * 1000) -
                   (int64_t)(tcp_tick_now(env, now) - began);
    left = left > 2 ? left : 2; /* Linux TCP_TIMEOUT_MIN, jiffies */
    uint64_t left_us = tcp_ticks_us(env, (uint32_t)left);
    return left_us < us ? left_us : us;
}

static bool user_time_is_over(const struct ho_tcp_env *env, const struct ho_tcp *c,
                              struct ho_time now)
{
    uint32_t waited = tcp_tick_now(env, now) - c->work->probes_tstamp;

    return c->opts->user_timeout_ms != 0 &&
           waited >= tcp_us_ticks(env, (uint64_t)c->opts->user_timeout_ms * 1000);
}

static void probe_timer(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    uint32_t most = (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_RETRIES2);

    if (w->packets_out > 0 || w->send_head == NULL) {
        c->probes_out = 0;
        w->probes_tstamp = 0;
        return;
    }
    if (w->probes_tstamp == 0) {
        uint32_t tick = tcp_tick_now(env, now);
        w->probes_tstamp = tick != 0 ? tick : 1;
    } else if (user_time_is_over(env, c, now)) {
        give_up(env, c, HO_TCP_WHY_USER_TIMEOUT);
        return;
    }
    if ((c->flags & TCP_F_DEAD) != 0) {
        uint32_t max = tcp_rto_max_us(env, c);
        bool alive = c->backoff < 32 && ((uint64_t)w->rto_us << c->backoff) < max;
        most = orphan_retries(env, c, alive);
        if (!alive && c->backoff >= most) {
            give_up(env, c, HO_TCP_WHY_ORPHAN_RETRIES);
            return;
        }
    }
    if (c->probes_out >= most) {
        give_up(env, c,
                (c->flags & TCP_F_DEAD) != 0 ? HO_TCP_WHY_ORPHAN_RETRIES : HO_TCP_WHY_PROBES);
        return;
    }
    tcp_send_probe0(env, c, now);
}

/* ---- keepalive (rows 2, 9, 13) ------------------------------------------------------------- */

uint32_t tcp_keepidle_ticks(const struct ho_tcp_env *env, const struct ho_tcp *c)
{
    uint64_t s = c->opts->keepidle_s != 0 ? c->opts->keepidle_s
                                          : (uint64_t)tcp_sys(env, HO_SYSCTL_TCP_KEEPALIVE_TIME);
    return tcp_us_ticks(env, s * 1000000);
}

static uint32_t keepintvl_ticks(const struct ho_tcp_env *env, const struct ho_tcp *c)
{
    uint64_t s = c->opts->keepintvl_s != 0 ? c->opts->keepintvl_s
                                           : (uint64_t)tcp_sys(env, HO_SYSCTL_TCP_KEEPALIVE_INTVL);
    return tcp_us_ticks(env, s * 1000000);
}

/* True when the probes have shown that the peer is gone. With TCP_USER_TIMEOUT the count is not
 * looked at: one lost probe and the time are enough (row 9).
 */
static bool keepalive_over(const struct ho_tcp_env *env, const struct ho_tcp *c, uint32_t silent)
{
    uint32_t user_ms = c->opts->user_timeout_ms;

    if (user_ms != 0) {
        return silent >= tcp_us_ticks(env, (uint64_t)user_ms * 1000) && c->probes_out > 0;
    }
    uint32_t most = c->opts->keepcnt != 0 ? c->opts->keepcnt
                                          : (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_KEEPALIVE_PROBES);
    return c->probes_out >= most;
}

static void keepalive_timer(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    const struct ho_tcp_work *w = c->work;
    uint32_t idle = tcp_keepidle_ticks(env, c), next;
    uint32_t tick = tcp_tick_now(env, now);
    uint32_t since_ack = tick - c->rcv_tstamp, since_data = tick - c->lrcvtime;
    uint32_t silent = since_ack < since_data ? since_ack : since_data;

    if (!c->opts->keepalive || c->state == HO_TCP_CLOSE || c->state == HO_TCP_SYN_SENT) {
        return;
    }
    if (w != NULL && w->head != NULL) {
        next = idle; /* the retransmission timer watches already (row 13) */
    } else if (silent < idle) {
        next = idle - silent;
    } else if (keepalive_over(env, c, silent)) {
        tcp_active_reset(env, c); /* the one death that is told to the peer */
        give_up(env, c,
                c->opts->user_timeout_ms != 0 ? HO_TCP_WHY_USER_TIMEOUT : HO_TCP_WHY_KEEPALIVE);
        return;
    } else {
        if (c->work != NULL && silent >= tcp_us_ticks(env, TCP_QUIET_US)) {
            c->work->moved = 0;
        }
        tcp_count(env, HO_TCP_COUNT_KEEPALIVE);
        tcp_write_wakeup(env, c, now);
        c->probes_out++;
        next = keepintvl_ticks(env, c);
    }
    tcp_keep_arm(env, c, tcp_ticks_us(env, next), now);
}

/* The third timer: an orphan in FIN-WAIT-2 whose tcp_fin_timeout is longer than TIME-WAIT waits
 * here for the difference, then becomes a record (ho_tcp_wants_tw()).
 */
static void keep_timer(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    if (c->state == HO_TCP_FIN_WAIT2 && (c->flags & TCP_F_DEAD) != 0) {
        if (c->opts->linger2_s < 0) {
            tcp_active_reset(env, c);
            tcp_done(env, c, HO_TCP_WHY_FIN_TIMEOUT);
        }
        return;
    }
    keepalive_timer(env, c, now);
}

/* ---- the clock of the connection ------------------------------------------------------------- */

struct ho_due ho_tcp_due(const struct ho_tcp *c)
{
    if (c->work == NULL) {
        return c->keep_at;
    }
    return ho_due_min(ho_due_min(c->work->rexmt_at, c->work->delack_at), c->keep_at);
}

struct ho_time ho_tcp_deadline(const struct ho_tcp *c)
{
    return ho_due_time(ho_tcp_due(c));
}

static void fire_rexmt(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    enum ho_tcp_pending what = (enum ho_tcp_pending)w->pending;

    w->rexmt_at = HO_DUE_NEVER;
    switch (what) {
    case TCP_PENDING_REO:
        tcp_rack_timer(env, c, now);
        break;
    case TCP_PENDING_TLP:
        tcp_loss_probe(env, c, now);
        break;
    case TCP_PENDING_REXMT:
        w->pending = TCP_PENDING_NONE;
        tcp_retransmit_timer(env, c, now);
        break;
    case TCP_PENDING_PROBE:
        w->pending = TCP_PENDING_NONE;
        probe_timer(env, c, now);
        break;
    case TCP_PENDING_NONE:
        break;
    }
}

/* Of one bucket of the wheel retransmission goes first, then the delayed ACK, then keepalive: which
 * of them was armed last is not kept (docs/decisions/043).
 */
void ho_tcp_fire(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_due due = ho_tcp_due(c);

    if (!ho_due_reached(due, now)) {
        return;
    }
    if (c->work != NULL && c->work->rexmt_at.key == due.key) {
        fire_rexmt(env, c, now);
    } else if (c->work != NULL && c->work->delack_at.key == due.key) {
        c->work->delack_at = HO_DUE_NEVER;
        tcp_delack_timer(env, c, now);
    } else {
        c->keep_at = HO_DUE_NEVER;
        keep_timer(env, c, now);
    }
}

void ho_tcp_tick(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    while (ho_due_reached(ho_tcp_due(c), now)) {
        ho_tcp_fire(env, c, now);
    }
}
