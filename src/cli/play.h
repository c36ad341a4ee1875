/* One case of a scenario, played on an engine. */

#ifndef HO_CLI_PLAY_H
#define HO_CLI_PLAY_H

#include "cli/options.h"
#include "cli/source.h"
#include "scenario/runner.h"

/* What other starting jiffies gave: when the process was told, or else the kernel gave up. */
struct ho_phase_range {
    bool any;               /* it was noticed at least once */
    unsigned none;          /* plays in which nobody noticed */
    int64_t min_ns, max_ns; /* after the fault, as the verdicts' times are printed */
};

struct ho_play {
    const struct ho_source *source;
    size_t number, count; /* of the case, from 0, and how many the scenario has */
    const char *engine;   /* "model", "kernel" or "virtual-kernel" */
    struct ho_plan *plan;
    struct ho_timeline timeline;
    struct ho_run_result result; /* empty unless `played` */
    bool played;                 /* false: this engine cannot play it; `why` says what it cannot */
    struct ho_run_error why;
    /* False for a scenario of the catalogue whose settings the command line changed: what its
     * expectations and claims say is about the scenario as it stands.
     */
    bool judged;
    struct ho_phase_range *phase; /* one a verdict, owned; NULL without --phases */
    unsigned phases;
    uint64_t phase_step;   /* jiffies over which they were spread */
    struct ho_step *setup; /* plan->setup when --set HOST:.. added to it, owned */
    struct ho_step *planned_setup;
};

/* Makes the plan of case `number` as the options say, and nothing else.
 *
 * Returns HO_EXIT_OK, with *ret to be given to ho_play_free(); otherwise has said what was wrong.
 */
int ho_play_plan(struct ho_play *ret, const struct ho_source *s, size_t number,
                 const struct ho_run_options *o);

/* Plays it on the engine that the options name; on the kernel: in a room (os/room.h). Returns
 * HO_EXIT_OK, also when expectations are not met or this engine cannot play it (see `played`);
 * otherwise has said why not.
 */
int ho_play(struct ho_play *p, const struct ho_run_options *o);

/* The same on an engine that the caller made, has for himself alone and destroys. */
int ho_play_on(struct ho_play *p, const struct ho_engine *engine);

/* Says on stderr what the kernel's engine has to tell who runs it. Before its destroy. */
void ho_play_warnings(const struct ho_engine *kernel);

/* Frees what it holds; NULL is ignored. */
void ho_play_free(struct ho_play *p);

/* "idle-cut", or "idle-cut (ipv6 retries2=8)" of several cases. Valid until the next call. */
const char *ho_play_name(const struct ho_play *p);

/* The release of the kernel it was played on, "" for the model. */
const char *ho_play_kernel(const struct ho_play *p);

/* HZ of the first host; 0: exact. */
uint32_t ho_play_hz(const struct ho_play *p);

#endif
