/* Any scenario, played on the model: whatever is read and planned can be played to its end or is
 * refused with a reason, and two plays give the same timeline.
 *
 * Bounds, so that an input takes milliseconds: the first case, two minutes of its time, few hosts,
 * few steps, few bytes a call.
 */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "model/ranges.h"
#include "scenario/runner.h"
#include "timeline/jsonl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NODES_MAX 8
#define STEPS_MAX 64
#define BYTES_MAX 200000
#define RECORDS_MAX 20000
#define DELAY_MIN_NS \
    1000 /* two programs that answer each other at once would never let time pass */

static const struct ho_time last = { 120 * HO_NS_PER_S };

/* Makes the plan small. Returns false if that cannot be. */
static bool bound(struct ho_plan *p)
{
    size_t steps = 0;

    if (p->node_count > NODES_MAX || p->step_count > STEPS_MAX) {
        return false;
    }
    for (size_t i = 0; i < p->cable_count; i++) {
        if (p->cables[i].delay.ns < DELAY_MIN_NS) {
            p->cables[i].delay.ns = DELAY_MIN_NS;
        }
    }
    while (steps < p->step_count && p->steps[steps].at.ns <= last.ns) {
        struct ho_step *s = &p->steps[steps++];

        if (s->kind == HO_STEP_CALL && s->u.call.bytes > BYTES_MAX) {
            s->u.call.bytes = BYTES_MAX;
        }
    }
    p->step_count = steps;
    if (ho_time_before(last, p->end)) {
        p->end = last;
    }
    return true;
}

/* Plays it; the timeline as text, NULL if it was refused. */
static char *play(const struct ho_plan *plan)
{
    struct ho_text lines = { 0 };
    struct ho_run_result result;
    struct ho_run_error why = { .text = "" };
    struct ho_timeline tl;
    struct ho_engine e;

    ho_timeline_init(&tl, RECORDS_MAX);
    if (ho_model_new(&e) != 0) {
        abort();
    }
    int err = ho_run(&result, plan, &e, &tl, &why);

    e.destroy(e.self);
    if (err == 0) {
        err = ho_verdicts_range(&tl, &result.verdicts);
        assert(err == 0);
        ho_run_result_free(&result);
        ho_jsonl_write(&lines, &tl, HO_JSONL_RAW);
        assert(ho_text_err(&lines) == 0);
    } else {
        assert(err == -EINVAL && why.text[0] != '\0');
    }
    ho_timeline_destroy(&tl);
    return lines.s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ho_plan_options options = { .engine = "model" };
    struct ho_plan *plan = NULL;
    struct ho_scn *scn = NULL;

    if (ho_scn_parse(&scn, "fuzz", (const char *)data, size, NULL) != 0) {
        return 0;
    }
    struct ho_scn_case first = ho_scn_case(scn, 0);

    if (ho_plan_make(&plan, scn, &first, &options, NULL) == 0 && bound(plan)) {
        char *one = play(plan);
        char *two = play(plan);

        assert((one == NULL) == (two == NULL));
        assert(one == NULL || strcmp(one, two) == 0);
        free(one);
        free(two);
    }
    ho_plan_free(plan);
    ho_scn_free(scn);
    return 0;
}
