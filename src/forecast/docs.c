/* docs/findings.md from the list. See forecast/docs.h. */

#include "forecast/docs.h"

#include <ctype.h>

#include "forecast/finding.h"

/* A link to its heading, as GitHub and others name it. */
static void put_link(struct ho_text *t, const char *id)
{
    ho_text_printf(t, "[%s](#", id);
    for (const char *p = id; *p != '\0'; p++) {
        ho_text_char(t, (char)tolower((unsigned char)*p));
    }
    ho_text_char(t, ')');
}

void ho_docs_findings(struct ho_text *t)
{
    ho_text_put(t, "| id | severity | finding |\n|---|---|---|\n");
    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        const struct ho_finding_info *f = ho_finding_info((enum ho_finding_id)i);

        ho_text_put(t, "| ");
        put_link(t, f->id);
        ho_text_printf(t, " | %s | %s |\n", ho_severity_word(f->severity), f->title);
    }
    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        const struct ho_finding_info *f = ho_finding_info((enum ho_finding_id)i);

        ho_text_printf(t, "\n## %s\n%s: %s.\n\n", f->id, ho_severity_word(f->severity), f->title);
        ho_text_printf(t, "* when: %s\n* why: %s\n* change: %s\n", f->when, f->why, f->change);
        ho_text_printf(t, "* see: `halfopen run --ladder %s`\n", f->scenario);
    }
}
