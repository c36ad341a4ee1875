/* Who holds each connection, and its options: what the walk over the processes finds of them. See
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

    while (t->slot != NULL && t->slot[at] != 0) {
        struct ho_conn *c = &s->conns[t->slot[at] - 1];

        if (c->inode == inode) {
            return c;
        }
        at = (at + 1) & (t->slots - 1);
    }
    return NULL;
}

/* ---- one socket ------------------------------------------------------------------------------ */

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

static int add_owner(struct ho_scan_work *w, const struct ho_os_owner *is, uint32_t uid)
{
    struct ho_conn_owner o = { .pid = is->pid, .uid = uid };
    int err =
        ho_scan_grow((void **)&w->s.owners, &w->owner_room, w->s.n_owners, sizeof(*w->s.owners));

    if (err == 0) {
        _Static_assert(sizeof(o.name) == sizeof(is->comm), "comm");
        _Static_assert(sizeof(o.container) == sizeof(is->container), "container");
        memcpy(o.name, is->comm, sizeof(o.name));
        memcpy(o.container, is->container, sizeof(o.container));
        w->s.owners[w->s.n_owners++] = o;
    }
    return err;
}

/* A socket that several processes hold: the first is named, and any may tell the options. `listed`:
 * the process that is the last of the owners.
 */
static int see_socket(struct ho_scan_work *w, struct ho_conn *c, const struct ho_os_owned *s,
                      const struct ho_os_owner **listed)
{
    if (c->owner == HO_CONN_NO_OWNER) {
        int err = *listed == s->owner ? 0 : add_owner(w, s->owner, c->uid);

        if (err != 0) {
            return err;
        }
        *listed = s->owner;
        c->owner = (uint32_t)w->s.n_owners - 1;
    }
    if (s->err == 0) {
        take_options(c, &s->options);
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

/* Where the kernel said no, and where a process could not be looked at that may have it. Without
 * either, a socket that nobody has is one that was closed since.
 */
static void count_unreadable(struct ho_scan_work *w, const bool *refused)
{
    bool hidden = ho_os_owners_hidden(w->walk) > 0;

    for (size_t i = 0; i < w->s.n_conns && !w->o->no_options; i++) {
        const struct ho_conn *c = &w->s.conns[i];

        w->s.n_unreadable += c->inode != 0 && c->options_known == HO_KNOWN_UNKNOWN &&
                             (c->owner == HO_CONN_NO_OWNER ? hidden : refused[i]);
    }
}

int ho_scan_owners_begin(struct ho_scan_work *w)
{
    int err = ho_os_owners_open(&w->walk, w->o->pid);

    if (err == -ESRCH) {
        ho_os_why(w->why, "there is no process %d", (int)w->o->pid);
    } else if (err == -EACCES) {
        ho_os_why(w->why, "process %d is another user's (" HO_CONN_NEEDS ")", (int)w->o->pid);
    } else if (err != 0) {
        ho_os_why(w->why, "the descriptors in /proc cannot be read: %s", strerror(-err));
    }
    return err;
}

/* One walk over the processes, for the `n` sockets of `inode`. */
static int search(struct ho_scan_work *w, struct ho_os_owners *walk, const uint32_t *inode,
                  size_t n, const struct inodes *t, bool *refused)
{
    const struct ho_os_owner *listed = NULL;
    struct ho_os_owned s = { .owner = NULL };
    int err = ho_os_owners_want(walk, inode, n, !w->o->no_options);
    int got = err == 0 ? 1 : err;

    while (got == 1) {
        got = ho_os_owners_next(walk, &s);
        struct ho_conn *c = got == 1 ? find(t, &w->s, s.fd.inode) : NULL;

        if (c != NULL) {
            err = see_socket(w, c, &s, &listed);
            refused[c - w->s.conns] |= s.err == -EPERM || s.err == -EACCES || s.err == -ENOSYS;
            got = err != 0 ? err : got;
        }
    }
    return got;
}

static int search_all(struct ho_scan_work *w, uint32_t *inode, const struct inodes *t,
                      bool *refused)
{
    for (size_t i = 0; i < w->s.n_conns; i++) {
        inode[i] = w->s.conns[i].inode;
    }
    return search(w, w->walk, inode, w->s.n_conns, t, refused);
}

/* For what nobody was found to have, though the walk could have seen it: it came to its process
 * when the walk had passed. On most machines that is nothing.
 */
static int search_again(struct ho_scan_work *w, uint32_t *inode, const struct inodes *t,
                        bool *refused)
{
    struct ho_os_owners *again = NULL;
    size_t n = 0;

    for (size_t i = 0; i < w->s.n_conns; i++) {
        const struct ho_conn *c = &w->s.conns[i];

        if (c->inode != 0 && c->owner == HO_CONN_NO_OWNER && ho_os_owners_sees(w->walk, c->uid)) {
            inode[n++] = c->inode;
        }
    }
    int err = n == 0 || w->o->pid != 0 ? 0 : ho_os_owners_open(&again, 0);

    if (again != NULL) {
        err = search(w, again, inode, n, t, refused);
    }
    ho_os_owners_close(again);
    return err;
}

int ho_scan_owners(struct ho_scan_work *w)
{
    struct inodes t = { .slot = NULL };
    uint32_t *inode = malloc((w->s.n_conns + 1) * sizeof(*inode));
    bool *refused = calloc(w->s.n_conns + 1, sizeof(*refused));
    int err = inode == NULL || refused == NULL ? -ENOMEM : list_inodes(&t, &w->s);

    err = err == 0 ? search_all(w, inode, &t, refused) : err;
    err = err == 0 ? search_again(w, inode, &t, refused) : err;
    if (err == 0) {
        count_unreadable(w, refused);
    } else {
        ho_os_why(w->why, "the owners of the connections: %s", strerror(-err));
    }
    free(t.slot);
    free(inode);
    free(refused);
    if (err == 0 && w->o->pid != 0) {
        keep_owned(&w->s);
    }
    return err;
}
