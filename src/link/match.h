/* Which frames a fault is about: a few conditions on the bytes, all of which must hold. */

#ifndef HO_LINK_MATCH_H
#define HO_LINK_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ho_match_what {
    HO_MATCH_ANY,
    HO_MATCH_TCP,
    HO_MATCH_ND,  /* ARP; neighbour solicitation and advertisement */
    HO_MATCH_ICMP /* ICMP and ICMPv6 but neighbour discovery */
};

enum ho_match_payload {
    HO_MATCH_EITHER,
    HO_MATCH_WITH_PAYLOAD,
    HO_MATCH_WITHOUT_PAYLOAD
};

struct ho_match {
    enum ho_match_what what;
    uint8_t flags_mask, flags;     /* HO_MATCH_TCP: (segment's flags & flags_mask) == flags */
    enum ho_match_payload payload; /* HO_MATCH_TCP */
    uint16_t min_len;              /* bytes of the frame at least */
};

/* True if the Ethernet frame of `len` bytes meets every condition of `m`. */
bool ho_match_frame(const struct ho_match *m, const uint8_t *bytes, size_t len);

#endif
