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

#include "base/clk.h"
#include "base/rng.h"
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

static void starts_and_ends(const char *text, const char *start, const char *end)
{
    if (strncmp(text, start, strlen(start)) != 0 || strlen(text) < strlen(end) ||
        strcmp(text + strlen(text) - strlen(end), end) != 0) {
        fail_msg("'%s' is not '%s..%s'", text, start, end);
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
    assert_string_equal(ho_text_str(&t), "unknown (needs same uid or "
                                         "CAP_SYS_PTRACE+CAP_DAC_READ_SEARCH)");
    ho_text_free(&t);
}

/* ---- the same as predict's ------------------------------------------------------------------- */

/* What forecast/range.h finds exactly is held, and not much more: `more_ns` at either end. */
static void same_as_predicted(const struct ho_conn *c, const struct ho_conn_host *h,
                              enum ho_predict_activity activity, const struct ho_outlook_answer *a,
                              int64_t more_ns)
{
    struct ho_predict_in in;
    struct ho_prediction p;

    ho_conn_predict_in(c, h, &in);
    assert_int_equal(ho_predict(&in, HO_FAULT_CUT, activity, &p), 0);
    assert_int_equal(a->kind == HO_OUTLOOK_WITHIN, p.outcome == HO_PREDICT_WITHIN);
    /* of what ARP decides both are outer bounds, and neither need hold the other */
    int64_t less_ns = p.outcome == HO_PREDICT_WITHIN ? more_ns : 0;

    if (a->min_ns > p.min_ns + less_ns || a->max_ns < p.max_ns - less_ns ||
        a->min_ns < p.min_ns - more_ns || a->max_ns > p.max_ns + more_ns) {
        fail_msg(
            "said %.3f to %.3f s, predicted %.3f to %.3f s: hz %u, user timeout %d ms, keepalive "
            "%d/%d/%d, tcp_retries2 %d, rto %u us",
            (double)a->min_ns / 1e9, (double)a->max_ns / 1e9, (double)p.min_ns / 1e9,
            (double)p.max_ns / 1e9, h->hz, (int)c->user_timeout_ms, (int)c->keepidle_s,
            (int)c->keepintvl_s, (int)c->keepcnt, (int)h->sysctls.v[HO_SYSCTL_TCP_RETRIES2],
            c->rto_us);
    }
    assert_int_equal(a->err, p.err);
    assert_int_equal(a->other_err, p.other_err);
    assert_int_equal(a->knob, p.knob);
}

static int64_t drawn(struct ho_rng *rng, int64_t least, int64_t most)
{
    return least + (int64_t)ho_rng_below(rng, (uint64_t)(most - least) + 1);
}

/* The granule of the longest timer on the way, twice. */
static int64_t two_granules(uint32_t hz, int64_t longest_ns)
{
    struct ho_clk k = { .hz = hz };
    uint64_t step = ho_wheel_step(ho_clk_dur_jiffies(&k, ho_ns(longest_ns)) + 1);

    return 2 * ho_clk_jiffies_dur(&k, step + 1).ns;
}

static void what_is_said_is_what_predict_says(void **state)
{
    static const uint32_t hz[] = { 100, 250, 300, 1000 };
    struct ho_rng rng;

    (void)state;
    ho_rng_init(&rng, 1, 0);
    for (int i = 0; i < 400; i++) {
        struct ho_conn_host h = host();
        struct ho_conn c = conn();
        struct ho_outlook o;

        h.hz = hz[ho_rng_below(&rng, 4)];
        h.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = drawn(&rng, 0, 16);
        c.keepalive = true;
        c.on_link = ho_rng_below(&rng, 3) == 0;
        c.keepidle_s = drawn(&rng, 1, 300);
        c.keepintvl_s = drawn(&rng, 1, c.keepidle_s);
        c.keepcnt = drawn(&rng, 1, 12);
        c.user_timeout_ms = ho_rng_below(&rng, 3) == 0 ? drawn(&rng, 100, 100000) : 0;
        c.rto_us = (uint32_t)(drawn(&rng, 51, 150) * 4000);
        ho_outlook(&c, &h, &o);
        int64_t longest = o.busy.max_ns < 120 * S ? o.busy.max_ns : 120 * S;

        same_as_predicted(&c, &h, HO_ACTIVITY_DATA, &o.busy, two_granules(h.hz, longest));
        /* predict's timer was armed by the last segment; when this one was is not known, which may
         * decide whether a probe is the last before the user timeout */
        same_as_predicted(&c, &h, HO_ACTIVITY_KEEPALIVE, &o.idle,
                          two_granules(h.hz, c.keepidle_s * S) +
                              (c.user_timeout_ms > 0 ? c.keepintvl_s * S : 0));
    }
}

/* ---- states ---------------------------------------------------------------------------------- */

static void each_state_has_its_questions(void **state)
{
    static const struct {
        enum ho_tcp_state state;
        bool orphan;
        enum ho_outlook_kind idle, busy;
    } rows[] = {
        { HO_TCP_ESTABLISHED, false, HO_OUTLOOK_NEVER, HO_OUTLOOK_RANGE },
        { HO_TCP_CLOSE_WAIT, false, HO_OUTLOOK_NEVER, HO_OUTLOOK_RANGE },
        { HO_TCP_FIN_WAIT2, false, HO_OUTLOOK_NEVER, HO_OUTLOOK_NONE },
        { HO_TCP_FIN_WAIT1, true, HO_OUTLOOK_NONE, HO_OUTLOOK_RANGE },
        { HO_TCP_CLOSING, true, HO_OUTLOOK_NONE, HO_OUTLOOK_RANGE },
        { HO_TCP_LAST_ACK, true, HO_OUTLOOK_NONE, HO_OUTLOOK_RANGE },
        { HO_TCP_SYN_SENT, false, HO_OUTLOOK_NONE, HO_OUTLOOK_RANGE },
        { HO_TCP_SYN_RECV, false, HO_OUTLOOK_NONE, HO_OUTLOOK_NONE },
        { HO_TCP_TIME_WAIT, false, HO_OUTLOOK_NONE, HO_OUTLOOK_NONE },
        { HO_TCP_LISTEN, false, HO_OUTLOOK_NONE, HO_OUTLOOK_NONE },
        { HO_TCP_CLOSE, false, HO_OUTLOOK_NONE, HO_OUTLOOK_NONE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ho_conn_host h = host();
        struct ho_conn c = conn();
        struct ho_outlook o;

        c.state = (uint8_t)rows[i].state;
        c.orphan = rows[i].orphan;
        ho_outlook(&c, &h, &o);
        if (o.idle.kind != rows[i].idle || o.busy.kind != rows[i].busy) {
            fail_msg("%s: idle %s, busy %s", ho_tcp_state_name(rows[i].state),
                     ho_outlook_kind_word(o.idle.kind), ho_outlook_kind_word(o.busy.kind));
        }
    }
}

static void an_orphan_ends_without_telling(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_outlook o;

    (void)state;
    c.state = HO_TCP_FIN_WAIT1;
    c.orphan = true;
    c.options_known = c.keepalive_known = HO_KNOWN_UNKNOWN;
    ho_outlook(&c, &h, &o);
    holds(&o.busy, 107300 * MS); /* B 15: tcp_orphan_retries 0 means 8 */
    assert_int_equal(o.busy.err, 0);
    assert_int_equal(o.busy.knob, HO_PREDICT_KNOB_ORPHAN);
    h.sysctls.v[HO_SYSCTL_TCP_ORPHAN_RETRIES] = 2;
    ho_outlook(&c, &h, &o);
    holds(&o.busy, 3340 * MS); /* A3, N=2 */
}

static void connect_ends_as_measured(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_outlook o;

    (void)state;
    c.state = HO_TCP_SYN_SENT;
    ho_outlook(&c, &h, &o);
    holds(&o.busy, 134900 * MS); /* B 10 */
    c.user_timeout_ms = 10000;
    ho_outlook(&c, &h, &o);
    holds(&o.busy, 10250 * MS);
    c.on_link = true; /* nobody answers ARP: 3.05 s */
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.busy.kind, HO_OUTLOOK_WITHIN);
    holds(&o.busy, 3050 * MS);
    assert_int_equal(o.busy.other_err, EHOSTUNREACH);
}

/* B 11: SYN-ACK at 0, 1.01, 3.03, 7.1, 15.3, 31.4, gone at 64 s. */
static void a_request_is_given_up(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = {
        .state = HO_TCP_SYN_RECV, .timer = HO_SOCK_TIMER_ON, .retrans = 2, .expires_ms = 4000
    };
    struct ho_outlook o;

    (void)state;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.trouble, HO_TROUBLE_ACCEPTING);
    assert_int_equal(o.end.kind, HO_OUTLOOK_WITHIN);
    holds(&o.end, (64000 - 3030) * MS);
    assert_in_range(o.since_ns, 2900 * MS, 3030 * MS);
}

static void fin_wait2_without_a_process_ends(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = { .state = HO_TCP_FIN_WAIT2,
                         .timer = HO_SOCK_TIMER_TIMEWAIT,
                         .orphan = true,
                         .expires_ms = 20000 };
    struct ho_outlook o;

    (void)state;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.trouble, HO_TROUBLE_CLOSING);
    holds(&o.end, 20 * S);
    holds(&o.end, 22 * S);
    assert_true(o.end.max_ns < 23 * S);
    assert_int_equal(o.idle.kind, HO_OUTLOOK_NONE);
}

static void on_one_machine_only_processes_die(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_text t = { 0 };
    struct ho_outlook o;

    (void)state;
    c.loopback = true;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.idle.kind, HO_OUTLOOK_NONE);
    assert_int_equal(o.busy.kind, HO_OUTLOOK_NONE);
    ho_outlook_put_idle(&t, &o, &c, &h);
    assert_non_null(strstr(ho_text_str(&t), "told at once"));
    ho_text_free(&t);
}

/* ---- trouble --------------------------------------------------------------------------------- */

/* A3, N=15 on the LAN: sends at 0, .206, .414 (R1), .838, 1.67, 3.33, 6.76, 13.4, 26.7, 53.1, ...,
 * death 937.8. Looked at 30 s after the send: R7 was at 26.7, its timer runs to 53.1.
 */
static void retransmission_is_seen_from_its_middle(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_text t = { 0 };
    struct ho_outlook o;

    (void)state;
    c.timer = HO_SOCK_TIMER_ON;
    c.retrans = c.backoff = 7;
    c.rto_us = UINT32_C(204000) << 7;
    c.expires_ms = 22812; /* 26.7 + 26.112 - 30 */
    c.unacked = 1;
    c.last_data_sent_ms = 3300;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.trouble, HO_TROUBLE_RETRANSMITTING);
    assert_int_equal(o.attempt, 7);
    holds(&o.end, (937800 - 30000) * MS);
    assert_int_equal(o.end.err, ETIMEDOUT);
    assert_true(o.end.max_ns - o.end.min_ns < 6 * S);
    assert_in_range(o.since_ns, 28 * S, 29586 * MS);
    ho_outlook_put_trouble(&t, &o);
    starts_and_ends(ho_text_str(&t), "retransmitting for 29 s, attempt 7; ends in 15 min ",
                    " s with ETIMEDOUT");
    ho_text_free(&t);
}

static void without_the_options_the_end_is_unknown(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_outlook o;

    (void)state;
    c.timer = HO_SOCK_TIMER_ON;
    c.retrans = c.backoff = 3;
    c.rto_us = UINT32_C(204000) << 3;
    c.expires_ms = 1000;
    c.options_known = HO_KNOWN_UNKNOWN;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.trouble, HO_TROUBLE_RETRANSMITTING);
    assert_int_equal(o.end.kind, HO_OUTLOOK_UNKNOWN);
    assert_in_range(o.since_ns, 400 * MS + 800 * MS, 1300 * MS);
}

/* The kernel's own count tells it where the timeout was cut to tcp_rto_max_ms. */
static void the_time_spent_repeating_tells_the_end(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_outlook without, with;

    (void)state;
    c.timer = HO_SOCK_TIMER_ON;
    c.retrans = c.backoff = 11; /* at 333.7 s, the next at 454.5 */
    c.rto_us = 120000000;
    c.expires_ms = 100000;
    c.unacked = 1;
    c.last_data_sent_ms = 20500;
    ho_outlook(&c, &h, &without);
    c.rto_time_known = true;
    c.rto_recoveries = 1;
    c.rto_time_ms = 333700 + 20500 - 414;
    ho_outlook(&c, &h, &with);
    holds(&without.end, (937800 - 354200) * MS);
    holds(&with.end, (937800 - 354200) * MS);
    assert_true(with.end.max_ns - with.end.min_ns < 5 * S);
    assert_true(without.end.max_ns - without.end.min_ns > 60 * S);
    assert_int_equal(with.since_ns, (int64_t)c.rto_time_ms * MS);
}

static void a_peer_that_answers_probes_of_its_window_lives(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_outlook o;

    (void)state;
    c.timer = HO_SOCK_TIMER_PROBE;
    c.backoff = 6;
    c.expires_ms = 5000;
    c.last_data_sent_ms = 30000;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.trouble, HO_TROUBLE_WINDOW_PROBING);
    assert_int_equal(o.end.kind, HO_OUTLOOK_NEVER);
    c.user_timeout_ms = 60000; /* B 9: killed all the same */
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.end.kind, HO_OUTLOOK_WITHIN);
    c.user_timeout_ms = 0;
    c.retrans = 2;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.end.kind, HO_OUTLOOK_RANGE);
    assert_int_equal(o.end.err, ETIMEDOUT);
}

static void nonsense_is_unknown(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_text t = { 0 };
    struct ho_outlook o;

    (void)state;
    c.keepalive = true;
    c.keepidle_s = 0;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.idle.kind, HO_OUTLOOK_UNKNOWN);
    ho_outlook_put_idle(&t, &o, &c, &h);
    assert_string_equal(ho_text_str(&t), "unknown (what the kernel says makes no sense)");
    ho_text_free(&t);
    c = conn();
    c.rto_us = 0;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.busy.kind, HO_OUTLOOK_UNKNOWN);
    c = conn();
    h.hz = 100000;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.idle.kind, HO_OUTLOOK_UNKNOWN);
}

static void busy_is_written_with_its_timeout(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_text t = { 0 };
    struct ho_outlook o;

    (void)state;
    ho_outlook(&c, &h, &o);
    ho_outlook_put_busy(&t, &o, &c, &h);
    starts_and_ends(ho_text_str(&t), "15 min 37 s to 15 min ",
                    " s (tcp_retries2 15, RTO now 204 ms)");
    ho_text_clear(&t);
    c.user_timeout_ms = 3000;
    c.timer = HO_SOCK_TIMER_ON; /* of something sent before, which is repeated */
    c.retrans = c.backoff = 2;
    c.rto_us = 816000;
    ho_outlook(&c, &h, &o);
    ho_outlook_put_busy(&t, &o, &c, &h);
    assert_non_null(strstr(ho_text_str(&t), "(TCP_USER_TIMEOUT 3000 ms, RTO now 204 ms)"));
    holds(&o.busy, 3428 * MS); /* B 9 */
    ho_text_free(&t);
}

/* Seen on Linux 6.18 after 75.3 s: the timeout had grown since the first probes, so that doubling
 * it says more than what passed. Data was last sent before the window closed.
 */
static void a_window_is_not_closed_for_longer_than_data_was_sent(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_outlook o;

    (void)state;
    c.timer = HO_SOCK_TIMER_PROBE;
    c.backoff = 8;
    c.rto_us = 208000;
    c.rtt_us = 6734;
    c.expires_ms = 32492;
    c.wqueue = c.notsent_bytes = 389936;
    c.last_data_sent_ms = 74896;
    c.last_data_recv_ms = 75260;
    c.last_ack_recv_ms = 20756;
    c.snd_wnd_known = true;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.trouble, HO_TROUBLE_WINDOW_PROBING);
    assert_true(o.since_ns <= 74896 * MS && o.since_ns > 60000 * MS);
}

/* A later send would begin with the timeout as it was before repeats doubled it; where that was cut
 * to tcp_rto_max_ms it is only bounded, and probes of a closed window do not double it.
 */
static void busy_begins_with_the_timeout_before_it_was_doubled(void **state)
{
    struct ho_conn_host h = host();
    struct ho_conn c = conn();
    struct ho_outlook o;

    (void)state;
    c.timer = HO_SOCK_TIMER_ON;
    c.retrans = c.backoff = 5;
    c.rto_us = UINT32_C(204000) << 5;
    c.expires_ms = 1000;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.busy.kind, HO_OUTLOOK_RANGE);
    holds(&o.busy, 937800 * MS); /* A3, N=15 on the LAN */
    c.retrans = c.backoff = 12;
    c.rto_us = 120000000;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.busy.kind, HO_OUTLOOK_WITHIN);
    holds(&o.busy, 937800 * MS);
    holds(&o.busy, 983900 * MS); /* A3, N=15 on the WAN, with an RTO of 520 ms */
    c = conn();
    c.timer = HO_SOCK_TIMER_PROBE;
    c.backoff = 5;
    ho_outlook(&c, &h, &o);
    assert_int_equal(o.busy.kind, HO_OUTLOOK_RANGE);
    holds(&o.busy, 937800 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_keepalive_it_never_notices),
        cmocka_unit_test(the_default_keepalive_takes_two_hours),
        cmocka_unit_test(busy_it_dies_as_measured),
        cmocka_unit_test(what_cannot_be_read_is_unknown),
        cmocka_unit_test(what_is_said_is_what_predict_says),
        cmocka_unit_test(each_state_has_its_questions),
        cmocka_unit_test(an_orphan_ends_without_telling),
        cmocka_unit_test(connect_ends_as_measured),
        cmocka_unit_test(a_request_is_given_up),
        cmocka_unit_test(fin_wait2_without_a_process_ends),
        cmocka_unit_test(on_one_machine_only_processes_die),
        cmocka_unit_test(retransmission_is_seen_from_its_middle),
        cmocka_unit_test(without_the_options_the_end_is_unknown),
        cmocka_unit_test(the_time_spent_repeating_tells_the_end),
        cmocka_unit_test(a_peer_that_answers_probes_of_its_window_lives),
        cmocka_unit_test(a_window_is_not_closed_for_longer_than_data_was_sent),
        cmocka_unit_test(nonsense_is_unknown),
        cmocka_unit_test(busy_is_written_with_its_timeout),
        cmocka_unit_test(busy_begins_with_the_timeout_before_it_was_doubled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
