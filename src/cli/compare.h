/* `halfopen compare`: its two forms, and what they share. */

#ifndef HO_CLI_COMPARE_H
#define HO_CLI_COMPARE_H

#include "cli/options.h"
#include "cli/plays.h"
#include "cli/twin.h"
#include "timeline/compare.h"
#include "timeline/join.h"

#define HO_COMPARE_SCHEMA 1 /* of the JSON documents */

/* Two timelines: o->names[0] and [1]. Returns the exit code. */
int ho_compare_files(const struct ho_run_options *o);

/* Scenarios, each played on several engines. Returns the exit code. */
int ho_compare_engines(const struct ho_run_options *o);

/* ---- one case of a scenario (compare_case.c) ---------------------------------------------------
 */

#define HO_COMPARE_KERNELS 2 /* engines that are a kernel: kernel, virtual-kernel */

/* A case as one kernel played it. */
struct ho_compare_play {
    bool there;  /* it was handed back; otherwise it is left out */
    bool played; /* false: `why` says what this engine cannot */
    struct ho_text why;
    struct ho_timeline tl;
    struct ho_twin_draws draws;
};

/* What plays add up to, for one side of the comparison. */
struct ho_compare_sum {
    size_t plays, agree;             /* compared; of these */
    size_t events, steps;            /* of the plays that agree: .. */
    int64_t worst_ns, worst_step_ns; /* .. how far apart */
    char release[64];                /* "6.18" */
};

struct ho_compare_result {
    bool compared, alike; /* alike: on every side */
    struct ho_compare_sum side[HO_COMPARE_KERNELS];
};

/* Plays a case on the model as each kernel's twin, if o->engines has the model, and compares;
 * appends the report in the options' format. kernel[0] is of engine kernel, kernel[1] of
 * virtual-kernel; one that is not `there` is left out, and one that could not be played is told of.
 * With the model at least one must be there; without it the first kernel is what the second is
 * compared with.
 *
 * Returns HO_EXIT_OK, also when nothing could be compared; otherwise has said what was wrong.
 */
int ho_compare_case(struct ho_text *out, struct ho_compare_result *ret,
                    const struct ho_run_options *o, const struct ho_plays_item *item,
                    const struct ho_compare_play kernel[HO_COMPARE_KERNELS]);

/* ---- as JSON (compare_rows.c) ------------------------------------------------------------------
 */

/* ,"events":.. up to the end of "rows":[..], for an object that goes on. */
void ho_compare_json_rows(struct ho_text *out, const struct ho_comparison *c, bool differences);
void ho_compare_json_row(struct ho_text *out, const struct ho_compare_row *r);

/* "rows":[..] of a join. */
void ho_compare_json_join(struct ho_text *out, const struct ho_join *j, bool differences);

#endif
