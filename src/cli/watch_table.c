/* The lines of the live table. See watch_table.h.
 *
 *     what it counts                                                    when
 *     how it is sorted and filtered
 *     PROCESS     PEER                  STATE      IDLE    BUSY    TROUBLE
 *     ...
 *     the connection under the cursor, in full
 *     the newest event
 *     the keys
 */

#include "cli/watch_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/words.h"
#include "knobs/state.h"

#define DETAILS 5       /* lines: a blank one, and what is said of a connection */
#define DETAILS_FROM 16 /* lines that the screen must have for them */
#define FIXED 5         /* two of the head, the columns' names, the newest event, the keys */

/* ---- short times ----------------------------------------------------------------------------- */

void ho_watch_put_short(struct ho_text *out, int64_t ns)
{
    static const struct {
        const char *unit;
        int64_t s, per;
        const char *rest;
    } units[] = {
        { "d", 86400, 3600, "h" },
        { "h", 3600, 60, "m" },
        { "m", 60, 1, "s" },
    };
    int64_t s = ns / HO_NS_PER_S;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (s >= units[i].s) {
            ho_text_printf(out, "%lld%s%lld%s", (long long)(s / units[i].s), units[i].unit,
                           (long long)(s % units[i].s / units[i].per), units[i].rest);
            return;
        }
    }
    if (s > 0 || ns <= 0) {
        ho_text_printf(out, "%llds", (long long)s);
    } else {
        ho_text_printf(out, "%lldms", (long long)(ns / 1000000));
    }
}

static void put_answer(struct ho_text *out, const struct ho_outlook_answer *a)
{
    switch (a->kind) {
    case HO_OUTLOOK_RANGE:
    case HO_OUTLOOK_WITHIN:
        ho_watch_put_short(out, a->max_ns);
        return;
    case HO_OUTLOOK_NONE:
        ho_text_char(out, '-');
        return;
    default:
        ho_text_put(out, ho_outlook_kind_word(a->kind));
        return;
    }
}

/* ---- lines ----------------------------------------------------------------------------------- */

struct canvas {
    struct ho_watch_lines *lines;
    unsigned columns;
    bool ascii;
};

/* A line of the screen: `text`, cut and made safe; with `fill` it goes to the edge. */
static void put_line(struct canvas *c, unsigned row, struct ho_text *text, unsigned style,
                     bool fill)
{
    if (row < c->lines->rows) {
        struct ho_text *line = &c->lines->text[row];

        ho_text_clear(line);
        if (fill) {
            ho_utf8_pad(line, ho_text_str(text), c->columns, c->ascii);
        } else {
            ho_utf8_put(line, ho_text_str(text), c->columns, c->ascii);
        }
        c->lines->style[row] = (uint8_t)style;
        if (ho_text_err(text) != 0) {
            line->err = ho_text_err(text);
        }
    }
    ho_text_clear(text);
}

/* `text` in `width` columns; of a longer one the end is kept: that is where a port is. */
static void put_right_part(struct ho_text *out, const char *text, size_t width)
{
    size_t n = strlen(text);

    if (n > width) {
        ho_text_char(out, '~');
        ho_text_put(out, text + (n - width + 1));
    } else {
        ho_text_pad(out, text, width);
    }
}

/* ---- the columns ----------------------------------------------------------------------------- */

struct widths {
    unsigned process, peer, state, verdict, trouble;
};

/* What 80 columns have room for; of more, names and IPv6 addresses get their share. */
static struct widths widths_for(unsigned columns)
{
    struct widths w = { .process = 11, .peer = 21, .state = 10, .verdict = 7, .trouble = 19 };
    unsigned more = columns > 80 ? columns - 80 : 0;
    unsigned peer = more < 26 ? more : 26;

    w.peer += peer;
    more -= peer;
    w.process += more < 4 ? more : 4;
    return w;
}

static void put_trouble(struct ho_text *out, const struct ho_outlook *o)
{
    static const char *const shorts[] = {
        [HO_TROUBLE_CONNECTING] = "connect",     [HO_TROUBLE_ACCEPTING] = "accept",
        [HO_TROUBLE_RETRANSMITTING] = "retrans", [HO_TROUBLE_PROBING] = "probe",
        [HO_TROUBLE_WINDOW_PROBING] = "window",  [HO_TROUBLE_CLOSING] = "closing",
    };

    if (o->trouble == HO_TROUBLE_NONE) {
        return;
    }
    ho_text_put(out, shorts[o->trouble]);
    if (o->attempt > 0) {
        ho_text_printf(out, " %ux", (unsigned)o->attempt);
    }
    if (o->since_ns >= 0) {
        ho_text_char(out, ' ');
        ho_watch_put_short(out, o->since_ns);
    }
}

static unsigned style_of(const struct ho_outlook *o)
{
    if (o->trouble != HO_TROUBLE_NONE && o->trouble != HO_TROUBLE_CLOSING) {
        return HO_STYLE_BAD;
    }
    return o->idle.kind == HO_OUTLOOK_NEVER  ? HO_STYLE_WARN
           : o->idle.kind == HO_OUTLOOK_NONE ? HO_STYLE_DIM
                                             : HO_STYLE_PLAIN;
}

static const char *name_of(const struct ho_diagnosis *d, const struct ho_conn *c)
{
    return c->owner == HO_CONN_NO_OWNER                ? (c->orphan ? "(orphan)" : "(unknown)")
           : d->scan->owners[c->owner].name[0] == '\0' ? "(unknown)"
                                                       : d->scan->owners[c->owner].name;
}

static void put_row(struct canvas *cv, unsigned row, const struct ho_diagnosis *d, size_t i,
                    bool chosen)
{
    const struct ho_conn *c = &d->scan->conns[i];
    const struct ho_outlook *o = &d->conns[i].outlook;
    struct widths w = widths_for(cv->columns);
    struct ho_text line = { 0 }, part = { 0 };

    ho_utf8_pad(&line, name_of(d, c), w.process, cv->ascii);
    ho_text_char(&line, ' ');
    ho_watch_put_end(&part, &c->remote, c->rport);
    put_right_part(&line, ho_text_str(&part), w.peer);
    ho_text_char(&line, ' ');
    ho_text_pad(&line, ho_tcp_state_ss((enum ho_tcp_state)c->state), w.state);
    for (int k = 0; k < 2; k++) {
        ho_text_clear(&part);
        put_answer(&part, k == 0 ? &o->idle : &o->busy);
        ho_text_char(&line, ' ');
        ho_text_pad(&line, ho_text_str(&part), w.verdict);
    }
    ho_text_char(&line, ' ');
    put_trouble(&line, o);
    ho_text_end_part(&line, &part);
    put_line(cv, row, &line, style_of(o) | (chosen ? HO_STYLE_CHOSEN : 0), chosen);
    ho_text_free(&line);
}

/* ---- the head -------------------------------------------------------------------------------- */

/* `left`, and `right` at the screen's edge if there is room for it. */
static void put_both(struct canvas *c, unsigned row, struct ho_text *left, const char *right,
                     unsigned style)
{
    size_t have = ho_text_width(ho_text_str(left)), want = strlen(right);

    if (have + want + 1 <= c->columns) {
        ho_text_repeat(left, " ", (unsigned)(c->columns - have - want));
        ho_text_put(left, right);
    }
    put_line(c, row, left, style, false);
}

static void put_title(struct canvas *c, const struct ho_diagnosis *d,
                      const struct ho_watch_head *head)
{
    struct ho_text t = { 0 };

    ho_text_printf(&t, "%zu connection%s: %zu in trouble, %zu never notice while idle",
                   d->scan->n_conns, d->scan->n_conns == 1 ? "" : "s", d->in_trouble,
                   d->never_idle);
    if (d->unknown_idle > 0) {
        ho_text_printf(&t, ", %zu unknown", d->unknown_idle);
    }
    put_both(c, 0, &t, head->clock, HO_STYLE_TITLE);
    ho_text_free(&t);
}

static void put_status(struct canvas *c, const struct ho_watch_view *v,
                       const struct ho_diagnosis *d, const struct ho_watch_head *head)
{
    struct ho_text t = { 0 };
    unsigned style = HO_STYLE_PLAIN;

    if (v->editing) {
        ho_text_put(&t, "filter: ");
        ho_utf8_put(&t, v->filter, HO_WATCH_FILTER_MAX, c->ascii);
        ho_text_put(&t, "_   Enter keeps it, Esc drops it");
    } else if (head->error != NULL) {
        ho_text_put(&t, head->error);
        style = HO_STYLE_BAD;
    } else {
        ho_text_printf(&t, "sort: %s", ho_watch_sort_word(v->sort));
        if (v->filter[0] != '\0') {
            ho_text_put(&t, "   filter: ");
            ho_utf8_put(&t, v->filter, HO_WATCH_FILTER_MAX, c->ascii);
        }
        ho_text_put(&t, v->trouble_only ? "   trouble only" : "");
        if (v->n_order != d->scan->n_conns) {
            ho_text_printf(&t, "   %zu shown", v->n_order);
        }
        if (d->scan->n_unreadable > 0) {
            ho_text_printf(&t, "   options of %zu not readable", d->scan->n_unreadable);
        }
        ho_text_put(&t, "   every ");
        ho_watch_put_short(&t, head->interval.ns);
    }
    put_line(c, 1, &t, style, false);
    ho_text_free(&t);
}

static void put_columns(struct canvas *c)
{
    struct widths w = widths_for(c->columns);
    struct ho_text t = { 0 };

    ho_text_pad(&t, "PROCESS", w.process + 1);
    ho_text_pad(&t, "PEER", w.peer + 1);
    ho_text_pad(&t, "STATE", w.state + 1);
    ho_text_pad(&t, "IDLE", w.verdict + 1);
    ho_text_pad(&t, "BUSY", w.verdict + 1);
    ho_text_put(&t, "TROUBLE NOW");
    put_line(c, 2, &t, HO_STYLE_HEAD, true);
    ho_text_free(&t);
}

/* ---- one connection in full ------------------------------------------------------------------ */

static void put_who(struct ho_text *out, const struct ho_diagnosis *d, const struct ho_conn *c)
{
    const struct ho_conn_owner *o =
        c->owner != HO_CONN_NO_OWNER ? &d->scan->owners[c->owner] : NULL;

    ho_text_plain(out, name_of(d, c));
    if (o != NULL && o->pid > 0) {
        ho_text_printf(out, " (pid %d", (int)o->pid);
        if (o->container[0] != '\0') {
            ho_text_put(out, ", ");
            ho_text_plain(out, o->container);
        }
        ho_text_char(out, ')');
    }
    ho_text_char(out, ' ');
    ho_watch_put_end(out, &c->local, c->lport);
    ho_text_put(out, " - ");
    ho_watch_put_end(out, &c->remote, c->rport);
    ho_text_printf(out, " %s", ho_tcp_state_name((enum ho_tcp_state)c->state));
}

static void put_findings(struct ho_text *out, const struct ho_diagnosis_conn *dc)
{
    for (size_t i = 0; i < dc->n_findings; i++) {
        const struct ho_finding_info *info = ho_finding_info(dc->findings[i].id);

        ho_text_printf(out, "%s%s %s", i > 0 ? "; " : "", info->id, info->title);
    }
}

static void put_details(struct canvas *cv, unsigned row, const struct ho_diagnosis *d, size_t i)
{
    const struct ho_conn *c = &d->scan->conns[i];
    const struct ho_conn_host *h = &d->scan->hosts[c->host];
    const struct ho_diagnosis_conn *dc = &d->conns[i];
    struct ho_text t = { 0 };

    put_who(&t, d, c);
    put_line(cv, row, &t, HO_STYLE_TITLE, false);
    ho_text_put(&t, "  idle  ");
    ho_outlook_put_idle(&t, &dc->outlook, c, h);
    put_line(cv, row + 1, &t, HO_STYLE_PLAIN, false);
    ho_text_put(&t, "  busy  ");
    ho_outlook_put_busy(&t, &dc->outlook, c, h);
    put_line(cv, row + 2, &t, HO_STYLE_PLAIN, false);
    if (dc->outlook.trouble != HO_TROUBLE_NONE) {
        ho_text_put(&t, "  now   ");
        ho_outlook_put_trouble(&t, &dc->outlook);
        put_line(cv, row + 3, &t, HO_STYLE_BAD, false);
    } else if (dc->n_findings > 0) {
        ho_text_put(&t, "  ");
        put_findings(&t, dc);
        put_line(cv, row + 3, &t, HO_STYLE_PLAIN, false);
    }
    ho_text_free(&t);
}

/* ---- events and help ------------------------------------------------------------------------- */

void ho_watch_log_add(struct ho_watch_log *log, const struct ho_watch_track *t, const char *clock)
{
    for (size_t i = 0; i < t->n_events; i++) {
        const struct ho_watch_event *e = &t->events[i];

        if (e->change == HO_WATCH_TROUBLE || e->change == HO_WATCH_RECOVERED ||
            e->change == HO_WATCH_GAVE_UP || e->change == HO_WATCH_ENDED) {
            size_t at = log->n++ % HO_WATCH_LOG;

            log->lines[at].event = *e;
            (void)strncpy(log->lines[at].clock, clock, sizeof(log->lines[at].clock) - 1);
            log->lines[at].clock[sizeof(log->lines[at].clock) - 1] = '\0';
        }
    }
}

/* The event that was the `back`-th before the newest. Whether there is one. */
static bool put_event(struct canvas *c, unsigned row, const struct ho_watch_log *log, size_t back)
{
    struct ho_text t = { 0 };

    if (back >= log->n || back >= HO_WATCH_LOG) {
        return false;
    }
    size_t at = (log->n - 1 - back) % HO_WATCH_LOG;
    const struct ho_watch_event *e = &log->lines[at].event;

    ho_text_printf(&t, "%s ", log->lines[at].clock);
    ho_watch_put_event(&t, e);
    put_line(c, row, &t,
             e->change == HO_WATCH_GAVE_UP || e->change == HO_WATCH_TROUBLE ? HO_STYLE_BAD
                                                                            : HO_STYLE_PLAIN,
             false);
    ho_text_free(&t);
    return true;
}

static void draw_events(struct canvas *c, struct ho_watch_view *v, const struct ho_watch_log *log)
{
    unsigned rows = c->lines->rows;
    unsigned room = rows > 4 ? rows - 4 : 1;
    size_t kept = log->n < HO_WATCH_LOG ? log->n : HO_WATCH_LOG;
    struct ho_text t = { 0 };

    if (v->events_top + room > kept) {
        v->events_top = kept > room ? kept - room : 0;
    }
    ho_text_put(&t, log->n == 0 ? "nothing has happened yet" : "what happened, the newest last");
    put_line(c, 2, &t, HO_STYLE_HEAD, true);
    for (unsigned i = 0; i < room; i++) {
        size_t shown = kept < room ? kept : room;

        if (i < shown) {
            (void)put_event(c, 3 + i, log, v->events_top + shown - 1 - i);
        }
    }
    ho_text_free(&t);
}

static void draw_help(struct canvas *c)
{
    static const char *const help[] = {
        "IDLE     the peer is gone and nothing is sent: how long until this side",
        "         notices, at the latest. never: it does not (no keepalive).",
        "BUSY     the same with data in flight.",
        "unknown  a setting cannot be read:",
        ("         " HO_CONN_NEEDS "."),
        "TROUBLE  what it is doing about a peer that does not answer: retrans, probe",
        "         (keepalive), window, connect, accept, closing; 6x: the sixth time;",
        "         then for how long.",
        "",
        "q              quit, or back to the table",
        "arrows, page   move; home and end, too. The line's connection in full is below",
        "s              sort by trouble, idle, busy, process, peer",
        "f or /         filter: a part of a name, an address, :port, a state",
        "t              only what is in trouble",
        "e              what happened: trouble, recoveries, ends",
        "h or ?         this",
        "Esc            no filter",
    };
    struct ho_text t = { 0 };

    put_line(c, 2, &t, HO_STYLE_HEAD, true);
    for (unsigned i = 0; i < sizeof(help) / sizeof(help[0]) && i + 4 < c->lines->rows; i++) {
        ho_text_put(&t, help[i]);
        put_line(c, 3 + i, &t, HO_STYLE_PLAIN, false);
    }
    ho_text_free(&t);
}

static void put_keys(struct canvas *c)
{
    struct ho_text t = { 0 };

    ho_text_put(&t, "q quit  arrows move  s sort  f filter  t trouble only  e events  h help");
    put_line(c, c->lines->rows - 1, &t, HO_STYLE_DIM, false);
    ho_text_free(&t);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void note_chosen(struct ho_watch_view *v, const struct ho_diagnosis *d)
{
    v->has_chosen = v->cursor < v->n_order;
    if (v->has_chosen) {
        const struct ho_conn *c = &d->scan->conns[v->order[v->cursor]];

        v->chosen = (struct ho_watch_conn){ .netns = d->scan->hosts[c->host].netns,
                                            .local = c->local,
                                            .remote = c->remote,
                                            .lport = c->lport,
                                            .rport = c->rport };
    }
}

static void draw_table(struct canvas *c, struct ho_watch_view *v, const struct ho_diagnosis *d,
                       const struct ho_watch_log *log)
{
    unsigned rows = c->lines->rows;
    unsigned details = rows >= DETAILS_FROM ? DETAILS : 0;
    unsigned room = rows > FIXED + details ? rows - FIXED - details : 1;
    struct ho_text t = { 0 };

    note_chosen(v, d);
    if (v->cursor < v->top) {
        v->top = v->cursor;
    } else if (v->cursor >= v->top + room) {
        v->top = v->cursor - room + 1;
    }
    if (v->top + room > v->n_order) {
        v->top = v->n_order > room ? v->n_order - room : 0;
    }
    put_columns(c);
    for (unsigned i = 0; i < room && v->top + i < v->n_order; i++) {
        put_row(c, 3 + i, d, v->order[v->top + i], v->top + i == v->cursor);
    }
    if (v->n_order == 0) {
        ho_text_put(&t, d->scan->n_conns == 0 ? "no TCP connections"
                        : v->trouble_only     ? "none in trouble"
                                              : "none that the filter lets through");
        put_line(c, 3, &t, HO_STYLE_DIM, false);
    }
    if (details > 0 && v->has_chosen) {
        put_details(c, rows - 1 - DETAILS, d, v->order[v->cursor]);
    }
    if (rows > FIXED) {
        (void)put_event(c, rows - 2, log, 0);
    }
    ho_text_free(&t);
}

int ho_watch_draw(struct ho_watch_lines *ret, struct ho_watch_view *v, const struct ho_diagnosis *d,
                  const struct ho_watch_log *log, const struct ho_watch_head *head, unsigned rows,
                  unsigned columns)
{
    struct ho_watch_lines l = { .text = calloc(rows, sizeof(*l.text)),
                                .style = calloc(rows, 1),
                                .rows = rows };
    struct canvas c = { .lines = &l, .columns = columns, .ascii = v->ascii };
    int err = 0;

    if (l.text == NULL || l.style == NULL || rows == 0) {
        free(l.text);
        free(l.style);
        return -ENOMEM;
    }
    put_title(&c, d, head);
    put_status(&c, v, d, head);
    if (v->page == HO_WATCH_PAGE_EVENTS) {
        draw_events(&c, v, log);
    } else if (v->page == HO_WATCH_PAGE_HELP) {
        draw_help(&c);
    } else {
        draw_table(&c, v, d, log);
    }
    if (rows > 3) {
        put_keys(&c);
    }
    for (unsigned i = 0; i < rows && err == 0; i++) {
        err = ho_text_err(&l.text[i]);
    }
    if (err != 0) {
        ho_watch_lines_free(&l);
        return err;
    }
    *ret = l;
    return 0;
}

void ho_watch_lines_free(struct ho_watch_lines *l)
{
    for (unsigned i = 0; l->text != NULL && i < l->rows; i++) {
        ho_text_free(&l->text[i]);
    }
    free(l->text);
    free(l->style);
    *l = (struct ho_watch_lines){ 0 };
}
