/* bind(), listen() and connect(): how a socket gets its addresses (Linux: __inet_bind(),
 * inet_csk_listen_start(), tcp_v4_connect(), __inet_stream_connect()).
 */

#include <errno.h>

#include "host/machine.h"

static bool family_fits(const struct ho_sock *s, const struct ho_addr *a)
{
    return (s->flags & HO_SOCK_V6) != 0 || ho_addr_is_v4(a); /* an IPv6 socket can do both */
}

/* Takes `port` of x->laddr for the socket, or picks one if 0. */
static int64_t take_port(struct ho_host *h, struct ho_sock *s, struct ho_ext *x, uint16_t port)
{
    unsigned flags = x->opts->reuseaddr ? HO_SOCK_REUSE : 0;
    int got = ho_port_bind(h, &x->laddr, port, x->opts->reuseaddr);

    if (got < 0) {
        return got;
    }
    int err = ho_port_hold(h, &x->laddr, (uint16_t)got, flags);
    if (err != 0) {
        return err;
    }
    x->lport = (uint16_t)got;
    s->flags |= (uint16_t)(HO_SOCK_BOUND | flags);
    if (port != 0) {
        s->flags |= HO_SOCK_PORT_LOCK;
    }
    return 0;
}

int64_t ho_call_bind(struct ho_host *h, struct ho_sock *s, const struct ho_op *op)
{
    struct ho_ext *x = ho_sock_ext(h, s);

    if (!family_fits(s, &op->addr)) {
        return -EAFNOSUPPORT;
    }
    if (s->kind != HO_KIND_NEW || x->lport != 0) {
        return -EINVAL;
    }
    if (!ho_addr_is_any(&op->addr) && !ho_addr_is_local(h, &op->addr)) {
        return -EADDRNOTAVAIL;
    }
    struct ho_addr before = x->laddr;
    x->laddr = op->addr;
    int64_t err = take_port(h, s, x, op->port);
    if (err != 0) {
        x->laddr = before;
    }
    return err;
}

static uint32_t backlog_of(const struct ho_host *h, int asked)
{
    int64_t most = h->sys.v[HO_SYSCTL_SOMAXCONN];

    return (uint32_t)(asked < 0 || asked > most ? most : asked);
}

int64_t ho_call_listen(struct ho_host *h, struct ho_sock *s, const struct ho_op *op)
{
    struct ho_ext *x = ho_sock_ext(h, s);

    if (s->kind == HO_KIND_CONN) {
        return -EINVAL;
    }
    if (s->kind == HO_KIND_LISTEN) {
        x->listener->backlog = backlog_of(h, op->arg);
        return 0;
    }
    int64_t err = x->lport == 0 ? take_port(h, s, x, 0)
                                : ho_port_may_listen(h, &x->laddr, x->lport, x->opts->reuseaddr);
    if (err != 0) {
        return err;
    }
    struct ho_listener *l = ho_pool_get(&h->listeners);
    if (l == NULL) {
        return -ENOMEM;
    }
    l->addr = x->laddr;
    l->port = x->lport;
    l->sock = ho_sock_number(h, s);
    l->backlog = backlog_of(h, op->arg);
    ho_list_init(&l->reqs);
    ho_list_push(&h->listen_list, &l->node);
    ho_port_listening(h, &l->addr, l->port, 1);
    x->listener = l;
    s->kind = HO_KIND_LISTEN;
    h->generation++;
    return 0;
}

/* The way to op->addr, counted, or NULL with the errno in *ret_err. */
static struct ho_way *find_way(struct ho_host *h, const struct ho_ext *x, const struct ho_op *op,
                               int *ret_err)
{
    struct ho_addr dst = op->addr, src = x->laddr;
    struct ho_hop hop;

    if (ho_addr_is_any(&dst)) { /* any address of this host */
        dst =
            ho_addr_is_v4(&dst) ? ho_addr_v4(127, 0, 0, 1) : (struct ho_addr){ .b = { [15] = 1 } };
    }
    bool bound = !ho_addr_is_any(&src);
    *ret_err = ho_route_find(h, bound ? &src : NULL, &dst, &hop);
    if (*ret_err == 0 && !bound) {
        *ret_err = ho_route_source(h, &dst, &hop, &src);
    }
    if (*ret_err != 0) {
        return NULL;
    }
    struct ho_way *way = ho_way_get(h, &src, &dst);
    *ret_err = way == NULL ? -ENOMEM : 0;
    return way;
}

/* The local port, counted for the socket at the address of `way`. Returns it, or an errno. */
static int local_port(struct ho_host *h, struct ho_sock *s, struct ho_ext *x, struct ho_way *way,
                      uint16_t rport)
{
    const struct ho_addr *local = &way->path.local;
    int err;

    if ((s->flags & HO_SOCK_BOUND) == 0) {
        int port = ho_port_pick(h, way, rport);

        if (port < 0) {
            return port;
        }
        err = ho_port_hold(h, local, (uint16_t)port, HO_SOCK_PICKED);
        if (err == 0) {
            s->flags |= HO_SOCK_BOUND | HO_SOCK_PICKED;
            s->flags &= (uint16_t)~HO_SOCK_REUSE;
        }
        return err == 0 ? port : err;
    }
    if (!ho_port_tuple_free(h, way, x->lport, rport)) {
        return -EADDRNOTAVAIL;
    }
    err = ho_port_hold(h, local, x->lport, s->flags);
    if (err != 0) {
        return err;
    }
    ho_port_release(h, &x->laddr, x->lport, s->flags);
    x->laddr = *local;
    return x->lport;
}

/* From NEW to CONN in SYN-SENT. */
static int open_connection(struct ho_host *h, struct ho_sock *s, const struct ho_op *op,
                           struct ho_time now)
{
    struct ho_ext *x = ho_sock_ext(h, s);
    int err = 0;
    struct ho_way *way = find_way(h, x, op, &err);

    if (way == NULL) {
        return err;
    }
    int port = local_port(h, s, x, way, op->port);
    if (port < 0) {
        ho_way_put(h, &way->path);
        return port;
    }
    ho_tcp_init(&s->tcp, &way->path, x->opts, (uint16_t)port, op->port);
    x->opts = NULL;
    s->kind = HO_KIND_CONN;
    err = ho_demux_add(h, HO_REF_SOCK | ho_sock_number(h, s));
    if (err == 0) {
        s->flags |= HO_SOCK_HASHED | HO_SOCK_CONNECTING;
        err = ho_tcp_connect(&h->env, &s->tcp, now);
    }
    if (err != 0) {
        (void)ho_sock_disconnect(h, s); /* it has its ext: cannot fail */
    }
    return err;
}

int64_t ho_call_connect(struct ho_host *h, struct ho_sock *s, struct ho_op *op, struct ho_time now)
{
    bool nonblock = (s->flags & HO_SOCK_NONBLOCK_F) != 0;
    bool again = s->kind == HO_KIND_CONN;

    if (!family_fits(s, &op->addr)) {
        return -EAFNOSUPPORT;
    }
    if (s->kind == HO_KIND_LISTEN || (again && (s->flags & HO_SOCK_CONNECTING) == 0)) {
        return -EISCONN;
    }
    if (!again) {
        int err = open_connection(h, s, op, now);

        if (err != 0) {
            return err;
        }
    }
    int64_t ret = ho_call_retry(h, s, op, now);
    if (ret == HO_CALL_WAITS && nonblock) {
        ret = again ? -EALREADY : -EINPROGRESS;
    } else if (ret == HO_CALL_WAITS) {
        ret = ho_call_wait(h, s, op);
    }
    if (s->kind == HO_KIND_CONN) {
        ho_sock_settle(h, s, now);
    }
    return ret;
}
