/* See model_play.h. */

#include "support/model_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "timeline/jsonl.h"

void model_plan(struct model_play *p, const char *text)
{
    struct ho_plan_options o = { .engine = "model" };
    struct ho_scn_error e = { .text = "" };

    memset(p, 0, sizeof(*p));
    if (ho_scn_parse(&p->scn, "test", text, strlen(text), &e) != 0) {
        fail_msg("line %u, column %u: %s", e.line, e.column, e.text);
    }
    struct ho_scn_case first = ho_scn_case(p->scn, 0);

    if (ho_plan_make(&p->plan, p->scn, &first, &o, &e) != 0) {
        fail_msg("line %u, column %u: %s", e.line, e.column, e.text);
    }
    ho_timeline_init(&p->tl, 0);
}

int model_run(struct model_play *p)
{
    struct ho_engine engine;
    int err = ho_model_new(&engine);

    if (err != 0) {
        return err;
    }
    err = ho_run(&p->result, p->plan, &engine, &p->tl, &p->why);
    engine.destroy(engine.self);
    if (err != 0) {
        assert_true(p->why.text[0] != '\0');
    }
    return err;
}

void model_play(struct model_play *p, const char *text)
{
    model_plan(p, text);
    if (model_run(p) != 0) {
        fail_msg("line %u: %s", p->why.line, p->why.text);
    }
}

void model_play_free(struct model_play *p)
{
    ho_run_result_free(&p->result);
    ho_timeline_destroy(&p->tl);
    ho_plan_free(p->plan);
    ho_scn_free(p->scn);
}

char *model_lines(const struct model_play *p)
{
    struct ho_text t = { 0 };

    ho_jsonl_write(&t, &p->tl, HO_JSONL_RAW);
    assert_int_equal(ho_text_err(&t), 0);
    return t.s;
}

const struct ho_verdict *model_verdict(const struct model_play *p, const char *host)
{
    for (size_t i = 0; i < p->result.verdicts.n; i++) {
        if (strcmp(p->result.verdicts.v[i].host, host) == 0) {
            return &p->result.verdicts.v[i];
        }
    }
    fail_msg("no verdict of %s", host);
    return NULL;
}

size_t model_count(const struct model_play *p, enum ho_rec_kind kind, const char *host)
{
    size_t n = 0;

    for (size_t i = 0; i < p->tl.n; i++) {
        n += p->tl.rec[i].kind == kind && (host[0] == '\0' || strcmp(p->tl.rec[i].host, host) == 0);
    }
    return n;
}
