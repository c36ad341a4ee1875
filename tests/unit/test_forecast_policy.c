/* Policies: what is read, what is refused with its place, and what connections are asked. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forecast/policy.h"

static void refused(const char *text, const char *why)
{
    struct ho_policy_error e = { 0 };
    struct ho_policy *p = NULL;

    assert_int_equal(ho_policy_parse(&p, "p", text, strlen(text), &e), -EINVAL);
    assert_null(p);
    assert_string_equal(e.text, why);
}

static void a_mistake_has_its_place(void **state)
{
    (void)state;
    refused("# rules\n\nno connection to prot 5432 may need more than 60s\n",
            "p:3:18: found 'prot', expected 'port' or an address such as 10.0.0.0/8; did you mean "
            "'port'?");
    refused("no connection may need more than soon",
            "p:1:34: found 'soon', expected a duration such as 30s or 2m30s");
    refused("no connection may", "p:1:18: the line ends, expected 'need', 'have' or 'be'");
    refused("no connection may have finding KA0001",
            "p:1:32: found 'KA0001', expected a finding such as KA001; did you mean 'KA001'?");
    refused("no connection in state CLOSEWAIT may be retransmitting",
            "p:1:24: found 'CLOSEWAIT', expected a state such as ESTABLISHED; did you mean "
            "'CLOSE-WAIT'?");
    refused("no connection to port 70000 may have finding KA001",
            "p:1:23: found '70000', expected a port, or two as 8000-8099");
}

static enum ho_policy_answer ask(const char *text, const struct ho_conn *c,
                                 const struct ho_conn_owner *owner, const struct ho_outlook *o)
{
    struct ho_policy_error e = { 0 };
    struct ho_policy *p = NULL;
    struct ho_finding f = { .id = HO_FINDING_KA001, .detail = "SO_KEEPALIVE 0" };
    char why[120];

    if (ho_policy_parse(&p, "p", text, strlen(text), &e) != 0) {
        fail_msg("%s", e.text);
    }
    assert_int_equal(ho_policy_rules(p), 1);
    enum ho_policy_answer a = ho_policy_ask(p, 0, c, owner, o, &f, 1, why);

    ho_policy_free(p);
    return a;
}

static void a_rule_is_about_what_it_names(void **state)
{
    struct ho_conn c = { .local = ho_addr_v4(10, 0, 0, 1),
                         .remote = ho_addr_v4(192, 168, 3, 4),
                         .lport = 40000,
                         .rport = 5432,
                         .state = HO_TCP_ESTABLISHED };
    struct ho_conn_owner owner = { .pid = 7, .name = "app" };
    struct ho_outlook o = { .idle = { .kind = HO_OUTLOOK_NEVER },
                            .busy = { .kind = HO_OUTLOOK_RANGE, .max_ns = 30 * HO_NS_PER_S } };

    (void)state;
    assert_int_equal(ask("no connection to port 5432 may need more than 60s", &c, &owner, &o),
                     HO_POLICY_BROKEN);
    assert_int_equal(ask("no connection to port 80 may need more than 60s", &c, &owner, &o),
                     HO_POLICY_NOT_ABOUT);
    assert_int_equal(
        ask("no connection to port 5000-6000 may need more than 60s while busy", &c, &owner, &o),
        HO_POLICY_KEPT);
    assert_int_equal(
        ask("no connection to 192.168.0.0/16 may need more than 29.9s while busy", &c, &owner, &o),
        HO_POLICY_BROKEN);
    assert_int_equal(ask("no connection from 10.0.0.2 may have finding KA001", &c, &owner, &o),
                     HO_POLICY_NOT_ABOUT);
    assert_int_equal(
        ask("no connection of process app may have finding KA002 or KA001", &c, &owner, &o),
        HO_POLICY_BROKEN);
    assert_int_equal(ask("no connection of process app may have finding KA001", &c, NULL, &o),
                     HO_POLICY_NOT_ABOUT);
    assert_int_equal(ask("no connection may be in state established", &c, &owner, &o),
                     HO_POLICY_BROKEN);
    assert_int_equal(ask("no connection may be in trouble", &c, &owner, &o), HO_POLICY_KEPT);
}

static struct ho_conn conn(void)
{
    return (struct ho_conn){ .local = ho_addr_v4(10, 0, 0, 1),
                             .remote = ho_addr_v4(10, 1, 0, 2),
                             .lport = 40000,
                             .rport = 5432,
                             .state = HO_TCP_ESTABLISHED };
}

static void the_latest_time_counts(void **state)
{
    struct ho_conn c = conn();
    struct ho_outlook o = {
        .idle = { .kind = HO_OUTLOOK_RANGE, .min_ns = 50 * HO_NS_PER_S, .max_ns = 70 * HO_NS_PER_S }
    };

    (void)state;
    assert_int_equal(ask("no connection may need more than 60s", &c, NULL, &o), HO_POLICY_BROKEN);
    assert_int_equal(ask("no connection may need more than 1m10s", &c, NULL, &o), HO_POLICY_KEPT);
    assert_int_equal(ask("no connection may need more than 1.166666666m", &c, NULL, &o),
                     HO_POLICY_BROKEN);
    assert_int_equal(ask("no connection may need more than 1s while busy", &c, NULL, &o),
                     HO_POLICY_NO_QUESTION);
}

static void without_a_peer_that_can_vanish_there_is_no_question(void **state)
{
    struct ho_conn c = conn();
    struct ho_conn_host h = { .hz = 250 };
    struct ho_outlook o;

    (void)state;
    ho_sysctls_init(&h.sysctls);
    c.loopback = true;
    c.keepalive_known = c.options_known = HO_KNOWN_READ;
    ho_outlook(&c, &h, &o);
    assert_int_equal(ask("no connection may need more than 1s", &c, NULL, &o),
                     HO_POLICY_NO_QUESTION);
    assert_int_equal(ask("no connection to port 80 may need more than 1s", &c, NULL, &o),
                     HO_POLICY_NOT_ABOUT);
    assert_int_equal(ask("no connection may be in trouble", &c, NULL, &o), HO_POLICY_KEPT);
    c.loopback = false;
    c.state = HO_TCP_TIME_WAIT;
    ho_outlook(&c, &h, &o);
    assert_int_equal(ask("no connection may need more than 1s", &c, NULL, &o),
                     HO_POLICY_NO_QUESTION);
}

static void what_is_unknown_breaks_a_rule_unless_it_is_allowed(void **state)
{
    static const char allowed[] = "no connection may need more than 60s\npolicy allow unknown\n";
    struct ho_conn c = conn();
    struct ho_outlook o = { .idle = { .kind = HO_OUTLOOK_UNKNOWN }, .since_ns = -1 };

    (void)state;
    assert_int_equal(ask("no connection may need more than 60s", &c, NULL, &o), HO_POLICY_BROKEN);
    assert_int_equal(ask(allowed, &c, NULL, &o), HO_POLICY_KEPT);
    o.idle.kind = HO_OUTLOOK_NEVER;
    assert_int_equal(ask(allowed, &c, NULL, &o), HO_POLICY_BROKEN);
    o.trouble = HO_TROUBLE_PROBING;
    assert_int_equal(ask("no connection may be probing for more than 1s", &c, NULL, &o),
                     HO_POLICY_BROKEN);
}

static void trouble_may_last_so_long(void **state)
{
    struct ho_conn c = conn();
    struct ho_outlook o = { .trouble = HO_TROUBLE_RETRANSMITTING, .since_ns = 30 * HO_NS_PER_S };

    (void)state;
    assert_int_equal(ask("no connection may be retransmitting", &c, NULL, &o), HO_POLICY_BROKEN);
    assert_int_equal(ask("no connection may be retransmitting for more than 30s", &c, NULL, &o),
                     HO_POLICY_KEPT);
    assert_int_equal(ask("no connection may be in trouble for more than 29.9s", &c, NULL, &o),
                     HO_POLICY_BROKEN);
    assert_int_equal(ask("no connection may be probing", &c, NULL, &o), HO_POLICY_KEPT);
}

static void a_broken_rule_says_by_what(void **state)
{
    static const char text[] = "  no  connection may need more than 60s # a minute\n";
    struct ho_outlook o = { .idle = { .kind = HO_OUTLOOK_NEVER } };
    struct ho_conn c = conn();
    struct ho_policy_error e;
    struct ho_policy *p;
    char why[120];

    (void)state;
    assert_int_equal(ho_policy_parse(&p, "p", text, strlen(text), &e), 0);
    assert_string_equal(ho_policy_rule_text(p, 0), "no  connection may need more than 60s");
    assert_int_equal(ho_policy_rule_line(p, 0), 1);
    assert_int_equal(ho_policy_ask(p, 0, &c, NULL, &o, NULL, 0, why), HO_POLICY_BROKEN);
    assert_string_equal(why, "idle: never");
    ho_policy_free(p);
}

static void durations_are_those_of_scenarios(void **state)
{
    (void)state;
    refused("no connection may need more than 30",
            "p:1:34: found '30', expected a duration such as 30s or 2m30s");
    refused("no connection may need more than 30s2m",
            "p:1:34: found '30s2m', expected a duration such as 30s or 2m30s");
    refused("no connection may need more than 99999999999d",
            "p:1:34: found '99999999999d', expected a duration such as 30s or 2m30s");
}

static void what_stands_twice_is_refused(void **state)
{
    (void)state;
    refused("no connection to port 1 to port 2 may be probing",
            "p:1:33: a second port for the same end");
    refused("no connection to 10.0.0.1 to 10.0.0.2 may be probing",
            "p:1:30: a second address for the same end");
    refused("no connection may be probing now",
            "p:1:30: found 'now', expected 'for' or the end of the line");
    refused("no connection \x01 may be probing", "p:1:15: a byte that is no text");
}

/* The blocks of a page that hold rules. */
static size_t read_page(const char *path)
{
    static char page[65536];
    struct ho_policy_error e;
    struct ho_policy *p;
    size_t rules = 0;
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    size_t n = fread(page, 1, sizeof(page) - 1, f);

    page[n] = '\0';
    (void)fclose(f);
    for (char *at = page; (at = strstr(at, "```rules\n")) != NULL;) {
        at += strlen("```rules\n");
        char *end = strstr(at, "```\n");

        assert_non_null(end);
        if (ho_policy_parse(&p, path, at, (size_t)(end - at), &e) != 0) {
            fail_msg("%s", e.text);
        }
        rules += ho_policy_rules(p);
        ho_policy_free(p);
        at = end + strlen("```\n");
    }
    return rules;
}

static void the_rules_of_the_pages_are_read(void **state)
{
    (void)state;
    assert_true(read_page("docs/policy.md") >= 8);
    assert_true(read_page("docs/doctor.md") >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistake_has_its_place),
        cmocka_unit_test(a_rule_is_about_what_it_names),
        cmocka_unit_test(the_latest_time_counts),
        cmocka_unit_test(without_a_peer_that_can_vanish_there_is_no_question),
        cmocka_unit_test(what_is_unknown_breaks_a_rule_unless_it_is_allowed),
        cmocka_unit_test(trouble_may_last_so_long),
        cmocka_unit_test(a_broken_rule_says_by_what),
        cmocka_unit_test(durations_are_those_of_scenarios),
        cmocka_unit_test(what_stands_twice_is_refused),
        cmocka_unit_test(the_rules_of_the_pages_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
