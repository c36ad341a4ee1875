/* Behaviours in agents: they say what they say on the model, over the same time. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/agent_stage.h"

static void an_echo_server_is_the_same(void **state)
{
    struct stage w[2];

    (void)state;
    for (int real = 0; real < 2; real++) {
        struct stage *s = &w[real];

        stage_init(s, real != 0);
        assert_int_equal(stage_program(s, 0, "echo-server port=5000"), 0);
        stage_do(s, 1, "connect addr=127.0.0.1 port=5000 from=40000 as=k");
        stage_do(s, 1, "send bytes=1000 on=k");
        stage_do(s, 1, "connect addr=127.0.0.1 port=5000 from=40001 as=m");
        stage_do(s, 1, "send bytes=500 on=m");
        stage_do(s, 1, "send bytes=20000 on=k");
        stage_do(s, 1, "shutdown how=WR on=k");
        stage_do(s, 1, "setsockopt name=SO_LINGER value=1:0 on=m");
        stage_do(s, 1, "close on=m");
        assert_true(stage_find(s, 1, "rx=21000 bad=0", 0) >= 0);
    }
    stage_same(&w[0], &w[1]);
    stage_done(&w[0]);
    stage_done(&w[1]);
}

/* More than any buffer holds, so both ends wait for each other many times. */
static void a_bulk_transfer_is_the_same(void **state)
{
    struct stage w[2];

    (void)state;
    for (int real = 0; real < 2; real++) {
        struct stage *s = &w[real];

        stage_init(s, real != 0);
        assert_int_equal(
            stage_program(s, 0, "bulk-checker role=listen port=5000 bytes=8M log=brief"), 0);
        assert_int_equal(stage_program(s, 1,
                                       "bulk-sender role=connect addr=127.0.0.1 port=5000 "
                                       "from=40000 bytes=8M log=brief"),
                         0);
        stage_until(s, 1, "exit");
        stage_quiet(s);
        assert_true(stage_find(s, 0, "rx=8388608 bad=0", 0) >= 0);
        stage_drop(s, 1, "call send"); /* how much fits at a time is the buffers' business */
    }
    stage_same(&w[0], &w[1]);
    stage_done(&w[0]);
    stage_done(&w[1]);
}

static void heartbeats_are_the_same(void **state)
{
    struct stage w[2];
    struct stage *s = &w[1];
    size_t at;
    int64_t took;

    (void)state;
    for (int real = 0; real < 2; real++) {
        stage_init(&w[real], real != 0);
        stage_program(&w[real], 0, "heartbeat role=listen port=5000 interval=0 dead_after=0");
        stage_program(&w[real], 1,
                      "heartbeat role=connect addr=127.0.0.1 port=5000 from=40000 interval=80ms "
                      "dead_after=2s");
        stage_until(&w[real], 1, "rx=39"); /* three pings were answered */
        stage_quiet(&w[real]);
    }
    stage_same_start(&w[0], &w[1]);
    assert_int_equal(ho_agent_stop(s->agent[0]), 0);
    at = stage_until(s, 1, "finding heartbeat");
    stage_until(s, 1, "exit");
    for (size_t i = at; i-- > 0;) {
        if (strstr(s->line[1][i].text, "call recv") != NULL) {
            took = s->line[1][at].at.ns - s->line[1][i].at.ns;
            assert_in_range(took, 2000000000, 2200000000); /* dead_after since the last pong */
            break;
        }
    }
    stage_done(&w[0]);
    stage_done(&w[1]);
}

/* The server's keepalive_timeout closes the idle connection; its time is epoll_wait()'s. */
static void http_is_the_same(void **state)
{
    struct stage w[2];
    int64_t took[2];

    (void)state;
    for (int real = 0; real < 2; real++) {
        struct stage *s = &w[real];
        size_t found;
        long before = -1;

        stage_init(s, real != 0);
        stage_program(s, 0, "http-server port=5000 keepalive_timeout=1s content=3000");
        stage_program(s, 1,
                      "http-client addr=127.0.0.1 port=5000 from=40000 requests=3 interval=20ms "
                      "reconnect=no");
        found = stage_until(s, 0, "finding keepalive_timeout");
        stage_run_for(s, ho_ms(50));
        for (long i = -1; (i = stage_find(s, 0, "call send", (size_t)(i + 1))) >= 0;) {
            before = (size_t)i < found ? i : before;
        }
        assert_true(before >= 0);
        took[real] = s->line[0][found].at.ns - s->line[0][before].at.ns;
    }
    stage_same(&w[0], &w[1]);
    assert_in_range(took[0], 1000000000, 1000000000);
    assert_in_range(took[1], 1000000000, 1200000000); /* never early */
    stage_done(&w[0]);
    stage_done(&w[1]);
}

/* Several programs of one process run beside each other; when one exits, the process ends. */
static void programs_share_a_process(void **state)
{
    struct stage s;

    (void)state;
    stage_init(&s, true);
    assert_int_equal(stage_program(&s, 0, "echo-server port=5000 name=e"), 0);
    assert_int_equal(stage_program(&s, 0, "http-server port=5001 name=h"), 0);
    assert_int_equal(stage_program(&s, 0, "bulk-checker role=listen port=5002 name=b bytes=100"),
                     0);
    stage_do(&s, 1, "connect addr=127.0.0.1 port=5000 as=k");
    stage_do(&s, 1, "send bytes=10 on=k");
    assert_true(stage_find(&s, 1, "call recv k fd=4 ret=10", 0) >= 0);
    stage_do(&s, 1, "connect addr=127.0.0.1 port=5001 as=m");
    stage_do(&s, 1, "connect addr=127.0.0.1 port=5002 as=n");
    stage_do(&s, 1, "send bytes=10 on=n");
    stage_do(&s, 1, "close on=n"); /* 10 of 100: the checker's connection failed it */
    if (s.alive[0]) {
        stage_do(&s, 0, "exit status=1");
    }
    assert_true(ho_agent_ended(s.agent[0], NULL));
    assert_true(stage_find(&s, 1, "call recv k fd=4 ret=0", 0) >= 0);
    assert_true(stage_find(&s, 1, "call recv m fd=5 ret=0", 0) >= 0);
    stage_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_echo_server_is_the_same), cmocka_unit_test(a_bulk_transfer_is_the_same),
        cmocka_unit_test(heartbeats_are_the_same),    cmocka_unit_test(http_is_the_same),
        cmocka_unit_test(programs_share_a_process),
    };

    stage_namespace(); /* or the whole test is skipped */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
