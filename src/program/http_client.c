/* The client's end of an HTTP/1.1 connection (halfopen/http_keepalive.h).
 *
 *     IDLE --request()--> HEAD --empty line--> BODY --end--> IDLE, or CLOSED if it is not kept
 *
 * One request is under way at a time. While the connection is idle two things can end it: the
 * server's end of stream (its keepalive_timeout), or the client's own idle_timeout.
 */

#include <errno.h>
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
    CLOSED
};

struct ho_http_client {
    struct ho_http_client_conf conf;
    enum state state;
    int64_t since; /* IDLE: when it began; else when the request was made */
    struct http_in in;
    struct http_out out;
    struct http_head head;
    struct http_body body;
    bool eof;
    bool head_only, idempotent; /* of the request: HEAD; may be made twice */
    bool answered;              /* some byte of the response came */
    uint32_t responses;
    int err; /* what next() says once it has gone wrong */
};

int ho_http_client_new(struct ho_http_client **ret, const struct ho_http_client_conf *conf,
                       int64_t now_ns)
{
    struct ho_http_client *h;

    if (conf->response_timeout_ns < 0 || conf->idle_timeout_ns < 0 ||
        (conf->max_head != 0 && conf->max_head < 128)) {
        return -EINVAL;
    }
    h = calloc(1, sizeof(*h));
    if (h == NULL) {
        return -ENOMEM;
    }
    h->conf = *conf;
    if (h->conf.response_timeout_ns == 0) {
        h->conf.response_timeout_ns = 60 * S;
    }
    h->conf.max_head = h->conf.max_head == 0 ? 8192 : h->conf.max_head;
    h->conf.max_body = h->conf.max_body == 0 ? 1 << 20 : h->conf.max_body;
    h->in.size = h->conf.max_head;
    h->since = now_ns;
    *ret = h;
    return 0;
}

void ho_http_client_free(struct ho_http_client *h)
{
    if (h == NULL) {
        return;
    }
    http_head_free(&h->head);
    http_in_free(&h->in);
    http_out_free(&h->out);
    free(h);
}

/* ---- requests ---------------------------------------------------------------------------------
 */

/* Visible characters only: a text with CR, LF or a blank would change the message. */
static bool is_plain(const char *s, bool blanks)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < (blanks ? 0x20 : 0x21) || *s == 0x7f) {
            return false;
        }
    }
    return true;
}

/* RFC 9110 9.2.2 */
static bool is_idempotent(const char *method)
{
    static const char *const methods[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE" };

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(method, methods[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int put_request(struct ho_http_client *h, const char *method, const char *target,
                       const char *host, const char *type, const void *body, size_t len)
{
    bool typed = type != NULL && body != NULL;

    if (body == NULL) {
        return http_out_put(&h->out, NULL, 0, "%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", method, target,
                            host);
    }
    return http_out_put(&h->out, body, len,
                        "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s%sContent-Length: %zu\r\n\r\n", method,
                        target, host, typed ? "Content-Type: " : "", typed ? type : "",
                        typed ? "\r\n" : "", len);
}

int ho_http_client_request(struct ho_http_client *h, const char *method, const char *target,
                           const char *host, const char *type, const void *body, size_t len,
                           int64_t now_ns)
{
    int err;

    if (h->state == HEAD || h->state == BODY) {
        return -EBUSY;
    }
    if (h->state == CLOSED || h->eof || h->err != 0) {
        return -ENOTCONN;
    }
    if (!http_is_token(method) || *target == '\0' || !is_plain(target, false) ||
        !is_plain(host, false) || (type != NULL && !is_plain(type, true))) {
        return -EINVAL;
    }
    err = put_request(h, method, target, host, type, body, len);
    if (err < 0) {
        return err;
    }
    http_head_free(&h->head);
    h->head_only = strcmp(method, "HEAD") == 0;
    h->idempotent = is_idempotent(method);
    h->answered = false;
    h->state = HEAD;
    h->since = now_ns;
    return 0;
}

size_t ho_http_client_output(const struct ho_http_client *h, const uint8_t **ret_bytes)
{
    return http_out_rest(&h->out, ret_bytes);
}

void ho_http_client_sent(struct ho_http_client *h, size_t len, int64_t now_ns)
{
    (void)now_ns;
    http_out_sent(&h->out, len);
}

/* ---- responses --------------------------------------------------------------------------------
 */

size_t ho_http_client_room(const struct ho_http_client *h)
{
    return h->state == CLOSED || h->eof ? 0 : http_in_room(&h->in);
}

int ho_http_client_input(struct ho_http_client *h, const void *bytes, size_t len, int64_t now_ns)
{
    (void)now_ns;
    h->answered = h->answered || len > 0;
    return http_in_put(&h->in, bytes, len);
}

void ho_http_client_eof(struct ho_http_client *h, int64_t now_ns)
{
    (void)now_ns;
    h->eof = true;
    if (h->state == IDLE) {
        h->state = CLOSED;
    }
}

static int failed(struct ho_http_client *h, int err)
{
    h->err = err;
    h->state = CLOSED;
    return err;
}

static void describe(const struct ho_http_client *h, enum ho_http_event_kind kind,
                     struct ho_http_event *ret)
{
    const char *status = h->head.start[1];

    *ret = (struct ho_http_event){
        .kind = kind,
        .minor = h->head.minor,
        .status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0'),
        .keeps = http_head_keeps(&h->head) && h->body.framing != HTTP_UNTIL_CLOSE,
    };
}

/* The head is read: how long is the content (RFC 9112 6.3)? */
static int begin_body(struct ho_http_client *h, struct ho_http_event *ret)
{
    enum http_framing framing;
    uint64_t len;
    int err = http_head_framing(&h->head, true, h->conf.max_body, &framing, &len);

    describe(h, HO_HTTP_HEAD, ret);
    if (ret->status == 101 || err < 0) {
        return failed(h, -EPROTO); /* nobody asked for another protocol */
    }
    if (h->head_only || ret->status == 204 || ret->status == 304) {
        framing = HTTP_NO_CONTENT;
        len = 0;
    }
    http_body_start(&h->body, framing, len, h->conf.max_body, h->conf.max_head);
    describe(h, HO_HTTP_HEAD, ret);
    return 0;
}

static int next_head(struct ho_http_client *h, struct ho_http_event *ret)
{
    const uint8_t *bytes;
    int64_t len;
    size_t n;
    int err;

    do {
        http_head_free(&h->head);
        bytes = http_in_rest(&h->in, &n);
        len = http_head_scan(bytes, n);
        if (len < 0 || (len == 0 && n == h->in.size)) {
            return failed(h, -EPROTO);
        }
        if (len == 0) {
            return h->eof ? failed(h, -ECONNRESET) : 0;
        }
        err = http_head_read(&h->head, bytes, (size_t)len, true);
        if (err < 0) {
            return failed(h, err == -ENOMEM ? err : -EPROTO);
        }
        http_in_take(&h->in, (size_t)len);
        err = begin_body(h, ret);
        if (err < 0) {
            return err;
        }
    } while (ret->status < 200); /* an interim response (RFC 9110 15.2) */
    h->state = BODY;
    return 1;
}

static int end(struct ho_http_client *h, struct ho_http_event *ret, int64_t now_ns)
{
    describe(h, HO_HTTP_END, ret);
    ret->keeps = ret->keeps && !h->eof;
    h->responses++;
    h->state = ret->keeps ? IDLE : CLOSED;
    h->since = now_ns;
    http_in_tidy(&h->in);
    return 1;
}

static int next_body(struct ho_http_client *h, struct ho_http_event *ret, int64_t now_ns)
{
    const uint8_t *bytes = NULL, *in;
    size_t used, n, len = 0;
    int got;

    in = http_in_rest(&h->in, &n);
    got = http_body_take(&h->body, in, n, &used, &bytes, &len);
    if (got < 0) {
        return failed(h, -EPROTO);
    }
    http_in_take(&h->in, used);
    if (got > 0) {
        *ret = (struct ho_http_event){ .kind = HO_HTTP_BODY, .bytes = bytes, .len = len };
        return 1;
    }
    if (h->body.done || (h->eof && h->body.framing == HTTP_UNTIL_CLOSE)) {
        return end(h, ret, now_ns);
    }
    return h->eof ? failed(h, -ECONNRESET) : 0;
}

int ho_http_client_next(struct ho_http_client *h, struct ho_http_event *ret, int64_t now_ns)
{
    if (h->err != 0) {
        return h->err;
    }
    switch (h->state) {
    case HEAD:
        return next_head(h, ret);
    case BODY:
        return next_body(h, ret, now_ns);
    default:
        /* RFC 9112 9.2: what comes without a request belongs to nobody */
        return h->in.at < h->in.len ? failed(h, -EPROTO) : 0;
    }
}

const char *ho_http_client_field(const struct ho_http_client *h, const char *name, unsigned n)
{
    return http_head_field(&h->head, name, n);
}

/* ---- time -------------------------------------------------------------------------------------
 */

int64_t ho_http_client_deadline(const struct ho_http_client *h)
{
    int64_t ns = h->state == IDLE ? h->conf.idle_timeout_ns : h->conf.response_timeout_ns;

    if (h->state == CLOSED || ns == 0 || h->since > INT64_MAX - ns) {
        return HO_HTTP_NEVER;
    }
    return h->since + ns;
}

const char *ho_http_client_tick(struct ho_http_client *h, int64_t now_ns)
{
    int64_t at = ho_http_client_deadline(h);
    bool idle = h->state == IDLE;

    if (at == HO_HTTP_NEVER || now_ns < at) {
        return NULL;
    }
    h->state = CLOSED;
    return idle ? "idle_timeout" : "response_timeout";
}

enum ho_http_todo ho_http_client_todo(const struct ho_http_client *h)
{
    return h->state == CLOSED ? HO_HTTP_CLOSE : HO_HTTP_SERVE;
}

bool ho_http_client_is_idle(const struct ho_http_client *h)
{
    return h->state == IDLE && !h->eof && h->err == 0;
}

bool ho_http_client_may_retry(const struct ho_http_client *h)
{
    return !h->answered && h->responses > 0 && h->idempotent;
}
