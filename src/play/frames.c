/* A frame as a record: reading it, and what it becomes. */

#include "play/frames.h"

#include <errno.h>
#include <stdio.h>

#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip.h"

#define IP_IGMP 2 /* RFC 3376 */

/* Types of ICMPv6: RFC 2710, RFC 4861, RFC 3810. */
#define MLD_QUERY 130
#define MLD_DONE 132
#define ROUTER_SOLICIT 133
#define ROUTER_ADVERT 134
#define MLD2_REPORT 143

/* Counts a frame that becomes no record. */
static uint32_t leave_out(uint64_t *count)
{
    ++*count;
    return 0;
}

/* Appends a frame's record; its index plus 1, or 0 if the timeline is full or out of memory. */
static uint32_t put(struct ho_trace *tr, struct ho_record *r, const uint8_t *bytes, size_t len)
{
    size_t before = tr->tl->n;

    r->t = tr->now;
    if (ho_timeline_append_frame(tr->tl, r, bytes, len) != 0) {
        ho_trace_fail(tr, -ENOMEM, "no memory for the timeline");
        return 0;
    }
    return tr->tl->n > before && before < UINT32_MAX ? (uint32_t)before + 1 : 0;
}

static const char *name_of(const struct ho_trace *tr, const struct ho_addr *a)
{
    uint16_t node = ho_play_node_of(tr, a);

    return node != HO_PLAN_NONE ? tr->node[node].name : "";
}

/* ---- segments -------------------------------------------------------------------------------- */

/* What a segment tells about the end that sent it. */
static void learn(struct ho_play_end *e, const struct ho_wire_tcp *s)
{
    bool syn = (s->flags & HO_TCP_SYN) != 0;

    if (syn || (!e->has_isn && !(s->flags & HO_TCP_RST))) {
        e->has_isn = true;
        e->isn = syn ? s->seq : s->seq - 1;
    }
    if (syn) {
        e->has_wscale = s->has_wscale;
        e->wscale = s->wscale;
    }
    if (s->has_ts && !e->has_ts) {
        e->has_ts = true;
        e->ts0 = s->ts_val;
    }
}

static uint32_t relative(const struct ho_play_end *e, uint32_t seq)
{
    return e->has_isn ? seq - e->isn : 0;
}

static void fill_seg(struct ho_rec_seg *r, const struct ho_play_end *from,
                     const struct ho_play_end *to, const struct ho_wire_tcp *s)
{
    bool scaled = from->has_wscale && to->has_wscale && !(s->flags & HO_TCP_SYN);

    *r = (struct ho_rec_seg){
        .flags = s->flags,
        .n_sack = s->n_sack,
        .has_ts = s->has_ts,
        .has_mss = s->has_mss,
        .has_wscale = s->has_wscale,
        .sack_ok = s->sack_ok,
        .wscale = s->wscale,
        .shift = scaled ? from->wscale : 0,
        .window = s->window,
        .mss = s->mss,
        .seq = relative(from, s->seq),
        .ack = s->flags & HO_TCP_ACK ? relative(to, s->ack) : 0,
        .len = s->payload_len,
        .ts_val = s->has_ts ? s->ts_val - from->ts0 : 0,
        .ts_ecr = s->has_ts && s->ts_ecr != 0 && to->has_ts ? s->ts_ecr - to->ts0 : 0,
        .raw_seq = s->seq,
        .raw_ack = s->ack,
        .sport = s->sport,
        .dport = s->dport,
        .fate = HO_FATE_FWD,
    };
    for (unsigned i = 0; i < s->n_sack; i++) {
        r->sack[i] =
            (struct ho_tcp_sack){ relative(to, s->sack[i].from), relative(to, s->sack[i].to) };
    }
}

static uint32_t put_segment(struct ho_trace *tr, uint16_t node, const struct ho_wire_ip *ip,
                            const uint8_t *bytes, size_t len, const uint8_t *frame,
                            size_t frame_len)
{
    struct ho_record r = { .kind = HO_REC_SEG, .host = tr->node[node].name };
    struct ho_play_conn *c;
    struct ho_wire_tcp s;
    size_t header;
    unsigned end;

    if (ho_wire_tcp_read(&s, &header, bytes, len) != 0) {
        return leave_out(&tr->count.unread);
    }
    c = ho_play_conn_of_segment(tr, &ip->src, &ip->dst, &s, &end);
    if (c == NULL) {
        return 0;
    }
    learn(&c->end[end], &s);
    fill_seg(&r.u.seg, &c->end[end], &c->end[1 - end], &s);
    r.conn = c->name;
    r.u.seg.to = name_of(tr, &ip->dst);
    return put(tr, &r, frame, frame_len);
}

/* ---- neighbour discovery and ICMP ------------------------------------------------------------ */

static uint32_t put_nd(struct ho_trace *tr, uint16_t node, bool ipv6, bool answer, bool multicast,
                       const struct ho_addr *target, const char *to, const uint8_t *frame,
                       size_t frame_len)
{
    struct ho_record r = {
        .kind = HO_REC_ND,
        .host = tr->node[node].name,
        .u.nd = { .to = multicast ? "" : to,
                  .ipv6 = ipv6,
                  .answer = answer,
                  .multicast = multicast,
                  .target = *target,
                  .fate = HO_FATE_FWD },
    };

    return put(tr, &r, frame, frame_len);
}

static const char *icmp_what(const struct ho_wire_icmp *i, bool ipv6, char *text, size_t size)
{
    switch (i->kind) {
    case HO_ICMP_ECHO:
        return "echo-request";
    case HO_ICMP_ECHO_REPLY:
        return "echo-reply";
    case HO_ICMP_TOO_BIG:
        return "frag-needed";
    case HO_ICMP_TIME_EXCEEDED:
        return "ttl-exceeded";
    case HO_ICMP_UNREACHABLE:
        if (i->code == (ipv6 ? HO_ICMP6_ADDR : HO_ICMP4_HOST)) {
            return "host-unreachable";
        }
        if (i->code == (ipv6 ? HO_ICMP6_NO_ROUTE : HO_ICMP4_NET)) {
            return "net-unreachable";
        }
        if (i->code == (ipv6 ? HO_ICMP6_PORT : HO_ICMP4_PORT)) {
            return "port-unreachable";
        }
        if (i->code == (ipv6 ? HO_ICMP6_ADMIN : HO_ICMP4_ADMIN)) {
            return "admin-prohibited";
        }
        break;
    default:
        break;
    }
    snprintf(text, size, "%u-%u", i->type, i->code);
    return text;
}

/* The connection whose segment the message quotes, and the relative number of that segment. */
static void fill_quote(struct ho_trace *tr, struct ho_record *r, const struct ho_wire_icmp *icmp)
{
    struct ho_play_pair *p;
    struct ho_play_tuple t;
    struct ho_wire_quote q;
    enum ho_wire_drop drop;
    unsigned end;

    if ((icmp->kind != HO_ICMP_UNREACHABLE && icmp->kind != HO_ICMP_TOO_BIG &&
         icmp->kind != HO_ICMP_TIME_EXCEEDED) ||
        ho_wire_icmp_quote(&q, icmp, &drop) != 0 || q.ip.proto != HO_IP_TCP) {
        return;
    }
    t = (struct ho_play_tuple){ q.ip.src, q.ip.dst, q.sport, q.dport };
    p = ho_play_pair_find(tr, &t, &end);
    if (p == NULL || p->now[end] == NULL) {
        return;
    }
    r->conn = p->now[end]->name;
    r->u.icmp.has_seq = true;
    r->u.icmp.seq = relative(&p->now[end]->end[end], q.seq);
}

static uint32_t put_icmp(struct ho_trace *tr, uint16_t node, const struct ho_wire_ip *ip,
                         const struct ho_wire_icmp *icmp, const char *via, const uint8_t *frame,
                         size_t frame_len)
{
    struct ho_record r = { .kind = HO_REC_ICMP, .host = tr->node[node].name };
    char text[16];
    bool ipv6 = ip->version == 6;

    r.u.icmp = (struct ho_rec_icmp){
        .to = via[0] != '\0' ? tr->node[node].name : name_of(tr, &ip->dst),
        .via = via,
        .what = ho_trace_name(tr, icmp_what(icmp, ipv6, text, sizeof(text))),
        .type = icmp->type,
        .code = icmp->code,
        .ipv6 = ipv6,
        .fate = HO_FATE_FWD,
    };
    fill_quote(tr, &r, icmp);
    return put(tr, &r, frame, frame_len);
}

/* What Linux's hosts say of their own accord and the model's do not (play/frames.h). */
static bool is_noise(const struct ho_wire_ip *ip, const struct ho_wire_icmp *icmp)
{
    if (ip->version != 6) {
        return false;
    }
    if (icmp->kind == HO_ICMP_NEIGH_SOLICIT) {
        return ho_addr_is_any(&ip->src);
    }
    return (icmp->type >= MLD_QUERY && icmp->type <= MLD_DONE) || icmp->type == ROUTER_SOLICIT ||
           icmp->type == ROUTER_ADVERT || icmp->type == MLD2_REPORT;
}

static uint32_t put_icmp_or_nd(struct ho_trace *tr, uint16_t node, const struct ho_wire_ip *ip,
                               const uint8_t *bytes, size_t len, const uint8_t *frame,
                               size_t frame_len)
{
    struct ho_wire_icmp icmp;
    enum ho_wire_drop drop;

    if (ho_wire_icmp_read(&icmp, ip, bytes, len, &drop) != 0) {
        return leave_out(&tr->count.unread);
    }
    if (is_noise(ip, &icmp)) {
        return leave_out(&tr->count.noise);
    }
    if (icmp.kind == HO_ICMP_NEIGH_SOLICIT || icmp.kind == HO_ICMP_NEIGH_ADVERT) {
        return put_nd(tr, node, true, icmp.kind == HO_ICMP_NEIGH_ADVERT,
                      ho_addr_is_multicast(&ip->dst), &icmp.target, name_of(tr, &ip->dst), frame,
                      frame_len);
    }
    return put_icmp(tr, node, ip, &icmp, "", frame, frame_len);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static uint32_t put_arp(struct ho_trace *tr, uint16_t node, const struct ho_wire_eth *eth,
                        const uint8_t *frame, size_t frame_len)
{
    struct ho_wire_arp a;
    enum ho_wire_drop drop;

    if (ho_wire_arp_read(&a, frame + HO_ETH_HEADER, frame_len - HO_ETH_HEADER, &drop) != 0) {
        return leave_out(&tr->count.unread);
    }
    if (ho_addr_is_any(&a.sender)) {
        return leave_out(&tr->count.noise);
    }
    return put_nd(tr, node, false, a.reply, ho_mac_is_multicast(&eth->dst),
                  a.reply ? &a.sender : &a.target, name_of(tr, &a.target), frame, frame_len);
}

static uint32_t put_ip(struct ho_trace *tr, uint16_t node, const uint8_t *frame, size_t len)
{
    struct ho_wire_ip ip;
    enum ho_wire_drop drop;
    size_t header;

    if (ho_wire_ip_read(&ip, &header, frame + HO_ETH_HEADER, len - HO_ETH_HEADER, &drop) != 0) {
        return leave_out(&tr->count.unread);
    }
    const uint8_t *payload = frame + HO_ETH_HEADER + header;

    switch (ip.proto) {
    case HO_IP_TCP:
        return put_segment(tr, node, &ip, payload, ip.payload_len, frame, len);
    case HO_IP_ICMP:
    case HO_IP_ICMPV6:
        return put_icmp_or_nd(tr, node, &ip, payload, ip.payload_len, frame, len);
    case IP_IGMP:
        return leave_out(&tr->count.noise);
    default:
        return leave_out(&tr->count.other);
    }
}

uint32_t ho_trace_frame_sent(struct ho_trace *tr, uint16_t node, const uint8_t *bytes, size_t len)
{
    struct ho_wire_eth eth;

    if (tr->tl == NULL) {
        return 0;
    }
    if (ho_wire_eth_read(&eth, bytes, len) != 0) {
        return leave_out(&tr->count.unread);
    }
    switch (eth.type) {
    case HO_ETH_ARP:
        return put_arp(tr, node, &eth, bytes, len);
    case HO_ETH_IPV4:
    case HO_ETH_IPV6:
        return put_ip(tr, node, bytes, len);
    default:
        return leave_out(&tr->count.other);
    }
}

void ho_trace_lo_sent(struct ho_trace *tr, uint16_t node, const uint8_t *packet, size_t len)
{
    struct ho_wire_ip ip;
    struct ho_wire_icmp icmp;
    enum ho_wire_drop drop;
    size_t header;

    if (tr->tl == NULL) {
        return;
    }
    if (ho_wire_ip_read(&ip, &header, packet, len, &drop) != 0) {
        leave_out(&tr->count.unread);
    } else if (ip.proto == HO_IP_TCP) {
        put_segment(tr, node, &ip, packet + header, ip.payload_len, NULL, 0);
    } else if (ip.proto != HO_IP_ICMP && ip.proto != HO_IP_ICMPV6) {
        leave_out(&tr->count.other);
    } else if (ho_wire_icmp_read(&icmp, &ip, packet + header, ip.payload_len, &drop) != 0) {
        leave_out(&tr->count.unread);
    } else if (is_noise(&ip, &icmp)) {
        leave_out(&tr->count.noise);
    } else {
        put_icmp(tr, node, &ip, &icmp, "lo", NULL, 0);
    }
}

/* ---- fates ----------------------------------------------------------------------------------- */

/* Where a frame's record has what becomes of it. */
static void fate_of(struct ho_record *r, enum ho_fate **ret_fate, const char ***ret_via,
                    struct ho_dur **ret_dt)
{
    if (r->kind == HO_REC_SEG) {
        *ret_fate = &r->u.seg.fate;
        *ret_via = &r->u.seg.via;
        *ret_dt = &r->u.seg.dt_deliver;
    } else if (r->kind == HO_REC_ND) {
        *ret_fate = &r->u.nd.fate;
        *ret_via = &r->u.nd.via;
        *ret_dt = &r->u.nd.dt_deliver;
    } else {
        *ret_fate = &r->u.icmp.fate;
        *ret_via = &r->u.icmp.via;
        *ret_dt = &r->u.icmp.dt_deliver;
    }
}

void ho_trace_frame_lost(struct ho_trace *tr, uint32_t index, enum ho_fate fate, const char *via)
{
    struct ho_dur *dt;
    enum ho_fate *f;
    const char **v;

    if (tr->tl == NULL || index == 0) {
        return;
    }
    fate_of(&tr->tl->rec[index - 1], &f, &v, &dt);
    /* One copy of a flooded frame may be lost when another has arrived. */
    if (*f == HO_FATE_FWD && dt->ns == 0) {
        *f = fate;
        *v = via;
    }
}

void ho_trace_frame_arrived(struct ho_trace *tr, uint32_t index)
{
    struct ho_record *r;
    struct ho_dur *dt;
    enum ho_fate *f;
    const char **v;

    if (tr->tl == NULL || index == 0) {
        return;
    }
    r = &tr->tl->rec[index - 1];
    fate_of(r, &f, &v, &dt);
    if (*f == HO_FATE_LOST || (*f == HO_FATE_FWD && dt->ns != 0)) {
        return; /* damaged on its way, or a copy of what is there already */
    }
    *f = HO_FATE_FWD;
    *v = "";
    *dt = ho_time_since(tr->now, r->t);
}
