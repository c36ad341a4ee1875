/* Judging states: the sock records of the subject's connections, one after another.
 *
 * A connection is known by its name in the timeline. It is watched from its first record in the
 * state that is expected, or from the time that the expectation names.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/judge.h"
#include "timeline/group.h"

/* One connection of the subject. */
struct watched {
    const char *state; /* the last one recorded; NULL: none yet */
    bool begun;        /* it was in the state when the watch began */
};

struct states {
    struct ho_groups names;
    struct watched *conn;
    size_t room;
};

/* The connection of a record; NULL when memory is exhausted. */
static struct watched *conn_of(struct states *s, const struct ho_record *r)
{
    const char *name = r->conn[0] != '\0' ? r->conn : r->u.sock.sock;
    size_t i, before = s->names.n;

    if (ho_groups_of(&s->names, r->host, name, "", &i) != 0) {
        return NULL;
    }
    if (s->names.n > s->room) {
        size_t room = s->room != 0 ? 2 * s->room : 4;
        struct watched *p = realloc(s->conn, room * sizeof(*p));
        if (p == NULL) {
            return NULL;
        }
        s->conn = p;
        s->room = room;
    }
    if (s->names.n > before) {
        s->conn[i] = (struct watched){ 0 };
    }
    return &s->conn[i];
}

static bool is_state(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

static void say_change(struct ho_judge *g, const struct ho_record *r)
{
    char at[HO_JUDGE_TIME];

    ho_judge_say(g, "%s enters %s at %s", r->host, r->u.sock.state, ho_judge_time(r->t, at));
}

/* What all connections are when the window begins. */
static void look(struct ho_judge *g, struct states *s)
{
    bool any = false, all = true;
    const char *other = NULL;

    for (size_t i = 0; i < s->names.n; i++) {
        struct watched *c = &s->conn[i];
        bool counts = !is_state(c->state, "gone") || strcmp(g->x->state, "gone") == 0;
        c->begun = is_state(c->state, g->x->state);
        if (counts) {
            any = true;
            all = all && c->begun;
            other = c->begun ? other : c->state;
        }
    }
    g->j->met = any && all;
    if (!any) {
        ho_judge_say(g, "%s has no connection then", g->x->host);
    } else {
        ho_judge_say(g, "%s is %s", g->x->host, other != NULL ? other : g->x->state);
    }
}

/* A record inside the window. Returns true when the judgement is final. */
static bool step(struct ho_judge *g, struct watched *c, const struct ho_record *r)
{
    const bool wanted = is_state(r->u.sock.state, g->x->state);
    const bool changes = !is_state(c->state, r->u.sock.state);

    switch (g->x->form) {
    case HO_FORM_STAYS:
        if (wanted && !c->begun && !g->x->has_window) {
            c->begun = true;
            g->j->met = true;
            say_change(g, r);
        } else if (!wanted && c->begun) {
            g->j->met = false;
            say_change(g, r);
            return true;
        }
        return false;
    case HO_FORM_ENTERS:
    case HO_FORM_NEVER_ENTERS:
        if (wanted && changes) {
            g->j->met = g->x->form == HO_FORM_ENTERS;
            say_change(g, r);
            return true;
        }
        return false;
    default:
        return false;
    }
}

/* A record without a process (an orphan's, the end of a socket) is about the process that had the
 * connection before or gets it later, if one did.
 */
static bool is_anothers(const struct ho_judge *g, const struct ho_record *r)
{
    bool other = false;

    if (g->x->process[0] == '\0' || r->process[0] != '\0' || r->conn[0] == '\0') {
        return false;
    }
    for (size_t i = 0; i < g->tl->n; i++) {
        const struct ho_record *k = &g->tl->rec[i];
        if (k->kind == HO_REC_SOCK && k->process[0] != '\0' && strcmp(k->conn, r->conn) == 0 &&
            strcmp(k->host, r->host) == 0) {
            if (strcmp(k->process, g->x->process) == 0) {
                return false;
            }
            other = true;
        }
    }
    return other;
}

static int walk(struct ho_judge *g, struct states *s)
{
    const struct ho_expect *x = g->x;
    bool spans = x->form == HO_FORM_IS || (x->form == HO_FORM_STAYS && x->has_window);
    bool looked = !spans, final = false;

    for (size_t i = 0; i < g->tl->n && !final; i++) {
        const struct ho_record *r = &g->tl->rec[i];
        if (ho_time_before(x->window.to, r->t)) {
            break;
        }
        if (r->kind != HO_REC_SOCK || strcmp(r->u.sock.state, "LISTEN") == 0 ||
            !ho_judge_about(x, r) || is_anothers(g, r)) {
            continue;
        }
        if (!looked && ho_time_before(x->window.from, r->t)) {
            look(g, s);
            looked = true;
            final = !g->j->met;
        }
        struct watched *c = conn_of(s, r);
        if (c == NULL) {
            return -ENOMEM;
        }
        if (!final && looked && !ho_time_before(r->t, x->window.from)) {
            final = step(g, c, r);
        }
        c->state = r->u.sock.state;
    }
    if (!looked) {
        look(g, s);
    }
    return 0;
}

int ho_judge_state(struct ho_judge *g)
{
    struct states s = { 0 };

    g->j->met = g->x->form == HO_FORM_NEVER_ENTERS;
    ho_judge_say(g, "%s never enters %s", g->x->host, g->x->state);
    int err = walk(g, &s);
    ho_groups_free(&s.names);
    free(s.conn);
    return err;
}

/* ---- letting go ------------------------------------------------------------------------------ */

/* True once nobody waits in this state: the process has closed, or the kernel has given up. */
static bool is_over(const char *state)
{
    static const char *const open[] = { "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED",
                                        "CLOSE-WAIT" };

    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        if (strcmp(state, open[i]) == 0) {
            return false;
        }
    }
    return true;
}

void ho_judge_lets_go(struct ho_judge *g)
{
    char at[HO_JUDGE_TIME];

    ho_judge_say(g, "%s does not let go", g->x->host);
    for (size_t i = 0; i < g->tl->n && !g->j->met; i++) {
        const struct ho_record *r = &g->tl->rec[i];
        bool ends = r->kind == HO_REC_APP && strcmp(r->u.app.call, "exit") == 0;
        bool leaves = r->kind == HO_REC_SOCK && is_over(r->u.sock.state);

        if ((ends || leaves) && ho_judge_about(g->x, r) && !is_anothers(g, r)) {
            ho_judge_say(g, "%s %s at %s", r->host, ends ? "exits" : r->u.sock.state,
                         ho_judge_time(r->t, at));
            g->j->met = ho_judge_in(g->x, r->t);
        }
    }
}
