/* A step that does something to the world, as a record. */

#include "play/faults.h"

#include <stdio.h>

#define DETAIL_MAX 160 /* two names and a few words (host/host.h: HO_NAME_MAX) */

/* "client to server"; "" for both ways. */
static void direction_text(const struct ho_plan *p, uint16_t cable, enum ho_direction d, char *text,
                           size_t size)
{
    const struct ho_plan_cable *c = &p->cables[cable];
    uint16_t from = d == HO_A_TO_B ? c->a : c->b;
    uint16_t to = d == HO_A_TO_B ? c->b : c->a;

    text[0] = '\0';
    if (d != HO_BOTH_WAYS) {
        snprintf(text, size, "%s to %s", p->nodes[from].name, p->nodes[to].name);
    }
}

static void drop_text(const struct ho_plan *p, const struct ho_step *step, char *text, size_t size)
{
    const struct ho_plan_drop *d = &step->u.drop;
    char way[DETAIL_MAX / 2];

    direction_text(p, step->cable, d->direction, way, sizeof(way));
    snprintf(text, size, "%u %s%s%s", d->count, ho_frame_text(d->kind), way[0] != '\0' ? " " : "",
             way);
}

static void net_text(const struct ho_step *step, char *text, size_t size)
{
    const char *verb = step->u.net.up ? "add" : "del";
    char addr[HO_ADDR_TEXT];

    switch (step->kind) {
    case HO_STEP_ADDRESS:
        snprintf(text, size, "%s %s/%u", verb, ho_addr_text(&step->u.net.u.address.addr, addr),
                 step->u.net.u.address.bits);
        break;
    case HO_STEP_ROUTE:
        snprintf(text, size, "%s %s/%u", verb, ho_addr_text(&step->u.net.u.route.net, addr),
                 step->u.net.u.route.bits);
        break;
    case HO_STEP_NEIGHBOUR:
        snprintf(text, size, "%s %s", verb, ho_addr_text(&step->u.net.u.neighbour.addr, addr));
        break;
    default:
        verb = step->u.net.up ? "up" : "down";
        if (step->u.net.ifindex == HO_IF_LO) {
            snprintf(text, size, "lo %s", verb);
        } else {
            snprintf(text, size, "eth%u %s", step->u.net.ifindex, verb);
        }
        break;
    }
}

static void put(struct ho_trace *tr, const struct ho_step *step, const char *host,
                const char *process, const char *what, const char *detail)
{
    const char *verb = ho_step_text(step->kind);

    if (step->kind == HO_STEP_CUT && step->u.direction != HO_BOTH_WAYS) {
        verb = "half-cut";
    }
    ho_trace_put(tr,
                 &(struct ho_record){
                     .kind = HO_REC_FAULT,
                     .host = host,
                     .process = process,
                     .u.fault.name = ho_trace_name(tr, step->label != NULL ? step->label : verb),
                     .u.fault.verb = ho_trace_name(tr, verb),
                     .u.fault.what = what,
                     .u.fault.detail = ho_trace_name(tr, detail),
                 });
}

static void cable_fault(struct ho_trace *tr, const struct ho_step *step)
{
    const struct ho_plan *p = tr->plan;
    const struct ho_plan_cable *c = &p->cables[step->cable];
    char text[DETAIL_MAX] = "";

    switch (step->kind) {
    case HO_STEP_CUT:
        direction_text(p, step->cable, step->u.direction, text, sizeof(text));
        break;
    case HO_STEP_UNPLUG:
        snprintf(text, sizeof(text), "at %s", p->nodes[step->u.end == 0 ? c->a : c->b].name);
        break;
    case HO_STEP_DROP:
        drop_text(p, step, text, sizeof(text));
        break;
    default:
        break;
    }
    put(tr, step, "", "", tr->cable[step->cable], text);
}

void ho_trace_fault(struct ho_trace *tr, const struct ho_step *step)
{
    char text[DETAIL_MAX];

    if (tr->tl == NULL) {
        return;
    }
    switch (step->kind) {
    case HO_STEP_CUT:
    case HO_STEP_UNPLUG:
    case HO_STEP_PLUG:
    case HO_STEP_DROP:
        cable_fault(tr, step);
        break;
    case HO_STEP_POWER_OFF:
    case HO_STEP_BOOT:
        put(tr, step, tr->node[step->host].name, "", tr->node[step->host].name, "");
        break;
    case HO_STEP_KILL:
    case HO_STEP_STOP:
    case HO_STEP_CONTINUE:
        put(tr, step, tr->node[tr->plan->procs[step->proc].host].name, tr->proc[step->proc],
            tr->proc[step->proc], "");
        break;
    case HO_STEP_INTERFACE:
    case HO_STEP_ADDRESS:
    case HO_STEP_ROUTE:
    case HO_STEP_NEIGHBOUR:
        net_text(step, text, sizeof(text));
        put(tr, step, tr->node[step->host].name, "", tr->node[step->host].name, text);
        break;
    default:
        break;
    }
}
