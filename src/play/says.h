/* What programs say of their calls and of themselves, as records (docs/timeline.md: app, note).
 *
 * The records are put at trace->now; an engine that hears late sets it to ev->at (in the play's
 * time) before.
 */

#ifndef HO_PLAY_SAYS_H
#define HO_PLAY_SAYS_H

#include "play/fds.h"

/* An event of a program in process `p`. `hands`: the program is `raw` (that one of its listeners
 * is ready is its own business and not recorded). Status events are not recorded either.
 */
void ho_trace_said(struct ho_trace *tr, const struct ho_play_proc *p, bool hands,
                   const struct ho_program_event *ev);

/* A call of a process without a program, that has ended. */
void ho_trace_said_call(struct ho_trace *tr, const struct ho_play_proc *p, const struct ho_op *op);

/* An output line, or anything else, of a process that is not one of src/program: an app record
 * with `call` and `detail`, both interned here, and `ret`, or -1 with `err` (a positive errno) if
 * that is not 0.
 */
void ho_trace_said_text(struct ho_trace *tr, const struct ho_play_proc *p, const char *call,
                        const char *detail, int64_t ret, int err);

#endif
