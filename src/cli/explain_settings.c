/* Programs and their settings (knobs/settings.h), as `halfopen explain` shows them. */

#include <string.h>

#include "base/words.h"
#include "cli/explain.h"
#include "knobs/settings.h"

#define WIDTH 80
#define INDENT 6

bool ho_explain_setting_find(const char *word, struct ho_explain_hit *ret)
{
    const struct ho_setting_program *p = ho_setting_program_find(word);
    const struct ho_setting *s = ho_setting_named(word, NULL);

    if (p != NULL) {
        bool whole = strlen(word) == strlen(p->id); /* else a part of several ids */

        *ret = (struct ho_explain_hit){ whole ? p->id : word, HO_EXPLAIN_PROGRAM, 0, NULL };
    } else if (s != NULL) {
        *ret = (struct ho_explain_hit){ s->name, HO_EXPLAIN_SETTING, 0, NULL };
    }
    return p != NULL || s != NULL;
}

/* The rows that belong to a hit, one after the other. */
static const struct ho_setting *next(const struct ho_explain_hit *hit,
                                     const struct ho_setting *after)
{
    return hit->kind == HO_EXPLAIN_PROGRAM ? ho_setting_next(hit->name, after)
                                           : ho_setting_named(hit->name, after);
}

void ho_explain_setting_list(struct ho_text *out, const struct ho_explain_hit *hit)
{
    unsigned n = 0;

    for (const struct ho_setting *s = next(hit, NULL); s != NULL; s = next(hit, s)) {
        n++;
    }
    if (hit->kind == HO_EXPLAIN_SETTING) {
        ho_text_printf(out, "found in %u place%s", n, n == 1 ? "" : "s");
    } else if (strcmp(ho_setting_program_find(hit->name)->id, hit->name) == 0) {
        ho_text_printf(out, "%s; its liveness settings", ho_setting_program_find(hit->name)->title);
    } else {
        ho_text_printf(out, "%u liveness settings", n);
    }
}

static void put_lines(struct ho_text *out, const char *words)
{
    if (words[0] != '\0') {
        ho_text_repeat(out, " ", INDENT);
        ho_text_wrap(out, words, INDENT, INDENT, WIDTH);
    }
}

static void put_row(struct ho_text *out, const struct ho_setting *s, bool with_program)
{
    struct ho_text line = { 0 };

    ho_text_printf(&line, "  %s%s%s%s%s, ", with_program ? s->program : "", with_program ? " " : "",
                   s->name, s->versions[0] != '\0' ? " " : "", s->versions);
    ho_setting_default_text(&line, s);
    ho_text_printf(out, "%s\n", ho_text_str(&line));
    ho_text_clear(&line);
    ho_text_printf(&line, "%s: %s", ho_setting_side_word(s->side), ho_setting_role_text(s->role));
    put_lines(out, ho_text_str(&line));
    ho_text_clear(&line);
    ho_text_printf(&line, "%s%s%s", s->place, s->form[0] != '\0' ? ": " : "", s->form);
    put_lines(out, ho_text_str(&line));
    put_lines(out, s->note);
    ho_text_clear(&line);
    ho_text_printf(&line, "%s: %s", s->checked ? "read in" : "not checked", s->source);
    put_lines(out, ho_text_str(&line));
    ho_text_end_part(out, &line);
}

void ho_explain_setting_rows(struct ho_text *out, const struct ho_explain_hit *hit)
{
    for (const struct ho_setting *s = next(hit, NULL); s != NULL; s = next(hit, s)) {
        put_row(out, s, hit->kind == HO_EXPLAIN_SETTING || strcmp(s->program, hit->name) != 0);
    }
}

static void put_pair(struct ho_text *out, const char *key, const char *value)
{
    ho_text_printf(out, ",\"%s\":", key);
    ho_text_json(out, value);
}

void ho_explain_setting_json(struct ho_text *out, const struct ho_explain_hit *hit)
{
    const char *comma = "";

    ho_text_put(out, ",\"settings\":[");
    for (const struct ho_setting *s = next(hit, NULL); s != NULL; s = next(hit, s)) {
        ho_text_printf(out, "%s\n{\"program\":\"%s\"", comma, s->program);
        put_pair(out, "name", s->name);
        put_pair(out, "versions", s->versions);
        if (s->def >= 0) {
            ho_text_put(out, ",\"default\":");
            ho_text_int(out, s->def);
        } else {
            put_pair(out, "default",
                     s->def == HO_SETTING_SYSTEM ? "system"
                     : s->def == HO_SETTING_NONE ? "none"
                                                 : "varies");
        }
        put_pair(out, "unit", ho_unit_suffix(s->unit));
        put_pair(out, "side", ho_setting_side_word(s->side));
        put_pair(out, "role", ho_setting_role_word(s->role));
        put_pair(out, "place", s->place);
        put_pair(out, "form", s->form);
        put_pair(out, "note", s->note);
        put_pair(out, "source", s->source);
        ho_text_printf(out, ",\"checked\":%s}", s->checked ? "true" : "false");
        comma = ",";
    }
    ho_text_char(out, ']');
}
