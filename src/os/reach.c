/* See os/reach.h. A link without neighbours (IFF_NOARP: a tunnel) counts as a router: nobody there
 * can fail to answer an ARP request. IPv6: RTA_GATEWAY; IPv4 through IPv6: RTA_VIA.
 */

#include "os/reach.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/siphash.h"
#include "os/nl.h"

#define SLOTS_MIN 256 /* a power of two */
#define LINKS_MAX 64  /* remembered; more are asked for again */

struct slot {
    struct ho_addr local, remote;
    int ifindex;
    bool used;
    struct ho_os_way way;
};

struct link {
    int ifindex;
    bool neighbours;
};

struct ho_os_reach {
    struct ho_os_nl *nl;
    struct ho_sipkey key;
    struct slot *slot;
    size_t slots, used;
    struct link link[LINKS_MAX];
    size_t links;
};

int ho_os_reach_open(struct ho_os_reach **ret, int netns)
{
    struct ho_os_reach *r = calloc(1, sizeof(*r));
    int err = r == NULL ? -ENOMEM : 0;

    if (err == 0) {
        (void)getrandom(&r->key, sizeof(r->key), 0);
        r->slots = SLOTS_MIN;
        r->slot = calloc(r->slots, sizeof(*r->slot));
        err = r->slot == NULL ? -ENOMEM : ho_os_nl_open(&r->nl, netns, NETLINK_ROUTE, 0);
    }
    if (err != 0) {
        ho_os_reach_close(r);
        return err;
    }
    *ret = r;
    return 0;
}

void ho_os_reach_close(struct ho_os_reach *r)
{
    if (r != NULL) {
        ho_os_nl_close(r->nl);
        free(r->slot);
        free(r);
    }
}

/* ---- what was asked before ------------------------------------------------------------------- */

/* Keyed: peers choose their addresses. */
static size_t hash(const struct ho_os_reach *r, const struct slot *s)
{
    uint8_t b[36];

    memcpy(b, s->local.b, 16);
    memcpy(b + 16, s->remote.b, 16);
    memcpy(b + 32, &s->ifindex, 4);
    return (size_t)ho_siphash(&r->key, b, sizeof(b));
}

/* Where `what` is, or would be, among r's own slots or those that will be. */
static struct slot *find(const struct ho_os_reach *r, struct slot *slot, size_t slots,
                         const struct slot *what)
{
    size_t i = hash(r, what) & (slots - 1);

    while (slot[i].used &&
           (slot[i].ifindex != what->ifindex || !ho_addr_eq(&slot[i].remote, &what->remote) ||
            !ho_addr_eq(&slot[i].local, &what->local))) {
        i = (i + 1) & (slots - 1);
    }
    return &slot[i];
}

static int make_room(struct ho_os_reach *r)
{
    if (r->used < r->slots / 2) {
        return 0;
    }
    struct slot *more = calloc(2 * r->slots, sizeof(*more));

    if (more == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < r->slots; i++) {
        if (r->slot[i].used) {
            *find(r, more, 2 * r->slots, &r->slot[i]) = r->slot[i];
        }
    }
    free(r->slot);
    r->slot = more;
    r->slots *= 2;
    return 0;
}

/* ---- asking the kernel ----------------------------------------------------------------------- */

static int see_link(const struct nlmsghdr *h, void *data)
{
    const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
    struct link *l = data;

    if (mnl_nlmsg_get_payload_len(h) >= sizeof(*m)) {
        l->neighbours = (m->ifi_flags & IFF_NOARP) == 0;
    }
    return MNL_CB_OK;
}

static bool has_neighbours(struct ho_os_reach *r, int ifindex)
{
    struct link l = { .ifindex = ifindex };

    for (size_t i = 0; i < r->links; i++) {
        if (r->link[i].ifindex == ifindex) {
            return r->link[i].neighbours;
        }
    }
    struct nlmsghdr *h = ho_os_nl_begin(r->nl, RTM_GETLINK, 0);
    struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

    m->ifi_index = ifindex;
    if (ho_os_nl_ask(r->nl, see_link, &l) == 0 && r->links < LINKS_MAX) {
        r->link[r->links++] = l;
    }
    return l.neighbours;
}

struct route {
    bool seen, local, gateway;
    int oif;
};

static int see_route_attribute(const struct nlattr *a, void *data)
{
    struct route *t = data;
    int type = mnl_attr_get_type(a);

    t->gateway = t->gateway || type == RTA_GATEWAY || type == RTA_VIA;
    if (type == RTA_OIF && mnl_attr_get_payload_len(a) >= sizeof(uint32_t)) {
        t->oif = (int)mnl_attr_get_u32(a);
    }
    return MNL_CB_OK;
}

static int see_route(const struct nlmsghdr *h, void *data)
{
    const struct rtmsg *m = mnl_nlmsg_get_payload(h);
    struct route *t = data;

    if (h->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(h) < sizeof(*m)) {
        return MNL_CB_OK;
    }
    t->seen = m->rtm_type == RTN_LOCAL || m->rtm_type == RTN_UNICAST;
    t->local = m->rtm_type == RTN_LOCAL;
    return mnl_attr_parse(h, sizeof(*m), see_route_attribute, t);
}

static void put_addr(struct nlmsghdr *h, uint16_t type, const struct ho_addr *a)
{
    bool v4 = ho_addr_is_v4(a);

    mnl_attr_put(h, type, v4 ? 4 : 16, a->b + (v4 ? 12 : 0));
}

/* `from` NULL: from anywhere. */
static int ask_route(struct ho_os_reach *r, const struct slot *s, const struct ho_addr *from,
                     struct route *ret)
{
    struct nlmsghdr *h = ho_os_nl_begin(r->nl, RTM_GETROUTE, 0);
    struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    uint8_t bits = ho_addr_is_v4(&s->remote) ? 32 : 128;

    m->rtm_family = bits == 32 ? AF_INET : AF_INET6;
    m->rtm_dst_len = bits;
    put_addr(h, RTA_DST, &s->remote);
    if (from != NULL) {
        m->rtm_src_len = bits;
        put_addr(h, RTA_SRC, from);
    }
    if (s->ifindex != 0) {
        mnl_attr_put_u32(h, RTA_OIF, (uint32_t)s->ifindex);
    }
    *ret = (struct route){ .seen = false };
    return ho_os_nl_ask(r->nl, see_route, ret);
}

static int ask(struct ho_os_reach *r, struct slot *s)
{
    struct route t;
    int err = ask_route(r, s, &s->local, &t);

    if (err == -EINVAL) { /* not an address of this machine: a transparent proxy's */
        err = ask_route(r, s, NULL, &t);
    }
    if (err == -ENOMEM || err == -ENOBUFS) {
        return err;
    }
    if (err == 0 && t.seen) {
        s->way.known = true;
        s->way.loopback = t.local;
        s->way.on_link = t.local || (!t.gateway && has_neighbours(r, t.oif));
    }
    return 0;
}

int ho_os_reach(struct ho_os_reach *r, const struct ho_addr *local, const struct ho_addr *remote,
                int ifindex, struct ho_os_way *ret)
{
    struct slot what = { .local = *local, .remote = *remote, .ifindex = ifindex, .used = true };
    int err = 0;

    if (ho_addr_is_loopback(remote) || ho_addr_eq(local, remote)) {
        *ret = (struct ho_os_way){ .known = true, .loopback = true, .on_link = true };
        return 0;
    }
    struct slot *s = find(r, r->slot, r->slots, &what);

    if (!s->used) {
        err = ask(r, &what);
        err = err == 0 ? make_room(r) : err;
        if (err != 0) {
            return err;
        }
        s = find(r, r->slot, r->slots, &what);
        *s = what;
        r->used++;
    }
    *ret = s->way;
    return 0;
}
