/* Addresses: kinds, prefixes, text (RFC 4291 2.2, RFC 5952). */

#include "wire/addr.h"

#include <errno.h>
#include <stdio.h>

#include "wire/bytes.h"

#define GROUPS 8

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

bool ho_addr_is_v4(const struct ho_addr *a)
{
    return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

bool ho_addr_is_any(const struct ho_addr *a)
{
    static const struct ho_addr any6;
    static const struct ho_addr any4 = { .b = { [10] = 0xff, [11] = 0xff } };

    return ho_addr_eq(a, &any6) || ho_addr_eq(a, &any4);
}

bool ho_addr_is_loopback(const struct ho_addr *a)
{
    static const struct ho_addr one = { .b = { [15] = 1 } };

    return ho_addr_eq(a, &one) || (ho_addr_is_v4(a) && a->b[12] == 127);
}

bool ho_addr_is_multicast(const struct ho_addr *a)
{
    return a->b[0] == 0xff || (ho_addr_is_v4(a) && (a->b[12] & 0xf0) == 0xe0);
}

struct ho_addr ho_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    struct ho_addr addr = { .b = { [10] = 0xff, [11] = 0xff, a, b, c, d } };

    return addr;
}

bool ho_addr_in(const struct ho_addr *a, const struct ho_addr *net, unsigned bits)
{
    unsigned bytes = bits / 8;

    if (bits >= 128) {
        return ho_addr_eq(a, net);
    }
    if (memcmp(a->b, net->b, bytes) != 0) {
        return false;
    }
    return ((a->b[bytes] ^ net->b[bytes]) & (0xff00u >> bits % 8 & 0xffu)) == 0;
}

/* Reads "10.0.0.1" into 4 bytes: four numbers without leading zeros, and nothing after them. */
static int parse_v4(uint8_t *ret, const char *text)
{
    uint8_t b[4];

    for (int i = 0; i < 4; i++) {
        unsigned value = 0;
        int digits = 0;

        if (i > 0 && *text++ != '.') {
            return -EINVAL;
        }
        for (; *text >= '0' && *text <= '9' && digits < 3; digits++) {
            value = value * 10 + (unsigned)(*text++ - '0');
        }
        if (digits == 0 || value > 255 || (digits > 1 && text[-digits] == '0')) {
            return -EINVAL;
        }
        b[i] = (uint8_t)value;
    }
    if (*text != '\0') {
        return -EINVAL;
    }
    memcpy(ret, b, sizeof(b));
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads one to four hexadecimal digits. Returns how many; 0 if there is none. */
static int parse_group(unsigned *ret, const char *text)
{
    unsigned value = 0;
    int digits = 0;

    for (; digits < 4 && hex_digit(text[digits]) >= 0; digits++) {
        value = value * 16 + (unsigned)hex_digit(text[digits]);
    }
    *ret = value;
    return digits;
}

/* Reads groups, at most one "::" and possibly an IPv4 tail into `b`. `*ret_gap` is where the "::"
 * stood, or -1. Returns how many bytes were read; -EINVAL.
 */
static int parse_groups(uint8_t *b, int *ret_gap, const char *text)
{
    int n = 0;

    if (text[0] == ':' && text[1] != ':') {
        return -EINVAL;
    }
    while (*text != '\0') {
        unsigned value;

        if (text[0] == ':' && text[1] == ':') {
            if (*ret_gap >= 0) {
                return -EINVAL;
            }
            *ret_gap = n;
            text += 2;
            continue;
        }
        text += n > 0 && n != *ret_gap; /* the colon that ended the last group */

        int digits = parse_group(&value, text);
        if (digits == 0 || n > 14) {
            return -EINVAL;
        }
        if (text[digits] == '.') {
            return n <= 12 && parse_v4(b + n, text) == 0 ? n + 4 : -EINVAL;
        }
        if (text[digits] != '\0' && text[digits] != ':') {
            return -EINVAL;
        }
        b[n++] = (uint8_t)(value >> 8);
        b[n++] = (uint8_t)value;
        text += digits;
    }
    return n;
}

static int parse_v6(struct ho_addr *ret, const char *text)
{
    struct ho_addr a = { .b = { 0 } };
    int gap = -1;
    int n = parse_groups(a.b, &gap, text);

    if (n < 0 || (gap < 0 && n != 16) || (gap >= 0 && n > 14)) {
        return -EINVAL;
    }
    if (gap >= 0) {
        size_t tail = (size_t)(n - gap);

        memmove(a.b + 16 - tail, a.b + gap, tail);
        memset(a.b + gap, 0, 16 - tail - (size_t)gap);
    }
    *ret = a;
    return 0;
}

int ho_addr_parse(struct ho_addr *ret, const char *text)
{
    uint8_t v4[4];

    if (parse_v4(v4, text) == 0) {
        *ret = ho_addr_v4(v4[0], v4[1], v4[2], v4[3]);
        return 0;
    }
    return strchr(text, ':') != NULL ? parse_v6(ret, text) : -EINVAL;
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 4.2). */
static int longest_zeros(const unsigned *group, int *ret_len)
{
    int best = -1, best_len = 1;

    for (int i = 0; i < GROUPS; i++) {
        int len = 0;

        while (i + len < GROUPS && group[i + len] == 0) {
            len++;
        }
        if (len > best_len) {
            best = i;
            best_len = len;
        }
    }
    *ret_len = best_len;
    return best;
}

const char *ho_addr_text(const struct ho_addr *a, char *buf)
{
    unsigned group[GROUPS];
    int zeros_len, len = 0;

    if (ho_addr_is_v4(a)) {
        snprintf(buf, HO_ADDR_TEXT, "%u.%u.%u.%u", a->b[12], a->b[13], a->b[14], a->b[15]);
        return buf;
    }
    for (int i = 0; i < GROUPS; i++) {
        group[i] = ho_get16(a->b + (size_t)i * 2);
    }
    int zeros = longest_zeros(group, &zeros_len);
    buf[0] = '\0';
    for (int i = 0; i < GROUPS; i++) {
        if (i == zeros) {
            len += snprintf(buf + len, HO_ADDR_TEXT - (size_t)len, "::");
            i += zeros_len - 1;
            continue;
        }
        len += snprintf(buf + len, HO_ADDR_TEXT - (size_t)len, "%s%x",
                        i == 0 || (zeros >= 0 && i == zeros + zeros_len) ? "" : ":", group[i]);
    }
    return buf;
}
