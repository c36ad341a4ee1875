/* From which event, with which settings, did the timers run that ended a connection? Read from a
 * timeline for a verdict, so that the range of its time over the timer wheel's phases can be
 * computed (forecast/range.h, whose struct ho_range_in has the same fields).
 *
 * The origin is the last event before the chain of timers that owes nothing to a timer: the last
 * segment that arrived unasked, the last data sent before the first repeat, the first SYN, the
 * ACK that closed the window. Only then is the range the answer over all phases.
 */

#ifndef HO_TIMELINE_BASIS_H
#define HO_TIMELINE_BASIS_H

#include "timeline/verdict.h"

enum ho_basis_chain {
    HO_BASIS_KEEPALIVE,
    HO_BASIS_DATA,
    HO_BASIS_SYN,
    HO_BASIS_SYNACK,
    HO_BASIS_PROBES,
    HO_BASIS_FIN_WAIT2
};

struct ho_basis {
    enum ho_basis_chain chain;
    struct ho_time origin;
    uint32_t hz;
    struct ho_dur into_jiffy;
    struct ho_dur rto_max, user_timeout;
    int64_t cut_ns; /* the fault the verdict counts from, after the origin */
    struct ho_dur rtt, ratelimit;
    struct ho_dur idle, intvl;
    uint32_t cnt;
    int64_t armed_ns;
    struct ho_dur rto, srtt;
    bool tlp, one_segment, orphan, neighbour;
    int64_t no_route_ns;
    uint32_t retries2, orphan_retries;
    uint32_t retries, linear;
    struct ho_dur fin_timeout;
};

/* The basis of `one`, a verdict of `v`, whose timeline is `tl`. Settings that were not recorded
 * have Linux's defaults.
 *
 * Returns 0; -ENOTSUP where no timer made the time, or the chain's beginning is not in the
 * timeline, or keepalive's timer was armed more than `idle` before the origin; -ENOMEM. *ret is
 * untouched on failure.
 */
int ho_verdict_basis(const struct ho_timeline *tl, const struct ho_verdicts *v,
                     const struct ho_verdict *one, struct ho_basis *ret);

#endif
