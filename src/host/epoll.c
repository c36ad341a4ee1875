/* epoll: sockets watched, a list of those that may be ready, and waits (epoll(7); the rules are
 * those of Linux's ep_poll_callback() and ep_send_events()).
 *
 * Every wake-up of a socket puts its watch on the ready list if the kind of the wake-up is one that
 * was asked for. A wait looks at each watch of the list: level-triggered ones go back to its end if
 * they were ready, edge-triggered ones wait for the next wake-up. Waits that sleep are completed
 * at the end of the event that woke them, so that one event tells all it has brought.
 */

#include <errno.h>

#include "host/machine.h"

#define PRIVATE_BITS (HO_EPOLLET | HO_EPOLLONESHOT)
#define POLLRDNORM 0x040u /* epoll's other names of IN and OUT, of Linux's numbers */
#define POLLRDBAND 0x080u
#define POLLWRNORM 0x100u
#define POLLWRBAND 0x200u

struct ho_epoll *ho_epoll_new(struct ho_host *h, uint32_t pid)
{
    uint32_t number;
    struct ho_epoll *e = ho_slots_get(&h->epolls, &number);

    if (e != NULL) {
        e->number = number;
        e->pid = pid;
        ho_list_init(&e->watches);
        ho_list_init(&e->ready);
        ho_list_init(&e->ops);
    }
    return e;
}

/* Leaves the instance's lists; the socket's list is the caller's business. */
static void free_watch(struct ho_host *h, struct ho_watch *w)
{
    ho_list_remove(&w->all);
    ho_list_remove(&w->ready);
    ho_pool_put(&h->watches, w);
}

static struct ho_watch **find(struct ho_ext *x, const struct ho_epoll *e)
{
    struct ho_watch **at = &x->watches;

    while (*at != NULL && (*at)->epoll != e) {
        at = &(*at)->next;
    }
    return at;
}

static void unwatch(struct ho_host *h, struct ho_sock *s, struct ho_watch **at)
{
    struct ho_watch *w = *at;

    *at = w->next;
    free_watch(h, w);
    ho_sock_rest(h, s);
}

void ho_epoll_forget(struct ho_host *h, struct ho_ext *x)
{
    while (x->watches != NULL) {
        struct ho_watch *w = x->watches;

        x->watches = w->next;
        free_watch(h, w);
    }
}

void ho_epoll_free(struct ho_host *h, struct ho_epoll *e, bool dying)
{
    ho_call_abandon(h, &e->ops, dying);
    while (!ho_list_empty(&e->watches)) {
        struct ho_watch *w = ho_container(e->watches.next, struct ho_watch, all);
        struct ho_sock *s = ho_slots_at(&h->socks, w->sock);

        unwatch(h, s, find(ho_sock_ext(h, s), e));
    }
    ho_list_remove(&e->node);
    ho_slots_put(&h->epolls, e->number);
}

static void look_at(struct ho_host *h, struct ho_epoll *e)
{
    if (!ho_list_linked(&e->node)) {
        ho_list_push(&h->epoll_look, &e->node);
    }
}

static void make_ready(struct ho_host *h, struct ho_watch *w)
{
    if (!ho_list_linked(&w->ready)) {
        ho_list_push(&w->epoll->ready, &w->ready);
    }
    look_at(h, w->epoll);
}

void ho_epoll_wake(struct ho_host *h, const struct ho_ext *x, unsigned wake)
{
    uint32_t keys = 0;

    if ((wake & HO_WAKE_READ) != 0) {
        keys |= HO_POLLIN | HO_POLLPRI | POLLRDNORM | POLLRDBAND;
    }
    if ((wake & HO_WAKE_WRITE) != 0) {
        keys |= HO_POLLOUT | POLLWRNORM | POLLWRBAND;
    }
    if ((wake & HO_WAKE_ERROR) != 0) {
        keys |= HO_POLLERR;
    }
    for (struct ho_watch *w = x->watches; w != NULL; w = w->next) {
        bool disarmed = (w->events & ~PRIVATE_BITS) == 0; /* ONESHOT has been told */

        if (!disarmed && ((wake & HO_WAKE_STATE) != 0 || (w->events & keys) != 0)) {
            make_ready(h, w);
        }
    }
}

static uint32_t ready_events(struct ho_host *h, const struct ho_watch *w)
{
    uint32_t events = ho_sock_poll(h, ho_slots_at(&h->socks, w->sock)) & w->events;

    /* HO_POLL* has no words for the other names: they are ready together. */
    return (w->events & ~PRIVATE_BITS) == 0 ? 0 : events & ~PRIVATE_BITS;
}

static int64_t add(struct ho_host *h, struct ho_epoll *e, struct ho_sock *s, struct ho_ext *x,
                   const struct ho_op *op)
{
    struct ho_watch *w = ho_pool_get(&h->watches);

    if (w == NULL) {
        ho_sock_rest(h, s);
        return -ENOMEM;
    }
    w->epoll = e;
    w->sock = ho_sock_number(h, s);
    w->events = op->events | HO_POLLERR | HO_POLLHUP;
    w->data = op->data;
    w->next = x->watches;
    x->watches = w;
    ho_list_push(&e->watches, &w->all);
    if (ready_events(h, w) != 0) {
        make_ready(h, w);
    }
    return 0;
}

int64_t ho_epoll_ctl(struct ho_host *h, struct ho_epoll *e, struct ho_sock *s,
                     const struct ho_op *op)
{
    struct ho_ext *x = ho_sock_need_ext(h, s);

    if (x == NULL) {
        return -ENOMEM;
    }
    struct ho_watch **at = find(x, e);
    if (op->arg == HO_EPOLL_ADD) {
        return *at != NULL ? -EEXIST : add(h, e, s, x, op);
    }
    if (op->arg != HO_EPOLL_DEL && op->arg != HO_EPOLL_MOD) {
        ho_sock_rest(h, s);
        return -EINVAL;
    }
    if (*at == NULL) {
        ho_sock_rest(h, s);
        return -ENOENT;
    }
    if (op->arg == HO_EPOLL_DEL) {
        unwatch(h, s, at);
        return 0;
    }
    (*at)->events = op->events | HO_POLLERR | HO_POLLHUP;
    (*at)->data = op->data;
    if (ready_events(h, *at) != 0) {
        make_ready(h, *at);
    }
    return 0;
}

/* Linux: ep_send_events(). Returns how many events it has written. */
static size_t collect(struct ho_host *h, struct ho_epoll *e, struct ho_epoll_event *out, size_t max)
{
    struct ho_list *last = e->ready.prev; /* what goes back to the end is not looked at twice */
    bool more = !ho_list_empty(&e->ready);
    size_t n = 0;

    while (more && n < max) {
        struct ho_list *node = ho_list_shift(&e->ready);
        struct ho_watch *w = ho_container(node, struct ho_watch, ready);
        uint32_t events = ready_events(h, w);

        more = node != last;
        if (events == 0) {
            continue;
        }
        out[n++] = (struct ho_epoll_event){ .events = events, .data = w->data };
        if ((w->events & HO_EPOLLONESHOT) != 0) {
            w->events &= PRIVATE_BITS;
        } else if ((w->events & HO_EPOLLET) == 0) {
            ho_list_push(&e->ready, &w->ready);
        }
    }
    return n;
}

int64_t ho_epoll_wait(struct ho_host *h, struct ho_epoll *e, struct ho_op *op)
{
    if (op->len == 0) {
        return -EINVAL;
    }
    size_t n = collect(h, e, op->buf, op->len);
    if (n > 0 || (!op->forever && op->timeout.ns == 0)) {
        return (int64_t)n;
    }
    op->sock = e->number;
    ho_list_push(&e->ops, &op->node);
    return HO_CALL_WAITS;
}

void ho_epoll_run(struct ho_host *h)
{
    struct ho_list *node;

    while ((node = ho_list_shift(&h->epoll_look)) != NULL) {
        struct ho_epoll *e = ho_container(node, struct ho_epoll, node);

        while (!ho_list_empty(&e->ops) && !ho_list_empty(&e->ready)) {
            struct ho_op *op = ho_container(e->ops.next, struct ho_op, node);
            size_t n = collect(h, e, op->buf, op->len);

            if (n > 0) {
                ho_call_complete(h, op, (int64_t)n);
            }
        }
    }
}
