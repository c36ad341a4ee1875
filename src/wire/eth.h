/* Ethernet II: addresses and the 14 bytes in front of a packet (IEEE 802.3 3.2.6, RFC 894). */

#ifndef HO_WIRE_ETH_H
#define HO_WIRE_ETH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/addr.h"

#define HO_ETH_HEADER 14
#define HO_ETH_MTU 1500

#define HO_ETH_IPV4 0x0800u
#define HO_ETH_ARP 0x0806u
#define HO_ETH_IPV6 0x86ddu

#define HO_MAC_TEXT 18 /* bytes that ho_mac_text() writes, with the final 0 */
#define HO_MAC_BROADCAST ((struct ho_mac){ .b = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } })

struct ho_wire_eth {
    struct ho_mac dst, src;
    uint16_t type; /* HO_ETH_* */
};

/* Reads the header of a frame of `len` bytes; what follows it is not looked at.
 *
 * Returns 0; -EBADMSG (HO_WIRE_DROP_ETH_SHORT), with *ret untouched.
 */
int ho_wire_eth_read(struct ho_wire_eth *ret, const uint8_t *bytes, size_t len);

/* Writes the header, HO_ETH_HEADER bytes. */
void ho_wire_eth_write(const struct ho_wire_eth *h, uint8_t *bytes);

static inline bool ho_mac_eq(const struct ho_mac *a, const struct ho_mac *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* Broadcast is multicast too. */
static inline bool ho_mac_is_multicast(const struct ho_mac *m)
{
    return (m->b[0] & 1) != 0;
}

/* The address that frames to the multicast group `a` are sent to (RFC 1112 6.4, RFC 2464 7). */
struct ho_mac ho_mac_multicast(const struct ho_addr *a);

/* Writes "02:00:00:00:00:01", HO_MAC_TEXT bytes. Returns buf. */
const char *ho_mac_text(const struct ho_mac *m, char *buf);

#endif
