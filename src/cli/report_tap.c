/* Plays as tests in the Test Anything Protocol, version 14 (testanything.org/tap-version-14).
 *
 *     # Subtest: cut-heartbeat (ipv6)
 *         ok 1 - server notices timeout between 10s and 12s after cut
 *         1..1
 *     ok 2 - cut-heartbeat (ipv6)
 *
 * A reader of an older version skips the indented lines and sees one test a play.
 */

#include <string.h>

#include "base/words.h"
#include "cli/report.h"

static void put_result(struct ho_text *out, bool ok, size_t number, const char *words)
{
    ho_text_printf(out, "%s %zu - ", ok ? "ok" : "not ok", number);
    ho_text_tap(out, words);
}

static void put_skip(struct ho_text *out, const char *why)
{
    ho_text_put(out, " # SKIP ");
    ho_text_tap(out, why);
    ho_text_char(out, '\n');
}

/* A text in JSON's quotes is the same text in YAML. */
static void put_found(struct ho_text *out, const struct ho_play *p, const struct ho_judgement *j,
                      const char *expected)
{
    struct ho_text at = { 0 };

    ho_text_printf(&at, "%s:%u", p->source->where, j->expect->line->number);
    ho_text_put(out, "      ---\n      at: ");
    ho_text_json(out, ho_text_str(&at));
    ho_text_put(out, "\n      expected: ");
    ho_text_json(out, expected);
    ho_text_put(out, "\n      found: ");
    ho_text_json(out, j->text);
    ho_text_put(out, "\n      ...\n");
    ho_text_end_part(out, &at);
}

static void put_expectations(struct ho_text *out, const struct ho_play *p)
{
    struct ho_text words = { 0 };

    ho_text_put(out, "# Subtest: ");
    ho_text_tap(out, ho_play_name(p));
    ho_text_char(out, '\n');
    for (size_t i = 0; i < p->result.judgement_count; i++) {
        const struct ho_judgement *j = &p->result.judgements[i];

        ho_text_clear(&words);
        ho_expect_print(p->source->scn, j->expect, &words);
        ho_text_put(out, "    ");
        put_result(out, j->met, i + 1, ho_text_str(&words));
        ho_text_char(out, '\n');
        if (!j->met) {
            put_found(out, p, j, ho_text_str(&words));
        }
    }
    ho_text_printf(out, "    1..%zu\n", p->result.judgement_count);
    ho_text_end_part(out, &words);
}

/* Each line of the verdicts' table as a comment: what happened in a play that failed. */
static void put_table(struct ho_text *out, const struct ho_play *p)
{
    struct ho_text table = { 0 };
    const char *line;

    ho_verdicts_table(&table, &p->result.verdicts, &p->timeline, ho_play_name(p), ho_play_hz(p));
    for (line = ho_text_str(&table); *line != '\0';) {
        size_t len = strcspn(line, "\n");

        ho_text_put(out, "# ");
        ho_text_bytes(out, line, len);
        ho_text_char(out, '\n');
        line += len + (line[len] == '\n');
    }
    ho_text_end_part(out, &table);
}

void ho_report_tap_begin(struct ho_text *out)
{
    ho_text_put(out, "TAP version 14\n");
}

void ho_report_tap_case(struct ho_text *out, const struct ho_play *p, size_t number)
{
    bool parts = p->played && p->judged && p->result.judgement_count > 0;
    bool ok = !parts || p->result.failed == 0;

    if (parts) {
        put_expectations(out, p);
    }
    put_result(out, ok, number, ho_play_name(p));
    if (!p->played) {
        struct ho_text why = { 0 };

        ho_text_printf(&why, "the %s cannot play it: %s", p->engine, p->why.text);
        put_skip(out, ho_text_str(&why));
        ho_text_end_part(out, &why);
    } else if (!p->judged) {
        put_skip(out, "not judged: the settings are not the scenario's own");
    } else {
        ho_text_char(out, '\n');
    }
    if (!ok) {
        put_table(out, p);
    }
}

void ho_report_tap_failed(struct ho_text *out, const char *name, size_t number, const char *why)
{
    put_result(out, false, number, name);
    ho_text_put(out, "\n  ---\n  message: ");
    ho_text_json(out, why);
    ho_text_put(out, "\n  ...\n");
}

void ho_report_tap_end(struct ho_text *out, size_t count)
{
    ho_text_printf(out, "1..%zu\n", count);
}
