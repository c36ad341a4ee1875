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
    int err = so_error ? (int)ev->value : ev->err; /* docs/timeline.md: the error that was read */

    a->call = ho_model_name(m, ev->call);
    a->sock = ho_model_name(m, sock);
    a->detail = ho_model_name(m, ev->detail[0] != '\0' ? ev->detail : ev->note);
    a->enter = ev->kind == HO_PROGRAM_ENTER;
    a->finding = ev->kind == HO_PROGRAM_NOTE;
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
    if (g->raw && ev->kind == HO_PROGRAM_NOTE) {
        r.kind = HO_REC_NOTE;
        r.u.note.text = ho_model_name(m, ev->note);
        ho_model_put(m, &r);
        return;
    }
    fill(m, &r.u.app, ev, f != NULL && f->name[0] != '\0' ? f->name : ev->sock);
    ho_model_put(m, &r);
}
