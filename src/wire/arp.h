/* ARP for IPv4 over Ethernet (RFC 826): who has this address, and the answer. */

#ifndef HO_WIRE_ARP_H
#define HO_WIRE_ARP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/addr.h"
#include "wire/drop.h"

#define HO_ARP_SIZE 28 /* bytes of a packet, without Ethernet header and padding */

struct ho_wire_arp {
    bool reply; /* "is-at", else "who-has" */
    struct ho_mac sender_mac, target_mac;
    struct ho_addr sender, target; /* IPv4 */
};

/* Reads a packet of `len` bytes, padding included.
 *
 * Returns 0; -EBADMSG with the reason in *ret_drop and *ret untouched.
 */
int ho_wire_arp_read(struct ho_wire_arp *ret, const uint8_t *bytes, size_t len,
                     enum ho_wire_drop *ret_drop);

/* Writes the packet, HO_ARP_SIZE bytes. */
void ho_wire_arp_write(const struct ho_wire_arp *a, uint8_t *bytes);

#endif
