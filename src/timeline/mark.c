/* Deriving what each segment is. See timeline/mark.h.
 *
 * Sendings and arrivals are walked in the order of time: an ACK counts from its arrival. Each
 * direction of each connection keeps what its sender has sent and what it knows to be
 * acknowledged.
 */

#include "timeline/mark.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/group.h"
#include "timeline/view.h"

#define EARLY_RETRANS_TLP 3 /* net.ipv4.tcp_early_retrans: 3 and 4 allow the probe */
#define KEEPALIVE_PROBES 9  /* Linux's default, where a timeline does not say */

/* What one host knows of its side of a connection. */
struct side {
    bool seen;         /* it has sent */
    uint32_t nxt, una; /* relative numbers */
    uint32_t high;     /* nxt when the first timeout of an episode fired: recovery ends there */
    bool recovering;
    bool evidence;    /* SACKs or duplicate ACKs since una moved */
    bool probed;      /* the tail loss probe went out */
    bool heard_syn;   /* the last thing the peer said was a SYN */
    bool window_zero; /* the peer's last window */
    uint16_t window;
    uint32_t unread; /* its receive queue by the last sock record */
    uint16_t n_rexmt, n_keepalive, n_window, n_syn;
};

struct event {
    int64_t ns;
    size_t index;
    bool arrival;
};

struct walk {
    const struct ho_timeline *tl;
    struct ho_mark *mark;
    struct ho_groups ends; /* (host, connection, "") */
    struct side *side;
    size_t room;
};

/* Arrivals come after what was recorded before their own sending at the same time, and before
 * what was recorded after it: an answer at the same instant follows what it answers.
 */
static int event_order(const void *pa, const void *pb)
{
    const struct event *a = pa, *b = pb;

    if (a->ns != b->ns) {
        return a->ns < b->ns ? -1 : 1;
    }
    if (a->index != b->index) {
        return a->index < b->index ? -1 : 1;
    }
    return (int)a->arrival - (int)b->arrival;
}

static struct side *side_of(struct walk *w, const char *host, const char *conn)
{
    size_t i = 0;

    if (ho_groups_of(&w->ends, host, conn, "", &i) != 0) {
        return NULL;
    }
    if (i >= w->room) {
        size_t room = w->room == 0 ? 16 : w->room * 2;
        struct side *side = realloc(w->side, room * sizeof(*side));

        if (side == NULL) {
            return NULL;
        }
        memset(side + w->room, 0, (room - w->room) * sizeof(*side));
        w->side = side;
        w->room = room;
    }
    return &w->side[i];
}

static bool after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

static int64_t sysctl_of(const struct walk *w, size_t at, const char *host, const char *name,
                         int64_t fallback)
{
    const struct ho_rec_settings *s = ho_view_setting(w->tl, at, "sysctl", host, NULL, name);

    return s == NULL ? fallback : s->value;
}

/* TCP_KEEPCNT of the socket, else the host's sysctl (tcp(7)); 0 with TCP_USER_TIMEOUT, which does
 * not count (ground-truth row 9).
 */
static uint16_t keepalive_count(const struct walk *w, size_t at, const struct ho_record *r)
{
    const struct ho_rec_settings *s =
        ho_view_setting(w->tl, at, "sockopt", r->host, r->conn, "TCP_USER_TIMEOUT");

    if (s != NULL && s->value > 0) {
        return 0;
    }
    s = ho_view_setting(w->tl, at, "sockopt", r->host, r->conn, "TCP_KEEPCNT");
    int64_t n = s != NULL
                    ? s->value
                    : sysctl_of(w, at, r->host, "net.ipv4.tcp_keepalive_probes", KEEPALIVE_PROBES);

    return n < 0 || n > UINT16_MAX ? 0 : (uint16_t)n;
}

static struct ho_mark mark_rst(const struct walk *w, size_t at, const struct ho_record *r,
                               const struct side *s)
{
    enum ho_mark_kind kind = HO_MARK_RST_ABORT;
    const struct ho_rec_settings *linger =
        ho_view_setting(w->tl, at, "sockopt", r->host, r->conn, "SO_LINGER");

    if (s->heard_syn && !s->seen) {
        kind = HO_MARK_RST_REFUSED;
    } else if ((r->u.seg.flags & HO_TCP_ACK) == 0) {
        /* RFC 9293 3.10.7.1: for a segment with an ACK the RST takes its number and has none. */
        kind = HO_MARK_RST_UNKNOWN;
    } else if (s->n_keepalive > 0) {
        kind = HO_MARK_RST_KEEPALIVE; /* ground-truth C3 */
    } else if (linger != NULL) {
        kind = HO_MARK_RST_LINGER;
    } else if (s->unread > 0) {
        kind = HO_MARK_RST_UNREAD; /* RFC 2525 2.17 */
    }
    return (struct ho_mark){ .kind = kind };
}

static struct ho_mark mark_probe(const struct walk *w, size_t at, const struct ho_record *r,
                                 struct side *s)
{
    if (s->window_zero) {
        return (struct ho_mark){ HO_MARK_WINDOW, ++s->n_window, 0 };
    }
    return (struct ho_mark){ HO_MARK_KEEPALIVE, ++s->n_keepalive, keepalive_count(w, at, r) };
}

static struct ho_mark mark_repeat(const struct walk *w, size_t at, const struct ho_record *r,
                                  struct side *s)
{
    const struct ho_rec_seg *seg = &r->u.seg;
    uint32_t end = seg->seq + ho_view_seg_space(seg);

    if ((seg->flags & HO_TCP_SYN) != 0) {
        return (struct ho_mark){ HO_MARK_SYN, ++s->n_syn, 0 };
    }
    if (s->evidence || s->recovering) {
        return (struct ho_mark){ .kind = HO_MARK_RECOVERY };
    }
    if (!s->probed && s->n_rexmt == 0 && end == s->nxt &&
        sysctl_of(w, at, r->host, "net.ipv4.tcp_early_retrans", EARLY_RETRANS_TLP) >=
            EARLY_RETRANS_TLP) {
        s->probed = true;
        return (struct ho_mark){ .kind = HO_MARK_TLP };
    }
    if (s->n_rexmt == 0) {
        s->high = s->nxt;
    }
    return (struct ho_mark){ HO_MARK_REXMT, ++s->n_rexmt, 0 };
}

/* A SYN of its own number 0 after others: the same name for another connection. */
static bool begins_again(const struct side *s, const struct ho_rec_seg *seg)
{
    return (seg->flags & HO_TCP_SYN) != 0 && s->seen && s->nxt != 1;
}

static int on_send(struct walk *w, size_t at)
{
    const struct ho_record *r = &w->tl->rec[at];
    const struct ho_rec_seg *seg = &r->u.seg;
    struct side *s = side_of(w, r->host, r->conn);

    if (s == NULL) {
        return -ENOMEM;
    }
    if (begins_again(s, seg)) {
        *s = (struct side){ .heard_syn = s->heard_syn };
    }
    uint32_t end = seg->seq + ho_view_seg_space(seg);

    if ((seg->flags & HO_TCP_RST) != 0) {
        w->mark[at] = mark_rst(w, at, r, s);
    } else if (!s->seen) {
        s->nxt = end;
        s->una = seg->seq;
    } else if (end != seg->seq && after(s->nxt, seg->seq)) {
        w->mark[at] = mark_repeat(w, at, r, s);
    } else if (end == seg->seq && seg->seq + 1 == s->una && s->una == s->nxt) {
        w->mark[at] = mark_probe(w, at, r, s);
    } else if (end == seg->seq && seg->seq + 1 == s->una && s->window_zero) {
        w->mark[at] = mark_probe(w, at, r, s);
    }
    if ((seg->flags & HO_TCP_RST) == 0) {
        s->seen = true;
        if (after(end, s->nxt)) {
            s->nxt = end;
        }
    }
    return 0;
}

static void on_new_ack(struct side *s, uint32_t ack)
{
    s->una = ack;
    s->evidence = false;
    s->probed = false;
    s->n_syn = 0;
    /* After a timeout, what is sent again up to `high` repairs the loss (RFC 6675 5.1). */
    s->recovering = (s->recovering || s->n_rexmt > 0) && after(s->high, ack);
    s->n_rexmt = 0;
}

static int on_arrival(struct walk *w, size_t at)
{
    const struct ho_record *r = &w->tl->rec[at];
    const struct ho_rec_seg *seg = &r->u.seg;
    struct side *s = side_of(w, seg->to, r->conn);

    if (s == NULL) {
        return -ENOMEM;
    }
    s->heard_syn = (seg->flags & (HO_TCP_SYN | HO_TCP_ACK)) == HO_TCP_SYN;
    s->n_keepalive = 0;
    if ((seg->flags & HO_TCP_ACK) == 0 || (seg->flags & HO_TCP_RST) != 0) {
        return 0;
    }
    bool same_window = s->window == seg->window;
    s->window = seg->window;
    s->window_zero = seg->window == 0;
    s->n_window = 0;
    if (after(seg->ack, s->una) && !after(seg->ack, s->nxt)) {
        on_new_ack(s, seg->ack);
    } else if (seg->ack == s->una && s->una != s->nxt && ho_view_seg_space(seg) == 0 &&
               !s->window_zero && s->n_rexmt == 0 && (seg->n_sack > 0 || same_window)) {
        s->evidence = true; /* a duplicate ACK (RFC 5681 2), or a SACK */
    }
    return 0;
}

static int on_sock(struct walk *w, size_t at)
{
    const struct ho_record *r = &w->tl->rec[at];
    struct side *s = side_of(w, r->host, r->conn);

    if (s == NULL) {
        return -ENOMEM;
    }
    if (ho_tcp_state_find(r->u.sock.state) != HO_TCP_CLOSE &&
        strcmp(r->u.sock.state, "gone") != 0) {
        s->unread = r->u.sock.rq;
    }
    return 0;
}

static size_t list_events(const struct ho_timeline *tl, struct event *event)
{
    size_t n = 0;

    for (size_t i = 0; i < tl->n; i++) {
        const struct ho_record *r = &tl->rec[i];

        if (r->kind == HO_REC_SOCK && r->conn[0] != '\0') {
            event[n++] = (struct event){ r->t.ns, i, false };
        } else if (r->kind == HO_REC_SEG) {
            struct ho_time arrival = ho_view_arrival(r);

            event[n++] = (struct event){ r->t.ns, i, false };
            if (arrival.ns != HO_NEVER.ns) {
                event[n++] = (struct event){ arrival.ns, i, true };
            }
        }
    }
    qsort(event, n, sizeof(*event), event_order);
    return n;
}

int ho_marks_make(const struct ho_timeline *tl, struct ho_mark **ret)
{
    struct walk w = { .tl = tl, .mark = calloc(tl->n + 1, sizeof(*w.mark)) };
    struct event *event = calloc(2 * tl->n + 1, sizeof(*event));
    int err = w.mark == NULL || event == NULL ? -ENOMEM : 0;
    size_t n = err == 0 ? list_events(tl, event) : 0;

    for (size_t i = 0; err == 0 && i < n; i++) {
        if (tl->rec[event[i].index].kind == HO_REC_SOCK) {
            err = on_sock(&w, event[i].index);
        } else if (event[i].arrival) {
            err = on_arrival(&w, event[i].index);
        } else {
            err = on_send(&w, event[i].index);
        }
    }
    ho_groups_free(&w.ends);
    free(w.side);
    free(event);
    if (err != 0) {
        free(w.mark);
        return err;
    }
    *ret = w.mark;
    return 0;
}

const char *ho_mark_text(enum ho_mark_kind kind)
{
    static const char *const text[] = {
#define X(id, words) [HO_MARK_##id] = (words),
        HO_MARKS(X)
#undef X
    };

    return text[kind];
}

void ho_mark_put(struct ho_text *out, const struct ho_mark *mark)
{
    ho_text_put(out, ho_mark_text(mark->kind));
    if (mark->n > 0) {
        ho_text_char(out, ' ');
        ho_text_uint(out, mark->n);
    }
    if (mark->n > 0 && mark->of > 0) {
        ho_text_put(out, " of ");
        ho_text_uint(out, mark->of);
    }
}
