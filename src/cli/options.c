/* The arguments of `halfopen run`: one table says which options there are. */

#include "cli/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "knobs/sysctl.h"
#include "scenario/syntax.h"

#define RUN HO_OPTIONS_RUN
#define COMPARE HO_OPTIONS_COMPARE
#define BOTH (RUN | COMPARE)

/* id, name, what its value is ("" if it has none), whose it is */
#define OPTIONS(X)                                                         \
    X(LIST, "--list", "", RUN)                                             \
    X(LADDER, "--ladder", "", RUN)                                         \
    X(FORMAT, "--format", "text, json, tap or junit", RUN)                 \
    X(SHORT_FORMAT, "--format", "text or json", COMPARE)                   \
    X(TIMELINE, "--timeline", "a file", RUN)                               \
    X(PCAPNG, "--pcapng", "a file", RUN)                                   \
    X(SEED, "--seed", "a number", BOTH)                                    \
    X(HZ, "--hz", "100, 250, 300, 1000 or exact", RUN)                     \
    X(SET, "--set", "[HOST:]NAME=VALUE", BOTH)                             \
    X(RTT, "--rtt", "a duration such as 200ms", BOTH)                      \
    X(ENGINE, "--engine", "model, kernel or virtual-kernel", RUN)          \
    X(ENGINES, "--engine", "some of model,kernel,virtual-kernel", COMPARE) \
    X(KERNEL, "--kernel", "the beginning of a kernel's name", BOTH)        \
    X(SPIN, "--spin", "", BOTH)                                            \
    X(JOBS, "-j", "a number from 1 to 64", BOTH)                           \
    X(CASE, "--case", "a number or the words of a case", BOTH)             \
    X(LONGEST, "--longest", "a duration such as 60s", BOTH)                \
    X(PHASES, "--phases", "a number from 1 to 4096", RUN)                  \
    X(RAW, "--raw", "", RUN)                                               \
    X(TIMING, "--timing", "", RUN)                                         \
    X(TOLERANCE, "--tolerance", "a duration such as 20ms", COMPARE)        \
    X(BY_INTERVAL, "--by-interval", "", COMPARE)                           \
    X(ALIGN, "--align", "the label of a fault", COMPARE)                   \
    X(DIFFERENCES, "--differences", "", COMPARE)                           \
    X(HELP, "--help", "", BOTH)

#define JOBS_MAX 64

enum option {
#define X(id, name, value, whose) OPTION_##id,
    OPTIONS(X)
#undef X
    OPTION_COUNT
};

static const struct {
    const char *name, *value;
    unsigned whose;
} options[] = {
#define X(id, name, value, whose) { name, value, whose },
    OPTIONS(X)
#undef X
};

const char ho_options_usage[] =
    "usage: halfopen run [OPTION..] [NAME or FILE..]\n"
    "\n"
    "Plays scenarios on our own TCP stack, in virtual time, or on the Linux kernel, in real time,\n"
    "and says who noticed, when, with which error, because of which knob. Without a name: the "
    "whole\n"
    "catalogue. A NAME is one of `halfopen run --list`, or the beginning of one; a FILE has a '/' "
    "or\n"
    "ends in .scn.\n"
    "\n"
    "  --list             the catalogue: names and titles\n"
    "  --ladder           the sequence diagram of each case in place of the table\n"
    "  --format FORMAT    in place of the table: json, one document; tap or junit, for a CI: a "
    "play\n"
    "                     is a test, its expectations are the parts of it\n"
    "  --case CASE        one case of a scenario: its number, or its words ('ipv6 retries2=8')\n"
    "  --longest DURATION leaves out what lasts longer\n"
    "  --engine ENGINE    model, the default; kernel: this machine's Linux, each host a network\n"
    "                     namespace; needs no root where user namespaces are allowed;\n"
    "                     virtual-kernel: Linux with a virtual clock, two hours in a second; "
    "needs\n"
    "                     no root; 'halfopen kernel build' makes one\n"
    "  -j N               so many plays at once, on the kernel; default: 4 a processor, at most "
    "8;\n"
    "                     on virtual kernels: one a processor\n"
    "  --kernel NAME      which virtual kernel: the beginning of a name of 'halfopen kernel list'\n"
    "  --spin             on a virtual kernel: computing takes time, for programs that wait by\n"
    "                     asking for the time again and again\n"
    "  --timeline FILE    writes the timeline of one case, JSON lines\n"
    "  --pcapng FILE      writes the capture of one case, for Wireshark\n"
    "  --raw              ports and sequence numbers as on the wire, in the timeline\n"
    "  --seed N           for everything that is random\n"
    "  --hz N             ticks a second: 100, 250, 300, 1000; exact: timers fire on time\n"
    "  --set NAME=VALUE   a sysctl of every host; HOST:NAME=VALUE of one host\n"
    "  --rtt DURATION     round trip between the hosts, where cables name no delay\n"
    "  --phases N         plays each case with N starting jiffies, spread over the largest step\n"
    "                     of the timer wheel in play, and shows the range of the answers\n"
    "  --timing           wall time and speed into the JSON as well\n";

const char *const ho_engine_names[HO_ENGINES] = { "model", "kernel", "virtual-kernel" };

static int bad_value(enum option o, const char *found)
{
    return ho_cli_say(HO_EXIT_USAGE, "%s: found '%s', expected %s", options[o].name, found,
                      options[o].value);
}

/* A decimal number up to `max`. */
static bool read_number(const char *text, uint64_t max, uint64_t *ret)
{
    uint64_t n = 0;

    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || n > (max - (uint64_t)(*text - '0')) / 10) {
            return false;
        }
        n = n * 10 + (uint64_t)(*text - '0');
    }
    *ret = n;
    return true;
}

/* ---- one option ------------------------------------------------------------------------------ */

static int read_hz(struct ho_run_options *o, const char *value)
{
    static const char *const known[] = { "exact", "100", "250", "300", "1000" };
    static const uint32_t hz[] = { 0, 100, 250, 300, 1000 };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(value, known[i]) == 0) {
            o->plan.has_hz = true;
            o->plan.hz = hz[i];
            return HO_EXIT_OK;
        }
    }
    return bad_value(OPTION_HZ, value);
}

/* A sysctl's name and value must be right before any scenario is played. */
static int check_sysctl(const char *whole, char *name, const char *value)
{
    struct ho_sysctls s;
    int id;

    ho_sysctls_init(&s);
    id = ho_sysctl_find(name);
    if (id < 0) {
        return ho_cli_say(HO_EXIT_USAGE, "--set: '%s' is no sysctl that halfopen knows", name);
    }
    if (ho_sysctl_parse(&s, name, value) != 0) {
        const struct ho_sysctl_info *info = ho_sysctl_info((enum ho_sysctl)id);

        return ho_cli_say(HO_EXIT_USAGE,
                          "--set %s: found '%s', expected a value from %" PRId64 " to %" PRId64,
                          whole, value, info->min, info->max);
    }
    return HO_EXIT_OK;
}

static int read_set(struct ho_run_options *o, char *value)
{
    char *eq = strchr(value, '=');
    char *colon = strchr(value, ':');
    char *name;
    int code;

    if (eq == NULL || eq == value || (colon != NULL && colon < eq && colon == value)) {
        return bad_value(OPTION_SET, value);
    }
    name = colon != NULL && colon < eq ? colon + 1 : value;
    *eq = '\0';
    code = check_sysctl(value, name, eq + 1);
    if (code != HO_EXIT_OK) {
        return code;
    }
    if (name == value) {
        *eq = '=';
        o->set[o->plan.set_count++] = value;
        return HO_EXIT_OK;
    }
    *colon = '\0';
    o->host_set[o->host_set_count++] = (struct ho_host_set){ value, name, eq + 1 };
    return HO_EXIT_OK;
}

static int read_format(struct ho_run_options *o, enum option id, const char *value)
{
    static const char *const names[] = { [HO_FORMAT_TEXT] = "text",
                                         [HO_FORMAT_JSON] = "json",
                                         [HO_FORMAT_TAP] = "tap",
                                         [HO_FORMAT_JUNIT] = "junit" };
    unsigned known = id == OPTION_FORMAT ? HO_FORMAT_JUNIT : HO_FORMAT_JSON;

    for (unsigned i = 0; i <= known; i++) {
        if (strcmp(value, names[i]) == 0) {
            o->format = (enum ho_format)i;
            return HO_EXIT_OK;
        }
    }
    return bad_value(id, value);
}

static int read_engine(struct ho_run_options *o, const char *value)
{
    o->virtual_kernel = strcmp(value, "virtual-kernel") == 0;
    o->kernel = o->virtual_kernel || strcmp(value, "kernel") == 0;
    return o->kernel || strcmp(value, "model") == 0 ? HO_EXIT_OK : bad_value(OPTION_ENGINE, value);
}

/* The engine whose name is the `len` bytes at `name`; 0: none. */
static unsigned engine_of(const char *name, size_t len)
{
    for (unsigned e = 0; e < HO_ENGINES; e++) {
        if (strlen(ho_engine_names[e]) == len && strncmp(ho_engine_names[e], name, len) == 0) {
            return 1u << e;
        }
    }
    return 0;
}

/* "kernel,virtual-kernel". One alone is compared with the model. */
static int read_engines(struct ho_run_options *o, const char *value)
{
    unsigned engines = 0;

    for (const char *at = value;; at++) {
        size_t len = strcspn(at, ",");
        unsigned e = engine_of(at, len);

        if (e == 0) {
            return bad_value(OPTION_ENGINES, value);
        }
        engines |= e;
        at += len;
        if (*at == '\0') {
            break;
        }
    }
    if (engines == HO_ENGINE_MODEL) {
        return ho_cli_say(HO_EXIT_USAGE,
                          "--engine: the model alone has nothing to be compared with");
    }
    o->engines = engines == HO_ENGINE_KERNEL || engines == HO_ENGINE_VIRTUAL
                     ? engines | HO_ENGINE_MODEL
                     : engines;
    return HO_EXIT_OK;
}

struct ho_run_options ho_options_on(const struct ho_run_options *o, unsigned engine)
{
    struct ho_run_options on = *o;

    on.virtual_kernel = engine == HO_ENGINE_VIRTUAL;
    on.kernel = engine != HO_ENGINE_MODEL;
    on.plan.engine = ho_engine_names[engine == HO_ENGINE_MODEL    ? 0
                                     : engine == HO_ENGINE_KERNEL ? 1
                                                                  : 2];
    return on;
}

static int read_duration(enum option id, const char *value, struct ho_dur *ret)
{
    int64_t ns;

    if (ho_value_read(HO_TYPE_DURATION, value, &ns) != 0 || ns < 0) {
        return bad_value(id, value);
    }
    *ret = ho_ns(ns);
    return HO_EXIT_OK;
}

/* A number from 1 to `max`. */
static int read_count(enum option id, const char *value, unsigned max, unsigned *ret)
{
    uint64_t n;

    if (!read_number(value, max, &n) || n == 0) {
        return bad_value(id, value);
    }
    *ret = (unsigned)n;
    return HO_EXIT_OK;
}

static int read_value(struct ho_run_options *o, enum option id, char *value)
{
    switch (id) {
    case OPTION_FORMAT:
    case OPTION_SHORT_FORMAT:
        return read_format(o, id, value);
    case OPTION_TIMELINE:
        o->timeline = value;
        return *value != '\0' ? HO_EXIT_OK : bad_value(id, value);
    case OPTION_PCAPNG:
        o->pcapng = value;
        return *value != '\0' ? HO_EXIT_OK : bad_value(id, value);
    case OPTION_KERNEL:
        o->kernel_name = value;
        return *value != '\0' ? HO_EXIT_OK : bad_value(id, value);
    case OPTION_CASE:
        o->which = value;
        return HO_EXIT_OK;
    case OPTION_SEED:
        o->plan.has_seed = true;
        return read_number(value, UINT64_MAX, &o->plan.seed) ? HO_EXIT_OK : bad_value(id, value);
    case OPTION_HZ:
        return read_hz(o, value);
    case OPTION_SET:
        return read_set(o, value);
    case OPTION_RTT:
        o->plan.has_rtt = true;
        return read_duration(id, value, &o->plan.rtt);
    case OPTION_LONGEST:
        return read_duration(id, value, &o->longest);
    case OPTION_TOLERANCE:
        o->has_tolerance = true;
        return read_duration(id, value, &o->tolerance);
    case OPTION_ALIGN:
        o->align = value;
        return HO_EXIT_OK;
    case OPTION_PHASES:
        return read_count(id, value, 4096, &o->phases);
    case OPTION_JOBS:
        return read_count(id, value, JOBS_MAX, &o->jobs);
    case OPTION_ENGINES:
        return read_engines(o, value);
    default:
        return read_engine(o, value);
    }
}

static int read_flag(struct ho_run_options *o, enum option id)
{
    o->list = o->list || id == OPTION_LIST;
    o->ladder = o->ladder || id == OPTION_LADDER;
    o->spin = o->spin || id == OPTION_SPIN;
    o->raw = o->raw || id == OPTION_RAW;
    o->timing = o->timing || id == OPTION_TIMING;
    o->by_interval = o->by_interval || id == OPTION_BY_INTERVAL;
    o->differences = o->differences || id == OPTION_DIFFERENCES;
    return HO_EXIT_OK;
}

/* ---- the whole line -------------------------------------------------------------------------- */

static int unknown_option(const char *arg, unsigned command)
{
    const char *names[OPTION_COUNT + 1] = { NULL };
    const char *near;
    size_t n = 0;

    for (int i = 0; i < OPTION_COUNT; i++) {
        if ((options[i].whose & command) != 0 && options[i].name[1] == '-') {
            names[n++] = options[i].name;
        }
    }
    near = ho_cli_nearest(arg, names);
    return ho_cli_say(HO_EXIT_USAGE, "no option '%s'%s%s%s; try 'halfopen help %s'", arg,
                      near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                      near != NULL ? "'?" : "", command == HO_OPTIONS_RUN ? "run" : "compare");
}

/* Cuts the value off "--name=value" and "-n4"; NULL if there is none. */
static char *cut_value(char *arg, char short_name[3])
{
    char *eq = strchr(arg, '=');

    if (arg[1] != '-' && arg[1] != '\0' && arg[2] != '\0') {
        short_name[0] = arg[0];
        short_name[1] = arg[1];
        return arg + (arg[2] == '=' ? 3 : 2);
    }
    if (eq != NULL) {
        *eq = '\0';
        return eq + 1;
    }
    return NULL;
}

/* Reads argv[*i], and the value behind it; moves *i past what was read. */
static int read_option(struct ho_run_options *o, unsigned command, int argc, char **argv, int *i)
{
    char *arg = argv[*i];
    char short_name[3] = "";
    char *value = cut_value(arg, short_name);
    const char *name = short_name[0] != '\0' ? short_name : arg;
    int id = 0;

    while (id < OPTION_COUNT &&
           (strcmp(name, options[id].name) != 0 || (options[id].whose & command) == 0)) {
        id++;
    }
    if (id == OPTION_COUNT) {
        return unknown_option(arg, command);
    }
    if (options[id].value[0] == '\0') {
        return value == NULL ? read_flag(o, (enum option)id)
                             : ho_cli_say(HO_EXIT_USAGE, "%s takes no value", name);
    }
    if (value == NULL && (*i + 1 == argc || strncmp(argv[*i + 1], "--", 2) == 0)) {
        return ho_cli_say(HO_EXIT_USAGE, "%s needs %s", name, options[id].value);
    }
    return read_value(o, (enum option)id, value != NULL ? value : argv[++*i]);
}

static int check_together(const struct ho_run_options *o)
{
    if (o->ladder && o->format != HO_FORMAT_TEXT) {
        return ho_cli_say(HO_EXIT_USAGE, "--ladder and --format exclude each other");
    }
    if (o->phases > 0 && o->kernel && !o->virtual_kernel) {
        return ho_cli_say(HO_EXIT_USAGE, "--phases chooses starting jiffies: not on the kernel, "
                                         "whose jiffy is nobody's to choose");
    }
    bool may_virtual = o->command == HO_OPTIONS_COMPARE
                           ? o->engines == 0 || (o->engines & HO_ENGINE_VIRTUAL) != 0
                           : o->virtual_kernel;

    if (!may_virtual && (o->spin || o->kernel_name != NULL)) {
        return ho_cli_say(HO_EXIT_USAGE, "--kernel and --spin are of --engine virtual-kernel");
    }
    if (o->kernel && !o->virtual_kernel && o->plan.has_hz) {
        return ho_cli_say(HO_EXIT_USAGE, "--hz is the model's: this machine's kernel has its own");
    }
    if (o->phases > 0 && (o->ladder || o->timeline != NULL || o->pcapng != NULL)) {
        return ho_cli_say(HO_EXIT_USAGE, "--phases plays many times: not together with --ladder, "
                                         "--timeline or --pcapng");
    }
    return HO_EXIT_OK;
}

int ho_options_read(struct ho_run_options *ret, unsigned command, int argc, char **argv)
{
    struct ho_run_options o = { .command = command };
    int code = HO_EXIT_OK;
    bool only_names = false;

    o.set = calloc((size_t)argc + 1, sizeof(*o.set));
    o.host_set = calloc((size_t)argc + 1, sizeof(*o.host_set));
    o.names = calloc((size_t)argc + 1, sizeof(*o.names));
    if (o.set == NULL || o.host_set == NULL || o.names == NULL) {
        ho_options_free(&o);
        return ho_cli_no_memory();
    }
    for (int i = 1; i < argc && code == HO_EXIT_OK; i++) {
        if (!only_names && strcmp(argv[i], "--") == 0) {
            only_names = true;
        } else if (!only_names && argv[i][0] == '-' && argv[i][1] != '\0') {
            code = read_option(&o, command, argc, argv, &i);
        } else {
            o.names[o.name_count++] = argv[i];
        }
    }
    if (code == HO_EXIT_OK) {
        code = check_together(&o);
    }
    if (code != HO_EXIT_OK) {
        ho_options_free(&o);
        return code;
    }
    o.plan.set = o.set;
    o.plan.engine = o.virtual_kernel ? "virtual-kernel" : o.kernel ? "kernel" : "model";
    *ret = o;
    return HO_EXIT_OK;
}

bool ho_options_wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

void ho_options_free(struct ho_run_options *o)
{
    free(o->set);
    free(o->host_set);
    free(o->names);
}
