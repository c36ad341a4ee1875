/* Mistakes in a file: what was found, what could stand there, what was perhaps meant. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/regex.h"
#include "scenario/match.h"

int ho_mistake(struct ho_scn_error *e, unsigned line, unsigned column, const char *format, ...)
{
    va_list args;

    if (e != NULL) {
        e->line = line;
        e->column = column;
        va_start(args, format);
        vsnprintf(e->text, sizeof(e->text), format, args);
        va_end(args);
    }
    return -EINVAL;
}

/* A message that grows, and is cut where it gets too long. */
struct message {
    char *text;
    size_t size, len;
    const char *found; /* the word, or NULL at the end of the line */
    const char *best;  /* what was perhaps meant */
    size_t best_len;
    unsigned distance; /* of `best` */
};

static void say(struct message *m, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(m->text + m->len, m->size - m->len, format, args);
    va_end(args);
    m->len += n > 0 ? (size_t)n : 0;
    if (m->len >= m->size) {
        m->len = m->size - 1;
    }
}

/* Could it have been this word? */
static void consider(struct message *m, const char *word, size_t len)
{
    char copy[64];

    if (m->found == NULL || len >= sizeof(copy)) {
        return;
    }
    memcpy(copy, word, len);
    copy[len] = '\0';
    unsigned d = ho_distance(m->found, copy, m->distance - 1);
    if (d < m->distance) {
        m->distance = d;
        m->best = word;
        m->best_len = len;
    }
}

static bool names_decl(enum ho_type type, enum ho_decl_kind kind)
{
    switch (type) {
    case HO_TYPE_HOST:
    case HO_TYPE_HOSTS:
    case HO_TYPE_ACTOR:
    case HO_TYPE_ENDPOINT:
        return kind == HO_DECL_HOST;
    case HO_TYPE_NODE:
    case HO_TYPE_CHAIN:
        return kind == HO_DECL_HOST || kind == HO_DECL_SWITCH || kind == HO_DECL_MIDDLEBOX;
    case HO_TYPE_CABLE:
        return kind != HO_DECL_PROCESS && kind != HO_DECL_SWEEP;
    case HO_TYPE_CONDITION:
        return kind == HO_DECL_SWEEP;
    default:
        return false;
    }
}

static void say_declared(struct message *m, enum ho_type type, const struct ho_decls *decls)
{
    const char *before = " (";

    for (unsigned i = 0; i < decls->count; i++) {
        if (names_decl(type, decls->decl[i].kind)) {
            const char *name = decls->decl[i].name;
            say(m, "%s%s", before, name);
            consider(m, name, strlen(name));
            before = ", ";
        }
    }
    if (strcmp(before, ", ") == 0) {
        say(m, ")");
    }
}

/* The short lists are written out; of the long ones only the nearest word is named. */
static void say_list(struct message *m, enum ho_type type)
{
    const bool brief = type == HO_TYPE_FRAME || type == HO_TYPE_MARK;
    const char *word;

    for (unsigned n = 0; (word = ho_type_word(type, n)) != NULL; n++) {
        consider(m, word, strlen(word));
        if (brief) {
            say(m, "%s%s", n == 0 ? " (" : ", ", word);
        }
    }
    if (brief) {
        say(m, ")");
    }
}

static void say_choice(struct message *m, const char *list, size_t len)
{
    const char *end = list + len;

    while (list < end) {
        const char *bar = memchr(list, '|', (size_t)(end - list));
        size_t n = (size_t)((bar != NULL ? bar : end) - list);
        say(m, "%.*s%s", (int)n, list, bar != NULL ? ", " : "");
        consider(m, list, n);
        list += n + 1;
    }
}

static bool wants(const struct ho_wanted *w, enum ho_type type)
{
    for (unsigned i = 0; i < w->count; i++) {
        if (w->item[i].text == NULL && w->item[i].type == type) {
            return true;
        }
    }
    return false;
}

static void say_wanted(struct message *m, const struct ho_decls *decls, const struct ho_wanted *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        if (w->item[i].text == NULL && w->item[i].type == HO_TYPE_HOST && wants(w, HO_TYPE_ACTOR)) {
            continue; /* an actor may be just a host */
        }
        say(m, "%s", i == 0 ? "" : i + 1 == w->count ? " or " : ", ");
        if (w->item[i].text != NULL) {
            say(m, "%.*s", (int)w->item[i].len, w->item[i].text);
            consider(m, w->item[i].text, w->item[i].len);
        } else if (w->item[i].type == HO_TYPE_CHOICE) {
            say_choice(m, w->item[i].list, w->item[i].list_len);
        } else {
            say(m, "%s", ho_type_description(w->item[i].type));
            say_declared(m, w->item[i].type, decls);
            say_list(m, w->item[i].type);
        }
    }
}

/* Behind the last word, or where it is when there is none. */
static unsigned end_column(const struct ho_words *words)
{
    if (words->count == 0) {
        return 1;
    }
    const struct ho_word *last = &words->word[words->count - 1];
    return last->column + (unsigned)strlen(last->text) + (last->quoted || last->slashed ? 2u : 0u);
}

int ho_mistake_wanted(struct ho_scn_error *e, const struct ho_words *words,
                      const struct ho_decls *decls, const struct ho_wanted *w)
{
    const struct ho_word *word = w->at < words->count ? &words->word[w->at] : NULL;

    if (e == NULL) {
        return -EINVAL;
    }
    struct message m = { .text = e->text,
                         .size = sizeof(e->text) - 64, /* room for what was meant */
                         .found = word != NULL ? word->text : NULL,
                         .distance = 3 };
    e->line = 0;
    e->column = word != NULL ? word->column : end_column(words);
    if (word == NULL) {
        say(&m, "found the end of the line, expected ");
    } else {
        say(&m, "found '%.60s', expected ", word->text);
        if (strlen(word->text) < 5) {
            m.distance = 2; /* one letter off, or two swapped */
        }
    }
    say_wanted(&m, decls, w);
    m.size = sizeof(e->text);
    if (word != NULL && word->slashed && wants(w, HO_TYPE_REGEX)) {
        struct ho_regex re;
        const char *why = "";
        (void)ho_regex_compile(&re, word->text, &why);
        say(&m, ": %s", why);
        return -EINVAL;
    }
    if (m.best != NULL) {
        say(&m, "; did you mean '%.*s'?", (int)m.best_len, m.best);
    } else if (word != NULL && wants(w, HO_TYPE_NEW) && ho_is_name(word->text, HO_NAME_MAX)) {
        say(&m, "; '%s' is %s", word->text,
            ho_is_reserved(word->text) ? "a word of the language" : "taken");
    }
    return -EINVAL;
}
