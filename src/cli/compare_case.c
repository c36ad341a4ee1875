/* One case on several engines, side by side.
 *
 * Each kernel is compared with the model that is its twin (cli/twin.h), so that there are as many
 * plays of the model as kernels; they tell one story, and the table (timeline/join.h) has the times
 * of the first. The difference is how much later a kernel was than its twin. Times are compared
 * from event to event on a host (timeline/compare.h), within what real time costs: 20 ms and two
 * ticks - a process that is woken late, a processor that sees its timers one tick after another has
 * counted it - and with one step of the timer wheel where such a tick moved a timer over its edge;
 * those are counted.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/compare.h"
#include "cli/machine.h"
#include "timeline/verdict.h"
#include "timeline/view.h"

/* Two models of one scenario tell the same events at times that lie this near. */
#define MODELS_APART_S 3600

/* One kernel, and what it is compared with. */
struct side {
    const char *name; /* of the engine */
    const struct ho_compare_play *play;
    const char *release; /* "6.18.44" */
    uint32_t hz;
    bool planned; /* there is a model */
    struct ho_play model;
    struct ho_twin twin;
    const struct ho_timeline *base; /* the model's, or the kernel that stands in for it */
    struct ho_compare_opts opts;
    struct ho_comparison c, bases;  /* base beside this; the first side's base beside this one's */
    size_t verdicts, verdicts_same; /* of both; of these, how many say the same */
    int64_t verdicts_ns;            /* those: how far apart at most */
    size_t number;                  /* among the kernels */
};

struct one {
    const struct ho_run_options *o;
    const struct ho_plays_item *item;
    const struct ho_play *plan; /* of the case */
    const char *base;           /* "model" */
    struct side side[HO_COMPARE_KERNELS];
    size_t n;
};

static const char *setting_text(const struct ho_timeline *tl, const char *name)
{
    const struct ho_record *r = ho_timeline_setting(tl, tl->n, "run", "", "", name);

    return r != NULL ? r->u.settings.text : "";
}

/* HZ of the first host that says it. */
static uint32_t hz_of(const struct ho_timeline *tl)
{
    for (size_t i = 0; i < tl->n; i++) {
        const struct ho_record *r = &tl->rec[i];

        if (r->kind == HO_REC_SETTINGS && strcmp(r->u.settings.name, "hz") == 0) {
            return (uint32_t)r->u.settings.value;
        }
    }
    return 0;
}

/* ---- playing and comparing ------------------------------------------------------------------- */

static int play_model(const struct one *one, struct side *s)
{
    const struct ho_run_options o = ho_options_on(one->o, HO_ENGINE_MODEL);
    int code = ho_play_plan(&s->model, one->item->source, one->item->number, &o);

    if (code != HO_EXIT_OK) {
        return code;
    }
    s->planned = true;
    code = ho_twin_play_model(&s->twin, &s->model, &s->play->tl, &s->play->draws);
    s->base = &s->model.timeline;
    return code;
}

static void set_opts(const struct one *one, struct side *s)
{
    const struct ho_run_options *o = one->o;

    s->opts = (struct ho_compare_opts){ .fault = o->align, .by_interval = true, .wheel_hz = s->hz };
    s->opts.tolerance = ho_machine_late();
    if (o->has_tolerance) {
        s->opts.tolerance = o->tolerance;
        s->opts.by_interval = o->by_interval;
        s->opts.wheel_hz = 0;
    }
}

static int compare_side(const struct one *one, struct side *s)
{
    struct ho_compare_opts same_story = { .fault = one->o->align,
                                          .tolerance = ho_s(MODELS_APART_S) };
    int err;

    set_opts(one, s);
    err = ho_compare(s->base, &s->play->tl, &s->opts, &s->c);
    if (err == 0 && s->base != one->side[0].base) {
        err = ho_compare(one->side[0].base, s->base, &same_story, &s->bases);
    }
    if (err == -ENOENT) {
        return ho_cli_say(HO_EXIT_USAGE, "--align: found '%s', expected the label of a fault of %s",
                          s->opts.fault, one->item->name);
    }
    return err == 0 ? HO_EXIT_OK : ho_cli_no_memory();
}

/* What came of it, whatever the events on the way. */
static int compare_verdicts(struct side *s)
{
    struct ho_verdicts a, b;
    int code = HO_EXIT_OK;

    if (ho_verdicts_make(s->base, s->opts.fault, &a) != 0) {
        return ho_cli_no_memory();
    }
    if (ho_verdicts_make(&s->play->tl, s->opts.fault, &b) == 0) {
        s->verdicts_same = ho_verdicts_same(&a, &b, &s->verdicts, &s->verdicts_ns);
        ho_verdicts_free(&b);
    } else {
        code = ho_cli_no_memory();
    }
    ho_verdicts_free(&a);
    return code;
}

static void free_side(struct side *s)
{
    ho_comparison_free(&s->c);
    ho_comparison_free(&s->bases);
    ho_twin_free(&s->twin);
    if (s->planned) {
        ho_play_free(&s->model);
    }
}

/* ---- as text --------------------------------------------------------------------------------- */

/* Up to the second point, or what else does not belong to a release's number. */
static void cut_release(char *ret, size_t size, const char *release)
{
    size_t first = strcspn(release, ".");
    size_t len =
        release[first] == '.' ? first + 1 + strspn(release + first + 1, "0123456789") : first;

    snprintf(ret, size, "%.*s", (int)len, release);
}

static bool is_virtual(const struct side *s)
{
    return s->number == 1;
}

static void put_sum(struct ho_text *out, const struct one *one, const struct side *s)
{
    const struct ho_comparison *c = &s->c;
    char release[64];

    cut_release(release, sizeof(release), s->release);
    if (c->first < c->n) {
        ho_text_printf(
            out,
            "%s does not agree with Linux %s%s: %zu of %zu events do, %zu of %zu verdicts; "
            "the first event that does not:\n",
            one->base, release, is_virtual(s) ? " in virtual time" : "", c->same + c->steps, c->n,
            s->verdicts_same, s->verdicts);
        ho_comparison_row(out, &c->row[c->first], one->base, s->name);
        return;
    }
    ho_text_printf(out, "%s agrees with Linux %s within ", one->base, release);
    ho_text_dur(out, ho_ns(c->worst_ns));
    ho_text_printf(out, " (%zu events", c->n);
    if (c->steps > 0) {
        ho_text_printf(out, "; %zu a step of the timer wheel apart, up to ", c->steps);
        ho_text_dur(out, ho_ns(c->worst_step_ns));
    }
    ho_text_printf(out, ")%s\n", is_virtual(s) ? " in virtual time" : "");
}

static void put_side(struct ho_text *out, const struct side *s)
{
    ho_text_printf(out, "%sLinux %s, HZ=%u", is_virtual(s) ? "virtual " : "", s->release, s->hz);
    if (s->planned && !s->twin.jiffies_known) {
        ho_text_put(out, ", its jiffy is not known: a timer can be a step of the wheel apart");
    }
    if (s->planned && !s->twin.profile_exact) {
        ho_text_printf(out, ", the model is %s", s->model.plan->nodes[0].profile);
    }
}

static void put_head(struct ho_text *out, const struct one *one)
{
    const struct side *first = &one->side[0];
    size_t at;

    ho_text_printf(out, "%s: ", one->item->name);
    for (size_t i = 0; i < one->n; i++) {
        put_side(out, &one->side[i]);
        ho_text_put(out, "; ");
    }
    ho_text_put(out, "times since ");
    if (ho_view_fault(first->base, first->opts.fault, &at) == 0) {
        ho_view_put_fault(out, &first->base->rec[at]);
    } else {
        ho_text_put(out, "the start");
    }
    ho_text_put(out, "\ntolerance ");
    ho_text_dur(out, first->opts.tolerance);
    ho_text_put(out, first->opts.by_interval ? " from event to event" : "");
    ho_text_put(out, first->opts.wheel_hz > 0 ? ", and a step of the timer wheel" : "");
    ho_text_put(out, one->n > 1 && first->planned
                         ? "; each kernel beside the model with its own jiffy and draws\n"
                         : "\n");
}

/* ---- as JSON --------------------------------------------------------------------------------- */

static void put_json_name(struct ho_text *out, const struct one *one)
{
    ho_text_put(out, "{\"name\":");
    ho_text_json(out, one->plan->plan->name);
    ho_text_put(out, ",\"case\":");
    ho_text_json(out, one->plan->plan->case_name);
}

static void put_json_side(struct ho_text *out, const struct side *s)
{
    const struct ho_comparison *c = &s->c;

    ho_text_printf(out, "{\"engine\":\"%s\",\"kernel\":", s->name);
    ho_text_json(out, s->release);
    ho_text_printf(out, ",\"hz\":%u", s->hz);
    if (s->planned) {
        ho_text_printf(out, ",\"jiffy_known\":%s", s->twin.jiffies_known ? "true" : "false");
    }
    ho_text_printf(out, ",\"neighbours_redrawn\":%s,\"alike\":%s,\"events\":%zu,\"same\":%zu",
                   s->play->draws.redrawn > 0 ? "true" : "false",
                   c->first == c->n ? "true" : "false", c->n, c->same);
    ho_text_put(out, ",\"worst_s\":");
    ho_text_seconds(out, c->worst_ns, 6);
    ho_text_printf(out, ",\"steps\":%zu,\"worst_step_s\":", c->steps);
    ho_text_seconds(out, c->worst_step_ns, 6);
    ho_text_printf(out,
                   ",\"verdicts\":%zu,\"verdicts_same\":%zu,\"verdicts_apart_s\":", s->verdicts,
                   s->verdicts_same);
    ho_text_seconds(out, s->verdicts_ns, 6);
    ho_text_put(out, ",\"first_difference\":");
    if (c->first < c->n) {
        ho_compare_json_row(out, &c->row[c->first]);
    } else {
        ho_text_put(out, "null");
    }
    ho_text_char(out, '}');
}

static void put_json(struct ho_text *out, const struct one *one, const struct ho_join *j,
                     bool alike)
{
    const struct ho_compare_opts *opts = &one->side[0].opts;

    put_json_name(out, one);
    ho_text_printf(out, ",\"compared\":true,\"base\":\"%s\",\"alike\":%s", one->base,
                   alike ? "true" : "false");
    ho_text_printf(out, ",\"by_interval\":%s,\"wheel_steps\":%s,\"tolerance_s\":",
                   opts->by_interval ? "true" : "false", opts->wheel_hz > 0 ? "true" : "false");
    ho_text_seconds(out, opts->tolerance.ns, 6);
    ho_text_put(out, ",\"engines\":[");
    for (size_t i = 0; i < one->n; i++) {
        ho_text_put(out, i > 0 ? "," : "");
        put_json_side(out, &one->side[i]);
    }
    ho_text_put(out, "],");
    ho_compare_json_join(out, j, one->o->differences);
    ho_text_char(out, '}');
}

/* ---- what cannot be played ------------------------------------------------------------------- */

static void put_cannot(struct ho_text *out, const struct one *one, const char *engine,
                       const char *why, bool compared)
{
    if (one->o->format == HO_FORMAT_JSON) {
        if (!compared) {
            put_json_name(out, one);
            ho_text_put(out, ",\"compared\":false,\"why\":");
            ho_text_json(out, why);
            ho_text_char(out, '}');
        }
        return;
    }
    ho_text_printf(out, "%s: %sthe %s cannot play it: %s\n", one->item->name,
                   compared ? "" : "not compared: ", engine, why);
}

/* ---- the case -------------------------------------------------------------------------------- */

static int put_report(struct ho_text *out, const struct one *one, bool alike)
{
    struct ho_join_side sides[HO_COMPARE_KERNELS];
    struct ho_join j;

    for (size_t i = 0; i < one->n; i++) {
        const struct side *s = &one->side[i];

        sides[i] = (struct ho_join_side){ s->name, &s->c, s->bases.row != NULL ? &s->bases : NULL };
    }
    if (ho_join(&j, one->base, sides, one->n) != 0) {
        return ho_cli_no_memory();
    }
    if (one->o->format == HO_FORMAT_JSON) {
        put_json(out, one, &j, alike);
    } else {
        put_head(out, one);
        ho_join_table(out, &j, one->o->differences);
        for (size_t i = 0; i < one->n; i++) {
            put_sum(out, one, &one->side[i]);
        }
    }
    ho_join_free(&j);
    return HO_EXIT_OK;
}

static void count(struct ho_compare_sum *sum, const struct side *s)
{
    const struct ho_comparison *c = &s->c;

    *sum = (struct ho_compare_sum){ .plays = 1, .agree = c->first == c->n };
    if (sum->agree > 0) {
        sum->events = c->n;
        sum->steps = c->steps;
        sum->worst_ns = c->worst_ns;
        sum->worst_step_ns = c->worst_step_ns;
    }
    cut_release(sum->release, sizeof(sum->release), s->release);
}

static int compare_sides(struct ho_text *out, struct ho_compare_result *ret, struct one *one)
{
    struct ho_compare_result r = { .compared = true, .alike = true };
    int code = HO_EXIT_OK;

    for (size_t i = 0; i < one->n && code == HO_EXIT_OK; i++) {
        struct side *s = &one->side[i];

        code = compare_side(one, s);
        code = code == HO_EXIT_OK ? compare_verdicts(s) : code;
        if (code == HO_EXIT_OK) {
            count(&r.side[s->number], s);
            r.alike &= r.side[s->number].agree > 0;
        }
    }
    code = code == HO_EXIT_OK ? put_report(out, one, r.alike) : code;
    if (code == HO_EXIT_OK) {
        *ret = r;
    }
    return code;
}

/* Chooses the sides and plays their models; *ret_why: what stands in the way of comparing. */
static int choose_sides(struct one *one, const struct ho_compare_play *kernel,
                        const char **ret_engine, const char **ret_why)
{
    bool model = (one->o->engines & HO_ENGINE_MODEL) != 0;
    const struct ho_compare_play *stand_in = NULL;

    for (size_t k = 0; k < HO_COMPARE_KERNELS; k++) {
        struct side s = { .name = ho_engine_names[1 + k], .play = &kernel[k], .number = k };
        int code = HO_EXIT_OK;

        if (!kernel[k].there || !kernel[k].played) {
            *ret_engine = kernel[k].there ? s.name : *ret_engine;
            *ret_why = kernel[k].there ? ho_text_str(&kernel[k].why) : *ret_why;
            continue;
        }
        if (!model && stand_in == NULL) {
            stand_in = &kernel[k];
            one->base = s.name;
            continue;
        }
        s.release = setting_text(&kernel[k].tl, "kernel");
        s.hz = hz_of(&kernel[k].tl);
        s.base = stand_in != NULL ? &stand_in->tl : NULL;
        one->side[one->n] = s;
        if (model) {
            code = play_model(one, &one->side[one->n]);
            if (code == HO_EXIT_OK && !one->side[one->n].model.played) {
                *ret_engine = "model";
                *ret_why = one->side[one->n].model.why.text;
                return HO_EXIT_OK;
            }
        }
        if (code != HO_EXIT_OK) {
            return code;
        }
        one->n++;
    }
    return HO_EXIT_OK;
}

int ho_compare_case(struct ho_text *out, struct ho_compare_result *ret,
                    const struct ho_run_options *o, const struct ho_plays_item *item,
                    const struct ho_compare_play kernel[HO_COMPARE_KERNELS])
{
    const struct ho_run_options plan_on = ho_options_on(o, HO_ENGINE_MODEL);
    struct one one = { .o = o, .item = item, .base = "model" };
    const char *engine = NULL, *why = NULL;
    struct ho_play plan;
    int code = ho_play_plan(&plan, item->source, item->number, &plan_on);

    if (code != HO_EXIT_OK) {
        return code;
    }
    one.plan = &plan;
    *ret = (struct ho_compare_result){ .compared = false };
    code = choose_sides(&one, kernel, &engine, &why);
    if (code == HO_EXIT_OK && engine != NULL) {
        put_cannot(out, &one, engine, why, one.n > 0);
    }
    if (code == HO_EXIT_OK && one.n > 0) {
        code = compare_sides(out, ret, &one);
    }
    for (size_t i = 0; i < HO_COMPARE_KERNELS; i++) {
        free_side(&one.side[i]);
    }
    ho_play_free(&plan);
    return code;
}
