/* Adding 16-bit words, 16 bytes at a time. */

#include "wire/checksum.h"

#include <assert.h>

#define BLOCK ((size_t)16)

/* Compilers make one load of this, on any machine. */
static inline uint64_t load64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* Addition modulo 2^64 - 1, of which 2^16 - 1 is a divisor. */
static inline uint64_t add64(uint64_t a, uint64_t b)
{
    uint64_t sum = a + b;

    return sum + (uint64_t)(sum < b);
}

/* Adds `n` blocks as numbers of 128 bits, modulo 2^128: an addition and an addition with carry a
 * block. What is lost is how often the top overflowed, and counting that each time would cost as
 * much as another addition of 64 bits does, which also tells: `edge` adds up what begins with a
 * block's top word, w[7], and goes on with the next block's lowest 48 bits, modulo 2^64. Those
 * lowest bits are known from `lo`, all but the first block's and the one after the last. Taken
 * away, they leave the sum of the top words alone, which is exact.
 *
 * The overflows count 1 each, because 2^128 is 1 modulo 2^16 - 1. Reads 8 bytes after the blocks.
 */
static uint64_t sum_blocks(const uint8_t *p, size_t n)
{
    const uint8_t *first = p;
    uint64_t lo = 0, edge = 0;
    uint64_t h0 = 0, h1 = 0, h2 = 0, h3 = 0, h4 = 0, h5 = 0, h6 = 0, h7 = 0;

/* One `hi` a block of the unrolled loop: into a single one, gcc 12 moves the carries out of their
 * additions and pays three instructions for each.
 */
#define ADD(at, hi)                                      \
    do {                                                 \
        uint64_t low = load64((at));                     \
        lo += low;                                       \
        (hi) += load64((at) + 8) + (uint64_t)(lo < low); \
    } while (0)

    for (; n >= 8; n -= 8, p += 8 * BLOCK) {
        edge += load64(p + 14) + load64(p + 30) + load64(p + 46) + load64(p + 62) + load64(p + 78) +
                load64(p + 94) + load64(p + 110) + load64(p + 126);
        ADD(p, h0);
        ADD(p + BLOCK, h1);
        ADD(p + 2 * BLOCK, h2);
        ADD(p + 3 * BLOCK, h3);
        ADD(p + 4 * BLOCK, h4);
        ADD(p + 5 * BLOCK, h5);
        ADD(p + 6 * BLOCK, h6);
        ADD(p + 7 * BLOCK, h7);
    }
    for (; n > 0; n--, p += BLOCK) {
        edge += load64(p + 14);
        ADD(p, h0);
    }
#undef ADD

    uint64_t hi = h0 + h1 + h2 + h3 + h4 + h5 + h6 + h7;
    uint64_t tops = edge - ((lo - load64(first) + load64(p)) << 16);
    uint64_t carried = ((hi >> 48) - tops) & 0xffffu; /* into the top words, from below them */
    uint64_t overflows = (tops + carried) >> 16;

    return add64(add64(lo, hi), overflows);
}

uint64_t ho_sum(const uint8_t *bytes, size_t len)
{
    uint64_t sum = 0;

    assert(len <= 65535);
    if (len < 8) {
        for (size_t i = 0; i < len; i++) {
            sum |= (uint64_t)bytes[i] << 8 * i;
        }
        return (sum & 0xffffffffu) + (sum >> 32);
    }
    if (len >= BLOCK + 8) {
        size_t n = (len - 8) / BLOCK;

        sum = sum_blocks(bytes, n);
        bytes += n * BLOCK;
        len -= n * BLOCK;
    }
    for (; len >= 8; len -= 8, bytes += 8) {
        sum = add64(sum, load64(bytes));
    }
    if (len > 0) { /* the last bytes, with those before them shifted out */
        sum = add64(sum, load64(bytes + len - 8) >> 8 * (8 - len));
    }
    return (sum & 0xffffffffu) + (sum >> 32);
}

uint64_t ho_sum_pseudo(const struct ho_addr *src, const struct ho_addr *dst, uint8_t proto,
                       size_t len)
{
    /* The protocol and the length are 16-bit words with the high byte first. */
    uint64_t sum = ((uint64_t)proto << 8) + ((len & 0xff) << 8) + (len >> 8);

    if (ho_addr_is_v4(src) && ho_addr_is_v4(dst)) {
        return sum + (load64(src->b + 8) >> 32) + (load64(dst->b + 8) >> 32);
    }
    return sum + ho_sum(src->b, sizeof(src->b)) + ho_sum(dst->b, sizeof(dst->b));
}

uint16_t ho_sum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffffu) + (sum >> 32);
    sum = (sum & 0xffffu) + (sum >> 16);
    sum = (sum & 0xffffu) + (sum >> 16);
    sum = (sum & 0xffffu) + (sum >> 16);
    return (uint16_t)(0xffff ^ ((sum & 0xff) << 8 | sum >> 8));
}

uint16_t ho_checksum(const uint8_t *bytes, size_t len)
{
    return ho_sum_fold(ho_sum(bytes, len));
}
