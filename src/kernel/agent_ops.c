/* Operations: begun, waiting, tried again, completed.
 *
 * When descriptors were woken, all calls that wait for them are tried first, in the order in which
 * they came, and only then do the programs hear of those that are done. So it is with the model,
 * and with threads: one that was blocked in recv() takes what is there before one that was in
 * poll() can call recv().
 */

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kernel/agent_child.h"

#define LINGER_STACK ((size_t)256 * 1024)

/* ---- descriptors ----------------------------------------------------------------------------- */

struct agent_fd *agent_fd(const struct agent *a, int64_t fd)
{
    if (fd < 0 || (size_t)fd >= a->fds || a->fd[fd] == NULL || !a->fd[fd]->open) {
        return NULL;
    }
    return a->fd[fd];
}

static bool make_room(struct agent *a, size_t fd)
{
    size_t n = a->fds == 0 ? 16 : a->fds;
    struct agent_fd **more;

    while (n <= fd) {
        n *= 2;
    }
    if (n > a->fds) {
        more = realloc(a->fd, n * sizeof(void *));
        if (more == NULL) {
            return false;
        }
        memset(more + a->fds, 0, (n - a->fds) * sizeof(void *));
        a->fd = more;
        a->fds = n;
    }
    if (a->fd[fd] == NULL) {
        a->fd[fd] = calloc(1, sizeof(**a->fd));
    }
    return a->fd[fd] != NULL;
}

int64_t agent_open(struct agent *a, int fd, bool epoll, bool ipv6, bool nonblock)
{
    if (!make_room(a, (size_t)fd)) {
        close(fd);
        return -ENOMEM;
    }
    *a->fd[fd] =
        (struct agent_fd){ .open = true, .epoll = epoll, .ipv6 = ipv6, .nonblock = nonblock };
    ho_list_init(&a->fd[fd]->ops);
    return fd;
}

/* The agent hears of everything that happens to the descriptor. */
static int watch(struct agent *a, int fd, struct agent_fd *f)
{
    struct epoll_event ev = { .data.u64 = (uint64_t)fd };

    if (f->watched) {
        return 0;
    }
    ev.events = EPOLLIN | EPOLLET | (f->epoll ? 0u : EPOLLOUT | EPOLLRDHUP | EPOLLPRI);
    if (epoll_ctl(a->ep, EPOLL_CTL_ADD, fd, &ev) < 0) {
        return -errno;
    }
    f->watched = true;
    return 0;
}

/* ---- begun and completed --------------------------------------------------------------------- */

static void complete(struct agent *a, struct ho_op *op)
{
    struct agent_program *g = agent_program_of(op);
    int fd = op->kind == HO_OP_ACCEPT && op->ret >= 0 ? (int)op->ret : -1;

    agent_tell_done(a, op);
    if (fd >= 0) {
        /* The program forgets the listener's number when it hears of the call. */
        struct ho_op accepted = *op;

        ho_program_complete(g->program, op, agent_now(a));
        agent_tell_accepted(a, &accepted, fd);
    } else {
        ho_program_complete(g->program, op, agent_now(a));
    }
    agent_tell_events(a, g);
}

static void timeout_of(struct agent *a, struct ho_op *op)
{
    bool times = op->kind == HO_OP_POLL || op->kind == HO_OP_EPOLL_WAIT;

    if (times && !op->forever) {
        ho_timerq_arm(&a->timers, &op->wait.timer, ho_time_add(agent_monotonic(), op->timeout));
    }
}

void agent_start(struct agent *a, struct agent_program *g, struct ho_op *op)
{
    struct agent_fd *f;
    int64_t ret;

    op->user = g;
    op->pid = (uint32_t)getpid();
    op->done = 0;
    op->node = (struct ho_list){ NULL, NULL };
    op->wait.timer = (struct ho_timer){ .next = NULL };
    ret = agent_call(a, op);
    agent_tell_events(a, g);
    f = agent_fd(a, op->fd);
    if (ret == HO_AGENT_WAITS && f == NULL) {
        return; /* a close() that lingers: its thread has it */
    }
    if (ret == HO_AGENT_WAITS) {
        int err = watch(a, op->fd, f);

        ret = err != 0 ? err : ret;
    }
    if (ret == HO_AGENT_WAITS) {
        timeout_of(a, op);
        ho_list_push(&f->ops, &op->node);
        return;
    }
    op->ret = ret;
    complete(a, op);
}

/* ---- woken ----------------------------------------------------------------------------------- */

/* It is done; its program hears of it in agent_completed(). */
static void done(struct agent *a, struct ho_op *op, int64_t ret)
{
    ho_list_remove(&op->node);
    ho_timerq_cancel(&a->timers, &op->wait.timer);
    op->ret = ret;
    ho_list_push(&a->completed, &op->node);
}

void agent_woken(struct agent *a, int fd)
{
    struct agent_fd *f = agent_fd(a, fd);
    struct ho_list *next;

    if (f == NULL) {
        return; /* closed meanwhile */
    }
    for (struct ho_list *node = f->ops.next; node != &f->ops; node = next) {
        struct ho_op *op = ho_container(node, struct ho_op, node);
        int64_t ret = agent_try(a, op, f, false);

        next = node->next;
        if (ret != HO_AGENT_WAITS) {
            done(a, op, ret);
        }
    }
}

void agent_timeouts(struct agent *a)
{
    struct ho_timer *t;

    while ((t = ho_timerq_pop(&a->timers, agent_monotonic())) != NULL) {
        struct ho_op *op = ho_container(t, struct ho_op, wait.timer);
        int64_t ret = agent_try(a, op, agent_fd(a, op->fd), false);

        done(a, op, ret == HO_AGENT_WAITS ? 0 : ret); /* nothing has happened */
    }
}

/* epoll_wait() is interrupted by a stop, the other calls begin again: signal(7). */
void agent_continued(struct agent *a)
{
    for (size_t i = 0; i < a->fds; i++) {
        struct agent_fd *f = agent_fd(a, (int64_t)i);

        while (f != NULL && f->epoll && !ho_list_empty(&f->ops)) {
            done(a, ho_container(f->ops.next, struct ho_op, node), -EINTR);
        }
    }
}

bool agent_completed(struct agent *a)
{
    bool any = false;

    for (struct ho_list *node; (node = ho_list_shift(&a->completed)) != NULL; any = true) {
        struct ho_op *op = ho_container(node, struct ho_op, node);
        struct agent_program *g = agent_program_of(op);

        complete(a, op);
        agent_run(a, g);
    }
    return any;
}

/* ---- close ----------------------------------------------------------------------------------- */

/* Calls that wait for a descriptor which is closed return: op.h and the model say so. */
static void abandon(struct agent *a, struct agent_fd *f)
{
    while (!ho_list_empty(&f->ops)) {
        struct ho_op *op = ho_container(f->ops.next, struct ho_op, node);

        done(a, op, op->done > 0 ? (int64_t)op->done : -EBADF);
    }
}

/* Whether close() will wait for the peer: SO_LINGER with a time, and a FIN to be acknowledged.
 * With unread data there is a RST instead (RFC 2525, 2.17).
 */
static bool lingers(int fd)
{
    struct tcp_info info = { 0 };
    struct linger linger = { 0 };
    socklen_t len = sizeof(linger);
    int unread = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len) < 0 || linger.l_onoff == 0 ||
        linger.l_linger == 0) {
        return false;
    }
    len = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || ioctl(fd, SIOCINQ, &unread) < 0 ||
        unread > 0) {
        return false;
    }
    return info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_CLOSE_WAIT ||
           info.tcpi_state == TCP_FIN_WAIT1 || info.tcpi_state == TCP_CLOSING ||
           info.tcpi_state == TCP_LAST_ACK;
}

static void *linger_main(void *arg)
{
    struct agent_linger *l = arg;
    int done_fd = l->done_fd;

    l->ret = close(l->fd) < 0 ? -errno : 0;
    if (write(done_fd, &l, sizeof(void *)) != (ssize_t)sizeof(void *)) {
        abort(); /* the pipe is the agent's own and never full of 8,000 closes */
    }
    return NULL;
}

static bool start_linger(struct agent *a, struct ho_op *op)
{
    struct agent_linger *l = calloc(1, sizeof(*l));
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t thread;
    int err;

    if (l == NULL || pthread_attr_init(&attr) != 0) {
        free(l);
        return false;
    }
    *l = (struct agent_linger){ .op = op, .fd = op->fd, .done_fd = a->done[1] };
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, LINGER_STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* signals are for the first thread */
    err = pthread_create(&thread, &attr, linger_main, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (err != 0) {
        free(l);
    }
    return err == 0;
}

int64_t agent_close(struct agent *a, struct ho_op *op, struct agent_fd *f)
{
    bool slow = !f->epoll && lingers(op->fd);

    abandon(a, f);
    if (slow && f->watched) {
        epoll_ctl(a->ep, EPOLL_CTL_DEL, op->fd, NULL);
    }
    f->open = false;
    if (slow && start_linger(a, op)) {
        agent_tell_closed(a, op);
        return HO_AGENT_WAITS;
    }
    return close(op->fd) < 0 ? -errno : 0; /* without a thread everything else waits with it */
}

void agent_lingered(struct agent *a)
{
    struct agent_linger *l;

    while (read(a->done[0], &l, sizeof(void *)) == (ssize_t)sizeof(void *)) {
        l->op->value[0] = 1; /* CLOSED was told */
        done(a, l->op, l->ret);
        free(l);
    }
}
