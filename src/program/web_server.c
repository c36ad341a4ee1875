/* The behaviour `http-server`: halfopen/http_keepalive.h on the loop.
 *
 * GET, HEAD and OPTIONS get `content` bytes of the checkable stream, whatever the target; POST,
 * PUT, PATCH and DELETE are told how many bytes came. The timers are the machine's; one that ends
 * a connection is a finding under its own name.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "halfopen/http_keepalive.h"
#include "program/loop.h"
#include "program/stream.h"

struct web_server {
    struct ho_loop l;
    struct ho_http_server_conf conf;
    size_t content;
    uint8_t *bytes; /* what GET gets */
};

struct web_conn {
    struct ho_http_server *http;
    uint64_t got; /* bytes of content of the present request */
};

enum {
    WEB_KEEPALIVE = HO_SERVER_PARAM_COUNT,
    WEB_HEADER,
    WEB_BODY,
    WEB_SEND,
    WEB_LINGER,
    WEB_MAX_HEAD,
    WEB_MAX_BODY,
    WEB_MAX_REQUESTS,
    WEB_CONTENT,
    WEB_SHARED
};

static const struct ho_param params[] = {
    HO_SERVER_PARAMS,
    { .key = "keepalive_timeout",
      .kind = HO_PARAM_DUR,
      .fallback = "60s",
      .max = HO_PARAM_DUR_MAX,
      .help = "a connection without a request is closed after this; 0: one request each" },
    { .key = "header_timeout",
      .kind = HO_PARAM_DUR,
      .fallback = "60s",
      .min = 1000000,
      .max = HO_PARAM_DUR_MAX,
      .help = "from a request's first byte to the end of its head" },
    { .key = "body_timeout",
      .kind = HO_PARAM_DUR,
      .fallback = "60s",
      .min = 1000000,
      .max = HO_PARAM_DUR_MAX,
      .help = "between two pieces of a request's content" },
    { .key = "send_timeout",
      .kind = HO_PARAM_DUR,
      .fallback = "60s",
      .min = 1000000,
      .max = HO_PARAM_DUR_MAX,
      .help = "how long a client may take nothing of a response" },
    { .key = "linger_timeout",
      .kind = HO_PARAM_DUR,
      .fallback = "5s",
      .min = 1000000,
      .max = HO_PARAM_DUR_MAX,
      .help = "from the last response to the client's end of stream" },
    { .key = "max_head",
      .kind = HO_PARAM_BYTES,
      .fallback = "8k",
      .min = 128,
      .max = 1 << 20,
      .help = "of a request line and its fields; more is answered 414 or 431" },
    { .key = "max_body",
      .kind = HO_PARAM_BYTES,
      .fallback = "1M",
      .min = 1,
      .max = INT64_MAX,
      .help = "of a request's content; more is answered 413" },
    { .key = "max_requests",
      .kind = HO_PARAM_COUNT,
      .fallback = "1000",
      .min = 1,
      .max = UINT32_MAX,
      .help = "on one connection" },
    { .key = "content",
      .kind = HO_PARAM_BYTES,
      .fallback = "100",
      .max = 1 << 26,
      .help = "bytes of the answer to GET" },
    HO_LOOP_SHARED,
};

static struct web_server *web_of(struct ho_loop *l)
{
    return ho_container(l, struct web_server, l);
}

static int opened(struct ho_loop *l, struct ho_conn *c)
{
    struct web_conn *w = c->app;

    return ho_http_server_new(&w->http, &web_of(l)->conf, l->p.now.ns);
}

/* ---- requests ---------------------------------------------------------------------------------
 */

static int answer(struct ho_loop *l, struct ho_conn *c, const struct ho_http_event *ev)
{
    struct web_server *s = web_of(l);
    struct web_conn *w = c->app;
    bool reads = strcmp(ev->method, "GET") == 0 || strcmp(ev->method, "HEAD") == 0 ||
                 strcmp(ev->method, "OPTIONS") == 0;
    char text[48];
    int n;

    ho_program_say(&l->p, "http-server", c->name, c->fd, "%s %.40s: 200", ev->method, ev->target);
    if (reads) {
        return ho_http_server_reply(w->http, 200, "application/octet-stream", s->bytes, s->content,
                                    l->p.now.ns);
    }
    n = snprintf(text, sizeof(text), "%llu bytes received\n", (unsigned long long)w->got);
    return ho_http_server_reply(w->http, 200, "text/plain", text, (size_t)n, l->p.now.ns);
}

/* What the machine wants done with the connection. */
static void obey(struct ho_loop *l, struct ho_conn *c)
{
    const struct web_conn *w = c->app;

    switch (ho_http_server_todo(w->http)) {
    case HO_HTTP_SERVE:
        break;
    case HO_HTTP_SHUTDOWN:
        ho_loop_shutdown(l, c);
        break;
    case HO_HTTP_CLOSE:
        ho_loop_close(l, c);
        break;
    }
}

/* Takes the events of what has come, answers the requests among them. */
static void work(struct ho_loop *l, struct ho_conn *c)
{
    struct web_conn *w = c->app;
    struct ho_http_event ev;
    int refused = ho_http_server_refused(w->http);
    int got;

    while ((got = ho_http_server_next(w->http, &ev, l->p.now.ns)) > 0) {
        if (ev.kind == HO_HTTP_HEAD) {
            w->got = 0;
        } else if (ev.kind == HO_HTTP_BODY) {
            w->got += ev.len;
        } else {
            got = answer(l, c, &ev);
            if (got < 0) {
                break;
            }
        }
    }
    if (got < 0) {
        ho_program_say(&l->p, "http-server", c->name, c->fd, "no memory");
        ho_loop_close(l, c);
        return;
    }
    if (ho_http_server_refused(w->http) != refused) {
        ho_program_say(&l->p, "http-server", c->name, c->fd, "refused: %d",
                       ho_http_server_refused(w->http));
    }
    obey(l, c);
}

/* ---- hooks ------------------------------------------------------------------------------------
 */

static size_t room(const struct ho_loop *l, const struct ho_conn *c)
{
    const struct web_conn *w = c->app;

    (void)l;
    return ho_http_server_room(w->http);
}

static void received(struct ho_loop *l, struct ho_conn *c, const uint8_t *bytes, size_t len)
{
    struct web_conn *w = c->app;

    if (ho_http_server_input(w->http, bytes, len, l->p.now.ns) < 0) {
        ho_program_say(&l->p, "http-server", c->name, c->fd, "no memory");
        ho_loop_close(l, c);
        return;
    }
    work(l, c);
}

static size_t output(struct ho_loop *l, struct ho_conn *c, const uint8_t **ret_bytes)
{
    const struct web_conn *w = c->app;

    (void)l;
    return ho_http_server_output(w->http, ret_bytes);
}

static void sent(struct ho_loop *l, struct ho_conn *c, size_t len)
{
    struct web_conn *w = c->app;

    ho_http_server_sent(w->http, len, l->p.now.ns);
    work(l, c); /* the next request may be here already */
}

static void ended(struct ho_loop *l, struct ho_conn *c)
{
    struct web_conn *w = c->app;

    ho_http_server_eof(w->http, l->p.now.ns);
    work(l, c);
}

static struct ho_time deadline(const struct ho_loop *l, const struct ho_conn *c)
{
    const struct web_conn *w = c->app;

    (void)l;
    return (struct ho_time){ ho_http_server_deadline(w->http) };
}

static void found(struct ho_loop *l, const struct ho_conn *c, const char *which)
{
    const struct ho_http_server_conf *conf = &web_of(l)->conf;
    const struct {
        const char *name;
        int64_t ns;
        const char *text;
    } rules[] = {
        { "keepalive_timeout", conf->keepalive_timeout_ns, "no request came: closed" },
        { "header_timeout", conf->header_timeout_ns, "the request did not become complete: 408" },
        { "body_timeout", conf->body_timeout_ns, "the rest of the content did not come: 408" },
        { "send_timeout", conf->send_timeout_ns, "the client takes nothing: closed" },
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strcmp(which, rules[i].name) == 0) {
            ho_loop_found(l, c, rules[i].name, which, rules[i].ns, rules[i].text);
            return;
        }
    }
    ho_program_say(&l->p, "http-server", c->name, c->fd, "the client did not close: closed");
}

static void timer(struct ho_loop *l, struct ho_conn *c)
{
    struct web_conn *w = c->app;
    const char *which = ho_http_server_tick(w->http, l->p.now.ns);

    if (which != NULL) {
        found(l, c, which);
    }
    obey(l, c);
}

static void closed(struct ho_loop *l, struct ho_conn *c)
{
    struct web_conn *w = c->app;

    (void)l;
    ho_http_server_free(w->http);
}

static const struct ho_loop_app app = {
    .what = "http-server",
    .app_size = sizeof(struct web_conn),
    .opened = opened,
    .received = received,
    .room = room,
    .output = output,
    .sent = sent,
    .ended = ended,
    .closed = closed,
    .deadline = deadline,
    .timer = timer,
};

static int init(struct ho_program *p, const struct ho_value *v)
{
    struct web_server *s = (struct web_server *)(void *)p;

    ho_loop_serve(&s->l, v);
    ho_loop_shared(&s->l, &v[WEB_SHARED]);
    s->conf = (struct ho_http_server_conf){
        .keepalive_timeout_ns = v[WEB_KEEPALIVE].n > 0 ? v[WEB_KEEPALIVE].n : -1,
        .header_timeout_ns = v[WEB_HEADER].n,
        .body_timeout_ns = v[WEB_BODY].n,
        .send_timeout_ns = v[WEB_SEND].n,
        .linger_timeout_ns = v[WEB_LINGER].n,
        .max_head = (uint32_t)v[WEB_MAX_HEAD].n,
        .max_body = (uint64_t)v[WEB_MAX_BODY].n,
        .max_requests = (uint32_t)v[WEB_MAX_REQUESTS].n,
    };
    s->content = (size_t)v[WEB_CONTENT].n;
    s->bytes = malloc(s->content + 1);
    if (s->bytes == NULL) {
        return -ENOMEM;
    }
    ho_stream_fill(s->bytes, s->content, 0);
    return ho_loop_init(&s->l, &app);
}

static void fini(struct ho_program *p)
{
    struct web_server *s = (struct web_server *)(void *)p;

    ho_loop_fini(p);
    free(s->bytes);
}

const struct ho_behaviour ho_behaviour_http_server = {
    .spec = { "http-server", "HTTP/1.1 with a keepalive_timeout for each connection", params,
              sizeof(params) / sizeof(params[0]) },
    .size = sizeof(struct web_server),
    .init = init,
    .fini = fini,
    HO_LOOP_TABLE_BUT_FINI,
};
