/* A connection of the loop that is open: read, send, change what epoll is asked for, close. */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "program/loop.h"
#include "program/stream.h"

#define SLOTS_AT_FIRST 8

/* ---- making and freeing ---------------------------------------------------------------------- */

/* Makes sure that there is a free slot. Returns 0 or -ENOMEM. */
static int need_slot(struct ho_loop *l)
{
    uint32_t n = l->n_slots == 0 ? SLOTS_AT_FIRST : 2 * l->n_slots;
    struct ho_loop_slot *more;

    if (l->free_slot != 0) {
        return 0;
    }
    more = realloc(l->slots, n * sizeof(more[0]));
    if (more == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = n; i-- > l->n_slots;) {
        more[i] = (struct ho_loop_slot){ .next_free = l->free_slot };
        l->free_slot = i + 1;
    }
    l->slots = more;
    l->n_slots = n;
    return 0;
}

static void take_slot(struct ho_loop *l, struct ho_conn *c)
{
    struct ho_loop_slot *slot = &l->slots[l->free_slot - 1];

    c->slot = l->free_slot - 1;
    c->generation = ++slot->generation;
    slot->conn = c;
    l->free_slot = slot->next_free;
}

struct ho_conn *ho_conn_new(struct ho_loop *l, bool accepted)
{
    struct ho_conn *c = need_slot(l) == 0 ? calloc(1, sizeof(*c)) : NULL;

    if (c == NULL) {
        return NULL;
    }
    c->app = calloc(1, l->app->app_size + 1);
    if (c->app == NULL) {
        free(c);
        return NULL;
    }
    take_slot(l, c);
    c->fd = -1;
    c->accepted = accepted;
    c->step = accepted ? HO_CONN_OPTIONS : HO_CONN_SOCKET;
    l->n_conns++;
    snprintf(c->name, sizeof(c->name), l->named == 0 ? "%.8s" : "%.8s%u", l->prefix,
             (l->named + 1) % 1000000);
    l->named++;
    ho_list_push(&l->conns, &c->all);
    ho_loop_touch(l, c);
    if (l->app->made != NULL) {
        l->app->made(l, c);
    }
    return c;
}

void ho_conn_free(struct ho_loop *l, struct ho_conn *c)
{
    if (l->app->closed != NULL) {
        l->app->closed(l, c);
    }
    ho_timerq_cancel(&l->timers, &c->timer);
    l->slots[c->slot].conn = NULL;
    l->slots[c->slot].next_free = l->free_slot;
    l->free_slot = c->slot + 1;
    l->n_conns--;
    ho_list_remove(&c->all);
    ho_list_remove(&c->ready);
    free(c->app);
    free(c);
}

int ho_loop_connect(struct ho_loop *l)
{
    return ho_conn_new(l, false) != NULL ? 0 : -ENOMEM;
}

void ho_loop_connect_first(struct ho_loop *l)
{
    if (!l->listens && ho_loop_connect(l) < 0) {
        ho_program_say(&l->p, l->app->what, "", -1, "no memory for a connection");
        ho_program_exit(&l->p, 1);
    }
}

/* ---- what a behaviour asks for --------------------------------------------------------------- */

void ho_loop_touch(struct ho_loop *l, struct ho_conn *c)
{
    if (!ho_list_linked(&c->ready)) {
        ho_list_push(&l->ready, &c->ready);
    }
}

void ho_loop_close(struct ho_loop *l, struct ho_conn *c)
{
    c->closing = true;
    ho_loop_touch(l, c);
}

void ho_loop_finish(struct ho_loop *l, struct ho_conn *c)
{
    c->closing_flushed = true;
    ho_loop_touch(l, c);
}

void ho_loop_shutdown(struct ho_loop *l, struct ho_conn *c)
{
    c->want_shut = true;
    ho_loop_touch(l, c);
}

/* ---- events ---------------------------------------------------------------------------------- */

struct ho_program_event *ho_conn_event(struct ho_loop *l, const struct ho_conn *c, const char *call,
                                       int64_t ret)
{
    struct ho_program_event *e = ho_program_emit(&l->p, HO_PROGRAM_CALL, call);

    if (e != NULL) {
        e->has = HO_EV_RET;
        e->ret = ret < 0 ? -1 : ret;
        e->err = ret < 0 ? (int)-ret : 0;
        e->fd = c->fd;
        ho_copy_text(e->sock, sizeof(e->sock), c->name);
    }
    return e;
}

void ho_loop_found(struct ho_loop *l, const struct ho_conn *c, const char *rule,
                   const char *setting, int64_t value_ns, const char *note)
{
    struct ho_program_event *e = ho_program_emit(&l->p, HO_PROGRAM_FINDING, rule);
    char value[32];

    if (e == NULL) {
        return;
    }
    e->fd = c->fd;
    ho_copy_text(e->sock, sizeof(e->sock), c->name);
    ho_dur_write(value, sizeof(value), value_ns);
    snprintf(e->detail, sizeof(e->detail), "%s=%s", setting, value);
    ho_copy_text(e->note, sizeof(e->note), note);
}

void ho_conn_failed(struct ho_loop *l, struct ho_conn *c, const char *call, int err)
{
    c->closing = true;
    if (l->app->failed != NULL) {
        l->app->failed(l, c, call, err);
    }
    ho_loop_touch(l, c);
}

void ho_conn_arm(struct ho_loop *l, struct ho_conn *c)
{
    struct ho_time at = HO_NEVER;

    if (c->step == HO_CONN_WAIT && l->connect_timeout.ns > 0) {
        at = ho_time_add(c->began, l->connect_timeout);
    } else if (c->step == HO_CONN_OPEN && l->app->deadline != NULL) {
        at = l->app->deadline(l, c);
    }
    ho_timerq_arm(&l->timers, &c->timer, at);
}

/* ---- the next call --------------------------------------------------------------------------- */

static size_t room_of(const struct ho_loop *l, const struct ho_conn *c)
{
    size_t room = l->app->room != NULL ? l->app->room(l, c) : HO_LOOP_BUF;

    return c->eof ? 0 : room < HO_LOOP_BUF ? room : HO_LOOP_BUF;
}

struct ho_op *ho_conn_watch(struct ho_loop *l, struct ho_conn *c, int how, uint32_t events)
{
    struct ho_op *op = ho_loop_op(l, c, HO_OP_EPOLL_CTL, l->epfd);

    op->target = c->fd;
    op->arg = how;
    op->events = events;
    op->data = (uint64_t)c->generation << 32 | c->slot;
    return op;
}

static struct ho_op *recv_op(struct ho_loop *l, struct ho_conn *c)
{
    struct ho_op *op = ho_loop_op(l, c, HO_OP_RECV, c->fd);

    op->buf = l->buf;
    op->len = room_of(l, c);
    if (op->len == 0) {
        op->len = HO_LOOP_BUF; /* only to get at the error; nobody takes the bytes */
    }
    op->flags = HO_MSG_DONTWAIT;
    return op;
}

static struct ho_op *send_op(struct ho_loop *l, struct ho_conn *c, const uint8_t *bytes, size_t len)
{
    struct ho_op *op = ho_loop_op(l, c, HO_OP_SEND, c->fd);

    /* send() does not write through it; the operation has one pointer for both directions */
    op->buf = (void *)(uintptr_t)bytes;
    op->len = len;
    op->flags = HO_MSG_DONTWAIT;
    return op;
}

/* The deadline came and what had arrived until then was read. */
static void fire(struct ho_loop *l, struct ho_conn *c)
{
    c->due = false;
    if (l->app->deadline != NULL && ho_time_reached(l->app->deadline(l, c), l->p.now)) {
        l->app->timer(l, c);
    }
}

/* An error or hang-up after the end of the stream: nothing can come or go any more. */
static bool is_over(const struct ho_conn *c)
{
    return c->eof && c->must_read;
}

struct ho_op *ho_conn_op(struct ho_loop *l, struct ho_conn *c)
{
    const uint8_t *bytes = NULL;
    uint32_t events;
    size_t len;

    if (c->step < HO_CONN_OPEN && !c->closing) {
        struct ho_op *op = ho_conn_open_op(l, c);

        if (op != NULL || !c->closing) {
            return op;
        }
    }
    if (c->step == HO_CONN_CLOSED) {
        return NULL;
    }
    if (!c->closing && c->readable && !c->eof && (c->must_read || room_of(l, c) > 0)) {
        return recv_op(l, c);
    }
    if (!c->closing && c->due) {
        fire(l, c);
    }
    if (c->closing) {
        return c->fd >= 0 ? ho_loop_op(l, c, HO_OP_CLOSE, c->fd) : (c->step = HO_CONN_CLOSED, NULL);
    }
    len = l->app->output != NULL && !c->shut ? l->app->output(l, c, &bytes) : 0;
    if (len > 0 && c->writable) {
        return send_op(l, c, bytes, len);
    }
    if (len == 0 && (c->closing_flushed || is_over(c))) {
        return ho_loop_op(l, c, HO_OP_CLOSE, c->fd);
    }
    if (len == 0 && c->want_shut && !c->shut) {
        struct ho_op *op = ho_loop_op(l, c, HO_OP_SHUTDOWN, c->fd);

        op->arg = HO_SHUT_WR;
        return op;
    }
    events = (room_of(l, c) > 0 ? HO_POLLIN | HO_POLLRDHUP : 0) | (len > 0 ? HO_POLLOUT : 0);
    return events != c->interest ? ho_conn_watch(l, c, HO_EPOLL_MOD, events) : NULL;
}

/* ---- results --------------------------------------------------------------------------------- */

static void recv_told(struct ho_loop *l, struct ho_conn *c, int64_t ret)
{
    struct ho_program_event *e;

    e = ret <= 0 || !l->brief ? ho_conn_event(l, c, "recv", ret) : NULL;
    if (e != NULL && ret >= 0) {
        e->has |= HO_EV_RX;
        e->rx = c->rx;
        e->bad = c->bad;
        e->stream_ok = c->bad == 0;
    }
}

static void recv_done(struct ho_loop *l, struct ho_conn *c)
{
    int64_t ret = l->op.ret;
    bool taken = room_of(l, c) > 0;

    if (ret == -EAGAIN || ret == -EINTR) {
        c->readable = ret == -EINTR;
        c->must_read = c->must_read && c->readable;
        return;
    }
    if (ret > 0) {
        c->readable = (size_t)ret == l->op.len; /* level-triggered: the rest is reported again */
        c->bad += l->checks ? ho_stream_bad(l->buf, (size_t)ret, c->rx) : 0;
        c->rx += (uint64_t)ret;
    }
    recv_told(l, c, ret);
    if (ret > 0 && taken) {
        l->app->received(l, c, l->buf, (size_t)ret);
    }
    if (ret < 0) {
        ho_conn_failed(l, c, "recv", (int)-ret);
    } else if (ret == 0) {
        c->eof = true;
        if (l->app->ended != NULL) {
            l->app->ended(l, c);
        } else {
            ho_loop_finish(l, c);
        }
    }
}

void ho_conn_sent_event(struct ho_loop *l, const struct ho_conn *c, size_t asked, int64_t ret)
{
    struct ho_program_event *e = ho_conn_event(l, c, "send", ret);

    if (e != NULL) {
        e->has |= HO_EV_ASKED | HO_EV_TX;
        e->asked = asked;
        e->tx = c->tx;
    }
}

static void send_done(struct ho_loop *l, struct ho_conn *c)
{
    int64_t ret = l->op.ret;

    if (ret == -EAGAIN || ret == -EINTR) {
        c->writable = ret == -EINTR;
        return;
    }
    c->tx += ret > 0 ? (uint64_t)ret : 0;
    if (ret < 0 || !l->brief) {
        ho_conn_sent_event(l, c, l->op.len, ret);
    }
    if (ret < 0) {
        ho_conn_failed(l, c, "send", (int)-ret);
    } else {
        c->writable = (size_t)ret == l->op.len;
        l->app->sent(l, c, (size_t)ret);
    }
}

static void shutdown_done(struct ho_loop *l, struct ho_conn *c)
{
    struct ho_program_event *e = ho_conn_event(l, c, "shutdown", l->op.ret);

    c->shut = true;
    if (e != NULL) {
        ho_copy_text(e->detail, sizeof(e->detail), "WR");
    }
    if (l->op.ret < 0) {
        ho_conn_failed(l, c, "shutdown", (int)-l->op.ret);
    }
}

void ho_conn_done(struct ho_loop *l, struct ho_conn *c)
{
    ho_loop_touch(l, c);
    if (l->op.kind == HO_OP_CLOSE) {
        ho_conn_event(l, c, "close", l->op.ret);
        c->step = HO_CONN_CLOSED;
        c->fd = -1;
        return;
    }
    if (c->step < HO_CONN_OPEN) {
        ho_conn_open_done(l, c);
        return;
    }
    switch (l->op.kind) {
    case HO_OP_RECV:
        recv_done(l, c);
        break;
    case HO_OP_SEND:
        send_done(l, c);
        break;
    case HO_OP_SHUTDOWN:
        shutdown_done(l, c);
        break;
    default:
        assert(l->op.kind == HO_OP_EPOLL_CTL);
        c->interest = l->op.events;
        if (l->op.ret < 0) {
            ho_conn_event(l, c, "epoll_ctl", l->op.ret);
            ho_conn_failed(l, c, "epoll_ctl", (int)-l->op.ret);
        }
        break;
    }
}
