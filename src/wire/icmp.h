/* ICMP and ICMPv6 as one value: echo, errors that quote a packet, neighbour discovery
 * (RFC 792, RFC 4443, RFC 4861; RFC 1191 and RFC 8201 for the MTU).
 */

#ifndef HO_WIRE_ICMP_H
#define HO_WIRE_ICMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/addr.h"
#include "wire/drop.h"
#include "wire/ip.h"

enum ho_icmp_kind {
    HO_ICMP_OTHER, /* none of the below; `type` and `code` say what */
    HO_ICMP_ECHO,
    HO_ICMP_ECHO_REPLY,
    HO_ICMP_UNREACHABLE,
    HO_ICMP_TOO_BIG, /* ICMPv4: unreachable with code 4 */
    HO_ICMP_TIME_EXCEEDED,
    HO_ICMP_NEIGH_SOLICIT, /* these two ICMPv6 only */
    HO_ICMP_NEIGH_ADVERT
};

/* Codes of HO_ICMP_UNREACHABLE. */
#define HO_ICMP4_NET 0
#define HO_ICMP4_HOST 1
#define HO_ICMP4_PROTO 2
#define HO_ICMP4_PORT 3
#define HO_ICMP4_TOO_BIG 4
#define HO_ICMP4_ADMIN 13
#define HO_ICMP6_NO_ROUTE 0
#define HO_ICMP6_ADMIN 1
#define HO_ICMP6_ADDR 3
#define HO_ICMP6_PORT 4

/* Bytes of a packet that an error quotes at most: the whole error stays within 576 bytes
 * (RFC 1812 4.3.2.3) or 1280 (RFC 4443 2.4 c).
 */
#define HO_ICMP4_QUOTE 548
#define HO_ICMP6_QUOTE 1232

struct ho_wire_icmp {
    enum ho_icmp_kind kind;
    uint8_t type, code;    /* as on the wire; on writing, `type` counts for HO_ICMP_OTHER only */
    uint16_t id, seq;      /* echo */
    uint32_t mtu;          /* too big */
    struct ho_addr target; /* neighbour discovery */
    bool router, solicited, override; /* advertisement */
    bool has_mac;                     /* source (solicitation) or target link-layer address */
    struct ho_mac mac;
    const uint8_t *body; /* echo: its data; errors: the quoted packet; others: after 4 bytes */
    size_t body_len;
};

/* What an error quotes of a TCP or UDP packet. */
struct ho_wire_quote {
    struct ho_wire_ip ip;
    uint16_t sport, dport;
    uint32_t seq; /* TCP */
};

/* Reads the message of `len` bytes that `ip` carried; `ret->body` points into `bytes`. Verifies
 * the checksum, and for neighbour discovery what RFC 4861 7.1 asks for.
 *
 * Returns 0; -EBADMSG with the reason in *ret_drop and *ret untouched.
 */
int ho_wire_icmp_read(struct ho_wire_icmp *ret, const struct ho_wire_ip *ip, const uint8_t *bytes,
                      size_t len, enum ho_wire_drop *ret_drop);

/* Reads the packet that an error quotes, its IP header and the first 8 bytes behind it.
 *
 * Returns 0; -EBADMSG with the reason in *ret_drop and *ret untouched.
 */
int ho_wire_icmp_quote(struct ho_wire_quote *ret, const struct ho_wire_icmp *icmp,
                       enum ho_wire_drop *ret_drop);

/* Bytes that `m` takes. */
size_t ho_wire_icmp_size(const struct ho_wire_icmp *m);

/* Writes the message, ho_wire_icmp_size() bytes, with the checksum; IPv6 if `dst` is.
 * `m->body` must not overlap `bytes`.
 */
void ho_wire_icmp_write(const struct ho_wire_icmp *m, const struct ho_addr *src,
                        const struct ho_addr *dst, uint8_t *bytes);

/* The solicited-node multicast group of `a` (RFC 4291 2.7.1): ff02::1:ffXX:XXXX. */
struct ho_addr ho_addr_solicited_node(const struct ho_addr *a);

#endif
