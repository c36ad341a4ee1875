/* ARP: questions and answers (RFC 826), as Linux's arp_process() takes them.
 *
 * A question for one of our addresses is answered, and makes the asker a STALE neighbour. Any
 * other packet only changes an entry that exists: REACHABLE by an answer to us alone, else STALE.
 */

#include "wire/arp.h"
#include "host/machine.h"

static void send_arp(struct ho_host *h, int nic, const struct ho_mac *to,
                     const struct ho_wire_arp *a)
{
    struct ho_buf *b = ho_buf_get(h->conf.bufs, 0, HO_ETH_HEADER + HO_ARP_SIZE);
    struct ho_wire_eth eth = { .dst = *to, .src = h->nic[nic].mac, .type = HO_ETH_ARP };

    if (b == NULL) {
        ho_machine_count(h, HO_HOST_COUNT_DROP_NO_MEMORY);
        return;
    }
    ho_wire_eth_write(&eth, ho_buf_bytes(b));
    ho_wire_arp_write(a, ho_buf_bytes(b) + HO_ETH_HEADER);
    b->len = HO_ETH_HEADER + HO_ARP_SIZE;
    ho_nic_send(h, nic, b);
}

/* The address to ask from: of the target's subnet, else the interface's first (inet_select_addr).
 */
static struct ho_addr asker(const struct ho_host *h, int nic, const struct ho_addr *target)
{
    struct ho_addr found = ho_addr_v4(0, 0, 0, 0);

    for (int i = h->n_addrs - 1; i >= 0; i--) {
        const struct ho_ifaddr *a = &h->addr[i];

        if (a->nic != nic || !a->live || !ho_addr_is_v4(&a->addr)) {
            continue;
        }
        if (ho_addr_is_any(&found) || ho_addr_in(target, &a->addr, a->bits) ||
            !ho_addr_in(target, &found, a->bits)) {
            found = a->addr;
        }
    }
    return found;
}

void ho_arp_solicit(struct ho_host *h, const struct ho_neigh *n, const struct ho_addr *src,
                    bool unicast)
{
    struct ho_wire_arp a = { .sender_mac = h->nic[n->nic].mac, .target = n->addr };
    struct ho_mac to = HO_MAC_BROADCAST;

    a.sender = src != NULL ? *src : asker(h, n->nic, &n->addr);
    if (unicast) {
        to = n->mac;
        a.target_mac = n->mac;
    }
    send_arp(h, n->nic, &to, &a);
}

/* Somebody asks for one of our addresses. */
static void answer(struct ho_host *h, int nic, const struct ho_wire_arp *a, struct ho_time now)
{
    struct ho_wire_arp reply = { .reply = true,
                                 .sender_mac = h->nic[nic].mac,
                                 .sender = a->target,
                                 .target_mac = a->sender_mac,
                                 .target = a->sender };

    if (!ho_addr_is_any(&a->sender)) { /* else a probe of RFC 5227 */
        struct ho_neigh *n = ho_neigh_get(h, nic, &a->sender);

        if (n == NULL) {
            return;
        }
        ho_neigh_update(h, n, &a->sender_mac, HO_NUD_STALE, HO_NEIGH_OVERRIDE, now);
    }
    send_arp(h, nic, &a->sender_mac, &reply);
}

void ho_arp_input(struct ho_host *h, int nic, const struct ho_wire_eth *eth, struct ho_buf *b,
                  struct ho_time now)
{
    struct ho_wire_arp a;
    enum ho_wire_drop why;
    int err = ho_wire_arp_read(&a, ho_buf_bytes(b), b->len, &why);

    ho_buf_put(h->conf.bufs, b);
    if (err != 0) {
        h->drop[why]++;
        return;
    }
    if (ho_addr_is_local(h, &a.sender) || ho_addr_is_multicast(&a.sender) ||
        ho_mac_is_multicast(&a.sender_mac)) {
        ho_machine_count(h, HO_HOST_COUNT_DROP_MARTIAN);
        return;
    }
    if (!a.reply && !ho_addr_is_loopback(&a.target) && ho_addr_is_local(h, &a.target)) {
        answer(h, nic, &a, now);
        return;
    }
    struct ho_neigh *n = ho_neigh_find(h, nic, &a.sender);
    if (n == NULL) {
        return;
    }
    uint64_t age_j = ho_clk_jiffies(&h->clk, now) - n->updated_j;
    uint64_t lock_j = ho_clk_dur_jiffies(&h->clk, ho_ms(h->sys.v[HO_SYSCTL_NEIGH_LOCKTIME] * 10));
    bool gratuitous = ho_addr_eq(&a.sender, &a.target);
    bool to_us = a.reply && !ho_mac_is_multicast(&eth->dst);
    ho_neigh_update(h, n, &a.sender_mac, to_us ? HO_NUD_REACHABLE : HO_NUD_STALE,
                    age_j > lock_j || gratuitous ? HO_NEIGH_OVERRIDE : 0, now);
}
