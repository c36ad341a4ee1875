/* A plan becomes a world: hosts with their interfaces, addresses and settings, then the cables
 * between them, then power.
 *
 * Interface k of a host is the end of its k-th cable (scenario/plan.h). Permanent neighbour
 * entries are made by walking from each interface through switches and middleboxes to the hosts
 * on the same link.
 */

#include "model/build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/world.h"
#include "wire/eth.h"

/* A host's own seed: hosts of one world must not draw the same numbers. */
static uint64_t host_seed(const struct ho_model *m, uint16_t index)
{
    struct ho_rng r;

    ho_rng_init(&r, m->plan->seed, 0x100u + index);
    return ho_rng_next(&r);
}

static struct ho_mac nic_mac(const struct ho_plan_node *n, unsigned k)
{
    struct ho_mac mac = n->mac;

    mac.b[5] = (uint8_t)(mac.b[5] + k);
    return mac;
}

/* Where node `node` has its port `port`; false if it has none. */
static bool port_of(const struct ho_plan *p, uint16_t node, unsigned port, uint16_t *ret_cable)
{
    for (size_t i = 0; i < p->cable_count; i++) {
        const struct ho_plan_cable *c = &p->cables[i];

        if ((c->a == node && c->a_port == port) || (c->b == node && c->b_port == port)) {
            *ret_cable = (uint16_t)i;
            return true;
        }
    }
    return false;
}

static int build_nics(struct ho_model *m, struct ho_model_node *n)
{
    uint16_t cable;
    int err = 0;

    for (unsigned k = 0; err >= 0 && port_of(m->plan, n->index, k, &cable); k++) {
        char name[HO_NAME_MAX];

        snprintf(name, sizeof(name), "eth%u", k);
        err = ho_host_add_nic(n->host, name, nic_mac(n->plan, k), HO_ETH_MTU);
    }
    for (unsigned i = 0; err >= 0 && i < n->plan->addr_count; i++) {
        const struct ho_plan_addr *a = &n->plan->addr[i];

        if (port_of(m->plan, n->index, a->ifindex, &cable)) {
            err = ho_host_addr_add(n->host, a->ifindex, &a->addr, a->bits, m->now);
        }
    }
    return err < 0 ? err : 0;
}

static int build_host(struct ho_model *m, struct ho_model_node *n)
{
    struct ho_host_conf conf = {
        .clk = { .hz = n->plan->hz, .jiffies0 = n->plan->jiffies0, .phase_ns = n->plan->phase_ns },
        .seed = host_seed(m, n->index),
        .bufs = &m->bufs,
        .max_sockets = HO_MODEL_SOCKETS,
    };
    int err, profile = ho_profile_find(n->plan->profile);

    conf.profile = profile >= 0 ? (enum ho_profile_id)profile : HO_PROFILE_6_18;

    snprintf(conf.name, sizeof(conf.name), "%s", n->plan->name);
    err = ho_host_new(&n->host, &conf);
    if (err == 0) {
        ho_host_record_lo(n->host, m->tl != NULL);
        err = build_nics(m, n);
    }
    return err;
}

/* ---- permanent neighbours -------------------------------------------------------------------- */

/* Tells `n` about every address of host `other`, met at its interface `port`. */
static int add_neighbours(struct ho_model *m, struct ho_model_node *n, int nic,
                          const struct ho_plan_node *other, unsigned port)
{
    int err = 0;

    for (unsigned i = 0; err == 0 && i < other->addr_count; i++) {
        if (other->addr[i].ifindex == port) {
            err =
                ho_host_neigh_add(n->host, nic, &other->addr[i].addr, nic_mac(other, port), m->now);
        }
    }
    return err;
}

/* Walks the link that begins at cable `first`, seen from `n`; `seen` has a byte a node. */
static int walk_link(struct ho_model *m, struct ho_model_node *n, int nic, uint16_t first,
                     uint8_t *seen)
{
    const struct ho_plan *p = m->plan;
    bool more = true;
    int err = 0;

    memset(seen, 0, p->node_count);
    seen[n->index] = 1;
    while (more && err == 0) {
        more = false;
        for (size_t i = 0; i < p->cable_count && err == 0; i++) {
            const struct ho_plan_cable *c = &p->cables[i];
            bool from_a = seen[c->a] == 1 && (c->a != n->index || i == first);
            bool from_b = seen[c->b] == 1 && (c->b != n->index || i == first);
            uint16_t to = from_a ? c->b : c->a;

            if (from_a == from_b || seen[to] != 0) {
                continue;
            }
            /* 1: the walk goes on from here; 2: a host, where it ends */
            seen[to] = p->nodes[to].kind == HO_NODE_HOST ? 2 : 1;
            more = true;
            if (seen[to] == 2) {
                err = add_neighbours(m, n, nic, &p->nodes[to], from_a ? c->b_port : c->a_port);
            }
        }
    }
    return err;
}

static int build_neighbours(struct ho_model *m)
{
    uint8_t *seen = calloc(m->plan->node_count + 1, 1);
    int err = seen != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; i < m->plan->node_count && err == 0; i++) {
        struct ho_model_node *n = &m->nodes[i];
        uint16_t cable;

        if (n->host == NULL || !n->plan->neighbours_static) {
            continue;
        }
        for (unsigned k = 0; err == 0 && port_of(m->plan, n->index, k, &cable); k++) {
            err = walk_link(m, n, (int)k, cable, seen);
        }
    }
    free(seen);
    return err;
}

/* ---- settings -------------------------------------------------------------------------------- */

static int refuse(struct ho_model *m, const struct ho_step *step, const char *what)
{
    snprintf(m->why, sizeof(m->why), "line %u: %s", step->line, what);
    return -EINVAL;
}

static int configure_sysctl(struct ho_model *m, const struct ho_step *step)
{
    const struct ho_plan_sysctl *s = &step->u.sysctl;
    const char *name = ho_sysctl_info((enum ho_sysctl)s->id)->name;
    int profile = ho_profile_find(m->plan->nodes[s->host].profile);

    if (profile >= 0 &&
        !ho_profile_has_sysctl((enum ho_profile_id)profile, (enum ho_sysctl)s->id)) {
        return refuse(m, step, "the host's kernel does not have this sysctl");
    }
    if (ho_sysctl_parse(ho_host_sysctls(m->nodes[s->host].host), name, s->text) != 0) {
        return refuse(m, step, "the sysctl does not take this value");
    }
    return 0;
}

static int configure_route(struct ho_model *m, const struct ho_step *step)
{
    const struct ho_plan_route *r = &step->u.net.u.route;
    struct ho_host *h = m->nodes[step->host].host;
    int err = step->u.net.up ? ho_host_route_add(h, r->ifindex, &r->net, r->bits,
                                                 r->has_via ? &r->via : NULL, m->now)
                             : ho_host_route_del(h, r->ifindex, &r->net, r->bits, m->now);

    if (err == -EEXIST || err == -ESRCH) {
        return refuse(m, step, err == -EEXIST ? "the route is there already" : "no such route");
    }
    return err;
}

static int configure_neighbour(struct ho_model *m, const struct ho_step *step)
{
    struct ho_host *h = m->nodes[step->host].host;
    const struct ho_addr *a = &step->u.net.u.neighbour.addr;
    int err = step->u.net.up ? ho_host_neigh_add(h, step->u.net.ifindex, a,
                                                 step->u.net.u.neighbour.mac, m->now)
                             : ho_host_neigh_del(h, step->u.net.ifindex, a, m->now);

    return err == 0 || err == -ENOMEM ? err : refuse(m, step, "no such neighbour entry");
}

int ho_model_configure(struct ho_model *m, const struct ho_step *step)
{
    switch (step->kind) {
    case HO_STEP_SYSCTL:
        return configure_sysctl(m, step);
    case HO_STEP_ROUTE:
        return configure_route(m, step);
    case HO_STEP_NEIGHBOUR:
        return configure_neighbour(m, step);
    default:
        return refuse(m, step, "not a setting");
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int build_nodes(struct ho_model *m)
{
    const struct ho_plan *p = m->plan;
    int err = 0;

    m->nodes = calloc(p->node_count + 1, sizeof(*m->nodes));
    m->procs = calloc(p->proc_count + 1, sizeof(*m->procs));
    if (m->nodes == NULL || m->procs == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < p->proc_count; i++) {
        m->procs[i].index = (uint16_t)i;
        m->procs[i].node = p->procs[i].host;
        m->procs[i].name = p->procs[i].name;
    }
    for (size_t i = 0; i < p->node_count && err == 0; i++) {
        struct ho_model_node *n = &m->nodes[i];

        n->plan = &p->nodes[i];
        n->index = (uint16_t)i;
        n->name = n->plan->name;
        n->due.node = n;
        n->due.at = HO_NEVER;
        n->generation = UINT64_MAX;
        ho_list_init(&n->ends);
        if (n->plan->kind == HO_NODE_HOST) {
            err = build_host(m, n);
        }
    }
    return err;
}

/* Names in records must outlive the timeline's other sources: the timeline keeps its own. */
static void intern_names(struct ho_model *m)
{
    for (size_t i = 0; i < m->plan->node_count; i++) {
        m->nodes[i].name = ho_model_name(m, m->plan->nodes[i].name);
    }
    for (size_t i = 0; i < m->plan->proc_count; i++) {
        m->procs[i].name = ho_model_name(m, m->plan->procs[i].name);
    }
}

int ho_model_build(struct ho_model *m)
{
    int err;

    ho_model_conns_init(m);
    err = build_nodes(m);
    if (err == 0) {
        intern_names(m);
    }
    if (err == 0) {
        err = ho_model_wires_new(m);
    }
    if (err == 0) {
        err = build_neighbours(m);
    }
    for (size_t i = 0; i < m->plan->setup_count && err == 0; i++) {
        err = ho_model_configure(m, &m->plan->setup[i]);
    }
    if (err != 0) {
        ho_model_fail(m, err, m->why[0] != '\0' ? m->why : "the world cannot be built");
        return err;
    }
    if (m->tl != NULL) {
        ho_model_settings(m);
    }
    for (size_t i = 0; i < m->plan->node_count; i++) {
        if (m->nodes[i].host != NULL) {
            ho_host_boot(m->nodes[i].host, m->now);
            ho_model_dirty(m, &m->nodes[i]);
        }
    }
    ho_model_settle(m);
    return m->err;
}

void ho_model_demolish(struct ho_model *m)
{
    if (m->plan != NULL) {
        ho_model_wires_free(m);
        for (size_t i = 0; m->nodes != NULL && i < m->plan->node_count; i++) {
            ho_host_free(m->nodes[i].host);
            free(m->nodes[i].neigh);
        }
        for (size_t i = 0; m->procs != NULL && i < m->plan->proc_count; i++) {
            ho_model_proc_free(&m->procs[i]);
        }
        ho_model_conns_free(m);
    }
    ho_model_guests_free(m);
    free(m->procs);
    free(m->nodes);
    ho_bufpool_destroy(&m->bufs);
    ho_timeline_destroy(&m->names);
}
