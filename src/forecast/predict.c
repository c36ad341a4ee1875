/* From settings to the table: which chain of timers each case is. See forecast/predict.h.
 *
 * One function an activity; each looks at the fault. What a chain of timers does is range.c's.
 */

#include "forecast/predict.h"

#include <errno.h>

#include "base/clk.h"
#include "forecast/chain.h"

#define RTO_MIN (ho_ms(200)) /* ground-truth A3 */
#define ORPHAN_RETRIES 8     /* what tcp_orphan_retries 0 means (ground-truth row 15) */
#define ALIVE (INT64_MAX / 4)

/* ---- settings -------------------------------------------------------------------------------- */

int64_t ho_predict_option(const struct ho_predict_in *in, enum ho_sockopt id)
{
    return in->has_option[id] ? in->option[id] : ho_sockopt_default(id, &in->sysctls);
}

static struct ho_dur dur_of(int64_t v, int64_t unit_ns)
{
    return ho_ns(v < 0 ? 0 : v > INT64_MAX / unit_ns ? INT64_MAX : v * unit_ns);
}

static int64_t sysctl(const struct ho_predict_in *in, enum ho_sysctl id)
{
    return in->sysctls.v[id];
}

static uint32_t count(const struct ho_predict_in *in, enum ho_sysctl id)
{
    return sysctl(in, id) < 0 ? 0 : (uint32_t)sysctl(in, id);
}

static struct ho_dur rtt_of(const struct ho_predict_in *in)
{
    return in->rtt.ns > 0 ? in->rtt : ho_us(1);
}

static struct ho_dur rto_max_of(const struct ho_predict_in *in)
{
    return dur_of(ho_predict_option(in, HO_SOCKOPT_TCP_RTO_MAX_MS), 1000000);
}

static struct ho_dur user_timeout_of(const struct ho_predict_in *in)
{
    return dur_of(ho_predict_option(in, HO_SOCKOPT_TCP_USER_TIMEOUT), 1000000);
}

struct ho_dur ho_predict_rto(const struct ho_predict_in *in, bool first)
{
    struct ho_clk clk = { .hz = in->hz };
    struct ho_dur rtt = rtt_of(in), max = rto_max_of(in);
    struct ho_dur var = ho_clk_round_up(&clk, dur_of(sysctl(in, HO_SYSCTL_TCP_RTO_MIN_US), 1000));

    if (first && 2 * rtt.ns > var.ns) {
        var.ns = 2 * rtt.ns;
    }
    struct ho_dur rto = ho_clk_round_up(&clk, ho_ns(rtt.ns + var.ns));

    return rto.ns < max.ns ? rto : max;
}

struct ho_range_in ho_predict_chain(const struct ho_predict_in *in, enum ho_range_kind kind)
{
    return (struct ho_range_in){
        .kind = kind,
        .hz = in->hz,
        .rto_max = rto_max_of(in),
        .user_timeout = user_timeout_of(in),
        .rtt = rtt_of(in),
        .ratelimit = dur_of(sysctl(in, HO_SYSCTL_TCP_INVALID_RATELIMIT), 1000000),
        .idle = dur_of(ho_predict_option(in, HO_SOCKOPT_TCP_KEEPIDLE), HO_NS_PER_S),
        .intvl = dur_of(ho_predict_option(in, HO_SOCKOPT_TCP_KEEPINTVL), HO_NS_PER_S),
        .cnt = (uint32_t)ho_predict_option(in, HO_SOCKOPT_TCP_KEEPCNT),
        .armed_ns = in->armed_ns,
        .rto = in->rto.ns > 0 ? in->rto : ho_predict_rto(in, false),
        .srtt = rtt_of(in),
        .tlp = sysctl(in, HO_SYSCTL_TCP_EARLY_RETRANS) >= 3,
        .one_segment = true,
        .retries2 = count(in, HO_SYSCTL_TCP_RETRIES2),
        .orphan_retries = count(in, HO_SYSCTL_TCP_ORPHAN_RETRIES),
        .retries = (uint32_t)ho_predict_option(in, HO_SOCKOPT_TCP_SYNCNT),
        .linear = count(in, HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS),
        .fin_timeout = dur_of(ho_predict_option(in, HO_SOCKOPT_TCP_LINGER2), HO_NS_PER_S),
    };
}

/* ---- ranges ---------------------------------------------------------------------------------- */

/* The range over all phases: of the jiffy count, and of the place inside a jiffy. The end falls on
 * a jiffy, so the extremes are at the two ends of the origin's. A timer that is cut to hit a user
 * timeout is cut to a millisecond of TCP's clock, whose place inside of the jiffy is one more
 * phase: it moves such an end by a jiffy at most.
 */
static int set_range(const struct ho_range_in *in, struct ho_prediction *p)
{
    struct ho_range_in late = *in;
    struct ho_range a, b;

    if (in->hz > 0) {
        late.into_jiffy = ho_ns(HO_NS_PER_S / in->hz - 1);
    }
    int err = ho_range(in, &a);

    err = err == 0 ? ho_range(&late, &b) : err;
    if (err != 0) {
        return err;
    }
    p->outcome = HO_PREDICT_RANGE;
    p->step = a.step > b.step ? a.step : b.step;
    p->min_ns = a.min_ns;
    p->at_min = (struct ho_predict_phase){ a.min_phase, in->into_jiffy };
    p->max_ns = a.max_ns;
    p->at_max = (struct ho_predict_phase){ a.max_phase, in->into_jiffy };
    if (b.min_ns < p->min_ns) {
        p->min_ns = b.min_ns;
        p->at_min = (struct ho_predict_phase){ b.min_phase, late.into_jiffy };
    }
    if (b.max_ns > p->max_ns) {
        p->max_ns = b.max_ns;
        p->at_max = (struct ho_predict_phase){ b.max_phase, late.into_jiffy };
    }
    if (in->user_timeout.ns > 0 && in->hz > 0 && in->kind != HO_RANGE_KEEPALIVE) {
        p->min_ns -= HO_NS_PER_S / in->hz;
        p->max_ns += HO_NS_PER_S / in->hz;
    }
    return 0;
}

static void set_within(struct ho_prediction *p, int64_t min_ns, int64_t max_ns)
{
    p->outcome = HO_PREDICT_WITHIN;
    p->min_ns = min_ns;
    p->max_ns = max_ns;
}

/* One granule of a delay: how late its timer may be, and a jiffy for the place inside one. */
static int64_t granule_ns(uint32_t hz, struct ho_dur delay)
{
    struct ho_clk clk = { .hz = hz };

    if (hz == 0) {
        return 0;
    }
    uint64_t step = ho_wheel_step(ho_clk_dur_jiffies(&clk, delay) + 1);

    return ho_clk_jiffies_dur(&clk, step + 1).ns;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- an idle connection ---------------------------------------------------------------------- */

/* A user timeout that thousands of probes fit into: the chain is too long to be followed, and all
 * that counts is the first probe timer behind it (ground-truth row 9).
 */
static int set_keepalive(const struct ho_range_in *in, struct ho_prediction *p)
{
    int err = set_range(in, p);

    if (err != -EINVAL || in->user_timeout.ns <= in->intvl.ns || in->idle.ns <= 0 ||
        in->intvl.ns <= 0) {
        return err;
    }
    set_within(p, larger(in->user_timeout.ns, in->idle.ns + in->intvl.ns),
               larger(in->user_timeout.ns, in->idle.ns + granule_ns(in->hz, in->idle)) +
                   in->intvl.ns + granule_ns(in->hz, in->intvl));
    return 0;
}

static int idle(const struct ho_predict_in *in, struct ho_prediction *p)
{
    struct ho_range_in chain = ho_predict_chain(in, HO_RANGE_KEEPALIVE);
    bool keepalive = p->activity == HO_ACTIVITY_KEEPALIVE;

    if (p->fault == HO_FAULT_KILLED) { /* its kernel sends FIN (ground-truth row 6a) */
        p->outcome = HO_PREDICT_AT_ONCE;
        p->told = true;
        return 0;
    }
    p->outcome = HO_PREDICT_NEVER;
    if (!keepalive || p->fault == HO_FAULT_HANGS) { /* a kernel that lives answers probes */
        p->knob = keepalive ? HO_PREDICT_KNOB_NONE : HO_PREDICT_KNOB_SO_KEEPALIVE;
        return 0;
    }
    p->told = true;
    p->origin = HO_ORIGIN_HEARD;
    p->knob = chain.user_timeout.ns > 0 ? HO_PREDICT_KNOB_USER_TIMEOUT : HO_PREDICT_KNOB_KEEPALIVE;
    p->err = ETIMEDOUT;
    if (p->fault != HO_FAULT_REBOOT) {
        return set_keepalive(&chain, p);
    }
    /* The first probe is answered with RST (row 8b). */
    p->err = ECONNRESET;
    p->knob = HO_PREDICT_KNOB_KEEPALIVE;
    chain.cnt = 0;
    chain.user_timeout = ho_ns(0);
    int err = set_range(&chain, p);

    if (err == 0) {
        p->min_ns += chain.rtt.ns;
        p->max_ns += chain.rtt.ns;
    }
    return err;
}

/* ---- data, or a FIN, in flight --------------------------------------------------------------- */

/* Before this time no ICMP can come of a neighbour that does not answer: its entry is in use, so
 * that the unicast and then the broadcast requests must fail first (ground-truth row 3b); with the
 * carrier lost, the entry is gone (3c).
 */
static int64_t first_icmp_ns(const struct ho_predict_in *in, const struct ho_prediction *p)
{
    int64_t asked =
        sysctl(in, in->ipv6 ? HO_SYSCTL_NEIGH6_MCAST_SOLICIT : HO_SYSCTL_NEIGH_MCAST_SOLICIT);
    struct ho_dur each = dur_of(
        sysctl(in, in->ipv6 ? HO_SYSCTL_NEIGH6_RETRANS_TIME_MS : HO_SYSCTL_NEIGH_RETRANS_TIME_MS),
        1000000);

    if (p->fault != HO_FAULT_CARRIER) {
        asked +=
            sysctl(in, in->ipv6 ? HO_SYSCTL_NEIGH6_UCAST_SOLICIT : HO_SYSCTL_NEIGH_UCAST_SOLICIT);
    }
    return asked > 0 && each.ns > INT64_MAX / asked ? INT64_MAX : asked * each.ns;
}

/* T(n) or the user timeout, and when the first repeat leaves at the earliest (A2.2, A3). */
static int64_t give_up_ns(const struct ho_range_in *c)
{
    uint32_t n = !c->orphan              ? c->retries2
                 : c->orphan_retries > 0 ? c->orphan_retries
                                         : ORPHAN_RETRIES;

    return c->user_timeout.ns > 0 ? c->user_timeout.ns : chain_give_up(n, RTO_MIN, c->rto_max).ns;
}

static int64_t first_repeat_ns(const struct ho_range_in *c)
{
    int64_t probe = c->tlp ? smaller(2 * c->srtt.ns + RTO_MIN.ns, c->rto.ns) : 0;

    return probe + c->rto.ns;
}

/* A user timeout of days has more repeats than are followed: then it is bounds (A3, row 9). */
static int set_silence(const struct ho_range_in *c, struct ho_prediction *p)
{
    int err = set_range(c, p);

    if (err != -EINVAL || c->user_timeout.ns < c->rto_max.ns || c->rto_max.ns <= 0 ||
        c->hz > 1000) {
        return err;
    }
    int64_t first = first_repeat_ns(c);

    set_within(p, first + c->user_timeout.ns,
               first + 2 * granule_ns(c->hz, c->rto) + c->user_timeout.ns +
                   granule_ns(c->hz, c->rto_max));
    return 0;
}

/* A neighbour that fails: backing off is taken back step by step, never the give-up time; the check
 * waits for at most one more timeout, which an ICMP sets anew without regard to a user timeout.
 * Without carrier nothing may ever have left, and the time then counts from the first sending (A3).
 */
static int set_neighbour(const struct ho_predict_in *in, const struct ho_range_in *c,
                         struct ho_prediction *p)
{
    int err = set_silence(c, p);

    bool silent = p->max_ns < first_icmp_ns(in, p);

    if (err != 0 || (silent && p->fault != HO_FAULT_CARRIER)) {
        return err;
    }
    int64_t give_up = give_up_ns(c);
    int64_t most = smaller(c->rto_max.ns, give_up + 2 * c->rto.ns);

    set_within(p, give_up + (p->fault == HO_FAULT_CARRIER ? 0 : first_repeat_ns(c)),
               p->max_ns + most + granule_ns(c->hz, ho_ns(larger(most, give_up))));
    p->other_err = p->told && !silent ? EHOSTUNREACH : 0;
    return 0;
}

static int in_flight(const struct ho_predict_in *in, struct ho_prediction *p)
{
    struct ho_range_in chain = ho_predict_chain(in, HO_RANGE_DATA);

    chain.orphan = p->activity == HO_ACTIVITY_CLOSING;
    p->told = !chain.orphan;
    p->origin = chain.orphan ? HO_ORIGIN_FIN : HO_ORIGIN_SENT;
    p->err = chain.orphan ? 0 : ETIMEDOUT;
    p->knob = chain.user_timeout.ns > 0 ? HO_PREDICT_KNOB_USER_TIMEOUT
              : chain.orphan            ? HO_PREDICT_KNOB_ORPHAN
                                        : HO_PREDICT_KNOB_RETRIES2;
    if (p->fault == HO_FAULT_CARRIER || in->on_link) {
        return set_neighbour(in, &chain, p);
    }
    return set_silence(&chain, p);
}

static int data(const struct ho_predict_in *in, struct ho_prediction *p)
{
    switch (p->fault) {
    case HO_FAULT_REBOOT: /* RST at the next repeat (ground-truth row 8a) */
        p->outcome = HO_PREDICT_NEXT;
        p->err = ECONNRESET;
        p->told = true;
        return 0;
    case HO_FAULT_KILLED: /* its kernel answers data for a process that is gone with RST (6a) */
        p->outcome = HO_PREDICT_AT_ONCE;
        p->err = ECONNRESET;
        p->other_err = EPIPE;
        p->told = true;
        return 0;
    case HO_FAULT_HANGS: /* its kernel acknowledges, until its buffer is full */
        p->outcome = HO_PREDICT_NEVER;
        return 0;
    default:
        return in_flight(in, p);
    }
}

static int closing(const struct ho_predict_in *in, struct ho_prediction *p)
{
    struct ho_range_in chain = ho_predict_chain(in, HO_RANGE_FIN_WAIT2);

    switch (p->fault) {
    case HO_FAULT_REBOOT:
        p->outcome = HO_PREDICT_NEXT;
        return 0;
    case HO_FAULT_KILLED:
        p->outcome = HO_PREDICT_AT_ONCE;
        return 0;
    case HO_FAULT_HANGS: /* the FIN is acknowledged, none comes back (ground-truth row 15); Linux:
                          * tcp_fin_time(), never less than three and a half timeouts of data */
        if (chain.fin_timeout.ns > 0 && chain.fin_timeout.ns < chain.rto.ns * 7 / 2) {
            chain.fin_timeout.ns = chain.rto.ns * 7 / 2;
        }
        p->origin = HO_ORIGIN_FIN_ACK;
        p->knob = HO_PREDICT_KNOB_FIN;
        p->outcome = HO_PREDICT_AT_ONCE;
        return chain.fin_timeout.ns > 0 ? set_range(&chain, p) : 0;
    default:
        return in_flight(in, p);
    }
}

/* ---- connect() ------------------------------------------------------------------------------- */

/* Whether the last SYN may be out when the neighbour fails: the ICMP takes back a step of backing
 * off, and the check that comes with it may find the SYNs used up before the ICMP's own error is
 * stored (A5; the same as for data in row 3c, N=3).
 */
static bool may_be_the_last_syn(const struct ho_predict_in *in, const struct ho_prediction *p)
{
    struct ho_range_in chain = ho_predict_chain(in, HO_RANGE_SYN);
    struct ho_range last;

    chain.retries = chain.retries > 0 ? chain.retries - 1 : 0;
    return ho_range(&chain, &last) != 0 || last.min_ns <= p->max_ns;
}

/* Nobody answers ARP: fatal for a SYN, when all requests have failed (ground-truth row 10). */
static int set_unreachable(const struct ho_predict_in *in, struct ho_prediction *p)
{
    struct ho_range_in chain = ho_predict_chain(in, HO_RANGE_NEIGHBOUR);
    struct ho_prediction silence = *p;

    chain.retries =
        count(in, in->ipv6 ? HO_SYSCTL_NEIGH6_MCAST_SOLICIT : HO_SYSCTL_NEIGH_MCAST_SOLICIT);
    chain.intvl = dur_of(
        sysctl(in, in->ipv6 ? HO_SYSCTL_NEIGH6_RETRANS_TIME_MS : HO_SYSCTL_NEIGH_RETRANS_TIME_MS),
        1000000);
    if (chain.retries == 0) { /* nobody is asked */
        p->outcome = HO_PREDICT_AT_ONCE;
        p->err = EHOSTUNREACH;
        p->knob = HO_PREDICT_KNOB_NEIGH;
        return 0;
    }
    if (chain.intvl.ns > silence.max_ns / chain.retries) { /* the SYNs end before */
        return 0;
    }
    int err = set_range(&chain, p);

    if (err == -EINVAL && chain.intvl.ns > 0) { /* more requests than are followed */
        set_within(p, chain.retries * chain.intvl.ns, silence.max_ns);
        p->other_err = EHOSTUNREACH;
        return 0;
    }
    if (err != 0 || p->max_ns < silence.min_ns) {
        p->err = EHOSTUNREACH;
        p->other_err = err == 0 && may_be_the_last_syn(in, p) ? ETIMEDOUT : 0;
        p->knob = HO_PREDICT_KNOB_NEIGH;
        return err;
    }
    if (silence.max_ns < p->min_ns) {
        *p = silence;
        return 0;
    }
    set_within(&silence, smaller(p->min_ns, silence.min_ns), smaller(p->max_ns, silence.max_ns));
    silence.other_err = EHOSTUNREACH;
    *p = silence;
    return 0;
}

static int connecting(const struct ho_predict_in *in, struct ho_prediction *p)
{
    struct ho_range_in chain = ho_predict_chain(in, HO_RANGE_SYN);

    p->told = p->fault != HO_FAULT_HANGS;
    if (p->fault == HO_FAULT_HANGS) { /* the listener's kernel accepts it */
        p->outcome = HO_PREDICT_NEVER;
        return 0;
    }
    if (p->fault == HO_FAULT_KILLED || p->fault == HO_FAULT_REBOOT) {
        p->outcome = p->fault == HO_FAULT_KILLED ? HO_PREDICT_AT_ONCE : HO_PREDICT_NEXT;
        p->err = ECONNREFUSED;
        return 0;
    }
    p->origin = HO_ORIGIN_SYN;
    p->err = ETIMEDOUT;
    p->knob = chain.user_timeout.ns > 0 ? HO_PREDICT_KNOB_USER_TIMEOUT : HO_PREDICT_KNOB_SYN;
    int err = set_range(&chain, p);

    return err == 0 && (in->on_link || p->fault == HO_FAULT_CARRIER) ? set_unreachable(in, p) : err;
}

/* ---- a closed window ------------------------------------------------------------------------- */

/* The user timeout ends it even if the peer answers every probe (ground-truth row 9). */
static int hung_reader(const struct ho_range_in *c, struct ho_prediction *p)
{
    int err;

    p->outcome = HO_PREDICT_NEVER;
    if (c->user_timeout.ns == 0) {
        p->told = false;
        p->err = 0;
        p->knob = HO_PREDICT_KNOB_NONE;
        return 0;
    }
    err = set_range(c, p);
    if (err == -EINVAL && c->rto.ns > 0 && c->rto_max.ns > 0) { /* more probes than are followed */
        int64_t first = larger(c->rto.ns, RTO_MIN.ns);

        set_within(p, first + c->user_timeout.ns,
                   first + granule_ns(c->hz, ho_ns(first)) + c->user_timeout.ns + c->rtt.ns +
                       granule_ns(c->hz, c->user_timeout));
        err = 0;
    }
    return err;
}

static int window(const struct ho_predict_in *in, struct ho_prediction *p)
{
    struct ho_range_in chain = ho_predict_chain(in, HO_RANGE_PROBES);

    p->told = true;
    p->err = ECONNRESET;
    if (p->fault == HO_FAULT_REBOOT || p->fault == HO_FAULT_KILLED) {
        /* What it had not read is answered with RST when it dies (ground-truth row 6b). */
        p->outcome = p->fault == HO_FAULT_KILLED ? HO_PREDICT_AT_ONCE : HO_PREDICT_NEXT;
        return 0;
    }
    p->err = ETIMEDOUT;
    p->origin = HO_ORIGIN_WINDOW;
    p->knob = chain.user_timeout.ns > 0 ? HO_PREDICT_KNOB_USER_TIMEOUT : HO_PREDICT_KNOB_RETRIES2;
    if (p->fault == HO_FAULT_HANGS) {
        chain.cut_ns = ALIVE;
        return hung_reader(&chain, p);
    }
    return set_range(&chain, p); /* a failed neighbour changes nothing (A4) */
}

/* ---- the table ------------------------------------------------------------------------------- */

int ho_predict(const struct ho_predict_in *in, enum ho_predict_fault fault,
               enum ho_predict_activity activity, struct ho_prediction *ret)
{
    static int (*const by_activity[])(const struct ho_predict_in *, struct ho_prediction *) = {
        [HO_ACTIVITY_IDLE] = idle,       [HO_ACTIVITY_KEEPALIVE] = idle,
        [HO_ACTIVITY_DATA] = data,       [HO_ACTIVITY_CONNECT] = connecting,
        [HO_ACTIVITY_CLOSING] = closing, [HO_ACTIVITY_WINDOW] = window,
    };
    struct ho_prediction p = { .fault = fault, .activity = activity };
    int err = by_activity[activity](in, &p);

    if (err != 0) {
        return err;
    }
    *ret = p;
    return 0;
}
