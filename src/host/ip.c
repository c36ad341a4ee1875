/* IPv4 and IPv6: packets in, out and, in a router, through (RFC 791, RFC 8200, RFC 1812 5).
 *
 * No fragments: what does not fit is not sent. A host takes packets for any of its addresses on
 * any interface (RFC 1122 3.3.4.2, the weak model, as Linux).
 */

#include <assert.h>

#include "host/machine.h"
#include "wire/checksum.h"

#define TTL 64 /* net.ipv4.ip_default_ttl, net.ipv6.conf.*.hop_limit */

/* ---- out ------------------------------------------------------------------------------------ */

static void add_header(struct ho_buf *b, const struct ho_addr *src, const struct ho_addr *dst,
                       uint8_t proto, uint16_t id)
{
    bool v4 = ho_addr_is_v4(dst);
    struct ho_wire_ip ip = { .src = *src,
                             .dst = *dst,
                             .version = v4 ? 4 : 6,
                             .proto = proto,
                             .ttl = TTL,
                             .dont_fragment = true,
                             .id = v4 ? id : 0,
                             .payload_len = b->len };
    size_t size = ho_wire_ip_size(&ip);

    assert(b->head >= size + HO_ETH_HEADER);
    b->head = (uint16_t)(b->head - size);
    b->len = (uint16_t)(b->len + size);
    ho_wire_ip_write(&ip, ho_buf_bytes(b));
}

void ho_ip_send_way(struct ho_host *h, struct ho_way *way, struct ho_buf *b, struct ho_time now)
{
    if (way->path.route_err != 0) {
        ho_machine_drop(h, b, HO_HOST_COUNT_IP_NO_ROUTE);
        return;
    }
    ho_machine_count(h, HO_HOST_COUNT_IP_OUT);
    add_header(b, &way->path.local, &way->path.remote, HO_IP_TCP, (uint16_t)way->ip_id++);
    if (way->hop.nic == HO_NIC_LO) {
        ho_lo_send(h, b);
        return;
    }
    if (way->neigh == NULL) {
        way->neigh = ho_neigh_get(h, way->hop.nic, &way->hop.addr);
    }
    if (way->neigh == NULL) {
        ho_machine_drop(h, b, HO_HOST_COUNT_NEIGH_DISCARDS);
        return;
    }
    if ((b->user & HO_TCP_OUT_CONFIRM) != 0) {
        ho_neigh_confirm(h, way->neigh, now);
    }
    ho_neigh_send(h, way->neigh, b, now);
}

/* To the next hop: the whole packet is there. */
static void send_on(struct ho_host *h, const struct ho_hop *hop, struct ho_buf *packet,
                    struct ho_time now)
{
    if (hop->nic == HO_NIC_LO) {
        ho_lo_send(h, packet);
        return;
    }
    struct ho_neigh *n = ho_neigh_get(h, hop->nic, &hop->addr);
    if (n == NULL) {
        ho_machine_drop(h, packet, HO_HOST_COUNT_NEIGH_DISCARDS);
        return;
    }
    ho_neigh_send(h, n, packet, now);
}

void ho_ip_send(struct ho_host *h, const struct ho_addr *src, const struct ho_addr *dst,
                uint8_t proto, struct ho_buf *b, struct ho_time now)
{
    struct ho_hop hop;

    if (ho_route_find(h, src, dst, &hop) != 0) {
        ho_machine_drop(h, b, HO_HOST_COUNT_IP_NO_ROUTE);
        return;
    }
    ho_machine_count(h, HO_HOST_COUNT_IP_OUT);
    add_header(b, src, dst, proto, 0);
    send_on(h, &hop, b, now);
}

/* ---- through -------------------------------------------------------------------------------- */

static void refuse(struct ho_host *h, struct ho_buf *packet, enum ho_icmp_kind kind, uint8_t code,
                   uint32_t mtu, enum ho_host_count why, struct ho_time now)
{
    ho_icmp_error(h, packet, kind, code, mtu, now);
    ho_machine_drop(h, packet, why);
}

static void decrement_ttl(struct ho_buf *packet, const struct ho_wire_ip *ip, size_t header)
{
    uint8_t *p = ho_buf_bytes(packet);

    if (ip->version == 6) {
        p[7]--;
        return;
    }
    p[8]--;
    p[10] = p[11] = 0;
    uint16_t sum = ho_checksum(p, header);
    p[10] = (uint8_t)(sum >> 8);
    p[11] = (uint8_t)sum;
}

/* RFC 1812 5.2.1, 5.3.1; RFC 8200 3, RFC 4443 3. */
static void forward(struct ho_host *h, struct ho_buf *packet, const struct ho_wire_ip *ip,
                    size_t header, struct ho_time now)
{
    struct ho_hop hop;

    if (ip->ttl <= 1) {
        refuse(h, packet, HO_ICMP_TIME_EXCEEDED, 0, 0, HO_HOST_COUNT_DROP_TTL, now);
        return;
    }
    if (ho_route_find(h, NULL, &ip->dst, &hop) != 0) {
        refuse(h, packet, HO_ICMP_UNREACHABLE, ip->version == 4 ? HO_ICMP4_NET : HO_ICMP6_NO_ROUTE,
               0, HO_HOST_COUNT_IP_NO_ROUTE, now);
        return;
    }
    packet->len = (uint16_t)(header + ip->payload_len); /* without a short frame's padding */
    if (packet->len > hop.mtu) {
        if (ip->version == 6 || ip->dont_fragment) {
            ho_icmp_error(h, packet, HO_ICMP_TOO_BIG, 0, hop.mtu, now);
        }
        ho_machine_drop(h, packet, HO_HOST_COUNT_DROP_TOO_BIG);
        return;
    }
    decrement_ttl(packet, ip, header);
    ho_machine_count(h, HO_HOST_COUNT_IP_FORWARDED);
    send_on(h, &hop, packet, now);
}

/* A host that is no router looks for a route all the same, with IPv6: where it has none it says so
 * (measured, a virtual 6.12: an address is removed, and its network's route with it).
 */
static void not_mine(struct ho_host *h, struct ho_buf *packet, const struct ho_wire_ip *ip,
                     struct ho_time now)
{
    struct ho_hop hop;

    if (ho_route_find(h, NULL, &ip->dst, &hop) != 0) {
        refuse(h, packet, HO_ICMP_UNREACHABLE, HO_ICMP6_NO_ROUTE, 0, HO_HOST_COUNT_IP_NO_ROUTE,
               now);
    } else {
        ho_machine_drop(h, packet, HO_HOST_COUNT_IP_IN_ADDR);
    }
}

void ho_host_forwarding(struct ho_host *h, bool on)
{
    h->forwarding = on;
}

/* ---- in ------------------------------------------------------------------------------------- */

static void deliver(struct ho_host *h, int nic, struct ho_buf *packet, const struct ho_wire_ip *ip,
                    size_t header, struct ho_time now)
{
    bool icmp = ip->proto == (ip->version == 4 ? HO_IP_ICMP : HO_IP_ICMPV6);

    if (ip->proto != HO_IP_TCP && !icmp) {
        uint8_t port = ip->version == 4 ? HO_ICMP4_PORT : HO_ICMP6_PORT;

        if (ip->proto == HO_IP_UDP || ip->version == 4) {
            ho_icmp_error(h, packet, HO_ICMP_UNREACHABLE,
                          ip->proto == HO_IP_UDP ? port : HO_ICMP4_PROTO, 0, now);
        }
        ho_machine_drop(h, packet, HO_HOST_COUNT_IP_IN_PROTO);
        return;
    }
    packet->head = (uint16_t)(packet->head + header);
    packet->len = ip->payload_len;
    if (icmp) {
        ho_icmp_input(h, nic, ip, packet, now);
    } else if (ho_addr_is_multicast(&ip->dst)) {
        ho_machine_drop(h, packet, HO_HOST_COUNT_IP_IN_ADDR);
    } else {
        ho_tcp_segment(h, ip, packet, now);
    }
}

/* RFC 1122 3.2.1.3: addresses that a packet from a wire cannot come from or go to. */
static bool is_martian(const struct ho_host *h, int nic, const struct ho_wire_ip *ip)
{
    if (ho_addr_is_multicast(&ip->src) || (ho_addr_is_v4(&ip->src) && ip->src.b[12] == 255)) {
        return true;
    }
    if (nic == HO_NIC_LO) {
        return false;
    }
    if (ho_addr_is_any(&ip->src)) {
        return ip->version == 4; /* IPv6: a neighbour checks its address */
    }
    return ho_addr_is_loopback(&ip->src) || ho_addr_is_loopback(&ip->dst) ||
           ho_addr_is_local(h, &ip->src);
}

/* A way that packets take now, from its other end: both addresses have been looked at when the way
 * was looked up.
 */
static bool is_known(const struct ho_host *h, int nic, const struct ho_wire_ip *ip)
{
    const struct ho_way *w = h->last_way;

    return w != NULL && nic != HO_NIC_LO && w->path.route_err == 0 && w->hop.nic != HO_NIC_LO &&
           ho_addr_eq(&w->path.remote, &ip->src) && ho_addr_eq(&w->path.local, &ip->dst);
}

/* A group of IPv6 that the interface is in: all nodes, or the solicited nodes of an address. */
static bool in_group(const struct ho_host *h, int nic, const struct ho_addr *dst)
{
    static const struct ho_addr all_nodes = { .b = { 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                                     0, 1 } };

    if (ho_addr_eq(dst, &all_nodes)) {
        return true;
    }
    for (int i = 0; i < h->n_addrs; i++) {
        struct ho_addr group = ho_addr_solicited_node(&h->addr[i].addr);

        if (h->addr[i].nic == nic && h->addr[i].live && !ho_addr_is_v4(&h->addr[i].addr) &&
            ho_addr_eq(dst, &group)) {
            return true;
        }
    }
    return false;
}

void ho_ip_input(struct ho_host *h, int nic, struct ho_buf *packet, struct ho_time now)
{
    struct ho_wire_ip ip;
    size_t header;
    enum ho_wire_drop why;

    ho_machine_count(h, HO_HOST_COUNT_IP_IN);
    if (ho_wire_ip_read(&ip, &header, ho_buf_bytes(packet), packet->len, &why) != 0) {
        h->drop[why]++;
        ho_buf_put(h->conf.bufs, packet);
        return;
    }
    if (is_known(h, nic, &ip)) {
        deliver(h, nic, packet, &ip, header, now);
        return;
    }
    if (is_martian(h, nic, &ip)) {
        ho_machine_drop(h, packet, HO_HOST_COUNT_DROP_MARTIAN);
        return;
    }
    bool group = ho_addr_is_multicast(&ip.dst) && ip.version == 6 && nic != HO_NIC_LO;
    if (group ? in_group(h, nic, &ip.dst) : ho_addr_is_local(h, &ip.dst)) {
        deliver(h, nic, packet, &ip, header, now);
    } else if (h->forwarding && nic != HO_NIC_LO && !ho_addr_is_multicast(&ip.dst)) {
        forward(h, packet, &ip, header, now);
    } else if (ip.version == 6 && nic != HO_NIC_LO && !ho_addr_is_multicast(&ip.dst)) {
        not_mine(h, packet, &ip, now);
    } else {
        ho_machine_drop(h, packet, HO_HOST_COUNT_IP_IN_ADDR);
    }
}
