/* The Internet checksum (RFC 1071), in portable C and few instructions.
 *
 * A sum is kept unfolded while its parts are added: pseudo-header, header, payload. Every part
 * but the last must have an even length. Words are read as little-endian, which RFC 1071 2(B)
 * allows: the order is put right once, when the sum is folded.
 */

#ifndef HO_WIRE_CHECKSUM_H
#define HO_WIRE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "wire/addr.h"

/* The sum of `len` bytes, at most 65535; an odd last byte counts as if a 0 followed. Sums of
 * several parts are added with `+`; 2^16 of them fit.
 */
uint64_t ho_sum(const uint8_t *bytes, size_t len);

/* The sum of a pseudo-header: RFC 9293 3.1 for two IPv4 addresses, RFC 8200 8.1 otherwise. */
uint64_t ho_sum_pseudo(const struct ho_addr *src, const struct ho_addr *dst, uint8_t proto,
                       size_t len);

/* The complement of a sum as one 16-bit number in host order: what belongs into the checksum
 * field if that was 0 in the sum; 0 if the field was in the sum and right.
 */
uint16_t ho_sum_fold(uint64_t sum);

/* ho_sum() and ho_sum_fold() in one. */
uint16_t ho_checksum(const uint8_t *bytes, size_t len);

#endif
