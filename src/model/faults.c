/* The verbs that act on the world. Each writes its fault first, then does it, then lets the
 * world answer at the same instant.
 */

#include "model/faults.h"

#include <errno.h>
#include <stdio.h>

#include "model/build.h"
#include "model/world.h"
#include "play/faults.h"
#include "play/settings.h"
#include "play/verbs.h"

/* The host was fed: it sends, the record looks, the world answers. */
static int answer(struct ho_model *m, struct ho_model_node *n)
{
    ho_model_drain(m, n);
    ho_model_dirty(m, n);
    ho_model_settle(m);
    return m->tr.err;
}

/* ---- processes ------------------------------------------------------------------------------- */

int ho_model_verb_start(void *self, uint16_t proc)
{
    struct ho_model *m = self;
    struct ho_model_proc *p = &m->procs[proc];
    int err = ho_model_proc_start(m, p);

    return err == -EINVAL
               ? ho_trace_refuse(&m->tr, m->plan->procs[proc].name, "cannot be started now")
               : err;
}

int ho_model_verb_call(void *self, uint16_t proc, const struct ho_plan_call *call)
{
    struct ho_model *m = self;
    struct ho_model_proc *p = &m->procs[proc];
    int err;

    if (p->pid == 0) {
        return ho_trace_refuse(&m->tr, m->plan->procs[proc].name, "the process does not run");
    }
    err = ho_model_call(m, p, call);
    if (err != 0) {
        return err;
    }
    ho_model_settle(m);
    return m->tr.err;
}

int ho_model_verb_program(void *self, uint16_t proc, const struct ho_plan_program *program)
{
    struct ho_model *m = self;
    struct ho_model_proc *p = &m->procs[proc];
    struct ho_program_error error = { .text = "" };
    struct ho_program_arg arg[HO_PLAN_ARGS];
    struct ho_model_program *g;
    int err;

    if (p->pid == 0) {
        return ho_trace_refuse(&m->tr, m->plan->procs[proc].name, "the process does not run");
    }
    err =
        ho_model_proc_add(m, p, program->name, arg, ho_play_program_args(program, arg), &error, &g);
    if (err == -EINVAL) {
        return ho_trace_refuse(&m->tr, program->name, error.text);
    }
    if (err != 0) {
        snprintf(m->tr.why, sizeof(m->tr.why), "%s: %s", program->name,
                 err == -ENOSPC ? "too many programs in one process" : "no memory");
        return err == -ENOSPC ? -EINVAL : err;
    }
    ho_model_program_run(m, g);
    ho_model_settle(m);
    return m->tr.err;
}

static struct ho_model_proc *proc_fault(struct ho_model *m, uint16_t proc,
                                        const struct ho_step *step)
{
    ho_trace_fault(&m->tr, step);
    return &m->procs[proc];
}

int ho_model_verb_kill(void *self, uint16_t proc, const struct ho_step *step)
{
    struct ho_model *m = self;
    struct ho_model_proc *p = proc_fault(m, proc, step);

    if (p->pid != 0) {
        ho_host_kill(m->nodes[p->play.node].host, p->pid, m->tr.now);
        ho_model_proc_end(m, p);
    }
    return answer(m, &m->nodes[p->play.node]);
}

int ho_model_verb_stop(void *self, uint16_t proc, const struct ho_step *step)
{
    struct ho_model *m = self;
    struct ho_model_proc *p = proc_fault(m, proc, step);

    if (p->pid != 0 && !p->stopped) {
        ho_model_proc_stop(m, p);
    }
    return answer(m, &m->nodes[p->play.node]);
}

int ho_model_verb_continue(void *self, uint16_t proc, const struct ho_step *step)
{
    struct ho_model *m = self;
    struct ho_model_proc *p = proc_fault(m, proc, step);

    if (p->pid != 0 && p->stopped) {
        ho_model_proc_continue(m, p);
    }
    return answer(m, &m->nodes[p->play.node]);
}

/* ---- hosts ----------------------------------------------------------------------------------- */

static struct ho_model_node *host_fault(struct ho_model *m, uint16_t host,
                                        const struct ho_step *step)
{
    ho_trace_fault(&m->tr, step);
    return &m->nodes[host];
}

int ho_model_verb_sysctl(void *self, uint16_t host, const struct ho_plan_sysctl *sysctl)
{
    struct ho_model *m = self;
    struct ho_step step = { .kind = HO_STEP_SYSCTL, .host = host, .u.sysctl = *sysctl };
    int err;

    step.u.sysctl.host = host;
    err = ho_model_configure(m, &step);
    if (err == 0) {
        ho_trace_setting_sysctl(&m->tr, host, ho_host_sysctls(m->nodes[host].host),
                                ho_sysctl_info((enum ho_sysctl)sysctl->id)->name);
    }
    return err != 0 ? err : answer(m, &m->nodes[host]);
}

int ho_model_verb_power_off(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_model *m = self;
    struct ho_model_node *n = host_fault(m, host, step);

    if (!ho_host_is_up(n->host)) {
        return ho_trace_refuse(&m->tr, n->plan->name, "has no power already");
    }
    ho_host_power_off(n->host, m->tr.now);
    for (size_t i = 0; i < m->plan->proc_count; i++) {
        if (m->procs[i].play.node == host && m->procs[i].pid != 0) {
            ho_model_proc_end(m, &m->procs[i]);
        }
    }
    ho_model_guests_forget(m, host);
    ho_model_wires_power(m, n, false);
    return answer(m, n);
}

int ho_model_verb_boot(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_model *m = self;
    struct ho_model_node *n = host_fault(m, host, step);

    if (ho_host_is_up(n->host)) {
        return ho_trace_refuse(&m->tr, n->plan->name, "runs already");
    }
    ho_host_boot(n->host, m->tr.now);
    ho_model_wires_power(m, n, true);
    return answer(m, n);
}

int ho_model_verb_interface(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_model *m = self;
    int nic = step->u.net.ifindex == HO_IF_LO ? HO_NIC_LO : step->u.net.ifindex;
    struct ho_model_node *n = host_fault(m, host, step);
    int err = ho_host_link(n->host, nic, step->u.net.up, m->tr.now);

    return err != 0 ? ho_trace_refuse(&m->tr, n->plan->name, "no such interface") : answer(m, n);
}

int ho_model_verb_address(void *self, uint16_t host, const struct ho_step *step)
{
    struct ho_model *m = self;
    const struct ho_plan_addr *a = &step->u.net.u.address;
    struct ho_model_node *n = host_fault(m, host, step);
    int err = step->u.net.up ? ho_host_addr_add(n->host, a->ifindex, &a->addr, a->bits, m->tr.now)
                             : ho_host_addr_del(n->host, a->ifindex, &a->addr, m->tr.now);

    if (err != 0 && err != -ENOMEM) {
        return ho_trace_refuse(&m->tr, n->plan->name,
                               err == -EEXIST ? "has this address already" : "no such address");
    }
    return err != 0 ? err : answer(m, n);
}

static int configure(struct ho_model *m, uint16_t host, const struct ho_step *step)
{
    struct ho_model_node *n = host_fault(m, host, step);
    int err = ho_model_configure(m, step);

    return err != 0 ? err : answer(m, n);
}

int ho_model_verb_route(void *self, uint16_t host, const struct ho_step *step)
{
    return configure(self, host, step);
}

int ho_model_verb_neighbour(void *self, uint16_t host, const struct ho_step *step)
{
    return configure(self, host, step);
}

/* ---- cables ---------------------------------------------------------------------------------- */

int ho_model_verb_cable(void *self, uint16_t cable, const struct ho_step *step)
{
    return ho_model_wires_fault(self, cable, step);
}

int ho_model_verb_note(void *self, const struct ho_step *step)
{
    struct ho_model *m = self;

    ho_trace_note(&m->tr, "", step->u.text);
    return m->tr.err;
}
