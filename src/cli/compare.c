/* `halfopen compare`: two timelines, or two engines.
 *
 * compare_files.c and compare_engines.c do the one and the other; which is meant, the arguments
 * say.
 */

#include "cli/compare.h"

#include <stdio.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/cli.h"

static const char usage[] =
    "usage: halfopen compare [OPTION..] A.jsonl B.jsonl\n"
    "       halfopen compare [OPTION..] NAME or FILE.scn..\n"
    "\n"
    "Puts timelines side by side: segments, ARP and neighbour discovery, ICMP, calls and states\n"
    "of sockets, with their times since the fault. The timelines are two files, as `halfopen run\n"
    "--timeline` writes them; or each scenario is played on every engine that is here: on this\n"
    "machine's kernel, in real time; on a virtual kernel with that kernel's jiffy and sysctls; "
    "and\n"
    "on the model, with the settings and the clock of the kernel that it stands beside.\n"
    "Exit code 0: alike; 1: a difference, in what happened or by more than the tolerance in when;\n"
    "2: wrong arguments, or a file that is no timeline; 3: an engine that was named, or every one\n"
    "to compare with, does not run here.\n"
    "\n"
    "  --tolerance DURATION  how far apart two times may be, such as 20ms. Without it: of files "
    "not\n"
    "                        at all; of engines 20 ms and two ticks from event to event, and one\n"
    "                        step of the timer wheel, which is marked with ~ and counted\n"
    "  --by-interval         compares each time with the event before it on the same host, so\n"
    "                        that one late timer is one difference\n"
    "  --align LABEL         times count from the fault of that label; without it: the first one\n"
    "  --differences         only the lines that differ\n"
    "  --format json         one JSON document in place of the table\n"
    "\n"
    "Of scenarios:\n"
    "  --engine LIST         which engines, such as kernel,virtual-kernel,model; one alone is put\n"
    "                        beside the model. Without it: those that are here, and stderr says\n"
    "                        what another one needs\n"
    "As in `halfopen help run`:\n"
    "  --case CASE           one case of a scenario\n"
    "  --longest DURATION    leaves out what lasts longer\n"
    "  --seed N, --set NAME=VALUE, --rtt DURATION, -j N, --kernel NAME, --spin\n";

/* A name of the catalogue, or a file of the language. */
static bool is_scenario(const char *name)
{
    size_t len = strlen(name);

    return (len > 4 && strcmp(name + len - 4, ".scn") == 0) ||
           (strchr(name, '/') == NULL && strchr(name, '.') == NULL &&
            ho_catalogue_find(name) != NULL);
}

static size_t count_scenarios(const struct ho_run_options *o)
{
    size_t n = 0;

    for (size_t i = 0; i < o->name_count; i++) {
        n += is_scenario(o->names[i]);
    }
    return n;
}

static int compare(const struct ho_run_options *o)
{
    size_t scenarios = count_scenarios(o);

    if (scenarios > 0 && scenarios == o->name_count) {
        return ho_compare_engines(o);
    }
    if (scenarios > 0) {
        return ho_cli_say(HO_EXIT_USAGE, "compare: found scenarios and others, expected either "
                                         "scenarios or two timelines");
    }
    if (o->name_count < 2) {
        return ho_cli_say(HO_EXIT_USAGE, "compare: expected two timelines or a scenario, found %s",
                          o->name_count == 0 ? "none" : "one timeline");
    }
    if (o->name_count > 2) {
        return ho_cli_say(HO_EXIT_USAGE, "compare: found '%s', expected two timelines",
                          o->names[2]);
    }
    return ho_compare_files(o);
}

static int compare_run(int argc, char **argv)
{
    struct ho_run_options o;
    int code;

    if (ho_options_wants_help(argc, argv)) {
        fputs(usage, stdout);
        return ho_cli_done();
    }
    code = ho_options_read(&o, HO_OPTIONS_COMPARE, argc, argv);
    if (code != HO_EXIT_OK) {
        return code;
    }
    code = compare(&o);
    ho_options_free(&o);
    return code;
}

const struct ho_command ho_command_compare = {
    .name = "compare",
    .help = "two timelines, or the model and the kernels, side by side",
    .usage = usage,
    .run = compare_run,
};
