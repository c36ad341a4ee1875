/* The list of programs' settings as tables in Markdown, one a program. */

#include "knobs/docs.h"
#include "knobs/settings.h"

/* A bar would end the cell. */
static void put_cell(struct ho_text *t, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '|') {
            ho_text_char(t, '\\');
        }
        ho_text_char(t, *s);
    }
}

static void put_row(struct ho_text *t, const struct ho_setting *s)
{
    ho_text_printf(t, "| `%s`%s%s | ", s->name, s->versions[0] != '\0' ? ", " : "", s->versions);
    ho_setting_default_text(t, s);
    ho_text_printf(t, " | %s | %s | ", ho_setting_side_word(s->side),
                   ho_setting_role_word(s->role));
    put_cell(t, s->place);
    if (s->form[0] != '\0') {
        ho_text_put(t, ": `");
        put_cell(t, s->form);
        ho_text_char(t, '`');
    }
    ho_text_put(t, " | ");
    put_cell(t, s->note);
    ho_text_printf(t, " | %s%s |\n", s->checked ? "" : "**not checked**: ", s->source);
}

static void put_roles(struct ho_text *t)
{
    ho_text_put(t, "| it does | that is |\n|---|---|\n");
    for (int role = 0; role < HO_ROLE_COUNT; role++) {
        ho_text_printf(t, "| %s | %s |\n", ho_setting_role_word((enum ho_setting_role)role),
                       ho_setting_role_text((enum ho_setting_role)role));
    }
}

void ho_docs_settings(struct ho_text *t)
{
    const struct ho_setting_program *p;

    put_roles(t);
    for (size_t i = 0; (p = ho_setting_program_at(i)) != NULL; i++) {
        ho_text_printf(t, "\n## %s\n\n`--for %s`\n\n", p->title, p->id);
        ho_text_put(t, "| setting | default | side | does | where | note | source |\n"
                       "|---|---|---|---|---|---|---|\n");
        for (const struct ho_setting *s = ho_setting_next(p->id, NULL); s != NULL;
             s = ho_setting_next(p->id, s)) {
            put_row(t, s);
        }
    }
}
