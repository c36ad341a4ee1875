/* Children in a room: where and as whom they run, with which descriptors, how they end
 * (os/proc.h, os/sockfd.h).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/netns.h"
#include "os/proc.h"
#include "os/sockfd.h"
#include "support/in_room.h"

#define PATIENCE_MS 5000

static const enum in_room_form rooms[] = { IN_ROOM_ROOT, IN_ROOM_USER };

static void in_both(int (*body)(void *arg))
{
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(in_room(rooms[i], body, NULL), 0);
    }
}

static void await(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    ROOM_CHECK(poll(&p, 1, PATIENCE_MS) == 1);
}

static struct ho_os_exit end_of(struct ho_os_child *c)
{
    struct ho_os_exit e = { .status = -1 };

    await(c->pidfd);
    ROOM_CHECK(ho_os_child_exit(c, &e) == 0);
    ROOM_CHECK(ho_os_child_exit(c, &e) == -ESRCH);
    return e;
}

/* What comes out of `fd` until its end. */
static const char *output(int fd)
{
    static char text[4096];
    size_t n = 0;
    ssize_t got;

    do {
        await(fd);
        got = read(fd, text + n, sizeof(text) - 1 - n);
        ROOM_CHECK(got >= 0);
        n += (size_t)got;
    } while (got > 0);
    text[n] = '\0';
    (void)close(fd);
    return text;
}

/* Runs `script` by sh with its output in a pipe. */
static int run(struct ho_os_child *c, const struct ho_os_spawn *like, const char *script)
{
    char *argv[] = { (char *)"sh", (char *)"-c", (char *)(uintptr_t)script, NULL };
    char why[HO_OS_WHY] = "";
    int ends[2];

    ROOM_CHECK(pipe2(ends, O_CLOEXEC) == 0);
    int fds[3] = { -1, ends[1], ends[1] };
    struct ho_os_spawn s = *like;

    s.fds = fds;
    s.n_fds = 3;
    if (ho_os_spawn_exec(c, &s, argv, NULL, why) != 0) {
        (void)fprintf(stderr, "%s\n", why);
        _exit(1);
    }
    (void)close(ends[1]);
    return ends[0];
}

/* ---- calls ----------------------------------------------------------------------------------- */

struct agent {
    unsigned long long netns;
};

static int be_agent(void *arg)
{
    const struct agent *a = arg;
    int here = -1;
    char byte;

    ROOM_CHECK(ho_os_netns_here(&here) == 0 &&
               here == 1); /* 0 is the socket, nothing else is open */
    ROOM_CHECK(ho_os_netns_id(here) == a->netns);
    ROOM_CHECK(recv(0, &byte, 1, 0) == 1);
    ROOM_CHECK(send(0, &byte, 1, 0) == 1);
    return byte;
}

static int call_in_a_host(void *arg)
{
    struct ho_os_child c;
    struct agent a;
    char why[HO_OS_WHY] = "", byte = 55;
    int netns, pair[2];

    (void)arg;
    ROOM_CHECK(ho_os_netns_new(&netns) == 0);
    a.netns = ho_os_netns_id(netns);
    ROOM_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    struct ho_os_spawn s = { .netns = netns, .fds = &pair[1], .n_fds = 1 };
    struct ho_os_exit e;

    ROOM_CHECK(ho_os_spawn_call(&c, &s, be_agent, &a, why) == 0);
    (void)close(pair[1]);
    ROOM_CHECK(ho_os_child_exit(&c, &e) == -EAGAIN);
    ROOM_CHECK(send(pair[0], &byte, 1, MSG_NOSIGNAL) == 1);
    await(pair[0]);
    ROOM_CHECK(recv(pair[0], &byte, 1, 0) == 1 && byte == 55);
    e = end_of(&c);
    ROOM_CHECK(e.status == 55 && e.signal == 0);
    ROOM_CHECK(ho_os_child_signal(&c, SIGTERM) == -ESRCH);
    ho_os_child_free(&c);
    return 0;
}

static void a_call_runs_in_its_host_with_its_descriptors_alone(void **state)
{
    (void)state;
    in_both(call_in_a_host);
}

static int sleeper(void *arg)
{
    (void)arg;
    for (;;) {
        (void)pause();
    }
    return 0;
}

static int kill_a_call(void *arg)
{
    struct ho_os_spawn s = { .netns = -1 };
    struct ho_os_child c;

    (void)arg;
    ROOM_CHECK(ho_os_spawn_call(&c, &s, sleeper, NULL, NULL) == 0);
    ROOM_CHECK(ho_os_child_signal(&c, SIGSTOP) == 0);
    ROOM_CHECK(ho_os_child_signal(&c, SIGKILL) == 0);
    ROOM_CHECK(end_of(&c).signal == SIGKILL);
    ho_os_child_free(&c);
    ROOM_CHECK(ho_os_spawn_call(&c, &s, sleeper, NULL, NULL) == 0);
    ho_os_child_free(&c); /* kills */
    pid_t pids[8];

    ROOM_CHECK(ho_os_pids(pids, 8) == 1);
    ROOM_CHECK(pids[0] == 1);
    return 0;
}

static void a_call_is_killed_and_reaped(void **state)
{
    (void)state;
    in_both(kill_a_call);
}

/* ---- commands -------------------------------------------------------------------------------- */

static int run_without_capabilities(void *arg)
{
    struct ho_os_spawn s = { .dir = "/", .netns = -1 };
    struct ho_os_child c;

    (void)arg;
    int out = run(&c, &s,
                  "grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs)' /proc/self/status; pwd; ls "
                  "/proc/self/fd; echo $$; exit 3");
    const char *text = output(out);
    unsigned zeros = 0;

    for (const char *p = text; (p = strstr(p, "\t0000000000000000")) != NULL; p++) {
        zeros++;
    }
    ROOM_CHECK(zeros == 5);
    ROOM_CHECK(strstr(text, "NoNewPrivs:\t1\n/\n0\n1\n2\n3\n2\n") != NULL); /* ls itself holds 3 */
    struct ho_os_exit e = end_of(&c);

    ROOM_CHECK(e.status == 3 && e.signal == 0);
    ROOM_CHECK(ho_os_child_command_exit(&c, &e) == 0 && e.status == 3);
    ho_os_child_free(&c);
    return 0;
}

static void a_command_has_no_capabilities_and_is_pid_2(void **state)
{
    (void)state;
    in_both(run_without_capabilities);
}

static int run_as(void *arg)
{
    struct ho_os_spawn s = { .netns = -1, .user = true, .uid = 4321, .gid = 8765 };
    struct ho_os_child c;
    char why[HO_OS_WHY] = "";
    char *argv[] = { (char *)"/bin/sh", NULL };

    if (arg != NULL) { /* in a user namespace of one user */
        ROOM_CHECK(ho_os_spawn_exec(&c, &s, argv, NULL, why) < 0);
        ROOM_CHECK(strstr(why, "cannot become uid 4321, gid 8765") != NULL);
        ROOM_CHECK(strstr(why, "without root there is no user but one's own") != NULL);
        s.uid = getuid();
        s.gid = getgid();
        (void)output(run(&c, &s, "exit 0"));
    } else {
        ROOM_CHECK(strcmp(output(run(&c, &s, "id -u; id -g; id -G")), "4321\n8765\n8765\n") == 0);
    }
    ROOM_CHECK(end_of(&c).status == 0);
    ho_os_child_free(&c);
    return 0;
}

static void a_command_runs_as_the_user_asked_for(void **state)
{
    (void)state;
    if (geteuid() == 0) {
        assert_int_equal(in_room(IN_ROOM_ROOT, run_as, NULL), 0);
    }
    assert_int_equal(in_room(IN_ROOM_USER, run_as, (void *)"one user"), 0);
}

static int cannot_run(void *arg)
{
    static const struct {
        const char *command, *dir;
        int err;
        const char *why;
    } cases[] = {
        { "no-such-command", NULL, -ENOENT, "cannot run no-such-command: No such file" },
        { "/etc/passwd", NULL, -EACCES, "cannot run /etc/passwd: Permission denied" },
        { "sh", "/no/such/place", -ENOENT, "cannot enter the directory /no/such/place: No such" },
    };
    char *env[] = { (char *)"PATH=/usr/bin:/bin", NULL };
    pid_t pids[8];

    (void)arg;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_os_spawn s = { .netns = -1, .dir = cases[i].dir };
        char *argv[] = { (char *)(uintptr_t)cases[i].command, NULL };
        struct ho_os_child c = { .pid = -7 };
        char why[HO_OS_WHY] = "";

        ROOM_CHECK(ho_os_spawn_exec(&c, &s, argv, env, why) == cases[i].err);
        ROOM_CHECK(strstr(why, cases[i].why) != NULL);
        ROOM_CHECK(c.pid == -7);
    }
    ROOM_CHECK(ho_os_pids(pids, 8) == 1);
    return 0;
}

static void what_cannot_run_is_said(void **state)
{
    (void)state;
    in_both(cannot_run);
}

/* ---- the init -------------------------------------------------------------------------------- */

/* A daemon that left its session and its parent, and whoever started it: ends when it is told. */
static const char daemon_script[] = "trap 'exit 4' TERM; "
                                    "setsid sh -c 'trap \"\" TERM HUP; echo up; sleep 1000' & "
                                    "wait";

static int daemon_dies_with_its_init(void *arg)
{
    struct ho_os_spawn s = { .netns = -1 };
    struct ho_os_child c;
    struct ho_os_exit e;
    char line[16] = "";

    (void)arg;
    int out = run(&c, &s, daemon_script);

    await(out);
    ROOM_CHECK(read(out, line, sizeof(line)) == 3 && strcmp(line, "up\n") == 0);
    ROOM_CHECK(ho_os_child_command_exit(&c, &e) == -EAGAIN);
    ROOM_CHECK(ho_os_child_signal(&c, SIGTERM) == 0);
    await(c.control);
    ROOM_CHECK(ho_os_child_command_exit(&c, &e) == 0 && e.status == 4 && e.signal == 0);
    ROOM_CHECK(ho_os_child_exit(&c, &e) == -EAGAIN); /* the daemon lives */
    pid_t pids[16];

    ROOM_CHECK(ho_os_pids(pids, 16) >= 3); /* us, the init, the daemon, its sleep */
    ROOM_CHECK(ho_os_child_signal(&c, SIGKILL) == 0);
    ROOM_CHECK(strcmp(output(out), "") == 0); /* nobody holds the pipe any more */
    ROOM_CHECK(end_of(&c).signal == SIGKILL);
    ROOM_CHECK(ho_os_pids(pids, 16) == 1);
    ho_os_child_free(&c);
    return 0;
}

static void killing_the_init_ends_daemons_too(void **state)
{
    (void)state;
    in_both(daemon_dies_with_its_init);
}

static char state_of(pid_t pid)
{
    char path[64], text[256] = "";

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY);

    ROOM_CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
    (void)close(fd);
    const char *p = strrchr(text, ')');

    ROOM_CHECK(p != NULL);
    return p[2];
}

static int stop_all(void *arg)
{
    struct ho_os_spawn s = { .netns = -1 };
    struct ho_os_child c;
    pid_t pids[16];
    char line[16];

    (void)arg;
    /* What is started says so itself: before its exec it has the shell's handlers still. */
    int out = run(&c, &s,
                  "trap 'echo term; kill $!; exit 5' TERM; "
                  "setsid sh -c 'echo up; exec sleep 1000' & wait");

    await(out);
    ROOM_CHECK(read(out, line, sizeof(line)) == 3);
    ROOM_CHECK(ho_os_child_signal(&c, SIGSTOP) == 0);
    for (int tries = 0;; tries++) { /* the init is told, and needs a moment */
        unsigned stopped = 0;
        int n = ho_os_pids(pids, 16);

        ROOM_CHECK(n == 4);
        for (int i = 0; i < n; i++) {
            stopped += state_of(pids[i]) == 'T';
        }
        if (stopped == 2) {
            break; /* the command and what it started; not its init */
        }
        ROOM_CHECK(tries < 1000);
        (void)usleep(1000);
    }
    ROOM_CHECK(ho_os_child_signal(&c, SIGTERM) == 0); /* to the command, which is stopped */
    ROOM_CHECK(ho_os_child_signal(&c, SIGCONT) == 0);
    ROOM_CHECK(strcmp(output(out), "term\n") == 0);
    ROOM_CHECK(end_of(&c).status == 5);
    ho_os_child_free(&c);
    return 0;
}

static void all_of_a_command_is_stopped_and_goes_on(void **state)
{
    (void)state;
    in_both(stop_all);
}

/* ---- sockets of others ----------------------------------------------------------------------- */

static int hold_a_socket(void *arg)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1, ms = 12345;
    struct linger l = { 1, 7 };
    char byte = 'r';

    (void)arg;
    ROOM_CHECK(fd == 1);
    ROOM_CHECK(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) == 0);
    ROOM_CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) == 0);
    ROOM_CHECK(setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms)) == 0);
    ROOM_CHECK(send(0, &byte, 1, 0) == 1);
    return sleeper(NULL);
}

static int read_options(void *arg)
{
    struct ho_os_sockopt o[] = { { .level = SOL_SOCKET, .name = SO_KEEPALIVE },
                                 { .level = SOL_SOCKET, .name = SO_LINGER },
                                 { .level = IPPROTO_TCP, .name = TCP_USER_TIMEOUT },
                                 { .level = IPPROTO_TCP, .name = 9999 } };
    struct ho_os_sockfd list[4];
    struct ho_os_child c;
    uint64_t inode = 0;
    char byte;
    int pair[2];

    (void)arg;
    ROOM_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    struct ho_os_spawn s = { .netns = -1, .fds = &pair[1], .n_fds = 1 };

    ROOM_CHECK(ho_os_spawn_call(&c, &s, hold_a_socket, NULL, NULL) == 0);
    ROOM_CHECK(recv(pair[0], &byte, 1, 0) == 1);
    int highest = dup(0);

    ROOM_CHECK(ho_os_sockfd_options(c.pid, 1, o, 4, &inode) == 0);
    ROOM_CHECK(o[0].err == 0 && o[0].value == 1);
    ROOM_CHECK(o[1].err == 0 && o[1].value == 1 && o[1].more == 7);
    ROOM_CHECK(o[2].err == 0 && o[2].value == 12345);
    ROOM_CHECK(o[3].err == -ENOPROTOOPT);
    ROOM_CHECK(ho_os_sockfd_list(c.pid, list, 4) == 2);
    ROOM_CHECK(list[1].fd == 1 && list[1].inode == inode && list[0].inode != inode);
    ROOM_CHECK(ho_os_sockfd_options(c.pid, 99, o, 1, NULL) == -EBADF);
    ROOM_CHECK(ho_os_sockfd_options(99999, 1, o, 1, NULL) == -ESRCH);
    ROOM_CHECK(ho_os_ppid(c.pid) == 1);
    (void)close(highest);
    ROOM_CHECK(dup(0) == highest); /* no descriptor was left open */
    ho_os_child_free(&c);
    ROOM_CHECK(ho_os_sockfd_list(9999, list, 4) == -ESRCH);
    return 0;
}

static void options_of_another_process_are_read(void **state)
{
    (void)state;
    in_both(read_options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_runs_in_its_host_with_its_descriptors_alone),
        cmocka_unit_test(a_call_is_killed_and_reaped),
        cmocka_unit_test(a_command_has_no_capabilities_and_is_pid_2),
        cmocka_unit_test(a_command_runs_as_the_user_asked_for),
        cmocka_unit_test(what_cannot_run_is_said),
        cmocka_unit_test(killing_the_init_ends_daemons_too),
        cmocka_unit_test(all_of_a_command_is_stopped_and_goes_on),
        cmocka_unit_test(options_of_another_process_are_read),
    };

    if (!in_room_allowed(IN_ROOM_ROOT) || !in_room_allowed(IN_ROOM_USER)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
