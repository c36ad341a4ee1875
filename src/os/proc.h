/* Child processes in a room: in a host's namespace, as whom, with which descriptors.
 *
 * Two kinds. ho_os_spawn_call() forks a child that calls a function (an agent): it keeps the room's
 * capabilities unless told otherwise. ho_os_spawn_exec() runs a command: in a pid namespace of its
 * own below a small init of ours, with no capabilities at all. That init takes over every orphan of
 * the command, ends when the last process is gone, and takes all of them with it when it is killed,
 * also daemons that called setsid().
 *
 * A child's pidfd is readable when it has ended; nothing here uses SIGCHLD.
 */

#ifndef HO_OS_PROC_H
#define HO_OS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "os/room.h"
#include "os/why.h"

struct ho_os_spawn {
    int netns;      /* where it lives; -1: the caller's */
    const int *fds; /* its descriptors 0, 1, ...: the caller's numbers; -1: /dev/null */
    size_t n_fds;   /* all others are closed */
    bool drop;      /* no capabilities (of a command: always) */
    bool user;      /* become uid and gid below, without supplementary groups */
    uid_t uid;
    gid_t gid;
    const char *dir; /* working directory; NULL: the caller's */
};

struct ho_os_child {
    pid_t pid; /* in the caller's pid namespace; of a command: its init; 0: none */
    int pidfd;
    int control; /* of a command: readable when the command itself has ended; else -1 */
    bool ended;  /* the command itself, as ho_os_child_command_exit() has told */
    bool last;   /* then: no other process of it was left, and its init ends at once */
    struct ho_os_exit exit;
};

/* A child that calls main_of_it(arg) and leaves by _exit() with what it returns (exit handlers and
 * a leak checker are the parent's). Signal mask and dispositions are the defaults; it is killed
 * when its parent dies. It is dumpable, so that /proc/PID is its own.
 *
 * Returns 0 with *ret, to be given to ho_os_child_free(); -EAGAIN, -ENOMEM, -EMFILE; -EPERM.
 */
int ho_os_spawn_call(struct ho_os_child *ret, const struct ho_os_spawn *s,
                     int (*main_of_it)(void *arg), void *arg, char *why);

/* A child that runs a command: argv ended by NULL, argv[0] looked up in the PATH of `env` if it
 * has no `/`; env ended by NULL; NULL: the caller's. It is the leader of a session of its own, in
 * pid and mount namespaces of its own with its own /proc where the kernel allows it. When this
 * returns 0 the command has been exec'ed.
 *
 * Returns as above, and: -ENOENT (no such command, or no such directory), -EACCES, -ENOEXEC ...
 * with the sentence in `why`; -EINVAL for a uid that the room does not know (a user namespace has
 * one).
 */
int ho_os_spawn_exec(struct ho_os_child *ret, const struct ho_os_spawn *s, char *const *argv,
                     char *const *env, char *why);

/* SIGKILL ends the child and all below it at once. Any other signal goes to the child; of a
 * command: SIGSTOP and SIGCONT to all of its processes, the others to the command itself.
 *
 * Returns 0; -ESRCH when it has ended.
 */
int ho_os_child_signal(struct ho_os_child *c, int signal);

/* How the child ended, once (it is reaped). Of a command: how the command ended, told when no
 * process of it is left; if SIGKILL ended the init, that.
 *
 * Returns 0; -EAGAIN while it runs; -ESRCH when it was told before.
 */
int ho_os_child_exit(struct ho_os_child *c, struct ho_os_exit *ret);

/* Of a command: how the command itself ended, although processes that it started may live on.
 *
 * Returns 0 (as often as asked); -EAGAIN while it runs or when only the init was killed.
 */
int ho_os_child_command_exit(struct ho_os_child *c, struct ho_os_exit *ret);

/* Kills it if it lives, waits for its end, closes the descriptors. Takes NULL. */
void ho_os_child_free(struct ho_os_child *c);

#endif
