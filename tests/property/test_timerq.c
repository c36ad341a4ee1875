/* The timer queue against the simplest thing that is right: an array searched from end to end.
 * 100,000 random operations a seed; every answer must be the same.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/timerq.h"

#define TIMERS 300
#define OPERATIONS 100000
#define FAR (INT64_C(1) << 59) /* 18 years */

/* What the queue should hold: when each timer is due and in which turn, and which was armed first.
 */
struct model {
    uint64_t due[TIMERS];
    uint64_t order[TIMERS]; /* 0: not armed */
    uint64_t armings;
};

struct run {
    struct ho_timerq q;
    struct ho_timer timer[TIMERS];
    struct model model;
    struct ho_rng rng;
    int64_t now;
};

static int64_t instant_of(uint64_t due)
{
    return (int64_t)(due >> HO_DUE_TURN_BITS);
}

/* The timer that must come next, -1 if none is armed. */
static int model_first(const struct model *m)
{
    int first = -1;

    for (int i = 0; i < TIMERS; i++) {
        if (m->order[i] == 0) {
            continue;
        }
        if (first < 0 || m->due[i] < m->due[first] ||
            (m->due[i] == m->due[first] && m->order[i] < m->order[first])) {
            first = i;
        }
    }
    return first;
}

/* Near and far alike, often equal to another timer's instant, sometimes in the past. */
static int64_t random_instant(struct run *r)
{
    switch (ho_rng_below(&r->rng, 8)) {
    case 0:
        return instant_of(r->model.due[ho_rng_below(&r->rng, TIMERS)]);
    case 1:
        return r->now - (int64_t)ho_rng_below(&r->rng, 1000);
    case 2:
        return r->now;
    case 3: /* on a grid, as jiffies are */
        return (r->now / 4000000 + (int64_t)ho_rng_below(&r->rng, 64)) * 4000000;
    default: {
        int64_t delay = (int64_t)(ho_rng_next(&r->rng) >> (2 + ho_rng_below(&r->rng, 62)));
        return delay < FAR - r->now ? r->now + delay : FAR;
    }
    }
}

static void arm(struct run *r)
{
    size_t i = (size_t)ho_rng_below(&r->rng, TIMERS);
    int64_t at = random_instant(r);
    struct ho_due base = r->q.base;
    struct ho_due due = ho_due_at((struct ho_time){ at > 0 ? at : 0 },
                                  (unsigned)ho_rng_below(&r->rng, HO_DUE_TURNS));

    ho_timerq_arm_due(&r->q, &r->timer[i], due);
    /* late is due at once, behind what is late already */
    r->model.due[i] = due.key > base.key ? due.key : base.key;
    r->model.order[i] = ++r->model.armings;
}

static void cancel(struct run *r)
{
    size_t i = (size_t)ho_rng_below(&r->rng, TIMERS);

    assert_int_equal(ho_timer_armed(&r->timer[i]), r->model.order[i] != 0);
    ho_timerq_cancel(&r->q, &r->timer[i]);
    r->model.order[i] = 0;
    assert_false(ho_timer_armed(&r->timer[i]));
}

/* Takes everything that is due at now, comparing one by one. */
static void pop_all(struct run *r)
{
    for (;;) {
        int first = model_first(&r->model);
        const struct ho_timer *got = ho_timerq_pop(&r->q, (struct ho_time){ r->now });

        if (first < 0 || instant_of(r->model.due[first]) > r->now) {
            assert_null(got);
            break;
        }
        assert_ptr_equal(got, &r->timer[first]);
        assert_int_equal(got->due.key, r->model.due[first]);
        r->model.order[first] = 0;
    }
    /* What is left is later than now, and the deadline says so: no loop may spin on it. */
    assert_true(ho_timerq_deadline(&r->q).ns > r->now);
}

static void advance(struct run *r)
{
    struct ho_time deadline = ho_timerq_deadline(&r->q);
    int first = model_first(&r->model);

    assert_true(first >= 0 ? deadline.ns <= instant_of(r->model.due[first])
                           : deadline.ns == HO_NEVER.ns);
    if (ho_rng_below(&r->rng, 2) == 0 && first >= 0) {
        /* to just before, onto or just behind the deadline; never back */
        int64_t to = deadline.ns - 1 + (int64_t)ho_rng_below(&r->rng, 3);
        r->now = to > r->now ? to : r->now;
    } else {
        r->now += (int64_t)ho_rng_below(&r->rng, 100000000);
    }
    if (r->now > FAR / 2) { /* the far future was reached: nothing is left to try there */
        r->now = FAR / 2;
    }
    pop_all(r);
}

static void agrees_with_a_sorted_list(void **state)
{
    (void)state;
    static struct run r;

    for (uint64_t seed = 0; seed < 4; seed++) {
        r = (struct run){ .now = (int64_t)seed * 123456789 };
        ho_rng_init(&r.rng, seed, 0);
        ho_timerq_init(&r.q, (struct ho_time){ r.now });
        for (int i = 0; i < OPERATIONS; i++) {
            switch (ho_rng_below(&r.rng, 4)) {
            case 0:
                cancel(&r);
                break;
            case 1:
                advance(&r);
                break;
            default:
                arm(&r);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_sorted_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
