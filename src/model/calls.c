/* A plan's calls as verbs of the program `raw`, the process's hands.
 *
 * The hands are made at the first call. What a process is told about all its connections, also
 * those to come, the hands remember; that it is not to read, this file does.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/world.h"

#define ARGS_MAX 6

/* The arguments of one verb, with room for their texts. */
struct args {
    struct ho_program_arg arg[ARGS_MAX];
    char text[ARGS_MAX][48];
    size_t n;
};

static void arg_text(struct args *a, const char *key, const char *value)
{
    snprintf(a->text[a->n], sizeof(a->text[0]), "%s", value);
    a->arg[a->n] = (struct ho_program_arg){ key, a->text[a->n] };
    a->n++;
}

static void arg_number(struct args *a, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    arg_text(a, key, text);
}

static void option_text(char *text, size_t size, const struct ho_plan_call *call)
{
    const struct ho_sockopt_info *info = ho_sockopt_info((enum ho_sockopt)call->opt);

    if (info->type == HO_SOCKOPT_TYPE_LINGER) {
        snprintf(text, size, "%" PRId64 ":%" PRId64, call->value[0], call->value[1]);
    } else if (info->type == HO_SOCKOPT_TYPE_NAME) {
        snprintf(text, size, "%s",
                 ho_sysctl_word(HO_SYSCTL_TCP_CONGESTION_CONTROL, call->value[0]));
    } else {
        snprintf(text, size, "%" PRId64, call->value[0]);
    }
}

static int refuse(struct ho_model *m, const struct ho_model_proc *p, const char *what,
                  const char *why)
{
    snprintf(m->why, sizeof(m->why), "%s on %s: %s: %s", m->plan->procs[p->index].name,
             m->plan->nodes[p->node].name, what, why);
    return -EINVAL;
}

/* The process's hands; NULL without memory. */
static struct ho_model_program *hands(struct ho_model *m, struct ho_model_proc *p)
{
    struct ho_model_program *g;

    for (unsigned i = 0; i < HO_MODEL_PROGRAMS; i++) {
        if (p->program[i].program != NULL && p->program[i].raw) {
            return &p->program[i];
        }
    }
    if (ho_model_proc_add(m, p, "raw", NULL, 0, NULL, &g) != 0) {
        ho_model_fail(m, -ENOMEM, "no memory for a process");
        return NULL;
    }
    ho_model_program_run(m, g); /* it makes its epoll; without memory for it, it ends */
    if (g->program == NULL) {
        ho_model_fail(m, -ENOMEM, "no memory for a process");
        return NULL;
    }
    return g;
}

static int verb(struct ho_model *m, struct ho_model_program *g, const char *name,
                const struct args *a)
{
    struct ho_program_error error = { .text = "" };
    int err = ho_program_command(g->program, name, a->arg, a->n, m->now, &error);

    if (err == -EINVAL) {
        return refuse(m, g->proc, name, error.text);
    }
    if (err == -EAGAIN) {
        return refuse(m, g->proc, name, "too many calls are under way");
    }
    return err;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int do_listen(struct ho_model *m, struct ho_model_program *g,
                     const struct ho_plan_call *call)
{
    struct args a = { .n = 0 };
    char name[HO_PROGRAM_NAME_MAX];

    snprintf(name, sizeof(name), "L%u", call->port);
    arg_number(&a, "port", call->port);
    arg_text(&a, "addr", m->plan->family == HO_FAMILY_V6 ? "::" : "0.0.0.0");
    arg_text(&a, "as", call->sock != NULL ? call->sock : name);
    arg_number(&a, "backlog", call->backlog != 0 ? call->backlog : 128);
    return verb(m, g, "listen", &a);
}

static int do_connect(struct ho_model *m, struct ho_model_program *g,
                      const struct ho_plan_call *call)
{
    const char *name = call->sock != NULL ? call->sock : call->conn;
    char text[HO_ADDR_TEXT];
    struct args a = { .n = 0 };

    arg_text(&a, "addr", ho_addr_text(&call->addr, text));
    arg_number(&a, "port", call->port);
    arg_number(&a, "from", call->from_port);
    if (name != NULL) {
        arg_text(&a, "as", name);
    }
    if (g->proc->not_reading) {
        arg_text(&a, "read", "no");
    }
    return verb(m, g, "connect", &a);
}

/* ---- on one socket --------------------------------------------------------------------------- */

/* setsockopt on a socket, or the option of every connection from now on. */
static int do_option(struct ho_model *m, struct ho_model_program *g,
                     const struct ho_plan_call *call, const char *on)
{
    struct args a = { .n = 0 };
    char text[48];

    option_text(text, sizeof(text), call);
    arg_text(&a, "name", ho_sockopt_info((enum ho_sockopt)call->opt)->name);
    arg_text(&a, "value", text);
    if (on != NULL) {
        arg_text(&a, "on", on);
    }
    return verb(m, g, on != NULL ? "setsockopt" : "option", &a);
}

/* A verb with nothing but the socket. */
static int plain(struct ho_model *m, struct ho_model_program *g, const char *name, const char *on)
{
    struct args a = { .n = 0 };

    arg_text(&a, "on", on);
    return verb(m, g, name, &a);
}

static int yes_no(struct ho_model *m, struct ho_model_program *g, const char *name, const char *on,
                  bool yes)
{
    struct args a = { .n = 0 };

    arg_text(&a, "value", yes ? "yes" : "no");
    arg_text(&a, "on", on);
    return verb(m, g, name, &a);
}

/* Without `on`: every connection, also those to come. */
static int close_at_eof(struct ho_model *m, struct ho_model_program *g, const char *on)
{
    struct args a = { .n = 0 };

    if (on != NULL) {
        arg_text(&a, "on", on);
    }
    arg_text(&a, "on_eof", "close");
    return verb(m, g, "react", &a);
}

static int epoll_watch(struct ho_model *m, struct ho_model_program *g,
                       const struct ho_plan_call *call, const char *on)
{
    struct args a = { .n = 0 };

    arg_text(&a, "value", "yes");
    if (on != NULL) {
        arg_text(&a, "on", on);
    }
    arg_text(&a, "mode", call->edge ? "edge" : "level");
    return verb(m, g, "watch", &a);
}

static int do_send(struct ho_model *m, struct ho_model_program *g, const struct ho_plan_call *call,
                   const char *on)
{
    struct args a = { .n = 0 };

    arg_number(&a, "bytes", call->bytes);
    arg_text(&a, "on", on);
    arg_text(&a, "block", "yes");
    return verb(m, g, "send", &a);
}

static int do_read(struct ho_model *m, struct ho_model_program *g, const struct ho_plan_call *call,
                   const char *on)
{
    struct args a = { .n = 0 };

    arg_text(&a, "on", on);
    arg_number(&a, "max", call->bytes != 0 ? call->bytes : 65536);
    arg_text(&a, "block", "yes");
    return verb(m, g, "recv", &a);
}

static int do_shutdown(struct ho_model *m, struct ho_model_program *g,
                       const struct ho_plan_call *call, const char *on)
{
    static const char *const how[] = { "RD", "WR", "RDWR" };
    struct args a = { .n = 0 };

    arg_text(&a, "how", how[call->how]);
    arg_text(&a, "on", on);
    return verb(m, g, "shutdown", &a);
}

static int do_getsockopt(struct ho_model *m, struct ho_model_program *g,
                         const struct ho_plan_call *call, const char *on)
{
    struct args a = { .n = 0 };

    arg_text(&a, "name", ho_sockopt_info((enum ho_sockopt)call->opt)->name);
    arg_text(&a, "on", on);
    return verb(m, g, "getsockopt", &a);
}

static int on_socket(struct ho_model *m, struct ho_model_program *g,
                     const struct ho_plan_call *call, int fd)
{
    const char *on = ho_program_sock_name(g->program, fd);

    if (on == NULL) {
        return refuse(m, g->proc, ho_call_text(call->kind), "the socket is closed");
    }
    switch (call->kind) {
    case HO_CALL_SEND:
        return do_send(m, g, call, on);
    case HO_CALL_SEND_FULL:
        return plain(m, g, "fill", on);
    case HO_CALL_READ:
        return do_read(m, g, call, on);
    case HO_CALL_STOP_READING:
    case HO_CALL_RESUME_READING:
        return yes_no(m, g, "reading", on, call->kind == HO_CALL_RESUME_READING);
    case HO_CALL_CLOSE_AT_EOF:
        return close_at_eof(m, g, on);
    case HO_CALL_STOP_ACCEPTING:
    case HO_CALL_RESUME_ACCEPTING:
        return yes_no(m, g, "accepting", on, call->kind == HO_CALL_RESUME_ACCEPTING);
    case HO_CALL_SHUTDOWN:
        return do_shutdown(m, g, call, on);
    case HO_CALL_CLOSE:
        return plain(m, g, "close", on);
    case HO_CALL_SETSOCKOPT:
        return do_option(m, g, call, on);
    case HO_CALL_GETSOCKOPT:
        return do_getsockopt(m, g, call, on);
    case HO_CALL_POLL:
        return plain(m, g, "poll", on);
    case HO_CALL_EPOLL_WATCH:
        return epoll_watch(m, g, call, on);
    default:
        return -ENOTSUP;
    }
}

/* ---- on the process -------------------------------------------------------------------------- */

void ho_model_call_accepted(struct ho_model *m, struct ho_model_program *g, int fd)
{
    const char *on = ho_program_sock_name(g->program, fd);

    if (on != NULL && yes_no(m, g, "reading", on, false) != 0) {
        ho_model_fail(m, -ENOMEM, "an accepted connection cannot be told to wait");
    }
}

/* A call about the newest connection that may come before there is one. */
static int without_socket(struct ho_model *m, struct ho_model_program *g,
                          const struct ho_plan_call *call)
{
    switch (call->kind) {
    case HO_CALL_STOP_READING:
    case HO_CALL_RESUME_READING:
        g->proc->not_reading = call->kind == HO_CALL_STOP_READING;
        return 0;
    default:
        return refuse(m, g->proc, ho_call_text(call->kind), "it has no such connection");
    }
}

/* ---- the door -------------------------------------------------------------------------------- */

/* Every listener of the process. */
static int on_listeners(struct ho_model *m, struct ho_model_program *g,
                        const struct ho_plan_call *call)
{
    struct ho_model_proc *p = g->proc;
    int err = 0;

    for (size_t i = 0; i < p->fds && err == 0; i++) {
        if (p->fd[i] != NULL && p->fd[i]->serial != 0 && !p->fd[i]->connection) {
            err = on_socket(m, g, call, (int)i);
        }
    }
    return err;
}

/* A call that names no socket and is not about the newest one; -EAGAIN: it is. */
static int on_process(struct ho_model *m, struct ho_model_program *g,
                      const struct ho_plan_call *call)
{
    switch (call->kind) {
    case HO_CALL_LISTEN:
        return do_listen(m, g, call);
    case HO_CALL_CONNECT:
        return do_connect(m, g, call);
    case HO_CALL_OPTION:
        return do_option(m, g, call, NULL);
    default:
        break;
    }
    if (call->sock != NULL) {
        return -EAGAIN;
    }
    switch (call->kind) {
    case HO_CALL_STOP_ACCEPTING:
    case HO_CALL_RESUME_ACCEPTING:
        return on_listeners(m, g, call);
    case HO_CALL_CLOSE_AT_EOF:
        return close_at_eof(m, g, NULL);
    case HO_CALL_EPOLL_WATCH:
        return epoll_watch(m, g, call, NULL);
    default:
        return -EAGAIN;
    }
}

static int dispatch(struct ho_model *m, struct ho_model_program *g, const struct ho_plan_call *call)
{
    int err = on_process(m, g, call);
    int fd;

    if (err != -EAGAIN) {
        return err;
    }
    fd = ho_model_fd_find(g->proc, call->sock);
    return fd >= 0 ? on_socket(m, g, call, fd) : without_socket(m, g, call);
}

int ho_model_call(struct ho_model *m, struct ho_model_proc *p, const struct ho_plan_call *call)
{
    struct ho_model_program *g = hands(m, p);
    int err;

    if (g == NULL) {
        return m->err;
    }
    err = dispatch(m, g, call);
    if (err == 0) {
        ho_model_program_run(m, g);
    }
    return err;
}
