/* TCP headers and options. */

#include "wire/tcp.h"

#include <assert.h>
#include <errno.h>

#include "wire/bytes.h"
#include "wire/checksum.h"

#define PROTO_TCP 6

/* Kinds and lengths of options: RFC 9293 3.1, RFC 7323 2.2 and 3.2, RFC 2018 2 and 3. */
#define OPT_END 0
#define OPT_NOP 1
#define OPT_MSS 2
#define OPT_WSCALE 3
#define OPT_SACK_OK 4
#define OPT_SACK 5
#define OPT_TS 8
#define LEN_MSS 4
#define LEN_WSCALE 3
#define LEN_SACK_OK 2
#define LEN_TS 10
#define LEN_SACK_BLOCK 8
#define WSCALE_MAX 14

/* Blocks beyond the fourth cannot be there: 40 bytes of options hold no more. A SYN has nothing
 * to report yet (RFC 2018 3). Of several such options the last counts, as in Linux.
 */
static void read_sack(struct ho_wire_tcp *s, const uint8_t *p, size_t len)
{
    if ((len - 2) % LEN_SACK_BLOCK != 0 || (s->flags & HO_TCP_SYN) != 0) {
        return;
    }
    memset(s->sack, 0, sizeof(s->sack));
    s->n_sack = (uint8_t)((len - 2) / LEN_SACK_BLOCK);
    assert(s->n_sack <= HO_TCP_SACK_BLOCKS);
    p += 2;
    for (int i = 0; i < s->n_sack; i++) {
        s->sack[i].from = ho_get32(p);
        s->sack[i].to = ho_get32(p + 4);
        p += LEN_SACK_BLOCK;
    }
}

/* One option of `len` bytes. A known kind with a wrong length is as good as an unknown one. MSS,
 * window scale and SACK-permitted belong on a SYN only (RFC 9293 3.1, RFC 7323 2.2, RFC 2018 2).
 */
static void read_option(struct ho_wire_tcp *s, const uint8_t *p, size_t len)
{
    bool syn = (s->flags & HO_TCP_SYN) != 0;

    switch (p[0]) {
    case OPT_MSS:
        if (len == LEN_MSS && syn) {
            s->has_mss = true;
            s->mss = ho_get16(p + 2);
        }
        break;
    case OPT_WSCALE:
        if (len == LEN_WSCALE && syn) {
            s->has_wscale = true;
            s->wscale = p[2] < WSCALE_MAX ? p[2] : WSCALE_MAX;
        }
        break;
    case OPT_SACK_OK:
        s->sack_ok = s->sack_ok || (len == LEN_SACK_OK && syn);
        break;
    case OPT_SACK:
        read_sack(s, p, len);
        break;
    case OPT_TS:
        if (len == LEN_TS) {
            s->has_ts = true;
            s->ts_val = ho_get32(p + 2);
            s->ts_ecr = ho_get32(p + 6);
        }
        break;
    default:
        break;
    }
}

/* Up to the end, or to the first option whose length makes no sense. */
static void read_options(struct ho_wire_tcp *s, const uint8_t *p, size_t len)
{
    /* The usual segment has nothing but NOP NOP timestamps (RFC 7323 appendix A). */
    if (len == 12 && p[0] == OPT_NOP && p[1] == OPT_NOP && p[2] == OPT_TS && p[3] == LEN_TS) {
        s->has_ts = true;
        s->ts_val = ho_get32(p + 4);
        s->ts_ecr = ho_get32(p + 8);
        return;
    }
    while (len > 0 && p[0] != OPT_END) {
        size_t step = 1;

        if (p[0] != OPT_NOP) {
            if (len < 2 || p[1] < 2 || p[1] > len) {
                return;
            }
            step = p[1];
            read_option(s, p, step);
        }
        p += step;
        len -= step;
    }
}

enum ho_wire_drop ho_wire_tcp_fault(const uint8_t *bytes, size_t len)
{
    if (len < HO_TCP_HEADER) {
        return HO_WIRE_DROP_TCP_SHORT;
    }

    size_t header = (size_t)(bytes[12] >> 4) * 4;
    bool fits = header >= HO_TCP_HEADER && header <= len && len <= 65535;
    return fits ? HO_WIRE_DROP_NONE : HO_WIRE_DROP_TCP_OFFSET;
}

int ho_wire_tcp_read(struct ho_wire_tcp *ret, size_t *ret_header, const uint8_t *bytes, size_t len)
{
    if (ho_wire_tcp_fault(bytes, len) != HO_WIRE_DROP_NONE) {
        return -EBADMSG;
    }

    size_t header = (size_t)(bytes[12] >> 4) * 4;
    *ret = (struct ho_wire_tcp){
        .sport = ho_get16(bytes),
        .dport = ho_get16(bytes + 2),
        .seq = ho_get32(bytes + 4),
        .ack = ho_get32(bytes + 8),
        .flags = bytes[13],
        .window = ho_get16(bytes + 14),
        .payload_len = (uint16_t)(len - header),
    };
    read_options(ret, bytes + HO_TCP_HEADER, header - HO_TCP_HEADER);
    *ret_header = header;
    return 0;
}

size_t ho_wire_tcp_size(const struct ho_wire_tcp *s)
{
    size_t size = HO_TCP_HEADER;

    size += s->has_mss ? LEN_MSS : 0;
    size += s->has_ts ? 12 : s->sack_ok ? 4 : 0; /* SACK-permitted takes the timestamps' NOPs */
    size += s->has_wscale ? 4 : 0;
    size += s->n_sack > 0 ? 4 + LEN_SACK_BLOCK * (size_t)s->n_sack : 0;
    assert(size <= HO_TCP_HEADER_MAX);
    return size;
}

/* Two bytes of options. */
static uint8_t *put2(uint8_t *p, uint8_t a, uint8_t b)
{
    p[0] = a;
    p[1] = b;
    return p + 2;
}

static uint8_t *write_sack(const struct ho_wire_tcp *s, uint8_t *p)
{
    p = put2(p, OPT_NOP, OPT_NOP);
    p = put2(p, OPT_SACK, (uint8_t)(2 + LEN_SACK_BLOCK * s->n_sack));
    for (int i = 0; i < s->n_sack; i++) {
        ho_put32(p, s->sack[i].from);
        ho_put32(p + 4, s->sack[i].to);
        p += LEN_SACK_BLOCK;
    }
    return p;
}

/* Returns where the options end. */
static uint8_t *write_options(const struct ho_wire_tcp *s, uint8_t *p)
{
    if (s->has_mss) {
        p = put2(p, OPT_MSS, LEN_MSS);
        p = put2(p, (uint8_t)(s->mss >> 8), (uint8_t)s->mss);
    }
    if (s->has_ts) {
        p = s->sack_ok ? put2(p, OPT_SACK_OK, LEN_SACK_OK) : put2(p, OPT_NOP, OPT_NOP);
        p = put2(p, OPT_TS, LEN_TS);
        ho_put32(p, s->ts_val);
        ho_put32(p + 4, s->ts_ecr);
        p += 8;
    } else if (s->sack_ok) {
        p = put2(p, OPT_NOP, OPT_NOP);
        p = put2(p, OPT_SACK_OK, LEN_SACK_OK);
    }
    if (s->has_wscale) {
        p = put2(p, OPT_NOP, OPT_WSCALE);
        p = put2(p, LEN_WSCALE, s->wscale);
    }
    if (s->n_sack > 0) {
        p = write_sack(s, p);
    }
    return p;
}

void ho_wire_tcp_write(const struct ho_wire_tcp *s, uint8_t *bytes)
{
    ho_put16(bytes, s->sport);
    ho_put16(bytes + 2, s->dport);
    ho_put32(bytes + 4, s->seq);
    ho_put32(bytes + 8, s->ack);
    bytes[13] = s->flags;
    ho_put16(bytes + 14, s->window);
    ho_put32(bytes + 16, 0); /* checksum, urgent pointer */

    size_t size = (size_t)(write_options(s, bytes + HO_TCP_HEADER) - bytes);
    assert(size <= HO_TCP_HEADER_MAX && size % 4 == 0);
    bytes[12] = (uint8_t)(size / 4 << 4);
}

uint16_t ho_wire_tcp_checksum(const struct ho_addr *src, const struct ho_addr *dst,
                              const uint8_t *bytes, size_t len)
{
    return ho_sum_fold(ho_sum_pseudo(src, dst, PROTO_TCP, len) + ho_sum(bytes, len));
}
