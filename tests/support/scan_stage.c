#define _GNU_SOURCE
/* See support/scan_stage.h. */

#include "support/scan_stage.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "os/why.h"
#include "support/in_room.h"

static const enum in_room_form rooms[] = { IN_ROOM_ROOT, IN_ROOM_USER };

/* As root and as an ordinary user; over IPv4 and over IPv6. */
void stage_everywhere(int (*body)(void *arg))
{
    bool ipv6[] = { false, true };

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(in_room(rooms[i / 2], body, &ipv6[i % 2]), 0);
    }
}

/* ---- connections ----------------------------------------------------------------------------- */

int stage_new_listener(bool ipv6, uint16_t *ret_port)
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

int stage_new_client(int listener)
{
    struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
    socklen_t len = sizeof(a);
    int one = 1;

    ROOM_CHECK(getsockname(listener, (struct sockaddr *)(void *)&a, &len) == 0);
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ROOM_CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
    ROOM_CHECK(connect(fd, (struct sockaddr *)(void *)&a, len) == 0);
    return fd;
}

struct stage_pair stage_new_pair(bool ipv6)
{
    struct stage_pair p;

    p.listener = stage_new_listener(ipv6, &p.port);
    p.client = stage_new_client(p.listener);
    p.server = accept(p.listener, NULL, NULL);
    ROOM_CHECK(p.server >= 0);
    return p;
}

void stage_set(int fd, int level, int name, int value)
{
    ROOM_CHECK(setsockopt(fd, level, name, &value, sizeof(value)) == 0);
}

uint32_t stage_inode(int fd)
{
    struct stat s;

    ROOM_CHECK(fstat(fd, &s) == 0);
    return (uint32_t)s.st_ino;
}

uint16_t stage_local_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof(a);

    memset(&a, 0, sizeof(a));
    ROOM_CHECK(getsockname(fd, (struct sockaddr *)(void *)&a, &len) == 0);
    return ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)(void *)&a)->sin_port
                                        : ((struct sockaddr_in6 *)(void *)&a)->sin6_port);
}

/* ---- scans ----------------------------------------------------------------------------------- */

struct ho_scan stage_scan(const struct ho_scan_options *o)
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
const struct ho_conn *stage_find(const struct ho_scan *s, int fd)
{
    for (size_t i = 0; i < s->n_conns; i++) {
        if (s->conns[i].inode == stage_inode(fd)) {
            return &s->conns[i];
        }
    }
    return NULL;
}

const struct ho_conn *stage_must(const struct ho_scan *s, int fd)
{
    const struct ho_conn *c = stage_find(s, fd);

    ROOM_CHECK(c != NULL);
    return c;
}

const struct ho_conn *stage_by_port(const struct ho_scan *s, uint16_t lport, uint16_t rport)
{
    for (size_t i = 0; i < s->n_conns; i++) {
        if (s->conns[i].lport == lport && s->conns[i].rport == rport) {
            return &s->conns[i];
        }
    }
    return NULL;
}

size_t stage_count(const struct ho_scan_options *o)
{
    struct ho_scan s = stage_scan(o);
    size_t n = s.n_conns;

    for (size_t i = 0; i < n && o->states != 0; i++) {
        ROOM_CHECK((o->states >> s.conns[i].state & 1) != 0);
    }
    ho_scan_free(&s);
    return n;
}
