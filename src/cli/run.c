#define _POSIX_C_SOURCE 200809L
/* `halfopen run`: plays scenarios and says what came of it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/phases.h"
#include "cli/play.h"
#include "cli/report.h"
#include "cli/source.h"
#include "timeline/jsonl.h"
#include "timeline/ladder.h"
#include "timeline/pcapng.h"

#define EPOCH_S 1700000000 /* a capture's date: the same for every run */

struct run {
    struct ho_run_options o;
    struct ho_report report;
    struct ho_text out;
    bool colour;
    size_t saved; /* cases written to --timeline and --pcapng */
};

static int64_t wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * HO_NS_PER_S + t.tv_nsec;
}

/* ---- one case -------------------------------------------------------------------------------- */

static bool is_wanted(const struct run *r, const struct ho_play *p)
{
    char number[24];

    if (r->o.which == NULL) {
        return true;
    }
    snprintf(number, sizeof(number), "%zu", p->number + 1);
    return strcmp(r->o.which, number) == 0 || strcmp(r->o.which, p->plan->case_name) == 0;
}

/* The files hold one case: the first that is played. */
static int save(struct run *r, const struct ho_play *p)
{
    struct ho_text t = { 0 };
    int code = HO_EXIT_OK;

    r->saved++;
    if (r->saved > 1) {
        return HO_EXIT_OK;
    }
    if (r->o.timeline != NULL) {
        ho_jsonl_write(&t, &p->timeline, r->o.raw ? HO_JSONL_RAW : 0);
        code = ho_text_err(&t) != 0 ? ho_cli_no_memory()
                                    : ho_cli_save(r->o.timeline, ho_text_str(&t), t.len);
    }
    if (code == HO_EXIT_OK && r->o.pcapng != NULL) {
        ho_text_clear(&t);
        code = ho_pcapng_write(&t, &p->timeline, EPOCH_S) != 0 || ho_text_err(&t) != 0
                   ? ho_cli_no_memory()
                   : ho_cli_save(r->o.pcapng, ho_text_str(&t), t.len);
    }
    ho_text_free(&t);
    return code;
}

static int put_ladder(struct run *r, const struct ho_play *p)
{
    struct ho_ladder_opts opts = { .color = r->colour };
    int err;

    ho_text_printf(&r->out, "%s: %s\n\n", ho_play_name(p), ho_scn_title(p->source->scn));
    err = p->played ? ho_ladder_write(&r->out, &p->timeline, &opts) : 0;
    ho_text_char(&r->out, '\n');
    return err == 0 ? HO_EXIT_OK : ho_cli_no_memory();
}

static int show(struct run *r, const struct ho_play *p)
{
    bool first = r->report.plays + r->report.not_here == 0;

    ho_report_count(&r->report, p);
    if (r->o.ladder) {
        return put_ladder(r, p);
    }
    if (r->o.json) {
        ho_report_json_case(&r->out, p, first);
    } else {
        ho_text_put(&r->out, first ? "" : "\n");
        ho_report_case(&r->out, p, r->colour);
    }
    return HO_EXIT_OK;
}

static int run_case(struct run *r, const struct ho_source *s, size_t number)
{
    struct ho_play p;
    int code = ho_play_plan(&p, s, number, &r->o);

    if (code != HO_EXIT_OK) {
        return code;
    }
    if (is_wanted(r, &p)) {
        code = ho_play(&p, &r->o);
        if (code == HO_EXIT_OK && r->o.phases > 0 && p.played) {
            code = ho_phases_play(&p, &r->o);
        }
        code = code == HO_EXIT_OK ? show(r, &p) : code;
        code = code == HO_EXIT_OK && p.played ? save(r, &p) : code;
    }
    ho_play_free(&p);
    return code;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static int run_all(struct run *r, const struct ho_source *s, size_t count)
{
    int code = HO_EXIT_OK;

    if (r->o.json) {
        ho_report_json_begin(&r->out);
    }
    for (size_t i = 0; i < count && code == HO_EXIT_OK; i++) {
        size_t cases = ho_scn_case_count(s[i].scn);

        for (size_t k = 0; k < cases && code == HO_EXIT_OK; k++) {
            code = run_case(r, &s[i], k);
        }
    }
    if (code == HO_EXIT_OK && r->report.plays + r->report.not_here == 0) {
        return ho_cli_say(HO_EXIT_USAGE, "--case: no case '%s'; %s has %zu, the table names them",
                          r->o.which != NULL ? r->o.which : "", s[0].where,
                          ho_scn_case_count(s[0].scn));
    }
    return code;
}

static int finish(struct run *r, int64_t began)
{
    int64_t wall = wall_ns() - began;
    int code;

    if (r->o.json) {
        ho_report_json_end(&r->out, &r->report, r->o.timing ? wall : -1);
    } else if (!r->o.ladder) {
        ho_report_end(&r->out, &r->report, &r->o, r->colour);
    }
    code = ho_cli_put(&r->out);
    code = code == HO_EXIT_OK ? ho_cli_done() : code;
    if (r->saved > 1 && (r->o.timeline != NULL || r->o.pcapng != NULL)) {
        fprintf(stderr, "the file has the first of %zu cases; --case chooses another\n", r->saved);
    }
    fprintf(stderr, "%zu plays in %lld.%03lld ms of wall time\n", r->report.plays,
            (long long)(wall / 1000000), (long long)(wall / 1000 % 1000));
    if (code != HO_EXIT_OK) {
        return code;
    }
    return r->report.failed > 0 ? HO_EXIT_FOUND : HO_EXIT_OK;
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

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static int run_run(int argc, char **argv)
{
    struct run r = { .colour = ho_cli_colour() };
    struct ho_source *s = NULL;
    size_t count = 0;
    int64_t began = wall_ns();
    int code;

    if (wants_help(argc, argv)) {
        fputs(ho_options_usage, stdout);
        return ho_cli_done();
    }
    code = ho_options_read(&r.o, argc, argv);
    if (code != HO_EXIT_OK) {
        return code;
    }
    code = ho_sources_read(&s, &count, &r.o);
    if (code == HO_EXIT_OK && r.o.list) {
        code = list(&r, s, count);
    } else if (code == HO_EXIT_OK) {
        code = run_all(&r, s, count);
        code = code == HO_EXIT_OK ? finish(&r, began) : code;
    }
    if (s != NULL) {
        ho_sources_free(s, count);
    }
    ho_text_free(&r.out);
    ho_options_free(&r.o);
    return code;
}

const struct ho_command ho_command_run = {
    .name = "run",
    .help = "plays scenarios: who noticed, when, with which error, because of which knob",
    .usage = ho_options_usage,
    .run = run_run,
};
