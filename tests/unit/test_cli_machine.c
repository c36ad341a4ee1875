/* What a machine's kernel is to a scenario, and what real time may cost its expectations. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/machine.h"
#include "scenario/expect.h"

static void a_release_has_the_profile_of_the_newest_before_it(void **state)
{
    static const struct {
        const char *release, *profile;
        bool exact;
    } cases[] = {
        { "6.18.44-fc-v595", "linux-6.18", true }, { "6.12.1", "linux-6.12", true },
        { "6.1.0-18-amd64", "linux-6.1", true },   { "6.15.2-arch1", "linux-6.12", false },
        { "7.0.0-rc1", "linux-6.18", false },      { "6.11.0", "linux-6.1", false },
        { "5.10.0-28-amd64", "linux-6.1", false }, { "", "linux-6.1", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool exact = !cases[i].exact;

        assert_string_equal(ho_machine_profile_of(cases[i].release, &exact), cases[i].profile);
        assert_int_equal(exact, cases[i].exact);
    }
}

static struct ho_plan *plan_of(struct ho_scn **ret_scn, const char *text)
{
    struct ho_plan_options o = { .engine = "kernel" };
    struct ho_scn_error e;
    struct ho_plan *plan = NULL;

    assert_int_equal(ho_scn_parse(ret_scn, "test", text, strlen(text), &e), 0);
    struct ho_scn_case c = ho_scn_case(*ret_scn, 0);

    assert_int_equal(ho_plan_make(&plan, *ret_scn, &c, &o, &e), 0);
    return plan;
}

#define WORLD                                                                      \
    "host client\nhost server hz 100 profile linux-6.12\ncable client -- server\n" \
    "connection client -> server:7000\nat 5s cut\nlasts 1min\n"

static void windows_of_what_happens_are_wider_and_of_quiet_narrower(void **state)
{
    struct ho_scn *scn;
    struct ho_plan *plan =
        plan_of(&scn, WORLD "expect server notices EOF between 10s and 11s\n"
                            "expect server sends no RST between 10s and 11s\n"
                            "expect server sends at-most 3 RST between 10s and 11s\n"
                            "expect server sends exactly 3 RST between 10s and 11s\n"
                            "expect client is ESTABLISHED at 10s\n");
    int64_t late = ho_machine_late().ns;
    const int64_t wider[] = { late, -late, -late, late };

    (void)state;
    assert_in_range(late, 22000000, 40000000); /* 20 ms and two ticks of 1000 to 100 Hz */
    ho_machine_allow_late(plan);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(plan->expects[i].window.from.ns, 10 * HO_NS_PER_S - wider[i]);
        assert_int_equal(plan->expects[i].window.to.ns, 11 * HO_NS_PER_S + wider[i]);
    }
    assert_int_equal(plan->expects[4].window.from.ns, 10 * HO_NS_PER_S);
    ho_plan_free(plan);
    ho_scn_free(scn);
}

static void what_the_file_says_of_a_host_stays(void **state)
{
    struct ho_scn *scn;
    struct ho_plan *plan = plan_of(&scn, WORLD);
    bool exact = false;
    const char *profile = ho_machine_profile(&exact);

    (void)state;
    plan->nodes[0].hz = 12345;
    ho_machine_fit(plan, scn);
    assert_in_range(plan->nodes[0].hz, 100, 1000);
    assert_string_equal(plan->nodes[0].profile, exact ? profile : "linux-6.18");
    assert_int_equal(plan->nodes[1].hz, 100);
    assert_string_equal(plan->nodes[1].profile, "linux-6.12");
    ho_plan_free(plan);
    ho_scn_free(scn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_release_has_the_profile_of_the_newest_before_it),
        cmocka_unit_test(windows_of_what_happens_are_wider_and_of_quiet_narrower),
        cmocka_unit_test(what_the_file_says_of_a_host_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
