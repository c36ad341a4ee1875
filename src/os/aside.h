/* Letting somebody else wait for the kernel. */

#ifndef HO_OS_ASIDE_H
#define HO_OS_ASIDE_H

#include <sys/types.h>

/* To close a device takes the kernel some 20 ms (it waits for all processors to have forgotten
 * it), for whoever closes the last descriptor. A child made here has all descriptors of the caller
 * until ho_os_aside_done(); so the caller's closing returns at once, and the child's end does the
 * waiting.
 *
 *     struct ho_os_aside a;
 *     ho_os_aside(&a, slow, arg);     the child waits for done, calls slow(arg), and ends
 *     ..                              the caller closes its own descriptors
 *     ho_os_aside_done(&a);
 *     ho_os_aside_reap(&a);           later: waits until the child has ended
 *
 * Without memory for a child nothing is lost but time: the caller's closing waits then.
 */
struct ho_os_aside {
    pid_t pid; /* 0: none */
    int fd;
};

/* `slow` may be NULL. Zero-initialise *a once; a child of before is waited for first. */
void ho_os_aside(struct ho_os_aside *a, void (*slow)(void *arg), void *arg);
void ho_os_aside_done(struct ho_os_aside *a);
void ho_os_aside_reap(struct ho_os_aside *a);

#endif
