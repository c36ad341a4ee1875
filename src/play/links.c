/* Interfaces of the plan's hosts, and the links between them. */

#include "play/links.h"

#include <errno.h>
#include <stdlib.h>

struct ho_mac ho_play_mac(const struct ho_plan_node *n, unsigned port)
{
    struct ho_mac mac = n->mac;

    mac.b[5] = (uint8_t)(mac.b[5] + port);
    return mac;
}

unsigned ho_play_ports(const struct ho_plan *p, uint16_t node)
{
    unsigned n = 0;

    for (size_t i = 0; i < p->cable_count; i++) {
        n += p->cables[i].a == node ? 1u : 0u;
        n += p->cables[i].b == node ? 1u : 0u;
    }
    return n;
}

uint16_t ho_play_cable_at(const struct ho_plan *p, uint16_t node, unsigned port, unsigned *ret_end)
{
    for (size_t i = 0; i < p->cable_count; i++) {
        const struct ho_plan_cable *c = &p->cables[i];
        bool a = c->a == node && c->a_port == port;

        if (a || (c->b == node && c->b_port == port)) {
            *ret_end = a ? 0 : 1;
            return (uint16_t)i;
        }
    }
    return HO_PLAN_NONE;
}

/* A walk over one link. */
struct walk {
    const struct ho_plan *plan;
    uint16_t start, first; /* the interface's node and cable: no other cable of the node counts */
    uint8_t *seen; /* a byte a node; 1: the walk goes on from here; 2: a host, where it ends */
    struct ho_play_port *found;
    size_t n;
};

/* True if the walk goes along cable `i` to a new node: *ret_to. */
static bool along(const struct walk *w, size_t i, struct ho_play_port *ret_to)
{
    const struct ho_plan_cable *c = &w->plan->cables[i];
    bool from_a = w->seen[c->a] == 1 && (c->a != w->start || i == w->first);
    bool from_b = w->seen[c->b] == 1 && (c->b != w->start || i == w->first);

    *ret_to = from_a ? (struct ho_play_port){ c->b, c->b_port }
                     : (struct ho_play_port){ c->a, c->a_port };
    return from_a != from_b && w->seen[ret_to->node] == 0;
}

static void walk(struct walk *w)
{
    const struct ho_plan *p = w->plan;
    struct ho_play_port to;
    bool more = true;

    w->seen[w->start] = 1;
    while (more) {
        more = false;
        for (size_t i = 0; i < p->cable_count; i++) {
            if (!along(w, i, &to)) {
                continue;
            }
            w->seen[to.node] = p->nodes[to.node].kind == HO_NODE_HOST ? 2 : 1;
            more = true;
            if (w->seen[to.node] == 2) {
                w->found[w->n++] = to;
            }
        }
    }
}

int ho_play_link(const struct ho_plan *p, uint16_t node, unsigned port, struct ho_play_port **ret,
                 size_t *ret_n)
{
    unsigned end;
    struct walk w = { .plan = p, .start = node, .first = ho_play_cable_at(p, node, port, &end) };

    w.seen = calloc(p->node_count + 1, 1);
    w.found = calloc(p->node_count + 1, sizeof(*w.found));
    if (w.seen == NULL || w.found == NULL) {
        free(w.seen);
        free(w.found);
        return -ENOMEM;
    }
    walk(&w);
    free(w.seen);
    *ret = w.found;
    *ret_n = w.n;
    return 0;
}
