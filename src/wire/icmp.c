/* ICMP messages. */

#include "wire/icmp.h"

#include <assert.h>
#include <errno.h>

#include "wire/bytes.h"
#include "wire/checksum.h"

#define HEADER 8 /* type, code, checksum, and four bytes that differ */
#define ND_SIZE 24
#define ND_HOP_LIMIT 255
#define OPT_SIZE 8
#define OPT_SOURCE_MAC 1
#define OPT_TARGET_MAC 2
#define FLAG_ROUTER 0x80u
#define FLAG_SOLICITED 0x40u
#define FLAG_OVERRIDE 0x20u

static const struct {
    enum ho_icmp_kind kind;
    int type4, type6; /* -1: there is none */
} types[] = {
    { HO_ICMP_ECHO, 8, 128 },          { HO_ICMP_ECHO_REPLY, 0, 129 },
    { HO_ICMP_UNREACHABLE, 3, 1 },     { HO_ICMP_TOO_BIG, 3, 2 },
    { HO_ICMP_TIME_EXCEEDED, 11, 3 },  { HO_ICMP_NEIGH_SOLICIT, -1, 135 },
    { HO_ICMP_NEIGH_ADVERT, -1, 136 },
};

#define N_TYPES (sizeof(types) / sizeof(types[0]))

static enum ho_icmp_kind kind_of(bool v6, uint8_t type, uint8_t code)
{
    if (!v6 && type == 3 && code == HO_ICMP4_TOO_BIG) {
        return HO_ICMP_TOO_BIG;
    }
    for (size_t i = 0; i < N_TYPES; i++) {
        if ((v6 ? types[i].type6 : types[i].type4) == type) {
            return types[i].kind;
        }
    }
    return HO_ICMP_OTHER;
}

static uint8_t type_of(bool v6, const struct ho_wire_icmp *m)
{
    for (size_t i = 0; i < N_TYPES; i++) {
        if (types[i].kind == m->kind) {
            int type = v6 ? types[i].type6 : types[i].type4;

            assert(type >= 0); /* there is no neighbour discovery in IPv4 */
            return (uint8_t)type;
        }
    }
    return m->type;
}

static bool is_nd(enum ho_icmp_kind kind)
{
    return kind == HO_ICMP_NEIGH_SOLICIT || kind == HO_ICMP_NEIGH_ADVERT;
}

static int drop(enum ho_wire_drop *ret_drop, enum ho_wire_drop why)
{
    *ret_drop = why;
    return -EBADMSG;
}

/* RFC 4861 4.6: options have a length in units of 8 bytes that is not 0. */
static int read_nd_options(struct ho_wire_icmp *m, const uint8_t *p, size_t len)
{
    uint8_t wanted = m->kind == HO_ICMP_NEIGH_SOLICIT ? OPT_SOURCE_MAC : OPT_TARGET_MAC;

    while (len > 0) {
        size_t size = len < 2 ? 0 : (size_t)p[1] * 8;

        if (size == 0 || size > len) {
            return -EBADMSG;
        }
        if (p[0] == wanted && p[1] == 1) {
            m->has_mac = true;
            memcpy(m->mac.b, p + 2, sizeof(m->mac.b));
        }
        len -= size;
        p += size;
    }
    return 0;
}

struct ho_addr ho_addr_solicited_node(const struct ho_addr *a)
{
    struct ho_addr group = { .b = { 0xff, 0x02, [11] = 1, [12] = 0xff } };

    memcpy(group.b + 13, a->b + 13, 3);
    return group;
}

/* What RFC 4861 7.1.1 and 7.1.2 ask of a message; one that fails is dropped silently. */
static int read_nd(struct ho_wire_icmp *m, const struct ho_wire_ip *ip, const uint8_t *bytes,
                   size_t len, enum ho_wire_drop *ret_drop)
{
    if (ip->ttl != ND_HOP_LIMIT) {
        return drop(ret_drop, HO_WIRE_DROP_ND_HOPS);
    }
    if (len < ND_SIZE || m->code != 0) {
        return drop(ret_drop, HO_WIRE_DROP_ND_FORMAT);
    }
    memcpy(m->target.b, bytes + 8, sizeof(m->target.b));
    m->router = (bytes[4] & FLAG_ROUTER) != 0 && m->kind == HO_ICMP_NEIGH_ADVERT;
    m->solicited = (bytes[4] & FLAG_SOLICITED) != 0 && m->kind == HO_ICMP_NEIGH_ADVERT;
    m->override = (bytes[4] & FLAG_OVERRIDE) != 0 && m->kind == HO_ICMP_NEIGH_ADVERT;
    if (ho_addr_is_multicast(&m->target) ||
        read_nd_options(m, bytes + ND_SIZE, len - ND_SIZE) != 0) {
        return drop(ret_drop, HO_WIRE_DROP_ND_FORMAT);
    }
    if (m->kind == HO_ICMP_NEIGH_SOLICIT && ho_addr_is_any(&ip->src)) {
        struct ho_addr group = ho_addr_solicited_node(&m->target);

        if (m->has_mac || !ho_addr_eq(&ip->dst, &group)) {
            return drop(ret_drop, HO_WIRE_DROP_ND_FORMAT);
        }
    }
    if (m->kind == HO_ICMP_NEIGH_ADVERT && m->solicited && ho_addr_is_multicast(&ip->dst)) {
        return drop(ret_drop, HO_WIRE_DROP_ND_FORMAT);
    }
    return 0;
}

int ho_wire_icmp_read(struct ho_wire_icmp *ret, const struct ho_wire_ip *ip, const uint8_t *bytes,
                      size_t len, enum ho_wire_drop *ret_drop)
{
    bool v6 = ip->version == 6;

    if (len < HEADER || len > 65535) {
        return drop(ret_drop, HO_WIRE_DROP_ICMP_SHORT);
    }

    uint64_t sum = v6 ? ho_sum_pseudo(&ip->src, &ip->dst, HO_IP_ICMPV6, len) : 0;
    if (ho_sum_fold(sum + ho_sum(bytes, len)) != 0) {
        return drop(ret_drop, HO_WIRE_DROP_ICMP_CHECKSUM);
    }

    struct ho_wire_icmp m = {
        .kind = kind_of(v6, bytes[0], bytes[1]),
        .type = bytes[0],
        .code = bytes[1],
    };
    if (is_nd(m.kind)) {
        int err = read_nd(&m, ip, bytes, len, ret_drop);
        if (err != 0) {
            return err;
        }
    } else {
        size_t from = m.kind == HO_ICMP_OTHER ? 4 : HEADER;

        m.body = bytes + from;
        m.body_len = len - from;
    }
    if (m.kind == HO_ICMP_ECHO || m.kind == HO_ICMP_ECHO_REPLY) {
        m.id = ho_get16(bytes + 4);
        m.seq = ho_get16(bytes + 6);
    }
    if (m.kind == HO_ICMP_TOO_BIG) {
        m.mtu = v6 ? ho_get32(bytes + 4) : ho_get16(bytes + 6); /* RFC 1191 4 */
    }
    *ret = m;
    return 0;
}

int ho_wire_icmp_quote(struct ho_wire_quote *ret, const struct ho_wire_icmp *icmp,
                       enum ho_wire_drop *ret_drop)
{
    struct ho_wire_quote q;
    size_t header;

    if (icmp->kind != HO_ICMP_UNREACHABLE && icmp->kind != HO_ICMP_TOO_BIG &&
        icmp->kind != HO_ICMP_TIME_EXCEEDED) {
        return drop(ret_drop, HO_WIRE_DROP_QUOTE_SHORT);
    }

    int err = ho_wire_ip_read_quoted(&q.ip, &header, icmp->body, icmp->body_len, ret_drop);
    if (err != 0) {
        return err;
    }
    if (icmp->body_len < header + 8) {
        return drop(ret_drop, HO_WIRE_DROP_QUOTE_SHORT);
    }

    const uint8_t *p = icmp->body + header;
    q.sport = ho_get16(p);
    q.dport = ho_get16(p + 2);
    q.seq = ho_get32(p + 4);
    *ret = q;
    return 0;
}

size_t ho_wire_icmp_size(const struct ho_wire_icmp *m)
{
    if (is_nd(m->kind)) {
        return ND_SIZE + (m->has_mac ? OPT_SIZE : 0);
    }
    return (m->kind == HO_ICMP_OTHER ? 4 : HEADER) + m->body_len;
}

static void write_nd(const struct ho_wire_icmp *m, uint8_t *bytes)
{
    unsigned flags = (m->router ? FLAG_ROUTER : 0) | (m->solicited ? FLAG_SOLICITED : 0) |
                     (m->override ? FLAG_OVERRIDE : 0);

    bytes[4] = (uint8_t)(m->kind == HO_ICMP_NEIGH_ADVERT ? flags : 0);
    memcpy(bytes + 8, m->target.b, sizeof(m->target.b));
    if (m->has_mac) {
        bytes[24] = m->kind == HO_ICMP_NEIGH_SOLICIT ? OPT_SOURCE_MAC : OPT_TARGET_MAC;
        bytes[25] = 1;
        memcpy(bytes + 26, m->mac.b, sizeof(m->mac.b));
    }
}

void ho_wire_icmp_write(const struct ho_wire_icmp *m, const struct ho_addr *src,
                        const struct ho_addr *dst, uint8_t *bytes)
{
    bool v6 = !ho_addr_is_v4(dst);
    size_t size = ho_wire_icmp_size(m);

    assert(size <= 65535);
    memset(bytes, 0, size < HEADER ? size : HEADER);
    bytes[0] = type_of(v6, m);
    bytes[1] = !v6 && m->kind == HO_ICMP_TOO_BIG ? HO_ICMP4_TOO_BIG : m->code;
    if (is_nd(m->kind)) {
        write_nd(m, bytes);
    } else if (m->body_len > 0) {
        memcpy(bytes + size - m->body_len, m->body, m->body_len);
    }
    if (m->kind == HO_ICMP_ECHO || m->kind == HO_ICMP_ECHO_REPLY) {
        ho_put16(bytes + 4, m->id);
        ho_put16(bytes + 6, m->seq);
    }
    if (m->kind == HO_ICMP_TOO_BIG) {
        if (v6) {
            ho_put32(bytes + 4, m->mtu);
        } else {
            ho_put16(bytes + 6, m->mtu);
        }
    }

    uint64_t sum = v6 ? ho_sum_pseudo(src, dst, HO_IP_ICMPV6, size) : 0;
    ho_put16(bytes + 2, ho_sum_fold(sum + ho_sum(bytes, size)));
}
