/* Reading verdicts from a timeline. See timeline/verdict.h; the table and JSON are
 * verdict_text.c, the reasons verdict_cause.c, the knobs' names and values verdict_knob.c.
 *
 * One walk over the records keeps, for each side, what is needed to say why it ended: the last
 * sock record in which it lived, the first RST and FIN that arrived, when its process closed it
 * or died. The cause is decided at the end, from that alone.
 */

#include "timeline/verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/group.h"
#include "timeline/verdict_side.h"
#include "timeline/view.h"

#define SAME_NS 1000000 /* what lies within 1 ms belongs together */
#define POLLERR 0x008u
#define POLLHUP 0x010u
#define POLLRDHUP 0x2000u

/* What a host has of a connection. */
struct end {
    size_t newest; /* side[] + 1; 0: none */
    bool local;    /* both ends */
};

struct walk {
    const struct ho_timeline *tl;
    struct ho_groups ends; /* (host, connection, "") -> end[] */
    struct end *end;
    size_t n_end;
    struct verdict_side *side;
    size_t n, room;
    struct verdict_path path;
};

bool verdict_is_dead(const char *state)
{
    return strcmp(state, "gone") == 0 || ho_tcp_state_find(state) == HO_TCP_CLOSE;
}

static int end_of(struct walk *w, const char *host, const char *conn, struct end **ret)
{
    size_t i = 0;
    int err = ho_groups_of(&w->ends, host, conn, "", &i);

    if (err == 0 && i >= w->n_end) {
        struct end *p = realloc(w->end, (i + 1) * 2 * sizeof(*p));

        if (p == NULL) {
            return -ENOMEM;
        }
        memset(p + w->n_end, 0, ((i + 1) * 2 - w->n_end) * sizeof(*p));
        w->end = p;
        w->n_end = (i + 1) * 2;
    }
    if (err == 0) {
        *ret = &w->end[i];
    }
    return err;
}

/* The newest side of (host, connection), or NULL if there is none yet. */
static struct verdict_side *known_side(struct walk *w, const char *host, const char *conn)
{
    size_t i = 0;

    if (conn[0] == '\0' || ho_groups_find(&w->ends, host, conn, "", &i) != 0 || i >= w->n_end ||
        w->end[i].newest == 0) {
        return NULL;
    }
    return &w->side[w->end[i].newest - 1];
}

static bool is_one_of(const char *word, const char *const *list)
{
    while (*list != NULL && strcmp(word, *list) != 0) {
        list++;
    }
    return *list != NULL;
}

/* Who closes first goes one way, who closes second the other (RFC 9293 3.3.2): a socket without a
 * process is not of the end that goes the other one. 0: not its.
 */
static int goes_on(const struct verdict_side *s, const struct ho_record *r)
{
    static const char *const first[] = { "FIN-WAIT-1", "FIN-WAIT-2", "CLOSING", "TIME-WAIT", NULL };
    static const char *const second[] = { "CLOSE-WAIT", "LAST-ACK", NULL };
    const char *state = r->kind == HO_REC_SOCK ? r->u.sock.state : "";

    if (s->dead) {
        return 0;
    }
    if (verdict_is_dead(state)) {
        return strcmp(s->last.state, "TIME-WAIT") == 0 ? 1 : 2; /* that lasts a minute */
    }
    if ((is_one_of(state, first) && is_one_of(s->last.state, second)) ||
        (is_one_of(state, second) && is_one_of(s->last.state, first))) {
        return 0;
    }
    return s->closed.ns != HO_NEVER.ns ? 3 : 2;
}

/* Of the sides of one connection at one host the one that a record is about, or NULL. Without a
 * process it is the newest one; where both ends are there, that which can have come to it.
 */
static struct verdict_side *find_side(struct walk *w, size_t newest, const struct ho_record *r)
{
    struct verdict_side *best = newest == 0 ? NULL : &w->side[newest - 1];
    int most = 0;

    for (size_t i = newest; i != 0; i = w->side[i - 1].older) {
        struct verdict_side *s = &w->side[i - 1];

        if (r->process[0] != '\0' && strcmp(s->v.process, r->process) == 0) {
            return s;
        }
        int how_well = r->process[0] == '\0' ? goes_on(s, r) : 0;

        best = how_well > most ? s : best;
        most = how_well > most ? how_well : most;
    }
    return best != NULL && (r->process[0] == '\0' || best->v.process[0] == '\0') ? best : NULL;
}

/* The side that a sock or app record is about, made if it is new. The first process that appears on
 * a side without one takes it over.
 */
static int side_of(struct walk *w, const struct ho_record *r, struct verdict_side **ret)
{
    struct end *end = NULL;
    struct verdict_side *s = NULL;
    int err = end_of(w, r->host, r->conn, &end);

    if (err != 0) {
        return err;
    }
    s = find_side(w, end->newest, r);
    if (s != NULL) {
        s->v.process = s->v.process[0] == '\0' ? r->process : s->v.process;
        *ret = s;
        return 0;
    }
    if (w->n == w->room) {
        size_t room = w->room == 0 ? 8 : w->room * 2;

        s = realloc(w->side, room * sizeof(*s));
        if (s == NULL) {
            return -ENOMEM;
        }
        w->side = s;
        w->room = room;
    }
    s = &w->side[w->n++];
    *s = (struct verdict_side){
        .v = { .host = r->host, .process = r->process, .conn = r->conn, .state = "" },
        .last = { .sock = "", .state = "", .err = "", .err_soft = "" },
        .rst_in = HO_NEVER,
        .fin_in = HO_NEVER,
        .closed = HO_NEVER,
        .killed = HO_NEVER,
        .power_off = HO_NEVER,
        .rst_out = { -1 },
        .heard = { -1 },
        .older = end->newest,
        .local = end->local,
    };
    end->newest = w->n;
    *ret = s;
    return 0;
}

static int on_sock(struct walk *w, const struct ho_record *r)
{
    struct verdict_side *s = NULL;
    int err = side_of(w, r, &s);

    if (err != 0) {
        return err;
    }
    const struct ho_rec_sock *k = &r->u.sock;
    /* Names of states are literals: mostly the very same one as before. */
    bool dead = k->state == s->v.state ? s->dead : verdict_is_dead(k->state);

    /* A command does not tell that it closes; its socket has no process then. */
    if (!dead && r->process[0] == '\0' && s->v.process[0] != '\0' && s->lived &&
        ho_time_before(r->t, s->closed)) {
        s->closed = r->t;
    }
    if (!dead) {
        s->last = *k;
        s->last_at = r->t;
        s->lived = true;
    }
    /* An error without an end is IP_RECVERR's (ground-truth A4): the connection lives on. */
    if (s->lived && !s->v.has_kernel && dead) {
        s->v.has_kernel = true;
        s->v.kernel_at = r->t;
        s->v.kernel_state = k->state;
        s->v.kernel_err = k->err;
    }
    s->v.state = k->state;
    s->dead = dead;
    return 0;
}

/* Errors that tell nothing of the connection: try again, or not yet. */
static bool tells_nothing(const char *err)
{
    static const char *const known[] = { "EAGAIN",  "EINPROGRESS", "EINTR",  "EALREADY",
                                         "EISCONN", "EADDRINUSE",  "EINVAL", "EBADF" };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(err, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_call(const struct ho_rec_app *a, const char *call)
{
    return strcmp(a->call, call) == 0;
}

static bool tells_the_end(const struct ho_rec_app *a)
{
    if (a->finding) {
        return true;
    }
    if (a->err[0] != '\0') {
        /* an option refused (ENOPROTOOPT) says nothing about the peer */
        return !is_call(a, "setsockopt") && !tells_nothing(a->err);
    }
    if (a->ret == 0 && (is_call(a, "recv") || is_call(a, "read")) &&
        !(a->has_asked && a->asked == 0)) {
        return true;
    }
    return a->has_events && (a->events & (POLLERR | POLLHUP | POLLRDHUP)) != 0;
}

static int on_app(struct walk *w, const struct ho_record *r)
{
    const struct ho_rec_app *a = &r->u.app;
    struct verdict_side *s = NULL;
    int err = a->enter ? 0 : side_of(w, r, &s);

    if (err != 0 || a->enter) {
        return err;
    }
    if (!s->v.has_app && s->closed.ns == HO_NEVER.ns && tells_the_end(a)) {
        s->v.has_app = true;
        s->v.app_at = r->t;
        s->v.app_call = a->call;
        s->v.app_err = a->err;
        s->v.app_events = a->has_events ? a->events : 0;
        s->finding = a->finding;
        s->detail = a->detail;
    } else if (s->v.has_app && s->v.app_events != 0 && s->v.app_err[0] == '\0' &&
               r->t.ns - s->v.app_at.ns <= SAME_NS && !a->has_events && tells_the_end(a)) {
        s->v.app_call = a->call; /* what the poll told was read at once */
        s->v.app_err = a->err;
    }
    if (s->v.has_app && s->first_err == NULL && a->err[0] != '\0' && !tells_nothing(a->err)) {
        s->first_err = a->err;
    }
    if (is_call(a, "close") && ho_time_before(r->t, s->closed)) {
        s->closed = r->t;
    }
    return 0;
}

static void on_arrival(struct verdict_side *s, const struct ho_record *r, struct ho_time arrival)
{
    if (!s->v.has_kernel) {
        s->heard = arrival;
    }
    if ((r->u.seg.flags & HO_TCP_RST) != 0) {
        s->rst_in = s->v.has_kernel ? s->rst_in : arrival;
    }
    if ((r->u.seg.flags & HO_TCP_FIN) != 0) {
        s->fin_in = ho_time_min(s->fin_in, arrival);
    }
}

/* Both ends of the connection are at one host: it does not matter which of them is which. */
static int on_local_seg(struct walk *w, const struct ho_record *r, struct ho_time arrival)
{
    struct end *end = NULL;
    int err = r->conn[0] == '\0' ? 0 : end_of(w, r->host, r->conn, &end);

    if (end == NULL) {
        return err;
    }
    end->local = true;
    for (size_t i = end->newest; i != 0; i = w->side[i - 1].older) {
        w->side[i - 1].local = true;
        if (arrival.ns != HO_NEVER.ns) {
            on_arrival(&w->side[i - 1], r, arrival);
        }
    }
    return 0;
}

static int on_seg(struct walk *w, const struct ho_record *r)
{
    struct ho_time arrival = ho_view_arrival(r);
    struct verdict_side *s = known_side(w, r->host, r->conn);

    if (s != NULL && !s->v.has_kernel && (r->u.seg.flags & HO_TCP_RST) != 0) {
        s->rst_out = r->t;
    }
    if (strcmp(r->host, r->u.seg.to) == 0) {
        return on_local_seg(w, r, arrival);
    }
    s = known_side(w, r->u.seg.to, r->conn);
    if (s != NULL && arrival.ns != HO_NEVER.ns) {
        on_arrival(s, r, arrival);
    }
    return 0;
}

/* What a fault does to the way between the hosts. The last one counts. */
static void on_path(struct verdict_path *path, const struct ho_record *r)
{
    static const char *const breaking[] = { "cut", "half-cut", "unplug", "power-off", NULL };
    static const char *const either[] = { "interface", "address", "route", "neighbour", NULL };
    const struct ho_rec_fault *f = &r->u.fault;
    bool undone = strcmp(f->verb, "plug") == 0;
    bool broken = is_one_of(f->verb, breaking);

    if (is_one_of(f->verb, either)) {
        broken = strstr(f->detail, "down") != NULL || strstr(f->detail, "del") != NULL;
        undone = !broken;
    }
    if (broken || undone) {
        path->broken = broken;
        path->at = r->t;
    }
}

static void on_fault(struct walk *w, const struct ho_record *r)
{
    const struct ho_rec_fault *f = &r->u.fault;

    on_path(&w->path, r);

    for (size_t i = 0; i < w->n; i++) {
        struct verdict_side *s = &w->side[i];
        bool here = strcmp(r->host, s->v.host) == 0;

        if (strcmp(f->verb, "power-off") == 0 && (here || strcmp(f->what, s->v.host) == 0)) {
            s->power_off = ho_time_min(s->power_off, r->t);
        }
        if (strcmp(f->verb, "kill") == 0 && here &&
            (strcmp(f->what, s->v.process) == 0 || strcmp(r->process, s->v.process) == 0)) {
            s->killed = ho_time_min(s->killed, r->t);
        }
    }
}

static int walk_records(struct walk *w)
{
    int err = 0;

    for (size_t i = 0; err == 0 && i < w->tl->n; i++) {
        const struct ho_record *r = &w->tl->rec[i];

        if (r->kind == HO_REC_SOCK && r->conn[0] != '\0') {
            err = on_sock(w, r);
        } else if (r->kind == HO_REC_APP && r->conn[0] != '\0') {
            err = on_app(w, r);
        } else if (r->kind == HO_REC_SEG) {
            err = on_seg(w, r);
        } else if (r->kind == HO_REC_FAULT) {
            on_fault(w, r);
        }
    }
    return err;
}

/* What the records say of the kernel comes from samples; what a call said is exact. */
static void correct_kernel(struct verdict_side *s)
{
    struct ho_verdict *v = &s->v;
    bool told = v->has_app && !s->finding &&
                (v->app_err[0] != '\0' || (v->app_events & (POLLERR | POLLHUP)) != 0);

    if (!v->has_kernel) {
        return;
    }
    if (v->kernel_err[0] == '\0' && s->first_err != NULL && v->app_at.ns >= s->last_at.ns) {
        v->kernel_err = s->first_err; /* sk_err was read before the socket was sampled */
    }
    if (told && v->app_at.ns >= s->last_at.ns) {
        v->kernel_at = ho_time_min(v->kernel_at, v->app_at);
    }
}

static void decide(const struct walk *w, struct verdict_side *s)
{
    const struct ho_timeline *tl = w->tl;
    struct ho_verdict *v = &s->v;
    const struct ho_rec_settings *ut =
        ho_view_setting(tl, tl->n, "sockopt", v->host, v->conn, "TCP_USER_TIMEOUT");

    correct_kernel(s);
    v->cause = verdict_cause(s, s->other == 0 ? NULL : &w->side[s->other - 1], &w->path,
                             ut != NULL && ut->value > 0);
    switch (v->cause) {
    case HO_CAUSE_CLOSED:
    case HO_CAUSE_KILLED:
    case HO_CAUSE_FIN:
    case HO_CAUSE_FINDING:
        v->has_kernel = false; /* an orderly end, or one of the process's own making */
        break;
    case HO_CAUSE_POWER:
        v->has_kernel = false;
        v->has_app = false;
        break;
    default:
        break;
    }
    verdict_knob(s, tl);
}

/* Finds for each side the one at the other host of its connection. */
static int find_others(struct walk *w)
{
    struct ho_groups conns = { 0 };
    size_t *last = calloc(w->n + 1, sizeof(*last)); /* the newest side of a connection, + 1 */
    size_t conn = 0;
    int err = last == NULL ? -ENOMEM : 0;

    for (size_t i = 0; err == 0 && i < w->n; i++) {
        struct verdict_side *s = &w->side[i];

        err = ho_groups_of(&conns, s->v.conn, "", "", &conn);
        if (err == 0 && last[conn] != 0) {
            struct verdict_side *o = &w->side[last[conn] - 1];

            if (strcmp(o->v.host, s->v.host) != 0) {
                s->other = last[conn];
                o->other = i + 1;
            }
        }
        if (err == 0) {
            last[conn] = i + 1;
        }
    }
    free(last);
    ho_groups_free(&conns);
    return err;
}

int ho_verdicts_make(const struct ho_timeline *tl, const char *fault, struct ho_verdicts *ret)
{
    struct walk w = { .tl = tl };
    struct ho_verdicts v = { 0 };
    size_t at = 0;
    int err = ho_view_fault(tl, fault, &at);

    if (err == 0) {
        v.since = tl->rec[at].t;
    } else if (fault != NULL) {
        return err;
    }
    v.until = tl->n == 0 ? v.since : tl->rec[tl->n - 1].t;
    err = walk_records(&w);
    err = err == 0 ? find_others(&w) : err;
    v.v = err == 0 ? calloc(w.n + 1, sizeof(*v.v)) : NULL;
    if (v.v == NULL) {
        err = -ENOMEM;
    }
    for (size_t i = 0; err == 0 && i < w.n; i++) {
        if (w.side[i].lived || w.side[i].v.has_app) {
            decide(&w, &w.side[i]);
            v.v[v.n++] = w.side[i].v;
        }
    }
    free(w.side);
    free(w.end);
    ho_groups_free(&w.ends);
    if (err == 0) {
        *ret = v;
    }
    return err;
}

void ho_verdicts_free(struct ho_verdicts *v)
{
    if (v != NULL) {
        free(v->v);
        *v = (struct ho_verdicts){ 0 };
    }
}

struct ho_verdict *ho_verdicts_find(struct ho_verdicts *v, const char *host, const char *process,
                                    const char *conn)
{
    for (size_t i = 0; i < v->n; i++) {
        struct ho_verdict *one = &v->v[i];

        if (strcmp(one->host, host) == 0 && strcmp(one->conn, conn) == 0 &&
            (process == NULL || strcmp(one->process, process) == 0)) {
            return one;
        }
    }
    return NULL;
}
