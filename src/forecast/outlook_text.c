/* Outlooks as words for people. See forecast/outlook.h. */

#include <inttypes.h>
#include <string.h>

#include "forecast/outlook.h"
#include "knobs/errno.h"

#define MS INT64_C(1000000)
#define S HO_NS_PER_S
#define MIN (60 * S)
#define HOUR (60 * MIN)
#define DAY (24 * HOUR)

/* `ns` in units of `unit`, cut down or up. */
static int64_t cut(int64_t ns, int64_t unit, bool up)
{
    return ns / unit + (up && ns % unit != 0 ? 1 : 0);
}

static void two(struct ho_text *out, int64_t n, int64_t per, const char *big, const char *small)
{
    ho_text_printf(out, "%" PRId64 " %s", n / per, big);
    if (n % per != 0) {
        ho_text_printf(out, " %" PRId64 " %s", n % per, small);
    }
}

/* "850 ms", "10.7 s", "41 s", "15 min 37 s", "2 h 11 min", "3 d 4 h": the bound of a range, so that
 * it never promises more than is known.
 */
static void put_bound(struct ho_text *out, int64_t ns, bool up)
{
    if (ns < S) {
        ho_text_printf(out, "%" PRId64 " ms", cut(ns, MS, up));
    } else if (ns < 20 * S) {
        int64_t tenths = cut(ns, S / 10, up);

        ho_text_printf(out, "%" PRId64 ".%" PRId64 " s", tenths / 10, tenths % 10);
    } else if (ns < MIN) {
        ho_text_printf(out, "%" PRId64 " s", cut(ns, S, up));
    } else if (ns < HOUR) {
        two(out, cut(ns, S, up), 60, "min", "s");
    } else if (ns < DAY) {
        two(out, cut(ns, MIN, up), 60, "h", "min");
    } else {
        two(out, cut(ns, HOUR, up), 24, "d", "h");
    }
}

static void put_times(struct ho_text *out, const struct ho_outlook_answer *a)
{
    struct ho_text lo = { 0 }, hi = { 0 };

    put_bound(&lo, a->min_ns, false);
    put_bound(&hi, a->max_ns, true);
    if (a->min_ns <= 0) {
        ho_text_printf(out, "at most %s", ho_text_str(&hi));
    } else if (strcmp(ho_text_str(&lo), ho_text_str(&hi)) == 0) {
        ho_text_put(out, ho_text_str(&lo));
    } else {
        ho_text_printf(out, "%s to %s", ho_text_str(&lo), ho_text_str(&hi));
    }
    ho_text_end_part(out, &lo);
    ho_text_end_part(out, &hi);
}

static void put_hz(struct ho_text *out, const struct ho_conn_host *h)
{
    if (h->hz > 0) {
        ho_text_printf(out, ", HZ %" PRIu32, h->hz);
    }
}

/* The settings that made the answer, in parentheses. */
static void put_because(struct ho_text *out, const struct ho_outlook_answer *a,
                        const struct ho_conn *c, const struct ho_conn_host *h)
{
    switch (a->knob) {
    case HO_PREDICT_KNOB_KEEPALIVE:
        ho_text_printf(out, " (keepalive %" PRId64 "/%" PRId64 "/%" PRId64, c->keepidle_s,
                       c->keepintvl_s, c->keepcnt);
        put_hz(out, h);
        break;
    case HO_PREDICT_KNOB_USER_TIMEOUT:
        ho_text_printf(out, " (TCP_USER_TIMEOUT %" PRId64 " ms", c->user_timeout_ms);
        break;
    case HO_PREDICT_KNOB_RETRIES2:
        ho_text_printf(out, " (tcp_retries2 %" PRId64, h->sysctls.v[HO_SYSCTL_TCP_RETRIES2]);
        break;
    case HO_PREDICT_KNOB_ORPHAN:
        ho_text_printf(out, " (tcp_orphan_retries %" PRId64,
                       h->sysctls.v[HO_SYSCTL_TCP_ORPHAN_RETRIES]);
        break;
    case HO_PREDICT_KNOB_SYN:
        ho_text_printf(out, " (tcp_syn_retries %" PRId64, h->sysctls.v[HO_SYSCTL_TCP_SYN_RETRIES]);
        break;
    default:
        return;
    }
    ho_text_char(out, ')');
}

/* The timeout that the answer was made with is added: it counts before it is doubled. */
static void put_busy_because(struct ho_text *out, const struct ho_outlook_answer *a,
                             const struct ho_conn *c, const struct ho_conn_host *h)
{
    struct ho_text part = { 0 };

    put_because(&part, a, c, h);
    if (part.len > 0 && c->has_info && c->state != HO_TCP_SYN_SENT) {
        ho_text_bytes(out, ho_text_str(&part), part.len - 1);
        ho_text_put(out, ", RTO now ");
        ho_text_dur(out, ho_us(ho_conn_rto_us(c)));
        ho_text_char(out, ')');
    } else {
        ho_text_put(out, ho_text_str(&part));
    }
    ho_text_end_part(out, &part);
}

static void put_unknown(struct ho_text *out, const struct ho_conn *c)
{
    bool hidden = c->keepalive_known == HO_KNOWN_UNKNOWN || c->options_known != HO_KNOWN_READ;

    ho_text_put(out, hidden ? "unknown (" HO_CONN_NEEDS ")"
                            : "unknown (what the kernel says makes no sense)");
}

static void put_none(struct ho_text *out, const struct ho_conn *c)
{
    ho_text_put(out, c->loopback ? "- (its peer is on this machine, the death of its process is "
                                   "told at once)"
                                 : "-");
}

static void put_answer(struct ho_text *out, const struct ho_outlook_answer *a,
                       const struct ho_conn *c, const struct ho_conn_host *h, bool busy)
{
    switch (a->kind) {
    case HO_OUTLOOK_NONE:
        put_none(out, c);
        break;
    case HO_OUTLOOK_NEVER:
        ho_text_put(out, "never");
        break;
    case HO_OUTLOOK_UNKNOWN:
        put_unknown(out, c);
        break;
    default:
        put_times(out, a);
        (busy ? put_busy_because : put_because)(out, a, c, h);
        break;
    }
}

void ho_outlook_put_idle(struct ho_text *out, const struct ho_outlook *o, const struct ho_conn *c,
                         const struct ho_conn_host *h)
{
    put_answer(out, &o->idle, c, h, false);
}

void ho_outlook_put_busy(struct ho_text *out, const struct ho_outlook *o, const struct ho_conn *c,
                         const struct ho_conn_host *h)
{
    put_answer(out, &o->busy, c, h, true);
}

static void put_errno(struct ho_text *out, const struct ho_outlook_answer *a)
{
    if (a->err == 0) {
        ho_text_put(out, ", no process is told");
        return;
    }
    ho_text_printf(out, " with %s", ho_errno_name(a->err));
    if (a->other_err != 0) {
        ho_text_printf(out, " or %s", ho_errno_name(a->other_err));
    }
}

void ho_outlook_put_trouble(struct ho_text *out, const struct ho_outlook *o)
{
    static const char *const what[] = {
        [HO_TROUBLE_NONE] = "",
        [HO_TROUBLE_CONNECTING] = "connecting",
        [HO_TROUBLE_ACCEPTING] = "its SYN-ACK not answered",
        [HO_TROUBLE_RETRANSMITTING] = "retransmitting",
        [HO_TROUBLE_PROBING] = "keepalive probes not answered",
        [HO_TROUBLE_WINDOW_PROBING] = "the peer's window closed",
        [HO_TROUBLE_CLOSING] = "waiting for the peer's FIN, without a process",
    };

    if (o->trouble == HO_TROUBLE_NONE) {
        return;
    }
    ho_text_put(out, what[o->trouble]);
    if (o->since_ns > 0) {
        ho_text_put(out, " for ");
        put_bound(out, o->since_ns, false);
    }
    if (o->attempt > 0) {
        ho_text_printf(out, ", attempt %" PRIu32, o->attempt);
    }
    switch (o->end.kind) {
    case HO_OUTLOOK_RANGE:
    case HO_OUTLOOK_WITHIN:
        ho_text_put(out, "; ends in ");
        put_times(out, &o->end);
        put_errno(out, &o->end);
        break;
    case HO_OUTLOOK_NEVER:
        ho_text_put(out, "; the peer answers, so no end");
        break;
    case HO_OUTLOOK_UNKNOWN:
        ho_text_put(out, "; its end is unknown");
        break;
    default:
        break;
    }
}
