/* A diagnosis and its forms when there is no memory: -ENOMEM, nothing lost, nothing half-made. */

#include "doctor/report.h"

#include <errno.h>
#include <string.h>

/* cmocka needs these four before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/alloc_fail.h"

#define CONNS 200

static struct ho_conn_host host;
static struct ho_conn_owner owners[CONNS];
static struct ho_conn conns[CONNS];
static struct ho_scan scan;

/* Each has a process of its own, so that there are as many groups, findings and series. */
static int make(void **state)
{
    (void)state;
    ho_sysctls_init(&host.sysctls);
    host.hz = 250;
    for (unsigned i = 0; i < CONNS; i++) {
        owners[i].pid = (int32_t)i + 1;
        owners[i].name[0] = (char)('a' + i % 26);
        owners[i].name[1] = (char)('a' + i / 26);
        conns[i] = (struct ho_conn){ .local = ho_addr_v4(10, 0, 0, 1),
                                     .remote = ho_addr_v4(10, 0, 0, 2),
                                     .lport = 80,
                                     .rport = (uint16_t)(40000 + i),
                                     .owner = i,
                                     .inode = i + 1,
                                     .state = HO_TCP_ESTABLISHED,
                                     .has_info = true,
                                     .rto_us = 204000,
                                     .keepalive_known = HO_KNOWN_READ };
    }
    scan = (struct ho_scan){ .hosts = &host,
                             .n_hosts = 1,
                             .owners = owners,
                             .n_owners = CONNS,
                             .conns = conns,
                             .n_conns = CONNS,
                             .n_unreadable = 1 };
    return 0;
}

static void a_diagnosis_without_memory_leaves_nothing(void **state)
{
    const struct ho_finding_rules rules = { 0 };
    size_t n = 1;

    (void)state;
    for (;; n++) {
        struct ho_diagnosis d, untouched;

        memset(&d, 0x5a, sizeof(d));
        memcpy(&untouched, &d, sizeof(d));
        ho_alloc_fail_nth(n);
        int err = ho_diagnose(&d, &scan, &rules);
        bool failed = ho_alloc_fail_happened();

        ho_alloc_fail_off();
        if (!failed) {
            assert_int_equal(err, 0);
            ho_diagnosis_free(&d);
            break;
        }
        assert_int_equal(err, -ENOMEM);
        assert_memory_equal(&d, &untouched, sizeof(d));
    }
    assert_true(n > 8);
}

static void each_form_without_memory_says_so(void **state)
{
    const struct ho_finding_rules rules = { 0 };
    const struct ho_report_options o = { .all = true };
    struct ho_diagnosis d;

    (void)state;
    assert_int_equal(ho_diagnose(&d, &scan, &rules), 0);
    for (int form = 0; form < HO_REPORT_FORM_COUNT; form++) {
        bool failed = true;

        for (size_t n = 1; failed; n += 1 + n / 4) { /* some have thousands */
            struct ho_text out = { 0 };

            ho_alloc_fail_nth(n);
            ho_report(&out, (enum ho_report_form)form, &d, &o);
            failed = ho_alloc_fail_happened();
            ho_alloc_fail_off();
            assert_int_equal(ho_text_err(&out), failed ? -ENOMEM : 0);
            ho_text_free(&out);
        }
    }
    ho_diagnosis_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_diagnosis_without_memory_leaves_nothing),
        cmocka_unit_test(each_form_without_memory_says_so),
    };

    return cmocka_run_group_tests(tests, make, NULL);
}
