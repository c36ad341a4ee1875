/* Bytes from a client into the HTTP server machine, and bytes from a server into the client
 * machine (include/halfopen/http_keepalive.h).
 *
 * What must hold is asserted: events come in the order of a message, what is refused makes no
 * event and ends the connection, nothing is taken beyond the room that was told, every timer
 * ends the connection at last - and the same bytes give the same requests however they are cut.
 *
 * Input: the bytes as they are.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "halfopen/http_keepalive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define S INT64_C(1000000000)
#define MAX_HEAD 256u

/* What a run gave, as one number, order included. */
struct digest {
    uint64_t n;
    enum ho_http_event_kind last; /* the event before */
    size_t content;
};

static void mix(struct digest *d, const void *bytes, size_t len)
{
    const uint8_t *in = bytes;

    for (size_t i = 0; i < len; i++) {
        d->n = (d->n ^ in[i]) * 0x100000001b3u; /* FNV-1a */
    }
}

static void note_event(struct digest *d, const struct ho_http_event *ev)
{
    switch (ev->kind) {
    case HO_HTTP_HEAD:
        assert(d->last == HO_HTTP_END);
        d->content = 0;
        break;
    case HO_HTTP_BODY:
        assert(d->last != HO_HTTP_END && ev->len > 0);
        mix(d, ev->bytes, ev->len);
        d->content += ev->len;
        d->last = HO_HTTP_BODY;
        return;
    case HO_HTTP_END:
        assert(d->last != HO_HTTP_END);
        mix(d, &d->content, sizeof(d->content));
        break;
    }
    d->last = ev->kind;
    if (ev->method != NULL) {
        mix(d, ev->method, strlen(ev->method));
        mix(d, ev->target, strlen(ev->target));
    }
    mix(d, &ev->status, sizeof(ev->status));
    mix(d, &ev->keeps, 1);
}

static void flush(struct ho_http_server *h, size_t piece)
{
    const uint8_t *bytes;
    size_t n;

    while ((n = ho_http_server_output(h, &bytes)) > 0) {
        ho_http_server_sent(h, n < piece ? n : piece, S);
    }
}

static void serve(struct ho_http_server *h, struct digest *d, size_t piece)
{
    struct ho_http_event ev;
    bool again = true;

    while (again) {
        again = false;
        while (ho_http_server_next(h, &ev, S) > 0) {
            note_event(d, &ev);
            if (ev.kind == HO_HTTP_END) {
                int err = ho_http_server_reply(h, 200, "text/plain", "ok", 2, S);

                assert(err == 0);
                again = true;
            }
        }
        flush(h, piece);
    }
}

/* Each timer in turn, until the connection is closed: at most head or content, then linger. */
static void run_out(struct ho_http_server *h)
{
    int ticks = 0;

    while (ho_http_server_todo(h) != HO_HTTP_CLOSE) {
        int64_t at = ho_http_server_deadline(h);

        assert(at != HO_HTTP_NEVER && ticks++ < 3);
        assert(ho_http_server_tick(h, at) != NULL);
        flush(h, 7);
    }
    assert(ho_http_server_deadline(h) == HO_HTTP_NEVER && ho_http_server_room(h) == 0);
}

static uint64_t as_server(const uint8_t *data, size_t size, size_t piece)
{
    const struct ho_http_server_conf conf = { .max_head = MAX_HEAD,
                                              .max_body = 500,
                                              .max_requests = 5 };
    struct digest d = { .n = 0xcbf29ce484222325u, .last = HO_HTTP_END };
    struct ho_http_server *h;
    int err = ho_http_server_new(&h, &conf, 0);

    assert(err == 0);
    for (size_t at = 0; at < size;) {
        size_t n = ho_http_server_room(h);

        assert(n > 0 && n <= MAX_HEAD); /* every reply is sent: it always goes on */
        n = n < size - at ? n : size - at;
        n = n < piece ? n : piece;
        err = ho_http_server_input(h, data + at, n, S);
        assert(err == 0);
        serve(h, &d, piece);
        at += n;
    }
    err = ho_http_server_refused(h);
    assert(err == 0 || (err >= 400 && err <= 505 && ho_http_server_todo(h) == HO_HTTP_SHUTDOWN));
    mix(&d, &err, sizeof(err));
    run_out(h);
    ho_http_server_free(h);
    return d.n;
}

static uint64_t as_client(const uint8_t *data, size_t size, size_t piece)
{
    const struct ho_http_client_conf conf = { .max_head = MAX_HEAD, .max_body = 500 };
    struct digest d = { .n = 0xcbf29ce484222325u, .last = HO_HTTP_END };
    struct ho_http_client *h;
    struct ho_http_event ev;
    int err = ho_http_client_new(&h, &conf, 0);

    assert(err == 0);
    err = ho_http_client_request(h, "GET", "/", "a", NULL, NULL, 0, S);
    assert(err == 0);
    for (size_t at = 0; at <= size && err >= 0;) {
        size_t n = ho_http_client_room(h);

        n = n < size - at ? n : size - at;
        n = n < piece ? n : piece;
        if (n == 0) {
            break;
        }
        err = ho_http_client_input(h, data + at, n, S);
        assert(err == 0);
        while ((err = ho_http_client_next(h, &ev, S)) > 0) {
            note_event(&d, &ev);
        }
        at += n;
    }
    ho_http_client_eof(h, S);
    while (ho_http_client_next(h, &ev, S) > 0) {
        note_event(&d, &ev);
    }
    assert(ho_http_client_todo(h) == HO_HTTP_CLOSE);
    ho_http_client_free(h);
    return d.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t whole = as_server(data, size, SIZE_MAX);

    assert(as_server(data, size, 1) == whole);
    assert(as_server(data, size, 13) == whole);
    as_client(data, size, SIZE_MAX);
    as_client(data, size, 1);
    return 0;
}
