/* Making a plan of a case. For src/scenario/ only.
 *
 *     plan.c         the order of it all, memory, and the walk in order of time: which processes
 *                    must be started, what a kill of a host hits, which cables a plug mends
 *     resolve.c      arguments: swept values, times and labels, units of settings, cables
 *     plan_world.c   hosts, cables, what holds from the start
 *     plan_step.c    steps
 *     plan_command.c real commands
 *     plan_expect.c  expectations
 */

#ifndef HO_SCENARIO_MAKE_H
#define HO_SCENARIO_MAKE_H

#include "base/rng.h"
#include "scenario/expect.h"
#include "scenario/match.h"

#define HO_PLAN_NODES_MAX 64
#define HO_PLAN_CABLES_MAX 128
#define HO_PLAN_PROCS_MAX 128
#define HO_PLAN_STEPS_MAX 65536
#define HO_PLAN_PORTS_MAX 4 /* interfaces of a host; switches have as many as there are cables */

/* A named moment. */
struct ho_label {
    const char *name;
    struct ho_time at;
    enum ho_form form; /* whose own name it is: "cut", "cut2", .. */
};

struct ho_memory {
    struct ho_memory *next;
    char text[];
};

struct ho_maker {
    const struct ho_scn *s;
    const struct ho_scn_case *c;
    struct ho_plan_options o;
    struct ho_scn_error *e;
    struct ho_plan *plan;
    size_t step_room, setup_room, expect_room, label_room;
    struct ho_label *labels;
    size_t label_count;
    struct ho_time last;   /* of the step line before */
    struct ho_time latest; /* the latest time that the file names */
    struct ho_dur rtt;
    bool neighbours_static;
    unsigned conn_count;
};

/* Does the line count in this case? */
bool ho_maker_counts(const struct ho_maker *m, const struct ho_scn_line *line);

/* Fills the error and returns -EINVAL; the column is the argument's (NULL: 1). */
int ho_maker_refuse(const struct ho_maker *m, const struct ho_scn_line *line,
                    const struct ho_scn_arg *a, const char *format, ...);

/* A string that lives as long as the plan, or NULL. */
const char *ho_maker_keep(struct ho_maker *m, const char *text);
/* The same for bytes of any value; a 0 is put behind them. */
char *ho_maker_keep_bytes(struct ho_maker *m, const char *bytes, size_t len);

/* Whether the host's kernel has the sysctl (knobs/profile.h). Returns 0; -EINVAL. */
int ho_maker_has_sysctl(const struct ho_maker *m, const struct ho_scn_line *line, uint16_t host,
                        const struct ho_plan_sysctl *sysctl);

/* Appends a step to steps or setup. Returns 0; -EINVAL if there are too many; -ENOMEM. */
int ho_maker_step(struct ho_maker *m, const struct ho_scn_line *line, const struct ho_step *step);
int ho_maker_setup(struct ho_maker *m, const struct ho_scn_line *line, const struct ho_step *step);

/* --- resolve.c: all return 0; -EINVAL with the error filled; where said -ENOMEM ----------------
 */

/* The value of the place `name`; `fallback` if it is not filled. */
int ho_resolve_number(struct ho_maker *m, const struct ho_scn_line *line, const char *name,
                      enum ho_type type, int64_t fallback, int64_t *ret);

/* The text of a value, a swept one replaced. */
const char *ho_resolve_text(const struct ho_maker *m, const struct ho_scn_arg *a);

/* The time at the place `name`, which must be filled. */
int ho_resolve_time(struct ho_maker *m, const struct ho_scn_line *line, const char *name,
                    struct ho_time *ret);
int ho_resolve_label(struct ho_maker *m, const struct ho_scn_line *line, const struct ho_scn_arg *a,
                     struct ho_time *ret);

/* The plan's node of that name; HO_PLAN_NONE. */
uint16_t ho_resolve_node(const struct ho_maker *m, const char *name);

/* The process of an actor; it is there, the reader has made sure. */
uint16_t ho_resolve_proc(const struct ho_maker *m, const struct ho_scn_arg *actor);

/* The cable between two nodes or of a name. `a`, `count`: the arguments; count 0: the only cable
 * of the plan. *ret_direction: `->` seen from the cable's ends.
 */
int ho_resolve_cable(struct ho_maker *m, const struct ho_scn_line *line, const struct ho_scn_arg *a,
                     uint32_t count, uint16_t *ret, enum ho_direction *ret_direction);

/* The only cable of a node. */
int ho_resolve_node_cable(struct ho_maker *m, const struct ho_scn_line *line,
                          const struct ho_scn_arg *a, uint16_t node, uint16_t *ret);

/* The arguments of the place `name`: the first, or NULL, and how many. */
const struct ho_scn_arg *ho_resolve_args(const struct ho_maker *m, const struct ho_scn_line *line,
                                         const char *name, uint32_t *ret_count);

/* The first address of the family in play of a host. */
int ho_resolve_host_addr(struct ho_maker *m, const struct ho_scn_line *line,
                         const struct ho_scn_arg *a, uint16_t node, struct ho_addr *ret);

/* `set`: the places name and value. Also -ENOMEM. */
int ho_resolve_sysctl(struct ho_maker *m, const struct ho_scn_line *line,
                      struct ho_plan_sysctl *ret);
int ho_resolve_sysctl_text(struct ho_maker *m, const struct ho_scn_line *line,
                           const struct ho_scn_arg *a, const char *name, const char *text,
                           struct ho_plan_sysctl *ret);

/* `option`, `setsockopt`, `getsockopt`: name, and value if the form has one. */
int ho_resolve_sockopt(struct ho_maker *m, const struct ho_scn_line *line,
                       struct ho_plan_call *ret);

/* --- plan_world.c, plan_step.c, plan_command.c, plan_expect.c
 * ---------------------------------------------------
 */

int ho_make_world(struct ho_maker *m);    /* nodes, cables, procs, setup */
int ho_make_at_start(struct ho_maker *m); /* steps at 0 of option, program and connection */
int ho_make_step(struct ho_maker *m, const struct ho_scn_line *line);
int ho_make_commands(struct ho_maker *m); /* setup: the commands that are ready at 0, at its end */
/* `run "..."`, `type`, `close input`: fills and appends the step. */
int ho_make_command_step(struct ho_maker *m, const struct ho_scn_line *line, struct ho_step *step);
int ho_make_expects(struct ho_maker *m);

#endif
