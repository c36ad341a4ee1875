/* In from the wire: putting bytes in order, remembering what came early, and giving them away.
 *
 * Buffers are not copied: the frame that carried the bytes stays in the receive queue until they
 * were read. What comes out of order is kept sorted and reported by SACK (RFC 2018), what comes
 * twice by D-SACK (RFC 2883).
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tcp/conn.h"

static struct ho_seq buf_seq(const struct ho_buf *b)
{
    return ho_seq(b->tag[0]);
}

static struct ho_seq buf_end(const struct ho_buf *b)
{
    return ho_seq_add(buf_seq(b), (uint32_t)b->len + tcp_buf_fin(b));
}

static void trim_front(struct ho_buf *b, uint32_t n)
{
    b->tag[0] += n;
    b->head = (uint16_t)(b->head + n);
    b->len = (uint16_t)(b->len - n);
}

void tcp_ooo_purge(struct ho_tcp_env *env, struct ho_tcp *c)
{
    struct ho_buf *b;

    if (c->work == NULL) {
        return;
    }
    while ((b = ho_bufq_shift(&c->work->ooo)) != NULL) {
        c->work->rmem -= b->tag[1];
        ho_buf_put(env->bufs, b);
    }
    c->work->n_sacks = 0;
    c->work->has_dsack = false;
}

void tcp_dsack_set(const struct ho_tcp_env *env, struct ho_tcp *c, struct ho_seq from,
                   struct ho_seq to)
{
    struct ho_tcp_work *w = c->work;

    if ((c->flags & TCP_F_SACK) == 0 || tcp_sys(env, HO_SYSCTL_TCP_DSACK) == 0 || w == NULL) {
        return;
    }
    if (!w->has_dsack) {
        w->dsack = (struct ho_tcp_sack){ from.v, to.v };
        w->has_dsack = true;
    } else if (ho_seq_eq(ho_seq(w->dsack.to), from)) {
        w->dsack.to = to.v;
    }
}

/* ---- SACK blocks: the one that changed last comes first (RFC 2018 4) --------------------------
 */

static bool blocks_touch(const struct ho_tcp_sack *a, const struct ho_tcp_sack *b)
{
    return !ho_seq_after(ho_seq(a->from), ho_seq(b->to)) &&
           !ho_seq_after(ho_seq(b->from), ho_seq(a->to));
}

static void sack_add(struct ho_tcp_work *w, struct ho_seq from, struct ho_seq to)
{
    struct ho_tcp_sack block = { from.v, to.v };
    uint8_t kept = 0;

    for (uint8_t i = 0; i < w->n_sacks; i++) {
        struct ho_tcp_sack *old = &w->sacks[i];
        if (blocks_touch(old, &block)) {
            block.from =
                ho_seq_before(ho_seq(old->from), ho_seq(block.from)) ? old->from : block.from;
            block.to = ho_seq_after(ho_seq(old->to), ho_seq(block.to)) ? old->to : block.to;
        } else {
            w->sacks[kept++] = *old;
        }
    }
    kept = kept < HO_TCP_SACK_BLOCKS ? kept : HO_TCP_SACK_BLOCKS - 1;
    memmove(&w->sacks[1], &w->sacks[0], kept * sizeof(w->sacks[0]));
    w->sacks[0] = block;
    w->n_sacks = (uint8_t)(kept + 1);
}

static void sack_remove(struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;
    uint8_t kept = 0;

    if (w->ooo.count == 0) {
        w->n_sacks = 0;
        return;
    }
    for (uint8_t i = 0; i < w->n_sacks; i++) {
        if (ho_seq_after(ho_seq(w->sacks[i].to), c->rcv_nxt)) {
            w->sacks[kept++] = w->sacks[i];
        }
    }
    w->n_sacks = kept;
}

/* ---- FIN (RFC 9293 3.10.7.4, eighth)
 * -------------------------------------------------------------- */

static void fin_received(struct ho_tcp_env *env, struct ho_tcp *c)
{
    tcp_schedule_ack(c);
    c->shut |= TCP_SHUT_RCV;
    c->flags |= TCP_F_DONE;
    switch (c->state) {
    case HO_TCP_SYN_RECV:
    case HO_TCP_ESTABLISHED:
        tcp_enter(c, HO_TCP_CLOSE_WAIT);
        c->pingpong = 1; /* our own FIN may carry the ACK */
        break;
    case HO_TCP_FIN_WAIT1:
        tcp_send_ack(c);
        tcp_enter(c, HO_TCP_CLOSING);
        break;
    case HO_TCP_FIN_WAIT2:
        tcp_send_ack(c);
        tcp_enter(c, HO_TCP_TIME_WAIT);
        c->why = HO_TCP_WHY_CLOSED;
        break;
    default:
        break; /* a FIN again */
    }
    tcp_ooo_purge(env, c);
    c->wake |= HO_WAKE_STATE;
}

/* ---- queues
 * -------------------------------------------------------------------------------------------- */

/* Takes `b`, which starts at rcv_nxt, into the queue in order. Returns true if it ends in FIN. */
static bool append(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_buf *b)
{
    struct ho_tcp_work *w = c->work;
    bool fin = tcp_buf_fin(b) != 0;

    c->rcv_nxt = buf_end(b);
    if (b->len == 0) {
        w->rmem -= b->tag[1];
        ho_buf_put(env->bufs, b);
        return fin;
    }
    w->rcv_bytes += b->len;
    ho_bufq_push(&w->rcvq, b);
    return fin;
}

/* The segments of `b` and what was joined with it follow what is in the queue in order. */
static uint32_t frags_of(const struct ho_buf *b)
{
    while (b->next != NULL && tcp_buf_is_joined(b->next)) {
        b = b->next;
    }
    return tcp_buf_frags(b);
}

static void ooo_drain(struct ho_tcp_env *env, struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;

    while (w->ooo.first != NULL && !ho_seq_after(buf_seq(w->ooo.first), c->rcv_nxt)) {
        uint32_t frags = frags_of(w->ooo.first);
        struct ho_buf *b = ho_bufq_shift(&w->ooo);
        uint32_t old = ho_seq_diff(c->rcv_nxt, buf_seq(b));
        if (!ho_seq_after(buf_end(b), c->rcv_nxt)) {
            tcp_dsack_set(env, c, buf_seq(b), buf_end(b));
            w->rmem -= b->tag[1];
            if (w->ooo.first != NULL && tcp_buf_is_joined(w->ooo.first)) {
                tcp_buf_unjoin(w->ooo.first);
            }
            ho_buf_put(env->bufs, b);
            continue;
        }
        trim_front(b, old < b->len ? old : b->len);
        if (old > 0) {
            tcp_buf_unjoin(b);
        }
        w->rmem -= tcp_buf_follow(b, w->rcvq.last, frags, old == 0);
        if (append(env, c, b)) {
            fin_received(env, c);
        }
    }
}

/* The buffer is full: what came out of order after `seq` goes, the latest first, so that a hole
 * can always be filled (Linux tcp_prune_ofo_queue). Returns true if there is room then. What was
 * reported by SACK may be gone: the reports start anew (RFC 2018 8).
 */
static bool prune(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_seq seq)
{
    struct ho_tcp_work *w = c->work;

    while (w->rmem > c->rcvbuf && w->ooo.count > 0 && ho_seq_after(buf_seq(w->ooo.last), seq)) {
        struct ho_buf *last = w->ooo.last, *prev = NULL;
        for (struct ho_buf *b = w->ooo.first; b != last; b = b->next) {
            prev = b;
        }
        w->ooo.last = prev;
        if (prev != NULL) {
            prev->next = NULL;
        } else {
            w->ooo.first = NULL;
        }
        w->ooo.count--;
        w->n_sacks = 0;
        w->rmem -= last->tag[1];
        tcp_count(env, HO_TCP_COUNT_OFO_PRUNED);
        ho_buf_put(env->bufs, last);
    }
    return w->rmem <= c->rcvbuf;
}

static void in_order(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                     struct ho_buf *b, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;
    uint32_t len = b->len;

    if (!tcp_rcv_room(env, c) && !prune(env, c, c->rcv_nxt)) {
        c->ack_pending |= TCP_ACK_NOMEM | TCP_ACK_NOW;
        tcp_schedule_ack(c);
        c->wake |= HO_WAKE_READ;
        if (w->rcvq.count > 0 && len > 0) {
            tcp_count(env, HO_TCP_COUNT_RCV_Q_DROP);
            ho_buf_put(env->bufs, b);
            return;
        }
    }
    tcp_buf_charge(c, b, seg);
    w->rmem += b->tag[1];
    w->rmem -= tcp_buf_follow(b, w->rcvq.last, 0, true);
    bool fin = append(env, c, b);
    if (len > 0) {
        tcp_data_event(env, c, seg, now);
        if (len >= 128) { /* Linux: a smaller one says nothing */
            tcp_grow_window(env, c, len, tcp_truesize(c, seg));
        }
    }
    if (fin) {
        fin_received(env, c);
    }
    if (w->ooo.count > 0) {
        ooo_drain(env, c);
        if (w->ooo.count == 0) {
            c->ack_pending |= TCP_ACK_NOW; /* RFC 5681 4.2: the hole is filled */
        }
    }
    sack_remove(c);
    if ((c->flags & TCP_F_DEAD) == 0) {
        c->wake |= HO_WAKE_READ;
    }
}

/* Puts `b` where it belongs among what came early. What another segment has already is dropped
 * and reported; what it has in part stays and is trimmed when its turn comes.
 */
static void out_of_order(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                         struct ho_buf *b)
{
    struct ho_tcp_work *w = c->work;
    struct ho_buf *prev = NULL, *at;

    if (w->ooo.count >= TCP_OOO_MAX || (!tcp_rcv_room(env, c) && !prune(env, c, buf_seq(b)))) {
        tcp_count(env, HO_TCP_COUNT_RCV_Q_DROP);
        ho_buf_put(env->bufs, b);
        return;
    }
    tcp_measure_rcv_mss(env, c, seg);
    tcp_schedule_ack(c);
    at = w->ooo.first;
    if (at != NULL && ho_seq_after(buf_seq(b), buf_seq(w->ooo.last))) {
        prev = w->ooo.last; /* most come behind all that wait */
        at = NULL;
    }
    for (; at != NULL && ho_seq_before(buf_seq(at), buf_seq(b)); at = at->next) {
        prev = at;
    }
    if ((prev != NULL && !ho_seq_after(buf_end(b), buf_end(prev))) ||
        (at != NULL && ho_seq_eq(buf_seq(at), buf_seq(b)) &&
         !ho_seq_after(buf_end(b), buf_end(at)))) {
        tcp_dsack_set(env, c, buf_seq(b), buf_end(b));
        ho_buf_put(env->bufs, b);
        return;
    }
    tcp_count(env, HO_TCP_COUNT_OFO_QUEUE);
    tcp_buf_charge(c, b, seg);
    w->rmem += b->tag[1];
    w->rmem -= tcp_buf_follow(b, prev, 0, prev != NULL && ho_seq_eq(buf_end(prev), buf_seq(b)));
    b->next = at;
    if (prev != NULL) {
        prev->next = b;
    } else {
        w->ooo.first = b;
    }
    if (at == NULL) {
        w->ooo.last = b;
    }
    w->ooo.count++;
    sack_add(w, buf_seq(b), buf_end(b));
    if ((c->flags & TCP_F_SACK) != 0) {
        /* without SACK a window that grows would hide that an ACK is a duplicate */
        tcp_grow_window(env, c, b->len, tcp_truesize(c, seg));
    }
}

static void out_of_window(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_buf *b)
{
    tcp_enter_quickack(c, TCP_MAX_QUICKACKS);
    tcp_schedule_ack(c);
    tcp_count(env, HO_TCP_COUNT_DROP_OUT_OF_WINDOW);
    ho_buf_put(env->bufs, b);
}

/* A buffer of the segment's own: a bare FIN has none yet. */
static struct ho_buf *dressed(struct ho_tcp_env *env, const struct ho_wire_tcp *seg,
                              struct ho_buf *b)
{
    if (b == NULL) {
        b = ho_buf_get(env->bufs, 0, 0);
    }
    if (b != NULL) {
        b->next = NULL;
        b->tag[0] = seg->seq;
        b->tag[1] = 0;
        b->user = (seg->flags & HO_TCP_FIN) != 0 ? 1 : 0;
    }
    return b;
}

void tcp_data_queue(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                    struct ho_buf *payload, struct ho_time now)
{
    if (seg->payload_len == 0 && (seg->flags & HO_TCP_FIN) == 0) {
        ho_buf_put(env->bufs, payload);
        return;
    }
    struct ho_buf *b = tcp_work(env, c) != NULL ? dressed(env, seg, payload) : NULL;
    if (b == NULL) {
        ho_buf_put(env->bufs, payload);
        tcp_count(env, HO_TCP_COUNT_DROP_NO_MEMORY);
        return;
    }
    uint32_t window = tcp_receive_window(c);
    struct ho_seq seq = buf_seq(b), end = buf_end(b);

    if (ho_seq_eq(seq, c->rcv_nxt)) {
        if (window == 0 && b->len > 0) {
            tcp_count(env, HO_TCP_COUNT_DROP_ZERO_WINDOW);
            out_of_window(env, c, b);
            return;
        }
        in_order(env, c, seg, b, now);
    } else if (!ho_seq_after(end, c->rcv_nxt)) {
        tcp_count(env, HO_TCP_COUNT_DSACK_OLD_SENT);
        tcp_dsack_set(env, c, seq, end);
        out_of_window(env, c, b);
    } else if (!ho_seq_before(seq, ho_seq_add(c->rcv_nxt, window))) {
        out_of_window(env, c, b);
    } else if (ho_seq_before(seq, c->rcv_nxt)) {
        tcp_dsack_set(env, c, seq, c->rcv_nxt);
        if (window == 0) {
            out_of_window(env, c, b);
            return;
        }
        uint32_t old = ho_seq_diff(c->rcv_nxt, seq);
        trim_front(b, old < b->len ? old : b->len);
        in_order(env, c, seg, b, now);
    } else {
        out_of_order(env, c, seg, b);
    }
}

/* ---- to the application
 * ------------------------------------------------------------------------------------ */

/* After a read: is an ACK due, for what was read or for the window that opened? (Linux
 * tcp_cleanup_rbuf)
 */
static void after_read(struct ho_tcp *c, uint32_t copied)
{
    const struct ho_tcp_work *w = c->work;
    bool ack = false;

    if ((c->ack_pending & TCP_ACK_SCHED) != 0) {
        bool small = (c->ack_pending & TCP_ACK_PUSHED2) != 0 ||
                     ((c->ack_pending & TCP_ACK_PUSHED) != 0 && !tcp_in_pingpong(c));
        ack = ho_seq_diff(c->rcv_nxt, c->rcv_wup) > c->rcv_mss ||
              (copied > 0 && small && w->rmem == 0);
    }
    if (!ack && copied > 0 && (c->shut & TCP_SHUT_RCV) == 0) {
        uint32_t now = tcp_receive_window(c);
        if (2 * now <= tcp_window_clamp(c)) {
            uint32_t window = tcp_window_wanted(c);
            ack = window != 0 && window >= 2 * now;
        }
    }
    if (ack) {
        tcp_send_ack(c);
    }
}

int64_t ho_tcp_recv(struct ho_tcp_env *env, struct ho_tcp *c, void *bytes, size_t len, bool peek,
                    struct ho_time now)
{
    if (c->work != NULL && c->work->rcv_bytes > 0 && len > 0) {
        uint32_t n = tcp_copy_out(env, c, bytes, len, peek, now);
        if (!peek) {
            after_read(c, n);
        }
        return n;
    }
    if ((c->flags & TCP_F_DONE) != 0) {
        return 0;
    }
    int err = ho_tcp_take_error(c);
    if (err != 0) {
        return -err;
    }
    if ((c->shut & TCP_SHUT_RCV) != 0) {
        return 0;
    }
    return c->state == HO_TCP_CLOSE ? -ENOTCONN : -EAGAIN;
}

int ho_tcp_take_error(struct ho_tcp *c)
{
    int err = c->err;

    c->err = 0;
    return err;
}
