/* System calls: errors, ranges, ports, poll and epoll, as Linux answers them (man pages bind(2),
 * listen(2), connect(2), tcp(7), epoll(7); ground-truth B3f).
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "knobs/sockopt.h"
#include "support/pair.h"

static struct ho_pair p;

static int setup(void **state)
{
    (void)state;
    ho_pair_init(&p, false, 250);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ho_pair_done(&p);
    return 0;
}

static int64_t call(struct ho_op op)
{
    assert_true(ho_pair_start(&p, 0, &op));
    return op.ret;
}

static int64_t bind_to(int64_t fd, struct ho_addr a, uint16_t port)
{
    return call((struct ho_op){ .kind = HO_OP_BIND, .fd = (int)fd, .addr = a, .port = port });
}

static int64_t listen_on(int64_t fd)
{
    return call((struct ho_op){ .kind = HO_OP_LISTEN, .fd = (int)fd, .arg = 5 });
}

static int64_t close_fd(int64_t fd)
{
    return ho_pair_close(&p, 0, fd);
}

static uint16_t port_of(int64_t fd)
{
    struct ho_op op = { .kind = HO_OP_GETSOCKNAME, .fd = (int)fd };

    assert_true(ho_pair_start(&p, 0, &op));
    assert_int_equal(op.ret, 0);
    return op.port;
}

static int64_t new_socket(void)
{
    return ho_pair_socket(&p, 0, true);
}

static void descriptors_are_the_lowest_free_ones_from_3(void **state)
{
    (void)state;
    assert_int_equal(new_socket(), 3);
    assert_int_equal(new_socket(), 4);
    assert_int_equal(new_socket(), 5);
    assert_int_equal(close_fd(4), 0);
    assert_int_equal(close_fd(4), -EBADF);
    assert_int_equal(new_socket(), 4);
    assert_int_equal(new_socket(), 6);
}

static void calls_on_nothing_fail_with_ebadf(void **state)
{
    char c;

    (void)state;
    assert_int_equal(ho_pair_recv(&p, 0, 7, &c, 1), -EBADF);
    assert_int_equal(ho_pair_recv(&p, 0, -1, &c, 1), -EBADF);
    assert_int_equal(ho_host_nonblock(p.host[0], 1, 7, true), -EBADF);
    assert_int_equal(ho_host_fionread(p.host[0], 1, 7), -EBADF);
    struct ho_sock_info info;
    assert_int_equal(ho_host_sock_info(p.host[0], 1, 7, p.now, &info), -EBADF);
    assert_int_equal(ho_host_kill(p.host[0], 9, p.now), -ESRCH);
    struct ho_op op = { .kind = HO_OP_SOCKET, .addr = p.addr[0] };
    assert_int_equal(ho_host_start(p.host[0], 9, &op, p.now), HO_OP_DONE);
    assert_int_equal(op.ret, -EBADF);
}

static void a_new_socket_is_out_and_hup(void **state)
{
    char c;
    int64_t fd = new_socket();

    (void)state;
    assert_int_equal(ho_pair_poll(&p, 0, fd), HO_POLLOUT | HO_POLLHUP);
    assert_int_equal(ho_pair_recv(&p, 0, fd, &c, 1), -ENOTCONN);
    assert_int_equal(ho_pair_send(&p, 0, fd, "x", 1), -EPIPE);
    assert_int_equal(ho_pair_shutdown(&p, 0, fd, HO_SHUT_WR), -ENOTCONN);
    assert_int_equal(call((struct ho_op){ .kind = HO_OP_ACCEPT, .fd = (int)fd }), -EINVAL);
    assert_int_equal(ho_pair_get(&p, 0, fd, HO_SOCKOPT_SO_ERROR), 0);
}

static void bind_refuses_foreign_addresses_and_a_second_bind(void **state)
{
    int64_t fd = new_socket();

    (void)state;
    assert_int_equal(bind_to(fd, p.addr[1], 80), -EADDRNOTAVAIL);
    assert_int_equal(bind_to(fd, (struct ho_addr){ .b = { 0xfd, [15] = 1 } }, 80), -EAFNOSUPPORT);
    assert_int_equal(bind_to(fd, p.addr[0], 80), 0);
    assert_int_equal(bind_to(fd, p.addr[0], 81), -EINVAL);
}

static void two_sockets_on_one_port_need_so_reuseaddr_and_may_not_listen(void **state)
{
    int64_t one = new_socket(), two = new_socket();
    struct ho_addr any = ho_addr_v4(0, 0, 0, 0);

    (void)state;
    assert_int_equal(bind_to(one, p.addr[0], 80), 0);
    assert_int_equal(bind_to(two, any, 80), -EADDRINUSE);
    assert_int_equal(ho_pair_set(&p, 0, two, HO_SOCKOPT_SO_REUSEADDR, 1), 0);
    assert_int_equal(bind_to(two, any, 80), -EADDRINUSE);
    assert_int_equal(ho_pair_set(&p, 0, one, HO_SOCKOPT_SO_REUSEADDR, 1), 0);
    assert_int_equal(bind_to(two, any, 80), 0);
    assert_int_equal(listen_on(one), 0);
    assert_int_equal(listen_on(two), -EADDRINUSE);
    assert_int_equal(close_fd(one), 0);
    assert_int_equal(listen_on(two), 0);
    assert_int_equal(bind_to(new_socket(), p.addr[0], 81), 0);
}

static void another_address_is_another_port(void **state)
{
    (void)state;
    assert_int_equal(bind_to(new_socket(), p.addr[0], 80), 0);
    assert_int_equal(bind_to(new_socket(), ho_addr_v4(127, 0, 0, 1), 80), 0);
    assert_int_equal(bind_to(new_socket(), ho_addr_v4(0, 0, 0, 0), 80), -EADDRINUSE);
}

/* bindv6only=0: `::` takes IPv4 as well. */
static void an_ipv6_socket_takes_ipv4_connections(void **state)
{
    struct ho_addr any6 = { .b = { 0 } };
    static struct ho_op connect;

    (void)state;
    int64_t fd = call((struct ho_op){ .kind = HO_OP_SOCKET, .addr = any6 });
    assert_int_equal(bind_to(fd, any6, 80), 0);
    assert_int_equal(listen_on(fd), 0);
    assert_int_equal(bind_to(new_socket(), ho_addr_v4(0, 0, 0, 0), 80), -EADDRINUSE);
    int64_t client = ho_pair_socket(&p, 1, false);
    connect =
        (struct ho_op){ .kind = HO_OP_CONNECT, .fd = (int)client, .addr = p.addr[0], .port = 80 };
    assert_false(ho_pair_start(&p, 1, &connect));
    ho_pair_run_for(&p, ho_ms(20));
    assert_true(ho_pair_done_op(&connect));
    assert_int_equal(connect.ret, 0);
}

static void connect_says_enetunreach_without_a_route(void **state)
{
    int64_t fd = new_socket();
    struct ho_op op = {
        .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = ho_addr_v4(192, 0, 2, 1), .port = 80
    };

    (void)state;
    assert_int_equal(call(op), -ENETUNREACH);
    op.addr = (struct ho_addr){ .b = { 0xfd, [15] = 2 } };
    assert_int_equal(call(op), -EAFNOSUPPORT);
    struct ho_addr none = ho_addr_v4(0, 0, 0, 0);
    assert_int_equal(ho_host_route_add(p.host[0], 0, &none, 0, &p.addr[1], p.now), 0);
    assert_int_equal(ho_host_route_add(p.host[0], 0, &none, 0, &p.addr[1], p.now), -EEXIST);
    op.addr = ho_addr_v4(192, 0, 2, 1);
    assert_int_equal(call(op), -EINPROGRESS);
    assert_int_equal(ho_host_route_del(p.host[0], 0, &none, 0, p.now), 0);
    assert_int_equal(ho_host_route_del(p.host[0], 0, &none, 0, p.now), -ESRCH);
}

/* Two ports to pick from and one peer: the third connect() has none; another peer's port has. */
static void connect_picks_ports_and_runs_out_of_them(void **state)
{
    struct ho_sysctls *sys = ho_host_sysctls(p.host[0]);
    struct ho_op op = { .kind = HO_OP_CONNECT, .addr = p.addr[1], .port = 80 };
    uint16_t port[2];

    (void)state;
    sys->v[HO_SYSCTL_IP_LOCAL_PORT_RANGE_MIN] = 40000;
    sys->v[HO_SYSCTL_IP_LOCAL_PORT_RANGE_MAX] = 40001;
    for (int i = 0; i < 2; i++) {
        op.fd = (int)new_socket();
        assert_int_equal(call(op), -EINPROGRESS);
        port[i] = port_of(op.fd);
    }
    assert_int_equal(port[0] + port[1], 80001);
    assert_int_equal(port[0], 40000); /* even ones first */
    op.fd = (int)new_socket();
    assert_int_equal(call(op), -EADDRNOTAVAIL);
    assert_int_equal(bind_to(op.fd, p.addr[0], 0), -EADDRINUSE);
    op.port = 81;
    assert_int_equal(call(op), -EINPROGRESS);
    assert_in_range(port_of(op.fd), 40000, 40001);
}

static void two_connections_cannot_have_one_four_tuple(void **state)
{
    int64_t one = new_socket(), two = new_socket();
    struct ho_op op = { .kind = HO_OP_CONNECT, .addr = p.addr[1], .port = 80 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        int64_t fd = i == 0 ? one : two;

        assert_int_equal(ho_pair_set(&p, 0, fd, HO_SOCKOPT_SO_REUSEADDR, 1), 0);
        assert_int_equal(bind_to(fd, p.addr[0], 5000), 0);
    }
    op.fd = (int)one;
    assert_int_equal(call(op), -EINPROGRESS);
    op.fd = (int)two;
    assert_int_equal(call(op), -EADDRNOTAVAIL);
}

static void a_port_in_time_wait_needs_so_reuseaddr(void **state)
{
    int64_t a, b;
    struct ho_op op;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    assert_int_equal(ho_pair_close(&p, 1, b), 0); /* the server's end will be in TIME-WAIT */
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_close(&p, 0, a), 0);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_close(&p, 1, 3), 0); /* the listener */
    int64_t fd = ho_pair_socket(&p, 1, false);
    op = (struct ho_op){ .kind = HO_OP_BIND, .fd = (int)fd, .addr = p.addr[1], .port = 80 };
    assert_true(ho_pair_start(&p, 1, &op));
    assert_int_equal(op.ret, -EADDRINUSE);
    ho_pair_run_for(&p, ho_s(63));
    assert_true(ho_pair_start(&p, 1, &op));
    assert_int_equal(op.ret, 0);
}

static void options_are_refused_out_of_their_range(void **state)
{
    static const struct {
        int opt;
        int64_t bad, good, back;
    } row[] = {
        { HO_SOCKOPT_TCP_KEEPIDLE, 0, 1, 1 },
        { HO_SOCKOPT_TCP_KEEPIDLE, 32768, 32767, 32767 },
        { HO_SOCKOPT_TCP_KEEPINTVL, 0, 10, 10 },
        { HO_SOCKOPT_TCP_KEEPCNT, 128, 127, 127 },
        { HO_SOCKOPT_TCP_SYNCNT, 0, 2, 2 },
        { HO_SOCKOPT_TCP_USER_TIMEOUT, -1, 30000, 30000 },
        { HO_SOCKOPT_TCP_MAXSEG, 87, 1000, 1000 },
        { HO_SOCKOPT_TCP_RTO_MAX_MS, 999, 1000, 1000 },
        { HO_SOCKOPT_TCP_RTO_MAX_MS, 120001, 120000, 120000 },
    };
    int64_t fd = new_socket();

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        assert_int_equal(ho_pair_set(&p, 0, fd, row[i].opt, row[i].bad), -EINVAL);
        assert_int_equal(ho_pair_set(&p, 0, fd, row[i].opt, row[i].good), 0);
        assert_int_equal(ho_pair_get(&p, 0, fd, row[i].opt), row[i].back);
    }
    assert_int_equal(ho_pair_set(&p, 0, fd, HO_SOCKOPT_COUNT, 1), -ENOPROTOOPT);
    assert_int_equal(ho_pair_set(&p, 0, fd, HO_SOCKOPT_SO_ERROR, 1), -ENOPROTOOPT);
    assert_int_equal(ho_pair_set(&p, 0, fd, HO_SOCKOPT_TCP_LINGER2, 500), 0);
    assert_int_equal(ho_pair_get(&p, 0, fd, HO_SOCKOPT_TCP_LINGER2), 120);
    assert_int_equal(ho_pair_set(&p, 0, fd, HO_SOCKOPT_TCP_LINGER2, -5), 0);
    assert_int_equal(ho_pair_get(&p, 0, fd, HO_SOCKOPT_TCP_LINGER2), -1);
    assert_int_equal(ho_pair_get(&p, 0, new_socket(), HO_SOCKOPT_TCP_KEEPIDLE), 7200);
}

/* socket(7): doubled, not below a minimum, not above the sysctl's twice. */
static void buffers_are_doubled_and_brought_into_their_range(void **state)
{
    int64_t fd = new_socket();

    (void)state;
    assert_int_equal(ho_pair_set(&p, 0, fd, HO_SOCKOPT_SO_RCVBUF, 100000), 0);
    assert_int_equal(ho_pair_get(&p, 0, fd, HO_SOCKOPT_SO_RCVBUF), 200000);
    assert_int_equal(ho_pair_set(&p, 0, fd, HO_SOCKOPT_SO_RCVBUF, 1), 0);
    assert_int_equal(ho_pair_get(&p, 0, fd, HO_SOCKOPT_SO_RCVBUF), 2304);
    assert_int_equal(ho_pair_set(&p, 0, fd, HO_SOCKOPT_SO_SNDBUF, 1), 0);
    assert_int_equal(ho_pair_get(&p, 0, fd, HO_SOCKOPT_SO_SNDBUF), 4608);
    assert_int_equal(ho_pair_set(&p, 0, fd, HO_SOCKOPT_SO_SNDBUF, 1 << 30), 0);
    assert_int_equal(ho_pair_get(&p, 0, fd, HO_SOCKOPT_SO_SNDBUF),
                     2 * ho_host_sysctls(p.host[0])->v[HO_SYSCTL_WMEM_MAX]);
}

static void accepted_sockets_have_their_listeners_options(void **state)
{
    int64_t listener = ho_pair_listen(&p, 0, 80, 5);
    int64_t client = ho_pair_socket(&p, 1, false);
    static struct ho_op connect;

    (void)state;
    assert_int_equal(ho_pair_set(&p, 0, listener, HO_SOCKOPT_TCP_KEEPIDLE, 77), 0);
    connect =
        (struct ho_op){ .kind = HO_OP_CONNECT, .fd = (int)client, .addr = p.addr[0], .port = 80 };
    assert_false(ho_pair_start(&p, 1, &connect));
    ho_pair_run_for(&p, ho_ms(20));
    int64_t child = call((struct ho_op){ .kind = HO_OP_ACCEPT, .fd = (int)listener });
    assert_int_equal(ho_pair_get(&p, 0, child, HO_SOCKOPT_TCP_KEEPIDLE), 77);
    assert_int_equal(ho_pair_set(&p, 0, child, HO_SOCKOPT_TCP_KEEPIDLE, 5), 0);
    assert_int_equal(ho_pair_get(&p, 0, listener, HO_SOCKOPT_TCP_KEEPIDLE), 77);
}

static void closing_a_listener_resets_what_it_has_not_accepted(void **state)
{
    int64_t listener = ho_pair_listen(&p, 1, 80, 5);
    int64_t fd = ho_pair_socket(&p, 0, false);
    static struct ho_op connect;
    char c;

    (void)state;
    connect = (struct ho_op){ .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = p.addr[1], .port = 80 };
    assert_false(ho_pair_start(&p, 0, &connect));
    ho_pair_run_for(&p, ho_ms(20));
    assert_int_equal(ho_pair_close(&p, 1, listener), 0);
    ho_pair_run_for(&p, ho_ms(20));
    assert_int_equal(ho_pair_recv(&p, 0, fd, &c, 1), -ECONNRESET);
}

static void a_poll_ends_with_its_time(void **state)
{
    int64_t fd = ho_pair_listen(&p, 0, 80, 5);
    static struct ho_op op;

    (void)state;
    op = (struct ho_op){
        .kind = HO_OP_POLL, .fd = (int)fd, .arg = (int)HO_POLLIN, .timeout = ho_ms(1500)
    };
    assert_false(ho_pair_start(&p, 0, &op));
    ho_pair_run_for(&p, ho_ms(1499));
    assert_false(ho_pair_done_op(&op));
    ho_pair_run_for(&p, ho_ms(1));
    assert_true(ho_pair_done_op(&op));
    assert_int_equal(op.ret, 0);
}

static void a_cancelled_call_returns_eintr_and_takes_nothing(void **state)
{
    int64_t a, b;
    char c;
    static struct ho_op op;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    op = (struct ho_op){ .kind = HO_OP_RECV, .fd = (int)a, .buf = &c, .len = 1 };
    assert_false(ho_pair_start(&p, 0, &op));
    ho_host_cancel(p.host[0], &op);
    assert_int_equal(op.ret, -EINTR);
    assert_int_equal(ho_pair_send(&p, 1, b, "x", 1), 1);
    ho_pair_run_for(&p, ho_ms(10));
    assert_false(ho_pair_done_op(&op));
    assert_int_equal(ho_pair_recv(&p, 0, a, &c, 1), 1);
}

static void closing_wakes_what_waits_and_killing_does_not(void **state)
{
    int64_t a, b;
    char c;
    static struct ho_op op[2];

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    op[0] = (struct ho_op){ .kind = HO_OP_RECV, .fd = (int)a, .buf = &c, .len = 1 };
    op[1] = (struct ho_op){ .kind = HO_OP_RECV, .fd = (int)b, .buf = &c, .len = 1 };
    assert_false(ho_pair_start(&p, 0, &op[0]));
    assert_false(ho_pair_start(&p, 1, &op[1]));
    assert_int_equal(ho_pair_close(&p, 0, a), 0);
    assert_int_equal(ho_host_kill(p.host[1], 1, p.now), 0);
    ho_pair_run_for(&p, ho_ms(10));
    assert_true(ho_pair_done_op(&op[0]));
    assert_int_equal(op[0].ret, -EBADF);
    assert_false(ho_pair_done_op(&op[1]));
}

/* ---- epoll ---- */

static int64_t epoll_of(int64_t fd, uint32_t events)
{
    int64_t e = call((struct ho_op){ .kind = HO_OP_EPOLL_CREATE });

    assert_int_equal(call((struct ho_op){ .kind = HO_OP_EPOLL_CTL,
                                          .fd = (int)e,
                                          .target = (int)fd,
                                          .arg = HO_EPOLL_ADD,
                                          .events = events,
                                          .data = 42 }),
                     0);
    return e;
}

/* What epoll_wait() reports without waiting, 0 for nothing. */
static uint32_t wait_now(int64_t e)
{
    struct ho_epoll_event ev[2] = { { 0, 0 }, { 0, 0 } };
    int64_t n = call((struct ho_op){ .kind = HO_OP_EPOLL_WAIT, .fd = (int)e, .buf = ev, .len = 2 });

    assert_in_range(n, 0, 1);
    assert_true(n == 0 || ev[0].data == 42);
    return n == 0 ? 0 : ev[0].events;
}

static void level_triggered_epoll_tells_as_long_as_it_is_so(void **state)
{
    int64_t a, b;
    char c[8];

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    int64_t e = epoll_of(a, HO_POLLIN | HO_POLLRDHUP);
    assert_int_equal(wait_now(e), 0);
    ho_pair_send(&p, 1, b, "xy", 2);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(wait_now(e), HO_POLLIN);
    assert_int_equal(wait_now(e), HO_POLLIN);
    assert_int_equal(ho_pair_recv(&p, 0, a, c, 8), 2);
    assert_int_equal(wait_now(e), 0);
}

static void edge_triggered_epoll_tells_once_an_arrival(void **state)
{
    int64_t a, b;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    int64_t e = epoll_of(a, HO_POLLIN | HO_EPOLLET);
    ho_pair_send(&p, 1, b, "x", 1);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(wait_now(e), HO_POLLIN);
    assert_int_equal(wait_now(e), 0);
    ho_pair_send(&p, 1, b, "y", 1);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(wait_now(e), HO_POLLIN);
    assert_int_equal(wait_now(e), 0);
}

static void oneshot_is_armed_again_by_mod(void **state)
{
    int64_t a, b;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    int64_t e = epoll_of(a, HO_POLLIN | HO_EPOLLONESHOT);
    ho_pair_send(&p, 1, b, "x", 1);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(wait_now(e), HO_POLLIN);
    ho_pair_send(&p, 1, b, "y", 1);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(wait_now(e), 0);
    struct ho_op mod = { .kind = HO_OP_EPOLL_CTL,
                         .fd = (int)e,
                         .target = (int)a,
                         .arg = HO_EPOLL_MOD,
                         .events = HO_POLLIN,
                         .data = 42 };
    assert_int_equal(call(mod), 0);
    assert_int_equal(wait_now(e), HO_POLLIN);
    mod.arg = HO_EPOLL_ADD;
    assert_int_equal(call(mod), -EEXIST);
    mod.arg = HO_EPOLL_DEL;
    assert_int_equal(call(mod), 0);
    assert_int_equal(call(mod), -ENOENT);
    assert_int_equal(wait_now(e), 0);
}

/* Row 6a and 6b of table B. */
static void a_wait_is_woken_by_the_end_of_the_stream_with_rdhup_and_by_rst_with_err(void **state)
{
    int64_t a, b;
    static struct ho_op wait;
    static struct ho_epoll_event ev[4];

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    int64_t e = epoll_of(a, HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP | HO_EPOLLET);
    assert_int_equal(wait_now(e), HO_POLLOUT);
    wait = (struct ho_op){
        .kind = HO_OP_EPOLL_WAIT, .fd = (int)e, .buf = ev, .len = 4, .forever = true
    };
    assert_false(ho_pair_start(&p, 0, &wait));
    ho_pair_shutdown(&p, 1, b, HO_SHUT_WR);
    ho_pair_run_for(&p, ho_ms(10));
    assert_true(ho_pair_done_op(&wait));
    assert_int_equal(wait.ret, 1);
    assert_int_equal(ev[0].events, HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP);
    assert_false(ho_pair_start(&p, 0, &wait));
    ho_pair_set(&p, 1, b, HO_SOCKOPT_SO_LINGER, 1);
    struct ho_op linger = {
        .kind = HO_OP_SETSOCKOPT, .fd = (int)b, .opt = HO_SOCKOPT_SO_LINGER, .value = { 1, 0 }
    };
    assert_true(ho_pair_start(&p, 1, &linger));
    ho_pair_close(&p, 1, b);
    ho_pair_run_for(&p, ho_ms(10));
    assert_true(ho_pair_done_op(&wait));
    assert_int_equal(ev[0].events & (HO_POLLERR | HO_POLLHUP), HO_POLLERR | HO_POLLHUP);
}

static void an_epoll_wait_ends_with_its_time_and_forgets_closed_sockets(void **state)
{
    int64_t a, b;
    static struct ho_op wait;
    static struct ho_epoll_event ev[4];

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    int64_t e = epoll_of(a, HO_POLLOUT);
    assert_int_equal(close_fd(a), 0);
    assert_int_equal(wait_now(e), 0);
    wait = (struct ho_op){
        .kind = HO_OP_EPOLL_WAIT, .fd = (int)e, .buf = ev, .len = 4, .timeout = ho_ms(7)
    };
    assert_false(ho_pair_start(&p, 0, &wait));
    ho_pair_run_for(&p, ho_us(6999));
    assert_false(ho_pair_done_op(&wait));
    ho_pair_run_for(&p, ho_us(1));
    assert_true(ho_pair_done_op(&wait));
    assert_int_equal(wait.ret, 0);
    assert_int_equal(close_fd(e), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(descriptors_are_the_lowest_free_ones_from_3),
        T(calls_on_nothing_fail_with_ebadf),
        T(a_new_socket_is_out_and_hup),
        T(bind_refuses_foreign_addresses_and_a_second_bind),
        T(two_sockets_on_one_port_need_so_reuseaddr_and_may_not_listen),
        T(another_address_is_another_port),
        T(an_ipv6_socket_takes_ipv4_connections),
        T(connect_says_enetunreach_without_a_route),
        T(connect_picks_ports_and_runs_out_of_them),
        T(two_connections_cannot_have_one_four_tuple),
        T(a_port_in_time_wait_needs_so_reuseaddr),
        T(options_are_refused_out_of_their_range),
        T(buffers_are_doubled_and_brought_into_their_range),
        T(accepted_sockets_have_their_listeners_options),
        T(closing_a_listener_resets_what_it_has_not_accepted),
        T(a_poll_ends_with_its_time),
        T(a_cancelled_call_returns_eintr_and_takes_nothing),
        T(closing_wakes_what_waits_and_killing_does_not),
        T(level_triggered_epoll_tells_as_long_as_it_is_so),
        T(edge_triggered_epoll_tells_once_an_arrival),
        T(oneshot_is_armed_again_by_mod),
        T(a_wait_is_woken_by_the_end_of_the_stream_with_rdhup_and_by_rst_with_err),
        T(an_epoll_wait_ends_with_its_time_and_forgets_closed_sockets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
