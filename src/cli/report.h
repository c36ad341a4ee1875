/* What `halfopen run` prints of its plays. */

#ifndef HO_CLI_REPORT_H
#define HO_CLI_REPORT_H

#include "cli/play.h"

/* What is known at the end. */
struct ho_report {
    size_t plays, not_here; /* cases played; cases that this engine cannot play */
    size_t not_judged;      /* of the cases played: their settings were changed */
    size_t expectations, failed;
    int64_t simulated_ns;
    /* Of the first case, for the last line. */
    uint64_t seed;
    uint32_t hz;
    const char *profile;
    uint64_t records;
};

void ho_report_count(struct ho_report *r, const struct ho_play *p);

/* The table for people: one case, and the lines at the end. */
void ho_report_case(struct ho_text *out, const struct ho_play *p, bool colour);
void ho_report_end(struct ho_text *out, const struct ho_report *r, const struct ho_run_options *o,
                   bool colour);

/* One JSON document: its beginning, each case (`first` without a comma before it), its end. With
 * `wall_ns` below 0 it says nothing about speed.
 */
void ho_report_json_begin(struct ho_text *out);
void ho_report_json_case(struct ho_text *out, const struct ho_play *p, bool first);
void ho_report_json_end(struct ho_text *out, const struct ho_report *r, int64_t wall_ns);

/* "kept", "failed" and so on in colour where `colour` says so. */
void ho_report_paint(struct ho_text *out, const char *text, const char *code, bool colour);

#endif
