/* Work that is done in rooms (os/room.h), several at once, and handed on in its order.
 *
 * Each piece of work is a function that fills texts and returns an exit code. It runs in a room of
 * its own: a child, forked without exec, that sees all the memory of the program as it was. Its
 * texts come back through a memory file (memfd_create(2)), as does what it said on stderr, which is
 * printed when its turn has come, so that two pieces never mix their lines.
 *
 * While work runs, stderr shows how far it is (cli/progress.h). SIGINT, SIGTERM and SIGHUP end
 * every room; what has come back until then was handed on. SIGKILL of the program ends them as
 * well: that is what a room is.
 */

#ifndef HO_CLI_ROOMS_H
#define HO_CLI_ROOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "base/time.h"

#define HO_ROOM_PARTS 4 /* texts that a piece of work can hand back */

struct ho_room_result {
    int code;   /* what the work returned; HO_EXIT_CANNOT if its room ended before it was done */
    bool whole; /* it came to its end: `part` is what it filled */
    struct ho_text part[HO_ROOM_PARTS];
    struct ho_text said; /* on stderr; printed already */
};

struct ho_rooms {
    void *self; /* the first argument of the functions */
    size_t count;
    unsigned at_once;
    bool plain; /* no rooms: children without namespaces of their own (os/room.h) */
    bool quiet; /* no progress is shown */
    /* For the progress: what it is, and how long it takes in real time. */
    const char *(*name)(const void *self, size_t i);
    struct ho_dur (*lasts)(const void *self, size_t i);
    /* In the room. Returns an exit code below 128. */
    int (*work)(void *self, size_t i, struct ho_text part[HO_ROOM_PARTS]);
    /* Outside, in the order of i, each once. Returns HO_EXIT_OK; otherwise no more is started, what
     * runs is ended, and that is what ho_rooms_run() returns.
     */
    int (*take)(void *self, size_t i, const struct ho_room_result *result);
};

/* Can rooms be made here? Returns HO_EXIT_OK; HO_EXIT_CANNOT with the sentence in `why`
 * (HO_OS_WHY bytes).
 */
int ho_rooms_possible(char *why);

/* Does all of it. Returns HO_EXIT_OK when all was done and handed on (with whatever codes); what
 * take() returned; HO_EXIT_CANNOT, having said why, where no room can be made; 128 + the number of
 * the signal that ended it (ho_rooms_end()).
 */
int ho_rooms_run(const struct ho_rooms *r);

/* For an exit code above 128 of ho_rooms_run(), after everything else was done: ends the program
 * by that signal, as its caller expects of a program that was interrupted. Other codes: returns.
 */
void ho_rooms_end(int code);

#endif
