/* Frames between hosts: cables, switches and middleboxes of src/link, joined.
 *
 * A frame carries in tag[0] the index of its record, so that its fate can be written down
 * wherever it meets it: when it enters a cable, when a cut takes it on its way, in a middlebox
 * that has forgotten its flow, or on arrival. A host's or a switch's carrier follows from its
 * cables; each is told once, when it changes.
 */

#include <errno.h>
#include <stdlib.h>

#include "model/world.h"
#include "wire/eth.h"

#define FLIGHTS (1u << 22) /* frames under way in a world */
#define BOX_FLOWS 65536    /* that a middlebox remembers */
#define STREAM 0x10000u    /* random numbers of the first cable; each takes two */

/* ---- building -------------------------------------------------------------------------------- */

static void cable_init(struct ho_model *m, struct ho_model_cable *c, uint16_t index)
{
    const struct ho_plan_cable *p = &m->plan->cables[index];
    struct ho_cable_conf conf = {
        .delay = p->delay,
        .rate_bps = p->rate_bps,
        .queue = p->queue,
        .loss_ppm = p->loss_ppm,
        .reorder_ppm = p->reorder_ppm,
        .duplicate_ppm = p->duplicate_ppm,
        .corrupt_ppm = p->corrupt_ppm,
    };
    struct ho_cable_conf both[HO_CABLE_ENDS] = { conf, conf };

    c->index = index;
    c->node[0] = p->a;
    c->node[1] = p->b;
    c->port[0] = p->a_port;
    c->port[1] = p->b_port;
    c->due.cable = c;
    c->due.at = HO_NEVER;
    for (unsigned end = 0; end < 2; end++) {
        c->carrier[end] = 1;
    }
    c->name = ho_model_name(m, p->name);
    ho_cable_init(&c->cable, both, m->plan->seed, STREAM + 2u * index, &m->bufs, &m->flights);
    c->built = true;
}

/* Gives every node the part of m->ports that is its own. */
static int build_ports(struct ho_model *m)
{
    const struct ho_plan *p = m->plan;
    size_t used = 0;

    m->ports = calloc(2 * p->cable_count + 1, sizeof(*m->ports));
    if (m->ports == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < p->cable_count; i++) {
        m->nodes[p->cables[i].a].ports++;
        m->nodes[p->cables[i].b].ports++;
    }
    for (size_t i = 0; i < p->node_count; i++) {
        m->nodes[i].port = m->ports + used;
        used += m->nodes[i].ports;
    }
    for (size_t i = 0; i < p->cable_count; i++) {
        struct ho_model_cable *c = &m->cables[i];

        for (unsigned end = 0; end < 2; end++) {
            m->nodes[c->node[end]].port[c->port[end]] = (struct ho_model_port){ c, end };
        }
    }
    return 0;
}

static int build_node(struct ho_model *m, struct ho_model_node *n)
{
    int err = 0;

    if (n->ports == 0) {
        return 0; /* nothing ever comes there */
    }
    if (n->plan->kind == HO_NODE_SWITCH) {
        struct ho_switch *sw = calloc(1, sizeof(*sw));

        err = sw == NULL ? -ENOMEM
                         : ho_switch_init(sw, n->ports, m->plan->node_count * 2 + 16, &m->bufs);
        if (err != 0) {
            free(sw);
        } else {
            n->sw = sw;
        }
    } else if (n->plan->kind == HO_NODE_MIDDLEBOX) {
        struct ho_middlebox *box = calloc(1, sizeof(*box));

        err = box == NULL
                  ? -ENOMEM
                  : ho_middlebox_init(box, n->plan->resets ? HO_MIDDLEBOX_RST : HO_MIDDLEBOX_DROP,
                                      n->plan->forgets, BOX_FLOWS, &m->bufs);
        if (err != 0) {
            free(box);
        } else {
            n->box = box;
        }
    }
    return err;
}

int ho_model_wires_new(struct ho_model *m)
{
    const struct ho_plan *p = m->plan;
    int err;

    ho_pool_init(&m->flights, sizeof(struct ho_flight), FLIGHTS);
    m->cables = calloc(p->cable_count + 1, sizeof(*m->cables));
    if (m->cables == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < p->cable_count; i++) {
        cable_init(m, &m->cables[i], (uint16_t)i);
    }
    err = build_ports(m);
    for (size_t i = 0; i < p->node_count && err == 0; i++) {
        err = build_node(m, &m->nodes[i]);
    }
    return err;
}

void ho_model_wires_free(struct ho_model *m)
{
    for (size_t i = 0; m->cables != NULL && i < m->plan->cable_count; i++) {
        if (m->cables[i].built) {
            ho_cable_destroy(&m->cables[i].cable);
        }
    }
    for (size_t i = 0; m->nodes != NULL && i < m->plan->node_count; i++) {
        if (m->nodes[i].sw != NULL) {
            ho_switch_destroy(m->nodes[i].sw);
        }
        if (m->nodes[i].box != NULL) {
            ho_middlebox_destroy(m->nodes[i].box);
        }
        free(m->nodes[i].sw);
        free(m->nodes[i].box);
    }
    free(m->cables);
    free(m->ports);
    ho_pool_destroy(&m->flights);
}

/* ---- frames on their way --------------------------------------------------------------------- */

/* The frame enters the cable at `port`; consumed. */
static void enter(struct ho_model *m, const struct ho_model_port *port, struct ho_buf *b)
{
    struct ho_model_cable *c = port->cable;
    uint32_t index = b->tag[0];
    enum ho_fate fate = ho_cable_send(&c->cable, port->end, b, m->now);

    if (fate != HO_FATE_FWD) {
        ho_model_frame_lost(m, index, fate, c->name);
    }
    ho_model_arm(m, &c->due, ho_cable_deadline(&c->cable));
}

void ho_model_wires_send(struct ho_model *m, struct ho_model_node *n, int nic, struct ho_buf *b)
{
    b->tag[0] = m->tl != NULL ? ho_model_frame_sent(m, n, ho_buf_bytes(b), b->len) : 0;
    enter(m, &n->port[nic], b);
}

static bool is_for(const struct ho_model_node *n, unsigned port, const struct ho_buf *b)
{
    struct ho_wire_eth eth;
    struct ho_mac mac = n->plan->mac;

    mac.b[5] = (uint8_t)(mac.b[5] + port);
    return ho_wire_eth_read(&eth, b->data + b->head, b->len) == 0 &&
           (ho_mac_is_multicast(&eth.dst) || ho_mac_eq(&eth.dst, &mac));
}

static void arrive_host(struct ho_model *m, struct ho_model_node *n, unsigned port,
                        struct ho_buf *b)
{
    if (b->tag[0] != 0 && is_for(n, port, b)) {
        ho_model_frame_arrived(m, b->tag[0]);
    }
    ho_host_input(n->host, (int)port, b, m->now);
    ho_model_drain(m, n);
    ho_model_dirty(m, n);
}

static void arrive_switch(struct ho_model *m, struct ho_model_node *n, unsigned port,
                          struct ho_buf *b)
{
    uint32_t index = b->tag[0];
    enum ho_fate fate = ho_switch_input(n->sw, port, b);

    if (fate != HO_FATE_FWD) {
        ho_model_frame_lost(m, index, fate, n->name);
    }
    while ((b = ho_switch_output(n->sw, &port)) != NULL) {
        enter(m, &n->port[port], b);
    }
}

static void arrive_box(struct ho_model *m, struct ho_model_node *n, unsigned port, struct ho_buf *b)
{
    uint32_t index = b->tag[0];
    enum ho_fate fate = ho_middlebox_input(n->box, port, b, m->now);

    if (fate != HO_FATE_FWD) {
        ho_model_frame_lost(m, index, fate, n->name);
    }
    while ((b = ho_middlebox_output(n->box, &port)) != NULL) {
        if (fate != HO_FATE_FWD && m->tl != NULL) {
            b->tag[0] = ho_model_frame_sent(m, n, ho_buf_bytes(b), b->len); /* its own RST */
        }
        enter(m, &n->port[port], b);
    }
    ho_model_arm(m, &n->due, ho_middlebox_deadline(n->box));
}

void ho_model_wires_tick(struct ho_model *m, struct ho_model_cable *c)
{
    struct ho_buf *b;

    ho_cable_tick(&c->cable, m->now);
    for (unsigned end = 0; end < 2; end++) {
        struct ho_model_node *n = &m->nodes[c->node[end]];

        while ((b = ho_cable_receive(&c->cable, end)) != NULL) {
            if (n->host != NULL) {
                arrive_host(m, n, c->port[end], b);
                ho_model_settle(m); /* what this frame leads to, before the next one */
            } else if (n->sw != NULL) {
                arrive_switch(m, n, c->port[end], b);
            } else {
                arrive_box(m, n, c->port[end], b);
            }
        }
    }
    ho_model_arm(m, &c->due, ho_cable_deadline(&c->cable));
}

void ho_model_wires_forget(struct ho_model *m, struct ho_model_node *n)
{
    size_t flows = ho_middlebox_tick(n->box, m->now);

    if (m->tl != NULL && flows > 0) {
        ho_model_put(m, &(struct ho_record){ .kind = HO_REC_NOTE,
                                             .host = n->name,
                                             .u.note.text = "an idle flow is forgotten" });
    }
    ho_model_arm(m, &n->due, ho_middlebox_deadline(n->box));
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* Tells the node at `end` of its carrier, if it does not know. */
static void tell_carrier(struct ho_model *m, struct ho_model_cable *c, unsigned end)
{
    struct ho_model_node *n = &m->nodes[c->node[end]];
    bool on = ho_cable_carrier(&c->cable, end);

    if (c->carrier[end] == (on ? 1 : 0) || (n->host != NULL && !ho_host_is_up(n->host))) {
        return;
    }
    c->carrier[end] = on ? 1 : 0;
    if (n->host != NULL) {
        ho_host_carrier(n->host, c->port[end], on, m->linkwatch_ns, m->now);
        ho_model_drain(m, n);
        ho_model_dirty(m, n);
    } else if (n->sw != NULL) {
        ho_switch_port(n->sw, c->port[end], on);
    }
}

void ho_model_wires_changed(struct ho_model *m, struct ho_model_cable *c)
{
    enum ho_fate fate;
    struct ho_buf *b;

    while ((b = ho_cable_lost(&c->cable, &fate)) != NULL) {
        ho_model_frame_lost(m, b->tag[0], fate, c->name);
        ho_buf_put(&m->bufs, b);
    }
    for (unsigned end = 0; end < 2; end++) {
        tell_carrier(m, c, end);
    }
    ho_model_arm(m, &c->due, ho_cable_deadline(&c->cable));
}

void ho_model_wires_power(struct ho_model *m, struct ho_model_node *n, bool on)
{
    for (unsigned i = 0; i < n->ports; i++) {
        struct ho_model_cable *c = n->port[i].cable;

        ho_cable_power(&c->cable, n->port[i].end, on, m->now);
        if (!on) {
            c->carrier[n->port[i].end] = -1; /* it forgets; it is told when it has booted */
        }
        ho_model_wires_changed(m, c);
    }
}
