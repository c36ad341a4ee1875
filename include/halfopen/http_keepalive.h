/* HTTP/1.1 connections that are kept, as state machines: bytes and time in, bytes out.
 *
 * A server that keeps connections open for the next request must get rid of those whose client
 * has vanished, and TCP will not tell it (an idle connection has no timer). The rule that all web
 * servers have is keepalive_timeout: a timer a connection that runs while no request is under
 * way and closes the connection when it ends. ho_http_server is that rule with a complete parser
 * around it; ho_http_client is the other end, which reuses its connection, notices that it was
 * closed while idle, and knows whether a request may be sent again.
 *
 * The machines do no I/O, read no clock and call nobody; they allocate what a message needs and
 * give it back when the connection is idle. Around one connection:
 *
 *     read      at most ho_http_*_room() bytes, ho_http_*_input(); ho_http_*_eof() at the end
 *     look      ho_http_*_next() until it returns 0, after reading and after everything was sent:
 *               the next request may have come with the last one
 *     answer    ho_http_server_reply() to each HO_HTTP_END, or ho_http_client_request()
 *     write     ho_http_*_output(), send(), ho_http_*_sent()
 *     sleep     until ho_http_*_deadline() or the socket is ready
 *     wake      first read what has arrived, then ho_http_*_tick()
 *     obey      ho_http_*_todo(): go on, shutdown(WR), or close
 *
 * Times are nanoseconds of any clock that does not go backwards. One machine belongs to one
 * thread at a time. examples/http_server.c is a complete program.
 *
 * Standards: RFC 9110 (semantics), RFC 9112 (HTTP/1.1). What a server must refuse is refused:
 * a bare CR or LF, white space before a colon, folded lines, a missing or second Host, a
 * Content-Length that is no number or comes twice or beside Transfer-Encoding.
 */

#ifndef HO_HTTP_KEEPALIVE_H
#define HO_HTTP_KEEPALIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HO_HTTP_NEVER INT64_MAX

/* What ho_http_*_next() found. */
enum ho_http_event_kind {
    HO_HTTP_HEAD, /* the request line or status line with all fields */
    HO_HTTP_BODY, /* a piece of the content, `bytes` and `len` */
    HO_HTTP_END   /* the message is complete */
};

struct ho_http_event {
    enum ho_http_event_kind kind;
    const char *method, *target; /* HEAD, END of a request; valid until the reply was made */
    int minor;                   /* 0 or 1: HTTP/1.0 or HTTP/1.1 */
    int status;                  /* HEAD, END of a response */
    bool keeps;                  /* the connection can be used again after this message */
    const uint8_t *bytes;        /* BODY; valid until the next call */
    size_t len;
};

/* What is to be done with the connection. */
enum ho_http_todo {
    HO_HTTP_SERVE,    /* read and write */
    HO_HTTP_SHUTDOWN, /* all is written: shutdown(WR), then read and forget until the end */
    HO_HTTP_CLOSE     /* close(); nothing is left to write */
};

/* ---- server -----------------------------------------------------------------------------------
 */

/* Every timeout in nanoseconds. Zero-initialise and set what differs: 0 is the default. */
struct ho_http_server_conf {
    int64_t keepalive_timeout_ns; /* no request came: close; 60 s. -1: one request a connection */
    int64_t header_timeout_ns;    /* from a request's first byte to the end of its head; 60 s */
    int64_t body_timeout_ns;      /* between two pieces of content; 60 s */
    int64_t send_timeout_ns;      /* the client takes nothing of the response; 60 s */
    int64_t linger_timeout_ns;    /* from shutdown(WR) to the client's end of stream; 5 s */
    uint32_t max_head;            /* bytes of request line and fields; 8192; at least 128 */
    uint64_t max_body;            /* bytes of content; 1 MiB */
    uint32_t max_requests;        /* a connection; 1000 */
};

struct ho_http_server;

/* A connection that was accepted at `now_ns`. Returns 0; -EINVAL: a number is out of range;
 * -ENOMEM. On failure *ret is untouched.
 */
int ho_http_server_new(struct ho_http_server **ret, const struct ho_http_server_conf *conf,
                       int64_t now_ns);

/* Frees it; NULL is ignored. */
void ho_http_server_free(struct ho_http_server *h);

/* How many bytes it takes now. 0: do not read, the client is ahead of the replies. */
size_t ho_http_server_room(const struct ho_http_server *h);

/* Takes bytes that arrived at `now_ns`, at most ho_http_server_room().
 *
 * Returns 0; -ENOMEM: close the connection.
 */
int ho_http_server_input(struct ho_http_server *h, const void *bytes, size_t len, int64_t now_ns);

/* The client has ended its stream. A request that is incomplete is forgotten; a complete one is
 * still answered.
 */
void ho_http_server_eof(struct ho_http_server *h, int64_t now_ns);

/* The next event of a request. A malformed or refused request makes none: the machine answers it
 * by itself (400, 408, 413, 414, 417, 431, 501, 505) and ends the connection after that.
 *
 * Returns 1 with *ret filled; 0 when more bytes or the reply are needed; -ENOMEM: close.
 */
int ho_http_server_next(struct ho_http_server *h, struct ho_http_event *ret, int64_t now_ns);

/* The value of the n-th field (from 0) of that name, case does not matter; NULL if there is
 * none. Valid until the reply was made.
 */
const char *ho_http_server_field(const struct ho_http_server *h, const char *name, unsigned n);

/* Answers the request that HO_HTTP_END has ended. Content is copied; for HEAD only its length is
 * told. `type` is the Content-Type, NULL for none.
 *
 * Returns 0; -EINVAL: no request waits for an answer, or `status` is not 200 to 599; -ENOMEM,
 * with nothing done.
 */
int ho_http_server_reply(struct ho_http_server *h, int status, const char *type, const void *body,
                         size_t len, int64_t now_ns);

/* Makes the connection end after the reply that is under way or comes next. */
void ho_http_server_finish(struct ho_http_server *h);

/* What to send now: sets *ret_bytes, valid until the next call, returns how many. */
size_t ho_http_server_output(const struct ho_http_server *h, const uint8_t **ret_bytes);
void ho_http_server_sent(struct ho_http_server *h, size_t len, int64_t now_ns);

/* When to call ho_http_server_tick() at the latest. */
int64_t ho_http_server_deadline(const struct ho_http_server *h);

/* Lets time pass up to `now_ns`, after everything that arrived until then was put in.
 *
 * Returns NULL; or which timeout has ended: "keepalive_timeout", "header_timeout" (and
 * "body_timeout": a 408 goes out first), "send_timeout", "linger_timeout". Then look at
 * ho_http_server_todo() again.
 */
const char *ho_http_server_tick(struct ho_http_server *h, int64_t now_ns);

enum ho_http_todo ho_http_server_todo(const struct ho_http_server *h);

/* The status that the machine answered by itself, 0: none so far. */
int ho_http_server_refused(const struct ho_http_server *h);

/* ---- client -----------------------------------------------------------------------------------
 */

struct ho_http_client_conf {
    int64_t response_timeout_ns; /* from the request to the whole response; 60 s */
    int64_t idle_timeout_ns;     /* closes the idle connection itself; 0: never */
    uint32_t max_head;           /* bytes of status line and fields; 8192; at least 128 */
    uint64_t max_body;           /* bytes of content; 1 MiB */
};

struct ho_http_client;

/* A connection that was opened at `now_ns`. Returns as ho_http_server_new(). */
int ho_http_client_new(struct ho_http_client **ret, const struct ho_http_client_conf *conf,
                       int64_t now_ns);
void ho_http_client_free(struct ho_http_client *h);

/* Makes a request. `type` and `body` may be NULL; content is copied.
 *
 * Returns 0; -EBUSY: the response to the last one is not complete; -ENOTCONN: the connection has
 * ended or will not be kept; -EINVAL: a text has characters that would change the message;
 * -ENOMEM. On failure nothing was done.
 */
int ho_http_client_request(struct ho_http_client *h, const char *method, const char *target,
                           const char *host, const char *type, const void *body, size_t len,
                           int64_t now_ns);

size_t ho_http_client_room(const struct ho_http_client *h);
int ho_http_client_input(struct ho_http_client *h, const void *bytes, size_t len, int64_t now_ns);

/* The server has ended its stream. Ends a response whose content lasts until then. */
void ho_http_client_eof(struct ho_http_client *h, int64_t now_ns);

/* The next event of the response. Interim responses (1xx) are passed over.
 *
 * Returns 1 with *ret filled; 0 when more bytes are needed; -EPROTO: this is no response, or one
 * too long, or bytes came that nobody asked for; -ECONNRESET: the stream ended inside of the
 * response or before it; -ENOMEM. After an error close the connection.
 */
int ho_http_client_next(struct ho_http_client *h, struct ho_http_event *ret, int64_t now_ns);

const char *ho_http_client_field(const struct ho_http_client *h, const char *name, unsigned n);

size_t ho_http_client_output(const struct ho_http_client *h, const uint8_t **ret_bytes);
void ho_http_client_sent(struct ho_http_client *h, size_t len, int64_t now_ns);

int64_t ho_http_client_deadline(const struct ho_http_client *h);

/* Returns NULL; "response_timeout" or "idle_timeout": close the connection. */
const char *ho_http_client_tick(struct ho_http_client *h, int64_t now_ns);

/* HO_HTTP_SERVE or HO_HTTP_CLOSE. */
enum ho_http_todo ho_http_client_todo(const struct ho_http_client *h);

/* True while no request is under way and the connection can be used for one. */
bool ho_http_client_is_idle(const struct ho_http_client *h);

/* True if the request under way may be made again on a new connection when this one fails: no
 * byte of a response came, an earlier response did come on this connection (so the server may
 * have closed it as idle just then), and the method is idempotent (RFC 9110 9.2.2, 9112 9.3.1).
 */
bool ho_http_client_may_retry(const struct ho_http_client *h);

#ifdef __cplusplus
}
#endif

#endif
