/* See advise_draw.h. */

#include "support/advise_draw.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/text.h"
#include "forecast/advise.h"
#include "forecast/proof.h"
#include "support/model_play.h"

struct draw {
    struct ho_rng rng;
    struct ho_advise_ask ask;
    enum ho_profile_id profile;
    char said[200]; /* the question, for messages */
};

static int64_t between(struct draw *d, int64_t least, int64_t most)
{
    return least + (int64_t)ho_rng_below(&d->rng, (uint64_t)(most - least) + 1);
}

static void draw(struct draw *d)
{
    static const uint32_t hz[] = { 100, 250, 300, 1000 };
    int64_t within_ms = between(d, 1, 8) == 1 ? between(d, 60000, 200000) : between(d, 3000, 60000);
    int64_t rtt_us = between(d, 1, 3) == 1 ? between(d, 1, 250) * 1000 : between(d, 100, 5000);

    d->profile = (enum ho_profile_id)between(d, 0, HO_PROFILE_COUNT - 1);
    d->ask = (struct ho_advise_ask){ .within = ho_ms(within_ms),
                                     .survive = ho_ms(within_ms * between(d, 0, 50) / 100) };
    d->ask.base.rtt = ho_us(rtt_us);
    d->ask.base.on_link = between(d, 1, 3) == 1;
    ho_profile_sysctls(d->profile, &d->ask.base.sysctls);
    if (between(d, 1, 2) == 1) {
        d->ask.hz[0] = hz[between(d, 0, 3)];
        d->ask.hz_count = 1;
    } else {
        memcpy(d->ask.hz, hz, sizeof(hz));
        d->ask.hz_count = 4;
    }
    snprintf(d->said, sizeof(d->said),
             "within %" PRId64 " ms, survive %" PRId64 " ms, rtt %" PRId64
             " us, %s, hz %u (of %u), %s",
             within_ms, d->ask.survive.ns / 1000000, rtt_us,
             d->ask.base.on_link ? "on the link" : "routed", d->ask.hz[0], d->ask.hz_count,
             ho_profile(d->profile)->name);
}

/* Plays one scenario. Returns whether everything is as expected; `must` be: else fails the test. */
static bool play(const struct draw *d, const char *text, bool must)
{
    bool met = true;

    struct model_play m;

    model_plan(&m, text);
    if (model_run(&m) != 0) {
        fail_msg("%s: line %u: %s\n%s", d->said, m.why.line, m.why.text, text);
    }
    for (size_t i = 0; i < m.result.judgement_count; i++) {
        const struct ho_judgement *j = &m.result.judgements[i];
        struct ho_text found = { 0 };

        met = met && j->met;
        if (!j->met && must) {
            ho_expect_print(m.scn, j->expect, &found);
            fail_msg("%s\nnot so: %s\n%s", d->said, ho_text_str(&found), text);
        }
    }
    model_play_free(&m);
    return met;
}

static void prove(struct draw *d, const struct ho_advice *a)
{
    struct ho_text text = { 0 };

    for (int way = 0; way < HO_ADVICE_WAYS; way++) {
        struct ho_proof p = { &d->ask, a, (enum ho_advice_way)way, d->profile, false };

        for (int k = 0; k < HO_PROOF_COUNT; k++) {
            enum ho_proof_kind kind = (enum ho_proof_kind)k;
            uint32_t hz = d->ask.hz[between(d, 0, d->ask.hz_count - 1)];
            unsigned i = (unsigned)between(d, 0, HO_PROOF_PHASES);
            struct ho_proof_when when = { .hz = hz };

            if (!ho_proof_applies(&p, kind)) {
                continue;
            }
            when.jiffies = i < HO_PROOF_PHASES ? ho_proof_phase(&p, kind, hz, i)
                                               : (uint64_t)between(d, 1, 1 << 30);
            ho_text_clear(&text);
            ho_proof_write(&p, kind, &when, &text);
            assert_int_equal(ho_text_err(&text), 0);
            play(d, ho_text_str(&text), true);
        }
    }
    ho_text_free(&text);
}

/* What the question says is in the answer. */
static void check(const struct draw *d, const struct ho_advice *a)
{
    if (a->idle_outlives_ns < d->ask.survive.ns ||
        a->data_outlives_ns[HO_ADVICE_OPTIONS] < d->ask.survive.ns) {
        fail_msg("%s: the outage is not outlived", d->said);
    }
    for (int f = 0; f <= HO_FAULT_POWER; f++) {
        for (int i = HO_ACTIVITY_KEEPALIVE; i < HO_ACTIVITY_COUNT; i++) {
            struct ho_prediction p;

            assert_int_equal(ho_advice_answer(&d->ask, a, HO_ADVICE_OPTIONS,
                                              (enum ho_predict_fault)f, (enum ho_predict_activity)i,
                                              &p),
                             0);
            if (p.outcome == HO_PREDICT_NEVER || p.max_ns > d->ask.within.ns) {
                fail_msg("%s: %s, %s: %.3f s", d->said, ho_predict_fault_word(p.fault),
                         ho_predict_activity_word(p.activity), (double)p.max_ns / 1e9);
            }
        }
    }
}

/* ---- what was refused ------------------------------------------------------------------------ */

#define TRIES 40
#define PHASES 12

/* Settings that somebody might try for it: as patient as the time allows, or at random. */
static struct ho_advice try_something(struct draw *d, const struct ho_advise_ask *ask)
{
    int64_t within_s = ask->within.ns / HO_NS_PER_S, survive_s = ask->survive.ns / HO_NS_PER_S;
    struct ho_advice a = { .cnt = between(d, 2, 9) };

    a.intvl_s = survive_s / (a.cnt - 1) + between(d, 1, 2);
    a.idle_s = within_s - a.cnt * a.intvl_s - between(d, 0, 2);
    if (a.idle_s < 1 || between(d, 1, 3) == 1) {
        a.idle_s = between(d, 1, within_s / 2 + 1);
    }
    a.user_timeout_ms = 1000 * (a.idle_s + a.cnt * a.intvl_s);
    if (a.user_timeout_ms > ask->within.ns / 1000000 || between(d, 1, 2) == 1) {
        a.user_timeout_ms = ask->within.ns / 1000000 - between(d, 100, 1500);
    }
    a.idle_outlives_ns = a.data_outlives_ns[HO_ADVICE_OPTIONS] = ask->survive.ns;
    return a;
}

/* Whether these settings keep what is expected at every HZ and phase that is tried. */
static bool keeps(struct draw *d, const struct ho_advise_ask *ask, const struct ho_advice *a)
{
    static const enum ho_proof_kind kinds[] = { HO_PROOF_IDLE, HO_PROOF_DATA, HO_PROOF_IDLE_OUTAGE,
                                                HO_PROOF_DATA_OUTAGE };
    struct ho_proof p = { ask, a, HO_ADVICE_OPTIONS, d->profile, false };
    struct ho_text text = { 0 };
    bool kept = true;

    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        for (unsigned i = 0; i < PHASES * ask->hz_count && kept; i++) {
            struct ho_proof_when when = { .hz = ask->hz[i % ask->hz_count] };
            unsigned phase = i / ask->hz_count;

            if (!ho_proof_applies(&p, kinds[k])) {
                continue;
            }
            when.jiffies = phase < HO_PROOF_PHASES ? ho_proof_phase(&p, kinds[k], when.hz, phase)
                                                   : (uint64_t)between(d, 1, 1 << 30);
            ho_text_clear(&text);
            ho_proof_write(&p, kinds[k], &when, &text);
            kept = play(d, ho_text_str(&text), false);
        }
    }
    ho_text_free(&text);
    return kept;
}

/* Nothing that is tried meets a question that is a little harder than the refused one: by the
 * granule of a timer, which is what the solver may keep as a reserve.
 */
static void nobody_can(struct draw *d)
{
    struct ho_advise_ask harder = d->ask;

    if (d->ask.base.on_link || d->ask.base.rtt.ns > INT64_C(60000000)) {
        return; /* there the arithmetic is of bounds that no play need reach */
    }
    harder.within = ho_ns(d->ask.within.ns / 100 * 97);
    harder.survive = ho_ns(d->ask.survive.ns / 100 * 103);
    for (int i = 0; i < TRIES; i++) {
        struct ho_advice a = try_something(d, &harder);

        if (a.user_timeout_ms > 0 && keeps(d, &harder, &a)) {
            fail_msg("%s: refused, but %" PRId64 "/%" PRId64 "/%" PRId64 " and %" PRId64
                     " ms do it",
                     d->said, a.idle_s, a.intvl_s, a.cnt, a.user_timeout_ms);
        }
    }
}

/* The nearest questions have answers, and these hold. */
static void check_nearest(struct draw *d)
{
    struct ho_advise_ask asked = d->ask;
    struct ho_advise_near near;
    struct ho_advice a;

    ho_advise_nearest(&asked, &near);
    if (near.within.ns > 0) {
        assert_true(near.within.ns > asked.within.ns);
        d->ask.within = near.within;
        assert_int_equal(ho_advise(&d->ask, &a, NULL), 0);
        check(d, &a);
        prove(d, &a);
    }
    d->ask = asked;
    if (near.any_survive) {
        assert_true(near.survive.ns < asked.survive.ns);
        d->ask.survive = near.survive;
        assert_int_equal(ho_advise(&d->ask, &a, NULL), 0);
        check(d, &a);
        prove(d, &a);
    }
    d->ask = asked;
}

void advise_draws(uint64_t seed, unsigned n)
{
    struct draw d = { .said = "" };
    unsigned refused = 0;

    ho_rng_init(&d.rng, seed, 0);
    for (unsigned i = 0; i < n; i++) {
        struct ho_advice a;

        draw(&d);
        int err = ho_advise(&d.ask, &a, NULL);

        if (err == -ERANGE) {
            refused++;
            nobody_can(&d);
            check_nearest(&d);
            continue;
        }
        assert_int_equal(err, 0);
        check(&d, &a);
        prove(&d, &a);
    }
    assert_in_range(refused, n / 20, n / 2); /* both are tried */
}
