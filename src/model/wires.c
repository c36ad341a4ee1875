/* Between the hosts and the wires (play/wires.h): frames and carrier are pulled from the wires and
 * fed to the hosts, and what a frame leads to is done before the next one is taken.
 */

#include <errno.h>
#include <stdlib.h>

#include "model/world.h"

int ho_model_wires_new(struct ho_model *m)
{
    size_t parts = m->plan->cable_count + m->plan->node_count;
    int err = ho_wires_init(&m->wires, &m->tr, &m->bufs);

    m->parts = calloc(parts + 1, sizeof(*m->parts));
    for (size_t i = 0; m->parts != NULL && i < parts; i++) {
        m->parts[i].wires = true;
        m->parts[i].at = HO_NEVER;
    }
    return m->parts == NULL ? -ENOMEM : err;
}

void ho_model_wires_free(struct ho_model *m)
{
    ho_wires_destroy(&m->wires);
    free(m->parts);
}

/* Takes over the deadlines of parts that have a new one, in the order in which they got it. */
static void arm_parts(struct ho_model *m)
{
    struct ho_time at;
    size_t part;

    while (ho_wires_armed(&m->wires, &part, &at)) {
        ho_model_arm(m, &m->parts[part], at);
    }
}

void ho_model_wires_send(struct ho_model *m, const struct ho_model_node *n, int nic,
                         struct ho_buf *b)
{
    ho_wires_send(&m->wires, n->index, (unsigned)nic, b, m->tr.now);
    arm_parts(m);
}

/* Hosts hear of their carrier. */
static void carriers(struct ho_model *m)
{
    struct ho_wires_carrier c;

    while (ho_wires_carrier(&m->wires, &c)) {
        struct ho_model_node *n = &m->nodes[c.node];

        ho_host_carrier(n->host, c.port, c.on, m->linkwatch_ns, m->tr.now);
        ho_model_drain(m, n);
        ho_model_dirty(m, n);
    }
    arm_parts(m);
}

void ho_model_wires_tick(struct ho_model *m, const struct ho_model_due *due)
{
    struct ho_buf *b;
    uint16_t node;
    unsigned port;

    ho_wires_tick_part(&m->wires, (size_t)(due - m->parts), m->tr.now);
    while ((b = ho_wires_receive(&m->wires, &node, &port)) != NULL) {
        struct ho_model_node *n = &m->nodes[node];

        arm_parts(m);
        ho_host_input(n->host, (int)port, b, m->tr.now);
        ho_model_drain(m, n);
        ho_model_dirty(m, n);
    }
    ho_model_settle(m);
    arm_parts(m);
}

int ho_model_wires_fault(struct ho_model *m, uint16_t cable, const struct ho_step *step)
{
    int err = ho_wires_fault(&m->wires, cable, step, m->tr.now);

    carriers(m);
    ho_model_settle(m);
    return err != 0 ? err : m->tr.err;
}

void ho_model_wires_power(struct ho_model *m, const struct ho_model_node *n, bool on)
{
    for (unsigned i = 0; i < ho_wires_ports(&m->wires, n->index); i++) {
        ho_wires_power(&m->wires, n->index, i, on, m->tr.now);
        carriers(m);
    }
}
