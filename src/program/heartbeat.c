/* The heartbeat machine (halfopen/heartbeat.h). */

#include "halfopen/heartbeat.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define MAX_MESSAGE_DEFAULT 65536u

int ho_heartbeat_init(struct ho_heartbeat *hb, const struct ho_heartbeat_conf *conf, int64_t now_ns)
{
    if (conf->interval_ns < 0 || conf->dead_after_ns < 0 ||
        (conf->dead_after_ns > 0 && conf->dead_after_ns <= conf->interval_ns)) {
        return -EINVAL;
    }
    *hb = (struct ho_heartbeat){ .conf = *conf, .last_rx_ns = now_ns };
    if (hb->conf.max_message == 0) {
        hb->conf.max_message = MAX_MESSAGE_DEFAULT;
    }
    hb->next_ping_ns = conf->interval_ns > 0 ? now_ns + conf->interval_ns : HO_HEARTBEAT_NEVER;
    return 0;
}

/* ---- numbers on the wire --------------------------------------------------------------------- */

static void put_number(uint8_t *to, uint64_t n, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(n >> (8 * (bytes - 1 - i)));
    }
}

static uint64_t get_number(const uint8_t *from, unsigned bytes)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < bytes; i++) {
        n = n << 8 | from[i];
    }
    return n;
}

void ho_heartbeat_frame(uint8_t ret_header[HO_HEARTBEAT_HEADER], uint32_t len)
{
    assert(len < UINT32_MAX);
    put_number(ret_header, (uint64_t)len + 1, 4);
    ret_header[4] = HO_HEARTBEAT_TYPE_DATA;
}

/* ---- input ----------------------------------------------------------------------------------- */

/* Fills the header up to `want` bytes. Returns how many bytes it took. */
static size_t gather(struct ho_heartbeat *hb, const uint8_t *bytes, size_t len, size_t want)
{
    size_t n = want - hb->head_len;

    n = n < len ? n : len;
    memcpy(hb->head + hb->head_len, bytes, n);
    hb->head_len = (uint8_t)(hb->head_len + n);
    return n;
}

static int broken(struct ho_heartbeat *hb, size_t *ret_used)
{
    hb->broken = true;
    *ret_used = 0;
    return -EPROTO;
}

/* The header is complete: is it one? */
static bool header_is_valid(const struct ho_heartbeat *hb)
{
    uint64_t length = get_number(hb->head, 4);

    switch (hb->head[4]) {
    case HO_HEARTBEAT_TYPE_PING:
    case HO_HEARTBEAT_TYPE_PONG:
        return length == HO_HEARTBEAT_PING - 4;
    case HO_HEARTBEAT_TYPE_DATA:
        return length >= 1 && length - 1 <= hb->conf.max_message;
    default:
        return false;
    }
}

static void got_ping_or_pong(struct ho_heartbeat *hb, int64_t now_ns, struct ho_heartbeat_msg *ret)
{
    *ret = (struct ho_heartbeat_msg){ .type = (enum ho_heartbeat_type)hb->head[4],
                                      .number = get_number(hb->head + HO_HEARTBEAT_HEADER, 8),
                                      .rtt_ns = -1 };
    hb->head_len = 0;
    if (ret->type == HO_HEARTBEAT_TYPE_PING) {
        hb->count.pings_received++;
        hb->want_pong = true;
        hb->pong = ret->number;
        return;
    }
    hb->count.pongs_received++;
    if (ret->number == hb->ping && hb->ping > 0) {
        ret->rtt_ns = now_ns - hb->pinged_ns;
    }
}

/* A piece of data's body; may be empty, for a message of no bytes. */
static void got_data(struct ho_heartbeat *hb, const uint8_t *bytes, size_t len, size_t *used,
                     struct ho_heartbeat_msg *ret)
{
    size_t n = hb->body_left < len ? hb->body_left : len;

    hb->body_left -= (uint32_t)n;
    *ret = (struct ho_heartbeat_msg){ .type = HO_HEARTBEAT_TYPE_DATA,
                                      .rtt_ns = -1,
                                      .bytes = bytes,
                                      .len = n,
                                      .total = hb->body_total,
                                      .last = hb->body_left == 0 };
    *used += n;
    if (ret->last) {
        hb->head_len = 0;
        hb->count.data_received++;
    }
}

int ho_heartbeat_input(struct ho_heartbeat *hb, const void *bytes, size_t len, int64_t now_ns,
                       size_t *ret_used, struct ho_heartbeat_msg *ret)
{
    const uint8_t *in = bytes;
    size_t used = 0;
    bool fresh = false;

    if (hb->lost || hb->broken) {
        *ret_used = 0;
        return hb->broken ? -EPROTO : -ETIMEDOUT;
    }
    if (len > 0) {
        hb->last_rx_ns = now_ns;
    }
    if (hb->head_len < HO_HEARTBEAT_HEADER) {
        used = gather(hb, in, len, HO_HEARTBEAT_HEADER);
        *ret_used = used;
        if (hb->head_len < HO_HEARTBEAT_HEADER) {
            return 0;
        }
        if (!header_is_valid(hb)) {
            return broken(hb, ret_used);
        }
        hb->body_total = (uint32_t)get_number(hb->head, 4) - 1;
        hb->body_left = hb->body_total;
        fresh = true;
    }
    if (hb->head[4] == HO_HEARTBEAT_TYPE_DATA) {
        if (used == len && !(fresh && hb->body_total == 0)) {
            *ret_used = used;
            return 0;
        }
        got_data(hb, in + used, len - used, &used, ret);
        *ret_used = used;
        return 1;
    }
    used += gather(hb, in + used, len - used, HO_HEARTBEAT_PING);
    *ret_used = used;
    if (hb->head_len < HO_HEARTBEAT_PING) {
        return 0;
    }
    got_ping_or_pong(hb, now_ns, ret);
    return 1;
}

/* ---- output ---------------------------------------------------------------------------------- */

static void append(struct ho_heartbeat *hb, enum ho_heartbeat_type type, uint64_t number)
{
    uint8_t *to = hb->out + hb->out_len;

    put_number(to, HO_HEARTBEAT_PING - 4, 4);
    to[4] = (uint8_t)type;
    put_number(to + HO_HEARTBEAT_HEADER, number, 8);
    hb->out_len = (uint8_t)(hb->out_len + HO_HEARTBEAT_PING);
}

size_t ho_heartbeat_output(struct ho_heartbeat *hb, const uint8_t **ret_bytes)
{
    *ret_bytes = hb->out;
    if (hb->lost || hb->broken) {
        return 0;
    }
    if (hb->out_at == hb->out_len) {
        hb->out_at = 0;
        hb->out_len = 0;
        if (hb->want_pong) {
            append(hb, HO_HEARTBEAT_TYPE_PONG, hb->pong);
            hb->count.pongs_sent++;
        }
        if (hb->want_ping) {
            append(hb, HO_HEARTBEAT_TYPE_PING, hb->ping);
            hb->count.pings_sent++;
        }
        hb->want_pong = false;
        hb->want_ping = false;
    }
    *ret_bytes = hb->out + hb->out_at;
    return (size_t)(hb->out_len - hb->out_at);
}

void ho_heartbeat_sent(struct ho_heartbeat *hb, size_t len)
{
    assert(len <= (size_t)(hb->out_len - hb->out_at));
    hb->out_at = (uint8_t)(hb->out_at + len);
}

bool ho_heartbeat_is_midway(const struct ho_heartbeat *hb)
{
    return hb->out_at < hb->out_len && hb->out_at % HO_HEARTBEAT_PING != 0;
}

/* ---- time ------------------------------------------------------------------------------------ */

static int64_t death_ns(const struct ho_heartbeat *hb)
{
    if (hb->conf.dead_after_ns == 0 || hb->last_rx_ns > INT64_MAX - hb->conf.dead_after_ns) {
        return HO_HEARTBEAT_NEVER;
    }
    return hb->last_rx_ns + hb->conf.dead_after_ns;
}

int64_t ho_heartbeat_deadline(const struct ho_heartbeat *hb)
{
    int64_t death = death_ns(hb);

    if (hb->lost || hb->broken) {
        return HO_HEARTBEAT_NEVER;
    }
    return death < hb->next_ping_ns ? death : hb->next_ping_ns;
}

int ho_heartbeat_tick(struct ho_heartbeat *hb, int64_t now_ns)
{
    if (hb->lost || hb->broken) {
        return 0;
    }
    if (death_ns(hb) != HO_HEARTBEAT_NEVER && now_ns >= death_ns(hb)) {
        hb->lost = true;
        return -ETIMEDOUT;
    }
    if (hb->next_ping_ns == HO_HEARTBEAT_NEVER || now_ns < hb->next_ping_ns) {
        return 0;
    }
    /* Pings keep their grid; intervals that were slept through are not made up for. */
    hb->next_ping_ns += hb->conf.interval_ns;
    if (hb->next_ping_ns <= now_ns) {
        hb->next_ping_ns = now_ns + hb->conf.interval_ns;
    }
    if (hb->want_ping) {
        hb->count.pings_skipped++;
        return 0;
    }
    hb->want_ping = true;
    hb->ping++;
    hb->pinged_ns = now_ns;
    return 0;
}

int64_t ho_heartbeat_last_received(const struct ho_heartbeat *hb)
{
    return hb->last_rx_ns;
}

const struct ho_heartbeat_count *ho_heartbeat_count(const struct ho_heartbeat *hb)
{
    return &hb->count;
}
