/* The jiffy count, from the time stamp of an address. See os/ticks.h. */

#include "os/ticks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define ADDRESS 0x7f4d4d4du /* 127.77.77.77 */
#define LO 1                /* lo is the first interface of every namespace */
#define TICKS_MIN 12        /* over which the grid is looked for */
#define TICKS_MAX 120       /* then no count fits */
#define BUFFER 16384

/* What is known so far. Ticks are numbered from the first one seen; `before` is what the kernel
 * had counted when that one began, since boot.
 */
struct search {
    struct mnl_socket *nl;
    uint32_t hz;
    int64_t tick_ns;
    int64_t coarse0; /* CLOCK_MONOTONIC_COARSE in tick 0 */
    int64_t grid_ns; /* CLOCK_MONOTONIC at which tick 0 began, at the earliest edge seen */
    int64_t tick;    /* the last tick seen */
    bool has_edge, any;
    uint64_t low, high; /* `before` lies in between, both included */
};

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * HO_NS_PER_S + t.tv_nsec;
}

/* A step of the coarse clock is one jiffy. */
static uint32_t kernel_hz(void)
{
    struct timespec step;

    clock_getres(CLOCK_MONOTONIC_COARSE, &step);
    return (uint32_t)((HO_NS_PER_S + step.tv_nsec / 2) / step.tv_nsec);
}

/* ---- the address ----------------------------------------------------------------------------- */

/* Sends the request and gives every message of the answer to `see`. */
static int ask(struct mnl_socket *nl, const struct nlmsghdr *request, mnl_cb_t see, void *data)
{
    char buf[BUFFER];
    int ret = MNL_CB_OK;

    if (mnl_socket_sendto(nl, request, request->nlmsg_len) < 0) {
        return -errno;
    }
    while (ret > MNL_CB_STOP) {
        ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

        if (n < 0) {
            return -errno;
        }
        ret = mnl_cb_run(buf, (size_t)n, request->nlmsg_seq, mnl_socket_get_portid(nl), see, data);
    }
    return ret < 0 ? -errno : 0;
}

static int set_address(struct mnl_socket *nl, uint16_t type, uint16_t flags)
{
    char buf[256];
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
    struct ifaddrmsg *m;

    h->nlmsg_type = type;
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    m->ifa_family = AF_INET;
    m->ifa_prefixlen = 32;
    m->ifa_scope = RT_SCOPE_HOST;
    m->ifa_index = LO;
    mnl_attr_put_u32(h, IFA_LOCAL, htonl(ADDRESS));
    return ask(nl, h, NULL, NULL);
}

struct stamp {
    bool found, ours; /* ours: the message being read is about our address */
    uint32_t hundredths;
    uint32_t seen; /* of the message being read */
};

static int see_attribute(const struct nlattr *a, void *data)
{
    struct stamp *s = data;

    if (mnl_attr_get_type(a) == IFA_LOCAL && mnl_attr_get_payload_len(a) == 4) {
        s->ours = ntohl(mnl_attr_get_u32(a)) == ADDRESS;
    } else if (mnl_attr_get_type(a) == IFA_CACHEINFO) {
        s->seen = ((const struct ifa_cacheinfo *)mnl_attr_get_payload(a))->tstamp;
    }
    return MNL_CB_OK;
}

static int see_address(const struct nlmsghdr *h, void *data)
{
    struct stamp *s = data;
    int ret;

    s->ours = false;
    ret = mnl_attr_parse(h, sizeof(struct ifaddrmsg), see_attribute, s);
    if (s->ours) {
        s->found = true;
        s->hundredths = s->seen;
    }
    return ret;
}

/* Sets the address anew and reads when that was. */
static int read_stamp(struct mnl_socket *nl, uint32_t *ret)
{
    char buf[256];
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
    struct ifaddrmsg *m;
    struct stamp s = { .found = false };
    int err = set_address(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);

    if (err != 0) {
        return err;
    }
    h->nlmsg_type = RTM_GETADDR;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    m->ifa_family = AF_INET;
    err = ask(nl, h, see_address, &s);
    if (err != 0 || !s.found) {
        return err != 0 ? err : -ENODATA;
    }
    *ret = s.hundredths;
    return 0;
}

/* ---- the search ------------------------------------------------------------------------------ */

/* The smallest count of jiffies that is at least `hundredths` hundredths of a second. */
static uint64_t jiffies_of(uint64_t hundredths, uint32_t hz)
{
    return (hundredths * hz + 99) / 100;
}

/* The stamp has 32 bits; what it is of, the clock says. */
static uint64_t widen(uint32_t hundredths)
{
    uint64_t clock = (uint64_t)now_ns(CLOCK_MONOTONIC) / 10000000u;
    uint64_t near = (clock & ~(uint64_t)UINT32_MAX) | hundredths;

    if (near > clock + (1ull << 31) && near > UINT32_MAX) {
        return near - (1ull << 32);
    }
    return near + (1ull << 31) < clock ? near + (1ull << 32) : near;
}

/* The count at `tick` was one of those that give this stamp. */
static void narrow(struct search *s, int64_t tick, uint32_t hundredths)
{
    uint64_t wide = widen(hundredths);
    uint64_t low = jiffies_of(wide, s->hz) - (uint64_t)tick;
    uint64_t high = jiffies_of(wide + 1, s->hz) - 1 - (uint64_t)tick;

    if (!s->any || low > s->high || high < s->low) { /* the first, or one read across an edge */
        s->low = low;
        s->high = high;
        s->any = true;
        return;
    }
    s->low = low > s->low ? low : s->low;
    s->high = high < s->high ? high : s->high;
}

/* Looks at the clocks: which tick it is, and when it began if that has just happened. */
static void see_clock(struct search *s)
{
    int64_t coarse = now_ns(CLOCK_MONOTONIC_COARSE);
    int64_t now = now_ns(CLOCK_MONOTONIC);
    int64_t tick = (coarse - s->coarse0 + s->tick_ns / 2) / s->tick_ns;
    int64_t began = now - tick * s->tick_ns;

    if (tick > s->tick && (!s->has_edge || began < s->grid_ns)) {
        s->has_edge = true;
        s->grid_ns = began;
    }
    s->tick = tick;
}

static int search(struct search *s)
{
    s->coarse0 = now_ns(CLOCK_MONOTONIC_COARSE);
    while (s->tick < TICKS_MIN || s->low != s->high) {
        int64_t tick = s->tick;
        uint32_t hundredths = 0;
        int err = read_stamp(s->nl, &hundredths);

        if (err != 0) {
            return err;
        }
        see_clock(s);
        if (tick == s->tick) {
            narrow(s, tick, hundredths);
        }
        if (tick > TICKS_MAX) {
            return -ENODATA;
        }
    }
    return s->has_edge && s->any ? 0 : -ENODATA;
}

int ho_os_ticks_measure(struct ho_os_ticks *ret)
{
    struct search s = { .hz = kernel_hz() };
    /* Linux starts its count 300 s before 32 bits of it wrap. */
    uint64_t initial = (uint32_t)(0u - 300u * s.hz);
    int err;

    s.tick_ns = HO_NS_PER_S / s.hz;
    s.nl = mnl_socket_open(NETLINK_ROUTE);
    if (s.nl == NULL) {
        return -errno;
    }
    err = mnl_socket_bind(s.nl, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : search(&s);
    if (err == 0) {
        *ret = (struct ho_os_ticks){ .hz = s.hz,
                                     .count = initial + s.low,
                                     .at = { s.grid_ns },
                                     .phase_ns = s.grid_ns % s.tick_ns };
    }
    set_address(s.nl, RTM_DELADDR, 0);
    mnl_socket_close(s.nl);
    return err;
}

uint64_t ho_os_ticks_at(const struct ho_os_ticks *j, struct ho_time t, int64_t *ret_phase_ns)
{
    int64_t tick_ns = HO_NS_PER_S / j->hz;
    int64_t since = t.ns - j->at.ns;
    int64_t ticks = since / tick_ns - (since % tick_ns < 0);

    *ret_phase_ns = since - ticks * tick_ns;
    return j->count + (uint64_t)ticks;
}
