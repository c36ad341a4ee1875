/* An HTTP server with keepalive_timeout over real sockets, with halfopen/http_keepalive.h.
 *
 *     cc -Iinclude examples/http_server.c -Lbuild -lhalfopen -o http_server
 *     ./http_server 8080        serves on 127.0.0.1:8080 for ever, keepalive_timeout 60 s
 *     ./http_server             shows itself: two requests on one connection, then nothing; the
 *                               server closes it after a keepalive_timeout of 200 ms
 *
 * One thread and poll(), at most 64 connections; more wait in the accept queue.
 */

#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "halfopen/http_keepalive.h"

#define MS INT64_C(1000000)
#define CONNS 64

struct conn {
    int fd; /* -1: free */
    struct ho_http_server *http;
    bool shut;
};

static struct conn conns[CONNS];
static struct ho_http_server_conf conf;
static unsigned timeouts; /* connections that keepalive_timeout ended */

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 * MS + t.tv_nsec;
}

static void drop(struct conn *c)
{
    ho_http_server_free(c->http);
    close(c->fd);
    c->fd = -1;
}

/* Answers what has come. Returns 0, or -1: close. */
static int answer(struct conn *c)
{
    struct ho_http_event ev;
    int found;

    while ((found = ho_http_server_next(c->http, &ev, now_ns())) > 0) {
        if (ev.kind == HO_HTTP_END) {
            printf("server: %s %s\n", ev.method, ev.target);
            found = ho_http_server_reply(c->http, 200, "text/plain", "hello\n", 6, now_ns());
            if (found < 0) {
                break;
            }
        }
    }
    return found;
}

/* Sends what there is, and answers the requests that waited behind it. */
static int flush(struct conn *c)
{
    const uint8_t *bytes;
    size_t len;

    while ((len = ho_http_server_output(c->http, &bytes)) > 0) {
        ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);

        if (n < 0) {
            return errno == EAGAIN ? 0 : -1;
        }
        ho_http_server_sent(c->http, (size_t)n, now_ns());
        if (answer(c) < 0) {
            return -1;
        }
    }
    return 0;
}

static int drain(struct conn *c)
{
    uint8_t bytes[8192];
    size_t room;

    while ((room = ho_http_server_room(c->http)) > 0) {
        ssize_t n = recv(c->fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes), 0);

        if (n < 0) {
            return errno == EAGAIN ? 0 : -1;
        }
        if (n == 0) {
            ho_http_server_eof(c->http, now_ns());
            return answer(c);
        }
        if (ho_http_server_input(c->http, bytes, (size_t)n, now_ns()) < 0 || answer(c) < 0 ||
            flush(c) < 0) {
            return -1;
        }
    }
    return 0;
}

/* One round of one connection: read, then the time, then write, then what the machine wants. */
static void turn(struct conn *c)
{
    const char *which;

    if (drain(c) < 0) {
        drop(c);
        return;
    }
    which = ho_http_server_tick(c->http, now_ns());
    if (which != NULL) {
        printf("server: %s\n", which);
        timeouts += strcmp(which, "keepalive_timeout") == 0;
    }
    if (flush(c) < 0 || ho_http_server_todo(c->http) == HO_HTTP_CLOSE) {
        drop(c);
    } else if (ho_http_server_todo(c->http) == HO_HTTP_SHUTDOWN && !c->shut) {
        c->shut = shutdown(c->fd, SHUT_WR) == 0;
    }
}

/* A free place, or NULL. */
static struct conn *place(void)
{
    for (int i = 0; i < CONNS; i++) {
        if (conns[i].fd < 0) {
            return &conns[i];
        }
    }
    return NULL;
}

static void take(int listener)
{
    struct conn *c = place();
    int fd = c != NULL ? accept(listener, NULL, NULL) : -1;

    if (fd < 0) {
        return;
    }
    *c = (struct conn){ .fd = fd };
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || ho_http_server_new(&c->http, &conf, now_ns()) < 0) {
        close(fd);
        c->fd = -1;
    }
}

/* Waits for any socket or the earliest timer, then gives every connection its turn. */
static void serve_once(int listener)
{
    struct pollfd p[CONNS + 1];
    int64_t at = HO_HTTP_NEVER, wait = -1;
    const uint8_t *bytes;

    p[CONNS] = (struct pollfd){ .fd = place() != NULL ? listener : -1, .events = POLLIN };
    for (int i = 0; i < CONNS; i++) {
        const struct conn *c = &conns[i];

        p[i] = (struct pollfd){ .fd = c->fd };
        if (c->fd >= 0) {
            int64_t mine = ho_http_server_deadline(c->http);
            bool reads = ho_http_server_room(c->http) > 0;
            bool writes = ho_http_server_output(c->http, &bytes) > 0;

            p[i].events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
            at = mine < at ? mine : at;
        }
    }
    if (at != HO_HTTP_NEVER) {
        wait = (at - now_ns() + MS - 1) / MS; /* milliseconds, rounded up: never early */
        wait = wait < 0 ? 0 : wait < 60000 ? wait : 60000;
    }
    poll(p, CONNS + 1, (int)wait);
    for (int i = 0; i < CONNS; i++) {
        if (conns[i].fd >= 0) {
            turn(&conns[i]);
        }
    }
    if (p[CONNS].revents != 0) {
        take(listener);
    }
}

static int listen_on(uint16_t port, struct sockaddr_in *ret)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };
    socklen_t len = sizeof(*ret);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 128) < 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || getsockname(fd, (struct sockaddr *)ret, &len) < 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}

/* Two requests on one connection, then silence. Returns 0 if the server closed it in time. */
static int show(int listener, const struct sockaddr_in *sa)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char bytes[1024];
    int64_t answered = 0;
    ssize_t n = -1;

    if (fd < 0 || connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 ||
        send(fd, get, strlen(get), 0) < 0 || send(fd, get, strlen(get), 0) < 0) {
        perror("client");
        return 1;
    }
    while (n != 0) {
        serve_once(listener);
        n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n > 0) {
            answered = now_ns();
        } else if (n < 0 && errno != EAGAIN) {
            break;
        }
    }
    printf("client: closed by the server %" PRId64 " ms after the last response\n",
           (now_ns() - answered) / MS);
    close(fd);
    close(listener);
    return n == 0 && timeouts == 1 && now_ns() - answered >= 190 * MS ? 0 : 1;
}

int main(int argc, char **argv)
{
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 0;
    struct sockaddr_in sa;
    int listener = listen_on(port, &sa);

    for (int i = 0; i < CONNS; i++) {
        conns[i].fd = -1;
    }
    if (port == 0) {
        conf.keepalive_timeout_ns = 200 * MS;
        return show(listener, &sa);
    }
    for (;;) {
        serve_once(listener);
    }
}
