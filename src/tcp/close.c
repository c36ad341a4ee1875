/* Opening and closing, and what an application sees of a connection beside its bytes. */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tcp/conn.h"

/* ---- a connection's memory ----------------------------------------------------------------------
 */

void ho_tcp_env_init(struct ho_tcp_env *env, size_t max_connections)
{
    ho_pool_init(&env->work, sizeof(struct ho_tcp_work), max_connections);
    ho_pool_init(&env->cc, sizeof(struct ho_tcp_cc), max_connections);
    ho_pool_init(&env->opts, sizeof(struct ho_tcp_opts), max_connections);
    ho_pool_init(&env->skbs, sizeof(struct ho_tcp_skb), SIZE_MAX);
    memset(env->count, 0, sizeof(env->count));
}

void ho_tcp_env_destroy(struct ho_tcp_env *env)
{
    ho_pool_destroy(&env->work);
    ho_pool_destroy(&env->cc);
    ho_pool_destroy(&env->opts);
    ho_pool_destroy(&env->skbs);
}

void ho_tcp_init(struct ho_tcp *c, struct ho_tcp_path *path, struct ho_tcp_opts *opts,
                 uint16_t lport, uint16_t rport)
{
    *c = (struct ho_tcp){
        .path = path,
        .opts = opts,
        .lport = lport,
        .rport = rport,
        .state = HO_TCP_CLOSE,
        .keep_at = HO_DUE_NEVER,
        .scaling = TCP_SCALING_UNKNOWN,
    };
}

void ho_tcp_destroy(struct ho_tcp_env *env, struct ho_tcp *c)
{
    tcp_work_drop(env, c);
    ho_pool_put(&env->cc, c->cc);
    c->cc = NULL;
}

/* ---- opening
 * ---------------------------------------------------------------------------------------- */

int ho_tcp_connect(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    assert(c->state == HO_TCP_CLOSE && c->work == NULL);
    uint8_t wscale;

    c->snd_una = tcp_isn(env, c->path, c->lport, c->rport, now);
    c->snd_nxt = c->snd_una;
    c->advmss = tcp_path_advmss(c->path, c->opts);
    tcp_sync_mss(env, c, c->advmss);
    struct ho_tcp_work *w = tcp_work(env, c);
    struct ho_tcp_skb *syn = w != NULL ? tcp_skb_append(env, c) : NULL;
    if (syn == NULL) {
        tcp_work_drop(env, c);
        return -ENOMEM;
    }
    c->rcv_wnd =
        tcp_initial_window(env, c->opts, c->advmss, tcp_sys(env, HO_SYSCTL_TCP_WINDOW_SCALING) != 0,
                           &wscale, &c->rcvbuf);
    c->rcv_wscale = wscale & 15u;
    c->rcv_ssthresh = c->rcv_wnd;
    syn->flags = HO_TCP_SYN;
    w->write_seq = ho_seq_add(w->write_seq, 1);
    w->sndq_seq = w->write_seq;
    tcp_enter(c, HO_TCP_SYN_SENT);
    tcp_emit(env, c, syn, now);
    w->retrans_stamp = syn->sent; /* row 10: the time limit counts from the first SYN */
    tcp_sent_new(env, c, syn, now);
    tcp_count(env, HO_TCP_COUNT_ACTIVE_OPENS);
    return 0;
}

/* ---- closing
 * ------------------------------------------------------------------------------------------ */

void tcp_active_reset(struct ho_tcp_env *env, struct ho_tcp *c)
{
    (void)env;
    c->want |= TCP_WANT_RST;
}

uint64_t tcp_fin_time_us(const struct ho_tcp_env *env, const struct ho_tcp *c)
{
    uint32_t s = c->opts->linger2_s > 0 ? (uint32_t)c->opts->linger2_s
                                        : (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_FIN_TIMEOUT);
    uint32_t rto = c->work != NULL ? c->work->rto_us : tcp_rto_base_us(env, c);
    uint64_t least = (uint64_t)rto * 7 / 2; /* time for the peer's FIN to be repeated */

    return s * 1000000ull > least ? s * 1000000ull : least;
}

void tcp_fin_wait2_orphan(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    uint64_t us = tcp_fin_time_us(env, c);

    if (c->opts->linger2_s < 0) {
        tcp_active_reset(env, c);
        tcp_done(env, c, HO_TCP_WHY_ABORT);
        return;
    }
    c->keep_at = HO_DUE_NEVER;
    c->why = HO_TCP_WHY_FIN_TIMEOUT;
    if (us > TCP_TIMEWAIT_S * UINT64_C(1000000)) {
        tcp_keep_arm(env, c, us - TCP_TIMEWAIT_S * UINT64_C(1000000), now);
    }
}

/* Our half is closed: the state after it. Returns true if a FIN has to be sent. */
static bool close_state(struct ho_tcp_env *env, struct ho_tcp *c)
{
    switch (c->state) {
    case HO_TCP_SYN_SENT:
        tcp_done(env, c, HO_TCP_WHY_ABORT);
        return false;
    case HO_TCP_SYN_RECV:
    case HO_TCP_ESTABLISHED:
        tcp_enter(c, HO_TCP_FIN_WAIT1);
        return true;
    case HO_TCP_CLOSE_WAIT:
        tcp_enter(c, HO_TCP_LAST_ACK);
        return true;
    default:
        return false;
    }
}

int ho_tcp_shutdown(struct ho_tcp_env *env, struct ho_tcp *c, bool rd, bool wr, struct ho_time now)
{
    if (c->state == HO_TCP_CLOSE) {
        return -ENOTCONN;
    }
    if (c->state == HO_TCP_SYN_SENT) {
        tcp_fail(env, c, ECONNRESET, HO_TCP_WHY_ABORT); /* Linux takes it for disconnect */
        return 0;
    }
    c->shut |= (rd ? TCP_SHUT_RCV : 0) | (wr ? TCP_SHUT_SEND : 0);
    if (wr && (c->state == HO_TCP_ESTABLISHED || c->state == HO_TCP_CLOSE_WAIT) &&
        close_state(env, c)) {
        tcp_send_fin(env, c, now);
    }
    c->wake |= HO_WAKE_STATE;
    return 0;
}

/* The states in which RFC 9293 3.10.5 (ABORT) sends a RST. */
static bool needs_reset(const struct ho_tcp *c)
{
    return c->state == HO_TCP_ESTABLISHED || c->state == HO_TCP_CLOSE_WAIT ||
           c->state == HO_TCP_FIN_WAIT1 || c->state == HO_TCP_FIN_WAIT2 ||
           c->state == HO_TCP_SYN_RECV;
}

/* With SO_LINGER and no time everything queued is thrown away and the peer is told. */
static void disconnect(struct ho_tcp_env *env, struct ho_tcp *c)
{
    bool closing = c->state == HO_TCP_CLOSING || c->state == HO_TCP_LAST_ACK;

    if (needs_reset(c) || (closing && tcp_unsent(c) > 0)) {
        tcp_active_reset(env, c);
    }
    tcp_count(env, HO_TCP_COUNT_ABORT_ON_DATA);
    tcp_done(env, c, HO_TCP_WHY_ABORT);
}

void ho_tcp_close(struct ho_tcp_env *env, struct ho_tcp *c, bool linger, struct ho_time now)
{
    bool unread = c->work != NULL && c->work->rcv_bytes > 0;

    c->shut = TCP_SHUT_MASK;
    tcp_rcv_purge(env, c);
    if (c->state != HO_TCP_CLOSE) {
        if (unread) {
            tcp_count(env, HO_TCP_COUNT_ABORT_ON_CLOSE);
            tcp_active_reset(env, c);
            tcp_done(env, c, HO_TCP_WHY_ABORT);
        } else if (c->opts->linger_s == 0) {
            disconnect(env, c);
        } else if (close_state(env, c)) {
            tcp_send_fin(env, c, now);
        }
    }
    if (!linger) {
        ho_tcp_orphan(env, c, now);
    }
}

void ho_tcp_orphan(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    c->flags |= TCP_F_DEAD;
    if (c->state == HO_TCP_FIN_WAIT2) {
        tcp_fin_wait2_orphan(env, c, now);
    }
}

bool ho_tcp_lingers(const struct ho_tcp *c)
{
    return c->state == HO_TCP_FIN_WAIT1 || c->state == HO_TCP_CLOSING ||
           c->state == HO_TCP_LAST_ACK;
}

void ho_tcp_abort(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    (void)now;
    if (c->state == HO_TCP_CLOSE) {
        return;
    }
    if (needs_reset(c)) {
        tcp_active_reset(env, c);
    }
    tcp_fail(env, c, ECONNABORTED, HO_TCP_WHY_RST_OUT);
}

/* ---- options
 * -----------------------------------------------------------------------------------------------
 */

void ho_tcp_opts_changed(struct ho_tcp_env *env, struct ho_tcp *c, enum ho_tcp_change what,
                         struct ho_time now)
{
    uint32_t idle = tcp_keepidle_ticks(env, c), tick = tcp_tick_now(env, now);
    uint32_t silent = tick - c->rcv_tstamp;

    if (c->state == HO_TCP_CLOSE) {
        return;
    }
    switch (what) {
    case HO_TCP_KEEPALIVE_ON:
        tcp_keep_arm(env, c, tcp_ticks_us(env, idle), now);
        break;
    case HO_TCP_KEEPALIVE_OFF:
        c->keep_at = HO_DUE_NEVER;
        break;
    case HO_TCP_KEEPIDLE:
        if (c->opts->keepalive) {
            silent = silent < tick - c->lrcvtime ? silent : tick - c->lrcvtime;
            tcp_keep_arm(env, c, tcp_ticks_us(env, idle > silent ? idle - silent : 0), now);
        }
        break;
    case HO_TCP_PUSH:
        tcp_push(env, c, c->opts->nodelay ? TCP_NAGLE_PUSH : tcp_nonagle(c), now);
        break;
    }
}

struct ho_tcp_opts *ho_tcp_opts_new(struct ho_tcp_env *env)
{
    struct ho_tcp_opts *o = ho_pool_get(&env->opts);

    if (o != NULL) {
        o->refs = 1;
        o->linger_s = -1;
    }
    return o;
}

void ho_tcp_opts_put(struct ho_tcp_env *env, struct ho_tcp_opts *o)
{
    if (o != NULL && --o->refs == 0) {
        ho_pool_put(&env->opts, o);
    }
}

int ho_tcp_opts_edit(struct ho_tcp_env *env, struct ho_tcp_opts **o)
{
    if ((*o)->refs == 1) {
        return 0;
    }
    struct ho_tcp_opts *own = ho_pool_get(&env->opts);
    if (own == NULL) {
        return -ENOMEM;
    }
    *own = **o;
    own->refs = 1;
    (*o)->refs--;
    *o = own;
    return 0;
}

/* ---- looking
 * -------------------------------------------------------------------------------------------------
 */

uint32_t ho_tcp_poll(const struct ho_tcp_env *env, struct ho_tcp *c)
{
    uint32_t mask = 0;

    if (c->shut == TCP_SHUT_MASK || c->state == HO_TCP_CLOSE) {
        mask |= HO_POLLHUP;
    }
    if ((c->shut & TCP_SHUT_RCV) != 0) {
        mask |= HO_POLLIN | HO_POLLRDHUP;
    }
    if (c->state != HO_TCP_SYN_SENT && c->state != HO_TCP_SYN_RECV) {
        if (c->work != NULL && c->work->rcv_bytes > 0) {
            mask |= HO_POLLIN;
        }
        uint32_t used = tcp_wmem(c), all = tcp_sndbuf(env, c);
        if ((c->shut & TCP_SHUT_SEND) != 0 || (used <= all && all - used >= used >> 1)) {
            mask |= HO_POLLOUT;
        } else {
            c->flags |= TCP_F_NOSPACE;
        }
    }
    /* An ICMP that ended connect() over IPv4 stays in Linux's error queue, which nobody here reads
     * (s10_dynarp_syn2); over IPv6 it is not queued (docs/kernel-facts.md).
     */
    bool queued = c->why == HO_TCP_WHY_ICMP && ho_addr_is_v4(&c->path->local);
    return c->err != 0 || queued ? mask | HO_POLLERR : mask;
}

unsigned ho_tcp_take_wake(struct ho_tcp *c)
{
    unsigned wake = c->wake;

    c->wake = 0;
    return wake;
}

static void info_timer(const struct ho_tcp *c, struct ho_time now, struct ho_tcp_info *ret)
{
    const struct ho_tcp_work *w = c->work;
    struct ho_time at = HO_NEVER;

    ret->timer = HO_SOCK_TIMER_OFF;
    if (w != NULL && w->pending != TCP_PENDING_NONE) {
        bool probe = w->pending == TCP_PENDING_PROBE;
        ret->timer = probe ? HO_SOCK_TIMER_PROBE : HO_SOCK_TIMER_ON;
        ret->idiag_retrans = probe ? c->probes_out : c->retransmits;
        at = ho_due_time(w->rexmt_at);
    } else if (!ho_due_is_never(c->keep_at)) {
        ret->timer = HO_SOCK_TIMER_KEEPALIVE;
        ret->idiag_retrans = c->probes_out;
        at = ho_due_time(c->keep_at);
    }
    ret->expires_us = at.ns != HO_NEVER.ns ? ho_time_since(at, now).ns / 1000 : 0;
}

void ho_tcp_info(const struct ho_tcp_env *env, const struct ho_tcp *c, struct ho_time now,
                 struct ho_tcp_info *ret)
{
    const struct ho_tcp_work *w = c->work;
    uint32_t tick = tcp_tick_now(env, now);

    *ret = (struct ho_tcp_info){
        .state = (enum ho_tcp_state)c->state,
        .retransmits = c->retransmits,
        .probes = c->probes_out,
        .backoff = c->backoff,
        .rto_us = w != NULL ? w->rto_us : tcp_rto_base_us(env, c),
        .ato_us = c->ato_ticks == TCP_ATO_LEAST ? TCP_ATO_MIN_US
                                                : (uint32_t)tcp_ticks_us(env, c->ato_ticks),
        .rtt_us = c->srtt_us >> 3,
        .rttvar_us = c->mdev_us >> 2,
        .cwnd = tcp_cwnd(c),
        .ssthresh = tcp_ssthresh(c),
        .snd_mss = c->mss,
        .rcv_mss = c->rcv_mss,
        .pmtu = c->path->mtu,
        .advmss = c->advmss,
        .snd_wnd = c->snd_wnd,
        .rcv_wnd = c->rcv_wnd,
        .last_data_sent_ms = (uint32_t)(tcp_ticks_us(env, tick - c->lsndtime) / 1000),
        .last_ack_recv_ms = (uint32_t)(tcp_ticks_us(env, tick - c->rcv_tstamp) / 1000),
        .last_data_recv_ms = (uint32_t)(tcp_ticks_us(env, tick - c->lrcvtime) / 1000),
        .err = c->err,
        .err_soft = c->err_soft,
        .snd_wscale = c->snd_wscale,
        .rcv_wscale = c->rcv_wscale,
    };
    if (w != NULL) {
        ret->ca_state = w->ca_state;
        ret->unacked = w->packets_out;
        ret->sacked = w->sacked_out;
        ret->lost = w->lost_out;
        ret->retrans = w->retrans_out;
        ret->total_retrans = w->total_retrans;
        ret->rq = w->rcv_bytes;
        ret->wq = ho_seq_diff(w->write_seq, c->snd_una);
    }
    info_timer(c, now, ret);
}
