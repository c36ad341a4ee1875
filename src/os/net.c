/* rtnetlink(7) by libmnl. See os/net.h. */

#include "os/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "os/nl.h"

#define DUMP_TRIES 8
#define GROUP_JOINED_MS 200 /* it takes far less; then the address is used as it is */

struct ho_os_net {
    struct ho_os_nl *nl;
    struct ho_os_nl *watch; /* of RTMGRP_NEIGH; bound to the group when somebody watches */
    struct ho_os_nl *addrs; /* of RTMGRP_IPV6_IFADDR */
    bool watched;
    size_t at, len; /* of what watch->in holds: read so far, there is */
};

int ho_os_net_open(struct ho_os_net **ret, int netns)
{
    struct ho_os_net *n = calloc(1, sizeof(*n));

    if (n == NULL) {
        return -ENOMEM;
    }
    int err = ho_os_nl_open(&n->nl, netns, NETLINK_ROUTE, 0);

    if (err == 0) { /* made now, while the namespace is at hand */
        err = ho_os_nl_open(&n->watch, netns, NETLINK_ROUTE, 0);
    }
    if (err == 0) {
        err = ho_os_nl_open(&n->addrs, netns, NETLINK_ROUTE, 0);
    }
    if (err != 0) {
        ho_os_net_close(n);
        return err;
    }
    *ret = n;
    return 0;
}

void ho_os_net_close(struct ho_os_net *n)
{
    if (n == NULL) {
        return;
    }
    ho_os_nl_close(n->addrs);
    ho_os_nl_close(n->watch);
    ho_os_nl_close(n->nl);
    free(n);
}

/* ---- addresses as netlink has them ----------------------------------------------------------- */

static uint8_t family(const struct ho_addr *a)
{
    return ho_addr_is_v4(a) ? AF_INET : AF_INET6;
}

static void put_addr(struct nlmsghdr *h, uint16_t type, const struct ho_addr *a)
{
    bool v4 = ho_addr_is_v4(a);

    mnl_attr_put(h, type, v4 ? 4 : 16, a->b + (v4 ? 12 : 0));
}

/* ---- links ----------------------------------------------------------------------------------- */

static struct ifinfomsg *begin_link(struct ho_os_net *n, unsigned type, int ifindex)
{
    struct nlmsghdr *h = ho_os_nl_begin(n->nl, type, 0);
    struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

    m->ifi_family = AF_UNSPEC;
    m->ifi_index = ifindex;
    return m;
}

static struct nlmsghdr *question(struct ho_os_net *n)
{
    return (struct nlmsghdr *)(void *)n->nl->out;
}

static int see_link_attribute(const struct nlattr *a, void *data)
{
    struct ho_os_link *l = data;
    int type = mnl_attr_get_type(a);

    if (type == IFLA_ADDRESS && mnl_attr_get_payload_len(a) == sizeof(l->mac)) {
        memcpy(&l->mac, mnl_attr_get_payload(a), sizeof(l->mac));
    } else if (type == IFLA_MTU) {
        l->mtu = mnl_attr_get_u32(a);
    }
    return MNL_CB_OK;
}

static int see_link(const struct nlmsghdr *h, void *data)
{
    const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
    struct ho_os_link *l = data;

    *l = (struct ho_os_link){ .ifindex = m->ifi_index,
                              .up = (m->ifi_flags & IFF_UP) != 0,
                              .carrier = (m->ifi_flags & IFF_LOWER_UP) != 0 };
    return mnl_attr_parse(h, sizeof(*m), see_link_attribute, l);
}

int ho_os_net_link(struct ho_os_net *n, const char *name)
{
    struct ho_os_link l = { .ifindex = 0 };

    (void)begin_link(n, RTM_GETLINK, 0);
    mnl_attr_put_strz(question(n), IFLA_IFNAME, name);
    int err = ho_os_nl_ask(n->nl, see_link, &l);

    return err != 0 ? err : l.ifindex;
}

int ho_os_net_link_get(struct ho_os_net *n, int ifindex, struct ho_os_link *ret)
{
    struct ho_os_link l = { .ifindex = 0 };

    (void)begin_link(n, RTM_GETLINK, ifindex);
    int err = ho_os_nl_ask(n->nl, see_link, &l);

    if (err == 0) {
        *ret = l;
    }
    return err;
}

int ho_os_net_link_up(struct ho_os_net *n, int ifindex, bool up)
{
    struct ifinfomsg *m = begin_link(n, RTM_NEWLINK, ifindex);

    m->ifi_change = IFF_UP;
    m->ifi_flags = up ? IFF_UP : 0;
    return ho_os_nl_ask(n->nl, NULL, NULL);
}

int ho_os_net_link_mac(struct ho_os_net *n, int ifindex, const struct ho_mac *mac)
{
    (void)begin_link(n, RTM_NEWLINK, ifindex);
    mnl_attr_put(question(n), IFLA_ADDRESS, sizeof(*mac), mac);
    return ho_os_nl_ask(n->nl, NULL, NULL);
}

int ho_os_net_link_mtu(struct ho_os_net *n, int ifindex, uint32_t mtu)
{
    (void)begin_link(n, RTM_NEWLINK, ifindex);
    mnl_attr_put_u32(question(n), IFLA_MTU, mtu);
    return ho_os_nl_ask(n->nl, NULL, NULL);
}

int ho_os_net_link_noarp(struct ho_os_net *n, int ifindex)
{
    struct ifinfomsg *m = begin_link(n, RTM_NEWLINK, ifindex);

    m->ifi_change = IFF_NOARP;
    m->ifi_flags = IFF_NOARP;
    return ho_os_nl_ask(n->nl, NULL, NULL);
}

int ho_os_net_link_del(struct ho_os_net *n, int ifindex)
{
    (void)begin_link(n, RTM_DELLINK, ifindex);
    return ho_os_nl_ask(n->nl, NULL, NULL);
}

int ho_os_net_veth_add(struct ho_os_net *n, const struct ho_os_veth *v)
{
    (void)begin_link(n, RTM_NEWLINK, 0);
    struct nlmsghdr *h = question(n);

    h->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
    mnl_attr_put_strz(h, IFLA_IFNAME, v->far);
    mnl_attr_put_u32(h, IFLA_MTU, v->mtu);
    struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);

    mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
    struct nlattr *data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
    struct nlattr *peer = mnl_attr_nest_start(h, VETH_INFO_PEER);

    (void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
    mnl_attr_put_strz(h, IFLA_IFNAME, v->name);
    mnl_attr_put_u32(h, IFLA_MTU, v->mtu);
    mnl_attr_put(h, IFLA_ADDRESS, sizeof(v->mac), &v->mac);
    mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)v->netns);
    mnl_attr_nest_end(h, peer);
    mnl_attr_nest_end(h, data);
    mnl_attr_nest_end(h, info);
    return ho_os_nl_ask(n->nl, NULL, NULL);
}

static int count_link(const struct nlmsghdr *h, void *data)
{
    (void)h;
    ++*(int *)data;
    return MNL_CB_OK;
}

int ho_os_net_links(struct ho_os_net *n)
{
    int err = -EINTR;
    int count = 0;

    for (int i = 0; err == -EINTR && i < DUMP_TRIES; i++) {
        count = 0;
        struct nlmsghdr *h = ho_os_nl_begin(n->nl, RTM_GETLINK, NLM_F_DUMP);

        (void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
        err = ho_os_nl_ask(n->nl, count_link, &count);
    }
    return err != 0 ? err : count;
}

/* ---- addresses and routes -------------------------------------------------------------------- */

static int change_addr(struct ho_os_net *n, unsigned type, unsigned flags, int ifindex,
                       const struct ho_addr *addr, unsigned bits)
{
    struct nlmsghdr *h = ho_os_nl_begin(n->nl, type, flags);
    struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

    m->ifa_family = family(addr);
    m->ifa_prefixlen = (uint8_t)bits;
    m->ifa_flags = ho_addr_is_v4(addr) ? 0 : IFA_F_NODAD;
    m->ifa_index = (unsigned)ifindex;
    put_addr(h, IFA_LOCAL, addr);
    put_addr(h, IFA_ADDRESS, addr);
    return ho_os_nl_ask(n->nl, NULL, NULL);
}

/* An IPv6 address answers neighbour solicitations once the kernel's worker has joined its group
 * (addrconf_dad_work()), a moment after the request returned. Without duplicate address detection
 * the kernel tells of the address once, when that is done.
 */
static void await_group(struct ho_os_net *n)
{
    struct pollfd p = { .fd = mnl_socket_get_fd(n->addrs->socket), .events = POLLIN };

    if (poll(&p, 1, GROUP_JOINED_MS) > 0) {
        (void)!recv(p.fd, n->addrs->in, sizeof(n->addrs->in), MSG_DONTWAIT);
    }
}

static int add_addr6(struct ho_os_net *n, int ifindex, const struct ho_addr *addr, unsigned bits)
{
    int group = RTNLGRP_IPV6_IFADDR;
    struct mnl_socket *s = n->addrs->socket;

    if (mnl_socket_setsockopt(s, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0) {
        return -errno;
    }
    int err = change_addr(n, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, addr, bits);

    if (err == 0) {
        await_group(n);
    }
    (void)mnl_socket_setsockopt(s, NETLINK_DROP_MEMBERSHIP, &group, sizeof(group));
    return err;
}

int ho_os_net_addr_add(struct ho_os_net *n, int ifindex, const struct ho_addr *addr, unsigned bits)
{
    if (!ho_addr_is_v4(addr)) {
        return add_addr6(n, ifindex, addr, bits);
    }
    return change_addr(n, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, addr, bits);
}

int ho_os_net_addr_del(struct ho_os_net *n, int ifindex, const struct ho_addr *addr, unsigned bits)
{
    return change_addr(n, RTM_DELADDR, 0, ifindex, addr, bits);
}

static int change_route(struct ho_os_net *n, bool add, int ifindex, const struct ho_addr *net,
                        unsigned bits, const struct ho_addr *via)
{
    struct nlmsghdr *h = ho_os_nl_begin(n->nl, add ? RTM_NEWROUTE : RTM_DELROUTE,
                                        add ? NLM_F_CREATE | NLM_F_EXCL : 0);
    struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

    m->rtm_family = family(net);
    m->rtm_dst_len = (uint8_t)bits;
    m->rtm_table = RT_TABLE_MAIN;
    m->rtm_protocol = add ? RTPROT_STATIC : RTPROT_UNSPEC;
    m->rtm_type = add ? RTN_UNICAST : RTN_UNSPEC;
    m->rtm_scope = !add ? RT_SCOPE_NOWHERE : via == NULL ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    if (bits > 0) {
        put_addr(h, RTA_DST, net);
    }
    if (via != NULL) {
        put_addr(h, RTA_GATEWAY, via);
    }
    if (ifindex > 0) {
        mnl_attr_put_u32(h, RTA_OIF, (uint32_t)ifindex);
    }
    return ho_os_nl_ask(n->nl, NULL, NULL);
}

int ho_os_net_route_add(struct ho_os_net *n, int ifindex, const struct ho_addr *net, unsigned bits,
                        const struct ho_addr *via)
{
    return change_route(n, true, ifindex, net, bits, via);
}

int ho_os_net_route_del(struct ho_os_net *n, int ifindex, const struct ho_addr *net, unsigned bits,
                        const struct ho_addr *via)
{
    return change_route(n, false, ifindex, net, bits, via);
}

/* ---- neighbours ------------------------------------------------------------------------------ */

static struct nlmsghdr *begin_neigh(struct ho_os_net *n, unsigned type, unsigned flags, int ifindex,
                                    const struct ho_addr *addr)
{
    struct nlmsghdr *h = ho_os_nl_begin(n->nl, type, flags);
    struct ndmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

    m->ndm_family = family(addr);
    m->ndm_ifindex = ifindex;
    m->ndm_state = NUD_PERMANENT;
    put_addr(h, NDA_DST, addr);
    return h;
}

int ho_os_net_neigh_set(struct ho_os_net *n, int ifindex, const struct ho_addr *addr,
                        const struct ho_mac *mac)
{
    struct nlmsghdr *h = begin_neigh(n, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, ifindex, addr);

    mnl_attr_put(h, NDA_LLADDR, sizeof(*mac), mac);
    return ho_os_nl_ask(n->nl, NULL, NULL);
}

int ho_os_net_neigh_del(struct ho_os_net *n, int ifindex, const struct ho_addr *addr)
{
    (void)begin_neigh(n, RTM_DELNEIGH, 0, ifindex, addr);
    return ho_os_nl_ask(n->nl, NULL, NULL);
}

static int see_neigh_attribute(const struct nlattr *a, void *data)
{
    struct ho_os_neigh *e = data;
    int type = mnl_attr_get_type(a);
    size_t len = mnl_attr_get_payload_len(a);
    const uint8_t *b = mnl_attr_get_payload(a);

    if (type == NDA_DST && len == 4) {
        e->addr = ho_addr_v4(b[0], b[1], b[2], b[3]);
    } else if (type == NDA_DST && len == sizeof(e->addr)) {
        memcpy(&e->addr, b, len);
    } else if (type == NDA_LLADDR && len == sizeof(e->mac)) {
        memcpy(&e->mac, b, len);
    }
    return MNL_CB_OK;
}

/* True if the message is of a neighbour as we tell them. */
static bool read_neigh(const struct nlmsghdr *h, struct ho_os_neigh *ret)
{
    const struct ndmsg *m = mnl_nlmsg_get_payload(h);
    struct ho_os_neigh e = { .ifindex = m->ndm_ifindex,
                             .state = m->ndm_state,
                             .gone = h->nlmsg_type == RTM_DELNEIGH };

    if ((m->ndm_family != AF_INET && m->ndm_family != AF_INET6) ||
        (m->ndm_state & NUD_NOARP) != 0 ||
        mnl_attr_parse(h, sizeof(*m), see_neigh_attribute, &e) < 0) {
        return false;
    }
    *ret = e;
    return true;
}

struct neigh_list {
    struct ho_os_neigh *to;
    size_t n, max;
};

static int see_neigh(const struct nlmsghdr *h, void *data)
{
    struct neigh_list *l = data;
    struct ho_os_neigh e;

    if (read_neigh(h, &e)) {
        if (l->n < l->max) {
            l->to[l->n] = e;
        }
        l->n++;
    }
    return MNL_CB_OK;
}

int ho_os_net_neighs(struct ho_os_net *n, struct ho_os_neigh *ret, size_t max)
{
    struct neigh_list l = { .to = ret, .max = max };
    int err = -EINTR;

    for (int i = 0; err == -EINTR && i < DUMP_TRIES; i++) {
        l.n = 0;
        struct nlmsghdr *h = ho_os_nl_begin(n->nl, RTM_GETNEIGH, NLM_F_DUMP);

        (void)mnl_nlmsg_put_extra_header(h, sizeof(struct ndmsg));
        err = ho_os_nl_ask(n->nl, see_neigh, &l);
    }
    return err != 0 ? err : (int)l.n;
}

int ho_os_net_watch(struct ho_os_net *n)
{
    int group = RTNLGRP_NEIGH;

    if (!n->watched && mnl_socket_setsockopt(n->watch->socket, NETLINK_ADD_MEMBERSHIP, &group,
                                             sizeof(group)) != 0) {
        return -errno;
    }
    n->watched = true;
    return mnl_socket_get_fd(n->watch->socket);
}

/* The next message of what has arrived; NULL: there is none left. */
static const struct nlmsghdr *next_message(struct ho_os_net *n, int *ret_err)
{
    *ret_err = 0;
    for (;;) {
        const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)(n->watch->in + n->at);

        if (mnl_nlmsg_ok(h, (int)(n->len - n->at))) {
            n->at += ((size_t)h->nlmsg_len + 3) & ~(size_t)3; /* NLMSG_ALIGN */
            n->at = n->at < n->len ? n->at : n->len;
            return h;
        }
        ssize_t len = recv(mnl_socket_get_fd(n->watch->socket), n->watch->in, sizeof(n->watch->in),
                           MSG_DONTWAIT);

        if (len < 0) {
            *ret_err = errno == EAGAIN ? 0 : -errno;
            return NULL;
        }
        n->at = 0;
        n->len = (size_t)len;
    }
}

int ho_os_net_watch_read(struct ho_os_net *n, struct ho_os_neigh *ret)
{
    const struct nlmsghdr *h;
    int err = 0;

    while ((h = next_message(n, &err)) != NULL) {
        if ((h->nlmsg_type == RTM_NEWNEIGH || h->nlmsg_type == RTM_DELNEIGH) &&
            read_neigh(h, ret)) {
            return 1;
        }
    }
    return err;
}
