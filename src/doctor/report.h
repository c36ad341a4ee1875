/* What the doctor says of a scan: one diagnosis, and its forms.
 *
 * The diagnosis is computed once (outlooks, findings, counts); the forms only print it, so that
 * text, JSON, Markdown, Prometheus, TAP and JUnit cannot differ in what they say.
 */

#ifndef HO_DOCTOR_REPORT_H
#define HO_DOCTOR_REPORT_H

#include "base/text.h"
#include "doctor/scan.h"
#include "forecast/finding.h"
#include "forecast/policy.h"

struct ho_diagnosis_conn {
    struct ho_outlook outlook;
    const struct ho_finding *findings; /* n_findings of them, in the order of the list */
    size_t n_findings;
};

/* Which end of a connection is the service: the one with the lower port, as servers have it. */
enum ho_group_end {
    HO_GROUP_TO, /* the peer's: "of psql to :5432" */
    HO_GROUP_ON  /* ours: "of nginx on :80" */
};

/* Connections that differ in the peer and in numbers only: of one process's name, container,
 * service, state, settings, trouble and findings.
 */
struct ho_diagnosis_group {
    const uint32_t *conns; /* indices of the scan, in its order */
    size_t n;
    enum ho_group_end end;
    uint16_t port;     /* of the service */
    bool same_process; /* all are of one process */
    /* indices of those with the soonest and the latest answer */
    uint32_t idle_first, idle_last, busy_first, busy_last, end_first, end_last;
};

struct ho_diagnosis {
    const struct ho_scan *scan;
    struct ho_diagnosis_conn *conns; /* one for each of the scan */
    struct ho_finding (*host_findings)[HO_FINDINGS_MAX];
    size_t *n_host_findings;           /* one for each host of the scan */
    struct ho_diagnosis_group *groups; /* trouble first, then by severity, then the largest */
    size_t n_groups;
    size_t found[HO_FINDING_COUNT];              /* connections and hosts that have it */
    size_t never_idle, unknown_idle, in_trouble; /* connections */
    enum ho_severity worst;                      /* INFO without any */
    bool any;                                    /* there is a finding */

    struct ho_finding *all_findings; /* where those of the connections lie */
    uint32_t *order;                 /* where those of the groups lie */
};

/* Returns 0 with *ret to be freed before the scan; -ENOMEM. */
int ho_diagnose(struct ho_diagnosis *ret, const struct ho_scan *s,
                const struct ho_finding_rules *rules);
void ho_diagnosis_free(struct ho_diagnosis *d);

#define HO_REPORT_FORMS(X)      \
    X(TEXT, "text")             \
    X(JSON, "json")             \
    X(MARKDOWN, "markdown")     \
    X(PROMETHEUS, "prometheus") \
    X(TAP, "tap")               \
    X(JUNIT, "junit")

enum ho_report_form {
#define X(id, word) HO_REPORT_##id,
    HO_REPORT_FORMS(X)
#undef X
    HO_REPORT_FORM_COUNT
};

struct ho_report_options {
    bool colour;              /* text */
    bool all;                 /* text, markdown: connections without a finding as well */
    unsigned width;           /* text: columns; 0: 80 */
    enum ho_severity fail_on; /* tap, junit: from which severity on a finding fails */
};

/* Fills `out`. The bytes are a function of the diagnosis. Names from outside (processes,
 * containers) are printable in all of them (base/words.h).
 */
void ho_report(struct ho_text *out, enum ho_report_form form, const struct ho_diagnosis *d,
               const struct ho_report_options *o);

/* The same in pieces, so that who gives them out needs no room for the whole, which of 100,000
 * connections is 120 MB of JSON: appends the next piece to `out`. *at is 0 for the first and is
 * moved on. In JSON each connection is a piece; the other forms are one. Returns false with the
 * last one.
 */
bool ho_report_next(struct ho_text *out, enum ho_report_form form, const struct ho_diagnosis *d,
                    const struct ho_report_options *o, size_t *at);

int ho_report_form_find(const char *word); /* -1: none */

/* The object that the JSON form has for the connection of that index. */
void ho_report_json_conn(struct ho_text *out, const struct ho_diagnosis *d, uint32_t i);

#endif
