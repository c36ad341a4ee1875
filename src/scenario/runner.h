/* Plays a plan on an engine: walks its steps over the engine's verbs, then judges. */

#ifndef HO_SCENARIO_RUNNER_H
#define HO_SCENARIO_RUNNER_H

#include "scenario/engine.h"
#include "scenario/expect.h"
#include "timeline/record.h"
#include "timeline/verdict.h"

struct ho_run_result {
    struct ho_verdicts verdicts;
    struct ho_judgement *judgements; /* plan->expect_count of them */
    size_t judgement_count, failed;  /* failed: how many are not met */
};

/* Why a play could not go on: the line of the step (0: none in particular) and a sentence. */
struct ho_run_error {
    unsigned line;
    char text[480];
};

/* Plays `plan` on `engine`, which must be fresh, into `timeline`, which must be empty. The plan,
 * its scenario and the timeline must outlive the result.
 *
 * Returns 0, with *ret to be given to ho_run_result_free(); 0 says that it was played, not that
 * its expectations were met: see `failed`. -ENOTSUP: this engine cannot play it; -EINVAL: a
 * step makes no sense; -ENOMEM; any other error of the engine: *ret_error says why. On failure
 * *ret is untouched; the timeline holds what happened until then.
 */
int ho_run(struct ho_run_result *ret, const struct ho_plan *plan, const struct ho_engine *engine,
           struct ho_timeline *timeline, struct ho_run_error *ret_error);

/* Gives one step to its verb of the engine, now, and returns what the verb does. For those who
 * walk a plan themselves.
 */
int ho_run_step(const struct ho_engine *engine, const struct ho_step *step);

/* Frees what the result holds, not the struct. NULL is ignored. */
void ho_run_result_free(struct ho_run_result *r);

#endif
