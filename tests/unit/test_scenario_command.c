/* Real commands in a scenario: cut into words, planned, refused, and judged by what they did. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knobs/sockopt.h"
#include "scenario/command.h"
#include "scenario/expect.h"
#include "scenario/runner.h"

#define S HO_NS_PER_S
#define WORLD "host client\nhost server\ncable client -- server\n"

/* --- words ----------------------------------------------------------------------------------- */

static void a_command_line_is_cut_by_a_short_rule(void **state)
{
    static const struct {
        const char *line, *words; /* words: each in <> */
    } cases[] = {
        { "redis-server --port 6379", "<redis-server><--port><6379>" },
        { "  a \t b  ", "<a><b>" },
        { "sh -c 'echo \"$x\" | wc -l'", "<sh><-c><echo \"$x\" | wc -l>" },
        { "a \"b \\\" \\\\ \\n c\"", "<a><b \" \\ \\n c>" },
        { "a --x='two words'\" three\"", "<a><--x=two words three>" },
        { "a\\ b \\'c\\\\", "<a b><'c\\>" },
        { "a '' b", "<a><><b>" },
        { "a * $HOME > x", "<a><*><$HOME><>><x>" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_command_words words;
        char text[256] = "";
        assert_int_equal(ho_command_split(&words, cases[i].line, NULL), 0);
        for (size_t k = 0; k < words.count; k++) {
            size_t len = strlen(text);
            snprintf(text + len, sizeof(text) - len, "<%s>", words.word[k]);
        }
        assert_string_equal(text, cases[i].words);
        assert_null(words.word[words.count]);
    }
}

static void a_command_line_that_cannot_be_cut_is_explained(void **state)
{
    char many[2 * HO_COMMAND_WORDS + 3], *big = malloc(HO_COMMAND_TEXT + 2);
    const char *const lines[] = { "", "   ", "''", "a 'b", "a \"b", "a \\", many, big };
    static const char *const whys[] = { "is empty",       "is empty",      "is empty",
                                        "no second one",  "no second one", "ends with a backslash",
                                        "too many words", "too long" };

    (void)state;
    for (size_t i = 0; i <= HO_COMMAND_WORDS; i++) {
        memcpy(many + 2 * i, "a ", 3);
    }
    memset(big, 'a', HO_COMMAND_TEXT + 1);
    big[HO_COMMAND_TEXT + 1] = '\0';
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct ho_command_words words;
        const char *why = "";
        assert_int_equal(ho_command_split(&words, lines[i], &why), -EINVAL);
        assert_non_null(strstr(why, whys[i]));
    }
    free(big);
}

/* --- plans ----------------------------------------------------------------------------------- */

static struct ho_scn *parsed(const char *text)
{
    struct ho_scn *s = NULL;
    struct ho_scn_error e;

    if (ho_scn_parse(&s, "test", text, strlen(text), &e) != 0) {
        fail_msg("%s\n%u:%u: %s", text, e.line, e.column, e.text);
    }
    return s;
}

static struct ho_plan *planned(const struct ho_scn *s, size_t i)
{
    struct ho_plan *p = NULL;
    struct ho_scn_error e;
    const struct ho_scn_case c = ho_scn_case(s, i);

    if (ho_plan_make(&p, s, &c, NULL, &e) != 0) {
        fail_msg("%u:%u: %s", e.line, e.column, e.text);
    }
    return p;
}

static void services_are_set_up_last_and_in_order(void **state)
{
    struct ho_scn *s =
        parsed(WORLD "process server.db as guest runs \"a -p 1\" ready when it listens on 6379\n"
                     "set server net.ipv4.tcp_retries2 3\n"
                     "process client.x runs \"b\" ready when its output matches /^up/ within 2s\n"
                     "process client.y runs \"c\"\n");
    struct ho_plan *p = planned(s, 0);

    (void)state;
    assert_int_equal(p->setup_count, 4);
    assert_int_equal(p->setup[0].kind, HO_STEP_SYSCTL);
    const struct ho_plan_command *c = &p->setup[1].u.command;
    assert_int_equal(p->setup[1].kind, HO_STEP_COMMAND);
    assert_string_equal(p->procs[p->setup[1].proc].name, "db");
    assert_int_equal(p->setup[1].host, 1);
    assert_string_equal(c->text, "a -p 1");
    assert_string_equal(c->user, "guest");
    assert_int_equal(c->ready, HO_READY_LISTENS);
    assert_int_equal(c->port, 6379);
    assert_int_equal(c->within.ns, HO_PLAN_WITHIN * S);
    c = &p->setup[2].u.command;
    assert_int_equal(c->ready, HO_READY_OUTPUT);
    assert_string_equal(c->pattern, "^up");
    assert_null(c->user);
    assert_int_equal(c->within.ns, 2 * S);
    assert_int_equal(p->setup[3].u.command.ready, HO_READY_STARTED);
    ho_plan_free(p);
    ho_scn_free(s);
}

static void commands_and_their_input_are_steps(void **state)
{
    struct ho_scn *s =
        parsed("sweep idle 5 9\n" WORLD "at 1s client as nobody run \"x -i $idle $idler $HOME\"\n"
               "at 2s client type \"a\\\\n\\\\x00\\\\\\\\b\"\n"
               "at 3s client close input\n"
               "at 4s client kill\n"
               "at 5s client run \"x\"\n");
    struct ho_plan *p = planned(s, 1);

    (void)state;
    assert_int_equal(p->step_count, 5);
    assert_int_equal(p->steps[0].kind, HO_STEP_COMMAND);
    assert_string_equal(p->steps[0].u.command.text, "x -i 9 $idler $HOME");
    assert_string_equal(p->steps[0].u.command.user, "nobody");
    assert_int_equal(p->steps[1].kind, HO_STEP_INPUT);
    assert_int_equal(p->steps[1].u.input.len, 5);
    assert_memory_equal(p->steps[1].u.input.bytes, "a\n\0\\b", 5);
    assert_false(p->steps[1].u.input.end);
    assert_true(p->steps[2].u.input.end);
    assert_int_equal(p->steps[2].u.input.len, 0);
    assert_int_equal(p->steps[3].kind, HO_STEP_KILL);
    assert_int_equal(p->steps[4].kind, HO_STEP_COMMAND);
    ho_plan_free(p);
    ho_scn_free(s);
}

static void what_a_command_cannot_do_is_refused(void **state)
{
    static const struct {
        const char *line, *why;
    } cases[] = {
        { "at 1s client run \"a 'b\"", "a ' of the command has no second one" },
        { "at 1s client type \"a\"", "the process of client runs no command" },
        { "process client.x runs \"\"", "the command is empty" },
        { "process client.x runs \"x\"\nat 1s client.x send 5",
          "runs a command: use another process" },
        { "at 1s client send 5\nat 2s client run \"x\"", "is no command: use another process" },
        { "at 1s client run \"x\"\nat 2s client kill\nat 3s client type \"a\"", "runs no command" },
        { "at 1s client power-off\nat 2s client run \"x\"", "client has no power" },
        { "at 1s client run \"x\"\nat 2s client type \"\\q\"", "a backslash before 'q'" },
        { "at 1s client/c1 run \"x\"", "a process, not its connection" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        struct ho_plan *p = NULL;
        struct ho_scn_error e = { .text = "" };
        snprintf(text, sizeof(text), WORLD "%s\n", cases[i].line);
        struct ho_scn *s = parsed(text);
        const struct ho_scn_case c = ho_scn_case(s, 0);
        if (ho_plan_make(&p, s, &c, NULL, &e) != -EINVAL || strstr(e.text, cases[i].why) == NULL) {
            fail_msg("%s: %s", cases[i].line, e.text);
        }
        ho_scn_free(s);
    }
}

static void a_file_with_commands_is_for_no_model(void **state)
{
    struct ho_scn *a = parsed(WORLD "at 1s client run \"x\"\n");
    struct ho_scn *b = parsed(WORLD "on kernel at 1s client run \"x\"\n");
    struct ho_scn *c = parsed(WORLD "process client.x runs \"x\"\n");

    (void)state;
    assert_false(ho_scn_runs_on(a, "model"));
    assert_true(ho_scn_runs_on(a, "kernel"));
    assert_true(ho_scn_runs_on(b, "model"));
    assert_false(ho_scn_runs_on(c, "model"));
    ho_scn_free(a);
    ho_scn_free(b);
    ho_scn_free(c);
}

/* --- judging --------------------------------------------------------------------------------- */

static struct ho_timeline tl;

static void app(int64_t s, const char *process, const char *call, int64_t ret, const char *detail)
{
    const struct ho_record r = {
        .t = { s * S },
        .kind = HO_REC_APP,
        .host = "client",
        .process = process,
        .conn = "",
        .u.app = { .call = call, .sock = "", .detail = detail, .err = "", .ret = ret }
    };

    assert_int_equal(ho_timeline_append(&tl, &r), 0);
}

static void option(int64_t s, const char *process, const char *conn, const char *name,
                   int64_t value)
{
    const struct ho_record r = {
        .t = { s * S },
        .kind = HO_REC_SETTINGS,
        .host = "client",
        .process = process,
        .conn = conn,
        .u.settings = { .scope = "sockopt", .what = "", .name = name, .text = "", .value = value }
    };

    assert_int_equal(ho_timeline_append(&tl, &r), 0);
}

static void judged(const char *line, bool met, const char *found)
{
    char text[512];
    struct ho_verdicts v;
    struct ho_judgement *j;

    snprintf(text, sizeof(text),
             "lasts 100s\n" WORLD "process client.x\nat 10s cut\nexpect client%s\n", line);
    struct ho_scn *s = parsed(text);
    struct ho_plan *p = planned(s, 0);
    assert_int_equal(ho_verdicts_make(&tl, NULL, &v), 0);
    assert_int_equal(ho_expect_judge(&j, p, &tl, &v), 0);
    if (j[0].met != met || strstr(j[0].text, found) == NULL) {
        fail_msg("%s: %s: %s", line, j[0].met ? "met" : "not met", j[0].text);
    }
    free(j);
    ho_verdicts_free(&v);
    ho_plan_free(p);
    ho_scn_free(s);
}

static void output_is_judged_line_by_line(void **state)
{
    (void)state;
    ho_timeline_init(&tl, 0);
    app(5, "app", "output", 5, "hello");
    app(30, "app", "output", 22, "curl: (28) timed out");
    app(40, "x", "output", 3, "bye");

    judged(" output matches /^hello$/", true, "client writes \"hello\" at 5.000 s");
    judged(" output matches /timed out/ between 29s and 31s", true, "curl: (28) timed out");
    judged(" output matches /timed out/ within 20s of cut", true, "");
    judged(" output matches /timed out/ within 5s of cut", false, "at 30.000 s");
    judged(" output matches /refused/", false, "no output of client matches");
    judged(".app output matches /bye/", false, "no output of client matches");
    judged(".x output matches /bye/", true, "");
    judged(" output never matches /refused/", true, "no output");
    judged(" output never matches /hello/", false, "writes \"hello\"");
    judged(" output never matches /hello/ after cut", true, "");
    ho_timeline_destroy(&tl);
}

static void the_end_of_a_command_is_judged(void **state)
{
    (void)state;
    ho_timeline_init(&tl, 0);
    app(20, "app", "exit", 28, "");
    app(30, "x", "exit", -1, "SIGKILL");

    judged(".app exits", true, "client app exits with 28 at 20.000 s");
    judged(".app exits with 28 by 20s", true, "");
    judged(".app exits with 0", false, "exits with 28");
    judged(".app exits by 19s", false, "at 20.000 s");
    judged(".app never exits", false, "exits with 28");
    judged(".x exits within 20s of cut", true, "is ended by SIGKILL at 30.000 s");
    judged(".x exits with 0", false, "is ended by SIGKILL");
    ho_timeline_destroy(&tl);
    ho_timeline_init(&tl, 0);
    judged(" never exits", true, "client never exits");
    judged(" exits", false, "client never exits");
    ho_timeline_destroy(&tl);
}

static void options_that_were_in_force_are_judged(void **state)
{
    (void)state;
    ho_timeline_init(&tl, 0);
    option(1, "x", "c1", "SO_KEEPALIVE", 0);
    option(5, "x", "c1", "SO_KEEPALIVE", 1);
    option(5, "x", "c1", "TCP_KEEPIDLE", 300);
    option(6, "x", "c2", "TCP_KEEPIDLE", 7200);

    judged(" has SO_KEEPALIVE on", true, "client has SO_KEEPALIVE 1 from 5.000 s on");
    judged(" has SO_KEEPALIVE off after cut", false, "SO_KEEPALIVE 1");
    judged(" has SO_KEEPALIVE off by 4s", true, "");
    judged(".x has TCP_KEEPIDLE 5m at 50s", true, "");
    judged(".x has TCP_KEEPIDLE 2h", true, "");
    judged(".x/c1 has TCP_KEEPIDLE 2h", false, "TCP_KEEPIDLE 300");
    judged(".x has TCP_USER_TIMEOUT 10s", false, "no TCP_USER_TIMEOUT that is known");
    judged(".app has TCP_KEEPIDLE 5m", false, "no TCP_KEEPIDLE that is known");
    ho_timeline_destroy(&tl);
}

static void sock(int64_t s, const char *process, const char *conn, const char *state)
{
    const struct ho_record r = { .t = { s * S },
                                 .kind = HO_REC_SOCK,
                                 .host = "client",
                                 .process = process,
                                 .conn = conn,
                                 .u.sock = {
                                     .sock = "", .state = state, .err = "", .err_soft = "" } };

    assert_int_equal(ho_timeline_append(&tl, &r), 0);
}

/* Only what differs from the default is recorded. */
static void options_that_nobody_set_are_the_defaults(void **state)
{
    const struct ho_record r = { .kind = HO_REC_SETTINGS,
                                 .host = "client",
                                 .process = "",
                                 .conn = "",
                                 .u.settings = { .scope = "sysctl",
                                                 .what = "",
                                                 .name = "net.ipv4.tcp_keepalive_time",
                                                 .text = "",
                                                 .value = 7200 } };

    (void)state;
    ho_timeline_init(&tl, 0);
    assert_int_equal(ho_timeline_append(&tl, &r), 0);
    judged(".x has SO_KEEPALIVE off", false, "no SO_KEEPALIVE that is known"); /* no connection */
    sock(1, "x", "c1", "ESTABLISHED");
    judged(".x has SO_KEEPALIVE off", true, "as nobody has set it");
    judged(".x has SO_KEEPALIVE on", false, "client has SO_KEEPALIVE 0");
    judged(".x has TCP_KEEPIDLE 2h", true, "");
    judged(".x has TCP_KEEPCNT 9", false, "no TCP_KEEPCNT that is known");
    judged(".app has SO_KEEPALIVE off", false, "no SO_KEEPALIVE that is known");
    ho_timeline_destroy(&tl);
}

/* The end of a socket has no process: it is of the one that had the connection. */
static void the_end_of_anothers_connection_is_not_ones_own(void **state)
{
    (void)state;
    ho_timeline_init(&tl, 0);
    sock(1, "", "c1", "SYN-RECEIVED");
    sock(1, "x", "c1", "ESTABLISHED");
    sock(1, "app", "c2", "ESTABLISHED");
    sock(20, "", "c2", "gone");

    judged(".x stays ESTABLISHED", true, "enters ESTABLISHED at 1.000 s");
    judged(".x enters gone", false, "client never enters gone");
    judged(".app enters gone at 20s", true, "");
    judged(" enters gone", true, "");
    judged(".x enters SYN-RECEIVED", true, "");
    ho_timeline_destroy(&tl);
}

/* --- an engine without a real kernel ---------------------------------------------------------- */

static int fine(void *self, const struct ho_plan *plan, const struct ho_step **ret_step)
{
    (void)self;
    (void)plan;
    (void)ret_step;
    return 0;
}

static int begin(void *self, const struct ho_plan *plan, struct ho_timeline *timeline)
{
    (void)self;
    (void)plan;
    (void)timeline;
    return 0;
}

static int run_until(void *self, struct ho_time t)
{
    (void)self;
    (void)t;
    return 0;
}

static const char *why(void *self)
{
    (void)self;
    return "no reason";
}

static void an_engine_without_the_verb_does_not_play_it(void **state)
{
    const struct ho_engine engine = {
        .check = fine, .begin = begin, .run_until = run_until, .why = why
    };
    struct ho_scn *s = parsed(WORLD "at 1s client run \"x\"\n");
    struct ho_plan *p = planned(s, 0);
    struct ho_run_result result;
    struct ho_run_error e = { .text = "" };

    (void)state;
    ho_timeline_init(&tl, 0);
    assert_int_equal(ho_run(&result, p, &engine, &tl, &e), -ENOTSUP);
    assert_string_equal(e.text, "this engine cannot run real programs");
    assert_int_equal(e.line, 4);
    ho_timeline_destroy(&tl);
    ho_plan_free(p);
    ho_scn_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_line_is_cut_by_a_short_rule),
        cmocka_unit_test(a_command_line_that_cannot_be_cut_is_explained),
        cmocka_unit_test(services_are_set_up_last_and_in_order),
        cmocka_unit_test(commands_and_their_input_are_steps),
        cmocka_unit_test(what_a_command_cannot_do_is_refused),
        cmocka_unit_test(a_file_with_commands_is_for_no_model),
        cmocka_unit_test(output_is_judged_line_by_line),
        cmocka_unit_test(the_end_of_a_command_is_judged),
        cmocka_unit_test(options_that_were_in_force_are_judged),
        cmocka_unit_test(options_that_nobody_set_are_the_defaults),
        cmocka_unit_test(the_end_of_anothers_connection_is_not_ones_own),
        cmocka_unit_test(an_engine_without_the_verb_does_not_play_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
