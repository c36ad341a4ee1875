/* What the doctor says of a connection comes true where the peer is on the same link: ARP (or
 * neighbour discovery) fails at times drawn at random, its ICMP takes back steps of backing off and
 * changes the errno (ground-truth A4, A5). Two hosts of the model with random settings; the cable
 * is cut or the own plug pulled, data is sent, and the connection looked at until it is given up.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "forecast/outlook.h"
#include "host/info.h"
#include "support/pair.h"

#define LOOKS_MAX 2000

struct said {
    const char *what;
    int64_t at_ns, min_ns, max_ns;
    int err, other_err;
    struct ho_conn c;
};

struct draw {
    struct ho_rng rng;
    struct ho_pair p;
    struct ho_conn_host h;
    int64_t fd, user_timeout_ms;
    bool ipv6;
    struct said said[LOOKS_MAX];
    size_t n, unreachable, irregular, looks;
};

static int64_t between(struct draw *d, int64_t least, int64_t most)
{
    return least + (int64_t)ho_rng_below(&d->rng, (uint64_t)(most - least) + 1);
}

static bool one_in(struct draw *d, uint64_t n)
{
    return ho_rng_below(&d->rng, n) == 0;
}

static struct ho_conn look(struct draw *d)
{
    struct ho_sock_info i;

    assert_int_equal(ho_host_sock_info(d->p.host[0], 1, (int)d->fd, d->p.now, &i), 0);
    return (struct ho_conn){
        .state = (uint8_t)i.tcp.state,
        .ipv6 = d->ipv6,
        .on_link = true,
        .timer = (uint8_t)i.tcp.timer,
        .retrans = (uint8_t)i.tcp.idiag_retrans,
        .expires_ms = (uint32_t)(i.tcp.expires_us / 1000),
        .has_info = true,
        .backoff = i.tcp.backoff,
        .rto_us = i.tcp.rto_us,
        .rtt_us = i.tcp.rtt_us,
        .unacked = i.tcp.unacked,
        .last_data_sent_ms = i.tcp.last_data_sent_ms,
        .last_data_recv_ms = i.tcp.last_data_recv_ms,
        .last_ack_recv_ms = i.tcp.last_ack_recv_ms,
        .wqueue = i.tcp.wq,
        .keepalive_known = HO_KNOWN_READ,
        .options_known = HO_KNOWN_READ,
        .keepidle_s = 7200,
        .keepintvl_s = 75,
        .keepcnt = 9,
        .user_timeout_ms = d->user_timeout_ms,
    };
}

static void remember(struct draw *d, const char *what, const struct ho_conn *c,
                     const struct ho_outlook_answer *a)
{
    if (a->kind != HO_OUTLOOK_RANGE && a->kind != HO_OUTLOOK_WITHIN) {
        fail_msg("%s ends %s: hz %u, rto_max %" PRId64 ", user timeout %" PRId64
                 ", retrans %u, backoff %u, expires %u ms, rto %u us",
                 what, ho_outlook_kind_word(a->kind), d->h.hz,
                 d->h.sysctls.v[HO_SYSCTL_TCP_RTO_MAX_MS], d->user_timeout_ms, c->retrans,
                 c->backoff, c->expires_ms, c->rto_us);
    }
    if (d->n < LOOKS_MAX) {
        d->said[d->n++] = (struct said){
            what,         d->p.now.ns, d->p.now.ns + a->min_ns, d->p.now.ns + a->max_ns, a->err,
            a->other_err, *c
        };
    }
}

static void ask(struct draw *d)
{
    struct ho_conn c = look(d);
    struct ho_outlook o;

    ho_outlook(&c, &d->h, &o);
    /* Sixty steps taken and given back, and the kernel's own shift overflows: then it is unknown.
     */
    if (o.trouble == HO_TROUBLE_RETRANSMITTING && c.rto_us > 0) {
        remember(d, "retransmitting", &c, &o.end);
        d->looks++;
        d->irregular += c.backoff != c.retrans;
    }
}

static void begin(struct draw *d)
{
    static const uint32_t hz[] = { 100, 250, 1000 };
    uint32_t my_hz = hz[ho_rng_below(&d->rng, 3)];
    int64_t peer;
    struct ho_outlook o;

    d->ipv6 = one_in(d, 3);
    d->n = 0;
    ho_pair_init(&d->p, d->ipv6, my_hz);
    struct ho_sysctls *s = ho_host_sysctls(d->p.host[0]);

    s->v[HO_SYSCTL_TCP_RETRIES2] = between(d, 0, 15);
    if (one_in(d, 3)) {
        s->v[HO_SYSCTL_TCP_RTO_MAX_MS] = between(d, 1000, 120000);
    }
    d->h = (struct ho_conn_host){ .hz = my_hz, .sysctls = *s };
    ho_pair_connect(&d->p, 5000, &d->fd, &peer);
    d->user_timeout_ms = one_in(d, 3) ? between(d, 100, 200000) : 0;
    assert_int_equal(ho_pair_set(&d->p, 0, d->fd, HO_SOCKOPT_TCP_USER_TIMEOUT, d->user_timeout_ms),
                     0);
    ho_pair_run_for(&d->p, ho_ms(between(d, 0, 90000))); /* its neighbour entry grows old */
    d->p.cut[0] = d->p.cut[1] = true;
    struct ho_conn c = look(d);

    ho_outlook(&c, &d->h, &o);
    remember(d, "busy", &c, &o.busy);
    assert_int_equal(ho_pair_send(&d->p, 0, d->fd, "data", 4), 4);
}

static void judge(struct draw *d, int err)
{
    int64_t end_ns = d->p.now.ns;

    for (size_t i = 0; i < d->n; i++) {
        const struct said *s = &d->said[i];
        const struct ho_conn *c = &s->c;

        if (end_ns < s->min_ns || end_ns > s->max_ns || (err != s->err && err != s->other_err)) {
            fail_msg("%s %.6f s before its end with %d: %.6f to %.6f s more, %d or %d; hz %u, "
                     "retries2 %" PRId64 ", rto_max %" PRId64 ", user timeout %" PRId64
                     ", retrans %u, backoff %u, expires %u ms, rto %u us, sent %u ms ago",
                     s->what, (double)(end_ns - s->at_ns) / 1e9, err,
                     (double)(s->min_ns - s->at_ns) / 1e9, (double)(s->max_ns - s->at_ns) / 1e9,
                     s->err, s->other_err, d->h.hz, d->h.sysctls.v[HO_SYSCTL_TCP_RETRIES2],
                     d->h.sysctls.v[HO_SYSCTL_TCP_RTO_MAX_MS], d->user_timeout_ms, c->retrans,
                     c->backoff, c->expires_ms, c->rto_us, c->last_data_sent_ms);
        }
    }
    d->unreachable += err == EHOSTUNREACH;
}

static void play(struct draw *d)
{
    begin(d);
    while (ho_pair_state(&d->p, 0, d->fd) != HO_TCP_CLOSE) {
        struct ho_time t = ho_host_deadline(d->p.host[0]);

        assert_true(t.ns != HO_NEVER.ns);
        d->p.n_sent = 0;
        if (t.ns > d->p.now.ns + 1 && one_in(d, 2)) {
            ho_pair_run(&d->p, (struct ho_time){ between(d, d->p.now.ns, t.ns - 1) });
            ask(d);
            continue;
        }
        ho_pair_run(&d->p, t);
        if (one_in(d, 4) && ho_pair_state(&d->p, 0, d->fd) != HO_TCP_CLOSE) {
            ask(d);
        }
    }
    judge(d, (int)ho_pair_get(&d->p, 0, d->fd, HO_SOCKOPT_SO_ERROR));
    (void)ho_pair_close(&d->p, 0, d->fd);
    ho_pair_done(&d->p);
}

static void what_is_said_comes_true_on_a_link(void **state)
{
    static struct draw d;
    const char *more = getenv("HO_OUTLOOK_DRAWS");
    unsigned n = more != NULL ? (unsigned)strtoul(more, NULL, 10) : 500;

    (void)state;
    ho_rng_init(&d.rng, 1, 0);
    for (unsigned i = 0; i < n; i++) {
        play(&d);
    }
    assert_true(d.looks / 10 >= n);
    assert_true(d.unreachable >= n / 20 && d.irregular >= n / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_comes_true_on_a_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
