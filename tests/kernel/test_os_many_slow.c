/* Rooms with all that a play has in them, a hundred in a row and eight at once, ended in every way:
 * no process, no descriptor, no namespace is left (os/room.h).
 *
 * All of it happens inside a room of the test's own: what is counted there is nobody else's. Each
 * room made in it has a witness, a device in its network namespace whose other end lies in ours:
 * when the namespace dies, the kernel takes both.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/net.h"
#include "os/netns.h"
#include "os/proc.h"
#include "os/room.h"
#include "os/sockfd.h"
#include "os/wire.h"
#include "support/in_room.h"

#define IN_A_ROW 100
#define AT_ONCE 8
#define LOOKS_MAX 1000 /* at 10 ms: a machine that stands still does not use them up */

/* What a room does: two hosts on wires, an agent, a command with a daemon; then it waits or ends.
 */
struct work {
    int ready; /* written when all stands */
    int go;    /* a word ends it */
    bool crash;
};

static int agent(void *arg)
{
    (void)arg;
    (void)pause();
    return 0;
}

static void furnish(void)
{
    char *argv[] = { (char *)"sh", (char *)"-c", (char *)"setsid sleep 1000 & sleep 1000", NULL };

    for (uint8_t i = 0; i < 2; i++) {
        struct ho_os_wire_options o = { .name = "eth0", .mac = { { 2, i } }, .mtu = 1500 };
        struct ho_os_child child;
        struct ho_os_wire *wire;
        char why[HO_OS_WHY] = "";

        ROOM_CHECK(ho_os_netns_new(&o.netns) == 0);
        ROOM_CHECK(ho_os_wire_open(&wire, &o, why) == 0);
        struct ho_os_spawn s = { .netns = o.netns };

        ROOM_CHECK(ho_os_spawn_call(&child, &s, agent, NULL, why) == 0);
        ROOM_CHECK(ho_os_spawn_exec(&child, &s, argv, NULL, why) == 0);
    }
}

/* It cleans up nothing. */
static int play(void *arg)
{
    struct work *w = arg;
    char byte;

    furnish();
    ROOM_CHECK(write(w->ready, "r", 1) == 1);
    (void)!read(w->go, &byte, 1);
    if (w->crash) {
        volatile char *forbidden = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        (void)signal(SIGSEGV, SIG_DFL);
        *forbidden = 1;
    }
    return 3;
}

struct made {
    struct ho_os_room room;
    int ready[2], go[2];
};

static void start(struct made *m, struct ho_os_net *here, unsigned number, bool crash)
{
    char why[HO_OS_WHY] = "", name[16], path[64], byte;

    ROOM_CHECK(pipe2(m->ready, O_CLOEXEC) == 0 && pipe2(m->go, O_CLOEXEC) == 0);
    struct work w = { .ready = m->ready[1], .go = m->go[0], .crash = crash };

    if (ho_os_room_start(&m->room, NULL, play, &w, why) != 0) {
        (void)fprintf(stderr, "%s\n", why);
        _exit(1);
    }
    ROOM_CHECK(read(m->ready[0], &byte, 1) == 1);
    (void)snprintf(name, sizeof(name), "witness%u", number);
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)m->room.pid);
    struct ho_os_veth v = { .far = name, .name = "inside", .mtu = 1500, .mac = { { 2 } } };

    v.netns = open(path, O_RDONLY | O_CLOEXEC);
    ROOM_CHECK(v.netns >= 0 && ho_os_net_veth_add(here, &v) == 0);
    (void)close(v.netns);
}

/* 0: kill -9; 1: SIGTERM; 2: it returns; 3: it crashes. */
static void finish(struct made *m, unsigned how)
{
    struct ho_os_exit e = { .status = 0 };

    if (how < 2) {
        ROOM_CHECK(ho_os_room_signal(&m->room, how == 0 ? SIGKILL : SIGTERM) == 0);
    }
    if (how >= 2) {
        ROOM_CHECK(write(m->go[1], "x", 1) == 1);
    }
    for (int i = 0; i < 2; i++) {
        (void)close(m->ready[i]);
    }
    (void)close(m->go[1]);
    (void)close(m->go[0]);
    ROOM_CHECK(ho_os_room_wait(&m->room, &e) == 0);
    ROOM_CHECK(how != 0 || e.signal == SIGKILL);
    ROOM_CHECK(how != 1 || e.status == 128 + SIGTERM);
    ROOM_CHECK(how != 2 || e.status == 3);
    ROOM_CHECK(how != 3 || e.signal == SIGSEGV);
    ho_os_room_free(&m->room);
}

static unsigned count_fds(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");

    ROOM_CHECK(d != NULL);
    while (readdir(d) != NULL) {
        n++;
    }
    (void)closedir(d);
    return n;
}

/* The kernel takes a namespace apart a moment after its last user is gone. */
static void nothing_is_left(struct ho_os_net *here)
{
    pid_t pids[4];

    ROOM_CHECK(ho_os_pids(pids, 4) == 1);
    for (unsigned looks = 0; ho_os_net_links(here) != 1; looks++) {
        ROOM_CHECK(looks < LOOKS_MAX);
        (void)usleep(10000);
    }
}

static int in_a_row(void *arg)
{
    struct ho_os_net *here;

    (void)arg;
    ROOM_CHECK(ho_os_net_open(&here, -1) == 0);
    unsigned before = count_fds();

    for (unsigned i = 0; i < IN_A_ROW; i++) {
        struct made m;

        start(&m, here, i, i % 4 == 3);
        finish(&m, i % 4);
    }
    nothing_is_left(here);
    ROOM_CHECK(count_fds() == before);
    return 0;
}

static int at_once(void *arg)
{
    struct made m[AT_ONCE];
    struct ho_os_net *here;

    (void)arg;
    ROOM_CHECK(ho_os_net_open(&here, -1) == 0);
    unsigned before = count_fds();

    for (unsigned i = 0; i < AT_ONCE; i++) {
        start(&m[i], here, i, i % 4 == 3);
    }
    ROOM_CHECK(ho_os_net_links(here) == 1 + AT_ONCE);
    pid_t pids[1];

    ROOM_CHECK(ho_os_pids(pids, 1) > AT_ONCE * 9);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        finish(&m[i], i % 4);
    }
    nothing_is_left(here);
    ROOM_CHECK(count_fds() == before);
    return 0;
}

static void a_hundred_in_a_row_leave_nothing(void **state)
{
    (void)state;
    assert_int_equal(in_room(IN_ROOM_ROOT, in_a_row, NULL), 0);
    assert_int_equal(in_room(IN_ROOM_USER, in_a_row, NULL), 0);
}

static void eight_at_once_leave_nothing(void **state)
{
    (void)state;
    assert_int_equal(in_room(IN_ROOM_ROOT, at_once, NULL), 0);
    assert_int_equal(in_room(IN_ROOM_USER, at_once, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_in_a_row_leave_nothing),
        cmocka_unit_test(eight_at_once_leave_nothing),
    };

    if (!in_room_allowed(IN_ROOM_ROOT) || !in_room_allowed(IN_ROOM_USER)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
