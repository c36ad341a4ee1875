/* The part of a connection that comes and goes, and the queue of what is to be sent.
 *
 * The send queue has two halves, as Linux's has: what was sent and is not acknowledged (from
 * `head` to before `send_head`), and what was not sent yet (from `send_head` on). A run of the
 * queue (struct ho_tcp_skb) may hold many segments while it waits; it is split where sending,
 * acknowledging or losing has to treat its parts differently. The bytes stay in one queue of
 * their own, found by sequence number, so splitting and merging move no payload.
 *
 * Transmitting a run only marks it (tcp_emit): ho_tcp_output() cuts it into segments.
 */

#include <assert.h>

#include "tcp/conn.h"

struct ho_tcp_work *tcp_work(struct ho_tcp_env *env, struct ho_tcp *c)
{
    if (c->work == NULL) {
        struct ho_tcp_work *w = ho_pool_get(&env->work);
        if (w == NULL) {
            return NULL;
        }
        w->rexmt_at = HO_DUE_NEVER;
        w->delack_at = HO_DUE_NEVER;
        w->sndq_seq = c->snd_nxt;
        w->write_seq = c->snd_nxt;
        w->pushed_seq = c->snd_nxt;
        w->rtt_seq = c->snd_una;
        w->snd_sml = c->snd_una;
        w->rto_us = tcp_rto_base_us(env, c);
        w->reordering = (uint32_t)tcp_sys(env, HO_SYSCTL_TCP_REORDERING);
        w->rack.reo_steps = 1;
        w->usage_seq = c->snd_una;
        w->cwnd_stamp = c->lsndtime;
        c->work = w;
        tcp_rcvq_start(c, (struct ho_time){ 0 });
    }
    return c->work;
}

void tcp_work_drop(struct ho_tcp_env *env, struct ho_tcp *c)
{
    if (c->work == NULL) {
        return;
    }
    tcp_send_queue_purge(env, c);
    tcp_rcv_purge(env, c);
    tcp_ooo_purge(env, c);
    ho_pool_put(&env->work, c->work);
    c->work = NULL;
}

void tcp_work_rest(struct ho_tcp_env *env, struct ho_tcp *c)
{
    const struct ho_tcp_work *w = c->work;

    if (w == NULL || w->head != NULL || w->emit != NULL || c->want != 0 || w->moved > 0) {
        return;
    }
    if (w->rcvq.count > 0 || w->ooo.count > 0 || w->pending != TCP_PENDING_NONE ||
        !ho_due_is_never(w->delack_at) || w->ca_state != TCP_CA_OPEN || w->has_dsack) {
        return;
    }
    tcp_work_drop(env, c);
}

uint32_t tcp_skb_segs(const struct ho_tcp *c, const struct ho_tcp_skb *s)
{
    return s->len <= c->mss ? 1 : (s->len + c->mss - 1) / c->mss;
}

struct ho_seq tcp_skb_end(const struct ho_tcp_skb *s)
{
    uint32_t extra = (s->flags & HO_TCP_SYN) != 0 ? 1 : 0;

    extra += (s->flags & HO_TCP_FIN) != 0 ? 1 : 0;
    return ho_seq_add(s->seq, s->len + extra);
}

struct ho_tcp_skb *tcp_skb_append(struct ho_tcp_env *env, struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;
    struct ho_tcp_skb *s = ho_pool_get(&env->skbs);

    if (s == NULL) {
        return NULL;
    }
    s->seq = w->write_seq;
    if (w->tail != NULL) {
        w->tail->next = s;
    } else {
        w->head = s;
    }
    w->tail = s;
    if (w->send_head == NULL) {
        w->send_head = s;
    }
    w->n_skbs++;
    return s;
}

/* Cuts `s` after `len` payload bytes. Books of segments are kept in step. */
int tcp_skb_split(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s, uint32_t len)
{
    struct ho_tcp_work *w = c->work;
    assert(len > 0 && len < s->len);

    struct ho_tcp_skb *rest = ho_pool_get(&env->skbs);
    if (rest == NULL) {
        return -1;
    }
    uint32_t before = tcp_skb_segs(c, s);
    *rest = *s;
    rest->emit = false;
    rest->emit_next = NULL;
    rest->emit_off = 0;
    rest->parked = 0;
    rest->seq = ho_seq_add(s->seq, len);
    rest->len = s->len - len;
    s->len = len;
    s->flags &= (uint8_t) ~(HO_TCP_FIN | HO_TCP_PSH);
    s->next = rest;
    if (w->tail == s) {
        w->tail = rest;
    }
    w->n_skbs++;
    if (s->sent.ns == 0 || s == w->send_head) {
        return 0; /* not sent yet: in no count */
    }
    uint32_t more = tcp_skb_segs(c, s) + tcp_skb_segs(c, rest) - before;
    w->packets_out += more;
    w->sacked_out += s->acked ? more : 0;
    w->lost_out += s->lost ? more : 0;
    w->retrans_out += s->rexmit ? more : 0;
    return 0;
}

static void unlink_emit(struct ho_tcp_work *w, struct ho_tcp_skb *s)
{
    struct ho_tcp_skb **at = &w->emit;

    if (!s->emit) {
        return;
    }
    while (*at != s) {
        at = &(*at)->emit_next;
    }
    *at = s->emit_next;
    w->emit_last = NULL;
    for (struct ho_tcp_skb *e = w->emit; e != NULL; e = e->emit_next) {
        w->emit_last = e;
    }
    s->emit = false;
}

/* Moves up to `amount` bytes from the next run, not sent either, to the end of `s`: what was cut
 * small for a window is made whole when the window opens (Linux tcp_grow_skb, since 6.10).
 */
void tcp_skb_grow(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s, uint32_t amount)
{
    struct ho_tcp_work *w = c->work;
    struct ho_tcp_skb *n = s->next;

    if (n == NULL || n->len == 0) {
        return;
    }
    uint32_t len = n->len < amount ? n->len : amount;
    s->len += len;
    n->len -= len;
    n->seq = ho_seq_add(n->seq, len);
    if (n->len > 0) {
        return;
    }
    s->flags |= n->flags;
    s->next = n->next;
    if (w->tail == n) {
        w->tail = s;
    }
    w->n_skbs--;
    ho_pool_put(&env->skbs, n);
}

/* Takes the run that follows `s` into it: both sent, both of at most one segment together. */
void tcp_skb_merge_next(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s)
{
    struct ho_tcp_work *w = c->work;
    struct ho_tcp_skb *n = s->next;

    assert(n != NULL && n != w->send_head);
    s->len += n->len;
    s->flags |= n->flags;
    s->ever_rexmit = s->ever_rexmit || n->ever_rexmit;
    s->next = n->next;
    if (w->tail == n) {
        w->tail = s;
    }
    w->packets_out--;
    if ((c->flags & TCP_F_SACK) == 0 && w->sacked_out > 0) {
        w->sacked_out--; /* duplicate ACKs that stood for segments */
    }
    w->lost_out -= n->lost ? 1 : 0;
    w->retrans_out -= n->rexmit ? 1 : 0;
    unlink_emit(w, n);
    w->n_skbs--;
    ho_pool_put(&env->skbs, n);
}

void tcp_skb_free_head(struct ho_tcp_env *env, struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;
    struct ho_tcp_skb *s = w->head;

    w->head = s->next;
    if (w->head == NULL) {
        w->tail = NULL;
    }
    if (w->send_head == s) {
        w->send_head = s->next;
    }
    unlink_emit(w, s);
    w->n_skbs--;
    ho_pool_put(&env->skbs, s);
}

void tcp_send_queue_purge(struct ho_tcp_env *env, struct ho_tcp *c)
{
    struct ho_tcp_work *w = c->work;

    if (w == NULL) {
        return;
    }
    while (w->head != NULL) {
        tcp_skb_free_head(env, c);
    }
    ho_bytes_free(&w->sndq, env->bufs);
    w->sndq_seq = c->snd_nxt;
    w->packets_out = 0;
    w->sacked_out = 0;
    w->lost_out = 0;
    w->retrans_out = 0;
    w->ca_state = TCP_CA_OPEN;
    tcp_disarm(c);
    c->backoff = 0;
}

void tcp_emit(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s, struct ho_time now)
{
    struct ho_tcp_work *w = c->work;

    w->sent_at = now;
    if (s->len > 0) {
        uint32_t tick = tcp_tick_now(env, now);
        if (tcp_in_flight(w) == 0) {
            tcp_cc_tx_start(env, c, now);
        }
        c->lsndtime = tick;
        tcp_take_turns(env, c, tick);
    }
    tcp_ack_sent(c);                                    /* it carries the ACK */
    s->sent = now.ns > 0 ? now : (struct ho_time){ 1 }; /* 0 means never */
    s->emit_off = 0;
    if (s->emit) {
        return;
    }
    s->emit = true;
    s->emit_next = NULL;
    if (w->emit == NULL) {
        w->emit = s;
    } else {
        w->emit_last->emit_next = s;
    }
    w->emit_last = s;
}

struct ho_tcp_skb *tcp_last_sent(const struct ho_tcp *c)
{
    struct ho_tcp_skb *last = NULL;

    for (struct ho_tcp_skb *s = c->work->head; s != NULL && s != c->work->send_head; s = s->next) {
        last = s;
    }
    return last;
}

uint32_t tcp_wmem(const struct ho_tcp *c)
{
    return c->work == NULL ? 0 : c->work->sndq.len + c->work->n_skbs * TCP_SKB_OVERHEAD;
}

uint32_t tcp_unsent(const struct ho_tcp *c)
{
    return c->work == NULL ? 0 : ho_seq_diff(c->work->write_seq, c->snd_nxt);
}

/* A run may have been split since its copies were parked; the count stayed with its first part. */
static void unpark(struct ho_tcp_work *w, struct ho_tcp_skb *last)
{
    struct ho_tcp_skb *holder = NULL;

    for (struct ho_tcp_skb *s = w->head; s != last->next; s = s->next) {
        holder = s->parked > 0 ? s : holder;
    }
    if (holder != NULL) {
        holder->parked--;
        w->resume = w->resume || w->throttled;
        w->throttled = false;
    }
}

void ho_tcp_park(struct ho_tcp *c, uint32_t seq, bool parked)
{
    if (c->work == NULL) {
        return;
    }
    for (struct ho_tcp_skb *s = c->work->head; s != NULL; s = s->next) {
        /* a run may have been merged or split since: the one that holds the number counts */
        if (ho_seq_between(ho_seq(seq), s->seq, ho_seq_add(tcp_skb_end(s), (uint32_t)-1))) {
            if (parked) {
                s->parked++;
            } else {
                unpark(c->work, s);
            }
            return;
        }
    }
}
