/* A line of text, cut into words in place.
 *
 * A word is what stands between blanks; a text in double quotes is one word, in which \" and \\
 * stand for " and \. A word that begins with a slash goes on to the next one, blanks or not: a
 * regular expression, in which \/ stands for a slash. A '#' at the beginning of a word makes the
 * rest of the line a comment. Control characters are refused; bytes from 0x80 up may stand in
 * texts, expressions and comments only.
 */

#include <errno.h>
#include <string.h>

#include "scenario/syntax.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Columns are bytes from the line's start, from 1. */
static uint16_t column_of(const char *line, const char *at)
{
    return (uint16_t)(at - line + 1);
}

/* Refuses control characters anywhere. */
static int check_bytes(const char *line, struct ho_scn_error *e)
{
    for (const char *p = line; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return ho_mistake(e, 0, column_of(line, p), "found the byte 0x%02x, expected text", c);
        }
    }
    return 0;
}

/* Takes the text that begins behind the quote at `*p`; moves `*p` behind the closing one. */
static int quoted(const char *line, char **p, struct ho_word *ret, struct ho_scn_error *e)
{
    char *in = *p + 1, *out = *p + 1;

    ret->text = out;
    ret->quoted = true;
    while (*in != '"') {
        if (*in == '\\' && (in[1] == '"' || in[1] == '\\')) {
            in++;
        }
        if (*in == '\0') {
            return ho_mistake(e, 0, column_of(line, *p), "this text has no closing quote");
        }
        *out++ = *in++;
    }
    *p = in + 1;
    if (**p != '\0' && !is_blank(**p)) {
        return ho_mistake(e, 0, column_of(line, *p), "found '%c', expected a blank after a text",
                          **p);
    }
    *out = '\0'; /* at the latest where the closing quote was */
    return 0;
}

/* Takes the expression that begins behind the slash at `*p`; moves `*p` behind the closing one. */
static int slashed(const char *line, char **p, struct ho_word *ret, struct ho_scn_error *e)
{
    char *in = *p + 1, *out = *p + 1;

    ret->text = out;
    ret->slashed = true;
    while (*in != '/') {
        if (*in == '\\' && in[1] != '\0') {
            if (in[1] != '/') {
                *out++ = *in; /* the expression's own */
            }
            in++;
        }
        if (*in == '\0') {
            return ho_mistake(e, 0, column_of(line, *p), "this expression has no closing slash");
        }
        *out++ = *in++;
    }
    *p = in + 1;
    if (**p != '\0' && !is_blank(**p)) {
        return ho_mistake(e, 0, column_of(line, *p),
                          "found '%c', expected a blank after an expression", **p);
    }
    *out = '\0';
    return 0;
}

static int bare(const char *line, char **p, struct ho_word *ret, struct ho_scn_error *e)
{
    ret->text = *p;
    for (; **p != '\0' && !is_blank(**p); (*p)++) {
        if ((unsigned char)**p >= 0x80 || **p == '"') {
            return ho_mistake(e, 0, column_of(line, *p),
                              "found '%c' in a word, expected letters, digits and signs",
                              **p == '"' ? '"' : '?');
        }
    }
    return 0;
}

static char *trimmed_comment(char *p)
{
    while (is_blank(*p)) {
        p++;
    }
    for (size_t n = strlen(p); n > 0 && is_blank(p[n - 1]); n--) {
        p[n - 1] = '\0';
    }
    return p;
}

int ho_lex(char *line, struct ho_words *ret, struct ho_scn_error *e)
{
    int err = check_bytes(line, e);
    char *p = line;

    ret->count = 0;
    ret->comment = NULL;
    while (err == 0) {
        while (is_blank(*p)) {
            p++;
        }
        if (*p == '\0') {
            break;
        }
        if (*p == '#') {
            ret->comment = trimmed_comment(p + 1);
            break;
        }
        if (ret->count == HO_SCN_WORDS_MAX) {
            return ho_mistake(e, 0, column_of(line, p), "more than %d words in a line",
                              HO_SCN_WORDS_MAX);
        }
        struct ho_word *w = &ret->word[ret->count++];
        *w = (struct ho_word){ .column = column_of(line, p) };
        err = *p == '"'   ? quoted(line, &p, w, e)
              : *p == '/' ? slashed(line, &p, w, e)
                          : bare(line, &p, w, e);
        if (err != 0) {
            break;
        }
        if (*p != '\0') {
            *p++ = '\0'; /* the blank behind the word */
        }
        w->len = (uint16_t)strlen(w->text);
    }
    return err;
}
