/* Expectations: what a plan says must follow, and judging it by a timeline.
 *
 * An expectation is judged by the records alone (timeline/record.h), so the same words mean the
 * same on every engine:
 *
 *   notices     the app half of a verdict (timeline/verdict.h): "EOF" for the end of the stream,
 *               "timeout" for a finding of the program's own (a heartbeat, keepalive_timeout)
 *   gives up    its kernel half
 *   knob        its knob
 *   states      the sock records of the host's connections, listeners left out; "gone" once a
 *               connection that was there no longer is
 *   sends       segments by their flags and by their marks (timeline/mark.h)
 *   received    bytes of recv() in the app records
 *   output      `output` records, the lines of real commands; `exits`: `exit` records
 *   has         settings records of scope sockopt
 */

#ifndef HO_SCENARIO_EXPECT_H
#define HO_SCENARIO_EXPECT_H

#include "scenario/scenario.h"
#include "scenario/words.h"
#include "timeline/record.h"
#include "timeline/verdict.h"

/* From `from` up to and including `to`. */
struct ho_window {
    struct ho_time from, to;
};

enum ho_how_many {
    HO_EXACTLY,
    HO_AT_LEAST,
    HO_AT_MOST
};

struct ho_expect {
    enum ho_form form; /* a form of HO_SECTION_EXPECT; it says which members count */
    const struct ho_scn_line *line;
    const char *host, *process, *conn; /* process, conn: "" for any */
    struct ho_window window;           /* STAYS: from (time 0: its first record) to */
    bool has_window;
    const char *what;  /* "ETIMEDOUT", "EOF", "timeout"; NULL: any */
    const char *call;  /* NULL: any */
    const char *state; /* the timeline's name */
    enum ho_scn_mark mark;
    bool receives;
    enum ho_how_many how;
    int64_t value; /* count, bytes or the value returned */
    uint32_t events;
    const char *knob;
    const char *pattern; /* OUTPUT, NO_OUTPUT */
    const char *opt;     /* HAS_OPTION: its name; value: in Linux's unit */
    bool has_status;     /* EXITS: with the status `value` */
};

/* What came of an expectation. */
struct ho_judgement {
    const struct ho_expect *expect;
    bool met;
    char text[256]; /* what was found: "server notices ETIMEDOUT in recv at 938.765 s" */
};

/* Judges every expectation of the plan by the timeline and the verdicts read from it.
 *
 * Returns 0 with *ret an array of plan->expect_count judgements that the caller frees with
 * free(); -ENOMEM with *ret untouched.
 */
int ho_expect_judge(struct ho_judgement **ret, const struct ho_plan *plan,
                    const struct ho_timeline *timeline, const struct ho_verdicts *verdicts);

/* Appends the expectation as the file says it: "server notices ETIMEDOUT by 941s". */
void ho_expect_print(const struct ho_scn *s, const struct ho_expect *x, struct ho_text *out);

#endif
