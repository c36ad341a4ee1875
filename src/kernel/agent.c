/* The relay's side of an agent: starts it, asks, waits for answers, keeps what came meanwhile. */

#include "kernel/agent.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/agent_wire.h"

#define ANSWER_MS 10000 /* an agent that runs answers within a turn */

struct ho_agent {
    int fd;
    pid_t pid;
    bool stopped;
    bool ended; /* and reaped */
    bool eof;   /* nothing more comes */
    bool exits; /* it has said so: it ends in a moment */
    int status; /* as of wait(2) */
    int number; /* of the last request */
    unsigned connecting;
    /* messages that came before the answer that was waited for: a ring */
    struct ho_agent_msg *msg;
    size_t first, n, room;
};

const char *ho_agent_msg_text(enum ho_agent_msg_kind kind)
{
    static const char *const texts[HO_AGENT_MSG_COUNT] = {
#define X(id, text) [HO_AGENT_##id] = (text),
        HO_AGENT_MSGS(X)
#undef X
    };

    assert(kind < HO_AGENT_MSG_COUNT);
    return texts[kind];
}

pid_t ho_agent_pid(const struct ho_agent *a)
{
    return a->pid;
}

int ho_agent_fd(const struct ho_agent *a)
{
    return a->fd;
}

bool ho_agent_connecting(const struct ho_agent *a)
{
    return a->connecting > 0;
}

/* ---- messages -------------------------------------------------------------------------------- */

static int keep(struct ho_agent *a, const struct ho_agent_msg *m)
{
    if (a->n == a->room) {
        size_t room = a->room == 0 ? 16 : a->room * 2;
        struct ho_agent_msg *more = malloc(room * sizeof(*more));

        if (more == NULL) {
            return -ENOMEM;
        }
        for (size_t i = 0; i < a->n; i++) {
            more[i] = a->msg[(a->first + i) % a->room];
        }
        free(a->msg);
        a->msg = more;
        a->first = 0;
        a->room = room;
    }
    a->msg[(a->first + a->n++) % a->room] = *m;
    return 0;
}

/* The next message from the socket. Returns 1; 0: none now; -EPIPE: the agent has ended. */
static int receive(struct ho_agent *a, struct ho_agent_msg *m)
{
    ssize_t n = -1;

    if (a->eof) {
        return -EPIPE;
    }
    do {
        n = recv(a->fd, m, sizeof(*m), MSG_DONTWAIT);
        /* ECONNRESET: it ended with a request unread. What it had said is still there. */
    } while (n < 0 && (errno == EINTR || errno == ECONNRESET));
    if (n < 0 && errno == EAGAIN) {
        return 0;
    }
    if (n != (ssize_t)sizeof(*m)) {
        a->eof = true;
        return -EPIPE;
    }
    return 1;
}

int ho_agent_next(struct ho_agent *a, struct ho_agent_msg *ret)
{
    struct ho_agent_msg m;
    int got = 1;

    if (a->n > 0) {
        m = a->msg[a->first];
        a->first = (a->first + 1) % a->room;
        a->n--;
    } else {
        do {
            got = receive(a, &m);
        } while (got == 1 && m.kind == HO_AGENT_ANSWER); /* of a request that was given up */
        if (got != 1) {
            return got;
        }
    }
    if (m.kind == HO_AGENT_CONNECT) {
        a->connecting++;
    } else if (m.kind == HO_AGENT_CONNECTING) {
        a->connecting--;
    } else if (m.kind == HO_AGENT_EXITED) {
        a->exits = true;
    }
    *ret = m;
    return 1;
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Waits for the answer to request `number`. Returns 0; -EPIPE; -ETIMEDOUT; -ENOMEM. */
static int wait_answer(struct ho_agent *a, int number, struct ho_agent_msg *ret)
{
    for (;;) {
        struct pollfd p = { .fd = a->fd, .events = POLLIN };
        int err = receive(a, ret);

        if (err < 0) {
            return err;
        }
        if (err == 1 && ret->kind == HO_AGENT_ANSWER && ret->status == number) {
            return 0;
        }
        if (err == 1 && ret->kind != HO_AGENT_ANSWER) {
            err = keep(a, ret);
            if (err < 0) {
                return err;
            }
        }
        if (err == 0 && poll(&p, 1, ANSWER_MS) == 0) {
            return -ETIMEDOUT;
        }
    }
}

static int send_request(struct ho_agent *a, struct ho_agent_request *r)
{
    size_t len = offsetof(struct ho_agent_request, text) + r->used;

    r->number = ++a->number;
    if (a->ended || a->eof) {
        return -EPIPE;
    }
    if (send(a->fd, r, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        return errno == EAGAIN ? -EAGAIN : -EPIPE;
    }
    return 0;
}

/* Asks and waits. Returns what the agent answers, or why it does not; *ret_answer is filled if it
 * did.
 */
static int ask(struct ho_agent *a, struct ho_agent_request *r, struct ho_agent_msg *ret_answer)
{
    int err;

    r->answer = true;
    err = send_request(a, r);
    err = err == 0 ? wait_answer(a, r->number, ret_answer) : err;
    return err == 0 ? -ret_answer->err : err;
}

static bool put(struct ho_agent_request *r, const char *text)
{
    size_t len = strlen(text) + 1;

    if (len > sizeof(r->text) - r->used) {
        return false;
    }
    memcpy(r->text + r->used, text, len);
    r->used += (unsigned)len;
    return true;
}

static int pack(struct ho_agent_request *r, const char *what, const struct ho_program_arg *args,
                size_t n_args, struct ho_program_error *ret_error)
{
    bool fits = n_args <= HO_AGENT_ARGS_MAX && put(r, what);

    for (size_t i = 0; i < n_args && fits; i++) {
        fits = put(r, args[i].key != NULL ? args[i].key : "") && put(r, args[i].value);
    }
    r->n_args = (unsigned)n_args;
    if (!fits && ret_error != NULL) {
        ret_error->arg = n_args;
        snprintf(ret_error->text, sizeof(ret_error->text),
                 "%.40s: found more than %u arguments or %u bytes of them", what, HO_AGENT_ARGS_MAX,
                 HO_AGENT_TEXT_MAX);
    }
    return fits ? 0 : -EINVAL;
}

static void take_error(int err, const struct ho_agent_msg *answer,
                       struct ho_program_error *ret_error)
{
    if (err == -EINVAL && ret_error != NULL) {
        ret_error->arg = (size_t)answer->from;
        snprintf(ret_error->text, sizeof(ret_error->text), "%s", answer->u.text);
    }
}

int ho_agent_program(struct ho_agent *a, const char *behaviour, const struct ho_program_arg *args,
                     size_t n_args, unsigned *ret_program, struct ho_program_error *ret_error)
{
    struct ho_agent_request r = { .kind = HO_AGENT_DO_PROGRAM };
    struct ho_agent_msg answer;
    int err = pack(&r, behaviour, args, n_args, ret_error);

    if (err != 0) {
        return err;
    }
    if (a->stopped) {
        return -EBUSY;
    }
    err = ask(a, &r, &answer);
    if (err == 0) {
        *ret_program = answer.program;
    }
    take_error(err, &answer, ret_error);
    return err;
}

int ho_agent_command(struct ho_agent *a, unsigned program, const char *verb,
                     const struct ho_program_arg *args, size_t n_args,
                     struct ho_program_error *ret_error)
{
    struct ho_agent_request r = { .kind = HO_AGENT_DO_COMMAND, .program = program };
    struct ho_agent_msg answer;
    int err = pack(&r, verb, args, n_args, ret_error);

    if (err != 0) {
        return err;
    }
    if (a->stopped) {
        err = ho_program_check_verb(verb, args, n_args, ret_error);
        return err != 0 ? err : send_request(a, &r);
    }
    err = ask(a, &r, &answer);
    take_error(err, &answer, ret_error);
    return err;
}

/* A request whose answer need not be waited for while the agent is stopped: it does it first. */
static int tell(struct ho_agent *a, struct ho_agent_request *r)
{
    struct ho_agent_msg answer;

    return a->stopped ? send_request(a, r) : ask(a, r, &answer);
}

int ho_agent_time0(struct ho_agent *a, int64_t time0_ns)
{
    struct ho_agent_request r = { .kind = HO_AGENT_DO_TIME0, .time0_ns = time0_ns };

    return tell(a, &r);
}

int ho_agent_reading(struct ho_agent *a, unsigned program, bool reading)
{
    struct ho_agent_request r = { .kind = HO_AGENT_DO_READING, .program = program, .yes = reading };

    return tell(a, &r);
}

int ho_agent_sync(struct ho_agent *a)
{
    struct ho_agent_request r = { .kind = HO_AGENT_DO_SYNC };
    struct ho_agent_msg answer;

    return a->stopped ? -EBUSY : ask(a, &r, &answer);
}

/* ---- its life -------------------------------------------------------------------------------- */

int ho_agent_start(struct ho_agent **ret, const struct ho_agent_conf *conf)
{
    struct ho_agent *a = calloc(1, sizeof(*a));
    struct ho_agent_msg ready;
    pid_t parent = getpid();
    int pair[2], err;

    if (a == NULL) {
        return -ENOMEM;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        err = -errno;
        free(a);
        return err;
    }
    a->pid = fork();
    if (a->pid == 0) {
        close(pair[0]);
        ho_agent_main(pair[1], parent, conf);
    }
    err = a->pid < 0 ? -errno : 0;
    a->ended = a->pid < 0;
    close(pair[1]);
    a->fd = pair[0];
    err = err == 0 ? wait_answer(a, 0, &ready) : err;
    err = err == 0 ? -ready.err : err;
    if (err != 0) {
        ho_agent_free(a);
        return err;
    }
    *ret = a;
    return 0;
}

void ho_agent_free(struct ho_agent *a)
{
    if (a == NULL) {
        return;
    }
    (void)ho_agent_kill(a); /* -ESRCH: it has ended already */
    close(a->fd);
    free(a->msg);
    free(a);
}

/* Looks whether it has ended, or waits for that. */
static void reap(struct ho_agent *a, int options)
{
    pid_t pid = 0;
    int status = 0;

    if (a->ended) {
        return;
    }
    do {
        pid = waitpid(a->pid, &status, options);
    } while (pid < 0 && errno == EINTR);
    if (pid == 0) {
        return;
    }
    a->ended = true;
    a->stopped = false;
    a->status = pid > 0 ? status : 0; /* somebody else has reaped it */
}

bool ho_agent_ended(struct ho_agent *a, int *ret_status)
{
    reap(a, a->exits && !a->stopped ? 0 : WNOHANG);
    if (a->ended && ret_status != NULL) {
        *ret_status = a->status;
    }
    return a->ended;
}

int ho_agent_stop(struct ho_agent *a)
{
    siginfo_t info;
    int err;

    reap(a, WNOHANG);
    if (a->ended) {
        return -ESRCH;
    }
    if (a->stopped) {
        return 0;
    }
    kill(a->pid, SIGSTOP);
    do {
        memset(&info, 0, sizeof(info));
        err = waitid(P_PID, (id_t)a->pid, &info, WSTOPPED | WEXITED | WNOWAIT);
    } while (err < 0 && errno == EINTR);
    if (err < 0 || info.si_code != CLD_STOPPED) {
        reap(a, WNOHANG);
        return -ESRCH;
    }
    waitid(P_PID, (id_t)a->pid, &info, WSTOPPED | WNOHANG); /* it was told */
    a->stopped = true;
    return 0;
}

int ho_agent_continue(struct ho_agent *a)
{
    reap(a, WNOHANG);
    if (a->ended) {
        return -ESRCH;
    }
    if (a->stopped) {
        a->stopped = false;
        kill(a->pid, SIGCONT);
    }
    return 0;
}

int ho_agent_kill(struct ho_agent *a)
{
    reap(a, WNOHANG);
    if (a->ended) {
        return -ESRCH;
    }
    kill(a->pid, SIGKILL);
    reap(a, 0);
    return 0;
}
