/* How a verb's arguments become tasks of `raw`.
 *
 * Without `on` a verb acts on the process's newest connection, accept and accepting on its newest
 * listener. The verbs watch, react and option hold for every connection then, later ones too.
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "program/raw_verbs.h"

/* ---- which socket ---------------------------------------------------------------------------- */

/* The newest connection, or the newest listener. */
static struct raw_sock *newest(struct raw *r, bool listener)
{
    for (struct ho_list *n = r->socks.prev; n != &r->socks; n = n->prev) {
        struct raw_sock *s = ho_container(n, struct raw_sock, all);

        if (!s->gone && s->listener == listener) {
            return s;
        }
    }
    return NULL;
}

static struct raw_sock *sock_of(struct raw *r, const struct ho_value *on, bool listener,
                                struct ho_program_error *ret_error)
{
    bool named = *on->text != '\0';
    struct raw_sock *s = named ? raw_find(r, on->text) : newest(r, listener);

    if (s == NULL && named) {
        ho_program_refuse(ret_error, 0, "on: found \"%.20s\", expected the name of an open socket",
                          on->text);
    } else if (s == NULL) {
        ho_program_refuse(ret_error, 0, "on: missing, and the process has no %s",
                          listener ? "listener" : "connection");
    } else if (s->listener != listener) {
        ho_program_refuse(ret_error, 0, "on: found \"%.20s\", expected a %s", on->text,
                          listener ? "listener" : "connection");
        s = NULL;
    }
    return s;
}

/* The name that was asked for, or the next number, in `name`. */
static int new_name(struct raw *r, const struct ho_value *as, bool listener, char *name,
                    struct ho_program_error *ret_error)
{
    unsigned *n = listener ? &r->n_listeners : &r->n_conns;

    ho_copy_text(name, HO_PROGRAM_NAME_MAX, as->text);
    while (*as->text == '\0' && (*name == '\0' || raw_find(r, name) != NULL)) {
        bool first = ++*n == 1 && listener;

        snprintf(name, HO_PROGRAM_NAME_MAX, first ? "L" : listener ? "L%u" : "%u", *n);
    }
    if (raw_find(r, name) != NULL) {
        return ho_program_refuse(
            ret_error, 0, "as: found \"%.20s\", expected a name that no open socket has", name);
    }
    return 0;
}

/* A socket with its first task. */
static int new_sock(struct raw *r, enum raw_verb verb, const struct ho_value *as,
                    struct raw_sock **ret, struct raw_task **ret_task,
                    struct ho_program_error *ret_error)
{
    char name[HO_PROGRAM_NAME_MAX];
    struct raw_sock *s;
    struct raw_task *t;

    if (new_name(r, as, verb == RAW_LISTEN, name, ret_error) < 0) {
        return -EINVAL;
    }
    if (r->n_tasks >= HO_RAW_TASKS_MAX) {
        return -EAGAIN;
    }
    s = raw_sock_new(r, name);
    if (s == NULL) {
        return -ENOMEM;
    }
    t = raw_task_new(r, s, verb);
    if (t == NULL) {
        s->gone = true;
        raw_release(r, s);
        return -ENOMEM;
    }
    *ret = s;
    *ret_task = t;
    return 0;
}

/* ---- from arguments to tasks ----------------------------------------------------------------- */

/* MANNER_PARAMS, from the first on. */
static struct raw_manner manner_of(const struct ho_value *v)
{
    return (struct raw_manner){
        .read = (enum raw_read)v[0].n,
        .on_error = (enum raw_on_error)v[1].n,
        .on_eof = (enum raw_on_eof)v[2].n,
    };
}

static void options_of(struct ho_sockopts *ret, const struct ho_value *v)
{
    const char *why;
    int err = ho_sockopts_read(ret, v->text, &why);

    assert(err == 0); /* checked by ho_params_read() */
    (void)err;
}

static int new_task(struct raw *r, struct raw_sock *s, enum raw_verb verb, size_t room,
                    struct raw_task **ret)
{
    uint8_t *buf = NULL;
    struct raw_task *t;

    if (r->n_tasks >= HO_RAW_TASKS_MAX) {
        return -EAGAIN;
    }
    if (room > 0) {
        buf = malloc(room);
        if (buf == NULL) {
            return -ENOMEM;
        }
    }
    t = raw_task_new(r, s, verb);
    if (t == NULL) {
        free(buf);
        return -ENOMEM;
    }
    t->buf = buf;
    t->len = room;
    *ret = t;
    return 0;
}

static int command_listen(struct raw *r, const struct ho_value *v,
                          struct ho_program_error *ret_error)
{
    struct raw_task *t;
    struct raw_sock *s;
    int err = new_sock(r, RAW_LISTEN, &v[LISTEN_AS], &s, &t, ret_error);

    if (err < 0) {
        return err;
    }
    s->listener = true;
    s->accepts = v[LISTEN_ACCEPT].n == 0;
    s->how.watch = RAW_WATCH_AFTER;
    ho_copy_text(s->prefix, sizeof(s->prefix), v[LISTEN_NAME].text);
    s->accepted_how = manner_of(&v[LISTEN_MANNER]);
    s->accepted_how.watch = v[LISTEN_WATCH].n != 0 ? RAW_WATCH_AFTER : RAW_WATCH_NO;
    if (s->accepted_how.read == RAW_READ_EPOLL) {
        s->accepted_how.watch = RAW_WATCH_AFTER;
    }
    options_of(&s->accepted_how.options, &v[LISTEN_ACCEPTED]);
    options_of(&t->options, &v[LISTEN_OPTIONS]);
    t->addr = v[LISTEN_ADDR].addr;
    t->port = (uint16_t)v[LISTEN_PORT].n;
    t->arg = (int)v[LISTEN_BACKLOG].n;
    t->block = v[LISTEN_BLOCK].n != 0;
    return 0;
}

static int command_connect(struct raw *r, const struct ho_value *v,
                           struct ho_program_error *ret_error)
{
    struct raw_task *t;
    struct raw_sock *s;
    int err = new_sock(r, RAW_CONNECT, &v[CONNECT_AS], &s, &t, ret_error);

    if (err < 0) {
        return err;
    }
    s->how = manner_of(&v[CONNECT_MANNER]);
    s->how.watch = (enum raw_watch)v[CONNECT_WATCH].n;
    if (s->how.read == RAW_READ_EPOLL && s->how.watch == RAW_WATCH_NO) {
        s->how.watch = RAW_WATCH_AFTER;
    }
    options_of(&s->how.options, &v[CONNECT_OPTIONS]);
    raw_manner_join(r, &s->how);
    t->options = s->how.options;
    t->addr = v[CONNECT_ADDR].addr;
    t->port = (uint16_t)v[CONNECT_PORT].n;
    t->local = v[CONNECT_LOCAL].addr;
    t->from = (uint16_t)v[CONNECT_FROM].n;
    if (ho_addr_is_any(&t->local) && !ho_addr_is_v4(&t->addr)) {
        t->local = (struct ho_addr){ { 0 } }; /* ::, not 0.0.0.0 */
    }
    ho_copy_text(t->note, sizeof(t->note), v[CONNECT_NOTE].text);
    return 0;
}

static int send_task(struct raw *r, struct raw_sock *s, size_t len, bool block, const char *note)
{
    struct raw_task *t;
    int err = new_task(r, s, RAW_SEND, len, &t);

    if (err == 0) {
        t->block = block;
        ho_copy_text(t->note, sizeof(t->note), note);
    }
    return err;
}

static int command_send(struct raw *r, struct raw_sock *s, const struct ho_value *v)
{
    int err = send_task(r, s, (size_t)v[SEND_LEN].n, v[SEND_BLOCK].n != 0, v[SEND_NOTE].text);

    if (err < 0 || v[SEND_EVERY].n == 0 || v[SEND_TIMES].n == 1) {
        return err;
    }
    s->every = ho_ns(v[SEND_EVERY].n);
    s->times = v[SEND_TIMES].n == 0 ? UINT64_MAX : (uint64_t)v[SEND_TIMES].n - 1;
    s->next = ho_time_add(r->p.now, s->every);
    s->repeat_len = (size_t)v[SEND_LEN].n;
    s->repeat_block = v[SEND_BLOCK].n != 0;
    ho_copy_text(s->repeat_note, sizeof(s->repeat_note), v[SEND_NOTE].text);
    if (!ho_list_linked(&s->repeats)) {
        ho_list_push(&r->repeats, &s->repeats);
    }
    return 0;
}

void raw_repeat(struct raw *r, struct raw_sock *s)
{
    int err = send_task(r, s, s->repeat_len, s->repeat_block, s->repeat_note);

    if (err < 0) {
        ho_program_say(&r->p, "send", s->name, s->fd, "a repetition was left out: %s",
                       err == -EAGAIN ? "too many verbs wait" : "no memory");
    }
    s->next = ho_time_add(s->next, s->every);
    if (s->times != UINT64_MAX && --s->times == 0) {
        ho_list_remove(&s->repeats);
    }
}

static void command_status(struct raw *r, struct raw_sock *s, const char *note)
{
    struct ho_program_event *e = raw_event(r, s, HO_PROGRAM_STATUS, "status");

    if (e != NULL) {
        e->has = HO_EV_TX | HO_EV_RX;
        e->tx = s->tx;
        e->rx = s->rx;
        e->bad = s->bad;
        e->stream_ok = s->bad == 0;
        ho_copy_text(e->note, sizeof(e->note), note);
    }
}

static int command_fill(struct raw *r, struct raw_sock *s, const struct ho_value *v)
{
    struct raw_task *t;
    int err = new_task(r, s, RAW_FILL, (size_t)v[FILL_CHUNK].n, &t);

    if (err == 0) {
        ho_copy_text(t->note, sizeof(t->note), v[FILL_NOTE].text);
    }
    return err;
}

static int command_recv(struct raw *r, struct raw_sock *s, const struct ho_value *v)
{
    struct raw_task *t;
    int err = new_task(r, s, RAW_RECV, (size_t)v[RECV_MAX].n, &t);

    if (err == 0) {
        t->block = v[RECV_BLOCK].n != 0;
        ho_copy_text(t->note, sizeof(t->note), v[RECV_NOTE].text);
    }
    return err;
}

/* Reads what is there now; the epoll thread, edge-triggered, was told of it before. */
static int command_read(struct raw *r, struct raw_sock *s, enum raw_verb verb)
{
    struct raw_task *t;
    int err = new_task(r, s, verb, HO_RAW_BUF, &t);

    if (err == 0) {
        raw_reader_start(&t->reader, verb == RAW_DRAIN);
    }
    return err;
}

static int command_reading(struct raw *r, struct raw_sock *s, const struct ho_value *v)
{
    int err = 0;

    if (v[YES_VALUE].n == 0) {
        s->how.read = RAW_READ_NO;
        return 0;
    }
    if (s->how.read != RAW_READ_NO) {
        return 0;
    }
    if (s->how.watch != RAW_WATCH_NO) {
        err = command_read(r, s, RAW_READING);
    }
    if (err == 0) {
        s->how.read = s->how.watch != RAW_WATCH_NO ? RAW_READ_EPOLL : RAW_READ_THREAD;
        raw_ready(r, s);
    }
    return err;
}

static int watch_one(struct raw *r, struct raw_sock *s, const struct ho_value *v)
{
    struct raw_task *t;
    int err = new_task(r, s, RAW_WATCH, 0, &t);

    if (err < 0) {
        return err;
    }
    t->arg = v[WATCH_VALUE].n != 0;
    s->how.watch = t->arg != 0 ? RAW_WATCH_AFTER : RAW_WATCH_NO;
    s->how.level = v[WATCH_MODE].n != 0;
    if (s->how.read != RAW_READ_NO) {
        s->how.read = t->arg != 0 ? RAW_READ_EPOLL : RAW_READ_THREAD;
    }
    return 0;
}

static int command_watch(struct raw *r, const struct ho_value *v,
                         struct ho_program_error *ret_error)
{
    struct raw_sock *s;
    int err = 0;

    if (*v[WATCH_ON].text != '\0') {
        s = sock_of(r, &v[WATCH_ON], false, ret_error);
        return s != NULL ? watch_one(r, s, v) : -EINVAL;
    }
    r->all_watched = v[WATCH_VALUE].n != 0;
    r->all_level = v[WATCH_MODE].n != 0;
    for (struct ho_list *n = r->socks.next; n != &r->socks && err == 0; n = n->next) {
        s = ho_container(n, struct raw_sock, all);
        if (!s->gone && s->connected) {
            err = watch_one(r, s, v);
        } else if (!s->listener) {
            raw_manner_join(r, &s->how);
        }
    }
    return err;
}

static int command_react(struct raw *r, const struct ho_value *v,
                         struct ho_program_error *ret_error)
{
    struct raw_sock *s;

    if (*v[REACT_ON].text != '\0') {
        s = sock_of(r, &v[REACT_ON], false, ret_error);
        if (s == NULL) {
            return -EINVAL;
        }
        s->how.on_error = (enum raw_on_error)v[REACT_ERROR].n;
        s->how.on_eof = (enum raw_on_eof)v[REACT_EOF].n;
        return 0;
    }
    r->all_react = true;
    r->all_on_error = (enum raw_on_error)v[REACT_ERROR].n;
    r->all_on_eof = (enum raw_on_eof)v[REACT_EOF].n;
    for (struct ho_list *n = r->socks.next; n != &r->socks; n = n->next) {
        s = ho_container(n, struct raw_sock, all);
        s->how.on_error = r->all_on_error;
        s->how.on_eof = r->all_on_eof;
    }
    return 0;
}

static int command_option(struct raw *r, const struct ho_value *v,
                          struct ho_program_error *ret_error)
{
    struct ho_sockopts o;

    if (raw_option_of(v, &o, NULL) < 0) {
        return -EINVAL;
    }
    if (r->options.n == HO_SOCKOPTS_ARG_MAX) {
        return ho_program_refuse(ret_error, 0, "option: expected at most %d of them in a process",
                                 HO_SOCKOPTS_ARG_MAX);
    }
    ho_sockopts_join(&r->options, &o);
    return 0;
}

static int command_accepting(struct raw *r, struct raw_sock *s, const struct ho_value *v)
{
    struct raw_task *t;

    s->accepts = v[ACCEPTING_VALUE].n != 0;
    return s->accepts ? new_task(r, s, RAW_ACCEPTING, 0, &t) : 0;
}

/* The verbs that are one call with at most one number. */
static int command_simple(struct raw *r, struct raw_sock *s, enum raw_verb verb,
                          const struct ho_value *v, struct ho_program_error *ret_error)
{
    static const int note_at[RAW_VERB_COUNT] = {
        [RAW_ACCEPT] = ACCEPT_NOTE,  [RAW_SHUTDOWN] = SHUTDOWN_NOTE, [RAW_CLOSE] = ON_NOTE,
        [RAW_SETSOCKOPT] = SET_NOTE, [RAW_GETSOCKOPT] = GET_NOTE,    [RAW_POLL] = ON_NOTE,
    };
    struct raw_task *t;
    int err;

    if (verb == RAW_ACCEPT && raw_find(r, v[ACCEPT_AS].text) != NULL) {
        return ho_program_refuse(ret_error, 0,
                                 "as: found \"%.20s\", expected a name that no open socket has",
                                 v[ACCEPT_AS].text);
    }
    err = new_task(r, s, verb, 0, &t);
    if (err < 0) {
        return err;
    }
    ho_copy_text(t->note, sizeof(t->note), v[note_at[verb]].text);
    if (verb == RAW_ACCEPT) {
        ho_copy_text(t->as, sizeof(t->as), v[ACCEPT_AS].text);
    } else if (verb == RAW_SETSOCKOPT) {
        err = raw_option_of(v, &t->options, NULL);
        assert(err == 0); /* ho_raw_check() saw it */
    } else if (verb == RAW_GETSOCKOPT) {
        t->arg = ho_sockopt_find(v[GET_NAME].text);
    } else if (verb == RAW_SHUTDOWN) {
        t->arg = (int)v[SHUTDOWN_HOW].n;
    }
    return 0;
}

/* Where each verb that acts on a socket has `on`. */
static size_t on_at(enum raw_verb verb)
{
    static const size_t at[RAW_VERB_COUNT] = {
        [RAW_ACCEPT] = ACCEPT_ON, [RAW_ACCEPTING] = ACCEPTING_ON, [RAW_SEND] = SEND_ON,
        [RAW_FILL] = FILL_ON,     [RAW_STOP_SENDING] = ON_ON,     [RAW_RECV] = RECV_ON,
        [RAW_DRAIN] = ON_ON,      [RAW_READING] = YES_ON,         [RAW_SHUTDOWN] = SHUTDOWN_ON,
        [RAW_CLOSE] = ON_ON,      [RAW_SETSOCKOPT] = SET_ON,      [RAW_GETSOCKOPT] = GET_ON,
        [RAW_POLL] = ON_ON,       [RAW_STATUS] = ON_ON,
    };

    return at[verb];
}

static int command_on(struct raw *r, struct raw_sock *s, enum raw_verb verb,
                      const struct ho_value *v, struct ho_program_error *ret_error)
{
    switch (verb) {
    case RAW_ACCEPTING:
        return command_accepting(r, s, v);
    case RAW_SEND:
        return command_send(r, s, v);
    case RAW_FILL:
        return command_fill(r, s, v);
    case RAW_STOP_SENDING:
        ho_list_remove(&s->repeats);
        return 0;
    case RAW_RECV:
        return command_recv(r, s, v);
    case RAW_DRAIN:
        return command_read(r, s, RAW_DRAIN);
    case RAW_READING:
        return command_reading(r, s, v);
    case RAW_STATUS:
        command_status(r, s, v[ON_NOTE].text);
        return 0;
    default:
        return command_simple(r, s, verb, v, ret_error);
    }
}

int raw_command(struct ho_program *p, size_t index, const struct ho_value *v,
                struct ho_program_error *ret_error)
{
    struct raw *r = ho_container(p, struct raw, p);
    enum raw_verb verb = (enum raw_verb)index;
    bool listener = verb == RAW_ACCEPT || verb == RAW_ACCEPTING;
    struct raw_sock *s;

    switch (verb) {
    case RAW_LISTEN:
        return command_listen(r, v, ret_error);
    case RAW_CONNECT:
        return command_connect(r, v, ret_error);
    case RAW_WATCH:
        return command_watch(r, v, ret_error);
    case RAW_REACT:
        return command_react(r, v, ret_error);
    case RAW_OPTION:
        return command_option(r, v, ret_error);
    case RAW_EXIT:
        ho_program_exit(p, (int)v[0].n);
        return 0;
    default:
        break;
    }
    if (verb == RAW_CLOSE && *v[ON_ON].text != '\0') {
        s = raw_find(r, v[ON_ON].text);
        listener = s != NULL && s->listener; /* either can be closed, by name */
    }
    s = sock_of(r, &v[on_at(verb)], listener, ret_error);
    return s != NULL ? command_on(r, s, verb, v, ret_error) : -EINVAL;
}
