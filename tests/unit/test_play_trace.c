/* Unit tests of src/play/trace.c, merge.c, settings.c and links.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "play/frames.h"
#include "play/links.h"
#include "play/settings.h"
#include "support/play_rig.h"

static void note_at(struct play_rig *r, int64_t ms, const char *text)
{
    play_rig_at(r, ms);
    ho_trace_note(&r->tr, "", text);
}

static void merged(struct play_rig *r, struct ho_timeline *to)
{
    assert_int_equal(ho_trace_merge(&r->tr, to), 0);
}

static void records_are_sorted_by_time_and_keep_their_order(void **state)
{
    static const char *const expected[] = { "a", "b", "c", "d", "e" };
    struct play_rig r;
    struct ho_timeline to;

    (void)state;
    play_rig_init(&r, true);
    ho_timeline_init(&to, 0);
    note_at(&r, 20, "b");
    note_at(&r, 30, "e");
    note_at(&r, 20, "c");
    note_at(&r, 10, "a");
    note_at(&r, 20, "d");
    merged(&r, &to);
    assert_int_equal(to.n, 5);
    for (size_t i = 0; i < to.n; i++) {
        assert_string_equal(to.rec[i].u.note.text, expected[i]);
    }
    ho_timeline_destroy(&to);
    play_rig_free(&r);
}

static void the_merged_timeline_owns_its_texts(void **state)
{
    struct play_rig r;
    struct ho_timeline to;

    (void)state;
    play_rig_init(&r, true);
    ho_timeline_init(&to, 0);
    note_at(&r, 1, "kept");
    merged(&r, &to);
    play_rig_free(&r);
    assert_string_equal(to.rec[0].u.note.text, "kept");
    ho_timeline_destroy(&to);
}

static void frames_keep_their_bytes(void **state)
{
    struct play_rig r;
    struct ho_timeline to;

    (void)state;
    play_rig_init(&r, true);
    r.tl.keep_frames = true;
    ho_timeline_init(&to, 0);
    to.keep_frames = true;
    play_rig_at(&r, 9);
    play_rig_sends(&r, SERVER, (struct ho_wire_tcp){ .flags = HO_TCP_ACK, .payload_len = 3 });
    note_at(&r, 10, "between");
    play_rig_at(&r, 5);
    play_rig_sends(&r, CLIENT, (struct ho_wire_tcp){ .flags = HO_TCP_SYN });
    merged(&r, &to);
    assert_string_equal(to.rec[0].host, "client");
    assert_int_equal(to.rec[0].frame_len, r.len);
    assert_memory_equal(to.frames + to.rec[0].frame_at, r.frame, r.len);
    play_rig_segment(&r, SERVER, (struct ho_wire_tcp){ .flags = HO_TCP_ACK, .payload_len = 3 });
    assert_memory_equal(to.frames + to.rec[1].frame_at, r.frame, r.len);
    ho_timeline_destroy(&to);
    play_rig_free(&r);
}

/* A fate may come when records of later times are there already. */
static void a_fate_that_comes_late_is_in_the_merged_record(void **state)
{
    struct play_rig r;
    struct ho_timeline to;
    uint32_t index;

    (void)state;
    play_rig_init(&r, true);
    ho_timeline_init(&to, 0);
    note_at(&r, 50, "later");
    play_rig_at(&r, 10);
    play_rig_segment(&r, CLIENT, (struct ho_wire_tcp){ .flags = HO_TCP_SYN });
    index = ho_trace_frame_sent(&r.tr, CLIENT, r.frame, r.len);
    assert_int_equal(index, 2);
    ho_trace_frame_lost(&r.tr, index, HO_FATE_CUT, r.tr.cable[0]);
    merged(&r, &to);
    assert_int_equal(to.rec[0].u.seg.fate, HO_FATE_CUT);
    assert_string_equal(to.rec[0].u.seg.via, "lan");
    ho_timeline_destroy(&to);
    play_rig_free(&r);
}

static void what_was_before_the_play_is_at_its_beginning_after_the_settings(void **state)
{
    struct play_rig r;
    struct ho_timeline to;

    (void)state;
    play_rig_init(&r, true);
    ho_timeline_init(&to, 0);
    note_at(&r, -200, "before");
    play_rig_at(&r, 0);
    ho_trace_setting(&r.tr, "", "run", "", "kernel", "6.18", 0);
    note_at(&r, 0, "at once");
    note_at(&r, -100, "between");
    merged(&r, &to);
    assert_int_equal(to.rec[0].kind, HO_REC_SETTINGS);
    assert_string_equal(to.rec[1].u.note.text, "before");
    assert_string_equal(to.rec[2].u.note.text, "at once");
    assert_string_equal(to.rec[3].u.note.text, "between");
    for (size_t i = 0; i < to.n; i++) {
        assert_int_equal(to.rec[i].t.ns, 0);
    }
    assert_non_null(ho_timeline_setting(&to, to.n, "run", "", "", "kernel"));
    ho_timeline_destroy(&to);
    play_rig_free(&r);
}

static void a_timeline_that_has_gone_further_takes_nothing(void **state)
{
    struct play_rig r;
    struct ho_timeline to;

    (void)state;
    play_rig_init(&r, true);
    ho_timeline_init(&to, 0);
    assert_int_equal(
        ho_timeline_append(&to, &(struct ho_record){ .t = { .ns = 2000000 }, .kind = HO_REC_NOTE }),
        0);
    note_at(&r, 1, "too early");
    assert_int_equal(ho_trace_merge(&r.tr, &to), -EINVAL);
    assert_int_equal(to.n, 1);
    ho_timeline_destroy(&to);
    play_rig_free(&r);
}

static void what_had_no_room_is_counted(void **state)
{
    struct play_rig r;
    struct ho_timeline to;

    (void)state;
    play_rig_init(&r, true);
    r.tl.max = 1;
    ho_timeline_init(&to, 0);
    note_at(&r, 1, "a");
    note_at(&r, 2, "b");
    merged(&r, &to);
    assert_int_equal(to.n, 1);
    assert_int_equal(to.dropped, 1);
    ho_timeline_destroy(&to);
    play_rig_free(&r);
}

static void the_first_failure_stays(void **state)
{
    struct ho_trace tr;

    (void)state;
    ho_trace_init(&tr);
    ho_trace_fail(&tr, -ENOMEM, "first");
    ho_trace_fail(&tr, -EINVAL, "second");
    assert_int_equal(tr.err, -ENOMEM);
    assert_string_equal(tr.why, "first");
    ho_trace_destroy(&tr);
}

static void without_a_timeline_names_are_kept_all_the_same(void **state)
{
    struct ho_trace tr;
    struct ho_plan plan = { .name = "empty" };
    char text[] = "db";

    (void)state;
    ho_trace_init(&tr);
    assert_int_equal(ho_trace_begin(&tr, &plan, NULL), 0);
    const char *name = ho_trace_name(&tr, text);

    text[0] = 'x';
    assert_string_equal(name, "db");
    assert_ptr_equal(ho_trace_name(&tr, "db"), name);
    ho_trace_note(&tr, "", "nowhere");
    assert_int_equal(tr.err, 0);
    ho_trace_destroy(&tr);
}

/* ---- settings -------------------------------------------------------------------------------- */

static const struct ho_record *setting(const struct play_rig *r, const char *scope,
                                       const char *host, const char *name)
{
    return ho_timeline_setting(&r->tl, r->tl.n, scope, host, "", name);
}

static void a_host_s_settings_are_what_its_engine_knows(void **state)
{
    struct play_rig r;
    struct ho_sysctls sysctls;
    bool has[HO_SYSCTL_COUNT] = { false };
    int id = ho_sysctl_find("net.ipv4.tcp_retries2");

    (void)state;
    play_rig_init(&r, false);
    ho_sysctls_init(&sysctls);
    has[id] = true;
    sysctls.v[id] = 8;
    ho_trace_settings_host(&r.tr, SERVER,
                           &(struct ho_play_host){
                               .has_hz = true, .hz = 250, .sysctls = &sysctls, .has_sysctl = has });
    assert_int_equal(setting(&r, "host", "server", "hz")->u.settings.value, 250);
    assert_string_equal(setting(&r, "host", "server", "address")->u.settings.text, "fd00::2/64");
    assert_int_equal(setting(&r, "sysctl", "server", "net.ipv4.tcp_retries2")->u.settings.value, 8);
    assert_null(setting(&r, "sysctl", "server", "net.ipv4.tcp_syn_retries"));
    assert_null(setting(&r, "host", "server", "phase_ns"));
    assert_null(setting(&r, "host", "server", "profile"));
    play_rig_free(&r);
}

static void a_sysctl_of_several_numbers_is_one_text(void **state)
{
    struct play_rig r;
    struct ho_sysctls sysctls;

    (void)state;
    play_rig_init(&r, false);
    ho_sysctls_init(&sysctls);
    assert_int_equal(ho_sysctl_parse(&sysctls, "net.ipv4.tcp_rmem", "4096 8192 16384"), 0);
    ho_trace_setting_sysctl(&r.tr, CLIENT, &sysctls, "net.ipv4.tcp_rmem");
    assert_string_equal(play_rig_last(&r)->u.settings.text, "4096 8192 16384");
    ho_trace_setting_sysctl(&r.tr, CLIENT, &sysctls, "no.such");
    assert_int_equal(r.tl.n, 1);
    play_rig_free(&r);
}

static void the_run_and_its_cables_are_told(void **state)
{
    struct play_rig r;

    (void)state;
    play_rig_init(&r, false);
    r.cable[0].loss_ppm = 5;
    ho_trace_settings_run(&r.tr, "kernel");
    ho_trace_settings_cables(&r.tr);
    assert_string_equal(setting(&r, "run", "", "engine")->u.settings.text, "kernel");
    assert_string_equal(setting(&r, "run", "", "scenario")->u.settings.text, "rig");
    assert_int_equal(setting(&r, "run", "", "seed")->u.settings.value, 1);
    assert_int_equal(setting(&r, "cable", "", "delay_us")->u.settings.value, 1000);
    assert_int_equal(setting(&r, "cable", "", "loss_ppm")->u.settings.value, 5);
    assert_null(setting(&r, "cable", "", "rate_bps"));
    play_rig_free(&r);
}

/* ---- links ----------------------------------------------------------------------------------- */

/* client (two interfaces) -- lan -- server; client eth1 -- sw -- node 3. */
static void a_link_is_walked_through_switches_and_no_further(void **state)
{
    struct play_rig r;
    struct ho_play_port *met;
    size_t n;
    unsigned end;

    (void)state;
    play_rig_plan(&r);
    r.node[2] = (struct ho_plan_node){ .kind = HO_NODE_SWITCH, .name = "sw" };
    r.node[3] = (struct ho_plan_node){ .kind = HO_NODE_HOST, .name = "far" };
    r.cable[1] = (struct ho_plan_cable){ .name = "x", .a = CLIENT, .a_port = 1, .b = 2 };
    r.cable[2] = (struct ho_plan_cable){ .name = "y", .a = 2, .a_port = 1, .b = 3 };
    r.plan.node_count = 4;
    r.plan.cable_count = 3;
    assert_int_equal(ho_play_ports(&r.plan, CLIENT), 2);
    assert_int_equal(ho_play_cable_at(&r.plan, 3, 0, &end), 2);
    assert_int_equal(end, 1);
    assert_int_equal(ho_play_cable_at(&r.plan, 3, 1, &end), HO_PLAN_NONE);

    assert_int_equal(ho_play_link(&r.plan, CLIENT, 0, &met, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(met[0].node, SERVER);
    free(met);
    assert_int_equal(ho_play_link(&r.plan, CLIENT, 1, &met, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(met[0].node, 3);
    free(met);
    assert_int_equal(ho_play_link(&r.plan, 3, 0, &met, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(met[0].node, CLIENT);
    assert_int_equal(met[0].port, 1);
    free(met);
}

static void an_interface_s_mac_counts_on_from_the_node_s(void **state)
{
    struct play_rig r;
    struct ho_mac mac;

    (void)state;
    play_rig_plan(&r);
    mac = ho_play_mac(&r.node[SERVER], 3);
    assert_int_equal(mac.b[4], 2);
    assert_int_equal(mac.b[5], 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_sorted_by_time_and_keep_their_order),
        cmocka_unit_test(the_merged_timeline_owns_its_texts),
        cmocka_unit_test(frames_keep_their_bytes),
        cmocka_unit_test(a_fate_that_comes_late_is_in_the_merged_record),
        cmocka_unit_test(what_was_before_the_play_is_at_its_beginning_after_the_settings),
        cmocka_unit_test(a_timeline_that_has_gone_further_takes_nothing),
        cmocka_unit_test(what_had_no_room_is_counted),
        cmocka_unit_test(the_first_failure_stays),
        cmocka_unit_test(without_a_timeline_names_are_kept_all_the_same),
        cmocka_unit_test(a_host_s_settings_are_what_its_engine_knows),
        cmocka_unit_test(a_sysctl_of_several_numbers_is_one_text),
        cmocka_unit_test(the_run_and_its_cables_are_told),
        cmocka_unit_test(a_link_is_walked_through_switches_and_no_further),
        cmocka_unit_test(an_interface_s_mac_counts_on_from_the_node_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
