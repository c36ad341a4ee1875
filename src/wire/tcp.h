/* A TCP header as a value, and its way from and to bytes (RFC 9293 3.1, RFC 7323, RFC 2018).
 *
 * Numbers are in host order; `seq` and `ack` are positions, not lengths. Reading checks lengths
 * only: what a segment means is the connection's business.
 */

#ifndef HO_WIRE_TCP_H
#define HO_WIRE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/addr.h"
#include "wire/drop.h"

#define HO_TCP_FIN 0x01u
#define HO_TCP_SYN 0x02u
#define HO_TCP_RST 0x04u
#define HO_TCP_PSH 0x08u
#define HO_TCP_ACK 0x10u
#define HO_TCP_URG 0x20u
#define HO_TCP_ECE 0x40u
#define HO_TCP_CWR 0x80u

#define HO_TCP_HEADER 20      /* bytes without options */
#define HO_TCP_HEADER_MAX 60  /* bytes with all options */
#define HO_TCP_CHECKSUM_AT 16 /* offset of the two bytes of the checksum */
#define HO_TCP_SACK_BLOCKS 4  /* at most; 3 beside a timestamp */

struct ho_tcp_sack {
    uint32_t from, to; /* [from, to) */
};

struct ho_wire_tcp {
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint16_t window; /* as on the wire, not scaled */
    uint8_t flags;   /* HO_TCP_* */
    uint8_t n_sack;
    bool has_mss, has_wscale, sack_ok, has_ts;
    uint8_t wscale; /* 0 to 14 (RFC 7323 2.3: larger is read as 14) */
    uint16_t mss;
    uint32_t ts_val, ts_ecr;
    struct ho_tcp_sack sack[HO_TCP_SACK_BLOCKS];
    uint16_t payload_len; /* bytes that follow the header */
};

/* Reads the header of a TCP segment of `len` bytes (header and payload) into *ret, and the
 * header's length into *ret_header. Unknown options are skipped; a broken option ends the list,
 * as in Linux. The checksum is not looked at.
 *
 * Returns 0; -EBADMSG if it is shorter than its header says.
 */
int ho_wire_tcp_read(struct ho_wire_tcp *ret, size_t *ret_header, const uint8_t *bytes, size_t len);

/* Why ho_wire_tcp_read() refuses these bytes; HO_WIRE_DROP_NONE if it does not. */
enum ho_wire_drop ho_wire_tcp_fault(const uint8_t *bytes, size_t len);

/* Bytes that the header of `s` takes, options padded to 4. */
size_t ho_wire_tcp_size(const struct ho_wire_tcp *s);

/* Writes the header, ho_wire_tcp_size() bytes, checksum 0, options in Linux's order and padding
 * (MSS; SACK-permitted and timestamps, or NOP NOP timestamps; NOP window scale; NOP NOP SACK).
 */
void ho_wire_tcp_write(const struct ho_wire_tcp *s, uint8_t *bytes);

/* The Internet checksum (RFC 1071) over the pseudo-header of RFC 9293 3.1 (IPv4) or RFC 8200 8.1
 * (IPv6) and `len` bytes: 0 if the checksum field in them is right; with that field 0, the value
 * to put there, in host order.
 */
uint16_t ho_wire_tcp_checksum(const struct ho_addr *src, const struct ho_addr *dst,
                              const uint8_t *bytes, size_t len);

#endif
