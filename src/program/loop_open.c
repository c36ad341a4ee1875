/* The calls that open a connection of the loop, from socket() or after accept(). */

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "program/loop.h"

static struct ho_op *option_op(struct ho_loop *l, struct ho_conn *c)
{
    struct ho_op *op = ho_loop_op(l, c, HO_OP_SETSOCKOPT, c->fd);

    op->opt = (int)l->options.o[c->option].opt;
    op->value[0] = l->options.o[c->option].value[0];
    op->value[1] = l->options.o[c->option].value[1];
    return op;
}

static struct ho_op *bind_op(struct ho_loop *l, struct ho_conn *c)
{
    struct ho_op *op = ho_loop_op(l, c, HO_OP_BIND, c->fd);

    op->addr = ho_addr_is_v4(&l->addr) ? ho_addr_v4(0, 0, 0, 0) : (struct ho_addr){ { 0 } };
    op->port = l->from;
    return op;
}

static struct ho_op *connect_op(struct ho_loop *l, struct ho_conn *c)
{
    struct ho_op *op = ho_loop_op(l, c, HO_OP_CONNECT, c->fd);

    op->addr = l->addr;
    op->port = l->port;
    c->peer = l->addr;
    c->peer_port = l->port;
    c->began = l->p.now;
    return op;
}

/* The call of the present step, NULL if it has none. */
static struct ho_op *step_op(struct ho_loop *l, struct ho_conn *c)
{
    struct ho_op *op;

    switch (c->step) {
    case HO_CONN_SOCKET:
        op = ho_loop_op(l, c, HO_OP_SOCKET, -1);
        op->addr = l->addr;
        op->flags = HO_SOCK_NONBLOCK;
        return op;
    case HO_CONN_OPTIONS:
        return c->option < l->options.n ? option_op(l, c) : NULL;
    case HO_CONN_BIND:
        return !c->accepted && l->from != 0 ? bind_op(l, c) : NULL;
    case HO_CONN_CONNECT:
        return !c->accepted ? connect_op(l, c) : NULL;
    case HO_CONN_WATCH:
        return c->err == -EINPROGRESS ? ho_conn_watch(l, c, HO_EPOLL_ADD, HO_POLLOUT) : NULL;
    case HO_CONN_RESULT:
        op = ho_loop_op(l, c, HO_OP_GETSOCKOPT, c->fd);
        op->opt = HO_SOCKOPT_SO_ERROR;
        return c->err == -EINPROGRESS ? op : NULL;
    case HO_CONN_NAME:
        return !c->accepted ? ho_loop_op(l, c, HO_OP_GETSOCKNAME, c->fd) : NULL;
    case HO_CONN_JOIN:
        return ho_conn_watch(l, c, c->watched ? HO_EPOLL_MOD : HO_EPOLL_ADD,
                             HO_POLLIN | HO_POLLRDHUP);
    default:
        return NULL;
    }
}

/* connect() is in progress: epoll or the deadline ends the wait. Returns true if it goes on. */
static bool still_waiting(struct ho_loop *l, struct ho_conn *c)
{
    if (c->err != -EINPROGRESS || c->writable) {
        return false;
    }
    if (c->due) {
        c->due = false;
        c->readable = false;
        ho_loop_found(l, c, "connect_timeout", "connect_timeout", l->connect_timeout.ns,
                      "connect() was not answered");
        ho_conn_failed(l, c, "connect", ETIMEDOUT);
        return false;
    }
    return true;
}

struct ho_op *ho_conn_open_op(struct ho_loop *l, struct ho_conn *c)
{
    for (; c->step < HO_CONN_OPEN; c->step++) {
        struct ho_op *op = step_op(l, c);

        if (op != NULL) {
            return op;
        }
        if (c->step == HO_CONN_WAIT && still_waiting(l, c)) {
            return NULL;
        }
        if (c->closing) {
            return NULL;
        }
    }
    return NULL;
}

/* connect() has its result; getsockname() was called if it succeeded. */
static void connect_told(struct ho_loop *l, struct ho_conn *c, int err, const struct ho_op *name)
{
    struct ho_program_event *e = ho_conn_event(l, c, "connect", -err);

    if (e == NULL) {
        return;
    }
    e->has |= HO_EV_PEER | HO_EV_TOOK;
    e->took = ho_time_since(l->p.now, c->began);
    e->peer = c->peer;
    e->peer_port = c->peer_port;
    if (name != NULL && name->ret == 0) {
        e->has |= HO_EV_LOCAL;
        e->local = name->addr;
        e->local_port = name->port;
    }
}

static void connect_failed(struct ho_loop *l, struct ho_conn *c, int err)
{
    connect_told(l, c, err, NULL);
    ho_conn_failed(l, c, "connect", err);
}

static void option_done(struct ho_loop *l, struct ho_conn *c, int64_t ret)
{
    struct ho_program_event *e;

    if (ret < 0) {
        e = ho_conn_event(l, c, "setsockopt", ret);
        if (e != NULL) {
            ho_copy_text(e->detail, sizeof(e->detail),
                         ho_sockopt_info(l->options.o[c->option].opt)->name);
        }
    }
    c->option++;
}

static void open_now(struct ho_loop *l, struct ho_conn *c)
{
    int err;

    c->step = HO_CONN_OPEN;
    c->writable = true;
    c->readable = false;
    err = l->app->opened != NULL ? l->app->opened(l, c) : 0;
    if (err < 0) {
        ho_conn_failed(l, c, "open", -err);
    }
}

/* A call without which there is no connection failed. */
static bool call_failed(struct ho_loop *l, struct ho_conn *c, const char *call, int64_t ret)
{
    if (ret < 0) {
        ho_conn_event(l, c, call, ret);
        ho_conn_failed(l, c, call, (int)-ret);
    }
    return ret < 0;
}

void ho_conn_open_done(struct ho_loop *l, struct ho_conn *c)
{
    int64_t ret = l->op.ret;

    switch (c->step) {
    case HO_CONN_SOCKET:
        if (call_failed(l, c, "socket", ret)) {
            return;
        }
        c->fd = (int)ret;
        break;
    case HO_CONN_OPTIONS:
        option_done(l, c, ret);
        return; /* the same step: the next option, if there is one */
    case HO_CONN_BIND:
        if (call_failed(l, c, "bind", ret)) {
            return;
        }
        break;
    case HO_CONN_CONNECT:
        c->err = (int)ret;
        if (ret < 0 && ret != -EINPROGRESS) {
            connect_failed(l, c, (int)-ret);
            return;
        }
        break;
    case HO_CONN_RESULT:
        ret = ret < 0 ? ret : l->op.value[0];
        if (ret != 0) {
            connect_failed(l, c, (int)(ret < 0 ? -ret : ret));
            return;
        }
        break;
    case HO_CONN_NAME:
        connect_told(l, c, 0, &l->op);
        break;
    default: /* HO_CONN_WATCH, HO_CONN_JOIN */
        if (call_failed(l, c, "epoll_ctl", ret)) {
            return;
        }
        c->watched = true;
        c->interest = l->op.events;
        if (c->step == HO_CONN_JOIN) {
            open_now(l, c);
            return;
        }
        break;
    }
    c->step++;
}
