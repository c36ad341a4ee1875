/* Segments in: checksum, header, four-tuple, and who is there: a connection, a request, a
 * TIME-WAIT record, a listener, or nobody, which is answered with RST (RFC 9293 3.10.7.1).
 */

#include "host/machine.h"

void ho_tcp_refuse(struct ho_host *h, const struct ho_addr *local, const struct ho_addr *remote,
                   const struct ho_wire_tcp *seg, struct ho_time now)
{
    struct ho_wire_tcp rst;

    if (!ho_tcp_reset_for(seg, &rst)) {
        return;
    }
    struct ho_buf *b = ho_tcp_bare(&h->env, local, remote, &rst);
    if (b != NULL) {
        ho_ip_send(h, local, remote, HO_IP_TCP, b, now);
    }
}

/* Nobody has this four-tuple: `b` is the payload. */
static void to_listener(struct ho_host *h, const struct ho_wire_ip *ip,
                        const struct ho_wire_tcp *seg, struct ho_buf *b, struct ho_time now)
{
    struct ho_listener *l = ho_listener_find(h, &ip->dst, seg->dport);

    if (l != NULL) {
        ho_listener_input(h, l, ip, seg, b, now);
        return;
    }
    h->env.count[HO_TCP_COUNT_DROP_NO_SOCKET]++;
    ho_tcp_refuse(h, &ip->dst, &ip->src, seg, now);
    ho_buf_put(h->conf.bufs, b);
}

static void to_sock(struct ho_host *h, struct ho_sock *s, const struct ho_wire_ip *ip,
                    const struct ho_wire_tcp *seg, struct ho_buf *b, struct ho_time now)
{
    if (seg->payload_len == 0) {
        ho_buf_put(h->conf.bufs, b);
        b = NULL;
    }
    if (ho_tcp_input(&h->env, &s->tcp, seg, b, now)) {
        ho_tcp_refuse(h, &ip->dst, &ip->src, seg, now);
    }
    ho_sock_settle(h, s, now);
}

void ho_tcp_segment(struct ho_host *h, const struct ho_wire_ip *ip, struct ho_buf *b,
                    struct ho_time now)
{
    struct ho_wire_tcp seg;
    size_t header;
    uint32_t ref = HO_REF_NONE;

    h->env.count[HO_TCP_COUNT_IN_SEGS]++;
    if (ho_wire_tcp_checksum(&ip->src, &ip->dst, ho_buf_bytes(b), b->len) != 0) {
        h->env.count[HO_TCP_COUNT_DROP_CHECKSUM]++;
        ho_buf_put(h->conf.bufs, b);
        return;
    }
    if (ho_wire_tcp_read(&seg, &header, ho_buf_bytes(b), b->len) != 0) {
        h->env.count[HO_TCP_COUNT_DROP_HEADER]++;
        ho_buf_put(h->conf.bufs, b);
        return;
    }
    b->head = (uint16_t)(b->head + header);
    b->len = seg.payload_len;
    const struct ho_way *way = ho_way_find(h, &ip->dst, &ip->src);
    if (way != NULL) {
        ref = ho_demux_find(h, way, seg.dport, seg.sport);
    }
    if (ref == HO_REF_NONE) {
        to_listener(h, ip, &seg, b, now);
    } else if ((ref & HO_REF_TYPE) == HO_REF_SOCK) {
        to_sock(h, ho_slots_at(&h->socks, ref), ip, &seg, b, now);
    } else if ((ref & HO_REF_TYPE) == HO_REF_REQ) {
        ho_req_input(h, ho_slots_at(&h->reqs, ref & ~HO_REF_TYPE), &seg, b, now);
    } else if (ho_tw_input(h, ho_slots_at(&h->tws, ref & ~HO_REF_TYPE), &seg, now)) {
        to_listener(h, ip, &seg, b, now);
    } else {
        ho_buf_put(h->conf.bufs, b);
    }
}

void ho_tcp_quoted(struct ho_host *h, const struct ho_wire_quote *q, int err, bool fatal,
                   bool ends_request, struct ho_time now)
{
    const struct ho_way *way = ho_way_find(h, &q->ip.src, &q->ip.dst);
    uint32_t ref = way == NULL ? HO_REF_NONE : ho_demux_find(h, way, q->sport, q->dport);

    if (ref == HO_REF_NONE) {
        ho_machine_count(h, HO_HOST_COUNT_ICMP_NO_SOCKET);
    } else if ((ref & HO_REF_TYPE) == HO_REF_SOCK) {
        struct ho_sock *s = ho_slots_at(&h->socks, ref);

        ho_tcp_icmp(&h->env, &s->tcp, err, fatal, q->seq, now);
        ho_sock_settle(h, s, now);
    } else if ((ref & HO_REF_TYPE) == HO_REF_REQ) {
        struct ho_req *r = ho_slots_at(&h->reqs, ref & ~HO_REF_TYPE);

        if (q->seq != r->r.iss.v) {
            h->env.count[HO_TCP_COUNT_OUT_OF_WINDOW_ICMPS]++;
        } else if (ends_request) { /* ground-truth B11: silently */
            h->env.count[HO_TCP_COUNT_LISTEN_DROPS]++;
            ho_req_free(h, r);
        }
    }
}
