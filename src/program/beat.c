/* The behaviour `heartbeat`: either end of a connection with halfopen/heartbeat.h on it.
 *
 * Each end pings every `interval` and closes when nothing came for `dead_after`, by its own
 * timer, whatever the kernel still believes. interval=0 makes an end that only answers,
 * dead_after=0 one that never gives up. A connecting end that lost its connection opens a new
 * one after `reconnect`, or ends with status 1.
 */

#include <errno.h>

#include "halfopen/heartbeat.h"
#include "program/loop.h"

struct beat {
    struct ho_loop l;
    struct ho_heartbeat_conf conf;
    struct ho_dur reconnect; /* 0: not */
};

struct beat_conn {
    struct ho_heartbeat hb;
    bool open;
};

enum {
    BEAT_INTERVAL = HO_PEER_PARAM_COUNT,
    BEAT_DEAD_AFTER,
    BEAT_RECONNECT,
    BEAT_SHARED
};

static const struct ho_param params[] = {
    HO_PEER_PARAMS,
    { .key = "interval",
      .kind = HO_PARAM_DUR,
      .fallback = "10s",
      .max = HO_PARAM_DUR_MAX,
      .help = "a ping so often; 0: only answer those of the peer" },
    { .key = "dead_after",
      .kind = HO_PARAM_DUR,
      .fallback = "30s",
      .max = HO_PARAM_DUR_MAX,
      .help = "silence after which the peer is taken for dead; 0: never; longer than interval" },
    { .key = "reconnect",
      .kind = HO_PARAM_DUR,
      .fallback = "0",
      .max = HO_PARAM_DUR_MAX,
      .help = "connect: a new connection so long after the last one ended; 0: none, it exits" },
    HO_LOOP_SHARED,
};

static struct beat *beat_of(struct ho_loop *l)
{
    return ho_container(l, struct beat, l);
}

static int opened(struct ho_loop *l, struct ho_conn *c)
{
    struct beat_conn *b = c->app;

    b->open = true;
    return ho_heartbeat_init(&b->hb, &beat_of(l)->conf, l->p.now.ns);
}

static void received(struct ho_loop *l, struct ho_conn *c, const uint8_t *bytes, size_t len)
{
    struct beat_conn *b = c->app;
    struct ho_heartbeat_msg msg;
    size_t used;
    int ret;

    do {
        ret = ho_heartbeat_input(&b->hb, bytes, len, l->p.now.ns, &used, &msg);
        bytes += used;
        len -= used;
    } while (ret > 0);
    if (ret < 0) {
        ho_program_say(&l->p, "heartbeat", c->name, c->fd, "what the peer sends is no heartbeat");
        ho_loop_close(l, c);
    }
}

static size_t output(struct ho_loop *l, struct ho_conn *c, const uint8_t **ret_bytes)
{
    struct beat_conn *b = c->app;

    (void)l;
    return ho_heartbeat_output(&b->hb, ret_bytes);
}

static void sent(struct ho_loop *l, struct ho_conn *c, size_t len)
{
    struct beat_conn *b = c->app;

    (void)l;
    ho_heartbeat_sent(&b->hb, len);
}

static struct ho_time deadline(const struct ho_loop *l, const struct ho_conn *c)
{
    const struct beat_conn *b = c->app;

    (void)l;
    return (struct ho_time){ ho_heartbeat_deadline(&b->hb) }; /* both say never as INT64_MAX */
}

static void timer(struct ho_loop *l, struct ho_conn *c)
{
    struct beat_conn *b = c->app;

    if (ho_heartbeat_tick(&b->hb, l->p.now.ns) == -ETIMEDOUT) {
        ho_loop_found(l, c, "heartbeat", "dead_after", beat_of(l)->conf.dead_after_ns,
                      "heartbeat lost: nothing was received for so long");
        ho_loop_close(l, c);
    }
}

static void closed(struct ho_loop *l, struct ho_conn *c)
{
    struct beat *b = beat_of(l);
    const struct beat_conn *bc = c->app;
    const struct ho_heartbeat_count *n = ho_heartbeat_count(&bc->hb);

    if (bc->open) {
        ho_program_say(&l->p, "heartbeat", c->name, -1,
                       "%llu pings sent, %llu answered; %llu received",
                       (unsigned long long)n->pings_sent, (unsigned long long)n->pongs_received,
                       (unsigned long long)n->pings_received);
    }
    if (l->listens) {
        return;
    }
    if (b->reconnect.ns == 0) {
        ho_program_exit(&l->p, 1);
    } else {
        l->alarm = ho_time_add(l->p.now, b->reconnect);
    }
}

static const struct ho_loop_app app = {
    .what = "heartbeat",
    .app_size = sizeof(struct beat_conn),
    .started = ho_loop_connect_first,
    .opened = opened,
    .received = received,
    .output = output,
    .sent = sent,
    .closed = closed,
    .deadline = deadline,
    .timer = timer,
    .alarm = ho_loop_connect_first,
};

static int check(const struct ho_value *v, struct ho_program_error *ret_error)
{
    if (v[BEAT_DEAD_AFTER].n > 0 && v[BEAT_DEAD_AFTER].n <= v[BEAT_INTERVAL].n) {
        return ho_program_refuse(ret_error, 0,
                                 "dead_after: found \"%.30s\", expected a duration longer than "
                                 "interval (\"%.30s\"), or 0",
                                 v[BEAT_DEAD_AFTER].text, v[BEAT_INTERVAL].text);
    }
    return 0;
}

static int init(struct ho_program *p, const struct ho_value *v)
{
    struct beat *b = (struct beat *)(void *)p;

    b->conf.interval_ns = v[BEAT_INTERVAL].n;
    b->conf.dead_after_ns = v[BEAT_DEAD_AFTER].n;
    b->reconnect = ho_ns(v[BEAT_RECONNECT].n);
    ho_loop_either(&b->l, v);
    ho_loop_shared(&b->l, &v[BEAT_SHARED]);
    return ho_loop_init(&b->l, &app);
}

const struct ho_behaviour ho_behaviour_heartbeat = {
    .spec = { "heartbeat", "pings its peer and closes the connection when nothing comes back",
              params, sizeof(params) / sizeof(params[0]) },
    .size = sizeof(struct beat),
    .check = check,
    .init = init,
    HO_LOOP_TABLE,
};
