/* The search for an idle time, an interval and a count. See forecast/advise_idle.h. */

#include "forecast/advise_idle.h"

#include "base/clk.h"

#define MS INT64_C(1000000)
#define IDLE_MAX 32767 /* TCP_KEEPIDLE, TCP_KEEPINTVL (knobs/sockopt.def) */
#define CNT_MIN 2      /* a single lost probe must not be fatal */
#define CNT_LIKED 3    /* fewer only if nothing else will do */
#define CNT_MOST 9     /* Linux's own default */

static int64_t jiffy_ns(uint32_t hz)
{
    return hz > 0 ? HO_NS_PER_S / hz : 0;
}

/* How late a timer may be that is armed at any moment: a granule, and what lies behind the jiffy's
 * beginning.
 */
static int64_t late_ns(uint32_t hz, int64_t delay_s)
{
    struct ho_clk clk = { .hz = hz };

    if (hz == 0) {
        return 0;
    }
    return ((int64_t)ho_wheel_step(ho_clk_dur_jiffies(&clk, ho_s(delay_s)) + 1) + 1) * jiffy_ns(hz);
}

/* How long a timer takes that is armed by one of the same delay: it starts on the grid. */
static int64_t on_grid_ns(uint32_t hz, int64_t delay_s)
{
    struct ho_clk clk = { .hz = hz };
    uint64_t j = ho_clk_dur_jiffies(&clk, ho_s(delay_s));
    uint64_t step = ho_wheel_step(j);

    return hz == 0 ? delay_s * HO_NS_PER_S : (int64_t)((j / step + 1) * step) * jiffy_ns(hz);
}

int64_t ho_advise_probe_ns(uint32_t hz, int64_t idle_s, int64_t intvl_s, int64_t k)
{
    int64_t at = idle_s * HO_NS_PER_S + late_ns(hz, idle_s);

    if (k > 0) {
        at += intvl_s * HO_NS_PER_S + late_ns(hz, intvl_s);
        at += (k - 1) * on_grid_ns(hz, intvl_s);
    }
    return at;
}

static int64_t probe_ns(const struct ho_advise_ask *ask, const struct advise_idle *k,
                        int64_t number)
{
    int64_t most = 0;

    for (unsigned i = 0; i < ask->hz_count; i++) {
        int64_t at = ho_advise_probe_ns(ask->hz[i], k->idle_s, k->intvl_s, number);

        most = at > most ? at : most;
    }
    return most;
}

/* The probes that are sent at least: late timers reach the user timeout with fewer of them
 * (ground-truth B 9).
 */
static int64_t probes_sent(const struct ho_advise_ask *ask, const struct advise_idle *k)
{
    int64_t n = k->user_timeout_ms > 0 ? 1 : k->cnt;

    while (n < k->cnt && probe_ns(ask, k, n) < k->user_timeout_ms * MS) {
        n++;
    }
    return n;
}

/* The outage that is outlived: the first probe is the first that is lost, the last one is answered
 * before the end.
 */
int64_t advise_idle_outlives_ns(const struct ho_advise_ask *ask, const struct advise_idle *k)
{
    int64_t sent = probes_sent(ask, k);
    int64_t span = (sent - 1) * k->intvl_s * HO_NS_PER_S - ask->base.rtt.ns;

    return sent < CNT_MIN || ask->base.rtt.ns >= k->intvl_s * HO_NS_PER_S || span < 1 ? -1
                                                                                      : span - 1;
}

/* The longest idle time for this interval and count, and the user timeout, which is `most_ms` at
 * most and `least_ms` at least; without one if `most_ms` is 0. Returns false if there is none.
 */
static bool fit_idle(const struct ho_advise_ask *ask, struct advise_idle *k, int64_t most_ms,
                     int64_t least_ms)
{
    int64_t i = ask->within.ns / HO_NS_PER_S - k->cnt * k->intvl_s;

    /* The user timeout must not be reached before the last interval. */
    if (most_ms > 0 && i > most_ms / 1000 - (k->cnt - 1) * k->intvl_s) {
        i = most_ms / 1000 - (k->cnt - 1) * k->intvl_s;
    }
    for (i = i < IDLE_MAX ? i : IDLE_MAX; i >= 1; i--) {
        int64_t end_ms = 1000 * (i + k->cnt * k->intvl_s);

        k->idle_s = i;
        k->user_timeout_ms = end_ms < most_ms ? end_ms : most_ms;
        if (most_ms > 0 && k->user_timeout_ms < least_ms) {
            return false;
        }
        int64_t over = probe_ns(ask, k, k->cnt) - ask->within.ns;

        if (over <= 0 && (most_ms == 0 || k->user_timeout_ms > end_ms - 1000 * k->intvl_s)) {
            return true;
        }
        i -= over / HO_NS_PER_S > 1 ? over / HO_NS_PER_S / 2 : 0;
    }
    return false;
}

/* The best with this count: the smallest interval that will do. */
static bool fit_count(const struct ho_advise_ask *ask, int64_t cnt, int64_t most_ms,
                      int64_t least_ms, struct advise_idle *ret)
{
    int64_t least = (ask->survive.ns + ask->base.rtt.ns) / (cnt - 1) / HO_NS_PER_S + 1;
    int64_t rtt_s = ask->base.rtt.ns / HO_NS_PER_S + 1;

    for (int64_t v = least > rtt_s ? least : rtt_s;
         v <= IDLE_MAX && v * cnt * HO_NS_PER_S < ask->within.ns; v += 1 + v / 16) {
        struct advise_idle k = { .intvl_s = v, .cnt = cnt };

        if (fit_idle(ask, &k, most_ms, least_ms) &&
            advise_idle_outlives_ns(ask, &k) >= ask->survive.ns) {
            *ret = k;
            return true;
        }
    }
    return false;
}

/* The fewest probes an hour; one probe more a fault must save a fifth of them. */
bool advise_idle(const struct ho_advise_ask *ask, int64_t most_ms, int64_t least_ms,
                 struct advise_idle *ret)
{
    struct advise_idle best = { .idle_s = 0 }, k;

    for (int64_t cnt = CNT_LIKED; cnt <= CNT_MOST; cnt++) {
        if (fit_count(ask, cnt, most_ms, least_ms, &k) && k.idle_s * 5 > best.idle_s * 6) {
            best = k;
        }
    }
    if (best.idle_s == 0 && !fit_count(ask, CNT_MIN, most_ms, least_ms, &best)) {
        return false;
    }
    *ret = best;
    return true;
}

bool advise_idle_tied(const struct ho_advise_ask *ask, enum ho_advise_tie tie, int64_t most_ms,
                      int64_t intvl_s, int64_t cnt, struct advise_idle *ret)
{
    struct advise_idle fixed = { .intvl_s = intvl_s, .cnt = cnt };

    if (tie == HO_ADVISE_TIE_FIXED) {
        if (!fit_idle(ask, &fixed, most_ms, 0)) {
            return false;
        }
        *ret = fixed;
        return advise_idle_outlives_ns(ask, &fixed) >= ask->survive.ns;
    }
    int64_t part = tie == HO_ADVISE_TIE_THIRD ? 3 : 1; /* the interval is that part of the idle */

    for (int64_t v = ask->within.ns / HO_NS_PER_S / (part + cnt); v >= 1; v--) {
        struct advise_idle k = { .idle_s = part * v, .intvl_s = v, .cnt = cnt };
        int64_t end_ms = 1000 * (k.idle_s + cnt * v);

        k.user_timeout_ms = end_ms < most_ms ? end_ms : most_ms;
        if (k.idle_s <= IDLE_MAX && probe_ns(ask, &k, cnt) <= ask->within.ns &&
            (most_ms == 0 || k.user_timeout_ms > end_ms - 1000 * v)) {
            *ret = k;
            return advise_idle_outlives_ns(ask, &k) >= ask->survive.ns;
        }
    }
    return false;
}
