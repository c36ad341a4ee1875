/* The verbs that do something to hosts and cables: the record first, then the deed. */

#include <errno.h>

#include "kernel/world.h"
#include "play/faults.h"

static struct ho_kernel *kernel_of(void *self)
{
    return self;
}

/* The fault is recorded; what came before it is already. */
static struct ho_kernel_host *enter(struct ho_kernel *k, uint16_t host, const struct ho_step *step)
{
    ho_kernel_hear_all(k);
    k->trace.now = ho_kernel_relay_now(k);
    ho_trace_fault(&k->trace, step);
    return &k->host[host];
}

static int refuse_off(struct ho_kernel *k, const struct ho_kernel_host *h)
{
    return ho_trace_refuse(&k->trace, h->plan->name, "the host has no power");
}

int ho_kernel_verb_sysctl(void *self, uint16_t host, const struct ho_plan_sysctl *sysctl)
{
    struct ho_kernel *k = kernel_of(self);
    struct ho_step step = { .kind = HO_STEP_SYSCTL, .host = host, .u.sysctl = *sysctl };
    struct ho_kernel_host *h = &k->host[host];
    int err;

    if (!h->up) {
        return refuse_off(k, h);
    }
    k->trace.now = ho_kernel_relay_now(k);
    step.u.sysctl.host = host;
    err = ho_kernel_configure(k, &step);
    if (err == 0) {
        ho_kernel_setting_sysctl(k, h, (enum ho_sysctl)sysctl->id);
    }
    ho_kernel_dirty(k, host);
    return err != 0 ? err : k->trace.err;
}

/* ---- power -------------------------------------------------------------------------------------
 */

static void power(struct ho_kernel *k, const struct ho_kernel_host *h, bool on)
{
    for (unsigned i = 0; i < h->ports; i++) {
        ho_wires_power(&k->wires, h->node, i, on, ho_kernel_relay_now(k));
        ho_kernel_carriers(k);
    }
}

int ho_kernel_verb_power_off(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_kernel *k = kernel_of(self);
    struct ho_kernel_host *h = enter(k, host, step);

    if (!h->up) {
        return ho_trace_refuse(&k->trace, h->plan->name, "has no power already");
    }
    h->up = false; /* nothing enters or leaves any more, nobody looks */
    power(k, h, false);
    ho_kernel_sample_none(k, h);
    ho_kernel_host_deaf(k, h);
    ho_kernel_procs_freeze(k, host);
    ho_kernel_host_abort(h);
    ho_kernel_procs_end(k, host); /* the relay runs on for the others */
    h->up = true;
    ho_kernel_host_off(k, h);
    return k->trace.err;
}

int ho_kernel_verb_boot(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_kernel *k = kernel_of(self);
    struct ho_kernel_host *h = enter(k, host, step);
    int err;

    if (h->up) {
        return ho_trace_refuse(&k->trace, h->plan->name, "runs already");
    }
    err = ho_kernel_host_on(k, h);
    if (err == 0) {
        power(k, h, true);
        ho_kernel_sample(k, h);
    }
    return err != 0 ? err : k->trace.err;
}

/* ---- settings that are faults ------------------------------------------------------------------
 */

static int configure(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_kernel *k = kernel_of(self);
    struct ho_kernel_host *h = enter(k, host, step);
    int err;

    if (!h->up) {
        return refuse_off(k, h);
    }
    err = ho_kernel_configure(k, step);
    ho_kernel_dirty(k, host);
    return err != 0 ? err : k->trace.err;
}

int ho_kernel_verb_interface(void *self, uint16_t host, const struct ho_step *step)
{
    return configure(self, host, step);
}

int ho_kernel_verb_address(void *self, uint16_t host, const struct ho_step *step)
{
    return configure(self, host, step);
}

int ho_kernel_verb_route(void *self, uint16_t host, const struct ho_step *step)
{
    return configure(self, host, step);
}

int ho_kernel_verb_neighbour(void *self, uint16_t host, const struct ho_step *step)
{
    return configure(self, host, step);
}

/* ---- cables ------------------------------------------------------------------------------------
 */

int ho_kernel_verb_cable(void *self, uint16_t cable, const struct ho_step *step)
{
    struct ho_kernel *k = kernel_of(self);
    int err = ho_wires_fault(&k->wires, cable, step, ho_kernel_relay_now(k));

    ho_kernel_carriers(k);
    return err != 0 ? err : k->trace.err;
}

int ho_kernel_verb_note(void *self, const struct ho_step *step)
{
    struct ho_kernel *k = kernel_of(self);

    k->trace.now = ho_kernel_relay_now(k);
    ho_trace_note(&k->trace, "", step->u.text);
    return k->trace.err;
}
