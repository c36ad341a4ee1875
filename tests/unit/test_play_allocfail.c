/* Every allocation of a record made to fail in turn: names, connections, descriptors, samples,
 * neighbours, wires and the merging. Each failure is -ENOMEM, from the function or in trace->err,
 * and nothing is leaked (LeakSanitizer); the last record, without a failure, is whole.
 */

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
#include "play/socks.h"
#include "play/wires.h"
#include "support/alloc_fail.h"
#include "support/play_rig.h"

/* A connection whose name comes late, looked at from the client. */
static void happen(struct play_rig *r)
{
    struct ho_play_tuple t = play_rig_tuple(r, CLIENT);
    struct ho_play_sock s = { .local = t.local,
                              .remote = t.remote,
                              .lport = t.lport,
                              .rport = t.rport,
                              .fd = -1,
                              .owned = true,
                              .state = HO_TCP_SYN_SENT };

    play_rig_segment(r, CLIENT, (struct ho_wire_tcp){ .flags = HO_TCP_SYN });
    ho_trace_frame_sent(&r->tr, CLIENT, r->frame, r->len);
    ho_trace_round_begin(&r->tr);
    ho_trace_sock(&r->tr, CLIENT, &s);
    ho_trace_neigh(&r->tr, CLIENT, &t.remote, "REACHABLE");
    ho_trace_round_end(&r->tr, CLIENT);
    ho_play_fd_made(&r->tr, &r->app, 5);
    ho_play_fd_connecting(&r->tr, &r->app, 5, "db", &t, (struct ho_time){ 0 });
}

/* What every engine does with its wires; returns 0 or -ENOMEM. */
static int wire(struct play_rig *r)
{
    struct ho_play_port *met = NULL;
    struct ho_bufpool bufs;
    struct ho_wires w;
    size_t n;
    int err;

    ho_bufpool_init(&bufs, 16);
    err = ho_wires_init(&w, &r->tr, &bufs);
    ho_wires_destroy(&w);
    ho_bufpool_destroy(&bufs);
    if (err == 0) {
        err = ho_play_link(&r->plan, CLIENT, 0, &met, &n);
        free(met);
    }
    return err;
}

/* One record, merged into `to`; returns 0 or the failure. */
static int job(struct play_rig *r, struct ho_timeline *to)
{
    int err;

    ho_timeline_init(&r->tl, 0);
    ho_timeline_init(to, 0);
    r->tl.any_order = true;
    r->tl.keep_frames = true;
    to->keep_frames = true;
    ho_trace_init(&r->tr);
    err = ho_trace_begin(&r->tr, &r->plan, &r->tl);
    if (err == 0) {
        r->app = (struct ho_play_proc){ .node = CLIENT, .name = r->tr.proc[0] };
        happen(r);
        err = wire(r);
    }
    if (err == 0) {
        err = ho_trace_merge(&r->tr, to);
    }
    return err != 0 ? err : r->tr.err;
}

static void clean(struct play_rig *r)
{
    ho_play_fds_free(&r->app);
    ho_trace_destroy(&r->tr);
    ho_timeline_destroy(&r->tl);
}

static void every_allocation_may_fail(void **state)
{
    struct play_rig r;
    struct ho_timeline to;
    bool happened = true;

    (void)state;
    for (size_t n = 1; happened; n++) {
        play_rig_plan(&r);
        r.node[2] = (struct ho_plan_node){ .kind = HO_NODE_SWITCH, .name = "sw" };
        r.node[3] = (struct ho_plan_node){ .kind = HO_NODE_MIDDLEBOX, .name = "nat" };
        r.cable[1] = (struct ho_plan_cable){ .name = "x", .a = CLIENT, .a_port = 1, .b = 2 };
        r.cable[2] = (struct ho_plan_cable){ .name = "y", .a = 2, .a_port = 1, .b = 3 };
        r.plan.node_count = 4;
        r.plan.cable_count = 3;
        ho_alloc_fail_nth(n);
        int err = job(&r, &to);

        happened = ho_alloc_fail_happened();
        ho_alloc_fail_off();
        assert_int_equal(err, happened ? -ENOMEM : 0);
        if (!happened) {
            assert_int_equal(to.n, 3);
            assert_string_equal(to.rec[0].conn, "db");
            assert_int_equal(to.rec[0].frame_len, r.len);
        }
        clean(&r);
        ho_timeline_destroy(&to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation_may_fail) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
