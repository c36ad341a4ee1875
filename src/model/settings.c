/* What is in force, as records: before the first other record, and again when one changes. */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/world.h"

static void put(struct ho_model *m, const char *host, const char *scope, const char *what,
                const char *name, const char *text, int64_t value)
{
    ho_model_put(m, &(struct ho_record){
                        .kind = HO_REC_SETTINGS,
                        .host = host,
                        .u.settings = { .scope = scope,
                                        .what = what,
                                        .name = name,
                                        .text = text,
                                        .value = value },
                    });
}

static void put_run(struct ho_model *m)
{
    put(m, "", "run", "", "scenario", ho_model_name(m, m->plan->name), 0);
    if (m->plan->case_name != NULL && m->plan->case_name[0] != '\0') {
        put(m, "", "run", "", "case", ho_model_name(m, m->plan->case_name), 0);
    }
    put(m, "", "run", "", "engine", "model", 0);
    put(m, "", "run", "", "seed", "", (int64_t)m->plan->seed);
}

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
static void put_sysctl(struct ho_model *m, const struct ho_model_node *n, unsigned id)
{
    const struct ho_sysctls *s = ho_host_sysctls(n->host);
    const char *name = ho_sysctl_info((enum ho_sysctl)id)->name;
    const char *word = ho_sysctl_word((enum ho_sysctl)id, s->v[id]);
    struct ho_text text = { 0 };

    if (word != NULL || numbers_of(id) == 1) {
        put(m, n->name, "sysctl", "", name, word, s->v[id]);
        return;
    }
    for (unsigned i = 0; i < numbers_of(id); i++) {
        ho_text_put(&text, i > 0 ? " " : "");
        ho_text_int(&text, s->v[id + i]);
    }
    put(m, n->name, "sysctl", "", name, ho_model_name(m, ho_text_str(&text)), 0);
    ho_text_free(&text);
}

void ho_model_setting_sysctl(struct ho_model *m, const struct ho_model_node *n, const char *name)
{
    int id = ho_sysctl_find(name);

    if (id >= 0) {
        put_sysctl(m, n, (unsigned)id);
    }
}

static void put_host(struct ho_model *m, const struct ho_model_node *n)
{
    char text[HO_ADDR_TEXT + 8];
    char addr[HO_ADDR_TEXT];
    int profile = ho_profile_find(n->plan->profile);

    for (unsigned i = 0; i < n->plan->addr_count; i++) {
        snprintf(text, sizeof(text), "%s/%u", ho_addr_text(&n->plan->addr[i].addr, addr),
                 n->plan->addr[i].bits);
        put(m, n->name, "host", "", "address", ho_model_name(m, text), 0);
    }
    put(m, n->name, "host", "", "hz", "", n->plan->hz);
    put(m, n->name, "host", "", "jiffies0", "", (int64_t)n->plan->jiffies0);
    put(m, n->name, "host", "", "phase_ns", "", n->plan->phase_ns);
    put(m, n->name, "host", "", "profile", ho_model_name(m, n->plan->profile), 0);
    for (unsigned i = 0; i < HO_SYSCTL_COUNT; i += numbers_of(i)) {
        if (profile < 0 || ho_profile_has_sysctl((enum ho_profile_id)profile, (enum ho_sysctl)i)) {
            put_sysctl(m, n, i);
        }
    }
}

static void put_cable(struct ho_model *m, uint16_t i)
{
    const struct ho_plan_cable *c = &m->plan->cables[i];
    const char *name = m->cables[i].name;
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        { "rate_bps", (int64_t)c->rate_bps },  { "queue", c->queue },
        { "loss_ppm", c->loss_ppm },           { "reorder_ppm", c->reorder_ppm },
        { "duplicate_ppm", c->duplicate_ppm }, { "corrupt_ppm", c->corrupt_ppm },
    };

    put(m, "", "cable", name, "delay_us", "", c->delay.ns / 1000);
    for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
        if (numbers[k].value != 0 && (k != 1 || c->rate_bps != 0)) {
            put(m, "", "cable", name, numbers[k].name, "", numbers[k].value);
        }
    }
}

void ho_model_settings(struct ho_model *m)
{
    put_run(m);
    for (size_t i = 0; i < m->plan->node_count; i++) {
        if (m->nodes[i].host != NULL) {
            put_host(m, &m->nodes[i]);
        }
    }
    for (size_t i = 0; i < m->plan->cable_count; i++) {
        put_cable(m, (uint16_t)i);
    }
}
