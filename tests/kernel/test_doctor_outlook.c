/* What is said of connections in trouble comes true on the running kernel: connections over `lo` of
 * a room, whose peers drop all that comes in, are scanned many times until they die; each time the
 * outlook names when and with which errno, and must have been right.
 *
 * `lo` has no neighbours to fail and behaves as a path with a router: the scans are asked as such.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forecast/outlook.h"
#include "os/clock.h"
#include "os/sysctl.h"
#include "support/in_room.h"
#include "support/scan_stage.h"

#define SAID_MAX 400
#define LATE_NS (100 * INT64_C(1000000)) /* a busy machine runs timers late */
#define MS INT64_C(1000000)

struct said {
    const char *what;
    int64_t min_ns, max_ns;
};

struct watched {
    const char *name;
    int fd;                /* -1: closed */
    uint16_t lport, rport; /* of an orphan */
    enum ho_trouble trouble;
    int64_t lived_ns, ended_ns; /* it ended between the two; ended 0: it lives */
    int err;
    struct said said[SAID_MAX];
    size_t n, troubled;
};

enum {
    DATA,
    USER_TIMEOUT,
    SHUTDOWN,
    CONNECT,
    KEEPALIVE,
    KEEPALIVE_USER_TIMEOUT,
    WINDOW,
    ORPHAN,
    WATCHED
};

static struct watched watched[WATCHED] = {
    [DATA] = { .name = "data", .trouble = HO_TROUBLE_RETRANSMITTING },
    [USER_TIMEOUT] = { .name = "data, user timeout", .trouble = HO_TROUBLE_RETRANSMITTING },
    [SHUTDOWN] = { .name = "shutdown", .trouble = HO_TROUBLE_RETRANSMITTING },
    [CONNECT] = { .name = "connect", .trouble = HO_TROUBLE_CONNECTING },
    [KEEPALIVE] = { .name = "keepalive", .trouble = HO_TROUBLE_PROBING },
    [KEEPALIVE_USER_TIMEOUT] = { .name = "keepalive, user timeout", .trouble = HO_TROUBLE_PROBING },
    [WINDOW] = { .name = "window", .trouble = HO_TROUBLE_WINDOW_PROBING },
    [ORPHAN] = { .name = "orphan", .fd = -1, .trouble = HO_TROUBLE_RETRANSMITTING },
};

/* ---- the stage ------------------------------------------------------------------------------- */

/* What comes in is dropped before TCP sees it. */
static void deafen(int fd)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog all = { .len = 1, .filter = &drop };

    ROOM_CHECK(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof(all)) == 0);
}

static void nonblocking(int fd)
{
    ROOM_CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
}

static void set_sysctls(void)
{
    ROOM_CHECK(ho_os_sysctl_write(-1, "net.ipv4.tcp_retries2", "3") == 0);
    ROOM_CHECK(ho_os_sysctl_write(-1, "net.ipv4.tcp_orphan_retries", "2") == 0);
    ROOM_CHECK(ho_os_sysctl_write(-1, "net.ipv4.tcp_syn_retries", "1") == 0);
}

static struct stage_pair with_user_timeout(struct stage_pair p, int ms)
{
    stage_set(p.client, IPPROTO_TCP, TCP_USER_TIMEOUT, ms);
    return p;
}

static struct stage_pair with_keepalive(struct stage_pair p, int cnt)
{
    stage_set(p.client, IPPROTO_TCP, TCP_KEEPIDLE, 2);
    stage_set(p.client, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    stage_set(p.client, IPPROTO_TCP, TCP_KEEPCNT, cnt);
    stage_set(p.client, SOL_SOCKET, SO_KEEPALIVE, 1);
    return p;
}

static int connecting(bool ipv6)
{
    struct sockaddr_storage a = { 0 };
    socklen_t len = sizeof(a);
    uint16_t port;
    int listener = stage_new_listener(ipv6, &port);

    deafen(listener);
    ROOM_CHECK(getsockname(listener, (struct sockaddr *)(void *)&a, &len) == 0);
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ROOM_CHECK(connect(fd, (struct sockaddr *)(void *)&a, len) == -1 && errno == EINPROGRESS);
    return fd;
}

/* Until the peer takes no more. */
static void fill(int fd)
{
    static char data[65536];

    nonblocking(fd);
    for (unsigned idle = 0; idle < 3;) {
        bool sent = send(fd, data, sizeof(data), 0) > 0;

        idle = sent ? 0 : idle + 1;
        (void)poll(NULL, 0, sent ? 0 : 100);
    }
}

/* ---- looking --------------------------------------------------------------------------------- */

static void remember(struct watched *w, const char *what, const struct ho_outlook_answer *a,
                     int64_t from_ns, int64_t to_ns)
{
    if (w->n < SAID_MAX && (a->kind == HO_OUTLOOK_RANGE || a->kind == HO_OUTLOOK_WITHIN)) {
        w->said[w->n++] = (struct said){ what, from_ns + a->min_ns, to_ns + a->max_ns };
    }
}

static void look_at(struct watched *w, const struct ho_scan *s, int64_t before_ns, int64_t after_ns)
{
    const struct ho_conn *found =
        w->fd >= 0 ? stage_find(s, w->fd) : stage_by_port(s, w->lport, w->rport);
    struct ho_outlook o;

    if (found == NULL) {
        w->ended_ns = w->ended_ns == 0 && w->fd < 0 ? after_ns : w->ended_ns;
        return;
    }
    w->lived_ns = w->fd < 0 ? before_ns : w->lived_ns;
    struct ho_conn c = *found;

    c.loopback = c.on_link = false;
    ho_outlook(&c, &s->hosts[c.host], &o);
    if (o.trouble != HO_TROUBLE_NONE) {
        ROOM_CHECK(o.trouble == w->trouble && o.end.kind != HO_OUTLOOK_UNKNOWN);
        ROOM_CHECK(o.end.err == (w->fd < 0 ? 0 : ETIMEDOUT) || o.end.kind == HO_OUTLOOK_NEVER);
        w->troubled++;
        remember(w, ho_trouble_word(o.trouble), &o.end, before_ns, after_ns);
    }
    if (w->trouble == HO_TROUBLE_PROBING) {
        int64_t ago = (int64_t)c.last_ack_recv_ms * MS;

        remember(w, "idle", &o.idle, before_ns - ago - 5 * MS, after_ns - ago + 5 * MS);
    }
}

static void look(void)
{
    int64_t before_ns = ho_os_now().ns;
    struct ho_scan s = stage_scan(NULL);
    int64_t after_ns = ho_os_now().ns;

    for (size_t i = 0; i < WATCHED; i++) {
        if (watched[i].ended_ns == 0) {
            look_at(&watched[i], &s, before_ns, after_ns);
        }
    }
    ho_scan_free(&s);
}

/* Notes who has died; false if nobody is left. */
static bool wait_a_moment(void)
{
    static int64_t last_ns;
    struct pollfd p[WATCHED];
    bool lives = false;

    for (size_t i = 0; i < WATCHED; i++) {
        p[i] = (struct pollfd){ .fd = watched[i].ended_ns == 0 ? watched[i].fd : -1 };
        lives = lives || watched[i].ended_ns == 0;
    }
    int64_t now_ns = ho_os_now().ns;

    (void)poll(p, WATCHED, 20);
    for (size_t i = 0; i < WATCHED; i++) {
        socklen_t len = sizeof(watched[i].err);

        if (p[i].fd >= 0 && (p[i].revents & (POLLERR | POLLHUP)) != 0 && watched[i].ended_ns == 0) {
            watched[i].lived_ns = last_ns;
            watched[i].ended_ns = ho_os_now().ns;
            ROOM_CHECK(getsockopt(p[i].fd, SOL_SOCKET, SO_ERROR, &watched[i].err, &len) == 0);
        }
    }
    last_ns = now_ns; /* who has no error by now lived then */
    return lives;
}

static bool judge(const struct watched *w)
{
    bool right = w->n > 2 && w->troubled > 1 && (w->fd < 0 || w->err == ETIMEDOUT);

    for (size_t i = 0; i < w->n; i++) {
        const struct said *s = &w->said[i];

        if (w->ended_ns < s->min_ns || w->lived_ns > s->max_ns + LATE_NS) {
            (void)fprintf(stderr, "%s ended, %s said %.3f to %.3f s around that\n", w->name,
                          s->what, (double)(s->min_ns - w->ended_ns) / 1e9,
                          (double)(s->max_ns - w->ended_ns) / 1e9);
            right = false;
        }
    }
    if (!right) {
        (void)fprintf(stderr, "%s: errno %d, looked at %zu times, %zu in trouble\n", w->name,
                      w->err, w->n, w->troubled);
    }
    return right;
}

/* ---- the play -------------------------------------------------------------------------------- */

static void begin(bool ipv6)
{
    struct stage_pair p[WATCHED] = { { 0 } };

    for (int i = 0; i < WATCHED; i++) {
        if (i != CONNECT) {
            p[i] = stage_new_pair(ipv6);
            watched[i].fd = p[i].client;
        }
    }
    fill(p[WINDOW].client);
    (void)with_user_timeout(p[USER_TIMEOUT], 2500);
    (void)with_keepalive(p[KEEPALIVE], 3);
    (void)with_user_timeout(with_keepalive(p[KEEPALIVE_USER_TIMEOUT], 9), 4500);
    for (int i = 0; i < WATCHED; i++) {
        if (i != CONNECT) {
            deafen(p[i].server);
        }
    }
    ROOM_CHECK(send(p[DATA].client, "x", 1, 0) == 1);
    ROOM_CHECK(send(p[USER_TIMEOUT].client, "x", 1, 0) == 1);
    ROOM_CHECK(shutdown(p[SHUTDOWN].client, SHUT_WR) == 0);
    watched[CONNECT].fd = connecting(ipv6);
    watched[ORPHAN].fd = -1;
    watched[ORPHAN].lport = stage_local_port(p[ORPHAN].client);
    watched[ORPHAN].rport = p[ORPHAN].port;
    ROOM_CHECK(close(p[ORPHAN].client) == 0);
}

static int play(void *arg)
{
    bool right = true;

    set_sysctls();
    begin(*(bool *)arg);
    for (unsigned i = 0; wait_a_moment(); i++) {
        ROOM_CHECK(i < 3000);
        if (i % 3 == 0) {
            look();
        }
    }
    for (size_t i = 0; i < WATCHED; i++) {
        right = judge(&watched[i]) && right;
    }
    return right ? 0 : 1;
}

static void what_is_said_over_ipv4_comes_true(void **state)
{
    bool ipv6 = false;

    (void)state;
    assert_int_equal(in_room(IN_ROOM_ROOT, play, &ipv6), 0);
}

static void what_is_said_over_ipv6_comes_true(void **state)
{
    bool ipv6 = true;

    (void)state;
    assert_int_equal(in_room(IN_ROOM_USER, play, &ipv6), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_over_ipv4_comes_true),
        cmocka_unit_test(what_is_said_over_ipv6_comes_true),
    };

    if (!in_room_allowed(IN_ROOM_ROOT) || !in_room_allowed(IN_ROOM_USER)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
