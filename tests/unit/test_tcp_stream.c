/* A stream over a wire that loses, delays and repeats, in both directions at once, arrives whole:
 * every byte, in order, and then the end. One seed, one run; the seed of a failure is printed.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/tcp_pair.h"

#define TOTAL 60000u

struct side {
    size_t given, got;
    bool ended;
};

/* Writes what is taken, and shuts the half when all was given. */
static void write_some(struct ho_tp *p, struct ho_tp_end *e, struct side *s)
{
    uint8_t bytes[3000];

    while (s->given < TOTAL) {
        size_t want = 1 + ho_rng_below(&p->rng, sizeof(bytes));
        size_t n = TOTAL - s->given < want ? TOTAL - s->given : want;
        for (size_t i = 0; i < n; i++) {
            bytes[i] = ho_tp_byte(s->given + i);
        }
        int64_t took = ho_tcp_send(&e->env, &e->c, bytes, n, p->now);
        if (took < 0) {
            assert_int_equal(took, -EAGAIN);
            return;
        }
        s->given += (size_t)took;
        if (s->given == TOTAL) {
            assert_int_equal(ho_tcp_shutdown(&e->env, &e->c, false, true, p->now), 0);
        }
    }
}

static void read_some(struct ho_tp *p, struct ho_tp_end *e, struct side *s)
{
    uint8_t bytes[4096];
    int64_t n;

    while (!s->ended && (n = ho_tcp_recv(&e->env, &e->c, bytes, 1 + ho_rng_below(&p->rng, 4096),
                                         false, p->now)) != -EAGAIN) {
        if (n < 0) {
            fail_msg("recv: %lld after %zu bytes", (long long)n, s->got);
        }
        s->ended = n == 0;
        for (size_t i = 0; i < (size_t)n; i++) {
            assert_int_equal(bytes[i], ho_tp_byte(s->got + i));
        }
        s->got += (size_t)n;
    }
}

static void exchange(struct ho_tp *p, uint64_t seed)
{
    struct side a = { 0 }, b = { 0 };
    struct ho_time limit = ho_time_add(p->now, ho_s(3600));

    while (!a.ended || !b.ended) {
        write_some(p, &p->a, &a);
        write_some(p, &p->b, &b);
        ho_tp_run_ms(p, 1 + (int64_t)ho_rng_below(&p->rng, 40));
        read_some(p, &p->a, &a);
        read_some(p, &p->b, &b);
        if (!ho_time_before(p->now, limit)) {
            fail_msg("seed %llu: stuck at %zu and %zu bytes", (unsigned long long)seed, a.got,
                     b.got);
        }
    }
    assert_int_equal(a.got, TOTAL);
    assert_int_equal(b.got, TOTAL);
    ho_tp_run(p, ho_time_add(p->now, ho_s(300)));
    /* the end that reaches TIME-WAIT first has no record here that would answer the other one */
    bool over = p->a.c.state == HO_TCP_TIME_WAIT || p->a.c.state == HO_TCP_CLOSE ||
                p->b.c.state == HO_TCP_TIME_WAIT || p->b.c.state == HO_TCP_CLOSE;
    assert_true(over);
}

struct setting {
    bool no_sack, no_ts, no_wscale, cubic;
    uint32_t rcvbuf, sndbuf;
    uint32_t hz;
};

static void streams(const struct setting *s, uint64_t from, uint64_t n)
{
    for (uint64_t seed = from; seed < from + n; seed++) {
        struct ho_tp *p = ho_tp_new(s->hz, 5000);
        struct ho_tp_end *ends[] = { &p->a, &p->b };
        for (int i = 0; i < 2; i++) {
            struct ho_sysctls *sys = &ends[i]->sys;
            sys->v[HO_SYSCTL_TCP_SACK] = !s->no_sack;
            sys->v[HO_SYSCTL_TCP_TIMESTAMPS] = !s->no_ts;
            sys->v[HO_SYSCTL_TCP_WINDOW_SCALING] = !s->no_wscale;
            sys->v[HO_SYSCTL_TCP_RETRIES2] = 15;
            sys->v[HO_SYSCTL_TCP_CONGESTION_CONTROL] =
                s->cubic ? HO_CONGESTION_CUBIC : HO_CONGESTION_RENO;
            ends[i]->opts->rcvbuf = s->rcvbuf;
            ends[i]->opts->sndbuf = s->sndbuf;
        }
        ho_tp_establish(p);
        ho_rng_init(&p->rng, seed, 1);
        p->loss = (uint32_t)ho_rng_below(&p->rng, 120);
        p->repeat = (uint32_t)ho_rng_below(&p->rng, 60);
        p->jitter = (uint32_t)ho_rng_below(&p->rng, 300);
        p->jitter_us = 1 + (uint32_t)ho_rng_below(&p->rng, 30000);
        exchange(p, seed);
        ho_tp_free(p);
    }
}

static void a_stream_arrives_whole_at_the_defaults(void **state)
{
    (void)state;
    streams(&(struct setting){ .hz = 250 }, 1, 200);
}

static void a_stream_arrives_whole_without_sack(void **state)
{
    (void)state;
    streams(&(struct setting){ .hz = 250, .no_sack = true }, 1000, 60);
}

static void a_stream_arrives_whole_without_timestamps(void **state)
{
    (void)state;
    streams(&(struct setting){ .hz = 250, .no_ts = true }, 2000, 40);
    streams(&(struct setting){ .hz = 250, .no_ts = true, .no_sack = true }, 2500, 40);
}

static void a_stream_arrives_whole_without_window_scaling(void **state)
{
    (void)state;
    streams(&(struct setting){ .hz = 250, .no_wscale = true }, 3000, 40);
}

static void a_stream_arrives_whole_through_tiny_buffers(void **state)
{
    (void)state;
    streams(&(struct setting){ .hz = 250, .rcvbuf = 2304, .sndbuf = 4608 }, 4000, 20);
    streams(&(struct setting){ .hz = 250, .rcvbuf = 8192, .sndbuf = 8192 }, 4500, 20);
}

static void a_stream_arrives_whole_with_cubic_and_an_exact_clock(void **state)
{
    (void)state;
    streams(&(struct setting){ .hz = 0, .cubic = true }, 5000, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_arrives_whole_at_the_defaults),
        cmocka_unit_test(a_stream_arrives_whole_without_sack),
        cmocka_unit_test(a_stream_arrives_whole_without_timestamps),
        cmocka_unit_test(a_stream_arrives_whole_without_window_scaling),
        cmocka_unit_test(a_stream_arrives_whole_through_tiny_buffers),
        cmocka_unit_test(a_stream_arrives_whole_with_cubic_and_an_exact_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
