/* Reading a scenario: what a mistake is answered with, and reading back what was printed. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"

#define TWO_HOSTS "host client\nhost server\n"
#define JOINED TWO_HOSTS "cable client -- server\n"

/* --- mistakes -------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    unsigned line, column;
    const char *found; /* a part of the message each */
    const char *expected;
} mistakes[] = {
    /* the words */
    { "hots client", 1, 1, "found 'hots'", "did you mean 'host'?" },
    { "host", 1, 5, "found the end of the line", "a new name" },
    { "host client client", 1, 13, "found 'client'", "eth1, profile, hz, jiffy, mac" },
    { "title hello", 1, 7, "found 'hello'", "a text in double quotes" },
    { "title \"hello", 1, 7, "no closing quote", "" },
    { "title \"a\"b", 1, 10, "found 'b'", "a blank after a text" },
    { "host cli\"ent", 1, 9, "found '\"'", "letters" },
    { "host caf\xc3\xa9", 1, 9, "in a word", "letters" },
    { "host a\x01", 1, 7, "0x01", "text" },

    /* names */
    { "host client\nhost client", 2, 6, "found 'client'", "'client' is taken" },
    { "host cut", 1, 6, "found 'cut'", "'cut' is a word of the language" },
    { "host 1st", 1, 6, "found '1st'", "a new name" },
    { "host abcdefghijklmnop", 1, 6, "found 'abcdefghijklmnop'", "at most 15" },
    { TWO_HOSTS "at 1s clint send 5", 3, 7, "found 'clint'", "did you mean 'client'?" },
    { TWO_HOSTS "cable client -- servr", 3, 17, "found 'servr'", "did you mean 'server'?" },
    { TWO_HOSTS "cable client", 3, 13, "found the end of the line", "--" },
    { TWO_HOSTS "at 1s client.db send 5", 3, 7, "found 'client.db'", "HOST.PROCESS" },
    { TWO_HOSTS "process client.app", 3, 9, "found 'client.app'", "a new process" },
    { JOINED "at 1s cut client -> serve", 4, 21, "found 'serve'", "did you mean 'server'?" },

    /* verbs and values */
    { TWO_HOSTS "at 1s client sned 5", 3, 14, "found 'sned'", "did you mean 'send'?" },
    { TWO_HOSTS "at 1s client send 5 evry 1s", 3, 21, "found 'evry'", "did you mean 'every'?" },
    { TWO_HOSTS "at 1s client send five", 3, 19, "found 'five'", "a number of bytes" },
    { TWO_HOSTS "at 1 client send 5", 3, 4, "found '1'", "a time such as" },
    { TWO_HOSTS "at", 3, 3, "found the end of the line", "a time such as" },
    { TWO_HOSTS "at 1s client connect server", 3, 22, "found 'server'", "server:7000" },
    { TWO_HOSTS "at 1s client connect serve:7000", 3, 22, "found 'serve:7000'",
      "a host and a port" },
    { TWO_HOSTS "set server net.ipv4.tcp_retires2 3", 3, 12, "found 'net.ipv4.tcp_retires2'",
      "did you mean 'net.ipv4.tcp_retries2'?" },
    { TWO_HOSTS "option server SO_KEEPALVE 1", 3, 15, "found 'SO_KEEPALVE'",
      "did you mean 'SO_KEEPALIVE'?" },
    { TWO_HOSTS "cable client -- server delay 1", 3, 30, "found '1'", "a duration" },
    { TWO_HOSTS "cable client -- server loss 2", 3, 29, "found '2'", "a percentage" },
    { TWO_HOSTS "cable client -- server delay 1s delay 2s", 3, 33, "found 'delay'", "rate, queue" },
    { "rtt 3", 1, 5, "found '3'", "a duration" },
    { "hz 500", 1, 4, "found '500'", "1000) or exact" },
    { "rtt $r", 1, 5, "found '$r'", "a duration" },

    /* guards */
    { "on kenel expect nobody notices", 1, 4, "found 'kenel'", "did you mean 'kernel'?" },
    { "on kernel seed 3", 1, 11, "found 'seed'", "expect" },
    { "when x=3 expect nobody notices", 1, 6, "found 'x=3'", "a sweep and its value" },
    { "over ipv5 expect nobody notices", 1, 6, "found 'ipv5'", "did you mean 'ipv4'?" },

    /* expectations */
    { TWO_HOSTS "expect client notices ETIMEOUT", 3, 23, "found 'ETIMEOUT'",
      "did you mean 'ETIMEDOUT'?" },
    { TWO_HOSTS "expect client is ESTABLISHD at 1s", 3, 18, "found 'ESTABLISHD'",
      "did you mean 'ESTABLISHED'?" },
    { TWO_HOSTS "expect client sends probe", 3, 21, "found 'probe'", "keepalive-probe" },
    { TWO_HOSTS "expect client sees IN|UP", 3, 20, "found 'IN|UP'", "events such as" },
    { TWO_HOSTS "expect client output matches /(a/", 3, 30, "found '(a'",
      "a regular expression such as /timed out/: a ( without its )" },
    { TWO_HOSTS "expect client output matches /a", 3, 30, "no closing slash", "" },
    { TWO_HOSTS "expect client output matches /a/b", 3, 33, "found 'b'", "a blank" },
    { TWO_HOSTS "expect client output matches hello", 3, 30, "found 'hello'",
      "a regular expression such as" },
    { TWO_HOSTS "at 1s client type hello", 3, 19, "found 'hello'", "a text in double quotes" },
    { TWO_HOSTS "process server.x runs \"x\" ready when it listens", 3, 48,
      "found the end of the line", "on" },
    { TWO_HOSTS "expect client is ESTABLISHED at the edn", 3, 33, "found 'the'", "a time" },
};

static void mistakes_say_where_what_and_what_instead(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct ho_scn *s = NULL;
        struct ho_scn_error e = { 0 };
        int err = ho_scn_parse(&s, "test", mistakes[i].text, strlen(mistakes[i].text), &e);
        if (err != -EINVAL || s != NULL) {
            fail_msg("no mistake found in: %s", mistakes[i].text);
        }
        if (e.line != mistakes[i].line || e.column != mistakes[i].column ||
            strstr(e.text, mistakes[i].found) == NULL ||
            strstr(e.text, mistakes[i].expected) == NULL) {
            fail_msg("%s\ngives %u:%u: %s", mistakes[i].text, e.line, e.column, e.text);
        }
    }
}

static void an_error_may_be_unwanted(void **state)
{
    (void)state;
    struct ho_scn *s = NULL;

    assert_int_equal(ho_scn_parse(&s, "test", "host", 4, NULL), -EINVAL);
    assert_null(s);
}

/* --- bounds ---------------------------------------------------------------------------------- */

static void check_refused(const char *text, size_t len, unsigned line, const char *why)
{
    struct ho_scn *s = NULL;
    struct ho_scn_error e = { 0 };

    assert_int_equal(ho_scn_parse(&s, "test", text, len, &e), -EINVAL);
    assert_null(s);
    assert_int_equal(e.line, line);
    assert_non_null(strstr(e.text, why));
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    size_t size = HO_SCN_TEXT_MAX + 1;
    char *text = malloc(size);

    assert_non_null(text);
    memset(text, '\n', size);
    check_refused(text, size, 1, "at most");
    check_refused(text, HO_SCN_LINES_MAX + 1, HO_SCN_LINES_MAX + 1, "more than 4096 lines");
    memset(text, ' ', size);
    check_refused(text, 40000, 1, "endless line");
    for (size_t i = 0; i < 200; i += 2) {
        text[i] = 'x';
    }
    check_refused(text, 200, 1, "more than 64 words");
    check_refused("host a\0b", 8, 1, "byte 0");
    free(text);
}

static void more_than_256_ways_to_play_are_refused(void **state)
{
    (void)state;
    const char *text = "sweep a 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
                       "sweep b 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
                       "sweep c 1 2\n";

    check_refused(text, strlen(text), 3, "more than 256 ways");
}

static void five_sweeps_are_refused(void **state)
{
    (void)state;
    const char *text = "sweep a 1\nsweep b 1\nsweep c 1\nsweep d 1\nsweep e 1\n";

    check_refused(text, strlen(text), 5, "more than 4 sweeps");
}

/* --- there and back -------------------------------------------------------------------------- */

static struct ho_scn *parsed(const char *text, size_t len)
{
    struct ho_scn *s = NULL;
    struct ho_scn_error e;

    if (ho_scn_parse(&s, "test", text, len, &e) != 0) {
        fail_msg("%u:%u: %s\n%.*s", e.line, e.column, e.text, (int)len, text);
    }
    return s;
}

static void assert_same_text(const char *a, const char *b)
{
    if (a == NULL || b == NULL) {
        assert_ptr_equal(a, b);
    } else {
        assert_string_equal(a, b);
    }
}

static void assert_same(const struct ho_scn *a, const struct ho_scn *b)
{
    assert_int_equal(a->line_count, b->line_count);
    assert_int_equal(a->arg_count, b->arg_count);
    assert_int_equal(a->sweep_count, b->sweep_count);
    for (size_t i = 0; i < a->line_count; i++) {
        const struct ho_scn_line *x = &a->lines[i], *y = &b->lines[i];
        assert_int_equal(x->form, y->form);
        assert_int_equal(x->number, y->number);
        assert_int_equal(x->arg_first, y->arg_first);
        assert_int_equal(x->arg_count, y->arg_count);
        assert_int_equal(x->guard.family, y->guard.family);
        assert_int_equal(x->guard.sweep, y->guard.sweep);
        assert_same_text(x->guard.engine, y->guard.engine);
        assert_same_text(x->guard.value, y->guard.value);
        assert_same_text(x->comment, y->comment);
    }
    for (size_t i = 0; i < a->arg_count; i++) {
        const struct ho_scn_arg *x = &a->args[i], *y = &b->args[i];
        assert_int_equal(x->place, y->place);
        assert_int_equal(x->var, y->var);
        assert_int_equal(x->relative, y->relative);
        assert_int_equal(x->number, y->number);
        assert_same_text(x->text2, y->text2);
        assert_same_text(x->text3, y->text3);
    }
}

/* Every kind of place, groups in another order than the pattern's, guards, comments. */
static const char everything[] =
    "# a comment\n"
    "\n"
    "#\n"
    "title \"a \\\"quoted\\\" title with a back\\\\slash, and caf\xc3\xa9\"   # and a comment \n"
    "claim A1 \"it is so\" holds\n"
    "claim A2 \"it is so\" holds with a correction: \"nearly\"\n"
    "claim B3 \"it is so\" wrong: \"it is not\"\n"
    "runs on model kernel\n"
    "plays over ipv6 ipv4\n"
    "seed 7\r\n"
    "hz exact\n"
    "jiffy 430\n"
    "rtt 40ms\n"
    "lasts 24h\n"
    "sweep net.ipv4.tcp_retries2 3 8\n"
    "sweep pause 1s 2s\n"
    "host client mac 02:00:00:00:00:aa hz 1000 10.0.0.1/24 fd00::1/64 jiffy 9 profile linux-6.1\n"
    "\thost server 10.0.0.2/24 fd00::2/64 eth1 10.1.0.2/24\n"
    "switch lan\n"
    "middlebox nat forgets after 350s then resets\n"
    "cable client -- lan -- nat loss 0.01% delay 0.5ms\n"
    "cable nat -- server as uplink corrupt 1% duplicate 2% reorder 3% queue 9 rate 10Mbit\n"
    "neighbours static\n"
    "when pause=2s on model over ipv4 set all net.ipv4.tcp_rmem 4096 131072 33554432\n"
    "route client 0.0.0.0/0 via 10.0.0.2\n"
    "process server.db\n"
    "process server.web runs \"httpd -c 'a \\\"b\\\"'\"\n"
    "process server.x as guest runs \"x\" ready when it listens on 80 within 5s\n"
    "process server.y runs \"y $pause\" ready when its output matches /a \\/b\\\\ [c]\\.$/\n"
    "connection client -> server:7000 as main from 40000\n"
    "option server.db TCP_KEEPIDLE 5s\n"
    "program server.db echo-server port=7001 max=3\n"
    "at 1s cut\n"
    "at +0.5s cut client -> lan as half\n"
    "at half+3s cut uplink\n"
    "at half+$pause unplug client from lan\n"
    "at $pause unplug server\n"
    "at cut plug client\n"
    "at +1s plug as again\n"
    "at 9s drop next 3 ACK on nat -- server from server\n"
    "at 9s set server net.ipv4.tcp_retries2 $pause\n"
    "at 9s note \"now\"\n"
    "at 9s client power-off as dark\n"
    "at 9s client boot\n"
    "at 9s client hang\n"
    "at 9s server.db kill\n"
    "at 9s server stop\n"
    "at 9s server continue\n"
    "at 9s server interface lo down\n"
    "at 9s server address del 10.0.0.2/24\n"
    "at 9s server route add 10.2.0.0/16 via 10.0.0.1\n"
    "at 9s server neighbour add client\n"
    "at 9s server listen 80 backlog 5\n"
    "at 9s client connect [fd00::2]:80 as x from 1024\n"
    "at 9s client connect 10.0.0.2:80\n"
    "at 9s client/x send 64k every 1s until half+60s\n"
    "at 9s client send until blocked\n"
    "at 9s client read\n"
    "at 9s client read 10\n"
    "at 9s client stop reading\n"
    "at 9s client resume reading\n"
    "at 9s server stop accepting\n"
    "at 9s server resume accepting\n"
    "at 9s client close at eof\n"
    "at 9s client shutdown both\n"
    "at 9s client shutdown\n"
    "at 9s client close\n"
    "at 9s client setsockopt SO_LINGER 5\n"
    "at 9s client getsockopt SO_ERROR\n"
    "at 9s client poll\n"
    "at 9s client epoll watch edge\n"
    "at 9s client run heartbeat every=1s\n"
    "at 9s server.x as nobody run \"cat -n\"\n"
    "at 9s server.x type \"hello\\\\n\"\n"
    "at 9s server.x close input\n"
    "expect server.db/x notices ETIMEDOUT in recv after half between 937s and 941s\n"
    "expect server notices EOF at 3s +- 1ms\n"
    "expect server never notices\n"
    "expect nobody notices\n"
    "expect kernel of server gives up with EHOSTUNREACH by 3s\n"
    "expect kernel of server never gives up\n"
    "expect server knob is tcp_retries2\n"
    "expect client stays ESTABLISHED\n"
    "expect client stays ESTAB until 4s from 1s\n"
    "expect client is TIME-WAIT at the end\n"
    "expect client enters gone within 3s of half\n"
    "expect client never enters CLOSE_WAIT\n"
    "on kernel expect client sends RST\n"
    "expect client receives exactly 3 keepalive-probe after half\n"
    "expect client sends at-most 3 retransmission\n"
    "expect client sends no ARP\n"
    "expect the stream arrives whole\n"
    "expect server received 64k\n"
    "expect client send returns 0\n"
    "expect client send fails with EPIPE\n"
    "expect client connect succeeds\n"
    "expect client sees IN|OUT|RDHUP\n"
    "expect server.x output matches /timed? out/ within 3s of half\n"
    "expect server.x output never matches /#/\n"
    "expect server.x exits with 28 by 9s\n"
    "expect server.x exits\n"
    "expect server.x never exits\n"
    "expect server.x lets go within 30s of half\n"
    "expect server.x has SO_KEEPALIVE on\n"
    "expect server.x has TCP_KEEPIDLE 60s after half\n";

static void printing_and_reading_again_gives_the_same(void **state)
{
    (void)state;
    struct ho_scn *a = parsed(everything, sizeof(everything) - 1);
    struct ho_text once = { 0 }, twice = { 0 };

    ho_scn_print(a, &once);
    struct ho_scn *b = parsed(ho_text_str(&once), once.len);
    assert_same(a, b);
    ho_scn_print(b, &twice);
    assert_string_equal(ho_text_str(&once), ho_text_str(&twice));

    ho_text_free(&once);
    ho_text_free(&twice);
    ho_scn_free(a);
    ho_scn_free(b);
}

static void every_form_was_in_that_text(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(everything, sizeof(everything) - 1);

    for (unsigned form = 0; form < HO_FORM_COUNT; form++) {
        bool found = false;
        for (size_t i = 0; i < s->line_count; i++) {
            found = found || s->lines[i].form == form;
        }
        if (!found) {
            fail_msg("no line is: %s", ho_form_info((enum ho_form)form)->pattern);
        }
    }
    ho_scn_free(s);
}

/* A file that ends without a newline, with one, and with nothing in it. */
static void the_end_of_a_file_is_nothing_special(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t lines;
    } files[] = { { "", 0 }, { "\n", 1 }, { "seed 1", 1 }, { "seed 1\n", 1 }, { "seed 1\n\n", 2 } };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct ho_scn *s = parsed(files[i].text, strlen(files[i].text));
        assert_int_equal(s->line_count, files[i].lines);
        ho_scn_free(s);
    }
}

/* --- what it says about itself --------------------------------------------------------------- */

static void title_claims_and_engines_can_be_asked_for(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(everything, sizeof(everything) - 1);
    struct ho_claim claim;

    assert_string_equal(ho_scn_title(s), "a \"quoted\" title with a back\\slash, and caf\xc3\xa9");
    assert_true(ho_scn_runs_on(s, "kernel"));
    assert_false(ho_scn_runs_on(s, "virtual-kernel"));
    assert_true(ho_scn_claim(s, 2, &claim));
    assert_string_equal(claim.id, "B3");
    assert_int_equal(claim.verdict, HO_CLAIM_WRONG);
    assert_string_equal(claim.correction, "it is not");
    assert_false(ho_scn_claim(s, 3, &claim));
    ho_scn_free(s);
}

static void cases_are_families_times_sweeps(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(everything, sizeof(everything) - 1);

    assert_int_equal(ho_scn_case_count(s), 8);
    struct ho_scn_case first = ho_scn_case(s, 0), last = ho_scn_case(s, 7);
    assert_int_equal(first.family, HO_FAMILY_V6); /* in the order of `plays over` */
    assert_int_equal(last.family, HO_FAMILY_V4);
    assert_int_equal(last.value[0], 1);
    assert_int_equal(last.value[1], 1);
    assert_int_equal(ho_scn_case(s, 1).value[1], 1); /* the last sweep changes fastest */
    ho_scn_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_say_where_what_and_what_instead),
        cmocka_unit_test(an_error_may_be_unwanted),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(more_than_256_ways_to_play_are_refused),
        cmocka_unit_test(five_sweeps_are_refused),
        cmocka_unit_test(printing_and_reading_again_gives_the_same),
        cmocka_unit_test(every_form_was_in_that_text),
        cmocka_unit_test(the_end_of_a_file_is_nothing_special),
        cmocka_unit_test(title_claims_and_engines_can_be_asked_for),
        cmocka_unit_test(cases_are_families_times_sweeps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
