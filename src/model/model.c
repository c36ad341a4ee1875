/* The engine's table, and the world's beginning and end. */

#include "model/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "model/faults.h"
#include "model/world.h"

void ho_model_fail(struct ho_model *m, int err, const char *why)
{
    if (m->err == 0) {
        m->err = err;
        if (why != m->why) { /* what is said already stays */
            snprintf(m->why, sizeof(m->why), "%s", why);
        }
    }
}

static struct ho_model *model_of(void *self)
{
    return self;
}

static int check_program(struct ho_model *m, const struct ho_plan_program *program)
{
    struct ho_program_error error = { .text = "" };
    struct ho_program_arg arg[HO_PLAN_ARGS];

    for (unsigned i = 0; i < program->count; i++) {
        arg[i] = (struct ho_program_arg){ program->arg[i].key, program->arg[i].value };
    }
    if (ho_program_check(program->name, arg, program->count, &error) != 0) {
        snprintf(m->why, sizeof(m->why), "%s", error.text);
        return -EINVAL;
    }
    return 0;
}

static int needs_a_kernel(struct ho_model *m)
{
    snprintf(m->why, sizeof(m->why),
             "real programs need an engine with a real kernel: "
             "--engine kernel");
    return -ENOTSUP;
}

static int engine_check(void *self, const struct ho_plan *plan, const struct ho_step **ret_step)
{
    struct ho_model *m = model_of(self);

    for (size_t i = 0; i < plan->setup_count; i++) {
        if (plan->setup[i].kind == HO_STEP_COMMAND) {
            *ret_step = &plan->setup[i];
            return needs_a_kernel(m);
        }
    }
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct ho_step *s = &plan->steps[i];
        int err = s->kind == HO_STEP_PROGRAM ? check_program(m, &s->u.program) : 0;

        if (s->kind == HO_STEP_COMMAND || s->kind == HO_STEP_INPUT) {
            err = needs_a_kernel(m);
        }
        if (err != 0) {
            *ret_step = s;
            return err;
        }
    }
    return 0;
}

static int engine_begin(void *self, const struct ho_plan *plan, struct ho_timeline *timeline)
{
    struct ho_model *m = model_of(self);

    m->plan = plan;
    m->tl = timeline;
    return ho_model_build(m);
}

static int engine_run_until(void *self, struct ho_time t)
{
    struct ho_model *m = model_of(self);

    ho_model_run(m, t);
    return m->err;
}

static int engine_finish(void *self)
{
    struct ho_model *m = model_of(self);

    for (size_t i = 0; i < m->plan->node_count; i++) {
        ho_model_dirty(m, &m->nodes[i]);
    }
    ho_model_settle(m);
    return m->err;
}

static const char *engine_why(void *self)
{
    struct ho_model *m = model_of(self);

    return m->why[0] != '\0' ? m->why : "out of memory";
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
    ho_timeline_init(&m->names, 0);
    ho_bufpool_init(&m->bufs, HO_MODEL_BUFS);
    ho_timerq_init(&m->timers, m->now);
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
        .cut = ho_model_verb_cut,
        .unplug = ho_model_verb_unplug,
        .plug = ho_model_verb_plug,
        .drop = ho_model_verb_drop,
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
    return m->now;
}

uint32_t ho_model_pid(const struct ho_model *m, uint16_t proc)
{
    return proc < m->plan->proc_count ? m->procs[proc].pid : 0;
}

void ho_model_linkwatch(struct ho_model *m, int64_t ns)
{
    m->linkwatch_ns = ns;
}
