/* Calls that never wait, as system calls: what src/program asks for in Linux's form and back. */

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/info.h"
#include "kernel/agent_child.h"
#include "knobs/sockopt.h"

/* ---- addresses ------------------------------------------------------------------------------- */

socklen_t agent_to_sockaddr(struct sockaddr_storage *ret, const struct ho_addr *addr, uint16_t port,
                            bool ipv6)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };

    memset(ret, 0, sizeof(*ret));
    if (ipv6) {
        memcpy(&six.sin6_addr, addr->b, sizeof(addr->b));
        memcpy(ret, &six, sizeof(six));
        return sizeof(six);
    }
    memcpy(&four.sin_addr, addr->b + 12, 4); /* ::ffff:a.b.c.d */
    memcpy(ret, &four, sizeof(four));
    return sizeof(four);
}

void agent_from_sockaddr(const struct sockaddr_storage *sa, struct ho_addr *ret_addr,
                         uint16_t *ret_port)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;

    if (sa->ss_family == AF_INET6) {
        memcpy(&six, sa, sizeof(six));
        memcpy(ret_addr->b, &six.sin6_addr, sizeof(ret_addr->b));
        *ret_port = ntohs(six.sin6_port);
        return;
    }
    memcpy(&four, sa, sizeof(four));
    *ret_addr = ho_addr_v4(0, 0, 0, 0);
    memcpy(ret_addr->b + 12, &four.sin_addr, 4);
    *ret_port = ntohs(four.sin_port);
}

/* ---- socket options -------------------------------------------------------------------------- */

static int64_t result(int ret)
{
    return ret < 0 ? -errno : ret;
}

static int64_t call_setsockopt(const struct ho_op *op)
{
    const struct ho_sockopt_info *info;
    const char *word;
    int number;

    if (op->opt < 0 || op->opt >= HO_SOCKOPT_COUNT) {
        return -ENOPROTOOPT;
    }
    info = ho_sockopt_info((enum ho_sockopt)op->opt);
    if (info->type == HO_SOCKOPT_TYPE_LINGER) {
        struct linger linger = { .l_onoff = op->value[0] != 0, .l_linger = (int)op->value[1] };

        return result(setsockopt(op->fd, (int)info->level, info->number, &linger, sizeof(linger)));
    }
    if (info->type == HO_SOCKOPT_TYPE_NAME) {
        word = ho_sysctl_word(HO_SYSCTL_TCP_CONGESTION_CONTROL, op->value[0]);
        return word == NULL ? -ENOENT
                            : result(setsockopt(op->fd, (int)info->level, info->number, word,
                                                (socklen_t)strlen(word)));
    }
    if (op->value[0] < INT32_MIN || op->value[0] > INT32_MAX) {
        return -EINVAL;
    }
    number = (int)op->value[0];
    return result(setsockopt(op->fd, (int)info->level, info->number, &number, sizeof(number)));
}

/* What TCP_INFO alone does not say (timers, the receive window) is 0, as is the member of a struct
 * tcp_info that an older kernel does not fill.
 */
static int64_t get_info(const struct ho_op *op)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(struct tcp_info), sa_len = sizeof(sa);
    struct ho_sock_info *s = op->info;
    struct tcp_info t = { 0 };

    if (s == NULL) {
        return -EFAULT;
    }
    if (getsockopt(op->fd, IPPROTO_TCP, TCP_INFO, &t, &len) < 0) {
        return -errno;
    }
    *s = (struct ho_sock_info){ .pid = op->pid, .fd = op->fd };
    if (getsockname(op->fd, (struct sockaddr *)&sa, &sa_len) == 0) {
        agent_from_sockaddr(&sa, &s->local, &s->lport);
    }
    sa_len = sizeof(sa);
    if (getpeername(op->fd, (struct sockaddr *)&sa, &sa_len) == 0) {
        agent_from_sockaddr(&sa, &s->remote, &s->rport);
    }
    s->ipv6 = !ho_addr_is_v4(&s->local);
    s->tcp = (struct ho_tcp_info){
        .state = (enum ho_tcp_state)t.tcpi_state,
        .ca_state = t.tcpi_ca_state,
        .retransmits = t.tcpi_retransmits,
        .probes = t.tcpi_probes,
        .backoff = t.tcpi_backoff,
        .rto_us = t.tcpi_rto,
        .ato_us = t.tcpi_ato,
        .rtt_us = t.tcpi_rtt,
        .rttvar_us = t.tcpi_rttvar,
        .cwnd = t.tcpi_snd_cwnd,
        .ssthresh = t.tcpi_snd_ssthresh,
        .snd_mss = t.tcpi_snd_mss,
        .rcv_mss = t.tcpi_rcv_mss,
        .pmtu = t.tcpi_pmtu,
        .advmss = t.tcpi_advmss,
        .unacked = t.tcpi_unacked,
        .sacked = t.tcpi_sacked,
        .lost = t.tcpi_lost,
        .retrans = t.tcpi_retrans,
        .total_retrans = t.tcpi_total_retrans,
        .snd_wnd = t.tcpi_snd_wnd,
        .last_data_sent_ms = t.tcpi_last_data_sent,
        .last_ack_recv_ms = t.tcpi_last_ack_recv,
        .last_data_recv_ms = t.tcpi_last_data_recv,
        .snd_wscale = t.tcpi_snd_wscale,
        .rcv_wscale = t.tcpi_rcv_wscale,
    };
    return 0;
}

static int64_t get_name(struct ho_op *op, const struct ho_sockopt_info *info)
{
    char text[32] = "";
    socklen_t len = sizeof(text) - 1;
    const char *word;

    if (getsockopt(op->fd, (int)info->level, info->number, text, &len) < 0) {
        return -errno;
    }
    for (int64_t i = info->min; i <= info->max; i++) {
        word = ho_sysctl_word(HO_SYSCTL_TCP_CONGESTION_CONTROL, i);
        if (word != NULL && strcmp(word, text) == 0) {
            op->value[0] = i;
            return 0;
        }
    }
    return -ENOENT; /* one that halfopen has no number for */
}

static int64_t call_getsockopt(const struct agent *a, struct ho_op *op)
{
    struct agent_fd *f = agent_fd(a, op->fd);
    const struct ho_sockopt_info *info;
    struct linger linger = { 0 };
    socklen_t len = sizeof(int);
    int number = 0;

    if (op->opt < 0 || op->opt >= HO_SOCKOPT_COUNT) {
        return -ENOPROTOOPT;
    }
    info = ho_sockopt_info((enum ho_sockopt)op->opt);
    if (info->type == HO_SOCKOPT_TYPE_INFO) {
        return get_info(op);
    }
    if (info->type == HO_SOCKOPT_TYPE_NAME) {
        return get_name(op, info);
    }
    if (info->type == HO_SOCKOPT_TYPE_LINGER) {
        len = sizeof(linger);
        if (getsockopt(op->fd, (int)info->level, info->number, &linger, &len) < 0) {
            return -errno;
        }
        op->value[0] = linger.l_onoff;
        op->value[1] = linger.l_linger;
        return 0;
    }
    if (op->opt == HO_SOCKOPT_SO_ERROR && f->kept != 0) {
        op->value[0] = f->kept;
        f->kept = 0;
        return 0;
    }
    if (getsockopt(op->fd, (int)info->level, info->number, &number, &len) < 0) {
        return -errno;
    }
    op->value[0] = number;
    return 0;
}

/* ---- the others ------------------------------------------------------------------------------ */

static int64_t call_socket(struct agent *a, const struct ho_op *op)
{
    bool ipv6 = !ho_addr_is_v4(&op->addr);
    int fd =
        socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

    return fd < 0 ? -errno : agent_open(a, fd, false, ipv6, (op->flags & HO_SOCK_NONBLOCK) != 0);
}

static int64_t call_epoll_create(struct agent *a)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    return fd < 0 ? -errno : agent_open(a, fd, true, false, true);
}

static int64_t call_bind(const struct ho_op *op, const struct agent_fd *f)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = agent_to_sockaddr(&sa, &op->addr, op->port, f->ipv6);

    return result(bind(op->fd, (struct sockaddr *)&sa, len));
}

static int64_t call_getsockname(struct ho_op *op)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(sa);

    if (getsockname(op->fd, (struct sockaddr *)&sa, &len) < 0) {
        return -errno;
    }
    agent_from_sockaddr(&sa, &op->addr, &op->port);
    return 0;
}

static int64_t call_epoll_ctl(const struct ho_op *op)
{
    struct epoll_event ev = { .events = op->events, .data.u64 = op->data };

    return result(epoll_ctl(op->fd, op->arg, op->target, &ev));
}

int64_t agent_call(struct agent *a, struct ho_op *op)
{
    struct agent_fd *f = agent_fd(a, op->fd);

    if (op->kind == HO_OP_SOCKET) {
        return call_socket(a, op);
    }
    if (op->kind == HO_OP_EPOLL_CREATE) {
        return call_epoll_create(a);
    }
    if (f == NULL || (op->kind == HO_OP_EPOLL_CTL && agent_fd(a, op->target) == NULL)) {
        return -EBADF; /* also for the agent's own descriptors */
    }
    switch (op->kind) {
    case HO_OP_BIND:
        return call_bind(op, f);
    case HO_OP_LISTEN:
        return result(listen(op->fd, op->arg));
    case HO_OP_SHUTDOWN:
        return result(shutdown(op->fd, op->arg)); /* HO_SHUT_* are Linux's numbers */
    case HO_OP_SETSOCKOPT:
        return call_setsockopt(op);
    case HO_OP_GETSOCKOPT:
        return call_getsockopt(a, op);
    case HO_OP_GETSOCKNAME:
        return call_getsockname(op);
    case HO_OP_EPOLL_CTL:
        return call_epoll_ctl(op);
    case HO_OP_CLOSE:
        return agent_close(a, op, f);
    default:
        return agent_try(a, op, f, true);
    }
}
