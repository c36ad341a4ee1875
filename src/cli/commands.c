/* The list of commands, and which one was meant. */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/cli.h"
#include "cli/guest.h"

static const struct ho_command *const commands[] = {
    &ho_command_run,       &ho_command_compare, &ho_command_lab,     &ho_command_status,
    &ho_command_exec,      &ho_command_cut,     &ho_command_plug,    &ho_command_unplug,
    &ho_command_power_off, &ho_command_boot,    &ho_command_step,    &ho_command_down,
    &ho_command_try,       &ho_command_kernel,  &ho_command_predict, &ho_command_explain,
    &ho_command_doctor,    &ho_command_policy,  &ho_command_watch,   &ho_command_advise,
    &ho_command_order,     &ho_command_help,
};

const struct ho_command *ho_command_at(size_t i)
{
    return i < sizeof(commands) / sizeof(commands[0]) ? commands[i] : NULL;
}

const struct ho_command *ho_command_find(const char *name)
{
    for (size_t i = 0; ho_command_at(i) != NULL; i++) {
        if (strcmp(ho_command_at(i)->name, name) == 0) {
            return ho_command_at(i);
        }
    }
    return NULL;
}

static int unknown(const char *name)
{
    const char *names[sizeof(commands) / sizeof(commands[0]) + 1] = { NULL };
    const char *near;

    for (size_t i = 0; ho_command_at(i) != NULL; i++) {
        names[i] = ho_command_at(i)->name;
    }
    near = ho_cli_nearest(name, names);
    return ho_cli_say(HO_EXIT_USAGE, "no command '%s'%s%s%s; try 'halfopen help'", name,
                      near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                      near != NULL ? "'?" : "");
}

static int dispatch(int argc, char **argv)
{
    const char *name = argv[1];
    const struct ho_command *c;

    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("halfopen %s\n", HALFOPEN_VERSION);
        return ho_cli_done();
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    }
    c = ho_command_find(name);
    return c != NULL ? c->run(argc - 1, argv + 1) : unknown(name);
}

/* Play after play needs the same memory; giving it back in between costs a tenth of the time. */
static void keep_memory(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

static int run(int argc, char **argv)
{
    return argc < 2 ? ho_cli_welcome() : dispatch(argc, argv);
}

int ho_cli(int argc, char **argv)
{
    keep_memory();
    /* A reader that goes away is an error of write(), which is told, not a silent death. */
    signal(SIGPIPE, SIG_IGN);
    if (ho_guest_is(argc, argv)) {
        ho_guest_main(run);
    }
    ho_guest_arguments(argc, argv);
    return run(argc, argv);
}
