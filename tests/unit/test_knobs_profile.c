/* Unit tests of src/knobs/profile*: which kernel has what, and docs/profiles.md. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "knobs/docs.h"
#include "knobs/profile.h"

static void profiles_are_found_by_name(void **state)
{
    (void)state;
    assert_int_equal(ho_profile_find("linux-6.18"), HO_PROFILE_6_18);
    assert_int_equal(ho_profile_find("linux-6.12"), HO_PROFILE_6_12);
    assert_int_equal(ho_profile_find("linux-6.1"), HO_PROFILE_6_1);
    assert_int_equal(ho_profile_find("linux-6.2"), -1);
    assert_int_equal(ho_profile_find(""), -1);
    for (int id = 0; id < HO_PROFILE_COUNT; id++) {
        const char *name = ho_profile((enum ho_profile_id)id)->name;

        assert_int_equal(ho_profile_find(name), id);
    }
}

/* net/ipv4/sysctl_net_ipv4.c of 6.1.192 and 6.12.117; /proc/sys of 6.18.44 */
static void a_kernel_has_the_sysctls_of_its_release(void **state)
{
    static const struct {
        enum ho_sysctl id;
        bool in_6_1, in_6_12;
        const char *since;
    } t[] = {
        { HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS, false, true, "6.5" },
        { HO_SYSCTL_TCP_RTO_MIN_US, false, true, "6.11" },
        { HO_SYSCTL_TCP_TW_REUSE_DELAY, false, false, "6.14" },
        { HO_SYSCTL_TCP_RTO_MAX_MS, false, false, "6.15" },
        { HO_SYSCTL_TCP_RETRIES2, true, true, NULL },
        { HO_SYSCTL_TCP_SHRINK_WINDOW, true, true, NULL },
        { HO_SYSCTL_TCP_COMP_SACK_SLACK_NS, true, true, NULL },
        { HO_SYSCTL_TCP_RMEM_MAX, true, true, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        const char *since = ho_profile_sysctl_since(t[i].id);

        assert_int_equal(ho_profile_has_sysctl(HO_PROFILE_6_1, t[i].id), t[i].in_6_1);
        assert_int_equal(ho_profile_has_sysctl(HO_PROFILE_6_12, t[i].id), t[i].in_6_12);
        assert_true(ho_profile_has_sysctl(HO_PROFILE_6_18, t[i].id));
        assert_int_equal(since == NULL, t[i].since == NULL);
        if (since != NULL) {
            assert_string_equal(since, t[i].since);
        }
    }
}

static void the_option_for_the_longest_timeout_is_new(void **state)
{
    (void)state;
    assert_false(ho_profile_has_sockopt(HO_PROFILE_6_1, HO_SOCKOPT_TCP_RTO_MAX_MS));
    assert_false(ho_profile_has_sockopt(HO_PROFILE_6_12, HO_SOCKOPT_TCP_RTO_MAX_MS));
    assert_true(ho_profile_has_sockopt(HO_PROFILE_6_18, HO_SOCKOPT_TCP_RTO_MAX_MS));
    assert_true(ho_profile_has_sockopt(HO_PROFILE_6_1, HO_SOCKOPT_TCP_USER_TIMEOUT));
}

static int64_t value(enum ho_profile_id id, enum ho_sysctl sysctl)
{
    struct ho_sysctls s;

    ho_profile_sysctls(id, &s);
    return s.v[sysctl];
}

/* Documentation/networking/ip-sysctl.rst of each; what has no sysctl yet is a constant there */
static void defaults_are_those_of_the_kernel(void **state)
{
    struct ho_sysctls newest, s;

    (void)state;
    ho_sysctls_init(&newest);
    ho_profile_sysctls(HO_PROFILE_6_18, &s);
    assert_memory_equal(&s, &newest, sizeof(s));

    assert_int_equal(value(HO_PROFILE_6_12, HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS), 4);
    assert_int_equal(value(HO_PROFILE_6_1, HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS), 0);
    assert_int_equal(value(HO_PROFILE_6_1, HO_SYSCTL_TCP_RTO_MIN_US), 200000);
    assert_int_equal(value(HO_PROFILE_6_1, HO_SYSCTL_TCP_RTO_MAX_MS), 120000);
    assert_int_equal(value(HO_PROFILE_6_18, HO_SYSCTL_TCP_RMEM_MAX), 32 << 20);
    assert_int_equal(value(HO_PROFILE_6_12, HO_SYSCTL_TCP_RMEM_MAX), 6 << 20);
    assert_int_equal(value(HO_PROFILE_6_1, HO_SYSCTL_TCP_RMEM_MAX), 6 << 20);
    assert_int_equal(value(HO_PROFILE_6_12, HO_SYSCTL_RMEM_MAX), 212992);
    assert_int_equal(value(HO_PROFILE_6_12, HO_SYSCTL_WMEM_MAX), 212992);
    assert_int_equal(value(HO_PROFILE_6_12, HO_SYSCTL_TCP_LIMIT_OUTPUT_BYTES), 1048576);
    assert_int_equal(value(HO_PROFILE_6_1, HO_SYSCTL_TCP_RETRIES2), 15);
}

static void the_page_has_the_tables_of_the_lists(void **state)
{
    static char page[65536];
    struct ho_text t = { 0 };
    FILE *f = fopen("docs/profiles.md", "rb");

    (void)state;
    assert_non_null(f);
    size_t n = fread(page, 1, sizeof(page) - 1, f);
    fclose(f);
    assert_true(n < sizeof(page) - 1);
    ho_docs_profiles(&t);
    assert_int_equal(ho_text_err(&t), 0);
    assert_non_null(strstr(ho_text_str(&t), "| `net.ipv4.tcp_syn_linear_timeouts` | 4 | 4 | - |"));
    if (strstr(page, ho_text_str(&t)) == NULL) {
        ho_text_free(&t);
        fail_msg("docs/profiles.md has other tables than test_knobs_profile --print");
    }
    ho_text_free(&t);
}

/* With --print: what docs/profiles.md must have. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_are_found_by_name),
        cmocka_unit_test(a_kernel_has_the_sysctls_of_its_release),
        cmocka_unit_test(the_option_for_the_longest_timeout_is_new),
        cmocka_unit_test(defaults_are_those_of_the_kernel),
        cmocka_unit_test(the_page_has_the_tables_of_the_lists),
    };

    if (argc > 1 && strcmp(argv[1], "--print") == 0) {
        struct ho_text t = { 0 };

        ho_docs_profiles(&t);
        fputs(ho_text_str(&t), stdout);
        ho_text_free(&t);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
