/* What both forms of a wire have in common. See os/wire.h. */

#include "os/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/sysctl.h"
#include "os/wire_form.h"

#define ETH_HEADER 14
#define MTU_MIN 68
#define MTU_MAX 65521 /* of a TAP: the frame has 65535 bytes at most */

/* ---- what the model's hosts do not send ------------------------------------------------------ */

/* The ICMPv6 type of an IPv6 packet, also behind a hop-by-hop header (RFC 8200, 4.3); -1. */
static int icmp6_type(const uint8_t *ip, size_t len)
{
    size_t at = 40;

    if (len < at + 8) {
        return -1;
    }
    uint8_t next = ip[6];

    if (next == 0) { /* hop-by-hop: MLD has a router alert there (RFC 3810, 5) */
        next = ip[at];
        at += ((size_t)ip[at + 1] + 1) * 8;
    }
    return next == 58 && at < len ? ip[at] : -1;
}

static bool is_noise(const uint8_t *frame, size_t len)
{
    if (len < ETH_HEADER + 20) {
        return false;
    }
    unsigned type = (unsigned)frame[12] << 8 | frame[13];
    const uint8_t *ip = frame + ETH_HEADER;

    if (type == 0x0800) {
        return ip[9] == 2; /* IGMP (RFC 3376) */
    }
    if (type != 0x86dd) {
        return false;
    }
    int icmp = icmp6_type(ip, len - ETH_HEADER);

    /* MLD (RFC 2710, RFC 3810), router solicitation (RFC 4861, 4.1). */
    return (icmp >= 130 && icmp <= 133) || icmp == 143;
}

/* Before the interface is up: it gets the link-local address of its MAC and no other by itself,
 * asks for no router and uses its addresses at once (Documentation/networking/ip-sysctl.rst). A
 * kernel without IPv6 has none of these.
 */
static void quieten(const struct ho_os_wire_options *o)
{
    static const char *const settings[][2] = {
        { "addr_gen_mode", "0" }, { "accept_ra", "0" },     { "router_solicitations", "0" },
        { "accept_dad", "0" },    { "dad_transmits", "0" }, { "autoconf", "0" },
    };
    char name[80];

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        (void)snprintf(name, sizeof(name), "net.ipv6.conf.%s.%s", o->name, settings[i][0]);
        (void)ho_os_sysctl_write(o->netns, name, settings[i][1]);
    }
}

/* ---- opening --------------------------------------------------------------------------------- */

static int bring_up(struct ho_os_wire *w, const struct ho_os_wire_options *o, char *why)
{
    struct ho_os_net *net = NULL;
    int err = ho_os_net_open(&net, o->netns);

    if (err == 0) {
        w->index = ho_os_net_link(net, w->name);
        err = w->index > 0 ? 0 : w->index;
    }
    if (err == 0) {
        err = ho_os_net_link_mtu(net, w->index, o->mtu);
    }
    if (err == 0) {
        quieten(o);
        err = ho_os_net_link_up(net, w->index, true);
    }
    ho_os_net_close(net);
    if (err != 0) {
        ho_os_why(why, "cannot bring %s up: %s", o->name, strerror(-err));
    }
    return err;
}

static int open_form(struct ho_os_wire **ret, const struct ho_os_wire_options *o,
                     const struct ho_os_wire_ops *ops, char *why)
{
    struct ho_os_wire *w = calloc(1, sizeof(*w));

    if (w == NULL) {
        ho_os_why(why, "out of memory");
        return -ENOMEM;
    }
    w->ops = ops;
    w->fd = -1;
    w->mtu = o->mtu;
    w->carrier = true;
    (void)snprintf(w->name, sizeof(w->name), "%s", o->name);
    int err = ops->open(w, o, why);

    if (err == 0) {
        err = bring_up(w, o, why);
    }
    if (err != 0) {
        ho_os_wire_close(w);
        return err;
    }
    *ret = w;
    return 0;
}

int ho_os_wire_open(struct ho_os_wire **ret, const struct ho_os_wire_options *o, char *why)
{
    size_t len = strlen(o->name);

    if (len == 0 || len >= IF_NAMESIZE || o->mtu < MTU_MIN || o->mtu > MTU_MAX) {
        ho_os_why(why, "no interface can have this name or this MTU: %s, %u", o->name,
                  (unsigned)o->mtu);
        return -EINVAL;
    }
    if (o->form != HO_OS_WIRE_VETH) {
        int err = open_form(ret, o, &ho_os_wire_tap, why);

        if (err == 0 || err == -EEXIST || o->form == HO_OS_WIRE_TAP) {
            return err;
        }
    }
    return open_form(ret, o, &ho_os_wire_veth, why);
}

void ho_os_wire_close(struct ho_os_wire *w)
{
    if (w != NULL) {
        w->ops->close(w);
        free(w);
    }
}

void ho_os_wire_abandon(struct ho_os_wire *w)
{
    w->far = 0;
    ho_os_wire_close(w);
}

/* ---- using ----------------------------------------------------------------------------------- */

enum ho_os_wire_form ho_os_wire_form(const struct ho_os_wire *w)
{
    return w->ops->form;
}

const char *ho_os_wire_form_name(enum ho_os_wire_form form)
{
    static const char *const names[] = {
        [HO_OS_WIRE_AUTO] = "auto",
        [HO_OS_WIRE_TAP] = "tap",
        [HO_OS_WIRE_VETH] = "veth",
    };

    return names[form];
}

int ho_os_wire_fd(const struct ho_os_wire *w)
{
    return w->fd;
}

int ho_os_wire_index(const struct ho_os_wire *w)
{
    return w->index;
}

int ho_os_wire_read(struct ho_os_wire *w, void *buf, size_t size, struct ho_time *ret_at)
{
    for (;;) {
        ssize_t n = w->ops->read(w, buf, size);

        if (n < 0) {
            return (int)n;
        }
        if ((size_t)n > size) {
            w->counts.too_long++;
        } else if (is_noise(buf, (size_t)n)) {
            w->counts.noise++;
        } else if (n > 0) {
            *ret_at = ho_os_now();
            w->counts.in++;
            return (int)n;
        }
    }
}

int ho_os_wire_write(struct ho_os_wire *w, const void *frame, size_t len)
{
    ssize_t n = len < ETH_HEADER            ? -EINVAL
                : len > w->mtu + ETH_HEADER ? -EMSGSIZE
                : !w->carrier               ? -ENETDOWN
                                            : w->ops->write(w, frame, len);

    if (n < 0) {
        w->counts.refused++;
        return (int)n;
    }
    w->counts.out++;
    return 0;
}

int ho_os_wire_carrier(struct ho_os_wire *w, bool on)
{
    int err = w->ops->carrier(w, on);

    if (err == 0) {
        w->carrier = on;
    }
    return err;
}

struct ho_os_wire_counts ho_os_wire_counts(const struct ho_os_wire *w)
{
    return w->counts;
}
