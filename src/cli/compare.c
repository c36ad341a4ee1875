/* `halfopen compare`: two timelines side by side, and whether they tell the same story.
 *
 * The engine of it is timeline/compare.h; this file reads the arguments and the two files, and
 * prints. In the table the two files are A and B: their names would not fit its columns.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "scenario/syntax.h"
#include "timeline/compare.h"
#include "timeline/jsonl.h"
#include "timeline/view.h"

#define SCHEMA 1
#define FILE_MAX (256u << 20) /* bytes of one timeline */

struct side {
    const char *path;
    struct ho_timeline tl;
    bool has_fault; /* there is one to align at */
    size_t fault;   /* its place in the timeline */
};

struct compare {
    struct side a, b;
    struct ho_compare_opts opts;
    bool json, differences;
};

static const char usage[] =
    "usage: halfopen compare [OPTION..] A.jsonl B.jsonl\n"
    "\n"
    "Puts two timelines side by side, as `halfopen run --timeline` writes them: segments, ARP and\n"
    "neighbour discovery, ICMP, calls and states of sockets, with their times since the fault.\n"
    "Exit code 0: alike; 1: a difference, in what happened or by more than the tolerance in when;\n"
    "2: wrong arguments, or a file that is no timeline.\n"
    "\n"
    "  --tolerance DURATION  how far apart two times may be, such as 20ms; without it: not at all\n"
    "  --by-interval         compares each time with the event before it on the same host, so\n"
    "                        that one late timer is one difference\n"
    "  --align LABEL         times count from the fault of that label; without it: the first one\n"
    "  --differences         only the lines that differ\n"
    "  --format json         one JSON document in place of the table\n";

static const char *const option_names[] = {
    "--tolerance", "--by-interval", "--align", "--differences", "--format", "--help", NULL
};

/* ---- arguments ------------------------------------------------------------------------------- */

static int unknown_option(const char *arg)
{
    const char *near = ho_cli_nearest(arg, option_names);

    return ho_cli_say(HO_EXIT_USAGE, "no option '%s'%s%s%s; try 'halfopen help compare'", arg,
                      near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                      near != NULL ? "'?" : "");
}

static int read_value(struct compare *c, const char *name, const char *value)
{
    int64_t ns = 0;

    if (strcmp(name, "--align") == 0) {
        c->opts.fault = value;
        return HO_EXIT_OK;
    }
    if (strcmp(name, "--format") == 0) {
        c->json = strcmp(value, "json") == 0;
        return c->json || strcmp(value, "text") == 0
                   ? HO_EXIT_OK
                   : ho_cli_say(HO_EXIT_USAGE, "--format: found '%s', expected text or json",
                                value);
    }
    if (ho_value_read(HO_TYPE_DURATION, value, &ns) != 0 || ns < 0) {
        return ho_cli_say(HO_EXIT_USAGE,
                          "--tolerance: found '%s', expected a duration such as 20ms", value);
    }
    c->opts.tolerance = ho_ns(ns);
    return HO_EXIT_OK;
}

/* Reads argv[*i], and the value behind it; moves *i past what was read. */
static int read_option(struct compare *c, int argc, char **argv, int *i)
{
    char *arg = argv[*i];
    char *eq = strchr(arg, '=');
    bool flag;

    if (eq != NULL) {
        *eq = '\0';
    }
    flag = strcmp(arg, "--by-interval") == 0 || strcmp(arg, "--differences") == 0;
    if (!flag && strcmp(arg, "--tolerance") != 0 && strcmp(arg, "--align") != 0 &&
        strcmp(arg, "--format") != 0) {
        return unknown_option(arg);
    }
    if (flag && eq != NULL) {
        return ho_cli_say(HO_EXIT_USAGE, "%s takes no value", arg);
    }
    if (flag) {
        c->opts.by_interval = c->opts.by_interval || strcmp(arg, "--by-interval") == 0;
        c->differences = c->differences || strcmp(arg, "--differences") == 0;
        return HO_EXIT_OK;
    }
    if (eq == NULL && (*i + 1 == argc || strncmp(argv[*i + 1], "--", 2) == 0)) {
        return ho_cli_say(HO_EXIT_USAGE, "%s needs a value", arg);
    }
    return read_value(c, arg, eq != NULL ? eq + 1 : argv[++*i]);
}

static int read_arguments(struct compare *c, int argc, char **argv)
{
    bool only_names = false;
    int code = HO_EXIT_OK;
    size_t n = 0;

    for (int i = 1; i < argc && code == HO_EXIT_OK; i++) {
        if (!only_names && strcmp(argv[i], "--") == 0) {
            only_names = true;
        } else if (!only_names && argv[i][0] == '-' && argv[i][1] != '\0') {
            code = read_option(c, argc, argv, &i);
        } else if (n == 2) {
            code = ho_cli_say(HO_EXIT_USAGE, "compare: found '%s', expected two files", argv[i]);
        } else {
            *(n == 0 ? &c->a.path : &c->b.path) = argv[i];
            n++;
        }
    }
    if (code == HO_EXIT_OK && n < 2) {
        return ho_cli_say(HO_EXIT_USAGE, "compare: expected two files, found %s",
                          n == 0 ? "none" : "one");
    }
    return code;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int read_file(struct side *s)
{
    struct ho_jsonl_error e = { 0 };
    char *bytes = NULL;
    size_t len = 0;
    int code = ho_cli_load(s->path, FILE_MAX, &bytes, &len);
    int err;

    if (code != HO_EXIT_OK) {
        return code;
    }
    err = len == 0 ? -EINVAL : ho_jsonl_read(&s->tl, bytes, len, &e);
    free(bytes);
    if (err == -ENOMEM) {
        return ho_cli_no_memory();
    }
    if (len == 0) {
        return ho_cli_say(HO_EXIT_USAGE, "%s:1: found an empty file, expected a timeline", s->path);
    }
    return err == 0
               ? HO_EXIT_OK
               : ho_cli_say(HO_EXIT_USAGE, "%s:%zu:%zu: %s", s->path, e.line, e.column, e.what);
}

/* The labels of a timeline's faults, for a mistake. */
static int no_fault(const struct side *s, const char *label)
{
    struct ho_text all = { 0 };
    int code;

    for (size_t i = 0; i < s->tl.n; i++) {
        if (s->tl.rec[i].kind == HO_REC_FAULT && s->tl.rec[i].u.fault.name[0] != '\0') {
            ho_text_put(&all, all.len > 0 ? ", " : "");
            ho_text_put(&all, s->tl.rec[i].u.fault.name);
        }
    }
    code = ho_cli_say(HO_EXIT_USAGE, "--align: found '%s', expected the label of a fault in %s: %s",
                      label, s->path, all.len > 0 ? ho_text_str(&all) : "there is none");
    ho_text_free(&all);
    return code;
}

static int find_fault(struct side *s, const char *label)
{
    s->has_fault = ho_view_fault(&s->tl, label, &s->fault) == 0;
    return s->has_fault || label == NULL ? HO_EXIT_OK : no_fault(s, label);
}

/* ---- results --------------------------------------------------------------------------------- */

static void put_origin(struct ho_text *out, const char *letter, const struct side *s)
{
    ho_text_printf(out, "%s: %s, times since ", letter, s->path);
    if (s->has_fault) {
        ho_view_put_fault(out, &s->tl.rec[s->fault]);
    } else {
        ho_text_put(out, "the start");
    }
    ho_text_char(out, '\n');
}

static void put_json_side(struct ho_text *out, const char *name, const struct side *s)
{
    ho_text_printf(out, ",\"%s\":{\"file\":", name);
    ho_text_json(out, s->path);
    ho_text_put(out, ",\"since_s\":");
    ho_text_seconds(out, s->has_fault ? s->tl.rec[s->fault].t.ns : 0, 6);
    ho_text_char(out, '}');
}

static void put_json_event(struct ho_text *out, const char *name, const struct ho_record *rec,
                           int64_t ns)
{
    struct ho_text words = { 0 };

    ho_text_printf(out, ",\"%s\":", name);
    if (rec == NULL) {
        ho_text_put(out, "null");
        return;
    }
    ho_compare_words(&words, rec);
    ho_text_put(out, "{\"t_s\":");
    ho_text_seconds(out, ns, 6);
    ho_text_put(out, ",\"what\":");
    ho_text_json(out, ho_text_str(&words));
    ho_text_char(out, '}');
    if (words.err != 0) {
        out->err = words.err;
    }
    ho_text_free(&words);
}

static void put_json_row(struct ho_text *out, const struct ho_compare_row *r)
{
    static const char *const words[] = {
        [HO_COMPARE_SAME] = "same",     [HO_COMPARE_TIME] = "time",
        [HO_COMPARE_OTHER] = "other",   [HO_COMPARE_ONLY_A] = "only a",
        [HO_COMPARE_ONLY_B] = "only b",
    };
    const struct ho_record *rec = r->a != NULL ? r->a : r->b;

    ho_text_printf(out, "{\"status\":\"%s\",\"host\":", words[r->status]);
    ho_text_json(out, rec->host);
    ho_text_put(out, ",\"conn\":");
    ho_text_json(out, rec->conn);
    ho_text_put(out, ",\"kind\":");
    ho_text_json(out, ho_rec_kind_text(rec));
    put_json_event(out, "a", r->a, r->a_ns);
    put_json_event(out, "b", r->b, r->b_ns);
    ho_text_put(out, ",\"apart_s\":");
    if (r->a != NULL && r->b != NULL) {
        ho_text_seconds(out, r->apart_ns, 6);
    } else {
        ho_text_put(out, "null");
    }
    ho_text_char(out, '}');
}

static void put_json(struct ho_text *out, const struct compare *c, const struct ho_comparison *r)
{
    bool first = true;

    ho_text_printf(out, "{\"schema\":%d,\"program\":\"halfopen\",\"version\":\"%s\"", SCHEMA,
                   HALFOPEN_VERSION);
    put_json_side(out, "a", &c->a);
    put_json_side(out, "b", &c->b);
    ho_text_printf(out, ",\"alike\":%s,\"by_interval\":%s,\"tolerance_s\":",
                   r->first == r->n ? "true" : "false", c->opts.by_interval ? "true" : "false");
    ho_text_seconds(out, c->opts.tolerance.ns, 6);
    ho_text_printf(out, ",\"events\":%zu,\"same\":%zu,\"worst_s\":", r->n, r->same);
    ho_text_seconds(out, r->worst_ns, 6);
    ho_text_put(out, ",\"first_difference\":");
    if (r->first < r->n) {
        put_json_row(out, &r->row[r->first]);
    } else {
        ho_text_put(out, "null");
    }
    ho_text_put(out, ",\"rows\":[");
    for (size_t i = 0; i < r->n; i++) {
        if (!c->differences || r->row[i].status != HO_COMPARE_SAME) {
            ho_text_put(out, first ? "\n" : ",\n");
            put_json_row(out, &r->row[i]);
            first = false;
        }
    }
    ho_text_put(out, "]}\n");
}

static int show(const struct compare *c, const struct ho_comparison *r)
{
    struct ho_text out = { 0 };
    int code;

    if (c->json) {
        put_json(&out, c, r);
    } else {
        put_origin(&out, "A", &c->a);
        put_origin(&out, "B", &c->b);
        ho_comparison_text(&out, r, "A", "B", c->differences);
    }
    code = ho_cli_put(&out);
    ho_text_free(&out);
    code = code == HO_EXIT_OK ? ho_cli_done() : code;
    if (code != HO_EXIT_OK) {
        return code;
    }
    return r->first == r->n ? HO_EXIT_OK : HO_EXIT_FOUND;
}

static int compare_files(struct compare *c)
{
    struct ho_comparison result;
    int code = read_file(&c->a);

    code = code == HO_EXIT_OK ? read_file(&c->b) : code;
    code = code == HO_EXIT_OK ? find_fault(&c->a, c->opts.fault) : code;
    code = code == HO_EXIT_OK ? find_fault(&c->b, c->opts.fault) : code;
    if (code != HO_EXIT_OK) {
        return code;
    }
    if (ho_compare(&c->a.tl, &c->b.tl, &c->opts, &result) != 0) {
        return ho_cli_no_memory();
    }
    code = show(c, &result);
    ho_comparison_free(&result);
    return code;
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

static int compare_run(int argc, char **argv)
{
    struct compare c = { .json = false };
    int code;

    if (wants_help(argc, argv)) {
        fputs(usage, stdout);
        return ho_cli_done();
    }
    code = read_arguments(&c, argc, argv);
    if (code != HO_EXIT_OK) {
        return code;
    }
    ho_timeline_init(&c.a.tl, 0);
    ho_timeline_init(&c.b.tl, 0);
    code = compare_files(&c);
    ho_timeline_destroy(&c.a.tl);
    ho_timeline_destroy(&c.b.tl);
    return code;
}

const struct ho_command ho_command_compare = {
    .name = "compare",
    .help = "two timelines side by side: the first difference, and how far apart in time",
    .usage = usage,
    .run = compare_run,
};
