/* Who holds each connection, and its options: one walk over the descriptors of all processes. See
 * doctor/scan_work.h.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/scan_work.h"
#include "os/owner.h"
#include "os/why.h"

/* Inode to connection: open addressing, at most half full. */
struct inodes {
    uint32_t *slot; /* index + 1; 0: free */
    size_t slots;   /* a power of two */
};

static size_t place(const struct inodes *t, uint64_t inode)
{
    return (size_t)(inode * 0x9e3779b97f4a7c15ULL >> 20) & (t->slots - 1);
}

static int list_inodes(struct inodes *t, const struct ho_scan *s)
{
    t->slots = 64;
    while (t->slots < 2 * s->n_conns) {
        t->slots *= 2;
    }
    t->slot = calloc(t->slots, sizeof(*t->slot));
    if (t->slot == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < s->n_conns; i++) {
        if (s->conns[i].inode != 0) {
            size_t at = place(t, s->conns[i].inode);

            while (t->slot[at] != 0) {
                at = (at + 1) & (t->slots - 1);
            }
            t->slot[at] = (uint32_t)i + 1;
        }
    }
    return 0;
}

static struct ho_conn *find(const struct inodes *t, const struct ho_scan *s, uint64_t inode)
{
    size_t at = place(t, inode);

    while (t->slot[at] != 0) {
        struct ho_conn *c = &s->conns[t->slot[at] - 1];

        if (c->inode == inode) {
            return c;
        }
        at = (at + 1) & (t->slots - 1);
    }
    return NULL;
}

/* ---- one process ----------------------------------------------------------------------------- */

static void take_options(struct ho_conn *c, const struct ho_os_liveness *o)
{
    c->keepalive_known = c->options_known = c->linger_known = HO_KNOWN_READ;
    c->keepalive = o->keepalive;
    c->keepidle_s = o->keepidle_s;
    c->keepintvl_s = o->keepintvl_s;
    c->keepcnt = o->keepcnt;
    c->user_timeout_ms = o->user_timeout_ms;
    c->linger = o->linger;
    c->linger_s = o->linger_s;
}

static int add_owner(struct ho_scan_work *w, struct ho_os_owners *walk, pid_t pid, uint32_t uid)
{
    struct ho_conn_owner o = { .pid = pid, .uid = uid };
    int err =
        ho_scan_grow((void **)&w->s.owners, &w->owner_room, w->s.n_owners, sizeof(*w->s.owners));

    if (err == 0) {
        _Static_assert(sizeof(o.name) == HO_OS_COMM, "comm");
        _Static_assert(sizeof(o.container) == HO_OS_CONTAINER, "container");
        ho_os_owners_name(walk, o.name, o.container);
        w->s.owners[w->s.n_owners++] = o;
    }
    return err;
}

/* A socket that several processes hold: the first is named, and any may tell the options. */
static int see_process(struct ho_scan_work *w, struct ho_os_owners *walk, pid_t pid,
                       const struct inodes *t)
{
    struct ho_os_sockfd fd;
    struct ho_os_liveness o;
    bool listed = false;

    while (ho_os_owners_socket(walk, &fd) == 1) {
        struct ho_conn *c = find(t, &w->s, fd.inode);

        if (c == NULL) {
            continue;
        }
        if (c->owner == HO_CONN_NO_OWNER) {
            int err = listed ? 0 : add_owner(w, walk, pid, c->uid);

            if (err != 0) {
                return err;
            }
            listed = true;
            c->owner = (uint32_t)w->s.n_owners - 1;
        }
        if (c->options_known != HO_KNOWN_READ && !w->o->no_options &&
            ho_os_owners_liveness(walk, &fd, &o) == 0) {
            take_options(c, &o);
        }
    }
    return 0;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void keep_owned(struct ho_scan *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_conns; i++) {
        if (s->conns[i].owner != HO_CONN_NO_OWNER) {
            s->conns[n++] = s->conns[i];
        }
    }
    s->n_conns = n;
}

static void count_unreadable(struct ho_scan_work *w)
{
    for (size_t i = 0; i < w->s.n_conns && !w->o->no_options; i++) {
        const struct ho_conn *c = &w->s.conns[i];

        w->s.n_unreadable += c->inode != 0 && c->options_known == HO_KNOWN_UNKNOWN;
    }
}

static int walk_processes(struct ho_scan_work *w, struct ho_os_owners *walk)
{
    struct inodes t = { .slot = NULL };
    pid_t pid;
    int err = list_inodes(&t, &w->s);

    while (err == 0 && ho_os_owners_process(walk, &pid) == 1) {
        err = see_process(w, walk, pid, &t);
    }
    free(t.slot);
    return err;
}

int ho_scan_owners(struct ho_scan_work *w)
{
    struct ho_os_owners *walk = NULL;
    int err = ho_os_owners_open(&walk, w->o->pid);

    if (err == -ESRCH) {
        ho_os_why(w->why, "there is no process %d", (int)w->o->pid);
    } else if (err != 0) {
        ho_os_why(w->why, "the descriptors in /proc cannot be read: %s", strerror(-err));
    }
    if (err == 0) {
        err = walk_processes(w, walk);
    }
    ho_os_owners_close(walk);
    if (err == 0 && w->o->pid != 0) {
        keep_owned(&w->s);
    }
    count_unreadable(w);
    return err;
}
