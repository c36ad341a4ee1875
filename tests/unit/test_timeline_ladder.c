/* Unit tests of src/timeline/ladder*.c: the diagram as a person sees it. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "timeline/ladder.h"
#include "timeline_make.h"

static struct ho_timeline tl;

static int set_up(void **state)
{
    (void)state;
    ho_timeline_init(&tl, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ho_timeline_destroy(&tl);
    return 0;
}

static void assert_drawn(const struct ho_ladder_opts *opts, const char *expected)
{
    struct ho_text out = { 0 };

    assert_int_equal(ho_ladder_write(&out, &tl, opts), 0);
    assert_string_equal(ho_text_str(&out), expected);
    ho_text_free(&out);
}

/* Data into a cut cable (ground-truth row 3a, tcp_retries2=3). */
static void make_data_into_the_cut(void)
{
    make_established(&tl);
    make_fault(&tl, 1000, "", "cut", "lan");
    make_seg(&tl, 1010, "server", "PA", 1, 1, 1000, HO_FATE_CUT);
    make_call(&tl, 1010, "server", "send", 1000, "");
    tl.rec[tl.n - 1].u.app.has_asked = true;
    tl.rec[tl.n - 1].u.app.asked = 1000;
    make_seg(&tl, 1216, "server", "PA", 1, 1, 1000, HO_FATE_CUT);
    make_seg(&tl, 1424, "server", "PA", 1, 1, 1000, HO_FATE_CUT);
    make_sock(&tl, 17650, "server", "CLOSED", HO_SOCK_TIMER_OFF, "ETIMEDOUT");
    make_call(&tl, 17650, "server", "recv", -1, "ETIMEDOUT");
}

static void a_cut_connection_is_drawn_row_by_row(void **state)
{
    (void)state;
    const struct ho_ladder_opts opts = { .ascii = true };

    make_data_into_the_cut();
    assert_drawn(
        &opts,
        "          time                 client                                      server\n"
        "       -1.00 s                      |---------------- SYN ---------------->|\n"
        "       -999 ms                      |<------------- SYN, ACK --------------|\n"
        "       -998 ms              connect |--------------- ACK 1 --------------->|\n"
        "       -997 ms          ESTABLISHED |                                      | accept;"
        " ESTABLISHED\n"
        "           0 s                      =============== cut lan ================\n"
        "         10 ms                      |           x--- 1000 bytes from 1 ----| send 1000\n"
        "        216 ms                      |           x--- 1000 bytes from 1 ----| tail loss "
        "probe\n"
        "        424 ms                      |           x--- 1000 bytes from 1 ----| "
        "retransmission 1\n"
        "                                    :            ... 16.2 s ...            :\n"
        "        16.7 s                      |                                      | CLOSED,"
        " ETIMEDOUT;\n"
        "                                    |                                      | recv:"
        " ETIMEDOUT\n"
        "                        ESTABLISHED |                 end                  | CLOSED\n");
}

static void colours_and_utf8_appear_only_when_wanted(void **state)
{
    (void)state;
    struct ho_text out = { 0 };
    const struct ho_ladder_opts plain = { 0 }, ascii = { .ascii = true }, color = { .color = true };

    make_data_into_the_cut();
    assert_int_equal(ho_ladder_write(&out, &tl, &ascii), 0);
    for (size_t i = 0; i < out.len; i++) {
        assert_true(out.s[i] == '\n' || (out.s[i] >= ' ' && out.s[i] <= '~'));
    }
    ho_text_clear(&out);
    assert_int_equal(ho_ladder_write(&out, &tl, &plain), 0);
    assert_null(strchr(ho_text_str(&out), '\033'));
    assert_non_null(strstr(ho_text_str(&out), "\xe2\x9c\x97")); /* the cross */
    ho_text_clear(&out);
    assert_int_equal(ho_ladder_write(&out, &tl, &color), 0);
    assert_non_null(strstr(ho_text_str(&out), "\033[33m"));
    ho_text_free(&out);
}

static void no_row_is_wider_than_a_hundred_columns(void **state)
{
    (void)state;
    struct ho_text out = { 0 };
    const struct ho_ladder_opts opts = { .all_calls = true };

    make_data_into_the_cut();
    make(&tl, 20000,
         (struct ho_record){ .kind = HO_REC_NOTE,
                             .u.note = { "a note that is much too long for the space between two "
                                         "lifelines and for a label" } });
    make_seg(&tl, 20001, "client", "FPA", 4000000000u, 4000000000u, 65000, HO_FATE_CUT);
    make_seg(&tl, 20001, "server", "FPA", 4000000000u, 4000000000u, 65000, HO_FATE_NO_CARRIER);
    make_call(&tl, 20002, "client", "averyveryverylongwordthatisacall", -1, "EHOSTUNREACH");
    assert_int_equal(ho_ladder_write(&out, &tl, &opts), 0);
    for (const char *line = ho_text_str(&out); *line != '\0';) {
        struct ho_text one = { 0 };
        size_t len = strcspn(line, "\n");

        ho_text_bytes(&one, line, len);
        assert_true(ho_text_width(ho_text_str(&one)) <= 100);
        line += len + 1;
        ho_text_free(&one);
    }
    ho_text_free(&out);
}

/* Eight exchanges of the same kind: two, how many more, and the last. */
static void rows_that_repeat_are_folded_unless_asked_not_to(void **state)
{
    (void)state;
    struct ho_ladder_opts opts = { .ascii = true };
    struct ho_text out = { 0 };

    for (int i = 0; i < 8; i++) {
        make_seg(&tl, INT64_C(1000) * i, "client", "PA", (uint32_t)(1 + i), 1, 1, HO_FATE_FWD);
        make_seg(&tl, INT64_C(1000) * i + 1, "server", "A", 1, (uint32_t)(2 + i), 0, HO_FATE_FWD);
    }
    assert_drawn(
        &opts, "          time                 client                                      server\n"
               "           0 s                      |----------- 1 byte from 1 ----------->|\n"
               "          1 ms                      |<--------------- ACK 2 ---------------|\n"
               "        1.00 s                      |----------- 1 byte from 2 ----------->|\n"
               "                                    |<--------------- ACK 3 ---------------|\n"
               "                                    :      ... 5 more like these ...       :\n"
               "        7.00 s                      |----------- 1 byte from 8 ----------->|\n"
               "                                    |<--------------- ACK 9 ---------------|\n"
               "                                    |                 end                  |\n");
    opts.unfolded = true;
    assert_int_equal(ho_ladder_write(&out, &tl, &opts), 0);
    assert_null(strstr(ho_text_str(&out), "more like"));
    ho_text_free(&out);
}

static void a_burst_of_segments_shares_a_row(void **state)
{
    (void)state;
    const struct ho_ladder_opts opts = { .ascii = true };

    for (int i = 0; i < 10; i++) {
        make_seg(&tl, 0, "client", "A", (uint32_t)(1 + 1448 * i), 1, 1448, HO_FATE_FWD);
    }
    make_seg(&tl, 0, "client", "A", 14481, 1, 1448, HO_FATE_CUT); /* another fate: another row */
    for (int i = 1; i <= 5; i++) {
        make_seg(&tl, i, "server", "A", 1, (uint32_t)(1 + 2896 * i), 0, HO_FATE_FWD);
    }
    assert_drawn(
        &opts, "          time                 client                                      server\n"
               "           0 s                      |----- 14480 bytes from 1 (10x) ------>|\n"
               "                                    |- 1448 bytes from 14481 --x           |\n"
               "          1 ms                      |<---------- ACK 14481 (5x) -----------|\n"
               "          5 ms                      |                 end                  |\n");
}

static void one_connection_can_be_drawn_alone(void **state)
{
    (void)state;
    struct ho_ladder_opts opts = { .ascii = true, .conn = "db" };
    struct ho_text out = { 0 };

    make_seg(&tl, 0, "client", "S", 0, 0, 0, HO_FATE_FWD);
    make_seg(&tl, 0, "client", "S", 0, 0, 0, HO_FATE_CUT);
    tl.rec[1].conn = "other";
    assert_int_equal(ho_ladder_write(&out, &tl, &opts), 0);
    assert_null(strchr(ho_text_str(&out), 'x'));
    ho_text_clear(&out);
    opts.conn = NULL;
    assert_int_equal(ho_ladder_write(&out, &tl, &opts), 0);
    assert_non_null(strstr(ho_text_str(&out), "other: SYN")); /* several: named */
    ho_text_free(&out);
}

static void an_empty_timeline_has_nothing_to_draw(void **state)
{
    (void)state;
    struct ho_text out = { 0 };
    const struct ho_ladder_opts opts = { 0 };

    assert_int_equal(ho_ladder_write(&out, &tl, &opts), -ENOENT);
    assert_int_equal(out.len, 0);
    ho_text_free(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cut_connection_is_drawn_row_by_row),
        TEST(colours_and_utf8_appear_only_when_wanted),
        TEST(no_row_is_wider_than_a_hundred_columns),
        TEST(rows_that_repeat_are_folded_unless_asked_not_to),
        TEST(a_burst_of_segments_shares_a_row),
        TEST(one_connection_can_be_drawn_alone),
        TEST(an_empty_timeline_has_nothing_to_draw),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
