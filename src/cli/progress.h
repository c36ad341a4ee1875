/* How far work in real time is, on stderr: one line that is written over on a terminal, otherwise
 * one line for each piece that is done.
 */

#ifndef HO_CLI_PROGRESS_H
#define HO_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/time.h"

/* One piece of work. */
struct ho_progress_item {
    const char *name;
    struct ho_dur lasts;
    struct ho_time began, ended; /* of CLOCK_MONOTONIC */
    bool running, done;
};

struct ho_progress {
    struct ho_progress_item *item; /* the caller's */
    size_t count;
    unsigned at_once;
    bool terminal, shown; /* shown: the line stands there */
};

/* The line as it is now, on a terminal. At most once in 200 ms is enough. */
void ho_progress_show(struct ho_progress *p, struct ho_time now);

/* Takes the line away, before something else is written. */
void ho_progress_hide(struct ho_progress *p);

/* Item `i` is done. Without a terminal: says so. */
void ho_progress_done(struct ho_progress *p, size_t i);

/* Whether stderr is a terminal on which a line can be written over. */
bool ho_progress_terminal(void);

#endif
