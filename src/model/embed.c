/* Processes without a program: a user of the library makes their calls.
 *
 * Their sockets never block, so every call is done when it returns. They are recorded as those of
 * programs are.
 */

#include <errno.h>
#include <stdlib.h>

#include "model/world.h"
#include "play/says.h"

int ho_model_guest_new(struct ho_model *m, uint16_t node, const char *name,
                       struct ho_model_proc **ret)
{
    struct ho_model_proc *p = calloc(1, sizeof(*p));
    int err;

    if (p == NULL) {
        return -ENOMEM;
    }
    p->play.node = node;
    p->play.name = ho_trace_name(&m->tr, name);
    err = m->tr.err != 0 ? m->tr.err : ho_model_proc_start(m, p);
    if (err != 0) {
        free(p);
        return err == -EINVAL ? -ENETDOWN : err;
    }
    ho_list_push(&m->guests, &p->guest);
    *ret = p;
    return 0;
}

/* What the call moved, for the record. */
static void count_bytes(struct ho_model *m, struct ho_model_proc *p, const struct ho_op *op)
{
    struct ho_play_fd *f = op->ret > 0 ? ho_play_fd(&m->tr, &p->play, op->fd) : NULL;

    if (f != NULL && op->kind == HO_OP_SEND) {
        f->tx += (uint64_t)op->ret;
    } else if (f != NULL && op->kind == HO_OP_RECV) {
        f->rx += (uint64_t)op->ret;
    }
}

int64_t ho_model_guest_call(struct ho_model *m, struct ho_model_proc *p, struct ho_op *op)
{
    struct ho_model_program nobody = { .proc = p };
    struct ho_model_node *n = &m->nodes[p->play.node];

    op->pid = p->pid;
    op->started = m->tr.now;
    if (ho_host_start(n->host, p->pid, op, m->tr.now) == HO_OP_PENDING) {
        ho_host_cancel(n->host, op);
        op->ret = op->ret == -EINTR ? -EAGAIN : op->ret;
    }
    if (op->kind == HO_OP_CONNECT) {
        ho_model_connecting(m, &nobody, op);
    }
    ho_play_fd_done(&m->tr, &p->play, op, NULL);
    if (op->kind == HO_OP_ACCEPT && op->ret >= 0) {
        ho_model_accepted(m, &nobody, (int)op->ret);
    }
    count_bytes(m, p, op);
    ho_model_drain(m, n);
    if (m->tr.tl != NULL) {
        ho_trace_said_call(&m->tr, &p->play, op);
    }
    ho_model_dirty(m, n);
    ho_model_settle(m);
    return op->ret;
}

void ho_model_guest_kill(struct ho_model *m, struct ho_model_proc *p)
{
    struct ho_model_node *n = &m->nodes[p->play.node];

    ho_host_kill(n->host, p->pid, m->tr.now);
    ho_model_proc_end(m, p);
    ho_model_drain(m, n);
    ho_model_dirty(m, n);
    ho_model_settle(m);
}

void ho_model_guests_forget(struct ho_model *m, uint16_t node)
{
    for (struct ho_list *l = m->guests.next; l != &m->guests; l = l->next) {
        struct ho_model_proc *p = ho_container(l, struct ho_model_proc, guest);

        if (p->play.node == node && p->pid != 0) {
            ho_model_proc_end(m, p);
        }
    }
}

void ho_model_guests_free(struct ho_model *m)
{
    for (struct ho_list *l = m->guests.next; l != &m->guests;) {
        struct ho_model_proc *p = ho_container(l, struct ho_model_proc, guest);

        l = l->next;
        ho_model_proc_free(p);
        free(p);
    }
    ho_list_init(&m->guests);
}
