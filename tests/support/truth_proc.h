/* The processes of a truth script's world: they make the script's calls and answer its events.
 * ho_truth_procs_init() first, ho_truth_procs_free() at the end, the others in any order between.
 */

#ifndef HO_TESTS_TRUTH_PROC_H
#define HO_TESTS_TRUTH_PROC_H

#include "support/truth_world.h"

void ho_truth_procs_init(struct ho_truth_world *w);
void ho_truth_procs_free(struct ho_truth_world *w);
void ho_truth_proc_start(struct ho_truth_world *w, const char *name);
void ho_truth_proc_kill(struct ho_truth_world *w, struct ho_truth_proc *p);
/* The next time at which a process does something by itself, and that it does it. */
int64_t ho_truth_procs_next(const struct ho_truth_world *w);
void ho_truth_procs_run(struct ho_truth_world *w);
/* Something happened on the host, for a reason: its processes look at epoll soon. */
void ho_truth_procs_wake(struct ho_truth_world *w, int host, const struct ho_truth_why *why);
/* A process whose buffer size is known read when just as much was there as it got then. */
void ho_truth_procs_read(struct ho_truth_world *w, int host);
/* Gives back a call that has returned. */
void ho_truth_proc_returned(struct ho_truth_world *w, int host, struct ho_op *op);

#endif
