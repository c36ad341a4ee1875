/* From a verdict's basis (timeline/basis.h) to its range (forecast/range.h): the two folders do
 * not know each other.
 */

#include "model/ranges.h"

#include <errno.h>

#include "timeline/basis.h"

static enum ho_range_kind kind_of(enum ho_basis_chain chain)
{
    static const enum ho_range_kind kind[] = {
        [HO_BASIS_KEEPALIVE] = HO_RANGE_KEEPALIVE,
        [HO_BASIS_DATA] = HO_RANGE_DATA,
        [HO_BASIS_SYN] = HO_RANGE_SYN,
        [HO_BASIS_SYNACK] = HO_RANGE_SYNACK,
        [HO_BASIS_PROBES] = HO_RANGE_PROBES,
        [HO_BASIS_FIN_WAIT2] = HO_RANGE_FIN_WAIT2,
    };

    return kind[chain];
}

static struct ho_range_in range_in(const struct ho_basis *b)
{
    return (struct ho_range_in){
        .kind = kind_of(b->chain),
        .hz = b->hz,
        .into_jiffy = b->into_jiffy,
        .rto_max = b->rto_max,
        .user_timeout = b->user_timeout,
        .cut_ns = b->cut_ns,
        .rtt = b->rtt,
        .ratelimit = b->ratelimit,
        .idle = b->idle,
        .intvl = b->intvl,
        .cnt = b->cnt,
        .armed_ns = b->armed_ns,
        .rto = b->rto,
        .srtt = b->srtt,
        .tlp = b->tlp,
        .one_segment = b->one_segment,
        .orphan = b->orphan,
        .no_route_ns = b->no_route_ns,
        .neighbour = b->neighbour,
        .retries2 = b->retries2,
        .orphan_retries = b->orphan_retries,
        .retries = b->retries,
        .linear = b->linear,
        .fin_timeout = b->fin_timeout,
    };
}

int ho_verdict_range(const struct ho_timeline *tl, const struct ho_verdicts *v,
                     const struct ho_verdict *one, struct ho_range *ret, struct ho_time *ret_origin)
{
    struct ho_range_in in;
    struct ho_basis b;
    int err = ho_verdict_basis(tl, v, one, &b);

    if (err != 0) {
        return err;
    }
    in = range_in(&b);
    err = ho_range(&in, ret);
    if (err == 0) {
        *ret_origin = b.origin;
    }
    return err == -EINVAL ? -ENOTSUP : err;
}

int ho_verdicts_range(const struct ho_timeline *tl, struct ho_verdicts *v)
{
    for (size_t i = 0; i < v->n; i++) {
        struct ho_verdict *one = &v->v[i];
        struct ho_time origin;
        struct ho_range r;
        int err = ho_verdict_range(tl, v, one, &r, &origin);

        if (err == -ENOMEM) {
            return err;
        }
        if (err == 0 && r.max_ns > r.min_ns) {
            one->has_range = true;
            one->range_min_ns = origin.ns - v->since.ns + r.min_ns;
            one->range_max_ns = origin.ns - v->since.ns + r.max_ns;
        }
    }
    return 0;
}
