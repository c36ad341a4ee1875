/* docs/programs.md against the lists that check arguments: every behaviour and verb is there with
 * its table as it is generated, in the order of the lists, and so is every finding.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "program/docs.h"

static char page[65536];

static int read_page(void **state)
{
    FILE *f = fopen("docs/programs.md", "rb");
    size_t n;

    (void)state;
    if (f == NULL) {
        return -1;
    }
    n = fread(page, 1, sizeof(page) - 1, f);
    page[n] = '\0';
    fclose(f);
    return n < sizeof(page) - 1 ? 0 : -1;
}

/* The section that `heading` opens has the table of `spec`, before the next heading. */
static const char *check(const char *from, const char *heading, const struct ho_program_spec *spec)
{
    const char *section = strstr(from, heading), *end, *table;
    struct ho_text t = { 0 };

    if (section == NULL) {
        fail_msg("docs/programs.md: no section \"%s\" where it should be", heading + 1);
        return from;
    }
    end = strstr(section + strlen(heading), "\n#");
    ho_program_docs(&t, spec);
    table = strstr(section, ho_text_str(&t));
    if (table == NULL || (end != NULL && table > end)) {
        fail_msg("docs/programs.md: %s must have\n%s", spec->name, ho_text_str(&t));
    }
    ho_text_free(&t);
    return section;
}

static void every_behaviour_and_verb_has_its_table(void **state)
{
    const struct ho_program_spec *s;
    const char *at = page;
    char heading[40];

    (void)state;
    for (size_t i = 0; (s = ho_program_behaviour(i)) != NULL; i++) {
        snprintf(heading, sizeof(heading), "\n## %s\n", s->name);
        at = check(at, heading, s);
        snprintf(heading, sizeof(heading), "| [`%s`](#%s) | %.9s", s->name, s->name, s->help);
        assert_non_null(strstr(page, heading));
    }
    at = page;
    for (size_t i = 0; (s = ho_program_verb(i)) != NULL; i++) {
        snprintf(heading, sizeof(heading), "\n### %s\n", s->name);
        at = check(at, heading, s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_behaviour_and_verb_has_its_table),
    };

    return cmocka_run_group_tests(tests, read_page, NULL);
}
