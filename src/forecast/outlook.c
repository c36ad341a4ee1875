/* The questions about a connection, idle and busy, and which state asks which. See
 * forecast/outlook.h. This file knows the states and settings; forecast/silence.c follows the
 * chains of timers.
 */

#include "forecast/outlook.h"

#include <errno.h>

#include "forecast/outlook_ask.h"

#define MS INT64_C(1000000)
#define HZ_MAX 1000
#define RETRIES_MAX 255
#define RTO_MIN (ho_ms(200))

/* ---- settings -------------------------------------------------------------------------------- */

/* Nobody can read an orphan's options: its answers are those of one without TCP_USER_TIMEOUT. */
static bool prepare(struct outlook_ask *q, const struct ho_conn *c, const struct ho_conn_host *h)
{
    *q = (struct outlook_ask){ .c = c, .h = h };
    int64_t rto_max = sysctl(q, HO_SYSCTL_TCP_RTO_MAX_MS);

    if (h->hz > HZ_MAX || !between(rto_max, 1000, 120000) ||
        !between(sysctl(q, HO_SYSCTL_TCP_RETRIES2), 0, RETRIES_MAX) ||
        !between(sysctl(q, HO_SYSCTL_TCP_ORPHAN_RETRIES), 0, RETRIES_MAX)) {
        return false;
    }
    q->rules = (struct silence_rules){
        .hz = h->hz,
        .rto_max = ho_ms(rto_max),
        .orphan = c->orphan,
        .retries2 = (uint32_t)sysctl(q, HO_SYSCTL_TCP_RETRIES2),
        .orphan_retries = (uint32_t)sysctl(q, HO_SYSCTL_TCP_ORPHAN_RETRIES),
    };
    bool read = ho_conn_has_options(c);

    q->options = read || c->orphan;
    if (read) {
        q->rules.user_timeout = ho_ms(c->user_timeout_ms);
        q->rules.idle = ho_s(c->keepidle_s);
        q->rules.intvl = ho_s(c->keepintvl_s);
        q->rules.cnt = (uint32_t)c->keepcnt;
    }
    return true;
}

void outlook_set_end(struct ho_outlook_answer *a, enum ho_outlook_kind kind, int64_t lo, int64_t hi)
{
    a->kind = kind;
    a->min_ns = most(lo, 0);
    a->max_ns = most(hi, a->min_ns);
}

enum ho_predict_knob outlook_knob(const struct outlook_ask *q, enum ho_predict_knob otherwise)
{
    return q->rules.user_timeout.ns > 0 ? HO_PREDICT_KNOB_USER_TIMEOUT : otherwise;
}

enum ho_predict_knob outlook_repeat_knob(const struct outlook_ask *q)
{
    return outlook_knob(q, q->c->orphan ? HO_PREDICT_KNOB_ORPHAN : HO_PREDICT_KNOB_RETRIES2);
}

/* ---- idle ------------------------------------------------------------------------------------ */

int64_t outlook_silent_ms(const struct ho_conn *c)
{
    return least(c->last_data_recv_ms, c->last_ack_recv_ms);
}

/* When the timer fires that sends the first probe, or a later one if `*ret_probes` are not answered
 * yet, after the last segment received. It is not moved by traffic: it fires where it was set, and
 * sleeps again for what remains (ground-truth B 13). Where it was set is known if sock_diag shows
 * it; after a probe that was answered that is TCP_KEEPINTVL.
 */
static struct span next_probe(const struct outlook_ask *q, uint32_t *ret_probes)
{
    const struct ho_conn *c = q->c;
    int64_t idle = q->rules.idle.ns, jiffy = span_jiffy_ns(q->rules.hz);
    struct ho_dur longest = ho_ns(most(idle, q->rules.intvl.ns));
    struct span p = { idle, longest.ns + span_late_ns(q->rules.hz, longest), 1 };

    *ret_probes = 0;
    if (c->timer != HO_SOCK_TIMER_KEEPALIVE || !c->has_info) {
        return p;
    }
    struct span fires = span_expires(q->rules.hz, c->expires_ms, longest);
    int64_t lo = outlook_silent_ms(c) * MS + fires.lo,
            hi = outlook_silent_ms(c) * MS + fires.hi + jiffy + MS;

    *ret_probes = c->retrans;
    if (lo >= idle || c->retrans > 0) {
        return (struct span){ lo - jiffy, hi, 1 };
    }
    int64_t sleeps = idle + span_late_ns(q->rules.hz, ho_ns(idle - lo));

    p.lo = idle - jiffy;
    p.hi = hi < idle ? sleeps : most(hi, sleeps);
    return p;
}

static void ask_idle(const struct outlook_ask *q, struct ho_outlook_answer *a)
{
    const struct ho_conn *c = q->c;
    struct silence_end end;

    a->kind = HO_OUTLOOK_UNKNOWN;
    a->knob = HO_PREDICT_KNOB_SO_KEEPALIVE;
    if (c->keepalive_known == HO_KNOWN_UNKNOWN) {
        return;
    }
    if (!c->keepalive) {
        a->kind = HO_OUTLOOK_NEVER;
        return;
    }
    a->knob = HO_PREDICT_KNOB_KEEPALIVE;
    if (!q->options || c->orphan) {
        return;
    }
    uint32_t probes;
    struct span p = next_probe(q, &probes);
    struct silence s = { p, p, true };

    a->knob = outlook_knob(q, HO_PREDICT_KNOB_KEEPALIVE);
    if (silence_keepalive(&q->rules, s, probes, &end)) {
        outlook_set_end(a, HO_OUTLOOK_RANGE, end.lo, end.hi);
        a->err = ETIMEDOUT;
    }
}

/* ---- busy ------------------------------------------------------------------------------------ */

struct ho_dur outlook_greatest_rto(const struct outlook_ask *q)
{
    return q->c->timer == HO_SOCK_TIMER_ON && q->c->backoff > 0 &&
                   ho_us(q->c->rto_us).ns >= q->rules.rto_max.ns
               ? q->rules.rto_max
               : ho_us(ho_conn_rto_us(q->c));
}

/* Before this no ICMP can come of a neighbour that does not answer (ground-truth row 3b). */
static int64_t first_icmp_ns(const struct outlook_ask *q)
{
    bool ipv6 = q->c->ipv6;
    int64_t asked =
        sysctl(q, ipv6 ? HO_SYSCTL_NEIGH6_UCAST_SOLICIT : HO_SYSCTL_NEIGH_UCAST_SOLICIT) +
        sysctl(q, ipv6 ? HO_SYSCTL_NEIGH6_MCAST_SOLICIT : HO_SYSCTL_NEIGH_MCAST_SOLICIT);
    int64_t each_ms =
        sysctl(q, ipv6 ? HO_SYSCTL_NEIGH6_RETRANS_TIME_MS : HO_SYSCTL_NEIGH_RETRANS_TIME_MS);

    if (!between(asked, 0, INT32_MAX) || !between(each_ms, 0, INT32_MAX)) {
        return 0;
    }
    return each_ms > INT64_MAX / MS / most(asked, 1) ? INT64_MAX : asked * each_ms * MS;
}

/* One more timeout, which an ICMP sets anew (forecast/predict.c; ground-truth A5). */
int64_t outlook_icmp_slack_ns(const struct outlook_ask *q, struct ho_dur base, int64_t limit)
{
    int64_t more = least(q->rules.rto_max.ns, limit + 2 * base.ns);

    return more + span_late_ns(q->rules.hz, ho_ns(most(more, limit)));
}

/* When the first repeat is sent: after a tail loss probe, the timeout in full (A2.2). */
static struct span first_repeat(const struct outlook_ask *q, struct ho_dur rto)
{
    struct span t = { 0, 0, 0 };
    int64_t least_ns = 2 * span_jiffy_ns(q->rules.hz);
    int64_t pto = 2 * ho_us(q->c->rtt_us).ns + RTO_MIN.ns;

    if (sysctl(q, HO_SYSCTL_TCP_EARLY_RETRANS) >= 3) {
        t = span_fire(q->rules.hz, t, ho_ns(most(least(pto, rto.ns), least_ns)));
    }
    return span_fire(q->rules.hz, t, rto);
}

/* Sent with the timeout `rto`. False if it cannot be told. */
static bool ask_with(const struct outlook_ask *q, struct ho_dur rto, struct ho_outlook_answer *a)
{
    struct silence_end end;

    if (rto.ns <= 0 || rto.ns > q->rules.rto_max.ns) {
        return false;
    }
    struct span t = first_repeat(q, rto);
    struct silence s = { t, t, false };

    if (!silence_repeats(&q->rules, s, rto, &end)) {
        return false;
    }
    outlook_set_end(a, HO_OUTLOOK_RANGE, end.lo, end.hi);
    a->err = q->c->orphan ? 0 : ETIMEDOUT;
    if (q->c->on_link && end.hi >= first_icmp_ns(q)) {
        int64_t limit = silence_limit(&q->rules, rto).ns;

        outlook_set_end(a, HO_OUTLOOK_WITHIN, least(limit + t.lo, end.lo),
                        end.hi + outlook_icmp_slack_ns(q, rto, limit));
        a->other_err = q->c->orphan ? 0 : EHOSTUNREACH;
    }
    return true;
}

/* Sent with any timeout from `rto` to `most_rto`: the first repeat, the time until it is given up,
 * and at most one more timeout until that is looked at (A3).
 */
static void widen(const struct outlook_ask *q, struct ho_dur rto, struct ho_dur most_rto,
                  struct ho_outlook_answer *a)
{
    int64_t limit = silence_limit(&q->rules, rto).ns, max = q->rules.rto_max.ns;

    outlook_set_end(a, HO_OUTLOOK_WITHIN, least(a->min_ns, first_repeat(q, rto).lo + limit),
                    most(a->max_ns, first_repeat(q, most_rto).hi + limit + max +
                                        span_late_ns(q->rules.hz, ho_ns(limit + max))));
}

static void ask_busy(const struct outlook_ask *q, struct ho_outlook_answer *a)
{
    struct ho_dur rto = ho_us(ho_conn_rto_us(q->c)), most_rto = outlook_greatest_rto(q);

    a->kind = HO_OUTLOOK_UNKNOWN;
    a->knob = outlook_repeat_knob(q);
    if (q->options && ask_with(q, rto, a) && most_rto.ns > rto.ns) {
        widen(q, rto, most_rto, a);
    }
}

uint32_t outlook_syn_retries(const struct outlook_ask *q)
{
    return (uint32_t)most(0, least(sysctl(q, HO_SYSCTL_TCP_SYN_RETRIES), RETRIES_MAX));
}

uint32_t outlook_syn_linear(const struct outlook_ask *q)
{
    return (uint32_t)most(0, least(sysctl(q, HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS), RETRIES_MAX));
}

/* connect(), from its first SYN. TCP_SYNCNT is not read: the host's tcp_syn_retries counts. */
static void ask_connect(const struct outlook_ask *q, struct ho_outlook_answer *a)
{
    struct span t = span_fire(q->rules.hz, (struct span){ 0, 0, 0 }, ho_s(1));
    struct silence s = { t, t, true };
    struct silence_end end;

    a->kind = HO_OUTLOOK_UNKNOWN;
    a->knob = outlook_knob(q, HO_PREDICT_KNOB_SYN);
    if (q->options &&
        silence_syn(&q->rules, s, 0, outlook_syn_retries(q), outlook_syn_linear(q), &end)) {
        outlook_set_end(a, q->c->on_link ? HO_OUTLOOK_WITHIN : HO_OUTLOOK_RANGE,
                        q->c->on_link ? 0 : end.lo, end.hi);
        a->err = ETIMEDOUT;
        a->other_err = q->c->on_link ? EHOSTUNREACH : 0;
    }
}

/* ---- which is which -------------------------------------------------------------------------- */

static void ask_state(const struct outlook_ask *q, struct ho_outlook *o)
{
    switch (q->c->state) {
    case HO_TCP_ESTABLISHED:
    case HO_TCP_CLOSE_WAIT:
        ask_idle(q, &o->idle);
        ask_busy(q, &o->busy);
        break;
    case HO_TCP_FIN_WAIT2: /* its own half is closed: there is nothing to send */
        if (!q->c->orphan && q->c->timer != HO_SOCK_TIMER_TIMEWAIT) {
            ask_idle(q, &o->idle);
        }
        break;
    case HO_TCP_FIN_WAIT1:
    case HO_TCP_CLOSING:
    case HO_TCP_LAST_ACK:
        ask_busy(q, &o->busy);
        break;
    case HO_TCP_SYN_SENT:
        ask_connect(q, &o->busy);
        break;
    default:
        break;
    }
}

static bool is_asked(const struct ho_conn *c)
{
    return c->state != HO_TCP_LISTEN && c->state != HO_TCP_CLOSE && c->state != HO_TCP_TIME_WAIT;
}

void ho_outlook(const struct ho_conn *c, const struct ho_conn_host *h, struct ho_outlook *ret)
{
    struct outlook_ask q;

    *ret = (struct ho_outlook){ .since_ns = -1 };
    if (!is_asked(c)) {
        return;
    }
    if (!prepare(&q, c, h)) {
        ret->idle.kind = HO_OUTLOOK_UNKNOWN;
        ret->busy.kind = HO_OUTLOOK_UNKNOWN;
        return;
    }
    if (!c->loopback) { /* the host of the peer cannot die alone */
        ask_state(&q, ret);
    }
    outlook_trouble(&q, ret);
}

const char *ho_outlook_kind_word(enum ho_outlook_kind kind)
{
    static const char *const words[] = {
#define X(id, word) word,
        HO_OUTLOOK_KINDS(X)
#undef X
    };

    return words[kind];
}

const char *ho_trouble_word(enum ho_trouble trouble)
{
    static const char *const words[] = {
#define X(id, word) word,
        HO_TROUBLES(X)
#undef X
    };

    return words[trouble];
}
