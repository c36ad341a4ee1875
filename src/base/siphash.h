/* SipHash-2-4: a keyed hash of short inputs (Aumasson and Bernstein 2012); the F of RFC 6528. */

#ifndef HO_BASE_SIPHASH_H
#define HO_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct ho_sipkey {
    uint64_t k[2];
};

uint64_t ho_siphash(const struct ho_sipkey *key, const void *data, size_t len);

#endif
