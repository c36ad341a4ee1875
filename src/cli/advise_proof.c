/* The advice, played. See cli/advise.h.
 *
 * On the model: each scenario at every HZ asked about, and at each at the phases of the timer wheel
 * that the arithmetic calls the worst, and others; the worst over both families. On a kernel: each
 * once, at whatever phase it is, by `halfopen run`.
 */

#define _XOPEN_SOURCE 700

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/advise.h"
#include "cli/cli.h"
#include "cli/guest.h"
#include "cli/machine.h"
#include "cli/play.h"
#include "os/folder.h"

#define SCENARIOS (HO_ADVICE_WAYS * HO_PROOF_COUNT)
#define NAME 64 /* bytes of a scenario's name */

/* ---- on the model ---------------------------------------------------------------------------- */

/* Says which expectation was not met, and prints the scenario on stderr for whoever looks into it.
 */
static int not_so(const struct ho_source *s, const struct ho_play *p, const char *text)
{
    for (size_t i = 0; i < p->result.judgement_count; i++) {
        const struct ho_judgement *j = &p->result.judgements[i];
        struct ho_text what = { 0 };

        if (!j->met) {
            ho_expect_print(s->scn, j->expect, &what);
            ho_cli_say(HO_EXIT_FOUND,
                       "advise: a bug: the advice does not hold: '%s': expected: %s; found: %s",
                       ho_scn_title(s->scn), ho_text_str(&what), j->text);
            ho_text_free(&what);
            fputs(text, stderr);
            return HO_EXIT_FOUND;
        }
    }
    return HO_EXIT_OK;
}

static int play_cases(struct ho_advising *a, struct ho_source *s, const char *text)
{
    struct ho_run_options o = { .plan.engine = "model" };
    int code = HO_EXIT_OK;

    for (size_t i = 0; i < ho_scn_case_count(s->scn) && code == HO_EXIT_OK; i++) {
        struct ho_play p;

        code = ho_play_plan(&p, s, i, &o);
        if (code != HO_EXIT_OK) {
            return code;
        }
        code = ho_play(&p, &o);
        if (code == HO_EXIT_OK && !p.played) {
            code = ho_cli_say(HO_EXIT_FOUND, "advise: a bug: '%s' cannot be played: %s",
                              ho_scn_title(s->scn), p.why.text);
        }
        code = code == HO_EXIT_OK ? not_so(s, &p, text) : code;
        a->plays++;
        ho_play_free(&p);
    }
    return code;
}

static int play_text(struct ho_advising *a, const struct ho_text *text)
{
    struct ho_source source = { .where = "advice", .is_file = true };
    struct ho_scn_error e;

    if (ho_text_err(text) != 0) {
        return ho_cli_no_memory();
    }
    int err = ho_scn_parse(&source.scn, "advice", ho_text_str(text), text->len, &e);

    if (err != 0) {
        return err == -ENOMEM
                   ? ho_cli_no_memory()
                   : ho_cli_say(HO_EXIT_FOUND, "advise: a bug: line %u: %s", e.line, e.text);
    }
    int code = play_cases(a, &source, ho_text_str(text));

    ho_scn_free(source.scn);
    return code;
}

/* One scenario at every HZ and phase. */
static int prove_kind(struct ho_advising *a, const struct ho_proof *p, enum ho_proof_kind kind)
{
    struct ho_text text = { 0 };
    int code = HO_EXIT_OK;

    for (unsigned h = 0; h < a->ask.hz_count; h++) {
        uint32_t hz = a->ask.hz[h];

        for (unsigned i = 0; i < (hz > 0 ? HO_PROOF_PHASES : 1u) && code == HO_EXIT_OK; i++) {
            struct ho_proof_when when = { .hz = hz,
                                          .jiffies = ho_proof_phase(p, kind, hz, i),
                                          .both = i == 0 };

            ho_text_clear(&text);
            ho_proof_write(p, kind, &when, &text);
            code = play_text(a, &text);
        }
    }
    ho_text_free(&text);
    return code;
}

static struct ho_proof proof_of(const struct ho_advising *a, enum ho_advice_way way)
{
    return (struct ho_proof){
        .ask = &a->ask, .advice = &a->advice, .way = way, .profile = a->host.profile
    };
}

static bool is_asked(const struct ho_advising *a, enum ho_advice_way way)
{
    return way == HO_ADVICE_OPTIONS ? !a->ask.no_options : !a->ask.no_sysctls;
}

int ho_advising_prove(struct ho_advising *a)
{
    int code = HO_EXIT_OK;

    for (int way = 0; way < HO_ADVICE_WAYS; way++) {
        struct ho_proof p = proof_of(a, (enum ho_advice_way)way);

        for (int k = 0; k < HO_PROOF_COUNT && code == HO_EXIT_OK; k++) {
            if (is_asked(a, p.way) && ho_proof_applies(&p, (enum ho_proof_kind)k)) {
                code = prove_kind(a, &p, (enum ho_proof_kind)k);
                a->scenarios++;
            }
        }
    }
    return code;
}

int ho_advising_prove_tied(struct ho_advising *a, const struct ho_advice *advice)
{
    static const enum ho_proof_kind kinds[] = { HO_PROOF_IDLE, HO_PROOF_USED, HO_PROOF_DATA,
                                                HO_PROOF_LOST_PROBE, HO_PROOF_IDLE_OUTAGE };
    bool by_count = advice->user_timeout_ms == 0; /* data in flight ends by sysctls, if at all */
    bool sysctls = a->ask.no_options || (by_count && !a->ask.no_sysctls);
    struct ho_proof p = proof_of(a, sysctls ? HO_ADVICE_SYSCTLS : HO_ADVICE_OPTIONS);
    int code = HO_EXIT_OK;

    p.advice = advice;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && code == HO_EXIT_OK; k++) {
        bool promised = kinds[k] != HO_PROOF_DATA || sysctls || !by_count;

        if (promised && ho_proof_applies(&p, kinds[k])) {
            code = prove_kind(a, &p, kinds[k]);
            a->scenarios++;
        }
    }
    return code;
}

/* ---- files, and other engines ---------------------------------------------------------------- */

static bool on_kernel(const struct ho_advising *a)
{
    return strcmp(a->prove, "model") != 0;
}

/* DIR/options-idle-cut.scn */
static int save_one(const struct ho_advising *a, const struct ho_proof *p, enum ho_proof_kind kind,
                    const char *folder, char path[HO_OS_PATH])
{
    struct ho_proof_when when = { .hz = a->host.in.hz };
    struct ho_text text = { 0 };
    int n = snprintf(path, HO_OS_PATH, "%s/%s-%s.scn", folder, ho_proof_way(p->way),
                     ho_proof_name(kind));

    if (n < 0 || n >= HO_OS_PATH) {
        return ho_cli_say(HO_EXIT_USAGE, "advise --save-proof: the path is too long");
    }
    when.jiffies = ho_proof_phase(p, kind, when.hz, 0);
    ho_proof_write(p, kind, &when, &text);
    int code = ho_text_err(&text) != 0 ? ho_cli_no_memory()
                                       : ho_cli_save(path, ho_text_str(&text), text.len);

    ho_text_free(&text);
    return code;
}

struct files {
    char *path[SCENARIOS];
    size_t count;
    struct ho_dur longest, sum;
};

static int save(const struct ho_advising *a, const char *folder, struct files *f)
{
    char path[HO_OS_PATH];
    int code = HO_EXIT_OK;

    for (int way = 0; way < HO_ADVICE_WAYS; way++) {
        struct ho_proof p = proof_of(a, (enum ho_advice_way)way);

        for (int k = 0; k < HO_PROOF_COUNT && code == HO_EXIT_OK; k++) {
            enum ho_proof_kind kind = (enum ho_proof_kind)k;
            struct ho_dur lasts;

            if (!is_asked(a, p.way) || !ho_proof_applies(&p, kind)) {
                continue;
            }
            p.real = on_kernel(a);
            code = save_one(a, &p, kind, folder, path);
            if (code == HO_EXIT_OK && (f->path[f->count++] = strdup(path)) == NULL) {
                code = ho_cli_no_memory();
            }
            lasts = ho_proof_lasts(&p, kind);
            f->sum = ho_ns(f->sum.ns + lasts.ns);
            f->longest = lasts.ns > f->longest.ns ? lasts : f->longest;
        }
    }
    return code;
}

/* How long it will take, on stderr: real time passes on the kernel. */
static void say_how_long(const struct ho_advising *a, const struct files *f)
{
    struct ho_text t = { 0 };
    int64_t at_once = ho_machine_jobs();
    int64_t ns = f->sum.ns / at_once > f->longest.ns ? f->sum.ns / at_once : f->longest.ns;

    ho_text_printf(&t, "advise: %zu scenarios on the %s", f->count, a->prove);
    if (strcmp(a->prove, "kernel") == 0) {
        ho_text_put(&t, ", in real time: about ");
        ho_text_dur(&t, ho_ns((ns + HO_NS_PER_S - 1) / HO_NS_PER_S * HO_NS_PER_S));
    }
    ho_cli_say(HO_EXIT_OK, "%s", ho_text_str(&t));
    ho_text_free(&t);
}

/* `halfopen run --engine E FILE..`; a guest is this program with these very arguments. */
static int run(const struct ho_advising *a, struct files *f)
{
    static char program[] = "halfopen", command[] = "run", engine[] = "--engine";
    char *argv[SCENARIOS + 6] = { program, command, engine };
    char name[32];
    int argc = 3;

    snprintf(name, sizeof(name), "%s", a->prove);
    argv[argc++] = name;
    for (size_t i = 0; i < f->count; i++) {
        argv[argc++] = f->path[i];
    }
    say_how_long(a, f);
    ho_guest_arguments(argc, argv);
    return ho_command_run.run(argc - 1, argv + 1);
}

int ho_advising_play(struct ho_advising *a)
{
    struct ho_os_folder own = { .path = "" };
    struct files f = { .count = 0 };
    const char *folder = a->save;
    int code = HO_EXIT_OK;

    if (folder == NULL && !on_kernel(a)) {
        return HO_EXIT_OK;
    }
    if (folder == NULL) {
        const char *parent = getenv("TMPDIR");
        int err = ho_os_folder_new(&own, parent != NULL && parent[0] != '\0' ? parent : P_tmpdir,
                                   "halfopen-advise");

        if (err != 0) {
            return ho_cli_say(HO_EXIT_CANNOT, "advise: a folder for the scenarios: %s",
                              strerror(-err));
        }
        folder = own.path;
    }
    code = save(a, folder, &f);
    if (code == HO_EXIT_OK && on_kernel(a)) {
        code = run(a, &f);
    }
    for (size_t i = 0; i < f.count; i++) {
        free(f.path[i]);
    }
    ho_os_folder_remove(own.path[0] != '\0' ? &own : NULL);
    return code;
}
