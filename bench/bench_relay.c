#define _GNU_SOURCE
/* The relay of the kernel engine: what it adds to a segment's way, and how much it carries.
 *
 * Latency: two programs in two hosts play ping-pong with 64 bytes over TCP, their cable without
 * delay; and over lo in one host. Half of the difference of the round trips is what one way through
 * the relay costs, the wakeup included; the ping-pong over lo has wakeups of its own, so the
 * programs' share is left out. Throughput: iperf3 between the hosts for 3 s. With everything
 * recorded, on each wire that this machine allows.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "kernel/kernel.h"
#include "os/clock.h"
#include "os/proc.h"
#include "os/room.h"
#include "scenario/scenario.h"

#define ROUNDS 2000
#define PORT 7000
#define BYTES 64
#define RECORDS 4000000 /* kept at most: iperf3 makes many */

static const char text[] = "neighbours static\n"
                           "host client\n"
                           "host server\n"
                           "cable client -- server delay 0ms\n"
                           "lasts 1h\n";

/* Shared by the room, its programs and this program. */
struct results {
    int64_t ns[ROUNDS]; /* round trips */
    char iperf[65536];
};
static struct results *shared;

struct job {
    struct ho_engine engine;
    struct ho_timeline tl;
    enum ho_kernel_wire wire;
};

static void must(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "bench_relay: %s: %s\n", what, strerror(errno));
        _exit(1);
    }
}

/* ---- ping-pong
 * ----------------------------------------------------------------------------------- */

static struct sockaddr_in address(const char *ip)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };

    must(inet_pton(AF_INET, ip, &a.sin_addr) == 1, "address");
    return a;
}

static void no_delay(int fd)
{
    int on = 1;

    must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0, "TCP_NODELAY");
}

/* False: the other end has finished. */
static bool whole(int fd, bool out, uint8_t *bytes)
{
    for (size_t done = 0; done < BYTES;) {
        ssize_t n = out ? send(fd, bytes + done, BYTES - done, MSG_NOSIGNAL)
                        : recv(fd, bytes + done, BYTES - done, 0);

        if (n <= 0) {
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

static int answer(void *arg)
{
    struct sockaddr_in a = address("0.0.0.0");
    uint8_t bytes[BYTES];
    int on = 1;
    int l = socket(AF_INET, SOCK_STREAM, 0);
    int fd;

    (void)arg;
    must(l >= 0 && setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0, "socket");
    must(bind(l, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(l, 1) == 0, "listen");
    fd = accept(l, NULL, NULL);
    must(fd >= 0, "accept");
    no_delay(fd);
    while (whole(fd, false, bytes) && whole(fd, true, bytes)) {
    }
    return 0;
}

static int ask(void *arg)
{
    struct sockaddr_in a = address(arg);
    uint8_t bytes[BYTES] = { 0 };
    int fd = -1;

    for (int i = 0; i < 100; i++) {
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
            break;
        }
        (void)close(fd);
        (void)usleep(10000);
        fd = -1;
    }
    must(fd >= 0, "connect");
    no_delay(fd);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t t = ho_os_now().ns;

        must(whole(fd, true, bytes) && whole(fd, false, bytes), "the connection");
        shared->ns[i] = ho_os_now().ns - t;
    }
    return 0;
}

/* ---- the room
 * ------------------------------------------------------------------------------------ */

static bool ended(struct ho_os_child *c)
{
    struct ho_os_exit e;

    return ho_os_child_exit(c, &e) != -EAGAIN;
}

/* Lets the relay run until the child has ended. */
static void relay(struct job *j, struct ho_os_child *c)
{
    struct ho_time until = ho_kernel_now(ho_kernel_of(&j->engine));

    while (!ended(c)) {
        until.ns += 50000000;
        must(j->engine.run_until(j->engine.self, until) == 0, j->engine.why(j->engine.self));
    }
}

static void ping_pong(struct job *j, uint16_t asks, const char *to)
{
    const struct ho_kernel *k = ho_kernel_of(&j->engine);
    struct ho_os_spawn server = { .netns = ho_kernel_netns(k, 1) };
    struct ho_os_spawn client = { .netns = ho_kernel_netns(k, asks) };
    struct ho_os_child s;
    struct ho_os_child c;
    char name[32];

    (void)snprintf(name, sizeof(name), "%s", to);
    must(ho_os_spawn_call(&s, &server, answer, NULL, NULL) == 0, "a child");
    must(ho_os_spawn_call(&c, &client, ask, name, NULL) == 0, "a child");
    relay(j, &c);
    ho_os_child_free(&c);
    ho_os_child_free(&s);
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void percentiles(int64_t *ret_p50, int64_t *ret_p99)
{
    qsort(shared->ns, ROUNDS, sizeof(shared->ns[0]), by_size);
    *ret_p50 = shared->ns[ROUNDS / 2];
    *ret_p99 = shared->ns[ROUNDS * 99 / 100];
}

static void put(const struct job *j, const char *what, const char *unit, int64_t value)
{
    char name[80];

    (void)snprintf(name, sizeof(name), "relay: %s, %s", what,
                   ho_kernel_wire_text(ho_kernel_of(&j->engine)));
    ho_bench_value(name, unit, value > 0 ? (uint64_t)value : 0, 0);
}

static void latency(struct job *j)
{
    int64_t lo[2];
    int64_t way[2];

    ping_pong(j, 1, "127.0.0.1");
    percentiles(&lo[0], &lo[1]);
    ping_pong(j, 0, "10.0.0.2");
    percentiles(&way[0], &way[1]);
    put(j, "added to one way, p50", "ns", (way[0] - lo[0]) / 2);
    put(j, "added to one way, p99", "ns", (way[1] - lo[1]) / 2);
}

/* ---- iperf3
 * -------------------------------------------------------------------------------------- */

static bool start_iperf(struct job *j, uint16_t host, int out, char *const *argv,
                        struct ho_os_child *ret)
{
    int fds[3] = { -1, out, -1 };
    struct ho_os_spawn s = { .netns = ho_kernel_netns(ho_kernel_of(&j->engine), host),
                             .fds = fds,
                             .n_fds = 3 };

    return ho_os_spawn_exec(ret, &s, argv, NULL, NULL) == 0;
}

static void throughput(struct job *j)
{
    char *const server[] = { "iperf3", "-s", "-1", NULL };
    char *const client[] = { "iperf3", "-c", "10.0.0.2", "-t", "3", "-J", NULL };
    int out = memfd_create("iperf3", MFD_CLOEXEC);
    struct ho_os_child s;
    struct ho_os_child c;
    struct ho_time t;
    const char *found;

    must(out >= 0, "memfd");
    if (!start_iperf(j, 1, -1, server, &s)) {
        (void)fprintf(stderr, "bench_relay: no iperf3: throughput is not measured\n");
        return;
    }
    t = ho_kernel_now(ho_kernel_of(&j->engine));
    t.ns += 300000000; /* it listens by then */
    (void)j->engine.run_until(j->engine.self, t);
    must(start_iperf(j, 0, out, client, &c), "iperf3");
    relay(j, &c);
    ho_os_child_free(&c);
    ho_os_child_free(&s);
    must(pread(out, shared->iperf, sizeof(shared->iperf) - 1, 0) > 0, "iperf3's answer");
    (void)close(out);
    found = strstr(shared->iperf, "\"sum_received\"");
    found = found != NULL ? strstr(found, "\"bits_per_second\":") : NULL;
    if (found != NULL) {
        put(j, "iperf3, one stream", "bit/s", (int64_t)strtod(found + 18, NULL));
    } else {
        (void)fprintf(stderr, "bench_relay: iperf3 did not say how fast it was\n");
    }
}

/* ---- all of it
 * ----------------------------------------------------------------------------------- */

static int work(void *arg)
{
    struct job *j = arg;
    struct ho_kernel_options options = { .wire = j->wire };
    struct ho_plan_options po = { .engine = "kernel" };
    struct ho_scn_error e = { .text = "" };
    struct ho_scn *scn;
    struct ho_plan *plan;

    must(ho_scn_parse(&scn, "relay", text, strlen(text), &e) == 0, e.text);
    struct ho_scn_case first = ho_scn_case(scn, 0);

    must(ho_plan_make(&plan, scn, &first, &po, &e) == 0, e.text);
    ho_timeline_init(&j->tl, RECORDS);
    must(ho_kernel_new(&j->engine, &options) == 0, "no memory");
    if (j->engine.begin(j->engine.self, plan, &j->tl) != 0) {
        (void)fprintf(stderr, "bench_relay: left out: %s\n", j->engine.why(j->engine.self));
        return 0;
    }
    latency(j);
    throughput(j);
    (void)fflush(stdout);
    j->engine.destroy(j->engine.self);
    ho_timeline_destroy(&j->tl);
    ho_plan_free(plan);
    ho_scn_free(scn);
    return 0;
}

int main(void)
{
    static struct job jobs[] = { { .wire = HO_KERNEL_WIRE_TAP }, { .wire = HO_KERNEL_WIRE_VETH } };
    int bad = 0;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(shared != MAP_FAILED, "memory");
    for (size_t i = 0; i < 2; i++) {
        struct ho_os_room room;
        struct ho_os_exit end = { .status = 0 };
        char why[HO_OS_WHY];

        if (ho_os_room_start(&room, NULL, work, &jobs[i], why) != 0) {
            (void)fprintf(stderr, "bench_relay: left out: %s\n", why);
            return 0;
        }
        (void)ho_os_room_wait(&room, &end);
        ho_os_room_free(&room);
        bad |= end.status != 0 || end.signal != 0;
    }
    return bad;
}
