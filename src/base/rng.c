/* xoshiro256** 1.0 and splitmix64 (Blackman and Vigna 2018, prng.di.unimi.it), from their
 * published description. Not for secrets: for worlds that can be made again.
 */

#include "base/rng.h"

#include <assert.h>

static uint64_t rotl(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void ho_rng_init(struct ho_rng *r, uint64_t seed, uint64_t stream)
{
    /* The stream goes through splitmix64 first: neighbours 1, 2, 3 .. must start far apart. Stream
     * 0 leaves the seed as it is, which is the seeding its authors recommend.
     */
    uint64_t state = seed;
    if (stream != 0) {
        uint64_t s = stream;
        state ^= splitmix64(&s);
    }
    for (int i = 0; i < 4; i++) {
        r->s[i] = splitmix64(&state);
    }
}

uint64_t ho_rng_next(struct ho_rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t ho_rng_below(struct ho_rng *r, uint64_t bound)
{
    assert(bound > 0);
    /* 2^64 mod bound values at the low end would make some results likelier: draw again. */
    uint64_t skip = (UINT64_MAX - bound + 1) % bound;
    uint64_t x;
    do {
        x = ho_rng_next(r);
    } while (x < skip);
    return x % bound;
}
