/* Numbers with units: text to integer and back, exactly. No floating point: a decimal fraction
 * must come out whole in the smallest unit (nanoseconds, millionths).
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "scenario/syntax.h"

struct unit {
    const char *name;
    int64_t size;
};

static const struct unit duration_units[] = { { "ns", 1 },
                                              { "us", 1000 },
                                              { "ms", 1000000 },
                                              { "s", HO_NS_PER_S },
                                              { "m", 60 * HO_NS_PER_S },
                                              { "min", 60 * HO_NS_PER_S },
                                              { "h", 3600 * HO_NS_PER_S },
                                              { "d", 86400 * HO_NS_PER_S },
                                              { NULL, 0 } };
static const struct unit byte_units[] = {
    { "", 1 }, { "k", 1024 }, { "M", 1024LL * 1024 }, { "G", 1024LL * 1024 * 1024 }, { NULL, 0 }
};
static const struct unit rate_units[] = {
    { "bit", 1 }, { "kbit", 1000 }, { "Mbit", 1000000 }, { "Gbit", 1000000000 }, { NULL, 0 }
};
static const struct unit percent_units[] = { { "%", 10000 }, { NULL, 0 } };
static const struct unit plain_units[] = { { "", 1 }, { NULL, 0 } };

/* Digits at `*p` as a number; moves behind them. False if there are none or too many. */
static bool digits(const char **p, int64_t *ret)
{
    int64_t v = 0;
    const char *start = *p;

    for (; **p >= '0' && **p <= '9'; (*p)++) {
        if (v > (INT64_MAX - (**p - '0')) / 10) {
            return false;
        }
        v = v * 10 + (**p - '0');
    }
    *ret = v;
    return *p != start;
}

/* The unit whose name stands at `*p` up to a digit or the end; moves behind it. */
static const struct unit *unit_at(const struct unit *units, const char **p)
{
    size_t len = strcspn(*p, "0123456789.");

    for (const struct unit *u = units; u->name != NULL; u++) {
        if (strlen(u->name) == len && memcmp(u->name, *p, len) == 0) {
            *p += len;
            return u;
        }
    }
    return NULL;
}

/* One "12.5s" at `*p`, added to *sum; the unit's size goes to *size. */
static bool term(const struct unit *units, const char **p, int64_t max, int64_t *sum, int64_t *size)
{
    int64_t whole, fraction = 0, scale = 1;

    if (!digits(p, &whole)) {
        return false;
    }
    if (**p == '.') {
        const char *start = ++*p;
        if (!digits(p, &fraction) || *p - start > 9) {
            return false;
        }
        for (; start < *p; start++) {
            scale *= 10;
        }
    }
    const struct unit *u = unit_at(units, p);
    if (u == NULL || whole > (max - *sum) / u->size) {
        return false;
    }
    if (fraction != 0 && (u->size > INT64_MAX / fraction || fraction * u->size % scale != 0)) {
        return false; /* finer than the smallest unit */
    }
    int64_t fine = fraction * u->size / scale;
    if (fine > max - *sum - whole * u->size) {
        return false;
    }
    *sum += whole * u->size + fine;
    *size = u->size;
    return true;
}

/* `compound`: more terms may follow, each of a smaller unit: 2h11m15s. */
static int read_units(const struct unit *units, const char *text, bool compound, int64_t max,
                      int64_t *ret)
{
    int64_t sum = 0, size = INT64_MAX;
    const char *p = text;

    do {
        int64_t this_size;
        if (!term(units, &p, max, &sum, &this_size) || this_size >= size) {
            return -EINVAL;
        }
        size = this_size;
    } while (compound && *p != '\0');
    if (*p != '\0') {
        return -EINVAL;
    }
    *ret = sum;
    return 0;
}

bool ho_type_is_number(enum ho_type type)
{
    switch (type) {
    case HO_TYPE_NUMBER:
    case HO_TYPE_COUNT:
    case HO_TYPE_BYTES:
    case HO_TYPE_PORT:
    case HO_TYPE_HZ:
    case HO_TYPE_DURATION:
    case HO_TYPE_RATE:
    case HO_TYPE_PERCENT:
        return true;
    default:
        return false;
    }
}

static int read_hz(const char *text, int64_t *ret)
{
    static const char *const known[] = { "100", "250", "300", "1000" };

    if (strcmp(text, "exact") == 0) {
        *ret = 0;
        return 0;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(text, known[i]) == 0) {
            return read_units(plain_units, text, false, 1000, ret);
        }
    }
    return -EINVAL;
}

int ho_value_read(enum ho_type type, const char *text, int64_t *ret)
{
    int64_t v;
    int err = -EINVAL;

    switch (type) {
    case HO_TYPE_NUMBER:
        err = read_units(plain_units, text, false, INT64_MAX, &v);
        break;
    case HO_TYPE_COUNT:
        err = read_units(plain_units, text, false, UINT32_MAX, &v);
        break;
    case HO_TYPE_PORT:
        err = read_units(plain_units, text, false, UINT16_MAX, &v);
        break;
    case HO_TYPE_BYTES:
        err = read_units(byte_units, text, false, 1LL << 40, &v);
        break;
    case HO_TYPE_HZ:
        return read_hz(text, ret);
    case HO_TYPE_DURATION:
        err = read_units(duration_units, text, true, HO_DURATION_MAX_NS, &v);
        break;
    case HO_TYPE_RATE:
        err = read_units(rate_units, text, false, 1000LL * 1000000000, &v);
        break;
    case HO_TYPE_PERCENT:
        err = read_units(percent_units, text, false, 1000000, &v);
        break;
    default:
        assert(0 && "not a number");
    }
    if (err != 0 || (v == 0 && (type == HO_TYPE_COUNT || type == HO_TYPE_PORT))) {
        return -EINVAL;
    }
    *ret = v;
    return 0;
}

/* `value` in units of `size` with as many digits behind the point as it takes. `size` is a power
 * of ten, or divides the value.
 */
static void print_decimal(struct ho_text *t, int64_t value, int64_t size, const char *unit)
{
    int64_t rest = value % size;

    ho_text_int(t, value / size);
    if (rest != 0) {
        ho_text_char(t, '.');
        for (int64_t digit = size / 10; rest != 0; digit /= 10) {
            ho_text_char(t, (char)('0' + rest / digit));
            rest %= digit;
        }
    }
    ho_text_put(t, unit);
}

static void print_duration(struct ho_text *t, int64_t ns)
{
    if (ns != 0 && ns % (3600 * HO_NS_PER_S) == 0) {
        print_decimal(t, ns, 3600 * HO_NS_PER_S, "h");
    } else if (ns == 0 || ns >= HO_NS_PER_S) {
        print_decimal(t, ns, HO_NS_PER_S, "s");
    } else if (ns >= 1000000) {
        print_decimal(t, ns, 1000000, "ms");
    } else if (ns >= 1000) {
        print_decimal(t, ns, 1000, "us");
    } else {
        print_decimal(t, ns, 1, "ns");
    }
}

void ho_value_print(struct ho_text *t, enum ho_type type, int64_t value)
{
    static const struct unit *const lists[HO_TYPE_COUNT_] = {
        [HO_TYPE_BYTES] = byte_units, [HO_TYPE_RATE] = rate_units
    };

    assert(ho_type_is_number(type));
    if (type == HO_TYPE_DURATION) {
        print_duration(t, value);
    } else if (type == HO_TYPE_PERCENT) {
        print_decimal(t, value, 10000, "%");
    } else if (type == HO_TYPE_HZ && value == 0) {
        ho_text_put(t, "exact");
    } else if (lists[type] != NULL) {
        const struct unit *best = &lists[type][0];
        for (const struct unit *u = best; u->name != NULL; u++) {
            if (value != 0 && value % u->size == 0) {
                best = u;
            }
        }
        print_decimal(t, value, best->size, best->name);
    } else {
        ho_text_int(t, value);
    }
}
