/* The world in which a truth script is played: two hosts, a cable, and their processes. Shared by
 * truth_play.c (time, cable, faults), truth_frame.c (frames as records) and truth_proc.c (what
 * processes do); not for others.
 */

#ifndef HO_TESTS_TRUTH_WORLD_H
#define HO_TESTS_TRUTH_WORLD_H

#include "host/host.h"
#include "support/truth_play.h"

#define HO_TRUTH_SOCKS 6     /* sockets a process names */
#define HO_TRUTH_WAITING 12  /* calls of a process that have not returned */
#define HO_TRUTH_PORTS 4     /* connections whose numbers are followed */
#define HO_TRUTH_ROOM 400000 /* bytes that one call may move */

struct ho_truth_world;

/* A socket of a process by its name in the script. */
struct ho_truth_sock {
    char name[6];
    int fd;
    uint64_t tx, rx; /* bytes so far */
    uint64_t bad;    /* bytes that were not what the other side sent */
};

/* A call under way, with its memory. */
struct ho_truth_call {
    bool used;
    const struct ho_truth_line *line;
    struct ho_op op;
    uint8_t *room;
};

/* Calls that answer an event: due so long after the one before them as in the file. */
struct ho_truth_answers {
    size_t next, end; /* lines of the process, [next, end) */
    int64_t shift_us; /* what the model's event was later than the file's */
    int event;        /* its record */
    bool active;
};

struct ho_truth_proc {
    char name[8];
    int host;
    bool alive;
    bool deaf; /* it reads nothing but what the script says */
    uint32_t pid;
    int epoll;
    struct ho_truth_sock socks[HO_TRUTH_SOCKS];
    struct ho_truth_call calls[HO_TRUTH_WAITING];
    const struct ho_truth_line **lines; /* its calls and events, in order */
    size_t n_lines;
    size_t next;  /* the next call that is not an answer */
    size_t event; /* the next event expected */
    struct ho_truth_answers answers;
    int64_t look_us; /* when it looks at epoll again; INT64_MAX: when something happens */
    int64_t busy_us; /* it does not look before */
    struct ho_truth_why look_why;
    struct ho_truth_call *race; /* a connect() whose failure the other thread sees first */
};

struct ho_truth_frame {
    struct ho_truth_frame *next;
    struct ho_time at; /* of arrival */
    struct ho_buf *buf;
    size_t rec; /* its record, whose fate may still change */
};

struct ho_truth_way { /* of the frames that one host sends */
    struct ho_truth_frame *first, *last;
    bool cut;
};

/* The delay that the file knows of a frame, used once. */
struct ho_truth_delay {
    char key[48];
    int64_t t_us, dt_us;
    bool used;
};

/* A timer of a host at its deadline: see truth_cause.h. */
struct ho_truth_timer {
    const void *owner;
    int which;
    struct ho_time at;
    struct ho_truth_why why; /* what armed it */
};

struct ho_truth_timers {
    struct ho_truth_timer *t;
    size_t n, room;
};

struct ho_truth_world {
    const struct ho_truth_script *s;
    const struct ho_truth_options *o;
    struct ho_truth_recs *recs;
    struct ho_truth_states *socks, *neighs;
    struct ho_bufpool bufs;
    struct ho_host *hosts[HO_TRUTH_HOSTS];
    struct ho_truth_way ways[HO_TRUTH_HOSTS];
    bool touched[HO_TRUTH_HOSTS];
    struct ho_truth_why why[HO_TRUTH_HOSTS]; /* of what the host does in this step */
    int last_rec[HO_TRUTH_HOSTS];            /* the last record that it made in this step, or -1 */
    struct ho_truth_timers timers[HO_TRUTH_HOSTS];
    struct ho_truth_proc procs[HO_TRUTH_PROCS];
    struct ho_truth_delay *delays[HO_TRUTH_HOSTS];
    size_t n_delays[HO_TRUTH_HOSTS], first_delay[HO_TRUTH_HOSTS];
    struct { /* initial sequence numbers, by the client's port */
        uint16_t port;
        bool known[HO_TRUTH_HOSTS];
        uint32_t isn[HO_TRUTH_HOSTS];
    } conns[HO_TRUTH_PORTS];
    size_t line; /* the next line of the script that is an input */
    struct ho_time now;
};

/* Microseconds of the file's clock, and back. */
int64_t ho_truth_us(const struct ho_truth_world *w, struct ho_time t);
struct ho_time ho_truth_time(const struct ho_truth_world *w, int64_t t_us);

#endif
