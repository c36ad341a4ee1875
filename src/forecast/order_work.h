/* What the files of the order of timers share. Internal to src/forecast/. */

#ifndef HO_FORECAST_ORDER_WORK_H
#define HO_FORECAST_ORDER_WORK_H

#include "forecast/order.h"
#include "knobs/settings.h"

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

/* Fills in the timers that `program`, an id of knobs/settings.h or a part of it, has on that side
 * by default; of two that do the same, the shorter one. Returns false if it has no setting there.
 */
bool order_add_program(struct ho_order_chain *chain, enum ho_order_side side, const char *program);

/* The side that all its settings are on; HO_ORDER_SIDE_COUNT if that is not one. */
enum ho_order_side order_program_side(const char *program);

/* A text that is being read. */
struct order_reader {
    const char *text;
    size_t at, end; /* of the entry that is being read */
    struct ho_order_mistake *mistake;
    struct ho_order_chain said, filled; /* by entries; by programs */
};

/* Notes the mistake. Returns -EINVAL. */
int order_wrong(struct order_reader *r, size_t at, size_t len, const char *expected);

bool order_blank(char c);
bool order_digit(char c);
char order_plain(char c); /* lower case, and `_` for `-` */
void order_skip_blanks(struct order_reader *r);

/* Reads the value of a timer. Returns 0; -EINVAL as order_wrong(). */
int order_read_value(struct order_reader *r, enum ho_order_timer timer, struct ho_order_entry *e);

/* The rules: fills the findings. */
void order_rules(const struct order_work *w, struct ho_order *ret);

/* Judges without looking whether the changes help. Returns as ho_order_judge(). */
int order_judge_once(const struct ho_order_chain *chain, const struct ho_predict_in *base,
                     struct ho_order *ret);

#endif
