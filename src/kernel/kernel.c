/* The engine's table, its end, and what kernel.h offers beside it. */

#include "kernel/kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/world.h"
#include "knobs/errno.h"
#include "os/clock.h"

static struct ho_kernel *kernel_of(void *self)
{
    return self;
}

struct ho_time ho_kernel_relay_now(const struct ho_kernel *k)
{
    return (struct ho_time){ ho_os_now().ns - k->base_ns };
}

int ho_kernel_fail(struct ho_kernel *k, int err, const char *what, const char *why)
{
    char text[HO_TRACE_WHY];

    if (why != NULL && why[0] != '\0') {
        snprintf(text, sizeof(text), "%s: %s", what, why);
    } else {
        snprintf(text, sizeof(text), "%s: %s", what, ho_errno_name(-err));
    }
    ho_trace_fail(&k->trace, err, text);
    return err;
}

void ho_kernel_warn(struct ho_kernel *k, const char *format, ...)
{
    char text[HO_TRACE_WHY];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (size_t i = 0; i < k->warnings; i++) {
        if (strcmp(k->warning[i], text) == 0) {
            return;
        }
    }
    if (k->warnings < HO_KERNEL_WARNINGS) {
        k->warning[k->warnings] = strdup(text);
        k->warnings += k->warning[k->warnings] != NULL;
    }
}

/* ---- the records become the caller's ----------------------------------------------------------
 */

static void merge(struct ho_kernel *k)
{
    int err;

    if (k->merged || k->caller == NULL || k->trace.node == NULL) {
        return;
    }
    k->merged = true;
    for (size_t i = 0; k->zero.ns != 0 && i < k->own.n; i++) {
        k->own.rec[i].t.ns -= k->zero.ns;
    }
    k->zero = (struct ho_dur){ 0 };
    err = ho_trace_merge(&k->trace, k->caller);
    if (err != 0) {
        ho_trace_fail(&k->trace, err, "no memory for the timeline");
    }
}

/* What a verb returns; after a failure the timeline holds what happened until then. */
static int end(struct ho_kernel *k, int err)
{
    if (err == 0) {
        err = k->trace.err;
    }
    if (err != 0) {
        merge(k);
    }
    return err;
}

/* ---- the table ---------------------------------------------------------------------------------
 */

static int engine_check(void *self, const struct ho_plan *plan, const struct ho_step **ret_step)
{
    return ho_kernel_check(kernel_of(self), plan, ret_step);
}

static int engine_begin(void *self, const struct ho_plan *plan, struct ho_timeline *timeline)
{
    struct ho_kernel *k = kernel_of(self);

    k->plan = plan;
    k->caller = timeline;
    return end(k, ho_kernel_build(k));
}

static int engine_run_until(void *self, struct ho_time t)
{
    struct ho_kernel *k = kernel_of(self);

    return end(k, ho_kernel_run(k, ho_time_add(t, k->zero)));
}

/* Output of commands that came faster than it could be taken. */
static void note_lost_lines(struct ho_kernel *k)
{
    uint64_t lost = k->services != NULL ? ho_services_dropped(k->services) : 0;
    char text[80];

    if (lost > 0) {
        (void)snprintf(text, sizeof(text), "%llu lines of output of commands were lost",
                       (unsigned long long)lost);
        ho_trace_note(&k->trace, "", text);
    }
}

static int engine_finish(void *self)
{
    struct ho_kernel *k = kernel_of(self);
    int err = ho_kernel_run(k, (struct ho_time){ 0 });

    ho_kernel_hear_all(k);
    note_lost_lines(k);
    for (size_t i = 0; err == 0 && i < k->plan->node_count; i++) {
        ho_kernel_sample(k, &k->host[i]);
    }
    err = err != 0 ? err : k->trace.err;
    merge(k);
    return err != 0 ? err : k->trace.err;
}

static const char *engine_why(void *self)
{
    struct ho_kernel *k = kernel_of(self);

    return k->trace.why[0] != '\0' ? k->trace.why : "out of memory";
}

static void engine_destroy(void *self)
{
    struct ho_kernel *k = kernel_of(self);

    ho_kernel_demolish(k);
    for (size_t i = 0; i < k->warnings; i++) {
        free(k->warning[i]);
    }
    free(k);
}

/* Verbs that end with end(): one function each, so that no verb forgets it. */
#define VERB(name, type, argument)                                                 \
    static int engine_##name(void *self, uint16_t index, type argument)            \
    {                                                                              \
        return end(kernel_of(self), ho_kernel_verb_##name(self, index, argument)); \
    }

VERB(call, const struct ho_plan_call *, call)
VERB(program, const struct ho_plan_program *, program)
VERB(command, const struct ho_plan_command *, command)
VERB(input, const struct ho_plan_input *, input)
VERB(kill, const struct ho_step *, step)
VERB(stop, const struct ho_step *, step)
VERB(continue, const struct ho_step *, step)
VERB(sysctl, const struct ho_plan_sysctl *, sysctl)
VERB(power_off, const struct ho_step *, step)
VERB(boot, const struct ho_step *, step)
VERB(interface, const struct ho_step *, step)
VERB(address, const struct ho_step *, step)
VERB(route, const struct ho_step *, step)
VERB(neighbour, const struct ho_step *, step)
VERB(cable, const struct ho_step *, step)

static int engine_start(void *self, uint16_t proc)
{
    return end(kernel_of(self), ho_kernel_verb_start(self, proc));
}

static int engine_note(void *self, const struct ho_step *step)
{
    return end(kernel_of(self), ho_kernel_verb_note(self, step));
}

int ho_kernel_new(struct ho_engine *ret, const struct ho_kernel_options *options)
{
    struct ho_kernel *k = calloc(1, sizeof(*k));

    if (k == NULL) {
        return -ENOMEM;
    }
    if (options != NULL) {
        k->options = *options;
    }
    ho_trace_init(&k->trace);
    ho_timeline_init(&k->own, 0);
    ho_bufpool_init(&k->bufs, HO_KERNEL_BUFS);
    *ret = (struct ho_engine){
        .name = k->options.virtual_clock ? "virtual-kernel" : "kernel",
        .self = k,
        .check = engine_check,
        .begin = engine_begin,
        .run_until = engine_run_until,
        .start = engine_start,
        .call = engine_call,
        .program = engine_program,
        .command = engine_command,
        .input = engine_input,
        .kill = engine_kill,
        .stop = engine_stop,
        .cont = engine_continue,
        .sysctl = engine_sysctl,
        .power_off = engine_power_off,
        .boot = engine_boot,
        .interface = engine_interface,
        .address = engine_address,
        .route = engine_route,
        .neighbour = engine_neighbour,
        .cut = engine_cable,
        .unplug = engine_cable,
        .plug = engine_cable,
        .drop = engine_cable,
        .note = engine_note,
        .finish = engine_finish,
        .why = engine_why,
        .destroy = engine_destroy,
    };
    return 0;
}

/* ---- beside the table --------------------------------------------------------------------------
 */

struct ho_kernel *ho_kernel_of(const struct ho_engine *engine)
{
    return kernel_of(engine->self);
}

const char *ho_kernel_wire_text(const struct ho_kernel *k)
{
    return k->form != HO_OS_WIRE_AUTO ? ho_os_wire_form_name(k->form) : "";
}

struct ho_time ho_kernel_now(const struct ho_kernel *k)
{
    struct ho_time now = { 0 };

    if (k->started) {
        now.ns = ho_kernel_relay_now(k).ns - k->zero.ns;
    }
    return now;
}

int ho_kernel_pollfd(const struct ho_kernel *k)
{
    return ho_os_loop_fd(k->loop);
}

int ho_kernel_poll(struct ho_kernel *k)
{
    int err = end(k, ho_kernel_run(k, (struct ho_time){ 0 }));

    if (err == 0) {
        struct ho_time due = ho_kernel_deadline(k);

        due =
            due.ns != HO_NEVER.ns ? (struct ho_time){ due.ns + k->zero.ns + k->base_ns } : HO_NEVER;
        ho_os_loop_deadline(k->loop, due);
    }
    return err;
}

uint64_t ho_kernel_wakeups(const struct ho_kernel *k)
{
    return k->loop != NULL ? ho_os_loop_wakes(k->loop) - k->wakes0 : 0;
}

const char *ho_kernel_warning(const struct ho_kernel *k, size_t i)
{
    return i < k->warnings ? k->warning[i] : NULL;
}

const struct ho_timeline *ho_kernel_timeline(const struct ho_kernel *k)
{
    return k->caller != NULL ? &k->own : NULL;
}

struct ho_dur ho_kernel_zero(const struct ho_kernel *k)
{
    return k->zero;
}

int ho_kernel_netns(const struct ho_kernel *k, uint16_t node)
{
    const struct ho_kernel_host *h = &k->host[node];

    return node < k->plan->node_count && h->plan != NULL && h->up ? h->netns : -1;
}

uint64_t ho_kernel_life(const struct ho_kernel *k, uint16_t node)
{
    return k->host[node].life;
}

struct ho_trace *ho_kernel_trace(struct ho_kernel *k)
{
    if (!k->begun) {
        return NULL;
    }
    k->trace.now = ho_kernel_relay_now(k);
    return &k->trace;
}

void ho_kernel_touch(struct ho_kernel *k, uint16_t node)
{
    ho_kernel_dirty(k, node);
}
