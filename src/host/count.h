/* What a host counts beside TCP (tcp/count.h): by Linux's names of /proc/net/snmp and of
 * /proc/net/stat/arp_cache where there is one. Every drop has a name; those of broken bytes are
 * in wire/drop.h.
 */

#ifndef HO_HOST_COUNT_H
#define HO_HOST_COUNT_H

#define HO_HOST_COUNTS(X)                                                    \
    X(IP_IN, "Ip.InReceives")                                                \
    X(IP_IN_ADDR, "Ip.InAddrErrors")                                         \
    X(IP_IN_PROTO, "Ip.InUnknownProtos")                                     \
    X(IP_OUT, "Ip.OutRequests")                                              \
    X(IP_NO_ROUTE, "Ip.OutNoRoutes")                                         \
    X(IP_FORWARDED, "Ip.ForwDatagrams")                                      \
    X(ICMP_IN, "Icmp.InMsgs")                                                \
    X(ICMP_IN_UNREACH, "Icmp.InDestUnreachs")                                \
    X(ICMP_IN_ECHO, "Icmp.InEchos")                                          \
    X(ICMP_OUT, "Icmp.OutMsgs")                                              \
    X(ICMP_OUT_UNREACH, "Icmp.OutDestUnreachs")                              \
    X(ICMP_RATE, "Icmp.OutRateLimitHost")                                    \
    X(ICMP_NO_SOCKET, "drop: ICMP error about no socket")                    \
    X(NEIGH_DISCARDS, "neigh.unresolved_discards")                           \
    X(NEIGH_FAILED, "neigh.res_failed")                                      \
    X(NEIGH_FULL, "neigh.table_fulls")                                       \
    X(DROP_POWER, "drop: no power")                                          \
    X(DROP_LINK_DOWN, "drop: the interface is down")                         \
    X(DROP_NO_CARRIER, "drop: the interface has no carrier")                 \
    X(DROP_LO_DOWN, "drop: lo is down")                                      \
    X(DROP_OTHER_HOST, "drop: a frame for another host")                     \
    X(DROP_TYPE, "drop: neither IPv4, IPv6 nor ARP")                         \
    X(DROP_MARTIAN, "drop: a source address that cannot be")                 \
    X(DROP_TTL, "drop: hop limit reached")                                   \
    X(DROP_TOO_BIG, "drop: larger than the link takes")                      \
    X(DROP_TX_QUEUE, "drop: the interface's queue is full")                  \
    X(DROP_LO_QUEUE, "drop: the queue of lo is full")                        \
    X(DROP_NEIGH_FLUSHED, "drop: its neighbour was removed while it waited") \
    X(DROP_LO_RECORD, "record: a packet over lo was not kept")               \
    X(DROP_NO_MEMORY, "drop: the host is out of memory")                     \
    X(TW_OVERFLOW, "TCPTimeWaitOverflow")                                    \
    X(SYN_QUEUE_FULL, "TCPReqQFullDrop")                                     \
    X(ORPHANS_FULL, "TCPAbortOnMemory: too many orphans")

enum ho_host_count {
#define X(id, name) HO_HOST_COUNT_##id,
    HO_HOST_COUNTS(X)
#undef X
    HO_HOST_COUNT_N
};

#endif
