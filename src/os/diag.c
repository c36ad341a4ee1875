/* sock_diag(7): SOCK_DIAG_BY_FAMILY and SOCK_DESTROY by libmnl. See os/diag.h. */

#include "os/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "os/nl.h"

#define DUMP_TRIES 8
#define DESTROY_ROUNDS 16
#define DESTROY_AT_ONCE 256
#define NEW_SYN_RECV 12 /* include/net/tcp_states.h: a request before its last ACK */
#define SYN_RECV 3
#define LISTEN 10
#define ALL \
    ((1U << (NEW_SYN_RECV + 1)) - 1) /* but sockets that are only bound: Linux 6.8 has them */
#define CONNECTED (ALL & ~(1U << LISTEN))

struct ho_os_diag {
    struct ho_os_nl *nl;
};

int ho_os_diag_open(struct ho_os_diag **ret, int netns)
{
    struct ho_os_diag *d = calloc(1, sizeof(*d));

    if (d == NULL) {
        return -ENOMEM;
    }
    int err = ho_os_nl_open(&d->nl, netns, NETLINK_SOCK_DIAG, 0);

    if (err != 0) {
        free(d);
        return err;
    }
    *ret = d;
    return 0;
}

void ho_os_diag_close(struct ho_os_diag *d)
{
    if (d != NULL) {
        ho_os_nl_close(d->nl);
        free(d);
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

/* struct tcp_info grows with each kernel: what this one does not say stays 0. */
static void read_info(struct ho_os_tcp_info *i, const void *data, size_t len)
{
    struct tcp_info t;

    memset(&t, 0, sizeof(t));
    memcpy(&t, data, len < sizeof(t) ? len : sizeof(t));
    *i = (struct ho_os_tcp_info){
        .ca_state = t.tcpi_ca_state,
        .retransmits = t.tcpi_retransmits,
        .probes = t.tcpi_probes,
        .backoff = t.tcpi_backoff,
        .options = t.tcpi_options,
        .snd_wscale = t.tcpi_snd_wscale,
        .rcv_wscale = t.tcpi_rcv_wscale,
        .rto_us = t.tcpi_rto,
        .ato_us = t.tcpi_ato,
        .snd_mss = t.tcpi_snd_mss,
        .rcv_mss = t.tcpi_rcv_mss,
        .unacked = t.tcpi_unacked,
        .sacked = t.tcpi_sacked,
        .lost = t.tcpi_lost,
        .retrans = t.tcpi_retrans,
        .last_data_sent_ms = t.tcpi_last_data_sent,
        .last_data_recv_ms = t.tcpi_last_data_recv,
        .last_ack_recv_ms = t.tcpi_last_ack_recv,
        .pmtu = t.tcpi_pmtu,
        .rcv_ssthresh = t.tcpi_rcv_ssthresh,
        .rtt_us = t.tcpi_rtt,
        .rttvar_us = t.tcpi_rttvar,
        .snd_ssthresh = t.tcpi_snd_ssthresh,
        .snd_cwnd = t.tcpi_snd_cwnd,
        .advmss = t.tcpi_advmss,
        .reordering = t.tcpi_reordering,
        .rcv_rtt_us = t.tcpi_rcv_rtt,
        .rcv_space = t.tcpi_rcv_space,
        .total_retrans = t.tcpi_total_retrans,
        .notsent_bytes = t.tcpi_notsent_bytes,
        .min_rtt_us = t.tcpi_min_rtt,
        .snd_wnd = t.tcpi_snd_wnd,
        .segs_out = t.tcpi_segs_out,
        .segs_in = t.tcpi_segs_in,
        .data_segs_in = t.tcpi_data_segs_in,
        .data_segs_out = t.tcpi_data_segs_out,
        .delivered = t.tcpi_delivered,
        .rcv_ooopack = t.tcpi_rcv_ooopack,
        .reord_seen = t.tcpi_reord_seen,
        .bytes_acked = t.tcpi_bytes_acked,
        .bytes_received = t.tcpi_bytes_received,
        .bytes_sent = t.tcpi_bytes_sent,
        .bytes_retrans = t.tcpi_bytes_retrans,
        .busy_time_us = t.tcpi_busy_time,
    };
    /* tcpi_rcv_wnd came with Linux 6.2, behind tcpi_snd_wnd; older headers do not name it. */
    size_t at = offsetof(struct tcp_info, tcpi_snd_wnd) + sizeof(t.tcpi_snd_wnd);

    if (len >= at + sizeof(i->rcv_wnd)) {
        memcpy(&i->rcv_wnd, (const char *)data + at, sizeof(i->rcv_wnd));
    }
}

static void read_skmem(struct ho_os_sock *s, const void *data, size_t len)
{
    uint32_t m[SK_MEMINFO_VARS];

    memset(m, 0, sizeof(m));
    memcpy(m, data, len < sizeof(m) ? len : sizeof(m));
    s->has_skmem = true;
    s->rmem_alloc = m[SK_MEMINFO_RMEM_ALLOC];
    s->rcvbuf = m[SK_MEMINFO_RCVBUF];
    s->wmem_alloc = m[SK_MEMINFO_WMEM_ALLOC];
    s->sndbuf = m[SK_MEMINFO_SNDBUF];
    s->fwd_alloc = m[SK_MEMINFO_FWD_ALLOC];
    s->wmem_queued = m[SK_MEMINFO_WMEM_QUEUED];
    s->optmem = m[SK_MEMINFO_OPTMEM];
    s->backlog = m[SK_MEMINFO_BACKLOG];
    s->drops = m[SK_MEMINFO_DROPS];
}

static int see_attribute(const struct nlattr *a, void *data)
{
    struct ho_os_sock *s = data;
    const void *b = mnl_attr_get_payload(a);
    size_t len = mnl_attr_get_payload_len(a);

    switch (mnl_attr_get_type(a)) {
    case INET_DIAG_INFO:
        s->has_info = len > 0;
        read_info(&s->info, b, len);
        break;
    case INET_DIAG_SKMEMINFO:
        read_skmem(s, b, len);
        break;
    case INET_DIAG_CONG:
        memcpy(s->congestion, b, len < sizeof(s->congestion) ? len : sizeof(s->congestion) - 1);
        break;
    case INET_DIAG_SHUTDOWN:
        s->shutdown = mnl_attr_get_u8(a);
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

static struct ho_addr read_addr(unsigned family, const __be32 from[4])
{
    struct ho_addr a;
    uint8_t b[16];

    memcpy(b, from, sizeof(b));
    if (family == AF_INET) {
        return ho_addr_v4(b[0], b[1], b[2], b[3]);
    }
    memcpy(a.b, b, sizeof(b));
    return a;
}

static void read_sock(struct ho_os_sock *s, const struct nlmsghdr *h)
{
    const struct inet_diag_msg *m = mnl_nlmsg_get_payload(h);

    *s = (struct ho_os_sock){
        .local = read_addr(m->idiag_family, m->id.idiag_src),
        .remote = read_addr(m->idiag_family, m->id.idiag_dst),
        .lport = ntohs(m->id.idiag_sport),
        .rport = ntohs(m->id.idiag_dport),
        .ifindex = (int)m->id.idiag_if,
        .ipv6 = m->idiag_family == AF_INET6,
        .state = m->idiag_state == NEW_SYN_RECV ? SYN_RECV : m->idiag_state,
        .timer = m->idiag_timer,
        .retrans = m->idiag_retrans,
        .expires_ms = m->idiag_expires,
        .rqueue = m->idiag_rqueue,
        .wqueue = m->idiag_wqueue,
        .uid = m->idiag_uid,
        .inode = m->idiag_inode,
        .cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0],
    };
    (void)mnl_attr_parse(h, sizeof(*m), see_attribute, s);
}

struct sock_list {
    struct ho_os_sock *to;
    size_t n, max;
};

static int see_sock(const struct nlmsghdr *h, void *data)
{
    struct sock_list *l = data;

    if (l->n < l->max) {
        read_sock(&l->to[l->n], h);
    }
    l->n++;
    return MNL_CB_OK;
}

static int dump_family(struct ho_os_diag *d, uint8_t family, uint32_t states, struct sock_list *l)
{
    struct nlmsghdr *h = ho_os_nl_begin(d->nl, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
    struct inet_diag_req_v2 *q = mnl_nlmsg_put_extra_header(h, sizeof(*q));

    q->sdiag_family = family;
    q->sdiag_protocol = IPPROTO_TCP;
    q->idiag_ext = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_SKMEMINFO - 1) |
                   1 << (INET_DIAG_CONG - 1) | 1 << (INET_DIAG_SHUTDOWN - 1);
    q->idiag_states = states;
    return ho_os_nl_ask(d->nl, see_sock, l);
}

static int dump(struct ho_os_diag *d, uint32_t states, struct ho_os_sock *ret, size_t max)
{
    struct sock_list l = { .to = ret, .max = max };
    int err = -EINTR;

    for (int i = 0; err == -EINTR && i < DUMP_TRIES; i++) {
        l.n = 0;
        err = dump_family(d, AF_INET, states, &l);
        if (err == 0) {
            err = dump_family(d, AF_INET6, states, &l);
            err = err == -ENOENT ? 0 : err; /* a kernel without IPv6 */
        }
    }
    return err != 0 ? err : (int)l.n;
}

int ho_os_diag_dump(struct ho_os_diag *d, struct ho_os_sock *ret, size_t max)
{
    return dump(d, ALL, ret, max);
}

int ho_os_diag_connections(struct ho_os_diag *d, struct ho_os_sock *ret, size_t max)
{
    return dump(d, CONNECTED, ret, max);
}

/* ---- destroying ------------------------------------------------------------------------------ */

static void write_addr(bool ipv6, const struct ho_addr *a, __be32 to[4])
{
    if (ipv6) {
        memcpy(to, a->b, 16);
    } else {
        memcpy(to, a->b + 12, 4);
    }
}

int ho_os_diag_destroy(struct ho_os_diag *d, const struct ho_os_sock *s)
{
    struct nlmsghdr *h = ho_os_nl_begin(d->nl, SOCK_DESTROY, 0);
    struct inet_diag_req_v2 *q = mnl_nlmsg_put_extra_header(h, sizeof(*q));

    q->sdiag_family = s->ipv6 ? AF_INET6 : AF_INET;
    q->sdiag_protocol = IPPROTO_TCP;
    q->idiag_states = ~0U;
    q->id.idiag_sport = htons(s->lport);
    q->id.idiag_dport = htons(s->rport);
    write_addr(s->ipv6, &s->local, q->id.idiag_src);
    write_addr(s->ipv6, &s->remote, q->id.idiag_dst);
    q->id.idiag_if = (uint32_t)s->ifindex;
    q->id.idiag_cookie[0] = (uint32_t)s->cookie;
    q->id.idiag_cookie[1] = (uint32_t)(s->cookie >> 32);
    return ho_os_nl_ask(d->nl, NULL, NULL);
}

/* In rounds: ending a listener ends what waits in its queue, and more than one buffer may be there.
 */
int ho_os_diag_destroy_all(struct ho_os_diag *d)
{
    struct ho_os_sock *list = calloc(DESTROY_AT_ONCE, sizeof(*list));
    int ended = 0;
    int ret = list == NULL ? -ENOMEM : 0;

    for (int round = 0; ret == 0 && round < DESTROY_ROUNDS; round++) {
        int before = ended;
        int n = ho_os_diag_dump(d, list, DESTROY_AT_ONCE);

        if (n < 0) {
            ret = n;
        }
        for (int i = 0; i < n && i < DESTROY_AT_ONCE; i++) {
            int err = ho_os_diag_destroy(d, &list[i]);

            ended += err == 0;
            ret = err == -EPERM || err == -EOPNOTSUPP ? err : ret;
        }
        if (ended == before) {
            break;
        }
    }
    free(list);
    return ret != 0 ? ret : ended;
}
