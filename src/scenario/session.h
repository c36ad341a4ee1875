/* A session: a world that is told what happens to it while it runs, one step at a time.
 *
 * A scenario file says everything before the play; in a lab somebody decides as he goes. A
 * session takes the world of a file - hosts, cables, settings, processes - without its steps
 * and expectations, and each step as text ("cut", "client power-off"), the line of a file without
 * `at TIME`. What it made of it is given to an engine by ho_run_step() (runner.h).
 *
 * How it works. The session is a scenario that grows: the world's lines, and behind them every step
 * that was taken, with its time. A new step is planned with all that went before, so that it
 * means what it would mean in a file (which cables a `plug` mends, which processes run), and the
 * whole can be printed: a session is kept by writing the scenario that plays it again.
 *
 *     ho_session_new()
 *     ho_session_plan()     the world, for engine.begin()
 *     ho_session_step()     for each step, at the engine's time
 *     ho_session_print()    any time
 *     ho_session_free()     after engine.destroy()
 *
 * No I/O. Bounds: those of a scenario (HO_SCN_LINES_MAX lines, HO_SCN_TEXT_MAX bytes).
 */

#ifndef HO_SCENARIO_SESSION_H
#define HO_SCENARIO_SESSION_H

#include "scenario/scenario.h"

struct ho_session;

/* A session in the world of a file's first case. `name` and `text` are copied; the options must
 * outlive the session.
 *
 * Returns 0 with *ret owned by the caller; -EINVAL with *ret_error filled; -ENOMEM. On failure *ret
 * is untouched.
 */
int ho_session_new(struct ho_session **ret, const char *name, const char *text, size_t len,
                   const struct ho_plan_options *options, struct ho_scn_error *ret_error);

/* Frees it; NULL is ignored. */
void ho_session_free(struct ho_session *s);

/* The world: a plan with the setup, and with no steps but those that start what runs from the
 * beginning. Valid until the session is freed. Indices in later steps are those of this plan.
 */
const struct ho_plan *ho_session_plan(const struct ho_session *s);

/* How many lines of the file were left out because they are steps or expectations. */
size_t ho_session_left_out(const struct ho_session *s);

/* Plans `text`, one step without its time, for `now`, which must not lie before the last one's.
 *
 * Returns 0 with the engine's steps, usually one, in *ret and *ret_count: valid until the next call
 * or ho_session_free(). -EINVAL: it is no step, or makes no sense now; *ret_error says why, its
 * column counted in `text`. -ENOSPC: the session is full. -ENOMEM. After a failure the session
 * is as it was.
 */
int ho_session_step(struct ho_session *s, struct ho_time now, const char *text,
                    const struct ho_step **ret, size_t *ret_count, struct ho_scn_error *ret_error);

/* The step that was planned last did not happen (an engine refused it): forgets it. */
void ho_session_undo(struct ho_session *s);

/* Appends the session as a scenario: the file's world, and the steps taken. */
void ho_session_print(const struct ho_session *s, struct ho_text *out);

#endif
