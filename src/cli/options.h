/* The arguments of the commands that play scenarios: `halfopen run` and `halfopen compare`. */

#ifndef HO_CLI_OPTIONS_H
#define HO_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "scenario/scenario.h"

/* A sysctl for one host: --set HOST:NAME=VALUE. */
struct ho_host_set {
    const char *host, *name, *value; /* cut out of the argument */
};

/* How results are written. */
enum ho_format {
    HO_FORMAT_TEXT,
    HO_FORMAT_JSON,
    HO_FORMAT_TAP,  /* Test Anything Protocol, version 14 */
    HO_FORMAT_JUNIT /* JUnit's XML */
};

/* Engines, as a set; the names are ho_engine_names' in this order. */
#define HO_ENGINE_MODEL 1u
#define HO_ENGINE_KERNEL 2u
#define HO_ENGINE_VIRTUAL 4u
#define HO_ENGINES 3

extern const char *const ho_engine_names[HO_ENGINES];

/* Who reads the arguments: which options there are. */
#define HO_OPTIONS_RUN 1u
#define HO_OPTIONS_COMPARE 2u

struct ho_run_options {
    unsigned command; /* HO_OPTIONS_..: whose they are */
    bool list, ladder, raw, timing;
    enum ho_format format;
    bool kernel;                   /* --engine kernel, or: plan.engine has its name */
    bool virtual_kernel;           /* --engine virtual-kernel */
    bool spin;                     /* --spin: on it, computing takes time */
    const char *kernel_name;       /* --kernel: how its name begins; NULL: any */
    unsigned jobs;                 /* -j; 0: the default */
    struct ho_dur longest;         /* --longest: plays that last longer are left out; 0: none */
    const char *timeline, *pcapng; /* files to write, NULL: none */
    const char *which;             /* --case; NULL: every one */
    unsigned phases;               /* --phases; 0: the scenario's own */
    struct ho_plan_options plan;
    const char **set; /* plan.set, owned */
    struct ho_host_set *host_set;
    size_t host_set_count;
    char **names; /* of scenarios or files, from argv */
    size_t name_count;

    /* `compare` */
    unsigned engines; /* --engine: HO_ENGINE_.. that were named; 0: those that are here */
    bool by_interval, differences, has_tolerance;
    struct ho_dur tolerance;
    const char *align; /* NULL: at the first fault */
};

/* Reads the arguments behind the command's name into *ret; `argv` is cut into pieces. `command` is
 * one of HO_OPTIONS_*.
 *
 * Returns HO_EXIT_OK, with *ret to be freed; otherwise has said what was wrong, and there is
 * nothing to free.
 */
int ho_options_read(struct ho_run_options *ret, unsigned command, int argc, char **argv);

void ho_options_free(struct ho_run_options *o);

/* The same options for plays on one engine (HO_ENGINE_..). It owns nothing: not to be freed. */
struct ho_run_options ho_options_on(const struct ho_run_options *o, unsigned engine);

/* Whether --help or -h is among them, before a --. */
bool ho_options_wants_help(int argc, char **argv);

/* What `halfopen help run` says of the options. */
extern const char ho_options_usage[];

#endif
