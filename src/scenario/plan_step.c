/* Steps: a line of the file becomes one or more steps of the plan. */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/op.h"
#include "scenario/make.h"

static struct ho_step new_step(enum ho_step_kind kind, struct ho_time at)
{
    return (struct ho_step){ .at = at,
                             .kind = kind,
                             .label = "",
                             .verb = ho_step_text(kind),
                             .what = "",
                             .detail = "",
                             .host = HO_PLAN_NONE,
                             .proc = HO_PLAN_NONE,
                             .cable = HO_PLAN_NONE };
}

/* Names the step: as the file does, or by its verb, from the second on with a number. */
static int name_step(struct ho_maker *m, const struct ho_scn_line *line, struct ho_step *step)
{
    const struct ho_scn_arg *label = ho_scn_arg(m->s, line, "label");
    char text[HO_NAME_MAX + 12];
    unsigned same = 1;

    for (size_t i = 0; i < m->label_count; i++) {
        same += m->labels[i].form == line->form;
        if (label != NULL && strcmp(m->labels[i].name, label->text) == 0) {
            return ho_maker_refuse(m, line, label, "there is a step '%s' already", label->text);
        }
    }
    if (label != NULL) {
        step->label = label->text;
    } else {
        const char *verb = line->form == HO_FORM_HANG ? "hang" : ho_step_text(step->kind);
        snprintf(text, sizeof(text), same > 1 ? "%s%u" : "%s", verb, same);
        step->label = ho_maker_keep(m, text);
    }
    if (step->label == NULL) {
        return -ENOMEM;
    }
    m->labels[m->label_count++] =
        (struct ho_label){ .name = step->label, .at = step->at, .form = line->form };
    return 0;
}

/* --- cables ---------------------------------------------------------------------------------- */

static int step_cut(struct ho_maker *m, const struct ho_scn_line *line, struct ho_step *step)
{
    uint32_t count;
    const struct ho_scn_arg *a = ho_resolve_args(m, line, "cable", &count);
    char text[2 * HO_NAME_MAX + 8];
    int err = ho_resolve_cable(m, line, a, count, &step->cable, &step->u.direction);

    if (err != 0) {
        return err;
    }
    step->what = m->plan->cables[step->cable].name;
    if (step->u.direction != HO_BOTH_WAYS) {
        step->verb = "half-cut";
        snprintf(text, sizeof(text), "%s to %s", a[0].text, a[1].text);
        step->detail = ho_maker_keep(m, text);
        err = step->detail == NULL ? -ENOMEM : 0;
    }
    return err;
}

static int step_unplug(struct ho_maker *m, const struct ho_scn_line *line, struct ho_step *step)
{
    const struct ho_scn_arg *a = ho_scn_arg(m->s, line, "host");
    const struct ho_scn_arg *other = ho_scn_arg(m->s, line, "other");
    uint16_t node = ho_resolve_node(m, a->text);
    enum ho_direction direction;
    int err;

    if (other != NULL) {
        const struct ho_scn_arg ends[2] = { *a, *other };
        err = ho_resolve_cable(m, line, ends, 2, &step->cable, &direction);
    } else {
        err = ho_resolve_node_cable(m, line, a, node, &step->cable);
    }
    if (err != 0) {
        return err;
    }
    step->u.end = m->plan->cables[step->cable].b == node;
    step->what = m->plan->cables[step->cable].name;
    step->detail = a->text;
    return 0;
}

/* Which cables a plug without a name mends is known when the steps are in order (plan.c). */
static int step_plug(struct ho_maker *m, const struct ho_scn_line *line, struct ho_step *step)
{
    uint32_t count;
    const struct ho_scn_arg *a = ho_resolve_args(m, line, "cable", &count);
    enum ho_direction direction;

    if (count == 1) {
        uint16_t node = ho_resolve_node(m, a->text);
        if (node != HO_PLAN_NONE) {
            step->host = node; /* all cables of this node */
            return 0;
        }
    }
    return count == 0 ? 0 : ho_resolve_cable(m, line, a, count, &step->cable, &direction);
}

static enum ho_frame_kind frame_kind(const char *text)
{
    for (unsigned k = 0; k < HO_FRAME_COUNT; k++) {
        if (strcmp(ho_frame_text((enum ho_frame_kind)k), text) == 0) {
            return (enum ho_frame_kind)k;
        }
    }
    assert(0 && "a frame that the reader let through");
    return HO_FRAME_ANY;
}

static int step_drop(struct ho_maker *m, const struct ho_scn_line *line, struct ho_step *step)
{
    const struct ho_scn_arg *kind = ho_scn_arg(m->s, line, "kind");
    const struct ho_scn_arg *from = ho_scn_arg(m->s, line, "host");
    uint16_t node = from != NULL ? ho_resolve_node(m, from->text) : HO_PLAN_NONE;
    uint32_t count;
    const struct ho_scn_arg *cable = ho_resolve_args(m, line, "cable", &count);
    struct ho_plan_drop *drop = &step->u.drop;
    int64_t n;
    char text[80];
    int err = ho_resolve_number(m, line, "count", HO_TYPE_COUNT, 1, &n);

    if (err == 0 && count == 0 && from != NULL) {
        err = ho_resolve_node_cable(m, line, from, node, &step->cable);
    } else if (err == 0) {
        err = ho_resolve_cable(m, line, cable, count, &step->cable, &drop->direction);
    }
    if (err != 0) {
        return err;
    }
    const struct ho_plan_cable *c = &m->plan->cables[step->cable];
    if (from != NULL) {
        if (c->a != node && c->b != node) {
            return ho_maker_refuse(m, line, from, "%s is no end of the cable %s", from->text,
                                   c->name);
        }
        drop->direction = c->a == node ? HO_A_TO_B : HO_B_TO_A;
    }
    drop->count = (uint32_t)n;
    drop->kind = kind != NULL ? frame_kind(kind->text) : HO_FRAME_ANY;
    step->verb = "drop";
    step->what = c->name;
    snprintf(text, sizeof(text), "the next %lld %s%s%s", (long long)n,
             kind != NULL ? kind->text : "frames", from != NULL ? " from " : "",
             from != NULL ? from->text : "");
    step->detail = ho_maker_keep(m, text);
    return step->detail == NULL ? -ENOMEM : 0;
}

/* --- hosts and processes --------------------------------------------------------------------- */

/* The host of the place "host". */
static void on_host(struct ho_maker *m, const struct ho_scn_line *line, struct ho_step *step)
{
    step->what = ho_scn_arg(m->s, line, "host")->text;
    step->host = ho_resolve_node(m, step->what);
}

/* A process, or with no process named all of the host (plan.c makes one step of each). */
static int on_processes(struct ho_maker *m, const struct ho_scn_line *line, struct ho_step *step)
{
    const struct ho_scn_arg *who = ho_scn_arg(m->s, line, "who");

    if (who->text3 != NULL || (line->form == HO_FORM_HANG && who->text2 != NULL)) {
        return ho_maker_refuse(m, line, who, "expected %s",
                               who->text3 != NULL ? "a process, not its connection" : "a host");
    }
    step->host = ho_resolve_node(m, who->text);
    if (who->text2 != NULL) {
        step->proc = ho_resolve_proc(m, who);
    }
    return 0;
}

static int step_net(struct ho_maker *m, const struct ho_scn_line *line, struct ho_step *step)
{
    const char *how = ho_scn_arg(m->s, line, "how")->text;
    const struct ho_scn_arg *via = ho_scn_arg(m->s, line, "via");
    const struct ho_scn_arg *peer = ho_scn_arg(m->s, line, "peer");
    char text[80];

    on_host(m, line, step);
    step->u.net.up = strcmp(how, "up") == 0 || strcmp(how, "add") == 0;
    const struct ho_scn_arg *thing = peer;
    if (step->kind == HO_STEP_INTERFACE) {
        thing = ho_scn_arg(m->s, line, "name");
        step->u.net.ifindex =
            strcmp(thing->text, "lo") == 0 ? HO_IF_LO : (uint8_t)(thing->text[3] - '0');
    } else if (step->kind == HO_STEP_ADDRESS) {
        thing = ho_scn_arg(m->s, line, "address");
        ho_prefix_read(thing->text, &step->u.net.u.address.addr, &step->u.net.u.address.bits);
    } else if (step->kind == HO_STEP_ROUTE) {
        thing = ho_scn_arg(m->s, line, "net");
        struct ho_plan_route *route = &step->u.net.u.route;
        ho_prefix_read(thing->text, &route->net, &route->bits);
        route->has_via = via != NULL;
        if (via != NULL) {
            (void)ho_addr_parse(&route->via, via->text);
        }
    } else {
        uint16_t other = ho_resolve_node(m, peer->text);
        int err = ho_resolve_host_addr(m, line, peer, other, &step->u.net.u.neighbour.addr);
        if (err != 0) {
            return err;
        }
        step->u.net.u.neighbour.mac = m->plan->nodes[other].mac;
    }
    snprintf(text, sizeof(text), "%s %s", thing->text, how);
    step->detail = ho_maker_keep(m, text);
    return step->detail == NULL ? -ENOMEM : 0;
}

/* One step for each host that `set` names. */
static int step_set(struct ho_maker *m, const struct ho_scn_line *line, struct ho_step *step)
{
    const char *host = ho_scn_arg(m->s, line, "host")->text;
    int err = ho_resolve_sysctl(m, line, &step->u.sysctl);

    for (size_t i = 0; i < m->plan->node_count && err == 0; i++) {
        if (m->plan->nodes[i].kind == HO_NODE_HOST &&
            (strcmp(host, "all") == 0 || strcmp(host, m->plan->nodes[i].name) == 0)) {
            step->host = (uint16_t)i;
            step->u.sysctl.host = (uint16_t)i;
            err = ho_maker_has_sysctl(m, line, step->host, &step->u.sysctl);
            err = err == 0 ? ho_maker_step(m, line, step) : err;
        }
    }
    return err;
}

/* --- sockets --------------------------------------------------------------------------------- */

static int endpoint(struct ho_maker *m, const struct ho_scn_line *line, const char *place,
                    struct ho_addr *ret_addr, uint16_t *ret_port)
{
    const struct ho_scn_arg *a = ho_scn_arg(m->s, line, place);
    uint16_t node = ho_resolve_node(m, a->text);

    *ret_port = (uint16_t)a->number;
    if (node != HO_PLAN_NONE) {
        return ho_resolve_host_addr(m, line, a, node, ret_addr);
    }
    (void)ho_addr_parse(ret_addr, a->text);
    if (ho_addr_is_v4(ret_addr) != (m->plan->family == HO_FAMILY_V4)) {
        return ho_maker_refuse(m, line, a, "this play is over IPv%d: name the host",
                               (int)m->plan->family);
    }
    return 0;
}

static int fill_connect(struct ho_maker *m, const struct ho_scn_line *line, const char *place,
                        struct ho_plan_call *call)
{
    const struct ho_scn_arg *name = ho_scn_arg(m->s, line, "name");
    int64_t from;
    char text[16];
    int err = endpoint(m, line, place, &call->addr, &call->port);

    err = err != 0 ? err : ho_resolve_number(m, line, "port", HO_TYPE_PORT, 0, &from);
    if (err != 0) {
        return err;
    }
    call->kind = HO_CALL_CONNECT;
    call->from_port = (uint16_t)from;
    m->conn_count++;
    snprintf(text, sizeof(text), "c%u", m->conn_count);
    call->sock = name != NULL ? name->text : NULL;
    call->conn = name != NULL ? name->text : ho_maker_keep(m, text);
    return call->conn == NULL ? -ENOMEM : 0;
}

static const struct {
    enum ho_form form;
    enum ho_call_kind call;
} calls[] = {
    { HO_FORM_LISTEN, HO_CALL_LISTEN },
    { HO_FORM_CONNECT, HO_CALL_CONNECT },
    { HO_FORM_SEND, HO_CALL_SEND },
    { HO_FORM_SEND_FULL, HO_CALL_SEND_FULL },
    { HO_FORM_READ, HO_CALL_READ },
    { HO_FORM_STOP_READING, HO_CALL_STOP_READING },
    { HO_FORM_RESUME_READING, HO_CALL_RESUME_READING },
    { HO_FORM_STOP_ACCEPTING, HO_CALL_STOP_ACCEPTING },
    { HO_FORM_RESUME_ACCEPTING, HO_CALL_RESUME_ACCEPTING },
    { HO_FORM_CLOSE_AT_EOF, HO_CALL_CLOSE_AT_EOF },
    { HO_FORM_SHUTDOWN, HO_CALL_SHUTDOWN },
    { HO_FORM_CLOSE, HO_CALL_CLOSE },
    { HO_FORM_SETSOCKOPT, HO_CALL_SETSOCKOPT },
    { HO_FORM_GETSOCKOPT, HO_CALL_GETSOCKOPT },
    { HO_FORM_POLL, HO_CALL_POLL },
    { HO_FORM_EPOLL, HO_CALL_EPOLL_WATCH },
};

static int call_kind(enum ho_form form, enum ho_call_kind *ret)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (calls[i].form == form) {
            *ret = calls[i].call;
            return 0;
        }
    }
    return -ENOENT;
}

static int fill_call(struct ho_maker *m, const struct ho_scn_line *line, struct ho_plan_call *call)
{
    const struct ho_scn_arg *how = ho_scn_arg(m->s, line, "how");
    const struct ho_scn_arg *edge = ho_scn_arg(m->s, line, "edge");
    int64_t port = 0, backlog = 128, bytes = 0;
    int err = 0;

    switch (call->kind) {
    case HO_CALL_CONNECT:
        return fill_connect(m, line, "to", call);
    case HO_CALL_SETSOCKOPT:
    case HO_CALL_GETSOCKOPT:
        return ho_resolve_sockopt(m, line, call);
    case HO_CALL_LISTEN:
        err = ho_resolve_number(m, line, "port", HO_TYPE_PORT, 0, &port);
        err = err != 0 ? err
                       : ho_resolve_number(m, line, "backlog", HO_TYPE_COUNT, backlog, &backlog);
        break;
    case HO_CALL_SEND:
    case HO_CALL_READ:
        err = ho_resolve_number(m, line, "bytes", HO_TYPE_BYTES, 0, &bytes);
        break;
    case HO_CALL_SHUTDOWN:
        call->how = how == NULL || strcmp(how->text, "write") == 0 ? HO_SHUT_WR
                    : strcmp(how->text, "read") == 0               ? HO_SHUT_RD
                                                                   : HO_SHUT_RDWR;
        break;
    case HO_CALL_EPOLL_WATCH:
        call->edge = edge != NULL && strcmp(edge->text, "edge") == 0;
        break;
    default:
        break;
    }
    call->port = (uint16_t)port;
    call->backlog = (uint32_t)backlog;
    call->bytes = (uint64_t)bytes;
    return err;
}

static int step_call(struct ho_maker *m, const struct ho_scn_line *line, struct ho_step *step)
{
    const struct ho_scn_arg *who = ho_scn_arg(m->s, line, "who");
    int64_t every;

    step->kind = HO_STEP_CALL;
    step->proc = ho_resolve_proc(m, who);
    step->host = m->plan->procs[step->proc].host;
    step->u.call.sock = who->text3;
    int err = fill_call(m, line, &step->u.call);
    if (err == 0) {
        err = ho_resolve_number(m, line, "every", HO_TYPE_DURATION, 0, &every);
    }
    if (err != 0 || ho_scn_arg(m->s, line, "every") == NULL) {
        return err != 0 ? err : ho_maker_step(m, line, step);
    }
    struct ho_time until;
    if (every == 0) {
        return ho_maker_refuse(m, line, ho_scn_arg(m->s, line, "every"), "expected more than 0s");
    }
    err = ho_resolve_time(m, line, "until", &until);
    for (; err == 0 && !ho_time_before(until, step->at);
         step->at = ho_time_add(step->at, ho_ns(every))) {
        err = ho_maker_step(m, line, step);
    }
    return err;
}

static int fill_program(struct ho_maker *m, const struct ho_scn_line *line,
                        struct ho_plan_program *program)
{
    uint32_t count;
    const struct ho_scn_arg *a = ho_resolve_args(m, line, "arg", &count);
    struct ho_addr addr;
    char text[HO_ADDR_TEXT];

    program->name = ho_scn_arg(m->s, line, "program")->text;
    if (count > HO_PLAN_ARGS) {
        return ho_maker_refuse(m, line, &a[HO_PLAN_ARGS], "more than %d arguments", HO_PLAN_ARGS);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct ho_plan_arg *arg = &program->arg[program->count++];
        uint16_t node = ho_resolve_node(m, a[i].text2);
        *arg = (struct ho_plan_arg){ .key = a[i].text, .value = a[i].text2 };
        if (node != HO_PLAN_NONE && m->plan->nodes[node].kind == HO_NODE_HOST) {
            int err = ho_resolve_host_addr(m, line, &a[i], node, &addr);
            if (err != 0) {
                return err;
            }
            arg->value = ho_maker_keep(m, ho_addr_text(&addr, text));
        } else if (a[i].text2[0] == '$') {
            for (unsigned k = 0; k < m->s->sweep_count; k++) {
                if (strcmp(m->s->sweeps[k].name, a[i].text2 + 1) == 0) {
                    arg->value = m->s->args[m->s->sweeps[k].arg_first + m->c->value[k]].text;
                }
            }
        }
        if (arg->value == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int step_program(struct ho_maker *m, const struct ho_scn_line *line, struct ho_time at)
{
    const struct ho_scn_arg *who = ho_scn_arg(m->s, line, "who");
    struct ho_step step = new_step(HO_STEP_PROGRAM, at);

    if (who->text3 != NULL) {
        return ho_maker_refuse(m, line, who, "expected a process, not its connection");
    }
    step.proc = ho_resolve_proc(m, who);
    step.host = m->plan->procs[step.proc].host;
    int err = fill_program(m, line, &step.u.program);
    return err != 0 ? err : ho_maker_step(m, line, &step);
}

/* --- lines ----------------------------------------------------------------------------------- */

static int make_fault(struct ho_maker *m, const struct ho_scn_line *line, enum ho_step_kind kind,
                      struct ho_time at)
{
    struct ho_step step = new_step(kind, at);
    int err = 0;

    switch (kind) {
    case HO_STEP_CUT:
        err = step_cut(m, line, &step);
        break;
    case HO_STEP_UNPLUG:
        err = step_unplug(m, line, &step);
        break;
    case HO_STEP_PLUG:
        err = step_plug(m, line, &step);
        break;
    case HO_STEP_DROP:
        err = step_drop(m, line, &step);
        break;
    case HO_STEP_POWER_OFF:
    case HO_STEP_BOOT:
        on_host(m, line, &step);
        break;
    case HO_STEP_KILL:
    case HO_STEP_STOP:
    case HO_STEP_CONTINUE:
        err = on_processes(m, line, &step);
        break;
    default:
        err = step_net(m, line, &step);
        break;
    }
    err = err != 0 ? err : name_step(m, line, &step);
    return err != 0 ? err : ho_maker_step(m, line, &step);
}

static int fault_kind(enum ho_form form, enum ho_step_kind *ret)
{
    static const struct {
        enum ho_form form;
        enum ho_step_kind kind;
    } faults[] = {
        { HO_FORM_CUT, HO_STEP_CUT },
        { HO_FORM_UNPLUG, HO_STEP_UNPLUG },
        { HO_FORM_PLUG, HO_STEP_PLUG },
        { HO_FORM_DROP, HO_STEP_DROP },
        { HO_FORM_POWER_OFF, HO_STEP_POWER_OFF },
        { HO_FORM_BOOT, HO_STEP_BOOT },
        { HO_FORM_HANG, HO_STEP_STOP },
        { HO_FORM_KILL, HO_STEP_KILL },
        { HO_FORM_STOP, HO_STEP_STOP },
        { HO_FORM_CONTINUE, HO_STEP_CONTINUE },
        { HO_FORM_INTERFACE, HO_STEP_INTERFACE },
        { HO_FORM_ADDRESS, HO_STEP_ADDRESS },
        { HO_FORM_STEP_ROUTE, HO_STEP_ROUTE },
        { HO_FORM_NEIGHBOUR, HO_STEP_NEIGHBOUR },
    };

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (faults[i].form == form) {
            *ret = faults[i].kind;
            return 0;
        }
    }
    return -ENOENT;
}

int ho_make_step(struct ho_maker *m, const struct ho_scn_line *line)
{
    struct ho_time at;
    enum ho_step_kind kind;
    struct ho_step step;
    int err = ho_resolve_time(m, line, "at", &at);

    if (err != 0) {
        return err;
    }
    m->last = at;
    if (fault_kind(line->form, &kind) == 0) {
        return make_fault(m, line, kind, at);
    }
    if (line->form == HO_FORM_RUN) {
        return step_program(m, line, at);
    }
    step = new_step(HO_STEP_CALL, at);
    if (line->form == HO_FORM_RUN_COMMAND || line->form == HO_FORM_TYPE ||
        line->form == HO_FORM_CLOSE_INPUT) {
        return ho_make_command_step(m, line, &step);
    }
    if (call_kind(line->form, &step.u.call.kind) == 0) {
        return step_call(m, line, &step);
    }
    if (line->form == HO_FORM_STEP_SET) {
        step = new_step(HO_STEP_SYSCTL, at);
        return step_set(m, line, &step);
    }
    assert(line->form == HO_FORM_NOTE);
    step = new_step(HO_STEP_NOTE, at);
    step.u.text = ho_scn_arg(m->s, line, "text")->text;
    return ho_maker_step(m, line, &step);
}

/* --- what happens at 0 ----------------------------------------------------------------------- */

static int start_option(struct ho_maker *m, const struct ho_scn_line *line)
{
    const struct ho_scn_arg *who = ho_scn_arg(m->s, line, "who");
    struct ho_step step = new_step(HO_STEP_CALL, (struct ho_time){ 0 });

    if (who->text3 != NULL) {
        return ho_maker_refuse(m, line, who,
                               "expected a process: the option is for every "
                               "connection it gets");
    }
    step.proc = ho_resolve_proc(m, who);
    step.host = m->plan->procs[step.proc].host;
    step.u.call.kind = HO_CALL_OPTION;
    int err = ho_resolve_sockopt(m, line, &step.u.call);
    return err != 0 ? err : ho_maker_step(m, line, &step);
}

/* True if the process has been told to listen there at time 0, by a call or as a program. */
static bool listens_at_start(const struct ho_maker *m, uint16_t proc, uint16_t port)
{
    char text[8];

    snprintf(text, sizeof(text), "%u", (unsigned)port);
    for (size_t i = 0; i < m->plan->step_count; i++) {
        const struct ho_step *s = &m->plan->steps[i];
        if (s->at.ns != 0 || s->proc != proc) {
            continue;
        }
        if (s->kind == HO_STEP_CALL && s->u.call.kind == HO_CALL_LISTEN && s->u.call.port == port) {
            return true;
        }
        for (unsigned k = 0; s->kind == HO_STEP_PROGRAM && k < s->u.program.count; k++) {
            if (strcmp(s->u.program.arg[k].key, "port") == 0 &&
                strcmp(s->u.program.arg[k].value, text) == 0) {
                return true;
            }
        }
    }
    return false;
}

static int start_connection(struct ho_maker *m, const struct ho_scn_line *line)
{
    const struct ho_scn_arg *server = ho_scn_arg(m->s, line, "server");
    const struct ho_scn_arg *client = ho_scn_arg(m->s, line, "client");
    struct ho_step step = new_step(HO_STEP_CALL, (struct ho_time){ 0 });
    uint16_t node = ho_resolve_node(m, server->text), proc = HO_PLAN_NONE;

    for (size_t i = 0; i < m->plan->proc_count && proc == HO_PLAN_NONE; i++) {
        proc = m->plan->procs[i].host == node ? (uint16_t)i : HO_PLAN_NONE;
    }
    if (proc == HO_PLAN_NONE || client->text3 != NULL) {
        return ho_maker_refuse(m, line, client->text3 != NULL ? client : server, "expected a %s",
                               client->text3 != NULL ? "process" : "host and port");
    }
    if (!listens_at_start(m, proc, (uint16_t)server->number)) {
        step.proc = proc;
        step.host = node;
        step.u.call = (struct ho_plan_call){ .kind = HO_CALL_LISTEN,
                                             .port = (uint16_t)server->number,
                                             .backlog = 128 };
        int err = ho_maker_step(m, line, &step);
        if (err != 0) {
            return err;
        }
    }
    step.u.call = (struct ho_plan_call){ .kind = HO_CALL_CONNECT };
    step.proc = ho_resolve_proc(m, client);
    step.host = m->plan->procs[step.proc].host;
    int err = fill_connect(m, line, "server", &step.u.call);
    return err != 0 ? err : ho_maker_step(m, line, &step);
}

/* Options before programs before connections, whatever their order in the file. */
int ho_make_at_start(struct ho_maker *m)
{
    static const enum ho_form order[] = { HO_FORM_OPTION, HO_FORM_PROGRAM, HO_FORM_CONNECTION };

    for (unsigned pass = 0; pass < sizeof(order) / sizeof(order[0]); pass++) {
        for (size_t i = 0; i < m->s->line_count; i++) {
            const struct ho_scn_line *line = &m->s->lines[i];
            int err = 0;
            if (line->form != order[pass] || !ho_maker_counts(m, line)) {
                continue;
            }
            if (line->form == HO_FORM_OPTION) {
                err = start_option(m, line);
            } else if (line->form == HO_FORM_PROGRAM) {
                err = step_program(m, line, (struct ho_time){ 0 });
            } else {
                err = start_connection(m, line);
            }
            if (err != 0) {
                return err;
            }
        }
    }
    return 0;
}
