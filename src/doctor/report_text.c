/* The diagnosis for people: trouble first, then findings, then what could not be read; at most as
 * wide as the terminal.
 */

#include <string.h>

#include "base/words.h"
#include "doctor/group.h"

#define WIDTH 80
#define RED "31;1"
#define YELLOW "33"
#define BOLD "1"

struct page {
    struct ho_text *out;
    const struct ho_diagnosis *d;
    const struct ho_report_options *o;
    size_t width;
};

static const char *code_of(enum ho_severity severity)
{
    return severity == HO_SEVERITY_FAIL ? RED : severity == HO_SEVERITY_WARN ? YELLOW : BOLD;
}

static void paint(const struct page *p, const char *text, const char *code)
{
    if (p->o->colour) {
        ho_text_printf(p->out, "\033[%sm%s\033[0m", code, text);
    } else {
        ho_text_put(p->out, text);
    }
}

static void put_head(const struct page *p, const char *title)
{
    ho_text_char(p->out, '\n');
    paint(p, title, BOLD);
    ho_text_char(p->out, '\n');
}

/* ---- the summary ----------------------------------------------------------------------------- */

/* "4 ESTABLISHED, 1 TIME-WAIT" */
static void put_states(struct ho_text *out, const struct ho_scan *s)
{
    size_t n[HO_TCP_STATE_COUNT] = { 0 };
    const char *sep = "";

    for (size_t i = 0; i < s->n_conns; i++) {
        n[s->conns[i].state < HO_TCP_STATE_COUNT ? s->conns[i].state : 0]++;
    }
    for (unsigned i = 1; i < HO_TCP_STATE_COUNT; i++) {
        if (n[i] > 0) {
            ho_text_printf(out, "%s%zu %s", sep, n[i], ho_tcp_state_name((enum ho_tcp_state)i));
            sep = ", ";
        }
    }
}

static void put_summary(const struct page *p)
{
    const struct ho_diagnosis *d = p->d;
    const struct ho_scan *s = d->scan;
    struct ho_text line = { 0 };

    ho_group_put_count(&line, s->n_conns, "TCP connection");
    if (s->n_hosts == 1) {
        ho_text_put(&line, s->hosts[0].here ? " in this network namespace" : "");
        ho_text_printf(&line, ", HZ %u", s->hosts[0].hz);
    } else {
        ho_text_printf(&line, " in %zu network namespaces", s->n_hosts);
    }
    if (s->n_conns > 0) {
        ho_text_put(&line, ": ");
        put_states(&line, s);
    }
    ho_text_wrap(p->out, ho_text_str(&line), 0, 2, p->width);
    ho_text_clear(&line);
    ho_text_printf(&line, "%zu in trouble now; %zu would never notice a dead peer while idle",
                   d->in_trouble, d->never_idle);
    if (d->unknown_idle > 0) {
        ho_text_printf(&line, "; of %zu that is unknown", d->unknown_idle);
    }
    ho_text_wrap(p->out, ho_text_str(&line), 0, 2, p->width);
    ho_text_end_part(p->out, &line);
}

/* ---- a group --------------------------------------------------------------------------------- */

static void put_line(const struct page *p, const char *label, struct ho_text *words)
{
    size_t indent = 4 + strlen(label) + 2;

    if (words->len > 0) {
        ho_text_printf(p->out, "    %s: ", label);
        ho_text_wrap(p->out, ho_text_str(words), indent, indent, p->width);
    }
    ho_text_clear(words);
}

static void put_group(const struct page *p, const struct ho_diagnosis_group *g)
{
    const struct ho_diagnosis_conn *c = ho_group_first(p->d, g);
    struct ho_text words = { 0 };

    ho_group_put_name(&words, p->d, g);
    ho_text_put(p->out, "  ");
    ho_text_wrap(p->out, ho_text_str(&words), 2, 4, p->width);
    ho_text_clear(&words);
    ho_group_put_trouble(&words, p->d, g);
    put_line(p, "now", &words);
    if (c->outlook.idle.kind != HO_OUTLOOK_NONE) {
        ho_group_put_idle(&words, p->d, g);
        put_line(p, "idle", &words);
    }
    if (c->outlook.busy.kind != HO_OUTLOOK_NONE) {
        ho_group_put_busy(&words, p->d, g);
        put_line(p, "busy", &words);
    }
    for (size_t i = 0; i < c->n_findings; i++) {
        ho_text_put(&words, c->findings[i].detail);
        put_line(p, ho_finding_info(c->findings[i].id)->id, &words);
    }
    ho_text_end_part(p->out, &words);
}

static void put_groups(const struct page *p)
{
    const struct ho_diagnosis *d = p->d;
    size_t quiet = 0;
    const char *title = NULL;

    for (size_t i = 0; i < d->n_groups; i++) {
        const struct ho_diagnosis_group *g = &d->groups[i];
        bool trouble = ho_group_first(d, g)->outlook.trouble != HO_TROUBLE_NONE;
        const char *wanted = trouble ? "In trouble now" : "If the peer vanished now";

        if (!p->o->all && !ho_group_speaks(d, g)) {
            quiet += g->n;
            continue;
        }
        if (title == NULL || strcmp(title, wanted) != 0) {
            title = wanted;
            put_head(p, title);
        }
        put_group(p, g);
    }
    if (quiet > 0) {
        ho_text_char(p->out, '\n');
        ho_group_put_count(p->out, quiet, "connection");
        ho_text_put(p->out, " without a finding (--all shows them)\n");
    }
}

/* ---- findings -------------------------------------------------------------------------------- */

static void put_host_findings(const struct page *p)
{
    const struct ho_diagnosis *d = p->d;
    struct ho_text words = { 0 };

    for (size_t i = 0; i < d->scan->n_hosts; i++) {
        for (size_t k = 0; k < d->n_host_findings[i]; k++) {
            const struct ho_finding *f = &d->host_findings[i][k];

            if (k == 0) {
                ho_text_put(&words, "the network namespace ");
                ho_group_put_netns(&words, &d->scan->hosts[i]);
                ho_text_printf(p->out, "\n  %s\n", ho_text_str(&words));
                ho_text_clear(&words);
            }
            ho_text_put(&words, f->detail);
            put_line(p, ho_finding_info(f->id)->id, &words);
        }
    }
    ho_text_end_part(p->out, &words);
}

static void put_finding(const struct page *p, enum ho_finding_id id)
{
    const struct ho_finding_info *info = ho_finding_info(id);
    struct ho_text words = { 0 };
    size_t at;

    ho_text_put(p->out, "  ");
    paint(p, info->id, code_of(info->severity));
    ho_text_printf(&words, "%s, %s (%zu)", ho_severity_word(info->severity), info->title,
                   p->d->found[id]);
    at = 2 + strlen(info->id) + 1;
    ho_text_char(p->out, ' ');
    ho_text_wrap(p->out, ho_text_str(&words), at, 4, p->width);
    ho_text_clear(&words);
    ho_text_put(&words, info->why);
    put_line(p, "why", &words);
    ho_text_put(&words, info->change);
    put_line(p, "change", &words);
    ho_text_printf(&words, "halfopen explain %s", info->id);
    put_line(p, "more", &words);
    ho_text_end_part(p->out, &words);
}

static void put_findings(const struct page *p)
{
    if (!p->d->any) {
        ho_text_put(p->out, "\nNo findings\n");
        return;
    }
    put_head(p, "Findings");
    for (int severity = HO_SEVERITY_FAIL; severity >= HO_SEVERITY_INFO; severity--) {
        for (int id = 0; id < HO_FINDING_COUNT; id++) {
            if (p->d->found[id] > 0 &&
                ho_finding_info((enum ho_finding_id)id)->severity == (enum ho_severity)severity) {
                put_finding(p, (enum ho_finding_id)id);
            }
        }
    }
    ho_text_put(p->out, "\nhalfopen advise --within 30s says what to set where\n");
}

static void put_unread(const struct page *p)
{
    struct ho_text words = { 0 }, line = { 0 };

    ho_group_put_unread(&words, p->d, "");
    if (words.len > 0) {
        put_head(p, "Not read");
    }
    for (const char *from = ho_text_str(&words), *end; (end = strchr(from, '\n')) != NULL;
         from = end + 1) {
        ho_text_clear(&line);
        ho_text_bytes(&line, from, (size_t)(end - from));
        ho_text_put(p->out, "  ");
        ho_text_wrap(p->out, ho_text_str(&line), 2, 4, p->width);
    }
    ho_text_end_part(p->out, &line);
    ho_text_end_part(p->out, &words);
}

void ho_report_text(struct ho_text *out, const struct ho_diagnosis *d,
                    const struct ho_report_options *o)
{
    struct page p = { .out = out, .d = d, .o = o, .width = o->width > 0 ? o->width : WIDTH };

    put_summary(&p);
    put_groups(&p);
    put_host_findings(&p);
    put_findings(&p);
    put_unread(&p);
}
