/* The diagnosis as Markdown, for an issue or a chat: tables as GitHub's dialect has them. */

#include "base/words.h"
#include "doctor/group.h"

/* The text of `part` as a cell; empties it. */
static void put_cell(struct ho_text *out, struct ho_text *part)
{
    ho_text_put(out, " ");
    ho_text_markdown(out, ho_text_str(part));
    ho_text_put(out, " |");
    ho_text_clear(part);
}

static void put_group(struct ho_text *out, const struct ho_diagnosis *d,
                      const struct ho_diagnosis_group *g)
{
    const struct ho_diagnosis_conn *c = ho_group_first(d, g);
    struct ho_text part = { 0 };

    ho_text_char(out, '|');
    ho_group_put_name(&part, d, g);
    put_cell(out, &part);
    ho_group_put_trouble(&part, d, g);
    put_cell(out, &part);
    if (c->outlook.idle.kind != HO_OUTLOOK_NONE) {
        ho_group_put_idle(&part, d, g);
    }
    put_cell(out, &part);
    if (c->outlook.busy.kind != HO_OUTLOOK_NONE) {
        ho_group_put_busy(&part, d, g);
    }
    put_cell(out, &part);
    for (size_t i = 0; i < c->n_findings; i++) {
        ho_text_printf(&part, "%s%s", i > 0 ? " " : "", ho_finding_info(c->findings[i].id)->id);
    }
    put_cell(out, &part);
    ho_text_char(out, '\n');
    ho_text_end_part(out, &part);
}

static void put_groups(struct ho_text *out, const struct ho_diagnosis *d, bool all)
{
    bool any = false;

    for (size_t i = 0; i < d->n_groups; i++) {
        if (!all && !ho_group_speaks(d, &d->groups[i])) {
            continue;
        }
        if (!any) {
            ho_text_put(out, "\n| connections | now | idle | busy | findings |\n"
                             "| --- | --- | --- | --- | --- |\n");
            any = true;
        }
        put_group(out, d, &d->groups[i]);
    }
}

static void put_findings(struct ho_text *out, const struct ho_diagnosis *d)
{
    struct ho_text part = { 0 };

    if (!d->any) {
        ho_text_put(out, "\nNo findings.\n");
        return;
    }
    ho_text_put(out, "\n| finding | severity | count | what | why | change |\n"
                     "| --- | --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        const struct ho_finding_info *info = ho_finding_info((enum ho_finding_id)i);

        if (d->found[i] == 0) {
            continue;
        }
        ho_text_printf(out, "| %s | %s | %zu |", info->id, ho_severity_word(info->severity),
                       d->found[i]);
        ho_text_put(&part, info->title);
        put_cell(out, &part);
        ho_text_put(&part, info->why);
        put_cell(out, &part);
        ho_text_put(&part, info->change);
        put_cell(out, &part);
        ho_text_char(out, '\n');
    }
    ho_text_end_part(out, &part);
}

static void put_host_findings(struct ho_text *out, const struct ho_diagnosis *d)
{
    struct ho_text part = { 0 };
    bool any = false;

    for (size_t i = 0; i < d->scan->n_hosts; i++) {
        for (size_t k = 0; k < d->n_host_findings[i]; k++) {
            const struct ho_finding *f = &d->host_findings[i][k];

            ho_text_put(out, any ? "" : "\n");
            ho_group_put_netns(&part, &d->scan->hosts[i]);
            ho_text_printf(&part, ": %s: %s", ho_finding_info(f->id)->id, f->detail);
            ho_text_put(out, "* ");
            ho_text_markdown(out, ho_text_str(&part));
            ho_text_char(out, '\n');
            ho_text_clear(&part);
            any = true;
        }
    }
    ho_text_end_part(out, &part);
}

void ho_report_markdown(struct ho_text *out, const struct ho_diagnosis *d,
                        const struct ho_report_options *o)
{
    struct ho_text unread = { 0 };

    ho_text_put(out, "# TCP connections and peers that vanish\n\n");
    ho_group_put_count(out, d->scan->n_conns, "connection");
    ho_text_printf(out, ", %zu in trouble now; %zu would never notice a dead peer while idle",
                   d->in_trouble, d->never_idle);
    if (d->unknown_idle > 0) {
        ho_text_printf(out, "; of %zu that is unknown", d->unknown_idle);
    }
    ho_text_put(out, ".\n");
    put_groups(out, d, o->all);
    put_host_findings(out, d);
    put_findings(out, d);
    ho_group_put_unread(&unread, d, "* not read: ");
    if (unread.len > 0) {
        ho_text_char(out, '\n');
        ho_text_put(out, ho_text_str(&unread));
    }
    ho_text_end_part(out, &unread);
}
