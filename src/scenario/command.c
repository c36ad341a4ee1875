/* Cutting a command line into words: the quoting rule of command.h. */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "scenario/command.h"

struct cutter {
    const char *in;
    char *out, *end;
    const char *why;
};

static int refuse(struct cutter *c, const char *why)
{
    c->why = why;
    return -EINVAL;
}

static int put(struct cutter *c, char ch)
{
    if (c->out == c->end) {
        return refuse(c, "the command is too long");
    }
    *c->out++ = ch;
    return 0;
}

/* Behind an opening quote, up to the closing one. */
static int quoted(struct cutter *c, char quote)
{
    int err = 0;

    while (err == 0 && *c->in != quote) {
        if (quote == '"' && *c->in == '\\' && (c->in[1] == '"' || c->in[1] == '\\')) {
            c->in++;
        }
        if (*c->in == '\0') {
            return refuse(c, quote == '"' ? "a \" of the command has no second one"
                                          : "a ' of the command has no second one");
        }
        err = put(c, *c->in++);
    }
    c->in += err == 0;
    return err;
}

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\n';
}

static int word(struct cutter *c)
{
    int err = 0;

    while (err == 0 && *c->in != '\0' && !is_blank(*c->in)) {
        char ch = *c->in++;
        if (ch == '\'' || ch == '"') {
            err = quoted(c, ch);
            continue;
        }
        if (ch == '\\') {
            ch = *c->in;
            if (ch == '\0') {
                return refuse(c, "the command ends with a backslash");
            }
            c->in++;
        }
        err = put(c, ch);
    }
    return err == 0 ? put(c, '\0') : err;
}

int ho_command_split(struct ho_command_words *ret, const char *line, const char **ret_why)
{
    struct cutter c = { .in = line, .out = ret->text, .end = ret->text + sizeof(ret->text) };
    int err = 0;

    ret->count = 0;
    while (err == 0) {
        while (is_blank(*c.in)) {
            c.in++;
        }
        if (*c.in == '\0') {
            break;
        }
        if (ret->count == HO_COMMAND_WORDS) {
            err = refuse(&c, "the command has too many words");
            break;
        }
        ret->word[ret->count++] = c.out;
        err = word(&c);
    }
    ret->word[ret->count] = NULL;
    if (err == 0 && (ret->count == 0 || ret->word[0][0] == '\0')) {
        err = refuse(&c, "the command is empty");
    }
    if (err != 0 && ret_why != NULL) {
        *ret_why = c.why;
    }
    return err;
}
