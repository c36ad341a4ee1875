/* Which order of timers is unsafe, and what would be safe. See forecast/order.h.
 *
 * One function a rule; each is about one side. A change that is offered is tried by
 * ho_order_judge(): what does not help is not shown.
 */

#include <assert.h>

#include "forecast/order_work.h"

#define SLOW_NS (60 * HO_NS_PER_S) /* TCP that takes longer is no help to a request */

struct rules {
    const struct order_work *w;
    struct ho_order *out;
};

static struct ho_order_finding *found(struct rules *r, enum ho_order_reason reason,
                                      enum ho_order_side side)
{
    assert(r->out->n < HO_ORDER_FINDINGS);
    struct ho_order_finding *f = &r->out->finding[r->out->n++];

    *f = (struct ho_order_finding){ .reason = reason, .side = side };
    return f;
}

static void times(struct ho_order_finding *f, int64_t min_ns, int64_t max_ns, int64_t than_ns)
{
    f->min_ns = min_ns;
    f->max_ns = max_ns;
    f->than_ns = than_ns;
}

static void change(struct ho_order_finding *f, enum ho_order_side side, enum ho_order_timer timer,
                   struct ho_order_entry e)
{
    e.there = true;
    if (f->changes < HO_ORDER_CHANGES) {
        f->change[f->changes++] = (struct ho_order_change){ side, timer, e };
    }
}

static void change_time(struct ho_order_finding *f, enum ho_order_side side,
                        enum ho_order_timer timer, int64_t ns)
{
    if (ns > 0) {
        change(f, side, timer, (struct ho_order_entry){ .ns = ns });
    }
}

static const struct ho_order_entry *of(const struct rules *r, enum ho_order_side side,
                                       enum ho_order_timer timer)
{
    return order_entry(r->w, side, timer);
}

static int index_of(enum ho_order_side side)
{
    assert(side == HO_ORDER_CLIENT || side == HO_ORDER_SERVER);
    return side == HO_ORDER_CLIENT ? 0 : 1;
}

/* ---- numbers for people ---------------------------------------------------------------------- */

static int64_t down_s(int64_t ns)
{
    return ns / HO_NS_PER_S * HO_NS_PER_S;
}

static int64_t up_s(int64_t ns)
{
    return (ns + HO_NS_PER_S - 1) / HO_NS_PER_S * HO_NS_PER_S;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A tenth, but a second at least, on either side. */
static int64_t below(int64_t ns)
{
    return down_s(ns - larger(HO_NS_PER_S, ns / 10));
}

static int64_t above(int64_t ns)
{
    return up_s(ns + larger(HO_NS_PER_S, ns / 10));
}

/* Keepalive whose last probe fails when the user timeout is over: idle + cnt * intvl half an
 * interval behind it. Returns false if the user timeout is too short for whole seconds.
 */
static bool fit_keepalive(int64_t user_timeout_ns, int64_t cnt, struct ho_order_entry *e)
{
    int64_t s = user_timeout_ns / HO_NS_PER_S;
    int64_t intvl = s / (cnt + 1);
    int64_t idle = s - intvl * cnt + (intvl + 1) / 2;

    if (intvl < 1 || idle < 1) {
        return false;
    }
    *e = (struct ho_order_entry){
        .there = true, .ns = idle * HO_NS_PER_S, .more_ns = intvl * HO_NS_PER_S, .count = cnt
    };
    return true;
}

/* Keepalive for a side that has none, or too slow a one: below half of what a box on the way takes,
 * and together with the user timeout.
 */
static struct ho_order_entry new_keepalive(const struct rules *r, enum ho_order_side side)
{
    const struct ho_order_entry *old = of(r, side, HO_ORDER_T_KEEPALIVE);
    const struct ho_order_entry *user = of(r, side, HO_ORDER_T_USER_TIMEOUT);
    const struct ho_order_entry *box = of(r, HO_ORDER_BOX, HO_ORDER_T_IDLE);
    struct ho_order_entry e = {
        .there = true, .ns = 60 * HO_NS_PER_S, .more_ns = 10 * HO_NS_PER_S, .count = 3
    };

    if (old != NULL) {
        e = *old;
    } else if (user != NULL) {
        (void)fit_keepalive(user->ns, 3, &e);
    }
    if (box != NULL) {
        e.ns = larger(HO_NS_PER_S, smaller(e.ns, down_s(box->ns / 2)));
    }
    return e;
}

/* ---- keepalive and the user timeout ---------------------------------------------------------- */

/* The user timeout takes the place of the count: the connection dies at the first keepalive timer
 * behind it (ground-truth row 9). The k-th one is never before idle + k * intvl.
 */
static void probes_rule(struct rules *r, enum ho_order_side side)
{
    const struct ho_order_entry *k = of(r, side, HO_ORDER_T_KEEPALIVE);
    const struct ho_order_entry *user = of(r, side, HO_ORDER_T_USER_TIMEOUT);
    const struct ho_prediction *p = &r->w->keepalive[index_of(side)];
    struct ho_order_entry fitted;

    if (k == NULL) {
        return;
    }
    int64_t lost = (p->min_ns - k->ns) / k->more_ns;

    if (user == NULL ? k->count != 1 : lost == k->count) {
        return;
    }
    struct ho_order_finding *f = found(r,
                                       user == NULL      ? HO_ORDER_R_COUNT_ONE
                                       : lost <= 1       ? HO_ORDER_R_LOST_PROBE
                                       : lost < k->count ? HO_ORDER_R_FEWER_PROBES
                                                         : HO_ORDER_R_MORE_PROBES,
                                       side);

    times(f, p->min_ns, p->max_ns, k->ns + k->more_ns * k->count);
    f->lost = lost;
    f->count = k->count;
    if (user == NULL) {
        fitted = *k;
        fitted.count = 3;
        change(f, side, HO_ORDER_T_KEEPALIVE, fitted);
        return;
    }
    if (k->count > 1) {
        change_time(f, side, HO_ORDER_T_USER_TIMEOUT, f->than_ns - k->more_ns / 2);
    }
    if (fit_keepalive(user->ns, larger(k->count, 2), &fitted)) {
        change(f, side, HO_ORDER_T_KEEPALIVE, fitted);
    }
}

/* Below a second, milliseconds were probably taken for seconds. */
static void tiny_rule(struct rules *r, enum ho_order_side side)
{
    const struct ho_order_entry *user = of(r, side, HO_ORDER_T_USER_TIMEOUT);

    if (user != NULL && user->ns < HO_NS_PER_S) {
        struct ho_order_finding *f = found(r, HO_ORDER_R_TINY, side);
        const struct ho_prediction *p = &r->w->data[index_of(side)];

        times(f, p->min_ns, p->max_ns, user->ns);
        change_time(f, side, HO_ORDER_T_USER_TIMEOUT,
                    user->ns <= 120LL * 1000000 ? user->ns * 1000 : 5 * HO_NS_PER_S);
    }
}

/* ---- what never ends ------------------------------------------------------------------------- */

/* While something is unacknowledged keepalive only arms itself again (ground-truth row 13). */
static void data_rule(struct rules *r, enum ho_order_side side)
{
    int i = index_of(side);
    const struct ho_order_entry *k = of(r, side, HO_ORDER_T_KEEPALIVE);
    const struct ho_order_entry *request = of(r, side, HO_ORDER_T_REQUEST);

    if (k == NULL || of(r, side, HO_ORDER_T_USER_TIMEOUT) != NULL ||
        of(r, side, HO_ORDER_T_HEARTBEAT) != NULL ||
        (request != NULL && request->ns < r->w->data[i].min_ns) ||
        r->w->data[i].min_ns <= r->w->keepalive[i].max_ns) {
        return;
    }
    struct ho_order_finding *f = found(r, HO_ORDER_R_DATA_UNCOVERED, side);

    times(f, r->w->data[i].min_ns, r->w->data[i].max_ns, r->w->keepalive[i].max_ns);
    change_time(f, side, HO_ORDER_T_USER_TIMEOUT,
                k->ns + k->more_ns * k->count - (k->count > 1 ? k->more_ns / 2 : 0));
}

static void idle_rule(struct rules *r, enum ho_order_side side)
{
    const struct ho_order_entry *server = of(r, HO_ORDER_SERVER, HO_ORDER_T_IDLE);

    if (!order_knows(r->w, side) || of(r, side, HO_ORDER_T_KEEPALIVE) != NULL ||
        of(r, side, HO_ORDER_T_HEARTBEAT) != NULL || of(r, side, HO_ORDER_T_IDLE) != NULL ||
        of(r, side, HO_ORDER_T_LIFE) != NULL) {
        return;
    }
    struct ho_order_finding *f = found(r, HO_ORDER_R_IDLE_UNNOTICED, side);

    change(f, side, HO_ORDER_T_KEEPALIVE, new_keepalive(r, side));
    change_time(f, side, HO_ORDER_T_IDLE,
                side == HO_ORDER_CLIENT && server != NULL ? below(server->ns) : SLOW_NS);
}

/* A kernel that lives answers probes and takes data: only a program's timer notices. A server that
 * closes idle connections closes one whose client asks nothing more.
 */
static void hang_rule(struct rules *r, enum ho_order_side side)
{
    if (order_knows(r->w, side) && of(r, side, HO_ORDER_T_REQUEST) == NULL &&
        of(r, side, HO_ORDER_T_HEARTBEAT) == NULL &&
        (side == HO_ORDER_CLIENT || of(r, side, HO_ORDER_T_IDLE) == NULL)) {
        struct ho_order_finding *f = found(r, HO_ORDER_R_HANG_UNNOTICED, side);

        change_time(f, side, HO_ORDER_T_REQUEST, 30 * HO_NS_PER_S);
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

static void request_rule(struct rules *r, enum ho_order_side side)
{
    const struct ho_order_entry *request = of(r, side, HO_ORDER_T_REQUEST);
    const struct ho_prediction *p = &r->w->data[index_of(side)];

    if (request == NULL) {
        return;
    }
    if (request->ns < p->min_ns) {
        struct ho_order_finding *f = found(r, HO_ORDER_R_REQUEST_LEAVES, side);

        times(f, p->min_ns, p->max_ns, request->ns);
    } else if (of(r, side, HO_ORDER_T_USER_TIMEOUT) == NULL &&
               of(r, side, HO_ORDER_T_HEARTBEAT) == NULL && p->min_ns > SLOW_NS) {
        struct ho_order_finding *f = found(r, HO_ORDER_R_REQUEST_LATE, side);

        times(f, p->min_ns, p->max_ns, request->ns);
        change_time(f, side, HO_ORDER_T_USER_TIMEOUT, 30 * HO_NS_PER_S);
        change_time(f, side, HO_ORDER_T_REQUEST, SLOW_NS);
    }
}

/* A connection is free again when its request is over, or when TCP ends it. */
static void wait_rule(struct rules *r)
{
    const struct ho_order_entry *wait = of(r, HO_ORDER_CLIENT, HO_ORDER_T_WAIT);
    const struct ho_order_entry *request = of(r, HO_ORDER_CLIENT, HO_ORDER_T_REQUEST);
    const struct ho_prediction *p = &r->w->data[0];

    if (wait == NULL || p->max_ns < wait->ns || (request != NULL && request->ns < wait->ns)) {
        return;
    }
    struct ho_order_finding *f = found(r, HO_ORDER_R_WAIT_SHORT, HO_ORDER_CLIENT);

    times(f, p->min_ns, p->max_ns, wait->ns);
    change_time(f, HO_ORDER_CLIENT, HO_ORDER_T_USER_TIMEOUT, down_s(wait->ns / 2));
    if (p->max_ns <= 2 * SLOW_NS) {
        change_time(f, HO_ORDER_CLIENT, HO_ORDER_T_WAIT, above(p->max_ns));
    }
}

static void connect_rule(struct rules *r)
{
    const struct ho_order_entry *connect = of(r, HO_ORDER_CLIENT, HO_ORDER_T_CONNECT);
    const struct ho_order_entry *request = of(r, HO_ORDER_CLIENT, HO_ORDER_T_REQUEST);

    if (connect == NULL) {
        return;
    }
    if (request != NULL && connect->ns >= request->ns) {
        struct ho_order_finding *f = found(r, HO_ORDER_R_CONNECT_LATE, HO_ORDER_CLIENT);

        times(f, connect->ns, connect->ns, request->ns);
        change_time(f, HO_ORDER_CLIENT, HO_ORDER_T_CONNECT, down_s(request->ns / 2));
    }
    if (connect->ns > r->w->connect.max_ns) {
        struct ho_order_finding *f = found(r, HO_ORDER_R_CONNECT_IDLE, HO_ORDER_CLIENT);

        times(f, r->w->connect.min_ns, r->w->connect.max_ns, connect->ns);
        change_time(f, HO_ORDER_CLIENT, HO_ORDER_T_CONNECT, 5 * HO_NS_PER_S);
    }
}

static void works_on_rule(struct rules *r)
{
    const struct ho_order_entry *client = of(r, HO_ORDER_CLIENT, HO_ORDER_T_REQUEST);
    const struct ho_order_entry *server = of(r, HO_ORDER_SERVER, HO_ORDER_T_REQUEST);

    if (client != NULL && server != NULL && server->ns > client->ns) {
        struct ho_order_finding *f = found(r, HO_ORDER_R_WORKS_ON, HO_ORDER_SERVER);

        times(f, server->ns, server->ns, client->ns);
        change_time(f, HO_ORDER_SERVER, HO_ORDER_T_REQUEST, client->ns);
    }
}

/* ---- idle connections ------------------------------------------------------------------------ */

static void forgotten_rule(struct rules *r)
{
    const struct ho_order_entry *box = of(r, HO_ORDER_BOX, HO_ORDER_T_IDLE);
    enum ho_order_timer timer;
    enum ho_order_side side;
    bool closes;

    if (box == NULL) {
        return;
    }
    int64_t quiet_ns = order_quiet_ns(r->w, &side, &timer, &closes);

    if (quiet_ns < box->ns) {
        return;
    }
    struct ho_order_finding *f = found(r, HO_ORDER_R_FORGOTTEN, HO_ORDER_CLIENT);

    times(f, quiet_ns, quiet_ns, box->ns);
    change(f, HO_ORDER_CLIENT, HO_ORDER_T_KEEPALIVE, new_keepalive(r, HO_ORDER_CLIENT));
    change_time(f, HO_ORDER_CLIENT, HO_ORDER_T_IDLE, below(box->ns));
}

/* How long `side` keeps a connection without using it; 0 if it is not known to keep any. */
static int64_t kept_ns(const struct rules *r, enum ho_order_side side)
{
    const struct ho_order_entry *idle = of(r, side, HO_ORDER_T_IDLE);
    const struct ho_order_entry *life = of(r, side, HO_ORDER_T_LIFE);

    if (idle != NULL) {
        return idle->ns;
    }
    return life != NULL ? life->ns : of(r, side, HO_ORDER_T_WAIT) != NULL ? INT64_MAX : 0;
}

/* The server's FIN is on its way while a request goes the other way: it meets a closed socket. TCP
 * keepalive does not keep a server from closing what is idle.
 */
static void race_rule(struct rules *r, enum ho_order_side side)
{
    const struct ho_order_entry *server = of(r, HO_ORDER_SERVER, HO_ORDER_T_IDLE);
    int64_t kept = kept_ns(r, side);

    if (server == NULL || kept == 0 ||
        (kept < INT64_MAX && kept + r->w->in[0].rtt.ns < server->ns)) {
        return;
    }
    struct ho_order_finding *f = found(r, HO_ORDER_R_RACE, side);

    times(f, kept, kept, server->ns);
    change_time(f, side, HO_ORDER_T_IDLE, below(server->ns));
    if (kept < INT64_MAX) {
        change_time(f, HO_ORDER_SERVER, HO_ORDER_T_IDLE, above(kept));
    }
}

static void maybe_race_rule(struct rules *r)
{
    const struct ho_order_entry *server = of(r, HO_ORDER_SERVER, HO_ORDER_T_IDLE);
    const struct ho_order_entry *box = of(r, HO_ORDER_BOX, HO_ORDER_T_IDLE);

    if (server != NULL && box != NULL && box->ns >= server->ns &&
        of(r, HO_ORDER_PROXY, HO_ORDER_T_IDLE) == NULL) {
        struct ho_order_finding *f = found(r, HO_ORDER_R_MAYBE_RACE, HO_ORDER_BOX);

        times(f, box->ns, box->ns, server->ns);
    }
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void unsafe_first(struct ho_order *o)
{
    struct ho_order_finding sorted[HO_ORDER_FINDINGS];
    unsigned n = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < o->n; i++) {
            if (ho_order_reason_unsafe(o->finding[i].reason) == (pass == 0)) {
                sorted[n++] = o->finding[i];
            }
        }
        o->unsafe = pass == 0 ? n : o->unsafe;
    }
    for (unsigned i = 0; i < n; i++) {
        o->finding[i] = sorted[i];
    }
}

void order_rules(const struct order_work *w, struct ho_order *ret)
{
    static const enum ho_order_side ends[2] = { HO_ORDER_CLIENT, HO_ORDER_SERVER };
    struct rules r = { w, ret };

    for (int i = 0; i < 2; i++) {
        probes_rule(&r, ends[i]);
        tiny_rule(&r, ends[i]);
        data_rule(&r, ends[i]);
        idle_rule(&r, ends[i]);
        request_rule(&r, ends[i]);
        hang_rule(&r, ends[i]);
    }
    wait_rule(&r);
    connect_rule(&r);
    works_on_rule(&r);
    forgotten_rule(&r);
    race_rule(&r, HO_ORDER_CLIENT);
    race_rule(&r, HO_ORDER_PROXY);
    maybe_race_rule(&r);
    unsafe_first(ret);
}
