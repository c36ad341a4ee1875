/* A host's network interface, and its other end in our hands: Ethernet frames out and in.
 *
 * Two forms behind one interface. TAP: a device in the host's namespace whose frames are read and
 * written through /dev/net/tun. VETH: a pair, one end in the host's namespace, the far end in the
 * namespace of whoever opens the wire (the room's, empty otherwise), read and written by an
 * AF_PACKET socket. Offloads are off in both: each frame is one that a real wire could carry, with
 * its checksums right.
 *
 * Some 1000 frames of the host may wait for us; more are lost, as by a card whose queue is full.
 * They are lost where nobody records them, so whoever holds a wire reads it without delay.
 *
 * The host's end is named and addressed as asked. The interface does what the model's hosts
 * do and no more: the link-local address of its MAC (addr_gen_mode eui64; without one Linux never
 * asks a neighbour of IPv6 whether it is still there), no other address by itself, no router
 * solicitation, no duplicate address detection. What Linux cannot be told to leave - multicast
 * listener reports for the solicited-node groups, which the model has not - is taken out of what
 * ho_os_wire_read() returns and counted.
 */

#ifndef HO_OS_WIRE_H
#define HO_OS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "os/why.h"
#include "wire/addr.h"

enum ho_os_wire_form {
    HO_OS_WIRE_AUTO, /* TAP where /dev/net/tun opens, else VETH */
    HO_OS_WIRE_TAP,
    HO_OS_WIRE_VETH
};

struct ho_os_wire_options {
    int netns;        /* the host's */
    const char *name; /* in the host: "eth0"; 1 to 15 bytes */
    struct ho_mac mac;
    uint32_t mtu; /* 68..65521; IPv6 needs 1280 */
    enum ho_os_wire_form form;
};

struct ho_os_wire;

/* Makes the interface in the host's namespace, with carrier and up, and our end of it. Addresses
 * are the caller's to add (os/net.h), after this.
 *
 * Returns 0 with *ret, to be closed; -EINVAL (name, MTU); -EEXIST (the host has that name);
 * -EPERM, -EACCES, -ENOENT, -ENODEV where the form asked for is not to be had, with the sentence in
 * `why`; -ENOMEM, -EMFILE. On failure nothing is left behind.
 */
int ho_os_wire_open(struct ho_os_wire **ret, const struct ho_os_wire_options *options, char *why);

/* Takes the interface out of the host and closes our end. Takes NULL. */
void ho_os_wire_close(struct ho_os_wire *w);

/* Closes our end only: for who has let a child close the wire (os/aside.h). */
void ho_os_wire_abandon(struct ho_os_wire *w);

/* What was opened: TAP or VETH. */
enum ho_os_wire_form ho_os_wire_form(const struct ho_os_wire *w);
const char *ho_os_wire_form_name(enum ho_os_wire_form form); /* "auto", "tap", "veth" */

/* Readable when the host has sent a frame. The wire's own. */
int ho_os_wire_fd(const struct ho_os_wire *w);

/* The interface's number inside the host, for os/net.h. */
int ho_os_wire_index(const struct ho_os_wire *w);

/* The next frame that the host has sent: its length without FCS; *ret_at is when it was read.
 * `size` of mtu + 14 is always enough; a longer frame is dropped and counted (of a TAP: cut).
 *
 * Returns the length, > 0; -EAGAIN when there is none; -ENETDOWN when the host has taken the
 * interface away.
 */
int ho_os_wire_read(struct ho_os_wire *w, void *buf, size_t size, struct ho_time *ret_at);

/* Hands a frame to the host. Without carrier, or when the host's queue is full, it is dropped and
 * counted: the wire is not what tells a sender.
 *
 * Returns 0 when the kernel has it; -ENETDOWN without carrier or with the host's end down;
 * -ENOBUFS; -EMSGSIZE for one longer than mtu + 14; -EINVAL for one shorter than 14 bytes.
 */
int ho_os_wire_write(struct ho_os_wire *w, const void *frame, size_t len);

/* Carrier off is a pulled plug, as the host's kernel sees it; on is the plug back in. To be called
 * after the relay has been cut, so that no frame of the change gets through: Linux acts upon the
 * loss within a second (link watch), and what a host sends until then is still read from a TAP;
 * from a veth pair, whose far end is down, it is not.
 *
 * Returns 0; a negative errno of TUNSETCARRIER or RTM_NEWLINK.
 */
int ho_os_wire_carrier(struct ho_os_wire *w, bool on);

struct ho_os_wire_counts {
    uint64_t in, out;  /* frames that ho_os_wire_read() handed out, that the host took */
    uint64_t noise;    /* left out of what is read: MLD, IGMP, router solicitations */
    uint64_t too_long; /* read, but longer than the buffer */
    uint64_t refused;  /* not taken by the host */
};
struct ho_os_wire_counts ho_os_wire_counts(const struct ho_os_wire *w);

#endif
