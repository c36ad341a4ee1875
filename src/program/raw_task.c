/* The tasks of `raw`: what a verb does, call by call.
 *
 * raw_task_op() makes the call of the task's present step, or none when the task has ended;
 * raw_task_done() takes the result. Step 0 is the first call; STEP_END ends the task.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "program/raw.h"
#include "program/stream.h"

enum {
    STEP_CALL,
    STEP_END
};

struct raw_task *raw_task_new(struct raw *r, struct raw_sock *s, enum raw_verb verb)
{
    struct raw_task *t = calloc(1, sizeof(*t));

    if (t == NULL) {
        return NULL;
    }
    t->verb = verb;
    r->n_tasks++;
    ho_list_push(&s->tasks, &t->node);
    raw_ready(r, s);
    return t;
}

void raw_task_free(struct raw *r, struct raw_task *t)
{
    if (t == NULL) {
        return;
    }
    ho_list_remove(&t->node);
    r->n_tasks--;
    free(t->buf);
    free(t);
}

void raw_close_later(struct raw *r, struct raw_sock *s)
{
    if (raw_task_new(r, s, RAW_CLOSE) == NULL) {
        ho_program_say(&r->p, "close", s->name, s->fd, "no memory: it stays open");
    }
}

static bool opens(const struct raw_task *t)
{
    return t->verb == RAW_LISTEN || t->verb == RAW_CONNECT || t->verb == RAW_ACCEPTED;
}

static bool sends(const struct raw_task *t)
{
    return t->verb == RAW_SEND || t->verb == RAW_FILL;
}

static bool reads(const struct raw_task *t)
{
    return t->verb == RAW_RECV || t->verb == RAW_DRAIN || t->verb == RAW_READING;
}

bool raw_may_overtake(const struct raw_task *t, const struct raw_task *blocked)
{
    if (opens(blocked)) {
        return !sends(t) && !reads(t);
    }
    return sends(blocked) ? !sends(t) : !reads(t);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void add_task(struct raw *r, struct ho_program_event *e, const struct raw_task *t)
{
    ho_copy_text(e->note, sizeof(e->note), t->note);
    if (t->entered) {
        e->has |= HO_EV_TOOK;
        e->took = ho_time_since(r->p.now, t->called);
    }
}

struct ho_program_event *raw_told(struct raw *r, struct raw_sock *s, struct raw_task *t,
                                  const char *call, int64_t ret)
{
    struct ho_program_event *e = raw_result(r, s, call, ret);

    if (e != NULL) {
        add_task(r, e, t);
    }
    return e;
}

void raw_option_told(struct raw *r, struct raw_sock *s, struct raw_task *t, int64_t ret)
{
    const struct ho_sockopt_info *info = ho_sockopt_info(t->options.o[t->option].opt);
    struct ho_program_event *e = raw_told(r, s, t, "setsockopt", ret);

    if (e != NULL) {
        snprintf(e->detail, sizeof(e->detail), "%s=%lld", info->name,
                 (long long)t->options.o[t->option].value[0]);
    }
}

/* ---- send and recv --------------------------------------------------------------------------- */

static struct ho_op *send_op(struct raw_thread *th)
{
    struct raw_task *t = th->task;
    struct ho_op *op = raw_op(th, HO_OP_SEND, th->sock->fd);
    size_t at = t->verb == RAW_FILL ? 0 : t->done;

    if (!t->filled || t->filled_at != th->sock->tx - at) {
        ho_stream_fill(t->buf, t->len, th->sock->tx - at);
        t->filled = true;
        t->filled_at = th->sock->tx - at;
    }
    op->buf = t->buf + at;
    op->len = t->len - at;
    op->flags = t->block ? 0 : HO_MSG_DONTWAIT;
    return op;
}

static void send_told(struct raw *r, struct raw_thread *th)
{
    struct raw_task *t = th->task;
    int64_t ret = th->op.ret;
    struct ho_program_event *e =
        raw_told(r, th->sock, t, "send", t->done > 0 ? (int64_t)t->done : ret);

    if (e != NULL) {
        e->has |= HO_EV_TX | (t->verb == RAW_SEND ? HO_EV_ASKED : 0);
        e->asked = t->len;
        e->tx = th->sock->tx;
        e->err = ret < 0 ? (int)-ret : 0;
    }
}

static void send_done(struct raw *r, struct raw_thread *th)
{
    struct raw_task *t = th->task;
    size_t got = th->op.ret > 0 ? (size_t)th->op.ret : 0;
    bool more;

    th->sock->tx += got;
    t->done += got;
    more = t->verb == RAW_FILL ? t->done < HO_RAW_CALL_MAX : t->done < t->len;
    if (got > 0 && more && !t->block) {
        return; /* the same step again, until it would block */
    }
    if (th->op.ret == -EAGAIN) {
        th->sock->out_told = false;
    }
    send_told(r, th);
    t->step = STEP_END;
}

static struct ho_op *recv_op(struct raw_thread *th)
{
    struct raw_task *t = th->task;
    struct ho_op *op = raw_op(th, HO_OP_RECV, th->sock->fd);

    op->buf = t->buf;
    op->len = t->len;
    op->flags = t->block ? 0 : HO_MSG_DONTWAIT;
    return op;
}

static void recv_done(struct raw *r, struct raw_thread *th)
{
    struct raw_sock *s = th->sock;
    struct raw_task *t = th->task;
    unsigned before = r->p.n_events;

    raw_received(r, s, &th->op, t->note);
    if (r->p.n_events > before) {
        unsigned last = (r->p.first + r->p.n_events - 1) % HO_PROGRAM_EVENTS_MAX;

        add_task(r, &r->p.events[last], t);
    }
    s->eof = s->eof || th->op.ret == 0;
    t->step = STEP_END;
}

/* ---- verbs of one call ----------------------------------------------------------------------- */

static struct ho_op *simple_op(struct raw *r, struct raw_thread *th)
{
    struct raw_sock *s = th->sock;
    struct raw_task *t = th->task;
    struct ho_op *op;

    switch (t->verb) {
    case RAW_ACCEPT:
    case RAW_ACCEPTING:
        return raw_op(th, HO_OP_ACCEPT, s->fd);
    case RAW_SHUTDOWN:
        op = raw_op(th, HO_OP_SHUTDOWN, s->fd);
        op->arg = t->arg;
        return op;
    case RAW_CLOSE:
        return raw_op(th, HO_OP_CLOSE, s->fd);
    case RAW_SETSOCKOPT:
        return t->option < t->options.n ? raw_option_op(th, t) : NULL;
    case RAW_GETSOCKOPT:
        op = raw_op(th, HO_OP_GETSOCKOPT, s->fd);
        op->opt = t->arg;
        return op;
    case RAW_POLL:
        op = raw_op(th, HO_OP_POLL, s->fd);
        op->arg = HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP;
        return op;
    default: { /* RAW_WATCH */
        uint32_t events = t->arg != 0 ? raw_interest(s) : 0;

        return events == s->watched ? NULL : raw_watch_op(r, th, s, events);
    }
    }
}

static void accept_done(struct raw *r, struct raw_thread *th)
{
    struct raw_sock *s = th->sock;
    struct raw_task *t = th->task;
    int64_t ret = th->op.ret;

    if (ret >= 0 && raw_accepted(r, s, &th->op, t->as) == NULL) {
        ho_program_say(&r->p, "accept", s->name, (int)ret, "no memory: it stays as it is");
    } else if (ret < 0 && (t->verb == RAW_ACCEPT || ret != -EAGAIN)) {
        raw_told(r, s, t, "accept", ret);
    }
    if (t->verb == RAW_ACCEPTING && ret >= 0) {
        t->step = STEP_CALL; /* until it would block */
    }
}

static void poll_told(struct raw *r, struct raw_thread *th)
{
    struct ho_program_event *e;

    if (th->op.ret < 0) {
        raw_told(r, th->sock, th->task, "poll", th->op.ret);
        return;
    }
    e = raw_event(r, th->sock, HO_PROGRAM_EVENTS, "poll");
    if (e != NULL) {
        e->has = HO_EV_EVENTS;
        e->events = (uint32_t)th->op.ret;
        add_task(r, e, th->task);
    }
}

static void getsockopt_told(struct raw *r, struct raw_thread *th)
{
    struct raw_task *t = th->task;
    struct ho_program_event *e = raw_told(r, th->sock, t, "getsockopt", th->op.ret);

    if (e == NULL) {
        return;
    }
    ho_copy_text(e->detail, sizeof(e->detail), ho_sockopt_info((enum ho_sockopt)t->arg)->name);
    if (th->op.ret == 0) {
        int64_t value = th->op.value[0];

        e->has |= HO_EV_VALUE;
        e->value = t->arg == HO_SOCKOPT_SO_ERROR && value < 0 ? -value : value;
    }
}

static void shutdown_told(struct raw *r, struct raw_thread *th)
{
    static const char *const how[] = { "RD", "WR", "RDWR" };
    struct ho_program_event *e = raw_told(r, th->sock, th->task, "shutdown", th->op.ret);

    if (e != NULL) {
        ho_copy_text(e->detail, sizeof(e->detail), how[th->task->arg]);
    }
}

static void simple_done(struct raw *r, struct raw_thread *th)
{
    struct raw_task *t = th->task;

    t->step = STEP_END;
    switch (t->verb) {
    case RAW_ACCEPT:
    case RAW_ACCEPTING:
        accept_done(r, th);
        break;
    case RAW_SHUTDOWN:
        shutdown_told(r, th);
        break;
    case RAW_CLOSE:
        raw_told(r, th->sock, t, "close", th->op.ret);
        th->sock->gone = true;
        break;
    case RAW_SETSOCKOPT:
        raw_option_told(r, th->sock, t, th->op.ret);
        t->option++;
        t->step = STEP_CALL;
        break;
    case RAW_GETSOCKOPT:
        getsockopt_told(r, th);
        break;
    case RAW_POLL:
        poll_told(r, th);
        break;
    default: /* RAW_WATCH */
        raw_watch_done(r, th->sock, &th->op);
        break;
    }
}

/* ---- any task -------------------------------------------------------------------------------- */

struct ho_op *raw_task_op(struct raw *r, struct raw_thread *th)
{
    struct raw_task *t = th->task;

    if (opens(t)) {
        return raw_open_op(r, th);
    }
    if (t->step == STEP_END) {
        return NULL;
    }
    if (sends(t)) {
        return send_op(th);
    }
    if (t->verb == RAW_RECV) {
        return recv_op(th);
    }
    return reads(t) ? raw_reader_op(r, th, &t->reader) : simple_op(r, th);
}

void raw_task_done(struct raw *r, struct raw_thread *th)
{
    struct raw_task *t = th->task;

    if (opens(t)) {
        raw_open_done(r, th);
    } else if (sends(t)) {
        send_done(r, th);
    } else if (t->verb == RAW_RECV) {
        recv_done(r, th);
    } else if (reads(t)) {
        raw_reader_done(r, th, &t->reader);
    } else {
        simple_done(r, th);
    }
}
