/* Real commands: starting them, knowing when they are ready, and the verbs. See service.h.
 *
 * The processes themselves are os/proc.h's: a command below an init of its own. What is here is
 * the bookkeeping: at most one command for each process of the plan, its pipes in one epoll.
 */

#include "kernel/service.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/service_state.h"
#include "os/clock.h"
#include "os/diag.h"
#include "os/sysctl.h"
#include "scenario/command.h"

#define LEFT_ENDS_MS 100 /* so long may live what a command leaves when another is started */
#define LAST_WORDS 150   /* bytes of output, the last line not counted */

const char *ho_service_name(const struct ho_services *s, uint16_t proc, char *text, size_t size)
{
    const struct ho_plan_proc *p = &s->plan->procs[proc];
    const char *host = s->plan->nodes[p->host].name;
    bool first = strcmp(p->name, "app") == 0;

    (void)snprintf(text, size, "%s%s%s", host, first ? "" : ".", first ? "" : p->name);
    return text;
}

int ho_service_fail(struct ho_services *s, uint16_t proc, int err, const char *format, ...)
{
    char name[64];
    va_list args;
    int n = snprintf(s->why, sizeof(s->why), "%s: ", ho_service_name(s, proc, name, sizeof(name)));

    va_start(args, format);
    (void)vsnprintf(s->why + n, sizeof(s->why) - (size_t)n, format, args);
    va_end(args);
    return err;
}

const char *ho_services_why(const struct ho_services *s)
{
    return s->why;
}

int ho_services_new(struct ho_services **ret, const struct ho_plan *plan, uid_t uid, gid_t gid,
                    char *ret_why, size_t size)
{
    struct ho_services *s = calloc(1, sizeof(*s));
    int err = s == NULL ? -ENOMEM : 0;

    if (err == 0) {
        s->plan = plan;
        s->uid = uid;
        s->gid = gid;
        s->count = plan->proc_count;
        s->service = calloc(s->count != 0 ? s->count : 1, sizeof(*s->service));
        s->event = calloc(HO_SERVICE_EVENTS, sizeof(*s->event));
        err = s->service == NULL || s->event == NULL ? -ENOMEM : ho_os_loop_new(&s->loop);
    }
    for (size_t i = 0; err == 0 && i < s->count; i++) {
        struct ho_service *v = &s->service[i];
        v->proc = (uint16_t)i;
        v->host = plan->procs[i].host;
        v->input = v->out[0].fd = v->out[1].fd = -1;
        v->child = (struct ho_os_child){ .pidfd = -1, .control = -1 };
    }
    if (err == 0) {
        (void)signal(SIGPIPE,
                     SIG_IGN); /* a command that has closed its input is no reason to die */
        err = ho_service_furnish(s);
    }
    if (err != 0) {
        (void)snprintf(ret_why, size, "%s",
                       s != NULL && s->why[0] != '\0' ? s->why : "cannot prepare real commands");
        ho_services_free(s);
        return err;
    }
    *ret = s;
    return 0;
}

void ho_service_close(struct ho_services *s, int *fd)
{
    if (*fd >= 0) {
        (void)ho_os_loop_remove(s->loop, *fd);
        (void)close(*fd);
        *fd = -1;
    }
}

void ho_service_forget(struct ho_services *s, struct ho_service *v)
{
    for (unsigned i = 0; i < HO_SERVICE_STREAMS; i++) {
        ho_service_close(s, &v->out[i].fd);
        v->out[i].len = 0;
        v->out[i].skips = false;
    }
    ho_service_close(s, &v->input);
    if (v->child.pidfd >= 0) {
        (void)ho_os_loop_remove(s->loop, v->child.pidfd);
    }
    if (v->child.control >= 0) {
        (void)ho_os_loop_remove(s->loop, v->child.control);
    }
    ho_os_child_free(&v->child);
    ho_os_diag_close(v->diag);
    v->diag = NULL;
    free(v->waits);
    v->waits = NULL;
    v->waits_len = 0;
    v->runs = v->input_ends = false; /* ready once is ready */
}

void ho_services_free(struct ho_services *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; s->service != NULL && i < s->count; i++) {
        if (s->service[i].runs) { /* all at once, then wait for one after another */
            (void)ho_os_child_signal(&s->service[i].child, SIGKILL);
        }
    }
    for (size_t i = 0; s->service != NULL && s->loop != NULL && i < s->count; i++) {
        ho_service_forget(s, &s->service[i]);
        free(s->service[i].text);
    }
    ho_os_loop_free(s->loop);
    free(s->service);
    free(s->event);
    free(s->sock);
    free(s);
}

/* --- starting -------------------------------------------------------------------------------- */

struct pipes {
    int in[2], out[HO_SERVICE_STREAMS][2];
};

static void close_pair(int pair[2])
{
    for (unsigned i = 0; i < 2; i++) {
        if (pair[i] >= 0) {
            (void)close(pair[i]);
        }
    }
}

static void close_pipes(struct pipes *p)
{
    close_pair(p->in);
    close_pair(p->out[0]);
    close_pair(p->out[1]);
}

static int open_pipes(struct pipes *p)
{
    *p = (struct pipes){ { -1, -1 }, { { -1, -1 }, { -1, -1 } } };
    if (pipe2(p->in, O_CLOEXEC) != 0 || pipe2(p->out[0], O_CLOEXEC) != 0 ||
        pipe2(p->out[1], O_CLOEXEC) != 0 || fcntl(p->in[1], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(p->out[0][0], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(p->out[1][0], F_SETFL, O_NONBLOCK) != 0) {
        int err = -errno;
        close_pipes(p);
        return err;
    }
    return 0;
}

static uint64_t tag(const struct ho_service *v, enum ho_service_tag what)
{
    return (uint64_t)v->proc * HO_SERVICE_TAGS + what;
}

/* Our ends of the pipes and the child into the loop; the child's ends are closed. */
static int watch(struct ho_services *s, struct ho_service *v, struct pipes *p)
{
    (void)close(p->in[0]);
    (void)close(p->out[0][1]);
    (void)close(p->out[1][1]);
    v->input = p->in[1];
    v->out[0].fd = p->out[0][0];
    v->out[1].fd = p->out[1][0];
    int err = ho_os_loop_add(s->loop, v->out[0].fd, HO_OS_IN, tag(v, HO_SERVICE_TAG_OUT));

    err = err != 0 ? err
                   : ho_os_loop_add(s->loop, v->out[1].fd, HO_OS_IN, tag(v, HO_SERVICE_TAG_ERR));
    err = err != 0 ? err : ho_os_loop_add(s->loop, v->input, 0, tag(v, HO_SERVICE_TAG_IN));
    err = err != 0
              ? err
              : ho_os_loop_add(s->loop, v->child.control, HO_OS_IN, tag(v, HO_SERVICE_TAG_CONTROL));
    return err != 0 ? err
                    : ho_os_loop_add(s->loop, v->child.pidfd, HO_OS_IN, tag(v, HO_SERVICE_TAG_PID));
}

/* execvp(3) says EACCES for one that is nowhere if it may not look into a directory of PATH. */
static int not_started(struct ho_services *s, const struct ho_service *v, const char *name,
                       const char *path, int err, const char *why)
{
    if ((err == -ENOENT || err == -EACCES) && strchr(name, '/') == NULL &&
        !ho_service_in_path(name)) {
        return ho_service_fail(s, v->proc, -ENOENT, "%s: not found in PATH (%.300s)", name,
                               path + strlen("PATH="));
    }
    return ho_service_fail(s, v->proc, err, "%s", why);
}

static int spawn(struct ho_services *s, struct ho_service *v, int netns,
                 const struct ho_plan_command *c, const struct pipes *p)
{
    const int fds[] = { p->in[0], p->out[0][1], p->out[1][1] };
    char home[HO_SERVICE_PATH], why[HO_OS_WHY] = "";
    struct ho_command_words words;
    struct ho_service_user user;
    struct ho_service_env *env;
    const char *cut = "";

    if (ho_command_split(&words, c->text, &cut) != 0) {
        return ho_service_fail(s, v->proc, -EINVAL, "%s", cut);
    }
    int err = ho_service_find_user(s, v->proc, c->user, &user);
    err = err == 0 ? ho_service_home(s, v->proc, &user, home) : err;
    if (err != 0) {
        return err;
    }
    for (unsigned i = 0; user.change && i < 3; i++) {
        (void)fchown(fds[i], user.uid, user.gid); /* else it may not open /dev/stdout */
    }
    env = malloc(sizeof(*env));
    err = env == NULL ? -ENOMEM : ho_service_env(s, v->proc, &user, home, env);
    if (err == 0) {
        const struct ho_os_spawn how = { .netns = netns,
                                         .fds = fds,
                                         .n_fds = 3,
                                         .drop = true,
                                         .user = user.change,
                                         .uid = user.uid,
                                         .gid = user.gid,
                                         .dir = home };
        err = ho_os_spawn_exec(&v->child, &how, words.word, env->var, why);
        if (err != 0) {
            err = not_started(s, v, words.word[0], env->var[0], err, why);
        }
    }
    free(env);
    return err;
}

static void expect_ready(struct ho_service *v, const struct ho_plan_command *c)
{
    v->how = c->ready;
    v->port = c->port;
    v->ready = c->ready == HO_READY_STARTED;
    v->until_ns = ho_os_now().ns + c->within.ns;
    if (c->ready == HO_READY_OUTPUT) {
        int err = ho_regex_compile(&v->pattern, c->pattern, NULL);
        assert(err == 0); /* plan.h: it compiles */
    }
}

int ho_services_start(struct ho_services *s, uint16_t proc, int netns,
                      const struct ho_plan_command *command)
{
    struct ho_service *v = &s->service[proc];
    struct pipes p;

    assert(proc < s->count);
    if (v->runs && v->exited) { /* the init ends a moment after the last process */
        struct pollfd init = { .fd = v->child.pidfd, .events = POLLIN };
        while (poll(&init, 1, v->child.last ? -1 : LEFT_ENDS_MS) < 0 && errno == EINTR) {
        }
        (void)ho_service_look(s, v);
    }
    if (v->runs) {
        return ho_service_fail(s, proc, -EINVAL, "\"%s\" still runs there", v->text);
    }
    int err = open_pipes(&p);
    if (err != 0) {
        return ho_service_fail(s, proc, err, "cannot make a pipe: %s", strerror(-err));
    }
    (void)ho_os_sysctl_write(netns, "net.ipv4.ip_unprivileged_port_start", "0");
    expect_ready(v, command); /* before it can write a line */
    v->last_count = 0;
    err = spawn(s, v, netns, command, &p);
    if (err != 0) {
        close_pipes(&p);
        return err;
    }
    v->runs = true;
    v->exited = false;
    free(v->text);
    v->text = strdup(command->text);
    err = watch(s, v, &p);
    if (err == 0 && v->how == HO_READY_LISTENS) {
        err = ho_os_diag_open(&v->diag, netns);
    }
    if (err != 0 || v->text == NULL) {
        ho_service_forget(s, v);
        err = err != 0 ? err : -ENOMEM;
        return ho_service_fail(s, proc, err, "cannot watch it: %s", strerror(-err));
    }
    return 0;
}

/* --- ready ----------------------------------------------------------------------------------- */

/* The last lines of its output, as many as are short enough for an error. */
static void last_words(const struct ho_service *v, char *text, size_t size)
{
    unsigned have = v->last_count < HO_SERVICE_LAST ? v->last_count : HO_SERVICE_LAST, n = 0;
    size_t len = 0, sum = 0;

    while (n < have) {
        sum += strlen(v->last[(v->last_count - n - 1) % HO_SERVICE_LAST]);
        if (n > 0 && sum > LAST_WORDS) {
            break;
        }
        n++;
    }
    (void)snprintf(text, size, n == 0 ? "it wrote nothing" : "its last words: ");
    for (unsigned i = 0; i < n; i++) {
        len = strlen(text);
        (void)snprintf(text + len, size - len, "%s\"%s\"", i == 0 ? "" : ", ",
                       v->last[(v->last_count - n + i) % HO_SERVICE_LAST]);
    }
}

static int not_ready(struct ho_services *s, struct ho_service *v)
{
    char words[2 * HO_SERVICE_LINE + LAST_WORDS], what[64];

    (void)snprintf(what, sizeof(what),
                   v->how == HO_READY_LISTENS ? "it listened on port %u" : "its output matched",
                   (unsigned)v->port);
    last_words(v, words, sizeof(words));
    if (v->exited && (!v->runs || v->end.status != 0 || v->end.signal != 0)) {
        return ho_service_fail(s, v->proc, -ECHILD, "%s %d before %s; %s",
                               v->end.signal != 0 ? "ended by signal" : "ended with status",
                               v->end.signal != 0 ? v->end.signal : v->end.status, what, words);
    }
    if (ho_os_now().ns >= v->until_ns) {
        return ho_service_fail(s, v->proc, -ETIMEDOUT, "its time was over before %s; %s", what,
                               words);
    }
    return 0;
}

int ho_services_ready(struct ho_services *s, uint16_t proc)
{
    struct ho_service *v = &s->service[proc];
    int err = ho_services_read(s);

    assert(proc < s->count);
    if (err == 0 && !v->ready && v->how == HO_READY_LISTENS && v->diag != NULL) {
        int listens = ho_service_listens(s, v);
        err = listens < 0 ? ho_service_fail(s, proc, listens, "cannot ask who listens: %s",
                                            strerror(-listens))
                          : 0;
        v->ready = listens > 0;
    }
    if (err != 0) {
        return err;
    }
    if (v->ready) {
        ho_os_diag_close(v->diag);
        v->diag = NULL;
        return 1;
    }
    return not_ready(s, v);
}

/* --- the verbs ------------------------------------------------------------------------------- */

bool ho_services_runs(const struct ho_services *s, uint16_t proc)
{
    return proc < s->count && s->service[proc].runs;
}

int ho_services_input(struct ho_services *s, uint16_t proc, const struct ho_plan_input *input)
{
    struct ho_service *v = &s->service[proc];

    if (!v->runs || v->exited) {
        return ho_service_fail(s, proc, -EINVAL, "no command runs there");
    }
    if (v->input_ends) {
        return ho_service_fail(s, proc, -EINVAL, "the command's input was closed before");
    }
    if (v->input < 0) {
        v->input_ends = input->end;
        return 0; /* the command has closed it: the bytes are lost */
    }
    if (v->waits_len + input->len > HO_SERVICE_INPUT) {
        return ho_service_fail(s, proc, -ENOSPC, "the command does not read its input: %zu bytes",
                               v->waits_len);
    }
    if (input->len > 0) {
        char *p = realloc(v->waits, v->waits_len + input->len);
        if (p == NULL) {
            return ho_service_fail(s, proc, -ENOMEM, "out of memory");
        }
        v->waits = p;
        memcpy(p + v->waits_len, input->bytes, input->len);
        v->waits_len += input->len;
    }
    v->input_ends = input->end;
    return ho_service_write(s, v);
}

static int signal_all(struct ho_services *s, uint16_t proc, int signal)
{
    struct ho_service *v = &s->service[proc];

    return v->runs ? ho_os_child_signal(&v->child, signal) : -ESRCH;
}

int ho_services_stop(struct ho_services *s, uint16_t proc)
{
    return signal_all(s, proc, SIGSTOP);
}

int ho_services_cont(struct ho_services *s, uint16_t proc)
{
    return signal_all(s, proc, SIGCONT);
}

/* An init that was killed is only reaped when the kernel has ended every process below it
 * (pid_namespaces(7)).
 */
static int wait_for_end(struct ho_services *s, struct ho_service *v)
{
    struct pollfd p = { .fd = v->child.pidfd, .events = POLLIN };
    int err = 0;

    while (err == 0 && v->runs) {
        if (poll(&p, 1, -1) < 0 && errno != EINTR) {
            return -errno;
        }
        err = ho_service_look(s, v);
    }
    return err;
}

int ho_services_kill_begin(struct ho_services *s, uint16_t proc)
{
    struct ho_service *v = &s->service[proc];

    return v->runs ? ho_os_child_signal(&v->child, SIGKILL) : -ESRCH;
}

int ho_services_kill(struct ho_services *s, uint16_t proc)
{
    int err = ho_services_kill_begin(s, proc);

    return err != 0 ? err : wait_for_end(s, &s->service[proc]);
}

int ho_services_kill_host(struct ho_services *s, uint16_t host)
{
    int err = 0;

    for (size_t i = 0; i < s->count; i++) {
        if (s->service[i].runs && s->service[i].host == host) {
            (void)ho_os_child_signal(&s->service[i].child, SIGKILL);
        }
    }
    for (size_t i = 0; i < s->count && err == 0; i++) {
        if (s->service[i].runs && s->service[i].host == host) {
            err = wait_for_end(s, &s->service[i]);
        }
    }
    return err;
}
