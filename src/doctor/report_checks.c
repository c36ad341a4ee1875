/* The diagnosis for CI services: each finding of the list is a check that fails if it was found
 * and is at least as severe as was asked for.
 */

#include <string.h>

#include "doctor/checks.h"
#include "doctor/group.h"

#define LINES_MAX 20 /* groups named under a finding */

/* A check and the texts that it points to. */
struct made {
    struct ho_text name[HO_FINDING_COUNT], found[HO_FINDING_COUNT], lines[HO_FINDING_COUNT];
    struct ho_check checks[HO_FINDING_COUNT];
};

/* The finding of that id of the group; NULL. */
static const struct ho_finding *finding_of(const struct ho_diagnosis_conn *c, int id)
{
    for (size_t i = 0; i < c->n_findings; i++) {
        if ((int)c->findings[i].id == id) {
            return &c->findings[i];
        }
    }
    return NULL;
}

static void put_hosts(struct ho_text *lines, const struct ho_diagnosis *d, int id)
{
    for (size_t i = 0; i < d->scan->n_hosts; i++) {
        for (size_t k = 0; k < d->n_host_findings[i]; k++) {
            if ((int)d->host_findings[i][k].id == id) {
                ho_group_put_netns(lines, &d->scan->hosts[i]);
                ho_text_printf(lines, ": %s\n", d->host_findings[i][k].detail);
            }
        }
    }
}

static void put_groups(struct ho_text *lines, const struct ho_diagnosis *d, int id)
{
    size_t shown = 0, more = 0;

    for (size_t i = 0; i < d->n_groups; i++) {
        const struct ho_finding *f = finding_of(ho_group_first(d, &d->groups[i]), id);

        if (f != NULL && shown == LINES_MAX) {
            more += d->groups[i].n;
        } else if (f != NULL) {
            ho_group_put_name(lines, d, &d->groups[i]);
            ho_text_printf(lines, ": %s\n", f->detail);
            shown++;
        }
    }
    if (more > 0) {
        ho_text_put(lines, "and ");
        ho_group_put_count(lines, more, "connection");
        ho_text_put(lines, " more\n");
    }
}

static void make(struct made *m, const struct ho_diagnosis *d, const struct ho_report_options *o)
{
    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        const struct ho_finding_info *info = ho_finding_info((enum ho_finding_id)i);

        ho_text_printf(&m->name[i], "%s %s", info->id, info->title);
        if (d->found[i] > 0) {
            ho_text_printf(&m->found[i], "%s, %zu times", ho_severity_word(info->severity),
                           d->found[i]);
            put_hosts(&m->lines[i], d, i);
            put_groups(&m->lines[i], d, i);
        }
        m->checks[i] = (struct ho_check){
            .name = ho_text_str(&m->name[i]),
            .ok = d->found[i] == 0 || info->severity < o->fail_on,
            .found = ho_text_str(&m->found[i]),
            .lines = ho_text_str(&m->lines[i]),
        };
    }
}

static void end(struct ho_text *out, struct made *m)
{
    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        ho_text_end_part(out, &m->name[i]);
        ho_text_end_part(out, &m->found[i]);
        ho_text_end_part(out, &m->lines[i]);
    }
}

void ho_report_tap(struct ho_text *out, const struct ho_diagnosis *d,
                   const struct ho_report_options *o)
{
    struct made m = { 0 };

    make(&m, d, o);
    ho_checks_tap(out, m.checks, HO_FINDING_COUNT);
    end(out, &m);
}

void ho_report_junit_findings(struct ho_text *out, const struct ho_diagnosis *d,
                              const struct ho_report_options *o)
{
    struct made m = { 0 };

    make(&m, d, o);
    ho_checks_junit(out, "doctor", m.checks, HO_FINDING_COUNT);
    end(out, &m);
}
