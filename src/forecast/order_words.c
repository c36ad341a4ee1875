/* The order of timers in words. See forecast/order.h. */

#include <assert.h>
#include <inttypes.h>

#include "forecast/order_work.h"

static const struct {
    const char *word, *text;
} timers[HO_ORDER_TIMER_COUNT] = {
#define X(id, word, text) { word, text },
    HO_ORDER_TIMERS(X)
#undef X
};

static const struct {
    const char *word, *text;
} faults[HO_ORDER_FAULT_COUNT] = {
#define X(id, word, text) { word, text },
    HO_ORDER_FAULTS(X)
#undef X
};

static const struct {
    const char *word, *finding, *title;
    bool unsafe;
} reasons[HO_ORDER_REASON_COUNT] = {
#define X(id, word, finding, unsafe, title) { word, finding, title, unsafe },
    HO_ORDER_REASONS(X)
#undef X
};

const char *ho_order_side_word(enum ho_order_side side)
{
    static const char *const words[] = {
#define X(id, word) word,
        HO_ORDER_SIDES(X)
#undef X
    };

    assert(side < HO_ORDER_SIDE_COUNT);
    return words[side];
}

const char *ho_order_timer_word(enum ho_order_timer timer)
{
    return timer < HO_ORDER_TIMER_COUNT ? timers[timer].word : "";
}

const char *ho_order_timer_text(enum ho_order_timer timer)
{
    return timer < HO_ORDER_TIMER_COUNT ? timers[timer].text : "";
}

const char *ho_order_fault_word(enum ho_order_fault fault)
{
    assert(fault < HO_ORDER_FAULT_COUNT);
    return faults[fault].word;
}

const char *ho_order_fault_text(enum ho_order_fault fault)
{
    assert(fault < HO_ORDER_FAULT_COUNT);
    return faults[fault].text;
}

const char *ho_order_effect_word(enum ho_order_effect effect)
{
    static const char *const words[] = {
#define X(id, word) word,
        HO_ORDER_EFFECTS(X)
#undef X
    };

    assert(effect < sizeof(words) / sizeof(words[0]));
    return words[effect];
}

const char *ho_order_reason_word(enum ho_order_reason reason)
{
    assert(reason < HO_ORDER_REASON_COUNT);
    return reasons[reason].word;
}

const char *ho_order_reason_finding(enum ho_order_reason reason)
{
    assert(reason < HO_ORDER_REASON_COUNT);
    return reasons[reason].finding;
}

const char *ho_order_reason_title(enum ho_order_reason reason)
{
    assert(reason < HO_ORDER_REASON_COUNT);
    return reasons[reason].title;
}

bool ho_order_reason_unsafe(enum ho_order_reason reason)
{
    assert(reason < HO_ORDER_REASON_COUNT);
    return reasons[reason].unsafe;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* In one unit, so that it can be read back: "90s", "5m", "2500ms". */
static void put_time(struct ho_text *out, int64_t ns)
{
    int64_t s = ns / HO_NS_PER_S;

    if (ns % HO_NS_PER_S != 0) {
        ho_text_printf(out, "%" PRId64 "ms", ns / 1000000);
    } else if (s >= 3600 && s % 3600 == 0) {
        ho_text_printf(out, "%" PRId64 "h", s / 3600);
    } else if (s > 120 && s % 60 == 0) {
        ho_text_printf(out, "%" PRId64 "m", s / 60);
    } else {
        ho_text_printf(out, "%" PRId64 "s", s);
    }
}

static void put_value(struct ho_text *out, enum ho_order_timer timer,
                      const struct ho_order_entry *e)
{
    switch (timer) {
    case HO_ORDER_T_KEEPALIVE:
        ho_text_printf(out, "%" PRId64 "/%" PRId64 "/%" PRId64, e->ns / HO_NS_PER_S,
                       e->more_ns / HO_NS_PER_S, e->count);
        break;
    case HO_ORDER_T_RETRIES2:
    case HO_ORDER_T_SYN_RETRIES:
        ho_text_int(out, e->count);
        break;
    case HO_ORDER_T_HEARTBEAT:
        put_time(out, e->ns);
        if (e->more_ns > 0) {
            ho_text_put(out, " + ");
            put_time(out, e->more_ns);
        } else {
            ho_text_printf(out, " x %" PRId64, e->count);
        }
        break;
    default:
        put_time(out, e->ns);
        break;
    }
}

void ho_order_entry_text(struct ho_text *out, enum ho_order_side side, enum ho_order_timer timer,
                         const struct ho_order_entry *e)
{
    bool pool = side == HO_ORDER_CLIENT &&
                (timer == HO_ORDER_T_IDLE || timer == HO_ORDER_T_LIFE || timer == HO_ORDER_T_WAIT);

    ho_text_printf(out, "%s %s ", pool ? "pool" : ho_order_side_word(side), timers[timer].word);
    put_value(out, timer, e);
    ho_text_put(out, e->reset ? " reset" : "");
}

/* ---- why ------------------------------------------------------------------------------------- */

static void put_entry(struct ho_text *out, const struct ho_order_chain *chain,
                      enum ho_order_side side, enum ho_order_timer timer)
{
    ho_order_entry_text(out, side, timer, &chain->e[side][timer]);
}

static void put_dur(struct ho_text *out, int64_t ns)
{
    ho_text_dur(out, ho_ns(ns));
}

/* "30.1 s to 30.4 s" */
static void put_range(struct ho_text *out, const struct ho_order_finding *f)
{
    struct ho_text a = { 0 }, b = { 0 };

    put_dur(&a, f->min_ns);
    put_dur(&b, f->max_ns);
    ho_text_put(out, ho_text_str(&a));
    if (f->min_ns != f->max_ns) {
        ho_text_printf(out, " to %s", ho_text_str(&b));
    }
    ho_text_end_part(out, &a);
    ho_text_end_part(out, &b);
}

static void why_probes(struct ho_text *out, const struct ho_order_chain *chain,
                       const struct ho_order_finding *f)
{
    if (f->reason == HO_ORDER_R_COUNT_ONE) {
        put_entry(out, chain, f->side, HO_ORDER_T_KEEPALIVE);
        ho_text_put(out, " counts to one: if a single probe or its answer is lost, the connection "
                         "dies, with a peer that is alive, ");
        put_range(out, f);
        ho_text_put(out, " after the last segment");
        return;
    }
    put_entry(out, chain, f->side, HO_ORDER_T_USER_TIMEOUT);
    ho_text_put(out, " takes the place of the count of ");
    put_entry(out, chain, f->side, HO_ORDER_T_KEEPALIVE);
    if (f->reason == HO_ORDER_R_LOST_PROBE) {
        ho_text_put(out, ": it is over before a second probe is sent, so that a single lost probe, "
                         "or answer, ends a connection whose peer is alive, ");
    } else {
        ho_text_printf(out, ": the connection dies with probe %" PRId64 ", not %" PRId64 ", ",
                       f->lost, f->count);
    }
    put_range(out, f);
    ho_text_put(out, " after the last segment; by the count it would be ");
    put_dur(out, f->than_ns);
}

static void why_data(struct ho_text *out, const struct ho_order_chain *chain,
                     const struct ho_order_finding *f)
{
    put_entry(out, chain, f->side, HO_ORDER_T_KEEPALIVE);
    ho_text_put(out, " ends an idle connection after at most ");
    put_dur(out, f->than_ns);
    ho_text_put(out, ", but sends no probe while anything is unacknowledged: then it is "
                     "tcp_retries2, after ");
    put_range(out, f);
}

static void why_idle(struct ho_text *out, const struct ho_order_chain *chain,
                     const struct ho_order_finding *f)
{
    ho_text_printf(out,
                   "the %s has no keepalive, heartbeat or idle timeout: an idle connection whose "
                   "peer is gone stays for ever",
                   ho_order_side_word(f->side));
    if (chain->e[f->side][HO_ORDER_T_USER_TIMEOUT].there) {
        ho_text_put(out, "; user_timeout counts only while something is unacknowledged");
    }
}

static void why_forgotten(struct ho_text *out, const struct ho_order_chain *chain,
                          const struct ho_order_finding *f)
{
    put_entry(out, chain, HO_ORDER_BOX, HO_ORDER_T_IDLE);
    if (f->max_ns == INT64_MAX) {
        ho_text_put(out, ": nobody speaks on an idle connection, and nobody closes it");
    } else {
        ho_text_put(out, ": the first to speak or to close does so after up to ");
        put_dur(out, f->max_ns);
    }
    ho_text_put(out, chain->e[HO_ORDER_BOX][HO_ORDER_T_IDLE].reset
                         ? "; the next request is answered with a reset"
                         : "; the next request vanishes, as if the peer were gone");
}

static void why_race(struct ho_text *out, const struct ho_order_chain *chain,
                     const struct ho_order_finding *f)
{
    put_entry(out, chain, HO_ORDER_SERVER, HO_ORDER_T_IDLE);
    ho_text_printf(out, " closes what the %s still keeps",
                   f->side == HO_ORDER_CLIENT ? "pool" : ho_order_side_word(f->side));
    if (f->max_ns < INT64_MAX) {
        ho_text_put(out, ", for ");
        put_dur(out, f->max_ns);
    }
    ho_text_put(out, ": a request that is sent meanwhile fails with ECONNRESET or EPIPE, from a "
                     "proxy with 502; TCP keepalive does not keep a server from closing");
}

static void why_request(struct ho_text *out, const struct ho_order_chain *chain,
                        const struct ho_order_finding *f)
{
    put_entry(out, chain, f->side, HO_ORDER_T_REQUEST);
    if (f->reason == HO_ORDER_R_REQUEST_LATE) {
        ho_text_put(out, " never acts when the peer is gone: tcp_retries2 ends the connection "
                         "before, after ");
        put_range(out, f);
    } else {
        ho_text_put(out, " is over before TCP ends a connection whose peer is gone, after ");
        put_range(out, f);
        ho_text_put(out, ": close it then; put back, it fails the next requests as well");
    }
}

static void why_two(struct ho_text *out, const struct ho_order_chain *chain,
                    const struct ho_order_finding *f)
{
    switch (f->reason) {
    case HO_ORDER_R_WAIT_SHORT:
        put_entry(out, chain, f->side, HO_ORDER_T_WAIT);
        ho_text_put(out, " is over before a dead connection is free again: TCP ends it after ");
        put_range(out, f);
        break;
    case HO_ORDER_R_CONNECT_LATE:
        put_entry(out, chain, f->side, HO_ORDER_T_CONNECT);
        ho_text_put(out, " is no shorter than ");
        put_entry(out, chain, f->side, HO_ORDER_T_REQUEST);
        ho_text_put(out, ": no time is left for a second address");
        break;
    case HO_ORDER_R_CONNECT_IDLE:
        put_entry(out, chain, f->side, HO_ORDER_T_CONNECT);
        ho_text_put(out, " is longer than Linux repeats a SYN: connect() fails after ");
        put_range(out, f);
        break;
    default:
        put_entry(out, chain, HO_ORDER_SERVER, HO_ORDER_T_REQUEST);
        ho_text_put(out, " goes on for a client that has left after ");
        put_dur(out, f->than_ns);
        break;
    }
}

void ho_order_why(struct ho_text *out, const struct ho_order_chain *chain,
                  const struct ho_order_finding *f)
{
    switch (f->reason) {
    case HO_ORDER_R_LOST_PROBE:
    case HO_ORDER_R_COUNT_ONE:
    case HO_ORDER_R_FEWER_PROBES:
    case HO_ORDER_R_MORE_PROBES:
        why_probes(out, chain, f);
        break;
    case HO_ORDER_R_TINY:
        put_entry(out, chain, f->side, HO_ORDER_T_USER_TIMEOUT);
        ho_text_put(out, ": a packet and its repeat lost in a row end the connection, after ");
        put_range(out, f);
        ho_text_put(out, "; TCP_USER_TIMEOUT is in milliseconds");
        break;
    case HO_ORDER_R_DATA_UNCOVERED:
        why_data(out, chain, f);
        break;
    case HO_ORDER_R_IDLE_UNNOTICED:
        why_idle(out, chain, f);
        break;
    case HO_ORDER_R_FORGOTTEN:
        why_forgotten(out, chain, f);
        break;
    case HO_ORDER_R_RACE:
        why_race(out, chain, f);
        break;
    case HO_ORDER_R_MAYBE_RACE:
        put_entry(out, chain, HO_ORDER_BOX, HO_ORDER_T_IDLE);
        ho_text_put(out, " is not below ");
        put_entry(out, chain, HO_ORDER_SERVER, HO_ORDER_T_IDLE);
        ho_text_put(out, ": if this balancer speaks HTTP and keeps connections of its own to the "
                         "server, write it as `proxy`");
        break;
    case HO_ORDER_R_REQUEST_LATE:
    case HO_ORDER_R_REQUEST_LEAVES:
        why_request(out, chain, f);
        break;
    case HO_ORDER_R_HANG_UNNOTICED:
        ho_text_printf(out,
                       "the %s has no request timeout and no heartbeat, and a kernel that lives "
                       "acknowledges data and answers keepalive: its peer may hang for ever",
                       ho_order_side_word(f->side));
        break;
    default:
        why_two(out, chain, f);
        break;
    }
}
