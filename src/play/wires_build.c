/* A plan's cables, switches and middleboxes, built and joined. */

#include "play/wires.h"

#include <errno.h>
#include <stdlib.h>

#define FLIGHTS (1u << 22) /* frames under way in a world */
#define BOX_FLOWS 65536    /* that a middlebox remembers */
#define STREAM 0x10000u    /* random numbers of the first cable; each takes two */

static void cable_init(struct ho_wires *w, struct ho_wires_cable *c, size_t index)
{
    const struct ho_plan *plan = w->tr->plan;
    const struct ho_plan_cable *p = &plan->cables[index];
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

    c->node[0] = p->a;
    c->node[1] = p->b;
    c->port[0] = p->a_port;
    c->port[1] = p->b_port;
    c->carrier[0] = 1;
    c->carrier[1] = 1;
    c->part.at = HO_NEVER;
    c->part.index = index;
    ho_cable_init(&c->cable, both, plan->seed, STREAM + 2u * index, w->bufs, &w->flights);
    c->built = true;
}

/* Gives every node the part of w->port that is its own. */
static void build_ports(struct ho_wires *w)
{
    const struct ho_plan *p = w->tr->plan;
    size_t used = 0;

    for (size_t i = 0; i < p->cable_count; i++) {
        w->node[p->cables[i].a].ports++;
        w->node[p->cables[i].b].ports++;
    }
    for (size_t i = 0; i < p->node_count; i++) {
        w->node[i].port = w->port + used;
        used += w->node[i].ports;
    }
    for (size_t i = 0; i < p->cable_count; i++) {
        struct ho_wires_cable *c = &w->cable[i];

        for (unsigned end = 0; end < 2; end++) {
            w->node[c->node[end]].port[c->port[end]] = (struct ho_wires_port){ c, end };
        }
    }
}

static int build_switch(struct ho_wires *w, struct ho_wires_node *n)
{
    struct ho_switch *sw = calloc(1, sizeof(*sw));
    int err = sw == NULL ? -ENOMEM
                         : ho_switch_init(sw, n->ports, w->tr->plan->node_count * 2 + 16, w->bufs);

    if (err != 0) {
        free(sw);
        return err;
    }
    n->sw = sw;
    return 0;
}

static int build_box(struct ho_wires *w, struct ho_wires_node *n, const struct ho_plan_node *plan)
{
    struct ho_middlebox *box = calloc(1, sizeof(*box));
    int err = box == NULL
                  ? -ENOMEM
                  : ho_middlebox_init(box, plan->resets ? HO_MIDDLEBOX_RST : HO_MIDDLEBOX_DROP,
                                      plan->forgets, BOX_FLOWS, w->bufs);

    if (err != 0) {
        free(box);
        return err;
    }
    n->box = box;
    return 0;
}

static int build_node(struct ho_wires *w, size_t index)
{
    const struct ho_plan_node *plan = &w->tr->plan->nodes[index];
    struct ho_wires_node *n = &w->node[index];

    if (n->ports == 0) {
        return 0; /* nothing ever comes there */
    }
    if (plan->kind == HO_NODE_SWITCH) {
        return build_switch(w, n);
    }
    return plan->kind == HO_NODE_MIDDLEBOX ? build_box(w, n, plan) : 0;
}

int ho_wires_init(struct ho_wires *w, struct ho_trace *tr, struct ho_bufpool *bufs)
{
    const struct ho_plan *p = tr->plan;
    int err = 0;

    *w = (struct ho_wires){ .tr = tr, .bufs = bufs };
    ho_list_init(&w->armed);
    ho_pool_init(&w->flights, sizeof(struct ho_flight), FLIGHTS);
    w->cable = calloc(p->cable_count + 1, sizeof(*w->cable));
    w->node = calloc(p->node_count + 1, sizeof(*w->node));
    w->port = calloc(2 * p->cable_count + 1, sizeof(*w->port));
    if (w->cable == NULL || w->node == NULL || w->port == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < p->cable_count; i++) {
        cable_init(w, &w->cable[i], i);
    }
    build_ports(w);
    for (size_t i = 0; i < p->node_count; i++) {
        w->node[i].part.at = HO_NEVER;
        w->node[i].part.index = p->cable_count + i;
    }
    for (size_t i = 0; i < p->node_count && err == 0; i++) {
        err = build_node(w, i);
    }
    return err;
}

void ho_wires_destroy(struct ho_wires *w)
{
    if (w->tr == NULL) {
        return;
    }
    for (size_t i = 0; w->cable != NULL && i < w->tr->plan->cable_count; i++) {
        if (w->cable[i].built) {
            ho_cable_destroy(&w->cable[i].cable);
        }
    }
    for (size_t i = 0; w->node != NULL && i < w->tr->plan->node_count; i++) {
        if (w->node[i].sw != NULL) {
            ho_switch_destroy(w->node[i].sw);
        }
        if (w->node[i].box != NULL) {
            ho_middlebox_destroy(w->node[i].box);
        }
        free(w->node[i].sw);
        free(w->node[i].box);
    }
    free(w->cable);
    free(w->node);
    free(w->port);
    ho_pool_destroy(&w->flights);
    *w = (struct ho_wires){ 0 };
}
