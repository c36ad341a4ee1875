/* Plays a scenario's text on the model, for tests: everything that a test looks at in one struct.
 */

#ifndef HO_TESTS_MODEL_PLAY_H
#define HO_TESTS_MODEL_PLAY_H

#include "model/model.h"
#include "model/ranges.h"
#include "scenario/runner.h"

struct model_play {
    struct ho_scn *scn;
    struct ho_plan *plan;
    struct ho_timeline tl;
    struct ho_run_result result;
    struct ho_run_error why;
};

/* Reads and plans the first case of `text`; fails the test on a mistake. */
void model_plan(struct model_play *p, const char *text);

/* Plays what was planned. Returns ho_run()'s result; the test goes on whatever it is. */
int model_run(struct model_play *p);

/* Both, and fails the test if it cannot be played. */
void model_play(struct model_play *p, const char *text);

void model_play_free(struct model_play *p);

/* The timeline as JSON lines; free() it. */
char *model_lines(const struct model_play *p);

/* The verdict of a host's only side. */
const struct ho_verdict *model_verdict(const struct model_play *p, const char *host);

/* The number of records of that kind that host `host` has ("" for any). */
size_t model_count(const struct model_play *p, enum ho_rec_kind kind, const char *host);

#endif
