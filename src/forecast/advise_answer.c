/* What the advice does, and what could be asked for instead. See forecast/advise.h. */

#include <assert.h>
#include <stddef.h>

#include "forecast/advise.h"
#include "forecast/outlive.h"
#include "forecast/points.h"

/* ---- settings put on a host ------------------------------------------------------------------ */

static void set_option(struct ho_predict_in *in, enum ho_sockopt id, int64_t value)
{
    in->has_option[id] = true;
    in->option[id] = value;
}

static void apply_options(const struct ho_advice *a, struct ho_predict_in *in)
{
    set_option(in, HO_SOCKOPT_TCP_KEEPIDLE, a->idle_s);
    set_option(in, HO_SOCKOPT_TCP_KEEPINTVL, a->intvl_s);
    set_option(in, HO_SOCKOPT_TCP_KEEPCNT, a->cnt);
    set_option(in, HO_SOCKOPT_TCP_USER_TIMEOUT, a->user_timeout_ms);
    if (a->syncnt > 0) {
        set_option(in, HO_SOCKOPT_TCP_SYNCNT, a->syncnt);
    }
}

static void apply_sysctls(const struct ho_advice *a, struct ho_predict_in *in)
{
    const struct {
        enum ho_sysctl id;
        int64_t value;
    } set[] = {
        { HO_SYSCTL_TCP_KEEPALIVE_TIME, a->idle_s },
        { HO_SYSCTL_TCP_KEEPALIVE_INTVL, a->intvl_s },
        { HO_SYSCTL_TCP_KEEPALIVE_PROBES, a->cnt },
        { HO_SYSCTL_TCP_RETRIES2, a->retries2 },
        { HO_SYSCTL_TCP_ORPHAN_RETRIES, a->orphan_retries },
        { HO_SYSCTL_TCP_SYN_RETRIES, a->syn_retries },
        { HO_SYSCTL_TCP_SYNACK_RETRIES, a->synack_retries },
        { HO_SYSCTL_TCP_FIN_TIMEOUT, a->fin_timeout_s },
    };

    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
        if (set[i].value >= 0) {
            in->sysctls.v[set[i].id] = set[i].value;
        }
    }
}

void ho_advice_apply(const struct ho_advise_ask *ask, const struct ho_advice *a,
                     enum ho_advice_way way, uint32_t hz, struct ho_predict_in *ret)
{
    struct ho_predict_in in = ask->base;

    for (int i = 0; i < HO_SOCKOPT_COUNT; i++) {
        in.has_option[i] = false;
    }
    in.armed_ns = 0;
    in.hz = hz;
    if (way == HO_ADVICE_OPTIONS) {
        apply_options(a, &in);
    } else {
        apply_sysctls(a, &in);
    }
    *ret = in;
}

/* ---- what becomes of a connection ------------------------------------------------------------ */

/* Widens `all` by another answer. */
static void widen(struct ho_prediction *all, const struct ho_prediction *p)
{
    if (p->min_ns < all->min_ns) {
        all->min_ns = p->min_ns;
        all->at_min = p->at_min;
    }
    if (p->max_ns > all->max_ns) {
        all->max_ns = p->max_ns;
        all->at_max = p->at_max;
        all->step = p->step;
    }
    if (p->outcome == HO_PREDICT_WITHIN) {
        all->outcome = HO_PREDICT_WITHIN;
    }
    if (p->err != all->err) {
        all->other_err = p->err;
    } else if (p->other_err != 0) {
        all->other_err = p->other_err;
    }
}

/* An idle connection's timer may have been armed at any moment before the last segment came. */
static void allow_for_idle(const struct ho_advise_ask *ask, const struct ho_predict_in *in,
                           struct ho_prediction *p)
{
    int64_t idle_s = ho_predict_option(in, HO_SOCKOPT_TCP_KEEPIDLE);
    int64_t intvl_s = ho_predict_option(in, HO_SOCKOPT_TCP_KEEPINTVL);
    int64_t ends = p->fault == HO_FAULT_REBOOT ? 0 : ho_predict_option(in, HO_SOCKOPT_TCP_KEEPCNT);
    int64_t rtt = p->fault == HO_FAULT_REBOOT ? ask->base.rtt.ns : 0;

    for (unsigned i = 0; i < ask->hz_count; i++) {
        int64_t most = ho_advise_probe_ns(ask->hz[i], idle_s, intvl_s, ends) + rtt;

        p->max_ns = most > p->max_ns ? most : p->max_ns;
    }
}

int ho_advice_answer(const struct ho_advise_ask *ask, const struct ho_advice *a,
                     enum ho_advice_way way, enum ho_predict_fault fault,
                     enum ho_predict_activity activity, struct ho_prediction *ret)
{
    struct ho_prediction all = { .fault = fault }, p;
    struct ho_predict_in in;
    bool any = false;

    ho_advice_apply(ask, a, way, 0, &in);
    for (struct point at = point_first(ask, &in); point_is(&at); point_next(&at)) {
        int err = ho_predict(&at.in, fault, activity, &p);

        if (err != 0) {
            return err;
        }
        if (!any) {
            all = p;
        } else {
            widen(&all, &p);
        }
        any = true;
    }
    if (activity == HO_ACTIVITY_KEEPALIVE && all.outcome == HO_PREDICT_RANGE) {
        allow_for_idle(ask, &in, &all);
    }
    *ret = all;
    return 0;
}

int64_t ho_advise_recovery_ns(const struct ho_advise_ask *ask, const struct ho_advice *a,
                              enum ho_advice_way way, int64_t outage_ns)
{
    struct ho_predict_in in;
    int64_t most = 0;

    ho_advice_apply(ask, a, way, 0, &in);
    for (struct point at = point_first(ask, &in); point_is(&at); point_next(&at)) {
        struct ho_range_in chain = ho_predict_chain(&at.in, HO_RANGE_DATA);
        int64_t recovery;

        if (ho_recover(&chain, outage_ns, &recovery) != 0) {
            return INT64_MAX;
        }
        most = recovery > most ? recovery : most;
    }
    return most;
}

/* ---- what could be asked --------------------------------------------------------------------- */

static bool can(const struct ho_advise_ask *ask, int64_t within_ns, int64_t survive_ns)
{
    struct ho_advise_ask other = *ask;
    struct ho_advice a;

    other.within = ho_ns(within_ns);
    other.survive = ho_ns(survive_ns);
    other.no_sysctls = !ask->no_options; /* then they are no reason to refuse */
    return ho_advise(&other, &a, NULL) == 0;
}

/* What people say: tenths of a second up to a minute, then seconds, then minutes. */
static int64_t unit_ns(int64_t ns)
{
    return ns < 60 * HO_NS_PER_S     ? HO_NS_PER_S / 10
           : ns < 3600 * HO_NS_PER_S ? HO_NS_PER_S
                                     : 60 * HO_NS_PER_S;
}

static int64_t round_up(int64_t ns)
{
    int64_t unit = unit_ns(ns);

    return (ns + unit - 1) / unit * unit;
}

/* The least time that will do, above one that will not. */
static int64_t least_within(const struct ho_advise_ask *ask)
{
    int64_t bad = ask->within.ns, most = HO_ADVISE_WITHIN_MAX_S * HO_NS_PER_S;
    int64_t good = round_up(bad > HO_NS_PER_S ? bad + 1 : HO_NS_PER_S);

    while (!can(ask, good, ask->survive.ns)) {
        if (good >= most) {
            return 0;
        }
        bad = good;
        good = good < most / 2 ? good * 2 : most;
    }
    while (good - bad > unit_ns(good)) {
        int64_t mid = round_up(bad + (good - bad) / 2);

        if (mid >= good) {
            break;
        }
        if (can(ask, mid, ask->survive.ns)) {
            good = mid;
        } else {
            bad = mid;
        }
    }
    return good;
}

/* The greatest outage that will do; -1 if not even none does. */
static int64_t most_survive(const struct ho_advise_ask *ask)
{
    int64_t bad = ask->survive.ns < ask->within.ns ? ask->survive.ns : ask->within.ns;
    int64_t good = 0;

    if (!can(ask, ask->within.ns, 0)) {
        return -1;
    }
    while (bad - good > unit_ns(bad)) {
        int64_t mid = (good + (bad - good) / 2) / unit_ns(bad) * unit_ns(bad);

        if (mid <= good) {
            break;
        }
        if (can(ask, ask->within.ns, mid)) {
            good = mid;
        } else {
            bad = mid;
        }
    }
    return good;
}

void ho_advise_nearest(const struct ho_advise_ask *ask, struct ho_advise_near *ret)
{
    int64_t survive = most_survive(ask);

    ret->within = ho_ns(least_within(ask));
    ret->any_survive = survive >= 0;
    ret->survive = ho_ns(survive > 0 ? survive : 0);
}

const char *ho_advise_reason_text(enum ho_advise_reason reason)
{
    static const char *const text[] = {
#define X(id, words) words,
        HO_ADVISE_REASONS(X)
#undef X
    };

    assert((size_t)reason < sizeof(text) / sizeof(text[0]));
    return text[reason];
}
