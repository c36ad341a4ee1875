/* What the receive queues hold: how much buffer it takes, and giving it to the application.
 *
 * A buffer is one segment. Linux joins a segment with the one before it where it can
 * (tcp_try_coalesce, skb_try_coalesce): up to 17 in one sk_buff, which saves its bookkeeping; a
 * small one that fits into what is left behind the first takes nothing at all. What is joined is
 * charged until all of it was read. It shows in the window (vk_zerowin_alive at 4000 s).
 *
 * In both queues tag[0] is the first sequence number, tag[1] what it is charged; `user`:
 *     bit 0: a FIN follows   bit 1: joined with the one before   bits 2-6: how many have been
 *     joined up to here   bits 8-13: bytes that are left behind the first, while it is alone
 */

#include <assert.h>
#include <string.h>

#include "tcp/conn.h"

#define USER_FIN 1u
#define USER_JOINED 2u
#define FRAGS_SHIFT 2
#define FRAGS_MASK 31u
#define ROOM_SHIFT 8

#define ETH_HEADER 14u
#define PAD_BYTES 66u   /* in front of a frame (NET_SKB_PAD, NET_IP_ALIGN) */
#define SKB_BYTES 256u  /* struct sk_buff */
#define INFO_BYTES 320u /* struct skb_shared_info, at the end of the bytes */
#define FRAGS_MAX 17u   /* MAX_SKB_FRAGS */

/* Bytes of the frame that brought `seg`, and what lies before it. */
static uint32_t frame_bytes(const struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    uint32_t ip = ho_addr_is_v4(&c->path->remote) ? 20 : 40;

    return PAD_BYTES + ETH_HEADER + ip + (uint32_t)ho_wire_tcp_size(seg) + seg->payload_len;
}

uint32_t tcp_truesize(const struct ho_tcp *c, const struct ho_wire_tcp *seg)
{
    return ((frame_bytes(c, seg) + 63) & ~63u) + INFO_BYTES + SKB_BYTES;
}

uint32_t tcp_buf_fin(const struct ho_buf *b)
{
    return b->user & USER_FIN;
}

bool tcp_buf_is_joined(const struct ho_buf *b)
{
    return (b->user & USER_JOINED) != 0;
}

uint32_t tcp_buf_frags(const struct ho_buf *b)
{
    return (uint32_t)b->user >> FRAGS_SHIFT & FRAGS_MASK;
}

static void set_joins(struct ho_buf *b, uint32_t frags, uint32_t room, bool joined)
{
    b->user = (uint16_t)((b->user & USER_FIN) | (joined ? USER_JOINED : 0) | frags << FRAGS_SHIFT |
                         room << ROOM_SHIFT);
}

void tcp_buf_unjoin(struct ho_buf *b)
{
    set_joins(b, 0, 0, false);
}

void tcp_buf_charge(const struct ho_tcp *c, struct ho_buf *b, const struct ho_wire_tcp *seg)
{
    uint32_t frame = frame_bytes(c, seg);

    b->tag[1] = tcp_truesize(c, seg);
    set_joins(b, 0, (0u - frame) & 63u, false);
}

uint32_t tcp_buf_follow(struct ho_buf *b, const struct ho_buf *prev, uint32_t more_frags,
                        bool touches)
{
    uint32_t all = b->tag[1];

    if (tcp_buf_is_joined(b)) { /* its first one was taken just before: they stay together */
        uint32_t frags = prev != NULL ? tcp_buf_frags(prev) + 1 : 0;
        set_joins(b, frags, 0, prev != NULL);
        return 0;
    }
    if (prev == NULL || !touches || b->len == 0) {
        return 0;
    }
    uint32_t frags = tcp_buf_frags(prev), room = (uint32_t)prev->user >> ROOM_SHIFT;
    if (more_frags == 0 && frags == 0 && b->len <= room) {
        set_joins(b, 0, room - b->len, true);
        b->tag[1] = 0;
        return all;
    }
    if (frags + more_frags >= FRAGS_MAX) {
        return 0;
    }
    set_joins(b, frags + 1, 0, true);
    b->tag[1] -= SKB_BYTES;
    return SKB_BYTES;
}

void tcp_rcv_purge(struct ho_tcp_env *env, struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;
    struct ho_buf *b;

    if (w == NULL) {
        return;
    }
    while ((b = ho_bufq_shift(&w->rcvq)) != NULL) {
        w->rmem -= b->tag[1];
        ho_buf_put(env->bufs, b);
    }
    w->rmem -= w->held;
    w->held = 0;
    w->rcv_bytes = 0;
}

/* The first buffer was read to its end. Returns true if with it all that is joined with it. */
static bool take_first(struct ho_tcp_env *env, struct ho_tcp_work *w)
{
    struct ho_buf *b = ho_bufq_shift(&w->rcvq);
    bool last = w->rcvq.first == NULL || !tcp_buf_is_joined(w->rcvq.first);

    w->held += b->tag[1];
    ho_buf_put(env->bufs, b);
    if (last) {
        w->rmem -= w->held;
        w->held = 0;
    }
    return last;
}

uint32_t tcp_copy_out(struct ho_tcp_env *env, struct ho_tcp *c, uint8_t *bytes, size_t len,
                      bool peek, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    struct ho_buf *b = w->rcvq.first;
    uint32_t done = 0, told = 0;

    while (b != NULL && done < len) {
        struct ho_buf *next = b->next;
        uint32_t n = len - done < b->len ? (uint32_t)(len - done) : b->len;
        memcpy(bytes + done, ho_buf_bytes(b), n);
        done += n;
        if (!peek) {
            b->tag[0] += n;
            b->head = (uint16_t)(b->head + n);
            b->len = (uint16_t)(b->len - n);
            w->rcv_bytes -= n;
            bool whole = b->len == 0 && take_first(env, w);
            if (whole || done == len) { /* once for each sk_buff, as Linux */
                tcp_space_adjust(env, c, done - told, now);
                told = done;
            }
        }
        b = next;
    }
    return done;
}
