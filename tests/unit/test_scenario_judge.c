/* Judging expectations, by timelines that are made by hand. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knobs/poll.h"
#include "scenario/expect.h"
#include "scenario/scenario.h"
#include "wire/tcp.h"

#define S HO_NS_PER_S

/* Every scenario here: two hosts, a connection c1, a cut at 10 s, the end at 100 s. */
static const char world[] = "lasts 100s\nhost client\nhost server\ncable client -- server\n"
                            "connection client -> server:7000\nat 10s cut\n";

static struct ho_timeline tl;

static int begin(void **state)
{
    (void)state;
    ho_timeline_init(&tl, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    ho_timeline_destroy(&tl);
    return 0;
}

static struct ho_record *append(const struct ho_record *r)
{
    assert_int_equal(ho_timeline_append(&tl, r), 0);
    return &tl.rec[tl.n - 1];
}

static void sock(int64_t s, const char *host, const char *conn, const char *state, const char *err)
{
    append(&(struct ho_record){
        .t = { s * S },
        .kind = HO_REC_SOCK,
        .host = host,
        .process = "app",
        .conn = conn,
        .u.sock = { .sock = "1", .state = state, .err = err, .err_soft = "" } });
}

static struct ho_record *app(int64_t s, const char *host, const char *conn, const char *call,
                             int64_t ret, const char *err)
{
    return append(&(struct ho_record){
        .t = { s * S },
        .kind = HO_REC_APP,
        .host = host,
        .process = "app",
        .conn = conn,
        .u.app = { .call = call, .sock = "1", .detail = "", .err = err, .ret = ret } });
}

static struct ho_record *seg(int64_t s, const char *host, uint8_t flags, uint32_t seq, uint32_t ack,
                             uint32_t len)
{
    const char *to = strcmp(host, "client") == 0 ? "server" : "client";

    return append(&(struct ho_record){ .t = { s * S },
                                       .kind = HO_REC_SEG,
                                       .host = host,
                                       .process = "",
                                       .conn = "c1",
                                       .u.seg = { .to = to,
                                                  .via = "",
                                                  .flags = flags,
                                                  .seq = seq,
                                                  .ack = ack,
                                                  .len = len,
                                                  .window = 64,
                                                  .fate = HO_FATE_FWD,
                                                  .dt_deliver = { 500000 } } });
}

/* Judges one expectation; its text must contain `found`. */
static void judged(const char *line, bool met, const char *found)
{
    char text[1024];
    struct ho_scn *s = NULL;
    struct ho_plan *p = NULL;
    struct ho_scn_error e = { 0 };
    struct ho_verdicts v;
    struct ho_judgement *j;

    snprintf(text, sizeof(text), "%sexpect %s\n", world, line);
    if (ho_scn_parse(&s, "test", text, strlen(text), &e) != 0) {
        fail_msg("%s: %u:%u: %s", line, e.line, e.column, e.text);
    }
    const struct ho_scn_case c = ho_scn_case(s, 0);
    if (ho_plan_make(&p, s, &c, NULL, &e) != 0) {
        fail_msg("%s: %u:%u: %s", line, e.line, e.column, e.text);
    }
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

/* --- who notices ----------------------------------------------------------------------------- */

static void a_failed_call_is_noticed(void **state)
{
    (void)state;
    sock(0, "server", "c1", "ESTABLISHED", "");
    app(5, "server", "c1", "recv", -1, "EAGAIN");
    sock(20, "server", "c1", "CLOSED", "ETIMEDOUT");
    app(20, "server", "c1", "recv", -1, "ETIMEDOUT");
    app(21, "server", "c1", "send", -1, "EPIPE");

    judged("server notices ETIMEDOUT", true, "server notices ETIMEDOUT in recv at 20.000 s");
    judged("server notices ETIMEDOUT in recv at 20s", true, "");
    judged("server notices ETIMEDOUT between 9s and 11s after cut", true, "");
    judged("server notices ETIMEDOUT in send", false, "in recv");
    judged("server notices EPIPE", false, "notices ETIMEDOUT");
    judged("server notices ETIMEDOUT by 19s", false, "at 20.000 s");
    judged("server/other notices ETIMEDOUT", false, "server never notices");
    judged("server never notices", false, "server notices ETIMEDOUT in recv at 20.000 s");
    judged("client never notices", true, "");
    judged("nobody notices", false, "server notices");
    judged("kernel of server gives up", true, "gives up with ETIMEDOUT at 20.000 s");
    judged("kernel of server gives up with EHOSTUNREACH", false, "ETIMEDOUT");
    judged("kernel of server never gives up", false, "gives up");
    judged("kernel of client never gives up", true, "never");
}

static void the_end_of_the_stream_and_a_finding_are_noticed(void **state)
{
    (void)state;
    sock(0, "client", "c1", "ESTABLISHED", "");
    sock(0, "server", "c1", "ESTABLISHED", "");
    app(20, "client", "c1", "recv", 0, "");
    app(30, "server", "c1", "heartbeat", 0, "")->u.app.finding = true;

    judged("client notices EOF in recv at 20s", true, "client notices EOF");
    judged("client notices ETIMEDOUT", false, "notices EOF");
    judged("server notices timeout in heartbeat at 30s", true, "notices timeout in heartbeat");
}

static void data_is_nothing_to_notice(void **state)
{
    (void)state;
    sock(0, "client", "c1", "ESTABLISHED", "");
    app(20, "client", "c1", "recv", 100, "");

    judged("nobody notices", true, "nobody notices");
    judged("client notices EOF", false, "client never notices");
}

/* --- states ---------------------------------------------------------------------------------- */

static void states_are_followed(void **state)
{
    (void)state;
    sock(0, "client", "c1", "SYN-SENT", "");
    sock(0, "client", "L", "LISTEN", "");
    sock(1, "client", "c1", "ESTABLISHED", "");
    sock(2, "client", "c1", "ESTABLISHED", "");
    sock(50, "client", "c1", "CLOSE-WAIT", "");
    sock(60, "client", "c1", "gone", "");

    judged("client stays ESTABLISHED", false, "enters CLOSE-WAIT at 50.000 s");
    judged("client stays ESTABLISHED until 49s", true, "enters ESTABLISHED at 1.000 s");
    judged("client stays ESTABLISHED from 2s until 49s", true, "");
    judged("client stays ESTABLISHED from 0.5s until 49s", false, "SYN-SENT");
    judged("client stays CLOSE-WAIT until 59s", true, "");
    judged("client is ESTABLISHED at 30s", true, "");
    judged("client is ESTABLISHED at 55s", false, "client is CLOSE-WAIT");
    judged("client is CLOSE_WAIT at 55s", true, ""); /* any spelling of a state */
    judged("client is ESTABLISHED at the end", false, "no connection then");
    judged("client is gone at the end", true, "");
    judged("client is gone at 30s", false, "ESTABLISHED");
    judged("client enters CLOSE-WAIT", true, "at 50.000 s");
    judged("client enters CLOSE-WAIT by 49s", false, "never");
    judged("client enters ESTABLISHED between 1.5s and 3s", false, "never"); /* it was there */
    judged("client never enters LAST-ACK", true, "");
    judged("client never enters gone", false, "gone at 60.000 s");
    judged("server stays ESTABLISHED", false, "");
    judged("server is ESTABLISHED at 30s", false, "server has no connection then");
    judged("client never enters LISTEN", true, ""); /* listeners are left out */
}

static void whoever_closes_or_ends_lets_go(void **state)
{
    (void)state;
    sock(1, "client", "c1", "ESTABLISHED", "");
    sock(1, "server", "c1", "ESTABLISHED", "");
    sock(30, "client", "c1", "CLOSE-WAIT", "");
    judged("client lets go", false, "client does not let go"); /* it has not closed */
    sock(40, "client", "c1", "LAST-ACK", "");
    app(50, "server", "", "exit", 1, "");
    judged("client lets go", true, "LAST-ACK at 40.000 s");
    judged("client lets go within 20s of cut", false, "LAST-ACK at 40.000 s");
    judged("client lets go within 31s of cut", true, "");
    judged("server lets go between 45s and 55s", true, "server exits at 50.000 s");
    judged("server lets go after cut", true, "");
}

static void two_connections_of_a_host_are_both_meant_unless_named(void **state)
{
    (void)state;
    sock(0, "server", "old", "ESTABLISHED", "");
    sock(5, "server", "new", "ESTABLISHED", "");
    sock(20, "server", "old", "CLOSED", "ECONNRESET");

    judged("server/new stays ESTABLISHED", true, "");
    judged("server/old stays ESTABLISHED", false, "CLOSED at 20.000 s");
    judged("server stays ESTABLISHED", false, "CLOSED at 20.000 s");
    judged("server is ESTABLISHED at 15s", true, "");
    judged("server is ESTABLISHED at 25s", false, "server is CLOSED");
    judged("server/new is ESTABLISHED at 25s", true, "");
}

/* --- the wire -------------------------------------------------------------------------------- */

static void frames_are_counted_by_kind_direction_and_time(void **state)
{
    (void)state;
    seg(0, "client", HO_TCP_SYN, 0, 0, 0);
    seg(0, "server", HO_TCP_SYN | HO_TCP_ACK, 0, 1, 0);
    seg(0, "client", HO_TCP_ACK, 1, 1, 0);
    seg(1, "server", HO_TCP_PSH | HO_TCP_ACK, 1, 1, 100);
    seg(1, "client", HO_TCP_ACK, 1, 101, 0);
    seg(20, "server", HO_TCP_ACK, 100, 1, 0); /* below what was acknowledged: keepalive */
    seg(22, "server", HO_TCP_ACK, 100, 1, 0)->u.seg.fate = HO_FATE_CUT;
    seg(24, "server", HO_TCP_RST | HO_TCP_ACK, 101, 1, 0);

    judged("server sends SYN-ACK", true, "server sends 1 SYN-ACK, the first at 0.000 s");
    judged("server sends SYN", false, "sends no SYN");
    judged("client sends exactly 2 ACK", true, "");
    judged("server sends exactly 2 keepalive-probe after cut", true, "the last at 22.000 s");
    judged("server sends exactly 2 keepalive-probe by 21s", false, "sends 1 keepalive-probe");
    judged("client receives exactly 1 keepalive-probe", true, "");
    judged("server sends at-least 2 keepalive-probe", true, "");
    judged("server sends at-least 3 keepalive-probe", false, "sends 2 keepalive-probe");
    judged("server sends at-most 1 keepalive-probe", false, "");
    judged("server sends no RST by 23s", true, "sends no RST then");
    judged("server sends no RST", false, "sends 1 RST");
    judged("server sends exactly 1 data", true, "");
    judged("server sends exactly 5 segment", true, "");
    judged("server sends FIN", false, "");
    judged("client sends no ARP", true, "");
}

static void repeats_are_told_apart(void **state)
{
    (void)state;
    seg(1, "server", HO_TCP_ACK, 1, 1, 100);
    seg(2, "server", HO_TCP_ACK, 1, 1, 100); /* the first repeat of the last segment */
    seg(3, "server", HO_TCP_ACK, 1, 1, 100);
    seg(5, "server", HO_TCP_ACK, 1, 1, 100);

    judged("server sends exactly 1 TLP at 2s", true, "");
    judged("server sends exactly 2 retransmission", true, "");
    judged("server sends exactly 4 data", true, "");
}

static void neighbours_and_icmp_are_frames_too(void **state)
{
    (void)state;
    append(&(struct ho_record){
        .t = { S },
        .kind = HO_REC_ND,
        .host = "client",
        .process = "",
        .conn = "",
        .u.nd = { .to = "", .via = "", .multicast = true, .fate = HO_FATE_FWD } });
    append(&(struct ho_record){
        .t = { 4 * S },
        .kind = HO_REC_ICMP,
        .host = "client",
        .process = "",
        .conn = "c1",
        .u.icmp = {
            .to = "client", .via = "lo", .what = "host-unreachable", .fate = HO_FATE_FWD } });

    judged("client sends exactly 1 ARP", true, "");
    judged("server receives exactly 1 ARP", true, "");
    judged("client receives no ARP", true, "");
    judged("client receives exactly 1 ICMP", true, "");
    judged("server receives no ICMP", true, "");
}

/* --- bytes and calls ------------------------------------------------------------------------- */

static void the_stream_is_compared_end_to_end(void **state)
{
    (void)state;
    judged("the stream arrives whole", false, "0 bytes");
    app(1, "client", "c1", "send", 100, "");
    judged("the stream arrives whole", false, "client sent 100 bytes, 0 were received");
    app(1, "server", "c1", "recv", 60, "");
    judged("the stream arrives whole", false, "client sent 100 bytes, 60 were received");
    app(2, "server", "c1", "recv", 40, "");
    judged("the stream arrives whole", true, "100 bytes");
    app(3, "server", "c1", "send", 30, "EAGAIN"); /* a count, and why it is not more */
    judged("the stream arrives whole", false, "server sent 30 bytes, 0 were received");
    app(3, "client", "c1", "recv", 30, "")->u.app.bad = 2;
    judged("the stream arrives whole", false, "client received 2 bytes that nobody sent");
}

static void bytes_must_have_come_in_time(void **state)
{
    (void)state;
    app(1, "server", "c1", "recv", 60, "");
    app(20, "server", "c1", "recv", 40, "");

    judged("server received 100", true, "server received 100 bytes, the last at 20.000 s");
    judged("server received 100 by 20s", true, "");
    judged("server received 100 by 19s", false, "");
    judged("server received 60", false, "received 100 bytes");
    judged("client received 100", false, "received 0 bytes");
}

static void calls_are_found_by_what_they_returned(void **state)
{
    (void)state;
    app(1, "client", "c1", "connect", 0, "")->u.app.enter = true;
    app(4, "client", "c1", "connect", -1, "EHOSTUNREACH");
    app(5, "client", "c1", "send", 46336, "ETIMEDOUT");
    app(6, "client", "c1", "send", -1, "EPIPE");
    app(7, "client", "c1", "getsockopt", 0, "ECONNRESET"); /* SO_ERROR, and what it gave */
    struct ho_record *r = app(8, "client", "c1", "epoll_wait", 1, "");
    r->u.app.has_events = true;
    r->u.app.events = HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP;

    judged("client connect fails with EHOSTUNREACH at 4s", true, "connect of client fails");
    judged("client connect succeeds", false, "connect of client fails with EHOSTUNREACH");
    judged("client send succeeds by 5s", true, "send of client returns 46336 at 5.000 s");
    judged("client send returns 46336", true, "");
    judged("client send fails with ETIMEDOUT", false, "");
    judged("client send fails with EPIPE at 6s", true, "");
    judged("client send fails with EPIPE at 5s", false, "");
    judged("client getsockopt fails with ECONNRESET", true, "");
    judged("client shutdown succeeds", false, "no shutdown of client returned");
    judged("client sees IN|OUT|RDHUP at 8s", true, "client sees IN|OUT|RDHUP in epoll_wait");
    judged("client sees IN", false, "sees IN|OUT|RDHUP");
    judged("server sees IN", false, "no poll of server returned");
}

int main(void)
{
#define JUDGE(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        JUDGE(a_failed_call_is_noticed),
        JUDGE(the_end_of_the_stream_and_a_finding_are_noticed),
        JUDGE(data_is_nothing_to_notice),
        JUDGE(states_are_followed),
        JUDGE(whoever_closes_or_ends_lets_go),
        JUDGE(two_connections_of_a_host_are_both_meant_unless_named),
        JUDGE(frames_are_counted_by_kind_direction_and_time),
        JUDGE(repeats_are_told_apart),
        JUDGE(neighbours_and_icmp_are_frames_too),
        JUDGE(the_stream_is_compared_end_to_end),
        JUDGE(bytes_must_have_come_in_time),
        JUDGE(calls_are_found_by_what_they_returned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
