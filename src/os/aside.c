/* See os/aside.h. */

#include "os/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void child(int fd, void (*slow)(void *arg), void *arg)
{
    char c;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (read(fd, &c, 1) < 0 && errno == EINTR) {
    }
    if (slow != NULL) {
        slow(arg);
    }
    _exit(0);
}

void ho_os_aside(struct ho_os_aside *a, void (*slow)(void *arg), void *arg)
{
    int fd[2];
    pid_t pid;

    ho_os_aside_reap(a);
    if (pipe2(fd, O_CLOEXEC) != 0) {
        return;
    }
    pid = fork();
    if (pid == 0) {
        (void)close(fd[1]);
        child(fd[0], slow, arg);
    }
    (void)close(fd[0]);
    if (pid < 0) {
        (void)close(fd[1]);
        return;
    }
    *a = (struct ho_os_aside){ .pid = pid, .fd = fd[1] };
}

void ho_os_aside_done(struct ho_os_aside *a)
{
    if (a->pid != 0 && a->fd >= 0) {
        (void)close(a->fd);
        a->fd = -1;
    }
}

void ho_os_aside_reap(struct ho_os_aside *a)
{
    ho_os_aside_done(a);
    while (a->pid != 0 && waitpid(a->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    *a = (struct ho_os_aside){ .pid = 0, .fd = -1 };
}
