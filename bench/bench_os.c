#define _GNU_SOURCE
/* What a play on the real kernel costs before anything happens in it, and what the relay adds to
 * every frame: a room with two hosts, and the way of a frame from one host's socket to the other's
 * through our hands. Frames go one at a time, so that both sides sleep in between, as in most
 * plays.
 */

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/net.h"
#include "os/netns.h"
#include "os/proc.h"
#include "os/room.h"
#include "os/wire.h"

#define ROOMS 20
#define FRAMES 3000
#define GAP_NS 300000
#define PORT 5000

struct side {
    int netns;
    struct ho_os_wire *wire;
};

static void build(struct side *s, enum ho_os_wire_form form)
{
    for (uint8_t i = 0; i < 2; i++) {
        struct ho_os_wire_options o = { .name = "eth0",
                                        .mac = { { 2, 0, 0, 0, 0, (uint8_t)(i + 1) } },
                                        .mtu = 1500,
                                        .form = form };
        struct ho_addr a = ho_addr_v4(10, 0, 0, (uint8_t)(i + 1));
        struct ho_os_net *net;

        if (ho_os_netns_new(&o.netns) != 0 || ho_os_wire_open(&s[i].wire, &o, NULL) != 0 ||
            ho_os_net_open(&net, o.netns) != 0 ||
            ho_os_net_addr_add(net, ho_os_wire_index(s[i].wire), &a, 24) != 0) {
            _exit(77);
        }
        ho_os_net_close(net);
        s[i].netns = o.netns;
    }
}

/* ---- rooms ----------------------------------------------------------------------------------- */

static int two_hosts(void *arg)
{
    struct side s[2];

    build(s, *(enum ho_os_wire_form *)arg);
    return 0;
}

static int empty(void *arg)
{
    (void)arg;
    return 0;
}

static void measure_rooms(const char *job, int (*work)(void *arg), enum ho_os_wire_form form)
{
    struct ho_bench b = ho_bench_start(job);

    for (unsigned i = 0; i < ROOMS; i++) {
        struct ho_os_exit end = { .status = 1 };
        struct ho_os_room r;

        if (ho_os_room_start(&r, NULL, work, &form, NULL) != 0 || ho_os_room_wait(&r, &end) != 0 ||
            end.status != 0) {
            return;
        }
        ho_os_room_free(&r);
    }
    ho_bench_stop(&b, ROOMS, "room", NULL, 0);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static struct sockaddr_in at(uint8_t host)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };

    a.sin_addr.s_addr = htonl(0x0a000000u | host);
    return a;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void print_latencies(int64_t *ns, size_t n, const char *form)
{
    static const unsigned percents[] = { 50, 99 };
    char job[64];

    qsort(ns, n, sizeof(*ns), compare);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(job, sizeof(job), "frame from socket to socket, %s, p%u", form, percents[i]);
        ho_bench_value(job, "ns", (uint64_t)ns[n * percents[i] / 100], 0);
    }
    (void)fflush(stdout);
}

/* The sender: a frame that carries the time, and a pause. Descriptor 0 is its socket. */
static int send_frames(void *arg)
{
    struct sockaddr_in to = at(2);

    (void)arg;
    for (unsigned i = 0; i < FRAMES; i++) {
        struct timespec gap = { .tv_nsec = GAP_NS };
        struct ho_time now = ho_os_now();

        (void)sendto(0, &now, sizeof(now), 0, (const struct sockaddr *)&to, sizeof(to));
        (void)nanosleep(&gap, NULL);
    }
    return 0;
}

/* The receiver. Descriptors: its socket, stdout. */
static int receive_frames(void *arg)
{
    static int64_t ns[FRAMES];
    size_t n = 0;
    struct ho_time sent;
    struct pollfd p = { .fd = 0, .events = POLLIN };

    while (n < FRAMES && poll(&p, 1, 500) > 0) {
        if (recv(0, &sent, sizeof(sent), 0) == (ssize_t)sizeof(sent)) {
            ns[n++] = ho_time_since(ho_os_now(), sent).ns;
        }
    }
    if (n > 0) {
        print_latencies(ns, n, arg);
    }
    return 0;
}

static void relay(struct side *s, const struct ho_os_child *until)
{
    struct ho_os_event e[4];
    struct ho_os_loop *l;
    uint8_t frame[2048];
    struct ho_time when;

    if (ho_os_loop_new(&l) != 0 || ho_os_loop_add(l, until->pidfd, HO_OS_IN, 2) != 0) {
        _exit(77);
    }
    for (unsigned i = 0; i < 2; i++) {
        (void)ho_os_loop_add(l, ho_os_wire_fd(s[i].wire), HO_OS_IN, i);
    }
    for (;;) {
        int count = ho_os_loop_wait(l, e, 4, HO_NEVER);

        for (int i = 0; i < count; i++) {
            if (e[i].tag == 2) {
                ho_os_loop_free(l);
                return;
            }
            int n;

            while ((n = ho_os_wire_read(s[e[i].tag].wire, frame, sizeof(frame), &when)) > 0) {
                (void)ho_os_wire_write(s[1 - e[i].tag].wire, frame, (size_t)n);
            }
        }
    }
}

static int measure_frames(void *arg)
{
    enum ho_os_wire_form form = *(enum ho_os_wire_form *)arg;
    char name[8];
    struct side s[2];
    struct ho_os_child child[2];
    int fd[2];

    build(s, form);
    (void)snprintf(name, sizeof(name), "%s", ho_os_wire_form_name(form));
    for (uint8_t i = 0; i < 2; i++) {
        struct sockaddr_in a = at((uint8_t)(i + 1));

        fd[i] = ho_os_netns_socket(s[i].netns, AF_INET, SOCK_DGRAM, 0);
        if (fd[i] < 0 || bind(fd[i], (const struct sockaddr *)&a, sizeof(a)) != 0) {
            return 77;
        }
    }
    int fds[2] = { fd[1], 1 };
    struct ho_os_spawn receiver = { .netns = s[1].netns, .fds = fds, .n_fds = 2 };
    struct ho_os_spawn sender = { .netns = s[0].netns, .fds = fd, .n_fds = 1 };

    if (ho_os_spawn_call(&child[1], &receiver, receive_frames, name, NULL) != 0 ||
        ho_os_spawn_call(&child[0], &sender, send_frames, NULL, NULL) != 0) {
        return 77;
    }
    relay(s, &child[1]);
    return 0;
}

int main(void)
{
    static const enum ho_os_wire_form forms[] = { HO_OS_WIRE_TAP, HO_OS_WIRE_VETH };

    measure_rooms("room, empty", empty, HO_OS_WIRE_AUTO);
    measure_rooms("room, two hosts on taps", two_hosts, HO_OS_WIRE_TAP);
    measure_rooms("room, two hosts on veth pairs", two_hosts, HO_OS_WIRE_VETH);
    for (size_t i = 0; i < 2; i++) {
        enum ho_os_wire_form form = forms[i];
        struct ho_os_exit end;
        struct ho_os_room r;

        (void)fflush(stdout);
        if (ho_os_room_start(&r, NULL, measure_frames, &form, NULL) == 0) {
            (void)ho_os_room_wait(&r, &end);
            ho_os_room_free(&r);
        }
    }
    return 0;
}
