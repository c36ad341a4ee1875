/* A growable string. See base/text.h. */

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_MIN (60 * HO_NS_PER_S)
#define NS_PER_HOUR (3600 * HO_NS_PER_S)
#define NS_PER_DAY (86400 * HO_NS_PER_S)

void ho_text_free(struct ho_text *t)
{
    if (t != NULL) {
        free(t->s);
        *t = (struct ho_text){ 0 };
    }
}

void ho_text_end_part(struct ho_text *t, struct ho_text *part)
{
    t->err = part->err != 0 ? part->err : t->err;
    ho_text_free(part);
}

void ho_text_clear(struct ho_text *t)
{
    t->len = 0;
    if (t->s != NULL) {
        t->s[0] = '\0';
    }
}

int ho_text_err(const struct ho_text *t)
{
    return t->err;
}

const char *ho_text_str(const struct ho_text *t)
{
    return t->s == NULL ? "" : t->s;
}

/* Room for `n` more bytes and the final 0. */
static bool make_room(struct ho_text *t, size_t n)
{
    if (t->err != 0) {
        return false;
    }
    if (t->room - t->len > n) {
        return true;
    }
    if (n > SIZE_MAX / 2 - t->len - 1) {
        t->err = -ENOMEM;
        return false;
    }
    size_t room = t->room == 0 ? 256 : t->room;
    while (room - t->len <= n) {
        room *= 2;
    }
    char *s = realloc(t->s, room);
    if (s == NULL) {
        t->err = -ENOMEM;
        return false;
    }
    t->s = s;
    t->room = room;
    return true;
}

void ho_text_bytes(struct ho_text *t, const void *bytes, size_t n)
{
    if (!make_room(t, n)) {
        return;
    }
    if (n > 0) {
        memcpy(t->s + t->len, bytes, n);
    }
    t->len += n;
    t->s[t->len] = '\0';
}

void ho_text_put(struct ho_text *t, const char *s)
{
    ho_text_bytes(t, s, strlen(s));
}

void ho_text_char(struct ho_text *t, char c)
{
    ho_text_bytes(t, &c, 1);
}

void ho_text_repeat(struct ho_text *t, const char *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ho_text_put(t, s);
    }
}

void ho_text_uint(struct ho_text *t, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    ho_text_bytes(t, digits + at, sizeof(digits) - at);
}

void ho_text_int(struct ho_text *t, int64_t v)
{
    if (v < 0) {
        ho_text_char(t, '-');
    }
    ho_text_uint(t, v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v);
}

void ho_text_vprintf(struct ho_text *t, const char *format, va_list args)
{
    size_t space = t->err == 0 ? t->room - t->len : 0;
    va_list again;

    va_copy(again, args);
    int n = vsnprintf(space > 0 ? t->s + t->len : NULL, space, format, again);
    va_end(again);
    if (n >= 0 && (size_t)n < space) {
        t->len += (size_t)n;
        return;
    }
    if (space > 0) {
        t->s[t->len] = '\0';
    }
    if (n < 0) {
        t->err = -ENOMEM; /* only a wide character could not be converted, and there is none */
        return;
    }
    if (make_room(t, (size_t)n)) {
        vsnprintf(t->s + t->len, (size_t)n + 1, format, args);
        t->len += (size_t)n;
    }
}

void ho_text_printf(struct ho_text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    ho_text_vprintf(t, format, args);
    va_end(args);
}

void ho_text_json(struct ho_text *t, const char *s)
{
    ho_text_char(t, '"');
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\') {
            ho_text_char(t, '\\');
            ho_text_char(t, *s);
        } else if (c == '\n') {
            ho_text_put(t, "\\n");
        } else if (c == '\t') {
            ho_text_put(t, "\\t");
        } else if (c < 0x20) {
            ho_text_printf(t, "\\u%04x", (unsigned)c);
        } else {
            ho_text_char(t, *s);
        }
    }
    ho_text_char(t, '"');
}

void ho_text_seconds(struct ho_text *t, int64_t ns, unsigned digits)
{
    uint64_t v = ns < 0 ? (uint64_t)0 - (uint64_t)ns : (uint64_t)ns;
    uint64_t unit = 1; /* ns of the last digit */

    assert(digits <= 9);
    for (unsigned i = digits; i < 9; i++) {
        unit *= 10;
    }
    v = v / unit + (v % unit >= unit - unit / 2 ? 1 : 0);
    unit = (uint64_t)HO_NS_PER_S / unit;
    if (ns < 0 && v != 0) {
        ho_text_char(t, '-');
    }
    ho_text_uint(t, v / unit);
    if (digits > 0) {
        ho_text_printf(t, ".%0*" PRIu64, (int)digits, v % unit);
    }
}

/* `ns` in units of `unit` with one digit after the point, unless that is 0. */
static void put_tenths(struct ho_text *t, int64_t ns, int64_t unit, const char *name)
{
    int64_t tenths = ns / (unit / 10) + (ns % (unit / 10) >= unit / 20 ? 1 : 0);

    ho_text_int(t, tenths / 10);
    if (tenths % 10 != 0) {
        ho_text_printf(t, ".%d", (int)(tenths % 10));
    }
    ho_text_put(t, name);
}

/* Rounded to a multiple of `unit`, so that 59.96 s does not become "60.0 s" but "1 m 0 s". */
static int64_t rounded(int64_t ns, int64_t unit)
{
    return ns > INT64_MAX - unit ? ns : (ns + unit / 2) / unit * unit;
}

void ho_text_dur(struct ho_text *t, struct ho_dur d)
{
    int64_t ns = d.ns;

    if (ns == 0) {
        ho_text_put(t, "0 s");
    } else if (ns < NS_PER_US) {
        ho_text_int(t, ns);
        ho_text_put(t, " ns");
    } else if (rounded(ns, NS_PER_US) < NS_PER_MS) {
        put_tenths(t, rounded(ns, NS_PER_US), NS_PER_US, " us");
    } else if (rounded(ns, NS_PER_MS / 10) < 10 * NS_PER_MS) {
        put_tenths(t, ns, NS_PER_MS, " ms");
    } else if (rounded(ns, NS_PER_MS) < HO_NS_PER_S) {
        put_tenths(t, rounded(ns, NS_PER_MS), NS_PER_MS, " ms");
    } else if (rounded(ns, 10 * NS_PER_MS) < 10 * HO_NS_PER_S) {
        ho_text_seconds(t, ns, 2);
        ho_text_put(t, " s");
    } else if (rounded(ns, 100 * NS_PER_MS) < NS_PER_MIN) {
        put_tenths(t, ns, HO_NS_PER_S, " s");
    } else if (rounded(ns, 100 * NS_PER_MS) < NS_PER_HOUR) {
        ns = rounded(ns, 100 * NS_PER_MS);
        ho_text_printf(t, "%" PRId64 " m ", ns / NS_PER_MIN);
        put_tenths(t, ns % NS_PER_MIN, HO_NS_PER_S, " s");
    } else if (rounded(ns, HO_NS_PER_S) < NS_PER_DAY) {
        ns = rounded(ns, HO_NS_PER_S);
        ho_text_printf(t, "%" PRId64 " h %" PRId64 " m %" PRId64 " s", ns / NS_PER_HOUR,
                       ns % NS_PER_HOUR / NS_PER_MIN, ns % NS_PER_MIN / HO_NS_PER_S);
    } else {
        ns = rounded(ns, NS_PER_MIN);
        ho_text_printf(t, "%" PRId64 " d %" PRId64 " h %" PRId64 " m", ns / NS_PER_DAY,
                       ns % NS_PER_DAY / NS_PER_HOUR, ns % NS_PER_HOUR / NS_PER_MIN);
    }
}

size_t ho_text_width(const char *s)
{
    size_t n = 0;

    for (; *s != '\0'; s++) {
        n += ((unsigned char)*s & 0xc0) != 0x80; /* continuation bytes (RFC 3629 3) */
    }
    return n;
}

void ho_text_pad(struct ho_text *t, const char *s, size_t width)
{
    size_t have = ho_text_width(s);

    ho_text_put(t, s);
    for (; have < width; have++) {
        ho_text_char(t, ' ');
    }
}
