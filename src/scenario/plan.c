/* A case of a scenario becomes a plan.
 *
 * First the world, then the steps in the order of the file (a label must be further up than its
 * use), then the walk over the steps in order of time: it puts the start of a process before its
 * first step, makes one step a process of what is done to a whole host, one a cable of what is
 * plugged, and refuses what makes no sense (a call on a host without power). Expectations come
 * last: "the end" is known then.
 */

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/make.h"

#define AFTER_LAST HO_NS_PER_S /* a play without `lasts` goes on for so long */

bool ho_maker_counts(const struct ho_maker *m, const struct ho_scn_line *line)
{
    const struct ho_scn_guard *g = &line->guard;

    if (g->engine != NULL && strcmp(g->engine, m->o.engine) != 0) {
        return false;
    }
    if (g->family != 0 && g->family != (uint8_t)m->plan->family) {
        return false;
    }
    if (g->sweep < 0) {
        return true;
    }
    const struct ho_scn_sweep *sweep = &m->s->sweeps[g->sweep];
    return strcmp(m->s->args[sweep->arg_first + m->c->value[g->sweep]].text, g->value) == 0;
}

int ho_maker_refuse(const struct ho_maker *m, const struct ho_scn_line *line,
                    const struct ho_scn_arg *a, const char *format, ...)
{
    char text[sizeof(m->e->text)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return ho_mistake(m->e, line->number, a != NULL ? a->column : 1u, "%s", text);
}

const char *ho_maker_keep(struct ho_maker *m, const char *text)
{
    return ho_maker_keep_bytes(m, text, strlen(text));
}

char *ho_maker_keep_bytes(struct ho_maker *m, const char *bytes, size_t len)
{
    struct ho_memory *k = malloc(sizeof(*k) + len + 1);

    if (k == NULL) {
        return NULL;
    }
    memcpy(k->text, bytes, len);
    k->text[len] = '\0';
    k->next = m->plan->memory;
    m->plan->memory = k;
    return k->text;
}

static int append_step(struct ho_maker *m, const struct ho_scn_line *line,
                       const struct ho_step *step, struct ho_step **array, size_t *count,
                       size_t *room)
{
    if (*count == HO_PLAN_STEPS_MAX) {
        return ho_maker_refuse(m, line, NULL, "more than %d steps", HO_PLAN_STEPS_MAX);
    }
    if (*count == *room) {
        size_t more = *room != 0 ? *room * 2 : 16;
        struct ho_step *p = realloc(*array, more * sizeof(*p));
        if (p == NULL) {
            return -ENOMEM;
        }
        *array = p;
        *room = more;
    }
    (*array)[*count] = *step;
    if (line->number != 0) {
        (*array)[*count].line = line->number;
    }
    (*count)++;
    return 0;
}

int ho_maker_step(struct ho_maker *m, const struct ho_scn_line *line, const struct ho_step *step)
{
    return append_step(m, line, step, &m->plan->steps, &m->plan->step_count, &m->step_room);
}

int ho_maker_setup(struct ho_maker *m, const struct ho_scn_line *line, const struct ho_step *step)
{
    return append_step(m, line, step, &m->plan->setup, &m->plan->setup_count, &m->setup_room);
}

/* --- the walk in order of time --------------------------------------------------------------- */

enum proc_state {
    PROC_NONE,
    PROC_STARTED,
    PROC_RAW,
    PROC_PROGRAM,
    PROC_COMMAND
};

struct walk {
    struct ho_maker *m;
    struct ho_step *out;
    size_t count, room;
    enum proc_state proc[HO_PLAN_PROCS_MAX];
    bool off[HO_PLAN_NODES_MAX];
    bool broken[HO_PLAN_CABLES_MAX];
};

/* Stable: steps of one time keep the order of the file. */
static int merge_sort(struct ho_step *a, size_t n)
{
    struct ho_step *other = malloc((n != 0 ? n : 1) * sizeof(*other)), *from = a, *to = other;

    if (other == NULL) {
        return -ENOMEM;
    }
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t low = 0; low < n; low += 2 * width) {
            size_t mid = low + width < n ? low + width : n;
            size_t high = low + 2 * width < n ? low + 2 * width : n;
            for (size_t i = low, j = mid, k = low; k < high; k++) {
                bool left = i < mid && (j == high || !ho_time_before(from[j].at, from[i].at));
                to[k] = left ? from[i++] : from[j++];
            }
        }
        struct ho_step *swap = from;
        from = to;
        to = swap;
    }
    if (from != a) {
        memcpy(a, from, n * sizeof(*a));
    }
    free(other);
    return 0;
}

static int emit(struct walk *w, const struct ho_step *step)
{
    const struct ho_scn_line line = { .number = step->line };

    return append_step(w->m, &line, step, &w->out, &w->count, &w->room);
}

static int senseless(struct walk *w, const struct ho_step *step, const char *format,
                     const char *name)
{
    const struct ho_scn_line line = { .number = step->line };
    char text[120];
    struct ho_text at = { 0 };

    snprintf(text, sizeof(text), format, name);
    ho_value_print(&at, HO_TYPE_DURATION, step->at.ns);
    int err = ho_text_err(&at) != 0
                  ? -ENOMEM
                  : ho_maker_refuse(w->m, &line, NULL, "at %s %s", ho_text_str(&at), text);
    ho_text_free(&at);
    return err;
}

/* A command may be started again when it has ended, which only the play shows. */
static int walk_command(struct walk *w, const struct ho_step *step)
{
    const char *host = w->m->plan->nodes[step->host].name;
    enum proc_state *state = &w->proc[step->proc];

    if (w->off[step->host]) {
        return senseless(w, step, "%s has no power", host);
    }
    if (step->kind == HO_STEP_INPUT && *state != PROC_COMMAND) {
        return senseless(w, step, "the process of %s runs no command", host);
    }
    if (*state != PROC_NONE && *state != PROC_COMMAND) {
        return senseless(w, step, "the process of %s is no command: use another process", host);
    }
    *state = PROC_COMMAND;
    return emit(w, step);
}

/* A call or a program: the process must be there, and of one kind. */
static int walk_process(struct walk *w, const struct ho_step *step)
{
    const char *host = w->m->plan->nodes[step->host].name;
    enum proc_state want = step->kind == HO_STEP_CALL ? PROC_RAW : PROC_PROGRAM;
    enum proc_state *state = &w->proc[step->proc];

    if (w->off[step->host]) {
        return senseless(w, step, "%s has no power", host);
    }
    if (*state == PROC_COMMAND) {
        return senseless(w, step, "the process of %s runs a command: use another process", host);
    }
    bool is_option = step->kind == HO_STEP_CALL && step->u.call.kind == HO_CALL_OPTION;
    if (is_option && *state != PROC_RAW && *state != PROC_PROGRAM) {
        want = PROC_STARTED;
    } else if (*state == PROC_PROGRAM) {
        return senseless(w, step, "the process of %s already runs a program", host);
    } else if (*state == PROC_RAW && want == PROC_PROGRAM) {
        return senseless(w, step, "the process of %s has sockets of its own: use another process",
                         host);
    }
    int err = 0;
    if (*state == PROC_NONE) {
        struct ho_step start = *step;
        start.kind = HO_STEP_START;
        start.verb = ho_step_text(HO_STEP_START);
        err = emit(w, &start);
    }
    *state = want == PROC_STARTED && *state == PROC_RAW ? PROC_RAW : want;
    return err != 0 ? err : emit(w, step);
}

/* kill, stop, continue: of a process, or of all that run on a host. */
static int walk_signal(struct walk *w, const struct ho_step *step)
{
    const struct ho_plan *plan = w->m->plan;
    bool any = false;

    for (size_t i = 0; i < plan->proc_count; i++) {
        struct ho_step one = *step;
        bool meant =
            step->proc == HO_PLAN_NONE ? plan->procs[i].host == step->host : step->proc == i;
        if (!meant || w->proc[i] == PROC_NONE) {
            continue;
        }
        one.proc = (uint16_t)i;
        one.what = plan->procs[i].name;
        any = true;
        int err = emit(w, &one);
        if (err != 0) {
            return err;
        }
        if (step->kind == HO_STEP_KILL) {
            w->proc[i] = PROC_NONE;
        }
    }
    return any ? 0 : senseless(w, step, "no process runs on %s", plan->nodes[step->host].name);
}

static int walk_power(struct walk *w, const struct ho_step *step)
{
    const struct ho_plan *plan = w->m->plan;
    bool boot = step->kind == HO_STEP_BOOT;

    if (boot != w->off[step->host]) {
        return senseless(w, step, boot ? "%s has power already" : "%s has no power anyway",
                         plan->nodes[step->host].name);
    }
    w->off[step->host] = !boot;
    for (size_t i = 0; i < plan->proc_count; i++) {
        if (plan->procs[i].host == step->host) {
            w->proc[i] = PROC_NONE;
        }
    }
    return emit(w, step);
}

static int walk_plug(struct walk *w, const struct ho_step *step)
{
    const struct ho_plan *plan = w->m->plan;
    bool any = false;

    for (size_t i = 0; i < plan->cable_count; i++) {
        const struct ho_plan_cable *c = &plan->cables[i];
        bool meant = step->cable == i ||
                     (step->cable == HO_PLAN_NONE &&
                      (step->host == HO_PLAN_NONE || c->a == step->host || c->b == step->host));
        if (!meant || !w->broken[i]) {
            continue;
        }
        struct ho_step one = *step;
        one.cable = (uint16_t)i;
        one.host = HO_PLAN_NONE;
        one.what = c->name;
        w->broken[i] = false;
        any = true;
        int err = emit(w, &one);
        if (err != 0) {
            return err;
        }
    }
    return any ? 0 : senseless(w, step, "%s is cut or unplugged", "no such cable");
}

static int walk_step(struct walk *w, const struct ho_step *step)
{
    switch (step->kind) {
    case HO_STEP_CALL:
    case HO_STEP_PROGRAM:
        return walk_process(w, step);
    case HO_STEP_COMMAND:
    case HO_STEP_INPUT:
        return walk_command(w, step);
    case HO_STEP_KILL:
    case HO_STEP_STOP:
    case HO_STEP_CONTINUE:
        return walk_signal(w, step);
    case HO_STEP_POWER_OFF:
    case HO_STEP_BOOT:
        return walk_power(w, step);
    case HO_STEP_PLUG:
        return walk_plug(w, step);
    case HO_STEP_CUT:
    case HO_STEP_UNPLUG:
        w->broken[step->cable] = true;
        return emit(w, step);
    case HO_STEP_INTERFACE:
    case HO_STEP_ADDRESS:
    case HO_STEP_ROUTE:
    case HO_STEP_NEIGHBOUR:
    case HO_STEP_SYSCTL:
        if (w->off[step->host]) {
            return senseless(w, step, "%s has no power", w->m->plan->nodes[step->host].name);
        }
        return emit(w, step);
    default:
        return emit(w, step);
    }
}

static int walk_steps(struct ho_maker *m)
{
    struct ho_plan *plan = m->plan;
    struct walk *w = calloc(1, sizeof(*w));

    if (w == NULL) {
        return -ENOMEM;
    }
    w->m = m;
    for (size_t i = 0; i < plan->setup_count; i++) {
        if (plan->setup[i].kind == HO_STEP_COMMAND) {
            w->proc[plan->setup[i].proc] = PROC_COMMAND;
        }
    }
    int err = merge_sort(plan->steps, plan->step_count);
    for (size_t i = 0; i < plan->step_count && err == 0; i++) {
        err = walk_step(w, &plan->steps[i]);
    }
    free(plan->steps);
    plan->steps = w->out;
    plan->step_count = w->count;
    free(w);
    return err;
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Settings of the file that count before everything else. */
static int read_about(struct ho_maker *m)
{
    int64_t seed = 1, rtt = 1000000;
    int err = 0;

    for (size_t i = 0; i < m->s->line_count && err == 0; i++) {
        const struct ho_scn_line *line = &m->s->lines[i];
        if (line->form == HO_FORM_SEED) {
            err = ho_resolve_number(m, line, "seed", HO_TYPE_NUMBER, seed, &seed);
        } else if (line->form == HO_FORM_RTT) {
            err = ho_resolve_number(m, line, "rtt", HO_TYPE_DURATION, rtt, &rtt);
        } else if (line->form == HO_FORM_NEIGHBOURS) {
            m->neighbours_static = strcmp(ho_scn_arg(m->s, line, "how")->text, "static") == 0;
        } else if (line->form == HO_FORM_LASTS && !ho_scn_arg(m->s, line, "end")->relative) {
            err = ho_resolve_time(m, line, "end", &m->plan->end);
        }
    }
    for (unsigned i = 0; i < m->s->sweep_count && err == 0; i++) {
        const struct ho_scn_arg *a = &m->s->args[m->s->sweeps[i].arg_first + m->c->value[i]];
        if (strcmp(m->s->sweeps[i].name, "rtt") == 0 &&
            ho_value_read(HO_TYPE_DURATION, a->text, &rtt) != 0) {
            err = ho_mistake(m->e, m->s->sweeps[i].line, a->column, "found '%.60s', expected %s",
                             a->text, ho_type_description(HO_TYPE_DURATION));
        }
    }
    m->plan->seed = m->o.has_seed ? m->o.seed : (uint64_t)seed;
    m->rtt = m->o.has_rtt ? m->o.rtt : ho_ns(rtt);
    return err;
}

static int make_steps(struct ho_maker *m)
{
    int err = ho_make_at_start(m);

    for (size_t i = 0; i < m->s->line_count && err == 0; i++) {
        const struct ho_scn_line *line = &m->s->lines[i];
        if (ho_form_info(line->form)->section == HO_SECTION_STEP && ho_maker_counts(m, line)) {
            err = ho_make_step(m, line);
        }
    }
    return err != 0 ? err : walk_steps(m);
}

/* Without `lasts` the play ends a little after the last time that the file names, those of
 * expectations included: these are read once to know it, and again when "the end" is known.
 */
static int make_end(struct ho_maker *m)
{
    const struct ho_scn_line *lasts = NULL;
    int err = 0;

    for (size_t i = 0; i < m->s->line_count; i++) {
        if (m->s->lines[i].form == HO_FORM_LASTS) {
            lasts = &m->s->lines[i];
        }
    }
    if (lasts != NULL) {
        struct ho_time latest = m->latest;
        err = ho_resolve_time(m, lasts, "end", &m->plan->end);
        if (err == 0 && ho_time_before(m->plan->end, latest)) {
            return ho_maker_refuse(m, lasts, ho_scn_arg(m->s, lasts, "end"),
                                   "the play ends before a step further down or up");
        }
        return err;
    }
    m->plan->end = (struct ho_time){ HO_DURATION_MAX_NS };
    err = ho_make_expects(m);
    m->plan->expect_count = 0;
    m->plan->end = ho_time_add(m->latest, ho_ns(AFTER_LAST));
    return err;
}

static const char *case_name(struct ho_maker *m)
{
    struct ho_text t = { 0 };
    const char *kept = NULL;

    if (m->c->family == HO_FAMILY_V6) {
        ho_text_put(&t, "ipv6");
    }
    for (unsigned i = 0; i < m->s->sweep_count; i++) {
        const struct ho_scn_sweep *sweep = &m->s->sweeps[i];
        const char *dot = strrchr(sweep->name, '.');
        ho_text_printf(&t, "%s%s=%s", t.len > 0 ? " " : "", dot != NULL ? dot + 1 : sweep->name,
                       m->s->args[sweep->arg_first + m->c->value[i]].text);
    }
    if (ho_text_err(&t) == 0) {
        kept = ho_maker_keep(m, ho_text_str(&t));
    }
    ho_text_free(&t);
    return kept;
}

static size_t at_most(size_t n, size_t max)
{
    return n < max ? n : max;
}

/* A line makes a node at most, and a process; a node brings a process of its own. A line of cables
 * makes fewer than it has arguments.
 */
static int make_room(struct ho_maker *m)
{
    struct ho_plan *plan = m->plan;
    size_t nodes = at_most(m->s->line_count, HO_PLAN_NODES_MAX);
    size_t cables = at_most(m->s->arg_count, HO_PLAN_CABLES_MAX);
    size_t procs = at_most(m->s->line_count, HO_PLAN_PROCS_MAX);

    plan->nodes = calloc(nodes + 1, sizeof(*plan->nodes));
    plan->cables = calloc(cables + 1, sizeof(*plan->cables));
    plan->procs = calloc(procs + nodes + 1, sizeof(*plan->procs));
    m->labels = calloc(m->s->line_count + 1, sizeof(*m->labels));
    plan->case_name = case_name(m);
    return plan->nodes == NULL || plan->cables == NULL || plan->procs == NULL ||
                   m->labels == NULL || plan->case_name == NULL
               ? -ENOMEM
               : 0;
}

static int make_plan(struct ho_maker *m)
{
    int err = make_room(m);

    err = err != 0 ? err : read_about(m);
    err = err != 0 ? err : ho_make_world(m);
    m->latest = (struct ho_time){ 0 };
    err = err != 0 ? err : make_steps(m);
    err = err != 0 ? err : make_end(m);
    return err != 0 ? err : ho_make_expects(m);
}

int ho_plan_make(struct ho_plan **ret, const struct ho_scn *s, const struct ho_scn_case *c,
                 const struct ho_plan_options *options, struct ho_scn_error *ret_error)
{
    struct ho_maker m = { .s = s, .c = c, .e = ret_error };
    struct ho_scn_error unwanted;

    if (ret_error == NULL) {
        m.e = &unwanted;
    }
    if (options != NULL) {
        m.o = *options;
    }
    if (m.o.engine == NULL) {
        m.o.engine = "model";
    }
    m.plan = calloc(1, sizeof(*m.plan));
    if (m.plan == NULL) {
        return -ENOMEM;
    }
    m.plan->name = s->name;
    m.plan->family = c->family;
    int err = make_plan(&m);
    free(m.labels);
    if (err != 0) {
        ho_plan_free(m.plan);
        return err;
    }
    *ret = m.plan;
    return 0;
}

void ho_plan_free(struct ho_plan *p)
{
    if (p == NULL) {
        return;
    }
    while (p->memory != NULL) {
        struct ho_memory *next = p->memory->next;
        free(p->memory);
        p->memory = next;
    }
    free(p->nodes);
    free(p->cables);
    free(p->procs);
    free(p->setup);
    free(p->steps);
    free(p->expects);
    free(p);
}

int ho_scn_check(const struct ho_scn *s, struct ho_scn_error *ret_error)
{
    static const char *const engines[] = { "model", "kernel", "virtual-kernel" };

    for (size_t e = 0; e < sizeof(engines) / sizeof(engines[0]); e++) {
        const struct ho_plan_options options = { .engine = engines[e] };
        for (size_t i = 0; i < ho_scn_case_count(s); i++) {
            const struct ho_scn_case c = ho_scn_case(s, i);
            struct ho_plan *plan;
            int err = ho_plan_make(&plan, s, &c, &options, ret_error);
            if (err != 0) {
                return err;
            }
            ho_plan_free(plan);
        }
    }
    return 0;
}
