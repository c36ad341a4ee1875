/* Waiting: descriptors, one deadline and signals (epoll, timerfd, signalfd).
 *
 * The loop calls nobody: ho_os_loop_wait() hands out what happened. It sleeps until there is
 * something; it never looks at the clock twice.
 *
 *     ho_os_loop_add(l, fd, HO_OS_IN, tag);
 *     n = ho_os_loop_wait(l, events, 16, deadline);
 *
 * A program with a loop of its own polls ho_os_loop_fd() for reading, after it has given the
 * deadline to ho_os_loop_deadline().
 */

#ifndef HO_OS_LOOP_H
#define HO_OS_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

struct ho_os_loop;

/* What to wait for, and what was found: EPOLL's bits. Errors and hang-ups are always reported. */
#define HO_OS_IN 0x001u
#define HO_OS_OUT 0x004u
#define HO_OS_ERR 0x008u
#define HO_OS_HUP 0x010u
#define HO_OS_RDHUP 0x2000u

struct ho_os_event {
    uint64_t tag;  /* the one given with the descriptor */
    uint32_t what; /* HO_OS_... */
};

/* Returns 0 with *ret to be freed; -EMFILE, -ENFILE, -ENOMEM. */
int ho_os_loop_new(struct ho_os_loop **ret);

/* Closes what the loop opened, not the descriptors that were added. */
void ho_os_loop_free(struct ho_os_loop *l);

/* Level-triggered. `tag` is the caller's; UINT64_MAX is the loop's own. `what` may be 0: errors
 * and hang-ups only. Returns 0; -EEXIST; -EPERM for a descriptor that cannot be waited for (a
 * regular file); -ENOMEM.
 */
int ho_os_loop_add(struct ho_os_loop *l, int fd, uint32_t what, uint64_t tag);

/* Returns 0; -ENOENT. */
int ho_os_loop_change(struct ho_os_loop *l, int fd, uint32_t what, uint64_t tag);

/* To be called before `fd` is closed: a duplicate elsewhere would keep it in the set.
 * Events of it that ho_os_loop_wait() has already handed out stay with the caller.
 * Returns 0; -ENOENT.
 */
int ho_os_loop_remove(struct ho_os_loop *l, int fd);

/* Waits until something happens, the deadline is reached (HO_NEVER: there is none) or a signal
 * with a handler arrives. A deadline in the past asks without waiting.
 *
 * Returns how many events are in `ret` (at most `max`, 1..64); 0 at the deadline; -EINTR.
 */
int ho_os_loop_wait(struct ho_os_loop *l, struct ho_os_event *ret, size_t max,
                    struct ho_time deadline);

/* A descriptor that is readable when ho_os_loop_wait() would return at once. The loop's own. */
int ho_os_loop_fd(const struct ho_os_loop *l);

/* The deadline at which ho_os_loop_fd() becomes readable; HO_NEVER: none. ho_os_loop_wait() sets
 * its own.
 */
void ho_os_loop_deadline(struct ho_os_loop *l, struct ho_time deadline);

/* How often ho_os_loop_wait() had to sleep and was woken: what an idle scenario costs. */
uint64_t ho_os_loop_wakes(const struct ho_os_loop *l);

/* Signals as a descriptor: blocks those of `signals` (ended by 0) in this thread and returns one
 * that is readable when one arrived. A child made later inherits the mask; ho_os_spawn_*() clear
 * it.
 *
 * Returns 0 with *ret_fd, close-on-exec and non-blocking; -EMFILE, -ENFILE, -ENOMEM.
 */
int ho_os_signals_open(int *ret_fd, const int *signals);

/* The next signal: its number (> 0); 0 when there is none left. */
int ho_os_signals_read(int fd);

#endif
