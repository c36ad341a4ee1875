/* Bytes from a peer into the heartbeat machine (include/halfopen/heartbeat.h), cut in several ways:
 * the same messages come out, and what comes out stays within its bounds.
 *
 * Input: the bytes as they are.
 */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "halfopen/heartbeat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define S INT64_C(1000000000)

/* Feeds all of it; returns how many bytes of data and how many messages came, as one number. */
static uint64_t feed(const uint8_t *data, size_t size, size_t piece)
{
    const struct ho_heartbeat_conf conf = { .interval_ns = S,
                                            .dead_after_ns = 3 * S,
                                            .max_message = 300 };
    struct ho_heartbeat_msg msg;
    struct ho_heartbeat hb;
    const uint8_t *out;
    uint64_t bytes = 0, messages = 0;
    int ret = ho_heartbeat_init(&hb, &conf, 0);

    assert(ret == 0);
    for (size_t at = 0; at < size && ret >= 0;) {
        size_t len = size - at < piece ? size - at : piece, used;

        do {
            ret = ho_heartbeat_input(&hb, data + at, len, S / 2, &used, &msg);
            assert(used <= len);
            at += used;
            len -= used;
            if (ret > 0 && msg.type == HO_HEARTBEAT_TYPE_DATA) {
                assert(msg.total <= 300 && msg.len <= msg.total);
                bytes += msg.len;
                messages += msg.last;
            } else {
                messages += ret > 0;
            }
            assert(ho_heartbeat_output(&hb, &out) <= sizeof(hb.out));
        } while (ret > 0);
    }
    assert(ret == 0 || ret == -EPROTO);
    if (ret == 0) {
        int64_t death = (size > 0 ? S / 2 : 0) + 3 * S;

        assert(ho_heartbeat_tick(&hb, death - 1) == 0);
        assert(ho_heartbeat_tick(&hb, death) == -ETIMEDOUT);
    }
    return messages << 32 | bytes << 1 | (ret < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t whole = feed(data, size, SIZE_MAX);

    assert(feed(data, size, 1) == whole);
    assert(feed(data, size, 7) == whole);
    return 0;
}
