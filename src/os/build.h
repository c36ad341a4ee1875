/* A recipe that is run in a folder of its own and leaves nothing behind but what it was for.
 *
 * The folder is PARENT/building-XXXXXX (os/folder.h). The recipe, a shell script, runs with
 * all it starts in a process group of its own, which dies with its maker.
 *
 *     ho_os_build_start()   makes the folder, the recipe's files and the child
 *     ho_os_build_run()     until it has ended: its lines, one by one
 *     ho_os_build_end()     removes the folder
 */

#ifndef HO_OS_BUILD_H
#define HO_OS_BUILD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "os/folder.h"

#define HO_OS_BUILD_LAST 4096 /* bytes of output that are kept */

struct ho_os_build {
    struct ho_os_folder folder;
    int out; /* what the child writes */
    pid_t pid;
    bool held;                   /* the signals are blocked, and were not */
    sigset_t before;             /* the mask from then */
    char last[HO_OS_BUILD_LAST]; /* the last lines */
    size_t last_len;
};

/* From here to ho_os_build_end() SIGINT, SIGTERM and SIGHUP are blocked: run takes them. Runs `sh
 * FOLDER/recipe.sh ARGS.. FOLDER FOLDER/config` with an empty standard input; `args` ends with
 * NULL, 8 at most.
 *
 * Returns 0, with *b to be given to ho_os_build_end(); a negative errno, with nothing left.
 */
int ho_os_build_start(struct ho_os_build *b, const char *parent, const char *script,
                      size_t script_len, const char *config, size_t config_len,
                      const char *const *args);

/* Hands every line that the recipe writes, to stdout or stderr, to `line` (without its end), and
 * waits for its end. SIGINT, SIGTERM and SIGHUP end it.
 *
 * Returns 0 with *ret_status: its exit status, or 128 + the signal that ended it or us; a negative
 * errno.
 */
int ho_os_build_run(struct ho_os_build *b, void (*line)(void *self, const char *line), void *self,
                    int *ret_status);

/* The last lines that it wrote. */
const char *ho_os_build_last(const struct ho_os_build *b);
const char *ho_os_build_folder(const struct ho_os_build *b);

/* Kills what runs and removes the folder with everything in it, whatever signals come meanwhile. */
void ho_os_build_end(struct ho_os_build *b);

#endif
