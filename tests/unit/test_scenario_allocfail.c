/* Reading, planning and judging when there is no memory: an error, nothing leaked, no crash. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "scenario/expect.h"
#include "scenario/scenario.h"
#include "support/alloc_fail.h"

static const char text[] = "title \"a title\"\n"
                           "sweep pause 1s 2s\n"
                           "host client\n"
                           "host server\n"
                           "cable client -- server\n"
                           "set all net.ipv4.tcp_retries2 3\n"
                           "process server.db as guest runs \"db $pause\" ready when its output "
                           "matches /up/\n"
                           "connection client -> server:7000\n"
                           "option server SO_KEEPALIVE on\n"
                           "at 1s client send 100 every 10ms until 2s\n"
                           "at 3s cut client -> server\n"
                           "at cut+$pause drop next 3 ACK\n"
                           "at 8s plug\n"
                           "at 8s server.db type \"x\\n\"\n"
                           "expect nobody notices\n"
                           "expect client stays ESTABLISHED\n"
                           "expect the stream arrives whole\n"
                           "expect client received 5\n"
                           "expect server.db exits\n"
                           "expect server.db output matches /x/\n"
                           "expect server.db has SO_KEEPALIVE on\n"
                           "expect server.db enters gone\n"
                           "expect server sends RST\n";

static void reading_without_memory_is_enomem(void **state)
{
    (void)state;
    size_t n = 1;

    for (;; n++) {
        struct ho_scn *s = NULL;
        ho_alloc_fail_nth(n);
        int err = ho_scn_parse(&s, "test", text, sizeof(text) - 1, NULL);
        bool failed = ho_alloc_fail_happened();
        ho_alloc_fail_off();
        if (!failed) {
            assert_int_equal(err, 0);
            ho_scn_free(s);
            break;
        }
        assert_int_equal(err, -ENOMEM);
        assert_null(s);
    }
    assert_true(n > 5);
}

static void planning_without_memory_is_enomem(void **state)
{
    (void)state;
    struct ho_scn *s = NULL;
    size_t n = 1;

    assert_int_equal(ho_scn_parse(&s, "test", text, sizeof(text) - 1, NULL), 0);
    const struct ho_scn_case c = ho_scn_case(s, 1);
    for (;; n++) {
        struct ho_plan *p = NULL;
        ho_alloc_fail_nth(n);
        int err = ho_plan_make(&p, s, &c, NULL, NULL);
        bool failed = ho_alloc_fail_happened();
        ho_alloc_fail_off();
        if (!failed) {
            assert_int_equal(err, 0);
            ho_plan_free(p);
            break;
        }
        assert_int_equal(err, -ENOMEM);
        assert_null(p);
    }
    assert_true(n > 15);
    ho_scn_free(s);
}

/* A few records of each kind that judging keeps something of. */
static void fill(struct ho_timeline *tl)
{
    static const char *const names[] = { "c1", "c2", "c3", "c4", "c5", "c6" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct ho_record r = {
            .kind = HO_REC_SOCK,
            .host = "client",
            .process = "app",
            .conn = names[i],
            .u.sock = { .sock = names[i], .state = "ESTABLISHED", .err = "", .err_soft = "" }
        };
        assert_int_equal(ho_timeline_append(tl, &r), 0);
        r.kind = HO_REC_APP;
        r.u.app = (struct ho_rec_app){
            .call = "send", .sock = names[i], .detail = "", .err = "", .ret = 100
        };
        assert_int_equal(ho_timeline_append(tl, &r), 0);
        r.host = "server";
        r.u.app.call = "recv";
        assert_int_equal(ho_timeline_append(tl, &r), 0);
    }
}

static void judging_without_memory_is_enomem(void **state)
{
    (void)state;
    struct ho_scn *s = NULL;
    struct ho_plan *p = NULL;
    struct ho_timeline tl;
    struct ho_verdicts v;
    size_t n = 1;

    assert_int_equal(ho_scn_parse(&s, "test", text, sizeof(text) - 1, NULL), 0);
    const struct ho_scn_case c = ho_scn_case(s, 0);
    assert_int_equal(ho_plan_make(&p, s, &c, NULL, NULL), 0);
    ho_timeline_init(&tl, 0);
    fill(&tl);
    assert_int_equal(ho_verdicts_make(&tl, NULL, &v), 0);
    for (;; n++) {
        struct ho_judgement *j = NULL;
        ho_alloc_fail_nth(n);
        int err = ho_expect_judge(&j, p, &tl, &v);
        bool failed = ho_alloc_fail_happened();
        ho_alloc_fail_off();
        if (!failed) {
            assert_int_equal(err, 0);
            free(j);
            break;
        }
        assert_int_equal(err, -ENOMEM);
        assert_null(j);
    }
    assert_true(n > 5);
    ho_verdicts_free(&v);
    ho_timeline_destroy(&tl);
    ho_plan_free(p);
    ho_scn_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_without_memory_is_enomem),
        cmocka_unit_test(planning_without_memory_is_enomem),
        cmocka_unit_test(judging_without_memory_is_enomem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
