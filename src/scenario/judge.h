/* Judging. For src/scenario/ only.
 *
 *     judge.c         what calls told processes, verdicts, and the loop over expectations
 *     judge_state.c   states of connections
 *     judge_wire.c    frames and bytes
 *     judge_command.c real commands
 */

#ifndef HO_SCENARIO_JUDGE_H
#define HO_SCENARIO_JUDGE_H

#include "scenario/expect.h"
#include "timeline/mark.h"

struct ho_judge {
    const struct ho_timeline *tl;
    const struct ho_verdicts *verdicts;
    struct ho_mark *marks; /* one a record, or NULL when no expectation needs them */
    const struct ho_expect *x;
    struct ho_judgement *j;
};

/* Sets what was found, as printf does. */
void ho_judge_say(struct ho_judge *g, const char *format, ...);

/* `t` as "938.765 s" in `text` (HO_JUDGE_TIME bytes). Returns text. */
#define HO_JUDGE_TIME 32
const char *ho_judge_time(struct ho_time t, char *text);

bool ho_judge_in(const struct ho_expect *x, struct ho_time t);

/* Is the record about the subject of the expectation? */
bool ho_judge_about(const struct ho_expect *x, const struct ho_record *r);

/* Each sets g->j->met and says what was found. Returns 0; -ENOMEM. */
int ho_judge_state(struct ho_judge *g);
int ho_judge_sends(struct ho_judge *g);
int ho_judge_received(struct ho_judge *g);
int ho_judge_whole(struct ho_judge *g);

/* The same, and nothing can fail. */
void ho_judge_output(struct ho_judge *g);
void ho_judge_exits(struct ho_judge *g);
void ho_judge_lets_go(struct ho_judge *g);
void ho_judge_option(struct ho_judge *g);

#endif
