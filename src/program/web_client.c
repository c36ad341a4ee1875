/* The behaviour `http-client`: requests over one connection that it keeps.
 *
 * The next request is made `interval` after the last response. A connection that the server has
 * closed meanwhile is noticed when it happens, and a new one opened for the next request. A
 * request whose connection fails is made again only where that is safe (halfopen/http_keepalive.h:
 * ho_http_client_may_retry); otherwise it counts as failed.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "halfopen/http_keepalive.h"
#include "program/loop.h"
#include "program/stream.h"

struct web_client {
    struct ho_loop l;
    struct ho_http_client_conf conf;
    char method[16], target[64], host[64];
    uint64_t requests; /* to make in all */
    struct ho_dur interval;
    uint8_t *content;
    size_t content_len;
    bool reconnects, keeps; /* keeps: the connection stays open after the last response */
    uint64_t done, failed;
    bool wanted; /* a request waits for a connection */
    struct ho_conn *conn;
};

struct web_call {
    struct ho_http_client *http;
    bool busy;         /* a request is under way on this connection */
    uint64_t got, bad; /* of the present response's content */
    int status;
};

enum {
    CLIENT_REQUESTS = HO_CLIENT_PARAM_COUNT,
    CLIENT_INTERVAL,
    CLIENT_METHOD,
    CLIENT_TARGET,
    CLIENT_HOST,
    CLIENT_CONTENT,
    CLIENT_TIMEOUT,
    CLIENT_IDLE,
    CLIENT_RECONNECT,
    CLIENT_AFTER,
    CLIENT_SHARED
};

static const struct ho_param params[] = {
    HO_CLIENT_PARAMS,
    { .key = "requests",
      .kind = HO_PARAM_COUNT,
      .fallback = "10",
      .min = 1,
      .max = INT64_MAX,
      .help = "how many it makes" },
    { .key = "interval",
      .kind = HO_PARAM_DUR,
      .fallback = "1s",
      .max = HO_PARAM_DUR_MAX,
      .help = "from a response to the next request" },
    { .key = "method",
      .kind = HO_PARAM_CHOICE,
      .fallback = "GET",
      .choices = "GET|HEAD|POST|PUT",
      .help = "of each request" },
    { .key = "target", .kind = HO_PARAM_TEXT, .fallback = "/", .help = "of each request" },
    { .key = "host",
      .kind = HO_PARAM_TEXT,
      .fallback = "",
      .help = "the Host field; if not given the address" },
    { .key = "content",
      .kind = HO_PARAM_BYTES,
      .fallback = "0",
      .max = 1 << 26,
      .help = "bytes of content that POST and PUT send" },
    { .key = "timeout",
      .kind = HO_PARAM_DUR,
      .fallback = "60s",
      .min = 1000000,
      .max = HO_PARAM_DUR_MAX,
      .help = "from a request to its whole response" },
    { .key = "idle_timeout",
      .kind = HO_PARAM_DUR,
      .fallback = "0",
      .max = HO_PARAM_DUR_MAX,
      .help = "closes the idle connection itself after this; 0: never" },
    { .key = "reconnect",
      .kind = HO_PARAM_CHOICE,
      .fallback = "yes",
      .choices = "no|yes",
      .help = "whether it opens a new connection for what is left to do" },
    { .key = "after",
      .kind = HO_PARAM_CHOICE,
      .fallback = "keep",
      .choices = "close|keep",
      .help = "what becomes of the connection after the last response" },
    HO_LOOP_SHARED,
};

static struct web_client *client_of(struct ho_loop *l)
{
    return ho_container(l, struct web_client, l);
}

static void say(struct ho_loop *l, const struct ho_conn *c, const char *text)
{
    ho_program_say(&l->p, "http-client", c != NULL ? c->name : "", c != NULL ? c->fd : -1, "%s",
                   text);
}

/* ---- requests ---------------------------------------------------------------------------------
 */

static void request(struct ho_loop *l, struct ho_conn *c)
{
    struct web_client *w = client_of(l);
    struct web_call *call = c->app;
    int err =
        ho_http_client_request(call->http, w->method, w->target, w->host, NULL,
                               w->content_len > 0 ? w->content : NULL, w->content_len, l->p.now.ns);

    if (err < 0) {
        say(l, c, "no memory for a request");
        ho_loop_close(l, c);
        return;
    }
    w->wanted = false;
    call->busy = true;
    call->got = 0;
    call->bad = 0;
    ho_loop_touch(l, c);
}

static void finish(struct ho_loop *l)
{
    struct web_client *w = client_of(l);

    w->wanted = false;
    if (w->conn == NULL) {
        ho_program_exit(&l->p, w->failed > 0 ? 1 : 0);
    } else if (!w->keeps) {
        ho_loop_finish(l, w->conn);
    }
}

/* One request is over, answered or not. */
static void count(struct ho_loop *l, bool good)
{
    struct web_client *w = client_of(l);

    w->done++;
    w->failed += !good;
    if (w->done == w->requests) {
        finish(l);
    } else {
        l->alarm = ho_time_add(l->p.now, w->interval);
    }
}

/* The time of the next request has come. */
static void alarm_rang(struct ho_loop *l)
{
    struct web_client *w = client_of(l);
    const struct web_call *call = w->conn != NULL ? w->conn->app : NULL;

    if (call != NULL && call->http != NULL && ho_http_client_is_idle(call->http)) {
        request(l, w->conn);
        return;
    }
    w->wanted = true;
    if (w->conn == NULL && ho_loop_connect(l) < 0) {
        say(l, NULL, "no memory for a connection");
        count(l, false);
    }
}

static void answered(struct ho_loop *l, struct ho_conn *c)
{
    struct web_call *call = c->app;

    call->busy = false;
    ho_program_say(&l->p, "http-client", c->name, c->fd, "%d, %llu bytes%s", call->status,
                   (unsigned long long)call->got, call->bad > 0 ? ", not the stream" : "");
    count(l, call->status < 400 && call->bad == 0);
}

/* ---- hooks ------------------------------------------------------------------------------------
 */

static void obey(struct ho_loop *l, struct ho_conn *c)
{
    const struct web_call *call = c->app;

    if (ho_http_client_todo(call->http) == HO_HTTP_CLOSE) {
        ho_loop_close(l, c);
    }
}

static void work(struct ho_loop *l, struct ho_conn *c)
{
    struct web_call *call = c->app;
    const struct web_client *w = client_of(l);
    struct ho_http_event ev;
    int got;

    while ((got = ho_http_client_next(call->http, &ev, l->p.now.ns)) > 0) {
        if (ev.kind == HO_HTTP_HEAD) {
            call->status = ev.status;
        } else if (ev.kind == HO_HTTP_BODY) {
            call->bad += w->content_len == 0 ? ho_stream_bad(ev.bytes, ev.len, call->got) : 0;
            call->got += ev.len;
        } else {
            answered(l, c);
        }
    }
    if (got == -EPROTO) {
        say(l, c, "what came is not a response");
    }
    obey(l, c);
}

static int opened(struct ho_loop *l, struct ho_conn *c)
{
    struct web_client *w = client_of(l);
    struct web_call *call = c->app;
    int err = ho_http_client_new(&call->http, &w->conf, l->p.now.ns);

    if (err == 0 && w->wanted) {
        request(l, c);
    }
    return err;
}

static size_t room(const struct ho_loop *l, const struct ho_conn *c)
{
    const struct web_call *call = c->app;

    (void)l;
    return ho_http_client_room(call->http);
}

static void received(struct ho_loop *l, struct ho_conn *c, const uint8_t *bytes, size_t len)
{
    struct web_call *call = c->app;

    if (ho_http_client_input(call->http, bytes, len, l->p.now.ns) < 0) {
        say(l, c, "no memory");
        ho_loop_close(l, c);
        return;
    }
    work(l, c);
}

static size_t output(struct ho_loop *l, struct ho_conn *c, const uint8_t **ret_bytes)
{
    const struct web_call *call = c->app;

    (void)l;
    return ho_http_client_output(call->http, ret_bytes);
}

static void sent(struct ho_loop *l, struct ho_conn *c, size_t len)
{
    struct web_call *call = c->app;

    ho_http_client_sent(call->http, len, l->p.now.ns);
}

static void ended(struct ho_loop *l, struct ho_conn *c)
{
    struct web_call *call = c->app;

    if (ho_http_client_is_idle(call->http)) {
        say(l, c, "closed by the server while idle");
    }
    ho_http_client_eof(call->http, l->p.now.ns);
    work(l, c);
    ho_loop_close(l, c);
}

static struct ho_time deadline(const struct ho_loop *l, const struct ho_conn *c)
{
    const struct web_call *call = c->app;

    (void)l;
    return (struct ho_time){ ho_http_client_deadline(call->http) };
}

static void timer(struct ho_loop *l, struct ho_conn *c)
{
    const struct web_client *w = client_of(l);
    struct web_call *call = c->app;
    const char *which = ho_http_client_tick(call->http, l->p.now.ns);

    if (which != NULL && call->busy) {
        ho_loop_found(l, c, which, "timeout", w->conf.response_timeout_ns,
                      "no complete response came");
    } else if (which != NULL) {
        say(l, c, "idle for idle_timeout: closed");
    }
    obey(l, c);
}

/* The connection is gone: what becomes of the request that was on it, or waits for one? */
static void closed(struct ho_loop *l, struct ho_conn *c)
{
    struct web_client *w = client_of(l);
    struct web_call *call = c->app;
    bool was_open = call->http != NULL;
    bool again = call->busy ? ho_http_client_may_retry(call->http) : w->wanted && was_open;

    ho_http_client_free(call->http);
    w->conn = NULL;
    if (w->done == w->requests) {
        finish(l);
        return;
    }
    if (again && w->reconnects && ho_loop_connect(l) == 0) {
        say(l, c,
            call->busy ? "the request is made again on a new connection"
                       : "a new connection for the next request");
        w->wanted = true;
        return;
    }
    if (call->busy || w->wanted) {
        say(l, c, "the request failed");
        w->wanted = false;
        count(l, false);
    }
    if (!w->reconnects) {
        ho_program_exit(&l->p, 1);
    }
}

static void made(struct ho_loop *l, struct ho_conn *c)
{
    client_of(l)->conn = c;
}

static void started(struct ho_loop *l)
{
    alarm_rang(l);
}

static const struct ho_loop_app app = {
    .what = "http-client",
    .app_size = sizeof(struct web_call),
    .started = started,
    .made = made,
    .opened = opened,
    .received = received,
    .room = room,
    .output = output,
    .sent = sent,
    .ended = ended,
    .closed = closed,
    .deadline = deadline,
    .timer = timer,
    .alarm = alarm_rang,
};

/* Visible ASCII that fits: the texts go into the message as they are. */
static bool is_text(const char *s, size_t room)
{
    size_t n = 0;

    for (; s[n] != '\0'; n++) {
        if (s[n] <= ' ' || s[n] > '~') {
            return false;
        }
    }
    return n > 0 && n < room;
}

static int check(const struct ho_value *v, struct ho_program_error *ret_error)
{
    if (!is_text(v[CLIENT_TARGET].text, sizeof(((struct web_client *)NULL)->target))) {
        return ho_program_refuse(ret_error, 0,
                                 "target: found \"%.60s\", expected at most 63 visible characters "
                                 "such as /index.html",
                                 v[CLIENT_TARGET].text);
    }
    if (*v[CLIENT_HOST].text != '\0' &&
        !is_text(v[CLIENT_HOST].text, sizeof(((struct web_client *)NULL)->host))) {
        return ho_program_refuse(ret_error, 0,
                                 "host: found \"%.60s\", expected a name such as example.org",
                                 v[CLIENT_HOST].text);
    }
    return 0;
}

static void set_texts(struct web_client *w, const struct ho_value *v)
{
    const char *host = v[CLIENT_HOST].text;
    char addr[HO_ADDR_TEXT];

    ho_copy_text(w->method, sizeof(w->method), v[CLIENT_METHOD].text);
    ho_copy_text(w->target, sizeof(w->target), v[CLIENT_TARGET].text);
    if (*host != '\0') {
        ho_copy_text(w->host, sizeof(w->host), host);
        return;
    }
    ho_addr_text(&w->l.addr, addr);
    snprintf(w->host, sizeof(w->host), ho_addr_is_v4(&w->l.addr) ? "%s:%u" : "[%s]:%u", addr,
             w->l.port);
}

static int init(struct ho_program *p, const struct ho_value *v)
{
    struct web_client *w = (struct web_client *)(void *)p;
    bool sends = v[CLIENT_METHOD].n >= 2; /* POST, PUT */

    ho_loop_dial(&w->l, v);
    ho_loop_shared(&w->l, &v[CLIENT_SHARED]);
    set_texts(w, v);
    w->conf = (struct ho_http_client_conf){
        .response_timeout_ns = v[CLIENT_TIMEOUT].n,
        .idle_timeout_ns = v[CLIENT_IDLE].n,
        .max_body = UINT64_MAX,
    };
    w->requests = (uint64_t)v[CLIENT_REQUESTS].n;
    w->interval = ho_ns(v[CLIENT_INTERVAL].n);
    w->reconnects = v[CLIENT_RECONNECT].n != 0;
    w->keeps = v[CLIENT_AFTER].n != 0;
    w->content_len = sends ? (size_t)v[CLIENT_CONTENT].n : 0;
    w->content = malloc(w->content_len + 1);
    if (w->content == NULL) {
        return -ENOMEM;
    }
    ho_stream_fill(w->content, w->content_len, 0);
    return ho_loop_init(&w->l, &app);
}

static void fini(struct ho_program *p)
{
    struct web_client *w = (struct web_client *)(void *)p;

    w->reconnects = false;
    w->done = w->requests;
    ho_loop_fini(p);
    free(w->content);
}

const struct ho_behaviour ho_behaviour_http_client = {
    .spec = { "http-client", "HTTP/1.1 requests over one connection that it keeps", params,
              sizeof(params) / sizeof(params[0]) },
    .size = sizeof(struct web_client),
    .check = check,
    .init = init,
    .fini = fini,
    HO_LOOP_TABLE_BUT_FINI,
};
