/* The table of verbs that an engine fills: what the runner can tell a world to do.
 *
 * The runner (runner.h) walks a plan over these verbs:
 *
 *     check      once: could this engine play the plan?
 *     begin      once: build the whole world of the plan, power everything on; time is 0
 *     run_until  up to the time of the next step
 *     <a verb>   for that step; several at one time are given in the order of the file
 *     ..
 *     run_until  the plan's end
 *     finish     once: the last samples are in the timeline
 *
 * A verb acts now, at the time of the last run_until. It returns when what it says has been done
 * or, for calls that block, begun. Whatever follows from it - segments, states, results of calls -
 * is written to the timeline by the engine, in the records of docs/timeline.md, when it happens;
 * so is the fault itself, under the step's label, before its effects.
 *
 * Returns of every verb: 0; a negative errno that ends the play: -ENOMEM; -ENOTSUP: this engine
 * cannot do it (the scenario is then reported as not playable here, not as failed); -EINVAL: the
 * step makes no sense now (a call on a process that has no such socket, boot of a running
 * host). After an error only `why` and `destroy` may be called (and
 * `begin`, after `check`'s). A call that *fails* as a system
 * call is no error: it is a record in the timeline.
 */

#ifndef HO_SCENARIO_ENGINE_H
#define HO_SCENARIO_ENGINE_H

#include "scenario/plan.h"

struct ho_timeline; /* timeline/record.h */

struct ho_engine {
    const char *name; /* "model", "kernel", "virtual-kernel": what `on ..` in a file means */
    void *self;       /* the first argument of every verb */

    /* Looks at names and arguments that only an engine knows (programs and theirs), without
     * building anything. Returns 0; -EINVAL or -ENOTSUP with *ret_step the offending step (NULL if
     * it is none in particular) and `why` telling.
     */
    int (*check)(void *self, const struct ho_plan *plan, const struct ho_step **ret_step);

    /* Builds hosts, switches, middleboxes and cables, applies plan->setup and powers every host
     * on, at time 0; commands in the setup are started and ready before. `plan` and `timeline` stay
     * valid until destroy; records are appended to `timeline`. Writes the `settings` record of
     * every host.
     */
    int (*begin)(void *self, const struct ho_plan *plan, struct ho_timeline *timeline);

    /* Lets the world run up to and including `t`, which never lies before the last one. */
    int (*run_until)(void *self, struct ho_time t);

    /* Processes. `proc` is an index into plan->procs. A process is started before anything else is
     * asked of it, and again after it was killed or its host lost power.
     */
    int (*start)(void *self, uint16_t proc);
    /* One of enum ho_call_kind; a process may have any number of calls in flight. */
    int (*call)(void *self, uint16_t proc, const struct ho_plan_call *call);
    /* Starts a behaviour of src/program by its name and arguments. It lives until it ends by
     * itself or its process does. -EINVAL: no such behaviour or argument.
     */
    int (*program)(void *self, uint16_t proc, const struct ho_plan_program *program);
    /* Starts a real command, whose output and end become `output` and `exit` records. NULL, as
     * `input`: an engine without a real kernel. -EINVAL: another still runs in this process; the
     * errno of what failed if it cannot be started.
     */
    int (*command)(void *self, uint16_t proc, const struct ho_plan_command *command);
    /* Writes to the command's standard input. -EINVAL: no command runs, or its input is closed. */
    int (*input)(void *self, uint16_t proc, const struct ho_plan_input *input);
    /* SIGKILL: the kernel closes every descriptor. Of a command: all its descendants, too. */
    int (*kill)(void *self, uint16_t proc, const struct ho_step *step);
    /* SIGSTOP and SIGCONT: the process's calls that complete meanwhile are seen after SIGCONT. */
    int (*stop)(void *self, uint16_t proc, const struct ho_step *step);
    int (*cont)(void *self, uint16_t proc, const struct ho_step *step);

    /* Hosts. `host` is an index into plan->nodes. */
    int (*sysctl)(void *self, uint16_t host, const struct ho_plan_sysctl *sysctl);
    /* Everything is forgotten, nothing is sent; its ends of cables lose carrier. The peer's end
     * of a direct cable loses carrier as well, unless a switch or middlebox is between.
     */
    int (*power_off)(void *self, uint16_t host, const struct ho_step *step);
    /* No sockets, no processes; the same addresses, MACs, sysctls and routes of the setup. The
     * jiffy count starts again at the host's jiffies0.
     */
    int (*boot)(void *self, uint16_t host, const struct ho_step *step);
    /* step->u.net.ifindex (HO_IF_LO: the loopback) goes administratively up or down. */
    int (*interface)(void *self, uint16_t host, const struct ho_step *step);
    /* step->u.net.u.address is added (up) or removed. */
    int (*address)(void *self, uint16_t host, const struct ho_step *step);
    /* step->u.net.u.route is added (up) or removed. */
    int (*route)(void *self, uint16_t host, const struct ho_step *step);
    /* A permanent neighbour entry is added (up) or an entry removed. */
    int (*neighbour)(void *self, uint16_t host, const struct ho_step *step);

    /* Cables. `cable` is an index into plan->cables. */
    /* Frames that are in the cable or enter it in that direction are lost, silently: no end loses
     * carrier. Frames that wait in a queue for the rate go on leaving and are lost.
     */
    int (*cut)(void *self, uint16_t cable, const struct ho_step *step);
    /* The plug is pulled at one end: frames are lost both ways; that end alone loses carrier. */
    int (*unplug)(void *self, uint16_t cable, const struct ho_step *step);
    /* Undoes every cut and unplug of this cable, both ends and both directions. */
    int (*plug)(void *self, uint16_t cable, const struct ho_step *step);
    /* Loses the next frames that match step->u.drop. Drops given earlier stay in force first. */
    int (*drop)(void *self, uint16_t cable, const struct ho_step *step);

    /* Writes a `note` record. */
    int (*note)(void *self, const struct ho_step *step);

    /* The play is over: everything known is in the timeline. */
    int (*finish)(void *self);

    /* One line for people about the last error, never NULL. */
    const char *(*why)(void *self);

    /* Frees the engine's world and `self`. */
    void (*destroy)(void *self);
};

#endif
