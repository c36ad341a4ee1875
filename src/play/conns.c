/* Which connection a segment or a socket belongs to: each pair of addresses and ports (pairs.c)
 * has its lives, the newest first.
 *
 * A placeholder, for what a process has not told yet (trace.h), is '\1', a letter for what it
 * stands for - the connection's name 'c', or of its end 0 or 1 the process 'p' 'P', the socket
 * 's' 'S' - and the connection's serial number.
 */

#include "play/conns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play/socks.h"
#include "play/trace.h"
#include "program/program.h"

#define MANY 1000 /* connections after which names are not compared */

uint16_t ho_play_node_of(const struct ho_trace *tr, const struct ho_addr *a)
{
    for (size_t i = 0; i < tr->plan->node_count; i++) {
        const struct ho_plan_node *n = &tr->plan->nodes[i];

        for (unsigned k = 0; n->kind == HO_NODE_HOST && k < n->addr_count; k++) {
            if (ho_addr_eq(&n->addr[k].addr, a)) {
                return (uint16_t)i;
            }
        }
    }
    return HO_PLAN_NONE;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* True if a report can come after the frames that it is about (trace.h). */
static bool late(const struct ho_trace *tr)
{
    return tr->tl != NULL && tr->tl->any_order;
}

static const char *placeholder(struct ho_trace *tr, char letter, const struct ho_play_conn *c)
{
    char text[16];

    snprintf(text, sizeof(text), "\1%c%u", letter, (unsigned)c->serial);
    return ho_trace_name(tr, text);
}

/* A name that no other connection has: "db", then "db#2" .. Among very many the number is that
 * of all connections, so that nobody has to be asked.
 */
static const char *own_name(struct ho_trace *tr, const char *name)
{
    const struct ho_play_conns *all = &tr->conns;
    char text[HO_PROGRAM_NAME_MAX + 24];
    size_t same = 0;

    for (size_t i = 0; i < all->buckets && all->count < MANY; i++) {
        for (const struct ho_play_pair *p = all->bucket[i]; p != NULL; p = p->next) {
            for (const struct ho_play_conn *c = p->newest; c != NULL; c = c->older) {
                same += strcmp(c->given, name) == 0;
            }
        }
    }
    same = all->count < MANY ? same : all->count;
    if (same == 0 || name[0] == '\0') {
        return ho_trace_name(tr, name);
    }
    snprintf(text, sizeof(text), "%s#%zu", name, same + 1);
    return ho_trace_name(tr, text);
}

/* Calls `c`, which no name was given to yet. */
static void give_name(struct ho_trace *tr, struct ho_play_conn *c, const char *name)
{
    const char *own = own_name(tr, name);

    c->given = ho_trace_name(tr, name);
    c->name = own[0] == '\0' && late(tr) ? placeholder(tr, 'c', c) : own;
}

const char *ho_play_end_process(struct ho_trace *tr, const struct ho_play_end *e)
{
    return e->claimed || !late(tr) ? e->process
                                   : placeholder(tr, e == &e->conn->end[0] ? 'p' : 'P', e->conn);
}

const char *ho_play_end_sock(struct ho_trace *tr, const struct ho_play_end *e, bool owned)
{
    return e->claimed || !owned || !late(tr)
               ? e->sock
               : placeholder(tr, e == &e->conn->end[0] ? 's' : 'S', e->conn);
}

struct ho_play_conn **ho_play_conns_list(const struct ho_play_conns *c)
{
    struct ho_play_conn **list = calloc((size_t)c->serial + 1, sizeof(struct ho_play_conn *));

    for (size_t i = 0; list != NULL && i < c->buckets; i++) {
        for (const struct ho_play_pair *p = c->bucket[i]; p != NULL; p = p->next) {
            for (struct ho_play_conn *one = p->newest; one != NULL; one = one->older) {
                list[one->serial - 1] = one;
            }
        }
    }
    return list;
}

const char *ho_play_conns_text(struct ho_play_conn *const *by_serial, const char *text)
{
    if (text[0] != '\1') {
        return text;
    }
    const struct ho_play_conn *c = by_serial[strtoul(text + 2, NULL, 10) - 1];

    switch (text[1]) {
    case 'p':
        return c->end[0].process;
    case 'P':
        return c->end[1].process;
    case 's':
        return c->end[0].sock;
    case 'S':
        return c->end[1].sock;
    default:
        return c->name[0] == '\1' ? "" : c->name;
    }
}

/* ---- lives ----------------------------------------------------------------------------------- */

static void end_init(struct ho_trace *tr, struct ho_play_conn *c, unsigned i)
{
    struct ho_play_end *e = &c->end[i];

    e->conn = c;
    e->node = ho_play_node_of(tr, &c->pair->addr[i]);
    e->fd = -1;
    e->process = "";
    e->sock = "";
    e->met = HO_NEVER;
}

/* A new life on `p`; an end that holds nothing of the old one is in it at once. */
static struct ho_play_conn *life_new(struct ho_trace *tr, struct ho_play_pair *p, const char *name)
{
    struct ho_play_conn *c = ho_pool_get(&tr->conns.conns);

    if (c == NULL) {
        ho_trace_fail(tr, -ENOMEM, "no memory for a connection's record");
        return NULL;
    }
    c->serial = ++tr->conns.serial;
    give_name(tr, c, name);
    c->pair = p;
    c->older = p->newest;
    p->newest = c;
    for (unsigned i = 0; i < 2; i++) {
        end_init(tr, c, i);
        if (p->now[i] == NULL || !p->now[i]->end[i].seen) {
            p->now[i] = c;
        }
    }
    return c;
}

static void meet(const struct ho_trace *tr, struct ho_play_end *e)
{
    if (e->met.ns == HO_NEVER.ns) {
        e->met = tr->now;
    }
}

/* True if end `i` of the newest life is the one that a process begins in a call made at `since`. */
static bool begins(const struct ho_trace *tr, const struct ho_play_end *e, struct ho_time since)
{
    if (late(tr)) {
        return !e->claimed && !ho_time_before(e->met, since);
    }
    /* Both ends may connect to each other (RFC 9293 3.5, simultaneous open): one life. */
    return !e->seen && e->fd < 0 && !e->sent_syn;
}

struct ho_play_end *ho_play_conn_new(struct ho_trace *tr, const char *name,
                                     const struct ho_play_tuple *t, struct ho_time since)
{
    unsigned i;
    struct ho_play_pair *p = ho_play_pair_get(tr, t, &i);

    if (p == NULL) {
        return NULL;
    }
    struct ho_play_conn *c = p->newest;

    if (c == NULL || !begins(tr, &c->end[i], since)) {
        c = life_new(tr, p, name);
    } else if (c->given[0] == '\0' && late(tr)) {
        give_name(tr, c, name);
    }
    if (c == NULL) {
        return NULL;
    }
    c->end[i].claimed = true;
    p->now[i] = c;
    return &c->end[i];
}

static bool ended(enum ho_tcp_state s)
{
    return s == HO_TCP_TIME_WAIT || s == HO_TCP_CLOSE;
}

static bool opening(enum ho_tcp_state s)
{
    return s == HO_TCP_SYN_SENT || s == HO_TCP_SYN_RECV || s == HO_TCP_ESTABLISHED;
}

/* How well the socket fits this end: 0 not at all. */
static int fits(const struct ho_trace *tr, const struct ho_play_end *e,
                const struct ho_play_sock *s)
{
    if (s->fd >= 0 && e->fd >= 0) {
        return s->fd == e->fd ? 4 : 0;
    }
    if (opening(s->state) && ((e->seen && ended(e->state)) || (e->gone && late(tr)))) {
        return 0;
    }
    if (e->seen) {
        return s->fd < 0 ? 3 : 2;
    }
    return ended(s->state) ? 1 : 2;
}

static struct ho_play_end *nameless(struct ho_trace *tr, struct ho_play_pair *p, unsigned i)
{
    struct ho_play_conn *c = life_new(tr, p, "");

    return c != NULL ? &c->end[i] : NULL;
}

/* An address that the plan does not name (127.0.0.1, a link-local one) is the sampled host's. Over
 * the loopback the other end is there as well.
 */
static struct ho_play_end *settle(struct ho_play_end *e, uint16_t node)
{
    bool here = ho_addr_is_loopback(&e->conn->pair->addr[0]);

    for (unsigned i = 0; i < 2; i++) {
        struct ho_play_end *one = &e->conn->end[i];

        if (one->node == HO_PLAN_NONE && (one == e || here)) {
            one->node = node;
        }
    }
    return e;
}

struct ho_play_end *ho_play_conn_of_sock(struct ho_trace *tr, uint16_t node,
                                         const struct ho_play_sock *s)
{
    unsigned i;
    struct ho_play_pair *p = ho_play_pair_get(
        tr, &(struct ho_play_tuple){ s->local, s->remote, s->lport, s->rport }, &i);
    struct ho_play_end *best = NULL;
    int score = 0;

    if (p == NULL) {
        return NULL;
    }
    for (struct ho_play_conn *c = p->newest; c != NULL; c = c->older) {
        struct ho_play_end *e = &c->end[i];
        bool elsewhere = e->node != node && e->node != HO_PLAN_NONE;
        int f = e->mark == tr->mark || elsewhere ? 0 : fits(tr, e, s);

        if (f > score) {
            score = f;
            best = e;
        }
    }
    best = best != NULL ? best : nameless(tr, p, i);
    if (best != NULL) {
        meet(tr, settle(best, node));
    }
    return best;
}

/* The newest life whose end nobody has claimed. */
static struct ho_play_end *unclaimed(struct ho_trace *tr, uint16_t node,
                                     const struct ho_play_tuple *t)
{
    unsigned i;
    struct ho_play_pair *p = ho_play_pair_get(tr, t, &i);

    if (p == NULL) {
        return NULL;
    }
    for (struct ho_play_conn *c = p->newest; c != NULL; c = c->older) {
        if (!c->end[i].claimed && c->end[i].node == node) {
            return &c->end[i];
        }
    }
    return nameless(tr, p, i);
}

struct ho_play_end *ho_play_conn_accepted(struct ho_trace *tr, uint16_t node,
                                          const struct ho_play_tuple *t, enum ho_tcp_state state)
{
    struct ho_play_sock s = { .local = t->local,
                              .remote = t->remote,
                              .lport = t->lport,
                              .rport = t->rport,
                              .fd = -1, /* the record knows it without one so far */
                              .state = state };
    struct ho_play_end *e;

    if (late(tr)) {
        e = unclaimed(tr, node, t);
    } else {
        tr->mark++;
        e = ho_play_conn_of_sock(tr, node, &s);
    }
    if (e != NULL) {
        e->claimed = true;
    }
    return e;
}

void ho_play_conn_claim(struct ho_trace *tr, uint16_t node, const struct ho_play_tuple *t,
                        const char *process, const char *name)
{
    unsigned i;
    struct ho_play_pair *p = ho_play_pair_find(tr, t, &i);
    struct ho_play_conn *c = p != NULL ? p->newest : NULL;

    if (c == NULL || c->end[i].claimed || c->end[i].node != node ||
        ho_addr_is_loopback(&t->local)) {
        return;
    }
    c->end[i].claimed = true;
    c->end[i].process = process;
    c->end[i].last.sock = c->end[i].sock; /* what stands for it already is no change */
    if (name != NULL && c->given[0] == '\0') {
        give_name(tr, c, name);
    }
}

/* A SYN whose report has not come, of an end that began the newest life with another number. */
static bool another_life(const struct ho_trace *tr, const struct ho_play_end *e,
                         const struct ho_wire_tcp *seg)
{
    return late(tr) && (seg->flags & HO_TCP_ACK) == 0 && e->sent_syn && e->isn != seg->seq;
}

struct ho_play_conn *ho_play_conn_of_segment(struct ho_trace *tr, const struct ho_addr *src,
                                             const struct ho_addr *dst,
                                             const struct ho_wire_tcp *seg, unsigned *ret_end)
{
    unsigned i;
    struct ho_play_pair *p =
        ho_play_pair_get(tr, &(struct ho_play_tuple){ *src, *dst, seg->sport, seg->dport }, &i);

    if (p == NULL || (p->newest == NULL && life_new(tr, p, "") == NULL)) {
        return NULL;
    }
    if (seg->flags & HO_TCP_SYN) {
        if (another_life(tr, &p->newest->end[i], seg) && life_new(tr, p, "") == NULL) {
            return NULL;
        }
        /* A listener's answer to a newer life: this end has followed. */
        p->now[i] = p->newest;
        p->newest->end[i].sent_syn = true;
    } else if (!p->now[i]->end[i].seen) {
        p->now[i] = p->newest;
    }
    bool answer = (seg->flags & (HO_TCP_RST | HO_TCP_ACK)) == HO_TCP_RST;

    *ret_end = i;
    meet(tr, &p->now[i]->end[i]);
    return p->now[answer ? 1 - i : i];
}
