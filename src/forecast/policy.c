/* Policies: read into rules, and asked of connections. See forecast/policy.h for the language.
 *
 * A line is a list of words; a rule is read by looking at one word after the other. Every word that
 * could stand at a place is remembered while it is tried, so that a mistake can say what was
 * expected and what was perhaps meant.
 */

#include "forecast/policy.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forecast/policy_read.h"

#define WHY_SIZE 120

struct policy_line {
    struct policy_rule rule;
    char *text; /* without blanks around, and comment */
    unsigned line;
};

struct ho_policy {
    struct policy_line *lines;
    size_t n;
    bool allow_unknown;
};

void ho_policy_free(struct ho_policy *p)
{
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < p->n; i++) {
        free(p->lines[i].text);
    }
    free(p->lines);
    free(p);
}

size_t ho_policy_rules(const struct ho_policy *p)
{
    return p->n;
}

const char *ho_policy_rule_text(const struct ho_policy *p, size_t rule)
{
    return p->lines[rule].text;
}

unsigned ho_policy_rule_line(const struct ho_policy *p, size_t rule)
{
    return p->lines[rule].line;
}

/* ---- a file ---------------------------------------------------------------------------------- */

static int add_rule(struct ho_policy *p, const struct policy_rule *rule, const char *text,
                    size_t len, unsigned line)
{
    struct policy_line *more = realloc(p->lines, (p->n + 1) * sizeof(*more));

    if (more == NULL) {
        return -ENOMEM;
    }
    p->lines = more;
    struct policy_line *l = &more[p->n];

    *l = (struct policy_line){ .rule = *rule, .text = malloc(len + 1), .line = line };
    if (l->text == NULL) {
        return -ENOMEM;
    }
    memcpy(l->text, text, len);
    l->text[len] = '\0';
    p->n++;
    return 0;
}

static int read_line(struct ho_policy *p, struct policy_words *w)
{
    struct policy_rule rule = { .kind = POLICY_NEED };
    const struct policy_word *first, *last;
    int err;

    if (w->n == 0) {
        return 0;
    }
    err = policy_read(w, &rule, &p->allow_unknown);
    if (err != 0 || rule.kind == POLICY_NO_RULE) {
        return err;
    }
    if (p->n == HO_POLICY_RULES_MAX) {
        return policy_refuse(w, 1, "more than %d rules", HO_POLICY_RULES_MAX);
    }
    first = &w->word[0];
    last = &w->word[w->n - 1];
    return add_rule(p, &rule, first->at, (size_t)(last->at - first->at) + last->len, w->line);
}

int ho_policy_parse(struct ho_policy **ret, const char *file, const char *text, size_t len,
                    struct ho_policy_error *e)
{
    struct ho_policy *p = calloc(1, sizeof(*p));
    struct policy_words w = { .file = file, .e = e };
    const char *at = text, *end = text + len;
    int err = p == NULL ? -ENOMEM : 0;

    while (err == 0 && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop != NULL ? stop : end) - at);

        w.line++;
        err = policy_split(&w, at, n);
        err = err == 0 ? read_line(p, &w) : err;
        at += n + (stop != NULL ? 1 : 0);
    }
    if (err != 0) {
        ho_policy_free(p);
        return err;
    }
    *ret = p;
    return 0;
}

/* ---- which connections ----------------------------------------------------------------------- */

static bool is_in(const struct policy_ports *p, uint16_t port)
{
    return !p->set || (port >= p->first && port <= p->last);
}

static bool is_of(const struct policy_net *n, const struct ho_addr *addr)
{
    return !n->set || ho_addr_in(addr, &n->net, n->bits);
}

static bool is_about(const struct policy_rule *r, const struct ho_conn *c,
                     const struct ho_conn_owner *owner)
{
    const char *name = owner != NULL ? owner->name : "";
    const char *container = owner != NULL ? owner->container : "";

    return is_in(&r->to, c->rport) && is_in(&r->from, c->lport) && is_of(&r->to_net, &c->remote) &&
           is_of(&r->from_net, &c->local) && (r->state < 0 || r->state == c->state) &&
           (r->process[0] == '\0' || strcmp(r->process, name) == 0) &&
           (r->container[0] == '\0' || strcmp(r->container, container) == 0);
}

/* ---- what they may --------------------------------------------------------------------------- */

struct asking {
    const struct ho_policy *p;
    const struct policy_rule *r;
    const struct ho_outlook *o;
    char *why;
};

static enum ho_policy_answer broken(const struct asking *q, struct ho_text *words)
{
    const char *s = ho_text_str(words);

    snprintf(q->why, WHY_SIZE, "%s", s);
    ho_text_free(words);
    return HO_POLICY_BROKEN;
}

static enum ho_policy_answer unknown(const struct asking *q, const char *what)
{
    if (q->p->allow_unknown) {
        return HO_POLICY_KEPT;
    }
    snprintf(q->why, WHY_SIZE, "%s: unknown", what);
    return HO_POLICY_BROKEN;
}

static enum ho_policy_answer ask_need(const struct asking *q, const char *what,
                                      const struct ho_outlook_answer *a)
{
    struct ho_text words = { 0 };

    switch (a->kind) {
    case HO_OUTLOOK_NONE:
        return HO_POLICY_NO_QUESTION;
    case HO_OUTLOOK_UNKNOWN:
        return unknown(q, what);
    case HO_OUTLOOK_NEVER:
        ho_text_printf(&words, "%s: never", what);
        return broken(q, &words);
    default:
        break;
    }
    if (a->max_ns <= q->r->limit_ns) {
        return HO_POLICY_KEPT;
    }
    ho_text_printf(&words, "%s: up to ", what);
    ho_text_dur(&words, ho_ns(a->max_ns));
    return broken(q, &words);
}

static enum ho_policy_answer need(const struct asking *q)
{
    enum ho_policy_answer idle = HO_POLICY_NO_QUESTION, busy = HO_POLICY_NO_QUESTION;

    if (q->r->idle) {
        idle = ask_need(q, "idle", &q->o->idle);
    }
    if (q->r->busy && idle != HO_POLICY_BROKEN) {
        busy = ask_need(q, "busy", &q->o->busy);
    }
    return idle > busy ? idle : busy;
}

static enum ho_policy_answer in_trouble(const struct asking *q)
{
    bool is = q->r->any_trouble ? q->o->trouble != HO_TROUBLE_NONE : q->o->trouble == q->r->trouble;
    struct ho_text words = { 0 };

    if (!is) {
        return HO_POLICY_KEPT;
    }
    if (q->r->limit_ns >= 0 && q->o->since_ns < 0) {
        return unknown(q, ho_trouble_word(q->o->trouble));
    }
    if (q->r->limit_ns >= 0 && q->o->since_ns <= q->r->limit_ns) {
        return HO_POLICY_KEPT;
    }
    ho_outlook_put_trouble(&words, q->o);
    return broken(q, &words);
}

static enum ho_policy_answer has_finding(const struct asking *q, const struct ho_finding *findings,
                                         size_t n)
{
    struct ho_text words = { 0 };

    for (size_t i = 0; i < n; i++) {
        if ((q->r->findings & (UINT64_C(1) << findings[i].id)) != 0) {
            ho_text_printf(&words, "%s: %s", ho_finding_info(findings[i].id)->id,
                           findings[i].detail);
            return broken(q, &words);
        }
    }
    return HO_POLICY_KEPT;
}

static enum ho_policy_answer in_state(const struct asking *q, const struct ho_conn *c)
{
    struct ho_text words = { 0 };

    if (q->r->must_not_be != c->state) {
        return HO_POLICY_KEPT;
    }
    ho_text_put(&words, ho_tcp_state_name((enum ho_tcp_state)c->state));
    return broken(q, &words);
}

enum ho_policy_answer ho_policy_ask(const struct ho_policy *p, size_t rule, const struct ho_conn *c,
                                    const struct ho_conn_owner *owner, const struct ho_outlook *o,
                                    const struct ho_finding *findings, size_t n_findings, char *why)
{
    const struct policy_rule *r = &p->lines[rule].rule;
    struct asking q = { .p = p, .r = r, .o = o };

    q.why = why;
    if (!is_about(r, c, owner)) {
        return HO_POLICY_NOT_ABOUT;
    }
    switch (r->kind) {
    case POLICY_NEED:
        return need(&q);
    case POLICY_FINDING:
        return has_finding(&q, findings, n_findings);
    case POLICY_STATE:
        return in_state(&q, c);
    default:
        return in_trouble(&q);
    }
}
