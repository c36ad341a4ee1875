/* Links, addresses, routes, neighbours and sysctls of a namespace, from outside of it; waiting
 * (os/net.h, os/netns.h, os/sysctl.h, os/loop.h, os/clock.h).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/loop.h"
#include "os/net.h"
#include "os/netns.h"
#include "os/sysctl.h"
#include "support/in_room.h"

static const enum in_room_form rooms[] = { IN_ROOM_ROOT, IN_ROOM_USER };

static void in_both(int (*body)(void *arg))
{
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(in_room(rooms[i], body, NULL), 0);
    }
}

static struct ho_addr addr(const char *text)
{
    struct ho_addr a;

    ROOM_CHECK(ho_addr_parse(&a, text) == 0);
    return a;
}

/* A namespace with an interface eth0 that is up, its other end here. */
static int with_eth0(int *ret_netns, struct ho_os_net **ret)
{
    struct ho_os_net *here;

    ROOM_CHECK(ho_os_netns_new(ret_netns) == 0);
    struct ho_os_veth v = { .far = "far",
                            .name = "eth0",
                            .netns = *ret_netns,
                            .mac = { { 2, 0, 0, 0, 0, 1 } },
                            .mtu = 1400 };

    ROOM_CHECK(ho_os_net_open(&here, -1) == 0);
    ROOM_CHECK(ho_os_net_open(ret, *ret_netns) == 0);
    ROOM_CHECK(ho_os_net_veth_add(here, &v) == 0);
    ROOM_CHECK(ho_os_net_veth_add(here, &v) == -EEXIST);
    ROOM_CHECK(ho_os_net_link_up(here, ho_os_net_link(here, "far"), true) == 0);
    int index = ho_os_net_link(*ret, "eth0");

    ROOM_CHECK(index > 0);
    ROOM_CHECK(ho_os_net_link_up(*ret, index, true) == 0);
    ho_os_net_close(here);
    return index;
}

/* A UDP socket's connect() asks the routes, and nothing more. */
static int route_errno(int netns, const char *to)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9) };
    int fd = ho_os_netns_socket(netns, AF_INET, SOCK_DGRAM, 0);

    ROOM_CHECK(fd >= 0 && inet_pton(AF_INET, to, &a.sin_addr) == 1);
    int err = connect(fd, (struct sockaddr *)(void *)&a, sizeof(a)) == 0 ? 0 : -errno;

    (void)close(fd);
    return err;
}

static int links_and_routes(void *arg)
{
    struct ho_mac mac = { { 2, 0, 0, 0, 0, 7 } };
    struct ho_addr a = addr("10.1.0.1"), any = addr("0.0.0.0"), gw = addr("10.1.0.254");
    struct ho_addr elsewhere = addr("10.2.0.0"), lost = addr("10.9.0.1"), six = addr("fd00::1");
    struct ho_addr any6 = addr("::"), gw6 = addr("fd00::fe");
    struct ho_os_net *n;
    struct ho_os_link l;
    int netns;

    (void)arg;
    int eth0 = with_eth0(&netns, &n);

    ROOM_CHECK(ho_os_net_links(n) == 2);
    ROOM_CHECK(ho_os_net_link(n, "eth1") == -ENODEV);
    ROOM_CHECK(ho_os_net_link_get(n, eth0, &l) == 0);
    ROOM_CHECK(l.ifindex == eth0 && l.up && l.carrier && l.mtu == 1400 && l.mac.b[5] == 1);
    ROOM_CHECK(ho_os_net_link_get(n, 999, &l) == -ENODEV);
    ROOM_CHECK(ho_os_net_link_mac(n, eth0, &mac) == 0);
    ROOM_CHECK(ho_os_net_link_mtu(n, eth0, 1300) == 0);
    ROOM_CHECK(ho_os_net_link_get(n, eth0, &l) == 0 && l.mac.b[5] == 7 && l.mtu == 1300);

    ROOM_CHECK(route_errno(netns, "10.1.0.9") == -ENETUNREACH);
    ROOM_CHECK(ho_os_net_addr_add(n, eth0, &a, 24) == 0);
    ROOM_CHECK(ho_os_net_addr_add(n, eth0, &a, 24) == -EEXIST);
    ROOM_CHECK(ho_os_net_addr_add(n, eth0, &six, 64) == 0);
    ROOM_CHECK(ho_os_net_addr_add(n, eth0, &six, 64) == -EEXIST);
    ROOM_CHECK(route_errno(netns, "10.1.0.9") == 0);
    ROOM_CHECK(route_errno(netns, "10.2.0.9") == -ENETUNREACH);
    ROOM_CHECK(ho_os_net_route_add(n, eth0, &elsewhere, 16, &gw) == 0);
    ROOM_CHECK(ho_os_net_route_add(n, eth0, &elsewhere, 16, &gw) == -EEXIST);
    ROOM_CHECK(route_errno(netns, "10.2.0.9") == 0);
    ROOM_CHECK(route_errno(netns, "10.3.0.9") == -ENETUNREACH);
    ROOM_CHECK(ho_os_net_route_add(n, 0, &any, 0, &lost) == -ENETUNREACH);
    ROOM_CHECK(ho_os_net_route_add(n, 0, &any, 0, &gw) == 0);
    ROOM_CHECK(ho_os_net_route_add(n, eth0, &any6, 0, &gw6) == 0);
    ROOM_CHECK(route_errno(netns, "10.3.0.9") == 0);
    ROOM_CHECK(ho_os_net_route_del(n, 0, &any, 0, &gw) == 0);
    ROOM_CHECK(ho_os_net_route_del(n, 0, &any, 0, &gw) == -ESRCH);
    ROOM_CHECK(route_errno(netns, "10.3.0.9") == -ENETUNREACH);
    ROOM_CHECK(ho_os_net_addr_del(n, eth0, &a, 24) == 0);
    ROOM_CHECK(ho_os_net_addr_del(n, eth0, &a, 24) == -EADDRNOTAVAIL);
    ROOM_CHECK(route_errno(netns, "10.1.0.9") == -ENETUNREACH);
    ROOM_CHECK(ho_os_net_link_up(n, eth0, false) == 0);
    ROOM_CHECK(ho_os_net_link_get(n, eth0, &l) == 0 && !l.up);
    ROOM_CHECK(ho_os_net_link_del(n, eth0) == 0);
    ROOM_CHECK(ho_os_net_links(n) == 1);
    ho_os_net_close(n);
    return 0;
}

static void links_addresses_and_routes_are_set_from_outside(void **state)
{
    (void)state;
    in_both(links_and_routes);
}

/* A datagram to a neighbour that nobody is: it is asked for. */
static void ask_for(int netns, const char *to)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9) };
    int fd = ho_os_netns_socket(netns, AF_INET, SOCK_DGRAM, 0);

    ROOM_CHECK(inet_pton(AF_INET, to, &a.sin_addr) == 1);
    ROOM_CHECK(sendto(fd, "x", 1, 0, (struct sockaddr *)(void *)&a, sizeof(a)) == 1);
    (void)close(fd);
}

static int neighbours(void *arg)
{
    struct ho_addr a = addr("10.1.0.1"), b = addr("10.1.0.2"), c = addr("10.1.0.3");
    struct ho_addr six = addr("fd00::1"), six2 = addr("fd00::2");
    struct ho_mac mac = { { 2, 0, 0, 0, 0, 2 } };
    struct ho_os_neigh list[8];
    struct ho_os_event e;
    struct ho_os_loop *loop;
    struct ho_os_net *n;
    int netns;

    (void)arg;
    int eth0 = with_eth0(&netns, &n);

    ROOM_CHECK(ho_os_net_addr_add(n, eth0, &a, 24) == 0);
    ROOM_CHECK(ho_os_net_addr_add(n, eth0, &six, 64) == 0);
    ROOM_CHECK(ho_os_net_neighs(n, list, 8) == 0);
    int watch = ho_os_net_watch(n);

    ROOM_CHECK(watch >= 0 && ho_os_net_watch(n) == watch);
    ROOM_CHECK(ho_os_loop_new(&loop) == 0);
    ROOM_CHECK(ho_os_loop_add(loop, watch, HO_OS_IN, 1) == 0);
    ROOM_CHECK(ho_os_net_watch_read(n, list) == 0);
    ROOM_CHECK(ho_os_net_neigh_set(n, eth0, &b, &mac) == 0);
    ROOM_CHECK(ho_os_loop_wait(loop, &e, 1, ho_time_add(ho_os_now(), ho_s(5))) == 1);
    ROOM_CHECK(ho_os_net_watch_read(n, list) == 1);
    ROOM_CHECK(ho_addr_eq(&list[0].addr, &b) && list[0].state == HO_OS_NUD_PERMANENT);
    ROOM_CHECK(memcmp(&list[0].mac, &mac, sizeof(mac)) == 0 && list[0].ifindex == eth0);
    ROOM_CHECK(!list[0].gone);
    ROOM_CHECK(ho_os_net_neigh_set(n, eth0, &six2, &mac) == 0);
    /* So that it is asked for long enough: three of these times (arp(7)). */
    ROOM_CHECK(ho_os_sysctl_write(netns, "net.ipv4.neigh.eth0.retrans_time_ms", "100000") == 0);
    ask_for(netns, "10.1.0.3");
    ROOM_CHECK(ho_os_net_neighs(n, list, 8) == 3);
    ROOM_CHECK(ho_os_net_neighs(n, list, 1) == 3);
    unsigned incomplete = 0;

    ROOM_CHECK(ho_os_net_neighs(n, list, 8) == 3);
    for (int i = 0; i < 3; i++) {
        incomplete += ho_addr_eq(&list[i].addr, &c) && list[i].state == HO_OS_NUD_INCOMPLETE;
    }
    ROOM_CHECK(incomplete == 1);
    ROOM_CHECK(ho_os_net_neigh_del(n, eth0, &b) == 0);
    ROOM_CHECK(ho_os_net_neigh_del(n, eth0, &b) == -ENOENT);
    do {
        ROOM_CHECK(ho_os_net_watch_read(n, list) == 1);
    } while (!list[0].gone);
    ROOM_CHECK(ho_addr_eq(&list[0].addr, &b));
    ho_os_loop_free(loop);
    ho_os_net_close(n);
    return 0;
}

static void neighbours_are_set_listed_and_watched(void **state)
{
    (void)state;
    in_both(neighbours);
}

/* ---- sysctls --------------------------------------------------------------------------------- */

static int sysctls(void *arg)
{
    char text[64] = "untouched";
    int netns[2];

    (void)arg;
    for (int i = 0; i < 2; i++) {
        ROOM_CHECK(ho_os_netns_new(&netns[i]) == 0);
    }
    ROOM_CHECK(ho_os_netns_id(netns[0]) != ho_os_netns_id(netns[1]));
    ROOM_CHECK(ho_os_sysctl_write(netns[0], "net.ipv4.tcp_retries2", "3") == 0);
    ROOM_CHECK(ho_os_sysctl_write(netns[1], "net/ipv4/tcp_retries2", "4") == 0);
    ROOM_CHECK(ho_os_sysctl_read(netns[0], "net.ipv4.tcp_retries2", text, 64) == 1);
    ROOM_CHECK(strcmp(text, "3") == 0);
    ROOM_CHECK(ho_os_sysctl_read(netns[1], "net.ipv4.tcp_retries2", text, 64) == 1);
    ROOM_CHECK(strcmp(text, "4") == 0);
    ROOM_CHECK(ho_os_sysctl_write(netns[0], "net.ipv4.tcp_rmem", "4096 131072 6291456") == 0);
    ROOM_CHECK(ho_os_sysctl_read(netns[0], "net.ipv4.tcp_rmem", text, 64) == 19);
    ROOM_CHECK(strcmp(text, "4096 131072 6291456") == 0); /* the kernel writes tabs */
    ROOM_CHECK(ho_os_sysctl_read(netns[0], "net.ipv4.tcp_rmem", text, 19) == -ENOSPC);
    ROOM_CHECK(ho_os_sysctl_read(netns[0], "net.ipv4.no_such", text, 64) == -ENOENT);
    ROOM_CHECK(ho_os_sysctl_write(netns[0], "net.ipv4.no_such", "1") == -ENOENT);
    ROOM_CHECK(ho_os_sysctl_write(netns[0], "net.ipv4.tcp_retries2", "no number") == -EINVAL);
    ROOM_CHECK(ho_os_sysctl_read(netns[0], "net.ipv4", text, 64) == -EINVAL);
    ROOM_CHECK(ho_os_sysctl_read(netns[0], "../../etc/passwd", text, 64) == -EINVAL);
    ROOM_CHECK(ho_os_sysctl_read(netns[0], "", text, 64) == -EINVAL);
    ROOM_CHECK(strcmp(text, "4096 131072 6291456") == 0);
    return 0;
}

static void each_namespace_has_sysctls_of_its_own(void **state)
{
    (void)state;
    in_both(sysctls);
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void the_loop_wakes_for_events_and_at_the_deadline(void **state)
{
    struct ho_os_event e[4];
    struct ho_os_loop *l;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(ho_os_loop_new(&l), 0);
    assert_int_equal(ho_os_loop_add(l, ends[0], HO_OS_IN, 77), 0);
    assert_int_equal(ho_os_loop_add(l, ends[0], HO_OS_IN, 77), -EEXIST);
    struct ho_time at = ho_os_now();

    /* A wait that began when its deadline had passed, on a machine that stood still, was no wait.
     */
    for (int i = 0; i < 100 && ho_os_loop_wakes(l) == 0; i++) {
        at = ho_time_add(ho_os_now(), ho_ms(20));
        assert_int_equal(ho_os_loop_wait(l, e, 4, at), 0);
        assert_true(ho_time_reached(at, ho_os_now())); /* never early */
    }
    assert_int_equal(ho_os_loop_wakes(l), 1);
    assert_int_equal(ho_os_loop_wait(l, e, 4, at), 0); /* a deadline in the past does not wait */
    assert_int_equal(ho_os_loop_wait(l, e, 4, (struct ho_time){ .ns = 0 }), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    uint64_t wakes = ho_os_loop_wakes(l);

    assert_int_equal(ho_os_loop_wait(l, e, 4, HO_NEVER), 1);
    assert_int_equal(e[0].tag, 77);
    assert_int_equal(e[0].what, HO_OS_IN);
    assert_int_equal(ho_os_loop_wakes(l), wakes); /* it did not have to sleep */
    assert_int_equal(ho_os_loop_change(l, ends[0], 0, 78), 0);
    assert_int_equal(ho_os_loop_wait(l, e, 4, ho_os_now()), 0);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(ho_os_loop_wait(l, e, 4, HO_NEVER), 1);
    assert_int_equal(e[0].tag, 78);
    assert_true(e[0].what & HO_OS_HUP);
    assert_int_equal(ho_os_loop_remove(l, ends[0]), 0);
    assert_int_equal(ho_os_loop_remove(l, ends[0]), -ENOENT);
    assert_int_equal(close(ends[0]), 0);
    ho_os_loop_free(l);
    ho_os_loop_free(NULL);
}

static void a_loop_in_a_loop_is_ready_at_its_deadline(void **state)
{
    struct ho_os_loop *inner, *outer;
    struct ho_os_event e;

    (void)state;
    assert_int_equal(ho_os_loop_new(&inner), 0);
    assert_int_equal(ho_os_loop_new(&outer), 0);
    assert_int_equal(ho_os_loop_add(outer, ho_os_loop_fd(inner), HO_OS_IN, 1), 0);
    struct ho_time at = ho_time_add(ho_os_now(), ho_ms(10));

    ho_os_loop_deadline(inner, at);
    assert_int_equal(ho_os_loop_wait(outer, &e, 1, ho_time_add(at, ho_s(5))), 1);
    assert_true(ho_time_reached(at, ho_os_now()));
    assert_int_equal(ho_os_loop_wait(inner, &e, 1, at), 0);
    ho_os_loop_deadline(inner, HO_NEVER);
    assert_int_equal(ho_os_loop_wait(outer, &e, 1, ho_os_now()), 0);
    ho_os_loop_free(inner);
    ho_os_loop_free(outer);
}

static void signals_are_read_in_turn(void **state)
{
    static const int wanted[] = { SIGUSR1, SIGUSR2, 0 };
    int fd;

    (void)state;
    assert_int_equal(ho_os_signals_open(&fd, wanted), 0);
    assert_int_equal(ho_os_signals_read(fd), 0);
    assert_int_equal(raise(SIGUSR2), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(ho_os_signals_read(fd), SIGUSR1); /* the smaller number first: signal(7) */
    assert_int_equal(ho_os_signals_read(fd), SIGUSR2);
    assert_int_equal(ho_os_signals_read(fd), 0);
    assert_int_equal(close(fd), 0);
}

static void the_clock_goes_on_and_a_jiffy_is_what_linux_has(void **state)
{
    struct ho_time before = ho_os_now();
    unsigned hz = ho_os_hz();

    (void)state;
    assert_true(hz == 100 || hz == 250 || hz == 300 || hz == 1000); /* kernel/Kconfig.hz */
    assert_false(ho_time_before(ho_os_now(), before));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_addresses_and_routes_are_set_from_outside),
        cmocka_unit_test(neighbours_are_set_listed_and_watched),
        cmocka_unit_test(each_namespace_has_sysctls_of_its_own),
        cmocka_unit_test(the_loop_wakes_for_events_and_at_the_deadline),
        cmocka_unit_test(a_loop_in_a_loop_is_ready_at_its_deadline),
        cmocka_unit_test(signals_are_read_in_turn),
        cmocka_unit_test(the_clock_goes_on_and_a_jiffy_is_what_linux_has),
    };

    if (!in_room_allowed(IN_ROOM_ROOT) || !in_room_allowed(IN_ROOM_USER)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
