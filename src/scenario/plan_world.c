/* Hosts, cables and what holds from the start. */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "knobs/profile.h"
#include "scenario/make.h"

/* Streams of the seed (base/rng.h): one a host. */
#define STREAM_JIFFIES 0x4a1fu

/* A starting jiffy spreads over more than the widest step of the wheel (2^21 jiffies at most). */
#define JIFFIES_DRAWN (1u << 30)

static int add_prefixes(struct ho_maker *m, const struct ho_scn_line *line,
                        struct ho_plan_node *node, const char *place, uint8_t ifindex)
{
    uint32_t count;
    const struct ho_scn_arg *a = ho_resolve_args(m, line, place, &count);

    for (uint32_t i = 0; i < count; i++) {
        struct ho_plan_addr *slot = &node->addr[node->addr_count];
        if (node->addr_count == HO_PLAN_ADDRS) {
            return ho_maker_refuse(m, line, &a[i], "more than %d addresses", HO_PLAN_ADDRS);
        }
        bool ok = ho_prefix_read(a[i].text, &slot->addr, &slot->bits);
        assert(ok);
        (void)ok;
        slot->ifindex = ifindex;
        node->addr_count++;
    }
    return 0;
}

/* The n-th host, from 1, has 10.0.0.n/24 and fd00::n/64. */
static void default_addresses(struct ho_plan_node *node, uint8_t n)
{
    struct ho_addr v6 = { { 0xfd } };

    v6.b[15] = n;
    node->addr[0] = (struct ho_plan_addr){ .addr = ho_addr_v4(10, 0, 0, n), .bits = 24 };
    node->addr[1] = (struct ho_plan_addr){ .addr = v6, .bits = 64 };
    node->addr_count = 2;
}

/* HZ and the starting jiffy: the command line's, the host's, the file's, the default. */
static int set_clock(struct ho_maker *m, const struct ho_scn_line *line, struct ho_plan_node *node,
                     uint64_t stream)
{
    int64_t hz = 250, jiffy = -1;
    struct ho_rng rng;

    for (size_t i = 0; i < m->s->line_count; i++) {
        const struct ho_scn_line *l = &m->s->lines[i];
        int err = 0;
        if (l->form == HO_FORM_HZ) {
            err = ho_resolve_number(m, l, "hz", HO_TYPE_HZ, hz, &hz);
        } else if (l->form == HO_FORM_JIFFY) {
            err = ho_resolve_number(m, l, "jiffy", HO_TYPE_NUMBER, jiffy, &jiffy);
        }
        if (err != 0) {
            return err;
        }
    }
    int err = ho_resolve_number(m, line, "hz", HO_TYPE_HZ, hz, &hz);
    if (err == 0) {
        err = ho_resolve_number(m, line, "jiffy", HO_TYPE_NUMBER, jiffy, &jiffy);
    }
    if (err != 0) {
        return err;
    }
    node->hz = m->o.has_hz ? m->o.hz : (uint32_t)hz;
    ho_rng_init(&rng, m->plan->seed, STREAM_JIFFIES + stream);
    node->jiffies0 = ho_rng_below(&rng, JIFFIES_DRAWN);
    uint64_t jiffy_ns = (uint64_t)HO_NS_PER_S / (node->hz != 0 ? node->hz : 1000);
    node->phase_ns = (int64_t)ho_rng_below(&rng, jiffy_ns);
    if (m->o.has_jiffy || jiffy >= 0) {
        node->jiffies0 = m->o.has_jiffy ? m->o.jiffies0 : (uint64_t)jiffy;
        node->phase_ns = 0;
    }
    return 0;
}

static int add_host(struct ho_maker *m, const struct ho_scn_line *line, struct ho_plan_node *node)
{
    const struct ho_scn_arg *profile = ho_scn_arg(m->s, line, "profile");
    const struct ho_scn_arg *mac = ho_scn_arg(m->s, line, "mac");
    uint8_t n = 1;

    for (const struct ho_plan_node *other = m->plan->nodes; other < node; other++) {
        n = (uint8_t)(n + (other->kind == HO_NODE_HOST));
    }
    int err = add_prefixes(m, line, node, "address", 0);
    if (err == 0) {
        err = add_prefixes(m, line, node, "address1", 1);
    }
    if (err != 0) {
        return err;
    }
    if (node->addr_count == 0) {
        default_addresses(node, n);
    }
    node->kind = HO_NODE_HOST;
    node->profile = profile != NULL ? profile->text : "linux-6.18";
    node->neighbours_static = m->neighbours_static;
    node->mac = (struct ho_mac){ { 2, 0, 0, 0, n, 0 } };
    if (mac != NULL) {
        ho_mac_read(mac->text, &node->mac);
    }
    m->plan->procs[m->plan->proc_count++] =
        (struct ho_plan_proc){ .host = (uint16_t)(node - m->plan->nodes), .name = "app" };
    return set_clock(m, line, node, n);
}

static int add_node(struct ho_maker *m, const struct ho_scn_line *line)
{
    const struct ho_scn_arg *name = ho_scn_arg(m->s, line, "name");
    int64_t idle;

    if (m->plan->node_count == HO_PLAN_NODES_MAX) {
        return ho_maker_refuse(m, line, name, "more than %d hosts, switches and middleboxes",
                               HO_PLAN_NODES_MAX);
    }
    struct ho_plan_node *node = &m->plan->nodes[m->plan->node_count++];
    *node = (struct ho_plan_node){ .name = name->text };
    if (line->form == HO_FORM_HOST) {
        return add_host(m, line, node);
    }
    node->kind = HO_NODE_SWITCH;
    if (line->form == HO_FORM_MIDDLEBOX) {
        int err = ho_resolve_number(m, line, "idle", HO_TYPE_DURATION, 0, &idle);
        if (err != 0) {
            return err;
        }
        node->kind = HO_NODE_MIDDLEBOX;
        node->forgets = ho_ns(idle);
        node->resets = strcmp(ho_scn_arg(m->s, line, "how")->text, "resets") == 0;
    }
    return 0;
}

static int add_process(struct ho_maker *m, const struct ho_scn_line *line)
{
    const struct ho_scn_arg *who = ho_scn_arg(m->s, line, "who");

    if (m->plan->proc_count == HO_PLAN_PROCS_MAX) {
        return ho_maker_refuse(m, line, who, "more than %d processes", HO_PLAN_PROCS_MAX);
    }
    m->plan->procs[m->plan->proc_count++] =
        (struct ho_plan_proc){ .host = ho_resolve_node(m, who->text), .name = who->text2 };
    return 0;
}

/* The port that the node's next cable gets; -EINVAL if it has no room for one. */
static int next_port(const struct ho_maker *m, uint16_t node, uint8_t *ret)
{
    static const unsigned most[] = { [HO_NODE_HOST] = HO_PLAN_PORTS_MAX,
                                     [HO_NODE_SWITCH] = HO_PLAN_CABLES_MAX,
                                     [HO_NODE_MIDDLEBOX] = 2 };
    unsigned n = 0;

    for (size_t i = 0; i < m->plan->cable_count; i++) {
        n += m->plan->cables[i].a == node;
        n += m->plan->cables[i].b == node;
    }
    *ret = (uint8_t)n;
    return n < most[m->plan->nodes[node].kind] ? 0 : -EINVAL;
}

static int cable_quality(struct ho_maker *m, const struct ho_scn_line *line,
                         struct ho_plan_cable *cable)
{
    int64_t delay, rate, queue, loss, reorder, duplicate, corrupt;
    int err = ho_resolve_number(m, line, "delay", HO_TYPE_DURATION, -1, &delay);

    err = err != 0 ? err : ho_resolve_number(m, line, "rate", HO_TYPE_RATE, 0, &rate);
    err = err != 0 ? err : ho_resolve_number(m, line, "queue", HO_TYPE_COUNT, 1000, &queue);
    err = err != 0 ? err : ho_resolve_number(m, line, "loss", HO_TYPE_PERCENT, 0, &loss);
    err = err != 0 ? err : ho_resolve_number(m, line, "reorder", HO_TYPE_PERCENT, 0, &reorder);
    err = err != 0 ? err : ho_resolve_number(m, line, "duplicate", HO_TYPE_PERCENT, 0, &duplicate);
    err = err != 0 ? err : ho_resolve_number(m, line, "corrupt", HO_TYPE_PERCENT, 0, &corrupt);
    if (err != 0) {
        return err;
    }
    cable->delay.ns = delay; /* -1: from the rtt, when all cables are known */
    cable->rate_bps = (uint64_t)rate;
    cable->queue = (uint32_t)queue;
    cable->loss_ppm = (uint32_t)loss;
    cable->reorder_ppm = (uint32_t)reorder;
    cable->duplicate_ppm = (uint32_t)duplicate;
    cable->corrupt_ppm = (uint32_t)corrupt;
    return 0;
}

static int add_cable(struct ho_maker *m, const struct ho_scn_line *line,
                     const struct ho_scn_arg ends[2], const char *name)
{
    struct ho_plan *plan = m->plan;
    char text[2 * HO_NAME_MAX + 8];

    if (plan->cable_count == HO_PLAN_CABLES_MAX) {
        return ho_maker_refuse(m, line, ends, "more than %d cables", HO_PLAN_CABLES_MAX);
    }
    struct ho_plan_cable *cable = &plan->cables[plan->cable_count];
    *cable = (struct ho_plan_cable){ .a = ho_resolve_node(m, ends[0].text),
                                     .b = ho_resolve_node(m, ends[1].text) };
    if (cable->a == cable->b) {
        return ho_maker_refuse(m, line, &ends[1], "a cable from %s to itself", ends[1].text);
    }
    if (next_port(m, cable->a, &cable->a_port) != 0) {
        return ho_maker_refuse(m, line, &ends[0], "%s has all its cables already", ends[0].text);
    }
    if (next_port(m, cable->b, &cable->b_port) != 0) {
        return ho_maker_refuse(m, line, &ends[1], "%s has all its cables already", ends[1].text);
    }
    snprintf(text, sizeof(text), "%s -- %s", ends[0].text, ends[1].text);
    cable->name = name != NULL ? name : ho_maker_keep(m, text);
    if (cable->name == NULL) {
        return -ENOMEM;
    }
    plan->cable_count++;
    return cable_quality(m, line, cable);
}

static int add_cables(struct ho_maker *m, const struct ho_scn_line *line)
{
    const struct ho_scn_arg *name = ho_scn_arg(m->s, line, "name");
    uint32_t count;
    const struct ho_scn_arg *ends = ho_resolve_args(m, line, "ends", &count);

    if (name != NULL && count > 2) {
        return ho_maker_refuse(m, line, name, "one name for %u cables", (unsigned)count - 1);
    }
    for (uint32_t i = 0; i + 1 < count; i++) {
        int err = add_cable(m, line, &ends[i], name != NULL ? name->text : NULL);
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

/* Cables on the shortest way between two nodes; 0: there is none. */
static unsigned cables_between(const struct ho_plan *plan, uint16_t from, uint16_t to)
{
    unsigned far[HO_PLAN_NODES_MAX] = { 0 }; /* 1 + distance from `from`; 0: not reached */
    bool moved = true;

    far[from] = 1;
    while (moved && far[to] == 0) {
        moved = false;
        for (size_t i = 0; i < plan->cable_count; i++) {
            uint16_t a = plan->cables[i].a, b = plan->cables[i].b;
            if (far[a] != 0 && (far[b] == 0 || far[b] > far[a] + 1)) {
                far[b] = far[a] + 1;
                moved = true;
            } else if (far[b] != 0 && (far[a] == 0 || far[a] > far[b] + 1)) {
                far[a] = far[b] + 1;
                moved = true;
            }
        }
    }
    return far[to] != 0 ? far[to] - 1 : 0;
}

/* Cables without a delay of their own share the round trip between the first two hosts. */
static void share_rtt(struct ho_maker *m)
{
    uint16_t host[2] = { HO_PLAN_NONE, HO_PLAN_NONE };
    unsigned found = 0, hops = 1;

    for (size_t i = 0; i < m->plan->node_count && found < 2; i++) {
        if (m->plan->nodes[i].kind == HO_NODE_HOST) {
            host[found++] = (uint16_t)i;
        }
    }
    if (found == 2) {
        hops = cables_between(m->plan, host[0], host[1]);
    }
    for (size_t i = 0; i < m->plan->cable_count; i++) {
        if (m->plan->cables[i].delay.ns < 0) {
            m->plan->cables[i].delay = ho_ns(m->rtt.ns / 2 / (hops != 0 ? hops : 1));
        }
    }
}

int ho_maker_has_sysctl(const struct ho_maker *m, const struct ho_scn_line *line, uint16_t host,
                        const struct ho_plan_sysctl *sysctl)
{
    const struct ho_plan_node *node = &m->plan->nodes[host];
    enum ho_profile_id profile = (enum ho_profile_id)ho_profile_find(node->profile);
    enum ho_sysctl id = (enum ho_sysctl)sysctl->id;

    if (ho_profile_has_sysctl(profile, id)) {
        return 0;
    }
    const struct ho_scn_arg *a = line->number != 0 ? ho_scn_arg(m->s, line, "name") : NULL;
    return ho_mistake(m->e, line->number, a != NULL ? a->column : 0,
                      "%s is %s: it has no %s, which came with Linux %s", node->name, node->profile,
                      sysctl->name, ho_profile_sysctl_since(id));
}

/* Puts a sysctl on one host or, with HO_PLAN_NONE, on all. */
static int set_on(struct ho_maker *m, const struct ho_scn_line *line, uint16_t host,
                  const struct ho_plan_sysctl *sysctl)
{
    for (size_t i = 0; i < m->plan->node_count; i++) {
        struct ho_step step = {
            .kind = HO_STEP_SYSCTL, .cable = HO_PLAN_NONE, .proc = HO_PLAN_NONE, .host = (uint16_t)i
        };
        if (m->plan->nodes[i].kind != HO_NODE_HOST || (host != HO_PLAN_NONE && host != i)) {
            continue;
        }
        step.u.sysctl = *sysctl;
        step.u.sysctl.host = (uint16_t)i;
        int err = ho_maker_has_sysctl(m, line, step.host, sysctl);
        err = err == 0 ? ho_maker_setup(m, line, &step) : err;
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static int add_set(struct ho_maker *m, const struct ho_scn_line *line)
{
    const char *host = ho_scn_arg(m->s, line, "host")->text;
    struct ho_plan_sysctl sysctl;
    int err = ho_resolve_sysctl(m, line, &sysctl);

    if (err != 0) {
        return err;
    }
    return set_on(m, line, strcmp(host, "all") == 0 ? HO_PLAN_NONE : ho_resolve_node(m, host),
                  &sysctl);
}

static int add_route(struct ho_maker *m, const struct ho_scn_line *line)
{
    const struct ho_scn_arg *via = ho_scn_arg(m->s, line, "via");
    struct ho_step step = { .kind = HO_STEP_ROUTE,
                            .cable = HO_PLAN_NONE,
                            .proc = HO_PLAN_NONE,
                            .host = ho_resolve_node(m, ho_scn_arg(m->s, line, "host")->text) };
    struct ho_plan_route *route = &step.u.net.u.route;

    step.u.net.up = true;
    ho_prefix_read(ho_scn_arg(m->s, line, "net")->text, &route->net, &route->bits);
    route->has_via = true;
    (void)ho_addr_parse(&route->via, via->text);
    if (ho_addr_is_v4(&route->net) != ho_addr_is_v4(&route->via)) {
        return ho_maker_refuse(m, line, via,
                               "a route of the one family via an address of the other");
    }
    return ho_maker_setup(m, line, &step);
}

/* Sweeps whose name is a sysctl set it; so does the command line, last. */
static int add_swept_sysctls(struct ho_maker *m)
{
    const struct ho_scn_line none = { .number = 0 };
    struct ho_plan_sysctl sysctl;

    for (unsigned i = 0; i < m->s->sweep_count; i++) {
        const struct ho_scn_sweep *sweep = &m->s->sweeps[i];
        const struct ho_scn_arg *a = &m->s->args[sweep->arg_first + m->c->value[i]];
        const struct ho_scn_line line = { .number = sweep->line };
        if (!ho_type_has(HO_TYPE_SYSCTL, sweep->name)) {
            continue;
        }
        int err = ho_resolve_sysctl_text(m, &line, a, sweep->name, a->text, &sysctl);
        err = err != 0 ? err : set_on(m, &none, HO_PLAN_NONE, &sysctl);
        if (err != 0) {
            return err;
        }
    }
    for (size_t i = 0; i < m->o.set_count; i++) {
        char name[64];
        size_t n = strcspn(m->o.set[i], "=");
        int written = snprintf(name, sizeof(name), "%.*s", (int)n, m->o.set[i]);
        if (m->o.set[i][n] != '=' || written < 0 || (size_t)written >= sizeof(name) ||
            !ho_type_has(HO_TYPE_SYSCTL, name)) {
            return ho_mistake(m->e, 0, 0,
                              "--set %.80s: expected a sysctl and its value, such as "
                              "net.ipv4.tcp_retries2=8",
                              m->o.set[i]);
        }
        int err = ho_resolve_sysctl_text(m, &none, NULL, name, m->o.set[i] + n + 1, &sysctl);
        err = err != 0 ? err : set_on(m, &none, HO_PLAN_NONE, &sysctl);
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static int add_line(struct ho_maker *m, const struct ho_scn_line *line)
{
    switch (line->form) {
    case HO_FORM_HOST:
    case HO_FORM_SWITCH:
    case HO_FORM_MIDDLEBOX:
        return add_node(m, line);
    case HO_FORM_PROCESS:
    case HO_FORM_COMMAND:
    case HO_FORM_COMMAND_LISTENS:
    case HO_FORM_COMMAND_SAYS:
        return add_process(m, line);
    case HO_FORM_CABLE:
        return add_cables(m, line);
    case HO_FORM_SET:
        return add_set(m, line);
    case HO_FORM_ROUTE:
        return add_route(m, line);
    default:
        return 0;
    }
}

/* Two hosts with one address would be a scenario about that, which this is not. */
static int check_addresses(struct ho_maker *m)
{
    const struct ho_scn_line none = { .number = 0 };

    for (size_t i = 0; i < m->plan->node_count; i++) {
        const struct ho_plan_node *a = &m->plan->nodes[i];
        for (size_t k = 0; k < i; k++) {
            const struct ho_plan_node *b = &m->plan->nodes[k];
            for (unsigned n = 0; n < a->addr_count * b->addr_count; n++) {
                const struct ho_addr *x = &a->addr[n / b->addr_count].addr;
                if (ho_addr_eq(x, &b->addr[n % b->addr_count].addr)) {
                    char text[HO_ADDR_TEXT];
                    return ho_maker_refuse(m, &none, NULL, "%s and %s have the same address %s",
                                           b->name, a->name, ho_addr_text(x, text));
                }
            }
        }
    }
    return 0;
}

/* All nodes first, so that `set all` is for hosts further down as well. */
int ho_make_world(struct ho_maker *m)
{
    for (unsigned pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < m->s->line_count; i++) {
            const struct ho_scn_line *line = &m->s->lines[i];
            bool first = line->form == HO_FORM_HOST || line->form == HO_FORM_SWITCH ||
                         line->form == HO_FORM_MIDDLEBOX;
            if (first != (pass == 0) || !ho_maker_counts(m, line)) {
                continue;
            }
            int err = add_line(m, line);
            if (err != 0) {
                return err;
            }
        }
    }
    share_rtt(m);
    int err = check_addresses(m);
    err = err != 0 ? err : add_swept_sysctls(m);
    return err != 0 ? err : ho_make_commands(m);
}
