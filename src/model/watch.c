/* Sockets and neighbours as records, when they changed.
 *
 * A host is looked at whenever something was done to it and its generation moved: after every
 * frame, timer, call and fault. What sock_diag would say of a socket is written down when
 * anything in it but the timer's remaining time differs from what was written last
 * (docs/timeline.md, sock); a socket that was there and is not found any more is "gone".
 * Listeners are not connections and are left out.
 */

#include "model/world.h"

#include <errno.h>
#include <stdlib.h>

#include "knobs/errno.h"

static const char *err_text(int err)
{
    return err != 0 ? ho_errno_name(err) : "";
}

static void fill(struct ho_rec_sock *r, const struct ho_model_end *e,
                 const struct ho_sock_info *info)
{
    const struct ho_tcp_info *i = &info->tcp;

    *r = (struct ho_rec_sock){ 0 };
    r->sock = e->sock;
    r->state = ho_tcp_state_name(i->state);
    r->err = err_text(i->err);
    r->err_soft = err_text(i->err_soft);
    r->timer = i->timer;
    r->retransmits = i->retransmits;
    r->probes = i->probes;
    r->backoff = i->backoff;
    r->rto = ho_us(i->rto_us);
    r->srtt = ho_us(i->rtt_us);
    r->rttvar = ho_us(i->rttvar_us);
    r->cwnd = i->cwnd;
    r->ssthresh = i->ssthresh;
    r->unacked = i->unacked;
    r->lost = i->lost;
    r->rq = i->rq;
    r->wq = i->wq;
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

static void put_sock(struct ho_model *m, const struct ho_model_node *n,
                     const struct ho_model_end *e, const char *process, const struct ho_rec_sock *r)
{
    ho_model_put(m, &(struct ho_record){
                        .kind = HO_REC_SOCK,
                        .host = n->name,
                        .process = process,
                        .conn = e->conn->name,
                        .u.sock = *r,
                    });
}

static void watch_sock(struct ho_model *m, struct ho_model_node *n, const struct ho_sock_info *info)
{
    struct ho_model_end *e = ho_model_end_of(m, n->index, info);
    struct ho_rec_sock r;

    if (e == NULL) {
        return;
    }
    e->mark = m->mark;
    fill(&r, e, info);
    if (e->seen && same(&r, &e->last)) {
        return;
    }
    e->last = r;
    if (!e->seen) {
        e->seen = true;
        ho_list_push(&n->ends, &e->on_host);
    }
    e->state = info->tcp.state;
    r.expires = ho_us(info->tcp.timer != HO_SOCK_TIMER_OFF && info->tcp.expires_us > 0
                          ? info->tcp.expires_us
                          : 0);
    put_sock(m, n, e, info->pid != 0 ? e->process : "", &r);
}

static void watch_gone(struct ho_model *m, struct ho_model_node *n)
{
    for (struct ho_list *l = n->ends.next; l != &n->ends;) {
        struct ho_model_end *e = ho_container(l, struct ho_model_end, on_host);

        l = l->next;
        if (e->mark == m->mark) {
            continue;
        }
        struct ho_rec_sock r = { .sock = e->sock, .state = "gone" };

        e->seen = false;
        ho_list_remove(&e->on_host);
        put_sock(m, n, e, "", &r);
    }
}

static struct ho_model_neigh *neigh_slot(struct ho_model *m, struct ho_model_node *n,
                                         const struct ho_addr *a)
{
    for (size_t i = 0; i < n->neighs; i++) {
        if (ho_addr_eq(&n->neigh[i].addr, a)) {
            return &n->neigh[i];
        }
    }
    if (n->neighs == n->neigh_room) {
        size_t room = n->neigh_room == 0 ? 4 : n->neigh_room * 2;
        struct ho_model_neigh *more = realloc(n->neigh, room * sizeof(*more));

        if (more == NULL) {
            ho_model_fail(m, -ENOMEM, "no memory for a neighbour's record");
            return NULL;
        }
        n->neigh = more;
        n->neigh_room = room;
    }
    n->neigh[n->neighs] = (struct ho_model_neigh){ .addr = *a, .state = HO_NUD_NONE };
    return &n->neigh[n->neighs++];
}

static void put_neigh(struct ho_model *m, const struct ho_model_node *n, const struct ho_addr *a,
                      const char *state)
{
    ho_model_put(m, &(struct ho_record){ .kind = HO_REC_NEIGH,
                                         .host = n->name,
                                         .u.neigh = { .addr = *a, .state = state } });
}

static void watch_neighs(struct ho_model *m, struct ho_model_node *n)
{
    struct ho_neigh_info info;
    uint64_t cursor = 0;

    while (ho_host_neigh_next(n->host, &cursor, &info)) {
        struct ho_model_neigh *k = neigh_slot(m, n, &info.addr);

        if (k == NULL) {
            return;
        }
        k->mark = m->mark;
        if (k->state != info.state) {
            k->state = info.state;
            put_neigh(m, n, &info.addr, ho_nud_name(info.state));
        }
    }
    for (size_t i = 0; i < n->neighs; i++) {
        if (n->neigh[i].mark != m->mark && n->neigh[i].state != HO_NUD_NONE) {
            n->neigh[i].state = HO_NUD_NONE;
            put_neigh(m, n, &n->neigh[i].addr, "gone");
        }
    }
}

void ho_model_watch(struct ho_model *m, struct ho_model_node *n)
{
    struct ho_sock_info info;
    uint64_t cursor = 0;
    uint64_t generation = ho_host_generation(n->host);

    if (generation == n->generation) {
        return;
    }
    n->generation = generation;
    m->mark++;
    while (ho_host_sock_next(n->host, &cursor, m->now, &info)) {
        if (info.tcp.state != HO_TCP_LISTEN) {
            watch_sock(m, n, &info);
        }
    }
    watch_gone(m, n);
    watch_neighs(m, n);
}
