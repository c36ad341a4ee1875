/* Processes: their programs, the calls these make, what these say.
 *
 * A program is asked for its next operation until it has none; each one is started on the host,
 * and what the host sends because of it leaves before the next is asked for, as it would while
 * a real process is in the call. What a program says (its events) is taken after every step, so
 * that the timeline has calls and segments in the order in which they happened.
 *
 * SIGSTOP takes every blocked call back, as a signal does: data stays in the receive queue while
 * the process is stopped. SIGCONT starts them again; epoll_wait() alone comes back with EINTR
 * (signal(7), "Interruption of system calls and library functions by stop signals").
 */

#include "model/world.h"
#include "play/says.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct ho_model_node *node_of(struct ho_model *m, const struct ho_model_proc *p)
{
    return &m->nodes[p->play.node];
}

static void take_events(struct ho_model *m, struct ho_model_program *g)
{
    struct ho_program_event ev;

    while (ho_program_next_event(g->program, &ev)) {
        if (m->tr.tl != NULL) {
            ho_trace_said(&m->tr, &g->proc->play, g->raw, &ev);
        }
    }
}

/* ---- descriptors ----------------------------------------------------------------------------- */

const char *ho_model_sock_name(const struct ho_model_program *g, int fd)
{
    return g->program != NULL ? ho_program_sock_name(g->program, fd) : NULL;
}

/* Whom the socket is connected with. Returns 0; a negative errno as long as it has no ports. */
static int tuple_of(struct ho_model *m, const struct ho_model_proc *p, int fd,
                    struct ho_play_tuple *ret, enum ho_tcp_state *ret_state)
{
    struct ho_sock_info info;
    int err = ho_host_sock_info(node_of(m, p)->host, p->pid, fd, m->tr.now, &info);

    if (err == 0) {
        *ret = (struct ho_play_tuple){ info.local, info.remote, info.lport, info.rport };
        *ret_state = info.tcp.state;
    }
    return err;
}

void ho_model_connecting(struct ho_model *m, const struct ho_model_program *g,
                         const struct ho_op *op)
{
    struct ho_model_proc *p = g->proc;
    struct ho_play_tuple t = { .lport = 0 };
    enum ho_tcp_state state;
    bool known;

    known = tuple_of(m, p, op->fd, &t, &state) == 0 && t.lport != 0 && t.rport != 0;
    ho_play_fd_connecting(&m->tr, &p->play, op->fd, ho_model_sock_name(g, op->fd),
                          known ? &t : NULL, m->tr.now);
}

void ho_model_accepted(struct ho_model *m, struct ho_model_program *g, int fd)
{
    struct ho_model_proc *p = g->proc;
    struct ho_play_tuple t;
    enum ho_tcp_state state = HO_TCP_CLOSE;
    bool known = tuple_of(m, p, fd, &t, &state) == 0;

    ho_play_fd_accepted(&m->tr, &p->play, fd, ho_model_sock_name(g, fd), known ? &t : NULL, state);
    if (g->raw && p->play.not_reading) {
        ho_model_call_accepted(m, g, fd);
    }
}

/* ---- operations ------------------------------------------------------------------------------ */

static void wait_push(struct ho_model *m, struct ho_model_program *g, struct ho_op *op)
{
    struct ho_model_proc *p = g->proc;

    if (p->waits == p->wait_room) {
        size_t room = p->wait_room == 0 ? 4 : p->wait_room * 2;
        struct ho_model_wait *more = realloc(p->wait, room * sizeof(*more));

        if (more == NULL) {
            ho_trace_fail(&m->tr, -ENOMEM, "no memory for a process's pending calls");
            ho_host_cancel(node_of(m, p)->host, op);
            return;
        }
        p->wait = more;
        p->wait_room = room;
    }
    p->wait[p->waits++] = (struct ho_model_wait){ .op = op, .of = g };
}

/* The program that waits for `op`; NULL: nobody. */
static struct ho_model_program *wait_take(struct ho_model_proc *p, const struct ho_op *op)
{
    for (size_t i = p->waits; i-- > 0;) {
        if (p->wait[i].op == op) {
            struct ho_model_program *g = p->wait[i].of;

            memmove(&p->wait[i], &p->wait[i + 1], (p->waits - i - 1) * sizeof(*p->wait));
            p->waits--;
            return g;
        }
    }
    return NULL;
}

static void op_complete(struct ho_model *m, struct ho_model_program *g, struct ho_op *op)
{
    int fd = op->kind == HO_OP_ACCEPT && op->ret >= 0 ? (int)op->ret : -1;

    ho_play_fd_done(&m->tr, &g->proc->play, op,
                    op->kind == HO_OP_LISTEN ? ho_model_sock_name(g, op->fd) : NULL);
    ho_program_complete(g->program, op, m->tr.now);
    if (fd >= 0) {
        ho_model_accepted(m, g, fd);
    }
    take_events(m, g);
}

static void op_start(struct ho_model *m, struct ho_model_program *g, struct ho_op *op)
{
    struct ho_model_node *n = node_of(m, g->proc);
    enum ho_op_status status;

    op->pid = g->proc->pid;
    status = ho_host_start(n->host, op->pid, op, m->tr.now);
    if (op->kind == HO_OP_CONNECT) {
        ho_model_connecting(m, g, op);
    }
    take_events(m, g);
    ho_model_drain(m, n);
    ho_model_dirty(m, n);
    if (status == HO_OP_DONE) {
        op_complete(m, g, op);
    } else {
        wait_push(m, g, op);
    }
}

/* The process ends by itself: its descriptors are closed as in exit(2). */
static void proc_exit(struct ho_model *m, struct ho_model_proc *p)
{
    struct ho_model_node *n = node_of(m, p);

    ho_host_kill(n->host, p->pid, m->tr.now);
    ho_model_proc_end(m, p);
    ho_model_drain(m, n);
    ho_model_dirty(m, n);
}

void ho_model_program_run(struct ho_model *m, struct ho_model_program *g)
{
    struct ho_op *op;

    if (g->proc->stopped || m->tr.err != 0) {
        return;
    }
    while (m->tr.err == 0 && (op = ho_program_next_op(g->program)) != NULL) {
        op_start(m, g, op);
    }
    take_events(m, g);
    if (ho_program_exited(g->program, NULL)) {
        proc_exit(m, g->proc);
        return;
    }
    ho_model_arm(m, &g->due, ho_program_deadline(g->program));
}

void ho_model_program_tick(struct ho_model *m, struct ho_model_program *g)
{
    if (!g->proc->stopped) {
        ho_program_tick(g->program, m->tr.now);
        ho_model_program_run(m, g);
    }
}

static struct ho_model_proc *proc_by_pid(struct ho_model *m, const struct ho_model_node *n,
                                         uint32_t pid)
{
    for (size_t i = 0; i < m->plan->proc_count; i++) {
        if (m->procs[i].play.node == n->index && m->procs[i].pid == pid) {
            return &m->procs[i];
        }
    }
    return NULL;
}

void ho_model_op_done(struct ho_model *m, struct ho_model_node *n, struct ho_op *op)
{
    struct ho_model_proc *p = proc_by_pid(m, n, op->pid);
    struct ho_model_program *g = p != NULL ? wait_take(p, op) : NULL;

    if (g != NULL) {
        op_complete(m, g, op);
        ho_model_program_run(m, g);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

int ho_model_proc_start(struct ho_model *m, struct ho_model_proc *p)
{
    int pid;

    if (p->pid != 0) {
        return -EINVAL;
    }
    pid = ho_host_spawn(node_of(m, p)->host, p->play.name);
    if (pid < 0) {
        return pid == -ENETDOWN ? -EINVAL : pid;
    }
    p->pid = (uint32_t)pid;
    p->stopped = false;
    return 0;
}

int ho_model_proc_add(struct ho_model *m, struct ho_model_proc *p, const char *behaviour,
                      const struct ho_program_arg *arg, size_t n,
                      struct ho_program_error *ret_error, struct ho_model_program **ret)
{
    struct ho_model_program *g = p->program;
    struct ho_program *program;
    int err;

    while (g < p->program + HO_MODEL_PROGRAMS && g->program != NULL) {
        g++;
    }
    if (g == p->program + HO_MODEL_PROGRAMS) {
        return -ENOSPC;
    }
    err = ho_program_new(&program, behaviour, arg, n, ret_error);
    if (err != 0) {
        return err;
    }
    *g = (struct ho_model_program){ .program = program, .proc = p };
    g->due.at = HO_NEVER;
    g->due.program = g;
    g->raw = strcmp(behaviour, "raw") == 0;
    ho_program_start(program, m->tr.now);
    *ret = g;
    return 0;
}

void ho_model_proc_end(struct ho_model *m, struct ho_model_proc *p)
{
    for (unsigned i = 0; i < HO_MODEL_PROGRAMS; i++) {
        struct ho_model_program *g = &p->program[i];

        if (g->program != NULL) {
            ho_timerq_cancel(&m->timers, &g->due.timer);
            ho_program_free(g->program);
            g->program = NULL;
        }
    }
    ho_play_fds_forget(&p->play);
    p->play.not_reading = false;
    p->waits = 0;
    p->pid = 0;
    p->stopped = false;
}

void ho_model_proc_free(struct ho_model_proc *p)
{
    for (unsigned i = 0; i < HO_MODEL_PROGRAMS; i++) {
        ho_program_free(p->program[i].program);
    }
    ho_play_fds_free(&p->play);
    free(p->wait);
}

void ho_model_proc_stop(struct ho_model *m, struct ho_model_proc *p)
{
    p->stopped = true;
    for (size_t i = 0; i < p->waits; i++) {
        ho_host_cancel(node_of(m, p)->host, p->wait[i].op);
    }
}

/* A call that the stop had interrupted goes on. */
static void restart(struct ho_model *m, struct ho_model_program *g, struct ho_op *op)
{
    if (op->ret != -EINTR || op->kind == HO_OP_EPOLL_WAIT) {
        op_complete(m, g, op);
        return;
    }
    if (op->kind == HO_OP_POLL && !op->forever) {
        int64_t left = op->timeout.ns - ho_time_since(m->tr.now, op->started).ns;

        op->timeout = ho_ns(left > 0 ? left : 0);
    }
    op_start(m, g, op);
}

void ho_model_proc_continue(struct ho_model *m, struct ho_model_proc *p)
{
    size_t n = p->waits;

    p->stopped = false;
    for (; n > 0 && p->pid != 0; n--) {
        struct ho_model_wait w = p->wait[0];

        wait_take(p, w.op);
        restart(m, w.of, w.op);
    }
    for (unsigned i = 0; i < HO_MODEL_PROGRAMS && p->pid != 0; i++) {
        if (p->program[i].program != NULL) {
            ho_model_program_tick(m, &p->program[i]);
        }
    }
}
