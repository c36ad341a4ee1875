/* /proc/PID/fd of all processes, by a thread; pidfd_getfd(2) by the caller. See os/owner.h.
 *
 * The thread fills a piece of a list and hands it over under the lock when it is full; the caller
 * frees what it has used.
 */

#include "os/owner.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CGROUP_MAX 4096 /* a line a hierarchy, of v1 a dozen */
#define PIECE 1024      /* sockets */

struct piece {
    struct piece *next;
    size_t n;
    struct ho_os_owned s[PIECE];
};

struct known_owner {
    struct known_owner *next;
    struct ho_os_owner is;
};

struct ho_os_owners {
    /* The thread's. */
    DIR *proc;   /* NULL: one process alone */
    int alone;   /* still to come */
    int process; /* /proc/PID: of this very process, though its number be used again; -1 */
    DIR *fds;    /* its fd */
    struct piece *filling;
    struct known_owner *owners; /* the last one first */

    /* Both's, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct piece *first, **last; /* full, not taken yet */
    bool stop, ended;
    int err;
    size_t hidden;

    /* The caller's. */
    pthread_t thread;
    bool has_thread;
    struct piece *using;
    size_t used;
    const struct ho_os_owner *looked; /* whose pidfd it is */
    int pidfd;
    int refused; /* why its sockets are not looked into any more; 0 */
};

/* ---- a process ------------------------------------------------------------------------------- */

static void leave_process(struct ho_os_owners *w)
{
    if (w->fds != NULL) {
        (void)closedir(w->fds);
    }
    if (w->process >= 0) {
        (void)close(w->process);
    }
    w->fds = NULL;
    w->process = -1;
}

/* Returns 0; -ESRCH: it has gone; another negative errno: it may not be looked at. */
static int enter_process(struct ho_os_owners *w, int pid)
{
    char path[32];

    leave_process(w);
    (void)snprintf(path, sizeof(path), "/proc/%d", pid);
    w->process = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = w->process < 0 ? -1 : openat(w->process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return errno == ENOENT ? -ESRCH : -errno;
    }
    w->fds = fdopendir(fd);
    if (w->fds == NULL) {
        int err = -errno;

        (void)close(fd);
        return err;
    }
    return 0;
}

/* The number that a name is: faster than strtol(), for there may be 200,000. */
static int number(const char *s)
{
    int n = 0;

    while (isdigit((unsigned char)*s) && n < 100000000) {
        n = n * 10 + (*s++ - '0');
    }
    return n;
}

static bool next_socket(struct ho_os_owners *w, struct ho_os_sockfd *ret)
{
    char text[64];

    for (struct dirent *e = readdir(w->fds); e != NULL; e = readdir(w->fds)) {
        if (!isdigit((unsigned char)e->d_name[0])) {
            continue;
        }
        ssize_t n = readlinkat(dirfd(w->fds), e->d_name, text, sizeof(text));

        if (n > 0 && ho_os_procfs_socket(text, (size_t)n, &ret->inode)) {
            ret->fd = number(e->d_name);
            return true;
        }
    }
    return false;
}

/* Returns how many bytes were read; 0 if there are none. */
static size_t read_file(int dir, const char *name, char *buf, size_t size)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    size_t got = 0;
    ssize_t n = fd < 0 ? 0 : 1;

    while (n > 0 && got < size) {
        n = read(fd, buf + got, size - got);
        got += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return got;
}

/* NULL: no memory. */
static const struct ho_os_owner *add_owner(struct ho_os_owners *w, int pid)
{
    struct known_owner *k = calloc(1, sizeof(*k));
    char text[CGROUP_MAX];

    if (k == NULL) {
        return NULL;
    }
    k->is.pid = pid;
    ho_os_procfs_comm(k->is.comm, text, read_file(w->process, "comm", text, sizeof(text)));
    ho_os_procfs_container(k->is.container, text,
                           read_file(w->process, "cgroup", text, sizeof(text)));
    k->next = w->owners;
    w->owners = k;
    return &k->is;
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* Returns 0; -ECANCELED: the caller has enough. */
static int hand_over(struct ho_os_owners *w)
{
    (void)pthread_mutex_lock(&w->lock);
    bool stop = w->stop;

    if (w->filling != NULL) {
        *w->last = w->filling;
        w->last = &w->filling->next;
        w->filling = NULL;
    }
    (void)pthread_cond_signal(&w->more);
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
        w->filling->n = 0;
    }
    w->filling->s[w->filling->n++] = *s;
    return w->filling->n == PIECE ? hand_over(w) : 0;
}

static int walk_process(struct ho_os_owners *w, int pid)
{
    struct ho_os_owned s = { .owner = NULL };
    int err = enter_process(w, pid);

    if (err != 0) {
        w->hidden += err != -ESRCH;
        return 0;
    }
    while (err == 0 && next_socket(w, &s.fd)) {
        s.owner = s.owner != NULL ? s.owner : add_owner(w, pid);
        err = s.owner == NULL ? -ENOMEM : add_socket(w, &s);
    }
    return err;
}

/* Returns 0 behind the last one. */
static int next_pid(struct ho_os_owners *w)
{
    int pid = w->alone;

    w->alone = 0;
    if (w->proc == NULL) {
        return pid;
    }
    for (struct dirent *e = readdir(w->proc); e != NULL; e = readdir(w->proc)) {
        if (isdigit((unsigned char)e->d_name[0])) {
            return number(e->d_name);
        }
    }
    return 0;
}

static void *walk(void *arg)
{
    struct ho_os_owners *w = arg;
    int err = 0;

    for (int pid = next_pid(w); pid > 0 && err == 0; pid = next_pid(w)) {
        err = walk_process(w, pid);
    }
    leave_process(w);
    (void)hand_over(w);
    (void)pthread_mutex_lock(&w->lock);
    w->ended = true;
    w->err = err == -ECANCELED ? 0 : err;
    (void)pthread_cond_signal(&w->more);
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* Without a thread of its own the walk is done before the caller goes on. */
static void start(struct ho_os_owners *w)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the caller's thread's */
    w->has_thread = pthread_create(&w->thread, NULL, walk, w) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!w->has_thread) {
        (void)walk(w);
    }
}

int ho_os_owners_open(struct ho_os_owners **ret, int pid)
{
    struct ho_os_owners *w = calloc(1, sizeof(*w));
    int err = w == NULL ? -ENOMEM : 0;

    if (err != 0) {
        return err;
    }
    w->process = w->pidfd = -1;
    w->last = &w->first;
    w->alone = pid;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->more, NULL);
    if (pid != 0) {
        err = enter_process(w, pid);
        leave_process(w);
    } else {
        w->proc = opendir("/proc");
        err = w->proc == NULL ? -errno : 0;
    }
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
        (void)pthread_mutex_unlock(&w->lock);
        int err = pthread_join(w->thread, NULL);

        assert(err == 0);
        (void)err;
    }
    leave_process(w);
    if (w->proc != NULL) {
        (void)closedir(w->proc);
    }
    if (w->pidfd >= 0) {
        (void)close(w->pidfd);
    }
    (void)pthread_cond_destroy(&w->more);
    (void)pthread_mutex_destroy(&w->lock);
    free_all(w);
}

/* ---- the caller's side ----------------------------------------------------------------------- */

/* Waits for the next piece. Returns 1; 0 at the end; -ENOMEM. */
static int take_piece(struct ho_os_owners *w)
{
    free(w->using);
    (void)pthread_mutex_lock(&w->lock);
    while (w->first == NULL && !w->ended) {
        (void)pthread_cond_wait(&w->more, &w->lock);
    }
    w->using = w->first;
    w->used = 0;
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
    if (w->using == NULL || w->used == w->using->n) {
        int got = take_piece(w);

        if (got != 1) {
            return got;
        }
    }
    *ret = w->using->s[w->used++];
    return 1;
}

static void look_at(struct ho_os_owners *w, const struct ho_os_owner *o)
{
    if (w->looked == o) {
        return;
    }
    if (w->pidfd >= 0) {
        (void)close(w->pidfd);
    }
    w->looked = o;
    w->pidfd = ho_os_pidfd(o->pid);
    w->refused = w->pidfd < 0 ? w->pidfd : 0;
}

static bool is_final(int err)
{
    return err == -EPERM || err == -EACCES || err == -ENOSYS || err == -ESRCH;
}

int ho_os_owners_liveness(struct ho_os_owners *w, const struct ho_os_owned *s,
                          struct ho_os_liveness *ret)
{
    struct ho_os_sockopt o[] = { { .level = SOL_SOCKET, .name = SO_KEEPALIVE },
                                 { .level = IPPROTO_TCP, .name = TCP_KEEPIDLE },
                                 { .level = IPPROTO_TCP, .name = TCP_KEEPINTVL },
                                 { .level = IPPROTO_TCP, .name = TCP_KEEPCNT },
                                 { .level = IPPROTO_TCP, .name = TCP_USER_TIMEOUT },
                                 { .level = SOL_SOCKET, .name = SO_LINGER } };
    const size_t n = sizeof(o) / sizeof(o[0]);

    look_at(w, s->owner);
    if (w->refused != 0) {
        return w->refused;
    }
    int err = ho_os_pidfd_options(w->pidfd, &s->fd, o, n);

    w->refused = is_final(err) ? err : 0;
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

size_t ho_os_owners_hidden(const struct ho_os_owners *w)
{
    return w->hidden;
}
