/* Judging real commands: what they wrote, how they ended, which options their sockets really have.
 */

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/regex.h"
#include "scenario/judge.h"

/* The next app record of that call about the subject from `*i` on; NULL after the last. */
static const struct ho_record *next_app(const struct ho_judge *g, const char *call, size_t *i)
{
    while (*i < g->tl->n) {
        const struct ho_record *r = &g->tl->rec[(*i)++];
        if (r->kind == HO_REC_APP && !r->u.app.enter && strcmp(r->u.app.call, call) == 0 &&
            ho_judge_about(g->x, r)) {
            return r;
        }
    }
    return NULL;
}

void ho_judge_output(struct ho_judge *g)
{
    const struct ho_expect *x = g->x;
    const bool never = x->form == HO_FORM_NO_OUTPUT;
    const struct ho_record *r;
    struct ho_regex re;
    char at[HO_JUDGE_TIME];
    bool done = false;

    int err = ho_regex_compile(&re, x->pattern, NULL);
    assert(err == 0); /* the reader has tried it */
    g->j->met = never;
    ho_judge_say(g, "no output of %s matches", x->host);
    for (size_t i = 0; !done && (r = next_app(g, "output", &i)) != NULL;) {
        const char *line = r->u.app.detail;
        if (ho_regex_match(&re, line, strlen(line))) {
            ho_judge_say(g, "%s writes \"%.150s\" at %s", r->host, line, ho_judge_time(r->t, at));
            done = ho_judge_in(x, r->t);
            g->j->met = done != never;
        }
    }
}

static void say_exit(struct ho_judge *g, const struct ho_record *r)
{
    char at[HO_JUDGE_TIME];

    ho_judge_time(r->t, at);
    if (r->u.app.ret < 0) {
        ho_judge_say(g, "%s %s is ended by %s at %s", r->host, r->process, r->u.app.detail, at);
    } else {
        ho_judge_say(g, "%s %s exits with %lld at %s", r->host, r->process, (long long)r->u.app.ret,
                     at);
    }
}

void ho_judge_exits(struct ho_judge *g)
{
    const struct ho_expect *x = g->x;
    const bool never = x->form == HO_FORM_NEVER_EXITS;
    const struct ho_record *r;

    bool done = false;

    g->j->met = never;
    ho_judge_say(g, "%s never exits", x->host);
    for (size_t i = 0; !done && (r = next_app(g, "exit", &i)) != NULL;) {
        say_exit(g, r);
        done = never || (ho_judge_in(x, r->t) && (!x->has_status || r->u.app.ret == x->value));
        g->j->met = done && !never;
    }
}

/* True if a later record changes the same setting before the window. */
static bool is_past(const struct ho_judge *g, size_t i)
{
    const struct ho_record *r = &g->tl->rec[i];

    for (size_t k = i + 1; k < g->tl->n; k++) {
        const struct ho_record *n = &g->tl->rec[k];
        if (!ho_time_before(n->t, g->x->window.from)) {
            return false;
        }
        if (n->kind == HO_REC_SETTINGS && strcmp(n->u.settings.scope, "sockopt") == 0 &&
            strcmp(n->u.settings.name, r->u.settings.name) == 0 && strcmp(n->host, r->host) == 0 &&
            strcmp(n->process, r->process) == 0 && strcmp(n->conn, r->conn) == 0) {
            return true;
        }
    }
    return false;
}

/* The value of an option that nobody has set; false: there is no connection, or nobody knows. */
static bool default_value(const struct ho_judge *g, int64_t *ret)
{
    static const struct {
        const char *opt, *sysctl; /* NULL: 0 */
    } known[] = { { "SO_KEEPALIVE", NULL },
                  { "TCP_USER_TIMEOUT", NULL },
                  { "TCP_KEEPIDLE", "net.ipv4.tcp_keepalive_time" },
                  { "TCP_KEEPINTVL", "net.ipv4.tcp_keepalive_intvl" },
                  { "TCP_KEEPCNT", "net.ipv4.tcp_keepalive_probes" } };
    bool connected = false;

    for (size_t i = 0; i < g->tl->n && !connected; i++) {
        const struct ho_record *r = &g->tl->rec[i];
        connected = r->kind == HO_REC_SOCK && ho_judge_about(g->x, r) && r->process[0] != '\0' &&
                    strcmp(r->u.sock.state, "LISTEN") != 0;
    }
    for (size_t i = 0; connected && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].opt, g->x->opt) != 0) {
            continue;
        }
        const struct ho_record *r = known[i].sysctl != NULL
                                        ? ho_timeline_setting(g->tl, g->tl->n - 1, "sysctl",
                                                              g->x->host, "", known[i].sysctl)
                                        : NULL;
        *ret = r != NULL ? r->u.settings.value : 0;
        return r != NULL || known[i].sysctl == NULL;
    }
    return false;
}

void ho_judge_option(struct ho_judge *g)
{
    const struct ho_expect *x = g->x;
    char at[HO_JUDGE_TIME];
    bool any = false;
    int64_t value;

    ho_judge_say(g, "%s has no %s that is known", x->host, x->opt);
    for (size_t i = 0; i < g->tl->n && !g->j->met; i++) {
        const struct ho_record *r = &g->tl->rec[i];
        const struct ho_rec_settings *s = &r->u.settings;
        if (r->kind != HO_REC_SETTINGS || strcmp(s->scope, "sockopt") != 0 ||
            strcmp(s->name, x->opt) != 0 || !ho_judge_about(x, r)) {
            continue;
        }
        if (ho_time_before(x->window.to, r->t)) {
            break;
        }
        ho_judge_say(g, "%s has %s %lld from %s on", r->host, s->name, (long long)s->value,
                     ho_judge_time(r->t, at));
        g->j->met = s->text[0] == '\0' && s->value == x->value && !is_past(g, i);
        any = true;
    }
    if (!any && default_value(g, &value)) { /* only what differs from it is recorded */
        ho_judge_say(g, "%s has %s %lld, as nobody has set it", x->host, x->opt, (long long)value);
        g->j->met = value == x->value;
    }
}
