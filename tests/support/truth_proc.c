/* What the processes of a truth script do: calls at their times, answers to events, epoll.
 *
 * A process has two lists, both of lines of the script. Calls with `.` are made at their time.
 * An event line with the `+` calls behind it is one reaction: when the model's epoll gives such an
 * event, the calls follow in the file's distances. A process that is told of bytes reads all there
 * are, as those measured did.
 */

#include "support/truth_proc.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knobs/errno.h"
#include "knobs/sockopt.h"
#include "support/truth_cause.h"

#define LOOK_US 100      /* from something happening to the process looking at epoll */
#define SOON_US 5000000  /* how far from its like in the script an event of the model may be */
#define TOGETHER_US 3000 /* events so near to each other may come as one */
#define FOREVER INT64_MAX

static int host_start(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_op *op)
{
    w->touched[p->host] = true;
    return (int)ho_host_start(w->hosts[p->host], p->pid, op, w->now);
}

/* One call that cannot wait. Returns what it returned. */
static int64_t call_now(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_op *op)
{
    int status = host_start(w, p, op);
    assert(status == HO_OP_DONE);
    return op->ret;
}

static struct ho_addr addr_of(int host)
{
    return ho_addr_v4(10, 0, 0, (uint8_t)(host + 1));
}

static struct ho_truth_sock *sock_of(struct ho_truth_proc *p, const char *name)
{
    for (size_t i = 0; i < HO_TRUTH_SOCKS; i++) {
        struct ho_truth_sock *s = &p->socks[i];
        if (s->name[0] == '\0') {
            (void)snprintf(s->name, sizeof(s->name), "%s", name);
            s->fd = -1;
        }
        if (strcmp(s->name, name) == 0) {
            return s;
        }
    }
    assert(0 && "too many sockets in a process");
    return NULL;
}

/* The byte at an offset of a stream: the same rule at both ends. */
static uint8_t stream_byte(uint64_t offset)
{
    return (uint8_t)(offset * 7 + (offset >> 8) * 13 + (offset >> 16));
}

/* --- records ---------------------------------------------------------------------------------- */

static const char *errno_text(int64_t ret)
{
    return ret < 0 ? ho_errno_name((int)ret) : "0";
}

static struct ho_truth_rec *app_rec(struct ho_truth_world *w, struct ho_truth_proc *p,
                                    const char *sock)
{
    struct ho_truth_rec *r =
        ho_truth_add(w->recs, HO_TRUTH_APP, (int)(p - w->procs), ho_truth_us(w, w->now));
    (void)snprintf(r->sock, sizeof(r->sock), "%s", sock);
    ho_truth_cause_note(w, p->host);
    return r;
}

static void call_rec(struct ho_truth_world *w, struct ho_truth_proc *p, const char *call,
                     const char *sock, const char *arg, int64_t ret)
{
    struct ho_truth_rec *r = app_rec(w, p, sock);
    (void)snprintf(r->text, sizeof(r->text), "%s %s %s= %ld %s", call, sock, arg,
                   ret < 0 ? -1L : (long)ret, errno_text(ret));
    if (strcmp(call, "recv") == 0 && ret > 0) {
        r->bytes = (long)ret;
    }
}

/* --- options and new sockets ------------------------------------------------------------------ */

static void set_option(struct ho_truth_world *w, struct ho_truth_proc *p, int fd, const char *name,
                       const char *value)
{
    char full[40];
    bool of_socket = strcmp(name, "KEEPALIVE") == 0 || strcmp(name, "LINGER") == 0;
    (void)snprintf(full, sizeof(full), "%s_%s",
                   of_socket                      ? "SO"
                   : strcmp(name, "RECVERR") == 0 ? "IP"
                                                  : "TCP",
                   name);
    struct ho_op op = { .kind = HO_OP_SETSOCKOPT, .fd = fd };
    op.opt = ho_sockopt_find(full);
    assert(op.opt >= 0);
    op.value[0] = ho_truth_num(value);
    const char *comma = strchr(value, ',');
    op.value[1] = comma == NULL ? 0 : ho_truth_num(comma + 1);
    int64_t ret = call_now(w, p, &op);
    assert(ret == 0);
}

/* The options that the script gives sockets of this role, k or x. */
static void set_options(struct ho_truth_world *w, struct ho_truth_proc *p, int fd, const char *role)
{
    for (size_t i = 0; i < w->s->n_lines; i++) {
        const struct ho_truth_line *l = &w->s->lines[i];
        if (l->kind == 'h' && strcmp(l->w[0], "opt") == 0 && strcmp(l->w[1], role) == 0) {
            set_option(w, p, fd, l->w[2], l->w[3]);
        }
    }
}

static void watch(struct ho_truth_world *w, struct ho_truth_proc *p, int fd, uint32_t events)
{
    struct ho_op op = { .kind = HO_OP_EPOLL_CTL,
                        .fd = p->epoll,
                        .target = fd,
                        .arg = HO_EPOLL_ADD,
                        .events = events,
                        .data = (uint64_t)fd };
    int64_t ret = call_now(w, p, &op);
    assert(ret == 0);
}

static void bind_to(struct ho_truth_world *w, struct ho_truth_proc *p, int fd, uint16_t port)
{
    struct ho_op on = {
        .kind = HO_OP_SETSOCKOPT, .fd = fd, .opt = HO_SOCKOPT_SO_REUSEADDR, .value = { 1 }
    };
    (void)call_now(w, p, &on);
    struct ho_op op = { .kind = HO_OP_BIND, .fd = fd, .addr = addr_of(p->host), .port = port };
    int64_t ret = call_now(w, p, &op);
    assert(ret == 0);
}

static int new_socket(struct ho_truth_world *w, struct ho_truth_proc *p, unsigned flags)
{
    struct ho_op op = { .kind = HO_OP_SOCKET, .addr = addr_of(p->host), .flags = flags };
    int64_t fd = call_now(w, p, &op);
    assert(fd >= 0);
    return (int)fd;
}

/* --- calls that may wait ---------------------------------------------------------------------- */

static struct ho_truth_call *new_call(struct ho_truth_proc *p, const struct ho_truth_line *line)
{
    for (size_t i = 0; i < HO_TRUTH_WAITING; i++) {
        struct ho_truth_call *c = &p->calls[i];
        if (!c->used) {
            c->used = true;
            c->line = line;
            c->op = (struct ho_op){ .user = c };
            if (c->room == NULL) {
                c->room = malloc(HO_TRUTH_ROOM);
                assert(c->room != NULL);
            }
            return c;
        }
    }
    assert(0 && "too many calls of a process that have not returned");
    return NULL;
}

static void took(struct ho_truth_sock *s, const uint8_t *bytes, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        s->bad += bytes[i] != stream_byte(s->rx + (uint64_t)i);
    }
    s->rx += n > 0 ? (uint64_t)n : 0;
}

/* What a call that may wait has come to. */
static void call_done(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_truth_call *c)
{
    const char *call = ho_truth_word(c->line, 2), *name = ho_truth_word(c->line, 3);
    struct ho_truth_sock *s = sock_of(p, name);
    int64_t ret = c->op.ret;
    if (strcmp(call, "blocking_recv") == 0) {
        took(s, c->room, ret);
    } else if (strcmp(call, "blocking_send") == 0 && ret > 0) {
        s->tx += (uint64_t)ret;
    }
    call_rec(w, p, call, name, "", ret);
    w->recs->r[w->recs->n - 1].kind = HO_TRUTH_WAIT;
    if (s->fd >= 0 && strcmp(call, "blocking_close") != 0) {
        (void)ho_host_nonblock(w->hosts[p->host], p->pid, s->fd, true);
    }
    c->used = false;
}

static void start_call(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_truth_call *c)
{
    if (host_start(w, p, &c->op) == HO_OP_DONE) {
        call_done(w, p, c);
    }
}

static void look(struct ho_truth_world *w, struct ho_truth_proc *p);

static void do_connect(struct ho_truth_world *w, struct ho_truth_proc *p,
                       const struct ho_truth_line *l)
{
    struct ho_truth_sock *s = sock_of(p, l->w[3]);
    bool race = strpbrk(l->w[4], "em") != NULL;
    s->fd = new_socket(w, p, race ? HO_SOCK_NONBLOCK : 0);
    if (strcmp(l->w[3], "k") == 0) {
        set_options(w, p, s->fd, "k");
    }
    bind_to(w, p, s->fd, (uint16_t)ho_truth_num(l->w[4]));
    watch(w, p, s->fd, HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP | HO_EPOLLET);
    if (strchr(l->w[4], 'h') != NULL) {
        look(w, p); /* its main thread was faster than the one that connects */
    }
    struct ho_truth_call *c = new_call(p, l);
    c->op.kind = HO_OP_CONNECT;
    c->op.fd = s->fd;
    c->op.addr = addr_of(!p->host);
    c->op.port = w->s->port;
    if (race) {
        int64_t ret = call_now(w, p, &c->op);
        assert(ret == -EINPROGRESS);
        p->race = c;
    } else {
        start_call(w, p, c);
    }
}

/* connect() failed, and both threads are awake. What it does then (inet_stream_connect()) in its
 * steps: take the error, disconnect. The other thread looks before or between. False: not yet.
 */
static bool run_race(struct ho_truth_world *w, struct ho_truth_proc *p)
{
    struct ho_truth_call *c = p->race;
    struct ho_op poll = { .kind = HO_OP_POLL, .fd = c->op.fd, .arg = HO_POLLOUT };
    (void)ho_host_start(w->hosts[p->host], p->pid, &poll, w->now); /* changes nothing */
    if ((poll.ret & (int64_t)HO_POLLHUP) == 0) {
        return false;
    }
    p->race = NULL;
    struct ho_op err = { .kind = HO_OP_GETSOCKOPT, .fd = c->op.fd, .opt = HO_SOCKOPT_SO_ERROR };
    bool taken = strchr(c->line->w[4], 'm') != NULL;
    if (taken) {
        (void)call_now(w, p, &err);
    }
    look(w, p);
    int64_t ret = call_now(w, p, &c->op);
    c->op.ret = taken ? -err.value[0] : ret;
    call_done(w, p, c);
    return true;
}

static void do_blocking(struct ho_truth_world *w, struct ho_truth_proc *p,
                        const struct ho_truth_line *l)
{
    struct ho_truth_sock *s = sock_of(p, l->w[3]);
    if (s->fd < 0) {
        return; /* what should have made it has failed, and was said */
    }
    (void)ho_host_nonblock(w->hosts[p->host], p->pid, s->fd, false);
    struct ho_truth_call *c = new_call(p, l);
    c->op.fd = s->fd;
    c->op.buf = c->room;
    c->op.len = HO_TRUTH_ROOM;
    if (strcmp(l->w[2], "blocking_send") == 0) {
        for (size_t i = 0; i < HO_TRUTH_ROOM; i++) {
            c->room[i] = stream_byte(s->tx + i);
        }
        c->op.kind = HO_OP_SEND;
    } else if (strcmp(l->w[2], "blocking_recv") == 0) {
        c->op.kind = HO_OP_RECV;
    } else {
        set_option(w, p, s->fd, "LINGER", "1,5");
        c->op.kind = HO_OP_CLOSE;
    }
    start_call(w, p, c);
}

/* --- calls that return at once ---------------------------------------------------------------- */

static void do_listen(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_truth_sock *s)
{
    s->fd = new_socket(w, p, HO_SOCK_NONBLOCK);
    bind_to(w, p, s->fd, w->s->port);
    struct ho_op op = { .kind = HO_OP_LISTEN, .fd = s->fd, .arg = 8 };
    call_rec(w, p, "listen", s->name, "", call_now(w, p, &op));
    watch(w, p, s->fd, HO_POLLIN);
}

static void do_accept(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_truth_sock *s)
{
    struct ho_op op = { .kind = HO_OP_ACCEPT,
                        .fd = sock_of(p, "L")->fd,
                        .flags = HO_SOCK_NONBLOCK };
    int64_t fd = call_now(w, p, &op);
    char peer[12];
    (void)snprintf(peer, sizeof(peer), "%u", op.port);
    call_rec(w, p, "accept", s->name, fd >= 0 ? peer : "", fd >= 0 ? 0 : fd);
    if (fd >= 0) {
        s->fd = (int)fd;
        set_options(w, p, s->fd, "x");
        watch(w, p, s->fd, HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP | HO_EPOLLET);
    }
}

/* Sends until all is taken or an error comes, as the measured process did. */
static void do_send(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_truth_sock *s,
                    const char *asked)
{
    struct ho_truth_call *c = new_call(p, NULL);
    size_t want = (size_t)ho_truth_num(asked), done = 0;
    assert(want <= HO_TRUTH_ROOM);
    for (size_t i = 0; i < want; i++) {
        c->room[i] = stream_byte(s->tx + i);
    }
    int64_t err = 0;
    while (done < want && err == 0) {
        struct ho_op op = {
            .kind = HO_OP_SEND, .fd = s->fd, .buf = c->room + done, .len = want - done
        };
        int64_t ret = call_now(w, p, &op);
        done += ret > 0 ? (size_t)ret : 0;
        err = ret < 0 ? ret : 0;
    }
    c->used = false;
    s->tx += done;
    struct ho_truth_rec *r = app_rec(w, p, s->name);
    (void)snprintf(r->text, sizeof(r->text), "send %s %s= %ld %s", s->name, asked,
                   err != 0 && done == 0 ? -1L : (long)done, errno_text(err));
}

/* One recv(), or as many as there are bytes. */
static void do_recv(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_truth_sock *s,
                    bool all)
{
    struct ho_truth_call *c = new_call(p, NULL);
    size_t len = w->s->reads != 0 ? w->s->reads : HO_TRUTH_ROOM;
    assert(len <= HO_TRUTH_ROOM);
    do {
        struct ho_op op = {
            .kind = HO_OP_RECV, .fd = s->fd, .buf = c->room, .len = len, .flags = HO_MSG_DONTWAIT
        };
        int64_t ret = call_now(w, p, &op);
        took(s, c->room, ret);
        call_rec(w, p, "recv", s->name, "", ret);
        all = all && ret > 0 && ho_host_fionread(w->hosts[p->host], p->pid, s->fd) > 0;
    } while (all);
    c->used = false;
}

static void do_poll(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_truth_sock *s)
{
    struct ho_op op = { .kind = HO_OP_POLL,
                        .fd = s->fd,
                        .arg = (int)(HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP) };
    int64_t ret = call_now(w, p, &op);
    char buf[48];
    struct ho_truth_rec *r = app_rec(w, p, s->name);
    (void)snprintf(r->text, sizeof(r->text), "poll %s = %s 0", s->name,
                   ho_truth_events_text((unsigned)ret, buf));
}

static void do_so_error(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_truth_sock *s)
{
    struct ho_op op = { .kind = HO_OP_GETSOCKOPT, .fd = s->fd, .opt = HO_SOCKOPT_SO_ERROR };
    int64_t ret = call_now(w, p, &op);
    assert(ret == 0);
    struct ho_truth_rec *r = app_rec(w, p, s->name);
    (void)snprintf(r->text, sizeof(r->text), "soerr %s = 0 %s", s->name,
                   op.value[0] == 0 ? "0" : ho_errno_name((int)op.value[0]));
}

static void do_status(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_truth_sock *s)
{
    struct ho_truth_rec *r = app_rec(w, p, s->name);
    (void)snprintf(r->text, sizeof(r->text), "status %s %llu,%llu= %llu 0", s->name,
                   (unsigned long long)s->tx, (unsigned long long)s->rx,
                   (unsigned long long)s->bad);
}

static void do_setopt(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_truth_sock *s,
                      const char *what)
{
    char name[24];
    size_t n = strcspn(what, "=");
    (void)snprintf(name, sizeof(name), "%.*s", (int)n, what);
    set_option(w, p, s->fd, name, what + n + 1);
    call_rec(w, p, "setopt", s->name, "", 0);
}

static void do_end(struct ho_truth_world *w, struct ho_truth_proc *p, struct ho_truth_sock *s,
                   const char *call)
{
    bool closing = strcmp(call, "close") == 0;
    struct ho_op op = { .kind = closing ? HO_OP_CLOSE : HO_OP_SHUTDOWN,
                        .fd = s->fd,
                        .arg = HO_SHUT_WR };
    call_rec(w, p, call, s->name, "", call_now(w, p, &op));
    if (closing) {
        s->fd = -1;
    }
}

static void do_line(struct ho_truth_world *w, struct ho_truth_proc *p,
                    const struct ho_truth_line *l)
{
    const char *call = ho_truth_word(l, 2), *arg = ho_truth_word(l, 4);
    struct ho_truth_sock *s = sock_of(p, ho_truth_word(l, 3));
    if (strcmp(call, "connect") == 0) {
        do_connect(w, p, l);
    } else if (strncmp(call, "blocking_", 9) == 0) {
        do_blocking(w, p, l);
    } else if (strcmp(call, "listen") == 0) {
        do_listen(w, p, s);
    } else if (strcmp(call, "accept") == 0) {
        do_accept(w, p, s);
    } else if (strcmp(call, "status") == 0) {
        do_status(w, p, s);
    } else if (s->fd < 0) {
        return; /* what should have made the socket has failed, and was said */
    } else if (strcmp(call, "send") == 0) {
        do_send(w, p, s, arg);
    } else if (strcmp(call, "recv") == 0) {
        do_recv(w, p, s, l->w[1][0] == '+' && ho_truth_num(ho_truth_word(l, 5)) > 0);
    } else if (strcmp(call, "poll") == 0) {
        do_poll(w, p, s);
    } else if (strcmp(call, "soerr") == 0) {
        do_so_error(w, p, s);
    } else if (strcmp(call, "setopt") == 0) {
        do_setopt(w, p, s, arg);
    } else {
        do_end(w, p, s, call);
    }
}

/* --- events ----------------------------------------------------------------------------------- */

static bool is_event(const struct ho_truth_line *l)
{
    return l->kind == 'e';
}

static bool is_answer(const struct ho_truth_line *l)
{
    return l->kind == 'c' && l->w[1][0] == '+';
}

/* Whether the script's event is the one that the model gave. */
static bool same_event(const struct ho_truth_line *l, const char *sock, unsigned events)
{
    unsigned want = ho_truth_events(l->w[2]);
    if (strcmp(l->w[1], sock) != 0) {
        return false;
    }
    if (want == ~0u) {
        return (events & (HO_POLLIN | HO_POLLERR | HO_POLLHUP)) != 0;
    }
    return want == events;
}

/* Answers that are still due are given at once: the next event is there. */
static void finish_answers(struct ho_truth_world *w, struct ho_truth_proc *p)
{
    struct ho_truth_answers *a = &p->answers;
    while (a->active && a->next < a->end) {
        do_line(w, p, p->lines[a->next++]);
    }
    a->active = false;
}

/* The script's event that the model's is: of the next ones alike the one nearest in time, for both
 * may merge wake-ups that the other does not. n_lines: there is none.
 */
static size_t nearest_event(const struct ho_truth_world *w, const struct ho_truth_proc *p,
                            const char *sock, unsigned events)
{
    int64_t now_us = ho_truth_us(w, w->now), best_us = HO_TRUTH_AFTER_US;
    size_t best = p->n_lines;
    for (size_t i = p->event; i < p->n_lines && p->lines[i]->t_us < now_us + best_us; i++) {
        int64_t far = p->lines[i]->t_us - now_us;
        far = far < 0 ? -far : far;
        if (is_event(p->lines[i]) && far < best_us && same_event(p->lines[i], sock, events)) {
            best = i;
            best_us = far;
        }
    }
    return best;
}

/* Two events of the script that came together in the model: the answers stand behind the first. */
static size_t answered_before(const struct ho_truth_proc *p, size_t i)
{
    if (i + 1 < p->n_lines && is_answer(p->lines[i + 1])) {
        return i;
    }
    for (size_t j = i; j-- > p->event;) {
        if (p->lines[i]->t_us - p->lines[j]->t_us > TOGETHER_US) {
            break;
        }
        if (is_event(p->lines[j]) && is_answer(p->lines[j + 1]) &&
            strcmp(p->lines[i]->w[1], p->lines[j]->w[1]) == 0) {
            return j;
        }
    }
    return i;
}

/* Makes the answers to an event due. False: the script has none such. */
static bool answer(struct ho_truth_world *w, struct ho_truth_proc *p, const char *sock,
                   unsigned events)
{
    int record = (int)w->recs->n - 1;
    size_t i = nearest_event(w, p, sock, events);
    if (i == p->n_lines) {
        return false;
    }
    finish_answers(w, p);
    size_t answered = answered_before(p, i);
    p->event = i + 1;
    p->answers.next = p->answers.end = answered + 1;
    while (p->answers.end < p->n_lines && is_answer(p->lines[p->answers.end])) {
        p->answers.end++;
    }
    p->answers.shift_us = ho_truth_us(w, w->now) - p->lines[answered]->t_us;
    p->answers.active = p->answers.end > p->answers.next;
    p->answers.event = record;
    return true;
}

static const char *name_of_fd(const struct ho_truth_proc *p, int fd)
{
    for (size_t i = 0; i < HO_TRUTH_SOCKS; i++) {
        if (p->socks[i].name[0] != '\0' && p->socks[i].fd == fd) {
            return p->socks[i].name;
        }
    }
    return "?";
}

/* Whether the process reads by itself what comes on this socket: it did so when it was last told
 * in the script, or does when it is told next.
 */
static bool reads(const struct ho_truth_world *w, const struct ho_truth_proc *p, const char *sock)
{
    bool does = false;
    for (size_t i = 0; i + 1 < p->n_lines; i++) {
        const struct ho_truth_line *l = p->lines[i], *answer = p->lines[i + 1];
        if (!is_event(l) || strcmp(l->w[1], sock) != 0 || strstr(l->w[2], "OUT") == l->w[2]) {
            continue;
        }
        bool later = l->t_us > ho_truth_us(w, w->now);
        if (later && l->t_us > ho_truth_us(w, w->now) + SOON_US) {
            break;
        }
        does = is_answer(answer) && strcmp(answer->w[2], "recv") == 0 &&
               ho_truth_num(answer->w[5]) > 0;
        if (later) {
            break;
        }
    }
    return does;
}

static void told(struct ho_truth_world *w, struct ho_truth_proc *p, const struct ho_epoll_event *ev)
{
    const char *sock = name_of_fd(p, (int)ev->data);
    char buf[48];
    struct ho_truth_rec *r = app_rec(w, p, sock);
    (void)snprintf(r->text, sizeof(r->text), "epoll %s %s", sock,
                   ho_truth_events_text(ev->events, buf));
    r->events = ev->events;
    bool data = (ev->events & (HO_POLLIN | HO_POLLERR | HO_POLLHUP)) == HO_POLLIN;
    if (p->deaf && data && strcmp(sock, "L") != 0) {
        return;
    }
    if (!answer(w, p, sock, ev->events) && data && reads(w, p, sock)) {
        do_recv(w, p, sock_of(p, sock), true);
    }
}

static void look(struct ho_truth_world *w, struct ho_truth_proc *p)
{
    struct ho_epoll_event events[8];
    struct ho_op op = { .kind = HO_OP_EPOLL_WAIT, .fd = p->epoll, .buf = events, .len = 8 };
    int status = (int)ho_host_start(w->hosts[p->host], p->pid, &op, w->now);
    assert(status == HO_OP_DONE); /* looking changes nothing: the host is not touched by it */
    int64_t n = op.ret;
    p->look_us = FOREVER;
    for (int64_t i = 0; i < n; i++) {
        told(w, p, &events[i]);
    }
    if (n > 0) { /* after its answers it looks again */
        int64_t until = ho_truth_us(w, w->now);
        if (p->answers.active) {
            until = p->lines[p->answers.end - 1]->t_us + p->answers.shift_us;
        }
        p->busy_us = until + LOOK_US / 2;
        p->look_us = p->busy_us;
        p->look_why = (struct ho_truth_why){ .n = 1, .of = { (int)w->recs->n - 1 } };
    }
}

/* The next reaction of the process, if it is to read: its first line. NULL: it is another. */
static const struct ho_truth_line *next_read(const struct ho_truth_proc *p)
{
    size_t i = p->event;
    while (i < p->n_lines && !is_event(p->lines[i])) {
        i++;
    }
    if (i + 1 >= p->n_lines || !is_answer(p->lines[i + 1])) {
        return NULL;
    }
    const struct ho_truth_line *l = p->lines[i + 1];
    return strcmp(l->w[2], "recv") == 0 && ho_truth_num(ho_truth_word(l, 5)) > 0 ? l : NULL;
}

/* Between which two segments of a burst it was decides over the windows offered. */
void ho_truth_procs_read(struct ho_truth_world *w, int host)
{
    for (size_t i = 0; i < HO_TRUTH_PROCS && w->s->reads != 0; i++) {
        struct ho_truth_proc *p = &w->procs[i];
        if (!p->alive || p->host != host || p->deaf || p->answers.active) {
            continue;
        }
        const struct ho_truth_line *l = next_read(p);
        int fd = l == NULL ? -1 : sock_of(p, l->w[3])->fd;
        if (fd >= 0 &&
            ho_host_fionread(w->hosts[host], p->pid, fd) == ho_truth_num(ho_truth_word(l, 5))) {
            look(w, p);
            finish_answers(w, p);
        }
    }
}

void ho_truth_procs_wake(struct ho_truth_world *w, int host, const struct ho_truth_why *why)
{
    int64_t soon = ho_truth_us(w, w->now) + LOOK_US;
    for (size_t i = 0; i < HO_TRUTH_PROCS; i++) {
        struct ho_truth_proc *p = &w->procs[i];
        if (p->alive && p->host == host) {
            int64_t at = soon > p->busy_us ? soon : p->busy_us;
            ho_truth_cause_join(&p->look_why, why);
            p->look_us = at < p->look_us ? at : p->look_us;
        }
    }
}

/* --- running ---------------------------------------------------------------------------------- */

/* When the process does its next thing, and which: its answers, a call of its own, a look. */
static int64_t next_of(const struct ho_truth_proc *p, int64_t *ret_answer, int64_t *ret_call)
{
    *ret_answer = *ret_call = FOREVER;
    if (!p->alive) {
        return FOREVER;
    }
    if (p->answers.active) {
        *ret_answer = p->lines[p->answers.next]->t_us + p->answers.shift_us;
    }
    if (p->next < p->n_lines) {
        *ret_call = p->lines[p->next]->t_us;
    }
    int64_t first = *ret_answer < *ret_call ? *ret_answer : *ret_call;
    return first < p->look_us ? first : p->look_us;
}

int64_t ho_truth_procs_next(const struct ho_truth_world *w)
{
    int64_t first = FOREVER, answers, call;
    for (size_t i = 0; i < HO_TRUTH_PROCS; i++) {
        int64_t t = next_of(&w->procs[i], &answers, &call);
        first = t < first ? t : first;
    }
    return first;
}

static void skip_to_call(struct ho_truth_proc *p)
{
    while (p->next < p->n_lines && (is_event(p->lines[p->next]) || is_answer(p->lines[p->next]))) {
        p->next++;
    }
}

static void run_one(struct ho_truth_world *w, struct ho_truth_proc *p, int64_t now_us)
{
    int64_t answers, call;
    if (next_of(p, &answers, &call) > now_us) {
        return;
    }
    if (answers <= now_us) {
        ho_truth_cause_add(w, p->host, p->answers.event);
        do_line(w, p, p->lines[p->answers.next++]);
        p->answers.active = p->answers.next < p->answers.end;
    } else if (call <= now_us) {
        const struct ho_truth_line *l = p->lines[p->next++];
        skip_to_call(p);
        ho_truth_cause_add(w, p->host, HO_TRUTH_INPUT);
        do_line(w, p, l);
    } else {
        struct ho_truth_why why = p->look_why;
        p->look_why = (struct ho_truth_why){ .n = 0 };
        for (unsigned i = 0; i < why.n; i++) {
            ho_truth_cause_add(w, p->host, why.of[i]);
        }
        if (p->race == NULL || !run_race(w, p)) {
            look(w, p);
        }
    }
}

void ho_truth_procs_run(struct ho_truth_world *w)
{
    for (size_t i = 0; i < HO_TRUTH_PROCS; i++) {
        run_one(w, &w->procs[i], ho_truth_us(w, w->now));
    }
}

void ho_truth_proc_returned(struct ho_truth_world *w, int host, struct ho_op *op)
{
    for (size_t i = 0; i < HO_TRUTH_PROCS; i++) {
        struct ho_truth_proc *p = &w->procs[i];
        if (p->alive && p->host == host && p->pid == op->pid) {
            call_done(w, p, op->user);
        }
    }
}

/* --- life ------------------------------------------------------------------------------------- */

void ho_truth_procs_init(struct ho_truth_world *w)
{
    for (unsigned i = 0; i < w->s->n_procs; i++) {
        struct ho_truth_proc *p = &w->procs[i];
        (void)snprintf(p->name, sizeof(p->name), "%s", w->s->procs[i]);
        p->host = ho_truth_host(p->name);
        p->lines = calloc(w->s->n_lines, sizeof(const struct ho_truth_line *));
        assert(p->lines != NULL);
        for (size_t j = 0; j < w->s->n_lines; j++) {
            const struct ho_truth_line *l = &w->s->lines[j];
            if ((l->kind == 'c' || l->kind == 'e') && strcmp(l->w[0], p->name) == 0) {
                p->lines[p->n_lines++] = l;
            }
        }
        skip_to_call(p);
    }
}

void ho_truth_procs_free(struct ho_truth_world *w)
{
    for (size_t i = 0; i < HO_TRUTH_PROCS; i++) {
        free(w->procs[i].lines);
        for (size_t j = 0; j < HO_TRUTH_WAITING; j++) {
            free(w->procs[i].calls[j].room);
        }
    }
}

void ho_truth_proc_start(struct ho_truth_world *w, const char *name)
{
    struct ho_truth_proc *p = &w->procs[ho_truth_proc(w->s, name)];
    int pid = ho_host_spawn(w->hosts[p->host], name);
    assert(pid > 0);
    p->pid = (uint32_t)pid;
    p->alive = true;
    p->look_us = FOREVER;
    p->busy_us = INT64_MIN;
    struct ho_op op = { .kind = HO_OP_EPOLL_CREATE };
    p->epoll = (int)call_now(w, p, &op);
    assert(p->epoll >= 0);
}

void ho_truth_proc_kill(struct ho_truth_world *w, struct ho_truth_proc *p)
{
    if (p->alive) {
        p->alive = false;
        w->touched[p->host] = true;
        (void)ho_host_kill(w->hosts[p->host], p->pid, w->now);
    }
}
