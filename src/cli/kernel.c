#define _DEFAULT_SOURCE
/* `halfopen kernel build | list | remove`: the kernels with a virtual clock.
 *
 * Building is a shell script that is part of the program (tools/virtual-kernel/build.sh); this file
 * runs it in a folder of its own in the cache, tells how far it is, and takes the result into the
 * store (kernel/store.h). The script and all it starts end with this process.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/virtual_kernel.h"
#include "kernel/store.h"
#include "os/build.h"

#define VERSION_DEFAULT "6.12"
#define HZ_DEFAULT "250"
#define FILES_ABOUT 850 /* that make compiles, 6.12 with our configuration */

struct build {
    const char *version, *hz;
    struct ho_os_build job;
    char hash[17];
    char built_version[48]; /* told by the script: "6.12.117" */
    char missing[512];      /* "flex bison: as root, run .." */
    unsigned files;         /* compiled so far */
    time_t compiling;       /* since when */
    bool terminal;          /* stderr is one */
};

static const struct ho_embedded *recipe(const char *name)
{
    const struct ho_embedded *e = ho_virtual_kernel;

    while (strcmp(e->name, name) != 0) {
        e++;
    }
    return e;
}

static void recipe_hash(char ret[17])
{
    const struct ho_embedded *script = recipe("build"), *config = recipe("config");

    ho_store_hash(ret, config->text, config->len, script->text, script->len);
}

/* ---- progress -------------------------------------------------------------------------------- */

/* A line of its own, or the same line again on a terminal. */
static void tell(const struct build *b, const char *format, ...)
{
    va_list args;

    fputs(b->terminal ? "\r\033[K" : "", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs(b->terminal ? "" : "\n", stderr);
    fflush(stderr);
}

static void tell_compiling(const struct build *b)
{
    long spent = (long)(time(NULL) - b->compiling);
    unsigned left = FILES_ABOUT > b->files ? FILES_ABOUT - b->files : 0;

    if (b->files < 20) {
        tell(b, "compiling: %u of about %d files", b->files, FILES_ABOUT);
    } else {
        tell(b, "compiling: %u of about %d files, about %ld s left", b->files, FILES_ABOUT,
             spent * (long)left / (long)b->files);
    }
}

/* A line that the script or make wrote. */
static void take_line(void *self, const char *line)
{
    struct build *b = self;

    if (strncmp(line, "@version ", 9) == 0) {
        snprintf(b->built_version, sizeof(b->built_version), "%s", line + 9);
    } else if (strncmp(line, "@missing ", 9) == 0) {
        snprintf(b->missing, sizeof(b->missing), "%s", line + 9);
    } else if (line[0] == '@') {
        b->compiling = time(NULL);
        tell(b, "%s", line + 1);
    } else if (strncmp(line, "  CC ", 5) == 0 || strncmp(line, "  AS ", 5) == 0) {
        b->files++;
        if (b->files % (b->terminal ? 10 : 200) == 0) {
            tell_compiling(b);
        }
    }
}

/* ---- building -------------------------------------------------------------------------------- */

static int build_failed(struct build *b, int status)
{
    fputs(b->terminal ? "\r\033[K" : "", stderr);
    if (status == 3 || b->missing[0] != '\0') {
        return ho_cli_say(HO_EXIT_CANNOT, "kernel build: missing %s", b->missing);
    }
    if (status > 128) {
        return status;
    }
    fputs(ho_os_build_last(&b->job), stderr);
    return ho_cli_say(HO_EXIT_CANNOT, "kernel build: failed (status %d); its last lines are above",
                      status);
}

static int build_done(struct build *b)
{
    struct ho_store_kernel k;
    char built[HO_STORE_PATH];
    int n = snprintf(built, sizeof(built), "%s/linux", ho_os_build_folder(&b->job));
    int err = n > 0 && n < (int)sizeof(built) ? 0 : -ENAMETOOLONG;

    err = err != 0 ? err
                   : ho_store_add(&k, built, b->built_version, (uint32_t)strtoul(b->hz, NULL, 10),
                                  b->hash);
    fputs(b->terminal ? "\r\033[K" : "", stderr);
    if (err != 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "kernel build: cannot keep the kernel: %s",
                          strerror(-err));
    }
    printf("built %s: Linux %s, HZ %" PRIu32 ", %.1f MB\n", k.name, k.version, k.hz,
           (double)k.bytes / 1e6);
    return ho_cli_done();
}

static int run_build(struct build *b)
{
    const struct ho_embedded *script = recipe("build"), *config = recipe("config");
    const char *const args[] = { b->version, b->hz, NULL };
    char folder[HO_STORE_PATH];
    int status = 0;
    int err = ho_store_folder(folder);

    err = err != 0 ? err : ho_store_mkdir(folder);
    err = err != 0 ? err
                   : ho_os_build_start(&b->job, folder, script->text, script->len, config->text,
                                       config->len, args);
    if (err != 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "kernel build: %s: %s", folder, strerror(-err));
    }
    recipe_hash(b->hash);
    err = ho_os_build_run(&b->job, take_line, b, &status);
    int code = err != 0      ? ho_cli_say(HO_EXIT_CANNOT, "kernel build: %s", strerror(-err))
               : status == 0 ? build_done(b)
                             : build_failed(b, status);

    if (code > 128 || b->files > 0) { /* it may take a minute */
        tell(b, code > 128 ? "interrupted; removing its files" : "removing the sources");
    }
    ho_os_build_end(&b->job);
    fputs(b->terminal ? "\r\033[K" : "", stderr);
    return code > 128 ? ho_cli_say(code, "kernel build: interrupted; nothing of it is left") : code;
}

static int build(int argc, char **argv)
{
    struct build b = { .version = VERSION_DEFAULT, .hz = HZ_DEFAULT };

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--version") == 0 && i + 1 < argc) {
            b.version = argv[++i];
        } else if (strcmp(argv[i], "--hz") == 0 && i + 1 < argc) {
            b.hz = argv[++i];
        } else {
            return ho_cli_say(HO_EXIT_USAGE,
                              "kernel build: found '%s', expected --version VERSION or --hz HZ",
                              argv[i]);
        }
    }
    if (strspn(b.version, "0123456789.") != strlen(b.version) || b.version[0] == '\0') {
        return ho_cli_say(HO_EXIT_USAGE, "--version: found '%s', expected one such as 6.12",
                          b.version);
    }
    if (strcmp(b.hz, "100") != 0 && strcmp(b.hz, "250") != 0 && strcmp(b.hz, "300") != 0 &&
        strcmp(b.hz, "1000") != 0) {
        return ho_cli_say(HO_EXIT_USAGE, "--hz: found '%s', expected 100, 250, 300 or 1000", b.hz);
    }
    b.terminal = isatty(STDERR_FILENO) == 1;
    return run_build(&b);
}

/* ---- list, remove ---------------------------------------------------------------------------- */

static int list(int argc, char **argv)
{
    struct ho_store_kernel *all;
    char hash[17];
    int n;

    if (argc > 1) {
        return ho_cli_say(HO_EXIT_USAGE, "kernel list: found '%s', expected nothing more", argv[1]);
    }
    n = ho_store_list(&all);
    if (n < 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "kernel list: %s", strerror(-n));
    }
    if (n == 0) {
        puts("no virtual kernel is built; build one with: halfopen kernel build");
    }
    recipe_hash(hash);
    for (int i = 0; i < n; i++) {
        printf("%-34s  Linux %-9s  HZ %-4" PRIu32 "  %5.1f MB  %s%s\n", all[i].name, all[i].version,
               all[i].hz, (double)all[i].bytes / 1e6, all[i].path,
               strcmp(hash, all[i].hash) == 0 ? "" : "  (built by another version)");
    }
    free(all);
    return ho_cli_done();
}

static int remove_named(const struct ho_store_kernel *all, int n, const char *name)
{
    int found = -1;

    for (int i = 0; i < n; i++) {
        if (strcmp(all[i].name, name) == 0) {
            found = i;
            break;
        }
        if (strncmp(all[i].name, name, strlen(name)) == 0) {
            if (found >= 0) {
                return ho_cli_say(HO_EXIT_USAGE, "kernel remove: '%s' could be %s or %s", name,
                                  all[found].name, all[i].name);
            }
            found = i;
        }
    }
    if (found < 0) {
        return ho_cli_say(HO_EXIT_USAGE,
                          "kernel remove: there is no '%s'; 'halfopen kernel list' shows them",
                          name);
    }
    int err = ho_store_remove(&all[found]);

    return err == 0 ? HO_EXIT_OK
                    : ho_cli_say(HO_EXIT_CANNOT, "kernel remove: %s: %s", all[found].path,
                                 strerror(-err));
}

static int remove_kernel(int argc, char **argv)
{
    struct ho_store_kernel *all;

    if (argc != 2 || argv[1][0] == '\0') {
        return ho_cli_say(HO_EXIT_USAGE, "kernel remove: expected the name of one kernel");
    }
    int n = ho_store_list(&all);
    int code = n < 0 ? ho_cli_say(HO_EXIT_CANNOT, "kernel remove: %s", strerror(-n))
                     : remove_named(all, n, argv[1]);

    free(all);
    return code;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int kernel_run(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "build") == 0) {
        return build(argc - 1, argv + 1);
    }
    if (strcmp(what, "list") == 0) {
        return list(argc - 1, argv + 1);
    }
    if (strcmp(what, "remove") == 0) {
        return remove_kernel(argc - 1, argv + 1);
    }
    if (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0) {
        printf("%s", ho_command_kernel.usage);
        return ho_cli_done();
    }
    return ho_cli_say(HO_EXIT_USAGE, "kernel: found '%s', expected build, list or remove", what);
}

const struct ho_command ho_command_kernel = {
    .name = "kernel",
    .help = "builds Linux kernels with a virtual clock, and keeps them",
    .usage =
        "usage: halfopen kernel build [--version VERSION] [--hz HZ]\n"
        "       halfopen kernel list\n"
        "       halfopen kernel remove NAME\n"
        "\n"
        "A virtual kernel is the real Linux as a program (User Mode Linux) whose clock jumps to\n"
        "the next timer: 'halfopen run --engine virtual-kernel' plays two hours in a second.\n"
        "\n"
        "build compiles one from Debian's package linux-source-VERSION (default: 6.12) with HZ\n"
        "ticks a second (100, 250, 300 or 1000; default: 250). It takes 8 to 12 minutes of CPU\n"
        "time and 700 MB of disk while it builds; the result, 8 MB, is kept in ~/.cache/halfopen.\n"
        "No root is needed but for packages that are missing. HALFOPEN_KERNEL names another\n"
        "kernel by its path.\n",
    .run = kernel_run,
};
