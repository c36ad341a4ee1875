/* Findings: for each of the list a connection (or namespace) that has it, and one that just has
 * not. docs/findings.md is what the list says: it is written by
 *
 *     HO_WRITE_DOCS=1 <build>/test_forecast_finding
 *
 * in the source tree, never by hand.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forecast/docs.h"
#include "forecast/finding.h"
#include "support/docs_page.h"

struct play {
    struct ho_conn c;
    struct ho_conn_host h, first;
    struct ho_finding_rules rules;
};

/* Nothing is wrong with it: ESTABLISHED behind a router, keepalive 60/10/6. */
static struct play good(void)
{
    struct play p = {
        .c = { .local = ho_addr_v4(10, 0, 0, 1),
               .remote = ho_addr_v4(10, 1, 0, 2),
               .lport = 40000,
               .rport = 5432,
               .inode = 7,
               .state = HO_TCP_ESTABLISHED,
               .timer = HO_SOCK_TIMER_KEEPALIVE,
               .expires_ms = 50000,
               .has_info = true,
               .rto_us = 204000,
               .rtt_us = 2000,
               .last_data_sent_ms = 10000,
               .last_data_recv_ms = 10000,
               .last_ack_recv_ms = 10000,
               .keepalive_known = HO_KNOWN_READ,
               .keepalive = true,
               .options_known = HO_KNOWN_READ,
               .keepidle_s = 60,
               .keepintvl_s = 10,
               .keepcnt = 6,
               .linger_known = HO_KNOWN_READ },
        .h = { .netns = 2, .hz = 250 },
        .first = { .netns = 1, .here = true, .hz = 250 },
    };

    ho_sysctls_init(&p.h.sysctls);
    ho_sysctls_init(&p.first.sysctls);
    return p;
}

static void retransmits(struct play *p, uint8_t times)
{
    p->c.timer = HO_SOCK_TIMER_ON;
    p->c.retrans = p->c.backoff = times;
    p->c.rto_us = UINT32_C(204000) << times;
    p->c.expires_ms = 100;
    p->c.unacked = 1;
    p->c.wqueue = 1000;
}

static void window_is_closed(struct play *p, uint8_t probes)
{
    p->c.timer = HO_SOCK_TIMER_PROBE;
    p->c.backoff = probes;
    p->c.expires_ms = 100;
    p->c.wqueue = 1000;
    p->c.last_data_sent_ms = 900000;
}

static void with_keepalive_off(struct play *p)
{
    p->c.keepalive = false;
    p->c.timer = HO_SOCK_TIMER_OFF;
}

static void with_keepalive_off_on_this_machine(struct play *p)
{
    with_keepalive_off(p);
    p->c.loopback = true;
}

static void with_keepalive_off_and_the_times_of_the_namespace(struct play *p)
{
    with_keepalive_off(p);
    p->c.keepidle_s = 7200;
    p->c.keepintvl_s = 75;
    p->c.keepcnt = 9;
}

static void with_a_box_as_slow(struct play *p)
{
    p->rules.middlebox_s = 60;
}

static void with_a_slower_box(struct play *p)
{
    p->rules.middlebox_s = 61;
}

static void with_two_hours(struct play *p)
{
    p->c.keepidle_s = 7200;
}

static void with_an_hour(struct play *p)
{
    p->c.keepidle_s = 3600;
}

static void with_a_repeat(struct play *p)
{
    retransmits(p, 1);
}

static void with_two_repeats(struct play *p)
{
    retransmits(p, 2);
}

static void with_data_just_sent(struct play *p)
{
    retransmits(p, 0);
}

static void with_a_user_timeout_as_the_second_probe(struct play *p)
{
    p->c.user_timeout_ms = 70000;
}

static void with_a_user_timeout_after_the_second_probe(struct play *p)
{
    p->c.user_timeout_ms = 70001;
}

static void with_a_user_timeout_beyond_the_probes(struct play *p)
{
    p->c.user_timeout_ms = 120001;
}

static void with_a_user_timeout_as_the_probes(struct play *p)
{
    p->c.user_timeout_ms = 120000;
}

static void with_a_user_timeout_alone(struct play *p)
{
    with_keepalive_off(p);
    p->c.user_timeout_ms = 30000;
}

static void with_seconds_for_milliseconds(struct play *p)
{
    p->c.user_timeout_ms = 30;
}

static void with_a_second(struct play *p)
{
    p->c.user_timeout_ms = 1000;
}

static void with_a_user_timeout_before_the_probe(struct play *p)
{
    p->c.user_timeout_ms = 59999;
}

static void with_a_user_timeout_as_the_probe(struct play *p)
{
    p->c.user_timeout_ms = 60000;
}

static void not_inherited(struct play *p)
{
    p->first.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = 8;
}

static void inherited(struct play *p)
{
    not_inherited(p);
    p->h.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = 8;
}

static void tuned_and_off(struct play *p)
{
    with_keepalive_off(p);
    p->h.sysctls.v[HO_SYSCTL_TCP_KEEPALIVE_TIME] = 60;
}

static void five_retries(struct play *p)
{
    p->h.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = 5;
}

static void six_retries(struct play *p)
{
    p->h.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = 6;
}

static void with_a_probe_not_answered(struct play *p)
{
    p->c.retrans = 1;
    p->c.expires_ms = 4000;
}

static void with_a_probe_just_sent(struct play *p)
{
    p->c.retrans = 1;
    p->c.expires_ms = 9900;
}

/* 204 ms doubled: 0.4 + 0.8 .. + 52.2 s are 104 s, up to the timer's time */
static void with_a_window_closed_for_minutes(struct play *p)
{
    window_is_closed(p, 8);
}

static void with_a_window_closed_for_seconds(struct play *p)
{
    window_is_closed(p, 5);
}

static void connecting(struct play *p, uint8_t times)
{
    p->c.state = HO_TCP_SYN_SENT;
    p->c.timer = HO_SOCK_TIMER_ON;
    p->c.retrans = times;
    p->c.expires_ms = 100;
    p->c.rto_us = 1000000;
}

static void with_a_syn_repeated(struct play *p)
{
    connecting(p, 1);
}

static void with_a_syn(struct play *p)
{
    connecting(p, 0);
}

static void closed_by_the_peer(struct play *p, uint32_t for_ms)
{
    p->c.state = HO_TCP_CLOSE_WAIT;
    p->c.last_data_recv_ms = p->c.last_ack_recv_ms = for_ms;
}

static void closed_by_the_peer_a_minute_ago(struct play *p)
{
    closed_by_the_peer(p, 60000);
}

static void just_closed_by_the_peer(struct play *p)
{
    closed_by_the_peer(p, 59999);
}

static void closed_and_left(struct play *p)
{
    p->c.state = HO_TCP_FIN_WAIT2;
    p->c.timer = HO_SOCK_TIMER_TIMEWAIT;
    p->c.orphan = true;
}

static void closed_by_half(struct play *p)
{
    p->c.state = HO_TCP_FIN_WAIT2;
}

static void with_linger(struct play *p)
{
    p->c.linger = true;
    p->c.linger_s = 0;
}

static void as_it_is(struct play *p)
{
    (void)p;
}

static void that_nobody_may_look_at(struct play *p)
{
    p->c.options_known = HO_KNOWN_UNKNOWN;
    p->c.keepalive_known = HO_KNOWN_INFERRED;
}

static const struct {
    void (*has)(struct play *p);
    void (*has_not)(struct play *p);
} plays[HO_FINDING_COUNT] = {
    [HO_FINDING_KA001] = { with_keepalive_off, with_keepalive_off_on_this_machine },
    [HO_FINDING_KA002] = { with_a_box_as_slow, with_a_slower_box },
    [HO_FINDING_KA003] = { with_two_hours, with_an_hour },
    [HO_FINDING_KA004] = { with_a_repeat, with_data_just_sent },
    [HO_FINDING_KA005] = { with_keepalive_off, with_keepalive_off_and_the_times_of_the_namespace },
    [HO_FINDING_UT001] = { with_a_user_timeout_as_the_second_probe,
                           with_a_user_timeout_after_the_second_probe },
    [HO_FINDING_UT002] = { with_a_user_timeout_beyond_the_probes,
                           with_a_user_timeout_as_the_probes },
    [HO_FINDING_UT003] = { with_a_user_timeout_alone, with_a_user_timeout_as_the_probe },
    [HO_FINDING_UT004] = { with_seconds_for_milliseconds, with_a_second },
    [HO_FINDING_OR001] = { with_a_user_timeout_before_the_probe, with_a_user_timeout_as_the_probe },
    [HO_FINDING_SY001] = { not_inherited, inherited },
    [HO_FINDING_SY002] = { tuned_and_off, with_keepalive_off },
    [HO_FINDING_SY003] = { five_retries, six_retries },
    [HO_FINDING_RT001] = { with_two_repeats, with_a_repeat },
    [HO_FINDING_PR001] = { with_a_probe_not_answered, with_a_probe_just_sent },
    [HO_FINDING_ZW001] = { with_a_window_closed_for_minutes, with_a_window_closed_for_seconds },
    [HO_FINDING_SS001] = { with_a_syn_repeated, with_a_syn },
    [HO_FINDING_CW001] = { closed_by_the_peer_a_minute_ago, just_closed_by_the_peer },
    [HO_FINDING_FW001] = { closed_and_left, closed_by_half },
    [HO_FINDING_LG001] = { with_linger, as_it_is },
    [HO_FINDING_UK001] = { that_nobody_may_look_at, as_it_is },
};

/* The detail of the finding in `play`, "" if it has not got it. */
static const char *detail(enum ho_finding_id id, void (*play)(struct play *p))
{
    static struct ho_finding found[2 * HO_FINDINGS_MAX];
    struct play p = good();
    struct ho_outlook o;

    play(&p);
    ho_outlook(&p.c, &p.h, &o);
    size_t n = ho_findings_conn(&p.c, &p.h, &o, &p.rules, found);

    n += ho_findings_host(&p.h, &p.first, found + n);
    for (size_t i = 0; i < n; i++) {
        if (found[i].id == id) {
            assert_true(found[i].detail[0] != '\0');
            return found[i].detail;
        }
    }
    return "";
}

static void every_finding_is_found_where_it_is_and_only_there(void **state)
{
    (void)state;
    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        const char *id = ho_finding_info((enum ho_finding_id)i)->id;

        if (plays[i].has == NULL || plays[i].has_not == NULL) {
            fail_msg("%s has no connection with it and one without it in this test", id);
        }
        if (detail((enum ho_finding_id)i, plays[i].has)[0] == '\0') {
            fail_msg("%s is not found", id);
        }
        if (detail((enum ho_finding_id)i, plays[i].has_not)[0] != '\0') {
            fail_msg("%s is found: %s", id, detail((enum ho_finding_id)i, plays[i].has_not));
        }
    }
}

static void a_good_connection_has_none(void **state)
{
    struct ho_finding found[HO_FINDINGS_MAX];
    struct play p = good();
    struct ho_outlook o;

    (void)state;
    ho_outlook(&p.c, &p.h, &o);
    assert_int_equal(ho_findings_conn(&p.c, &p.h, &o, &p.rules, found), 0);
    assert_int_equal(ho_findings_host(&p.h, &p.first, found), 0);
}

static void details_have_the_numbers(void **state)
{
    (void)state;
    assert_string_equal(detail(HO_FINDING_KA002, with_a_box_as_slow),
                        "first probe after 60 s, the box forgets after 60 s");
    assert_string_equal(detail(HO_FINDING_SY001, not_inherited), "tcp_retries2 15, not 8");
    assert_string_equal(detail(HO_FINDING_UT001, with_a_user_timeout_as_the_second_probe),
                        "TCP_USER_TIMEOUT 70000 ms, second probe after 70 s");
    assert_string_equal(detail(HO_FINDING_UK001, that_nobody_may_look_at),
                        "SO_KEEPALIVE is inferred, its times and TCP_USER_TIMEOUT are unknown");
}

static void findings_stand_in_the_order_of_the_list(void **state)
{
    struct ho_finding found[HO_FINDINGS_MAX];
    struct play p = good();
    struct ho_outlook o;

    (void)state;
    tuned_and_off(&p);
    retransmits(&p, 3);
    with_linger(&p);
    p.c.user_timeout_ms = 30;
    ho_outlook(&p.c, &p.h, &o);
    size_t n = ho_findings_conn(&p.c, &p.h, &o, &p.rules, found);

    assert_int_equal(n, 7);
    assert_int_equal(found[0].id, HO_FINDING_KA001);
    for (size_t i = 1; i < n; i++) {
        assert_true(found[i - 1].id < found[i].id);
    }
}

static void ids_and_severities_are_found_by_their_words(void **state)
{
    (void)state;
    assert_int_equal(ho_finding_find("ka001"), HO_FINDING_KA001);
    assert_int_equal(ho_finding_find("UT003"), HO_FINDING_UT003);
    assert_int_equal(ho_finding_find("KA00"), -1);
    assert_int_equal(ho_finding_find("KA0011"), -1);
    assert_int_equal(ho_severity_find("warn"), HO_SEVERITY_WARN);
    assert_int_equal(ho_severity_find("bad"), -1);
    assert_string_equal(ho_severity_word(HO_SEVERITY_FAIL), "fail");
}

static void every_scenario_is_in_the_catalogue(void **state)
{
    char path[128];

    (void)state;
    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        const struct ho_finding_info *info = ho_finding_info((enum ho_finding_id)i);

        (void)snprintf(path, sizeof(path), "scenarios/%s.scn", info->scenario);
        FILE *f = fopen(path, "rb");
        if (f == NULL) {
            fail_msg("%s: no %s", info->id, path);
        } else {
            (void)fclose(f);
        }
    }
}

static const char head[] =
    "# Findings\n\n"
    "What `halfopen doctor` finds wrong with a connection or a network namespace. The ids are "
    "stable;\n"
    "`halfopen explain KA001` says the same as this page. Generated from "
    "src/forecast/finding.def.\n\n"
    "* `fail`: it is broken now.\n"
    "* `warn`: a peer that is gone would not be noticed, or a setting must be a mistake.\n"
    "* `info`: the rest.\n\n";

static void the_page_of_findings_is_the_list(void **state)
{
    (void)state;
    ho_docs_page_is("docs/findings.md", head, ho_docs_findings, "test_forecast_finding");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finding_is_found_where_it_is_and_only_there),
        cmocka_unit_test(a_good_connection_has_none),
        cmocka_unit_test(details_have_the_numbers),
        cmocka_unit_test(findings_stand_in_the_order_of_the_list),
        cmocka_unit_test(ids_and_severities_are_found_by_their_words),
        cmocka_unit_test(every_scenario_is_in_the_catalogue),
        cmocka_unit_test(the_page_of_findings_is_the_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
