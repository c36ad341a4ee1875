/* Which setting made the number: the knob of a verdict, by name and with its value in force. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "timeline/verdict_side.h"
#include "timeline/view.h"

/* A socket's option in force, or NULL. */
static const struct ho_rec_settings *opt(const struct verdict_side *s, const struct ho_timeline *tl,
                                         const char *name)
{
    return ho_view_setting(tl, tl->n, "sockopt", s->v.host, s->v.conn, name);
}

static const struct ho_rec_settings *sysctl(const struct verdict_side *s,
                                            const struct ho_timeline *tl, const char *name)
{
    return ho_view_setting(tl, tl->n, "sysctl", s->v.host, NULL, name);
}

/* "NAME=value", or "NAME" where the value is not known. */
static void named(struct verdict_side *s, const struct ho_rec_settings *k, const char *name,
                  const char *more)
{
    if (k == NULL) {
        snprintf(s->v.knob, sizeof(s->v.knob), "%s%s", name, more);
    } else {
        snprintf(s->v.knob, sizeof(s->v.knob), "%s=%" PRId64 "%s", name, k->value, more);
    }
}

/* The option if the socket has it, else the sysctl. */
static void opt_or_sysctl(struct verdict_side *s, const struct ho_timeline *tl, const char *option,
                          const char *name)
{
    const struct ho_rec_settings *k = opt(s, tl, option);

    if (k != NULL && k->value > 0) {
        named(s, k, option, "");
    } else {
        named(s, sysctl(s, tl, name), name, "");
    }
}

/* tcp(7): a socket's option goes before the sysctl, each of the three on its own. */
static void keepalive(struct verdict_side *s, const struct ho_timeline *tl)
{
    static const char *const names[3][2] = {
        { "TCP_KEEPIDLE", "net.ipv4.tcp_keepalive_time" },
        { "TCP_KEEPINTVL", "net.ipv4.tcp_keepalive_intvl" },
        { "TCP_KEEPCNT", "net.ipv4.tcp_keepalive_probes" },
    };
    const struct ho_rec_settings *k[3];
    bool own = false, known = true;

    for (int i = 0; i < 3; i++) {
        k[i] = opt(s, tl, names[i][0]);
        own = own || k[i] != NULL;
        k[i] = k[i] != NULL ? k[i] : sysctl(s, tl, names[i][1]);
        known = known && k[i] != NULL;
    }
    const char *name =
        own ? "TCP_KEEPIDLE/TCP_KEEPINTVL/TCP_KEEPCNT" : "net.ipv4.tcp_keepalive_time/intvl/probes";
    if (known) {
        snprintf(s->v.knob, sizeof(s->v.knob), "%s %" PRId64 "/%" PRId64 "/%" PRId64, name,
                 k[0]->value, k[1]->value, k[2]->value);
    } else {
        snprintf(s->v.knob, sizeof(s->v.knob), "%s", name);
    }
}

static void text(struct verdict_side *s, const char *words)
{
    snprintf(s->v.knob, sizeof(s->v.knob), "%s", words);
}

static void orphan(struct verdict_side *s, const struct ho_timeline *tl)
{
    static const char name[] = "net.ipv4.tcp_orphan_retries";
    const struct ho_rec_settings *k = sysctl(s, tl, name);

    named(s, k, name, k != NULL && k->value == 0 ? " (0 means 8)" : "");
}

static void neighbour(struct verdict_side *s, const struct ho_timeline *tl)
{
    static const char name[] = "net.ipv4.neigh.*.mcast_solicit";

    named(s, sysctl(s, tl, name), name, " requests unanswered");
}

/* What will fire when nothing has fired yet. */
static void pending(struct verdict_side *s, const struct ho_timeline *tl)
{
    switch (s->last.timer) {
    case HO_SOCK_TIMER_KEEPALIVE:
        keepalive(s, tl);
        break;
    case HO_SOCK_TIMER_ON:
        named(s, sysctl(s, tl, "net.ipv4.tcp_retries2"), "net.ipv4.tcp_retries2", "");
        break;
    case HO_SOCK_TIMER_PROBE:
        named(s, sysctl(s, tl, "net.ipv4.tcp_retries2"), "net.ipv4.tcp_retries2", " probes");
        break;
    default:
        break;
    }
}

void verdict_knob(struct verdict_side *s, const struct ho_timeline *tl)
{
    switch (s->v.cause) {
    case HO_CAUSE_RETRIES2:
        named(s, sysctl(s, tl, "net.ipv4.tcp_retries2"), "net.ipv4.tcp_retries2", "");
        break;
    case HO_CAUSE_PROBES: /* a count there, ground-truth row 12 */
        named(s, sysctl(s, tl, "net.ipv4.tcp_retries2"), "net.ipv4.tcp_retries2", " probes");
        break;
    case HO_CAUSE_ORPHAN:
        orphan(s, tl);
        break;
    case HO_CAUSE_USER_TIMEOUT:
        named(s, opt(s, tl, "TCP_USER_TIMEOUT"), "TCP_USER_TIMEOUT",
              s->last.timer == HO_SOCK_TIMER_KEEPALIVE ? " with keepalive" : "");
        break;
    case HO_CAUSE_KEEPALIVE:
        keepalive(s, tl);
        break;
    case HO_CAUSE_SYN:
        opt_or_sysctl(s, tl, "TCP_SYNCNT", "net.ipv4.tcp_syn_retries");
        break;
    case HO_CAUSE_SYNACK:
        named(s, sysctl(s, tl, "net.ipv4.tcp_synack_retries"), "net.ipv4.tcp_synack_retries", "");
        break;
    case HO_CAUSE_NEIGHBOUR:
        neighbour(s, tl);
        break;
    case HO_CAUSE_FIN_TIMEOUT:
        opt_or_sysctl(s, tl, "TCP_LINGER2", "net.ipv4.tcp_fin_timeout");
        break;
    case HO_CAUSE_RST:
    case HO_CAUSE_REFUSED:
        text(s, "peer sent RST");
        break;
    case HO_CAUSE_FIN:
        text(s, "peer sent FIN");
        break;
    case HO_CAUSE_FINDING:
        text(s, s->detail);
        break;
    case HO_CAUSE_NOBODY:
        text(s, "no timer runs on an idle connection");
        break;
    case HO_CAUSE_WAITING:
        pending(s, tl);
        break;
    case HO_CAUSE_ALIVE:
    case HO_CAUSE_CLOSED:
    case HO_CAUSE_KILLED:
    case HO_CAUSE_POWER:
    case HO_CAUSE_COUNT:
        break;
    }
}
