/* Unit tests of src/play/wires.c and faults.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "play/faults.h"
#include "play/wires.h"
#include "support/play_rig.h"

struct wired {
    struct play_rig r;
    struct ho_bufpool bufs;
    struct ho_wires w;
};

static void start(struct wired *d)
{
    play_rig_begin(&d->r, false);
    ho_bufpool_init(&d->bufs, 64);
    assert_int_equal(ho_wires_init(&d->w, &d->r.tr, &d->bufs), 0);
}

/* client -- lan -- server */
static void setup(struct wired *d)
{
    play_rig_plan(&d->r);
    start(d);
}

/* client -- a -- node 2 -- b -- server */
static void setup_between(struct wired *d, struct ho_plan_node node)
{
    play_rig_plan(&d->r);
    d->r.node[2] = node;
    d->r.cable[0] = (struct ho_plan_cable){ .name = "a", .a = CLIENT, .b = 2, .delay = ho_ms(1) };
    d->r.cable[1] =
        (struct ho_plan_cable){ .name = "b", .a = 2, .b = SERVER, .a_port = 1, .delay = ho_ms(2) };
    d->r.plan.node_count = 3;
    d->r.plan.cable_count = 2;
    start(d);
}

static void teardown(struct wired *d)
{
    ho_wires_destroy(&d->w);
    assert_int_equal(d->bufs.small.used, 0);
    assert_int_equal(d->bufs.large.used, 0);
    ho_bufpool_destroy(&d->bufs);
    play_rig_free(&d->r);
}

static struct ho_time at_ms(int64_t ms)
{
    return (struct ho_time){ .ns = ms * 1000000 };
}

/* `node` sends a segment; returns its record. */
static const struct ho_record *sends(struct wired *d, int node, uint8_t flags, int64_t ms)
{
    play_rig_segment(&d->r, node, (struct ho_wire_tcp){ .flags = flags, .seq = 100 });
    ho_wires_send(&d->w, (uint16_t)node, 0, play_rig_buf(&d->r, &d->bufs), at_ms(ms));
    return play_rig_last(&d->r);
}

/* Takes one frame; it must be for `node`. */
static void arrives(struct wired *d, int node)
{
    uint16_t to = 99;
    unsigned port = 99;
    struct ho_buf *b = ho_wires_receive(&d->w, &to, &port);

    assert_non_null(b);
    assert_int_equal(to, node);
    assert_int_equal(port, 0);
    ho_buf_put(&d->bufs, b);
}

static void nothing_more_arrives(struct wired *d)
{
    uint16_t to;
    unsigned port;

    assert_null(ho_wires_receive(&d->w, &to, &port));
}

static void fault(struct wired *d, struct ho_step step, int64_t ms)
{
    assert_int_equal(ho_wires_fault(&d->w, step.cable, &step, at_ms(ms)), 0);
}

/* The next change of carrier. */
static void carrier(struct wired *d, int node, bool on)
{
    struct ho_wires_carrier c;

    assert_true(ho_wires_carrier(&d->w, &c));
    assert_int_equal(c.node, node);
    assert_int_equal(c.port, 0);
    assert_int_equal(c.on, on);
}

static void no_more_carrier(struct wired *d)
{
    struct ho_wires_carrier c;

    assert_false(ho_wires_carrier(&d->w, &c));
}

static void a_frame_arrives_after_the_cable_s_delay(void **state)
{
    struct wired d;
    const struct ho_record *rec;

    (void)state;
    setup(&d);
    assert_int_equal(ho_wires_deadline(&d.w).ns, HO_NEVER.ns);
    rec = sends(&d, CLIENT, HO_TCP_SYN, 10);
    assert_int_equal(ho_wires_deadline(&d.w).ns, at_ms(11).ns);
    ho_wires_tick(&d.w, at_ms(11));
    arrives(&d, SERVER);
    nothing_more_arrives(&d);
    assert_int_equal(rec->t.ns, at_ms(10).ns);
    assert_int_equal(rec->u.seg.fate, HO_FATE_FWD);
    assert_int_equal(rec->u.seg.dt_deliver.ns, 1000000);
    assert_int_equal(ho_wires_deadline(&d.w).ns, HO_NEVER.ns);
    teardown(&d);
}

static void what_arrives_at_one_instant_comes_one_after_the_other(void **state)
{
    struct wired d;

    (void)state;
    setup(&d);
    sends(&d, CLIENT, HO_TCP_SYN, 10);
    sends(&d, SERVER, HO_TCP_ACK, 10);
    ho_wires_tick(&d.w, at_ms(11));
    arrives(&d, CLIENT); /* end 0 of the cable first */
    sends(&d, CLIENT, HO_TCP_RST, 11);
    arrives(&d, SERVER);
    nothing_more_arrives(&d);
    assert_int_equal(ho_wires_deadline(&d.w).ns, at_ms(12).ns);
    teardown(&d);
}

static void a_switch_passes_frames_on(void **state)
{
    struct wired d;
    const struct ho_record *rec;

    (void)state;
    setup_between(&d, (struct ho_plan_node){ .kind = HO_NODE_SWITCH, .name = "sw" });
    rec = sends(&d, CLIENT, HO_TCP_SYN, 0);
    ho_wires_tick(&d.w, at_ms(1));
    nothing_more_arrives(&d);
    assert_int_equal(ho_wires_deadline(&d.w).ns, at_ms(3).ns);
    ho_wires_tick(&d.w, at_ms(3));
    arrives(&d, SERVER);
    nothing_more_arrives(&d);
    assert_int_equal(rec->u.seg.dt_deliver.ns, 3000000);
    teardown(&d);
}

/* One tick that comes late does all that was due meanwhile. */
static void a_late_tick_catches_up(void **state)
{
    struct wired d;

    (void)state;
    setup_between(&d, (struct ho_plan_node){ .kind = HO_NODE_SWITCH, .name = "sw" });
    sends(&d, CLIENT, HO_TCP_SYN, 0);
    ho_wires_tick(&d.w, at_ms(50));
    nothing_more_arrives(&d);
    assert_int_equal(ho_wires_deadline(&d.w).ns, at_ms(52).ns); /* it entered cable b at 50 */
    ho_wires_tick(&d.w, at_ms(52));
    arrives(&d, SERVER);
    nothing_more_arrives(&d);
    teardown(&d);
}

static void a_middlebox_that_has_forgotten_resets(void **state)
{
    struct wired d;
    const struct ho_record *rec;

    (void)state;
    setup_between(
        &d, (struct ho_plan_node){
                .kind = HO_NODE_MIDDLEBOX, .name = "nat", .forgets = ho_s(1), .resets = true });
    sends(&d, CLIENT, HO_TCP_SYN, 0);
    ho_wires_tick(&d.w, at_ms(1));
    nothing_more_arrives(&d);
    ho_wires_tick(&d.w, at_ms(3));
    arrives(&d, SERVER);
    nothing_more_arrives(&d);
    assert_int_equal(ho_wires_deadline(&d.w).ns, at_ms(1001).ns);
    ho_wires_tick(&d.w, at_ms(1001));
    nothing_more_arrives(&d);
    assert_int_equal(play_rig_last(&d.r)->kind, HO_REC_NOTE);
    assert_string_equal(play_rig_last(&d.r)->host, "nat");
    size_t sent = d.r.tl.n;

    sends(&d, SERVER, HO_TCP_ACK, 2000);
    ho_wires_tick(&d.w, at_ms(2002));
    nothing_more_arrives(&d);
    rec = &d.r.tl.rec[sent];
    assert_int_equal(rec->u.seg.fate, HO_FATE_LOST);
    assert_string_equal(rec->u.seg.via, "nat");
    rec = play_rig_last(&d.r);
    assert_string_equal(rec->host, "nat");
    assert_true(rec->u.seg.flags & HO_TCP_RST);
    ho_wires_tick(&d.w, at_ms(2004));
    arrives(&d, SERVER);
    nothing_more_arrives(&d);
    teardown(&d);
}

static void a_cut_takes_what_is_under_way_and_leaves_carrier(void **state)
{
    struct wired d;
    const struct ho_record *rec;

    (void)state;
    setup(&d);
    sends(&d, CLIENT, HO_TCP_SYN, 10);
    fault(&d, (struct ho_step){ .kind = HO_STEP_CUT, .label = "cut" }, 10);
    no_more_carrier(&d);
    rec = &d.r.tl.rec[0];
    assert_int_equal(rec->u.seg.fate, HO_FATE_CUT);
    assert_string_equal(rec->u.seg.via, "lan");
    rec = play_rig_last(&d.r);
    assert_int_equal(rec->kind, HO_REC_FAULT);
    assert_string_equal(rec->u.fault.verb, "cut");
    assert_string_equal(rec->u.fault.what, "lan");
    assert_int_equal(ho_wires_deadline(&d.w).ns, HO_NEVER.ns);
    assert_int_equal(sends(&d, CLIENT, HO_TCP_SYN, 11)->u.seg.fate, HO_FATE_CUT);
    teardown(&d);
}

static void half_a_cut_says_its_direction(void **state)
{
    struct wired d;
    const struct ho_record *rec;

    (void)state;
    setup(&d);
    fault(&d, (struct ho_step){ .kind = HO_STEP_CUT, .u.direction = HO_B_TO_A }, 10);
    no_more_carrier(&d);
    rec = play_rig_last(&d.r);
    assert_string_equal(rec->u.fault.verb, "half-cut");
    assert_string_equal(rec->u.fault.name, "half-cut");
    assert_string_equal(rec->u.fault.detail, "server to client");
    assert_int_equal(sends(&d, CLIENT, HO_TCP_SYN, 11)->u.seg.fate, HO_FATE_FWD);
    assert_int_equal(sends(&d, SERVER, HO_TCP_ACK, 11)->u.seg.fate, HO_FATE_CUT);
    teardown(&d);
}

static void only_the_end_that_was_unplugged_loses_carrier(void **state)
{
    struct wired d;

    (void)state;
    setup(&d);
    fault(&d, (struct ho_step){ .kind = HO_STEP_UNPLUG, .u.end = 1 }, 10);
    assert_string_equal(play_rig_last(&d.r)->u.fault.detail, "at server");
    carrier(&d, SERVER, false);
    no_more_carrier(&d);
    fault(&d, (struct ho_step){ .kind = HO_STEP_PLUG }, 20);
    carrier(&d, SERVER, true);
    no_more_carrier(&d);
    teardown(&d);
}

static void frames_may_be_sent_between_two_changes_of_carrier(void **state)
{
    struct wired d;

    (void)state;
    setup(&d);
    ho_wires_power(&d.w, SERVER, 0, false, at_ms(5));
    carrier(&d, CLIENT, false);
    no_more_carrier(&d);
    ho_wires_power(&d.w, SERVER, 0, true, at_ms(9));
    carrier(&d, CLIENT, true);
    assert_int_equal(sends(&d, CLIENT, HO_TCP_SYN, 9)->u.seg.fate, HO_FATE_FWD);
    carrier(&d, SERVER, true);
    no_more_carrier(&d);
    teardown(&d);
}

static void a_host_without_power_is_not_told_of_its_carrier(void **state)
{
    struct wired d;

    (void)state;
    setup(&d);
    ho_wires_power(&d.w, SERVER, 0, false, at_ms(5));
    carrier(&d, CLIENT, false);
    no_more_carrier(&d);
    fault(&d, (struct ho_step){ .kind = HO_STEP_UNPLUG, .u.end = 1 }, 6);
    no_more_carrier(&d);
    fault(&d, (struct ho_step){ .kind = HO_STEP_PLUG }, 7);
    no_more_carrier(&d);
    assert_int_equal(sends(&d, CLIENT, HO_TCP_SYN, 8)->u.seg.fate, HO_FATE_NO_CARRIER);
    teardown(&d);
}

static void frames_that_were_ordered_to_be_lost_are(void **state)
{
    struct wired d;
    struct ho_step step = { .kind = HO_STEP_DROP, .u.drop = { .count = 1, .kind = HO_FRAME_SYN } };

    (void)state;
    setup(&d);
    fault(&d, step, 1);
    assert_string_equal(play_rig_last(&d.r)->u.fault.detail, "1 SYN");
    assert_int_equal(sends(&d, CLIENT, HO_TCP_ACK, 2)->u.seg.fate, HO_FATE_FWD);
    assert_int_equal(sends(&d, CLIENT, HO_TCP_SYN, 2)->u.seg.fate, HO_FATE_LOST);
    assert_int_equal(sends(&d, CLIENT, HO_TCP_SYN, 3)->u.seg.fate, HO_FATE_FWD);
    step.u.drop.direction = HO_A_TO_B;
    fault(&d, step, 4);
    assert_string_equal(play_rig_last(&d.r)->u.fault.detail, "1 SYN client to server");
    for (unsigned i = 1; i < HO_CABLE_DROPS; i++) {
        fault(&d, step, 4);
    }
    assert_int_equal(ho_wires_fault(&d.w, 0, &step, at_ms(4)), -EINVAL);
    assert_string_equal(d.r.tr.why, "lan: too many orders to drop frames are in force");
    teardown(&d);
}

/* Deadlines part by part, as the model keeps them. */
static void a_part_tells_of_a_new_deadline_once(void **state)
{
    struct wired d;
    struct ho_time at;
    size_t part;

    (void)state;
    setup(&d);
    assert_false(ho_wires_armed(&d.w, &part, &at));
    sends(&d, CLIENT, HO_TCP_SYN, 10);
    sends(&d, CLIENT, HO_TCP_SYN, 10);
    assert_true(ho_wires_armed(&d.w, &part, &at));
    assert_int_equal(part, 0);
    assert_int_equal(at.ns, at_ms(11).ns);
    assert_false(ho_wires_armed(&d.w, &part, &at));
    ho_wires_tick_part(&d.w, part, at);
    arrives(&d, SERVER);
    arrives(&d, SERVER);
    nothing_more_arrives(&d);
    assert_false(ho_wires_armed(&d.w, &part, &at));
    teardown(&d);
}

static void a_frame_for_another_address_has_not_arrived(void **state)
{
    struct wired d;

    (void)state;
    setup(&d);
    play_rig_segment(&d.r, CLIENT, (struct ho_wire_tcp){ .flags = HO_TCP_SYN });
    d.r.frame[5] ^= 0x40; /* the destination */
    ho_wires_send(&d.w, CLIENT, 0, play_rig_buf(&d.r, &d.bufs), at_ms(1));
    ho_wires_tick(&d.w, at_ms(2));
    arrives(&d, SERVER);
    nothing_more_arrives(&d);
    assert_int_equal(play_rig_last(&d.r)->u.seg.dt_deliver.ns, 0);
    teardown(&d);
}

static void what_cannot_be_recorded_is_carried(void **state)
{
    struct wired d;

    (void)state;
    setup(&d);
    memset(d.r.frame, 0, sizeof(d.r.frame));
    d.r.len = 20;
    d.r.frame[0] = 0xff;
    ho_wires_send(&d.w, CLIENT, 0, play_rig_buf(&d.r, &d.bufs), at_ms(1));
    ho_wires_tick(&d.w, at_ms(2));
    arrives(&d, SERVER);
    nothing_more_arrives(&d);
    assert_int_equal(d.r.tl.n, 0);
    assert_int_equal(d.r.tr.count.other, 1);
    teardown(&d);
}

/* ---- the other faults ------------------------------------------------------------------------ */

static void is_recorded(struct play_rig *r, struct ho_step step, const char *host, const char *what,
                        const char *detail)
{
    const struct ho_record *rec;

    ho_trace_fault(&r->tr, &step);
    rec = play_rig_last(r);
    assert_int_equal(rec->kind, HO_REC_FAULT);
    assert_string_equal(rec->host, host);
    assert_string_equal(rec->u.fault.verb, ho_step_text(step.kind));
    assert_string_equal(rec->u.fault.what, what);
    assert_string_equal(rec->u.fault.detail, detail);
}

static void faults_say_what_they_are_done_to(void **state)
{
    struct play_rig r;
    struct ho_step step = { .kind = HO_STEP_ADDRESS, .host = SERVER };

    (void)state;
    play_rig_init(&r, false);
    is_recorded(&r, (struct ho_step){ .kind = HO_STEP_POWER_OFF, .host = SERVER }, "server",
                "server", "");
    is_recorded(&r, (struct ho_step){ .kind = HO_STEP_KILL, .proc = 1 }, "server", "db", "");
    assert_string_equal(play_rig_last(&r)->process, "db");
    is_recorded(&r, (struct ho_step){ .kind = HO_STEP_INTERFACE, .u.net.ifindex = 1 }, "client",
                "client", "eth1 down");
    is_recorded(&r, (struct ho_step){ .kind = HO_STEP_INTERFACE, .u.net.ifindex = HO_IF_LO },
                "client", "client", "lo down");
    step.u.net.u.address = r.node[SERVER].addr[0];
    is_recorded(&r, step, "server", "server", "del 10.0.0.2/24");
    step.u.net.up = true;
    is_recorded(&r, step, "server", "server", "add 10.0.0.2/24");
    play_rig_free(&r);
}

static void what_is_no_fault_is_not_recorded(void **state)
{
    struct play_rig r;

    (void)state;
    play_rig_init(&r, false);
    ho_trace_fault(&r.tr, &(struct ho_step){ .kind = HO_STEP_NOTE });
    ho_trace_fault(&r.tr, &(struct ho_step){ .kind = HO_STEP_CALL });
    assert_int_equal(r.tl.n, 0);
    play_rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_arrives_after_the_cable_s_delay),
        cmocka_unit_test(what_arrives_at_one_instant_comes_one_after_the_other),
        cmocka_unit_test(a_switch_passes_frames_on),
        cmocka_unit_test(a_late_tick_catches_up),
        cmocka_unit_test(a_middlebox_that_has_forgotten_resets),
        cmocka_unit_test(a_cut_takes_what_is_under_way_and_leaves_carrier),
        cmocka_unit_test(half_a_cut_says_its_direction),
        cmocka_unit_test(only_the_end_that_was_unplugged_loses_carrier),
        cmocka_unit_test(frames_may_be_sent_between_two_changes_of_carrier),
        cmocka_unit_test(a_host_without_power_is_not_told_of_its_carrier),
        cmocka_unit_test(frames_that_were_ordered_to_be_lost_are),
        cmocka_unit_test(a_part_tells_of_a_new_deadline_once),
        cmocka_unit_test(a_frame_for_another_address_has_not_arrived),
        cmocka_unit_test(what_cannot_be_recorded_is_carried),
        cmocka_unit_test(faults_say_what_they_are_done_to),
        cmocka_unit_test(what_is_no_fault_is_not_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
