/* The two forms of a wire behind os/wire.h. */

#ifndef HO_OS_WIRE_FORM_H
#define HO_OS_WIRE_FORM_H

#include <net/if.h>

#include "os/net.h"
#include "os/wire.h"

/* Frames of the host that may wait for us, in both forms. */
#define HO_OS_WIRE_QUEUE 1024

struct ho_os_wire {
    const struct ho_os_wire_ops *ops;
    char name[IF_NAMESIZE]; /* in the host */
    int fd;                 /* frames */
    int index;              /* in the host */
    uint32_t mtu;
    bool carrier;
    struct ho_os_wire_counts counts;
    struct ho_os_net *net; /* veth: of the far end's namespace */
    int far;               /* veth: the far end there */
    uint8_t *ring;         /* veth: slots of the packet socket, shared with the kernel */
    size_t ring_bytes, slot_bytes, slots, slot; /* slot: the next to read */
};

struct ho_os_wire_ops {
    enum ho_os_wire_form form;
    /* Makes the interface, down, with its name, MAC and MTU, and w->fd. Returns 0; a negative
     * errno with `why`; what is in *w is for `close`.
     */
    int (*open)(struct ho_os_wire *w, const struct ho_os_wire_options *o, char *why);
    void (*close)(struct ho_os_wire *w);
    /* Reads one frame: its whole length, also if `size` is smaller; a negative errno. */
    ssize_t (*read)(struct ho_os_wire *w, void *buf, size_t size);
    ssize_t (*write)(struct ho_os_wire *w, const void *frame, size_t len);
    int (*carrier)(struct ho_os_wire *w, bool on);
};

extern const struct ho_os_wire_ops ho_os_wire_tap, ho_os_wire_veth;

#endif
