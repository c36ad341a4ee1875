/* Calls that wait: in which list, until when, and how they end without what they waited for:
 * closed descriptors, signals, death of the process, time (ground-truth B3f, B15).
 */

#include <errno.h>

#include "host/machine.h"

/* ---- waiting and completing ----------------------------------------------------------------- */

void ho_call_unlink(struct ho_host *h, struct ho_op *op)
{
    ho_timerq_cancel(&h->timers, &op->wait.timer);
    ho_list_remove(&op->node);
}

void ho_call_complete(struct ho_host *h, struct ho_op *op, int64_t ret)
{
    ho_call_unlink(h, op);
    op->ret = ret;
    op->sock = HO_SLOT_NONE;
    if (op == h->starting) {
        h->started_done = true;
    } else {
        ho_list_push(&h->completed, &op->node);
    }
}

void ho_call_abandon(struct ho_host *h, struct ho_list *ops, bool dying)
{
    while (!ho_list_empty(ops)) {
        struct ho_op *op = ho_container(ops->next, struct ho_op, node);

        if (dying) {
            ho_call_unlink(h, op);
        } else {
            /* Linux would keep the socket until the call returns; here the call returns. */
            ho_call_complete(h, op, op->done > 0 ? (int64_t)op->done : -EBADF);
        }
    }
}

void ho_call_timeout(struct ho_host *h, struct ho_op *op, struct ho_due at)
{
    op->wait.kind = HO_KIND_OP;
    ho_timerq_arm_due(&h->timers, &op->wait.timer, at);
}

int64_t ho_call_wait(struct ho_host *h, struct ho_sock *s, struct ho_op *op)
{
    struct ho_ext *x = ho_sock_need_ext(h, s);

    if (x == NULL) {
        return -ENOMEM;
    }
    op->sock = ho_sock_number(h, s);
    ho_list_push(&x->ops, &op->node);
    return HO_CALL_WAITS;
}

void ho_call_unwake(struct ho_host *h, struct ho_sock *s)
{
    uint32_t number = ho_sock_number(h, s);
    struct ho_list *at = h->woken.next;

    while (at != &h->woken) {
        struct ho_op *op = ho_container(at, struct ho_op, node);

        at = at->next;
        if (op->sock == number) {
            ho_list_remove(&op->node);
            if (ho_call_wait(h, s, op) == -ENOMEM) {
                ho_call_complete(h, op, -ENOMEM);
            }
        }
    }
}

/* The processes that were woken get the processor. */
static void run_woken(struct ho_host *h)
{
    struct ho_list *node;

    while ((node = ho_list_shift(&h->woken)) != NULL) {
        struct ho_op *op = ho_container(node, struct ho_op, node);
        struct ho_sock *s = ho_slots_at(&h->socks, op->sock);
        int64_t ret = ho_call_retry(h, s, op, h->now);

        if (ret == HO_CALL_WAITS) {
            ret = ho_call_wait(h, s, op);
        }
        if (ret != HO_CALL_WAITS) {
            ho_call_complete(h, op, ret);
        }
        if (s->kind == HO_KIND_CONN) {
            ho_sock_settle(h, s, h->now);
        }
        ho_machine_run(h, h->now);
    }
}

struct ho_op *ho_host_completed(struct ho_host *h)
{
    run_woken(h);
    struct ho_list *node = ho_list_shift(&h->completed);

    return node == NULL ? NULL : ho_container(node, struct ho_op, node);
}

static struct ho_op *find_linger(struct ho_host *h, uint32_t number)
{
    struct ho_list *at;

    for (at = h->lingers.next; at != &h->lingers; at = at->next) {
        struct ho_op *op = ho_container(at, struct ho_op, node);

        if (op->sock == number) {
            return op;
        }
    }
    return NULL;
}

void ho_call_end_linger(struct ho_host *h, struct ho_sock *s, struct ho_time now)
{
    s->flags &= (uint16_t)~HO_SOCK_LINGER;
    ho_sock_orphan(h, s);
    ho_tcp_orphan(&h->env, &s->tcp, now);
}

void ho_call_linger_check(struct ho_host *h, struct ho_sock *s, struct ho_time now)
{
    struct ho_op *op = find_linger(h, ho_sock_number(h, s));

    if (op != NULL && !ho_tcp_lingers(&s->tcp)) {
        ho_call_end_linger(h, s, now);
        ho_call_complete(h, op, 0);
    }
}

/* ---- time is over, or a signal -------------------------------------------------------------- */

void ho_call_timer(struct ho_host *h, struct ho_op *op, struct ho_time now)
{
    if (op->kind == HO_OP_CLOSE) {
        struct ho_sock *s = ho_slots_at(&h->socks, op->sock);

        ho_call_complete(h, op, 0); /* ground-truth B15 */
        ho_call_end_linger(h, s, now);
        ho_sock_settle(h, s, now);
        return;
    }
    ho_call_complete(h, op, 0); /* poll, epoll_wait: nothing has happened */
}

/* The first operation of `pid` in the list, taken out, or NULL. */
static struct ho_op *take_of(struct ho_host *h, struct ho_list *list, uint32_t pid)
{
    for (struct ho_list *at = list->next; at != list; at = at->next) {
        struct ho_op *op = ho_container(at, struct ho_op, node);

        if (op->pid == pid) {
            ho_call_unlink(h, op);
            return op;
        }
    }
    return NULL;
}

void ho_call_kill(struct ho_host *h, uint32_t pid, struct ho_time now)
{
    struct ho_op *op;

    do {
        op = take_of(h, &h->completed, pid);
        op = op != NULL ? op : take_of(h, &h->woken, pid);
    } while (op != NULL);
    while ((op = take_of(h, &h->lingers, pid)) != NULL) {
        struct ho_sock *s = ho_slots_at(&h->socks, op->sock);

        ho_call_end_linger(h, s, now);
        ho_sock_settle(h, s, now);
    }
}

void ho_host_cancel(struct ho_host *h, struct ho_op *op)
{
    if (!ho_list_linked(&op->node)) {
        return;
    }
    ho_call_unlink(h, op);
    if (op->sock == HO_SLOT_NONE) {
        return; /* it had completed already: its result stands */
    }
    op->ret = op->done > 0 ? (int64_t)op->done : -EINTR;
    if (op->kind == HO_OP_CLOSE) {
        struct ho_sock *s = ho_slots_at(&h->socks, op->sock);

        op->ret = 0;
        ho_call_end_linger(h, s, h->now);
        ho_sock_settle(h, s, h->now);
        ho_machine_run(h, h->now);
    }
    op->sock = HO_SLOT_NONE;
}
