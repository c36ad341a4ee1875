/* Unit tests of src/base/text.c: the growable string, and how times are written. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void durations_read_as_people_say_them(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        { 0, "0 s" },
        { 999, "999 ns" },
        { 1000, "1 us" },
        { 850400, "850 us" },
        { 999600, "1 ms" }, /* rounds up into the next unit */
        { 4200000, "4.2 ms" },
        { 9999999, "10 ms" },
        { 208000000, "208 ms" },
        { 999600000, "1.00 s" },
        { 1024000000, "1.02 s" },
        { 9996000000, "10 s" },
        { 10704000000, "10.7 s" },
        { 59960000000, "1 m 0 s" }, /* never "60.0 s" */
        { 937764000000, "15 m 37.8 s" },
        { 7191000000000, "1 h 59 m 51 s" },
        { 7916800000000, "2 h 11 m 57 s" },
        { 86399600000000, "1 d 0 h 0 m" },
        { 86400000000000, "1 d 0 h 0 m" },
        { INT64_MAX, "106751 d 23 h 47 m" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_text t = { 0 };

        ho_text_dur(&t, ho_ns(cases[i].ns));
        assert_string_equal(ho_text_str(&t), cases[i].text);
        ho_text_free(&t);
    }
}

static void seconds_are_rounded_to_the_nearest_digit(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        unsigned digits;
        const char *text;
    } cases[] = {
        { 937763999600, 3, "937.764" }, { 937764000000, 0, "938" }, { 1, 9, "0.000000001" },
        { -1500000000, 1, "-1.5" },     { -1, 3, "0.000" },         { 999999999, 3, "1.000" },
        { 500000000, 0, "1" },          { 499999999, 0, "0" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_text t = { 0 };

        ho_text_seconds(&t, cases[i].ns, cases[i].digits);
        assert_string_equal(ho_text_str(&t), cases[i].text);
        ho_text_free(&t);
    }
}

static void long_texts_grow_and_integers_have_no_limit(void **state)
{
    (void)state;
    struct ho_text t = { 0 };

    assert_string_equal(ho_text_str(&t), "");
    for (int i = 0; i < 1000; i++) {
        ho_text_printf(&t, "%d,", i % 10);
    }
    assert_int_equal(t.len, 2000);
    assert_int_equal(t.s[1998], '9');
    ho_text_clear(&t);
    ho_text_int(&t, INT64_MIN);
    ho_text_char(&t, ' ');
    ho_text_uint(&t, UINT64_MAX);
    assert_string_equal(ho_text_str(&t), "-9223372036854775808 18446744073709551615");
    assert_int_equal(ho_text_err(&t), 0);
    ho_text_free(&t);
}

static void json_texts_escape_what_json_wants_escaped(void **state)
{
    (void)state;
    struct ho_text t = { 0 };

    ho_text_json(&t, "a\"b\\c\nd\te\x01 \xc3\xa9");
    assert_string_equal(ho_text_str(&t), "\"a\\\"b\\\\c\\nd\\te\\u0001 \xc3\xa9\"");
    ho_text_free(&t);
}

static void padding_counts_columns_not_bytes(void **state)
{
    (void)state;
    struct ho_text t = { 0 };

    ho_text_pad(&t, "\xe2\x94\x80x", 4); /* a box-drawing line is one column */
    ho_text_pad(&t, "longer", 3);
    assert_string_equal(ho_text_str(&t), "\xe2\x94\x80x  longer");
    ho_text_free(&t);
}

/* Formatted text of every length, so that it ends before, at and behind the end of the room. */
static void formatted_text_grows_where_it_has_to(void **state)
{
    char word[600];

    (void)state;
    for (size_t n = 0; n < sizeof(word); n++) {
        struct ho_text t = { 0 };

        memset(word, 'a', n);
        word[n] = '\0';
        ho_text_printf(&t, "%s", word);
        assert_int_equal(t.len, n);
        ho_text_printf(&t, "<%s>%d", word, 7);
        assert_int_equal(t.len, 2 * n + 3);
        assert_int_equal(strlen(ho_text_str(&t)), t.len);
        assert_memory_equal(t.s + n + 1, word, n);
        assert_string_equal(t.s + 2 * n + 1, ">7");
        assert_int_equal(ho_text_err(&t), 0);
        ho_text_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formatted_text_grows_where_it_has_to),
        cmocka_unit_test(durations_read_as_people_say_them),
        cmocka_unit_test(seconds_are_rounded_to_the_nearest_digit),
        cmocka_unit_test(long_texts_grow_and_integers_have_no_limit),
        cmocka_unit_test(json_texts_escape_what_json_wants_escaped),
        cmocka_unit_test(padding_counts_columns_not_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
