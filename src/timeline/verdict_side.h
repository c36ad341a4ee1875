/* What the verdict's walk knows of one side. Internal to verdict*.c. */

#ifndef HO_TIMELINE_VERDICT_SIDE_H
#define HO_TIMELINE_VERDICT_SIDE_H

#include "timeline/verdict.h"

struct verdict_side {
    struct ho_verdict v;
    struct ho_rec_sock last; /* the last record in which it lived */
    struct ho_time last_at;
    bool lived, finding;
    bool dead;             /* by v.state */
    bool local;            /* both ends are on its host: no cable lies between */
    size_t other;          /* the side at the other host: its number + 1, 0: none */
    size_t older;          /* one of another process at the same host, likewise */
    const char *detail;    /* of the finding */
    const char *first_err; /* the first error that a call returned, or NULL */
    struct ho_time fin_in, closed, killed, power_off; /* the first ones, or HO_NEVER */
    struct ho_time rst_in;                            /* the last one while it lived, or HO_NEVER */
    struct ho_time rst_out;                           /* the last one it sent; -1: none */
    struct ho_time heard; /* the last segment that arrived while it lived; -1: none */
};

/* The way between the hosts, by the last fault that broke or mended it. */
struct verdict_path {
    bool broken;
    struct ho_time at;
};

/* "gone", or CLOSED. */
bool verdict_is_dead(const char *state);

/* Why a side ended, or why it did not. `other` is the side at the other host, or NULL. */
enum ho_cause verdict_cause(const struct verdict_side *s, const struct verdict_side *other,
                            const struct verdict_path *path, bool user_timeout);

/* Writes v.knob for v.cause from the settings that were in force. */
void verdict_knob(struct verdict_side *s, const struct ho_timeline *tl);

#endif
