/* The verbs of `raw`: an agent over the kernel's lo says what the model says, call by call, with
 * the same descriptors, results and errors in the same order.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "knobs/sockopt.h"
#include "support/agent_stage.h"

/* "s VERB ..": process 0, "c VERB ..": process 1, "! s": it is killed, "+ MS": time passes. NULL:
 * the end.
 */
static void play(struct stage *s, bool real, const char *const *script)
{
    stage_init(s, real);
    for (; *script != NULL; script++) {
        const char *l = *script;

        if (l[0] == '+') {
            stage_run_for(s, ho_ms(strtol(l + 2, NULL, 10)));
        } else if (l[0] == '!') {
            stage_kill(s, l[2] == 's' ? 0 : 1);
        } else {
            assert_int_equal(stage_do(s, l[0] == 's' ? 0 : 1, l + 2), 0);
        }
    }
}

/* Plays it in both worlds, in `real` and `model`, and compares. */
static void both(const char *const *script)
{
    struct stage real, model;

    play(&model, false, script);
    play(&real, true, script);
    stage_same(&model, &real);
    stage_done(&real);
    stage_done(&model);
}

#define LISTEN "s listen port=5000 as=L name=x"
#define CONNECT "c connect addr=127.0.0.1 port=5000 from=40000 as=k"

static void a_conversation_is_the_same(void **state)
{
    static const char *const script[] = {
        LISTEN,
        CONNECT,
        "c send bytes=1000",
        "s send bytes=20000 on=x",
        "c status on=k",
        "c poll on=k",
        "c close on=k",
        "s poll on=x",
        "s send bytes=10 on=x",
        "s close on=x",
        NULL,
    };

    (void)state;
    both(script);
}

static void a_conversation_over_ipv6_is_the_same(void **state)
{
    static const char *const script[] = {
        "s listen addr=:: port=5000 as=L name=x",
        "c connect addr=::1 port=5000 from=40000 as=k",
        "c setsockopt name=IPV6_RECVERR value=1 on=k",
        "c getsockopt name=IPV6_RECVERR on=k",
        "c send bytes=1000 on=k",
        "c close on=k",
        "c connect addr=::1 port=5009 as=m",
        NULL,
    };

    (void)state;
    both(script);
}

static void a_half_close_is_the_same(void **state)
{
    static const char *const script[] = {
        LISTEN,
        CONNECT,
        "c send bytes=100",
        "c shutdown how=WR on=k",
        "s send bytes=200 on=x",
        "c send bytes=1 on=k",
        "s shutdown how=WR on=x",
        "c poll on=k",
        "s close on=x",
        "c close on=k",
        NULL,
    };

    (void)state;
    both(script);
}

static void a_refused_connect_is_the_same(void **state)
{
    static const char *const script[] = {
        "c connect addr=127.0.0.1 port=5009 as=k",
        "c getsockopt name=SO_ERROR on=k",
        "c poll on=k",
        "c send bytes=1 on=k",
        "c recv on=k",
        "c close on=k",
        NULL,
    };

    (void)state;
    both(script);
}

static void a_port_in_use_is_the_same(void **state)
{
    static const char *const script[] = {
        LISTEN,
        "c listen port=5000 as=M",
        "c listen port=5001 as=N",
        "c connect addr=127.0.0.1 port=5000 from=5001 as=k",
        NULL,
    };

    (void)state;
    both(script);
}

/* Unread data at close() is a reset: ECONNRESET once, then end of stream and EPIPE (table 3f). */
static void a_reset_by_unread_data_is_the_same(void **state)
{
    static const char *const script[] = {
        "s listen port=5000 as=L name=x read=no",
        "c connect addr=127.0.0.1 port=5000 from=40000 as=k on_error=probe",
        "c send bytes=1000",
        "s close on=x",
        "c getsockopt name=SO_ERROR on=k",
        "c send bytes=1 on=k",
        NULL,
    };

    (void)state;
    both(script);
}

static void a_send_after_a_reset_is_the_same(void **state)
{
    static const char *const script[] = {
        "s listen port=5000 as=L name=x",
        "c connect addr=127.0.0.1 port=5000 from=40000 as=k read=no",
        "s setsockopt name=SO_LINGER value=1:0 on=x",
        "s close on=x",
        "c poll on=k",
        "c send bytes=10 on=k",
        "c send bytes=10 on=k",
        "c recv on=k",
        "c close on=k",
        NULL,
    };

    (void)state;
    both(script);
}

static void blocked_calls_are_the_same(void **state)
{
    static const char *const script[] = {
        "s listen port=5000 as=L name=x read=no",
        "c connect addr=127.0.0.1 port=5000 from=40000 as=k read=no",
        "s recv on=x block=yes max=50",
        "c send bytes=100",
        "s recv on=x block=yes max=20",
        "s recv on=x block=yes max=200",
        "s recv on=x block=yes max=200",
        "c shutdown how=WR",
        "s recv on=x block=yes",
        "c recv on=k block=yes",
        "c close on=k",
        NULL,
    };

    (void)state;
    both(script);
}

static void manual_accepts_are_the_same(void **state)
{
    static const char *const script[] = {
        "s listen port=5000 as=L name=x accept=no",
        "c connect addr=127.0.0.1 port=5000 from=40000 as=k",
        "c connect addr=127.0.0.1 port=5000 from=40001 as=m",
        "s accept on=L",
        "s accept on=L as=second",
        "s accept on=L",
        "s accepting value=yes on=L",
        "c connect addr=127.0.0.1 port=5000 from=40002 as=n",
        "s accepting value=no on=L",
        "c connect addr=127.0.0.1 port=5000 from=40003 as=o",
        "c send bytes=5 on=o",
        "s accepting value=yes on=L",
        NULL,
    };

    (void)state;
    both(script);
}

static void a_blocking_accept_is_the_same(void **state)
{
    static const char *const script[] = {
        "s listen port=5000 as=L name=x accept=no block=yes",
        "s accept on=L",
        "c connect addr=127.0.0.1 port=5000 from=40000 as=k",
        "s accept on=L",
        "s close on=L",
        NULL,
    };

    (void)state;
    both(script);
}

static void epoll_is_the_same(void **state)
{
    static const char *const script[] = {
        "s listen port=5000 as=L name=x watch=yes read=epoll",
        "c connect addr=127.0.0.1 port=5000 from=40000 as=k watch=after read=epoll",
        "c send bytes=1000",
        "s send bytes=20 on=x",
        "c shutdown how=WR on=k",
        "s close on=x",
        NULL,
    };
    static const char *const level[] = {
        "s watch value=yes mode=level",
        "c watch value=yes mode=level",
        LISTEN,
        CONNECT,
        "c send bytes=1000",
        "s send bytes=20 on=x",
        "c close on=k",
        NULL,
    };

    (void)state;
    both(script);
    both(level);
}

static void readers_are_the_same(void **state)
{
    static const char *const script[] = {
        "s listen port=5000 as=L name=x read=no on_eof=close",
        CONNECT,
        "c send bytes=100",
        "s drain on=x",
        "s reading value=yes on=x",
        "c send bytes=100",
        "s reading value=no on=x",
        "c send bytes=100",
        "s recv on=x max=10",
        "s reading value=yes on=x",
        "c react on=k on_eof=close",
        "c shutdown how=WR on=k",
        NULL,
    };

    (void)state;
    both(script);
}

static void repeated_sends_are_the_same(void **state)
{
    struct stage w[2];
    size_t lines;

    (void)state;
    for (int real = 0; real < 2; real++) {
        struct stage *s = &w[real];

        stage_init(s, real != 0);
        stage_do(s, 0, "listen port=5000 as=L name=x");
        stage_do(s, 1, "connect addr=127.0.0.1 port=5000 from=40000 as=k");
        stage_do(s, 1, "send bytes=10 every=200ms times=3");
        stage_until(s, 0, "rx=30");
        stage_do(s, 1, "send bytes=7 every=200ms");
        stage_until(s, 0, "rx=51");
        stage_do(s, 1, "stop-sending on=k");
        lines = s->lines[1];
        stage_run_for(s, ho_ms(500));
        assert_int_equal(s->lines[1], lines);
    }
    stage_same_start(&w[0], &w[1]);
    stage_done(&w[0]);
    stage_done(&w[1]);
}

static void a_kill_is_the_same(void **state)
{
    static const char *const read_all[] = {
        LISTEN,        CONNECT, "c send bytes=10", "! s", "+ 50", "c send bytes=1 on=k",
        "c poll on=k", NULL,
    };
    static const char *const unread[] = {
        "s listen port=5000 as=L name=x read=no",
        CONNECT,
        "c send bytes=10",
        "c recv on=k block=yes",
        "! s",
        "c connect addr=127.0.0.1 port=5000 from=40001 as=m",
        NULL,
    };

    (void)state;
    both(read_all);
    both(unread);
}

static void an_exit_is_the_same(void **state)
{
    static const char *const script[] = {
        LISTEN, CONNECT, "s send bytes=10 on=x", "c exit status=3", NULL,
    };
    struct stage s;
    int status = 0;

    (void)state;
    both(script);
    play(&s, true, script);
    assert_int_equal(s.msg[1][s.msgs[1] - 1].kind, HO_AGENT_EXITED);
    assert_int_equal(s.msg[1][s.msgs[1] - 1].status, 3);
    while (!ho_agent_ended(s.agent[1], &status)) {
        stage_run_for(&s, ho_ms(1));
    }
    assert_int_equal(status, 3 << 8); /* wait(2): the status is the second byte */
    assert_int_equal(stage_do(&s, 1, "status"), -EPIPE);
    stage_done(&s);
}

/* Every option that can be set: a value in its range is set, and reading it says the same. */
static void options_are_the_same(void **state)
{
    struct stage w[2];
    char line[100];

    (void)state;
    for (int real = 0; real < 2; real++) {
        stage_init(&w[real], real != 0);
        stage_do(&w[real], 0, "listen port=5000 as=L name=x");
        stage_do(&w[real], 1, "connect addr=127.0.0.1 port=5000 from=40000 as=k");
        for (int i = 0; i < HO_SOCKOPT_COUNT; i++) {
            const struct ho_sockopt_info *info = ho_sockopt_info((enum ho_sockopt)i);
            bool number = info->type == HO_SOCKOPT_TYPE_INT || info->type == HO_SOCKOPT_TYPE_BOOL;

            if (info->type == HO_SOCKOPT_TYPE_INFO || i == HO_SOCKOPT_TCP_MAXSEG) {
                continue; /* the MSS of lo depends on its MTU */
            }
            snprintf(line, sizeof(line), "setsockopt name=%s value=%s on=k", info->name,
                     number                                 ? "7"
                     : info->type == HO_SOCKOPT_TYPE_LINGER ? "1:9"
                                                            : "reno");
            if (!info->read_only) {
                assert_int_equal(stage_do(&w[real], 1, line), 0);
            }
            if (i == HO_SOCKOPT_IPV6_RECVERR) {
                continue; /* on an IPv4 socket: there is none */
            }
            snprintf(line, sizeof(line), "getsockopt name=%s on=k", info->name);
            assert_int_equal(stage_do(&w[real], 1, line), 0);
        }
    }
    stage_same(&w[0], &w[1]);
    stage_done(&w[0]);
    stage_done(&w[1]);
}

static void what_is_wrong_is_refused(void **state)
{
    struct ho_program_arg arg[] = { { "port", "x" } };
    struct ho_program_error error = { .text = "" };
    struct stage s;
    unsigned number = 99;

    (void)state;
    stage_init(&s, true);
    assert_int_equal(ho_agent_command(s.agent[0], 0, "listen", arg, 1, &error), -EINVAL);
    assert_non_null(strstr(error.text, "port: found \"x\""));
    assert_int_equal(ho_agent_command(s.agent[0], 0, "sing", NULL, 0, &error), -EINVAL);
    assert_int_equal(ho_agent_command(s.agent[0], 5, "close", NULL, 0, &error), -ENOENT);
    assert_int_equal(ho_agent_command(s.agent[0], 0, "close", NULL, 0, &error), -EINVAL);
    assert_non_null(strstr(error.text, "has no connection"));
    assert_int_equal(ho_agent_program(s.agent[0], "echo-server", arg, 1, &number, &error), -EINVAL);
    assert_int_equal(number, 99);
    for (int i = 1; i < HO_AGENT_PROGRAMS; i++) {
        assert_int_equal(stage_program(&s, 0, "raw"), 0);
    }
    assert_int_equal(ho_agent_program(s.agent[0], "raw", NULL, 0, &number, &error), -ENOSPC);
    stage_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conversation_is_the_same),
        cmocka_unit_test(a_conversation_over_ipv6_is_the_same),
        cmocka_unit_test(a_half_close_is_the_same),
        cmocka_unit_test(a_refused_connect_is_the_same),
        cmocka_unit_test(a_port_in_use_is_the_same),
        cmocka_unit_test(a_reset_by_unread_data_is_the_same),
        cmocka_unit_test(a_send_after_a_reset_is_the_same),
        cmocka_unit_test(blocked_calls_are_the_same),
        cmocka_unit_test(manual_accepts_are_the_same),
        cmocka_unit_test(a_blocking_accept_is_the_same),
        cmocka_unit_test(epoll_is_the_same),
        cmocka_unit_test(readers_are_the_same),
        cmocka_unit_test(repeated_sends_are_the_same),
        cmocka_unit_test(a_kill_is_the_same),
        cmocka_unit_test(an_exit_is_the_same),
        cmocka_unit_test(options_are_the_same),
        cmocka_unit_test(what_is_wrong_is_refused),
    };

    stage_namespace(); /* or the whole test is skipped */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
