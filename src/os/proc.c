/* Children, and the small init above a command. See os/proc.h.
 *
 *     relay --control--> init (pid 1 of a pid namespace) --> command --> what it starts
 *
 * The init sleeps in poll() for two things: its children's ends, and the relay's orders. It says
 * how the command ended, and is gone when no child is left.
 */

#include "os/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/become.h"
#include "os/clone.h"

static const struct ho_os_child nobody = { .pidfd = -1, .control = -1 };

/* After clone(): hears how it went, and takes the child back if it did not. */
static int settle(struct ho_os_child *ret, struct ho_os_child *c, const int pipe[2],
                  const struct ho_os_spawn *s, const char *command, char *why)
{
    int err = c->pid < 0 ? c->pid : 0;

    (void)close(pipe[1]);
    if (err != 0) {
        ho_os_why(why, "cannot make a process: error %d", -err);
        c->pid = 0;
    } else {
        err = ho_os_become_hear(pipe[0], s, command, why);
    }
    (void)close(pipe[0]);
    if (err != 0) {
        ho_os_child_free(c);
        return err;
    }
    *ret = *c;
    return 0;
}

int ho_os_spawn_call(struct ho_os_child *ret, const struct ho_os_spawn *s,
                     int (*main_of_it)(void *arg), void *arg, char *why)
{
    struct ho_os_child c = nobody;
    int pipe[2];

    if (pipe2(pipe, O_CLOEXEC) != 0) {
        ho_os_why(why, "cannot make a pipe");
        return -errno;
    }
    c.pid = ho_os_clone(0, &c.pidfd);
    if (c.pid == 0) {
        int report = pipe[1];
        struct ho_os_become_said said = ho_os_become(s, s->drop, &report);

        if (said.err != 0) {
            ho_os_become_fail(report, said);
        }
        (void)close(report);
        _exit(main_of_it(arg) & 0xff);
    }
    return settle(ret, &c, pipe, s, NULL, why);
}

/* ---- the init of a command ------------------------------------------------------------------- */

struct init {
    int control, children; /* the relay, a signalfd of SIGCHLD */
    pid_t command;         /* 0: it has ended */
};

/* What the init says of the command. */
struct told {
    struct ho_os_exit exit;
    bool last; /* nothing of it is left */
};

/* Reaps what has ended. Returns false when no child is left. */
static bool reap_all(struct init *in)
{
    struct signalfd_siginfo info;
    struct told told = { .last = false };
    bool ended = false;
    int status = 0;
    pid_t pid;

    while (read(in->children, &info, sizeof(info)) > 0) {
    }
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == in->command) {
            in->command = 0;
            ended = true;
            told.exit = (struct ho_os_exit){ .status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                                             .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0 };
        }
    }
    if (ended) {
        told.last = pid < 0;
        (void)send(in->control, &told, sizeof(told), MSG_NOSIGNAL);
    }
    return pid == 0;
}

static void obey(const struct init *in)
{
    int signal;

    while (recv(in->control, &signal, sizeof(signal), MSG_DONTWAIT) == (ssize_t)sizeof(signal)) {
        if (signal == SIGSTOP || signal == SIGCONT) {
            (void)kill(-1, signal); /* everybody of this pid namespace but the init */
        } else if (in->command != 0) {
            (void)kill(in->command, signal);
        }
    }
}

static void run_command(const struct ho_os_spawn *s, char *const *argv, char *const *env,
                        int report)
{
    struct ho_os_become_said said = ho_os_become(s, true, &report);

    if (said.err == 0) {
        if (env != NULL) {
            environ = (char **)(uintptr_t)env; /* execvp() looks for PATH there */
        }
        (void)execvp(argv[0], argv);
        said = (struct ho_os_become_said){ .step = HO_OS_BECOME_EXEC, .err = -errno };
    }
    ho_os_become_fail(report, said);
}

/* Only what the init needs stays open: it must not keep anybody else's socket. */
static void keep_only(int *a, int *b)
{
    int high_a = fcntl(*a, F_DUPFD_CLOEXEC, 3);
    int high_b = fcntl(*b, F_DUPFD_CLOEXEC, 3);

    (void)dup2(high_a, 0);
    (void)dup2(high_b, 1);
    (void)syscall(SYS_close_range, 2U, ~0U, 0);
    *a = 0;
    *b = 1;
}

static void run_init(const struct ho_os_spawn *s, char *const *argv, char *const *env, int control,
                     int report)
{
    struct init in = { .control = control };
    sigset_t all, child;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)prctl(PR_SET_NAME, "init", 0, 0, 0);
    (void)setsid();
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)ho_os_mount_proc(); /* refused where parts of /proc are hidden: the room's stays */
    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    in.children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    in.command = in.children < 0 ? -1 : fork();
    if (in.command == 0) {
        run_command(s, argv, env, report);
    }
    if (in.command < 0) {
        ho_os_become_fail(report,
                          (struct ho_os_become_said){ .step = HO_OS_BECOME_FORK, .err = -errno });
    }
    keep_only(&in.control, &in.children);
    struct pollfd p[2] = { { .fd = in.control, .events = POLLIN },
                           { .fd = in.children, .events = POLLIN } };

    while (reap_all(&in)) {
        (void)poll(p, 2, -1);
        if ((p[0].revents & POLLHUP) != 0) {
            p[0].fd = -1; /* the relay has let go of us; its end ends us */
        }
        obey(&in);
    }
    _exit(0);
}

int ho_os_spawn_exec(struct ho_os_child *ret, const struct ho_os_spawn *s, char *const *argv,
                     char *const *env, char *why)
{
    struct ho_os_child c = nobody;
    int pair[2], pipe[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        ho_os_why(why, "cannot make a pair of sockets");
        return -errno;
    }
    if (pipe2(pipe, O_CLOEXEC) != 0) {
        int err = -errno;

        ho_os_why(why, "cannot make a pipe");
        (void)close(pair[0]);
        (void)close(pair[1]);
        return err;
    }
    c.control = pair[0];
    c.pid = ho_os_clone(CLONE_NEWPID | CLONE_NEWNS, &c.pidfd);
    if (c.pid == 0) {
        run_init(s, argv, env, pair[1], pipe[1]);
    }
    (void)close(pair[1]);
    return settle(ret, &c, pipe, s, argv[0], why);
}

/* ---- the relay's side ------------------------------------------------------------------------ */

int ho_os_child_signal(struct ho_os_child *c, int signal)
{
    if (c->pid == 0) {
        return -ESRCH;
    }
    if (c->control < 0 || signal == SIGKILL) {
        return ho_os_pidfd_signal(c->pidfd, signal);
    }
    return send(c->control, &signal, sizeof(signal), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -ESRCH : 0;
}

int ho_os_child_command_exit(struct ho_os_child *c, struct ho_os_exit *ret)
{
    if (!c->ended && c->control >= 0) {
        struct told told;

        c->ended = recv(c->control, &told, sizeof(told), MSG_DONTWAIT) == (ssize_t)sizeof(told);
        if (c->ended) {
            c->exit = told.exit;
            c->last = told.last;
        }
    }
    if (c->ended) {
        *ret = c->exit;
    }
    return c->ended ? 0 : -EAGAIN;
}

int ho_os_child_exit(struct ho_os_child *c, struct ho_os_exit *ret)
{
    struct ho_os_exit end;
    int err = c->pid == 0 ? -ESRCH : ho_os_reap(c->pid, WNOHANG, &end);

    if (err != 0) {
        return err;
    }
    c->pid = 0;
    if (end.signal == 0) {
        (void)ho_os_child_command_exit(c, &end);
    }
    *ret = end;
    return 0;
}

void ho_os_child_free(struct ho_os_child *c)
{
    struct ho_os_exit ignored;

    if (c == NULL) {
        return;
    }
    if (c->pid > 0) {
        (void)ho_os_pidfd_signal(c->pidfd, SIGKILL);
        (void)ho_os_reap(c->pid, 0, &ignored);
    }
    if (c->pidfd >= 0) {
        (void)close(c->pidfd);
    }
    if (c->control >= 0) {
        (void)close(c->control);
    }
    *c = nobody;
}
