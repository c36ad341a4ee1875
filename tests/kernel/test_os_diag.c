/* Sockets as the kernel sees them, and the end of a host: nothing keeps its namespace alive
 * (os/diag.h, os/netns.h).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "knobs/state.h"
#include "os/clock.h"
#include "os/diag.h"
#include "os/net.h"
#include "os/netns.h"
#include "os/proc.h"
#include "os/wire.h"
#include "support/in_room.h"

#define PORT 5000
#define SOCKS 16

static const enum in_room_form rooms[] = { IN_ROOM_ROOT, IN_ROOM_USER };

static void in_both(int (*body)(void *arg), void *arg)
{
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(in_room(rooms[i], body, arg), 0);
    }
}

/* ---- what is told of a socket ---------------------------------------------------------------- */

static socklen_t loopback(bool ipv6, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (ipv6) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)(void *)ret;

        a->sin6_family = AF_INET6;
        a->sin6_port = htons(PORT);
        a->sin6_addr = in6addr_loopback;
        return sizeof(*a);
    }
    struct sockaddr_in *a = (struct sockaddr_in *)(void *)ret;

    a->sin_family = AF_INET;
    a->sin_port = htons(PORT);
    a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof(*a);
}

/* A connection over lo: listener, client, server. */
static void pair_up(int netns, bool ipv6, int ret[3])
{
    struct sockaddr_storage a;
    socklen_t len = loopback(ipv6, &a);
    int family = ipv6 ? AF_INET6 : AF_INET;

    ret[0] = ho_os_netns_socket(netns, family, SOCK_STREAM, 0);
    ret[1] = ho_os_netns_socket(netns, family, SOCK_STREAM, 0);
    ROOM_CHECK(bind(ret[0], (struct sockaddr *)(void *)&a, len) == 0);
    ROOM_CHECK(listen(ret[0], 5) == 0);
    ROOM_CHECK(connect(ret[1], (struct sockaddr *)(void *)&a, len) == 0);
    ret[2] = accept(ret[0], NULL, NULL);
    ROOM_CHECK(ret[2] >= 0);
}

static unsigned long long inode(int fd)
{
    struct stat s;

    ROOM_CHECK(fstat(fd, &s) == 0);
    return s.st_ino;
}

static const struct ho_os_sock *find(const struct ho_os_sock *list, int n, int fd)
{
    for (int i = 0; i < n; i++) {
        if (list[i].inode == inode(fd)) {
            return &list[i];
        }
    }
    ROOM_CHECK(false && "found");
    return NULL;
}

static int look_at_sockets(void *arg)
{
    bool ipv6 = arg != NULL;
    struct ho_os_sock list[SOCKS];
    struct ho_os_diag *d;
    struct ho_addr lo;
    int netns, fd[3], one = 1;
    uint64_t cookie;
    socklen_t len = sizeof(cookie);

    ROOM_CHECK(ho_addr_parse(&lo, ipv6 ? "::1" : "127.0.0.1") == 0);
    ROOM_CHECK(ho_os_netns_new(&netns) == 0);
    ROOM_CHECK(ho_os_diag_open(&d, netns) == 0);
    ROOM_CHECK(ho_os_diag_dump(d, list, SOCKS) == 0);
    pair_up(netns, ipv6, fd);
    ROOM_CHECK(setsockopt(fd[1], SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) == 0);
    ROOM_CHECK(send(fd[1], "hello", 5, 0) == 5);
    ROOM_CHECK(shutdown(fd[2], SHUT_RD) == 0);
    int n = ho_os_diag_dump(d, list, SOCKS);

    ROOM_CHECK(n == 3);
    ROOM_CHECK(ho_os_diag_dump(d, list + 8, 1) == 3); /* counted, though there is no room */
    const struct ho_os_sock *l = find(list, n, fd[0]);
    const struct ho_os_sock *c = find(list, n, fd[1]);
    const struct ho_os_sock *s = find(list, n, fd[2]);

    ROOM_CHECK(l->state == HO_TCP_LISTEN && l->lport == PORT && l->wqueue == 5 && l->rqueue == 0);
    ROOM_CHECK(c->state == HO_TCP_ESTABLISHED && c->rport == PORT && c->lport == s->rport);
    ROOM_CHECK(ho_addr_eq(&c->local, &lo) && ho_addr_eq(&c->remote, &lo));
    ROOM_CHECK(c->ipv6 == ipv6 && c->has_info && c->has_skmem && c->uid == getuid());
    ROOM_CHECK(c->timer == HO_SOCK_TIMER_KEEPALIVE || c->timer == HO_SOCK_TIMER_ON);
    ROOM_CHECK(c->info.bytes_sent == 5 && c->info.snd_mss > 500 && c->info.rto_us >= 200000);
    ROOM_CHECK(c->congestion[0] != '\0' && c->sndbuf > 0);
    ROOM_CHECK(s->rqueue == 5 && s->info.bytes_received == 5 && s->shutdown == 1);
    ROOM_CHECK(s->info.rcv_wnd > 0);
    ROOM_CHECK(getsockopt(fd[1], SOL_SOCKET, 57 /* SO_COOKIE */, &cookie, &len) == 0);
    ROOM_CHECK(c->cookie == cookie);
    ROOM_CHECK(ho_os_diag_destroy(d, c) == 0);
    ROOM_CHECK(recv(fd[1], &one, 1, 0) < 0 && errno == ECONNABORTED);
    ROOM_CHECK(ho_os_diag_destroy(d, c) == -ENOENT);
    ho_os_diag_close(d);
    return 0;
}

static void a_socket_is_told_with_its_state_queues_and_numbers(void **state)
{
    (void)state;
    in_both(look_at_sockets, NULL);
    in_both(look_at_sockets, (void *)"IPv6");
}

static int destroy_many(void *arg)
{
    static struct ho_os_sock list[4];
    struct ho_os_diag *d;
    int netns, fd[3];

    (void)arg;
    ROOM_CHECK(ho_os_netns_new(&netns) == 0);
    ROOM_CHECK(ho_os_diag_open(&d, netns) == 0);
    pair_up(netns, false, fd);
    for (int i = 0; i < 300; i++) { /* more than are read at once */
        int one = ho_os_netns_socket(netns, AF_INET, SOCK_STREAM, 0);

        ROOM_CHECK(one >= 0 && listen(one, 1) == 0);
    }
    ROOM_CHECK(ho_os_diag_dump(d, list, 4) == 303);
    ROOM_CHECK(ho_os_diag_destroy_all(d) == 302); /* the server's end goes by the client's RST */
    ROOM_CHECK(ho_os_diag_dump(d, list, 4) == 0);
    ho_os_diag_close(d);
    return 0;
}

static void all_sockets_are_destroyed_also_more_than_a_buffer(void **state)
{
    (void)state;
    in_both(destroy_many, NULL);
}

/* ---- power off ------------------------------------------------------------------------------- */

/* Leaves an orphan with unsent data behind: connects, writes until nothing more is taken, waits. */
static int be_program(void *arg)
{
    static char bytes[65536];
    int fd = ho_os_netns_socket(-1, AF_INET, SOCK_STREAM, 0);

    ROOM_CHECK(connect(fd, (struct sockaddr *)arg, sizeof(struct sockaddr_in)) == 0);
    while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    ROOM_CHECK(send(0, "r", 1, 0) == 1);
    (void)pause();
    return 0;
}

struct host {
    int netns;
    struct ho_os_net *net;
    struct ho_os_diag *diag;
    struct ho_os_wire *wire;
};

static void boot(struct host *h, enum ho_os_wire_form form, uint8_t number)
{
    struct ho_os_wire_options o = {
        .name = "eth0", .mac = { { 2, 0, 0, 0, 0, number } }, .mtu = 1500, .form = form
    };
    struct ho_addr a = ho_addr_v4(10, 0, 0, number);
    char why[HO_OS_WHY] = "";

    ROOM_CHECK(ho_os_netns_new(&o.netns) == 0);
    ROOM_CHECK(ho_os_wire_open(&h->wire, &o, why) == 0);
    ROOM_CHECK(ho_os_net_open(&h->net, o.netns) == 0);
    ROOM_CHECK(ho_os_diag_open(&h->diag, o.netns) == 0);
    ROOM_CHECK(ho_os_net_addr_add(h->net, ho_os_wire_index(h->wire), &a, 24) == 0);
    h->netns = o.netns;
}

static void shut_down(struct host *h)
{
    ho_os_wire_close(h->wire);
    ho_os_diag_close(h->diag);
    ho_os_net_close(h->net);
    (void)close(h->netns);
}

static void carry_until(const struct host h[2], int fd)
{
    uint8_t frame[2048];
    struct ho_time at;

    for (;;) {
        struct pollfd p[3] = { { .fd = ho_os_wire_fd(h[0].wire), .events = POLLIN },
                               { .fd = ho_os_wire_fd(h[1].wire), .events = POLLIN },
                               { .fd = fd, .events = POLLIN } };

        ROOM_CHECK(poll(p, 3, 5000) > 0);
        for (int i = 0; i < 2; i++) {
            int n;

            while ((n = ho_os_wire_read(h[i].wire, frame, sizeof(frame), &at)) > 0) {
                (void)ho_os_wire_write(h[1 - i].wire, frame, (size_t)n);
            }
        }
        if (p[2].revents != 0) {
            return;
        }
    }
}

/* The witness lies in the host's namespace, its other end in the room's: when the namespace dies,
 * the kernel takes both. Returns the number of that other end.
 */
static int witness(struct ho_os_net *room, const struct host *h)
{
    struct ho_os_veth v = {
        .far = "witness", .name = "inside", .netns = h->netns, .mac = { { 2, 9 } }, .mtu = 1500
    };

    ROOM_CHECK(ho_os_net_veth_add(room, &v) == 0);
    return ho_os_net_link(room, "witness");
}

static bool vanishes(struct ho_os_net *room, int index, int ms)
{
    struct ho_time end = ho_time_add(ho_os_now(), ho_ms(ms));
    struct ho_os_link l;

    while (ho_os_net_link_get(room, index, &l) == 0) {
        if (ho_time_reached(end, ho_os_now())) {
            return false;
        }
        (void)usleep(2000);
    }
    return true;
}

/* Two hosts, a program on the first that has sent more than its peer takes, and is killed after the
 * cable was cut: its socket is an orphan with unsent data. Returns the witness.
 */
static int leave_an_orphan(struct ho_os_net *room, struct host h[2], enum ho_os_wire_form form)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    struct ho_os_sock list[SOCKS];
    struct ho_os_child child;
    int pair[2];

    boot(&h[0], form, 1);
    boot(&h[1], form, 2);
    int index = witness(room, &h[0]);
    int listener = ho_os_netns_socket(h[1].netns, AF_INET, SOCK_STREAM, 0);

    ROOM_CHECK(bind(listener, (struct sockaddr *)(void *)&at, sizeof(at)) == 0);
    ROOM_CHECK(listen(listener, 1) == 0);
    ROOM_CHECK(inet_pton(AF_INET, "10.0.0.2", &at.sin_addr) == 1);
    ROOM_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    struct ho_os_spawn s = { .netns = h[0].netns, .fds = &pair[1], .n_fds = 1 };

    ROOM_CHECK(ho_os_spawn_call(&child, &s, be_program, &at, NULL) == 0);
    carry_until(h, pair[0]); /* and nobody carries any more */
    ho_os_child_free(&child);
    ROOM_CHECK(ho_os_diag_dump(h[0].diag, list, SOCKS) == 1);
    ROOM_CHECK(list[0].inode == 0 && list[0].state == HO_TCP_FIN_WAIT1 && list[0].wqueue > 0);
    return index;
}

static int power_off(void *arg)
{
    enum ho_os_wire_form form = *(enum ho_os_wire_form *)arg;
    struct ho_os_net *room;
    struct host h[2];

    ROOM_CHECK(ho_os_net_open(&room, -1) == 0);
    int index = leave_an_orphan(room, h, form);

    ROOM_CHECK(ho_os_diag_destroy_all(h[0].diag) == 1);
    shut_down(&h[0]);
    ROOM_CHECK(vanishes(room, index, 5000));
    boot(&h[0], form, 1); /* again, with the same name, MAC and address */
    shut_down(&h[0]);
    shut_down(&h[1]);
    ho_os_net_close(room);
    return 0;
}

static void after_power_off_the_namespace_is_gone(void **state)
{
    enum ho_os_wire_form tap = HO_OS_WIRE_TAP, veth = HO_OS_WIRE_VETH;

    (void)state;
    if (geteuid() == 0 && access("/dev/net/tun", R_OK | W_OK) == 0) {
        assert_int_equal(in_room(IN_ROOM_ROOT, power_off, &tap), 0);
    }
    in_both(power_off, &veth);
}

static int orphan_keeps_it(void *arg)
{
    struct ho_os_net *room;
    struct host h[2];

    (void)arg;
    ROOM_CHECK(ho_os_net_open(&room, -1) == 0);
    int index = leave_an_orphan(room, h, HO_OS_WIRE_VETH);

    shut_down(&h[0]);
    ROOM_CHECK(!vanishes(room, index, 200));
    return 0;
}

/* Why the order of os/netns.h is as it is. */
static void an_orphan_with_unsent_data_would_keep_it(void **state)
{
    (void)state;
    assert_int_equal(in_room(IN_ROOM_ROOT, orphan_keeps_it, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_is_told_with_its_state_queues_and_numbers),
        cmocka_unit_test(all_sockets_are_destroyed_also_more_than_a_buffer),
        cmocka_unit_test(after_power_off_the_namespace_is_gone),
        cmocka_unit_test(an_orphan_with_unsent_data_would_keep_it),
    };

    if (!in_room_allowed(IN_ROOM_ROOT) || !in_room_allowed(IN_ROOM_USER)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
