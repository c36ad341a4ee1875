/* See os/nl.h. */

#include "os/nl.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/netns.h"

int ho_os_nl_open(struct ho_os_nl **ret, int netns, int bus, unsigned groups)
{
    struct ho_os_nl *n = calloc(1, sizeof(*n));
    int fd;
    int err;

    if (n == NULL) {
        return -ENOMEM;
    }
    fd = ho_os_netns_socket(netns, AF_NETLINK, SOCK_RAW, bus);
    err = fd < 0 ? fd : 0;
    if (err == 0) {
        n->socket = mnl_socket_fdopen(fd);
        if (n->socket == NULL) {
            err = -errno;
            (void)close(fd);
        }
    }
    if (err == 0 && mnl_socket_bind(n->socket, groups, MNL_SOCKET_AUTOPID) != 0) {
        err = -errno;
    }
    if (err != 0) {
        ho_os_nl_close(n);
        return err;
    }
    *ret = n;
    return 0;
}

void ho_os_nl_close(struct ho_os_nl *n)
{
    if (n != NULL && n->socket != NULL) {
        (void)mnl_socket_close(n->socket);
    }
    free(n);
}

struct nlmsghdr *ho_os_nl_begin(struct ho_os_nl *n, unsigned type, unsigned flags)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(n->out);

    h->nlmsg_type = (uint16_t)type;
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    if ((flags & NLM_F_DUMP) != NLM_F_DUMP) {
        h->nlmsg_flags |= NLM_F_ACK;
    }
    h->nlmsg_seq = ++n->seq;
    return h;
}

int ho_os_nl_ask(struct ho_os_nl *n, mnl_cb_t see, void *data)
{
    const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)n->out;
    int ret = MNL_CB_OK;

    if (mnl_socket_sendto(n->socket, h, h->nlmsg_len) < 0) {
        return -errno;
    }
    while (ret > MNL_CB_STOP) {
        ssize_t len = mnl_socket_recvfrom(n->socket, n->in, sizeof(n->in));

        if (len < 0) {
            return -errno;
        }
        ret = mnl_cb_run(n->in, (size_t)len, h->nlmsg_seq, mnl_socket_get_portid(n->socket), see,
                         data);
    }
    return ret < 0 ? -errno : 0;
}
