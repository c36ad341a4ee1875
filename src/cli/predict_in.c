/* The arguments of `halfopen predict`, and those that other commands share with it. See
 * predict_in.h.
 */

#include "cli/predict_in.h"

#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "doctor/settings.h"
#include "scenario/syntax.h"

#define RTT_DEFAULT_MS 1
#define RTT_MAX_S 100

void ho_predict_this_host(struct ho_predict_in *in)
{
    (void)ho_doctor_settings(-1, &in->sysctls, &in->hz); /* its own namespace never fails */
}

/* ---- arguments ------------------------------------------------------------------------------- */

/* "NAME=VALUE" cut in two; NULL if there is no `=`. */
static char *cut(char *text)
{
    char *eq = strchr(text, '=');

    if (eq == NULL) {
        return NULL;
    }
    *eq = '\0';
    return eq + 1;
}

static int read_set(struct ho_predict_ask *a, char *text)
{
    char *value = cut(text);

    if (value == NULL) {
        return ho_cli_say(HO_EXIT_USAGE, "%s --set: found '%s', expected NAME=VALUE", a->command,
                          text);
    }
    int id = ho_sysctl_find(text);

    if (id < 0) {
        return ho_cli_say(HO_EXIT_USAGE, "%s --set: '%s' is no sysctl that halfopen knows",
                          a->command, text);
    }
    if (ho_sysctl_parse(&a->in.sysctls, text, value) != 0) {
        const struct ho_sysctl_info *info = ho_sysctl_info((enum ho_sysctl)id);

        return ho_cli_say(HO_EXIT_USAGE,
                          "%s --set %s: found '%s', expected a value from %" PRId64 " to %" PRId64,
                          a->command, text, value, info->min, info->max);
    }
    return HO_EXIT_OK;
}

static int64_t unit_ns(enum ho_unit unit)
{
    return unit == HO_UNIT_S    ? HO_NS_PER_S
           : unit == HO_UNIT_MS ? 1000000
           : unit == HO_UNIT_US ? 1000
                                : 0;
}

/* A number in the option's own unit, or a time with its unit. */
static bool read_option_value(const struct ho_sockopt_info *info, const char *text, int64_t *ret)
{
    int64_t per = unit_ns(info->unit), v = 0, ns;
    bool negative = text[0] == '-';
    const char *p = text + negative;

    if (*p != '\0' && strspn(p, "0123456789") == strlen(p) && strlen(p) <= 10) {
        for (; *p != '\0'; p++) {
            v = v * 10 + (*p - '0');
        }
        v = negative ? -v : v;
    } else if (per > 0 && ho_value_read(HO_TYPE_DURATION, text, &ns) == 0 && ns % per == 0) {
        v = ns / per;
    } else {
        return false;
    }
    if (v < info->min || v > info->max) {
        return false;
    }
    *ret = v;
    return true;
}

static int read_sockopt(struct ho_predict_ask *a, char *text)
{
    char *value = cut(text);
    int id = ho_sockopt_find(text);

    if (value == NULL) {
        return ho_cli_say(HO_EXIT_USAGE, "%s --sockopt: found '%s', expected NAME=VALUE",
                          a->command, text);
    }
    if (id < 0) {
        return ho_cli_say(HO_EXIT_USAGE,
                          "%s --sockopt: '%s' is no socket option that halfopen knows", a->command,
                          text);
    }
    const struct ho_sockopt_info *info = ho_sockopt_info((enum ho_sockopt)id);

    if ((info->type != HO_SOCKOPT_TYPE_INT && info->type != HO_SOCKOPT_TYPE_BOOL) ||
        info->read_only) {
        return ho_cli_say(HO_EXIT_USAGE, "%s --sockopt: %s changes nothing here", a->command, text);
    }
    if (!read_option_value(info, value, &a->in.option[id])) {
        return ho_cli_say(HO_EXIT_USAGE,
                          "%s --sockopt %s: found '%s', expected a value from %" PRId64
                          " to %" PRId64 "%s%s",
                          a->command, text, value, info->min, info->max,
                          info->unit == HO_UNIT_S || info->unit == HO_UNIT_MS ? " " : "",
                          ho_unit_suffix(info->unit));
    }
    a->in.has_option[id] = true;
    return HO_EXIT_OK;
}

static int read_duration(const struct ho_predict_ask *a, const char *option, const char *text,
                         struct ho_dur *ret)
{
    int64_t ns;

    if (ho_value_read(HO_TYPE_DURATION, text, &ns) != 0 || ns <= 0 ||
        ns > RTT_MAX_S * HO_NS_PER_S) {
        return ho_cli_say(HO_EXIT_USAGE, "%s %s: found '%s', expected a time as 20ms, at most %d s",
                          a->command, option, text, RTT_MAX_S);
    }
    *ret = ho_ns(ns);
    return HO_EXIT_OK;
}

static int read_hz(struct ho_predict_ask *a, const char *text)
{
    int64_t hz;

    if (ho_value_read(HO_TYPE_HZ, text, &hz) != 0 || hz > 1000) {
        return ho_cli_say(HO_EXIT_USAGE,
                          "%s --hz: found '%s', expected 100, 250, 300, 1000 or exact", a->command,
                          text);
    }
    a->in.hz = (uint32_t)hz;
    a->has_hz = true;
    return HO_EXIT_OK;
}

static int read_kernel(struct ho_predict_ask *a, const char *text)
{
    int id = ho_profile_find(text);

    if (id < 0) {
        return ho_cli_say(HO_EXIT_USAGE,
                          "%s --kernel: found '%s', expected linux-6.18, linux-6.12 or linux-6.1",
                          a->command, text);
    }
    ho_profile_sysctls((enum ho_profile_id)id, &a->in.sysctls);
    a->source = ho_profile((enum ho_profile_id)id)->name;
    a->profile = (enum ho_profile_id)id;
    return HO_EXIT_OK;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Options without a value. Returns false if it is none of them. */
static bool read_flag(struct ho_predict_ask *a, const char *arg)
{
    if (strcmp(arg, "--json") == 0) {
        a->json = true;
    } else if (strcmp(arg, "--lan") == 0 || strcmp(arg, "--routed") == 0) {
        a->in.on_link = strcmp(arg, "--lan") == 0;
    } else if (strcmp(arg, "--ipv4") == 0 || strcmp(arg, "--ipv6") == 0) {
        a->in.ipv6 = strcmp(arg, "--ipv6") == 0;
    } else {
        return strcmp(arg, "--defaults") == 0;
    }
    return true;
}

static int read_valued(struct ho_predict_ask *a, const char *arg, char *value, bool first)
{
    if (strcmp(arg, "--kernel") == 0) {
        return first ? read_kernel(a, value) : HO_EXIT_OK;
    }
    if (first) {
        return HO_EXIT_OK;
    }
    if (strcmp(arg, "--set") == 0) {
        return read_set(a, value);
    }
    if (strcmp(arg, "--sockopt") == 0) {
        return read_sockopt(a, value);
    }
    if (strcmp(arg, "--hz") == 0) {
        return read_hz(a, value);
    }
    return strcmp(arg, "--rtt") == 0 ? read_duration(a, arg, value, &a->in.rtt)
                                     : read_duration(a, arg, value, &a->in.rto);
}

static bool is_one_of(const char *arg, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(arg, *list) == 0) {
            return true;
        }
    }
    return false;
}

static int no_option(const struct ho_predict_ask *a, const struct ho_predict_more *more,
                     const char *arg)
{
    static const char *const names[] = { "--set",    "--sockopt",  "--rtt", "--rto",    "--hz",
                                         "--kernel", "--defaults", "--lan", "--routed", "--ipv4",
                                         "--ipv6",   "--json",     NULL };
    const char *near = more != NULL ? ho_cli_nearest(arg, more->valued) : NULL;

    near = near == NULL && more != NULL ? ho_cli_nearest(arg, more->flags) : near;
    near = near == NULL ? ho_cli_nearest(arg, names) : near;
    return ho_cli_say(HO_EXIT_USAGE, "%s: no option '%s'%s%s%s", a->command, arg,
                      near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                      near != NULL ? "'?" : "");
}

/* One pass over the arguments: the first looks for the start alone. */
static int pass(struct ho_predict_ask *a, const struct ho_predict_more *more, int argc, char **argv,
                bool first)
{
    static const char *const valued[] = { "--set", "--sockopt", "--rtt", "--rto",
                                          "--hz",  "--kernel",  NULL };
    int code = HO_EXIT_OK;

    for (int i = 1; i < argc && code == HO_EXIT_OK; i++) {
        bool ours = is_one_of(argv[i], valued);
        bool theirs = more != NULL && is_one_of(argv[i], more->valued);

        if ((ours || theirs) && i + 1 == argc) {
            return ho_cli_say(HO_EXIT_USAGE, "%s %s: a value is missing", a->command, argv[i]);
        }
        if (ours) {
            code = read_valued(a, argv[i], argv[i + 1], first);
        } else if (theirs || (more != NULL && is_one_of(argv[i], more->flags))) {
            code =
                first ? HO_EXIT_OK : more->take(more->self, argv[i], theirs ? argv[i + 1] : NULL);
        } else if (!read_flag(a, argv[i])) {
            return no_option(a, more, argv[i]);
        }
        i += ours || theirs;
    }
    return code;
}

int ho_predict_ask(struct ho_predict_ask *ret, const char *command,
                   const struct ho_predict_more *more, int argc, char **argv)
{
    /* Whose settings everything starts from comes first, wherever it is said. */
    static const char *const starts[] = { "--defaults", "--kernel", NULL };
    struct ho_predict_ask a = { .command = command, .source = "this host" };
    bool elsewhere = false;

    for (int i = 1; i < argc; i++) {
        elsewhere = elsewhere || is_one_of(argv[i], starts);
    }
    if (elsewhere) {
        ho_sysctls_init(&a.in.sysctls);
        a.in.hz = 250;
        a.source = "Linux's defaults";
    } else {
        ho_predict_this_host(&a.in);
    }
    a.in.rtt = ho_ms(RTT_DEFAULT_MS);
    int code = pass(&a, more, argc, argv, true);

    code = code == HO_EXIT_OK ? pass(&a, more, argc, argv, false) : code;
    if (code == HO_EXIT_OK) {
        *ret = a;
    }
    return code;
}
