/* Words of others made safe, and words for eyes laid out. See words.h. */

#include "base/words.h"

#include <string.h>

/* The length of the UTF-8 sequence at `p`, and its code point; 0 if it is none (RFC 3629 4: no
 * overlong forms, no surrogates, nothing above U+10FFFF).
 */
static size_t sequence(const unsigned char *p, uint32_t *ret_code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t n = p[0] < 0x80               ? 1
               : (p[0] & 0xe0u) == 0xc0u ? 2
               : (p[0] & 0xf0u) == 0xe0u ? 3
               : (p[0] & 0xf8u) == 0xf0u ? 4
                                         : 0;
    uint32_t code = n <= 1 ? p[0] : p[0] & (0x7fu >> n);

    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0u) != 0x80u) { /* also the final 0 */
            return 0;
        }
        code = code << 6 | (p[i] & 0x3fu);
    }
    if (n == 0 || code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    *ret_code = code;
    return n;
}

static bool is_printable(uint32_t code)
{
    return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) && code != 0x200e && code != 0x200f &&
           !(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2066 && code <= 0x2069);
}

void ho_text_plain(struct ho_text *t, const char *s)
{
    const unsigned char *p = (const unsigned char *)s;

    while (*p != '\0') {
        uint32_t code = 0;
        size_t n = sequence(p, &code);

        if (n > 0 && is_printable(code)) {
            ho_text_bytes(t, p, n);
        } else {
            n = n > 0 ? n : 1;
            for (size_t i = 0; i < n; i++) {
                ho_text_printf(t, "\\x%02x", (unsigned)p[i]);
            }
        }
        p += n;
    }
}

void ho_text_xml(struct ho_text *t, const char *s)
{
    for (; *s != '\0'; s++) {
        switch (*s) {
        case '<':
            ho_text_put(t, "&lt;");
            break;
        case '>':
            ho_text_put(t, "&gt;");
            break;
        case '&':
            ho_text_put(t, "&amp;");
            break;
        case '"':
            ho_text_put(t, "&quot;");
            break;
        default:
            ho_text_char(t, (unsigned char)*s < ' ' && *s != '\n' ? '?' : *s);
        }
    }
}

void ho_text_tap(struct ho_text *t, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '#' || *s == '\\') {
            ho_text_char(t, '\\');
        }
        ho_text_char(t, *s == '\n' ? ' ' : *s);
    }
}

void ho_text_label(struct ho_text *t, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '\n') {
            ho_text_put(t, "\\n");
        } else {
            if (*s == '\\' || *s == '"') {
                ho_text_char(t, '\\');
            }
            ho_text_char(t, *s);
        }
    }
}

void ho_text_markdown(struct ho_text *t, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '<') {
            ho_text_put(t, "&lt;");
        } else if (*s == '>') {
            ho_text_put(t, "&gt;");
        } else if (*s == '&') {
            ho_text_put(t, "&amp;");
        } else {
            if (strchr("\\`*_[]|#~", *s) != NULL) {
                ho_text_char(t, '\\');
            }
            ho_text_char(t, *s == '\n' ? ' ' : *s);
        }
    }
}

/* Columns of the first `n` bytes. */
static size_t columns(const char *s, size_t n)
{
    size_t c = 0;

    for (size_t i = 0; i < n; i++) {
        c += ((unsigned char)s[i] & 0xc0) != 0x80;
    }
    return c;
}

void ho_text_wrap(struct ho_text *t, const char *words, size_t column, size_t indent, size_t width)
{
    bool first = true; /* word of a line */

    for (const char *p = words + strspn(words, " "); *p != '\0';) {
        size_t n = strcspn(p, " "), wide = columns(p, n);

        if (!first && column + 1 + wide > width) {
            ho_text_char(t, '\n');
            ho_text_repeat(t, " ", (unsigned)indent);
            column = indent;
        } else if (!first) {
            ho_text_char(t, ' ');
            column++;
        }
        ho_text_bytes(t, p, n);
        column += wide;
        first = false;
        p += n + strspn(p + n, " ");
    }
    ho_text_char(t, '\n');
}
