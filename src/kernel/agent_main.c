/* The agent's process: how it starts, what the relay asks for, its loop, how it ends.
 *
 * The loop sleeps in one epoll until a socket was woken, a time-out or a program's deadline has
 * come (a timerfd), or the relay wants something; it never looks at a clock to pass the time. In
 * one turn sockets come first, then the programs' own epolls, which is the order in which the model
 * wakes them, then time, then the relay.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "kernel/agent_child.h"
#include "os/sched.h"

static volatile sig_atomic_t continued; /* SIGCONT has come */

static void on_sigcont(int number)
{
    (void)number;
    continued = 1;
}

/* ---- time ------------------------------------------------------------------------------------ */

struct ho_time agent_monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (struct ho_time){ .ns = ts.tv_sec * HO_NS_PER_S + ts.tv_nsec };
}

struct ho_time agent_now(const struct agent *a)
{
    int64_t now = agent_monotonic().ns;

    return (struct ho_time){ .ns = now > a->time0_ns ? now - a->time0_ns : 0 };
}

/* When the agent must wake by itself, CLOCK_MONOTONIC. */
static struct ho_time deadline(const struct agent *a)
{
    struct ho_time at = ho_timerq_deadline(&a->timers);

    for (unsigned i = 0; i < HO_AGENT_PROGRAMS; i++) {
        const struct agent_program *g = &a->program[i];
        struct ho_time due;

        if (g->program == NULL || a->time0_ns == HO_AGENT_TIME_UNKNOWN) {
            continue;
        }
        due = ho_program_deadline(g->program);
        if (due.ns != HO_NEVER.ns) {
            due.ns = due.ns > INT64_MAX - a->time0_ns ? INT64_MAX : due.ns + a->time0_ns;
            at = ho_time_min(at, due);
        }
    }
    return at;
}

static void set_timer(struct agent *a)
{
    struct ho_time at = deadline(a);
    struct itimerspec it = { 0 };

    if (at.ns == a->armed.ns) {
        return;
    }
    a->armed = at;
    if (at.ns != HO_NEVER.ns) { /* all zero: off */
        it.it_value.tv_sec = at.ns / HO_NS_PER_S;
        it.it_value.tv_nsec = at.ns % HO_NS_PER_S;
        if (at.ns <= 0) {
            it.it_value.tv_sec = 0;
            it.it_value.tv_nsec = 1;
        }
    }
    timerfd_settime(a->timer, TFD_TIMER_ABSTIME, &it, NULL);
}

/* ---- programs -------------------------------------------------------------------------------- */

static void answer(struct agent *a, const struct ho_agent_request *r, int err, unsigned program,
                   const struct ho_program_error *error)
{
    struct ho_agent_msg m = agent_msg(a, NULL, r->answer ? HO_AGENT_ANSWER : HO_AGENT_REFUSED);

    m.program = program;
    m.err = -err;
    m.status = r->number;
    m.from = (int)error->arg;
    snprintf(m.u.text, sizeof(m.u.text), "%s", error->text);
    if (r->answer || err != 0) {
        agent_send(a, &m);
    }
}

void agent_exit(struct agent *a, struct agent_program *g, int status)
{
    struct ho_agent_msg m = agent_msg(a, g, HO_AGENT_EXITED);
    const struct ho_program_error none = { .text = "" };

    m.status = status;
    agent_send(a, &m);
    if (a->request != NULL) {
        answer(a, a->request, 0, m.program, &none); /* what was asked for is done */
    }
    _exit(status);
}

void agent_run(struct agent *a, struct agent_program *g)
{
    struct ho_op *op;
    int status;

    while (a->turn > 0) {
        ho_program_tick(g->program, agent_now(a)); /* that a call blocks is told with this time */
        op = ho_program_next_op(g->program);
        if (op == NULL) {
            break;
        }
        a->turn--;
        agent_start(a, g, op);
    }
    g->more = a->turn == 0;
    agent_tell_events(a, g);
    if (ho_program_exited(g->program, &status)) {
        agent_exit(a, g, status);
    }
}

static void tick(struct agent *a)
{
    for (unsigned i = 0; i < HO_AGENT_PROGRAMS; i++) {
        struct agent_program *g = &a->program[i];

        if (g->program != NULL && ho_time_reached(ho_program_deadline(g->program), agent_now(a))) {
            ho_program_tick(g->program, agent_now(a));
            agent_run(a, g);
        }
    }
}

/* Everything that needs no waiting. Returns true if the turn was over first. */
static bool settle(struct agent *a)
{
    bool more;

    do {
        more = agent_completed(a);
        for (unsigned i = 0; i < HO_AGENT_PROGRAMS; i++) {
            if (a->program[i].program != NULL && a->program[i].more && a->turn > 0) {
                agent_run(a, &a->program[i]);
                more = true;
            }
        }
    } while (more && a->turn > 0);
    return a->turn == 0;
}

/* ---- what the relay asks for ----------------------------------------------------------------- */

/* The arguments of a request, pointing into it. Returns the behaviour or verb; NULL: not ours. */
static const char *unpack(const struct ho_agent_request *r, struct ho_program_arg *args)
{
    const char *at = r->text, *end = r->text + r->used;

    for (unsigned i = 0; i < 2 * r->n_args; i++) {
        at += strnlen(at, (size_t)(end - at)) + 1;
        if (at >= end) {
            return NULL;
        }
        if (i % 2 == 0) {
            args[i / 2].key = at;
        } else {
            args[i / 2].value = at;
        }
    }
    return r->text;
}

static int do_program(struct agent *a, const char *behaviour, const struct ho_program_arg *args,
                      size_t n, struct ho_program_error *ret_error, unsigned *ret_program)
{
    struct ho_program *program;
    unsigned i = 0;
    int err;

    while (i < HO_AGENT_PROGRAMS && a->program[i].program != NULL) {
        i++;
    }
    if (i == HO_AGENT_PROGRAMS) {
        return -ENOSPC;
    }
    err = ho_program_new(&program, behaviour, args, n, ret_error);
    if (err != 0) {
        return err;
    }
    a->program[i] =
        (struct agent_program){ .program = program, .raw = strcmp(behaviour, "raw") == 0 };
    *ret_program = i;
    ho_program_start(program, agent_now(a));
    agent_run(a, &a->program[i]);
    return 0;
}

static int do_command(struct agent *a, struct agent_program *g, const char *verb,
                      const struct ho_program_arg *args, size_t n,
                      struct ho_program_error *ret_error)
{
    int err = ho_program_command(g->program, verb, args, n, agent_now(a), ret_error);

    if (err == 0) {
        agent_run(a, g);
    }
    return err;
}

static int do_request(struct agent *a, const struct ho_agent_request *r,
                      struct ho_program_error *ret_error, unsigned *ret_program)
{
    struct ho_program_arg args[HO_AGENT_ARGS_MAX];
    struct agent_program *g = r->program < HO_AGENT_PROGRAMS ? &a->program[r->program] : NULL;
    const char *what = NULL;

    if (r->kind == HO_AGENT_DO_PROGRAM || r->kind == HO_AGENT_DO_COMMAND) {
        what = unpack(r, args);
        if (what == NULL) {
            return -EPROTO;
        }
    }
    if (g == NULL || (r->kind != HO_AGENT_DO_PROGRAM && g->program == NULL)) {
        g = NULL;
    }
    switch (r->kind) {
    case HO_AGENT_DO_PROGRAM:
        return do_program(a, what, args, r->n_args, ret_error, ret_program);
    case HO_AGENT_DO_COMMAND:
        return g == NULL ? -ENOENT : do_command(a, g, what, args, r->n_args, ret_error);
    case HO_AGENT_DO_READING:
        if (g != NULL) {
            g->not_reading = !r->yes;
        }
        return g == NULL ? -ENOENT : 0;
    case HO_AGENT_DO_TIME0:
        a->time0_ns = r->time0_ns;
        return 0;
    default:
        return 0; /* SYNC: that it is answered says it all */
    }
}

static void request(struct agent *a)
{
    struct ho_program_error error = { .text = "" };
    struct ho_agent_request r;
    unsigned program;
    ssize_t n = recv(a->ctl, &r, sizeof(r), MSG_DONTWAIT);
    int err;

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n < (ssize_t)offsetof(struct ho_agent_request, text) || r.n_args > HO_AGENT_ARGS_MAX ||
        (size_t)n != offsetof(struct ho_agent_request, text) + r.used) {
        _exit(0); /* the relay is gone */
    }
    program = r.program;
    a->request = &r;
    err = do_request(a, &r, &error, &program);
    settle(a);
    a->request = NULL;
    answer(a, &r, err, program, &error);
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* The kinds of what was woken, in the order in which they are looked at. */
enum {
    WOKEN_SOCKET,
    WOKEN_EPOLL,
    WOKEN_LINGER,
    WOKEN_TIME,
    WOKEN_RELAY,
    WOKEN_COUNT
};

static unsigned woken_kind(const struct agent *a, int fd)
{
    const struct agent_fd *f = agent_fd(a, fd);

    if (fd == a->ctl) {
        return WOKEN_RELAY;
    }
    if (fd == a->timer) {
        return WOKEN_TIME;
    }
    if (fd == a->done[0]) {
        return WOKEN_LINGER;
    }
    return f != NULL && f->epoll ? WOKEN_EPOLL : WOKEN_SOCKET;
}

static void woken(struct agent *a, int fd, unsigned kind)
{
    uint64_t times;

    switch (kind) {
    case WOKEN_RELAY:
        request(a);
        break;
    case WOKEN_LINGER:
        agent_lingered(a);
        break;
    case WOKEN_TIME:
        if (read(a->timer, &times, sizeof(times)) > 0) {
            a->armed = HO_NEVER; /* it is off now */
        }
        agent_timeouts(a);
        break;
    default:
        agent_woken(a, fd);
        break;
    }
}

static void turn(struct agent *a, const sigset_t *mask)
{
    struct epoll_event ev[HO_AGENT_EVENTS];
    bool more;
    int n;

    a->turn = HO_AGENT_TURN;
    more = settle(a);
    set_timer(a);
    n = epoll_pwait(a->ep, ev, HO_AGENT_EVENTS, more ? 0 : -1, mask);
    a->turn = HO_AGENT_TURN;
    if (continued) {
        continued = 0;
        agent_continued(a);
    }
    for (unsigned kind = 0; kind < WOKEN_COUNT; kind++) {
        if (kind == WOKEN_RELAY) {
            settle(a);
            tick(a);
        }
        for (int i = 0; i < n; i++) {
            int fd = (int)ev[i].data.u64;

            if (woken_kind(a, fd) == kind) {
                woken(a, fd, kind);
            }
        }
    }
}

/* ---- the start ------------------------------------------------------------------------------- */

/* Moves `fd` out of the way of the programs' descriptors. */
static int park(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, HO_AGENT_PARKED);

    if (high < 0) {
        return fd; /* few descriptors are allowed here */
    }
    close(fd);
    return high;
}

/* The descriptors of a new process: nothing of the relay's but its stderr. */
static int own_descriptors(struct agent *a, int ctl)
{
    struct rlimit limit;
    int null;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    a->ctl = park(ctl);
    close_range(3, (unsigned)a->ctl - 1, 0);
    close_range((unsigned)a->ctl + 1, ~0u, 0);
    null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, 0);
        dup2(null, 1);
        if (null > STDERR_FILENO) { /* else it took the place of one that the relay had not */
            close(null);
        }
    }
    a->ep = epoll_create1(EPOLL_CLOEXEC);
    a->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (a->ep < 0 || a->timer < 0 || pipe2(a->done, O_CLOEXEC) < 0) {
        return -errno;
    }
    a->ep = park(a->ep);
    a->timer = park(a->timer);
    a->done[0] = park(a->done[0]);
    a->done[1] = park(a->done[1]);
    if (fcntl(a->done[0], F_SETFL, O_NONBLOCK) < 0) {
        return -errno;
    }
    return 0;
}

static int own_watches(struct agent *a)
{
    const int fds[] = { a->ctl, a->timer, a->done[0] };

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        struct epoll_event ev = { .events = EPOLLIN, .data.u64 = (uint64_t)fds[i] };

        if (epoll_ctl(a->ep, EPOLL_CTL_ADD, fds[i], &ev) < 0) {
            return -errno;
        }
    }
    return 0;
}

/* SIGCONT is let in while the agent sleeps and at no other time: none is missed. */
static void own_signals(sigset_t *ret_mask)
{
    static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
    struct sigaction act = { .sa_handler = SIG_IGN };
    sigset_t cont;

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        sigaction(ignored[i], &act, NULL);
    }
    act.sa_handler = on_sigcont;
    sigaction(SIGCONT, &act, NULL);
    sigemptyset(ret_mask);
    sigemptyset(&cont);
    sigaddset(&cont, SIGCONT);
    sigprocmask(SIG_SETMASK, &cont, NULL);
}

void ho_agent_main(int ctl, pid_t parent, const struct ho_agent_conf *conf)
{
    static struct agent a;
    const struct ho_agent_request ready = { .answer = true };
    const struct ho_program_error none = { .text = "" };
    sigset_t mask;
    int err = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(0); /* it died before */
    }
    prctl(PR_SET_NAME, conf->name);
    ho_os_sched_prompt(); /* a call is to be made when it was asked for; without root, later */
    own_signals(&mask);
    if (conf->netns >= 0 && setns(conf->netns, CLONE_NEWNET) < 0) {
        err = -errno;
    }
    a.time0_ns = conf->time0_ns;
    a.armed = HO_NEVER;
    ho_list_init(&a.completed);
    ho_timerq_init(&a.timers, agent_monotonic());
    a.ctl = ctl;
    err = err == 0 ? own_descriptors(&a, ctl) : err;
    err = err == 0 ? own_watches(&a) : err;
    answer(&a, &ready, err, 0, &none);
    if (err != 0) {
        _exit(1);
    }
    for (;;) {
        turn(&a, &mask);
    }
}
