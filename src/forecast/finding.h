/* What is wrong with a connection, or with a host: findings with stable ids. One list,
 * forecast/finding.def, from which texts, JSON, docs/findings.md, `halfopen explain KA001` and the
 * tests come.
 */

#ifndef HO_FORECAST_FINDING_H
#define HO_FORECAST_FINDING_H

#include "forecast/outlook.h"

enum ho_severity {
    HO_SEVERITY_INFO,
    HO_SEVERITY_WARN,
    HO_SEVERITY_FAIL
};

/* finding.def: X(id, severity, title, when, why it matters, how to change it, a scenario) */
enum ho_finding_id {
#define X(id, severity, title, when, why, change, scenario) HO_FINDING_##id,
#include "forecast/finding.def"
#undef X
    HO_FINDING_COUNT
};

struct ho_finding_info {
    const char *id; /* "KA001" */
    enum ho_severity severity;
    const char *title;
    const char *when; /* what makes it, in terms of settings and states */
    const char *why, *change;
    const char *scenario; /* of the catalogue */
};

const struct ho_finding_info *ho_finding_info(enum ho_finding_id id);

/* The finding of that id, case ignored. Returns it; -1 if there is none. */
int ho_finding_find(const char *id);

const char *ho_severity_word(enum ho_severity severity); /* "info", "warn", "fail" */
int ho_severity_find(const char *word);                  /* -1: none */

/* What the user knows and the machine does not say. */
struct ho_finding_rules {
    int64_t middlebox_s; /* a box on the way forgets a flow idle for so long; 0: none is known */
};

/* A finding, and the numbers that made it ("keepalive 7200 s, the middlebox forgets after 350 s").
 */
struct ho_finding {
    enum ho_finding_id id;
    char detail[120];
};

#define HO_FINDINGS_MAX 8 /* of one connection */

/* The findings of one connection, in the order of the list. Returns how many. */
size_t ho_findings_conn(const struct ho_conn *c, const struct ho_conn_host *h,
                        const struct ho_outlook *o, const struct ho_finding_rules *rules,
                        struct ho_finding ret[HO_FINDINGS_MAX]);

/* Those of a namespace, compared with the settings of the first one (`first` may be `h`): SY001 and
 * its like. Returns how many.
 */
size_t ho_findings_host(const struct ho_conn_host *h, const struct ho_conn_host *first,
                        struct ho_finding ret[HO_FINDINGS_MAX]);

#endif
