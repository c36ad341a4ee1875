/* A file: its lines, the names they declare, and the arrays they go into. */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/match.h"

struct parser {
    struct ho_scn *s;
    struct ho_decls decls;
    struct ho_words words;
    struct ho_matcher match;
    struct ho_scn_error *e;
};

/* Room for `more` elements of `size` bytes behind `count`. Returns 0; -ENOMEM, nothing changed. */
static int make_room(void **array, size_t *room, size_t count, size_t more, size_t size)
{
    size_t want = *room != 0 ? *room : 32;

    while (want < count + more) {
        want *= 2;
    }
    if (want == *room) {
        return 0;
    }
    void *p = realloc(*array, want * size);
    if (p == NULL) {
        return -ENOMEM;
    }
    *array = p;
    *room = want;
    return 0;
}

static int add_line(struct ho_scn *s, const struct ho_scn_line *line, const struct ho_scn_arg *args)
{
    void *lines = s->lines, *all = s->args;
    int err = make_room(&lines, &s->line_room, s->line_count, 1, sizeof(*s->lines));

    s->lines = lines;
    if (err == 0) {
        err = make_room(&all, &s->arg_room, s->arg_count, line->arg_count, sizeof(*s->args));
        s->args = all;
    }
    if (err != 0) {
        return err;
    }
    struct ho_scn_line *copy = &s->lines[s->line_count++];
    *copy = *line;
    copy->arg_first = (uint32_t)s->arg_count;
    if (line->arg_count > 0) {
        memcpy(s->args + s->arg_count, args, line->arg_count * sizeof(*args));
        s->arg_count += line->arg_count;
    }
    return 0;
}

/* The declared name is in the argument called `place`, if it is there. */
static int declare(struct parser *p, enum ho_decl_kind kind, const char *place)
{
    const struct ho_scn_line *line = &p->s->lines[p->s->line_count - 1];
    const struct ho_scn_arg *a = ho_scn_arg(p->s, line, place);

    if (a == NULL) {
        return 0;
    }
    if (p->decls.count == HO_DECLS_MAX) {
        return ho_mistake(p->e, line->number, a->column, "more than %d names in a file",
                          HO_DECLS_MAX);
    }
    struct ho_decl *d = &p->decls.decl[p->decls.count++];
    *d = (struct ho_decl){ .kind = kind, .name = a->text, .owner = "" };
    if (kind == HO_DECL_PROCESS) {
        d->owner = a->text;
        d->name = a->text2;
    }
    return 0;
}

static int declare_sweep(struct parser *p)
{
    struct ho_scn *s = p->s;
    const struct ho_scn_line *line = &s->lines[s->line_count - 1];
    const struct ho_scn_arg *a = ho_scn_arg(s, line, "name");

    assert(a != NULL && line->arg_count > 1);
    if (s->sweep_count == HO_SCN_SWEEPS_MAX) {
        return ho_mistake(p->e, line->number, a->column, "more than %d sweeps in a file",
                          HO_SCN_SWEEPS_MAX);
    }
    for (uint32_t i = 1; i < line->arg_count; i++) {
        if (s->args[line->arg_first + i].var >= 0) {
            return ho_mistake(p->e, line->number, s->args[line->arg_first + i].column,
                              "a sweep's values cannot be another sweep's");
        }
    }
    s->sweeps[s->sweep_count++] = (struct ho_scn_sweep){ .name = a->text,
                                                         .line = line->number,
                                                         .arg_first = line->arg_first + 1,
                                                         .arg_count = line->arg_count - 1 };
    if (ho_scn_case_count(s) > HO_SCN_CASES_MAX) {
        return ho_mistake(p->e, line->number, a->column, "more than %d ways to play a file",
                          HO_SCN_CASES_MAX);
    }
    return declare(p, HO_DECL_SWEEP, "name");
}

static int declare_names(struct parser *p)
{
    switch (p->s->lines[p->s->line_count - 1].form) {
    case HO_FORM_HOST:
        return declare(p, HO_DECL_HOST, "name");
    case HO_FORM_SWITCH:
        return declare(p, HO_DECL_SWITCH, "name");
    case HO_FORM_MIDDLEBOX:
        return declare(p, HO_DECL_MIDDLEBOX, "name");
    case HO_FORM_CABLE:
        return declare(p, HO_DECL_CABLE, "name");
    case HO_FORM_PROCESS:
    case HO_FORM_COMMAND:
    case HO_FORM_COMMAND_LISTENS:
    case HO_FORM_COMMAND_SAYS:
        return declare(p, HO_DECL_PROCESS, "who");
    case HO_FORM_SWEEP:
        return declare_sweep(p);
    default:
        return 0;
    }
}

/* Cuts the names that are part of a word. Texts of arguments point into the file's own copy,
 * which the scenario owns.
 */
static void split_args(struct ho_scn *s, enum ho_form form, struct ho_scn_arg *args, unsigned count)
{
    const struct ho_form_info *info = ho_form_info(form);

    for (unsigned i = 0; i < count; i++) {
        const char *at = info->pattern + args[i].place - 1;
        struct ho_item item = ho_pattern_next(&at, info->pattern + info->len);
        const char *word = args[i].text;
        if (word != NULL && (item.type != HO_TYPE_TIME || args[i].relative)) {
            ho_split_arg(item.type, &args[i], s->text + (word - s->text));
        }
    }
}

/* Groups come in any order; arguments are kept in the pattern's. */
static void sort_args(struct ho_scn_arg *args, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        struct ho_scn_arg a = args[i];
        unsigned j = i;
        for (; j > 0 && args[j - 1].place > a.place; j--) {
            args[j] = args[j - 1];
        }
        args[j] = a;
    }
}

static int parse_line(struct parser *p, char *text, unsigned number)
{
    int err = ho_lex(text, &p->words, p->e);

    if (err == 0) {
        err = ho_match(&p->words, &p->decls, &p->match, p->e);
    }
    if (err != 0) {
        if (p->e != NULL) {
            p->e->line = number;
        }
        return err;
    }
    const struct ho_scn_line line = { .form = p->match.form,
                                      .number = number,
                                      .guard = p->match.guard,
                                      .arg_count = p->match.count,
                                      .comment = p->words.comment };
    split_args(p->s, line.form, p->match.arg, p->match.count);
    sort_args(p->match.arg, p->match.count);
    err = add_line(p->s, &line, p->match.arg);
    return err == 0 ? declare_names(p) : err;
}

static int parse_lines(struct parser *p, size_t len)
{
    char *at = p->s->text, *end = p->s->text + len;
    unsigned number = 1;

    for (; at < end; number++) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *stop = newline != NULL ? newline : end;
        if (number > HO_SCN_LINES_MAX) {
            return ho_mistake(p->e, number, 1, "more than %d lines", HO_SCN_LINES_MAX);
        }
        if (memchr(at, '\0', (size_t)(stop - at)) != NULL || stop - at > INT16_MAX) {
            return ho_mistake(p->e, number, 1, "found a byte 0 or an endless line, expected text");
        }
        if (stop > at && stop[-1] == '\r') {
            stop[-1] = '\0';
        }
        *stop = '\0';
        int err = parse_line(p, at, number);
        if (err != 0) {
            return err;
        }
        at = stop + 1;
    }
    return 0;
}

static struct ho_scn *new_scenario(const char *name, const char *text, size_t len)
{
    struct ho_scn *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return NULL;
    }
    s->name = malloc(strlen(name) + 1);
    s->text = malloc(len + 1);
    if (s->name == NULL || s->text == NULL) {
        ho_scn_free(s);
        return NULL;
    }
    memcpy(s->name, name, strlen(name) + 1);
    if (len > 0) {
        memcpy(s->text, text, len);
    }
    s->text[len] = '\0';
    return s;
}

int ho_scn_parse(struct ho_scn **ret, const char *name, const char *text, size_t len,
                 struct ho_scn_error *ret_error)
{
    int err = -ENOMEM;

    if (len > HO_SCN_TEXT_MAX) {
        return ho_mistake(ret_error, 1, 1, "%zu bytes, at most %d are read", len, HO_SCN_TEXT_MAX);
    }
    struct parser *p = calloc(1, sizeof(*p));
    struct ho_scn *s = new_scenario(name, text, len);
    if (p == NULL || s == NULL) {
        goto out;
    }
    p->s = s;
    p->e = ret_error;
    err = parse_lines(p, len);
    if (err == 0) {
        *ret = s;
        s = NULL;
    }
out:
    ho_scn_free(s);
    free(p);
    return err;
}

void ho_scn_free(struct ho_scn *s)
{
    if (s == NULL) {
        return;
    }
    free(s->name);
    free(s->text);
    free(s->lines);
    free(s->args);
    free(s);
}
