/* What the files of the order of timers share. Internal to src/forecast/. */

#ifndef HO_FORECAST_ORDER_WORK_H
#define HO_FORECAST_ORDER_WORK_H

#include "forecast/order.h"

/* A chain, and what TCP does in it by itself, for the client and for the server. */
struct order_work {
    const struct ho_order_chain *chain;
    struct ho_predict_in in[2];
    struct ho_prediction data[2];      /* the peer is gone, data in flight */
    struct ho_prediction keepalive[2]; /* the peer is gone, idle; only if there is keepalive */
    struct ho_prediction probe[2];     /* the first probe has been answered */
    struct ho_prediction connect;      /* nobody answers, behind a router */
};

static inline const struct ho_order_entry *
order_entry(const struct order_work *w, enum ho_order_side side, enum ho_order_timer timer)
{
    const struct ho_order_entry *e = &w->chain->e[side][timer];

    return e->there ? e : NULL;
}

/* When one side notices by its heartbeat: after the last segment received if `idle`, else after
 * something was sent.
 */
void order_heartbeat(const struct ho_order_entry *e, bool idle, int64_t *ret_min, int64_t *ret_max);

/* What ends data in flight: TCP_USER_TIMEOUT, or tcp_retries2. */
enum ho_order_timer order_data_timer(const struct order_work *w, enum ho_order_side side);

/* Until when the connection may be without a segment: the earliest that somebody speaks, at the
 * latest (with *ret_closes false), or closes. INT64_MAX: for ever.
 */
int64_t order_quiet_ns(const struct order_work *w, enum ho_order_side *ret_side,
                       enum ho_order_timer *ret_timer, bool *ret_closes);

/* Whether the chain says anything of a side. */
bool order_knows(const struct order_work *w, enum ho_order_side side);

/* The rules: fills the findings. */
void order_rules(const struct order_work *w, struct ho_order *ret);

/* Judges without looking whether the changes help. Returns as ho_order_judge(). */
int order_judge_once(const struct ho_order_chain *chain, const struct ho_predict_in *base,
                     struct ho_order *ret);

#endif
