/* The solver. See forecast/advise.h.
 *
 * Every "largest value that is still within the time" is found by trying: what is tried is judged
 * by ho_predict() at every point of what is not known (forecast/points.h), never by a formula of
 * its own. Only an idle connection is searched with a bound, ho_advise_probe_ns(), because there
 * the moment at which its timer was armed is unknown as well.
 */

#include "forecast/advise.h"

#include <assert.h>
#include <errno.h>

#include "base/clk.h"
#include "forecast/advise_idle.h"
#include "forecast/outlive.h"
#include "forecast/points.h"

#define MS INT64_C(1000000)

/* ---- judging -------------------------------------------------------------------------------- */

/* The latest end; INT64_MAX if there is none. */
static int64_t latest_ns(const struct ho_advise_ask *ask, const struct ho_predict_in *in,
                         enum ho_predict_fault fault, enum ho_predict_activity activity)
{
    int64_t most = 0;

    for (struct point p = point_first(ask, in); point_is(&p); point_next(&p)) {
        struct ho_prediction d;

        if (ho_predict(&p.in, fault, activity, &d) != 0 || d.outcome == HO_PREDICT_NEVER) {
            return INT64_MAX;
        }
        most = d.max_ns > most ? d.max_ns : most;
    }
    return most;
}

/* The same for a SYN-ACK, which is nobody's activity. */
static int64_t latest_synack_ns(const struct ho_advise_ask *ask, int64_t retries)
{
    struct ho_predict_in in = ask->base;
    int64_t most = 0;

    for (struct point p = point_first(ask, &in); point_is(&p); point_next(&p)) {
        struct ho_range_in chain = ho_predict_chain(&p.in, HO_RANGE_SYNACK);
        struct ho_range r;

        chain.retries = (uint32_t)retries;
        if (ho_range(&chain, &r) != 0) {
            return INT64_MAX;
        }
        most = r.max_ns > most ? r.max_ns : most;
    }
    return most;
}

/* On the same link, ARP's errors move the repeats, but never make an interval longer (ground-truth
 * A5): it is as long as all that was before it and a timeout at most, and up to 1/8 late (A1). So
 * the first repeat behind an outage comes before twice its length and those.
 */
static int64_t neighbour_outlives_ns(const struct ho_predict_in *in, struct ho_dur rto)
{
    struct ho_prediction d;

    if (!in->on_link || ho_predict(in, HO_FAULT_CUT, HO_ACTIVITY_DATA, &d) != 0 ||
        d.outcome != HO_PREDICT_WITHIN) {
        return INT64_MAX;
    }
    return d.min_ns > 2 * rto.ns ? (d.min_ns - 2 * rto.ns) / 17 * 8 : 0;
}

/* The longest outage that data in flight outlives. A tail loss probe comes sooner if several
 * segments are in flight (ground-truth A2.2).
 */
static int64_t data_outlives_ns(const struct ho_advise_ask *ask, const struct ho_predict_in *in)
{
    int64_t least = INT64_MAX;

    for (struct point p = point_first(ask, in); point_is(&p); point_next(&p)) {
        struct ho_range_in chain = ho_predict_chain(&p.in, HO_RANGE_DATA);

        for (int several = 0; several < 2; several++) {
            int64_t last;

            chain.one_segment = several == 0;
            if (ho_outlive(&chain, &last) != 0) { /* more repeats than are followed */
                last = chain.user_timeout.ns - 2 * chain.rto_max.ns;
                last = last > 0 ? last : 0;
            }
            least = last < least ? last : least;
        }
        int64_t most = neighbour_outlives_ns(&p.in, chain.rto);

        least = most < least ? most : least;
    }
    return least;
}

/* ---- the user timeout ------------------------------------------------------------------------ */

static void set_option(struct ho_predict_in *in, enum ho_sockopt id, int64_t value)
{
    in->has_option[id] = true;
    in->option[id] = value;
}

/* The host with nothing but what is left as it is: no option of its own. */
static struct ho_predict_in bare(const struct ho_advise_ask *ask)
{
    struct ho_predict_in in = ask->base;

    for (int i = 0; i < HO_SOCKOPT_COUNT; i++) {
        in.has_option[i] = false;
    }
    in.armed_ns = 0;
    return in;
}

static int64_t user_timeout_ends_ns(const struct ho_advise_ask *ask, int64_t ms,
                                    enum ho_predict_activity activity)
{
    struct ho_predict_in in = bare(ask);

    set_option(&in, HO_SOCKOPT_TCP_USER_TIMEOUT, ms);
    return latest_ns(ask, &in, HO_FAULT_CUT, activity);
}

/* How much too late it is with this user timeout. Of all that it decides data is the latest but for
 * the lateness of timers, so the others are looked at only where data is in time.
 */
static int64_t user_timeout_over_ns(const struct ho_advise_ask *ask, int64_t ms)
{
    int64_t data = user_timeout_ends_ns(ask, ms, HO_ACTIVITY_DATA);

    if (data > ask->within.ns) {
        return data - ask->within.ns;
    }
    int64_t closing = user_timeout_ends_ns(ask, ms, HO_ACTIVITY_CLOSING);
    int64_t window = user_timeout_ends_ns(ask, ms, HO_ACTIVITY_WINDOW);

    return (closing > window ? closing : window) - ask->within.ns;
}

static bool user_timeout_outlives(const struct ho_advise_ask *ask, int64_t ms)
{
    struct ho_predict_in in = bare(ask);

    set_option(&in, HO_SOCKOPT_TCP_USER_TIMEOUT, ms);
    return data_outlives_ns(ask, &in) >= ask->survive.ns;
}

/* The greatest multiple of `grain` that is within the time, but for the lateness of a timer; 0:
 * none. What it ends goes by it one to one, and on the same link up to twice as fast (ARP's ICMP
 * sets the last timer anew: forecast/predict.c).
 */
static int64_t longest_user_timeout(const struct ho_advise_ask *ask, int64_t grain)
{
    int64_t n = ask->within.ns / MS / grain;

    while (n > 0) {
        int64_t over = user_timeout_over_ns(ask, n * grain);

        if (over <= 0) {
            return n * grain;
        }
        int64_t less = over / MS / grain / (ask->base.on_link ? 2 : 1);

        n -= less < 1 ? 1 : less > n / 2 ? n / 2 + 1 : less;
    }
    return 0;
}

/* The least multiple that outlives the outage; `most`, a multiple, does. */
static int64_t shortest_user_timeout(const struct ho_advise_ask *ask, int64_t grain, int64_t most)
{
    int64_t bad = 0, good = most / grain;

    while (good - bad > 1) {
        int64_t mid = bad + (good - bad) / 2;

        if (user_timeout_outlives(ask, mid * grain)) {
            good = mid;
        } else {
            bad = mid;
        }
    }
    return good * grain;
}

/* What people and programs that count in seconds can write, if the time is long enough for it. */
static int64_t grain_ms(const struct ho_advise_ask *ask)
{
    return ask->within.ns >= ho_s(3600).ns  ? 60000
           : ask->within.ns >= ho_s(600).ns ? 10000
           : ask->within.ns >= ho_s(10).ns  ? 1000
           : ask->within.ns >= ho_s(1).ns   ? 100
                                            : 10;
}

/* Why there is no keepalive. */
static enum ho_advise_reason no_idle(const struct ho_advise_ask *ask, int64_t most_ms)
{
    struct ho_advise_ask patient = *ask;
    struct advise_idle k;

    patient.survive = ho_ns(0);
    return advise_idle(&patient, most_ms, 0, &k) ? HO_ADVISE_PROBES : HO_ADVISE_KEEPALIVE;
}

/* Data, windows and idle time by socket options. */
static enum ho_advise_reason solve_grain(const struct ho_advise_ask *ask, int64_t grain,
                                         struct advise_idle *ret)
{
    int64_t most = longest_user_timeout(ask, grain);

    if (most == 0) {
        return HO_ADVISE_RTT;
    }
    if (!user_timeout_outlives(ask, most)) {
        return HO_ADVISE_DATA;
    }
    if (advise_idle(ask, most, 0, ret) && user_timeout_outlives(ask, ret->user_timeout_ms)) {
        return HO_ADVISE_NONE;
    }
    return advise_idle(ask, most, shortest_user_timeout(ask, grain, most), ret)
               ? HO_ADVISE_NONE
               : no_idle(ask, most);
}

static enum ho_advise_reason solve_options(const struct ho_advise_ask *ask, struct advise_idle *ret)
{
    enum ho_advise_reason why;

    if (ask->no_options) {
        return advise_idle(ask, 0, 0, ret) ? HO_ADVISE_NONE : no_idle(ask, 0);
    }
    why = solve_grain(ask, grain_ms(ask), ret);
    return why == HO_ADVISE_NONE || grain_ms(ask) == 10 ? why : solve_grain(ask, 10, ret);
}

/* ---- counts of retries ----------------------------------------------------------------------- */

/* Whether everything that the sysctl decides is within the time. */
static bool count_is_within(const struct ho_advise_ask *ask, enum ho_sysctl id, int64_t n)
{
    struct ho_predict_in in = bare(ask);

    in.sysctls.v[id] = n;
    switch (id) {
    case HO_SYSCTL_TCP_RETRIES2:
        return latest_ns(ask, &in, HO_FAULT_CUT, HO_ACTIVITY_DATA) <= ask->within.ns &&
               latest_ns(ask, &in, HO_FAULT_CUT, HO_ACTIVITY_WINDOW) <= ask->within.ns;
    case HO_SYSCTL_TCP_ORPHAN_RETRIES:
        return latest_ns(ask, &in, HO_FAULT_CUT, HO_ACTIVITY_CLOSING) <= ask->within.ns;
    case HO_SYSCTL_TCP_SYN_RETRIES:
        return latest_ns(ask, &in, HO_FAULT_CUT, HO_ACTIVITY_CONNECT) <= ask->within.ns;
    case HO_SYSCTL_TCP_SYNACK_RETRIES:
        return latest_synack_ns(ask, n) <= ask->within.ns;
    case HO_SYSCTL_TCP_FIN_TIMEOUT:
        return latest_ns(ask, &in, HO_FAULT_HANGS, HO_ACTIVITY_CLOSING) <= ask->within.ns;
    default:
        assert(0 && "not solved");
        return false;
    }
}

/* What the host has if that will do; else the greatest that does, -1 if none. */
static int64_t solve_count(const struct ho_advise_ask *ask, enum ho_sysctl id, int64_t least)
{
    int64_t n = least;

    if (count_is_within(ask, id, ask->base.sysctls.v[id])) {
        return ask->base.sysctls.v[id];
    }
    if (!count_is_within(ask, id, least)) {
        return -1;
    }
    while (n < ho_sysctl_info(id)->max && count_is_within(ask, id, n + 1)) {
        n++;
    }
    return n;
}

/* The same from above, by greater steps where nobody needs it so exact. */
static int64_t solve_down(const struct ho_advise_ask *ask, enum ho_sysctl id, int64_t most)
{
    int64_t n = most;

    if (count_is_within(ask, id, ask->base.sysctls.v[id])) {
        return ask->base.sysctls.v[id];
    }
    while (n > 0 && !count_is_within(ask, id, n)) {
        n -= 1 + n / 32;
    }
    return n > 0 ? n : -1;
}

/* Row 12: a window that has been closed for long is probed at the longest interval; a peer that
 * vanishes behind an answer is noticed after one interval more than probes.
 */
static int64_t window_worst_ns(const struct ho_advise_ask *ask, int64_t retries2)
{
    struct ho_predict_in in = bare(ask);
    int64_t most = 0;

    in.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = retries2;
    for (struct point p = point_first(ask, &in); point_is(&p); point_next(&p)) {
        struct ho_range_in c = ho_predict_chain(&p.in, HO_RANGE_PROBES);
        struct ho_clk clk = { .hz = p.in.hz };
        int64_t longest = c.rto.ns > 200 * MS ? c.rto.ns : 200 * MS; /* TCP_RTO_MIN (A3) */

        for (int64_t i = 0; i < retries2 && longest < c.rto_max.ns; i++) {
            longest *= 2;
        }
        longest = longest < c.rto_max.ns ? longest : c.rto_max.ns;
        if (p.in.hz > 0) {
            uint64_t j = ho_clk_dur_jiffies(&clk, ho_ns(longest));

            longest += ((int64_t)ho_wheel_step(j + 1) + 1) * (HO_NS_PER_S / p.in.hz);
        }
        longest *= retries2 + 1;
        longest += c.rtt.ns;
        most = longest > most ? longest : most;
    }
    return most;
}

static int64_t retries2_outlives_ns(const struct ho_advise_ask *ask, int64_t n)
{
    struct ho_predict_in in = bare(ask);

    in.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = n;
    return data_outlives_ns(ask, &in);
}

/* Of counts up to `most`, which is within the time for data: the greatest that is for every window
 * as well, if it outlives the outage.
 */
static void solve_retries2(const struct ho_advise_ask *ask, int64_t most, struct ho_advice *a)
{
    int64_t n = most;

    a->retries2 = most;
    if (most < 0) {
        return;
    }
    while (n > 0 && window_worst_ns(ask, n) > ask->within.ns) {
        n--;
    }
    if (n > 0 && retries2_outlives_ns(ask, n) >= ask->survive.ns) {
        a->retries2 = n;
    }
    a->data_outlives_ns[HO_ADVICE_SYSCTLS] = retries2_outlives_ns(ask, a->retries2);
    a->window_by_sysctls_ns = window_worst_ns(ask, a->retries2);
}

static void solve_sysctls(const struct ho_advise_ask *ask, struct ho_advice *a)
{
    struct ho_advise_ask anew = *ask;
    int64_t now = ask->base.sysctls.v[HO_SYSCTL_TCP_RETRIES2];

    if (retries2_outlives_ns(ask, now) < ask->survive.ns) { /* it will not do as it is */
        anew.base.sysctls.v[HO_SYSCTL_TCP_RETRIES2] = ho_sysctl_info(HO_SYSCTL_TCP_RETRIES2)->max;
    }
    int64_t data_retries = solve_count(&anew, HO_SYSCTL_TCP_RETRIES2, 1);

    solve_retries2(ask, data_retries, a);
    /* T(n) is the same for both (ground-truth A3, row 15). */
    a->orphan_retries = solve_down(ask, HO_SYSCTL_TCP_ORPHAN_RETRIES, data_retries);
    a->syn_retries = solve_count(ask, HO_SYSCTL_TCP_SYN_RETRIES, 1);
    a->synack_retries = solve_count(ask, HO_SYSCTL_TCP_SYNACK_RETRIES, 0);
    a->fin_timeout_s = solve_down(ask, HO_SYSCTL_TCP_FIN_TIMEOUT, ask->within.ns / HO_NS_PER_S);
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* With a user timeout connect() ends by it; a count of SYNs only if that is too late. */
static bool solve_connect(const struct ho_advise_ask *ask, struct ho_advice *a)
{
    struct ho_predict_in in = bare(ask);

    set_option(&in, HO_SOCKOPT_TCP_USER_TIMEOUT, a->user_timeout_ms);
    a->syncnt = 0;
    while (latest_ns(ask, &in, HO_FAULT_CUT, HO_ACTIVITY_CONNECT) > ask->within.ns) {
        a->syncnt = a->syncnt == 0 ? ask->base.sysctls.v[HO_SYSCTL_TCP_SYN_RETRIES] : a->syncnt - 1;
        if (a->syncnt <= 0) {
            return false;
        }
        set_option(&in, HO_SOCKOPT_TCP_SYNCNT, a->syncnt);
    }
    return true;
}

static int check(const struct ho_advise_ask *ask)
{
    if (ask->hz_count == 0 || ask->hz_count > HO_ADVISE_HZ || ask->within.ns <= 0 ||
        ask->within.ns > HO_ADVISE_WITHIN_MAX_S * HO_NS_PER_S ||
        ask->survive.ns > HO_ADVISE_WITHIN_MAX_S * HO_NS_PER_S) {
        return -EINVAL;
    }
    for (unsigned i = 0; i < ask->hz_count; i++) {
        struct ho_predict_in in = bare(ask);
        struct ho_prediction p;

        in.hz = ask->hz[i];
        if (in.hz > 1000 || ho_predict(&in, HO_FAULT_CUT, HO_ACTIVITY_KEEPALIVE, &p) != 0 ||
            ho_predict(&in, HO_FAULT_CUT, HO_ACTIVITY_DATA, &p) != 0 ||
            ho_predict(&in, HO_FAULT_CUT, HO_ACTIVITY_CONNECT, &p) != 0) {
            return -EINVAL;
        }
    }
    return 0;
}

/* What data and connect() do with the user timeout. */
static enum ho_advise_reason judge_options(const struct ho_advise_ask *ask, struct ho_advice *a)
{
    struct ho_predict_in in = bare(ask);

    set_option(&in, HO_SOCKOPT_TCP_USER_TIMEOUT, a->user_timeout_ms);
    a->data_outlives_ns[HO_ADVICE_OPTIONS] = data_outlives_ns(ask, &in);
    return solve_connect(ask, a) ? HO_ADVISE_NONE : HO_ADVISE_CONNECT;
}

int ho_advise_tied(const struct ho_advise_ask *ask, const struct ho_advice *a,
                   enum ho_advise_tie tie, int64_t intvl_s, int64_t cnt, struct ho_advice *ret)
{
    struct ho_advice tied = *a;
    struct advise_idle k;

    if (!advise_idle_tied(ask, tie, a->user_timeout_ms, intvl_s,
                          tie == HO_ADVISE_TIE_THIRD ? 3 : cnt, &k) ||
        (k.user_timeout_ms > 0 && !user_timeout_outlives(ask, k.user_timeout_ms))) {
        return -ERANGE;
    }
    tied.idle_s = k.idle_s;
    tied.intvl_s = k.intvl_s;
    tied.cnt = k.cnt;
    tied.user_timeout_ms = k.user_timeout_ms;
    tied.idle_outlives_ns = advise_idle_outlives_ns(ask, &k);
    if (k.user_timeout_ms > 0 && judge_options(ask, &tied) != HO_ADVISE_NONE) {
        return -ERANGE;
    }
    *ret = tied;
    return 0;
}

static enum ho_advise_reason solve(const struct ho_advise_ask *ask, struct ho_advice *a)
{
    struct advise_idle k;
    enum ho_advise_reason why =
        ask->survive.ns >= ask->within.ns ? HO_ADVISE_SURVIVE : solve_options(ask, &k);

    if (why != HO_ADVISE_NONE) {
        return why;
    }
    a->idle_s = k.idle_s;
    a->intvl_s = k.intvl_s;
    a->cnt = k.cnt;
    a->user_timeout_ms = k.user_timeout_ms;
    a->idle_outlives_ns = advise_idle_outlives_ns(ask, &k);
    why = ask->no_options ? HO_ADVISE_NONE : judge_options(ask, a);
    if (why != HO_ADVISE_NONE || ask->no_sysctls) {
        return why;
    }
    solve_sysctls(ask, a);
    return ask->no_options &&
                   (a->retries2 < 0 || a->data_outlives_ns[HO_ADVICE_SYSCTLS] < ask->survive.ns)
               ? HO_ADVISE_RETRIES
               : HO_ADVISE_NONE;
}

int ho_advise(const struct ho_advise_ask *ask, struct ho_advice *ret,
              enum ho_advise_reason *ret_why)
{
    struct ho_advice a = { .idle_s = 0 };
    int err = check(ask);

    if (err != 0) {
        return err;
    }
    enum ho_advise_reason why = solve(ask, &a);

    if (why != HO_ADVISE_NONE) {
        if (ret_why != NULL) {
            *ret_why = why;
        }
        return -ERANGE;
    }
    *ret = a;
    return 0;
}
