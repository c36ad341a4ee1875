/* The arguments of `halfopen run`. */

#ifndef HO_CLI_OPTIONS_H
#define HO_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "scenario/scenario.h"

/* A sysctl for one host: --set HOST:NAME=VALUE. */
struct ho_host_set {
    const char *host, *name, *value; /* cut out of the argument */
};

struct ho_run_options {
    bool list, ladder, json, raw, timing;
    const char *timeline, *pcapng; /* files to write, NULL: none */
    const char *which;             /* --case; NULL: every one */
    unsigned phases;               /* --phases; 0: the scenario's own */
    struct ho_plan_options plan;
    const char **set; /* plan.set, owned */
    struct ho_host_set *host_set;
    size_t host_set_count;
    char **names; /* of scenarios or files, from argv */
    size_t name_count;
};

/* Reads the arguments behind the command's name into *ret; `argv` is cut into pieces.
 *
 * Returns HO_EXIT_OK, with *ret to be freed; otherwise has said what was wrong, and there is
 * nothing to free.
 */
int ho_options_read(struct ho_run_options *ret, int argc, char **argv);

void ho_options_free(struct ho_run_options *o);

/* What `halfopen help run` says of the options. */
extern const char ho_options_usage[];

#endif
