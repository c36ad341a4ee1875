/* Unit tests of src/play/fds.c and says.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "play/says.h"
#include "support/play_rig.h"

static void option(struct play_rig *r, int fd, enum ho_sockopt opt, int64_t a, int64_t b)
{
    const int64_t value[2] = { a, b };

    ho_play_fd_option(&r->tr, &r->app, fd, opt, value);
}

static void connects(struct play_rig *r, int fd, const char *name)
{
    struct ho_play_tuple t = play_rig_tuple(r, CLIENT);

    ho_play_fd_connecting(&r->tr, &r->app, fd, name, &t, r->tr.now);
}

static void an_option_is_told_when_its_socket_is_a_connection(void **state)
{
    struct play_rig r;
    const struct ho_record *rec;

    (void)state;
    play_rig_init(&r, false);
    ho_play_fd_made(&r.tr, &r.app, 5);
    option(&r, 5, HO_SOCKOPT_TCP_USER_TIMEOUT, 5000, 0);
    assert_int_equal(r.tl.n, 0);
    connects(&r, 5, "db");
    rec = play_rig_last(&r);
    assert_int_equal(rec->kind, HO_REC_SETTINGS);
    assert_string_equal(rec->conn, "db");
    assert_string_equal(rec->process, "app");
    assert_string_equal(rec->u.settings.scope, "sockopt");
    assert_string_equal(rec->u.settings.name, "TCP_USER_TIMEOUT");
    assert_int_equal(rec->u.settings.value, 5000);
    option(&r, 5, HO_SOCKOPT_TCP_USER_TIMEOUT, 7000, 0);
    assert_int_equal(play_rig_last(&r)->u.settings.value, 7000);
    play_rig_free(&r);
}

static void linger_is_its_seconds_or_off(void **state)
{
    struct play_rig r;

    (void)state;
    play_rig_init(&r, false);
    connects(&r, 5, "db");
    option(&r, 5, HO_SOCKOPT_SO_LINGER, 1, 30);
    assert_int_equal(play_rig_last(&r)->u.settings.value, 30);
    option(&r, 5, HO_SOCKOPT_SO_LINGER, 0, 30);
    assert_string_equal(play_rig_last(&r)->u.settings.text, "off");
    play_rig_free(&r);
}

static void an_accepted_socket_has_its_listener_s_options(void **state)
{
    struct play_rig r;
    struct ho_play_tuple t;

    (void)state;
    play_rig_init(&r, false);
    ho_play_fd_made(&r.tr, &r.app, 3);
    option(&r, 3, HO_SOCKOPT_SO_KEEPALIVE, 1, 0);
    ho_play_fd_listening(&r.tr, &r.app, 3, "L80");
    ho_play_fd_inherits(&r.tr, &r.app, 3, 4);
    t = play_rig_tuple(&r, CLIENT);
    ho_play_fd_accepted(&r.tr, &r.app, 4, "1", &t, HO_TCP_ESTABLISHED);
    assert_string_equal(play_rig_last(&r)->u.settings.name, "SO_KEEPALIVE");
    assert_int_equal(ho_play_fd_find(&r.app, "1"), 4);
    assert_int_equal(ho_play_fd_find(&r.app, "L80"), 3);
    play_rig_free(&r);
}

static void the_newest_connection_is_found_without_a_name(void **state)
{
    struct play_rig r;

    (void)state;
    play_rig_init(&r, false);
    assert_int_equal(ho_play_fd_find(&r.app, NULL), -1);
    ho_play_fd_listening(&r.tr, &r.app, 9, "L80");
    assert_int_equal(ho_play_fd_find(&r.app, NULL), -1);
    ho_play_fd_connecting(&r.tr, &r.app, 7, "a", NULL, r.tr.now);
    ho_play_fd_connecting(&r.tr, &r.app, 4, "b", NULL, r.tr.now);
    assert_int_equal(ho_play_fd_find(&r.app, NULL), 4);
    ho_play_fd_closed(&r.tr, &r.app, 4);
    assert_int_equal(ho_play_fd_find(&r.app, NULL), 7);
    assert_int_equal(ho_play_fd_find(&r.app, "b"), -1);
    play_rig_free(&r);
}

static void a_connection_is_found_by_the_name_its_other_end_gave_it(void **state)
{
    struct play_rig r;
    struct ho_play_tuple t;

    (void)state;
    play_rig_init(&r, false);
    connects(&r, 5, "db");
    t = play_rig_tuple(&r, SERVER);
    ho_play_fd_accepted(&r.tr, &r.db, 4, "1", &t, HO_TCP_ESTABLISHED);
    assert_int_equal(ho_play_fd_find(&r.db, "db"), 4);
    assert_int_equal(ho_play_fd_find(&r.db, "1"), 4);
    play_rig_free(&r);
}

static void a_descriptor_without_a_name_is_its_number(void **state)
{
    struct play_rig r;

    (void)state;
    play_rig_init(&r, false);
    connects(&r, 12, NULL);
    assert_string_equal(r.app.fd[12]->name, "fd12");
    play_rig_free(&r);
}

static void a_process_that_ended_has_nothing_open(void **state)
{
    struct play_rig r;
    struct ho_play_end *e;

    (void)state;
    play_rig_init(&r, false);
    connects(&r, 5, "db");
    e = r.app.fd[5]->end;
    assert_int_equal(e->fd, 5);
    ho_play_fds_forget(&r.app);
    assert_int_equal(e->fd, -1);
    assert_int_equal(ho_play_fd_find(&r.app, "db"), -1);
    assert_string_equal(e->sock, "db");
    play_rig_free(&r);
}

static void an_operation_that_failed_did_nothing(void **state)
{
    struct play_rig r;
    struct ho_op op = { .kind = HO_OP_CLOSE, .fd = 5, .ret = -EBADF };

    (void)state;
    play_rig_init(&r, false);
    connects(&r, 5, "db");
    ho_play_fd_done(&r.tr, &r.app, &op, NULL);
    assert_int_equal(ho_play_fd_find(&r.app, "db"), 5);
    op.ret = 0;
    ho_play_fd_done(&r.tr, &r.app, &op, NULL);
    assert_int_equal(ho_play_fd_find(&r.app, "db"), -1);
    play_rig_free(&r);
}

static void a_call_is_told_with_its_socket_and_connection(void **state)
{
    struct play_rig r;
    const struct ho_record *rec;
    struct ho_program_event ev = { .kind = HO_PROGRAM_CALL,
                                   .has = HO_EV_RET | HO_EV_ASKED | HO_EV_RX,
                                   .call = "recv",
                                   .fd = 5,
                                   .ret = -1,
                                   .err = ETIMEDOUT,
                                   .asked = 4096,
                                   .rx = 800 };

    (void)state;
    play_rig_init(&r, false);
    connects(&r, 5, "db");
    ho_trace_said(&r.tr, &r.app, true, &ev);
    rec = play_rig_last(&r);
    assert_int_equal(rec->kind, HO_REC_APP);
    assert_string_equal(rec->process, "app");
    assert_string_equal(rec->conn, "db");
    assert_string_equal(rec->u.app.sock, "db");
    assert_string_equal(rec->u.app.err, "ETIMEDOUT");
    assert_int_equal(rec->u.app.ret, -1);
    assert_int_equal(rec->u.app.asked, 4096);
    assert_int_equal(rec->u.app.bytes, 800);
    play_rig_free(&r);
}

static void the_error_that_so_error_read_is_the_call_s(void **state)
{
    struct play_rig r;
    struct ho_program_event ev = { .kind = HO_PROGRAM_CALL,
                                   .has = HO_EV_RET | HO_EV_VALUE,
                                   .call = "getsockopt",
                                   .fd = -1,
                                   .value = ECONNRESET,
                                   .detail = "SO_ERROR" };

    (void)state;
    play_rig_init(&r, false);
    ho_trace_said(&r.tr, &r.app, true, &ev);
    assert_string_equal(play_rig_last(&r)->u.app.err, "ECONNRESET");
    assert_false(play_rig_last(&r)->u.app.has_value);
    play_rig_free(&r);
}

static void that_a_listener_is_ready_is_the_hands_own_business(void **state)
{
    struct play_rig r;
    struct ho_program_event ev = {
        .kind = HO_PROGRAM_EVENTS, .has = HO_EV_EVENTS, .call = "epoll_wait", .fd = 3, .events = 1
    };

    (void)state;
    play_rig_init(&r, false);
    ho_play_fd_listening(&r.tr, &r.app, 3, "L80");
    ho_trace_said(&r.tr, &r.app, true, &ev);
    assert_int_equal(r.tl.n, 0);
    ho_trace_said(&r.tr, &r.app, false, &ev);
    assert_int_equal(r.tl.n, 1);
    play_rig_free(&r);
}

static void a_line_of_output_is_a_record(void **state)
{
    struct play_rig r;
    char line[] = "PONG";

    (void)state;
    play_rig_init(&r, false);
    ho_trace_said_text(&r.tr, &r.app, "output", line, 0, 0);
    memset(line, 'x', sizeof(line) - 1);
    assert_string_equal(play_rig_last(&r)->u.app.detail, "PONG");
    ho_trace_said_text(&r.tr, &r.app, "exec", "", 0, ENOENT);
    assert_string_equal(play_rig_last(&r)->u.app.err, "ENOENT");
    assert_int_equal(play_rig_last(&r)->u.app.ret, -1);
    play_rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_option_is_told_when_its_socket_is_a_connection),
        cmocka_unit_test(linger_is_its_seconds_or_off),
        cmocka_unit_test(an_accepted_socket_has_its_listener_s_options),
        cmocka_unit_test(the_newest_connection_is_found_without_a_name),
        cmocka_unit_test(a_connection_is_found_by_the_name_its_other_end_gave_it),
        cmocka_unit_test(a_descriptor_without_a_name_is_its_number),
        cmocka_unit_test(a_process_that_ended_has_nothing_open),
        cmocka_unit_test(an_operation_that_failed_did_nothing),
        cmocka_unit_test(a_call_is_told_with_its_socket_and_connection),
        cmocka_unit_test(the_error_that_so_error_read_is_the_call_s),
        cmocka_unit_test(that_a_listener_is_ready_is_the_hands_own_business),
        cmocka_unit_test(a_line_of_output_is_a_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
