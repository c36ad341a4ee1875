/* A plan's calls as verbs of the program `raw`, the process's hands.
 *
 * The hands are made at the first call. What a process is told before it has the connection it
 * is about ("close at eof", an option) is kept and applied when the connection comes: to one it
 * opens before connect(), to one it accepts right after accept().
 *
 * `epoll watch` is edge-triggered whether or not the plan says so: a loop that waits level-
 * triggered for OUT would never sleep, and what each kind reports first is the same.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/world.h"

#define ARGS_MAX 8

/* The arguments of one verb, with room for their texts. */
struct args {
    struct ho_program_arg arg[ARGS_MAX];
    char text[ARGS_MAX][160];
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

static void option_text(char *text, size_t size, const struct ho_model_option *o)
{
    const struct ho_sockopt_info *info = ho_sockopt_info(o->opt);

    if (info->type == HO_SOCKOPT_TYPE_LINGER) {
        snprintf(text, size, "%" PRId64 ":%" PRId64, o->value[0], o->value[1]);
    } else if (info->type == HO_SOCKOPT_TYPE_NAME) {
        snprintf(text, size, "%s",
                 ho_sysctl_word(HO_SYSCTL_TCP_CONGESTION_CONTROL, o->value[0]));
    } else {
        snprintf(text, size, "%" PRId64, o->value[0]);
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
    ho_model_program_run(m, g); /* it makes its epoll */
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
    struct ho_model_manner *how = &g->proc->manner;
    char options[160] = "";
    char text[HO_ADDR_TEXT];
    struct args a = { .n = 0 };
    size_t len = 0;

    for (unsigned i = 0; i < how->n_options && len < sizeof(options); i++) {
        option_text(text, sizeof(text), &how->option[i]);
        len += (size_t)snprintf(options + len, sizeof(options) - len, "%s%s=%s",
                                i > 0 ? "," : "", ho_sockopt_info(how->option[i].opt)->name, text);
    }
    if (len >= sizeof(options)) {
        return refuse(m, g->proc, "connect", "too many socket options");
    }
    arg_text(&a, "addr", ho_addr_text(&call->addr, text));
    arg_number(&a, "port", call->port);
    arg_number(&a, "from", call->from_port);
    g->proc->connections++;
    if (call->sock != NULL || call->conn != NULL) {
        arg_text(&a, "as", call->sock != NULL ? call->sock : call->conn);
    } else {
        arg_number(&a, "as", g->proc->connections);
    }
    arg_text(&a, "options", options);
    arg_text(&a, "read", how->not_reading ? "no" : "auto");
    arg_text(&a, "on_eof", how->close_at_eof ? "close" : "keep");
    return verb(m, g, "connect", &a);
}

/* ---- on one socket --------------------------------------------------------------------------- */

static int set_option(struct ho_model *m, struct ho_model_program *g, const char *on,
                      const struct ho_model_option *o)
{
    struct args a = { .n = 0 };
    char text[32];

    option_text(text, sizeof(text), o);
    arg_text(&a, "name", ho_sockopt_info(o->opt)->name);
    arg_text(&a, "value", text);
    arg_text(&a, "on", on);
    return verb(m, g, "setsockopt", &a);
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

static int close_at_eof(struct ho_model *m, struct ho_model_program *g, const char *on)
{
    struct args a = { .n = 0 };

    arg_text(&a, "on", on);
    arg_text(&a, "on_error", "keep");
    arg_text(&a, "on_eof", "close");
    return verb(m, g, "react", &a);
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

static struct ho_model_option option_of(const struct ho_plan_call *call)
{
    return (struct ho_model_option){ .opt = (enum ho_sockopt)call->opt,
                                     .value = { call->value[0], call->value[1] } };
}

static int on_socket(struct ho_model *m, struct ho_model_program *g,
                     const struct ho_plan_call *call, int fd)
{
    struct ho_model_option option;
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
        return yes_no(m, g, "watch", on, call->kind == HO_CALL_RESUME_ACCEPTING);
    case HO_CALL_SHUTDOWN:
        return do_shutdown(m, g, call, on);
    case HO_CALL_CLOSE:
        return plain(m, g, "close", on);
    case HO_CALL_SETSOCKOPT:
        option = option_of(call);
        return set_option(m, g, on, &option);
    case HO_CALL_GETSOCKOPT:
        return do_getsockopt(m, g, call, on);
    case HO_CALL_POLL:
        return plain(m, g, "poll", on);
    case HO_CALL_EPOLL_WATCH:
        g->proc->fd[fd]->watched = true;
        return 0;
    default:
        return -ENOTSUP;
    }
}

/* ---- on every connection from now on --------------------------------------------------------- */

/* Keeps what concerns connections that are still to come. Returns false if it is none of that. */
static bool keep_manner(struct ho_model_manner *how, const struct ho_plan_call *call)
{
    switch (call->kind) {
    case HO_CALL_OPTION:
        if (how->n_options < HO_MODEL_OPTIONS) {
            how->option[how->n_options++] = option_of(call);
        }
        return true;
    case HO_CALL_STOP_READING:
        how->not_reading = true;
        return true;
    case HO_CALL_RESUME_READING:
        how->not_reading = false;
        return true;
    case HO_CALL_CLOSE_AT_EOF:
        how->close_at_eof = true;
        return true;
    case HO_CALL_EPOLL_WATCH:
        how->watched = true;
        return true;
    default:
        return false;
    }
}

void ho_model_call_manner(struct ho_model *m, struct ho_model_program *g, int fd)
{
    const struct ho_model_manner *how = &g->proc->manner;
    const char *on = ho_program_sock_name(g->program, fd);
    int err = 0;

    if (on == NULL) {
        return;
    }
    for (unsigned i = 0; i < how->n_options && err == 0; i++) {
        err = set_option(m, g, on, &how->option[i]);
    }
    if (how->not_reading && err == 0) {
        err = yes_no(m, g, "reading", on, false);
    }
    if (how->close_at_eof && err == 0) {
        err = close_at_eof(m, g, on);
    }
    if (err != 0) {
        ho_model_fail(m, err, m->why[0] != '\0' ? m->why : "an accepted connection");
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

static int dispatch(struct ho_model *m, struct ho_model_program *g,
                    const struct ho_plan_call *call)
{
    bool kept = call->sock == NULL && keep_manner(&g->proc->manner, call);
    int fd;

    if (call->kind == HO_CALL_OPTION) {
        return 0;
    }
    if (call->kind == HO_CALL_LISTEN) {
        return do_listen(m, g, call);
    }
    if (call->kind == HO_CALL_CONNECT) {
        return do_connect(m, g, call);
    }
    if (call->sock == NULL &&
        (call->kind == HO_CALL_STOP_ACCEPTING || call->kind == HO_CALL_RESUME_ACCEPTING)) {
        return on_listeners(m, g, call);
    }
    fd = ho_model_fd_find(g->proc, call->sock);
    if (fd >= 0) {
        return on_socket(m, g, call, fd);
    }
    return kept ? 0 : refuse(m, g->proc, ho_call_text(call->kind), "it has no such connection");
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
