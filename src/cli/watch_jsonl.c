/* `halfopen watch --jsonl`: a line a look, a change, a connection. docs/watch.md describes them. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "cli/cli.h"
#include "cli/watch.h"
#include "knobs/errno.h"
#include "knobs/state.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/wall.h"

#define SCHEMA 1
#define PORTION ((size_t)256 * 1024) /* bytes that are gathered before they are written */

/* ---- the lines ------------------------------------------------------------------------------- */

static void put_begin(struct ho_text *out, const char *kind, uint64_t scan)
{
    ho_text_printf(out, "{\"kind\":\"%s\",\"scan\":%" PRIu64, kind, scan);
}

static void put_time(struct ho_text *out, int64_t wall_ms)
{
    char buf[HO_OS_WALL_TEXT];

    ho_text_printf(out, ",\"time\":\"%s\"", ho_os_wall_utc(wall_ms, buf));
}

void ho_watch_put_scan(struct ho_text *out, const struct ho_watch_look *l)
{
    const char *sep = "";

    put_begin(out, "scan", l->looks);
    put_time(out, l->wall_ms);
    ho_text_printf(out,
                   ",\"schema\":%d,\"took_ms\":%" PRId64 ",\"connections\":%zu,\"in_trouble\":%zu"
                   ",\"never_idle\":%zu,\"unknown_idle\":%zu,\"unreadable\":%zu,\"findings\":{",
                   SCHEMA, l->took.ns / 1000000, l->scan.n_conns, l->d.in_trouble, l->d.never_idle,
                   l->d.unknown_idle, l->scan.n_unreadable);
    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        if (l->d.found[i] > 0) {
            ho_text_printf(out, "%s\"%s\":%zu", sep, ho_finding_info((enum ho_finding_id)i)->id,
                           l->d.found[i]);
            sep = ",";
        }
    }
    ho_text_put(out, "}}\n");
}

void ho_watch_put_failure(struct ho_text *out, const struct ho_watch_look *l, int64_t wall_ms)
{
    put_begin(out, "error", l->looks);
    put_time(out, wall_ms);
    ho_text_put(out, ",\"what\":");
    ho_text_json(out, l->why);
    ho_text_put(out, "}\n");
}

static void put_end(struct ho_text *out, const char *key, const struct ho_addr *a, uint16_t port)
{
    char buf[HO_ADDR_TEXT];

    ho_text_printf(out, ",\"%s\":{\"address\":\"%s\",\"port\":%u}", key, ho_addr_text(a, buf),
                   (unsigned)port);
}

static void put_error(struct ho_text *out, const char *key, int err)
{
    ho_text_printf(out, ",\"%s\":", key);
    if (err == 0) {
        ho_text_put(out, "null");
    } else {
        ho_text_json(out, ho_errno_name(err));
    }
}

static void put_name(struct ho_text *out, const struct ho_watch_conn *c)
{
    struct ho_text plain = { 0 };

    ho_text_put(out, ",\"process\":");
    if (c->name[0] == '\0' && c->pid == 0) {
        ho_text_put(out, "null");
        return;
    }
    ho_text_plain(&plain, c->name);
    ho_text_printf(out, "{\"pid\":%" PRId32 ",\"name\":", c->pid);
    ho_text_json(out, ho_text_str(&plain));
    ho_text_char(out, '}');
    ho_text_end_part(out, &plain);
}

static void put_trouble(struct ho_text *out, const char *key, uint8_t trouble)
{
    if (trouble == HO_TROUBLE_NONE) {
        ho_text_printf(out, ",\"%s\":null", key);
    } else {
        ho_text_printf(out, ",\"%s\":\"%s\"", key, ho_trouble_word((enum ho_trouble)trouble));
    }
}

void ho_watch_put_change(struct ho_text *out, const struct ho_watch_look *l,
                         const struct ho_watch_event *e)
{
    const struct ho_watch_conn *c = &e->conn;
    bool gave_up = e->change == HO_WATCH_GAVE_UP;
    bool gone = gave_up || e->change == HO_WATCH_CLOSED || e->change == HO_WATCH_ENDED;

    put_begin(out, "event", l->looks);
    put_time(out, l->wall_ms);
    ho_text_printf(out, ",\"event\":\"%s\",\"netns\":%" PRIu64 ",\"family\":%d",
                   ho_watch_change_word(e->change), c->netns, c->ipv6 ? 6 : 4);
    put_end(out, "local", &c->local, c->lport);
    put_end(out, "remote", &c->remote, c->rport);
    put_name(out, c);
    ho_text_printf(out, ",\"state\":\"%s\",\"state_before\":",
                   gone ? "CLOSED" : ho_tcp_state_name((enum ho_tcp_state)c->state));
    if (e->change == HO_WATCH_NEW) {
        ho_text_put(out, "null");
    } else {
        ho_text_json(out, ho_tcp_state_name((enum ho_tcp_state)e->state_before));
    }
    put_trouble(out, "trouble", gone ? (uint8_t)HO_TROUBLE_NONE : c->trouble);
    put_trouble(out, "trouble_before", e->trouble_before);
    ho_text_put(out, ",\"trouble_s\":");
    if (e->trouble_ns < 0) {
        ho_text_put(out, "null");
    } else {
        ho_text_seconds(out, e->trouble_ns, 3);
    }
    put_error(out, "errno", gave_up ? c->end.err : 0);
    put_error(out, "or", gave_up ? c->end.other_err : 0);
    ho_text_put(out, ",\"known_s\":");
    ho_text_seconds(out, e->known_ns, 3);
    ho_text_put(out, "}\n");
}

/* The doctor's object has line breaks between its members; within its texts there are none. */
void ho_watch_put_conn(struct ho_text *out, const struct ho_watch_look *l, uint32_t i)
{
    struct ho_text t = { 0 };

    ho_report_json_conn(&t, &l->d, i);
    put_begin(out, "connection", l->looks);
    ho_text_char(out, ',');
    for (const char *p = ho_text_str(&t) + (t.len > 0); *p != '\0';) { /* behind its brace */
        size_t n = strcspn(p, "\n");

        ho_text_bytes(out, p, n);
        p += n + (p[n] == '\n');
    }
    ho_text_char(out, '\n');
    ho_text_end_part(out, &t);
}

/* ---- the command ----------------------------------------------------------------------------- */

/* Writes what has been gathered, if it is a portion or `all` is due. */
static int put_out(struct ho_text *t, bool all)
{
    int code = HO_EXIT_OK;

    if (t->len >= PORTION || all) {
        code = ho_cli_put(t);
        ho_text_clear(t);
    }
    return all && code == HO_EXIT_OK ? ho_cli_done() : code;
}

static int put_look(struct ho_text *t, const struct ho_watch_look *l, const struct ho_watch_ask *a)
{
    int code = HO_EXIT_OK;

    ho_watch_put_scan(t, l);
    for (size_t i = 0; i < l->track.n_events && code == HO_EXIT_OK; i++) {
        ho_watch_put_change(t, l, &l->track.events[i]);
        code = put_out(t, false);
    }
    for (size_t i = 0; i < l->scan.n_conns && !a->changes && code == HO_EXIT_OK; i++) {
        ho_watch_put_conn(t, l, (uint32_t)i);
        code = put_out(t, false);
    }
    return code == HO_EXIT_OK ? put_out(t, true) : code;
}

static int look_once(struct ho_text *t, struct ho_watch_look *l, const struct ho_watch_ask *a,
                     bool *ret_ended)
{
    int err = ho_watch_look(l, a);

    if (err == 0) {
        return put_look(t, l, a);
    }
    if (!l->any) {
        return ho_watch_cannot(l, a, err);
    }
    *ret_ended = err == -ESRCH; /* --pid, and the process is gone */
    ho_watch_put_failure(t, l, ho_os_wall_ms());
    return put_out(t, true);
}

int ho_watch_jsonl(const struct ho_watch_ask *a)
{
    struct ho_watch_look l = { .any = false };
    struct ho_text t = { 0 };
    struct ho_os_loop *loop = NULL;
    struct ho_os_event none[1];
    struct ho_time next = ho_os_now();
    bool ended = false;
    int code = ho_os_loop_new(&loop) != 0 ? ho_cli_no_memory() : HO_EXIT_OK;

    for (int64_t i = 0; code == HO_EXIT_OK && !ended; i++) {
        if (a->count > 0 && i >= a->count) {
            break;
        }
        if (i > 0) {
            /* A look that took longer than the interval does not make the next ones early. */
            struct ho_time now = ho_os_now();

            next = ho_time_add(next, a->interval);
            next = ho_time_before(next, now) ? now : next;
            while (ho_time_before(ho_os_now(), next)) {
                (void)ho_os_loop_wait(loop, none, 1, next);
            }
        }
        code = look_once(&t, &l, a, &ended);
    }
    ho_text_free(&t);
    ho_os_loop_free(loop);
    ho_watch_look_free(&l);
    return code;
}
