/* Judging expectations: who noticed what, which call returned what. */

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/judge.h"
#include "timeline/view.h"

void ho_judge_say(struct ho_judge *g, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(g->j->text, sizeof(g->j->text), format, args);
    va_end(args);
}

const char *ho_judge_time(struct ho_time t, char *text)
{
    snprintf(text, HO_JUDGE_TIME, "%lld.%03lld s", (long long)(t.ns / HO_NS_PER_S),
             (long long)(t.ns % HO_NS_PER_S / 1000000));
    return text;
}

bool ho_judge_in(const struct ho_expect *x, struct ho_time t)
{
    return !ho_time_before(t, x->window.from) && !ho_time_before(x->window.to, t);
}

bool ho_judge_about(const struct ho_expect *x, const struct ho_record *r)
{
    const char *sock = r->kind == HO_REC_APP    ? r->u.app.sock
                       : r->kind == HO_REC_SOCK ? r->u.sock.sock
                                                : "";

    return strcmp(r->host, x->host) == 0 &&
           (x->process[0] == '\0' || r->process[0] == '\0' ||
            strcmp(r->process, x->process) == 0) &&
           (x->conn[0] == '\0' || strcmp(r->conn, x->conn) == 0 || strcmp(sock, x->conn) == 0);
}

/* --- verdicts -------------------------------------------------------------------------------- */

/* The next verdict about the subject from `i` on; NULL after the last. */
static const struct ho_verdict *next_verdict(const struct ho_judge *g, size_t *i)
{
    const struct ho_expect *x = g->x;

    while (*i < g->verdicts->n) {
        const struct ho_verdict *v = &g->verdicts->v[(*i)++];
        if (x->host[0] != '\0' && strcmp(v->host, x->host) != 0) {
            continue;
        }
        if (x->process[0] != '\0' && strcmp(v->process, x->process) != 0) {
            continue;
        }
        if (x->conn[0] == '\0' || strcmp(v->conn, x->conn) == 0) {
            return v;
        }
    }
    return NULL;
}

static const char *what_of(const struct ho_verdict *v)
{
    if (v->app_err[0] != '\0') {
        return v->app_err;
    }
    return v->cause == HO_CAUSE_FINDING ? "timeout" : "EOF";
}

static bool is_noticed(const struct ho_expect *x, const struct ho_verdict *v)
{
    return v->has_app && (x->what == NULL || strcmp(x->what, what_of(v)) == 0) &&
           (x->call == NULL || strcmp(x->call, v->app_call) == 0) && ho_judge_in(x, v->app_at);
}

static void judge_notices(struct ho_judge *g)
{
    const struct ho_verdict *v;
    char at[HO_JUDGE_TIME];

    ho_judge_say(g, "%s never notices", g->x->host);
    for (size_t i = 0; (v = next_verdict(g, &i)) != NULL && !g->j->met;) {
        if (v->has_app) {
            g->j->met = is_noticed(g->x, v);
            ho_judge_say(g, "%s notices %s in %s at %s", v->host, what_of(v), v->app_call,
                         ho_judge_time(v->app_at, at));
        }
    }
}

static void judge_never_notices(struct ho_judge *g)
{
    const struct ho_verdict *v;
    char at[HO_JUDGE_TIME];

    g->j->met = true;
    ho_judge_say(g, "%s notices", g->x->host[0] != '\0' ? "it never" : "nobody");
    for (size_t i = 0; (v = next_verdict(g, &i)) != NULL && g->j->met;) {
        if (v->has_app) {
            g->j->met = false;
            ho_judge_say(g, "%s notices %s in %s at %s", v->host, what_of(v), v->app_call,
                         ho_judge_time(v->app_at, at));
        }
    }
}

static void judge_gives_up(struct ho_judge *g, bool never)
{
    const struct ho_expect *x = g->x;
    const struct ho_verdict *v;
    char at[HO_JUDGE_TIME];
    bool done = false;

    g->j->met = never;
    ho_judge_say(g, "the kernel of %s never gives up", x->host);
    for (size_t i = 0; (v = next_verdict(g, &i)) != NULL && !done;) {
        if (!v->has_kernel) {
            continue;
        }
        ho_judge_say(g, "the kernel of %s gives up with %s at %s", v->host,
                     v->kernel_err[0] != '\0' ? v->kernel_err : "no error",
                     ho_judge_time(v->kernel_at, at));
        g->j->met = !never && (x->what == NULL || strcmp(x->what, v->kernel_err) == 0) &&
                    ho_judge_in(x, v->kernel_at);
        done = never || g->j->met;
    }
}

static void judge_knob(struct ho_judge *g)
{
    const struct ho_verdict *v;

    ho_judge_say(g, "no knob");
    for (size_t i = 0; (v = next_verdict(g, &i)) != NULL && !g->j->met;) {
        if (v->knob[0] != '\0') {
            g->j->met = strstr(v->knob, g->x->knob) != NULL;
            ho_judge_say(g, "the knob of %s is %s", v->host, v->knob);
        }
    }
}

/* --- calls ----------------------------------------------------------------------------------- */

/* A count is a success, whatever error says why it is not more. getsockopt(SO_ERROR) succeeds and
 * gives an error: that counts as the failure it tells of.
 */
static bool call_failed(const struct ho_rec_app *a)
{
    return a->err[0] != '\0' && a->ret <= 0;
}

/* Is this record what the expectation wants, but for the time? */
static bool call_fits(const struct ho_expect *x, const struct ho_rec_app *a)
{
    switch (x->form) {
    case HO_FORM_CALL_RETURNS:
        return !call_failed(a) && a->ret == x->value;
    case HO_FORM_CALL_FAILS:
        return call_failed(a) && strcmp(a->err, x->what) == 0;
    case HO_FORM_CALL_SUCCEEDS:
        return !call_failed(a);
    default: /* EVENTS */
        return a->has_events && a->events == x->events;
    }
}

static void say_call(struct ho_judge *g, const struct ho_record *r)
{
    const struct ho_rec_app *a = &r->u.app;
    char at[HO_JUDGE_TIME], events[HO_VIEW_WORD];

    ho_judge_time(r->t, at);
    if (g->x->form == HO_FORM_EVENTS) {
        ho_judge_say(g, "%s sees %s in %s at %s", r->host, ho_view_events(a->events, events),
                     a->call, at);
    } else if (call_failed(a)) {
        ho_judge_say(g, "%s of %s fails with %s at %s", a->call, r->host, a->err, at);
    } else {
        ho_judge_say(g, "%s of %s returns %lld at %s", a->call, r->host, (long long)a->ret, at);
    }
}

static void judge_call(struct ho_judge *g)
{
    const struct ho_expect *x = g->x;

    if (x->form == HO_FORM_EVENTS) {
        ho_judge_say(g, "no poll of %s returned", x->host);
    } else {
        ho_judge_say(g, "no %s of %s returned", x->call, x->host);
    }
    for (size_t i = 0; i < g->tl->n && !g->j->met; i++) {
        const struct ho_record *r = &g->tl->rec[i];
        if (r->kind != HO_REC_APP || r->u.app.enter || !ho_judge_about(x, r)) {
            continue;
        }
        if (x->call != NULL ? strcmp(r->u.app.call, x->call) != 0 : !r->u.app.has_events) {
            continue;
        }
        g->j->met = call_fits(x, &r->u.app) && ho_judge_in(x, r->t);
        say_call(g, r);
    }
}

/* --- all of them ----------------------------------------------------------------------------- */

static int judge_one(struct ho_judge *g)
{
    switch (g->x->form) {
    case HO_FORM_NOTICES:
        judge_notices(g);
        return 0;
    case HO_FORM_NEVER_NOTICES:
    case HO_FORM_NOBODY:
        judge_never_notices(g);
        return 0;
    case HO_FORM_GIVES_UP:
    case HO_FORM_NEVER_GIVES_UP:
        judge_gives_up(g, g->x->form == HO_FORM_NEVER_GIVES_UP);
        return 0;
    case HO_FORM_KNOB:
        judge_knob(g);
        return 0;
    case HO_FORM_STAYS:
    case HO_FORM_IS:
    case HO_FORM_ENTERS:
    case HO_FORM_NEVER_ENTERS:
        return ho_judge_state(g);
    case HO_FORM_SENDS:
    case HO_FORM_SENDS_COUNT:
    case HO_FORM_SENDS_NO:
        return ho_judge_sends(g);
    case HO_FORM_RECEIVED:
        return ho_judge_received(g);
    case HO_FORM_WHOLE:
        return ho_judge_whole(g);
    case HO_FORM_CALL_RETURNS:
    case HO_FORM_CALL_FAILS:
    case HO_FORM_CALL_SUCCEEDS:
    case HO_FORM_EVENTS:
        judge_call(g);
        return 0;
    case HO_FORM_OUTPUT:
    case HO_FORM_NO_OUTPUT:
        ho_judge_output(g);
        return 0;
    case HO_FORM_EXITS:
    case HO_FORM_NEVER_EXITS:
        ho_judge_exits(g);
        return 0;
    case HO_FORM_LETS_GO:
        ho_judge_lets_go(g);
        return 0;
    case HO_FORM_HAS_OPTION:
        ho_judge_option(g);
        return 0;
    default:
        assert(0 && "not an expectation");
        return 0;
    }
}

static bool needs_marks(const struct ho_plan *plan)
{
    for (size_t i = 0; i < plan->expect_count; i++) {
        enum ho_form form = plan->expects[i].form;
        if (form == HO_FORM_SENDS || form == HO_FORM_SENDS_COUNT || form == HO_FORM_SENDS_NO) {
            return true;
        }
    }
    return false;
}

int ho_expect_judge(struct ho_judgement **ret, const struct ho_plan *plan,
                    const struct ho_timeline *timeline, const struct ho_verdicts *verdicts)
{
    size_t n = plan->expect_count;
    struct ho_judge g = { .tl = timeline, .verdicts = verdicts };
    struct ho_judgement *all = calloc(n != 0 ? n : 1, sizeof(*all));
    int err = all == NULL ? -ENOMEM : 0;

    if (err == 0 && needs_marks(plan)) {
        err = ho_marks_make(timeline, &g.marks);
    }
    for (size_t i = 0; i < n && err == 0; i++) {
        g.x = &plan->expects[i];
        g.j = &all[i];
        g.j->expect = g.x;
        err = judge_one(&g);
    }
    free(g.marks);
    if (err != 0) {
        free(all);
        return err;
    }
    *ret = all;
    return 0;
}
