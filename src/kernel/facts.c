/* What is in force on this machine, read back and recorded: sysctls, ticks, the jiffy of time 0.
 *
 * Sysctls are read before time 0 comes, since that takes a while; at time 0 they are written down.
 * A sysctl with a value that the list does not know (a congestion control that is neither reno
 * nor cubic) is recorded as its text.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "kernel/world.h"
#include "os/clock.h"
#include "os/sysctl.h"
#include "os/ticks.h"
#include "play/settings.h"

/* The value of the sysctl that `id` is the first number of; a negative errno. */
static int read_one(const struct ho_kernel_host *h, unsigned id, char *text, size_t size)
{
    char name[128];

    ho_kernel_sysctl_name(h, ho_sysctl_info((enum ho_sysctl)id)->name, 0, name);
    return ho_os_sysctl_read(h->netns, name, text, size);
}

static void read_sysctl(struct ho_kernel_host *h, unsigned id)
{
    const char *name = ho_sysctl_info((enum ho_sysctl)id)->name;
    unsigned n = ho_sysctl_numbers((enum ho_sysctl)id);
    char text[256];
    bool has = read_one(h, id, text, sizeof(text)) >= 0;
    bool odd = has && ho_sysctl_parse(&h->sysctls, name, text) != 0;

    for (unsigned i = 0; i < n; i++) {
        h->has_sysctl[id + i] = has && !odd;
        h->odd_sysctl[id + i] = odd;
    }
}

void ho_kernel_read_sysctls(struct ho_kernel_host *h)
{
    ho_sysctls_init(&h->sysctls);
    for (unsigned id = 0; id < HO_SYSCTL_COUNT; id += ho_sysctl_numbers((enum ho_sysctl)id)) {
        read_sysctl(h, id);
    }
}

static void put_odd(struct ho_kernel *k, const struct ho_kernel_host *h, unsigned id)
{
    char text[256];

    if (read_one(h, id, text, sizeof(text)) >= 0) {
        ho_trace_setting(&k->trace, k->trace.node[h->node].name, "sysctl", "",
                         ho_sysctl_info((enum ho_sysctl)id)->name, ho_trace_name(&k->trace, text),
                         0);
    }
}

void ho_kernel_setting_sysctl(struct ho_kernel *k, struct ho_kernel_host *h, enum ho_sysctl id)
{
    read_sysctl(h, id);
    if (h->odd_sysctl[id]) {
        put_odd(k, h, id);
    } else if (h->has_sysctl[id]) {
        ho_trace_setting_sysctl(&k->trace, h->node, &h->sysctls, ho_sysctl_info(id)->name);
    }
}

void ho_kernel_read_clock(struct ho_kernel *k)
{
    struct ho_os_ticks t = k->ticks;

    k->clk = (struct ho_clk){ .hz = ho_os_hz() };
    if (k->options.virtual_clock ? k->has_ticks : ho_os_ticks_measure(&t) == 0) {
        k->clk.jiffies0 = ho_os_ticks_at(&t, (struct ho_time){ k->base_ns }, &k->clk.phase_ns);
        k->has_clk = true;
    } else {
        ho_kernel_warn(k, "the kernel's jiffy count is not known: timers are compared within the "
                          "widest step of the timer wheel");
    }
}

bool ho_kernel_clk(const struct ho_kernel *k, struct ho_clk *ret)
{
    struct ho_time zero = { k->zero.ns };

    if (!k->has_clk) {
        return false;
    }
    *ret = (struct ho_clk){ .hz = k->clk.hz, .jiffies0 = ho_clk_jiffies(&k->clk, zero) };
    ret->phase_ns = zero.ns - ho_clk_jiffy_time(&k->clk, ret->jiffies0).ns;
    return true;
}

static void put_host(struct ho_kernel *k, const struct ho_kernel_host *h, const char *profile)
{
    struct ho_play_host facts = {
        .has_hz = true,
        .has_jiffies0 = k->has_clk,
        .has_phase = k->has_clk,
        .hz = k->clk.hz,
        .profile = ho_trace_name(&k->trace, profile),
        .sysctls = &h->sysctls,
        .has_sysctl = h->has_sysctl,
    };
    struct ho_time zero = { k->zero.ns };

    facts.jiffies0 = ho_clk_jiffies(&k->clk, zero);
    facts.phase_ns = zero.ns - ho_clk_jiffy_time(&k->clk, facts.jiffies0).ns;
    ho_trace_settings_host(&k->trace, h->node, &facts);
    for (unsigned id = 0; id < HO_SYSCTL_COUNT; id += ho_sysctl_numbers((enum ho_sysctl)id)) {
        if (h->odd_sysctl[id]) {
            put_odd(k, h, id);
        }
    }
}

void ho_kernel_settings(struct ho_kernel *k)
{
    struct utsname u = { .release = "" };
    char profile[80] = "";
    unsigned major;
    unsigned minor;

    uname(&u);
    if (sscanf(u.release, "%u.%u", &major, &minor) == 2) {
        snprintf(profile, sizeof(profile), "linux-%u.%u", major, minor);
    }
    ho_trace_settings_run(&k->trace, k->options.virtual_clock ? "virtual-kernel" : "kernel");
    ho_trace_setting(&k->trace, "", "run", "", "kernel", ho_trace_name(&k->trace, u.release), 0);
    for (size_t i = 0; i < k->plan->node_count; i++) {
        if (k->host[i].plan != NULL) {
            put_host(k, &k->host[i], profile);
        }
    }
    ho_trace_settings_cables(&k->trace);
}
