/* The descriptors of a process, as records know them. */

#include "play/fds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knobs/sysctl.h"

struct ho_play_fd *ho_play_fd(struct ho_trace *tr, struct ho_play_proc *p, int64_t fd)
{
    if (fd < 0) {
        return NULL;
    }
    if ((size_t)fd >= p->fds) {
        size_t n = p->fds == 0 ? 8 : p->fds;

        while (n <= (size_t)fd) {
            n *= 2;
        }
        struct ho_play_fd **more = realloc(p->fd, n * sizeof(void *));

        if (more == NULL) {
            ho_trace_fail(tr, -ENOMEM, "no memory for a process's descriptors");
            return NULL;
        }
        memset(more + p->fds, 0, (n - p->fds) * sizeof(void *));
        p->fd = more;
        p->fds = n;
    }
    if (p->fd[fd] == NULL) {
        p->fd[fd] = calloc(1, sizeof(**p->fd));
        if (p->fd[fd] == NULL) {
            ho_trace_fail(tr, -ENOMEM, "no memory for a process's descriptors");
        }
    }
    return p->fd[fd];
}

/* A connection has two names: its socket's, and its own, which it has at both ends. */
static bool is_called(const struct ho_play_fd *f, const char *name)
{
    return strcmp(f->name, name) == 0 || (f->end != NULL && strcmp(f->end->conn->name, name) == 0);
}

int ho_play_fd_find(const struct ho_play_proc *p, const char *name)
{
    uint64_t newest = 0;
    int found = -1;

    for (size_t i = 0; i < p->fds; i++) {
        const struct ho_play_fd *f = p->fd[i];

        if (f == NULL || f->serial == 0 || (name == NULL ? !f->connection : !is_called(f, name))) {
            continue;
        }
        if (f->serial > newest) {
            newest = f->serial;
            found = (int)i;
        }
    }
    return found;
}

static void take_name(struct ho_play_fd *f, const char *name, int fd)
{
    if (name != NULL) {
        snprintf(f->name, sizeof(f->name), "%s", name);
    } else {
        snprintf(f->name, sizeof(f->name), "fd%d", fd);
    }
}

/* ---- options --------------------------------------------------------------------------------- */

/* What is recorded of an option on a socket that is an end of a connection. */
static void say_option(struct ho_trace *tr, const struct ho_play_proc *p,
                       const struct ho_play_end *e, const struct ho_play_option *o)
{
    const struct ho_sockopt_info *info = ho_sockopt_info(o->opt);
    struct ho_record r = {
        .kind = HO_REC_SETTINGS,
        .host = tr->node[p->node].name,
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
    ho_trace_put(tr, &r);
}

void ho_play_fd_option(struct ho_trace *tr, struct ho_play_proc *p, int fd, enum ho_sockopt opt,
                       const int64_t value[2])
{
    struct ho_play_fd *f = ho_play_fd(tr, p, fd);
    unsigned i = 0;

    if (f == NULL) {
        return;
    }
    while (i < f->n_options && f->option[i].opt != opt) {
        i++;
    }
    if (i == HO_PLAY_OPTIONS) {
        return;
    }
    f->n_options = i == f->n_options ? i + 1 : f->n_options;
    f->option[i] = (struct ho_play_option){ .opt = opt, .value = { value[0], value[1] } };
    if (tr->tl != NULL && f->end != NULL) {
        say_option(tr, p, f->end, &f->option[i]);
    }
}

/* ---- what calls did -------------------------------------------------------------------------- */

void ho_play_fd_made(struct ho_trace *tr, struct ho_play_proc *p, int64_t fd)
{
    struct ho_play_fd *f = ho_play_fd(tr, p, fd);

    if (f != NULL) {
        *f = (struct ho_play_fd){ 0 };
    }
}

void ho_play_fd_listening(struct ho_trace *tr, struct ho_play_proc *p, int fd, const char *name)
{
    struct ho_play_fd *f = ho_play_fd(tr, p, fd);

    if (f != NULL) {
        f->serial = ++tr->serial;
        take_name(f, name, fd);
    }
}

/* The descriptor is an end of a connection from now on. */
static void bind_end(struct ho_trace *tr, const struct ho_play_proc *p, int fd,
                     struct ho_play_fd *f, struct ho_play_end *e)
{
    if (e == NULL) {
        return;
    }
    f->end = e;
    e->fd = fd;
    e->process = p->name;
    e->sock = ho_trace_name(tr, f->name);
    if (e->last.sock != NULL && e->last.sock[0] == '\1') {
        e->last.sock = e->sock; /* what stands for it already is no change */
    }
    for (unsigned i = 0; tr->tl != NULL && i < f->n_options; i++) {
        say_option(tr, p, e, &f->option[i]);
    }
}

void ho_play_fd_connecting(struct ho_trace *tr, struct ho_play_proc *p, int fd, const char *name,
                           const struct ho_play_tuple *t, struct ho_time since)
{
    struct ho_play_fd *f = ho_play_fd(tr, p, fd);

    if (f == NULL || f->connection) {
        return;
    }
    f->connection = true;
    f->serial = ++tr->serial;
    take_name(f, name, fd);
    if (t != NULL) {
        bind_end(tr, p, fd, f, ho_play_conn_new(tr, f->name, t, since));
    }
}

void ho_play_fd_inherits(struct ho_trace *tr, struct ho_play_proc *p, int listener, int64_t fd)
{
    struct ho_play_fd *f = ho_play_fd(tr, p, fd);
    const struct ho_play_fd *l = ho_play_fd(tr, p, listener);

    if (f != NULL && l != NULL) {
        *f = (struct ho_play_fd){ .n_options = l->n_options };
        memcpy(f->option, l->option, sizeof(f->option));
    }
}

void ho_play_fd_accepted(struct ho_trace *tr, struct ho_play_proc *p, int fd, const char *name,
                         const struct ho_play_tuple *t, enum ho_tcp_state state)
{
    struct ho_play_fd *f = ho_play_fd(tr, p, fd);

    if (f == NULL) {
        return;
    }
    f->connection = true;
    f->serial = ++tr->serial;
    take_name(f, name, fd);
    if (t != NULL) {
        bind_end(tr, p, fd, f, ho_play_conn_accepted(tr, p->node, t, state));
    }
}

void ho_play_fd_closed(struct ho_trace *tr, struct ho_play_proc *p, int fd)
{
    struct ho_play_fd *f = ho_play_fd(tr, p, fd);

    if (f == NULL) {
        return;
    }
    f->serial = 0; /* nobody finds it any more; its last records still do */
    if (f->end != NULL && f->end->fd == fd) {
        f->end->fd = -1;
    }
}

void ho_play_fd_done(struct ho_trace *tr, struct ho_play_proc *p, const struct ho_op *op,
                     const char *name)
{
    if (op->ret < 0) {
        return;
    }
    switch (op->kind) {
    case HO_OP_SOCKET:
    case HO_OP_EPOLL_CREATE:
        ho_play_fd_made(tr, p, op->ret);
        break;
    case HO_OP_ACCEPT:
        ho_play_fd_inherits(tr, p, op->fd, op->ret);
        break;
    case HO_OP_LISTEN:
        ho_play_fd_listening(tr, p, op->fd, name);
        break;
    case HO_OP_SETSOCKOPT:
        ho_play_fd_option(tr, p, op->fd, (enum ho_sockopt)op->opt, op->value);
        break;
    case HO_OP_CLOSE:
        ho_play_fd_closed(tr, p, op->fd);
        break;
    default:
        break;
    }
}

void ho_play_fds_forget(struct ho_play_proc *p)
{
    for (size_t i = 0; i < p->fds; i++) {
        if (p->fd[i] == NULL) {
            continue;
        }
        if (p->fd[i]->end != NULL && p->fd[i]->end->fd == (int)i) {
            p->fd[i]->end->fd = -1;
        }
        *p->fd[i] = (struct ho_play_fd){ 0 };
    }
}

void ho_play_fds_free(struct ho_play_proc *p)
{
    for (size_t i = 0; i < p->fds; i++) {
        free(p->fd[i]);
    }
    free(p->fd);
    p->fd = NULL;
    p->fds = 0;
}
