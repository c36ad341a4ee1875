/* What programs say of their calls and of themselves, as records. */

#include "play/says.h"

#include <string.h>

#include "knobs/errno.h"

static const struct ho_play_fd *fd_of(const struct ho_play_proc *p, int fd)
{
    return fd >= 0 && (size_t)fd < p->fds ? p->fd[fd] : NULL;
}

static struct ho_record record_of(const struct ho_trace *tr, const struct ho_play_proc *p,
                                  const struct ho_play_fd *f)
{
    return (struct ho_record){
        .kind = HO_REC_APP,
        .host = tr->node[p->node].name,
        .process = p->name,
        .conn = f != NULL && f->end != NULL ? f->end->conn->name : "",
    };
}

static void fill(struct ho_trace *tr, struct ho_rec_app *a, const struct ho_program_event *ev,
                 const char *sock)
{
    bool so_error = ev->has & HO_EV_VALUE && strcmp(ev->detail, "SO_ERROR") == 0;
    int err = ev->ret < 0 ? ev->err : 0; /* a partial count is a success that says why it is one */

    if (so_error) {
        err = (int)ev->value; /* docs/timeline.md: the error that was read */
    }
    a->call = ho_trace_name(tr, ev->call);
    a->sock = ho_trace_name(tr, sock);
    a->detail = ho_trace_name(tr, ev->detail[0] != '\0' ? ev->detail : ev->note);
    a->enter = ev->kind == HO_PROGRAM_ENTER;
    a->finding = ev->kind == HO_PROGRAM_FINDING;
    a->has_asked = (ev->has & HO_EV_ASKED) != 0;
    a->asked = (int64_t)ev->asked;
    a->has_events = (ev->has & HO_EV_EVENTS) != 0;
    a->events = ev->events;
    a->has_value = !so_error && (ev->has & HO_EV_VALUE) != 0;
    a->value = a->has_value ? ev->value : 0;
    a->ret = a->has_events ? 1 : ev->ret;
    a->err = err != 0 ? ho_errno_name(err) : "";
    a->bytes = ev->has & HO_EV_TX ? ev->tx : ev->has & HO_EV_RX ? ev->rx : 0;
    a->bad = ev->bad;
    a->took = ev->took;
}

void ho_trace_said(struct ho_trace *tr, const struct ho_play_proc *p, bool hands,
                   const struct ho_program_event *ev)
{
    const struct ho_play_fd *f = fd_of(p, ev->fd);
    struct ho_record r;

    /* That a listener is ready is the hands' own business. */
    if (tr->tl == NULL || ev->kind == HO_PROGRAM_STATUS ||
        (hands && ev->kind == HO_PROGRAM_EVENTS && (f == NULL || !f->connection))) {
        return;
    }
    r = record_of(tr, p, f);
    if (ev->kind == HO_PROGRAM_NOTE) {
        r.kind = HO_REC_NOTE;
        r.u.note.text = ho_trace_name(tr, ev->note);
    } else {
        fill(tr, &r.u.app, ev, f != NULL && f->name[0] != '\0' ? f->name : ev->sock);
    }
    ho_trace_put(tr, &r);
}

/* Bytes that the socket has moved, for the record: kept with its descriptor. */
static uint64_t bytes_of(const struct ho_play_fd *f, const struct ho_op *op)
{
    return f == NULL ? 0 : op->kind == HO_OP_SEND ? f->tx : op->kind == HO_OP_RECV ? f->rx : 0;
}

static void fill_option(struct ho_rec_app *app, const struct ho_op *op)
{
    app->detail = ho_sockopt_info((enum ho_sockopt)op->opt)->name;
    if (op->opt == HO_SOCKOPT_SO_ERROR && op->ret == 0 && op->value[0] != 0) {
        app->err = ho_errno_name((int)op->value[0]);
    } else if (op->opt != HO_SOCKOPT_SO_ERROR && op->ret == 0) {
        app->has_value = true;
        app->value = op->value[0];
    }
}

void ho_trace_said_call(struct ho_trace *tr, const struct ho_play_proc *p, const struct ho_op *op)
{
    static const char *const calls[] = {
#define X(id, name) [HO_OP_##id] = (name),
        HO_OPS(X)
#undef X
    };
    int fd = op->kind == HO_OP_ACCEPT && op->ret >= 0 ? (int)op->ret : op->fd;
    const struct ho_play_fd *f = fd_of(p, fd);
    struct ho_rec_app app = { .call = calls[op->kind], .sock = "" };
    struct ho_record r;

    if (tr->tl == NULL) {
        return;
    }
    app.sock = f != NULL ? ho_trace_name(tr, f->name) : "";
    app.ret = op->ret < 0 ? -1 : op->ret;
    app.err = op->ret < 0 ? ho_errno_name((int)-op->ret) : "";
    app.has_asked = op->kind == HO_OP_SEND || op->kind == HO_OP_RECV;
    app.asked = app.has_asked ? (int64_t)op->len : 0;
    app.bytes = bytes_of(f, op);
    if (op->kind == HO_OP_SETSOCKOPT || op->kind == HO_OP_GETSOCKOPT) {
        fill_option(&app, op);
    }
    if (op->kind == HO_OP_POLL && op->ret >= 0) {
        app.has_events = true;
        app.events = (uint32_t)op->ret;
        app.ret = op->ret > 0 ? 1 : 0;
    }
    r = record_of(tr, p, f);
    r.u.app = app;
    ho_trace_put(tr, &r);
}

void ho_trace_said_text(struct ho_trace *tr, const struct ho_play_proc *p, const char *call,
                        const char *detail, int64_t ret, int err)
{
    struct ho_record r;

    if (tr->tl == NULL) {
        return;
    }
    r = record_of(tr, p, NULL);
    r.u.app.call = ho_trace_name(tr, call);
    r.u.app.detail = ho_trace_name(tr, detail);
    r.u.app.ret = err != 0 ? -1 : ret;
    r.u.app.err = err != 0 ? ho_errno_name(err) : "";
    ho_trace_put(tr, &r);
}
