/* IP headers. */

#include "wire/ip.h"

#include <assert.h>
#include <errno.h>

#include "wire/bytes.h"
#include "wire/checksum.h"

#define DONT_FRAGMENT 0x4000u
#define FRAGMENT 0x3fffu /* more fragments, or an offset */
#define HOP_BY_HOP 0

static int drop(enum ho_wire_drop *ret_drop, enum ho_wire_drop why)
{
    *ret_drop = why;
    return -EBADMSG;
}

static struct ho_addr v4_at(const uint8_t *p)
{
    return ho_addr_v4(p[0], p[1], p[2], p[3]);
}

static int read_v4(struct ho_wire_ip *ret, size_t *ret_header, const uint8_t *bytes, size_t len,
                   bool quoted, enum ho_wire_drop *ret_drop)
{
    if (len < HO_IPV4_HEADER) {
        return drop(ret_drop, HO_WIRE_DROP_IP_SHORT);
    }

    size_t header = (size_t)(bytes[0] & 0x0f) * 4;
    size_t total = ho_get16(bytes + 2);
    unsigned fragment = ho_get16(bytes + 6);
    if (header < HO_IPV4_HEADER || header > len) {
        return drop(ret_drop, HO_WIRE_DROP_IP_HEADER_LEN);
    }
    if (total < header || (total > len && !quoted)) {
        return drop(ret_drop, HO_WIRE_DROP_IP_LENGTH);
    }
    if (!quoted && ho_checksum(bytes, header) != 0) {
        return drop(ret_drop, HO_WIRE_DROP_IP_CHECKSUM);
    }
    if (!quoted && (fragment & FRAGMENT) != 0) {
        return drop(ret_drop, HO_WIRE_DROP_IP_FRAGMENT);
    }
    ret->src = v4_at(bytes + 12);
    ret->dst = v4_at(bytes + 16);
    ret->version = 4;
    ret->proto = bytes[9];
    ret->ttl = bytes[8];
    ret->tos = bytes[1];
    ret->dont_fragment = (fragment & DONT_FRAGMENT) != 0;
    ret->id = ho_get16(bytes + 4);
    ret->payload_len = (uint16_t)(total - header);
    *ret_header = header;
    return 0;
}

static int read_v6(struct ho_wire_ip *ret, size_t *ret_header, const uint8_t *bytes, size_t len,
                   bool quoted, enum ho_wire_drop *ret_drop)
{
    if (len < HO_IPV6_HEADER) {
        return drop(ret_drop, HO_WIRE_DROP_IP_SHORT);
    }

    size_t header = HO_IPV6_HEADER;
    size_t total = HO_IPV6_HEADER + (size_t)ho_get16(bytes + 4);
    uint8_t proto = bytes[6];
    if (total > len && !quoted) {
        return drop(ret_drop, HO_WIRE_DROP_IP_LENGTH);
    }
    if (proto == HOP_BY_HOP) { /* RFC 8200 4.3: only here, right after the header */
        size_t room = total < len ? total : len;
        size_t options = room < header + 8 ? SIZE_MAX : 8 + (size_t)bytes[header + 1] * 8;

        if (options > room - header) {
            return drop(ret_drop, HO_WIRE_DROP_IP_EXTENSION);
        }
        proto = bytes[header];
        header += options;
    }
    memcpy(ret->src.b, bytes + 8, 16);
    memcpy(ret->dst.b, bytes + 24, 16);
    ret->version = 6;
    ret->proto = proto;
    ret->ttl = bytes[7];
    ret->tos = (uint8_t)(ho_get16(bytes) >> 4);
    ret->dont_fragment = true;
    ret->id = 0;
    ret->payload_len = (uint16_t)(total - header);
    *ret_header = header;
    return 0;
}

static int read_any(struct ho_wire_ip *ret, size_t *ret_header, const uint8_t *bytes, size_t len,
                    bool quoted, enum ho_wire_drop *ret_drop)
{
    if (len == 0) {
        return drop(ret_drop, HO_WIRE_DROP_IP_SHORT);
    }
    switch (bytes[0] >> 4) {
    case 4:
        return read_v4(ret, ret_header, bytes, len, quoted, ret_drop);
    case 6:
        return read_v6(ret, ret_header, bytes, len, quoted, ret_drop);
    default:
        return drop(ret_drop, HO_WIRE_DROP_IP_VERSION);
    }
}

int ho_wire_ip_read(struct ho_wire_ip *ret, size_t *ret_header, const uint8_t *bytes, size_t len,
                    enum ho_wire_drop *ret_drop)
{
    return read_any(ret, ret_header, bytes, len, false, ret_drop);
}

int ho_wire_ip_read_quoted(struct ho_wire_ip *ret, size_t *ret_header, const uint8_t *bytes,
                           size_t len, enum ho_wire_drop *ret_drop)
{
    return read_any(ret, ret_header, bytes, len, true, ret_drop);
}

static void write_v4(const struct ho_wire_ip *h, uint8_t *bytes)
{
    bytes[0] = 0x45;
    bytes[1] = h->tos;
    ho_put16(bytes + 2, HO_IPV4_HEADER + (unsigned)h->payload_len);
    ho_put16(bytes + 4, h->id);
    ho_put16(bytes + 6, h->dont_fragment ? DONT_FRAGMENT : 0);
    bytes[8] = h->ttl;
    bytes[9] = h->proto;
    ho_put16(bytes + 10, 0);
    memcpy(bytes + 12, h->src.b + 12, 4);
    memcpy(bytes + 16, h->dst.b + 12, 4);
    ho_put16(bytes + 10, ho_checksum(bytes, HO_IPV4_HEADER));
}

void ho_wire_ip_write(const struct ho_wire_ip *h, uint8_t *bytes)
{
    assert(h->version == 4 || h->version == 6);
    if (h->version == 4) {
        assert(h->payload_len <= 65535 - HO_IPV4_HEADER);
        write_v4(h, bytes);
        return;
    }
    ho_put32(bytes, 6u << 28 | (uint32_t)h->tos << 20);
    ho_put16(bytes + 4, h->payload_len);
    bytes[6] = h->proto;
    bytes[7] = h->ttl;
    memcpy(bytes + 8, h->src.b, 16);
    memcpy(bytes + 24, h->dst.b, 16);
}
