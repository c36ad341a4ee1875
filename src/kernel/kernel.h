/* The kernel engine: a scenario on the real Linux kernel, in real time.
 *
 * It fills the table of verbs (scenario/engine.h). Each host of the plan is a network namespace of
 * its own; our process is what lies between them: every cable, switch and middlebox of src/link,
 * driven by CLOCK_MONOTONIC. Each process of the plan is a child in its host's namespace, an agent
 * (kernel/agent.h), that runs src/program over real sockets. What sock_diag and netlink say goes
 * to the timeline in the model's words. docs/kernel-engine.md tells how.
 *
 * Everything happens inside a room (os/room.h): call these functions only in the work function
 * of one. What is made - namespaces, interfaces, children - ends with destroy(), and with the
 * room at the latest.
 *
 *     ho_kernel_new()          an engine without a world
 *     engine.check, begin ..   as scenario/engine.h says, usually by ho_run()
 *     ho_kernel_warning()      after begin, or later: what to tell the person who runs it
 *     engine.destroy()
 *
 * A lab, which lives as long as its user wants and gets its faults from elsewhere:
 *
 *     check, begin; ho_run_step() for the steps of the plan that it plays
 *     for ever: poll(ho_kernel_pollfd()), then ho_kernel_poll(); ho_run_step() for faults;
 *               run_until(ho_kernel_now()) does the same as ho_kernel_poll()
 *     finish, destroy
 *
 * Not for threads; one engine a room.
 *
 * Times. The play's time 0 is the CLOCK_MONOTONIC at which begin() returned. run_until(t) returns
 * as soon as the clock has passed t, never before, and a verb acts when it is called. Records
 * have the time at which the thing happened as the kernel or the agent saw it; they reach the
 * caller's timeline sorted by time, at finish() or when a verb fails.
 */

#ifndef HO_KERNEL_KERNEL_H
#define HO_KERNEL_KERNEL_H

#include "base/clk.h"
#include "scenario/engine.h"
#include "timeline/record.h"

struct ho_kernel;
struct ho_trace; /* play/trace.h */

/* What a host's cable is made of on its side (os/wire.h). */
enum ho_kernel_wire {
    HO_KERNEL_WIRE_AUTO, /* TAP where /dev/net/tun opens, else veth */
    HO_KERNEL_WIRE_TAP,
    HO_KERNEL_WIRE_VETH
};

struct ho_kernel_options {
    enum ho_kernel_wire wire;
    /* The kernel's clock is virtual (kernel/guest.h): its jiffies are read as os/jiffies.h says,
     * and begin() waits until the count is the first host's jiffies0 (kernel/moment.c). The
     * engine's name is "virtual-kernel".
     */
    bool virtual_clock;
    unsigned uid,
        gid; /* of whoever plays, where that is not the caller: in a guest. 0: the caller */
};

/* Fills *ret (name "kernel", or "virtual-kernel"); ret->self is a struct ho_kernel, the caller's
 * until ret->destroy(). `options` may be NULL: the defaults.
 *
 * Of the engine's verbs, in addition to what scenario/engine.h says:
 *   check      -ENOTSUP for a plan that asks for another kernel than the running one: an `hz`
 *              that is not the kernel's, `hz exact`, a profile of another version. `why` says
 *              what this machine has. The jiffy of time 0 is nobody's to choose and is ignored,
 *              unless the clock is virtual.
 *   begin      -ENOTSUP where namespaces, wires or sock_diag are not to be had: `why` says what is
 *              missing. A sysctl that a fresh namespace does not have is a warning and a note.
 *   finish     appends the records to the caller's timeline.
 * Every other negative errno is that of the system call that failed, with `why` saying which, of
 * what and where.
 *
 * Returns 0; -ENOMEM with *ret untouched.
 */
int ho_kernel_new(struct ho_engine *ret, const struct ho_kernel_options *options);

/* The engine behind the table. */
struct ho_kernel *ho_kernel_of(const struct ho_engine *engine);

/* The wire that begin() found: "tap" or "veth". "" before begin() and without any cable. */
const char *ho_kernel_wire_text(const struct ho_kernel *k);

/* The play's time at this instant; 0 before begin() has returned. */
struct ho_time ho_kernel_now(const struct ho_kernel *k);

/* The kernel's jiffies on the play's clock. Returns false, and leaves *ret alone, if they are not
 * known.
 */
bool ho_kernel_clk(const struct ho_kernel *k, struct ho_clk *ret);

/* A descriptor that is readable when something is to be done, deadlines included. It belongs to
 * the engine and is valid from begin to destroy.
 */
int ho_kernel_pollfd(const struct ho_kernel *k);

/* Does what is to be done at this instant, without waiting. Returns 0 or as run_until(). */
int ho_kernel_poll(struct ho_kernel *k);

/* The earliest instant at which something is due by the clock alone; HO_NEVER: nothing is. */
struct ho_time ho_kernel_deadline(const struct ho_kernel *k);

/* How often the engine has woken up from waiting since begin(). */
uint64_t ho_kernel_wakeups(const struct ho_kernel *k);

/* The i-th sentence for the person who runs it, NULL after the last. Valid until destroy. */
const char *ho_kernel_warning(const struct ho_kernel *k, size_t i);

/* The records so far, in the order in which they became known, which is not quite that of their
 * times, with placeholders for names that come late (play/trace.h). Valid from begin to destroy; it
 * grows in poll, run_until and the verbs. Its times count from ho_kernel_zero() before time 0,
 * until finish(). NULL if the engine was begun without a timeline.
 */
const struct ho_timeline *ho_kernel_timeline(const struct ho_kernel *k);

/* How much later than the private timeline's the play's time 0 is: 0, but in a play whose commands
 * (scenario/plan.h) had to become ready first. Valid when begin() has returned.
 */
struct ho_dur ho_kernel_zero(const struct ho_kernel *k);

/* ---- for services and a lab's commands, which live beside the agents ---------------------------
 */

/* The descriptor of host `node`'s network namespace; -1: it has no power, or is no host. A boot
 * makes a new one. It belongs to the engine.
 */
int ho_kernel_netns(const struct ho_kernel *k, uint16_t node);

/* How often the host was booted so far: 1 after begin(). A process started before the last one
 * is gone.
 */
uint64_t ho_kernel_life(const struct ho_kernel *k, uint16_t node);

/* The recorder, its `now` brought to this instant: for records of one's own. NULL before begin. */
struct ho_trace *ho_kernel_trace(struct ho_kernel *k);

/* Has sock_diag asked about host `node` before the next wait: something happened there. */
void ho_kernel_touch(struct ho_kernel *k, uint16_t node);

#endif
