/* A client and a server of your own, a cable, and nobody there any more.
 *
 *     cc -Iinclude examples/pull_the_cable.c build/release/libhalfopen.a -o pull_the_cable
 *
 * The client waits for an answer that never comes. First with nothing set: it learns of it after
 * a quarter of an hour. Then with TCP_USER_TIMEOUT: after ten seconds and a retransmission.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "halfopen/halfopen.h"

static const char world[] = "host client\n"
                            "host server\n"
                            "cable client -- server delay 5ms\n"
                            "neighbours static\n"
                            "lasts 1h\n";

static void must(int64_t ret, const char *what)
{
    if (ret < 0) {
        fprintf(stderr, "%s: %s\n", what, strerror((int)-ret));
        exit(1);
    }
}

/* Pulls the cable under a waiting client. Returns after how long it was told, in nanoseconds. */
static int64_t play(int64_t user_timeout_ms)
{
    struct halfopen_error e;
    struct halfopen *w;
    char byte;
    int err = halfopen_new(&w, "example", world, strlen(world), &e);

    if (err != 0) {
        fprintf(stderr, "line %u: %s\n", e.line, e.text);
        exit(1);
    }

    int server = halfopen_process(w, "server", "server");
    int listener = halfopen_socket(w, server, "server");
    must(halfopen_bind(w, server, listener, "server", 80), "bind");
    must(halfopen_listen(w, server, listener, 16), "listen");

    int client = halfopen_process(w, "client", "client");
    int fd = halfopen_socket(w, client, "server");
    must(halfopen_setsockopt(w, client, fd, "TCP_USER_TIMEOUT", user_timeout_ms), "setsockopt");
    if (halfopen_connect(w, client, fd, "server", 80) != -EINPROGRESS) {
        exit(1);
    }
    must(halfopen_run(w, HALFOPEN_S), "run");
    must(halfopen_accept(w, server, listener), "accept");

    must(halfopen_do(w, "cut client -- server", &e), "cut");
    int64_t pulled = halfopen_now(w);

    must(halfopen_send(w, client, fd, "are you there?", 14), "send");
    int64_t n = -EAGAIN;
    while (n == -EAGAIN && halfopen_now(w) < halfopen_end(w)) {
        must(halfopen_run(w, halfopen_now(w) + HALFOPEN_S), "run");
        n = halfopen_recv(w, client, fd, &byte, 1);
    }
    if (n != -ETIMEDOUT) {
        fprintf(stderr, "expected ETIMEDOUT\n");
        exit(1);
    }
    int64_t took = halfopen_now(w) - pulled;

    fputs(halfopen_table(w), stdout);
    halfopen_free(w);
    return took;
}

int main(void)
{
    int64_t by_default = play(0);
    int64_t by_timeout = play(10000);

    printf("\nnothing set: noticed within %lld s; TCP_USER_TIMEOUT 10 s: within %lld s\n",
           (long long)(by_default / HALFOPEN_S), (long long)(by_timeout / HALFOPEN_S));
    return by_default > 900 * HALFOPEN_S && by_timeout < 12 * HALFOPEN_S ? 0 : 1;
}
