/* See forecast/points.h. */

#include "forecast/points.h"

#define RTOS 5   /* timeouts that are tried, both ends included */
#define IPV6 1u  /* bits of a variant on the same link */
#define ASKED 2u /* the first round trip waited for the neighbour's answer, too */
#define VARIANTS 4u

/* How many timeouts there are at this HZ, for the longest round trip. */
static unsigned timeouts(const struct point *p)
{
    struct ho_predict_in in = p->in;

    in.rtt = ho_ns(p->ask->base.rtt.ns * (p->ask->base.on_link ? 2 : 1));
    return p->ask->base.rto.ns == 0 && ho_predict_rto(&in, true).ns > ho_predict_rto(&in, false).ns
               ? RTOS
               : 1;
}

static struct ho_dur timeout(const struct point *p)
{
    int64_t steady = ho_predict_rto(&p->in, false).ns;
    int64_t first = ho_predict_rto(&p->in, true).ns;

    if (p->ask->base.rto.ns > 0) {
        return p->ask->base.rto;
    }
    return ho_ns(steady + (first - steady) / (RTOS - 1) * p->rto);
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
    if (++p->variant >= (p->ask->base.on_link ? VARIANTS : 1)) {
        p->variant = 0;
        p->rto++;
    }
    if (p->rto >= timeouts(p)) {
        p->rto = 0;
        p->hz++;
    }
    settle(p);
}
