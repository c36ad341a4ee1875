/* The checkable stream: payload as a function of its offset.
 *
 * The stream is a sequence of 64-bit words, number w being (w + 1) * 0x9e3779b97f4a7c15 modulo
 * 2^64, each written least significant byte first. A receiver that knows how many bytes came
 * before can check every byte; bytes that are lost, repeated, moved or changed do not fit.
 * Both directions of a connection carry the same stream from offset 0.
 */

#ifndef HO_PROGRAM_STREAM_H
#define HO_PROGRAM_STREAM_H

#include <stddef.h>
#include <stdint.h>

/* Writes the `len` bytes of the stream that start at `offset`. */
void ho_stream_fill(void *buf, size_t len, uint64_t offset);

/* How many of the `len` bytes are not those of the stream at `offset`. */
size_t ho_stream_bad(const void *buf, size_t len, uint64_t offset);

#endif
