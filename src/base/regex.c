/* Regular expressions: a compiler to a program of nine instructions, and a machine that runs it.
 *
 * Jumps are relative, so that a piece of program can be moved and copied as it is: an operator that
 * stands behind its operand (`*`, `{2,3}`, `|`) moves what was compiled before.
 */

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/regex.h"

enum {
    OP_BYTE,  /* this byte */
    OP_ANY,   /* any byte */
    OP_SET,   /* one of a set */
    OP_BEGIN, /* ^ */
    OP_END,   /* $ */
    OP_FORK,  /* both at a and at b */
    OP_GO,    /* at a */
    OP_MATCH
};

#define MANY (-1) /* no upper bound */
#define REPEAT_MAX 255

struct compiler {
    struct ho_regex *re;
    const char *p;
    const char *why;
    unsigned depth;
};

static int fail(struct compiler *c, const char *why)
{
    if (c->why == NULL) {
        c->why = why;
    }
    return -EINVAL;
}

static int emit(struct compiler *c, struct ho_regex_op op)
{
    if (c->re->count == HO_REGEX_CODE) {
        return fail(c, "it is too long");
    }
    c->re->code[c->re->count++] = op;
    return 0;
}

/* Puts an instruction before those from `at` on. */
static int insert(struct compiler *c, unsigned at, struct ho_regex_op op)
{
    int err = emit(c, op);

    if (err == 0) {
        struct ho_regex_op *code = c->re->code;
        memmove(code + at + 1, code + at, (c->re->count - 1 - at) * sizeof(*code));
        code[at] = op;
    }
    return err;
}

static struct ho_regex_op fork_to(unsigned a, unsigned b)
{
    return (struct ho_regex_op){ .kind = OP_FORK, .a = (int16_t)a, .b = (int16_t)b };
}

/* --- brackets -------------------------------------------------------------------------------- */

static void set_add(uint8_t *set, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++) {
        set[i / 8] = (uint8_t)(set[i / 8] | 1u << i % 8);
    }
}

/* "[:digit:]" inside a bracket expression, behind its "[:". */
static int add_class(struct compiler *c, uint8_t *set)
{
    static const struct {
        const char *name;
        int (*has)(int);
    } classes[] = { { "alnum:]", isalnum }, { "alpha:]", isalpha }, { "blank:]", isblank },
                    { "cntrl:]", iscntrl }, { "digit:]", isdigit }, { "graph:]", isgraph },
                    { "lower:]", islower }, { "print:]", isprint }, { "punct:]", ispunct },
                    { "space:]", isspace }, { "upper:]", isupper }, { "xdigit:]", isxdigit } };

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        size_t len = strlen(classes[i].name);
        if (strncmp(c->p, classes[i].name, len) == 0) {
            for (unsigned b = 0; b < 128; b++) {
                if (classes[i].has((int)b)) {
                    set_add(set, b, b);
                }
            }
            c->p += len;
            return 0;
        }
    }
    return fail(c, "no such class of characters");
}

/* Behind the '['. A backslash is an ordinary character here. */
static int bracket(struct compiler *c)
{
    struct ho_regex *re = c->re;

    if (re->sets == HO_REGEX_SETS) {
        return fail(c, "too many [..]");
    }
    uint8_t *set = re->set[re->sets];
    memset(set, 0, sizeof(re->set[0]));
    bool negated = *c->p == '^';
    c->p += negated;
    for (bool first = true; first || *c->p != ']'; first = false) {
        unsigned low = (unsigned char)*c->p++;
        if (low == '\0') {
            return fail(c, "a [ without its ]");
        }
        if (low == '[' && *c->p == ':') {
            c->p++;
            int err = add_class(c, set);
            if (err != 0) {
                return err;
            }
            continue;
        }
        unsigned high = low;
        if (c->p[0] == '-' && c->p[1] != ']' && c->p[1] != '\0') {
            high = (unsigned char)c->p[1];
            c->p += 2;
        }
        if (high < low) {
            return fail(c, "a range that ends before it begins");
        }
        set_add(set, low, high);
    }
    c->p++;
    for (unsigned i = 0; negated && i < sizeof(re->set[0]); i++) {
        set[i] = (uint8_t)~set[i];
    }
    return emit(c, (struct ho_regex_op){ .kind = OP_SET, .byte = (uint8_t)re->sets++ });
}

/* --- atoms and how often --------------------------------------------------------------------- */

static int alternatives(struct compiler *c);

static int group(struct compiler *c)
{
    if (++c->depth > HO_REGEX_DEPTH) {
        return fail(c, "too many ( in each other");
    }
    int err = alternatives(c);
    c->depth--;
    if (err == 0 && *c->p != ')') {
        return fail(c, "a ( without its )");
    }
    c->p += err == 0;
    return err;
}

static int atom(struct compiler *c)
{
    char ch = *c->p++;

    switch (ch) {
    case '(':
        return group(c);
    case '[':
        return bracket(c);
    case '.':
        return emit(c, (struct ho_regex_op){ .kind = OP_ANY });
    case '^':
        return emit(c, (struct ho_regex_op){ .kind = OP_BEGIN });
    case '$':
        return emit(c, (struct ho_regex_op){ .kind = OP_END });
    case '*':
    case '+':
    case '?':
    case '{':
        return fail(c, "a repetition of nothing");
    case '\\':
        ch = *c->p++;
        if (ch == '\0') {
            return fail(c, "a \\ at the end");
        }
        if (isalnum((unsigned char)ch)) {
            return fail(c, "a \\ before a letter or digit, which has no meaning here");
        }
        break;
    default:
        break;
    }
    return emit(c, (struct ho_regex_op){ .kind = OP_BYTE, .byte = (uint8_t)ch });
}

/* A number of a {..}; -EINVAL if there is none. */
static int bound(struct compiler *c, int *ret)
{
    int v = 0;

    if (!isdigit((unsigned char)*c->p)) {
        return fail(c, "a { without a number");
    }
    for (; isdigit((unsigned char)*c->p) && v <= REPEAT_MAX; c->p++) {
        v = v * 10 + (*c->p - '0');
    }
    if (v > REPEAT_MAX) {
        return fail(c, "more than 255 times");
    }
    *ret = v;
    return 0;
}

/* "2", "2,", "2,3" behind the '{'. */
static int bounds(struct compiler *c, int *ret_least, int *ret_most)
{
    int err = bound(c, ret_least);

    *ret_most = *ret_least;
    if (err == 0 && *c->p == ',') {
        c->p++;
        *ret_most = MANY;
        err = *c->p == '}' ? 0 : bound(c, ret_most);
    }
    if (err == 0 && *c->p != '}') {
        return fail(c, "a { without its }");
    }
    if (err == 0 && *ret_most != MANY && *ret_most < *ret_least) {
        return fail(c, "a {..} that ends before it begins");
    }
    c->p += err == 0;
    return err;
}

/* The program from `at` on is repeated: copies of it, the later ones to be left out at will. */
static int repeat(struct compiler *c, unsigned at, int least, int most)
{
    struct ho_regex_op piece[HO_REGEX_CODE];
    const unsigned len = c->re->count - at;
    const int copies = most != MANY ? most : least > 1 ? least : 1;
    int err = 0;

    memcpy(piece, c->re->code + at, len * sizeof(*piece));
    c->re->count = at;
    for (int i = 0; i < copies && err == 0; i++) {
        unsigned start = c->re->count;
        if (i >= least) {
            err = emit(c, fork_to(1, len + 1 + (most == MANY)));
        }
        for (unsigned k = 0; k < len && err == 0; k++) {
            err = emit(c, piece[k]);
        }
        if (err == 0 && most == MANY && i == copies - 1) {
            err =
                i >= least
                    ? emit(c, (struct ho_regex_op){ .kind = OP_GO,
                                                    .a = (int16_t) - (int)(c->re->count - start) })
                    : emit(c, (struct ho_regex_op){
                                  .kind = OP_FORK, .a = (int16_t) - (int)len, .b = 1 });
        }
    }
    return err;
}

static int repeated(struct compiler *c)
{
    unsigned at = c->re->count;
    int err = atom(c), least, most;

    while (err == 0 && *c->p != '\0' && strchr("*+?{", *c->p) != NULL) {
        char how = *c->p++;
        least = how == '+';
        most = how == '?' ? 1 : MANY;
        if (how == '{') {
            err = bounds(c, &least, &most);
        }
        err = err == 0 ? repeat(c, at, least, most) : err;
    }
    return err;
}

/* One after another, up to the end, a '|' or a ')'. */
static int sequence(struct compiler *c)
{
    int err = 0;

    while (err == 0 && *c->p != '\0' && *c->p != '|' && *c->p != ')') {
        err = repeated(c);
    }
    return err;
}

static int alternatives(struct compiler *c)
{
    unsigned at = c->re->count;
    int err = sequence(c);

    while (err == 0 && *c->p == '|') {
        c->p++;
        err = insert(c, at, fork_to(1, c->re->count - at + 2));
        unsigned go = c->re->count;
        err = err == 0 ? emit(c, (struct ho_regex_op){ .kind = OP_GO }) : err;
        err = err == 0 ? sequence(c) : err;
        if (err == 0) {
            c->re->code[go].a = (int16_t)(c->re->count - go);
        }
    }
    return err;
}

int ho_regex_compile(struct ho_regex *ret, const char *text, const char **ret_why)
{
    struct compiler c = { .re = ret, .p = text };

    ret->count = ret->sets = 0;
    int err = *text != '\0' ? alternatives(&c) : fail(&c, "it is empty");
    if (err == 0 && *c.p != '\0') {
        err = fail(&c, "a ) without its (");
    }
    err = err == 0 ? emit(&c, (struct ho_regex_op){ .kind = OP_MATCH }) : err;
    if (err != 0 && ret_why != NULL) {
        *ret_why = c.why;
    }
    return err;
}

/* --- the machine ----------------------------------------------------------------------------- */

struct ways {
    uint16_t at[HO_REGEX_CODE];
    bool has[HO_REGEX_CODE];
    unsigned count;
};

/* Adds the instruction `start` and all that follow without taking a byte. True: MATCH is one. */
static bool add_way(const struct ho_regex *re, struct ways *w, unsigned start, bool begins,
                    bool ends)
{
    uint16_t todo[HO_REGEX_CODE + 1];
    unsigned n = 0;

    todo[n++] = (uint16_t)start;
    while (n > 0) {
        unsigned pc = todo[--n];
        const struct ho_regex_op *op = &re->code[pc];
        if (w->has[pc]) {
            continue;
        }
        w->has[pc] = true;
        w->at[w->count++] = (uint16_t)pc;
        if (op->kind == OP_MATCH) {
            return true;
        }
        if (op->kind == OP_FORK) {
            assert(n + 2 <= HO_REGEX_CODE + 1);
            todo[n++] = (uint16_t)((int)pc + op->b);
            todo[n++] = (uint16_t)((int)pc + op->a);
        } else if (op->kind == OP_GO) {
            todo[n++] = (uint16_t)((int)pc + op->a);
        } else if ((op->kind == OP_BEGIN && begins) || (op->kind == OP_END && ends)) {
            todo[n++] = (uint16_t)(pc + 1);
        }
    }
    return false;
}

static bool takes(const struct ho_regex *re, const struct ho_regex_op *op, uint8_t byte)
{
    return op->kind == OP_ANY || (op->kind == OP_BYTE && op->byte == byte) ||
           (op->kind == OP_SET && (re->set[op->byte][byte / 8] >> byte % 8 & 1) != 0);
}

bool ho_regex_match(const struct ho_regex *re, const char *bytes, size_t len)
{
    struct ways ways[2] = { { .count = 0 }, { .count = 0 } }, *now = &ways[0], *next = &ways[1];

    for (size_t i = 0;; i++) {
        if (add_way(re, now, 0, i == 0, i == len)) {
            return true;
        }
        if (i == len) {
            return false;
        }
        for (unsigned k = 0; k < now->count; k++) {
            const unsigned pc = now->at[k];
            if (takes(re, &re->code[pc], (uint8_t)bytes[i]) &&
                add_way(re, next, pc + 1, false, i + 1 == len)) {
                return true;
            }
        }
        struct ways *swap = now;
        now = next;
        next = swap;
        *next = (struct ways){ .count = 0 };
    }
}
