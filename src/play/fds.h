/* The descriptors of a process, as records know them: what the plan calls their sockets, which
 * options were set on them (an accepted one inherits its listener's), and which end of which
 * connection is behind them.
 *
 * The engine has one struct ho_play_proc a process that runs programs, also for one that the plan
 * does not know, and says what its calls did, in the order in which they ended:
 *
 *     socket()      ho_play_fd_made()
 *     setsockopt()  ho_play_fd_option()
 *     listen()      ho_play_fd_listening()
 *     connect()     ho_play_fd_connecting(), when it has a local port
 *     accept()      ho_play_fd_inherits(), then ho_play_fd_accepted()
 *     close()       ho_play_fd_closed()
 *     the end       ho_play_fds_forget()
 *
 * ho_play_fd_done() does those that follow from a struct ho_op alone.
 */

#ifndef HO_PLAY_FDS_H
#define HO_PLAY_FDS_H

#include "host/op.h"
#include "knobs/sockopt.h"
#include "play/trace.h"
#include "program/program.h"

#define HO_PLAY_OPTIONS 12 /* socket options kept a descriptor, for the record */

struct ho_play_option {
    enum ho_sockopt opt;
    int64_t value[2]; /* in Linux's unit; SO_LINGER: on, seconds */
};

struct ho_play_fd {
    char name[HO_PROGRAM_NAME_MAX]; /* of its socket in the plan: "db", "1" */
    bool connection;                /* else a listener, an epoll or not a socket yet */
    uint64_t serial;                /* connections and listeners: the newest has the largest */
    struct ho_play_end *end;        /* for the record; NULL: none yet */
    uint64_t tx, rx;                /* bytes moved by a process without a program */
    unsigned n_options;
    struct ho_play_option option[HO_PLAY_OPTIONS];
};

/* A process. Zero-initialise; then node and name. */
struct ho_play_proc {
    uint16_t node;
    const char *name;       /* interned */
    bool not_reading;       /* connections still to come are not read (verbs.h) */
    struct ho_play_fd **fd; /* by descriptor; NULL entries: never asked about */
    size_t fds;
};

/* The descriptor `fd`, made if need be. NULL for a negative one, and without memory. */
struct ho_play_fd *ho_play_fd(struct ho_trace *tr, struct ho_play_proc *p, int64_t fd);

/* The descriptor of the connection or listener called `name` - its socket's name, or the
 * connection's, which it has at both ends -, or of the newest connection with NULL; -1 if there is
 * none.
 */
int ho_play_fd_find(const struct ho_play_proc *p, const char *name);

/* A new descriptor: a socket or an epoll. */
void ho_play_fd_made(struct ho_trace *tr, struct ho_play_proc *p, int64_t fd);

/* An option was set; a settings record if the descriptor is an end of a connection, else when it
 * becomes one.
 */
void ho_play_fd_option(struct ho_trace *tr, struct ho_play_proc *p, int fd, enum ho_sockopt opt,
                       const int64_t value[2]);

/* `name` in these: what the program calls the socket (ho_program_sock_name()); NULL: "fd<fd>". */

void ho_play_fd_listening(struct ho_trace *tr, struct ho_play_proc *p, int fd, const char *name);

/* connect() was called at `since` and has given the socket its local port. `t` NULL: it has none,
 * the call failed before (the descriptor has its name all the same). Harmless when it is called
 * again.
 */
void ho_play_fd_connecting(struct ho_trace *tr, struct ho_play_proc *p, int fd, const char *name,
                           const struct ho_play_tuple *t, struct ho_time since);

/* accept() on `listener` gave `fd`: it has the listener's options. */
void ho_play_fd_inherits(struct ho_trace *tr, struct ho_play_proc *p, int listener, int64_t fd);

/* The accepted socket, what it is called and its state now. `t` NULL: not known. */
void ho_play_fd_accepted(struct ho_trace *tr, struct ho_play_proc *p, int fd, const char *name,
                         const struct ho_play_tuple *t, enum ho_tcp_state state);

void ho_play_fd_closed(struct ho_trace *tr, struct ho_play_proc *p, int fd);

/* An operation has ended: SOCKET, EPOLL_CREATE, LISTEN, ACCEPT (inherits), SETSOCKOPT and CLOSE do
 * what is above; one that failed, and any other, does nothing. `name` is for LISTEN.
 */
void ho_play_fd_done(struct ho_trace *tr, struct ho_play_proc *p, const struct ho_op *op,
                     const char *name);

/* The process has ended: nothing is open any more. */
void ho_play_fds_forget(struct ho_play_proc *p);
void ho_play_fds_free(struct ho_play_proc *p);

#endif
