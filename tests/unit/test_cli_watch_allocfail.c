/* The live table when there is no memory: an error, nothing leaked, the look of before still there.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/watch.h"
#include "support/alloc_fail.h"
#include "watch_make.h"

static struct made before, after;

static int make(void **state)
{
    (void)state;
    made_begin(&before);
    made_add(&before, "nginx", 80, 40000);
    made_trouble(&before, made_add(&before, "psql", 40002, 5432), HO_TROUBLE_RETRANSMITTING, 935, 1,
                 4, ETIMEDOUT);
    made_begin(&after);
    for (uint16_t i = 0; i < MADE_MAX; i++) {
        made_trouble(&after, made_add(&after, "curl", (uint16_t)(50000 + i), 443),
                     HO_TROUBLE_CONNECTING, 1, 60, 61, ETIMEDOUT);
    }
    return 0;
}

static void a_look_that_cannot_be_kept_changes_nothing(void **state)
{
    struct ho_watch_track t = { 0 };

    (void)state;
    assert_int_equal(ho_watch_track(&t, &before.d, (struct ho_time){ .ns = 0 }), 0);
    for (size_t n = 1;; n++) {
        ho_alloc_fail_nth(n);
        int err = ho_watch_track(&t, &after.d, (struct ho_time){ .ns = 5 * HO_NS_PER_S });
        bool failed = ho_alloc_fail_happened();

        ho_alloc_fail_off();
        if (!failed) {
            assert_int_equal(err, 0);
            assert_true(n > 5); /* events need more room twice */
            break;
        }
        assert_int_equal(err, -ENOMEM);
        assert_int_equal(t.n_conns, 2);
        assert_int_equal(t.n_events, 1);
        assert_int_equal(t.counts[HO_WATCH_NEW], 0);
    }
    assert_int_equal(t.counts[HO_WATCH_NEW], MADE_MAX);
    assert_int_equal(t.counts[HO_WATCH_GAVE_UP], 1);
    ho_watch_track_free(&t);
}

static void a_screen_is_drawn_or_it_is_enomem(void **state)
{
    static const struct ho_watch_head head = { .clock = "22:06:00",
                                               .interval = { .ns = 2000000000 } };
    struct ho_watch_log *log = calloc(1, sizeof(*log));
    struct ho_watch_view v = { .filter = "curl" };

    (void)state;
    for (int sort = 0; sort < HO_WATCH_SORT_COUNT; sort++) {
        v.sort = (enum ho_watch_sort)sort;
        for (size_t n = 1;; n++) {
            struct ho_watch_lines lines;

            ho_alloc_fail_nth(n);
            int err = ho_watch_order(&v, &after.d);

            if (err == 0) {
                err = ho_watch_draw(&lines, &v, &after.d, log, &head, 24, 80);
            }
            bool failed = ho_alloc_fail_happened();

            ho_alloc_fail_off();
            if (err == 0) {
                assert_false(failed);
                ho_watch_lines_free(&lines);
                break;
            }
            assert_true(failed);
            assert_int_equal(err, -ENOMEM);
        }
        assert_int_equal(v.n_order, MADE_MAX);
    }
    ho_watch_view_free(&v);
    free(log);
}

static void lines_and_metrics_know_that_they_are_not_whole(void **state)
{
    struct ho_watch_look l = { .d = after.d, .scan = after.scan, .looks = 1 };
    struct ho_watch_event e = { .change = HO_WATCH_NEW,
                                .trouble_ns = -1,
                                .state_before = HO_TCP_ESTABLISHED,
                                .conn.state = HO_TCP_ESTABLISHED };

    (void)state;
    l.d.scan = &l.scan;
    for (size_t n = 1;; n++) {
        struct ho_text t = { 0 };

        ho_alloc_fail_nth(n);
        ho_watch_put_scan(&t, &l);
        ho_watch_put_conn(&t, &l, 3);
        (void)strncpy(e.conn.name, "curl", sizeof(e.conn.name) - 1);
        ho_watch_put_change(&t, &l, &e);
        ho_watch_put_metrics(&t, &l);
        bool failed = ho_alloc_fail_happened();

        ho_alloc_fail_off();
        assert_int_equal(ho_text_err(&t), failed ? -ENOMEM : 0);
        ho_text_free(&t);
        if (!failed) {
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_look_that_cannot_be_kept_changes_nothing, make),
        cmocka_unit_test_setup(a_screen_is_drawn_or_it_is_enomem, make),
        cmocka_unit_test_setup(lines_and_metrics_know_that_they_are_not_whole, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
