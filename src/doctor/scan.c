/* A scan: the namespaces one after the other, and a walk over the processes. See doctor/scan.h. */

#include "doctor/scan.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/scan_work.h"
#include "os/netns.h"
#include "os/why.h"

int ho_scan_grow(void **list, size_t *room, size_t n, size_t size)
{
    if (n < *room) {
        return 0;
    }
    size_t more = *room != 0 ? 2 * *room : 64;
    void *p = more <= SIZE_MAX / size ? realloc(*list, more * size) : NULL;

    if (p == NULL) {
        return -ENOMEM;
    }
    *list = p;
    *room = more;
    return 0;
}

/* ---- the other namespaces -------------------------------------------------------------------- */

/* setns(2) asks for CAP_SYS_ADMIN, also to go where one is. */
static int may_enter(char *why)
{
    int here = -1, back = -1;
    int err = ho_os_netns_here(&here);

    if (err == 0) {
        err = ho_os_netns_enter(here, &back);
    }
    if (err == 0) {
        ho_os_netns_leave(back);
    }
    ho_os_netns_close(here);
    if (err != 0) {
        ho_os_why(why, "other network namespaces can be entered with CAP_SYS_ADMIN only (as root)");
    }
    return err;
}

/* One that is gone by now is no error, nor is one of another user's that cannot be entered. */
static int other_namespace(struct ho_scan_work *w, const struct ho_os_netns_seen *n)
{
    int fd = -1;
    int err = ho_os_netns_of(n->pid, &fd);

    if (err != 0 || ho_os_netns_id(fd) != n->id) {
        w->s.n_foreign_namespaces += err == -EACCES || err == -EPERM;
        err = 0;
    } else {
        struct ho_os_reach *ways = NULL;

        err = ho_scan_dump(w, fd, false, &ways);
        err = err == 0 ? ho_scan_ways(w, ways) : err;
        if (err == -EPERM || err == -EINVAL) {
            w->s.n_foreign_namespaces++;
            err = 0;
        }
    }
    ho_os_netns_close(fd);
    return err;
}

static int other_namespaces(struct ho_scan_work *w)
{
    struct ho_os_netns_seen *seen = NULL;
    size_t n = 0;
    int err = may_enter(w->why);

    if (err == 0) {
        err = ho_os_netns_all(&seen, &n);
        if (err != 0) {
            ho_os_why(w->why, "/proc cannot be read: %s", strerror(-err));
        }
    }
    for (size_t i = 0; i < n && err == 0; i++) {
        if (seen[i].id != w->s.hosts[0].netns) {
            err = other_namespace(w, &seen[i]);
        }
    }
    free(seen);
    return err;
}

/* That of the one process that is asked for; where it cannot be entered it is counted. */
static int its_namespace(struct ho_scan_work *w)
{
    struct ho_os_netns_seen its = { .pid = w->o->pid };
    int fd = -1;
    int err = ho_os_netns_of(its.pid, &fd);

    its.id = err == 0 ? ho_os_netns_id(fd) : 0;
    ho_os_netns_close(fd);
    if (err != 0 || its.id == w->s.hosts[0].netns) {
        return 0; /* a process that is gone is told by who looks for its sockets */
    }
    return other_namespace(w, &its);
}

/* ---- the scan -------------------------------------------------------------------------------- */

/* The walk over the processes goes on beside all the rest. Of one process alone it begins behind
 * the dumps: what is newer than it is not searched for again among everybody's connections.
 */
static int scan(struct ho_scan_work *w)
{
    struct ho_os_reach *ways = NULL;
    int err = w->o->pid == 0 ? ho_scan_owners_begin(w) : 0;

    err = err == 0 ? ho_scan_dump(w, -1, true, &ways) : err;
    err = err == 0 ? ho_scan_ways(w, ways) : err;
    if (err == 0 && w->o->all_namespaces) {
        err = other_namespaces(w);
    } else if (err == 0 && w->o->pid != 0) {
        err = its_namespace(w);
    }
    if (err == 0 && w->o->pid != 0) {
        err = ho_scan_owners_begin(w);
    }
    if (err == 0) {
        err = ho_scan_sort(w);
        if (err != 0) {
            ho_os_why(w->why, "no memory for %zu connections", w->s.n_conns);
        }
    }
    return err == 0 ? ho_scan_owners(w) : err;
}

int ho_scan(struct ho_scan *ret, const struct ho_scan_options *o, char *why)
{
    struct ho_scan_work w = { .o = o };

    w.why = why;
    int err = scan(&w);

    ho_os_owners_close(w.walk);
    if (err != 0) {
        ho_scan_free(&w.s);
        return err;
    }
    *ret = w.s;
    return 0;
}

void ho_scan_free(struct ho_scan *s)
{
    if (s != NULL) {
        free(s->hosts);
        free(s->owners);
        free(s->conns);
        *s = (struct ho_scan){ .n_conns = 0 };
    }
}
