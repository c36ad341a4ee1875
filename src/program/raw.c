/* `raw` (raw.h): the process, its sockets and whose call is next. */

#include "program/raw.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct raw *raw_of(struct ho_program *p)
{
    return ho_container(p, struct raw, p);
}

/* ---- sockets --------------------------------------------------------------------------------- */

struct raw_sock *raw_sock_new(struct raw *r, const char *name)
{
    struct raw_sock *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return NULL;
    }
    ho_copy_text(s->name, sizeof(s->name), name);
    s->id = ++r->last_id;
    s->fd = -1;
    s->main.sock = s;
    s->aux.sock = s;
    s->ctl.sock = s;
    s->poll.sock = s;
    ho_list_init(&s->tasks);
    ho_list_push(&r->socks, &s->all);
    return s;
}

static void sock_free(struct raw *r, struct raw_sock *s)
{
    while (!ho_list_empty(&s->tasks)) {
        raw_task_free(r, ho_container(s->tasks.next, struct raw_task, node));
    }
    raw_task_free(r, s->main.task);
    raw_task_free(r, s->aux.task);
    ho_list_remove(&s->all);
    ho_list_remove(&s->ready);
    ho_list_remove(&s->repeats);
    free(s);
}

struct raw_sock *raw_find(struct raw *r, const char *name)
{
    for (struct ho_list *n = r->socks.next; n != &r->socks; n = n->next) {
        struct raw_sock *s = ho_container(n, struct raw_sock, all);

        if (!s->gone && strcmp(s->name, name) == 0) {
            return s;
        }
    }
    return NULL;
}

struct raw_sock *raw_by_id(struct raw *r, uint64_t id)
{
    for (struct ho_list *n = r->socks.next; n != &r->socks; n = n->next) {
        struct raw_sock *s = ho_container(n, struct raw_sock, all);

        if (!s->gone && s->id == id) {
            return s;
        }
    }
    return NULL;
}

void raw_release(struct raw *r, struct raw_sock *s)
{
    if (s->gone && !s->main.out && !s->aux.out && !s->ctl.out && !s->poll.out && r->sock != s) {
        sock_free(r, s);
    }
}

void raw_ready(struct raw *r, struct raw_sock *s)
{
    if (!ho_list_linked(&s->ready)) {
        ho_list_push(&r->ready, &s->ready);
    }
}

void raw_manner_join(const struct raw *r, struct raw_manner *how)
{
    if (r->all_watched) {
        how->watch = RAW_WATCH_AFTER;
        how->level = r->all_level;
        how->read = how->read == RAW_READ_THREAD ? RAW_READ_EPOLL : how->read;
    }
    if (r->all_react) {
        how->on_error = r->all_on_error;
        how->on_eof = r->all_on_eof;
    }
    ho_sockopts_join(&how->options, &r->options);
}

/* ---- events and calls ------------------------------------------------------------------------ */

struct ho_program_event *raw_event(struct raw *r, const struct raw_sock *s,
                                   enum ho_program_event_kind kind, const char *call)
{
    struct ho_program_event *e = ho_program_emit(&r->p, kind, call);

    if (e != NULL && s != NULL) {
        ho_copy_text(e->sock, sizeof(e->sock), s->name);
        e->fd = s->fd;
    }
    return e;
}

struct ho_program_event *raw_result(struct raw *r, const struct raw_sock *s, const char *call,
                                    int64_t ret)
{
    struct ho_program_event *e = raw_event(r, s, HO_PROGRAM_CALL, call);

    if (e != NULL) {
        e->has = HO_EV_RET;
        e->ret = ret < 0 ? -1 : ret;
        e->err = ret < 0 ? (int)-ret : 0;
    }
    return e;
}

struct ho_op *raw_op(struct raw_thread *t, enum ho_op_kind kind, int fd)
{
    memset(&t->op, 0, sizeof(t->op));
    t->op.kind = kind;
    t->op.fd = fd;
    return &t->op;
}

/* ---- the table ------------------------------------------------------------------------------- */

static int raw_init(struct ho_program *p, const struct ho_value *v)
{
    struct raw *r = raw_of(p);

    (void)v;
    ho_list_init(&r->socks);
    ho_list_init(&r->ready);
    ho_list_init(&r->repeats);
    r->epfd = -1;
    r->buf = malloc(HO_RAW_BUF);
    return r->buf != NULL ? 0 : -ENOMEM;
}

static void raw_fini(struct ho_program *p)
{
    struct raw *r = raw_of(p);

    while (!ho_list_empty(&r->socks)) {
        sock_free(r, ho_container(r->socks.next, struct raw_sock, all));
    }
    free(r->buf);
}

static void raw_start(struct ho_program *p)
{
    (void)p; /* the epoll thread has its first call ready by itself */
}

/* A verb's call that did not come back at once: it blocks, which the timeline shows, and other
 * verbs may go past it.
 */
static void note_blocked(struct raw *r)
{
    struct raw_thread *th = r->last;
    struct ho_program_event *e;
    struct raw_task *t;

    r->last = NULL;
    if (th == NULL || !th->out || th->blocked || th->sock == NULL) {
        return;
    }
    th->blocked = true;
    t = th->task;
    if (t == NULL) {
        return; /* poll() of the poll thread */
    }
    raw_ready(r, th->sock);
    t->entered = true;
    t->called = r->p.now;
    e = raw_event(r, th->sock, HO_PROGRAM_ENTER, ho_program_op_name(th->op.kind));
    if (e != NULL) {
        ho_copy_text(e->note, sizeof(e->note), t->note);
    }
}

static struct ho_op *give(struct raw *r, struct raw_thread *th, struct ho_op *op)
{
    th->out = true;
    th->blocked = false;
    r->last = th;
    return op;
}

/* The next task of a thread: for main the first, for aux the first that need not wait. */
static struct raw_task *take_task(struct raw_sock *s, const struct raw_thread *th)
{
    for (struct ho_list *n = s->tasks.next; n != &s->tasks; n = n->next) {
        struct raw_task *t = ho_container(n, struct raw_task, node);

        if (th == &s->main || raw_may_overtake(t, s->main.task)) {
            ho_list_remove(n);
            return t;
        }
    }
    return NULL;
}

static struct ho_op *thread_op(struct raw *r, struct raw_thread *th)
{
    struct raw_sock *s = th->sock;

    while (!th->out && !s->gone) {
        struct ho_op *op;

        if (th->task == NULL) {
            th->task = take_task(s, th);
        }
        if (th->task == NULL) {
            break;
        }
        op = raw_task_op(r, th);
        if (op != NULL) {
            return give(r, th, op);
        }
        raw_task_free(r, th->task);
        th->task = NULL;
    }
    return NULL;
}

/* The next call of any thread of the socket, NULL if all wait or have nothing to do. */
static struct ho_op *sock_op(struct raw *r, struct raw_sock *s)
{
    struct ho_op *op;

    if (s->ctl_wanted && !s->gone) {
        s->ctl_wanted = false;
        return give(r, &s->ctl, raw_watch_op(r, &s->ctl, s, raw_interest(s)));
    }
    op = thread_op(r, &s->main);
    if (op == NULL && s->main.out && s->main.blocked) {
        op = thread_op(r, &s->aux);
    }
    if (op == NULL && !s->poll.out && !s->gone) {
        op = raw_poll_op(r, s);
        op = op != NULL ? give(r, &s->poll, op) : NULL;
    }
    return op;
}

/* The epoll thread goes first: what it does is older than what a verb asked for now. */
static struct ho_op *raw_next_op(struct ho_program *p)
{
    struct raw *r = raw_of(p);

    note_blocked(r);
    if (!r->epoll.out) {
        return give(r, &r->epoll, raw_epoll_op(r));
    }
    while (r->epfd >= 0 && !ho_list_empty(&r->ready)) {
        struct raw_sock *s = ho_container(r->ready.next, struct raw_sock, ready);
        struct ho_op *op = sock_op(r, s);

        if (op != NULL) {
            return op; /* it stays ready: another of its threads may have one as well */
        }
        ho_list_remove(&s->ready);
        raw_release(r, s);
    }
    return NULL;
}

/* What a closed socket was still to do. */
static void drop_tasks(struct raw *r, struct raw_sock *s)
{
    if (!s->gone || ho_list_empty(&s->tasks)) {
        return;
    }
    ho_program_say(&r->p, "close", s->name, -1, "verbs that came after it were dropped");
    while (!ho_list_empty(&s->tasks)) {
        raw_task_free(r, ho_container(s->tasks.next, struct raw_task, node));
    }
}

static void raw_complete(struct ho_program *p, struct ho_op *op)
{
    struct raw *r = raw_of(p);
    struct raw_thread *th = ho_container(op, struct raw_thread, op);
    struct raw_sock *s = th->sock;

    assert(th->out);
    th->out = false;
    if (s == NULL) {
        raw_epoll_done(r);
        return;
    }
    if (th == &s->ctl) {
        raw_watch_done(r, s, op);
    } else if (th == &s->poll) {
        raw_poll_done(r, s);
    } else {
        raw_task_done(r, th);
        drop_tasks(r, s);
    }
    raw_ready(r, s);
}

static struct ho_time raw_deadline(const struct ho_program *p)
{
    const struct raw *r = (const struct raw *)(const void *)p;
    struct ho_time at = HO_NEVER;

    for (const struct ho_list *n = r->repeats.next; n != &r->repeats; n = n->next) {
        const struct raw_sock *s =
            (const struct raw_sock *)(const void *)((const char *)n -
                                                    offsetof(struct raw_sock, repeats));

        at = ho_time_min(at, s->next);
    }
    return at;
}

static void raw_tick(struct ho_program *p)
{
    struct raw *r = raw_of(p);
    struct ho_list *next;

    for (struct ho_list *n = r->repeats.next; n != &r->repeats; n = next) {
        struct raw_sock *s = ho_container(n, struct raw_sock, repeats);

        next = n->next; /* the last repetition takes itself out */
        while (ho_list_linked(&s->repeats) && ho_time_reached(s->next, p->now)) {
            raw_repeat(r, s);
        }
    }
}

static const char *raw_sock_name(const struct ho_program *p, int fd)
{
    const struct raw *r = (const struct raw *)(const void *)p;

    for (const struct ho_list *n = r->socks.next; n != &r->socks; n = n->next) {
        const struct raw_sock *s = (const struct raw_sock *)(const void *)n;

        if (!s->gone && s->fd == fd) {
            return s->name;
        }
    }
    return NULL;
}

const struct ho_behaviour ho_behaviour_raw = {
    .spec = { .name = "raw", .help = "makes the system calls that the scenario's verbs say" },
    .size = sizeof(struct raw),
    .init = raw_init,
    .fini = raw_fini,
    .start = raw_start,
    .next_op = raw_next_op,
    .complete = raw_complete,
    .deadline = raw_deadline,
    .tick = raw_tick,
    .command = raw_command,
    .sock_name = raw_sock_name,
};
