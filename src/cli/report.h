/* What `halfopen run` prints of its plays. */

#ifndef HO_CLI_REPORT_H
#define HO_CLI_REPORT_H

#include "cli/play.h"

#define HO_REPORT_TEXT 48 /* bytes of a text in it, with the final 0 */

/* What is known at the end; of one play, or the sum of several. Plain memory: it can be handed from
 * process to process.
 */
struct ho_report {
    size_t plays, not_here; /* cases played; cases that this engine cannot play */
    size_t not_judged;      /* of the cases played: their settings were changed */
    size_t expectations, failed;
    int64_t simulated_ns;
    /* Of the first case, for the last line. */
    uint64_t seed;
    uint32_t hz;
    char profile[HO_REPORT_TEXT];
    char kernel[HO_REPORT_TEXT]; /* "6.18.44"; "" for the model */
    uint64_t records;
};

/* What one play adds. */
void ho_report_count(struct ho_report *ret, const struct ho_play *p);
void ho_report_add(struct ho_report *sum, const struct ho_report *one);

/* The table for people: one case, and the lines at the end. */
void ho_report_case(struct ho_text *out, const struct ho_play *p, bool colour);
void ho_report_end(struct ho_text *out, const struct ho_report *r, const struct ho_run_options *o,
                   bool colour);

/* One JSON document: its beginning, each case, its end; a comma and a line's end stand between two
 * cases. With `wall_ns` below 0 it says nothing about speed. `failed` is a play that broke off.
 */
void ho_report_json_begin(struct ho_text *out);
void ho_report_json_case(struct ho_text *out, const struct ho_play *p);
void ho_report_json_failed(struct ho_text *out, const char *name, const char *engine,
                           const char *why);
void ho_report_json_end(struct ho_text *out, const struct ho_report *r, int64_t wall_ns);

/* TAP, version 14 (testanything.org): a play is a test with the number `number`, its expectations
 * are its subtest; what was found stands in a YAML block.
 */
void ho_report_tap_begin(struct ho_text *out);
void ho_report_tap_case(struct ho_text *out, const struct ho_play *p, size_t number);
void ho_report_tap_failed(struct ho_text *out, const char *name, size_t number, const char *why);
void ho_report_tap_end(struct ho_text *out, size_t count);

/* JUnit's XML, as the readers of Jenkins, GitLab and GitHub understand it: a play is a suite, an
 * expectation is a case of it; one without expectations is one case. The document is `cases`, the
 * texts of all plays, in the frame of ho_report_junit().
 */
struct ho_report_units {
    size_t tests, failures, errors, skipped;
};

void ho_report_units_add(struct ho_report_units *sum, const struct ho_report_units *one);
void ho_report_junit_case(struct ho_text *out, const struct ho_play *p,
                          struct ho_report_units *ret_units);
void ho_report_junit_failed(struct ho_text *out, const char *name, const char *why,
                            struct ho_report_units *ret_units);
void ho_report_junit(struct ho_text *out, const struct ho_text *cases, const struct ho_report *r,
                     const struct ho_report_units *units);

/* "kept", "failed" and so on in colour where `colour` says so. */
void ho_report_paint(struct ho_text *out, const char *text, const char *code, bool colour);

#endif
