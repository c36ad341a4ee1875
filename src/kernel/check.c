/* Could this machine play the plan?
 *
 * The running kernel is what it is: its ticks a second, its release, its jiffy count. A plan that
 * asks for another one in so many words is refused; the defaults that a file gets without asking
 * (HZ 250, linux-6.18) are no wish, and differ with a warning. The jiffy of time 0 is ignored: a
 * scenario fixes it for the model's sake.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "kernel/world.h"
#include "knobs/profile.h"
#include "os/clock.h"
#include "play/verbs.h"

#define DEFAULT_HZ 250 /* scenario/plan_world.c: of a host that says nothing */

static int refuse(struct ho_kernel *k, const char *what, const char *why)
{
    ho_trace_refuse(&k->trace, what, why);
    return -ENOTSUP;
}

static int check_hz(struct ho_kernel *k, const struct ho_plan_node *n)
{
    unsigned hz = ho_os_hz();
    char text[128];

    if (n->hz == hz) {
        return 0;
    }
    if (n->hz == DEFAULT_HZ) {
        ho_kernel_warn(k, "this kernel has HZ=%u, not %u: timers are late by other amounts", hz,
                       n->hz);
        return 0;
    }
    if (n->hz == 0) {
        snprintf(text, sizeof(text),
                 "hz exact is the model's alone; this kernel's timers have HZ=%u", hz);
    } else {
        snprintf(text, sizeof(text), "hz %u was asked for and this kernel has HZ=%u", n->hz, hz);
    }
    return refuse(k, n->name, text);
}

static int check_profile(struct ho_kernel *k, const struct ho_plan_node *n)
{
    struct utsname u;
    char running[80];
    char text[240];
    unsigned major = 0;
    unsigned minor = 0;

    if (uname(&u) != 0 || sscanf(u.release, "%u.%u", &major, &minor) != 2) {
        return 0;
    }
    snprintf(running, sizeof(running), "linux-%u.%u", major, minor);
    if (strcmp(n->profile, running) == 0) {
        return 0;
    }
    if (strcmp(n->profile, ho_profile(0)->name) == 0) {
        ho_kernel_warn(k, "this kernel is %s; the scenario's hosts behave like %s on the model",
                       running, n->profile);
        return 0;
    }
    snprintf(text, sizeof(text), "profile %s was asked for and this kernel is %s", n->profile,
             running);
    return refuse(k, n->name, text);
}

int ho_kernel_check(struct ho_kernel *k, const struct ho_plan *plan,
                    const struct ho_step **ret_step)
{
    int err = ho_play_check(&k->trace, plan, ret_step);

    for (size_t i = 0; err == 0 && i < plan->node_count; i++) {
        if (plan->nodes[i].kind == HO_NODE_HOST) {
            err = check_hz(k, &plan->nodes[i]);
            err = err != 0 ? err : check_profile(k, &plan->nodes[i]);
        }
    }
    if (err == 0 && plan->node_count > UINT16_MAX / 2) {
        err = refuse(k, plan->name, "too many hosts for one machine");
    }
    return err;
}
