/* Arguments (param.h): numbers, durations, addresses and socket options, without floating point.
 *
 * Every message names the key, what was found and what could stand there.
 */

#include "program/param.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "program/room.h"

/* Reads digits up to the first other character. Returns 0; -EINVAL if there is none or the number
 * exceeds INT64_MAX.
 */
static int read_digits(int64_t *ret, const char **text)
{
    const char *s = *text;
    int64_t n = 0;

    if (*s < '0' || *s > '9') {
        return -EINVAL;
    }
    for (; *s >= '0' && *s <= '9'; s++) {
        if (n > (INT64_MAX - (*s - '0')) / 10) {
            return -EINVAL;
        }
        n = n * 10 + (*s - '0');
    }
    *ret = n;
    *text = s;
    return 0;
}

static const struct {
    const char *text;
    int64_t ns;
} dur_units[] = {
    { "d", 86400 * HO_NS_PER_S },
    { "h", 3600 * HO_NS_PER_S },
    { "m", 60 * HO_NS_PER_S },
    { "s", HO_NS_PER_S },
    { "ms", 1000000 },
    { "us", 1000 },
    { "ns", 1 },
    { "min", 60 * HO_NS_PER_S },
};

#define N_DUR_UNITS (sizeof(dur_units) / sizeof(dur_units[0]))

static int64_t dur_unit(const char *suffix)
{
    for (size_t i = 0; i < N_DUR_UNITS; i++) {
        if (strcmp(suffix, dur_units[i].text) == 0) {
            return dur_units[i].ns;
        }
    }
    return 0;
}

/* Minutes and hours only where they are what a person would have written: not 90 s as 1.5m. */
void ho_dur_write(char *to, size_t room, int64_t ns)
{
    size_t i = ns >= 7200 * HO_NS_PER_S ? 1 : 3;

    while (ns % dur_units[i].ns != 0) {
        i += i == 1 ? 2 : 1; /* hours, then seconds and what is below; 1 ns always divides */
    }
    snprintf(to, room, "%lld%s", (long long)(ns / dur_units[i].ns), dur_units[i].text);
}

/* The digits after the point as 10^-9 parts; digits beyond the ninth are refused. */
static int read_fraction(int64_t *ret_e9, const char **text)
{
    int64_t n = 0;
    int digits = 0;
    const char *s = *text;

    for (; *s >= '0' && *s <= '9'; s++, digits++) {
        if (digits == 9) {
            return -EINVAL;
        }
        n = n * 10 + (*s - '0');
    }
    if (digits == 0) {
        return -EINVAL;
    }
    for (; digits < 9; digits++) {
        n *= 10;
    }
    *ret_e9 = n;
    *text = s;
    return 0;
}

/* One "1.5s" of a duration. The suffix ends where the next number begins. */
static int read_part(int64_t *ret_ns, int64_t *ret_unit, const char **text)
{
    int64_t whole, e9 = 0, unit, part;
    char suffix[4] = "";
    size_t n = 0;

    if (read_digits(&whole, text) < 0) {
        return -EINVAL;
    }
    if (**text == '.') {
        ++*text;
        if (read_fraction(&e9, text) < 0) {
            return -EINVAL;
        }
    }
    while (n < sizeof(suffix) - 1 && **text >= 'a' && **text <= 'z') {
        suffix[n++] = *(*text)++;
    }
    unit = dur_unit(suffix);
    if (unit == 0) {
        return -EINVAL;
    }
    /* e9 * unit may exceed 64 bits for units above 9 s: split the unit at the second */
    part = unit < HO_NS_PER_S ? e9 * unit / HO_NS_PER_S : e9 * (unit / HO_NS_PER_S);
    if (whole > (INT64_MAX - part) / unit) {
        return -EINVAL;
    }
    *ret_ns = whole * unit + part;
    *ret_unit = unit;
    return 0;
}

int ho_dur_read(int64_t *ret_ns, const char *text)
{
    int64_t sum = 0, part, unit, last = INT64_MAX;

    if (strcmp(text, "0") == 0) {
        *ret_ns = 0;
        return 0;
    }
    do {
        if (read_part(&part, &unit, &text) < 0 || unit >= last || sum > INT64_MAX - part) {
            return -EINVAL;
        }
        sum += part;
        last = unit; /* 2h11m15s: largest first, each once */
    } while (*text != '\0');
    *ret_ns = sum;
    return 0;
}

static int read_bytes(int64_t *ret, const char *text)
{
    int64_t n, unit = 1;

    if (read_digits(&n, &text) < 0) {
        return -EINVAL;
    }
    if (*text != '\0') {
        static const char suffixes[] = "kMG";
        const char *at = strchr(suffixes, *text);

        if (at == NULL || text[1] != '\0') {
            return -EINVAL;
        }
        unit = INT64_C(1) << (10 * (at - suffixes + 1));
    }
    if (n > INT64_MAX / unit) {
        return -EINVAL;
    }
    *ret = n * unit;
    return 0;
}

static int read_count(int64_t *ret, const char *text)
{
    int64_t n;

    if (read_digits(&n, &text) < 0 || *text != '\0') {
        return -EINVAL;
    }
    *ret = n;
    return 0;
}

static int read_name(const char *text)
{
    size_t len = strlen(text);

    if (len == 0 || len >= HO_PROGRAM_NAME_MAX) {
        return -EINVAL;
    }
    for (const char *s = text; *s != '\0'; s++) {
        bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');

        if (!letter && !(*s >= '0' && *s <= '9') && *s != '-' && *s != '_') {
            return -EINVAL;
        }
    }
    return 0;
}

/* The index of `text` among words separated by '|'. Returns -EINVAL if it is none of them. */
static int read_choice(int64_t *ret, const char *text, const char *words)
{
    size_t len = strlen(text);
    int64_t index = 0;

    for (const char *w = words;; index++) {
        const char *end = strchr(w, '|');
        size_t n = end != NULL ? (size_t)(end - w) : strlen(w);

        if (n == len && memcmp(w, text, n) == 0) {
            *ret = index;
            return 0;
        }
        if (end == NULL) {
            return -EINVAL;
        }
        w = end + 1;
    }
}

/* ---- socket options -------------------------------------------------------------------------- */

static int read_signed(int64_t *ret, const char **text)
{
    bool minus = **text == '-';
    int64_t n;

    *text += minus;
    if (read_digits(&n, text) < 0) {
        return -EINVAL;
    }
    *ret = minus ? -n : n;
    return 0;
}

static int option_value(const struct ho_sockopt_info *info, const char *s, int64_t value[2],
                        const char **ret_why)
{
    value[1] = 0;
    if (info->type == HO_SOCKOPT_TYPE_NAME) {
        *ret_why = "\"reno\" or \"cubic\"";
        value[0] = strcmp(s, "cubic") == 0 ? HO_CONGESTION_CUBIC : HO_CONGESTION_RENO;
        return strcmp(s, "cubic") == 0 || strcmp(s, "reno") == 0 ? 0 : -EINVAL;
    }
    *ret_why = info->type == HO_SOCKOPT_TYPE_LINGER ? "on:seconds, such as SO_LINGER=1:0"
                                                    : "a whole number";
    if (read_signed(&value[0], &s) < 0) {
        return -EINVAL;
    }
    if (info->type == HO_SOCKOPT_TYPE_LINGER) {
        if (*s++ != ':' || read_signed(&value[1], &s) < 0) {
            return -EINVAL;
        }
    }
    return *s == '\0' ? 0 : -EINVAL;
}

/* One "NAME=VALUE" in `s`, which is changed. */
static int option_read(char *s, struct ho_sockopts *o, const char **ret_why)
{
    const struct ho_sockopt_info *info;
    char *eq = strchr(s, '=');
    int id;

    *ret_why = "NAME=VALUE, such as SO_KEEPALIVE=1";
    if (eq == NULL) {
        return -EINVAL;
    }
    *eq = '\0';
    id = ho_sockopt_find(s);
    if (id < 0) {
        *ret_why = "the name of a socket option, such as SO_KEEPALIVE or TCP_USER_TIMEOUT";
        return -EINVAL;
    }
    info = ho_sockopt_info((enum ho_sockopt)id);
    if (info->read_only) {
        *ret_why = "an option that can be set";
        return -EINVAL;
    }
    if (o->n == HO_SOCKOPTS_ARG_MAX) {
        *ret_why = "at most 12 options";
        return -EINVAL;
    }
    o->o[o->n].opt = (enum ho_sockopt)id;
    return option_value(info, eq + 1, o->o[o->n++].value, ret_why);
}

int ho_sockopts_read(struct ho_sockopts *ret, const char *text, const char **ret_why)
{
    struct ho_sockopts o = { 0 };
    char one[64];

    while (*text != '\0') {
        const char *end = strchr(text, ',');
        size_t len = end != NULL ? (size_t)(end - text) : strlen(text);

        if (len >= sizeof(one)) {
            *ret_why = "NAME=VALUE, such as SO_KEEPALIVE=1";
            return -EINVAL;
        }
        memcpy(one, text, len);
        one[len] = '\0';
        if (option_read(one, &o, ret_why) < 0) {
            return -EINVAL;
        }
        text += len + (end != NULL);
        if (end != NULL && *text == '\0') {
            *ret_why = "another option after the comma";
            return -EINVAL;
        }
    }
    *ret = o;
    return 0;
}

void ho_sockopts_join(struct ho_sockopts *to, const struct ho_sockopts *more)
{
    for (unsigned i = 0; i < more->n && to->n < HO_SOCKOPTS_MAX; i++) {
        to->o[to->n++] = more->o[i];
    }
}

/* ---- the list -------------------------------------------------------------------------------- */

static const char *kind_text(enum ho_param_kind kind)
{
    static const char *const texts[HO_PARAM_KIND_COUNT] = {
#define X(id, text) [HO_PARAM_##id] = (text),
        HO_PARAM_KINDS(X)
#undef X
    };

    assert(kind < HO_PARAM_KIND_COUNT);
    return texts[kind];
}

static int bad_value(const struct ho_param *p, const char *text, size_t arg, const char *why,
                     struct ho_program_error *e)
{
    if (why != NULL) {
        return ho_program_refuse(e, arg, "%s: found \"%.60s\", expected %s", p->key, text, why);
    }
    if (p->kind == HO_PARAM_CHOICE) {
        return ho_program_refuse(e, arg, "%s: found \"%.60s\", expected one of %s", p->key, text,
                                 p->choices);
    }
    return ho_program_refuse(e, arg, "%s: found \"%.60s\", expected %s", p->key, text,
                             kind_text(p->kind));
}

static int out_of_range(const struct ho_param *p, const char *text, size_t arg,
                        struct ho_program_error *e)
{
    const char *unit = p->kind == HO_PARAM_BYTES ? " bytes" : "";
    char min[32], max[32];

    if (p->kind == HO_PARAM_DUR) {
        ho_dur_write(min, sizeof(min), p->min);
        ho_dur_write(max, sizeof(max), p->max);
        return ho_program_refuse(e, arg, "%s: found \"%.60s\", expected %s to %s", p->key, text,
                                 min, max);
    }
    return ho_program_refuse(e, arg, "%s: found \"%.60s\", expected %lld to %lld%s", p->key, text,
                             (long long)p->min, (long long)p->max, unit);
}

static int read_value(const struct ho_param *p, const char *text, size_t arg, struct ho_value *v,
                      struct ho_program_error *e)
{
    struct ho_sockopts options;
    const char *why = NULL;
    bool ranged = false;
    int err = 0;

    v->text = text;
    switch (p->kind) {
    case HO_PARAM_TEXT:
        break;
    case HO_PARAM_NAME:
        err = read_name(text);
        break;
    case HO_PARAM_COUNT:
    case HO_PARAM_PORT:
        err = read_count(&v->n, text);
        ranged = true;
        break;
    case HO_PARAM_BYTES:
        err = read_bytes(&v->n, text);
        ranged = true;
        break;
    case HO_PARAM_DUR:
        err = ho_dur_read(&v->n, text);
        ranged = true;
        break;
    case HO_PARAM_ADDR:
        err = ho_addr_parse(&v->addr, text);
        break;
    case HO_PARAM_CHOICE:
        err = read_choice(&v->n, text, p->choices);
        break;
    case HO_PARAM_OPTIONS:
        err = ho_sockopts_read(&options, text, &why);
        break;
    case HO_PARAM_KIND_COUNT:
        break;
    }
    if (err < 0) {
        return bad_value(p, text, arg, why, e);
    }
    if (ranged && (v->n < p->min || v->n > p->max)) {
        return out_of_range(p, text, arg, e);
    }
    return 0;
}

static size_t find_param(const struct ho_program_spec *spec, const char *key,
                         const struct ho_value *v)
{
    bool positional = key == NULL || *key == '\0';
    size_t i;

    for (i = 0; i < spec->n_params; i++) {
        const struct ho_param *p = &spec->params[i];

        if (positional ? p->positional && !v[i].given : strcmp(p->key, key) == 0) {
            break;
        }
    }
    return i;
}

static int unknown_key(const struct ho_program_spec *spec, const struct ho_program_arg *a,
                       size_t arg, struct ho_program_error *e)
{
    char keys[160] = "";
    size_t len = 0;

    for (size_t i = 0; i < spec->n_params && len + 1 < sizeof(keys); i++) {
        int n = snprintf(keys + len, sizeof(keys) - len, "%s%s", i > 0 ? ", " : "",
                         spec->params[i].key);
        len += (size_t)n;
    }
    if (a->key == NULL || *a->key == '\0') {
        return ho_program_refuse(e, arg, "found \"%.60s\", expected a key of %s: %s", a->value,
                                 spec->name, spec->n_params > 0 ? keys : "there are none");
    }
    return ho_program_refuse(e, arg, "%.40s: %s has no such key, expected %s", a->key, spec->name,
                             spec->n_params > 0 ? keys : "no arguments");
}

int ho_params_read(const struct ho_program_spec *spec, const struct ho_program_arg *args,
                   size_t n_args, struct ho_value *ret, struct ho_program_error *ret_error)
{
    memset(ret, 0, sizeof(*ret) * HO_PARAMS_MAX);
    for (size_t i = 0; i < n_args; i++) {
        size_t at = find_param(spec, args[i].key, ret);

        if (at == spec->n_params) {
            return unknown_key(spec, &args[i], i, ret_error);
        }
        if (ret[at].given) {
            return ho_program_refuse(ret_error, i, "%s: given twice", spec->params[at].key);
        }
        ret[at].given = true;
        if (read_value(&spec->params[at], args[i].value, i, &ret[at], ret_error) < 0) {
            return -EINVAL;
        }
    }
    for (size_t i = 0; i < spec->n_params; i++) {
        const struct ho_param *p = &spec->params[i];

        if (ret[i].given) {
            continue;
        }
        if (p->fallback == NULL) {
            return ho_program_refuse(ret_error, n_args, "%s: missing, expected %s", p->key,
                                     p->kind == HO_PARAM_CHOICE ? p->choices : kind_text(p->kind));
        }
        if (*p->fallback != '\0' && read_value(p, p->fallback, n_args, &ret[i], ret_error) < 0) {
            return -EINVAL;
        }
        ret[i].text = p->fallback;
    }
    return 0;
}
