/* Processes: an agent for their calls and behaviours, a service for a command.
 *
 * `start` is only a promise: the agent of a process that will make calls was forked before time 0;
 * one that comes to life again is forked at its first call.
 */

#include <errno.h>

#include "kernel/world.h"
#include "play/faults.h"
#include "play/verbs.h"

#define CALL_WAITS_NS (500 * INT64_C(1000000)) /* for a connection that a call is about */
#define CALL_LOOKS_NS INT64_C(2000000)

#define KILL_NS 5000000000LL /* then it is waited for with the relay standing still */

static struct ho_kernel *kernel_of(void *self)
{
    return self;
}

/* The verb acts now: everything that came before is recorded, the hosts' processes are known. */
static struct ho_kernel_proc *enter(struct ho_kernel *k, uint16_t proc)
{
    ho_kernel_hear_all(k);
    k->trace.now = ho_kernel_relay_now(k);
    return &k->proc[proc];
}

static int refuse_dead(struct ho_kernel *k, const struct ho_kernel_proc *p)
{
    return ho_trace_refuse(&k->trace, p->play.name, "the process does not run");
}

/* ---- agents ------------------------------------------------------------------------------------
 */

int ho_kernel_proc_agent(struct ho_kernel *k, struct ho_kernel_proc *p)
{
    struct ho_agent_conf conf = {
        .netns = k->host[p->play.node].netns,
        .name = k->plan->procs[p->index].name,
        .time0_ns = k->started ? k->base_ns + k->zero.ns : HO_AGENT_TIME_UNKNOWN,
    };
    int err;

    if (p->agent != NULL) {
        return 0;
    }
    err = ho_agent_start(&p->agent, &conf);
    if (err != 0) {
        p->agent = NULL;
        return ho_kernel_fail(k, err, p->play.name, "its process cannot be started");
    }
    p->hands = -1;
    p->reading = true;
    p->connects = 0;
    err = ho_kernel_watch(k, ho_agent_fd(p->agent), HO_KERNEL_TAG_AGENT, p->index);
    p->watched = err == 0;
    return err;
}

static void drop_agent(struct ho_kernel *k, struct ho_kernel_proc *p)
{
    if (p->watched) {
        ho_kernel_unwatch(k, ho_agent_fd(p->agent));
        p->watched = false;
    }
    ho_agent_free(p->agent);
    p->agent = NULL;
}

void ho_kernel_proc_forget(struct ho_kernel *k, struct ho_kernel_proc *p)
{
    if (p->agent != NULL) {
        drop_agent(k, p);
    }
    ho_play_fds_forget(&p->play);
    p->play.not_reading = false;
    p->running = false;
    p->stopped = false;
    p->hands = -1;
}

/* The process's hands, made at the first call. */
int ho_kernel_proc_hands(struct ho_kernel *k, struct ho_kernel_proc *p)
{
    struct ho_program_error error = { .text = "" };
    unsigned program;
    int err = ho_kernel_proc_agent(k, p);

    if (err != 0 || p->hands >= 0) {
        return err;
    }
    err = ho_agent_program(p->agent, "raw", NULL, 0, &program, &error);
    if (err != 0) {
        return ho_kernel_fail(k, err, p->play.name, error.text);
    }
    p->hands = (int)program;
    ho_kernel_hear(k, p);
    return k->trace.err;
}

int ho_kernel_verb_start(void *self, uint16_t proc)
{
    struct ho_kernel *k = kernel_of(self);
    struct ho_kernel_proc *p = enter(k, proc);

    if (p->running || !k->host[p->play.node].up) {
        return ho_trace_refuse(&k->trace, p->play.name,
                               p->running ? "the process runs already" : "its host has no power");
    }
    if (p->agent != NULL && ho_agent_ended(p->agent, NULL)) {
        drop_agent(k, p);
    }
    p->running = true;
    return k->trace.err;
}

/* ---- calls and programs ------------------------------------------------------------------------
 */

static int command(struct ho_kernel *k, struct ho_kernel_proc *p, const struct ho_play_verb *v)
{
    struct ho_program_error error = { .text = "" };
    int err = ho_agent_command(p->agent, (unsigned)p->hands, v->name, v->arg, v->n, &error);

    if (err == -EPIPE || err == -ETIMEDOUT || err == -ENOENT) {
        return ho_kernel_fail(k, err, p->play.name, "its agent does not answer");
    }
    ho_kernel_hear(k, p);
    return ho_play_verb_result(&k->trace, &p->play, v->name, err, &error);
}

/* The verb for a call. The connection that the plan means may be a moment late on a busy machine:
 * the process has not been told of it yet. So long as there is none the world goes on.
 */
static int verb_of(struct ho_kernel *k, struct ho_kernel_proc *p, const struct ho_plan_call *call,
                   unsigned i, struct ho_play_verb *ret)
{
    struct ho_time give_up = ho_time_add(ho_kernel_relay_now(k), ho_ns(CALL_WAITS_NS));

    for (;;) {
        k->trace.now = ho_kernel_relay_now(k);
        int more = ho_play_verb(&k->trace, &p->play, call, i, ret);

        if (more != -EINVAL || i > 0 || !ho_time_before(k->trace.now, give_up)) {
            return more;
        }
        int err = ho_kernel_run(k, ho_time_add(k->trace.now, ho_ns(CALL_LOOKS_NS)));

        if (err != 0) {
            return err;
        }
    }
}

int ho_kernel_verb_call(void *self, uint16_t proc, const struct ho_plan_call *call)
{
    struct ho_kernel *k = kernel_of(self);
    struct ho_kernel_proc *p = enter(k, proc);
    struct ho_play_verb v;
    int more = 1;
    int err;

    if (!p->running) {
        return refuse_dead(k, p);
    }
    err = ho_kernel_proc_hands(k, p);
    for (unsigned i = 0; err == 0 && more == 1; i++) {
        more = verb_of(k, p, call, i, &v);
        err = more == 1 ? command(k, p, &v) : more;
    }
    if (err == 0 && p->agent != NULL && p->reading == p->play.not_reading) {
        p->reading = !p->play.not_reading;
        err = ho_agent_reading(p->agent, (unsigned)p->hands, p->reading);
    }
    ho_kernel_dirty(k, p->play.node);
    return err != 0 ? err : k->trace.err;
}

int ho_kernel_verb_program(void *self, uint16_t proc, const struct ho_plan_program *program)
{
    struct ho_kernel *k = kernel_of(self);
    struct ho_kernel_proc *p = enter(k, proc);
    struct ho_program_error error = { .text = "" };
    struct ho_program_arg arg[HO_PLAN_ARGS];
    size_t n = ho_play_program_args(program, arg);
    unsigned number;
    int err;

    if (!p->running) {
        return refuse_dead(k, p);
    }
    err = ho_kernel_proc_agent(k, p);
    if (err != 0) {
        return err;
    }
    err = ho_agent_program(p->agent, program->name, arg, n, &number, &error);
    if (err == -EINVAL) {
        return ho_trace_refuse(&k->trace, program->name, error.text);
    }
    if (err == -ENOSPC) {
        return ho_trace_refuse(&k->trace, program->name, "too many programs in one process");
    }
    if (err == -EBUSY) {
        return ho_trace_refuse(&k->trace, program->name, "the process is stopped");
    }
    if (err != 0) {
        return ho_kernel_fail(k, err, program->name, "its agent does not answer");
    }
    ho_kernel_hear(k, p);
    ho_kernel_dirty(k, p->play.node);
    return k->trace.err;
}

/* ---- commands ----------------------------------------------------------------------------------
 */

static int need_services(struct ho_kernel *k)
{
    char why[HO_TRACE_WHY] = "";
    int err;

    if (k->services != NULL) {
        return 0;
    }
    err = ho_services_new(&k->services, k->plan, k->options.uid, k->options.gid, why, sizeof(why));
    if (err != 0) {
        k->services = NULL;
        return ho_kernel_fail(k, err, "commands", why);
    }
    return ho_kernel_watch(k, ho_services_fd(k->services), HO_KERNEL_TAG_SERVICES, 0);
}

int ho_kernel_proc_command(struct ho_kernel *k, uint16_t proc, const struct ho_plan_command *c)
{
    int err = need_services(k);

    if (err != 0) {
        return err;
    }
    k->host[k->plan->procs[proc].host].commands = true;
    err = ho_services_start(k->services, proc, k->host[k->plan->procs[proc].host].netns, c);
    if (err != 0) {
        ho_trace_fail(&k->trace, err, ho_services_why(k->services));
    }
    return k->trace.err;
}

int ho_kernel_verb_command(void *self, uint16_t proc, const struct ho_plan_command *command)
{
    struct ho_kernel *k = kernel_of(self);
    struct ho_kernel_proc *p = enter(k, proc);
    int err;

    if (!k->host[p->play.node].up) {
        return ho_trace_refuse(&k->trace, p->play.name, "its host has no power");
    }
    p->running = true;
    err = ho_kernel_proc_command(k, proc, command);
    ho_kernel_dirty(k, p->play.node);
    return err;
}

int ho_kernel_verb_input(void *self, uint16_t proc, const struct ho_plan_input *input)
{
    struct ho_kernel *k = kernel_of(self);
    struct ho_kernel_proc *p = enter(k, proc);
    int err = k->services != NULL ? ho_services_input(k->services, proc, input) : -EINVAL;

    if (err == -EINVAL || err == -ENOSPC) {
        return ho_trace_refuse(&k->trace, p->play.name,
                               k->services != NULL ? ho_services_why(k->services)
                                                   : "no command runs in this process");
    }
    return err;
}

/* ---- signals -----------------------------------------------------------------------------------
 */

static bool has_service(const struct ho_kernel *k, uint16_t proc)
{
    return k->services != NULL && ho_services_runs(k->services, proc);
}

/* The kernel takes some 0.1 s to end a command with its namespaces; its sockets are closed at once
 * and what they send must not wait: the relay runs meanwhile. Options are not read (options.c).
 */
static void kill_command(struct ho_kernel *k, uint16_t proc)
{
    struct ho_time until = ho_kernel_relay_now(k);
    int64_t patience = until.ns + KILL_NS;

    if (!has_service(k, proc) || ho_services_kill_begin(k->services, proc) != 0) {
        return;
    }
    /* While it dies its descriptors have something to say all the time. */
    ho_kernel_unwatch(k, ho_services_fd(k->services));
    k->killing = true;
    while (has_service(k, proc) && k->trace.err == 0 && until.ns < patience) {
        until = ho_time_add(ho_kernel_relay_now(k), ho_ms(1));
        ho_kernel_run(k, until);
        ho_kernel_hear_services(k);
    }
    k->killing = false;
    ho_kernel_watch(k, ho_services_fd(k->services), HO_KERNEL_TAG_SERVICES, 0);
    if (has_service(k, proc)) {
        ho_services_kill(k->services, proc);
    }
    ho_kernel_hear_services(k);
}

int ho_kernel_verb_kill(void *self, uint16_t proc, const struct ho_step *step)
{
    struct ho_kernel *k = kernel_of(self);
    struct ho_kernel_proc *p = enter(k, proc);

    ho_trace_fault(&k->trace, step);
    kill_command(k, proc);
    if (p->agent != NULL && p->running) {
        p->running = false;
        ho_agent_kill(p->agent);
        ho_kernel_hear(k, p);
    }
    ho_kernel_proc_forget(k, p);
    ho_kernel_dirty(k, p->play.node);
    return k->trace.err;
}

int ho_kernel_verb_stop(void *self, uint16_t proc, const struct ho_step *step)
{
    struct ho_kernel *k = kernel_of(self);
    struct ho_kernel_proc *p = enter(k, proc);

    ho_trace_fault(&k->trace, step);
    if (has_service(k, proc)) {
        ho_services_stop(k->services, proc);
    }
    if (p->agent != NULL && p->running && !p->stopped) {
        ho_agent_stop(p->agent);
        p->stopped = true;
    }
    ho_kernel_dirty(k, p->play.node);
    return k->trace.err;
}

int ho_kernel_verb_continue(void *self, uint16_t proc, const struct ho_step *step)
{
    struct ho_kernel *k = kernel_of(self);
    struct ho_kernel_proc *p = enter(k, proc);

    ho_trace_fault(&k->trace, step);
    if (has_service(k, proc)) {
        ho_services_cont(k->services, proc);
    }
    if (p->agent != NULL && p->stopped) {
        ho_agent_continue(p->agent);
        p->stopped = false;
    }
    ho_kernel_dirty(k, p->play.node);
    return k->trace.err;
}

/* ---- a host's power ----------------------------------------------------------------------------
 */

void ho_kernel_procs_freeze(struct ho_kernel *k, uint16_t node)
{
    for (size_t i = 0; i < k->plan->proc_count; i++) {
        struct ho_kernel_proc *p = &k->proc[i];

        if (p->play.node == node && p->agent != NULL) {
            ho_agent_stop(p->agent);
        }
    }
}

void ho_kernel_procs_end(struct ho_kernel *k, uint16_t node)
{
    for (size_t i = 0; i < k->plan->proc_count; i++) {
        if (k->proc[i].play.node == node) {
            ho_kernel_proc_forget(k, &k->proc[i]);
            kill_command(k, (uint16_t)i);
        }
    }
}
