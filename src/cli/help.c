/* `halfopen help [COMMAND]`. */

#include <stdio.h>

#include "cli/cli.h"

static int help_of(const char *name)
{
    const struct ho_command *c = ho_command_find(name);

    if (c == NULL) {
        return ho_cli_say(HO_EXIT_USAGE, "no command '%s'; 'halfopen help' lists them", name);
    }
    printf("%s\n\n%s", c->help, c->usage);
    return ho_cli_done();
}

static int help_run(int argc, char **argv)
{
    if (argc > 2) {
        return ho_cli_say(HO_EXIT_USAGE, "help: found '%s', expected at most one command", argv[2]);
    }
    if (argc == 2) {
        return help_of(argv[1]);
    }
    puts("halfopen: what happens to a TCP connection when the other end vanishes\n\n"
         "commands:");
    for (size_t i = 0; ho_command_at(i) != NULL; i++) {
        printf("  %-10s %s\n", ho_command_at(i)->name, ho_command_at(i)->help);
    }
    puts("\n'halfopen help COMMAND' says more. 'halfopen --version' prints the version.\n"
         "Exit codes: 0 as expected, 1 an expectation failed or a difference, 2 wrong arguments\n"
         "or a bad file, 3 not possible here.");
    return ho_cli_done();
}

const struct ho_command ho_command_help = {
    .name = "help",
    .help = "says what the commands do",
    .usage = "usage: halfopen help [COMMAND]\n",
    .run = help_run,
};
