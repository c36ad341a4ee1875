/* `halfopen watch --listen`: /metrics and /healthz over HTTP.
 *
 * It looks when it is asked, and answers from the look before if that is younger than the
 * interval: scrapers cannot make it busier than that, and without any it sleeps.
 */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/watch.h"
#include "os/clock.h"
#include "os/http.h"
#include "os/loop.h"
#include "os/wall.h"

#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_TEXT "text/plain; charset=utf-8"
#define TAG_SIGNALS 1
#define TAG_HTTP 2

enum {
    METRICS,
    HEALTH,
    ROOT,
    PATHS
};

static const char *const paths[] = { "/metrics", "/healthz", "/" };

struct serve {
    const struct ho_watch_ask *a;
    struct ho_watch_look look;
    struct ho_time tried; /* the last look, whether it worked or not */
    struct ho_os_loop *loop;
    struct ho_os_http *http;
    int signals;
};

/* ---- the pages ------------------------------------------------------------------------------- */

static void put_head(struct ho_text *out, const char *name, const char *type, const char *help)
{
    ho_text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void ho_watch_put_metrics(struct ho_text *out, const struct ho_watch_look *l)
{
    const struct ho_report_options o = { .all = true };

    ho_report(out, HO_REPORT_PROMETHEUS, &l->d, &o);
    put_head(out, "halfopen_watch_events_total", "counter",
             "Changes of connections from one look to the next.");
    for (int i = 0; i < HO_WATCH_CHANGE_COUNT; i++) {
        ho_text_printf(out, "halfopen_watch_events_total{event=\"%s\"} %" PRIu64 "\n",
                       ho_watch_change_word((enum ho_watch_change)i), l->track.counts[i]);
    }
    put_head(out, "halfopen_watch_looks_total", "counter", "Looks at the connections.");
    ho_text_printf(out, "halfopen_watch_looks_total %" PRIu64 "\n", l->looks);
    put_head(out, "halfopen_watch_failed_looks_total", "counter",
             "Looks at the connections that failed.");
    ho_text_printf(out, "halfopen_watch_failed_looks_total %" PRIu64 "\n", l->failed);
    put_head(out, "halfopen_watch_look_seconds", "gauge", "How long the last look took.");
    ho_text_put(out, "halfopen_watch_look_seconds ");
    ho_text_seconds(out, l->took.ns, 6);
    ho_text_char(out, '\n');
    put_head(out, "halfopen_build_info", "gauge", "The version of halfopen.");
    ho_text_printf(out, "halfopen_build_info{version=\"%s\"} 1\n", HALFOPEN_VERSION);
}

static int set_page(struct serve *s, size_t path, unsigned status, const char *type,
                    struct ho_text *t)
{
    int err = ho_text_err(t);

    if (err == 0) {
        err = ho_os_http_page(s->http, path, status, type, ho_text_str(t), t->len);
    }
    ho_text_free(t);
    return err;
}

/* The pages of the last look. */
static int make_pages(struct serve *s)
{
    struct ho_text metrics = { 0 }, health = { 0 };
    bool well = !s->look.failing;

    if (well) {
        ho_watch_put_metrics(&metrics, &s->look);
        ho_text_put(&health, "ok\n");
    } else {
        ho_text_printf(&metrics, "%s\n", s->look.why);
        ho_text_printf(&health, "%s\n", s->look.why);
    }
    int err = set_page(s, METRICS, well ? 200 : 500, well ? TYPE_METRICS : TYPE_TEXT, &metrics);
    int health_err = set_page(s, HEALTH, well ? 200 : 503, TYPE_TEXT, &health);

    return err != 0 ? err : health_err;
}

/* Whether the last look is too old to be shown. */
static bool is_stale(const struct serve *s)
{
    return ho_time_reached(ho_time_add(s->tried, s->a->interval), ho_os_now());
}

static void answer(struct serve *s)
{
    bool asked = ho_os_http_asked(s->http, METRICS) || ho_os_http_asked(s->http, HEALTH);

    if (asked && is_stale(s)) {
        s->tried = ho_os_now();
        (void)ho_watch_look(&s->look, s->a); /* a failure is what the pages say */
        (void)make_pages(s);                 /* without memory: the pages of before */
    }
    for (size_t i = 0; i < PATHS; i++) {
        ho_os_http_answer(s->http, i);
    }
}

/* ---- the command ----------------------------------------------------------------------------- */

static int open_all(struct serve *s)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP, 0 };
    char why[HO_OS_WHY] = "";
    struct ho_text root = { 0 };
    int err = ho_os_http_open(&s->http, s->a->listen, paths, PATHS, why);

    if (err != 0) {
        return ho_cli_say(err == -EINVAL ? HO_EXIT_USAGE : HO_EXIT_CANNOT, "watch --listen: %s",
                          why);
    }
    s->tried = ho_os_now();
    err = ho_watch_look(&s->look, s->a); /* what cannot work at all is said at once */
    if (err != 0) {
        return ho_watch_cannot(&s->look, s->a, err);
    }
    ho_text_put(&root, "halfopen watch: see /metrics\n");
    err = set_page(s, ROOT, 200, TYPE_TEXT, &root);
    err = err != 0 ? err : make_pages(s);
    err = err != 0 ? err : ho_os_signals_open(&s->signals, ends);
    err = err != 0 ? err : ho_os_loop_new(&s->loop);
    err = err != 0 ? err : ho_os_loop_add(s->loop, s->signals, HO_OS_IN, TAG_SIGNALS);
    err = err != 0 ? err : ho_os_loop_add(s->loop, ho_os_http_fd(s->http), HO_OS_IN, TAG_HTTP);
    return err != 0 ? ho_cli_no_memory() : HO_EXIT_OK;
}

static void run(struct serve *s)
{
    struct ho_os_event e[2];

    for (;;) {
        int n = ho_os_loop_wait(s->loop, e, 2, ho_os_http_deadline(s->http, ho_os_now()));

        for (int i = 0; i < n; i++) {
            if (e[i].tag == TAG_SIGNALS) {
                return;
            }
        }
        ho_os_http_run(s->http);
        answer(s);
    }
}

int ho_watch_serve(const struct ho_watch_ask *a)
{
    struct serve s = { .a = a, .signals = -1 };
    int code = open_all(&s);

    if (code == HO_EXIT_OK) {
        fprintf(stderr, "halfopen: metrics at http://%s/metrics\n", ho_os_http_where(s.http));
        run(&s);
    }
    ho_os_http_close(s.http);
    ho_os_loop_free(s.loop);
    ho_watch_look_free(&s.look);
    return code;
}
