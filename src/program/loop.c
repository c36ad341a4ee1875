/* The thread of the loop (loop.h): which call is next, and what epoll_wait() reported.
 *
 * Order of work, as in any server of one thread: connections that have something to do, then
 * new connections, then epoll_wait() until the earliest deadline. When descriptors or memory
 * run out, accepting pauses for 100 ms: a level-triggered listener would wake the loop for ever.
 */

#include "program/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPT_PAUSE_MS 100
#define LISTENER UINT64_MAX /* what epoll gives back for the listener */

enum {
    LOOP_EPOLL,
    LOOP_SOCKET,
    LOOP_REUSE,
    LOOP_BIND,
    LOOP_LISTEN,
    LOOP_JOIN,
    LOOP_RUN,
    /* calls while it runs */
    LOOP_WAIT,
    LOOP_ACCEPT,
    LOOP_WATCH,
    LOOP_DROP
};

static struct ho_loop *loop_of(struct ho_program *p)
{
    return ho_container(p, struct ho_loop, p);
}

int ho_loop_init(struct ho_loop *l, const struct ho_loop_app *app)
{
    l->app = app;
    l->epfd = -1;
    l->lfd = -1;
    l->alarm = HO_NEVER;
    ho_list_init(&l->conns);
    ho_list_init(&l->ready);
    ho_timerq_init(&l->timers, (struct ho_time){ 0 });
    l->buf = malloc(HO_LOOP_BUF);
    return l->buf != NULL ? 0 : -ENOMEM;
}

void ho_loop_fini(struct ho_program *p)
{
    struct ho_loop *l = loop_of(p);

    while (l->conns.next != NULL && !ho_list_empty(&l->conns)) {
        ho_conn_free(l, ho_container(l->conns.next, struct ho_conn, all));
    }
    free(l->slots);
    free(l->buf);
}

void ho_loop_start(struct ho_program *p)
{
    struct ho_loop *l = loop_of(p);

    ho_timerq_init(&l->timers, p->now);
    if (l->app->started != NULL) {
        l->app->started(l);
    }
}

/* ---- calls ----------------------------------------------------------------------------------- */

struct ho_op *ho_loop_op(struct ho_loop *l, struct ho_conn *c, enum ho_op_kind kind, int fd)
{
    memset(&l->op, 0, sizeof(l->op));
    l->op.kind = kind;
    l->op.fd = fd;
    l->conn = c;
    return &l->op;
}

static struct ho_op *own_op(struct ho_loop *l, unsigned step, enum ho_op_kind kind, int fd)
{
    l->step = step;
    return ho_loop_op(l, NULL, kind, fd);
}

static struct ho_op *watch_listener(struct ho_loop *l, unsigned step, int how, bool on)
{
    struct ho_op *op = own_op(l, step, HO_OP_EPOLL_CTL, l->epfd);

    op->target = l->lfd;
    op->arg = how;
    op->events = on ? HO_POLLIN : 0;
    op->data = LISTENER;
    l->listening = on;
    return op;
}

/* The calls before the loop runs; NULL when it can. */
static struct ho_op *begin_op(struct ho_loop *l)
{
    struct ho_op *op;

    switch (l->step) {
    case LOOP_EPOLL:
        return own_op(l, LOOP_EPOLL, HO_OP_EPOLL_CREATE, -1);
    case LOOP_SOCKET:
        op = own_op(l, LOOP_SOCKET, HO_OP_SOCKET, -1);
        op->addr = l->addr;
        op->flags = HO_SOCK_NONBLOCK;
        return op;
    case LOOP_REUSE:
        op = own_op(l, LOOP_REUSE, HO_OP_SETSOCKOPT, l->lfd);
        op->opt = HO_SOCKOPT_SO_REUSEADDR;
        op->value[0] = 1;
        return op;
    case LOOP_BIND:
        op = own_op(l, LOOP_BIND, HO_OP_BIND, l->lfd);
        op->addr = l->addr;
        op->port = l->port;
        return op;
    case LOOP_LISTEN:
        op = own_op(l, LOOP_LISTEN, HO_OP_LISTEN, l->lfd);
        op->arg = l->backlog;
        return op;
    case LOOP_JOIN:
        return watch_listener(l, LOOP_JOIN, HO_EPOLL_ADD, true);
    default:
        return NULL;
    }
}

static struct ho_op *accept_op(struct ho_loop *l)
{
    bool may = l->n_conns < l->max_conns && l->pause.ns <= l->p.now.ns;
    struct ho_op *op;

    if (!l->listens) {
        return NULL;
    }
    if (l->listening != may) {
        return watch_listener(l, LOOP_WATCH, HO_EPOLL_MOD, may);
    }
    if (!may || !l->acceptable) {
        return NULL;
    }
    op = own_op(l, LOOP_ACCEPT, HO_OP_ACCEPT, l->lfd);
    op->flags = HO_SOCK_NONBLOCK;
    return op;
}

static struct ho_op *wait_op(struct ho_loop *l)
{
    struct ho_time at = ho_time_min(ho_timerq_deadline(&l->timers), l->alarm);
    struct ho_op *op = own_op(l, LOOP_WAIT, HO_OP_EPOLL_WAIT, l->epfd);

    if (l->pause.ns > l->p.now.ns) {
        at = ho_time_min(at, l->pause);
    }
    op->buf = l->events;
    op->len = sizeof(l->events) / sizeof(l->events[0]);
    op->forever = at.ns == HO_NEVER.ns;
    op->timeout = op->forever ? ho_ns(0) : ho_time_since(at, l->p.now);
    return op;
}

/* Deadlines that have come: each connection reads once more before its own fires. */
static void note_due(struct ho_loop *l)
{
    struct ho_timer *t;

    while ((t = ho_timerq_pop(&l->timers, l->p.now)) != NULL) {
        struct ho_conn *c = ho_container(t, struct ho_conn, timer);

        c->due = true;
        c->readable = true;
        ho_loop_touch(l, c);
    }
    if (ho_time_reached(l->alarm, l->p.now)) {
        l->alarm = HO_NEVER;
        if (l->app->alarm != NULL) {
            l->app->alarm(l);
        }
    }
}

struct ho_op *ho_loop_next_op(struct ho_program *p)
{
    struct ho_loop *l = loop_of(p);
    struct ho_op *op = NULL;

    if (l->out) {
        return NULL;
    }
    if (l->step < LOOP_RUN) {
        op = begin_op(l);
    }
    if (op == NULL) {
        note_due(l);
    }
    while (op == NULL && !p->exited && !ho_list_empty(&l->ready)) {
        struct ho_conn *c = ho_container(l->ready.next, struct ho_conn, ready);

        op = ho_conn_op(l, c);
        if (op == NULL && c->step == HO_CONN_CLOSED) {
            ho_conn_free(l, c);
        } else if (op == NULL) {
            ho_conn_arm(l, c);
            ho_list_remove(&c->ready);
        }
    }
    if (op == NULL && !p->exited) {
        op = accept_op(l);
    }
    if (op == NULL && !p->exited) {
        op = wait_op(l);
    }
    l->out = op != NULL;
    return op;
}

/* ---- results --------------------------------------------------------------------------------- */

static struct ho_program_event *own_event(struct ho_loop *l, const char *call, int64_t ret)
{
    struct ho_program_event *e = ho_program_emit(&l->p, HO_PROGRAM_CALL, call);

    if (e != NULL) {
        e->has = HO_EV_RET;
        e->ret = ret < 0 ? -1 : ret;
        e->err = ret < 0 ? (int)-ret : 0;
        e->fd = l->lfd;
        ho_copy_text(e->sock, sizeof(e->sock), l->lfd >= 0 ? "L" : "");
    }
    return e;
}

static void begin_done(struct ho_loop *l)
{
    int64_t ret = l->op.ret;
    struct ho_program_event *e;

    if (ret < 0 && l->step != LOOP_REUSE) {
        own_event(l, ho_program_op_name(l->op.kind), ret);
        ho_program_exit(&l->p, 1);
        return;
    }
    if (l->step == LOOP_EPOLL) {
        l->epfd = (int)ret;
    } else if (l->step == LOOP_SOCKET) {
        l->lfd = (int)ret;
    } else if (l->step == LOOP_LISTEN) {
        e = own_event(l, "listen", 0);
        if (e != NULL) {
            e->has |= HO_EV_LOCAL;
            e->local = l->addr;
            e->local_port = l->port;
        }
    }
    l->step = l->step == LOOP_EPOLL && !l->listens ? LOOP_RUN : l->step + 1;
}

static bool out_of_something(int64_t ret)
{
    return ret == -EMFILE || ret == -ENFILE || ret == -ENOBUFS || ret == -ENOMEM;
}

static void accept_done(struct ho_loop *l)
{
    const struct ho_op *op = &l->op;
    struct ho_program_event *e;
    struct ho_conn *c;

    l->step = LOOP_RUN;
    if (op->ret == -EAGAIN) {
        l->acceptable = false;
        return;
    }
    if (op->ret < 0) {
        own_event(l, "accept", op->ret);
        l->pause =
            out_of_something(op->ret) ? ho_time_add(l->p.now, ho_ms(ACCEPT_PAUSE_MS)) : l->pause;
        return;
    }
    c = ho_conn_new(l, true);
    if (c == NULL) {
        own_event(l, "accept", -ENOMEM);
        l->step = LOOP_DROP;
        return;
    }
    c->fd = (int)op->ret;
    c->peer = op->addr;
    c->peer_port = op->port;
    e = ho_conn_event(l, c, "accept", op->ret);
    if (e != NULL) {
        e->has |= HO_EV_PEER;
        e->peer = c->peer;
        e->peer_port = c->peer_port;
    }
}

static void reported(struct ho_loop *l, const struct ho_epoll_event *ev)
{
    uint32_t slot = (uint32_t)ev->data;
    struct ho_conn *c;

    if (ev->data == LISTENER) {
        l->acceptable = true;
        return;
    }
    assert(slot < l->n_slots);
    c = l->slots[slot].conn;
    if (c == NULL || c->generation != ev->data >> 32) {
        return; /* it was closed when an earlier event of this round was handled */
    }
    if (ev->events & (HO_POLLIN | HO_POLLRDHUP | HO_POLLERR | HO_POLLHUP)) {
        c->readable = true;
    }
    if (ev->events & (HO_POLLOUT | HO_POLLERR | HO_POLLHUP)) {
        c->writable = true;
    }
    if (ev->events & (HO_POLLERR | HO_POLLHUP)) {
        c->must_read = true;
    }
    ho_loop_touch(l, c);
}

static void own_done(struct ho_loop *l)
{
    switch (l->step) {
    case LOOP_WAIT:
        l->step = LOOP_RUN;
        if (l->op.ret < 0 && l->op.ret != -EINTR) {
            own_event(l, "epoll_wait", l->op.ret);
            ho_program_exit(&l->p, 1);
            return;
        }
        for (int64_t i = 0; i < l->op.ret; i++) {
            reported(l, &l->events[i]);
        }
        break;
    case LOOP_ACCEPT:
        accept_done(l);
        break;
    default: /* LOOP_WATCH, LOOP_DROP */
        l->step = LOOP_RUN;
        break;
    }
}

void ho_loop_complete(struct ho_program *p, struct ho_op *op)
{
    struct ho_loop *l = loop_of(p);

    assert(l->out && op == &l->op);
    l->out = false;
    if (l->conn != NULL) {
        ho_conn_done(l, l->conn);
    } else if (l->step < LOOP_RUN) {
        begin_done(l);
    } else {
        own_done(l);
    }
}

/* ---- the rest of the table ------------------------------------------------------------------- */

struct ho_time ho_loop_deadline(const struct ho_program *p)
{
    (void)p;
    return HO_NEVER; /* it waits in epoll_wait() */
}

void ho_loop_tick(struct ho_program *p)
{
    (void)p;
}

const char *ho_loop_sock_name(const struct ho_program *p, int fd)
{
    const struct ho_loop *l = (const struct ho_loop *)(const void *)p;

    for (const struct ho_list *n = l->conns.next; n != &l->conns; n = n->next) {
        const struct ho_conn *c = (const struct ho_conn *)(const void *)n;

        if (c->fd == fd) {
            return c->name;
        }
    }
    return fd == l->lfd ? "L" : NULL;
}
