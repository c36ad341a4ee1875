/* A case of a scenario becomes a plan: what is filled in, what is expanded, what is refused. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "knobs/sockopt.h"
#include "knobs/sysctl.h"
#include "scenario/expect.h"
#include "scenario/scenario.h"

#define MS 1000000LL
#define S HO_NS_PER_S

#define TWO_HOSTS "host client\nhost server\n"
#define JOINED TWO_HOSTS "cable client -- server\n"
#define CONNECTED JOINED "connection client -> server:7000\n"

static struct ho_scn *parsed(const char *text)
{
    struct ho_scn *s = NULL;
    struct ho_scn_error e;

    if (ho_scn_parse(&s, "test", text, strlen(text), &e) != 0) {
        fail_msg("%u:%u: %s", e.line, e.column, e.text);
    }
    return s;
}

static struct ho_plan *planned_with(const struct ho_scn *s, size_t i,
                                    const struct ho_plan_options *o)
{
    struct ho_plan *p = NULL;
    struct ho_scn_error e;
    const struct ho_scn_case c = ho_scn_case(s, i);

    if (ho_plan_make(&p, s, &c, o, &e) != 0) {
        fail_msg("%u:%u: %s", e.line, e.column, e.text);
    }
    return p;
}

static struct ho_plan *planned(const struct ho_scn *s)
{
    return planned_with(s, 0, NULL);
}

/* The i-th step of that kind. */
static const struct ho_step *step(const struct ho_plan *p, enum ho_step_kind kind, size_t i)
{
    for (size_t n = 0; n < p->step_count; n++) {
        if (p->steps[n].kind == kind && i-- == 0) {
            return &p->steps[n];
        }
    }
    fail_msg("there is no such %s", ho_step_text(kind));
    return NULL;
}

static size_t count(const struct ho_plan *p, enum ho_step_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < p->step_count; i++) {
        n += p->steps[i].kind == kind;
    }
    return n;
}

/* --- what is filled in ----------------------------------------------------------------------- */

static void hosts_have_addresses_clocks_and_a_process(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(TWO_HOSTS "switch lan\nhost third hz exact 10.9.0.1/16\n");
    struct ho_plan *p = planned(s);
    char text[HO_ADDR_TEXT];

    assert_int_equal(p->node_count, 4);
    assert_string_equal(ho_addr_text(&p->nodes[1].addr[0].addr, text), "10.0.0.2");
    assert_int_equal(p->nodes[1].addr[0].bits, 24);
    assert_string_equal(ho_addr_text(&p->nodes[1].addr[1].addr, text), "fd00::2");
    assert_int_equal(p->nodes[1].addr[1].bits, 64);
    assert_int_equal(p->nodes[1].hz, 250);
    assert_int_equal(p->nodes[3].hz, 0);
    assert_int_equal(p->nodes[3].addr_count, 1);
    assert_int_equal(p->nodes[3].mac.b[4], 3); /* the third host, not the fourth node */
    assert_string_equal(p->nodes[0].profile, "linux-6.18");
    assert_int_equal(p->proc_count, 3);
    assert_string_equal(p->procs[2].name, "app");
    assert_int_equal(p->procs[2].host, 3);
    ho_plan_free(p);
    ho_scn_free(s);
}

static void starting_jiffies_come_from_the_seed_unless_given(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(TWO_HOSTS), *given = parsed("jiffy 430\n" TWO_HOSTS);
    const struct ho_plan_options other = { .has_seed = true, .seed = 2 };
    struct ho_plan *a = planned(s), *b = planned(s), *c = planned_with(s, 0, &other);
    struct ho_plan *d = planned(given);

    assert_true(a->nodes[0].jiffies0 == b->nodes[0].jiffies0);
    assert_true(a->nodes[0].jiffies0 != a->nodes[1].jiffies0);
    assert_true(a->nodes[0].jiffies0 != c->nodes[0].jiffies0);
    assert_true(a->nodes[0].phase_ns >= 0 && a->nodes[0].phase_ns < 4 * MS);
    assert_int_equal(d->nodes[1].jiffies0, 430);
    assert_int_equal(d->nodes[1].phase_ns, 0);
    ho_plan_free(a);
    ho_plan_free(b);
    ho_plan_free(c);
    ho_plan_free(d);
    ho_scn_free(s);
    ho_scn_free(given);
}

/* client -- lan -- server: four times the delay of a cable is the round trip. */
static void cables_share_the_round_trip(void **state)
{
    (void)state;
    struct ho_scn *s = parsed("rtt 8ms\n" TWO_HOSTS "switch lan\nhost other\n"
                              "cable client -- lan -- server\ncable lan -- other delay 7ms\n");
    const struct ho_plan_options o = { .has_rtt = true, .rtt = { 200 * MS } };
    struct ho_plan *p = planned(s), *q = planned_with(s, 0, &o);

    assert_int_equal(p->cable_count, 3);
    assert_int_equal(p->cables[0].delay.ns, 2 * MS);
    assert_int_equal(p->cables[1].delay.ns, 2 * MS);
    assert_int_equal(p->cables[2].delay.ns, 7 * MS);
    assert_int_equal(p->cables[1].a_port, 1);
    assert_int_equal(p->cables[2].a_port, 2);
    assert_string_equal(p->cables[1].name, "lan -- server");
    assert_int_equal(q->cables[0].delay.ns, 50 * MS);
    assert_int_equal(q->cables[2].delay.ns, 7 * MS);
    ho_plan_free(p);
    ho_plan_free(q);
    ho_scn_free(s);
}

/* A connection is a listen and a connect at 0, after the options, each process started first. */
static void a_connection_is_listen_and_connect_at_the_start(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(CONNECTED "option client TCP_USER_TIMEOUT 3s\n");
    struct ho_plan *p = planned(s);
    static const enum ho_step_kind kinds[] = { HO_STEP_START, HO_STEP_CALL, HO_STEP_START,
                                               HO_STEP_CALL, HO_STEP_CALL };

    assert_int_equal(p->step_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(p->steps[i].kind, kinds[i]);
        assert_int_equal(p->steps[i].at.ns, 0);
    }
    assert_int_equal(p->steps[1].u.call.kind, HO_CALL_OPTION);
    assert_int_equal(p->steps[1].u.call.opt, HO_SOCKOPT_TCP_USER_TIMEOUT);
    assert_int_equal(p->steps[1].u.call.value[0], 3000); /* milliseconds */
    assert_int_equal(p->steps[3].u.call.kind, HO_CALL_LISTEN);
    assert_int_equal(p->steps[3].proc, 1);
    assert_int_equal(p->steps[4].u.call.kind, HO_CALL_CONNECT);
    assert_int_equal(p->steps[4].u.call.port, 7000);
    assert_true(ho_addr_eq(&p->steps[4].u.call.addr, &p->nodes[1].addr[0].addr));
    assert_int_equal(p->end.ns, S);
    ho_plan_free(p);
    ho_scn_free(s);
}

static void over_ipv6_the_other_address_is_meant(void **state)
{
    (void)state;
    struct ho_scn *s = parsed("plays over ipv4 ipv6\n" CONNECTED);
    struct ho_plan *p = planned_with(s, 1, NULL);

    assert_int_equal(p->family, HO_FAMILY_V6);
    assert_string_equal(p->case_name, "ipv6");
    assert_true(ho_addr_eq(&step(p, HO_STEP_CALL, 1)->u.call.addr, &p->nodes[1].addr[1].addr));
    ho_plan_free(p);
    ho_scn_free(s);
}

static void settings_take_durations_in_their_own_units(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(TWO_HOSTS "set server net.ipv4.tcp_keepalive_time 2h\n"
                                        "set all net.ipv4.tcp_rto_max_ms 5s\n"
                                        "set client net.ipv4.tcp_rmem 4096 131072 6291456\n"
                                        "option client SO_LINGER 1500s\n"
                                        "option client SO_KEEPALIVE on\n"
                                        "option server TCP_KEEPIDLE 1m\n");
    const char *const set[] = { "net.ipv4.tcp_retries2=8" };
    const struct ho_plan_options o = { .set = set, .set_count = 1 };
    struct ho_plan *p = planned_with(s, 0, &o);

    assert_int_equal(p->setup_count, 6);
    assert_int_equal(p->setup[0].u.sysctl.id, HO_SYSCTL_TCP_KEEPALIVE_TIME);
    assert_int_equal(p->setup[0].u.sysctl.value[0], 7200);
    assert_int_equal(p->setup[0].host, 1);
    assert_int_equal(p->setup[2].u.sysctl.value[0], 5000);
    assert_int_equal(p->setup[3].u.sysctl.count, 3);
    assert_int_equal(p->setup[3].u.sysctl.value[2], 6291456);
    assert_int_equal(p->setup[5].u.sysctl.id,
                     HO_SYSCTL_TCP_RETRIES2); /* the command line's, last */
    assert_int_equal(p->setup[5].u.sysctl.value[0], 8);
    assert_int_equal(step(p, HO_STEP_CALL, 0)->u.call.value[0], 1); /* SO_LINGER: on, seconds */
    assert_int_equal(step(p, HO_STEP_CALL, 0)->u.call.value[1], 1500);
    assert_int_equal(step(p, HO_STEP_CALL, 1)->u.call.value[0], 1);
    assert_int_equal(step(p, HO_STEP_CALL, 2)->u.call.value[0], 60);
    ho_plan_free(p);
    ho_scn_free(s);
}

/* --- time ------------------------------------------------------------------------------------ */

static void times_may_count_from_the_step_before_and_from_labels(void **state)
{
    (void)state;
    struct ho_scn *s = parsed("sweep pause 4s\n" CONNECTED "at 10s cut\n"
                              "at +0.5s client send 1\n"
                              "at 20s plug\n"
                              "at cut+3s client send 2\n"
                              "at plug client send 3\n"
                              "at plug+$pause cut\n"
                              "at cut2+1s client send 4\n"
                              "at +1s plug as mended\n"
                              "at mended+1s client send 5\n");
    struct ho_plan *p = planned(s);
    static const int64_t ms[] = { 10500, 13000, 20000, 25000, 27000 };

    for (size_t i = 0; i < 5; i++) { /* behind listen and connect */
        const struct ho_step *x = step(p, HO_STEP_CALL, i + 2);
        assert_int_equal(x->at.ns, ms[i] * MS);
    }
    assert_int_equal(step(p, HO_STEP_CUT, 1)->at.ns, 24 * S);
    assert_string_equal(step(p, HO_STEP_CUT, 1)->label, "cut2");
    assert_string_equal(step(p, HO_STEP_PLUG, 1)->label, "mended");
    assert_int_equal(p->end.ns, 28 * S);
    ho_plan_free(p);
    ho_scn_free(s);
}

static void steps_of_one_time_keep_the_order_of_the_file(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(CONNECTED "at 5s client send 5\nat 3s client send 3\n"
                                        "at 5s server send 6\nat 3s server send 4\n");
    struct ho_plan *p = planned(s);

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(step(p, HO_STEP_CALL, i + 2)->u.call.bytes, i + 3);
    }
    ho_plan_free(p);
    ho_scn_free(s);
}

static void a_play_ends_after_the_last_time_that_is_named(void **state)
{
    (void)state;
    struct ho_scn *s =
        parsed(CONNECTED "at 1s client send 5\n"
                         "at 2s cut\n"
                         "expect client is ESTABLISHED at the end\n"
                         "expect server notices ETIMEDOUT between 3s and 7s after cut\n");
    struct ho_plan *p = planned(s);

    assert_int_equal(p->end.ns, 10 * S);
    assert_int_equal(p->expect_count, 2);
    assert_int_equal(p->expects[0].window.from.ns, 10 * S);
    assert_int_equal(p->expects[1].window.from.ns, 5 * S);
    assert_int_equal(p->expects[1].window.to.ns, 9 * S);
    ho_plan_free(p);
    ho_scn_free(s);
}

static void windows_have_five_ways_to_be_said(void **state)
{
    (void)state;
    struct ho_scn *s = parsed("lasts 100s\n" CONNECTED "at 10s cut\n"
                              "expect client notices EOF\n"
                              "expect client notices EOF at 20s\n"
                              "expect client notices EOF at cut+3s +- 0.5s\n"
                              "expect client notices EOF by 7s after cut\n"
                              "expect client notices EOF within 5s of cut\n"
                              "expect client notices EOF after cut\n"
                              "expect client stays ESTABLISHED from 3s until 20s\n");
    struct ho_plan *p = planned(s);
    static const int64_t ms[][2] = { { 0, 100000 },    { 19999, 20001 }, { 12500, 13500 },
                                     { 10000, 17000 }, { 10000, 15000 }, { 10000, 100000 },
                                     { 3000, 20000 } };

    assert_int_equal(p->expect_count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(p->expects[i].window.from.ns, ms[i][0] * MS);
        assert_int_equal(p->expects[i].window.to.ns, ms[i][1] * MS);
    }
    ho_plan_free(p);
    ho_scn_free(s);
}

/* --- what is expanded ------------------------------------------------------------------------ */

static void a_repeated_send_is_many_steps(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(CONNECTED "at 1s client send 100 every 0.5s until 3s\n");
    struct ho_plan *p = planned(s);

    assert_int_equal(count(p, HO_STEP_CALL), 2 + 5);
    assert_int_equal(p->steps[p->step_count - 1].at.ns, 3 * S);
    ho_plan_free(p);
    ho_scn_free(s);
}

static void what_is_done_to_a_host_is_done_to_its_processes(void **state)
{
    (void)state;
    struct ho_scn *s =
        parsed(TWO_HOSTS "cable client -- server\nprocess client.db\n"
                         "process client.idle\n"
                         "connection client -> server:7000\n"
                         "connection client.db -> server:7000\n"
                         "at 1s client hang\nat 2s client.db kill\nat 3s client kill\n"
                         "at 4s client connect server:7000\n");
    struct ho_plan *p = planned(s);

    assert_int_equal(count(p, HO_STEP_STOP), 2); /* client.idle never began */
    assert_string_equal(step(p, HO_STEP_STOP, 1)->what, "db");
    assert_int_equal(count(p, HO_STEP_KILL), 2); /* db once, app once */
    assert_string_equal(step(p, HO_STEP_KILL, 1)->what, "app");
    assert_string_equal(step(p, HO_STEP_KILL, 1)->label, "kill2");
    assert_int_equal(count(p, HO_STEP_START), 4); /* app begins a second time */
    ho_plan_free(p);
    ho_scn_free(s);
}

static void a_plug_mends_what_is_broken(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(TWO_HOSTS "switch lan\nhost other\ncable client -- lan -- server\n"
                                        "cable lan -- other\nat 1s cut client -> lan\n"
                                        "at 2s unplug server\nat 3s plug\nat 4s unplug server\n"
                                        "at 5s plug server\n");
    struct ho_plan *p = planned(s);

    assert_int_equal(count(p, HO_STEP_PLUG), 3);
    assert_int_equal(step(p, HO_STEP_PLUG, 0)->cable, 0);
    assert_int_equal(step(p, HO_STEP_PLUG, 1)->cable, 1);
    assert_int_equal(step(p, HO_STEP_PLUG, 2)->cable, 1);
    assert_string_equal(step(p, HO_STEP_PLUG, 2)->label, "plug2");
    assert_int_equal(step(p, HO_STEP_CUT, 0)->u.direction, HO_A_TO_B);
    assert_string_equal(step(p, HO_STEP_CUT, 0)->verb, "half-cut");
    assert_string_equal(step(p, HO_STEP_CUT, 0)->detail, "client to lan");
    assert_int_equal(step(p, HO_STEP_UNPLUG, 0)->u.end, 1);
    ho_plan_free(p);
    ho_scn_free(s);
}

static void sweeps_replace_names_and_set_sysctls(void **state)
{
    (void)state;
    struct ho_scn *s = parsed("sweep net.ipv4.tcp_retries2 3 8\nsweep rtt 1ms 200ms\n"
                              "sweep size 10 20\n" CONNECTED "at 1s client send $size\n"
                              "when net.ipv4.tcp_retries2=8 at 2s client send 1\n"
                              "when size=10 expect nobody notices\n");
    struct ho_plan *p = planned_with(s, 7, NULL);

    assert_string_equal(p->case_name, "tcp_retries2=8 rtt=200ms size=20");
    assert_int_equal(p->setup_count, 2);
    assert_int_equal(p->setup[1].u.sysctl.value[0], 8);
    assert_int_equal(p->cables[0].delay.ns, 100 * MS);
    assert_int_equal(step(p, HO_STEP_CALL, 2)->u.call.bytes, 20);
    assert_int_equal(count(p, HO_STEP_CALL), 4);
    assert_int_equal(p->expect_count, 0);
    ho_plan_free(p);
    p = planned_with(s, 0, NULL);
    assert_int_equal(p->setup[1].u.sysctl.value[0], 3);
    assert_int_equal(count(p, HO_STEP_CALL), 3);
    assert_int_equal(p->expect_count, 1);
    ho_plan_free(p);
    ho_scn_free(s);
}

static void lines_for_another_engine_do_not_count(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(CONNECTED "on kernel at 1s client send 1\n"
                                        "over ipv6 at 1s client send 1\n"
                                        "on model at 1s client send 1\n");
    const struct ho_plan_options kernel = { .engine = "kernel" };
    struct ho_plan *p = planned(s), *q = planned_with(s, 0, &kernel);

    assert_int_equal(count(p, HO_STEP_CALL), 3);
    assert_int_equal(p->steps[p->step_count - 1].line, 7);
    assert_int_equal(q->steps[q->step_count - 1].line, 5);
    ho_plan_free(p);
    ho_plan_free(q);
    ho_scn_free(s);
}

static void programs_get_addresses_for_host_names(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(JOINED "program client http-client addr=server port=80\n"
                                     "program server http-server port=80\n");
    struct ho_plan *p = planned(s);
    const struct ho_plan_program *program = &step(p, HO_STEP_PROGRAM, 0)->u.program;

    assert_string_equal(program->name, "http-client");
    assert_int_equal(program->count, 2);
    assert_string_equal(program->arg[0].key, "addr");
    assert_string_equal(program->arg[0].value, "10.0.0.2");
    assert_string_equal(program->arg[1].value, "80");
    ho_plan_free(p);
    ho_scn_free(s);
}

static void a_program_that_listens_is_listener_enough(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(CONNECTED "program server echo-server port=7000\n");
    struct ho_plan *p = planned(s);

    assert_int_equal(count(p, HO_STEP_CALL), 1);
    assert_int_equal(step(p, HO_STEP_CALL, 0)->u.call.kind, HO_CALL_CONNECT);
    ho_plan_free(p);
    ho_scn_free(s);
}

/* --- what is refused ------------------------------------------------------------------------- */

static const struct {
    const char *text;
    unsigned line;
    const char *why;
} refused[] = {
    { CONNECTED "at 1s client power-off\nat 2s client send 1", 6, "at 2s client has no power" },
    { CONNECTED "at 1s client boot", 5, "client has power already" },
    { CONNECTED "at 1s client power-off\nat 2s client power-off", 6, "has no power anyway" },
    { JOINED "at 1s client kill", 4, "no process runs on client" },
    { JOINED "at 1s plug", 4, "is cut or unplugged" },
    { JOINED "at 1s cut\nat 2s cut as cut", 5, "there is a step 'cut' already" },
    { JOINED "at cut+1s plug\nat 1s cut", 4, "the label of a step further up" },
    { JOINED "at 1s cut\nat cuts+1s plug", 5, "did you mean 'cut'?" },
    { TWO_HOSTS "switch lan\ncable client -- lan -- server\nat 1s cut", 5, "which cable?" },
    { TWO_HOSTS "switch lan\ncable client -- lan -- server\nat 1s cut client -- server", 5,
      "joins these two directly; the cables: client -- lan, lan -- server" },
    { TWO_HOSTS "switch lan\ncable client -- lan -- server\nat 1s unplug lan", 5, "name one" },
    { TWO_HOSTS "cable client -- client", 3, "from client to itself" },
    { TWO_HOSTS "host a\nmiddlebox m forgets after 1s then drops\ncable client -- m -- server\n"
                "cable a -- m",
      6, "has all its cables already" },
    { TWO_HOSTS "cable client -- server as x\nhost b\ncable client -- b -- server as y", 5,
      "one name for 2 cables" },
    { "host a 10.0.0.1/8\nhost b 10.0.0.1/8", 0, "a and b have the same address 10.0.0.1" },
    { "plays over ipv6\nhost a 10.0.0.1/8\nhost b 10.0.0.2/8\ncable a -- b\n"
      "connection a -> b:80",
      5, "b has no address of IPv6" },
    { JOINED "set client net.ipv4.tcp_retries2 300", 4, "0 to 255" },
    { JOINED "set client net.ipv4.tcp_keepalive_time 1500ms", 4, "whole seconds" },
    { JOINED "set client net.ipv4.tcp_retries2 3 4", 4, "a value of" },
    { JOINED "option client TCP_KEEPIDLE 0", 4, "1 to 32767 seconds" },
    { JOINED "option client SO_KEEPALIVE yes", 4, "0, 1, on or off" },
    { JOINED "option client SO_ERROR 1", 4, "can only be read" },
    { JOINED "option client/x TCP_KEEPIDLE 5", 4, "every connection" },
    { "sweep size five\n" CONNECTED "at 1s client send $size", 1, "expected a number of bytes" },
    { "lasts 5s\n" CONNECTED "at 6s client send 1", 1, "ends before a step" },
    { CONNECTED "at 1s cut\nexpect nobody notices\n"
                "expect client notices EOF at 1s between 2s and 3s",
      7, "only one of" },
    { CONNECTED "expect client notices EOF between 3s and 2s", 5, "ends before it begins" },
    { "lasts 5s\n" CONNECTED "expect client notices EOF between 6s and 7s", 6, "after the end" },
    { CONNECTED "at 1s client send 1 every 0s until 3s", 5, "more than 0s" },
    { CONNECTED "at 1s client send 1 every 1ms until 100s", 5, "more than 65536 steps" },
    { CONNECTED "at 1s client send 1 until the end", 5, "" },
    { CONNECTED "program client heartbeat every=1s", 4, "already runs a program" },
    { CONNECTED "at 1s client run heartbeat every=1s", 5, "use another process" },
    { CONNECTED "at 1s drop next 1 from client on client -- server\nat 1s client.app/x kill", 6,
      "not its connection" },
    { CONNECTED "at 3650d client send 1\nat +1s client send 1", 6, "ten years" },
};

static void what_makes_no_sense_is_refused_with_its_line(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct ho_scn *s = NULL;
        struct ho_plan *p = NULL;
        struct ho_scn_error e = { 0 };
        int err = ho_scn_parse(&s, "test", refused[i].text, strlen(refused[i].text), &e);
        if (err == 0) {
            const struct ho_scn_case c = ho_scn_case(s, 0);
            err = ho_plan_make(&p, s, &c, NULL, &e);
            assert_null(p);
        }
        if (err != -EINVAL || e.line != refused[i].line || strstr(e.text, refused[i].why) == NULL) {
            fail_msg("%s\ngives %d, %u:%u: %s", refused[i].text, err, e.line, e.column, e.text);
        }
        ho_scn_free(s);
    }
}

/* A mistake that only the kernel engine or only the last case would meet. */
static void a_check_looks_at_every_case_on_every_engine(void **state)
{
    (void)state;
    struct ho_scn *s = parsed(JOINED "on virtual-kernel at 1s client kill\n");
    struct ho_scn *t = parsed("sweep x 1 two\n" CONNECTED "at 1s client send $x\n");
    struct ho_scn_error e;

    assert_int_equal(ho_scn_check(s, &e), -EINVAL);
    assert_int_equal(e.line, 4);
    assert_int_equal(ho_scn_check(t, &e), -EINVAL);
    assert_int_equal(e.line, 1);
    assert_int_equal(e.column, 11);
    ho_scn_free(s);
    ho_scn_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_have_addresses_clocks_and_a_process),
        cmocka_unit_test(starting_jiffies_come_from_the_seed_unless_given),
        cmocka_unit_test(cables_share_the_round_trip),
        cmocka_unit_test(a_connection_is_listen_and_connect_at_the_start),
        cmocka_unit_test(over_ipv6_the_other_address_is_meant),
        cmocka_unit_test(settings_take_durations_in_their_own_units),
        cmocka_unit_test(times_may_count_from_the_step_before_and_from_labels),
        cmocka_unit_test(steps_of_one_time_keep_the_order_of_the_file),
        cmocka_unit_test(a_play_ends_after_the_last_time_that_is_named),
        cmocka_unit_test(windows_have_five_ways_to_be_said),
        cmocka_unit_test(a_repeated_send_is_many_steps),
        cmocka_unit_test(what_is_done_to_a_host_is_done_to_its_processes),
        cmocka_unit_test(a_plug_mends_what_is_broken),
        cmocka_unit_test(sweeps_replace_names_and_set_sysctls),
        cmocka_unit_test(lines_for_another_engine_do_not_count),
        cmocka_unit_test(programs_get_addresses_for_host_names),
        cmocka_unit_test(a_program_that_listens_is_listener_enough),
        cmocka_unit_test(what_makes_no_sense_is_refused_with_its_line),
        cmocka_unit_test(a_check_looks_at_every_case_on_every_engine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
