/* What a play's real commands are made of. For src/kernel/service*.c only.
 *
 *     service.c        starting, ready or not, the verbs, the end
 *     service_read.c   output as lines, lines and ends as events, events as records
 *     service_home.c   directories, users, /etc, the environment
 *     service_sock.c   whose socket is it, who listens, which options are in force
 */

#ifndef HO_KERNEL_SERVICE_STATE_H
#define HO_KERNEL_SERVICE_STATE_H

#include <sys/types.h>

#include "base/regex.h"
#include "kernel/service.h"
#include "os/loop.h"
#include "os/proc.h"
#include "os/why.h"

#define HO_SERVICE_LAST 4    /* lines of output that an error quotes */
#define HO_SERVICE_PATH 256  /* bytes of a path of ours */
#define HO_SERVICE_STREAMS 2 /* standard output, standard error */

/* One of the two streams that a command writes. */
struct ho_service_stream {
    int fd;     /* -1: it has ended */
    bool skips; /* the rest of a line that was too long */
    size_t len;
    char line[HO_SERVICE_LINE];
};

/* The command of one process of the plan. */
struct ho_service {
    bool runs;   /* it, or what it has started */
    bool exited; /* the command itself: its EXIT event was made */
    bool ready;
    uint16_t proc, host;
    struct ho_os_child child;
    int input;   /* -1: closed, or there is no command */
    char *waits; /* bytes that did not fit into the pipe */
    size_t waits_len;
    bool input_ends; /* after those */
    struct ho_service_stream out[HO_SERVICE_STREAMS];
    char last[HO_SERVICE_LAST][HO_SERVICE_LINE + 1]; /* the newest lines, in a ring */
    unsigned last_count;

    /* Readiness, while it is waited for. */
    enum ho_ready how;
    uint16_t port;
    struct ho_regex pattern;
    int64_t until_ns;
    struct ho_os_diag *diag;
    struct ho_os_exit end;
    char *text; /* the command line, for errors; stays when the command has ended */
};

/* A socket of a process of ours. */
struct ho_service_sock {
    uint64_t inode;
    uint16_t proc;
    pid_t pid;
    int fd;
};

/* An inode that no process of ours has. */
struct ho_service_stranger {
    uint64_t inode;
    int64_t next_ns, wait_ns; /* not looked for before; and how long after the last time */
};

#define HO_SERVICE_STRANGERS 256

struct ho_service_line {
    enum ho_service_event_kind kind;
    uint16_t proc;
    bool stderr_;
    int status;
    int64_t at_ns;
    char text[HO_SERVICE_LINE + 1];
};

struct ho_services {
    const struct ho_plan *plan;
    struct ho_os_loop *loop;
    struct ho_service *service; /* by the plan's index of processes */
    size_t count;
    char home[HO_SERVICE_PATH / 2]; /* where the directories of all are */
    uid_t uid;                      /* whose the play is, who is not us; 0: us */
    gid_t gid;                      /* his */
    bool one_user;                  /* nobody else exists, as in a user namespace */

    struct ho_service_line *event; /* a ring */
    size_t first, events;
    uint64_t dropped;
    struct ho_service_line handed_out;

    struct ho_service_sock *sock;
    size_t socks, sock_room;
    struct ho_service_stranger stranger[HO_SERVICE_STRANGERS]; /* by the inode */

    char why[2 * HO_OS_WHY];
};

/* --- service.c ------------------------------------------------------------------------------- */

/* Sets `why`, beginning with the process's name, and returns err. */
__attribute__((format(printf, 4, 5))) int ho_service_fail(struct ho_services *s, uint16_t proc,
                                                          int err, const char *format, ...);

/* The name of a process: "server.db"; "server" for its first one. */
const char *ho_service_name(const struct ho_services *s, uint16_t proc, char *text, size_t size);

/* Events of the loop: which descriptor of which process. */
enum ho_service_tag {
    HO_SERVICE_TAG_OUT,
    HO_SERVICE_TAG_ERR,
    HO_SERVICE_TAG_IN,
    HO_SERVICE_TAG_CONTROL,
    HO_SERVICE_TAG_PID,
    HO_SERVICE_TAGS
};

/* Closes and frees what belongs to a command that runs no more, or kills it. */
void ho_service_forget(struct ho_services *s, struct ho_service *v);

/* Stops waiting for a descriptor, closes it, sets it to -1. Harmless for -1. */
void ho_service_close(struct ho_services *s, int *fd);

/* --- service_read.c -------------------------------------------------------------------------- */

/* Reads what a command has written and makes events of the lines. */
int ho_service_read_streams(struct ho_services *s, struct ho_service *v);

/* Sees whether the command, and all that it started, has ended; makes the EXIT event. */
int ho_service_look(struct ho_services *s, struct ho_service *v);

/* Writes what waits to the command's input. */
int ho_service_write(struct ho_services *s, struct ho_service *v);

/* --- service_home.c -------------------------------------------------------------------------- */

/* Makes the play's own directory and its /etc/hosts and /etc/passwd. Returns 0; an errno, with
 * `why` set.
 */
int ho_service_furnish(struct ho_services *s);

/* Whom a command runs as. */
struct ho_service_user {
    bool change; /* to uid and gid */
    uid_t uid;
    gid_t gid;
    char name[64];
};

int ho_service_find_user(struct ho_services *s, uint16_t proc, const char *name,
                         struct ho_service_user *ret);

/* The command's directory, made if it is not there: `path` of HO_SERVICE_PATH bytes. */
int ho_service_home(struct ho_services *s, uint16_t proc, const struct ho_service_user *user,
                    char *path);

/* Is there a file of that name in a directory of PATH? */
bool ho_service_in_path(const char *name);

#define HO_SERVICE_ENV 8

struct ho_service_env {
    char *var[HO_SERVICE_ENV + 1]; /* ended by NULL */
    char text[8192];               /* which they point into */
};

int ho_service_env(struct ho_services *s, uint16_t proc, const struct ho_service_user *user,
                   const char *home, struct ho_service_env *ret);

/* --- service_sock.c -------------------------------------------------------------------------- */

/* Does a socket of the command listen on v->port? 1; 0; a negative errno of sock_diag. */
int ho_service_listens(struct ho_services *s, struct ho_service *v);

#endif
