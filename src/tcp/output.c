/* Out of the connection: marked runs and owed ACKs become segments, one a call.
 *
 * What is sent was decided before (send.c, rexmit.c, delack.c); here it is written down, with
 * the acknowledgment, window, timestamp and SACK blocks of this moment.
 */

#include <assert.h>
#include <string.h>

#include "tcp/conn.h"

static struct ho_buf *new_segment(struct ho_tcp_env *env, const struct ho_wire_tcp *seg)
{
    size_t len = ho_wire_tcp_size(seg) + seg->payload_len;
    struct ho_buf *b = ho_buf_get(env->bufs, HO_TCP_HEADROOM, len);

    if (b == NULL) {
        tcp_count(env, HO_TCP_COUNT_DROP_NO_MEMORY);
        return NULL;
    }
    b->len = (uint16_t)len;
    ho_wire_tcp_write(seg, ho_buf_bytes(b));
    return b;
}

static struct ho_buf *finish(struct ho_tcp_env *env, struct ho_buf *b, const struct ho_addr *src,
                             const struct ho_addr *dst)
{
    uint8_t *bytes = ho_buf_bytes(b);
    uint16_t sum = ho_wire_tcp_checksum(src, dst, bytes, b->len);

    bytes[16] = (uint8_t)(sum >> 8);
    bytes[17] = (uint8_t)sum;
    tcp_count(env, HO_TCP_COUNT_OUT_SEGS);
    return b;
}

struct ho_buf *ho_tcp_bare(struct ho_tcp_env *env, const struct ho_addr *src,
                           const struct ho_addr *dst, const struct ho_wire_tcp *seg)
{
    assert(seg->payload_len == 0);
    struct ho_buf *b = new_segment(env, seg);

    if (b == NULL) {
        return NULL;
    }
    if ((seg->flags & HO_TCP_RST) != 0) {
        tcp_count(env, HO_TCP_COUNT_OUT_RSTS);
    }
    return finish(env, b, src, dst);
}

/* SACK blocks, the duplicate that came last first (RFC 2883 4); three beside a timestamp. */
static void put_sacks(struct ho_tcp *c, struct ho_wire_tcp *seg)
{
    struct ho_tcp_work *w = c->work;
    uint8_t most = seg->has_ts ? 3 : 4;

    if (w == NULL || (c->flags & TCP_F_SACK) == 0) {
        return;
    }
    if (w->has_dsack) {
        seg->sack[seg->n_sack++] = w->dsack;
        w->has_dsack = false;
    }
    for (uint8_t i = 0; i < w->n_sacks && seg->n_sack < most; i++) {
        seg->sack[seg->n_sack++] = w->sacks[i];
    }
}

static struct ho_wire_tcp header(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_wire_tcp seg = {
        .sport = c->lport,
        .dport = c->rport,
        .ack = c->rcv_nxt.v,
        .flags = HO_TCP_ACK,
        .window = (uint16_t)tcp_select_window(env, c),
    };

    if ((c->flags & TCP_F_TS) != 0) {
        seg.has_ts = true;
        seg.ts_val = ho_tcp_ts_now(c->path, now);
        seg.ts_ecr = c->ts_recent;
    }
    put_sacks(c, &seg);
    return seg;
}

/* SYN, or SYN-ACK of a simultaneous open: the options are offers. */
static struct ho_wire_tcp syn_header(const struct ho_tcp_env *env, const struct ho_tcp *c,
                                     struct ho_time now)
{
    bool answer = c->state == HO_TCP_SYN_RECV;
    struct ho_wire_tcp seg = {
        .sport = c->lport,
        .dport = c->rport,
        .flags = (uint8_t)(HO_TCP_SYN | (answer ? HO_TCP_ACK : 0)),
        .ack = answer ? c->rcv_nxt.v : 0,
        .window = (uint16_t)(c->rcv_wnd < 65535 ? c->rcv_wnd : 65535),
        .has_mss = true,
        .mss = tcp_path_advmss(c->path, c->opts),
    };

    seg.sack_ok = answer ? (c->flags & TCP_F_SACK) != 0 : tcp_sys(env, HO_SYSCTL_TCP_SACK) != 0;
    seg.has_wscale =
        answer ? (c->flags & TCP_F_WSCALE) != 0 : tcp_sys(env, HO_SYSCTL_TCP_WINDOW_SCALING) != 0;
    seg.wscale = c->rcv_wscale;
    seg.has_ts = answer ? (c->flags & TCP_F_TS) != 0 : tcp_sys(env, HO_SYSCTL_TCP_TIMESTAMPS) != 0;
    seg.ts_val = ho_tcp_ts_now(c->path, now);
    seg.ts_ecr = answer ? c->ts_recent : 0;
    return seg;
}

static void confirm(struct ho_tcp *c, struct ho_buf *b)
{
    if ((c->flags & TCP_F_CONFIRM) != 0) {
        c->flags &= (uint8_t)~TCP_F_CONFIRM;
        b->user |= HO_TCP_OUT_CONFIRM;
    }
}

static void emit_shift(struct ho_tcp_work *w)
{
    struct ho_tcp_skb *s = w->emit;

    w->emit = s->emit_next;
    if (w->emit == NULL) {
        w->emit_last = NULL;
    }
    s->emit = false;
    s->emit_off = 0;
}

/* The next segment of the first marked run. */
static struct ho_buf *emit_next(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    struct ho_tcp_skb *s = w->emit;
    struct ho_wire_tcp seg =
        (s->flags & HO_TCP_SYN) != 0 ? syn_header(env, c, now) : header(env, c, now);
    uint32_t off = s->emit_off, left = s->len - off, mss = tcp_mss_now(c);
    uint32_t len = left < mss ? left : mss;

    seg.seq = s->seq.v + off;
    seg.payload_len = (uint16_t)len;
    if (len == left) {
        seg.flags |= s->flags & (HO_TCP_FIN | HO_TCP_PSH);
        if (tcp_skb_segs(c, s) > 1) {
            seg.flags |= HO_TCP_PSH; /* Linux: on the last of a burst, this time only */
        }
    }
    struct ho_buf *b = new_segment(env, &seg);
    if (b != NULL) {
        if (len > 0) {
            ho_bytes_copy(&w->sndq, seg.seq - w->sndq_seq.v,
                          ho_buf_bytes(b) + ho_wire_tcp_size(&seg), len);
        }
        b->user = HO_TCP_OUT_SEQ;
        b->tag[0] = seg.seq;
        confirm(c, b);
        finish(env, b, &c->path->local, &c->path->remote);
    }
    s->emit_off += len;
    if (len == left) {
        emit_shift(w);
    }
    return b;
}

/* A sequence number that the peer will find in its window (Linux tcp_acceptable_seq). */
static struct ho_seq acceptable_seq(const struct ho_tcp *c)
{
    return ho_seq_before(tcp_wnd_end(c), c->snd_nxt) && c->snd_wnd != 0 ? tcp_wnd_end(c)
                                                                        : c->snd_nxt;
}

static struct ho_buf *bare(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_seq seq,
                           uint8_t more_flags, struct ho_time now)
{
    struct ho_wire_tcp seg = header(env, c, now);

    seg.seq = seq.v;
    seg.flags |= more_flags;
    struct ho_buf *b = ho_tcp_bare(env, &c->path->local, &c->path->remote, &seg);
    if (b != NULL) {
        confirm(c, b);
    }
    if (c->work != NULL) {
        c->work->sent_at = now;
    }
    return b;
}

static struct ho_buf *owed(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    if ((c->want & TCP_WANT_ACK) != 0) {
        c->want &= (uint8_t)~TCP_WANT_ACK;
        return bare(env, c, acceptable_seq(c), 0, now);
    }
    if ((c->want & TCP_WANT_PROBE) != 0) {
        c->want &= (uint8_t)~TCP_WANT_PROBE;
        return bare(env, c, ho_seq_add(c->snd_una, (uint32_t)-1), 0, now);
    }
    c->want &= (uint8_t)~TCP_WANT_RST;
    return bare(env, c, acceptable_seq(c), HO_TCP_RST, now);
}

struct ho_buf *ho_tcp_output(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now)
{
    struct ho_buf *b = NULL;

    if (c->work != NULL && c->work->resume) {
        tcp_resume(env, c, now);
    }
    while (b == NULL && c->work != NULL && c->work->emit != NULL) {
        b = emit_next(env, c, now);
    }
    while (b == NULL && c->want != 0) {
        b = owed(env, c, now);
    }
    if (b == NULL) {
        tcp_work_rest(env, c);
    }
    return b;
}
