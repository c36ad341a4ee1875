/* A stage for programs: the same verbs on agents over the real kernel's lo, and on one of the
 * model's hosts; what programs say, as lines that can be compared.
 *
 * Two processes, 0 and 1 ("server" and "client" by custom), each a `raw`, and behaviours beside
 * it. All of it happens over 127.0.0.1 of one namespace or one host. After each verb a stage is
 * quiet: nothing more happens by itself but by time.
 */

#ifndef HO_TESTS_AGENT_STAGE_H
#define HO_TESTS_AGENT_STAGE_H

#include "host/host.h"
#include "kernel/agent.h"

#define STAGE_PROCS 2
#define STAGE_LINES 4096
#define STAGE_PROGRAMS 4

struct stage_line {
    struct ho_time at;
    char text[200];
};

struct stage {
    bool real;
    bool alive[STAGE_PROCS];
    /* what the programs said */
    struct stage_line *line[STAGE_PROCS];
    size_t lines[STAGE_PROCS];
    /* real */
    struct ho_agent *agent[STAGE_PROCS];
    struct ho_agent_msg *msg[STAGE_PROCS]; /* all of them, in order */
    size_t msgs[STAGE_PROCS];
    int64_t time0_ns;
    /* model */
    struct ho_bufpool bufs;
    struct ho_host *host;
    struct ho_time now;
    struct ho_program *program[STAGE_PROCS][STAGE_PROGRAMS];
    uint32_t pid[STAGE_PROCS];
};

/* Moves this process into a network namespace of its own with lo up; where that is forbidden the
 * test program ends with status 77 and the reason. Each real stage has one of its own: what an
 * earlier test left in TIME-WAIT does not matter.
 */
void stage_namespace(void);

void stage_init(struct stage *s, bool real);
void stage_done(struct stage *s);

/* Starts a behaviour: "echo-server port=7". Returns what ho_agent_program() or ho_program_new()
 * does. */
int stage_program(struct stage *s, int proc, const char *text);

/* A verb of the process's `raw`: "connect addr=127.0.0.1 port=5000". Returns what
 * ho_program_command() does. */
int stage_do(struct stage *s, int proc, const char *text);

/* kill -9: when it returns, the other process has heard of it. */
void stage_kill(struct stage *s, int proc);

/* Until nothing more happens; and so long, by the clock of its world. */
void stage_quiet(struct stage *s);
void stage_run_for(struct stage *s, struct ho_dur d);

/* Real: waits until process `proc` has said a line with `part` in it, at most 10 s; the model goes
 * on for that time at most. Returns its index; fails the test if it does not come.
 */
size_t stage_until(struct stage *s, int proc, const char *part);

/* The first line with `part` in it from line `from` on; -1: none. */
long stage_find(const struct stage *s, int proc, const char *part, size_t from);

/* Fails the test and prints both if the lines of a process differ. */
void stage_same(const struct stage *a, const struct stage *b);

/* The same, but `b` may have said more in the end: it was looked at later. */
void stage_same_start(const struct stage *a, const struct stage *b);

/* Forgets the lines of a process with `part` in them. */
void stage_drop(struct stage *s, int proc, const char *part);

void stage_print(const struct stage *s);

#endif
