/* The kernel engine's world, for its files in src/kernel/.
 *
 *     kernel.c    the engine's table, its end, what kernel.h offers
 *     check.c     could this machine play the plan?
 *     build.c     begin: the world of a plan, up to time 0
 *     hosts.c     a host's namespace: power on, power off, its sysctls and addresses
 *     relay.c     the loop: descriptors, frames, deadlines
 *     sample.c    what sock_diag and netlink say, as records
 *     options.c   options of commands' sockets
 *     expiry.c    when a socket's timer will have fired
 *     procs.c     processes: their agents and commands
 *     says.c      what agents and commands report, as records
 *     moment.c    the moment of time 0, on a virtual clock
 *     faults.c    the verbs that do something to hosts and cables
 *     facts.c     what is in force, read back, as records
 *
 * Relay time. The wires and the recorder count from k->base_ns of CLOCK_MONOTONIC, which is also
 * time 0, unless commands had to become ready before: then time 0 is k->zero later, and the private
 * timeline is moved by that much when it is merged.
 *
 * Errors. Whoever meets one says so with ho_trace_fail() (or ho_kernel_fail(), which adds the
 * errno's name); it is in k->trace.err and .why, and the verb in progress returns it at its end.
 */

#ifndef HO_KERNEL_WORLD_H
#define HO_KERNEL_WORLD_H

#include "base/clk.h"
#include "kernel/agent.h"
#include "kernel/kernel.h"
#include "kernel/service.h"
#include "knobs/sysctl.h"
#include "os/aside.h"
#include "os/diag.h"
#include "os/loop.h"
#include "os/net.h"
#include "os/ticks.h"
#include "os/wire.h"
#include "play/fds.h"
#include "play/socks.h"
#include "play/trace.h"
#include "play/wires.h"

#define HO_KERNEL_BUFS (1u << 16) /* frames of each size under way */
#define HO_KERNEL_FRAMES 64       /* read from one wire before the others get their turn */
#define HO_KERNEL_ANSWERS 4       /* read from a wire after a frame was written to it */
#define HO_KERNEL_LOOKS 4         /* samples of a host in one round of the loop */
#define HO_KERNEL_WARNINGS 64
#define HO_KERNEL_CONNECTS 16 /* connect() calls of a process whose start is remembered */

/* A socket's timer that sock_diag has told of (expiry.c). */
struct ho_kernel_expiry {
    uint64_t cookie;
    uint8_t timer;
    unsigned tries;       /* looks that came too early */
    struct ho_time armed; /* when it was first seen so */
    struct ho_time due;   /* nominal */
    struct ho_time look;  /* when to look next */
};

struct ho_kernel_option;

struct ho_kernel_host {
    uint16_t node;
    const struct ho_plan_node *plan; /* NULL: the node is no host */
    bool up;
    uint64_t life;
    int netns;
    struct ho_os_net *net;
    struct ho_os_diag *diag;
    int lo;    /* packets over lo */
    int watch; /* neighbour changes; net's */
    unsigned ports;
    struct ho_os_wire **wire; /* by port */
    bool dirty;
    bool commands;       /* a command was started there */
    unsigned looks;      /* in this round */
    struct ho_time look; /* the earliest of expiry[] */
    struct ho_kernel_expiry *expiry;
    size_t expiries, expiry_room;
    struct ho_sysctls sysctls; /* as read back */
    bool has_sysctl[HO_SYSCTL_COUNT];
    bool odd_sysctl[HO_SYSCTL_COUNT]; /* there, but with a value that the list does not know */
};

struct ho_kernel_proc {
    uint16_t index;
    bool running;
    bool stopped;
    struct ho_play_proc play;
    struct ho_agent *agent; /* NULL: none, or none yet */
    bool watched;           /* its descriptor is in the loop */
    bool reading;           /* as the hands were told */
    int hands;              /* program number of `raw`, -1: none */
    struct {
        int fd;
        struct ho_time at; /* relay time */
    } connect[HO_KERNEL_CONNECTS];
    unsigned connects;
};

struct ho_kernel {
    struct ho_kernel_options options;
    const struct ho_plan *plan; /* NULL before begin */
    struct ho_timeline *caller; /* NULL: nothing is recorded */
    struct ho_timeline own;
    bool merged;
    struct ho_trace trace;
    struct ho_wires wires;
    struct ho_bufpool bufs;
    struct ho_os_loop *loop;
    int64_t base_ns;     /* CLOCK_MONOTONIC of relay time 0 */
    struct ho_dur zero;  /* relay time of time 0 */
    bool begun, started; /* the loop exists; time 0 has come */
    enum ho_os_wire_form form;
    uint64_t wakes0;             /* of the loop, at time 0 */
    struct ho_kernel_host *host; /* by node */
    struct ho_kernel_proc *proc;
    struct ho_services *services; /* NULL before the first command */
    bool services_watched;
    struct ho_clk clk; /* of the kernel; hz 0: not known, and relay time 0 */
    bool has_clk;
    struct ho_os_ticks ticks; /* of a virtual clock */
    bool has_ticks;
    struct ho_os_sock *socks; /* of one look */
    size_t sock_room;
    size_t sock_count; /* in the last look */
    struct ho_os_neigh *neighs;
    size_t neigh_room;
    struct ho_kernel_option *option; /* of commands' sockets (options.c) */
    size_t options_known;
    bool killing;             /* a command: nobody touches its sockets */
    struct ho_os_aside aside; /* closes what a host had */
    char *warning[HO_KERNEL_WARNINGS];
    size_t warnings;
};

/* kernel.c */
struct ho_time ho_kernel_relay_now(const struct ho_kernel *k);
/* "WHAT: WHY" with a system call's negative errno. Returns err. */
int ho_kernel_fail(struct ho_kernel *k, int err, const char *what, const char *why);
__attribute__((format(printf, 2, 3))) void ho_kernel_warn(struct ho_kernel *k, const char *format,
                                                          ...);

/* check.c */
int ho_kernel_check(struct ho_kernel *k, const struct ho_plan *plan,
                    const struct ho_step **ret_step);

/* build.c */
int ho_kernel_build(struct ho_kernel *k);
void ho_kernel_demolish(struct ho_kernel *k);

/* hosts.c: all but the wires' side of it (faults.c). */
int ho_kernel_host_on(struct ho_kernel *k, struct ho_kernel_host *h);
void ho_kernel_host_off(struct ho_kernel *k, struct ho_kernel_host *h);
/* Nothing of the host is waited for any more. */
void ho_kernel_host_deaf(struct ho_kernel *k, const struct ho_kernel_host *h);
/* Ends every socket of the host without a word; what could not be ended is left. */
void ho_kernel_host_abort(struct ho_kernel_host *h);
/* One setting of the plan's setup, or of a step. */
int ho_kernel_configure(struct ho_kernel *k, const struct ho_step *step);

/* facts.c */
void ho_kernel_read_sysctls(struct ho_kernel_host *h);
void ho_kernel_read_clock(struct ho_kernel *k);
void ho_kernel_settings(struct ho_kernel *k);
/* The sysctl was written: read back and recorded. */
void ho_kernel_setting_sysctl(struct ho_kernel *k, struct ho_kernel_host *h, enum ho_sysctl id);
/* The names under /proc/sys that a name of the list with `*` stands for: the i-th of them into
 * `text` (128 bytes). False: there are no more.
 */
bool ho_kernel_sysctl_name(const struct ho_kernel_host *h, const char *name, unsigned i,
                           char *text);

/* moment.c: on a virtual clock; nothing on another. Before the hosts are built, and when all that
 * comes before time 0 is done. `commands`: there are some that are ready at time 0.
 */
void ho_kernel_moment_before(struct ho_kernel *k, bool commands);
void ho_kernel_moment(struct ho_kernel *k, bool commands);

/* relay.c */
enum ho_kernel_tag {
    HO_KERNEL_TAG_WIRE,  /* index: node << 8 | port */
    HO_KERNEL_TAG_NEIGH, /* node */
    HO_KERNEL_TAG_LO,    /* node */
    HO_KERNEL_TAG_AGENT, /* process */
    HO_KERNEL_TAG_SERVICES
};
int ho_kernel_watch(struct ho_kernel *k, int fd, enum ho_kernel_tag tag, uint32_t index);
void ho_kernel_unwatch(struct ho_kernel *k, int fd);
/* Does everything that is to be done, until `until` has passed; with what has passed already:
 * once, without waiting.
 */
int ho_kernel_run(struct ho_kernel *k, struct ho_time until);
/* Carrier that has changed is told to the hosts. */
void ho_kernel_carriers(struct ho_kernel *k);
void ho_kernel_dirty(struct ho_kernel *k, uint16_t node);

/* sample.c */
void ho_kernel_sample(struct ho_kernel *k, struct ho_kernel_host *h);
/* The host has nothing any more: everything that was there is gone. */
void ho_kernel_sample_none(struct ho_kernel *k, const struct ho_kernel_host *h);

/* expiry.c: between begin and end one call for each socket of a look; then h->look is set. */
void ho_kernel_expiry(struct ho_kernel *k, struct ho_kernel_host *h, size_t *count,
                      const struct ho_os_sock *s, struct ho_time now);
void ho_kernel_expiry_end(struct ho_kernel_host *h, size_t count);

/* options.c: those of commands' sockets, of the host that was looked at last. */
void ho_kernel_options_of(struct ho_kernel *k, const struct ho_kernel_host *h, size_t n);

/* procs.c */
int ho_kernel_proc_agent(struct ho_kernel *k, struct ho_kernel_proc *p);
/* With the program `raw` in it. */
int ho_kernel_proc_hands(struct ho_kernel *k, struct ho_kernel_proc *p);
int ho_kernel_proc_command(struct ho_kernel *k, uint16_t proc, const struct ho_plan_command *c);
/* Those of a host that loses its power, in two moves: nothing of them is recorded any more. */
void ho_kernel_procs_freeze(struct ho_kernel *k, uint16_t node);
void ho_kernel_procs_end(struct ho_kernel *k, uint16_t node);
void ho_kernel_proc_forget(struct ho_kernel *k, struct ho_kernel_proc *p);
int ho_kernel_verb_start(void *self, uint16_t proc);
int ho_kernel_verb_call(void *self, uint16_t proc, const struct ho_plan_call *call);
int ho_kernel_verb_program(void *self, uint16_t proc, const struct ho_plan_program *program);
int ho_kernel_verb_command(void *self, uint16_t proc, const struct ho_plan_command *command);
int ho_kernel_verb_input(void *self, uint16_t proc, const struct ho_plan_input *input);
int ho_kernel_verb_kill(void *self, uint16_t proc, const struct ho_step *step);
int ho_kernel_verb_stop(void *self, uint16_t proc, const struct ho_step *step);
int ho_kernel_verb_continue(void *self, uint16_t proc, const struct ho_step *step);

/* says.c */
void ho_kernel_hear(struct ho_kernel *k, struct ho_kernel_proc *p);
void ho_kernel_hear_all(struct ho_kernel *k);
void ho_kernel_hear_services(struct ho_kernel *k);

/* faults.c */
int ho_kernel_verb_sysctl(void *self, uint16_t host, const struct ho_plan_sysctl *sysctl);
int ho_kernel_verb_power_off(void *self, uint16_t host, const struct ho_step *step);
int ho_kernel_verb_boot(void *self, uint16_t host, const struct ho_step *step);
int ho_kernel_verb_interface(void *self, uint16_t host, const struct ho_step *step);
int ho_kernel_verb_address(void *self, uint16_t host, const struct ho_step *step);
int ho_kernel_verb_route(void *self, uint16_t host, const struct ho_step *step);
int ho_kernel_verb_neighbour(void *self, uint16_t host, const struct ho_step *step);
int ho_kernel_verb_cable(void *self, uint16_t cable, const struct ho_step *step);
int ho_kernel_verb_note(void *self, const struct ho_step *step);

#endif
