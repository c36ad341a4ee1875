/* The lines of the live table, and what keys do to it. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "cli/watch_table.h"
#include "watch_make.h"

static const struct ho_watch_head head = { .clock = "22:06:00", .interval = { .ns = 2000000000 } };

struct rig {
    struct made m;
    struct ho_watch_view v;
    struct ho_watch_log *log;
    struct ho_watch_lines lines;
};

static int begin(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));

    made_begin(&r->m);
    r->log = calloc(1, sizeof(*r->log));
    *state = r;
    return 0;
}

static int end(void **state)
{
    struct rig *r = *state;

    ho_watch_lines_free(&r->lines);
    ho_watch_view_free(&r->v);
    free(r->log);
    free(r);
    return 0;
}

static void draw(struct rig *r, unsigned rows, unsigned columns)
{
    ho_watch_lines_free(&r->lines);
    assert_int_equal(ho_watch_order(&r->v, &r->m.d), 0);
    assert_int_equal(ho_watch_draw(&r->lines, &r->v, &r->m.d, r->log, &head, rows, columns), 0);
    assert_int_equal(r->lines.rows, rows);
}

static const char *line(const struct rig *r, unsigned i)
{
    return ho_text_str(&r->lines.text[i]);
}

static void press(struct rig *r, const char *keys)
{
    for (; *keys != '\0'; keys++) {
        (void)ho_watch_key(&r->v, (unsigned char)*keys, 24);
    }
}

/* Columns that a line takes, as a terminal counts them. */
static size_t columns_of(const char *s)
{
    size_t all = 0, n;
    uint32_t cp = 0;

    for (; *s != '\0'; s += n) {
        n = ho_utf8_read(s, strlen(s), &cp);
        assert_true(n > 0);
        assert_true(ho_utf8_columns(cp) > 0); /* nothing that a terminal would obey */
        all += ho_utf8_columns(cp);
    }
    return all;
}

static void a_table_of_80_columns_has_what_is_asked_for(void **state)
{
    struct rig *r = *state;

    made_add(&r->m, "nginx", 80, 40000);
    made_trouble(&r->m, made_add(&r->m, "psql", 40002, 5432), HO_TROUBLE_RETRANSMITTING, 41, 896,
                 899, ETIMEDOUT);
    r->m.d.never_idle = 2;
    draw(r, 24, 80);
    assert_string_equal(line(r, 0), "2 connections: 1 in trouble, 2 never notice while idle      "
                                    "            22:06:00");
    assert_string_equal(line(r, 1), "sort: trouble   every 2s");
    assert_string_equal(line(r, 2), "PROCESS     PEER                  STATE      IDLE    BUSY    "
                                    "TROUBLE NOW        ");
    assert_string_equal(line(r, 3), "psql        10.0.0.2:5432         ESTAB      never   15m40s  "
                                    "retrans 6x 41s     ");
    assert_string_equal(line(r, 4),
                        "nginx       10.0.0.2:40000        ESTAB      never   15m40s  ");
    assert_int_equal(r->lines.style[3], HO_STYLE_BAD | HO_STYLE_CHOSEN);
    assert_int_equal(r->lines.style[4], HO_STYLE_WARN);
    assert_non_null(strstr(line(r, 18), "psql (pid 101) 10.0.0.1:40002 - 10.0.0.2:5432"));
    assert_non_null(strstr(line(r, 23), "q quit"));
}

static void no_screen_is_too_small_and_no_line_too_wide(void **state)
{
    struct rig *r = *state;

    for (uint16_t i = 0; i < 40; i++) {
        made_trouble(&r->m, made_add(&r->m, "a-long-name-that", 80, (uint16_t)(40000 + i)),
                     HO_TROUBLE_WINDOW_PROBING, 2592000, 1, 2, ETIMEDOUT);
    }
    for (unsigned rows = 1; rows < 40; rows++) {
        for (unsigned columns = 1; columns < 130; columns += 3) {
            for (int page = 0; page < 3; page++) {
                r->v.page = (enum ho_watch_page)page;
                draw(r, rows, columns);
                for (unsigned i = 0; i < rows; i++) {
                    assert_true(columns_of(line(r, i)) <= columns);
                }
            }
        }
    }
}

static void names_of_any_bytes_do_no_harm(void **state)
{
    static const char direction[] = { '\xe2', '\x80', '\xae', 'g', 'p', 'j', '\0' };
    static const char *const names[] = {
        "\033[2J\033[31m",
        "a\nb\rc\td\b",
        "\xff\xfe\x80",
        direction,
        "\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97\xe5",
        "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
        "",
    };
    struct rig *r = *state;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        made_add(&r->m, names[i], 80, (uint16_t)(40000 + i));
        memcpy(r->m.owners[i].container, "\033]0;x\a", 7);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        r->v.cursor = i;
        r->v.has_chosen = false;
        for (int ascii = 0; ascii < 2; ascii++) {
            r->v.ascii = ascii != 0;
            draw(r, 24, 80);
            for (unsigned k = 0; k < 24; k++) {
                assert_true(columns_of(line(r, k)) <= 80);
            }
        }
    }
}

/* The processes of the table's lines, in order. */
static void order_is(struct rig *r, const char *expected)
{
    struct ho_text t = { 0 };

    assert_int_equal(ho_watch_order(&r->v, &r->m.d), 0);
    for (size_t i = 0; i < r->v.n_order; i++) {
        ho_text_printf(&t, "%s%s", i > 0 ? " " : "",
                       r->m.owners[r->m.conns[r->v.order[i]].owner].name);
    }
    assert_string_equal(ho_text_str(&t), expected);
    ho_text_free(&t);
}

static void make_one_of_each(struct rig *r)
{
    size_t i = made_add(&r->m, "quick", 1, 40);

    r->m.said[i].outlook.idle =
        (struct ho_outlook_answer){ .kind = HO_OUTLOOK_RANGE, .max_ns = 30 * HO_NS_PER_S };
    i = made_add(&r->m, "slow", 2, 10);
    r->m.said[i].outlook.idle =
        (struct ho_outlook_answer){ .kind = HO_OUTLOOK_RANGE, .max_ns = 8000 * HO_NS_PER_S };
    i = made_add(&r->m, "dull", 3, 20);
    r->m.said[i].outlook.idle.kind = HO_OUTLOOK_NONE;
    r->m.said[i].outlook.busy.kind = HO_OUTLOOK_NONE;
    i = made_add(&r->m, "dark", 4, 50);
    r->m.said[i].outlook.idle.kind = HO_OUTLOOK_UNKNOWN;
    made_add(&r->m, "never", 5, 30);
    made_trouble(&r->m, made_add(&r->m, "fresh", 6, 70), HO_TROUBLE_PROBING, 2, 60, 61, ETIMEDOUT);
    made_trouble(&r->m, made_add(&r->m, "old", 7, 60), HO_TROUBLE_RETRANSMITTING, 300, 60, 61,
                 ETIMEDOUT);
    made_trouble(&r->m, made_add(&r->m, "orphan", 8, 80), HO_TROUBLE_CLOSING, 3, 60, 61, 0);
}

static void trouble_comes_first_then_never_then_the_slow(void **state)
{
    struct rig *r = *state;

    make_one_of_each(r);
    order_is(r, "old fresh never dark slow quick orphan dull");
    press(r, "s");
    order_is(r, "fresh never old orphan dark slow quick dull");
    press(r, "sss");
    order_is(r, "slow dull never quick dark old fresh orphan"); /* by the peer's port */
    press(r, "s");
    order_is(r, "old fresh never dark slow quick orphan dull");
    press(r, "t");
    order_is(r, "old fresh orphan");
}

static void a_filter_is_typed_kept_and_dropped(void **state)
{
    struct rig *r = *state;

    make_one_of_each(r);
    press(r, "fQU");
    order_is(r, "quick");
    press(r, "\x7f\x7f:60"); /* two times backspace */
    order_is(r, "old");
    press(r, "\n");
    press(r, "s"); /* a key again, no letter of the filter */
    assert_int_equal(r->v.sort, HO_WATCH_SORT_IDLE);
    assert_string_equal(r->v.filter, ":60");
    press(r, "\033");
    assert_string_equal(r->v.filter, "");
    press(r, "fprobing\n");
    order_is(r, "fresh");
    for (int i = 0; i < 200; i++) {
        press(r, "f\xc3\xa4");
    }
    assert_true(strlen(r->v.filter) < HO_WATCH_FILTER_MAX);
    draw(r, 24, 80);
}

static void the_cursor_stays_on_its_connection(void **state)
{
    struct rig *r = *state;

    for (uint16_t i = 0; i < 40; i++) {
        made_add(&r->m, "nginx", 80, (uint16_t)(40000 + i));
    }
    draw(r, 24, 80);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(ho_watch_key(&r->v, HO_KEY_DOWN, 24), HO_WATCH_GO_ON);
    }
    draw(r, 24, 80);
    assert_int_equal(r->v.chosen.rport, 40020);
    assert_true(r->v.top > 0 && r->v.top <= r->v.cursor);
    made_trouble(&r->m, 39, HO_TROUBLE_PROBING, 1, 2, 3, ETIMEDOUT); /* now the first line */
    draw(r, 24, 80);
    assert_int_equal(r->v.chosen.rport, 40020);
    assert_int_equal(r->v.cursor, 21);
    (void)ho_watch_key(&r->v, HO_KEY_END, 24);
    draw(r, 24, 80);
    assert_int_equal(r->v.cursor, 39);
    r->m.scan.n_conns = 3;
    draw(r, 24, 80);
    assert_int_equal(r->v.cursor, 2);
    (void)ho_watch_key(&r->v, HO_KEY_HOME, 24);
    (void)ho_watch_key(&r->v, HO_KEY_UP, 24);
    (void)ho_watch_key(&r->v, HO_KEY_PAGE_DOWN, 24);
    r->m.scan.n_conns = 0;
    draw(r, 24, 80);
    assert_string_equal(line(r, 3), "no TCP connections");
}

static void q_leaves_a_page_and_then_the_program(void **state)
{
    struct rig *r = *state;

    assert_int_equal(ho_watch_key(&r->v, 'h', 24), HO_WATCH_GO_ON);
    draw(r, 24, 80);
    assert_non_null(strstr(line(r, 3), "IDLE"));
    assert_int_equal(ho_watch_key(&r->v, 'q', 24), HO_WATCH_GO_ON);
    assert_int_equal(ho_watch_key(&r->v, 'f', 24), HO_WATCH_GO_ON);
    assert_int_equal(ho_watch_key(&r->v, 'q', 24), HO_WATCH_REORDER); /* a letter of the filter */
    assert_int_equal(ho_watch_key(&r->v, HO_KEY_GONE, 24), HO_WATCH_QUIT);
    assert_int_equal(ho_watch_key(&r->v, HO_KEY_ENTER, 24), HO_WATCH_REORDER);
    assert_int_equal(ho_watch_key(&r->v, 'q', 24), HO_WATCH_QUIT);
}

static void what_happened_can_be_read_later(void **state)
{
    struct rig *r = *state;
    struct ho_watch_track t = { 0 };
    struct made none;

    made_begin(&none);
    made_trouble(&r->m, made_add(&r->m, "psql", 40002, 5432), HO_TROUBLE_RETRANSMITTING, 935, 1, 4,
                 ETIMEDOUT);
    assert_int_equal(ho_watch_track(&t, &r->m.d, (struct ho_time){ .ns = HO_NS_PER_S }), 0);
    ho_watch_log_add(r->log, &t, "22:05:58");
    assert_int_equal(ho_watch_track(&t, &none.d, (struct ho_time){ .ns = 3 * HO_NS_PER_S }), 0);
    ho_watch_log_add(r->log, &t, "22:06:00");
    draw(r, 24, 80);
    assert_string_equal(line(r, 22), "22:06:00 psql 10.0.0.1:40002 - 10.0.0.2:5432: gave up after "
                                     "15 m 37 s of retran~");
    press(r, "e");
    draw(r, 24, 120);
    assert_string_equal(line(r, 3), "22:05:58 psql 10.0.0.1:40002 - 10.0.0.2:5432: retransmitting");
    assert_string_equal(line(r, 4), "22:06:00 psql 10.0.0.1:40002 - 10.0.0.2:5432: gave up after "
                                    "15 m 37 s of retransmitting, ETIMEDOUT");
    for (int i = 0; i < 1000; i++) {
        ho_watch_log_add(r->log, &t, "22:06:01"); /* it keeps the newest only */
    }
    (void)ho_watch_key(&r->v, HO_KEY_HOME, 24);
    draw(r, 24, 80);
    ho_watch_track_free(&t);
}

static void times_have_their_two_largest_units(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        { 0, "0s" },
        { 208000000, "208ms" },
        { 41999999999, "41s" },
        { 937 * HO_NS_PER_S, "15m37s" },
        { 3600 * HO_NS_PER_S, "1h0m" },
        { 7988 * HO_NS_PER_S, "2h13m" },
        { 360000 * HO_NS_PER_S, "4d4h" },
        { INT64_MAX, "106751d23h" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_text t = { 0 };

        ho_watch_put_short(&t, cases[i].ns);
        assert_string_equal(ho_text_str(&t), cases[i].text);
        ho_text_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_table_of_80_columns_has_what_is_asked_for, begin, end),
        cmocka_unit_test_setup_teardown(no_screen_is_too_small_and_no_line_too_wide, begin, end),
        cmocka_unit_test_setup_teardown(names_of_any_bytes_do_no_harm, begin, end),
        cmocka_unit_test_setup_teardown(trouble_comes_first_then_never_then_the_slow, begin, end),
        cmocka_unit_test_setup_teardown(a_filter_is_typed_kept_and_dropped, begin, end),
        cmocka_unit_test_setup_teardown(the_cursor_stays_on_its_connection, begin, end),
        cmocka_unit_test_setup_teardown(q_leaves_a_page_and_then_the_program, begin, end),
        cmocka_unit_test_setup_teardown(what_happened_can_be_read_later, begin, end),
        cmocka_unit_test(times_have_their_two_largest_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
