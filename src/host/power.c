/* Power: what is configuration stays, everything else is forgotten without a word
 * (ground-truth B7, B8). Each boot has new secrets, as a kernel draws them, and starts counting
 * jiffies where the first boot did.
 */

#include <stdlib.h>

#include "host/machine.h"

/* The count of jiffies must not be negative at world time 0. What is added instead is a multiple of
 * every granule of the wheel, so that no timer can tell.
 */
#define EPOCH ((uint64_t)1 << 40)

static void drop_all(struct ho_host *h, struct ho_bufq *q)
{
    struct ho_buf *b;

    while ((b = ho_bufq_shift(q)) != NULL) {
        ho_buf_put(h->conf.bufs, b);
    }
}

static void forget_ops(struct ho_host *h, struct ho_list *ops)
{
    while (!ho_list_empty(ops)) {
        ho_call_unlink(h, ho_container(ops->next, struct ho_op, node));
    }
}

static void stop_listener(struct ho_host *h, struct ho_sock *s)
{
    struct ho_listener *l = ho_sock_ext(h, s)->listener;

    while (!ho_list_empty(&l->reqs)) {
        ho_req_free(h, ho_container(l->reqs.next, struct ho_req, node));
    }
    ho_list_remove(&l->node);
    ho_pool_put(&h->listeners, l);
}

static void stop_sockets(struct ho_host *h)
{
    for (uint32_t i = 0; i < h->socks.top; i++) {
        struct ho_sock *s = ho_slots_at(&h->socks, i);

        if (s->kind == HO_KIND_FREE) {
            continue;
        }
        if ((s->flags & HO_SOCK_EXT) != 0) {
            forget_ops(h, &ho_sock_ext(h, s)->ops);
        }
        if (s->kind == HO_KIND_LISTEN) {
            stop_listener(h, s);
        }
        ho_sock_free(h, s);
    }
    for (uint32_t i = 0; i < h->tws.top; i++) {
        struct ho_tw *t = ho_slots_at(&h->tws, i);

        if (t->kind == HO_KIND_TW) {
            ho_tw_free(h, t);
        }
    }
}

void ho_power_stop(struct ho_host *h)
{
    forget_ops(h, &h->completed);
    forget_ops(h, &h->woken);
    forget_ops(h, &h->lingers);
    for (uint32_t i = 0; i < h->epolls.top; i++) {
        struct ho_epoll *e = ho_slots_at(&h->epolls, i);

        if (e->pid != 0) {
            ho_epoll_free(h, e, true);
        }
    }
    stop_sockets(h);
    ho_proc_forget(h);
    while (!ho_list_empty(&h->neigh.all)) {
        ho_neigh_remove(h, ho_container(h->neigh.all.next, struct ho_neigh, all));
    }
    for (int i = 0; i < h->n_nics; i++) {
        ho_timerq_cancel(&h->timers, &h->nic[i].timer);
    }
    drop_all(h, &h->out);
    drop_all(h, &h->lo);
}

void ho_host_power_off(struct ho_host *h, struct ho_time now)
{
    h->now = now;
    if (!h->up) {
        return;
    }
    h->up = false;
    ho_power_stop(h);
    h->generation++;
}

static void draw_key(struct ho_host *h, struct ho_sipkey *key)
{
    key->k[0] = ho_rng_next(&h->rng);
    key->k[1] = ho_rng_next(&h->rng);
}

void ho_host_boot(struct ho_host *h, struct ho_time now)
{
    struct ho_time start = { 0 };

    h->now = now;
    if (h->up) {
        return;
    }
    h->clk = h->conf.clk;
    uint64_t elapsed = ho_clk_jiffies(&h->conf.clk, now) - ho_clk_jiffies(&h->conf.clk, start);
    h->clk.jiffies0 += elapsed != 0 ? EPOCH - elapsed : 0;
    ho_timerq_init(&h->timers, now);
    h->timers.newest_first = true;
    ho_rng_init(&h->rng, h->conf.seed, ++h->boots);
    draw_key(h, &h->env.secret);
    for (size_t i = 0; i < HO_HOST_COUNT_N; i++) {
        h->count[i] = 0;
    }
    for (size_t i = 0; i < HO_TCP_COUNT_N; i++) {
        h->env.count[i] = 0;
    }
    for (unsigned i = 0; i < HO_ICMP_PEERS; i++) {
        h->icmp_peer[i].used = false;
    }
    h->up = true;
    ho_nic_boot(h);
    ho_route_boot(h);
    ho_ways_refresh(h);
    ho_nic_join(h);
}

bool ho_host_is_up(const struct ho_host *h)
{
    return h->up;
}
