/* The arguments of `halfopen doctor` and of what looks at connections with it. See doctor_in.h. */

#include "cli/doctor_in.h"

#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "os/why.h"
#include "scenario/syntax.h"

#define MIDDLEBOX_MAX_S 1000000

/* id, name, what its value is ("" if it has none), which commands have it (0: all) */
#define OPTIONS(X)                                                                            \
    X(NAMESPACES, "--all-namespaces", "", 0)                                                  \
    X(PID, "--pid", "the number of a process", 0)                                             \
    X(PORT, "--port", "a port from 1 to 65535", 0)                                            \
    X(STATE, "--state", "a state such as ESTABLISHED or CLOSE-WAIT", 0)                       \
    X(IPV4, "-4", "", 0)                                                                      \
    X(IPV6, "-6", "", 0)                                                                      \
    X(NO_OPTIONS, "--no-options", "", 0)                                                      \
    X(MIDDLEBOX, "--middlebox", "a time such as 350s", HO_DOCTOR_JUDGING | HO_DOCTOR_RULES)   \
    X(FAIL_ON, "--fail-on", "info, warn, fail or never", HO_DOCTOR_JUDGING)                   \
    X(FORMAT, "--format", "text, json, markdown, prometheus, tap or junit", HO_DOCTOR_FORMAT) \
    X(ALL, "--all", "", HO_DOCTOR_LENGTH)

enum option {
#define X(id, name, value, has) OPTION_##id,
    OPTIONS(X)
#undef X
    OPTION_COUNT
};

static const struct {
    const char *name, *value;
    unsigned has;
} options[] = {
#define X(id, name, value, has) { name, value, has },
    OPTIONS(X)
#undef X
};

static bool is_of(int option, unsigned has)
{
    return options[option].has == 0 || (options[option].has & has) != 0;
}

/* The option of that name, or of "--name=value" with *ret_value; OPTION_COUNT if there is none. */
static int find(const char *arg, unsigned has, const char **ret_value)
{
    size_t n = strcspn(arg, "=");

    *ret_value = arg[n] == '=' ? arg + n + 1 : NULL;
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (is_of(i, has) && strlen(options[i].name) == n &&
            strncmp(arg, options[i].name, n) == 0) {
            return i;
        }
    }
    return OPTION_COUNT;
}

bool ho_doctor_has_option(const char *arg, unsigned has)
{
    const char *value;

    return find(arg, has, &value) != OPTION_COUNT;
}

static int no_option(const char *command, const char *arg, unsigned has)
{
    const char *names[OPTION_COUNT + 1] = { NULL };
    size_t n = 0;

    for (int i = 0; i < OPTION_COUNT; i++) {
        if (is_of(i, has)) {
            names[n++] = options[i].name;
        }
    }
    const char *near = ho_cli_nearest(arg, names);

    return ho_cli_say(HO_EXIT_USAGE, "%s: no option '%s'%s%s%s", command, arg,
                      near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                      near != NULL ? "'?" : "");
}

/* A number from 1 to `max`. */
static bool read_number(const char *text, int64_t max, int64_t *ret)
{
    int64_t v = 0;

    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 10) {
        return false;
    }
    for (; *text != '\0'; text++) {
        v = v * 10 + (*text - '0');
    }
    *ret = v;
    return v >= 1 && v <= max;
}

static bool read_fail_on(struct ho_doctor_ask *a, const char *value)
{
    int severity = ho_severity_find(value);

    a->never_fails = strcmp(value, "never") == 0;
    if (severity >= 0) {
        a->report.fail_on = (enum ho_severity)severity;
    }
    return severity >= 0 || a->never_fails;
}

static bool read_time(const char *value, int64_t *ret_s)
{
    int64_t ns;

    if (ho_value_read(HO_TYPE_DURATION, value, &ns) != 0 || ns < HO_NS_PER_S ||
        ns > MIDDLEBOX_MAX_S * HO_NS_PER_S) {
        return false;
    }
    *ret_s = ns / HO_NS_PER_S;
    return true;
}

/* Returns whether the value is one. */
static bool take(struct ho_doctor_ask *a, int option, const char *value)
{
    int64_t v = 0;
    int found;

    switch (option) {
    case OPTION_NAMESPACES:
        a->scan.all_namespaces = true;
        return true;
    case OPTION_PID:
        found = read_number(value, INT32_MAX, &v);
        a->scan.pid = (int32_t)v;
        return found;
    case OPTION_PORT:
        found = read_number(value, UINT16_MAX, &v);
        a->scan.port = (uint16_t)v;
        return found;
    case OPTION_STATE:
        found = ho_tcp_state_find(value);
        a->scan.states |= found > 0 ? 1u << found : 0;
        return found > 0;
    case OPTION_IPV4:
        a->scan.ipv4 = true;
        return true;
    case OPTION_IPV6:
        a->scan.ipv6 = true;
        return true;
    case OPTION_NO_OPTIONS:
        a->scan.no_options = true;
        return true;
    case OPTION_MIDDLEBOX:
        return read_time(value, &a->rules.middlebox_s);
    case OPTION_FAIL_ON:
        return read_fail_on(a, value);
    case OPTION_FORMAT:
        found = ho_report_form_find(value);
        a->form = found >= 0 ? (enum ho_report_form)found : a->form;
        return found >= 0;
    default:
        a->report.all = true;
        return true;
    }
}

static int one_option(struct ho_doctor_ask *a, unsigned has, int argc, char **argv, int *i)
{
    const char *value;
    int option = find(argv[*i], has, &value);

    if (option == OPTION_COUNT) {
        return no_option(argv[0], argv[*i], has);
    }
    const char *name = options[option].name, *wanted = options[option].value;

    if (wanted[0] == '\0' && value != NULL) {
        return ho_cli_say(HO_EXIT_USAGE, "%s: %s takes no value", argv[0], name);
    }
    if (wanted[0] != '\0' && value == NULL) {
        if (*i + 1 >= argc) {
            return ho_cli_say(HO_EXIT_USAGE, "%s: %s: expected %s behind it", argv[0], name,
                              wanted);
        }
        value = argv[++*i];
    }
    if (!take(a, option, value)) {
        return ho_cli_say(HO_EXIT_USAGE, "%s: %s: found '%s', expected %s", argv[0], name, value,
                          wanted);
    }
    return HO_EXIT_OK;
}

int ho_doctor_ask(struct ho_doctor_ask *ret, const char **ret_file, unsigned has, int argc,
                  char **argv)
{
    struct ho_doctor_ask a = { .report.fail_on = HO_SEVERITY_WARN };
    const char *file = NULL;

    for (int i = 1; i < argc; i++) {
        int code = HO_EXIT_OK;

        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            code = one_option(&a, has, argc, argv, &i);
        } else if ((has & HO_DOCTOR_ONE_FILE) == 0) {
            code =
                ho_cli_say(HO_EXIT_USAGE, "%s: found '%s', expected an option", argv[0], argv[i]);
        } else if (file != NULL) {
            code = ho_cli_say(HO_EXIT_USAGE, "%s: found '%s', expected one file", argv[0], argv[i]);
        } else {
            file = argv[i];
        }
        if (code != HO_EXIT_OK) {
            return code;
        }
    }
    if (ret_file != NULL) {
        *ret_file = file;
    }
    *ret = a;
    return HO_EXIT_OK;
}

static int cannot(const struct ho_doctor_ask *a, int err, const char *why, const char *command)
{
    if (err == -ENOMEM) {
        return ho_cli_no_memory();
    }
    if (err == -ESRCH) {
        return ho_cli_say(HO_EXIT_USAGE, "%s: no process %d can be seen", command,
                          (int)a->scan.pid);
    }
    return ho_cli_say(HO_EXIT_CANNOT, "%s: %s", command, why[0] != '\0' ? why : strerror(-err));
}

int ho_doctor_look(struct ho_scan *ret_scan, struct ho_diagnosis *ret,
                   const struct ho_doctor_ask *a, const char *command)
{
    char why[HO_OS_WHY] = "";
    int err = ho_scan(ret_scan, &a->scan, why);

    if (err != 0) {
        return cannot(a, err, why, command);
    }
    err = ho_diagnose(ret, ret_scan, &a->rules);
    if (err != 0) {
        ho_scan_free(ret_scan);
        return ho_cli_no_memory();
    }
    return HO_EXIT_OK;
}
