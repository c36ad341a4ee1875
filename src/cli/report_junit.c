/* Plays as JUnit's XML: a suite a play, a case an expectation (github.com/testmoapp/junitxml lists
 * what the readers of CI services take). Times are the plays' own, in seconds, so that the document
 * is a function of its arguments.
 */

#include <inttypes.h>

#include "base/words.h"
#include "cli/report.h"

static void put_attribute(struct ho_text *out, const char *name, const char *value)
{
    ho_text_printf(out, " %s=\"", name);
    ho_text_xml(out, value);
    ho_text_char(out, '"');
}

static void put_counts(struct ho_text *out, const struct ho_report_units *u, int64_t ns)
{
    ho_text_printf(out,
                   " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\""
                   " time=\"",
                   u->tests, u->failures, u->errors, u->skipped);
    ho_text_seconds(out, ns, 6);
    ho_text_put(out, "\">\n");
}

static void put_properties(struct ho_text *out, const struct ho_play *p)
{
    ho_text_put(out, "    <properties>\n      <property name=\"engine\"");
    put_attribute(out, "value", p->engine);
    ho_text_put(out, "/>\n");
    if (ho_play_kernel(p)[0] != '\0') {
        ho_text_put(out, "      <property name=\"kernel\"");
        put_attribute(out, "value", ho_play_kernel(p));
        ho_text_put(out, "/>\n");
    }
    ho_text_printf(out,
                   "      <property name=\"seed\" value=\"%" PRIu64 "\"/>\n"
                   "      <property name=\"hz\" value=\"%u\"/>\n    </properties>\n",
                   p->plan->seed, ho_play_hz(p));
}

/* The beginning of a case, up to before its '>'. */
static void put_case(struct ho_text *out, const char *play, const char *name)
{
    ho_text_put(out, "    <testcase");
    put_attribute(out, "classname", play);
    put_attribute(out, "name", name);
}

static void put_expectation(struct ho_text *out, const struct ho_play *p,
                            const struct ho_judgement *j)
{
    struct ho_text words = { 0 };

    ho_expect_print(p->source->scn, j->expect, &words);
    put_case(out, ho_play_name(p), ho_text_str(&words));
    put_attribute(out, "file", p->source->where);
    ho_text_printf(out, " line=\"%u\"", j->expect->line->number);
    if (j->met) {
        ho_text_put(out, "/>\n");
    } else {
        ho_text_put(out, ">\n      <failure type=\"expectation\"");
        put_attribute(out, "message", j->text);
        ho_text_put(out, ">");
        ho_text_xml(out, p->source->where);
        ho_text_printf(out, ":%u: expected: ", j->expect->line->number);
        ho_text_xml(out, ho_text_str(&words));
        ho_text_put(out, "; found: ");
        ho_text_xml(out, j->text);
        ho_text_put(out, "</failure>\n    </testcase>\n");
    }
    ho_text_end_part(out, &words);
}

/* A play without a verdict on its expectations: one case. */
static void put_plain(struct ho_text *out, const struct ho_play *p)
{
    put_case(out, ho_play_name(p), "plays");
    put_attribute(out, "file", p->source->where);
    if (p->played && p->judged) {
        ho_text_put(out, "/>\n");
        return;
    }
    ho_text_put(out, ">\n      <skipped");
    if (p->played) {
        put_attribute(out, "message", "not judged: the settings are not the scenario's own");
    } else {
        struct ho_text why = { 0 };

        ho_text_printf(&why, "the %s cannot play it: %s", p->engine, p->why.text);
        put_attribute(out, "message", ho_text_str(&why));
        ho_text_end_part(out, &why);
    }
    ho_text_put(out, "/>\n    </testcase>\n");
}

static void put_table(struct ho_text *out, const struct ho_play *p)
{
    struct ho_text table = { 0 };

    ho_verdicts_table(&table, &p->result.verdicts, &p->timeline, ho_play_name(p), ho_play_hz(p));
    ho_text_put(out, "    <system-out>");
    ho_text_xml(out, ho_text_str(&table));
    ho_text_put(out, "</system-out>\n");
    ho_text_end_part(out, &table);
}

void ho_report_units_add(struct ho_report_units *sum, const struct ho_report_units *one)
{
    sum->tests += one->tests;
    sum->failures += one->failures;
    sum->errors += one->errors;
    sum->skipped += one->skipped;
}

void ho_report_junit_case(struct ho_text *out, const struct ho_play *p,
                          struct ho_report_units *ret_units)
{
    bool parts = p->played && p->judged && p->result.judgement_count > 0;
    struct ho_report_units u = { .tests = parts ? p->result.judgement_count : 1,
                                 .failures = parts ? p->result.failed : 0,
                                 .skipped = !p->played || !p->judged };

    ho_text_put(out, "  <testsuite");
    put_attribute(out, "name", ho_play_name(p));
    put_counts(out, &u, p->played ? p->plan->end.ns : 0);
    put_properties(out, p);
    for (size_t i = 0; parts && i < p->result.judgement_count; i++) {
        put_expectation(out, p, &p->result.judgements[i]);
    }
    if (!parts) {
        put_plain(out, p);
    }
    if (p->played) {
        put_table(out, p);
    }
    ho_text_put(out, "  </testsuite>\n");
    *ret_units = u;
}

void ho_report_junit_failed(struct ho_text *out, const char *name, const char *why,
                            struct ho_report_units *ret_units)
{
    struct ho_report_units u = { .tests = 1, .errors = 1 };

    ho_text_put(out, "  <testsuite");
    put_attribute(out, "name", name);
    put_counts(out, &u, 0);
    put_case(out, name, "plays");
    ho_text_put(out, ">\n      <error");
    put_attribute(out, "message", why);
    ho_text_put(out, "/>\n    </testcase>\n  </testsuite>\n");
    *ret_units = u;
}

void ho_report_junit(struct ho_text *out, const struct ho_text *cases, const struct ho_report *r,
                     const struct ho_report_units *units)
{
    ho_text_put(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"halfopen\"");
    put_counts(out, units, r->simulated_ns);
    ho_text_bytes(out, ho_text_str(cases), cases->len);
    ho_text_put(out, "</testsuites>\n");
}
