/* Answers of sock_diag, byte by byte: whole, cut, and lying (os/diag_read.h). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "knobs/state.h"
#include "os/diag_read.h"

/* linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h: their numbers, written out. */
#define HEADER 16
#define BODY 72
#define TYPE_ERROR 2
#define TYPE_DONE 3
#define TYPE_SOCK 20
#define FLAG_INTR 0x10
#define ATTR_INFO 2
#define ATTR_CONG 4
#define ATTR_SHUTDOWN 8
#define INFO_RTO 8 /* in struct tcp_info */
#define INFO_SND_WND 228
#define INFO_RTO_TIME 240
#define SEQ 5
#define PORT 77

struct datagram {
    uint8_t b[1024];
    size_t len;
};

static void put32(uint8_t *at, uint32_t v)
{
    memcpy(at, &v, 4);
}

static void put16(uint8_t *at, uint16_t v)
{
    memcpy(at, &v, 2);
}

/* A message without a body yet. */
static uint8_t *put_header(struct datagram *d, uint16_t type, uint16_t flags, uint32_t body)
{
    uint8_t *at = d->b + d->len;

    put32(at, HEADER + body);
    put16(at + 4, type);
    put16(at + 6, flags);
    put32(at + 8, SEQ);
    put32(at + 12, PORT);
    d->len += HEADER + body;
    return at + HEADER;
}

/* 127.0.0.1:80 to 127.0.0.2:443, ESTABLISHED, with `more` bytes behind the fixed part. */
static uint8_t *put_sock(struct datagram *d, uint32_t more)
{
    static const uint8_t ports[] = { 0, 80, 1, 187 }, src[] = { 127, 0, 0, 1 },
                         dst[] = { 127, 0, 0, 2 };
    uint8_t *at = put_header(d, TYPE_SOCK, 2, BODY + more);

    at[0] = 2; /* AF_INET */
    at[1] = HO_TCP_ESTABLISHED;
    at[2] = HO_SOCK_TIMER_KEEPALIVE;
    at[3] = 1;
    memcpy(at + 4, ports, 4);
    memcpy(at + 8, src, 4);
    memcpy(at + 24, dst, 4);
    put32(at + 52, 7000); /* expires */
    put32(at + 56, 3);    /* rqueue */
    put32(at + 60, 4);    /* wqueue */
    put32(at + 64, 1000); /* uid */
    put32(at + 68, 4242); /* inode */
    return at + BODY;
}

static void put_done(struct datagram *d, int32_t err)
{
    put32(put_header(d, TYPE_DONE, 2, 4), (uint32_t)err);
}

static struct ho_os_diag_reader reader(const struct datagram *d)
{
    struct ho_os_diag_reader r = { .seq = SEQ, .port = PORT };

    ho_os_diag_reader_feed(&r, d->b, d->len);
    return r;
}

static void a_socket_is_read(void **state)
{
    struct datagram d = { .len = 0 };
    struct ho_os_sock s;
    char local[HO_ADDR_TEXT], remote[HO_ADDR_TEXT];

    (void)state;
    put_sock(&d, 0);
    put_done(&d, 0);
    struct ho_os_diag_reader r = reader(&d);

    assert_int_equal(ho_os_diag_reader_next(&r, &s), 1);
    assert_string_equal(ho_addr_text(&s.local, local), "127.0.0.1");
    assert_string_equal(ho_addr_text(&s.remote, remote), "127.0.0.2");
    assert_true(s.lport == 80 && s.rport == 443 && s.state == HO_TCP_ESTABLISHED && !s.ipv6);
    assert_true(s.timer == HO_SOCK_TIMER_KEEPALIVE && s.retrans == 1 && s.expires_ms == 7000);
    assert_true(s.rqueue == 3 && s.wqueue == 4 && s.uid == 1000 && s.inode == 4242 && !s.has_info);
    assert_int_equal(ho_os_diag_reader_next(&r, &s), HO_OS_DIAG_DONE);
}

/* An older kernel's struct tcp_info is shorter: what it does not say is not known, not 0. */
static void what_an_old_kernel_does_not_say_is_not_known(void **state)
{
    (void)state;
    for (uint16_t len = INFO_SND_WND; len <= INFO_SND_WND + 4; len += 4) {
        struct datagram d = { .len = 0 };
        struct ho_os_sock s;
        uint8_t *at = put_sock(&d, 4u + len);

        put16(at, (uint16_t)(4 + len));
        put16(at + 2, ATTR_INFO);
        put32(at + 4 + INFO_RTO, 204000);
        if (len > INFO_SND_WND) {
            put32(at + 4 + INFO_SND_WND, 65535);
        }
        struct ho_os_diag_reader r = reader(&d);

        assert_int_equal(ho_os_diag_reader_next(&r, &s), 1);
        assert_true(s.has_info && s.info.rto_us == 204000);
        assert_int_equal(s.info.has_snd_wnd, len > INFO_SND_WND);
        assert_int_equal(s.info.snd_wnd, len > INFO_SND_WND ? 65535 : 0);
        assert_int_equal(ho_os_diag_reader_next(&r, &s), 0); /* the next datagram, please */
    }
}

/* Linux 6.7 counts the time that is spent repeating: two numbers of 16 bits and one of 32, behind
 * what older ones have (seen on Linux 6.18: a connection whose peer is cut off).
 */
static void the_time_spent_repeating_is_read_where_it_is_said(void **state)
{
    (void)state;
    for (uint16_t len = INFO_RTO_TIME; len <= INFO_RTO_TIME + 8; len += 8) {
        struct datagram d = { .len = 0 };
        struct ho_os_sock s;
        uint8_t *at = put_sock(&d, 4u + len);
        bool said = len > INFO_RTO_TIME;

        put16(at, (uint16_t)(4 + len));
        put16(at + 2, ATTR_INFO);
        if (said) {
            put16(at + 4 + INFO_RTO_TIME, 5);
            put16(at + 4 + INFO_RTO_TIME + 2, 2);
            put32(at + 4 + INFO_RTO_TIME + 4, 6600);
        }
        struct ho_os_diag_reader r = reader(&d);

        assert_int_equal(ho_os_diag_reader_next(&r, &s), 1);
        assert_int_equal(s.info.has_rto_time, said);
        assert_int_equal(s.info.rto_recoveries, said ? 2 : 0);
        assert_int_equal(s.info.rto_time_ms, said ? 6600 : 0);
    }
}

/* Cut anywhere: nothing is made up of what is not there. */
static void an_answer_that_is_cut_is_none(void **state)
{
    struct datagram d = { .len = 0 };
    struct ho_os_sock s = { .inode = 1 };
    uint8_t *at = put_sock(&d, 12);

    (void)state;
    put16(at, 10);
    put16(at + 2, ATTR_CONG);
    memcpy(at + 4, "cubic", 6);
    for (size_t len = 1; len < d.len; len++) {
        struct datagram cut = d;

        cut.len = len;
        struct ho_os_diag_reader r = reader(&cut);

        assert_int_equal(ho_os_diag_reader_next(&r, &s), -EBADMSG);
        assert_int_equal(s.inode, 1);
    }
    struct ho_os_diag_reader r = reader(&d);

    assert_int_equal(ho_os_diag_reader_next(&r, &s), 1);
    assert_string_equal(s.congestion, "cubic");
}

static void lengths_that_lie_are_refused(void **state)
{
    static const uint16_t lies[] = { 0, 1, 3, 9, 0x8000, 0xffff };
    struct ho_os_sock s;

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct datagram d = { .len = 0 };
        uint8_t *at = put_sock(&d, 8);

        put16(at, lies[i]);
        put16(at + 2, ATTR_SHUTDOWN);
        struct ho_os_diag_reader r = reader(&d);

        assert_int_equal(ho_os_diag_reader_next(&r, &s), -EBADMSG);
        memset(&d, 0, sizeof(d));
        put_sock(&d, 0);
        put32(d.b, lies[i] + (i > 3 ? 0x10000u * lies[i] : 0)); /* the message's own */
        r = reader(&d);
        assert_int_equal(ho_os_diag_reader_next(&r, &s), -EBADMSG);
    }
}

static void values_that_cannot_be_are_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } lies[] = { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 13 }, { 1, 255 }, { 2, 5 }, { 2, 255 } };
    struct ho_os_sock s;

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct datagram d = { .len = 0 };

        put_sock(&d, 0);
        d.b[HEADER + lies[i].at] = lies[i].value;
        struct ho_os_diag_reader r = reader(&d);

        assert_int_equal(ho_os_diag_reader_next(&r, &s), -EBADMSG);
    }
}

static void a_request_is_told_as_syn_received(void **state)
{
    struct datagram d = { .len = 0 };
    struct ho_os_sock s;

    (void)state;
    put_sock(&d, 0);
    d.b[HEADER + 1] = 12; /* TCP_NEW_SYN_RECV */
    struct ho_os_diag_reader r = reader(&d);

    assert_int_equal(ho_os_diag_reader_next(&r, &s), 1);
    assert_int_equal(s.state, HO_TCP_SYN_RECV);
}

static int ends_with(uint16_t type, int32_t err)
{
    struct datagram d = { .len = 0 };
    struct ho_os_sock s;

    put32(put_header(&d, type, 2, 4), (uint32_t)err);
    struct ho_os_diag_reader r = reader(&d);

    return ho_os_diag_reader_next(&r, &s);
}

static void the_kernels_errno_is_told(void **state)
{
    (void)state;
    assert_int_equal(ends_with(TYPE_DONE, 0), HO_OS_DIAG_DONE);
    assert_int_equal(ends_with(TYPE_DONE, -ENOMEM), -ENOMEM);
    assert_int_equal(ends_with(TYPE_ERROR, -ENOENT), -ENOENT);
    assert_int_equal(ends_with(TYPE_ERROR, -EPERM), -EPERM);
    assert_int_equal(ends_with(TYPE_ERROR, 22), -EBADMSG); /* it has no positive ones */
    assert_int_equal(ends_with(TYPE_ERROR, INT32_MIN), -EBADMSG);
}

static void a_disturbed_dump_is_told_at_its_end(void **state)
{
    struct datagram d = { .len = 0 };
    struct ho_os_sock s;

    (void)state;
    put_sock(&d, 0);
    put16(d.b + 6, 2 | FLAG_INTR);
    put_done(&d, 0);
    struct ho_os_diag_reader r = reader(&d);

    assert_int_equal(ho_os_diag_reader_next(&r, &s), 1);
    assert_int_equal(ho_os_diag_reader_next(&r, &s), -EINTR);
}

static void answers_to_another_question_are_passed_over(void **state)
{
    struct datagram d = { .len = 0 };
    struct ho_os_sock s;

    (void)state;
    put_sock(&d, 0);
    put32(d.b + 8, SEQ - 1);
    size_t second = d.len;

    put_sock(&d, 0);
    put32(d.b + second + 12, PORT + 1);
    put_done(&d, 0);
    struct ho_os_diag_reader r = reader(&d);

    assert_int_equal(ho_os_diag_reader_next(&r, &s), HO_OS_DIAG_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_is_read),
        cmocka_unit_test(what_an_old_kernel_does_not_say_is_not_known),
        cmocka_unit_test(the_time_spent_repeating_is_read_where_it_is_said),
        cmocka_unit_test(an_answer_that_is_cut_is_none),
        cmocka_unit_test(lengths_that_lie_are_refused),
        cmocka_unit_test(values_that_cannot_be_are_refused),
        cmocka_unit_test(a_request_is_told_as_syn_received),
        cmocka_unit_test(the_kernels_errno_is_told),
        cmocka_unit_test(a_disturbed_dump_is_told_at_its_end),
        cmocka_unit_test(answers_to_another_question_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
