/* Unit tests of src/timeline/mark.c: what each segment is, from hand-made timelines. The orders of
 * segments are those of ground-truth A2 (s03_*), B rows 2, 5, 12 and the rules named there.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "timeline/mark.h"

#define MS 1000000LL

static void seg(struct ho_timeline *tl, int64_t ms, const char *from, const char *flags_to,
                uint32_t seq, uint32_t ack, uint32_t len, enum ho_fate fate)
{
    struct ho_record r = {
        .t = { ms * MS },
        .kind = HO_REC_SEG,
        .host = from,
        .conn = "db",
        .u.seg = { .to = strcmp(from, "c") == 0 ? "s" : "c",
                   .seq = seq,
                   .ack = ack,
                   .len = len,
                   .window = 64,
                   .fate = fate,
                   .dt_deliver = { MS } },
    };

    for (; *flags_to != '\0'; flags_to++) {
        switch (*flags_to) {
        case 'F':
            r.u.seg.flags |= HO_TCP_FIN;
            break;
        case 'S':
            r.u.seg.flags |= HO_TCP_SYN;
            break;
        case 'R':
            r.u.seg.flags |= HO_TCP_RST;
            break;
        case 'A':
            r.u.seg.flags |= HO_TCP_ACK;
            break;
        case '0':
            r.u.seg.window = 0;
            break;
        default:
            fail_msg("no such flag");
        }
    }
    assert_int_equal(ho_timeline_append(tl, &r), 0);
}

static void setting(struct ho_timeline *tl, const char *scope, const char *conn, const char *name,
                    int64_t value)
{
    struct ho_record r = {
        .kind = HO_REC_SETTINGS,
        .host = "s",
        .conn = conn,
        .u.settings = { scope, "", name, "", value },
    };

    r.t = tl->n == 0 ? r.t : tl->rec[tl->n - 1].t;
    assert_int_equal(ho_timeline_append(tl, &r), 0);
}

static void handshake(struct ho_timeline *tl)
{
    seg(tl, 0, "c", "S", 0, 0, 0, HO_FATE_FWD);
    seg(tl, 1, "s", "SA", 0, 1, 0, HO_FATE_FWD);
    seg(tl, 2, "c", "A", 1, 1, 0, HO_FATE_FWD);
}

/* The marks of all segments, one a line. */
static void assert_marks(const struct ho_timeline *tl, const char *expected)
{
    struct ho_mark *mark = NULL;
    struct ho_text out = { 0 };

    assert_int_equal(ho_marks_make(tl, &mark), 0);
    for (size_t i = 0; i < tl->n; i++) {
        if (tl->rec[i].kind == HO_REC_SEG) {
            ho_mark_put(&out, &mark[i]);
            ho_text_char(&out, '\n');
        }
    }
    assert_string_equal(ho_text_str(&out), expected);
    ho_text_free(&out);
    free(mark);
}

static void one_lost_segment_is_probed_once_then_retransmitted(void **state)
{
    (void)state;
    struct ho_timeline tl;

    ho_timeline_init(&tl, 0);
    handshake(&tl);
    seg(&tl, 1000, "s", "A", 1, 1, 1000, HO_FATE_CUT);
    seg(&tl, 1206, "s", "A", 1, 1, 1000, HO_FATE_CUT);
    seg(&tl, 1414, "s", "A", 1, 1, 1000, HO_FATE_CUT);
    seg(&tl, 1840, "s", "A", 1, 1, 1000, HO_FATE_FWD);
    seg(&tl, 1842, "c", "A", 1, 1001, 0, HO_FATE_FWD);
    seg(&tl, 2000, "s", "A", 1001, 1, 1000, HO_FATE_CUT);
    seg(&tl, 2206, "s", "A", 1001, 1, 1000, HO_FATE_CUT);
    assert_marks(&tl, "\n\n\n\ntail loss probe\nretransmission 1\nretransmission 2\n\n\n"
                      "tail loss probe\n");
    ho_timeline_destroy(&tl);
}

static void without_tail_loss_probes_the_first_repeat_is_a_timeout(void **state)
{
    (void)state;
    struct ho_timeline tl;

    ho_timeline_init(&tl, 0);
    setting(&tl, "sysctl", "", "net.ipv4.tcp_early_retrans", 0);
    handshake(&tl);
    seg(&tl, 1000, "s", "A", 1, 1, 1000, HO_FATE_CUT);
    seg(&tl, 1205, "s", "A", 1, 1, 1000, HO_FATE_CUT);
    assert_marks(&tl, "\n\n\n\nretransmission 1\n");
    ho_timeline_destroy(&tl);
}

/* Three in flight: the probe repeats the last, the timeout the first; what follows the ACK of the
 * first repairs the loss.
 */
static void a_flight_is_probed_at_its_end_and_repaired_from_its_start(void **state)
{
    (void)state;
    struct ho_timeline tl;

    ho_timeline_init(&tl, 0);
    handshake(&tl);
    seg(&tl, 1000, "s", "A", 1, 1, 100, HO_FATE_CUT);
    seg(&tl, 1000, "s", "A", 101, 1, 100, HO_FATE_CUT);
    seg(&tl, 1000, "s", "A", 201, 1, 100, HO_FATE_CUT);
    seg(&tl, 1010, "s", "A", 201, 1, 100, HO_FATE_CUT);
    seg(&tl, 1220, "s", "A", 1, 1, 100, HO_FATE_FWD);
    seg(&tl, 1222, "c", "A", 1, 101, 0, HO_FATE_FWD);
    seg(&tl, 1223, "s", "A", 101, 1, 100, HO_FATE_FWD);
    seg(&tl, 1223, "s", "A", 201, 1, 100, HO_FATE_FWD);
    assert_marks(&tl, "\n\n\n\n\n\ntail loss probe\nretransmission 1\n\nloss recovery\n"
                      "loss recovery\n");
    ho_timeline_destroy(&tl);
}

static void keepalive_probes_are_counted_until_something_is_heard(void **state)
{
    (void)state;
    struct ho_timeline tl;

    ho_timeline_init(&tl, 0);
    setting(&tl, "sockopt", "db", "TCP_KEEPCNT", 3);
    handshake(&tl);
    seg(&tl, 5000, "s", "A", 0, 1, 0, HO_FATE_CUT);
    seg(&tl, 7000, "s", "A", 0, 1, 0, HO_FATE_FWD);
    seg(&tl, 7001, "c", "A", 1, 1, 0, HO_FATE_FWD);
    seg(&tl, 12000, "s", "A", 0, 1, 0, HO_FATE_CUT);
    seg(&tl, 18000, "s", "RA", 1, 1, 0, HO_FATE_CUT);
    assert_marks(&tl, "\n\n\nkeepalive probe 1 of 3\nkeepalive probe 2 of 3\n\n"
                      "keepalive probe 1 of 3\nRST: keepalive gave up\n");
    ho_timeline_destroy(&tl);
}

static void probes_of_a_zero_window_are_no_keepalive(void **state)
{
    (void)state;
    struct ho_timeline tl;

    ho_timeline_init(&tl, 0);
    handshake(&tl);
    seg(&tl, 10, "s", "A", 1, 1, 100, HO_FATE_FWD);
    seg(&tl, 12, "c", "A0", 1, 101, 0, HO_FATE_FWD);
    seg(&tl, 231, "s", "A", 100, 1, 0, HO_FATE_CUT);
    seg(&tl, 703, "s", "A", 100, 1, 0, HO_FATE_CUT);
    assert_marks(&tl, "\n\n\n\n\nzero-window probe 1\nzero-window probe 2\n");
    ho_timeline_destroy(&tl);
}

static void resets_say_why(void **state)
{
    (void)state;
    struct ho_timeline tl;
    struct ho_record sock = { .t = { 3 * MS }, .kind = HO_REC_SOCK, .host = "c", .conn = "db" };

    ho_timeline_init(&tl, 0); /* nobody listens */
    seg(&tl, 0, "c", "S", 0, 0, 0, HO_FATE_FWD);
    seg(&tl, 1, "s", "RA", 0, 1, 0, HO_FATE_FWD);
    assert_marks(&tl, "\nRST: nobody listens here\n");
    ho_timeline_destroy(&tl);

    ho_timeline_init(&tl, 0); /* killed with data it has not read (ground-truth row 6b) */
    handshake(&tl);
    seg(&tl, 2, "s", "A", 1, 1, 100, HO_FATE_FWD);
    sock.u.sock.state = "ESTABLISHED";
    sock.u.sock.rq = 100;
    assert_int_equal(ho_timeline_append(&tl, &sock), 0);
    seg(&tl, 50, "c", "RA", 1, 101, 0, HO_FATE_FWD);
    assert_marks(&tl, "\n\n\n\nRST: closed with unread data\n");
    ho_timeline_destroy(&tl);

    ho_timeline_init(&tl, 0); /* rebooted: no connection there any more (row 8a) */
    handshake(&tl);
    seg(&tl, 2000, "s", "A", 1, 1, 100, HO_FATE_FWD);
    seg(&tl, 2001, "c", "R", 1, 0, 0, HO_FATE_FWD);
    assert_marks(&tl, "\n\n\n\nRST: no such connection here\n");
    ho_timeline_destroy(&tl);
}

/* An ACK that is still under way when the timer fires is not known to the sender yet. */
static void an_ack_counts_from_its_arrival(void **state)
{
    (void)state;
    struct ho_timeline tl;

    ho_timeline_init(&tl, 0);
    handshake(&tl);
    seg(&tl, 1000, "s", "A", 1, 1, 100, HO_FATE_FWD);
    seg(&tl, 1206, "s", "A", 1, 1, 100, HO_FATE_FWD);
    seg(&tl, 1300, "c", "A", 1, 101, 0, HO_FATE_FWD);
    tl.rec[tl.n - 1].u.seg.dt_deliver.ns = 200 * MS;
    seg(&tl, 1414, "s", "A", 1, 1, 100, HO_FATE_FWD);
    assert_marks(&tl, "\n\n\n\ntail loss probe\n\nretransmission 1\n");
    ho_timeline_destroy(&tl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_lost_segment_is_probed_once_then_retransmitted),
        cmocka_unit_test(without_tail_loss_probes_the_first_repeat_is_a_timeout),
        cmocka_unit_test(a_flight_is_probed_at_its_end_and_repaired_from_its_start),
        cmocka_unit_test(keepalive_probes_are_counted_until_something_is_heard),
        cmocka_unit_test(probes_of_a_zero_window_are_no_keepalive),
        cmocka_unit_test(resets_say_why),
        cmocka_unit_test(an_ack_counts_from_its_arrival),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
