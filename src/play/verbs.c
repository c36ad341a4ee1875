/* A plan's calls as verbs of the program `raw`, the process's hands.
 *
 * What a process is told about all its connections, also those to come, the hands remember; that
 * it is not to read, the struct ho_play_proc does.
 */

#include "play/verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "knobs/sysctl.h"

static void begin(struct ho_play_verb *v, const char *name)
{
    v->name = name;
    v->n = 0;
}

static void arg_text(struct ho_play_verb *v, const char *key, const char *value)
{
    snprintf(v->text[v->n], sizeof(v->text[0]), "%s", value);
    v->arg[v->n] = (struct ho_program_arg){ key, v->text[v->n] };
    v->n++;
}

static void arg_number(struct ho_play_verb *v, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    arg_text(v, key, text);
}

static void arg_on(struct ho_play_verb *v, const char *on)
{
    if (on != NULL) {
        arg_text(v, "on", on);
    }
}

static int refuse(struct ho_trace *tr, const struct ho_play_proc *p, const char *what,
                  const char *why)
{
    snprintf(tr->why, sizeof(tr->why), "%s on %s: %s: %s", p->name, tr->plan->nodes[p->node].name,
             what, why);
    return -EINVAL;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void do_listen(const struct ho_trace *tr, const struct ho_plan_call *call,
                      struct ho_play_verb *v)
{
    char name[HO_PROGRAM_NAME_MAX];

    snprintf(name, sizeof(name), "L%u", call->port);
    begin(v, "listen");
    arg_number(v, "port", call->port);
    arg_text(v, "addr", tr->plan->family == HO_FAMILY_V6 ? "::" : "0.0.0.0");
    arg_text(v, "as", call->sock != NULL ? call->sock : name);
    arg_number(v, "backlog", call->backlog != 0 ? call->backlog : 128);
}

static void do_connect(const struct ho_play_proc *p, const struct ho_plan_call *call,
                       struct ho_play_verb *v)
{
    const char *name = call->sock != NULL ? call->sock : call->conn;
    char text[HO_ADDR_TEXT];

    begin(v, "connect");
    arg_text(v, "addr", ho_addr_text(&call->addr, text));
    arg_number(v, "port", call->port);
    arg_number(v, "from", call->from_port);
    if (name != NULL) {
        arg_text(v, "as", name);
    }
    if (p->not_reading) {
        arg_text(v, "read", "no");
    }
}

/* ---- on one socket --------------------------------------------------------------------------- */

/* setsockopt on a socket, or the option of every connection from now on. */
static void do_option(const struct ho_plan_call *call, const char *on, struct ho_play_verb *v)
{
    const struct ho_sockopt_info *info = ho_sockopt_info((enum ho_sockopt)call->opt);
    char text[48];

    if (info->type == HO_SOCKOPT_TYPE_LINGER) {
        snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64, call->value[0], call->value[1]);
    } else if (info->type == HO_SOCKOPT_TYPE_NAME) {
        snprintf(text, sizeof(text), "%s",
                 ho_sysctl_word(HO_SYSCTL_TCP_CONGESTION_CONTROL, call->value[0]));
    } else {
        snprintf(text, sizeof(text), "%" PRId64, call->value[0]);
    }
    begin(v, on != NULL ? "setsockopt" : "option");
    arg_text(v, "name", info->name);
    arg_text(v, "value", text);
    arg_on(v, on);
}

/* A verb with nothing but the socket. */
static void plain(const char *name, const char *on, struct ho_play_verb *v)
{
    begin(v, name);
    arg_on(v, on);
}

static void yes_no(const char *name, const char *on, bool yes, struct ho_play_verb *v)
{
    begin(v, name);
    arg_text(v, "value", yes ? "yes" : "no");
    arg_on(v, on);
}

/* Without `on`: every connection, also those to come. */
static void close_at_eof(const char *on, struct ho_play_verb *v)
{
    begin(v, "react");
    arg_on(v, on);
    arg_text(v, "on_eof", "close");
}

static void epoll_watch(const struct ho_plan_call *call, const char *on, struct ho_play_verb *v)
{
    begin(v, "watch");
    arg_text(v, "value", "yes");
    arg_on(v, on);
    arg_text(v, "mode", call->edge ? "edge" : "level");
}

static void do_send(const struct ho_plan_call *call, const char *on, struct ho_play_verb *v)
{
    begin(v, "send");
    arg_number(v, "bytes", call->bytes);
    arg_on(v, on);
    arg_text(v, "block", "yes");
}

static void do_read(const struct ho_plan_call *call, const char *on, struct ho_play_verb *v)
{
    begin(v, "recv");
    arg_on(v, on);
    arg_number(v, "max", call->bytes != 0 ? call->bytes : 65536);
    arg_text(v, "block", "yes");
}

static void do_shutdown(const struct ho_plan_call *call, const char *on, struct ho_play_verb *v)
{
    static const char *const how[] = { "RD", "WR", "RDWR" };

    begin(v, "shutdown");
    arg_text(v, "how", how[call->how]);
    arg_on(v, on);
}

static void do_getsockopt(const struct ho_plan_call *call, const char *on, struct ho_play_verb *v)
{
    begin(v, "getsockopt");
    arg_text(v, "name", ho_sockopt_info((enum ho_sockopt)call->opt)->name);
    arg_on(v, on);
}

static int on_socket(const struct ho_plan_call *call, const char *on, struct ho_play_verb *v)
{
    switch (call->kind) {
    case HO_CALL_SEND:
        do_send(call, on, v);
        break;
    case HO_CALL_SEND_FULL:
        plain("fill", on, v);
        break;
    case HO_CALL_READ:
        do_read(call, on, v);
        break;
    case HO_CALL_STOP_READING:
    case HO_CALL_RESUME_READING:
        yes_no("reading", on, call->kind == HO_CALL_RESUME_READING, v);
        break;
    case HO_CALL_CLOSE_AT_EOF:
        close_at_eof(on, v);
        break;
    case HO_CALL_STOP_ACCEPTING:
    case HO_CALL_RESUME_ACCEPTING:
        yes_no("accepting", on, call->kind == HO_CALL_RESUME_ACCEPTING, v);
        break;
    case HO_CALL_SHUTDOWN:
        do_shutdown(call, on, v);
        break;
    case HO_CALL_CLOSE:
        plain("close", on, v);
        break;
    case HO_CALL_SETSOCKOPT:
        do_option(call, on, v);
        break;
    case HO_CALL_GETSOCKOPT:
        do_getsockopt(call, on, v);
        break;
    case HO_CALL_POLL:
        plain("poll", on, v);
        break;
    case HO_CALL_EPOLL_WATCH:
        epoll_watch(call, on, v);
        break;
    default:
        return -ENOTSUP;
    }
    return 1;
}

/* ---- on the process -------------------------------------------------------------------------- */

/* A call about the newest connection that may come before there is one. */
static int without_socket(struct ho_trace *tr, struct ho_play_proc *p,
                          const struct ho_plan_call *call)
{
    switch (call->kind) {
    case HO_CALL_STOP_READING:
    case HO_CALL_RESUME_READING:
        p->not_reading = call->kind == HO_CALL_STOP_READING;
        return 0;
    default:
        return refuse(tr, p, ho_call_text(call->kind), "it has no such connection");
    }
}

/* The verb for the listener number `i` of the process. */
static int on_listener(const struct ho_play_proc *p, const struct ho_plan_call *call, unsigned i,
                       struct ho_play_verb *v)
{
    for (size_t fd = 0; fd < p->fds; fd++) {
        const struct ho_play_fd *f = p->fd[fd];

        if (f != NULL && f->serial != 0 && !f->connection && i-- == 0) {
            return on_socket(call, f->name, v);
        }
    }
    return 0;
}

/* A call that names no socket and is not about the newest one; -EAGAIN: it is. */
static int on_process(const struct ho_trace *tr, const struct ho_play_proc *p,
                      const struct ho_plan_call *call, struct ho_play_verb *v)
{
    switch (call->kind) {
    case HO_CALL_LISTEN:
        do_listen(tr, call, v);
        return 1;
    case HO_CALL_CONNECT:
        do_connect(p, call, v);
        return 1;
    case HO_CALL_OPTION:
        do_option(call, NULL, v);
        return 1;
    case HO_CALL_CLOSE_AT_EOF:
        close_at_eof(NULL, v);
        return call->sock == NULL ? 1 : -EAGAIN;
    case HO_CALL_EPOLL_WATCH:
        epoll_watch(call, NULL, v);
        return call->sock == NULL ? 1 : -EAGAIN;
    default:
        return -EAGAIN;
    }
}

int ho_play_verb(struct ho_trace *tr, struct ho_play_proc *p, const struct ho_plan_call *call,
                 unsigned i, struct ho_play_verb *ret)
{
    int r;
    int fd;

    if (call->sock == NULL &&
        (call->kind == HO_CALL_STOP_ACCEPTING || call->kind == HO_CALL_RESUME_ACCEPTING)) {
        return on_listener(p, call, i, ret);
    }
    if (i > 0) {
        return 0;
    }
    r = on_process(tr, p, call, ret);
    if (r != -EAGAIN) {
        return r;
    }
    fd = ho_play_fd_find(p, call->sock);
    return fd >= 0 ? on_socket(call, p->fd[fd]->name, ret) : without_socket(tr, p, call);
}

void ho_play_verb_accepted(const char *name, struct ho_play_verb *ret)
{
    yes_no("reading", name, false, ret);
}

/* ---- the answers ----------------------------------------------------------------------------- */

int ho_play_verb_result(struct ho_trace *tr, const struct ho_play_proc *p, const char *name,
                        int result, const struct ho_program_error *error)
{
    if (result == -EINVAL) {
        return refuse(tr, p, name, error->text);
    }
    if (result == -EAGAIN) {
        return refuse(tr, p, name, "too many calls are under way");
    }
    return result;
}

size_t ho_play_program_args(const struct ho_plan_program *program, struct ho_program_arg *arg)
{
    for (unsigned i = 0; i < program->count; i++) {
        arg[i] = (struct ho_program_arg){ program->arg[i].key, program->arg[i].value };
    }
    return program->count;
}

int ho_play_check(struct ho_trace *tr, const struct ho_plan *plan, const struct ho_step **ret_step)
{
    struct ho_program_error error = { .text = "" };
    struct ho_program_arg arg[HO_PLAN_ARGS];

    for (size_t i = 0; i < plan->step_count; i++) {
        const struct ho_step *s = &plan->steps[i];

        if (s->kind == HO_STEP_PROGRAM &&
            ho_program_check(s->u.program.name, arg, ho_play_program_args(&s->u.program, arg),
                             &error) != 0) {
            snprintf(tr->why, sizeof(tr->why), "%s", error.text);
            *ret_step = s;
            return -EINVAL;
        }
    }
    return 0;
}
