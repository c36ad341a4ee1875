/* What is done to agents, and what they tell: the order and content of messages, stop and go,
 * kill, a relay that dies, sleep, time. A peer behind a cable: test_agent_cable_slow.c.
 */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/agent_stage.h"

static const struct ho_agent_msg *message(const struct stage *s, int proc,
                                          enum ho_agent_msg_kind kind)
{
    for (size_t i = 0; i < s->msgs[proc]; i++) {
        if (s->msg[proc][i].kind == kind) {
            return &s->msg[proc][i];
        }
    }
    fail_msg("process %d has no message \"%s\"", proc, ho_agent_msg_text(kind));
    return &s->msg[proc][0];
}

static void begin(struct stage *s)
{
    stage_init(s, true);
    assert_int_equal(stage_do(s, 0, "listen port=5000 as=L name=x"), 0);
    assert_int_equal(stage_do(s, 1, "connect addr=127.0.0.1 port=5000 as=k"), 0);
}

/* True if /proc/net/tcp of this namespace has a socket with this inode. */
static bool kernel_knows(uint64_t inode)
{
    FILE *f = fopen("/proc/thread-self/net/tcp", "re");
    char line[256];
    bool found = false;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        unsigned long long here = 0;

        /* sl local remote st queues timer retransmits uid timeout inode */
        if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &here) == 1 && here == inode) {
            found = true;
        }
    }
    fclose(f);
    return found;
}

static void messages_tell_whose_socket_it_is(void **state)
{
    const struct ho_agent_msg *l, *x, *before, *after, *k;
    char text[HO_ADDR_TEXT];
    struct stage s;

    (void)state;
    begin(&s);
    l = message(&s, 0, HO_AGENT_LISTENING);
    x = message(&s, 0, HO_AGENT_ACCEPTED);
    before = message(&s, 1, HO_AGENT_CONNECT);
    after = message(&s, 1, HO_AGENT_CONNECTING);
    k = message(&s, 1, HO_AGENT_CONNECTED);
    assert_true(before < after && after < k);
    assert_string_equal(l->name, "L");
    assert_int_equal(l->local_port, 5000);
    assert_string_equal(before->name, "k");
    assert_int_equal(before->local_port, 0); /* nobody knows it yet */
    assert_int_equal(before->remote_port, 5000);
    assert_true(after->local_port != 0 && after->local_port == x->remote_port);
    assert_int_equal(after->err, 0);
    assert_int_equal(k->err, 0);
    assert_string_equal(x->name, "x");
    assert_int_equal(x->from, l->fd);
    assert_string_equal(ho_addr_text(&x->local, text), "127.0.0.1");
    assert_true(before->cookie != 0 && before->cookie == k->cookie && k->cookie != x->cookie);
    assert_true(kernel_knows(l->inode) && kernel_knows(k->inode) && kernel_knows(x->inode));
    assert_false(ho_agent_connecting(s.agent[1]));
    stage_do(&s, 1, "setsockopt name=TCP_USER_TIMEOUT value=900 on=k");
    assert_int_equal(message(&s, 1, HO_AGENT_OPTION)->value[0], 900);
    stage_do(&s, 1, "close on=k");
    assert_int_equal(message(&s, 1, HO_AGENT_CLOSED)->fd, k->fd);
    stage_done(&s);
}

/* A process that is told not to read before it has a connection reads nothing of it. */
static void what_is_accepted_can_be_left_unread(void **state)
{
    struct stage s;

    (void)state;
    stage_init(&s, true);
    assert_int_equal(ho_agent_reading(s.agent[0], 0, false), 0);
    assert_int_equal(ho_agent_reading(s.agent[0], 7, false), -ENOENT);
    stage_do(&s, 0, "listen port=5000 as=L name=x");
    stage_do(&s, 1, "connect addr=127.0.0.1 port=5000 as=k");
    stage_do(&s, 1, "send bytes=100");
    assert_true(stage_find(&s, 0, "call recv", 0) < 0);
    stage_do(&s, 0, "reading value=yes on=x");
    assert_true(stage_find(&s, 0, "call recv x fd=5 ret=100", 0) >= 0);
    assert_int_equal(ho_agent_reading(s.agent[0], 0, true), 0);
    stage_do(&s, 1, "connect addr=127.0.0.1 port=5000 as=m");
    stage_do(&s, 1, "send bytes=50 on=m");
    assert_true(stage_find(&s, 0, "call recv x2 fd=6 ret=50", 0) >= 0);
    stage_done(&s);
}

static void a_stopped_agent_does_nothing_until_it_goes_on(void **state)
{
    struct ho_program_arg bad[] = { { "on", "nobody" } }, wrong[] = { { "bytes", "many" } };
    struct ho_program_arg five[] = { { "bytes", "5" } };
    struct stage s;
    unsigned number;
    size_t lines;

    (void)state;
    begin(&s);
    assert_int_equal(stage_program(&s, 0, "echo-server port=5001 name=e"), 0);
    assert_int_equal(ho_agent_stop(s.agent[0]), 0);
    assert_int_equal(ho_agent_stop(s.agent[0]), 0);
    lines = s.lines[0];
    stage_do(&s, 1, "send bytes=100");
    stage_do(&s, 1, "connect addr=127.0.0.1 port=5001 as=echo");
    stage_do(&s, 1, "send bytes=33 on=echo");
    assert_int_equal(ho_agent_program(s.agent[0], "raw", NULL, 0, &number, NULL), -EBUSY);
    assert_int_equal(ho_agent_sync(s.agent[0]), -EBUSY);
    assert_int_equal(ho_agent_command(s.agent[0], 0, "send", wrong, 1, NULL), -EINVAL);
    assert_int_equal(ho_agent_command(s.agent[0], 0, "send", five, 1, NULL), 0);
    assert_int_equal(ho_agent_command(s.agent[0], 0, "poll", bad, 1, NULL), 0);
    stage_run_for(&s, ho_ms(50));
    assert_int_equal(s.lines[0], lines);
    assert_int_equal(ho_agent_continue(s.agent[0]), 0);
    stage_quiet(&s);
    assert_true(stage_find(&s, 0, "call recv x fd=5 ret=100", 0) >= 0);
    assert_true(stage_find(&s, 0, "call send x fd=5 ret=5", 0) >= 0);
    assert_true(stage_find(&s, 1, "call recv k fd=4 ret=5", 0) >= 0);
    assert_int_equal(message(&s, 0, HO_AGENT_REFUSED)->err, EINVAL);
    assert_non_null(strstr(message(&s, 0, HO_AGENT_REFUSED)->u.text, "nobody"));
    assert_true(stage_find(&s, 1, "call recv echo fd=5 ret=33", 0) >= 0);
    stage_do(&s, 1, "send bytes=10 on=k"); /* epoll_wait() and poll() were begun again */
    stage_do(&s, 1, "connect addr=127.0.0.1 port=5000 as=m");
    assert_true(stage_find(&s, 0, "rx=110", 0) >= 0);
    assert_true(stage_find(&s, 0, "call accept x2", 0) >= 0);
    stage_done(&s);
}

static void a_killed_agent_has_closed_its_sockets(void **state)
{
    struct ho_agent_msg m;
    struct stage s;
    int status = 0;

    (void)state;
    begin(&s);
    assert_int_equal(ho_agent_kill(s.agent[0]), 0);
    stage_quiet(&s);
    assert_true(stage_find(&s, 1, "call recv k fd=4 ret=0", 0) >= 0);
    assert_int_equal(ho_agent_kill(s.agent[0]), -ESRCH);
    assert_int_equal(ho_agent_stop(s.agent[0]), -ESRCH);
    assert_int_equal(ho_agent_continue(s.agent[0]), -ESRCH);
    assert_true(ho_agent_ended(s.agent[0], &status));
    assert_int_equal(status, SIGKILL);
    assert_int_equal(ho_agent_next(s.agent[0], &m), -EPIPE);
    assert_int_equal(ho_agent_command(s.agent[0], 0, "status", NULL, 0, NULL), -EPIPE);
    stage_done(&s);
}

/* The count comes back, the error is for the next call (ground-truth B3f). */
static void a_blocked_send_returns_what_it_sent(void **state)
{
    struct ho_program_event e = { .ret = 0 };
    struct stage s;

    (void)state;
    stage_init(&s, true);
    stage_do(&s, 0, "listen port=5000 as=L name=x read=no options=SO_RCVBUF=65536");
    stage_do(&s, 1, "connect addr=127.0.0.1 port=5000 as=k read=no options=SO_SNDBUF=65536");
    stage_do(&s, 1, "send bytes=8M block=yes");
    assert_true(stage_find(&s, 1, "enter send k", 0) >= 0);
    assert_true(stage_find(&s, 1, "call send", 0) < 0);
    assert_int_equal(ho_agent_kill(s.agent[0]), 0);
    stage_quiet(&s);
    for (size_t i = 0; i < s.msgs[1]; i++) {
        const struct ho_agent_msg *m = &s.msg[1][i];

        if (m->kind == HO_AGENT_EVENT && strcmp(m->u.event.call, "send") == 0) {
            e = m->u.event;
        }
    }
    assert_int_equal(e.kind, HO_PROGRAM_CALL);
    assert_in_range(e.ret, 1, 8 << 20);
    assert_true(e.ret < 8 << 20);
    stage_do(&s, 1, "poll on=k");
    assert_true(stage_find(&s, 1, "events=0x201d", 0) >= 0); /* the error is still there */
    stage_do(&s, 1, "send bytes=1 on=k");
    assert_true(stage_find(&s, 1, "call send k fd=4 ret=-1 ECONNRESET", 0) >= 0);
    stage_do(&s, 1, "send bytes=1 on=k");
    assert_true(stage_find(&s, 1, "call send k fd=4 ret=-1 EPIPE", 0) >= 0);
    stage_done(&s);
}

/* The relay's stderr apart, a child has nothing of it; and it goes when its relay goes. */
static void an_agent_does_not_outlive_its_relay(void **state)
{
    struct ho_agent_conf conf = { .netns = -1, .name = "orphan" };
    struct ho_agent *a;
    int way[2], status;
    pid_t relay, pid = 0;

    (void)state;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe(way), 0);
    relay = fork();
    if (relay == 0) {
        if (ho_agent_start(&a, &conf) == 0) {
            pid = ho_agent_pid(a);
            pid = write(way[1], &pid, sizeof(pid)) == sizeof(pid) ? pid : 0;
        }
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(relay, &status, 0), relay);
    assert_int_equal(read(way[0], &pid, sizeof(pid)), sizeof(pid));
    assert_int_equal(waitpid(pid, &status, 0), pid); /* it is ours now, and it ends */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    close(way[0]);
    close(way[1]);
}

/* Times it went to sleep, when it sleeps; -1: it does not. */
static long sleeps(pid_t pid)
{
    char path[64], line[128], state = '?';
    long n = -1;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        (void)sscanf(line, "State: %c", &state);
        if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0) {
            n = strtol(line + 24, NULL, 10);
        }
    }
    fclose(f);
    return state == 'S' ? n : -1;
}

static void an_idle_agent_sleeps(void **state)
{
    struct stage s;
    long before[STAGE_PROCS];

    (void)state;
    begin(&s);
    stage_program(&s, 0, "http-server port=5001");
    for (int i = 0; i < STAGE_PROCS; i++) { /* they have answered, and now they go to sleep */
        for (int tries = 0; (before[i] = sleeps(ho_agent_pid(s.agent[i]))) < 0; tries++) {
            assert_true(tries < 10000);
            poll(NULL, 0, 1);
        }
    }
    poll(NULL, 0, 300);
    for (int i = 0; i < STAGE_PROCS; i++) {
        assert_int_equal(sleeps(ho_agent_pid(s.agent[i])), before[i]);
    }
    stage_done(&s);
}

static void time_begins_when_the_relay_says(void **state)
{
    struct ho_agent_conf conf = { .netns = -1, .name = "clock", .time0_ns = HO_AGENT_TIME_UNKNOWN };
    struct ho_program_arg port[] = { { "port", "5000" } };
    struct ho_agent_msg m;
    struct ho_agent *a;
    struct timespec ts;
    unsigned number;

    (void)state;
    stage_namespace();
    assert_int_equal(ho_agent_start(&a, &conf), 0);
    assert_int_equal(ho_agent_program(a, "echo-server", port, 1, &number, NULL), 0);
    while (ho_agent_next(a, &m) == 1) {
        assert_int_equal(m.at.ns, 0);
    }
    clock_gettime(CLOCK_MONOTONIC, &ts);
    assert_int_equal(ho_agent_time0(a, (ts.tv_sec - 100) * HO_NS_PER_S + ts.tv_nsec), 0);
    assert_int_equal(ho_agent_program(a, "raw", NULL, 0, &number, NULL), 0);
    assert_int_equal(number, 1);
    assert_int_equal(ho_agent_next(a, &m), 1);
    assert_in_range(m.at.ns, 100 * HO_NS_PER_S, 110 * HO_NS_PER_S);
    ho_agent_free(a);
}

static void arguments_have_a_bound(void **state)
{
    char *long_text = malloc(HO_AGENT_TEXT_MAX + 1);
    struct ho_program_arg arg[] = { { "note", long_text } };
    struct ho_program_error error = { .text = "" };
    struct stage s;

    (void)state;
    assert_non_null(long_text);
    memset(long_text, 'x', HO_AGENT_TEXT_MAX);
    long_text[HO_AGENT_TEXT_MAX] = '\0';
    stage_init(&s, true);
    assert_int_equal(ho_agent_command(s.agent[0], 0, "poll", arg, 1, &error), -EINVAL);
    assert_non_null(strstr(error.text, "bytes"));
    stage_done(&s);
    free(long_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_tell_whose_socket_it_is),
        cmocka_unit_test(what_is_accepted_can_be_left_unread),
        cmocka_unit_test(a_stopped_agent_does_nothing_until_it_goes_on),
        cmocka_unit_test(a_killed_agent_has_closed_its_sockets),
        cmocka_unit_test(a_blocked_send_returns_what_it_sent),
        cmocka_unit_test(an_agent_does_not_outlive_its_relay),
        cmocka_unit_test(an_idle_agent_sleeps),
        cmocka_unit_test(time_begins_when_the_relay_says),
        cmocka_unit_test(arguments_have_a_bound),
    };

    stage_namespace(); /* or the whole test is skipped */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
