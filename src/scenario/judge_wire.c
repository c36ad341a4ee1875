/* Judging frames and bytes: what a host sends, what arrives, whether the stream is whole. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/judge.h"
#include "timeline/group.h"
#include "timeline/view.h"
#include "wire/tcp.h"

/* --- frames ---------------------------------------------------------------------------------- */

static bool seg_is(enum ho_scn_mark mark, const struct ho_rec_seg *seg, const struct ho_mark *m)
{
    const uint8_t flags = seg->flags;
    const bool syn = (flags & HO_TCP_SYN) != 0, ack = (flags & HO_TCP_ACK) != 0;
    const bool fin = (flags & HO_TCP_FIN) != 0, rst = (flags & HO_TCP_RST) != 0;

    switch (mark) {
    case HO_SCN_MARK_SEGMENT:
        return true;
    case HO_SCN_MARK_SYN:
        return syn && !ack;
    case HO_SCN_MARK_SYN_ACK:
        return syn && ack;
    case HO_SCN_MARK_DATA:
        return seg->len > 0;
    case HO_SCN_MARK_ACK:
        return ack && !syn && !fin && !rst && seg->len == 0 && m->kind == HO_MARK_NONE;
    case HO_SCN_MARK_FIN:
        return fin;
    case HO_SCN_MARK_RST:
        return rst;
    case HO_SCN_MARK_REPEAT:
        return m->kind == HO_MARK_SYN || m->kind == HO_MARK_REXMT || m->kind == HO_MARK_RECOVERY;
    case HO_SCN_MARK_TLP:
        return m->kind == HO_MARK_TLP;
    case HO_SCN_MARK_KEEPALIVE:
        return m->kind == HO_MARK_KEEPALIVE;
    case HO_SCN_MARK_WINDOW_PROBE:
        return m->kind == HO_MARK_WINDOW;
    default:
        return false;
    }
}

static bool frame_is(const struct ho_judge *g, size_t i)
{
    const struct ho_record *r = &g->tl->rec[i];

    switch (r->kind) {
    case HO_REC_SEG:
        return seg_is(g->x->mark, &r->u.seg, &g->marks[i]);
    case HO_REC_ND:
        return g->x->mark == HO_SCN_MARK_ARP;
    case HO_REC_ICMP:
        return g->x->mark == HO_SCN_MARK_ICMP;
    default:
        return false;
    }
}

/* Whom the frame is for; "" is everybody on the link. */
static const char *frame_to(const struct ho_record *r)
{
    return r->kind == HO_REC_SEG ? r->u.seg.to : r->kind == HO_REC_ND ? r->u.nd.to : r->u.icmp.to;
}

/* When the frame left the subject, or reached it; HO_NEVER if it is neither's. */
static struct ho_time frame_time(const struct ho_expect *x, const struct ho_record *r)
{
    const bool own = strcmp(r->host, x->host) == 0;
    const char *to = frame_to(r);

    if (!x->receives) {
        return own ? r->t : HO_NEVER;
    }
    if (strcmp(to, x->host) != 0 && (to[0] != '\0' || own)) {
        return HO_NEVER;
    }
    return ho_view_arrival(r);
}

int ho_judge_sends(struct ho_judge *g)
{
    const struct ho_expect *x = g->x;
    const int64_t wanted = x->form == HO_FORM_SENDS_NO ? 0 : x->value;
    struct ho_time first = HO_NEVER, last = HO_NEVER;
    char from[HO_JUDGE_TIME], to[HO_JUDGE_TIME];
    int64_t n = 0;

    for (size_t i = 0; i < g->tl->n; i++) {
        if (!frame_is(g, i)) {
            continue;
        }
        struct ho_time t = frame_time(x, &g->tl->rec[i]);
        if (t.ns == HO_NEVER.ns || !ho_judge_in(x, t)) {
            continue;
        }
        first = n == 0 ? t : first;
        last = t;
        n++;
    }
    g->j->met = x->form == HO_FORM_SENDS_NO ? n == 0
                : x->how == HO_EXACTLY      ? n == wanted
                : x->how == HO_AT_LEAST     ? n >= wanted
                                            : n <= wanted;
    const char *verb = x->receives ? "receives" : "sends";
    if (n == 0) {
        ho_judge_say(g, "%s %s no %s%s", x->host, verb, ho_scn_mark_text(x->mark),
                     x->has_window ? " then" : "");
    } else {
        ho_judge_say(g, "%s %s %lld %s, the first at %s, the last at %s", x->host, verb,
                     (long long)n, ho_scn_mark_text(x->mark), ho_judge_time(first, from),
                     ho_judge_time(last, to));
    }
    return 0;
}

/* --- bytes ----------------------------------------------------------------------------------- */

static bool moves_bytes(const struct ho_record *r, const char *call)
{
    return r->kind == HO_REC_APP && !r->u.app.enter && r->u.app.ret > 0 &&
           strcmp(r->u.app.call, call) == 0; /* an error beside a count says why not more */
}

int ho_judge_received(struct ho_judge *g)
{
    const struct ho_expect *x = g->x;
    struct ho_time last = { 0 };
    char at[HO_JUDGE_TIME];
    int64_t sum = 0;

    for (size_t i = 0; i < g->tl->n; i++) {
        const struct ho_record *r = &g->tl->rec[i];
        if (moves_bytes(r, "recv") && ho_judge_about(x, r)) {
            sum += r->u.app.ret;
            last = r->t;
        }
    }
    g->j->met = sum == x->value && ho_judge_in(x, last);
    ho_judge_say(g, "%s received %lld bytes, the last at %s", x->host, (long long)sum,
                 ho_judge_time(last, at));
    return 0;
}

/* What one end of a connection sent and received. */
struct end {
    int64_t sent, received;
    uint64_t bad;
};

struct ends {
    struct ho_groups names; /* host, connection */
    struct end *end;
    size_t room;
};

static struct end *end_of(struct ends *s, const struct ho_record *r)
{
    size_t i, before = s->names.n;

    if (ho_groups_of(&s->names, r->host, r->conn, "", &i) != 0) {
        return NULL;
    }
    if (s->names.n > s->room) {
        size_t room = s->room != 0 ? 2 * s->room : 8;
        struct end *p = realloc(s->end, room * sizeof(*p));
        if (p == NULL) {
            return NULL;
        }
        s->end = p;
        s->room = room;
    }
    if (s->names.n > before) {
        s->end[i] = (struct end){ 0 };
    }
    return &s->end[i];
}

/* The other end of connection `i`; NULL if it has said nothing. */
static const struct end *peer_of(const struct ends *s, size_t i)
{
    for (size_t k = 0; k < s->names.n; k++) {
        if (k != i && strcmp(s->names.key[k].b, s->names.key[i].b) == 0) {
            return &s->end[k];
        }
    }
    return NULL;
}

static void compare_ends(struct ho_judge *g, const struct ends *s)
{
    int64_t sum = 0;

    g->j->met = true;
    for (size_t i = 0; i < s->names.n && g->j->met; i++) {
        const struct end *peer = peer_of(s, i);
        int64_t arrived = peer != NULL ? peer->received : 0;
        sum += arrived;
        if (s->end[i].sent != arrived) {
            g->j->met = false;
            ho_judge_say(g, "%s sent %lld bytes, %lld were received", s->names.key[i].a,
                         (long long)s->end[i].sent, (long long)arrived);
        } else if (s->end[i].bad != 0) {
            g->j->met = false;
            ho_judge_say(g, "%s received %llu bytes that nobody sent", s->names.key[i].a,
                         (unsigned long long)s->end[i].bad);
        }
    }
    if (g->j->met) {
        g->j->met = sum > 0;
        ho_judge_say(g, "%lld bytes were sent and received", (long long)sum);
    }
}

int ho_judge_whole(struct ho_judge *g)
{
    struct ends s = { 0 };
    int err = 0;

    for (size_t i = 0; i < g->tl->n && err == 0; i++) {
        const struct ho_record *r = &g->tl->rec[i];
        bool sends = moves_bytes(r, "send");
        if (!sends && !moves_bytes(r, "recv")) {
            continue;
        }
        struct end *e = end_of(&s, r);
        if (e == NULL) {
            err = -ENOMEM;
        } else if (sends) {
            e->sent += r->u.app.ret;
        } else {
            e->received += r->u.app.ret;
            e->bad = r->u.app.bad > e->bad ? r->u.app.bad : e->bad;
        }
    }
    if (err == 0) {
        compare_ends(g, &s);
    }
    ho_groups_free(&s.names);
    free(s.end);
    return err;
}
