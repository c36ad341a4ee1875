/* Causes of what the hosts of a truth script do. See truth_cause.h. */

#include "support/truth_cause.h"

#include <assert.h>
#include <stdlib.h>

#include "host/machine.h"

enum which {
    OF_OWNER, /* the only timer it has */
    OF_RETRANSMISSION,
    OF_DELAYED_ACK,
    OF_KEEPALIVE,
    OF_WAITING /* a segment that waited has left, or not: the socket goes on at once */
};

static void join(struct ho_truth_why *to, int record)
{
    for (unsigned i = 0; i < to->n; i++) {
        if (to->of[i] == record) {
            return;
        }
    }
    if (to->n < HO_TRUTH_CAUSES) {
        to->of[to->n++] = record;
    }
}

void ho_truth_cause_join(struct ho_truth_why *to, const struct ho_truth_why *from)
{
    for (unsigned i = 0; i < from->n; i++) {
        join(to, from->of[i]);
    }
}

void ho_truth_cause_begin(struct ho_truth_world *w, int host)
{
    w->why[host] = (struct ho_truth_why){ .n = 0 };
    w->last_rec[host] = -1;
}

void ho_truth_cause_add(struct ho_truth_world *w, int host, int record)
{
    join(&w->why[host], record);
}

void ho_truth_cause_tick(struct ho_truth_world *w, int host)
{
    const struct ho_truth_timers *t = &w->timers[host];
    for (size_t i = 0; i < t->n; i++) {
        if (ho_time_reached(t->t[i].at, w->now)) {
            ho_truth_cause_join(&w->why[host], &t->t[i].why);
        }
    }
}

void ho_truth_cause_note(struct ho_truth_world *w, int host)
{
    struct ho_truth_rec *r = &w->recs->r[w->recs->n - 1];
    r->why = w->why[host];
    if (r->kind == HO_TRUTH_SEG || r->kind == HO_TRUTH_ARP || r->kind == HO_TRUTH_ICMP) {
        w->last_rec[host] = (int)w->recs->n - 1;
    }
}

/* --- the timers of a host --------------------------------------------------------------------- */

static const struct ho_truth_timer *find(const struct ho_truth_timers *list, const void *owner,
                                         int which)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->t[i].owner == owner && list->t[i].which == which) {
            return &list->t[i];
        }
    }
    return NULL;
}

struct looking {
    const struct ho_truth_timers *before;
    struct ho_truth_timers now;
    struct ho_truth_why why; /* of what was armed since */
};

static void see(struct looking *l, const void *owner, enum which which, struct ho_time at)
{
    if (at.ns == HO_NEVER.ns) {
        return;
    }
    if (l->now.n == l->now.room) {
        l->now.room = l->now.room == 0 ? 16 : l->now.room * 2;
        l->now.t = realloc(l->now.t, l->now.room * sizeof(l->now.t[0]));
        assert(l->now.t != NULL);
    }
    const struct ho_truth_timer *old = find(l->before, owner, (int)which);
    bool stands = old != NULL && old->at.ns == at.ns;
    l->now.t[l->now.n++] = (struct ho_truth_timer){
        .owner = owner, .which = (int)which, .at = at, .why = stands ? old->why : l->why
    };
}

static void see_timer(struct looking *l, const struct ho_timer *t)
{
    if (ho_timer_armed(t)) {
        see(l, t, OF_OWNER, ho_due_time(t->due));
    }
}

static void see_socks(struct looking *l, const struct ho_host *h)
{
    for (uint32_t i = 0; i < h->socks.top; i++) {
        const struct ho_sock *s = ho_slots_at(&h->socks, i);
        if (s->kind != HO_KIND_CONN) {
            continue;
        }
        see(l, s, OF_KEEPALIVE, ho_due_time(s->tcp.keep_at));
        if (s->tcp.work != NULL) {
            see(l, s, OF_RETRANSMISSION, ho_due_time(s->tcp.work->rexmt_at));
            see(l, s, OF_DELAYED_ACK, ho_due_time(s->tcp.work->delack_at));
        }
        if (ho_timer_armed(&s->timer) && s->timer.due.key == 0) {
            see(l, s, OF_WAITING, ho_due_time(s->timer.due));
        }
    }
}

static void see_others(struct looking *l, struct ho_host *h)
{
    for (uint32_t i = 0; i < h->reqs.top; i++) {
        const struct ho_req *r = ho_slots_at(&h->reqs, i);
        if (r->kind == HO_KIND_REQ) {
            see_timer(l, &r->timer);
        }
    }
    for (uint32_t i = 0; i < h->tws.top; i++) {
        const struct ho_tw *t = ho_slots_at(&h->tws, i);
        if (t->kind == HO_KIND_TW) {
            see_timer(l, &t->timer);
        }
    }
    for (struct ho_list *at = h->neigh.all.next; at != &h->neigh.all; at = at->next) {
        see_timer(l, &ho_container(at, struct ho_neigh, all)->timer);
    }
    for (struct ho_list *at = h->lingers.next; at != &h->lingers; at = at->next) {
        see_timer(l, &ho_container(at, struct ho_op, node)->wait.timer);
    }
    for (int i = 0; i < h->n_nics; i++) {
        see_timer(l, &h->nic[i].timer);
    }
}

struct ho_truth_why ho_truth_cause_end(struct ho_truth_world *w, int host)
{
    struct ho_host *h = w->hosts[host];
    struct looking l = { .before = &w->timers[host], .why = w->why[host] };
    if (w->last_rec[host] >= 0) {
        l.why = (struct ho_truth_why){ .n = 1, .of = { w->last_rec[host] } };
    }
    if (ho_host_is_up(h)) {
        see_socks(&l, h);
        see_others(&l, h);
    }
    free(w->timers[host].t);
    w->timers[host] = l.now;
    return l.why;
}

void ho_truth_cause_free(struct ho_truth_world *w)
{
    for (int host = 0; host < HO_TRUTH_HOSTS; host++) {
        free(w->timers[host].t);
    }
}
