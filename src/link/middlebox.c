/* The table of flows. One list holds all flows in the order of their last segment: since the
 * idle time is the same for all, that is the order in which they are forgotten.
 */

#include "link/middlebox.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/bytes.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/tcp.h"

#define RST_TTL 64

/* Both directions have the same key: the smaller address and port come first. */
struct key {
    struct ho_addr addr[2];
    uint16_t port[2];
};

struct flow {
    struct ho_list by_age; /* in `oldest` */
    struct ho_list node;   /* in its bucket */
    struct key key;
    struct ho_time last;
};

/* A frame as far as the middlebox reads it. */
struct look {
    struct ho_wire_eth eth;
    struct ho_wire_ip ip;
    struct ho_wire_tcp tcp;
};

int ho_middlebox_init(struct ho_middlebox *m, enum ho_middlebox_mode mode, struct ho_dur idle,
                      size_t max_flows, struct ho_bufpool *bufs)
{
    size_t n_buckets = 1;

    while (n_buckets < max_flows && n_buckets < 1u << 20) {
        n_buckets *= 2;
    }

    struct ho_list *buckets = malloc(n_buckets * sizeof(*buckets));
    if (buckets == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n_buckets; i++) {
        ho_list_init(&buckets[i]);
    }
    *m = (struct ho_middlebox){
        .mode = mode, .idle = idle, .buckets = buckets, .n_buckets = n_buckets, .bufs = bufs
    };
    ho_pool_init(&m->flows, sizeof(struct flow), max_flows);
    ho_list_init(&m->oldest);
    return 0;
}

void ho_middlebox_destroy(struct ho_middlebox *m)
{
    ho_buf_put(m->bufs, m->pending);
    ho_pool_destroy(&m->flows);
    free(m->buckets);
    *m = (struct ho_middlebox){ .mode = m->mode };
}

/* ---- flows --------------------------------------------------------------------------------- */

static struct key key_of(const struct look *l)
{
    int order = memcmp(&l->ip.src, &l->ip.dst, sizeof(l->ip.src));
    bool swap = order > 0 || (order == 0 && l->tcp.sport > l->tcp.dport);
    struct key k;

    k.addr[swap ? 1 : 0] = l->ip.src;
    k.addr[swap ? 0 : 1] = l->ip.dst;
    k.port[swap ? 1 : 0] = l->tcp.sport;
    k.port[swap ? 0 : 1] = l->tcp.dport;
    return k;
}

static bool key_eq(const struct key *a, const struct key *b)
{
    return ho_addr_eq(&a->addr[0], &b->addr[0]) && ho_addr_eq(&a->addr[1], &b->addr[1]) &&
           a->port[0] == b->port[0] && a->port[1] == b->port[1];
}

static struct ho_list *bucket_of(const struct ho_middlebox *m, const struct key *k)
{
    uint64_t hash = (uint64_t)k->port[0] << 16 | k->port[1];

    for (int i = 0; i < 2; i++) {
        for (size_t b = 0; b < sizeof(k->addr[i].b); b++) {
            hash = (hash ^ k->addr[i].b[b]) * 0x100000001b3u; /* FNV-1a: no adversary here */
        }
    }
    return &m->buckets[(hash ^ hash >> 32) & (m->n_buckets - 1)];
}

static struct flow *find(const struct ho_middlebox *m, const struct key *k)
{
    struct ho_list *bucket = bucket_of(m, k);

    for (struct ho_list *n = bucket->next; n != bucket; n = n->next) {
        struct flow *f = ho_container(n, struct flow, node);

        if (key_eq(&f->key, k)) {
            return f;
        }
    }
    return NULL;
}

static void forget(struct ho_middlebox *m, struct flow *f)
{
    ho_list_remove(&f->by_age);
    ho_list_remove(&f->node);
    ho_pool_put(&m->flows, f);
}

static struct flow *oldest(const struct ho_middlebox *m)
{
    return ho_list_empty(&m->oldest) ? NULL : ho_container(m->oldest.next, struct flow, by_age);
}

struct ho_time ho_middlebox_deadline(const struct ho_middlebox *m)
{
    const struct flow *f = oldest(m);

    return f == NULL ? HO_NEVER : ho_time_add(f->last, m->idle);
}

size_t ho_middlebox_tick(struct ho_middlebox *m, struct ho_time now)
{
    size_t n = 0;

    for (; ho_time_reached(ho_middlebox_deadline(m), now); n++) {
        forget(m, oldest(m));
    }
    m->count.forgotten += n;
    return n;
}

size_t ho_middlebox_flows(const struct ho_middlebox *m)
{
    return m->flows.used;
}

static struct flow *make_flow(struct ho_middlebox *m, const struct key *k)
{
    struct flow *f = ho_pool_get(&m->flows);

    if (f == NULL) {
        m->count.table_full++;
        return NULL;
    }
    f->key = *k;
    ho_list_push(&m->oldest, &f->by_age);
    ho_list_push(bucket_of(m, k), &f->node);
    m->count.flows++;
    return f;
}

/* ---- frames -------------------------------------------------------------------------------- */

/* Whether the frame carries a TCP segment. What is broken passes: it is the receiver's to drop. */
static bool read_segment(struct look *ret, const uint8_t *bytes, size_t len)
{
    enum ho_wire_drop why;
    size_t ip_header, tcp_header;

    if (ho_wire_eth_read(&ret->eth, bytes, len) != 0 ||
        (ret->eth.type != HO_ETH_IPV4 && ret->eth.type != HO_ETH_IPV6)) {
        return false;
    }
    bytes += HO_ETH_HEADER;
    len -= HO_ETH_HEADER;
    return ho_wire_ip_read(&ret->ip, &ip_header, bytes, len, &why) == 0 &&
           ret->ip.proto == HO_IP_TCP &&
           ho_wire_tcp_read(&ret->tcp, &tcp_header, bytes + ip_header, ret->ip.payload_len) == 0;
}

/* The RST that a host without the connection would answer (RFC 9293 3.10.7.1). */
static struct ho_wire_tcp reset_for(const struct ho_wire_tcp *s)
{
    struct ho_wire_tcp rst = { .sport = s->dport, .dport = s->sport, .flags = HO_TCP_RST };
    uint32_t len = s->payload_len;

    if ((s->flags & HO_TCP_ACK) != 0) {
        rst.seq = s->ack;
        return rst;
    }
    len += (s->flags & HO_TCP_SYN) != 0 ? 1 : 0;
    len += (s->flags & HO_TCP_FIN) != 0 ? 1 : 0;
    rst.flags |= HO_TCP_ACK;
    rst.ack = s->seq + len;
    return rst;
}

/* A frame with that RST, as if the receiver had sent it; NULL without memory. */
static struct ho_buf *make_reset(struct ho_middlebox *m, const struct look *l)
{
    const struct ho_wire_tcp rst = reset_for(&l->tcp);
    const struct ho_wire_eth eth = { .dst = l->eth.src, .src = l->eth.dst, .type = l->eth.type };
    const struct ho_wire_ip ip = {
        .version = l->ip.version,
        .src = l->ip.dst,
        .dst = l->ip.src,
        .proto = HO_IP_TCP,
        .ttl = RST_TTL,
        .dont_fragment = true,
        .payload_len = (uint16_t)ho_wire_tcp_size(&rst),
    };
    size_t ip_size = ho_wire_ip_size(&ip);
    struct ho_buf *b = ho_buf_get(m->bufs, 0, HO_ETH_HEADER + ip_size + ip.payload_len);

    if (b == NULL) {
        m->count.no_memory++;
        return NULL;
    }

    uint8_t *bytes = ho_buf_bytes(b);
    uint8_t *segment = bytes + HO_ETH_HEADER + ip_size;
    ho_wire_eth_write(&eth, bytes);
    ho_wire_ip_write(&ip, bytes + HO_ETH_HEADER);
    ho_wire_tcp_write(&rst, segment);
    ho_put16(segment + HO_TCP_CHECKSUM_AT,
             ho_wire_tcp_checksum(&ip.src, &ip.dst, segment, ip.payload_len));
    b->len = (uint16_t)(HO_ETH_HEADER + ip_size + ip.payload_len);
    b->user = 0;
    b->tag[0] = 0;
    b->tag[1] = 0;
    return b;
}

static enum ho_fate pass(struct ho_middlebox *m, unsigned port, struct ho_buf *frame)
{
    m->pending = frame;
    m->pending_port = 1 - port;
    return HO_FATE_FWD;
}

/* A segment that has no flow. RST is not answered with RST. */
static enum ho_fate refuse(struct ho_middlebox *m, unsigned port, struct ho_buf *frame,
                           const struct look *l)
{
    ho_buf_put(m->bufs, frame);
    m->count.dropped++;
    if (m->mode == HO_MIDDLEBOX_RST && (l->tcp.flags & HO_TCP_RST) == 0) {
        m->pending = make_reset(m, l);
        m->pending_port = port;
        m->count.answered += m->pending != NULL ? 1 : 0;
    }
    return HO_FATE_LOST;
}

enum ho_fate ho_middlebox_input(struct ho_middlebox *m, unsigned port, struct ho_buf *frame,
                                struct ho_time now)
{
    assert(port < 2 && m->pending == NULL);
    struct look l;

    ho_middlebox_tick(m, now);
    if (!read_segment(&l, ho_buf_bytes(frame), frame->len)) {
        m->count.passed_other++;
        return pass(m, port, frame);
    }

    struct key key = key_of(&l);
    struct flow *f = find(m, &key);
    bool syn = (l.tcp.flags & (HO_TCP_SYN | HO_TCP_ACK | HO_TCP_RST)) == HO_TCP_SYN;
    if (f == NULL && syn) {
        f = make_flow(m, &key);
        if (f == NULL) {
            ho_buf_put(m->bufs, frame);
            return HO_FATE_LOST;
        }
    }
    if (f == NULL) {
        return refuse(m, port, frame, &l);
    }
    if ((l.tcp.flags & HO_TCP_RST) != 0) {
        forget(m, f);
        m->count.reset++;
    } else {
        f->last = now;
        ho_list_remove(&f->by_age);
        ho_list_push(&m->oldest, &f->by_age);
    }
    m->count.passed++;
    return pass(m, port, frame);
}

struct ho_buf *ho_middlebox_output(struct ho_middlebox *m, unsigned *ret_port)
{
    struct ho_buf *out = m->pending;

    m->pending = NULL;
    if (out != NULL) {
        *ret_port = m->pending_port;
    }
    return out;
}
