/* The arguments of `halfopen run`: one table says which options there are. */

#include "cli/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "knobs/sysctl.h"
#include "scenario/syntax.h"

/* id, name, what its value is ("" if it has none) */
#define OPTIONS(X)                                       \
    X(LIST, "--list", "")                                \
    X(LADDER, "--ladder", "")                            \
    X(FORMAT, "--format", "text or json")                \
    X(TIMELINE, "--timeline", "a file")                  \
    X(PCAPNG, "--pcapng", "a file")                      \
    X(SEED, "--seed", "a number")                        \
    X(HZ, "--hz", "100, 250, 300, 1000 or exact")        \
    X(SET, "--set", "[HOST:]NAME=VALUE")                 \
    X(RTT, "--rtt", "a duration such as 200ms")          \
    X(ENGINE, "--engine", "model")                       \
    X(CASE, "--case", "a number or the words of a case") \
    X(PHASES, "--phases", "a number from 1 to 4096")     \
    X(RAW, "--raw", "")                                  \
    X(TIMING, "--timing", "")                            \
    X(HELP, "--help", "")

enum option {
#define X(id, name, value) OPTION_##id,
    OPTIONS(X)
#undef X
    OPTION_COUNT
};

static const struct {
    const char *name, *value;
} options[] = {
#define X(id, name, value) { name, value },
    OPTIONS(X)
#undef X
};

const char ho_options_usage[] =
    "usage: halfopen run [OPTION..] [NAME or FILE..]\n"
    "\n"
    "Plays scenarios on our own TCP stack, in virtual time, and says who noticed, when, with\n"
    "which error, because of which knob. Without a name: the whole catalogue. A NAME is one of\n"
    "`halfopen run --list`, or the beginning of one; a FILE has a '/' or ends in .scn.\n"
    "\n"
    "  --list             the catalogue: names and titles\n"
    "  --ladder           the sequence diagram of each case in place of the table\n"
    "  --format json      one JSON document in place of the table\n"
    "  --case CASE        one case of a scenario: its number, or its words ('ipv6 retries2=8')\n"
    "  --timeline FILE    writes the timeline of one case, JSON lines\n"
    "  --pcapng FILE      writes the capture of one case, for Wireshark\n"
    "  --raw              ports and sequence numbers as on the wire, in the timeline\n"
    "  --seed N           for everything that is random\n"
    "  --hz N             ticks a second: 100, 250, 300, 1000; exact: timers fire on time\n"
    "  --set NAME=VALUE   a sysctl of every host; HOST:NAME=VALUE of one host\n"
    "  --rtt DURATION     round trip between the hosts, where cables name no delay\n"
    "  --phases N         plays each case with N starting jiffies, spread over the largest step\n"
    "                     of the timer wheel in play, and shows the range of the answers\n"
    "  --engine model     the engine (there is one)\n"
    "  --timing           wall time and speed into the JSON as well\n";

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

static int read_rtt(struct ho_run_options *o, const char *value)
{
    int64_t ns;

    if (ho_value_read(HO_TYPE_DURATION, value, &ns) != 0 || ns < 0) {
        return bad_value(OPTION_RTT, value);
    }
    o->plan.has_rtt = true;
    o->plan.rtt = ho_ns(ns);
    return HO_EXIT_OK;
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

static int read_value(struct ho_run_options *o, enum option id, char *value)
{
    uint64_t n;

    switch (id) {
    case OPTION_FORMAT:
        o->json = strcmp(value, "json") == 0;
        return o->json || strcmp(value, "text") == 0 ? HO_EXIT_OK : bad_value(id, value);
    case OPTION_TIMELINE:
        o->timeline = value;
        return *value != '\0' ? HO_EXIT_OK : bad_value(id, value);
    case OPTION_PCAPNG:
        o->pcapng = value;
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
        return read_rtt(o, value);
    case OPTION_PHASES:
        if (!read_number(value, 4096, &n) || n == 0) {
            return bad_value(id, value);
        }
        o->phases = (unsigned)n;
        return HO_EXIT_OK;
    default:
        return strcmp(value, "model") == 0 ? HO_EXIT_OK : bad_value(id, value);
    }
}

static int read_flag(struct ho_run_options *o, enum option id)
{
    o->list = o->list || id == OPTION_LIST;
    o->ladder = o->ladder || id == OPTION_LADDER;
    o->raw = o->raw || id == OPTION_RAW;
    o->timing = o->timing || id == OPTION_TIMING;
    return HO_EXIT_OK;
}

/* ---- the whole line -------------------------------------------------------------------------- */

static int unknown_option(const char *arg)
{
    const char *names[OPTION_COUNT + 1] = { NULL };
    const char *near;

    for (int i = 0; i < OPTION_COUNT; i++) {
        names[i] = options[i].name;
    }
    near = ho_cli_nearest(arg, names);
    return ho_cli_say(HO_EXIT_USAGE, "no option '%s'%s%s%s; try 'halfopen help run'", arg,
                      near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                      near != NULL ? "'?" : "");
}

/* Reads argv[*i], and the value behind it; moves *i past what was read. */
static int read_option(struct ho_run_options *o, int argc, char **argv, int *i)
{
    char *arg = argv[*i];
    char *eq = strchr(arg, '=');
    int id = 0;

    if (eq != NULL) {
        *eq = '\0';
    }
    while (id < OPTION_COUNT && strcmp(arg, options[id].name) != 0) {
        id++;
    }
    if (id == OPTION_COUNT) {
        return unknown_option(arg);
    }
    if (options[id].value[0] == '\0') {
        return eq == NULL ? read_flag(o, (enum option)id)
                          : ho_cli_say(HO_EXIT_USAGE, "%s takes no value", arg);
    }
    if (eq == NULL && (*i + 1 == argc || strncmp(argv[*i + 1], "--", 2) == 0)) {
        return ho_cli_say(HO_EXIT_USAGE, "%s needs %s", arg, options[id].value);
    }
    return read_value(o, (enum option)id, eq != NULL ? eq + 1 : argv[++*i]);
}

static int check_together(const struct ho_run_options *o)
{
    if (o->ladder && o->json) {
        return ho_cli_say(HO_EXIT_USAGE, "--ladder and --format json exclude each other");
    }
    if (o->phases > 0 && (o->ladder || o->timeline != NULL || o->pcapng != NULL)) {
        return ho_cli_say(HO_EXIT_USAGE, "--phases plays many times: not together with --ladder, "
                                         "--timeline or --pcapng");
    }
    return HO_EXIT_OK;
}

int ho_options_read(struct ho_run_options *ret, int argc, char **argv)
{
    struct ho_run_options o = { .list = false };
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
        } else if (!only_names && argv[i][0] == '-') {
            code = read_option(&o, argc, argv, &i);
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
    o.plan.engine = "model";
    *ret = o;
    return HO_EXIT_OK;
}

void ho_options_free(struct ho_run_options *o)
{
    free(o->set);
    free(o->host_set);
    free(o->names);
}
