/* Words of others made safe in every format, and words wrapped. */

#include "base/words.h"

/* cmocka needs these four before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check(void (*put)(struct ho_text *, const char *), const char *s, const char *expected)
{
    struct ho_text t = { 0 };

    put(&t, s);
    assert_string_equal(ho_text_str(&t), expected);
    ho_text_free(&t);
}

static void what_is_not_printable_becomes_its_bytes(void **state)
{
    (void)state;
    check(ho_text_plain, "nginx: worker", "nginx: worker");
    check(ho_text_plain, "a\nb\x1b[2Jc\x7f", "a\\x0ab\\x1b[2Jc\\x7f");
    check(ho_text_plain, "\xc2\x9b" /* CSI of C1 */, "\\xc2\\x9b");
    check(ho_text_plain, "\xe2\x80\xae" /* right to left */, "\\xe2\\x80\\xae");
    check(ho_text_plain, "\xe2\x80\xa8" /* line separator */, "\\xe2\\x80\\xa8");
    check(ho_text_plain, "gr\xc3\xbc\xc3\x9f\xe4\xbd\xa0\xf0\x9f\x90\x8c",
          "gr\xc3\xbc\xc3\x9f\xe4\xbd\xa0\xf0\x9f\x90\x8c");
}

/* RFC 3629 3 and 10: overlong forms, surrogates, what lies above U+10FFFF, halves. */
static void what_is_no_utf8_becomes_its_bytes(void **state)
{
    (void)state;
    check(ho_text_plain, "\xc3", "\\xc3");
    check(ho_text_plain, "\xe4\xbdx", "\\xe4\\xbdx");
    check(ho_text_plain, "\xc0\xaf", "\\xc0\\xaf");
    check(ho_text_plain, "\xed\xa0\x80", "\\xed\\xa0\\x80");
    check(ho_text_plain, "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
    check(ho_text_plain, "\xff\x80", "\\xff\\x80");
}

static void each_format_escapes_what_it_gives_a_meaning_to(void **state)
{
    (void)state;
    check(ho_text_xml, "<a b=\"1\">&\x01\n", "&lt;a b=&quot;1&quot;&gt;&amp;?\n");
    check(ho_text_tap, "a # SKIP\nnot ok\\", "a \\# SKIP not ok\\\\");
    check(ho_text_label, "a\"b\\c\nd", "a\\\"b\\\\c\\nd");
    check(ho_text_markdown, "a|b`c<img src=x>*[l](u)\n",
          "a\\|b\\`c&lt;img src=x&gt;\\*\\[l\\](u) ");
}

static void words_are_wrapped_at_blanks(void **state)
{
    struct ho_text t = { 0 };

    (void)state;
    ho_text_put(&t, "ab: ");
    ho_text_wrap(&t, "one two three averylongword x", 4, 2, 11);
    assert_string_equal(ho_text_str(&t), "ab: one two\n  three\n  averylongword\n  x\n");
    ho_text_clear(&t);
    ho_text_wrap(&t, "", 0, 2, 11);
    assert_string_equal(ho_text_str(&t), "\n");
    ho_text_clear(&t);
    ho_text_wrap(&t, "\xc3\xbc\xc3\xbc\xc3\xbc \xc3\xbc\xc3\xbc", 0, 0, 6);
    assert_string_equal(ho_text_str(&t), "\xc3\xbc\xc3\xbc\xc3\xbc \xc3\xbc\xc3\xbc\n");
    ho_text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_printable_becomes_its_bytes),
        cmocka_unit_test(what_is_no_utf8_becomes_its_bytes),
        cmocka_unit_test(each_format_escapes_what_it_gives_a_meaning_to),
        cmocka_unit_test(words_are_wrapped_at_blanks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
