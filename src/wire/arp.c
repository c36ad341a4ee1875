/* ARP packets. */

#include "wire/arp.h"

#include <errno.h>

#include "wire/bytes.h"

/* Ethernet, IPv4, six and four bytes of address: the part that never differs. */
static const uint8_t preamble[6] = { 0, 1, 0x08, 0x00, 6, 4 };

#define REQUEST 1
#define REPLY 2

static struct ho_addr addr_at(const uint8_t *p)
{
    return ho_addr_v4(p[0], p[1], p[2], p[3]);
}

int ho_wire_arp_read(struct ho_wire_arp *ret, const uint8_t *bytes, size_t len,
                     enum ho_wire_drop *ret_drop)
{
    if (len < HO_ARP_SIZE) {
        *ret_drop = HO_WIRE_DROP_ARP_SHORT;
        return -EBADMSG;
    }

    unsigned operation = ho_get16(bytes + 6);
    if (memcmp(bytes, preamble, sizeof(preamble)) != 0 ||
        (operation != REQUEST && operation != REPLY)) {
        *ret_drop = HO_WIRE_DROP_ARP_FORMAT;
        return -EBADMSG;
    }
    ret->reply = operation == REPLY;
    memcpy(ret->sender_mac.b, bytes + 8, 6);
    ret->sender = addr_at(bytes + 14);
    memcpy(ret->target_mac.b, bytes + 18, 6);
    ret->target = addr_at(bytes + 24);
    return 0;
}

void ho_wire_arp_write(const struct ho_wire_arp *a, uint8_t *bytes)
{
    memcpy(bytes, preamble, sizeof(preamble));
    ho_put16(bytes + 6, a->reply ? REPLY : REQUEST);
    memcpy(bytes + 8, a->sender_mac.b, 6);
    memcpy(bytes + 14, a->sender.b + 12, 4);
    memcpy(bytes + 18, a->target_mac.b, 6);
    memcpy(bytes + 24, a->target.b + 12, 4);
}
