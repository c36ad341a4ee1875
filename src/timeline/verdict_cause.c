/* Why a side ended as it did: decided from what verdict.c's walk kept of it. */

#include <string.h>

#include "timeline/verdict_side.h"

#define SAMPLE_NS HO_NS_PER_S /* a real kernel's sockets are sampled, a little late */

/* No descriptor any more: closed, or its process is dead. */
static bool is_orphan(const struct verdict_side *s)
{
    struct ho_time left = ho_time_min(s->closed, s->killed);

    return left.ns != HO_NEVER.ns && !ho_time_before(s->v.kernel_at, left);
}

/* An end in good order: who began it? */
static enum ho_cause cause_of_closing(const struct verdict_side *s)
{
    return s->killed.ns != HO_NEVER.ns ? HO_CAUSE_KILLED : HO_CAUSE_CLOSED;
}

/* Nothing but the timer's owner can have ended it: which one was running? */
static enum ho_cause cause_by_timer(const struct verdict_side *s, bool user_timeout)
{
    int state = ho_tcp_state_find(s->last.state);
    bool orphan = is_orphan(s);

    if (state == HO_TCP_SYN_RECV) {
        return HO_CAUSE_SYNACK;
    }
    if (state == HO_TCP_SYN_SENT) {
        return user_timeout ? HO_CAUSE_USER_TIMEOUT : HO_CAUSE_SYN;
    }
    if (state == HO_TCP_TIME_WAIT) {
        return cause_of_closing(s);
    }
    if (state == HO_TCP_FIN_WAIT2 && orphan) {
        /* Data that nobody will read ends it with a RST before the timer does. */
        return s->rst_out.ns >= s->last_at.ns ? cause_of_closing(s) : HO_CAUSE_FIN_TIMEOUT;
    }
    switch (s->last.timer) {
    case HO_SOCK_TIMER_ON:
        return user_timeout ? HO_CAUSE_USER_TIMEOUT : orphan ? HO_CAUSE_ORPHAN : HO_CAUSE_RETRIES2;
    case HO_SOCK_TIMER_PROBE:
        return user_timeout ? HO_CAUSE_USER_TIMEOUT : orphan ? HO_CAUSE_ORPHAN : HO_CAUSE_PROBES;
    case HO_SOCK_TIMER_KEEPALIVE:
        return user_timeout ? HO_CAUSE_USER_TIMEOUT : HO_CAUSE_KEEPALIVE;
    default:
        break;
    }
    if (orphan) {
        return cause_of_closing(s);
    }
    return s->last.wq > 0 ? HO_CAUSE_RETRIES2 : HO_CAUSE_KEEPALIVE;
}

static bool is_unreachable(const char *err)
{
    return strcmp(err, "EHOSTUNREACH") == 0 || strcmp(err, "ENETUNREACH") == 0;
}

/* Both ends are on one host, nothing was being repeated and no call was told of an error: nobody
 * waited in vain for a segment, whatever happened to the cables.
 */
static bool is_closed_at_home(const struct verdict_side *s)
{
    return s->local && s->v.kernel_err[0] == '\0' && s->last.retransmits == 0 &&
           s->last.probes == 0 && s->last.backoff == 0;
}

static enum ho_cause cause_of_death(const struct verdict_side *s, bool user_timeout)
{
    int state = ho_tcp_state_find(s->last.state);

    if (is_closed_at_home(s)) {
        return cause_of_closing(s);
    }

    if (strcmp(s->v.kernel_err, "ECONNREFUSED") == 0) {
        return HO_CAUSE_REFUSED;
    }
    if (s->rst_in.ns <= s->v.kernel_at.ns && s->rst_in.ns >= s->last_at.ns &&
        s->v.kernel_at.ns - s->rst_in.ns <= SAMPLE_NS) {
        return state == HO_TCP_SYN_SENT ? HO_CAUSE_REFUSED : HO_CAUSE_RST;
    }
    /* ground-truth A4: in SYN-SENT and SYN-RECEIVED an unreachable neighbour is fatal at once;
     * later it is only remembered, and the timer decides.
     */
    if (state == HO_TCP_SYN_SENT && is_unreachable(s->v.kernel_err)) {
        return HO_CAUSE_NEIGHBOUR;
    }
    if (state == HO_TCP_LAST_ACK && s->heard.ns >= s->last_at.ns) {
        return cause_of_closing(s); /* the last ACK came */
    }
    return cause_by_timer(s, user_timeout);
}

/* A call failed, and no record says how the kernel came to it. */
static enum ho_cause cause_of_error(const struct verdict_side *s, bool user_timeout)
{
    if (s->rst_in.ns <= s->v.app_at.ns) {
        return strcmp(s->v.app_err, "ECONNREFUSED") == 0 ? HO_CAUSE_REFUSED : HO_CAUSE_RST;
    }
    if (is_unreachable(s->v.app_err)) {
        return HO_CAUSE_NEIGHBOUR;
    }
    if (strcmp(s->v.app_call, "connect") == 0) {
        return user_timeout ? HO_CAUSE_USER_TIMEOUT : HO_CAUSE_SYN;
    }
    return cause_by_timer(s, user_timeout);
}

/* Nobody told the process anything. Does the connection still work? It does not if the other end
 * is no more; it does if the way is whole, or something came through after it was broken.
 */
static enum ho_cause cause_of_silence(const struct verdict_side *s,
                                      const struct verdict_side *other,
                                      const struct verdict_path *path)
{
    bool peer_is_dead =
        other != NULL && (verdict_is_dead(other->v.state) || other->power_off.ns != HO_NEVER.ns);

    if (ho_tcp_state_find(s->v.state) == HO_TCP_CLOSE_WAIT) {
        return HO_CAUSE_FIN; /* the kernel knows; the process has not looked */
    }
    if (!peer_is_dead && (!path->broken || s->local || s->heard.ns > path->at.ns)) {
        return HO_CAUSE_ALIVE;
    }
    return s->last.timer == HO_SOCK_TIMER_OFF ? HO_CAUSE_NOBODY : HO_CAUSE_WAITING;
}

enum ho_cause verdict_cause(const struct verdict_side *s, const struct verdict_side *other,
                            const struct verdict_path *path, bool user_timeout)
{
    const struct ho_verdict *v = &s->v;
    struct ho_time first = v->has_app ? v->app_at : HO_NEVER;

    first = v->has_kernel ? ho_time_min(first, v->kernel_at) : first;
    if (s->power_off.ns != HO_NEVER.ns && !ho_time_before(first, s->power_off)) {
        return HO_CAUSE_POWER;
    }
    if (v->has_app && s->finding && v->app_at.ns <= first.ns) {
        return HO_CAUSE_FINDING;
    }
    /* The FIN came first and the process was told of it: what followed is the way of closing. */
    if (v->has_app && s->fin_in.ns <= v->app_at.ns && s->rst_in.ns > v->app_at.ns &&
        v->app_err[0] == '\0') {
        return HO_CAUSE_FIN;
    }
    if (v->has_kernel) {
        return cause_of_death(s, user_timeout);
    }
    if (v->has_app && v->app_err[0] != '\0') {
        return cause_of_error(s, user_timeout);
    }
    if (s->killed.ns != HO_NEVER.ns) {
        return HO_CAUSE_KILLED;
    }
    if (s->closed.ns != HO_NEVER.ns) {
        return HO_CAUSE_CLOSED;
    }
    return cause_of_silence(s, other, path);
}
