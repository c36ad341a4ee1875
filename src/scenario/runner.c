/* The runner: the only code that knows both plans and engines. */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "scenario/runner.h"

int ho_run_step(const struct ho_engine *e, const struct ho_step *s)
{
    switch (s->kind) {
    case HO_STEP_START:
        return e->start(e->self, s->proc);
    case HO_STEP_CALL:
        return e->call(e->self, s->proc, &s->u.call);
    case HO_STEP_PROGRAM:
        return e->program(e->self, s->proc, &s->u.program);
    case HO_STEP_COMMAND:
        return e->command != NULL ? e->command(e->self, s->proc, &s->u.command) : -ENOTSUP;
    case HO_STEP_INPUT:
        return e->input != NULL ? e->input(e->self, s->proc, &s->u.input) : -ENOTSUP;
    case HO_STEP_SYSCTL:
        return e->sysctl(e->self, s->host, &s->u.sysctl);
    case HO_STEP_CUT:
        return e->cut(e->self, s->cable, s);
    case HO_STEP_UNPLUG:
        return e->unplug(e->self, s->cable, s);
    case HO_STEP_PLUG:
        return e->plug(e->self, s->cable, s);
    case HO_STEP_DROP:
        return e->drop(e->self, s->cable, s);
    case HO_STEP_POWER_OFF:
        return e->power_off(e->self, s->host, s);
    case HO_STEP_BOOT:
        return e->boot(e->self, s->host, s);
    case HO_STEP_KILL:
        return e->kill(e->self, s->proc, s);
    case HO_STEP_STOP:
        return e->stop(e->self, s->proc, s);
    case HO_STEP_CONTINUE:
        return e->cont(e->self, s->proc, s);
    case HO_STEP_INTERFACE:
        return e->interface(e->self, s->host, s);
    case HO_STEP_ADDRESS:
        return e->address(e->self, s->host, s);
    case HO_STEP_ROUTE:
        return e->route(e->self, s->host, s);
    case HO_STEP_NEIGHBOUR:
        return e->neighbour(e->self, s->host, s);
    case HO_STEP_NOTE:
        return e->note(e->self, s);
    case HO_STEP_COUNT:
        break;
    }
    assert(0 && "no such step");
    return -EINVAL;
}

static bool lacks_verb(const struct ho_engine *e, const struct ho_step *s)
{
    return s != NULL && ((s->kind == HO_STEP_COMMAND && e->command == NULL) ||
                         (s->kind == HO_STEP_INPUT && e->input == NULL));
}

static int play_steps(const struct ho_plan *plan, const struct ho_engine *e,
                      const struct ho_step **ret_step)
{
    struct ho_time now = { 0 };
    int err = 0;

    for (size_t i = 0; i < plan->step_count && err == 0; i++) {
        const struct ho_step *s = &plan->steps[i];
        *ret_step = s;
        if (ho_time_before(now, s->at)) {
            now = s->at;
            err = e->run_until(e->self, now);
        }
        if (err == 0) {
            err = ho_run_step(e, s);
        }
    }
    if (err == 0) {
        *ret_step = NULL;
        err = e->run_until(e->self, plan->end);
    }
    return err != 0 ? err : e->finish(e->self);
}

static int judge(struct ho_run_result *ret, const struct ho_plan *plan,
                 const struct ho_timeline *timeline)
{
    struct ho_run_result r = { .judgement_count = plan->expect_count };
    int err = ho_verdicts_make(timeline, NULL, &r.verdicts);

    if (err != 0) {
        return err;
    }
    err = ho_expect_judge(&r.judgements, plan, timeline, &r.verdicts);
    if (err != 0) {
        ho_verdicts_free(&r.verdicts);
        return err;
    }
    for (size_t i = 0; i < r.judgement_count; i++) {
        r.failed += !r.judgements[i].met;
    }
    *ret = r;
    return 0;
}

int ho_run(struct ho_run_result *ret, const struct ho_plan *plan, const struct ho_engine *engine,
           struct ho_timeline *timeline, struct ho_run_error *ret_error)
{
    const struct ho_step *step = NULL;
    const char *why = NULL;
    const int refused = engine->check(engine->self, plan, &step);
    int err = refused;

    err = err != 0 ? err : engine->begin(engine->self, plan, timeline);
    err = err != 0 ? err : play_steps(plan, engine, &step);
    if (err != 0) {
        why = refused == 0 && lacks_verb(engine, step) ? "this engine cannot run real programs"
                                                       : engine->why(engine->self);
    } else {
        err = judge(ret, plan, timeline);
        why = "out of memory";
    }
    if (err != 0 && ret_error != NULL) {
        ret_error->line = step != NULL ? step->line : 0;
        snprintf(ret_error->text, sizeof(ret_error->text), "%s", why);
    }
    return err;
}

void ho_run_result_free(struct ho_run_result *r)
{
    if (r == NULL) {
        return;
    }
    ho_verdicts_free(&r->verdicts);
    free(r->judgements);
    *r = (struct ho_run_result){ 0 };
}
