/* A step that does something to the world, as a record: what is said of it is the same whichever
 * engine does it. The record comes before the deed.
 */

#ifndef HO_PLAY_FAULTS_H
#define HO_PLAY_FAULTS_H

#include "play/trace.h"

/* Writes the fault record of `step` at trace->now: its label, verb, what it is done to and the
 * details. For every kind that plan.h marks with F; of each other kind nothing is written.
 * step->proc, host or cable says to which.
 */
void ho_trace_fault(struct ho_trace *tr, const struct ho_step *step);

#endif
