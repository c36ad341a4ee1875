/* A scenario as text again, by walking each line's pattern over its arguments; and looking things
 * up in it.
 */

#include <assert.h>
#include <string.h>

#include "scenario/expect.h"
#include "scenario/match.h"

struct printer {
    struct ho_text *out;
    const struct ho_scn *s;
    const char *pattern;
    const struct ho_scn_arg *arg; /* the next one */
    uint32_t left;
    bool first; /* no blank before the next word */
};

static void begin_word(struct printer *p)
{
    if (!p->first) {
        ho_text_char(p->out, ' ');
    }
    p->first = false;
}

static void print_quoted(struct printer *p, const char *text)
{
    ho_text_char(p->out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            ho_text_char(p->out, '\\');
        }
        ho_text_char(p->out, *text);
    }
    ho_text_char(p->out, '"');
}

static void print_slashed(struct printer *p, const char *text)
{
    ho_text_char(p->out, '/');
    for (; *text != '\0'; text++) {
        if (*text == '/') {
            ho_text_char(p->out, '\\');
        } else if (*text == '\\' && text[1] != '\0') {
            ho_text_char(p->out, *text++);
        }
        ho_text_char(p->out, *text);
    }
    ho_text_char(p->out, '/');
}

static void print_time(struct printer *p, const struct ho_scn_arg *a)
{
    if (!a->relative && a->text != NULL) {
        ho_text_put(p->out, "the end");
        return;
    }
    if (a->text != NULL) {
        ho_text_put(p->out, a->text);
    }
    if (a->text != NULL && a->number == 0 && a->var < 0) {
        return;
    }
    if (a->relative) {
        ho_text_char(p->out, '+');
    }
    if (a->var >= 0) {
        ho_text_char(p->out, '$');
        ho_text_put(p->out, p->s->sweeps[a->var].name);
    } else {
        ho_value_print(p->out, HO_TYPE_DURATION, a->number);
    }
}

static void print_joined(struct printer *p, const char *sign, const char *text)
{
    if (text != NULL) {
        ho_text_put(p->out, sign);
        ho_text_put(p->out, text);
    }
}

static void print_endpoint(struct printer *p, const struct ho_scn_arg *a)
{
    bool bracket = strchr(a->text, ':') != NULL;

    ho_text_printf(p->out, "%s%s%s:", bracket ? "[" : "", a->text, bracket ? "]" : "");
    ho_text_int(p->out, a->number);
}

static void print_arg(struct printer *p, enum ho_type type, const struct ho_scn_arg *a, bool begins)
{
    if ((type == HO_TYPE_CHAIN || type == HO_TYPE_CABLE) && !begins) {
        begin_word(p);
        ho_text_put(p->out, a->number != 0 ? "->" : "--");
    }
    begin_word(p);
    if (type == HO_TYPE_TIME) {
        print_time(p, a);
    } else if (a->var >= 0) {
        ho_text_char(p->out, '$');
        ho_text_put(p->out, p->s->sweeps[a->var].name);
    } else if (ho_type_is_number(type)) {
        ho_value_print(p->out, type, a->number);
    } else if (type == HO_TYPE_TEXT) {
        print_quoted(p, a->text);
    } else if (type == HO_TYPE_REGEX) {
        print_slashed(p, a->text);
    } else if (type == HO_TYPE_ENDPOINT) {
        print_endpoint(p, a);
    } else {
        ho_text_put(p->out, a->text);
        print_joined(p, type == HO_TYPE_PAIR ? "=" : ".", a->text2);
        print_joined(p, "/", a->text3);
    }
}

/* True if the next argument fills a place of the pattern between `at` and `end`. */
static bool is_filled(const struct printer *p, const char *at, const char *end)
{
    return p->left > 0 && p->pattern + p->arg->place >= at && p->pattern + p->arg->place < end;
}

static void print_items(struct printer *p, const char *at, const char *end)
{
    for (struct ho_item item = ho_pattern_next(&at, end); item.kind != HO_ITEM_END;
         item = ho_pattern_next(&at, end)) {
        if (item.kind == HO_ITEM_GROUP) {
            if (is_filled(p, item.text, item.text + item.len)) {
                print_items(p, item.text, item.text + item.len);
            }
        } else if (item.kind == HO_ITEM_WORD) {
            begin_word(p);
            ho_text_bytes(p->out, item.text, item.len);
        } else {
            for (bool begins = true; is_filled(p, item.text, item.text + 1); begins = false) {
                print_arg(p, item.type, p->arg, begins);
                p->arg++;
                p->left--;
            }
        }
    }
}

static void print_guard(struct printer *p, const struct ho_scn_guard *g)
{
    if (g->engine != NULL) {
        begin_word(p);
        ho_text_printf(p->out, "on %s", g->engine);
    }
    if (g->family != 0) {
        begin_word(p);
        ho_text_printf(p->out, "over ipv%d", g->family == HO_FAMILY_V4 ? 4 : 6);
    }
    if (g->sweep >= 0) {
        begin_word(p);
        ho_text_printf(p->out, "when %s=%s", p->s->sweeps[g->sweep].name, g->value);
    }
}

/* A line without guards and comment, from the word behind `skip` on. */
static void print_line(const struct ho_scn *s, const struct ho_scn_line *line, const char *skip,
                       struct printer *p)
{
    p->s = s;
    p->pattern = ho_form_info(line->form)->pattern;
    p->left = line->arg_count;
    p->arg = line->arg_count > 0 ? s->args + line->arg_first : NULL;
    print_items(p, p->pattern + strlen(skip), p->pattern + ho_form_info(line->form)->len);
}

void ho_expect_print(const struct ho_scn *s, const struct ho_expect *x, struct ho_text *out)
{
    struct printer p = { .out = out, .first = true };

    print_line(s, x->line, "expect ", &p);
}

void ho_scn_print(const struct ho_scn *s, struct ho_text *out)
{
    for (size_t i = 0; i < s->line_count; i++) {
        const struct ho_scn_line *line = &s->lines[i];
        struct printer p = { .out = out, .s = s, .first = true };
        print_guard(&p, &line->guard);
        print_line(s, line, "", &p);
        if (line->comment != NULL) {
            begin_word(&p);
            ho_text_put(out, line->comment[0] != '\0' ? "# " : "#");
            ho_text_put(out, line->comment);
        }
        ho_text_char(out, '\n');
    }
}

const struct ho_scn_arg *ho_scn_arg(const struct ho_scn *s, const struct ho_scn_line *line,
                                    const char *name)
{
    const char *pattern = ho_form_info(line->form)->pattern;

    for (uint32_t i = 0; i < line->arg_count; i++) {
        const struct ho_scn_arg *a = &s->args[line->arg_first + i];
        const char *place = pattern + a->place, *p = name;
        while (*p != '\0' && *p == *place) {
            p++;
            place++;
        }
        if (*p == '\0' && *place == ':') {
            return a;
        }
    }
    return NULL;
}
