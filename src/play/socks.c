/* Sockets and neighbours as records, when they changed.
 *
 * What was written last is kept with the connection's end, and what was found in this round bears
 * its mark.
 */

#include "play/socks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "knobs/errno.h"

struct ho_play_neigh {
    struct ho_addr addr;
    const char *state;
    uint64_t mark;
};

/* ---- sockets --------------------------------------------------------------------------------- */

static const char *err_text(int err)
{
    return err != 0 ? ho_errno_name(err) : "";
}

static void fill(struct ho_rec_sock *r, const char *sock, const struct ho_play_sock *s)
{
    *r = (struct ho_rec_sock){ 0 };
    r->sock = sock;
    r->state = ho_tcp_state_name(s->state);
    r->err = err_text(s->err);
    r->err_soft = err_text(s->err_soft);
    r->timer = s->timer;
    r->retransmits = s->retransmits;
    r->probes = s->probes;
    r->backoff = s->backoff;
    r->rto = ho_us(s->rto_us);
    r->srtt = ho_us(s->srtt_us);
    r->rttvar = ho_us(s->rttvar_us);
    r->cwnd = s->cwnd;
    r->ssthresh = s->ssthresh;
    r->unacked = s->unacked;
    r->lost = s->lost;
    r->rq = s->rq;
    r->wq = s->wq;
}

/* In everything but the timer's remaining time. Texts are the timeline's own or literals. */
static bool same(const struct ho_rec_sock *a, const struct ho_rec_sock *b)
{
    return a->sock == b->sock && a->state == b->state && a->err == b->err &&
           a->err_soft == b->err_soft && a->timer == b->timer && a->retransmits == b->retransmits &&
           a->probes == b->probes && a->backoff == b->backoff && a->rto.ns == b->rto.ns &&
           a->srtt.ns == b->srtt.ns && a->rttvar.ns == b->rttvar.ns && a->cwnd == b->cwnd &&
           a->ssthresh == b->ssthresh && a->unacked == b->unacked && a->lost == b->lost &&
           a->rq == b->rq && a->wq == b->wq;
}

static void put_sock(struct ho_trace *tr, uint16_t node, const struct ho_play_end *e,
                     const char *process, const struct ho_rec_sock *r)
{
    ho_trace_put(tr, &(struct ho_record){
                         .kind = HO_REC_SOCK,
                         .host = tr->node[node].name,
                         .process = process,
                         .conn = e->conn->name,
                         .u.sock = *r,
                     });
}

static const char *process_of(struct ho_trace *tr, const struct ho_play_end *e,
                              const struct ho_play_sock *s)
{
    if (s->process != NULL) {
        return s->process;
    }
    return s->owned ? ho_play_end_process(tr, e) : "";
}

void ho_trace_sock(struct ho_trace *tr, uint16_t node, const struct ho_play_sock *s)
{
    struct ho_play_end *e;
    struct ho_rec_sock r;

    if (tr->tl == NULL || s->state == HO_TCP_LISTEN) {
        return;
    }
    e = ho_play_conn_of_sock(tr, node, s);
    if (e == NULL) {
        return;
    }
    e->mark = tr->mark;
    fill(&r, ho_play_end_sock(tr, e, s->owned), s);
    if (e->seen && same(&r, &e->last)) {
        return;
    }
    e->last = r;
    if (!e->seen) {
        e->seen = true;
        e->gone = false;
        ho_list_push(&tr->node[node].ends, &e->on_host);
    }
    e->state = s->state;
    r.expires = ho_us(s->timer != HO_SOCK_TIMER_OFF && s->expires_us > 0 ? s->expires_us : 0);
    put_sock(tr, node, e, process_of(tr, e, s), &r);
}

void ho_trace_round_end_socks(struct ho_trace *tr, uint16_t node)
{
    struct ho_list *ends = &tr->node[node].ends;

    for (struct ho_list *l = ends->next; l != ends;) {
        struct ho_play_end *e = ho_container(l, struct ho_play_end, on_host);

        l = l->next;
        if (e->mark == tr->mark) {
            continue;
        }
        struct ho_rec_sock r = { .sock = ho_play_end_sock(tr, e, true), .state = "gone" };

        e->seen = false;
        e->gone = true;
        ho_list_remove(&e->on_host);
        put_sock(tr, node, e, "", &r);
    }
}

bool ho_trace_has_socks(const struct ho_trace *tr, uint16_t node)
{
    return !ho_list_empty(&tr->node[node].ends);
}

/* ---- neighbours ------------------------------------------------------------------------------ */

static struct ho_play_neigh *neigh_slot(struct ho_trace *tr, struct ho_trace_node *n,
                                        const struct ho_addr *a)
{
    for (size_t i = 0; i < n->neighs; i++) {
        if (ho_addr_eq(&n->neigh[i].addr, a)) {
            return &n->neigh[i];
        }
    }
    if (n->neighs == n->neigh_room) {
        size_t room = n->neigh_room == 0 ? 4 : n->neigh_room * 2;
        struct ho_play_neigh *more = realloc(n->neigh, room * sizeof(*more));

        if (more == NULL) {
            ho_trace_fail(tr, -ENOMEM, "no memory for a neighbour's record");
            return NULL;
        }
        n->neigh = more;
        n->neigh_room = room;
    }
    n->neigh[n->neighs] = (struct ho_play_neigh){ .addr = *a, .state = "NONE" };
    return &n->neigh[n->neighs++];
}

static void put_neigh(struct ho_trace *tr, const struct ho_trace_node *n, const struct ho_addr *a,
                      const char *state)
{
    ho_trace_put(tr, &(struct ho_record){ .kind = HO_REC_NEIGH,
                                          .host = n->name,
                                          .u.neigh = { .addr = *a, .state = state } });
}

void ho_trace_neigh(struct ho_trace *tr, uint16_t node, const struct ho_addr *a, const char *state)
{
    struct ho_trace_node *n = &tr->node[node];
    struct ho_play_neigh *k = tr->tl != NULL ? neigh_slot(tr, n, a) : NULL;

    if (k == NULL) {
        return;
    }
    k->mark = tr->mark;
    if (k->state != state && strcmp(k->state, state) != 0) {
        k->state = state;
        put_neigh(tr, n, a, state);
    }
}

void ho_trace_round_end_neighs(struct ho_trace *tr, uint16_t node)
{
    struct ho_trace_node *n = &tr->node[node];

    for (size_t i = 0; i < n->neighs; i++) {
        if (n->neigh[i].mark != tr->mark && strcmp(n->neigh[i].state, "NONE") != 0) {
            n->neigh[i].state = "NONE";
            put_neigh(tr, n, &n->neigh[i].addr, "gone");
        }
    }
}

/* ---- rounds ---------------------------------------------------------------------------------- */

void ho_trace_round_begin(struct ho_trace *tr)
{
    tr->mark++;
}

void ho_trace_round_end(struct ho_trace *tr, uint16_t node)
{
    ho_trace_round_end_socks(tr, node);
    ho_trace_round_end_neighs(tr, node);
}
