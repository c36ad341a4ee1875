/* Unit tests of the behaviours http-server and http-client (src/program/web_*.c), with each other
 * and with clients and servers that misbehave, over sockets in memory.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "program/program.h"
#include "support/fake_sockets.h"

#define S INT64_C(1000000000)
#define MS INT64_C(1000000)

static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

static struct ho_time at(int64_t ns)
{
    return (struct ho_time){ ns };
}

static const char *note(const struct fake *f, int program, const char *who, unsigned n)
{
    const struct ho_program_event *e = fake_event(f, program, HO_PROGRAM_NOTE, who, n);

    return e != NULL ? e->note : "";
}

/* ---- both behaviours --------------------------------------------------------------------------
 */

static void ten_requests_use_one_connection(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "http-server", "80 log=brief"), c, status = -1;

    (void)state;
    c = fake_start(f, "http-client", "10.0.0.2 80 requests=10 interval=5s after=close log=brief");
    fake_run(f, at(100 * S));
    assert_int_equal(fake_count(f, s, HO_PROGRAM_CALL, "accept"), 1);
    assert_int_equal(fake_count(f, s, HO_PROGRAM_NOTE, "http-server"), 10);
    assert_int_equal(fake_count(f, c, HO_PROGRAM_NOTE, "http-client"), 10);
    assert_string_equal(note(f, s, "http-server", 0), "GET /: 200");
    assert_string_equal(note(f, c, "http-client", 9), "200, 100 bytes");
    assert_true(ho_program_exited(f->program[c], &status));
    assert_int_equal(status, 0);
    fake_free(f);
}

/* The articles' timer: 60 s after the last response, whatever TCP thinks. */
static void keepalive_timeout_closes_an_idle_connection_after_60_s(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "http-server", "80 log=brief"), c, status = -1;
    const struct ho_program_event *e;

    (void)state;
    c = fake_start(f, "http-client", "10.0.0.2 80 requests=1 log=brief");
    fake_run(f, at(100 * S));
    /* connect 2 ms, request 1 ms; the response is sent then */
    e = fake_event(f, s, HO_PROGRAM_FINDING, "keepalive_timeout", 0);
    assert_non_null(e);
    assert_int_equal(e->at.ns, 60 * S + 3 * MS);
    assert_string_equal(e->detail, "keepalive_timeout=60s");
    assert_string_equal(note(f, c, "http-client", 1), "closed by the server while idle");
    assert_true(ho_program_exited(f->program[c], &status));
    assert_int_equal(status, 0);
    fake_free(f);
}

/* ... and also when the client's host is gone. */
static void keepalive_timeout_releases_a_connection_whose_client_vanished(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "http-server", "80 keepalive_timeout=30s"), c;

    (void)state;
    c = fake_start(f, "http-client", "10.0.0.2 80 requests=1");
    fake_run(f, at(S));
    f->cut = true;
    fake_run(f, at(86400 * S));
    assert_int_equal(fake_event(f, s, HO_PROGRAM_FINDING, "keepalive_timeout", 0)->at.ns,
                     30 * S + 3 * MS);
    assert_int_equal(fake_conn_of(f, s), -1);
    assert_true(fake_conn_of(f, c) >= 0); /* which was told nothing */
    fake_free(f);
}

/* Requests rarer than keepalive_timeout: each finds its connection closed and opens a new one. */
static void the_client_notices_the_close_and_reconnects(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "http-server", "80 keepalive_timeout=10s log=brief"), c, status = -1;

    (void)state;
    c = fake_start(f, "http-client", "10.0.0.2 80 requests=3 interval=20s after=close log=brief");
    fake_run(f, at(100 * S));
    assert_int_equal(fake_count(f, c, HO_PROGRAM_CALL, "connect"), 3);
    assert_int_equal(fake_count(f, s, HO_PROGRAM_FINDING, "keepalive_timeout"), 2);
    assert_true(ho_program_exited(f->program[c], &status));
    assert_int_equal(status, 0);
    fake_free(f);
}

/* The race of kept connections: the request and the server's FIN cross. GET is made again. */
static void a_request_that_meets_the_close_is_made_again(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "http-server", "80 keepalive_timeout=10s log=brief"), c, status = -1;

    (void)state;
    f->delay = ho_ms(50);
    /* response sent at 150 ms, got at 200 ms; server closes at 10.150, request at 10.149 s */
    c = fake_start(f, "http-client",
                   "10.0.0.2 80 requests=2 interval=9949ms after=close log=brief");
    fake_run(f, at(100 * S));
    assert_int_equal(fake_count(f, c, HO_PROGRAM_CALL, "connect"), 2);
    assert_string_equal(note(f, c, "http-client", 1),
                        "the request is made again on a new connection");
    assert_true(ho_program_exited(f->program[c], &status));
    assert_int_equal(status, 0);
    (void)s;
    fake_free(f);
}

/* The same with POST: it might be done twice, so it fails. */
static void a_post_that_meets_the_close_fails(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "http-server", "80 keepalive_timeout=10s log=brief"), c, status = -1;

    (void)state;
    f->delay = ho_ms(50);
    c = fake_start(f, "http-client",
                   "10.0.0.2 80 method=POST content=50 requests=2 interval=9949ms after=close "
                   "log=brief");
    fake_run(f, at(100 * S));
    assert_string_equal(note(f, c, "http-client", 1), "the request failed");
    assert_true(ho_program_exited(f->program[c], &status));
    assert_int_equal(status, 1);
    (void)s;
    fake_free(f);
}

static void content_goes_both_ways_in_pieces(void **state)
{
    (void)state;
    for (size_t n = 1; n < 40; n += 3) {
        struct fake *f = fake_new();
        int s, c, status = -1;

        f->max_recv = n;
        f->max_send = n + 1;
        f->room = 1000;
        s = fake_start(f, "http-server", "80 content=3000 log=brief");
        c = fake_start(f, "http-client", "10.0.0.2 80 requests=2 interval=0 after=close log=brief");
        fake_run(f, at(50 * S));
        assert_true(ho_program_exited(f->program[c], &status));
        assert_int_equal(status, 0); /* 1 if the content were not the stream */
        assert_string_equal(note(f, c, "http-client", 1), "200, 3000 bytes");
        c = fake_start(f, "http-client",
                       "10.0.0.2 80 method=PUT content=5000 requests=1 after=close log=brief");
        fake_run(f, at(100 * S));
        assert_true(ho_program_exited(f->program[c], &status));
        assert_int_equal(status, 0);
        assert_string_equal(note(f, c, "http-client", 0), "200, 20 bytes");
        (void)s;
        fake_free(f);
    }
}

/* ---- a server and odd clients -----------------------------------------------------------------
 */

static struct fake *serving(const char *args, int *ret_s, int *ret_fd)
{
    struct fake *f = fake_new();

    *ret_s = fake_start(f, "http-server", args);
    *ret_fd = fake_connect(f, 80);
    fake_run(f, at(5 * MS));
    return f;
}

static void a_refused_request_is_answered_and_the_connection_drained(void **state)
{
    int s, fd;
    struct fake *f = serving("80", &s, &fd);
    char buf[1000] = "";

    (void)state;
    fake_send(f, fd, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 28);
    fake_run(f, at(10 * MS));
    assert_true(fake_recv(f, fd, buf, sizeof(buf) - 1) > 0);
    assert_memory_equal(buf, "HTTP/1.1 501 Not Implemented\r\n", 30);
    assert_true(fake_eof(f, fd)); /* half-closed ... */
    assert_true(fake_conn_of(f, s) >= 0);
    fake_send(f, fd, "more", 4); /* ... and what still comes is no RST */
    fake_run(f, at(20 * MS));
    assert_true(fake_conn_of(f, s) >= 0);
    fake_close(f, fd);
    fake_run(f, at(30 * MS));
    assert_int_equal(fake_conn_of(f, s), -1);
    fake_free(f);
}

static void a_client_that_never_closes_is_closed_after_linger_timeout(void **state)
{
    int s, fd;
    struct fake *f = serving("80 linger_timeout=5s log=brief", &s, &fd);

    (void)state;
    fake_send(f, fd, "x\r\n\r\n", 5);
    fake_run(f, at(60 * S));
    assert_string_equal(note(f, s, "http-server", 0), "refused: 400");
    assert_string_equal(note(f, s, "http-server", 1), "the client did not close: closed");
    assert_int_equal(fake_event(f, s, HO_PROGRAM_CALL, "close", 0)->at.ns, 5 * S + 6 * MS);
    fake_free(f);
}

static void a_slow_head_gets_408(void **state)
{
    int s, fd;
    struct fake *f = serving("80 header_timeout=10s", &s, &fd);
    char buf[1000] = "";

    (void)state;
    for (int i = 0; i < 20; i++) { /* a byte a second */
        fake_send(f, fd, get + i, 1);
        fake_run(f, at((i + 1) * S));
    }
    assert_int_equal(fake_event(f, s, HO_PROGRAM_FINDING, "header_timeout", 0)->at.ns,
                     10 * S + 6 * MS);
    fake_recv(f, fd, buf, sizeof(buf) - 1);
    assert_memory_equal(buf, "HTTP/1.1 408 Request Timeout\r\n", 30);
    fake_free(f);
}

static void a_client_that_does_not_read_is_closed_by_send_timeout(void **state)
{
    struct fake *f = fake_new();
    int s, fd;

    (void)state;
    f->room = 100;
    s = fake_start(f, "http-server", "80 content=5000 send_timeout=20s log=brief");
    fd = fake_connect(f, 80);
    fake_run(f, at(5 * MS));
    fake_send(f, fd, get, strlen(get));
    fake_run(f, at(100 * S));
    assert_int_equal(fake_event(f, s, HO_PROGRAM_FINDING, "send_timeout", 0)->at.ns,
                     20 * S + 6 * MS);
    assert_int_equal(fake_conn_of(f, s), -1);
    fake_free(f);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    int s, fd;
    struct fake *f = serving("80 content=3 log=brief", &s, &fd);
    char in[300] = "", out[1000] = "", *second;

    (void)state;
    snprintf(in, sizeof(in), "%s%sPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", get,
             get);
    fake_send(f, fd, in, strlen(in));
    fake_run(f, at(10 * MS));
    fake_recv(f, fd, out, sizeof(out) - 1);
    second = strstr(out + 1, "HTTP/1.1 200 OK");
    assert_non_null(second);
    assert_non_null(strstr(second + 1, "HTTP/1.1 200 OK"));
    assert_non_null(strstr(second, "2 bytes received\n"));
    assert_int_equal(fake_count(f, s, HO_PROGRAM_NOTE, "http-server"), 3);
    fake_free(f);
}

static void errors_end_the_connection_only(void **state)
{
    static const int errors[] = { ECONNRESET, ETIMEDOUT, EPIPE };
    static const enum ho_op_kind kinds[] = { HO_OP_RECV, HO_OP_SEND, HO_OP_SHUTDOWN };

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        int s, fd;
        struct fake *f = serving("80", &s, &fd);
        char buf[500] = "";

        f->fail_kind = kinds[i / 3];
        f->fail_nth = 1;
        f->fail_err = errors[i % 3];
        fake_send(f, fd, "GET / HTTP/1.0\r\n\r\n", 18); /* answered and shut down */
        fake_run(f, at(10 * MS));
        assert_int_equal(f->fail_nth, 0);
        assert_int_equal(fake_conn_of(f, s), -1);
        fd = fake_connect(f, 80);
        fake_run(f, at(20 * MS));
        fake_send(f, fd, get, strlen(get));
        fake_run(f, at(30 * MS));
        assert_true(fake_recv(f, fd, buf, sizeof(buf) - 1) > 0);
        fake_free(f);
    }
}

/* ---- a client and odd servers -----------------------------------------------------------------
 */

static void a_server_that_does_not_answer_is_given_up_after_timeout(void **state)
{
    struct fake *f = fake_new();
    int c, status = -1;

    (void)state;
    fake_listen(f, 80);
    c = fake_start(f, "http-client", "10.0.0.2 80 requests=1 timeout=15s after=close");
    fake_run(f, at(100 * S));
    assert_int_equal(fake_event(f, c, HO_PROGRAM_FINDING, "response_timeout", 0)->at.ns,
                     15 * S + 2 * MS);
    assert_true(ho_program_exited(f->program[c], &status));
    assert_int_equal(status, 1);
    fake_free(f);
}

static void a_server_that_talks_nonsense_fails_the_request(void **state)
{
    struct fake *f = fake_new();
    int l = fake_listen(f, 80), c, fd, status = -1;

    (void)state;
    c = fake_start(f, "http-client", "10.0.0.2 80 requests=1");
    fake_run(f, at(10 * MS));
    fd = fake_accept(f, l);
    fake_send(f, fd, "220 smtp.example\r\n\r\n", 20);
    fake_run(f, at(20 * MS));
    assert_string_equal(note(f, c, "http-client", 0), "what came is not a response");
    assert_string_equal(note(f, c, "http-client", 1), "the request failed");
    assert_true(ho_program_exited(f->program[c], &status));
    assert_int_equal(status, 1);
    fake_free(f);
}

static void refused_connections_count_as_failed_requests(void **state)
{
    struct fake *f = fake_new();
    int c = fake_start(f, "http-client", "10.0.0.2 80 requests=3 interval=1s"), status = -1;

    (void)state;
    fake_run(f, at(10 * S));
    assert_int_equal(fake_count(f, c, HO_PROGRAM_CALL, "connect"), 3);
    assert_int_equal(fake_event(f, c, HO_PROGRAM_CALL, "connect", 2)->at.ns, 2 * S + 6 * MS);
    assert_true(ho_program_exited(f->program[c], &status));
    assert_int_equal(status, 1);
    fake_free(f);
}

static void without_reconnect_the_first_loss_is_the_end(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "http-server", "80 keepalive_timeout=5s"), c, status = -1;

    (void)state;
    c = fake_start(f, "http-client", "10.0.0.2 80 requests=3 interval=20s reconnect=no");
    fake_run(f, at(100 * S));
    assert_true(ho_program_exited(f->program[c], &status));
    assert_int_equal(status, 1);
    assert_int_equal(fake_count(f, c, HO_PROGRAM_CALL, "connect"), 1);
    (void)s;
    fake_free(f);
}

static void texts_that_would_change_the_request_are_refused(void **state)
{
    struct ho_program_arg args[] = { { NULL, "10.0.0.2" }, { NULL, "80" }, { "target", "/a b" } };
    struct ho_program_error error;

    (void)state;
    assert_int_equal(ho_program_check("http-client", args, 3, &error), -EINVAL);
    assert_string_equal(error.text,
                        "target: found \"/a b\", expected at most 63 visible characters "
                        "such as /index.html");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_requests_use_one_connection),
        cmocka_unit_test(keepalive_timeout_closes_an_idle_connection_after_60_s),
        cmocka_unit_test(keepalive_timeout_releases_a_connection_whose_client_vanished),
        cmocka_unit_test(the_client_notices_the_close_and_reconnects),
        cmocka_unit_test(a_request_that_meets_the_close_is_made_again),
        cmocka_unit_test(a_post_that_meets_the_close_fails),
        cmocka_unit_test(content_goes_both_ways_in_pieces),
        cmocka_unit_test(a_refused_request_is_answered_and_the_connection_drained),
        cmocka_unit_test(a_client_that_never_closes_is_closed_after_linger_timeout),
        cmocka_unit_test(a_slow_head_gets_408),
        cmocka_unit_test(a_client_that_does_not_read_is_closed_by_send_timeout),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(errors_end_the_connection_only),
        cmocka_unit_test(a_server_that_does_not_answer_is_given_up_after_timeout),
        cmocka_unit_test(a_server_that_talks_nonsense_fails_the_request),
        cmocka_unit_test(refused_connections_count_as_failed_requests),
        cmocka_unit_test(without_reconnect_the_first_loss_is_the_end),
        cmocka_unit_test(texts_that_would_change_the_request_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
