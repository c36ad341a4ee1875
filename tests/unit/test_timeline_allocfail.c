/* src/timeline/ when there is no memory: every view says so, and nothing is leaked. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/alloc_fail.h"
#include "timeline/basis.h"
#include "timeline/compare.h"
#include "timeline/jsonl.h"
#include "timeline/ladder.h"
#include "timeline/pcapng.h"
#include "timeline/verdict.h"
#include "timeline_make.h"

/* A cut with data in flight, folds, an ICMP to itself and a long text at a side. */
static void make_story(struct ho_timeline *tl)
{
    static const uint8_t frame[60];

    ho_timeline_init(tl, 0);
    tl->keep_frames = true;
    make_setting(tl, 0, "sysctl", "server", "", "net.ipv4.tcp_retries2", 3);
    make_established(tl);
    make_fault(tl, 1000, "", "cut", "lan");
    for (int i = 0; i < 12; i++) {
        make_seg(tl, 1010 + 200 * i, "server", "PA", 1, 1, 1000, HO_FATE_CUT);
    }
    struct ho_record last = tl->rec[tl->n - 1];
    if (ho_timeline_append_frame(tl, &last, frame, sizeof(frame)) != 0) {
        abort();
    }
    make_sock(tl, 3424, "server", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    make(tl, 17600,
         (struct ho_record){ .kind = HO_REC_ICMP,
                             .host = "server",
                             .conn = "db",
                             .u.icmp = { .to = "server", .what = "host-unreachable" } });
    make_sock(tl, 17650, "server", "CLOSED", HO_SOCK_TIMER_OFF, "EHOSTUNREACH");
    make_call(tl, 17650, "server", "recv", -1, "EHOSTUNREACH");
    make_call(tl, 17650, "server", "send", -1, "EPIPE");
}

static int job_jsonl(const struct ho_timeline *tl)
{
    struct ho_timeline again;
    struct ho_text out = { 0 };

    ho_jsonl_write(&out, tl, HO_JSONL_RAW);
    int err = ho_text_err(&out);
    ho_timeline_init(&again, 0);
    if (err == 0) {
        err = ho_jsonl_read(&again, ho_text_str(&out), out.len, NULL);
    }
    ho_timeline_destroy(&again);
    ho_text_free(&out);
    return err;
}

static int job_pcapng(const struct ho_timeline *tl)
{
    struct ho_text out = { 0 };
    int err = ho_pcapng_write(&out, tl, 0);

    ho_text_free(&out);
    return err;
}

static int job_ladder(const struct ho_timeline *tl)
{
    const struct ho_ladder_opts opts = { 0 };
    struct ho_text out = { 0 };
    int err = ho_ladder_write(&out, tl, &opts);

    ho_text_free(&out);
    return err;
}

static int job_verdicts(const struct ho_timeline *tl)
{
    struct ho_verdicts v = { 0 };
    struct ho_basis basis;
    struct ho_text out = { 0 };
    int err = ho_verdicts_make(tl, NULL, &v);

    if (err == 0) {
        ho_verdicts_table(&out, &v, tl, "story", 250);
        ho_verdicts_json(&out, &v);
        err = ho_text_err(&out);
    }
    if (err == 0) {
        err = ho_verdict_basis(tl, &v, ho_verdicts_find(&v, "server", NULL, "db"), &basis);
    }
    ho_text_free(&out);
    ho_verdicts_free(&v);
    return err;
}

static int job_compare(const struct ho_timeline *tl)
{
    const struct ho_compare_opts opts = { .by_interval = true };
    struct ho_comparison c = { 0 };
    struct ho_text out = { 0 };
    int err = ho_compare(tl, tl, &opts, &c);

    if (err == 0) {
        ho_comparison_text(&out, &c, "a", "b", false);
        err = ho_text_err(&out);
    }
    ho_text_free(&out);
    ho_comparison_free(&c);
    return err;
}

static void each_allocation_fails_once(int (*job)(const struct ho_timeline *tl))
{
    struct ho_timeline tl;

    make_story(&tl);
    for (size_t n = 1;; n++) {
        ho_alloc_fail_nth(n);
        int err = job(&tl);
        bool failed = ho_alloc_fail_happened();
        ho_alloc_fail_off();
        assert_int_equal(err, failed ? -ENOMEM : 0);
        if (!failed) {
            assert_true(n > 1);
            break;
        }
    }
    ho_timeline_destroy(&tl);
}

static void json_lines_without_memory(void **state)
{
    (void)state;
    each_allocation_fails_once(job_jsonl);
}

static void a_capture_without_memory(void **state)
{
    (void)state;
    each_allocation_fails_once(job_pcapng);
}

static void a_ladder_without_memory(void **state)
{
    (void)state;
    each_allocation_fails_once(job_ladder);
}

static void verdicts_without_memory(void **state)
{
    (void)state;
    each_allocation_fails_once(job_verdicts);
}

static void a_comparison_without_memory(void **state)
{
    (void)state;
    each_allocation_fails_once(job_compare);
}

static void appending_without_memory_leaves_the_timeline_as_it_was(void **state)
{
    (void)state;
    struct ho_timeline tl;
    const struct ho_record note = { .kind = HO_REC_NOTE, .u.note = { "n" } };

    ho_timeline_init(&tl, 0);
    ho_alloc_fail_nth(1);
    assert_int_equal(ho_timeline_append(&tl, &note), -ENOMEM);
    assert_int_equal(tl.n, 0);
    for (size_t n = 1; n <= 3; n++) { /* the table, its slots, the block of text */
        ho_alloc_fail_nth(n);
        assert_null(ho_timeline_name(&tl, "server"));
        assert_true(ho_alloc_fail_happened());
        ho_timeline_destroy(&tl);
    }
    ho_alloc_fail_off();
    assert_int_equal(ho_timeline_append(&tl, &note), 0);
    assert_string_equal(ho_timeline_name(&tl, "server"), "server");
    ho_timeline_destroy(&tl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_lines_without_memory),
        cmocka_unit_test(a_capture_without_memory),
        cmocka_unit_test(a_ladder_without_memory),
        cmocka_unit_test(verdicts_without_memory),
        cmocka_unit_test(a_comparison_without_memory),
        cmocka_unit_test(appending_without_memory_leaves_the_timeline_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
