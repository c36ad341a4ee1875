#define _DEFAULT_SOURCE
/* The command line, inside and outside of a guest. See cli/guest.h. */

#include "cli/guest.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "kernel/store.h"
#include "knobs/profile.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static char **arguments;
static struct ho_guest_inside inside = { .out = -1 };

static void forget_arguments(void)
{
    for (size_t i = 0; arguments != NULL && arguments[i] != NULL; i++) {
        free(arguments[i]);
    }
    free(arguments);
    arguments = NULL;
}

void ho_guest_arguments(int argc, char *const *argv)
{
    char **copy = calloc((size_t)argc + 1, sizeof(*copy));

    for (int i = 0; copy != NULL && i < argc; i++) {
        copy[i] = strdup(argv[i]);
        if (copy[i] == NULL) {
            while (i > 0) {
                free(copy[--i]);
            }
            free(copy);
            copy = NULL;
        }
    }
    forget_arguments();
    arguments = copy;
}

const struct ho_guest_inside *ho_guest_inside(void)
{
    return inside.argc > 0 ? &inside : NULL;
}

struct ho_kernel_options ho_guest_kernel_options(void)
{
    struct ho_kernel_options o = { .virtual_clock = ho_guest_inside() != NULL };

    if (o.virtual_clock) {
        o.uid = inside.uid;
        o.gid = inside.gid;
    }
    return o;
}

/* ---- which kernel ---------------------------------------------------------------------------- */

/* How well it fits: what a file asks for in so many words weighs more than a default. */
static unsigned fits(const struct ho_store_kernel *k, const struct ho_plan *plan)
{
    static const char prefix[] = "linux-";
    unsigned points = 0;

    for (size_t i = 0; i < plan->node_count; i++) {
        const struct ho_plan_node *n = &plan->nodes[i];

        if (n->kind != HO_NODE_HOST) {
            continue;
        }
        const char *release = n->profile + sizeof(prefix) - 1;
        size_t len = strlen(release);

        points += k->hz == n->hz ? 1 : 0;
        points += strcmp(n->profile, ho_profile((enum ho_profile_id)0)->name) != 0 &&
                          strncmp(k->version, release, len) == 0 &&
                          (k->version[len] == '.' || k->version[len] == '\0')
                      ? 2
                      : 0;
    }
    return points;
}

int ho_guest_choose(struct ho_store_kernel *ret, const struct ho_plan *plan,
                    const struct ho_run_options *o)
{
    struct ho_store_kernel *all;
    int err = ho_store_find(ret, o->kernel_name, 0);
    int n = err == 0 && getenv("HALFOPEN_KERNEL") == NULL ? ho_store_list(&all) : 0;
    unsigned best = 0;

    for (int i = 0; i < n; i++) {
        unsigned points = fits(&all[i], plan);

        if (points > best && (o->kernel_name == NULL ||
                              strncmp(all[i].name, o->kernel_name, strlen(o->kernel_name)) == 0)) {
            best = points;
            *ret = all[i];
        }
    }
    if (n > 0) {
        free(all);
    }
    return err;
}

int ho_guest_missing(const struct ho_run_options *o, char why[HO_GUEST_MISSING])
{
    struct ho_store_kernel k;
    int err = ho_store_find(&k, o->kernel_name, 0);

    if (err == -ENOENT && o->kernel_name != NULL) {
        (void)snprintf(why, HO_GUEST_MISSING,
                       "no virtual kernel whose name begins with '%s' is built; 'halfopen kernel "
                       "list' shows those there are",
                       o->kernel_name);
    } else if (err == -ENOENT) {
        (void)snprintf(why, HO_GUEST_MISSING,
                       "no virtual kernel is built; build one with: halfopen kernel build");
    } else if (err == -EACCES) {
        (void)snprintf(why, HO_GUEST_MISSING, "HALFOPEN_KERNEL: '%s' is no kernel that can be run",
                       getenv("HALFOPEN_KERNEL"));
    } else if (err != 0) {
        (void)snprintf(why, HO_GUEST_MISSING, "the virtual kernels: %s", strerror(-err));
    } else if (SANITIZED && getenv("HALFOPEN_GUEST") == NULL) {
        (void)snprintf(why, HO_GUEST_MISSING,
                       "this program was built with AddressSanitizer and cannot be what a virtual "
                       "kernel runs; HALFOPEN_GUEST names one that was not");
        err = -ENOEXEC;
    }
    return err == 0 ? HO_EXIT_OK : HO_EXIT_CANNOT;
}

int ho_guest_possible(const struct ho_run_options *o)
{
    char why[HO_GUEST_MISSING];
    int code = ho_guest_missing(o, why);

    return code == HO_EXIT_OK ? code : ho_cli_say(code, "%s", why);
}

/* ---- outside --------------------------------------------------------------------------------- */

/* Our maker's death is to end the guest in order. */
static void outlive_nobody(void)
{
    pid_t maker = getppid();

    (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (getppid() != maker) {
        _exit(1);
    }
}

static int take_over(struct ho_guest_result *r, struct ho_text part[HO_ROOM_PARTS])
{
    int code = r->code;

    for (size_t i = 0; i < HO_ROOM_PARTS; i++) {
        part[i] = r->part[i];
        r->part[i] = (struct ho_text){ 0 };
    }
    fputs(ho_text_str(&r->said), stderr);
    ho_guest_result_free(r);
    return code;
}

int ho_guest_item(const struct ho_run_options *o, const struct ho_plan *plan, size_t i,
                  const char *told, struct ho_text part[HO_ROOM_PARTS])
{
    struct ho_store_kernel k;
    struct ho_guest_job job = { .program = getenv("HALFOPEN_GUEST"),
                                .seed = plan->seed,
                                .spin = o->spin,
                                .argv = arguments,
                                .item = i,
                                .told = told,
                                .colour = ho_cli_colour() };
    struct ho_guest_result result;
    char why[HO_GUEST_WHY];
    int signal = 0;

    if (arguments == NULL) {
        return ho_cli_no_memory();
    }
    if (ho_guest_choose(&k, plan, o) != 0) {
        return ho_guest_possible(o);
    }
    job.kernel = k.path;
    outlive_nobody();
    int err = ho_guest_run(&job, &result, &signal, why);

    if (err == -EINTR) {
        _exit(128 + signal);
    }
    if (err != 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "%s%s%s%s: %s", plan->name,
                          plan->case_name[0] != '\0' ? " (" : "", plan->case_name,
                          plan->case_name[0] != '\0' ? ")" : "", why);
    }
    return take_over(&result, part);
}

/* ---- inside ---------------------------------------------------------------------------------- */

_Noreturn void ho_guest_main(int (*run)(int argc, char **argv))
{
    char why[HO_GUEST_WHY];

    if (ho_guest_begin(&inside, why) != 0) {
        /* Nobody reads but the console yet. */
        ho_cli_say(HO_EXIT_CANNOT, "%s", why);
    } else {
        (void)run(inside.argc, inside.argv);
    }
    fflush(NULL);
    ho_guest_end();
}
