/* The table for people: per case the verdicts, the claims it is about, what failed. */

#include "cli/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define RED "31;1"
#define GREEN "32"
#define YELLOW "33"
#define BOLD "1"

void ho_report_paint(struct ho_text *out, const char *text, const char *code, bool colour)
{
    if (colour) {
        ho_text_printf(out, "\033[%sm%s\033[0m", code, text);
    } else {
        ho_text_put(out, text);
    }
}

/* The kernel that the first host is. */
static const char *profile_of(const struct ho_play *p)
{
    for (size_t i = 0; i < p->plan->node_count; i++) {
        if (p->plan->nodes[i].kind == HO_NODE_HOST) {
            return p->plan->nodes[i].profile;
        }
    }
    return "";
}

void ho_report_count(struct ho_report *ret, const struct ho_play *p)
{
    struct ho_report r = { .not_here = !p->played };

    if (p->played) {
        r.plays = 1;
        r.seed = p->plan->seed;
        r.hz = ho_play_hz(p);
        snprintf(r.profile, sizeof(r.profile), "%s", profile_of(p));
        snprintf(r.kernel, sizeof(r.kernel), "%s", ho_play_kernel(p));
        r.expectations = p->judged ? p->result.judgement_count : 0;
        r.failed = p->judged ? p->result.failed : 0;
        r.not_judged = !p->judged;
        r.simulated_ns = p->plan->end.ns;
        r.records = p->timeline.n;
    }
    *ret = r;
}

void ho_report_add(struct ho_report *sum, const struct ho_report *one)
{
    if (sum->plays == 0 && one->plays > 0) {
        sum->seed = one->seed;
        sum->hz = one->hz;
        memcpy(sum->profile, one->profile, sizeof(sum->profile));
        memcpy(sum->kernel, one->kernel, sizeof(sum->kernel));
    }
    sum->plays += one->plays;
    sum->not_here += one->not_here;
    sum->not_judged += one->not_judged;
    sum->expectations += one->expectations;
    sum->failed += one->failed;
    sum->simulated_ns += one->simulated_ns;
    sum->records += one->records;
}

/* The first line of the table is the case's head; it is bold on a terminal. */
static void put_table(struct ho_text *out, const struct ho_play *p, bool colour)
{
    struct ho_text table = { 0 };
    const char *line_end;

    ho_verdicts_table(&table, &p->result.verdicts, &p->timeline, ho_play_name(p), ho_play_hz(p));
    line_end = strchr(ho_text_str(&table), '\n');
    if (!colour || line_end == NULL || table.err != 0) {
        ho_text_put(out, ho_text_str(&table));
    } else {
        ho_text_put(out, "\033[" BOLD "m");
        ho_text_bytes(out, table.s, (size_t)(line_end - table.s));
        ho_text_put(out, "\033[0m");
        ho_text_put(out, line_end);
    }
    if (table.err != 0) {
        out->err = table.err;
    }
    ho_text_free(&table);
}

static void put_claims(struct ho_text *out, const struct ho_scn *scn, bool colour)
{
    static const struct {
        const char *words, *code;
    } verdicts[] = {
        [HO_CLAIM_HOLDS] = { "holds", GREEN },
        [HO_CLAIM_CORRECTED] = { "holds with a correction", YELLOW },
        [HO_CLAIM_WRONG] = { "wrong", RED },
    };
    struct ho_claim c;

    for (size_t i = 0; ho_scn_claim(scn, i, &c); i++) {
        ho_text_printf(out, "  claim %s \"%s\": ", c.id, c.text);
        ho_report_paint(out, verdicts[c.verdict].words, verdicts[c.verdict].code, colour);
        if (c.correction[0] != '\0') {
            ho_text_printf(out, ": %s", c.correction);
        }
        ho_text_char(out, '\n');
    }
}

static void put_phases(struct ho_text *out, const struct ho_play *p)
{
    const struct ho_verdicts *v = &p->result.verdicts;

    if (p->phase == NULL) {
        return;
    }
    ho_text_printf(out, "  %u starting jiffies over a step of %" PRIu64 ":\n", p->phases,
                   p->phase_step);
    for (size_t i = 0; i < v->n; i++) {
        const struct ho_phase_range *r = &p->phase[i];

        ho_text_printf(out, "    %s %s: ", v->v[i].host, v->v[i].conn);
        if (r->any) {
            ho_text_seconds(out, r->min_ns, 3);
            ho_text_put(out, " to ");
            ho_text_seconds(out, r->max_ns, 3);
            ho_text_put(out, " s");
        }
        if (r->none > 0) {
            ho_text_printf(out, "%snot noticed in %u", r->any ? "; " : "", r->none);
        }
        ho_text_char(out, '\n');
    }
}

/* What was expected and not found; of a scenario that nobody has written, also what was found. */
static void put_judged(struct ho_text *out, const struct ho_play *p, bool colour)
{
    for (size_t i = 0; i < p->result.judgement_count; i++) {
        const struct ho_judgement *j = &p->result.judgements[i];

        if (j->met && !p->source->is_made) {
            continue;
        }
        ho_text_put(out, "  ");
        ho_report_paint(out, j->met ? "kept" : "FAILED", j->met ? GREEN : RED, colour);
        if (!p->source->is_made) {
            ho_text_printf(out, " %s:%u", p->source->where, j->expect->line->number);
        }
        ho_text_put(out, ": expected: ");
        ho_expect_print(p->source->scn, j->expect, out);
        ho_text_printf(out, "; found: %s\n", j->text);
    }
}

void ho_report_case(struct ho_text *out, const struct ho_play *p, bool colour)
{
    if (!p->played) {
        ho_text_printf(out, "%s: the %s cannot play it: %s\n", ho_play_name(p), p->engine,
                       p->why.text);
        return;
    }
    put_table(out, p, colour);
    put_phases(out, p);
    if (!p->judged) {
        return;
    }
    put_judged(out, p, colour);
    if (p->number + 1 == p->count) {
        put_claims(out, p->source->scn, colour);
    }
}

static void put_kept(struct ho_text *out, const struct ho_report *r, bool colour)
{
    struct ho_text n = { 0 };

    ho_text_printf(out, ", %zu expectations: ", r->expectations);
    ho_text_printf(&n, "%zu not kept", r->failed);
    ho_report_paint(out, r->failed == 0 ? "all kept" : ho_text_str(&n),
                    r->failed == 0 ? GREEN : RED, colour);
    ho_text_free(&n);
}

static void put_time(struct ho_text *out, const struct ho_report *r, bool kernel)
{
    ho_text_put(out, kernel ? "\nplayed " : "\nsimulated ");
    ho_text_dur(out, ho_ns(r->simulated_ns));
    ho_text_put(out, " (");
    ho_text_seconds(out, r->simulated_ns, 3);
    ho_text_put(out, " s)");
}

static void put_hz(struct ho_text *out, uint32_t hz)
{
    if (hz == 0) {
        ho_text_put(out, "exact timers");
    } else {
        ho_text_printf(out, "HZ=%u", hz);
    }
}

void ho_report_end(struct ho_text *out, const struct ho_report *r, const struct ho_run_options *o,
                   bool colour)
{
    ho_text_printf(out, "\n%zu plays", r->plays);
    if (r->expectations > 0) {
        put_kept(out, r, colour);
    }
    if (r->not_judged > 0) {
        ho_text_put(out, "; expectations are not judged: the settings are not the scenario's own");
    }
    if (r->not_here > 0) {
        ho_text_printf(out, "; %zu cases cannot be played on the %s", r->not_here, o->plan.engine);
    }
    if (r->plays == 0) {
        ho_text_char(out, '\n');
        return;
    }
    put_time(out, r, o->kernel && !o->virtual_kernel);
    if (o->kernel && !o->virtual_kernel) {
        ho_text_put(out, " in real time; ");
    } else {
        ho_text_printf(out, "; seed %" PRIu64 "%s; ", r->seed,
                       o->plan.has_seed ? "" : " (each file's own)");
    }
    put_hz(out, r->hz);
    ho_text_printf(out, "; halfopen %s, %s %s\n", HALFOPEN_VERSION, o->kernel ? "Linux" : "model",
                   o->kernel ? r->kernel : r->profile);
}
