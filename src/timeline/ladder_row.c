/* From records to a ladder's rows: which records are shown, in which words, and what stands in one
 * row. A text at a side joins the row before it if that shows the same instant: the sending of a
 * frame at its sender's side, its arrival at the receiver's.
 */

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/group.h"
#include "timeline/ladder_row.h"
#include "timeline/mark.h"
#include "timeline/view.h"

#define POLLIN 0x1u
#define POLLOUT 0x4u
#define BURST_NS (INT64_C(50) * 1000000) /* longer rows of segments are several bursts */

struct states {
    struct ho_groups ends; /* (host, process, connection) */
    const char **shown;    /* the last state that was shown of each */
    size_t room;
};

struct ladder_row *ladder_add(struct ladder *l, struct ho_time t, enum ladder_kind kind)
{
    if (l->n == l->room) {
        size_t room = l->room == 0 ? 64 : l->room * 2;
        struct ladder_row *row = realloc(l->row, room * sizeof(*row));

        if (row == NULL) {
            l->err = -ENOMEM;
            return NULL;
        }
        l->row = row;
        l->room = room;
    }
    assert(l->row != NULL);
    struct ladder_row *r = &l->row[l->n++];
    *r = (struct ladder_row){ .t = t, .arrival = HO_NEVER, .kind = kind };
    return r;
}

static int side_index(const struct ladder *l, const char *host)
{
    return strcmp(host, l->host[0]) == 0 ? 0 : strcmp(host, l->host[1]) == 0 ? 1 : -1;
}

/* Whether a text at `t` on that side belongs into row `r`, the last one. */
static bool joins(const struct ladder_row *r, struct ho_time t, int side)
{
    if (r->kind != LADDER_SIDE && r->kind != LADDER_ARROW) {
        return false;
    }
    bool receiver = r->kind == LADDER_ARROW && (side == 0) != r->from_left;

    return receiver ? t.ns == r->arrival.ns : t.ns == r->t.ns;
}

/* Puts `text` at a side, in the last row if it belongs there. */
static void put_side(struct ladder *l, struct ho_time t, int side, const char *text, bool error)
{
    struct ladder_row *r = l->n == 0 ? NULL : &l->row[l->n - 1];

    if (side < 0) {
        return;
    }
    if (r == NULL || !joins(r, t, side)) {
        r = ladder_add(l, t, LADDER_SIDE);
        if (r == NULL) {
            return;
        }
    }
    size_t before = r->side[side];
    size_t at = l->texts.len;

    if (before != 0) {
        struct ho_text old = { 0 };

        ho_text_put(&old, ho_text_str(&l->texts) + before);
        ho_text_put(&l->texts, ho_text_str(&old));
        ho_text_put(&l->texts, "; ");
        ho_text_end_part(&l->texts, &old);
    }
    ho_text_put(&l->texts, text);
    ho_text_char(&l->texts, '\0');
    r->side[side] = at;
    r->error[side] = r->error[side] || error;
}

static void seg_label(struct ladder *l, char *label, const struct ho_record *rec, bool several)
{
    const struct ho_rec_seg *s = &rec->u.seg;
    struct ho_text t = { 0 };

    if (several) {
        ho_text_put(&t, rec->conn);
        ho_text_put(&t, ": ");
    }
    if (s->len > 0) {
        ho_text_printf(&t, "%" PRIu32 " byte%s from %" PRIu32, s->len, s->len == 1 ? "" : "s",
                       s->seq);
    }
    const char *comma = s->len > 0 ? ", " : "";
    if ((s->flags & HO_TCP_SYN) != 0) {
        ho_text_put(&t, comma);
        ho_text_put(&t, (s->flags & HO_TCP_ACK) != 0 ? "SYN, ACK" : "SYN");
    } else if ((s->flags & HO_TCP_RST) != 0) {
        ho_text_put(&t, comma);
        ho_text_put(&t, (s->flags & HO_TCP_ACK) != 0 ? "RST, ACK" : "RST");
    } else if ((s->flags & HO_TCP_FIN) != 0) {
        ho_text_put(&t, comma);
        ho_text_printf(&t, "FIN, ACK %" PRIu32, s->ack);
    } else if (s->len == 0) {
        ho_text_printf(&t, "ACK %" PRIu32, s->ack);
    }
    if (s->window == 0 && (s->flags & HO_TCP_RST) == 0) {
        ho_text_put(&t, ", window 0");
    }
    if (s->n_sack > 0) {
        ho_text_printf(&t, ", SACK %" PRIu32 "-%" PRIu32, s->sack[0].from, s->sack[0].to);
    }
    snprintf(label, LADDER_LABEL, "%s", ho_text_str(&t));
    ho_text_end_part(&l->texts, &t);
}

/* A frame as an arrow; NULL if it is not between the two hosts. */
static struct ladder_row *put_arrow(struct ladder *l, const struct ho_record *rec, const char *to)
{
    int from = side_index(l, rec->host);
    int other = to[0] == '\0' ? 1 - from : side_index(l, to);

    if (from < 0 || other < 0 || from == other) {
        return NULL;
    }
    struct ladder_row *last = l->n == 0 ? NULL : &l->row[l->n - 1];
    struct ladder_row *r = NULL;

    /* A call of this instant that made the frame stands in the frame's row. */
    if (last != NULL && last->kind == LADDER_SIDE && last->t.ns == rec->t.ns &&
        last->side[1 - from] == 0) {
        r = last;
        r->kind = LADDER_ARROW;
    } else {
        r = ladder_add(l, rec->t, LADDER_ARROW);
    }
    if (r != NULL) {
        r->arrival = ho_view_arrival(rec);
        r->from_left = from == 0;
        r->lost = ho_view_fate(rec) != HO_FATE_FWD;
        r->no_carrier = ho_view_fate(rec) == HO_FATE_NO_CARRIER;
    }
    return r;
}

/* Data or an ACK with nothing to point out, which may share a row with others of a burst. */
static bool is_plain(const struct ho_rec_seg *s, const struct ho_mark *mark)
{
    return mark->kind == HO_MARK_NONE && s->n_sack == 0 && s->window != 0 &&
           (s->flags & (HO_TCP_SYN | HO_TCP_FIN | HO_TCP_RST)) == 0;
}

/* Whether the last row shows the segments that this one follows in a burst; then it does as well.
 */
static bool joins_burst(struct ladder *l, const struct ho_record *rec, bool several)
{
    const struct ho_rec_seg *s = &rec->u.seg;
    struct ladder_row *r = l->n == 0 ? NULL : &l->row[l->n - 1];

    if (r == NULL || l->opts.unfolded || several || r->kind != LADDER_ARROW || r->times == 0 ||
        r->side[0] != 0 || r->side[1] != 0 || side_index(l, rec->host) != (r->from_left ? 0 : 1) ||
        r->lost != (s->fate != HO_FATE_FWD) || r->no_carrier != (s->fate == HO_FATE_NO_CARRIER) ||
        rec->t.ns - r->t.ns > BURST_NS || (s->len > 0) != (r->next != r->seq) ||
        (s->len > 0 && s->seq != r->next)) {
        return false;
    }
    r->times++;
    r->next = s->seq + s->len;
    r->seq = s->len > 0 ? r->seq : r->next;
    r->ack = s->ack;
    if (s->len > 0) {
        snprintf(r->label, sizeof(r->label), "%" PRIu32 " bytes from %" PRIu32 " (%" PRIu32 "x)",
                 r->next - r->seq, r->seq, r->times);
    } else {
        snprintf(r->label, sizeof(r->label), "ACK %" PRIu32 " (%" PRIu32 "x)", r->ack, r->times);
    }
    r->arrival = ho_view_arrival(rec);
    return true;
}

static void on_seg(struct ladder *l, const struct ho_record *rec, const struct ho_mark *mark,
                   bool several)
{
    bool plain = is_plain(&rec->u.seg, mark);

    if (plain && joins_burst(l, rec, several)) {
        return;
    }
    struct ladder_row *r = put_arrow(l, rec, rec->u.seg.to);
    if (r == NULL) {
        return;
    }
    if (plain) {
        r->times = 1;
        r->seq = rec->u.seg.seq;
        r->next = r->seq + rec->u.seg.len;
    }
    seg_label(l, r->label, rec, several);
    r->sign = (uint32_t)mark->kind * 31 + rec->u.seg.flags;
    if (mark->kind != HO_MARK_NONE) {
        struct ho_text words = { 0 };

        ho_mark_put(&words, mark);
        put_side(l, rec->t, r->from_left ? 0 : 1, ho_text_str(&words), false);
        ho_text_end_part(&l->texts, &words);
    }
}

static void on_nd(struct ladder *l, const struct ho_record *rec)
{
    char addr[HO_ADDR_TEXT];
    struct ladder_row *r = put_arrow(l, rec, rec->u.nd.to);

    if (r != NULL) {
        ho_addr_text(&rec->u.nd.target, addr);
        snprintf(r->label, sizeof(r->label), rec->u.nd.answer ? "%s %s is here" : "%s who has %s?",
                 ho_rec_kind_text(rec), addr);
    }
}

static void on_icmp(struct ladder *l, const struct ho_record *rec)
{
    struct ladder_row *r;
    char text[96];

    if (strcmp(rec->u.icmp.to, rec->host) == 0) {
        snprintf(text, sizeof(text), "ICMP %s to itself", rec->u.icmp.what);
        put_side(l, rec->t, side_index(l, rec->host), text, false);
        return;
    }
    r = put_arrow(l, rec, rec->u.icmp.to);
    if (r != NULL) {
        snprintf(r->label, sizeof(r->label), "ICMP %s", rec->u.icmp.what);
    }
}

/* Calls whose success tells nothing about the connection. */
static bool is_dull(const struct ho_rec_app *a)
{
    static const char *const calls[] = { "socket",      "bind",         "listen",    "setsockopt",
                                         "getsockname", "epoll_create", "epoll_ctl", "status" };

    if (a->enter || strcmp(a->err, "EAGAIN") == 0 || strcmp(a->err, "EINPROGRESS") == 0) {
        return true;
    }
    if (a->finding || a->err[0] != '\0') {
        return false;
    }
    if (a->has_events) {
        return (a->events & ~(POLLIN | POLLOUT)) == 0;
    }
    if (strcmp(a->call, "recv") == 0 || strcmp(a->call, "read") == 0) {
        return a->ret > 0;
    }
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strcmp(a->call, calls[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void put_result(struct ho_text *t, const struct ho_rec_app *a)
{
    char word[HO_VIEW_WORD];
    bool reads = strcmp(a->call, "recv") == 0 || strcmp(a->call, "read") == 0;

    if (a->enter) {
        ho_text_put(t, " waits");
    } else if (a->err[0] != '\0') {
        ho_text_put(t, ": ");
        ho_text_put(t, a->err);
    } else if (a->has_events) {
        uint32_t more = a->events & ~(POLLIN | POLLOUT); /* which matters, and is shorter */

        ho_text_put(t, ": ");
        ho_text_put(t, ho_view_events(more != 0 ? more : a->events, word));
    } else if (reads && a->ret == 0) {
        ho_text_put(t, ": end of stream");
    } else if (a->has_asked && a->ret != a->asked) {
        ho_text_put(t, ": ");
        ho_text_int(t, a->ret);
    }
}

static void on_app(struct ladder *l, const struct ho_record *rec)
{
    const struct ho_rec_app *a = &rec->u.app;
    struct ho_text t = { 0 };

    if (!l->opts.all_calls && is_dull(a)) {
        return;
    }
    ho_text_put(&t, a->call);
    if (a->detail[0] != '\0') {
        ho_text_char(&t, ' ');
        ho_text_put(&t, a->detail);
    }
    if (a->has_asked && strcmp(a->call, "send") == 0) {
        ho_text_char(&t, ' ');
        ho_text_int(&t, a->asked);
    }
    put_result(&t, a);
    put_side(l, rec->t, side_index(l, rec->host), ho_text_str(&t), a->err[0] != '\0' || a->finding);
    ho_text_end_part(&l->texts, &t);
}

static int on_sock(struct ladder *l, const struct ho_record *rec, struct states *st)
{
    const struct ho_rec_sock *k = &rec->u.sock;
    char text[96];
    size_t i = 0;
    int err = ho_groups_of(&st->ends, rec->host, rec->process, rec->conn, &i);

    if (err != 0) {
        return err;
    }
    if (i >= st->room) {
        const char **shown = realloc(st->shown, (i + 1) * 2 * sizeof(*shown));

        if (shown == NULL) {
            return -ENOMEM;
        }
        for (size_t n = st->room; n < (i + 1) * 2; n++) {
            shown[n] = "";
        }
        st->shown = shown;
        st->room = (i + 1) * 2;
    }
    if (strcmp(st->shown[i], k->state) != 0) {
        snprintf(text, sizeof(text), "%s%s%s", k->state, k->err[0] != '\0' ? ", " : "", k->err);
        put_side(l, rec->t, side_index(l, rec->host), text, k->err[0] != '\0');
        st->shown[i] = k->state;
    }
    return 0;
}

static void on_band(struct ladder *l, const struct ho_record *rec)
{
    struct ladder_row *r = ladder_add(l, rec->t, LADDER_BAND);

    if (r == NULL) {
        return;
    }
    if (rec->kind == HO_REC_NOTE) {
        snprintf(r->label, sizeof(r->label), "%s", rec->u.note.text);
    } else {
        struct ho_text words = { 0 };

        ho_view_put_fault(&words, rec);
        snprintf(r->label, sizeof(r->label), "%s", ho_text_str(&words));
        ho_text_end_part(&l->texts, &words);
    }
}

/* What is not about one connection is shown with all of them. */
static bool is_shown(const struct ladder *l, const struct ho_record *rec)
{
    return l->opts.conn == NULL || rec->conn[0] == '\0' || strcmp(rec->conn, l->opts.conn) == 0;
}

static int make_row(struct ladder *l, size_t at, const struct ho_mark *mark, bool several,
                    struct states *st)
{
    const struct ho_record *rec = &l->tl->rec[at];
    char text[96];
    char addr[HO_ADDR_TEXT];

    switch (rec->kind) {
    case HO_REC_SEG:
        on_seg(l, rec, mark, several);
        break;
    case HO_REC_ND:
        on_nd(l, rec);
        break;
    case HO_REC_ICMP:
        on_icmp(l, rec);
        break;
    case HO_REC_APP:
        on_app(l, rec);
        break;
    case HO_REC_SOCK:
        return rec->conn[0] == '\0' ? 0 : on_sock(l, rec, st);
    case HO_REC_NEIGH:
        if (strcmp(rec->u.neigh.state, "FAILED") == 0) {
            snprintf(text, sizeof(text), "neighbour %s FAILED",
                     ho_addr_text(&rec->u.neigh.addr, addr));
            put_side(l, rec->t, side_index(l, rec->host), text, false);
        }
        break;
    case HO_REC_NOTE:
    case HO_REC_FAULT:
        on_band(l, rec);
        break;
    case HO_REC_SETTINGS:
    case HO_REC_COUNT:
        break;
    }
    return 0;
}

/* The last state of each side, for the diagram's foot. */
static void put_end(struct ladder *l)
{
    const char *state[2] = { "", "" };
    struct ladder_row *r;

    for (size_t i = 0; i < l->tl->n; i++) {
        const struct ho_record *rec = &l->tl->rec[i];
        int side = side_index(l, rec->host);

        if (rec->kind == HO_REC_SOCK && rec->conn[0] != '\0' && side >= 0 && is_shown(l, rec)) {
            state[side] = rec->u.sock.state;
        }
    }
    r = l->tl->n == 0 ? NULL : ladder_add(l, l->tl->rec[l->tl->n - 1].t, LADDER_END);
    for (int side = 0; r != NULL && side < 2; side++) {
        if (state[side][0] != '\0') {
            r->side[side] = l->texts.len;
            ho_text_put(&l->texts, state[side]);
            ho_text_char(&l->texts, '\0');
        }
    }
}

static bool is_about_a_connection(const struct ho_record *rec)
{
    return rec->conn[0] != '\0' &&
           (rec->kind == HO_REC_SEG || rec->kind == HO_REC_APP || rec->kind == HO_REC_SOCK);
}

/* Who connects stands left; the first other host of a connection right, else any other host. */
static int choose_hosts(struct ladder *l)
{
    const char *left = l->opts.left, *right = l->opts.right;

    for (size_t i = 0; i < l->tl->n && left == NULL; i++) {
        const struct ho_record *rec = &l->tl->rec[i];
        bool other = right != NULL && strcmp(rec->host, right) == 0;

        if (is_about_a_connection(rec) && is_shown(l, rec) && !other) {
            left = rec->host;
        }
    }
    for (int any = 0; any < 2; any++) {
        for (size_t i = 0; left != NULL && i < l->tl->n && right == NULL; i++) {
            const struct ho_record *rec = &l->tl->rec[i];

            if (rec->kind == HO_REC_SEG && strcmp(rec->host, left) == 0 && is_shown(l, rec)) {
                right = rec->u.seg.to;
            } else if (rec->host[0] != '\0' && strcmp(rec->host, left) != 0 && is_shown(l, rec) &&
                       (any == 1 || is_about_a_connection(rec))) {
                right = rec->host;
            }
        }
    }
    l->host[0] = left;
    l->host[1] = right == NULL ? "" : right;
    return left == NULL ? -ENOENT : 0;
}

static bool several_connections(const struct ladder *l)
{
    const char *first = NULL;

    for (size_t i = 0; i < l->tl->n; i++) {
        const struct ho_record *rec = &l->tl->rec[i];

        if (rec->kind == HO_REC_SEG && is_shown(l, rec)) {
            if (first != NULL && strcmp(first, rec->conn) != 0) {
                return true;
            }
            first = rec->conn;
        }
    }
    return false;
}

int ladder_make(struct ladder *l)
{
    struct states st = { 0 };
    struct ho_mark *mark = NULL;
    size_t at = 0;
    int err = choose_hosts(l);
    bool several = err == 0 && several_connections(l);

    ho_text_char(&l->texts, '\0');
    if (err == 0 && ho_view_fault(l->tl, NULL, &at) == 0) {
        l->since = l->tl->rec[at].t;
    }
    if (err == 0) {
        err = ho_marks_make(l->tl, &mark);
    }
    for (size_t i = 0; err == 0 && i < l->tl->n; i++) {
        if (is_shown(l, &l->tl->rec[i])) {
            err = make_row(l, i, &mark[i], several, &st);
        }
        err = err != 0 ? err : l->err;
    }
    if (err == 0) {
        put_end(l);
        err = l->err != 0 ? l->err : ho_text_err(&l->texts);
    }
    free(mark);
    free(st.shown);
    ho_groups_free(&st.ends);
    return err;
}
