/* `halfopen advise`: settings with which a peer that is gone is noticed within a time, proven by
 * playing them. Prints only. See cli/advise.h.
 */

#include "cli/advise.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "scenario/syntax.h"

/* Without --survive: that part of the time, or a smaller one, or none. */
static const int64_t parts[] = { 5, 8, 12, 20 };

/* ---- arguments ------------------------------------------------------------------------------- */

static int read_time(const char *option, const char *text, int64_t least_ns, struct ho_dur *ret)
{
    int64_t ns;

    if (ho_value_read(HO_TYPE_DURATION, text, &ns) != 0 || ns < least_ns ||
        ns > HO_ADVISE_WITHIN_MAX_S * HO_NS_PER_S) {
        return ho_cli_say(HO_EXIT_USAGE,
                          "advise %s: found '%s', expected a time as 30s, at most 1h", option,
                          text);
    }
    *ret = ho_ns(ns);
    return HO_EXIT_OK;
}

static int no_program(const char *word)
{
    const char *names[512] = { NULL };
    const struct ho_setting_program *p;

    for (size_t i = 0; i < 511 && (p = ho_setting_program_at(i)) != NULL; i++) {
        names[i] = p->id;
    }
    const char *near = ho_cli_nearest(word, names);

    return ho_cli_say(HO_EXIT_USAGE, "advise --for: the list of settings has no program '%s'%s%s%s",
                      word, near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                      near != NULL ? "'?" : "");
}

static int add_program(struct ho_advising *a, const struct ho_setting_program *p)
{
    if (a->programs == HO_ADVISE_PROGRAMS) {
        return ho_cli_say(HO_EXIT_USAGE, "advise --for: more than %d programs", HO_ADVISE_PROGRAMS);
    }
    a->program[a->programs++] = p;
    return HO_EXIT_OK;
}

/* A program, or all of a family: "kubernetes" has kubernetes/client-go and others. */
static int add_programs(struct ho_advising *a, const char *word)
{
    const struct ho_setting_program *found = ho_setting_program_find(word), *p;
    const char *slash = found != NULL ? strchr(found->id, '/') : NULL;
    size_t len = slash != NULL ? (size_t)(slash - found->id) : 0;
    int code = HO_EXIT_OK;

    if (found == NULL) {
        return no_program(word);
    }
    if (len == 0 || strlen(word) != len) {
        return add_program(a, found);
    }
    for (size_t i = 0; code == HO_EXIT_OK && (p = ho_setting_program_at(i)) != NULL; i++) {
        if (strncmp(p->id, found->id, len + 1) == 0) {
            code = add_program(a, p);
        }
    }
    return code;
}

/* "postgresql,redis", cut to pieces. */
static int read_programs(struct ho_advising *a, char *list)
{
    int code = HO_EXIT_OK;

    for (char *word = list, *next; word != NULL && code == HO_EXIT_OK; word = next) {
        next = strchr(word, ',');
        if (next != NULL) {
            *next++ = '\0';
        }
        code = add_programs(a, word);
    }
    return code;
}

static int read_engine(struct ho_advising *a, const char *value)
{
    static const char *const engines[] = { "model", "kernel", "virtual-kernel" };

    for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
        if (strcmp(value, engines[i]) == 0) {
            a->prove = engines[i];
            return HO_EXIT_OK;
        }
    }
    return ho_cli_say(HO_EXIT_USAGE,
                      "advise --prove: found '%s', expected model, kernel or virtual-kernel",
                      value);
}

static int take(void *self, const char *name, char *value)
{
    struct ho_advising *a = self;

    if (strcmp(name, "--sysctls-only") == 0) {
        a->ask.no_options = true;
    } else if (strcmp(name, "--sockopts-only") == 0) {
        a->ask.no_sysctls = true;
    } else if (strcmp(name, "--within") == 0) {
        return read_time(name, value, HO_NS_PER_S / 10, &a->ask.within);
    } else if (strcmp(name, "--survive") == 0) {
        a->survive_said = true;
        return read_time(name, value, 0, &a->ask.survive);
    } else if (strcmp(name, "--for") == 0) {
        return read_programs(a, value);
    } else if (strcmp(name, "--prove") == 0) {
        return read_engine(a, value);
    } else {
        a->save = value;
    }
    return HO_EXIT_OK;
}

static int read_arguments(struct ho_advising *a, int argc, char **argv)
{
    static const char *const valued[] = { "--within", "--survive",    "--for",
                                          "--prove",  "--save-proof", NULL };
    static const char *const flags[] = { "--sysctls-only", "--sockopts-only", NULL };
    const struct ho_predict_more more = {
        .valued = valued, .flags = flags, .self = a, .take = take
    };
    int code = ho_predict_ask(&a->host, "advise", &more, argc, argv);

    if (code != HO_EXIT_OK) {
        return code;
    }
    if (a->ask.within.ns == 0) {
        return ho_cli_say(HO_EXIT_USAGE, "advise: expected --within and a time, as --within 30s");
    }
    if (a->ask.no_options && a->ask.no_sysctls) {
        return ho_cli_say(HO_EXIT_USAGE,
                          "advise: --sysctls-only and --sockopts-only leave nothing to advise");
    }
    if (a->host.json && strcmp(a->prove, "model") != 0) {
        return ho_cli_say(HO_EXIT_USAGE,
                          "advise: --json is one document: --prove %s prints its own; use "
                          "--save-proof and 'halfopen run --format json'",
                          a->prove);
    }
    for (int i = 0; i < HO_SOCKOPT_COUNT; i++) {
        if (a->host.in.has_option[i]) {
            return ho_cli_say(HO_EXIT_USAGE, "advise: --sockopt is what it finds out; --set is for "
                                             "sysctls that stay as they are");
        }
    }
    return HO_EXIT_OK;
}

/* Whoever does not say an HZ gets what holds for every one: the peer's kernel is another. */
static void set_hz(struct ho_advising *a)
{
    static const uint32_t all[HO_ADVISE_HZ] = { 100, 250, 300, 1000 };

    a->ask.base = a->host.in;
    if (a->host.has_hz) {
        a->ask.hz[0] = a->host.in.hz;
        a->ask.hz_count = 1;
    } else {
        memcpy(a->ask.hz, all, sizeof(all));
        a->ask.hz_count = HO_ADVISE_HZ;
    }
}

/* ---- solving --------------------------------------------------------------------------------- */

static int refuse(const struct ho_advising *a, enum ho_advise_reason why)
{
    struct ho_text t = { 0 };
    struct ho_advise_near near;

    ho_advise_nearest(&a->ask, &near);
    ho_text_put(&t, "within ");
    ho_text_dur(&t, a->ask.within);
    if (a->ask.survive.ns > 0) {
        ho_text_put(&t, " and through an outage of ");
        ho_text_dur(&t, a->ask.survive);
    }
    ho_text_printf(&t, " is impossible: %s", ho_advise_reason_text(why));
    if (near.within.ns > 0) {
        ho_text_put(&t, "; the nearest: --within ");
        ho_text_seconds(&t, near.within.ns, near.within.ns % HO_NS_PER_S != 0 ? 1 : 0);
        ho_text_char(&t, 's');
    }
    if (near.any_survive && a->ask.survive.ns > 0) {
        ho_text_put(&t, near.within.ns > 0 ? ", or --survive " : "; the nearest: --survive ");
        ho_text_seconds(&t, near.survive.ns, near.survive.ns % HO_NS_PER_S != 0 ? 1 : 0);
        ho_text_char(&t, 's');
    }
    ho_cli_say(HO_EXIT_FOUND, "advise: %s", ho_text_str(&t));
    ho_text_free(&t);
    return HO_EXIT_FOUND;
}

static int solve(struct ho_advising *a)
{
    enum ho_advise_reason why = HO_ADVISE_NONE;
    int err = -ERANGE;

    if (a->survive_said) {
        err = ho_advise(&a->ask, &a->advice, &why);
    }
    for (size_t i = 0; i <= sizeof(parts) / sizeof(parts[0]) && !a->survive_said && err == -ERANGE;
         i++) {
        a->ask.survive =
            ho_ns(i < sizeof(parts) / sizeof(parts[0]) ? a->ask.within.ns / parts[i] : 0);
        err = ho_advise(&a->ask, &a->advice, &why);
    }
    if (err == -ERANGE) {
        return refuse(a, why);
    }
    return err == 0 ? HO_EXIT_OK
                    : ho_cli_say(HO_EXIT_USAGE, "advise: these settings make no sense together");
}

/* By sysctls alone something may be left over: the exit code says so. */
static int judge(const struct ho_advising *a)
{
    const struct ho_advice *d = &a->advice;

    if (!a->ask.no_options ||
        (d->window_by_sysctls_ns <= a->ask.within.ns && d->orphan_retries >= 0 &&
         d->syn_retries >= 0 && d->synack_retries >= 0 && d->fin_timeout_s >= 0)) {
        return HO_EXIT_OK;
    }
    return ho_cli_say(HO_EXIT_FOUND, "advise: sysctls alone do not cover everything: see 'What it "
                                     "does not do'");
}

static int put_all(struct ho_advising *a)
{
    struct ho_text out = { 0 }, programs = { 0 };
    int code = ho_advising_programs(a, &programs, a->host.json);

    if (code == HO_EXIT_OK && a->host.json) {
        ho_advising_json(a, &out);
        ho_text_put(&out, ho_text_str(&programs));
        ho_text_put(&out, "}\n");
    } else if (code == HO_EXIT_OK) {
        ho_advising_text(a, &out);
        ho_text_put(&out, ho_text_str(&programs));
    }
    ho_text_end_part(&out, &programs);
    if (code == HO_EXIT_OK) {
        code = ho_text_err(&out) != 0 ? ho_cli_no_memory() : ho_cli_put(&out);
    }
    ho_text_free(&out);
    return code == HO_EXIT_OK ? ho_cli_done() : code;
}

static int advise_run(int argc, char **argv)
{
    struct ho_advising a = { .prove = "model" };

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_advise.usage);
        return ho_cli_done();
    }
    int code = read_arguments(&a, argc, argv);

    if (code == HO_EXIT_OK) {
        set_hz(&a);
        code = solve(&a);
    }
    code = code == HO_EXIT_OK ? ho_advising_prove(&a) : code;
    code = code == HO_EXIT_OK ? ho_advising_play(&a) : code;
    code = code == HO_EXIT_OK ? put_all(&a) : code;
    return code == HO_EXIT_OK ? judge(&a) : code;
}

const struct ho_command ho_command_advise = {
    .name = "advise",
    .help = "which settings notice a dead peer within a time, and outlive an outage",
    .usage =
        "usage: halfopen advise --within TIME [OPTION ...]\n"
        "\n"
        "The socket options, and the sysctls, with which both sides notice within TIME that their\n"
        "peer is gone, whatever they were doing, and outlive a short outage. What is printed was\n"
        "played on the model before; nothing is changed. docs/advise.md says more.\n"
        "\n"
        "  --within TIME         the longest time to notice, as 30s\n"
        "  --survive TIME        the outage that must be outlived (a fifth of that, or less)\n"
        "  --for PROGRAM,..      the settings of programs: postgresql, redis, nginx, grpc ...\n"
        "  --sysctls-only        no socket options; exit code 1 if that leaves something over\n"
        "  --sockopts-only       no sysctls\n"
        "  --prove ENGINE        plays the proof on the kernel (in real time) or virtual-kernel\n"
        "  --save-proof DIR      writes the scenarios of the proof into this folder\n"
        "  --set NAME=VALUE      a sysctl that stays as it is; the others are this host's\n"
        "  --rtt TIME            the round trip (1ms)\n"
        "  --rto TIME            the longest retransmission timeout, as ss -ti shows it\n"
        "  --lan, --routed       the peer is on the same link, or behind a router (this)\n"
        "  --hz N                ticks a second of both hosts, or exact; else any\n"
        "  --defaults            Linux's defaults in place of this host's\n"
        "  --kernel NAME         the defaults of linux-6.18, linux-6.12 or linux-6.1\n"
        "  --json                for programs\n",
    .run = advise_run,
};
