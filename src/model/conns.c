/* Which connection a segment or a socket belongs to.
 *
 * Two addresses with their ports can live several times: a client reboots and connects from the
 * same port while the server still holds the old connection. Each life is a struct
 * ho_model_conn with the name that the connecting process gave it. It begins when a process
 * starts to connect; the other end follows with its first SYN, or when its old socket has gone.
 *
 * A reset without ACK answers a segment, so it belongs to the life that the *other* end is in
 * (RFC 9293 3.10.7.1).
 */

#include "model/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 64
#define MANY 1000 /* connections after which names are not compared */

void ho_model_conns_init(struct ho_model *m)
{
    m->conns = (struct ho_model_conns){ 0 };
    ho_pool_init(&m->conns.pairs, sizeof(struct ho_model_pair), SIZE_MAX);
    ho_pool_init(&m->conns.conns, sizeof(struct ho_model_conn), SIZE_MAX);
}

void ho_model_conns_free(struct ho_model *m)
{
    ho_pool_destroy(&m->conns.pairs);
    ho_pool_destroy(&m->conns.conns);
    free(m->conns.bucket);
    m->conns.bucket = NULL;
}

/* Over what makes a pair, the ends already in order. Nobody chooses addresses to collide here. */
static uint32_t pair_hash(const struct ho_addr addr[2], const uint16_t port[2])
{
    uint64_t h = (uint64_t)port[0] << 16 | port[1];

    for (unsigned e = 0; e < 2; e++) {
        uint64_t word[2];

        memcpy(word, addr[e].b, sizeof(word));
        h = (h ^ word[0]) * 0x9e3779b97f4a7c15u;
        h = (h ^ h >> 29 ^ word[1]) * 0xbf58476d1ce4e5b9u;
    }
    return (uint32_t)(h >> 32);
}

static bool pair_is(const struct ho_model_pair *p, const struct ho_addr addr[2],
                    const uint16_t port[2])
{
    return p->port[0] == port[0] && p->port[1] == port[1] &&
           memcmp(p->addr, addr, sizeof(p->addr)) == 0;
}

/* Puts the ends into the order of a pair; returns the index that `a` gets. */
static unsigned order(const struct ho_addr *a, uint16_t a_port, const struct ho_addr *b,
                      uint16_t b_port, struct ho_addr addr[2], uint16_t port[2])
{
    int c = memcmp(a, b, sizeof(*a));
    unsigned i = c < 0 || (c == 0 && a_port <= b_port) ? 0 : 1;

    addr[i] = *a;
    port[i] = a_port;
    addr[1 - i] = *b;
    port[1 - i] = b_port;
    return i;
}

struct ho_model_pair *ho_model_pair_find(const struct ho_model *m, const struct ho_addr *a,
                                         uint16_t a_port, const struct ho_addr *b, uint16_t b_port,
                                         unsigned *ret_end)
{
    struct ho_addr addr[2];
    uint16_t port[2];

    *ret_end = order(a, a_port, b, b_port, addr, port);
    if (m->conns.buckets == 0) {
        return NULL;
    }
    struct ho_model_pair *p = m->conns.bucket[pair_hash(addr, port) & (m->conns.buckets - 1)];

    while (p != NULL && !pair_is(p, addr, port)) {
        p = p->next;
    }
    return p;
}

/* Room for one more pair. False without memory. */
static bool make_room(struct ho_model_conns *c)
{
    if (c->count < c->buckets) {
        return true;
    }
    size_t buckets = c->buckets == 0 ? BUCKETS : c->buckets * 4;
    struct ho_model_pair **bucket = calloc(buckets, sizeof(void *));

    if (bucket == NULL) {
        return false;
    }
    for (size_t i = 0; i < c->buckets; i++) {
        for (struct ho_model_pair *p = c->bucket[i]; p != NULL;) {
            struct ho_model_pair *next = p->next;
            size_t to = pair_hash(p->addr, p->port) & (buckets - 1);

            p->next = bucket[to];
            bucket[to] = p;
            p = next;
        }
    }
    free(c->bucket);
    c->bucket = bucket;
    c->buckets = buckets;
    return true;
}

static struct ho_model_pair *pair_get(struct ho_model *m, const struct ho_addr *a, uint16_t a_port,
                                      const struct ho_addr *b, uint16_t b_port, unsigned *ret_end)
{
    struct ho_model_pair *p = ho_model_pair_find(m, a, a_port, b, b_port, ret_end);

    if (p != NULL) {
        return p;
    }
    if (!make_room(&m->conns) || (p = ho_pool_get(&m->conns.pairs)) == NULL) {
        ho_model_fail(m, -ENOMEM, "no memory for a connection's record");
        return NULL;
    }
    order(a, a_port, b, b_port, p->addr, p->port);
    size_t i = pair_hash(p->addr, p->port) & (m->conns.buckets - 1);

    p->next = m->conns.bucket[i];
    m->conns.bucket[i] = p;
    m->conns.count++;
    return p;
}

uint16_t ho_model_node_of(const struct ho_model *m, const struct ho_addr *a)
{
    for (size_t i = 0; i < m->plan->node_count; i++) {
        const struct ho_plan_node *n = &m->plan->nodes[i];

        for (unsigned k = 0; n->kind == HO_NODE_HOST && k < n->addr_count; k++) {
            if (ho_addr_eq(&n->addr[k].addr, a)) {
                return (uint16_t)i;
            }
        }
    }
    return HO_PLAN_NONE;
}

static void end_init(struct ho_model *m, struct ho_model_conn *c, unsigned i)
{
    struct ho_model_end *e = &c->end[i];

    e->conn = c;
    e->node = ho_model_node_of(m, &c->pair->addr[i]);
    e->fd = -1;
    e->process = "";
    e->sock = "";
}

/* A name that no other connection has: "db", then "db#2" .. Among very many the number is that
 * of all connections, so that nobody has to be asked.
 */
static const char *own_name(struct ho_model *m, const char *name)
{
    char text[HO_PROGRAM_NAME_MAX + 24];
    size_t same = 0;

    for (size_t i = 0; i < m->conns.buckets && m->conns.count < MANY; i++) {
        for (const struct ho_model_pair *p = m->conns.bucket[i]; p != NULL; p = p->next) {
            for (const struct ho_model_conn *c = p->newest; c != NULL; c = c->older) {
                same += strcmp(c->given, name) == 0;
            }
        }
    }
    same = m->conns.count < MANY ? same : m->conns.count;
    if (same == 0 || name[0] == '\0') {
        return ho_model_name(m, name);
    }
    snprintf(text, sizeof(text), "%s#%zu", name, same + 1);
    return ho_model_name(m, text);
}

/* A new life on `p`; an end that holds nothing of the old one is in it at once. */
static struct ho_model_conn *life_new(struct ho_model *m, struct ho_model_pair *p, const char *name)
{
    struct ho_model_conn *c = ho_pool_get(&m->conns.conns);

    if (c == NULL) {
        ho_model_fail(m, -ENOMEM, "no memory for a connection's record");
        return NULL;
    }
    c->given = ho_model_name(m, name);
    c->name = own_name(m, c->given);
    c->pair = p;
    c->older = p->newest;
    p->newest = c;
    for (unsigned i = 0; i < 2; i++) {
        end_init(m, c, i);
        if (p->now[i] == NULL || !p->now[i]->end[i].seen) {
            p->now[i] = c;
        }
    }
    return c;
}

struct ho_model_end *ho_model_conn_new(struct ho_model *m, const char *name,
                                       const struct ho_addr *local, uint16_t lport,
                                       const struct ho_addr *remote, uint16_t rport)
{
    unsigned i;
    struct ho_model_pair *p = pair_get(m, local, lport, remote, rport, &i);

    if (p == NULL) {
        return NULL;
    }
    struct ho_model_conn *c = p->newest;

    /* Both ends may connect to each other (RFC 9293 3.5, simultaneous open): one life. */
    if (c == NULL || c->end[i].seen || c->end[i].fd >= 0 || c->end[i].sent_syn) {
        c = life_new(m, p, name);
    }
    if (c == NULL) {
        return NULL;
    }
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
static int fits(const struct ho_model_end *e, const struct ho_sock_info *info)
{
    if (info->fd >= 0 && e->fd >= 0) {
        return info->fd == e->fd ? 4 : 0;
    }
    if (e->seen && ended(e->state) && opening(info->tcp.state)) {
        return 0;
    }
    if (e->seen) {
        return info->fd < 0 ? 3 : 2;
    }
    return ended(info->tcp.state) ? 1 : 2;
}

struct ho_model_end *ho_model_end_of(struct ho_model *m, uint16_t node,
                                     const struct ho_sock_info *info)
{
    unsigned i;
    struct ho_model_pair *p =
        pair_get(m, &info->local, info->lport, &info->remote, info->rport, &i);
    struct ho_model_end *best = NULL;
    int score = 0;

    if (p == NULL) {
        return NULL;
    }
    for (struct ho_model_conn *c = p->newest; c != NULL; c = c->older) {
        int s = c->end[i].mark == m->mark || c->end[i].node != node ? 0 : fits(&c->end[i], info);

        if (s > score) {
            score = s;
            best = &c->end[i];
        }
    }
    if (best == NULL) {
        struct ho_model_conn *c = life_new(m, p, "");

        best = c != NULL ? &c->end[i] : NULL;
    }
    return best;
}

struct ho_model_conn *ho_model_conn_of_segment(struct ho_model *m, const struct ho_addr *src,
                                               const struct ho_addr *dst,
                                               const struct ho_wire_tcp *seg, unsigned *ret_end)
{
    unsigned i;
    struct ho_model_pair *p = pair_get(m, src, seg->sport, dst, seg->dport, &i);

    if (p == NULL || (p->newest == NULL && life_new(m, p, "") == NULL)) {
        return NULL;
    }
    if (seg->flags & HO_TCP_SYN) {
        /* A listener's answer to a newer life: this end has followed. */
        p->now[i] = p->newest;
        p->newest->end[i].sent_syn = true;
    } else if (!p->now[i]->end[i].seen) {
        p->now[i] = p->newest;
    }
    bool answer = (seg->flags & (HO_TCP_RST | HO_TCP_ACK)) == HO_TCP_RST;

    *ret_end = i;
    return p->now[answer ? 1 - i : i];
}
