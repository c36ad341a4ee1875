/* Expectations: what they say, in one case. */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/make.h"

#define AT_TOLERANCE_NS 1000000 /* `at TIME` without a tolerance: to the millisecond */

static struct ho_time minus(struct ho_time t, int64_t ns)
{
    return (struct ho_time){ t.ns > ns ? t.ns - ns : 0 };
}

/* `at T [+- D]`, `between T and T`, `by T`, `within D of LABEL`, each perhaps `after LABEL`. */
static int read_window(struct ho_maker *m, const struct ho_scn_line *line, struct ho_expect *x)
{
    static const char *const places[] = { "at", "from", "by", "within" };
    const struct ho_scn_arg *after = ho_scn_arg(m->s, line, "after"), *first = NULL;
    struct ho_time shift = { 0 }, at = { 0 }, to = { 0 };
    int64_t tolerance, within;

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const struct ho_scn_arg *a = ho_scn_arg(m->s, line, places[i]);
        if (a != NULL && first != NULL) {
            return ho_maker_refuse(m, line, a,
                                   "a second time: expected only one of at, between, "
                                   "by and within");
        }
        first = a != NULL ? a : first;
    }
    int err = after != NULL ? ho_resolve_label(m, line, after, &shift) : 0;
    err = err != 0 ? err
                   : ho_resolve_number(m, line, "tolerance", HO_TYPE_DURATION, AT_TOLERANCE_NS,
                                       &tolerance);
    err = err != 0 ? err : ho_resolve_number(m, line, "within", HO_TYPE_DURATION, 0, &within);
    if (err != 0) {
        return err;
    }
    x->has_window = first != NULL || after != NULL;
    x->window = (struct ho_window){ shift, m->plan->end };
    if (ho_scn_arg(m->s, line, "at") != NULL) {
        err = ho_resolve_time(m, line, "at", &at);
        at = ho_time_add(at, ho_ns(shift.ns));
        x->window = (struct ho_window){ minus(at, tolerance), ho_time_add(at, ho_ns(tolerance)) };
    } else if (ho_scn_arg(m->s, line, "from") != NULL) {
        err = ho_resolve_time(m, line, "from", &at);
        err = err != 0 ? err : ho_resolve_time(m, line, "to", &to);
        x->window = (struct ho_window){ ho_time_add(at, ho_ns(shift.ns)),
                                        ho_time_add(to, ho_ns(shift.ns)) };
    } else if (ho_scn_arg(m->s, line, "by") != NULL) {
        err = ho_resolve_time(m, line, "by", &to);
        x->window.to = ho_time_add(to, ho_ns(shift.ns));
    } else if (ho_scn_arg(m->s, line, "of") != NULL) {
        err = ho_resolve_label(m, line, ho_scn_arg(m->s, line, "of"), &at);
        x->window = (struct ho_window){ at, ho_time_add(at, ho_ns(within)) };
    }
    if (err == 0 && ho_time_before(x->window.to, x->window.from)) {
        return ho_maker_refuse(m, line, first, "this time ends before it begins");
    }
    if (err == 0 && ho_time_before(m->plan->end, x->window.from)) {
        return ho_maker_refuse(m, line, first, "this time is after the end of the play");
    }
    if (first != NULL && ho_time_before(m->latest, x->window.to) &&
        ho_time_before(x->window.to, m->plan->end)) {
        m->latest = x->window.to;
    }
    return err;
}

/* `stays S [from T] [until T]`, `is S at T`. */
static int read_span(struct ho_maker *m, const struct ho_scn_line *line, struct ho_expect *x)
{
    int err = 0;

    x->window = (struct ho_window){ { 0 }, m->plan->end };
    if (line->form == HO_FORM_IS) {
        err = ho_resolve_time(m, line, "at", &x->window.from);
        x->window.to = x->window.from;
        return err;
    }
    if (ho_scn_arg(m->s, line, "from") != NULL) {
        err = ho_resolve_time(m, line, "from", &x->window.from);
        x->has_window = true;
    }
    if (err == 0 && ho_scn_arg(m->s, line, "until") != NULL) {
        err = ho_resolve_time(m, line, "until", &x->window.to);
    }
    if (err == 0 && ho_time_before(x->window.to, x->window.from)) {
        return ho_maker_refuse(m, line, ho_scn_arg(m->s, line, "until"),
                               "this time ends before it begins");
    }
    return err;
}

static enum ho_scn_mark find_mark(const char *text)
{
    for (unsigned k = 0; k < HO_SCN_MARK_COUNT; k++) {
        if (strcmp(ho_scn_mark_text((enum ho_scn_mark)k), text) == 0) {
            return (enum ho_scn_mark)k;
        }
    }
    assert(0 && "a mark that the reader let through");
    return HO_SCN_MARK_SEGMENT;
}

static const char *text_of(const struct ho_maker *m, const struct ho_scn_line *line,
                           const char *place)
{
    const struct ho_scn_arg *a = ho_scn_arg(m->s, line, place);

    return a != NULL ? a->text : NULL;
}

static void read_subject(const struct ho_maker *m, const struct ho_scn_line *line,
                         struct ho_expect *x)
{
    const struct ho_scn_arg *who = ho_scn_arg(m->s, line, "who");

    x->host = x->process = x->conn = "";
    if (who == NULL) {
        who = ho_scn_arg(m->s, line, "host");
    }
    if (who != NULL) {
        x->host = who->text;
        x->process = who->text2 != NULL ? who->text2 : "";
        x->conn = who->text3 != NULL ? who->text3 : "";
    }
}

static void read_count(const struct ho_maker *m, const struct ho_scn_line *line,
                       struct ho_expect *x)
{
    const char *how = text_of(m, line, "how"), *dir = text_of(m, line, "dir");
    const char *kind = text_of(m, line, "kind");

    x->receives = dir != NULL && strcmp(dir, "receives") == 0;
    x->how = how == NULL || strcmp(how, "exactly") == 0 ? HO_EXACTLY
             : strcmp(how, "at-least") == 0             ? HO_AT_LEAST
                                                        : HO_AT_MOST;
    if (kind != NULL) {
        x->mark = find_mark(kind);
    }
    if (line->form == HO_FORM_SENDS) {
        x->how = HO_AT_LEAST;
        x->value = 1;
    }
}

static int read_option(struct ho_maker *m, const struct ho_scn_line *line, struct ho_expect *x)
{
    struct ho_plan_call call = { .opt = 0 };
    int err = ho_resolve_sockopt(m, line, &call);

    x->opt = call.opt_name;
    x->value = call.value[0];
    return err != 0 ? err : read_window(m, line, x);
}

static int read_expect(struct ho_maker *m, const struct ho_scn_line *line, struct ho_expect *x)
{
    const char *state = text_of(m, line, "state"), *events = text_of(m, line, "events");
    static const struct {
        const char *place;
        enum ho_type type;
    } numbers[] = { { "count", HO_TYPE_COUNT },
                    { "value", HO_TYPE_NUMBER },
                    { "status", HO_TYPE_NUMBER },
                    { "bytes", HO_TYPE_BYTES } };
    int err = 0;

    *x = (struct ho_expect){ .form = line->form, .line = line };
    read_subject(m, line, x);
    read_count(m, line, x);
    x->what = text_of(m, line, "what");
    x->call = text_of(m, line, "call");
    x->knob = text_of(m, line, "knob");
    x->pattern = text_of(m, line, "line");
    x->has_status = ho_scn_arg(m->s, line, "status") != NULL;
    if (line->form == HO_FORM_HAS_OPTION) {
        return read_option(m, line, x);
    }
    if (state != NULL) {
        x->state = ho_scn_state(state);
    }
    if (events != NULL) {
        err = ho_events_read(events, &x->events);
        assert(err == 0);
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && err == 0; i++) {
        err = ho_resolve_number(m, line, numbers[i].place, numbers[i].type, x->value, &x->value);
    }
    if (err != 0) {
        return err;
    }
    if (line->form == HO_FORM_STAYS || line->form == HO_FORM_IS) {
        return read_span(m, line, x);
    }
    return read_window(m, line, x);
}

static int append(struct ho_maker *m, const struct ho_expect *x)
{
    struct ho_plan *plan = m->plan;

    if (plan->expect_count == m->expect_room) {
        size_t room = m->expect_room != 0 ? m->expect_room * 2 : 8;
        struct ho_expect *p = realloc(plan->expects, room * sizeof(*p));
        if (p == NULL) {
            return -ENOMEM;
        }
        plan->expects = p;
        m->expect_room = room;
    }
    plan->expects[plan->expect_count++] = *x;
    return 0;
}

int ho_make_expects(struct ho_maker *m)
{
    for (size_t i = 0; i < m->s->line_count; i++) {
        const struct ho_scn_line *line = &m->s->lines[i];
        struct ho_expect x;
        if (ho_form_info(line->form)->section != HO_SECTION_EXPECT || !ho_maker_counts(m, line)) {
            continue;
        }
        int err = read_expect(m, line, &x);
        err = err != 0 ? err : append(m, &x);
        if (err != 0) {
            return err;
        }
    }
    return 0;
}
