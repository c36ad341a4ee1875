/* Look-up by name, and text to numbers and back. */

#include "knobs/sysctl.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ho_sysctl_info list[HO_SYSCTL_COUNT] = {
#define X(id, name, def, min, max, unit, meaning) { name, meaning, def, min, max, HO_UNIT_##unit },
#include "knobs/sysctl.def"
#undef X
};

static const char *const congestion_words[] = {
    [HO_CONGESTION_RENO] = "reno",
    [HO_CONGESTION_CUBIC] = "cubic",
};

void ho_sysctls_init(struct ho_sysctls *s)
{
    for (int id = 0; id < HO_SYSCTL_COUNT; id++) {
        s->v[id] = list[id].def;
    }
}

const struct ho_sysctl_info *ho_sysctl_info(enum ho_sysctl id)
{
    assert(id < HO_SYSCTL_COUNT);
    return &list[id];
}

/* `/` for `.` is sysctl(8)'s other spelling; `*` in the list takes one word of any interface. */
static bool name_matches(const char *listed, const char *given)
{
    for (; *listed != '\0'; listed++) {
        if (*listed == '*') {
            size_t word = strcspn(given, "./");

            if (word == 0) {
                return false;
            }
            given += word;
            continue;
        }
        if (*given != *listed && !(*given == '/' && *listed == '.')) {
            return false;
        }
        given++;
    }
    return *given == '\0';
}

int ho_sysctl_find(const char *name)
{
    static const char prefix[] = "net.ipv4.";

    for (int id = 0; id < HO_SYSCTL_COUNT; id++) {
        if (name_matches(list[id].name, name)) {
            return id;
        }
        if (strncmp(list[id].name, prefix, sizeof(prefix) - 1) == 0 &&
            name_matches(list[id].name + sizeof(prefix) - 1, name)) {
            return id;
        }
    }
    return -ENOENT;
}

unsigned ho_sysctl_numbers(enum ho_sysctl id)
{
    assert(id < HO_SYSCTL_COUNT);
    unsigned n = 0;

    for (int i = 0; i < HO_SYSCTL_COUNT; i++) {
        n += strcmp(list[i].name, list[id].name) == 0;
    }
    return n;
}

/* The ranges of single numbers, and what binds two of them: as Linux, the ports are in order. */
static bool valid(const struct ho_sysctls *s)
{
    for (int id = 0; id < HO_SYSCTL_COUNT; id++) {
        if (s->v[id] < list[id].min || s->v[id] > list[id].max) {
            return false;
        }
    }
    return s->v[HO_SYSCTL_IP_LOCAL_PORT_RANGE_MIN] <= s->v[HO_SYSCTL_IP_LOCAL_PORT_RANGE_MAX];
}

int ho_sysctl_set(struct ho_sysctls *s, enum ho_sysctl id, int64_t value)
{
    assert(id < HO_SYSCTL_COUNT);
    struct ho_sysctls changed = *s;

    changed.v[id] = value;
    if (!valid(&changed)) {
        return -EINVAL;
    }
    *s = changed;
    return 0;
}

const char *ho_sysctl_word(enum ho_sysctl id, int64_t value)
{
    if (id != HO_SYSCTL_TCP_CONGESTION_CONTROL || value < list[id].min || value > list[id].max) {
        return NULL;
    }
    return congestion_words[value];
}

static int parse_word(int64_t *ret, const char *text)
{
    for (size_t i = 0; i < sizeof(congestion_words) / sizeof(congestion_words[0]); i++) {
        if (strcmp(text, congestion_words[i]) == 0) {
            *ret = (int64_t)i;
            return 0;
        }
    }
    return -EINVAL;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

int ho_sysctl_parse(struct ho_sysctls *s, const char *name, const char *text)
{
    int id = ho_sysctl_find(name);

    if (id < 0) {
        return id;
    }

    struct ho_sysctls changed = *s;
    if (id == HO_SYSCTL_TCP_CONGESTION_CONTROL) {
        if (parse_word(&changed.v[id], text) != 0) {
            return -EINVAL;
        }
        *s = changed;
        return 0;
    }

    const char *at = skip_blanks(text);
    if (*at == '\0') {
        return -EINVAL;
    }
    for (int i = id; *at != '\0'; i++) {
        char *end;

        if ((unsigned)(i - id) >= ho_sysctl_numbers((enum ho_sysctl)id)) {
            return -EINVAL;
        }
        changed.v[i] = strtoll(at, &end, 10); /* too large saturates and fails the range */
        if (end == at || strchr(" \t", *end) == NULL) {
            return -EINVAL;
        }
        at = skip_blanks(end);
    }
    if (!valid(&changed)) {
        return -EINVAL;
    }
    *s = changed;
    return 0;
}

int ho_sysctl_print(const struct ho_sysctls *s, const char *name, char *buf, size_t size)
{
    char text[HO_SYSCTL_TEXT] = "";
    size_t len = 0;
    int id = ho_sysctl_find(name);

    if (id < 0) {
        return id;
    }

    const char *word = ho_sysctl_word((enum ho_sysctl)id, s->v[id]);
    if (word != NULL) {
        len = (size_t)snprintf(text, sizeof(text), "%s", word);
    } else {
        for (unsigned i = 0; i < ho_sysctl_numbers((enum ho_sysctl)id); i++) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%" PRId64, i == 0 ? "" : " ",
                                    s->v[id + (int)i]);
            assert(len < sizeof(text)); /* three numbers of 20 digits at most */
        }
    }
    if (len >= size) {
        return -ENOSPC;
    }
    memcpy(buf, text, len + 1);
    return 0;
}
