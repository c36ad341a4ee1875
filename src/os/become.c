/* See os/become.h. The order matters: what needs capabilities comes before they go, and
 * PR_SET_PDEATHSIG comes last of what concerns the user, since a change of uid takes it away
 * (prctl(2)).
 */

#include "os/become.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* capabilities(7): none now, none by uid 0, by set-uid files or by file capabilities. */
static int drop_for_good(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
        return -errno;
    }
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno != EPERM) {
            return -errno;
        }
    }
    return 0;
}

static int drop_now(void)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

    return syscall(SYS_capset, &head, none) == 0 ? 0 : -errno;
}

int ho_os_become_powerless(void)
{
    int err = drop_for_good();

    return err != 0 ? err : drop_now();
}

static int change_user(uid_t uid, gid_t gid)
{
    if (geteuid() == uid && getegid() == gid) {
        return 0; /* in a user namespace there is nobody else, and setgroups() is denied */
    }
    if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) {
        return -errno;
    }
    return 0;
}

static void default_signals(void)
{
    struct sigaction a = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int s = 1; s < NSIG; s++) {
        (void)sigaction(s, &a, NULL); /* those that cannot be changed are the defaults */
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* First all out of the way of the numbers 0..n-1, then into place. */
static int place_fds(const struct ho_os_spawn *s, int *report)
{
    enum {
        MANY = 64
    };
    int high[MANY];
    int n = (int)s->n_fds;
    int pipe_high = fcntl(*report, F_DUPFD_CLOEXEC, n + 1);

    if (pipe_high < 0 || n > MANY) {
        return pipe_high < 0 ? -errno : -EMFILE;
    }
    *report = pipe_high;
    for (int i = 0; i < n; i++) {
        int from = s->fds[i] >= 0 ? s->fds[i] : open("/dev/null", O_RDWR | O_CLOEXEC);

        high[i] = from < 0 ? -1 : fcntl(from, F_DUPFD_CLOEXEC, n + 1);
        if (high[i] < 0) {
            return -errno;
        }
    }
    for (int i = 0; i < n; i++) {
        if (dup2(high[i], i) < 0) {
            return -errno;
        }
    }
    if (dup3(pipe_high, n, O_CLOEXEC) < 0 ||
        syscall(SYS_close_range, (unsigned)n + 1, ~0U, 0) != 0) {
        return -errno;
    }
    *report = n;
    return 0;
}

static int do_step(enum ho_os_become_step step, const struct ho_os_spawn *s, bool drop, int *report)
{
    int err = 0;

    switch (step) {
    case HO_OS_BECOME_NETNS:
        return s->netns >= 0 && setns(s->netns, CLONE_NEWNET) != 0 ? -errno : 0;
    case HO_OS_BECOME_DIR:
        return s->dir != NULL && chdir(s->dir) != 0 ? -errno : 0;
    case HO_OS_BECOME_FDS:
        return place_fds(s, report);
    case HO_OS_BECOME_USER:
        err = drop ? drop_for_good() : 0;
        return err == 0 && s->user ? change_user(s->uid, s->gid) : err;
    case HO_OS_BECOME_CAPS:
        return drop ? drop_now() : 0;
    case HO_OS_BECOME_FORK:
    case HO_OS_BECOME_EXEC:
        break;
    }
    return 0;
}

struct ho_os_become_said ho_os_become(const struct ho_os_spawn *s, bool drop, int *report)
{
    static const enum ho_os_become_step steps[] = { HO_OS_BECOME_NETNS, HO_OS_BECOME_FDS,
                                                    HO_OS_BECOME_USER, HO_OS_BECOME_CAPS,
                                                    HO_OS_BECOME_DIR };
    struct ho_os_become_said said = { .err = 0 };

    (void)setsid(); /* what a terminal sends is the relay's to act on */
    default_signals();
    for (size_t i = 0; said.err == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
        said.step = steps[i];
        said.err = do_step(said.step, s, drop, report);
    }
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    return said;
}

void ho_os_become_fail(int report, struct ho_os_become_said said)
{
    (void)!write(report, &said, sizeof(said));
    _exit(127);
}

static void explain(const struct ho_os_become_said *said, const struct ho_os_spawn *s,
                    const char *command, char *why)
{
    const char *reason = strerror(-said->err);

    switch (said->step) {
    case HO_OS_BECOME_FORK:
        ho_os_why(why, "cannot make a process: %s", reason);
        break;
    case HO_OS_BECOME_NETNS:
        ho_os_why(why, "cannot enter the host's network namespace: %s", reason);
        break;
    case HO_OS_BECOME_FDS:
        ho_os_why(why, "cannot give a process its descriptors: %s", reason);
        break;
    case HO_OS_BECOME_DIR:
        ho_os_why(why, "cannot enter the directory %s: %s", s->dir, reason);
        break;
    case HO_OS_BECOME_USER:
        ho_os_why(why, "cannot become uid %u, gid %u: %s%s", (unsigned)s->uid, (unsigned)s->gid,
                  reason,
                  said->err == -EINVAL || said->err == -EPERM
                      ? ": without root there is no user but one's own"
                      : "");
        break;
    case HO_OS_BECOME_CAPS:
        ho_os_why(why, "cannot give up capabilities: %s", reason);
        break;
    case HO_OS_BECOME_EXEC:
        ho_os_why(why, "cannot run %s: %s", command, reason);
        break;
    }
}

int ho_os_become_hear(int pipe, const struct ho_os_spawn *s, const char *command, char *why)
{
    struct ho_os_become_said said;
    ssize_t n;

    do {
        n = read(pipe, &said, sizeof(said));
    } while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(said)) {
        return 0;
    }
    explain(&said, s, command, why);
    return said.err;
}
