/* A TCP segment of any bytes: what is read and written again reads the same, and the options that
 * are written fit. Input: the segment.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_same(const struct ho_wire_tcp *a, const struct ho_wire_tcp *b)
{
    assert(a->sport == b->sport && a->dport == b->dport);
    assert(a->seq == b->seq && a->ack == b->ack);
    assert(a->window == b->window && a->flags == b->flags);
    assert(a->has_mss == b->has_mss && a->mss == b->mss);
    assert(a->has_wscale == b->has_wscale && a->wscale == b->wscale);
    assert(a->sack_ok == b->sack_ok);
    assert(a->has_ts == b->has_ts && a->ts_val == b->ts_val && a->ts_ecr == b->ts_ecr);
    assert(a->n_sack == b->n_sack);
    assert(memcmp(a->sack, b->sack, sizeof(a->sack)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ho_wire_tcp s, back;
    size_t header, header_back;
    uint8_t bytes[HO_TCP_HEADER_MAX];

    int err = ho_wire_tcp_read(&s, &header, data, size);
    assert((err == 0) == (ho_wire_tcp_fault(data, size) == HO_WIRE_DROP_NONE));
    if (err != 0) {
        return 0;
    }
    assert(header >= HO_TCP_HEADER && header <= HO_TCP_HEADER_MAX);
    assert(header + s.payload_len == size);
    assert(s.wscale <= 14 && s.n_sack <= HO_TCP_SACK_BLOCKS);

    size_t written = ho_wire_tcp_size(&s);
    assert(written <= HO_TCP_HEADER_MAX);
    ho_wire_tcp_write(&s, bytes);
    err = ho_wire_tcp_read(&back, &header_back, bytes, written);
    assert(err == 0 && header_back == written && back.payload_len == 0);
    assert_same(&s, &back);
    return 0;
}
