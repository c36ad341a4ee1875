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
#include "play/links.h"
#include "play/settings.h"
#include "wire/eth.h"

/* A host's own seed: hosts of one world must not draw the same numbers. */
static uint64_t host_seed(const struct ho_model *m, uint16_t index)
{
    struct ho_rng r;

    ho_rng_init(&r, m->plan->seed, 0x100u + index);
    return ho_rng_next(&r);
}

static int build_nics(struct ho_model *m, struct ho_model_node *n)
{
    unsigned ports = ho_play_ports(m->plan, n->index);
    int err = 0;

    for (unsigned k = 0; err >= 0 && k < ports; k++) {
        char name[HO_NAME_MAX];

        snprintf(name, sizeof(name), "eth%u", k);
        err = ho_host_add_nic(n->host, name, ho_play_mac(n->plan, k), HO_ETH_MTU);
    }
    for (unsigned i = 0; err >= 0 && i < n->plan->addr_count; i++) {
        const struct ho_plan_addr *a = &n->plan->addr[i];

        if (a->ifindex < ports) {
            err = ho_host_addr_add(n->host, a->ifindex, &a->addr, a->bits, m->tr.now);
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
        ho_host_record_lo(n->host, m->tr.tl != NULL);
        err = build_nics(m, n);
    }
    return err;
}

/* ---- permanent neighbours -------------------------------------------------------------------- */

/* Tells `n` about every address of the host that it meets at `met`. */
static int add_neighbours(struct ho_model *m, struct ho_model_node *n, int nic,
                          struct ho_play_port met)
{
    const struct ho_plan_node *other = &m->plan->nodes[met.node];
    int err = 0;

    for (unsigned i = 0; err == 0 && i < other->addr_count; i++) {
        if (other->addr[i].ifindex == met.port) {
            err = ho_host_neigh_add(n->host, nic, &other->addr[i].addr,
                                    ho_play_mac(other, met.port), m->tr.now);
        }
    }
    return err;
}

static int build_link(struct ho_model *m, struct ho_model_node *n, unsigned nic)
{
    struct ho_play_port *met;
    size_t count;
    int err = ho_play_link(m->plan, n->index, nic, &met, &count);

    if (err != 0) {
        return err;
    }
    for (size_t i = 0; i < count && err == 0; i++) {
        err = add_neighbours(m, n, (int)nic, met[i]);
    }
    free(met);
    return err;
}

static int build_neighbours(struct ho_model *m)
{
    int err = 0;

    for (size_t i = 0; i < m->plan->node_count && err == 0; i++) {
        struct ho_model_node *n = &m->nodes[i];
        unsigned nics =
            n->host != NULL && n->plan->neighbours_static ? ho_play_ports(m->plan, n->index) : 0;

        for (unsigned k = 0; err == 0 && k < nics; k++) {
            err = build_link(m, n, k);
        }
    }
    return err;
}

/* ---- settings -------------------------------------------------------------------------------- */

static int refuse(struct ho_model *m, const struct ho_step *step, const char *what)
{
    snprintf(m->tr.why, sizeof(m->tr.why), "line %u: %s", step->line, what);
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
                                                 r->has_via ? &r->via : NULL, m->tr.now)
                             : ho_host_route_del(h, r->ifindex, &r->net, r->bits, m->tr.now);

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
                                                 step->u.net.u.neighbour.mac, m->tr.now)
                             : ho_host_neigh_del(h, step->u.net.ifindex, a, m->tr.now);

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
        m->procs[i].play.node = p->procs[i].host;
        m->procs[i].play.name = m->tr.proc[i];
    }
    for (size_t i = 0; i < p->node_count && err == 0; i++) {
        struct ho_model_node *n = &m->nodes[i];

        n->plan = &p->nodes[i];
        n->index = (uint16_t)i;
        n->due.node = n;
        n->due.at = HO_NEVER;
        n->generation = UINT64_MAX;
        if (n->plan->kind == HO_NODE_HOST) {
            err = build_host(m, n);
        }
    }
    return err;
}

static void write_settings(struct ho_model *m)
{
    ho_trace_settings_run(&m->tr, "model");
    for (size_t i = 0; i < m->plan->node_count; i++) {
        const struct ho_plan_node *p = &m->plan->nodes[i];

        if (m->nodes[i].host != NULL) {
            ho_trace_settings_host(&m->tr, (uint16_t)i,
                                   &(struct ho_play_host){
                                       .has_hz = true,
                                       .has_jiffies0 = true,
                                       .has_phase = true,
                                       .hz = p->hz,
                                       .jiffies0 = p->jiffies0,
                                       .phase_ns = p->phase_ns,
                                       .profile = p->profile,
                                       .sysctls = ho_host_sysctls(m->nodes[i].host),
                                   });
        }
    }
    ho_trace_settings_cables(&m->tr);
}

int ho_model_build(struct ho_model *m, struct ho_timeline *timeline)
{
    int err = ho_trace_begin(&m->tr, m->plan, timeline);

    if (err == 0) {
        err = build_nodes(m);
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
        ho_trace_fail(&m->tr, err, m->tr.why[0] != '\0' ? m->tr.why : "the world cannot be built");
        return err;
    }
    write_settings(m);
    for (size_t i = 0; i < m->plan->node_count; i++) {
        if (m->nodes[i].host != NULL) {
            ho_host_boot(m->nodes[i].host, m->tr.now);
            ho_model_dirty(m, &m->nodes[i]);
        }
    }
    ho_model_settle(m);
    return m->tr.err;
}

void ho_model_demolish(struct ho_model *m)
{
    if (m->plan != NULL) {
        ho_model_wires_free(m);
        for (size_t i = 0; m->nodes != NULL && i < m->plan->node_count; i++) {
            ho_host_free(m->nodes[i].host);
        }
        for (size_t i = 0; m->procs != NULL && i < m->plan->proc_count; i++) {
            ho_model_proc_free(&m->procs[i]);
        }
    }
    ho_model_guests_free(m);
    free(m->procs);
    free(m->nodes);
    ho_bufpool_destroy(&m->bufs);
    ho_trace_destroy(&m->tr);
}
