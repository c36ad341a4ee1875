/* Real commands: any program of the machine as a process of the scenario.
 *
 * `process server.db runs "redis-server --port 6379"`, `at 5s client run "curl http://server/"`.
 *
 *     ho_services_new()       once a play, in the room (os/room.h), after the hosts exist
 *     ho_services_start()     a command into the network namespace of its host
 *     ho_services_ready()     before time 0: asked again and again until it says 1; between two
 *                             questions the caller lets the world run for some milliseconds
 *     ho_services_fd()        readable when there is something to read: then
 *     ho_services_read()      takes lines of output and ends of commands, and
 *     ho_services_next()      hands them out one by one, as does
 *     ho_services_record()    which makes timeline records of them
 *     ho_services_input(), _stop(), _cont(), _kill()     the verbs
 *     ho_services_free()      kills what is left
 *
 * Nothing here waits, with two exceptions that are short and bounded: start waits for the exec,
 * kill and free until the kernel has ended every process. One descriptor is all the engine's loop
 * has to know.
 *
 * A command runs in the network namespace of its host and in a pid and a mount namespace of its
 * own. Pid 1 there is a tiny process of ours (service_init.c) that starts the command, tells its
 * exit status and reaps whatever is orphaned; when it is killed, the kernel ends every process in
 * the namespace, daemons included, before the kill is done. The command has no capabilities and
 * cannot get any. It sees
 *   stdin                 a pipe that ho_services_input() writes to
 *   stdout, stderr        pipes whose lines become records
 *   cwd, HOME             a directory of its own in memory: gone with the room. Those of the other
 *                         commands lie beside it: ../server.db
 *   /etc/hosts            the hosts of the scenario by name
 *   /etc/passwd           with the user `guest` in it, who may be named with `as guest`
 *   environment           PATH as the caller has it, HOME, USER, LANG=C, PAGER=cat, TZ=UTC
 *   ports below 1024      are free for everybody (ip_unprivileged_port_start = 0)
 */

#ifndef HO_KERNEL_SERVICE_H
#define HO_KERNEL_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/time.h"
#include "scenario/plan.h"
#include "timeline/record.h"

#define HO_SERVICE_LINE 200    /* bytes of a line of output that are kept */
#define HO_SERVICE_EVENTS 4096 /* lines and ends that may wait for ho_services_next() */
#define HO_SERVICE_INPUT 65536 /* bytes that may wait for a command to read them */

struct ho_services;

/* Prepares private directories and files in the room's mount namespace. `plan` must outlive it.
 * Commands are `uid` and `gid`, and nobody else exists; uid 0: the caller, and whom they name.
 *
 * Returns 0 with *ret to be given to ho_services_free(); -ENOMEM or the errno of what failed, with
 * `ret_why` (`size` bytes, always terminated) saying what; *ret is then untouched.
 */
int ho_services_new(struct ho_services **ret, const struct ho_plan *plan, uid_t uid, gid_t gid,
                    char *ret_why, size_t size);

/* Kills every command that still runs, waits until all are gone, and frees. NULL is ignored. */
void ho_services_free(struct ho_services *s);

/* One line about the last error, never NULL. */
const char *ho_services_why(const struct ho_services *s);

/* Starts the command in process `proc` of the plan. `netns`: the network namespace of its host; it
 * stays the caller's.
 *
 * Returns 0 when the program has been exec'ed. -EINVAL: a command runs in this process already; the
 * command line cannot be cut into words; no such user. -ENOENT, -EACCES ..: the exec's errno
 * ("redis-server: not found in PATH"). Else what a system call said. `why` tells.
 */
int ho_services_start(struct ho_services *s, uint16_t proc, int netns,
                      const struct ho_plan_command *command);

/* Is it ready (plan.h, enum ho_ready)? 1; 0: not yet. -ETIMEDOUT: not within its time; -ECHILD: it
 * has ended before; `why` says so with the last lines of its output. HO_READY_LISTENS is answered
 * from the sockets of the namespace: ask every 10 to 50 ms.
 */
int ho_services_ready(struct ho_services *s, uint16_t proc);

/* A descriptor that is readable when ho_services_read() has something to do. Not the caller's. */
int ho_services_fd(const struct ho_services *s);

/* Reads what is there, without waiting; what is read becomes events. Returns 0; a negative errno.
 */
int ho_services_read(struct ho_services *s);

enum ho_service_event_kind {
    HO_SERVICE_OUTPUT, /* a line, without its end; what follows the last end of line counts, too */
    HO_SERVICE_EXIT    /* the command itself has ended; what it has started may still run */
};

/* `text`: OUTPUT: at most HO_SERVICE_LINE bytes, printable ASCII and UTF-8's bytes as they are,
 * \xNN for control characters and \\ for a backslash that would be taken for one of these; EXIT:
 * the signal that ended it ("SIGKILL"), or "".
 */
struct ho_service_event {
    enum ho_service_event_kind kind;
    uint16_t proc;
    int64_t at_ns; /* CLOCK_MONOTONIC when it was read */
    int status;    /* EXIT: of exit(), -1 after a signal */
    bool stderr_;  /* OUTPUT: on standard error */
    const char *text;
};

/* The oldest event, which is gone afterwards; its text is valid until the next call of this or of
 * ho_services_read(). False: there is none.
 */
bool ho_services_next(struct ho_services *s, struct ho_service_event *ret);

/* Fills the `app` record that an event becomes (docs/timeline.md), its time relative to
 * `zero_ns`. Texts are interned in `tl`. Returns 0; -ENOMEM.
 */
int ho_services_record(struct ho_record *ret, const struct ho_service_event *event,
                       const struct ho_plan *plan, struct ho_timeline *tl, int64_t zero_ns);

/* Lines that came when HO_SERVICE_EVENTS were waiting, and are lost. */
uint64_t ho_services_dropped(const struct ho_services *s);

/* Does a command run in this process, or anything it has started? */
bool ho_services_runs(const struct ho_services *s, uint16_t proc);

/* Appends to what the command reads. Returns 0; -EINVAL: nothing runs, or its input was ended;
 * -ENOSPC: more than HO_SERVICE_INPUT bytes are waiting. A command that has closed its input loses
 * the bytes, as with a pipe.
 */
int ho_services_input(struct ho_services *s, uint16_t proc, const struct ho_plan_input *input);

/* SIGSTOP and SIGCONT for the command and everything it has started. Returns 0; -ESRCH: nothing
 * runs there.
 */
int ho_services_stop(struct ho_services *s, uint16_t proc);
int ho_services_cont(struct ho_services *s, uint16_t proc);

/* SIGKILL for the command and everything it has started. When it returns, all of them are gone and
 * the kernel has closed their sockets. An EXIT event follows. Returns 0; -ESRCH: nothing runs.
 */
int ho_services_kill(struct ho_services *s, uint16_t proc);

/* Sends the SIGKILL without waiting, for who has a loop to run meanwhile: ho_services_read() sees
 * the end, ho_services_runs() says so. Returns 0; -ESRCH: nothing runs.
 */
int ho_services_kill_begin(struct ho_services *s, uint16_t proc);

/* As ho_services_kill(), for every command of a host whose power goes. Nothing running is no error.
 */
int ho_services_kill_host(struct ho_services *s, uint16_t host);

/* The process that has this socket; HO_PLAN_NONE: none of ours. `inode` as sock_diag gives it; 0
 * belongs to nobody. Looks through /proc of the room where it does not know yet.
 */
uint16_t ho_services_owner(struct ho_services *s, uint16_t host, uint32_t inode);

/* Options of a socket that are really in force, in Linux's units. */
struct ho_service_options {
    int keepalive;                    /* SO_KEEPALIVE: 0, 1 */
    int keepidle, keepintvl, keepcnt; /* seconds, seconds, probes */
    unsigned user_timeout;            /* TCP_USER_TIMEOUT: ms */
};

/* Reads the options of a socket of ours by a duplicate of its descriptor that lives only inside
 * this call. While it lives it would keep the socket of a dead process open; so a fault must
 * not happen meanwhile, and does not: whoever calls this does not kill at the same time.
 *
 * Returns 0; -ENOENT: no process of ours has the socket any more; else pidfd_getfd's errno.
 */
int ho_services_options(struct ho_services *s, uint16_t host, uint32_t inode,
                        struct ho_service_options *ret);

#endif
