/* setns(), then fork, for a pid namespace takes effect on children only. */

#include "os/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/become.h"

static const char *const files[HO_ENTER_COUNT] = {
    [HO_ENTER_USER] = "/proc/self/ns/user",
    [HO_ENTER_MNT] = "/proc/self/ns/mnt",
    [HO_ENTER_PID] = "/proc/self/ns/pid",
};

static const int types[HO_ENTER_COUNT] = {
    [HO_ENTER_USER] = CLONE_NEWUSER,
    [HO_ENTER_MNT] = CLONE_NEWNS,
    [HO_ENTER_PID] = CLONE_NEWPID,
    [HO_ENTER_NET] = CLONE_NEWNET,
};

int ho_enter_open(int ret_fd[HO_ENTER_COUNT], int net)
{
    int fd[HO_ENTER_COUNT];

    for (int i = 0; i < HO_ENTER_COUNT; i++) {
        fd[i] = i == HO_ENTER_NET ? fcntl(net, F_DUPFD_CLOEXEC, 3)
                                  : open(files[i], O_RDONLY | O_CLOEXEC);
        if (fd[i] < 0) {
            int err = -errno;

            while (i-- > 0) {
                close(fd[i]);
            }
            return err;
        }
    }
    memcpy(ret_fd, fd, sizeof(fd));
    return 0;
}

/* A process cannot enter the user namespace that it is in: EINVAL. */
static bool is_own(int fd, const char *file)
{
    struct stat a, b;

    return fstat(fd, &a) == 0 && stat(file, &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

static int enter(const int fd[HO_ENTER_COUNT])
{
    char where[PATH_MAX];
    bool known = getcwd(where, sizeof(where)) != NULL;

    for (int i = 0; i < HO_ENTER_COUNT; i++) {
        if (i == HO_ENTER_USER && is_own(fd[i], files[i])) {
            continue;
        }
        if (setns(fd[i], types[i]) != 0) {
            return -errno;
        }
    }
    if (!known || chdir(where) != 0) {
        return chdir("/") == 0 ? 0 : -errno;
    }
    return 0;
}

/* What the room's root may do, also for a caller who is not uid 0 there: ambient capabilities. */
static int keep_capabilities(void)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &head, data) != 0) {
        return -errno;
    }
    for (int i = 0; i < 2; i++) {
        data[i].inheritable = data[i].permitted;
    }
    if (syscall(SYS_capset, &head, data) != 0) {
        return -errno;
    }
    for (unsigned cap = 0; cap < 64; cap++) {
        if (data[cap / 32].permitted & UINT32_C(1) << cap % 32 &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0) {
            return -errno;
        }
    }
    return 0;
}

/* The command: never returns. What went wrong before the exec goes into the pipe as an errno. */
static void run_command(char *const *argv, bool privileged, const sigset_t *mask, int report)
{
    int err = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 ? 0 : -errno;

    err = err != 0 ? err : privileged ? keep_capabilities() : ho_os_become_powerless();
    if (err == 0) {
        sigprocmask(SIG_SETMASK, mask, NULL);
        signal(SIGPIPE, SIG_DFL);
        execvp(argv[0], argv);
        err = -errno;
    }
    while (write(report, &err, sizeof(err)) < 0 && errno == EINTR) {
    }
    _exit(127);
}

/* Waits for the child with `signals` blocked; those that are for it are passed on. Returns its exit
 * status, or 128 + the signal that ended it.
 */
static int wait_for(pid_t pid, const sigset_t *signals)
{
    int status = 0;
    int sig;

    while (waitpid(pid, &status, WNOHANG) != pid) {
        if (sigwait(signals, &sig) == 0 && (sig == SIGTERM || sig == SIGHUP)) {
            kill(pid, sig);
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct errand {
    const int *fd;
    char *const *argv;
    bool privileged;
    sigset_t signals, before; /* that are waited for; the caller's mask */
    int report[2];
};

/* In between: enters, starts the command and waits for it. Never returns. */
static void run_inside(const struct errand *e)
{
    int err = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 ? enter(e->fd) : -errno;
    pid_t pid = err == 0 ? fork() : -1;

    if (pid == 0) {
        run_command(e->argv, e->privileged, &e->before, e->report[1]);
    }
    err = err == 0 && pid < 0 ? -errno : err;
    while (err != 0 && write(e->report[1], &err, sizeof(err)) < 0 && errno == EINTR) {
    }
    close(e->report[1]);
    _exit(err != 0 ? 127 : wait_for(pid, &e->signals));
}

int ho_enter_run(const int fd[HO_ENTER_COUNT], char *const *argv, bool privileged, int *ret_status)
{
    static const int list[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD };
    struct errand e = { .fd = fd, .argv = argv, .privileged = privileged };
    int err = 0;

    sigemptyset(&e.signals);
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        sigaddset(&e.signals, list[i]);
    }
    if (pipe2(e.report, O_CLOEXEC) != 0) {
        return -errno;
    }
    sigprocmask(SIG_BLOCK, &e.signals, &e.before);
    pid_t pid = fork();

    if (pid == 0) {
        run_inside(&e);
    }
    err = pid < 0 ? -errno : 0;
    close(e.report[1]);
    int told = 0;

    if (err == 0 && read(e.report[0], &told, sizeof(told)) == (ssize_t)sizeof(told)) {
        err = told;
    }
    close(e.report[0]);
    if (pid > 0) {
        int status = wait_for(pid, &e.signals);

        *ret_status = err == 0 ? status : *ret_status;
    }
    sigprocmask(SIG_SETMASK, &e.before, NULL);
    return err;
}
