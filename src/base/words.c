/* Words of others made safe, and words for eyes laid out. See words.h. */

#include "base/words.h"

#include <string.h>

#include "base/utf8.h"

void ho_text_plain(struct ho_text *t, const char *s)
{
    size_t len = strlen(s), n;

    for (size_t i = 0; i < len; i += n) {
        uint32_t code = 0;

        n = ho_utf8_read(s + i, len - i, &code);
        if (n > 0 && ho_utf8_columns(code) > 0) {
            ho_text_bytes(t, s + i, n);
            continue;
        }
        n = n > 0 ? n : 1;
        for (size_t k = 0; k < n; k++) {
            ho_text_printf(t, "\\x%02x", (unsigned)(unsigned char)s[i + k]);
        }
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
    size_t all = 0, step;
    uint32_t code = 0;

    for (size_t i = 0; i < n; i += step) {
        step = ho_utf8_read(s + i, n - i, &code);
        all += step > 0 ? ho_utf8_columns(code) : 1;
        step = step > 0 ? step : 1;
    }
    return all;
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
