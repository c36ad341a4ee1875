/* See forecast/points.h. */

#include "forecast/points.h"

#define RTOS 5   /* timeouts that are tried, both ends included */
#define IPV6 1u  /* bits of a variant on the same link */
#define ASKED 2u /* the first round trip waited for the neighbour's answer, too */
#define VARIANTS 4u

static struct ho_dur longer(struct ho_dur a, struct ho_dur b)
{
    return a.ns > b.ns ? a : b;
}

/* The longest timeout that is tried. */
static struct ho_dur longest_timeout(const struct point *p, const struct ho_predict_in *in)
{
    return longer(ho_predict_rto(in, true), p->ask->base.rto);
}

/* How many timeouts there are at this HZ, for the longest round trip. */
static unsigned timeouts(const struct point *p)
{
    struct ho_predict_in in = p->in;

    in.rtt = ho_ns(p->ask->base.rtt.ns * (p->ask->base.on_link ? 2 : 1));
    return longest_timeout(p, &in).ns > ho_predict_rto(&in, false).ns ? RTOS : 1;
}

static struct ho_dur timeout(const struct point *p)
{
    int64_t steady = ho_predict_rto(&p->in, false).ns;

    return ho_ns(steady + (longest_timeout(p, &p->in).ns - steady) / (RTOS - 1) * p->rto);
}

/* Whether both families ask for neighbours alike: then one is enough. */
static bool families_agree(const struct ho_sysctls *s)
{
    return s->v[HO_SYSCTL_NEIGH_MCAST_SOLICIT] == s->v[HO_SYSCTL_NEIGH6_MCAST_SOLICIT] &&
           s->v[HO_SYSCTL_NEIGH_UCAST_SOLICIT] == s->v[HO_SYSCTL_NEIGH6_UCAST_SOLICIT] &&
           s->v[HO_SYSCTL_NEIGH_RETRANS_TIME_MS] == s->v[HO_SYSCTL_NEIGH6_RETRANS_TIME_MS];
}

/* The variant behind this one, VARIANTS if it is the last. */
static unsigned next_variant(const struct point *p)
{
    unsigned v = p->variant + 1;

    if (!p->ask->base.on_link) {
        return VARIANTS;
    }
    return (v & IPV6) != 0 && families_agree(&p->in.sysctls) ? v + 1 : v;
}

static void settle(struct point *p)
{
    if (point_is(p)) {
        p->in.hz = p->ask->hz[p->hz];
        p->in.ipv6 = (p->variant & IPV6) != 0;
        p->in.rtt = ho_ns(p->ask->base.rtt.ns * ((p->variant & ASKED) != 0 ? 2 : 1));
        p->in.rto = timeout(p);
    }
}

struct point point_first(const struct ho_advise_ask *ask, const struct ho_predict_in *in)
{
    struct point p = { .ask = ask, .in = *in };

    settle(&p);
    return p;
}

bool point_is(const struct point *p)
{
    return p->hz < p->ask->hz_count;
}

void point_next(struct point *p)
{
    p->variant = next_variant(p);
    if (p->variant >= VARIANTS) {
        p->variant = 0;
        p->rto++;
    }
    if (p->rto >= timeouts(p)) {
        p->rto = 0;
        p->hz++;
    }
    settle(p);
}
