/* A child in a process group, a locked folder, and a pipe. */

#include "os/build.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 8

/* ---- the child ------------------------------------------------------------------------------- */

/* The recipe itself. Never returns. */
static void run_recipe(const struct ho_os_build *b, const char *const *args, int out)
{
    char script[HO_OS_PATH], config[HO_OS_PATH];
    char *argv[ARGS_MAX + 5] = { (char *)(size_t) "sh", script };
    int n = 2;
    int null = open("/dev/null", O_RDONLY);
    sigset_t none;

    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (ho_os_folder_file(script, &b->folder, "recipe.sh") != 0 ||
        ho_os_folder_file(config, &b->folder, "config") != 0 || null < 0 || dup2(null, 0) < 0 ||
        dup2(out, 1) < 0 || dup2(out, 2) < 0) {
        _exit(127);
    }
    for (; *args != NULL && n < ARGS_MAX + 2; args++) {
        argv[n++] = (char *)(size_t)*args;
    }
    argv[n++] = (char *)(size_t)b->folder.path;
    argv[n++] = config;
    execvp("sh", argv);
    _exit(127);
}

/* Waits for the recipe, which leads a process group. What a recipe starts would outlive its maker:
 * SIGTERM, which comes when the maker has died as well, kills the group, and without a maker the
 * folder is removed here. Never returns.
 */
static void keep_recipe(struct ho_os_build *b, const char *const *args, int out, pid_t maker)
{
    sigset_t wanted;
    int sig = 0;
    int status = 0;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGCHLD);
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    setpgid(0, 0); /* a terminal's signals are the maker's */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != maker) {
        _exit(127);
    }
    pid_t recipe = fork();

    if (recipe == 0) {
        run_recipe(b, args, out);
    }
    if (recipe > 0) {
        setpgid(recipe, recipe);
    }
    close(out);
    while (recipe > 0 && waitpid(recipe, &status, WNOHANG) != recipe) {
        if (sigwait(&wanted, &sig) == 0 && sig == SIGTERM) {
            kill(-recipe, SIGKILL);
        }
    }
    if (getppid() != maker) {
        ho_os_folder_remove(&b->folder);
    }
    _exit(recipe < 0 ? 127 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void end_signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGHUP);
}

static void hold_ends(struct ho_os_build *b)
{
    sigset_t ends;

    end_signals(&ends);
    sigprocmask(SIG_BLOCK, &ends, b->held ? NULL : &b->before);
    b->held = true;
}

int ho_os_build_start(struct ho_os_build *b, const char *parent, const char *script,
                      size_t script_len, const char *config, size_t config_len,
                      const char *const *args)
{
    int fds[2];
    int err;

    *b = (struct ho_os_build){ .out = -1 };
    err = ho_os_folder_new(&b->folder, parent, "building");
    if (err != 0) {
        return err;
    }
    hold_ends(b); /* else one that comes before ho_os_build_run() would kill the maker */
    err = ho_os_folder_write(&b->folder, "recipe.sh", script, script_len, 0600);
    err = err != 0 ? err : ho_os_folder_write(&b->folder, "config", config, config_len, 0600);
    err = err != 0 ? err : pipe2(fds, O_CLOEXEC) != 0 ? -errno : 0;
    if (err != 0) {
        ho_os_build_end(b);
        return err;
    }
    pid_t maker = getpid();

    b->pid = fork();
    if (b->pid == 0) {
        keep_recipe(b, args, fds[1], maker);
    }
    close(fds[1]);
    b->out = fds[0];
    if (b->pid < 0) {
        err = -errno;
        b->pid = 0;
        ho_os_build_end(b);
        return err;
    }
    return 0;
}

/* ---- its lines ------------------------------------------------------------------------------- */

static void keep_last(struct ho_os_build *b, const char *line, size_t len)
{
    size_t need = len + 1;

    if (need >= sizeof(b->last)) {
        return;
    }
    while (b->last_len + need >= sizeof(b->last)) {
        size_t first = (size_t)((char *)memchr(b->last, '\n', b->last_len) - b->last) + 1;

        memmove(b->last, b->last + first, b->last_len - first);
        b->last_len -= first;
    }
    memcpy(b->last + b->last_len, line, len);
    b->last_len += need;
    b->last[b->last_len - 1] = '\n';
    b->last[b->last_len] = '\0';
}

struct lines {
    char text[4096];
    size_t len;
};

static void take(struct ho_os_build *b, struct lines *l, void (*line)(void *, const char *),
                 void *self)
{
    char *end;

    while ((end = memchr(l->text, '\n', l->len)) != NULL || l->len == sizeof(l->text) - 1) {
        size_t n = end != NULL ? (size_t)(end - l->text) : l->len;

        l->text[n] = '\0';
        keep_last(b, l->text, n);
        line(self, l->text);
        n += end != NULL;
        memmove(l->text, l->text + n, l->len - n);
        l->len -= n;
    }
}

static int wait_child(struct ho_os_build *b)
{
    int status = 0;

    while (waitpid(b->pid, &status, 0) < 0 && errno == EINTR) {
    }
    b->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Until the pipe ends: the child and all it started have. Returns the signal that came, 0. */
static int read_all(struct ho_os_build *b, int signals, void (*line)(void *, const char *),
                    void *self)
{
    struct lines l = { .len = 0 };
    struct pollfd p[2] = { { .fd = b->out, .events = POLLIN },
                           { .fd = signals, .events = POLLIN } };
    struct signalfd_siginfo info;

    for (;;) {
        if (poll(p, 2, -1) < 0 && errno != EINTR) {
            return 0;
        }
        if (p[1].revents != 0 && read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
            return (int)info.ssi_signo;
        }
        if (p[0].revents != 0) {
            ssize_t n = read(b->out, l.text + l.len, sizeof(l.text) - 1 - l.len);

            if (n <= 0) {
                return 0;
            }
            l.len += (size_t)n;
            take(b, &l, line, self);
        }
    }
}

int ho_os_build_run(struct ho_os_build *b, void (*line)(void *self, const char *line), void *self,
                    int *ret_status)
{
    sigset_t ends;
    int signal, signals;

    end_signals(&ends);
    signals = signalfd(-1, &ends, SFD_CLOEXEC);
    if (signals < 0) {
        return -errno;
    }
    signal = read_all(b, signals, line, self);
    close(signals);
    if (signal != 0) {
        kill(b->pid, SIGTERM); /* the keeper ends the rest */
    }
    int status = wait_child(b);

    *ret_status = signal != 0 ? 128 + signal : status;
    return 0;
}

const char *ho_os_build_last(const struct ho_os_build *b)
{
    return b->last;
}

const char *ho_os_build_folder(const struct ho_os_build *b)
{
    return b->folder.path;
}

void ho_os_build_end(struct ho_os_build *b)
{
    hold_ends(b); /* a second Ctrl-C would leave half of it */
    if (b->pid > 0) {
        kill(b->pid, SIGTERM);
        wait_child(b);
    }
    if (b->out >= 0) {
        close(b->out);
    }
    ho_os_folder_remove(&b->folder);
    sigset_t before = b->before;

    *b = (struct ho_os_build){ .out = -1 };
    sigprocmask(SIG_SETMASK, &before, NULL);
}
