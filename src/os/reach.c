/* See os/reach.h. A link without neighbours (IFF_NOARP: a tunnel) counts as a router: nobody there
 * can fail to answer an ARP request. IPv6: RTA_GATEWAY; IPv4 through IPv6: RTA_VIA.
 */

#include "os/reach.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/siphash.h"
#include "os/nl.h"

#define PAIRS_MIN 64
#define LINKS_MAX 64     /* remembered; more are asked for again */
#define AT_ONCE 24       /* questions in a datagram: their answers must fit the socket's buffer */
#define QUESTION_MAX 128 /* header, rtmsg, two addresses of 16 bytes, an interface */
#define ANSWER_MAX 1024

struct pair {
    struct ho_addr local, remote;
    int ifindex; /* the socket is bound to */
    int oif;     /* the way leaves by */
    bool answered, known, own, gateway;
    bool anywhere; /* ask without the local address */
    struct ho_os_way way;
};

struct link {
    int ifindex;
    bool neighbours;
};

struct ho_os_reach {
    struct ho_os_nl *nl;
    struct ho_sipkey key;
    struct pair *pair;
    size_t pairs, room, asked; /* those from `asked` on wait for ho_os_reach_ask() */
    uint32_t *slot;            /* index + 1 of a pair; 0: free; 2 * room of them */
    struct link link[LINKS_MAX];
    size_t links;
    size_t batch[AT_ONCE]; /* pairs that are asked for at this moment */
    size_t batched;
    char out[AT_ONCE * QUESTION_MAX];
    char in[AT_ONCE][ANSWER_MAX];
};

int ho_os_reach_open(struct ho_os_reach **ret, int netns)
{
    struct ho_os_reach *r = calloc(1, sizeof(*r));
    int err = r == NULL ? -ENOMEM : ho_os_nl_open(&r->nl, netns, NETLINK_ROUTE, 0);

    if (err != 0) {
        free(r);
        return err;
    }
    (void)getrandom(&r->key, sizeof(r->key), 0);
    *ret = r;
    return 0;
}

void ho_os_reach_close(struct ho_os_reach *r)
{
    if (r != NULL) {
        ho_os_nl_close(r->nl);
        free(r->pair);
        free(r->slot);
        free(r);
    }
}

/* ---- the pairs ------------------------------------------------------------------------------- */

/* Keyed: peers choose their addresses. */
static size_t hash(const struct ho_os_reach *r, const struct pair *p)
{
    uint8_t b[36];

    memcpy(b, p->local.b, 16);
    memcpy(b + 16, p->remote.b, 16);
    memcpy(b + 32, &p->ifindex, 4);
    return (size_t)ho_siphash(&r->key, b, sizeof(b));
}

static bool is_same(const struct pair *a, const struct pair *b)
{
    return a->ifindex == b->ifindex && ho_addr_eq(&a->remote, &b->remote) &&
           ho_addr_eq(&a->local, &b->local);
}

/* Where `p` is, or would be. */
static uint32_t *find(const struct ho_os_reach *r, uint32_t *slot, size_t slots,
                      const struct pair *p)
{
    size_t i = hash(r, p) & (slots - 1);

    while (slot[i] != 0 && !is_same(&r->pair[slot[i] - 1], p)) {
        i = (i + 1) & (slots - 1);
    }
    return &slot[i];
}

static int make_room(struct ho_os_reach *r)
{
    size_t room = r->room != 0 ? 2 * r->room : PAIRS_MIN;

    if (r->pairs < r->room) {
        return 0;
    }
    struct pair *more = realloc(r->pair, room * sizeof(*more));

    if (more == NULL) {
        return -ENOMEM;
    }
    r->pair = more;
    uint32_t *slot = calloc(2 * room, sizeof(*slot));

    if (slot == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < r->pairs; i++) {
        *find(r, slot, 2 * room, &r->pair[i]) = (uint32_t)i + 1;
    }
    free(r->slot);
    r->slot = slot;
    r->room = room;
    return 0;
}

int ho_os_reach_want(struct ho_os_reach *r, const struct ho_addr *local,
                     const struct ho_addr *remote, int ifindex, uint32_t *ret_which)
{
    struct pair p = { .local = *local, .remote = *remote, .ifindex = ifindex };
    int err = make_room(r);

    if (err != 0) {
        return err;
    }
    if (ho_addr_is_loopback(remote) || ho_addr_eq(local, remote)) {
        p.answered = p.known = p.own = true;
        p.local = *remote; /* many of them are one pair */
    }
    uint32_t *slot = find(r, r->slot, 2 * r->room, &p);

    if (*slot == 0) {
        r->pair[r->pairs++] = p;
        *slot = (uint32_t)r->pairs;
    }
    *ret_which = *slot - 1;
    return 0;
}

struct ho_os_way ho_os_reach_way(const struct ho_os_reach *r, uint32_t which)
{
    return r->pair[which].way;
}

/* ---- links ----------------------------------------------------------------------------------- */

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

/* ---- answers --------------------------------------------------------------------------------- */

static int see_attribute(const struct nlattr *a, void *data)
{
    struct pair *p = data;
    int type = mnl_attr_get_type(a);

    p->gateway = p->gateway || type == RTA_GATEWAY || type == RTA_VIA;
    if (type == RTA_OIF && mnl_attr_get_payload_len(a) >= sizeof(uint32_t)) {
        p->oif = (int)mnl_attr_get_u32(a);
    }
    return MNL_CB_OK;
}

static void see_answer(struct pair *p, const struct nlmsghdr *h)
{
    const void *body = mnl_nlmsg_get_payload(h);
    size_t len = mnl_nlmsg_get_payload_len(h);
    int32_t err = 0;

    p->answered = true;
    if (h->nlmsg_type == NLMSG_ERROR && len >= sizeof(err)) {
        memcpy(&err, body, sizeof(err));
        /* Not an address of this machine: a transparent proxy's. */
        p->answered = err != -EINVAL || p->anywhere;
        p->anywhere = true;
    } else if (h->nlmsg_type == RTM_NEWROUTE && len >= sizeof(struct rtmsg)) {
        const struct rtmsg *m = body;

        p->known = m->rtm_type == RTN_LOCAL || m->rtm_type == RTN_UNICAST;
        p->own = m->rtm_type == RTN_LOCAL;
        (void)mnl_attr_parse(h, sizeof(*m), see_attribute, p);
    }
}

/* Each question has one answer, an error or a route, under its number. Returns 0; a negative
 * errno.
 */
static int receive(struct ho_os_reach *r, uint32_t first)
{
    struct mmsghdr m[AT_ONCE];
    struct iovec v[AT_ONCE];
    size_t got = 0;

    while (got < r->batched) {
        memset(m, 0, sizeof(m));
        for (size_t i = 0; i < AT_ONCE; i++) {
            v[i] = (struct iovec){ .iov_base = r->in[i], .iov_len = ANSWER_MAX };
            m[i].msg_hdr.msg_iov = &v[i];
            m[i].msg_hdr.msg_iovlen = 1;
        }
        int n = recvmmsg(mnl_socket_get_fd(r->nl->socket), m, (unsigned)(r->batched - got),
                         MSG_WAITFORONE, NULL);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        for (int i = 0; i < n; i++) {
            const struct nlmsghdr *h = (const void *)r->in[i];

            if (mnl_nlmsg_ok(h, (int)m[i].msg_len) && h->nlmsg_seq - first < r->batched) {
                see_answer(&r->pair[r->batch[h->nlmsg_seq - first]], h);
                got++;
            }
        }
    }
    return 0;
}

/* ---- questions ------------------------------------------------------------------------------- */

static void put_addr(struct nlmsghdr *h, uint16_t type, const struct ho_addr *a)
{
    bool v4 = ho_addr_is_v4(a);

    mnl_attr_put(h, type, v4 ? 4 : 16, a->b + (v4 ? 12 : 0));
}

/* Returns its bytes. */
static size_t put_question(void *at, const struct pair *p, uint32_t seq)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(at);
    struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    uint8_t bits = ho_addr_is_v4(&p->remote) ? 32 : 128;

    h->nlmsg_type = RTM_GETROUTE;
    h->nlmsg_flags = NLM_F_REQUEST; /* no acknowledgement: the answer is one */
    h->nlmsg_seq = seq;
    m->rtm_family = bits == 32 ? AF_INET : AF_INET6;
    m->rtm_dst_len = bits;
    put_addr(h, RTA_DST, &p->remote);
    if (!p->anywhere) {
        m->rtm_src_len = bits;
        put_addr(h, RTA_SRC, &p->local);
    }
    if (p->ifindex != 0) {
        mnl_attr_put_u32(h, RTA_OIF, (uint32_t)p->ifindex);
    }
    return h->nlmsg_len;
}

static int ask_batch(struct ho_os_reach *r)
{
    uint32_t first = r->nl->seq + 1;
    size_t len = 0;

    for (size_t i = 0; i < r->batched; i++) {
        len += put_question(r->out + len, &r->pair[r->batch[i]], ++r->nl->seq);
    }
    if (len > 0 && mnl_socket_sendto(r->nl->socket, r->out, len) < 0) {
        return -errno;
    }
    int err = receive(r, first);

    r->batched = 0;
    return err;
}

static int ask_all(struct ho_os_reach *r)
{
    int err = 0;

    for (size_t i = r->asked; i < r->pairs && err == 0; i++) {
        if (!r->pair[i].answered) {
            r->batch[r->batched++] = i;
        }
        if (r->batched == AT_ONCE) {
            err = ask_batch(r);
        }
    }
    return err == 0 ? ask_batch(r) : err;
}

int ho_os_reach_ask(struct ho_os_reach *r)
{
    int err = ask_all(r);

    err = err == 0 ? ask_all(r) : err; /* those without their local address */
    for (; err == 0 && r->asked < r->pairs; r->asked++) {
        struct pair *p = &r->pair[r->asked];

        p->way.known = p->known;
        p->way.loopback = p->own;
        p->way.on_link = p->own || (p->known && !p->gateway && has_neighbours(r, p->oif));
    }
    return err;
}
