/* What a scan says of real connections (doctor/scan.h): every fact with a connection that has it
 * and one that has not, in rooms with namespaces and processes of their own.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctor/scan.h"
#include "os/clock.h"
#include "os/netns.h"
#include "os/why.h"
#include "support/in_room.h"

static const enum in_room_form rooms[] = { IN_ROOM_ROOT, IN_ROOM_USER };

/* As root and as an ordinary user; over IPv4 and over IPv6. */
static void everywhere(int (*body)(void *arg))
{
    bool ipv6[] = { false, true };

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(in_room(rooms[i / 2], body, &ipv6[i % 2]), 0);
    }
}

/* ---- connections ----------------------------------------------------------------------------- */

struct pair {
    int listener, client, server;
    uint16_t port;
};

static int new_listener(bool ipv6, uint16_t *ret_port)
{
    struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
    struct sockaddr_in a4 = { .sin_family = AF_INET };
    struct sockaddr *a = ipv6 ? (struct sockaddr *)(void *)&a6 : (struct sockaddr *)(void *)&a4;
    socklen_t len = ipv6 ? sizeof(a6) : sizeof(a4);
    int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ROOM_CHECK(bind(fd, a, len) == 0 && listen(fd, 64) == 0);
    ROOM_CHECK(getsockname(fd, a, &len) == 0);
    *ret_port = ntohs(ipv6 ? a6.sin6_port : a4.sin_port);
    return fd;
}

static int new_client(int listener)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof(a);
    int one = 1;

    ROOM_CHECK(getsockname(listener, (struct sockaddr *)(void *)&a, &len) == 0);
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ROOM_CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
    ROOM_CHECK(connect(fd, (struct sockaddr *)(void *)&a, len) == 0);
    return fd;
}

static struct pair new_pair(bool ipv6)
{
    struct pair p;

    p.listener = new_listener(ipv6, &p.port);
    p.client = new_client(p.listener);
    p.server = accept(p.listener, NULL, NULL);
    ROOM_CHECK(p.server >= 0);
    return p;
}

static void set(int fd, int level, int name, int value)
{
    ROOM_CHECK(setsockopt(fd, level, name, &value, sizeof(value)) == 0);
}

static uint32_t inode(int fd)
{
    struct stat s;

    ROOM_CHECK(fstat(fd, &s) == 0);
    return (uint32_t)s.st_ino;
}

/* ---- scans ----------------------------------------------------------------------------------- */

static struct ho_scan scan(const struct ho_scan_options *o)
{
    static const struct ho_scan_options all;
    char why[HO_OS_WHY] = "";
    struct ho_scan s;
    int err = ho_scan(&s, o != NULL ? o : &all, why);

    if (err != 0) {
        (void)fprintf(stderr, "scan: %d: %s\n", err, why);
    }
    ROOM_CHECK(err == 0);
    return s;
}

/* NULL: it is not there. */
static const struct ho_conn *find(const struct ho_scan *s, int fd)
{
    for (size_t i = 0; i < s->n_conns; i++) {
        if (s->conns[i].inode == inode(fd)) {
            return &s->conns[i];
        }
    }
    return NULL;
}

static const struct ho_conn *must(const struct ho_scan *s, int fd)
{
    const struct ho_conn *c = find(s, fd);

    ROOM_CHECK(c != NULL);
    return c;
}

/* ---- options and owners ---------------------------------------------------------------------- */

static int look_at_options(void *arg)
{
    struct pair p = new_pair(*(bool *)arg);
    struct linger l = { .l_onoff = 1, .l_linger = 7 };
    struct ho_scan s;

    set(p.client, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(p.client, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(p.client, IPPROTO_TCP, TCP_KEEPINTVL, 11);
    set(p.client, IPPROTO_TCP, TCP_KEEPCNT, 4);
    set(p.client, IPPROTO_TCP, TCP_USER_TIMEOUT, 4321);
    ROOM_CHECK(setsockopt(p.client, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) == 0);
    s = scan(NULL);
    ROOM_CHECK(s.n_conns == 2 && s.n_hosts == 1 && s.hosts[0].here && s.hosts[0].netns != 0);
    ROOM_CHECK(s.n_unreadable == 0 && s.hosts[0].hz == ho_os_hz());
    const struct ho_conn *c = must(&s, p.client), *v = must(&s, p.server);

    ROOM_CHECK(c->keepalive_known == HO_KNOWN_READ && c->keepalive);
    ROOM_CHECK(c->options_known == HO_KNOWN_READ && c->keepidle_s == 60 && c->keepintvl_s == 11 &&
               c->keepcnt == 4 && c->user_timeout_ms == 4321);
    ROOM_CHECK(c->linger_known == HO_KNOWN_READ && c->linger && c->linger_s == 7);
    ROOM_CHECK(v->keepalive_known == HO_KNOWN_READ && !v->keepalive && !v->linger);
    ROOM_CHECK(v->keepidle_s == 7200 && v->keepintvl_s == 75 && v->keepcnt == 9);
    ROOM_CHECK(v->user_timeout_ms == 0);
    ROOM_CHECK(c->ipv6 == *(bool *)arg && c->loopback && c->on_link && !c->orphan);
    ROOM_CHECK(c->state == HO_TCP_ESTABLISHED && c->rport == p.port && v->lport == p.port);
    ROOM_CHECK(c->has_info && c->snd_wnd_known && c->snd_wnd > 0 && c->rto_us >= 200000);
    ROOM_CHECK(c->owner < s.n_owners && s.owners[c->owner].pid == getpid());
    ROOM_CHECK(c->uid == getuid() && s.owners[c->owner].uid == getuid());
    ho_scan_free(&s);
    return 0;
}

static void options_are_read(void **state)
{
    (void)state;
    everywhere(look_at_options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read),
    };

    if (!in_room_allowed(IN_ROOM_ROOT) || !in_room_allowed(IN_ROOM_USER)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
