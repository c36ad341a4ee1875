/* Scenarios on the kernel and on the model that is its twin (cli/twin.h), side by side.
 *
 * Both happen in one room, the kernel first: the model needs to know what it was. In the table the
 * difference is how much later the kernel was. Times are compared from event to event on a host
 * (timeline/compare.h), within what real time costs: TOLERANCE_NS and two ticks - a process that
 * is woken late, a processor that sees its timers one tick after another has counted it - and with
 * one step of the timer wheel where such a tick moved a timer over its edge; those are counted.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/compare.h"
#include "cli/machine.h"
#include "cli/play.h"
#include "cli/plays.h"
#include "cli/source.h"
#include "cli/twin.h"
#include "timeline/view.h"

#define TOLERANCE_NS (20 * INT64_C(1000000))
#define TOLERANCE_TICKS 2

enum part {
    PART_REPORT,
    PART_COUNTS /* a struct counts */
};

/* What plays add up to. */
struct counts {
    size_t plays, agree, not_here; /* compared; of these; not to be played on both */
    size_t events, steps;
    int64_t worst_ns, worst_step_ns; /* of the plays that agree */
    char kernel[64];                 /* "6.18" */
};

struct engines {
    const struct ho_run_options *o;
    struct ho_plays plays;
    struct counts sum;
    struct ho_text out;
    int code; /* the worst of plays that broke off */
};

/* One case on both. */
struct both {
    const struct engines *all;
    struct ho_play kernel, model;
    struct ho_twin twin;
    struct ho_compare_opts opts;
    struct ho_comparison c;
    char release[64]; /* "6.18" of "6.18.44-amd64" */
};

/* ---- one play, in its room ------------------------------------------------------------------- */

/* Up to the second point, or what else does not belong to a release's number. */
static void cut_release(char *ret, size_t size, const char *release)
{
    size_t first = strcspn(release, ".");
    size_t len =
        release[first] == '.' ? first + 1 + strspn(release + first + 1, "0123456789") : first;

    snprintf(ret, size, "%.*s", (int)len, release);
}

static void set_opts(struct both *b)
{
    const struct ho_run_options *o = b->all->o;
    uint32_t hz = ho_play_hz(&b->model);

    b->opts = (struct ho_compare_opts){ .fault = o->align, .by_interval = true, .wheel_hz = hz };
    b->opts.tolerance = ho_machine_late();
    if (o->has_tolerance) {
        b->opts.tolerance = o->tolerance;
        b->opts.by_interval = o->by_interval;
        b->opts.wheel_hz = 0;
    }
}

static void put_sum(struct ho_text *out, const struct ho_comparison *c, const char *release)
{
    if (c->first < c->n) {
        ho_text_printf(out,
                       "model does not agree with Linux %s: %zu of %zu events do; the first that "
                       "does not:\n",
                       release, c->same + c->steps, c->n);
        ho_comparison_row(out, &c->row[c->first], "model", "kernel");
        return;
    }
    ho_text_printf(out, "model agrees with Linux %s within ", release);
    ho_text_dur(out, ho_ns(c->worst_ns));
    ho_text_printf(out, " (%zu events", c->n);
    if (c->steps > 0) {
        ho_text_printf(out, "; %zu a step of the timer wheel apart, up to ", c->steps);
        ho_text_dur(out, ho_ns(c->worst_step_ns));
    }
    ho_text_put(out, ")\n");
}

static void put_head(struct ho_text *out, const struct both *b)
{
    size_t at;

    ho_text_printf(out, "%s: Linux %s, HZ=%u", ho_play_name(&b->model), ho_play_kernel(&b->kernel),
                   ho_play_hz(&b->model));
    if (!b->twin.jiffies_known) {
        ho_text_put(out, "; its jiffy is not known: a timer can be a step of the wheel apart");
    }
    if (!b->twin.profile_exact) {
        ho_text_printf(out, "; the model is %s", b->model.plan->nodes[0].profile);
    }
    if (b->twin.redrawn) {
        ho_text_put(out, "; neighbours' reachable times were drawn anew meanwhile");
    }
    ho_text_put(out, "; times since ");
    if (ho_view_fault(&b->model.timeline, b->opts.fault, &at) == 0) {
        ho_view_put_fault(out, &b->model.timeline.rec[at]);
    } else {
        ho_text_put(out, "the start");
    }
    ho_text_put(out, "\ntolerance ");
    ho_text_dur(out, b->opts.tolerance);
    ho_text_put(out, b->opts.by_interval ? " from event to event" : "");
    ho_text_put(out, b->opts.wheel_hz > 0 ? ", and a step of the timer wheel\n" : "\n");
}

static void put_text(struct ho_text *out, const struct both *b)
{
    put_head(out, b);
    ho_comparison_table(out, &b->c, "model", "kernel", b->all->o->differences);
    put_sum(out, &b->c, b->release);
}

static void put_json(struct ho_text *out, const struct both *b)
{
    ho_text_put(out, "{\"name\":");
    ho_text_json(out, b->model.plan->name);
    ho_text_put(out, ",\"case\":");
    ho_text_json(out, b->model.plan->case_name);
    ho_text_put(out, ",\"compared\":true,\"kernel\":");
    ho_text_json(out, ho_play_kernel(&b->kernel));
    ho_text_printf(out, ",\"hz\":%u,\"jiffy_known\":%s,\"neighbours_redrawn\":%s,\"alike\":%s",
                   ho_play_hz(&b->model), b->twin.jiffies_known ? "true" : "false",
                   b->twin.redrawn ? "true" : "false", b->c.first == b->c.n ? "true" : "false");
    ho_text_printf(out, ",\"by_interval\":%s,\"wheel_steps\":%s,\"tolerance_s\":",
                   b->opts.by_interval ? "true" : "false", b->opts.wheel_hz > 0 ? "true" : "false");
    ho_text_seconds(out, b->opts.tolerance.ns, 6);
    ho_text_printf(out, ",\"steps\":%zu,\"worst_step_s\":", b->c.steps);
    ho_text_seconds(out, b->c.worst_step_ns, 6);
    ho_compare_json_rows(out, &b->c, b->all->o->differences);
    ho_text_char(out, '}');
}

/* Of a play that one of the engines cannot play. */
static void put_not_here(struct ho_text *out, const struct both *b, const struct ho_play *p)
{
    if (b->all->o->format == HO_FORMAT_JSON) {
        ho_text_put(out, "{\"name\":");
        ho_text_json(out, p->plan->name);
        ho_text_put(out, ",\"case\":");
        ho_text_json(out, p->plan->case_name);
        ho_text_put(out, ",\"compared\":false,\"why\":");
        ho_text_json(out, p->why.text);
        ho_text_char(out, '}');
        return;
    }
    ho_text_printf(out, "%s: not compared: the %s cannot play it: %s\n", ho_play_name(p), p->engine,
                   p->why.text);
}

static int put_comparison(struct both *b, struct ho_text *out, struct counts *ret)
{
    int err;

    set_opts(b);
    err = ho_compare(&b->model.timeline, &b->kernel.timeline, &b->opts, &b->c);
    if (err == -ENOENT) {
        return ho_cli_say(HO_EXIT_USAGE, "--align: found '%s', expected the label of a fault of %s",
                          b->opts.fault, ho_play_name(&b->model));
    }
    if (err != 0) {
        return ho_cli_no_memory();
    }
    cut_release(b->release, sizeof(b->release), ho_play_kernel(&b->kernel));
    if (b->all->o->format == HO_FORMAT_JSON) {
        put_json(out, b);
    } else {
        put_text(out, b);
    }
    *ret = (struct counts){ .plays = 1, .agree = b->c.first == b->c.n, .events = b->c.n };
    if (ret->agree > 0) {
        ret->steps = b->c.steps;
        ret->worst_ns = b->c.worst_ns;
        ret->worst_step_ns = b->c.worst_step_ns;
    }
    memcpy(ret->kernel, b->release, sizeof(ret->kernel));
    ho_comparison_free(&b->c);
    return HO_EXIT_OK;
}

static int play_both(struct both *b, struct ho_text *out, struct counts *ret)
{
    int code = ho_twin_play_kernel(&b->twin, &b->kernel);

    if (code == HO_EXIT_OK && b->kernel.played) {
        code = ho_twin_play_model(&b->twin, &b->model, &b->kernel);
    }
    if (code == HO_EXIT_OK && b->kernel.played && b->model.played) {
        code = put_comparison(b, out, ret);
    } else if (code == HO_EXIT_OK) {
        put_not_here(out, b, b->kernel.played ? &b->model : &b->kernel);
        *ret = (struct counts){ .not_here = 1 };
    }
    ho_twin_free(&b->twin);
    return code;
}

static int play_item(void *self, size_t i, struct ho_text part[HO_ROOM_PARTS])
{
    const struct engines *e = self;
    const struct ho_plays_item *item = &e->plays.item[i];
    struct both b = { .all = e };
    struct counts counts = { .plays = 0 };
    struct ho_run_options o = *e->o;
    int code;

    o.kernel = true;
    o.plan.engine = o.virtual_kernel ? "virtual-kernel" : "kernel";
    code = ho_play_plan(&b.kernel, item->source, item->number, &o);
    if (code != HO_EXIT_OK) {
        return code;
    }
    o.kernel = false;
    o.plan.engine = "model";
    code = ho_play_plan(&b.model, item->source, item->number, &o);
    if (code == HO_EXIT_OK) {
        code = play_both(&b, &part[PART_REPORT], &counts);
        ho_play_free(&b.model);
    }
    ho_play_free(&b.kernel);
    ho_text_bytes(&part[PART_COUNTS], &counts, sizeof(counts));
    return code;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void add(struct counts *sum, const struct counts *one)
{
    sum->plays += one->plays;
    sum->agree += one->agree;
    sum->not_here += one->not_here;
    sum->events += one->events;
    sum->steps += one->steps;
    sum->worst_ns = one->worst_ns > sum->worst_ns ? one->worst_ns : sum->worst_ns;
    sum->worst_step_ns =
        one->worst_step_ns > sum->worst_step_ns ? one->worst_step_ns : sum->worst_step_ns;
    if (one->kernel[0] != '\0') {
        memcpy(sum->kernel, one->kernel, sizeof(sum->kernel));
    }
}

static int take_item(void *self, size_t i, const struct ho_room_result *result)
{
    struct engines *e = self;
    bool json = e->o->format == HO_FORMAT_JSON;
    struct counts one;
    int code;

    if (result->code != HO_EXIT_OK) {
        e->code = result->code > e->code ? result->code : e->code;
        return HO_EXIT_OK;
    }
    if (ho_text_err(&result->part[PART_COUNTS]) != 0 ||
        ho_text_err(&result->part[PART_REPORT]) != 0) {
        return ho_cli_no_memory();
    }
    memcpy(&one, result->part[PART_COUNTS].s, sizeof(one));
    if (e->sum.plays + e->sum.not_here > 0) {
        ho_text_put(&e->out, json ? ",\n" : "\n");
    }
    add(&e->sum, &one);
    ho_text_bytes(&e->out, ho_text_str(&result->part[PART_REPORT]), result->part[PART_REPORT].len);
    (void)i;
    if (json) {
        return HO_EXIT_OK;
    }
    code = ho_cli_put(&e->out);
    ho_text_clear(&e->out);
    return code == HO_EXIT_OK ? ho_cli_done() : code;
}

static void put_end(struct engines *e)
{
    const struct counts *s = &e->sum;

    if (e->o->format == HO_FORMAT_JSON) {
        ho_text_printf(&e->out, "],\n\"compared\":%zu,\"alike\":%zu,\"not_compared\":%zu}\n",
                       s->plays, s->agree, s->not_here);
        return;
    }
    if (s->plays < 2) {
        return;
    }
    ho_text_printf(&e->out, "\nmodel agrees with Linux %s in %zu of %zu plays, within ", s->kernel,
                   s->agree, s->plays);
    ho_text_dur(&e->out, ho_ns(s->worst_ns));
    if (s->steps > 0) {
        ho_text_printf(&e->out, "; %zu of %zu events a step of the timer wheel apart, up to ",
                       s->steps, s->events);
        ho_text_dur(&e->out, ho_ns(s->worst_step_ns));
    }
    ho_text_char(&e->out, '\n');
}

static int finish(struct engines *e)
{
    int code;

    put_end(e);
    code = ho_cli_put(&e->out);
    code = code == HO_EXIT_OK ? ho_cli_done() : code;
    if (e->plays.longer > 0) {
        fprintf(stderr, "%zu cases last longer and were left out\n", e->plays.longer);
    }
    code = code == HO_EXIT_OK ? e->code : code;
    if (code != HO_EXIT_OK) {
        return code;
    }
    if (e->sum.plays == 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "nothing was compared");
    }
    return e->sum.agree == e->sum.plays ? HO_EXIT_OK : HO_EXIT_FOUND;
}

int ho_compare_engines(const struct ho_run_options *o)
{
    struct engines e = { .o = o };
    struct ho_source *s = NULL;
    size_t count = 0;
    int code = ho_sources_read(&s, &count, o);

    if (code != HO_EXIT_OK) {
        return code;
    }
    if (o->format == HO_FORMAT_JSON) {
        ho_text_printf(&e.out,
                       "{\"schema\":%d,\"program\":\"halfopen\",\"version\":\"%s\",\"plays\":[\n",
                       HO_COMPARE_SCHEMA, HALFOPEN_VERSION);
    }
    code = ho_plays_list(&e.plays, s, count, o);
    if (code == HO_EXIT_OK) {
        code = ho_plays_in_rooms(&e.plays, o, &e, play_item, take_item);
        code = code == HO_EXIT_OK ? finish(&e) : code;
    }
    ho_plays_free(&e.plays);
    ho_sources_free(s, count);
    ho_text_free(&e.out);
    ho_rooms_end(code);
    return code;
}
