/* The jiffy count that is measured is the kernel's (os/ticks.h): where the caller may read
 * /proc/timer_list it says the same, and two measurements agree about any instant.
 */

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/ticks.h"

static struct ho_time now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (struct ho_time){ (int64_t)t.tv_sec * HO_NS_PER_S + t.tv_nsec };
}

/* What the kernel says to root; 0 where it says nothing. */
static uint64_t count_of_timer_list(void)
{
    FILE *f = fopen("/proc/timer_list", "r");
    unsigned long long count = 0;
    char line[256];

    while (f != NULL && count == 0 && fgets(line, sizeof(line), f) != NULL) {
        sscanf(line, "jiffies: %llu", &count);
    }
    if (f != NULL) {
        fclose(f);
    }
    return count;
}

static void the_measured_count_is_the_kernels(void **state)
{
    struct ho_os_ticks j;
    int64_t phase_ns = 0;
    uint64_t before = 0, listed = 0, after;

    (void)state;
    assert_int_equal(ho_os_ticks_measure(&j), 0);
    assert_in_range(j.hz, 100, 1000);
    /* A processor that slept is told of the ticks it missed a little later, one whose hypervisor
     * let it wait when it runs again: the kernel's count may lag for a while, and never leads.
     */
    for (int i = 0; i < 1000; i++) {
        before = ho_os_ticks_at(&j, now(), &phase_ns);
        assert_in_range(phase_ns, 0, HO_NS_PER_S / j.hz - 1);
        listed = count_of_timer_list();
        after = ho_os_ticks_at(&j, now(), &phase_ns);
        if (listed == 0) {
            print_message("not compared with the kernel's own: /proc/timer_list is root's\n");
            return;
        }
        assert_true(listed <= after);
        if (listed + 3 >= before) {
            return;
        }
    }
    fail_msg("the kernel counts %llu, measured were %llu", (unsigned long long)listed,
             (unsigned long long)before);
}

static void two_measurements_agree(void **state)
{
    struct ho_os_ticks a, b;
    struct ho_time t;
    int64_t phase_ns = 0;
    uint64_t by_a, by_b;

    (void)state;
    assert_int_equal(ho_os_ticks_measure(&a), 0);
    assert_int_equal(ho_os_ticks_measure(&b), 0);
    /* The middle of a tick: the phases differ by how late each saw an edge. */
    t = (struct ho_time){ a.at.ns + 1000000 * (HO_NS_PER_S / a.hz) + HO_NS_PER_S / a.hz / 2 };
    by_a = ho_os_ticks_at(&a, t, &phase_ns);
    by_b = ho_os_ticks_at(&b, t, &phase_ns);
    assert_int_equal(by_a, by_b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_measured_count_is_the_kernels),
        cmocka_unit_test(two_measurements_agree),
    };

    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        fprintf(stderr, "skipped: no network namespace of one's own (unshare: errno %d)\n", errno);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
