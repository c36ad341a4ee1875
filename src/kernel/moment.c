/* The moment of time 0, where it can be chosen: on a kernel whose clock is virtual.
 *
 * When a timer fires is decided by the jiffy at which it is armed (base/clk.h). A play's jiffy at
 * time 0 is drawn from its seed, or said by its file, for the model's sake; a kernel whose clock
 * jumps from timer to timer can simply wait until its own count is as good as that. Most of the
 * waiting is done before there is anything that could be woken by it.
 *
 * Two counts are as good as each other when they are congruent modulo the widest step of the wheel
 * that a play's timers fall into: a delay of up to 63 * 8^n jiffies ends on a multiple of 8^n
 * (LVL_START in Linux' kernel/time/timer.c).
 *
 * Running commands are woken all the while, and what they wait for before time 0 passes as well. So
 * they are started right before the moment; only if they are not ready by then they wait for the
 * next one, which comes the sooner the shorter the play is.
 */

#include "kernel/world.h"
#include "os/clock.h"
#include "os/jiffies.h"

#define LONGEST_S 32767 /* the longest TCP_KEEPIDLE (MAX_TCP_KEEPIDLE) */
#define BUILD_S 8       /* building a world of hosts takes less */
#define READY_S 2       /* and with commands, few of which wait for anything but each other */

static int64_t time_to_build(bool commands)
{
    return (commands ? READY_S : BUILD_S) * HO_NS_PER_S;
}

/* With commands no wider than what can end before the play does. */
static uint64_t widest_step(uint32_t hz, const struct ho_plan *p, bool commands)
{
    uint64_t longest_s = LONGEST_S;
    uint64_t step = 1;

    if (commands && p->end.ns / HO_NS_PER_S < LONGEST_S) {
        longest_s = (uint64_t)(p->end.ns / HO_NS_PER_S) + 1;
    }
    while (63 * step < longest_s * hz) {
        step *= 8;
    }
    return step;
}

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
static struct ho_time next_moment(const struct ho_kernel *k, struct ho_time from, bool commands)
{
    const struct ho_plan_node *host = first_host(k->plan);
    struct ho_time none = { 0 };

    if (!k->options.virtual_clock || !k->has_ticks || host == NULL || host->hz == 0) {
        return none;
    }
    return ho_os_jiffies_next(&k->ticks, from, host->jiffies0,
                              widest_step(k->ticks.hz, k->plan, commands), host->phase_ns);
}

void ho_kernel_moment_before(struct ho_kernel *k, bool commands)
{
    int64_t build = time_to_build(commands);
    struct ho_time from = ho_os_now();

    k->has_ticks = k->options.virtual_clock && ho_os_jiffies_read(&k->ticks) == 0;
    from.ns += build;
    ho_os_sleep_until((struct ho_time){ next_moment(k, from, commands).ns - build });
}

void ho_kernel_moment(struct ho_kernel *k, bool commands)
{
    struct ho_time t = next_moment(k, ho_os_now(), commands);

    if (t.ns != 0 && commands) {
        ho_kernel_run(k, (struct ho_time){ t.ns - k->base_ns });
    } else {
        ho_os_sleep_until(t);
    }
}
