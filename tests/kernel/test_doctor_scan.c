/* What a scan says of real connections (doctor/scan.h): every fact with a connection that has it
 * and one that has not, in rooms of their own.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "doctor/scan.h"
#include "os/clock.h"
#include "os/net.h"
#include "os/netns.h"
#include "os/sysctl.h"
#include "support/in_room.h"
#include "support/scan_stage.h"

/* ---- options and owners ---------------------------------------------------------------------- */

static int look_at_options(void *arg)
{
    struct stage_pair p = stage_new_pair(*(bool *)arg);
    struct linger l = { .l_onoff = 1, .l_linger = 7 };
    struct ho_scan s;

    stage_set(p.client, SOL_SOCKET, SO_KEEPALIVE, 1);
    stage_set(p.client, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    stage_set(p.client, IPPROTO_TCP, TCP_KEEPINTVL, 11);
    stage_set(p.client, IPPROTO_TCP, TCP_KEEPCNT, 4);
    stage_set(p.client, IPPROTO_TCP, TCP_USER_TIMEOUT, 4321);
    ROOM_CHECK(setsockopt(p.client, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) == 0);
    s = stage_scan(NULL);
    ROOM_CHECK(s.n_conns == 2 && s.n_hosts == 1 && s.hosts[0].here && s.hosts[0].netns != 0);
    ROOM_CHECK(s.n_unreadable == 0 && s.hosts[0].hz == ho_os_hz());
    const struct ho_conn *c = stage_must(&s, p.client), *v = stage_must(&s, p.server);

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
    stage_everywhere(look_at_options);
}

/* ---- what can be inferred -------------------------------------------------------------------- */

static const struct ho_scan_options without_options = { .no_options = true };

/* A socket that acknowledges nothing any more: what comes in is dropped before TCP sees it. */
static void deafen(int fd)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog all = { .len = 1, .filter = &drop };

    ROOM_CHECK(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof(all)) == 0);
}

static void check_known(const struct ho_conn *c, enum ho_known known, bool keepalive)
{
    ROOM_CHECK(c->keepalive_known == known &&
               (known == HO_KNOWN_UNKNOWN || c->keepalive == keepalive));
    ROOM_CHECK(c->options_known == HO_KNOWN_UNKNOWN && c->linger_known == HO_KNOWN_UNKNOWN);
}

/* Idle: the keepalive timer runs or does not. Data in flight: its own timer hides that. */
static int infer(void *arg)
{
    struct stage_pair on = stage_new_pair(*(bool *)arg), off = stage_new_pair(*(bool *)arg);
    struct ho_scan s;

    stage_set(on.client, SOL_SOCKET, SO_KEEPALIVE, 1);
    s = stage_scan(&without_options);
    ROOM_CHECK(s.n_conns == 4 && s.n_unreadable == 0);
    check_known(stage_must(&s, on.client), HO_KNOWN_INFERRED, true);
    ROOM_CHECK(stage_must(&s, on.client)->timer == HO_SOCK_TIMER_KEEPALIVE);
    check_known(stage_must(&s, off.client), HO_KNOWN_INFERRED, false);
    ROOM_CHECK(stage_must(&s, off.client)->timer == HO_SOCK_TIMER_OFF);
    ho_scan_free(&s);
    deafen(on.server);
    deafen(off.server);
    ROOM_CHECK(send(on.client, "hello", 5, 0) == 5 && send(off.client, "hello", 5, 0) == 5);
    s = stage_scan(&without_options);
    check_known(stage_must(&s, on.client), HO_KNOWN_UNKNOWN, false);
    check_known(stage_must(&s, off.client), HO_KNOWN_UNKNOWN, false);
    ROOM_CHECK(stage_must(&s, on.client)->timer == HO_SOCK_TIMER_ON &&
               stage_must(&s, on.client)->unacked > 0 && stage_must(&s, on.client)->wqueue == 5);
    check_known(stage_must(&s, on.server), HO_KNOWN_INFERRED, false);
    ho_scan_free(&s);
    s = stage_scan(NULL); /* asked, it says */
    ROOM_CHECK(stage_must(&s, on.client)->keepalive_known == HO_KNOWN_READ &&
               stage_must(&s, on.client)->keepalive);
    ROOM_CHECK(!stage_must(&s, off.client)->keepalive);
    ho_scan_free(&s);
    return 0;
}

static void keepalive_is_inferred_from_an_idle_timer(void **state)
{
    (void)state;
    stage_everywhere(infer);
}

/* Toggling it is seen at once, also in CLOSE-WAIT; in FIN-WAIT-2 nothing is inferred. */
static int infer_in_states(void *arg)
{
    struct stage_pair p = stage_new_pair(*(bool *)arg);
    struct ho_scan s;

    ROOM_CHECK(shutdown(p.client, SHUT_WR) == 0);
    (void)poll(NULL, 0, 300); /* the FIN is acknowledged late */
    stage_set(p.server, SOL_SOCKET, SO_KEEPALIVE, 1);
    s = stage_scan(&without_options);
    ROOM_CHECK(stage_must(&s, p.server)->state == HO_TCP_CLOSE_WAIT);
    check_known(stage_must(&s, p.server), HO_KNOWN_INFERRED, true);
    ROOM_CHECK(stage_must(&s, p.client)->state == HO_TCP_FIN_WAIT2 &&
               !stage_must(&s, p.client)->orphan);
    check_known(stage_must(&s, p.client), HO_KNOWN_UNKNOWN, false);
    ho_scan_free(&s);
    stage_set(p.server, SOL_SOCKET, SO_KEEPALIVE, 0);
    s = stage_scan(&without_options);
    check_known(stage_must(&s, p.server), HO_KNOWN_INFERRED, false);
    ho_scan_free(&s);
    return 0;
}

static void keepalive_is_inferred_in_close_wait(void **state)
{
    (void)state;
    stage_everywhere(infer_in_states);
}

/* A closed window has a timer of its own as well. */
static int infer_with_a_closed_window(void *arg)
{
    static char data[65536];
    struct stage_pair p = stage_new_pair(*(bool *)arg);
    struct ho_scan s;
    const struct ho_conn *c;

    stage_set(p.client, SOL_SOCKET, SO_KEEPALIVE, 1);
    for (unsigned idle = 0; idle < 3;) { /* until the peer takes no more */
        bool sent = send(p.client, data, sizeof(data), MSG_DONTWAIT) > 0;

        idle = sent ? 0 : idle + 1;
        (void)poll(NULL, 0, sent ? 0 : 100);
    }
    s = stage_scan(&without_options);
    c = stage_must(&s, p.client);
    ROOM_CHECK(c->timer == HO_SOCK_TIMER_PROBE && c->snd_wnd_known && c->snd_wnd == 0);
    ROOM_CHECK(c->notsent_bytes > 0 && c->wqueue > 0 && stage_must(&s, p.server)->rqueue > 0);
    check_known(c, HO_KNOWN_UNKNOWN, false);
    ho_scan_free(&s);
    return 0;
}

static void a_closed_window_hides_keepalive(void **state)
{
    (void)state;
    stage_everywhere(infer_with_a_closed_window);
}

/* ---- states ---------------------------------------------------------------------------------- */

static int look_at_orphans(void *arg)
{
    struct stage_pair p = stage_new_pair(*(bool *)arg);
    uint16_t port = stage_local_port(p.client);
    int waiting = stage_new_client(p.listener);
    struct ho_scan s;
    const struct ho_conn *c;

    ROOM_CHECK(close(p.client) == 0); /* FIN-WAIT-2 without a process */
    (void)poll(NULL, 0, 300);         /* the FIN is acknowledged late */
    s = stage_scan(NULL);
    c = stage_by_port(&s, port, p.port);
    ROOM_CHECK(c != NULL && c->orphan && c->inode == 0 && c->owner == HO_CONN_NO_OWNER);
    ROOM_CHECK(c->state == HO_TCP_FIN_WAIT2 && c->options_known == HO_KNOWN_UNKNOWN);
    ROOM_CHECK(!stage_must(&s, p.server)->orphan &&
               stage_must(&s, p.server)->state == HO_TCP_CLOSE_WAIT);
    c = stage_by_port(&s, p.port, stage_local_port(waiting)); /* nobody has accepted it yet */
    ROOM_CHECK(c != NULL && !c->orphan && c->inode == 0 && c->state == HO_TCP_ESTABLISHED);
    ROOM_CHECK(c->keepalive_known == HO_KNOWN_INFERRED && !c->keepalive);
    ROOM_CHECK(s.n_unreadable == 0); /* there is nobody to ask */
    ho_scan_free(&s);
    return 0;
}

static void orphans_are_told_from_the_rest(void **state)
{
    (void)state;
    stage_everywhere(look_at_orphans);
}

/* A listener whose queue is full answers no SYN. */
static int new_unanswered(bool ipv6)
{
    uint16_t port;
    int listener = stage_new_listener(ipv6, &port), fd = -1;
    struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
    socklen_t len = sizeof(a);

    ROOM_CHECK(listen(listener, 0) == 0);
    ROOM_CHECK(getsockname(listener, (struct sockaddr *)(void *)&a, &len) == 0);
    for (int i = 0; i < 2; i++) {
        fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fd, (struct sockaddr *)(void *)&a, len);
        (void)poll(NULL, 0, 50);
    }
    return fd;
}

/* A client that hears no answer to its SYN leaves a request behind: nobody's, and no orphan. */
static int look_at_a_request(void *arg)
{
    struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
    socklen_t len = sizeof(a);
    uint16_t port;
    int listener = stage_new_listener(*(bool *)arg, &port);

    ROOM_CHECK(getsockname(listener, (struct sockaddr *)(void *)&a, &len) == 0);
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

    deafen(fd);
    ROOM_CHECK(connect(fd, (struct sockaddr *)(void *)&a, len) < 0 && errno == EINPROGRESS);
    struct ho_scan s = stage_scan(NULL);
    const struct ho_conn *c = stage_by_port(&s, port, stage_local_port(fd));

    ROOM_CHECK(s.n_conns == 2 && stage_must(&s, fd)->state == HO_TCP_SYN_SENT);
    ROOM_CHECK(c != NULL && c->state == HO_TCP_SYN_RECV && c->timer == HO_SOCK_TIMER_ON);
    ROOM_CHECK(c->inode == 0 && !c->orphan && !c->has_info && c->owner == HO_CONN_NO_OWNER);
    ROOM_CHECK(c->keepalive_known == HO_KNOWN_UNKNOWN && c->loopback && s.n_unreadable == 0);
    ho_scan_free(&s);
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .states = 1U << HO_TCP_SYN_RECV }) == 1);
    return 0;
}

static void requests_are_nobodys(void **state)
{
    (void)state;
    stage_everywhere(look_at_a_request);
}

static int filter_by_state(void *arg)
{
    bool ipv6 = *(bool *)arg;
    struct stage_pair p = stage_new_pair(ipv6), q = stage_new_pair(ipv6);
    int unanswered = new_unanswered(ipv6);
    struct ho_scan s = stage_scan(NULL);

    ROOM_CHECK(stage_must(&s, unanswered)->state == HO_TCP_SYN_SENT);
    ROOM_CHECK(stage_must(&s, unanswered)->timer == HO_SOCK_TIMER_ON &&
               stage_find(&s, p.listener) == NULL);
    ho_scan_free(&s);
    ROOM_CHECK(close(p.client) == 0 && close(p.server) == 0);
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .states = 1U << HO_TCP_SYN_SENT }) == 1);
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .states = 1U << HO_TCP_TIME_WAIT }) == 1);
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .states = 1U << HO_TCP_LISTEN }) == 3);
    /* A pair, and the client and the connection that fill the queue. */
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .states = 1U << HO_TCP_ESTABLISHED }) == 4);
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .states = 1U << HO_TCP_ESTABLISHED |
                                                                1U << HO_TCP_SYN_SENT }) == 5);
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .states = 1U << HO_TCP_LAST_ACK }) == 0);
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .port = q.port }) == 2);
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .port = stage_local_port(q.client) }) == 2);
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .port = 1 }) == 0);
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .ipv6 = true }) == (ipv6 ? 6 : 0));
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .ipv4 = true }) == (ipv6 ? 0 : 6));
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .no_loopback = true }) == 0);
    return 0;
}

static void filters_choose(void **state)
{
    (void)state;
    stage_everywhere(filter_by_state);
}

/* IPv4 in a socket of IPv6 is IPv4: ARP decides about it. */
static int look_at_mapped(void *arg)
{
    struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
    struct sockaddr_in to = { .sin_family = AF_INET };
    int listener = socket(AF_INET6, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    struct ho_scan s;

    (void)arg;
    ROOM_CHECK(bind(listener, (struct sockaddr *)(void *)&a, sizeof(a)) == 0 &&
               listen(listener, 1) == 0);
    to.sin_port = htons(stage_local_port(listener));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ROOM_CHECK(connect(client, (struct sockaddr *)(void *)&to, sizeof(to)) == 0);
    int server = accept(listener, NULL, NULL);

    s = stage_scan(&(struct ho_scan_options){ .ipv4 = true });
    ROOM_CHECK(s.n_conns == 2 && !stage_must(&s, server)->ipv6 && stage_must(&s, server)->loopback);
    ho_scan_free(&s);
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .ipv6 = true }) == 0);
    return 0;
}

static void ipv4_in_a_socket_of_ipv6_is_ipv4(void **state)
{
    (void)state;
    stage_everywhere(look_at_mapped);
}

/* ---- ways ------------------------------------------------------------------------------------ */

static struct ho_addr address(const char *text)
{
    struct ho_addr a;

    ROOM_CHECK(ho_addr_parse(&a, text) == 0);
    return a;
}

/* A link 10.0.0.1/24, fd00::1/64 to nobody, with routes behind a gateway. */
static void build_link(bool arp)
{
    struct ho_addr own4 = address("10.0.0.1"), own6 = address("fd00::1"),
                   via4 = address("10.0.0.9"), via6 = address("fd00::9"),
                   far4 = address("10.9.0.0"), far6 = address("fd09::");
    struct ho_os_veth veth = {
        .far = "far0", .name = "eth0", .mac = { { 2, 0, 0, 0, 0, 1 } }, .mtu = 1500
    };
    struct ho_os_net *net;

    ROOM_CHECK(ho_os_netns_here(&veth.netns) == 0 && ho_os_net_open(&net, -1) == 0);
    ROOM_CHECK(ho_os_net_veth_add(net, &veth) == 0);
    int eth0 = ho_os_net_link(net, "eth0");

    ROOM_CHECK(arp || ho_os_net_link_noarp(net, eth0) == 0);
    ROOM_CHECK(ho_os_net_link_up(net, ho_os_net_link(net, "far0"), true) == 0);
    ROOM_CHECK(ho_os_net_link_up(net, eth0, true) == 0);
    ROOM_CHECK(ho_os_net_addr_add(net, eth0, &own4, 24) == 0);
    ROOM_CHECK(ho_os_net_addr_add(net, eth0, &own6, 64) == 0);
    ROOM_CHECK(ho_os_net_route_add(net, eth0, &far4, 16, &via4) == 0);
    ROOM_CHECK(ho_os_net_route_add(net, eth0, &far6, 32, &via6) == 0);
    /* Nobody answers; that is noticed after three of these times, of 1 s by default (arp(7)). */
    ROOM_CHECK(ho_os_sysctl_write(-1, "net.ipv4.neigh.eth0.retrans_time_ms", "100000") == 0);
    ROOM_CHECK(ho_os_sysctl_write(-1, "net.ipv6.neigh.eth0.retrans_time_ms", "100000") == 0);
    ho_os_net_close(net);
    ho_os_netns_close(veth.netns);
}

/* A SYN that nobody answers is a connection as good as any. */
static int connect_to(const char *to)
{
    struct ho_addr a = address(to);
    struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
    struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(9) };
    bool v4 = ho_addr_is_v4(&a);
    int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);

    memcpy(&a6.sin6_addr, a.b, 16);
    memcpy(&a4.sin_addr, a.b + 12, 4);
    ROOM_CHECK(connect(fd, v4 ? (struct sockaddr *)(void *)&a4 : (struct sockaddr *)(void *)&a6,
                       v4 ? sizeof(a4) : sizeof(a6)) < 0 &&
               errno == EINPROGRESS);
    return fd;
}

static int look_at_ways(void *arg)
{
    bool arp = *(bool *)arg;

    build_link(arp);
    static const char *const near[] = { "10.0.0.2", "fd00::2" };
    static const char *const far[] = { "10.9.0.2", "fd09::2" };
    static const char *const own[] = { "10.0.0.1", "fd00::1" };

    for (size_t i = 0; i < 2; i++) {
        int a = connect_to(near[i]), b = connect_to(far[i]);
        struct ho_addr self = address(own[i]);
        struct sockaddr_in6 at6 = { .sin6_family = AF_INET6 };
        struct sockaddr_in at4 = { .sin_family = AF_INET };
        struct sockaddr *at =
            i == 0 ? (struct sockaddr *)(void *)&at4 : (struct sockaddr *)(void *)&at6;
        socklen_t len = i == 0 ? sizeof(at4) : sizeof(at6);
        int listener = socket(at->sa_family, SOCK_STREAM, 0);

        memcpy(&at6.sin6_addr, self.b, 16);
        memcpy(&at4.sin_addr, self.b + 12, 4);
        ROOM_CHECK(bind(listener, at, len) == 0 && listen(listener, 1) == 0);
        int c = stage_new_client(listener);
        struct ho_scan s = stage_scan(NULL);

        ROOM_CHECK(stage_must(&s, a)->on_link == arp && !stage_must(&s, a)->loopback);
        ROOM_CHECK(!stage_must(&s, b)->on_link && !stage_must(&s, b)->loopback);
        ROOM_CHECK(stage_must(&s, c)->on_link &&
                   stage_must(&s, c)->loopback); /* by its own address */
        ho_scan_free(&s);
        s = stage_scan(&(struct ho_scan_options){ .no_loopback = true });
        ROOM_CHECK(s.n_conns == 2 * (i + 1) && stage_find(&s, c) == NULL);
        ho_scan_free(&s);
    }
    return 0;
}

static void a_router_between_is_seen(void **state)
{
    (void)state;
    stage_everywhere(
        look_at_ways); /* with a link that asks for neighbours, and one that does not */
}

/* A hundred ways, more than go into a datagram; two of them are the same. */
static int look_at_many_ways(void *arg)
{
    int fd[100];
    char to[32];

    (void)arg;
    build_link(true);
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(to, sizeof(to), i % 2 == 0 ? "10.0.0.%u" : "10.9.0.%u", 20 + i / 2 * 2);
        fd[i] = connect_to(to);
    }
    struct ho_scan s = stage_scan(NULL);

    ROOM_CHECK(s.n_conns == 100);
    for (unsigned i = 0; i < 100; i++) {
        ROOM_CHECK(stage_must(&s, fd[i])->on_link == (i % 2 == 0));
    }
    ho_scan_free(&s);
    return 0;
}

static void many_ways_are_asked_for(void **state)
{
    (void)state;
    stage_everywhere(look_at_many_ways);
}

/* ---- order ----------------------------------------------------------------------------------- */

static int look_at_order(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < 8; i++) {
        (void)stage_new_pair(i % 2 == 0);
    }
    struct ho_scan s = stage_scan(NULL);

    ROOM_CHECK(s.n_conns == 16);
    for (size_t i = 1; i < 16; i++) {
        const struct ho_conn *a = &s.conns[i - 1], *b = &s.conns[i];

        ROOM_CHECK(a->ipv6 < b->ipv6 ||
                   (a->ipv6 == b->ipv6 &&
                    (a->lport < b->lport || (a->lport == b->lport && a->rport < b->rport))));
    }
    ho_scan_free(&s);
    return 0;
}

static void the_order_is_that_of_addresses(void **state)
{
    (void)state;
    stage_everywhere(look_at_order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read),
        cmocka_unit_test(keepalive_is_inferred_from_an_idle_timer),
        cmocka_unit_test(keepalive_is_inferred_in_close_wait),
        cmocka_unit_test(a_closed_window_hides_keepalive),
        cmocka_unit_test(orphans_are_told_from_the_rest),
        cmocka_unit_test(requests_are_nobodys),
        cmocka_unit_test(filters_choose),
        cmocka_unit_test(ipv4_in_a_socket_of_ipv6_is_ipv4),
        cmocka_unit_test(a_router_between_is_seen),
        cmocka_unit_test(many_ways_are_asked_for),
        cmocka_unit_test(the_order_is_that_of_addresses),
    };

    if (!in_room_allowed(IN_ROOM_ROOT) || !in_room_allowed(IN_ROOM_USER)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
