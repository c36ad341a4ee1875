/* Neighbour tables' parameters by netlink. See os/neightbl.h. */

#include "os/neightbl.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "os/nl.h"

#define LO 1 /* lo is the first interface of every namespace */
#define NS_PER_MS 1000000

struct read {
    struct ho_os_reachable *ret, one; /* one: of the message being read */
    size_t n, max;
};

static int see_parameter(const struct nlattr *a, void *data)
{
    struct read *r = data;

    if (mnl_attr_get_type(a) == NDTPA_IFINDEX) {
        r->one.ifindex = (int)mnl_attr_get_u32(a);
    } else if (mnl_attr_get_type(a) == NDTPA_REACHABLE_TIME) {
        r->one.ns = (int64_t)mnl_attr_get_u64(a) * NS_PER_MS;
    }
    return MNL_CB_OK;
}

static int see_attribute(const struct nlattr *a, void *data)
{
    return mnl_attr_get_type(a) == NDTA_PARMS ? mnl_attr_parse_nested(a, see_parameter, data)
                                              : MNL_CB_OK;
}

/* A message is about a table as a whole, which has no interface, or about one interface. */
static int see_table(const struct nlmsghdr *h, void *data)
{
    struct read *r = data;
    int ret;

    r->one = (struct ho_os_reachable){ .ifindex = 0 };
    ret = mnl_attr_parse(h, sizeof(struct ndtmsg), see_attribute, r);
    if (ret == MNL_CB_OK && r->one.ifindex > LO && r->one.ns > 0 && r->n < r->max) {
        r->ret[r->n++] = r->one;
    }
    return ret;
}

static int by_index(const void *pa, const void *pb)
{
    const struct ho_os_reachable *a = pa, *b = pb;

    return (a->ifindex > b->ifindex) - (a->ifindex < b->ifindex);
}

int ho_os_reachable_times(int netns, int family, struct ho_os_reachable *ret, size_t max)
{
    struct read r = { .ret = ret, .max = max };
    struct ho_os_nl *nl;
    struct nlmsghdr *h;
    struct ndtmsg *m;
    int err = ho_os_nl_open(&nl, netns, NETLINK_ROUTE, 0);

    if (err != 0) {
        return err;
    }
    h = ho_os_nl_begin(nl, RTM_GETNEIGHTBL, NLM_F_DUMP);
    m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    m->ndtm_family = (uint8_t)family;
    err = ho_os_nl_ask(nl, see_table, &r);
    ho_os_nl_close(nl);
    qsort(ret, r.n, sizeof(*ret), by_index);
    return err != 0 ? err : (int)r.n;
}
