/* The descriptors of a process: what the plan calls their sockets, which options were set on
 * them (for the record: an accepted one inherits its listener's), and which connection of the
 * record is behind them.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/world.h"

struct ho_model_fd *ho_model_fd(struct ho_model *m, struct ho_model_proc *p, int64_t fd)
{
    if (fd < 0) {
        return NULL;
    }
    if ((size_t)fd >= p->fds) {
        size_t n = p->fds == 0 ? 8 : p->fds;

        while (n <= (size_t)fd) {
            n *= 2;
        }
        struct ho_model_fd **more = realloc(p->fd, n * sizeof(void *));

        if (more == NULL) {
            ho_model_fail(m, -ENOMEM, "no memory for a process's descriptors");
            return NULL;
        }
        memset(more + p->fds, 0, (n - p->fds) * sizeof(void *));
        p->fd = more;
        p->fds = n;
    }
    if (p->fd[fd] == NULL) {
        p->fd[fd] = calloc(1, sizeof(**p->fd));
        if (p->fd[fd] == NULL) {
            ho_model_fail(m, -ENOMEM, "no memory for a process's descriptors");
        }
    }
    return p->fd[fd];
}

/* A connection has two names: its socket's, and its own, which it has at both ends. */
static bool is_called(const struct ho_model_fd *f, const char *name)
{
    return strcmp(f->name, name) == 0 || (f->end != NULL && strcmp(f->end->conn->name, name) == 0);
}

int ho_model_fd_find(const struct ho_model_proc *p, const char *name)
{
    uint64_t newest = 0;
    int found = -1;

    for (size_t i = 0; i < p->fds; i++) {
        const struct ho_model_fd *f = p->fd[i];

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

static void set_name(struct ho_model_fd *f, const char *name)
{
    snprintf(f->name, sizeof(f->name), "%s", name != NULL ? name : "");
}

/* What its program calls the socket; one without a program has the number. */
static void take_name(struct ho_model_fd *f, const struct ho_model_program *g, int fd)
{
    if (g->program != NULL) {
        set_name(f, ho_program_sock_name(g->program, fd));
    } else {
        snprintf(f->name, sizeof(f->name), "fd%d", fd);
    }
}

/* The descriptor is an end of a connection from now on. */
static void bind_end(struct ho_model *m, struct ho_model_proc *p, int fd, struct ho_model_fd *f,
                     struct ho_model_end *e)
{
    if (e == NULL) {
        return;
    }
    f->end = e;
    e->fd = fd;
    e->process = p->name;
    e->sock = ho_model_name(m, f->name);
    for (unsigned i = 0; m->tl != NULL && i < f->n_options; i++) {
        ho_model_said_option(m, p, e, &f->option[i]);
    }
}

void ho_model_fd_connecting(struct ho_model *m, struct ho_model_program *g, const struct ho_op *op)
{
    struct ho_model_proc *p = g->proc;
    struct ho_model_fd *f = ho_model_fd(m, p, op->fd);
    struct ho_sock_info info;

    if (f == NULL || f->connection) {
        return;
    }
    f->connection = true;
    f->serial = ++m->serial;
    take_name(f, g, op->fd);
    if (ho_host_sock_info(m->nodes[p->node].host, p->pid, op->fd, m->now, &info) == 0 &&
        info.lport != 0 && info.rport != 0) {
        bind_end(m, p, op->fd, f,
                 ho_model_conn_new(m, f->name, &info.local, info.lport, &info.remote, info.rport));
    }
}

void ho_model_fd_accepted(struct ho_model *m, struct ho_model_program *g, int fd)
{
    struct ho_model_proc *p = g->proc;
    struct ho_model_fd *f = ho_model_fd(m, p, fd);
    struct ho_sock_info info;

    if (f == NULL) {
        return;
    }
    f->connection = true;
    f->serial = ++m->serial;
    take_name(f, g, fd);
    if (ho_host_sock_info(m->nodes[p->node].host, p->pid, fd, m->now, &info) == 0) {
        info.fd = -1; /* the record knows it without one so far */
        m->mark++;
        bind_end(m, p, fd, f, ho_model_end_of(m, p->node, &info));
    }
    if (g->raw && p->not_reading) {
        ho_model_call_accepted(m, g, fd);
    }
}

static void set_option(struct ho_model *m, struct ho_model_proc *p, struct ho_model_fd *f,
                       const struct ho_op *op)
{
    unsigned i = 0;

    while (i < f->n_options && f->option[i].opt != (enum ho_sockopt)op->opt) {
        i++;
    }
    if (i == HO_MODEL_OPTIONS) {
        return;
    }
    f->n_options = i == f->n_options ? i + 1 : f->n_options;
    f->option[i] = (struct ho_model_option){ .opt = (enum ho_sockopt)op->opt,
                                             .value = { op->value[0], op->value[1] } };
    if (m->tl != NULL && f->end != NULL) {
        ho_model_said_option(m, p, f->end, &f->option[i]);
    }
}

void ho_model_fd_done(struct ho_model *m, struct ho_model_program *g, const struct ho_op *op)
{
    struct ho_model_proc *p = g->proc;
    struct ho_model_fd *f = NULL;
    const struct ho_model_fd *l;

    if (op->ret < 0) {
        return;
    }
    switch (op->kind) {
    case HO_OP_SOCKET:
    case HO_OP_EPOLL_CREATE:
        if ((f = ho_model_fd(m, p, op->ret)) != NULL) {
            *f = (struct ho_model_fd){ 0 };
        }
        break;
    case HO_OP_ACCEPT:
        f = ho_model_fd(m, p, op->ret);
        l = ho_model_fd(m, p, op->fd);
        if (f != NULL && l != NULL) {
            *f = (struct ho_model_fd){ .n_options = l->n_options };
            memcpy(f->option, l->option, sizeof(f->option));
        }
        break;
    case HO_OP_LISTEN:
        if ((f = ho_model_fd(m, p, op->fd)) != NULL) {
            f->serial = ++m->serial;
            take_name(f, g, op->fd);
        }
        break;
    case HO_OP_SETSOCKOPT:
        if ((f = ho_model_fd(m, p, op->fd)) != NULL) {
            set_option(m, p, f, op);
        }
        break;
    case HO_OP_CLOSE:
        if ((f = ho_model_fd(m, p, op->fd)) != NULL) {
            f->serial = 0; /* nobody finds it any more; its last records still do */
            if (f->end != NULL && f->end->fd == op->fd) {
                f->end->fd = -1;
            }
        }
        break;
    default:
        break;
    }
}

void ho_model_fds_forget(struct ho_model_proc *p)
{
    for (size_t i = 0; i < p->fds; i++) {
        if (p->fd[i] == NULL) {
            continue;
        }
        if (p->fd[i]->end != NULL && p->fd[i]->end->fd == (int)i) {
            p->fd[i]->end->fd = -1;
        }
        *p->fd[i] = (struct ho_model_fd){ 0 };
    }
}
