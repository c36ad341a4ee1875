/* Running a guest, from outside. See kernel/guest.h.
 *
 * The kernel is a child that leads a process group of its own, since it starts a process for each
 * address space inside: SIGTERM makes it end those and itself, and so does the death of this
 * process. What is left of the group is killed.
 *
 * A kernel that computes for ever - a program inside that waits by asking for the time - shows no
 * progress while it uses the processor; one that uses none has no timer left to wait for. Both are
 * told from a kernel that only has to share the processor with others.
 */

#include "kernel/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/guest_files.h"
#include "os/clock.h"
#include "os/folder.h"
#include "os/loop.h"

#define MEMORY "mem=1G" /* of the guest: what is not touched is not there */
#define INIT ("init=" HO_GUEST_HERE "/init")
#define ROOM_BYTES (UINT64_C(256) << 20) /* what a folder for it must have at least */
#define LOOK_MS 500                      /* between two looks at the progress */
#define STARVED_S 20 /* times patience: without progress, whatever processors do */
#define CONSOLE_MAX (UINT64_C(4) << 20)

struct guest {
    const struct ho_guest_job *job;
    struct ho_os_folder folder;
    char cwd[HO_OS_PATH];
    pid_t pid; /* 0: none */
    int signals;
    int out;         /* the folder out */
    int64_t seen_ns; /* of CLOCK_MONOTONIC: the last progress */
    int64_t used_ns; /* of processors, by then */
    struct timespec progress;
    char *why;
};

static int fail(const struct guest *g, int err, const char *what)
{
    (void)snprintf(g->why, HO_GUEST_WHY, "%.900s: %s", what, strerror(-err));
    return err;
}

/* ---- the folder ------------------------------------------------------------------------------ */

/* The kernel maps its memory from a file there, with the right to execute. */
static bool is_fit(const char *dir)
{
    struct statvfs s;

    return dir != NULL && dir[0] == '/' && access(dir, W_OK | X_OK) == 0 && statvfs(dir, &s) == 0 &&
           (s.f_flag & ST_NOEXEC) == 0 && (uint64_t)s.f_bavail * s.f_frsize >= ROOM_BYTES;
}

static int make_folder(struct guest *g)
{
    const char *const dirs[] = { g->job->parent, getenv("XDG_RUNTIME_DIR"), "/dev/shm",
                                 getenv("TMPDIR"), "/tmp" };

    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        if (is_fit(dirs[i]) && ho_os_folder_new(&g->folder, dirs[i], "halfopen-guest") == 0) {
            return 0;
        }
    }
    (void)snprintf(
        g->why, HO_GUEST_WHY,
        "no folder for a virtual kernel: neither XDG_RUNTIME_DIR nor /dev/shm nor TMPDIR "
        "nor /tmp is writable, allows to execute, and has 256 MB left");
    return -EACCES;
}

static int link_program(const struct guest *g)
{
    char path[HO_OS_PATH] = "";

    if (g->job->program != NULL) {
        return realpath(g->job->program, path) != NULL &&
                       symlinkat(path, g->folder.lock, "init") == 0
                   ? 0
                   : -errno;
    }
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    return n > 0 && symlinkat(path, g->folder.lock, "init") == 0 ? 0 : -errno;
}

static int fill_folder(struct guest *g)
{
    struct ho_text job = { 0 };
    int err = mkdirat(g->folder.lock, "tmp", 0700) == 0 ? 0 : -errno;

    err = err == 0 && mkdirat(g->folder.lock, "out", 0700) != 0 ? -errno : err;
    if (err == 0) {
        g->out = openat(g->folder.lock, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        err = g->out < 0 ? -errno : link_program(g);
    }
    if (err == 0 && getcwd(g->cwd, sizeof(g->cwd)) == NULL) {
        err = -errno;
    }
    ho_guest_put_job(&job, g->job, g->cwd, g->folder.path);
    err = err != 0 ? err : ho_text_err(&job);
    err = err != 0 ? err : ho_os_folder_write(&g->folder, "job", ho_text_str(&job), job.len, 0600);
    ho_text_free(&job);
    return err;
}

/* ---- the kernel's process -------------------------------------------------------------------- */

/* The kernel keeps a file of the machine's open for as long as it knows its inode. */
static void allow_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* Never returns. What is in the command line and the environment is the same for every guest with
 * this seed.
 */
static void exec_kernel(const struct guest *g, pid_t maker)
{
    static const char *const fixed[] = { MEMORY,
                                         "uml_dir=tmp",
                                         "umid=vt",
                                         "root=/dev/root",
                                         "rootfstype=hostfs",
                                         "rootflags=/",
                                         "ro",
                                         "time-travel-start=1700000000000000000",
                                         "con=null",
                                         "con0=null,fd:1",
                                         "quiet",
                                         "panic=-1",
                                         INIT };
    char *argv[24] = { (char *)(size_t) "linux" };
    char seed[48];
    char *const env[] = { seed, (char *)(size_t) "TMPDIR=tmp", (char *)(size_t) "HOME=/", NULL };
    size_t n = 1;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int console =
        openat(g->folder.lock, "console", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    sigset_t none;

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    (void)snprintf(seed, sizeof(seed), "HALFOPEN_SEED=%" PRIu64, g->job->seed);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        argv[n++] = (char *)(size_t)fixed[i];
    }
    argv[n++] = (char *)(size_t)(g->job->spin ? "time-travel" : "time-travel=inf-cpu");
    argv[n++] = (char *)(size_t) "--";
    argv[n++] = (char *)(size_t) "guest";
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (getppid() != maker || fchdir(g->folder.lock) != 0 || dup2(null, 0) < 0 ||
        dup2(console, 1) < 0 || dup2(console, 2) < 0) {
        _exit(127);
    }
    (void)syscall(SYS_close_range, 3U, ~0U, 0U);
    allow_files();
    (void)personality(ADDR_NO_RANDOMIZE);
    (void)execve(g->job->kernel, argv, env);
    dprintf(2, "%s: %s\n", g->job->kernel, strerror(errno));
    _exit(127);
}

static int start(struct guest *g)
{
    pid_t maker = getpid();

    g->pid = fork();
    if (g->pid == 0) {
        exec_kernel(g, maker);
    }
    if (g->pid < 0) {
        g->pid = 0;
        return -errno;
    }
    (void)setpgid(g->pid, g->pid);
    return 0;
}

/* Asks the kernel to end; then no longer asks. */
static void stop(struct guest *g)
{
    static const struct timespec nap = { .tv_nsec = 10000000 };

    if (g->pid == 0) {
        return;
    }
    (void)kill(g->pid, SIGTERM);
    for (int i = 0; i < 100 && waitpid(g->pid, NULL, WNOHANG) == 0; i++) {
        (void)nanosleep(&nap, NULL);
    }
    (void)kill(-g->pid, SIGKILL);
    while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    g->pid = 0;
}

/* ---- does it get on? ------------------------------------------------------------------------- */

/* User and system time of a process, if it is of the group; 0 otherwise (proc(5), stat). */
static int64_t used_by(const char *pid, pid_t group)
{
    char path[64], text[1024];
    long long utime = 0, stime = 0;
    int pgrp = 0;

    (void)snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0) {
        (void)close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    const char *at = strrchr(text, ')');

    if (at == NULL ||
        sscanf(at + 1, " %*c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &pgrp, &utime,
               &stime) != 3 ||
        pgrp != group) {
        return 0;
    }
    return (utime + stime) * (HO_NS_PER_S / sysconf(_SC_CLK_TCK));
}

static int64_t used_by_group(pid_t group)
{
    DIR *d = opendir("/proc");
    const struct dirent *e;
    int64_t sum = 0;

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9') {
            sum += used_by(e->d_name, group);
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return sum;
}

/* It changes as time passes inside, and when something is said or handed back. */
static struct timespec last_change(const struct guest *g)
{
    static const char *const names[] = { "progress", "result.part", "said" };
    struct timespec last = { 0 };
    struct stat s;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (fstatat(g->out, names[i], &s, 0) == 0 &&
            (s.st_mtim.tv_sec > last.tv_sec ||
             (s.st_mtim.tv_sec == last.tv_sec && s.st_mtim.tv_nsec > last.tv_nsec))) {
            last = s.st_mtim;
        }
    }
    return last;
}

static bool is_stuck(struct guest *g)
{
    int64_t patience =
        g->job->patience.ns > 0 ? g->job->patience.ns : HO_GUEST_PATIENCE_S * HO_NS_PER_S;
    struct timespec last = last_change(g);
    int64_t now = ho_os_now().ns;

    if (last.tv_sec != g->progress.tv_sec || last.tv_nsec != g->progress.tv_nsec) {
        g->progress = last;
        g->seen_ns = now;
        g->used_ns = -1;
        return false;
    }
    if (g->used_ns < 0) {
        g->used_ns = used_by_group(g->pid);
    }
    if (now - g->seen_ns < patience) {
        return false;
    }
    int64_t used = used_by_group(g->pid) - g->used_ns;

    /* It computes as much as it was given time for, or nothing at all. */
    return used > patience * 2 / 3 || used < patience / 100 ||
           now - g->seen_ns > STARVED_S * patience;
}

static int stuck(struct guest *g)
{
    int64_t patience =
        g->job->patience.ns > 0 ? g->job->patience.ns : HO_GUEST_PATIENCE_S * HO_NS_PER_S;
    bool computes = used_by_group(g->pid) - g->used_ns >= patience / 100;

    (void)snprintf(g->why, HO_GUEST_WHY,
                   "the virtual kernel made no progress for %d s and was ended: %s",
                   (int)(patience / HO_NS_PER_S),
                   computes && !g->job->spin
                       ? "does a program in it wait by asking for the time again and again? "
                         "With --spin computing takes time"
                   : computes ? "something in it computes for ever"
                              : "everything in it waits for something that never happens");
    stop(g);
    return -ETIMEDOUT;
}

/* ---- until it ends --------------------------------------------------------------------------- */

static int wait_end(struct guest *g, int *ret_status, int *ret_signal)
{
    struct pollfd p = { .fd = g->signals, .events = POLLIN };
    int signal;

    g->seen_ns = ho_os_now().ns;
    g->used_ns = -1;
    for (;;) {
        (void)poll(&p, 1, LOOK_MS);
        while ((signal = ho_os_signals_read(g->signals)) > 0) {
            if (signal != SIGCHLD) {
                *ret_signal = signal;
                stop(g);
                return fail(g, -EINTR, "the virtual kernel was ended");
            }
        }
        if (waitpid(g->pid, ret_status, WNOHANG) == g->pid) {
            (void)kill(-g->pid, SIGKILL);
            g->pid = 0;
            return 0;
        }
        if (is_stuck(g)) {
            return stuck(g);
        }
    }
}

/* ---- what came of it ------------------------------------------------------------------------- */

static int cut_parts(struct ho_guest_result *r, const struct ho_text *text)
{
    uint64_t len[HO_GUEST_PARTS];
    size_t at = 0;
    int err = ho_guest_read_head(ho_text_str(text), &r->code, len, &at);

    for (size_t i = 0; err == 0 && i < HO_GUEST_PARTS; i++) {
        if (len[i] > text->len - at) {
            return -EINVAL;
        }
        ho_text_bytes(&r->part[i], ho_text_str(text) + at, (size_t)len[i]);
        at += (size_t)len[i];
        err = ho_text_err(&r->part[i]);
    }
    return err;
}

static int no_result(const struct guest *g, int status, struct ho_guest_result *r)
{
    struct ho_text console = { 0 };
    char blame[HO_GUEST_WHY];

    (void)ho_guest_load(&console, g->folder.lock, "console", CONSOLE_MAX);
    ho_guest_blame(blame, ho_text_str(&console));
    ho_text_free(&console);
    if (r->said.len > 0) { /* of the program inside: it knows best */
        (void)snprintf(g->why, HO_GUEST_WHY,
                       "the virtual kernel ended before it was done; inside: %s",
                       ho_text_str(&r->said));
        g->why[strcspn(g->why, "\n")] = '\0';
    } else {
        (void)snprintf(g->why, HO_GUEST_WHY,
                       "the virtual kernel ended before it was done (%s %d): "
                       "%.900s",
                       WIFSIGNALED(status) ? "signal" : "status",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), blame);
    }
    return -EIO;
}

static int read_result(const struct guest *g, int status, struct ho_guest_result *ret)
{
    struct ho_guest_result r = { .code = 0 };
    struct ho_text text = { 0 };
    int err = ho_guest_load(&text, g->out, "result", HO_GUEST_RESULT_MAX);

    (void)ho_guest_load(&r.said, g->out, "said", CONSOLE_MAX);
    err = err == -ENOMEM ? err : err != 0 ? no_result(g, status, &r) : cut_parts(&r, &text);
    if (err == -EINVAL) {
        err = fail(g, -EIO, "the guest's result cannot be read");
    }
    ho_text_free(&text);
    if (err != 0) {
        ho_guest_result_free(&r);
        return err;
    }
    *ret = r;
    return 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

int ho_guest_run(const struct ho_guest_job *job, struct ho_guest_result *ret, int *ret_signal,
                 char why[HO_GUEST_WHY])
{
    static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD, 0 };
    struct guest g = { .job = job, .out = -1, .signals = -1, .why = why };
    sigset_t before;
    int status = 0;
    int err;

    (void)snprintf(why, HO_GUEST_WHY, "no memory");
    (void)sigprocmask(SIG_BLOCK, NULL, &before);
    err = ho_os_signals_open(&g.signals, wanted);
    if (err == 0) {
        err = make_folder(&g);
    }
    if (err == 0) {
        err = fill_folder(&g);
        err = err != 0 ? fail(&g, err, g.folder.path) : start(&g);
    }
    err = err != 0 ? err : wait_end(&g, &status, ret_signal);
    err = err != 0 ? err : read_result(&g, status, ret);
    stop(&g);
    if (g.out >= 0) {
        (void)close(g.out);
    }
    ho_os_folder_remove(&g.folder);
    if (g.signals >= 0) {
        (void)close(g.signals);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return err;
}

void ho_guest_result_free(struct ho_guest_result *r)
{
    for (size_t i = 0; i < HO_GUEST_PARTS; i++) {
        ho_text_free(&r->part[i]);
    }
    ho_text_free(&r->said);
}
