/* A wire that is a TAP (Documentation/networking/tuntap.rst). Its descriptor keeps the host's
 * namespace alive. Without IFF_VNET_HDR and TUNSETOFFLOAD the kernel finishes checksums and cuts
 * segments itself before we see a frame, and checks what we write.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/netns.h"
#include "os/wire_form.h"

#define DEVICE "/dev/net/tun"
#define ETHERNET 1 /* ARPHRD_ETHER */

static int no_device(char *why, int err)
{
    ho_os_why(why, "cannot open %s: %s: %s", DEVICE, strerror(-err),
              err == -EACCES || err == -EPERM
                  ? "this user may not read and write it; a veth pair needs no device"
                  : "the kernel has no TAP devices (CONFIG_TUN, modprobe tun)");
    return err;
}

/* A TAP's own queue is as long as its txqueuelen. */
static int configure(const struct ho_os_wire *w, const struct ho_os_wire_options *o, char *why)
{
    struct ifreq r = { .ifr_hwaddr.sa_family = ETHERNET };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err = fd < 0 ? -errno : 0;

    memcpy(r.ifr_name, w->name, sizeof(r.ifr_name));
    memcpy(r.ifr_hwaddr.sa_data, &o->mac, sizeof(o->mac));
    if (err == 0 && ioctl(fd, SIOCSIFHWADDR, &r) != 0) {
        err = -errno;
    }
    r.ifr_qlen = HO_OS_WIRE_QUEUE;
    if (err == 0 && ioctl(fd, SIOCSIFTXQLEN, &r) != 0) {
        err = -errno;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (err != 0) {
        ho_os_why(why, "cannot set the MAC address and the queue of %s: %s", o->name,
                  strerror(-err));
    }
    return err;
}

/* In the host's namespace. */
static int make(struct ho_os_wire *w, const struct ho_os_wire_options *o, char *why)
{
    struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };

    w->fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (w->fd < 0) {
        return no_device(why, -errno);
    }
    memcpy(r.ifr_name, w->name, sizeof(r.ifr_name));
    if (ioctl(w->fd, TUNSETIFF, &r) != 0) {
        int err = errno == EBUSY ? -EEXIST : errno == ENOTTY ? -ENODEV : -errno;

        ho_os_why(why, "cannot make the TAP device %s: %s", o->name, strerror(-err));
        return err;
    }
    return configure(w, o, why);
}

static int tap_open(struct ho_os_wire *w, const struct ho_os_wire_options *o, char *why)
{
    int back = -1;
    int err = ho_os_netns_enter(o->netns, &back);

    if (err != 0) {
        ho_os_why(why, "cannot enter the host's network namespace: %s", strerror(-err));
        return err;
    }
    err = make(w, o, why);
    ho_os_netns_leave(back);
    return err;
}

static void tap_close(struct ho_os_wire *w)
{
    if (w->fd >= 0) {
        (void)close(w->fd);
    }
}

static ssize_t tap_read(struct ho_os_wire *w, void *buf, size_t size)
{
    ssize_t n = read(w->fd, buf, size);

    if (n >= 0) {
        return n;
    }
    return errno == EAGAIN ? -EAGAIN : -ENETDOWN;
}

static ssize_t tap_write(struct ho_os_wire *w, const void *frame, size_t len)
{
    ssize_t n = write(w->fd, frame, len);

    return n >= 0 ? n : errno == EIO ? -ENETDOWN : -errno; /* EIO: the interface is down */
}

static int tap_carrier(struct ho_os_wire *w, bool on)
{
    int value = on;

    return ioctl(w->fd, TUNSETCARRIER, &value) == 0 ? 0 : -errno;
}

const struct ho_os_wire_ops ho_os_wire_tap = {
    .form = HO_OS_WIRE_TAP,
    .open = tap_open,
    .close = tap_close,
    .read = tap_read,
    .write = tap_write,
    .carrier = tap_carrier,
};
