/* The calls that can wait: each is tried on a descriptor that does not block, and if it cannot
 * finish and its program has not said that it must not wait, it is tried again when its socket was
 * woken.
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/agent_child.h"

static bool may_wait(const struct ho_op *op, const struct agent_fd *f)
{
    return !f->nonblock && (op->flags & HO_MSG_DONTWAIT) == 0;
}

/* The error that an earlier call took and did not return. */
static int64_t take_kept(struct agent_fd *f)
{
    int err = f->kept;

    f->kept = 0;
    return -err;
}

static uint32_t poll_now(const struct ho_op *op, const struct agent_fd *f, uint32_t asked)
{
    struct pollfd p = { .fd = op->fd, .events = (short)asked };

    if (poll(&p, 1, 0) < 0) {
        p.revents = 0; /* no memory: as if nothing had happened */
    }
    return (uint32_t)(unsigned short)p.revents | (f->kept != 0 ? HO_POLLERR : 0);
}

static int64_t try_recv(struct ho_op *op, struct agent_fd *f)
{
    ssize_t n;

    if (f->kept != 0) {
        return take_kept(f);
    }
    n = recv(op->fd, op->buf, op->len, (int)(op->flags & HO_MSG_PEEK) | MSG_DONTWAIT);
    if (n >= 0) {
        return n;
    }
    return errno == EAGAIN && may_wait(op, f) ? HO_AGENT_WAITS : -errno;
}

/* A send that has moved bytes already returns them when there is an error, and leaves the error
 * to the next call (ground-truth B3f): it looks before it sends. An error that comes just
 * between is kept for that call.
 */
static int64_t try_send(struct ho_op *op, struct agent_fd *f)
{
    const char *bytes = op->buf;
    ssize_t n;

    if (op->done == 0 && f->kept != 0) {
        return take_kept(f);
    }
    do {
        if (op->done > 0 && (poll_now(op, f, 0) & HO_POLLERR) != 0) {
            return (int64_t)op->done;
        }
        n = send(op->fd, bytes + op->done, op->len - op->done, MSG_DONTWAIT | MSG_NOSIGNAL);
        op->done += n > 0 ? (size_t)n : 0;
    } while (n > 0 && op->done < op->len && may_wait(op, f));
    if (n >= 0) {
        return (int64_t)op->done;
    }
    if (errno == EAGAIN && may_wait(op, f)) {
        return HO_AGENT_WAITS;
    }
    if (op->done == 0) {
        return -errno;
    }
    if (errno != EAGAIN && errno != EPIPE) { /* EPIPE is no error of the socket: it comes again */
        f->kept = errno;
    }
    return (int64_t)op->done;
}

static int64_t try_accept(struct agent *a, struct ho_op *op, const struct agent_fd *f)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(sa);
    int fd = accept4(op->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0) {
        return errno == EAGAIN && may_wait(op, f) ? HO_AGENT_WAITS : -errno;
    }
    agent_from_sockaddr(&sa, &op->addr, &op->port);
    return agent_open(a, fd, false, f->ipv6, (op->flags & HO_SOCK_NONBLOCK) != 0);
}

/* One connect(). Of a socket whose handshake is under way it says EALREADY, or how it ended. */
static int64_t connect_again(const struct ho_op *op, const struct agent_fd *f)
{
    struct sockaddr_storage sa;
    socklen_t len = agent_to_sockaddr(&sa, &op->addr, op->port, f->ipv6);

    return connect(op->fd, (struct sockaddr *)&sa, len) < 0 ? -errno : 0;
}

static int64_t try_connect(struct agent *a, struct ho_op *op, struct agent_fd *f, bool first)
{
    int64_t ret;

    if (first && f->kept != 0) {
        return take_kept(f);
    }
    if (first) {
        bool news = !f->connected;

        if (news) {
            agent_tell_connect(a, op, f);
        }
        ret = connect_again(op, f);
        if (news) {
            agent_tell_connecting(a, op, f, ret == -EINPROGRESS ? 0 : (int)-ret);
        }
        if (f->nonblock || (ret != -EINPROGRESS && ret != -EALREADY)) {
            return ret;
        }
    }
    /* Over lo the handshake is over by now, and a blocking call would not have slept. */
    ret = connect_again(op, f);
    return ret == -EALREADY || ret == -EINPROGRESS ? HO_AGENT_WAITS : ret;
}

static int64_t try_poll(const struct ho_op *op, const struct agent_fd *f)
{
    uint32_t revents = poll_now(op, f, (uint32_t)op->arg);

    if (revents != 0) {
        return revents;
    }
    return op->forever || op->timeout.ns > 0 ? HO_AGENT_WAITS : 0;
}

static int64_t try_epoll_wait(const struct ho_op *op)
{
    struct epoll_event ev[HO_AGENT_EVENTS];
    struct ho_epoll_event *out = op->buf;
    size_t most = op->len < HO_AGENT_EVENTS ? op->len : HO_AGENT_EVENTS;
    int n = epoll_wait(op->fd, ev, (int)most, 0);

    if (n < 0) {
        return -errno;
    }
    for (int i = 0; i < n; i++) {
        out[i] = (struct ho_epoll_event){ .events = ev[i].events, .data = ev[i].data.u64 };
    }
    return n > 0 || (!op->forever && op->timeout.ns == 0) ? n : HO_AGENT_WAITS;
}

int64_t agent_try(struct agent *a, struct ho_op *op, struct agent_fd *f, bool first)
{
    switch (op->kind) {
    case HO_OP_RECV:
        return try_recv(op, f);
    case HO_OP_SEND:
        return try_send(op, f);
    case HO_OP_ACCEPT:
        return try_accept(a, op, f);
    case HO_OP_CONNECT:
        return try_connect(a, op, f, first);
    case HO_OP_POLL:
        return try_poll(op, f);
    case HO_OP_EPOLL_WAIT:
        return try_epoll_wait(op);
    default:
        return -EINVAL;
    }
}
