/* Begin: the world of a plan on this machine, up to time 0; and its end.
 *
 * Hosts come first, with everything that the setup says of them. Then the links settle: an
 * interface's carrier is known to its namespace some milliseconds after it was made. Then agents
 * are forked, so that a process's first call does not pay for it, and commands of the setup are
 * started in their order, each waited for until it is ready while the relay runs. What is in
 * force is read back, time 0 is taken, and the settings are written down.
 *
 * Each host has a table of connections of its own (tcp_child_ehash_entries, Linux 6.1): sock_diag
 * walks the whole table at each look, and the machine's has some 2^18 buckets.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "kernel/world.h"
#include "os/clock.h"
#include "os/sched.h"
#include "os/sysctl.h"

#define CONNECTION_BUCKETS "512"
#define SETTLE_NS 2000000000LL /* links that have no carrier by then have none */
#define MOMENT_NS 5000000LL    /* enough for the settings of some hosts */
#define ASK_NS 10000000LL      /* between two questions whether a command is ready */

static int make_nodes(struct ho_kernel *k)
{
    const struct ho_plan *p = k->plan;

    k->host = calloc(p->node_count + 1, sizeof(*k->host));
    k->proc = calloc(p->proc_count + 1, sizeof(*k->proc));
    if (k->host == NULL || k->proc == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < p->node_count; i++) {
        struct ho_kernel_host *h = &k->host[i];

        h->node = (uint16_t)i;
        h->netns = -1;
        h->watch = -1;
        h->lo = -1;
        h->look = HO_NEVER;
        h->ports = ho_wires_ports(&k->wires, h->node);
        if (p->nodes[i].kind == HO_NODE_HOST) {
            h->plan = &p->nodes[i];
            h->wire = calloc(h->ports + 1, sizeof(struct ho_os_wire *));
            if (h->wire == NULL) {
                return -ENOMEM;
            }
        }
    }
    for (size_t i = 0; i < p->proc_count; i++) {
        k->proc[i].index = (uint16_t)i;
        k->proc[i].hands = -1;
        k->proc[i].play.node = p->procs[i].host;
        k->proc[i].play.name = k->trace.proc[i];
    }
    return 0;
}

static bool all_have_carrier(struct ho_kernel *k)
{
    for (size_t i = 0; i < k->plan->node_count; i++) {
        const struct ho_kernel_host *h = &k->host[i];

        for (unsigned port = 0; h->plan != NULL && port < h->ports; port++) {
            struct ho_os_link link = { .carrier = false };

            if (ho_os_net_link_get(h->net, ho_os_wire_index(h->wire[port]), &link) == 0 &&
                !link.carrier) {
                return false;
            }
        }
    }
    return true;
}

static void nap(int64_t ns)
{
    struct timespec t = { .tv_nsec = (long)ns };

    nanosleep(&t, NULL);
}

static void settle(struct ho_kernel *k)
{
    int64_t until = ho_os_now().ns + SETTLE_NS;

    while (!all_have_carrier(k) && ho_os_now().ns < until) {
        nap(1000000);
    }
    for (size_t i = 0; i < k->plan->node_count; i++) {
        const struct ho_kernel_host *h = &k->host[i];
        uint8_t frame[HO_BUF_LARGE];
        struct ho_time at;

        for (unsigned port = 0; h->plan != NULL && port < h->ports; port++) {
            while (ho_os_wire_read(h->wire[port], frame, sizeof(frame), &at) > 0) {
                /* what the kernel says of itself while it sets an interface up */
            }
        }
    }
}

/* ---- processes and commands before time 0 -------------------------------------------------------
 */

static bool has_step(const struct ho_plan *p, uint16_t proc, enum ho_step_kind kind)
{
    for (size_t i = 0; i < p->step_count; i++) {
        if (p->steps[i].kind == kind && p->steps[i].proc == proc) {
            return true;
        }
    }
    return false;
}

static int start_agents(struct ho_kernel *k)
{
    int err = 0;

    for (size_t i = 0; err == 0 && i < k->plan->proc_count; i++) {
        if (has_step(k->plan, (uint16_t)i, HO_STEP_CALL)) {
            err = ho_kernel_proc_hands(k, &k->proc[i]);
        } else if (has_step(k->plan, (uint16_t)i, HO_STEP_PROGRAM)) {
            err = ho_kernel_proc_agent(k, &k->proc[i]);
        }
    }
    return err;
}

static int wait_ready(struct ho_kernel *k, const struct ho_step *s)
{
    int ready = 0;

    while (ready == 0 && k->trace.err == 0) {
        struct ho_time next = ho_kernel_relay_now(k);

        next.ns += ASK_NS;
        ho_kernel_run(k, next);
        ready = ho_services_ready(k->services, s->proc);
    }
    if (ready < 0) {
        ho_trace_fail(&k->trace, ready, ho_services_why(k->services));
    }
    return k->trace.err;
}

static int start_commands(struct ho_kernel *k)
{
    int err = 0;

    for (size_t i = 0; err == 0 && i < k->plan->setup_count; i++) {
        const struct ho_step *s = &k->plan->setup[i];

        if (s->kind == HO_STEP_COMMAND) {
            k->proc[s->proc].running = true;
            err = ho_kernel_proc_command(k, s->proc, &s->u.command);
            err = err != 0 ? err : wait_ready(k, s);
        }
    }
    return err;
}

static bool has_commands(const struct ho_plan *p)
{
    for (size_t i = 0; i < p->setup_count; i++) {
        if (p->setup[i].kind == HO_STEP_COMMAND) {
            return true;
        }
    }
    return false;
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

static int begin_trace(struct ho_kernel *k)
{
    struct ho_timeline *tl = NULL;

    if (k->caller != NULL) {
        ho_timeline_destroy(&k->own);
        ho_timeline_init(&k->own, k->caller->max);
        k->own.any_order = true;
        k->own.keep_frames = k->caller->keep_frames;
        tl = &k->own;
    }
    int err = ho_trace_begin(&k->trace, k->plan, tl);

    err = err != 0 ? err : ho_wires_init(&k->wires, &k->trace, &k->bufs);
    return err != 0 ? err : make_nodes(k);
}

static int build_hosts(struct ho_kernel *k)
{
    int err = 0;

    ho_os_sysctl_write(-1, "net.ipv4.tcp_child_ehash_entries", CONNECTION_BUCKETS);
    for (size_t i = 0; err == 0 && i < k->plan->node_count; i++) {
        if (k->host[i].plan != NULL) {
            err = ho_kernel_host_on(k, &k->host[i]);
        }
    }
    if (err == 0) {
        settle(k);
    }
    return err;
}

static void read_facts(struct ho_kernel *k)
{
    for (size_t i = 0; i < k->plan->node_count; i++) {
        if (k->host[i].plan != NULL) {
            ho_kernel_read_sysctls(&k->host[i]);
        }
    }
}

/* Time 0 is now, or in a moment: what is still to be written down at time 0 is no part of the play.
 */
static void take_zero(struct ho_kernel *k, bool runs)
{
    if (runs) {
        k->zero = (struct ho_dur){ ho_kernel_relay_now(k).ns };
    } else {
        int64_t before = k->base_ns;

        k->base_ns = ho_os_now().ns + (k->options.virtual_clock ? 0 : MOMENT_NS);
        if (k->has_clk) {
            uint64_t j = ho_clk_jiffies(&k->clk, (struct ho_time){ k->base_ns - before });

            k->clk.phase_ns = k->base_ns - before - ho_clk_jiffy_time(&k->clk, j).ns;
            k->clk.jiffies0 = j;
        }
    }
    k->trace.now = (struct ho_time){ k->zero.ns };
    for (size_t i = 0; i < k->plan->proc_count; i++) {
        if (k->proc[i].agent != NULL) {
            ho_agent_time0(k->proc[i].agent, k->base_ns + k->zero.ns);
        }
    }
}

int ho_kernel_build(struct ho_kernel *k)
{
    bool commands = has_commands(k->plan);
    int64_t left;
    int err = ho_os_loop_new(&k->loop);

    prctl(PR_SET_TIMERSLACK, 1UL);
    ho_os_sched_prompt(); /* an ordinary user is not allowed to, and gets later times */
    k->begun = err == 0;
    ho_kernel_moment_before(k, commands);
    k->base_ns = ho_os_now().ns;
    err = err != 0 ? err : begin_trace(k);
    if (err != 0) {
        return ho_kernel_fail(k, err, k->plan->name, "the world cannot be built");
    }
    err = build_hosts(k);
    if (err == 0) {
        read_facts(k);
        ho_kernel_read_clock(k);
        err = start_agents(k);
    }
    if (err == 0 && commands) {
        err = start_commands(k);
    }
    if (err != 0) {
        return err;
    }
    ho_kernel_moment(k, commands);
    take_zero(k, commands);
    ho_kernel_settings(k);
    for (size_t i = 0; i < k->plan->node_count; i++) {
        ho_kernel_sample(k, &k->host[i]);
    }
    left = k->zero.ns - ho_kernel_relay_now(k).ns;
    if (left > 0) {
        nap(left);
    }
    k->started = true;
    k->wakes0 = ho_os_loop_wakes(k->loop);
    return k->trace.err;
}

void ho_kernel_demolish(struct ho_kernel *k)
{
    for (size_t i = 0; k->proc != NULL && i < k->plan->proc_count; i++) {
        ho_kernel_proc_forget(k, &k->proc[i]);
        ho_play_fds_free(&k->proc[i].play);
    }
    ho_services_free(k->services);
    for (size_t i = 0; k->host != NULL && i < k->plan->node_count; i++) {
        ho_kernel_host_off(k, &k->host[i]);
        free(k->host[i].wire);
        free(k->host[i].expiry);
    }
    ho_os_aside_reap(&k->aside);
    free(k->host);
    free(k->proc);
    free(k->socks);
    free(k->neighs);
    free(k->option);
    ho_wires_destroy(&k->wires);
    ho_trace_destroy(&k->trace);
    ho_timeline_destroy(&k->own);
    ho_bufpool_destroy(&k->bufs);
    ho_os_loop_free(k->loop);
}
