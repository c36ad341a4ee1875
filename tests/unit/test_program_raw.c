/* Unit tests of the behaviour `raw` (src/program/raw*.c) over sockets in memory. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "program/program.h"
#include "program/stream.h"
#include "support/fake_sockets.h"

static struct ho_time ms(int64_t n)
{
    return (struct ho_time){ n * 1000000 };
}

/* A server x and a client k as the ground-truth applications are. */
static struct fake *pair(int *ret_server, int *ret_client)
{
    struct fake *f = fake_new();

    *ret_server = fake_start(f, "raw", "");
    *ret_client = fake_start(f, "raw", "");
    fake_do(f, *ret_server, "listen 5000 name=x watch=yes read=epoll on_error=probe");
    fake_do(f, *ret_client,
            "connect 10.0.0.2 5000 from=40000 as=k watch=after read=epoll on_error=probe");
    fake_run(f, ms(10));
    return f;
}

static void connect_and_accept_look_as_in_the_ground_truth(void **state)
{
    int s, c;
    struct fake *f = pair(&s, &c);

    (void)state;
    assert_string_equal(fake_transcript(f, c), "0.000000 k connect enter\n"
                                               "0.002000 k connect =0\n"
                                               "0.002000 k epoll OUT\n");
    assert_string_equal(fake_transcript(f, s), "0.000000 L listen =0\n"
                                               "0.000000 L epoll IN\n"
                                               "0.000000 x accept\n"
                                               "0.000000 x epoll OUT\n");
    assert_int_equal(fake_event(f, c, HO_PROGRAM_CALL, "connect", 0)->local_port, 40000);
    assert_int_equal(fake_event(f, c, HO_PROGRAM_CALL, "connect", 0)->took.ns, 2000000);
    assert_int_equal(fake_event(f, s, HO_PROGRAM_CALL, "accept", 0)->peer_port, 40000);
    fake_free(f);
}

/* ground-truth s05: the order of the calls after an error. */
static void an_error_is_followed_by_the_probe_of_later_calls(void **state)
{
    int s, c;
    struct fake *f = pair(&s, &c);

    (void)state;
    f->n_log = 0;
    fake_do(f, s, "send 1000 on=x");
    fake_run(f, ms(20));
    fake_break(f, fake_conn_of(f, s), ETIMEDOUT);
    fake_run(f, ms(30));

    assert_string_equal(fake_transcript(f, s), "0.010000 x send 1000 =1000\n"
                                               "0.020000 x epoll IN|OUT|ERR|HUP|RDHUP\n"
                                               "0.020000 x recv =-1 ETIMEDOUT\n"
                                               "0.020000 x recv =0 (2nd recv)\n"
                                               "0.020000 x send 1 =-1 EPIPE (1st send after)\n"
                                               "0.020000 x send 1 =-1 EPIPE (2nd send after)\n"
                                               "0.020000 x poll IN|OUT|HUP|RDHUP (after)\n");
    assert_string_equal(fake_transcript(f, c), "0.011000 k epoll IN|OUT\n"
                                               "0.011000 k recv =1000\n");
    assert_true(fake_event(f, c, HO_PROGRAM_CALL, "recv", 0)->stream_ok);
    fake_free(f);
}

static void a_thread_reads_without_epoll_and_tells_the_error_once(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "raw", ""), c = fake_start(f, "raw", "");

    (void)state;
    fake_do(f, s, "listen 5000");
    fake_do(f, c, "connect 10.0.0.2 5000");
    fake_run(f, ms(5));
    fake_do(f, c, "send 300 block=yes");
    fake_run(f, ms(10));
    fake_break(f, fake_conn_of(f, s), ECONNRESET);
    fake_run(f, ms(20));

    assert_string_equal(fake_transcript(f, s), "0.000000 L listen =0\n"
                                               "0.000000 1 accept\n"
                                               "0.006000 1 recv =300\n"
                                               "0.010000 1 recv =-1 ECONNRESET\n");
    assert_string_equal(fake_transcript(f, c), "0.000000 1 connect enter\n"
                                               "0.002000 1 connect =0\n"
                                               "0.005000 1 send 300 =300\n");
    fake_free(f);
}

static void end_of_stream_is_read_once_and_closes_when_told_so(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "raw", ""), c = fake_start(f, "raw", "");

    (void)state;
    fake_do(f, s, "listen 5000");
    fake_do(f, s, "react on_eof=close");
    fake_do(f, c, "connect 10.0.0.2 5000 as=k");
    fake_run(f, ms(5));
    f->n_log = 0;
    fake_do(f, c, "close");
    fake_run(f, ms(10));

    assert_string_equal(fake_transcript(f, s), "0.006000 1 recv =0\n"
                                               "0.006000 1 close =0\n");
    assert_string_equal(fake_transcript(f, c), "0.005000 k close =0\n");
    fake_free(f);
}

static void a_stopped_reader_leaves_data_and_resumes(void **state)
{
    int s, c;
    struct fake *f = pair(&s, &c);

    (void)state;
    f->n_log = 0;
    fake_do(f, c, "reading no");
    fake_do(f, s, "send 100 on=x");
    fake_run(f, ms(20));
    fake_do(f, c, "drain");
    fake_do(f, s, "send 50 on=x");
    fake_run(f, ms(30));
    fake_do(f, c, "reading yes");
    fake_do(f, s, "send 10 on=x");
    fake_run(f, ms(40));

    assert_string_equal(fake_transcript(f, c), "0.011000 k epoll IN|OUT\n"
                                               "0.020000 k recv =100\n"
                                               "0.020000 k recv =-1 EAGAIN\n"
                                               "0.021000 k epoll IN|OUT\n"
                                               "0.030000 k recv =50\n"
                                               "0.031000 k epoll IN|OUT\n"
                                               "0.031000 k recv =10\n");
    fake_free(f);
}

static void a_reading_thread_can_be_stopped_and_resumed(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "raw", ""), c = fake_start(f, "raw", "");

    (void)state;
    fake_do(f, s, "listen 5000");
    fake_do(f, c, "connect 10.0.0.2 5000");
    fake_run(f, ms(5));
    f->n_log = 0;
    fake_do(f, s, "reading no");
    fake_do(f, c, "send 100");
    fake_run(f, ms(10));
    assert_string_equal(fake_transcript(f, s), "");
    fake_do(f, s, "reading yes");
    fake_run(f, ms(12));
    assert_string_equal(fake_transcript(f, s), "0.010000 1 recv =100\n");
    fake_free(f);
}

static void send_takes_what_fits_and_says_why_not_more(void **state)
{
    int s, c;
    struct fake *f = pair(&s, &c);

    (void)state;
    fake_do(f, c, "reading no");
    f->room = 30408;
    f->n_log = 0;
    fake_do(f, s, "send 60000 on=x");
    fake_do(f, s, "send 30000 on=x");
    fake_do(f, s, "fill");
    assert_string_equal(fake_transcript(f, s), "0.010000 x send 60000 =30408 EAGAIN\n"
                                               "0.010000 x send 30000 =-1 EAGAIN\n"
                                               "0.010000 x send =-1 EAGAIN\n");
    fake_free(f);
}

/* A blocked send() is a thread of its own: poll() beside it answers at once. */
static void a_blocked_send_holds_up_sends_only(void **state)
{
    int s, c;
    struct fake *f = pair(&s, &c);

    (void)state;
    fake_do(f, c, "reading no");
    f->room = 1000;
    fake_do(f, s, "fill");
    fake_run(f, ms(20));
    f->n_log = 0;
    fake_do(f, s, "send 100 block=yes note=stuck");
    fake_do(f, s, "send 7 block=yes");
    fake_do(f, s, "poll");
    fake_do(f, s, "getsockopt SO_ERROR");
    fake_do(f, s, "status");
    fake_run(f, ms(30));
    assert_string_equal(fake_transcript(f, s), "0.020000 x send enter (stuck)\n"
                                               "0.020000 x poll \n"
                                               "0.020000 x getsockopt =0 SO_ERROR 0\n"
                                               "0.020000 x status\n");
    f->n_log = 0;
    fake_do(f, c, "drain");
    fake_run(f, ms(40));
    assert_string_equal(fake_transcript(f, s), "0.030000 x epoll OUT\n"
                                               "0.030000 x send 100 =100 (stuck)\n"
                                               "0.030000 x send 7 =7\n");
    assert_int_equal(fake_event(f, s, HO_PROGRAM_CALL, "send", 0)->took.ns, 10000000);
    fake_free(f);
}

/* ground-truth s03y_blocked_send: the partial count, and the error at the next call. */
static void a_blocked_call_ends_with_the_connection(void **state)
{
    int s, c;
    struct fake *f = pair(&s, &c);

    (void)state;
    fake_do(f, s, "reading no");
    f->n_log = 0;
    fake_do(f, s, "recv block=yes on=x");
    fake_run(f, ms(20));
    fake_break(f, fake_conn_of(f, s), ETIMEDOUT);
    fake_run(f, ms(30));
    fake_do(f, s, "recv note=after");
    fake_do(f, s, "send 1");

    assert_string_equal(fake_transcript(f, s), "0.010000 x recv enter\n"
                                               "0.020000 x epoll IN|OUT|ERR|HUP|RDHUP\n"
                                               "0.020000 x recv =-1 ETIMEDOUT\n"
                                               "0.030000 x recv =0 (after)\n"
                                               "0.030000 x send 1 =-1 EPIPE\n");
    fake_free(f);
}

static void a_refused_connect_leaves_a_socket_that_can_be_asked(void **state)
{
    struct fake *f = fake_new();
    int c = fake_start(f, "raw", "");

    (void)state;
    fake_do(f, c, "connect 10.0.0.2 5000 as=k watch=after");
    fake_run(f, ms(10));
    fake_do(f, c, "poll");
    fake_do(f, c, "getsockopt");
    assert_string_equal(fake_transcript(f, c), "0.000000 k connect enter\n"
                                               "0.002000 k connect =-1 ECONNREFUSED\n"
                                               "0.002000 k epoll OUT|HUP\n"
                                               "0.010000 k poll OUT|HUP\n"
                                               "0.010000 k getsockopt =0 SO_ERROR 0\n");
    fake_free(f);
}

static void epoll_can_join_before_and_during_connect(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "raw", ""), c = fake_start(f, "raw", "");

    (void)state;
    fake_do(f, s, "listen 5000");
    fake_do(f, c, "connect 10.0.0.2 5000 as=a watch=before");
    fake_do(f, c, "connect 10.0.0.2 5000 as=b watch=during");
    fake_run(f, ms(10));
    assert_string_equal(fake_transcript(f, c), "0.000000 a epoll OUT|HUP\n"
                                               "0.000000 a connect enter\n"
                                               "0.000000 b connect enter\n"
                                               "0.002000 a epoll OUT\n"
                                               "0.002000 b epoll OUT\n"
                                               "0.002000 a connect =0\n"
                                               "0.002000 b connect =0\n");
    fake_free(f);
}

static void a_send_repeats_exactly_and_stops(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "raw", ""), c = fake_start(f, "raw", "");

    (void)state;
    fake_do(f, s, "listen 5000");
    fake_do(f, c, "connect 10.0.0.2 5000 as=k");
    fake_run(f, ms(10));
    f->n_log = 0;
    fake_do(f, c, "send 50 every=1500ms times=3");
    fake_run(f, ms(10000));
    assert_string_equal(fake_transcript(f, c), "0.010000 k send 50 =50\n"
                                               "1.510000 k send 50 =50\n"
                                               "3.010000 k send 50 =50\n");
    f->n_log = 0;
    fake_do(f, c, "send 1 every=1s");
    fake_run(f, ms(11500));
    fake_do(f, c, "stop-sending");
    fake_run(f, ms(20000));
    assert_string_equal(fake_transcript(f, c), "10.000000 k send 1 =1\n"
                                               "11.000000 k send 1 =1\n");
    fake_free(f);
}

static void a_listener_can_stop_and_resume_accepting(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "raw", ""), c = fake_start(f, "raw", "");

    (void)state;
    fake_do(f, s, "listen 5000 accept=no");
    fake_do(f, c, "connect 10.0.0.2 5000");
    fake_do(f, c, "connect 10.0.0.2 5000");
    fake_do(f, c, "connect 10.0.0.2 5000");
    fake_run(f, ms(5));
    f->n_log = 0;
    fake_do(f, s, "accept as=first");
    fake_run(f, ms(10));
    fake_do(f, s, "accepting yes");
    fake_run(f, ms(15));
    fake_do(f, s, "accepting no");
    fake_do(f, c, "connect 10.0.0.2 5000");
    fake_run(f, ms(20));
    assert_string_equal(fake_transcript(f, s), "0.005000 first accept\n"
                                               "0.010000 1 accept\n"
                                               "0.010000 2 accept\n");
    fake_free(f);
}

/* Level-triggered, an event that nobody acts on must not be reported for ever. */
static void level_triggered_reports_and_does_not_spin(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "raw", ""), c = fake_start(f, "raw", "");

    (void)state;
    fake_do(f, s, "watch yes mode=level");
    fake_do(f, s, "listen 5000 name=x");
    fake_do(f, c, "connect 10.0.0.2 5000 as=k");
    fake_run(f, ms(5));
    fake_do(f, c, "send 10");
    fake_run(f, ms(10));
    fake_do(f, c, "close");
    fake_run(f, ms(20));
    assert_string_equal(fake_transcript(f, s), "0.000000 L listen =0\n"
                                               "0.000000 x accept\n"
                                               "0.000000 x epoll OUT\n"
                                               "0.006000 x epoll IN\n"
                                               "0.006000 x recv =10\n"
                                               "0.011000 x epoll IN|RDHUP\n"
                                               "0.011000 x recv =0\n");
    fake_free(f);
}

/* `option` and `react` without a socket: every connection, later ones too. */
static void verbs_for_the_whole_process_hold_for_later_connections(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "raw", ""), c = fake_start(f, "raw", "");

    (void)state;
    for (int i = 0; i < 12; i++) {
        fake_do(f, s, "option SO_KEEPALIVE 1");
    }
    assert_int_equal(fake_try(f, s, "option SO_KEEPALIVE 1"), -EINVAL);
    fake_do(f, s, "listen 5000 accepted_options=TCP_NODELAY=1");
    f->fail_kind = HO_OP_SETSOCKOPT; /* the listener's own is over: 1, then 12 of the process */
    f->fail_nth = 13;
    f->fail_err = ENOPROTOOPT;
    fake_do(f, c, "connect 10.0.0.2 5000");
    fake_run(f, ms(5));
    assert_int_equal(f->fail_nth, 0);
    assert_string_equal(fake_event(f, s, HO_PROGRAM_CALL, "setsockopt", 0)->detail,
                        "SO_KEEPALIVE=1");
    fake_do(f, s, "react on_error=close");
    fake_break(f, fake_conn_of(f, s), ECONNRESET);
    fake_run(f, ms(10));
    assert_int_equal(fake_conn_of(f, s), -1);
    fake_free(f);
}

static void bytes_that_are_not_the_stream_are_counted(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "raw", ""), fd;
    uint8_t bytes[100];

    (void)state;
    fake_do(f, s, "listen 5000");
    fd = fake_connect(f, 5000);
    ho_stream_fill(bytes, sizeof(bytes), 0);
    bytes[17] ^= 1;
    bytes[99] ^= 0x80;
    fake_run(f, ms(5));
    fake_send(f, fd, bytes, sizeof(bytes));
    fake_run(f, ms(10));
    assert_int_equal(fake_event(f, s, HO_PROGRAM_CALL, "recv", 0)->bad, 2);
    assert_false(fake_event(f, s, HO_PROGRAM_CALL, "recv", 0)->stream_ok);
    fake_free(f);
}

static void calls_that_fail_are_told_and_end_what_they_must(void **state)
{
    static const struct {
        enum ho_op_kind kind;
        int err;
        const char *want;
    } cases[] = {
        { HO_OP_SOCKET, EMFILE, "0.000000 L socket =-1 EMFILE\n" },
        { HO_OP_BIND, EADDRINUSE, "0.000000 L bind =-1 EADDRINUSE\n" },
        { HO_OP_LISTEN, EADDRINUSE, "0.000000 L listen =-1 EADDRINUSE\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake *f = fake_new();
        int s = fake_start(f, "raw", "");

        f->fail_kind = cases[i].kind;
        f->fail_nth = 1;
        f->fail_err = cases[i].err;
        fake_do(f, s, "listen 5000");
        assert_string_equal(fake_transcript(f, s), cases[i].want);
        fake_do(f, s, "listen 5000 as=L"); /* the name is free again */
        fake_free(f);
    }
}

static void without_epoll_the_program_ends_with_status_1(void **state)
{
    struct fake *f = fake_new();
    int s, status = 0;

    (void)state;
    f->fail_kind = HO_OP_EPOLL_CREATE;
    f->fail_nth = 1;
    f->fail_err = EMFILE;
    s = fake_start(f, "raw", "");
    assert_true(ho_program_exited(f->program[s], &status));
    assert_int_equal(status, 1);
    assert_string_equal(fake_transcript(f, s), "0.000000 epoll_create =-1 EMFILE\n"
                                               "0.000000 exit 1\n");
    fake_free(f);
}

/* A refused command with the message it gives. */
static void refused(struct fake *f, int p, const char *verb, const char *key, const char *value,
                    const char *want)
{
    struct ho_program_arg arg = { key, value };
    struct ho_program_error error = { 0 };

    assert_int_equal(ho_program_command(f->program[p], verb, &arg, 1, f->now, &error), -EINVAL);
    assert_string_equal(error.text, want);
}

static void mistakes_say_what_was_found_and_what_could_stand_there(void **state)
{
    struct fake *f = fake_new();
    int p = fake_start(f, "raw", "");

    (void)state;
    fake_do(f, p, "listen 5000");
    refused(f, p, "lissen", NULL, "5000",
            "verb: found \"lissen\", expected listen, connect, accept, accepting, send, fill, "
            "stop-sending, recv, drain, reading, shutdown, close, option, setsockopt, getsockopt, "
            "poll, watch, react, status, exit");
    refused(f, p, "listen", "port", "70000", "port: found \"70000\", expected 1 to 65535");
    refused(f, p, "listen", "prt", "7",
            "prt: listen has no such key, expected port, addr, as, name, backlog, accept, options, "
            "accepted_options, watch, block, read, on_error, on_eof");
    refused(f, p, "send", NULL, "ten",
            "bytes: found \"ten\", expected a number of bytes such as 1000, 64k or 10M");
    refused(f, p, "send", NULL, "10", "on: missing, and the process has no connection");
    refused(f, p, "poll", "on", "q", "on: found \"q\", expected the name of an open socket");
    refused(f, p, "poll", "on", "L", "on: found \"L\", expected a connection");
    refused(f, p, "shutdown", "how", "W", "how: found \"W\", expected one of RD|WR|RDWR");
    fake_free(f);
}

static void a_full_queue_of_verbs_is_eagain(void **state)
{
    int s, c;
    struct fake *f = pair(&s, &c);
    struct ho_program_arg arg = { NULL, "10" };
    int err = 0, n = 0;

    (void)state;
    while (err == 0 && n < 100) {
        err = ho_program_command(f->program[s], "send", &arg, 1, f->now, NULL);
        n += err == 0;
    }
    assert_int_equal(err, -EAGAIN);
    assert_int_equal(n, 64);
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_and_accept_look_as_in_the_ground_truth),
        cmocka_unit_test(an_error_is_followed_by_the_probe_of_later_calls),
        cmocka_unit_test(a_thread_reads_without_epoll_and_tells_the_error_once),
        cmocka_unit_test(end_of_stream_is_read_once_and_closes_when_told_so),
        cmocka_unit_test(a_stopped_reader_leaves_data_and_resumes),
        cmocka_unit_test(a_reading_thread_can_be_stopped_and_resumed),
        cmocka_unit_test(send_takes_what_fits_and_says_why_not_more),
        cmocka_unit_test(a_blocked_send_holds_up_sends_only),
        cmocka_unit_test(a_blocked_call_ends_with_the_connection),
        cmocka_unit_test(a_refused_connect_leaves_a_socket_that_can_be_asked),
        cmocka_unit_test(epoll_can_join_before_and_during_connect),
        cmocka_unit_test(a_send_repeats_exactly_and_stops),
        cmocka_unit_test(a_listener_can_stop_and_resume_accepting),
        cmocka_unit_test(level_triggered_reports_and_does_not_spin),
        cmocka_unit_test(verbs_for_the_whole_process_hold_for_later_connections),
        cmocka_unit_test(bytes_that_are_not_the_stream_are_counted),
        cmocka_unit_test(calls_that_fail_are_told_and_end_what_they_must),
        cmocka_unit_test(without_epoll_the_program_ends_with_status_1),
        cmocka_unit_test(mistakes_say_what_was_found_and_what_could_stand_there),
        cmocka_unit_test(a_full_queue_of_verbs_is_eagain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
