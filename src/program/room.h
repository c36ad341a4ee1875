/* What the behaviours of this folder share: the program's head, its table of functions, events.
 *
 * A behaviour is a struct whose first member is a struct ho_program, and a table. Its functions
 * find the time in p->now: it is set before each of them is called.
 */

#ifndef HO_PROGRAM_ROOM_H
#define HO_PROGRAM_ROOM_H

#include "program/param.h"
#include "program/program.h"

struct ho_behaviour {
    struct ho_program_spec spec;
    size_t size; /* of the behaviour's struct */
    /* What ho_params_read() cannot know of the values; NULL: nothing. Returns 0 or -EINVAL. */
    int (*check)(const struct ho_value *v, struct ho_program_error *ret_error);
    /* Takes checked values in the order of the parameters; texts must be copied. Returns 0 or
     * -ENOMEM; fini() is called in both cases.
     */
    int (*init)(struct ho_program *p, const struct ho_value *v);
    void (*fini)(struct ho_program *p);
    void (*start)(struct ho_program *p);
    struct ho_op *(*next_op)(struct ho_program *p);
    void (*complete)(struct ho_program *p, struct ho_op *op);
    struct ho_time (*deadline)(const struct ho_program *p);
    void (*tick)(struct ho_program *p);
    int (*command)(struct ho_program *p, size_t verb, const struct ho_value *v,
                   struct ho_program_error *ret_error); /* NULL: takes no verbs */
    const char *(*sock_name)(const struct ho_program *p, int fd);
};

struct ho_program {
    const struct ho_behaviour *b;
    struct ho_time now;
    bool started, exited;
    int status;
    struct ho_program_event *events; /* a ring of HO_PROGRAM_EVENTS_MAX */
    unsigned first, n_events;
    uint64_t lost_events;
};

/* The behaviours; program.c lists them. */
extern const struct ho_behaviour ho_behaviour_raw;
extern const struct ho_behaviour ho_behaviour_echo_server;
extern const struct ho_behaviour ho_behaviour_bulk_sender;
extern const struct ho_behaviour ho_behaviour_bulk_checker;
extern const struct ho_behaviour ho_behaviour_heartbeat;
extern const struct ho_behaviour ho_behaviour_http_server;
extern const struct ho_behaviour ho_behaviour_http_client;

/* The verbs of `raw`; NULL after the last. */
const struct ho_program_spec *ho_raw_verb(size_t i);

/* What ho_params_read() cannot know of a verb's values. Returns 0 or -EINVAL. */
int ho_raw_check(size_t verb, const struct ho_value *v, struct ho_program_error *ret_error);

/* A new event at p->now, empty but for kind, at, call and fd = -1, or NULL when the ring is full
 * (counted). Fill it before the next call.
 */
struct ho_program_event *ho_program_emit(struct ho_program *p, enum ho_program_event_kind kind,
                                         const char *call);

/* A remark of `who`, with printf's format, about `sock` (may be ""). */
void ho_program_say(struct ho_program *p, const char *who, const char *sock, int fd,
                    const char *format, ...);

/* The program is over. The first call counts. */
void ho_program_exit(struct ho_program *p, int status);

/* The call's name, "send". */
const char *ho_program_op_name(enum ho_op_kind kind);

/* Copies a name or note of at most `room` - 1 bytes; the rest is cut off. */
void ho_copy_text(char *to, size_t room, const char *from);

/* Fills *ret_err (may be NULL) as printf does; returns -EINVAL. */
int ho_program_refuse(struct ho_program_error *ret_error, size_t arg, const char *format, ...);

#endif
