/* Rooms: what is inside, how they end, what is said where they are forbidden (os/room.h). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/loop.h"
#include "os/net.h"
#include "os/netns.h"
#include "os/room.h"
#include "os/sysctl.h"
#include "support/in_room.h"

static const enum in_room_form forms[] = { IN_ROOM_ROOT, IN_ROOM_USER };

/* ---- inside ---------------------------------------------------------------------------------- */

static unsigned long long inode(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 ? (unsigned long long)s.st_ino : 0;
}

struct outside {
    unsigned long long net, pid, mnt;
    uid_t uid;
};

static int look_around(void *arg)
{
    const struct outside *o = arg;
    struct ho_os_net *net;
    struct ho_os_link lo;
    char text[64];

    ROOM_CHECK(getpid() == 1);
    ROOM_CHECK(ho_os_room_has_proc());
    ROOM_CHECK(getuid() == (o->uid != 0 ? o->uid : getuid()));
    ROOM_CHECK(inode("/proc/self/ns/net") != o->net);
    ROOM_CHECK(inode("/proc/self/ns/pid") != o->pid);
    ROOM_CHECK(inode("/proc/self/ns/mnt") != o->mnt);
    ROOM_CHECK(ho_os_net_open(&net, -1) == 0);
    ROOM_CHECK(ho_os_net_links(net) == 1);
    ROOM_CHECK(ho_os_net_link_get(net, ho_os_net_link(net, "lo"), &lo) == 0 && lo.up);
    ROOM_CHECK(ho_os_sysctl_write(-1, "net.ipv4.tcp_retries2", "7") == 0);
    ROOM_CHECK(ho_os_sysctl_read(-1, "net.ipv4.tcp_retries2", text, sizeof(text)) == 1);
    ROOM_CHECK(strcmp(text, "7") == 0);
    ho_os_net_close(net);
    return 42;
}

static void a_room_has_namespaces_of_its_own_and_lo(void **state)
{
    struct outside o = { inode("/proc/self/ns/net"), inode("/proc/self/ns/pid"),
                         inode("/proc/self/ns/mnt"), 0 };
    char before[32], after[32];

    (void)state;
    assert_true(ho_os_sysctl_read(-1, "net.ipv4.tcp_retries2", before, sizeof(before)) > 0);
    for (size_t i = 0; i < 2; i++) {
        o.uid = forms[i] == IN_ROOM_USER && geteuid() == 0 ? 65534 : geteuid();
        assert_int_equal(in_room(forms[i], look_around, &o), 42);
    }
    assert_true(ho_os_sysctl_read(-1, "net.ipv4.tcp_retries2", after, sizeof(after)) > 0);
    assert_string_equal(before, after);
}

static int read_hosts(void *arg)
{
    char text[128] = "";

    (void)arg;
    ROOM_CHECK(ho_os_room_hosts("10.0.0.1 nobody\n") == 0);
    ROOM_CHECK(ho_os_room_hosts("10.0.0.2 db\n") == 0);
    int fd = open("/etc/hosts", O_RDONLY);
    ROOM_CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
    ROOM_CHECK(strcmp(text, "10.0.0.2 db\n") == 0);
    ROOM_CHECK(ho_os_room_has_proc());
    return 0;
}

static void names_of_hosts_are_the_rooms_own(void **state)
{
    unsigned long long before = inode("/etc/hosts");

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(in_room(forms[i], read_hosts, NULL), 0);
    }
    assert_int_equal(inode("/etc/hosts"), before);
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* A room that lives until it is told; everything in it holds the write end of `pipe`. */
struct held {
    int pipe[2];
    int ready[2];
};

static int hold(void *arg)
{
    struct held *h = arg;

    (void)close(h->pipe[0]);
    for (int i = 0; i < 3; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            (void)setsid();
            (void)signal(SIGTERM, SIG_IGN);
            (void)pause();
            _exit(0);
        }
        ROOM_CHECK(pid > 0);
    }
    ROOM_CHECK(write(h->ready[1], "r", 1) == 1);
    for (;;) {
        (void)pause();
    }
    return 0;
}

/* Nobody holds the write end any more: every process of the room is gone. */
static void assert_all_gone(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char byte;

    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_int_equal(read(fd, &byte, 1), 0);
}

/* Until ho_os_room_wait() takes them: the room says that it stands before its maker waits. */
static void hold_interrupts(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

/* A child of the test makes the room, as halfopen would. Returns its pid. */
static pid_t maker(struct held *h, enum in_room_form form)
{
    char byte;

    assert_int_equal(pipe(h->pipe), 0);
    assert_int_equal(pipe(h->ready), 0);
    pid_t pid = fork();

    if (pid == 0) {
        struct ho_os_room_options o = { .user_namespace = form == IN_ROOM_USER };
        struct ho_os_exit end = { .status = 0 };
        struct ho_os_room r;
        char why[HO_OS_WHY];

        (void)setpgid(0, 0);
        hold_interrupts();
        if (form == IN_ROOM_USER) {
            in_room_become_user();
        }
        if (ho_os_room_start(&r, &o, hold, h, why) != 0) {
            (void)fprintf(stderr, "%s\n", why);
            _exit(99);
        }
        (void)close(h->pipe[1]);
        (void)ho_os_room_wait(&r, &end);
        ho_os_room_free(&r);
        _exit(end.signal != 0 || r.signal == 0 ? 97 : end.status);
    }
    (void)close(h->pipe[1]);
    (void)close(h->ready[1]);
    assert_int_equal(read(h->ready[0], &byte, 1), 1);
    (void)close(h->ready[0]);
    return pid;
}

static void kill_9_of_the_maker_ends_everything(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct held h;
        pid_t pid = maker(&h, forms[i]);
        int status;

        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_all_gone(h.pipe[0]);
        (void)close(h.pipe[0]);
    }
}

static void an_interrupt_ends_the_room_in_order(void **state)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct held h;
        pid_t pid = maker(&h, forms[i % 2]);
        int signal = signals[i / 2];
        int status = 0;

        assert_int_equal(kill(pid, signal), 0); /* the maker alone: it passes it on */
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 128 + signal);
        assert_all_gone(h.pipe[0]);
        (void)close(h.pipe[0]);
    }
}

static int wait_for_signal(void *arg)
{
    static const int wanted[] = { SIGINT, 0 };
    struct ho_os_event e;
    struct ho_os_loop *l;
    int fd;

    ROOM_CHECK(ho_os_signals_open(&fd, wanted) == 0);
    ROOM_CHECK(ho_os_loop_new(&l) == 0);
    ROOM_CHECK(ho_os_loop_add(l, fd, HO_OS_IN, 3) == 0);
    ROOM_CHECK(write(*(int *)arg, "r", 1) == 1);
    ROOM_CHECK(ho_os_loop_wait(l, &e, 1, HO_NEVER) == 1 && e.tag == 3);
    ROOM_CHECK(ho_os_signals_read(fd) == SIGINT);
    ROOM_CHECK(ho_os_signals_read(fd) == 0);
    ho_os_loop_free(l);
    return 7;
}

static void work_may_take_the_interrupt_itself(void **state)
{
    struct ho_os_exit end;
    struct ho_os_room r;
    char why[HO_OS_WHY], byte;
    int ready[2];

    (void)state;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(ho_os_room_start(&r, NULL, wait_for_signal, &ready[1], why), 0);
    assert_int_equal(ho_os_room_poll(&r, &end), -EAGAIN);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(ho_os_room_signal(&r, SIGINT), 0);
    assert_int_equal(ho_os_room_wait(&r, &end), 0);
    assert_int_equal(end.status, 7);
    assert_int_equal(end.signal, 0);
    assert_int_equal(ho_os_room_wait(&r, &end), -ESRCH);
    ho_os_room_free(&r);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

/* ---- forbidden ------------------------------------------------------------------------------- */

static int say_why(void *arg)
{
    struct ho_os_room_options o = { .user_namespace = true };
    char why[HO_OS_WHY] = "";
    struct ho_os_room r = { .pid = -7 };

    ROOM_CHECK(ho_os_sysctl_write(-1, arg, "0") == 0);
    int err = ho_os_room_start(&r, &o, look_around, NULL, why);

    ROOM_CHECK(err == -ENOSPC);
    ROOM_CHECK(r.pid == -7);
    ROOM_CHECK(strstr(why, arg) != NULL && strstr(why, " is 0; it must be greater") != NULL);
    return 0;
}

static void what_forbids_it_is_named(void **state)
{
    static char *const settings[] = { "user.max_user_namespaces", "user.max_pid_namespaces",
                                      "user.max_mnt_namespaces", "user.max_net_namespaces" };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(in_room(IN_ROOM_USER, say_why, settings[i]), 0);
    }
}

/* ---- a machine that hides parts of /proc ------------------------------------------------------
 */

static int without_proc(void *arg)
{
    char text[8];
    int fd;

    (void)arg;
    ROOM_CHECK(getpid() == 1 && !ho_os_room_has_proc());
    ROOM_CHECK(ho_os_netns_new(&fd) == 0);
    ROOM_CHECK(ho_os_sysctl_write(fd, "net.ipv4.tcp_retries2", "6") == 0);
    ROOM_CHECK(ho_os_sysctl_read(fd, "net.ipv4.tcp_retries2", text, sizeof(text)) == 1);
    ROOM_CHECK(text[0] == '6');
    return 9;
}

static int hide_part_of_proc(void *arg)
{
    struct ho_os_room_options o = { .user_namespace = true };
    struct ho_os_exit end;
    struct ho_os_room r;
    char why[HO_OS_WHY];

    (void)arg;
    ROOM_CHECK(mount("/dev/null", "/proc/version", NULL, MS_BIND, NULL) == 0);
    ROOM_CHECK(ho_os_room_start(&r, &o, without_proc, NULL, why) == 0);
    ROOM_CHECK(ho_os_room_wait(&r, &end) == 0 && end.status == 9);
    ho_os_room_free(&r);
    return 0;
}

/* As in most containers: no new /proc can be mounted there (mount_namespaces(7)). */
static void a_room_stands_without_a_proc_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(in_room(forms[i], hide_part_of_proc, NULL), 0);
    }
}

/* ---- nothing is left ------------------------------------------------------------------------- */

static unsigned count_fds(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");

    assert_non_null(d);
    while (readdir(d) != NULL) {
        n++;
    }
    (void)closedir(d);
    return n;
}

static int quick(void *arg)
{
    int fd;

    ROOM_CHECK(ho_os_netns_new(&fd) == 0);
    (void)close(*(int *)arg); /* the read end */
    return 5;
}

static void rooms_in_a_row_leave_nothing(void **state)
{
    unsigned before = count_fds();
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < 20; i++) {
        struct ho_os_exit end;
        struct ho_os_room r;
        char why[HO_OS_WHY];

        assert_int_equal(ho_os_room_start(&r, NULL, quick, &ends[0], why), 0);
        assert_int_equal(ho_os_room_wait(&r, &end), 0);
        assert_int_equal(end.status, 5);
        ho_os_room_free(&r);
    }
    (void)close(ends[1]);
    assert_all_gone(ends[0]);
    (void)close(ends[0]);
    assert_int_equal(count_fds(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_has_namespaces_of_its_own_and_lo),
        cmocka_unit_test(names_of_hosts_are_the_rooms_own),
        cmocka_unit_test(kill_9_of_the_maker_ends_everything),
        cmocka_unit_test(an_interrupt_ends_the_room_in_order),
        cmocka_unit_test(work_may_take_the_interrupt_itself),
        cmocka_unit_test(what_forbids_it_is_named),
        cmocka_unit_test(a_room_stands_without_a_proc_of_its_own),
        cmocka_unit_test(rooms_in_a_row_leave_nothing),
    };

    if (!in_room_allowed(IN_ROOM_ROOT) || !in_room_allowed(IN_ROOM_USER)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
