/* What happens in each fault, with the timers of a chain. See forecast/order.h; the rules are in
 * order_rules.c.
 */

#include "forecast/order.h"

#include <assert.h>
#include <errno.h>

#include "forecast/order_work.h"

static const enum ho_order_side ends[2] = { HO_ORDER_CLIENT, HO_ORDER_SERVER };

/* ---- what TCP does --------------------------------------------------------------------------- */

static void set_option(struct ho_predict_in *in, enum ho_sockopt id, int64_t value)
{
    in->has_option[id] = true;
    in->option[id] = value;
}

static void set_side(struct ho_predict_in *in, const struct ho_order_entry *e)
{
    for (int id = 0; id < HO_SOCKOPT_COUNT; id++) {
        in->has_option[id] = false;
    }
    if (e[HO_ORDER_T_KEEPALIVE].there) {
        set_option(in, HO_SOCKOPT_TCP_KEEPIDLE, e[HO_ORDER_T_KEEPALIVE].ns / HO_NS_PER_S);
        set_option(in, HO_SOCKOPT_TCP_KEEPINTVL, e[HO_ORDER_T_KEEPALIVE].more_ns / HO_NS_PER_S);
        set_option(in, HO_SOCKOPT_TCP_KEEPCNT, e[HO_ORDER_T_KEEPALIVE].count);
    }
    if (e[HO_ORDER_T_USER_TIMEOUT].there) {
        set_option(in, HO_SOCKOPT_TCP_USER_TIMEOUT, e[HO_ORDER_T_USER_TIMEOUT].ns / 1000000);
    }
    if (e[HO_ORDER_T_RETRIES2].there) {
        in->sysctls.v[HO_SYSCTL_TCP_RETRIES2] = e[HO_ORDER_T_RETRIES2].count;
    }
    if (e[HO_ORDER_T_SYN_RETRIES].there) {
        in->sysctls.v[HO_SYSCTL_TCP_SYN_RETRIES] = e[HO_ORDER_T_SYN_RETRIES].count;
    }
}

static int predict_side(struct order_work *w, int i)
{
    int err = ho_predict(&w->in[i], HO_FAULT_CUT, HO_ACTIVITY_DATA, &w->data[i]);

    if (err == 0 && order_entry(w, ends[i], HO_ORDER_T_KEEPALIVE) != NULL) {
        err = ho_predict(&w->in[i], HO_FAULT_CUT, HO_ACTIVITY_KEEPALIVE, &w->keepalive[i]);
        if (err == 0) {
            err = ho_predict(&w->in[i], HO_FAULT_REBOOT, HO_ACTIVITY_KEEPALIVE, &w->probe[i]);
        }
    }
    return err;
}

static int prepare(struct order_work *w, const struct ho_order_chain *chain,
                   const struct ho_predict_in *base)
{
    w->chain = chain;
    for (int i = 0; i < 2; i++) {
        w->in[i] = *base;
        set_side(&w->in[i], chain->e[ends[i]]);
        int err = predict_side(w, i);

        if (err != 0) {
            return err;
        }
    }
    struct ho_predict_in far = w->in[0];

    far.on_link = false;
    return ho_predict(&far, HO_FAULT_CUT, HO_ACTIVITY_CONNECT, &w->connect);
}

/* ---- what others ask ------------------------------------------------------------------------- */

bool order_knows(const struct order_work *w, enum ho_order_side side)
{
    for (int timer = 0; timer < HO_ORDER_TIMER_COUNT; timer++) {
        if (w->chain->e[side][timer].there) {
            return true;
        }
    }
    return false;
}

enum ho_order_timer order_data_timer(const struct order_work *w, enum ho_order_side side)
{
    return order_entry(w, side, HO_ORDER_T_USER_TIMEOUT) != NULL ? HO_ORDER_T_USER_TIMEOUT
                                                                 : HO_ORDER_T_RETRIES2;
}

void order_heartbeat(const struct ho_order_entry *e, bool idle, int64_t *ret_min, int64_t *ret_max)
{
    if (e->more_ns > 0) { /* silence, a question, and its time */
        *ret_min = idle ? e->ns + e->more_ns : e->more_ns;
        *ret_max = e->ns + e->more_ns;
    } else { /* so many missed; whether the last one is waited for differs */
        *ret_min = e->ns * (idle ? e->count : e->count - 1);
        *ret_max = e->ns * (e->count + 1);
    }
}

struct quiet {
    int64_t ns;
    enum ho_order_side side;
    enum ho_order_timer timer;
    bool closes;
};

static void quieter(struct quiet *q, int64_t ns, enum ho_order_side side, enum ho_order_timer timer,
                    bool closes)
{
    if (ns < q->ns) {
        *q = (struct quiet){ ns, side, timer, closes };
    }
}

int64_t order_quiet_ns(const struct order_work *w, enum ho_order_side *ret_side,
                       enum ho_order_timer *ret_timer, bool *ret_closes)
{
    struct quiet q = { INT64_MAX, HO_ORDER_CLIENT, HO_ORDER_T_KEEPALIVE, false };
    const struct ho_order_entry *e;

    for (int i = 0; i < 2; i++) {
        if (order_entry(w, ends[i], HO_ORDER_T_KEEPALIVE) != NULL) {
            quieter(&q, w->probe[i].max_ns - w->in[i].rtt.ns, ends[i], HO_ORDER_T_KEEPALIVE, false);
        }
        if ((e = order_entry(w, ends[i], HO_ORDER_T_HEARTBEAT)) != NULL) {
            quieter(&q, e->ns, ends[i], HO_ORDER_T_HEARTBEAT, false);
        }
        if ((e = order_entry(w, ends[i], HO_ORDER_T_IDLE)) != NULL) {
            quieter(&q, e->ns, ends[i], HO_ORDER_T_IDLE, true);
        }
    }
    if ((e = order_entry(w, HO_ORDER_CLIENT, HO_ORDER_T_LIFE)) != NULL) {
        quieter(&q, e->ns, HO_ORDER_CLIENT, HO_ORDER_T_LIFE, true);
    }
    *ret_side = q.side;
    *ret_timer = q.timer;
    *ret_closes = q.closes;
    return q.ns;
}

/* ---- events ---------------------------------------------------------------------------------- */

static void add(struct ho_order_case *c, enum ho_order_side side, enum ho_order_timer timer,
                enum ho_order_effect effect, int64_t min_ns, int64_t max_ns)
{
    assert(c->n < HO_ORDER_EVENTS);
    c->event[c->n++] = (struct ho_order_event){ side, timer, effect, min_ns, max_ns, 0 };
}

static void add_tcp(struct ho_order_case *c, enum ho_order_side side, enum ho_order_timer timer,
                    const struct ho_prediction *p, int64_t after_ns)
{
    add(c, side, timer, HO_ORDER_E_ENDS, after_ns + p->min_ns, after_ns + p->max_ns);
    c->event[c->n - 1].err = p->err;
}

static void add_close(const struct order_work *w, struct ho_order_case *c, enum ho_order_side side,
                      enum ho_order_timer timer)
{
    const struct ho_order_entry *e = order_entry(w, side, timer);

    if (e != NULL) { /* how old a connection is, nobody knows */
        add(c, side, timer, HO_ORDER_E_CLOSES, timer == HO_ORDER_T_LIFE ? 0 : e->ns, e->ns);
    }
}

static void add_heartbeat(const struct order_work *w, struct ho_order_case *c,
                          enum ho_order_side side, bool idle)
{
    const struct ho_order_entry *e = order_entry(w, side, HO_ORDER_T_HEARTBEAT);
    int64_t min_ns, max_ns;

    if (e != NULL) {
        order_heartbeat(e, idle, &min_ns, &max_ns);
        add(c, side, HO_ORDER_T_HEARTBEAT, HO_ORDER_E_NOTICES, min_ns, max_ns);
    }
}

/* A heartbeat is data: once it is sent keepalive stands back, and the clock of unacknowledged data
 * runs (ground-truth row 13).
 */
static void idle_events(const struct order_work *w, struct ho_order_case *c, int i)
{
    const struct ho_order_entry *beat = order_entry(w, ends[i], HO_ORDER_T_HEARTBEAT);

    if (order_entry(w, ends[i], HO_ORDER_T_KEEPALIVE) != NULL &&
        (beat == NULL || w->keepalive[i].max_ns < beat->ns)) {
        add_tcp(c, ends[i], HO_ORDER_T_KEEPALIVE, &w->keepalive[i], 0);
    } else if (beat != NULL) {
        add_tcp(c, ends[i], order_data_timer(w, ends[i]), &w->data[i], beat->ns);
    }
    add_heartbeat(w, c, ends[i], true);
    add_close(w, c, ends[i], HO_ORDER_T_IDLE);
    add_close(w, c, ends[i], HO_ORDER_T_LIFE);
}

static void request_event(const struct order_work *w, struct ho_order_case *c,
                          enum ho_order_side side)
{
    const struct ho_order_entry *e = order_entry(w, side, HO_ORDER_T_REQUEST);

    if (e != NULL) {
        add(c, side, HO_ORDER_T_REQUEST, HO_ORDER_E_GIVES_UP, e->ns, e->ns);
    }
}

static void data_events(const struct order_work *w, struct ho_order_case *c, int i)
{
    request_event(w, c, ends[i]);
    add_tcp(c, ends[i], order_data_timer(w, ends[i]), &w->data[i], 0);
    add_heartbeat(w, c, ends[i], false);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void forgot_case(const struct order_work *w, struct ho_order_case *c)
{
    const struct ho_order_entry *box = order_entry(w, HO_ORDER_BOX, HO_ORDER_T_IDLE);
    enum ho_order_timer timer;
    enum ho_order_side side;
    bool closes;

    c->possible = false;
    if (box == NULL) {
        return;
    }
    int64_t quiet_ns = order_quiet_ns(w, &side, &timer, &closes);

    if (quiet_ns < box->ns) {
        add(c, side, timer, closes ? HO_ORDER_E_CLOSES : HO_ORDER_E_SPEAKS, quiet_ns, quiet_ns);
        return;
    }
    c->possible = true;
    if (box->reset) {
        add(c, HO_ORDER_CLIENT, HO_ORDER_TIMER_COUNT, HO_ORDER_E_TOLD, 0, w->in[0].rtt.ns);
        c->event[c->n - 1].err = ECONNRESET;
    } else {
        data_events(w, c, 0);
    }
}

static void race_case(const struct order_work *w, struct ho_order_case *c)
{
    c->possible = order_entry(w, HO_ORDER_SERVER, HO_ORDER_T_IDLE) != NULL;
    if (c->possible) {
        add_close(w, c, HO_ORDER_SERVER, HO_ORDER_T_IDLE);
        add_close(w, c, HO_ORDER_CLIENT, HO_ORDER_T_IDLE);
        add_close(w, c, HO_ORDER_CLIENT, HO_ORDER_T_LIFE);
        add_close(w, c, HO_ORDER_PROXY, HO_ORDER_T_IDLE);
    }
}

static void side_events(const struct order_work *w, struct ho_order_case *c, int i)
{
    switch (c->fault) {
    case HO_ORDER_F_IDLE:
        idle_events(w, c, i);
        break;
    case HO_ORDER_F_DATA:
        data_events(w, c, i);
        break;
    case HO_ORDER_F_KILLED: /* its kernel sends FIN (ground-truth row 6a) */
        add(c, ends[i], HO_ORDER_TIMER_COUNT, HO_ORDER_E_TOLD, 0, w->in[i].rtt.ns);
        break;
    default: /* its kernel acknowledges everything, probes as well */
        request_event(w, c, ends[i]);
        add_heartbeat(w, c, ends[i], false);
        if (i == 1) {
            add_close(w, c, ends[i], HO_ORDER_T_IDLE);
        }
        break;
    }
}

/* By side, then by time; the race by time alone. */
static bool before(const struct ho_order_event *a, const struct ho_order_event *b, bool sides)
{
    if (sides && a->side != b->side) {
        return a->side < b->side;
    }
    if (a->max_ns != b->max_ns) {
        return a->max_ns < b->max_ns;
    }
    if (a->side != b->side) {
        return a->side < b->side;
    }
    return a->timer < b->timer;
}

static void sort(struct ho_order_case *c)
{
    for (unsigned i = 1; i < c->n; i++) {
        struct ho_order_event e = c->event[i];
        unsigned k = i;

        for (; k > 0 && before(&e, &c->event[k - 1], c->fault != HO_ORDER_F_RACE); k--) {
            c->event[k] = c->event[k - 1];
        }
        c->event[k] = e;
    }
}

static void fill_case(const struct order_work *w, struct ho_order_case *c)
{
    c->possible = true;
    if (c->fault == HO_ORDER_F_FORGOT) {
        forgot_case(w, c);
    } else if (c->fault == HO_ORDER_F_RACE) {
        race_case(w, c);
    } else {
        for (int i = 0; i < 2; i++) {
            if (i == 0 || order_knows(w, ends[i])) {
                side_events(w, c, i);
            }
        }
        if (c->fault == HO_ORDER_F_IDLE) {
            add_close(w, c, HO_ORDER_PROXY, HO_ORDER_T_IDLE);
        }
    }
    sort(c);
}

/* ---- all of it ------------------------------------------------------------------------------- */

int order_judge_once(const struct ho_order_chain *chain, const struct ho_predict_in *base,
                     struct ho_order *ret)
{
    struct ho_order order = { .n = 0 };
    struct order_work w;
    int err = prepare(&w, chain, base);

    if (err != 0) {
        return err;
    }
    for (int fault = 0; fault < HO_ORDER_FAULT_COUNT; fault++) {
        order.cases[fault].fault = (enum ho_order_fault)fault;
        fill_case(&w, &order.cases[fault]);
    }
    order_rules(&w, &order);
    *ret = order;
    return 0;
}

void ho_order_apply(struct ho_order_chain *chain, const struct ho_order_change *change)
{
    chain->e[change->side][change->timer] = change->e;
}

/* Whether the chain with the change has the finding no more. */
static bool helps(const struct ho_order_chain *chain, const struct ho_predict_in *base,
                  const struct ho_order_finding *f, const struct ho_order_change *change)
{
    struct ho_order_chain changed = *chain;
    struct ho_order order;

    ho_order_apply(&changed, change);
    if (order_judge_once(&changed, base, &order) != 0) {
        return false;
    }
    for (unsigned i = 0; i < order.n; i++) {
        if (order.finding[i].reason == f->reason && order.finding[i].side == f->side) {
            return false;
        }
    }
    return true;
}

int ho_order_judge(const struct ho_order_chain *chain, const struct ho_predict_in *base,
                   struct ho_order *ret)
{
    for (int i = 0; i < 2; i++) {
        const struct ho_order_entry *k = &chain->e[ends[i]][HO_ORDER_T_KEEPALIVE];

        assert(!k->there || (k->ns > 0 && k->more_ns > 0 && k->count > 0)); /* resolved */
    }
    int err = order_judge_once(chain, base, ret);

    for (unsigned i = 0; err == 0 && i < ret->n; i++) {
        struct ho_order_finding *f = &ret->finding[i];
        unsigned kept = 0;

        for (unsigned k = 0; k < f->changes; k++) {
            if (helps(chain, base, f, &f->change[k])) {
                f->change[kept++] = f->change[k];
            }
        }
        f->changes = kept;
    }
    return err;
}
