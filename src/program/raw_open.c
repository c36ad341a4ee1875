/* The verbs of `raw` that open: listen, connect, and what an accepted connection needs first.
 *
 * The steps are those of the programs behind the ground-truth files: socket, options, bind,
 * then listen or connect, then getsockname, so that the event can tell the local address.
 */

#include <errno.h>
#include <stdio.h>

#include "program/raw.h"

enum {
    STEP_SOCKET,
    STEP_REUSE,
    STEP_OPTIONS,
    STEP_BIND,
    STEP_LISTEN,
    STEP_WATCH_BEFORE,
    STEP_CONNECT,
    STEP_NAME,
    STEP_WATCH,
    STEP_END,
    STEP_UNDO /* close() after a bind() or listen() that failed */
};

struct ho_op *raw_option_op(struct raw_thread *th, const struct raw_task *t)
{
    struct ho_op *op = raw_op(th, HO_OP_SETSOCKOPT, th->sock->fd);

    op->opt = (int)t->options.o[t->option].opt;
    op->value[0] = t->options.o[t->option].value[0];
    op->value[1] = t->options.o[t->option].value[1];
    return op;
}

static struct ho_op *socket_op(struct raw_thread *th)
{
    struct raw_task *t = th->task;
    struct ho_op *op = raw_op(th, HO_OP_SOCKET, -1);

    op->addr = t->addr;
    if (t->verb == RAW_LISTEN && !t->block) {
        op->flags = HO_SOCK_NONBLOCK; /* the epoll thread must not be caught in accept() */
    }
    return op;
}

static struct ho_op *reuse_op(struct raw_thread *th)
{
    struct ho_op *op = raw_op(th, HO_OP_SETSOCKOPT, th->sock->fd);

    op->opt = HO_SOCKOPT_SO_REUSEADDR;
    op->value[0] = 1;
    return op;
}

static struct ho_op *bind_op(struct raw_thread *th)
{
    struct raw_task *t = th->task;
    struct ho_op *op = raw_op(th, HO_OP_BIND, th->sock->fd);

    op->addr = t->verb == RAW_LISTEN ? t->addr : t->local;
    op->port = t->verb == RAW_LISTEN ? t->port : t->from;
    return op;
}

static struct ho_op *listen_op(struct raw_thread *th)
{
    struct ho_op *op = raw_op(th, HO_OP_LISTEN, th->sock->fd);

    op->arg = th->task->arg;
    return op;
}

static struct ho_op *connect_op(struct raw_thread *th)
{
    struct ho_op *op = raw_op(th, HO_OP_CONNECT, th->sock->fd);

    op->addr = th->task->addr;
    op->port = th->task->port;
    th->sock->ctl_wanted = th->sock->how.watch == RAW_WATCH_DURING;
    return op;
}

/* The call of the present step; NULL: this task has none at this step. */
static struct ho_op *step_op(struct raw *r, struct raw_thread *th)
{
    struct raw_sock *s = th->sock;
    struct raw_task *t = th->task;
    bool listens = t->verb == RAW_LISTEN, connects = t->verb == RAW_CONNECT;

    switch (t->step) {
    case STEP_SOCKET:
        return socket_op(th);
    case STEP_REUSE:
        return listens || t->from != 0 ? reuse_op(th) : NULL;
    case STEP_OPTIONS:
        return t->option < t->options.n ? raw_option_op(th, t) : NULL;
    case STEP_BIND:
        return listens || (connects && (t->from != 0 || !ho_addr_is_any(&t->local))) ? bind_op(th)
                                                                                     : NULL;
    case STEP_LISTEN:
        return listens ? listen_op(th) : NULL;
    case STEP_WATCH_BEFORE:
        return s->how.watch == RAW_WATCH_BEFORE ? raw_watch_op(r, th, s, raw_interest(s)) : NULL;
    case STEP_CONNECT:
        return connects ? connect_op(th) : NULL;
    case STEP_NAME:
        return connects && t->err == 0 ? raw_op(th, HO_OP_GETSOCKNAME, s->fd) : NULL;
    case STEP_WATCH:
        return s->how.watch == RAW_WATCH_AFTER ? raw_watch_op(r, th, s, raw_interest(s)) : NULL;
    case STEP_UNDO:
        return raw_op(th, HO_OP_CLOSE, s->fd);
    default:
        return NULL;
    }
}

struct ho_op *raw_open_op(struct raw *r, struct raw_thread *th)
{
    struct raw_task *t = th->task;

    if (t->verb == RAW_ACCEPTED && t->step == STEP_SOCKET) {
        t->step = STEP_OPTIONS;
    }
    for (; t->step < STEP_END; t->step++) {
        struct ho_op *op = step_op(r, th);

        if (op != NULL) {
            return op;
        }
    }
    return step_op(r, th);
}

/* ---- results --------------------------------------------------------------------------------- */

/* connect() failed, or succeeded and getsockname() is done: now all of it can be told. */
static void connect_told(struct raw *r, struct raw_thread *th, const struct ho_op *name)
{
    struct raw_task *t = th->task;
    struct ho_program_event *e = raw_told(r, th->sock, t, "connect", t->err);

    th->sock->connected = t->err == 0;
    if (e == NULL) {
        return;
    }
    e->has |= HO_EV_PEER;
    e->peer = t->addr;
    e->peer_port = t->port;
    if (name != NULL && name->ret == 0) {
        e->has |= HO_EV_LOCAL;
        e->local = name->addr;
        e->local_port = name->port;
    }
}

/* A socket that cannot be opened ends. One whose connect() failed stays: it can be asked why. */
static void open_failed(struct raw *r, struct raw_thread *th, const char *call)
{
    struct raw_sock *s = th->sock;

    raw_told(r, s, th->task, call, th->op.ret);
    s->gone = s->fd < 0;
    th->task->step = s->gone ? STEP_END : STEP_UNDO;
}

static void listen_told(struct raw *r, struct raw_thread *th)
{
    struct ho_program_event *e = raw_told(r, th->sock, th->task, "listen", 0);

    if (e != NULL) {
        e->has |= HO_EV_LOCAL;
        e->local = th->task->addr;
        e->local_port = th->task->port;
    }
}

static void bind_done(struct raw *r, struct raw_thread *th)
{
    struct raw_task *t = th->task;

    if (th->op.ret < 0) {
        open_failed(r, th, t->step == STEP_BIND ? "bind" : "listen");
        return;
    }
    if (t->step == STEP_LISTEN) {
        listen_told(r, th);
    }
    t->step++;
}

static void options_done(struct raw *r, struct raw_thread *th)
{
    if (th->op.ret < 0) {
        raw_option_told(r, th->sock, th->task, th->op.ret);
    }
    th->task->option++; /* the same step: the next option, if there is one */
}

void raw_open_done(struct raw *r, struct raw_thread *th)
{
    struct raw_sock *s = th->sock;
    struct raw_task *t = th->task;

    switch (t->step) {
    case STEP_SOCKET:
        if (th->op.ret < 0) {
            open_failed(r, th, "socket");
            return;
        }
        s->fd = (int)th->op.ret;
        break;
    case STEP_OPTIONS:
        options_done(r, th);
        return;
    case STEP_BIND:
    case STEP_LISTEN:
        bind_done(r, th);
        return;
    case STEP_CONNECT:
        t->err = (int)th->op.ret;
        if (t->err != 0) {
            connect_told(r, th, NULL);
        }
        break;
    case STEP_NAME:
        connect_told(r, th, &th->op);
        break;
    case STEP_WATCH_BEFORE:
    case STEP_WATCH:
        raw_watch_done(r, s, &th->op);
        break;
    case STEP_UNDO:
        s->gone = true;
        t->step = STEP_END;
        return;
    default:
        break; /* STEP_REUSE: a bind() that fails will tell */
    }
    t->step++;
}

/* ---- accepted connections -------------------------------------------------------------------- */

/* The listener's next name that is free: x, x2, x3 ...; without a prefix the process's number. */
static void next_name(struct raw *r, struct raw_sock *l, char name[HO_PROGRAM_NAME_MAX])
{
    do {
        if (l->prefix[0] == '\0') {
            snprintf(name, HO_PROGRAM_NAME_MAX, "%u", ++r->n_conns);
        } else if (++l->accepted == 1) {
            ho_copy_text(name, HO_PROGRAM_NAME_MAX, l->prefix);
        } else {
            snprintf(name, HO_PROGRAM_NAME_MAX, "%.8s%u", l->prefix, l->accepted % 1000000);
        }
    } while (raw_find(r, name) != NULL);
}

struct raw_sock *raw_accepted(struct raw *r, struct raw_sock *l, const struct ho_op *op,
                              const char *as)
{
    char name[HO_PROGRAM_NAME_MAX];
    struct ho_program_event *e;
    struct raw_sock *s;
    struct raw_task *t;

    if (*as != '\0' && raw_find(r, as) == NULL) {
        ho_copy_text(name, sizeof(name), as);
    } else {
        next_name(r, l, name);
    }
    s = raw_sock_new(r, name);
    if (s == NULL) {
        return NULL;
    }
    s->fd = (int)op->ret;
    s->connected = true;
    s->how = l->accepted_how;
    raw_manner_join(r, &s->how);
    e = raw_result(r, s, "accept", op->ret);
    if (e != NULL) {
        e->has |= HO_EV_PEER;
        e->peer = op->addr;
        e->peer_port = op->port;
    }
    t = raw_task_new(r, s, RAW_ACCEPTED);
    if (t == NULL) {
        ho_program_say(&r->p, "accept", s->name, s->fd, "no memory to set its options");
    } else {
        t->options = s->how.options;
    }
    raw_ready(r, s);
    return s;
}
