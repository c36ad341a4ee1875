/* The server's end of an HTTP/1.1 connection (halfopen/http_keepalive.h).
 *
 *     IDLE --first byte--> HEAD --empty line--> BODY --end--> REPLY --reply()--> SEND --+
 *      ^                    |                    |                                 |    |
 *      |                    +----- refused, or 408 by a timeout ------------------>|    |
 *      +------------------------------- the connection is kept -------------------+    |
 *                                                                                       |
 *     CLOSED <--the client's end of stream, or linger_timeout-- DRAIN <--all is sent----+
 *
 * One timer runs in each state but REPLY: keepalive_timeout, header_timeout, body_timeout,
 * send_timeout and linger_timeout, in this order. keepalive_timeout is the articles' timer: it
 * also runs before the first request, and it ends the connection without a word.
 *
 * DRAIN is RFC 9112 9.6: a server that closes while the client still sends makes its kernel
 * answer with RST, and that can destroy the response on its way; so it half-closes and reads on.
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "halfopen/http_keepalive.h"
#include "program/http_body.h"
#include "program/http_head.h"
#include "program/http_in.h"
#include "program/http_out.h"

#define S INT64_C(1000000000)

enum state {
    IDLE,
    HEAD,
    BODY,
    REPLY,
    SEND,
    DRAIN,
    CLOSED
};

struct ho_http_server {
    struct ho_http_server_conf conf;
    enum state state;
    int64_t since; /* when the timer of the state began */
    struct http_in in;
    struct http_out out;
    struct http_head head;
    struct http_body body;
    bool eof, finish;
    bool keeps; /* after the response that is being sent */
    uint32_t requests;
    int refused;
};

/* ---- making -----------------------------------------------------------------------------------
 */

static void set_default(int64_t *value, int64_t fallback)
{
    *value = *value == 0 ? fallback : *value;
}

static bool is_valid(const struct ho_http_server_conf *c)
{
    return c->keepalive_timeout_ns >= -1 && c->header_timeout_ns >= 0 && c->body_timeout_ns >= 0 &&
           c->send_timeout_ns >= 0 && c->linger_timeout_ns >= 0 &&
           (c->max_head == 0 || c->max_head >= 128);
}

int ho_http_server_new(struct ho_http_server **ret, const struct ho_http_server_conf *conf,
                       int64_t now_ns)
{
    struct ho_http_server *h;

    if (!is_valid(conf)) {
        return -EINVAL;
    }
    h = calloc(1, sizeof(*h));
    if (h == NULL) {
        return -ENOMEM;
    }
    h->conf = *conf;
    set_default(&h->conf.keepalive_timeout_ns, 60 * S);
    set_default(&h->conf.header_timeout_ns, 60 * S);
    set_default(&h->conf.body_timeout_ns, 60 * S);
    set_default(&h->conf.send_timeout_ns, 60 * S);
    set_default(&h->conf.linger_timeout_ns, 5 * S);
    h->conf.max_head = h->conf.max_head == 0 ? 8192 : h->conf.max_head;
    h->conf.max_body = h->conf.max_body == 0 ? 1 << 20 : h->conf.max_body;
    h->conf.max_requests = h->conf.max_requests == 0 ? 1000 : h->conf.max_requests;
    h->in.size = h->conf.max_head;
    h->since = now_ns;
    *ret = h;
    return 0;
}

void ho_http_server_free(struct ho_http_server *h)
{
    if (h == NULL) {
        return;
    }
    http_head_free(&h->head);
    http_in_free(&h->in);
    http_out_free(&h->out);
    free(h);
}

/* ---- states -----------------------------------------------------------------------------------
 */

static void enter(struct ho_http_server *h, enum state state, int64_t now_ns)
{
    h->state = state;
    h->since = now_ns;
    if (state >= DRAIN) {
        http_in_free(&h->in);
        http_head_free(&h->head);
    }
    if (state == CLOSED) {
        http_out_free(&h->out);
    }
}

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 204, "No Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 417, "Expectation Failed" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].text;
        }
    }
    return ""; /* RFC 9112 4: the reason may be empty */
}

/* Puts a response out; the content's length is told although `len` bytes of it may not follow. */
static int respond(struct ho_http_server *h, int status, const char *type, const void *body,
                   size_t len, size_t told_len, int64_t now_ns)
{
    char keep[64] = "Connection: close\r\n", length[48] = "";
    int err;

    if (h->keeps) {
        snprintf(keep, sizeof(keep), "Connection: keep-alive\r\nKeep-Alive: timeout=%lld\r\n",
                 (long long)(h->conf.keepalive_timeout_ns / S));
    }
    if (status != 204 && status != 304) {
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", told_len);
    }
    err = http_out_put(&h->out, body, len, "HTTP/1.1 %d %s\r\n%s%s%s%s%s\r\n", status,
                       reason(status), length, type != NULL ? "Content-Type: " : "",
                       type != NULL ? type : "", type != NULL ? "\r\n" : "", keep);
    if (err == 0) {
        http_head_free(&h->head);
        enter(h, SEND, now_ns);
    }
    return err;
}

/* The machine's own answer to what it does not take; the connection ends after it. */
static int refuse(struct ho_http_server *h, int status, int64_t now_ns)
{
    const char *text = reason(status);

    h->refused = status;
    h->keeps = false;
    return respond(h, status, "text/plain", text, strlen(text), strlen(text), now_ns);
}

/* ---- input ------------------------------------------------------------------------------------
 */

size_t ho_http_server_room(const struct ho_http_server *h)
{
    if (h->state == CLOSED || h->eof) {
        return 0;
    }
    return h->state == DRAIN ? h->in.size : http_in_room(&h->in);
}

int ho_http_server_input(struct ho_http_server *h, const void *bytes, size_t len, int64_t now_ns)
{
    if (h->state >= DRAIN) {
        return 0; /* read and forgotten */
    }
    if (h->state == BODY) {
        h->since = now_ns;
    }
    return http_in_put(&h->in, bytes, len);
}

void ho_http_server_eof(struct ho_http_server *h, int64_t now_ns)
{
    h->eof = true;
    if (h->state == DRAIN || (h->state == IDLE && h->in.at == h->in.len)) {
        enter(h, CLOSED, now_ns);
    }
}

/* ---- requests ---------------------------------------------------------------------------------
 */

static bool is_known_method(const char *method)
{
    static const char *const methods[] = { "GET",    "HEAD",    "POST", "PUT",
                                           "DELETE", "OPTIONS", "PATCH" };

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(method, methods[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* origin-form, absolute-form of http, or "*" for OPTIONS (RFC 9112 3.2). */
static bool is_good_target(const char *method, const char *target)
{
    if (strcmp(target, "*") == 0) {
        return strcmp(method, "OPTIONS") == 0;
    }
    return *target == '/' || strncmp(target, "http://", 7) == 0 ||
           strncmp(target, "https://", 8) == 0;
}

/* What is wrong with a head that could be read: 0 or a negative status. */
static int check_request(struct ho_http_server *h)
{
    const struct http_head *head = &h->head;
    const char *host = http_head_field(head, "Host", 0);
    enum http_framing framing;
    uint64_t len;
    int err;

    if (http_head_field(head, "Host", 1) != NULL || (host == NULL && head->minor > 0) ||
        (host != NULL && strpbrk(host, " \t,/@") != NULL)) {
        return -400; /* RFC 9112 3.2 */
    }
    if (!is_known_method(head->start[0])) {
        return -501;
    }
    if (!is_good_target(head->start[0], head->start[1])) {
        return -400;
    }
    err = http_head_framing(head, false, h->conf.max_body, &framing, &len);
    if (err < 0) {
        return err;
    }
    http_body_start(&h->body, framing, len, h->conf.max_body, h->conf.max_head);
    return 0;
}

/* Expect: 100-continue (RFC 9110 10.1.1). */
static int expect(struct ho_http_server *h)
{
    const char *what = http_head_field(&h->head, "Expect", 0);

    if (what == NULL || h->head.minor == 0) {
        return 0;
    }
    if (!http_same(what, "100-continue")) {
        return -417;
    }
    if (h->body.done || h->in.at < h->in.len) {
        return 0; /* the content is here already */
    }
    return http_out_put(&h->out, NULL, 0, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void describe(const struct ho_http_server *h, enum ho_http_event_kind kind,
                     struct ho_http_event *ret)
{
    *ret = (struct ho_http_event){ .kind = kind,
                                   .method = h->head.start[0],
                                   .target = h->head.start[1],
                                   .minor = h->head.minor,
                                   .keeps = http_head_keeps(&h->head) };
}

/* Answers an error: a status is told to the client, anything else to the caller. */
static int failed(struct ho_http_server *h, int err, int64_t now_ns)
{
    return err <= -400 ? refuse(h, -err, now_ns) : err;
}

/* A head that is too long: is it the request line? */
static int too_long(const uint8_t *bytes, size_t len)
{
    return memchr(bytes, '\n', len) == NULL ? -414 : -431;
}

/* Returns 1 when the head is read, 0 when it is not complete, or an error or status. */
static int take_head(struct ho_http_server *h, int64_t now_ns)
{
    const uint8_t *bytes;
    size_t n;
    int64_t len;
    int err;

    bytes = http_in_rest(&h->in, &n);
    http_in_take(&h->in, http_head_blank(bytes, n));
    bytes = http_in_rest(&h->in, &n);
    if (n == 0) {
        http_in_tidy(&h->in);
        return 0;
    }
    if (h->state == IDLE) {
        enter(h, HEAD, now_ns);
    }
    len = http_head_scan(bytes, n);
    if (len <= 0) {
        return len < 0 ? (int)len : n == h->in.size ? too_long(bytes, n) : 0;
    }
    err = http_head_read(&h->head, bytes, (size_t)len, false);
    if (err == 0) {
        http_in_take(&h->in, (size_t)len);
        err = check_request(h);
    }
    return err < 0 ? err : 1;
}

static int next_head(struct ho_http_server *h, struct ho_http_event *ret, int64_t now_ns)
{
    int got = take_head(h, now_ns);

    if (got > 0) {
        int err = expect(h);

        got = err < 0 ? err : got;
    }
    if (got < 0) {
        return failed(h, got, now_ns);
    }
    if (got == 0) {
        if (h->eof) {
            enter(h, CLOSED, now_ns);
        }
        return 0;
    }
    h->requests++;
    enter(h, BODY, now_ns);
    describe(h, HO_HTTP_HEAD, ret);
    return 1;
}

static int next_body(struct ho_http_server *h, struct ho_http_event *ret, int64_t now_ns)
{
    const uint8_t *bytes = NULL;
    size_t used, len = 0;
    int got =
        http_body_take(&h->body, h->in.bytes + h->in.at, h->in.len - h->in.at, &used, &bytes, &len);

    if (got < 0) {
        return failed(h, got, now_ns);
    }
    http_in_take(&h->in, used);
    if (got > 0) {
        *ret = (struct ho_http_event){ .kind = HO_HTTP_BODY, .bytes = bytes, .len = len };
        return 1;
    }
    if (!h->body.done) {
        if (h->eof) {
            enter(h, CLOSED, now_ns);
        }
        return 0;
    }
    http_in_tidy(&h->in);
    enter(h, REPLY, now_ns);
    describe(h, HO_HTTP_END, ret);
    return 1;
}

int ho_http_server_next(struct ho_http_server *h, struct ho_http_event *ret, int64_t now_ns)
{
    switch (h->state) {
    case IDLE:
    case HEAD:
        return next_head(h, ret, now_ns);
    case BODY:
        return next_body(h, ret, now_ns);
    default:
        return 0;
    }
}

const char *ho_http_server_field(const struct ho_http_server *h, const char *name, unsigned n)
{
    return http_head_field(&h->head, name, n);
}

/* ---- replies ----------------------------------------------------------------------------------
 */

int ho_http_server_reply(struct ho_http_server *h, int status, const char *type, const void *body,
                         size_t len, int64_t now_ns)
{
    bool has_content;

    if (h->state != REPLY || status < 200 || status > 599) {
        return -EINVAL;
    }
    h->keeps = http_head_keeps(&h->head) && !h->finish && h->conf.keepalive_timeout_ns > 0 &&
               h->requests < h->conf.max_requests;
    has_content = strcmp(h->head.start[0], "HEAD") != 0 && status != 204 && status != 304;
    return respond(h, status, type, body, has_content ? len : 0, len, now_ns);
}

void ho_http_server_finish(struct ho_http_server *h)
{
    h->finish = true;
}

size_t ho_http_server_output(const struct ho_http_server *h, const uint8_t **ret_bytes)
{
    return http_out_rest(&h->out, ret_bytes);
}

void ho_http_server_sent(struct ho_http_server *h, size_t len, int64_t now_ns)
{
    http_out_sent(&h->out, len);
    if (h->state != SEND) {
        return; /* 100 Continue */
    }
    h->since = now_ns;
    if (h->out.at < h->out.len) {
        return;
    }
    if (h->keeps && !h->finish) {
        enter(h, IDLE, now_ns);
        if (h->eof && h->in.at == h->in.len) {
            enter(h, CLOSED, now_ns);
        }
    } else {
        enter(h, h->eof ? CLOSED : DRAIN, now_ns);
    }
}

/* ---- time -------------------------------------------------------------------------------------
 */

/* The timer of the present state, NULL if it has none. */
static const char *timer_of(const struct ho_http_server *h, int64_t *ret_ns)
{
    switch (h->state) {
    case IDLE:
        *ret_ns = h->conf.keepalive_timeout_ns > 0 ? h->conf.keepalive_timeout_ns
                                                   : h->conf.header_timeout_ns;
        return "keepalive_timeout";
    case HEAD:
        *ret_ns = h->conf.header_timeout_ns;
        return "header_timeout";
    case BODY:
        *ret_ns = h->conf.body_timeout_ns;
        return "body_timeout";
    case SEND:
        *ret_ns = h->conf.send_timeout_ns;
        return "send_timeout";
    case DRAIN:
        *ret_ns = h->conf.linger_timeout_ns;
        return "linger_timeout";
    default:
        return NULL;
    }
}

int64_t ho_http_server_deadline(const struct ho_http_server *h)
{
    int64_t ns;

    if (timer_of(h, &ns) == NULL || h->since > INT64_MAX - ns) {
        return HO_HTTP_NEVER;
    }
    return h->since + ns;
}

const char *ho_http_server_tick(struct ho_http_server *h, int64_t now_ns)
{
    int64_t ns, at = ho_http_server_deadline(h);
    const char *which = timer_of(h, &ns);

    if (at == HO_HTTP_NEVER || now_ns < at) {
        return NULL;
    }
    /* RFC 9110 15.5.9: a request that does not become complete is told so */
    if ((h->state != HEAD && h->state != BODY) || refuse(h, 408, now_ns) < 0) {
        enter(h, CLOSED, now_ns);
    }
    return which;
}

enum ho_http_todo ho_http_server_todo(const struct ho_http_server *h)
{
    return h->state == CLOSED  ? HO_HTTP_CLOSE
           : h->state == DRAIN ? HO_HTTP_SHUTDOWN
                               : HO_HTTP_SERVE;
}

int ho_http_server_refused(const struct ho_http_server *h)
{
    return h->refused;
}
