/* See os/sched.h. */

#include "os/sched.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIDS 200 /* it is one of the first that a kernel makes */

int ho_os_sched_prompt(void)
{
    struct sched_param p = { .sched_priority = 1 };

    return sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &p) == 0 ? 0 : -errno;
}

static bool is_softirqd(int pid)
{
    static const char name[] = "ksoftirqd/0\n";
    char path[32], comm[32];
    int fd;
    ssize_t n;

    (void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    n = read(fd, comm, sizeof(comm));
    (void)close(fd);
    return n == sizeof(name) - 1 && memcmp(comm, name, sizeof(name) - 1) == 0;
}

int ho_os_sched_softirqs(void)
{
    struct sched_param p = { .sched_priority = 2 }; /* before ho_os_sched_prompt() */

    for (int pid = 2; pid < PIDS; pid++) {
        if (is_softirqd(pid)) {
            return sched_setscheduler(pid, SCHED_FIFO, &p) == 0 ? 0 : -errno;
        }
    }
    return -ENOENT;
}
