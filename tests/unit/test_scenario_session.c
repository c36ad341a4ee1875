/* Sessions: a world and steps that come one at a time (scenario/session.h). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/session.h"

static const char world[] = "title \"two hosts\"\n"
                            "host client\n"
                            "host server\n"
                            "cable client -- server\n"
                            "lasts 5s\n"
                            "at 0s server.app listen 80\n"
                            "at 1s cut\n"
                            "expect client stays ESTABLISHED\n";

static const struct ho_plan_options options;

static struct ho_session *session(void)
{
    struct ho_session *s = NULL;
    struct ho_scn_error e;

    assert_int_equal(ho_session_new(&s, "two", world, strlen(world), &options, &e), 0);
    return s;
}

static struct ho_time at_ms(int64_t ms)
{
    return (struct ho_time){ ms * 1000000 };
}

/* Takes a step that must be one; returns it. */
static const struct ho_step *one(struct ho_session *s, int64_t ms, const char *text)
{
    const struct ho_step *steps;
    struct ho_scn_error e = { .text = "" };
    size_t n = 0;

    if (ho_session_step(s, at_ms(ms), text, &steps, &n, &e) != 0) {
        fail_msg("%s: %s", text, e.text);
    }
    assert_int_equal(n, 1);
    assert_int_equal(steps->at.ns, at_ms(ms).ns);
    return steps;
}

static void refused(struct ho_session *s, int64_t ms, const char *text, unsigned column,
                    const char *why)
{
    const struct ho_step *steps = NULL;
    struct ho_scn_error e = { .text = "" };
    size_t n = 0;

    assert_int_equal(ho_session_step(s, at_ms(ms), text, &steps, &n, &e), -EINVAL);
    assert_null(steps);
    assert_int_equal(e.column, column);
    if (strstr(e.text, why) == NULL) {
        fail_msg("%s: \"%s\" does not say \"%s\"", text, e.text, why);
    }
}

static void the_files_steps_and_expectations_are_left_out(void **state)
{
    struct ho_session *s = session();

    (void)state;
    assert_int_equal(ho_session_plan(s)->step_count, 0);
    assert_int_equal(ho_session_plan(s)->expect_count, 0);
    assert_int_equal(ho_session_plan(s)->node_count, 2);
    assert_int_equal(ho_session_left_out(s), 3);
    ho_session_free(s);
}

static void a_step_is_planned_for_the_present(void **state)
{
    struct ho_session *s = session();
    const struct ho_step *step = one(s, 7001, "cut client -- server");

    (void)state;
    assert_int_equal(step->kind, HO_STEP_CUT);
    assert_int_equal(step->cable, 0);
    assert_int_equal(one(s, 9000, "client power-off")->kind, HO_STEP_POWER_OFF);
    ho_session_free(s);
}

static void a_step_means_what_it_means_after_those_before_it(void **state)
{
    struct ho_session *s = session();

    (void)state;
    refused(s, 1, "plug", 1, "no such cable is cut");
    one(s, 2, "cut");
    assert_int_equal(one(s, 2, "plug")->cable, 0);
    refused(s, 3, "plug", 1, "no such cable is cut");
    one(s, 4, "server power-off");
    refused(s, 5, "server listen 80", 1, "has no power");
    one(s, 6, "server boot");
    ho_session_free(s);
}

static void a_process_is_started_before_its_first_step_only(void **state)
{
    struct ho_session *s = session();
    const struct ho_step *steps;
    struct ho_scn_error e;
    size_t n;

    (void)state;
    assert_int_equal(ho_session_step(s, at_ms(1), "server listen 80", &steps, &n, &e), 0);
    assert_int_equal(n, 2);
    assert_int_equal(steps[0].kind, HO_STEP_START);
    assert_int_equal(steps[1].kind, HO_STEP_CALL);
    one(s, 1, "server listen 81");
    ho_session_free(s);
}

static void a_step_that_did_not_happen_is_forgotten(void **state)
{
    struct ho_session *s = session();
    struct ho_text before = { 0 }, after = { 0 };

    (void)state;
    one(s, 1, "cut");
    ho_session_print(s, &before);
    one(s, 2, "plug");
    ho_session_undo(s);
    ho_session_undo(s); /* once is enough */
    ho_session_print(s, &after);
    assert_string_equal(ho_text_str(&before), ho_text_str(&after));
    one(s, 3, "plug");
    ho_text_free(&before);
    ho_text_free(&after);
    ho_session_free(s);
}

static void nonsense_is_told_at_its_column_and_changes_nothing(void **state)
{
    struct ho_session *s = session();
    struct ho_text before = { 0 }, after = { 0 };

    (void)state;
    ho_session_print(s, &before);
    refused(s, 1, "", 1, "expected one step");
    refused(s, 1, "# cut", 1, "expected one step");
    refused(s, 1, "cut\nplug", 1, "expected one step");
    refused(s, 1, "cat", 1, "found 'cat'");
    refused(s, 1, "cut sever", 5, "found 'sever'");
    refused(s, 1, "host third", 1, "host");
    ho_session_print(s, &after);
    assert_string_equal(ho_text_str(&before), ho_text_str(&after));
    ho_text_free(&before);
    ho_text_free(&after);
    ho_session_free(s);
}

static void the_session_is_printed_as_a_scenario_that_plays_it_again(void **state)
{
    struct ho_session *s = session();
    struct ho_text text = { 0 };
    struct ho_scn *scn = NULL;
    struct ho_plan *plan = NULL;
    struct ho_scn_error e;

    (void)state;
    one(s, 12345, "cut");
    one(s, 20000, "plug");
    ho_session_print(s, &text);
    assert_non_null(strstr(ho_text_str(&text), "\nat 12.345s cut\nat 20.000s plug\n"));
    assert_int_equal(ho_scn_parse(&scn, "again", ho_text_str(&text), text.len, &e), 0);
    struct ho_scn_case c = ho_scn_case(scn, 0);

    assert_int_equal(ho_plan_make(&plan, scn, &c, &options, &e), 0);
    assert_int_equal(plan->step_count, 2);
    ho_plan_free(plan);
    ho_scn_free(scn);
    ho_text_free(&text);
    ho_session_free(s);
}

static void a_full_session_says_so(void **state)
{
    struct ho_session *s = session();
    const struct ho_step *steps;
    struct ho_scn_error e;
    size_t n;
    int err = 0;
    char note[4000];

    (void)state;
    snprintf(note, sizeof(note), "note \"%0*d\"", 3990, 0);
    for (int i = 0; i < 100 && err == 0; i++) {
        err = ho_session_step(s, at_ms(i), note, &steps, &n, &e);
    }
    assert_int_equal(err, -ENOSPC);
    one(s, 200, "cut"); /* there may be room for less */
    ho_session_free(s);
}

static void a_file_that_is_none_is_refused(void **state)
{
    struct ho_session *s = NULL;
    struct ho_scn_error e = { .text = "" };

    (void)state;
    assert_int_equal(ho_session_new(&s, "x", "hst a\n", 6, &options, &e), -EINVAL);
    assert_null(s);
    assert_int_equal(e.line, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_files_steps_and_expectations_are_left_out),
        cmocka_unit_test(a_step_is_planned_for_the_present),
        cmocka_unit_test(a_step_means_what_it_means_after_those_before_it),
        cmocka_unit_test(a_process_is_started_before_its_first_step_only),
        cmocka_unit_test(a_step_that_did_not_happen_is_forgotten),
        cmocka_unit_test(nonsense_is_told_at_its_column_and_changes_nothing),
        cmocka_unit_test(the_session_is_printed_as_a_scenario_that_plays_it_again),
        cmocka_unit_test(a_full_session_says_so),
        cmocka_unit_test(a_file_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
