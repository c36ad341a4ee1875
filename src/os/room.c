/* One clone(), and what both sides do until the room stands. See os/room.h.
 *
 *     maker                         child (pid 1)
 *     clone()                       dies with the maker from now on; says so
 *     says "go"                     a maker that was dead before has closed the socket instead
 *                                   maps its uid, makes its mounts private, mounts /proc, lo up
 *     reads what became of it       says 0, or what failed at which step; calls `work`
 */

#include "os/room.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clone.h"
#include "os/loop.h"
#include "os/netns.h"

#define NAMESPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET)

static const int interrupts[] = { SIGINT, SIGTERM, SIGHUP, 0 };

/* In the room: are its mounts its own? Where "/" is not a mount they would show outside. */
static bool mounts_private;

enum step {
    STEP_READY,
    STEP_USER,
    STEP_MOUNTS,
    STEP_LO,
    STEP_DONE
};

struct said {
    enum step step;
    int err;
};

/* ---- the child ------------------------------------------------------------------------------- */

static void end_by_signal(int signal)
{
    _exit(128 + signal);
}

/* The kernel gives pid 1 no signal that it has no handler for (pid_namespaces(7)). */
static void take_interrupts(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    for (const int *s = interrupts; *s != 0; s++) {
        struct sigaction a = { .sa_handler = SIG_IGN };

        (void)sigaction(*s, NULL, &a);
        if (a.sa_handler != SIG_IGN) { /* nohup's choice stays */
            a = (struct sigaction){ .sa_handler = end_by_signal };
            (void)sigaction(*s, &a, NULL);
        }
        (void)sigaddset(&set, *s);
    }
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* The caller's uid and gid to themselves. Who may not write the map of a group must deny
 * setgroups() first (user_namespaces(7)).
 */
static int map_user(uid_t uid, gid_t gid)
{
    char line[64];
    int err;

    /* After a setuid() without exec, /proc/self would be root's. */
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    err = ho_os_write_file("/proc/self/setgroups", "deny");
    if (err != 0 && err != -ENOENT) {
        return err;
    }
    (void)snprintf(line, sizeof(line), "%u %u 1", (unsigned)uid, (unsigned)uid);
    err = ho_os_write_file("/proc/self/uid_map", line);
    if (err != 0) {
        return err;
    }
    (void)snprintf(line, sizeof(line), "%u %u 1", (unsigned)gid, (unsigned)gid);
    return ho_os_write_file("/proc/self/gid_map", line);
}

static int own_mounts(void)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        return errno == EINVAL ? 0 : -errno; /* a chroot whose root is no mount: without */
    }
    mounts_private = true;
    (void)ho_os_mount_proc(); /* refused where parts of /proc are hidden: ho_os_room_has_proc() */
    return 0;
}

static struct said furnish(bool user, uid_t uid, gid_t gid)
{
    struct said s = { .step = STEP_USER };

    s.err = user ? map_user(uid, gid) : 0;
    if (s.err == 0) {
        s.step = STEP_MOUNTS;
        s.err = own_mounts();
    }
    if (s.err == 0) {
        s.step = STEP_LO;
        s.err = ho_os_netns_lo_up();
    }
    if (s.err == 0) {
        s.step = STEP_DONE;
    }
    return s;
}

static bool tell(int fd, struct said s)
{
    return send(fd, &s, sizeof(s), MSG_NOSIGNAL) == (ssize_t)sizeof(s);
}

static void run_child(int fd, const struct ho_os_room_options *o, uid_t uid, gid_t gid,
                      int (*work)(void *arg), void *arg)
{
    char go;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (!tell(fd, (struct said){ .step = STEP_READY }) || read(fd, &go, 1) != 1) {
        _exit(1);
    }
    struct said s = { .step = STEP_DONE };

    if (!o->plain) {
        s = furnish(o->user_namespace, uid, gid);
    }

    take_interrupts();
    if (!tell(fd, s) || s.err != 0) {
        _exit(1);
    }
    (void)close(fd);
    _exit(work(arg) & 0xff);
}

/* ---- what is missing ------------------------------------------------------------------------- */

/* The number in a file of /proc/sys; -1: there is no such file. */
static long setting(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0) {
        (void)close(fd);
    }
    return n <= 0 ? -1 : strtol(text, NULL, 10);
}

/* The first setting that forbids it: as a sentence; NULL: none of those known. */
static const char *forbidden_by(bool user)
{
    static const struct {
        const char *path;
        long wrong; /* the value that forbids */
        bool user;  /* it matters for user namespaces only */
        const char *text;
    } known[] = {
        { "/proc/sys/user/max_user_namespaces", 0, true,
          "user.max_user_namespaces is 0; it must be greater" },
        { "/proc/sys/user/max_pid_namespaces", 0, false,
          "user.max_pid_namespaces is 0; it must be greater" },
        { "/proc/sys/user/max_mnt_namespaces", 0, false,
          "user.max_mnt_namespaces is 0; it must be greater" },
        { "/proc/sys/user/max_net_namespaces", 0, false,
          "user.max_net_namespaces is 0; it must be greater" },
        { "/proc/sys/kernel/unprivileged_userns_clone", 0, true,
          "kernel.unprivileged_userns_clone is 0; it must be 1 for anyone but root" },
        { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1, true,
          "kernel.apparmor_restrict_unprivileged_userns is 1; it must be 0 for anyone but root, or "
          "an AppArmor profile of this program must allow userns" },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if ((user || !known[i].user) && setting(known[i].path) == known[i].wrong) {
            return known[i].text;
        }
    }
    return NULL;
}

static void explain(char *why, bool user, enum step step, int err)
{
    static const char *const whats[] = {
        [STEP_READY] = "make namespaces",
        [STEP_USER] = "map the user into a user namespace",
        [STEP_MOUNTS] = "make the mounts of a namespace private",
        [STEP_LO] = "bring lo up in a network namespace",
    };
    const char *setting_text = forbidden_by(user);
    const char *what = user && step == STEP_READY ? "make namespaces without root" : whats[step];

    if (setting_text == NULL && err == -ENOSPC) {
        setting_text = "the limits of user.max_*_namespaces are used up, here or in a namespace "
                       "around this one, or namespaces are nested too deep";
    } else if (setting_text == NULL && (err == -EINVAL || err == -ENOSYS)) {
        setting_text = "the kernel has no user, pid or network namespaces (CONFIG_USER_NS, "
                       "CONFIG_PID_NS, CONFIG_NET_NS)";
    } else if (setting_text == NULL && (err == -EPERM || err == -EACCES)) {
        setting_text = "a container's rules (seccomp, AppArmor, SELinux) or a chroot forbid it";
    }
    ho_os_why(why, "cannot %s: %s%s%s", what, strerror(-err), setting_text != NULL ? ": " : "",
              setting_text != NULL ? setting_text : "");
}

/* ---- the maker ------------------------------------------------------------------------------- */

/* What the child says next; its end is an error too. */
static struct said hear(int fd)
{
    struct said s = { .step = STEP_READY, .err = -EIO };
    ssize_t n;

    do {
        n = recv(fd, &s, sizeof(s), 0);
    } while (n < 0 && errno == EINTR);
    return s;
}

static int start(struct ho_os_room *ret, const struct ho_os_room_options *o, int (*work)(void *arg),
                 void *arg, char *why)
{
    struct ho_os_room r = { .pidfd = -1, .user_namespace = o->user_namespace };
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        ho_os_why(why, "cannot make a pair of sockets: %s", strerror(errno));
        return -errno;
    }
    r.pid = ho_os_clone((o->plain ? 0UL : NAMESPACES) | (r.user_namespace ? CLONE_NEWUSER : 0UL),
                        &r.pidfd);
    if (r.pid == 0) {
        (void)close(pair[0]);
        run_child(pair[1], o, uid, gid, work, arg);
    }
    (void)close(pair[1]);
    struct said s = { .step = STEP_READY, .err = r.pid < 0 ? r.pid : 0 };

    if (s.err == 0) {
        s = hear(pair[0]);
    }
    if (s.err == 0) {
        s.err = send(pair[0], "", 1, MSG_NOSIGNAL) == 1 ? 0 : -EIO;
    }
    if (s.err == 0) {
        s = hear(pair[0]);
    }
    (void)close(pair[0]);
    if (s.err != 0) {
        explain(why, r.user_namespace, s.step, s.err);
        if (r.pid > 0) {
            ho_os_room_free(&r);
        }
        return s.err;
    }
    *ret = r;
    return 0;
}

int ho_os_room_start(struct ho_os_room *ret, const struct ho_os_room_options *options,
                     int (*work)(void *arg), void *arg, char *why)
{
    struct ho_os_room_options o = { .user_namespace = options != NULL && options->user_namespace,
                                    .plain = options != NULL && options->plain };
    int err = start(ret, &o, work, arg, why);

    if (err == -EPERM && !o.user_namespace && !o.plain) { /* CAP_SYS_ADMIN is missing */
        o.user_namespace = true;
        err = start(ret, &o, work, arg, why);
    }
    return err;
}

/* What a terminal sends goes to the whole process group; what kill(1) sends to us alone. */
static void pass_on(struct ho_os_room *r, int fd)
{
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_code != SI_KERNEL) {
            (void)ho_os_room_signal(r, (int)info.ssi_signo);
        }
        if (r->signal == 0) {
            r->signal = (int)info.ssi_signo;
        }
    }
}

int ho_os_room_wait(struct ho_os_room *r, struct ho_os_exit *ret)
{
    sigset_t before;
    int fd = -1;

    if (r->pid == 0) {
        return -ESRCH;
    }
    (void)sigprocmask(SIG_BLOCK, NULL, &before);
    int err = ho_os_signals_open(&fd, interrupts);

    if (err == 0) {
        struct pollfd p[2] = { { .fd = r->pidfd, .events = POLLIN },
                               { .fd = fd, .events = POLLIN } };

        while (p[0].revents == 0 && (poll(p, 2, -1) > 0 || errno == EINTR)) {
            pass_on(r, fd);
        }
        (void)close(fd);
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
    }
    err = ho_os_reap(r->pid, 0, ret); /* without a descriptor left: signals act as they do */
    r->pid = 0;
    return err;
}

int ho_os_room_poll(struct ho_os_room *r, struct ho_os_exit *ret)
{
    int err = r->pid == 0 ? -ESRCH : ho_os_reap(r->pid, WNOHANG, ret);

    if (err == 0) {
        r->pid = 0;
    }
    return err;
}

int ho_os_room_signal(const struct ho_os_room *r, int signal)
{
    return r->pid == 0 ? -ESRCH : ho_os_pidfd_signal(r->pidfd, signal);
}

void ho_os_room_free(struct ho_os_room *r)
{
    struct ho_os_exit ignored;

    if (r == NULL) {
        return;
    }
    if (r->pid != 0) {
        (void)ho_os_pidfd_signal(r->pidfd, SIGKILL);
        (void)ho_os_reap(r->pid, 0, &ignored);
        r->pid = 0;
    }
    if (r->pidfd >= 0) {
        (void)close(r->pidfd);
        r->pidfd = -1;
    }
}

/* ---- inside ---------------------------------------------------------------------------------- */

bool ho_os_room_has_proc(void)
{
    char text[32] = "";
    ssize_t n = readlink("/proc/self", text, sizeof(text) - 1);

    return n > 0 && strtol(text, NULL, 10) == getpid();
}

/* A bind mount needs a path to mount from. A tmpfs lies over /proc, which every machine has, for as
 * long as it takes to write the file and to bind it; the file then lives by the bind alone.
 */
int ho_os_room_file(const char *path, const char *text)
{
    if (!mounts_private) {
        return -EPERM;
    }
    if (access(path, F_OK) != 0) {
        return -ENOENT;
    }
    if (mount("file", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4m,mode=755") !=
        0) {
        return -errno;
    }
    int fd = open("/proc/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    size_t len = strlen(text);
    int err = fd < 0 ? -errno : write(fd, text, len) == (ssize_t)len ? 0 : -ENOSPC;

    if (fd >= 0) {
        (void)close(fd);
    }
    if (err == 0) {
        (void)umount2(path, MNT_DETACH); /* that of an earlier call */
        err = mount("/proc/file", path, NULL, MS_BIND, NULL) == 0 ? 0 : -errno;
    }
    (void)umount2("/proc", MNT_DETACH);
    return err;
}

int ho_os_room_hosts(const char *text)
{
    return ho_os_room_file("/etc/hosts", text);
}

int ho_os_room_memory(const char *const *dirs, const char **ret_dir)
{
    if (!mounts_private) {
        return -EPERM;
    }
    for (; *dirs != NULL; dirs++) {
        struct stat st;

        if (stat(*dirs, &st) != 0 || !S_ISDIR(st.st_mode)) {
            continue;
        }
        if (mount("memory", *dirs, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0) {
            return -errno;
        }
        *ret_dir = *dirs;
        return 0;
    }
    return -ENOENT;
}
