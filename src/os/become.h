/* What a child does before it is what it shall be: namespace, user, capabilities, descriptors. */

#ifndef HO_OS_BECOME_H
#define HO_OS_BECOME_H

#include "os/proc.h"

/* What a child says to its parent when something of this fails; EOF instead: all went well. */
struct ho_os_become_said {
    enum ho_os_become_step {
        HO_OS_BECOME_FORK,
        HO_OS_BECOME_NETNS,
        HO_OS_BECOME_FDS,
        HO_OS_BECOME_DIR,
        HO_OS_BECOME_USER,
        HO_OS_BECOME_CAPS,
        HO_OS_BECOME_EXEC
    } step;
    int err;
};

/* Becomes what `s` says. The pipe *report gets another number, right behind the descriptors of `s`;
 * all others are closed. Returns err 0, or what failed.
 */
struct ho_os_become_said ho_os_become(const struct ho_os_spawn *s, bool drop, int *report);

/* Gives up every capability, and every way to get one again. Returns 0; a negative errno. */
int ho_os_become_powerless(void);

/* Reads what the child said, from the pipe that only it holds. Returns 0; the negative errno,
 * with the sentence. `command`: what was to be run; NULL: it was a call.
 */
int ho_os_become_hear(int pipe, const struct ho_os_spawn *s, const char *command, char *why);

/* In the child: says it and ends. */
_Noreturn void ho_os_become_fail(int report, struct ho_os_become_said said);

#endif
