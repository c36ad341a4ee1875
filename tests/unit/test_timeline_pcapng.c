/* Unit tests of src/timeline/pcapng.c: the capture's blocks, and what tshark reads from it. */

#define _XOPEN_SOURCE 700

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "timeline/pcapng.h"

#define FILE_PCAPNG "test_timeline_pcapng.pcapng"
#define FILE_OUT "test_timeline_pcapng.out"
#define FILE_ERR "test_timeline_pcapng.err"
#define EPOCH 1700000000

/* An Ethernet frame with IPv4 and TCP, 10.0.0.1:40000 and 10.0.0.2:7 (echo: a port of whose payload
 * tshark thinks nothing).
 */
static size_t make_frame(uint8_t *b, bool from_server, uint8_t flags, uint32_t seq, uint32_t ack,
                         uint8_t len)
{
    const uint8_t ip_c[] = { 10, 0, 0, 1 }, ip_s[] = { 10, 0, 0, 2 };
    const uint8_t port_c[] = { 40000 >> 8, 40000 & 0xff }, port_s[] = { 0, 7 };

    memset(b, 0, 54u + len);
    b[5] = from_server ? 1 : 2;
    b[11] = from_server ? 2 : 1;
    b[12] = 8; /* IPv4 */
    b[14] = 0x45;
    b[17] = (uint8_t)(40 + len);
    b[22] = 64;
    b[23] = 6; /* TCP */
    memcpy(b + 26, from_server ? ip_s : ip_c, 4);
    memcpy(b + 30, from_server ? ip_c : ip_s, 4);
    memcpy(b + 34, from_server ? port_s : port_c, 2);
    memcpy(b + 36, from_server ? port_c : port_s, 2);
    b[41] = (uint8_t)seq;
    b[45] = (uint8_t)ack;
    b[46] = 0x50;
    b[47] = flags;
    b[49] = 64;
    return 54u + len;
}

static void frame(struct ho_timeline *tl, int64_t ns, const char *host, uint8_t flags, uint32_t seq,
                  uint32_t ack, uint8_t len, enum ho_fate fate)
{
    bool server = strcmp(host, "server") == 0;
    uint8_t bytes[128];
    struct ho_record r = {
        .t = { ns },
        .kind = HO_REC_SEG,
        .host = host,
        .conn = "db",
        .u.seg = { .to = server ? "client" : "server",
                   .via = fate == HO_FATE_FWD ? "" : "lan",
                   .flags = flags,
                   .seq = seq,
                   .ack = ack,
                   .len = len,
                   .window = 64,
                   .fate = fate,
                   .dt_deliver = { 1000000 } },
    };

    assert_int_equal(
        ho_timeline_append_frame(tl, &r, bytes, make_frame(bytes, server, flags, seq, ack, len)),
        0);
}

static void make_timeline(struct ho_timeline *tl)
{
    ho_timeline_init(tl, 0);
    tl->keep_frames = true;
    frame(tl, 1000000000, "client", HO_TCP_SYN, 0, 0, 0, HO_FATE_FWD);
    frame(tl, 1001000000, "server", HO_TCP_SYN | HO_TCP_ACK, 0, 1, 0, HO_FATE_FWD);
    frame(tl, 1002000000, "client", HO_TCP_ACK, 1, 1, 0, HO_FATE_FWD);
    frame(tl, 2000000000, "server", HO_TCP_ACK, 1, 1, 13, HO_FATE_CUT);
    frame(tl, 2208000001, "server", HO_TCP_ACK, 1, 1, 13, HO_FATE_CUT);
    frame(tl, 2416000000, "server", HO_TCP_ACK, 1, 1, 13, HO_FATE_NO_CARRIER);
    frame(tl, 3248000000, "server", HO_TCP_ACK, 1, 1, 13, HO_FATE_FWD);
}

static uint32_t get32(const struct ho_text *t, size_t at)
{
    const unsigned char *b = (const unsigned char *)t->s + at;

    assert_true(at + 4 <= t->len);
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void blocks_say_their_length_twice_and_fill_the_file(void **state)
{
    (void)state;
    static const uint32_t expected[] = { 0x0a0d0d0a, 1, 1, 6, 6, 6, 6, 6, 6, 6 };
    struct ho_timeline tl;
    struct ho_text out = { 0 };
    size_t at = 0, n = 0;

    make_timeline(&tl);
    assert_int_equal(ho_pcapng_write(&out, &tl, EPOCH), 0);
    for (; at < out.len; n++) {
        uint32_t len = get32(&out, at + 4);

        assert_true(n < sizeof(expected) / sizeof(expected[0]));
        assert_int_equal(get32(&out, at), expected[n]);
        assert_int_equal(len % 4, 0);
        assert_int_equal(get32(&out, at + len - 4), len);
        at += len;
    }
    assert_int_equal(at, out.len);
    assert_int_equal(n, sizeof(expected) / sizeof(expected[0]));
    ho_text_free(&out);
    ho_timeline_destroy(&tl);
}

static void the_same_timeline_gives_the_same_bytes(void **state)
{
    (void)state;
    struct ho_timeline tl;
    struct ho_text a = { 0 }, b = { 0 };

    make_timeline(&tl);
    assert_int_equal(ho_pcapng_write(&a, &tl, EPOCH), 0);
    assert_int_equal(ho_pcapng_write(&b, &tl, EPOCH), 0);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.s, b.s, a.len);
    ho_text_free(&a);
    ho_text_free(&b);
    ho_timeline_destroy(&tl);
}

static void write_file(const char *name, const struct ho_text *text)
{
    FILE *f = fopen(name, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(text->s, 1, text->len, f), text->len);
    assert_int_equal(fclose(f), 0);
}

static void assert_file(const char *name, const char *expected)
{
    char got[2000];
    FILE *f = fopen(name, "rb");

    assert_non_null(f);
    got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(got, expected);
}

static void tshark_reads_it_without_a_complaint(void **state)
{
    (void)state;
    struct ho_timeline tl;
    struct ho_text out = { 0 };
    char folder[] = P_tmpdir "/halfopen-pcapng-XXXXXX";

    /* Its own folder: another run of this test may be under way. */
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    if (system("command -v tshark > " FILE_OUT " 2>&1") != 0) {
        print_message("tshark is not installed\n");
        remove(FILE_OUT);
        rmdir(folder);
        skip();
    }
    make_timeline(&tl);
    assert_int_equal(ho_pcapng_write(&out, &tl, EPOCH), 0);
    write_file(FILE_PCAPNG, &out);
    assert_int_equal(system("HOME=. tshark -r " FILE_PCAPNG
                            " -T fields -E separator='|' -e frame.interface_name"
                            " -e frame.time_epoch -e tcp.len -e frame.packet_flags_direction"
                            " -e frame.comment -e _ws.malformed > " FILE_OUT " 2> " FILE_ERR),
                     0);
    assert_file(FILE_OUT,
                "client|1700000001.000000000|0|0x00000002||\n"
                "server|1700000001.001000000|0|0x00000002||\n"
                "client|1700000001.002000000|0|0x00000002||\n"
                "server|1700000002.000000000|13|0x00000002|lost: the cable is cut (lan)|\n"
                "server|1700000002.208000001|13|0x00000002|"
                "tail loss probe; lost: the cable is cut (lan)|\n"
                "server|1700000002.416000000|13|0x00000002|"
                "retransmission 1; lost: a port has no carrier (lan)|\n"
                "server|1700000003.248000000|13|0x00000002|retransmission 2|\n");
    /* As root it warns of itself; it has nothing to say about the file. */
    assert_int_not_equal(system("grep -v '^Running as user' " FILE_ERR " > " FILE_OUT), 0);
    assert_file(FILE_OUT, "");
    remove(FILE_PCAPNG);
    remove(FILE_OUT);
    remove(FILE_ERR);
    assert_int_equal(rmdir(folder), 0);
    ho_text_free(&out);
    ho_timeline_destroy(&tl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_say_their_length_twice_and_fill_the_file),
        cmocka_unit_test(the_same_timeline_gives_the_same_bytes),
        cmocka_unit_test(tshark_reads_it_without_a_complaint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
