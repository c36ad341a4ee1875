#define _POSIX_C_SOURCE 200809L
/* `halfopen run`: plays scenarios and says what came of it. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/phases.h"
#include "cli/play.h"
#include "cli/plays.h"
#include "cli/report.h"
#include "cli/source.h"
#include "timeline/jsonl.h"
#include "timeline/ladder.h"
#include "timeline/pcapng.h"

#define EPOCH_S 1700000000 /* a capture's date: the same for every run */

/* What a play hands back: texts, so that it can happen in another process. */
enum part {
    PART_REPORT,   /* its part of the results */
    PART_COUNTS,   /* a struct counts */
    PART_TIMELINE, /* for --timeline, when asked for */
    PART_PCAPNG    /* for --pcapng, when asked for */
};

struct counts {
    struct ho_report report;
    struct ho_report_units units;
};

struct run {
    struct ho_run_options o;
    struct ho_plays plays;
    struct ho_report report;
    struct ho_report_units units;
    struct ho_text out;
    bool colour;
    size_t shown; /* plays in the results */
    size_t saved; /* cases written to --timeline and --pcapng */
    int code;     /* the worst of plays that broke off */
};

static int64_t wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * HO_NS_PER_S + t.tv_nsec;
}

/* ---- one play, wherever it happens ----------------------------------------------------------- */

static int put_ladder(struct ho_text *out, const struct run *r, const struct ho_play *p)
{
    struct ho_ladder_opts opts = { .color = r->colour };
    int err;

    ho_text_printf(out, "%s: %s\n\n", ho_play_name(p), ho_scn_title(p->source->scn));
    err = p->played ? ho_ladder_write(out, &p->timeline, &opts) : 0;
    if (err == -ENOENT) {
        ho_text_put(out, "  nothing to draw: no connection was seen\n");
    }
    ho_text_char(out, '\n');
    return err == 0 || err == -ENOENT ? HO_EXIT_OK : ho_cli_no_memory();
}

static int put_case(struct ho_text *out, const struct run *r, const struct ho_play *p,
                    size_t number, struct ho_report_units *ret_units)
{
    if (r->o.ladder) {
        return put_ladder(out, r, p);
    }
    switch (r->o.format) {
    case HO_FORMAT_TEXT:
        ho_report_case(out, p, r->colour);
        break;
    case HO_FORMAT_JSON:
        ho_report_json_case(out, p);
        break;
    case HO_FORMAT_TAP:
        ho_report_tap_case(out, p, number);
        break;
    case HO_FORMAT_JUNIT:
        ho_report_junit_case(out, p, ret_units);
        break;
    }
    return HO_EXIT_OK;
}

static int put_files(const struct run *r, const struct ho_play *p,
                     struct ho_text part[HO_ROOM_PARTS])
{
    int err = 0;

    if (r->o.timeline != NULL) {
        ho_jsonl_write(&part[PART_TIMELINE], &p->timeline, r->o.raw ? HO_JSONL_RAW : 0);
    }
    if (r->o.pcapng != NULL) {
        err = ho_pcapng_write(&part[PART_PCAPNG], &p->timeline, EPOCH_S);
    }
    return err == 0 ? HO_EXIT_OK : ho_cli_no_memory();
}

/* Plays item `i` and fills the parts. Returns an exit code. */
static int play_item(void *self, size_t i, struct ho_text part[HO_ROOM_PARTS])
{
    struct run *r = self;
    struct counts c = { .units = { .tests = 0 } };
    struct ho_play p;
    int code = ho_play_plan(&p, r->plays.item[i].source, r->plays.item[i].number, &r->o);

    if (code != HO_EXIT_OK) {
        return code;
    }
    code = ho_play(&p, &r->o);
    if (code == HO_EXIT_OK && r->o.phases > 0 && p.played) {
        code = ho_phases_play(&p, &r->o);
    }
    if (code == HO_EXIT_OK) {
        ho_report_count(&c.report, &p);
        code = put_case(&part[PART_REPORT], r, &p, i + 1, &c.units);
        ho_text_bytes(&part[PART_COUNTS], &c, sizeof(c));
    }
    code = code == HO_EXIT_OK && p.played ? put_files(r, &p, part) : code;
    ho_play_free(&p);
    return code;
}

/* ---- its place in the results ---------------------------------------------------------------- */

/* What stands between two plays. */
static void put_between(struct run *r)
{
    static const char *const text[] = { [HO_FORMAT_TEXT] = "\n", [HO_FORMAT_JSON] = ",\n" };

    if (r->shown++ > 0 && !r->o.ladder && r->o.format <= HO_FORMAT_JSON) {
        ho_text_put(&r->out, text[r->o.format]);
    }
}

/* The files hold one case: the first that is played. */
static int save(struct run *r, const struct ho_text part[HO_ROOM_PARTS])
{
    const struct {
        const char *path;
        const struct ho_text *text;
    } files[] = { { r->o.timeline, &part[PART_TIMELINE] }, { r->o.pcapng, &part[PART_PCAPNG] } };
    int code = HO_EXIT_OK;

    if (r->saved++ > 0) {
        return HO_EXIT_OK;
    }
    for (size_t i = 0; i < 2 && code == HO_EXIT_OK; i++) {
        if (files[i].path != NULL) {
            code = ho_text_err(files[i].text) != 0
                       ? ho_cli_no_memory()
                       : ho_cli_save(files[i].path, ho_text_str(files[i].text), files[i].text->len);
        }
    }
    return code;
}

static int show(struct run *r, const struct ho_text part[HO_ROOM_PARTS])
{
    struct counts c;

    if (ho_text_err(&part[PART_COUNTS]) != 0 || ho_text_err(&part[PART_REPORT]) != 0) {
        return ho_cli_no_memory();
    }
    memcpy(&c, part[PART_COUNTS].s, sizeof(c));
    put_between(r);
    ho_text_bytes(&r->out, ho_text_str(&part[PART_REPORT]), part[PART_REPORT].len);
    ho_report_add(&r->report, &c.report);
    ho_report_units_add(&r->units, &c.units);
    return c.report.plays > 0 ? save(r, part) : HO_EXIT_OK;
}

/* A play that broke off, among others that did not. */
static void show_failed(struct run *r, size_t i, const struct ho_text *said)
{
    const char *name = r->plays.item[i].name;
    struct ho_report_units units = { .tests = 0 };

    if (r->o.ladder || r->o.format == HO_FORMAT_TEXT) {
        return; /* stderr has it */
    }
    put_between(r);
    if (r->o.format == HO_FORMAT_JSON) {
        ho_report_json_failed(&r->out, name, r->o.plan.engine, ho_text_str(said));
    } else if (r->o.format == HO_FORMAT_TAP) {
        ho_report_tap_failed(&r->out, name, i + 1, ho_text_str(said));
    } else {
        ho_report_junit_failed(&r->out, name, ho_text_str(said), &units);
        ho_report_units_add(&r->units, &units);
    }
}

/* Real time passes between two plays: what is known is written, where that can be done. */
static int flush(struct run *r)
{
    int code;

    if (r->o.format == HO_FORMAT_JSON || r->o.format == HO_FORMAT_JUNIT) {
        return HO_EXIT_OK;
    }
    code = ho_cli_put(&r->out);
    ho_text_clear(&r->out);
    return code == HO_EXIT_OK ? ho_cli_done() : code;
}

static int take_item(void *self, size_t i, const struct ho_room_result *result)
{
    struct run *r = self;
    int code = HO_EXIT_OK;

    if (result->code != HO_EXIT_OK) {
        show_failed(r, i, &result->said);
        r->code = result->code > r->code ? result->code : r->code;
    } else {
        code = show(r, result->part);
    }
    return code == HO_EXIT_OK ? flush(r) : code;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static int run_here(struct run *r)
{
    int code = HO_EXIT_OK;

    for (size_t i = 0; i < r->plays.count && code == HO_EXIT_OK; i++) {
        struct ho_text part[HO_ROOM_PARTS] = { { 0 } };

        code = play_item(r, i, part);
        code = code == HO_EXIT_OK ? show(r, part) : code;
        for (size_t k = 0; k < HO_ROOM_PARTS; k++) {
            ho_text_free(&part[k]);
        }
    }
    return code;
}

static void begin(struct run *r)
{
    if (r->o.format == HO_FORMAT_JSON) {
        ho_report_json_begin(&r->out);
    } else if (r->o.format == HO_FORMAT_TAP) {
        ho_report_tap_begin(&r->out);
    }
}

static int end(struct run *r, int64_t wall)
{
    int code;

    if (r->o.format == HO_FORMAT_JSON) {
        ho_report_json_end(&r->out, &r->report, r->o.timing ? wall : -1);
    } else if (r->o.format == HO_FORMAT_TAP) {
        ho_report_tap_end(&r->out, r->shown);
    } else if (r->o.format == HO_FORMAT_JUNIT) {
        struct ho_text cases = r->out;

        r->out = (struct ho_text){ 0 };
        ho_report_junit(&r->out, &cases, &r->report, &r->units);
        ho_text_end_part(&r->out, &cases);
    } else if (!r->o.ladder) {
        ho_report_end(&r->out, &r->report, &r->o, r->colour);
    }
    code = ho_cli_put(&r->out);
    return code == HO_EXIT_OK ? ho_cli_done() : code;
}

static void say_wall(const struct run *r, int64_t wall)
{
    if (r->saved > 1 && (r->o.timeline != NULL || r->o.pcapng != NULL)) {
        fprintf(stderr, "the file has the first of %zu cases; --case chooses another\n", r->saved);
    }
    if (r->plays.longer > 0) {
        fprintf(stderr, "%zu cases last longer and were left out\n", r->plays.longer);
    }
    fprintf(stderr, "%zu plays in %lld.%03lld ms of wall time\n", r->report.plays,
            (long long)(wall / 1000000), (long long)(wall / 1000 % 1000));
}

/* The exit code of plays that all came to their end. */
static int judge(const struct run *r)
{
    if (r->code != HO_EXIT_OK) {
        return r->code;
    }
    if (r->report.plays == 0 && r->report.not_here > 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "nothing could be played on the %s", r->o.plan.engine);
    }
    return r->report.failed > 0 ? HO_EXIT_FOUND : HO_EXIT_OK;
}

static int run_all(struct run *r, const struct ho_source *s, size_t count, int64_t began)
{
    int code = ho_plays_list(&r->plays, s, count, &r->o);
    int64_t wall;

    if (code != HO_EXIT_OK) {
        return code;
    }
    begin(r);
    code = r->o.kernel ? ho_plays_in_rooms(&r->plays, &r->o, r, play_item, take_item) : run_here(r);
    if (code != HO_EXIT_OK) {
        return code;
    }
    wall = wall_ns() - began;
    code = end(r, wall);
    say_wall(r, wall);
    return code != HO_EXIT_OK ? code : judge(r);
}

static int list(struct run *r, const struct ho_source *s, size_t count)
{
    size_t width = 0;
    int code;

    for (size_t i = 0; i < count; i++) {
        size_t w = ho_text_width(s[i].scn->name);

        width = w > width ? w : width;
    }
    for (size_t i = 0; i < count; i++) {
        ho_text_pad(&r->out, s[i].scn->name, width + 2);
        ho_text_put(&r->out, ho_scn_title(s[i].scn));
        ho_text_char(&r->out, '\n');
    }
    code = ho_cli_put(&r->out);
    return code == HO_EXIT_OK ? ho_cli_done() : code;
}

static int run_run(int argc, char **argv)
{
    struct run r = { .colour = ho_cli_colour() };
    struct ho_source *s = NULL;
    size_t count = 0;
    int64_t began = wall_ns();
    int code;

    if (ho_options_wants_help(argc, argv)) {
        fputs(ho_options_usage, stdout);
        return ho_cli_done();
    }
    code = ho_options_read(&r.o, HO_OPTIONS_RUN, argc, argv);
    if (code != HO_EXIT_OK) {
        return code;
    }
    code = ho_sources_read(&s, &count, &r.o);
    if (code == HO_EXIT_OK && r.o.list) {
        code = list(&r, s, count);
    } else if (code == HO_EXIT_OK) {
        code = run_all(&r, s, count, began);
    }
    if (s != NULL) {
        ho_sources_free(s, count);
    }
    ho_plays_free(&r.plays);
    ho_text_free(&r.out);
    ho_options_free(&r.o);
    ho_rooms_end(code);
    return code;
}

const struct ho_command ho_command_run = {
    .name = "run",
    .help = "plays scenarios: who noticed, when, with which error, because of which knob",
    .usage = ho_options_usage,
    .run = run_run,
};
