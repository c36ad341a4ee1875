/* Unit tests of the heartbeat machine (include/halfopen/heartbeat.h) alone, and of the behaviour
 * `heartbeat` (src/program/beat.c) over sockets in memory.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "halfopen/heartbeat.h"
#include "program/program.h"
#include "support/fake_sockets.h"

#define S INT64_C(1000000000)
#define MS INT64_C(1000000)

static const struct ho_heartbeat_conf both = { .interval_ns = 10 * S, .dead_after_ns = 30 * S };

/* The message that a machine wants to send, taken out: 13 bytes, or 26. */
static size_t take(struct ho_heartbeat *hb, uint8_t out[26])
{
    const uint8_t *bytes;
    size_t n = ho_heartbeat_output(hb, &bytes);

    memcpy(out, bytes, n);
    ho_heartbeat_sent(hb, n);
    return n;
}

/* Puts bytes in, all of them, and returns the last result that was not 0. */
static int feed(struct ho_heartbeat *hb, const void *bytes, size_t len, int64_t now,
                struct ho_heartbeat_msg *msg)
{
    const uint8_t *in = bytes;
    int last = 0, ret;
    size_t used;

    do {
        ret = ho_heartbeat_input(hb, in, len, now, &used, msg);
        in += used;
        len -= used;
        last = ret != 0 ? ret : last;
    } while (ret > 0);
    return last;
}

/* ---- the machine ----------------------------------------------------------------------------- */

static void settings_that_kill_a_living_peer_are_refused(void **state)
{
    static const struct {
        int64_t interval, dead_after;
        int want;
    } cases[] = {
        { 10 * S, 30 * S, 0 },
        { 0, 30 * S, 0 },
        { 10 * S, 0, 0 },
        { 0, 0, 0 },
        { 10 * S, 10 * S + 1, 0 },
        { 10 * S, 10 * S, -EINVAL },
        { 30 * S, 10 * S, -EINVAL },
        { -1, 10 * S, -EINVAL },
        { 10 * S, -1, -EINVAL },
    };
    struct ho_heartbeat hb;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_heartbeat_conf conf = { .interval_ns = cases[i].interval,
                                          .dead_after_ns = cases[i].dead_after };

        assert_int_equal(ho_heartbeat_init(&hb, &conf, 0), cases[i].want);
    }
}

static void a_ping_goes_out_every_interval_exactly(void **state)
{
    static const uint8_t second[13] = { 0, 0, 0, 9, 1, 0, 0, 0, 0, 0, 0, 0, 2 };
    struct ho_heartbeat_conf conf = { .interval_ns = 10 * S };
    struct ho_heartbeat hb;
    uint8_t out[26];

    (void)state;
    ho_heartbeat_init(&hb, &conf, 5 * S);
    assert_int_equal(ho_heartbeat_deadline(&hb), 15 * S);
    assert_int_equal(ho_heartbeat_tick(&hb, 15 * S - 1), 0);
    assert_int_equal(take(&hb, out), 0);
    assert_int_equal(ho_heartbeat_tick(&hb, 15 * S), 0);
    assert_int_equal(take(&hb, out), 13);
    assert_int_equal(ho_heartbeat_deadline(&hb), 25 * S);
    ho_heartbeat_tick(&hb, 25 * S + 3 * S); /* late: the grid is kept */
    assert_int_equal(take(&hb, out), 13);
    assert_memory_equal(out, second, 13);
    assert_int_equal(ho_heartbeat_deadline(&hb), 35 * S);
    ho_heartbeat_tick(&hb, 100 * S); /* slept through: one ping, not seven */
    assert_int_equal(take(&hb, out), 13);
    assert_int_equal(take(&hb, out), 0);
    assert_int_equal(ho_heartbeat_deadline(&hb), 110 * S);
}

static void silence_kills_at_dead_after_exactly_and_once(void **state)
{
    struct ho_heartbeat hb;
    struct ho_heartbeat_msg msg;
    uint8_t out[26];
    size_t used;

    (void)state;
    ho_heartbeat_init(&hb, &both, 0);
    for (int64_t t = 10 * S; t < 30 * S; t += 10 * S) {
        assert_int_equal(ho_heartbeat_tick(&hb, t), 0);
        take(&hb, out);
    }
    assert_int_equal(ho_heartbeat_deadline(&hb), 30 * S);
    assert_int_equal(ho_heartbeat_tick(&hb, 30 * S - 1), 0);
    assert_int_equal(ho_heartbeat_tick(&hb, 30 * S), -ETIMEDOUT);
    assert_int_equal(ho_heartbeat_tick(&hb, 31 * S), 0);
    assert_int_equal(ho_heartbeat_deadline(&hb), HO_HEARTBEAT_NEVER);
    assert_int_equal(take(&hb, out), 0);
    assert_int_equal(ho_heartbeat_input(&hb, "x", 1, 31 * S, &used, &msg), -ETIMEDOUT);
}

/* The false positive that a heartbeat must not have: life at the very deadline. */
static void a_pong_that_arrives_exactly_at_the_deadline_is_in_time(void **state)
{
    struct ho_heartbeat a, b;
    struct ho_heartbeat_msg msg;
    uint8_t out[26];
    size_t n;

    (void)state;
    ho_heartbeat_init(&a, &both, 0);
    ho_heartbeat_init(&b, &(struct ho_heartbeat_conf){ 0 }, 0);
    ho_heartbeat_tick(&a, 10 * S);
    n = take(&a, out);
    assert_int_equal(feed(&b, out, n, 20 * S, &msg), 1);
    n = take(&b, out);
    assert_int_equal(n, 13);
    assert_int_equal(feed(&a, out, n, 30 * S, &msg), 1); /* read first ... */
    assert_int_equal(msg.type, HO_HEARTBEAT_TYPE_PONG);
    assert_int_equal(msg.rtt_ns, 20 * S);
    assert_int_equal(ho_heartbeat_tick(&a, 30 * S), 0); /* ... then tick */
    assert_int_equal(ho_heartbeat_last_received(&a), 30 * S);
}

static void any_byte_is_a_sign_of_life(void **state)
{
    struct ho_heartbeat hb;
    struct ho_heartbeat_msg msg;
    uint8_t header[5];

    (void)state;
    ho_heartbeat_init(&hb, &both, 0);
    ho_heartbeat_frame(header, 100);
    assert_int_equal(feed(&hb, header, 1, 29 * S, &msg), 0);
    assert_int_equal(ho_heartbeat_tick(&hb, 30 * S), 0);
    assert_int_equal(ho_heartbeat_tick(&hb, 59 * S - 1), 0);
    assert_int_equal(ho_heartbeat_tick(&hb, 59 * S), -ETIMEDOUT);
}

/* The same conversation in pieces of every size gives the same messages. */
static void messages_may_arrive_in_pieces(void **state)
{
    static const uint8_t ping_7[13] = { 0, 0, 0, 9, 1, 0, 0, 0, 0, 0, 0, 0, 7 };
    static const uint8_t pong_1[13] = { 0, 0, 0, 9, 2, 0, 0, 0, 0, 0, 0, 0, 1 };
    uint8_t stream[5 + 300 + 13 + 5 + 13];
    struct ho_heartbeat hb;

    (void)state;
    ho_heartbeat_frame(stream, 300);
    memset(stream + 5, 'd', 300);
    memcpy(stream + 305, ping_7, 13);
    ho_heartbeat_frame(stream + 318, 0);
    memcpy(stream + 323, pong_1, 13);
    for (size_t piece = 1; piece <= sizeof(stream); piece++) {
        size_t data = 0, pings = 0, pongs = 0, ends = 0, used;

        ho_heartbeat_init(&hb, &both, 0);
        for (size_t at = 0; at < sizeof(stream); at += piece) {
            size_t len = at + piece < sizeof(stream) ? piece : sizeof(stream) - at, done = 0;
            struct ho_heartbeat_msg msg;
            int ret;

            do {
                ret = ho_heartbeat_input(&hb, stream + at + done, len - done, 1, &used, &msg);
                done += used;
                if (ret > 0) {
                    pings += msg.type == HO_HEARTBEAT_TYPE_PING && msg.number == 7;
                    pongs += msg.type == HO_HEARTBEAT_TYPE_PONG && msg.number == 1;
                    data += msg.type == HO_HEARTBEAT_TYPE_DATA ? msg.len : 0;
                    ends += msg.type == HO_HEARTBEAT_TYPE_DATA && msg.last;
                }
            } while (ret > 0);
            assert_int_equal(ret, 0);
            assert_int_equal(done, len);
        }
        assert_int_equal(data, 300);
        assert_int_equal(ends, 2);
        assert_int_equal(pings, 1);
        assert_int_equal(pongs, 1);
    }
}

static void garbage_is_refused_for_good(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        { "\0\0\0\11\4", 5 },     /* no such type */
        { "\0\0\0\11\0", 5 },     /* nor this */
        { "\0\0\0\10\1", 5 },     /* a ping of 7 bytes */
        { "\0\0\0\12\2", 5 },     /* a pong of 9 bytes */
        { "\0\0\0\0\3", 5 },      /* a length without a type */
        { "\0\1\0\2\3", 5 },      /* 65537 bytes of data, one too many */
        { "GET / HTTP/1.1", 14 }, /* another protocol */
    };
    struct ho_heartbeat hb;
    struct ho_heartbeat_msg msg;
    uint8_t out[26];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ho_heartbeat_init(&hb, &both, 0);
        assert_int_equal(feed(&hb, cases[i].bytes, cases[i].len, 1, &msg), -EPROTO);
        assert_int_equal(feed(&hb, "\0\0\0\11\1\0\0\0\0\0\0\0\7", 13, 1, &msg), -EPROTO);
        assert_int_equal(take(&hb, out), 0);
        assert_int_equal(ho_heartbeat_deadline(&hb), HO_HEARTBEAT_NEVER);
    }
    ho_heartbeat_init(&hb, &both, 0);
    assert_int_equal(feed(&hb, "\0\1\0\1\3", 5, 1, &msg), 0); /* 65536 bytes are allowed */
}

static void output_waits_bounded_and_pongs_answer_the_newest(void **state)
{
    static const uint8_t ping[13] = { 0, 0, 0, 9, 1, 0, 0, 0, 0, 0, 0, 0, 41 };
    struct ho_heartbeat hb;
    struct ho_heartbeat_msg msg;
    uint8_t bytes[13], out[26];
    const uint8_t *left;

    (void)state;
    ho_heartbeat_init(&hb, &both, 0);
    memcpy(bytes, ping, 13);
    feed(&hb, bytes, 13, 1, &msg);
    bytes[12]++;
    feed(&hb, bytes, 13, 1, &msg);
    ho_heartbeat_tick(&hb, 10 * S);
    ho_heartbeat_tick(&hb, 20 * S); /* nobody took the first ping */
    assert_int_equal(ho_heartbeat_count(&hb)->pings_skipped, 1);
    assert_int_equal(ho_heartbeat_output(&hb, &left), 26);
    assert_int_equal(left[4], HO_HEARTBEAT_TYPE_PONG);
    assert_int_equal(left[12], 42);
    assert_false(ho_heartbeat_is_midway(&hb));
    ho_heartbeat_sent(&hb, 3);
    assert_true(ho_heartbeat_is_midway(&hb));
    ho_heartbeat_sent(&hb, 10);
    assert_false(ho_heartbeat_is_midway(&hb));
    assert_int_equal(take(&hb, out), 13);
    assert_int_equal(out[4], HO_HEARTBEAT_TYPE_PING);
    assert_int_equal(take(&hb, out), 0);
}

/* ---- the behaviour --------------------------------------------------------------------------- */

static struct ho_time at(int64_t ns)
{
    return (struct ho_time){ ns };
}

static struct fake *beating(const char *server, const char *client, int *ret_s, int *ret_c)
{
    struct fake *f = fake_new();
    char args[200];

    snprintf(args, sizeof(args), "listen port=5 log=brief %s", server);
    *ret_s = fake_start(f, "heartbeat", args);
    snprintf(args, sizeof(args), "connect addr=10.0.0.2 port=5 log=brief %s", client);
    *ret_c = fake_start(f, "heartbeat", args);
    return f;
}

static void two_living_ends_stay_connected_for_a_day(void **state)
{
    int s, c;
    struct fake *f = beating("interval=10s dead_after=30s", "interval=7s dead_after=20s", &s, &c);

    (void)state;
    fake_run(f, at(86400 * S));
    assert_int_equal(fake_count(f, s, HO_PROGRAM_FINDING, ""), 0);
    assert_int_equal(fake_count(f, c, HO_PROGRAM_FINDING, ""), 0);
    assert_int_equal(fake_count(f, c, HO_PROGRAM_CALL, "close"), 0);
    fake_free(f);
}

/* The last sign of life arrives, then the cable is cut: death is dead_after later, to the ns. */
static void a_cut_cable_is_noticed_by_each_end_in_its_own_time(void **state)
{
    int s, c, status;
    struct fake *f = beating("interval=10s dead_after=30s", "interval=10s dead_after=15s", &s, &c);
    const struct ho_program_event *e;

    (void)state;
    fake_run(f, at(25 * S));
    f->cut = true;
    fake_run(f, at(100 * S));
    /* server and client open at 2 ms and 0; the second pings are due at 20 s and 20.002 s */
    e = fake_event(f, s, HO_PROGRAM_FINDING, "heartbeat", 0);
    assert_non_null(e);
    assert_string_equal(e->detail, "dead_after=30s");
    assert_int_equal(e->at.ns, 20 * S + 3 * MS + 30 * S); /* client's ping of 20.002, 1 ms */
    e = fake_event(f, c, HO_PROGRAM_FINDING, "heartbeat", 0);
    assert_int_equal(e->at.ns, 20 * S + 4 * MS + 15 * S); /* its pong */
    assert_true(ho_program_exited(f->program[c], &status));
    assert_int_equal(status, 1);
    assert_false(ho_program_exited(f->program[s], NULL)); /* a server goes on */
    assert_int_equal(fake_conn_of(f, s), -1);
    fake_free(f);
}

/* One side asks, the other only answers and never gives up. */
static void the_side_that_only_answers_never_notices(void **state)
{
    int s, c;
    struct fake *f = beating("interval=0 dead_after=0", "interval=1s dead_after=3s", &s, &c);

    (void)state;
    fake_run(f, at(10 * S));
    f->cut = true;
    fake_run(f, at(86400 * S));
    assert_int_equal(fake_count(f, c, HO_PROGRAM_FINDING, "heartbeat"), 1);
    assert_int_equal(fake_count(f, s, HO_PROGRAM_FINDING, ""), 0);
    assert_true(fake_conn_of(f, s) >= 0);
    fake_free(f);
}

/* The peer's process hangs, its kernel lives: keepalive would see nothing. */
static void a_hanging_process_is_noticed(void **state)
{
    int s, c;
    struct fake *f = beating("interval=10s dead_after=0", "interval=10s dead_after=25s", &s, &c);

    (void)state;
    fake_run(f, at(12 * S));
    f->stopped[s] = true;
    fake_run(f, at(60 * S));
    assert_int_equal(fake_count(f, c, HO_PROGRAM_FINDING, "heartbeat"), 1);
    fake_free(f);
}

/* A process that was itself stopped for longer than dead_after reads before it judges. */
static void a_process_that_was_stopped_itself_does_not_accuse_its_peer(void **state)
{
    int s, c;
    struct fake *f = beating("interval=10s dead_after=0", "interval=10s dead_after=25s", &s, &c);

    (void)state;
    fake_run(f, at(12 * S));
    f->stopped[c] = true;
    fake_run(f, at(300 * S));
    fake_continue(f, c);
    fake_run(f, at(400 * S));
    assert_int_equal(fake_count(f, c, HO_PROGRAM_FINDING, "heartbeat"), 0);
    assert_int_equal(fake_count(f, c, HO_PROGRAM_CALL, "close"), 0);
    fake_free(f);
}

static void a_lost_connection_is_opened_again(void **state)
{
    int s, c;
    struct fake *f =
        beating("interval=1s dead_after=5s", "interval=1s dead_after=5s reconnect=2s", &s, &c);
    const struct ho_program_event *e;

    (void)state;
    fake_run(f, at(10 * S));
    f->cut = true;
    fake_run(f, at(15 * S + 500 * MS)); /* dead 5 s after the last sign of life */
    f->cut = false;
    fake_run(f, at(60 * S));
    assert_int_equal(fake_count(f, c, HO_PROGRAM_FINDING, "heartbeat"), 1);
    e = fake_event(f, c, HO_PROGRAM_CALL, "connect", 1);
    assert_non_null(e);
    assert_string_equal(e->sock, "k2");
    assert_int_equal(e->at.ns - fake_event(f, c, HO_PROGRAM_FINDING, "heartbeat", 0)->at.ns,
                     2 * S + 2 * MS);
    assert_int_equal(fake_count(f, c, HO_PROGRAM_CALL, "connect"), 2); /* and it lasts */
    fake_free(f);
}

static void a_reset_or_a_close_ends_it_without_a_finding(void **state)
{
    static const int errors[] = { ECONNRESET, ETIMEDOUT, EHOSTUNREACH, 0 };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        int s, c;
        struct fake *f = beating("", "", &s, &c);

        fake_run(f, at(S));
        if (errors[i] != 0) {
            fake_break(f, fake_conn_of(f, c), errors[i]);
        } else {
            fake_close(f, fake_conn_of(f, s));
        }
        fake_run(f, at(2 * S));
        assert_true(ho_program_exited(f->program[c], NULL));
        assert_int_equal(fake_event(f, c, HO_PROGRAM_CALL, "recv", 0)->err, errors[i]);
        assert_int_equal(fake_count(f, c, HO_PROGRAM_FINDING, ""), 0);
        fake_free(f);
    }
}

static void a_peer_that_speaks_something_else_is_dropped(void **state)
{
    struct fake *f = fake_new();
    int s = fake_start(f, "heartbeat", "listen port=5"), fd;

    (void)state;
    fd = fake_connect(f, 5);
    fake_run(f, at(5 * MS));
    fake_send(f, fd, "GET / HTTP/1.1\r\n", 16);
    fake_run(f, at(10 * MS));
    assert_string_equal(fake_event(f, s, HO_PROGRAM_NOTE, "heartbeat", 0)->note,
                        "what the peer sends is no heartbeat");
    assert_int_equal(fake_conn_of(f, s), -1);
    fake_free(f);
}

static void arguments_that_kill_a_living_peer_are_refused(void **state)
{
    struct ho_program_arg args[] = {
        { NULL, "listen" }, { "port", "5" }, { "interval", "30s" }, { "dead_after", "10s" }
    };
    struct ho_program_error error;

    (void)state;
    assert_int_equal(ho_program_check("heartbeat", args, 4, &error), -EINVAL);
    assert_string_equal(error.text, "dead_after: found \"10s\", expected a duration longer than "
                                    "interval (\"30s\"), or 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_that_kill_a_living_peer_are_refused),
        cmocka_unit_test(a_ping_goes_out_every_interval_exactly),
        cmocka_unit_test(silence_kills_at_dead_after_exactly_and_once),
        cmocka_unit_test(a_pong_that_arrives_exactly_at_the_deadline_is_in_time),
        cmocka_unit_test(any_byte_is_a_sign_of_life),
        cmocka_unit_test(messages_may_arrive_in_pieces),
        cmocka_unit_test(garbage_is_refused_for_good),
        cmocka_unit_test(output_waits_bounded_and_pongs_answer_the_newest),
        cmocka_unit_test(two_living_ends_stay_connected_for_a_day),
        cmocka_unit_test(a_cut_cable_is_noticed_by_each_end_in_its_own_time),
        cmocka_unit_test(the_side_that_only_answers_never_notices),
        cmocka_unit_test(a_hanging_process_is_noticed),
        cmocka_unit_test(a_process_that_was_stopped_itself_does_not_accuse_its_peer),
        cmocka_unit_test(a_lost_connection_is_opened_again),
        cmocka_unit_test(a_reset_or_a_close_ends_it_without_a_finding),
        cmocka_unit_test(a_peer_that_speaks_something_else_is_dropped),
        cmocka_unit_test(arguments_that_kill_a_living_peer_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
