/* The door of the folder: finds a behaviour by name, makes it, and passes everything on to it.
 * Events wait in a ring until somebody looks.
 */

#include "program/program.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/room.h"

static const struct ho_behaviour *const behaviours[] = {
    &ho_behaviour_raw,          &ho_behaviour_echo_server, &ho_behaviour_bulk_sender,
    &ho_behaviour_bulk_checker, &ho_behaviour_heartbeat,   &ho_behaviour_http_server,
    &ho_behaviour_http_client,
};

#define N_BEHAVIOURS (sizeof(behaviours) / sizeof(behaviours[0]))

const struct ho_program_spec *ho_program_behaviour(size_t i)
{
    return i < N_BEHAVIOURS ? &behaviours[i]->spec : NULL;
}

const struct ho_program_spec *ho_program_verb(size_t i)
{
    return ho_raw_verb(i);
}

/* ---- arguments ------------------------------------------------------------------------------- */

int ho_program_refuse(struct ho_program_error *ret_error, size_t arg, const char *format, ...)
{
    va_list args;

    if (ret_error != NULL) {
        ret_error->arg = arg;
        va_start(args, format);
        vsnprintf(ret_error->text, sizeof(ret_error->text), format, args);
        va_end(args);
    }
    return -EINVAL;
}

/* The list of names that `list` has, for a message. */
static void names_of(const struct ho_program_spec *(*list)(size_t), char *text, size_t room)
{
    size_t len = 0;

    *text = '\0';
    for (size_t i = 0; list(i) != NULL && len + 1 < room; i++) {
        int n = snprintf(text + len, room - len, "%s%s", i > 0 ? ", " : "", list(i)->name);
        len += (size_t)n;
    }
}

static int find_spec(const struct ho_program_spec *(*list)(size_t), const char *what,
                     const char *name, struct ho_program_error *ret_error)
{
    char names[180];

    for (size_t i = 0; list(i) != NULL; i++) {
        if (strcmp(list(i)->name, name) == 0) {
            return (int)i;
        }
    }
    names_of(list, names, sizeof(names));
    return ho_program_refuse(ret_error, 0, "%s: found \"%.30s\", expected %s", what, name, names);
}

/* The index of a behaviour, with its values in `v`. */
static int read_behaviour(const char *behaviour, const struct ho_program_arg *args, size_t n_args,
                          struct ho_value *v, struct ho_program_error *ret_error)
{
    int i = find_spec(ho_program_behaviour, "program", behaviour, ret_error);

    if (i < 0 || ho_params_read(&behaviours[i]->spec, args, n_args, v, ret_error) < 0 ||
        (behaviours[i]->check != NULL && behaviours[i]->check(v, ret_error) < 0)) {
        return -EINVAL;
    }
    return i;
}

int ho_program_check(const char *behaviour, const struct ho_program_arg *args, size_t n_args,
                     struct ho_program_error *ret_error)
{
    struct ho_value v[HO_PARAMS_MAX];

    return read_behaviour(behaviour, args, n_args, v, ret_error) < 0 ? -EINVAL : 0;
}

/* The index of a verb, with its values in `v`. */
static int read_verb(const char *verb, const struct ho_program_arg *args, size_t n_args,
                     struct ho_value *v, struct ho_program_error *ret_error)
{
    int i = find_spec(ho_raw_verb, "verb", verb, ret_error);

    if (i < 0 || ho_params_read(ho_raw_verb((size_t)i), args, n_args, v, ret_error) < 0 ||
        ho_raw_check((size_t)i, v, ret_error) < 0) {
        return -EINVAL;
    }
    return i;
}

int ho_program_check_verb(const char *verb, const struct ho_program_arg *args, size_t n_args,
                          struct ho_program_error *ret_error)
{
    struct ho_value v[HO_PARAMS_MAX];

    return read_verb(verb, args, n_args, v, ret_error) < 0 ? -EINVAL : 0;
}

/* ---- a program's life ------------------------------------------------------------------------ */

int ho_program_new(struct ho_program **ret, const char *behaviour,
                   const struct ho_program_arg *args, size_t n_args,
                   struct ho_program_error *ret_error)
{
    struct ho_value v[HO_PARAMS_MAX];
    const struct ho_behaviour *b;
    struct ho_program *p;
    int i, err;

    i = read_behaviour(behaviour, args, n_args, v, ret_error);
    if (i < 0) {
        return i;
    }
    b = behaviours[i];
    p = calloc(1, b->size);
    if (p == NULL) {
        return -ENOMEM;
    }
    p->b = b;
    p->events = calloc(HO_PROGRAM_EVENTS_MAX, sizeof(p->events[0]));
    err = p->events != NULL ? b->init(p, v) : -ENOMEM;
    if (err < 0) {
        ho_program_free(p);
        return err;
    }
    *ret = p;
    return 0;
}

void ho_program_free(struct ho_program *p)
{
    if (p == NULL) {
        return;
    }
    if (p->events != NULL) {
        p->b->fini(p); /* init() ran only if there were events */
    }
    free(p->events);
    free(p);
}

void ho_program_start(struct ho_program *p, struct ho_time now)
{
    assert(!p->started);
    p->started = true;
    p->now = now;
    p->b->start(p);
}

struct ho_op *ho_program_next_op(struct ho_program *p)
{
    struct ho_op *op;

    if (!p->started || p->exited) {
        return NULL;
    }
    op = p->b->next_op(p);
    if (op != NULL) {
        op->started = p->now;
        op->ret = 0;
    }
    return op;
}

void ho_program_complete(struct ho_program *p, struct ho_op *op, struct ho_time now)
{
    p->now = now;
    if (!p->exited) {
        p->b->complete(p, op);
    }
}

struct ho_time ho_program_deadline(const struct ho_program *p)
{
    return p->started && !p->exited ? p->b->deadline(p) : HO_NEVER;
}

void ho_program_tick(struct ho_program *p, struct ho_time now)
{
    p->now = now;
    if (p->started && !p->exited) {
        p->b->tick(p);
    }
}

int ho_program_command(struct ho_program *p, const char *verb, const struct ho_program_arg *args,
                       size_t n_args, struct ho_time now, struct ho_program_error *ret_error)
{
    struct ho_value v[HO_PARAMS_MAX];
    int i;

    if (p->b->command == NULL) {
        return -EOPNOTSUPP;
    }
    i = read_verb(verb, args, n_args, v, ret_error);
    if (i < 0) {
        return i;
    }
    if (!p->started || p->exited) {
        return ho_program_refuse(ret_error, 0, "%s: the program is not running", verb);
    }
    p->now = now;
    return p->b->command(p, (size_t)i, v, ret_error);
}

bool ho_program_exited(const struct ho_program *p, int *ret_status)
{
    if (p->exited && ret_status != NULL) {
        *ret_status = p->status;
    }
    return p->exited;
}

void ho_program_exit(struct ho_program *p, int status)
{
    struct ho_program_event *e;

    if (p->exited) {
        return;
    }
    p->exited = true;
    p->status = status;
    e = ho_program_emit(p, HO_PROGRAM_EXIT, "exit");
    if (e != NULL) {
        e->has = HO_EV_RET;
        e->ret = status;
    }
}

const char *ho_program_sock_name(const struct ho_program *p, int fd)
{
    return fd < 0 ? NULL : p->b->sock_name(p, fd);
}

/* ---- events ---------------------------------------------------------------------------------- */

struct ho_program_event *ho_program_emit(struct ho_program *p, enum ho_program_event_kind kind,
                                         const char *call)
{
    struct ho_program_event *e;

    if (p->n_events == HO_PROGRAM_EVENTS_MAX) {
        p->lost_events++;
        return NULL;
    }
    e = &p->events[(p->first + p->n_events++) % HO_PROGRAM_EVENTS_MAX];
    memset(e, 0, sizeof(*e));
    e->kind = kind;
    e->call = call;
    e->at = p->now;
    e->fd = -1;
    return e;
}

void ho_program_say(struct ho_program *p, const char *who, const char *sock, int fd,
                    const char *format, ...)
{
    struct ho_program_event *e = ho_program_emit(p, HO_PROGRAM_NOTE, who);
    va_list args;

    if (e == NULL) {
        return;
    }
    e->fd = fd;
    ho_copy_text(e->sock, sizeof(e->sock), sock);
    va_start(args, format);
    vsnprintf(e->note, sizeof(e->note), format, args);
    va_end(args);
}

bool ho_program_next_event(struct ho_program *p, struct ho_program_event *ret)
{
    if (p->n_events == 0) {
        return false;
    }
    *ret = p->events[p->first];
    p->first = (p->first + 1) % HO_PROGRAM_EVENTS_MAX;
    p->n_events--;
    return true;
}

uint64_t ho_program_events_lost(const struct ho_program *p)
{
    return p->lost_events;
}

void ho_copy_text(char *to, size_t room, const char *from)
{
    size_t len = strlen(from);

    len = len < room ? len : room - 1;
    memcpy(to, from, len);
    to[len] = '\0';
}

const char *ho_program_event_kind_text(enum ho_program_event_kind kind)
{
    static const char *const texts[HO_PROGRAM_EVENT_COUNT] = {
#define X(id, text) [HO_PROGRAM_##id] = (text),
        HO_PROGRAM_EVENTS(X)
#undef X
    };

    assert(kind < HO_PROGRAM_EVENT_COUNT);
    return texts[kind];
}

const char *ho_program_op_name(enum ho_op_kind kind)
{
    static const char *const names[HO_OP_COUNT] = {
#define X(id, name) [HO_OP_##id] = (name),
        HO_OPS(X)
#undef X
    };

    assert(kind < HO_OP_COUNT);
    return names[kind];
}
