/* One JSON document about all plays. Its fields are described in man/halfopen.1. */

#include <inttypes.h>

#include "cli/report.h"

#define SCHEMA 1

static void put_seconds(struct ho_text *out, int64_t ns)
{
    ho_text_seconds(out, ns, 6);
}

static void put_expectations(struct ho_text *out, const struct ho_play *p)
{
    struct ho_text words = { 0 };

    ho_text_put(out, ",\"expectations\":[");
    for (size_t i = 0; i < p->result.judgement_count; i++) {
        const struct ho_judgement *j = &p->result.judgements[i];

        ho_text_clear(&words);
        ho_expect_print(p->source->scn, j->expect, &words);
        ho_text_printf(out, "%s{\"line\":%u,\"expected\":", i > 0 ? "," : "",
                       j->expect->line->number);
        ho_text_json(out, ho_text_str(&words));
        ho_text_printf(out, ",\"met\":%s,\"found\":", j->met ? "true" : "false");
        ho_text_json(out, j->text);
        ho_text_char(out, '}');
    }
    ho_text_char(out, ']');
    if (words.err != 0) {
        out->err = words.err;
    }
    ho_text_free(&words);
}

static void put_claims(struct ho_text *out, const struct ho_scn *scn)
{
    static const char *const words[] = {
        [HO_CLAIM_HOLDS] = "holds",
        [HO_CLAIM_CORRECTED] = "holds with a correction",
        [HO_CLAIM_WRONG] = "wrong",
    };
    struct ho_claim c;

    ho_text_put(out, ",\"claims\":[");
    for (size_t i = 0; ho_scn_claim(scn, i, &c); i++) {
        ho_text_put(out, i > 0 ? ",{\"id\":" : "{\"id\":");
        ho_text_json(out, c.id);
        ho_text_put(out, ",\"text\":");
        ho_text_json(out, c.text);
        ho_text_printf(out, ",\"verdict\":\"%s\",\"correction\":", words[c.verdict]);
        ho_text_json(out, c.correction);
        ho_text_char(out, '}');
    }
    ho_text_char(out, ']');
}

static void put_phases(struct ho_text *out, const struct ho_play *p)
{
    if (p->phase == NULL) {
        return;
    }
    ho_text_printf(out, ",\"phases\":{\"plays\":%u,\"step_jiffies\":%" PRIu64 ",\"ranges\":[",
                   p->phases, p->phase_step);
    for (size_t i = 0; i < p->result.verdicts.n; i++) {
        const struct ho_phase_range *r = &p->phase[i];

        ho_text_put(out, i > 0 ? ",{\"min_s\":" : "{\"min_s\":");
        if (r->any) {
            put_seconds(out, r->min_ns);
            ho_text_put(out, ",\"max_s\":");
            put_seconds(out, r->max_ns);
        } else {
            ho_text_put(out, "null,\"max_s\":null");
        }
        ho_text_printf(out, ",\"not_noticed\":%u}", r->none);
    }
    ho_text_put(out, "]}");
}

void ho_report_json_begin(struct ho_text *out)
{
    ho_text_printf(out,
                   "{\"schema\":%d,\"program\":\"halfopen\",\"version\":\"%s\","
                   "\"scenarios\":[\n",
                   SCHEMA, HALFOPEN_VERSION);
}

void ho_report_json_case(struct ho_text *out, const struct ho_play *p)
{
    ho_text_put(out, "{\"name\":");
    ho_text_json(out, p->plan->name);
    ho_text_put(out, ",\"case\":");
    ho_text_json(out, p->plan->case_name);
    ho_text_put(out, ",\"title\":");
    ho_text_json(out, ho_scn_title(p->source->scn));
    ho_text_printf(out, ",\"engine\":\"%s\",", p->engine);
    if (ho_play_kernel(p)[0] != '\0') {
        ho_text_put(out, "\"kernel\":");
        ho_text_json(out, ho_play_kernel(p));
        ho_text_char(out, ',');
    }
    ho_text_printf(out, "\"seed\":%" PRIu64 ",\"hz\":%u", p->plan->seed, ho_play_hz(p));
    if (!p->played) {
        ho_text_put(out, ",\"played\":false,\"why\":");
        ho_text_json(out, p->why.text);
        ho_text_char(out, '}');
        return;
    }
    ho_text_put(out, ",\"played\":true,\"simulated_s\":");
    put_seconds(out, p->plan->end.ns);
    ho_text_put(out, p->judged ? ",\"judged\":true" : ",\"judged\":false");
    ho_text_put(out, ",\"verdicts\":");
    ho_verdicts_json(out, &p->result.verdicts);
    put_phases(out, p);
    put_expectations(out, p);
    put_claims(out, p->source->scn);
    ho_text_char(out, '}');
}

void ho_report_json_failed(struct ho_text *out, const char *name, const char *engine,
                           const char *why)
{
    ho_text_put(out, "{\"name\":");
    ho_text_json(out, name);
    ho_text_printf(out, ",\"engine\":\"%s\",\"played\":false,\"error\":", engine);
    ho_text_json(out, why);
    ho_text_char(out, '}');
}

void ho_report_json_end(struct ho_text *out, const struct ho_report *r, int64_t wall_ns)
{
    ho_text_printf(out, "],\n\"plays\":%zu,\"expectations\":%zu,\"failed\":%zu,\"simulated_s\":",
                   r->plays, r->expectations, r->failed);
    put_seconds(out, r->simulated_ns);
    if (wall_ns >= 0) {
        ho_text_put(out, ",\"wall_s\":");
        put_seconds(out, wall_ns);
    }
    ho_text_put(out, "}\n");
}
