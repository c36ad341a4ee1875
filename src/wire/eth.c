/* Ethernet headers. */

#include "wire/eth.h"

#include <errno.h>
#include <stdio.h>

#include "wire/bytes.h"

int ho_wire_eth_read(struct ho_wire_eth *ret, const uint8_t *bytes, size_t len)
{
    if (len < HO_ETH_HEADER) {
        return -EBADMSG;
    }
    memcpy(ret->dst.b, bytes, sizeof(ret->dst.b));
    memcpy(ret->src.b, bytes + 6, sizeof(ret->src.b));
    ret->type = ho_get16(bytes + 12);
    return 0;
}

void ho_wire_eth_write(const struct ho_wire_eth *h, uint8_t *bytes)
{
    memcpy(bytes, h->dst.b, sizeof(h->dst.b));
    memcpy(bytes + 6, h->src.b, sizeof(h->src.b));
    ho_put16(bytes + 12, h->type);
}

struct ho_mac ho_mac_multicast(const struct ho_addr *a)
{
    const uint8_t *b = a->b;

    if (ho_addr_is_v4(a)) {
        return (struct ho_mac){ .b = { 0x01, 0x00, 0x5e, (uint8_t)(b[13] & 0x7f), b[14], b[15] } };
    }
    return (struct ho_mac){ .b = { 0x33, 0x33, b[12], b[13], b[14], b[15] } };
}

const char *ho_mac_text(const struct ho_mac *m, char *buf)
{
    snprintf(buf, HO_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2], m->b[3],
             m->b[4], m->b[5]);
    return buf;
}
