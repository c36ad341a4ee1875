/* See os/clone.h. */

#include "os/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t ho_os_clone(unsigned long flags, int *ret_pidfd)
{
    int pidfd = -1;
    /* The arguments behind the descriptor's differ in order from machine to machine, and are 0. */
    long pid = syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, 0UL);

    if (pid < 0) {
        return -errno;
    }
    if (pid > 0) {
        *ret_pidfd = pidfd;
    }
    return (pid_t)pid;
}

int ho_os_reap(pid_t pid, int options, struct ho_os_exit *ret)
{
    int status = 0;
    pid_t done;

    do {
        done = waitpid(pid, &status, options);
    } while (done < 0 && errno == EINTR);
    if (done <= 0) {
        return done == 0 ? -EAGAIN : -ESRCH;
    }
    *ret = (struct ho_os_exit){ .status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                                .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0 };
    return 0;
}

int ho_os_pidfd_signal(int pidfd, int signal)
{
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 ? 0 : -errno;
}

int ho_os_write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int err = 0;

    if (fd < 0) {
        return -errno;
    }
    if (write(fd, text, strlen(text)) < 0) {
        err = -errno;
    }
    (void)close(fd);
    return err;
}

int ho_os_mount_proc(void)
{
    unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

    return mount("proc", "/proc", "proc", flags, NULL) == 0 ? 0 : -errno;
}
