/* IPv4 and IPv6 headers as one value (RFC 791 3.1, RFC 8200 3).
 *
 * Which of the two it is shows in the addresses. Options of IPv4 and the hop-by-hop header of
 * IPv6 are skipped, not kept; other extension headers are left as `proto`. No fragments: what is
 * written always fits, and what is read as a fragment is refused.
 */

#ifndef HO_WIRE_IP_H
#define HO_WIRE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/addr.h"
#include "wire/drop.h"

#define HO_IPV4_HEADER 20
#define HO_IPV6_HEADER 40

#define HO_IP_ICMP 1
#define HO_IP_TCP 6
#define HO_IP_UDP 17
#define HO_IP_ICMPV6 58

struct ho_wire_ip {
    struct ho_addr src, dst;
    uint8_t version;      /* 4 or 6 */
    uint8_t proto;        /* HO_IP_*: what follows the header */
    uint8_t ttl;          /* or hop limit */
    uint8_t tos;          /* or traffic class */
    bool dont_fragment;   /* IPv4; always true for IPv6 */
    uint16_t id;          /* IPv4; 0 for IPv6 */
    uint16_t payload_len; /* bytes after the header */
};

/* Reads the header of a packet of `len` bytes (which may have padding behind it) into *ret, and
 * its length into *ret_header: the payload is `ret->payload_len` bytes from there.
 *
 * Returns 0; -EBADMSG with the reason in *ret_drop, *ret and *ret_header untouched.
 */
int ho_wire_ip_read(struct ho_wire_ip *ret, size_t *ret_header, const uint8_t *bytes, size_t len,
                    enum ho_wire_drop *ret_drop);

/* The same of a packet that is quoted in an ICMP error and may be cut anywhere after its header:
 * nothing is asked of lengths, checksum and fragments.
 */
int ho_wire_ip_read_quoted(struct ho_wire_ip *ret, size_t *ret_header, const uint8_t *bytes,
                           size_t len, enum ho_wire_drop *ret_drop);

/* Bytes that the header of `h` takes: 20 or 40, by `h->version`. */
static inline size_t ho_wire_ip_size(const struct ho_wire_ip *h)
{
    return h->version == 4 ? HO_IPV4_HEADER : HO_IPV6_HEADER;
}

/* Writes the header, ho_wire_ip_size() bytes, with the IPv4 checksum. */
void ho_wire_ip_write(const struct ho_wire_ip *h, uint8_t *bytes);

#endif
