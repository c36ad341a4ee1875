/* A heartbeat between two programs over a real socket, with halfopen/heartbeat.h.
 *
 *     cc -Iinclude examples/heartbeat.c -Lbuild -lhalfopen -o heartbeat && ./heartbeat
 *
 * Two ends of a socket pair ping each other every 50 ms. After 300 ms one of them hangs: it stops
 * reading and writing but keeps its socket open, so the kernel tells the other end nothing. The
 * heartbeat does, 200 ms after the last sign of life.
 */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "halfopen/heartbeat.h"

#define MS INT64_C(1000000)

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 * MS + t.tv_nsec;
}

/* Sends what the machine has to send. Returns 0, or -1 when the connection is broken. */
static int flush(struct ho_heartbeat *hb, int fd)
{
    const uint8_t *bytes;
    size_t len;

    while ((len = ho_heartbeat_output(hb, &bytes)) > 0) {
        ssize_t n = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0) {
            return errno == EAGAIN ? 0 : -1;
        }
        ho_heartbeat_sent(hb, (size_t)n);
    }
    return 0;
}

/* Reads all that is there. Returns 0, or -1 when the connection is broken or ended. */
static int drain(struct ho_heartbeat *hb, int fd, const char *name)
{
    uint8_t bytes[512];
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
        size_t left = (size_t)n, used;
        const uint8_t *at = bytes;
        struct ho_heartbeat_msg msg;
        int found;

        while ((found = ho_heartbeat_input(hb, at, left, now_ns(), &used, &msg)) > 0) {
            at += used;
            left -= used;
            if (msg.type == HO_HEARTBEAT_TYPE_PONG) {
                printf("%s: ping %" PRIu64 " answered after %" PRId64 " us\n", name, msg.number,
                       msg.rtt_ns / 1000);
            }
        }
        if (found < 0) {
            return -1;
        }
    }
    return n < 0 && errno == EAGAIN ? 0 : -1;
}

/* One round of one end: first what has arrived, then the time, then what is to be sent. */
static int turn(struct ho_heartbeat *hb, int fd, const char *name)
{
    if (drain(hb, fd, name) < 0) {
        return -1;
    }
    if (ho_heartbeat_tick(hb, now_ns()) == -ETIMEDOUT) {
        printf("%s: lost: nothing came for %" PRId64 " ms\n", name,
               (now_ns() - ho_heartbeat_last_received(hb)) / MS);
        return 1;
    }
    return flush(hb, fd);
}

/* Sleeps until a socket is readable or a timer is due. */
static void wait_for(const int fd[2], const struct ho_heartbeat hb[2], int ends)
{
    struct pollfd p[2] = { { .fd = fd[0], .events = POLLIN }, { .fd = fd[1], .events = POLLIN } };
    int64_t at = HO_HEARTBEAT_NEVER;

    for (int i = 0; i < ends; i++) {
        int64_t mine = ho_heartbeat_deadline(&hb[i]);

        at = mine < at ? mine : at;
    }
    /* poll() counts in milliseconds: round up, a timer is never early */
    at = (at - now_ns() + MS - 1) / MS;
    poll(p, (nfds_t)ends, at > 0 ? (int)at : 0);
}

int main(void)
{
    const struct ho_heartbeat_conf conf = { .interval_ns = 50 * MS, .dead_after_ns = 200 * MS };
    struct ho_heartbeat hb[2];
    int64_t start = now_ns();
    int fd[2], result = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0) {
        perror("socketpair");
        return 1;
    }
    ho_heartbeat_init(&hb[0], &conf, start);
    ho_heartbeat_init(&hb[1], &conf, start);
    while (result == 0) {
        int ends = now_ns() < start + 300 * MS ? 2 : 1; /* then the second end hangs */

        result = turn(&hb[0], fd[0], "first end");
        if (result == 0 && ends == 2) {
            result = turn(&hb[1], fd[1], "second end");
        }
        if (result == 0) {
            wait_for(fd, hb, ends);
        }
    }
    close(fd[0]);
    close(fd[1]);
    return result == 1 ? 0 : 1;
}
