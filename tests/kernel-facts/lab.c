#define _GNU_SOURCE
/* The laboratory: namespaces, TAPs, the cable. See lab.h. */

#include "lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RECORDS 8192
#define FRAME 2048

struct frame {
    struct frame *next;
    int64_t at;
    int to;
    ssize_t len;
    uint8_t bytes[FRAME];
};

static struct {
    bool ipv6;
    const char *what;
    int ns[2], tap[2];
    bool cut[2];
    bool (*drop)(const struct lab_rec *r);
    struct frame *first, *last;
    int64_t mark;
    uint32_t isn[2];
    struct lab_rec recs[RECORDS];
    size_t n, since; /* records; the first since the mark */
    int64_t late_us; /* how late this program woke up, at worst */
} lab;
static int64_t lab_delay_us = LAB_DELAY_US;

/* A measurement by a program that ran so late is none. */
#define LATE_MAX_US 2000

static const uint8_t MAC[2][6] = { { 2, 0, 0, 0, 0, 0xc }, { 2, 0, 0, 0, 0, 0xd } };

static int index_of(char side)
{
    return side == 's';
}

static int64_t clock_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

void lab_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)printf("  ");
    (void)vprintf(format, args);
    (void)printf("\n");
    va_end(args);
}

static void say_records(void)
{
    for (size_t i = lab.since; i < lab.n; i++) {
        const struct lab_rec *r = &lab.recs[i];
        static const char *const KINDS[] = { "tcp", "who-has", "is-at", "other" };
        (void)printf("  %12.3f ms %c %s %s %u:%u len %u%s\n", (double)(r->us - lab.mark) / 1e3,
                     r->side, KINDS[r->kind], r->flags, r->seq, r->ack, r->len,
                     r->passed ? "" : " cut");
    }
}

void lab_fail(const char *file, int line, const char *cond, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)printf("%s:%d: not so: %s: ", file, line, cond);
    (void)vprintf(format, args);
    (void)printf("\n");
    va_end(args);
    say_records();
    if (lab.late_us > LATE_MAX_US) {
        (void)printf("skipped: the machine is too busy to measure: this program ran %.1f ms late\n",
                     (double)lab.late_us / 1e3);
        exit(LAB_SKIP);
    }
    exit(1);
}

static void skip(const char *why)
{
    (void)printf("skipped: %s: %s\n", why, strerror(errno));
    exit(LAB_SKIP);
}

/* --- netlink ---------------------------------------------------------------------------------- */

struct request {
    struct nlmsghdr h;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg addr;
        struct ndmsg neigh;
    };
    uint8_t attrs[128];
};

static void attribute(struct request *q, unsigned short type, const void *data, size_t len)
{
    struct rtattr *a = (struct rtattr *)(void *)((uint8_t *)q + NLMSG_ALIGN(q->h.nlmsg_len));
    a->rta_type = type;
    a->rta_len = (unsigned short)RTA_LENGTH(len);
    memcpy(RTA_DATA(a), data, len);
    q->h.nlmsg_len = (uint32_t)(NLMSG_ALIGN(q->h.nlmsg_len) + RTA_ALIGN(a->rta_len));
}

static struct request request(unsigned short type, unsigned short flags, size_t body)
{
    struct request q;
    memset(&q, 0, sizeof(q));
    q.h.nlmsg_type = type;
    q.h.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags);
    q.h.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
    return q;
}

/* Sends the request in the namespace we are in. Returns 0 or the errno. */
static int ask(struct request *q)
{
    struct {
        struct nlmsghdr h;
        struct nlmsgerr e;
        uint8_t more[256];
    } answer;
    memset(&answer, 0, sizeof(answer));
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0 || send(fd, q, q->h.nlmsg_len, 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0) {
        skip("netlink");
    }
    (void)close(fd);
    return -answer.e.error;
}

static void enter(char side)
{
    if (setns(lab.ns[index_of(side)], CLONE_NEWNET) != 0) {
        skip("setns");
    }
}

static size_t address(char side, void *ret)
{
    char text[16];
    (void)snprintf(text, sizeof(text), lab.ipv6 ? "fd77::%d" : "10.77.0.%d", index_of(side) + 1);
    (void)inet_pton(lab.ipv6 ? AF_INET6 : AF_INET, text, ret);
    return lab.ipv6 ? 16 : 4;
}

void lab_link(char side, bool lo, bool up)
{
    enter(side);
    struct request q = request(RTM_NEWLINK, 0, sizeof(q.link));
    q.link.ifi_index = (int)if_nametoindex(lo ? "lo" : "eth0");
    q.link.ifi_change = IFF_UP;
    q.link.ifi_flags = up ? IFF_UP : 0;
    if ((errno = ask(&q)) != 0) {
        skip("ip link set");
    }
}

/* An IPv6 address answers neighbour solicitations once the kernel's worker has joined its group
 * (ff02::1:ff00:1 or :2), a moment after the request returned.
 */
static void await_group(char side)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof(wanted), "ff0200000000000000000001ff00000%d", index_of(side) + 1);
    for (int ms = 0; ms < 300; ms++) {
        FILE *f = fopen("/proc/thread-self/net/igmp6", "re");
        char line[160];
        while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
            if (strstr(line, " eth0 ") != NULL && strstr(line, wanted) != NULL) {
                (void)fclose(f);
                return;
            }
        }
        if (f != NULL) {
            (void)fclose(f);
        }
        (void)usleep(1000);
    }
}

void lab_address(char side, bool add)
{
    enter(side);
    struct request q =
        request(add ? RTM_NEWADDR : RTM_DELADDR, add ? NLM_F_CREATE : 0, sizeof(q.addr));
    uint8_t a[16];
    size_t n = address(side, a);
    q.addr.ifa_family = lab.ipv6 ? AF_INET6 : AF_INET;
    q.addr.ifa_prefixlen = lab.ipv6 ? 64 : 24;
    q.addr.ifa_flags = lab.ipv6 ? IFA_F_NODAD : 0;
    q.addr.ifa_index = if_nametoindex("eth0");
    attribute(&q, IFA_LOCAL, a, n);
    attribute(&q, IFA_ADDRESS, a, n);
    if ((errno = ask(&q)) != 0) {
        skip("ip addr");
    }
    if (add && lab.ipv6) {
        await_group(side);
    }
}

static void permanent(char side)
{
    enter(side);
    struct request q = request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof(q.neigh));
    uint8_t a[16];
    size_t n = address(side == 'c' ? 's' : 'c', a);
    q.neigh.ndm_family = lab.ipv6 ? AF_INET6 : AF_INET;
    q.neigh.ndm_ifindex = (int)if_nametoindex("eth0");
    q.neigh.ndm_state = NUD_PERMANENT;
    attribute(&q, NDA_DST, a, n);
    attribute(&q, NDA_LLADDR, MAC[!index_of(side)], 6);
    if ((errno = ask(&q)) != 0) {
        skip("ip neigh");
    }
}

/* --- building --------------------------------------------------------------------------------- */

bool lab_sysctl(char side, const char *name, const char *value)
{
    enter(side);
    char path[128];
    (void)snprintf(path, sizeof(path), "/proc/sys/%s", name);
    for (char *p = path + 10; *p != '\0'; p++) {
        *p = *p == '.' ? '/' : *p;
    }
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
    if (fd >= 0) {
        (void)close(fd);
    }
    return ok;
}

void lab_neigh(char side, const char *name, const char *value)
{
    char full[96];
    (void)snprintf(full, sizeof(full), "net.%s.neigh.eth0.%s", lab.ipv6 ? "ipv6" : "ipv4", name);
    if (!lab_sysctl(side, full, value)) {
        skip(full);
    }
}

/* The cable goes first, so that other work on the machine does not look like delay: it sleeps
 * nearly all the time. Not allowed: it goes on as it is.
 */
static void be_prompt(void)
{
    struct sched_param first = { .sched_priority = 1 };
    (void)sched_setscheduler(0, SCHED_RR, &first);
}

static void build(char side)
{
    int i = index_of(side);
    if (unshare(CLONE_NEWNET) != 0) {
        skip("a network namespace");
    }
    lab.ns[i] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    lab.tap[i] = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (lab.ns[i] < 0 || lab.tap[i] < 0) {
        skip("/dev/net/tun");
    }
    struct ifreq r;
    memset(&r, 0, sizeof(r));
    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "eth0");
    r.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (ioctl(lab.tap[i], TUNSETIFF, &r) != 0) {
        skip("TUNSETIFF");
    }
    r.ifr_hwaddr.sa_family = 1; /* Ethernet */
    memcpy(r.ifr_hwaddr.sa_data, MAC[i], 6);
    if (ioctl(lab.tap[i], SIOCSIFHWADDR, &r) != 0) {
        skip("SIOCSIFHWADDR");
    }
    (void)lab_sysctl(side, "net.ipv6.conf.eth0.accept_dad", "0");
    (void)lab_sysctl(side, "net.ipv6.conf.eth0.router_solicitations", "0");
    (void)lab_sysctl(side, "net.ipv4.tcp_congestion_control", "reno");
    lab_link(side, true, true);
    lab_link(side, false, true);
    lab_address(side, true);
}

void lab_begin(int argc, char **argv, const char *what, struct lab_conf conf)
{
    lab.ipv6 = argc > 1 && strcmp(argv[1], "6") == 0;
    lab.what = what;
    lab.mark = clock_us();
    be_prompt();
    build('c');
    build('s');
    if (conf.permanent) {
        permanent('c');
        permanent('s');
    }
    (void)printf("%s (IPv%d)\n", what, lab.ipv6 ? 6 : 4);
    lab_run(20);
}

bool lab_ipv6(void)
{
    return lab.ipv6;
}

int lab_end(void)
{
    (void)printf("true\n");
    return 0;
}

/* --- the cable -------------------------------------------------------------------------------- */

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void read_tcp(struct lab_rec *r, int i, const uint8_t *p, unsigned len)
{
    static const char LETTERS[] = "SFRPA";
    static const uint8_t BITS[] = { 2, 1, 4, 8, 16 };
    size_t n = 0;
    for (size_t k = 0; k < sizeof(BITS); k++) {
        if ((p[13] & BITS[k]) != 0) {
            r->flags[n++] = LETTERS[k];
        }
    }
    if ((p[13] & 2) != 0) {
        lab.isn[i] = get32(p + 4);
    }
    unsigned header = (unsigned)(p[12] >> 4) * 4;
    r->kind = LAB_TCP;
    r->seq = get32(p + 4) - lab.isn[i];
    r->ack = (p[13] & 16) != 0 ? get32(p + 8) - lab.isn[!i] : 0;
    r->win = get16(p + 14);
    r->len = len - header;
    for (unsigned o = 20; o + 1 < header;) {
        if (p[o] == 8) {
            r->tsval = get32(p + o + 2);
        }
        o += p[o] <= 1 ? 1 : p[o + 1] < 2 ? header : p[o + 1];
    }
}

static void read_frame(struct lab_rec *r, int i, const uint8_t *d, size_t n)
{
    r->kind = LAB_OTHER;
    r->multicast = (d[0] & 1) != 0;
    unsigned type = get16(d + 12);
    const uint8_t *ip = d + 14;
    if (type == ETH_P_ARP && n >= 42) {
        r->kind = ip[7] == 1 ? LAB_ARP : LAB_IS_AT;
    } else if (type == ETH_P_IP && ip[9] == IPPROTO_TCP) {
        unsigned header = (unsigned)(ip[0] & 15) * 4;
        read_tcp(r, i, ip + header, get16(ip + 2) - header);
    } else if (type == ETH_P_IPV6 && ip[6] == IPPROTO_TCP) {
        read_tcp(r, i, ip + 40, get16(ip + 4));
    } else if (type == ETH_P_IPV6 && ip[6] == IPPROTO_ICMPV6 && (ip[40] == 135 || ip[40] == 136)) {
        r->kind = ip[40] == 135 ? LAB_ARP : LAB_IS_AT;
    }
}

static void take(int i)
{
    uint8_t d[FRAME];
    ssize_t n;
    while ((n = read(lab.tap[i], d, sizeof(d))) > 0) {
        struct lab_rec r = { .us = clock_us(), .side = i ? 's' : 'c' };
        read_frame(&r, i, d, (size_t)n);
        r.passed = !lab.cut[i] && (lab.drop == NULL || !lab.drop(&r));
        if (lab.n < RECORDS && r.kind != LAB_OTHER) {
            lab.recs[lab.n++] = r;
        }
        if (!r.passed) {
            continue;
        }
        struct frame *f = calloc(1, sizeof(*f));
        if (f == NULL) {
            skip("memory");
        }
        f->at = r.us + lab_delay_us;
        f->to = !i;
        f->len = n;
        memcpy(f->bytes, d, (size_t)n);
        if (lab.last == NULL) {
            lab.first = f;
        } else {
            lab.last->next = f;
        }
        lab.last = f;
    }
}

static void give(int64_t now)
{
    while (lab.first != NULL && lab.first->at <= now) {
        struct frame *f = lab.first;
        lab.first = f->next;
        lab.last = lab.first == NULL ? NULL : lab.last;
        if (!lab.cut[!f->to]) {
            (void)!write(lab.tap[f->to], f->bytes, (size_t)f->len);
        }
        free(f);
    }
}

static int run(int fd, int events, int ms)
{
    int64_t end = clock_us() + ms * 1000LL;
    for (;;) {
        int64_t now = clock_us();
        give(now);
        take(0);
        take(1);
        int64_t until = lab.first != NULL && lab.first->at < end ? lab.first->at : end;
        struct pollfd p[3] = { { .fd = lab.tap[0], .events = POLLIN },
                               { .fd = lab.tap[1], .events = POLLIN },
                               { .fd = fd, .events = (short)events } };
        struct timespec wait = { 0 };
        if (until > now) {
            wait.tv_sec = (until - now) / 1000000;
            wait.tv_nsec = (until - now) % 1000000 * 1000;
        }
        if (ppoll(p, 3, &wait, NULL) == 0 && until > now) {
            int64_t late = clock_us() - until;
            lab.late_us = late > lab.late_us ? late : lab.late_us;
        }
        if (fd >= 0 && (p[2].revents & (events | POLLERR | POLLHUP)) != 0) {
            return p[2].revents;
        }
        if (clock_us() >= end) {
            return 0;
        }
    }
}

void lab_run(int ms)
{
    (void)run(-1, 0, ms);
}

int lab_run_until(int fd, int events, int ms)
{
    return run(fd, events, ms);
}

void lab_mark(void)
{
    lab.mark = clock_us();
    lab.since = lab.n;
}

int64_t lab_now(void)
{
    return clock_us() - lab.mark;
}

void lab_delay(int64_t us)
{
    lab_delay_us = us;
}

void lab_cut(const char *sides)
{
    for (; *sides != '\0'; sides++) {
        lab.cut[index_of(*sides)] = true;
    }
}

void lab_plug(void)
{
    lab.cut[0] = lab.cut[1] = false;
}

void lab_drop(bool (*drop)(const struct lab_rec *r))
{
    lab.drop = drop;
}

void lab_carrier(char side, bool on)
{
    int value = on;
    if (ioctl(lab.tap[index_of(side)], TUNSETCARRIER, &value) != 0) {
        skip("TUNSETCARRIER");
    }
}

/* --- sockets ---------------------------------------------------------------------------------- */

static socklen_t endpoint(char side, uint16_t port, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (lab.ipv6) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)(void *)ret;
        a->sin6_family = AF_INET6;
        a->sin6_port = htons(port);
        (void)address(side, &a->sin6_addr);
        return sizeof(*a);
    }
    struct sockaddr_in *a = (struct sockaddr_in *)(void *)ret;
    a->sin_family = AF_INET;
    a->sin_port = htons(port);
    (void)address(side, &a->sin_addr);
    return sizeof(*a);
}

static int bound(char side, uint16_t port)
{
    struct sockaddr_storage a;
    socklen_t n = endpoint(side, port, &a);
    int fd = lab_socket(side);
    lab_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(fd, (struct sockaddr *)(void *)&a, n) != 0) {
        skip("bind");
    }
    return fd;
}

int lab_socket(char side)
{
    enter(side);
    int fd = socket(lab.ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        skip("socket");
    }
    return fd;
}

int lab_listen(void)
{
    int fd = bound('s', LAB_PORT);
    if (listen(fd, 8) != 0) {
        skip("listen");
    }
    return fd;
}

int lab_connect(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = endpoint('c', LAB_CLIENT_PORT, &a);
    lab_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(fd, (struct sockaddr *)(void *)&a, n) != 0) {
        return errno;
    }
    n = endpoint('s', LAB_PORT, &a);
    return connect(fd, (struct sockaddr *)(void *)&a, n) == 0 ? 0 : errno;
}

static unsigned unacked(int fd)
{
    struct tcp_info i;
    socklen_t n = sizeof(i);
    memset(&i, 0, sizeof(i));
    (void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &n);
    return i.tcpi_unacked;
}

void lab_pair(int *ret_l, int *ret_c, int *ret_s)
{
    *ret_l = lab_listen();
    *ret_c = lab_socket('c');
    int err = lab_connect(*ret_c);
    LAB_CHECK(err == EINPROGRESS, "connect: %s", strerror(err));
    LAB_CHECK(lab_run_until(*ret_l, POLLIN, 1000) != 0, "nothing to accept");
    *ret_s = accept4(*ret_l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    LAB_CHECK(*ret_s >= 0, "accept: %s", strerror(errno));
    for (int i = 0; i < 4; i++) {
        (void)lab_send(*ret_c, 100);
        (void)lab_run_until(*ret_s, POLLIN, 1000);
        LAB_CHECK(lab_recv(*ret_s, 1000) == 100, "what the client sent");
        (void)lab_send(*ret_s, 100);
        (void)lab_run_until(*ret_c, POLLIN, 1000);
        LAB_CHECK(lab_recv(*ret_c, 1000) == 100, "what the server sent");
        lab_run(10);
    }
    for (int i = 0; i < 20 && (unacked(*ret_c) > 0 || unacked(*ret_s) > 0); i++) {
        lab_run(50);
    }
    LAB_CHECK(unacked(*ret_c) == 0 && unacked(*ret_s) == 0, "the connection does not come to rest");
    lab_run(100); /* the last delayed ACK */
    lab_mark();
}

void lab_option(int fd, int level, int name, int value)
{
    if (setsockopt(fd, level, name, &value, sizeof(value)) != 0) {
        skip("setsockopt");
    }
}

void lab_linger(int fd, int seconds)
{
    struct linger l = { .l_onoff = 1, .l_linger = seconds };
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) != 0) {
        skip("SO_LINGER");
    }
}

long lab_send(int fd, size_t n)
{
    static char room[1 << 20];
    long ret = send(fd, room, n < sizeof(room) ? n : sizeof(room), MSG_NOSIGNAL);
    return ret < 0 ? -errno : ret;
}

long lab_recv(int fd, size_t n)
{
    static char room[1 << 20];
    long ret = recv(fd, room, n < sizeof(room) ? n : sizeof(room), 0);
    return ret < 0 ? -errno : ret;
}

int lab_so_error(int fd)
{
    int err = 0;
    socklen_t n = sizeof(err);
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n);
    return err;
}

int lab_poll(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };
    (void)poll(&p, 1, 0);
    return p.revents;
}

int lab_state(int fd)
{
    struct tcp_info i;
    socklen_t n = sizeof(i);
    memset(&i, 0, sizeof(i));
    (void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &n);
    return i.tcpi_state;
}

/* --- looking ---------------------------------------------------------------------------------- */

const struct lab_rec *lab_nth(char side, enum lab_kind kind, const char *flags, size_t n)
{
    static struct lab_rec found;
    for (size_t i = lab.since; i < lab.n; i++) {
        const struct lab_rec *r = &lab.recs[i];
        if (r->side == side && r->kind == kind && (flags == NULL || strcmp(r->flags, flags) == 0) &&
            n-- == 0) {
            found = *r;
            found.us -= lab.mark;
            return &found;
        }
    }
    return NULL;
}

size_t lab_count(char side, enum lab_kind kind, const char *flags)
{
    size_t n = 0;
    for (size_t i = lab.since; i < lab.n; i++) {
        const struct lab_rec *r = &lab.recs[i];
        n += r->side == side && r->kind == kind && (flags == NULL || strcmp(r->flags, flags) == 0);
    }
    return n;
}
