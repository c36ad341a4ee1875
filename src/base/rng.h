/* Seeded random numbers: the only ones there are. The same seed gives the same world. */

#ifndef HO_BASE_RNG_H
#define HO_BASE_RNG_H

#include <stdint.h>

struct ho_rng {
    uint64_t s[4]; /* xoshiro256**, seeded by splitmix64 */
};

/* `stream` separates independent sequences of one seed: a host's neighbours, a cable's loss. */
void ho_rng_init(struct ho_rng *r, uint64_t seed, uint64_t stream);
uint64_t ho_rng_next(struct ho_rng *r);

/* Uniform in [0, bound); bound > 0. Without modulo bias. */
uint64_t ho_rng_below(struct ho_rng *r, uint64_t bound);

#endif
