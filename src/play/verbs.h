/* A plan's call as verbs of the program `raw`, the hands of a process.
 *
 * Most calls are one verb; "stop accepting" is one for each listener; "stop reading" before there
 * is a connection is none and remembered for those to come. So an engine asks until there is no
 * more, and gives each to ho_program_command() before it asks for the next:
 *
 *     for (unsigned i = 0; (r = ho_play_verb(tr, p, call, i, &v)) == 1; i++) {
 *         ho_program_command(hands, v.name, v.arg, v.n, now, &error);
 *     }
 *
 * Sockets are found by what was said of the process's descriptors (fds.h): everything that its
 * calls have done so far must have been told.
 */

#ifndef HO_PLAY_VERBS_H
#define HO_PLAY_VERBS_H

#include "play/fds.h"

#define HO_PLAY_VERB_ARGS 6

/* One verb; `arg` points into `text`: do not copy it by value. */
struct ho_play_verb {
    const char *name;
    size_t n;
    struct ho_program_arg arg[HO_PLAY_VERB_ARGS];
    char text[HO_PLAY_VERB_ARGS][48];
};

/* The verb number `i` of `call` on process `p`. Returns 1 with *ret filled; 0: there are no more;
 * -EINVAL with trace->why: the process has no such connection.
 */
int ho_play_verb(struct ho_trace *tr, struct ho_play_proc *p, const struct ho_plan_call *call,
                 unsigned i, struct ho_play_verb *ret);

/* What a new connection needs first, if the process was told not to read before it had one
 * (p->not_reading): the verb for socket `name`.
 */
void ho_play_verb_accepted(const char *name, struct ho_play_verb *ret);

/* The result of ho_program_command() for verb `name` as that of the engine's verb: 0; -EINVAL with
 * trace->why, which `error` explains (also for -EAGAIN: too many are under way); -ENOMEM.
 */
int ho_play_verb_result(struct ho_trace *tr, const struct ho_play_proc *p, const char *name,
                        int result, const struct ho_program_error *error);

/* The arguments of a plan's program, pointing into it. `arg` has room for HO_PLAN_ARGS. */
size_t ho_play_program_args(const struct ho_plan_program *program, struct ho_program_arg *arg);

/* The engine's `check`, as far as it is about programs: names and arguments. Returns 0; -EINVAL
 * with *ret_step the offending one and trace->why.
 */
int ho_play_check(struct ho_trace *tr, const struct ho_plan *plan, const struct ho_step **ret_step);

#endif
