/* The diagnosis: outlooks and findings of every connection, counts, groups. See report.h. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/group.h"
#include "doctor/report.h"

/* The array of all connections' findings grows; pointers into it are set at the end. */
static int keep(struct ho_diagnosis *d, size_t *n, size_t *room, const struct ho_finding *f,
                size_t more)
{
    if (*n + more > *room) {
        size_t wanted = *room * 2 + 64;
        struct ho_finding *bigger = realloc(d->all_findings, wanted * sizeof(*bigger));

        if (bigger == NULL) {
            return -ENOMEM;
        }
        d->all_findings = bigger;
        *room = wanted;
    }
    if (more > 0) {
        memcpy(d->all_findings + *n, f, more * sizeof(*f));
    }
    *n += more;
    return 0;
}

static void count_finding(struct ho_diagnosis *d, const struct ho_finding *f)
{
    enum ho_severity severity = ho_finding_info(f->id)->severity;

    d->found[f->id]++;
    d->any = true;
    d->worst = severity > d->worst ? severity : d->worst;
}

static void count_conn(struct ho_diagnosis *d, const struct ho_outlook *o)
{
    d->never_idle += o->idle.kind == HO_OUTLOOK_NEVER;
    d->unknown_idle += o->idle.kind == HO_OUTLOOK_UNKNOWN;
    d->in_trouble += o->trouble != HO_TROUBLE_NONE;
}

static int diagnose_conns(struct ho_diagnosis *d, const struct ho_finding_rules *rules)
{
    const struct ho_scan *s = d->scan;
    size_t n = 0, room = 0;

    for (size_t i = 0; i < s->n_conns; i++) {
        struct ho_diagnosis_conn *c = &d->conns[i];
        const struct ho_conn_host *h = &s->hosts[s->conns[i].host];
        struct ho_finding f[HO_FINDINGS_MAX];

        ho_outlook(&s->conns[i], h, &c->outlook);
        c->n_findings = ho_findings_conn(&s->conns[i], h, &c->outlook, rules, f);
        count_conn(d, &c->outlook);
        for (size_t k = 0; k < c->n_findings; k++) {
            count_finding(d, &f[k]);
        }
        if (keep(d, &n, &room, f, c->n_findings) != 0) {
            return -ENOMEM;
        }
    }
    const struct ho_finding *at = d->all_findings;

    for (size_t i = 0; i < s->n_conns && at != NULL; i++) {
        d->conns[i].findings = at;
        at += d->conns[i].n_findings;
    }
    return 0;
}

static void diagnose_hosts(struct ho_diagnosis *d)
{
    const struct ho_scan *s = d->scan;

    for (size_t i = 0; i < s->n_hosts; i++) {
        d->n_host_findings[i] = ho_findings_host(&s->hosts[i], &s->hosts[0], d->host_findings[i]);
        for (size_t k = 0; k < d->n_host_findings[i]; k++) {
            count_finding(d, &d->host_findings[i][k]);
        }
    }
}

int ho_diagnose(struct ho_diagnosis *ret, const struct ho_scan *s,
                const struct ho_finding_rules *rules)
{
    struct ho_diagnosis d = { .scan = s };
    int err = -ENOMEM;

    /* calloc() of nothing may be NULL */
    d.conns = calloc(s->n_conns + 1, sizeof(*d.conns));
    d.host_findings = calloc(s->n_hosts + 1, sizeof(*d.host_findings));
    d.n_host_findings = calloc(s->n_hosts + 1, sizeof(*d.n_host_findings));
    if (d.conns != NULL && d.host_findings != NULL && d.n_host_findings != NULL) {
        diagnose_hosts(&d);
        err = diagnose_conns(&d, rules);
    }
    err = err == 0 ? ho_groups_make(&d) : err;
    if (err != 0) {
        ho_diagnosis_free(&d);
        return err;
    }
    *ret = d;
    return 0;
}

void ho_diagnosis_free(struct ho_diagnosis *d)
{
    if (d != NULL) {
        free(d->conns);
        free(d->host_findings);
        free(d->n_host_findings);
        free(d->groups);
        free(d->all_findings);
        free(d->order);
        memset(d, 0, sizeof(*d));
    }
}
