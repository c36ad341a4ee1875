/* Unit tests of src/timeline/jsonl.c, jsonl_read.c and json.c: the timeline as JSON lines. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "timeline/jsonl.h"

#define SCHEMA                                                                        \
    "{\"t_us\":0,\"kind\":\"settings\",\"host\":\"\",\"process\":\"\",\"conn\":\"\"," \
    "\"scope\":\"timeline\",\"name\":\"schema\",\"value\":1}\n"
#define HEAD(t, kind)                                                        \
    "{\"t_us\":" t ",\"kind\":\"" kind "\",\"host\":\"h\",\"process\":\"\"," \
    "\"conn\":\"\","

/* The example lines of docs/timeline.md, in the order of their times. */
static const char *const examples =
    "{\"t_us\":0,\"kind\":\"settings\",\"host\":\"server\",\"process\":\"\",\"conn\":\"\""
    ",\"scope\":\"sysctl\",\"name\":\"net.ipv4.tcp_retries2\",\"value\":15}\n"
    "{\"t_us\":0,\"kind\":\"settings\",\"host\":\"server\",\"process\":\"\",\"conn\":\"\""
    ",\"scope\":\"host\",\"name\":\"hz\",\"value\":250}\n"
    "{\"t_us\":998000,\"kind\":\"arp\",\"host\":\"client\",\"process\":\"\",\"conn\":\"\""
    ",\"to\":\"\",\"op\":\"who-has\",\"target\":\"10.0.0.2\",\"bcast\":true,\"fate\":\"fw"
    "d\",\"dt_us\":1000}\n"
    "{\"t_us\":998000,\"kind\":\"nd\",\"host\":\"client\",\"process\":\"\",\"conn\":\"\","
    "\"to\":\"\",\"op\":\"who-has\",\"target\":\"fd00::2\",\"bcast\":true,\"fate\":\"fwd"
    "\",\"dt_us\":1000}\n"
    "{\"t_us\":1000000,\"kind\":\"seg\",\"host\":\"client\",\"process\":\"\",\"conn\":\"d"
    "b\",\"to\":\"server\",\"flags\":\"S\",\"seq\":0,\"ack\":null,\"len\":0,\"win\":64240"
    ",\"shift\":0,\"mss\":1460,\"wscale\":10,\"sack_ok\":true,\"ts\":[0,0],\"fate\":\"fwd"
    "\",\"dt_us\":1000}\n"
    "{\"t_us\":1002120,\"kind\":\"settings\",\"host\":\"server\",\"process\":\"app\",\"co"
    "nn\":\"db\",\"scope\":\"sockopt\",\"name\":\"TCP_KEEPIDLE\",\"value\":5}\n"
    "{\"t_us\":4080000,\"kind\":\"icmp\",\"host\":\"server\",\"process\":\"\",\"conn\":\""
    "db\",\"to\":\"server\",\"via\":\"lo\",\"what\":\"host-unreachable\",\"type\":3,\"cod"
    "e\":1,\"seq\":801,\"fate\":\"fwd\",\"dt_us\":0}\n"
    "{\"t_us\":5000000,\"kind\":\"note\",\"host\":\"server\",\"process\":\"\",\"conn\":\""
    "\",\"text\":\"the receive queue is full\"}\n"
    "{\"t_us\":5000000,\"kind\":\"fault\",\"host\":\"\",\"process\":\"\",\"conn\":\"\",\""
    "name\":\"cut\",\"verb\":\"cut\",\"what\":\"lan\"}\n"
    "{\"t_us\":5208000,\"kind\":\"seg\",\"host\":\"server\",\"process\":\"\",\"conn\":\"d"
    "b\",\"to\":\"client\",\"via\":\"lan\",\"flags\":\"PA\",\"seq\":801,\"ack\":801,\"len"
    "\":1000,\"win\":64,\"shift\":10,\"ts\":[4206,4002],\"fate\":\"cut\"}\n"
    "{\"t_us\":5416000,\"kind\":\"sock\",\"host\":\"server\",\"process\":\"app\",\"conn\""
    ":\"db\",\"sock\":\"x\",\"state\":\"ESTABLISHED\",\"sk_err\":null,\"sk_err_soft\":nul"
    "l,\"timer\":\"on\",\"expires_us\":424000,\"retransmits\":1,\"probes\":0,\"backoff\":"
    "1,\"rto_us\":408000,\"srtt_us\":2313,\"rttvar_us\":896,\"cwnd\":1,\"ssthresh\":5,\"u"
    "nacked\":1,\"lost\":1,\"rq\":0,\"wq\":1000}\n"
    "{\"t_us\":20000000,\"kind\":\"neigh\",\"host\":\"server\",\"process\":\"\",\"conn\":"
    "\"\",\"addr\":\"10.0.0.1\",\"state\":\"STALE\"}\n"
    "{\"t_us\":938764000,\"kind\":\"app\",\"host\":\"server\",\"process\":\"app\",\"conn"
    "\":\"db\",\"call\":\"recv\",\"sock\":\"x\",\"asked\":4096,\"ret\":-1,\"errno\":\"ETI"
    "MEDOUT\",\"bytes\":800,\"took_us\":937764000}\n"
    "{\"t_us\":938764000,\"kind\":\"app\",\"host\":\"server\",\"process\":\"app\",\"conn"
    "\":\"db\",\"call\":\"epoll_wait\",\"sock\":\"x\",\"ret\":1,\"errno\":null,\"events\""
    ":\"IN|OUT|ERR|HUP|RDHUP\",\"took_us\":0}\n";

static int read_all(struct ho_timeline *tl, const char *text, struct ho_jsonl_error *error)
{
    ho_timeline_init(tl, 0);
    return ho_jsonl_read(tl, text, strlen(text), error);
}

static void the_examples_of_the_document_come_back_byte_for_byte(void **state)
{
    (void)state;
    struct ho_timeline tl;
    struct ho_jsonl_error error = { 0 };
    struct ho_text in = { 0 }, out = { 0 };

    ho_text_put(&in, SCHEMA);
    ho_text_put(&in, examples);
    assert_int_equal(read_all(&tl, ho_text_str(&in), &error), 0);
    assert_int_equal(tl.n, 14);
    ho_jsonl_write(&out, &tl, 0);
    assert_string_equal(ho_text_str(&out), ho_text_str(&in));
    ho_text_free(&in);
    ho_text_free(&out);
    ho_timeline_destroy(&tl);
}

static void a_segment_is_written_as_the_document_says(void **state)
{
    (void)state;
    struct ho_text out = { 0 };
    const struct ho_record rec = {
        .t = { 5208000999 }, /* nanoseconds are cut, not rounded: a time never moves forward */
        .kind = HO_REC_SEG,
        .host = "server",
        .process = "",
        .conn = "db",
        .u.seg = { .to = "client",
                   .via = "",
                   .flags = HO_TCP_PSH | HO_TCP_ACK | HO_TCP_FIN,
                   .seq = 801,
                   .ack = 802,
                   .len = 1000,
                   .window = 64,
                   .shift = 10,
                   .n_sack = 2,
                   .sack = { { 1, 101 }, { 201, 301 } },
                   .raw_seq = 4000000000u,
                   .raw_ack = 7,
                   .sport = 5000,
                   .dport = 40000,
                   .fate = HO_FATE_FWD,
                   .dt_deliver = { 1060000 } },
    };

    ho_jsonl_record(&out, &rec, 0);
    assert_string_equal(
        ho_text_str(&out),
        "{\"t_us\":5208000,\"kind\":\"seg\",\"host\":\"server\",\"process\":\"\","
        "\"conn\":\"db\",\"to\":\"client\",\"flags\":\"FPA\",\"seq\":801,\"ack\":802,"
        "\"len\":1000,\"win\":64,\"shift\":10,\"sack\":[[1,101],[201,301]],"
        "\"fate\":\"fwd\",\"dt_us\":1060}\n");
    ho_text_clear(&out);
    ho_jsonl_record(&out, &rec, HO_JSONL_RAW);
    assert_non_null(strstr(ho_text_str(&out), ",\"raw_seq\":4000000000,\"raw_ack\":7,"
                                              "\"sport\":5000,\"dport\":40000,\"fate\""));
    ho_text_free(&out);
}

static void raw_numbers_survive_a_round_trip(void **state)
{
    (void)state;
    static const char text[] = SCHEMA HEAD(
        "7",
        "seg") "\"to\":\"s\",\"via\":\"lan\",\"flags\":\"R\",\"seq\":802,\"ack\":null,\"len\":0,"
               "\"win\":0,"
               "\"shift\":0,\"raw_seq\":2640962252,\"raw_ack\":0,\"sport\":40000,\"dport\":5000,"
               "\"fate\":\"no-carrier\"}\n";
    struct ho_timeline tl;
    struct ho_text out = { 0 };

    assert_int_equal(read_all(&tl, text, NULL), 0);
    ho_jsonl_write(&out, &tl, HO_JSONL_RAW);
    assert_string_equal(ho_text_str(&out), text);
    ho_text_free(&out);
    ho_timeline_destroy(&tl);
}

static void what_was_left_out_is_counted_in_a_last_line(void **state)
{
    (void)state;
    struct ho_timeline tl;
    struct ho_text out = { 0 };
    const struct ho_record note = { .t = { 5000 }, .kind = HO_REC_NOTE, .u.note = { "a \"b\"" } };

    ho_timeline_init(&tl, 1);
    assert_int_equal(ho_timeline_append(&tl, &note), 0);
    assert_int_equal(ho_timeline_append(&tl, &note), 0);
    ho_jsonl_write(&out, &tl, 0);
    assert_string_equal(ho_text_str(&out),
                        SCHEMA "{\"t_us\":5,\"kind\":\"note\",\"host\":\"\",\"process\":\"\","
                               "\"conn\":\"\",\"text\":\"a \\\"b\\\"\"}\n"
                               "{\"t_us\":5,\"kind\":\"note\",\"host\":\"\",\"process\":\"\","
                               "\"conn\":\"\",\"text\":\"1 more records were left out\"}\n");
    ho_text_free(&out);
    ho_timeline_destroy(&tl);
}

static void the_order_of_fields_and_spaces_are_free(void **state)
{
    (void)state;
    struct ho_timeline tl;

    assert_int_equal(read_all(&tl,
                              SCHEMA
                              " { \"text\" : \"\\u00e9\\ud83d\\ude00\\n\", \"conn\":\"\", "
                              "\"host\":\"h\",\"process\":\"p\",\"kind\":\"note\",\"t_us\":9 }",
                              NULL),
                     0);
    assert_int_equal(tl.rec[0].t.ns, 9000);
    assert_string_equal(tl.rec[0].u.note.text, "\xc3\xa9\xf0\x9f\x98\x80\n");
    ho_timeline_destroy(&tl);
}

static void what_is_not_our_format_is_refused_where_it_stands(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t line, column;
        const char *what;
    } cases[] = {
        { "", 1, 1, "expected: an opening brace" },
        { HEAD("0", "note") "\"text\":\"x\"}\n", 1, 1,
          "the first line must say the schema's version" },
        { SCHEMA "{\"t_us\":0.5}", 2, 10, "expected: an integer, without fraction or exponent" },
        { SCHEMA "{\"t_us\":01}", 2, 9, "expected: an integer" },
        { SCHEMA "{\"a\":1,\"a\":2}", 2, 8, "expected: a field that was not there before" },
        { SCHEMA "{\"a\":{}}", 2, 6, "expected: a text, an integer, a list, true, false or null" },
        { SCHEMA "{\"a\":\"\\q\"}", 2, 8, "expected: an escape that JSON has" },
        { SCHEMA "{\"a\":[1,[2,3]]}", 2, 9, "expected: an integer" },
        { SCHEMA "{\"a\":[[1,2,3]]}", 2, 14, "expected: two integers in brackets" },
        { SCHEMA "{\"a\":1} x", 2, 9, "expected: the end of the line" },
        { SCHEMA HEAD("0", "rumour") "\"text\":\"x\"}", 2, 18, "an unknown kind: rumour" },
        { SCHEMA HEAD("0", "note") "\"text\":1}", 2, 66,
          "a value of another type is expected: text" },
        { SCHEMA HEAD("0", "note") "\"txt\":\"x\"}", 2, 1, "a field is missing: text" },
        { SCHEMA HEAD("0", "note") "\"text\":\"x\",\"more\":1}", 2, 1,
          "a field that this kind does not have: note" },
        { SCHEMA HEAD("-1", "note") "\"text\":\"x\"}", 2, 9,
          "the number is out of its range: t_us" },
        { SCHEMA HEAD("5", "note") "\"text\":\"x\"}\n" HEAD("4", "note") "\"text\":\"x\"}", 3, 1,
          "the time lies before that of the line before" },
        { SCHEMA HEAD("0", "neigh") "\"addr\":\"10.0.0\",\"state\":\"STALE\"}", 2, 67,
          "a word that makes no sense here: 10.0.0" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_timeline tl;
        struct ho_jsonl_error error = { 0 };

        assert_int_equal(read_all(&tl, cases[i].text, &error), -EINVAL);
        assert_string_equal(error.what, cases[i].what);
        assert_int_equal(error.line, cases[i].line);
        assert_int_equal(error.column, cases[i].column);
        ho_timeline_destroy(&tl);
    }
}

static void a_segment_with_a_flag_and_no_number_is_refused(void **state)
{
    (void)state;
    struct ho_timeline tl;
    struct ho_jsonl_error error = { 0 };

    assert_int_equal(
        read_all(&tl,
                 SCHEMA HEAD("0", "seg") "\"to\":\"s\",\"flags\":\"A\",\"seq\":1,"
                                         "\"ack\":null,\"len\":0,\"win\":1,\"shift\":0,"
                                         "\"fate\":\"cut\"}",
                 &error),
        -EINVAL);
    assert_string_equal(error.what, "a number with flag A, null without it: ack");
    ho_timeline_destroy(&tl);
}

static void another_version_of_the_schema_is_not_guessed_at(void **state)
{
    (void)state;
    struct ho_timeline tl;
    static const char text[] =
        "{\"t_us\":0,\"kind\":\"settings\",\"host\":\"\",\"process\":\"\",\"conn\":\"\","
        "\"scope\":\"timeline\",\"name\":\"schema\",\"value\":2}\n";

    assert_int_equal(read_all(&tl, text, NULL), -EPROTONOSUPPORT);
    ho_timeline_destroy(&tl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_document_come_back_byte_for_byte),
        cmocka_unit_test(a_segment_is_written_as_the_document_says),
        cmocka_unit_test(raw_numbers_survive_a_round_trip),
        cmocka_unit_test(what_was_left_out_is_counted_in_a_last_line),
        cmocka_unit_test(the_order_of_fields_and_spaces_are_free),
        cmocka_unit_test(what_is_not_our_format_is_refused_where_it_stands),
        cmocka_unit_test(a_segment_with_a_flag_and_no_number_is_refused),
        cmocka_unit_test(another_version_of_the_schema_is_not_guessed_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
