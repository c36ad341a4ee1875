/* The public library: include/halfopen/halfopen.h. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "halfopen/halfopen.h"
#include "model/model.h"

static const char two_hosts[] = "host client\nhost server\ncable client -- server delay 1ms\n"
                                "neighbours static\nlasts 1h\n";

/* A world, a server process with a listener on port 80, a client process, both connected. */
struct world {
    struct halfopen *w;
    int server, listener, accepted;
    int client, fd;
};

static void make(struct world *x, const char *text)
{
    struct halfopen_error e = { .text = "" };

    if (halfopen_new(&x->w, "test", text, strlen(text), &e) != 0) {
        fail_msg("line %u, column %u: %s", e.line, e.column, e.text);
    }
}

static void make_connected(struct world *x)
{
    make(x, two_hosts);
    x->server = halfopen_process(x->w, "server", "srv");
    x->client = halfopen_process(x->w, "client", "cli");
    assert_true(x->server > 0 && x->client > 0 && x->server != x->client);
    x->listener = halfopen_socket(x->w, x->server, "server");
    assert_int_equal(halfopen_bind(x->w, x->server, x->listener, "0.0.0.0", 80), 0);
    assert_int_equal(halfopen_listen(x->w, x->server, x->listener, 8), 0);
    assert_int_equal(halfopen_accept(x->w, x->server, x->listener), -EAGAIN);
    x->fd = halfopen_socket(x->w, x->client, "server");
    assert_int_equal(halfopen_connect(x->w, x->client, x->fd, "server", 80), -EINPROGRESS);
    assert_int_equal(halfopen_run(x->w, 100 * HALFOPEN_MS), 0);
    x->accepted = halfopen_accept(x->w, x->server, x->listener);
    assert_true(x->accepted >= 0);
    assert_int_equal(halfopen_poll(x->w, x->client, x->fd), HALFOPEN_POLLOUT);
}

static void bytes_arrive_as_they_were_sent(void **state)
{
    struct world x;
    char buf[64];

    (void)state;
    make_connected(&x);
    assert_int_equal(halfopen_send(x.w, x.client, x.fd, "hello", 5), 5);
    assert_int_equal(halfopen_recv(x.w, x.server, x.accepted, buf, sizeof(buf)), -EAGAIN);
    assert_int_equal(halfopen_run(x.w, 200 * HALFOPEN_MS), 0);
    assert_int_equal(halfopen_poll(x.w, x.server, x.accepted), HALFOPEN_POLLIN | HALFOPEN_POLLOUT);
    assert_int_equal(halfopen_recv(x.w, x.server, x.accepted, buf, sizeof(buf)), 5);
    assert_memory_equal(buf, "hello", 5);
    assert_int_equal(halfopen_shutdown(x.w, x.client, x.fd, 1), 0);
    assert_int_equal(halfopen_run(x.w, 300 * HALFOPEN_MS), 0);
    assert_int_equal(halfopen_recv(x.w, x.server, x.accepted, buf, sizeof(buf)), 0);
    assert_int_equal(halfopen_close(x.w, x.server, x.accepted), 0);
    assert_int_equal(halfopen_send(x.w, x.server, x.accepted, "x", 1), -EBADF);
    halfopen_free(x.w);
}

/* ground-truth B 9: the death is the first retransmission plus the timeout. */
static void a_cut_is_noticed_and_the_verdict_says_why(void **state)
{
    struct halfopen_verdict v;
    struct world x;
    int64_t value = 0;

    (void)state;
    make_connected(&x);
    assert_int_equal(halfopen_setsockopt(x.w, x.client, x.fd, "TCP_USER_TIMEOUT", 10000), 0);
    assert_int_equal(halfopen_getsockopt(x.w, x.client, x.fd, "TCP_USER_TIMEOUT", &value), 0);
    assert_int_equal(value, 10000);
    assert_int_equal(halfopen_do(x.w, "cut client -- server", NULL), 0);
    assert_int_equal(halfopen_send(x.w, x.client, x.fd, "x", 1), 1);
    assert_int_equal(halfopen_run(x.w, 10 * HALFOPEN_S), 0);
    assert_int_equal(halfopen_poll(x.w, x.client, x.fd), HALFOPEN_POLLOUT);
    assert_int_equal(halfopen_run(x.w, 11 * HALFOPEN_S), 0);
    assert_true(halfopen_poll(x.w, x.client, x.fd) & (int)HALFOPEN_POLLERR);
    assert_int_equal(halfopen_getsockopt(x.w, x.client, x.fd, "SO_ERROR", &value), 0);
    assert_int_equal(value, ETIMEDOUT);

    assert_int_equal(halfopen_verdict(x.w, 0, &v), 0);
    assert_string_equal(v.host, "client");
    assert_string_equal(v.process, "cli");
    assert_string_equal(v.cause, "user-timeout");
    assert_string_equal(v.knob, "TCP_USER_TIMEOUT=10000");
    assert_true(v.kernel_at > 10 * HALFOPEN_S && v.kernel_at < 11 * HALFOPEN_S);
    assert_int_equal(v.app_at, 11 * HALFOPEN_S);
    assert_int_equal(halfopen_verdict(x.w, 1, &v), 0);
    assert_string_equal(v.cause, "nobody-noticed");
    assert_int_equal(halfopen_verdict(x.w, 2, &v), -ENOENT);
    assert_non_null(strstr(halfopen_table(x.w), "TCP_USER_TIMEOUT=10000"));
    assert_non_null(strstr(halfopen_ladder(x.w), "cut client -- server"));
    halfopen_free(x.w);
}

static void a_killed_process_leaves_a_fin(void **state)
{
    struct world x;
    char byte;

    (void)state;
    make_connected(&x);
    assert_int_equal(halfopen_kill(x.w, x.client), 0);
    assert_int_equal(halfopen_kill(x.w, x.client), -ESRCH);
    assert_int_equal(halfopen_send(x.w, x.client, x.fd, "x", 1), -ESRCH);
    assert_int_equal(halfopen_run(x.w, 200 * HALFOPEN_MS), 0);
    assert_int_equal(halfopen_recv(x.w, x.server, x.accepted, &byte, 1), 0);
    halfopen_free(x.w);
}

static void a_host_without_power_has_no_processes(void **state)
{
    struct world x;
    char byte;

    (void)state;
    make_connected(&x);
    assert_int_equal(halfopen_do(x.w, "client power-off", NULL), 0);
    assert_int_equal(halfopen_process(x.w, "client", "again"), -ENETDOWN);
    assert_int_equal(halfopen_send(x.w, x.client, x.fd, "x", 1), -ESRCH);
    assert_int_equal(halfopen_do(x.w, "client boot", NULL), 0);
    assert_true(halfopen_process(x.w, "client", "again") > 0);
    /* The rebooted kernel knows nothing of the connection: RST (ground-truth 8a). */
    assert_int_equal(halfopen_send(x.w, x.server, x.accepted, "x", 1), 1);
    assert_int_equal(halfopen_run(x.w, 5 * HALFOPEN_S), 0);
    assert_int_equal(halfopen_recv(x.w, x.server, x.accepted, &byte, 1), -ECONNRESET);
    halfopen_free(x.w);
}

static void a_scenario_is_played_on_the_way(void **state)
{
    static const char text[] = "host client\nhost server\ncable client -- server\n"
                               "neighbours static\nconnection client -> server:80\n"
                               "set all net.ipv4.tcp_retries2 3\nat 10s cut\n"
                               "at 11s server send 1000\nlasts 60s\n"
                               "expect server notices ETIMEDOUT\nexpect client notices ETIMEDOUT\n";
    struct world x;
    size_t len;

    (void)state;
    make(&x, text);
    assert_int_equal(halfopen_end(x.w), 60 * HALFOPEN_S);
    assert_int_equal(halfopen_run(x.w, halfopen_end(x.w)), 0);
    assert_int_equal(halfopen_now(x.w), 60 * HALFOPEN_S);
    assert_int_equal(halfopen_failed(x.w), 1); /* the client is never told */
    const char *lines = halfopen_timeline(x.w, &len);

    assert_non_null(lines);
    assert_int_equal(strlen(lines), len);
    assert_int_equal(strncmp(lines, "{\"t_us\":0,\"kind\":\"settings\"", 27), 0);
    assert_int_equal(halfopen_run(x.w, 1), -EINVAL); /* the past */
    halfopen_free(x.w);
}

static void mistakes_are_told_and_change_nothing(void **state)
{
    static const char bad[] = "host client\nhost server\ncable client == server\n";
    struct halfopen_error e;
    struct halfopen *w = NULL;
    struct world x;

    (void)state;
    assert_int_equal(halfopen_new(&w, "bad", bad, strlen(bad), &e), -EINVAL);
    assert_null(w);
    assert_int_equal(e.line, 3);
    assert_non_null(strstr(e.text, "expected"));
    make(&x, two_hosts);
    assert_int_equal(halfopen_do(x.w, "cut the rope", &e), -EINVAL);
    assert_int_equal(halfopen_do(x.w, "cut\nat 5s plug", &e), -EINVAL);
    assert_int_equal(halfopen_do(x.w, "server boot", &e), -EINVAL);
    assert_non_null(strstr(e.text, "has power already"));
    assert_int_equal(halfopen_process(x.w, "nobody", "p"), -ENOENT);
    assert_int_equal(halfopen_socket(x.w, 7, "server"), -ESRCH);
    int p = halfopen_process(x.w, "client", "p");
    int fd = halfopen_socket(x.w, p, "server");

    assert_int_equal(halfopen_connect(x.w, p, fd, "nowhere", 80), -EINVAL);
    assert_int_equal(halfopen_setsockopt(x.w, p, fd, "SO_NONSENSE", 1), -EINVAL);
    assert_int_equal(halfopen_recv(x.w, p, 99, NULL, 0), -EBADF);
    assert_int_equal(halfopen_run(x.w, HALFOPEN_S), 0);
    halfopen_free(x.w);
    halfopen_free(NULL);
}

static void programs_of_the_catalogue_run_beside_ones_own(void **state)
{
    struct world x;
    char buf[32];

    (void)state;
    make(&x, two_hosts);
    assert_int_equal(halfopen_do(x.w, "server run echo-server port=7", NULL), 0);
    int p = halfopen_process(x.w, "client", "p");
    int fd = halfopen_socket(x.w, p, "server");

    assert_int_equal(halfopen_connect(x.w, p, fd, "server", 7), -EINPROGRESS);
    assert_int_equal(halfopen_run(x.w, 100 * HALFOPEN_MS), 0);
    assert_int_equal(halfopen_send(x.w, p, fd, "ping", 4), 4);
    assert_int_equal(halfopen_run(x.w, 200 * HALFOPEN_MS), 0);
    assert_int_equal(halfopen_recv(x.w, p, fd, buf, sizeof(buf)), 4);
    assert_memory_equal(buf, "ping", 4);
    halfopen_free(x.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_arrive_as_they_were_sent),
        cmocka_unit_test(a_cut_is_noticed_and_the_verdict_says_why),
        cmocka_unit_test(a_killed_process_leaves_a_fin),
        cmocka_unit_test(a_host_without_power_has_no_processes),
        cmocka_unit_test(a_scenario_is_played_on_the_way),
        cmocka_unit_test(mistakes_are_told_and_change_nothing),
        cmocka_unit_test(programs_of_the_catalogue_run_beside_ones_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
