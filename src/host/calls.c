/* System calls: each is tried, and if it cannot finish, it waits in its socket's list until
 * something happens there, or its time is over (ground-truth B3f, B6e, B15).
 */

#include <assert.h>
#include <errno.h>

#include "host/machine.h"

/* ---- the calls that can wait ---------------------------------------------------------------- */

static int64_t try_recv(struct ho_host *h, struct ho_sock *s, struct ho_op *op, struct ho_time now)
{
    if (s->kind != HO_KIND_CONN) {
        return -ENOTCONN;
    }
    int64_t n =
        ho_tcp_recv(&h->env, &s->tcp, op->buf, op->len, (op->flags & HO_MSG_PEEK) != 0, now);
    return n == -EAGAIN ? HO_CALL_WAITS : n;
}

/* Until all is queued. What was queued before an error is what the call returns; the error stays
 * for the next one (ground-truth B3f).
 */
static int64_t try_send(struct ho_host *h, struct ho_sock *s, struct ho_op *op, struct ho_time now)
{
    const unsigned char *bytes = op->buf;

    if (s->kind != HO_KIND_CONN) {
        return -EPIPE;
    }
    if (ho_tcp_state(&s->tcp) == HO_TCP_SYN_SENT) {
        return HO_CALL_WAITS;
    }
    do {
        if (op->done > 0 && s->tcp.err != 0) {
            return (int64_t)op->done;
        }
        int64_t n = ho_tcp_send(&h->env, &s->tcp, bytes + op->done, op->len - op->done, now);
        if (n == -EAGAIN) {
            return HO_CALL_WAITS;
        }
        if (n < 0) {
            return op->done > 0 ? (int64_t)op->done : n;
        }
        op->done += (size_t)n;
    } while (op->done < op->len);
    return (int64_t)op->done;
}

static int64_t try_accept(struct ho_host *h, struct ho_sock *s, struct ho_op *op)
{
    if (s->kind != HO_KIND_LISTEN) {
        return -EINVAL;
    }
    struct ho_listener *l = ho_sock_ext(h, s)->listener;
    if (l->n_accept == 0) {
        return HO_CALL_WAITS;
    }
    struct ho_sock *child = ho_slots_at(&h->socks, l->first);
    int fd = ho_proc_open_sock(h, op->pid, child);
    if (fd < 0) {
        return fd;
    }
    (void)ho_listener_accept(h, l);
    child->ext = op->pid;
    child->fd = (uint32_t)fd;
    if ((op->flags & HO_SOCK_NONBLOCK) != 0) {
        child->flags |= HO_SOCK_NONBLOCK_F;
    }
    op->addr = child->tcp.path->remote;
    op->port = child->tcp.rport;
    h->generation++;
    return fd;
}

/* A connect() that waits, or is asked about: what has become of it (__inet_stream_connect()). */
static int64_t try_connect(struct ho_host *h, struct ho_sock *s)
{
    enum ho_tcp_state state;

    if (s->kind != HO_KIND_CONN) {
        return -ECONNABORTED;
    }
    state = ho_tcp_state(&s->tcp);
    if (state == HO_TCP_SYN_SENT || state == HO_TCP_SYN_RECV) {
        return HO_CALL_WAITS;
    }
    if (!ho_tcp_is_dead(&s->tcp)) {
        s->flags &= (uint16_t)~HO_SOCK_CONNECTING;
        return 0;
    }
    int err = ho_tcp_take_error(&s->tcp);
    (void)ho_sock_disconnect(h, s); /* without memory it stays a dead connection */
    struct ho_ext *x = ho_sock_ext(h, s);
    if (x != NULL && x->watches != NULL) {
        ho_epoll_wake(h, x, HO_WAKE_ERROR); /* tcp_disconnect() reports, too */
    }
    return err != 0 ? -err : -ECONNABORTED;
}

static int64_t try_poll(struct ho_host *h, struct ho_sock *s, const struct ho_op *op)
{
    uint32_t asked = (uint32_t)op->arg | HO_POLLERR | HO_POLLHUP;
    uint32_t now = ho_sock_poll(h, s) & asked;

    return now != 0 ? (int64_t)now : HO_CALL_WAITS;
}

int64_t ho_call_retry(struct ho_host *h, struct ho_sock *s, struct ho_op *op, struct ho_time now)
{
    switch (op->kind) {
    case HO_OP_RECV:
        return try_recv(h, s, op, now);
    case HO_OP_SEND:
        return try_send(h, s, op, now);
    case HO_OP_ACCEPT:
        return try_accept(h, s, op);
    case HO_OP_CONNECT:
        return try_connect(h, s);
    case HO_OP_POLL:
        return try_poll(h, s, op);
    default:
        assert(0 && "no other call waits for a socket");
        return -EINVAL;
    }
}

/* What a call returns that may not wait. */
static int64_t at_once(const struct ho_op *op)
{
    if (op->kind == HO_OP_POLL) {
        return 0;
    }
    return op->done > 0 ? (int64_t)op->done : -EAGAIN;
}

static int64_t start_waiting(struct ho_host *h, struct ho_sock *s, struct ho_op *op,
                             struct ho_time now)
{
    bool never = (s->flags & HO_SOCK_NONBLOCK_F) != 0 || (op->flags & HO_MSG_DONTWAIT) != 0;

    if (op->kind == HO_OP_POLL) {
        never = !op->forever && op->timeout.ns == 0;
    }
    int64_t ret = ho_call_retry(h, s, op, now);
    if (ret == HO_CALL_WAITS) {
        ret = never ? at_once(op) : ho_call_wait(h, s, op);
        if (ret == HO_CALL_WAITS && op->kind == HO_OP_POLL && !op->forever) {
            struct ho_time at = ho_time_add(now, op->timeout); /* poll's clock has no jiffies */
            ho_call_timeout(h, op, ho_due_at(at, HO_DUE_FIRST));
        }
    }
    if (s->kind == HO_KIND_CONN) {
        ho_sock_settle(h, s, now);
    }
    return ret;
}

/* ---- close and SO_LINGER -------------------------------------------------------------------- */

static bool may_linger(const struct ho_sock *s)
{
    return s->kind == HO_KIND_CONN && (s->flags & HO_SOCK_NONBLOCK_F) == 0 &&
           s->tcp.opts->linger_s > 0;
}

static int64_t call_close(struct ho_host *h, struct ho_sock *s, struct ho_op *op,
                          struct ho_time now)
{
    if (!may_linger(s)) {
        ho_proc_close(h, op->pid, op->fd, false, now);
        return 0;
    }
    ho_call_unwake(h, s);
    struct ho_ext *x = ho_sock_ext(h, s);
    int32_t seconds = s->tcp.opts->linger_s;
    ho_fdtab_close(&ho_proc_find(h, op->pid)->fds, op->fd);
    s->fd = HO_SLOT_NONE;
    if (x != NULL) {
        ho_call_abandon(h, &x->ops, false);
        ho_epoll_forget(h, x);
    }
    s->flags |= HO_SOCK_LINGER;
    ho_tcp_close(&h->env, &s->tcp, true, now);
    if (!ho_tcp_lingers(&s->tcp)) {
        ho_call_end_linger(h, s, now);
        ho_sock_settle(h, s, now);
        return 0;
    }
    op->sock = ho_sock_number(h, s);
    ho_list_push(&h->lingers, &op->node);
    ho_call_timeout(h, op, ho_clk_due(&h->clk, now, ho_s(seconds)));
    ho_sock_settle(h, s, now);
    return HO_CALL_WAITS;
}

/* ---- the other calls ------------------------------------------------------------------------ */

static int64_t call_socket(struct ho_host *h, const struct ho_op *op)
{
    int err = 0;
    struct ho_sock *s = ho_sock_new(h, op->pid, !ho_addr_is_v4(&op->addr), &err);

    if (s == NULL) {
        return err;
    }
    int fd = ho_proc_open_sock(h, op->pid, s);
    if (fd < 0) {
        ho_sock_free(h, s);
        return fd;
    }
    s->fd = (uint32_t)fd;
    if ((op->flags & HO_SOCK_NONBLOCK) != 0) {
        s->flags |= HO_SOCK_NONBLOCK_F;
    }
    return fd;
}

static int64_t call_shutdown(struct ho_host *h, struct ho_sock *s, const struct ho_op *op,
                             struct ho_time now)
{
    if (op->arg < HO_SHUT_RD || op->arg > HO_SHUT_RDWR) {
        return -EINVAL;
    }
    if (s->kind == HO_KIND_LISTEN && op->arg != HO_SHUT_WR) {
        struct ho_ext *x = ho_sock_ext(h, s); /* inet_shutdown(): it listens no more */

        ho_listener_close(h, s, now);
        x->listener = NULL;
        s->kind = HO_KIND_NEW;
        ho_sock_wake(h, s, HO_WAKE_STATE, now);
        return 0;
    }
    if (s->kind != HO_KIND_CONN) {
        return s->kind == HO_KIND_LISTEN ? 0 : -ENOTCONN;
    }
    int err = ho_tcp_shutdown(&h->env, &s->tcp, op->arg != HO_SHUT_WR, op->arg != HO_SHUT_RD, now);
    ho_sock_settle(h, s, now);
    return err;
}

static int64_t call_getsockname(struct ho_host *h, struct ho_sock *s, struct ho_op *op)
{
    const struct ho_ext *x = ho_sock_ext(h, s);

    if (s->kind == HO_KIND_CONN) {
        op->addr = s->tcp.path->local;
        op->port = s->tcp.lport;
    } else {
        op->addr = x->laddr;
        op->port = x->lport;
    }
    return 0;
}

static int64_t call_epoll_create(struct ho_host *h, const struct ho_op *op)
{
    struct ho_epoll *e = ho_epoll_new(h, op->pid);

    if (e == NULL) {
        return -ENOMEM;
    }
    int fd = ho_proc_open_epoll(h, op->pid, e);
    if (fd < 0) {
        ho_epoll_free(h, e, true);
    }
    return fd;
}

static int64_t on_epoll(struct ho_host *h, struct ho_epoll *e, struct ho_op *op, struct ho_time now)
{
    if (op->kind == HO_OP_EPOLL_CTL) {
        struct ho_sock *s = ho_proc_sock(h, op->pid, op->target);

        if (s == NULL) {
            return ho_proc_epoll(h, op->pid, op->target) != NULL ? -EINVAL : -EBADF;
        }
        return ho_epoll_ctl(h, e, s, op);
    }
    if (op->kind == HO_OP_EPOLL_WAIT) {
        int64_t ret = ho_epoll_wait(h, e, op);

        if (ret == HO_CALL_WAITS && !op->forever) {
            ho_call_timeout(h, op, ho_due_at(ho_time_add(now, op->timeout), HO_DUE_FIRST));
        }
        return ret;
    }
    if (op->kind == HO_OP_CLOSE) {
        ho_proc_close(h, op->pid, op->fd, false, now);
        return 0;
    }
    return op->kind == HO_OP_POLL ? -EINVAL : -ENOTSOCK;
}

static int64_t on_sock(struct ho_host *h, struct ho_sock *s, struct ho_op *op, struct ho_time now)
{
    switch (op->kind) {
    case HO_OP_BIND:
        return ho_call_bind(h, s, op);
    case HO_OP_LISTEN:
        return ho_call_listen(h, s, op);
    case HO_OP_CONNECT:
        return ho_call_connect(h, s, op, now);
    case HO_OP_ACCEPT:
    case HO_OP_SEND:
    case HO_OP_RECV:
    case HO_OP_POLL:
        return start_waiting(h, s, op, now);
    case HO_OP_SHUTDOWN:
        return call_shutdown(h, s, op, now);
    case HO_OP_CLOSE:
        return call_close(h, s, op, now);
    case HO_OP_SETSOCKOPT:
        return ho_call_setsockopt(h, s, op, now);
    case HO_OP_GETSOCKOPT:
        return ho_call_getsockopt(h, s, op, now);
    case HO_OP_GETSOCKNAME:
        return call_getsockname(h, s, op);
    default:
        return -EINVAL; /* epoll calls on a socket */
    }
}

static int64_t dispatch(struct ho_host *h, struct ho_op *op, struct ho_time now)
{
    struct ho_sock *s;
    struct ho_epoll *e;

    if (!h->up || ho_proc_find(h, op->pid) == NULL) {
        return -EBADF;
    }
    if (op->kind == HO_OP_SOCKET) {
        return call_socket(h, op);
    }
    if (op->kind == HO_OP_EPOLL_CREATE) {
        return call_epoll_create(h, op);
    }
    s = ho_proc_sock(h, op->pid, op->fd);
    e = ho_proc_epoll(h, op->pid, op->fd);
    if (s != NULL) {
        return on_sock(h, s, op, now);
    }
    return e != NULL ? on_epoll(h, e, op, now) : -EBADF;
}

enum ho_op_status ho_host_start(struct ho_host *h, uint32_t pid, struct ho_op *op,
                                struct ho_time now)
{
    h->now = now;
    op->pid = pid;
    op->started = now;
    op->done = 0;
    op->sock = HO_SLOT_NONE;
    op->node = (struct ho_list){ NULL, NULL };
    op->wait.timer = (struct ho_timer){ .next = NULL };
    h->starting = op;
    h->started_done = false;
    int64_t ret = dispatch(h, op, now);
    ho_machine_run(h, now); /* over lo, even a blocking call may finish here */
    h->starting = NULL;
    if (ret != HO_CALL_WAITS) {
        assert(!ho_list_linked(&op->node));
        op->ret = ret;
        return HO_OP_DONE;
    }
    return h->started_done ? HO_OP_DONE : HO_OP_PENDING;
}
