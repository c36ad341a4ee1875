/* See os/diag_read.h. Nothing is trusted: every length is checked before it is used. */

#include "os/diag_read.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <string.h>

#include "knobs/state.h"

#define ATTRIBUTE_TYPE 0x3fffU /* linux/netlink.h: NLA_TYPE_MASK */
#define NEW_SYN_RECV 12        /* include/net/tcp_states.h: a request before its last ACK */

/* ---- a socket -------------------------------------------------------------------------------- */

/* tcpi_total_rto, tcpi_total_rto_recoveries, tcpi_total_rto_time came with Linux 6.7, behind
 * tcpi_rehash; the headers here do not name them.
 */
static void read_rto_time(struct ho_os_tcp_info *i, const void *data, size_t len, size_t at)
{
    struct {
        uint16_t timeouts, recoveries;
        uint32_t time_ms;
    } rto;

    if (len < at + sizeof(rto)) {
        return;
    }
    memcpy(&rto, (const char *)data + at, sizeof(rto));
    i->has_rto_time = true;
    i->rto_recoveries = rto.recoveries;
    i->rto_time_ms = rto.time_ms;
}

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

    i->has_snd_wnd = len >= at;
    if (len >= at + sizeof(i->rcv_wnd)) {
        memcpy(&i->rcv_wnd, (const char *)data + at, sizeof(i->rcv_wnd));
    }
    read_rto_time(i, data, len, at + 2 * sizeof(uint32_t));
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

static void read_attribute(struct ho_os_sock *s, unsigned type, const void *b, size_t len)
{
    switch (type) {
    case INET_DIAG_INFO:
        s->has_info = len > 0;
        read_info(&s->info, b, len);
        break;
    case INET_DIAG_SKMEMINFO:
        read_skmem(s, b, len);
        break;
    case INET_DIAG_CONG:
        memset(s->congestion, 0, sizeof(s->congestion));
        memcpy(s->congestion, b, len < sizeof(s->congestion) ? len : sizeof(s->congestion) - 1);
        break;
    case INET_DIAG_SHUTDOWN:
        s->shutdown = len >= 1 ? *(const uint8_t *)b : 0;
        break;
    default:
        break;
    }
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

/* RFC 3549 2.2: each attribute says its length, and the next begins at a multiple of 4. */
static int read_attributes(struct ho_os_sock *s, const uint8_t *at, size_t left)
{
    while (left >= sizeof(struct nlattr)) {
        struct nlattr a;

        memcpy(&a, at, sizeof(a));
        if (a.nla_len < sizeof(a) || a.nla_len > left) {
            return -EBADMSG;
        }
        read_attribute(s, a.nla_type & ATTRIBUTE_TYPE, at + sizeof(a), a.nla_len - sizeof(a));
        size_t step = ((size_t)a.nla_len + 3) & ~(size_t)3;

        step = step < left ? step : left;
        at += step;
        left -= step;
    }
    return 0;
}

static int read_sock(struct ho_os_sock *ret, const uint8_t *at, size_t len)
{
    struct inet_diag_msg m;

    if (len < sizeof(m)) {
        return -EBADMSG;
    }
    memcpy(&m, at, sizeof(m));
    if ((m.idiag_family != AF_INET && m.idiag_family != AF_INET6) || m.idiag_state == 0 ||
        m.idiag_state > NEW_SYN_RECV || m.idiag_timer >= HO_SOCK_TIMER_COUNT) {
        return -EBADMSG;
    }
    struct ho_os_sock s = {
        .local = read_addr(m.idiag_family, m.id.idiag_src),
        .remote = read_addr(m.idiag_family, m.id.idiag_dst),
        .lport = ntohs(m.id.idiag_sport),
        .rport = ntohs(m.id.idiag_dport),
        .ifindex = (int)m.id.idiag_if,
        .ipv6 = m.idiag_family == AF_INET6,
        .state = m.idiag_state == NEW_SYN_RECV ? HO_TCP_SYN_RECV : m.idiag_state,
        .timer = m.idiag_timer,
        .retrans = m.idiag_retrans,
        .expires_ms = m.idiag_expires,
        .rqueue = m.idiag_rqueue,
        .wqueue = m.idiag_wqueue,
        .uid = m.idiag_uid,
        .inode = m.idiag_inode,
        .cookie = (uint64_t)m.id.idiag_cookie[1] << 32 | m.id.idiag_cookie[0],
    };
    size_t head = NLMSG_ALIGN(sizeof(m));
    int err = read_attributes(&s, at + head, len > head ? len - head : 0);

    if (err == 0) {
        *ret = s;
    }
    return err;
}

/* ---- messages -------------------------------------------------------------------------------- */

void ho_os_diag_reader_feed(struct ho_os_diag_reader *r, const void *bytes, size_t len)
{
    r->at = bytes;
    r->left = len;
}

/* The errno in NLMSG_ERROR and at the end of NLMSG_DONE; 0 where there is none. */
static int read_errno(const uint8_t *at, size_t len)
{
    int32_t err = 0;

    if (len >= sizeof(err)) {
        memcpy(&err, at, sizeof(err));
    }
    return err > 0 || err < -4095 ? -EBADMSG : err; /* include/linux/err.h: MAX_ERRNO */
}

/* Returns 1 with a socket; 0: look at the next one; otherwise what the caller gets. */
static int read_message(struct ho_os_sock *ret, const struct nlmsghdr *h, const uint8_t *body,
                        size_t len)
{
    int err;

    switch (h->nlmsg_type) {
    case NLMSG_DONE:
        err = read_errno(body, len);
        return err != 0 ? err : HO_OS_DIAG_DONE;
    case NLMSG_ERROR:
        err = len < sizeof(int32_t) ? -EBADMSG : read_errno(body, len);
        return err != 0 ? err : HO_OS_DIAG_DONE; /* errno 0: an acknowledgement */
    case SOCK_DIAG_BY_FAMILY:
        err = read_sock(ret, body, len);
        return err != 0 ? err : 1;
    default:
        return 0;
    }
}

int ho_os_diag_reader_next(struct ho_os_diag_reader *r, struct ho_os_sock *ret)
{
    int got = 0;

    while (got == 0 && r->left > 0) {
        struct nlmsghdr h;

        if (r->left < sizeof(h)) {
            return -EBADMSG;
        }
        memcpy(&h, r->at, sizeof(h));
        if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > r->left) {
            return -EBADMSG;
        }
        const uint8_t *body = r->at + NLMSG_HDRLEN;
        size_t len = h.nlmsg_len - NLMSG_HDRLEN;
        size_t step = ((size_t)h.nlmsg_len + 3) & ~(size_t)3;

        step = step < r->left ? step : r->left;
        r->at += step;
        r->left -= step;
        if (h.nlmsg_seq == r->seq && h.nlmsg_pid == r->port) {
            r->disturbed = r->disturbed || (h.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            got = read_message(ret, &h, body, len);
            got = got == HO_OS_DIAG_DONE && r->disturbed ? -EINTR : got;
        }
    }
    return got;
}
