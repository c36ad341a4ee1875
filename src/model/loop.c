/* The virtual clock.
 *
 * Everything that can be due - a host, a program, the cables - has one node in one queue of
 * deadlines. The clock jumps to the earliest, whoever is due does what is due, and then the
 * world is drained until nothing more happens at this instant: frames a host wants to send go
 * into the cables, completed calls go to their programs, whose new calls go to their hosts.
 *
 * Equal instants: in the order in which the deadlines were armed, which is a function of the plan.
 */

#include "model/world.h"
#include "play/frames.h"

#include <assert.h>

/* Rounds at one instant after which the world is said to be stuck: our own mistake. */
#define ROUNDS_MAX 100000000u

void ho_model_dirty(struct ho_model *m, struct ho_model_node *n)
{
    if (n->dirty || n->host == NULL) {
        return;
    }
    n->dirty = true;
    n->next_dirty = NULL;
    *m->last_dirty = n;
    m->last_dirty = &n->next_dirty;
}

void ho_model_drain(struct ho_model *m, struct ho_model_node *n)
{
    struct ho_buf *b;
    int nic;

    while ((b = ho_host_output(n->host, &nic, m->tr.now)) != NULL) {
        ho_model_wires_send(m, n, nic, b);
    }
    if (m->tr.tl != NULL) {
        while ((b = ho_host_lo_packet(n->host)) != NULL) {
            ho_trace_lo_sent(&m->tr, n->index, ho_buf_bytes(b), b->len);
            ho_buf_put(&m->bufs, b);
        }
        ho_model_watch(m, n);
    }
}

void ho_model_arm(struct ho_model *m, struct ho_model_due *d, struct ho_time at)
{
    if (at.ns != d->at.ns) {
        d->at = at;
        ho_timerq_arm(&m->timers, &d->timer, at);
    }
}

void ho_model_settle(struct ho_model *m)
{
    unsigned rounds = 0;

    while (m->first_dirty != NULL) {
        struct ho_model_node *n = m->first_dirty;
        struct ho_op *op;

        m->first_dirty = n->next_dirty;
        if (m->first_dirty == NULL) {
            m->last_dirty = &m->first_dirty;
        }
        n->dirty = false;
        ho_model_drain(m, n);
        while ((op = ho_host_completed(n->host)) != NULL) {
            ho_model_op_done(m, n, op);
        }
        ho_model_arm(m, &n->due, ho_host_deadline(n->host));
        assert(++rounds < ROUNDS_MAX);
    }
}

static void fire(struct ho_model *m, struct ho_timer *t)
{
    struct ho_model_due *d = ho_container(t, struct ho_model_due, timer);

    d->at = HO_NEVER;
    if (d->program != NULL) {
        ho_model_program_tick(m, d->program);
    } else if (d->wires) {
        ho_model_wires_tick(m, d);
    } else {
        ho_host_tick(d->node->host, m->tr.now);
        ho_model_dirty(m, d->node);
    }
    ho_model_settle(m);
}

void ho_model_run(struct ho_model *m, struct ho_time until)
{
    ho_model_settle(m);
    while (m->tr.err == 0) {
        struct ho_time next = ho_timerq_deadline(&m->timers);
        struct ho_timer *t;

        if (ho_time_before(until, next) || next.ns == HO_NEVER.ns) {
            break;
        }
        if (ho_time_before(m->tr.now, next)) {
            m->tr.now = next;
        }
        while (m->tr.err == 0 && (t = ho_timerq_pop(&m->timers, m->tr.now)) != NULL) {
            fire(m, t);
        }
    }
    if (m->tr.err == 0 && ho_time_before(m->tr.now, until)) {
        m->tr.now = until;
    }
}
