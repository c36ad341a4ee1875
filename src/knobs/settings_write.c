/* A setting's value in its unit, and in its program's own words. See knobs/settings.h.
 *
 * Durations are rounded here and nowhere else: a program that counts in seconds cannot be given
 * 1.5 s, and which way it errs is for the caller to say.
 */

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "knobs/settings.h"

static int64_t unit_ns(enum ho_unit unit)
{
    switch (unit) {
    case HO_UNIT_MIN:
        return 60 * HO_NS_PER_S;
    case HO_UNIT_S:
        return HO_NS_PER_S;
    case HO_UNIT_DS:
        return HO_NS_PER_S / 10;
    case HO_UNIT_MS:
        return 1000000;
    case HO_UNIT_US:
        return 1000;
    default:
        return 0;
    }
}

int ho_setting_count(struct ho_dur d, enum ho_unit unit, enum ho_setting_round round, int64_t *ret)
{
    int64_t per = unit_ns(unit);

    if (per == 0) {
        return -ENOTSUP;
    }
    int64_t whole = d.ns / per;

    if (d.ns % per != 0) {
        if (round == HO_SETTING_EXACTLY || (round == HO_SETTING_DOWN && whole == 0)) {
            return -ERANGE;
        }
        whole += round == HO_SETTING_UP;
    }
    *ret = whole;
    return 0;
}

struct ho_dur ho_setting_dur(int64_t count, enum ho_unit unit)
{
    int64_t per = unit_ns(unit);

    assert(count >= 0 && (per == 0 || count <= INT64_MAX / per));
    return ho_ns(count * per);
}

/* ---- forms ----------------------------------------------------------------------------------- */

static int put_value(struct ho_text *out, enum ho_setting_role role, enum ho_unit unit,
                     const struct ho_setting_values *values, enum ho_setting_round round)
{
    int64_t v = values->v[role];

    if (!values->has[role]) {
        return -ENOENT;
    }
    if (ho_setting_role_kind(role) == HO_SETTING_TIME) {
        int err = ho_setting_count(ho_ns(v), unit, round, &v);

        if (err != 0) {
            return err;
        }
    }
    ho_text_int(out, v);
    return 0;
}

static bool is_word(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && strncmp(text, word, n) == 0;
}

static int unit_of(const char *text, size_t n)
{
    static const enum ho_unit units[] = { HO_UNIT_MIN, HO_UNIT_S, HO_UNIT_DS, HO_UNIT_MS,
                                          HO_UNIT_US };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (is_word(text, n, ho_unit_suffix(units[i]))) {
            return (int)units[i];
        }
    }
    return -1;
}

/* What stands between the braces. A form that says nonsense is a mistake of the list. */
static int put_braces(struct ho_text *out, const struct ho_setting *s, const char *in, size_t n,
                      const struct ho_setting_values *values, enum ho_setting_round round)
{
    size_t bar = 0, colon = 0;

    while (bar < n && in[bar] != '|') {
        bar++;
    }
    if (bar < n) {
        if (!values->has[s->role]) {
            return -ENOENT;
        }
        if (values->v[s->role] != 0) {
            ho_text_bytes(out, in + bar + 1, n - bar - 1);
        } else {
            ho_text_bytes(out, in, bar);
        }
        return 0;
    }
    while (colon < n && in[colon] != ':') {
        colon++;
    }
    for (int role = 0; role < HO_ROLE_COUNT; role++) {
        if (is_word(in, colon, ho_setting_role_word((enum ho_setting_role)role))) {
            int unit = colon < n ? unit_of(in + colon + 1, n - colon - 1) : (int)HO_UNIT_COUNT;

            assert(unit >= 0);
            return put_value(out, (enum ho_setting_role)role, (enum ho_unit)unit, values, round);
        }
    }
    assert(0 && "no such role");
    return -EINVAL;
}

static int put_form(struct ho_text *out, const struct ho_setting *s,
                    const struct ho_setting_values *values, enum ho_setting_round round)
{
    int err = 0;

    for (const char *p = s->form; *p != '\0' && err == 0;) {
        size_t n = strcspn(p, "%");

        ho_text_bytes(out, p, n);
        p += n;
        if (*p == '\0') {
            break;
        }
        if (p[1] == '%') {
            ho_text_char(out, '%');
            p += 2;
        } else if (p[1] == 'd') {
            err = put_value(out, s->role, s->unit, values, round);
            p += 2;
        } else {
            size_t inside = strcspn(p, "}");

            assert(p[1] == '{' && p[inside] == '}');
            err = put_braces(out, s, p + 2, inside - 2, values, round);
            p += inside + 1;
        }
    }
    return err;
}

int ho_setting_write(const struct ho_setting *s, const struct ho_setting_values *values,
                     enum ho_setting_round round, struct ho_text *out)
{
    struct ho_text line = { 0 };

    if (s->form[0] == '\0') {
        return -ENOTSUP;
    }
    int err = put_form(&line, s, values, round);

    if (err == 0) {
        ho_text_put(out, ho_text_str(&line));
    }
    ho_text_end_part(out, &line);
    return err;
}
