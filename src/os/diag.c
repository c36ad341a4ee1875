/* sock_diag(7): SOCK_DIAG_BY_FAMILY and SOCK_DESTROY by libmnl. See os/diag.h. */

#include "os/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "knobs/state.h"
#include "os/nl.h"

#define DUMP_TRIES 8
#define DESTROY_ROUNDS 16
#define DESTROY_AT_ONCE 256
#define NEW_SYN_RECV 12 /* include/net/tcp_states.h: a request before its last ACK */
#define ALL \
    ((1U << (NEW_SYN_RECV + 1)) - 1) /* but sockets that are only bound: Linux 6.8 has them */
#define CONNECTED (ALL & ~(1U << HO_TCP_LISTEN))

struct ho_os_diag {
    struct ho_os_nl *nl;
    struct ho_os_diag_reader reader;
    uint32_t states; /* of the dump that is under way, with the kernel's numbers */
    uint8_t ext;     /* what it tells besides */
    uint8_t family;  /* AF_UNSPEC: no dump is under way */
    bool disturbed;
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

static int ask(struct ho_os_diag *d)
{
    struct nlmsghdr *h = ho_os_nl_begin(d->nl, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
    struct inet_diag_req_v2 *q = mnl_nlmsg_put_extra_header(h, sizeof(*q));

    q->sdiag_family = d->family;
    q->sdiag_protocol = IPPROTO_TCP;
    q->idiag_ext = d->ext;
    q->idiag_states = d->states;
    d->reader = (struct ho_os_diag_reader){
        .seq = h->nlmsg_seq,
        .port = mnl_socket_get_portid(d->nl->socket),
    };
    return mnl_socket_sendto(d->nl->socket, h, h->nlmsg_len) < 0 ? -errno : 0;
}

int ho_os_diag_start(struct ho_os_diag *d, uint32_t states, bool brief)
{
    d->family = AF_INET;
    d->disturbed = false;
    d->states = states | ((states >> HO_TCP_SYN_RECV & 1) << NEW_SYN_RECV);
    d->ext = 1 << (INET_DIAG_INFO - 1);
    if (!brief) {
        d->ext |= 1 << (INET_DIAG_SKMEMINFO - 1) | 1 << (INET_DIAG_CONG - 1);
    }
    return ask(d);
}

/* A datagram of the kernel's: its address is 0 (netlink(7)); another sender's is passed over. */
static int receive(struct ho_os_diag *d)
{
    struct sockaddr_nl from = { .nl_pid = 1 };
    struct iovec v = { .iov_base = d->nl->in, .iov_len = sizeof(d->nl->in) };
    struct msghdr m = {
        .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &v, .msg_iovlen = 1
    };
    ssize_t n = recvmsg(mnl_socket_get_fd(d->nl->socket), &m, 0);

    if (n < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    if (n == 0 || (m.msg_flags & MSG_TRUNC) != 0) {
        return -EBADMSG;
    }
    ho_os_diag_reader_feed(&d->reader, d->nl->in, from.nl_pid == 0 ? (size_t)n : 0);
    return 0;
}

/* IPv4 is done: IPv6 comes, or the end. */
static int next_family(struct ho_os_diag *d)
{
    if (d->family == AF_INET) {
        d->family = AF_INET6;
        return ask(d);
    }
    d->family = AF_UNSPEC;
    return 0;
}

int ho_os_diag_next(struct ho_os_diag *d, struct ho_os_sock *ret)
{
    int got = 0;

    while (d->family != AF_UNSPEC && got == 0) {
        got = ho_os_diag_reader_next(&d->reader, ret);
        if (got == 0) {
            got = receive(d);
        } else if (got == -ENOENT) { /* a kernel without IPv6, or without TCP in sock_diag */
            got = d->family == AF_INET ? -EPROTONOSUPPORT : next_family(d);
        } else if (got == HO_OS_DIAG_DONE || got == -EINTR) {
            d->disturbed = d->disturbed || got == -EINTR;
            got = next_family(d);
        }
    }
    if (got == 0 && d->disturbed) {
        d->disturbed = false;
        return -EINTR;
    }
    return got;
}

static int dump_once(struct ho_os_diag *d, uint32_t states, struct ho_os_sock *ret, size_t max)
{
    struct ho_os_sock s;
    size_t n = 0;
    int got = ho_os_diag_start(d, states, false);

    got = got == 0 ? 1 : got;
    while (got == 1) {
        got = ho_os_diag_next(d, &s);
        if (got == 1) {
            if (n < max) {
                ret[n] = s;
            }
            n++;
        }
    }
    return got < 0 ? got : (int)n;
}

static int dump(struct ho_os_diag *d, uint32_t states, struct ho_os_sock *ret, size_t max)
{
    int got = -EINTR;

    for (int i = 0; got == -EINTR && i < DUMP_TRIES; i++) {
        got = dump_once(d, states, ret, max);
    }
    return got;
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
