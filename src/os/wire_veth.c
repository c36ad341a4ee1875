/* A wire that is a veth pair and a packet socket (packet(7)) at its far end. The far end has no
 * address, no ARP and no IPv6: nobody answers there but us.
 *
 * What arrives waits in slots that we share with the kernel (packet_mmap.rst, TPACKET_V2): the
 * queue of an ordinary packet socket is bounded by net.core.rmem_max, which is some 90 full frames,
 * and only root may go beyond it.
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
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/netns.h"
#include "os/sysctl.h"
#include "os/wire_form.h"

#define RING_BYTES (8u << 20) /* of large frames fewer may wait */
#define PAGE 4096u
#define TOO_LONG ((size_t)INT32_MAX)
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

/* Slots of a power of 2, so that blocks of whole pages hold them without a rest. */
static int make_ring(struct ho_os_wire *w)
{
    int version = TPACKET_V2;
    unsigned slot = 2048; /* the headers that the kernel puts before a frame are below 128 bytes */

    while (slot < w->mtu + ETH_HLEN + 128) {
        slot *= 2;
    }
    unsigned block = slot > PAGE ? slot : PAGE;
    unsigned slots = slot * HO_OS_WIRE_QUEUE > RING_BYTES ? RING_BYTES / slot : HO_OS_WIRE_QUEUE;
    struct tpacket_req q = { .tp_block_size = block,
                             .tp_block_nr = slots / (block / slot),
                             .tp_frame_size = slot,
                             .tp_frame_nr = slots };

    if (setsockopt(w->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0 ||
        setsockopt(w->fd, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)) != 0) {
        return -errno;
    }
    void *ring = mmap(NULL, (size_t)slot * slots, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);

    if (ring == MAP_FAILED) {
        return -errno;
    }
    (void)madvise(ring, (size_t)slot * slots, MADV_DONTFORK); /* an agent would keep it */
    w->ring = ring;
    w->ring_bytes = (size_t)slot * slots;
    w->slot_bytes = slot;
    w->slots = slots;
    return 0;
}

static int open_socket(struct ho_os_wire *w)
{
    struct sockaddr_ll at = { .sll_family = AF_PACKET,
                              .sll_protocol = htons(ETH_P_ALL),
                              .sll_ifindex = w->far };
    int one = 1;

    /* Protocol 0: nothing arrives before it is bound. */
    w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (w->fd < 0) {
        return -errno;
    }
    int err = make_ring(w);

    if (err != 0) {
        return err;
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
    if (w->ring != NULL) {
        (void)munmap(w->ring, w->ring_bytes);
    }
    if (w->fd >= 0) {
        (void)close(w->fd);
    }
    if (w->far > 0) {
        (void)ho_os_net_link_del(w->net, w->far);
    }
    ho_os_net_close(w->net);
}

/* Nothing waits: because nothing was sent, or because there is no interface any more. An error that
 * the socket has (ENETDOWN, once the far end is gone) would else be told by poll() for ever.
 */
static ssize_t nothing(struct ho_os_wire *w)
{
    struct ho_os_link link;
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0 &&
        ho_os_net_link_get(w->net, w->far, &link) != 0) {
        return -ENETDOWN;
    }
    return -EAGAIN;
}

/* The kernel and we hand the slots to each other by tp_status; what it wrote before is seen after
 * (packet_mmap.rst).
 */
static ssize_t veth_read(struct ho_os_wire *w, void *buf, size_t size)
{
    uint8_t *slot = w->ring + w->slot * w->slot_bytes;
    struct tpacket2_hdr *h = (struct tpacket2_hdr *)(void *)slot;

    if ((__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0) {
        return nothing(w);
    }
    size_t len = h->tp_len;

    /* A frame longer than its slot is cut there: it is longer than the MTU and is not ours. */
    if (h->tp_snaplen < len) {
        len = TOO_LONG;
    } else {
        memcpy(buf, slot + h->tp_mac, len < size ? len : size);
    }
    __atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    w->slot = (w->slot + 1) % w->slots;
    return (ssize_t)len;
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
