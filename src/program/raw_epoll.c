/* The epoll thread of `raw`: waits for all watched sockets, reports, accepts and reads.
 *
 * Edge-triggered (the default), each wake-up of a socket is reported once, with all events that
 * hold at that moment. Level-triggered, epoll_wait() would return for ever while an event holds
 * that nobody does anything about; so epoll is asked for OUT only until it was reported (again
 * after a send would block), for IN and RDHUP only while what comes is read, and for nothing
 * once the stream ended or failed, as a real program must.
 *
 * After the report a listener accepts until it would block; a connection with read=epoll is read
 * until it would block.
 */

#include <errno.h>

#include "program/raw.h"

enum {
    EP_CREATE,
    EP_WAIT,
    EP_ACCEPT,
    EP_READ,
    EP_WATCH,
    EP_DROP
};

uint32_t raw_interest(const struct raw_sock *s)
{
    uint32_t events = 0;

    if (s->listener) {
        return HO_POLLIN | HO_EPOLLET;
    }
    if (!s->how.level) {
        return HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP | HO_EPOLLET;
    }
    if (s->eof || s->failed) {
        return 0;
    }
    if (s->how.read != RAW_READ_NO) {
        events |= HO_POLLIN | HO_POLLRDHUP;
    }
    return events | (s->out_told ? 0 : HO_POLLOUT);
}

struct ho_op *raw_watch_op(struct raw *r, struct raw_thread *th, struct raw_sock *s,
                           uint32_t events)
{
    struct ho_op *op = raw_op(th, HO_OP_EPOLL_CTL, r->epfd);

    op->target = s->fd;
    op->arg = events == 0 ? HO_EPOLL_DEL : s->watched == 0 ? HO_EPOLL_ADD : HO_EPOLL_MOD;
    op->events = events;
    op->data = s->id;
    return op;
}

void raw_watch_done(struct raw *r, struct raw_sock *s, const struct ho_op *op)
{
    if (op->ret < 0) {
        raw_result(r, s, "epoll_ctl", op->ret);
        return;
    }
    s->watched = op->events;
}

/* ---- what is done about an event ------------------------------------------------------------- */

static void tell(struct raw *r, struct raw_sock *s, uint32_t events)
{
    struct ho_program_event *e;

    if (s->listener && s->accepted_how.watch == RAW_WATCH_NO) {
        return;
    }
    e = raw_event(r, s, HO_PROGRAM_EVENTS, "epoll");
    if (e != NULL) {
        e->has = HO_EV_EVENTS;
        e->events = events;
    }
    s->out_told = s->out_told || (events & HO_POLLOUT) != 0;
}

static unsigned reaction(const struct raw_sock *s, uint32_t events)
{
    if (s->listener) {
        return s->accepts ? EP_ACCEPT : EP_WATCH;
    }
    if (s->how.read == RAW_READ_EPOLL && s->connected && !s->eof && (events & ~HO_POLLOUT) != 0) {
        return EP_READ;
    }
    return EP_WATCH;
}

/* Looks at the next event that was reported, or waits again. */
static void next_event(struct raw *r)
{
    struct raw_sock *before = r->sock;

    r->sock = NULL;
    if (before != NULL) {
        raw_release(r, before);
    }
    while (r->event < r->n_events) {
        const struct ho_epoll_event *ev = &r->events[r->event++];
        struct raw_sock *s = raw_by_id(r, ev->data);

        if (s == NULL) {
            continue; /* closed by another thread meanwhile */
        }
        tell(r, s, ev->events);
        r->sock = s;
        r->step = reaction(s, ev->events);
        raw_reader_start(&r->reader, false);
        return;
    }
    r->step = EP_WAIT;
}

/* The present event needs nothing more, except perhaps that epoll is asked for something else. */
static struct ho_op *settle(struct raw *r)
{
    struct raw_sock *s = r->sock;

    if (s->gone || !s->how.level || s->watched == 0 || s->watched == raw_interest(s)) {
        next_event(r);
        return NULL;
    }
    r->step = EP_WATCH;
    return raw_watch_op(r, &r->epoll, s, raw_interest(s));
}

/* ---- the thread ------------------------------------------------------------------------------ */

static struct ho_op *wait_op(struct raw *r)
{
    struct ho_op *op = raw_op(&r->epoll, HO_OP_EPOLL_WAIT, r->epfd);

    op->buf = r->events;
    op->len = sizeof(r->events) / sizeof(r->events[0]);
    op->forever = true;
    return op;
}

static struct ho_op *step_op(struct raw *r)
{
    struct ho_op *op = NULL;

    switch (r->step) {
    case EP_CREATE:
        return raw_op(&r->epoll, HO_OP_EPOLL_CREATE, -1);
    case EP_ACCEPT:
        op = r->sock->gone ? NULL : raw_op(&r->epoll, HO_OP_ACCEPT, r->sock->fd);
        break;
    case EP_READ:
        op = raw_reader_op(r, &r->epoll, &r->reader);
        break;
    case EP_DROP:
        return raw_op(&r->epoll, HO_OP_CLOSE, r->epoll.op.fd);
    default:
        break;
    }
    return op != NULL ? op : settle(r);
}

struct ho_op *raw_epoll_op(struct raw *r)
{
    while (r->step != EP_WAIT) {
        struct ho_op *op = step_op(r);

        if (op != NULL) {
            return op;
        }
    }
    return wait_op(r);
}

static void accept_done(struct raw *r)
{
    const struct ho_op *op = &r->epoll.op;

    if (op->ret >= 0) {
        if (raw_accepted(r, r->sock, op, "") == NULL) {
            ho_program_say(&r->p, "accept", r->sock->name, r->sock->fd, "no memory");
            r->epoll.op.fd = (int)op->ret;
            r->step = EP_DROP;
        }
        return;
    }
    if (op->ret != -EAGAIN) {
        raw_result(r, r->sock, "accept", op->ret);
    }
    if (op->ret != -ECONNABORTED) {
        next_event(r);
    }
}

static void failed(struct raw *r, const char *call)
{
    raw_result(r, NULL, call, r->epoll.op.ret);
    ho_program_exit(&r->p, 1);
}

void raw_epoll_done(struct raw *r)
{
    const struct ho_op *op = &r->epoll.op;

    switch (r->step) {
    case EP_CREATE:
        if (op->ret < 0) {
            failed(r, "epoll_create");
            return;
        }
        r->epfd = (int)op->ret;
        r->step = EP_WAIT;
        break;
    case EP_WAIT:
        if (op->ret < 0 && op->ret != -EINTR) {
            failed(r, "epoll_wait");
            return;
        }
        r->n_events = op->ret > 0 ? op->ret : 0;
        r->event = 0;
        next_event(r);
        break;
    case EP_ACCEPT:
        accept_done(r);
        break;
    case EP_READ:
        raw_reader_done(r, &r->epoll, &r->reader);
        break;
    case EP_WATCH:
        raw_watch_done(r, r->sock, op);
        next_event(r);
        break;
    default:
        r->step = EP_ACCEPT; /* EP_DROP: the connection nobody had memory for is closed */
        break;
    }
}
