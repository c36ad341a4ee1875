/* Reading in `raw`: a reader makes recv() calls until nothing more is there.
 *
 * What follows an error is the manner of the socket: nothing, close(), or `probe`: recv, send of
 * 1 byte, send of 1 byte, poll. The last shows what later calls say once the error was read
 * (ground-truth table 3f: recv 0, send EPIPE), as the applications of those files do.
 *
 * Readers are used by the epoll thread (read=epoll), by the verbs drain and reading, and by the
 * poll thread (read=auto): it waits in poll() for IN or RDHUP and then reads. To the peer and
 * in the timeline that is a thread that sits in recv(); but it can be told to stop.
 */

#include <errno.h>

#include "program/raw.h"
#include "program/stream.h"

enum {
    READ_RECV,
    READ_RECV_AGAIN,
    READ_SEND,
    READ_SEND_AGAIN,
    READ_POLL,
    READ_FINISHED
};

static const char *const probe_notes[] = {
    [READ_RECV] = "",
    [READ_RECV_AGAIN] = "2nd recv",
    [READ_SEND] = "1st send after",
    [READ_SEND_AGAIN] = "2nd send after",
    [READ_POLL] = "after",
};

void raw_reader_start(struct raw_reader *rd, bool tell_eagain)
{
    rd->step = READ_RECV;
    rd->tell_eagain = tell_eagain;
}

struct ho_op *raw_reader_op(struct raw *r, struct raw_thread *th, struct raw_reader *rd)
{
    struct raw_sock *s = th->sock != NULL ? th->sock : r->sock;
    struct ho_op *op;

    if (rd->step == READ_FINISHED || s->gone) {
        return NULL;
    }
    if (rd->step <= READ_RECV_AGAIN) {
        op = raw_op(th, HO_OP_RECV, s->fd);
        op->buf = r->buf;
        op->len = HO_RAW_BUF;
        op->flags = HO_MSG_DONTWAIT;
    } else if (rd->step == READ_POLL) {
        op = raw_op(th, HO_OP_POLL, s->fd);
        op->arg = HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP;
    } else {
        op = raw_op(th, HO_OP_SEND, s->fd);
        ho_stream_fill(&rd->byte, 1, s->tx);
        op->buf = &rd->byte;
        op->len = 1;
        op->flags = HO_MSG_DONTWAIT;
    }
    return op;
}

static void reader_ended(struct raw *r, struct raw_sock *s, struct raw_reader *rd, int64_t ret)
{
    bool close_it = false;

    rd->step = READ_FINISHED;
    if (ret == 0) {
        s->eof = true;
        close_it = s->how.on_eof == RAW_EOF_CLOSE;
    } else if (ret != -EAGAIN) {
        s->failed = true;
        close_it = s->how.on_error == RAW_ERROR_CLOSE;
        rd->step = s->how.on_error == RAW_ERROR_PROBE ? READ_RECV_AGAIN : READ_FINISHED;
    }
    if (close_it) {
        raw_close_later(r, s);
    }
}

void raw_received(struct raw *r, struct raw_sock *s, const struct ho_op *op, const char *note)
{
    struct ho_program_event *e;

    if (op->ret > 0) {
        s->bad += ho_stream_bad(op->buf, (size_t)op->ret, s->rx);
        s->rx += (uint64_t)op->ret;
    }
    e = raw_result(r, s, "recv", op->ret);
    if (e == NULL) {
        return;
    }
    ho_copy_text(e->note, sizeof(e->note), note);
    e->has |= HO_EV_ASKED;
    e->asked = op->len;
    if (op->ret >= 0) {
        e->has |= HO_EV_RX;
        e->rx = s->rx;
        e->bad = s->bad;
        e->stream_ok = s->bad == 0;
    }
}

static void probe_sent(struct raw *r, struct raw_sock *s, const struct ho_op *op, const char *note)
{
    struct ho_program_event *e;

    s->tx += op->ret > 0 ? (uint64_t)op->ret : 0;
    e = raw_result(r, s, "send", op->ret);
    if (e != NULL) {
        e->has |= HO_EV_ASKED | HO_EV_TX;
        e->asked = 1;
        e->tx = s->tx;
        ho_copy_text(e->note, sizeof(e->note), note);
    }
}

static void probe_polled(struct raw *r, struct raw_sock *s, const struct ho_op *op,
                         const char *note)
{
    struct ho_program_event *e = raw_event(r, s, HO_PROGRAM_EVENTS, "poll");

    if (e != NULL) {
        e->has = HO_EV_EVENTS;
        e->events = op->ret > 0 ? (uint32_t)op->ret : 0;
        ho_copy_text(e->note, sizeof(e->note), note);
    }
}

void raw_reader_done(struct raw *r, struct raw_thread *th, struct raw_reader *rd)
{
    struct raw_sock *s = th->sock != NULL ? th->sock : r->sock;
    const char *note = probe_notes[rd->step];
    const struct ho_op *op = &th->op;

    switch (rd->step) {
    case READ_RECV:
        if (op->ret != -EAGAIN || rd->tell_eagain) {
            raw_received(r, s, op, note);
        }
        if (op->ret <= 0) {
            reader_ended(r, s, rd, op->ret);
        }
        return;
    case READ_RECV_AGAIN:
        raw_received(r, s, op, note);
        s->eof = op->ret == 0;
        break;
    case READ_POLL:
        probe_polled(r, s, op, note);
        break;
    default:
        probe_sent(r, s, op, note);
        break;
    }
    rd->step++;
}

/* ---- the poll thread ------------------------------------------------------------------------- */

struct ho_op *raw_poll_op(struct raw *r, struct raw_sock *s)
{
    struct ho_op *op;

    if (s->reading) {
        op = raw_reader_op(r, &s->poll, &s->reader);
        if (op != NULL) {
            return op;
        }
        s->reading = false;
    }
    if (s->listener || !s->connected || s->eof || s->how.read != RAW_READ_THREAD) {
        return NULL;
    }
    op = raw_op(&s->poll, HO_OP_POLL, s->fd);
    op->arg = HO_POLLIN | HO_POLLRDHUP;
    op->forever = true;
    return op;
}

void raw_poll_done(struct raw *r, struct raw_sock *s)
{
    int64_t ret = s->poll.op.ret;

    if (s->reading) {
        raw_reader_done(r, &s->poll, &s->reader);
        return;
    }
    if (ret < 0 && ret != -EINTR) {
        s->eof = true; /* the descriptor was closed under it */
    } else if (ret > 0 && s->failed && (ret & HO_POLLHUP) != 0) {
        s->eof = true; /* the error was read, the socket is dead, poll() would return for ever */
    } else if (ret > 0 && s->how.read == RAW_READ_THREAD) {
        s->reading = true;
        raw_reader_start(&s->reader, false);
    }
}
