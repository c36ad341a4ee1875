#define _GNU_SOURCE
/* A doctor's run over 100,000 connections: reading them (ho_scan), judging them (ho_diagnose), and
 * the text. In a room of its own, with processes that hold as many sockets as they may each.
 *
 * Two machines are made. `server`: every connection has a peer somewhere else, each at another
 * address, so that 100,000 ways are asked for; its sockets are made with TCP_REPAIR (tcp(7)), since
 * no peer is needed for what is measured. `loopback`: both ends of 100,000 connections are here,
 * 200,000 sockets. Budget: 1 s and 200 MB for 100,000 connections.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "doctor/report.h"
#include "doctor/scan.h"
#include "os/net.h"
#include "os/netns.h"
#include "os/room.h"

#define CONNECTIONS 100000u
#define HOLDERS_MAX 256
#define SPARE_FDS 32
#define PORT 443
#define MB (UINT64_C(1024) * 1024)

/* linux/tcp.h and netinet/tcp.h cannot be had both. */
#define REPAIR_OFF_NO_PROBE (-1)

struct job {
    const char *name;
    bool loopback;
    unsigned connections;
};

/* ---- holders of connections ------------------------------------------------------------------ */

static _Noreturn void fail(const char *what)
{
    perror(what);
    _exit(1);
}

static struct sockaddr_in at(uint32_t addr, uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

    a.sin_addr.s_addr = htonl(addr);
    return a;
}

static void set(int fd, int level, int name, int value)
{
    if (setsockopt(fd, level, name, &value, sizeof(value)) != 0) {
        fail("setsockopt");
    }
}

/* The connections `from` to `to`: ours is 192.0.2.1, the peers are 10.0.0.0 and up. */
static void hold_server(unsigned from, unsigned to)
{
    struct sockaddr_in here = at(0xc0000201u, PORT);

    for (unsigned i = from; i < to; i++) {
        struct sockaddr_in peer = at(0x0a000100u + i, (uint16_t)(20000 + i % 20000));
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        set(fd, IPPROTO_TCP, TCP_REPAIR, 1);
        if (bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0 ||
            connect(fd, (struct sockaddr *)&peer, sizeof(peer)) != 0) {
            fail("connection without a peer");
        }
        set(fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_NO_PROBE);
        if (i % 2 == 0) {
            set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        }
    }
}

/* Each holder has a listener at an address of its own, or the ports of one would run out. */
static void hold_loopback(unsigned holder, unsigned from, unsigned to)
{
    struct sockaddr_in here = at(0x7f000101u + holder, PORT);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(listener, (struct sockaddr *)&here, sizeof(here)) != 0 || listen(listener, 64) != 0) {
        fail("listen");
    }
    for (unsigned i = from; i < to; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (connect(fd, (struct sockaddr *)&here, sizeof(here)) != 0 ||
            accept(listener, NULL, NULL) < 0) {
            fail("connect");
        }
        if (i % 2 == 0) {
            set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        }
    }
}

static void start_holder(const struct job *j, unsigned holder, unsigned from, unsigned to,
                         int ready)
{
    if (fork() != 0) {
        return;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (j->loopback) {
        hold_loopback(holder, from, to);
    } else {
        hold_server(from, to);
    }
    if (write(ready, "", 1) != 1) {
        fail("write");
    }
    for (;;) {
        (void)pause();
    }
}

/* As few processes as the limit of descriptors allows. Returns false if there are too many. */
static bool hold(const struct job *j)
{
    unsigned per_connection = j->loopback ? 2 : 1;
    struct rlimit files;
    unsigned holders = 0;
    int ready[2];
    char byte;

    (void)getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    rlim_t most = files.rlim_max < 1000000 ? files.rlim_max : 1000000;
    unsigned each = ((unsigned)most - SPARE_FDS) / per_connection;

    each = j->loopback && each > 25000 ? 25000 : each; /* ports from one address to another */
    if (pipe(ready) != 0) {
        fail("pipe");
    }
    for (unsigned from = 0; from < j->connections; from += each) {
        unsigned to = from + each < j->connections ? from + each : j->connections;

        if (holders == HOLDERS_MAX) {
            return false;
        }
        start_holder(j, holders++, from, to, ready[1]);
    }
    (void)close(ready[1]);
    for (unsigned i = 0; i < holders; i++) {
        if (read(ready[0], &byte, 1) != 1) {
            return false;
        }
    }
    (void)close(ready[0]);
    return true;
}

static void build_server(void)
{
    static const struct ho_mac mac = { { 2, 0, 0, 0, 0, 1 } };
    struct ho_addr own = ho_addr_v4(192, 0, 2, 1), gateway = ho_addr_v4(192, 0, 2, 254),
                   peers = ho_addr_v4(10, 0, 0, 0);
    struct ho_os_veth veth = { .far = "far0", .name = "eth0", .mac = mac, .mtu = 1500 };
    struct ho_os_net *net;

    if (ho_os_netns_here(&veth.netns) != 0 || ho_os_net_open(&net, -1) != 0 ||
        ho_os_net_veth_add(net, &veth) != 0) {
        fail("veth");
    }
    int eth0 = ho_os_net_link(net, "eth0"), far0 = ho_os_net_link(net, "far0");

    if (ho_os_net_link_up(net, far0, true) != 0 || ho_os_net_link_up(net, eth0, true) != 0 ||
        ho_os_net_addr_add(net, eth0, &own, 24) != 0 ||
        ho_os_net_route_add(net, eth0, &peers, 8, &gateway) != 0) {
        fail("network");
    }
    ho_os_net_close(net);
}

/* ---- the run --------------------------------------------------------------------------------- */

static void say(const struct job *j, const char *part, char *buf, size_t size)
{
    (void)snprintf(buf, size, "doctor, %s: %s", j->name, part);
}

static void check(const struct job *j, const struct ho_scan *s)
{
    size_t wanted = (size_t)j->connections * (j->loopback ? 2 : 1);

    if (s->n_conns != wanted || s->n_unreadable != 0) {
        (void)fprintf(stderr, "%zu connections instead of %zu, %zu unreadable\n", s->n_conns,
                      wanted, s->n_unreadable);
        _exit(1);
    }
}

static void run(const struct job *j)
{
    static char whole[80], reading[80], judging[80], saying[80], peak[80];
    const struct ho_scan_options all = { .pid = 0 };
    const struct ho_finding_rules none = { .middlebox_s = 0 };
    const struct ho_report_options form = { .width = 80 };
    struct ho_scan s;
    struct ho_diagnosis d;
    struct ho_text t = { 0 };
    struct rusage use;

    say(j, "whole run", whole, sizeof(whole));
    say(j, "ho_scan", reading, sizeof(reading));
    say(j, "ho_diagnose", judging, sizeof(judging));
    say(j, "text", saying, sizeof(saying));
    say(j, "peak of resident memory", peak, sizeof(peak));
    struct ho_bench total = ho_bench_start(whole);
    struct ho_bench b = ho_bench_start(reading);

    if (ho_scan(&s, &all, NULL) != 0) {
        fail("ho_scan");
    }
    ho_bench_stop(&b, 1, "scan", NULL, 0);
    b = ho_bench_start(judging);
    if (ho_diagnose(&d, &s, &none) != 0) {
        fail("ho_diagnose");
    }
    ho_bench_stop(&b, 1, "scan", NULL, 0);
    b = ho_bench_start(saying);
    ho_report(&t, HO_REPORT_TEXT, &d, &form);
    ho_bench_stop(&b, 1, "scan", NULL, 0);
    ho_bench_stop(&total, 1, "run", "wall_ns", 1000000000);
    check(j, &s);
    (void)getrusage(RUSAGE_SELF, &use);
    ho_bench_value(peak, "bytes", (uint64_t)use.ru_maxrss * 1024, 200 * MB);
    ho_text_free(&t);
    ho_diagnosis_free(&d);
    ho_scan_free(&s);
}

static int in_room(void *arg)
{
    const struct job *j = arg;
    int status = 1;

    if (!j->loopback) {
        build_server();
    }
    if (!hold(j)) {
        (void)fprintf(stderr, "too few descriptors a process for %u connections\n", j->connections);
        return 1;
    }
    pid_t pid = fork(); /* its memory is its own */

    if (pid == 0) {
        run(j);
        (void)fflush(stdout);
        _exit(0);
    }
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

int main(void)
{
    struct job jobs[] = { { .name = "100,000 connections to as many peers" },
                          { .name = "100,000 connections, both ends here", .loopback = true } };

    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        struct ho_os_exit end = { .status = 1 };
        struct ho_os_room r;

        jobs[i].connections = (unsigned)ho_bench_units(CONNECTIONS);
        (void)fflush(stdout);
        if (ho_os_room_start(&r, NULL, in_room, &jobs[i], NULL) != 0) {
            return 77;
        }
        int err = ho_os_room_wait(&r, &end);

        ho_os_room_free(&r);
        if (err != 0 || end.status != 0 || end.signal != 0) {
            return 1;
        }
    }
    return 0;
}
