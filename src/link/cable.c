/* One cable. A frame under way is a struct ho_flight in its direction's list, sorted by arrival:
 * nearly always it goes to the end of the list, so putting it in costs nothing.
 */

#include "link/cable.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "wire/eth.h"

#define PPM 1000000u
#define REORDER_MIN_NS 1000000 /* reordering must show on a cable without delay, too */

static struct ho_flight *flight_of(struct ho_list *way)
{
    return ho_container(way, struct ho_flight, way);
}

static bool empty(const struct ho_list *list)
{
    return ho_list_empty(list);
}

void ho_cable_init(struct ho_cable *c, const struct ho_cable_conf conf[HO_CABLE_ENDS],
                   uint64_t seed, uint64_t stream, struct ho_bufpool *bufs, struct ho_pool *flights)
{
    memset(c, 0, sizeof(*c));
    for (unsigned end = 0; end < HO_CABLE_ENDS; end++) {
        struct ho_cable_way *w = &c->way[end];

        w->conf = conf[end];
        ho_rng_init(&w->rng, seed, stream + end);
        ho_list_init(&w->flights);
        ho_list_init(&w->waiting);
    }
    ho_list_init(&c->lost);
    c->bufs = bufs;
    c->flights = flights;
}

/* Takes the flight out of every list and returns its frame. */
static struct ho_buf *land(struct ho_cable *c, struct ho_cable_way *w, struct ho_flight *f)
{
    struct ho_buf *frame = f->frame;

    if (ho_list_linked(&f->wait)) {
        ho_list_remove(&f->wait);
        w->n_waiting--;
    }
    ho_list_remove(&f->way);
    ho_pool_put(c->flights, f);
    return frame;
}

void ho_cable_destroy(struct ho_cable *c)
{
    enum ho_fate fate;

    for (unsigned end = 0; end < HO_CABLE_ENDS; end++) {
        struct ho_cable_way *w = &c->way[end];

        while (!empty(&w->flights)) {
            ho_buf_put(c->bufs, land(c, w, flight_of(w->flights.next)));
        }
        while (c->arrived[end].count > 0) {
            ho_buf_put(c->bufs, ho_bufq_shift(&c->arrived[end]));
        }
    }
    while (!empty(&c->lost)) {
        ho_buf_put(c->bufs, ho_cable_lost(c, &fate));
    }
}

/* ---- carrier, cuts ------------------------------------------------------------------------- */

bool ho_cable_carrier(const struct ho_cable *c, unsigned end)
{
    assert(end < HO_CABLE_ENDS);
    return !c->unplugged[end] && !c->power_off[0] && !c->power_off[1];
}

/* Everything that `end` sent and that is still travelling is lost. */
static void lose(struct ho_cable *c, unsigned end, enum ho_fate fate)
{
    struct ho_cable_way *w = &c->way[end];

    for (struct ho_list *node = w->flights.next; node != &w->flights; node = w->flights.next) {
        struct ho_flight *f = flight_of(node);

        if (ho_list_linked(&f->wait)) {
            ho_list_remove(&f->wait);
        }
        ho_list_remove(&f->way);
        f->fate = fate;
        ho_list_push(&c->lost, &f->way);
        if (fate == HO_FATE_CUT) {
            w->count.cut_under_way++;
        } else {
            w->count.no_carrier_under_way++;
        }
    }
    w->n_waiting = 0;
    w->busy_until = (struct ho_time){ 0 };
}

void ho_cable_cut(struct ho_cable *c, unsigned ways, struct ho_time now)
{
    assert(ways != 0 && (ways & ~HO_CABLE_BOTH_WAYS) == 0);
    ho_cable_tick(c, now);
    for (unsigned end = 0; end < HO_CABLE_ENDS; end++) {
        if ((ways & 1u << end) != 0) {
            c->way[end].cut = true;
            lose(c, end, HO_FATE_CUT);
        }
    }
}

void ho_cable_unplug(struct ho_cable *c, unsigned end, struct ho_time now)
{
    assert(end < HO_CABLE_ENDS);
    ho_cable_tick(c, now);
    c->unplugged[end] = true;
    lose(c, 1 - end, HO_FATE_NO_CARRIER);
}

void ho_cable_plug(struct ho_cable *c, struct ho_time now)
{
    ho_cable_tick(c, now);
    for (unsigned end = 0; end < HO_CABLE_ENDS; end++) {
        c->way[end].cut = false;
        c->unplugged[end] = false;
    }
}

void ho_cable_power(struct ho_cable *c, unsigned end, bool on, struct ho_time now)
{
    assert(end < HO_CABLE_ENDS);
    ho_cable_tick(c, now);
    c->power_off[end] = !on;
    if (!on) {
        lose(c, 1 - end, HO_FATE_NO_CARRIER);
    }
}

struct ho_buf *ho_cable_lost(struct ho_cable *c, enum ho_fate *ret_fate)
{
    struct ho_list *node = ho_list_shift(&c->lost);

    if (node == NULL) {
        return NULL;
    }

    struct ho_flight *f = flight_of(node);
    struct ho_buf *frame = f->frame;
    *ret_fate = f->fate;
    ho_pool_put(c->flights, f);
    return frame;
}

/* ---- orders to drop ------------------------------------------------------------------------ */

int ho_cable_drop_next(struct ho_cable *c, unsigned ways, const struct ho_match *match,
                       uint32_t count)
{
    assert(ways != 0 && (ways & ~HO_CABLE_BOTH_WAYS) == 0);
    struct ho_cable_drop *to = c->drop;

    /* What is done leaves, so that the order of giving stays. */
    for (int i = 0; i < HO_CABLE_DROPS; i++) {
        if (c->drop[i].left > 0) {
            *to++ = c->drop[i];
        }
    }
    memset(to, 0, (size_t)(c->drop + HO_CABLE_DROPS - to) * sizeof(*to));
    if (to == c->drop + HO_CABLE_DROPS) {
        return -ENOSPC;
    }
    *to = (struct ho_cable_drop){ .match = *match, .left = count, .from = (uint8_t)ways };
    return 0;
}

static bool dropped_by_order(struct ho_cable *c, unsigned end, struct ho_buf *frame)
{
    for (int i = 0; i < HO_CABLE_DROPS; i++) {
        struct ho_cable_drop *d = &c->drop[i];

        if (d->left > 0 && (d->from & 1u << end) != 0 &&
            ho_match_frame(&d->match, ho_buf_bytes(frame), frame->len)) {
            d->left--;
            return true;
        }
    }
    return false;
}

/* ---- sending ------------------------------------------------------------------------------- */

static bool happens(struct ho_cable_way *w, uint32_t ppm)
{
    return ppm > 0 && ho_rng_below(&w->rng, PPM) < ppm;
}

/* Time on the wire, rounded up. Ethernet's preamble and gap are not counted. */
static struct ho_dur transmission(const struct ho_cable_way *w, const struct ho_buf *frame)
{
    uint64_t bits = (uint64_t)frame->len * 8;

    if (w->conf.rate_bps == 0) {
        return ho_ns(0);
    }
    return ho_ns((int64_t)((bits * HO_NS_PER_S + w->conf.rate_bps - 1) / w->conf.rate_bps));
}

/* Frames whose transmission has begun no longer wait. */
static void begin_transmissions(struct ho_cable_way *w, struct ho_time now)
{
    while (!empty(&w->waiting)) {
        struct ho_flight *f = ho_container(w->waiting.next, struct ho_flight, wait);

        if (!ho_time_reached(f->starts, now)) {
            return;
        }
        ho_list_remove(&f->wait);
        w->n_waiting--;
    }
}

/* Into the list of flights, behind those that arrive no later. */
static void put_in_order(struct ho_cable_way *w, struct ho_flight *f)
{
    struct ho_list *before = w->flights.prev;

    while (before != &w->flights && ho_time_before(f->arrives, flight_of(before)->arrives)) {
        before = before->prev;
    }
    ho_list_push(before->next, &f->way);
}

/* The frame is under way, its transmission begins at `starts`. Without memory it is lost. */
static bool take_off(struct ho_cable *c, struct ho_cable_way *w, struct ho_buf *frame,
                     struct ho_time starts, struct ho_time arrives, struct ho_time now)
{
    struct ho_flight *f = ho_pool_get(c->flights);

    if (f == NULL) {
        ho_buf_put(c->bufs, frame);
        w->count.no_memory++;
        return false;
    }
    f->frame = frame;
    f->starts = starts;
    f->arrives = arrives;
    put_in_order(w, f);
    if (!ho_time_reached(starts, now)) {
        ho_list_push(&w->waiting, &f->wait);
        w->n_waiting++;
    }
    return true;
}

/* Turns one bit behind the Ethernet header of an IP packet, where a checksum finds it. Other
 * frames have none: Ethernet's own would have found it. Returns whether there is still a frame.
 */
static bool corrupt(struct ho_cable_way *w, struct ho_buf *frame)
{
    struct ho_wire_eth eth;
    uint8_t *bytes = ho_buf_bytes(frame);

    w->count.corrupted++;
    if (ho_wire_eth_read(&eth, bytes, frame->len) != 0 || frame->len == HO_ETH_HEADER ||
        (eth.type != HO_ETH_IPV4 && eth.type != HO_ETH_IPV6)) {
        return false;
    }

    uint64_t bit = ho_rng_below(&w->rng, (uint64_t)(frame->len - HO_ETH_HEADER) * 8);
    bytes[HO_ETH_HEADER + bit / 8] ^= (uint8_t)(1u << bit % 8);
    return true;
}

/* What stands in the frame's way before it is on the wire; HO_FATE_FWD if nothing does. */
static enum ho_fate admit(struct ho_cable *c, unsigned end, bool queued, struct ho_time now)
{
    struct ho_cable_way *w = &c->way[end];

    if (!ho_cable_carrier(c, end) || !ho_cable_carrier(c, 1 - end)) {
        return HO_FATE_NO_CARRIER;
    }
    if (w->cut) {
        return HO_FATE_CUT;
    }
    begin_transmissions(w, now);
    if (queued && w->n_waiting >= w->conf.queue && !ho_time_reached(w->busy_until, now)) {
        return HO_FATE_QUEUE;
    }
    return HO_FATE_FWD;
}

/* When the frame's transmission begins and when it arrives, without accidents. */
struct timing {
    struct ho_time starts, arrives;
};

static struct timing on_the_wire(struct ho_cable_way *w, const struct ho_buf *frame,
                                 struct ho_time now)
{
    struct timing t = { .starts = ho_time_before(now, w->busy_until) ? w->busy_until : now };

    w->busy_until = ho_time_add(t.starts, transmission(w, frame));
    t.arrives = ho_time_add(w->busy_until, w->conf.delay);
    return t;
}

/* Accidents, in this order: lost, damaged, late, doubled. Consumes the frame. */
static enum ho_fate travel(struct ho_cable *c, unsigned end, struct ho_buf *frame, struct timing t,
                           struct ho_time now)
{
    struct ho_cable_way *w = &c->way[end];
    bool lost = happens(w, w->conf.loss_ppm);
    bool damaged = happens(w, w->conf.corrupt_ppm);
    bool late = happens(w, w->conf.reorder_ppm);
    bool doubled = happens(w, w->conf.duplicate_ppm);

    if (lost || (damaged && !corrupt(w, frame))) {
        ho_buf_put(c->bufs, frame);
        return HO_FATE_LOST;
    }
    if (late) {
        int64_t most = w->conf.delay.ns > REORDER_MIN_NS ? w->conf.delay.ns : REORDER_MIN_NS;
        int64_t extra = 1 + (int64_t)ho_rng_below(&w->rng, (uint64_t)most);

        t.arrives = ho_time_add(t.arrives, ho_ns(extra));
        w->count.reordered++;
    }

    struct ho_buf *copy = doubled ? ho_buf_copy(c->bufs, frame) : NULL;
    uint16_t len = frame->len;
    if (!take_off(c, w, frame, t.starts, t.arrives, now)) {
        ho_buf_put(c->bufs, copy);
        return HO_FATE_LOST;
    }
    if (doubled && copy == NULL) {
        w->count.no_memory++;
    }
    if (copy != NULL && take_off(c, w, copy, now, t.arrives, now)) {
        w->count.duplicated++;
    }
    w->count.bytes += damaged ? 0 : len;
    return damaged ? HO_FATE_LOST : HO_FATE_FWD;
}

static enum ho_fate enter(struct ho_cable *c, unsigned end, struct ho_buf *frame,
                          struct ho_time now, const struct ho_dur *delay)
{
    assert(end < HO_CABLE_ENDS);
    struct ho_cable_way *w = &c->way[end];
    enum ho_fate fate = admit(c, end, delay == NULL, now);

    if (fate == HO_FATE_FWD && dropped_by_order(c, end, frame)) {
        w->count.dropped++;
        fate = HO_FATE_LOST;
    }
    if (fate != HO_FATE_FWD) {
        ho_buf_put(c->bufs, frame);
    } else if (delay != NULL) {
        fate = travel(c, end, frame, (struct timing){ now, ho_time_add(now, *delay) }, now);
    } else {
        fate = travel(c, end, frame, on_the_wire(w, frame, now), now);
    }
    w->count.fate[fate]++;
    return fate;
}

enum ho_fate ho_cable_send(struct ho_cable *c, unsigned end, struct ho_buf *frame,
                           struct ho_time now)
{
    return enter(c, end, frame, now, NULL);
}

enum ho_fate ho_cable_send_delayed(struct ho_cable *c, unsigned end, struct ho_buf *frame,
                                   struct ho_time now, struct ho_dur delay)
{
    return enter(c, end, frame, now, &delay);
}

/* ---- arriving ------------------------------------------------------------------------------ */

struct ho_time ho_cable_deadline(const struct ho_cable *c)
{
    struct ho_time first = HO_NEVER;

    for (unsigned end = 0; end < HO_CABLE_ENDS; end++) {
        const struct ho_cable_way *w = &c->way[end];

        if (!empty(&w->flights)) {
            first = ho_time_min(first, flight_of(w->flights.next)->arrives);
        }
    }
    return first;
}

void ho_cable_tick(struct ho_cable *c, struct ho_time now)
{
    for (unsigned end = 0; end < HO_CABLE_ENDS; end++) {
        struct ho_cable_way *w = &c->way[end];

        while (!empty(&w->flights) && ho_time_reached(flight_of(w->flights.next)->arrives, now)) {
            ho_bufq_push(&c->arrived[1 - end], land(c, w, flight_of(w->flights.next)));
        }
    }
}

struct ho_buf *ho_cable_receive(struct ho_cable *c, unsigned end)
{
    assert(end < HO_CABLE_ENDS);
    return ho_bufq_shift(&c->arrived[end]);
}
