/* See base/utf8.h. Widths follow Unicode's EastAsianWidth.txt in blocks, not by single code point:
 * what is drawn one column too wide or narrow shifts a line, and no more.
 */

#include "base/utf8.h"

#include <string.h>

struct range {
    uint32_t first, last;
};

/* Control, format, combining, private use, not a character: never to a terminal. */
static const struct range hidden[] = {
    { 0x0000, 0x001f },   { 0x007f, 0x009f },    { 0x00ad, 0x00ad },   { 0x0300, 0x036f },
    { 0x0483, 0x0489 },   { 0x0591, 0x05bd },    { 0x0600, 0x0605 },   { 0x0610, 0x061c },
    { 0x064b, 0x065f },   { 0x06dd, 0x06dd },    { 0x070f, 0x070f },   { 0x0e31, 0x0e31 },
    { 0x0e34, 0x0e3a },   { 0x0e47, 0x0e4e },    { 0x115f, 0x1160 },   { 0x180b, 0x180f },
    { 0x1ab0, 0x1aff },   { 0x1dc0, 0x1dff },    { 0x200b, 0x200f },   { 0x2028, 0x202e },
    { 0x2060, 0x206f },   { 0x20d0, 0x20ff },    { 0x3164, 0x3164 },   { 0xd800, 0xf8ff },
    { 0xfe00, 0xfe0f },   { 0xfe20, 0xfe2f },    { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },
    { 0xfff0, 0xffff },   { 0x1bca0, 0x1bca3 },  { 0x1d165, 0x1d169 }, { 0x1d173, 0x1d182 },
    { 0x1fffe, 0x1ffff }, { 0xe0000, 0x10ffff },
};

static const struct range wide[] = {
    { 0x1100, 0x115e },   { 0x231a, 0x231b },   { 0x23e9, 0x23ec },   { 0x2e80, 0x303e },
    { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },   { 0x4e00, 0xa4cf },   { 0xa960, 0xa97f },
    { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff01, 0xff60 },
    { 0xffe0, 0xffe6 },   { 0x16fe0, 0x18aff }, { 0x1b000, 0x1b2ff }, { 0x1f300, 0x1f64f },
    { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1faff }, { 0x20000, 0x3fffd },
};

static bool in(const struct range *r, size_t n, uint32_t cp)
{
    for (size_t i = 0; i < n; i++) {
        if (cp >= r[i].first && cp <= r[i].last) {
            return true;
        }
    }
    return false;
}

unsigned ho_utf8_columns(uint32_t cp)
{
    if (cp >= 0x20 && cp < 0x7f) {
        return 1;
    }
    if (in(hidden, sizeof(hidden) / sizeof(hidden[0]), cp)) {
        return 0;
    }
    return in(wide, sizeof(wide) / sizeof(wide[0]), cp) ? 2 : 1;
}

size_t ho_utf8_read(const char *s, size_t len, uint32_t *ret)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *b = (const unsigned char *)s;
    size_t n;
    uint32_t cp;

    if (len == 0) {
        return 0;
    }
    if (b[0] < 0x80) {
        *ret = b[0];
        return 1;
    }
    n = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
    if (b[0] < 0xc2 || b[0] > 0xf4 || len < n) {
        return 0;
    }
    cp = b[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((b[i] & 0xc0u) != 0x80u) {
            return 0;
        }
        cp = cp << 6 | (b[i] & 0x3fu);
    }
    if (cp < smallest[n] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff)) {
        return 0;
    }
    *ret = cp;
    return n;
}

/* One code point of `s`, or one byte that is none: its bytes into *ret_len, its columns as shown.
 */
static unsigned next(const char *s, size_t len, bool ascii, size_t *ret_len, bool *ret_replace)
{
    uint32_t cp;
    size_t n = ho_utf8_read(s, len, &cp);
    unsigned columns = n == 0 ? 0 : ho_utf8_columns(cp);

    *ret_len = n == 0 ? 1 : n;
    *ret_replace = columns == 0 || (ascii && cp > 0x7e);
    return *ret_replace ? 1 : columns;
}

static size_t columns_of(const char *s, size_t len, bool ascii)
{
    size_t all = 0, n;
    bool replace;

    for (size_t i = 0; i < len; i += n) {
        all += next(s + i, len - i, ascii, &n, &replace);
    }
    return all;
}

size_t ho_utf8_put(struct ho_text *out, const char *s, size_t columns, bool ascii)
{
    size_t len = strlen(s), used = 0, n;
    size_t room = columns_of(s, len, ascii) <= columns ? columns : columns == 0 ? 0 : columns - 1;
    bool cut = room < columns, replace;

    for (size_t i = 0; i < len; i += n) {
        unsigned w = next(s + i, len - i, ascii, &n, &replace);

        if (used + w > room) {
            break;
        }
        ho_text_bytes(out, replace ? "?" : s + i, replace ? 1 : n);
        used += w;
    }
    if (cut) {
        ho_text_char(out, '~');
        used++;
    }
    return used;
}

void ho_utf8_pad(struct ho_text *out, const char *s, size_t columns, bool ascii)
{
    for (size_t used = ho_utf8_put(out, s, columns, ascii); used < columns; used++) {
        ho_text_char(out, ' ');
    }
}
