/* IPv6 neighbour discovery: solicitations and advertisements (RFC 4861 7.2), over the same table
 * as ARP. Duplicate address detection is off; there are no routers' advertisements.
 */

#include "host/machine.h"

#define ND_HOPS 255 /* RFC 4861 7.1: from this link */

/* Sends the message to the group or neighbour `dst` at `mac`. */
static void send_to_mac(struct ho_host *h, int nic, const struct ho_mac *mac,
                        const struct ho_wire_icmp *m, const struct ho_addr *src,
                        const struct ho_addr *dst)
{
    struct ho_buf *b = ho_icmp_write(h, m, src, dst);
    struct ho_wire_eth eth = { .dst = *mac, .src = h->nic[nic].mac, .type = HO_ETH_IPV6 };

    if (b == NULL) {
        return;
    }
    struct ho_wire_ip ip = { .src = *src,
                             .dst = *dst,
                             .version = 6,
                             .proto = HO_IP_ICMPV6,
                             .ttl = ND_HOPS,
                             .dont_fragment = true,
                             .payload_len = b->len };
    b->head -= HO_IPV6_HEADER + HO_ETH_HEADER;
    b->len += HO_IPV6_HEADER + HO_ETH_HEADER;
    ho_wire_eth_write(&eth, ho_buf_bytes(b));
    ho_wire_ip_write(&ip, ho_buf_bytes(b) + HO_ETH_HEADER);
    ho_nic_send(h, nic, b);
}

void ho_nd_solicit(struct ho_host *h, const struct ho_neigh *n, const struct ho_addr *src,
                   bool unicast)
{
    struct ho_wire_icmp m = {
        .kind = HO_ICMP_NEIGH_SOLICIT, .target = n->addr, .has_mac = true, .mac = h->nic[n->nic].mac
    };
    struct ho_addr own;
    struct ho_addr group = ho_addr_solicited_node(&n->addr);
    struct ho_mac group_mac = ho_mac_multicast(&group);

    if (src == NULL) {
        /* RFC 4861 7.2.2 allows any address of the interface; Linux takes the link-local one, and
         * sends nothing if there is none (fact_no_probe_without_link_local).
         */
        if (!ho_route_link_local(h, n->nic, &own)) {
            return;
        }
        src = &own;
    }
    if (unicast) {
        send_to_mac(h, n->nic, &n->mac, &m, src, &n->addr);
    } else {
        send_to_mac(h, n->nic, &group_mac, &m, src, &group);
    }
}

/* RFC 4861 7.2.3 and 7.2.4; what Linux's ndisc_recv_ns() puts into the answer. */
static void on_solicit(struct ho_host *h, int nic, const struct ho_wire_ip *ip,
                       const struct ho_wire_icmp *m, struct ho_time now)
{
    bool to_group = ho_addr_is_multicast(&ip->dst);
    struct ho_wire_icmp reply = { .kind = HO_ICMP_NEIGH_ADVERT,
                                  .target = m->target,
                                  .router = h->forwarding,
                                  .solicited = true,
                                  .override = to_group,
                                  .has_mac = to_group,
                                  .mac = h->nic[nic].mac };

    if (!ho_addr_is_of(h, nic, &m->target) || ho_addr_is_any(&ip->src)) {
        return; /* not us; or somebody's duplicate address detection, which we would lose */
    }
    struct ho_neigh *n = ho_neigh_find(h, nic, &ip->src);
    if (n == NULL && (m->has_mac || !to_group)) {
        n = ho_neigh_get(h, nic, &ip->src);
    }
    if (n == NULL) {
        return;
    }
    if (m->has_mac) {
        ho_neigh_update(h, n, &m->mac, HO_NUD_STALE, HO_NEIGH_OVERRIDE | HO_NEIGH_WEAK_OVERRIDE,
                        now);
    }
    struct ho_buf *b = ho_icmp_write(h, &reply, &m->target, &ip->src);
    if (b != NULL) {
        struct ho_wire_ip out = { .src = m->target,
                                  .dst = ip->src,
                                  .version = 6,
                                  .proto = HO_IP_ICMPV6,
                                  .ttl = ND_HOPS,
                                  .dont_fragment = true,
                                  .payload_len = b->len };
        b->head -= HO_IPV6_HEADER;
        b->len += HO_IPV6_HEADER;
        ho_wire_ip_write(&out, ho_buf_bytes(b));
        ho_neigh_send(h, n, b, now);
    }
}

/* RFC 4861 7.2.5. */
static void on_advert(struct ho_host *h, int nic, const struct ho_wire_icmp *m, struct ho_time now)
{
    struct ho_neigh *n = ho_neigh_find(h, nic, &m->target);

    if (n == NULL || (!m->has_mac && !ho_neigh_valid(n))) {
        return;
    }
    ho_neigh_update(h, n, m->has_mac ? &m->mac : &n->mac,
                    m->solicited ? HO_NUD_REACHABLE : HO_NUD_STALE,
                    HO_NEIGH_WEAK_OVERRIDE | (m->override ? HO_NEIGH_OVERRIDE : 0), now);
}

void ho_nd_input(struct ho_host *h, int nic, const struct ho_wire_ip *ip,
                 const struct ho_wire_icmp *m, struct ho_time now)
{
    if (nic == HO_NIC_LO || (m->has_mac && ho_mac_is_multicast(&m->mac))) {
        ho_machine_count(h, HO_HOST_COUNT_DROP_MARTIAN);
    } else if (m->kind == HO_ICMP_NEIGH_SOLICIT) {
        on_solicit(h, nic, ip, m, now);
    } else {
        on_advert(h, nic, m, now);
    }
}
