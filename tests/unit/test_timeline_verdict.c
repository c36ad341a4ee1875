/* Unit tests of src/timeline/verdict*.c: who noticed, when, why, from hand-made timelines. What
 * the records say is what ground-truth/README.md measured; the row is named at each test.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "timeline/verdict.h"
#include "timeline_make.h"

#define IN 0x1u
#define OUT 0x4u
#define ERR 0x8u
#define HUP 0x10u
#define RDHUP 0x2000u

static struct ho_timeline tl;
static struct ho_verdicts verdicts;

static int set_up(void **state)
{
    (void)state;
    ho_timeline_init(&tl, 0);
    verdicts = (struct ho_verdicts){ 0 };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ho_verdicts_free(&verdicts);
    ho_timeline_destroy(&tl);
    return 0;
}

static const struct ho_verdict *verdict_of(const char *host)
{
    ho_verdicts_free(&verdicts);
    assert_int_equal(ho_verdicts_make(&tl, NULL, &verdicts), 0);
    const struct ho_verdict *v = ho_verdicts_find(&verdicts, host, "app", "db");
    assert_non_null(v);
    return v;
}

static void assert_kernel(const struct ho_verdict *v, int64_t ms, const char *state,
                          const char *err)
{
    assert_true(v->has_kernel);
    assert_int_equal(v->kernel_at.ns, ms * MAKE_MS);
    assert_string_equal(v->kernel_state, state);
    assert_string_equal(v->kernel_err, err);
}

static void assert_app(const struct ho_verdict *v, int64_t ms, const char *call, const char *err)
{
    assert_true(v->has_app);
    assert_int_equal(v->app_at.ns, ms * MAKE_MS);
    assert_string_equal(v->app_call, call);
    assert_string_equal(v->app_err, err);
}

/* Row 1: nothing happens on an idle connection. */
static void an_idle_connection_without_keepalive_notices_nothing(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 1000, "", "cut", "lan");
    make_sock(&tl, 61000, "server", "ESTABLISHED", HO_SOCK_TIMER_OFF, "");
    const struct ho_verdict *v = verdict_of("server");

    assert_int_equal(v->cause, HO_CAUSE_NOBODY);
    assert_false(v->has_kernel);
    assert_false(v->has_app);
    assert_string_equal(v->knob, "no timer runs on an idle connection");
}

/* Row 1, replugged: data passes, so the connection lives. */
static void a_connection_that_hears_its_peer_after_the_fault_is_alive(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 1000, "", "cut", "lan");
    make_fault(&tl, 61000, "", "plug", "lan");
    make_seg(&tl, 62000, "client", "PA", 1, 1, 100, HO_FATE_FWD);

    assert_int_equal(verdict_of("server")->cause, HO_CAUSE_ALIVE);
}

/* Row 14: the server's data still came, but then the server gave up, and no RST is sent (C 3). */
static void a_connection_whose_other_end_is_dead_does_not_work(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 1000, "", "half-cut", "lan");
    make_seg(&tl, 1010, "server", "PA", 1, 1, 1000, HO_FATE_FWD);
    make_sock(&tl, 1424, "server", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    assert_int_equal(verdict_of("client")->cause, HO_CAUSE_ALIVE);
    make_sock(&tl, 7650, "server", "CLOSED", HO_SOCK_TIMER_OFF, "ETIMEDOUT");
    assert_int_equal(verdict_of("client")->cause, HO_CAUSE_NOBODY);
}

/* The cable is whole again, or was never broken: an idle connection works. */
static void what_was_plugged_again_or_only_stopped_works(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 1000, "client", "stop", "app");
    assert_int_equal(verdict_of("server")->cause, HO_CAUSE_ALIVE);
    make_fault(&tl, 2000, "", "cut", "lan");
    assert_int_equal(verdict_of("server")->cause, HO_CAUSE_NOBODY);
    make_fault(&tl, 3000, "", "plug", "lan");
    assert_int_equal(verdict_of("server")->cause, HO_CAUSE_ALIVE);
}

/* A process that is stopped does not see the FIN that its kernel has acknowledged. */
static void a_close_that_nobody_looked_at_is_still_a_close(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 1000, "client", "stop", "app");
    make_seg(&tl, 2000, "server", "FA", 1, 1, 0, HO_FATE_FWD);
    make_sock(&tl, 2001, "client", "CLOSE-WAIT", HO_SOCK_TIMER_OFF, "");
    const struct ho_verdict *v = verdict_of("client");

    assert_int_equal(v->cause, HO_CAUSE_FIN);
    assert_false(v->has_app);
    assert_false(v->has_kernel);
}

/* Row 3a: the kernel gives up and wakes the blocked recv() at once. */
static void unacknowledged_data_dies_by_tcp_retries2(void **state)
{
    (void)state;
    make_setting(&tl, 0, "sysctl", "server", "", "net.ipv4.tcp_retries2", 15);
    make_setting(&tl, 0, "sysctl", "client", "", "net.ipv4.tcp_retries2", 5);
    make_established(&tl);
    make_fault(&tl, 1000, "", "cut", "lan");
    make_seg(&tl, 1010, "server", "PA", 1, 1, 1000, HO_FATE_CUT);
    make_sock(&tl, 1424, "server", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    make_sock(&tl, 938800, "server", "CLOSED", HO_SOCK_TIMER_OFF, "ETIMEDOUT");
    make_call(&tl, 938800, "server", "recv", -1, "ETIMEDOUT");
    const struct ho_verdict *v = verdict_of("server");

    assert_int_equal(v->cause, HO_CAUSE_RETRIES2);
    assert_kernel(v, 938800, "CLOSED", "ETIMEDOUT");
    assert_app(v, 938800, "recv", "ETIMEDOUT");
    assert_string_equal(v->knob, "net.ipv4.tcp_retries2=15");
    assert_int_equal(verdict_of("client")->cause, HO_CAUSE_NOBODY);
}

/* Row 3f: the poll tells, the call that follows returns the error and clears sk_err; the sample
 * may come after that.
 */
static void an_error_that_was_read_before_the_sample_is_still_the_kernels(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 1000, "", "cut", "lan");
    make_sock(&tl, 1424, "server", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    make_sock(&tl, 7650, "server", "CLOSED", HO_SOCK_TIMER_OFF, "");
    make_events(&tl, 7650, "server", IN | OUT | ERR | HUP | RDHUP);
    make_call(&tl, 7650, "server", "recv", -1, "EHOSTUNREACH");
    const struct ho_verdict *v = verdict_of("server");

    assert_int_equal(v->cause, HO_CAUSE_RETRIES2);
    assert_kernel(v, 7650, "CLOSED", "EHOSTUNREACH");
    assert_app(v, 7650, "recv", "EHOSTUNREACH");
    assert_string_equal(v->knob, "net.ipv4.tcp_retries2"); /* no record says its value */
}

/* A process that does not look is told when it looks. */
static void the_application_may_be_told_later_than_the_kernel_knew(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 1000, "", "cut", "lan");
    make_sock(&tl, 1424, "server", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    make_sock(&tl, 7650, "server", "CLOSED", HO_SOCK_TIMER_OFF, "ETIMEDOUT");
    make_call(&tl, 60000, "server", "send", -1, "ETIMEDOUT");
    const struct ho_verdict *v = verdict_of("server");

    assert_kernel(v, 7650, "CLOSED", "ETIMEDOUT");
    assert_app(v, 60000, "send", "ETIMEDOUT");
}

/* Row 2: options of the socket go before the sysctls, each on its own. */
static void keepalive_is_named_with_the_three_values_in_force(void **state)
{
    (void)state;
    make_setting(&tl, 0, "sysctl", "server", "", "net.ipv4.tcp_keepalive_time", 7200);
    make_setting(&tl, 0, "sysctl", "server", "", "net.ipv4.tcp_keepalive_intvl", 75);
    make_setting(&tl, 0, "sysctl", "server", "", "net.ipv4.tcp_keepalive_probes", 9);
    make_established(&tl);
    make_sock(&tl, 3, "server", "ESTABLISHED", HO_SOCK_TIMER_KEEPALIVE, "");
    make_fault(&tl, 1000, "", "cut", "lan");

    assert_int_equal(verdict_of("server")->cause, HO_CAUSE_WAITING);
    assert_string_equal(verdict_of("server")->knob,
                        "net.ipv4.tcp_keepalive_time/intvl/probes 7200/75/9");
    make_setting(&tl, 1000, "sockopt", "server", "db", "TCP_KEEPIDLE", 5);
    make_sock(&tl, 11700, "server", "CLOSED", HO_SOCK_TIMER_OFF, "ETIMEDOUT");
    make_events(&tl, 11700, "server", IN | OUT | ERR | HUP | RDHUP);
    const struct ho_verdict *v = verdict_of("server");

    assert_int_equal(v->cause, HO_CAUSE_KEEPALIVE);
    assert_string_equal(v->knob, "TCP_KEEPIDLE/TCP_KEEPINTVL/TCP_KEEPCNT 5/75/9");
    assert_app(v, 11700, "epoll_wait", ""); /* nobody has read the error */
}

/* Row 9: one lost probe is enough, the count is ignored. */
static void a_user_timeout_goes_before_keepalives_count(void **state)
{
    (void)state;
    make_established(&tl);
    make_setting(&tl, 3, "sockopt", "server", "db", "TCP_USER_TIMEOUT", 3000);
    make_sock(&tl, 3, "server", "ESTABLISHED", HO_SOCK_TIMER_KEEPALIVE, "");
    make_fault(&tl, 1000, "", "cut", "lan");
    make_sock(&tl, 7680, "server", "CLOSED", HO_SOCK_TIMER_OFF, "ETIMEDOUT");
    const struct ho_verdict *v = verdict_of("server");

    assert_int_equal(v->cause, HO_CAUSE_USER_TIMEOUT);
    assert_string_equal(v->knob, "TCP_USER_TIMEOUT=3000 with keepalive");
}

/* Row 12: a count of probes, not a time. */
static void a_closed_window_dies_by_counting_probes(void **state)
{
    (void)state;
    make_setting(&tl, 0, "sysctl", "server", "", "net.ipv4.tcp_retries2", 8);
    make_established(&tl);
    make_sock(&tl, 500, "server", "ESTABLISHED", HO_SOCK_TIMER_PROBE, "");
    make_fault(&tl, 1000, "", "cut", "lan");
    make_sock(&tl, 119000, "server", "CLOSED", HO_SOCK_TIMER_OFF, "ETIMEDOUT");

    assert_int_equal(verdict_of("server")->cause, HO_CAUSE_PROBES);
    assert_string_equal(verdict_of("server")->knob, "net.ipv4.tcp_retries2=8 probes");
}

/* Row 6a: the FIN is told by epoll and an end of stream; the RST that follows a send is not what
 * told the server first.
 */
static void a_killed_client_is_seen_as_a_close(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 1000, "client", "kill", "app");
    make_seg(&tl, 1000, "client", "FA", 1, 1, 0, HO_FATE_FWD);
    make_sock(&tl, 1000, "client", "FIN-WAIT-1", HO_SOCK_TIMER_ON, "");
    make_sock(&tl, 1001, "server", "CLOSE-WAIT", HO_SOCK_TIMER_OFF, "");
    make_events(&tl, 1001, "server", IN | OUT | RDHUP);
    make_call(&tl, 1001, "server", "recv", 0, "");
    make_sock(&tl, 1042, "client", "FIN-WAIT-2", HO_SOCK_TIMER_TIMEWAIT, "");
    make_call(&tl, 2000, "server", "send", 100, "");
    make_seg(&tl, 2001, "client", "R", 2, 0, 0, HO_FATE_FWD);
    make_sock(&tl, 2001, "client", "gone", HO_SOCK_TIMER_OFF, "");
    make_sock(&tl, 2002, "server", "CLOSED", HO_SOCK_TIMER_OFF, "EPIPE");
    make_call(&tl, 2500, "server", "send", -1, "EPIPE");
    const struct ho_verdict *v = verdict_of("server");

    assert_int_equal(v->cause, HO_CAUSE_FIN);
    assert_app(v, 1001, "recv", "");
    assert_false(v->has_kernel);
}

/* Row 6a: the server never closes, and the client's half ends by tcp_fin_timeout. */
static void fin_wait_2_of_a_dead_process_ends_by_fin_timeout(void **state)
{
    (void)state;
    make_setting(&tl, 0, "sysctl", "client", "", "net.ipv4.tcp_fin_timeout", 60);
    make_established(&tl);
    make_fault(&tl, 1000, "client", "kill", "app");
    make_sock(&tl, 1042, "client", "FIN-WAIT-2", HO_SOCK_TIMER_TIMEWAIT, "");
    make_sock(&tl, 62000, "client", "gone", HO_SOCK_TIMER_OFF, "");
    make_seg(&tl, 90000, "client", "R", 2, 0, 0, HO_FATE_FWD); /* what comes later is answered */
    const struct ho_verdict *v = verdict_of("client");

    assert_int_equal(v->cause, HO_CAUSE_FIN_TIMEOUT);
    assert_string_equal(v->knob, "net.ipv4.tcp_fin_timeout=60");
    assert_kernel(v, 62000, "gone", "");
    assert_false(v->has_app);
}

/* s06a_nothing_unread_server_sends: data that nobody will read ends FIN-WAIT-2 before its time. */
static void fin_wait_2_that_answers_with_rst_is_no_timeout(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 1000, "client", "kill", "app");
    make_sock(&tl, 1042, "client", "FIN-WAIT-2", HO_SOCK_TIMER_TIMEWAIT, "");
    make_seg(&tl, 2000, "server", "PA", 1, 2, 100, HO_FATE_FWD);
    make_seg(&tl, 2001, "client", "R", 2, 0, 0, HO_FATE_FWD);
    make_sock(&tl, 2001, "client", "gone", HO_SOCK_TIMER_OFF, "");
    const struct ho_verdict *v = verdict_of("client");

    assert_int_equal(v->cause, HO_CAUSE_KILLED);
    assert_false(v->has_kernel);
}

/* Row 5: the peer knows nothing of the connection any more. */
static void a_reset_is_the_peers_doing(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 1000, "client", "power-off", "client");
    make_fault(&tl, 3000, "client", "boot", "client");
    make_sock(&tl, 4000, "server", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    make_seg(&tl, 4001, "client", "R", 1, 0, 0, HO_FATE_FWD);
    make_sock(&tl, 4002, "server", "CLOSED", HO_SOCK_TIMER_OFF, "ECONNRESET");
    make_call(&tl, 4002, "server", "recv", -1, "ECONNRESET");
    const struct ho_verdict *v = verdict_of("server");

    assert_int_equal(v->cause, HO_CAUSE_RST);
    assert_string_equal(v->knob, "peer sent RST");
    assert_kernel(v, 4002, "CLOSED", "ECONNRESET");
    assert_int_equal(verdict_of("client")->cause, HO_CAUSE_POWER);
}

/* Row 10: in SYN-SENT an unreachable neighbour is fatal; silence lasts until tcp_syn_retries. */
static void connect_fails_by_the_neighbour_or_by_syn_retries(void **state)
{
    (void)state;
    make_setting(&tl, 0, "sysctl", "client", "", "net.ipv4.tcp_syn_retries", 6);
    make_fault(&tl, 0, "server", "power-off", "server");
    make_sock(&tl, 10, "client", "SYN-SENT", HO_SOCK_TIMER_ON, "");
    make_sock(&tl, 134900, "client", "CLOSED", HO_SOCK_TIMER_OFF, "ETIMEDOUT");
    make_call(&tl, 134900, "client", "connect", -1, "ETIMEDOUT");
    assert_int_equal(verdict_of("client")->cause, HO_CAUSE_SYN);
    assert_string_equal(verdict_of("client")->knob, "net.ipv4.tcp_syn_retries=6");

    tl.rec[3].u.sock.err = "EHOSTUNREACH";
    tl.rec[4].u.app.err = "EHOSTUNREACH";
    assert_int_equal(verdict_of("client")->cause, HO_CAUSE_NEIGHBOUR);

    make_setting(&tl, 134900, "sockopt", "client", "db", "TCP_SYNCNT", 2);
    tl.rec[3].u.sock.err = "ETIMEDOUT";
    assert_string_equal(verdict_of("client")->knob, "TCP_SYNCNT=2");
}

/* Row 15: nobody is told; the kernel gives the orphan up by tcp_orphan_retries. */
static void close_after_the_cut_ends_without_a_word(void **state)
{
    (void)state;
    make_setting(&tl, 0, "sysctl", "server", "", "net.ipv4.tcp_orphan_retries", 0);
    make_established(&tl);
    make_fault(&tl, 1000, "", "cut", "lan");
    make_call(&tl, 1010, "server", "close", 0, "");
    make_sock(&tl, 1010, "server", "FIN-WAIT-1", HO_SOCK_TIMER_ON, "");
    make_sock(&tl, 108300, "server", "gone", HO_SOCK_TIMER_OFF, "");
    const struct ho_verdict *v = verdict_of("server");

    assert_int_equal(v->cause, HO_CAUSE_ORPHAN);
    assert_string_equal(v->knob, "net.ipv4.tcp_orphan_retries=0 (0 means 8)");
    assert_kernel(v, 108300, "gone", "");
}

/* A real command says nothing of its calls: its socket is without a process afterwards. */
static void a_command_that_exits_leaves_an_orphan(void **state)
{
    (void)state;
    make_setting(&tl, 0, "sysctl", "server", "", "net.ipv4.tcp_orphan_retries", 0);
    make_established(&tl);
    make_fault(&tl, 1000, "", "cut", "lan");
    make_sock(&tl, 1010, "server", "FIN-WAIT-1", HO_SOCK_TIMER_ON, "");
    tl.rec[tl.n - 1].process = "";
    make_sock(&tl, 108300, "server", "gone", HO_SOCK_TIMER_OFF, "");
    const struct ho_verdict *v = verdict_of("server");

    assert_int_equal(v->cause, HO_CAUSE_ORPHAN);
    assert_string_equal(v->knob, "net.ipv4.tcp_orphan_retries=0 (0 means 8)");
}

static void a_programs_own_timer_is_its_own_finding(void **state)
{
    (void)state;
    make_established(&tl);
    make_fault(&tl, 1000, "", "cut", "lan");
    make_sock(&tl, 2000, "server", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    make(&tl, 16000,
         (struct ho_record){ .kind = HO_REC_APP,
                             .host = "server",
                             .process = "app",
                             .conn = "db",
                             .u.app = { .call = "heartbeat",
                                        .detail = "every 5 s, dead after 15 s",
                                        .finding = true } });
    make_call(&tl, 16000, "server", "close", 0, "");
    make_sock(&tl, 16000, "server", "FIN-WAIT-1", HO_SOCK_TIMER_ON, "");
    make_sock(&tl, 120000, "server", "gone", HO_SOCK_TIMER_OFF, "");
    const struct ho_verdict *v = verdict_of("server");

    assert_int_equal(v->cause, HO_CAUSE_FINDING);
    assert_app(v, 16000, "heartbeat", "");
    assert_string_equal(v->knob, "every 5 s, dead after 15 s");
    assert_false(v->has_kernel);
}

/* ---- ends that are no answer to the fault ---------------------------------------------------- */

static void make_sock_of(int64_t ms, const char *process, const char *state,
                         enum ho_sock_timer timer)
{
    make_sock(&tl, ms, "server", state, timer, "");
    tl.rec[tl.n - 1].process = process;
}

static void make_lo_seg(int64_t ms, const char *flags)
{
    make_seg(&tl, ms, "server", flags, 1, 1, 0, HO_FATE_FWD);
    tl.rec[tl.n - 1].u.seg.to = "server";
}

/* Two commands of one host, connected by its own address: as sampled on the kernel engine. */
static void make_own_connection(void)
{
    make_lo_seg(0, "S");
    make_lo_seg(0, "SA");
    make_lo_seg(0, "A");
    make_sock_of(1, "asks", "ESTABLISHED", HO_SOCK_TIMER_KEEPALIVE);
    make_sock_of(1, "own", "ESTABLISHED", HO_SOCK_TIMER_OFF);
    make_sock_of(5, "asks", "ESTABLISHED", HO_SOCK_TIMER_KEEPALIVE);
}

static const struct ho_verdict *own_verdict(const char *process)
{
    ho_verdicts_free(&verdicts);
    assert_int_equal(ho_verdicts_make(&tl, NULL, &verdicts), 0);
    assert_int_equal(verdicts.n, 2);
    const struct ho_verdict *v = ho_verdicts_find(&verdicts, "server", process, "db");
    assert_non_null(v);
    return v;
}

/* With data that nobody read the end is a RST, and both ends are gone at once. */
static void what_two_programs_of_a_host_closed_was_not_given_up(void **state)
{
    struct ho_text t = { 0 };

    (void)state;
    make_own_connection();
    make_lo_seg(500, "R");
    make_sock_of(501, "", "gone", HO_SOCK_TIMER_OFF);
    make_sock_of(501, "", "gone", HO_SOCK_TIMER_OFF);
    make_fault(&tl, 1000, "", "cut", "lan");
    assert_int_equal(own_verdict("asks")->cause, HO_CAUSE_CLOSED);
    assert_int_equal(own_verdict("own")->cause, HO_CAUSE_CLOSED);
    assert_false(own_verdict("asks")->has_kernel);
    assert_false(own_verdict("own")->has_kernel);
    ho_verdicts_table(&t, &verdicts, &tl, "lo", 0);
    assert_null(strstr(ho_text_str(&t), "gave up"));
    assert_null(strstr(ho_text_str(&t), "0.000"));
    ho_text_free(&t);
}

static void each_end_at_one_host_has_its_own_verdict(void **state)
{
    (void)state;
    make_own_connection();
    make_sock_of(500, "own", "CLOSE-WAIT", HO_SOCK_TIMER_OFF);
    make_sock_of(500, "", "FIN-WAIT-2", HO_SOCK_TIMER_TIMEWAIT);
    make_sock_of(501, "", "LAST-ACK", HO_SOCK_TIMER_ON);
    make_sock_of(501, "", "TIME-WAIT", HO_SOCK_TIMER_TIMEWAIT);
    make_sock_of(502, "", "gone", HO_SOCK_TIMER_OFF);
    make_fault(&tl, 1000, "", "cut", "lan");
    assert_string_equal(own_verdict("asks")->state, "TIME-WAIT");
    assert_string_equal(own_verdict("own")->state, "gone");
    assert_int_equal(own_verdict("asks")->cause, HO_CAUSE_CLOSED);
    assert_int_equal(own_verdict("own")->cause, HO_CAUSE_CLOSED);
}

static void a_cut_cable_is_nothing_to_two_programs_of_a_host(void **state)
{
    (void)state;
    make_own_connection();
    make_fault(&tl, 1000, "", "cut", "lan");
    assert_int_equal(own_verdict("asks")->cause, HO_CAUSE_ALIVE);
    assert_int_equal(own_verdict("own")->cause, HO_CAUSE_ALIVE);
}

/* A reset, then the fault: whoever was told was not told of the fault. */
static void what_ended_before_the_fault_did_not_notice_it(void **state)
{
    struct ho_text t = { 0 };

    (void)state;
    make_established(&tl);
    make_seg(&tl, 500, "server", "R", 1, 1, 0, HO_FATE_FWD);
    make_sock(&tl, 501, "client", "CLOSED", HO_SOCK_TIMER_OFF, "ECONNRESET");
    make_call(&tl, 600, "client", "recv", -1, "ECONNRESET");
    make_fault(&tl, 1000, "", "cut", "lan");
    assert_int_equal(verdict_of("client")->cause, HO_CAUSE_RST);
    assert_app(verdict_of("client"), 600, "recv", "ECONNRESET");
    ho_verdicts_table(&t, &verdicts, &tl, "before", 0);
    assert_non_null(strstr(ho_text_str(&t), "before                   -  ECONNRESET from recv\n"));
    assert_non_null(strstr(ho_text_str(&t), "kernel gave up before: ECONNRESET\n"));
    assert_null(strstr(ho_text_str(&t), "0.000"));
    ho_text_free(&t);
}

static void an_unknown_fault_is_no_verdict(void **state)
{
    (void)state;
    make_established(&tl);
    assert_int_equal(ho_verdicts_make(&tl, "cut", &verdicts), -ENOENT);
}

static void the_table_says_it_in_two_lines_a_side(void **state)
{
    (void)state;
    struct ho_text out = { 0 };

    make_setting(&tl, 0, "sysctl", "server", "", "net.ipv4.tcp_retries2", 15);
    make_established(&tl);
    make_fault(&tl, 1000, "", "cut", "lan");
    make_sock(&tl, 1424, "server", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    make_sock(&tl, 938764, "server", "CLOSED", HO_SOCK_TIMER_OFF, "ETIMEDOUT");
    make_call(&tl, 938770, "server", "recv", -1, "ETIMEDOUT");
    make_fault(&tl, 998770, "", "plug", "lan");
    (void)verdict_of("server");
    struct ho_verdict *v = ho_verdicts_find(&verdicts, "server", NULL, "db");
    v->has_range = true;
    v->range_min_ns = 938200 * MAKE_MS;
    v->range_max_ns = 940200 * MAKE_MS;
    ho_verdicts_table(&out, &verdicts, &tl, "data-in-flight", 250);
    assert_string_equal(ho_text_str(&out),
                        "data-in-flight: cut lan; plug lan 16 m 37.8 s later\n"
                        "  client  nothing, for ever                  -                        -  "
                        "still ESTABLISHED\n"
                        "          no timer runs on an idle connection\n"
                        "  server  data was never acknowledged        15 m 37.8 s        937.770  "
                        "ETIMEDOUT from recv\n"
                        "          net.ipv4.tcp_retries2=15; 938.2 to 940.2 s at HZ=250;\n"
                        "          kernel gave up at 937.764 s: ETIMEDOUT\n");
    ho_text_free(&out);
}

static void json_has_null_for_what_did_not_happen(void **state)
{
    (void)state;
    struct ho_text out = { 0 };

    make_established(&tl);
    make_fault(&tl, 1000, "", "cut", "lan");
    make_sock(&tl, 1424, "server", "ESTABLISHED", HO_SOCK_TIMER_ON, "");
    make_sock(&tl, 7650, "server", "CLOSED", HO_SOCK_TIMER_OFF, "ETIMEDOUT");
    make_call(&tl, 7650, "server", "recv", -1, "ETIMEDOUT");
    (void)verdict_of("server");
    ho_verdicts_json(&out, &verdicts);
    assert_string_equal(
        ho_text_str(&out),
        "[{\"host\":\"client\",\"process\":\"app\",\"connection\":\"db\","
        "\"saw\":\"nothing, for ever\",\"kernel\":null,\"app\":null,\"cause\":\"nobody-noticed\","
        "\"knob\":\"no timer runs on an idle "
        "connection\",\"state\":\"ESTABLISHED\",\"range\":null},"
        "{\"host\":\"server\",\"process\":\"app\",\"connection\":\"db\","
        "\"saw\":\"data was never acknowledged\",\"kernel\":{\"at_s\":7.65,\"after_s\":6.65,"
        "\"state\":\"CLOSED\",\"sk_err\":\"ETIMEDOUT\"},\"app\":{\"at_s\":7.65,\"after_s\":6.65,"
        "\"call\":\"recv\",\"errno\":\"ETIMEDOUT\",\"events\":null},\"cause\":\"retries2\","
        "\"knob\":\"net.ipv4.tcp_retries2\",\"state\":\"CLOSED\",\"range\":null}]");
    ho_text_free(&out);
}

/* The error counts, and the cause; the time is told apart. */
static void verdicts_are_the_same_by_what_they_say(void **state)
{
    (void)state;
    struct ho_timeline other;
    struct ho_verdicts a, b;
    size_t sides = 0;
    int64_t ns = -1;

    ho_timeline_init(&other, 0);
    make_fault(&tl, 1000, "", "cut", "lan");
    make_call(&tl, 8000, "server", "recv", -1, "ETIMEDOUT");
    make_fault(&other, 3000, "", "cut", "lan");
    make_call(&other, 10250, "server", "recv", -1, "ETIMEDOUT");
    assert_int_equal(ho_verdicts_make(&tl, NULL, &a), 0);
    assert_int_equal(ho_verdicts_make(&other, NULL, &b), 0);
    assert_true(a.n == 1 && b.n == 1);
    assert_int_equal(ho_verdicts_same(&a, &b, &sides, &ns), 1);
    assert_int_equal(sides, 1);
    assert_int_equal(ns, 250 * MAKE_MS);
    b.v[0].app_err = "EHOSTUNREACH";
    assert_int_equal(ho_verdicts_same(&a, &b, &sides, &ns), 0);
    assert_int_equal(sides, 1);
    b.v[0].app_err = "ETIMEDOUT";
    b.v[0].cause = HO_CAUSE_RST;
    assert_int_equal(ho_verdicts_same(&a, &b, &sides, &ns), 0);
    b.v[0].host = "client";
    assert_int_equal(ho_verdicts_same(&a, &b, &sides, &ns), 0);
    assert_int_equal(sides, 2);
    ho_verdicts_free(&a);
    ho_verdicts_free(&b);
    ho_timeline_destroy(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_idle_connection_without_keepalive_notices_nothing),
        TEST(a_connection_that_hears_its_peer_after_the_fault_is_alive),
        TEST(a_connection_whose_other_end_is_dead_does_not_work),
        TEST(what_was_plugged_again_or_only_stopped_works),
        TEST(a_close_that_nobody_looked_at_is_still_a_close),
        TEST(unacknowledged_data_dies_by_tcp_retries2),
        TEST(an_error_that_was_read_before_the_sample_is_still_the_kernels),
        TEST(the_application_may_be_told_later_than_the_kernel_knew),
        TEST(keepalive_is_named_with_the_three_values_in_force),
        TEST(a_user_timeout_goes_before_keepalives_count),
        TEST(a_closed_window_dies_by_counting_probes),
        TEST(a_killed_client_is_seen_as_a_close),
        TEST(fin_wait_2_of_a_dead_process_ends_by_fin_timeout),
        TEST(fin_wait_2_that_answers_with_rst_is_no_timeout),
        TEST(a_reset_is_the_peers_doing),
        TEST(connect_fails_by_the_neighbour_or_by_syn_retries),
        TEST(close_after_the_cut_ends_without_a_word),
        TEST(a_command_that_exits_leaves_an_orphan),
        TEST(a_programs_own_timer_is_its_own_finding),
        TEST(what_two_programs_of_a_host_closed_was_not_given_up),
        TEST(each_end_at_one_host_has_its_own_verdict),
        TEST(a_cut_cable_is_nothing_to_two_programs_of_a_host),
        TEST(what_ended_before_the_fault_did_not_notice_it),
        TEST(an_unknown_fault_is_no_verdict),
        TEST(the_table_says_it_in_two_lines_a_side),
        TEST(verdicts_are_the_same_by_what_they_say),
        TEST(json_has_null_for_what_did_not_happen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
