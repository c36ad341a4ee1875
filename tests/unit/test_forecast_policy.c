/* Policies: what is read, what is refused with its place, and what connections are asked. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistake_has_its_place),
        cmocka_unit_test(a_rule_is_about_what_it_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
