/* A scan without memory: each allocation made to fail in turn is -ENOMEM, with nothing left: no
 * memory, no descriptor, no thread.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "doctor/scan.h"
#include "os/why.h"
#include "support/alloc_fail.h"
#include "support/in_room.h"
#include "support/scan_stage.h"

#define FAILURES_MAX 200

/* AddressSanitizer's count of what is allocated; not there without it. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void)
{
    return __sanitizer_get_current_allocated_bytes != NULL
               ? __sanitizer_get_current_allocated_bytes()
               : 0;
}

static size_t open_descriptors(void)
{
    size_t n = 0;

    for (int fd = 0; fd < 1024; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    return n;
}

static int fail_each(void *arg)
{
    const struct ho_scan_options o = { .all_namespaces = true };
    struct stage_pair p = stage_new_pair(*(bool *)arg);
    char why[HO_OS_WHY];
    struct ho_scan first = stage_scan(&o); /* what libc keeps for good is there from now on */

    ho_scan_free(&first);
    size_t n = 1, before = allocated(), open = open_descriptors();

    for (;; n++) {
        struct ho_scan s;

        why[0] = '\0';
        ho_alloc_fail_nth(n);
        int err = ho_scan(&s, &o, why);

        if (!ho_alloc_fail_happened()) {
            ho_alloc_fail_off();
            ROOM_CHECK(err == 0 && s.n_conns == 2 && stage_find(&s, p.client) != NULL);
            ho_scan_free(&s);
            break;
        }
        ho_alloc_fail_off();
        if (err != -ENOMEM) {
            (void)fprintf(stderr, "allocation %zu: %d\n", n, err);
        }
        ROOM_CHECK(err == -ENOMEM && why[0] != '\0' && n < FAILURES_MAX);
        ROOM_CHECK(allocated() == before);
        ROOM_CHECK(open_descriptors() == open);
    }
    ROOM_CHECK(n > 10);
    return 0;
}

static void each_failure_is_told_and_leaves_nothing(void **state)
{
    (void)state;
    stage_everywhere(fail_each);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_is_told_and_leaves_nothing),
    };

    if (!in_room_allowed(IN_ROOM_ROOT) || !in_room_allowed(IN_ROOM_USER)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
