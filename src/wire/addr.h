/* Addresses: one type for IPv4 and IPv6.
 *
 * An IPv4 address is kept as its IPv4-mapped IPv6 form ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so
 * that every table, key and comparison above the wire has one shape.
 */

#ifndef HO_WIRE_ADDR_H
#define HO_WIRE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ho_addr {
    uint8_t b[16]; /* network order */
};

struct ho_mac {
    uint8_t b[6];
};

#define HO_ADDR_TEXT 46 /* bytes that ho_addr_text() may write, with the final 0 */

static inline bool ho_addr_eq(const struct ho_addr *a, const struct ho_addr *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

bool ho_addr_is_v4(const struct ho_addr *a);
bool ho_addr_is_any(const struct ho_addr *a);       /* 0.0.0.0 or :: */
bool ho_addr_is_loopback(const struct ho_addr *a);  /* 127.0.0.0/8 or ::1 */
bool ho_addr_is_multicast(const struct ho_addr *a); /* 224.0.0.0/4 or ff00::/8 */
struct ho_addr ho_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);

/* True if the first `bits` bits agree; for an IPv4 prefix of n bits pass 96 + n. */
bool ho_addr_in(const struct ho_addr *a, const struct ho_addr *net, unsigned bits);

/* Reads "10.0.0.1" or "fd00::1". Returns 0; -EINVAL, with *ret untouched. */
int ho_addr_parse(struct ho_addr *ret, const char *text);

/* Writes the address as RFC 5952 says, IPv4 in dots; at most HO_ADDR_TEXT bytes. Returns buf. */
const char *ho_addr_text(const struct ho_addr *a, char *buf);

#endif
