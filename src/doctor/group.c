/* Which connections of a diagnosis belong together. See report.h. */

#include "doctor/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A connection to be sorted. */
struct entry {
    const struct ho_diagnosis *d;
    uint32_t i;
};

const struct ho_conn *ho_group_conn(const struct ho_diagnosis *d, uint32_t i)
{
    return &d->scan->conns[i];
}

const struct ho_outlook *ho_group_outlook(const struct ho_diagnosis *d, uint32_t i)
{
    return &d->conns[i].outlook;
}

const struct ho_conn_host *ho_group_host(const struct ho_diagnosis *d, uint32_t i)
{
    return &d->scan->hosts[d->scan->conns[i].host];
}

const struct ho_conn_owner *ho_group_owner(const struct ho_diagnosis *d, uint32_t i)
{
    uint32_t owner = d->scan->conns[i].owner;

    return owner < d->scan->n_owners ? &d->scan->owners[owner] : NULL;
}

const struct ho_diagnosis_conn *ho_group_first(const struct ho_diagnosis *d,
                                               const struct ho_diagnosis_group *g)
{
    return &d->conns[g->conns[0]];
}

bool ho_group_speaks(const struct ho_diagnosis *d, const struct ho_diagnosis_group *g)
{
    const struct ho_diagnosis_conn *c = ho_group_first(d, g);

    return c->n_findings > 0 || c->outlook.trouble != HO_TROUBLE_NONE;
}

enum ho_group_end ho_group_end(const struct ho_conn *c)
{
    return c->rport < c->lport ? HO_GROUP_TO : HO_GROUP_ON;
}

static uint16_t service(const struct ho_conn *c)
{
    return c->rport < c->lport ? c->rport : c->lport;
}

/* ---- what is the same ------------------------------------------------------------------------ */

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_owner(const struct ho_conn_owner *a, const struct ho_conn_owner *b)
{
    if (a == NULL || b == NULL) {
        return (a != NULL) - (b != NULL);
    }
    int r = strcmp(a->name, b->name);

    return r != 0 ? r : strcmp(a->container, b->container);
}

/* The settings that the verdicts come from; what is not known is the same as what is not known. */
static int by_settings(const struct ho_conn *a, const struct ho_conn *b)
{
    int r = order((int64_t)a->keepalive_known, (int64_t)b->keepalive_known);

    if (r == 0 && a->keepalive_known != HO_KNOWN_UNKNOWN) {
        r = order(a->keepalive, b->keepalive);
    }
    r = r != 0 ? r : order((int64_t)a->options_known, (int64_t)b->options_known);
    if (r != 0 || a->options_known == HO_KNOWN_UNKNOWN) {
        return r;
    }
    r = order(a->keepidle_s, b->keepidle_s);
    r = r != 0 ? r : order(a->keepintvl_s, b->keepintvl_s);
    r = r != 0 ? r : order(a->keepcnt, b->keepcnt);
    return r != 0 ? r : order(a->user_timeout_ms, b->user_timeout_ms);
}

static int by_verdict(const struct ho_diagnosis_conn *a, const struct ho_diagnosis_conn *b)
{
    const struct ho_outlook *p = &a->outlook, *q = &b->outlook;
    int r = order((int64_t)p->trouble, (int64_t)q->trouble);

    r = r != 0 ? r : order((int64_t)p->idle.kind, (int64_t)q->idle.kind);
    r = r != 0 ? r : order((int64_t)p->idle.knob, (int64_t)q->idle.knob);
    r = r != 0 ? r : order((int64_t)p->busy.kind, (int64_t)q->busy.kind);
    r = r != 0 ? r : order((int64_t)p->busy.knob, (int64_t)q->busy.knob);
    r = r != 0 ? r : order((int64_t)p->end.kind, (int64_t)q->end.kind);
    r = r != 0 ? r : order((int64_t)a->n_findings, (int64_t)b->n_findings);
    for (size_t i = 0; i < a->n_findings && r == 0; i++) {
        r = order((int64_t)a->findings[i].id, (int64_t)b->findings[i].id);
    }
    return r;
}

static int by_group(const struct entry *a, const struct entry *b)
{
    const struct ho_conn *p = ho_group_conn(a->d, a->i), *q = ho_group_conn(b->d, b->i);
    int r = order(p->host, q->host);

    r = r != 0 ? r : order(service(p), service(q));
    r = r != 0 ? r : order((int64_t)ho_group_end(p), (int64_t)ho_group_end(q));
    r = r != 0 ? r : order(p->state, q->state);
    r = r != 0 ? r : order(p->inode == 0, q->inode == 0);
    r = r != 0 ? r : by_owner(ho_group_owner(a->d, a->i), ho_group_owner(b->d, b->i));
    r = r != 0 ? r : by_settings(p, q);
    return r != 0 ? r : by_verdict(&a->d->conns[a->i], &b->d->conns[b->i]);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *p = a, *q = b;
    int r = by_group(p, q);

    return r != 0 ? r : order(p->i, q->i);
}

/* ---- which comes first ----------------------------------------------------------------------- */

static int severity_of(const struct ho_diagnosis_conn *c)
{
    int worst = -1;

    for (size_t i = 0; i < c->n_findings; i++) {
        int severity = (int)ho_finding_info(c->findings[i].id)->severity;

        worst = severity > worst ? severity : worst;
    }
    return worst;
}

/* A group to be sorted: what makes it speak comes first, then what it has of everything else. */
struct rank {
    struct ho_diagnosis_group g;
    int trouble, severity, never;
};

static int compare_ranks(const void *a, const void *b)
{
    const struct rank *p = a, *q = b;
    int r = order(q->trouble, p->trouble);

    r = r != 0 ? r : order(q->severity, p->severity);
    r = r != 0 ? r : order(q->never, p->never);
    r = r != 0 ? r : order((int64_t)q->g.n, (int64_t)p->g.n);
    return r != 0 ? r : order(p->g.conns[0], q->g.conns[0]);
}

/* The connection with the soonest answer among those seen so far, and with the latest. */
static void extremes(const struct ho_outlook_answer *a, const struct ho_outlook_answer *first,
                     const struct ho_outlook_answer *last, uint32_t i, uint32_t *ret_first,
                     uint32_t *ret_last)
{
    if (a->min_ns < first->min_ns) {
        *ret_first = i;
    }
    if (a->max_ns > last->max_ns) {
        *ret_last = i;
    }
}

static void fill(const struct ho_diagnosis *d, struct ho_diagnosis_group *g)
{
    uint32_t first = g->conns[0];
    const struct ho_conn_owner *owner = ho_group_owner(d, first);

    g->end = ho_group_end(ho_group_conn(d, first));
    g->port = service(ho_group_conn(d, first));
    g->same_process = owner != NULL;
    g->idle_first = g->idle_last = g->busy_first = g->busy_last = first;
    g->end_first = g->end_last = first;
    for (size_t k = 1; k < g->n; k++) {
        uint32_t i = g->conns[k];
        const struct ho_outlook *o = ho_group_outlook(d, i);

        g->same_process = g->same_process && ho_group_owner(d, i)->pid == owner->pid;
        extremes(&o->idle, &ho_group_outlook(d, g->idle_first)->idle,
                 &ho_group_outlook(d, g->idle_last)->idle, i, &g->idle_first, &g->idle_last);
        extremes(&o->busy, &ho_group_outlook(d, g->busy_first)->busy,
                 &ho_group_outlook(d, g->busy_last)->busy, i, &g->busy_first, &g->busy_last);
        extremes(&o->end, &ho_group_outlook(d, g->end_first)->end,
                 &ho_group_outlook(d, g->end_last)->end, i, &g->end_first, &g->end_last);
    }
}

/* ---- making them ----------------------------------------------------------------------------- */

static size_t count_groups(const struct entry *e, size_t n)
{
    size_t groups = n > 0;

    for (size_t i = 1; i < n; i++) {
        groups += by_group(&e[i - 1], &e[i]) != 0;
    }
    return groups;
}

static void cut(struct ho_diagnosis *d, const struct entry *e, size_t n, struct rank *ranks)
{
    size_t at = 0;

    for (size_t i = 0, start = 0; i < n; i++) {
        d->order[i] = e[i].i;
        if (i + 1 == n || by_group(&e[i], &e[i + 1]) != 0) {
            struct rank *r = &ranks[at++];
            const struct ho_diagnosis_conn *c = &d->conns[d->order[start]];

            r->g = (struct ho_diagnosis_group){ .conns = d->order + start, .n = i + 1 - start };
            r->trouble = c->outlook.trouble != HO_TROUBLE_NONE;
            r->severity = severity_of(c);
            r->never = c->outlook.idle.kind == HO_OUTLOOK_NEVER;
            start = i + 1;
        }
    }
}

int ho_groups_make(struct ho_diagnosis *d)
{
    size_t n = d->scan->n_conns;
    struct entry *entries = malloc((n + 1) * sizeof(*entries));
    struct rank *ranks = NULL;
    int err = -ENOMEM;

    d->order = malloc((n + 1) * sizeof(*d->order));
    if (entries == NULL || d->order == NULL) {
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        entries[i] = (struct entry){ .d = d, .i = (uint32_t)i };
    }
    qsort(entries, n, sizeof(*entries), compare_entries);
    d->n_groups = count_groups(entries, n);
    ranks = malloc((d->n_groups + 1) * sizeof(*ranks));
    d->groups = malloc((d->n_groups + 1) * sizeof(*d->groups));
    if (ranks == NULL || d->groups == NULL) {
        goto done;
    }
    cut(d, entries, n, ranks);
    qsort(ranks, d->n_groups, sizeof(*ranks), compare_ranks);
    for (size_t i = 0; i < d->n_groups; i++) {
        d->groups[i] = ranks[i].g;
        fill(d, &d->groups[i]);
    }
    err = 0;
done:
    free(ranks);
    free(entries);
    return err;
}
