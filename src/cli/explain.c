/* `halfopen explain WORD`: what an error, a setting, a state or a well-known number is, what makes
 * it, how to change it, and a scenario that shows it. One list (cli/explain.h), written as text,
 * as JSON, and as docs/explain.md.
 */

#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "cli/cli.h"
#include "cli/explain.h"
#include "forecast/finding.h"
#include "knobs/settings.h"
#include "knobs/sockopt.h"

#define WIDTH 80
#define INDENT 10

enum form {
    TEXT,
    JSON,
    MARKDOWN
};

/* ---- text ------------------------------------------------------------------------------------ */

/* "  because  words words", wrapped. */
static void put_wrapped(struct ho_text *out, const char *label, const char *words)
{
    if (words[0] == '\0') {
        return;
    }
    ho_text_put(out, "  ");
    ho_text_pad(out, label, INDENT - 2);
    ho_text_wrap(out, words, INDENT, INDENT, WIDTH);
}

static void put_text(struct ho_text *out, const struct ho_explain_hit *hit)
{
    const char *kind = ho_explain_kind_text(hit->kind);
    struct ho_text list = { 0 };

    ho_text_printf(out, "%s%s%s\n", hit->name, kind[0] != '\0' ? ", " : "", kind);
    ho_explain_list_text(&list, hit);
    put_wrapped(out, hit->text == NULL ? "is" : "list", ho_text_str(&list));
    ho_text_end_part(out, &list);
    if (hit->kind == HO_EXPLAIN_PROGRAM || hit->kind == HO_EXPLAIN_SETTING) {
        ho_explain_setting_rows(out, hit);
    }
    if (hit->text != NULL) {
        put_wrapped(out, "is", hit->text->what);
        put_wrapped(out, "because", hit->text->because);
        put_wrapped(out, "change", hit->text->change);
        ho_text_printf(out, "  see     halfopen run --ladder %s\n", hit->text->scenario);
    }
}

/* ---- JSON and Markdown ----------------------------------------------------------------------- */

static void put_pair(struct ho_text *out, const char *key, const char *value)
{
    ho_text_printf(out, ",\"%s\":", key);
    ho_text_json(out, value);
}

static void put_json(struct ho_text *out, const struct ho_explain_hit *hit)
{
    struct ho_text list = { 0 };

    ho_text_put(out, "{\"name\":");
    ho_text_json(out, hit->name);
    put_pair(out, "kind", ho_explain_kind_text(hit->kind));
    ho_explain_list_text(&list, hit);
    put_pair(out, "list", ho_text_str(&list));
    ho_text_end_part(out, &list);
    if (hit->kind == HO_EXPLAIN_PROGRAM || hit->kind == HO_EXPLAIN_SETTING) {
        ho_explain_setting_json(out, hit);
    }
    if (hit->text != NULL) {
        put_pair(out, "is", hit->text->what);
        put_pair(out, "because", hit->text->because);
        put_pair(out, "change", hit->text->change);
        put_pair(out, "scenario", hit->text->scenario);
    }
    ho_text_char(out, '}');
}

static const char markdown_head[] =
    "# Explanations\n\n"
    "What `halfopen explain WORD` says: `halfopen explain --all --markdown` wrote this page from\n"
    "src/cli/explain.def. Beyond it, every sysctl (sysctls.md), socket option "
    "(socket-options.md),\n"
    "error and state of the lists, every finding (findings.md), program and setting of a program\n"
    "(settings.md) can be asked for, and a time finds what is known by it.\n";

static void put_markdown(struct ho_text *out, const struct ho_explain_hit *hit)
{
    const char *kind = ho_explain_kind_text(hit->kind);

    ho_text_printf(out, "\n## %s\n", hit->name);
    ho_text_printf(out, "%s%s%s.\n\n", kind, kind[0] != '\0' ? ": " : "", hit->text->what);
    ho_text_printf(out, "* because: %s\n", hit->text->because);
    ho_text_printf(out, "* change: %s\n", hit->text->change);
    ho_text_printf(out, "* see: `halfopen run --ladder %s`\n", hit->text->scenario);
}

/* ---- the command ----------------------------------------------------------------------------- */

static void put_hits(struct ho_text *out, const struct ho_explain_hit *hit, size_t n,
                     enum form form)
{
    ho_text_put(out, form == JSON ? "[" : form == MARKDOWN ? markdown_head : "");
    for (size_t i = 0; i < n; i++) {
        if (form == MARKDOWN) {
            put_markdown(out, &hit[i]);
        } else if (form == JSON) {
            ho_text_put(out, i > 0 ? ",\n" : "");
            put_json(out, &hit[i]);
        } else {
            ho_text_put(out, i > 0 ? "\n" : "");
            put_text(out, &hit[i]);
        }
    }
    ho_text_put(out, form == JSON ? "]\n" : "");
}

#define TOPICS_MAX 128
#define SETTINGS_MAX 1024 /* programs and settings */
#define NAMES_MAX \
    (TOPICS_MAX + HO_SYSCTL_COUNT + HO_SOCKOPT_COUNT + HO_FINDING_COUNT + SETTINGS_MAX)

static size_t all(struct ho_explain_hit *ret)
{
    size_t n = 0;

    for (; ho_explain_topics[n].name != NULL && n < TOPICS_MAX; n++) {
        ret[n] = ho_explain_hit_of(&ho_explain_topics[n]);
    }
    return n;
}

/* The names of programs and settings, behind the `n` names that are there. */
static size_t add_settings(const char **names, size_t n)
{
    for (size_t i = 0; ho_setting_program_at(i) != NULL && n < NAMES_MAX; i++) {
        names[n++] = ho_setting_program_at(i)->id;
    }
    for (size_t i = 0; ho_setting_at(i) != NULL && n < NAMES_MAX; i++) {
        names[n++] = ho_setting_at(i)->name;
    }
    return n;
}

static int unknown(const char *word)
{
    const char *names[NAMES_MAX + 1] = { NULL };
    size_t n = 0;

    for (; ho_explain_topics[n].name != NULL && n < TOPICS_MAX; n++) {
        names[n] = ho_explain_topics[n].name;
    }
    for (int i = 0; i < HO_SYSCTL_COUNT; i++) {
        const char *name = ho_sysctl_info((enum ho_sysctl)i)->name;

        names[n++] =
            strncmp(name, "net.ipv4.", 9) == 0 && strncmp(word, "net.", 4) != 0 ? name + 9 : name;
    }
    for (int i = 0; i < HO_SOCKOPT_COUNT; i++) {
        names[n++] = ho_sockopt_info((enum ho_sockopt)i)->name;
    }
    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        names[n++] = ho_finding_info((enum ho_finding_id)i)->id;
    }
    (void)add_settings(names, n);
    const char *near = ho_cli_nearest(word, names);

    return ho_cli_say(HO_EXIT_USAGE, "explain: nothing is known about '%s'%s%s%s", word,
                      near != NULL ? ", did you mean '" : "; 'halfopen explain' lists what is",
                      near != NULL ? near : "", near != NULL ? "'?" : "");
}

static void put_names(struct ho_text *out)
{
    ho_text_put(out,
                "halfopen explain WORD, where WORD is one of these, any sysctl or socket option\n"
                "of TCP, an error, a state, a finding of the doctor such as KA001, a program or\n"
                "its setting such as nginx or keepalive_timeout, or a time as '924' or\n"
                "'15 minutes':\n\n");
    for (const struct ho_explain_topic *t = ho_explain_topics; t->name != NULL; t++) {
        ho_text_printf(out, "  %-20s ", t->name);
        size_t n = strcspn(t->what, ",;:(");

        ho_text_bytes(out, t->what, n < 57 ? n : 57);
        ho_text_char(out, '\n');
    }
}

static int explain_words(struct ho_text *out, int argc, char **argv)
{
    struct ho_explain_hit hits[TOPICS_MAX];
    struct ho_text word = { 0 };
    enum form form = TEXT;
    bool everything = false;
    int code = HO_EXIT_OK;

    for (int i = 1; i < argc && code == HO_EXIT_OK; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            form = JSON;
        } else if (strcmp(argv[i], "--markdown") == 0) {
            form = MARKDOWN;
        } else if (strcmp(argv[i], "--all") == 0) {
            everything = true;
        } else if (argv[i][0] == '-') {
            code = ho_cli_say(HO_EXIT_USAGE,
                              "explain: no option '%s', expected --json, --all or --markdown",
                              argv[i]);
        } else {
            ho_text_put(&word, word.len > 0 ? " " : "");
            ho_text_put(&word, argv[i]);
        }
    }
    if (code == HO_EXIT_OK && form == MARKDOWN && !everything) {
        code = ho_cli_say(HO_EXIT_USAGE, "explain: --markdown is for --all");
    }
    if (code == HO_EXIT_OK && !everything && word.len == 0) {
        put_names(out);
    } else if (code == HO_EXIT_OK) {
        size_t n = everything ? all(hits) : ho_explain_find(ho_text_str(&word), hits);

        code = n == 0 ? unknown(ho_text_str(&word)) : HO_EXIT_OK;
        if (n > 0) {
            put_hits(out, hits, n, form);
        }
    }
    ho_text_end_part(out, &word);
    return code;
}

static int explain_run(int argc, char **argv)
{
    struct ho_text out = { 0 };
    int code;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_explain.usage);
        return ho_cli_done();
    }
    code = explain_words(&out, argc, argv);
    if (code == HO_EXIT_OK) {
        code = ho_text_err(&out) != 0 ? ho_cli_no_memory() : ho_cli_put(&out);
        code = code == HO_EXIT_OK ? ho_cli_done() : code;
    }
    ho_text_free(&out);
    return code;
}

const struct ho_command ho_command_explain = {
    .name = "explain",
    .help = "says what an error, a setting, a state or a well-known time is",
    .usage = "usage: halfopen explain [--json] WORD ...\n"
             "       halfopen explain [--json | --markdown] --all\n"
             "\n"
             "What it is, what makes it, how to change it, and a scenario that shows it. WORD is\n"
             "an error (ETIMEDOUT), a sysctl (tcp_retries2), a socket option (TCP_USER_TIMEOUT),\n"
             "a state (CLOSE-WAIT), a finding of the doctor (KA001), a program (postgresql), its\n"
             "setting (tcp_keepalives_idle), or a time as people know it\n"
             "(924, '15 minutes', 2h11m).\n"
             "\n"
             "  --json      for programs\n"
             "  --all       everything\n"
             "  --markdown  as docs/explain.md has it\n",
    .run = explain_run,
};
