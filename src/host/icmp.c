/* ICMP and ICMPv6: echo, errors out (with Linux's rate limit) and errors in.
 *
 * An error about a packet of our own goes to ourselves, over lo: that is how TCP hears that a
 * neighbour does not answer (ground-truth A4). Errors in become an errno by Linux's tables
 * (icmp_err_convert, tab_unreach) and are handed to the connection that is quoted.
 *
 * RFC 792, RFC 1122 3.2.2, RFC 1812 4.3, RFC 4443; ip-sysctl.rst icmp_ratelimit, icmp_ratemask.
 */

#include <errno.h>

#include "host/machine.h"

#define BURST 6u             /* Linux XRLIM_BURST_FACTOR: messages a peer gets at once */
#define ICMP6_TOO_BIG_TYPE 2 /* RFC 4443 3.2: never limited in Linux */

/* What a code of "destination unreachable" says to a connection. */
struct meaning {
    int err;
    bool fatal;
};

static const struct meaning v4_unreachable[16] = {
    { ENETUNREACH, false },  /* net */
    { EHOSTUNREACH, false }, /* host */
    { ENOPROTOOPT, true },   /* protocol */
    { ECONNREFUSED, true },  /* port */
    { EMSGSIZE, false },     /* fragmentation needed */
    { EOPNOTSUPP, false },   /* source route failed */
    { ENETUNREACH, true },   /* network unknown */
    { EHOSTUNREACH, true },  /* host unknown; Linux: EHOSTDOWN, which ISO C does not know */
    { EHOSTUNREACH, true },  /* isolated; Linux: ENONET */
    { ENETUNREACH, true },   /* network prohibited */
    { EHOSTUNREACH, true },  /* host prohibited */
    { ENETUNREACH, false },  /* net, for this type of service */
    { EHOSTUNREACH, false }, /* host, for this type of service */
    { EHOSTUNREACH, true },  /* filtered */
    { EHOSTUNREACH, true },  /* precedence violation */
    { EHOSTUNREACH, true }   /* precedence cut-off */
};

static const struct meaning v6_unreachable[7] = {
    { ENETUNREACH, false },  /* no route */
    { EACCES, true },        /* prohibited */
    { EHOSTUNREACH, false }, /* beyond scope */
    { EHOSTUNREACH, false }, /* address */
    { ECONNREFUSED, true },  /* port */
    { EACCES, true },        /* policy */
    { EACCES, true }         /* route rejected */
};

struct ho_buf *ho_icmp_write(struct ho_host *h, const struct ho_wire_icmp *m,
                             const struct ho_addr *src, const struct ho_addr *dst)
{
    size_t size = ho_wire_icmp_size(m);
    struct ho_buf *b = ho_buf_get(h->conf.bufs, HO_TCP_HEADROOM, size);

    if (b == NULL) {
        ho_machine_count(h, HO_HOST_COUNT_DROP_NO_MEMORY);
        return NULL;
    }
    ho_wire_icmp_write(m, src, dst, ho_buf_bytes(b));
    b->len = (uint16_t)size;
    ho_machine_count(h, HO_HOST_COUNT_ICMP_OUT);
    return b;
}

/* ---- out ------------------------------------------------------------------------------------ */

static struct ho_icmp_peer *peer_of(struct ho_host *h, const struct ho_addr *a, uint64_t now_j)
{
    for (unsigned i = 0; i < HO_ICMP_PEERS; i++) {
        if (h->icmp_peer[i].used && ho_addr_eq(&h->icmp_peer[i].addr, a)) {
            return &h->icmp_peer[i];
        }
    }
    struct ho_icmp_peer *p = &h->icmp_peer[h->icmp_next++ % HO_ICMP_PEERS];
    *p = (struct ho_icmp_peer){
        .addr = *a, .used = true, .last_j = now_j, .tokens_j = UINT64_MAX / 2
    };
    return p;
}

/* Linux: inet_peer_xrlim_allow(), a bucket of tokens for each peer. */
static bool allowed(struct ho_host *h, const struct ho_addr *to, enum ho_icmp_kind kind,
                    struct ho_time now)
{
    bool v4 = ho_addr_is_v4(to);
    unsigned type = kind == HO_ICMP_TIME_EXCEEDED ? 11 : 3;
    int64_t limit_ms = h->sys.v[v4 ? HO_SYSCTL_ICMP_RATELIMIT : HO_SYSCTL_ICMP6_RATELIMIT];

    if (limit_ms == 0 || (v4 && (h->sys.v[HO_SYSCTL_ICMP_RATEMASK] >> type & 1) == 0) ||
        (!v4 && kind == HO_ICMP_TOO_BIG)) {
        return true;
    }
    uint64_t now_j = ho_clk_jiffies(&h->clk, now);
    uint64_t price = ho_clk_dur_jiffies(&h->clk, ho_ms(limit_ms));
    struct ho_icmp_peer *p = peer_of(h, to, now_j);
    uint64_t tokens = p->tokens_j + (now_j - p->last_j);
    if (tokens > BURST * price) {
        tokens = BURST * price;
    }
    p->last_j = now_j;
    p->tokens_j = tokens >= price ? tokens - price : tokens;
    return tokens >= price;
}

/* RFC 1122 3.2.2: no error about an error, nor about what nobody in particular has sent. */
static bool may_report(const struct ho_wire_ip *ip, const uint8_t *payload, size_t len)
{
    if (ho_addr_is_any(&ip->src) || ho_addr_is_multicast(&ip->src) ||
        ho_addr_is_multicast(&ip->dst)) {
        return false;
    }
    if (ip->proto == HO_IP_ICMP) {
        return len > 0 && (payload[0] == 8 || payload[0] == 0);
    }
    if (ip->proto == HO_IP_ICMPV6) {
        return len > 0 && payload[0] >= 128; /* RFC 4443 2.1: errors are below */
    }
    return true;
}

void ho_icmp_error(struct ho_host *h, struct ho_buf *packet, enum ho_icmp_kind kind, uint8_t code,
                   uint32_t mtu, struct ho_time now)
{
    struct ho_wire_icmp m = { .kind = kind, .code = code, .mtu = mtu };
    struct ho_wire_ip ip;
    struct ho_addr src;
    struct ho_hop hop;
    enum ho_wire_drop why;
    size_t header;

    if (ho_wire_ip_read(&ip, &header, ho_buf_bytes(packet), packet->len, &why) != 0 ||
        !may_report(&ip, ho_buf_bytes(packet) + header, ip.payload_len) ||
        ho_route_find(h, NULL, &ip.src, &hop) != 0 ||
        ho_route_source(h, &ip.src, &hop, &src) != 0) {
        return;
    }
    if (hop.nic != HO_NIC_LO && !allowed(h, &ip.src, kind, now)) {
        ho_machine_count(h, HO_HOST_COUNT_ICMP_RATE);
        return;
    }
    size_t most = ip.version == 4 ? HO_ICMP4_QUOTE : HO_ICMP6_QUOTE;
    size_t whole = header + ip.payload_len;
    m.body = ho_buf_bytes(packet);
    m.body_len = whole < most ? whole : most;
    struct ho_buf *b = ho_icmp_write(h, &m, &src, &ip.src);
    if (b != NULL) {
        if (kind == HO_ICMP_UNREACHABLE) {
            ho_machine_count(h, HO_HOST_COUNT_ICMP_OUT_UNREACH);
        }
        ho_ip_send(h, &src, &ip.src, ip.version == 4 ? HO_IP_ICMP : HO_IP_ICMPV6, b, now);
    }
}

/* ---- in ------------------------------------------------------------------------------------- */

static void echo(struct ho_host *h, const struct ho_wire_ip *ip, const struct ho_wire_icmp *m,
                 struct ho_time now)
{
    struct ho_wire_icmp reply = *m;

    ho_machine_count(h, HO_HOST_COUNT_ICMP_IN_ECHO);
    if (ho_addr_is_multicast(&ip->dst)) {
        return; /* icmp_echo_ignore_broadcasts=1 */
    }
    reply.kind = HO_ICMP_ECHO_REPLY;
    struct ho_buf *b = ho_icmp_write(h, &reply, &ip->dst, &ip->src);
    if (b != NULL) {
        ho_ip_send(h, &ip->dst, &ip->src, ip->version == 4 ? HO_IP_ICMP : HO_IP_ICMPV6, b, now);
    }
}

/* What the message says to a connection; err 0: nothing. */
static struct meaning meaning_of(const struct ho_wire_icmp *m, bool v4)
{
    struct meaning none = { 0, false };

    switch (m->kind) {
    case HO_ICMP_UNREACHABLE:
        if (v4) {
            return m->code < 16 ? v4_unreachable[m->code] : none;
        }
        return m->code < 7 ? v6_unreachable[m->code] : (struct meaning){ EPROTO, true };
    case HO_ICMP_TIME_EXCEEDED:
        return (struct meaning){ EHOSTUNREACH, false };
    case HO_ICMP_OTHER: /* parameter problem: ICMP 12, ICMPv6 4 */
        return m->type == (v4 ? 12 : 4) ? (struct meaning){ EPROTO, !v4 } : none;
    default:
        return none;
    }
}

/* Path MTU (RFC 1191 6.1, RFC 8201 5.2): new segments are cut to it. */
static void too_big(struct ho_host *h, const struct ho_wire_quote *q, uint32_t mtu)
{
    struct ho_way *way = ho_way_find(h, &q->ip.src, &q->ip.dst);
    uint32_t least = q->ip.version == 4 ? 552 : 1280; /* net.ipv4.route.min_pmtu; RFC 8200 5 */

    mtu = mtu > least ? mtu : least;
    if (way != NULL && mtu < way->path.mtu) {
        way->path.mtu = (uint16_t)mtu;
    }
}

static void on_error(struct ho_host *h, const struct ho_wire_icmp *m, bool v4, struct ho_time now)
{
    struct meaning what = meaning_of(m, v4);
    struct ho_wire_quote q;
    enum ho_wire_drop why;

    if (what.err == 0 && m->kind != HO_ICMP_TOO_BIG) {
        return;
    }
    if (ho_wire_icmp_quote(&q, m, &why) != 0) {
        h->drop[why]++;
        return;
    }
    if (q.ip.proto != HO_IP_TCP || ho_addr_is_v4(&q.ip.src) != v4) {
        ho_machine_count(h, HO_HOST_COUNT_ICMP_NO_SOCKET);
        return;
    }
    if (m->kind == HO_ICMP_TOO_BIG) {
        too_big(h, &q, m->mtu);
        return;
    }
    /* tcp_v4_err() ends a request for what it only notes for a connection; tcp_v6_err() does not.
     */
    bool ends_request =
        v4 ? m->kind != HO_ICMP_UNREACHABLE || m->code == HO_ICMP4_NET || m->code == HO_ICMP4_HOST
           : what.fatal;
    ho_tcp_quoted(h, &q, what.err, what.fatal, ends_request, now);
}

void ho_icmp_input(struct ho_host *h, int nic, const struct ho_wire_ip *ip, struct ho_buf *b,
                   struct ho_time now)
{
    struct ho_wire_icmp m;
    enum ho_wire_drop why;

    ho_machine_count(h, HO_HOST_COUNT_ICMP_IN);
    if (ho_wire_icmp_read(&m, ip, ho_buf_bytes(b), b->len, &why) != 0) {
        h->drop[why]++;
        ho_buf_put(h->conf.bufs, b);
        return;
    }
    if (m.kind == HO_ICMP_UNREACHABLE) {
        ho_machine_count(h, HO_HOST_COUNT_ICMP_IN_UNREACH);
    }
    if (m.kind == HO_ICMP_ECHO) {
        echo(h, ip, &m, now);
    } else if (m.kind == HO_ICMP_NEIGH_SOLICIT || m.kind == HO_ICMP_NEIGH_ADVERT) {
        ho_nd_input(h, nic, ip, &m, now);
    } else {
        on_error(h, &m, ip->version == 4, now);
    }
    ho_buf_put(h->conf.bufs, b);
}
