/* Why bytes from the wire were not what they should be: named, so that a host can count them. */

#ifndef HO_WIRE_DROP_H
#define HO_WIRE_DROP_H

/* id, words */
#define HO_WIRE_DROPS(X)                                                                 \
    X(NONE, "")                                                                          \
    X(ETH_SHORT, "frame shorter than an Ethernet header")                                \
    X(ARP_SHORT, "ARP packet too short")                                                 \
    X(ARP_FORMAT, "ARP packet not for IPv4 over Ethernet, or neither request nor reply") \
    X(IP_SHORT, "packet shorter than an IP header")                                      \
    X(IP_VERSION, "IP version is not that of the frame")                                 \
    X(IP_HEADER_LEN, "IPv4 header length out of range")                                  \
    X(IP_LENGTH, "IP length is more than the frame holds")                               \
    X(IP_CHECKSUM, "IPv4 header checksum wrong")                                         \
    X(IP_FRAGMENT, "a fragment: reassembly is not supported")                            \
    X(IP_EXTENSION, "broken IPv6 hop-by-hop header")                                     \
    X(ICMP_SHORT, "ICMP message too short")                                              \
    X(ICMP_CHECKSUM, "ICMP checksum wrong")                                              \
    X(ND_HOPS, "neighbour discovery from beyond the link (hop limit is not 255)")        \
    X(ND_FORMAT, "broken neighbour discovery message (RFC 4861 7.1)")                    \
    X(QUOTE_SHORT, "ICMP error quotes too little of the packet")                         \
    X(TCP_SHORT, "segment shorter than a TCP header")                                    \
    X(TCP_OFFSET, "TCP header length out of range")                                      \
    X(TCP_CHECKSUM, "TCP checksum wrong")

enum ho_wire_drop {
#define X(id, words) HO_WIRE_DROP_##id,
    HO_WIRE_DROPS(X)
#undef X
    HO_WIRE_DROP_COUNT
};

/* The words above. */
const char *ho_wire_drop_text(enum ho_wire_drop drop);

#endif
