/* The descriptors of one process after the other, by /proc. See os/owner_walk.h. */

#include "os/owner_walk.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CGROUP_MAX 4096 /* a line a hierarchy, of v1 a dozen */
#define MANY 64         /* descriptors: below, their names are listed */
#define GAPS_MAX 64     /* numbers without a descriptor, besides a quarter of those with one */

/* Whether a process may be looked at; it is left again. */
static int try_process(struct ho_os_owner_walk *w, int pid)
{
    struct ho_os_sockfd ignored;
    int err = ho_os_owner_walk_enter(w, pid);

    if (err == 0) {
        (void)ho_os_owner_walk_socket(w, &ignored);
        err = w->refused ? -EACCES : 0;
    }
    ho_os_owner_walk_leave(w);
    return err;
}

int ho_os_owner_walk_open(struct ho_os_owner_walk *w, int pid)
{
    *w = (struct ho_os_owner_walk){ .alone = pid, .process = -1 };
    if (pid != 0) {
        return try_process(w, pid);
    }
    w->proc = opendir("/proc");
    return w->proc == NULL ? -errno : 0;
}

void ho_os_owner_walk_close(struct ho_os_owner_walk *w)
{
    ho_os_owner_walk_leave(w);
    if (w->proc != NULL) {
        (void)closedir(w->proc);
    }
    w->proc = NULL;
}

void ho_os_owner_walk_leave(struct ho_os_owner_walk *w)
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

/* Since Linux 6.2 a process's fd says as its size how many descriptors there are: as a rule they
 * are the first numbers, and to ask for each is a third faster than to have them listed.
 */
static void expect(struct ho_os_owner_walk *w)
{
    struct stat s;

    w->next = 0;
    w->refused = false;
    w->expected = fstat(dirfd(w->fds), &s) == 0 && s.st_size >= MANY && s.st_size < 100000000
                      ? (int)s.st_size
                      : 0;
    w->gaps = GAPS_MAX + w->expected / 4;
}

int ho_os_owner_walk_enter(struct ho_os_owner_walk *w, int pid)
{
    char path[32];

    ho_os_owner_walk_leave(w);
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
    expect(w);
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

int ho_os_owner_walk_pid(struct ho_os_owner_walk *w)
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

/* Returns 1: it is a socket; 0: another file; -1: there is no such descriptor, or it may not be
 * looked at: then none of that process may (CAP_DAC_READ_SEARCH without CAP_SYS_PTRACE).
 */
static int look_at(struct ho_os_owner_walk *w, const char *name, int fd, struct ho_os_sockfd *ret)
{
    char text[64];
    ssize_t n = readlinkat(dirfd(w->fds), name, text, sizeof(text));

    if (n <= 0) {
        w->refused = n < 0 && errno == EACCES;
        return -1;
    }
    ret->fd = fd;
    return ho_os_procfs_socket(text, (size_t)n, &ret->inode) ? 1 : 0;
}

/* Decimal digits of n >= 0; snprintf() would take a tenth of the whole. */
static const char *name_of(int n, char buf[16])
{
    char *p = buf + 15;

    *p = '\0';
    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return p;
}

static bool next_expected(struct ho_os_owner_walk *w, struct ho_os_sockfd *ret)
{
    char buf[16];

    while (w->expected > 0 && w->gaps > 0 && !w->refused) {
        int fd = w->next++;
        int is = look_at(w, name_of(fd, buf), fd, ret);

        w->expected -= is >= 0;
        w->gaps -= is < 0;
        if (is == 1) {
            return true;
        }
    }
    return false;
}

bool ho_os_owner_walk_socket(struct ho_os_owner_walk *w, struct ho_os_sockfd *ret)
{
    assert(w->fds != NULL);
    if (next_expected(w, ret)) {
        return true;
    }
    if (w->next > 0 && w->expected == 0) {
        return false; /* all that there were when it was entered */
    }
    for (struct dirent *e = readdir(w->fds); e != NULL && !w->refused; e = readdir(w->fds)) {
        int fd = isdigit((unsigned char)e->d_name[0]) ? number(e->d_name) : -1;

        if (fd >= w->next && look_at(w, e->d_name, fd, ret) == 1) {
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

void ho_os_owner_walk_name(const struct ho_os_owner_walk *w, char ret_comm[HO_OS_COMM],
                           char ret_container[HO_OS_CONTAINER])
{
    char text[CGROUP_MAX];

    ho_os_procfs_comm(ret_comm, text, read_file(w->process, "comm", text, sizeof(text)));
    ho_os_procfs_container(ret_container, text,
                           read_file(w->process, "cgroup", text, sizeof(text)));
}
