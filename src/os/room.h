/* A room: a child in pid, mount and network namespaces of its own, gone with whoever made it.
 *
 * One clone() makes it; the child is pid 1 of the room, forked without exec, so that it has all
 * the memory of its maker. It calls `work` and exits with what that returns. When it ends - or is
 * killed, or its maker is killed, also by SIGKILL (PR_SET_PDEATHSIG) - the kernel ends every
 * process of the room, and with them every namespace and device. Nothing has a name outside and
 * there is nothing to clean up (pid_namespaces(7)).
 *
 * Without CAP_SYS_ADMIN the room has a user namespace as well, with the caller's uid and gid
 * mapped to themselves and nobody else's (user_namespaces(7)); the room's processes then hold all
 * capabilities inside and none outside.
 *
 * Inside: all mounts private, /proc the room's own (where the kernel allows to mount one), an
 * empty network namespace with `lo` up (the cable's), SIGINT, SIGTERM and SIGHUP end the room with
 * status 128 + signal unless `work` takes them (ho_os_signals_open()).
 *
 * The maker must have one thread: fork handlers are not called, and the room dies with the thread
 * that made it.
 */

#ifndef HO_OS_ROOM_H
#define HO_OS_ROOM_H

#include <stdbool.h>
#include <sys/types.h>

#include "os/why.h"

struct ho_os_room_options {
    bool user_namespace; /* take one even where it is not needed (tests) */
    bool plain;          /* no namespaces at all: a child that goes with its maker */
};

struct ho_os_room {
    pid_t pid; /* as its maker sees it; 0: none */
    int pidfd; /* readable when the room has ended */
    bool user_namespace;
    int signal; /* what ho_os_room_wait() was interrupted by; 0: nothing */
};

/* How a process ended. */
struct ho_os_exit {
    int status; /* its exit status, if signal is 0 */
    int signal; /* what killed it; 0: it exited */
};

/* Starts a room whose pid 1 calls work(arg) and exits with the low 8 bits of what it returns. When
 * this returns 0 the room stands: namespaces, mounts and `lo` are as said above, `work` runs.
 * `options` may be NULL.
 *
 * `work` runs in a copy of the caller's memory and shares its descriptors and file offsets. It may
 * return or _exit(); on return it is _exit() that is called (what stdio holds is flushed first only
 * if `work` does it), since exit handlers are the maker's.
 *
 * Returns 0 with *ret, to be given to ho_os_room_free(); -EPERM or -ENOSPC where namespaces are
 * forbidden or used up, -ENOSYS or -EINVAL where the kernel has none: with the sentence in `why`;
 * -ENOMEM, -EAGAIN, -EMFILE. On failure nothing is left behind and *ret is not touched.
 */
int ho_os_room_start(struct ho_os_room *ret, const struct ho_os_room_options *options,
                     int (*work)(void *arg), void *arg, char *why);

/* Waits until the room has ended. SIGINT, SIGTERM and SIGHUP that arrive meanwhile do not kill the
 * caller: those that a terminal sent have reached the room as well (it is in the same process
 * group), the others are passed on to it; the first is kept in r->signal for the caller to act on.
 * Before this call they do what they do: they kill the caller, and its room with it. A caller that
 * blocks the three before ho_os_room_start() loses none: this call takes those that wait.
 *
 * Returns 0; -ESRCH if it has been waited for before.
 */
int ho_os_room_wait(struct ho_os_room *r, struct ho_os_exit *ret);

/* The same without waiting (for whoever polls r->pidfd). Returns 0; -EAGAIN while it runs; -ESRCH.
 */
int ho_os_room_poll(struct ho_os_room *r, struct ho_os_exit *ret);

/* Sends a signal to pid 1 of the room; SIGKILL ends all of it. Returns 0; -ESRCH. */
int ho_os_room_signal(const struct ho_os_room *r, int signal);

/* Kills the room if it lives, waits for its end and closes r->pidfd. Takes NULL. */
void ho_os_room_free(struct ho_os_room *r);

/* --- inside ----------------------------------------------------------------------------------- */

/* In the room: is /proc the room's own? Without it /proc/PID is not the pid that getpid() says. */
bool ho_os_room_has_proc(void);

/* In the room: `text` becomes what every process of the room reads in /etc/hosts. May be called
 * again. It is a file of a tmpfs that has no name: it goes with the room.
 *
 * Returns 0; -ENOENT if the machine has no /etc/hosts to hide; -EPERM where mounting is not
 * allowed.
 */
int ho_os_room_hosts(const char *text);

/* The same for any file: -ENOENT if there is none to hide. */
int ho_os_room_file(const char *path, const char *text);

/* In the room: an empty file system in memory, writable for everybody, over the first directory of
 * `dirs` (ended by NULL) that exists: what lies there is hidden in the room. It goes with the room.
 *
 * Returns 0 with *ret_dir the one taken; -ENOENT: none exists; -EPERM as above.
 */
int ho_os_room_memory(const char *const *dirs, const char **ret_dir);

#endif
