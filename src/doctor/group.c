/* Which connections of a diagnosis belong together. See report.h. */

#include "doctor/group.h"

#include <errno.h>
#include <stdlib.h>

#include "doctor/group_kind.h"

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

uint16_t ho_group_port(const struct ho_conn *c)
{
    return c->rport < c->lport ? c->rport : c->lport;
}

/* ---- which comes first ----------------------------------------------------------------------- */

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

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
    g->port = ho_group_port(ho_group_conn(d, first));
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

/* Those of a kind lie together, in the order of the scan. */
static void part(struct ho_diagnosis *d, const struct ho_group_kinds *k, struct rank *ranks)
{
    size_t at = 0;

    for (size_t i = 0; i < k->n; i++) {
        ranks[i].g = (struct ho_diagnosis_group){ .conns = d->order + at };
        at += k->size[i];
    }
    for (uint32_t i = 0; i < d->scan->n_conns; i++) {
        struct ho_diagnosis_group *g = &ranks[k->of_conn[i]].g;

        d->order[(size_t)(g->conns - d->order) + g->n++] = i;
    }
    for (size_t i = 0; i < k->n; i++) {
        const struct ho_diagnosis_conn *c = ho_group_first(d, &ranks[i].g);

        ranks[i].trouble = c->outlook.trouble != HO_TROUBLE_NONE;
        ranks[i].severity = severity_of(c);
        ranks[i].never = c->outlook.idle.kind == HO_OUTLOOK_NEVER;
    }
}

int ho_groups_make(struct ho_diagnosis *d)
{
    struct ho_group_kinds k = { .n = 0 };
    struct rank *ranks = NULL;
    int err = ho_group_kinds_make(&k, d);

    if (err != 0) {
        return err;
    }
    ranks = calloc(k.n + 1, sizeof(*ranks));
    d->groups = malloc((k.n + 1) * sizeof(*d->groups));
    d->order = calloc(d->scan->n_conns + 1, sizeof(*d->order));
    if (ranks == NULL || d->groups == NULL || d->order == NULL) {
        err = -ENOMEM;
        goto done;
    }
    part(d, &k, ranks);
    qsort(ranks, k.n, sizeof(*ranks), compare_ranks);
    d->n_groups = k.n;
    for (size_t i = 0; i < k.n; i++) {
        d->groups[i] = ranks[i].g;
        fill(d, &d->groups[i]);
    }
done:
    free(ranks);
    ho_group_kinds_free(&k);
    return err;
}
