/* Unit tests of the loop (src/program/loop*.c) and of the behaviours echo-server, bulk-sender and
 * bulk-checker on it, over sockets in memory.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "knobs/errno.h"
#include "program/program.h"
#include "program/stream.h"
#include "support/fake_sockets.h"

static struct ho_time ms(int64_t n)
{
    return (struct ho_time){ n * 1000000 };
}

/* ---- echo-server ----------------------------------------------------------------------------- */

static void echo_sends_back_what_it_receives_and_closes_at_the_end(void **state)
{
    struct fake *f = fake_new();
    int e = fake_start(f, "echo-server", "7"), fd;
    char buf[32] = "";

    (void)state;
    fd = fake_connect(f, 7);
    fake_run(f, ms(5));
    fake_send(f, fd, "hello", 5);
    fake_run(f, ms(10));
    assert_int_equal(fake_recv(f, fd, buf, sizeof(buf)), 5);
    assert_string_equal(buf, "hello");
    fake_close(f, fd);
    fake_run(f, ms(20));
    assert_string_equal(fake_transcript(f, e), "0.000000 L listen =0\n"
                                               "0.000000 x accept\n"
                                               "0.006000 x recv =5\n"
                                               "0.006000 x send 5 =5\n"
                                               "0.011000 x recv =0\n"
                                               "0.011000 x close =0\n");
    fake_free(f);
}

/* Partial reads and writes of every small size: the same bytes come back. */
static void echo_survives_partial_reads_and_writes(void **state)
{
    uint8_t bytes[1000], back[1000];

    (void)state;
    ho_stream_fill(bytes, sizeof(bytes), 0);
    for (size_t n = 1; n < 20; n++) {
        struct fake *f = fake_new();
        size_t got = 0;
        int fd;

        f->max_recv = n;
        f->max_send = n % 7 + 1;
        fake_start(f, "echo-server", "7 log=brief");
        fd = fake_connect(f, 7);
        fake_run(f, ms(5));
        fake_send(f, fd, bytes, sizeof(bytes));
        f->max_recv = n;
        for (int i = 0; i < 2000 && got < sizeof(bytes); i++) {
            fake_run(f, (struct ho_time){ f->now.ns + 1000000 });
            got += fake_recv(f, fd, back + got, sizeof(back) - got);
        }
        assert_int_equal(got, sizeof(bytes));
        assert_memory_equal(bytes, back, sizeof(bytes));
        fake_free(f);
    }
}

/* A client that sends and never reads: the server stops reading when its buffer is full. */
static void echo_keeps_no_more_than_its_buffer(void **state)
{
    struct fake *f = fake_new();
    int e = fake_start(f, "echo-server", "7 buffer=1000"), fd;
    uint8_t bytes[5000] = { 0 };

    (void)state;
    f->room = 100; /* what the client's receive buffer takes */
    fd = fake_connect(f, 7);
    fake_run(f, ms(5));
    fake_send(f, fd, bytes, sizeof(bytes));
    fake_run(f, ms(50));
    /* 1000 were kept, 100 of them were sent, and 100 more were read into their place */
    assert_int_equal(
        fake_event(f, e, HO_PROGRAM_CALL, "recv", fake_count(f, e, HO_PROGRAM_CALL, "recv") - 1)
            ->rx,
        1100);
    assert_int_equal(f->sock[fake_conn_of(f, e)].in_bytes, 3900);
    fake_free(f);
}

static void an_error_at_any_call_closes_the_connection_only(void **state)
{
    static const int errors[] = { ECONNRESET, ETIMEDOUT, EPIPE, EHOSTUNREACH };
    static const enum ho_op_kind kinds[] = { HO_OP_RECV, HO_OP_SEND };

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        struct fake *f = fake_new();
        int e = fake_start(f, "echo-server", "7"), fd, second;
        char want[160], buf[8];
        bool recv = kinds[i / 4] == HO_OP_RECV;

        fd = fake_connect(f, 7);
        fake_run(f, ms(5));
        f->n_log = 0;
        f->fail_kind = kinds[i / 4];
        f->fail_nth = 1;
        f->fail_err = errors[i % 4];
        fake_send(f, fd, "a", 1);
        fake_run(f, ms(10));
        snprintf(want, sizeof(want), "%s0.006000 x %s=-1 %s\n0.006000 x close =0\n",
                 recv ? "" : "0.006000 x recv =1\n", recv ? "recv " : "send 1 ",
                 ho_errno_name(errors[i % 4]));
        assert_string_equal(fake_transcript(f, e), want);
        second = fake_connect(f, 7); /* and the server serves on */
        fake_run(f, ms(20));
        fake_send(f, second, "b", 1);
        fake_run(f, ms(30));
        assert_int_equal(fake_recv(f, second, buf, sizeof(buf)), 1);
        fake_free(f);
    }
}

/* The client read nothing and is gone: the server is told by epoll although it does not read. */
static void a_reset_is_noticed_while_nothing_is_read(void **state)
{
    struct fake *f = fake_new();
    int e = fake_start(f, "echo-server", "7 buffer=100"), fd;
    uint8_t bytes[500] = { 0 };

    (void)state;
    f->room = 50;
    fd = fake_connect(f, 7);
    fake_run(f, ms(5));
    fake_send(f, fd, bytes, sizeof(bytes));
    fake_run(f, ms(10));
    f->n_log = 0;
    fake_break(f, fake_conn_of(f, e), ECONNRESET);
    fake_run(f, ms(20));
    assert_non_null(fake_event(f, e, HO_PROGRAM_CALL, "close", 0));
    assert_int_equal(fake_conn_of(f, e), -1);
    fake_free(f);
}

static void connections_beyond_the_maximum_wait(void **state)
{
    struct fake *f = fake_new();
    int e = fake_start(f, "echo-server", "7 max_connections=2"), fd[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        fd[i] = fake_connect(f, 7);
    }
    fake_run(f, ms(10));
    assert_int_equal(fake_count(f, e, HO_PROGRAM_CALL, "accept"), 2);
    fake_close(f, fd[0]);
    fake_run(f, ms(20));
    assert_int_equal(fake_count(f, e, HO_PROGRAM_CALL, "accept"), 3);
    assert_string_equal(fake_event(f, e, HO_PROGRAM_CALL, "accept", 2)->sock, "x3");
    assert_int_equal(fake_event(f, e, HO_PROGRAM_CALL, "accept", 2)->at.ns, 11000000);
    fake_free(f);
}

/* Level-triggered and out of descriptors, the listener would wake the loop for ever. */
static void out_of_descriptors_accepting_pauses_for_100_ms(void **state)
{
    struct fake *f = fake_new();
    int e = fake_start(f, "echo-server", "7");

    (void)state;
    fake_run(f, ms(3));
    f->fail_kind = HO_OP_ACCEPT;
    f->fail_nth = 1;
    f->fail_err = EMFILE;
    fake_connect(f, 7);
    fake_run(f, ms(300));
    assert_string_equal(fake_transcript(f, e), "0.000000 L listen =0\n"
                                               "0.003000 L accept EMFILE\n"
                                               "0.103000 x accept\n");
    fake_free(f);
}

/* A process that was stopped in epoll_wait() gets EINTR when it goes on (signal(7)). */
static void an_interrupted_call_is_made_again(void **state)
{
    static const enum ho_op_kind kinds[] = { HO_OP_EPOLL_WAIT, HO_OP_RECV, HO_OP_SEND };
    char buf[8];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct fake *f = fake_new();
        int fd;

        fake_start(f, "echo-server", "7");
        fd = fake_connect(f, 7);
        fake_run(f, ms(5));
        f->fail_kind = kinds[i];
        f->fail_nth = 1;
        f->fail_err = EINTR;
        fake_send(f, fd, "a", 1);
        fake_run(f, ms(10));
        assert_int_equal(f->fail_nth, 0);
        assert_int_equal(fake_recv(f, fd, buf, sizeof(buf)), 1);
        fake_free(f);
    }
}

static void a_server_that_cannot_listen_exits_with_status_1(void **state)
{
    struct fake *f = fake_new();
    int e, status = -1;

    (void)state;
    f->fail_kind = HO_OP_BIND;
    f->fail_nth = 1;
    f->fail_err = EADDRINUSE;
    e = fake_start(f, "echo-server", "7");
    assert_true(ho_program_exited(f->program[e], &status));
    assert_int_equal(status, 1);
    assert_string_equal(fake_transcript(f, e), "0.000000 L bind =-1 EADDRINUSE\n"
                                               "0.000000 exit 1\n");
    fake_free(f);
}

/* ---- bulk ------------------------------------------------------------------------------------ */

static void bulk_arrives_whole_in_both_roles(void **state)
{
    (void)state;
    for (int turned = 0; turned < 2; turned++) {
        struct fake *f = fake_new();
        int sender, checker, status = -1;

        f->max_send = 1234;
        f->max_recv = 999;
        if (turned == 0) {
            checker = fake_start(f, "bulk-checker", "listen port=9 bytes=1000003 log=brief");
            sender = fake_start(f, "bulk-sender",
                                "connect addr=10.0.0.2 port=9 bytes=1000003 "
                                "log=brief");
        } else {
            sender = fake_start(f, "bulk-sender", "listen port=9 bytes=1000003 log=brief");
            checker = fake_start(f, "bulk-checker",
                                 "connect addr=10.0.0.2 port=9 bytes=1000003 "
                                 "log=brief");
        }
        fake_run(f, ms(60000));
        assert_int_equal(fake_event(f, sender, HO_PROGRAM_CALL, "send", 0)->tx, 1000003);
        assert_int_equal(fake_event(f, checker, HO_PROGRAM_CALL, "recv", 0)->rx, 1000003);
        assert_string_equal(fake_event(f, sender, HO_PROGRAM_NOTE, "bulk-sender", 0)->note,
                            "sent 1000003 bytes");
        assert_string_equal(fake_event(f, checker, HO_PROGRAM_NOTE, "bulk-checker", 0)->note,
                            "whole: 1000003 bytes, 0 of them wrong");
        assert_true(ho_program_exited(f->program[turned == 0 ? sender : checker], &status));
        assert_int_equal(status, 0);
        fake_free(f);
    }
}

static void the_checker_counts_what_is_wrong_and_misses_the_end(void **state)
{
    struct fake *f = fake_new();
    int c = fake_start(f, "bulk-checker", "listen port=9"), fd;
    uint8_t bytes[300];

    (void)state;
    fd = fake_connect(f, 9);
    fake_run(f, ms(5));
    ho_stream_fill(bytes, sizeof(bytes), 0);
    bytes[250] ^= 4;
    fake_send(f, fd, bytes, sizeof(bytes));
    fake_run(f, ms(10));
    fake_break(f, fake_conn_of(f, c), ETIMEDOUT);
    fake_run(f, ms(20));
    assert_string_equal(fake_event(f, c, HO_PROGRAM_NOTE, "bulk-checker", 0)->note,
                        "not whole: 300 bytes, 1 of them wrong, no end of stream");
    fake_free(f);
}

static void a_sender_whose_connection_fails_exits_with_status_1(void **state)
{
    struct fake *f = fake_new();
    int l = fake_listen(f, 9), s, status = -1;

    (void)state;
    s = fake_start(f, "bulk-sender", "connect addr=10.0.0.2 port=9 log=brief");
    fake_run(f, ms(10));
    assert_true(fake_accept(f, l) >= 0);
    fake_break(f, fake_conn_of(f, s), ETIMEDOUT);
    fake_run(f, ms(20));
    assert_true(ho_program_exited(f->program[s], &status));
    assert_int_equal(status, 1);
    assert_string_equal(fake_event(f, s, HO_PROGRAM_NOTE, "bulk-sender", 0)->note,
                        "ended after 65536 bytes");
    fake_free(f);
}

static void a_refused_connection_is_told_and_exits_with_status_1(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "bulk-sender", "connect addr=10.0.0.2 port=9"), status = -1;

    (void)state;
    fake_run(f, ms(10));
    assert_true(ho_program_exited(f->program[s], &status));
    assert_int_equal(status, 1);
    assert_string_equal(fake_transcript(f, s), "0.002000 k connect =-1 ECONNREFUSED\n"
                                               "0.002000 k close =0\n"
                                               "0.002000 k bulk-sender (ended after 0 bytes)\n"
                                               "0.002000 exit 1\n");
    fake_free(f);
}

static void connect_timeout_fires_exactly(void **state)
{
    struct fake *f = fake_new();
    int s, status = -1;

    (void)state;
    f->cut = true;
    s = fake_start(f, "bulk-sender", "connect addr=10.0.0.2 port=9 connect_timeout=2500ms");
    fake_run(f, ms(2499));
    assert_false(ho_program_exited(f->program[s], &status));
    fake_run(f, ms(2500));
    assert_true(ho_program_exited(f->program[s], &status));
    assert_int_equal(fake_event(f, s, HO_PROGRAM_FINDING, "connect_timeout", 0)->at.ns, 2500000000);
    assert_string_equal(fake_event(f, s, HO_PROGRAM_FINDING, "connect_timeout", 0)->detail,
                        "connect_timeout=2500ms");
    fake_free(f);
}

/* ---- the stream ------------------------------------------------------------------------------ */

/* docs/programs.md: word w is (w + 1) * 0x9e3779b97f4a7c15, least significant byte first. */
static void the_stream_is_what_the_document_says(void **state)
{
    static const uint8_t first[16] = { 0x15, 0x7c, 0x4a, 0x7f, 0xb9, 0x79, 0x37, 0x9e,
                                       0x2a, 0xf8, 0x94, 0xfe, 0x72, 0xf3, 0x6e, 0x3c };
    uint8_t all[200], part[200];

    (void)state;
    ho_stream_fill(all, sizeof(all), 0);
    assert_memory_equal(all, first, sizeof(first));
    for (size_t at = 0; at < 30; at++) {
        for (size_t len = 0; len < 40; len++) {
            ho_stream_fill(part, len, at);
            assert_memory_equal(part, all + at, len);
            assert_int_equal(ho_stream_bad(part, len, at), 0);
            assert_true(len < 3 || ho_stream_bad(part, len, at + 1) > 0);
            assert_true(len < 3 || ho_stream_bad(part, len, at + 8) > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_sends_back_what_it_receives_and_closes_at_the_end),
        cmocka_unit_test(echo_survives_partial_reads_and_writes),
        cmocka_unit_test(echo_keeps_no_more_than_its_buffer),
        cmocka_unit_test(an_error_at_any_call_closes_the_connection_only),
        cmocka_unit_test(a_reset_is_noticed_while_nothing_is_read),
        cmocka_unit_test(connections_beyond_the_maximum_wait),
        cmocka_unit_test(out_of_descriptors_accepting_pauses_for_100_ms),
        cmocka_unit_test(an_interrupted_call_is_made_again),
        cmocka_unit_test(a_server_that_cannot_listen_exits_with_status_1),
        cmocka_unit_test(bulk_arrives_whole_in_both_roles),
        cmocka_unit_test(the_checker_counts_what_is_wrong_and_misses_the_end),
        cmocka_unit_test(a_sender_whose_connection_fails_exits_with_status_1),
        cmocka_unit_test(a_refused_connection_is_told_and_exits_with_status_1),
        cmocka_unit_test(connect_timeout_fires_exactly),
        cmocka_unit_test(the_stream_is_what_the_document_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
