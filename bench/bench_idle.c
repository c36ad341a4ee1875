/* What an idle connection costs: a million of them between two hosts, established, accepted, at
 * rest. The growth of this process's resident memory over both ends of all of them is divided by
 * the number of ends: connection, socket, descriptor, demultiplexing and timer, all included.
 * DESIGN's budget: 192 bytes an endpoint.
 *
 * The hosts are joined without a cable: what one puts out is the other's input at once. Neighbours
 * are permanent, so nothing but TCP is under way.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "bench/bench.h"
#include "host/host.h"

#define PAIRS 1000000u
#define PORTS 250u /* the server's: each takes PAIRS / PORTS clients' ports */
#define FIRST_PORT 10001u

static void must(int64_t ret, const char *what)
{
    if (ret < 0) {
        fprintf(stderr, "bench_idle: %s: %lld\n", what, (long long)ret);
        exit(1);
    }
}

static struct ho_host *make_host(struct ho_bufpool *bufs, uint8_t n, uint8_t other)
{
    static const struct ho_time start = { 0 };
    struct ho_host_conf conf = {
        .clk = { .hz = 250 }, .seed = n, .bufs = bufs, .max_sockets = (size_t)2 * PAIRS
    };
    struct ho_addr a = ho_addr_v4(10, 0, 0, n);
    struct ho_addr b = ho_addr_v4(10, 0, 0, other);
    struct ho_mac mac = { { 2, 0, 0, 0, 0, n } };
    struct ho_mac mac_b = { { 2, 0, 0, 0, 0, other } };
    struct ho_host *h;

    snprintf(conf.name, sizeof(conf.name), "host%u", n);
    must(ho_host_new(&h, &conf), "host");
    must(ho_host_add_nic(h, "eth0", mac, 1500), "interface");
    must(ho_host_addr_add(h, 0, &a, 24, start), "address");
    must(ho_host_neigh_add(h, 0, &b, mac_b, start), "neighbour");
    must(ho_sysctl_parse(ho_host_sysctls(h), "ip_local_port_range", "1024 65535"), "sysctl");
    must(ho_sysctl_parse(ho_host_sysctls(h), "net.core.somaxconn", "1024"), "sysctl");
    ho_host_boot(h, start);
    return h;
}

static int64_t call(struct ho_host *h, uint32_t pid, struct ho_op *op, struct ho_time now)
{
    if (ho_host_start(h, pid, op, now) == HO_OP_PENDING) {
        fprintf(stderr, "bench_idle: a call blocks\n");
        exit(1);
    }
    return op->ret;
}

static int open_socket(struct ho_host *h, uint32_t pid, struct ho_time now)
{
    struct ho_op op = { .kind = HO_OP_SOCKET, .fd = -1, .flags = HO_SOCK_NONBLOCK };

    op.addr = ho_addr_v4(0, 0, 0, 0);
    must(call(h, pid, &op, now), "socket");
    return (int)op.ret;
}

static void listen_on(struct ho_host *h, uint32_t pid, uint16_t port, int *ret_fd)
{
    struct ho_time now = { 0 };
    int fd = open_socket(h, pid, now);
    struct ho_op bind = { .kind = HO_OP_BIND, .fd = fd, .port = port };
    struct ho_op listen = { .kind = HO_OP_LISTEN, .fd = fd, .arg = 1024 };

    bind.addr = ho_addr_v4(0, 0, 0, 0);
    must(call(h, pid, &bind, now), "bind");
    must(call(h, pid, &listen, now), "listen");
    *ret_fd = fd;
}

/* Passes frames on until there are none. */
static void exchange(struct ho_host *a, struct ho_host *b, struct ho_time now)
{
    struct ho_buf *frame;
    int nic;
    bool more = true;

    while (more) {
        more = false;
        while ((frame = ho_host_output(a, &nic, now)) != NULL) {
            ho_host_input(b, 0, frame, now);
            more = true;
        }
        while ((frame = ho_host_output(b, &nic, now)) != NULL) {
            ho_host_input(a, 0, frame, now);
            more = true;
        }
    }
}

static void connect_one(struct ho_host *client, uint32_t cpid, struct ho_host *server,
                        uint32_t spid, int listener, uint16_t port, struct ho_time now)
{
    struct ho_op connect = { .kind = HO_OP_CONNECT, .port = port };
    struct ho_op accept = { .kind = HO_OP_ACCEPT, .fd = listener, .flags = HO_SOCK_NONBLOCK };

    connect.fd = open_socket(client, cpid, now);
    connect.addr = ho_addr_v4(10, 0, 0, 2);
    if (call(client, cpid, &connect, now) != -EINPROGRESS) {
        must(connect.ret, "connect");
    }
    exchange(client, server, now);
    must(call(server, spid, &accept, now), "accept");
    /* Nobody waits in epoll, but what has completed must be taken. */
    while (ho_host_completed(client) != NULL || ho_host_completed(server) != NULL) {
    }
}

int main(void)
{
    struct ho_bufpool bufs;
    struct ho_time now = { 0 };
    int listener[PORTS];

    ho_bufpool_init(&bufs, 1u << 20);
    struct ho_host *client = make_host(&bufs, 1, 2);
    struct ho_host *server = make_host(&bufs, 2, 1);
    uint32_t cpid = (uint32_t)ho_host_spawn(client, "client");
    uint32_t spid = (uint32_t)ho_host_spawn(server, "server");

    for (unsigned i = 0; i < PORTS; i++) {
        listen_on(server, spid, (uint16_t)(FIRST_PORT + i), &listener[i]);
    }

    uint64_t pairs = ho_bench_units(PAIRS);
    uint64_t before = ho_bench_resident();
    struct ho_bench b = ho_bench_start("idle connections: connect and accept");

    for (uint64_t i = 0; i < pairs; i++) {
        unsigned port = (unsigned)(i % PORTS);

        connect_one(client, cpid, server, spid, listener[port], (uint16_t)(FIRST_PORT + port), now);
        now.ns += 1000; /* a million connections a second */
        if (i % 1024 == 0) {
            ho_host_tick(client, now);
            ho_host_tick(server, now);
            exchange(client, server, now);
        }
    }
    ho_bench_stop(&b, pairs, "pair", "", 0);
    ho_bench_value("idle endpoint, resident growth over a million pairs", "bytes",
                   (ho_bench_resident() - before) / (2 * pairs), 192);
    ho_bench_value("idle endpoint, as the host counts it", "bytes", ho_host_idle_bytes(), 192);
    ho_host_free(client);
    ho_host_free(server);
    ho_bufpool_destroy(&bufs);
    return 0;
}
