/* See forecast/points.h. */

#include "forecast/points.h"

#define RTOS 5 /* timeouts that are tried, both ends included */

/* How many timeouts there are at this HZ. */
static unsigned timeouts(const struct point *p)
{
    struct ho_predict_in in = p->in;

    if (p->ask->base.rto.ns > 0) {
        return 1;
    }
    return ho_predict_rto(&in, true).ns > ho_predict_rto(&in, false).ns ? RTOS : 1;
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
        p->in.rto = timeout(p);
        p->in.ipv6 = p->family > 0;
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
    if (++p->family > (p->ask->base.on_link ? 1u : 0u)) {
        p->family = 0;
        p->rto++;
    }
    if (p->rto >= timeouts(p)) {
        p->rto = 0;
        p->hz++;
    }
    settle(p);
}
