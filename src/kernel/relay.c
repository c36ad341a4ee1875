/* The loop: what hosts send goes into the cables, what has arrived goes to hosts, what processes
 * say is written down, and hosts to which something happened are looked at.
 *
 * Frames are read after everything that agents have said so far, so that the CONNECT of a SYN is
 * known before it (agent.h). A host is looked at after each of its frames, but at most
 * HO_KERNEL_LOOKS times a round: under load once a round at its end.
 *
 * Nothing wakes the loop but a descriptor, a frame whose delay is over, a middlebox that forgets,
 * a socket's timer that will have fired, or the end of the time to run.
 */

#include <errno.h>
#include <string.h>

#include "kernel/world.h"
#include "os/clock.h"
#include "os/lo.h"
#include "play/frames.h"
#include "wire/eth.h"

#define EVENTS 64

/* ---- descriptors -------------------------------------------------------------------------------
 */

int ho_kernel_watch(struct ho_kernel *k, int fd, enum ho_kernel_tag tag, uint32_t index)
{
    int err = ho_os_loop_add(k->loop, fd, HO_OS_IN, (uint64_t)tag << 32 | index);

    return err == 0 ? 0 : ho_kernel_fail(k, err, "a descriptor cannot be waited for", NULL);
}

void ho_kernel_unwatch(struct ho_kernel *k, int fd)
{
    ho_os_loop_remove(k->loop, fd);
}

void ho_kernel_dirty(struct ho_kernel *k, uint16_t node)
{
    if (node < k->plan->node_count) {
        k->host[node].dirty = true;
    }
}

/* Something has happened on the host: looked at now, or at the end of the round. */
static void happened(struct ho_kernel *k, struct ho_kernel_host *h)
{
    if (h->looks < HO_KERNEL_LOOKS) {
        h->looks++;
        ho_kernel_sample(k, h);
    } else {
        h->dirty = true;
    }
}

/* ---- frames ------------------------------------------------------------------------------------
 */

/* One frame from the host into its cable. Returns false when there is none. */
static bool take_frame(struct ho_kernel *k, struct ho_kernel_host *h, unsigned port)
{
    struct ho_buf *b = ho_buf_get(&k->bufs, 0, HO_ETH_HEADER + HO_ETH_MTU);
    uint8_t lost[HO_BUF_LARGE];
    struct ho_time at;
    int n;

    if (b == NULL) { /* a full relay loses frames, as a full queue does */
        return ho_os_wire_read(h->wire[port], lost, sizeof(lost), &at) > 0;
    }
    n = ho_os_wire_read(h->wire[port], ho_buf_bytes(b), b->cap, &at);
    if (n <= 0) {
        ho_buf_put(&k->bufs, b);
        return false;
    }
    b->len = (uint16_t)n;
    at.ns -= k->base_ns;
    ho_wires_send(&k->wires, h->node, port, b, at);
    return true;
}

static void read_wire(struct ho_kernel *k, uint32_t index)
{
    struct ho_kernel_host *h = &k->host[index >> 8];
    unsigned port = index & 0xff;

    for (unsigned i = 0; i < HO_KERNEL_FRAMES && h->up && h->wire[port] != NULL; i++) {
        if (!take_frame(k, h, port)) {
            break;
        }
        happened(k, h);
    }
}

/* What the kernel answers to a frame is there when the frame was written: it is read at once, so
 * that looking at the host does not make the answer late.
 */
static void answer(struct ho_kernel *k, struct ho_kernel_host *h, unsigned port)
{
    for (unsigned i = 0; i < HO_KERNEL_ANSWERS && take_frame(k, h, port); i++) {
    }
}

/* What the host sends to itself: the kernel has delivered it already. */
static void read_lo(struct ho_kernel *k, uint32_t node)
{
    static uint8_t packet[HO_OS_LO_MAX];
    struct ho_kernel_host *h = &k->host[node];

    for (unsigned i = 0; i < HO_KERNEL_FRAMES && h->lo >= 0; i++) {
        struct ho_time at;
        int n = ho_os_lo_read(h->lo, packet, sizeof(packet), &at);

        if (n <= 0) {
            break;
        }
        k->trace.now = (struct ho_time){ at.ns - k->base_ns };
        ho_trace_lo_sent(&k->trace, h->node, packet, (size_t)n);
        h->dirty = true;
    }
}

/* Frames whose time has come reach their hosts. */
static void deliver(struct ho_kernel *k)
{
    struct ho_time now = ho_kernel_relay_now(k);
    struct ho_buf *b;
    unsigned port;
    uint16_t node;

    if (ho_time_before(now, ho_wires_deadline(&k->wires))) {
        return;
    }
    ho_wires_tick(&k->wires, now);
    while ((b = ho_wires_receive(&k->wires, &node, &port)) != NULL) {
        struct ho_kernel_host *h = &k->host[node];

        if (h->up && port < h->ports && h->wire[port] != NULL) {
            ho_os_wire_write(h->wire[port], ho_buf_bytes(b), b->len);
            answer(k, h, port);
            happened(k, h);
        }
        ho_buf_put(&k->bufs, b);
    }
}

void ho_kernel_carriers(struct ho_kernel *k)
{
    struct ho_wires_carrier c;

    while (ho_wires_carrier(&k->wires, &c)) {
        struct ho_kernel_host *h = &k->host[c.node];

        if (h->up && h->wire[c.port] != NULL) {
            int err = ho_os_wire_carrier(h->wire[c.port], c.on);

            if (err != 0) {
                ho_kernel_fail(k, err, h->plan->name, "the carrier cannot be changed");
            }
            h->dirty = true;
        }
    }
}

/* ---- one round ---------------------------------------------------------------------------------
 */

static void read_neigh(struct ho_kernel *k, uint32_t node)
{
    struct ho_kernel_host *h = &k->host[node];
    struct ho_os_neigh n;

    while (h->up && ho_os_net_watch_read(h->net, &n) == 1) {
        h->dirty = true;
    }
    h->dirty = true; /* also when the kernel had to leave some out */
}

static void handle(struct ho_kernel *k, const struct ho_os_event *event, size_t n)
{
    bool frames = false;

    for (size_t i = 0; i < n; i++) {
        uint32_t index = (uint32_t)event[i].tag;

        switch ((enum ho_kernel_tag)(event[i].tag >> 32)) {
        case HO_KERNEL_TAG_WIRE:
            frames = true;
            break;
        case HO_KERNEL_TAG_NEIGH:
            read_neigh(k, index);
            break;
        case HO_KERNEL_TAG_LO:
            read_lo(k, index);
            break;
        case HO_KERNEL_TAG_AGENT:
            ho_kernel_hear(k, &k->proc[index]);
            break;
        case HO_KERNEL_TAG_SERVICES:
            ho_kernel_hear_services(k);
            break;
        }
    }
    if (frames) {
        ho_kernel_hear_all(k);
    }
    for (size_t i = 0; frames && i < n; i++) {
        if (event[i].tag >> 32 == HO_KERNEL_TAG_WIRE) {
            read_wire(k, (uint32_t)event[i].tag);
        }
    }
}

static void look(struct ho_kernel *k)
{
    struct ho_time now = ho_kernel_relay_now(k);

    for (size_t i = 0; i < k->plan->node_count; i++) {
        struct ho_kernel_host *h = &k->host[i];

        /* Options are read at the end of a round only (options.c). */
        if (h->plan != NULL &&
            (h->dirty || ho_time_reached(h->look, now) || (h->commands && h->looks > 0))) {
            ho_kernel_sample(k, h);
            if (h->commands && h->up && !k->killing) {
                ho_kernel_options_of(k, h, k->sock_count);
            }
        }
        h->looks = 0;
    }
}

/* The relay's deadline: the earliest of all that the clock alone brings. */
static struct ho_time due(const struct ho_kernel *k)
{
    struct ho_time t = ho_wires_deadline(&k->wires);

    for (size_t i = 0; i < k->plan->node_count; i++) {
        if (k->host[i].dirty) {
            return (struct ho_time){ 0 };
        }
        t = ho_time_min(t, k->host[i].look);
    }
    return t;
}

struct ho_time ho_kernel_deadline(const struct ho_kernel *k)
{
    struct ho_time t = due(k);

    return t.ns != HO_NEVER.ns ? (struct ho_time){ t.ns - k->zero.ns } : t;
}

static struct ho_time to_clock(const struct ho_kernel *k, struct ho_time t)
{
    return t.ns != HO_NEVER.ns ? (struct ho_time){ t.ns + k->base_ns } : t;
}

int ho_kernel_run(struct ho_kernel *k, struct ho_time until)
{
    struct ho_os_event event[EVENTS];
    bool over = false;

    deliver(k);
    look(k);
    while (k->trace.err == 0) {
        struct ho_time next = ho_time_min(until, due(k));
        int n = ho_os_loop_wait(k->loop, event, EVENTS, to_clock(k, next));

        if (n < 0 && n != -EINTR) {
            return ho_kernel_fail(k, n, "the relay cannot wait", NULL);
        }
        handle(k, event, n > 0 ? (size_t)n : 0);
        deliver(k);
        look(k);
        bool reached = ho_time_reached(until, ho_kernel_relay_now(k));

        /* What was there when the time had come is done before it is over. */
        if (reached && (over || n == 0)) {
            break;
        }
        over = reached;
    }
    return k->trace.err;
}
