/* A host of the plan as a network namespace: power on, power off, settings.
 *
 * On: a namespace with lo, a wire for each cable, addresses, the setup's sysctls, routes and
 * permanent neighbours, in this order. Off: what os/netns.h says, so that the namespace really
 * dies; the cables are cut and the processes frozen before.
 *
 * A sysctl whose name has a `*` is kept once a host by the model; here it is written to every
 * interface, and to "default" and "all" where these exist.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/world.h"
#include "os/lo.h"
#include "os/netns.h"
#include "os/sysctl.h"
#include "play/links.h"
#include "wire/eth.h"

/* ---- sysctls -----------------------------------------------------------------------------------
 */

bool ho_kernel_sysctl_name(const struct ho_kernel_host *h, const char *name, unsigned i, char *text)
{
    const char *star = strchr(name, '*');
    char what[24];

    if (star == NULL) {
        snprintf(text, 128, "%s", name);
        return i == 0;
    }
    if (i < h->ports) {
        snprintf(what, sizeof(what), "eth%u", i);
    } else {
        snprintf(what, sizeof(what), "%s", i == h->ports ? "default" : "all");
    }
    snprintf(text, 128, "%.*s%s%s", (int)(star - name), name, what, star + 1);
    return i <= h->ports + 1;
}

/* Returns 0 if at least one of the names took it. */
static int write_sysctl(const struct ho_kernel_host *h, const char *name, const char *value)
{
    int result = -ENOENT;
    char text[128];

    for (unsigned i = 0; ho_kernel_sysctl_name(h, name, i, text); i++) {
        int err = ho_os_sysctl_write(h->netns, text, value);

        if (err != -ENOENT && result != 0) {
            result = err;
        }
        if (err != 0 && err != -ENOENT) {
            return err;
        }
    }
    return result;
}

static int configure_sysctl(struct ho_kernel *k, const struct ho_step *step)
{
    const struct ho_plan_sysctl *s = &step->u.sysctl;
    const char *name = ho_sysctl_info((enum ho_sysctl)s->id)->name;
    const struct ho_kernel_host *h = &k->host[s->host];
    char note[256];
    int err = write_sysctl(h, name, s->text);

    if (err == 0) {
        return 0;
    }
    if (err == -ENOENT) {
        snprintf(note, sizeof(note), "%s is not in this kernel's namespaces: not set to %s", name,
                 s->text);
        ho_trace_note(&k->trace, k->trace.node[s->host].name, note);
        ho_kernel_warn(k, "%s: %s", h->plan->name, note);
        return 0;
    }
    snprintf(note, sizeof(note), "%s: %s = %s", h->plan->name, name, s->text);
    return ho_kernel_fail(k, err, note,
                          err == -EINVAL ? "the kernel does not take this value" : NULL);
}

/* The congestion control that a namespace inherits is the machine's; what the scenario means is
 * the list's default, or at least one that the list knows.
 */
static void choose_congestion(struct ho_kernel *k, const struct ho_kernel_host *h)
{
    static const char name[] = "net.ipv4.tcp_congestion_control";
    char text[32] = "";

    if (ho_os_sysctl_read(h->netns, name, text, sizeof(text)) < 0 || strcmp(text, "cubic") == 0) {
        return;
    }
    if (ho_os_sysctl_write(h->netns, name, "cubic") != 0) {
        ho_os_sysctl_write(h->netns, name, "reno");
        ho_kernel_warn(k, "this kernel has no cubic: hosts use reno for congestion control");
    }
}

/* A namespace with a small table of connections of its own (build.c) would have other limits than
 * one that shares the machine's: those of the room, which shares it.
 */
static void copy_limits(const struct ho_kernel_host *h)
{
    static const char *const names[] = { "net.ipv4.tcp_max_tw_buckets",
                                         "net.ipv4.tcp_max_syn_backlog" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[32];

        if (ho_os_sysctl_read(-1, names[i], text, sizeof(text)) > 0) {
            ho_os_sysctl_write(h->netns, names[i], text);
        }
    }
}

/* ---- the rest of a setup ------------------------------------------------------------------------
 */

static int result(struct ho_kernel *k, const struct ho_step *step, int err)
{
    const char *host = k->plan->nodes[step->host].name;

    switch (err) {
    case 0:
        return 0;
    case -EEXIST:
        return ho_trace_refuse(&k->trace, host, "it is there already");
    case -ESRCH:
    case -ENOENT:
    case -EADDRNOTAVAIL:
    case -ENODEV:
        return ho_trace_refuse(&k->trace, host, "there is no such thing to remove or to add to");
    case -ENETUNREACH:
    case -EHOSTUNREACH:
        return ho_trace_refuse(&k->trace, host, "the route's next hop cannot be reached");
    default:
        return ho_kernel_fail(k, err, host, NULL);
    }
}

static int index_of(const struct ho_kernel_host *h, unsigned ifindex)
{
    if (ifindex == HO_IF_LO) {
        return ho_os_net_link(h->net, "lo");
    }
    return ifindex < h->ports ? ho_os_wire_index(h->wire[ifindex]) : -ENODEV;
}

static int configure_route(struct ho_kernel *k, const struct ho_step *step)
{
    const struct ho_plan_route *r = &step->u.net.u.route;
    const struct ho_kernel_host *h = &k->host[step->host];
    const struct ho_addr *via = r->has_via ? &r->via : NULL;
    int index = r->has_via ? 0 : index_of(h, r->ifindex);
    int err = index;

    if (index >= 0 && step->u.net.up) {
        err = ho_os_net_route_add(h->net, index, &r->net, r->bits, via);
    } else if (index >= 0) {
        err = ho_os_net_route_del(h->net, index, &r->net, r->bits, via);
    }
    return result(k, step, err);
}

static int configure_address(struct ho_kernel *k, const struct ho_step *step)
{
    const struct ho_plan_addr *a = &step->u.net.u.address;
    const struct ho_kernel_host *h = &k->host[step->host];
    int index = index_of(h, a->ifindex);
    int err = index;

    if (index >= 0 && step->u.net.up) {
        err = ho_os_net_addr_add(h->net, index, &a->addr, a->bits);
    } else if (index >= 0) {
        err = ho_os_net_addr_del(h->net, index, &a->addr, a->bits);
    }
    return result(k, step, err);
}

static int configure_neighbour(struct ho_kernel *k, const struct ho_step *step)
{
    const struct ho_kernel_host *h = &k->host[step->host];
    const struct ho_addr *a = &step->u.net.u.neighbour.addr;
    int index = index_of(h, step->u.net.ifindex);
    int err = index;

    if (index >= 0 && step->u.net.up) {
        err = ho_os_net_neigh_set(h->net, index, a, &step->u.net.u.neighbour.mac);
    } else if (index >= 0) {
        err = ho_os_net_neigh_del(h->net, index, a);
    }
    return result(k, step, err);
}

static int configure_interface(struct ho_kernel *k, const struct ho_step *step)
{
    const struct ho_kernel_host *h = &k->host[step->host];
    int index = index_of(h, step->u.net.ifindex);

    return result(k, step, index < 0 ? index : ho_os_net_link_up(h->net, index, step->u.net.up));
}

int ho_kernel_configure(struct ho_kernel *k, const struct ho_step *step)
{
    switch (step->kind) {
    case HO_STEP_SYSCTL:
        return configure_sysctl(k, step);
    case HO_STEP_ROUTE:
        return configure_route(k, step);
    case HO_STEP_ADDRESS:
        return configure_address(k, step);
    case HO_STEP_NEIGHBOUR:
        return configure_neighbour(k, step);
    case HO_STEP_INTERFACE:
        return configure_interface(k, step);
    default:
        return ho_trace_refuse(&k->trace, k->plan->name, "not a setting");
    }
}

/* ---- power -------------------------------------------------------------------------------------
 */

static enum ho_os_wire_form form_of(enum ho_kernel_wire w)
{
    static const enum ho_os_wire_form form[] = {
        [HO_KERNEL_WIRE_AUTO] = HO_OS_WIRE_AUTO,
        [HO_KERNEL_WIRE_TAP] = HO_OS_WIRE_TAP,
        [HO_KERNEL_WIRE_VETH] = HO_OS_WIRE_VETH,
    };

    return form[w];
}

/* What a machine does not allow or does not have makes the scenario not playable, no failure. */
static int not_here(int err)
{
    bool not_allowed = err == -EPERM || err == -EACCES;
    bool not_there = err == -ENOENT || err == -ENODEV || err == -EOPNOTSUPP || err == -ENOSPC;

    return not_allowed || not_there ? -ENOTSUP : err;
}

static int open_wire(struct ho_kernel *k, struct ho_kernel_host *h, unsigned port)
{
    char name[16];
    char why[HO_OS_WHY] = "";
    struct ho_os_wire_options o = {
        .netns = h->netns,
        .name = name,
        .mac = ho_play_mac(h->plan, port),
        .mtu = HO_ETH_MTU,
        .form = k->form != HO_OS_WIRE_AUTO ? k->form : form_of(k->options.wire),
    };
    int err;

    snprintf(name, sizeof(name), "eth%u", port);
    err = ho_os_wire_open(&h->wire[port], &o, why);
    if (err != 0) {
        char what[HO_TRACE_WHY];

        h->wire[port] = NULL;
        snprintf(what, sizeof(what), "%s: the wire %s", h->plan->name, name);
        return ho_kernel_fail(k, not_here(err), what, why);
    }
    k->form = ho_os_wire_form(h->wire[port]); /* the same for all */
    return 0;
}

static int open_wires(struct ho_kernel *k, struct ho_kernel_host *h)
{
    int err = 0;

    for (unsigned i = 0; err == 0 && i < h->ports; i++) {
        err = open_wire(k, h, i);
    }
    for (unsigned i = 0; err == 0 && i < h->plan->addr_count; i++) {
        const struct ho_plan_addr *a = &h->plan->addr[i];

        if (a->ifindex < h->ports) {
            err = ho_os_net_addr_add(h->net, ho_os_wire_index(h->wire[a->ifindex]), &a->addr,
                                     a->bits);
            err = err == 0 ? 0 : ho_kernel_fail(k, err, h->plan->name, "an address cannot be set");
        }
    }
    return err;
}

/* Permanent entries for every host on the link of interface `port`. */
static int add_neighbours(struct ho_kernel *k, struct ho_kernel_host *h, unsigned port)
{
    struct ho_play_port *other = NULL;
    size_t n = 0;
    int err = ho_play_link(k->plan, h->node, port, &other, &n);

    for (size_t i = 0; err == 0 && i < n; i++) {
        const struct ho_plan_node *o = &k->plan->nodes[other[i].node];
        struct ho_mac mac = ho_play_mac(o, other[i].port);

        for (unsigned a = 0; err == 0 && a < o->addr_count; a++) {
            if (o->addr[a].ifindex == other[i].port) {
                err = ho_os_net_neigh_set(h->net, ho_os_wire_index(h->wire[port]), &o->addr[a].addr,
                                          &mac);
            }
        }
    }
    free(other);
    return err == 0 ? 0 : ho_kernel_fail(k, err, h->plan->name, "a neighbour cannot be set");
}

static int set_up(struct ho_kernel *k, struct ho_kernel_host *h)
{
    int err = 0;

    choose_congestion(k, h);
    copy_limits(h);
    for (unsigned i = 0; err == 0 && h->plan->neighbours_static && i < h->ports; i++) {
        err = add_neighbours(k, h, i);
    }
    for (size_t i = 0; err == 0 && i < k->plan->setup_count; i++) {
        const struct ho_step *s = &k->plan->setup[i];
        uint16_t host = s->kind == HO_STEP_SYSCTL ? s->u.sysctl.host : s->host;

        if (s->kind != HO_STEP_COMMAND && host == h->node) {
            err = ho_kernel_configure(k, s);
        }
    }
    return err;
}

static int open_eyes(struct ho_kernel *k, struct ho_kernel_host *h)
{
    int err = ho_os_net_open(&h->net, h->netns);

    if (err != 0) {
        h->net = NULL;
        return ho_kernel_fail(k, err, h->plan->name, "rtnetlink cannot be opened");
    }
    err = ho_os_diag_open(&h->diag, h->netns);
    if (err != 0) {
        h->diag = NULL;
        return ho_kernel_fail(k, err == -EPROTONOSUPPORT ? -ENOTSUP : err, h->plan->name,
                              "sock_diag cannot be opened: the kernel needs CONFIG_INET_DIAG and "
                              "CONFIG_INET_TCP_DIAG");
    }
    h->watch = ho_os_net_watch(h->net);
    if (h->watch < 0) {
        return ho_kernel_fail(k, h->watch, h->plan->name, "neighbours cannot be watched");
    }
    h->lo = ho_os_lo_open(h->netns);
    if (h->lo < 0) {
        return ho_kernel_fail(k, h->lo, h->plan->name, "lo cannot be listened to");
    }
    return 0;
}

int ho_kernel_host_on(struct ho_kernel *k, struct ho_kernel_host *h)
{
    int err = ho_os_netns_new(&h->netns);

    if (err != 0) {
        h->netns = -1;
        return ho_kernel_fail(k, not_here(err), h->plan->name,
                              err == -ENOSPC ? "no more network namespaces are allowed: "
                                               "user.max_net_namespaces"
                                             : "a network namespace cannot be made");
    }
    h->up = true;
    h->life++;
    err = open_eyes(k, h);
    err = err != 0 ? err : open_wires(k, h);
    err = err != 0 ? err : set_up(k, h);
    if (err == 0) {
        err = ho_kernel_watch(k, h->lo, HO_KERNEL_TAG_LO, h->node);
    }
    if (err == 0) {
        err = ho_kernel_watch(k, h->watch, HO_KERNEL_TAG_NEIGH, h->node);
    }
    for (unsigned i = 0; err == 0 && i < h->ports; i++) {
        err = ho_kernel_watch(k, ho_os_wire_fd(h->wire[i]), HO_KERNEL_TAG_WIRE,
                              (uint32_t)h->node << 8 | i);
    }
    return err;
}

void ho_kernel_host_abort(struct ho_kernel_host *h)
{
    if (h->diag != NULL) {
        ho_os_diag_destroy_all(h->diag);
    }
}

/* Takes the interfaces away, which is what takes long. */
static void close_wires(void *arg)
{
    struct ho_kernel_host *h = arg;

    for (unsigned i = 0; i < h->ports; i++) {
        ho_os_wire_close(h->wire[i]);
    }
}

void ho_kernel_host_deaf(struct ho_kernel *k, const struct ho_kernel_host *h)
{
    for (unsigned i = 0; i < h->ports; i++) {
        if (h->wire[i] != NULL) {
            ho_kernel_unwatch(k, ho_os_wire_fd(h->wire[i]));
        }
    }
    if (h->watch >= 0) {
        ho_kernel_unwatch(k, h->watch);
    }
    if (h->lo >= 0) {
        ho_kernel_unwatch(k, h->lo);
    }
}

void ho_kernel_host_off(struct ho_kernel *k, struct ho_kernel_host *h)
{
    if (h->plan == NULL || !h->up) {
        return;
    }
    ho_kernel_host_abort(h);
    ho_kernel_host_deaf(k, h);
    ho_os_aside(&k->aside, close_wires, h);
    for (unsigned i = 0; i < h->ports; i++) {
        if (h->wire[i] != NULL && k->aside.pid != 0) {
            ho_os_wire_abandon(h->wire[i]);
        } else {
            ho_os_wire_close(h->wire[i]);
        }
        h->wire[i] = NULL;
    }
    ho_os_net_close(h->net);
    h->net = NULL;
    ho_os_diag_close(h->diag);
    h->diag = NULL;
    if (h->lo >= 0) {
        close(h->lo);
    }
    close(h->netns);
    ho_os_aside_done(&k->aside);
    h->lo = -1;
    h->netns = -1;
    h->watch = -1;
    h->up = false;
    h->expiries = 0;
    h->look = HO_NEVER;
}
