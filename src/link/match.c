/* Looking into frames just far enough. */

#include "link/match.h"

#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/tcp.h"

#define ICMPV6_NEIGH_SOLICIT 135
#define ICMPV6_NEIGH_ADVERT 136

static bool is_nd(const struct ho_wire_ip *ip, const uint8_t *payload)
{
    return ip->proto == HO_IP_ICMPV6 && ip->payload_len > 0 &&
           (payload[0] == ICMPV6_NEIGH_SOLICIT || payload[0] == ICMPV6_NEIGH_ADVERT);
}

static bool match_tcp(const struct ho_match *m, const struct ho_wire_ip *ip, const uint8_t *bytes)
{
    struct ho_wire_tcp tcp;
    size_t header;

    if (ip->proto != HO_IP_TCP || ho_wire_tcp_read(&tcp, &header, bytes, ip->payload_len) != 0) {
        return false;
    }
    if ((tcp.flags & m->flags_mask) != m->flags) {
        return false;
    }
    switch (m->payload) {
    case HO_MATCH_WITH_PAYLOAD:
        return tcp.payload_len > 0;
    case HO_MATCH_WITHOUT_PAYLOAD:
        return tcp.payload_len == 0;
    case HO_MATCH_EITHER:
        break;
    }
    return true;
}

/* A frame with an IPv4 or IPv6 packet. */
static bool match_ip(const struct ho_match *m, const uint8_t *bytes, size_t len)
{
    struct ho_wire_ip ip;
    enum ho_wire_drop why;
    size_t header;

    if (ho_wire_ip_read(&ip, &header, bytes, len, &why) != 0) {
        return false;
    }
    switch (m->what) {
    case HO_MATCH_TCP:
        return match_tcp(m, &ip, bytes + header);
    case HO_MATCH_ND:
        return is_nd(&ip, bytes + header);
    case HO_MATCH_ICMP:
        return (ip.proto == HO_IP_ICMP || ip.proto == HO_IP_ICMPV6) && !is_nd(&ip, bytes + header);
    case HO_MATCH_ANY:
        break;
    }
    return true;
}

bool ho_match_frame(const struct ho_match *m, const uint8_t *bytes, size_t len)
{
    struct ho_wire_eth eth;

    if (len < m->min_len) {
        return false;
    }
    if (m->what == HO_MATCH_ANY) {
        return true;
    }
    if (ho_wire_eth_read(&eth, bytes, len) != 0) {
        return false;
    }
    if (eth.type == HO_ETH_ARP) {
        return m->what == HO_MATCH_ND;
    }
    if (eth.type != HO_ETH_IPV4 && eth.type != HO_ETH_IPV6) {
        return false;
    }
    return match_ip(m, bytes + HO_ETH_HEADER, len - HO_ETH_HEADER);
}
