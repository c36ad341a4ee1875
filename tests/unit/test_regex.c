/* Regular expressions, POSIX extended (IEEE 1003.1, 9.4): what matches and what is refused. */

#include <errno.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/regex.h"
#include "base/rng.h"

static bool matches(const char *pattern, const char *text)
{
    struct ho_regex re;
    const char *why = "";

    if (ho_regex_compile(&re, pattern, &why) != 0) {
        fail_msg("%s: %s", pattern, why);
    }
    return ho_regex_match(&re, text, strlen(text));
}

static void a_line_matches_where_posix_says_so(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        { "timeout", "curl: (28) Operation timeout", true },
        { "timeout", "time out", false },
        { "tim(ed|e) ?out", "Connection timed out", true },
        { "^a", "ba", false },
        { "a$", "ab", false },
        { "^$", "", true },
        { "^(ab|cd)+$", "abcdab", true },
        { "^(ab|cd)+$", "abcda", false },
        { "a{2}", "a a", false },
        { "^a{2,3}$", "aaaa", false },
        { "^a{2,3}$", "aaa", true },
        { "^a{2,}$", "aaaaaa", true },
        { "^a{2,}$", "a", false },
        { "^a{0}b$", "b", true },
        { "^a{0,2}b$", "aab", true },
        { "^x*$", "xxxx", true },
        { "^(x*)*y$", "xxxxy", true },
        { "[]x]", "]", true },
        { "[^]x]", "]x", false },
        { "[a-c-]", "-", true },
        { "^[[:digit:]]+ ms$", "250 ms", true },
        { "^[[:digit:]]+ ms$", "2.5 ms", false },
        { "1\\.5", "105", false },
        { "1\\.5", "1.5", true },
        { "[\\.]", "\\", true },
        { "a||b", "zzz", true },
        { "().", "q", true },
        { "PONG|^OK$", "+PONG", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (matches(cases[i].pattern, cases[i].text) != cases[i].matches) {
            fail_msg("/%s/ and \"%s\"", cases[i].pattern, cases[i].text);
        }
    }
}

static void a_mistake_is_named(void **state)
{
    static const struct {
        const char *pattern, *why;
    } cases[] = { { "", "it is empty" },
                  { "(a", "a ( without its )" },
                  { "a)", "a ) without its (" },
                  { "[a", "a [ without its ]" },
                  { "*a", "a repetition of nothing" },
                  { "a{x}", "a { without a number" },
                  { "a{3,2}", "a {..} that ends before it begins" },
                  { "a{2", "a { without its }" },
                  { "a{256}", "more than 255 times" },
                  { "\\d", "a \\ before a letter or digit, which has no meaning here" },
                  { "a\\", "a \\ at the end" },
                  { "[z-a]", "a range that ends before it begins" },
                  { "[[:fun:]]", "no such class of characters" },
                  { "(a{200}){200}", "it is too long" },
                  { "((((((((((((((((((a))))))))))))))))))", "too many ( in each other" } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_regex re;
        const char *why = NULL;
        assert_int_equal(ho_regex_compile(&re, cases[i].pattern, &why), -EINVAL);
        assert_string_equal(why, cases[i].why);
    }
}

/* What hangs a matcher that tries one way after another. */
static void the_worst_expression_is_fast(void **state)
{
    char text[8193];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_false(matches("^(a*)*(a*)*(a|a)*(aa|aaa)*b$", text));
}

/* The C library's regcomp() is the judge, over random expressions and lines of a small alphabet. */
static void it_agrees_with_the_c_library(void **state)
{
    static const char *const pieces[] = { "a",     "b",      ".", "[ab]", "[^a]",
                                          "(a|b)", "(ab|c)", "^", "$",    "c" };
    static const char *const often[] = { "", "", "*", "+", "?", "{2}", "{1,2}" };
    struct ho_rng rng;

    (void)state;
    ho_rng_init(&rng, 7, 1);
    for (unsigned round = 0; round < 3000; round++) {
        char pattern[80] = "", text[12];
        unsigned n = 1 + (unsigned)ho_rng_below(&rng, 5);
        for (unsigned i = 0; i < n; i++) {
            const char *piece = pieces[ho_rng_below(&rng, 10)];
            bool anchor = *piece == '^' || *piece == '$';
            size_t used = strlen(pattern);
            snprintf(pattern + used, sizeof(pattern) - used, "%s%s%s", piece,
                     anchor ? "" : often[ho_rng_below(&rng, 7)],
                     i + 1 < n && ho_rng_below(&rng, 6) == 0 ? "|" : "");
        }
        unsigned len = (unsigned)ho_rng_below(&rng, sizeof(text));
        for (unsigned i = 0; i < len; i++) {
            text[i] = (char)('a' + (int)ho_rng_below(&rng, 3));
        }
        text[len] = '\0';
        regex_t re;
        assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
        bool want = regexec(&re, text, 0, NULL, 0) == 0;
        regfree(&re);
        if (matches(pattern, text) != want) {
            fail_msg("/%s/ and \"%s\": the C library says %d", pattern, text, want);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_matches_where_posix_says_so),
        cmocka_unit_test(a_mistake_is_named),
        cmocka_unit_test(the_worst_expression_is_fast),
        cmocka_unit_test(it_agrees_with_the_c_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
