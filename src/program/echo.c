/* The echo server: sends back what it receives (RFC 862, over any port).
 *
 * What cannot be sent yet is kept, at most `buffer` bytes a connection; while that is full
 * nothing more is read, so a client that does not read fills both windows and nothing else. At
 * the end of the client's stream the rest is sent and the connection closed.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "program/loop.h"

struct echo {
    struct ho_loop l;
    size_t room; /* bytes kept a connection */
};

struct echo_conn {
    uint8_t *bytes; /* NULL while nothing waits */
    size_t at, len; /* what waits is bytes[at .. len) */
};

enum {
    ECHO_BUFFER = HO_SERVER_PARAM_COUNT,
    ECHO_SHARED
};

static const struct ho_param params[] = {
    HO_SERVER_PARAMS,
    { .key = "buffer",
      .kind = HO_PARAM_BYTES,
      .fallback = "64k",
      .min = 1,
      .max = 1 << 26,
      .help = "bytes kept for a client that does not read" },
    HO_LOOP_SHARED,
};

static size_t room(const struct ho_loop *l, const struct ho_conn *c)
{
    const struct echo *p = (const struct echo *)(const void *)l;
    const struct echo_conn *e = c->app;

    return p->room - (e->len - e->at);
}

static void received(struct ho_loop *l, struct ho_conn *c, const uint8_t *bytes, size_t len)
{
    struct echo_conn *e = c->app;
    size_t waits = e->len - e->at;
    uint8_t *more;

    if (e->at > 0) {
        memmove(e->bytes, e->bytes + e->at, waits);
        e->at = 0;
        e->len = waits;
    }
    more = realloc(e->bytes, waits + len);
    if (more == NULL) {
        ho_program_say(&l->p, "echo-server", c->name, c->fd, "no memory for %zu bytes", len);
        ho_loop_close(l, c);
        return;
    }
    memcpy(more + waits, bytes, len);
    e->bytes = more;
    e->len = waits + len;
}

static size_t output(struct ho_loop *l, struct ho_conn *c, const uint8_t **ret_bytes)
{
    struct echo_conn *e = c->app;

    (void)l;
    *ret_bytes = e->bytes != NULL ? e->bytes + e->at : NULL;
    return e->len - e->at;
}

static void sent(struct ho_loop *l, struct ho_conn *c, size_t len)
{
    struct echo_conn *e = c->app;

    (void)l;
    e->at += len;
    if (e->at == e->len) {
        free(e->bytes);
        *e = (struct echo_conn){ 0 }; /* a connection at rest keeps no buffer */
    }
}

static void closed(struct ho_loop *l, struct ho_conn *c)
{
    struct echo_conn *e = c->app;

    (void)l;
    free(e->bytes);
}

static const struct ho_loop_app app = {
    .what = "echo-server",
    .app_size = sizeof(struct echo_conn),
    .room = room,
    .received = received,
    .output = output,
    .sent = sent,
    .closed = closed,
};

static int init(struct ho_program *p, const struct ho_value *v)
{
    struct echo *e = (struct echo *)(void *)p;

    e->room = (size_t)v[ECHO_BUFFER].n;
    ho_loop_serve(&e->l, v);
    ho_loop_shared(&e->l, &v[ECHO_SHARED]);
    return ho_loop_init(&e->l, &app);
}

const struct ho_behaviour ho_behaviour_echo_server = {
    .spec = { "echo-server", "sends back what it receives", params,
              sizeof(params) / sizeof(params[0]) },
    .size = sizeof(struct echo),
    .init = init,
    HO_LOOP_TABLE,
};
