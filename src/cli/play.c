/* One case: plan, engine, timeline, verdicts. */

#include "cli/play.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/guest.h"
#include "cli/machine.h"
#include "kernel/kernel.h"
#include "knobs/profile.h"
#include "knobs/sysctl.h"
#include "model/model.h"
#include "model/ranges.h"

/* A timeline of more records than this is cut off, and says so. */
#define RECORDS_MAX 4000000u

/* ---- --set HOST:NAME=VALUE ------------------------------------------------------------------- */

static int find_host(const struct ho_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        if (plan->nodes[i].kind == HO_NODE_HOST && strcmp(plan->nodes[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -ENOENT;
}

/* A host's kernel may not have the sysctl yet (knobs/profile.h). */
static int check_kernel(const struct ho_plan_node *node, const struct ho_host_set *s)
{
    int profile = ho_profile_find(node->profile);
    enum ho_sysctl id = (enum ho_sysctl)ho_sysctl_find(s->name);

    if (profile < 0 || ho_profile_has_sysctl((enum ho_profile_id)profile, id)) {
        return HO_EXIT_OK;
    }
    return ho_cli_say(HO_EXIT_USAGE, "--set: %s is %s: it has no %s, which came with Linux %s",
                      s->host, node->profile, ho_sysctl_info(id)->name,
                      ho_profile_sysctl_since(id));
}

/* Adds the options' settings of single hosts behind those of the file. */
static int add_host_sets(struct ho_play *p, const struct ho_run_options *o)
{
    size_t count = p->plan->setup_count;
    struct ho_step *setup;

    if (o->host_set_count == 0) {
        return HO_EXIT_OK;
    }
    setup = calloc(count + o->host_set_count, sizeof(*setup));
    if (setup == NULL) {
        return ho_cli_no_memory();
    }
    p->setup = setup;
    if (count > 0) {
        memcpy(setup, p->plan->setup, count * sizeof(*setup));
    }
    for (size_t i = 0; i < o->host_set_count; i++) {
        const struct ho_host_set *s = &o->host_set[i];
        int host = find_host(p->plan, s->host);

        if (host < 0) {
            return ho_cli_say(HO_EXIT_USAGE, "--set: %s has no host '%s'", p->source->where,
                              s->host);
        }
        int code = check_kernel(&p->plan->nodes[host], s);
        if (code != HO_EXIT_OK) {
            return code;
        }
        setup[count] = (struct ho_step){ .kind = HO_STEP_SYSCTL, .host = (uint16_t)host };
        setup[count].u.sysctl = (struct ho_plan_sysctl){
            .host = (uint16_t)host, .id = ho_sysctl_find(s->name), .name = s->name, .text = s->value
        };
        count++;
    }
    p->planned_setup = p->plan->setup;
    p->plan->setup = setup;
    p->plan->setup_count = count;
    return HO_EXIT_OK;
}

/* ---- a case ---------------------------------------------------------------------------------- */

int ho_play_plan(struct ho_play *ret, const struct ho_source *s, size_t number,
                 const struct ho_run_options *o)
{
    struct ho_scn_case c = ho_scn_case(s->scn, number);
    struct ho_play p = {
        .source = s, .number = number, .count = ho_scn_case_count(s->scn), .engine = o->plan.engine
    };
    struct ho_scn_error e;
    int err = ho_plan_make(&p.plan, s->scn, &c, &o->plan, &e);
    int code;

    if (err == -EINVAL) {
        fprintf(stderr, "%s:%u:%u: %s\n", s->where, e.line, e.column, e.text);
        return HO_EXIT_USAGE;
    }
    if (err != 0) {
        return ho_cli_no_memory();
    }
    if (o->kernel && (!o->virtual_kernel || ho_guest_inside() != NULL)) {
        ho_machine_fit(p.plan, s->scn);
        ho_machine_allow_late(p.plan);
    }
    p.judged = s->is_file || !(o->plan.has_hz || o->plan.has_rtt || o->plan.set_count > 0 ||
                               o->host_set_count > 0);
    ho_timeline_init(&p.timeline, RECORDS_MAX);
    p.timeline.keep_frames = o->pcapng != NULL;
    code = add_host_sets(&p, o);
    if (code != HO_EXIT_OK) {
        ho_play_free(&p);
        return code;
    }
    *ret = p;
    return HO_EXIT_OK;
}

/* Says why a play broke off. */
static int broke_off(const struct ho_play *p, int err)
{
    if (err == -ENOMEM) {
        return ho_cli_no_memory();
    }
    if (err == -EINVAL) {
        fprintf(stderr, "%s:%u:1: %s\n", p->source->where, p->why.line, p->why.text);
        return HO_EXIT_USAGE;
    }
    return ho_cli_say(HO_EXIT_CANNOT, "%s: %s", ho_play_name(p), p->why.text);
}

int ho_play_on(struct ho_play *p, const struct ho_engine *engine)
{
    int err = ho_run(&p->result, p->plan, engine, &p->timeline, &p->why);

    if (err == -ENOTSUP) {
        return HO_EXIT_OK;
    }
    if (err != 0) {
        return broke_off(p, err);
    }
    p->played = true;
    return ho_verdicts_range(&p->timeline, &p->result.verdicts) == 0 ? HO_EXIT_OK
                                                                     : ho_cli_no_memory();
}

void ho_play_warnings(const struct ho_engine *kernel)
{
    const struct ho_kernel *k = ho_kernel_of(kernel);
    const char *text;

    for (size_t i = 0; (text = ho_kernel_warning(k, i)) != NULL; i++) {
        ho_cli_say(HO_EXIT_OK, "%s", text);
    }
}

int ho_play(struct ho_play *p, const struct ho_run_options *o)
{
    struct ho_kernel_options options = ho_guest_kernel_options();
    struct ho_engine engine;
    int code;

    if ((o->kernel ? ho_kernel_new(&engine, &options) : ho_model_new(&engine)) != 0) {
        return ho_cli_no_memory();
    }
    code = ho_play_on(p, &engine);
    if (o->kernel) {
        ho_play_warnings(&engine);
    }
    engine.destroy(engine.self);
    return code;
}

void ho_play_free(struct ho_play *p)
{
    if (p == NULL) {
        return;
    }
    if (p->played) {
        ho_run_result_free(&p->result);
    }
    ho_timeline_destroy(&p->timeline);
    if (p->setup != NULL) {
        p->plan->setup = p->planned_setup;
    }
    free(p->setup);
    free(p->phase);
    ho_plan_free(p->plan);
}

const char *ho_play_name(const struct ho_play *p)
{
    static char name[160];

    if (p->plan->case_name[0] == '\0') {
        return p->plan->name;
    }
    snprintf(name, sizeof(name), "%s (%s)", p->plan->name, p->plan->case_name);
    return name;
}

const char *ho_play_kernel(const struct ho_play *p)
{
    const struct ho_record *r =
        ho_timeline_setting(&p->timeline, p->timeline.n, "run", "", "", "kernel");

    return r != NULL ? r->u.settings.text : "";
}

uint32_t ho_play_hz(const struct ho_play *p)
{
    for (size_t i = 0; i < p->plan->node_count; i++) {
        if (p->plan->nodes[i].kind == HO_NODE_HOST) {
            return p->plan->nodes[i].hz;
        }
    }
    return 0;
}
