/* The checkable stream (stream.h): whole words in the middle, bytes at the ends. */

#include "program/stream.h"

#include <string.h>

static uint64_t stream_word(uint64_t number)
{
    return (number + 1) * 0x9e3779b97f4a7c15u;
}

static uint8_t stream_byte(uint64_t offset)
{
    return (uint8_t)(stream_word(offset / 8) >> (offset % 8 * 8));
}

/* Written out, so that a compiler sees that it is one store. */
static void word_bytes(uint8_t out[8], uint64_t word)
{
    out[0] = (uint8_t)word;
    out[1] = (uint8_t)(word >> 8);
    out[2] = (uint8_t)(word >> 16);
    out[3] = (uint8_t)(word >> 24);
    out[4] = (uint8_t)(word >> 32);
    out[5] = (uint8_t)(word >> 40);
    out[6] = (uint8_t)(word >> 48);
    out[7] = (uint8_t)(word >> 56);
}

void ho_stream_fill(void *buf, size_t len, uint64_t offset)
{
    uint8_t *out = buf;

    for (; len > 0 && offset % 8 != 0; len--) {
        *out++ = stream_byte(offset++);
    }
    for (; len >= 8; len -= 8, out += 8, offset += 8) {
        word_bytes(out, stream_word(offset / 8));
    }
    for (; len > 0; len--) {
        *out++ = stream_byte(offset++);
    }
}

size_t ho_stream_bad(const void *buf, size_t len, uint64_t offset)
{
    const uint8_t *in = buf;
    uint8_t want[8];
    size_t bad = 0;

    for (; len > 0 && (offset % 8 != 0 || len < 8); len--) {
        bad += *in++ != stream_byte(offset++);
    }
    for (; len >= 8; len -= 8, in += 8, offset += 8) {
        word_bytes(want, stream_word(offset / 8));
        if (memcmp(in, want, 8) != 0) {
            for (unsigned i = 0; i < 8; i++) {
                bad += in[i] != want[i];
            }
        }
    }
    for (; len > 0; len--) {
        bad += *in++ != stream_byte(offset++);
    }
    return bad;
}
