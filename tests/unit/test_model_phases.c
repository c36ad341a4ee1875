/* The range that a verdict carries is what other phases of the timer wheel give.
 *
 * For every chain of timers: the range is computed from one play; then the same scenario is
 * played with 64 starting jiffies spread evenly over the largest step of the wheel in the chain,
 * and with the two that the computation names as extreme. Every answer lies in the range, and each
 * end of it is reached within 2 jiffies.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clk.h"
#include "support/model_play.h"

#define SPREAD 64

#define TWO_HOSTS "host client\nhost server\ncable client -- server\nneighbours static\n"
#define CONNECTED TWO_HOSTS "connection client -> server:80\n"

/* What is asked: when the process was told, or, where there is none any more, the kernel. */
static int64_t answer(const struct model_play *p, const char *host)
{
    const struct ho_verdict *v = model_verdict(p, host);

    assert_true(v->has_app || v->has_kernel);
    return v->has_kernel ? v->kernel_at.ns : v->app_at.ns;
}

static int64_t play_from(const char *text, const char *host, uint64_t jiffies0)
{
    struct model_play p;
    int64_t at;

    model_plan(&p, text);
    for (size_t i = 0; i < p.plan->node_count; i++) {
        p.plan->nodes[i].jiffies0 = jiffies0;
    }
    assert_int_equal(model_run(&p), 0);
    at = answer(&p, host);
    model_play_free(&p);
    return at;
}

/* The starting jiffy at which the count at `origin` is `phase` modulo `step`. */
static uint64_t start_for(const struct ho_plan *plan, struct ho_time origin, uint64_t phase,
                          uint64_t step)
{
    struct ho_clk clk = { .hz = plan->nodes[0].hz, .phase_ns = plan->nodes[0].phase_ns };
    uint64_t elapsed = ho_clk_jiffies(&clk, origin) % step;

    return 4294937296u / step * step + (phase + step - elapsed) % step;
}

struct seen {
    int64_t min, max;
};

static void add(struct seen *s, int64_t at)
{
    s->min = at < s->min ? at : s->min;
    s->max = at > s->max ? at : s->max;
}

static void check(const char *text, const char *host)
{
    struct seen seen = { INT64_MAX, INT64_MIN };
    struct ho_time origin;
    struct model_play p;
    struct ho_range r;

    model_play(&p, text);
    const struct ho_verdict *v = model_verdict(&p, host);

    assert_int_equal(ho_verdict_range(&p.tl, &p.result.verdicts, v, &r, &origin), 0);
    for (unsigned i = 0; i < SPREAD; i++) {
        add(&seen, play_from(text, host, start_for(p.plan, origin, r.step * i / SPREAD, r.step)));
    }
    int64_t low = play_from(text, host, start_for(p.plan, origin, r.min_phase, r.step));
    int64_t high = play_from(text, host, start_for(p.plan, origin, r.max_phase, r.step));

    add(&seen, low);
    add(&seen, high);
    printf("  %8.3f to %8.3f s, played %8.3f to %8.3f s, step %llu\n", (double)r.min_ns / 1e9,
           (double)r.max_ns / 1e9, (double)(seen.min - origin.ns) / 1e9,
           (double)(seen.max - origin.ns) / 1e9, (unsigned long long)r.step);

    int64_t two_jiffies = 2 * HO_NS_PER_S / (int64_t)p.plan->nodes[0].hz;

    assert_true(seen.min >= origin.ns + r.min_ns);
    assert_true(seen.max <= origin.ns + r.max_ns);
    assert_true(low <= origin.ns + r.min_ns + two_jiffies);
    assert_true(high >= origin.ns + r.max_ns - two_jiffies);
    model_play_free(&p);
}

static void keepalive_at_the_defaults(void **state)
{
    (void)state;
    check(CONNECTED "option server SO_KEEPALIVE 1\nat 10s cut\nlasts 3h\n", "server");
}

static void keepalive_at_the_defaults_at_hz_1000(void **state)
{
    (void)state;
    check("hz 1000\n" CONNECTED "option server SO_KEEPALIVE 1\nat 10s cut\nlasts 3h\n", "server");
}

static void keepalive_tuned(void **state)
{
    (void)state;
    check(CONNECTED "option server SO_KEEPALIVE 1\noption server TCP_KEEPIDLE 5s\n"
                    "option server TCP_KEEPINTVL 2s\noption server TCP_KEEPCNT 3\n"
                    "at 1s client send 100\nat 1.5s cut\nlasts 1m\n",
          "server");
}

static void data_in_flight(void **state)
{
    (void)state;
    check(CONNECTED "at 10s cut\nat 10.01s server send 1000\nlasts 1200s\n", "server");
}

static void data_in_flight_at_200_ms(void **state)
{
    (void)state;
    check("rtt 200ms\n" CONNECTED "at 10s cut\nat 10.01s server send 1000\nlasts 1200s\n",
          "server");
}

static void data_in_flight_with_few_retries(void **state)
{
    (void)state;
    check(CONNECTED "set server net.ipv4.tcp_retries2 5\nat 10s cut\n"
                    "at 10.01s server send 1000\nlasts 60s\n",
          "server");
}

static void user_timeout_with_data(void **state)
{
    (void)state;
    check(CONNECTED "option server TCP_USER_TIMEOUT 30s\nat 10s cut\n"
                    "at 10.01s server send 1000\nlasts 60s\n",
          "server");
}

static void connect_that_nobody_answers(void **state)
{
    (void)state;
    check(TWO_HOSTS "at 0s cut\nat 1s client connect server:80\nlasts 200s\n", "client");
}

static void close_after_the_cut(void **state)
{
    (void)state;
    check(CONNECTED "at 10s cut\nat 10.5s client close\nlasts 200s\n", "client");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keepalive_at_the_defaults),
        cmocka_unit_test(keepalive_at_the_defaults_at_hz_1000),
        cmocka_unit_test(keepalive_tuned),
        cmocka_unit_test(data_in_flight),
        cmocka_unit_test(data_in_flight_at_200_ms),
        cmocka_unit_test(data_in_flight_with_few_retries),
        cmocka_unit_test(user_timeout_with_data),
        cmocka_unit_test(connect_that_nobody_answers),
        cmocka_unit_test(close_after_the_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
