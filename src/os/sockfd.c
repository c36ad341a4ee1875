/* pidfd_getfd(2) for as long as it takes, and /proc/PID/fd. See os/sockfd.h. */

#include "os/sockfd.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/procfs.h"

static void read_option(int fd, struct ho_os_sockopt *o)
{
    int v[2] = { 0, 0 };
    socklen_t len = sizeof(v);

    o->err = getsockopt(fd, o->level, o->name, v, &len) == 0 ? 0 : -errno;
    o->value = v[0];
    o->more = v[1];
}

/* Closes what it is given. Options are read if it is a socket, and of `inode` (0: of any). */
static int read_all(int fd, uint64_t inode, struct ho_os_sockopt *options, size_t n,
                    uint64_t *ret_inode)
{
    struct stat s;
    int err = fstat(fd, &s) != 0 ? -errno : !S_ISSOCK(s.st_mode) ? -ENOTSOCK : 0;

    if (err == 0 && inode != 0 && s.st_ino != inode) {
        err = -ENOTSOCK;
    }
    for (size_t i = 0; err == 0 && i < n; i++) {
        read_option(fd, &options[i]);
    }
    (void)close(fd);
    if (err == 0 && ret_inode != NULL) {
        *ret_inode = s.st_ino;
    }
    return err;
}

int ho_os_pidfd(pid_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

    return pidfd < 0 ? -errno : pidfd;
}

/* With all signals blocked. */
static int duplicate(int pidfd, int fd, uint64_t inode, struct ho_os_sockopt *options, size_t n,
                     uint64_t *ret_inode)
{
    int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

    return copy < 0 ? -errno : read_all(copy, inode, options, n, ret_inode);
}

int ho_os_pidfd_options(int pidfd, const struct ho_os_sockfd *fd, struct ho_os_sockopt *options,
                        size_t n)
{
    return duplicate(pidfd, fd->fd, fd->inode, options, n, NULL);
}

int ho_os_sockfd_options(pid_t pid, int fd, struct ho_os_sockopt *options, size_t n,
                         uint64_t *ret_inode)
{
    sigset_t all, before;
    int pidfd = ho_os_pidfd(pid);

    if (pidfd < 0) {
        return pidfd;
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = duplicate(pidfd, fd, 0, options, n, ret_inode);

    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)close(pidfd);
    return err;
}

static bool is_socket(int dir, const char *name, uint64_t *ret_inode)
{
    char text[64];
    ssize_t n = readlinkat(dir, name, text, sizeof(text));

    return n > 0 && ho_os_procfs_socket(text, (size_t)n, ret_inode);
}

int ho_os_sockfd_list(pid_t pid, struct ho_os_sockfd *ret, size_t max)
{
    char path[64];
    size_t n = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *d = opendir(path);

    if (d == NULL) {
        return errno == ENOENT ? -ESRCH : -errno;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        uint64_t inode;

        if (isdigit((unsigned char)e->d_name[0]) && is_socket(dirfd(d), e->d_name, &inode)) {
            if (n < max) {
                ret[n] =
                    (struct ho_os_sockfd){ .fd = (int)strtol(e->d_name, NULL, 10), .inode = inode };
            }
            n++;
        }
    }
    (void)closedir(d);
    return (int)n;
}

int ho_os_pids(pid_t *ret, size_t max)
{
    size_t n = 0;
    DIR *d = opendir("/proc");

    if (d == NULL) {
        return -errno;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (isdigit((unsigned char)e->d_name[0])) {
            if (n < max) {
                ret[n] = (pid_t)strtol(e->d_name, NULL, 10);
            }
            n++;
        }
    }
    (void)closedir(d);
    return (int)n;
}

int ho_os_ppid(pid_t pid)
{
    char path[64], text[512];

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0) {
        (void)close(fd);
    }
    if (n <= 0) {
        return -ESRCH;
    }
    text[n] = '\0';
    /* "pid (name) state ppid": the name may hold anything, also a bracket. */
    const char *p = strrchr(text, ')');

    return p == NULL || strlen(p) < 5 ? -ESRCH : (int)strtol(p + 4, NULL, 10);
}
