/* A wire that is a veth pair and a packet socket (packet(7)) at its far end. The far end has no
 * address, no ARP and no IPv6: nobody answers there but us.
 *
 * A packet socket sees what the sender's stack left for the hardware to do: a checksum not yet
 * made, a segment of 64 KiB not yet cut. So the sender's offloads are turned off.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/netns.h"
#include "os/sysctl.h"
#include "os/wire_form.h"

#define QUEUE_BYTES (4 << 20) /* as many frames as a TAP's queue of 500 and more */
#define NAME_TRIES 100000u

static int set_ethtool(int fd, const char *name, uint32_t command)
{
    struct ethtool_value off = { .cmd = command, .data = 0 };
    struct ifreq r = { .ifr_data = (char *)&off };

    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    return ioctl(fd, SIOCETHTOOL, &r) == 0 ? 0 : -errno;
}

/* `netns`: -1: this thread's. Checksums must not be left out; the others follow from that, where
 * the kernel does not know them.
 */
static int offloads_off(int netns, const char *name)
{
    static const uint32_t commands[] = { ETHTOOL_SSG, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO };
    int fd = ho_os_netns_socket(netns, AF_INET, SOCK_DGRAM, 0);

    if (fd < 0) {
        return fd;
    }
    int err = set_ethtool(fd, name, ETHTOOL_STXCSUM);

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        (void)set_ethtool(fd, name, commands[i]);
    }
    (void)close(fd);
    return err;
}

/* A packet socket whose interface is down, or goes down, has the error ENETDOWN until somebody
 * reads it: poll() would tell it, and the next frame would be refused.
 */
static void forget_error(int fd)
{
    int ignored;
    socklen_t len = sizeof(ignored);

    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &ignored, &len);
}

static int open_socket(struct ho_os_wire *w)
{
    struct sockaddr_ll at = { .sll_family = AF_PACKET,
                              .sll_protocol = htons(ETH_P_ALL),
                              .sll_ifindex = w->far };
    int one = 1, bytes = QUEUE_BYTES;

    /* Protocol 0: nothing arrives before it is bound. */
    w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (w->fd < 0) {
        return -errno;
    }
    if (setsockopt(w->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0) {
        (void)setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    }
    if (setsockopt(w->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) != 0 ||
        setsockopt(w->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) != 0 ||
        bind(w->fd, (const struct sockaddr *)&at, sizeof(at)) != 0) {
        return -errno;
    }
    return 0;
}

/* Makes the pair, under a name at the far end that is free. */
static int make_pair(struct ho_os_wire *w, const struct ho_os_wire_options *o, char *far)
{
    static unsigned last;
    struct ho_os_veth v = {
        .far = far, .name = o->name, .netns = o->netns, .mac = o->mac, .mtu = o->mtu
    };
    int err = -EEXIST;

    for (unsigned i = 0; err == -EEXIST && i < NAME_TRIES; i++) {
        (void)snprintf(far, IF_NAMESIZE, "w%u", last++);
        if (ho_os_net_link(w->net, far) < 0) {
            err = ho_os_net_veth_add(w->net, &v);
            break; /* -EEXIST: of the name in the host */
        }
    }
    if (err == 0) {
        w->far = ho_os_net_link(w->net, far);
        err = w->far > 0 ? 0 : w->far;
    }
    return err;
}

static int quiet_far_end(struct ho_os_wire *w, const char *far)
{
    char name[64];
    int err = ho_os_net_link_noarp(w->net, w->far);

    (void)snprintf(name, sizeof(name), "net.ipv6.conf.%s.disable_ipv6", far);
    (void)ho_os_sysctl_write(-1, name, "1"); /* not there without IPv6 */
    return err;
}

/* A veth interface has the carrier of its peer being up. */
static int veth_carrier(struct ho_os_wire *w, bool on)
{
    int err = ho_os_net_link_up(w->net, w->far, on);

    forget_error(w->fd);
    return err;
}

static int veth_open(struct ho_os_wire *w, const struct ho_os_wire_options *o, char *why)
{
    char far[IF_NAMESIZE] = "";
    int err = ho_os_net_open(&w->net, -1);

    if (err == 0) {
        err = make_pair(w, o, far);
    }
    if (err == 0) {
        err = offloads_off(o->netns, o->name);
    }
    if (err == 0) {
        err = quiet_far_end(w, far);
    }
    if (err == 0) {
        err = open_socket(w);
    }
    if (err == 0) {
        err = veth_carrier(w, true);
    }
    if (err != 0) {
        ho_os_why(why, "cannot make a veth pair for %s: %s%s", o->name, strerror(-err),
                  err == -EOPNOTSUPP ? ": the kernel has none (CONFIG_VETH, modprobe veth)" : "");
    }
    return err;
}

static void veth_close(struct ho_os_wire *w)
{
    if (w->fd >= 0) {
        (void)close(w->fd);
    }
    if (w->far > 0) {
        (void)ho_os_net_link_del(w->net, w->far);
    }
    ho_os_net_close(w->net);
}

static ssize_t veth_read(struct ho_os_wire *w, void *buf, size_t size)
{
    for (;;) {
        ssize_t n = recv(w->fd, buf, size, MSG_TRUNC | MSG_DONTWAIT);
        struct ho_os_link link;

        if (n >= 0) {
            return n;
        }
        if (errno == EAGAIN) {
            return -EAGAIN;
        }
        /* ENETDOWN is said once when the far end goes down, by us or with the host's end. */
        if (errno != ENETDOWN && errno != EINTR) {
            return -errno;
        }
        if (ho_os_net_link_get(w->net, w->far, &link) != 0) {
            return -ENETDOWN;
        }
    }
}

static ssize_t veth_write(struct ho_os_wire *w, const void *frame, size_t len)
{
    ssize_t n = send(w->fd, frame, len, MSG_DONTWAIT);

    return n >= 0 ? n : errno == ENXIO ? -ENETDOWN : errno == EAGAIN ? -ENOBUFS : -errno;
}

const struct ho_os_wire_ops ho_os_wire_veth = {
    .form = HO_OS_WIRE_VETH,
    .open = veth_open,
    .close = veth_close,
    .read = veth_read,
    .write = veth_write,
    .carrier = veth_carrier,
};
