/* What is in force, as records. */

#include "play/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "knobs/profile.h"

void ho_trace_setting(struct ho_trace *tr, const char *host, const char *scope, const char *what,
                      const char *name, const char *text, int64_t value)
{
    ho_trace_put(tr, &(struct ho_record){
                         .kind = HO_REC_SETTINGS,
                         .host = host,
                         .u.settings = { .scope = scope,
                                         .what = what,
                                         .name = name,
                                         .text = text,
                                         .value = value },
                     });
}

void ho_trace_settings_run(struct ho_trace *tr, const char *engine)
{
    const struct ho_plan *p = tr->plan;

    if (tr->tl == NULL) {
        return;
    }
    ho_trace_setting(tr, "", "run", "", "scenario", ho_trace_name(tr, p->name), 0);
    if (p->case_name != NULL && p->case_name[0] != '\0') {
        ho_trace_setting(tr, "", "run", "", "case", ho_trace_name(tr, p->case_name), 0);
    }
    ho_trace_setting(tr, "", "run", "", "engine", engine, 0);
    ho_trace_setting(tr, "", "run", "", "seed", "", (int64_t)p->seed);
}

/* ---- hosts ----------------------------------------------------------------------------------- */

/* How many of the numbers from `id` on belong to the same sysctl. */
static unsigned numbers_of(unsigned id)
{
    const char *name = ho_sysctl_info((enum ho_sysctl)id)->name;
    unsigned n = 1;

    while (id + n < HO_SYSCTL_COUNT &&
           strcmp(ho_sysctl_info((enum ho_sysctl)(id + n))->name, name) == 0) {
        n++;
    }
    return n;
}

/* The sysctl whose first number is `id`. */
static void put_sysctl(struct ho_trace *tr, uint16_t node, const struct ho_sysctls *s, unsigned id)
{
    const char *host = tr->node[node].name;
    const char *name = ho_sysctl_info((enum ho_sysctl)id)->name;
    const char *word = ho_sysctl_word((enum ho_sysctl)id, s->v[id]);
    struct ho_text text = { 0 };

    if (word != NULL || numbers_of(id) == 1) {
        ho_trace_setting(tr, host, "sysctl", "", name, word, s->v[id]);
        return;
    }
    for (unsigned i = 0; i < numbers_of(id); i++) {
        ho_text_put(&text, i > 0 ? " " : "");
        ho_text_int(&text, s->v[id + i]);
    }
    ho_trace_setting(tr, host, "sysctl", "", name, ho_trace_name(tr, ho_text_str(&text)), 0);
    ho_text_free(&text);
}

void ho_trace_setting_sysctl(struct ho_trace *tr, uint16_t node, const struct ho_sysctls *s,
                             const char *name)
{
    int id = ho_sysctl_find(name);

    if (id >= 0 && tr->tl != NULL) {
        put_sysctl(tr, node, s, (unsigned)id);
    }
}

static void put_sysctls(struct ho_trace *tr, uint16_t node, const struct ho_play_host *h)
{
    int profile = h->profile != NULL ? ho_profile_find(h->profile) : -1;

    for (unsigned i = 0; i < HO_SYSCTL_COUNT; i += numbers_of(i)) {
        bool has =
            profile < 0 || ho_profile_has_sysctl((enum ho_profile_id)profile, (enum ho_sysctl)i);

        if (h->has_sysctl != NULL ? h->has_sysctl[i] : has) {
            put_sysctl(tr, node, h->sysctls, i);
        }
    }
}

static void put_addresses(struct ho_trace *tr, uint16_t node)
{
    const struct ho_plan_node *n = &tr->plan->nodes[node];
    char text[HO_ADDR_TEXT + 8];
    char addr[HO_ADDR_TEXT];

    for (unsigned i = 0; i < n->addr_count; i++) {
        snprintf(text, sizeof(text), "%s/%u", ho_addr_text(&n->addr[i].addr, addr),
                 n->addr[i].bits);
        ho_trace_setting(tr, tr->node[node].name, "host", "", "address", ho_trace_name(tr, text),
                         0);
    }
}

void ho_trace_settings_host(struct ho_trace *tr, uint16_t node, const struct ho_play_host *h)
{
    const char *host = tr->node[node].name;

    if (tr->tl == NULL) {
        return;
    }
    put_addresses(tr, node);
    if (h->has_hz) {
        ho_trace_setting(tr, host, "host", "", "hz", "", h->hz);
    }
    if (h->has_jiffies0) {
        ho_trace_setting(tr, host, "host", "", "jiffies0", "", (int64_t)h->jiffies0);
    }
    if (h->has_phase) {
        ho_trace_setting(tr, host, "host", "", "phase_ns", "", h->phase_ns);
    }
    if (h->profile != NULL && h->profile[0] != '\0') {
        ho_trace_setting(tr, host, "host", "", "profile", ho_trace_name(tr, h->profile), 0);
    }
    put_sysctls(tr, node, h);
}

/* ---- cables ---------------------------------------------------------------------------------- */

static void put_cable(struct ho_trace *tr, size_t i)
{
    const struct ho_plan_cable *c = &tr->plan->cables[i];
    const char *name = tr->cable[i];
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        { "rate_bps", (int64_t)c->rate_bps },  { "queue", c->queue },
        { "loss_ppm", c->loss_ppm },           { "reorder_ppm", c->reorder_ppm },
        { "duplicate_ppm", c->duplicate_ppm }, { "corrupt_ppm", c->corrupt_ppm },
    };

    ho_trace_setting(tr, "", "cable", name, "delay_us", "", c->delay.ns / 1000);
    for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
        if (numbers[k].value != 0 && (k != 1 || c->rate_bps != 0)) {
            ho_trace_setting(tr, "", "cable", name, numbers[k].name, "", numbers[k].value);
        }
    }
}

void ho_trace_settings_cables(struct ho_trace *tr)
{
    for (size_t i = 0; tr->tl != NULL && i < tr->plan->cable_count; i++) {
        put_cable(tr, i);
    }
}
