/* Every scenario that is written down: scenarios/ and the examples of docs/scenario-language.md.
 * Each is read, checked, printed and read again; the examples show every form of the language; the
 * claims are those of docs/claims.md.
 *
 * Runs in the source tree.
 */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"

#define LANGUAGE "docs/scenario-language.md"
#define CLAIMS "docs/claims.md"

static const char prelude[] = "host client\nhost server\ncable client -- server\n"
                              "connection client -> server:7000\n";

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = calloc(1, HO_SCN_TEXT_MAX + 1);

    if (f == NULL || text == NULL) {
        fail_msg("%s cannot be read", path);
        abort(); /* fail_msg() does not return */
    }
    size_t n = fread(text, 1, HO_SCN_TEXT_MAX, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

/* Reads and checks; `where` for the message. The caller frees. */
static struct ho_scn *good(const char *where, const char *text)
{
    struct ho_scn *s = NULL;
    struct ho_scn_error e = { 0 };

    if (ho_scn_parse(&s, where, text, strlen(text), &e) != 0 || ho_scn_check(s, &e) != 0) {
        fail_msg("%s:%u:%u: %s\n%s", where, e.line, e.column, e.text, text);
    }
    return s;
}

/* Printed and read again it prints the same. */
static void round_trip(const struct ho_scn *s)
{
    struct ho_text once = { 0 }, twice = { 0 };

    ho_scn_print(s, &once);
    struct ho_scn *again = good(s->name, ho_text_str(&once));
    ho_scn_print(again, &twice);
    assert_string_equal(ho_text_str(&once), ho_text_str(&twice));
    assert_int_equal(s->line_count, again->line_count);
    assert_int_equal(s->arg_count, again->arg_count);
    ho_scn_free(again);
    ho_text_free(&once);
    ho_text_free(&twice);
}

/* --- the page -------------------------------------------------------------------------------- */

/* The next example from `*at` on, in memory of its own; NULL after the last. */
static char *next_example(const char **at)
{
    const char *begin = strstr(*at, "\n```scn\n");

    if (begin == NULL) {
        return NULL;
    }
    begin += strlen("\n```scn\n");
    const char *end = strstr(begin, "\n```\n");
    assert_non_null(end);
    size_t n = (size_t)(end + 1 - begin), before = 0;
    char *text = malloc(sizeof(prelude) + n + 1);
    assert_non_null(text);
    memcpy(text, begin, n);
    text[n] = '\0';
    if (strncmp(text, "host ", 5) != 0 && strstr(text, "\nhost ") == NULL) {
        before = sizeof(prelude) - 1;
        memcpy(text, prelude, before);
        memcpy(text + before, begin, n);
        text[before + n] = '\0';
    }
    *at = end;
    return text;
}

static void every_example_of_the_page_is_good(void **state)
{
    (void)state;
    char *page = read_file(LANGUAGE), *example;
    const char *at = page;
    unsigned n = 0;

    while ((example = next_example(&at)) != NULL) {
        struct ho_scn *s = good(LANGUAGE, example);
        round_trip(s);
        ho_scn_free(s);
        free(example);
        n++;
    }
    assert_true(n >= 8);
    free(page);
}

static void the_examples_of_the_page_show_every_form(void **state)
{
    (void)state;
    char *page = read_file(LANGUAGE), *example;
    const char *at = page;
    bool seen[HO_FORM_COUNT] = { [HO_FORM_EMPTY] = true };

    while ((example = next_example(&at)) != NULL) {
        struct ho_scn *s = good(LANGUAGE, example);
        for (size_t i = 0; i < s->line_count; i++) {
            seen[s->lines[i].form] = true;
        }
        ho_scn_free(s);
        free(example);
    }
    for (unsigned form = 0; form < HO_FORM_COUNT; form++) {
        if (!seen[form]) {
            fail_msg("no example of: %s", ho_form_info((enum ho_form)form)->pattern);
        }
    }
    free(page);
}

/* --- the catalogue --------------------------------------------------------------------------- */

/* Calls `look` for every file of scenarios/. Returns how many there are. */
static unsigned each_file(void (*look)(const struct ho_scn *s, void *data), void *data)
{
    DIR *dir = opendir("scenarios");
    unsigned n = 0;

    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char path[512];
        size_t len = strlen(e->d_name);
        if (len < 5 || strcmp(e->d_name + len - 4, ".scn") != 0) {
            continue;
        }
        snprintf(path, sizeof(path), "scenarios/%s", e->d_name);
        char *text = read_file(path);
        struct ho_scn *s = good(path, text);
        look(s, data);
        ho_scn_free(s);
        free(text);
        n++;
    }
    closedir(dir);
    return n;
}

static void look_at_all(const struct ho_scn *s, void *data)
{
    bool expects = false;

    (void)data;
    round_trip(s);
    for (size_t i = 0; i < s->line_count; i++) {
        expects = expects || ho_form_info(s->lines[i].form)->section == HO_SECTION_EXPECT;
    }
    if (ho_scn_title(s)[0] == '\0' || strlen(ho_scn_title(s)) > 78 || !expects) {
        fail_msg("%s: a scenario has a title of at most 78 letters, and expects something",
                 s->name);
    }
}

static void every_scenario_is_good_and_has_a_title_and_expectations(void **state)
{
    (void)state;

    assert_true(each_file(look_at_all, NULL) >= 45);
}

/* The base of "scenarios/x.scn". */
static void base_name(const struct ho_scn *s, char *out, size_t size)
{
    const char *slash = strrchr(s->name, '/');

    snprintf(out, size, "%s", slash != NULL ? slash + 1 : s->name);
    out[strlen(out) - 4] = '\0';
}

/* A row of the claims' page is "| A3 | claim | verdict | scenarios |". */
static void look_at_claims(const struct ho_scn *s, void *data)
{
    static const char *const verdicts[] = { [HO_CLAIM_HOLDS] = "| holds |",
                                            [HO_CLAIM_CORRECTED] = "| holds with a correction",
                                            [HO_CLAIM_WRONG] = "| wrong" };
    const char *page = data;
    struct ho_claim claim;
    char name[128], row[32], link[300];

    base_name(s, name, sizeof(name));
    snprintf(link, sizeof(link), "[%s](../scenarios/%s.scn)", name, name);
    for (size_t i = 0; ho_scn_claim(s, i, &claim); i++) {
        snprintf(row, sizeof(row), "\n| %s |", claim.id);
        const char *begin = strstr(page, row);
        if (begin == NULL) {
            fail_msg("%s: there is no claim %s in " CLAIMS, s->name, claim.id);
            abort();
        }
        char *line = strndup(begin + 1, strcspn(begin + 1, "\n"));
        assert_non_null(line);
        if (strstr(line, link) == NULL) {
            fail_msg("the row of %s in " CLAIMS " does not name %s", claim.id, name);
        }
        /* A scenario may confirm a claim that another one corrects, but not the other way round. */
        if (strstr(line, verdicts[claim.verdict]) == NULL && claim.verdict != HO_CLAIM_HOLDS) {
            fail_msg("%s: the verdict on %s is another one in " CLAIMS, s->name, claim.id);
        }
        free(line);
    }
}

static void claims_are_those_of_the_page(void **state)
{
    (void)state;
    char *page = read_file(CLAIMS);

    each_file(look_at_claims, page);
    free(page);
}

struct search {
    char scenario[128], claim[8];
    bool found;
};

static void look_for(const struct ho_scn *s, void *data)
{
    struct search *search = data;
    struct ho_claim claim;
    char name[128];

    base_name(s, name, sizeof(name));
    if (strcmp(name, search->scenario) != 0) {
        return;
    }
    for (size_t i = 0; ho_scn_claim(s, i, &claim); i++) {
        search->found = search->found || strcmp(claim.id, search->claim) == 0;
    }
}

/* The other way round: a row names only scenarios that are there and quote the claim. */
static void every_claim_of_the_page_is_played(void **state)
{
    (void)state;
    char *page = read_file(CLAIMS);
    unsigned rows = 0;

    for (const char *at = strstr(page, "\n| "); at != NULL; at = strstr(at + 1, "\n| ")) {
        struct search search = { .found = false };
        char *line = strndup(at + 1, strcspn(at + 1, "\n"));
        assert_non_null(line);
        if (sscanf(line, "| %7[AB0-9] |", search.claim) != 1) {
            free(line);
            continue;
        }
        rows++;
        const char *link = strstr(line, "](../scenarios/");
        if (link == NULL) {
            fail_msg("no scenario plays %s", search.claim);
        }
        for (; link != NULL; link = strstr(link + 1, "](../scenarios/")) {
            search.found = false;
            assert_int_equal(sscanf(link, "](../scenarios/%127[^.].scn)", search.scenario), 1);
            each_file(look_for, &search);
            if (!search.found) {
                fail_msg("%s does not quote the claim %s", search.scenario, search.claim);
            }
        }
        free(line);
    }
    assert_true(rows >= 40);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_of_the_page_is_good),
        cmocka_unit_test(the_examples_of_the_page_show_every_form),
        cmocka_unit_test(every_scenario_is_good_and_has_a_title_and_expectations),
        cmocka_unit_test(claims_are_those_of_the_page),
        cmocka_unit_test(every_claim_of_the_page_is_played),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
