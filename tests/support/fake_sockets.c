/* A kernel for tests of programs (fake_sockets.h). */

#include "support/fake_sockets.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "knobs/errno.h"
#include "knobs/sockopt.h"

struct fake *fake_new(void)
{
    struct fake *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->delay = ho_ms(1);
    f->room = 65536;
    f->max_send = SIZE_MAX;
    f->max_recv = SIZE_MAX;
    for (int i = 0; i < FAKE_SOCKS; i++) {
        f->sock[i].peer = -1;
    }
    return f;
}

static void chunks_free(struct fake_sock *s)
{
    for (unsigned i = 0; i < s->n_in; i++) {
        free(s->in[i].bytes);
    }
    s->n_in = 0;
    s->in_bytes = 0;
}

void fake_free(struct fake *f)
{
    for (unsigned i = 0; i < f->n_programs; i++) {
        ho_program_free(f->program[i]);
    }
    for (int i = 0; i < FAKE_SOCKS; i++) {
        chunks_free(&f->sock[i]);
    }
    free(f);
}

/* ---- sockets --------------------------------------------------------------------------------- */

static int sock_new(struct fake *f, enum fake_kind kind, int owner)
{
    for (int i = 3; i < FAKE_SOCKS; i++) {
        struct fake_sock *s = &f->sock[i];

        if (s->kind == FAKE_FREE) {
            memset(s, 0, sizeof(*s));
            s->kind = kind;
            s->owner = owner;
            s->peer = -1;
            return i;
        }
    }
    return -EMFILE;
}

/* Tests that make an allocation fail mean the programs': the fake asks a second time. */
static uint8_t *keep(const void *bytes, size_t len)
{
    uint8_t *copy = malloc(len);

    if (copy == NULL) {
        copy = malloc(len);
    }
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    return copy;
}

static void put(struct fake *f, int to, struct fake_chunk c)
{
    struct fake_sock *s;

    if (to < 0 || f->cut) {
        free(c.bytes);
        return;
    }
    s = &f->sock[to];
    assert_true(s->n_in < FAKE_CHUNKS);
    c.at = ho_time_add(f->now, f->delay);
    s->in[s->n_in++] = c;
    s->in_bytes += c.len;
}

static bool arrived(const struct fake *f, const struct fake_chunk *c)
{
    return c->at.ns <= f->now.ns;
}

static void drop_first(struct fake_sock *s)
{
    free(s->in[0].bytes);
    s->n_in--;
    memmove(&s->in[0], &s->in[1], s->n_in * sizeof(s->in[0]));
}

/* FIN and RST take effect when everything before them was read (FIN) or at once (RST). */
static void arrive(struct fake *f)
{
    for (int i = 3; i < FAKE_SOCKS; i++) {
        struct fake_sock *s = &f->sock[i];

        if (s->kind == FAKE_CONNECTING && s->connected_at.ns <= f->now.ns) {
            s->kind = s->connect_err == 0 ? FAKE_CONN : FAKE_FRESH;
            s->dead = s->connect_err != 0;
            s->err = s->connect_err;
            s->wakes++;
        }
        for (unsigned k = 0; k < s->n_in; k++) {
            struct fake_chunk *c = &s->in[k];

            if (!arrived(f, c) || c->at.ns == -1) {
                continue;
            }
            s->wakes++;
            c->at.ns = -1; /* noticed */
            if (c->err != 0) {
                s->err = c->err;
                s->dead = true;
                s->peer = -1;
            }
        }
        while (s->n_in > 0 && s->in[0].at.ns == -1 && s->in[0].len == 0) {
            s->eof = s->eof || s->in[0].fin;
            drop_first(s);
        }
    }
}

static bool readable(const struct fake *f, const struct fake_sock *s)
{
    (void)f;
    return s->n_in > 0 && s->in[0].at.ns == -1 && s->in[0].len > 0;
}

static size_t room_of(const struct fake *f, const struct fake_sock *s)
{
    size_t used = s->peer >= 0 ? f->sock[s->peer].in_bytes : 0;

    if (f->cut && s->peer >= 0) {
        used = 0;
    }
    return used < f->room ? f->room - used : 0;
}

static uint32_t mask_of(const struct fake *f, const struct fake_sock *s)
{
    uint32_t m = 0;

    if (s->kind == FAKE_LISTENER) {
        return s->n_accept > 0 ? HO_POLLIN : 0;
    }
    if (s->kind == FAKE_FRESH) {
        return HO_POLLOUT | HO_POLLHUP | (s->err != 0 ? HO_POLLERR : 0);
    }
    if (s->kind != FAKE_CONN) {
        return 0;
    }
    m |= readable(f, s) ? HO_POLLIN : 0;
    m |= s->eof ? HO_POLLIN | HO_POLLRDHUP : 0;
    m |= room_of(f, s) > 0 ? HO_POLLOUT : 0;
    m |= s->dead ? HO_POLLIN | HO_POLLOUT | HO_POLLHUP | HO_POLLRDHUP : 0;
    m |= s->eof && s->shut_wr ? HO_POLLHUP : 0;
    m |= s->err != 0 ? HO_POLLERR : 0;
    return m;
}

/* ---- calls ----------------------------------------------------------------------------------- */

#define WOULD_BLOCK INT64_MIN

static int64_t take_err(struct fake_sock *s)
{
    int err = s->err;

    s->err = 0;
    return -err;
}

static int64_t do_recv(struct fake *f, struct fake_sock *s, struct ho_op *op)
{
    size_t max = op->len < f->max_recv ? op->len : f->max_recv, got = 0;

    if (s->kind != FAKE_CONN && !s->dead) {
        return -ENOTCONN;
    }
    while (got < max && readable(f, s)) {
        struct fake_chunk *c = &s->in[0];
        size_t left = c->len - c->done;
        size_t n = left < max - got ? left : max - got;

        memcpy((uint8_t *)op->buf + got, c->bytes + c->done, n);
        c->done += n;
        got += n;
        s->in_bytes -= n;
        if (c->done == c->len) {
            drop_first(s);
        }
    }
    if (got > 0) {
        if (s->peer >= 0 && f->sock[s->peer].nospace) {
            f->sock[s->peer].wakes++; /* its window opened */
            f->sock[s->peer].nospace = false;
        }
        arrive(f);
        return (int64_t)got;
    }
    if (s->err != 0) {
        return take_err(s);
    }
    return s->eof || s->dead ? 0 : WOULD_BLOCK;
}

static int64_t do_send(struct fake *f, struct fake_sock *s, struct ho_op *op)
{
    size_t n = op->len < f->max_send ? op->len : f->max_send;
    size_t room = room_of(f, s);
    struct fake_chunk c = { 0 };

    if (s->err != 0) {
        return take_err(s);
    }
    if (s->kind != FAKE_CONN || s->dead || s->shut_wr) {
        return -EPIPE;
    }
    s->nospace = s->nospace || n > room;
    n = n < room ? n : room;
    if (n == 0) {
        return WOULD_BLOCK;
    }
    c.bytes = keep(op->buf, n);
    c.len = n;
    put(f, s->peer, c);
    return (int64_t)n;
}

static int64_t do_connect(struct fake *f, int fd, struct ho_op *op)
{
    struct fake_sock *s = &f->sock[fd], *x;
    int l = -1, other;

    if (s->kind == FAKE_CONN) {
        return s->err != 0 ? take_err(s) : 0;
    }
    if (s->kind == FAKE_CONNECTING) {
        return s->nonblock ? -EALREADY : WOULD_BLOCK;
    }
    if (s->dead) {
        return take_err(s); /* a blocking connect() that failed */
    }
    for (int i = 3; i < FAKE_SOCKS; i++) {
        if (f->sock[i].kind == FAKE_LISTENER && f->sock[i].port == op->port) {
            l = i;
        }
    }
    s->kind = FAKE_CONNECTING;
    s->connected_at = f->cut ? HO_NEVER : ho_time_add(f->now, ho_ns(2 * f->delay.ns));
    s->connect_err = l < 0 ? ECONNREFUSED : 0;
    if (l >= 0 && !f->cut) {
        other = sock_new(f, FAKE_CONN, f->sock[l].owner);
        assert_true(other >= 0 && f->sock[l].n_accept < 16);
        x = &f->sock[other];
        x->peer = fd;
        s->peer = other;
        f->sock[l].accept[f->sock[l].n_accept++] = other;
        f->sock[l].wakes++;
    }
    return s->nonblock ? -EINPROGRESS : WOULD_BLOCK;
}

static void close_sock(struct fake *f, int fd)
{
    struct fake_sock *s = &f->sock[fd];

    if ((s->kind == FAKE_CONN || s->kind == FAKE_CONNECTING) && s->peer >= 0) {
        bool unread = s->n_in > 0 && s->in[0].at.ns == -1;
        struct fake_chunk c = { .fin = !unread, .err = unread ? ECONNRESET : 0 };

        f->sock[s->peer].peer = -1;
        if (!s->shut_wr || unread) {
            put(f, s->peer, c);
        }
    }
    chunks_free(s);
    for (int i = 3; i < FAKE_SOCKS; i++) {
        struct fake_sock *e = &f->sock[i];

        for (unsigned k = 0; e->kind == FAKE_EPOLL && k < e->n_watch; k++) {
            if (e->watch[k].target == fd) {
                e->watch[k--] = e->watch[--e->n_watch];
            }
        }
    }
    s->kind = FAKE_FREE;
}

static int64_t do_epoll_ctl(struct fake *f, struct fake_sock *e, const struct ho_op *op)
{
    unsigned k = 0;

    (void)f;
    while (k < e->n_watch && e->watch[k].target != op->target) {
        k++;
    }
    if (op->arg == HO_EPOLL_DEL) {
        assert_true(k < e->n_watch);
        e->watch[k] = e->watch[--e->n_watch];
        return 0;
    }
    if (op->arg == HO_EPOLL_ADD) {
        assert_int_equal(k, e->n_watch);
        e->n_watch++;
    }
    assert_true(k < e->n_watch);
    e->watch[k] =
        (struct fake_watch){ .target = op->target, .events = op->events, .data = op->data };
    return 0;
}

static int64_t do_epoll_wait(struct fake *f, struct fake_sock *e, const struct ho_op *op)
{
    struct ho_epoll_event *ev = op->buf;
    size_t n = 0;

    for (unsigned k = 0; k < e->n_watch && n < op->len; k++) {
        struct fake_watch *w = &e->watch[k];
        const struct fake_sock *s = &f->sock[w->target];
        uint32_t events = mask_of(f, s) & (w->events | HO_POLLERR | HO_POLLHUP);
        bool edge = (w->events & HO_EPOLLET) != 0;

        if (events == 0 || (edge && w->told && w->seen == s->wakes)) {
            continue;
        }
        w->told = true;
        w->seen = s->wakes;
        ev[n++] = (struct ho_epoll_event){ .events = events, .data = w->data };
    }
    return n > 0 ? (int64_t)n : WOULD_BLOCK;
}

static int64_t do_accept(struct fake *f, struct fake_sock *s, struct ho_op *op)
{
    int fd;

    if (s->n_accept == 0) {
        return WOULD_BLOCK;
    }
    fd = s->accept[0];
    memmove(&s->accept[0], &s->accept[1], --s->n_accept * sizeof(s->accept[0]));
    f->sock[fd].nonblock = (op->flags & HO_SOCK_NONBLOCK) != 0;
    op->addr = ho_addr_v4(10, 0, 0, 1);
    op->port = f->sock[fd].peer >= 0 ? f->sock[f->sock[fd].peer].port : 0;
    return fd;
}

/* One try. Returns the result, or WOULD_BLOCK. */
static int64_t try_op(struct fake *f, struct ho_op *op, int program)
{
    struct fake_sock *s = op->fd >= 0 && op->fd < FAKE_SOCKS ? &f->sock[op->fd] : NULL;
    uint32_t events;
    int fd;

    if (op->kind != HO_OP_SOCKET && op->kind != HO_OP_EPOLL_CREATE &&
        (s == NULL || s->kind == FAKE_FREE)) {
        return -EBADF;
    }
    switch (op->kind) {
    case HO_OP_SOCKET:
        fd = sock_new(f, FAKE_FRESH, program);
        if (fd >= 0) {
            f->sock[fd].nonblock = (op->flags & HO_SOCK_NONBLOCK) != 0;
        }
        return fd;
    case HO_OP_EPOLL_CREATE:
        return sock_new(f, FAKE_EPOLL, program);
    case HO_OP_BIND:
        s->port = op->port;
        return 0;
    case HO_OP_LISTEN:
        s->kind = FAKE_LISTENER;
        return 0;
    case HO_OP_ACCEPT:
        return do_accept(f, s, op);
    case HO_OP_CONNECT:
        return do_connect(f, op->fd, op);
    case HO_OP_SEND:
        return do_send(f, s, op);
    case HO_OP_RECV:
        return do_recv(f, s, op);
    case HO_OP_SHUTDOWN:
        if (s->peer >= 0 && !s->shut_wr) {
            put(f, s->peer, (struct fake_chunk){ .fin = true });
        }
        s->shut_wr = true;
        return s->dead ? -ENOTCONN : 0;
    case HO_OP_CLOSE:
        close_sock(f, op->fd);
        return 0;
    case HO_OP_SETSOCKOPT:
        return 0;
    case HO_OP_GETSOCKOPT:
        op->value[0] = op->opt == HO_SOCKOPT_SO_ERROR ? -take_err(s) : 0;
        return 0;
    case HO_OP_GETSOCKNAME:
        op->addr = ho_addr_v4(10, 0, 0, 1);
        op->port = s->port;
        return 0;
    case HO_OP_POLL:
        events = mask_of(f, s) & ((uint32_t)op->arg | HO_POLLERR | HO_POLLHUP);
        return events != 0 ? (int64_t)events : WOULD_BLOCK;
    case HO_OP_EPOLL_CTL:
        return do_epoll_ctl(f, s, op);
    case HO_OP_EPOLL_WAIT:
        return do_epoll_wait(f, s, op);
    default:
        fail_msg("no such call");
        return -EINVAL;
    }
}

static bool waits(const struct fake *f, const struct ho_op *op)
{
    if (op->kind == HO_OP_POLL || op->kind == HO_OP_EPOLL_WAIT) {
        return op->forever || op->timeout.ns > 0;
    }
    return !f->sock[op->fd].nonblock && (op->flags & HO_MSG_DONTWAIT) == 0;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void look(struct fake *f, int program)
{
    struct ho_program_event ev;

    while (ho_program_next_event(f->program[program], &ev)) {
        assert_true(f->n_log < FAKE_LOG);
        f->log[f->n_log++] = (struct fake_log){ .program = program, .ev = ev };
    }
    assert_int_equal(ho_program_events_lost(f->program[program]), 0);
}

static void complete(struct fake *f, int program, struct ho_op *op)
{
    ho_program_complete(f->program[program], op, f->now);
    look(f, program);
}

static void begin(struct fake *f, int program, struct ho_op *op)
{
    int64_t ret;

    f->n_ops++;
    assert_true(f->n_ops < 2000000); /* a program that spins */
    if (f->fail_nth > 0 && op->kind == f->fail_kind && --f->fail_nth == 0) {
        op->ret = -f->fail_err;
        complete(f, program, op);
        return;
    }
    ret = try_op(f, op, program);
    if (ret == WOULD_BLOCK && waits(f, op)) {
        assert_true(f->n_pending < FAKE_PENDING);
        f->pending[f->n_pending].until =
            op->forever || op->timeout.ns == 0 ? HO_NEVER : ho_time_add(f->now, op->timeout);
        f->pending[f->n_pending].op = op;
        f->pending[f->n_pending++].program = program;
        return;
    }
    if (ret == WOULD_BLOCK) {
        ret = op->kind == HO_OP_POLL || op->kind == HO_OP_EPOLL_WAIT ? 0 : -EAGAIN;
    }
    op->ret = ret;
    complete(f, program, op);
}

/* Completes one pending call, if one can be. */
static bool complete_one(struct fake *f)
{
    for (unsigned i = 0; i < f->n_pending; i++) {
        struct ho_op *op = f->pending[i].op;
        int program = f->pending[i].program;
        int64_t ret;

        if (f->stopped[program]) {
            continue;
        }
        ret = try_op(f, op, program);
        if (ret == WOULD_BLOCK && ho_time_reached(f->pending[i].until, f->now)) {
            ret = 0;
        }
        if (ret == WOULD_BLOCK) {
            continue;
        }
        f->n_pending--;
        memmove(&f->pending[i], &f->pending[i + 1], (f->n_pending - i) * sizeof(f->pending[0]));
        op->ret = ret;
        complete(f, program, op);
        return true;
    }
    return false;
}

static void exit_program(struct fake *f, int program)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < f->n_pending; i++) {
        if (f->pending[i].program != program) {
            f->pending[kept++] = f->pending[i];
        }
    }
    f->n_pending = kept;
    for (int i = 3; i < FAKE_SOCKS; i++) {
        if (f->sock[i].kind != FAKE_FREE && f->sock[i].owner == program) {
            close_sock(f, i);
        }
    }
}

void fake_settle(struct fake *f)
{
    bool again = true;

    while (again) {
        again = false;
        arrive(f);
        for (int i = 0; i < (int)f->n_programs; i++) {
            struct ho_op *op;

            if (f->stopped[i]) {
                continue;
            }
            if (ho_time_reached(ho_program_deadline(f->program[i]), f->now)) {
                ho_program_tick(f->program[i], f->now);
            }
            while ((op = ho_program_next_op(f->program[i])) != NULL) {
                begin(f, i, op);
                arrive(f);
                while (complete_one(f)) {
                }
                again = true;
            }
            look(f, i);
            if (ho_program_exited(f->program[i], NULL)) {
                exit_program(f, i);
            }
        }
        arrive(f);
        again = complete_one(f) || again;
    }
}

void fake_continue(struct fake *f, int program)
{
    f->stopped[program] = false;
    for (unsigned i = 0; i < f->n_pending; i++) {
        struct ho_op *op = f->pending[i].op;

        if (f->pending[i].program == program && op->kind == HO_OP_EPOLL_WAIT) {
            f->n_pending--;
            memmove(&f->pending[i], &f->pending[i + 1], (f->n_pending - i) * sizeof(f->pending[0]));
            op->ret = -EINTR;
            complete(f, program, op);
            break;
        }
    }
    fake_settle(f);
}

static struct ho_time next_instant(const struct fake *f)
{
    struct ho_time at = HO_NEVER;

    for (unsigned i = 0; i < f->n_programs; i++) {
        at = f->stopped[i] ? at : ho_time_min(at, ho_program_deadline(f->program[i]));
    }
    for (unsigned i = 0; i < f->n_pending; i++) {
        at = f->stopped[f->pending[i].program] ? at : ho_time_min(at, f->pending[i].until);
    }
    for (int i = 3; i < FAKE_SOCKS; i++) {
        const struct fake_sock *s = &f->sock[i];

        if (s->kind == FAKE_CONNECTING) {
            at = ho_time_min(at, s->connected_at);
        }
        for (unsigned k = 0; s->kind != FAKE_FREE && k < s->n_in; k++) {
            at = s->in[k].at.ns >= 0 ? ho_time_min(at, s->in[k].at) : at;
        }
    }
    return at;
}

void fake_run(struct fake *f, struct ho_time until)
{
    for (;;) {
        struct ho_time at;

        fake_settle(f);
        at = next_instant(f);
        if (at.ns > until.ns) {
            break;
        }
        assert_true(at.ns > f->now.ns); /* otherwise it was due and fake_settle() left it */
        f->now = at;
    }
    f->now = until;
}

/* ---- the test's side ------------------------------------------------------------------------- */

static size_t split(char *text, struct ho_program_arg *args, size_t room)
{
    size_t n = 0;

    for (char *s = text; *s != '\0';) {
        char *end = strchr(s, ' '), *eq;

        if (end != NULL) {
            *end = '\0';
        }
        assert_true(n < room);
        eq = strchr(s, '=');
        args[n].key = NULL;
        args[n].value = s;
        if (eq != NULL) {
            *eq = '\0';
            args[n].key = s;
            args[n].value = eq + 1;
        }
        n += *s != '\0' || eq != NULL;
        if (end == NULL) {
            break;
        }
        s = end + 1;
    }
    return n;
}

int fake_start(struct fake *f, const char *behaviour, const char *text)
{
    struct ho_program_arg args[24];
    struct ho_program_error error = { 0 };
    char copy[512];
    int i = (int)f->n_programs;

    snprintf(copy, sizeof(copy), "%s", text);
    if (ho_program_new(&f->program[i], behaviour, args, split(copy, args, 24), &error) != 0) {
        fail_msg("%s", error.text);
    }
    f->n_programs++;
    ho_program_start(f->program[i], f->now);
    fake_settle(f);
    return i;
}

static int command(struct fake *f, int program, const char *text, struct ho_program_error *error)
{
    struct ho_program_arg args[24];
    char copy[512], *rest;
    int err;

    snprintf(copy, sizeof(copy), "%s", text);
    rest = strchr(copy, ' ');
    if (rest != NULL) {
        *rest++ = '\0';
    }
    err = ho_program_command(f->program[program], copy, args,
                             rest != NULL ? split(rest, args, 24) : 0, f->now, error);
    fake_settle(f);
    return err;
}

void fake_do(struct fake *f, int program, const char *text)
{
    struct ho_program_error error = { 0 };
    int err = command(f, program, text, &error);

    if (err != 0) {
        fail_msg("%s: %d %s", text, err, error.text);
    }
}

int fake_try(struct fake *f, int program, const char *text)
{
    return command(f, program, text, NULL);
}

int fake_listen(struct fake *f, uint16_t port)
{
    int fd = sock_new(f, FAKE_LISTENER, -1);

    assert_true(fd >= 0);
    f->sock[fd].port = port;
    return fd;
}

int fake_accept(struct fake *f, int listener)
{
    struct ho_op op = { .kind = HO_OP_ACCEPT, .fd = listener };
    int64_t ret = do_accept(f, &f->sock[listener], &op);

    return ret == WOULD_BLOCK ? -1 : (int)ret;
}

int fake_connect(struct fake *f, uint16_t port)
{
    struct ho_op op = { .kind = HO_OP_CONNECT, .port = port };
    int fd = sock_new(f, FAKE_FRESH, -1);

    assert_true(fd >= 0);
    f->sock[fd].nonblock = true;
    op.fd = fd;
    do_connect(f, fd, &op);
    fake_settle(f);
    return fd;
}

void fake_send(struct fake *f, int fd, const void *bytes, size_t len)
{
    struct fake_chunk c = { .len = len, .bytes = keep(bytes, len) };

    put(f, f->sock[fd].peer, c);
}

size_t fake_recv(struct fake *f, int fd, void *buf, size_t room)
{
    struct ho_op op = { .kind = HO_OP_RECV, .fd = fd, .buf = buf, .len = room };
    int64_t ret;

    arrive(f);
    ret = do_recv(f, &f->sock[fd], &op);
    return ret > 0 ? (size_t)ret : 0;
}

bool fake_eof(struct fake *f, int fd)
{
    arrive(f);
    return f->sock[fd].eof && !readable(f, &f->sock[fd]);
}

void fake_close(struct fake *f, int fd)
{
    close_sock(f, fd);
}

void fake_break(struct fake *f, int fd, int err)
{
    struct fake_sock *s = &f->sock[fd];

    if (s->peer >= 0) {
        f->sock[s->peer].peer = -1;
    }
    s->peer = -1;
    s->dead = true;
    s->err = err;
    s->wakes++;
}

int fake_conn_of(const struct fake *f, int program)
{
    int found = -1;

    for (int i = 3; i < FAKE_SOCKS; i++) {
        if (f->sock[i].kind == FAKE_CONN && f->sock[i].owner == program) {
            found = i;
        }
    }
    return found;
}

const struct ho_program_event *fake_event(const struct fake *f, int program, int kind,
                                          const char *call, unsigned n)
{
    for (unsigned i = 0; i < f->n_log; i++) {
        const struct fake_log *l = &f->log[i];

        if (l->program == program && (kind < 0 || (int)l->ev.kind == kind) &&
            (*call == '\0' || strcmp(call, l->ev.call) == 0) && n-- == 0) {
            return &l->ev;
        }
    }
    return NULL;
}

unsigned fake_count(const struct fake *f, int program, int kind, const char *call)
{
    unsigned n = 0;

    while (fake_event(f, program, kind, call, n) != NULL) {
        n++;
    }
    return n;
}

static size_t events_text(char *to, size_t room, uint32_t events)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = { { HO_POLLIN, "IN" },
                  { HO_POLLOUT, "OUT" },
                  { HO_POLLERR, "ERR" },
                  { HO_POLLHUP, "HUP" },
                  { HO_POLLRDHUP, "RDHUP" } };
    size_t n = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (events & names[i].bit) {
            n += (size_t)snprintf(to + n, room - n, "%s%s", n > 0 ? "|" : "", names[i].name);
        }
    }
    return n;
}

const char *fake_transcript(const struct fake *f, int program)
{
    static char text[65536];
    size_t n = 0, room = sizeof(text);

    text[0] = '\0';
    for (unsigned i = 0; i < f->n_log; i++) {
        const struct ho_program_event *e = &f->log[i].ev;

        if (f->log[i].program != program) {
            continue;
        }
        assert_true(room - n > 512);
        n += (size_t)snprintf(text + n, room - n, "%lld.%06lld %s%s%s",
                              (long long)(e->at.ns / HO_NS_PER_S),
                              (long long)(e->at.ns % HO_NS_PER_S / 1000), e->sock,
                              e->sock[0] != '\0' ? " " : "", e->call);
        if (e->kind == HO_PROGRAM_ENTER) {
            n += (size_t)snprintf(text + n, room - n, " enter");
        }
        if (e->has & HO_EV_ASKED && strcmp(e->call, "recv") != 0) {
            n += (size_t)snprintf(text + n, room - n, " %llu", (unsigned long long)e->asked);
        }
        if (e->has & HO_EV_RET && e->kind != HO_PROGRAM_EXIT && strcmp(e->call, "accept") != 0) {
            n += (size_t)snprintf(text + n, room - n, " =%lld", (long long)e->ret);
        }
        if (e->kind == HO_PROGRAM_EXIT) {
            n += (size_t)snprintf(text + n, room - n, " %lld", (long long)e->ret);
        }
        if (e->err != 0) {
            n += (size_t)snprintf(text + n, room - n, " %s", ho_errno_name(e->err));
        }
        if (e->has & HO_EV_EVENTS) {
            n += (size_t)snprintf(text + n, room - n, " ");
            n += events_text(text + n, room - n, e->events);
        }
        if (e->has & HO_EV_VALUE) {
            n += (size_t)snprintf(text + n, room - n, " %s %lld", e->detail, (long long)e->value);
        } else if (e->detail[0] != '\0') {
            n += (size_t)snprintf(text + n, room - n, " %s", e->detail);
        }
        if (e->has & HO_EV_RX && e->bad > 0) {
            n += (size_t)snprintf(text + n, room - n, " bad %llu", (unsigned long long)e->bad);
        }
        if (e->note[0] != '\0') {
            n += (size_t)snprintf(text + n, room - n, " (%s)", e->note);
        }
        n += (size_t)snprintf(text + n, room - n, "\n");
    }
    return text;
}
