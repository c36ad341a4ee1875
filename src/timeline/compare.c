/* Comparing two timelines. See timeline/compare.h; the table is compare_text.c. */

#include "timeline/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clk.h"
#include "timeline/group.h"
#include "timeline/view.h"

#define LOOK_AHEAD 24 /* records that may be missing on one or both sides before the next match */

/* A record of a stream. Entries are sorted by stream, then by place in the timeline. */
struct entry {
    size_t stream, index;
};

struct list {
    const struct ho_timeline *tl;
    struct entry *e;
    size_t n;
    int64_t since_ns;
};

struct compare {
    struct list a, b;
    struct ho_groups streams; /* (host, connection, kind) */
    struct ho_compare_opts opts;
    struct ho_comparison c;
};

static int entry_order(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;

    if (a->stream != b->stream) {
        return a->stream < b->stream ? -1 : 1;
    }
    return a->index < b->index ? -1 : a->index > b->index;
}

static int row_order(const void *pa, const void *pb)
{
    const struct ho_compare_row *a = pa, *b = pb;
    int64_t ta = a->a == NULL ? a->b_ns : a->a_ns;
    int64_t tb = b->a == NULL ? b->b_ns : b->a_ns;

    if (ta != tb) {
        return ta < tb ? -1 : 1;
    }
    /* Equal times: by place in a timeline, A's first. Never equal, so the order is one. */
    const struct ho_record *ra = a->a == NULL ? a->b : a->a;
    const struct ho_record *rb = b->a == NULL ? b->b : b->a;
    if ((a->a == NULL) != (b->a == NULL)) {
        return a->a == NULL ? 1 : -1;
    }
    return ra < rb ? -1 : ra > rb;
}

/* A socket's records tell every change; the story is its states. */
static bool is_told_before(const struct ho_timeline *tl, size_t at)
{
    const struct ho_record *r = &tl->rec[at];

    for (size_t i = at; i-- > 0;) {
        const struct ho_record *o = &tl->rec[i];

        if (o->kind == HO_REC_SOCK && strcmp(o->host, r->host) == 0 &&
            strcmp(o->conn, r->conn) == 0) {
            return strcmp(o->u.sock.state, r->u.sock.state) == 0;
        }
    }
    return strcmp(r->u.sock.state, "gone") == 0; /* it never was */
}

static bool is_compared(const struct compare *c, const struct ho_timeline *tl, size_t at)
{
    const struct ho_record *r = &tl->rec[at];

    if ((c->opts.kinds & HO_COMPARE_KIND(r->kind)) == 0) {
        return false;
    }
    if (r->kind == HO_REC_SOCK) {
        return r->conn[0] != '\0' && !is_told_before(tl, at);
    }
    return r->kind != HO_REC_APP || !r->u.app.enter;
}

static int collect(struct compare *c, struct list *l)
{
    int err = 0;

    l->e = calloc(l->tl->n + 1, sizeof(*l->e));
    if (l->e == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; err == 0 && i < l->tl->n; i++) {
        const struct ho_record *r = &l->tl->rec[i];

        if (is_compared(c, l->tl, i)) {
            struct entry *e = &l->e[l->n++];

            e->index = i;
            err = ho_groups_of(&c->streams, r->host, r->conn, ho_rec_kind_text(r), &e->stream);
        }
    }
    qsort(l->e, l->n, sizeof(*l->e), entry_order);
    return err;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool same_seg(const struct ho_rec_seg *a, const struct ho_rec_seg *b)
{
    return a->flags == b->flags && a->seq == b->seq && a->len == b->len && a->fate == b->fate &&
           ((a->flags & HO_TCP_ACK) == 0 || a->ack == b->ack) && same_text(a->to, b->to);
}

static bool same_app(const struct ho_rec_app *a, const struct ho_rec_app *b)
{
    return same_text(a->call, b->call) && same_text(a->detail, b->detail) &&
           same_text(a->err, b->err) && a->ret == b->ret && a->has_events == b->has_events &&
           a->events == b->events;
}

/* Two records of one stream. */
static bool same_record(const struct ho_record *a, const struct ho_record *b)
{
    switch (a->kind) {
    case HO_REC_SEG:
        return same_seg(&a->u.seg, &b->u.seg);
    case HO_REC_ND:
        return a->u.nd.answer == b->u.nd.answer && a->u.nd.multicast == b->u.nd.multicast &&
               ho_addr_eq(&a->u.nd.target, &b->u.nd.target) && a->u.nd.fate == b->u.nd.fate;
    case HO_REC_ICMP:
        return a->u.icmp.type == b->u.icmp.type && a->u.icmp.code == b->u.icmp.code &&
               same_text(a->u.icmp.to, b->u.icmp.to) && a->u.icmp.fate == b->u.icmp.fate;
    case HO_REC_APP:
        return same_app(&a->u.app, &b->u.app);
    case HO_REC_SOCK:
        return same_text(a->u.sock.state, b->u.sock.state);
    case HO_REC_NEIGH:
        return ho_addr_eq(&a->u.neigh.addr, &b->u.neigh.addr) &&
               same_text(a->u.neigh.state, b->u.neigh.state);
    case HO_REC_NOTE:
        return same_text(a->u.note.text, b->u.note.text);
    case HO_REC_FAULT:
        return same_text(a->u.fault.verb, b->u.fault.verb) &&
               same_text(a->u.fault.what, b->u.fault.what);
    case HO_REC_SETTINGS:
        return same_text(a->u.settings.name, b->u.settings.name) &&
               same_text(a->u.settings.text, b->u.settings.text) &&
               a->u.settings.value == b->u.settings.value;
    case HO_REC_COUNT:
        break;
    }
    return false;
}

bool ho_compare_same(const struct ho_record *a, const struct ho_record *b)
{
    return a->kind == b->kind && same_text(a->host, b->host) && same_text(a->conn, b->conn) &&
           same_record(a, b);
}

static const struct ho_record *record_of(const struct list *l, size_t i)
{
    return &l->tl->rec[l->e[i].index];
}

/* There is room for a row an entry of either list. */
static void add_row(struct compare *c, const struct ho_record *a, const struct ho_record *b)
{
    struct ho_compare_row *r = &c->c.row[c->c.n++];

    *r = (struct ho_compare_row){ .a = a, .b = b };
    r->a_ns = a == NULL ? 0 : a->t.ns - c->a.since_ns;
    r->b_ns = b == NULL ? 0 : b->t.ns - c->b.since_ns;
    if (a == NULL || b == NULL) {
        r->status = a == NULL ? HO_COMPARE_ONLY_B : HO_COMPARE_ONLY_A;
    } else {
        r->status = same_record(a, b) ? HO_COMPARE_SAME : HO_COMPARE_OTHER;
        r->apart_ns = r->b_ns - r->a_ns;
    }
}

/* The next pair that agrees, at least `*ret_x` and `*ret_y` records on; false if none is near. */
static bool find_match(const struct compare *c, size_t i, size_t i_end, size_t j, size_t j_end,
                       size_t *ret_x, size_t *ret_y)
{
    for (size_t d = 1; d <= LOOK_AHEAD; d++) {
        for (size_t x = 0; x <= d; x++) {
            size_t y = d - x;

            if (i + x < i_end && j + y < j_end &&
                same_record(record_of(&c->a, i + x), record_of(&c->b, j + y))) {
                *ret_x = x;
                *ret_y = y;
                return true;
            }
        }
    }
    return false;
}

/* What lies before a match, or before the end: pairs that differ, then what has no partner. */
static void add_unmatched(struct compare *c, size_t i, size_t x, size_t j, size_t y)
{
    size_t pairs = x < y ? x : y;

    for (size_t k = 0; k < x || k < y; k++) {
        bool both = k < pairs;

        add_row(c, k < x ? record_of(&c->a, i + k) : NULL,
                both || (k < y && k >= x) ? record_of(&c->b, j + k) : NULL);
    }
}

static void walk_stream(struct compare *c, size_t i, size_t i_end, size_t j, size_t j_end)
{
    while (i < i_end && j < j_end) {
        size_t x = 0, y = 0;

        if (!same_record(record_of(&c->a, i), record_of(&c->b, j)) &&
            !find_match(c, i, i_end, j, j_end, &x, &y)) {
            x = 1; /* nothing near agrees: these two are each other's difference */
            y = 1;
        }
        add_unmatched(c, i, x, j, y);
        i += x;
        j += y;
        if (x == 0 && y == 0) {
            add_row(c, record_of(&c->a, i++), record_of(&c->b, j++));
        }
    }
    add_unmatched(c, i, i_end - i, j, j_end - j);
}

static size_t stream_end(const struct list *l, size_t i, size_t stream)
{
    while (i < l->n && l->e[i].stream == stream) {
        i++;
    }
    return i;
}

static void walk_streams(struct compare *c)
{
    size_t i = 0, j = 0;

    for (size_t s = 0; s < c->streams.n; s++) {
        size_t i_end = stream_end(&c->a, i, s);
        size_t j_end = stream_end(&c->b, j, s);

        walk_stream(c, i, i_end, j, j_end);
        i = i_end;
        j = j_end;
    }
}

/* Takes from each pair's difference that of the pair before it on the same host. */
static int rebase(struct compare *c)
{
    struct ho_groups hosts = { 0 };
    int64_t *before = calloc(c->streams.n + 1, sizeof(*before));
    int err = before == NULL ? -ENOMEM : 0;

    for (size_t k = 0; err == 0 && k < c->c.n; k++) {
        struct ho_compare_row *r = &c->c.row[k];
        size_t host = 0;

        if (r->status == HO_COMPARE_SAME) {
            err = ho_groups_of(&hosts, r->a->host, "", "", &host);
            int64_t apart = r->apart_ns;

            r->apart_ns = apart - before[host];
            before[host] = apart;
        }
    }
    free(before);
    ho_groups_free(&hosts);
    return err;
}

static int64_t size_of(int64_t ns)
{
    return ns < 0 ? -ns : ns;
}

/* How long ago the host's record before row `k` was that had a partner: what a timer that made the
 * row can have been set for.
 */
static int64_t waited(const struct ho_comparison *c, size_t k)
{
    for (size_t i = k; i-- > 0;) {
        const struct ho_compare_row *r = &c->row[i];

        if (r->a != NULL && r->b != NULL && same_text(r->a->host, c->row[k].a->host)) {
            return c->row[k].a_ns - r->a_ns;
        }
    }
    return 0;
}

/* The time that the socket of row `k` had its last timer set for; 0 if it had none. */
static int64_t armed(const struct compare *c, size_t k)
{
    const struct ho_record *r = c->c.row[k].a;

    for (const struct ho_record *o = r; o-- > c->a.tl->rec;) {
        if (o->kind == HO_REC_SOCK && o->u.sock.timer != HO_SOCK_TIMER_OFF &&
            same_text(o->host, r->host) && same_text(o->conn, r->conn)) {
            return o->u.sock.expires.ns;
        }
    }
    return 0;
}

/* Whether the wheel can have put row `k`, which is beyond the tolerance, where it is. */
static bool is_step(const struct compare *c, size_t k)
{
    const struct ho_clk clk = { .hz = c->opts.wheel_hz };
    int64_t longest = waited(&c->c, k), timer = armed(c, k);

    longest = timer > longest ? timer : longest;
    uint64_t step = ho_wheel_step(ho_clk_dur_jiffies(&clk, ho_ns(longest > 0 ? longest : 0)));

    return size_of(c->c.row[k].apart_ns) <=
           c->opts.tolerance.ns + ho_clk_jiffies_dur(&clk, step).ns;
}

/* A state that only one of them has, since it lasted less than the tolerance: a look at the socket
 * can miss it.
 */
static bool is_missed_state(const struct compare *c, const struct ho_compare_row *row)
{
    const struct ho_timeline *tl = row->a != NULL ? c->a.tl : c->b.tl;
    const struct ho_record *r = row->a != NULL ? row->a : row->b;

    if ((row->a != NULL && row->b != NULL) || r->kind != HO_REC_SOCK) {
        return false;
    }
    for (const struct ho_record *o = r + 1; o < tl->rec + tl->n; o++) {
        if (o->kind == HO_REC_SOCK && same_text(o->host, r->host) && same_text(o->conn, r->conn) &&
            !same_text(o->u.sock.state, r->u.sock.state)) {
            return o->t.ns - r->t.ns <= c->opts.tolerance.ns;
        }
    }
    return false;
}

static void judge_row(struct compare *c, size_t k)
{
    struct ho_comparison *r = &c->c;
    struct ho_compare_row *row = &r->row[k];

    if (c->opts.wheel_hz > 0 && is_missed_state(c, row)) {
        row->status = HO_COMPARE_SAME;
    }

    if (row->status == HO_COMPARE_SAME && c->opts.wheel_hz > 0 &&
        size_of(row->b_ns - row->a_ns) < size_of(row->apart_ns)) {
        row->apart_ns = row->b_ns - row->a_ns;
    }
    int64_t apart = size_of(row->apart_ns);

    if (row->status == HO_COMPARE_SAME && apart > c->opts.tolerance.ns) {
        row->status = c->opts.wheel_hz > 0 && is_step(c, k) ? HO_COMPARE_STEP : HO_COMPARE_TIME;
    }
    if (row->status == HO_COMPARE_STEP) {
        r->steps++;
        r->worst_step_ns = apart > r->worst_step_ns ? apart : r->worst_step_ns;
    } else if (row->status == HO_COMPARE_SAME || row->status == HO_COMPARE_TIME) {
        r->same += row->status == HO_COMPARE_SAME;
        r->worst_ns = apart > r->worst_ns ? apart : r->worst_ns;
    }
    if (row->status > HO_COMPARE_STEP && r->first == r->n) {
        r->first = k;
    }
}

static void judge(struct compare *c)
{
    c->c.first = c->c.n;
    for (size_t k = 0; k < c->c.n; k++) {
        judge_row(c, k);
    }
}

static int align(struct list *l, const char *fault)
{
    size_t at = 0;
    int err = ho_view_fault(l->tl, fault, &at);

    if (err == 0) {
        l->since_ns = l->tl->rec[at].t.ns;
    }
    return fault == NULL ? 0 : err;
}

int ho_compare(const struct ho_timeline *a, const struct ho_timeline *b,
               const struct ho_compare_opts *opts, struct ho_comparison *ret)
{
    struct compare c = { .a = { .tl = a }, .b = { .tl = b }, .opts = *opts };
    int err = align(&c.a, opts->fault);

    c.opts.kinds = opts->kinds == 0 ? HO_COMPARE_DEFAULT : opts->kinds;
    err = err == 0 ? align(&c.b, opts->fault) : err;
    err = err == 0 ? collect(&c, &c.a) : err;
    err = err == 0 ? collect(&c, &c.b) : err;
    if (err == 0) {
        c.c.row = calloc(c.a.n + c.b.n + 1, sizeof(*c.c.row));
        err = c.c.row == NULL ? -ENOMEM : 0;
    }
    if (err == 0) {
        walk_streams(&c);
        qsort(c.c.row, c.c.n, sizeof(*c.c.row), row_order);
        err = opts->by_interval ? rebase(&c) : 0;
    }
    free(c.a.e);
    free(c.b.e);
    ho_groups_free(&c.streams);
    if (err != 0) {
        free(c.c.row);
        return err;
    }
    judge(&c);
    *ret = c.c;
    return 0;
}

void ho_comparison_free(struct ho_comparison *c)
{
    if (c != NULL) {
        free(c->row);
        *c = (struct ho_comparison){ 0 };
    }
}
