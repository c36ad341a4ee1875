/* What a walk over /proc finds, and the options of it. See os/owner.h.
 *
 * A list of pieces, in the order of the walk, under one lock. The thread walks and appends; when it
 * is through, and the caller has said what is of interest, both take a piece that nobody has read
 * yet, throw out what is of no interest and read the options of the rest; the caller pulls from the
 * first piece on. A piece belongs to who reads it, then to the caller.
 */

#include "os/owner.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/owner_walk.h"

#define PIECE 512 /* sockets */

enum piece_state {
    PIECE_WALKED,
    PIECE_READING, /* by one of the two */
    PIECE_READ
};

struct piece {
    struct piece *next;
    enum piece_state state;
    size_t n;
    struct ho_os_owned s[PIECE];
};

struct known_owner {
    struct known_owner *next;
    struct ho_os_owner is;
};

/* Whose sockets one of the two threads looks into. */
struct looked {
    const struct ho_os_owner *owner;
    int pidfd;   /* -1 */
    int refused; /* why they are not looked into any more; 0 */
};

struct ho_os_owners {
    /* The thread's. */
    struct ho_os_owner_walk walk;
    struct piece *filling;
    struct known_owner *owners; /* the last one first */

    /* Both's, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct piece *first, **last;
    struct piece *unread; /* the first that nobody has taken to read; NULL */
    bool stop, walked, wanted;
    int err;
    size_t hidden;

    /* What is of interest: written before `wanted`, only read from then on. */
    uint32_t *inode; /* open addressing, at most half full; 0: free */
    size_t slots;    /* a power of two */
    bool options;

    /* The caller's. */
    pthread_t thread;
    bool has_thread;
    struct piece *using;
    size_t used;
    struct looked looked;
};

/* ---- what is of interest --------------------------------------------------------------------- */

static size_t place(const struct ho_os_owners *w, uint64_t inode)
{
    size_t at = (size_t)(inode * 0x9e3779b97f4a7c15ULL >> 20) & (w->slots - 1);

    while (w->inode[at] != 0 && w->inode[at] != inode) {
        at = (at + 1) & (w->slots - 1);
    }
    return at;
}

int ho_os_owners_want(struct ho_os_owners *w, const uint32_t *inodes, size_t n, bool options)
{
    w->slots = 64;
    while (w->slots < 2 * n) {
        w->slots *= 2;
    }
    w->inode = calloc(w->slots, sizeof(*w->inode));
    if (w->inode == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        if (inodes[i] != 0) {
            w->inode[place(w, inodes[i])] = inodes[i];
        }
    }
    w->options = options;
    (void)pthread_mutex_lock(&w->lock);
    w->wanted = true;
    (void)pthread_cond_broadcast(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
    return 0;
}

/* ---- options --------------------------------------------------------------------------------- */

static void look_no_more(struct looked *l)
{
    if (l->pidfd >= 0) {
        (void)close(l->pidfd);
    }
    *l = (struct looked){ .pidfd = -1 };
}

static void look_into(struct looked *l, const struct ho_os_owner *o)
{
    if (l->owner != o) {
        look_no_more(l);
        l->owner = o;
        l->pidfd = ho_os_pidfd(o->pid);
        l->refused = l->pidfd < 0 ? l->pidfd : 0;
    }
}

/* The process's other sockets need not be tried. */
static bool is_final(int err)
{
    return err == -EPERM || err == -EACCES || err == -ENOSYS || err == -ESRCH;
}

static int read_options(struct looked *l, const struct ho_os_owned *s, struct ho_os_liveness *ret)
{
    struct ho_os_sockopt o[] = { { .level = SOL_SOCKET, .name = SO_KEEPALIVE },
                                 { .level = IPPROTO_TCP, .name = TCP_KEEPIDLE },
                                 { .level = IPPROTO_TCP, .name = TCP_KEEPINTVL },
                                 { .level = IPPROTO_TCP, .name = TCP_KEEPCNT },
                                 { .level = IPPROTO_TCP, .name = TCP_USER_TIMEOUT },
                                 { .level = SOL_SOCKET, .name = SO_LINGER } };
    const size_t n = sizeof(o) / sizeof(o[0]);

    look_into(l, s->owner);
    if (l->refused != 0) {
        return l->refused;
    }
    int err = ho_os_pidfd_options(l->pidfd, &s->fd, o, n);

    l->refused = is_final(err) ? err : 0;
    for (size_t i = 0; i < n && err == 0; i++) {
        err = o[i].err;
    }
    if (err == 0) {
        *ret = (struct ho_os_liveness){ .keepalive = o[0].value != 0,
                                        .keepidle_s = o[1].value,
                                        .keepintvl_s = o[2].value,
                                        .keepcnt = o[3].value,
                                        .user_timeout_ms = (uint32_t)o[4].value,
                                        .linger = o[5].value != 0,
                                        .linger_s = o[5].more };
    }
    return err;
}

static void read_piece(const struct ho_os_owners *w, struct piece *p, struct looked *l)
{
    sigset_t all, before;
    size_t n = 0;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* os/sockfd.h */
    for (size_t i = 0; i < p->n; i++) {
        if (w->inode[place(w, p->s[i].fd.inode)] == p->s[i].fd.inode) {
            struct ho_os_owned *s = &p->s[n++];

            *s = p->s[i];
            s->err = w->options ? read_options(l, s, &s->options) : -ENODATA;
        }
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    p->n = n;
}

/* Under the lock; gives it up meanwhile. Returns false if there is none to read. */
static bool read_next(struct ho_os_owners *w, struct looked *l)
{
    struct piece *p = w->unread;

    if (p == NULL) {
        return false;
    }
    w->unread = p->next;
    p->state = PIECE_READING;
    (void)pthread_mutex_unlock(&w->lock);
    read_piece(w, p, l);
    (void)pthread_mutex_lock(&w->lock);
    p->state = PIECE_READ;
    (void)pthread_cond_broadcast(&w->changed);
    return true;
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Returns 0; -ECANCELED: the caller has enough. */
static int hand_over(struct ho_os_owners *w)
{
    (void)pthread_mutex_lock(&w->lock);
    bool stop = w->stop;

    if (w->filling != NULL) {
        *w->last = w->filling;
        w->last = &w->filling->next;
        w->unread = w->unread != NULL ? w->unread : w->filling;
        w->filling = NULL;
    }
    (void)pthread_cond_broadcast(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
    return stop ? -ECANCELED : 0;
}

static int add_socket(struct ho_os_owners *w, const struct ho_os_owned *s)
{
    if (w->filling == NULL) {
        w->filling = malloc(sizeof(*w->filling));
        if (w->filling == NULL) {
            return -ENOMEM;
        }
        w->filling->next = NULL;
        w->filling->state = PIECE_WALKED;
        w->filling->n = 0;
    }
    w->filling->s[w->filling->n++] = *s;
    return w->filling->n == PIECE ? hand_over(w) : 0;
}

/* NULL: no memory. */
static const struct ho_os_owner *add_owner(struct ho_os_owners *w, int pid)
{
    struct known_owner *k = calloc(1, sizeof(*k));

    if (k == NULL) {
        return NULL;
    }
    k->is.pid = pid;
    ho_os_owner_walk_name(&w->walk, k->is.comm, k->is.container);
    k->next = w->owners;
    w->owners = k;
    return &k->is;
}

static int walk_process(struct ho_os_owners *w, int pid)
{
    struct ho_os_owned s = { .owner = NULL };
    int err = ho_os_owner_walk_enter(&w->walk, pid);

    if (err != 0) {
        w->hidden += err != -ESRCH;
        return 0;
    }
    while (err == 0 && ho_os_owner_walk_socket(&w->walk, &s.fd)) {
        s.owner = s.owner != NULL ? s.owner : add_owner(w, pid);
        err = s.owner == NULL ? -ENOMEM : add_socket(w, &s);
    }
    w->hidden += w->walk.refused;
    return err;
}

static void walk(struct ho_os_owners *w)
{
    bool whole = w->walk.alone != 0; /* one process alone hides no other */
    int err = 0;

    for (int pid = ho_os_owner_walk_pid(&w->walk); pid > 0 && err == 0;
         pid = ho_os_owner_walk_pid(&w->walk)) {
        err = walk_process(w, pid);
        whole = whole || pid == 1;
    }
    w->hidden += !whole; /* proc(5), hidepid=2: other users' processes are not even listed */
    ho_os_owner_walk_close(&w->walk);
    (void)hand_over(w);
    (void)pthread_mutex_lock(&w->lock);
    w->walked = true;
    w->err = err == -ECANCELED ? 0 : err;
    (void)pthread_cond_broadcast(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
}

static void *work(void *arg)
{
    struct ho_os_owners *w = arg;
    struct looked l = { .pidfd = -1 };

    walk(w);
    (void)pthread_mutex_lock(&w->lock);
    while (!w->wanted && !w->stop) {
        (void)pthread_cond_wait(&w->changed, &w->lock);
    }
    while (!w->stop && read_next(w, &l)) {
    }
    (void)pthread_mutex_unlock(&w->lock);
    look_no_more(&l);
    return NULL;
}

/* ---- the caller's side ----------------------------------------------------------------------- */

/* Without a thread of its own the walk is done before the caller goes on. */
static void start(struct ho_os_owners *w)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the caller's thread's */
    w->has_thread = pthread_create(&w->thread, NULL, work, w) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!w->has_thread) {
        walk(w);
    }
}

int ho_os_owners_open(struct ho_os_owners **ret, int pid)
{
    struct ho_os_owners *w = calloc(1, sizeof(*w));

    if (w == NULL) {
        return -ENOMEM;
    }
    w->looked.pidfd = -1;
    w->last = &w->first;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->changed, NULL);
    int err = ho_os_owner_walk_open(&w->walk, pid);

    if (err != 0) {
        ho_os_owners_close(w);
        return err;
    }
    start(w);
    *ret = w;
    return 0;
}

static void free_all(struct ho_os_owners *w)
{
    while (w->first != NULL) {
        struct piece *p = w->first;

        w->first = p->next;
        free(p);
    }
    while (w->owners != NULL) {
        struct known_owner *k = w->owners;

        w->owners = k->next;
        free(k);
    }
    free(w->filling);
    free(w->using);
    free(w->inode);
    free(w);
}

void ho_os_owners_close(struct ho_os_owners *w)
{
    if (w == NULL) {
        return;
    }
    if (w->has_thread) {
        (void)pthread_mutex_lock(&w->lock);
        w->stop = true;
        (void)pthread_cond_broadcast(&w->changed);
        (void)pthread_mutex_unlock(&w->lock);
        int err = pthread_join(w->thread, NULL);

        assert(err == 0);
        (void)err;
    }
    ho_os_owner_walk_close(&w->walk);
    look_no_more(&w->looked);
    (void)pthread_cond_destroy(&w->changed);
    (void)pthread_mutex_destroy(&w->lock);
    free_all(w);
}

/* Reads, or waits for who does. Returns 1 with the next piece in `using`; 0 at the end; -ENOMEM. */
static int take_piece(struct ho_os_owners *w)
{
    free(w->using);
    w->using = NULL;
    w->used = 0;
    (void)pthread_mutex_lock(&w->lock);
    while (w->first != NULL ? w->first->state != PIECE_READ : !w->walked) {
        if (!read_next(w, &w->looked)) {
            (void)pthread_cond_wait(&w->changed, &w->lock);
        }
    }
    w->using = w->first;
    if (w->using != NULL) {
        w->first = w->using->next;
        w->last = w->first == NULL ? &w->first : w->last;
    }
    int err = w->err;

    (void)pthread_mutex_unlock(&w->lock);
    return w->using != NULL ? 1 : err;
}

int ho_os_owners_next(struct ho_os_owners *w, struct ho_os_owned *ret)
{
    assert(w->wanted);
    while (w->using == NULL || w->used == w->using->n) {
        int got = take_piece(w);

        if (got != 1) {
            return got;
        }
    }
    *ret = w->using->s[w->used++];
    return 1;
}

size_t ho_os_owners_hidden(const struct ho_os_owners *w)
{
    return w->hidden;
}

bool ho_os_owners_sees(const struct ho_os_owners *w, uint32_t uid)
{
    return w->hidden == 0 || uid == geteuid();
}
