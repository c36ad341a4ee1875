/* What programs say of their calls and of themselves, and the options of their sockets, as
 * records (docs/timeline.md: app, settings).
 */

#include <string.h>

#include "knobs/errno.h"
#include "model/world.h"

static const struct ho_model_fd *fd_of(const struct ho_model_proc *p, int fd)
{
    return fd >= 0 && (size_t)fd < p->fds ? p->fd[fd] : NULL;
}

void ho_model_said_option(struct ho_model *m, const struct ho_model_proc *p,
                          const struct ho_model_end *e, const struct ho_model_option *o)
{
    const struct ho_sockopt_info *info = ho_sockopt_info(o->opt);
    struct ho_record r = {
        .kind = HO_REC_SETTINGS,
        .host = m->nodes[p->node].name,
        .process = p->name,
        .conn = e->conn->name,
        .u.settings = { .scope = "sockopt", .name = info->name, .value = o->value[0] },
    };

    if (info->type == HO_SOCKOPT_TYPE_LINGER && o->value[0] == 0) {
        r.u.settings.text = "off";
    } else if (info->type == HO_SOCKOPT_TYPE_LINGER) {
        r.u.settings.value = o->value[1];
    } else if (info->type == HO_SOCKOPT_TYPE_NAME) {
        r.u.settings.text = ho_sysctl_word(HO_SYSCTL_TCP_CONGESTION_CONTROL, o->value[0]);
    }
    ho_model_put(m, &r);
}

static void fill(struct ho_model *m, struct ho_rec_app *a, const struct ho_program_event *ev,
                 const char *sock)
{
    bool so_error = ev->has & HO_EV_VALUE && strcmp(ev->detail, "SO_ERROR") == 0;
    int err = ev->ret < 0 ? ev->err : 0; /* a partial count is a success that says why it is one */

    if (so_error) {
        err = (int)ev->value; /* docs/timeline.md: the error that was read */
    }
    a->call = ho_model_name(m, ev->call);
    a->sock = ho_model_name(m, sock);
    a->detail = ho_model_name(m, ev->detail[0] != '\0' ? ev->detail : ev->note);
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

void ho_model_said(struct ho_model *m, const struct ho_model_program *g,
                   const struct ho_program_event *ev)
{
    const struct ho_model_fd *f = fd_of(g->proc, ev->fd);
    struct ho_record r = {
        .kind = HO_REC_APP,
        .host = m->nodes[g->proc->node].name,
        .process = g->proc->name,
        .conn = f != NULL && f->end != NULL ? f->end->conn->name : "",
    };

    /* That a listener is ready is the hands' own business. */
    if (ev->kind == HO_PROGRAM_STATUS ||
        (g->raw && ev->kind == HO_PROGRAM_EVENTS && (f == NULL || !f->connection))) {
        return;
    }
    if (ev->kind == HO_PROGRAM_NOTE) {
        r.kind = HO_REC_NOTE;
        r.u.note.text = ho_model_name(m, ev->note);
        ho_model_put(m, &r);
        return;
    }
    fill(m, &r.u.app, ev, f != NULL && f->name[0] != '\0' ? f->name : ev->sock);
    ho_model_put(m, &r);
}

/* Bytes that the socket has moved, for the record: kept with its descriptor. */
static uint64_t bytes_of(const struct ho_model_fd *f, const struct ho_op *op)
{
    return f == NULL ? 0 : op->kind == HO_OP_SEND ? f->tx : op->kind == HO_OP_RECV ? f->rx : 0;
}

void ho_model_said_call(struct ho_model *m, const struct ho_model_proc *p, const struct ho_op *op)
{
    static const char *const calls[] = {
#define X(id, name) [HO_OP_##id] = (name),
        HO_OPS(X)
#undef X
    };
    int fd = op->kind == HO_OP_ACCEPT && op->ret >= 0 ? (int)op->ret : op->fd;
    const struct ho_model_fd *f = fd_of(p, fd);
    struct ho_rec_app app = { .call = calls[op->kind], .sock = "" };

    app.sock = f != NULL ? ho_model_name(m, f->name) : "";
    app.ret = op->ret < 0 ? -1 : op->ret;
    app.err = op->ret < 0 ? ho_errno_name((int)-op->ret) : "";
    app.has_asked = op->kind == HO_OP_SEND || op->kind == HO_OP_RECV;
    app.asked = app.has_asked ? (int64_t)op->len : 0;
    app.bytes = bytes_of(f, op);
    if (op->kind == HO_OP_SETSOCKOPT || op->kind == HO_OP_GETSOCKOPT) {
        app.detail = ho_sockopt_info((enum ho_sockopt)op->opt)->name;
        if (op->opt == HO_SOCKOPT_SO_ERROR && op->ret == 0 && op->value[0] != 0) {
            app.err = ho_errno_name((int)op->value[0]);
        } else if (op->opt != HO_SOCKOPT_SO_ERROR && op->ret == 0) {
            app.has_value = true;
            app.value = op->value[0];
        }
    }
    if (op->kind == HO_OP_POLL && op->ret >= 0) {
        app.has_events = true;
        app.events = (uint32_t)op->ret;
        app.ret = op->ret > 0 ? 1 : 0;
    }
    ho_model_put(m, &(struct ho_record){
                        .kind = HO_REC_APP,
                        .host = m->nodes[p->node].name,
                        .process = p->name,
                        .conn = f != NULL && f->end != NULL ? f->end->conn->name : "",
                        .u.app = app,
                    });
}
