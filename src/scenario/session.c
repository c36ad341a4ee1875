/* A scenario that grows by a line for each step taken. */

#include "scenario/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000 /* in ns */

struct planned {
    struct ho_scn *scn;
    struct ho_plan *plan;
};

struct ho_session {
    char *name;
    const struct ho_plan_options *options;
    struct ho_text text;  /* the world's lines, then those of the steps */
    size_t before;        /* bytes of it before the last step */
    struct planned world; /* what the engine was begun with */
    struct planned last;  /* the same with all steps; empty: there is none */
    size_t steps;         /* of the plan before the last step */
    size_t left_out;
};

static void planned_free(struct planned *p)
{
    ho_plan_free(p->plan);
    ho_scn_free(p->scn);
    *p = (struct planned){ 0 };
}

void ho_session_free(struct ho_session *s)
{
    if (s == NULL) {
        return;
    }
    planned_free(&s->last);
    planned_free(&s->world);
    ho_text_free(&s->text);
    free(s->name);
    free(s);
}

static int plan_text(struct planned *ret, const struct ho_session *s, struct ho_scn_error *e)
{
    struct planned p = { 0 };
    int err = ho_text_err(&s->text);

    err = err != 0 ? err : ho_scn_parse(&p.scn, s->name, ho_text_str(&s->text), s->text.len, e);
    if (err == 0) {
        struct ho_scn_case c = ho_scn_case(p.scn, 0);

        err = ho_plan_make(&p.plan, p.scn, &c, s->options, e);
    }
    if (err != 0) {
        planned_free(&p);
        return err;
    }
    *ret = p;
    return 0;
}

/* ---- the world ------------------------------------------------------------------------------- */

static bool is_left_out(const struct ho_scn_line *line)
{
    enum ho_section section = ho_form_info(line->form)->section;

    return section == HO_SECTION_STEP || section == HO_SECTION_EXPECT ||
           line->form == HO_FORM_LASTS;
}

/* Copies the file without the lines that are left out; they stay as empty lines, so that the
 * numbers of lines in errors are the file's.
 */
static void copy_world(struct ho_session *s, const struct ho_scn *scn, const char *text, size_t len)
{
    size_t at = 0;
    unsigned number = 1;

    for (size_t i = 0; at < len; number++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t next = end != NULL ? (size_t)(end - text) + 1 : len;

        while (i < scn->line_count && scn->lines[i].number < number) {
            i++;
        }
        if (i < scn->line_count && scn->lines[i].number == number && is_left_out(&scn->lines[i])) {
            s->left_out += scn->lines[i].form != HO_FORM_LASTS;
        } else {
            ho_text_bytes(&s->text, text + at, next - at - (end != NULL));
        }
        ho_text_char(&s->text, '\n');
        at = next;
    }
}

int ho_session_new(struct ho_session **ret, const char *name, const char *text, size_t len,
                   const struct ho_plan_options *options, struct ho_scn_error *ret_error)
{
    struct ho_scn *scn;
    struct ho_session *s;
    int err = ho_scn_parse(&scn, name, text, len, ret_error);

    if (err != 0) {
        return err;
    }
    s = calloc(1, sizeof(*s));
    err = s == NULL ? -ENOMEM : 0;
    if (err == 0) {
        s->options = options;
        s->name = malloc(strlen(name) + 1);
        err = s->name == NULL ? -ENOMEM : 0;
    }
    if (err == 0) {
        memcpy(s->name, name, strlen(name) + 1);
        copy_world(s, scn, text, len);
        err = plan_text(&s->world, s, ret_error);
    }
    ho_scn_free(scn);
    if (err != 0) {
        ho_session_free(s);
        return err;
    }
    s->steps = s->world.plan->step_count;
    s->before = s->text.len;
    *ret = s;
    return 0;
}

const struct ho_plan *ho_session_plan(const struct ho_session *s)
{
    return s->world.plan;
}

size_t ho_session_left_out(const struct ho_session *s)
{
    return s->left_out;
}

void ho_session_print(const struct ho_session *s, struct ho_text *out)
{
    ho_text_bytes(out, ho_text_str(&s->text), s->text.len);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Cuts the text at `len`. */
static void cut_text(struct ho_session *s, size_t len)
{
    s->text.len = len;
    if (s->text.s != NULL) {
        s->text.s[len] = '\0';
    }
}

/* Is it one line with something in it? That it is a step, and no host, is due to the `at` before
 * it. */
static bool is_one_line(const char *text)
{
    size_t blank = strspn(text, " \t");

    return text[blank] != '\0' && text[blank] != '#' && strpbrk(text, "\r\n") == NULL;
}

/* An error in the step's own line is told by its column in the step. */
static int step_error(const struct ho_session *s, int err, unsigned prefix, struct ho_scn_error *e)
{
    if (err != -EINVAL) {
        return err;
    }
    if (s->text.len > HO_SCN_TEXT_MAX) {
        return -ENOSPC;
    }
    e->line = 1;
    e->column = e->column > prefix ? e->column - prefix : 1;
    return err;
}

int ho_session_step(struct ho_session *s, struct ho_time now, const char *text,
                    const struct ho_step **ret, size_t *ret_count, struct ho_scn_error *ret_error)
{
    size_t before = s->text.len;
    struct ho_text at = { 0 };
    struct planned p;
    int err;

    if (!is_one_line(text)) {
        *ret_error = (struct ho_scn_error){ .line = 1, .column = 1 };
        snprintf(ret_error->text, sizeof(ret_error->text),
                 "expected one step, such as: cut, client power-off");
        return -EINVAL;
    }
    /* Whole milliseconds, for the reader of what is printed; the order is that of the lines. */
    ho_text_put(&at, "at ");
    ho_text_seconds(&at, now.ns / MS * MS, 3);
    ho_text_put(&at, "s ");
    ho_text_put(&s->text, ho_text_str(&at));
    ho_text_put(&s->text, text);
    ho_text_char(&s->text, '\n');
    err = plan_text(&p, s, ret_error);
    if (err != 0) {
        err = step_error(s, err, (unsigned)at.len, ret_error);
        cut_text(s, before);
        ho_text_free(&at);
        return err;
    }
    ho_text_free(&at);
    s->steps = s->last.plan != NULL ? s->last.plan->step_count : s->world.plan->step_count;
    s->before = before;
    planned_free(&s->last);
    s->last = p;
    for (size_t i = s->steps; i < p.plan->step_count; i++) {
        p.plan->steps[i].at = now;
    }
    *ret = p.plan->steps + s->steps;
    *ret_count = p.plan->step_count - s->steps;
    return 0;
}

void ho_session_undo(struct ho_session *s)
{
    if (s->last.plan == NULL || s->before == s->text.len) {
        return;
    }
    cut_text(s, s->before);
    s->last.plan->step_count = s->steps;
}
