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
    struct ho_finding findings[HO_FINDINGS_MAX];
    size_t n_findings;
};

struct ho_diagnosis {
    const struct ho_scan *scan;
    struct ho_diagnosis_conn *conns; /* one for each of the scan */
    struct ho_finding (*host_findings)[HO_FINDINGS_MAX];
    size_t *n_host_findings; /* one for each host of the scan */
    size_t found[HO_FINDING_COUNT];
    size_t never_idle, unknown_idle, in_trouble; /* connections */
    enum ho_severity worst;                      /* INFO without any */
    bool any;                                    /* there is a finding */
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
    bool colour;    /* text */
    bool all;       /* text, markdown: connections without a finding as well */
    unsigned width; /* text: columns; 0: 80 */
};

/* Fills `out`. */
void ho_report(struct ho_text *out, enum ho_report_form form, const struct ho_diagnosis *d,
               const struct ho_report_options *o);

int ho_report_form_find(const char *word); /* -1: none */

#endif
