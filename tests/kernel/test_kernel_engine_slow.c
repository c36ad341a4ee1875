/* The kernel engine: deaths by timers of the real kernel, and an idle play that nobody wakes. The
 * figures are ground-truth's (A3, table rows 2, 3, 9 and 12); the machine may be late.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"
#include "support/kernel_play.h"
#include "timeline/compare.h"

#define PAIR                     \
    "neighbours static\n"        \
    "host client\nhost server\n" \
    "cable client -- server\n"   \
    "connection client -> server:7000\n"

/* ---- the same on the model
 * ----------------------------------------------------------------------- */

/* Plays the plan of `p` on the model, with the ticks that this kernel had. */
static void play_model(const struct kernel_play *p, struct ho_timeline *tl)
{
    const struct ho_record *j =
        ho_timeline_setting(&p->tl, p->tl.n - 1, "host", "client", "", "jiffies0");
    struct ho_run_error why = { .text = "" };
    struct ho_run_result result;
    struct ho_engine model;

    for (size_t i = 0; j != NULL && i < p->plan->node_count; i++) {
        p->plan->nodes[i].jiffies0 = (uint64_t)j->u.settings.value;
        p->plan->nodes[i].phase_ns =
            ho_timeline_setting(&p->tl, p->tl.n - 1, "host", "client", "", "phase_ns")
                ->u.settings.value;
    }
    ho_timeline_init(tl, 0);
    ROOM_CHECK(ho_model_new(&model) == 0);
    ROOM_CHECK(ho_run(&result, p->plan, &model, tl, &why) == 0);
    model.destroy(model.self);
    ho_run_result_free(&result);
}

/* The same segments, calls and states, each within 300 ms: what a busy machine is late by. */
static void agrees_with_the_model(struct kernel_play *p)
{
    struct ho_compare_opts opts = { .tolerance = { 300000000 },
                                    .kinds =
                                        HO_COMPARE_KIND(HO_REC_SEG) | HO_COMPARE_KIND(HO_REC_APP) };
    struct ho_comparison c;
    struct ho_timeline model;

    play_model(p, &model);
    ROOM_CHECK(ho_compare(&model, &p->tl, &opts, &c) == 0);
    if (c.first != c.n) {
        struct ho_text t = { 0 };

        ho_comparison_text(&t, &c, "model", "kernel", true);
        (void)fputs(ho_text_str(&t), stderr);
        ho_text_free(&t);
    }
    ROOM_CHECK(c.first == c.n);
    ho_comparison_free(&c);
    ho_timeline_destroy(&model);
}

/* ---- deaths
 * -------------------------------------------------------------------------------------- */

/* 6.65 s after the send with a round trip of 2 ms. When the round trip takes some 10 ms because the
 * machine is busy, the fourth timeout comes just after the 3 s of A3 have passed, not before.
 */
static void data_in_flight_retries2_3(void **state)
{
    (void)state;
    kernel_play_all(PAIR "set all net.ipv4.tcp_retries2 3\n"
                         "at 0.5s client send 100\n"
                         "at 1s cut\n"
                         "at 1.1s server send 1000\n"
                         "lasts 9s\n"
                         "expect server notices ETIMEDOUT between 3.2s and 7.4s after cut\n"
                         "expect server enters CLOSED between 3.2s and 7.4s after cut\n"
                         "expect server sends at-least 3 retransmission after cut\n"
                         "expect server sends at-most 4 retransmission after cut\n"
                         "expect server knob is tcp_retries2\n"
                         "expect client never notices\n",
                    NULL);
}

static void keepalive_1_1_2(void **state)
{
    (void)state;
    kernel_play_all("plays over ipv6\n" PAIR "option server SO_KEEPALIVE on\n"
                    "option server TCP_KEEPIDLE 1\n"
                    "option server TCP_KEEPINTVL 1\n"
                    "option server TCP_KEEPCNT 2\n"
                    "at 0.5s client send 100\n"
                    "at 0.7s cut\n"
                    "lasts 5.5s\n"
                    "expect server notices ETIMEDOUT between 2.5s and 4.5s after cut\n"
                    "expect server sends exactly 2 keepalive-probe after cut\n"
                    "expect server sends exactly 1 RST after cut\n"
                    "expect client stays ESTABLISHED\n",
                    agrees_with_the_model);
}

static void user_timeout_2_s(void **state)
{
    (void)state;
    kernel_play_all(PAIR "option server TCP_USER_TIMEOUT 2s\n"
                         "at 0.5s cut\n"
                         "at 0.6s server send 1000\n"
                         "lasts 5s\n"
                         "expect server notices ETIMEDOUT between 2s and 3.9s after cut\n",
                    NULL);
}

static void a_zero_window_is_probed(void **state)
{
    (void)state;
    kernel_play_all(PAIR "set client net.ipv4.tcp_rmem 4096 8192 16384\n"
                         "at 0.2s client stop reading\n"
                         "at 0.3s server send until blocked\n"
                         "at 2.5s client resume reading\n"
                         "lasts 4.5s\n"
                         "expect server sends at-least 2 window-probe between 0.5s and 2.7s\n"
                         "expect the stream arrives whole\n",
                    NULL);
}

/* A failed neighbour: three requests, then EHOSTUNREACH in connect(). */
static void nobody_is_at_the_address(void **state)
{
    (void)state;
    kernel_play_all("host client\nhost server\ncable client -- server\n"
                    "at 0.1s cut\n"
                    "at 0.2s client connect server:80\n"
                    "lasts 4.5s\n"
                    "expect client connect fails with EHOSTUNREACH between 3s and 4.2s\n"
                    "expect client sends exactly 3 ARP after cut\n"
                    "expect client sends ICMP\n",
                    NULL);
}

/* A death in the queue of the host itself shows in no frame: the sample after the timer does. */
static void a_death_without_a_frame_is_seen(void **state)
{
    (void)state;
    kernel_play_all(PAIR "set all net.ipv4.tcp_retries2 2\n"
                         "at 0.3s client stop\n"
                         "at 0.5s unplug client\n"
                         "at 0.5s cut\n"
                         "at 0.6s server send 100\n"
                         "at 0.6s server stop\n"
                         "lasts 6s\n"
                         "expect server enters CLOSED between 1.5s and 5s after cut\n",
                    NULL);
}

/* ---- nothing to do
 * --------------------------------------------------------------------------------- */

static int idle(const struct kernel_form *form)
{
    struct kernel_play p;
    const struct ho_kernel *k;
    uint64_t before;

    kernel_plan(&p, PAIR "option server SO_KEEPALIVE on\noption client SO_KEEPALIVE on\nlasts 4s\n",
                form);
    k = ho_kernel_of(&p.engine);
    ROOM_CHECK(kernel_run(&p) == 0);
    before = ho_kernel_wakeups(k);
    ROOM_CHECK(p.engine.run_until(p.engine.self, (struct ho_time){ 10 * HO_NS_PER_S }) == 0);
    /* The end of the time to run; nothing else within 6 s, and nothing is due in an hour. */
    ROOM_CHECK(ho_kernel_wakeups(k) - before <= 1);
    ROOM_CHECK(ho_kernel_deadline(k).ns > 3600 * HO_NS_PER_S);
    kernel_play_free(&p);
    return 0;
}

static void nothing_wakes_an_idle_play(void **state)
{
    (void)state;
    kernel_body_all(idle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_in_flight_retries2_3),
        cmocka_unit_test(keepalive_1_1_2),
        cmocka_unit_test(user_timeout_2_s),
        cmocka_unit_test(a_zero_window_is_probed),
        cmocka_unit_test(nobody_is_at_the_address),
        cmocka_unit_test(a_death_without_a_frame_is_seen),
        cmocka_unit_test(nothing_wakes_an_idle_play),
    };

    if (!kernel_play_allowed()) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
