/* Names from hostile hands: what reaches a terminal. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void only_the_shortest_form_of_a_code_point_is_read(void **state)
{
    /* RFC 3629 3, 4 and 10. */
    static const struct {
        const char *bytes;
        size_t n;
        uint32_t cp;
    } cases[] = {
        { "a", 1, 'a' },
        { "\xc3\xa4", 2, 0xe4 },
        { "\xe4\xb8\xad", 3, 0x4e2d },
        { "\xf0\x9f\x98\x80", 4, 0x1f600 },
        { "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
        { "\xc0\x80", 0, 0 },         /* NUL in two bytes */
        { "\xe0\x80\xaf", 0, 0 },     /* "/" in three */
        { "\xf0\x80\x80\xaf", 0, 0 }, /* "/" in four */
        { "\xed\xa0\x80", 0, 0 },     /* a surrogate */
        { "\xf4\x90\x80\x80", 0, 0 }, /* beyond U+10FFFF */
        { "\x80", 0, 0 },             /* a continuation alone */
        { "\xc3", 0, 0 },             /* cut short */
        { "\xe4\xb8", 0, 0 },
        { "\xc3(", 0, 0 },
        { "\xff", 0, 0 },
        { "", 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t cp = 0;

        assert_int_equal(ho_utf8_read(cases[i].bytes, strlen(cases[i].bytes), &cp), cases[i].n);
        assert_int_equal(cp, cases[i].cp);
    }
}

static void what_a_terminal_must_not_get_becomes_a_question_mark(void **state)
{
    static const struct {
        const char *s;
        size_t columns;
        bool ascii;
        const char *shown;
    } cases[] = {
        { "nginx", 9, false, "nginx    " },
        { "nginx-worker", 9, false, "nginx-wo~" },
        { "\033[2J\033]0;x\a", 12, false, "?[2J?]0;x?  " },
        { "a\nb\rc\td", 8, false, "a?b?c?d " },
        { "\xc2\x9b"
          "31m",
          5, false, "?31m " }, /* CSI in one code point */
        { "a\xe2\x80\xae"
          "b",
          4, false, "a?b " },               /* right to left from here */
        { "e\xcc\x81x", 4, false, "e?x " }, /* combining */
        { "\xff\xfe", 3, false, "?? " },    /* no UTF-8 */
        { "\xe4\xb8\xad\xe6\x96\x87", 5, false, "\xe4\xb8\xad\xe6\x96\x87 " }, /* two, wide */
        { "\xe4\xb8\xad\xe6\x96\x87", 3, false, "\xe4\xb8\xad~" },
        { "\xe4\xb8\xad\xe6\x96\x87", 2, false, "~ " }, /* none fits beside the mark */
        { "\xc3\xa4", 3, true, "?  " },
        { "x", 0, false, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_text t = { 0 };

        ho_utf8_pad(&t, cases[i].s, cases[i].columns, cases[i].ascii);
        assert_string_equal(ho_text_str(&t), cases[i].shown);
        ho_text_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_shortest_form_of_a_code_point_is_read),
        cmocka_unit_test(what_a_terminal_must_not_get_becomes_a_question_mark),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
