/* Unit tests of the HTTP machines (include/halfopen/http_keepalive.h) alone: what goes in as
 * bytes and time, what comes out as bytes.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "halfopen/http_keepalive.h"

#define S INT64_C(1000000000)

/* ---- the server, driven as a program would ----------------------------------------------------
 */

struct run {
    struct ho_http_server *h;
    char out[65536]; /* everything that was sent */
    size_t out_len;
    char log[4096]; /* "GET / 0;" for each request with its bytes of content */
    size_t requests, content;
};

static void flush(struct run *r, size_t piece, int64_t now)
{
    const uint8_t *bytes;
    size_t n;

    while ((n = ho_http_server_output(r->h, &bytes)) > 0) {
        n = n < piece ? n : piece;
        assert_true(r->out_len + n < sizeof(r->out));
        memcpy(r->out + r->out_len, bytes, n);
        r->out_len += n;
        r->out[r->out_len] = '\0';
        ho_http_server_sent(r->h, n, now);
    }
}

static void work(struct run *r, size_t piece, int64_t now)
{
    struct ho_http_event ev;
    bool more = true;

    while (more) {
        more = false;
        while (ho_http_server_next(r->h, &ev, now) > 0) {
            if (ev.kind == HO_HTTP_HEAD) {
                r->content = 0;
            } else if (ev.kind == HO_HTTP_BODY) {
                r->content += ev.len;
            } else {
                size_t at = strlen(r->log);

                snprintf(r->log + at, sizeof(r->log) - at, "%s %s %zu;", ev.method, ev.target,
                         r->content);
                r->requests++;
                assert_int_equal(ho_http_server_reply(r->h, 200, NULL, "ok", 2, now), 0);
                more = true;
            }
        }
        flush(r, piece, now);
    }
}

static void start(struct run *r, const struct ho_http_server_conf *conf)
{
    memset(r, 0, sizeof(*r));
    assert_int_equal(ho_http_server_new(&r->h, conf, 0), 0);
}

static void put(struct run *r, const void *bytes, size_t len, size_t piece, int64_t now)
{
    const uint8_t *in = bytes;

    while (len > 0) {
        size_t n = ho_http_server_room(r->h);

        n = n < len ? n : len;
        n = n < piece ? n : piece;
        if (n == 0) {
            break;
        }
        assert_int_equal(ho_http_server_input(r->h, in, n, now), 0);
        work(r, piece, now);
        in += n;
        len -= n;
    }
}

static const struct ho_http_server_conf defaults;

#define OK_KEPT                                                          \
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n" \
    "Keep-Alive: timeout=60\r\n\r\nok"
#define OK_LAST "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

static void requests_are_answered_whatever_the_pieces(void **state)
{
    static const struct {
        const char *in, *log, *out;
        enum ho_http_todo todo;
    } cases[] = {
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 0;", OK_KEPT, HO_HTTP_SERVE },
        { "GET /x?y=%20 HTTP/1.1\r\nhost:a:8080  \r\nX:\t y \r\n\r\n", "GET /x?y=%20 0;", OK_KEPT,
          HO_HTTP_SERVE },
        /* empty lines before a request are skipped (RFC 9112 2.2) */
        { "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 0;", OK_KEPT, HO_HTTP_SERVE },
        /* pipelining: answered in order */
        { "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
          "\r\nhelloGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
          "GET /1 0;POST /2 5;GET /3 0;", OK_KEPT OK_KEPT OK_KEPT, HO_HTTP_SERVE },
        /* chunked, with an extension and a trailer (RFC 9112 7.1) */
        { "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
          "5\r\nhello\r\nB;x=\"y\"\r\nhello world\r\n0\r\nT: v\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n"
          "\r\n",
          "POST /c 16;GET / 0;", OK_KEPT OK_KEPT, HO_HTTP_SERVE },
        { "POST /0 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
          "POST /0 0;", OK_KEPT, HO_HTTP_SERVE },
        /* the connection ends where the client or the version says so (RFC 9112 9.3) */
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /no HTTP/1.1\r\n", "GET / 0;",
          OK_LAST, HO_HTTP_SHUTDOWN },
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, CLOSE\r\n\r\n", "GET / 0;", OK_LAST,
          HO_HTTP_SHUTDOWN },
        { "GET / HTTP/1.0\r\n\r\n", "GET / 0;", OK_LAST, HO_HTTP_SHUTDOWN },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / 0;", OK_KEPT, HO_HTTP_SERVE },
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", "GET / 0;", OK_KEPT,
          HO_HTTP_SERVE },
        /* only the length for HEAD (RFC 9110 9.3.2) */
        { "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD / 0;",
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n"
          "Keep-Alive: timeout=60\r\n\r\n",
          HO_HTTP_SERVE },
        { "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", "OPTIONS * 0;", OK_KEPT, HO_HTTP_SERVE },
        { "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/ 0;", OK_KEPT, HO_HTTP_SERVE },
        { "GET / HTTP/1.9\r\nHost: a\r\n\r\n", "GET / 0;", OK_KEPT, HO_HTTP_SERVE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t piece = 1; piece <= strlen(cases[i].in); piece += 1 + piece / 8) {
            struct run *r = malloc(sizeof(*r));

            assert_non_null(r);
            start(r, &defaults);
            put(r, cases[i].in, strlen(cases[i].in), piece, 1);
            assert_string_equal(r->log, cases[i].log);
            assert_string_equal(r->out, cases[i].out);
            assert_int_equal(ho_http_server_todo(r->h), cases[i].todo);
            assert_int_equal(ho_http_server_refused(r->h), 0);
            ho_http_server_free(r->h);
            free(r);
        }
    }
}

/* Requests that must be refused with this status; 0: this one is fine so far. */
static const struct {
    const char *in;
    int status;
} bad_requests[] = {
    { "GET / HTTP/1.1\r\n\r\n", 400 },                       /* no Host */
    { "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400 }, /* two */
    { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
    { "GET / HTTP/1.1\nHost: a\n\n", 400 },             /* bare LF */
    { "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", 400 }, /* bare CR */
    { "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400 },      /* blank before colon */
    { "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: a\r\n: v\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: a\r\nX: a\x01z\r\n\r\n", 400 },
    { "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400 }, /* two blanks */
    { "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400 },
    { "GET /\r\nHost: a\r\n\r\n", 400 }, /* HTTP/0.9 */
    { "GET\r\n\r\n", 400 },
    { " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    { "GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    { "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    { "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
    { "GET / http/1.1\r\nHost: a\r\n\r\n", 400 },
    { "GET / HTTP/11\r\nHost: a\r\n\r\n", 400 },
    { "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505 },
    { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 }, /* HTTP/2's preface */
    { "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501 },
    { "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501 },
    { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: a\r\n\r\n", 501 },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx", 400 },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413 },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413 },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
      400 }, /* smuggling */
    { "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501 },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n"
      "\r\n",
      501 },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc", 400 },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\nab\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n", 0 },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n", 413 },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "fffffffffffffffffff\r\n",
      413 },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: tea\r\n\r\n", 417 },
};

/* The status goes out, the request makes no event, and the connection ends. */
static void bad_requests_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_requests) / sizeof(bad_requests[0]); i++) {
        for (size_t piece = 1; piece < 200; piece *= 5) {
            struct run *r = malloc(sizeof(*r));
            char want[32];

            assert_non_null(r);
            start(r, &defaults);
            put(r, bad_requests[i].in, strlen(bad_requests[i].in), piece, 1);
            assert_int_equal(ho_http_server_refused(r->h), bad_requests[i].status);
            if (bad_requests[i].status != 0) {
                snprintf(want, sizeof(want), "HTTP/1.1 %d ", bad_requests[i].status);
                assert_memory_equal(r->out, want, strlen(want));
                assert_non_null(strstr(r->out, "\r\nConnection: close\r\n"));
                assert_int_equal(ho_http_server_todo(r->h), HO_HTTP_SHUTDOWN);
            }
            assert_string_equal(r->log, "");
            ho_http_server_free(r->h);
            free(r);
        }
    }
}

static void heads_are_bounded(void **state)
{
    const struct ho_http_server_conf small = { .max_head = 200 };
    static const char tail[] = " HTTP/1.1\r\nHost: a\r\n\r\n";
    char in[3000] = "GET /";
    struct run r;
    size_t n;

    (void)state;
    for (size_t fill = 0; fill < 400; fill++) { /* the last that fits is of 200 bytes exactly */
        memset(in + 5, 'x', fill);
        memcpy(in + 5 + fill, tail, sizeof(tail));
        start(&r, &small);
        put(&r, in, strlen(in), 50, 1);
        assert_int_equal(ho_http_server_refused(r.h), strlen(in) <= 200      ? 0
                                                      : fill + 5 + 11 <= 200 ? 431
                                                                             : 414);
        ho_http_server_free(r.h);
    }
    n = (size_t)snprintf(in, sizeof(in), "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 100; i++) { /* 101 fields with Host */
        n += (size_t)snprintf(in + n, sizeof(in) - n, "A: b\r\n");
    }
    snprintf(in + n, sizeof(in) - n, "\r\n");
    start(&r, &defaults);
    put(&r, in, strlen(in), 4096, 1);
    assert_int_equal(ho_http_server_refused(r.h), 431);
    ho_http_server_free(r.h);
}

static void content_is_bounded_and_counted(void **state)
{
    const struct ho_http_server_conf small = { .max_body = 100 };
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    struct run r;

    (void)state;
    start(&r, &small);
    put(&r, head, strlen(head), 4096, 1);
    for (int i = 0; i < 10; i++) {
        put(&r, "a\r\n0123456789\r\n", 15, 4096, 1);
    }
    assert_int_equal(ho_http_server_refused(r.h), 0);
    put(&r, "1\r\nx\r\n", 6, 4096, 1);
    assert_int_equal(ho_http_server_refused(r.h), 413);
    ho_http_server_free(r.h);

    start(&r, &defaults);
    put(&r, head, strlen(head), 4096, 1);
    put(&r, "0\r\n", 3, 4096, 1);
    for (int i = 0; i < 1000; i++) {
        put(&r, "X: trailer\r\n", 12, 4096, 1);
    }
    assert_int_equal(ho_http_server_refused(r.h), 431);
    ho_http_server_free(r.h);
}

static void expect_100_continue_is_answered_before_the_content(void **state)
{
    static const char head[] =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    struct run r;

    (void)state;
    start(&r, &defaults);
    put(&r, head, strlen(head), 4096, 1);
    assert_string_equal(r.out, "HTTP/1.1 100 Continue\r\n\r\n");
    put(&r, "abc", 3, 4096, 1);
    assert_string_equal(r.out, "HTTP/1.1 100 Continue\r\n\r\n" OK_KEPT);
    ho_http_server_free(r.h);
}

static void the_last_of_max_requests_closes(void **state)
{
    const struct ho_http_server_conf two = { .max_requests = 2 };
    const struct ho_http_server_conf none = { .keepalive_timeout_ns = -1 };
    static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct run r;

    (void)state;
    start(&r, &two);
    put(&r, get, strlen(get), 4096, 1);
    put(&r, get, strlen(get), 4096, 1);
    assert_string_equal(r.out, OK_KEPT OK_LAST);
    ho_http_server_free(r.h);
    start(&r, &none);
    put(&r, get, strlen(get), 4096, 1);
    assert_string_equal(r.out, OK_LAST);
    ho_http_server_free(r.h);
}

/* A client that pipelines and reads nothing: the server takes a bounded amount. */
static void a_client_ahead_of_its_replies_is_not_read(void **state)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct ho_http_server *h;
    struct ho_http_event ev;
    size_t put_in = 0;

    (void)state;
    assert_int_equal(ho_http_server_new(&h, &defaults, 0), 0);
    while (ho_http_server_room(h) >= strlen(get)) {
        assert_int_equal(ho_http_server_input(h, get, strlen(get), 1), 0);
        put_in += strlen(get);
        while (ho_http_server_next(h, &ev, 1) > 0) {
            if (ev.kind == HO_HTTP_END) {
                assert_int_equal(ho_http_server_reply(h, 200, NULL, "", 0, 1), 0);
            }
        }
        assert_true(put_in < 20000);
    }
    assert_true(put_in >= 8192 && put_in <= 8192 + 2 * strlen(get));
    ho_http_server_free(h);
}

/* ---- timers -----------------------------------------------------------------------------------
 */

static void each_timeout_is_exact(void **state)
{
    static const struct ho_http_server_conf conf = {
        .keepalive_timeout_ns = 60 * S,
        .header_timeout_ns = 7 * S,
        .body_timeout_ns = 5 * S,
        .send_timeout_ns = 11 * S,
        .linger_timeout_ns = 3 * S,
    };
    static const char post[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
    struct ho_http_event ev;
    struct run r;

    (void)state;
    /* no request ever came */
    start(&r, &conf);
    assert_int_equal(ho_http_server_deadline(r.h), 60 * S);
    assert_null(ho_http_server_tick(r.h, 60 * S - 1));
    assert_string_equal(ho_http_server_tick(r.h, 60 * S), "keepalive_timeout");
    assert_int_equal(ho_http_server_todo(r.h), HO_HTTP_CLOSE);
    assert_int_equal(ho_http_server_deadline(r.h), HO_HTTP_NEVER);
    ho_http_server_free(r.h);

    /* counted from the last byte of the response, not from the request */
    start(&r, &conf);
    assert_int_equal(ho_http_server_input(r.h, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, 10 * S), 0);
    work(&r, 4096, 10 * S);
    assert_int_equal(ho_http_server_deadline(r.h), 70 * S);
    put(&r, "\r\n", 2, 2, 65 * S); /* an empty line is no request */
    assert_int_equal(ho_http_server_deadline(r.h), 70 * S);
    put(&r, "GET", 3, 3, 70 * S - 1); /* but this begins one */
    assert_int_equal(ho_http_server_deadline(r.h), 77 * S - 1);
    assert_null(ho_http_server_tick(r.h, 70 * S));
    put(&r, " /", 2, 2, 76 * S); /* the head's time does not start again */
    assert_string_equal(ho_http_server_tick(r.h, 77 * S - 1), "header_timeout");
    assert_int_equal(ho_http_server_refused(r.h), 408);
    flush(&r, 4096, 77 * S);
    assert_non_null(strstr(r.out, "HTTP/1.1 408 Request Timeout\r\n"));
    assert_int_equal(ho_http_server_todo(r.h), HO_HTTP_SHUTDOWN);
    assert_int_equal(ho_http_server_deadline(r.h), 80 * S);
    assert_string_equal(ho_http_server_tick(r.h, 80 * S), "linger_timeout");
    assert_int_equal(ho_http_server_todo(r.h), HO_HTTP_CLOSE);
    ho_http_server_free(r.h);

    /* content: between two pieces */
    start(&r, &conf);
    put(&r, post, strlen(post), 4096, S);
    assert_int_equal(ho_http_server_deadline(r.h), 6 * S);
    put(&r, "12345", 5, 5, 6 * S - 1);
    assert_int_equal(ho_http_server_deadline(r.h), 11 * S - 1);
    assert_string_equal(ho_http_server_tick(r.h, 11 * S - 1), "body_timeout");
    assert_int_equal(ho_http_server_refused(r.h), 408);
    ho_http_server_free(r.h);

    /* the client takes nothing of the response; while the program thinks, no timer runs */
    start(&r, &conf);
    assert_int_equal(ho_http_server_input(r.h, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, S), 0);
    while (ho_http_server_next(r.h, &ev, S) > 0) {
    }
    assert_int_equal(ho_http_server_deadline(r.h), HO_HTTP_NEVER);
    assert_int_equal(ho_http_server_reply(r.h, 200, NULL, "hello", 5, 100 * S), 0);
    assert_int_equal(ho_http_server_deadline(r.h), 111 * S);
    ho_http_server_sent(r.h, 1, 105 * S);
    assert_int_equal(ho_http_server_deadline(r.h), 116 * S);
    assert_string_equal(ho_http_server_tick(r.h, 116 * S), "send_timeout");
    assert_int_equal(ho_http_server_todo(r.h), HO_HTTP_CLOSE);
    ho_http_server_free(r.h);
}

static void the_end_of_the_clients_stream(void **state)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct run r;

    (void)state;
    start(&r, &defaults); /* idle: over */
    ho_http_server_eof(r.h, 1);
    assert_int_equal(ho_http_server_todo(r.h), HO_HTTP_CLOSE);
    ho_http_server_free(r.h);

    start(&r, &defaults); /* half a request: forgotten */
    put(&r, get, 10, 10, 1);
    ho_http_server_eof(r.h, 1);
    work(&r, 4096, 1);
    assert_int_equal(ho_http_server_todo(r.h), HO_HTTP_CLOSE);
    assert_int_equal(r.out_len, 0);
    ho_http_server_free(r.h);

    start(&r, &defaults); /* two requests, the stream ended: both are answered */
    assert_int_equal(ho_http_server_input(r.h, get, strlen(get), 1), 0);
    assert_int_equal(ho_http_server_input(r.h, get, strlen(get), 1), 0);
    ho_http_server_eof(r.h, 1);
    work(&r, 4096, 1);
    assert_string_equal(r.out, OK_KEPT OK_KEPT);
    assert_int_equal(ho_http_server_todo(r.h), HO_HTTP_CLOSE);
    ho_http_server_free(r.h);
}

static void misuse_is_refused(void **state)
{
    struct ho_http_server_conf bad = { .max_head = 127 };
    struct ho_http_server *h = NULL;

    (void)state;
    assert_int_equal(ho_http_server_new(&h, &bad, 0), -EINVAL);
    bad = (struct ho_http_server_conf){ .body_timeout_ns = -1 };
    assert_int_equal(ho_http_server_new(&h, &bad, 0), -EINVAL);
    assert_null(h);
    assert_int_equal(ho_http_server_new(&h, &defaults, 0), 0);
    assert_int_equal(ho_http_server_reply(h, 200, NULL, "", 0, 0), -EINVAL);
    ho_http_server_free(h);
    ho_http_server_free(NULL);
    ho_http_client_free(NULL);
}

/* ---- the client -------------------------------------------------------------------------------
 */

struct call {
    struct ho_http_client *h;
    int status, err;
    bool ended, keeps;
    char content[256];
    size_t len;
};

static void call_start(struct call *c, const struct ho_http_client_conf *conf)
{
    memset(c, 0, sizeof(*c));
    assert_int_equal(ho_http_client_new(&c->h, conf, 0), 0);
}

static void call_next(struct call *c, int64_t now)
{
    struct ho_http_event ev;

    while ((c->err = ho_http_client_next(c->h, &ev, now)) > 0) {
        if (ev.kind == HO_HTTP_BODY) {
            assert_true(c->len + ev.len < sizeof(c->content));
            memcpy(c->content + c->len, ev.bytes, ev.len);
            c->len += ev.len;
            continue;
        }
        c->status = ev.status;
        c->ended = ev.kind == HO_HTTP_END;
        c->keeps = ev.keeps;
    }
}

static void call_get(struct call *c, const char *method, int64_t now)
{
    const uint8_t *bytes;
    size_t n;

    c->len = 0;
    c->ended = false;
    memset(c->content, 0, sizeof(c->content));
    assert_int_equal(ho_http_client_request(c->h, method, "/", "a", NULL, NULL, 0, now), 0);
    while ((n = ho_http_client_output(c->h, &bytes)) > 0) {
        ho_http_client_sent(c->h, n, now);
    }
}

static void call_put(struct call *c, const char *bytes, size_t piece, int64_t now)
{
    size_t len = strlen(bytes);

    for (size_t at = 0; at < len && c->err >= 0; at += piece) {
        size_t n = len - at < piece ? len - at : piece;

        assert_int_equal(ho_http_client_input(c->h, bytes + at, n, now), 0);
        call_next(c, now);
    }
}

static void responses_are_read_whatever_their_framing(void **state)
{
    static const struct {
        const char *method, *in;
        bool eof;
        int status;
        const char *content;
        bool keeps;
        int err;
    } cases[] = {
        { "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, 200, "hello", true,
          0 },
        { "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
          false, 200, "hello", true, 0 },
        { "GET", "HTTP/1.1 200 OK\r\n\r\nhello", true, 200, "hello", false, 0 },
        { "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false, 200, "ok", false, 0 },
        { "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false, 200,
          "ok", false, 0 },
        { "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, 200, "", true, 0 },
        { "GET", "HTTP/1.1 204 No Content\r\n\r\n", false, 204, "", true, 0 },
        { "GET", "HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n", false, 304, "", true, 0 },
        { "GET", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", false, 404, "", true, 0 },
        /* interim responses are passed over */
        { "GET",
          "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
          "\r\nx",
          false, 200, "x", true, 0 },
        /* cut off */
        { "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", true, 200, "hel", false,
          -ECONNRESET },
        { "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", true, 200,
          "hello", false, -ECONNRESET },
        { "GET", "HTTP/1.1 200 O", true, 0, "", false, -ECONNRESET },
        { "GET", "", true, 0, "", false, -ECONNRESET },
        /* no response at all */
        { "GET", "SSH-2.0-x\r\n\r\n", false, 0, "", false, -EPROTO },
        { "GET", "HTTP/1.1 20 OK\r\n\r\n", false, 0, "", false, -EPROTO },
        { "GET", "HTTP/1.1 200x\r\n\r\n", false, 0, "", false, -EPROTO },
        { "GET", "HTTP/1.1 101 Switching\r\n\r\n", false, 0, "", false, -EPROTO },
        { "GET", "HTTP/1.1 200 OK\nX: y\n\n", false, 0, "", false, -EPROTO },
        /* more than was asked for */
        { "GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n", false, 200,
          "x", true, -EPROTO },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t piece = 1; piece < 200; piece = piece * 2 + 1) {
            const struct ho_http_client_conf conf = { 0 };
            struct call c;

            call_start(&c, &conf);
            call_get(&c, cases[i].method, 1);
            call_put(&c, cases[i].in, piece, 2);
            if (cases[i].eof) {
                ho_http_client_eof(c.h, 3);
                call_next(&c, 3);
            }
            assert_int_equal(c.err, cases[i].err);
            assert_int_equal(c.status, cases[i].status);
            assert_string_equal(c.content, cases[i].content);
            assert_int_equal(c.ended && c.keeps, cases[i].keeps);
            assert_int_equal(ho_http_client_is_idle(c.h), cases[i].keeps && cases[i].err == 0);
            ho_http_client_free(c.h);
        }
    }
}

static void a_request_is_written_as_rfc_9112_says(void **state)
{
    static const char want[] = "POST /p HTTP/1.1\r\nHost: a:8080\r\nContent-Type: text/plain\r\n"
                               "Content-Length: 2\r\n\r\nhi";
    const struct ho_http_client_conf conf = { 0 };
    const uint8_t *bytes;
    struct call c;
    size_t n;

    (void)state;
    call_start(&c, &conf);
    assert_int_equal(ho_http_client_request(c.h, "POST", "/p", "a:8080", "text/plain", "hi", 2, 1),
                     0);
    n = ho_http_client_output(c.h, &bytes);
    assert_int_equal(n, sizeof(want) - 1);
    assert_memory_equal(bytes, want, n);
    assert_int_equal(ho_http_client_request(c.h, "GET", "/", "a", NULL, NULL, 0, 1), -EBUSY);
    ho_http_client_free(c.h);
}

static void texts_that_would_change_the_message_are_refused(void **state)
{
    const struct ho_http_client_conf conf = { 0 };
    struct call c;

    (void)state;
    call_start(&c, &conf);
    assert_int_equal(
        ho_http_client_request(c.h, "GET", "/ HTTP/1.1\r\nX: y", "a", NULL, NULL, 0, 1), -EINVAL);
    assert_int_equal(ho_http_client_request(c.h, "GET", "", "a", NULL, NULL, 0, 1), -EINVAL);
    assert_int_equal(ho_http_client_request(c.h, "G T", "/", "a", NULL, NULL, 0, 1), -EINVAL);
    assert_int_equal(ho_http_client_request(c.h, "GET", "/", "a\r\nX: y", NULL, NULL, 0, 1),
                     -EINVAL);
    assert_int_equal(ho_http_client_request(c.h, "PUT", "/", "a", "t\r\nX: y", "b", 1, 1), -EINVAL);
    assert_true(ho_http_client_is_idle(c.h));
    ho_http_client_free(c.h);
}

static void only_a_reused_connection_without_an_answer_may_be_retried(void **state)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    const struct ho_http_client_conf conf = { 0 };
    struct call c;

    (void)state;
    call_start(&c, &conf);
    call_get(&c, "GET", 1);
    assert_false(ho_http_client_may_retry(c.h)); /* first on its connection */
    call_put(&c, ok, 100, 2);
    call_get(&c, "GET", 3);
    assert_true(ho_http_client_may_retry(c.h));
    assert_int_equal(ho_http_client_input(c.h, "H", 1, 4), 0);
    assert_false(ho_http_client_may_retry(c.h)); /* an answer had begun */
    ho_http_client_free(c.h);

    call_start(&c, &conf);
    call_get(&c, "GET", 1);
    call_put(&c, ok, 100, 2);
    call_get(&c, "POST", 3);
    assert_false(ho_http_client_may_retry(c.h)); /* not idempotent */
    ho_http_client_free(c.h);
}

static void the_clients_timers_are_exact(void **state)
{
    const struct ho_http_client_conf conf = { .response_timeout_ns = 5 * S,
                                              .idle_timeout_ns = 30 * S };
    struct call c;

    (void)state;
    call_start(&c, &conf);
    assert_int_equal(ho_http_client_deadline(c.h), 30 * S);
    call_get(&c, "GET", 10 * S);
    assert_int_equal(ho_http_client_deadline(c.h), 15 * S);
    call_put(&c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", 100, 14 * S);
    assert_null(ho_http_client_tick(c.h, 15 * S - 1)); /* pieces do not start it again */
    call_put(&c, "k", 1, 15 * S - 1);
    assert_int_equal(ho_http_client_deadline(c.h), 45 * S - 1);
    assert_string_equal(ho_http_client_tick(c.h, 45 * S - 1), "idle_timeout");
    assert_int_equal(ho_http_client_todo(c.h), HO_HTTP_CLOSE);
    ho_http_client_free(c.h);

    call_start(&c, &conf);
    call_get(&c, "GET", S);
    assert_string_equal(ho_http_client_tick(c.h, 6 * S), "response_timeout");
    assert_int_equal(ho_http_client_request(c.h, "GET", "/", "a", NULL, NULL, 0, 7 * S), -ENOTCONN);
    ho_http_client_free(c.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered_whatever_the_pieces),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(heads_are_bounded),
        cmocka_unit_test(content_is_bounded_and_counted),
        cmocka_unit_test(expect_100_continue_is_answered_before_the_content),
        cmocka_unit_test(the_last_of_max_requests_closes),
        cmocka_unit_test(a_client_ahead_of_its_replies_is_not_read),
        cmocka_unit_test(each_timeout_is_exact),
        cmocka_unit_test(the_end_of_the_clients_stream),
        cmocka_unit_test(misuse_is_refused),
        cmocka_unit_test(responses_are_read_whatever_their_framing),
        cmocka_unit_test(a_request_is_written_as_rfc_9112_says),
        cmocka_unit_test(texts_that_would_change_the_message_are_refused),
        cmocka_unit_test(only_a_reused_connection_without_an_answer_may_be_retried),
        cmocka_unit_test(the_clients_timers_are_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
