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

#define ADDRESS 0x7f4d4d4du   /* 127.77.77.77 */
#define LO 1                  /* lo is the first interface of every namespace */
#define SURE 3                /* stamps of different counts that must give the same start */
#define NEAR_NS 200000        /* "the same": reading one takes less than a tenth of that */
#define AT_LEAST_NS 40000000  /* how long to look at all */
#define AT_MOST_NS 1000000000 /* .. and then no longer */
#define STOOD_NS 10000000     /* between two readings: as much as counts; then nobody looked */
#define BUFFER 16384

/* What is known so far: when the count was 0, at the latest. A stamp says that the first count
 * which gives it had been reached when it was read. Ticks can be late, so this is never too early,
 * and a stamp read right behind such a tick is exact.
 */
struct search {
    struct mnl_socket *nl;
    uint32_t hz;
    int64_t tick_ns;
    int64_t start_ns;   /* CLOCK_MONOTONIC at count 0 */
    uint64_t count[32]; /* that gave it or nearly it, the last ones */
    int64_t near_ns[32];
    size_t n;
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

/* How many different counts say the same start as the earliest. */
static size_t count_sure(const struct search *s)
{
    size_t kept = s->n < 32 ? s->n : 32, sure = 0;

    for (size_t i = 0; i < kept; i++) {
        sure += s->near_ns[i] - s->start_ns < NEAR_NS;
    }
    return sure;
}

/* `hundredths` was read no later than at `now`. */
static void see_stamp(struct search *s, uint32_t hundredths, int64_t now)
{
    uint64_t count = jiffies_of(widen(hundredths), s->hz);
    int64_t start = now - (int64_t)count * s->tick_ns;
    bool again = s->n > 0 && s->count[(s->n - 1) % 32] == count;

    if (s->n == 0 || start < s->start_ns) {
        s->start_ns = start;
    }
    if (!again) { /* the first reading of a stamp is the one nearest to its tick */
        s->count[s->n % 32] = count;
        s->near_ns[s->n % 32] = start;
        s->n++;
    }
}

static int search(struct search *s)
{
    int64_t now = now_ns(CLOCK_MONOTONIC), looked = 0;

    while (looked < AT_LEAST_NS || count_sure(s) < SURE) {
        uint32_t hundredths = 0;
        int64_t before = now;
        int err = looked > AT_MOST_NS ? -ENODATA : read_stamp(s->nl, &hundredths);

        if (err != 0) {
            return err;
        }
        now = now_ns(CLOCK_MONOTONIC);
        looked += now - before < STOOD_NS ? now - before : STOOD_NS;
        see_stamp(s, hundredths, now);
    }
    return 0;
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
        int64_t passed = now_ns(CLOCK_MONOTONIC) - s.start_ns;
        int64_t ticks = passed / s.tick_ns;

        *ret = (struct ho_os_ticks){ .hz = s.hz,
                                     .count = initial + (uint64_t)ticks,
                                     .at = { s.start_ns + ticks * s.tick_ns } };
        ret->phase_ns = ret->at.ns % s.tick_ns;
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
