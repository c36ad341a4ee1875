/* Unit tests of src/play/verbs.c: the words are those of src/program/raw_verbs.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/op.h"
#include "play/verbs.h"
#include "support/play_rig.h"

/* The verb and its arguments as one text: "send bytes=5 on=db block=yes". */
static const char *text_of(const struct ho_play_verb *v)
{
    static char text[256];
    size_t n = (size_t)snprintf(text, sizeof(text), "%s", v->name);

    for (size_t i = 0; i < v->n; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, " %s=%s", v->arg[i].key, v->arg[i].value);
    }
    return text;
}

/* What the app is told for `call`, one verb, which its hands take. */
static void is_told(struct play_rig *r, const struct ho_plan_call *call, const char *expected)
{
    struct ho_program_error error = { .text = "" };
    struct ho_play_verb v, more;

    assert_int_equal(ho_play_verb(&r->tr, &r->app, call, 0, &v), 1);
    assert_string_equal(text_of(&v), expected);
    assert_int_equal(ho_program_check_verb(v.name, v.arg, v.n, &error), 0);
    assert_int_equal(ho_play_verb(&r->tr, &r->app, call, 1, &more), 0);
}

static void init(struct play_rig *r)
{
    struct ho_play_tuple t;

    play_rig_init(r, false);
    t = play_rig_tuple(r, CLIENT);
    ho_play_fd_connecting(&r->tr, &r->app, 5, "db", &t, r->tr.now);
}

static void calls_are_verbs_of_raw(void **state)
{
    struct play_rig r;

    (void)state;
    init(&r);
    is_told(&r, &(struct ho_plan_call){ .kind = HO_CALL_LISTEN, .port = 80 },
            "listen port=80 addr=0.0.0.0 as=L80 backlog=128");
    is_told(&r,
            &(struct ho_plan_call){ .kind = HO_CALL_CONNECT,
                                    .conn = "x",
                                    .addr = ho_addr_v4(10, 0, 0, 2),
                                    .port = 80,
                                    .from_port = 40000 },
            "connect addr=10.0.0.2 port=80 from=40000 as=x");
    is_told(&r, &(struct ho_plan_call){ .kind = HO_CALL_SEND, .bytes = 1000 },
            "send bytes=1000 on=db block=yes");
    is_told(&r, &(struct ho_plan_call){ .kind = HO_CALL_READ, .sock = "db" },
            "recv on=db max=65536 block=yes");
    is_told(&r, &(struct ho_plan_call){ .kind = HO_CALL_SHUTDOWN, .how = HO_SHUT_WR },
            "shutdown how=WR on=db");
    is_told(&r, &(struct ho_plan_call){ .kind = HO_CALL_STOP_READING }, "reading value=no on=db");
    is_told(&r, &(struct ho_plan_call){ .kind = HO_CALL_CLOSE }, "close on=db");
    is_told(&r, &(struct ho_plan_call){ .kind = HO_CALL_POLL }, "poll on=db");
    is_told(&r, &(struct ho_plan_call){ .kind = HO_CALL_SEND_FULL }, "fill on=db");
    play_rig_free(&r);
}

static void options_have_their_name_and_value(void **state)
{
    struct play_rig r;
    struct ho_plan_call call = { .kind = HO_CALL_SETSOCKOPT,
                                 .opt = HO_SOCKOPT_SO_LINGER,
                                 .value = { 1, 30 } };

    (void)state;
    init(&r);
    is_told(&r, &call, "setsockopt name=SO_LINGER value=1:30 on=db");
    call.kind = HO_CALL_GETSOCKOPT;
    is_told(&r, &call, "getsockopt name=SO_LINGER on=db");
    call = (struct ho_plan_call){ .kind = HO_CALL_OPTION,
                                  .opt = HO_SOCKOPT_TCP_KEEPIDLE,
                                  .value = { 5 } };
    is_told(&r, &call, "option name=TCP_KEEPIDLE value=5");
    play_rig_free(&r);
}

static void without_a_socket_it_is_for_all_connections(void **state)
{
    struct play_rig r;

    (void)state;
    init(&r);
    is_told(&r, &(struct ho_plan_call){ .kind = HO_CALL_CLOSE_AT_EOF }, "react on_eof=close");
    is_told(&r, &(struct ho_plan_call){ .kind = HO_CALL_CLOSE_AT_EOF, .sock = "db" },
            "react on=db on_eof=close");
    is_told(&r, &(struct ho_plan_call){ .kind = HO_CALL_EPOLL_WATCH, .edge = true },
            "watch value=yes mode=edge");
    play_rig_free(&r);
}

static void stop_accepting_is_told_of_every_listener(void **state)
{
    struct play_rig r;
    struct ho_play_verb v;
    const struct ho_plan_call call = { .kind = HO_CALL_STOP_ACCEPTING };

    (void)state;
    init(&r);
    assert_int_equal(ho_play_verb(&r.tr, &r.app, &call, 0, &v), 0);
    ho_play_fd_listening(&r.tr, &r.app, 3, "L80");
    ho_play_fd_listening(&r.tr, &r.app, 9, "L81");
    assert_int_equal(ho_play_verb(&r.tr, &r.app, &call, 0, &v), 1);
    assert_string_equal(text_of(&v), "accepting value=no on=L80");
    assert_int_equal(ho_play_verb(&r.tr, &r.app, &call, 1, &v), 1);
    assert_string_equal(text_of(&v), "accepting value=no on=L81");
    assert_int_equal(ho_play_verb(&r.tr, &r.app, &call, 2, &v), 0);
    play_rig_free(&r);
}

static void stop_reading_before_there_is_a_connection_is_remembered(void **state)
{
    struct play_rig r;
    struct ho_play_verb v;
    struct ho_plan_call call = { .kind = HO_CALL_STOP_READING };

    (void)state;
    play_rig_init(&r, false);
    assert_int_equal(ho_play_verb(&r.tr, &r.app, &call, 0, &v), 0);
    assert_true(r.app.not_reading);
    is_told(&r,
            &(struct ho_plan_call){
                .kind = HO_CALL_CONNECT, .addr = ho_addr_v4(10, 0, 0, 2), .port = 80 },
            "connect addr=10.0.0.2 port=80 from=0 read=no");
    ho_play_verb_accepted("1", &v);
    assert_string_equal(text_of(&v), "reading value=no on=1");
    call.kind = HO_CALL_RESUME_READING;
    assert_int_equal(ho_play_verb(&r.tr, &r.app, &call, 0, &v), 0);
    assert_false(r.app.not_reading);
    play_rig_free(&r);
}

static void a_call_on_no_connection_is_refused_by_name(void **state)
{
    struct play_rig r;
    struct ho_play_verb v;
    const struct ho_plan_call call = { .kind = HO_CALL_SEND, .bytes = 1 };

    (void)state;
    play_rig_init(&r, false);
    assert_int_equal(ho_play_verb(&r.tr, &r.app, &call, 0, &v), -EINVAL);
    assert_string_equal(r.tr.why, "app on client: send: it has no such connection");
    play_rig_free(&r);
}

static void what_the_hands_refuse_is_explained(void **state)
{
    struct play_rig r;
    struct ho_program_error error = { .text = "no socket x" };

    (void)state;
    play_rig_init(&r, false);
    assert_int_equal(ho_play_verb_result(&r.tr, &r.app, "send", 0, &error), 0);
    assert_int_equal(ho_play_verb_result(&r.tr, &r.app, "send", -ENOMEM, &error), -ENOMEM);
    assert_int_equal(ho_play_verb_result(&r.tr, &r.app, "send", -EINVAL, &error), -EINVAL);
    assert_string_equal(r.tr.why, "app on client: send: no socket x");
    assert_int_equal(ho_play_verb_result(&r.tr, &r.app, "send", -EAGAIN, &error), -EINVAL);
    assert_string_equal(r.tr.why, "app on client: send: too many calls are under way");
    play_rig_free(&r);
}

static void a_plan_s_programs_are_checked(void **state)
{
    struct play_rig r;
    struct ho_step steps[2] = {
        { .kind = HO_STEP_PROGRAM,
          .u.program = { .name = "echo-server", .arg = { { "port", "7" } }, .count = 1 } },
        { .kind = HO_STEP_PROGRAM,
          .u.program = { .name = "echo-server", .arg = { { "port", "x" } }, .count = 1 } },
    };
    const struct ho_step *found = NULL;

    (void)state;
    play_rig_init(&r, false);
    r.plan.steps = steps;
    r.plan.step_count = 1;
    assert_int_equal(ho_play_check(&r.tr, &r.plan, &found), 0);
    r.plan.step_count = 2;
    assert_int_equal(ho_play_check(&r.tr, &r.plan, &found), -EINVAL);
    assert_ptr_equal(found, &steps[1]);
    assert_non_null(strstr(r.tr.why, "port"));
    play_rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_verbs_of_raw),
        cmocka_unit_test(options_have_their_name_and_value),
        cmocka_unit_test(without_a_socket_it_is_for_all_connections),
        cmocka_unit_test(stop_accepting_is_told_of_every_listener),
        cmocka_unit_test(stop_reading_before_there_is_a_connection_is_remembered),
        cmocka_unit_test(a_call_on_no_connection_is_refused_by_name),
        cmocka_unit_test(what_the_hands_refuse_is_explained),
        cmocka_unit_test(a_plan_s_programs_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
