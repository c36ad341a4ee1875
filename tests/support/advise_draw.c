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
    int64_t within_ms = between(d, 1, 4) == 1 ? between(d, 60000, 400000) : between(d, 3000, 60000);
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

/* Plays one scenario; fails the test if something is not as expected. */
static void play(const struct draw *d, const char *text)
{
    struct model_play m;

    model_plan(&m, text);
    if (model_run(&m) != 0) {
        fail_msg("%s: line %u: %s\n%s", d->said, m.why.line, m.why.text, text);
    }
    for (size_t i = 0; i < m.result.judgement_count; i++) {
        const struct ho_judgement *j = &m.result.judgements[i];
        struct ho_text found = { 0 };

        if (!j->met) {
            ho_expect_print(m.scn, j->expect, &found);
            fail_msg("%s\nnot so: %s\n%s", d->said, ho_text_str(&found), text);
        }
    }
    model_play_free(&m);
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
            play(d, ho_text_str(&text));
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
            continue;
        }
        assert_int_equal(err, 0);
        check(&d, &a);
        prove(&d, &a);
    }
    printf("%u of %u refused\n", refused, n);
}
