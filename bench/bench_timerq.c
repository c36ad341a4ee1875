/* What the timer queue and the pools cost at the size of the largest budget: ten million
 * connections, each with one timer (DESIGN: ten million idle connections, 60 s of CPU in all).
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/clk.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/timerq.h"
#include "bench/bench.h"

#define TIMERS UINT64_C(10000000)

/* Keepalive as Linux arms it: two hours, rounded by the wheel, armed at any jiffy of ten minutes.
 */
static void arm_all(struct ho_timerq *q, struct ho_timer *t, size_t n)
{
    const struct ho_clk k = { .hz = 250, .jiffies0 = UINT64_C(4294892796) };
    struct ho_rng r;

    ho_rng_init(&r, 1, 0);
    struct ho_bench b = ho_bench_start("timer queue: arm");
    for (size_t i = 0; i < n; i++) {
        struct ho_time now = { (int64_t)ho_rng_below(&r, 600 * UINT64_C(1000000000)) };

        ho_timerq_arm(q, &t[i], ho_clk_timer(&k, now, ho_s(7200)));
    }
    ho_bench_stop(&b, n, "timer", NULL, 0);
}

/* Every timer moved once to an instant of its own, as traffic would. */
static void move_all(struct ho_timerq *q, struct ho_timer *t, size_t n)
{
    struct ho_rng r;

    ho_rng_init(&r, 2, 0);
    struct ho_bench b = ho_bench_start("timer queue: arm again");
    for (size_t i = 0; i < n; i++) {
        int64_t at = ho_s(7200).ns + (int64_t)ho_rng_below(&r, 600 * UINT64_C(1000000000));

        ho_timerq_arm(q, &t[i], (struct ho_time){ at });
    }
    ho_bench_stop(&b, n, "timer", NULL, 0);
}

static void pop_all(struct ho_timerq *q)
{
    size_t n = 0;

    struct ho_bench b = ho_bench_start("timer queue: pop");
    for (struct ho_time at = ho_timerq_deadline(q); at.ns != HO_NEVER.ns;
         at = ho_timerq_deadline(q)) {
        while (ho_timerq_pop(q, at) != NULL) {
            n++;
        }
    }
    ho_bench_stop(&b, n, "timer", NULL, 0);
}

static int objects(size_t n)
{
    struct ho_pool p;
    void *last = NULL;

    ho_pool_init(&p, 192, n);
    uint64_t before = ho_bench_resident();
    struct ho_bench b = ho_bench_start("pool: get");
    for (size_t i = 0; i < n; i++) {
        last = ho_pool_get(&p);
        if (last == NULL) {
            fprintf(stderr, "bench_timerq: no memory for %zu objects of 192 bytes\n", n);
            ho_pool_destroy(&p);
            return 1;
        }
    }
    ho_bench_stop(&b, n, "object", NULL, 0);
    ho_bench_value("pool: resident bytes an object of 192", "byte",
                   (ho_bench_resident() - before) / n, 0);

    b = ho_bench_start("pool: put and get");
    for (size_t i = 0; i < n; i++) {
        ho_pool_put(&p, last);
        last = ho_pool_get(&p);
    }
    ho_bench_stop(&b, n, "object", NULL, 0);
    ho_pool_destroy(&p);
    return 0;
}

int main(void)
{
    size_t n = (size_t)ho_bench_units(TIMERS);
    struct ho_timer *t = calloc(n, sizeof(*t));
    struct ho_timerq *q = malloc(sizeof(*q));
    int status = 1;

    if (t == NULL || q == NULL) {
        fprintf(stderr, "bench_timerq: no memory for %zu timers\n", n);
        goto out;
    }
    ho_timerq_init(q, (struct ho_time){ 0 });
    arm_all(q, t, n);
    pop_all(q);
    ho_timerq_init(q, (struct ho_time){ 0 });
    arm_all(q, t, n);
    move_all(q, t, n);
    pop_all(q);
    status = objects(n);
out:
    free(t);
    free(q);
    return status;
}
