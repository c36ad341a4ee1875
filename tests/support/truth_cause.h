/* Why the model did something: which event armed the timer that fired, which frame came.
 *
 * A truth file is right in its times if each event comes as long after the event that caused it as
 * in the file. What caused an event the player knows: an input of the script (a call at its
 * time, a fault), a frame that arrived (its record), or a timer. Of every timer of the
 * hosts - retransmission, delayed ACK and keepalive of each connection, requests, TIME-WAIT,
 * neighbours, link watch - it keeps since when it stands at its deadline: the record made by the
 * step that armed it or, if that step was a silent one, what had caused that step.
 *
 * Order of calls, for each host and step of the play: ho_truth_cause_begin(), ho_truth_cause_tick()
 * before timers fire, ho_truth_cause_add() for what else happens to the host, then
 * ho_truth_cause_end() when all that follows from it has been recorded.
 */

#ifndef HO_TESTS_TRUTH_CAUSE_H
#define HO_TESTS_TRUTH_CAUSE_H

#include "support/truth_world.h"

void ho_truth_cause_begin(struct ho_truth_world *w, int host);

/* The timers that are due now are causes of what the host does in this step. */
void ho_truth_cause_tick(struct ho_truth_world *w, int host);

/* One more cause: the number of a record, or HO_TRUTH_INPUT. */
void ho_truth_cause_add(struct ho_truth_world *w, int host, int record);
void ho_truth_cause_join(struct ho_truth_why *to, const struct ho_truth_why *from);

/* The last record of the list is what `host` did: notes why. */
void ho_truth_cause_note(struct ho_truth_world *w, int host);

/* Looks which timers stand at another deadline than before the step: it has armed them. Returns
 * what the step is to those who are told of it: its last record, else its causes.
 */
struct ho_truth_why ho_truth_cause_end(struct ho_truth_world *w, int host);

void ho_truth_cause_free(struct ho_truth_world *w);

#endif
