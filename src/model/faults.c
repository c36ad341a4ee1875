/* The verbs that act on the world. Each writes its fault first, then does it, then lets the
 * world answer at the same instant.
 */

#include "model/faults.h"

#include <errno.h>
#include <stdio.h>

#include "model/build.h"
#include "model/world.h"

/* Refuses a step; `format` takes the name of what it was done to. */
static int refuse(struct ho_model *m, const char *what, const char *why)
{
    snprintf(m->why, sizeof(m->why), "%s: %s", what, why);
    return -EINVAL;
}

/* The host was fed: it sends, the record looks, the world answers. */
static int answer(struct ho_model *m, struct ho_model_node *n)
{
    ho_model_drain(m, n);
    ho_model_dirty(m, n);
    ho_model_settle(m);
    return m->err;
}

/* ---- processes ------------------------------------------------------------------------------- */

int ho_model_verb_start(void *self, uint16_t proc)
{
    struct ho_model *m = self;
    struct ho_model_proc *p = &m->procs[proc];
    int err = ho_model_proc_start(m, p);

    return err == -EINVAL ? refuse(m, m->plan->procs[proc].name, "cannot be started now") : err;
}

int ho_model_verb_call(void *self, uint16_t proc, const struct ho_plan_call *call)
{
    struct ho_model *m = self;
    struct ho_model_proc *p = &m->procs[proc];
    int err;

    if (p->pid == 0) {
        return refuse(m, m->plan->procs[proc].name, "the process does not run");
    }
    err = ho_model_call(m, p, call);
    if (err != 0) {
        return err;
    }
    ho_model_settle(m);
    return m->err;
}

int ho_model_verb_program(void *self, uint16_t proc, const struct ho_plan_program *program)
{
    struct ho_model *m = self;
    struct ho_model_proc *p = &m->procs[proc];
    struct ho_program_error error = { .text = "" };
    struct ho_program_arg arg[HO_PLAN_ARGS];
    struct ho_model_program *g;
    int err;

    if (p->pid == 0) {
        return refuse(m, m->plan->procs[proc].name, "the process does not run");
    }
    for (unsigned i = 0; i < program->count; i++) {
        arg[i] = (struct ho_program_arg){ program->arg[i].key, program->arg[i].value };
    }
    err = ho_model_proc_add(m, p, program->name, arg, program->count, &error, &g);
    if (err == -EINVAL) {
        return refuse(m, program->name, error.text);
    }
    if (err != 0) {
        snprintf(m->why, sizeof(m->why), "%s: %s", program->name,
                 err == -ENOSPC ? "too many programs in one process" : "no memory");
        return err == -ENOSPC ? -EINVAL : err;
    }
    ho_model_program_run(m, g);
    ho_model_settle(m);
    return m->err;
}

static struct ho_model_proc *proc_fault(struct ho_model *m, uint16_t proc,
                                        const struct ho_step *step)
{
    struct ho_model_proc *p = &m->procs[proc];

    ho_model_put_fault(m, step, m->nodes[p->node].name, p->name, p->name, "");
    return p;
}

int ho_model_verb_kill(void *self, uint16_t proc, const struct ho_step *step)
{
    struct ho_model *m = self;
    struct ho_model_proc *p = proc_fault(m, proc, step);

    if (p->pid != 0) {
        ho_host_kill(m->nodes[p->node].host, p->pid, m->now);
        ho_model_proc_end(m, p);
    }
    return answer(m, &m->nodes[p->node]);
}

int ho_model_verb_stop(void *self, uint16_t proc, const struct ho_step *step)
{
    struct ho_model *m = self;
    struct ho_model_proc *p = proc_fault(m, proc, step);

    if (p->pid != 0 && !p->stopped) {
        ho_model_proc_stop(m, p);
    }
    return answer(m, &m->nodes[p->node]);
}

int ho_model_verb_continue(void *self, uint16_t proc, const struct ho_step *step)
{
    struct ho_model *m = self;
    struct ho_model_proc *p = proc_fault(m, proc, step);

    if (p->pid != 0 && p->stopped) {
        ho_model_proc_continue(m, p);
    }
    return answer(m, &m->nodes[p->node]);
}

/* ---- hosts ----------------------------------------------------------------------------------- */

static struct ho_model_node *host_fault(struct ho_model *m, uint16_t host,
                                        const struct ho_step *step, const char *detail)
{
    struct ho_model_node *n = &m->nodes[host];

    ho_model_put_fault(m, step, n->name, "", n->name, detail);
    return n;
}

int ho_model_verb_sysctl(void *self, uint16_t host, const struct ho_plan_sysctl *sysctl)
{
    struct ho_model *m = self;
    struct ho_step step = { .kind = HO_STEP_SYSCTL, .host = host, .u.sysctl = *sysctl };
    int err;

    step.u.sysctl.host = host;
    err = ho_model_configure(m, &step);
    if (err == 0 && m->tl != NULL) {
        ho_model_setting_sysctl(m, &m->nodes[host],
                                ho_sysctl_info((enum ho_sysctl)sysctl->id)->name);
    }
    return err != 0 ? err : answer(m, &m->nodes[host]);
}

int ho_model_verb_power_off(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_model *m = self;
    struct ho_model_node *n = host_fault(m, host, step, "");

    if (!ho_host_is_up(n->host)) {
        return refuse(m, n->name, "has no power already");
    }
    ho_host_power_off(n->host, m->now);
    for (size_t i = 0; i < m->plan->proc_count; i++) {
        if (m->procs[i].node == host && m->procs[i].pid != 0) {
            ho_model_proc_end(m, &m->procs[i]);
        }
    }
    ho_model_guests_forget(m, host);
    ho_model_wires_power(m, n, false);
    return answer(m, n);
}

int ho_model_verb_boot(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_model *m = self;
    struct ho_model_node *n = host_fault(m, host, step, "");

    if (ho_host_is_up(n->host)) {
        return refuse(m, n->name, "runs already");
    }
    ho_host_boot(n->host, m->now);
    ho_model_wires_power(m, n, true);
    return answer(m, n);
}

int ho_model_verb_interface(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_model *m = self;
    char detail[32];
    int nic = step->u.net.ifindex == HO_IF_LO ? HO_NIC_LO : step->u.net.ifindex;
    struct ho_model_node *n;
    int err;

    if (nic == HO_NIC_LO) {
        snprintf(detail, sizeof(detail), "lo %s", step->u.net.up ? "up" : "down");
    } else {
        snprintf(detail, sizeof(detail), "eth%d %s", nic, step->u.net.up ? "up" : "down");
    }
    n = host_fault(m, host, step, detail);
    err = ho_host_link(n->host, nic, step->u.net.up, m->now);
    return err != 0 ? refuse(m, n->name, "no such interface") : answer(m, n);
}

int ho_model_verb_address(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_model *m = self;
    const struct ho_plan_addr *a = &step->u.net.u.address;
    char text[HO_ADDR_TEXT];
    char detail[HO_ADDR_TEXT + 16];
    struct ho_model_node *n;
    int err;

    snprintf(detail, sizeof(detail), "%s %s/%u", step->u.net.up ? "add" : "del",
             ho_addr_text(&a->addr, text), a->bits);
    n = host_fault(m, host, step, detail);
    err = step->u.net.up ? ho_host_addr_add(n->host, a->ifindex, &a->addr, a->bits, m->now)
                         : ho_host_addr_del(n->host, a->ifindex, &a->addr, m->now);
    if (err != 0 && err != -ENOMEM) {
        return refuse(m, n->name, err == -EEXIST ? "has this address already" : "no such address");
    }
    return err != 0 ? err : answer(m, n);
}

int ho_model_verb_route(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_model *m = self;
    const struct ho_plan_route *r = &step->u.net.u.route;
    char text[HO_ADDR_TEXT];
    char detail[HO_ADDR_TEXT + 16];
    struct ho_model_node *n;
    int err;

    snprintf(detail, sizeof(detail), "%s %s/%u", step->u.net.up ? "add" : "del",
             ho_addr_text(&r->net, text), r->bits);
    n = host_fault(m, host, step, detail);
    err = ho_model_configure(m, step);
    return err != 0 ? err : answer(m, n);
}

int ho_model_verb_neighbour(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_model *m = self;
    char text[HO_ADDR_TEXT];
    char detail[HO_ADDR_TEXT + 16];
    struct ho_model_node *n;
    int err;

    snprintf(detail, sizeof(detail), "%s %s", step->u.net.up ? "add" : "del",
             ho_addr_text(&step->u.net.u.neighbour.addr, text));
    n = host_fault(m, host, step, detail);
    err = ho_model_configure(m, step);
    return err != 0 ? err : answer(m, n);
}

/* ---- cables ---------------------------------------------------------------------------------- */

/* "client to server"; "" for both ways. */
static void direction_text(const struct ho_model *m, uint16_t cable, enum ho_direction d,
                           char *text, size_t size)
{
    const struct ho_plan_cable *c = &m->plan->cables[cable];
    uint16_t from = d == HO_A_TO_B ? c->a : c->b;
    uint16_t to = d == HO_A_TO_B ? c->b : c->a;

    text[0] = '\0';
    if (d != HO_BOTH_WAYS) {
        snprintf(text, size, "%s to %s", m->plan->nodes[from].name, m->plan->nodes[to].name);
    }
}

static struct ho_model_cable *cable_fault(struct ho_model *m, uint16_t cable,
                                          const struct ho_step *step, const char *detail)
{
    ho_model_put_fault(m, step, "", "", m->cables[cable].name, detail);
    return &m->cables[cable];
}

static int cable_answer(struct ho_model *m, struct ho_model_cable *c)
{
    ho_model_wires_changed(m, c);
    ho_model_settle(m);
    return m->err;
}

/* A direction as the ends that send into it (link/cable.h). */
static unsigned ways_of(enum ho_direction d)
{
    return d == HO_A_TO_B ? 1u : d == HO_B_TO_A ? 2u : HO_CABLE_BOTH_WAYS;
}

int ho_model_verb_cut(void *self, uint16_t cable, const struct ho_step *step)
{
    struct ho_model *m = self;
    char detail[2 * HO_NAME_MAX + 8];
    struct ho_model_cable *c;

    direction_text(m, cable, step->u.direction, detail, sizeof(detail));
    c = cable_fault(m, cable, step, detail);
    ho_cable_cut(&c->cable, ways_of(step->u.direction), m->now);
    return cable_answer(m, c);
}

int ho_model_verb_unplug(void *self, uint16_t cable, const struct ho_step *step)
{
    struct ho_model *m = self;
    struct ho_model_cable *c = &m->cables[cable];
    char detail[HO_NAME_MAX + 8];

    snprintf(detail, sizeof(detail), "at %s", m->plan->nodes[c->node[step->u.end]].name);
    cable_fault(m, cable, step, detail);
    ho_cable_unplug(&c->cable, step->u.end, m->now);
    return cable_answer(m, c);
}

int ho_model_verb_plug(void *self, uint16_t cable, const struct ho_step *step)
{
    struct ho_model *m = self;
    struct ho_model_cable *c = cable_fault(m, cable, step, "");

    ho_cable_plug(&c->cable, m->now);
    return cable_answer(m, c);
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

int ho_model_verb_drop(void *self, uint16_t cable, const struct ho_step *step)
{
    struct ho_model *m = self;
    const struct ho_plan_drop *d = &step->u.drop;
    struct ho_match match = match_of(d->kind);
    struct ho_model_cable *c;
    char way[2 * HO_NAME_MAX + 8];
    char detail[2 * HO_NAME_MAX + 64];

    direction_text(m, cable, d->direction, way, sizeof(way));
    snprintf(detail, sizeof(detail), "%u %s%s%s", d->count, ho_frame_text(d->kind),
             way[0] != '\0' ? " " : "", way);
    c = cable_fault(m, cable, step, detail);
    if (ho_cable_drop_next(&c->cable, ways_of(d->direction), &match, d->count) != 0) {
        return refuse(m, c->name, "too many orders to drop frames are in force");
    }
    return m->err;
}

int ho_model_verb_note(void *self, const struct ho_step *step)
{
    struct ho_model *m = self;

    if (m->tl != NULL) {
        ho_model_put(m, &(struct ho_record){ .kind = HO_REC_NOTE,
                                             .u.note.text = ho_model_name(m, step->u.text) });
    }
    return m->err;
}
