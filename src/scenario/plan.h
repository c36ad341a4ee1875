/* One case of a scenario, checked and resolved, its steps in order of time: what an engine plays.
 *
 * A scenario file becomes one or more cases (address families x swept values, scenario.h); each
 * case becomes one plan (ho_plan_make()). A plan holds no names to look up any more: nodes,
 * cables and processes are indices into its arrays, times are absolute, units are converted. The
 * strings point into the scenario's text, which must outlive the plan.
 *
 * Times count from the start of the play, 0. Everything in `nodes`, `cables` and `setup` is in
 * force before time 0 begins.
 */

#ifndef HO_SCENARIO_PLAN_H
#define HO_SCENARIO_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "wire/addr.h"

#define HO_PLAN_NONE UINT16_MAX /* "no host", "no process", "no cable" */
#define HO_PLAN_ADDRS 8         /* addresses a host, all interfaces together */
#define HO_PLAN_VALUES 3        /* numbers in one sysctl, as tcp_rmem has */
#define HO_PLAN_ARGS 16         /* key=value arguments of a program */
#define HO_PLAN_WITHIN 30       /* seconds that a command may take until it is ready, if unsaid */

enum ho_family {
    HO_FAMILY_V4 = 4,
    HO_FAMILY_V6 = 6
};

enum ho_node_kind {
    HO_NODE_HOST,
    HO_NODE_SWITCH,   /* learns and forwards; its other ports keep carrier when one is unplugged */
    HO_NODE_MIDDLEBOX /* two ports; passes frames on, and forgets flows that were idle too long */
};

/* An address with its prefix length as written (24 of 10.0.0.1/24), on interface eth<ifindex>. */
struct ho_plan_addr {
    struct ho_addr addr;
    uint8_t bits;
    uint8_t ifindex;
};

struct ho_plan_node {
    enum ho_node_kind kind;
    const char *name;

    /* Hosts. Interface k is the end of the host's k-th cable in the order of `cables`. */
    struct ho_plan_addr addr[HO_PLAN_ADDRS];
    unsigned addr_count;
    struct ho_mac mac;      /* of eth0; interface k has k added to the last byte */
    uint32_t hz;            /* 0: exact, every timer fires on time */
    uint64_t jiffies0;      /* jiffy count at time 0 (base/clk.h); already drawn from the seed */
    int64_t phase_ns;       /* how far time 0 lies inside that jiffy */
    const char *profile;    /* "linux-6.18": which kernel's behaviour */
    bool neighbours_static; /* permanent neighbour entries for every host on its links */

    /* Middleboxes. */
    struct ho_dur forgets; /* a flow idle for this long is forgotten */
    bool resets;           /* then answers with RST; else drops silently */
};

/* A cable between two nodes. Rates of accidents are in millionths, per frame, each direction. */
struct ho_plan_cable {
    const char *name;       /* "client -- server", or the name the file gives it */
    uint16_t a, b;          /* nodes */
    uint8_t a_port, b_port; /* 0, 1, .. in the order of each node's cables */
    struct ho_dur delay;    /* each way */
    uint64_t rate_bps;      /* 0: infinite */
    uint32_t queue;         /* frames that may wait for the rate, per direction */
    uint32_t loss_ppm, reorder_ppm, duplicate_ppm, corrupt_ppm;
};

struct ho_plan_proc {
    uint16_t host;
    const char *name; /* "app" where the file names none */
};

/* A sysctl: `text` as written; `value[0..count)` when its values are numbers, in Linux's unit. */
struct ho_plan_sysctl {
    uint16_t host;
    int id; /* enum ho_sysctl (knobs/sysctl.h) */
    const char *name, *text;
    int64_t value[HO_PLAN_VALUES];
    unsigned count;
};

struct ho_plan_route {
    struct ho_addr net;
    uint8_t bits; /* as written */
    uint8_t ifindex;
    bool has_via;
    struct ho_addr via;
};

/* What a process is told to do with its sockets. The process's hands (src/program, "raw") do it.
 *
 * `sock` names the socket inside the process. NULL: its newest connection (connected or
 * accepted). A connection that the file does not name is called "1", "2", .. in the order in which
 * the process got them, accepted ones too; listeners are not counted.
 *
 * Unless told otherwise a process accepts every connection that comes to its listeners at once
 * and keeps a recv() pending on every connection, so that data is taken as it arrives, and the
 * end of the stream or an error is seen by that recv() when the kernel reports it. It does
 * nothing about the end of the stream.
 */
#define HO_CALLS(X)                                                                                \
    /* port, backlog; socket, SO_REUSEADDR, bind, listen; then goes on accepting */                \
    X(LISTEN, "listen")                                                                            \
    /* addr, port, from_port or 0; blocking; `sock` is the new socket's name */                    \
    X(CONNECT, "connect")                                                                          \
    /* bytes: the next ones of the stream, in one blocking send() */                               \
    X(SEND, "send")                                                                                \
    /* non-blocking sends of the stream's bytes until EAGAIN */                                    \
    X(SEND_FULL, "send until blocked")                                                             \
    /* one blocking recv() of up to `bytes` (0: 64 KiB), when reading was stopped */               \
    X(READ, "read")                                                                                \
    /* no recv() is started any more, a pending one is cancelled */                                \
    X(STOP_READING, "stop reading")                                                                \
    X(RESUME_READING, "resume reading")                                                            \
    /* from now on close() every connection whose recv() returns 0 */                              \
    X(CLOSE_AT_EOF, "close at eof")                                                                \
    X(STOP_ACCEPTING, "stop accepting")                                                            \
    X(RESUME_ACCEPTING, "resume accepting")                                                        \
    X(SHUTDOWN, "shutdown") /* how */                                                              \
    X(CLOSE, "close")                                                                              \
    X(SETSOCKOPT, "setsockopt") /* opt, value[] */                                                 \
    X(GETSOCKOPT, "getsockopt") /* opt; the result goes to the timeline */                         \
    /* one poll() for IN|OUT|RDHUP, timeout 0; the result goes to the timeline */                  \
    X(POLL, "poll")                                                                                \
    /* edge; in place of the pending recv() an epoll_wait() loop for IN|OUT|RDHUP, whose every */  \
    /* event goes to the timeline; it reads on IN while reading is on */                           \
    X(EPOLL_WATCH, "epoll watch")                                                                  \
    /* opt, value[]: for every connection the process gets from now on: before connect(), right */ \
    /* after accept() */                                                                           \
    X(OPTION, "option")

enum ho_call_kind {
#define X(id, text) HO_CALL_##id,
    HO_CALLS(X)
#undef X
    HO_CALL_COUNT
};

struct ho_plan_call {
    enum ho_call_kind kind;
    const char *sock;
    const char *conn;    /* CONNECT: the connection's name in the timeline, at both ends */
    struct ho_addr addr; /* CONNECT, already of the family in play */
    uint16_t port;       /* LISTEN, CONNECT */
    uint16_t from_port;  /* CONNECT: 0 for the system's choice */
    uint32_t backlog;    /* LISTEN */
    uint64_t bytes;      /* SEND, READ */
    int how;             /* SHUTDOWN: enum ho_shut (host/op.h) */
    bool edge;           /* EPOLL_WATCH */
    int opt;             /* enum ho_sockopt (knobs/sockopt.h) */
    const char *opt_name;
    int64_t value[2]; /* in Linux's unit; SO_LINGER: on, seconds */
};

struct ho_plan_arg {
    const char *key, *value; /* value as written; host names in it replaced by addresses */
};

/* A behaviour of src/program started in a process. */
struct ho_plan_program {
    const char *name;
    struct ho_plan_arg arg[HO_PLAN_ARGS];
    unsigned count;
};

/* When a command that is started before time 0 counts as ready. */
enum ho_ready {
    HO_READY_STARTED, /* as soon as it was exec'ed */
    HO_READY_LISTENS, /* when one of its sockets listens on `port` */
    HO_READY_OUTPUT   /* when a line of its output matches `pattern` */
};

/* A real command. It needs an engine with a real kernel. */
struct ho_plan_command {
    const char *text; /* the command line; ho_command_split() (scenario/command.h) cuts it */
    const char *user; /* whom it runs as; NULL: as whoever runs halfopen */
    enum ho_ready ready;
    uint16_t port;
    const char *pattern;  /* a regular expression (base/regex.h) that compiles */
    struct ho_dur within; /* it must be ready so soon */
};

/* What a command finds on its standard input. */
struct ho_plan_input {
    const char *bytes;
    size_t len;
    bool end; /* and then the end of the file */
};

/* Frames that a scenario can name. One frame can be several of these. */
#define HO_FRAMES(X)                                                          \
    X(ANY, "any")                                                             \
    X(SEGMENT, "segment") /* any TCP segment */                               \
    X(SYN, "SYN")         /* without ACK */                                   \
    X(SYN_ACK, "SYN-ACK")                                                     \
    X(ACK, "ACK")   /* nothing but an ACK; probes too */                      \
    X(DATA, "data") /* payload */                                             \
    X(FIN, "FIN")                                                             \
    X(RST, "RST")                                                             \
    X(ARP, "ARP")   /* over IPv6: neighbour solicitation and advertisement */ \
    X(ICMP, "ICMP") /* ICMP or ICMPv6, neighbour discovery excepted */

enum ho_frame_kind {
#define X(id, text) HO_FRAME_##id,
    HO_FRAMES(X)
#undef X
    HO_FRAME_COUNT
};

enum ho_direction {
    HO_BOTH_WAYS,
    HO_A_TO_B, /* only what travels from cable.a to cable.b is lost */
    HO_B_TO_A
};

/* The next `count` frames of `kind` that enter `cable` in `direction` are lost. */
struct ho_plan_drop {
    uint32_t count;
    enum ho_frame_kind kind;
    enum ho_direction direction;
};

/* The steps; each is one verb of the engine (engine.h). F: a fault: the engine writes a `fault`
 * record of the step's label, verb, what and detail before it acts.
 */
#define HO_STEPS(X)                                                                         \
    X(START, "start")         /* proc: the planner puts it before a process's first step */ \
    X(CALL, "call")           /* proc, call */                                              \
    X(PROGRAM, "run")         /* proc, program */                                           \
    X(COMMAND, "command")     /* proc, command; in `setup`: started and ready before 0 */   \
    X(INPUT, "type")          /* proc, input */                                             \
    X(SYSCTL, "set")          /* sysctl */                                                  \
    X(CUT, "cut")             /* F cable, direction */                                      \
    X(UNPLUG, "unplug")       /* F cable, end */                                            \
    X(PLUG, "plug")           /* F cable */                                                 \
    X(DROP, "drop next")      /* F cable, drop */                                           \
    X(POWER_OFF, "power-off") /* F host */                                                  \
    X(BOOT, "boot")           /* F host */                                                  \
    X(KILL, "kill")           /* F proc */                                                  \
    X(STOP, "stop")           /* F proc */                                                  \
    X(CONTINUE, "continue")   /* F proc */                                                  \
    X(INTERFACE, "interface") /* F host, ifindex (HO_IF_LO: lo), up */                      \
    X(ADDRESS, "address")     /* F host, address, up: added or removed */                   \
    X(ROUTE, "route")         /* F host, route, up */                                       \
    X(NEIGHBOUR, "neighbour") /* F host, neighbour, mac, up */                              \
    X(NOTE, "note")           /* text: goes to the timeline, changes nothing */

enum ho_step_kind {
#define X(id, text) HO_STEP_##id,
    HO_STEPS(X)
#undef X
    HO_STEP_COUNT
};

#define HO_IF_LO 255 /* the loopback interface, as an ifindex */

struct ho_step {
    struct ho_time at;
    enum ho_step_kind kind;
    const char *label;  /* what `at NAME+3s` and `after NAME` use; "cut", "power-off2" .. */
    const char *verb;   /* "cut", "half-cut", "unplug", .. as docs/timeline.md has them */
    const char *what;   /* what it is done to: a cable, host, or process ("app", of `host`) */
    const char *detail; /* "client to server", or "" */
    unsigned line;      /* in the file */
    uint16_t host, proc, cable;
    union {
        struct ho_plan_call call;
        struct ho_plan_program program;
        struct ho_plan_command command;
        struct ho_plan_input input;
        struct ho_plan_sysctl sysctl;
        enum ho_direction direction; /* CUT */
        unsigned end;                /* UNPLUG: 0: the cable's end a, 1: its end b, loses carrier */
        struct ho_plan_drop drop;
        struct {
            uint8_t ifindex;
            bool up;
            union {
                struct ho_plan_addr address;
                struct ho_plan_route route;
                struct {
                    struct ho_addr addr;
                    struct ho_mac mac;
                } neighbour;
            } u;
        } net; /* INTERFACE, ADDRESS, ROUTE, NEIGHBOUR */
        const char *text;
    } u;
};

struct ho_expect;
struct ho_memory;

struct ho_plan {
    const char *name;      /* of the scenario */
    const char *case_name; /* "" or "ipv6 tcp_retries2=8" */
    enum ho_family family; /* what `connect host:port` and `listen` use */
    uint64_t seed;
    struct ho_plan_node *nodes;
    size_t node_count;
    struct ho_plan_cable *cables;
    size_t cable_count;
    struct ho_plan_proc *procs;
    size_t proc_count;
    struct ho_step
        *setup; /* SYSCTL, ROUTE and NEIGHBOUR steps that hold from the start, and the
                 * COMMANDs that are ready at time 0: started after all others, in order */
    size_t setup_count;
    struct ho_step *steps; /* by time; equal times in the order of the file */
    size_t step_count;
    struct ho_time end;        /* the play stops here */
    struct ho_expect *expects; /* expect.h; not the engine's business */
    size_t expect_count;
    struct ho_memory *memory; /* of strings that are not in the scenario's text */
};

const char *ho_call_text(enum ho_call_kind k);
const char *ho_step_text(enum ho_step_kind k);
const char *ho_frame_text(enum ho_frame_kind k);

#endif
