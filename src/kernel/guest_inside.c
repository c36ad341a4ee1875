/* A guest from inside: pid 1 of the virtual kernel. See kernel/guest.h.
 *
 * The kernel has mounted the machine's root read-only (hostfs). Over it comes an overlay whose
 * upper layer is memory: the machine's files, writable for the guest alone. Only the folder `out`
 * is mounted for writing as well, at a place that has no name once the overlay is the root: results
 * leave through a descriptor of it.
 *
 * A child writes a file there as time passes: often at first, then each time a sixteenth of the
 * time so far is over. Its instants are the same in every run, since each of them wakes the kernel,
 * which draws on that for its random numbers.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernel/guest_files.h"
#include "os/clock.h"
#include "os/jiffies.h"
#include "os/sched.h"

#define JOB_MAX (UINT64_C(16) << 20)
#define FILES 65536  /* a process may have open */
#define STAGE "/tmp" /* of the root that is left */

bool ho_guest_is(int argc, char *const *argv)
{
    return getpid() == 1 && argc >= 2 && strcmp(argv[1], "guest") == 0 &&
           access(HO_GUEST_HERE "/job", R_OK) == 0;
}

static int fail(char why[HO_GUEST_WHY], const char *what, const char *of)
{
    int err = errno;

    (void)snprintf(why, HO_GUEST_WHY, "inside the guest: %s %.900s: %s", what, of, strerror(err));
    return -err;
}

/* ---- mounts ---------------------------------------------------------------------------------- */

struct mount {
    const char *type, *at, *data;
    unsigned long flags;
};

static int mount_all(const struct mount *m, size_t n, char why[HO_GUEST_WHY])
{
    for (size_t i = 0; i < n; i++) {
        (void)mkdir(m[i].at, 0755);
        if (mount(m[i].type, m[i].at, m[i].type, m[i].flags, m[i].data) != 0) {
            return fail(why, "mount", m[i].at);
        }
    }
    return 0;
}

static int mount_stage(const char *out, char why[HO_GUEST_WHY])
{
    static const struct mount stage = { "tmpfs", STAGE, "mode=755", 0 };
    static const char *const dirs[] = { STAGE "/upper", STAGE "/work" };
    const struct mount rest[] = {
        { "hostfs", STAGE "/out", out, MS_NOSUID | MS_NODEV },
        { "overlay", STAGE "/root",
          "lowerdir=/,upperdir=" STAGE "/upper,workdir=" STAGE "/work,index=off,metacopy=off", 0 },
    };
    int err = mount_all(&stage, 1, why);

    for (size_t i = 0; err == 0 && i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        err = mkdir(dirs[i], 0755) == 0 ? 0 : fail(why, "mkdir", dirs[i]);
    }
    return err != 0 ? err : mount_all(rest, sizeof(rest) / sizeof(rest[0]), why);
}

/* What a machine's own are, not files of the disk's. */
static int mount_own(char why[HO_GUEST_WHY])
{
    static const struct mount own[] = {
        { "proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
        { "sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
        { "devtmpfs", "/dev", "mode=755", MS_NOSUID },
        { "devpts", "/dev/pts", "mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC },
        { "tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV },
    };
    static const char *const links[][2] = { { "/proc/self/fd", "/dev/fd" },
                                            { "/proc/self/fd/0", "/dev/stdin" },
                                            { "/proc/self/fd/1", "/dev/stdout" },
                                            { "/proc/self/fd/2", "/dev/stderr" } };
    static const char *const nodes[] = { "/dev/null",    "/dev/zero", "/dev/full",   "/dev/random",
                                         "/dev/urandom", "/dev/tty",  "/dev/net/tun" };
    int err = mount_all(own, sizeof(own) / sizeof(own[0]), why);

    for (size_t i = 0; err == 0 && i < sizeof(links) / sizeof(links[0]); i++) {
        (void)symlink(links[i][0], links[i][1]);
    }
    for (size_t i = 0; err == 0 && i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        (void)chmod(nodes[i], 0666);
    }
    return err;
}

/* The overlay becomes the root, as switch_root(8) does it. */
static int enter_root(char why[HO_GUEST_WHY])
{
    if (chdir(STAGE "/root") != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 ||
        chroot(".") != 0 || chdir("/") != 0) {
        return fail(why, "enter", STAGE "/root");
    }
    return mount_own(why);
}

/* ---- progress -------------------------------------------------------------------------------- */

static void write_progress(int out, int64_t ns)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%lld\n", (long long)ns);
    int fd = openat(out, "progress", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd >= 0) {
        (void)!write(fd, text, (size_t)len);
        (void)fsync(fd);
        (void)close(fd);
    }
}

static void show_progress(int out)
{
    pid_t child = fork();

    if (child != 0) {
        return;
    }
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
    for (int64_t next = HO_NS_PER_S;; next += HO_NS_PER_S + next / 16) {
        ho_os_sleep_until((struct ho_time){ next });
        write_progress(out, next);
    }
}

/* ---- the beginning --------------------------------------------------------------------------- */

static int read_job(struct ho_guest_inside *g, const char **ret_cwd, const char **ret_folder,
                    char why[HO_GUEST_WHY])
{
    struct ho_text text = { 0 };
    int err = ho_guest_load(&text, AT_FDCWD, HO_GUEST_HERE "/job", JOB_MAX);

    if (err == 0) {
        ho_text_char(&text, '\0');
        err = ho_text_err(&text);
    }
    err = err != 0 ? err : ho_guest_read_job(g, text.s, text.len - 1, ret_cwd, ret_folder);
    if (err != 0) {
        ho_text_free(&text);
        errno = -err;
        return fail(why, "read", "the job");
    }
    return 0;
}

static int take_stdio(int out)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int said = openat(out, "said", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    bool done =
        null >= 0 && said >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(said, 2) == 2;

    (void)close(null);
    (void)close(said);
    return done ? 0 : -EBADF;
}

static void set_limits(void)
{
    static const struct rlimit files = { FILES, FILES };

    (void)setrlimit(RLIMIT_NOFILE, &files);
    (void)sethostname("guest", 5);
    (void)umask(022);
}

int ho_guest_begin(struct ho_guest_inside *ret, char why[HO_GUEST_WHY])
{
    struct ho_guest_inside g = { .out = -1 };
    const char *cwd = "", *folder = "";
    char out[4096];
    int err = read_job(&g, &cwd, &folder, why);

    if (err != 0) {
        return err;
    }
    (void)snprintf(out, sizeof(out), "%s/out", folder);
    err = mount_stage(out, why);
    if (err == 0) {
        g.out = open(STAGE "/out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        err = g.out < 0 ? fail(why, "open", out) : enter_root(why);
    }
    if (err == 0 && take_stdio(g.out) != 0) {
        err = fail(why, "open", "stdin, stdout and stderr");
    }
    if (err == 0 && chdir(cwd) != 0) {
        err = fail(why, "enter", cwd);
    }
    if (err == 0) {
        set_limits();
        (void)ho_os_sched_softirqs(); /* each look of ours at the clock would delay what it does */
        show_progress(g.out);
        *ret = g;
    }
    return err;
}

/* ---- the end --------------------------------------------------------------------------------- */

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        bytes += n < 0 ? 0 : n;
        len -= n < 0 ? 0 : (size_t)n;
    }
    return 0;
}

int ho_guest_hand_back(const struct ho_guest_inside *g, int code,
                       const struct ho_text part[HO_GUEST_PARTS])
{
    struct ho_text head = { 0 };
    int fd = openat(g->out, "result.part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int err = fd < 0 ? -errno : 0;

    ho_guest_put_head(&head, code, part);
    err = err != 0 ? err : ho_text_err(&head);
    err = err != 0 ? err : write_all(fd, ho_text_str(&head), head.len);
    for (size_t i = 0; err == 0 && i < HO_GUEST_PARTS; i++) {
        err = write_all(fd, ho_text_str(&part[i]), part[i].len);
    }
    if (err == 0 && fsync(fd) != 0) {
        err = -errno;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (err == 0 && renameat(g->out, "result.part", g->out, "result") != 0) {
        err = -errno;
    }
    ho_text_free(&head);
    return err;
}

_Noreturn void ho_guest_end(void)
{
    (void)fsync(STDERR_FILENO);
    (void)reboot(RB_POWER_OFF);
    _exit(1);
}
