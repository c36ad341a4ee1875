/* The stage for programs: see agent_stage.h. */

#define _GNU_SOURCE
#include "support/agent_stage.h"

#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "knobs/errno.h"

#define WAIT_MS 10000
#define ARGS_MAX 16

/* ---- lines ----------------------------------------------------------------------------------- */

/* An event without what two worlds never share: times, ports that the system chose. */
static void put_line(struct stage *s, int proc, const struct ho_program_event *e)
{
    struct stage_line *l = &s->line[proc][s->lines[proc]++];
    int n;

    assert(s->lines[proc] < STAGE_LINES);
    l->at = e->at;
    n = snprintf(l->text, sizeof(l->text), "%s %s %s fd=%d", ho_program_event_kind_text(e->kind),
                 e->call, e->sock, e->fd);
    if (e->has & HO_EV_RET) {
        n += snprintf(l->text + n, sizeof(l->text) - (size_t)n, " ret=%lld %s", (long long)e->ret,
                      e->err != 0 ? ho_errno_name(e->err) : "");
    }
    if (e->has & HO_EV_ASKED) {
        n += snprintf(l->text + n, sizeof(l->text) - (size_t)n, " asked=%llu",
                      (unsigned long long)e->asked);
    }
    if (e->has & HO_EV_TX) {
        n += snprintf(l->text + n, sizeof(l->text) - (size_t)n, " tx=%llu",
                      (unsigned long long)e->tx);
    }
    if (e->has & HO_EV_RX) {
        n += snprintf(l->text + n, sizeof(l->text) - (size_t)n, " rx=%llu bad=%llu",
                      (unsigned long long)e->rx, (unsigned long long)e->bad);
    }
    if (e->has & HO_EV_EVENTS) {
        n += snprintf(l->text + n, sizeof(l->text) - (size_t)n, " events=0x%x", e->events);
    }
    if (e->has & HO_EV_VALUE) {
        n += snprintf(l->text + n, sizeof(l->text) - (size_t)n, " value=%lld", (long long)e->value);
    }
    snprintf(l->text + n, sizeof(l->text) - (size_t)n, " %s %s", e->detail, e->note);
}

void stage_print(const struct stage *s)
{
    for (int i = 0; i < STAGE_PROCS; i++) {
        for (size_t k = 0; k < s->lines[i]; k++) {
            fprintf(stderr, "%s %d %3zu %9.3f ms %s\n", s->real ? "real" : "model", i, k,
                    (double)s->line[i][k].at.ns / 1e6, s->line[i][k].text);
        }
    }
}

long stage_find(const struct stage *s, int proc, const char *part, size_t from)
{
    for (size_t i = from; i < s->lines[proc]; i++) {
        if (strstr(s->line[proc][i].text, part) != NULL) {
            return (long)i;
        }
    }
    return -1;
}

void stage_drop(struct stage *s, int proc, const char *part)
{
    size_t n = 0;

    for (size_t i = 0; i < s->lines[proc]; i++) {
        if (strstr(s->line[proc][i].text, part) == NULL) {
            s->line[proc][n++] = s->line[proc][i];
        }
    }
    s->lines[proc] = n;
}

static void compare(const struct stage *a, const struct stage *b, bool more)
{
    for (int i = 0; i < STAGE_PROCS; i++) {
        size_t k = 0;

        while (k < a->lines[i] && k < b->lines[i] &&
               strcmp(a->line[i][k].text, b->line[i][k].text) == 0) {
            k++;
        }
        if (k < a->lines[i] || (!more && k < b->lines[i])) {
            stage_print(a);
            stage_print(b);
            fprintf(stderr, "they differ in line %zu of process %d\n", k, i);
            assert(0 && "the model and the kernel say different things");
        }
    }
}

void stage_same(const struct stage *a, const struct stage *b)
{
    compare(a, b, false);
}

void stage_same_start(const struct stage *a, const struct stage *b)
{
    compare(a, b, true);
}

/* ---- words ----------------------------------------------------------------------------------- */

struct words {
    char text[512];
    const char *first;
    struct ho_program_arg arg[ARGS_MAX];
    size_t n;
};

static void split(struct words *w, const char *text)
{
    char *rest = w->text, *word;

    snprintf(w->text, sizeof(w->text), "%s", text);
    w->first = strsep(&rest, " ");
    for (w->n = 0; (word = strsep(&rest, " ")) != NULL; w->n++) {
        char *value = strchr(word, '=');

        assert(w->n < ARGS_MAX && value != NULL);
        *value = '\0';
        w->arg[w->n] = (struct ho_program_arg){ word, value + 1 };
    }
}

/* ---- the real world -------------------------------------------------------------------------- */

void stage_namespace(void)
{
    struct ifreq lo = { .ifr_name = "lo" };
    int fd;

    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
        fprintf(stderr, "skipped: no network namespace to be had here: %s\n", strerror(errno));
        exit(77);
    }
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &lo) == 0);
    lo.ifr_flags |= IFF_UP;
    assert(ioctl(fd, SIOCSIFFLAGS, &lo) == 0);
    close(fd);
}

/* On one processor a call's segments over lo are all handled before the other end wakes, as in
 * the model; on two it may wake in between.
 */
static void one_processor(void)
{
    cpu_set_t all, one;
    size_t cpu = 0;

    assert(sched_getaffinity(0, sizeof(all), &all) == 0);
    while (!CPU_ISSET(cpu, &all)) {
        cpu++;
    }
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    assert(sched_setaffinity(0, sizeof(one), &one) == 0);
}

/* Takes what the agents have said. Returns how much it was. */
static size_t look(struct stage *s)
{
    size_t n = 0;

    for (int i = 0; i < STAGE_PROCS; i++) {
        while (s->msgs[i] < STAGE_LINES &&
               ho_agent_next(s->agent[i], &s->msg[i][s->msgs[i]]) == 1) {
            const struct ho_agent_msg *m = &s->msg[i][s->msgs[i]++];

            n++;
            if (m->kind == HO_AGENT_EVENT) {
                put_line(s, i, &m->u.event);
            }
        }
        assert(s->msgs[i] < STAGE_LINES);
    }
    return n;
}

/* Over lo everything has happened when no agent has anything more to do. */
static void real_quiet(struct stage *s)
{
    size_t n;

    do {
        n = look(s);
        for (int i = 0; i < STAGE_PROCS; i++) {
            if (s->alive[i] && ho_agent_ended(s->agent[i], NULL)) {
                s->alive[i] = false;
                n++; /* the other one hears of it */
            }
            (void)ho_agent_sync(s->agent[i]); /* stopped or ended: it says nothing */
        }
        n += look(s);
    } while (n > 0);
}

static int64_t monotonic_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * HO_NS_PER_S + ts.tv_nsec;
}

/* Waits until an agent speaks, or it is `until`. */
static void real_wait(struct stage *s, int64_t until)
{
    struct pollfd p[STAGE_PROCS];
    int64_t left = (until - monotonic_ns()) / 1000000 + 1;

    for (int i = 0; i < STAGE_PROCS; i++) {
        p[i] = (struct pollfd){ .fd = ho_agent_fd(s->agent[i]), .events = POLLIN };
        if (ho_agent_ended(s->agent[i], NULL)) {
            p[i].fd = -1;
        }
    }
    poll(p, STAGE_PROCS, left > 0 ? (int)left : 0);
    look(s);
}

/* ---- the model ------------------------------------------------------------------------------- */

static void take_events(struct stage *s, int proc, struct ho_program *p)
{
    struct ho_program_event ev;

    while (ho_program_next_event(p, &ev)) {
        put_line(s, proc, &ev);
    }
}

static void model_kill(struct stage *s, int proc)
{
    ho_host_kill(s->host, s->pid[proc], s->now);
    for (int k = 0; k < STAGE_PROGRAMS; k++) {
        ho_program_free(s->program[proc][k]);
        s->program[proc][k] = NULL;
    }
    s->alive[proc] = false;
}

static void model_run(struct stage *s, int proc, struct ho_program *p)
{
    struct ho_op *op;

    while ((op = ho_program_next_op(p)) != NULL) {
        enum ho_op_status status;

        op->user = p;
        status = ho_host_start(s->host, s->pid[proc], op, s->now);
        take_events(s, proc, p);
        if (status == HO_OP_DONE) {
            ho_program_complete(p, op, s->now);
            take_events(s, proc, p);
        }
    }
    take_events(s, proc, p);
    if (ho_program_exited(p, NULL)) {
        model_kill(s, proc);
    }
}

static void model_quiet(struct stage *s)
{
    struct ho_op *op;

    while ((op = ho_host_completed(s->host)) != NULL) {
        int proc = op->pid == s->pid[0] ? 0 : 1;
        struct ho_program *p = op->user;

        ho_program_complete(p, op, s->now);
        take_events(s, proc, p);
        model_run(s, proc, p);
    }
}

static struct ho_time model_next(const struct stage *s)
{
    struct ho_time t = ho_host_deadline(s->host);

    for (int i = 0; i < STAGE_PROCS; i++) {
        for (int k = 0; k < STAGE_PROGRAMS; k++) {
            if (s->program[i][k] != NULL) {
                t = ho_time_min(t, ho_program_deadline(s->program[i][k]));
            }
        }
    }
    return t;
}

static void model_step(struct stage *s)
{
    ho_host_tick(s->host, s->now);
    model_quiet(s);
    for (int i = 0; i < STAGE_PROCS; i++) {
        for (int k = 0; k < STAGE_PROGRAMS && s->alive[i]; k++) {
            struct ho_program *p = s->program[i][k];

            if (p != NULL && ho_time_reached(ho_program_deadline(p), s->now)) {
                ho_program_tick(p, s->now);
                model_run(s, i, p);
                model_quiet(s);
            }
        }
    }
}

static void model_init(struct stage *s)
{
    struct ho_host_conf conf = { .name = "one",
                                 .clk = { .hz = 1000, .jiffies0 = 1000 },
                                 .seed = 1,
                                 .bufs = &s->bufs,
                                 .max_sockets = 1000 };

    ho_bufpool_init(&s->bufs, 1 << 16);
    assert(ho_host_new(&s->host, &conf) == 0);
    ho_host_boot(s->host, s->now);
    for (int i = 0; i < STAGE_PROCS; i++) {
        s->pid[i] = (uint32_t)ho_host_spawn(s->host, i == 0 ? "server" : "client");
    }
}

/* ---- both ------------------------------------------------------------------------------------ */

void stage_init(struct stage *s, bool real)
{
    memset(s, 0, sizeof(*s));
    s->real = real;
    if (real) {
        stage_namespace();
        one_processor();
    }
    s->time0_ns = monotonic_ns();
    for (int i = 0; i < STAGE_PROCS; i++) {
        struct ho_agent_conf conf = { .netns = -1,
                                      .name = i == 0 ? "server" : "client",
                                      .time0_ns = s->time0_ns };

        s->line[i] = calloc(STAGE_LINES, sizeof(*s->line[i]));
        s->msg[i] = calloc(STAGE_LINES, sizeof(*s->msg[i]));
        assert(s->line[i] != NULL && s->msg[i] != NULL);
        s->alive[i] = true;
        assert(!real || ho_agent_start(&s->agent[i], &conf) == 0);
    }
    if (!real) {
        model_init(s);
    }
    for (int i = 0; i < STAGE_PROCS; i++) {
        assert(stage_program(s, i, "raw") == 0);
    }
}

void stage_done(struct stage *s)
{
    for (int i = 0; i < STAGE_PROCS; i++) {
        if (s->real) {
            ho_agent_free(s->agent[i]);
        } else if (s->alive[i]) {
            model_kill(s, i);
        }
        free(s->line[i]);
        free(s->msg[i]);
    }
    if (!s->real) {
        ho_host_free(s->host);
        ho_bufpool_destroy(&s->bufs);
    }
}

int stage_program(struct stage *s, int proc, const char *text)
{
    struct ho_program_error error = { .text = "" };
    struct words w;
    unsigned number;
    int err, k = 0;

    split(&w, text);
    if (s->real) {
        err = ho_agent_program(s->agent[proc], w.first, w.arg, w.n, &number, &error);
    } else {
        while (s->program[proc][k] != NULL) {
            assert(++k < STAGE_PROGRAMS);
        }
        err = ho_program_new(&s->program[proc][k], w.first, w.arg, w.n, &error);
        if (err == 0) {
            ho_program_start(s->program[proc][k], s->now);
            model_run(s, proc, s->program[proc][k]);
        }
    }
    if (err != 0) {
        fprintf(stderr, "%s: %s\n", text, error.text);
    }
    stage_quiet(s);
    return err;
}

int stage_do(struct stage *s, int proc, const char *text)
{
    struct ho_program_error error = { .text = "" };
    struct words w;
    int err;

    split(&w, text);
    if (s->real) {
        err = ho_agent_command(s->agent[proc], 0, w.first, w.arg, w.n, &error);
    } else {
        err = ho_program_command(s->program[proc][0], w.first, w.arg, w.n, s->now, &error);
        if (err == 0) {
            model_run(s, proc, s->program[proc][0]);
        }
    }
    if (err == -EINVAL) {
        fprintf(stderr, "%s: %s\n", text, error.text);
    }
    stage_quiet(s);
    return err;
}

void stage_kill(struct stage *s, int proc)
{
    if (s->real) {
        assert(ho_agent_kill(s->agent[proc]) == 0);
    } else {
        model_kill(s, proc);
    }
    stage_quiet(s);
}

void stage_quiet(struct stage *s)
{
    if (s->real) {
        real_quiet(s);
    } else {
        model_quiet(s);
    }
}

void stage_run_for(struct stage *s, struct ho_dur d)
{
    if (s->real) {
        int64_t until = monotonic_ns() + d.ns;

        while (monotonic_ns() < until) {
            real_wait(s, until);
        }
        real_quiet(s);
        return;
    }
    struct ho_time until = ho_time_add(s->now, d);

    for (struct ho_time t; t = model_next(s), !ho_time_before(until, t);) {
        s->now = ho_time_before(s->now, t) ? t : s->now;
        model_step(s);
    }
    s->now = until;
}

size_t stage_until(struct stage *s, int proc, const char *part)
{
    int64_t until = monotonic_ns() + INT64_C(1000000) * WAIT_MS;
    struct ho_time last = ho_time_add(s->now, ho_ms(WAIT_MS));

    while (stage_find(s, proc, part, 0) < 0) {
        struct ho_time t = s->real ? HO_NEVER : model_next(s);

        if (s->real ? monotonic_ns() >= until : ho_time_before(last, t)) {
            stage_print(s);
            fprintf(stderr, "process %d never said \"%s\"\n", proc, part);
            assert(0 && "it never came");
        }
        if (s->real) {
            real_wait(s, until);
        } else {
            s->now = ho_time_before(s->now, t) ? t : s->now;
            model_step(s);
        }
    }
    return (size_t)stage_find(s, proc, part, 0);
}
