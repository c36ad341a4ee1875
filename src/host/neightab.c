/* The table of neighbours: looking up, making, removing. What an entry does is in neigh.c.
 *
 * Entries stand in chains by address, and in one list in the order of their making, which is the
 * order in which they are walked, flushed and collected.
 */

#include "host/machine.h"

#include <string.h>

#define GC_AGE_S 5 /* younger entries are not collected */

const char *ho_nud_name(enum ho_nud state)
{
    static const char *const name[] = {
#define X(id) #id,
        HO_NUD_STATES(X)
#undef X
    };

    return name[state];
}

void ho_neigh_init(struct ho_host *h)
{
    ho_pool_init(&h->neigh.pool, sizeof(struct ho_neigh), HO_NEIGH_MAX);
    ho_list_init(&h->neigh.all);
    memset(h->neigh.bucket, 0, sizeof(h->neigh.bucket));
}

void ho_neigh_destroy(struct ho_host *h)
{
    while (!ho_list_empty(&h->neigh.all)) {
        ho_neigh_remove(h, ho_container(h->neigh.all.next, struct ho_neigh, all));
    }
    ho_pool_destroy(&h->neigh.pool);
}

static struct ho_neigh **bucket(struct ho_host *h, const struct ho_addr *a)
{
    return &h->neigh.bucket[ho_siphash(&h->key, a, sizeof(*a)) % HO_NEIGH_BUCKETS];
}

struct ho_neigh *ho_neigh_find(struct ho_host *h, int nic, const struct ho_addr *a)
{
    for (struct ho_neigh *n = *bucket(h, a); n != NULL; n = n->next) {
        if (n->nic == nic && ho_addr_eq(&n->addr, a)) {
            return n;
        }
    }
    return NULL;
}

/* Linux: neigh_forced_gc(). Removes entries that nobody needs, oldest first. */
static void collect(struct ho_host *h)
{
    uint64_t now_j = ho_clk_jiffies(&h->clk, h->now);
    struct ho_list *node = h->neigh.all.next;

    while (node != &h->neigh.all && h->neigh.pool.used > HO_NEIGH_KEEP) {
        struct ho_neigh *n = ho_container(node, struct ho_neigh, all);
        bool idle = n->state == HO_NUD_NONE || n->state == HO_NUD_FAILED ||
                    (n->state == HO_NUD_STALE &&
                     now_j - n->updated_j >= ho_clk_dur_jiffies(&h->clk, ho_s(GC_AGE_S)));

        node = node->next;
        if (idle) {
            ho_neigh_remove(h, n);
        }
    }
}

struct ho_neigh *ho_neigh_get(struct ho_host *h, int nic, const struct ho_addr *a)
{
    struct ho_neigh *n = ho_neigh_find(h, nic, a);

    if (n != NULL) {
        return n;
    }
    if (h->neigh.pool.used == HO_NEIGH_MAX) {
        collect(h);
    }
    n = ho_pool_get(&h->neigh.pool);
    if (n == NULL) {
        ho_machine_count(h, HO_HOST_COUNT_NEIGH_FULL);
        return NULL;
    }
    struct ho_neigh **head = bucket(h, a);
    n->kind = HO_KIND_NEIGH;
    n->state = HO_NUD_NONE;
    n->nic = (int8_t)nic;
    n->addr = *a;
    n->updated_j = n->used_j = n->confirmed_j = ho_clk_jiffies(&h->clk, h->now);
    n->serial = ++h->neigh.serial;
    n->next = *head;
    *head = n;
    ho_list_push(&h->neigh.all, &n->all);
    return n;
}

void ho_neigh_unpark(struct ho_host *h, const struct ho_buf *packet)
{
    if ((packet->user & HO_TCP_OUT_SEQ) != 0 && packet->tag[1] != 0) {
        struct ho_sock *s = ho_slots_at(&h->socks, packet->tag[1] - 1);

        ho_tcp_park(&s->tcp, packet->tag[0], false);
        struct ho_due at_once = ho_due_at(h->now, HO_DUE_LAST);
        if (!ho_timer_armed(&s->timer) || ho_due_before(at_once, s->timer.due)) {
            ho_timerq_arm_due(&h->timers, &s->timer, at_once); /* it may go on (tcp_tsq_handler) */
        }
    }
}

static void purge(struct ho_host *h, struct ho_neigh *n, enum ho_host_count why)
{
    struct ho_buf *p;

    while ((p = ho_bufq_shift(&n->queue)) != NULL) {
        ho_neigh_unpark(h, p);
        ho_machine_drop(h, p, why);
    }
    n->queue_bytes = 0;
}

void ho_neigh_remove(struct ho_host *h, struct ho_neigh *n)
{
    struct ho_neigh **at = bucket(h, &n->addr);

    while (*at != n) {
        at = &(*at)->next;
    }
    *at = n->next;
    purge(h, n, HO_HOST_COUNT_DROP_NEIGH_FLUSHED);
    ho_timerq_cancel(&h->timers, &n->timer);
    ho_list_remove(&n->all);
    ho_pool_put(&h->neigh.pool, n);
    h->generation++;
    for (uint32_t i = 0; i < h->ways.top; i++) {
        struct ho_way *way = ho_slots_at(&h->ways, i);

        if (way->neigh == n) {
            way->neigh = NULL;
        }
    }
}

static void flush(struct ho_host *h, int nic, bool v4, bool v6, bool permanent)
{
    struct ho_list *node = h->neigh.all.next;

    while (node != &h->neigh.all) {
        struct ho_neigh *n = ho_container(node, struct ho_neigh, all);

        node = node->next;
        if (n->nic == nic && (ho_addr_is_v4(&n->addr) ? v4 : v6) &&
            (permanent || n->state != HO_NUD_PERMANENT)) {
            ho_neigh_remove(h, n);
        }
    }
}

void ho_neigh_flush(struct ho_host *h, int nic)
{
    flush(h, nic, true, true, true);
}

void ho_neigh_flush_v4(struct ho_host *h, int nic)
{
    flush(h, nic, true, false, true);
}

void ho_neigh_evict(struct ho_host *h, int nic)
{
    flush(h, nic, h->sys.v[HO_SYSCTL_ARP_EVICT_NOCARRIER] != 0,
          h->sys.v[HO_SYSCTL_NDISC_EVICT_NOCARRIER] != 0, false);
}

void ho_neigh_disown(struct ho_host *h, uint32_t number)
{
    struct ho_list *node;

    for (node = h->neigh.all.next; node != &h->neigh.all; node = node->next) {
        struct ho_neigh *n = ho_container(node, struct ho_neigh, all);

        for (struct ho_buf *p = n->queue.first; p != NULL; p = p->next) {
            if (p->tag[1] == number + 1) {
                p->tag[1] = 0;
            }
        }
    }
}
