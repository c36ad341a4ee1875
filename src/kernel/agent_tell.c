/* What an agent tells its relay: agent.h has the messages and their order. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/agent_child.h"
#include "knobs/sockopt.h"

struct agent_program *agent_program_of(const struct ho_op *op)
{
    return op->user;
}

struct ho_agent_msg agent_msg(const struct agent *a, const struct agent_program *g,
                              enum ho_agent_msg_kind kind)
{
    struct ho_agent_msg m;

    memset(&m, 0, sizeof(m));
    m.kind = kind;
    m.program = g != NULL ? (unsigned)(g - a->program) : 0;
    m.at = agent_now(a);
    m.fd = -1;
    m.from = -1;
    return m;
}

void agent_send(struct agent *a, const struct ho_agent_msg *msg)
{
    ssize_t n;

    do {
        n = send(a->ctl, msg, sizeof(*msg), MSG_NOSIGNAL); /* waits for a relay that is slow */
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        _exit(0); /* the relay is gone */
    }
}

void agent_tell_events(struct agent *a, struct agent_program *g)
{
    struct ho_agent_msg m = agent_msg(a, g, HO_AGENT_EVENT);
    uint64_t lost = ho_program_events_lost(g->program);

    while (ho_program_next_event(g->program, &m.u.event)) {
        m.at = m.u.event.at;
        m.fd = m.u.event.fd;
        agent_send(a, &m);
    }
    if (lost > g->lost) {
        m = agent_msg(a, g, HO_AGENT_NOTE);
        snprintf(m.u.text, sizeof(m.u.text), "%llu events of the program were lost",
                 (unsigned long long)(lost - g->lost));
        g->lost = lost;
        agent_send(a, &m);
    }
}

/* A message about a socket: its name, its ids, its own address. */
static struct ho_agent_msg about(const struct agent *a, const struct agent_program *g,
                                 enum ho_agent_msg_kind kind, int fd)
{
    struct ho_agent_msg m = agent_msg(a, g, kind);
    const char *name = ho_program_sock_name(g->program, fd);
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(m.cookie);
    struct stat st;

    m.fd = fd;
    snprintf(m.name, sizeof(m.name), "%s", name != NULL ? name : "");
    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &m.cookie, &len) < 0) {
        m.cookie = 0;
    }
    m.inode = fstat(fd, &st) == 0 ? (uint64_t)st.st_ino : 0;
    len = sizeof(sa);
    if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0) {
        agent_from_sockaddr(&sa, &m.local, &m.local_port);
    }
    return m;
}

static void put_remote(struct ho_agent_msg *m, const struct agent_fd *f)
{
    m->remote = f->remote;
    m->remote_port = f->remote_port;
}

void agent_tell_connect(struct agent *a, const struct ho_op *op, struct agent_fd *f)
{
    struct ho_agent_msg m;

    f->remote = op->addr;
    f->remote_port = op->port;
    f->connected = true;
    f->connecting = true;
    m = about(a, agent_program_of(op), HO_AGENT_CONNECT, op->fd);
    put_remote(&m, f);
    agent_send(a, &m);
}

void agent_tell_connecting(struct agent *a, const struct ho_op *op, const struct agent_fd *f,
                           int err)
{
    struct ho_agent_msg m = about(a, agent_program_of(op), HO_AGENT_CONNECTING, op->fd);

    put_remote(&m, f);
    m.err = err;
    agent_send(a, &m);
}

static void tell_connected(struct agent *a, const struct ho_op *op, struct agent_fd *f, int err)
{
    struct ho_agent_msg m = about(a, agent_program_of(op), HO_AGENT_CONNECTED, op->fd);

    f->connecting = false;
    put_remote(&m, f);
    m.err = err;
    agent_send(a, &m);
}

void agent_tell_closed(struct agent *a, const struct ho_op *op)
{
    struct ho_agent_msg m = agent_msg(a, agent_program_of(op), HO_AGENT_CLOSED);

    m.fd = op->fd;
    agent_send(a, &m);
}

static void tell_option(struct agent *a, const struct ho_op *op)
{
    struct ho_agent_msg m = agent_msg(a, agent_program_of(op), HO_AGENT_OPTION);

    m.fd = op->fd;
    m.opt = op->opt;
    m.value[0] = op->value[0];
    m.value[1] = op->value[1];
    agent_send(a, &m);
}

static void tell_fd(struct agent *a, const struct ho_op *op)
{
    struct ho_agent_msg m = agent_msg(a, agent_program_of(op), HO_AGENT_SOCKET);

    m.fd = (int)op->ret;
    agent_send(a, &m);
}

void agent_tell_done(struct agent *a, const struct ho_op *op)
{
    struct agent_fd *f = agent_fd(a, op->fd);
    struct ho_agent_msg m;

    if (op->kind == HO_OP_CONNECT && f != NULL && f->connecting && op->ret != -EINPROGRESS) {
        tell_connected(a, op, f, (int)-op->ret);
    }
    if (op->ret < 0) {
        return;
    }
    switch (op->kind) {
    case HO_OP_SOCKET:
    case HO_OP_EPOLL_CREATE:
        tell_fd(a, op);
        break;
    case HO_OP_LISTEN:
        m = about(a, agent_program_of(op), HO_AGENT_LISTENING, op->fd);
        agent_send(a, &m);
        break;
    case HO_OP_SETSOCKOPT:
        tell_option(a, op);
        break;
    case HO_OP_GETSOCKOPT:
        /* How a connect() that did not wait learns its end. */
        if (op->opt == HO_SOCKOPT_SO_ERROR && f != NULL && f->connecting && f->nonblock) {
            tell_connected(a, op, f, (int)op->value[0]);
        }
        break;
    case HO_OP_CLOSE:
        if (op->value[0] == 0) {
            agent_tell_closed(a, op);
        }
        break;
    default:
        break;
    }
}

void agent_tell_accepted(struct agent *a, const struct ho_op *op, int fd)
{
    struct agent_program *g = agent_program_of(op);
    struct ho_agent_msg m = about(a, g, HO_AGENT_ACCEPTED, fd);
    struct ho_program_arg args[] = { { "value", "no" }, { "on", m.name } };

    m.from = op->fd;
    m.remote = op->addr;
    m.remote_port = op->port;
    agent_send(a, &m);
    if (g->raw && g->not_reading && m.name[0] != '\0' &&
        ho_program_command(g->program, "reading", args, 2, agent_now(a), NULL) != 0) {
        m = agent_msg(a, g, HO_AGENT_NOTE);
        snprintf(m.u.text, sizeof(m.u.text), "an accepted connection cannot be told to wait");
        agent_send(a, &m);
    }
}
