/* Unit tests of src/forecast/order*: chains are read, each rule has a chain that breaks it and one
 * that does not, changes help, and the order of the entries means nothing.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "forecast/order.h"

/* Linux's defaults, HZ 250, a router and 1 ms on the way. */
static struct ho_predict_in base(void)
{
    struct ho_predict_in in = { .rtt = ho_ms(1), .hz = 250 };

    ho_sysctls_init(&in.sysctls);
    return in;
}

static struct ho_order_chain parse(const char *text)
{
    struct ho_order_mistake mistake;
    struct ho_order_chain chain;

    if (ho_order_parse(&chain, text, &mistake) != 0) {
        fail_msg("%s: at %zu: expected %s", text, mistake.at, mistake.expected);
    }
    return chain;
}

static struct ho_order judge(const char *text)
{
    struct ho_order_chain chain = parse(text);
    struct ho_predict_in in = base();
    struct ho_order order;

    ho_order_resolve(&chain, &in.sysctls);
    assert_int_equal(ho_order_judge(&chain, &in, &order), 0);
    return order;
}

static const struct ho_order_finding *find(const struct ho_order *o, enum ho_order_reason reason,
                                           enum ho_order_side side)
{
    for (unsigned i = 0; i < o->n; i++) {
        if (o->finding[i].reason == reason && o->finding[i].side == side) {
            return &o->finding[i];
        }
    }
    return NULL;
}

/* The chain has the finding; returns it, as of the last call. */
static const struct ho_order_finding *has(const char *text, enum ho_order_reason reason,
                                          enum ho_order_side side)
{
    static struct ho_order order;

    order = judge(text);
    const struct ho_order_finding *f = find(&order, reason, side);

    if (f == NULL) {
        fail_msg("%s: %s is not found", text, ho_order_reason_word(reason));
    }
    return f;
}

static void has_not(const char *text, enum ho_order_reason reason, enum ho_order_side side)
{
    struct ho_order order = judge(text);

    if (find(&order, reason, side) != NULL) {
        fail_msg("%s: %s is found", text, ho_order_reason_word(reason));
    }
}

static void between(int64_t ns, int64_t low_ms, int64_t high_ms)
{
    assert_in_range(ns / 1000, low_ms * 1000, high_ms * 1000);
}

static void change_is(const struct ho_order_finding *f, unsigned i, const char *expected)
{
    struct ho_text t = { 0 };

    assert_true(i < f->changes);
    ho_order_entry_text(&t, f->change[i].side, f->change[i].timer, &f->change[i].e);
    assert_string_equal(ho_text_str(&t), expected);
    ho_text_free(&t);
}

/* ---- reading --------------------------------------------------------------------------------- */

static const char example[] = "client request 5s, pool 30s, user_timeout 20s, keepalive 15/15/3, "
                              "balancer idle 350s, server idle 60s";

static void a_chain_is_read(void **state)
{
    struct ho_order_chain c = parse(example);

    (void)state;
    assert_int_equal(c.e[HO_ORDER_CLIENT][HO_ORDER_T_REQUEST].ns, ho_s(5).ns);
    assert_int_equal(c.e[HO_ORDER_CLIENT][HO_ORDER_T_IDLE].ns, ho_s(30).ns);
    assert_int_equal(c.e[HO_ORDER_CLIENT][HO_ORDER_T_USER_TIMEOUT].ns, ho_s(20).ns);
    assert_int_equal(c.e[HO_ORDER_CLIENT][HO_ORDER_T_KEEPALIVE].more_ns, ho_s(15).ns);
    assert_int_equal(c.e[HO_ORDER_CLIENT][HO_ORDER_T_KEEPALIVE].count, 3);
    assert_int_equal(c.e[HO_ORDER_BOX][HO_ORDER_T_IDLE].ns, ho_s(350).ns);
    assert_false(c.e[HO_ORDER_BOX][HO_ORDER_T_IDLE].reset);
    assert_int_equal(c.e[HO_ORDER_SERVER][HO_ORDER_T_IDLE].ns, ho_s(60).ns);
    assert_false(c.e[HO_ORDER_SERVER][HO_ORDER_T_KEEPALIVE].there);

    c = parse("POOL max lifetime 30 min,nat 4m reset , server  Keepalive 60s/10s/6,\tretries2 8,"
              "backend heartbeat 30s x 2, ping 1m30s + 1.5s, pool wait timeout 2500ms");
    assert_int_equal(c.e[HO_ORDER_CLIENT][HO_ORDER_T_LIFE].ns, ho_s(1800).ns);
    assert_int_equal(c.e[HO_ORDER_BOX][HO_ORDER_T_IDLE].ns, ho_s(240).ns);
    assert_true(c.e[HO_ORDER_BOX][HO_ORDER_T_IDLE].reset);
    assert_int_equal(c.e[HO_ORDER_SERVER][HO_ORDER_T_KEEPALIVE].ns, ho_s(60).ns);
    assert_int_equal(c.e[HO_ORDER_CLIENT][HO_ORDER_T_RETRIES2].count, 8);
    assert_int_equal(c.e[HO_ORDER_SERVER][HO_ORDER_T_HEARTBEAT].count, 2);
    assert_int_equal(c.e[HO_ORDER_CLIENT][HO_ORDER_T_HEARTBEAT].ns, ho_s(90).ns);
    assert_int_equal(c.e[HO_ORDER_CLIENT][HO_ORDER_T_HEARTBEAT].more_ns, ho_ms(1500).ns);
    assert_int_equal(c.e[HO_ORDER_CLIENT][HO_ORDER_T_WAIT].ns, ho_ms(2500).ns);
}

static void a_mistake_is_told_with_its_place(void **state)
{
    static const struct {
        const char *text, *at, *expected;
    } t[] = {
        { "", "", "a timer and its time" },
        { "request 5s,", "", "a timer and its time" },
        { "request 5", "5", "a time with its unit" },
        { "request 5 parsecs", "5 parsecs", "a time with its unit" },
        { "request 0s", "0s", "a time with its unit" },
        { "request -5s", "-5s", "client, server" },
        { "user_timeout 20s, servr idle 60s", "servr", "client, server" },
        { "keepalive 15/15", "15/15", "keepalive as idle/interval/count" },
        { "keepalive 0/15/3", "0/15/3", "keepalive as idle/interval/count" },
        { "keepalive 15/15/300", "15/15/300", "keepalive as idle/interval/count" },
        { "keepalive 60s", "60s", "keepalive as idle/interval/count" },
        { "server keepalive 32768/1/1", "32768/1/1", "keepalive as idle/interval/count" },
        { "heartbeat 30s", "30s", "a heartbeat as" },
        { "heartbeat 30s y 3", "30s y 3", "a heartbeat as" },
        { "retries2 256", "256", "a count from 1 to 255" },
        { "retries2 0", "0", "a count from 1 to 255" },
        { "pool 30s, pool idle 20s", "pool idle", "each timer once" },
        { "server wait 30s", "server wait", "a timer that this side has" },
        { "balancer keepalive 1/1/1", "balancer keepalive", "a timer that this side has" },
        { "client 30s", "30s", "which timer it is" },
        { "client server idle 3s", "server", "one side and one timer" },
        { "idle request 3s", "request", "one side and one timer" },
        { "pool 30s 20s", "20s", "a comma, or the end" },
        { "server idle 60s reset", "reset", "a comma, or the end" },
        { "user_timeout 25d", "25d", "a whole number of milliseconds" },
        { "request 101d", "101d", "a time with its unit" },
        { "request 99d99d99d99d", "99d99d99d99d", "a time with its unit" },
        { "server nosuchprogram", "nosuchprogram", "client, server" },
        { "server nginx 60s", "server nginx 60s", "a program alone" },
        { "server nginx idle 60s", "server nginx idle 60s", "a program alone" },
        { "nginx", "nginx", "which side the program is on" },
        { "balancer nginx", "balancer nginx", "a program that has settings of this side" },
        { "server nginx redis", "redis", "client, server" },
        { "request 1.5ms", "1.5ms", "a time with its unit" },
        { "request 1.2345s", "1.2345s", "a time with its unit" },
        { "request 9999999999s", "9999999999s", "a time with its unit" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct ho_order_chain chain, before;
        struct ho_order_mistake m;

        memset(&chain, 7, sizeof(chain));
        before = chain;
        if (ho_order_parse(&chain, t[i].text, &m) != -EINVAL) {
            fail_msg("'%s' is taken", t[i].text);
        }
        if (strncmp(t[i].text + m.at, t[i].at, strlen(t[i].at)) != 0 ||
            strncmp(m.expected, t[i].expected, strlen(t[i].expected)) != 0 ||
            m.at + m.len > strlen(t[i].text)) {
            fail_msg("'%s': at %zu, expected %s", t[i].text, m.at, m.expected);
        }
        assert_memory_equal(&chain, &before, sizeof(chain));
    }
}

static void entry_is(const struct ho_order_chain *c, enum ho_order_side side,
                     enum ho_order_timer timer, const char *expected)
{
    struct ho_text t = { 0 };

    if (c->e[side][timer].there) {
        ho_order_entry_text(&t, side, timer, &c->e[side][timer]);
    }
    assert_string_equal(ho_text_str(&t), expected);
    ho_text_free(&t);
}

/* knobs/settings.def: HikariCP 30 s, 10 min, 30 min; PostgreSQL always has keepalive on; nginx 75 s
 * to clients, 60 s to backends; Redis 300 s, a third, 3; AWS NLB 350 s.
 */
static void a_program_stands_for_its_defaults(void **state)
{
    struct ho_order_chain c = parse("pool hikaricp, server PostgreSQL, nat aws-nlb, proxy nginx");
    struct ho_predict_in in = base();

    (void)state;
    in.sysctls.v[HO_SYSCTL_TCP_KEEPALIVE_TIME] = 600;
    ho_order_resolve(&c, &in.sysctls);
    entry_is(&c, HO_ORDER_CLIENT, HO_ORDER_T_IDLE, "pool idle 10m");
    entry_is(&c, HO_ORDER_CLIENT, HO_ORDER_T_LIFE, "pool life 30m");
    entry_is(&c, HO_ORDER_CLIENT, HO_ORDER_T_WAIT, "pool wait 30s");
    entry_is(&c, HO_ORDER_CLIENT, HO_ORDER_T_KEEPALIVE, "");
    entry_is(&c, HO_ORDER_SERVER, HO_ORDER_T_KEEPALIVE, "server keepalive 600/75/9");
    entry_is(&c, HO_ORDER_SERVER, HO_ORDER_T_IDLE, "");
    entry_is(&c, HO_ORDER_BOX, HO_ORDER_T_IDLE, "balancer idle 350s");
    entry_is(&c, HO_ORDER_PROXY, HO_ORDER_T_IDLE, "proxy idle 60s");
    assert_true(c.e[HO_ORDER_CLIENT][HO_ORDER_T_IDLE].filled);

    c = parse("nginx server, reqwest, retries2 8");
    entry_is(&c, HO_ORDER_SERVER, HO_ORDER_T_IDLE, "server idle 75s");
    entry_is(&c, HO_ORDER_CLIENT, HO_ORDER_T_KEEPALIVE, "client keepalive 15/15/3");
    entry_is(&c, HO_ORDER_CLIENT, HO_ORDER_T_USER_TIMEOUT, "client user_timeout 30s");
    assert_false(c.e[HO_ORDER_CLIENT][HO_ORDER_T_RETRIES2].filled);
    c = parse("redis");
    entry_is(&c, HO_ORDER_SERVER, HO_ORDER_T_KEEPALIVE, "server keepalive 300/100/3");
    /* Tomcat's keepAliveTimeout is connectionTimeout's value, which is 60 s or 20 s. */
    c = parse("server tomcat");
    assert_false(c.e[HO_ORDER_SERVER][HO_ORDER_T_IDLE].there);
    assert_true(c.e[HO_ORDER_SERVER][HO_ORDER_T_IDLE].varies);
    c = parse("server tomcat, server idle 20s");
    entry_is(&c, HO_ORDER_SERVER, HO_ORDER_T_IDLE, "server idle 20s");
    /* The newest versions: Node.js 26. */
    c = parse("server node");
    entry_is(&c, HO_ORDER_SERVER, HO_ORDER_T_IDLE, "server idle 65s");
}

/* What is said goes first, wherever it stands; of two programs the timer that fires first. */
static void what_is_said_goes_before_defaults(void **state)
{
    static const char *const chains[] = { "pool idle 50s, pool hikaricp", "hikaricp, pool 50s" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ho_order_chain c = parse(chains[i]);

        entry_is(&c, HO_ORDER_CLIENT, HO_ORDER_T_IDLE, "pool idle 50s");
        entry_is(&c, HO_ORDER_CLIENT, HO_ORDER_T_LIFE, "pool life 30m");
        assert_false(c.e[HO_ORDER_CLIENT][HO_ORDER_T_IDLE].filled);
    }
    struct ho_order_chain a = parse("client httpx, client aiohttp");
    struct ho_order_chain b = parse("client aiohttp, client httpx");

    assert_memory_equal(&a, &b, sizeof(a));
    entry_is(&a, HO_ORDER_CLIENT, HO_ORDER_T_IDLE, "pool idle 5s");
    /* ALB before Node.js 20, as it was for years */
    has("proxy aws-alb, server node, server idle 5s", HO_ORDER_R_RACE, HO_ORDER_PROXY);
    has_not("proxy aws-alb, server node", HO_ORDER_R_RACE, HO_ORDER_PROXY);
}

/* ---- what fires first ------------------------------------------------------------------------ */

static void check_first(const struct ho_order *o, enum ho_order_fault fault,
                        enum ho_order_side side, enum ho_order_timer timer,
                        enum ho_order_effect effect)
{
    const struct ho_order_case *c = &o->cases[fault];

    for (unsigned i = 0; i < c->n; i++) {
        if (c->event[i].side == side) {
            assert_int_equal(c->event[i].timer, timer);
            assert_int_equal(c->event[i].effect, effect);
            return;
        }
    }
    fail_msg("%s: the %s does nothing", ho_order_fault_word(fault), ho_order_side_word(side));
}

/* The issue's own chain. 20 s of user timeout count from the first repeat, 0.41 s after the send
 * (ground-truth row 9: UT 10000 ended at 10.58).
 */
static void the_first_timer_of_each_fault(void **state)
{
    struct ho_order o = judge(example);
    const struct ho_order_event *e;

    (void)state;
    check_first(&o, HO_ORDER_F_IDLE, HO_ORDER_CLIENT, HO_ORDER_T_IDLE, HO_ORDER_E_CLOSES);
    check_first(&o, HO_ORDER_F_IDLE, HO_ORDER_SERVER, HO_ORDER_T_IDLE, HO_ORDER_E_CLOSES);
    check_first(&o, HO_ORDER_F_DATA, HO_ORDER_CLIENT, HO_ORDER_T_REQUEST, HO_ORDER_E_GIVES_UP);
    check_first(&o, HO_ORDER_F_DATA, HO_ORDER_SERVER, HO_ORDER_T_RETRIES2, HO_ORDER_E_ENDS);
    check_first(&o, HO_ORDER_F_KILLED, HO_ORDER_CLIENT, HO_ORDER_TIMER_COUNT, HO_ORDER_E_TOLD);
    check_first(&o, HO_ORDER_F_HANGS, HO_ORDER_CLIENT, HO_ORDER_T_REQUEST, HO_ORDER_E_GIVES_UP);
    assert_false(o.cases[HO_ORDER_F_FORGOT].possible);
    check_first(&o, HO_ORDER_F_FORGOT, HO_ORDER_CLIENT, HO_ORDER_T_KEEPALIVE, HO_ORDER_E_SPEAKS);
    check_first(&o, HO_ORDER_F_RACE, HO_ORDER_CLIENT, HO_ORDER_T_IDLE, HO_ORDER_E_CLOSES);

    e = &o.cases[HO_ORDER_F_DATA].event[1];
    assert_int_equal(e->timer, HO_ORDER_T_USER_TIMEOUT);
    assert_int_equal(e->err, ETIMEDOUT);
    between(e->min_ns, 20400, 20700);
    between(e->max_ns, 20400, 20700);
}

/* 937.8 s measured for data (A3); 2 h 11 min 15 s for keepalive, which stands back for a heartbeat
 * (row 13).
 */
static void defaults_of_linux(void **state)
{
    struct ho_order o = judge("keepalive 7200/75/9");
    const struct ho_order_event *e = &o.cases[HO_ORDER_F_IDLE].event[0];

    (void)state;
    assert_int_equal(e->timer, HO_ORDER_T_KEEPALIVE);
    assert_true(e->min_ns >= ho_s(7875).ns && e->max_ns < ho_s(8040).ns);
    e = &o.cases[HO_ORDER_F_DATA].event[0];
    assert_true(e->min_ns <= ho_ms(937800).ns && e->max_ns >= ho_ms(937800).ns);

    o = judge("keepalive 7200/75/9, heartbeat 30s x 2");
    check_first(&o, HO_ORDER_F_IDLE, HO_ORDER_CLIENT, HO_ORDER_T_HEARTBEAT, HO_ORDER_E_NOTICES);
    assert_int_equal(o.cases[HO_ORDER_F_IDLE].n, 2);
    assert_int_equal(o.cases[HO_ORDER_F_IDLE].event[1].timer, HO_ORDER_T_RETRIES2);
    assert_int_equal(o.cases[HO_ORDER_F_IDLE].event[0].min_ns, ho_s(60).ns);
    assert_int_equal(o.cases[HO_ORDER_F_IDLE].event[0].max_ns, ho_s(90).ns);

    o = judge("heartbeat 30s + 15s"); /* HTTP/2 of Kubernetes' clients: 45 s */
    assert_int_equal(o.cases[HO_ORDER_F_IDLE].event[0].min_ns, ho_s(45).ns);
    assert_int_equal(o.cases[HO_ORDER_F_IDLE].event[0].max_ns, ho_s(45).ns);
}

/* ---- rules: one chain that breaks it, one that does not -------------------------------------- */

/* Row 9, keepalive 5/2/3: UT 1, 3 and 6 s ended with one probe at 6.68, 8 s with two at 8.69, 12 s
 * at 12.72, 20 s at 20.78.
 */
static void one_lost_probe(void **state)
{
    const struct ho_order_finding *f =
        has("keepalive 5/2/3, user_timeout 6s", HO_ORDER_R_LOST_PROBE, HO_ORDER_CLIENT);

    (void)state;
    between(f->min_ns, 7000, 7060);
    between(f->max_ns, 7000, 7600);
    assert_int_equal(f->lost, 1);
    assert_true(ho_order_reason_unsafe(f->reason));
    assert_string_equal(ho_order_reason_finding(f->reason), "UT001");
    change_is(f, 0, "client user_timeout 10s");

    f = has("server keepalive 15/15/3, server user_timeout 20s", HO_ORDER_R_LOST_PROBE,
            HO_ORDER_SERVER);
    change_is(f, 0, "server user_timeout 52500ms");
    change_is(f, 1, "server keepalive 8/5/3");
    has_not("keepalive 5/2/3, user_timeout 10s", HO_ORDER_R_LOST_PROBE, HO_ORDER_CLIENT);
    has_not("keepalive 5/2/3", HO_ORDER_R_LOST_PROBE, HO_ORDER_CLIENT);

    has("keepalive 60/10/1", HO_ORDER_R_COUNT_ONE, HO_ORDER_CLIENT);
    has_not("keepalive 60/10/2", HO_ORDER_R_COUNT_ONE, HO_ORDER_CLIENT);
}

static void other_numbers_of_probes(void **state)
{
    const struct ho_order_finding *f =
        has("keepalive 5/2/3, user_timeout 8s", HO_ORDER_R_FEWER_PROBES, HO_ORDER_CLIENT);

    (void)state;
    assert_int_equal(f->lost, 2);
    has_not("keepalive 5/2/3, user_timeout 10s", HO_ORDER_R_FEWER_PROBES, HO_ORDER_CLIENT);
    f = has("keepalive 5/2/3, user_timeout 20s", HO_ORDER_R_MORE_PROBES, HO_ORDER_CLIENT);
    between(f->min_ns, 20000, 21200);
    assert_int_equal(f->than_ns, ho_s(11).ns);
    has_not("keepalive 5/2/3, user_timeout 10s", HO_ORDER_R_MORE_PROBES, HO_ORDER_CLIENT);
}

static void user_timeout_in_the_wrong_unit(void **state)
{
    const struct ho_order_finding *f = has("user_timeout 30ms", HO_ORDER_R_TINY, HO_ORDER_CLIENT);

    (void)state;
    change_is(f, 0, "client user_timeout 30s");
    has_not("user_timeout 1s", HO_ORDER_R_TINY, HO_ORDER_CLIENT);
}

/* Row 13: with data in flight no probe goes out. */
static void keepalive_without_a_user_timeout(void **state)
{
    const struct ho_order_finding *f =
        has("keepalive 60/10/3", HO_ORDER_R_DATA_UNCOVERED, HO_ORDER_CLIENT);

    (void)state;
    assert_true(f->min_ns <= ho_ms(937800).ns && f->max_ns >= ho_ms(937800).ns);
    change_is(f, 0, "client user_timeout 85s");
    has("server keepalive 60/10/3, server idle 75s", HO_ORDER_R_DATA_UNCOVERED, HO_ORDER_SERVER);
    has_not("keepalive 60/10/3, user_timeout 85s", HO_ORDER_R_DATA_UNCOVERED, HO_ORDER_CLIENT);
    has_not("keepalive 60/10/3, request 30s", HO_ORDER_R_DATA_UNCOVERED, HO_ORDER_CLIENT);
    has_not("keepalive 60/10/9, retries2 8", HO_ORDER_R_DATA_UNCOVERED, HO_ORDER_CLIENT);
}

static void idle_for_ever(void **state)
{
    const struct ho_order_finding *f =
        has("user_timeout 20s", HO_ORDER_R_IDLE_UNNOTICED, HO_ORDER_CLIENT);

    (void)state;
    assert_int_equal(f->changes, 2);
    has("request 5s, server request 5s", HO_ORDER_R_IDLE_UNNOTICED, HO_ORDER_SERVER);
    has_not("user_timeout 20s, pool 30s", HO_ORDER_R_IDLE_UNNOTICED, HO_ORDER_CLIENT);
    has_not("user_timeout 20s, keepalive 5/5/3", HO_ORDER_R_IDLE_UNNOTICED, HO_ORDER_CLIENT);
    has_not("request 5s", HO_ORDER_R_IDLE_UNNOTICED, HO_ORDER_SERVER); /* nothing is said of it */
}

static void hang_for_ever(void **state)
{
    (void)state;
    has("keepalive 60/10/3", HO_ORDER_R_HANG_UNNOTICED, HO_ORDER_CLIENT);
    has_not("keepalive 60/10/3, request 30s", HO_ORDER_R_HANG_UNNOTICED, HO_ORDER_CLIENT);
    has_not("keepalive 60/10/3, heartbeat 30s x 2", HO_ORDER_R_HANG_UNNOTICED, HO_ORDER_CLIENT);
}

static void requests_and_tcp(void **state)
{
    const struct ho_order_finding *f =
        has("request 20m, pool 30s", HO_ORDER_R_REQUEST_LATE, HO_ORDER_CLIENT);

    (void)state;
    assert_true(f->max_ns < f->than_ns);
    has_not("request 60s, pool 30s", HO_ORDER_R_REQUEST_LATE, HO_ORDER_CLIENT);
    has_not("request 20m, user_timeout 30s", HO_ORDER_R_REQUEST_LATE, HO_ORDER_CLIENT);
    has_not("request 60s, retries2 5", HO_ORDER_R_REQUEST_LATE, HO_ORDER_CLIENT);

    f = has("request 60s, pool 30s", HO_ORDER_R_REQUEST_LEAVES, HO_ORDER_CLIENT);
    assert_false(ho_order_reason_unsafe(f->reason));
    has_not("request 60s, user_timeout 30s", HO_ORDER_R_REQUEST_LEAVES, HO_ORDER_CLIENT);

    has("request 5s, server request 60s", HO_ORDER_R_WORKS_ON, HO_ORDER_SERVER);
    has_not("request 5s, server request 4s", HO_ORDER_R_WORKS_ON, HO_ORDER_SERVER);
}

/* A pool that waits 10 s, and a user timeout of 10 s, which takes 10.4 s: failed requests
 * (juspay/hyperswitch 13629).
 */
static void waiting_for_the_pool(void **state)
{
    const struct ho_order_finding *f =
        has("pool wait 10s, user_timeout 10s", HO_ORDER_R_WAIT_SHORT, HO_ORDER_CLIENT);

    (void)state;
    change_is(f, 0, "client user_timeout 5s");
    has_not("pool wait 10s, user_timeout 5s", HO_ORDER_R_WAIT_SHORT, HO_ORDER_CLIENT);
    has_not("pool wait 10s, request 5s", HO_ORDER_R_WAIT_SHORT, HO_ORDER_CLIENT);
    has("pool wait 30s", HO_ORDER_R_WAIT_SHORT, HO_ORDER_CLIENT);
}

static void connecting(void **state)
{
    const struct ho_order_finding *f;

    (void)state;
    has("connect 10s, request 10s", HO_ORDER_R_CONNECT_LATE, HO_ORDER_CLIENT);
    has_not("connect 2s, request 10s", HO_ORDER_R_CONNECT_LATE, HO_ORDER_CLIENT);
    /* 134.9 s measured (row 10) */
    f = has("connect 3m", HO_ORDER_R_CONNECT_IDLE, HO_ORDER_CLIENT);
    assert_true(f->min_ns <= ho_ms(134900).ns && f->max_ns >= ho_ms(134900).ns);
    has_not("connect 2m", HO_ORDER_R_CONNECT_IDLE, HO_ORDER_CLIENT);
    has("connect 10s, syn_retries 2", HO_ORDER_R_CONNECT_IDLE, HO_ORDER_CLIENT); /* 7.12 s */
}

static void forgotten_flows(void **state)
{
    const struct ho_order_finding *f =
        has("keepalive 400/10/3, balancer 350s", HO_ORDER_R_FORGOTTEN, HO_ORDER_CLIENT);

    (void)state;
    change_is(f, 0, "client keepalive 175/10/3");
    change_is(f, 1, "pool idle 315s");
    has("keepalive 7200/75/9, nat 350s", HO_ORDER_R_FORGOTTEN, HO_ORDER_CLIENT);
    has_not("keepalive 60/10/3, balancer 350s", HO_ORDER_R_FORGOTTEN, HO_ORDER_CLIENT);
    /* On the other side it does as well; a heartbeat, too, and so does closing. */
    has_not("request 5s, server keepalive 60/10/3, nat 350s", HO_ORDER_R_FORGOTTEN,
            HO_ORDER_CLIENT);
    has_not("heartbeat 30s x 2, nat 350s", HO_ORDER_R_FORGOTTEN, HO_ORDER_CLIENT);
    has_not("pool 5m, nat 350s", HO_ORDER_R_FORGOTTEN, HO_ORDER_CLIENT);
    has_not("server idle 75s, nat 350s", HO_ORDER_R_FORGOTTEN, HO_ORDER_CLIENT);
    has("pool 10m, nat 350s", HO_ORDER_R_FORGOTTEN, HO_ORDER_CLIENT);
    has("user_timeout 20s, nat 350s", HO_ORDER_R_FORGOTTEN, HO_ORDER_CLIENT);
}

/* A timer of 345 s may be a granule of 16.4 s late (A1): below 350 s is not enough. */
static void lateness_of_the_wheel_counts(void **state)
{
    struct ho_order_chain chain = parse("keepalive 345/10/3, balancer 350s");
    struct ho_predict_in in = base();
    struct ho_order order;

    (void)state;
    assert_int_equal(ho_order_judge(&chain, &in, &order), 0);
    assert_non_null(find(&order, HO_ORDER_R_FORGOTTEN, HO_ORDER_CLIENT));
    in.hz = 0; /* exact timers */
    assert_int_equal(ho_order_judge(&chain, &in, &order), 0);
    assert_null(find(&order, HO_ORDER_R_FORGOTTEN, HO_ORDER_CLIENT));
}

/* Behind a box that resets, the next request is told at once. */
static void what_follows_a_forgotten_flow(void **state)
{
    struct ho_order o = judge("request 60s, user_timeout 20s, nat 350s");

    (void)state;
    assert_true(o.cases[HO_ORDER_F_FORGOT].possible);
    check_first(&o, HO_ORDER_F_FORGOT, HO_ORDER_CLIENT, HO_ORDER_T_USER_TIMEOUT, HO_ORDER_E_ENDS);
    o = judge("request 60s, user_timeout 20s, nat 350s reset");
    check_first(&o, HO_ORDER_F_FORGOT, HO_ORDER_CLIENT, HO_ORDER_TIMER_COUNT, HO_ORDER_E_TOLD);
    assert_int_equal(o.cases[HO_ORDER_F_FORGOT].event[0].err, ECONNRESET);
}

/* AWS ALB 60 s in front of Node.js 5 s (nodejs/node 20256): 502. */
static void reuse_races(void **state)
{
    const struct ho_order_finding *f =
        has("proxy idle 60s, server idle 5s", HO_ORDER_R_RACE, HO_ORDER_PROXY);

    (void)state;
    change_is(f, 0, "proxy idle 4s");
    change_is(f, 1, "server idle 66s");
    has_not("proxy idle 60s, server idle 65s", HO_ORDER_R_RACE, HO_ORDER_PROXY);
    has("pool 75s, server idle 75s", HO_ORDER_R_RACE, HO_ORDER_CLIENT); /* equal is a race */
    has_not("pool 60s, server idle 75s", HO_ORDER_R_RACE, HO_ORDER_CLIENT);
    has("pool life 30m, server idle 75s", HO_ORDER_R_RACE, HO_ORDER_CLIENT);
    has("pool wait 30s, server idle 75s", HO_ORDER_R_RACE, HO_ORDER_CLIENT);
    has_not("request 5s, server idle 75s", HO_ORDER_R_RACE, HO_ORDER_CLIENT); /* no pool said */
    /* Keepalive is not traffic of the protocol: it does not help. */
    has("pool 75s, server idle 60s, keepalive 10/5/3", HO_ORDER_R_RACE, HO_ORDER_CLIENT);

    has("pool 30s, balancer 350s, server idle 60s", HO_ORDER_R_MAYBE_RACE, HO_ORDER_BOX);
    has_not("pool 30s, balancer 50s, server idle 60s", HO_ORDER_R_MAYBE_RACE, HO_ORDER_BOX);
    has_not("proxy 50s, balancer 350s, server idle 60s", HO_ORDER_R_MAYBE_RACE, HO_ORDER_BOX);
}

static void a_safe_chain_has_nothing_unsafe(void **state)
{
    struct ho_order o = judge("client request 30s, connect 2s, pool 50s, user_timeout 27500ms, "
                              "keepalive 15/5/3, balancer 350s, server idle 60s, "
                              "server keepalive 15/5/3, server user_timeout 27500ms");

    (void)state;
    for (unsigned i = 0; i < o.n; i++) {
        if (ho_order_reason_unsafe(o.finding[i].reason)) {
            fail_msg("%s", ho_order_reason_word(o.finding[i].reason));
        }
    }
    assert_int_equal(o.unsafe, 0);
}

/* ---- properties ------------------------------------------------------------------------------ */

static void put_random_entry(struct ho_text *t, struct ho_rng *rng, enum ho_order_side side,
                             enum ho_order_timer timer)
{
    static const int64_t ms[] = { 30,    500,   1000,  2000,   5000,   10000,  20000,   30000,
                                  59000, 60000, 75000, 240000, 350000, 600000, 1800000, 7200000 };
    struct ho_order_entry e = { .there = true };

    e.ns = ho_ms(ms[ho_rng_below(rng, sizeof(ms) / sizeof(ms[0]))]).ns;
    if (timer == HO_ORDER_T_KEEPALIVE) {
        e.ns = ho_s((int64_t)ho_rng_below(rng, 600) + 1).ns;
        e.more_ns = ho_s((int64_t)ho_rng_below(rng, 80) + 1).ns;
    } else if (timer == HO_ORDER_T_HEARTBEAT && ho_rng_below(rng, 2) == 0) {
        e.more_ns = ho_s((int64_t)ho_rng_below(rng, 30) + 1).ns;
    }
    e.count = (int64_t)ho_rng_below(rng, 10) + 1;
    e.reset = side == HO_ORDER_BOX && ho_rng_below(rng, 2) == 0;
    ho_order_entry_text(t, side, timer, &e);
}

#define ENTRIES_MAX 40

/* Random entries, one after the other; returns their number. */
static unsigned random_entries(struct ho_text *entries, struct ho_rng *rng)
{
    unsigned n = 0;

    for (int side = 0; side < HO_ORDER_SIDE_COUNT; side++) {
        for (int timer = 0; timer < HO_ORDER_TIMER_COUNT; timer++) {
            struct ho_order_mistake mistake;
            struct ho_order_chain chain;

            if (ho_rng_below(rng, 3) != 0) {
                continue;
            }
            entries[n] = (struct ho_text){ 0 };
            put_random_entry(&entries[n], rng, (enum ho_order_side)side,
                             (enum ho_order_timer)timer);
            if (ho_order_parse(&chain, ho_text_str(&entries[n]), &mistake) == 0) {
                assert_true(chain.e[side][timer].there); /* what is written is read as it was */
                n++;
            } else {
                ho_text_free(&entries[n]);
            }
        }
    }
    return n;
}

/* All that is said of a chain, as text. */
static void put_all(struct ho_text *out, const char *text)
{
    struct ho_order_chain chain = parse(text);
    struct ho_predict_in in = base();
    struct ho_order o;

    assert_int_equal(ho_order_judge(&chain, &in, &o), 0);
    for (int i = 0; i < HO_ORDER_FAULT_COUNT; i++) {
        for (unsigned k = 0; k < o.cases[i].n; k++) {
            const struct ho_order_event *e = &o.cases[i].event[k];

            ho_text_printf(out, "%d %d %d %d %lld %lld\n", i, (int)e->side, (int)e->timer,
                           (int)e->effect, (long long)e->min_ns, (long long)e->max_ns);
        }
    }
    for (unsigned i = 0; i < o.n; i++) {
        ho_text_printf(out, "%s: ", ho_order_reason_word(o.finding[i].reason));
        ho_order_why(out, &chain, &o.finding[i]);
        for (unsigned k = 0; k < o.finding[i].changes; k++) {
            const struct ho_order_change *c = &o.finding[i].change[k];

            ho_text_put(out, "; ");
            ho_order_entry_text(out, c->side, c->timer, &c->e);
        }
        ho_text_char(out, '\n');
    }
}

static void join(struct ho_text *out, const struct ho_text *entries, const unsigned *order,
                 unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ho_text_put(out, i > 0 ? ", " : "");
        ho_text_put(out, ho_text_str(&entries[order[i]]));
    }
}

static void the_order_of_the_entries_means_nothing(void **state)
{
    struct ho_rng rng;

    (void)state;
    ho_rng_init(&rng, 20261121, 0);
    for (int round = 0; round < 30; round++) {
        struct ho_text entries[ENTRIES_MAX], a = { 0 }, b = { 0 }, said_a = { 0 }, said_b = { 0 };
        unsigned order[ENTRIES_MAX], n = random_entries(entries, &rng);

        for (unsigned i = 0; i < n; i++) {
            order[i] = i;
        }
        join(&a, entries, order, n);
        for (unsigned i = n; i > 1; i--) {
            unsigned k = (unsigned)ho_rng_below(&rng, i), kept = order[i - 1];

            order[i - 1] = order[k];
            order[k] = kept;
        }
        join(&b, entries, order, n);
        if (n > 0) {
            put_all(&said_a, ho_text_str(&a));
            put_all(&said_b, ho_text_str(&b));
            assert_string_equal(ho_text_str(&said_a), ho_text_str(&said_b));
        }
        for (unsigned i = 0; i < n; i++) {
            ho_text_free(&entries[i]);
        }
        ho_text_free(&a);
        ho_text_free(&b);
        ho_text_free(&said_a);
        ho_text_free(&said_b);
    }
}

/* Everything unsafe has a change that ends it, and times that make sense. */
static void what_is_unsafe_can_be_changed(void **state)
{
    struct ho_predict_in in = base();
    struct ho_rng rng;

    (void)state;
    ho_rng_init(&rng, 6, 0);
    for (int round = 0; round < 30; round++) {
        struct ho_text entries[ENTRIES_MAX], text = { 0 };
        unsigned order[ENTRIES_MAX], n = random_entries(entries, &rng);
        struct ho_order_chain chain;
        struct ho_order o;

        for (unsigned i = 0; i < n; i++) {
            order[i] = i;
        }
        join(&text, entries, order, n);
        for (unsigned i = 0; i < n; i++) {
            ho_text_free(&entries[i]);
        }
        if (n > 0) {
            chain = parse(ho_text_str(&text));
            assert_int_equal(ho_order_judge(&chain, &in, &o), 0);
            for (unsigned i = 0; i < o.n; i++) {
                const struct ho_order_finding *f = &o.finding[i];

                assert_true(f->min_ns <= f->max_ns);
                assert_int_equal(i < o.unsafe, ho_order_reason_unsafe(f->reason));
                if (i < o.unsafe && f->changes == 0) {
                    fail_msg("%s: nothing helps against %s", ho_text_str(&text),
                             ho_order_reason_word(f->reason));
                }
            }
        }
        ho_text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_read),
        cmocka_unit_test(a_mistake_is_told_with_its_place),
        cmocka_unit_test(a_program_stands_for_its_defaults),
        cmocka_unit_test(what_is_said_goes_before_defaults),
        cmocka_unit_test(the_first_timer_of_each_fault),
        cmocka_unit_test(defaults_of_linux),
        cmocka_unit_test(one_lost_probe),
        cmocka_unit_test(other_numbers_of_probes),
        cmocka_unit_test(user_timeout_in_the_wrong_unit),
        cmocka_unit_test(keepalive_without_a_user_timeout),
        cmocka_unit_test(idle_for_ever),
        cmocka_unit_test(hang_for_ever),
        cmocka_unit_test(requests_and_tcp),
        cmocka_unit_test(waiting_for_the_pool),
        cmocka_unit_test(connecting),
        cmocka_unit_test(forgotten_flows),
        cmocka_unit_test(lateness_of_the_wheel_counts),
        cmocka_unit_test(what_follows_a_forgotten_flow),
        cmocka_unit_test(reuse_races),
        cmocka_unit_test(a_safe_chain_has_nothing_unsafe),
        cmocka_unit_test(the_order_of_the_entries_means_nothing),
        cmocka_unit_test(what_is_unsafe_can_be_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
