/* See predict_draw.h. */

#include "support/predict_draw.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clk.h"
#include "base/rng.h"
#include "base/text.h"
#include "forecast/predict.h"
#include "knobs/errno.h"
#include "support/model_play.h"
#include "timeline/basis.h"

#define JIFFIES 4294937296u

enum kind {
    KEEPALIVE,
    DATA,
    CLOSING,
    FIN_WAIT2,
    CONNECT,
    CONNECT_ON_LINK,
    DATA_ON_LINK,
    DATA_CARRIER,
    WINDOW,
    KINDS
};

static const struct {
    const char *host; /* whose answer */
    enum ho_predict_fault fault;
    enum ho_predict_activity activity;
    bool on_link;
} of_kind[KINDS] = {
    [KEEPALIVE] = { "server", HO_FAULT_CUT, HO_ACTIVITY_KEEPALIVE, false },
    [DATA] = { "server", HO_FAULT_CUT, HO_ACTIVITY_DATA, false },
    [CLOSING] = { "server", HO_FAULT_CUT, HO_ACTIVITY_CLOSING, false },
    [FIN_WAIT2] = { "server", HO_FAULT_HANGS, HO_ACTIVITY_CLOSING, false },
    [CONNECT] = { "client", HO_FAULT_CUT, HO_ACTIVITY_CONNECT, false },
    [CONNECT_ON_LINK] = { "client", HO_FAULT_CUT, HO_ACTIVITY_CONNECT, true },
    [DATA_ON_LINK] = { "server", HO_FAULT_CUT, HO_ACTIVITY_DATA, true },
    [DATA_CARRIER] = { "server", HO_FAULT_CARRIER, HO_ACTIVITY_DATA, true },
    [WINDOW] = { "server", HO_FAULT_CUT, HO_ACTIVITY_WINDOW, false },
};

struct draw {
    struct ho_rng rng;
    enum kind kind;
    struct ho_predict_in in;
    struct ho_text text; /* the scenario */
    int64_t begun_us;    /* when what is asked about was done, in the scenario */
    int64_t cut_ns;      /* WINDOW: when it is cut, once that is known; else 0 */
    unsigned unsettled;  /* WINDOW: ends whose phase could not be arranged */
};

static int64_t between(struct draw *d, int64_t least, int64_t most)
{
    return least + (int64_t)ho_rng_below(&d->rng, (uint64_t)(most - least) + 1);
}

static void set(struct draw *d, enum ho_sysctl id, int64_t value)
{
    const struct ho_sysctl_info *info = ho_sysctl_info(id);

    d->in.sysctls.v[id] = value;
    ho_text_printf(&d->text, "set %s %s %" PRId64 "\n", of_kind[d->kind].host, info->name, value);
}

static void option(struct draw *d, enum ho_sockopt id, int64_t value)
{
    const struct ho_sockopt_info *info = ho_sockopt_info(id);

    d->in.has_option[id] = true;
    d->in.option[id] = value;
    ho_text_printf(&d->text, "option %s %s %" PRId64 "%s\n", of_kind[d->kind].host, info->name,
                   value, ho_unit_suffix(info->unit));
}

static void maybe_user_timeout(struct draw *d)
{
    if (ho_rng_below(&d->rng, 3) == 0) {
        option(d, HO_SOCKOPT_TCP_USER_TIMEOUT, between(d, 100, 100000));
    }
}

static void draw_keepalive(struct draw *d)
{
    option(d, HO_SOCKOPT_SO_KEEPALIVE, 1);
    option(d, HO_SOCKOPT_TCP_KEEPIDLE, between(d, 3, ho_rng_below(&d->rng, 4) == 0 ? 9000 : 200));
    option(d, HO_SOCKOPT_TCP_KEEPINTVL, between(d, 1, 100));
    option(d, HO_SOCKOPT_TCP_KEEPCNT, between(d, 1, 12));
    maybe_user_timeout(d);
    ho_text_put(&d->text, "connection client -> server:80\nat 2s cut\n");
}

static void draw_data(struct draw *d, const char *what)
{
    if (ho_rng_below(&d->rng, 4) == 0) {
        set(d, HO_SYSCTL_TCP_EARLY_RETRANS, 0);
    }
    if (ho_rng_below(&d->rng, 4) == 0) {
        set(d, HO_SYSCTL_TCP_RTO_MAX_MS, between(d, 1000, 120000));
    }
    set(d, d->kind == CLOSING ? HO_SYSCTL_TCP_ORPHAN_RETRIES : HO_SYSCTL_TCP_RETRIES2,
        between(d, d->kind == CLOSING ? 1 : 0, 16));
    maybe_user_timeout(d);
    d->in.rto = ho_predict_rto(&d->in, true);
    d->begun_us = between(d, 2000000, 3000000);
    ho_text_printf(&d->text, "connection client -> server:80\nat %" PRId64 "us %s\n",
                   d->begun_us - 1, d->kind == DATA_CARRIER ? "unplug server" : "cut");
    ho_text_printf(&d->text, "at %" PRId64 "us server %s\n", d->begun_us, what);
}

static void draw_fin_wait2(struct draw *d)
{
    /* above the three and a half timeouts of data that it is at least */
    set(d, HO_SYSCTL_TCP_FIN_TIMEOUT, between(d, 5, 200));
    ho_text_put(&d->text, "connection client -> server:80\nat 2s client hang\n"
                          "at 3s server close\n");
}

/* The client's reader stops, so that its window closes a moment after the server has sent what it
 * can. The cut is moved to that moment when it is known.
 */
static void draw_window(struct draw *d)
{
    set(d, HO_SYSCTL_TCP_RETRIES2, between(d, 1, 15));
    maybe_user_timeout(d);
    ho_text_put(&d->text, "set client net.ipv4.tcp_rmem 4096 8192 16384\n"
                          "connection client -> server:80\nat 2s client stop reading\n"
                          "at 3s server send until blocked\nat 6s cut\n");
}

static void draw_connect(struct draw *d)
{
    set(d, HO_SYSCTL_TCP_SYN_RETRIES, between(d, 1, 8));
    set(d, HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS, between(d, 0, 6));
    if (d->kind == CONNECT_ON_LINK) {
        set(d, HO_SYSCTL_NEIGH_MCAST_SOLICIT, between(d, 1, 5));
        set(d, HO_SYSCTL_NEIGH_RETRANS_TIME_MS, between(d, 100, 2000));
    }
    maybe_user_timeout(d);
    d->begun_us = between(d, 1000000, 2000000);
    ho_text_printf(&d->text, "at 0s cut\nat %" PRId64 "us client connect server:80\n", d->begun_us);
}

static void draw(struct draw *d)
{
    static const uint32_t hz[] = { 100, 250, 1000 };
    int64_t rtt_us = between(d, 1, 4) == 1 ? between(d, 1, 400) * 1000 : between(d, 100, 5000);

    d->kind = (enum kind)ho_rng_below(&d->rng, KINDS);
    if (d->kind == WINDOW) { /* far from where a tail loss probe, a timer, comes before the end */
        rtt_us = between(d, 100, 5000);
    }
    d->in = (struct ho_predict_in){ .hz = hz[ho_rng_below(&d->rng, 3)],
                                    .rtt = ho_us(rtt_us / 2 * 2),
                                    .on_link = of_kind[d->kind].on_link };
    ho_sysctls_init(&d->in.sysctls);
    ho_text_clear(&d->text);
    ho_text_printf(&d->text, "hz %u\nrtt %" PRId64 "us\nhost client\nhost server\n", d->in.hz,
                   d->in.rtt.ns / 1000);
    ho_text_printf(&d->text, "cable client -- server\n%slasts 40h\n",
                   d->in.on_link ? "" : "neighbours static\n");
    switch (d->kind) {
    case KEEPALIVE:
        draw_keepalive(d);
        break;
    case FIN_WAIT2:
        draw_fin_wait2(d);
        break;
    case WINDOW:
        draw_window(d);
        break;
    case CONNECT:
    case CONNECT_ON_LINK:
        draw_connect(d);
        break;
    default:
        draw_data(d, d->kind == CLOSING ? "close" : "send 1000");
        break;
    }
    assert_int_equal(ho_text_err(&d->text), 0);
}

/* Plays with this phase at the instant `at_ns` of the asked host's clock, and everything done
 * `later_ns` later than the text says.
 */
static void play(struct draw *d, int64_t at_ns, int64_t later_ns,
                 const struct ho_predict_phase *phase, struct model_play *p)
{
    int64_t jiffy_ns = HO_NS_PER_S / d->in.hz;
    int64_t first_ns = (phase->into_jiffy.ns + jiffy_ns - at_ns % jiffy_ns) % jiffy_ns;

    model_plan(p, ho_text_str(&d->text));
    for (size_t i = 0; i < p->plan->step_count && later_ns > 0; i++) {
        p->plan->steps[i].at = ho_time_add(p->plan->steps[i].at, ho_ns(later_ns));
    }
    if (d->cut_ns > 0) { /* it is the last step */
        p->plan->steps[p->plan->step_count - 1].at.ns = d->cut_ns;
    }
    for (size_t i = 0; i < p->plan->node_count; i++) {
        if (strcmp(p->plan->nodes[i].name, of_kind[d->kind].host) == 0) {
            /* a multiple of every step, plus the phase, less the jiffies until the origin */
            p->plan->nodes[i].phase_ns = first_ns;
            p->plan->nodes[i].jiffies0 =
                (UINT64_C(1) << 40) + phase->jiffies - (uint64_t)((at_ns + first_ns) / jiffy_ns);
        }
    }
    if (model_run(p) != 0) {
        fail_msg("line %u: %s\n%s", p->why.line, p->why.text, ho_text_str(&d->text));
    }
}

static int64_t origin_of(const struct draw *d, const struct model_play *p)
{
    struct ho_time origin;
    struct ho_range r;

    if (d->begun_us > 0) {
        return d->begun_us * 1000;
    }
    assert_int_equal(ho_verdict_range(&p->tl, &p->result.verdicts,
                                      model_verdict(p, of_kind[d->kind].host), &r, &origin),
                     0);
    return origin.ns;
}

/* When it ended, after the origin; checks the errno. */
static int64_t ended(const struct draw *d, const struct ho_prediction *want,
                     const struct model_play *p, int64_t origin_ns)
{
    const struct ho_verdict *v = model_verdict(p, of_kind[d->kind].host);

    if (!v->has_app && !v->has_kernel) {
        fail_msg("nothing ended:\n%s", ho_text_str(&d->text));
    }
    if (want->told && strcmp(v->app_err, ho_errno_name(want->err)) != 0 &&
        (want->other_err == 0 || strcmp(v->app_err, ho_errno_name(want->other_err)) != 0)) {
        fail_msg("played %s, predicted %s:\n%s", v->app_err, ho_errno_name(want->err),
                 ho_text_str(&d->text));
    }
    return (v->has_kernel ? v->kernel_at.ns : v->app_at.ns) - origin_ns;
}

static void complain(const struct draw *d, const struct ho_prediction *want, int64_t at,
                     const char *what)
{
    fail_msg("%s: predicted %.6f to %.6f s, played %.6f s:\n%s", what, (double)want->min_ns / 1e9,
             (double)want->max_ns / 1e9, (double)at / 1e9, ho_text_str(&d->text));
}

/* When the window closes, and the timeout at that moment: settings that only a play knows. What
 * the server's phase is at `at_ns` may move them a little. Returns the moment.
 */
static int64_t learn_window(struct draw *d, int64_t at_ns, const struct ho_predict_phase *phase)
{
    struct ho_basis basis;
    struct model_play p;

    d->cut_ns = 0;
    play(d, at_ns, 0, phase, &p);
    p.result.verdicts.since = (struct ho_time){ 0 }; /* a user timeout may end it before the cut */
    assert_int_equal(ho_verdict_basis(&p.tl, &p.result.verdicts,
                                      model_verdict(&p, of_kind[d->kind].host), &basis),
                     0);
    assert_int_equal(basis.chain, HO_BASIS_PROBES);
    d->in.rto = basis.rto;
    d->cut_ns = basis.origin.ns + 1;
    model_play_free(&p);
    return basis.origin.ns;
}

/* The window's closing with this phase at that very moment, by approaching it. False if there is
 * none, or the timeout is another one then.
 */
static bool settle_window(struct draw *d, const struct ho_predict_phase *phase, int64_t *origin_ns)
{
    struct ho_dur rto = d->in.rto;

    for (int i = 0; i < 8 && d->in.rto.ns == rto.ns; i++) {
        int64_t at = learn_window(d, *origin_ns, phase);

        if (at == *origin_ns && d->in.rto.ns == rto.ns) {
            return true;
        }
        *origin_ns = at;
    }
    d->in.rto = rto;
    return false;
}

/* One end of the range, by its own phase. What is asked about begins with a millisecond of TCP's
 * clock, as the phase is meant.
 */
static void check_end(struct draw *d, const struct ho_prediction *want, int64_t origin_ns,
                      bool is_min)
{
    int64_t two_jiffies = 2 * HO_NS_PER_S / (int64_t)d->in.hz;
    int64_t end = is_min ? want->min_ns : want->max_ns;
    int64_t later_ns = d->begun_us > 0 ? (1000 - d->begun_us % 1000) * 1000 : 0;
    struct model_play p;

    origin_ns += later_ns;
    if (d->kind == WINDOW &&
        !settle_window(d, is_min ? &want->at_min : &want->at_max, &origin_ns)) {
        d->unsettled++;
        return;
    }
    play(d, origin_ns, later_ns, is_min ? &want->at_min : &want->at_max, &p);
    int64_t at = ended(d, want, &p, origin_ns);

    if (at < want->min_ns || at > want->max_ns || at > end + two_jiffies ||
        at < end - two_jiffies) {
        complain(d, want, at, is_min ? "earliest" : "latest");
    }
    model_play_free(&p);
}

static void check(struct draw *d)
{
    struct ho_predict_phase any = { ho_rng_below(&d->rng, 1u << 18), { 0 } };
    struct ho_prediction want;
    struct model_play p;

    any.into_jiffy = ho_ns((int64_t)ho_rng_below(&d->rng, (uint64_t)HO_NS_PER_S / d->in.hz));
    if (d->kind == WINDOW) {
        (void)learn_window(d, 0, &any);
    }
    if (ho_predict(&d->in, of_kind[d->kind].fault, of_kind[d->kind].activity, &want) != 0) {
        fail_msg("no prediction:\n%s", ho_text_str(&d->text));
    }
    play(d, 0, 0, &any, &p);
    int64_t origin_ns = origin_of(d, &p);
    int64_t at = ended(d, &want, &p, origin_ns);

    if (at < want.min_ns || at > want.max_ns) {
        complain(d, &want, at, "any phase");
    }
    model_play_free(&p);
    if (want.outcome == HO_PREDICT_RANGE) {
        check_end(d, &want, origin_ns, true);
        check_end(d, &want, origin_ns, false);
    }
}

void predict_draws(uint64_t seed, unsigned n)
{
    struct draw d = { .kind = KEEPALIVE };

    ho_rng_init(&d.rng, seed, 0);
    for (unsigned i = 0; i < n; i++) {
        d.begun_us = 0;
        d.cut_ns = 0;
        draw(&d);
        check(&d);
    }
    ho_text_free(&d.text);
    assert_true(d.unsettled <= n / 50);
}
