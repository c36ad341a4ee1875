/* The engine's table, and the world's beginning and end. */

#include "model/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "model/faults.h"
#include "model/world.h"
#include "play/verbs.h"

static struct ho_model *model_of(void *self)
{
    return self;
}

static bool is_command(const struct ho_step *s)
{
    return s->kind == HO_STEP_COMMAND || s->kind == HO_STEP_INPUT;
}

/* The first step that is about a real command, or NULL. */
static const struct ho_step *find_command(const struct ho_plan *plan)
{
    for (size_t i = 0; i < plan->setup_count; i++) {
        if (is_command(&plan->setup[i])) {
            return &plan->setup[i];
        }
    }
    for (size_t i = 0; i < plan->step_count; i++) {
        if (is_command(&plan->steps[i])) {
            return &plan->steps[i];
        }
    }
    return NULL;
}

static int engine_check(void *self, const struct ho_plan *plan, const struct ho_step **ret_step)
{
    struct ho_model *m = model_of(self);
    const struct ho_step *command = find_command(plan);

    if (command != NULL) {
        snprintf(m->tr.why, sizeof(m->tr.why),
                 "real programs need an engine with a real kernel: "
                 "--engine kernel");
        *ret_step = command;
        return -ENOTSUP;
    }
    return ho_play_check(&m->tr, plan, ret_step);
}

static int engine_begin(void *self, const struct ho_plan *plan, struct ho_timeline *timeline)
{
    struct ho_model *m = model_of(self);

    m->plan = plan;
    return ho_model_build(m, timeline);
}

static int engine_run_until(void *self, struct ho_time t)
{
    struct ho_model *m = model_of(self);

    ho_model_run(m, t);
    return m->tr.err;
}

static int engine_finish(void *self)
{
    struct ho_model *m = model_of(self);

    for (size_t i = 0; i < m->plan->node_count; i++) {
        ho_model_dirty(m, &m->nodes[i]);
    }
    ho_model_settle(m);
    return m->tr.err;
}

static const char *engine_why(void *self)
{
    struct ho_model *m = model_of(self);

    return m->tr.why[0] != '\0' ? m->tr.why : "out of memory";
}

static void engine_destroy(void *self)
{
    struct ho_model *m = model_of(self);

    ho_model_demolish(m);
    free(m);
}

int ho_model_new(struct ho_engine *ret)
{
    struct ho_model *m = calloc(1, sizeof(*m));

    if (m == NULL) {
        return -ENOMEM;
    }
    m->linkwatch_ns = -1;
    ho_list_init(&m->guests);
    m->last_dirty = &m->first_dirty;
    ho_trace_init(&m->tr);
    ho_bufpool_init(&m->bufs, HO_MODEL_BUFS);
    ho_timerq_init(&m->timers, m->tr.now);
    *ret = (struct ho_engine){
        .name = "model",
        .self = m,
        .check = engine_check,
        .begin = engine_begin,
        .run_until = engine_run_until,
        .start = ho_model_verb_start,
        .call = ho_model_verb_call,
        .program = ho_model_verb_program,
        .kill = ho_model_verb_kill,
        .stop = ho_model_verb_stop,
        .cont = ho_model_verb_continue,
        .sysctl = ho_model_verb_sysctl,
        .power_off = ho_model_verb_power_off,
        .boot = ho_model_verb_boot,
        .interface = ho_model_verb_interface,
        .address = ho_model_verb_address,
        .route = ho_model_verb_route,
        .neighbour = ho_model_verb_neighbour,
        .cut = ho_model_verb_cable,
        .unplug = ho_model_verb_cable,
        .plug = ho_model_verb_cable,
        .drop = ho_model_verb_cable,
        .note = ho_model_verb_note,
        .finish = engine_finish,
        .why = engine_why,
        .destroy = engine_destroy,
    };
    return 0;
}

struct ho_model *ho_model_of(const struct ho_engine *engine)
{
    return model_of(engine->self);
}

struct ho_host *ho_model_host(struct ho_model *m, uint16_t node)
{
    return node < m->plan->node_count ? m->nodes[node].host : NULL;
}

void ho_model_touch(struct ho_model *m, uint16_t node)
{
    ho_model_drain(m, &m->nodes[node]);
    ho_model_dirty(m, &m->nodes[node]);
    ho_model_settle(m);
}

struct ho_time ho_model_now(const struct ho_model *m)
{
    return m->tr.now;
}

uint32_t ho_model_pid(const struct ho_model *m, uint16_t proc)
{
    return proc < m->plan->proc_count ? m->procs[proc].pid : 0;
}

void ho_model_linkwatch(struct ho_model *m, int64_t ns)
{
    m->linkwatch_ns = ns;
}
