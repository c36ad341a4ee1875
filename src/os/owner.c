/* /proc/PID/fd of all processes. See os/owner.h. */

#include "os/owner.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CGROUP_MAX 4096 /* a line a hierarchy, of v1 a dozen */

struct ho_os_owners {
    DIR *proc;   /* NULL: one process alone */
    pid_t alone; /* still to come */
    int process; /* /proc/PID, of this very process though its number be used again; -1 */
    DIR *fds;    /* its fd; NULL: none can be listed */
    pid_t pid;   /* its number */
    int pidfd;   /* -1: not opened yet */
    int refused; /* why its sockets are not looked into any more; 0 */
    size_t hidden;
};

static void leave_process(struct ho_os_owners *w)
{
    if (w->fds != NULL) {
        (void)closedir(w->fds);
    }
    if (w->process >= 0) {
        (void)close(w->process);
    }
    if (w->pidfd >= 0) {
        (void)close(w->pidfd);
    }
    w->fds = NULL;
    w->process = w->pidfd = -1;
    w->refused = 0;
}

/* Returns 0; -ESRCH: it has gone; -EACCES, with the process open. */
static int enter_process(struct ho_os_owners *w, pid_t pid)
{
    char path[32];

    leave_process(w);
    w->pid = pid;
    (void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    w->process = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->process < 0) {
        return errno == ENOENT ? -ESRCH : -errno;
    }
    int fd = openat(w->process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

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

int ho_os_owners_open(struct ho_os_owners **ret, pid_t pid)
{
    struct ho_os_owners *w = calloc(1, sizeof(*w));
    int err = w == NULL ? -ENOMEM : 0;

    if (err != 0) {
        return err;
    }
    w->process = w->pidfd = -1;
    if (pid != 0) {
        w->alone = pid;
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
    *ret = w;
    return 0;
}

void ho_os_owners_close(struct ho_os_owners *w)
{
    if (w != NULL) {
        leave_process(w);
        if (w->proc != NULL) {
            (void)closedir(w->proc);
        }
        free(w);
    }
}

/* The number that a name of /proc is. Returns it; 0: it is none. */
static pid_t next_pid(struct ho_os_owners *w)
{
    pid_t pid = w->alone;

    w->alone = 0;
    if (w->proc == NULL) {
        return pid;
    }
    for (struct dirent *e = readdir(w->proc); e != NULL; e = readdir(w->proc)) {
        if (isdigit((unsigned char)e->d_name[0])) {
            return (pid_t)strtol(e->d_name, NULL, 10);
        }
    }
    return 0;
}

int ho_os_owners_process(struct ho_os_owners *w, pid_t *ret_pid)
{
    for (pid_t pid = next_pid(w); pid > 0; pid = next_pid(w)) {
        int err = enter_process(w, pid);

        if (err == 0) {
            *ret_pid = pid;
            return 1;
        }
        w->hidden += err != -ESRCH;
    }
    leave_process(w);
    return 0;
}

/* The descriptor that a name of /proc/PID/fd is: faster than strtol(), for there may be 200,000. */
static int number(const char *s)
{
    int n = 0;

    while (isdigit((unsigned char)*s) && n < 100000000) {
        n = n * 10 + (*s++ - '0');
    }
    return n;
}

int ho_os_owners_socket(struct ho_os_owners *w, struct ho_os_sockfd *ret)
{
    char text[64];

    if (w->fds == NULL) {
        return 0;
    }
    for (struct dirent *e = readdir(w->fds); e != NULL; e = readdir(w->fds)) {
        if (!isdigit((unsigned char)e->d_name[0])) {
            continue;
        }
        ssize_t n = readlinkat(dirfd(w->fds), e->d_name, text, sizeof(text));

        if (n > 0 && ho_os_procfs_socket(text, (size_t)n, &ret->inode)) {
            ret->fd = number(e->d_name);
            return 1;
        }
    }
    return 0;
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

void ho_os_owners_name(struct ho_os_owners *w, char ret_comm[HO_OS_COMM],
                       char ret_container[HO_OS_CONTAINER])
{
    char text[CGROUP_MAX];

    ho_os_procfs_comm(ret_comm, text, read_file(w->process, "comm", text, sizeof(text)));
    ho_os_procfs_container(ret_container, text,
                           read_file(w->process, "cgroup", text, sizeof(text)));
}

static bool is_final(int err)
{
    return err == -EPERM || err == -EACCES || err == -ENOSYS || err == -ESRCH || err == -EINVAL;
}

int ho_os_owners_liveness(struct ho_os_owners *w, const struct ho_os_sockfd *fd,
                          struct ho_os_liveness *ret)
{
    struct ho_os_sockopt o[] = { { .level = SOL_SOCKET, .name = SO_KEEPALIVE },
                                 { .level = IPPROTO_TCP, .name = TCP_KEEPIDLE },
                                 { .level = IPPROTO_TCP, .name = TCP_KEEPINTVL },
                                 { .level = IPPROTO_TCP, .name = TCP_KEEPCNT },
                                 { .level = IPPROTO_TCP, .name = TCP_USER_TIMEOUT },
                                 { .level = SOL_SOCKET, .name = SO_LINGER } };
    const size_t n = sizeof(o) / sizeof(o[0]);

    if (w->refused != 0) {
        return w->refused;
    }
    if (w->pidfd < 0) {
        w->pidfd = ho_os_pidfd(w->pid);
    }
    int err = w->pidfd < 0 ? w->pidfd : ho_os_pidfd_options(w->pidfd, fd, o, n);

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
