/* The walk over /proc of os/owner.c, process after process, socket after socket. */

#ifndef HO_OS_OWNER_WALK_H
#define HO_OS_OWNER_WALK_H

#include <dirent.h>
#include <stdbool.h>

#include "os/procfs.h"
#include "os/sockfd.h"

struct ho_os_owner_walk {
    DIR *proc;    /* NULL: one process alone */
    int alone;    /* still to come */
    int process;  /* /proc/PID: of this very process, though its number be used again; -1 */
    DIR *fds;     /* its fd */
    int next;     /* the number to look at next, while there are `expected` ones */
    int expected; /* descriptors that must still come; 0: not known */
    int gaps;     /* numbers that may still be without one */
    bool refused; /* its descriptors are listed, but not what they are */
};

/* Returns 0, to be closed also if not; as ho_os_owners_open(). */
int ho_os_owner_walk_open(struct ho_os_owner_walk *w, int pid);
void ho_os_owner_walk_close(struct ho_os_owner_walk *w);

/* The next process's number; 0 behind the last one. */
int ho_os_owner_walk_pid(struct ho_os_owner_walk *w);

/* Returns 0; -ESRCH: it has gone; another negative errno: it may not be looked at. */
int ho_os_owner_walk_enter(struct ho_os_owner_walk *w, int pid);
void ho_os_owner_walk_leave(struct ho_os_owner_walk *w);

/* Of the process that was entered: its next socket; its names. */
bool ho_os_owner_walk_socket(struct ho_os_owner_walk *w, struct ho_os_sockfd *ret);
void ho_os_owner_walk_name(const struct ho_os_owner_walk *w, char ret_comm[HO_OS_COMM],
                           char ret_container[HO_OS_CONTAINER]);

#endif
