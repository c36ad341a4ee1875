/* `halfopen compare`: its two forms, and what they share. */

#ifndef HO_CLI_COMPARE_H
#define HO_CLI_COMPARE_H

#include "cli/options.h"
#include "timeline/compare.h"

#define HO_COMPARE_SCHEMA 1 /* of the JSON documents */

/* Two timelines: o->names[0] and [1]. Returns the exit code. */
int ho_compare_files(const struct ho_run_options *o);

/* Scenarios, each played on the model and on the kernel. Returns the exit code. */
int ho_compare_engines(const struct ho_run_options *o);

/* ,"events":.. up to the end of "rows":[..], for an object that goes on. */
void ho_compare_json_rows(struct ho_text *out, const struct ho_comparison *c, bool differences);
void ho_compare_json_row(struct ho_text *out, const struct ho_compare_row *r);

#endif
