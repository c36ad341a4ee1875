/* The moment of time 0, where it can be chosen: on a kernel whose clock is virtual.
 *
 * When a timer fires is decided by the jiffy at which it is armed (base/clk.h). A play's jiffy at
 * time 0 is drawn from its seed, or said by its file, for the model's sake; a kernel whose clock
 * jumps from timer to timer can simply wait until its own count is as good as that. Most of the
 * waiting is done before there is anything that could be woken by it.
 *
 * Two counts are as good as each other when they are congruent modulo the widest step of the wheel
 * that a play's timers fall into.
 */

#include "kernel/world.h"
#include "os/clock.h"
#include "os/jiffies.h"

#define STEP_J (UINT64_C(1) << 18) /* of delays up to 19 hours at HZ 250 */
/* The same beside running commands, which are woken all the while: up to 2 h 19 min. */
#define STEP_COMMANDS_J (UINT64_C(1) << 15)
#define BUILD_NS (8 * HO_NS_PER_S) /* building a world of hosts takes less */

static const struct ho_plan_node *first_host(const struct ho_plan *p)
{
    for (size_t i = 0; i < p->node_count; i++) {
        if (p->nodes[i].kind == HO_NODE_HOST) {
            return &p->nodes[i];
        }
    }
    return NULL;
}

/* The next such moment after `from` of CLOCK_MONOTONIC; 0: there is none. */
static struct ho_time next_moment(const struct ho_kernel *k, struct ho_time from, uint64_t step)
{
    const struct ho_plan_node *host = first_host(k->plan);
    struct ho_time none = { 0 };

    if (!k->options.virtual_clock || !k->has_ticks || host == NULL || host->hz == 0) {
        return none;
    }
    return ho_os_jiffies_next(&k->ticks, from, host->jiffies0, step, host->phase_ns);
}

void ho_kernel_moment_before(struct ho_kernel *k)
{
    struct ho_time from = ho_os_now();

    k->has_ticks = k->options.virtual_clock && ho_os_jiffies_read(&k->ticks) == 0;
    from.ns += BUILD_NS;
    ho_os_sleep_until((struct ho_time){ next_moment(k, from, STEP_J).ns - BUILD_NS });
}

void ho_kernel_moment(struct ho_kernel *k, bool commands)
{
    struct ho_time t = next_moment(k, ho_os_now(), commands ? STEP_COMMANDS_J : STEP_J);

    if (t.ns != 0 && commands) {
        ho_kernel_run(k, (struct ho_time){ t.ns - k->base_ns });
    } else {
        ho_os_sleep_until(t);
    }
}
