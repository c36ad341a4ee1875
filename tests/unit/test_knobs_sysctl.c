/* Unit tests of src/knobs/sysctl.c. The values are those of a Linux 6.18 host. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "knobs/sysctl.h"

/* `sysctl NAME` of a Linux 6.18.44 host (tcp_congestion_control: the kernel's own default). */
static const struct {
    const char *name, *text;
} linux_618[] = {
    { "net.ipv4.tcp_retries1", "3" },
    { "net.ipv4.tcp_retries2", "15" },
    { "net.ipv4.tcp_orphan_retries", "0" },
    { "net.ipv4.tcp_syn_retries", "6" },
    { "net.ipv4.tcp_synack_retries", "5" },
    { "net.ipv4.tcp_syn_linear_timeouts", "4" },
    { "net.ipv4.tcp_rto_max_ms", "120000" },
    { "net.ipv4.tcp_rto_min_us", "200000" },
    { "net.ipv4.tcp_keepalive_time", "7200" },
    { "net.ipv4.tcp_keepalive_intvl", "75" },
    { "net.ipv4.tcp_keepalive_probes", "9" },
    { "net.ipv4.tcp_fin_timeout", "60" },
    { "net.ipv4.tcp_early_retrans", "3" },
    { "net.ipv4.tcp_recovery", "1" },
    { "net.ipv4.tcp_frto", "2" },
    { "net.ipv4.tcp_sack", "1" },
    { "net.ipv4.tcp_dsack", "1" },
    { "net.ipv4.tcp_timestamps", "1" },
    { "net.ipv4.tcp_window_scaling", "1" },
    { "net.ipv4.tcp_ecn", "2" },
    { "net.ipv4.tcp_slow_start_after_idle", "1" },
    { "net.ipv4.tcp_thin_linear_timeouts", "0" },
    { "net.ipv4.tcp_challenge_ack_limit", "2147483647" },
    { "net.ipv4.tcp_invalid_ratelimit", "500" },
    { "net.ipv4.tcp_wmem", "4096 16384 4194304" },
    { "net.ipv4.tcp_rmem", "4096 131072 33554432" },
    { "net.ipv4.tcp_mtu_probing", "0" },
    { "net.ipv4.tcp_fastopen", "1" },
    { "net.ipv4.tcp_max_orphans", "131072" },
    { "net.ipv4.tcp_max_syn_backlog", "2048" },
    { "net.ipv4.tcp_max_tw_buckets", "131072" },
    { "net.ipv4.tcp_tw_reuse", "2" },
    { "net.ipv4.tcp_tw_reuse_delay", "1000" },
    { "net.ipv4.tcp_rfc1337", "0" },
    { "net.ipv4.tcp_abort_on_overflow", "0" },
    { "net.ipv4.tcp_no_metrics_save", "0" },
    { "net.ipv4.tcp_shrink_window", "0" },
    { "net.ipv4.tcp_syncookies", "1" },
    { "net.ipv4.tcp_migrate_req", "0" },
    { "net.ipv4.tcp_congestion_control", "cubic" },
    { "net.ipv4.tcp_moderate_rcvbuf", "1" },
    { "net.ipv4.tcp_adv_win_scale", "1" },
    { "net.ipv4.tcp_min_snd_mss", "48" },
    { "net.ipv4.tcp_reordering", "3" },
    { "net.ipv4.tcp_limit_output_bytes", "4194304" },
    { "net.ipv4.tcp_comp_sack_delay_ns", "1000000" },
    { "net.ipv4.tcp_comp_sack_slack_ns", "100000" },
    { "net.ipv4.tcp_comp_sack_nr", "44" },
    { "net.ipv4.ip_local_port_range", "32768 60999" },
    { "net.ipv4.icmp_ratelimit", "1000" },
    { "net.ipv4.icmp_ratemask", "6168" },
    { "net.ipv6.icmp.ratelimit", "100" },
    { "net.core.somaxconn", "4096" },
    { "net.core.rmem_max", "4194304" },
    { "net.core.wmem_max", "4194304" },
    { "net.ipv4.neigh.eth0.base_reachable_time_ms", "30000" },
    { "net.ipv4.neigh.eth0.delay_first_probe_time", "5" },
    { "net.ipv4.neigh.eth0.mcast_solicit", "3" },
    { "net.ipv4.neigh.eth0.ucast_solicit", "3" },
    { "net.ipv4.neigh.eth0.mcast_resolicit", "0" },
    { "net.ipv4.neigh.eth0.app_solicit", "0" },
    { "net.ipv4.neigh.eth0.retrans_time_ms", "1000" },
    { "net.ipv4.neigh.eth0.gc_stale_time", "60" },
    { "net.ipv4.neigh.eth0.locktime", "100" },
    { "net.ipv4.neigh.eth0.unres_qlen_bytes", "212992" },
    { "net.ipv6.neigh.eth0.base_reachable_time_ms", "30000" },
    { "net.ipv6.neigh.eth0.delay_first_probe_time", "5" },
    { "net.ipv6.neigh.eth0.mcast_solicit", "3" },
    { "net.ipv6.neigh.eth0.ucast_solicit", "3" },
    { "net.ipv6.neigh.eth0.retrans_time_ms", "1000" },
    { "net.ipv6.neigh.eth0.locktime", "0" },
    { "net.ipv6.neigh.eth0.unres_qlen_bytes", "212992" },
    { "net.ipv4.conf.eth0.arp_evict_nocarrier", "1" },
    { "net.ipv4.conf.eth0.ignore_routes_with_linkdown", "0" },
    { "net.ipv6.conf.eth0.ndisc_evict_nocarrier", "1" },
    { "net.ipv6.conf.eth0.ignore_routes_with_linkdown", "0" },
};

static void defaults_are_those_of_linux_6_18(void **state)
{
    (void)state;
    struct ho_sysctls s;
    char text[HO_SYSCTL_TEXT];

    ho_sysctls_init(&s);
    for (size_t i = 0; i < sizeof(linux_618) / sizeof(linux_618[0]); i++) {
        if (ho_sysctl_print(&s, linux_618[i].name, text, sizeof(text)) != 0) {
            fail_msg("no %s", linux_618[i].name);
        }
        assert_string_equal(text, linux_618[i].text);
    }
}

static void every_line_of_the_list_is_sound(void **state)
{
    (void)state;

    for (unsigned id = 0; id < HO_SYSCTL_COUNT; id++) {
        const struct ho_sysctl_info *info = ho_sysctl_info((enum ho_sysctl)id);

        assert_true(info->min <= info->def && info->def <= info->max);
        assert_true(strlen(info->meaning) > 0);
        assert_null(strchr(info->meaning, '|')); /* it goes into a table */
        int first = ho_sysctl_find(info->name);
        assert_true(first >= 0 && (unsigned)first <= id);
        assert_true(id - (unsigned)first < ho_sysctl_numbers((enum ho_sysctl)id));
    }
}

static void names_are_found_in_linux_spellings(void **state)
{
    (void)state;

    assert_int_equal(ho_sysctl_find("net.ipv4.tcp_retries2"), HO_SYSCTL_TCP_RETRIES2);
    assert_int_equal(ho_sysctl_find("net/ipv4/tcp_retries2"), HO_SYSCTL_TCP_RETRIES2);
    assert_int_equal(ho_sysctl_find("tcp_retries2"), HO_SYSCTL_TCP_RETRIES2);
    assert_int_equal(ho_sysctl_find("net.ipv4.tcp_rmem"), HO_SYSCTL_TCP_RMEM_MIN);
    assert_int_equal(ho_sysctl_find("net.ipv4.neigh.eth0.gc_stale_time"),
                     HO_SYSCTL_NEIGH_GC_STALE_TIME);
    assert_int_equal(ho_sysctl_find("net.ipv4.neigh.default.gc_stale_time"),
                     HO_SYSCTL_NEIGH_GC_STALE_TIME);
    assert_int_equal(ho_sysctl_find("net.ipv6.neigh.eth0.gc_stale_time"),
                     HO_SYSCTL_NEIGH6_GC_STALE_TIME);
    assert_int_equal(ho_sysctl_find("neigh.eth0.gc_stale_time"), HO_SYSCTL_NEIGH_GC_STALE_TIME);
    assert_int_equal(ho_sysctl_find("conf/eth0/arp_evict_nocarrier"),
                     HO_SYSCTL_ARP_EVICT_NOCARRIER);
}

static void what_is_not_in_the_list_is_not_found(void **state)
{
    (void)state;
    const char *const names[] = {
        "",
        "net",
        "net.ipv4.tcp_retries",
        "net.ipv4.tcp_retries22",
        "net.ipv6.tcp_retries2",
        "net.ipv4.neigh..gc_stale_time",
        "net.ipv4.neigh.gc_stale_time",
        "somaxconn",
        "net.ipv4.neigh.eth0.gc_stale_time.x",
        "net-ipv4-tcp_sack",
    };
    struct ho_sysctls s;
    char text[HO_SYSCTL_TEXT] = "before";

    ho_sysctls_init(&s);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(ho_sysctl_find(names[i]), -ENOENT);
        assert_int_equal(ho_sysctl_parse(&s, names[i], "1"), -ENOENT);
        assert_int_equal(ho_sysctl_print(&s, names[i], text, sizeof(text)), -ENOENT);
    }
    assert_string_equal(text, "before");
}

static void values_outside_of_the_range_change_nothing(void **state)
{
    (void)state;
    struct ho_sysctls s, before;

    ho_sysctls_init(&s);
    before = s;
    for (unsigned id = 0; id < HO_SYSCTL_COUNT; id++) {
        const struct ho_sysctl_info *info = ho_sysctl_info((enum ho_sysctl)id);

        assert_int_equal(ho_sysctl_set(&s, (enum ho_sysctl)id, info->min - 1), -EINVAL);
        assert_int_equal(ho_sysctl_set(&s, (enum ho_sysctl)id, info->max + 1), -EINVAL);
    }
    assert_memory_equal(&s, &before, sizeof(s));
    assert_int_equal(ho_sysctl_set(&s, HO_SYSCTL_TCP_RETRIES2, 8), 0);
    assert_int_equal(s.v[HO_SYSCTL_TCP_RETRIES2], 8);
}

static void text_is_parsed_as_sysctl_takes_it(void **state)
{
    (void)state;
    struct ho_sysctls s;
    char text[HO_SYSCTL_TEXT];

    ho_sysctls_init(&s);
    assert_int_equal(ho_sysctl_parse(&s, "net.ipv4.tcp_retries2", " 8 "), 0);
    assert_int_equal(s.v[HO_SYSCTL_TCP_RETRIES2], 8);
    assert_int_equal(ho_sysctl_parse(&s, "net.ipv4.tcp_rmem", "8192\t65536  1000000"), 0);
    assert_int_equal(ho_sysctl_print(&s, "net.ipv4.tcp_rmem", text, sizeof(text)), 0);
    assert_string_equal(text, "8192 65536 1000000");
    assert_int_equal(ho_sysctl_parse(&s, "net.ipv4.tcp_rmem", "5000 70000"), 0);
    assert_int_equal(ho_sysctl_print(&s, "net.ipv4.tcp_rmem", text, sizeof(text)), 0);
    assert_string_equal(text, "5000 70000 1000000"); /* the third stays */
    assert_int_equal(ho_sysctl_parse(&s, "net.ipv4.tcp_adv_win_scale", "-2"), 0);
    assert_int_equal(s.v[HO_SYSCTL_TCP_ADV_WIN_SCALE], -2);
    assert_int_equal(ho_sysctl_parse(&s, "net.ipv4.tcp_congestion_control", "reno"), 0);
    assert_int_equal(s.v[HO_SYSCTL_TCP_CONGESTION_CONTROL], HO_CONGESTION_RENO);
}

static void text_that_is_no_value_changes_nothing(void **state)
{
    (void)state;
    const char *const cases[][2] = {
        { "net.ipv4.tcp_retries2", "" },
        { "net.ipv4.tcp_retries2", "x" },
        { "net.ipv4.tcp_retries2", "8x" },
        { "net.ipv4.tcp_retries2", "8 9" },
        { "net.ipv4.tcp_retries2", "256" },
        { "net.ipv4.tcp_retries2", "-1" },
        { "net.ipv4.tcp_retries2", "1.5" },
        { "net.ipv4.tcp_retries2", "99999999999999999999" },
        { "net.ipv4.tcp_syn_retries", "0" },
        { "net.ipv4.tcp_rto_max_ms", "999" },
        { "net.ipv4.tcp_rmem", "1 2 3 4" },
        { "net.ipv4.tcp_rmem", "4096 0 1" },
        { "net.ipv4.tcp_rmem", "4096,1,1" },
        { "net.ipv4.tcp_congestion_control", "bbr" },
        { "net.ipv4.tcp_congestion_control", "1" },
        { "net.ipv4.ip_local_port_range", "50000 40000" },
        { "net.ipv4.ip_local_port_range", "61000" },
        { "net.ipv4.ip_local_port_range", "1024 65536" },
    };
    struct ho_sysctls s, before;

    ho_sysctls_init(&s);
    before = s;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (ho_sysctl_parse(&s, cases[i][0], cases[i][1]) != -EINVAL) {
            fail_msg("%s took \"%s\"", cases[i][0], cases[i][1]);
        }
        assert_memory_equal(&s, &before, sizeof(s));
    }
}

static void what_is_printed_is_parsed_back(void **state)
{
    (void)state;
    struct ho_sysctls s, back;
    char text[HO_SYSCTL_TEXT];

    ho_sysctls_init(&back);
    for (unsigned id = 0; id < HO_SYSCTL_COUNT; id++) {
        s.v[id] = ho_sysctl_info((enum ho_sysctl)id)->max; /* the longest texts */
    }
    for (unsigned id = 0; id < HO_SYSCTL_COUNT; id++) {
        const char *name = ho_sysctl_info((enum ho_sysctl)id)->name;

        assert_int_equal(ho_sysctl_print(&s, name, text, sizeof(text)), 0);
        assert_int_equal(ho_sysctl_parse(&back, name, text), 0);
        assert_int_equal(ho_sysctl_print(&s, name, text, strlen(text)), -ENOSPC);
    }
    assert_memory_equal(&s, &back, sizeof(s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_linux_6_18),
        cmocka_unit_test(every_line_of_the_list_is_sound),
        cmocka_unit_test(names_are_found_in_linux_spellings),
        cmocka_unit_test(what_is_not_in_the_list_is_not_found),
        cmocka_unit_test(values_outside_of_the_range_change_nothing),
        cmocka_unit_test(text_is_parsed_as_sysctl_takes_it),
        cmocka_unit_test(text_that_is_no_value_changes_nothing),
        cmocka_unit_test(what_is_printed_is_parsed_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
