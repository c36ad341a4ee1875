/* What a connection of a running machine would do: known cases, whose times are the ground truth's
 * (A3, B 2, B 9, B 10) or follow from its rules by hand.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "forecast/outlook.h"

#define S HO_NS_PER_S
#define MS INT64_C(1000000)

static struct ho_conn_host host(void)
{
    struct ho_conn_host h = { .netns = 1, .here = true, .hz = 250 };

    ho_sysctls_init(&h.sysctls);
    return h;
}

/* ESTABLISHED behind a router, everything known, keepalive off, idle for a second. */
static struct ho_conn conn(void)
{
    return (struct ho_conn){
        .local = ho_addr_v4(10, 0, 0, 1),
        .remote = ho_addr_v4(10, 1, 0, 2),
        .lport = 40000,
        .rport = 5432,
        .inode = 7,
        .state = HO_TCP_ESTABLISHED,
        .has_info = true,
        .rto_us = 204000,
        .rtt_us = 2000,
        .last_data_sent_ms = 1000,
        .last_data_recv_ms = 1000,
        .last_ack_recv_ms = 1000,
        .keepalive_known = HO_KNOWN_READ,
        .options_known = HO_KNOWN_READ,
        .keepidle_s = 7200,
        .keepintvl_s = 75,
        .keepcnt = 9,
        .linger_known = HO_KNOWN_READ,
    };
}

static void holds(const struct ho_outlook_answer *a, int64_t ns)
{
    if (a->min_ns > ns || a->max_ns < ns) {
        fail_msg("%.3f to %.3f s does not hold %.3f s", (double)a->min_ns / 1e9,
                 (double)a->max_ns / 1e9, (double)ns / 1e9);
    }
}

static void without_keepalive_it_never_notices(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_outlook o;

    (void)state;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.idle.kind, HO_OUTLOOK_NEVER);
    assert_int_equal(o.trouble, HO_TROUBLE_NONE);
}

static void the_default_keepalive_takes_two_hours(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_text t = { 0 };
    struct ho_outlook o;

    (void)state;
    c.keepalive = true;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.idle.kind, HO_OUTLOOK_RANGE);
    assert_int_equal(o.idle.err, ETIMEDOUT);
    /* halfopen predict: 7883 to 8013 s */
    holds(&o.idle, 7884 * S);
    holds(&o.idle, 8012 * S);
    assert_in_range(o.idle.min_ns, 7875 * S, 7884 * S);
    assert_in_range(o.idle.max_ns, 8012 * S, 8017 * S);
    ho_outlook_put_idle(&t, &o, &c, &h);
    assert_string_equal(ho_text_str(&t), "2 h 11 min to 2 h 14 min (keepalive 7200/75/9, HZ 250)");
    ho_text_free(&t);
}

static void busy_it_dies_as_measured(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_outlook o;

    (void)state;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.busy.kind, HO_OUTLOOK_RANGE);
    holds(&o.busy, 937800 * MS); /* A3: N=15 on the LAN */
    assert_true(o.busy.max_ns - o.busy.min_ns < 4 * S);
    h.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = 5;
    ho_outlook(&c, &h, &o);
    holds(&o.busy, 13290 * MS);
}

static void what_cannot_be_read_is_unknown(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_text t = { 0 };
    struct ho_outlook o;

    (void)state;
    c.keepalive_known = c.options_known = HO_KNOWN_UNKNOWN;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.idle.kind, HO_OUTLOOK_UNKNOWN);
    assert_int_equal(o.busy.kind, HO_OUTLOOK_UNKNOWN);
    ho_outlook_put_idle(&t, &o, &c, &h);
    assert_string_equal(ho_text_str(&t), "unknown (needs same uid or CAP_SYS_PTRACE)");
    ho_text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_keepalive_it_never_notices),
        cmocka_unit_test(the_default_keepalive_takes_two_hours),
        cmocka_unit_test(busy_it_dies_as_measured),
        cmocka_unit_test(what_cannot_be_read_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
