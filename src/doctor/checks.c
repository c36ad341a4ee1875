/* Checks as TAP and as JUnit's XML. See checks.h. */

#include "doctor/checks.h"

#include <string.h>

#include "base/words.h"

/* Appends the line at `*p` as put() writes it; moves *p behind it. */
static void put_line(struct ho_text *out, const char **p,
                     void (*put)(struct ho_text *, const char *))
{
    size_t n = strcspn(*p, "\n");
    struct ho_text line = { 0 };

    ho_text_bytes(&line, *p, n);
    put(out, ho_text_str(&line));
    ho_text_end_part(out, &line);
    *p += n + ((*p)[n] == '\n');
}

/* ---- TAP ------------------------------------------------------------------------------------- */

/* A text in JSON's quotes is the same text in YAML. */
static void put_yaml(struct ho_text *out, const struct ho_check *c)
{
    ho_text_put(out, "  ---\n  found: ");
    ho_text_json(out, c->found);
    ho_text_char(out, '\n');
    if (c->file != NULL) {
        struct ho_text at = { 0 };

        ho_text_printf(&at, "%s:%u", c->file, c->line);
        ho_text_put(out, "  at: ");
        ho_text_json(out, ho_text_str(&at));
        ho_text_char(out, '\n');
        ho_text_end_part(out, &at);
    }
    if (c->lines[0] != '\0') {
        ho_text_put(out, "  by:\n");
        for (const char *p = c->lines; *p != '\0';) {
            ho_text_put(out, "    - ");
            put_line(out, &p, ho_text_json);
            ho_text_char(out, '\n');
        }
    }
    ho_text_put(out, "  ...\n");
}

void ho_checks_tap(struct ho_text *out, const struct ho_check *checks, size_t n)
{
    ho_text_printf(out, "TAP version 14\n1..%zu\n", n);
    for (size_t i = 0; i < n; i++) {
        ho_text_printf(out, "%s %zu - ", checks[i].ok ? "ok" : "not ok", i + 1);
        ho_text_tap(out, checks[i].name);
        ho_text_char(out, '\n');
        if (checks[i].found[0] != '\0') {
            put_yaml(out, &checks[i]);
        }
    }
}

/* ---- JUnit ----------------------------------------------------------------------------------- */

static void put_attribute(struct ho_text *out, const char *name, const char *value)
{
    ho_text_printf(out, " %s=\"", name);
    ho_text_xml(out, value);
    ho_text_char(out, '"');
}

static void put_case(struct ho_text *out, const char *suite, const struct ho_check *c)
{
    ho_text_put(out, "    <testcase");
    put_attribute(out, "classname", suite);
    put_attribute(out, "name", c->name);
    if (c->file != NULL) {
        put_attribute(out, "file", c->file);
        ho_text_printf(out, " line=\"%u\"", c->line);
    }
    if (c->ok && c->found[0] == '\0') {
        ho_text_put(out, "/>\n");
        return;
    }
    ho_text_put(out, c->ok ? ">\n      <system-out>" : ">\n      <failure type=\"finding\"");
    if (c->ok) {
        ho_text_xml(out, c->found);
        ho_text_char(out, '\n');
    } else {
        put_attribute(out, "message", c->found);
        ho_text_char(out, '>');
    }
    ho_text_xml(out, c->lines);
    ho_text_put(out, c->ok ? "</system-out>\n" : "</failure>\n");
    ho_text_put(out, "    </testcase>\n");
}

void ho_checks_junit(struct ho_text *out, const char *suite, const struct ho_check *checks,
                     size_t n)
{
    size_t failed = 0;

    for (size_t i = 0; i < n; i++) {
        failed += !checks[i].ok;
    }
    ho_text_put(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"halfopen\"");
    for (int i = 0; i < 2; i++) { /* the frame and its one suite */
        ho_text_printf(out,
                       " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\""
                       " time=\"0.000000\">\n",
                       n, failed);
        if (i == 0) {
            ho_text_put(out, "  <testsuite");
            put_attribute(out, "name", suite);
        }
    }
    for (size_t i = 0; i < n; i++) {
        put_case(out, suite, &checks[i]);
    }
    ho_text_put(out, "  </testsuite>\n</testsuites>\n");
}
