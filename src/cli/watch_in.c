/* The arguments of `halfopen watch`: its own are taken out, the rest is the doctor's. */

#include <string.h>

#include "cli/cli.h"
#include "cli/watch.h"
#include "scenario/syntax.h"

#define INTERVAL_S 2
#define INTERVAL_MIN_NS (100 * 1000000LL)
#define INTERVAL_MAX_NS (3600 * HO_NS_PER_S)
#define COUNT_DIGITS 9

/* id, name, what its value is ("" if it has none) */
#define OPTIONS(X)                                            \
    X(INTERVAL, "--interval", "a time from 100ms to 1h")      \
    X(LOOKS, "--count", "a number of looks")                  \
    X(LISTEN, "--listen", "an address such as :9464")         \
    X(SORT, "--sort", "trouble, idle, busy, process or peer") \
    X(FILTER, "--filter", "a text of at most 47 bytes")       \
    X(TROUBLE, "--trouble", "")                               \
    X(JSONL, "--jsonl", "")                                   \
    X(CHANGES, "--changes", "")

enum option {
#define X(id, name, value) OPTION_##id,
    OPTIONS(X)
#undef X
    OPTION_END
};

static const struct {
    const char *name, *value;
} options[] = {
#define X(id, name, value) { name, value },
    OPTIONS(X)
#undef X
};

/* Returns whether the value is one. */
static bool take(struct ho_watch_ask *a, int option, const char *value)
{
    int64_t v = 0;
    int sort;

    switch (option) {
    case OPTION_INTERVAL:
        if (ho_value_read(HO_TYPE_DURATION, value, &v) != 0 || v < INTERVAL_MIN_NS ||
            v > INTERVAL_MAX_NS) {
            return false;
        }
        a->interval = ho_ns(v);
        return true;
    case OPTION_LOOKS:
        if (value[0] == '\0' || strspn(value, "0123456789") != strlen(value) ||
            strlen(value) > COUNT_DIGITS) {
            return false;
        }
        for (const char *p = value; *p != '\0'; p++) {
            v = v * 10 + (*p - '0');
        }
        a->count = v;
        return v > 0;
    case OPTION_LISTEN:
        a->listen = value;
        return true;
    case OPTION_SORT:
        sort = ho_watch_sort_find(value);
        a->view.sort = sort >= 0 ? (enum ho_watch_sort)sort : a->view.sort;
        return sort >= 0;
    case OPTION_FILTER:
        if (strlen(value) >= sizeof(a->view.filter)) {
            return false;
        }
        memcpy(a->view.filter, value, strlen(value) + 1);
        return true;
    case OPTION_TROUBLE:
        a->view.trouble_only = true;
        return true;
    case OPTION_JSONL:
        a->jsonl = true;
        return true;
    default:
        a->changes = true;
        return true;
    }
}

/* The option of that name, or of "--name=value" with *ret_value; OPTION_END: not one of ours. */
static int find(const char *arg, const char **ret_value)
{
    size_t n = strcspn(arg, "=");

    *ret_value = arg[n] == '=' ? arg + n + 1 : NULL;
    for (int i = 0; i < OPTION_END; i++) {
        if (strlen(options[i].name) == n && strncmp(arg, options[i].name, n) == 0) {
            return i;
        }
    }
    return OPTION_END;
}

/* One of ours; *i moves over its value. */
static int one(struct ho_watch_ask *a, int option, const char *value, int argc, char **argv, int *i)
{
    const char *name = options[option].name, *wanted = options[option].value;

    if (wanted[0] == '\0' && value != NULL) {
        return ho_cli_say(HO_EXIT_USAGE, "watch: %s takes no value", name);
    }
    if (wanted[0] != '\0' && value == NULL) {
        if (*i + 1 >= argc) {
            return ho_cli_say(HO_EXIT_USAGE, "watch: %s: expected %s behind it", name, wanted);
        }
        value = argv[++*i];
    }
    if (!take(a, option, value)) {
        return ho_cli_say(HO_EXIT_USAGE, "watch: %s: found '%s', expected %s", name, value, wanted);
    }
    return HO_EXIT_OK;
}

/* Of an option that is nobody's: the one of ours that it is like. */
static const char *near_ours(const char *arg)
{
    const char *names[OPTION_END + 1] = { NULL };

    if (strncmp(arg, "--", 2) != 0 || ho_doctor_has_option(arg, HO_DOCTOR_RULES)) {
        return NULL;
    }

    for (int i = 0; i < OPTION_END; i++) {
        names[i] = options[i].name;
    }
    return ho_cli_nearest(arg, names);
}

static int fits(const struct ho_watch_ask *a)
{
    if (a->jsonl && a->listen != NULL) {
        return ho_cli_say(HO_EXIT_USAGE, "watch: --jsonl or --listen, not both");
    }
    if (!a->jsonl && (a->changes || a->count > 0)) {
        return ho_cli_say(HO_EXIT_USAGE, "watch: %s goes with --jsonl",
                          a->changes ? "--changes" : "--count");
    }
    if ((a->jsonl || a->listen != NULL) && (a->view.filter[0] != '\0' || a->view.trouble_only)) {
        return ho_cli_say(HO_EXIT_USAGE, "watch: %s is for the table",
                          a->view.trouble_only ? "--trouble" : "--filter");
    }
    return HO_EXIT_OK;
}

int ho_watch_ask(struct ho_watch_ask *ret, int argc, char **argv)
{
    struct ho_watch_ask a = { .interval = ho_s(INTERVAL_S) };
    int rest = 1, code = HO_EXIT_OK;

    for (int i = 1; i < argc && code == HO_EXIT_OK; i++) {
        const char *value, *near;
        int option = find(argv[i], &value);

        if (option != OPTION_END) {
            code = one(&a, option, value, argc, argv, &i);
        } else if ((near = near_ours(argv[i])) != NULL) {
            code = ho_cli_say(HO_EXIT_USAGE, "watch: no option '%s', did you mean '%s'?", argv[i],
                              near);
        } else {
            argv[rest++] = argv[i];
        }
    }
    code = code == HO_EXIT_OK ? ho_doctor_ask(&a.doctor, NULL, HO_DOCTOR_RULES, rest, argv) : code;
    code = code == HO_EXIT_OK ? fits(&a) : code;
    if (code == HO_EXIT_OK) {
        *ret = a;
    }
    return code;
}
