/* setsockopt() and getsockopt(): ranges and units are Linux's (knobs/sockopt.def).
 *
 * The options are shared until one is changed: a listener's children have their listener's, and
 * who has changed nothing has the host's.
 */

#include <errno.h>

#include "host/info.h"
#include "host/machine.h"
#include "knobs/sockopt.h"

#define LINGER2_MAX_S 120 /* TCP_FIN_TIMEOUT_MAX */

static struct ho_tcp_opts **opts_of(struct ho_host *h, struct ho_sock *s)
{
    return s->kind == HO_KIND_CONN ? &s->tcp.opts : &ho_sock_ext(h, s)->opts;
}

/* SO_SNDBUF, SO_RCVBUF: brought into the range, then doubled (ground-truth: socket(7)). */
static uint32_t buffer_size(const struct ho_host *h, const struct ho_sockopt_info *info,
                            enum ho_sysctl most, int64_t asked)
{
    int64_t size = asked < h->sys.v[most] ? asked : h->sys.v[most];

    size = size < info->min ? info->min : size;
    return (uint32_t)(size > info->max ? 2 * info->max : 2 * size);
}

static int set_linger(struct ho_tcp_opts *o, const int64_t *value)
{
    int64_t seconds = value[1] < 0 || value[1] > INT32_MAX ? INT32_MAX : value[1];

    o->linger_s = value[0] != 0 ? (int32_t)seconds : -1;
    return 0;
}

/* Puts a value that is in its range. */
static int put(const struct ho_host *h, struct ho_tcp_opts *o, enum ho_sockopt id, int64_t v)
{
    const struct ho_sockopt_info *info = ho_sockopt_info(id);

    switch (id) {
    case HO_SOCKOPT_SO_KEEPALIVE:
        o->keepalive = v != 0;
        return 0;
    case HO_SOCKOPT_TCP_KEEPIDLE:
        o->keepidle_s = (uint32_t)v;
        return 0;
    case HO_SOCKOPT_TCP_KEEPINTVL:
        o->keepintvl_s = (uint32_t)v;
        return 0;
    case HO_SOCKOPT_TCP_KEEPCNT:
        o->keepcnt = (uint8_t)v;
        return 0;
    case HO_SOCKOPT_TCP_USER_TIMEOUT:
        o->user_timeout_ms = (uint32_t)v;
        return 0;
    case HO_SOCKOPT_TCP_RTO_MAX_MS:
        o->rto_max_ms = (uint32_t)v;
        return 0;
    case HO_SOCKOPT_TCP_SYNCNT:
        o->syncnt = (uint8_t)v;
        return 0;
    case HO_SOCKOPT_TCP_LINGER2:
        o->linger2_s = v < 0 ? -1 : (int32_t)(v > LINGER2_MAX_S ? LINGER2_MAX_S : v);
        return 0;
    case HO_SOCKOPT_IP_RECVERR:
    case HO_SOCKOPT_IPV6_RECVERR:
        o->recverr = v != 0;
        return 0;
    case HO_SOCKOPT_TCP_NODELAY:
        o->nodelay = v != 0;
        return 0;
    case HO_SOCKOPT_TCP_CORK:
        o->cork = v != 0;
        return 0;
    case HO_SOCKOPT_TCP_MAXSEG:
        o->maxseg = (uint16_t)v;
        return 0;
    case HO_SOCKOPT_TCP_CONGESTION:
        o->congestion = (uint8_t)(v + 1);
        return 0;
    case HO_SOCKOPT_SO_SNDBUF:
        o->sndbuf = buffer_size(h, info, HO_SYSCTL_WMEM_MAX, v);
        return 0;
    case HO_SOCKOPT_SO_RCVBUF:
        o->rcvbuf = buffer_size(h, info, HO_SYSCTL_RMEM_MAX, v);
        return 0;
    case HO_SOCKOPT_SO_REUSEADDR:
        o->reuseaddr = v != 0;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

/* The ranges, where Linux refuses what lies outside. */
static int check(enum ho_sockopt id, const struct ho_sockopt_info *info, int64_t v)
{
    bool clamped =
        id == HO_SOCKOPT_TCP_LINGER2 || id == HO_SOCKOPT_SO_SNDBUF || id == HO_SOCKOPT_SO_RCVBUF;

    if (info->type == HO_SOCKOPT_TYPE_NAME) {
        return v < info->min || v > info->max ? -ENOENT : 0;
    }
    if (info->type != HO_SOCKOPT_TYPE_INT || clamped) {
        return 0;
    }
    if (id == HO_SOCKOPT_TCP_MAXSEG && v == 0) {
        return 0; /* back to the path's */
    }
    return v < info->min || v > info->max ? -EINVAL : 0;
}

/* SO_REUSEADDR counts at the port's record as it is now. */
static void recount_reuse(struct ho_host *h, struct ho_sock *s, bool reuse)
{
    const struct ho_ext *x = ho_sock_ext(h, s);
    unsigned flags = s->flags & ~HO_SOCK_REUSE;
    const struct ho_addr *addr;
    uint16_t port;

    if ((s->flags & HO_SOCK_BOUND) == 0) {
        return;
    }
    addr = s->kind == HO_KIND_CONN ? &s->tcp.path->local : &x->laddr;
    port = s->kind == HO_KIND_CONN ? s->tcp.lport : x->lport;
    flags |= reuse ? HO_SOCK_REUSE : 0;
    (void)ho_port_hold(h, addr, port, flags); /* the record exists: cannot fail */
    ho_port_release(h, addr, port, s->flags);
    s->flags = (uint16_t)flags;
}

/* Some options change what a living connection does now. */
static void tell_tcp(struct ho_host *h, struct ho_sock *s, enum ho_sockopt id,
                     const struct ho_tcp_opts *before, struct ho_time now)
{
    const struct ho_tcp_opts *o = s->tcp.opts;

    if (id == HO_SOCKOPT_SO_KEEPALIVE && o->keepalive != before->keepalive) {
        ho_tcp_opts_changed(&h->env, &s->tcp,
                            o->keepalive ? HO_TCP_KEEPALIVE_ON : HO_TCP_KEEPALIVE_OFF, now);
    } else if (id == HO_SOCKOPT_TCP_KEEPIDLE) {
        ho_tcp_opts_changed(&h->env, &s->tcp, HO_TCP_KEEPIDLE, now);
    } else if ((id == HO_SOCKOPT_TCP_NODELAY && o->nodelay) ||
               (id == HO_SOCKOPT_TCP_CORK && before->cork && !o->cork)) {
        ho_tcp_opts_changed(&h->env, &s->tcp, HO_TCP_PUSH, now);
    }
    ho_sock_settle(h, s, now);
}

/* Whether there is such an option, and this kernel has it. */
static bool is_option(const struct ho_host *h, int opt)
{
    return opt >= 0 && opt < HO_SOCKOPT_COUNT &&
           ho_profile_has_sockopt(h->conf.profile, (enum ho_sockopt)opt);
}

int64_t ho_call_setsockopt(struct ho_host *h, struct ho_sock *s, const struct ho_op *op,
                           struct ho_time now)
{
    if (!is_option(h, op->opt)) {
        return -ENOPROTOOPT;
    }
    enum ho_sockopt id = (enum ho_sockopt)op->opt;
    const struct ho_sockopt_info *info = ho_sockopt_info(id);
    int err = check(id, info, op->value[0]);
    if (info->read_only) {
        return -ENOPROTOOPT;
    }
    if (id == HO_SOCKOPT_IPV6_RECVERR && (s->flags & HO_SOCK_V6) == 0) {
        return -ENOPROTOOPT;
    }
    if (err != 0) {
        return err;
    }
    if (id == HO_SOCKOPT_TCP_QUICKACK) {
        if (s->kind == HO_KIND_CONN) {
            ho_tcp_quickack(&h->env, &s->tcp, op->value[0] != 0, now);
            ho_sock_settle(h, s, now);
        }
        return 0;
    }
    struct ho_tcp_opts **o = opts_of(h, s);
    struct ho_tcp_opts before = **o;
    err = ho_tcp_opts_edit(&h->env, o);
    if (err != 0) {
        return err;
    }
    err = id == HO_SOCKOPT_SO_LINGER ? set_linger(*o, op->value) : put(h, *o, id, op->value[0]);
    if (id == HO_SOCKOPT_SO_REUSEADDR) {
        recount_reuse(h, s, (*o)->reuseaddr);
    }
    if (s->kind == HO_KIND_CONN) {
        tell_tcp(h, s, id, &before, now);
    }
    return err;
}

/* `value`, or the default where it says "not set". */
static int64_t or_default(const struct ho_host *h, enum ho_sockopt id, int64_t value)
{
    return value != 0 ? value : ho_sockopt_default(id, &h->sys);
}

static int64_t maxseg(const struct ho_sock *s, const struct ho_tcp_opts *o)
{
    if (s->kind == HO_KIND_CONN) {
        return s->tcp.mss;
    }
    return o->maxseg != 0 ? o->maxseg : TCP_MSS_DEFAULT;
}

static int64_t get(const struct ho_host *h, const struct ho_sock *s, const struct ho_tcp_opts *o,
                   enum ho_sockopt id)
{
    switch (id) {
    case HO_SOCKOPT_SO_KEEPALIVE:
        return o->keepalive;
    case HO_SOCKOPT_TCP_KEEPIDLE:
        return or_default(h, id, o->keepidle_s);
    case HO_SOCKOPT_TCP_KEEPINTVL:
        return or_default(h, id, o->keepintvl_s);
    case HO_SOCKOPT_TCP_KEEPCNT:
        return or_default(h, id, o->keepcnt);
    case HO_SOCKOPT_TCP_USER_TIMEOUT:
        return o->user_timeout_ms;
    case HO_SOCKOPT_TCP_RTO_MAX_MS:
        return or_default(h, id, o->rto_max_ms);
    case HO_SOCKOPT_TCP_SYNCNT:
        return or_default(h, id, o->syncnt);
    case HO_SOCKOPT_TCP_LINGER2:
        return or_default(h, id, o->linger2_s);
    case HO_SOCKOPT_IP_RECVERR:
    case HO_SOCKOPT_IPV6_RECVERR:
        return o->recverr;
    case HO_SOCKOPT_TCP_NODELAY:
        return o->nodelay;
    case HO_SOCKOPT_TCP_CORK:
        return o->cork;
    case HO_SOCKOPT_TCP_QUICKACK:
        return s->kind != HO_KIND_CONN || s->tcp.pingpong == 0;
    case HO_SOCKOPT_TCP_MAXSEG:
        return maxseg(s, o);
    case HO_SOCKOPT_TCP_CONGESTION:
        return o->congestion != 0 ? o->congestion - 1 : ho_sockopt_default(id, &h->sys);
    case HO_SOCKOPT_SO_SNDBUF:
        return or_default(h, id, o->sndbuf);
    case HO_SOCKOPT_SO_RCVBUF:
        return or_default(h, id, o->rcvbuf);
    case HO_SOCKOPT_SO_REUSEADDR:
        return o->reuseaddr;
    default:
        return 0;
    }
}

int64_t ho_call_getsockopt(struct ho_host *h, struct ho_sock *s, struct ho_op *op,
                           struct ho_time now)
{
    const struct ho_tcp_opts *o = *opts_of(h, s);

    if (!is_option(h, op->opt)) {
        return -ENOPROTOOPT;
    }
    enum ho_sockopt id = (enum ho_sockopt)op->opt;
    if (id == HO_SOCKOPT_TCP_INFO) {
        if (op->info == NULL) {
            return -EFAULT;
        }
        return ho_host_sock_info(h, op->pid, op->fd, now, op->info);
    }
    if (id == HO_SOCKOPT_SO_ERROR) {
        op->value[0] = s->kind == HO_KIND_CONN ? ho_tcp_take_error(&s->tcp) : 0;
        h->generation++;
    } else if (id == HO_SOCKOPT_SO_LINGER) {
        op->value[0] = o->linger_s >= 0;
        op->value[1] = o->linger_s >= 0 ? o->linger_s : 0;
    } else if (id == HO_SOCKOPT_IPV6_RECVERR && (s->flags & HO_SOCK_V6) == 0) {
        return -ENOPROTOOPT;
    } else {
        op->value[0] = get(h, s, o, id);
    }
    return 0;
}
