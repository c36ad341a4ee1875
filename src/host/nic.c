/* Interfaces: up and down, carrier, and permanent neighbours, which are configuration of an
 * interface.
 *
 * Loss of carrier is acted upon by Linux's link watch, up to a second later: until then frames
 * still leave; afterwards they vanish in the interface (the noop queue discipline: whoever sends is
 * told that it was sent), and learnt neighbours are forgotten. Carrier that comes back is acted
 * upon at once. Ground-truth B1, B3c, D.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "host/machine.h"

#define LINKWATCH_MAX_NS HO_NS_PER_S

int ho_host_add_nic(struct ho_host *h, const char *name, struct ho_mac mac, uint16_t mtu)
{
    if (h->n_nics == HO_HOST_NICS) {
        return -ENOSPC;
    }
    int number = h->n_nics++;
    struct ho_nic *n = &h->nic[number];
    size_t len = strlen(name);
    struct ho_addr own = ho_addr_link_local(&mac);

    *n = (struct ho_nic){ .kind = HO_KIND_NIC,
                          .up = true,
                          .carrier = true,
                          .number = (int8_t)number,
                          .mac = mac,
                          .mtu = mtu };
    memcpy(n->name, name, len < HO_NAME_MAX ? len : HO_NAME_MAX - 1);
    /* DAD is off: the link-local address can be used at once (net.ipv6.conf.*.accept_dad=0). */
    int err = ho_host_addr_add(h, number, &own, 64, h->now);
    if (err != 0) {
        h->n_nics--;
        return err;
    }
    return number;
}

/* Link watch sees that carrier is gone. */
static void lose_carrier(struct ho_host *h, struct ho_nic *n)
{
    n->dead = true;
    ho_neigh_evict(h, n->number);
    ho_ways_refresh(h);
}

void ho_nic_tick(struct ho_host *h, struct ho_nic *n, struct ho_time now)
{
    (void)now;
    if (!n->carrier) {
        lose_carrier(h, n);
    }
}

void ho_host_carrier(struct ho_host *h, int nic, bool on, int64_t linkwatch_ns, struct ho_time now)
{
    struct ho_nic *n = &h->nic[nic];

    assert(nic >= 0 && nic < h->n_nics);
    h->now = now;
    if (n->carrier == on) {
        return;
    }
    n->carrier = on;
    if (on) {
        ho_timerq_cancel(&h->timers, &n->timer);
        n->dead = false;
        ho_ways_refresh(h);
    } else if (h->up) {
        if (linkwatch_ns < 0) {
            linkwatch_ns = (int64_t)ho_rng_below(&h->rng, LINKWATCH_MAX_NS);
        }
        ho_timerq_arm(&h->timers, &n->timer, ho_time_add(now, ho_ns(linkwatch_ns)));
    }
    ho_machine_run(h, now);
}

int ho_host_link(struct ho_host *h, int nic, bool up, struct ho_time now)
{
    bool *state = nic == HO_NIC_LO ? &h->lo_up : &h->nic[nic].up;

    if (nic < HO_NIC_LO || nic >= h->n_nics) {
        return -ENODEV;
    }
    h->now = now;
    if (*state == up) {
        return 0;
    }
    *state = up;
    ho_route_link(h, nic, up);
    if (!up && nic != HO_NIC_LO) {
        ho_neigh_flush(h, nic); /* permanent entries go as well (neigh_ifdown) */
    }
    ho_ways_refresh(h);
    ho_machine_run(h, now);
    return 0;
}

void ho_nic_send(struct ho_host *h, int nic, struct ho_buf *frame)
{
    const struct ho_nic *n = &h->nic[nic];

    if (!n->up) {
        ho_machine_drop(h, frame, HO_HOST_COUNT_DROP_LINK_DOWN);
    } else if (n->dead) {
        ho_machine_drop(h, frame, HO_HOST_COUNT_DROP_NO_CARRIER);
    } else if (h->out.count >= HO_QUEUE_MAX) {
        ho_machine_drop(h, frame, HO_HOST_COUNT_DROP_TX_QUEUE);
    } else {
        frame->user = (uint16_t)nic;
        ho_bufq_push(&h->out, frame);
    }
}

struct ho_buf *ho_host_output(struct ho_host *h, int *ret_nic, struct ho_time now)
{
    struct ho_buf *b = ho_bufq_shift(&h->out);

    (void)now;
    if (b == NULL) {
        return NULL;
    }
    *ret_nic = b->user;
    b->user = 0;
    b->tag[0] = b->tag[1] = 0;
    return b;
}

/* ---- permanent neighbours ------------------------------------------------------------------- */

static int find_fixed(const struct ho_host *h, int nic, const struct ho_addr *a)
{
    for (int i = 0; i < h->n_fixed; i++) {
        if (h->fixed[i].nic == nic && ho_addr_eq(&h->fixed[i].addr, a)) {
            return i;
        }
    }
    return -1;
}

static int fix(struct ho_host *h, int i, struct ho_time now)
{
    struct ho_neigh *n = ho_neigh_get(h, h->fixed[i].nic, &h->fixed[i].addr);

    if (n == NULL) {
        return -ENOMEM;
    }
    ho_neigh_update(h, n, &h->fixed_mac[i], HO_NUD_PERMANENT, HO_NEIGH_ADMIN | HO_NEIGH_OVERRIDE,
                    now);
    return 0;
}

int ho_host_neigh_add(struct ho_host *h, int nic, const struct ho_addr *a, struct ho_mac mac,
                      struct ho_time now)
{
    int i = find_fixed(h, nic, a);

    h->now = now;
    if (i < 0) {
        if (h->n_fixed == HO_HOST_ADDRS) {
            return -ENOSPC;
        }
        i = h->n_fixed++;
        h->fixed[i] = (struct ho_ifaddr){ .addr = *a, .nic = (int8_t)nic };
    }
    h->fixed_mac[i] = mac;
    if (!h->up) {
        return 0; /* at boot */
    }
    int err = fix(h, i, now);
    ho_machine_run(h, now);
    return err;
}

int ho_host_neigh_del(struct ho_host *h, int nic, const struct ho_addr *a, struct ho_time now)
{
    struct ho_neigh *n = ho_neigh_find(h, nic, a);
    int i = find_fixed(h, nic, a);

    h->now = now;
    if (i >= 0) {
        h->n_fixed--;
        h->fixed[i] = h->fixed[h->n_fixed];
        h->fixed_mac[i] = h->fixed_mac[h->n_fixed];
    }
    if (n != NULL) {
        ho_neigh_remove(h, n);
    }
    ho_machine_run(h, now);
    return n == NULL && i < 0 ? -ENOENT : 0;
}

void ho_nic_boot(struct ho_host *h)
{
    h->lo_up = true;
    for (int i = 0; i < h->n_nics; i++) {
        h->nic[i].up = true;
        h->nic[i].dead = !h->nic[i].carrier;
        h->nic[i].reach[0].drawn = h->nic[i].reach[1].drawn = false;
        h->nic[i].reach[0].held = h->nic[i].reach[1].held = false;
    }
}

void ho_nic_join(struct ho_host *h)
{
    for (int i = 0; i < h->n_fixed; i++) {
        (void)fix(h, i, h->now); /* without memory it is learnt, as any other */
    }
}
