/* A strict reader of flat JSON objects. See timeline/json.h. */

#include "timeline/json.h"

#include <errno.h>
#include <string.h>

struct scan {
    const char *s;
    size_t at, len;
    struct ho_json *j;
};

static int fail(struct scan *c, const char *expected)
{
    c->j->error = expected;
    c->j->error_at = c->at;
    return -EINVAL;
}

static void skip_space(struct scan *c)
{
    while (c->at < c->len && (c->s[c->at] == ' ' || c->s[c->at] == '\t' || c->s[c->at] == '\r')) {
        c->at++;
    }
}

/* The next byte that is no space, or 0 at the end. */
static char look(struct scan *c)
{
    skip_space(c);
    return c->at < c->len ? c->s[c->at] : '\0';
}

static int expect(struct scan *c, char what, const char *expected)
{
    if (look(c) != what) {
        return fail(c, expected);
    }
    c->at++;
    return 0;
}

/* Four hexadecimal digits. */
static int scan_hex4(struct scan *c, uint32_t *ret)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 4; i++, c->at++) {
        static const char digits[] = "0123456789abcdef";
        char ch = c->at < c->len ? c->s[c->at] : '\0';
        const char *d = strchr(digits, ch >= 'A' && ch <= 'F' ? ch - 'A' + 'a' : ch);

        if (ch == '\0' || d == NULL) {
            return fail(c, "four hexadecimal digits");
        }
        v = v * 16 + (uint32_t)(d - digits);
    }
    *ret = v;
    return 0;
}

/* Appends a code point as UTF-8 (RFC 3629 3). */
static void put_utf8(struct ho_text *t, uint32_t cp)
{
    if (cp < 0x80) {
        ho_text_char(t, (char)cp);
    } else if (cp < 0x800) {
        ho_text_char(t, (char)(0xc0 | cp >> 6));
        ho_text_char(t, (char)(0x80 | (cp & 0x3f)));
    } else if (cp < 0x10000) {
        ho_text_char(t, (char)(0xe0 | cp >> 12));
        ho_text_char(t, (char)(0x80 | (cp >> 6 & 0x3f)));
        ho_text_char(t, (char)(0x80 | (cp & 0x3f)));
    } else {
        ho_text_char(t, (char)(0xf0 | cp >> 18));
        ho_text_char(t, (char)(0x80 | (cp >> 12 & 0x3f)));
        ho_text_char(t, (char)(0x80 | (cp >> 6 & 0x3f)));
        ho_text_char(t, (char)(0x80 | (cp & 0x3f)));
    }
}

static int scan_unicode(struct scan *c)
{
    uint32_t cp = 0;
    int err = scan_hex4(c, &cp);

    if (err == 0 && cp >= 0xd800 && cp < 0xdc00) {
        uint32_t low = 0;

        if (c->len - c->at < 6 || c->s[c->at] != '\\' || c->s[c->at + 1] != 'u') {
            return fail(c, "the second half of a surrogate pair");
        }
        c->at += 2;
        err = scan_hex4(c, &low);
        if (err == 0 && (low < 0xdc00 || low > 0xdfff)) {
            return fail(c, "the second half of a surrogate pair");
        }
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
    } else if (err == 0 && (cp == 0 || (cp >= 0xdc00 && cp < 0xe000))) {
        return fail(c, "a character");
    }
    if (err == 0) {
        put_utf8(&c->j->texts, cp);
    }
    return err;
}

static int scan_escape(struct scan *c)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    char ch = c->at < c->len ? c->s[c->at] : '\0';
    const char *known = ch == '\0' ? NULL : strchr(from, ch);

    if (ch == 'u') {
        c->at++;
        return scan_unicode(c);
    }
    if (known == NULL) {
        return fail(c, "an escape that JSON has");
    }
    c->at++;
    ho_text_char(&c->j->texts, to[known - from]);
    return 0;
}

/* A text in quotes; its bytes go to j->texts with a final 0, their offset to *ret. */
static int scan_text(struct scan *c, size_t *ret)
{
    struct ho_text *texts = &c->j->texts;
    int err = expect(c, '"', "a text in quotes");

    *ret = texts->len;
    while (err == 0) {
        char ch = c->at < c->len ? c->s[c->at] : '\0';

        if ((unsigned char)ch < 0x20) {
            return fail(c, "the closing quote of a text");
        }
        c->at++;
        if (ch == '"') {
            ho_text_char(texts, '\0');
            return ho_text_err(texts);
        }
        if (ch == '\\') {
            err = scan_escape(c);
        } else {
            ho_text_char(texts, ch);
        }
    }
    return err;
}

static int scan_int(struct scan *c, int64_t *ret)
{
    bool minus = look(c) == '-';
    uint64_t v = 0;
    size_t first;

    c->at += minus;
    first = c->at;
    while (c->at < c->len && c->s[c->at] >= '0' && c->s[c->at] <= '9') {
        if (c->at - first >= 18) {
            return fail(c, "an integer of at most 18 digits");
        }
        v = v * 10 + (uint64_t)(c->s[c->at] - '0');
        c->at++;
    }
    if (c->at == first || (c->s[first] == '0' && c->at > first + 1)) {
        c->at = first;
        return fail(c, "an integer");
    }
    if (c->at < c->len && strchr(".eE", c->s[c->at]) != NULL) {
        return fail(c, "an integer, without fraction or exponent");
    }
    *ret = minus ? -(int64_t)v : (int64_t)v;
    return 0;
}

static int scan_ints(struct scan *c, struct ho_json_field *f, bool inner);

/* One element of an array: an integer, or in the outer array a pair. */
static int scan_element(struct scan *c, struct ho_json_field *f, bool inner)
{
    if (look(c) == '[') {
        unsigned before = f->n_ints;

        if (inner || (f->type == HO_JSON_ARRAY && before > 0)) {
            return fail(c, "an integer");
        }
        f->type = HO_JSON_PAIRS;
        int err = scan_ints(c, f, true);
        return err == 0 && f->n_ints != before + 2 ? fail(c, "two integers in brackets") : err;
    }
    if (f->n_ints == HO_JSON_INTS || (f->type == HO_JSON_PAIRS && !inner)) {
        return fail(c, "the end of the list");
    }
    return scan_int(c, &f->ints[f->n_ints++]);
}

static int scan_ints(struct scan *c, struct ho_json_field *f, bool inner)
{
    int err = expect(c, '[', "a list");

    if (err == 0 && look(c) == ']') {
        c->at++;
        return 0;
    }
    while (err == 0) {
        err = scan_element(c, f, inner);
        if (err == 0 && look(c) == ']') {
            c->at++;
            return 0;
        }
        if (err == 0) {
            err = expect(c, ',', "a comma or the end of the list");
        }
    }
    return err;
}

static int scan_word(struct scan *c, struct ho_json_field *f)
{
    static const struct {
        const char *word;
        enum ho_json_type type;
    } words[] = {
        { "null", HO_JSON_NULL },
        { "true", HO_JSON_TRUE },
        { "false", HO_JSON_FALSE },
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i].word);

        if (c->len - c->at >= len && memcmp(c->s + c->at, words[i].word, len) == 0) {
            c->at += len;
            f->type = words[i].type;
            return 0;
        }
    }
    return fail(c, "a text, an integer, a list, true, false or null");
}

static int scan_value(struct scan *c, struct ho_json_field *f)
{
    char ch = look(c);

    f->at = c->at;
    f->n_ints = 0;
    if (ch == '"') {
        f->type = HO_JSON_TEXT;
        return scan_text(c, &f->text);
    }
    if (ch == '[') {
        f->type = HO_JSON_ARRAY;
        return scan_ints(c, f, false);
    }
    if (ch == '-' || (ch >= '0' && ch <= '9')) {
        f->type = HO_JSON_INT;
        f->n_ints = 1;
        return scan_int(c, &f->ints[0]);
    }
    return scan_word(c, f);
}

static int scan_field(struct scan *c)
{
    struct ho_json *j = c->j;
    size_t name = 0;

    if (j->n == HO_JSON_FIELDS) {
        return fail(c, "the end of the object: too many fields");
    }
    skip_space(c);
    size_t at = c->at;
    int err = scan_text(c, &name);
    if (err == 0 && ho_json_find(j, ho_text_str(&j->texts) + name) != NULL) {
        c->at = at;
        return fail(c, "a field that was not there before");
    }
    if (err == 0) {
        err = expect(c, ':', "a colon");
    }
    if (err == 0) {
        j->field[j->n].name = name;
        err = scan_value(c, &j->field[j->n]);
    }
    j->n += err == 0;
    return err;
}

int ho_json_read(struct ho_json *j, const char *line, size_t len)
{
    struct scan c = { .s = line, .len = len, .j = j };

    ho_text_clear(&j->texts);
    j->n = 0;
    int err = expect(&c, '{', "an opening brace");
    while (err == 0) {
        err = scan_field(&c);
        if (err == 0 && look(&c) == '}') {
            c.at++;
            break;
        }
        if (err == 0) {
            err = expect(&c, ',', "a comma or a closing brace");
        }
    }
    if (err == 0 && (look(&c) != '\0' || c.at < c.len)) {
        err = fail(&c, "the end of the line");
    }
    return err;
}

void ho_json_free(struct ho_json *j)
{
    if (j != NULL) {
        ho_text_free(&j->texts);
        j->n = 0;
    }
}

const struct ho_json_field *ho_json_find(const struct ho_json *j, const char *name)
{
    for (unsigned i = 0; i < j->n; i++) {
        if (strcmp(ho_text_str(&j->texts) + j->field[i].name, name) == 0) {
            return &j->field[i];
        }
    }
    return NULL;
}
