/* The bulk sender and the checker of its stream (stream.h).
 *
 * The sender gives the connection as much as it takes, chunk by chunk, half-closes after the last
 * byte and waits for the other end to close. The checker reads, compares every byte, reports at
 * the end of the stream and closes.
 */

#include <errno.h>

#include "program/loop.h"
#include "program/stream.h"

/* ---- sender ---------------------------------------------------------------------------------- */

struct bulk_sender {
    struct ho_loop l;
    uint64_t total; /* bytes a connection; UINT64_MAX: without end */
    size_t chunk;   /* bytes a send() */
};

enum {
    SENDER_BYTES = HO_PEER_PARAM_COUNT,
    SENDER_CHUNK,
    SENDER_SHARED
};

static const struct ho_param sender_params[] = {
    HO_PEER_PARAMS,
    { .key = "bytes",
      .kind = HO_PARAM_BYTES,
      .fallback = "0",
      .max = INT64_MAX,
      .help = "to send on each connection; 0: without end" },
    { .key = "chunk",
      .kind = HO_PARAM_BYTES,
      .fallback = "16k",
      .min = 1,
      .max = HO_LOOP_BUF,
      .help = "bytes a send()" },
    HO_LOOP_SHARED,
};

static struct bulk_sender *sender_of(struct ho_loop *l)
{
    return ho_container(l, struct bulk_sender, l);
}

static size_t sender_output(struct ho_loop *l, struct ho_conn *c, const uint8_t **ret_bytes)
{
    struct bulk_sender *b = sender_of(l);
    uint64_t left = b->total - c->tx;
    size_t len = left < b->chunk ? (size_t)left : b->chunk;

    if (len > 0 && c->writable) {
        ho_stream_fill(l->buf, len, c->tx); /* the buffer is free while nothing is received */
    }
    *ret_bytes = l->buf;
    return len;
}

static void sender_sent(struct ho_loop *l, struct ho_conn *c, size_t len)
{
    if (c->tx == sender_of(l)->total) {
        if (l->brief) {
            ho_conn_sent_event(l, c, len, (int64_t)len); /* the last tells the total */
        }
        ho_program_say(&l->p, "bulk-sender", c->name, c->fd, "sent %llu bytes",
                       (unsigned long long)c->tx);
        ho_loop_shutdown(l, c);
    }
}

static void sender_received(struct ho_loop *l, struct ho_conn *c, const uint8_t *bytes, size_t len)
{
    (void)l;
    (void)c;
    (void)bytes;
    (void)len; /* nobody should send it anything; what comes is read and forgotten */
}

/* The other end has closed: what is left is sent, or fails, and then it is over. */
static void sender_ended(struct ho_loop *l, struct ho_conn *c)
{
    ho_loop_finish(l, c);
}

static void sender_closed(struct ho_loop *l, struct ho_conn *c)
{
    bool whole = c->tx == sender_of(l)->total;

    if (!whole) {
        ho_program_say(&l->p, "bulk-sender", c->name, -1, "ended after %llu bytes",
                       (unsigned long long)c->tx);
    }
    if (!l->listens) {
        ho_program_exit(&l->p, whole && c->eof ? 0 : 1);
    }
}

static const struct ho_loop_app sender_app = {
    .what = "bulk-sender",
    .started = ho_loop_connect_first,
    .received = sender_received,
    .output = sender_output,
    .sent = sender_sent,
    .ended = sender_ended,
    .closed = sender_closed,
};

static int sender_init(struct ho_program *p, const struct ho_value *v)
{
    struct bulk_sender *b = (struct bulk_sender *)(void *)p;

    b->total = v[SENDER_BYTES].n > 0 ? (uint64_t)v[SENDER_BYTES].n : UINT64_MAX;
    b->chunk = (size_t)v[SENDER_CHUNK].n;
    ho_loop_either(&b->l, v);
    ho_loop_shared(&b->l, &v[SENDER_SHARED]);
    return ho_loop_init(&b->l, &sender_app);
}

const struct ho_behaviour ho_behaviour_bulk_sender = {
    .spec = { "bulk-sender", "sends a checkable stream as fast as the connection takes it",
              sender_params, sizeof(sender_params) / sizeof(sender_params[0]) },
    .size = sizeof(struct bulk_sender),
    .init = sender_init,
    HO_LOOP_TABLE,
};

/* ---- checker --------------------------------------------------------------------------------- */

struct bulk_checker {
    struct ho_loop l;
    uint64_t total; /* bytes that must come; 0: any number */
};

enum {
    CHECKER_BYTES = HO_PEER_PARAM_COUNT,
    CHECKER_SHARED
};

static const struct ho_param checker_params[] = {
    HO_PEER_PARAMS,
    { .key = "bytes",
      .kind = HO_PARAM_BYTES,
      .fallback = "0",
      .max = INT64_MAX,
      .help = "how many must come on each connection; 0: any number" },
    HO_LOOP_SHARED,
};

static void checker_received(struct ho_loop *l, struct ho_conn *c, const uint8_t *bytes, size_t len)
{
    (void)l;
    (void)c;
    (void)bytes;
    (void)len; /* l->checks: the loop compares and counts */
}

static bool is_whole(struct ho_loop *l, const struct ho_conn *c)
{
    const struct bulk_checker *b = ho_container(l, struct bulk_checker, l);

    return c->eof && c->bad == 0 && (b->total == 0 || c->rx == b->total);
}

static void checker_ended(struct ho_loop *l, struct ho_conn *c)
{
    ho_loop_finish(l, c);
}

static void checker_closed(struct ho_loop *l, struct ho_conn *c)
{
    bool whole = is_whole(l, c);

    ho_program_say(&l->p, "bulk-checker", c->name, -1, "%s: %llu bytes, %llu of them wrong%s",
                   whole ? "whole" : "not whole", (unsigned long long)c->rx,
                   (unsigned long long)c->bad, c->eof ? "" : ", no end of stream");
    if (!l->listens) {
        ho_program_exit(&l->p, whole ? 0 : 1);
    }
}

static const struct ho_loop_app checker_app = {
    .what = "bulk-checker",
    .started = ho_loop_connect_first,
    .received = checker_received,
    .ended = checker_ended,
    .closed = checker_closed,
};

static int checker_init(struct ho_program *p, const struct ho_value *v)
{
    struct bulk_checker *b = (struct bulk_checker *)(void *)p;

    b->total = (uint64_t)v[CHECKER_BYTES].n;
    ho_loop_either(&b->l, v);
    ho_loop_shared(&b->l, &v[CHECKER_SHARED]);
    b->l.checks = true;
    return ho_loop_init(&b->l, &checker_app);
}

const struct ho_behaviour ho_behaviour_bulk_checker = {
    .spec = { "bulk-checker", "receives the checkable stream and checks each byte", checker_params,
              sizeof(checker_params) / sizeof(checker_params[0]) },
    .size = sizeof(struct bulk_checker),
    .init = checker_init,
    HO_LOOP_TABLE,
};
