/* Frames on their way through cables, switches and middleboxes of src/link, and what is done to
 * these. wires_build.c joins them.
 */

#include "play/wires.h"

#include <assert.h>

#include "play/faults.h"
#include "play/frames.h"
#include "play/links.h"
#include "wire/eth.h"

unsigned ho_wires_ports(const struct ho_wires *w, uint16_t node)
{
    return w->node[node].ports;
}

/* ---- deadlines ------------------------------------------------------------------------------- */

static void arm(struct ho_wires *w, struct ho_wires_part *part, struct ho_time at)
{
    if (at.ns == part->at.ns) {
        return;
    }
    part->at = at;
    if (ho_list_linked(&part->armed)) {
        ho_list_remove(&part->armed);
    }
    ho_list_push(&w->armed, &part->armed);
}

static void arm_cable(struct ho_wires *w, struct ho_wires_cable *c)
{
    arm(w, &c->part, ho_cable_deadline(&c->cable));
}

static struct ho_wires_part *part_at(const struct ho_wires *w, size_t part)
{
    size_t cables = w->tr->plan->cable_count;

    return part < cables ? &w->cable[part].part : &w->node[part - cables].part;
}

bool ho_wires_armed(struct ho_wires *w, size_t *ret_part, struct ho_time *ret_at)
{
    struct ho_wires_part *part;

    if (ho_list_empty(&w->armed)) {
        return false;
    }
    part = ho_container(w->armed.next, struct ho_wires_part, armed);
    ho_list_remove(&part->armed);
    *ret_part = part->index;
    *ret_at = part->at;
    return true;
}

static size_t parts(const struct ho_wires *w)
{
    return w->tr->plan->cable_count + w->tr->plan->node_count;
}

struct ho_time ho_wires_deadline(const struct ho_wires *w)
{
    struct ho_time at = HO_NEVER;

    for (size_t i = 0; i < parts(w); i++) {
        at = ho_time_min(at, part_at(w, i)->at);
    }
    return at;
}

/* ---- frames on their way --------------------------------------------------------------------- */

static uint16_t index_of(const struct ho_wires *w, const struct ho_wires_node *n)
{
    return (uint16_t)(n - w->node);
}

static const char *cable_name(const struct ho_wires *w, const struct ho_wires_cable *c)
{
    return w->tr->cable[c - w->cable];
}

/* The frame enters the cable at `port`; consumed. */
static void enter(struct ho_wires *w, const struct ho_wires_port *port, struct ho_buf *b)
{
    struct ho_wires_cable *c = port->cable;
    uint32_t index = b->tag[0];
    enum ho_fate fate = ho_cable_send(&c->cable, port->end, b, w->tr->now);

    if (fate != HO_FATE_FWD) {
        ho_trace_frame_lost(w->tr, index, fate, cable_name(w, c));
    }
    arm_cable(w, c);
}

void ho_wires_send(struct ho_wires *w, uint16_t node, unsigned port, struct ho_buf *frame,
                   struct ho_time now)
{
    struct ho_trace *tr = w->tr;

    tr->now = now;
    frame->tag[0] =
        tr->tl != NULL ? ho_trace_frame_sent(tr, node, ho_buf_bytes(frame), frame->len) : 0;
    enter(w, &w->node[node].port[port], frame);
}

static bool is_for(const struct ho_wires *w, uint16_t node, unsigned port, const struct ho_buf *b)
{
    struct ho_wire_eth eth;
    struct ho_mac mac = ho_play_mac(&w->tr->plan->nodes[node], port);

    return ho_wire_eth_read(&eth, b->data + b->head, b->len) == 0 &&
           (ho_mac_is_multicast(&eth.dst) || ho_mac_eq(&eth.dst, &mac));
}

static void through_switch(struct ho_wires *w, struct ho_wires_node *n, unsigned port,
                           struct ho_buf *b)
{
    uint32_t index = b->tag[0];
    enum ho_fate fate = ho_switch_input(n->sw, port, b);

    if (fate != HO_FATE_FWD) {
        ho_trace_frame_lost(w->tr, index, fate, w->tr->node[index_of(w, n)].name);
    }
    while ((b = ho_switch_output(n->sw, &port)) != NULL) {
        enter(w, &n->port[port], b);
    }
}

static void through_box(struct ho_wires *w, struct ho_wires_node *n, unsigned port,
                        struct ho_buf *b)
{
    uint16_t node = index_of(w, n);
    uint32_t index = b->tag[0];
    enum ho_fate fate = ho_middlebox_input(n->box, port, b, w->tr->now);

    if (fate != HO_FATE_FWD) {
        ho_trace_frame_lost(w->tr, index, fate, w->tr->node[node].name);
    }
    while ((b = ho_middlebox_output(n->box, &port)) != NULL) {
        if (fate != HO_FATE_FWD && w->tr->tl != NULL) { /* its own RST */
            b->tag[0] = ho_trace_frame_sent(w->tr, node, ho_buf_bytes(b), b->len);
        }
        enter(w, &n->port[port], b);
    }
    arm(w, &n->part, ho_middlebox_deadline(n->box));
}

/* ---- waking and receiving -------------------------------------------------------------------- */

static void forget(struct ho_wires *w, struct ho_wires_node *n)
{
    size_t flows = ho_middlebox_tick(n->box, w->tr->now);

    if (flows > 0) {
        ho_trace_note(w->tr, w->tr->node[index_of(w, n)].name, "an idle flow is forgotten");
    }
    arm(w, &n->part, ho_middlebox_deadline(n->box));
}

static void tick_part(struct ho_wires *w, size_t part)
{
    size_t cables = w->tr->plan->cable_count;

    /* Whoever keeps it has taken it out; that it is armed for the same instant again is news. */
    part_at(w, part)->at = HO_NEVER;
    if (part >= cables) {
        forget(w, &w->node[part - cables]);
        return;
    }
    w->ticking = &w->cable[part];
    w->tick_end = 0;
    ho_cable_tick(&w->ticking->cable, w->tr->now);
}

void ho_wires_tick_part(struct ho_wires *w, size_t part, struct ho_time now)
{
    assert(w->ticking == NULL);
    w->tr->now = now;
    tick_part(w, part);
}

void ho_wires_tick(struct ho_wires *w, struct ho_time now)
{
    assert(w->ticking == NULL);
    w->tr->now = now;
    w->tick_all = true;
}

/* Begins with the next part that is due, the earliest first. False if there is none. */
static bool tick_next(struct ho_wires *w)
{
    size_t best = 0;

    for (size_t i = 1; i < parts(w); i++) {
        if (ho_time_before(part_at(w, i)->at, part_at(w, best)->at)) {
            best = i;
        }
    }
    if (parts(w) == 0 || !ho_time_reached(part_at(w, best)->at, w->tr->now)) {
        w->tick_all = false;
        return false;
    }
    tick_part(w, best);
    return true;
}

/* The next frame for a host from the cable that ticks. */
static struct ho_buf *receive(struct ho_wires *w, uint16_t *ret_node, unsigned *ret_port)
{
    struct ho_wires_cable *c = w->ticking;
    struct ho_buf *b;

    while (w->tick_end < 2) {
        unsigned port = c->port[w->tick_end];
        uint16_t node = c->node[w->tick_end];
        struct ho_wires_node *n = &w->node[node];

        b = ho_cable_receive(&c->cable, w->tick_end);
        if (b == NULL) {
            w->tick_end++;
        } else if (n->sw != NULL) {
            through_switch(w, n, port, b);
        } else if (n->box != NULL) {
            through_box(w, n, port, b);
        } else {
            *ret_node = node;
            *ret_port = port;
            return b;
        }
    }
    w->ticking = NULL;
    arm_cable(w, c);
    return NULL;
}

struct ho_buf *ho_wires_receive(struct ho_wires *w, uint16_t *ret_node, unsigned *ret_port)
{
    struct ho_buf *b;

    do {
        b = w->ticking != NULL ? receive(w, ret_node, ret_port) : NULL;
    } while (b == NULL && w->tick_all && tick_next(w));
    if (b != NULL && b->tag[0] != 0 && is_for(w, *ret_node, *ret_port, b)) {
        ho_trace_frame_arrived(w->tr, b->tag[0]);
    }
    return b;
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* After something was done to a cable: frames that were lost on their way get their fate, and
 * carrier is to be told.
 */
static void changed(struct ho_wires *w, struct ho_wires_cable *c)
{
    enum ho_fate fate;
    struct ho_buf *b;

    assert(w->telling == NULL);
    while ((b = ho_cable_lost(&c->cable, &fate)) != NULL) {
        ho_trace_frame_lost(w->tr, b->tag[0], fate, cable_name(w, c));
        ho_buf_put(w->bufs, b);
    }
    w->telling = c;
    w->tell_end = 0;
}

/* True with *ret filled if the host at `end` is to be told of its carrier. */
static bool tell(struct ho_wires *w, struct ho_wires_cable *c, unsigned end,
                 struct ho_wires_carrier *ret)
{
    struct ho_wires_node *n = &w->node[c->node[end]];
    bool on = ho_cable_carrier(&c->cable, end);

    if (c->carrier[end] == (on ? 1 : 0) || c->cable.power_off[end]) {
        return false;
    }
    c->carrier[end] = on ? 1 : 0;
    if (n->sw != NULL) {
        ho_switch_port(n->sw, c->port[end], on);
    }
    if (w->tr->plan->nodes[c->node[end]].kind != HO_NODE_HOST) {
        return false;
    }
    *ret = (struct ho_wires_carrier){ c->node[end], c->port[end], on };
    return true;
}

bool ho_wires_carrier(struct ho_wires *w, struct ho_wires_carrier *ret)
{
    struct ho_wires_cable *c = w->telling;

    if (c == NULL) {
        return false;
    }
    while (w->tell_end < 2) {
        if (tell(w, c, w->tell_end++, ret)) {
            return true;
        }
    }
    w->telling = NULL;
    arm_cable(w, c);
    return false;
}

void ho_wires_power(struct ho_wires *w, uint16_t node, unsigned port, bool on, struct ho_time now)
{
    struct ho_wires_port *p = &w->node[node].port[port];

    w->tr->now = now;
    ho_cable_power(&p->cable->cable, p->end, on, now);
    if (!on) {
        p->cable->carrier[p->end] = -1; /* it forgets; it is told when it has booted */
    }
    changed(w, p->cable);
}

/* A direction as the ends that send into it (link/cable.h). */
static unsigned ways_of(enum ho_direction d)
{
    return d == HO_A_TO_B ? 1u : d == HO_B_TO_A ? 2u : HO_CABLE_BOTH_WAYS;
}

/* What the scenario calls a frame, as conditions on its bytes. */
static struct ho_match match_of(enum ho_frame_kind kind)
{
    static const uint8_t syn_ack = HO_TCP_SYN | HO_TCP_ACK;
    static const uint8_t control = HO_TCP_SYN | HO_TCP_FIN | HO_TCP_RST | HO_TCP_ACK;

    switch (kind) {
    case HO_FRAME_SEGMENT:
        return (struct ho_match){ .what = HO_MATCH_TCP };
    case HO_FRAME_SYN:
        return (struct ho_match){ HO_MATCH_TCP, syn_ack, HO_TCP_SYN, HO_MATCH_EITHER, 0 };
    case HO_FRAME_SYN_ACK:
        return (struct ho_match){ HO_MATCH_TCP, syn_ack, syn_ack, HO_MATCH_EITHER, 0 };
    case HO_FRAME_ACK:
        return (struct ho_match){ HO_MATCH_TCP, control, HO_TCP_ACK, HO_MATCH_WITHOUT_PAYLOAD, 0 };
    case HO_FRAME_DATA:
        return (struct ho_match){ HO_MATCH_TCP, 0, 0, HO_MATCH_WITH_PAYLOAD, 0 };
    case HO_FRAME_FIN:
        return (struct ho_match){ HO_MATCH_TCP, HO_TCP_FIN, HO_TCP_FIN, HO_MATCH_EITHER, 0 };
    case HO_FRAME_RST:
        return (struct ho_match){ HO_MATCH_TCP, HO_TCP_RST, HO_TCP_RST, HO_MATCH_EITHER, 0 };
    case HO_FRAME_ARP:
        return (struct ho_match){ .what = HO_MATCH_ND };
    case HO_FRAME_ICMP:
        return (struct ho_match){ .what = HO_MATCH_ICMP };
    default:
        return (struct ho_match){ .what = HO_MATCH_ANY };
    }
}

int ho_wires_fault(struct ho_wires *w, uint16_t cable, const struct ho_step *step,
                   struct ho_time now)
{
    struct ho_wires_cable *c = &w->cable[cable];
    const struct ho_plan_drop *d = &step->u.drop;
    struct ho_match match;

    assert(cable == step->cable);
    w->tr->now = now;
    ho_trace_fault(w->tr, step);
    switch (step->kind) {
    case HO_STEP_CUT:
        ho_cable_cut(&c->cable, ways_of(step->u.direction), now);
        break;
    case HO_STEP_UNPLUG:
        ho_cable_unplug(&c->cable, step->u.end, now);
        break;
    case HO_STEP_PLUG:
        ho_cable_plug(&c->cable, now);
        break;
    default:
        assert(step->kind == HO_STEP_DROP);
        match = match_of(d->kind);
        if (ho_cable_drop_next(&c->cable, ways_of(d->direction), &match, d->count) != 0) {
            return ho_trace_refuse(w->tr, cable_name(w, c),
                                   "too many orders to drop frames are in force");
        }
        return 0;
    }
    changed(w, c);
    return 0;
}
