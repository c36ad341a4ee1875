/* Two timelines that are files, side by side.
 *
 * The engine of it is timeline/compare.h. In the table the two files are A and B: their names would
 * not fit its columns.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/compare.h"
#include "timeline/compare.h"
#include "timeline/jsonl.h"
#include "timeline/view.h"

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

static void put_json(struct ho_text *out, const struct compare *c, const struct ho_comparison *r)
{
    ho_text_printf(out, "{\"schema\":%d,\"program\":\"halfopen\",\"version\":\"%s\"",
                   HO_COMPARE_SCHEMA, HALFOPEN_VERSION);
    put_json_side(out, "a", &c->a);
    put_json_side(out, "b", &c->b);
    ho_text_printf(out, ",\"alike\":%s,\"by_interval\":%s,\"tolerance_s\":",
                   r->first == r->n ? "true" : "false", c->opts.by_interval ? "true" : "false");
    ho_text_seconds(out, c->opts.tolerance.ns, 6);
    ho_compare_json_rows(out, r, c->differences);
    ho_text_put(out, "}\n");
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

static int compare_both(struct compare *c)
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

int ho_compare_files(const struct ho_run_options *o)
{
    struct compare c = {
        .a.path = o->names[0],
        .b.path = o->names[1],
        .opts = { .fault = o->align, .tolerance = o->tolerance, .by_interval = o->by_interval },
        .json = o->format == HO_FORMAT_JSON,
        .differences = o->differences
    };
    int code;

    ho_timeline_init(&c.a.tl, 0);
    ho_timeline_init(&c.b.tl, 0);
    code = compare_both(&c);
    ho_timeline_destroy(&c.a.tl);
    ho_timeline_destroy(&c.b.tl);
    return code;
}
