/* From a word, a number or a time to what is known about it. See cli/explain.h. */

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "cli/explain.h"
#include "forecast/finding.h"
#include "knobs/errno.h"
#include "knobs/sockopt.h"
#include "knobs/state.h"

const struct ho_explain_topic ho_explain_topics[] = {
#define X(name, from_ms, to_ms, what, because, change, scenario) \
    { name, from_ms, to_ms, what, because, change, scenario },
#include "cli/explain.def"
#undef X
    { .name = NULL },
};

static const struct ho_explain_topic findings[] = {
#define X(id, severity, title, when, why, change, scenario) \
    { #id, 0, 0, title, why, change, scenario },
#include "forecast/finding.def"
#undef X
};

static bool same_word(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        char x = (char)tolower((unsigned char)*a), y = (char)tolower((unsigned char)*b);

        if ((x == '_' ? '-' : x) != (y == '_' ? '-' : y)) {
            return false;
        }
        a++;
        b++;
    }
    return *a == *b;
}

/* "TCP_KEEPIDLE" for "tcp_keepidle"; false if it is too long to be a name. */
static bool upper(const char *word, char *buf, size_t size)
{
    size_t n = strlen(word);

    if (n >= size) {
        return false;
    }
    for (size_t i = 0; i <= n; i++) {
        buf[i] = (char)toupper((unsigned char)word[i]);
    }
    return true;
}

static bool find_in_lists(const char *word, struct ho_explain_hit *ret)
{
    char name[64];
    int id;

    if (!upper(word, name, sizeof(name))) {
        return false;
    }
    if ((id = ho_errno_find(name)) > 0) {
        *ret = (struct ho_explain_hit){ ho_errno_name(id), HO_EXPLAIN_ERRNO, id, NULL };
    } else if ((id = ho_sysctl_find(word)) >= 0) {
        *ret = (struct ho_explain_hit){ ho_sysctl_info((enum ho_sysctl)id)->name, HO_EXPLAIN_SYSCTL,
                                        id, NULL };
    } else if ((id = ho_sockopt_find(name)) >= 0) {
        *ret = (struct ho_explain_hit){ ho_sockopt_info((enum ho_sockopt)id)->name,
                                        HO_EXPLAIN_SOCKOPT, id, NULL };
    } else if ((id = ho_tcp_state_find(word)) >= 0) {
        *ret = (struct ho_explain_hit){ ho_tcp_state_name((enum ho_tcp_state)id), HO_EXPLAIN_STATE,
                                        id, NULL };
    } else if ((id = ho_finding_find(word)) >= 0) {
        *ret = (struct ho_explain_hit){ findings[id].name, HO_EXPLAIN_FINDING, id, &findings[id] };
    } else {
        return false;
    }
    return true;
}

struct ho_explain_hit ho_explain_hit_of(const struct ho_explain_topic *topic)
{
    struct ho_explain_hit hit = { topic->name, HO_EXPLAIN_TOPIC, 0, topic };

    if (find_in_lists(topic->name, &hit)) {
        hit.text = topic;
    }
    return hit;
}

/* ---- times ----------------------------------------------------------------------------------- */

static int64_t unit_ms(const char *unit, size_t n)
{
    static const struct {
        const char *words;
        int64_t ms;
    } units[] = {
        { " ms millisecond milliseconds ", 1 },
        { " s sec secs second seconds ", 1000 },
        { " m min mins minute minutes ", 60000 },
        { " h hour hours ", 3600000 },
        { " d day days ", 86400000 },
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && n > 0; i++) {
        for (const char *p = units[i].words; *p == ' ' && p[1] != '\0';
             p += 1 + strcspn(p + 1, " ")) {
            if (strncmp(p + 1, unit, n) == 0 && p[1 + n] == ' ') {
                return units[i].ms;
            }
        }
    }
    return 0;
}

/* "924" and "924.6" (seconds), "15 minutes", "2 h 11 min", "2h11m15s". Returns -1 if it is none. */
static int64_t read_ms(const char *word)
{
    int64_t sum = 0;
    const char *p = word + strspn(word, " ");

    if (*p == '\0') {
        return -1;
    }
    while (*p != '\0') {
        int64_t v = 0, tenths = 0;
        size_t digits = strspn(p, "0123456789");

        if (digits == 0 || digits > 9) {
            return -1;
        }
        for (size_t i = 0; i < digits; i++) {
            v = v * 10 + (p[i] - '0');
        }
        p += digits;
        if (*p == '.' && p[1] >= '0' && p[1] <= '9') {
            tenths = p[1] - '0';
            p += 1 + strspn(p + 1, "0123456789");
        }
        p += strspn(p, " ");
        size_t letters = strcspn(p, " 0123456789");
        int64_t unit = *p == '\0' ? 1000 : unit_ms(p, letters);

        if (unit == 0) {
            return -1;
        }
        sum += v * unit + tenths * unit / 10;
        p += letters;
        p += strspn(p, " ");
    }
    return sum;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static size_t find_by_time(int64_t ms, struct ho_explain_hit *ret)
{
    size_t n = 0;

    for (const struct ho_explain_topic *t = ho_explain_topics; t->name != NULL; t++) {
        if (t->to_ms > 0 && ms >= t->from_ms && ms <= t->to_ms && n < HO_EXPLAIN_FOUND) {
            ret[n++] = ho_explain_hit_of(t);
        }
    }
    return n;
}

size_t ho_explain_find(const char *word, struct ho_explain_hit *ret)
{
    struct ho_explain_hit hit = { .name = NULL };
    bool listed = find_in_lists(word, &hit);
    int64_t ms = read_ms(word);

    for (const struct ho_explain_topic *t = ho_explain_topics; t->name != NULL; t++) {
        struct ho_explain_hit of = ho_explain_hit_of(t);

        if (listed ? of.kind == hit.kind && of.id == hit.id && of.text != NULL
                   : of.kind == HO_EXPLAIN_TOPIC && same_word(t->name, word)) {
            ret[0] = of;
            return 1;
        }
    }
    if (listed) {
        ret[0] = hit;
        return 1;
    }
    if (ho_explain_setting_find(word, ret)) {
        return 1;
    }
    return ms < 0 ? 0 : find_by_time(ms, ret);
}

const char *ho_explain_kind_text(enum ho_explain_kind kind)
{
    static const char *const texts[] = {
        [HO_EXPLAIN_TOPIC] = "",
        [HO_EXPLAIN_ERRNO] = "an error",
        [HO_EXPLAIN_SYSCTL] = "a sysctl",
        [HO_EXPLAIN_SOCKOPT] = "a socket option",
        [HO_EXPLAIN_STATE] = "a state",
        [HO_EXPLAIN_FINDING] = "a finding of the doctor",
        [HO_EXPLAIN_PROGRAM] = "a program",
        [HO_EXPLAIN_SETTING] = "a setting of programs",
    };

    return texts[kind];
}

static void put_range(struct ho_text *out, int64_t min, int64_t max, enum ho_unit unit)
{
    ho_text_printf(out, "; %" PRId64 " to %" PRId64, min, max);
    if (ho_unit_suffix(unit)[0] != '\0') {
        ho_text_printf(out, ", in %s", ho_unit_text(unit));
    }
}

void ho_explain_list_text(struct ho_text *out, const struct ho_explain_hit *hit)
{
    if (hit->kind == HO_EXPLAIN_ERRNO) {
        ho_text_printf(out, "%s (%d)", ho_errno_text(hit->id), ho_errno_linux(hit->id));
    } else if (hit->kind == HO_EXPLAIN_SYSCTL) {
        const struct ho_sysctl_info *info = ho_sysctl_info((enum ho_sysctl)hit->id);

        ho_text_printf(out, "%s; default %" PRId64, info->meaning, info->def);
        put_range(out, info->min, info->max, info->unit);
    } else if (hit->kind == HO_EXPLAIN_SOCKOPT) {
        const struct ho_sockopt_info *info = ho_sockopt_info((enum ho_sockopt)hit->id);

        ho_text_put(out, info->meaning);
        if (info->type == HO_SOCKOPT_TYPE_INT && !info->read_only) {
            if (info->from >= 0) {
                ho_text_printf(out, "; default %s",
                               ho_sysctl_info((enum ho_sysctl)info->from)->name);
            } else {
                ho_text_printf(out, "; default %" PRId64, info->def);
            }
            put_range(out, info->min, info->max, info->unit);
        }
    } else if (hit->kind == HO_EXPLAIN_STATE) {
        ho_text_printf(out, "ss(8) calls it %s", ho_tcp_state_ss((enum ho_tcp_state)hit->id));
    } else if (hit->kind == HO_EXPLAIN_PROGRAM || hit->kind == HO_EXPLAIN_SETTING) {
        ho_explain_setting_list(out, hit);
    } else if (hit->kind == HO_EXPLAIN_FINDING) {
        const struct ho_finding_info *info = ho_finding_info((enum ho_finding_id)hit->id);

        ho_text_printf(out, "%s; %s", ho_severity_word(info->severity), info->when);
    }
}
