/* Two hosts with real TCP between them: the life of connections as processes see it. The numbers
 * are those measured on Linux (ground-truth, rows of table B), at HZ=250 with a round trip of 2 ms.
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

static int setup_v6(void **state)
{
    (void)state;
    ho_pair_init(&p, true, 250);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ho_pair_done(&p);
    return 0;
}

static int64_t ms_since(struct ho_time t)
{
    return ho_time_since(p.now, t).ns / 1000000;
}

static void a_connection_carries_bytes_both_ways(void **state)
{
    int64_t a, b;
    char buf[16] = { 0 };

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    assert_int_equal(ho_pair_state(&p, 0, a), HO_TCP_ESTABLISHED);
    assert_int_equal(ho_pair_send(&p, 0, a, "hello", 5), 5);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_recv(&p, 1, b, buf, sizeof(buf)), 5);
    assert_string_equal(buf, "hello");
    assert_int_equal(ho_pair_recv(&p, 1, b, buf, sizeof(buf)), -EAGAIN);
    assert_int_equal(ho_pair_send(&p, 1, b, "world!", 6), 6);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_recv(&p, 0, a, buf, sizeof(buf)), 6);
    assert_memory_equal(buf, "world!", 6);
}

/* Row 10: RST,ACK within a round trip. */
static void a_closed_port_refuses(void **state)
{
    int64_t fd = ho_pair_socket(&p, 0, false);
    static struct ho_op op;
    op = (struct ho_op){ .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = p.addr[1], .port = 81 };

    (void)state;
    assert_false(ho_pair_start(&p, 0, &op));
    ho_pair_run_for(&p, ho_ms(10));
    assert_true(ho_pair_done_op(&op));
    assert_int_equal(op.ret, -ECONNREFUSED);
}

/* Row 10: three who-has, no SYN, EHOSTUNREACH at 3.05 to 3.08 s. */
static void connect_to_an_absent_host_fails_after_three_requests(void **state)
{
    int64_t fd = ho_pair_socket(&p, 0, false);
    static struct ho_op op;
    op = (struct ho_op){ .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = p.addr[1], .port = 80 };
    size_t mark = p.n_sent;

    (void)state;
    ho_host_power_off(p.host[1], p.now);
    assert_false(ho_pair_start(&p, 0, &op));
    ho_pair_run(&p, ho_time_add(op.started, ho_ms(3000)));
    assert_false(ho_pair_done_op(&op));
    ho_pair_run(&p, ho_time_add(op.started, ho_ms(3100)));
    assert_true(ho_pair_done_op(&op));
    assert_int_equal(op.ret, -EHOSTUNREACH);
    assert_int_equal(ho_pair_count(&p, 0, HO_PAIR_TCP, mark), 0);
    assert_int_equal(ho_pair_count(&p, 0, HO_PAIR_ARP, mark), 3);
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_FAILED);
}

/* A4: the ICMP goes over lo; without lo nobody hears of it, and the SYN times out. */
static void with_lo_down_nobody_hears_of_the_failure(void **state)
{
    int64_t fd = ho_pair_socket(&p, 0, false);
    static struct ho_op op;
    op = (struct ho_op){ .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = p.addr[1], .port = 80 };

    (void)state;
    p.cut[0] = true;
    assert_int_equal(ho_host_link(p.host[0], HO_NIC_LO, false, p.now), 0);
    assert_false(ho_pair_start(&p, 0, &op));
    ho_pair_run_for(&p, ho_s(10));
    assert_false(ho_pair_done_op(&op));
    ho_pair_run_for(&p, ho_s(150));
    assert_true(ho_pair_done_op(&op));
    assert_int_equal(op.ret, -ETIMEDOUT);
}

static void nonblocking_connect_says_einprogress_then_ealready_then_0_then_eisconn(void **state)
{
    int64_t fd;
    struct ho_op op;

    (void)state;
    ho_pair_listen(&p, 1, 80, 5);
    fd = ho_pair_socket(&p, 0, true);
    op = (struct ho_op){ .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = p.addr[1], .port = 80 };
    assert_true(ho_pair_start(&p, 0, &op));
    assert_int_equal(op.ret, -EINPROGRESS);
    assert_true(ho_pair_start(&p, 0, &op));
    assert_int_equal(op.ret, -EALREADY);
    assert_int_equal(ho_pair_poll(&p, 0, fd), 0);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_poll(&p, 0, fd), HO_POLLOUT);
    assert_int_equal(ho_pair_get(&p, 0, fd, HO_SOCKOPT_SO_ERROR), 0);
    assert_true(ho_pair_start(&p, 0, &op));
    assert_int_equal(op.ret, 0);
    assert_true(ho_pair_start(&p, 0, &op));
    assert_int_equal(op.ret, -EISCONN);
}

static void a_refused_nonblocking_connect_is_told_once_and_can_be_tried_again(void **state)
{
    int64_t fd = ho_pair_socket(&p, 0, true);
    static struct ho_op op;
    op = (struct ho_op){ .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = p.addr[1], .port = 81 };

    (void)state;
    assert_true(ho_pair_start(&p, 0, &op));
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_poll(&p, 0, fd),
                     HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP | HO_POLLERR | HO_POLLHUP);
    assert_int_equal(ho_pair_get(&p, 0, fd, HO_SOCKOPT_SO_ERROR), ECONNREFUSED);
    assert_int_equal(ho_pair_get(&p, 0, fd, HO_SOCKOPT_SO_ERROR), 0);
    assert_true(ho_pair_start(&p, 0, &op));
    assert_int_equal(op.ret, -ECONNABORTED);
    ho_pair_listen(&p, 1, 81, 5);
    assert_true(ho_pair_start(&p, 0, &op));
    assert_int_equal(op.ret, -EINPROGRESS);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_state(&p, 0, fd), HO_TCP_ESTABLISHED);
}

/* Row 6a: FIN; the server sees the end of the stream; then the four-way close. */
static void killing_a_process_closes_its_connections(void **state)
{
    int64_t a, b;
    char c;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    assert_int_equal(ho_host_kill(p.host[0], 1, p.now), 0);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_state(&p, 1, b), HO_TCP_CLOSE_WAIT);
    assert_int_equal(ho_pair_poll(&p, 1, b), HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP);
    assert_int_equal(ho_pair_recv(&p, 1, b, &c, 1), 0);
    assert_int_equal(ho_pair_close(&p, 1, b), 0);
    ho_pair_run_for(&p, ho_ms(10));

    struct ho_sock_info info;
    uint64_t cursor = 0;
    assert_true(ho_host_sock_next(p.host[0], &cursor, p.now, &info));
    assert_int_equal(info.tcp.state, HO_TCP_TIME_WAIT);
    assert_int_equal(info.pid, 0);
    assert_false(ho_host_sock_next(p.host[0], &cursor, p.now, &info));
    ho_pair_run_for(&p, ho_s(63));
    cursor = 0;
    assert_false(ho_host_sock_next(p.host[0], &cursor, p.now, &info));
}

/* Row 6a: nobody closes the other half: gone after 60.2 to 62 s. CLOSE-WAIT stays. */
static void an_orphan_in_fin_wait_2_is_gone_after_a_minute(void **state)
{
    int64_t a, b;
    struct ho_sock_info info;
    uint64_t cursor = 0;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    assert_int_equal(ho_host_kill(p.host[0], 1, p.now), 0);
    ho_pair_run_for(&p, ho_ms(60000));
    assert_true(ho_host_sock_next(p.host[0], &cursor, p.now, &info));
    assert_int_equal(info.tcp.state, HO_TCP_FIN_WAIT2);
    ho_pair_run_for(&p, ho_ms(2200));
    cursor = 0;
    assert_false(ho_host_sock_next(p.host[0], &cursor, p.now, &info));
    assert_int_equal(ho_pair_state(&p, 1, b), HO_TCP_CLOSE_WAIT);
    /* row 6a: a send succeeds, RST comes back, then EPIPE, and never ECONNRESET */
    assert_int_equal(ho_pair_send(&p, 1, b, "x", 1), 1);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_send(&p, 1, b, "x", 1), -EPIPE);
}

/* Row 6b. */
static void killing_a_process_with_unread_data_resets(void **state)
{
    int64_t a, b;
    char c;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    assert_int_equal(ho_pair_send(&p, 1, b, "unread", 6), 6);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_host_fionread(p.host[0], 1, (int)a), 6);
    assert_int_equal(ho_host_kill(p.host[0], 1, p.now), 0);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_poll(&p, 1, b),
                     HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP | HO_POLLERR | HO_POLLHUP);
    assert_int_equal(ho_pair_recv(&p, 1, b, &c, 1), -ECONNRESET);
    assert_int_equal(ho_pair_recv(&p, 1, b, &c, 1), 0);
    assert_int_equal(ho_pair_send(&p, 1, b, &c, 1), -EPIPE);
}

/* Row 8a: the rebooted host asks for our MAC, then answers with RST. */
static void a_rebooted_host_resets(void **state)
{
    int64_t a, b;
    char c;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    ho_host_power_off(p.host[0], p.now);
    ho_pair_run_for(&p, ho_s(2));
    ho_host_boot(p.host[0], p.now);
    size_t mark = p.n_sent;
    assert_int_equal(ho_pair_send(&p, 1, b, "x", 1), 1);
    ho_pair_run_for(&p, ho_ms(5));
    assert_int_equal(ho_pair_count(&p, 0, HO_PAIR_ARP, mark), 1);
    assert_int_equal(ho_pair_count(&p, 0, HO_PAIR_TCP, mark), 1);
    const struct ho_pair_sent *rst = &p.sent[p.n_sent - 1];
    assert_int_equal(rst->seg.flags, HO_TCP_RST);
    assert_int_equal(ho_pair_recv(&p, 1, b, &c, 1), -ECONNRESET);
    assert_int_equal(ho_pair_recv(&p, 1, b, &c, 1), 0);
    assert_int_equal(ho_host_spawn(p.host[0], "again"), 2);
}

/* Row 8d: challenge ACK, RST, and the SYN again after 2 jiffies: 16 to 21 ms, with the ARP of the
 * rebooted host before.
 */
static void a_rebooted_host_reconnects_from_the_same_port(void **state)
{
    int64_t a, b;
    struct ho_op accept;
    struct ho_sock_info info;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    assert_int_equal(ho_host_sock_info(p.host[0], 1, (int)a, p.now, &info), 0);
    ho_host_power_off(p.host[0], p.now);
    ho_pair_run_for(&p, ho_s(2));
    ho_host_boot(p.host[0], p.now);
    int pid = ho_host_spawn(p.host[0], "again");
    static struct ho_op op;
    op = (struct ho_op){ .kind = HO_OP_SOCKET, .addr = p.addr[0] };
    assert_int_equal(ho_host_start(p.host[0], (uint32_t)pid, &op, p.now), HO_OP_DONE);
    int fd = (int)op.ret;
    struct ho_op bind = { .kind = HO_OP_BIND, .fd = fd, .addr = p.addr[0], .port = info.lport };
    assert_int_equal(ho_host_start(p.host[0], (uint32_t)pid, &bind, p.now), HO_OP_DONE);
    assert_int_equal(bind.ret, 0);
    static struct ho_op connect;
    connect = (struct ho_op){ .kind = HO_OP_CONNECT, .fd = fd, .addr = p.addr[1], .port = 80 };
    assert_int_equal(ho_host_start(p.host[0], (uint32_t)pid, &connect, p.now), HO_OP_PENDING);
    struct ho_time began = p.now;
    while (!ho_pair_done_op(&connect) && ms_since(began) < 1000) {
        ho_pair_run_for(&p, ho_ms(1));
    }
    assert_int_equal(connect.ret, 0);
    assert_in_range(ms_since(began), 10, 24);
    char c;
    assert_int_equal(ho_pair_recv(&p, 1, b, &c, 1), -ECONNRESET);
    ho_pair_run_for(&p, ho_ms(5));
    accept = (struct ho_op){ .kind = HO_OP_ACCEPT, .fd = 3, .flags = 0 };
    assert_true(ho_pair_start(&p, 1, &accept));
    assert_true(accept.ret >= 0);
    assert_int_equal(accept.port, info.lport);
}

/* Segments of one instant are queued before the process that waits gets the processor. */
static void a_blocked_recv_returns_what_came_together(void **state)
{
    static struct ho_op recv;
    static char sent[2800], got[4096];
    int64_t a, b;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    recv = (struct ho_op){ .kind = HO_OP_RECV, .fd = (int)b, .buf = got, .len = sizeof(got) };
    assert_false(ho_pair_start(&p, 1, &recv));
    size_t mark = p.n_sent;
    assert_int_equal(ho_pair_send(&p, 0, a, sent, sizeof(sent)), (int64_t)sizeof(sent));
    ho_pair_run_for(&p, ho_ms(5));
    assert_int_equal(ho_pair_count(&p, 0, HO_PAIR_TCP, mark), 2);
    assert_true(ho_pair_done_op(&recv));
    assert_int_equal(recv.ret, sizeof(sent));
}

/* The process was woken and has not run yet when its descriptor is closed, or it is killed. */
static void a_recv_that_was_woken_ends_with_its_descriptor(void **state)
{
    static struct ho_op recv, close;
    char c;
    int64_t a, b;

    (void)state;
    for (int killed = 0; killed < 2; killed++) {
        ho_pair_connect(&p, (uint16_t)(80 + killed), &a, &b);
        recv = (struct ho_op){ .kind = HO_OP_RECV, .fd = (int)b, .buf = &c, .len = 1 };
        assert_false(ho_pair_start(&p, 1, &recv));
        assert_int_equal(ho_pair_send(&p, 0, a, "x", 1), 1);
        p.now = p.at[0][p.first[0]];
        p.first[0] = (p.first[0] + 1) % HO_PAIR_SENT;
        ho_host_input(p.host[1], 0, ho_bufq_shift(&p.way[0]), p.now);
        if (killed) {
            assert_int_equal(ho_host_kill(p.host[1], 1, p.now), 0);
            assert_null(ho_host_completed(p.host[1]));
            continue;
        }
        close = (struct ho_op){ .kind = HO_OP_CLOSE, .fd = (int)b };
        assert_int_equal(ho_host_start(p.host[1], 1, &close, p.now), HO_OP_DONE);
        assert_ptr_equal(ho_host_completed(p.host[1]), &recv);
        assert_int_equal(recv.ret, -EBADF);
        assert_null(ho_host_completed(p.host[1]));
    }
}

/* Row 2: probes at 5, 7, 9 s after the last segment, death with RST,ACK at 11.05. */
static void keepalive_ends_a_silent_connection_and_tells_with_etimedout(void **state)
{
    int64_t a, b;
    char c;
    struct ho_mac mac = { .b = { 2, 0, 0, 0, 0, 1 } };

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    assert_int_equal(ho_host_neigh_add(p.host[1], 0, &p.addr[0], mac, p.now), 0);
    assert_int_equal(ho_pair_set(&p, 1, b, HO_SOCKOPT_TCP_KEEPIDLE, 5), 0);
    assert_int_equal(ho_pair_set(&p, 1, b, HO_SOCKOPT_TCP_KEEPINTVL, 2), 0);
    assert_int_equal(ho_pair_set(&p, 1, b, HO_SOCKOPT_TCP_KEEPCNT, 3), 0);
    assert_int_equal(ho_pair_set(&p, 1, b, HO_SOCKOPT_SO_KEEPALIVE, 1), 0);
    struct ho_time last = p.now;
    p.cut[0] = p.cut[1] = true;
    static struct ho_op recv;
    recv = (struct ho_op){ .kind = HO_OP_RECV, .fd = (int)b, .buf = &c, .len = 1 };
    assert_false(ho_pair_start(&p, 1, &recv));
    size_t mark = p.n_sent;
    ho_pair_run(&p, ho_time_add(last, ho_ms(10900)));
    assert_false(ho_pair_done_op(&recv));
    ho_pair_run(&p, ho_time_add(last, ho_ms(11900)));
    assert_true(ho_pair_done_op(&recv));
    assert_int_equal(recv.ret, -ETIMEDOUT);
    assert_int_equal(ho_pair_count(&p, 1, HO_PAIR_TCP, mark), 4);
    assert_int_equal(p.sent[p.n_sent - 1].seg.flags, HO_TCP_RST | HO_TCP_ACK);
}

/* Sends from host 1, which hears nothing: after how long recv() says EHOSTUNREACH. */
static int64_t ms_until_unreachable(int64_t fd)
{
    static struct ho_op recv;
    struct ho_time began = p.now;
    char c;

    assert_int_equal(ho_pair_send(&p, 1, fd, "data", 4), 4);
    recv = (struct ho_op){ .kind = HO_OP_RECV, .fd = (int)fd, .buf = &c, .len = 1 };
    assert_false(ho_pair_start(&p, 1, &recv));
    while (!ho_pair_done_op(&recv) && ms_since(began) < 60000) {
        ho_pair_run_for(&p, ho_ms(1));
    }
    assert_int_equal(recv.ret, -EHOSTUNREACH);
    return ms_since(began);
}

/* Row 3c: own carrier gone and ARP flushed: retries2=5 ends with EHOSTUNREACH at 13.14 s, and
 * nothing is on the wire.
 */
static void own_carrier_lost_ends_with_ehostunreach(void **state)
{
    int64_t a, b;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    ho_host_sysctls(p.host[1])->v[HO_SYSCTL_TCP_RETRIES2] = 5;
    ho_host_carrier(p.host[1], 0, false, 0, p.now);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_neigh(&p, 1), -1);
    size_t mark = p.n_sent;
    assert_in_range(ms_until_unreachable(b), 12600, 15800);
    assert_int_equal(p.n_sent, mark);
}

/* A tick's timers all fire before the packets that they sent over lo arrive, and before a socket
 * whose packet they freed goes on (Linux: TIMER_SOFTIRQ, NET_RX_SOFTIRQ, TASKLET_SOFTIRQ). At
 * HZ=1000 over IPv6 a resolution can fail in the jiffy of a retransmission: it is the timer that
 * repeats, and waits for 3.2 s then, not the message that makes it go on. The virtual kernel ends
 * so, 13.271 s after the data (own-plug-data); the message first, it would be 3.1 s later.
 */
static void what_timers_send_to_their_own_host_arrives_behind_them(void **state)
{
    int64_t a, b;

    (void)state;
    ho_pair_done(&p);
    ho_pair_init(&p, true, 1000);
    ho_pair_connect(&p, 80, &a, &b);
    ho_host_sysctls(p.host[1])->v[HO_SYSCTL_TCP_RETRIES2] = 5;
    ho_host_carrier(p.host[1], 0, false, 0, p.now);
    ho_pair_run_for(&p, ho_ms(20));
    assert_in_range(ms_until_unreachable(b), 13150, 13300);
}

/* Row 3a and A3: retries2=3 with a permanent neighbour gives up after 6.64 to 6.78 s; row 3f: a
 * blocked recv tells it once.
 */
static void data_in_flight_gives_up_by_time(void **state)
{
    int64_t a, b;
    char c;
    struct ho_mac mac = { .b = { 2, 0, 0, 0, 0, 1 } };

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    assert_int_equal(ho_host_neigh_add(p.host[1], 0, &p.addr[0], mac, p.now), 0);
    ho_host_sysctls(p.host[1])->v[HO_SYSCTL_TCP_RETRIES2] = 3;
    p.cut[0] = p.cut[1] = true;
    struct ho_time began = p.now;
    assert_int_equal(ho_pair_send(&p, 1, b, "data", 4), 4);
    static struct ho_op recv;
    recv = (struct ho_op){ .kind = HO_OP_RECV, .fd = (int)b, .buf = &c, .len = 1 };
    assert_false(ho_pair_start(&p, 1, &recv));
    while (!ho_pair_done_op(&recv) && ms_since(began) < 60000) {
        ho_pair_run_for(&p, ho_ms(1));
    }
    assert_int_equal(recv.ret, -ETIMEDOUT);
    assert_in_range(ms_since(began), 6500, 6800);
    assert_int_equal(ho_pair_recv(&p, 1, b, &c, 1), 0);
    assert_int_equal(ho_pair_send(&p, 1, b, &c, 1), -EPIPE);
    assert_int_equal(ho_pair_get(&p, 1, b, HO_SOCKOPT_SO_ERROR), 0);
}

/* Row 3e: the route goes while data is in flight: ENETUNREACH when it gives up. */
static void a_deleted_route_is_remembered_as_enetunreach(void **state)
{
    int64_t a, b;
    char c;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    ho_host_sysctls(p.host[1])->v[HO_SYSCTL_TCP_RETRIES2] = 5;
    p.cut[0] = p.cut[1] = true;
    struct ho_time began = p.now;
    assert_int_equal(ho_pair_send(&p, 1, b, "data", 4), 4);
    ho_pair_run_for(&p, ho_ms(20));
    assert_int_equal(ho_host_route_flush(p.host[1], 0, p.now), 0);
    static struct ho_op recv;
    recv = (struct ho_op){ .kind = HO_OP_RECV, .fd = (int)b, .buf = &c, .len = 1 };
    assert_false(ho_pair_start(&p, 1, &recv));
    while (!ho_pair_done_op(&recv) && ms_since(began) < 60000) {
        ho_pair_run_for(&p, ho_ms(1));
    }
    assert_int_equal(recv.ret, -ENETUNREACH);
    assert_in_range(ms_since(began), 12900, 13600);
}

/* Row 15: close() with SO_LINGER{1,5} and data unacknowledged blocks 5.0 to 5.25 s and returns 0.
 */
static void a_lingering_close_waits_for_its_time_and_returns_0(void **state)
{
    int64_t a, b;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    struct ho_op linger = {
        .kind = HO_OP_SETSOCKOPT, .fd = (int)b, .opt = HO_SOCKOPT_SO_LINGER, .value = { 1, 5 }
    };
    assert_true(ho_pair_start(&p, 1, &linger));
    p.cut[0] = p.cut[1] = true;
    assert_int_equal(ho_pair_send(&p, 1, b, "data", 4), 4);
    static struct ho_op op;
    op = (struct ho_op){ .kind = HO_OP_CLOSE, .fd = (int)b };
    assert_false(ho_pair_start(&p, 1, &op));
    ho_pair_run(&p, ho_time_add(op.started, ho_ms(4999)));
    assert_false(ho_pair_done_op(&op));
    ho_pair_run(&p, ho_time_add(op.started, ho_ms(5260)));
    assert_true(ho_pair_done_op(&op));
    assert_int_equal(op.ret, 0);
    assert_int_equal(ho_pair_state(&p, 0, a), HO_TCP_ESTABLISHED);
}

/* Row 6d. */
static void linger_0_resets_at_once(void **state)
{
    int64_t a, b;
    char c;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    struct ho_op linger = {
        .kind = HO_OP_SETSOCKOPT, .fd = (int)a, .opt = HO_SOCKOPT_SO_LINGER, .value = { 1, 0 }
    };
    assert_true(ho_pair_start(&p, 0, &linger));
    assert_int_equal(ho_pair_close(&p, 0, a), 0);
    assert_int_equal(p.sent[p.n_sent - 1].seg.flags, HO_TCP_RST | HO_TCP_ACK);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_recv(&p, 1, b, &c, 1), -ECONNRESET);
}

/* Row 3f, 6e: a blocked send returns what it had queued; the error is for the next call. */
static void a_blocked_send_returns_its_partial_count(void **state)
{
    static char big[4 << 20];
    int64_t a, b;

    (void)state;
    ho_pair_connect(&p, 80, &a, &b);
    assert_int_equal(ho_pair_send(&p, 1, b, "unread", 6), 6);
    static struct ho_op send;
    send = (struct ho_op){ .kind = HO_OP_SEND, .fd = (int)b, .buf = big, .len = sizeof(big) };
    assert_false(ho_pair_start(&p, 1, &send));
    ho_pair_run_for(&p, ho_s(1));
    assert_false(ho_pair_done_op(&send));
    assert_int_equal(ho_host_kill(p.host[0], 1, p.now), 0);
    ho_pair_run_for(&p, ho_ms(10));
    assert_true(ho_pair_done_op(&send));
    assert_in_range(send.ret, 1, (int64_t)sizeof(big) - 1);
    assert_int_equal(ho_pair_send(&p, 1, b, big, 1), -ECONNRESET);
    assert_int_equal(ho_pair_send(&p, 1, b, big, 1), -EPIPE);
}

/* The accept queue holds backlog + 1; then SYNs are dropped. */
static void the_accept_queue_is_bounded(void **state)
{
    static struct ho_op connect[4];

    (void)state;
    int64_t listener = ho_pair_listen(&p, 1, 80, 1);
    for (int i = 0; i < 4; i++) {
        int64_t fd = ho_pair_socket(&p, 0, false);
        connect[i] =
            (struct ho_op){ .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = p.addr[1], .port = 80 };
        ho_pair_start(&p, 0, &connect[i]);
        ho_pair_run_for(&p, ho_ms(20));
    }
    assert_true(ho_pair_done_op(&connect[0]) && ho_pair_done_op(&connect[1]));
    assert_false(ho_pair_done_op(&connect[2]) || ho_pair_done_op(&connect[3]));
    assert_true(ho_pair_counter(&p, 1, "ListenOverflows") >= 2);
    static struct ho_op accept;
    accept = (struct ho_op){ .kind = HO_OP_ACCEPT, .fd = (int)listener };
    assert_true(ho_pair_start(&p, 1, &accept));
    ho_pair_run_for(&p, ho_s(2)); /* the SYN comes again after a second */
    assert_true(ho_pair_done_op(&connect[2]) || ho_pair_done_op(&connect[3]));
}

/* Row 11: a SYN-ACK that nobody acknowledges: 6 of them, gone after 64 s, never accepted. */
static void a_request_without_its_ack_is_dropped_after_64_s(void **state)
{
    struct ho_mac mac = { .b = { 2, 0, 0, 0, 0, 1 } };
    struct ho_sock_info info;
    uint64_t cursor = 0;

    (void)state;
    assert_int_equal(ho_host_neigh_add(p.host[1], 0, &p.addr[0], mac, p.now), 0);
    int64_t listener = ho_pair_listen(&p, 1, 80, 5);
    int64_t fd = ho_pair_socket(&p, 0, true);
    static struct ho_op connect;
    connect = (struct ho_op){ .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = p.addr[1], .port = 80 };
    assert_true(ho_pair_start(&p, 0, &connect));
    ho_pair_run_for(&p, ho_ms(3)); /* ARP, and the SYN is under way */
    p.cut[1] = true;
    ho_pair_run_for(&p, ho_ms(1));
    ho_host_power_off(p.host[0], p.now);
    size_t mark = 0;
    ho_pair_run_for(&p, ho_s(62));
    assert_int_equal(ho_pair_count(&p, 1, HO_PAIR_TCP, mark), 6);
    assert_true(ho_host_sock_next(p.host[1], &cursor, p.now, &info)); /* the listener */
    assert_true(ho_host_sock_next(p.host[1], &cursor, p.now, &info));
    assert_int_equal(info.tcp.state, HO_TCP_SYN_RECV);
    ho_pair_run_for(&p, ho_s(6));
    cursor = 0;
    assert_true(ho_host_sock_next(p.host[1], &cursor, p.now, &info));
    assert_false(ho_host_sock_next(p.host[1], &cursor, p.now, &info));
    assert_int_equal(ho_pair_poll(&p, 1, listener), 0);
}

static void loopback_connects_at_once(void **state)
{
    char c = 0;

    (void)state;
    int64_t listener = ho_pair_listen(&p, 0, 80, 5);
    int64_t fd = ho_pair_socket(&p, 0, false);
    static struct ho_op connect;
    connect = (struct ho_op){ .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = p.addr[0], .port = 80 };
    static struct ho_op accept;
    accept = (struct ho_op){ .kind = HO_OP_ACCEPT, .fd = (int)listener };
    assert_true(ho_pair_start(&p, 0, &connect));
    assert_int_equal(connect.ret, 0);
    assert_true(ho_pair_start(&p, 0, &accept));
    assert_int_equal(ho_pair_send(&p, 0, fd, "z", 1), 1);
    assert_int_equal(ho_pair_recv(&p, 0, accept.ret, &c, 1), 1);
    assert_int_equal(c, 'z');
    assert_int_equal(p.n_sent, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define T6(name)                                        \
    (const struct CMUnitTest)                           \
    {                                                   \
#name " (IPv6)", name, setup_v6, teardown, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_connection_carries_bytes_both_ways),
        T6(a_connection_carries_bytes_both_ways),
        T(a_closed_port_refuses),
        T6(a_closed_port_refuses),
        T(connect_to_an_absent_host_fails_after_three_requests),
        T6(connect_to_an_absent_host_fails_after_three_requests),
        T(with_lo_down_nobody_hears_of_the_failure),
        T(nonblocking_connect_says_einprogress_then_ealready_then_0_then_eisconn),
        T(a_refused_nonblocking_connect_is_told_once_and_can_be_tried_again),
        T(killing_a_process_closes_its_connections),
        T(an_orphan_in_fin_wait_2_is_gone_after_a_minute),
        T(killing_a_process_with_unread_data_resets),
        T6(killing_a_process_with_unread_data_resets),
        T(a_rebooted_host_resets),
        T(a_rebooted_host_reconnects_from_the_same_port),
        T(a_blocked_recv_returns_what_came_together),
        T6(a_blocked_recv_returns_what_came_together),
        T(a_recv_that_was_woken_ends_with_its_descriptor),
        T(keepalive_ends_a_silent_connection_and_tells_with_etimedout),
        T6(keepalive_ends_a_silent_connection_and_tells_with_etimedout),
        T(own_carrier_lost_ends_with_ehostunreach),
        T(what_timers_send_to_their_own_host_arrives_behind_them),
        T(data_in_flight_gives_up_by_time),
        T(a_deleted_route_is_remembered_as_enetunreach),
        T(a_lingering_close_waits_for_its_time_and_returns_0),
        T(linger_0_resets_at_once),
        T(a_blocked_send_returns_its_partial_count),
        T(the_accept_queue_is_bounded),
        T(a_request_without_its_ack_is_dropped_after_64_s),
        T(loopback_connects_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
