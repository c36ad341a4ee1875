/* A guest: Linux with a virtual clock, run as a program, that does one piece of work.
 *
 * The kernel is User Mode Linux (kernel/store.h keeps those that were built). Its clock stands
 * still while anything computes, and jumps to the next timer when nothing does. Its pid 1 is this
 * very program, which sees the machine's own files, at their own paths, through an overlay: what it
 * writes goes to the guest's memory and is gone with it. docs/virtual-kernel.md tells how.
 *
 *     outside                            inside (pid 1, called as "guest")
 *     ho_guest_run()                     ho_guest_is()
 *                                        ho_guest_begin()      mounts; the job
 *                                        the work
 *                                        ho_guest_hand_back()  what came of it
 *                                        ho_guest_end()        power off
 *
 * Nothing random comes from outside but the seed: the same kernel, program, job and seed give the
 * same run, to the byte.
 */

#ifndef HO_KERNEL_GUEST_H
#define HO_KERNEL_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "base/time.h"

#define HO_GUEST_PARTS 4 /* texts that come back */
#define HO_GUEST_WHY 1024
#define HO_GUEST_PATIENCE_S 30 /* without any progress */

/* What is to be done. */
struct ho_guest_job {
    const char *kernel;  /* the kernel's file */
    const char *program; /* that is pid 1; NULL: this one */
    const char *parent;  /* where the private folder is made; NULL: where there is memory for it */
    uint64_t seed;       /* of everything that is random inside */
    bool spin;           /* computing takes time: for programs that wait by asking for the time */
    struct ho_dur patience; /* 0: HO_GUEST_PATIENCE_S */
    char *const *argv;      /* for the program inside, ended by NULL; argv[0] is its name */
    size_t item;            /* which piece of what `argv` says */
    bool colour;            /* texts are for a terminal with colours */
    const char *told;       /* what else the program inside is to know; NULL: nothing */
};

/* What came of it. */
struct ho_guest_result {
    int code; /* as it was handed back */
    struct ho_text part[HO_GUEST_PARTS];
    struct ho_text said; /* on stderr, inside */
};

/* Runs a guest to its end, in a private folder that is removed afterwards. To be called in a
 * process of its own, without threads: it takes SIGINT, SIGTERM, SIGHUP and SIGCHLD, and its
 * death ends the guest.
 *
 * Returns 0 with *ret, to be freed by ho_guest_result_free(). Otherwise `why` has the sentence and
 * *ret is untouched: -EINTR: ended by one of those signals, whose number is in *ret_signal;
 * -ETIMEDOUT: it made no progress; -EIO: it ended before its work was done (`why` has the last of
 * what its kernel said); -EACCES: no folder to run it in; -ENOENT, ...: the kernel could not be
 * started; -ENOMEM.
 */
int ho_guest_run(const struct ho_guest_job *job, struct ho_guest_result *ret, int *ret_signal,
                 char why[HO_GUEST_WHY]);

void ho_guest_result_free(struct ho_guest_result *r);

/* ---- inside ---------------------------------------------------------------------------------- */

/* A guest's pid 1, as it began. */
struct ho_guest_inside {
    char *text; /* the job's, owned */
    int argc;
    char **argv;
    size_t item;
    bool colour;
    const char *told;  /* "": nothing */
    unsigned uid, gid; /* of whoever plays, outside; inside pid 1 is root */
    int out;           /* the folder that the outside sees */
};

/* Is this process a guest's pid 1? `argv` is main()'s. */
bool ho_guest_is(int argc, char *const *argv);

/* Makes the machine's files the root, with /proc, /sys, /dev and /dev/shm of the guest; goes to the
 * directory that the job was given in, with its environment; stdout leads nowhere, stderr to the
 * result's `said`. A child of it shows that time passes.
 *
 * Returns 0 with *ret; a negative errno with `why`: what failed.
 */
int ho_guest_begin(struct ho_guest_inside *ret, char why[HO_GUEST_WHY]);

/* What ho_guest_run() is to return. Returns 0; a negative errno. */
int ho_guest_hand_back(const struct ho_guest_inside *g, int code,
                       const struct ho_text part[HO_GUEST_PARTS]);

/* Ends the guest. Never returns. */
_Noreturn void ho_guest_end(void);

#endif
