/* `halfopen watch`: what its three forms (the table, JSON lines, metrics) share.
 *
 *     ho_watch_ask()     the arguments
 *     ho_watch_look()    scan, diagnosis, what changed since the look before
 *     ho_watch_screen(), ho_watch_jsonl(), ho_watch_serve()    one of the forms, to its end
 */

#ifndef HO_CLI_WATCH_H
#define HO_CLI_WATCH_H

#include "cli/doctor_in.h"
#include "cli/watch_table.h"
#include "cli/watch_track.h"
#include "os/why.h"

struct ho_watch_ask {
    struct ho_doctor_ask doctor;
    struct ho_dur interval;
    int64_t count; /* looks; 0: until it is ended */
    bool jsonl;
    bool changes;              /* jsonl: events only, no connections */
    const char *listen;        /* NULL: no */
    struct ho_watch_view view; /* sort, filter, trouble_only */
};

/* Reads the arguments behind the command's name; reorders `argv`. Returns HO_EXIT_OK; otherwise has
 * said what was wrong.
 */
int ho_watch_ask(struct ho_watch_ask *ret, int argc, char **argv);

struct ho_watch_look {
    struct ho_scan scan;
    struct ho_diagnosis d;
    bool any; /* there was one; scan and d are to be freed */
    struct ho_watch_track track;
    struct ho_time at; /* of the last one that worked */
    int64_t wall_ms;   /* the same by the time of day */
    struct ho_dur took;
    uint64_t looks, failed;
    char why[HO_OS_WHY]; /* of the last one, if it failed */
    bool failing;
};

/* Looks once. Returns 0; a negative errno of ho_scan() with `why` and all else as it was. */
int ho_watch_look(struct ho_watch_look *l, const struct ho_watch_ask *a);

void ho_watch_look_free(struct ho_watch_look *l);

/* Says why the look failed. Returns the exit code. */
int ho_watch_cannot(const struct ho_watch_look *l, const struct ho_watch_ask *a, int err);

/* The forms. Each returns the exit code. */
int ho_watch_screen(const struct ho_watch_ask *a);
int ho_watch_jsonl(const struct ho_watch_ask *a);
int ho_watch_serve(const struct ho_watch_ask *a);

/* The lines of `--jsonl` (docs/watch.md), each with its line break. */
void ho_watch_put_scan(struct ho_text *out, const struct ho_watch_look *l);
void ho_watch_put_failure(struct ho_text *out, const struct ho_watch_look *l, int64_t wall_ms);
void ho_watch_put_change(struct ho_text *out, const struct ho_watch_look *l,
                         const struct ho_watch_event *e);
void ho_watch_put_conn(struct ho_text *out, const struct ho_watch_look *l, uint32_t i);

/* The page of `--listen`: the diagnosis as the doctor has it, and how the watch itself goes. */
void ho_watch_put_metrics(struct ho_text *out, const struct ho_watch_look *l);

#endif
