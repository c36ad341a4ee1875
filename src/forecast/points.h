/* What is not known of two hosts that are given advice, gone through one by one. Internal to
 * src/forecast/.
 *
 *     for (p = point_first(ask, &in); point_is(&p); point_next(&p)) {
 *         ho_predict(&p.in, ..)
 *     }
 *
 * The HZs asked about; the retransmission timeout, from that of a steady path to that of the first
 * segment (ground-truth A2.1), or to the one that was said; on the same link, the families, whose
 * neighbours have sysctls of their own, and a first round trip that is twice as long because it
 * waited for ARP.
 */

#ifndef HO_FORECAST_POINTS_H
#define HO_FORECAST_POINTS_H

#include "forecast/advise.h"

struct point {
    const struct ho_advise_ask *ask;
    unsigned hz, rto, variant; /* which of them */
    struct ho_predict_in in;   /* what was given, with the point's own values */
};

struct point point_first(const struct ho_advise_ask *ask, const struct ho_predict_in *in);
bool point_is(const struct point *p);
void point_next(struct point *p);

#endif
